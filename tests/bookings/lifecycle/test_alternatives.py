"""What is offered instead of a time that is gone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from bookings.lifecycle.alternatives import (
    Alternatives,
    Sought,
    alternatives,
    is_taken_by_others,
    masks_near,
)
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.timespan import Span, SpanSet, instant
from spaces.calendar.rules import sheet_word
from spaces.catalog.models import Space, SpaceOrganisation, Venue
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_unit, make_venue

NEAR, FAR = (24.9560, 60.1850), (25.0400, 60.2000)
SAME: dict[str, Any] = {"purposes": ["meeting"], "capacity": 40}


@pytest.fixture
def actor(session: Session, person: Person) -> Actor:
    return actor_of(session, person)


@pytest.fixture
def stranger(session: Session, city: City) -> Actor:
    return actor_of(session, make_person(session, city))


def found_for(
    session: Session, city: City, space: Space, wished: Span, actor: Actor, **more: Any
) -> Alternatives:
    venue = session.get_one(Venue, (space.city_id, space.venue_id))
    return alternatives(session, city, Sought(space, venue, wished, actor, **more), at=NOW)


def reasons_of(found: Alternatives, n: int = 0) -> dict[str, Any]:
    return {reason.code: reason.facts for reason in found.spaces[n].reasons}


def near_by(session: Session, city: City, *, at: tuple[float, float] = NEAR, **fields: Any) -> Space:
    venue = make_venue(session, city, at=at, accessibility=fields.pop("accessibility", []))
    return open_space(session, city, venue, **{**SAME, **fields})


def test_the_same_space_at_the_nearest_times_then_the_next_days(
    session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city)
    wished = span_on(city, 18, 20)
    book(session, city, space, actor, wished)
    book(session, city, space, actor, span_on(city, 18, 20, day=DAY + timedelta(days=1)))
    found = found_for(session, city, space, wished, actor)
    days = [DAY + timedelta(days=n) for n in range(4)]
    assert [one.offer.span for one in found.times] == [
        span_on(city, 15, 17),
        span_on(city, 15.5, 17.5),
        span_on(city, 16, 18),
        span_on(city, 20, 22),
        span_on(city, 16, 18, day=days[1]),
        span_on(city, 18, 20, day=days[2]),
        span_on(city, 18, 20, day=days[3]),
    ]
    assert {one.offer.price_minor for one in found.times} == {4000}
    assert [one.reasons[0].code for one in found.times] == ["earlier"] * 3 + ["later"] + ["days-later"] * 3
    assert found.times[3].reasons[0].facts == {"minutes": 120}


def test_a_space_that_is_full_for_days_is_looked_through_further(
    session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, whole_days=True, max_minutes=1440, price=("day", 5000))
    for n in range(9):
        book(session, city, space, actor, span_on(city, 8, 22, day=DAY + timedelta(days=n)))
    found = found_for(session, city, space, span_on(city, 8, 22), actor)
    assert [one.offer.span for one in found.times] == [
        span_on(city, 8, 22, day=DAY + timedelta(days=n)) for n in range(9, 14)
    ]


def test_similar_spaces_that_are_free_then_the_nearest_first(
    session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, **SAME)
    near, far = near_by(session, city), near_by(session, city, at=FAR)
    taken = near_by(session, city)
    open_space(session, city, purposes=["dance"], capacity=40)
    open_space(session, city, purposes=["meeting"], capacity=8)
    open_space(session, city, state="draft", **SAME)
    wished = span_on(city, 18, 20)
    for gone in (space, taken):
        book(session, city, gone, actor, wished)
    book(session, city, taken, actor, span_on(city, 16, 18))
    book(session, city, taken, actor, span_on(city, 20, 22))
    found = found_for(session, city, space, wished, actor, people=30)
    assert [one.space.id for one in found.spaces] == [near.id, far.id]
    assert [one.offer.span for one in found.spaces] == [wished, wished]
    assert [one.score for one in found.spaces] == sorted(one.score for one in found.spaces)
    assert found.spaces[0].distance_m is not None
    assert found.spaces[0].distance_m < 300
    assert set(reasons_of(found)) == {"same-time", "away", "seats", "same-price"}


def test_what_an_alternative_lacks_has_more_and_costs_is_said(
    session: Session, city: City, actor: Actor
) -> None:
    venue = make_venue(session, city, accessibility=["lift"])
    space = open_space(session, city, venue, equipment=["projector", "piano"], **SAME)
    near_by(session, city, equipment=["piano", "kitchen"], capacity=25, price=("hour", 1750))
    wished = span_on(city, 18, 20)
    book(session, city, space, actor, wished)
    found = found_for(session, city, space, wished, actor)
    said = reasons_of(found)
    assert said["lacks"] == {"equipment": ["projector"]}
    assert said["also-has"] == {"equipment": ["kitchen"]}
    assert said["access-not-told"] == {"accessibility": ["lift"]}
    assert said["smaller"] == {"people": 25}
    assert said["cheaper"] == {"minor": 500}


def test_an_hour_later_is_offered_where_the_very_time_is_gone(
    session: Session, city: City, actor: Actor
) -> None:
    space, other = open_space(session, city, **SAME), near_by(session, city)
    wished = span_on(city, 18, 20)
    book(session, city, space, actor, wished)
    book(session, city, other, actor, span_on(city, 17.5, 19))
    found = found_for(session, city, space, wished, actor)
    assert found.spaces[0].offer.span == span_on(city, 19, 21)
    assert reasons_of(found)["later"] == {"minutes": 60}
    book(session, city, other, actor, span_on(city, 19, 20))
    assert not found_for(session, city, space, wished, actor).spaces  # an hour and a half is too far off


def test_only_half_of_the_time_is_no_alternative(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, **SAME)
    near_by(session, city, max_minutes=60)
    longer = near_by(session, city, min_minutes=180)
    wished = span_on(city, 18, 20)
    book(session, city, space, actor, wished)
    found = found_for(session, city, space, wished, actor)
    assert [one.space.id for one in found.spaces] == [longer.id]
    assert reasons_of(found)["longer"] == {"minutes": 180}


def test_nobody_is_offered_what_they_may_not_book(session: Session, city: City) -> None:
    person, club = make_person(session, city), make_organisation(session, city)
    join(session, person, club)
    actor = actor_of(session, person)
    outsider = actor_of(session, make_person(session, city))
    space = open_space(session, city, **SAME)
    near_by(session, city, approval="handler", who="organisations")
    members_only = near_by(session, city, who="members")
    session.add(
        SpaceOrganisation(city_id=city.id, space_id=members_only.id, organisation_id=club.id, role="member")
    )
    few = near_by(session, city, attendees_min=20)
    session.flush()
    wished = span_on(city, 18, 20)
    book(session, city, space, outsider, wished)

    def offered(asker: Actor, **more: Any) -> set[int]:
        return {one.space.id for one in found_for(session, city, space, wished, asker, **more).spaces}

    assert offered(outsider) == {few.id}
    assert offered(outsider, people=5) == set()
    assert offered(actor, people=25) == {members_only.id, few.id}
    assert len(offered(actor, organisation_id=club.id)) == 3


def test_the_owner_who_must_confirm_is_named_and_who_need_not_too(
    session: Session, city: City, actor: Actor, stranger: Actor
) -> None:
    at_once, asked = near_by(session, city), near_by(session, city, approval="handler")
    wished = span_on(city, 18, 20)
    book(session, city, at_once, stranger, wished)
    found = found_for(session, city, at_once, wished, actor)
    assert "owner-confirms" in reasons_of(found)
    assert not found.spaces[0].at_once
    book(session, city, asked, stranger, wished)
    third = near_by(session, city)
    found = found_for(session, city, asked, wished, actor)
    assert [one.space.id for one in found.spaces] == [third.id]
    assert "at-once" in reasons_of(found)


def test_where_the_person_or_their_organisation_was_before(
    session: Session, city: City, actor: Actor, stranger: Actor
) -> None:
    club = make_organisation(session, city)
    space, known, new = open_space(session, city, **SAME), near_by(session, city), near_by(session, city)
    wished = span_on(city, 18, 20)
    book(session, city, space, stranger, wished)
    then = datetime(2026, 5, 4, 15, tzinfo=UTC)
    was = book(session, city, known, actor, span_on(city, 8, 9))
    was.during = type(was.during)(then, then + timedelta(hours=1))
    session.flush()
    found = found_for(session, city, space, wished, actor)
    assert [one.space.id for one in found.spaces] == [known.id, new.id]
    assert reasons_of(found)["you-were-here"] == {"on": "2026-05-04"}
    assert not any("here" in code for code in reasons_of(found, 1))
    # What somebody else did is nobody's business.
    assert "you-were-here" not in reasons_of(found_for(session, city, space, wished, stranger))
    was.organisation_id = club.id
    session.flush()
    others = found_for(session, city, space, wished, stranger, organisation_id=club.id)
    assert reasons_of(others)["organisation-was-here"] == {"on": "2026-05-04"}
    was.state = "cancelled"
    session.flush()
    assert "you-were-here" not in reasons_of(found_for(session, city, space, wished, actor))


def test_the_other_half_is_offered_when_one_is_taken(session: Session, city: City, actor: Actor) -> None:
    venue = make_venue(session, city)
    a, b = make_unit(session, venue), make_unit(session, venue)
    half_a, half_b = open_space(session, city, venue, units=[a]), open_space(session, city, venue, units=[b])
    whole = open_space(session, city, venue, units=[a, b])
    elsewhere = near_by(session, city, purposes=[])
    wished = span_on(city, 18, 20)
    booking = book(session, city, half_a, actor, wished)
    found = found_for(session, city, half_a, wished, actor)
    offered = {one.space.id: one for one in found.spaces}
    assert offered[half_b.id].offer.span == wished
    assert "same-building" in {reason.code for reason in offered[half_b.id].reasons}
    assert elsewhere.id in offered
    # The whole shares the taken half, so it is offered only before or after it, if at all.
    assert whole.id not in offered or not offered[whole.id].offer.span.overlaps(wished)
    # A change keeps to the place, and what is to be changed is free for it.
    found = found_for(session, city, half_a, wished, actor, but=booking.id, stays=True)
    assert {one.space.id for one in found.spaces} == {half_b.id, whole.id}
    assert {one.offer.span for one in found.spaces} == {wished}


def test_whole_days_are_answered_with_days(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, whole_days=True, max_minutes=1440, price=("day", 5000), **SAME)
    shorter = near_by(
        session,
        city,
        whole_days=True,
        max_minutes=1440,
        price=("day", 5000),
        hours=(time(10), time(20)),
    )
    wished = span_on(city, 8, 22)
    book(session, city, space, actor, wished)
    found = found_for(session, city, space, wished, actor)
    assert [one.offer.span for one in found.times] == [
        span_on(city, 8, 22, day=DAY + timedelta(days=n)) for n in range(1, len(found.times) + 1)
    ]
    assert len(found.times) >= 3
    assert [(one.space.id, one.offer.span) for one in found.spaces] == [(shorter.id, span_on(city, 10, 20))]
    assert reasons_of(found)["shorter"] == {"minutes": 600}


def test_a_time_long_gone_is_answered_from_today(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, first=NOW.date(), last=DAY.replace(day=28))
    past = span_on(city, 18, 20, day=NOW.date() - timedelta(days=400))
    found = found_for(session, city, space, past, actor)
    assert found.times
    assert all(one.offer.span.start >= NOW for one in found.times)
    assert not found.spaces


def test_a_place_that_nobody_has_put_on_the_map_has_alternatives_too(
    session: Session, city: City, actor: Actor
) -> None:
    venue = make_venue(session, city, lon=None, lat=None, position=None)
    space, other = open_space(session, city, venue, **SAME), near_by(session, city)
    wished = span_on(city, 18, 20)
    book(session, city, space, actor, wished)
    found = found_for(session, city, space, wished, actor)
    assert [one.space.id for one in found.spaces] == [other.id]
    assert found.spaces[0].distance_m is None
    assert "away" not in reasons_of(found)


def test_another_citys_spaces_are_never_offered(session: Session, city: City, actor: Actor) -> None:
    space, other_city = open_space(session, city, **SAME), make_city(session, slug="other")
    open_space(session, other_city, make_venue(session, other_city, at=NEAR), **SAME)
    wished = span_on(city, 18, 20)
    book(session, city, space, actor, wished)
    assert not found_for(session, city, space, wished, actor).spaces


def test_the_number_of_statements_does_not_grow_with_the_spaces(
    session: Session, city: City, actor: Actor
) -> None:
    venue = make_venue(session, city)
    space = open_space(session, city, venue, **SAME)
    wished = span_on(city, 18, 20)
    book(session, city, space, actor, wished)
    near_by(session, city)
    sought = Sought(space, venue, wished, actor)

    def statements() -> int:
        seen: list[str] = []
        engine = session.get_bind()

        def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        alternatives(session, city, sought, at=NOW)
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    few = statements()
    for _ in range(15):
        near_by(session, city)
    assert statements() == few
    assert few <= 6


def test_who_comes_late_is_told_without_a_lock_but_not_by_their_own_form(
    session: Session, city: City, actor: Actor, stranger: Actor
) -> None:
    venue = make_venue(session, city)
    space = open_space(session, city, venue)
    shared = open_space(session, city, venue, units=[make_unit(session, venue, lanes=2)])
    wished = span_on(city, 18, 20)

    def gone(where: Space, who: Actor, during: Span = wished, submission: str = "another-form") -> bool:
        return is_taken_by_others(session, where, during, person_id=who.person_id, submission=submission)

    assert not gone(space, stranger)
    booking: Booking = book(session, city, space, actor, wished)
    assert gone(space, stranger)
    assert gone(space, actor)
    assert gone(space, stranger, span_on(city, 19.5, 20.5))
    assert not gone(space, stranger, span_on(city, 20, 21))
    # The very form that has it comes again: that is answered with its booking.
    assert not gone(space, actor, submission=booking.submission)
    assert gone(space, stranger, submission=booking.submission)
    # Where several may be at once only the booking itself can tell.
    book(session, city, shared, actor, wished)
    assert not gone(shared, stranger)


minutes = st.integers(0, 1439)


@settings(max_examples=300)
@given(start=minutes, shift=st.integers(-60, 60), length=st.integers(15, 600), spare=st.integers(0, 90))
def test_the_masks_rule_out_no_time_that_is_free(start: int, shift: int, length: int, spare: int) -> None:
    """Whatever free stretch holds a time of this length near the wished start, one of the masks admits its day."""
    city = City(time_zone="Europe/Helsinki")
    day = date(2026, 12, 1)
    midnight = instant(day, time(0), city.zone)

    def span(begins: int) -> Span:
        return Span(midnight + timedelta(minutes=begins), midnight + timedelta(minutes=begins + length))

    begins = start + shift
    if not 0 <= begins < 1440:
        return
    free = span(begins).widened(after=timedelta(minutes=spare))
    word = sheet_word(SpanSet([free]), day, city.zone)
    assert any(word & mask == mask for mask in masks_near(span(start), day, city))
