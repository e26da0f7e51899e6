"""Handlers of messages about series. All are safe to run twice."""

from collections.abc import Collection

from flask_babel import force_locale
from sqlalchemy.orm import Session

from bookings.lifecycle.jobs import mail
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import handlers_of
from bookings.lifecycle.reasons import DECLINE_REASONS, shown_reason
from bookings.lifecycle.rules import OPEN
from bookings.series.notices import SeriesFacts, facts_of, to_booker, to_owner
from bookings.series.queries import BookedSeries, bookings_of, series_of_id, skips_of, spaces_of
from marketplace.cities.models import City
from marketplace.jobs.messages import Message
from marketplace.money import Money
from spaces.catalog.models import Venue


def told(
    session: Session,
    message: Message,
    booked: BookedSeries,
    bookings: Collection[Booking],
    *,
    with_skips: bool = False,
) -> SeriesFacts:
    city = session.get_one(City, message.city_id)
    spaces = spaces_of(session, city.id, {booking.space_id for booking in bookings})
    return facts_of(
        city,
        booked,
        sorted(bookings, key=lambda booking: booking.id),
        {id_: space for id_, (space, _) in spaces.items()},
        skips=skips_of(session, booked.series) if with_skips else (),
        kept_ids=message.facts.get("kept_ids", ()),
    )


def named(session: Session, message: Message, booked: BookedSeries) -> list[Booking]:
    """The bookings that the message is about. A change may have moved them on to a series of their own."""
    ids = set(message["booking_ids"])
    return [booking for booking in bookings_of(session, booked.series) if booking.id in ids]


def mail_created(session: Session, message: Message) -> None:
    """One mail to the booker with all dates; to those who run the places where it waits: somebody asks."""
    booked = series_of_id(session, message.city_id, message["series_id"])
    if booked is None:
        return
    live = [booking for booking in bookings_of(session, booked.series) if booking.state in OPEN]
    if not live:  # cancelled before the mail was written, which is told by its own
        return
    facts = told(session, message, booked, live, with_skips=True)
    mail(session, to_booker(booked, "created", facts, once="1"))
    for venue, asked in waiting_by_venue(session, message.city_id, live):
        asked_facts = told(session, message, booked, asked)
        for handler in handlers_of(session, venue):
            mail(session, to_owner(booked, asked_facts, handler))


def waiting_by_venue(
    session: Session, city_id: int, bookings: Collection[Booking]
) -> list[tuple[Venue, list[Booking]]]:
    spaces = spaces_of(session, city_id, {booking.space_id for booking in bookings})
    found: dict[int, tuple[Venue, list[Booking]]] = {}
    for booking in bookings:
        if booking.state == "awaiting_approval":
            _, venue = spaces[booking.space_id]
            found.setdefault(venue.id, (venue, []))[1].append(booking)
    return list(found.values())


def mail_cancelled(session: Session, message: Message) -> None:
    booked = series_of_id(session, message.city_id, message["series_id"])
    if booked is not None:
        facts = told(session, message, booked, named(session, message, booked))
        kept = Money(message["kept_minor"], facts.total.currency)
        mail(session, to_booker(booked, "cancelled", facts, once=message["at"], kept=kept))


def mail_changed(session: Session, message: Message) -> None:
    booked = series_of_id(session, message.city_id, message["series_id"])
    if booked is not None:
        facts = told(session, message, booked, named(session, message, booked))
        mail(session, to_booker(booked, "changed", facts, once=message["at"]))


def mail_approved(session: Session, message: Message) -> None:
    booked = series_of_id(session, message.city_id, message["series_id"])
    if booked is not None:
        facts = told(session, message, booked, named(session, message, booked))
        mail(session, to_booker(booked, "approved", facts, once=message["at"]))


def mail_declined(session: Session, message: Message) -> None:
    booked = series_of_id(session, message.city_id, message["series_id"])
    if booked is not None:
        facts = told(session, message, booked, named(session, message, booked))
        with force_locale(booked.person.language):
            reason = shown_reason(DECLINE_REASONS, message.facts.get("reason_code"), message["reason"])
        notice = to_booker(booked, "declined", facts, once=message["at"], reason=reason)
        mail(session, notice)
