"""A request of an association at a house, and everyone who might talk about it."""

from collections.abc import Callable
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking, BookingPerson
from bookings.talk.actions import write_message
from bookings.talk.models import BookingMessage
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from spaces.catalog.models import Space, Venue
from tests.bookings.desk.conftest import at_hours, day, owner, persona, space, venue
from tests.factories.bookings import NOW, book
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in

__all__ = ["at_hours", "day", "owner", "persona", "space", "venue"]

numbers = count(1)
# Who is who beside those of the house.
BOOKERS = ("who booked", "club booker", "club manager", "responsible")
ANSWERERS = ("manager", "venue manager", "handler", "staff")
NEITHER = (
    "viewer",
    "crew",
    "outsider",
    "member",
    "booker",
    "manager elsewhere",
    "staff of another city",
    "club member",
    "left the club",
)


@pytest.fixture
def club(session: Session, city: City) -> Organisation:
    return make_organisation(session, city, name="Kallion Juniorit ry")


@pytest.fixture
def asked(
    session: Session, city: City, space: Space, club: Organisation, person: Person, at_hours
) -> Booking:
    """A request that waits, of the association, made by `person`."""
    join(session, person, club)
    booking = book(session, city, space, actor_of(session, person), at_hours(18, 20), organisation_id=club.id)
    session.commit()
    return booking


def add(session: Session, booking: Booking, person: Person) -> None:
    session.add(
        BookingPerson(
            city_id=booking.city_id, booking_id=booking.id, person_id=person.id, added_by=booking.person_id
        )
    )
    session.flush()


@pytest.fixture
def someone(
    session: Session,
    city: City,
    club: Organisation,
    asked: Booking,
    person: Person,
    persona: Callable[[str], Person],
) -> Callable[[str], Person]:
    """Somebody by what they are to the request."""

    def make(what: str) -> Person:
        if what == "who booked":
            return person
        if what not in {"responsible", "club booker", "club manager", "club member", "left the club"}:
            return persona(what)
        made = make_person(session, city, name=what.title(), language="en")
        if what == "responsible":
            add(session, asked, made)
        elif what == "left the club":
            asked.person_id = made.id
        else:
            join(session, made, club, what.removeprefix("club "))
        session.flush()
        return made

    return make


@pytest.fixture
def browser_of(
    app: Flask, session: Session, someone: Callable[[str], Person]
) -> Callable[[str], FlaskClient]:
    def make(what: str) -> FlaskClient:
        client = app.test_client()
        sign_in(session, client, someone(what))
        session.commit()
        return client

    return make


def write(
    session: Session, booking: Booking, venue: Venue, person: Person, text: str = "Hello", **fields
) -> BookingMessage:
    values = {
        "is_question": False,
        "submission": f"message-{next(numbers)}",
        "at": NOW,
        **fields,
    }
    return write_message(session, booking, venue, actor=actor_of(session, person), text=text, **values)
