"""What moves the line: a time that became free, an offer that lapsed, and the clock. All are safe to run twice."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.waiting.actions import offer_next, pass_over
from bookings.waiting.errors import EntryNotFound
from bookings.waiting.queries import Waiting, spaces_sharing_units, waiting_of
from bookings.waiting.text_actions import text_later
from bookings.waiting.tokens import token_of
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.notifications.mail import send_mail
from marketplace.notifications.rules import text_at
from marketplace.notifications.sms import number_of, send_text
from marketplace.web.i18n import localised

TEMPLATES = "bookings/waiting/mail/"
TEXTS = "bookings/waiting/sms/"


def follow_booking(session: Session, message: Message) -> None:
    """A booking was given up or went elsewhere: perhaps somebody waits for its time."""
    booking = session.get(Booking, (message.city_id, message["booking_id"]))
    if booking is None:
        return
    space_id = message.facts.get("before", {}).get("space_id", booking.space_id)
    move_line(session, message.city_id, space_id)


def follow_freed(session: Session, message: Message) -> None:
    move_line(session, message.city_id, message["space_id"])


def move_line(session: Session, city_id: int, space_id: int) -> None:
    """One offer; its news comes back here for the next one."""
    city = session.get_one(City, city_id)
    offer_next(session, city, spaces_sharing_units(session, city_id, space_id), at=now())


def end_offers(session: Session, message: Message) -> None:
    """A hold is over: if it was an offer, the next in line gets it."""
    pass_over(session, message.city_id, at=now())


def sweep_line(at: datetime | None = None) -> None:
    """What the messages missed: closings that were lifted, hours that became longer, offers that lapsed."""
    at = at or now()
    with transaction() as session:
        city_ids = session.scalars(select(City.id).order_by(City.id)).all()
    for city_id in city_ids:
        with transaction() as session:
            pass_over(session, city_id, at=at)
        for _ in range(100):
            with transaction() as session:
                if offer_next(session, session.get_one(City, city_id), None, at=at) is None:
                    break


def mail_joined(session: Session, message: Message) -> None:
    if found := entry_of(session, message):
        mail(session, found, "joined", key=f"waiting:{found.entry.id}:joined")


def mail_offered(session: Session, message: Message) -> None:
    """The offer with its deadline and the address where one press takes it; not when it is over already."""
    found = offered(session, message)
    if found is None:
        return
    hold = session.get_one(Booking, (message.city_id, message["booking_id"]))
    mail(session, found, "offered", key=f"waiting:{found.entry.id}:{hold.id}", hold=hold)


def text_offered(session: Session, message: Message) -> None:
    """The same by text message, to who wants it so as well: by day, and only while the offer stands."""
    found = offered(session, message)
    until = found.entry.offered_until if found is not None else None
    own = number_of(session, message.city_id, found.person.id) if found is not None else None
    if found is None or until is None or own is None or not own.wants_offers:
        return
    entry, at = found.entry, now()
    city = session.get_one(City, entry.city_id)
    hold = session.get_one(Booking, (entry.city_id, message["booking_id"]))
    leaves = text_at(at, before=until, zone=city.zone)
    if leaves is None:
        return
    if leaves > at:
        text_later(session, entry, hold, after=leaves - at)
        return
    language = found.person.language
    send_text(
        session,
        found.person,
        TEXTS + "offered",
        key=f"waiting:{entry.id}:{hold.id}",
        before=until,
        place=f"{localised(found.venue.names, language)}, {localised(found.space.names, language)}",
        leads_to=("waiting.entry", {"token": token_of(entry.city_id, entry.id)}),
        offered_start=hold.span.start.astimezone(city.zone),
        offered_end=hold.span.end.astimezone(city.zone),
        until=until.astimezone(city.zone),
    )


def offered(session: Session, message: Message) -> Waiting | None:
    """The entry of the message while the very offer that it tells of stands."""
    found = entry_of(session, message)
    if found is None or found.entry.booking_id != message["booking_id"] or found.entry.state != "offered":
        return None
    return found


def mail_passed(session: Session, message: Message) -> None:
    if found := entry_of(session, message):
        mail(session, found, "passed", key=f"waiting:{found.entry.id}:passed")


def entry_of(session: Session, message: Message) -> Waiting | None:
    try:
        return waiting_of(session, message.city_id, message["entry_id"])
    except EntryNotFound:
        return None


def mail(session: Session, found: Waiting, what: str, *, key: str, hold: Booking | None = None) -> None:
    city = session.get_one(City, found.entry.city_id)
    entry = found.entry
    window = entry.window
    send_mail(
        session,
        found.person,
        TEMPLATES + what,
        key=key,
        space_names=found.space.names,
        venue_names=found.venue.names,
        start=window.start.astimezone(city.zone),
        end=window.end.astimezone(city.zone),
        minutes=entry.minutes,
        offered_start=hold.span.start.astimezone(city.zone) if hold else None,
        offered_end=hold.span.end.astimezone(city.zone) if hold else None,
        until=entry.offered_until.astimezone(city.zone) if entry.offered_until else None,
        token=token_of(entry.city_id, entry.id),
        space_id=found.space.id,
    )
