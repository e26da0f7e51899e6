"""Booking many dates at once: all that can be had, or all or nothing; what is skipped keeps its reason."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, time, timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.errors import (
    NoRightToBook,
    NotOnOffer,
    OrganisationsOnly,
    PriceChanged,
    SubmissionUsed,
    TooManyPeople,
)
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import HOLDING
from bookings.series.actions import retry_date
from bookings.series.errors import (
    DateNotOpen,
    DatesTaken,
    NoDates,
    NotYourSeries,
    OtherTimeUnfit,
    SeriesTooLong,
    TooManyDates,
)
from bookings.series.models import Series
from bookings.series.planning import Instead, plan_series
from bookings.series.rules import Recurrence
from marketplace.accounts.actor import Actor
from marketplace.accounts.errors import NotVerified
from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.errors import Unauthenticated
from marketplace.timespan import Span, day_span
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim, DaySheet
from spaces.calendar.queries import calendars_of
from spaces.calendar.rules import sheet_word
from spaces.catalog.models import Space
from spaces.pricing.models import Price
from tests.factories.bookings import DAY, NOW, book, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.series import dates_of, repeat, season_space, skips_of, weekly
from tests.factories.spaces import make_unit, make_venue

WEEK = timedelta(days=7)


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return season_space(session, city)


@pytest.fixture
def actor(session: Session, city: City) -> Actor:
    return actor_of(session, make_person(session, city))


@pytest.fixture
def other(session: Session, city: City) -> Actor:
    return actor_of(session, make_person(session, city, name="Mikko Laine"))


def check_claims(session: Session, city: City, spaces: list[Space]) -> None:
    """Every holding booking has its claims, nothing else has any, and the sheets tell the truth."""
    session.flush()
    holding = set(session.scalars(select(Booking.id).where(Booking.state.in_(sorted(HOLDING)))))
    bodies = {
        (holder, during.lower, during.upper)
        for holder, during in session.execute(select(Claim.holder_id, Claim.during).where(Claim.part == 0))
    }
    booked = {
        (id_, during.lower, during.upper)
        for id_, during in session.execute(select(Booking.id, Booking.during).where(Booking.id.in_(holding)))
    }
    assert bodies == booked
    first, last = DAY, date(2027, 5, 31)
    window = Span(day_span(first, city.zone).start, day_span(last, city.zone).end)
    calendars = calendars_of(session, city.id, [space.id for space in spaces], window, city.zone)
    for space in spaces:
        free = calendars[space.id].free
        for month, words in session.execute(
            select(DaySheet.month, DaySheet.free).where(DaySheet.space_id == space.id)
        ):
            for n, word in enumerate(words):
                day = month + timedelta(days=n)
                if first <= day <= last:
                    assert word == sheet_word(free, day, city.zone), (space.id, day)


def test_every_free_date_is_booked_with_its_price(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    made = dates_of(session, series)
    assert [b.span for b in made] == [span_on(city, 18, 19.5, day=DAY + n * WEEK) for n in range(5)]
    assert {b.state for b in made} == {"confirmed"}
    assert {b.total_minor for b in made} == {3000}
    assert {(b.purpose, b.attendees) for b in made} == {("Choir", 12)}
    assert [b.position for b in made] == [1, 2, 3, 4, 5]
    assert skips_of(session, series) == []
    check_claims(session, city, [space])


def test_the_price_list_of_each_day_counts(session: Session, city: City, space: Space, actor: Actor) -> None:
    session.add(
        Price(
            city_id=city.id,
            space_id=space.id,
            valid_from=DAY + 2 * WEEK,
            per="hour",
            amount_minor=4000,
        )
    )
    session.flush()
    series = repeat(session, city, space, actor)
    assert [b.total_minor for b in dates_of(session, series)] == [3000, 3000, 6000, 6000, 6000]


def test_taken_dates_are_skipped_with_their_reason(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    book(session, city, space, other, span_on(city, 19, 20, day=DAY + WEEK))
    series = repeat(session, city, space, actor)
    assert [b.position for b in dates_of(session, series)] == [1, 3, 4, 5]
    (skip,) = skips_of(session, series)
    assert (skip.position, skip.day, skip.code, skip.booking_id) == (2, DAY + WEEK, "slot-taken", None)
    assert skip.span == span_on(city, 18, 19.5, day=DAY + WEEK)
    check_claims(session, city, [space])


def test_all_or_nothing_leaves_nothing(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    book(session, city, space, other, span_on(city, 19, 20, day=DAY + WEEK))
    with pytest.raises(DatesTaken) as refused:
        repeat(session, city, space, actor, all_or_nothing=True)
    assert refused.value.days == [DAY + WEEK]
    assert session.scalar(select(func.count()).select_from(Series)) == 0
    assert session.scalar(select(func.count()).select_from(Booking)) == 1
    left_out = weekly(left_out=frozenset({DAY + WEEK}))
    series = repeat(session, city, space, actor, left_out, all_or_nothing=True)
    assert [b.position for b in dates_of(session, series)] == [1, 3, 4, 5]
    assert [skip.code for skip in skips_of(session, series)] == ["left-out"]


def test_another_time_and_another_space_stand_in(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    near = season_space(session, city, price=("hour", 1000))
    for n in (1, 2):
        book(session, city, space, other, span_on(city, 18, 20, day=DAY + n * WEEK))
    ask = weekly(
        instead={
            DAY + WEEK: Instead(space, span_on(city, 16, 17.5, day=DAY + WEEK)),
            DAY + 2 * WEEK: Instead(near, span_on(city, 18, 19.5, day=DAY + 2 * WEEK)),
        }
    )
    series = repeat(session, city, space, actor, ask, all_or_nothing=True, expected_total_minor=13500)
    made = dates_of(session, series)
    assert [b.total_minor for b in made] == [3000, 3000, 1500, 3000, 3000]
    assert made[2].space_id == near.id
    assert [(s.position, s.code, s.booking_id) for s in skips_of(session, series)] == [
        (2, "slot-taken", made[1].id),
        (3, "slot-taken", made[2].id),
    ]
    check_claims(session, city, [space, near])


def test_an_alternative_of_another_day_or_a_taken_one_is_none(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    book(session, city, space, other, span_on(city, 16, 20, day=DAY + WEEK))
    wrong_day = weekly(instead={DAY + WEEK: Instead(space, span_on(city, 18, 19.5, day=DAY + 2 * WEEK))})
    with pytest.raises(OtherTimeUnfit):
        repeat(session, city, space, actor, wrong_day)
    taken = weekly(instead={DAY + WEEK: Instead(space, span_on(city, 16, 17.5, day=DAY + WEEK))})
    assert [b.position for b in dates_of(session, repeat(session, city, space, actor, taken))] == [1, 3, 4, 5]


def test_the_preview_offers_the_nearest_times_of_the_day(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    book(session, city, space, other, span_on(city, 18, 20, day=DAY + WEEK))
    plan = plan_series(session, city, space, weekly(), organisation_id=None, at=NOW, with_times=True)
    refused = plan[1]
    assert refused.is_refused
    assert [it.during for it in refused.times] == [
        span_on(city, 16, 17.5, day=DAY + WEEK),
        span_on(city, 16.5, 18, day=DAY + WEEK),
        span_on(city, 20, 21.5, day=DAY + WEEK),
    ]
    assert plan[0].times == ()


def test_dates_beyond_the_horizon_and_closed_ones_say_so(session: Session, city: City, actor: Actor) -> None:
    space = season_space(session, city, horizon_days=21)
    series = repeat(session, city, space, actor, weekly(5))
    assert [b.position for b in dates_of(session, series)] == [1, 2, 3]
    assert [(s.code, s.values) for s in skips_of(session, series)] == [("too-far-ahead", {"days": 21})] * 2
    late = weekly(3, rule=Recurrence(date(2027, 5, 25), times=3))
    open_half_a_year = season_space(session, city)
    assert [s.code for s in skips_of(session, repeat(session, city, open_half_a_year, actor, late))] == [
        "not-open",
        "not-open",
    ]


def test_nothing_free_makes_no_series(session: Session, city: City, space: Space, actor: Actor) -> None:
    with pytest.raises(NoDates):
        repeat(session, city, space, actor, weekly(starts=time(6)))
    assert session.scalar(select(func.count()).select_from(Series)) == 0


def test_eighteen_stays_eighteen_when_the_clocks_change(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    ask = weekly(rule=Recurrence(date(2027, 3, 16), times=4))
    made = dates_of(session, repeat(session, city, space, actor, ask))
    assert {b.span.start.astimezone(city.zone).time() for b in made} == {time(18)}
    assert len({b.span.start.utctimetuple().tm_hour for b in made}) == 2


def test_a_space_that_never_closes_and_a_night_past_midnight(
    session: Session, city: City, actor: Actor
) -> None:
    space = season_space(session, city, hours=(time(0), time(0)))
    made = dates_of(session, repeat(session, city, space, actor, weekly(20, starts=time(23), minutes=120)))
    assert len(made) == 20
    assert made[4].span == span_on(city, 23, 25, day=DAY + 4 * WEEK)
    check_claims(session, city, [space])


def test_whole_days_take_the_opening_of_the_day(session: Session, city: City, actor: Actor) -> None:
    space = season_space(session, city, whole_days=True, price=("day", 5000), max_minutes=1440)
    made = dates_of(session, repeat(session, city, space, actor, weekly(3, starts=None, minutes=1440)))
    assert [b.span for b in made] == [span_on(city, 8, 22, day=DAY + n * WEEK) for n in range(3)]
    assert {b.total_minor for b in made} == {5000}


def test_buffers_lanes_and_shared_units(session: Session, city: City, actor: Actor, other: Actor) -> None:
    venue = make_venue(session, city)
    half, rest = make_unit(session, venue), make_unit(session, venue, lanes=2)
    whole = season_space(session, city, venue, units=[half, rest], buffer_after_minutes=30)
    part = season_space(session, city, venue, units=[half])
    lawn = season_space(session, city, venue, units=[rest])
    book(session, city, part, other, span_on(city, 19.5, 20.5, day=DAY + WEEK))
    book(session, city, lawn, other, span_on(city, 18, 19, day=DAY + 2 * WEEK))
    series = repeat(session, city, whole, actor)
    assert [b.position for b in dates_of(session, series)] == [1, 3, 4, 5]
    check_claims(session, city, [part, lawn, whole])


def test_a_request_is_made_where_the_owner_confirms(session: Session, city: City, actor: Actor) -> None:
    space = season_space(session, city, approval="handler")
    assert {b.state for b in dates_of(session, repeat(session, city, space, actor))} == {"awaiting_approval"}


def test_the_same_form_makes_one_series(session: Session, city: City, space: Space, actor: Actor) -> None:
    first = repeat(session, city, space, actor, submission="the-same-form")
    again = repeat(session, city, space, actor, submission="the-same-form", all_or_nothing=True)
    assert again.id == first.id
    assert len(dates_of(session, first)) == 5
    with pytest.raises(SubmissionUsed):
        repeat(session, city, space, actor, weekly(6), submission="the-same-form")


def test_a_price_that_rose_is_not_agreed_to(session: Session, city: City, space: Space, actor: Actor) -> None:
    with pytest.raises(PriceChanged):
        repeat(session, city, space, actor, expected_total_minor=14999)
    repeat(session, city, space, actor, expected_total_minor=15000)


def test_caps(session: Session, city: City, space: Space, actor: Actor) -> None:
    with pytest.raises(TooManyDates):
        repeat(session, city, space, actor, weekly(201))
    with pytest.raises(SeriesTooLong):
        repeat(session, city, space, actor, weekly(rule=Recurrence(DAY, until=DAY + timedelta(days=732))))
    with pytest.raises(TooManyPeople):
        repeat(session, city, space, actor, attendees=41)


def test_who_may_repeat(session: Session, city: City, space: Space, actor: Actor) -> None:
    association = make_organisation(session, city)
    person = make_person(session, city)
    join(session, person, association, "member")
    nobody = Actor(city.id)
    with pytest.raises(Unauthenticated):
        repeat(session, city, space, nobody)
    with pytest.raises(NotVerified):
        repeat(session, city, space, replace(actor, is_verified=False))
    with pytest.raises(NoRightToBook):
        repeat(session, city, space, actor_of(session, person), organisation_id=association.id)
    with pytest.raises(OrganisationsOnly):
        repeat(session, city, season_space(session, city, who="organisations"), actor)
    with pytest.raises(NotOnOffer):
        repeat(session, city, season_space(session, city, state="hidden"), actor)


def test_an_alternative_in_a_space_one_may_not_book_is_refused(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    closed = season_space(session, city, who="organisations")
    ask = weekly(instead={DAY + WEEK: Instead(closed, span_on(city, 18, 19.5, day=DAY + WEEK))})
    with pytest.raises(OrganisationsOnly):
        repeat(session, city, space, actor, ask)


def test_every_booking_and_the_series_are_written_down_once(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    rows = session.execute(select(AuditEntry.action, AuditEntry.subject_id)).all()
    assert rows.count(("series.created", series.id)) == 1
    assert sorted(id_ for action, id_ in rows if action == "booking.requested") == sorted(
        b.id for b in dates_of(session, series)
    )


def test_a_skipped_date_is_tried_again(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    blocking = book(session, city, space, other, span_on(city, 19, 20, day=DAY + WEEK))
    series = repeat(session, city, space, actor)
    with pytest.raises(SlotTaken):
        retry_date(session, city, series, space, 2, actor=actor, submission="again-again", at=NOW)
    cancel_booking(session, city, blocking, actor=other, at=NOW)
    with pytest.raises(NotYourSeries):
        retry_date(session, city, series, space, 2, actor=other, submission="not-mine-x", at=NOW)
    booking = retry_date(session, city, series, space, 2, actor=actor, submission="again-again", at=NOW)
    assert [b.position for b in dates_of(session, series)] == [1, 2, 3, 4, 5]
    assert skips_of(session, series)[0].booking_id == booking.id
    with pytest.raises(DateNotOpen):
        retry_date(session, city, series, space, 2, actor=actor, submission="again-third", at=NOW)
    with pytest.raises(DateNotOpen):
        retry_date(session, city, series, space, 1, actor=actor, submission="again-fourth", at=NOW)
    check_claims(session, city, [space])


def at_once(works: list[Callable[[], object]]) -> list[object]:
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def committed_hall() -> tuple[City, list[Space], list[Actor]]:
    with transaction() as session:
        city = make_city(session)
        venue = make_venue(session, city)
        a, b = make_unit(session, venue), make_unit(session, venue)
        spaces = [season_space(session, city, venue, units=units) for units in ([a, b], [a], [b])]
        actors = [actor_of(session, make_person(session, city)) for _ in range(6)]
    return city, spaces, actors


def test_many_series_of_one_hall_at_once_share_it_without_a_double_booking(committing: Engine) -> None:
    city, spaces, actors = committed_hall()

    def asking(n: int) -> Callable[[], object]:
        def ask() -> object:
            with transaction() as session:
                return repeat(
                    session,
                    city,
                    spaces[n % 3],
                    actors[n],
                    weekly(12),
                    submission=f"series-race-{n}",
                    all_or_nothing=n % 2 == 1,
                ).id

        return ask

    def single(n: int) -> Callable[[], object]:
        def ask() -> object:
            with transaction() as session:
                span = span_on(city, 18.5, 19.5, day=DAY + n * WEEK)
                return book(session, city, spaces[n % 3], actors[n], span, submission=f"single-race-{n}").id

        return ask

    found = at_once([asking(n) for n in range(6)] + [single(n) for n in range(6)])
    unexpected = [one for one in found if not isinstance(one, int | SlotTaken | DatesTaken | NoDates)]
    assert unexpected == []
    with transaction() as session:
        check_claims(session, city, spaces)


def test_a_form_sent_twice_at_once_makes_one_series(committing: Engine) -> None:
    city, spaces, actors = committed_hall()

    def ask() -> object:
        with transaction() as session:
            return repeat(
                session, city, spaces[0], actors[0], weekly(8), submission="sent-twice", all_or_nothing=True
            ).id

    found = at_once([ask, ask, ask])
    assert len(set(found)) == 1, found
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Booking)) == 8


def test_what_is_taken_between_the_preview_and_the_press(committing: Engine) -> None:
    city, spaces, actors = committed_hall()
    with transaction() as session:
        plan = plan_series(session, city, spaces[0], weekly(4), organisation_id=None, at=NOW)
    assert all(one.booked for one in plan)
    with transaction() as session:
        book(session, city, spaces[1], actors[1], span_on(city, 18, 19, day=DAY + WEEK))
    with transaction() as session, pytest.raises(DatesTaken):
        repeat(session, city, spaces[0], actors[0], weekly(4), all_or_nothing=True)
    with transaction() as session:
        series = repeat(session, city, spaces[0], actors[0], weekly(4))
        assert [s.position for s in skips_of(session, series)] == [2]
