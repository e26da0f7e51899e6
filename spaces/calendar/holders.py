"""What the calendar asks of the packages above it, which know who stands behind a claim.

The calendar sees holders' ids only. A part offers `Part.ports[HOLDERS]`, an object of this protocol; the pages of the
calendar hand it to the actions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.part import port_of
from marketplace.timespan import Span
from spaces.calendar.errors import CannotGiveUp

HOLDERS = "holders"


@dataclass(frozen=True)
class Holder:
    """Who has the time, in words for the one who runs the place. `url` leads to more about it, where there is a page."""

    holder_id: int
    space_id: int
    space_names: Mapping[str, str]
    reference: str
    who: str
    during: Span
    may_cancel: bool
    url: str = ""


@dataclass(frozen=True)
class Behind:
    """Who had a time, and since when at the earliest."""

    person_id: int
    organisation_id: int | None
    since: datetime


class Holders(Protocol):
    """What can be told about holders, and done with them."""

    def behind(self, session: Session, city_id: int, holder_ids: Sequence[int]) -> Mapping[int, Behind]:
        """Who stands behind those of the holders that this one knows, ended ones too."""
        ...

    def describe(self, session: Session, actor: Actor, holder_ids: Sequence[int]) -> list[Holder]:
        """Those of the holders that this one knows and the actor may see, the earliest first."""
        ...

    def lock(self, session: Session, city: City, holder_ids: Sequence[int]) -> None:
        """Lock the rows of these holders in the order of ids, before any unit is locked."""
        ...

    def give_up(
        self,
        session: Session,
        city: City,
        holder_ids: Sequence[int],
        *,
        actor: Actor,
        reasons: Mapping[str, str],
        at: datetime,
    ) -> None:
        """Cancel each of these with notice to those concerned; their claims are released. Raises CannotGiveUp."""
        ...


class NoHolders:
    """Where no part knows any."""

    def behind(self, session: Session, city_id: int, holder_ids: Sequence[int]) -> Mapping[int, Behind]:
        return {}

    def describe(self, session: Session, actor: Actor, holder_ids: Sequence[int]) -> list[Holder]:
        return []

    def lock(self, session: Session, city: City, holder_ids: Sequence[int]) -> None:
        pass

    def give_up(
        self,
        session: Session,
        city: City,
        holder_ids: Sequence[int],
        *,
        actor: Actor,
        reasons: Mapping[str, str],
        at: datetime,
    ) -> None:
        if holder_ids:
            raise CannotGiveUp


def holders() -> Holders:
    """Who knows the bookings; the part that does says so."""
    nobody: Holders = NoHolders()
    return port_of(HOLDERS, nobody)
