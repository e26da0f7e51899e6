"""Whatever happens in whatever order: every active booking has exactly its claims, and nothing else has any."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import (
    approve_booking,
    cancel_booking,
    complete_bookings,
    decline_booking,
    expire_request,
)
from bookings.lifecycle.errors import IllegalTransition, TooLateToCancel
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import HOLDING
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.timespan import Span, day_span
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim, DaySheet
from spaces.calendar.queries import calendars_of
from spaces.calendar.rules import sheet_word
from spaces.catalog.models import Space, SpaceUnit, Venue
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.people import actor_of, make_person
from tests.factories.spaces import make_unit, make_venue

ACTIONS = st.one_of(
    st.tuples(st.just("request"), st.integers(0, 4), st.integers(8, 20), st.integers(1, 3)),
    st.tuples(st.sampled_from(["cancel", "approve", "decline"]), st.integers(0, 30)),
    st.tuples(st.just("time"), st.integers(8, 22)),
)


class Hall:
    """A hall of two halves, one half asked for by handler, the other with buffers; a lawn for two."""

    def __init__(self, session: Session, city: City) -> None:
        venue = make_venue(session, city)
        a, b = make_unit(session, venue), make_unit(session, venue)
        lawn = make_unit(session, venue, lanes=2)
        month = {"first": date(2026, 12, 1), "last": date(2026, 12, 2)}
        self.venue: Venue = venue
        self.spaces: list[Space] = [
            open_space(session, city, venue, units=[a, b], **month),
            open_space(session, city, venue, units=[a], approval="handler", **month),
            open_space(
                session, city, venue, units=[b], buffer_before_minutes=30, buffer_after_minutes=30, **month
            ),
            open_space(session, city, venue, units=[lawn], **month),
            open_space(session, city, venue, units=[lawn, b], **month),
        ]
        self.units = {
            space.id: set(session.scalars(select(SpaceUnit.unit_id).where(SpaceUnit.space_id == space.id)))
            for space in self.spaces
        }
        self.people: list[Actor] = [actor_of(session, make_person(session, city)) for _ in range(2)]
        self.desk = Actor(city.id, person_id=self.people[0].person_id, is_verified=True, is_staff=True)


@contextmanager
def undone(session: Session) -> Iterator[None]:
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        session.expire_all()


def expected_claims(
    booking: Booking, space: Space, units: set[int]
) -> set[tuple[int, int, datetime, datetime]]:
    span = booking.span
    before = timedelta(minutes=space.buffer_before_minutes)
    after = timedelta(minutes=space.buffer_after_minutes)
    parts = [(0, span.start, span.end)]
    if before:
        parts.append((1, span.start - before, span.start))
    if after:
        parts.append((2, span.end, span.end + after))
    return {(unit, *part) for unit in units for part in parts}


def check(session: Session, city: City, hall: Hall) -> None:
    spaces = {space.id: space for space in hall.spaces}
    claims: dict[int, set[tuple[int, int, datetime, datetime]]] = {}
    for claim in session.scalars(select(Claim)):
        start, end = claim.during.lower, claim.during.upper
        assert start is not None
        assert end is not None
        claims.setdefault(claim.holder_id, set()).add((claim.unit_id, claim.part, start, end))
    for booking in session.scalars(select(Booking)):
        space = spaces[booking.space_id]
        expected = (
            expected_claims(booking, space, hall.units[space.id]) if booking.state in HOLDING else set()
        )
        assert claims.pop(booking.id, set()) == expected
    assert claims == {}
    window = Span(day_span(DAY, city.zone).start, day_span(DAY, city.zone).end)
    calendars = calendars_of(session, city.id, list(spaces), window, city.zone)
    for space_id, calendar in calendars.items():
        kept = session.scalar(select(DaySheet.free).where(DaySheet.space_id == space_id))
        assert kept is not None
        assert kept[DAY.day - 1] == sheet_word(calendar.free, DAY, city.zone)


def act(session: Session, city: City, hall: Hall, action: tuple[object, ...], made: list[Booking]) -> None:
    kind = action[0]
    if kind == "request":
        _, which, hour, length = action
        assert isinstance(which, int)
        assert isinstance(hour, int)
        assert isinstance(length, int)
        during = span_on(city, hour, min(hour + length, 22))
        made.append(book(session, city, hall.spaces[which], hall.people[len(made) % 2], during))
    elif kind == "time":
        assert isinstance(action[1], int)
        at = span_on(city, action[1], action[1] + 1).start.astimezone(UTC)
        complete_bookings(session, city.id, at=at)
        while expire_request(session, city.id, at=at):
            pass
    elif made:
        assert isinstance(action[1], int)
        booking = made[action[1] % len(made)]
        owner = next(actor for actor in hall.people if actor.person_id == booking.person_id)
        if kind == "cancel":
            cancel_booking(session, city, booking, actor=owner, at=NOW)
        elif kind == "approve":
            approve_booking(session, city, booking, hall.venue, actor=hall.desk, at=NOW)
        else:
            decline_booking(session, city, booking, hall.venue, actor=hall.desk, reason="-", at=NOW)


def test_random_requests_and_cancellations(session: Session, city: City) -> None:
    hall = Hall(session, city)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ACTIONS, min_size=4, max_size=14))
    def any_order(actions: list[tuple[object, ...]]) -> None:
        with undone(session):
            made: list[Booking] = []
            for action in actions:
                with suppress(SlotTaken, IllegalTransition, TooLateToCancel):
                    act(session, city, hall, action, made)
                check(session, city, hall)

    any_order()
