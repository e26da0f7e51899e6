"""Booking a space: who may, within which rules, at which price, and once for each form."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.errors import (
    AttendeesOutOfRange,
    InThePast,
    NoRightToBook,
    NotOnOffer,
    NotOpen,
    OddLength,
    OddStart,
    OrganisationsOnly,
    PriceChanged,
    SubmissionUsed,
    TooFarAhead,
    TooLateToBook,
    TooLong,
    TooManyPeople,
    TooShort,
    WholeDaysOnly,
)
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.errors import NotVerified
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.db import span_of
from marketplace.errors import Unauthenticated
from marketplace.timespan import Span, day_span
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim
from spaces.pricing.models import Price
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_unit, make_venue


@pytest.fixture
def actor(session: Session, person: Person) -> Actor:
    return actor_of(session, person)


def bookings(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Booking)) or 0


def test_an_instant_space_is_confirmed_with_its_price_and_claims(
    session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, buffer_after_minutes=30)
    booking = book(session, city, space, actor, span_on(city, 18, 19.5), purpose="Kokous", attendees=40)

    assert booking.state == "confirmed"
    assert (booking.total_minor, booking.vat_minor, booking.currency) == (3000, 610, "EUR")
    assert booking.lines == [{"code": "hours", "quantity": "1.5", "unit_minor": 2000, "total_minor": 3000}]
    assert booking.cancel_free_until == span_on(city, 18, 19, day=DAY - timedelta(days=1)).start
    claims = session.scalars(select(Claim).where(Claim.holder_id == booking.id).order_by(Claim.part)).all()
    assert [(c.part, span_of(c.during).length) for c in claims] == [
        (0, timedelta(minutes=90)),
        (2, timedelta(minutes=30)),
    ]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.subject_kind == "booking")).one()
    assert (entry.action, entry.subject_id, entry.person_id) == (
        "booking.requested",
        booking.id,
        actor.person_id,
    )


def test_a_space_with_a_handler_is_asked_for_and_its_time_is_held(
    session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, approval="handler")
    booking = book(session, city, space, actor, span_on(city, 18, 20))
    assert booking.state == "awaiting_approval"
    with pytest.raises(SlotTaken):
        book(session, city, space, actor, span_on(city, 19, 20))


def test_nobody_and_an_unproved_address_cannot_book(session: Session, city: City) -> None:
    space = open_space(session, city)
    with pytest.raises(Unauthenticated):
        book(session, city, space, Actor(city.id), span_on(city, 18, 20))
    unverified = actor_of(session, make_person(session, city, email_verified_at=None))
    with pytest.raises(NotVerified):
        book(session, city, space, unverified, span_on(city, 18, 20))


@pytest.mark.parametrize(
    ("role", "allowed"), [(None, False), ("member", False), ("booker", True), ("manager", True)]
)
def test_only_bookers_and_managers_book_for_an_organisation(
    session: Session, city: City, person: Person, role: str | None, allowed: bool
) -> None:
    organisation = make_organisation(session, city)
    if role:
        join(session, person, organisation, role)
    space = open_space(session, city, who="organisations")
    actor = actor_of(session, person)
    if allowed:
        booking = book(session, city, space, actor, span_on(city, 18, 20), organisation_id=organisation.id)
        assert booking.organisation_id == organisation.id
    else:
        with pytest.raises(NoRightToBook):
            book(session, city, space, actor, span_on(city, 18, 20), organisation_id=organisation.id)


def test_a_space_for_organisations_refuses_a_person_alone(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, who="organisations")
    with pytest.raises(OrganisationsOnly):
        book(session, city, space, actor, span_on(city, 18, 20))


def test_a_draft_cannot_be_booked_even_by_its_owner(session: Session, city: City, person: Person) -> None:
    owner = make_organisation(session, city, name="Omistaja", kind="city_division")
    join(session, person, owner, "manager")
    space = open_space(session, city, make_venue(session, city, owner=owner), state="draft")
    with pytest.raises(NotOnOffer):
        book(session, city, space, actor_of(session, person), span_on(city, 18, 20))


def test_the_number_of_people_must_fit(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, capacity=40)
    with pytest.raises(TooManyPeople) as refused:
        book(session, city, space, actor, span_on(city, 18, 20), attendees=41)
    assert refused.value.public == {"capacity": 40}
    for absurd in (0, -1, 10**12):
        with pytest.raises((AttendeesOutOfRange, TooManyPeople)):
            book(session, city, space, actor, span_on(city, 18, 20), attendees=absurd)
    assert book(session, city, space, actor, span_on(city, 18, 20), attendees=40).attendees == 40


RULES: dict[str, Any] = {
    "min_minutes": 60,
    "max_minutes": 240,
    "interval_minutes": 30,
    "notice_minutes": 120,
    "horizon_days": 10,
}


@pytest.mark.parametrize(
    ("hours", "refusal"),
    [
        ((18, 18.5), TooShort),
        ((12, 16.5), TooLong),
        ((7, 9), NotOpen),
        ((21, 22.5), NotOpen),
        ((18.25, 19.25), OddStart),
        ((18, 19.25), OddLength),
    ],
)
def test_each_rule_has_its_own_refusal(
    session: Session, city: City, actor: Actor, hours: tuple[float, float], refusal: type[Exception]
) -> None:
    space = open_space(session, city, **RULES)
    with pytest.raises(refusal):
        book(session, city, space, actor, span_on(city, *hours))
    assert bookings(session) == 0


def test_notice_and_horizon_are_exact(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, **RULES)
    start = span_on(city, 18, 19).start
    with pytest.raises(TooLateToBook) as late:
        book(session, city, space, actor, span_on(city, 18, 19), at=start - timedelta(minutes=119))
    assert late.value.public == {"hours": "2"}
    with pytest.raises(InThePast):
        book(session, city, space, actor, span_on(city, 18, 19), at=start + timedelta(seconds=1))
    ten_days = start - timedelta(days=10)
    book(session, city, space, actor, span_on(city, 18, 19), at=ten_days)
    with pytest.raises(TooFarAhead):
        book(session, city, space, actor, span_on(city, 19, 20), at=ten_days - timedelta(days=1))
    book(session, city, space, actor, span_on(city, 19, 20), at=start - timedelta(minutes=120))


def test_the_edges_of_the_day_can_be_booked(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city)
    assert book(session, city, space, actor, span_on(city, 8, 9)).state == "confirmed"
    assert book(session, city, space, actor, span_on(city, 21, 22)).state == "confirmed"
    # Half open: the next one begins where the first ends.
    assert book(session, city, space, actor, span_on(city, 9, 10)).state == "confirmed"


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_absurd_years_are_refused_without_looking(
    session: Session, city: City, actor: Actor, year: int
) -> None:
    space = open_space(session, city)
    start = datetime(year, 12, 31, 20, tzinfo=UTC)
    with pytest.raises((InThePast, TooFarAhead)):
        book(session, city, space, actor, Span(start, start + timedelta(hours=2)))


def test_microseconds_and_a_century_are_refused(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city)
    good = span_on(city, 18, 20)
    with pytest.raises((OddStart, OddLength)):
        book(session, city, space, actor, Span(good.start + timedelta(microseconds=1), good.end))
    with pytest.raises(TooLong):
        book(session, city, space, actor, Span(good.start, good.start + timedelta(days=36500)))


def test_opening_past_midnight_belongs_to_the_evening(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, hours=(time(18), time(2)))
    night = span_on(city, 23.5, 25.5)
    assert book(session, city, space, actor, night).span == night
    with pytest.raises(NotOpen):
        book(session, city, space, actor, span_on(city, 25.5, 26.5))


def test_whole_days_are_sold_as_they_open(session: Session, city: City, actor: Actor) -> None:
    space = open_space(
        session, city, whole_days=True, max_minutes=2880, price=("day", 5000), hours=(time(8), time(20))
    )
    with pytest.raises(WholeDaysOnly):
        book(session, city, space, actor, span_on(city, 10, 14))
    two_days = Span(span_on(city, 8, 9).start, span_on(city, 19, 20, day=DAY + timedelta(days=1)).end)
    booking = book(session, city, space, actor, two_days)
    assert booking.total_minor == 10000


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2027, 3, 28), 23), (date(2027, 10, 31), 25)], ids=["spring", "autumn"]
)
def test_days_when_the_clocks_change_cost_what_they_last(
    session: Session, city: City, actor: Actor, day: date, hours: int
) -> None:
    space = open_space(
        session,
        city,
        first=day,
        last=day.replace(day=day.day),
        hours=(time(0), time(0)),
        max_minutes=1500,
        horizon_days=700,
        interval_minutes=60,
    )
    whole = day_span(day, city.zone)
    booking = book(session, city, space, actor, whole)
    assert booking.span == whole
    assert booking.total_minor == hours * 2000


def test_the_hour_that_comes_twice_can_be_booked_twice(session: Session, city: City, actor: Actor) -> None:
    day = date(2027, 10, 31)
    space = open_space(
        session, city, first=day, last=day, hours=(time(0), time(0)), horizon_days=700, interval_minutes=60
    )
    first = datetime(2027, 10, 31, 0, tzinfo=UTC)  # 03.00 summer time
    again = first + timedelta(hours=1)  # 03.00 winter time
    for start in (first, again):
        book(session, city, space, actor, Span(start, start + timedelta(hours=1)))
    with pytest.raises(SlotTaken):
        book(session, city, space, actor, Span(first, first + timedelta(hours=2)))


def test_a_night_over_the_spring_change_is_an_hour_shorter(
    session: Session, city: City, actor: Actor
) -> None:
    day = date(2027, 3, 27)
    space = open_space(
        session, city, first=day, last=day, hours=(time(22), time(5)), horizon_days=700, max_minutes=480
    )
    night = Span(datetime(2027, 3, 27, 20, tzinfo=UTC), datetime(2027, 3, 28, 2, tzinfo=UTC))
    assert book(session, city, space, actor, night).total_minor == 6 * 2000


def test_a_changed_price_is_said_before_it_is_sold(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city)
    session.add(
        Price(city_id=city.id, space_id=space.id, valid_from=date(2026, 1, 1), per="hour", amount_minor=2500)
    )
    session.flush()
    with pytest.raises(PriceChanged) as refused:
        book(session, city, space, actor, span_on(city, 18, 20), expected_total_minor=4000)
    assert refused.value.public == {"total_minor": 5000, "currency": "EUR"}
    assert bookings(session) == 0
    book(session, city, space, actor, span_on(city, 18, 20), expected_total_minor=5000)


def test_a_second_submit_finds_the_first_booking(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city)
    first = book(session, city, space, actor, span_on(city, 18, 20), submission="one-and-the-same")
    again = book(session, city, space, actor, span_on(city, 18, 20), submission="one-and-the-same")
    assert again.id == first.id
    assert bookings(session) == 1
    with pytest.raises(SubmissionUsed):
        book(session, city, space, actor, span_on(city, 20, 21), submission="one-and-the-same")
    other = replace(actor, person_id=make_person(session, city).id)
    assert (
        book(session, city, space, other, span_on(city, 20, 21), submission="one-and-the-same").id != first.id
    )


def test_a_taken_time_leaves_nothing_behind(session: Session, city: City, actor: Actor) -> None:
    venue = make_venue(session, city)
    a, b = make_unit(session, venue), make_unit(session, venue)
    whole, half = open_space(session, city, venue, units=[a, b]), open_space(session, city, venue, units=[a])
    book(session, city, half, actor, span_on(city, 18, 20))
    with pytest.raises(SlotTaken):
        book(session, city, whole, actor, span_on(city, 19, 21), at=NOW)
    assert bookings(session) == 1
    assert session.scalar(select(func.count()).select_from(Claim)) == 1
