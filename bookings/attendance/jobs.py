"""Handlers of messages about coming and not coming, and the clock's round. All are safe to run twice."""

from datetime import datetime

from sqlalchemy.orm import Session

from bookings.attendance.actions import plan_release, release_unattended
from bookings.attendance.notices import to_missing_booker
from bookings.lifecycle.jobs import booked_of, city_ids, mail
from bookings.lifecycle.models import Booking
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message


def plan(session: Session, message: Message) -> None:
    """A booking has been confirmed or moved: look again when somebody should have come."""
    booking = session.get(Booking, (message.city_id, message["booking_id"]))
    if booking is not None and booking.state == "confirmed":
        plan_release(session, booking, at=now())


def release(session: Session, message: Message) -> None:
    """The moment has come for this booking. Whether it is due is asked anew: it may have been moved or come to."""
    release_unattended(session, message.city_id, at=now(), booking_id=message["booking_id"])


def release_all(at: datetime | None = None) -> None:
    """Give up what a lost or late job has left, in every city, one booking for each transaction."""
    at = at or now()
    for city_id in city_ids():
        released = True
        while released:
            with transaction() as session:
                released = release_unattended(session, city_id, at=at)


def mail_no_show(session: Session, message: Message) -> None:
    """To the booker, unless it has been taken back meanwhile."""
    if found := booked_of(session, message):
        city, booked = found
        if booked.booking.state == "no_show":
            mail(session, to_missing_booker(city, booked, by=message["by"], marked_at=message["marked_at"]))
