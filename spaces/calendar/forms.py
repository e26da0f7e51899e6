"""The owner's forms: hours as rows, exceptions, the holiday rule; and a closing. Syntax only."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    FormField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms import Form as PlainForm

from marketplace.db import Localised
from marketplace.timespan import Span, instant
from marketplace.web.forms import Form
from marketplace.web.i18n import LANGUAGES, gettext
from spaces.calendar.hours import NotedException, SpaceHours
from spaces.calendar.present import HOLIDAY_TEXTS, NTH_TEXTS, STATE_TEXTS, WEEKS_TEXTS, weekday_names
from spaces.calendar.rules import DAY, HOLIDAY_RULES, NTHS, STATES, WEEKS, ExceptionHours, WeeklyHours

MOST_ROWS = 60
MOST_EXCEPTIONS = 100
LONGEST_REASON = 200
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)
CLOCK = re.compile(r"(\d{1,2})(?:[.:](\d{2}))?(?::00)?")
UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")

BAD_CLOCK = lazy_gettext("Write a time such as 8.00 or 22.30.")
BAD_DATE = lazy_gettext("Write a date between the years 2000 and 2100.")


def read_clock(text: str | None) -> time | None:
    """8, 8.30, 08:30, 24.00 (midnight). Raises ValueError on anything else; nothing for nothing."""
    words = (text or "").strip()
    if not words:
        return None
    match = CLOCK.fullmatch(words) if words.isascii() else None
    if match is None:
        raise ValueError(words)
    hour, minute = int(match[1]), int(match[2] or 0)
    if (hour, minute) == (24, 0):
        return time(0)
    return time(hour, minute)


def read_date(text: str | None) -> date | None:
    """An ISO date of this century. Raises ValueError."""
    words = (text or "").strip()
    if not words:
        return None
    day = date.fromisoformat(words)
    if not EARLIEST <= day <= LATEST:
        raise ValueError(words)
    return day


def complain(field: Field, text: object) -> None:
    field.errors = [*field.errors, str(text)]


def clock_of(field: Field, *, needed: bool = True) -> time | None:
    """The typed time; complains at the field, and then there is none."""
    try:
        found = read_clock(field.data)
    except ValueError:
        complain(field, BAD_CLOCK)
        return None
    if found is None and needed:
        complain(field, BAD_CLOCK)
    return found


def date_of(field: Field, *, needed: bool = False) -> date | None:
    try:
        found = read_date(field.data)
    except ValueError:
        complain(field, BAD_DATE)
        return None
    if found is None and needed:
        complain(field, BAD_DATE)
    return found


def words_of(text: str | None) -> str:
    """Without invisible letters and needless blanks."""
    return " ".join(UNSEEN.sub(" ", text or "").split())[:LONGEST_REASON]


class Reasons(PlainForm):
    """A text in each language."""

    reason_fi = StringField(lazy_gettext("Reason in Finnish"))
    reason_sv = StringField(lazy_gettext("Reason in Swedish"))
    reason_en = StringField(lazy_gettext("Reason in English"))

    def reasons(self) -> Localised:
        found = {language: words_of(self[f"reason_{language}"].data) for language in LANGUAGES}
        return {language: words for language, words in found.items() if words}


class RuleRow(PlainForm):
    """One weekly rule. A row without days and times is none."""

    days = SelectMultipleField(lazy_gettext("Days"))
    opens = StringField(lazy_gettext("Opens"))
    closes = StringField(lazy_gettext("Closes"))
    state = SelectField(lazy_gettext("How"), validate_choice=False)
    weeks = SelectField(lazy_gettext("Weeks"), validate_choice=False)
    nth = SelectField(lazy_gettext("Of the month"), validate_choice=False)
    valid_from = StringField(lazy_gettext("From"))
    valid_to = StringField(lazy_gettext("Until"))
    priority = StringField(lazy_gettext("Priority"))
    gone = BooleanField(lazy_gettext("Leave these hours out"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days.choices = [(str(n), name) for n, name in weekday_names().items()]
        self.state.choices = [(code, gettext(text)) for code, text in STATE_TEXTS.items()]
        self.weeks.choices = [(code, gettext(text)) for code, text in WEEKS_TEXTS.items()]
        self.nth.choices = [("", gettext("Every one")), *((str(n), gettext(NTH_TEXTS[n])) for n in NTHS)]

    @property
    def is_blank(self) -> bool:
        return bool(self.gone.data) or not (self.days.data or self.opens.data or self.closes.data)

    def read(self) -> WeeklyHours | None:
        """The rule as typed; None with complaints at the fields."""
        days = frozenset(
            int(day) for day in self.days.data or () if day in {"1", "2", "3", "4", "5", "6", "7"}
        )
        if not days:
            complain(self.days, lazy_gettext("Choose at least one day."))
        opens, closes = clock_of(self.opens), clock_of(self.closes)
        first, last = date_of(self.valid_from), date_of(self.valid_to)
        if first and last and last < first:
            complain(self.valid_to, lazy_gettext("The period ends before it begins."))
        priority = (self.priority.data or "").strip() or "0"
        if not (priority.isascii() and priority.isdigit() and len(priority) <= 3 and int(priority) <= 100):
            complain(self.priority, lazy_gettext("Write a whole number from 0 to 100."))
        for field, known in ((self.state, STATES), (self.weeks, WEEKS), (self.nth, ("", *map(str, NTHS)))):
            if (field.data or "") not in known:
                complain(field, lazy_gettext("Choose one of the list."))
        if any(field.errors for field in self) or opens is None or closes is None:
            return None
        nth = int(self.nth.data) if self.nth.data else None
        return WeeklyHours(
            days, opens, closes, first, last, self.weeks.data, nth, self.state.data, int(priority)
        )


class ExceptionRow(Reasons):
    """Other hours on some dates. A row without a first day is none."""

    first_day = StringField(lazy_gettext("First day"))
    last_day = StringField(lazy_gettext("Last day"))
    state = SelectField(lazy_gettext("How"), validate_choice=False)
    opens = StringField(lazy_gettext("Opens"))
    closes = StringField(lazy_gettext("Closes"))
    gone = BooleanField(lazy_gettext("Leave this exception out"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.choices = [(code, gettext(STATE_TEXTS[code])) for code in reversed(STATES)]

    @property
    def is_blank(self) -> bool:
        return bool(self.gone.data) or not (
            self.first_day.data or self.last_day.data or self.opens.data or self.closes.data or self.reasons()
        )

    def read(self) -> NotedException | None:
        first = date_of(self.first_day, needed=True)
        last = date_of(self.last_day) or first
        if first and last and last < first:
            complain(self.last_day, lazy_gettext("The last day is before the first."))
        opens = closes = None
        if self.state.data not in STATES:
            complain(self.state, lazy_gettext("Choose one of the list."))
        elif self.state.data != "closed":
            opens, closes = clock_of(self.opens), clock_of(self.closes)
        if any(field.errors for field in self) or first is None or last is None:
            return None
        return NotedException(ExceptionHours(first, last, opens, closes, self.state.data), self.reasons())


class HoursForm(Form):
    """All the hours of one space. `seen` is the fingerprint of the hours it was opened with."""

    seen = HiddenField()
    rules = FieldList(FormField(RuleRow), max_entries=MOST_ROWS)
    exceptions = FieldList(FormField(ExceptionRow), max_entries=MOST_EXCEPTIONS)
    holiday_rule = SelectField(lazy_gettext("On public holidays"), validate_choice=False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.holiday_rule.choices = [(code, gettext(text)) for code, text in HOLIDAY_TEXTS.items()]

    def add_blank_rows(self, *, rules: int = 1, exceptions: int = 1) -> None:
        for _ in range(min(rules, MOST_ROWS - len(self.rules))):
            self.rules.append_entry({"days": [], "state": "open", "weeks": "all", "nth": ""})
        for _ in range(min(exceptions, MOST_EXCEPTIONS - len(self.exceptions))):
            self.exceptions.append_entry({"state": "closed"})

    def read(self) -> SpaceHours | None:
        """The hours as typed; None with complaints at the fields."""
        weekly = [entry.form.read() for entry in self.rules if not entry.form.is_blank]
        exceptions = [entry.form.read() for entry in self.exceptions if not entry.form.is_blank]
        if self.holiday_rule.data not in HOLIDAY_RULES:
            complain(self.holiday_rule, lazy_gettext("Choose one of the list."))
        if self.problems():
            return None
        return SpaceHours(
            tuple(rule for rule in weekly if rule is not None),
            tuple(one for one in exceptions if one is not None),
            self.holiday_rule.data,
        )

    def problems(self) -> list[tuple[str, str]]:
        """(field id, text) of every complaint, each with the row it is in."""
        found = [("hours", str(text)) for text in self.form_errors]
        found += row_problems(gettext("Hours"), self.rules)
        found += row_problems(gettext("Exception"), self.exceptions)
        found += [(self.holiday_rule.id, str(text)) for text in self.holiday_rule.errors]
        return found


def row_problems(name: str, rows: Iterable[Any]) -> list[tuple[str, str]]:
    """Hours 2, Opens: Write a time such as 8.00 or 22.30."""
    found = []
    for number, entry in enumerate(rows, start=1):
        for field in entry.form:
            anchor = f"{field.id}-0" if field.type == "SelectMultipleField" else field.id
            found += [(anchor, f"{name} {number}, {field.label.text}: {text}") for text in field.errors]
    return found


def hours_form(hours: SpaceHours) -> HoursForm:
    """The form as it is opened, with the hours that are saved and a blank row of each kind."""
    form = HoursForm(
        formdata=None,
        data={
            "seen": hours.fingerprint,
            "holiday_rule": hours.holiday_rule,
            "rules": [rule_data(rule) for rule in hours.weekly[:MOST_ROWS]],
            "exceptions": [exception_data(one) for one in hours.exceptions[:MOST_EXCEPTIONS]],
        },
    )
    form.add_blank_rows()
    return form


def rule_data(rule: WeeklyHours) -> dict[str, Any]:
    return {
        "days": [str(day) for day in sorted(rule.days)],
        "opens": f"{rule.opens:%H:%M}",
        "closes": f"{rule.closes:%H:%M}",
        "state": rule.state,
        "weeks": rule.weeks,
        "nth": str(rule.nth or ""),
        "valid_from": rule.valid_from.isoformat() if rule.valid_from else "",
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else "",
        "priority": str(rule.priority),
    }


def exception_data(one: NotedException) -> dict[str, Any]:
    hours = one.hours
    return {
        "first_day": hours.first_day.isoformat(),
        "last_day": hours.last_day.isoformat(),
        "state": "closed" if hours.is_closed else hours.state,
        "opens": f"{hours.opens:%H:%M}" if hours.opens else "",
        "closes": f"{hours.closes:%H:%M}" if hours.closes else "",
        **{f"reason_{language}": one.reasons.get(language, "") for language in LANGUAGES},
    }


class ClosingForm(Form):
    """From when until when a space is closed, and why; later also what becomes of each booking."""

    first_day = StringField(lazy_gettext("First day"))
    opens = StringField(lazy_gettext("From"))
    last_day = StringField(lazy_gettext("Last day"))
    closes = StringField(lazy_gettext("Until"))
    reason_fi = StringField(lazy_gettext("Reason in Finnish"))
    reason_sv = StringField(lazy_gettext("Reason in Swedish"))
    reason_en = StringField(lazy_gettext("Reason in English"))

    reasons = Reasons.reasons

    def read(self, zone: ZoneInfo) -> Span | None:
        """The time to close; whole days where no clock time is given. None with complaints at the fields."""
        first = date_of(self.first_day, needed=True)
        last = date_of(self.last_day) or first
        begins, ends = clock_of(self.opens, needed=False), clock_of(self.closes, needed=False)
        if self.problems() or first is None or last is None:
            return None
        # Without a time, or with midnight, the last day is closed to its end.
        start = instant(first, begins or time(0), zone)
        end = instant(last, ends, zone) if ends else instant(last + DAY, time(0), zone)
        if end <= start:
            complain(self.last_day, lazy_gettext("The closing ends before it begins."))
            return None
        return Span(start, end)

    def problems(self) -> list[tuple[str, str]]:
        found = [("closing", str(text)) for text in self.form_errors]
        return found + [(f.id, f"{f.label.text}: {text}") for f in self for text in f.errors]


def choices_of(values: Mapping[str, str]) -> tuple[set[int], set[int]]:
    """(to keep, to cancel) of the fields booking-<holder id>."""
    keep: set[int] = set()
    cancel: set[int] = set()
    for name, value in values.items():
        number = name.removeprefix("booking-")
        if name == number or not (number.isascii() and number.isdigit() and len(number) < 19):
            continue
        if value == "keep":
            keep.add(int(number))
        elif value == "cancel":
            cancel.add(int(number))
    return keep, cancel
