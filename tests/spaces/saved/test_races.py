"""Two rounds at once, and cancellations while a round runs: everybody is told, and nobody twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.app import job_context
from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.notifications.models import Mail
from spaces.calendar.models import FreedClaim
from spaces.saved.actions import save_search
from spaces.saved.jobs import follow_saved_searches
from spaces.saved.models import SavedSearch
from spaces.saved.queries import locked_search
from spaces.saved.question import kept_of
from spaces.search.forms import read_asked
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_person
from tests.spaces.saved.conftest import EVENING, LATER, save

PEOPLE = 6


def told(session: Session) -> dict[int, int]:
    rows = session.execute(
        select(Mail.person_id, func.count())
        .where(Mail.template.startswith("spaces/saved/"))
        .group_by(Mail.person_id)
    )
    return {person_id or 0: count for person_id, count in rows}


def prepared(app: Flask) -> tuple[City, list[Booking], list[int]]:
    """Four taken halls, and people who have saved a search for that evening."""
    with transaction() as session:
        city = make_city(session)
        somebody = actor_of(session, make_person(session, city))
        halls = [open_space(session, city, cancellation_hours=0) for _ in range(4)]
        bookings = [book(session, city, hall, somebody, span_on(city, 17, 21)) for hall in halls]
        people = [make_person(session, city) for _ in range(PEOPLE)]
        for person in people:
            save(session, app, city, person, when=EVENING, commit=False)
    return city, bookings, [person.id for person in people]


def cancel(city: City, booking: Booking) -> None:
    with transaction() as session:
        mine = session.get_one(Booking, (city.id, booking.id))
        owner = session.get_one(Person, (city.id, mine.person_id))
        cancel_booking(session, city, mine, actor=actor_of(session, owner), at=LATER)


def at_once(*acts: Callable[[], None]) -> None:
    barrier = Barrier(len(acts))

    def run(act: Callable[[], None]) -> None:
        barrier.wait(20)
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(run, act) for act in acts]:
            done.result(60)


def follow(app: Flask, at: object = LATER) -> None:
    with job_context(app):
        follow_saved_searches(at)  # type: ignore[arg-type]


def test_two_rounds_at_once_tell_everybody_once(committing_app: Flask) -> None:
    app = committing_app
    city, bookings, people = prepared(app)
    cancel(city, bookings[0])
    at_once(lambda: follow(app), lambda: follow(app), lambda: follow(app))
    follow(app, LATER + timedelta(minutes=1))
    with transaction() as session:
        assert told(session) == dict.fromkeys(people, 1)


def test_cancellations_while_a_round_runs_are_not_lost(committing_app: Flask) -> None:
    app = committing_app
    city, bookings, people = prepared(app)
    at_once(
        *[lambda booking=booking: cancel(city, booking) for booking in bookings],
        lambda: follow(app),
        lambda: follow(app),
    )
    for minutes in (61, 122, 183):
        follow(app, LATER + timedelta(minutes=minutes))
    with transaction() as session:
        assert session.scalar(select(FreedClaim.id)) is None
        bodies: dict[int | None, str] = {}
        for mail in session.scalars(select(Mail).where(Mail.template.startswith("spaces/saved/"))):
            bodies[mail.person_id] = bodies.get(mail.person_id, "") + mail.body_text
        for person_id in people:
            for booking in bookings:
                assert bodies[person_id].count(f"/spaces/{booking.space_id}?") == 1


def test_saving_twice_at_once_gives_one_search(committing_app: Flask) -> None:
    app = committing_app
    with transaction() as session:
        city = make_city(session)
        person = make_person(session, city)
        actor = actor_of(session, person)
        open_space(session, city)

    def press() -> None:
        with job_context(app), transaction() as session:
            asked = read_asked(session, city, MultiDict([("people", "20")]), now=NOW)
            save_search(session, city, kept_of(asked, city), actor=actor, language="fi", at=NOW)

    at_once(press, press, press)
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(SavedSearch)) == 1


def test_a_search_that_is_being_changed_waits_for_the_next_round(committing_app: Flask) -> None:
    app = committing_app
    city, bookings, people = prepared(app)
    cancel(city, bookings[0])
    with transaction() as session:
        saved = session.scalars(select(SavedSearch).where(SavedSearch.person_id == people[0])).one()
        assert locked_search(session, city.id, saved.id) is not None
        follow(app)
    with transaction() as session:
        assert people[0] not in told(session)
    follow(app, LATER + timedelta(minutes=1))
    with transaction() as session:
        assert told(session) == dict.fromkeys(people, 1)
