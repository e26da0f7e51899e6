"""Shapes of the pages' input: times in addresses, the checkout's form, the reason of a refusal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import uuid4

from flask_babel import gettext, lazy_gettext
from flask_wtf.file import FileField
from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import Length, Optional

from bookings.lifecycle.added_fields import ExtraFields, OutdoorFields
from bookings.lifecycle.answers import (
    LONGEST_ANSWER,
    MOST_FILE_BYTES,
    Given,
    KeptFile,
    SentFile,
    answer_problems,
    content_type_of,
    field_of,
    plain_name,
)
from bookings.lifecycle.asked import NOTHING_ASKED, Asked, terms_problems
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import AttendeesMissing, TimeUnreadable
from bookings.lifecycle.reasons import CANCEL_REASONS, DECLINE_REASONS, choices_of, words_of
from marketplace.errors import Invalid
from marketplace.timespan import Span
from marketplace.web.forms import Form
from marketplace.web.i18n import localised
from spaces.catalog.models import SpaceQuestion
from spaces.pricing.rules import BuildDays
from spaces.pricing.ways import WAYS
from spaces.rules.rules import option_key

# ISO 8601 with an offset; a plus that came as a space, as it does when an address is not encoded, counts as one.
INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::(\d{2})(?:\.0+)?)?(Z|[+ -]\d{2}:?\d{2})", re.ASCII
)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MINUTES = re.compile(r"[1-9]\d{0,4}", re.ASCII)
WHOLE = re.compile(r"\d{1,9}", re.ASCII)
SUBMISSION = re.compile(r"[0-9A-Za-z-]{8,80}", re.ASCII)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST = timedelta(days=62)
NEAR = timedelta(days=3660)
# Nobody runs or books spaces ten years from now; a year far off is a mistake.
FARTHEST = timedelta(days=3650)
TEXT_MAX = 200
CODE_MAX = 41  # one more than a code may have
REASON_MAX = 1000


def read_instant(text: str) -> datetime | None:
    """The instant that the text names, UTC, or None."""
    match = INSTANT.fullmatch(text.strip())
    if match is None:
        return None
    day, clock, second, offset = match.groups()
    try:
        at = datetime.fromisoformat(f"{day}T{clock}:{second or '00'}{offset.replace(' ', '+')}")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_time(values: Mapping[str, str], *, now: datetime) -> Span:
    """The wished time from `start` and `minutes` or `end`. Raises TimeUnreadable on anything else, also on times
    decades away: they are mistakes, and far from the present even adding a day can fail."""
    start = read_instant(values.get("start", ""))
    if start is None or not -NEAR < start - now < NEAR:
        raise TimeUnreadable
    if values.get("end"):
        end = read_instant(values["end"])
    elif MINUTES.fullmatch(values.get("minutes", "")):
        end = start + timedelta(minutes=int(values["minutes"]))
    else:
        end = None
    if end is None or not timedelta(0) < end - start <= LONGEST:
        raise TimeUnreadable
    return Span(start, end)


def read_day(text: str, *, today: date) -> date | None:
    """An ISO date within ten years of today, or None."""
    if not DAY.fullmatch(text.strip()):
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if abs(day - today) <= FARTHEST else None


def read_days(
    values: Mapping[str, str], *, today: date
) -> tuple[tuple[date | None, date | None], dict[str, str]]:
    """The first and the last day of `values`, and what is wrong with either; what is wrong is left out."""
    days: dict[str, date | None] = {}
    errors = {}
    for name in ("first", "last"):
        text = values.get(name, "").strip()
        days[name] = read_day(text, today=today) if text else None
        if text and days[name] is None:
            errors[name] = gettext("Write a date, such as 2026-12-01.")
    first, last = days["first"], days["last"]
    if first is not None and last is not None and last < first:
        errors["last"], last = gettext("The last day is before the first one."), None
    return (first, last), errors


def plain_text(text: str | None) -> str:
    """Without control characters, which no one means and the database refuses."""
    return CONTROL.sub("", text or "").strip()


def read_whole(text: str | None) -> int | None:
    """A whole number as typed, or None."""
    plain = (text or "").strip().replace("\u00a0", "").replace(" ", "")
    return int(plain) if WHOLE.fullmatch(plain) else None


def new_submission() -> str:
    return str(uuid4())


@dataclass(frozen=True)
class QuickForm:
    """What a chip of a result row sends: a time, the key of this very form, the number of people."""

    during: Span
    submission: str
    people: str
    purpose: str
    total: int | None

    @classmethod
    def read(cls, values: Mapping[str, str], *, now: datetime) -> "QuickForm":
        submission = values.get("submission", "")
        return cls(
            read_time(values, now=now),
            submission if SUBMISSION.fullmatch(submission) else "",
            values.get("people", "")[:20],
            plain_text(values.get("purpose"))[:TEXT_MAX],
            read_whole(values.get("total")),
        )

    @property
    def attendees(self) -> int | None:
        return read_whole(self.people)


Asking = TypeVar("Asking", bound="AskingForm")


class AskingForm(ExtraFields, Form):
    """Who books, for what, how many, with which equipment, and the answers to what the space asks of its booker."""

    organisation = StringField(lazy_gettext("Who do you book for?"))
    purpose = StringField(
        lazy_gettext("What are you arranging?"),
        filters=[plain_text],
        validators=[Length(max=TEXT_MAX, message=lazy_gettext("Say it in 200 characters."))],
    )
    attendees = StringField(lazy_gettext("How many come?"), filters=[lambda text: (text or "").strip()])
    code = StringField(lazy_gettext("Discount code"), filters=[lambda text: plain_text(text)[:CODE_MAX]])
    submission = HiddenField()
    total = HiddenField()
    birth_date = DateField(lazy_gettext("Date of birth"), validators=[Optional()])
    terms = BooleanField(lazy_gettext("I have read the terms and accept them"))
    terms_version = HiddenField()
    asked: Asked = NOTHING_ASKED
    kept_files: Mapping[int, KeptFile] = MappingProxyType({})

    def validate(self, extra_validators: Any = None) -> bool:
        """Everything that is missing or wrong is told at once."""
        right: bool = super().validate(extra_validators)
        problems = [
            *answer_problems(self.asked.questions, {**self.typed_answers, **self.sent_files}),
            *terms_problems(self.asked.terms_version, self.accepted_terms),
        ]
        if self.asked.attendees and not self.attendees.data:
            problems += AttendeesMissing().fields
        unshown = [error for error in problems if not self[error.field].errors]
        self.show(Invalid(*unshown))
        return right and not problems

    @property
    def typed_answers(self) -> dict[int, Given]:
        """Answers to the questions that are not answered by a file."""
        return {
            question.id: str(self[field_of(question)].data or "")
            for question in self.asked.questions
            if question.kind != "file"
        }

    @property
    def sent_files(self) -> dict[int, SentFile]:
        """The files of this sending, whole."""
        fields = {question.id: self[field_of(question)] for question in self.asked.questions}
        return {id_: field.sent for id_, field in fields.items() if getattr(field, "sent", None)}

    @property
    def question_fields(self) -> list[tuple[SpaceQuestion, Any]]:
        return [(question, self[field_of(question)]) for question in self.asked.questions]

    @property
    def accepted_terms(self) -> str:
        return (self.terms_version.data or "")[:64] if self.terms.data else ""

    def renew_terms(self) -> None:
        """Show the terms as they are now; to accept an older text is not to accept them."""
        if self.terms_version.data != self.asked.terms_version:
            self.terms.data = False
        self.terms_version.data = self.asked.terms_version

    def validate_attendees(self, field: StringField) -> None:
        if field.data and read_whole(field.data) is None:
            raise ValidationError(lazy_gettext("Write a whole number, such as 12."))

    def validate_submission(self, field: HiddenField) -> None:
        if not SUBMISSION.fullmatch(field.data or ""):
            field.data = new_submission()
            raise ValidationError(lazy_gettext("The form did not arrive whole. Send it again."))

    @property
    def people(self) -> int | None:
        return read_whole(self.attendees.data)

    @property
    def details(self) -> Details:
        """What is answered; forms that ask more add it."""
        return Details(
            self.code.data or "",
            extras=self.extras.data,
            answers={**self.typed_answers, **self.kept_files},
            terms=self.accepted_terms,
            birth_date=self.birth_date.data if self.asked.birth_date else None,
        )


class CheckoutForm(OutdoorFields, AskingForm):
    """A booking of one time. `total` is the price that the person saw, in minor units: one number, or where
    customers pay differently the price of each choice, as in "myself:2700 12:1350"."""

    build_before = StringField(lazy_gettext("Days to build up first"), filters=[plain_text])
    build_after = StringField(lazy_gettext("Days to tear down last"), filters=[plain_text])
    also = SelectMultipleField(lazy_gettext("Book also"), choices=[], validate_choice=False)
    way = StringField(lazy_gettext("How do you pay?"))

    def validate_build_before(self, field: StringField) -> None:
        if field.data and read_whole(field.data) is None:
            raise ValidationError(lazy_gettext("Write a whole number, such as 1."))

    validate_build_after = validate_build_before

    @property
    def build(self) -> BuildDays:
        return BuildDays(*(min(read_whole(f.data) or 0, 366) for f in (self.build_before, self.build_after)))

    @property
    def details(self) -> Details:
        return replace(super().details, build=self.build, use=self.use)

    @property
    def chosen_way(self) -> str | None:
        """How it is to be paid; None where the form asked nothing."""
        return self.way.data if self.way.data in WAYS else None

    @property
    def also_ids(self) -> list[int]:
        """The other spaces of the place that are to be booked in the same go."""
        return [id_ for text in (self.also.data or [])[:20] if (id_ := read_whole(text)) is not None]

    @property
    def expected_total(self) -> int | None:
        text = self.total.data or ""
        for part in text.split():
            choice, colon, total = part.partition(":")
            if colon and choice == (self.organisation.data or "myself"):
                return read_whole(total)
        return read_whole(text)


class AnswerFileField(FileField):  # type: ignore[misc]  # flask_wtf ships no types
    """A file that is read whole and known by its content; `sent` is it, once the form is validated."""

    sent: SentFile | None = None

    def pre_validate(self, form: Any) -> None:
        if self.data is None:
            return
        data = self.data.read(MOST_FILE_BYTES + 1)
        if len(data) > MOST_FILE_BYTES:
            raise ValidationError(
                gettext("The file is larger than 10 MB. Make it smaller, or send a part of it.")
            )
        kind = content_type_of(data)
        if kind is None:
            raise ValidationError(gettext("This is not a PDF, JPEG, PNG or WebP file."))
        self.sent = SentFile("", plain_name(self.data.filename), kind, len(data), data)


def question_field(question: SpaceQuestion) -> Any:
    """The field that a question is answered in. Whether the answer will do is decided elsewhere, the same for all."""
    label, advice = localised(question.labels), localised(question.helps)
    if question.kind == "choice":
        choices = [SelectChoice(option_key(option), localised(option)) for option in question.options]
        return RadioField(label, choices=choices, description=advice, validate_choice=False)
    if question.kind == "file":
        return AnswerFileField(label, description=advice or gettext("PDF, JPEG, PNG or WebP, at most 10 MB."))
    if question.kind == "number":
        return StringField(label, description=advice, filters=[lambda text: plain_text(text)[:40]])
    return TextAreaField(
        label, description=advice, filters=[lambda text: plain_text(text)[: LONGEST_ANSWER + 1]]
    )


def asking_form(kind: type[Asking], asked: Asked, **kwargs: Any) -> Asking:
    """A form of this kind with a field for each question of the space."""
    fields = {field_of(question): question_field(question) for question in asked.questions}
    form: Asking = type(f"Asking{kind.__name__}", (kind,), {**fields, "asked": asked})(**kwargs)
    return form


class ChangeForm(Form):
    """What a booking is to become. `when` is the start of one of the times that the page offers; `total` the price that
    stood beside each of them, as in "2026-12-01T18:00:00+02:00=2700 ..."."""

    day = StringField(lazy_gettext("Day"), filters=[plain_text])
    minutes = StringField(lazy_gettext("Length"), filters=[plain_text])
    space = StringField(lazy_gettext("Space"), filters=[plain_text])
    attendees = StringField(lazy_gettext("How many come?"), filters=[lambda text: (text or "").strip()])
    when = StringField(lazy_gettext("Time"), filters=[plain_text])
    submission = HiddenField()
    total = HiddenField()

    def validate_attendees(self, field: StringField) -> None:
        if field.data and read_whole(field.data) is None:
            raise ValidationError(lazy_gettext("Write a whole number, such as 12."))

    def validate_when(self, field: StringField) -> None:
        if read_instant(field.data or "") is None:
            raise ValidationError(lazy_gettext("Choose a time."))

    @property
    def people(self) -> int | None:
        return read_whole(self.attendees.data)

    @property
    def expected_total(self) -> int | None:
        for part in (self.total.data or "").split():
            start, equals, total = part.rpartition("=")
            if equals and start == self.when.data:
                return read_whole(total)
        return None


class DeclineForm(Form):
    """Why a request is turned down; the booker reads it. Without words of one's own those of the list are sent."""

    reason_code = SelectField(
        lazy_gettext("Reason, if you decline"), choices=lambda: choices_of(DECLINE_REASONS), default=""
    )
    reason = TextAreaField(
        lazy_gettext("Reason"),
        filters=[plain_text],
        validators=[Length(max=REASON_MAX, message=lazy_gettext("Say it in 1,000 characters."))],
    )

    def validate_reason(self, field: TextAreaField) -> None:
        field.data = field.data or words_of(DECLINE_REASONS, self.code)
        if not field.data:
            raise ValidationError(
                lazy_gettext("Write why or choose a reason, so that the person can ask for something else.")
            )

    @property
    def code(self) -> str | None:
        return code if (code := self.reason_code.data) in DECLINE_REASONS else None


class CancelForm(Form):
    """Why the booker gives the time back, if they want to say; the owner reads it."""

    reason_code = SelectField(
        lazy_gettext("Why do you cancel?"),
        choices=lambda: choices_of(CANCEL_REASONS),
        default="",
    )
    reason = TextAreaField(
        lazy_gettext("In your own words"),
        filters=[plain_text],
        validators=[Length(max=REASON_MAX, message=lazy_gettext("Say it in 1,000 characters."))],
    )

    @property
    def code(self) -> str | None:
        return code if (code := self.reason_code.data) in CANCEL_REASONS else None


class PlainForm(Form):
    """A button alone."""
