"""Handlers of messages about messages. Safe to run twice."""

from sqlalchemy.orm import Session

from bookings.lifecycle.jobs import mail
from bookings.lifecycle.queries import booked_space_of_id, handlers_of
from bookings.talk.models import BookingMessage
from bookings.talk.notices import to_reader
from bookings.talk.queries import is_first_unread, readers_of_booker
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.jobs.messages import Message


def mail_message(session: Session, message: Message) -> None:
    """To the other side: somebody has written. One mail until it is read, however many messages follow."""
    written = session.get(BookingMessage, (message.city_id, message["message_id"]))
    if written is None or not is_first_unread(session, written):
        return
    booked = booked_space_of_id(session, message.city_id, written.booking_id)
    if booked is None:
        return
    city = session.get_one(City, message.city_id)
    writer = session.get_one(Person, (message.city_id, written.person_id)).name
    readers = (
        handlers_of(session, booked.venue) if written.side == "booker" else readers_of_booker(session, booked)
    )
    for person in readers:
        if person.id != written.person_id:
            mail(session, to_reader(city, booked, written, person, writer=writer))
