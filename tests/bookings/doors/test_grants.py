"""Codes follow their bookings, whatever the lock and the jobs do; and no booking ever depends on one."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import permutations

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bookings.doors import jobs
from bookings.doors.actions import next_ask, note_answer, remove_code
from bookings.doors.models import AccessGrant, DoorCode
from bookings.doors.providers import Issued
from bookings.doors.rules import MOST_ATTEMPTS, ListedCode, chosen_code, wait_after
from bookings.lifecycle.actions import cancel_booking, move_booking, move_to
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.jobs.messages import Message
from marketplace.jobs.runner import application
from marketplace.timespan import Span
from spaces.catalog.models import Space, Venue
from tests.bookings.doors.conftest import FakeLock, set_up_door
from tests.factories.bookings import DAY, NOW, book, span_on
from tests.factories.people import actor_of

HOUR = timedelta(hours=1)


@pytest.fixture
def booking(session: Session, city: City, space: Space, person: Person) -> Booking:
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    session.commit()
    return booking


@pytest.fixture
def mend(session: Session, app: Flask) -> Callable[..., AccessGrant | None]:
    """Run the job for one booking and read its grant."""

    def run(booking: Booking, at=NOW) -> AccessGrant | None:
        session.commit()
        with app.test_request_context():
            jobs.mend(booking.city_id, booking.id, at=at)
        session.expire_all()
        return session.scalar(select(AccessGrant).where(AccessGrant.booking_id == booking.id))

    return run


def test_a_confirmed_booking_gets_its_code_after_the_commit(
    session: Session,
    city: City,
    space: Space,
    person: Person,
    lock: FakeLock,
    run_jobs: Callable[[], int],
) -> None:
    set_up_door(session, city, space, provider="fake", minutes_before=45)
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    assert lock.calls == []
    assert session.scalar(select(func.count()).select_from(AccessGrant)) == 0
    session.commit()
    run_jobs()
    (grant,) = session.scalars(select(AccessGrant))
    assert (grant.state, grant.secret, grant.attempts) == ("ready", f"{grant.id:04d}", 0)
    assert grant.span == Span(booking.span.start - timedelta(minutes=45), booking.span.end)
    run_jobs()
    assert lock.calls == [("issue", grant.id)]


def test_a_dead_lock_costs_no_booking_and_is_asked_a_bounded_number_of_times(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock, mend
) -> None:
    set_up_door(session, city, space, provider="fake")
    lock.failures = 1000
    at = NOW
    for _ in range(200):
        grant = mend(booking, at)
        at += timedelta(minutes=5)
    assert len(lock.calls) == MOST_ATTEMPTS
    assert grant.state == "failed"
    assert grant.retry_at is None
    assert grant.last_error == "the vendor answered 503"
    assert booking.state == "confirmed"


def test_a_flapping_lock_is_repaired_by_the_sweeper(
    session: Session,
    city: City,
    space: Space,
    booking: Booking,
    lock: FakeLock,
    mend,
    run_jobs: Callable[[], int],
) -> None:
    set_up_door(session, city, space, provider="fake")
    lock.failures = 2
    assert mend(booking).state == "failed"
    assert mend(booking).state == "failed"  # its wait is not over, so it was not asked again
    assert len(lock.calls) == 1
    session.execute(update(AccessGrant).values(retry_at=NOW))
    session.commit()
    jobs.sweep_doors(at=NOW)
    run_jobs()
    session.execute(update(AccessGrant).values(retry_at=NOW))
    session.commit()
    jobs.sweep_doors(at=NOW)
    run_jobs()
    (grant,) = session.scalars(select(AccessGrant))
    assert (grant.state, grant.attempts, grant.last_error) == ("ready", 0, None)
    jobs.sweep_doors(at=NOW)
    assert run_jobs() == 0


def test_a_booking_whose_job_was_lost_is_found_by_the_sweeper(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock, run_jobs
) -> None:
    set_up_door(session, city, space, provider="fake")
    session.commit()
    jobs.sweep_doors(at=NOW)
    run_jobs()
    (grant,) = session.scalars(select(AccessGrant))
    assert grant.state == "ready"


def test_a_worker_that_dies_between_the_call_and_the_answer_asks_again_later(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock, mend
) -> None:
    set_up_door(session, city, space, provider="fake")
    ask = next_ask(session, city.id, booking.id, at=NOW)
    assert ask is not None
    lock.issue(ask.grant)
    assert mend(booking).state == "pending"
    grant = mend(booking, NOW + HOUR)
    assert grant.state == "ready"
    assert list(lock.made) == [grant.id]


def test_the_answer_to_a_try_that_was_overtaken_is_not_kept(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock
) -> None:
    set_up_door(session, city, space, provider="fake")
    first = next_ask(session, city.id, booking.id, at=NOW)
    second = next_ask(session, city.id, booking.id, at=NOW + HOUR)
    assert first is not None
    assert second is not None
    assert note_answer(session, second, Issued("2222", "b"), at=NOW)
    assert not note_answer(session, first, Issued("1111", "a"), at=NOW)
    assert session.scalars(select(AccessGrant)).one().secret == "2222"


def test_a_moved_booking_has_its_code_moved(
    session: Session,
    city: City,
    space: Space,
    venue: Venue,
    booking: Booking,
    lock: FakeLock,
    mend,
    persona: Callable[[str], Person],
) -> None:
    set_up_door(session, city, space, provider="fake")
    before = mend(booking)
    during = span_on(city, 20, 22)
    manager = actor_of(session, persona("manager"))
    move_booking(session, city, booking, space, venue, actor=manager, during=during, at=NOW)
    grant = mend(booking)
    assert grant.id == before.id
    assert lock.made[grant.id].valid == Span(during.start - HOUR, during.end)
    assert [verb for verb, _ in lock.calls] == ["issue", "change"]


@pytest.mark.parametrize("state", ["cancelled", "no_show"])
def test_what_is_given_up_has_its_code_taken_back_even_if_the_lock_is_away_for_a_while(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock, mend, state: str
) -> None:
    set_up_door(session, city, space, provider="fake")
    mend(booking)
    move_to(session, booking, state, NOW)
    lock.failures = 1
    grant = mend(booking)
    assert (grant.state, grant.secret) == ("failed", None)
    assert lock.made
    grant = mend(booking, NOW + HOUR)
    assert (grant.state, grant.secret, lock.made) == ("revoked", None, {})
    mend(booking, NOW + 2 * HOUR)
    assert [verb for verb, _ in lock.calls] == ["issue", "revoke", "revoke"]


def test_what_is_brought_back_gets_a_code_again(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock, mend
) -> None:
    set_up_door(session, city, space, provider="fake")
    mend(booking)
    move_to(session, booking, "no_show", NOW)
    assert mend(booking).state == "revoked"
    move_to(session, booking, "confirmed", NOW)
    assert mend(booking).state == "ready"
    assert len(lock.made) == 1


def test_jobs_twice_and_in_any_order_end_the_same(
    session: Session, city: City, space: Space, person: Person, lock: FakeLock, run_jobs
) -> None:
    set_up_door(session, city, space, provider="fake")
    for n, order in enumerate(permutations(["booking.confirmed", "booking.moved", "booking.cancelled"])):
        actor = actor_of(session, person)
        kept = book(session, city, space, actor, span_on(city, 9 + 2 * n, 10 + 2 * n))
        gone = book(session, city, space, actor, span_on(city, 10 + 2 * n, 11 + 2 * n))
        cancel_booking(session, city, gone, actor=actor, at=NOW)
        for name in order * 2:
            for booking in (kept, gone):
                jobs.follow_booking(session, Message(name, city.id, {"booking_id": booking.id}))
        session.commit()
        run_jobs()
        states = dict(session.execute(select(AccessGrant.booking_id, AccessGrant.state)).all())
        assert states[kept.id] == "ready"
        assert states.get(gone.id, "revoked") == "revoked"
        if n == 5:
            break


def test_a_space_that_changes_its_lock_gives_the_old_code_back(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock, mend
) -> None:
    door = set_up_door(session, city, space, provider="fake")
    mend(booking)
    door.provider = "static"
    session.add(DoorCode(city_id=city.id, space_id=space.id, secret="4719", valid_from=DAY))
    grant = mend(booking)
    assert (grant.state, grant.secret, grant.provider) == ("ready", "4719", "static")
    assert lock.made == {}


def test_a_dead_old_lock_does_not_keep_the_new_one_from_its_code(
    session: Session, city: City, space: Space, booking: Booking, lock: FakeLock, mend
) -> None:
    door = set_up_door(session, city, space, provider="fake")
    mend(booking)
    door.provider = "static"
    session.add(DoorCode(city_id=city.id, space_id=space.id, secret="4719", valid_from=DAY))
    lock.failures = 1000
    assert mend(booking).state == "failed"
    grant = mend(booking, NOW + HOUR)
    assert (grant.state, grant.secret) == ("ready", "4719")


def test_a_lock_that_no_part_brings_is_down(
    session: Session, city: City, space: Space, booking: Booking, mend
) -> None:
    set_up_door(session, city, space, provider="gone")
    grant = mend(booking)
    assert grant.state == "failed"
    assert "not connected" in grant.last_error


def test_a_list_without_a_code_for_a_far_day_is_no_trouble_yet(
    session: Session, city: City, space: Space, booking: Booking, mend
) -> None:
    set_up_door(session, city, space)
    grant = mend(booking, NOW)
    assert grant.state == "pending"
    assert grant.retry_at == grant.span.start - timedelta(days=3)
    assert mend(booking, booking.span.start - timedelta(days=2)).state == "failed"


def test_a_code_taken_off_the_list_is_replaced(
    session: Session,
    city: City,
    space: Space,
    venue: Venue,
    booking: Booking,
    mend,
    persona: Callable[[str], Person],
    run_jobs: Callable[[], int],
) -> None:
    set_up_door(session, city, space)
    for secret in ("1111", "2222"):
        session.add(DoorCode(city_id=city.id, space_id=space.id, secret=secret, valid_from=DAY))
        session.flush()
    grant = mend(booking)
    assert grant.secret == "2222"
    manager = actor_of(session, persona("manager"))
    remove_code(session, space, venue, int(grant.reference), actor=manager, at=NOW)
    session.commit()
    run_jobs()
    (grant,) = session.scalars(select(AccessGrant))
    assert (grant.state, grant.secret) == ("ready", "1111")
    told = str(session.scalars(select(AuditEntry.details)).all())
    assert "1111" not in told
    assert "2222" not in told


def test_by_date_and_in_turn() -> None:
    days = [date(2026, 12, n) for n in (1, 8, 15)]
    codes = [
        ListedCode(1, days[0], None, NOW),
        ListedCode(2, days[1], None, NOW - HOUR),
        ListedCode(3, days[2], days[2], None),
    ]

    def pick(day: date, choice: str, kept: int | None = None) -> int | None:
        code = chosen_code(codes, day, day, choice=choice, kept_id=kept)
        return code.id if code else None

    assert pick(date(2026, 11, 30), "by_date") is None
    assert [pick(day, "by_date") for day in days] == [1, 2, 3]
    assert [pick(day, "in_turn") for day in days] == [1, 2, 3]
    assert pick(date(2026, 12, 20), "in_turn") == 2
    assert pick(date(2026, 12, 20), "by_date", kept=1) == 1
    assert pick(date(2026, 12, 20), "by_date", kept=3) == 2
    assert chosen_code(codes, days[2], days[2] + timedelta(days=1), choice="by_date") == codes[1]


def test_waits_grow_and_end() -> None:
    waits = [wait_after(n) for n in range(1, MOST_ATTEMPTS + 1)]
    assert waits[0] == timedelta(minutes=1)
    assert waits[-1] is None
    lengths = [wait for wait in waits if wait is not None]
    assert lengths == sorted(lengths)
    assert max(lengths) == timedelta(hours=2)


def test_dates_of_a_series_have_one_code(
    session: Session, city: City, space: Space, person: Person, mend
) -> None:
    set_up_door(session, city, space, choice="in_turn")
    for secret in ("1111", "2222", "3333"):
        session.add(DoorCode(city_id=city.id, space_id=space.id, secret=secret, valid_from=DAY))
    actor = actor_of(session, person)
    found = [book(session, city, space, actor, span_on(city, n, n + 1)) for n in (9, 11, 13)]
    single = book(session, city, space, actor, span_on(city, 15, 16))
    for booking in found:
        ask = next_ask(session, city.id, booking.id, at=NOW)
        assert ask is not None
    session.execute(update(AccessGrant).values(series_key="7", retry_at=NOW))
    secrets = {mend(booking).secret for booking in found}
    assert len(secrets) == 1
    assert mend(single).secret not in secrets


def test_jobs_run_inside_an_application(session: Session, app: Flask, city: City) -> None:
    session.commit()
    with application():
        jobs.mend(city.id, 1, at=NOW)
