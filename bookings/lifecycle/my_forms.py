"""The shape of the filters in the address of My bookings."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, Protocol, TypeVar

from bookings.lifecycle.forms import plain_text, read_days, read_whole
from bookings.lifecycle.my_queries import SHOWS, Wanted
from bookings.lifecycle.rules import STATES

LAST_PAGE = 10_000
WORDS_MAX = 100


class Sought(Protocol):
    """What every list of somebody's own things can be asked for."""

    @property
    def organisation_id(self) -> int | None: ...
    @property
    def first(self) -> date | None: ...
    @property
    def last(self) -> date | None: ...
    @property
    def is_all(self) -> bool: ...


AnySought = TypeVar("AnySought", bound=Sought)


@dataclass(frozen=True)
class AskedOf(Generic[AnySought]):
    """What the address of such a list asks for. `typed` are the dates as they stand in the form, `errors` what is wrong
    with them."""

    wanted: AnySought
    page: int = 1
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_filtered(self) -> bool:
        return not self.wanted.is_all or bool(self.errors)

    @property
    def organisation(self) -> str:
        id_ = self.wanted.organisation_id
        return "" if id_ is None else str(id_) if id_ else "me"

    def address(self, own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of an address with these filters: the list's own, those of every list, and others beside."""
        wanted = self.wanted
        values: dict[str, Any] = {
            **own,
            "organisation": self.organisation,
            "first": wanted.first.isoformat() if wanted.first else None,
            "last": wanted.last.isoformat() if wanted.last else None,
            "page": self.page if self.page > 1 else None,
            **other,
        }
        return {name: value for name, value in values.items() if value}


def typed_days(values: Mapping[str, str]) -> dict[str, str]:
    """The dates as they were typed."""
    return {name: plain_text(values.get(name, ""))[:WORDS_MAX] for name in ("first", "last")}


class Asked(AskedOf[Wanted]):
    """What the address of my bookings asks for."""

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
        return cls(wanted, page_number(values.get("page", "")), typed_days(values), errors)

    def args(self, **other: Any) -> dict[str, Any]:
        """The arguments of an address with these filters."""
        wanted = self.wanted
        return self.address({"show": wanted.show, "state": wanted.state, "space": wanted.words}, other)


def read_organisation(text: str, own: Collection[int]) -> int | None:
    """0 for "me", else the id of one of the reader's own organisations; None for anything else."""
    if text == "me":
        return 0
    number = read_whole(text)
    return number if number in own else None


def page_number(text: str) -> int:
    """The asked page; the first for anything that is none."""
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1
