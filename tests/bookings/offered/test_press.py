"""One press books; for two minutes it can be taken back, and then it is as if it had never been."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from bookings.feeds.models import CalendarFeed
from bookings.feeds.queries import bookings_in, window_around
from bookings.lifecycle.actions import cancel_booking, move_booking, request_booking
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import NoRightToCancel
from bookings.lifecycle.hold_actions import forget_lapsed
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import past_bookings, upcoming_bookings
from bookings.lifecycle.rules import PRESS_TOLD_AFTER, PRESS_UNDO
from bookings.offered.actions import press_offer, undo_press
from bookings.offered.errors import NotYourPress, PressOver
from bookings.offered.panels import undo_left
from bookings.responsible.actions import add_person, remove_person
from bookings.talk.actions import write_message
from marketplace.accounts.models import Membership, Organisation, Person
from marketplace.cities.models import City
from marketplace.notifications.models import Mail
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim, DaySheet
from spaces.calendar.queries import calendar_of
from spaces.catalog.models import Space, Venue
from spaces.pricing.models import DiscountCode
from tests.factories.bookings import DAY, NOW, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person

SECOND = timedelta(seconds=1)


@pytest.fixture
def space(session: Session, city: City) -> Space:
    space = open_space(session, city)
    session.commit()
    return space


def press(session: Session, city: City, space: Space, person: Person, **fields) -> Booking:
    values = {
        "actor": actor_of(session, person),
        "during": span_on(city, 18, 20),
        "purpose": "Vuosikokous",
        "attendees": 25,
        "organisation_id": None,
        "submission": "press-12345678",
        "expected_total_minor": 4000,
        "at": NOW,
        **fields,
    }
    return press_offer(session, city, space, **values)


def undo(
    session: Session, city: City, booking: Booking, person: Person, *, after: timedelta = SECOND
) -> None:
    undo_press(session, city, booking, actor=actor_of(session, person), at=NOW + after)


def mails(session: Session) -> list[str]:
    return [name.rpartition("/")[2] for name in session.scalars(select(Mail.template).order_by(Mail.id))]


def time_passes(session: Session) -> None:
    session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()"))
    session.commit()


def sheets(session: Session) -> list[tuple[Any, ...]]:
    rows = session.execute(
        select(DaySheet.space_id, DaySheet.month, DaySheet.free).order_by(*DaySheet.__mapper__.primary_key)
    )
    return [(a, b, tuple(c)) for a, b, c in rows]


def test_it_holds_at_once_and_is_told_after_two_minutes(
    session: Session, city: City, space: Space, person: Person, run_jobs: Callable[[], int]
) -> None:
    booking = press(session, city, space, person)
    session.commit()
    assert (booking.state, booking.purpose, booking.attendees, booking.payment) == (
        "confirmed",
        "Vuosikokous",
        25,
        "due",
    )
    run_jobs()
    assert mails(session) == []
    time_passes(session)
    run_jobs()
    assert mails(session) == ["confirmed"]
    with pytest.raises(PressOver):
        undo(session, city, booking, person)


def test_pressing_twice_books_once(session: Session, city: City, space: Space, person: Person) -> None:
    assert press(session, city, space, person) is press(session, city, space, person)
    assert session.scalar(select(func.count()).select_from(Booking)) == 1


def test_undoing_leaves_nothing_behind(
    session: Session, city: City, space: Space, person: Person, run_jobs: Callable[[], int]
) -> None:
    before = sheets(session)
    booking = press(session, city, space, person)
    session.commit()
    assert sheets(session) != before
    undo(session, city, booking, person, after=PRESS_UNDO)
    session.commit()
    assert sheets(session) == before
    assert session.scalar(select(func.count()).select_from(Claim)) == 0
    actor = actor_of(session, person)
    assert upcoming_bookings(session, actor, at=NOW) == []
    assert past_bookings(session, actor, at=NOW, limit=10) == []
    assert (booking.payment, booking.requested_at) == ("not_needed", None)
    time_passes(session)
    run_jobs()
    assert mails(session) == []
    again = press(session, city, space, person)  # the same form may book again
    assert again.id != booking.id
    assert again.state == "confirmed"
    assert forget_lapsed(session, city.id, before=NOW + timedelta(days=2)) == 1


def test_undoing_gives_a_discount_back(session: Session, city: City, space: Space, person: Person) -> None:
    code = DiscountCode(
        city_id=city.id, space_id=space.id, code="ONCE", percent=50, valid_from=date(2026, 1, 1), max_uses=1
    )
    session.add(code)
    session.flush()
    booking = request_booking(
        session,
        city,
        space,
        actor=actor_of(session, person),
        during=span_on(city, 18, 20),
        purpose="",
        attendees=None,
        organisation_id=None,
        submission="with-a-code",
        at=NOW,
        source="offer",
        details=Details(code="once"),
        may_undo=True,
    )
    session.refresh(code)
    assert (code.uses, booking.total_minor) == (1, 2000)
    undo(session, city, booking, person)
    session.refresh(code)
    assert code.uses == 0


def test_it_costs_nothing_even_when_cancelling_would(
    session: Session, city: City, space: Space, person: Person
) -> None:
    space.cancellation_hours = 24 * 30
    booking = press(session, city, space, person)
    assert booking.cancel_free_until < NOW
    undo(session, city, booking, person)
    assert (booking.state, booking.kept_minor, booking.payment) == ("expired", None, "not_needed")


def test_the_last_moment_is_before_the_news(
    session: Session, city: City, space: Space, person: Person
) -> None:
    booking = press(session, city, space, person)
    with pytest.raises(PressOver):
        undo(session, city, booking, person, after=PRESS_TOLD_AFTER)
    assert booking.state == "confirmed"
    # The refusal has not taken the news away.
    undo(session, city, booking, person, after=PRESS_TOLD_AFTER - SECOND)
    assert booking.state == "expired"


def test_only_presses_are_undone(session: Session, city: City, space: Space, person: Person) -> None:
    booking = request_booking(
        session,
        city,
        space,
        actor=actor_of(session, person),
        during=span_on(city, 18, 20),
        purpose="",
        attendees=None,
        organisation_id=None,
        submission="ordinary",
        at=NOW,
    )
    with pytest.raises(PressOver):
        undo(session, city, booking, person)


def test_only_who_pressed_undoes_and_only_as_long_as_they_belong(
    session: Session, city: City, space: Space, person: Person
) -> None:
    organisation = make_organisation(session, city)
    membership = join(session, person, organisation, "booker")
    colleague = make_person(session, city)
    join(session, colleague, organisation, "manager")
    booking = press(session, city, space, person, organisation_id=organisation.id)
    with pytest.raises(NotYourPress):
        undo(session, city, booking, colleague)
    with pytest.raises(NotYourPress):
        undo(session, city, booking, make_person(session, city))
    session.delete(session.get_one(Membership, (city.id, membership.id)))
    session.flush()
    with pytest.raises(NoRightToCancel):
        undo(session, city, booking, person)
    assert booking.state == "confirmed"


def test_what_the_owner_has_moved_is_known_and_stays(
    session: Session, city: City, space: Space, person: Person
) -> None:
    venue = session.get_one(Venue, (city.id, space.venue_id))
    manager = make_person(session, city)
    join(session, manager, session.get_one(Organisation, (city.id, venue.owner_id)), "manager")
    booking = press(session, city, space, person)
    move_booking(
        session,
        city,
        booking,
        space,
        venue,
        actor=actor_of(session, manager),
        during=span_on(city, 10, 12),
        at=NOW + SECOND,
    )
    with pytest.raises(PressOver):
        undo(session, city, booking, person, after=2 * SECOND)


def tell_the_owner(session: Session, city: City, booking: Booking, person: Person) -> None:
    space = session.get_one(Space, (city.id, booking.space_id))
    write_message(
        session,
        booking,
        session.get_one(Venue, (city.id, space.venue_id)),
        actor=actor_of(session, person),
        text="Saammeko avaimet?",
        is_question=False,
        submission="message-1",
        at=NOW + SECOND,
    )


def tell_a_helper(session: Session, city: City, booking: Booking, person: Person) -> None:
    helper = make_person(session, city)
    add_person(session, booking, actor=actor_of(session, person), at=NOW + SECOND, email=helper.email)


def tell_a_helper_and_regret(session: Session, city: City, booking: Booking, person: Person) -> None:
    """The mail is on its way all the same."""
    helper = make_person(session, city)
    actor = actor_of(session, person)
    add_person(session, booking, actor=actor, at=NOW + SECOND, email=helper.email)
    remove_person(session, booking, helper.id, actor=actor)


@pytest.mark.parametrize("tell", [tell_the_owner, tell_a_helper, tell_a_helper_and_regret])
def test_whoever_has_told_somebody_cannot_undo(
    app: Flask,
    session: Session,
    city: City,
    space: Space,
    person: Person,
    tell: Callable[[Session, City, Booking, Person], None],
    run_jobs: Callable[[], int],
) -> None:
    booking = press(session, city, space, person)
    other = press(
        session, city, space, person, during=span_on(city, 10, 12), submission="press-of-another-time"
    )
    tell(session, city, booking, person)
    session.commit()
    with app.test_request_context():
        g.city = city
        assert undo_left(session, booking, at=NOW + SECOND) is None
        assert undo_left(session, other, at=NOW + SECOND) is not None
    with pytest.raises(PressOver):
        undo(session, city, booking, person, after=2 * SECOND)
    undo(session, city, other, person, after=2 * SECOND)
    session.commit()
    assert (booking.state, other.state) == ("confirmed", "expired")
    time_passes(session)
    run_jobs()
    assert "confirmed" in mails(session)  # the refusal has not taken the news away


def test_who_cancels_meanwhile_hears_of_that_only(
    session: Session, city: City, space: Space, person: Person, run_jobs: Callable[[], int]
) -> None:
    booking = press(session, city, space, person)
    cancel_booking(session, city, booking, actor=actor_of(session, person), at=NOW + SECOND)
    session.commit()
    time_passes(session)
    run_jobs()
    assert mails(session) == ["cancelled"]


def test_the_owners_calendar_does_not_have_it_yet(
    session: Session, city: City, space: Space, person: Person
) -> None:
    press(session, city, space, person)
    feed = CalendarFeed(city_id=city.id, person_id=person.id, kind="space", space_id=space.id)
    own = CalendarFeed(city_id=city.id, person_id=person.id, kind="person")
    for at, seen in ((NOW + SECOND, 0), (NOW + PRESS_TOLD_AFTER, 1)):
        assert len(bookings_in(session, feed, window_around(at))) == seen
        assert len(bookings_in(session, own, window_around(at))) == 1


def test_the_line_moves_when_it_is_undone(session: Session, city: City, space: Space, person: Person) -> None:
    """Whoever began to wait in these two minutes is not forgotten."""
    booking = press(session, city, space, person)
    undo(session, city, booking, person)
    heard = session.scalars(
        text("SELECT args ->> 'handler' FROM procrastinate_jobs WHERE args ->> 'name' = 'booking.undone'")
    ).all()
    assert heard == ["bookings.waiting.jobs:follow_booking"]


def test_of_many_presses_at_once_one_has_the_time(committing: Engine) -> None:
    with Session(committing, expire_on_commit=False) as session:
        city = make_city(session)
        space = open_space(session, city)
        people = [make_person(session, city) for _ in range(6)]
        actors = [actor_of(session, person) for person in people]
        session.commit()

    def one(n: int) -> str:
        with Session(committing, expire_on_commit=False) as session, session.begin():
            try:
                press(session, city, space, people[n], actor=actors[n], submission=f"race-number-{n}")
            except SlotTaken:
                return "taken"
            return "booked"

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(one, range(6)))
    assert sorted(results) == ["booked", *["taken"] * 5]


def test_of_two_undoings_at_once_one_counts(committing: Engine) -> None:
    with Session(committing, expire_on_commit=False) as session:
        city = make_city(session)
        space = open_space(session, city)
        person = make_person(session, city)
        actor = actor_of(session, person)
        booking = press(session, city, space, person, actor=actor)
        session.commit()

    def one(_: int) -> str:
        with Session(committing, expire_on_commit=False) as session, session.begin():
            mine = session.get_one(Booking, (city.id, booking.id))
            try:
                undo_press(session, city, mine, actor=actor, at=NOW + SECOND)
            except PressOver:
                return "over"
            return "undone"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == ["over", "undone"]
    with Session(committing) as session:
        span = span_on(city, 18, 20, day=DAY)
        assert calendar_of(session, city.id, space.id, span, city.zone).free.contains(span)
