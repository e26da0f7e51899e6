"""Reads of messages. Whose they are to read is asked first: `policy.side_of`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from bookings.lifecycle import policy as lifecycle
from bookings.lifecycle.models import Booking, BookingPerson
from bookings.lifecycle.queries import BookedSpace, ListedBooking, listed
from bookings.talk.models import BookingMessage
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Membership, Person
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import HANDLE


@dataclass(frozen=True)
class Written:
    """A message and who wrote it."""

    message: BookingMessage
    name: str


def messages_of(session: Session, booking: Booking) -> list[Written]:
    """All messages about the booking, the oldest first."""
    rows = session.execute(
        select(BookingMessage, Person.name)
        .join(Person, (Person.city_id == BookingMessage.city_id) & (Person.id == BookingMessage.person_id))
        .where(BookingMessage.city_id == booking.city_id, BookingMessage.booking_id == booking.id)
        .order_by(BookingMessage.id)
    )
    return [Written(message, name) for message, name in rows]


def message_count(session: Session, booking: Booking) -> int:
    query = (
        select(func.count())
        .select_from(BookingMessage)
        .where(BookingMessage.city_id == booking.city_id, BookingMessage.booking_id == booking.id)
    )
    return session.scalar(query) or 0


def message_of_submission(
    session: Session, booking: Booking, person_id: int, submission: str
) -> BookingMessage | None:
    """What this form of this person has sent, if it came before."""
    return session.scalar(
        select(BookingMessage).where(
            BookingMessage.city_id == booking.city_id,
            BookingMessage.booking_id == booking.id,
            BookingMessage.person_id == person_id,
            BookingMessage.submission == submission,
        )
    )


def is_first_unread(session: Session, message: BookingMessage) -> bool:
    """Whether nothing else of the same side waits to be read, so that its readers do not know of it yet."""
    earlier = select(
        exists().where(
            BookingMessage.city_id == message.city_id,
            BookingMessage.booking_id == message.booking_id,
            BookingMessage.side == message.side,
            BookingMessage.read_at.is_(None),
            BookingMessage.id < message.id,
        )
    )
    return message.read_at is None and not session.scalar(earlier)


def readers_of_booker(session: Session, booked: BookedSpace) -> Sequence[Person]:
    """Who of the booker's side is told of a message: the one who booked and whoever has written, as long as they are on
    that side; where nobody is left, those who manage the organisation."""
    booking = booked.booking
    writers = select(BookingMessage.person_id).where(
        BookingMessage.city_id == booking.city_id,
        BookingMessage.booking_id == booking.id,
        BookingMessage.side == "booker",
    )
    added = select(BookingPerson.person_id).where(
        BookingPerson.city_id == booking.city_id, BookingPerson.booking_id == booking.id
    )
    if booking.organisation_id is None:
        on_side = or_(Person.id == booking.person_id, Person.id.in_(added))
    else:
        on_side = or_(Person.id.in_(members(booking, ("booker", "manager"))), Person.id.in_(added))
    concerned = or_(Person.id == booking.person_id, Person.id.in_(writers))
    found = people(session, booking, and_(on_side, concerned))
    if found or booking.organisation_id is None:
        return found
    return people(session, booking, Person.id.in_(members(booking, ("manager",))))


def members(booking: Booking, roles: tuple[str, ...]) -> Select[int]:
    """The ids of those with one of these roles in the booking's organisation."""
    return select(Membership.person_id).where(
        Membership.city_id == booking.city_id,
        Membership.organisation_id == booking.organisation_id,
        Membership.role.in_(roles),
        Membership.accepted_at.is_not(None),
    )


def people(session: Session, booking: Booking, which: ColumnElement[bool]) -> Sequence[Person]:
    return session.scalars(
        select(Person).where(Person.city_id == booking.city_id, which).order_by(Person.id)
    ).all()


def booked_by(actor: Actor) -> ColumnElement[bool]:
    """The bookings at which the actor is on the booker's side."""
    organisations = [id_ for id_ in actor.roles if actor.may_book_for(id_)]
    return or_(
        and_(Booking.organisation_id.is_(None), Booking.person_id == actor.person_id),
        Booking.organisation_id.in_(organisations),
        Booking.id.in_(lifecycle.responsible_for(actor)),
    )


def worked_at(actor: Actor) -> ColumnElement[bool]:
    """The venues whose messages are the actor's work."""
    managed = [id_ for id_ in actor.roles if actor.manages(id_)]
    here = [id_ for (kind, id_), role in actor.grants.items() if kind == "venue" and role in HANDLE]
    return or_(Venue.owner_id.in_(managed), Venue.id.in_(here))


def unread_by_booker(actor: Actor) -> Select[int]:
    """The ids of bookings with a message of the owner's that waits for the actor's side."""
    return (
        select(BookingMessage.booking_id)
        .join(
            Booking, (Booking.city_id == BookingMessage.city_id) & (Booking.id == BookingMessage.booking_id)
        )
        .where(
            BookingMessage.city_id == actor.city_id,
            BookingMessage.read_at.is_(None),
            BookingMessage.side == "owner",
            booked_by(actor),
        )
        .distinct()
    )


def unread_by_owner(actor: Actor) -> Select[int]:
    """The ids of bookings with a message of the booker's that waits for those who handle the actor's places."""
    return (
        select(BookingMessage.booking_id)
        .join(
            Booking, (Booking.city_id == BookingMessage.city_id) & (Booking.id == BookingMessage.booking_id)
        )
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(
            BookingMessage.city_id == actor.city_id,
            BookingMessage.read_at.is_(None),
            BookingMessage.side == "booker",
            worked_at(actor),
            # Of a booking for oneself "its organisation is one of these" is unknown, not false.
            ~func.coalesce(booked_by(actor), false()),
        )
        .distinct()
    )


def unread_ids(session: Session, actor: Actor) -> list[int]:
    """The bookings with messages that wait for the actor. Those who work nowhere are not asked about work."""
    found = list(session.scalars(unread_by_booker(actor)))
    if lifecycle.works_somewhere(actor, HANDLE):
        found += session.scalars(unread_by_owner(actor))
    return found


def unread_bookings(session: Session, actor: Actor, *, limit: int) -> list[ListedBooking]:
    """The bookings with messages that wait for the actor, the nearest time first."""
    ids = unread_ids(session, actor)
    if not ids:
        return []
    which = and_(Booking.city_id == actor.city_id, Booking.id.in_(ids))
    return listed(session, which, func.lower(Booking.during), limit=limit)


def unread_count(session: Session, actor: Actor) -> int:
    """About how many bookings messages wait for this person: part of the number beside their name."""
    return len(unread_ids(session, actor))
