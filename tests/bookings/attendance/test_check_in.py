"""Checking in: when, by whom, and taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.attendance.actions import check_in, check_in_at, set_attendance, undo_check_in
from bookings.attendance.errors import NoRightToCheckIn, NotCheckInTime, NotThisDoor
from bookings.attendance.models import SpaceAttendance
from bookings.attendance.rules import EARLY, is_check_in_time
from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue
from tests.bookings.attendance.conftest import ask_to_check_in
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person

ADMIT = ("manager", "venue manager", "handler", "crew", "staff")
NOT = ("viewer", "outsider", "member", "booker", "manager elsewhere", "staff of another city")


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    space = open_space(session, city, venue)
    ask_to_check_in(session, city, space)
    return space


@pytest.fixture
def booking(session: Session, city: City, space: Space, person: Person) -> Booking:
    return book(session, city, space, actor_of(session, person), span_on(city, 18, 20))


@pytest.mark.parametrize("what", ADMIT)
def test_who_lets_people_in_checks_them_in_and_takes_it_back(
    session: Session, venue: Venue, booking: Booking, persona: Callable[[str], Person], what: str
) -> None:
    actor, at = actor_of(session, persona(what)), booking.span.start
    assert check_in(session, booking, venue, actor=actor, at=at)
    assert (booking.checked_in_at, booking.checked_in_by) == (at, actor.person_id)
    assert not check_in(session, booking, venue, actor=actor, at=at + timedelta(minutes=1))
    assert booking.checked_in_at == at
    assert undo_check_in(session, booking, venue, actor=actor, at=at)
    session.refresh(booking)
    assert [booking.checked_in_at, booking.checked_in_by] == [None, None]
    assert not undo_check_in(session, booking, venue, actor=actor, at=at)
    session.flush()
    done = session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.subject_kind == "booking", AuditEntry.subject_id == booking.id)
        .order_by(AuditEntry.id)
    ).all()
    assert done[-2:] == ["booking.checked_in", "booking.check_in_undone"]


@pytest.mark.parametrize("what", NOT)
def test_nobody_else_does(
    session: Session, venue: Venue, booking: Booking, persona: Callable[[str], Person], what: str
) -> None:
    actor = actor_of(session, persona(what))
    with pytest.raises(NoRightToCheckIn):
        check_in(session, booking, venue, actor=actor, at=booking.span.start)
    with pytest.raises(NoRightToCheckIn):
        undo_check_in(session, booking, venue, actor=actor, at=booking.span.start)
    assert booking.checked_in_at is None


def test_the_booker_and_any_member_of_the_organisation_check_in(
    session: Session, city: City, venue: Venue, space: Space, person: Person
) -> None:
    club = make_organisation(session, city)
    join(session, person, club)
    player = make_person(session, city, name="Pelaaja")
    join(session, player, club, "member")
    booking = book(
        session, city, space, actor_of(session, person), span_on(city, 18, 20), organisation_id=club.id
    )
    assert check_in(session, booking, venue, actor=actor_of(session, player), at=booking.span.start)
    assert booking.checked_in_by == player.id
    other = book(session, city, space, actor_of(session, person), span_on(city, 20, 21))
    with pytest.raises(NoRightToCheckIn):
        check_in(session, other, venue, actor=actor_of(session, player), at=other.span.start)
    assert check_in(session, other, venue, actor=actor_of(session, person), at=other.span.start)


@pytest.mark.parametrize(
    ("after_start", "may"),
    [
        (-EARLY - timedelta(microseconds=1), False),
        (-EARLY, True),
        (timedelta(hours=2) - timedelta(microseconds=1), True),
        (timedelta(hours=2), False),
    ],
)
def test_the_window_is_from_half_an_hour_before_to_the_end(
    session: Session, venue: Venue, booking: Booking, person: Person, after_start: timedelta, may: bool
) -> None:
    at = booking.span.start + after_start
    if may:
        assert check_in(session, booking, venue, actor=actor_of(session, person), at=at)
    else:
        with pytest.raises(NotCheckInTime):
            check_in(session, booking, venue, actor=actor_of(session, person), at=at)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.integers(1, 5000), st.integers(-100, 6000)
)
def test_the_window_never_opens_outside_itself(start: datetime, minutes: int, away: int) -> None:
    begin = start.replace(tzinfo=NOW.tzinfo)
    span = Span(begin, begin + timedelta(minutes=minutes))
    assert is_check_in_time(span, begin + timedelta(minutes=away)) == (-30 <= away < minutes)


def test_a_cancelled_booking_and_another_door_are_refused(
    session: Session, city: City, venue: Venue, space: Space, booking: Booking, person: Person
) -> None:
    actor = actor_of(session, person)
    other = open_space(session, city, venue)
    with pytest.raises(NotThisDoor):
        check_in_at(session, other, booking, venue, actor=actor, at=booking.span.start)
    cancel_booking(session, city, booking, actor=actor, at=NOW)
    with pytest.raises(IllegalTransition):
        check_in_at(session, space, booking, venue, actor=actor, at=booking.span.start)


def test_only_a_stricter_rule_binds_later_bookings_alone(
    session: Session, venue: Venue, space: Space, persona: Callable[[str], Person]
) -> None:
    manager, kept = (
        actor_of(session, persona("manager")),
        session.get(SpaceAttendance, (space.city_id, space.id)),
    )
    assert kept is not None
    later = NOW + timedelta(days=1)

    def change(mode: str, minutes: int) -> bool:
        return set_attendance(
            session, space, venue, actor=manager, mode=mode, release_minutes=minutes, at=later
        )

    assert change("required", 30)
    assert kept.since == NOW
    assert not change("required", 30)
    assert change("required", 20)
    assert kept.since == later
    with pytest.raises(NotYourVenue):
        set_attendance(
            session,
            space,
            venue,
            actor=actor_of(session, persona("handler")),
            mode="off",
            release_minutes=20,
            at=later,
        )
