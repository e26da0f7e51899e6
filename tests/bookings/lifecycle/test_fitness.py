"""What speaks for an alternative and against it, and what that weighs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.lifecycle.fitness import Option, reasons, score, weights
from marketplace.timespan import Span
from spaces.search.familiar import Use

DAY = date(2026, 12, 1)
START = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)


def option(*, space: int = 1, venue: int = 1, minutes: int = 120, later: int = 0, **values: Any) -> Option:
    """A time that begins at 18 on DAY, or `later` minutes from there."""
    start = START + timedelta(minutes=later)
    clock = 18 * 60 + later
    made = Option(
        space,
        venue,
        Span(start, start + timedelta(minutes=minutes)),
        DAY + timedelta(days=clock // 1440),
        clock % 1440,
        position=(0.0, 0.0),
        capacity=40,
        price_minor=4000,
    )
    return replace(made, **values)


WISHED = option()


def codes(other: Option, **values: Any) -> list[str]:
    return [reason.code for reason in reasons(WISHED, other, **values)]


def test_the_very_same_thing_costs_nothing() -> None:
    assert score(weights(WISHED, WISHED)) == 0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (option(later=60), ["later", "same-price"]),
        (option(later=-30), ["earlier", "same-price"]),
        (option(later=1440), ["days-later", "same-clock", "same-price"]),
        (option(later=2 * 1440 + 60), ["days-later", "later", "same-price"]),
        (option(space=2), ["same-time", "same-building", "seats", "same-price"]),
        (option(space=2, venue=2, position=(300.0, 400.0)), ["same-time", "away", "seats", "same-price"]),
        (option(space=2, venue=2, position=None), ["same-time", "seats", "same-price"]),
        (option(space=2, capacity=30), ["same-time", "same-building", "smaller", "same-price"]),
        (option(space=2, capacity=None), ["same-time", "same-building", "same-price"]),
        (option(space=2, minutes=180), ["same-time", "longer", "same-building", "seats", "same-price"]),
        (option(space=2, price_minor=3500), ["same-time", "same-building", "seats", "cheaper"]),
        (option(space=2, price_minor=4500), ["same-time", "same-building", "seats", "dearer"]),
        (option(space=2, price_minor=0, is_least=True), ["same-time", "same-building", "seats"]),
        (option(space=2, price_minor=None), ["same-time", "same-building", "seats"]),
        (
            option(space=2, at_once=False),
            ["same-time", "same-building", "seats", "same-price", "owner-confirms"],
        ),
    ],
)
def test_each_difference_is_said(other: Option, said: list[str]) -> None:
    assert codes(other) == said


def test_what_is_missing_is_said_and_marked() -> None:
    wished = option(
        equipment=frozenset({"projector", "piano"}), accessibility=frozenset({"lift"}), at_once=False
    )
    other = option(space=2, equipment=frozenset({"piano", "kitchen"}))
    found = {reason.code: reason for reason in reasons(wished, other)}
    assert found["lacks"].facts == {"equipment": ["projector"]}
    assert found["access-not-told"].facts == {"accessibility": ["lift"]}
    assert found["also-has"].facts == {"equipment": ["kitchen"]}
    assert [code for code, reason in found.items() if reason.is_against] == ["lacks", "access-not-told"]
    assert "at-once" in found


def test_few_people_make_a_smaller_space_as_good() -> None:
    small = option(space=2, capacity=20)
    assert [r.code for r in reasons(WISHED, small, people=15) if r.is_against] == []
    assert weights(WISHED, small, people=15)["size"] < weights(WISHED, option(space=2), people=15)["size"]


def test_where_one_was_is_said_and_counts() -> None:
    own, ours = Use(date(2026, 5, 4)), Use(date(2026, 5, 4), by_organisation=True)
    assert codes(option(space=2), used=own)[-1] == "you-were-here"
    assert codes(option(space=2), used=ours)[-1] == "organisation-was-here"
    assert score(weights(WISHED, option(space=2), used=own)) < score(weights(WISHED, option(space=2)))


positions = st.tuples(st.integers(-6000, 6000), st.integers(-6000, 6000)).map(
    lambda xy: (float(xy[0]), float(xy[1]))
)
things = st.frozensets(st.sampled_from(["projector", "piano", "kitchen", "screen", "stage"]))
options = st.builds(
    lambda space, later, minutes, **values: option(space=space, later=later, minutes=minutes, **values),
    space=st.integers(1, 9),
    venue=st.integers(1, 3),
    later=st.integers(-600, 3000),
    minutes=st.integers(15, 600),
    position=st.none() | positions,
    capacity=st.none() | st.integers(1, 3000),
    equipment=things,
    accessibility=things,
    price_minor=st.none() | st.integers(0, 1_000_000),
    is_least=st.booleans(),
    at_once=st.booleans(),
)
uses = st.none() | st.builds(Use, st.dates(), st.booleans())
peoples = st.none() | st.integers(1, 5000)


@given(wished=options, other=options, people=peoples, used=uses)
def test_every_score_is_the_sum_of_its_parts_and_only_gains_lower_it(
    wished: Option, other: Option, people: int | None, used: Use | None
) -> None:
    parts = weights(wished, other, people=people, used=used)
    assert score(parts) == pytest.approx(sum(parts.values()))
    assert {name for name, part in parts.items() if part < 0} <= {"price", "approval", "used"}


@given(wished=options, other=options, later=st.integers(1, 300))
def test_a_greater_shift_of_time_is_never_better(wished: Option, other: Option, later: int) -> None:
    same = replace(other, start_on=wished.start_on, start_minute=wished.start_minute)
    for sign in (-1, 1):
        near = replace(same, start_minute=wished.start_minute + sign * later)
        far = replace(same, start_minute=wished.start_minute + sign * (later + 30))
        assert score(weights(wished, same)) < score(weights(wished, near)) < score(weights(wished, far))


@given(wished=options, other=options, factor=st.floats(1, 10))
def test_a_longer_way_is_never_better(wished: Option, other: Option, factor: float) -> None:
    wished = replace(wished, position=(0.0, 0.0))
    if other.position is not None:
        far = replace(other, position=(other.position[0] * factor, other.position[1] * factor))
        assert score(weights(wished, far)) >= score(weights(wished, other)) - 1e-9


@given(wished=options, other=options, more=st.integers(1, 100_000))
def test_a_higher_price_is_never_better(wished: Option, other: Option, more: int) -> None:
    if other.price_minor is not None:
        dear = replace(other, price_minor=other.price_minor + more)
        assert score(weights(wished, dear)) >= score(weights(wished, other)) - 1e-9


@given(wished=options, other=options, thing=st.sampled_from(["projector", "piano"]))
def test_what_lacks_less_is_never_worse_and_all_that_is_missing_is_told(
    wished: Option, other: Option, thing: str
) -> None:
    fuller = replace(other, equipment=other.equipment | {thing})
    assert score(weights(wished, fuller)) <= score(weights(wished, other))
    if wished.space_id != other.space_id:
        told = {r.code: r.facts for r in reasons(wished, other)}
        missing = wished.equipment - other.equipment
        assert set(told.get("lacks", {}).get("equipment", [])) == missing


@given(wished=options, other=options, people=peoples)
def test_too_little_room_is_marked_and_is_never_better_than_enough(
    wished: Option, other: Option, people: int | None
) -> None:
    needed = people or wished.capacity
    if needed is None or other.capacity is None or wished.space_id == other.space_id:
        return
    against = {reason.code for reason in reasons(wished, other, people=people) if reason.is_against}
    assert ("smaller" in against) == (other.capacity < needed)
    fits = replace(other, capacity=needed)
    assert weights(wished, fits, people=people)["size"] == 0
    assert weights(wished, other, people=people)["size"] >= 0
