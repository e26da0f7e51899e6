"""Shapes of the pages' input: how often, until when, which dates not, what instead; what is to change."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from flask_babel import lazy_gettext
from wtforms import HiddenField, StringField, ValidationError
from wtforms.validators import Length

from bookings.lifecycle.forms import (
    LONGEST,
    SUBMISSION,
    TEXT_MAX,
    AskingForm,
    plain_text,
    read_day,
    read_instant,
    read_whole,
)
from bookings.series.rules import MOST_DATES, MOST_SHIFT, SCOPES, Recurrence
from marketplace.timespan import Span
from marketplace.web.forms import Form
from spaces.calendar.forms import read_clock as clock_of_text

PATTERN = re.compile(r"(weekly|monthly):(-?\d{1,2})", re.ASCII)
# A time instead of a taken one: the space, its start, its length.
INSTEAD = re.compile(r"(\d{1,18})/([^/]{16,40})/(\d{1,5})", re.ASCII)
WEEKS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
MODES = ("rest", "all")
USUAL_TIMES = 10
MOST_NEAR = 6


@dataclass(frozen=True)
class OtherTime:
    """A chosen alternative as the form sends it."""

    space_id: int
    during: Span

    @classmethod
    def read(cls, text: str) -> "OtherTime | None":
        match = INSTEAD.fullmatch(text)
        start = read_instant(match[2]) if match else None
        if match is None or start is None or not 0 < int(match[3]) <= LONGEST // timedelta(minutes=1):
            return None
        try:
            return cls(int(match[1]), Span(start, start + timedelta(minutes=int(match[3]))))
        except OverflowError:
            return None

    def __str__(self) -> str:
        start = self.during.start.isoformat(timespec="seconds").replace("+00:00", "Z")
        return f"{self.space_id}/{start}/{self.during.minutes}"


def read_clock(text: str | None) -> time | None:
    """18.00 or 18:00 as typed, or None."""
    try:
        return clock_of_text(text)
    except ValueError:
        return None


def read_days(texts: Sequence[str], *, today: date) -> set[date]:
    """The ISO dates among these, at most so many."""
    return {day for text in texts[: 2 * MOST_DATES] if (day := read_day(text, today=today)) is not None}


class SeriesForm(AskingForm):
    """How often and until when; the rest is asked once for all dates. `total` is the price of all of them that the person
    saw, minor units."""

    pattern = StringField(lazy_gettext("How often"), default="weekly:1")
    ends = StringField(lazy_gettext("Ends"), default="times")
    times = StringField(lazy_gettext("Number of dates"), filters=[plain_text], default=str(USUAL_TIMES))
    until = StringField(lazy_gettext("Last day"), filters=[plain_text], default="")
    mode = StringField(lazy_gettext("If a date is taken meanwhile"), default="rest")

    @property
    def expected_total(self) -> int | None:
        return read_whole(self.total.data)

    @property
    def all_or_nothing(self) -> bool:
        return bool(self.mode.data == "all")

    def rule(self, first: date, *, today: date) -> Recurrence | None:
        """The rule that begins on `first`, or None with what is wrong beside the fields."""
        match = PATTERN.fullmatch(self.pattern.data or "")
        if match is None:
            self.pattern.errors = [lazy_gettext("Choose how often it repeats, and until when.")]
            return None
        weekly = match[1] == "weekly"
        every, nth = (int(match[2]), None) if weekly else (1, int(match[2]))
        if self.ends.data == "until":
            until = read_day(self.until.data or "", today=today)
            if until is None or until < first:
                self.until.errors = [lazy_gettext("Write the last day, later than the first one.")]
                return None
            return Recurrence(first, match[1], every, nth, until=until)
        times = read_whole(self.times.data)
        if not times:
            self.times.errors = [lazy_gettext("Write a whole number, such as 12.")]
            return None
        return Recurrence(first, match[1], every, nth, times=times)


def read_instead(values: Mapping[str, str], *, today: date) -> dict[date, OtherTime]:
    """The alternatives chosen in fields such as instead-2026-12-08."""
    found: dict[date, OtherTime] = {}
    for name, text in values.items():
        day = read_day(name.removeprefix("instead-"), today=today) if name.startswith("instead-") else None
        other = OtherTime.read(text) if day is not None else None
        if day is not None and other is not None and len(found) < MOST_DATES:
            found[day] = other
    return found


class ChangeForm(Form):
    """What some dates are to become: weekday (a shift in days), start, length, what, how many."""

    scope = StringField(default="following")
    shift = StringField(lazy_gettext("Weekday"), default="0")
    clock = StringField(lazy_gettext("Begins at"), filters=[plain_text])
    length = StringField(lazy_gettext("Length"), filters=[plain_text])
    purpose = StringField(
        lazy_gettext("What are you arranging?"),
        filters=[plain_text],
        validators=[Length(max=TEXT_MAX, message=lazy_gettext("Say it in 200 characters."))],
    )
    attendees = StringField(lazy_gettext("How many come?"), filters=[plain_text])
    mode = StringField(default="rest")
    difference = HiddenField()

    def validate_scope(self, field: StringField) -> None:
        if field.data not in SCOPES:
            raise ValidationError(lazy_gettext("Choose which dates you mean."))

    def validate_shift(self, field: StringField) -> None:
        if not re.fullmatch(r"-?\d", field.data or "", re.ASCII) or abs(int(field.data or 0)) > MOST_SHIFT:
            raise ValidationError(lazy_gettext("Choose a weekday."))

    def validate_clock(self, field: StringField) -> None:
        if field.data and read_clock(field.data) is None:
            raise ValidationError(lazy_gettext("Write a time, such as 18.00."))

    def validate_length(self, field: StringField) -> None:
        minutes = read_whole(field.data)
        if field.data and (not minutes or minutes > LONGEST // timedelta(minutes=1)):
            raise ValidationError(lazy_gettext("Choose a length."))

    def validate_attendees(self, field: StringField) -> None:
        if field.data and read_whole(field.data) is None:
            raise ValidationError(lazy_gettext("Write a whole number, such as 12."))

    @property
    def starts(self) -> time | None:
        return read_clock(self.clock.data)

    @property
    def minutes(self) -> int | None:
        return read_whole(self.length.data) or None

    @property
    def people(self) -> int | None:
        return read_whole(self.attendees.data)

    @property
    def expected_difference(self) -> int | None:
        text = (self.difference.data or "").strip()
        return int(text) if re.fullmatch(r"-?\d{1,12}", text, re.ASCII) else None


class CancelForm(Form):
    """Which dates; `kept` is what the person saw that is kept, in minor units."""

    scope = StringField(default="all")
    kept = HiddenField()

    def validate_scope(self, field: StringField) -> None:
        if field.data not in SCOPES:
            raise ValidationError(lazy_gettext("Choose which dates you mean."))

    @property
    def expected_kept(self) -> int | None:
        return read_whole(self.kept.data)


class RetryForm(Form):
    """Book a skipped date after all, for the price on the button."""

    submission = HiddenField()
    total = HiddenField()

    @property
    def key(self) -> str | None:
        text = self.submission.data or ""
        return text if SUBMISSION.fullmatch(text) else None
