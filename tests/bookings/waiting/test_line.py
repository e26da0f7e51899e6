"""The waiting list: what frees up is offered to one at a time, in order, with a deadline, and taken by one press."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.hold_actions import lapse_hold
from bookings.lifecycle.models import Booking
from bookings.waiting.actions import accept_offer, join_line, leave_line, offer_next, pass_over
from bookings.waiting.errors import NothingToWaitFor, OfferOver, TooManyWaits, WaitsAlready, WindowWrong
from bookings.waiting.jobs import sweep_line
from bookings.waiting.models import WaitingEntry
from bookings.waiting.queries import place_in_line
from bookings.waiting.rules import offer_until
from bookings.waiting.tokens import entry_of_token, token_of
from marketplace.accounts.actor import Actor
from marketplace.accounts.errors import NotVerified
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.models import Mail
from marketplace.timespan import Span
from spaces.catalog.models import Space
from tests.bookings.lifecycle.test_pages import ready_space, text_of
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of, make_person, sign_in


def join(session: Session, city: City, space: Space, actor: Actor, within: Span, **more: Any) -> WaitingEntry:
    values: dict[str, Any] = {
        "minutes": 120, "attendees": None, "organisation_id": None, "purpose": "Choir", "at": NOW, **more,
    }  # fmt: skip
    return join_line(session, city, space, actor=actor, within=within, **values)


@pytest.fixture
def taken(session: Session, city: City) -> Booking:
    """A space that somebody has from 18 to 22."""
    space = open_space(session, city, cancellation_hours=0)
    return book(session, city, space, actor_of(session, make_person(session, city)), span_on(city, 18, 22))


def space_of(session: Session, booking: Booking) -> Space:
    return session.get_one(Space, (booking.city_id, booking.space_id))


def give_up(session: Session, city: City, booking: Booking) -> None:
    owner = session.get_one(Person, (city.id, booking.person_id))
    cancel_booking(session, city, booking, actor=actor_of(session, owner), at=NOW)


def test_the_first_in_line_gets_the_offer_and_the_next_when_it_lapses(
    session: Session, city: City, taken: Booking
) -> None:
    space = space_of(session, taken)
    people = [make_person(session, city) for _ in range(3)]
    evening = span_on(city, 18, 20)
    line = [join(session, city, space, actor_of(session, person), evening) for person in people]
    assert [place_in_line(session, entry) for entry in line] == [1, 2, 3]
    assert offer_next(session, city, [space.id], at=NOW) is None  # nothing is free yet
    give_up(session, city, taken)
    assert offer_next(session, city, [space.id], at=NOW) == line[0]
    assert offer_next(session, city, [space.id], at=NOW) is None  # it is held
    hold = session.get_one(Booking, (city.id, line[0].booking_id))
    assert (hold.state, hold.held_until, hold.span) == ("held", line[0].offered_until, evening)
    assert line[0].offered_until == NOW + timedelta(hours=4)
    later = NOW + timedelta(hours=4)
    assert lapse_hold(session, city.id, at=later)
    assert pass_over(session, city.id, at=later) == [space.id]
    session.expire_all()
    assert [entry.state for entry in line] == ["passed", "waiting", "waiting"]
    assert offer_next(session, city, [space.id], at=later) == line[1]


def test_taking_the_offer_books_it_once(session: Session, city: City, taken: Booking, person: Person) -> None:
    space, mine = space_of(session, taken), actor_of(session, person)
    entry = join(session, city, space, mine, span_on(city, 17, 22), attendees=8)
    give_up(session, city, taken)
    offer_next(session, city, None, at=NOW)
    booking = accept_offer(session, city, entry, actor=mine, at=NOW + timedelta(hours=1))
    assert (booking.state, booking.attendees, booking.purpose) == ("confirmed", 8, "Choir")
    assert (entry.state, booking.requested_at) == ("booked", NOW + timedelta(hours=1))
    assert accept_offer(session, city, entry, actor=mine, at=NOW + timedelta(hours=2)) == booking
    leave_line(session, entry, actor=mine, at=NOW)
    assert (entry.state, booking.state) == ("booked", "confirmed")


def test_an_offer_that_is_over_cannot_be_taken(
    session: Session, city: City, taken: Booking, person: Person
) -> None:
    space, mine = space_of(session, taken), actor_of(session, person)
    entry = join(session, city, space, mine, span_on(city, 18, 20))
    with pytest.raises(OfferOver):
        accept_offer(session, city, entry, actor=mine, at=NOW)
    give_up(session, city, taken)
    offer_next(session, city, None, at=NOW)
    leave_line(session, entry, actor=mine, at=NOW)
    assert session.get_one(Booking, (city.id, entry.booking_id)).state == "expired"
    with pytest.raises(OfferOver):
        accept_offer(session, city, entry, actor=mine, at=NOW)


def test_who_may_join_and_for_what(session: Session, city: City, taken: Booking, person: Person) -> None:
    space, mine = space_of(session, taken), actor_of(session, person)
    with pytest.raises(NotVerified):
        join(session, city, space, Actor(city.id, person_id=person.id), span_on(city, 18, 20))
    with pytest.raises(NothingToWaitFor):
        join(session, city, space, mine, span_on(city, 10, 13))
    wrong = [
        Span(NOW - timedelta(hours=3), NOW - timedelta(hours=1)),
        span_on(city, 18, 19),
        Span(span_on(city, 18, 19).start, span_on(city, 18, 19).start + timedelta(days=32)),
        Span(NOW + timedelta(days=400), NOW + timedelta(days=401)),
    ]
    for within in wrong:
        with pytest.raises(WindowWrong):
            join(session, city, space, mine, within)
    join(session, city, space, mine, span_on(city, 18, 20))
    with pytest.raises(WaitsAlready):
        join(session, city, space, mine, span_on(city, 19, 21))
    for _ in range(9):
        other = open_space(session, city)
        book(session, city, other, actor_of(session, make_person(session, city)), span_on(city, 18, 22))
        join(session, city, other, mine, span_on(city, 18, 20))
    last = open_space(session, city)
    book(session, city, last, actor_of(session, make_person(session, city)), span_on(city, 18, 22))
    with pytest.raises(TooManyWaits):
        join(session, city, last, mine, span_on(city, 18, 20))


HELSINKI = ZoneInfo("Europe/Helsinki")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@given(at=MOMENTS, hours=st.floats(0, 1000))
def test_an_offer_ends_by_day_and_before_half_of_the_way(at: datetime, hours: float) -> None:
    begins = at + timedelta(hours=hours)
    until = offer_until(at.astimezone(HELSINKI), begins.astimezone(HELSINKI))
    if until is None:
        assert begins - at < timedelta(minutes=30) or hours < 24
        return
    assert until.tzinfo == HELSINKI
    ends = until.astimezone(UTC)
    assert timedelta(minutes=15) <= ends - at
    assert ends <= at + (begins - at) / 2
    assert ends - at <= timedelta(hours=18)  # of a night with an hour more


def test_an_offer_stands_four_hours_also_when_the_clocks_change() -> None:
    spring = datetime(2026, 3, 29, 9, 0, tzinfo=UTC) - timedelta(hours=24)
    for at in (spring, datetime(2026, 3, 29, 0, 30, tzinfo=UTC) + timedelta(hours=7)):
        until = offer_until(at.astimezone(HELSINKI), (at + timedelta(days=3)).astimezone(HELSINKI))
        assert until is not None
        assert until.astimezone(UTC) - at == timedelta(hours=4)
    # 5.30 in the morning; by the wall clock the offer begins at 1.30 of the same night.
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    until = offer_until(night.astimezone(HELSINKI), (night + timedelta(days=3)).astimezone(HELSINKI))
    assert until is not None
    assert until.hour == 9


def test_tokens_of_others_open_nothing(app: Flask) -> None:
    with app.app_context():
        token = token_of(1, 7)
        assert entry_of_token(1, token) == 7
        assert entry_of_token(2, token) is None
        for wrong in ("", "x", token + "x", token[:-1], "\x00", "a" * 5000):
            assert entry_of_token(1, wrong) is None


def test_by_mail_and_one_press(
    app: Flask,
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    person: Person,
    run_jobs: Callable[[], int],
) -> None:
    space = ready_space(session, city, cancellation_hours=0)
    day = (now() + timedelta(days=5)).astimezone(city.zone).date()
    evening = span_on(city, 18, 20, day=day)
    other = make_person(session, city)
    theirs = book(session, city, space, actor_of(session, other), evening, at=now())
    session.commit()
    start = evening.start.astimezone(city.zone).isoformat()
    taken_page = signed_in_client.get(
        f"/en/spaces/{space.id}/booking", query_string={"start": start, "minutes": 120}
    )
    assert "Tell me if it becomes free" in text_of(taken_page)
    there = {"path": f"/en/spaces/{space.id}/line", "query_string": {"start": start, "minutes": 120}}
    form = signed_in_client.get(**there)
    assert "Join the waiting list" in text_of(form)
    iso = day.isoformat()
    fields = {
        "first": iso, "opens": "17:00", "until": iso, "closes": "16:00", "organisation": "myself", "attendees": "",
    }  # fmt: skip
    wrong = signed_in_client.post(**there, data=fields)
    assert wrong.status_code == 422
    assert "The end must be after the beginning." in text_of(wrong)
    joined = signed_in_client.post(**there, data={**fields, "closes": "21:00"})
    assert joined.status_code == 303
    run_jobs()
    assert "Place in line 1" in text_of(signed_in_client.get(joined.location))
    assert "Place 1 in line" in text_of(signed_in_client.get("/en/my/bookings"))
    with session.begin_nested():
        cancel_booking(session, city, theirs, actor=actor_of(session, other), at=now())
    session.commit()
    run_jobs()
    mails = session.scalars(select(Mail.template).where(Mail.person_id == person.id).order_by(Mail.id)).all()
    assert [template.rpartition("/")[2] for template in mails] == ["joined", "offered"]
    stranger = app.test_client()  # the mail's address is enough
    page = stranger.get(joined.location)
    assert "A time is free for you" in text_of(page)
    assert stranger.post(f"{joined.location}/booking", data={"total": "1"}).status_code == 409
    assert stranger.post(f"{joined.location}/booking", data={"total": "4000"}).location == joined.location
    assert "The time is yours" in text_of(stranger.get(joined.location))
    booking = session.scalars(select(Booking).where(Booking.person_id == person.id)).one()
    assert (booking.state, booking.payment) == ("confirmed", "due")
    assert stranger.get("/en/line/none-of-ours").status_code == 404


def test_the_sweeper_finds_what_no_message_told(
    session: Session, city: City, taken: Booking, person: Person, app: Flask
) -> None:
    space = space_of(session, taken)
    entry = join(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    give_up(session, city, taken)
    session.commit()
    sweep_line(NOW)
    session.refresh(entry)
    assert entry.state == "offered"
    session.execute(
        update(Booking).where(Booking.id == entry.booking_id).values(state="expired", held_until=None)
    )
    session.commit()
    sweep_line(span_on(city, 20, 21).start)
    session.refresh(entry)
    assert entry.state == "passed"


def test_a_strangers_session_does_not_leave_the_line_for_others(
    app: Flask, session: Session, city: City, taken: Booking, person: Person
) -> None:
    entry = join(session, city, space_of(session, taken), actor_of(session, person), span_on(city, 18, 20))
    client = app.test_client()
    sign_in(session, client, make_person(session, city))
    session.commit()
    assert client.post(f"/en/line/{entry.id}/leaving").status_code == 404
    session.refresh(entry)
    assert entry.state == "waiting"
