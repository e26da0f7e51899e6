"""One date, this and following, all: another time, cancelled, answered; old times are kept where the new cannot be had."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import expire_request
from bookings.lifecycle.change_actions import Change as BookingChange
from bookings.lifecycle.change_actions import change_booking
from bookings.lifecycle.errors import PriceChanged, TooManyPeople
from bookings.lifecycle.models import Booking
from bookings.series.actions import approve_series, cancel_dates, decline_series
from bookings.series.change_actions import Wish, change_dates, plan_change
from bookings.series.errors import (
    DatesTaken,
    NothingToCancel,
    NothingToChange,
    NothingWaits,
    NotYourSeries,
)
from bookings.series.models import Series
from bookings.series.rules import Change, Recurrence
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.db import span_of
from marketplace.timespan import Span
from spaces.calendar.models import Claim
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue
from tests.bookings.series.test_create_series import check_claims
from tests.factories.bookings import DAY, NOW, book, span_on
from tests.factories.listings import give
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.series import dates_of, repeat, season_space, skips_of, weekly
from tests.factories.spaces import make_venue

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


def change(
    session: Session,
    city: City,
    series: Series,
    actor: Actor,
    what: Change,
    *,
    scope: str = "following",
    position: int = 3,
    all_or_nothing: bool = False,
    purpose: str = "Choir",
    attendees: int | None = 12,
    expected: int | None = None,
) -> Series:
    return change_dates(
        session,
        city,
        series,
        Wish(what, purpose, attendees),
        actor=actor,
        scope=scope,
        position=position,
        all_or_nothing=all_or_nothing,
        at=NOW,
        expected_difference_minor=expected,
    )


def hours(city: City, start: float, end: float, *numbers: int) -> list[Span]:
    return [span_on(city, start, end, day=DAY + n * WEEK) for n in numbers]


def test_this_and_following_splits_the_past_from_the_future(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    rest = change(session, city, series, actor, Change(starts=time(19)))
    assert rest.id != series.id
    assert rest.continues_id == series.id
    assert [b.span for b in dates_of(session, series)] == hours(city, 18, 19.5, 0, 1)
    assert [b.span for b in dates_of(session, rest)] == hours(city, 19, 20.5, 2, 3, 4)
    assert [b.position for b in dates_of(session, rest)] == [1, 2, 3]
    assert series.rule.dates() == [DAY, DAY + WEEK]
    assert rest.rule.dates() == [DAY + n * WEEK for n in (2, 3, 4)]
    assert (series.starts, rest.starts) == (time(18), time(19))
    check_claims(session, city, [space])


def test_a_series_until_a_day_is_split_at_the_day(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    ask = weekly(rule=Recurrence(DAY, until=DAY + 4 * WEEK))
    series = repeat(session, city, space, actor, ask)
    rest = change(session, city, series, actor, Change(shift_days=1))
    assert series.rule.dates() == [DAY, DAY + WEEK]
    assert rest.rule.dates() == [DAY + n * WEEK + timedelta(days=1) for n in (2, 3, 4)]
    assert [b.span.start.astimezone(city.zone).date() for b in dates_of(session, rest)] == rest.rule.dates()
    check_claims(session, city, [space])


def test_all_keeps_the_series_and_moves_its_rule(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    same = change(session, city, series, actor, Change(shift_days=1, minutes=60), scope="all", position=1)
    assert same.id == series.id
    expected = [span_on(city, 18, 19, day=DAY + n * WEEK + timedelta(days=1)) for n in range(5)]
    assert [b.span for b in dates_of(session, series)] == expected
    assert {b.total_minor for b in dates_of(session, series)} == {2000}
    assert series.rule.first == date(2026, 12, 2)
    check_claims(session, city, [space])


def test_one_date_is_an_exception_of_the_rule(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    same = change(session, city, series, actor, Change(starts=time(10)), scope="one", position=2)
    assert same.id == series.id
    assert [b.span for b in dates_of(session, series)] == [
        *hours(city, 18, 19.5, 0),
        *hours(city, 10, 11.5, 1),
        *hours(city, 18, 19.5, 2, 3, 4),
    ]
    assert series.starts == time(18)


def test_the_old_time_is_kept_where_the_new_cannot_be_had(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    book(session, city, space, other, span_on(city, 20, 21, day=DAY + 3 * WEEK))
    series = repeat(session, city, space, actor)
    with pytest.raises(DatesTaken) as refused:
        change(session, city, series, actor, Change(starts=time(19)), all_or_nothing=True)
    assert refused.value.days == [DAY + 3 * WEEK]
    assert [b.span for b in dates_of(session, series)] == hours(city, 18, 19.5, 0, 1, 2, 3, 4)
    rest = change(session, city, series, actor, Change(starts=time(19)))
    assert [b.span for b in dates_of(session, rest)] == [
        *hours(city, 19, 20.5, 2),
        *hours(city, 18, 19.5, 3),
        *hours(city, 19, 20.5, 4),
    ]
    check_claims(session, city, [space])


def test_a_longer_time_may_cover_the_old_one_and_costs_more(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    bookings = dates_of(session, series)
    wish = Wish(Change(minutes=120), "Choir", 12)
    plan = plan_change(session, city, series, bookings, wish, scope="all", at=NOW)
    assert [one.difference_minor for one in plan] == [1000] * 5
    with pytest.raises(PriceChanged):
        change(session, city, series, actor, wish.change, scope="all", expected=4999)
    change(session, city, series, actor, wish.change, scope="all", expected=5000)
    assert {b.total_minor for b in dates_of(session, series)} == {4000}
    check_claims(session, city, [space])


def test_cheaper_is_no_way_out_of_a_price_that_is_due(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    first = dates_of(session, series)[0]
    late = first.cancel_free_until + timedelta(hours=1)
    wish = Wish(Change(minutes=60), "Choir", 12)
    plan = plan_change(session, city, series, [first], wish, scope="one", at=late)
    assert plan[0].difference_minor == 0


def test_words_and_people_alone(session: Session, city: City, space: Space, actor: Actor) -> None:
    series = repeat(session, city, space, actor)
    with pytest.raises(NothingToChange):
        change(session, city, series, actor, Change(), scope="all")
    with pytest.raises(TooManyPeople):
        change(session, city, series, actor, Change(), scope="all", attendees=41)
    change(session, city, series, actor, Change(), scope="all", purpose="Orchestra", attendees=20)
    assert {(b.purpose, b.attendees) for b in dates_of(session, series)} == {("Orchestra", 20)}
    assert (series.purpose, series.attendees) == ("Orchestra", 20)
    audited = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.changed")).all()
    assert len(audited) == 5
    assert audited[0].details["before"]["purpose"] == "Choir"
    assert audited[0].details["after"]["purpose"] == "Orchestra"


def test_skipped_dates_go_with_the_rest(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    book(session, city, space, other, span_on(city, 18, 19, day=DAY + 3 * WEEK))
    series = repeat(session, city, space, actor)
    rest = change(session, city, series, actor, Change(starts=time(17)))
    assert [(s.position, s.day) for s in skips_of(session, rest)] == [(2, DAY + 3 * WEEK)]
    assert skips_of(session, series) == []


def test_a_confirmed_date_needs_its_owner_for_a_new_time_but_not_for_less(
    session: Session, city: City, actor: Actor
) -> None:
    venue = make_venue(session, city)
    space = season_space(session, city, venue, approval="handler")
    series = repeat(session, city, space, actor)
    handler = give(session, venue, make_person(session, city), "handler")
    approve_series(session, city, series, venue, actor=handler, at=NOW)
    wish = Wish(Change(starts=time(19)), "Choir", 12)
    plan = plan_change(session, city, series, dates_of(session, series), wish, scope="all", at=NOW)
    assert {one.refusal.code for one in plan if one.refusal} == {"ask-one-by-one"}
    with pytest.raises(DatesTaken):
        change(session, city, series, actor, wish.change, scope="all", all_or_nothing=True)
    change(session, city, series, actor, Change(minutes=60), scope="all")
    assert {b.span.minutes for b in dates_of(session, series)} == {60}
    assert {b.state for b in dates_of(session, series)} == {"confirmed"}


def test_cancelling_costs_what_each_date_costs(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    first = dates_of(session, series)[0]
    late = first.cancel_free_until + timedelta(hours=1)
    with pytest.raises(PriceChanged):
        cancel_dates(
            session, city, series, actor=actor, scope="all", position=1, at=late, expected_kept_minor=0
        )
    kept = cancel_dates(
        session, city, series, actor=actor, scope="all", position=1, at=late, expected_kept_minor=3000
    )
    assert kept.minor == 3000
    assert [b.kept_minor for b in dates_of(session, series)] == [3000, 0, 0, 0, 0]
    assert session.scalar(select(func.count()).select_from(Claim)) == 0
    check_claims(session, city, [space])
    with pytest.raises(NothingToCancel):
        cancel_dates(session, city, series, actor=actor, scope="all", position=1, at=late)


def test_cancelling_ranges(session: Session, city: City, space: Space, actor: Actor) -> None:
    series = repeat(session, city, space, actor)
    cancel_dates(session, city, series, actor=actor, scope="one", position=2, at=NOW)
    cancel_dates(session, city, series, actor=actor, scope="following", position=4, at=NOW)
    assert [b.state for b in dates_of(session, series)] == [
        "confirmed",
        "cancelled",
        "confirmed",
        "cancelled",
        "cancelled",
    ]
    check_claims(session, city, [space])


def test_what_has_begun_stays(session: Session, city: City, space: Space, actor: Actor) -> None:
    series = repeat(session, city, space, actor)
    during = dates_of(session, series)[1].span.start
    cancel_dates(session, city, series, actor=actor, scope="all", position=1, at=during)
    assert [b.state for b in dates_of(session, series)] == ["confirmed"] * 2 + ["cancelled"] * 3


def test_only_those_who_may_change_it(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    association = make_organisation(session, city)
    booker, member = make_person(session, city), make_person(session, city)
    join(session, booker, association, "booker")
    join(session, member, association, "member")
    series = repeat(session, city, space, actor_of(session, booker), organisation_id=association.id)
    staff = actor_of(session, make_person(session, city, is_staff=True))
    for stranger in (
        other,
        actor_of(session, member),
        staff,
        Actor(city.id),
        Actor(city.id + 1, person_id=1),
    ):
        with pytest.raises(NotYourSeries):
            cancel_dates(session, city, series, actor=stranger, scope="all", position=1, at=NOW)
        with pytest.raises(NotYourSeries):
            change(session, city, series, stranger, Change(starts=time(19)))
    colleague = make_person(session, city)
    join(session, colleague, association, "booker")
    cancel_dates(session, city, series, actor=actor_of(session, colleague), scope="all", position=1, at=NOW)


@pytest.fixture
def venue(session: Session, city: City) -> Venue:
    return make_venue(session, city)


def test_requests_are_answered_as_a_whole(
    session: Session, city: City, venue: Venue, actor: Actor, other: Actor
) -> None:
    space = season_space(session, city, venue, approval="handler")
    handler = give(session, venue, make_person(session, city), "handler")
    viewer = give(session, venue, make_person(session, city), "viewer")
    series = repeat(session, city, space, actor)
    for stranger in (actor, other, viewer):
        with pytest.raises(NotYourVenue):
            approve_series(session, city, series, venue, actor=stranger, at=NOW)
        with pytest.raises(NotYourVenue):
            decline_series(session, city, series, venue, actor=stranger, reason="-", at=NOW)
    approve_series(session, city, series, venue, actor=handler, at=NOW)
    assert {b.state for b in dates_of(session, series)} == {"confirmed"}
    with pytest.raises(NothingWaits):
        decline_series(session, city, series, venue, actor=handler, reason="-", at=NOW)
    second = repeat(session, city, space, actor, weekly(starts=time(10)))
    decline_series(session, city, second, venue, actor=handler, reason="Floor", at=NOW)
    assert {b.state for b in dates_of(session, second)} == {"declined"}
    check_claims(session, city, [space])
    assert session.scalar(select(func.count()).select_from(Booking)) == 10


def test_a_date_that_runs_keeps_its_time_when_the_rest_is_cancelled(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    series = repeat(session, city, space, actor)
    first = dates_of(session, series)[0]
    space.approval = "handler"
    session.flush()
    later = Span(first.span.start + timedelta(hours=1), first.span.end + timedelta(hours=1))
    request = change_booking(
        session,
        city,
        first,
        BookingChange(space, later, first.attendees),
        actor=actor,
        at=NOW,
        submission="later-on",
    )
    assert (request.state, request.replaces_id) == ("awaiting_approval", first.id)
    at = first.span.start + timedelta(minutes=15)
    cancel_dates(session, city, series, actor=actor, scope="all", position=1, at=at)
    assert (first.state, request.state) == ("confirmed", "awaiting_approval")
    assert expire_request(session, city.id, at=at)
    claimed = session.execute(select(Claim.holder_id, Claim.during).where(Claim.part == 0)).all()
    assert [(holder, span_of(during)) for holder, during in claimed] == [(first.id, first.span)]
