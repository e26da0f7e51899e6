"""Which dates a series has, against the plainest enumeration: look at every day in turn."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.series.rules import (
    LONGEST,
    MOST_DATES,
    NTHS,
    Change,
    Recurrence,
    days_of,
    in_scope,
    nth_weekday,
    nths_of,
    shifted,
    span_on,
    why_no_series,
)
from spaces.calendar.rules import BookingRules

HELSINKI = ZoneInfo("Europe/Helsinki")
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def each_day(first: date) -> list[date]:
    return [first + timedelta(days=n) for n in range(LONGEST.days + 1)]


def is_nth(day: date, nth: int) -> bool:
    """By counting the same weekdays of the month one by one."""
    same = [
        day.replace(day=n)
        for n in range(1, 32)
        if n <= ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
        and day.replace(day=n).weekday() == day.weekday()
    ]
    return same[nth - 1 if nth > 0 else nth] == day


def plainly(rule: Recurrence) -> list[date]:
    found = []
    for n, day in enumerate(each_day(rule.first)):
        if rule.frequency == "weekly":
            fits = n % (7 * rule.every) == 0
        else:
            months = (day.year - rule.first.year) * 12 + day.month - rule.first.month
            fits = (
                day.weekday() == rule.first.weekday()
                and months % rule.every == 0
                and is_nth(day, rule.nth or 1)
            )
        if fits and (rule.until is None or day <= rule.until):
            found.append(day)
    return found[: min(rule.times or MOST_DATES + 1, MOST_DATES + 1)]


@st.composite
def recurrences(draw: st.DrawFn) -> Recurrence:
    first = draw(DAYS)
    frequency = draw(st.sampled_from(["weekly", "monthly"]))
    choices = nths_of(first)
    if frequency == "monthly" and not choices:
        frequency = "weekly"
    nth = draw(st.sampled_from(choices)) if frequency == "monthly" else None
    every = draw(st.integers(1, 12))
    if draw(st.booleans()):
        return Recurrence(first, frequency, every, nth, times=draw(st.integers(1, 220)))
    until = first + timedelta(days=draw(st.integers(0, 800)))
    return Recurrence(first, frequency, every, nth, until=until)


@given(recurrences())
def test_the_dates_are_those_that_looking_at_every_day_finds(rule: Recurrence) -> None:
    assert rule.dates() == plainly(rule)


@given(recurrences())
def test_a_series_begins_with_its_first_day_and_only_grows(rule: Recurrence) -> None:
    dates = rule.dates()
    assert dates[0] == rule.first
    assert dates == sorted(set(dates))
    assert {day.weekday() for day in dates} == {rule.first.weekday()}


@given(recurrences(), st.integers(1, 52))
def test_a_count_is_the_head_of_a_longer_one(rule: Recurrence, times: int) -> None:
    one = Recurrence(rule.first, rule.frequency, rule.every, rule.nth, times=times)
    more = Recurrence(rule.first, rule.frequency, rule.every, rule.nth, times=times + 1)
    assert more.dates()[: len(one.dates())] == one.dates()


def test_until_and_count_say_the_same() -> None:
    by_count = Recurrence(date(2026, 12, 1), times=5)
    by_day = Recurrence(date(2026, 12, 1), until=date(2026, 12, 29))
    assert by_count.dates() == by_day.dates()
    assert Recurrence(date(2026, 12, 1), until=date(2026, 12, 28)).dates() == by_count.dates()[:-1]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Recurrence(date(2028, 2, 29), times=3), [date(2028, 2, 29), date(2028, 3, 7), date(2028, 3, 14)]),
        (
            Recurrence(date(2028, 2, 29), "monthly", 1, -1, times=3),
            [date(2028, 2, 29), date(2028, 3, 28), date(2028, 4, 25)],
        ),
        (Recurrence(date(2026, 12, 29), times=2), [date(2026, 12, 29), date(2027, 1, 5)]),
        # Week 53 of 2026 is followed by week 1: every second week means fourteen days, not even numbers.
        (
            Recurrence(date(2026, 12, 21), every=2, times=3),
            [date(2026, 12, 21), date(2027, 1, 4), date(2027, 1, 18)],
        ),
        (
            Recurrence(date(2026, 12, 8), "monthly", 1, 2, times=4),
            [date(2026, 12, 8), date(2027, 1, 12), date(2027, 2, 9), date(2027, 3, 9)],
        ),
        (
            Recurrence(date(2026, 11, 27), "monthly", 1, -1, times=3),
            [date(2026, 11, 27), date(2026, 12, 25), date(2027, 1, 29)],
        ),
    ],
)
def test_edges_of_the_calendar(rule: Recurrence, expected: list[date]) -> None:
    assert rule.dates() == expected


def test_eighteen_stays_eighteen_over_both_changes_of_the_clocks() -> None:
    for first in (date(2026, 10, 18), date(2027, 3, 21)):
        for day in Recurrence(first, times=4).dates():
            span = span_on(day, time(18), 90, HELSINKI)
            assert span.start.astimezone(HELSINKI).time() == time(18)
            assert span.end.astimezone(HELSINKI).time() == time(19, 30)


def test_a_time_that_does_not_exist_begins_when_the_clock_jumps_and_a_double_one_is_the_first() -> None:
    spring = span_on(date(2027, 3, 28), time(3, 30), 60, HELSINKI)
    assert spring.start == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    autumn = span_on(date(2027, 10, 31), time(3, 30), 60, HELSINKI)
    assert autumn.start == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_a_night_of_the_change_keeps_its_length() -> None:
    span = span_on(date(2027, 3, 27), time(23), 300, HELSINKI)
    assert span.minutes == 300
    assert span.end.astimezone(HELSINKI).time() == time(5)


def test_past_midnight() -> None:
    span = span_on(date(2026, 12, 31), time(22), 240, HELSINKI)
    assert span.end.astimezone(HELSINKI) == datetime(2027, 1, 1, 2, tzinfo=HELSINKI)


@pytest.mark.parametrize(
    ("rule", "minutes", "code"),
    [
        (Recurrence(date(2026, 12, 1), times=201), 60, "too-many-dates"),
        (Recurrence(date(2026, 12, 1), times=104), 60, None),
        (Recurrence(date(2026, 12, 1), times=110), 60, "series-too-long"),
        (Recurrence(date(2026, 12, 1), every=52, times=4), 60, "series-too-long"),
        (Recurrence(date(2026, 12, 1), until=date(2028, 12, 1)), 60, None),
        (Recurrence(date(2026, 12, 1), until=date(2028, 12, 2)), 60, "series-too-long"),
        (Recurrence(date(2026, 12, 1), times=1), 60, "too-few-dates"),
        (Recurrence(date(2026, 12, 1), until=date(2026, 12, 7)), 60, "too-few-dates"),
        (Recurrence(date(2026, 12, 1), every=0, times=3), 60, "rule-unreadable"),
        (Recurrence(date(2026, 12, 1), every=53, times=3), 60, "rule-unreadable"),
        (Recurrence(date(2026, 12, 1), "daily", times=3), 60, "rule-unreadable"),
        (Recurrence(date(2026, 12, 1), "monthly", 1, 3, times=3), 60, "rule-unreadable"),
        (Recurrence(date(2026, 12, 1), "monthly", 1, None, times=3), 60, "rule-unreadable"),
        (Recurrence(date(2026, 12, 1)), 60, "rule-unreadable"),
        (Recurrence(date(2026, 12, 1), until=date(2027, 1, 1), times=3), 60, "rule-unreadable"),
        (Recurrence(date(2026, 12, 1), times=3), 7 * 1440, "dates-overlap"),
        (Recurrence(date(2026, 12, 1), every=2, times=3), 7 * 1440, None),
    ],
)
def test_what_a_series_may_not_be(rule: Recurrence, minutes: int, code: str | None) -> None:
    assert why_no_series(rule, minutes, BookingRules()) == code


@given(DAYS)
def test_a_day_is_the_nth_that_its_numbers_say(day: date) -> None:
    for nth in NTHS:
        assert (nth in nths_of(day)) == (nth_weekday(day.year, day.month, day.isoweekday(), nth) == day)
    assert nths_of(day)  # the fifth is the last


def test_another_weekday_of_a_monthly_series_stays_the_second_of_the_month() -> None:
    rule = Recurrence(date(2026, 12, 8), "monthly", 1, 2, times=12)
    for day in rule.dates():
        moved = shifted(rule, day, 1, alone=False)
        assert is_nth(moved, 2)
        assert moved.isoweekday() == 3
        assert (moved.year, moved.month) == (day.year, day.month)
    assert shifted(rule, date(2026, 12, 8), 1, alone=True) == date(2026, 12, 9)


def test_a_change_keeps_what_it_does_not_name() -> None:
    span = span_on(date(2026, 12, 1), time(18), 90, HELSINKI)
    assert Change().of(span, date(2026, 12, 1), HELSINKI) == span
    later = Change(starts=time(19)).of(span, date(2026, 12, 2), HELSINKI)
    assert later == span_on(date(2026, 12, 2), time(19), 90, HELSINKI)
    assert Change(minutes=60).of(span, date(2026, 12, 1), HELSINKI).minutes == 60
    assert not Change().is_of_time


def test_scopes() -> None:
    assert [n for n in range(1, 6) if in_scope("one", n, 3)] == [3]
    assert [n for n in range(1, 6) if in_scope("following", n, 3)] == [3, 4, 5]
    assert [n for n in range(1, 6) if in_scope("all", n, 3)] == [1, 2, 3, 4, 5]


def test_whole_days_are_started_ones() -> None:
    assert [days_of(m) for m in (60, 1440, 1441, 2880)] == [1, 1, 2, 2]
