"""What booking asks of the part that takes money, which stands above it: `bookings.checkout` answers by `Part.ports[TILL]`.

Where a price list offers nothing but paying at the place, nobody is asked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from bookings.lifecycle.errors import NoWayToPay, WayNotOffered
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.part import port_of
from spaces.catalog.models import Space
from spaces.pricing.ways import USUAL_WAYS

TILL = "till"
# How long a time is kept for somebody who is to pay: as long as the page of a payment service is open at least.
PAY_WITHIN = timedelta(minutes=30)
# Wishes of those who do not ask the payer: what can be done at once; and, for what is sold many times over, as the owner
# and the payer agree, whatever the price list offers.
ANY = "any"
AGREED = "agreed"


class Till(Protocol):
    """What can be asked of the part that takes money."""

    def ways(
        self,
        session: Session,
        city: City,
        space: Space,
        offered: Sequence[str],
        organisation_ids: Sequence[int | None],
    ) -> Mapping[int | None, Sequence[str]]:
        """Which of the offered ways each of these, or oneself (None), can pay in now."""
        ...

    def place(
        self, session: Session, city: City, bookings: Sequence[Booking], *, actor: Actor, at: datetime
    ) -> None:
        """Make the order of bookings made in one go, which are paid by card or by invoice. Made twice, it is one."""
        ...

    def owed(self, session: Session, booking: Booking) -> str | None:
        """The number of the order by which the booking waits to be paid."""
        ...


class NoTill:
    """Nothing takes money: everything is paid at the place."""

    def ways(
        self,
        session: Session,
        city: City,
        space: Space,
        offered: Sequence[str],
        organisation_ids: Sequence[int | None],
    ) -> Mapping[int | None, Sequence[str]]:
        return dict.fromkeys(organisation_ids, USUAL_WAYS)

    def place(
        self, session: Session, city: City, bookings: Sequence[Booking], *, actor: Actor, at: datetime
    ) -> None:
        return

    def owed(self, session: Session, booking: Booking) -> str | None:
        return None


NO_TILL: Till = NoTill()


def till() -> Till:
    return port_of(TILL, NO_TILL)


def ways_for(
    session: Session,
    city: City,
    space: Space,
    offered: Sequence[str],
    organisation_ids: Sequence[int | None],
) -> Mapping[int | None, Sequence[str]]:
    """The ways that each can pay in; asked only where there is something to ask."""
    if tuple(offered) == USUAL_WAYS:
        return dict.fromkeys(organisation_ids, USUAL_WAYS)
    return till().ways(session, city, space, offered, organisation_ids)


def chosen_way(ways: Sequence[str], wished: str | None, total_minor: int) -> str:
    """The way in which a booking of this price is paid: the wished one, or the only one.

    Raises NoWayToPay where this payer can pay in none, WayNotOffered for a wish that is none of them and for no wish
    where there is a choice.
    """
    if not total_minor or wished == AGREED:
        return "on_the_spot"
    if not ways:
        raise NoWayToPay
    if wished == ANY:
        return "on_the_spot" if "on_the_spot" in ways else ways[0]
    if wished is None and len(ways) == 1:
        return ways[0]
    if wished is None or wished not in ways:
        raise WayNotOffered
    return wished
