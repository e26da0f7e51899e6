"""The only writers of the people of a booking. Whom they add sees it, its door code and its messages, and checks in."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle import policy
from bookings.lifecycle.models import Booking, BookingPerson
from bookings.lifecycle.queries import locked_booking
from bookings.lifecycle.rules import OPEN
from bookings.responsible import errors
from bookings.responsible.errors import BookingOver, CannotAdd, NoRightToAdd, PersonGone
from bookings.responsible.rules import MOST_PEOPLE
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Membership, Person
from marketplace.accounts.policy import require_verified
from marketplace.accounts.queries import person_of_email
from marketplace.jobs.messages import publish


def add_person(
    session: Session,
    booking: Booking,
    *,
    actor: Actor,
    at: datetime,
    email: str | None = None,
    member_id: int | None = None,
) -> BookingPerson:
    """Add a member of the booking's organisation, or anyone with a confirmed account by the address.

    Raises NotVerified, NoRightToAdd, BookingOver, CannotAdd.
    """
    adder = require_verified(actor)
    if not policy.may_cancel(actor, booking):
        raise NoRightToAdd
    locked_booking(session, booking)
    if booking.requested_at is None or booking.state not in OPEN or booking.span.end <= at:
        raise BookingOver
    field = "email" if email else "member"
    person = chosen_person(session, booking, email=email, member_id=member_id)
    if person.id == booking.person_id:
        raise CannotAdd(field, errors.BOOKS_ALREADY)
    there = session.scalars(
        select(BookingPerson.person_id).where(
            BookingPerson.city_id == booking.city_id, BookingPerson.booking_id == booking.id
        )
    ).all()
    if person.id in there:
        raise CannotAdd(field, errors.ADDED_ALREADY)
    if len(there) >= MOST_PEOPLE:
        raise CannotAdd(field, errors.FULL)
    added = BookingPerson(
        city_id=booking.city_id, booking_id=booking.id, person_id=person.id, added_by=adder, created_at=at
    )
    session.add(added)
    session.flush()
    note(session, booking, actor=actor, action="booking.person-added", person_id=person.id, before=len(there))
    publish(
        session, "person.added", city_id=booking.city_id, booking_id=booking.id, person_id=person.id, by=adder
    )
    session.flush()
    return added


def chosen_person(session: Session, booking: Booking, *, email: str | None, member_id: int | None) -> Person:
    """Raises CannotAdd."""
    if email:
        person = person_of_email(session, booking.city_id, email)
        if person is None or person.email_verified_at is None:
            raise CannotAdd("email", errors.UNKNOWN)
        return person
    if member_id is None:
        raise CannotAdd("member" if booking.organisation_id is not None else "email", errors.NOBODY)
    person = session.scalar(
        select(Person)
        .join(Membership, (Membership.city_id == Person.city_id) & (Membership.person_id == Person.id))
        .where(
            Membership.city_id == booking.city_id,
            Membership.organisation_id == booking.organisation_id,
            Membership.accepted_at.is_not(None),
            Person.id == member_id,
        )
    )
    if person is None:
        raise CannotAdd("member", errors.NOT_A_MEMBER)
    return person


def remove_person(session: Session, booking: Booking, person_id: int, *, actor: Actor) -> None:
    """Take somebody off the booking; everyone may take themselves off. Raises NoRightToAdd, PersonGone."""
    if not policy.may_cancel(actor, booking) and not (
        person_id == actor.person_id and policy.is_responsible(actor, booking)
    ):
        raise NoRightToAdd
    locked_booking(session, booking)
    row = session.scalar(
        select(BookingPerson).where(
            BookingPerson.city_id == booking.city_id,
            BookingPerson.booking_id == booking.id,
            BookingPerson.person_id == person_id,
        )
    )
    if row is None:
        raise PersonGone
    before = session.scalar(
        select(func.count())
        .select_from(BookingPerson)
        .where(BookingPerson.city_id == booking.city_id, BookingPerson.booking_id == booking.id)
    )
    session.delete(row)
    session.flush()
    note(
        session,
        booking,
        actor=actor,
        action="booking.person-removed",
        person_id=person_id,
        before=before or 0,
    )
    session.flush()


def note(
    session: Session, booking: Booking, *, actor: Actor, action: str, person_id: int, before: int
) -> None:
    after = before + (1 if action == "booking.person-added" else -1)
    audit(
        session,
        actor,
        action,
        "booking",
        booking.id,
        person=person_id,
        before={"people": before},
        after={"people": after},
    )
