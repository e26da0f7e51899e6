"""A hall of a private supplier and one of the city's division, each with a booking, and clients of all kinds of readers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.catalog.models import Venue, VenueRole
from tests.factories.bookings import book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_venue


@dataclass
class World:
    """Who and what the tests of money are about."""

    city: City
    booker: Person
    manager: Person
    association: Organisation
    company: Organisation
    division: Organisation
    company_venue: Venue
    company_booking: Booking
    division_booking: Booking


@pytest.fixture
def world(session: Session, city: City) -> World:
    booker, manager = (make_person(session, city, name=name) for name in ("Booker", "Manager"))
    association = make_organisation(session, city, name="Kallion kuoro ry")
    company = make_organisation(session, city, name="Linja Oy", kind="company")
    division = make_organisation(session, city, name="Nuorisopalvelut", kind="city_division")
    join(session, manager, company, "manager")
    venues = [make_venue(session, city, owner=owner) for owner in (company, division)]
    bookings = [
        book(
            session,
            city,
            open_space(session, city, venue),
            actor_of(session, booker),
            span_on(city, 10 + 2 * n, 12 + 2 * n),
        )
        for n, venue in enumerate(venues)
    ]
    session.commit()
    return World(city, booker, manager, association, company, division, venues[0], *bookings)


Reader = Callable[[str], FlaskClient]


@pytest.fixture
def reader(app: Flask, session: Session, city: City, world: World) -> Reader:
    """A client by what somebody is: nobody, outsider, booker, member, manager, rival, handler, viewer, staff."""

    def client(kind: str) -> FlaskClient:
        browser = app.test_client()
        if kind == "nobody":
            return browser
        person = {"booker": world.booker, "manager": world.manager}.get(kind) or make_person(
            session, city, name=kind, is_staff=kind == "staff"
        )
        if kind == "member":
            join(session, person, world.company, "booker")
        if kind == "rival":
            rival = make_organisation(session, city, name="Kilpailija Oy", kind="company")
            join(session, person, rival, "manager")
            make_venue(session, city, owner=rival)
        if kind in {"handler", "viewer"}:
            session.add(
                VenueRole(city_id=city.id, venue_id=world.company_venue.id, person_id=person.id, role=kind)
            )
        sign_in(session, browser, person)
        session.commit()
        return browser

    return client


@pytest.fixture
def this_month() -> date:
    return now().date().replace(day=1)
