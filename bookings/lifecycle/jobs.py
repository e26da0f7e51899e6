"""Handlers of messages about bookings, and what the clock starts. All are safe to run twice."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import announce_answer, complete_bookings, expire_request
from bookings.lifecycle.hold_actions import forget_lapsed, lapse_hold
from bookings.lifecycle.notices import (
    Notice,
    to_booker,
    to_changed_booker,
    to_customer,
    to_displaced_booker,
    to_moved_booker,
    to_owner,
)
from bookings.lifecycle.queries import BookedSpace, booked_space_of_id, handlers_of
from bookings.lifecycle.reasons import DECLINE_REASONS, shown_reason
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.notifications.mail import send_mail
from marketplace.timespan import Span

log = logging.getLogger(__name__)

BATCH = 500
FORGET_AFTER = timedelta(days=1)


def mail(session: Session, notice: Notice) -> None:
    send_mail(session, notice.person, notice.template, key=notice.key, reading=session, **notice.context)


def booked_of(session: Session, message: Message) -> tuple[City, BookedSpace] | None:
    booked = booked_space_of_id(session, message.city_id, message["booking_id"])
    return None if booked is None else (session.get_one(City, message.city_id), booked)


def mail_confirmed(session: Session, message: Message) -> None:
    """To the booker: the time is yours; where the owner booked for them, also who did, and how one gets to the booking."""
    if found := booked_of(session, message):
        if "note" in message.facts:
            mail(session, to_customer(*found, note=message["note"]))
            return
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
        city, booked = found
        with force_locale(booked.person.language):
            reason = shown_reason(DECLINE_REASONS, booked.booking.reason_code, message["reason"])
        mail(session, to_booker(city, booked, "declined", reason=reason))


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


def mail_changed(session: Session, message: Message) -> None:
    """To the booker, who may be another than the one who changed it: what it was and what it is."""
    if found := booked_of(session, message):
        before = message["before"]
        was = Span(datetime.fromisoformat(before["start"]), datetime.fromisoformat(before["end"]))
        mail(session, to_changed_booker(*found, was=was, was_total_minor=before["total_minor"]))


def mail_expired(session: Session, message: Message) -> None:
    """To the booker: nobody answered in time. Who has not paid in time hears of the order."""
    if (found := booked_of(session, message)) and not message.facts.get("unpaid"):
        mail(session, to_booker(*found, "expired"))


def end_holds(session: Session, message: Message) -> None:
    """One hold whose minutes are over; the clock's own round takes what this one misses."""
    lapse_hold(session, message.city_id, at=now())


def sweep_holds(at: datetime | None = None) -> None:
    """Free every time that is held for nobody any more, and forget old holds."""
    at = at or now()
    for city_id in city_ids():
        lapsed = True
        while lapsed:
            with transaction() as session:
                lapsed = lapse_hold(session, city_id, at=at)
        forgotten = BATCH
        while forgotten == BATCH:
            with transaction() as session:
                forgotten = forget_lapsed(session, city_id, before=at - FORGET_AFTER, limit=BATCH)


def city_ids() -> Sequence[int]:
    with transaction() as session:
        return session.scalars(select(City.id).order_by(City.id)).all()


def finish_bookings(at: datetime | None = None) -> None:
    """Complete what is over and expire what nobody answered, in every city, in short transactions."""
    at = at or now()
    failed: Exception | None = None
    for city_id in city_ids():
        try:
            finish_city(city_id, at)
        except Exception as error:  # what is wrong in one city must not stop the others
            log.exception("bookings of a city could not be finished", extra={"city_id": city_id})
            failed = failed or error
    if failed is not None:
        raise failed


def finish_city(city_id: int, at: datetime) -> None:
    moved = BATCH
    while moved == BATCH:
        with transaction() as session:
            moved = complete_bookings(session, city_id, at=at, limit=BATCH)
    expired = True
    while expired:
        with transaction() as session:
            expired = expire_request(session, city_id, at=at)
