"""The form of a space's rules: its fields, and one small form for each question."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext
from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    BooleanField,
    HiddenField,
    SelectChoice,
    SelectField,
    TextAreaField,
    ValidationError,
)

from marketplace.db import Localised
from marketplace.web.forms import Form
from marketplace.web.i18n import LANGUAGES, gettext
from spaces.catalog.desk_forms import (
    APPROVAL_LABELS,
    MOST_PEOPLE,
    WHO_LABELS,
    CodesField,
    DeskForm,
    RuleFields,
    at_most,
    fill_texts,
    in_order,
    line_field,
    many_lines,
    number_field,
    one_line,
    text_field,
    texts_of,
)
from spaces.catalog.models import QUESTION_KINDS, Space, SpaceQuestion
from spaces.pricing.present import GROUP_NAMES
from spaces.pricing.rules import CUSTOMER_GROUPS
from spaces.rules.actions import AskedRules
from spaces.rules.queries import SpaceRules, line_of
from spaces.rules.rules import LARGEST_NUMBER, MOST_QUESTIONS, AskedQuestion

LONGEST_TERMS = 20_000
MOST_LINES = 200
GROUPS = {code: GROUP_NAMES[code] for code in CUSTOMER_GROUPS}
KIND_LABELS = {
    "text": lazy_gettext("In words"),
    "choice": lazy_gettext("One of these choices"),
    "number": lazy_gettext("A number"),
    "file": lazy_gettext("A file (PDF or picture)"),
}
PERIOD_LABELS = {
    "week": lazy_gettext("In a week, from Monday"),
    "month": lazy_gettext("In a calendar month"),
}
NUMBERS = (
    "max_open_per_person", "max_open_per_organisation", "quota_hours", "quota_period", "min_age", "max_age",
    "attendees_min", "attendees_max",
)  # fmt: skip


def lines_of(text: str | None) -> list[str]:
    return [line for typed in (text or "").split("\n") if (line := one_line(typed))]


def lines_field(label: Any) -> TextAreaField:
    return TextAreaField(label, filters=[many_lines], validators=[at_most(20_000), few_lines])


def few_lines(form: Form, field: TextAreaField) -> None:
    if len(lines_of(field.data)) > MOST_LINES:
        raise ValidationError(gettext("At most %(num)d lines.", num=MOST_LINES))


class QuestionForm(Form):
    """One question. Without words it is left out."""

    class Meta(Form.Meta):
        csrf = False  # a part of the form around it

    known = HiddenField()
    kind = SelectField(
        lazy_gettext("It is answered"),
        choices=[SelectChoice(code, KIND_LABELS[code]) for code in QUESTION_KINDS],
        default="text",
    )
    required = BooleanField(lazy_gettext("An answer is needed"), default=True)
    labels_fi = line_field(lazy_gettext("Question (%(language)s)", language="suomi"), 200)
    labels_sv = line_field(lazy_gettext("Question (%(language)s)", language="svenska"), 200)
    labels_en = line_field(lazy_gettext("Question (%(language)s)", language="English"), 200)
    helps_fi = line_field(lazy_gettext("Advice (%(language)s)", language="suomi"), 300)
    helps_sv = line_field(lazy_gettext("Advice (%(language)s)", language="svenska"), 300)
    helps_en = line_field(lazy_gettext("Advice (%(language)s)", language="English"), 300)
    options_fi = text_field(lazy_gettext("Choices, one on each line (%(language)s)", language="suomi"), 4000)
    options_sv = text_field(
        lazy_gettext("Choices, one on each line (%(language)s)", language="svenska"), 4000
    )
    options_en = text_field(
        lazy_gettext("Choices, one on each line (%(language)s)", language="English"), 4000
    )
    least = number_field(lazy_gettext("Least"), -LARGEST_NUMBER, LARGEST_NUMBER, needed=False)
    most = number_field(lazy_gettext("Most"), -LARGEST_NUMBER, LARGEST_NUMBER, needed=False)
    place = SelectField(lazy_gettext("Place among the questions"), coerce=int)

    def __init__(self, n: int, count: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, prefix=f"question-{n}-", **kwargs)
        self.number = n
        self.place.choices = [SelectChoice(place, str(place)) for place in range(1, count + 1)]
        if not self.is_submitted() or self.place.data is None:
            self.place.data = n

    @property
    def is_blank(self) -> bool:
        return not any(self[f"labels_{code}"].data for code in LANGUAGES)

    def validate_options_fi(self, field: TextAreaField) -> None:
        """Lines at the same place are the same choice in different languages."""
        if self.kind.data == "choice" and len({len(lines) for lines in self.option_lines().values()}) > 1:
            raise ValidationError(gettext("Write as many choices in each language, in the same order."))

    def option_lines(self) -> dict[str, list[str]]:
        found = {code: lines_of(self[f"options_{code}"].data) for code in LANGUAGES}
        return {code: [line[:200] for line in lines] for code, lines in found.items() if lines}

    def asked(self) -> AskedQuestion:
        """What the form says, without what this kind of question does not have."""
        lines = self.option_lines()
        count = max((len(texts) for texts in lines.values()), default=0)
        is_number = self.kind.data == "number"
        known = self.known.data or ""
        return AskedQuestion(
            kind=self.kind.data,
            labels=texts_of(self, "labels"),
            helps=texts_of(self, "helps"),
            required=bool(self.required.data),
            options=tuple(
                {code: texts[n] for code, texts in lines.items() if n < len(texts)} for n in range(count)
            )
            if self.kind.data == "choice"
            else (),
            least=self.least.data if is_number else None,
            most=self.most.data if is_number else None,
            id=int(known) if known.isascii() and known.isdigit() and len(known) < 19 else None,
        )

    def fill(self, question: SpaceQuestion) -> None:
        self.known.data = str(question.id)
        self.kind.data, self.required.data = question.kind, question.required
        fill_texts(self, "labels", question.labels)
        fill_texts(self, "helps", question.helps)
        for code in LANGUAGES:
            self[f"options_{code}"].data = "\n".join(option.get(code, "") for option in question.options)
        self.least.data, self.most.data = question.least, question.most


class RulesForm(RuleFields, DeskForm):
    """All rules of one space."""

    max_open_per_person = number_field(
        lazy_gettext("Open bookings at most, each person"), 1, 1000, needed=False
    )
    max_open_per_organisation = number_field(
        lazy_gettext("Open bookings at most, each organisation"), 1, 1000, needed=False
    )
    quota_hours = number_field(lazy_gettext("Hours at most"), 1, 744, needed=False)
    quota_period = SelectField(
        lazy_gettext("Hours are counted"),
        choices=[SelectChoice(code, label) for code, label in PERIOD_LABELS.items()],
        default="week",
    )
    members = lines_field(lazy_gettext("Members of these organisations"))
    min_age = number_field(lazy_gettext("Lowest age, years"), 1, 120, needed=False)
    max_age = number_field(lazy_gettext("Highest age, years"), 1, 120, needed=False)
    trusted = lines_field(lazy_gettext("Organisations that you trust"))
    trusted_groups = CodesField(lazy_gettext("Customer groups that you trust"), GROUPS)
    attendees_min = number_field(lazy_gettext("People at least"), 1, MOST_PEOPLE, needed=False)
    attendees_max = number_field(lazy_gettext("People at most in a booking"), 1, MOST_PEOPLE, needed=False)
    terms_fi = text_field(lazy_gettext("Terms (%(language)s)", language="suomi"), LONGEST_TERMS)
    terms_sv = text_field(lazy_gettext("Terms (%(language)s)", language="svenska"), LONGEST_TERMS)
    terms_en = text_field(lazy_gettext("Terms (%(language)s)", language="English"), LONGEST_TERMS)

    def __init__(self, *args: Any, space: Space, **kwargs: Any) -> None:
        super().__init__(*args, space=space, **kwargs)
        self.approval.choices = [SelectChoice(code, label) for code, label in APPROVAL_LABELS.items()]
        self.who.choices = [SelectChoice(code, label) for code, label in WHO_LABELS.items()]

    def fill(self, space: Space, more: SpaceRules) -> None:
        for field in self:
            if hasattr(space, field.name):
                field.data = getattr(space, field.name)
        fill_texts(self, "instructions", space.instructions)
        fill_texts(self, "terms", more.terms)
        self.members.data = "\n".join(line_of(one) for one in more.members)
        self.trusted.data = "\n".join(line_of(one) for one in more.trusted)

    def asked(self, space: Space, terms: Localised, questions: Sequence[QuestionForm]) -> AskedRules:
        return AskedRules(
            facts={
                **self.rule_facts(space),
                **{name: self[name].data for name in NUMBERS},
                "trusted_groups": in_order(self.trusted_groups.data, GROUPS),
            },
            terms=texts_of(self, "terms", terms),
            members=lines_of(self.members.data),
            trusted=lines_of(self.trusted.data),
            questions=[form.asked() for form in questions],
        )


def question_forms(questions: Sequence[SpaceQuestion]) -> list[QuestionForm]:
    """The questions that are there; where there is none, an empty one."""
    forms = [QuestionForm(n, len(questions), formdata=None) for n in range(1, len(questions) + 1)]
    for form, question in zip(forms, questions, strict=True):
        form.fill(question)
    return forms


def sent_questions(values: Mapping[str, str]) -> list[QuestionForm]:
    """The questions of a sent form, in the order that it asks for; those without words are left out."""
    text = values.get("questions", "")
    count = min(int(text), MOST_QUESTIONS + 1) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    forms = [QuestionForm(n, max(count, 1)) for n in range(1, count + 1)]
    kept = [form for form in forms if not form.is_blank]
    return sorted(kept, key=lambda form: (form.place.data or form.number, form.number))
