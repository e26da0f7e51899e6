"""Owners write the hours of their spaces: what is compiled, what is refused, who may."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Organisation
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span, day_span
from spaces.calendar.errors import HoursChanged, PeriodsOverlap
from spaces.calendar.hours import NotedException, SpaceHours
from spaces.calendar.hours_actions import set_hours
from spaces.calendar.models import OpeningException, OpeningMonth
from spaces.calendar.queries import calendar_of, hours_of, public_reasons
from spaces.calendar.rules import ExceptionHours, WeeklyHours
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_space, make_venue

EVERY_DAY = frozenset(range(1, 8))
ALWAYS = WeeklyHours(EVERY_DAY, time(8), time(22))


@pytest.fixture
def venue(session: Session, city: City) -> Venue:
    return make_venue(session, city)


@pytest.fixture
def space(session: Session, venue: Venue) -> Space:
    return make_space(session, venue)


@pytest.fixture
def manager(session: Session, city: City, venue: Venue):
    person = make_person(session, city)
    join(session, person, session.get_one(Organisation, (city.id, venue.owner_id)), "manager")
    return actor_of(session, person)


def next_monday(zone: ZoneInfo) -> date:
    today = now().astimezone(zone).date()
    return today + timedelta(days=8 - today.isoweekday())


def open_hours(session: Session, city: City, space: Space, day: date) -> list[tuple[int, int]]:
    whole = day_span(day, city.zone)
    found = calendar_of(session, city.id, space.id, whole, city.zone).open
    return [(s.start.astimezone(city.zone).hour, s.end.astimezone(city.zone).hour) for s in found]


def test_hours_are_compiled_and_written_down(session, city: City, space: Space, manager) -> None:
    monday = next_monday(city.zone)
    hours = SpaceHours(
        (
            ALWAYS,
            WeeklyHours(frozenset({1}), time(10), time(12), monday, monday + timedelta(days=6), priority=1),
            WeeklyHours(
                frozenset({2}),
                time(10),
                time(12),
                monday,
                monday + timedelta(days=6),
                "all",
                None,
                "staff_only",
                1,
            ),
        ),
        (NotedException(ExceptionHours(monday, monday, time(9), time(11)), {"en": "Fair"}),),
    )
    assert set_hours(session, city, space, hours, actor=manager, at=now())
    assert open_hours(session, city, space, monday) == [(9, 11)]
    assert open_hours(session, city, space, monday + timedelta(days=1)) == []
    assert open_hours(session, city, space, monday + timedelta(days=7)) == [(8, 22)]
    staff = session.scalar(
        select(func.count())
        .select_from(OpeningMonth)
        .where(text("NOT isempty(staff)"), OpeningMonth.space_id == space.id)
    )
    assert staff == 1
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "space.hours-changed")).one()
    assert entry.details["before"]["weekly"][0]["closes"] == "22:00"
    assert len(entry.details["after"]["weekly"]) == 3
    assert public_reasons(session, city, space, [monday]) == {monday: {"en": "Fair"}}


def test_the_same_hours_again_write_nothing(session, city: City, space: Space, manager) -> None:
    hours = hours_of(session, space, from_day=date(2020, 1, 1))
    assert not set_hours(session, city, space, hours, actor=manager, at=now())
    assert (
        session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action.like("space.%")))
        == 0
    )


def test_only_months_whose_hours_differ_are_written(session, city: City, space: Space, manager) -> None:
    set_hours(session, city, space, SpaceHours((ALWAYS,), (), "closed"), actor=manager, at=now())
    session.commit()
    later = now().astimezone(city.zone).date() + timedelta(days=200)

    def versions() -> dict[date, str]:
        rows = session.execute(
            text("SELECT month, xmin::text || ctid::text FROM opening_month WHERE space_id = :id"),
            {"id": space.id},
        )
        return {month: version for month, version in rows}

    before = versions()
    closed = NotedException(ExceptionHours(later, later, state="closed"), {})
    set_hours(session, city, space, SpaceHours((ALWAYS,), (closed,), "closed"), actor=manager, at=now())
    after = versions()
    assert {month for month in after if after[month] != before[month]} == {later.replace(day=1)}


def test_holidays_close_the_space_and_say_why(session, city: City, space: Space, manager) -> None:
    set_hours(session, city, space, SpaceHours((ALWAYS,), (), "closed"), actor=manager, at=now())
    year = now().astimezone(city.zone).year
    coming = [date(year, 12, 24), date(year, 12, 25), date(year + 1, 1, 1)]
    day = next(day for day in coming if day > now().astimezone(city.zone).date())
    assert open_hours(session, city, space, day) == []
    names = public_reasons(session, city, space, [day])[day]
    assert set(names) == set(city.languages)


def test_overlapping_periods_of_equal_priority_are_refused(
    session, city: City, space: Space, manager
) -> None:
    summer = WeeklyHours(EVERY_DAY, time(10), time(16), date(2027, 6, 1), date(2027, 8, 31))
    with pytest.raises(PeriodsOverlap) as refused:
        set_hours(session, city, space, SpaceHours((ALWAYS, summer)), actor=manager, at=now())
    assert dict(refused.value.fields[0].values) == {
        "first": "../..",
        "second": "2027-06-01/2027-08-31",
        "priority": 0,
    }
    assert hours_of(session, space, from_day=date(2020, 1, 1)).weekly == (ALWAYS,)


def test_a_form_opened_before_somebody_elses_change_is_refused(
    session, city: City, space: Space, manager
) -> None:
    seen = hours_of(session, space, from_day=date(2020, 1, 1)).fingerprint
    shorter = SpaceHours((WeeklyHours(EVERY_DAY, time(9), time(17)),))
    set_hours(session, city, space, shorter, actor=manager, at=now(), seen=seen)
    with pytest.raises(HoursChanged):
        set_hours(session, city, space, SpaceHours((ALWAYS,)), actor=manager, at=now(), seen=seen)


def test_past_exceptions_stay(session, city: City, space: Space, manager) -> None:
    old = date(2020, 6, 1)
    session.add(OpeningException(city_id=city.id, space_id=space.id, first_day=old, last_day=old))
    session.flush()
    set_hours(session, city, space, SpaceHours(), actor=manager, at=now())
    assert session.scalars(select(OpeningException.first_day)).all() == [old]


@pytest.mark.parametrize("who", ["nobody", "outsider", "booker", "other manager", "other city"])
def test_others_may_not(session, city: City, venue: Venue, space: Space, who: str) -> None:
    if who == "nobody":
        actor = Actor(city_id=city.id)
    elif who == "other city":
        other = make_city(session, slug="tampere")
        actor = actor_of(session, make_person(session, other, is_staff=True))
    else:
        person = make_person(session, city)
        if who == "booker":
            join(session, person, session.get_one(Organisation, (city.id, venue.owner_id)), "booker")
        if who == "other manager":
            join(session, person, make_organisation(session, city), "manager")
        actor = actor_of(session, person)
    with pytest.raises(NotYourVenue):
        set_hours(session, city, space, SpaceHours(), actor=actor, at=now())


def test_staff_may(session, city: City, space: Space) -> None:
    staff = actor_of(session, make_person(session, city, is_staff=True))
    assert set_hours(session, city, space, SpaceHours(), actor=staff, at=now())
    monday = next_monday(city.zone)
    assert open_hours(session, city, space, monday) == []
    assert not calendar_of(
        session,
        city.id,
        space.id,
        Span(*(day_span(monday, city.zone).start, day_span(monday, city.zone).end)),
        city.zone,
    ).open


def test_now_is_an_argument(session, city: City, space: Space, manager) -> None:
    """Exceptions that lie before the given moment are kept, not replaced."""
    at = datetime(2030, 1, 1, 12, tzinfo=city.zone)
    day = date(2029, 12, 31)
    session.add(OpeningException(city_id=city.id, space_id=space.id, first_day=day, last_day=day))
    session.flush()
    set_hours(session, city, space, SpaceHours(), actor=manager, at=at)
    assert session.scalars(select(OpeningException.first_day)).all() == [day]
