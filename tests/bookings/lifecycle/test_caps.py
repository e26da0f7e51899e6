"""How much one person or organisation may have of a space: open bookings at a time, hours in a week or a month."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle import limits
from bookings.lifecycle.actions import cancel_booking, decline_booking, move_booking, request_booking
from bookings.lifecycle.errors import QuotaUsedUp, TooManyOpen, hours_and_minutes
from bookings.lifecycle.limits import minutes_within, period_around, periods_of
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.errors import Invalid
from marketplace.timespan import Span, instant
from marketplace.web.problems import field_message
from spaces.catalog.models import Space, Venue
from tests.bookings.lifecycle.test_races import at_once
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_venue

HELSINKI = ZoneInfo("Europe/Helsinki")
WEEK = timedelta(days=7)


@pytest.fixture
def actor(session: Session, person: Person) -> Actor:
    return actor_of(session, person)


def sentence(app: Flask, refusal: Invalid) -> str:
    with app.test_request_context("/en/"):
        return field_message(refusal.fields[0]).replace("\u00a0", " ")


def test_a_cap_of_one_lets_one_booking_be_open(
    app: Flask, session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, max_open_per_person=1)
    first = book(session, city, space, actor, span_on(city, 8, 9))
    with pytest.raises(TooManyOpen) as refused:
        book(session, city, space, actor, span_on(city, 10, 11))
    assert refused.value.public == {"open": 1, "most": 1}
    assert sentence(app, refused.value) == (
        "Open bookings here at a time: 1 at most, and there are 1. Cancel one, or wait until it is over."
    )
    cancel_booking(session, city, first, actor=actor, at=NOW)
    assert book(session, city, space, actor, span_on(city, 10, 11)).state == "confirmed"


def test_a_request_that_waits_counts_and_one_that_is_declined_does_not(
    session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, max_open_per_person=1, approval="handler")
    waiting = book(session, city, space, actor, span_on(city, 8, 9))
    with pytest.raises(TooManyOpen):
        book(session, city, space, actor, span_on(city, 10, 11))
    staff = actor_of(session, make_person(session, city, is_staff=True))
    venue = session.get_one(Venue, (city.id, space.venue_id))
    decline_booking(session, city, waiting, venue, actor=staff, reason="no", at=NOW)
    book(session, city, space, actor, span_on(city, 10, 11))


def test_what_is_over_is_open_no_more(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, max_open_per_person=1)
    book(session, city, space, actor, span_on(city, 8, 9))
    later = span_on(city, 8, 9).end
    assert book(session, city, space, actor, span_on(city, 12, 13), at=later)
    with pytest.raises(TooManyOpen):
        book(session, city, space, actor, span_on(city, 14, 15), at=later)


def test_the_cap_is_of_this_space_and_of_this_person(session: Session, city: City, actor: Actor) -> None:
    venue = make_venue(session, city)
    space, other = (open_space(session, city, venue, max_open_per_person=1) for _ in range(2))
    book(session, city, space, actor, span_on(city, 8, 9))
    book(session, city, other, actor, span_on(city, 8, 9))
    somebody = actor_of(session, make_person(session, city))
    book(session, city, space, somebody, span_on(city, 10, 11))


def test_people_and_organisations_are_counted_apart(session: Session, city: City, person: Person) -> None:
    club, colleague = make_organisation(session, city), make_person(session, city)
    join(session, person, club)
    join(session, colleague, club)
    space = open_space(session, city, max_open_per_person=1, max_open_per_organisation=2)
    one, two = actor_of(session, person), actor_of(session, colleague)
    book(session, city, space, one, span_on(city, 8, 9))
    book(session, city, space, one, span_on(city, 9, 10), organisation_id=club.id)
    book(session, city, space, two, span_on(city, 10, 11), organisation_id=club.id)
    for actor in (one, two):
        with pytest.raises(TooManyOpen):
            book(session, city, space, actor, span_on(city, 11, 12), organisation_id=club.id)
    book(session, city, space, two, span_on(city, 12, 13))


def test_the_same_form_sent_again_is_not_counted_against_itself(
    session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, max_open_per_person=1)
    first = book(session, city, space, actor, span_on(city, 8, 9), submission="the-same-form")
    again = book(session, city, space, actor, span_on(city, 8, 9), submission="the-same-form")
    assert again.id == first.id


def test_the_refusal_says_what_is_left_of_the_week(
    app: Flask, session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, quota_hours=6, max_minutes=480)
    book(session, city, space, actor, span_on(city, 8, 11.5))
    with pytest.raises(QuotaUsedUp) as refused:
        book(session, city, space, actor, span_on(city, 12, 15))
    assert sentence(app, refused.value) == "2 h 30 min left of 6 h in week 49."
    assert refused.value.public == {
        "left_minutes": 150,
        "quota_minutes": 360,
        "period": "week",
        "period_start": "2026-11-30",
    }
    book(session, city, space, actor, span_on(city, 12, 14.5))
    with pytest.raises(QuotaUsedUp):
        book(session, city, space, actor, span_on(city, 16, 17))
    book(session, city, space, actor, span_on(city, 8, 14, day=DAY + WEEK))


def test_a_month_is_named_by_its_number(app: Flask, session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, quota_hours=2, quota_period="month", last=date(2027, 1, 31))
    book(session, city, space, actor, span_on(city, 8, 10))
    with pytest.raises(QuotaUsedUp) as refused:
        book(session, city, space, actor, span_on(city, 8, 9, day=date(2026, 12, 31)))
    assert sentence(app, refused.value) == "0 h left of 2 h in 12/2026."
    book(session, city, space, actor, span_on(city, 8, 10, day=date(2027, 1, 1)))


def test_a_booking_over_sunday_night_counts_in_each_week_by_its_part(
    app: Flask, session: Session, city: City, actor: Actor
) -> None:
    space = open_space(
        session, city, hours=(time(0), time(0)), quota_hours=2, max_minutes=480, first=date(2026, 12, 1)
    )
    sunday = date(2026, 12, 6)
    book(session, city, space, actor, span_on(city, 23, 25, day=sunday))  # an hour in each week
    with pytest.raises(QuotaUsedUp) as refused:
        book(session, city, space, actor, span_on(city, 12, 14, day=sunday + timedelta(days=1)))
    assert sentence(app, refused.value) == "1 h left of 2 h in week 50."
    book(session, city, space, actor, span_on(city, 12, 13, day=sunday))
    book(session, city, space, actor, span_on(city, 12, 13, day=sunday + timedelta(days=1)))


def test_what_is_completed_counts_for_the_quota(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, quota_hours=2)
    done = book(session, city, space, actor, span_on(city, 8, 10))
    done.state = "completed"
    session.flush()
    with pytest.raises(QuotaUsedUp):
        book(session, city, space, actor, span_on(city, 12, 13), at=span_on(city, 10, 11).start)


def test_a_refusal_leaves_nothing_behind(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, quota_hours=1)
    with pytest.raises(QuotaUsedUp):
        book(session, city, space, actor, span_on(city, 8, 10))
    assert session.scalar(select(func.count()).select_from(Booking)) == 0


def test_the_owner_moves_a_booking_past_the_quota(session: Session, city: City, actor: Actor) -> None:
    """The rules bind bookers; whoever runs the place has other reasons."""
    space = open_space(session, city, quota_hours=2, max_open_per_person=5)
    moved = book(session, city, space, actor, span_on(city, 8, 10, day=DAY + WEEK))
    book(session, city, space, actor, span_on(city, 8, 10))
    staff = actor_of(session, make_person(session, city, is_staff=True))
    venue = session.get_one(Venue, (city.id, space.venue_id))
    move_booking(session, city, moved, space, venue, actor=staff, during=span_on(city, 12, 14), at=NOW)
    assert moved.span == span_on(city, 12, 14)


def asking(
    city: City, space: Space, actor: Actor, during: Span, submission: str, organisation_id: int | None = None
) -> Callable[[], int]:
    def ask() -> int:
        with transaction() as session:
            return request_booking(
                session,
                city,
                space,
                actor=actor,
                during=during,
                purpose="",
                attendees=None,
                organisation_id=organisation_id,
                submission=submission,
                at=NOW,
            ).id

    return ask


@pytest.mark.parametrize(
    "rules", [{"max_open_per_person": 1, "max_open_per_organisation": 1}, {"quota_hours": 1}]
)
@pytest.mark.parametrize("for_club", [False, True])
def test_many_tabs_cannot_exceed_what_one_may(
    committing: Engine, rules: dict[str, Any], for_club: bool
) -> None:
    with transaction() as session:
        city = make_city(session)
        space = open_space(session, city, **rules)
        club = make_organisation(session, city)
        people = (
            [make_person(session, city) for _ in range(4)] if for_club else [make_person(session, city)] * 4
        )
        for person in set(people):
            join(session, person, club)
        actors = [actor_of(session, person) for person in people]
    works = [
        asking(
            city, space, actor, span_on(city, 8 + n, 9 + n), f"tab-{n}-form", club.id if for_club else None
        )
        for n, actor in enumerate(actors)
    ]
    found = at_once(works)
    names = sorted(type(result).__name__ for result in found)
    assert names == sorted(["int", *["TooManyOpen" if "max_open_per_person" in rules else "QuotaUsedUp"] * 3])
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Booking)) == 1


def test_counting_moving_and_cancelling_never_wait_in_a_ring(committing: Engine) -> None:
    """Bookings of two limited spaces that share a unit, while others of them are moved and cancelled."""
    with transaction() as session:
        city = make_city(session)
        venue = make_venue(session, city)
        space = open_space(session, city, venue, max_open_per_person=50)
        person = make_person(session, city)
        actor, staff = actor_of(session, person), actor_of(session, make_person(session, city, is_staff=True))
        made = [book(session, city, space, actor, span_on(city, 8 + n, 9 + n)) for n in range(6)]

    def cancelling(booking: Booking) -> Callable[[], None]:
        def cancel() -> None:
            with transaction() as session:
                row = session.get_one(Booking, (city.id, booking.id))
                cancel_booking(session, city, row, actor=actor, at=NOW)

        return cancel

    def moving(booking: Booking, n: int) -> Callable[[], None]:
        def move() -> None:
            with transaction() as session:
                row = session.get_one(Booking, (city.id, booking.id))
                during = span_on(city, 16 + n, 17 + n)
                move_booking(session, city, row, space, venue, actor=staff, during=during, at=NOW)

        return move

    works: list[Callable[[], Any]] = [
        *(cancelling(booking) for booking in made[:3]),
        *(moving(booking, n) for n, booking in enumerate(made[3:])),
        *(asking(city, space, actor, span_on(city, 8 + n, 9 + n), f"again-{n}-form") for n in range(4)),
    ]
    found = at_once(works)
    allowed = {"int", "NoneType", "SlotTaken"}
    assert {type(result).__name__ for result in found} <= allowed, found


def test_the_lock_is_taken_only_where_something_is_counted(
    session: Session, city: City, person: Person
) -> None:
    space = open_space(session, city, max_open_per_organisation=1)
    assert not limits.has_limits(space, None)
    assert limits.has_limits(space, 1)
    space.quota_hours = 3
    assert limits.has_limits(space, None)


days = st.dates(date(2024, 1, 1), date(2030, 12, 31))
kinds = st.sampled_from(["week", "month"])
zones = st.sampled_from([HELSINKI, ZoneInfo("UTC"), ZoneInfo("Atlantic/Azores"), ZoneInfo("Asia/Beirut")])


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start = instant(draw(days), time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 15, 30]))), HELSINKI)
    return Span(start, start + timedelta(minutes=15 * draw(st.integers(1, 4 * 24 * 40))))


@given(days, kinds, zones)
def test_a_period_holds_its_day_and_the_next_one_begins_where_it_ends(
    day: date, kind: str, zone: ZoneInfo
) -> None:
    period = period_around(day, kind, zone)
    noon = instant(day, time(12), zone)
    assert period.span.start <= noon < period.span.end
    last = (period.span.end - timedelta(hours=1)).astimezone(zone).date()
    following = period_around(last + timedelta(days=1), kind, zone)
    assert following.span.start == period.span.end
    assert period.first.weekday() == 0 if kind == "week" else period.first.day == 1
    hours = period.span.length / timedelta(hours=1)
    assert hours in (
        {167, 168, 169}
        if kind == "week"
        else {h for d in (28, 29, 30, 31) for h in (d * 24 - 1, d * 24, d * 24 + 1)}
    )


@given(spans(), kinds)
def test_the_parts_of_a_booking_add_up_to_all_of_it(during: Span, kind: str) -> None:
    """Also where the clocks change inside it: nothing is counted twice and nothing is lost."""
    periods = periods_of(during, kind, HELSINKI)
    assert sum(minutes_within([during], period) for period in periods) == during.minutes
    assert all(minutes_within([during], period) > 0 for period in periods)


@given(st.lists(spans(), max_size=6), spans(), kinds, st.integers(1, 744))
def test_what_is_let_in_never_exceeds_the_quota(
    taken: list[Span], during: Span, kind: str, hours: int
) -> None:
    space = Space(quota_hours=hours, quota_period=kind)
    counted = limits.Counted(len(taken), list(taken))
    refusal = limits.refusal_of(space, None, counted, during, HELSINKI)
    totals = [
        minutes_within([*taken, during], period) <= hours * 60
        for period in periods_of(during, kind, HELSINKI)
    ]
    assert (refusal is None) == all(totals)


def test_a_week_in_which_the_clocks_change_has_an_hour_less_or_more() -> None:
    spring = period_around(date(2027, 3, 28), "week", HELSINKI)
    autumn = period_around(date(2027, 10, 31), "week", HELSINKI)
    assert spring.span.length == timedelta(hours=167)
    assert autumn.span.length == timedelta(hours=169)
    night = Span(instant(date(2027, 3, 28), time(2), HELSINKI), instant(date(2027, 3, 28), time(5), HELSINKI))
    assert minutes_within([night], spring) == 120


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "0 h"), (45, "45 min"), (60, "1 h"), (150, "2 h 30 min"), (10080, "168 h")]
)
def test_hours_and_minutes_in_words(minutes: int, text: str) -> None:
    assert hours_and_minutes(minutes).replace("\u00a0", " ") == text


def test_instants_of_periods_are_utc_aware() -> None:
    assert period_around(date(2026, 12, 1), "month", HELSINKI).span.start == datetime(
        2026, 11, 30, 22, tzinfo=UTC
    )
