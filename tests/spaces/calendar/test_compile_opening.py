"""Opening rules mean the same hours on the wall on every day, also when the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.timespan import Span, SpanSet, day_span, instant
from spaces.calendar.rules import (
    DAY,
    ExceptionHours,
    WeeklyHours,
    at_clock,
    compile_opening,
    days_between,
    opening_of_day,
)
from tests.spaces.calendar.worlds import AUTUMN, HELSINKI, NEW_YORK, SPRING, clocks, days, weekly_hours, zones

EVERY_DAY = frozenset(range(1, 8))


def opening(day: date, opens: time, closes: time, zone: ZoneInfo) -> list[Span]:
    return opening_of_day(day, [WeeklyHours(EVERY_DAY, opens, closes)], [], zone)


def local(span: Span, zone: ZoneInfo) -> tuple[str, str]:
    form = "%d %H:%M%z"
    return span.start.astimezone(zone).strftime(form), span.end.astimezone(zone).strftime(form)


@pytest.mark.parametrize("zone", [HELSINKI, NEW_YORK])
def test_all_day_is_the_whole_local_day_whatever_its_length(zone: ZoneInfo) -> None:
    for day, hours in ((SPRING[zone], 23), (AUTUMN[zone], 25), (date(2027, 6, 1), 24)):
        (span,) = opening(day, time(0), time(0), zone)
        assert span == day_span(day, zone)
        assert span.length == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "day", "opens", "closes", "expected"),
    [
        (HELSINKI, date(2027, 3, 28), time(2), time(5), ("28 02:00+0200", "28 05:00+0300", 2)),
        (HELSINKI, date(2027, 10, 31), time(2), time(5), ("31 02:00+0300", "31 05:00+0200", 4)),
        (HELSINKI, date(2027, 3, 27), time(22), time(4), ("27 22:00+0200", "28 04:00+0300", 5)),
        (HELSINKI, date(2027, 10, 30), time(22), time(4), ("30 22:00+0300", "31 04:00+0200", 7)),
        (HELSINKI, date(2027, 3, 28), time(8), time(22), ("28 08:00+0300", "28 22:00+0300", 14)),
        (HELSINKI, date(2027, 10, 31), time(8), time(22), ("31 08:00+0200", "31 22:00+0200", 14)),
        (HELSINKI, date(2027, 12, 31), time(18), time(2), ("31 18:00+0200", "01 02:00+0200", 8)),
        (HELSINKI, date(2028, 2, 29), time(9), time(9), ("29 09:00+0200", "01 09:00+0200", 24)),
        (NEW_YORK, date(2027, 3, 14), time(1), time(4), ("14 01:00-0500", "14 04:00-0400", 2)),
        (NEW_YORK, date(2027, 11, 7), time(0), time(3), ("07 00:00-0400", "07 03:00-0500", 4)),
        (NEW_YORK, date(2027, 11, 6), time(20), time(2), ("06 20:00-0400", "07 02:00-0500", 7)),
    ],
)
def test_hours_are_those_of_the_wall_clock(
    zone: ZoneInfo, day: date, opens: time, closes: time, expected: tuple[str, str, int]
) -> None:
    (span,) = opening(day, opens, closes, zone)
    assert (*local(span, zone), span.length // timedelta(hours=1)) == expected
    assert span.length % timedelta(hours=1) == timedelta(0)


def test_an_hour_that_a_spring_change_skips_is_no_opening() -> None:
    """Open from three to four on the night when three becomes four."""
    assert opening(date(2027, 3, 28), time(3), time(4), HELSINKI) == []
    assert opening(date(2027, 3, 14), time(2), time(3), NEW_YORK) == []
    (half,) = opening(date(2027, 3, 28), time(3, 30), time(4, 30), HELSINKI)
    assert half == Span(datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC))


def test_an_hour_that_an_autumn_change_repeats_is_open_twice() -> None:
    (span,) = opening(date(2027, 10, 31), time(3), time(4), HELSINKI)
    assert span.length == timedelta(hours=2)


@given(zones.flatmap(lambda zone: st.tuples(st.just(zone), days(zone))), clocks(1))
def test_the_quick_way_to_an_instant_is_the_right_way(where: tuple[ZoneInfo, date], clock: time) -> None:
    zone, day = where
    assert at_clock(day, clock, zone) == instant(day, clock, zone)


@given(zones.flatmap(lambda zone: st.tuples(st.just(zone), days(zone))), st.lists(weekly_hours, max_size=4))
def test_every_minute_is_open_when_the_wall_clock_says_so(
    where: tuple[ZoneInfo, date], weekly: list[WeeklyHours]
) -> None:
    """Against the plainest reading of the rules: what would a person at the door say at this minute?"""
    zone, day = where
    months = compile_opening(weekly, [], first=day - 2 * DAY, last=day + DAY, zone=zone)
    opened = SpanSet(span for spans in months.values() for span in spans)
    whole = day_span(day, zone)
    for n in range(0, whole.minutes, 15):
        at = whole.start + timedelta(minutes=n)
        now = at.astimezone(zone)
        if now.fold or (now + timedelta(hours=1)).astimezone(UTC).astimezone(zone).fold:
            continue  # in the repeated hour the wall clock says two things
        said = any(says_open(hours, now.date(), now.time()) for hours in weekly)
        assert opened.meets(at, at + timedelta(minutes=1)) == said, now


def says_open(hours: WeeklyHours, day: date, clock: time) -> bool:
    if hours.opens < hours.closes:
        return hours.holds_on(day) and hours.opens <= clock < hours.closes
    return (hours.holds_on(day) and hours.opens <= clock) or (
        hours.holds_on(day - DAY) and clock < hours.closes
    )


def test_the_shortest_exception_decides() -> None:
    weekly = [WeeklyHours(EVERY_DAY, time(8), time(20))]
    summer = ExceptionHours(date(2027, 6, 1), date(2027, 8, 31), time(10), time(16))
    midsummer = ExceptionHours(date(2027, 6, 25), date(2027, 6, 26))
    party = ExceptionHours(date(2027, 6, 26), date(2027, 6, 26), time(18), time(2))
    exceptions = [midsummer, summer, party]

    def hours(day: date) -> list[tuple[str, str]]:
        return [local(span, HELSINKI) for span in opening_of_day(day, weekly, exceptions, HELSINKI)]

    assert hours(date(2027, 5, 31)) == [("31 08:00+0300", "31 20:00+0300")]
    assert hours(date(2027, 6, 1)) == [("01 10:00+0300", "01 16:00+0300")]
    assert hours(date(2027, 6, 25)) == []
    assert hours(date(2027, 6, 26)) == [("26 18:00+0300", "27 02:00+0300")]
    assert hours(date(2027, 8, 31)) == [("31 10:00+0300", "31 16:00+0300")]
    assert hours(date(2027, 9, 1)) == [("01 08:00+0300", "01 20:00+0300")]


def test_of_equally_short_exceptions_closed_wins_and_hours_add_up() -> None:
    day = date(2027, 6, 1)
    morning, evening = (
        ExceptionHours(day, day, time(8), time(10)),
        ExceptionHours(day, day, time(18), time(20)),
    )
    assert len(opening_of_day(day, [], [morning, evening], HELSINKI)) == 2
    assert opening_of_day(day, [], [morning, ExceptionHours(day, day), evening], HELSINKI) == []


def test_a_night_that_began_before_a_closed_day_goes_on_into_it() -> None:
    """An exception replaces what begins on its dates."""
    weekly = [WeeklyHours(EVERY_DAY, time(20), time(3))]
    closed = [ExceptionHours(date(2027, 6, 2), date(2027, 6, 2))]
    months = compile_opening(weekly, closed, first=date(2027, 6, 1), last=date(2027, 6, 3), zone=HELSINKI)
    assert [local(span, HELSINKI) for span in months[date(2027, 6, 1)]] == [
        ("01 20:00+0300", "02 03:00+0300"),
        ("03 20:00+0300", "04 03:00+0300"),
    ]


def test_a_period_includes_both_its_dates() -> None:
    rule = WeeklyHours(EVERY_DAY, time(8), time(9), date(2027, 12, 31), date(2028, 1, 1))
    months = compile_opening([rule], [], first=date(2027, 12, 29), last=date(2028, 1, 3), zone=HELSINKI)
    assert {month: len(spans) for month, spans in months.items()} == {
        date(2027, 12, 1): 1,
        date(2028, 1, 1): 1,
    }


@given(zones.flatmap(lambda zone: st.tuples(st.just(zone), days(zone))), st.integers(0, 70))
def test_every_month_of_the_range_is_there_and_holds_what_begins_in_it(
    where: tuple[ZoneInfo, date], length: int
) -> None:
    zone, first = where
    last = first + timedelta(days=length)
    months = compile_opening(
        [WeeklyHours(EVERY_DAY, time(23), time(1))], [], first=first, last=last, zone=zone
    )
    assert sorted(months) == sorted({day.replace(day=1) for day in days_between(first, last)})
    for month, spans in months.items():
        assert all(span.start.astimezone(zone).date().replace(day=1) == month for span in spans)
    assert sum(map(len, months.values())) == length + 1
