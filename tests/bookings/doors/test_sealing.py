"""Codes are kept encrypted; with a lost key they are made again, and nothing breaks meanwhile."""

from collections.abc import Callable, Iterator
from datetime import time, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bookings.doors import jobs
from bookings.doors.models import AccessGrant, DoorCode
from bookings.lifecycle.models import Booking
from marketplace import sealing
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.settings import Settings
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, Venue
from tests.bookings.doors.conftest import FakeLock, set_up_door
from tests.factories.bookings import book
from tests.factories.people import actor_of, sign_in
from tests.factories.spaces import make_space

OTHER = "another secret that the service was given later"


@pytest.fixture
def keys(settings: Settings) -> Iterator[None]:
    """The keys of the settings again after the test."""
    yield
    sealing.bind(settings.secret)


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    space = make_space(session, venue, hours=(time(0), time(0)))  # whatever the hour of the test
    compile_spaces(session, city, [space.id])
    return space


@pytest.fixture
def booking(session: Session, city: City, space: Space, person: Person) -> Booking:
    """One that begins in half an hour."""
    start = now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    span = Span(start, start + timedelta(hours=2))
    return book(session, city, space, actor_of(session, person), span, at=start - timedelta(days=1))


def stored(session: Session) -> list[bytes]:
    """All that the two tables hold, as bytes."""
    rows = session.execute(
        text("SELECT g::text FROM access_grant g UNION ALL SELECT c::text FROM door_code c")
    ).scalars()
    sealed = session.execute(
        text(
            "SELECT sealed FROM access_grant WHERE sealed IS NOT NULL"
            " UNION ALL SELECT sealed FROM door_code WHERE sealed IS NOT NULL"
        )
    ).scalars()
    return [*(row.encode() for row in rows), *(bytes(one) for one in sealed)]


def grant_of(session: Session) -> AccessGrant:
    session.expire_all()
    return session.scalars(select(AccessGrant)).one()


def test_no_code_is_in_the_database_as_it_is(
    session: Session, city: City, space: Space, booking: Booking, run_jobs: Callable[[], int]
) -> None:
    set_up_door(session, city, space, provider="static")
    session.add(
        DoorCode(
            city_id=city.id,
            space_id=space.id,
            secret="73918264",
            valid_from=booking.span.start.date() - timedelta(days=2),
        )
    )
    session.commit()
    jobs.sweep_doors()
    run_jobs()
    grant = grant_of(session)
    assert (grant.state, grant.secret) == ("ready", "73918264")
    assert session.scalars(select(DoorCode)).one().secret == "73918264"
    assert not any(b"73918264" in one for one in stored(session))
    assert "73918264" not in repr(grant)


def test_what_was_kept_in_plain_is_sealed_by_the_sweeper(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock, run_jobs: Callable[[], int]
) -> None:
    set_up_door(session, city, space, provider="fake")
    session.commit()
    jobs.sweep_doors()
    run_jobs()
    session.execute(text("UPDATE access_grant SET secret = '555123', sealed = NULL"))
    session.execute(
        text(
            "INSERT INTO door_code (city_id, space_id, secret, valid_from) VALUES (:city, :space, '555777', '2026-01-01')"
        ),
        {"city": city.id, "space": space.id},
    )
    session.commit()
    assert grant_of(session).secret == "555123"
    jobs.sweep_doors()
    grant = grant_of(session)
    assert (grant.secret, grant.plain) == ("555123", None)
    assert session.scalars(select(DoorCode)).one().secret == "555777"
    assert not any(code in one for one in stored(session) for code in (b"555123", b"555777"))
    assert lock.calls == [("issue", grant.id)]


def test_with_a_former_key_it_is_read_and_then_sealed_anew(
    session: Session,
    city: City,
    space: Space,
    booking: Booking,
    lock: FakeLock,
    run_jobs: Callable[[], int],
    keys: None,
    settings: Settings,
) -> None:
    set_up_door(session, city, space, provider="fake")
    session.commit()
    jobs.sweep_doors()
    run_jobs()
    code = grant_of(session).secret
    before = grant_of(session).sealed
    sealing.bind(OTHER, [settings.secret])
    assert grant_of(session).secret == code
    jobs.sweep_doors()
    assert run_jobs() == 0
    assert grant_of(session).sealed != before
    sealing.bind(OTHER)
    assert grant_of(session).secret == code
    assert len(lock.calls) == 1
    sealed = grant_of(session).sealed
    jobs.sweep_doors()
    assert grant_of(session).sealed == sealed, "what is right is left alone"


def test_with_a_lost_key_the_lock_is_asked_again_and_no_page_breaks(
    app: Flask,
    session: Session,
    city: City,
    space: Space,
    booking: Booking,
    person: Person,
    lock: FakeLock,
    run_jobs: Callable[[], int],
    keys: None,
) -> None:
    set_up_door(session, city, space, provider="fake")
    session.commit()
    jobs.sweep_doors()
    run_jobs()
    code = grant_of(session).secret
    assert code
    sealing.bind(OTHER)
    client = app.test_client()
    sign_in(session, client, person)
    page = client.get(f"/en/bookings/{booking.reference}")
    assert page.status_code == 200
    assert " ".join(code) not in page.text
    assert grant_of(session).secret is None
    jobs.sweep_doors()
    run_jobs()
    grant = grant_of(session)
    assert (grant.state, grant.secret) == ("ready", code)
    assert lock.calls == [("issue", grant.id), ("issue", grant.id)]
    assert " ".join(code) in client.get(f"/en/bookings/{booking.reference}").text
    jobs.sweep_doors()
    assert run_jobs() == 0


def test_a_listed_code_with_a_lost_key_is_none_and_its_owner_is_told(
    session: Session,
    city: City,
    space: Space,
    booking: Booking,
    run_jobs: Callable[[], int],
    keys: None,
    client_of: Callable[[str], object],
) -> None:
    set_up_door(session, city, space, provider="static")
    first = booking.span.start.date() - timedelta(days=2)
    session.add(DoorCode(city_id=city.id, space_id=space.id, secret="111111", valid_from=first))
    session.commit()
    jobs.sweep_doors()
    run_jobs()
    sealing.bind(OTHER)
    jobs.sweep_doors()
    run_jobs()
    grant = grant_of(session)
    assert (grant.state, grant.secret) == ("failed", None)
    manager = client_of("manager")
    page = manager.get(f"/en/desk/spaces/{space.id}/door")  # type: ignore[attr-defined]
    assert page.status_code == 200
    assert "can no longer be read" in page.text
    lost = session.scalars(select(DoorCode)).one()
    data = {"codes": "222222", "valid_from": first.isoformat()}
    assert manager.post(f"/en/desk/spaces/{space.id}/door/codes", data=data).status_code == 303  # type: ignore[attr-defined]
    manager.post(f"/en/desk/spaces/{space.id}/door/codes/{lost.id}/removal")  # type: ignore[attr-defined]
    run_jobs()
    assert (grant_of(session).state, grant_of(session).secret) == ("ready", "222222")


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_only_its_own_key_opens_it(words: str, one: str, other: str) -> None:
    known = list(sealing._keys)
    try:
        sealing.bind(one)
        sealed = sealing.seal(words)
        assert sealing.unseal(sealed) == words
        assert sealed[: sealing.NAME_BYTES] == sealing.key_names()[0]
        assert sealing.unseal(sealed[:-4] + b"AAAA") in {None, words}
        sealing.bind(other, [one])
        assert sealing.unseal(sealed) == words
        if other != one:
            sealing.bind(other)
            assert sealing.unseal(sealed) is None
    finally:
        sealing._keys[:] = known


@pytest.mark.parametrize("sealed", [b"", b"short", b"12345678", b"12345678gAAAAA", b"\xff" * 90])
def test_what_is_no_seal_opens_nothing(app: Flask, sealed: bytes) -> None:
    assert sealing.unseal(sealed) is None
    assert sealing.unseal(sealing.key_names()[0] + sealed) is None
