"""Shapes of the input of the queue's own page: its filters in the address, and one answer to many requests."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import request
from flask_babel import gettext

from bookings.desk.forms import read_number
from bookings.desk.queue_queries import Wanted
from bookings.lifecycle.forms import DeclineForm, plain_text, read_days
from bookings.lifecycle.my_forms import typed_days
from bookings.lifecycle.queries import normal_reference

WHO_MAX = 100
LAST_PAGE = 1000
MOST_AT_ONCE = 100
WAITED_DAYS = (1, 3, 7)
ANSWERS = ("approved", "declined", "undone")
MISSED = re.compile(r"([0-9A-Z]{4}-[0-9A-Z]{4})\.([a-z-]{1,40})", re.ASCII)


def references_of(texts: Sequence[str], *, most: int) -> tuple[str, ...]:
    """The references among these texts, each once; at most `most` of the texts are looked at."""
    return tuple(dict.fromkeys(known for text in texts[:most] if (known := normal_reference(text[:20]))))


@dataclass(frozen=True)
class Asked:
    """What the page's address says. `typed` are its filters as they stand in the form, `errors` what is wrong with them.

    After an answer `did` says which it was, `answered` the requests that got it and `missed` the others, each with the
    code of the reason.
    """

    wanted: Wanted
    soonest: bool = False
    page: int = 1
    did: str = ""
    answered: tuple[str, ...] = ()
    missed: tuple[tuple[str, str], ...] = ()
    ticks_all: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, *, today: date) -> "Asked":
        """Of this request's address. What cannot be read filters nothing; of a date it is said."""
        args = request.args
        days, errors = read_days(args, today=today)
        venue_id, space_id = read_place(args.get("place", ""))
        who = " ".join(plain_text(args.get("who", ""))[:WHO_MAX].split())
        waited = read_number(args.get("waited", "")) or 0
        price = args.get("price", "")
        did = args.get("did", "")
        wanted = Wanted(
            venue_id=venue_id,
            space_id=space_id,
            who=who,
            first=days[0],
            last=days[1],
            waited_days=waited if waited in WAITED_DAYS else 0,
            priced={"yes": True, "no": False}.get(price),
        )
        return cls(
            wanted,
            soonest=args.get("order", "") == "soonest",
            page=min(read_number(args.get("page", "")) or 1, LAST_PAGE),
            did=did if did in ANSWERS else "",
            answered=references_of(args.getlist("answered"), most=MOST_AT_ONCE) if did in ANSWERS else (),
            missed=missed_of(args.getlist("missed")) if did in ANSWERS else (),
            ticks_all=args.get("tick", "") == "all",
            typed=typed_days(args),
            errors=errors,
        )

    @property
    def place(self) -> str:
        if self.wanted.space_id is not None:
            return f"space-{self.wanted.space_id}"
        return f"venue-{self.wanted.venue_id}" if self.wanted.venue_id is not None else ""

    def args(self, **other: Any) -> dict[str, Any]:
        """The arguments of an address with these filters; the result of an answer is not among them."""
        wanted = self.wanted
        values: dict[str, Any] = {
            "place": self.place,
            "who": wanted.who,
            "first": wanted.first.isoformat() if wanted.first else None,
            "last": wanted.last.isoformat() if wanted.last else None,
            "waited": wanted.waited_days,
            "price": None if wanted.priced is None else "yes" if wanted.priced else "no",
            "order": "soonest" if self.soonest else None,
            "page": self.page if self.page > 1 else None,
            **other,
        }
        return {name: value for name, value in values.items() if value}


def read_place(text: str) -> tuple[int | None, int | None]:
    """The ids of the venue and of the space that venue-12 or space-34 names."""
    kind, _, number = text.partition("-")
    if kind == "venue":
        return read_number(number), None
    return None, read_number(number) if kind == "space" else None


def missed_of(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(reference, code) of each request that did not get its answer."""
    return tuple(
        (match[1], match[2]) for text in texts[:MOST_AT_ONCE] if (match := MISSED.fullmatch(text[:60]))
    )


class ManyForm(DeclineForm):
    """One answer to the chosen requests. The reason counts only for those who are declined."""

    chosen: tuple[str, ...] = ()
    chosen_error: str = ""
    of_row: str = ""  # the request whose own row sent this

    def read(self, *, needs_reason: bool) -> bool:
        """Whether the form can be acted on; then `chosen` are 1 to MOST_AT_ONCE references."""
        valid: bool = self.validate_on_submit() if needs_reason else self.is_submitted()
        sent = request.form.getlist("request")
        self.chosen = references_of(sent, most=MOST_AT_ONCE + 1)
        if request.form.get("row") and self.chosen:
            self.of_row = self.chosen[0]
        if not sent:
            self.chosen_error = gettext("Choose at least one request.")
        elif len(sent) > MOST_AT_ONCE:
            self.chosen_error = gettext("Choose at most %(most)d requests at once.", most=MOST_AT_ONCE)
        elif not self.chosen:
            self.chosen_error = gettext("These requests were not found. Choose them in the list.")
        return valid and not self.chosen_error
