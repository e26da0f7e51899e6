"""What money does to a booking: it came, it came too late, it did not come, it went back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bookings.lifecycle.actions import move_all_to, move_to, state_of_new
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import locked_booking
from bookings.lifecycle.rules import ENDED_UNUSED
from marketplace.accounts.actor import system
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.errors import Conflict, Invalid
from marketplace.jobs.messages import publish
from spaces.calendar.actions import lock_held
from spaces.catalog.models import Space

# What stands, or will be decided: the money is the booking's.
KEEPS_MONEY = frozenset({"awaiting_approval", "confirmed", "completed", "no_show"})


def payment_came(session: Session, booking: Booking, *, payment: str, at: datetime) -> bool:
    """Let the money for the booking count, `payment` "authorised" or "paid"; returns whether the booking stands.

    One that waited for it is confirmed, or goes to its owner. One whose time to pay was over gets its time back, if that
    is still to come and free; else False: the money has to go back. Heard twice, it is heard once.
    """
    locked_booking(session, booking)
    if booking.state in KEEPS_MONEY:
        if booking.payment == "due" or (booking.payment == "authorised" and payment == "paid"):
            booking.payment, booking.changed_at = payment, at
            session.flush()
            audit(session, system(booking.city_id), f"booking.{payment}", "booking", booking.id)
        return booking.payment in {"paid", "authorised"}
    late = booking.state == "expired" and booking.pay_until is not None
    if booking.state != "awaiting_payment" and not (late and booking.span.start > at):
        return False
    space = session.get_one(Space, (booking.city_id, booking.space_id))
    following = state_of_new(session, space, booking.organisation_id)
    try:
        with session.begin_nested():
            move_to(session, booking, following, at)
    except (Conflict, Invalid):
        # Its time, or its equipment, is somebody else's by now.
        session.refresh(booking)
        return False
    booking.payment, booking.pay_until = payment, None
    session.flush()
    audit(
        session,
        system(booking.city_id),
        f"booking.{payment}",
        "booking",
        booking.id,
        state=following,
        restored=late,
    )
    name = "booking.confirmed" if following == "confirmed" else "booking.requested"
    publish(session, name, city_id=booking.city_id, booking_id=booking.id)
    session.flush()
    return True


def payment_lost(session: Session, booking: Booking, *, at: datetime) -> None:
    """The money that was authorised for the booking is not to be had: it is owed again, and the booking stands."""
    locked_booking(session, booking)
    if booking.payment != "authorised":
        return
    booking.payment, booking.changed_at = "due", at
    session.flush()
    audit(session, system(booking.city_id), "booking.payment-lost", "booking", booking.id)


def expire_unpaid(
    session: Session, city: City, bookings: Sequence[Booking], *, at: datetime
) -> list[Booking]:
    """Give back the time of those of the bookings that nobody has paid for; returns them."""
    waiting = []
    for booking in sorted(bookings, key=lambda one: one.id):
        locked_booking(session, booking)
        if booking.state == "awaiting_payment":
            waiting.append(booking)
    if not waiting:
        return []
    lock_held(session, city, [booking.id for booking in waiting])
    move_all_to(session, city, waiting, "expired", at, kept={})
    for booking in waiting:
        audit(session, system(city.id), "booking.unpaid", "booking", booking.id)
        publish(session, "booking.expired", city_id=city.id, booking_id=booking.id, unpaid=True)
    session.flush()
    return waiting


def refund_came(session: Session, booking: Booking, *, at: datetime) -> None:
    """What was owed back to the booker has been given back."""
    locked_booking(session, booking)
    if booking.payment != "refund_due":
        return
    booking.payment, booking.changed_at = "refunded", at
    session.flush()
    audit(session, system(booking.city_id), "booking.refunded", "booking", booking.id)


def kept_came(session: Session, booking: Booking, *, at: datetime) -> None:
    """What is kept of a cancelled booking has been paid."""
    locked_booking(session, booking)
    if booking.state == "cancelled" and booking.payment == "due" and booking.kept_minor:
        booking.payment, booking.changed_at = "paid", at
        session.flush()


def nothing_came_back(session: Session, booking: Booking, *, at: datetime) -> None:
    """All that was paid for a cancelled booking is kept: there is nothing to give back."""
    locked_booking(session, booking)
    if booking.state == "cancelled" and booking.payment == "refund_due":
        booking.payment, booking.changed_at = "paid", at
        session.flush()


def owe_back(session: Session, booking: Booking, *, at: datetime) -> None:
    """Money came for a booking that has ended: it is owed back."""
    locked_booking(session, booking)
    if booking.state in ENDED_UNUSED and booking.payment == "not_needed" and booking.total_minor:
        booking.payment, booking.changed_at = "refund_due", at
        session.flush()
        audit(session, system(booking.city_id), "booking.paid-late", "booking", booking.id)
