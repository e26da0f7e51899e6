"""What is offered instead of a time that is gone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bookings.lifecycle.queries import alternatives
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.people import actor_of
from tests.factories.spaces import make_unit, make_venue

NEAR, FAR = (24.9560, 60.1850), (25.0500, 60.2100)


@pytest.fixture
def actor(session: Session, person: Person) -> Actor:
    return actor_of(session, person)


def test_the_same_space_at_the_nearest_times_then_the_next_days(
    session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city)
    wished = span_on(city, 18, 20)
    book(session, city, space, actor, wished)
    book(session, city, space, actor, span_on(city, 18, 20, day=DAY + timedelta(days=1)))
    found = alternatives(session, city, space, wished, at=NOW, minutes=120)
    days = [DAY + timedelta(days=n) for n in range(4)]
    assert [offer.span for offer in found.times] == [
        span_on(city, 15, 17),
        span_on(city, 15.5, 17.5),
        span_on(city, 16, 18),
        span_on(city, 20, 22),
        span_on(city, 16, 18, day=days[1]),
        span_on(city, 18, 20, day=days[2]),
        span_on(city, 18, 20, day=days[3]),
    ]
    assert {offer.price_minor for offer in found.times} == {4000}


def test_similar_spaces_that_are_free_then_the_nearest_first(
    session: Session, city: City, actor: Actor
) -> None:
    same: dict[str, Any] = {"purposes": ["meeting"], "capacity": 40}
    space = open_space(session, city, **same)
    near = open_space(session, city, make_venue(session, city, at=NEAR), **same)
    far = open_space(session, city, make_venue(session, city, at=FAR), **same)
    taken = open_space(session, city, make_venue(session, city, at=NEAR), **same)
    open_space(session, city, purposes=["dance"], capacity=40)
    open_space(session, city, purposes=["meeting"], capacity=8)
    open_space(session, city, state="draft", **same)
    wished = span_on(city, 18, 20)
    for gone in (space, taken):
        book(session, city, gone, actor, wished)
    book(session, city, taken, actor, span_on(city, 16, 18))
    book(session, city, taken, actor, span_on(city, 20, 22))
    found = alternatives(session, city, space, wished, at=NOW, minutes=120, people=30)
    assert [other.space.id for other in found.spaces] == [near.id, far.id]
    assert [other.offer.span for other in found.spaces] == [wished, wished]
    assert found.spaces[0].distance_m is not None
    assert found.spaces[0].distance_m < 300


def test_the_other_half_is_offered_when_one_is_taken(session: Session, city: City, actor: Actor) -> None:
    venue = make_venue(session, city)
    a, b = make_unit(session, venue), make_unit(session, venue)
    half_a, half_b = open_space(session, city, venue, units=[a]), open_space(session, city, venue, units=[b])
    whole = open_space(session, city, venue, units=[a, b])
    wished = span_on(city, 18, 20)
    book(session, city, half_a, actor, wished)
    found = alternatives(session, city, half_a, wished, at=NOW, minutes=120)
    offered = {other.space.id: other.offer.span for other in found.spaces}
    assert offered[half_b.id] == wished
    # The whole shares the taken half, so it is offered only before or after it, if at all.
    assert whole.id not in offered or not offered[whole.id].overlaps(wished)


def test_whole_days_are_answered_with_days(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, whole_days=True, max_minutes=1440, price=("day", 5000))
    wished = span_on(city, 8, 22)
    book(session, city, space, actor, wished)
    found = alternatives(session, city, space, wished, at=NOW, minutes=wished.minutes)
    assert [offer.span for offer in found.times] == [
        span_on(city, 8, 22, day=DAY + timedelta(days=n)) for n in range(1, len(found.times) + 1)
    ]
    assert len(found.times) >= 3


def test_a_time_long_gone_is_answered_from_today(session: Session, city: City) -> None:
    space = open_space(session, city, first=NOW.date(), last=DAY.replace(day=28))
    past = span_on(city, 18, 20, day=NOW.date() - timedelta(days=400))
    found = alternatives(session, city, space, past, at=NOW, minutes=120)
    assert found.times
    assert all(offer.span.start >= NOW for offer in found.times)
