"""Handlers of messages about bookings, and what the clock starts. All are safe to run twice."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import announce_answer, complete_bookings, expire_request
from bookings.lifecycle.notices import Notice, to_booker, to_displaced_booker, to_moved_booker, to_owner
from bookings.lifecycle.queries import BookedSpace, booked_space_of_id, handlers_of
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.notifications.mail import send_mail
from marketplace.timespan import Span

BATCH = 500


def mail(session: Session, notice: Notice) -> None:
    send_mail(session, notice.person, notice.template, key=notice.key, **notice.context)


def booked_of(session: Session, message: Message) -> tuple[City, BookedSpace] | None:
    booked = booked_space_of_id(session, message.city_id, message["booking_id"])
    return None if booked is None else (session.get_one(City, message.city_id), booked)


def mail_confirmed(session: Session, message: Message) -> None:
    """To the booker: the time is yours."""
    if found := booked_of(session, message):
        mail(session, to_booker(*found, "confirmed"))


def mail_requested(session: Session, message: Message) -> None:
    """To the booker: the request waits; to those who run the place: somebody asks."""
    if found := booked_of(session, message):
        city, booked = found
        mail(session, to_booker(city, booked, "requested"))
        for handler in handlers_of(session, booked.venue):
            mail(session, to_owner(city, booked, handler))


def mail_cancelled(session: Session, message: Message) -> None:
    """To the booker, whoever cancelled; with the reason, where it was the owner."""
    if found := booked_of(session, message):
        if reasons := message.facts.get("reasons"):
            city, booked = found
            mail(session, to_displaced_booker(city, booked, reasons))
            return
        mail(session, to_booker(*found, "cancelled", kept_minor=message["kept_minor"]))


def mail_declined(session: Session, message: Message) -> None:
    if found := booked_of(session, message):
        mail(session, to_booker(*found, "declined", reason=message["reason"]))


def mail_moved(session: Session, message: Message) -> None:
    """To the booker: the old time, the new one, and the right to cancel."""
    if found := booked_of(session, message):
        was = Span(datetime.fromisoformat(message["was_start"]), datetime.fromisoformat(message["was_end"]))
        notice = to_moved_booker(*found, was=was, moved_at=message["moved_at"], note=message["note"])
        mail(session, notice)


def tell_answer(session: Session, message: Message) -> None:
    """The time to undo an answer is over. Who has cancelled meanwhile hears of that only."""
    found = booked_of(session, message)
    if found and found[1].booking.state == message["state"]:
        announce_answer(session, found[1].booking, reason=message["reason"])


def mail_expired(session: Session, message: Message) -> None:
    if found := booked_of(session, message):
        mail(session, to_booker(*found, "expired"))


def finish_bookings(at: datetime | None = None) -> None:
    """Complete what is over and expire what nobody answered, in every city, in short transactions."""
    at = at or now()
    with transaction() as session:
        city_ids = session.scalars(select(City.id).order_by(City.id)).all()
    for city_id in city_ids:
        moved = BATCH
        while moved == BATCH:
            with transaction() as session:
                moved = complete_bookings(session, city_id, at=at, limit=BATCH)
        expired = True
        while expired:
            with transaction() as session:
                expired = expire_request(session, city_id, at=at)
