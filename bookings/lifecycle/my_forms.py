"""The shape of the filters in the address of My bookings."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bookings.lifecycle.forms import plain_text, read_days, read_whole
from bookings.lifecycle.my_queries import SHOWS, Wanted
from bookings.lifecycle.rules import STATES

LAST_PAGE = 10_000
WORDS_MAX = 100


@dataclass(frozen=True)
class Asked:
    """What the address asks for. `typed` are the dates as they stand in the form, `errors` what is wrong with them."""

    wanted: Wanted
    page: int = 1
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, values: Mapping[str, str], *, organisations: Collection[int], today: date) -> "Asked":
        """What cannot be read filters nothing; of a date it is said. `organisations` are the reader's own."""
        (first, last), errors = read_days(values, today=today)
        show, state = values.get("show", ""), values.get("state", "")
        wanted = Wanted(
            show=show if show in SHOWS else "",
            organisation_id=read_organisation(values.get("organisation", ""), organisations),
            state=state if state in STATES else "",
            words=" ".join(plain_text(values.get("space", ""))[:WORDS_MAX].split()),
            first=first,
            last=last,
        )
        typed = {name: plain_text(values.get(name, ""))[:WORDS_MAX] for name in ("first", "last")}
        return cls(wanted, page_number(values.get("page", "")), typed, errors)

    @property
    def is_filtered(self) -> bool:
        return not self.wanted.is_all or bool(self.errors)

    @property
    def organisation(self) -> str:
        id_ = self.wanted.organisation_id
        return "" if id_ is None else str(id_) if id_ else "me"

    def args(self, **other: Any) -> dict[str, Any]:
        """The arguments of an address with these filters."""
        wanted = self.wanted
        values: dict[str, Any] = {
            "show": wanted.show,
            "organisation": self.organisation,
            "state": wanted.state,
            "space": wanted.words,
            "first": wanted.first.isoformat() if wanted.first else None,
            "last": wanted.last.isoformat() if wanted.last else None,
            "page": self.page if self.page > 1 else None,
            **other,
        }
        return {name: value for name, value in values.items() if value}


def read_organisation(text: str, own: Collection[int]) -> int | None:
    """0 for "me", else the id of one of the reader's own organisations; None for anything else."""
    if text == "me":
        return 0
    number = read_whole(text)
    return number if number in own else None


def page_number(text: str) -> int:
    """The asked page; the first for anything that is none."""
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1
