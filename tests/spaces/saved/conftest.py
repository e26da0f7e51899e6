"""A hall that somebody has, and somebody else who has saved a search for it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.app import job_context
from marketplace.cities.models import City
from marketplace.notifications.mail import writing_for
from marketplace.notifications.models import Mail
from spaces.catalog.models import Space
from spaces.saved.actions import save_search
from spaces.saved.jobs import follow_saved_searches
from spaces.saved.models import SavedSearch
from spaces.saved.question import kept_of
from spaces.search.forms import read_asked
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of, make_person

# The bookings of these tests are made at NOW; whatever is given up after this was really taken.
LATER = NOW + timedelta(hours=2)
EVENING = "1.12.2026 klo 17–21"


@pytest.fixture
def hall(session: Session, city: City) -> Space:
    """Open from 8 to 22, sold by the hour, and cancelled until the last moment."""
    space = open_space(session, city, cancellation_hours=0, min_minutes=60, max_minutes=240)
    session.commit()
    return space


@pytest.fixture
def taken(session: Session, city: City, hall: Space) -> Booking:
    """Somebody else has the hall from 17 to 21 on the first of December."""
    somebody = make_person(session, city, name="Mikko Salo")
    booking = book(session, city, hall, actor_of(session, somebody), span_on(city, 17, 21))
    session.commit()
    return booking


@pytest.fixture
def follow(app: Flask, session: Session) -> Callable[..., None]:
    """What the worker does each minute, at this time."""

    def run(at: datetime = LATER) -> None:
        with job_context(app):
            follow_saved_searches(at)
        session.expire_all()

    return run


def save(
    session: Session,
    app: Flask,
    city: City,
    person: Person,
    *,
    at: datetime = NOW,
    language: str = "fi",
    acting_for: int | None = None,
    commit: bool = True,
    **args: object,
) -> SavedSearch:
    """The search that a person saves; `args` as in the results page's address."""
    with job_context(app), writing_for(city, language):
        given = MultiDict(
            [(k, str(v)) for k, vs in args.items() for v in (vs if isinstance(vs, list) else [vs])]
        )
        asked = read_asked(session, city, given, now=at)
        assert not asked.errors
        saved, _ = save_search(
            session,
            city,
            kept_of(asked, city),
            actor=actor_of(session, person, acting_for=acting_for),
            language=language,
            at=at,
        )
    if commit:
        session.commit()
    return saved


def give_up(session: Session, city: City, booking: Booking, *, at: datetime = LATER) -> None:
    owner = session.get_one(Person, (city.id, booking.person_id))
    cancel_booking(session, city, booking, actor=actor_of(session, owner), at=at)
    session.commit()


def mails(session: Session, person: Person) -> list[Mail]:
    return list(
        session.scalars(
            select(Mail)
            .where(Mail.person_id == person.id, Mail.template.startswith("spaces/saved/"))
            .order_by(Mail.id)
        )
    )
