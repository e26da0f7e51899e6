"""Mails about messages. They tell that there is one, and not what it says: it is read on the booking's page."""

from bookings.lifecycle.notices import Notice, facts_of
from bookings.lifecycle.queries import BookedSpace
from bookings.talk.models import BookingMessage
from marketplace.accounts.models import Person
from marketplace.cities.models import City

TEMPLATES = "bookings/talk/mail/"


def to_reader(
    city: City, booked: BookedSpace, message: BookingMessage, person: Person, *, writer: str
) -> Notice:
    """To one of the other side; `writer` is the name of who wrote."""
    what = (
        "to_owner" if message.side == "booker" else "question" if message.kind == "question" else "to_booker"
    )
    return Notice(
        person,
        TEMPLATES + what,
        f"message:{message.id}:{person.id}",
        {"facts": facts_of(city, booked), "writer": writer},
    )
