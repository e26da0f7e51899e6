"""Reads of the people of a booking."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking, BookingPerson
from marketplace.accounts.models import Membership, Organisation, Person


@dataclass(frozen=True)
class Responsible:
    """Somebody added to a booking. Outside the booking's organisation they are known by the address that was written."""

    person_id: int
    name: str
    email: str
    is_member: bool

    @property
    def label(self) -> str:
        return self.name if self.is_member else self.email


def people_of(session: Session, booking: Booking) -> list[Responsible]:
    """In the order in which they were added."""
    rows = session.execute(
        select(Person.id, Person.name, Person.email, Membership.id.is_not(None))
        .join(
            BookingPerson, (BookingPerson.city_id == Person.city_id) & (BookingPerson.person_id == Person.id)
        )
        .outerjoin(
            Membership,
            (Membership.city_id == Person.city_id)
            & (Membership.person_id == Person.id)
            & (Membership.organisation_id == booking.organisation_id)
            & Membership.accepted_at.is_not(None),
        )
        .where(BookingPerson.city_id == booking.city_id, BookingPerson.booking_id == booking.id)
        .order_by(BookingPerson.id)
    )
    return [Responsible(*row) for row in rows]


def addable_members(
    session: Session, booking: Booking, organisation: Organisation | None
) -> list[tuple[int, str]]:
    """Members of the booking's organisation who are not of the booking yet, by name."""
    if organisation is None:
        return []
    added = select(BookingPerson.person_id).where(
        BookingPerson.city_id == booking.city_id, BookingPerson.booking_id == booking.id
    )
    rows = session.execute(
        select(Person.id, Person.name)
        .join(Membership, (Membership.city_id == Person.city_id) & (Membership.person_id == Person.id))
        .where(
            Membership.city_id == booking.city_id,
            Membership.organisation_id == organisation.id,
            Membership.accepted_at.is_not(None),
            Person.id != booking.person_id,
            Person.id.not_in(added),
        )
        .order_by(func.lower(Person.name), Person.id)
        .limit(500)
    )
    return [(person_id, name) for person_id, name in rows]
