"""The owner gives a booking another time: who may, what is kept, and that of two moves to one slot one wins."""

import threading
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.desk.queries import moved_span
from bookings.lifecycle.actions import cancel_booking, move_booking
from bookings.lifecycle.errors import InThePast, NotMovable, NotOpen
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.db import span_of, transaction
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim, DaySheet
from spaces.calendar.queries import calendar_of
from spaces.calendar.rules import sheet_word
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue
from tests.bookings.desk.conftest import STRANGERS
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_person
from tests.factories.spaces import make_space, make_unit, make_venue


@pytest.fixture
def hall(session: Session, city: City, venue: Venue) -> Space:
    return open_space(session, city, venue, buffer_after_minutes=30)


@pytest.fixture
def booking(session: Session, city: City, hall: Space, person: Person) -> Booking:
    return book(session, city, hall, actor_of(session, person), span_on(city, 18, 20), at=NOW)


def claims_of(session: Session, booking: Booking) -> set[tuple[int, Span]]:
    rows = session.execute(select(Claim.part, Claim.during).where(Claim.holder_id == booking.id))
    return {(part, span_of(during)) for part, during in rows}


def move(session: Session, city: City, booking: Booking, person: Person, during: Span, **more: Any) -> None:
    space = session.get_one(Space, (city.id, booking.space_id))
    venue = session.get_one(Venue, (city.id, space.venue_id))
    values: dict[str, Any] = {"at": NOW, **more}
    move_booking(
        session, city, booking, space, venue, actor=actor_of(session, person), during=during, **values
    )


def test_time_claims_sheet_and_trail_follow(
    session: Session, city: City, booking: Booking, hall: Space, persona: Callable[[str], Person]
) -> None:
    sold = booking.total_minor
    to = span_on(city, 9, 11)
    move(session, city, booking, persona("handler"), to, note="Sali huolletaan")
    session.refresh(booking)
    assert booking.span == to
    assert (booking.total_minor, booking.state) == (sold, "confirmed")
    buffered = Span(to.end, to.end + timedelta(minutes=30))
    assert claims_of(session, booking) == {(0, to), (2, buffered)}
    sheet = session.scalars(select(DaySheet.free).where(DaySheet.space_id == hall.id)).one()
    free = calendar_of(session, city.id, hall.id, span_on(city, 0, 24), city.zone).free
    assert sheet[DAY.day - 1] == sheet_word(free, DAY, city.zone)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.moved")).one()
    assert entry.details["before"]["start"] == span_on(city, 18, 20).start.isoformat()
    assert entry.details["after"]["end"] == to.end.isoformat()


def test_a_move_may_overlap_the_old_time(
    session: Session, city: City, booking: Booking, persona: Callable[[str], Person]
) -> None:
    move(session, city, booking, persona("manager"), span_on(city, 19, 21))
    assert booking.span == span_on(city, 19, 21)


def test_to_the_same_time_is_no_move(
    session: Session, city: City, booking: Booking, persona: Callable[[str], Person]
) -> None:
    move(session, city, booking, persona("manager"), booking.span)
    assert (
        session.scalar(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "booking.moved")
        )
        == 0
    )


@pytest.mark.parametrize(
    ("start", "end", "refusal"),
    [(12, 14, SlotTaken), (13.75, 15.75, SlotTaken), (21, 23, NotOpen), (3, 5, NotOpen)],
    ids=["taken", "in a buffer", "past closing", "at night"],
)
def test_the_old_time_is_kept_when_the_new_one_cannot_be_had(
    session: Session,
    city: City,
    booking: Booking,
    hall: Space,
    person: Person,
    persona: Callable[[str], Person],
    start: float,
    end: float,
    refusal: type[Exception],
) -> None:
    book(session, city, hall, actor_of(session, person), span_on(city, 11.5, 13.5))
    before = claims_of(session, booking)
    with pytest.raises(refusal):
        move(session, city, booking, persona("manager"), span_on(city, start, end))
    session.expire_all()
    assert booking.span == span_on(city, 18, 20)
    assert claims_of(session, booking) == before
    # And the transaction goes on.
    move(session, city, booking, persona("staff"), span_on(city, 8, 10))
    assert booking.span == span_on(city, 8, 10)


def test_a_part_is_not_moved_under_the_whole(
    session: Session, city: City, venue: Venue, person: Person, persona: Callable[[str], Person]
) -> None:
    halves = [make_unit(session, venue), make_unit(session, venue)]
    half = open_space(session, city, venue, units=halves[:1])
    whole = open_space(session, city, venue, units=halves)
    actor = actor_of(session, person)
    book(session, city, whole, actor, span_on(city, 10, 12))
    booking = book(session, city, half, actor, span_on(city, 14, 16))
    with pytest.raises(SlotTaken):
        move(session, city, booking, persona("manager"), span_on(city, 11, 13))


def test_not_to_the_past_and_not_what_is_over(
    session: Session, city: City, booking: Booking, person: Person, persona: Callable[[str], Person]
) -> None:
    manager = persona("manager")
    noon = span_on(city, 12, 13).start
    with pytest.raises(InThePast):
        move(session, city, booking, manager, span_on(city, 9, 11), at=noon)
    with pytest.raises(NotMovable):
        move(session, city, booking, manager, span_on(city, 20, 22), at=booking.span.start)
    cancel_booking(session, city, booking, actor=actor_of(session, person), at=NOW)
    with pytest.raises(NotMovable):
        move(session, city, booking, manager, span_on(city, 9, 11))
    assert claims_of(session, booking) == set()


def test_whoever_is_moved_may_give_back_for_a_day(
    session: Session, city: City, booking: Booking, persona: Callable[[str], Person]
) -> None:
    manager = persona("manager")
    move(session, city, booking, manager, span_on(city, 9, 11))
    assert booking.cancel_free_until == booking.span.start - timedelta(hours=24)
    soon = booking.span.start - timedelta(hours=5)
    move(session, city, booking, manager, span_on(city, 19, 21), at=soon)
    assert booking.cancel_free_until == booking.span.start, "a day from now is past its beginning"


@pytest.mark.parametrize("what", ["viewer", "crew", *STRANGERS])
def test_nobody_else_moves(
    session: Session, city: City, booking: Booking, persona: Callable[[str], Person], what: str
) -> None:
    with pytest.raises(NotYourVenue):
        move(session, city, booking, persona(what), span_on(city, 9, 11))
    assert booking.span == span_on(city, 18, 20)


def test_not_even_the_one_who_booked(session: Session, city: City, booking: Booking, person: Person) -> None:
    with pytest.raises(NotYourVenue):
        move(session, city, booking, person, span_on(city, 9, 11))


@pytest.mark.parametrize(
    ("day", "opens", "clock", "hours"),
    [
        (date(2027, 3, 28), 23, time(2, 30), 2),  # 3.00 does not exist, so two hours end at 5.30
        (date(2027, 10, 31), 25, time(2, 30), 2),  # 3.00 comes twice, so they end at 3.30 the second time
    ],
)
def test_the_length_is_kept_where_the_clocks_change(
    session: Session, city: City, venue: Venue, day: date, opens: int, clock: time, hours: int
) -> None:
    space = open_space(session, city, venue, first=day, hours=(time(0), time(0)))
    was = span_on(city, 18, 18 + hours, day=day)
    during = moved_span(session, city, space, was, day=day, clock=clock)
    assert during is not None
    assert during.length == was.length
    local = during.end.astimezone(city.zone)
    assert (local.hour, local.minute) == ((5, 30) if opens == 23 else (3, 30))


def test_whole_days_move_to_whole_days(session: Session, city: City, venue: Venue) -> None:
    space = open_space(session, city, venue, whole_days=True, max_minutes=2880, hours=(time(8), time(20)))
    two_days = Span(span_on(city, 8, 9).start, span_on(city, 43, 44).end)
    found = moved_span(session, city, space, two_days, day=DAY + timedelta(days=7), clock=time(0))
    assert found == Span(two_days.start + timedelta(days=7), two_days.end + timedelta(days=7))


def test_a_drag_posts_what_the_form_posts(
    session: Session,
    city: City,
    space: Space,
    person: Person,
    at_hours: Callable[[float, float], Span],
    client_of: Callable[[str], FlaskClient],
    day: date,
) -> None:
    booking = book(session, city, space, actor_of(session, person), at_hours(18, 20))
    taken = book(session, city, space, actor_of(session, person), at_hours(12, 14))
    session.commit()
    client = client_of("manager")
    path = f"/en/desk/bookings/{booking.reference}/time"
    form = client.get(path)
    assert form.status_code == 200
    assert 'value="18.00"' in form.text
    for fields, status, said in (
        ({"on": day.isoformat(), "clock": "13.00"}, 409, "The booking keeps its time"),
        ({"on": day.isoformat(), "clock": "23:30"}, 422, "The booking keeps its time"),
        ({"on": "2027-02-30", "clock": "25.00"}, 422, "Write a date"),
        ({"on": "", "clock": ""}, 422, "Write a time"),
        ({"on": day.isoformat(), "clock": "9", "note": "x" * 1001}, 422, "1,000"),
    ):
        answer = client.post(path, data=fields)
        assert (answer.status_code, said in answer.text) == (status, True), fields
        session.expire_all()
        assert booking.span == at_hours(18, 20)
    answer = client.post(path, data={"on": day.isoformat(), "clock": "9.15"})
    assert answer.status_code == 303
    assert answer.location.startswith("/en/desk/timeline")
    session.expire_all()
    assert booking.span == at_hours(9.25, 11.25)
    assert "Moved to" in client.get(answer.location).text
    assert taken.span == at_hours(12, 14)


@pytest.mark.parametrize("what", ["crew", "viewer", *STRANGERS])
def test_the_form_is_for_those_who_handle(
    session: Session,
    city: City,
    space: Space,
    person: Person,
    at_hours: Callable[[float, float], Span],
    client_of: Callable[[str], FlaskClient],
    day: date,
    what: str,
) -> None:
    booking = book(session, city, space, actor_of(session, person), at_hours(18, 20))
    session.commit()
    client = client_of(what)
    path = f"/en/desk/bookings/{booking.reference}/time"
    for answer in (client.get(path), client.post(path, data={"on": day.isoformat(), "clock": "9.00"})):
        # A stranger does not learn that the booking exists; who is not of this city is asked to sign in.
        assert answer.status_code in {403, 404, 302, 303}
    session.expire_all()
    assert booking.span == at_hours(18, 20)


def test_of_two_moves_to_one_slot_one_wins(committing: Engine) -> None:
    with transaction() as session:
        city = make_city(session)
        staff = make_person(session, city, is_staff=True)
        venue = make_venue(session, city)
        space = make_space(session, venue)
        compile_spaces(session, city, [space.id], first=DAY, last=DAY.replace(day=28))
        actor = actor_of(session, staff)
        ids = [
            book(session, city, space, actor, span_on(city, hour, hour + 2)).id for hour in (8, 10, 18, 20)
        ]
    outcomes = race(committing, city, ids, actor_id=staff.id, to=[span_on(city, 14, 16)] * len(ids))
    assert sorted(outcomes) == ["moved", "taken", "taken", "taken"]
    with Session(committing) as session:
        bodies = session.scalars(select(Claim.during).where(Claim.part == 0)).all()
        bookings = session.scalars(select(Booking.during)).all()
    assert len(bodies) == len(ids)
    assert {(b.lower, b.upper) for b in bodies} == {(b.lower, b.upper) for b in bookings}


def test_moves_that_cross_do_not_wait_for_each_other(committing: Engine) -> None:
    """Two halves of one hall, one booking from this month to the next and one back: both touch the hall's sheets."""
    with transaction() as session:
        city = make_city(session)
        staff = make_person(session, city, is_staff=True)
        venue = make_venue(session, city)
        units = [make_unit(session, venue), make_unit(session, venue)]
        halves = [make_space(session, venue, units=[unit]) for unit in units]
        whole = make_space(session, venue, units=units)
        later = DAY + timedelta(days=40)
        compile_spaces(
            session, city, [s.id for s in (*halves, whole)], first=DAY, last=later + timedelta(days=5)
        )
        actor = actor_of(session, staff)
        here, there = span_on(city, 10, 12), span_on(city, 10, 12, day=later)
        first = book(session, city, halves[0], actor, here)
        second = book(session, city, halves[1], actor, there)
        ids = [first.id, second.id]
    for _ in range(5):
        assert race(committing, city, ids, actor_id=staff.id, to=[there, here]) == ["moved", "moved"]
        here, there = there, here


def race(engine: Engine, city: City, ids: list[int], *, actor_id: int, to: list[Span]) -> list[str]:
    """Move all of them at once, each in a transaction of its own."""
    outcomes = [""] * len(ids)
    gate = threading.Barrier(len(ids))

    def one(n: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            booking = session.get_one(Booking, (city.id, ids[n]))
            space = session.get_one(Space, (city.id, booking.space_id))
            venue = session.get_one(Venue, (city.id, space.venue_id))
            actor = actor_of(session, session.get_one(Person, (city.id, actor_id)))
            gate.wait()
            try:
                move_booking(session, city, booking, space, venue, actor=actor, during=to[n], at=NOW)
                session.commit()
                outcomes[n] = "moved"
            except SlotTaken:
                session.rollback()
                outcomes[n] = "taken"

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(ids))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
