"""Handlers of messages about the people of a booking. Safe to run twice."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.jobs import mail
from bookings.lifecycle.models import BookingPerson
from bookings.lifecycle.notices import Notice, facts_of
from bookings.lifecycle.queries import booked_space_of_id
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.jobs.messages import Message


def mail_added(session: Session, message: Message) -> None:
    """To the added person, once for each booking: who added them, to what, and what they can do."""
    booked = booked_space_of_id(session, message.city_id, message["booking_id"])
    still = session.scalar(
        select(BookingPerson.id).where(
            BookingPerson.city_id == message.city_id,
            BookingPerson.booking_id == message["booking_id"],
            BookingPerson.person_id == message["person_id"],
        )
    )
    if booked is None or still is None:
        return
    city = session.get_one(City, message.city_id)
    person = session.get_one(Person, (city.id, message["person_id"]))
    adder = session.get_one(Person, (city.id, message["by"]))
    key = f"booking:{booked.booking.id}:responsible:{person.id}"
    context = {"facts": facts_of(city, booked), "adder": adder.name}
    mail(session, Notice(person, "bookings/responsible/mail/added", key, context))
