"""Bookings as the calendar's holders: who they are when their space is to be closed, and how they are given up."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import decline_booking, displace_booking
from bookings.lifecycle.models import Booking
from bookings.lifecycle.policy import may_decide, may_see
from bookings.lifecycle.queries import also_replaced, with_all
from bookings.lifecycle.rules import OPEN
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.errors import CannotGiveUp
from spaces.calendar.holders import Behind, Holder
from spaces.catalog.models import Space, Venue


class BookingHolders:
    """The bookings package's answer to `spaces.calendar.holders.Holders`."""

    def behind(self, session: Session, city_id: int, holder_ids: Sequence[int]) -> dict[int, Behind]:
        rows = session.execute(
            select(Booking.id, Booking.person_id, Booking.organisation_id, Booking.created_at).where(
                Booking.city_id == city_id, Booking.id.in_(holder_ids)
            )
        )
        return {
            holder_id: Behind(person_id, organisation_id, since)
            for holder_id, person_id, organisation_id, since in rows
        }

    def describe(self, session: Session, actor: Actor, holder_ids: Sequence[int]) -> list[Holder]:
        at = now()
        return [
            Holder(
                holder_id=booking.id,
                space_id=space.id,
                space_names=space.names,
                reference=booking.reference,
                who=f"{organisation.name}, {person.name}" if organisation else person.name,
                during=booking.span,
                may_cancel=may_give_up(actor, booking, venue, at=at),
                url=url_for("lifecycle.booking", reference=booking.reference),
            )
            for booking, space, venue, person, organisation in rows_of(session, actor.city_id, holder_ids)
            if may_see(actor, booking, venue)
        ]

    def lock(self, session: Session, city: City, holder_ids: Sequence[int]) -> None:
        session.execute(
            select(Booking.id)
            .where(Booking.city_id == city.id, also_replaced(holder_ids))
            .order_by(Booking.id)
            .with_for_update()
        ).all()

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
        found = {row[0].id: row for row in rows_of(session, city.id, holder_ids)}
        for holder_id in sorted(holder_ids):
            if holder_id not in found:
                raise CannotGiveUp
            booking, _, venue, person, _ = found[holder_id]
            session.refresh(booking)
            if not may_give_up(actor, booking, venue, at=at):
                raise CannotGiveUp
            if booking.state == "awaiting_approval":
                reason = in_language(reasons, person.language, city)
                decline_booking(session, city, booking, venue, actor=actor, reason=reason, at=at)
            else:
                displace_booking(session, city, booking, venue, actor=actor, reasons=reasons, at=at)


def rows_of(
    session: Session, city_id: int, holder_ids: Sequence[int]
) -> list[tuple[Booking, Space, Venue, Person, Organisation | None]]:
    """The bookings among these holders with all that is told about them, the earliest first."""
    if not holder_ids:
        return []
    rows = session.execute(
        with_all(select(Booking, Space, Venue, Person, Organisation))
        .where(Booking.city_id == city_id, Booking.id.in_(holder_ids))
        .order_by(func.lower(Booking.during), Booking.id)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def may_give_up(actor: Actor, booking: Booking, venue: Venue, *, at: datetime) -> bool:
    """What has begun is not cancelled any more, nor what somebody else's place is booked for."""
    return booking.state in OPEN and booking.span.start > at and may_decide(actor, venue)


def in_language(reasons: Mapping[str, str], language: str, city: City) -> str:
    """The reason as the booker reads it: in their language, else in the city's first one that there is."""
    for code in (language, *city.languages, *reasons):
        if reasons.get(code):
            return reasons[code]
    return ""
