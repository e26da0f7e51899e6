"""The answer to `bookings.lifecycle.till`: orders."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bookings.checkout.actions import place_order
from bookings.checkout.queries import orders_of_booking
from bookings.checkout.ways import ways_of
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from spaces.catalog.models import Space
from spaces.pricing.ways import USUAL_WAYS


class OrderTill:
    """Orders for what is paid by card or by invoice; what is paid at the place has none, as long as nothing else is
    offered there."""

    def ways(
        self,
        session: Session,
        city: City,
        space: Space,
        offered: Sequence[str],
        organisation_ids: Sequence[int | None],
    ) -> Mapping[int | None, Sequence[str]]:
        return ways_of(session, city, space, offered, organisation_ids)

    def place(
        self, session: Session, city: City, bookings: Sequence[Booking], *, actor: Actor, at: datetime
    ) -> None:
        ordered = [booking for booking in bookings if booking.way not in USUAL_WAYS]
        if ordered:
            place_order(session, city, ordered, actor=actor, at=at)

    def owed(self, session: Session, booking: Booking) -> str | None:
        orders = orders_of_booking(session, booking.city_id, booking.id)
        return next((order.number for order in orders if order.state == "open"), None)
