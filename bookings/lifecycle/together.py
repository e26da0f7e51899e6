"""Several spaces booked in one go for one time: all of them or none."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle import limits, policy
from bookings.lifecycle.actions import request_booking
from bookings.lifecycle.details import NO_DETAILS, Details
from bookings.lifecycle.errors import PriceChanged, TooManySpaces
from bookings.lifecycle.models import Booking
from bookings.lifecycle.till import till
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.calendar.actions import lock_for_claims
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space

MOST_SPACES = 10


def book_together(
    session: Session,
    city: City,
    space: Space,
    others: Sequence[Space],
    *,
    actor: Actor,
    during: Span,
    purpose: str,
    attendees: int | None,
    organisation_id: int | None,
    submission: str,
    at: datetime,
    expected_total_minor: int | None = None,
    details: Details = NO_DETAILS,
    way: str | None = None,
) -> list[Booking]:
    """Book `space` and the `others` for the same time; returns the bookings, that of `space` first.

    The people are counted and the details asked for `space` alone. `expected_total_minor` is the price of all of them
    that the person saw. Raises what `request_booking` raises for any of them, PriceChanged for all of them together,
    TooManySpaces; then nothing is left behind.
    """
    wanted = {one.id: one for one in others if one.id != space.id}
    if len(wanted) >= MOST_SPACES:
        raise TooManySpaces
    with session.begin_nested():
        if wanted:
            person_id = policy.require_may_book(actor, space, organisation_id)
            for one in (space, *wanted.values()):
                limits.lock_subject(session, one, person_id=person_id, organisation_id=organisation_id)
            # In one order, so that two that want the same spaces cannot wait for each other.
            all_rules = [booking_rules(one) for one in (space, *wanted.values())]
            whole = during.widened(max(r.before for r in all_rules), max(r.after for r in all_rules))
            lock_for_claims(session, city, [space.id, *wanted], whole)
        first = request_booking(
            session,
            city,
            space,
            actor=actor,
            during=during,
            purpose=purpose,
            attendees=attendees,
            organisation_id=organisation_id,
            submission=submission,
            at=at,
            expected_total_minor=None if wanted else expected_total_minor,
            details=details,
            way=way,
            orders=not wanted,
        )
        bookings = [first]
        for other in sorted(wanted.values(), key=lambda one: one.id):
            booking = request_booking(
                session,
                city,
                other,
                actor=actor,
                during=during,
                purpose=purpose,
                attendees=None,
                organisation_id=organisation_id,
                submission=f"{submission}:{other.id}",
                at=at,
                way=first.way if first.total_minor else way,
                orders=False,
            )
            booking.group_id = first.id
            bookings.append(booking)
        if wanted:
            first.group_id = first.id
            total = sum(booking.total_minor for booking in bookings)
            if expected_total_minor is not None and total > expected_total_minor:
                raise PriceChanged(total_minor=total, currency=first.currency)
            if any(booking.way != "on_the_spot" for booking in bookings):
                till().place(session, city, bookings, actor=actor, at=at)
        session.flush()
    return bookings


def group_of(session: Session, booking: Booking) -> list[Booking]:
    """The other bookings that were made in one go with this one."""
    if booking.group_id is None:
        return []
    return list(
        session.scalars(
            select(Booking)
            .where(
                Booking.city_id == booking.city_id,
                Booking.group_id == booking.group_id,
                Booking.id != booking.id,
            )
            .order_by(Booking.id)
        )
    )
