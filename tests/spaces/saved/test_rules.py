"""Keys, and how often a search tells."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.saved.rules import (
    TELL_EVERY,
    after_telling,
    day_of,
    ends_on,
    in_order,
    is_over,
    key_of,
    space_of,
)

START = datetime(2026, 11, 24, tzinfo=UTC)


@given(space_id=st.integers(1, 2**43 - 1), day=st.none() | st.dates(max_value=date(2800, 1, 1)))
def test_a_key_says_its_space_and_day(space_id: int, day: date | None) -> None:
    key = key_of(space_id, day)
    assert (space_of(key), day_of(key)) == (space_id, day)
    assert key < 2**63


@given(st.lists(st.integers(0, 6 * 24 * 60), max_size=200))
def test_never_more_than_one_an_hour_and_three_in_any_day(minutes: list[int]) -> None:
    told: list[datetime] = []
    lately: list[datetime] = []
    not_before = START
    for minute in sorted(minutes):
        at = START + timedelta(minutes=minute)
        if at >= not_before:
            told.append(at)
            lately, not_before = after_telling(lately, at)
    assert all(b - a >= TELL_EVERY for a, b in pairwise(told))
    assert all(b - a >= timedelta(days=1) for a, b in zip(told, told[3:], strict=False))
    assert len(lately) <= 3


@given(st.lists(st.integers(0, 6 * 24 * 60), min_size=1, max_size=50))
def test_nothing_waits_longer_than_a_day(minutes: list[int]) -> None:
    lately: list[datetime] = []
    not_before = START
    for minute in sorted(minutes):
        at = max(START + timedelta(minutes=minute), not_before)
        lately, not_before = after_telling(lately, at)
        assert not_before - at <= timedelta(days=1)


def test_the_earliest_day_comes_first() -> None:
    keys = [key_of(1, date(2026, 12, 2)), key_of(9, date(2026, 12, 1)), key_of(5, None)]
    assert in_order(keys) == [keys[2], keys[1], keys[0]]


def test_a_search_ends_with_its_dates_and_after_a_year_at_the_latest() -> None:
    today = date(2026, 11, 24)
    assert ends_on(date(2026, 12, 1), today) == date(2026, 12, 1)
    assert ends_on(None, today) == ends_on(date(2028, 1, 1), today) == date(2027, 11, 24)


@pytest.mark.parametrize(
    ("last_day", "end_minute", "hour", "over"),
    [
        (date(2026, 12, 1), 21 * 60, 20, False),
        (date(2026, 12, 1), 21 * 60, 21, True),
        (date(2026, 12, 1), 1440, 23, False),
        (date(2026, 12, 2), 21 * 60, 22, False),
        (date(2026, 11, 30), 1440, 0, True),
        (None, 1440, 23, False),
    ],
)
def test_a_search_is_over_with_its_last_hour(
    last_day: date | None, end_minute: int, hour: int, *, over: bool
) -> None:
    local = datetime(2026, 12, 1, hour, tzinfo=UTC)
    assert is_over(last_day or date(2027, 1, 1), last_day, end_minute, local=local) is over
