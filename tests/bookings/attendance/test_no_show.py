"""Nobody came: by the clock and by the owner's hand; the time is sold again; and taken back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bookings.attendance import jobs
from bookings.attendance.actions import check_in, mark_no_show, undo_no_show
from bookings.attendance.errors import NotBegun, SomebodyCame, TimeGivenAway
from bookings.attendance.models import SpaceAttendance
from bookings.lifecycle.actions import move_booking
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.jobs import finish_bookings
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.jobs.messages import Message
from marketplace.notifications.models import Mail
from spaces.calendar.models import Claim, DaySheet
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue
from tests.bookings.attendance.conftest import ask_to_check_in
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.people import actor_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    space = open_space(session, city, venue, buffer_after_minutes=30)
    ask_to_check_in(session, city, space)
    return space


@pytest.fixture
def booking(session: Session, city: City, space: Space, person: Person) -> Booking:
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    session.commit()
    return booking


def claims(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Claim)) or 0


def word(session: Session, space: Space) -> int:
    free = session.scalar(
        select(DaySheet.free).where(DaySheet.space_id == space.id, DaySheet.month == DAY.replace(day=1))
    )
    assert free is not None
    return free[DAY.day - 1]


def state_of(session: Session, booking: Booking) -> str:
    session.expire_all()
    return booking.state


def test_confirming_plans_one_look_at_the_very_minute(session: Session, booking: Booking) -> None:
    jobs.plan(session, Message("booking.confirmed", booking.city_id, {"booking_id": booking.id}))
    (at,) = session.execute(
        text("SELECT scheduled_at FROM procrastinate_jobs WHERE args->>'name' = 'attendance.due'")
    ).scalars()
    assert abs(at - booking.span.start - 15 * MINUTE) < MINUTE


def test_the_clock_gives_up_what_nobody_came_to_and_another_books_the_rest(
    session: Session, city: City, space: Space, booking: Booking, persona: Callable[[str], Person]
) -> None:
    free_before = word(session, space)
    start = booking.span.start
    jobs.release_all(at=start + 15 * MINUTE - timedelta(microseconds=1))
    assert state_of(session, booking) == "confirmed"
    assert claims(session) == 2
    jobs.release_all(at=start + 15 * MINUTE)
    assert state_of(session, booking) == "no_show"
    assert claims(session) == 0
    assert word(session, space) > free_before
    jobs.release_all(at=start + 16 * MINUTE)
    other = book(
        session,
        city,
        space,
        actor_of(session, persona("outsider")),
        span_on(city, 19, 20),
        at=start + 20 * MINUTE,
    )
    assert other.state == "confirmed"


def test_whoever_came_keeps_the_time(
    session: Session, venue: Venue, booking: Booking, person: Person
) -> None:
    check_in(session, booking, venue, actor=actor_of(session, person), at=booking.span.start)
    session.commit()
    jobs.release_all(at=booking.span.start + 60 * MINUTE)
    assert state_of(session, booking) == "confirmed"


@pytest.mark.parametrize("mode", ["off", "wanted"])
def test_nothing_is_given_up_where_check_in_is_not_required(
    session: Session, space: Space, booking: Booking, mode: str
) -> None:
    rule = session.get(SpaceAttendance, (space.city_id, space.id))
    assert rule is not None
    rule.mode = mode
    session.commit()
    jobs.release_all(at=booking.span.start + 60 * MINUTE)
    assert state_of(session, booking) == "confirmed"


def test_a_booking_made_before_the_rule_is_not_given_up(
    session: Session, space: Space, booking: Booking
) -> None:
    rule = session.get(SpaceAttendance, (space.city_id, space.id))
    assert rule is not None
    rule.since = NOW + MINUTE
    session.commit()
    jobs.release_all(at=booking.span.start + 60 * MINUTE)
    assert state_of(session, booking) == "confirmed"


def test_a_job_for_the_old_time_of_a_moved_booking_does_nothing(
    session: Session,
    city: City,
    space: Space,
    venue: Venue,
    booking: Booking,
    persona: Callable[[str], Person],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = booking.span.start + 15 * MINUTE
    move_booking(
        session,
        city,
        booking,
        space,
        venue,
        actor=actor_of(session, persona("manager")),
        during=span_on(city, 20, 21),
        at=NOW,
    )
    session.commit()
    message = Message("attendance.due", city.id, {"booking_id": booking.id})
    monkeypatch.setattr(jobs, "now", lambda: old)
    jobs.release(session, message)
    assert booking.state == "confirmed"
    monkeypatch.setattr(jobs, "now", lambda: booking.span.start + 15 * MINUTE)
    jobs.release(session, message)
    jobs.release(session, message)
    assert booking.state == "no_show"


def test_the_owner_says_nobody_came_and_takes_it_back(
    session: Session, city: City, venue: Venue, booking: Booking, persona: Callable[[str], Person]
) -> None:
    handler, start = actor_of(session, persona("handler")), booking.span.start
    with pytest.raises(NotBegun):
        mark_no_show(session, booking, venue, actor=handler, at=start - MINUTE)
    mark_no_show(session, booking, venue, actor=handler, at=start + MINUTE)
    assert (booking.state, claims(session)) == ("no_show", 0)
    with pytest.raises(IllegalTransition):
        mark_no_show(session, booking, venue, actor=handler, at=start + MINUTE)
    undo_no_show(session, city, booking, venue, actor=handler, at=start + 5 * MINUTE)
    assert (booking.state, claims(session)) == ("confirmed", 2)
    assert booking.checked_in_at == start + 5 * MINUTE
    with pytest.raises(SomebodyCame):
        mark_no_show(session, booking, venue, actor=handler, at=start + 6 * MINUTE)


@pytest.mark.parametrize("what", ["viewer", "crew", "outsider", "booker", "staff of another city"])
def test_only_those_who_handle_say_so(
    session: Session,
    city: City,
    venue: Venue,
    booking: Booking,
    persona: Callable[[str], Person],
    what: str,
) -> None:
    actor = actor_of(session, persona(what))
    with pytest.raises(NotYourVenue):
        mark_no_show(session, booking, venue, actor=actor, at=booking.span.start)
    with pytest.raises(NotYourVenue):
        undo_no_show(session, city, booking, venue, actor=actor, at=booking.span.start)
    assert booking.state == "confirmed"


def test_what_another_has_by_now_is_not_brought_back(
    session: Session,
    city: City,
    space: Space,
    venue: Venue,
    booking: Booking,
    persona: Callable[[str], Person],
) -> None:
    handler, start = actor_of(session, persona("handler")), booking.span.start
    mark_no_show(session, booking, venue, actor=handler, at=start + MINUTE)
    other = book(session, city, space, handler, span_on(city, 19, 19.5 + 0.5), at=start + 2 * MINUTE)
    with pytest.raises(TimeGivenAway):
        undo_no_show(session, city, booking, venue, actor=handler, at=start + 3 * MINUTE)
    session.refresh(booking)
    assert booking.state == "no_show"
    assert set(session.scalars(select(Claim.holder_id))) == {other.id}


def test_what_is_over_is_not_brought_back_and_stays_a_no_show(
    session: Session, city: City, venue: Venue, booking: Booking, persona: Callable[[str], Person]
) -> None:
    handler = actor_of(session, persona("handler"))
    mark_no_show(session, booking, venue, actor=handler, at=booking.span.start + MINUTE)
    session.commit()
    with pytest.raises(TimeGivenAway):
        undo_no_show(session, city, booking, venue, actor=handler, at=booking.span.end)
    finish_bookings(at=booking.span.end)
    assert state_of(session, booking) == "no_show"


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("fi", "Kukaan ei tullut paikalle", "loppuaika vapautettiin muille"),
        ("sv", "Ingen kom", "resten av tiden gavs till andra"),
        ("en", "Nobody came", "the rest of it was given to others"),
    ],
)
def test_the_booker_reads_about_it_once(
    session: Session,
    booking: Booking,
    person: Person,
    run_jobs: Callable[[], int],
    language: str,
    subject: str,
    words: str,
) -> None:
    person.language = language
    session.commit()
    jobs.release_all(at=booking.span.start + 20 * MINUTE)
    run_jobs()
    (mail,) = session.scalars(select(Mail).where(Mail.template.endswith("no_show")))
    assert mail.subject.startswith(subject)
    assert words in mail.body_text
    assert booking.reference in mail.body_text
    message = Message(
        "attendance.missed",
        booking.city_id,
        {
            "booking_id": booking.id,
            "by": "clock",
            "marked_at": (booking.span.start + 20 * MINUTE).isoformat(),
        },
    )
    jobs.mail_no_show(session, message)
    assert len(session.scalars(select(Mail).where(Mail.template.endswith("no_show"))).all()) == 1


def test_a_slip_that_is_taken_back_is_not_told(
    session: Session, city: City, venue: Venue, booking: Booking, persona: Callable[[str], Person]
) -> None:
    handler, start = actor_of(session, persona("handler")), booking.span.start
    mark_no_show(session, booking, venue, actor=handler, at=start + MINUTE)
    told_at = session.scalar(
        text("SELECT scheduled_at FROM procrastinate_jobs WHERE args->>'name' = 'attendance.missed'")
    )
    assert abs(told_at - now() - 5 * MINUTE) < MINUTE
    undo_no_show(session, city, booking, venue, actor=handler, at=start + 2 * MINUTE)
    facts = {"booking_id": booking.id, "by": "owner", "marked_at": (start + MINUTE).isoformat()}
    jobs.mail_no_show(session, Message("attendance.missed", city.id, facts))
    assert not session.scalars(select(Mail).where(Mail.template.endswith("no_show"))).all()
