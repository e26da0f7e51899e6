"""The kept share of a late cancellation goes back when the very time was sold again; decided once, when it has begun."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import payment_after_return
from marketplace.accounts.actor import system
from marketplace.accounts.audit import audit
from marketplace.jobs.messages import publish
from marketplace.money import Money
from marketplace.timespan import Span, SpanSet
from spaces.calendar.lanes import counts
from spaces.catalog.models import SpaceUnit, Unit

# A cancellation that is late by the way of the network still counts: nobody's time is decided on before.
DECIDED_AFTER = timedelta(minutes=1)
# What was confirmed when the time began, whatever has become of it since.
SOLD = ("confirmed", "completed", "no_show")


def settle_kept(session: Session, city_id: int, *, at: datetime) -> Booking | None:
    """Decide on one late cancellation whose time has begun whether its share comes back; None where there is none left.

    It does where the owner's price list said so and the whole of its time was booked again by somebody else. Then only
    the fee is kept, and `booking.kept_returned` is published with `minor`, what goes back, in minor units of the
    booking's currency: whoever has its money pays it. Decided once, however many run at once.
    """
    booking = undecided(session, city_id, at=at)
    if booking is None:
        return None
    back = (booking.kept_minor or 0) - booking.kept_fee_minor
    booking.kept_settled_at = at
    if back > 0 and is_sold_again(session, booking):
        give_back_kept(session, booking, back)
    session.flush()
    return booking


def give_back_kept(session: Session, booking: Booking, back: int) -> None:
    before = {"kept_minor": booking.kept_minor, "payment": booking.payment}
    booking.kept_minor = booking.kept_fee_minor
    booking.payment = payment_after_return(booking.payment, kept_minor=booking.kept_minor)
    session.flush()
    audit(
        session,
        system(booking.city_id),
        "booking.kept-returned",
        "booking",
        booking.id,
        before=before,
        after={"kept_minor": booking.kept_minor, "payment": booking.payment},
    )
    publish(
        session,
        "booking.kept_returned",
        city_id=booking.city_id,
        booking_id=booking.id,
        minor=Money(back, booking.currency).minor,
    )


def undecided(session: Session, city_id: int, *, at: datetime) -> Booking | None:
    """One late cancellation whose time has begun and that nobody else decides on just now, locked."""
    return session.scalar(
        select(Booking)
        .where(
            Booking.city_id == city_id,
            Booking.refund_if_rebooked,
            Booking.state == "cancelled",
            Booking.kept_settled_at.is_(None),
            func.lower(Booking.during) <= at - DECIDED_AFTER,
        )
        .order_by(func.lower(Booking.during))
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def is_sold_again(session: Session, booking: Booking) -> bool:
    """Whether others have all of the booking's time in every unit of its space: where several share one, as many as it
    takes, so that somebody has the very place that was given back."""
    lanes = {
        unit_id: lanes
        for unit_id, lanes in session.execute(
            select(SpaceUnit.unit_id, Unit.lanes)
            .join(Unit, (Unit.city_id == SpaceUnit.city_id) & (Unit.id == SpaceUnit.unit_id))
            .where(SpaceUnit.city_id == booking.city_id, SpaceUnit.space_id == booking.space_id)
        )
    }
    taken = spans_of_others(session, booking, list(lanes))
    return bool(lanes) and all(
        is_full(taken.get(unit_id, []), count, booking.span) for unit_id, count in lanes.items()
    )


def is_full(spans: list[Span], lanes: int, during: Span) -> bool:
    """Whether at least `lanes` of these run at every instant of `during`."""
    parts = [part for span in spans if (part := span.clipped(during))]
    full = SpanSet(peak.span for peak in counts(parts) if peak.pieces >= lanes)
    return not SpanSet([during]) - full


def spans_of_others(session: Session, booking: Booking, unit_ids: list[int]) -> dict[int, list[Span]]:
    """The times, by unit, for which somebody else had agreed on a booking before this one's time began."""
    query = (
        select(SpaceUnit.unit_id, Booking)
        .join(SpaceUnit, (SpaceUnit.city_id == Booking.city_id) & (SpaceUnit.space_id == Booking.space_id))
        .where(
            Booking.city_id == booking.city_id,
            SpaceUnit.unit_id.in_(unit_ids),
            Booking.state.in_(SOLD),
            Booking.during.op("&&")(booking.during),
            Booking.requested_at < booking.span.start,
            Booking.person_id != booking.person_id,
        )
    )
    if booking.organisation_id is not None:
        query = query.where(Booking.organisation_id.is_distinct_from(booking.organisation_id))
    found: dict[int, list[Span]] = {}
    for unit_id, other in session.execute(query):
        found.setdefault(unit_id, []).append(other.span)
    return found
