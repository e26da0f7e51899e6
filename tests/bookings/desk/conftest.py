"""A house with its people: who works there, who only books, and who has nothing to do with it."""

from collections.abc import Callable
from datetime import date, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span, instant
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, Venue, VenueRole
from tests.factories.cities import make_city
from tests.factories.people import join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space, make_venue

# At the house: by the owner organisation, by a role at the venue, as staff; then those with no right there.
ROLES = ("manager", "venue manager", "handler", "viewer", "crew", "staff")
STRANGERS = ("outsider", "member", "booker", "manager elsewhere", "staff of another city")


@pytest.fixture
def owner(session: Session, city: City) -> Organisation:
    return make_organisation(session, city, name="Nuorisopalvelut", kind="city_division")


@pytest.fixture
def venue(session: Session, city: City, owner: Organisation) -> Venue:
    return make_venue(session, city, owner=owner)


@pytest.fixture
def day(city: City) -> date:
    """Some days ahead of the real clock, which the pages read."""
    return now().astimezone(city.zone).date() + timedelta(days=10)


@pytest.fixture
def at_hours(city: City, day: date) -> Callable[[float, float], Span]:
    """Local hours of `day` as a span."""

    def span(start: float, end: float) -> Span:
        first, last = (instant(day, time(int(h), round(h % 1 * 60)), city.zone) for h in (start, end))
        return Span(first, last)

    return span


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    space = make_space(session, venue, approval="handler")
    compile_spaces(session, city, [space.id])
    return space


@pytest.fixture
def persona(session: Session, city: City, owner: Organisation, venue: Venue) -> Callable[[str], Person]:
    """Somebody by what they are at the house."""

    def make(what: str) -> Person:
        if what == "staff of another city":
            other = make_city(session, slug="espoo")
            return make_person(session, other, is_staff=True)
        person = make_person(session, city, name=what.title(), is_staff=what == "staff", language="en")
        if what in {"manager", "booker", "member"}:
            join(session, person, owner, what)
        elif what == "manager elsewhere":
            join(session, person, make_organisation(session, city), "manager")
        elif what not in {"outsider", "staff"}:
            role = "manager" if what == "venue manager" else what
            session.add(VenueRole(city_id=city.id, venue_id=venue.id, person_id=person.id, role=role))
        session.flush()
        return person

    return make


@pytest.fixture
def client_of(app: Flask, session: Session, persona: Callable[[str], Person]) -> Callable[[str], FlaskClient]:
    """A browser signed in as one of them."""

    def make(what: str) -> FlaskClient:
        client = app.test_client()
        sign_in(session, client, persona(what))
        session.commit()
        return client

    return make
