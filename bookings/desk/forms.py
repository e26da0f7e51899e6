"""Shapes of the desk's input: the day in an address, and the form behind every drag."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from flask_babel import lazy_gettext
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from bookings.lifecycle.forms import REASON_MAX, plain_text, read_day
from bookings.lifecycle.queries import normal_reference
from marketplace.web.forms import Form

CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})", re.ASCII)
NUMBER = re.compile(r"[1-9]\d{0,17}", re.ASCII)
MOST_ANSWERED = 10
VIEWS = ("day", "week")


def read_number(text: str) -> int | None:
    return int(text) if NUMBER.fullmatch(text) else None


def read_clock(text: str) -> time | None:
    """18.00 or 18:00 as typed."""
    match = CLOCK.fullmatch(text.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    return time(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Place:
    """Where on the desk somebody is: what its addresses carry. `answered` are the requests just answered."""

    day: date
    view: str
    venue_id: int | None
    page: int
    answered: tuple[str, ...]

    @classmethod
    def read(cls, values: Mapping[str, str], answered: list[str], *, today: date) -> "Place":
        """Anything unreadable means today, the day's view, all venues, the first page."""
        view = values.get("view", "")
        references = [known for text in answered[-MOST_ANSWERED:] if (known := normal_reference(text[:20]))]
        return cls(
            read_day(values.get("day", ""), today=today) or today,
            view if view in VIEWS else VIEWS[0],
            read_number(values.get("venue", "")),
            min(read_number(values.get("page", "")) or 1, 10_000),
            tuple(dict.fromkeys(references)),
        )

    def args(self, **other: Any) -> dict[str, Any]:
        """The arguments of an address, the usual ones left out."""
        values: dict[str, Any] = {
            "day": self.day.isoformat(),
            "view": self.view if self.view != VIEWS[0] else None,
            "venue": self.venue_id,
            "page": self.page if self.page > 1 else None,
            "answered": list(self.answered) or None,
            **other,
        }
        return {name: value for name, value in values.items() if value is not None}


class MoveForm(Form):
    """Another time for a booking; a drag sends the same."""

    on = StringField(lazy_gettext("Day"))
    clock = StringField(lazy_gettext("Begins at"))
    note = TextAreaField(
        lazy_gettext("Message to the booker"),
        filters=[plain_text],
        validators=[Length(max=REASON_MAX, message=lazy_gettext("Say it in 1,000 characters."))],
    )
    day: date | None = None
    begins: time | None = None

    def read(self, *, today: date, whole_days: bool) -> bool:
        """Whether the form can be acted on; then `day` and `begins` hold what it says."""
        valid: bool = self.validate_on_submit()
        self.day = read_day(self.on.data or "", today=today)
        self.begins = time(0) if whole_days else read_clock(self.clock.data or "")
        if self.day is None:
            self.on.errors = [*self.on.errors, str(lazy_gettext("Write a date, such as 2026-12-01."))]
        if self.begins is None:
            self.clock.errors = [*self.clock.errors, str(lazy_gettext("Write a time, such as 18.00."))]
        return valid and self.day is not None and self.begins is not None
