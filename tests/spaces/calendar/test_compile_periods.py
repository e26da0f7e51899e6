"""Periods with priorities, odd and even weeks, nth weekdays, states and holidays, against a plain reading by the minute."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.timespan import Span, SpanSet, instant
from spaces.calendar.rules import (
    DAY,
    NTHS,
    STATES,
    WEEKS,
    ExceptionHours,
    Holidays,
    Period,
    Taking,
    WeeklyHours,
    closed_stretches,
    compile_hours,
    days_between,
    deciding_hours,
    equal_periods,
    nths_of,
    opening_of_day,
    uncovered,
)
from tests.spaces.calendar.worlds import HELSINKI, NEW_YORK, clocks, days, weekdays, zones

EVERY_DAY = frozenset(range(1, 8))


def periods(around: date) -> st.SearchStrategy[tuple[date | None, date | None]]:
    def build(first: int | None, length: int | None) -> tuple[date | None, date | None]:
        start = None if first is None else around + timedelta(days=first)
        end = None if length is None else (start or around) + timedelta(days=length)
        return start, end

    return st.builds(build, st.one_of(st.none(), st.integers(-5, 5)), st.one_of(st.none(), st.integers(0, 6)))


@st.composite
def rule_sets(draw: st.DrawFn, around: date) -> list[WeeklyHours]:
    """Up to six rules in up to three periods, of any priorities: also those that saving would refuse."""
    spans = draw(st.lists(st.tuples(periods(around), st.integers(0, 2)), min_size=1, max_size=3))
    found = []
    for _ in range(draw(st.integers(0, 6))):
        (first, last), priority = draw(st.sampled_from(spans))
        found.append(
            WeeklyHours(
                draw(weekdays),
                draw(clocks()),
                draw(clocks()),
                first,
                last,
                draw(st.sampled_from(WEEKS)),
                draw(st.one_of(st.none(), st.none(), st.sampled_from(NTHS))),
                draw(st.sampled_from(STATES)),
                priority,
            )
        )
    return found


@st.composite
def exceptions(draw: st.DrawFn, around: date) -> list[ExceptionHours]:
    found = []
    for _ in range(draw(st.integers(0, 2))):
        first = around + timedelta(days=draw(st.integers(-2, 2)))
        opens, closes = draw(st.one_of(st.just((None, None)), st.tuples(clocks(), clocks())))
        last = first + draw(st.integers(0, 2)) * DAY
        found.append(ExceptionHours(first, last, opens, closes, draw(st.sampled_from(STATES))))
    return found


def rules_in_words(day: date, weekly: list[WeeklyHours], holidays: Holidays) -> list[WeeklyHours]:
    """Slowly and otherwise than the program: which rules make this day?"""
    if day in holidays.days and holidays.rule == "closed":
        return []
    covering = [
        rule
        for rule in weekly
        if not (rule.valid_from and day < rule.valid_from) and not (rule.valid_to and day > rule.valid_to)
    ]
    best = [r for r in covering if not any(other.priority > r.priority for other in covering)]
    month = [date(day.year, day.month, n + 1) for n in range(monthrange(day.year, day.month)[1])]
    alike = [one for one in month if one.weekday() == day.weekday()]
    weekday = day.isoweekday()
    found = []
    for rule in best:
        if rule.nth is not None:
            place = rule.nth - 1 if rule.nth > 0 else len(alike) + rule.nth
            if not (0 <= place < len(alike) and alike[place] == day):
                continue
            named = weekday
        else:
            named = 7 if day in holidays.days and holidays.rule == "as_sunday" else weekday
        week = int(day.strftime("%V"))
        right_week = {"all": True, "odd": week % 2 == 1, "even": week % 2 == 0}[rule.weeks]
        if named in rule.days and right_week:
            found.append(rule)
    return found


def states_at(at: datetime, zone: ZoneInfo, hours: list[tuple[str, time, time]], day: date) -> set[str]:
    """The states that the hours of this one day give to an instant."""
    found = set()
    for state, opens, closes in hours:
        start = instant(day, opens, zone)
        end = instant(day if closes > opens else day + DAY, closes, zone)
        if start <= at < end:
            found.add(state)
    return found


def says(
    at: datetime,
    zone: ZoneInfo,
    weekly: list[WeeklyHours],
    exceptional: list[ExceptionHours],
    holidays: Holidays,
) -> tuple[bool, bool]:
    """(bookable, for the staff) at this minute, by the hours of today and of the night before."""
    bookable = staff = False
    today = at.astimezone(zone).date()
    for day in (today - DAY, today):
        covering = [e for e in exceptional if e.first_day <= day <= e.last_day]
        if covering:
            shortest = min((e.last_day - e.first_day).days for e in covering)
            deciding = [e for e in covering if (e.last_day - e.first_day).days == shortest]
            if any(e.opens is None or e.closes is None or e.state == "closed" for e in deciding):
                continue
            hours = [
                (e.state, e.opens, e.closes) for e in deciding if e.opens is not None and e.closes is not None
            ]
        else:
            hours = [(r.state, r.opens, r.closes) for r in rules_in_words(day, weekly, holidays)]
        states = states_at(at, zone, hours, day)
        if "closed" in states:
            continue
        if "staff_only" in states:
            staff = True
        elif states:
            bookable = True
    return bookable, staff


@settings(max_examples=150)
@given(st.data())
def test_every_minute_is_as_a_plain_reading_of_the_rules_says(data: st.DataObject) -> None:
    zone = data.draw(zones)
    day = data.draw(days(zone))
    weekly, exceptional = data.draw(rule_sets(day)), data.draw(exceptions(day))
    holidays = Holidays(
        data.draw(st.frozensets(st.integers(-1, 1).map(lambda n: day + n * DAY))),
        data.draw(st.sampled_from(["as_usual", "closed", "as_sunday"])),
    )
    compiled = compile_hours(
        weekly, exceptional, first=day - 2 * DAY, last=day + DAY, zone=zone, holidays=holidays
    )
    opened = SpanSet(span for spans in compiled.open.values() for span in spans)
    staff = SpanSet(span for spans in compiled.staff.values() for span in spans)
    at, end = instant(day, time(0), zone), instant(day + DAY, time(0), zone)
    while at < end:
        minute = at + timedelta(minutes=1)
        said = says(at, zone, weekly, exceptional, holidays)
        assert (opened.meets(at, minute), staff.meets(at, minute)) == said, at.astimezone(zone)
        at += timedelta(minutes=5)


@given(zones.flatmap(lambda zone: st.tuples(st.just(zone), days(zone))), st.data())
def test_the_order_of_rules_does_not_matter(where: tuple[ZoneInfo, date], data: st.DataObject) -> None:
    zone, day = where
    weekly = data.draw(rule_sets(day))
    shuffled = data.draw(st.permutations(weekly))
    assert set(opening_of_day(day, weekly, [], zone)) == set(opening_of_day(day, shuffled, [], zone))


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_every_date_is_one_nth_from_either_end(day: date) -> None:
    first, last = nths_of(day)
    month = [date(day.year, day.month, n + 1) for n in range(monthrange(day.year, day.month)[1])]
    alike = [one for one in month if one.weekday() == day.weekday()]
    assert alike[first - 1] == day == alike[last]


def test_the_last_friday_of_the_month() -> None:
    rule = WeeklyHours(frozenset({5}), time(18), time(22), nth=-1)
    falls = [day for day in days_between(date(2027, 1, 1), date(2027, 4, 30)) if rule.falls_on(day)]
    assert falls == [date(2027, 1, 29), date(2027, 2, 26), date(2027, 3, 26), date(2027, 4, 30)]


def test_odd_and_even_weeks_are_those_of_the_calendar_on_the_wall() -> None:
    """2026 has a week 53, so two odd weeks follow each other at the turn of the year."""
    odd = WeeklyHours(frozenset({1}), time(8), time(9), weeks="odd")
    mondays = [date(2026, 12, 14) + n * 7 * DAY for n in range(6)]
    assert [odd.falls_on(day) for day in mondays] == [True, False, True, True, False, True]
    even = WeeklyHours(frozenset({1}), time(8), time(9), weeks="even")
    assert all(odd.falls_on(day) != even.falls_on(day) for day in mondays)


def test_the_highest_period_decides_a_day_alone_even_with_nothing_on_it() -> None:
    weekly = [
        WeeklyHours(EVERY_DAY, time(8), time(20)),
        WeeklyHours(frozenset({1}), time(10), time(14), date(2027, 6, 1), date(2027, 8, 31), priority=1),
    ]
    assert deciding_hours(weekly, date(2027, 6, 7), Holidays()) == [weekly[1]]  # a Monday
    assert deciding_hours(weekly, date(2027, 6, 8), Holidays()) == []
    assert deciding_hours(weekly, date(2027, 9, 1), Holidays()) == [weekly[0]]


def test_closed_wins_over_staff_and_staff_over_open() -> None:
    weekly = [
        WeeklyHours(EVERY_DAY, time(8), time(20)),
        WeeklyHours(EVERY_DAY, time(12), time(16), state="staff_only"),
        WeeklyHours(EVERY_DAY, time(14), time(15), state="closed"),
        WeeklyHours(EVERY_DAY, time(20), time(22), state="self_service"),
    ]
    day = date(2027, 6, 1)
    found = compile_hours(weekly, [], first=day, last=day, zone=HELSINKI)

    def local(spans: list[Span]) -> list[tuple[int, int]]:
        return [(s.start.astimezone(HELSINKI).hour, s.end.astimezone(HELSINKI).hour) for s in spans]

    assert local(found.open[date(2027, 6, 1)]) == [(8, 12), (16, 22)]
    assert local(found.staff[date(2027, 6, 1)]) == [(12, 14), (15, 16)]


def test_a_holiday_is_closed_kept_as_a_sunday_or_a_day_like_any_other() -> None:
    thursday = date(2027, 5, 6)
    weekly = [
        WeeklyHours(frozenset({4}), time(8), time(20)),
        WeeklyHours(frozenset({7}), time(12), time(16)),
        WeeklyHours(frozenset({7}), time(18), time(19), nth=1),
    ]
    hours = {
        rule: [
            span.start.astimezone(HELSINKI).hour
            for span in opening_of_day(thursday, weekly, [], HELSINKI, Holidays(frozenset({thursday}), rule))
        ]
        for rule in ("as_usual", "closed", "as_sunday")
    }
    # It is the first Thursday, but no first Sunday of May.
    assert hours == {"as_usual": [8], "closed": [], "as_sunday": [12]}
    party = [ExceptionHours(thursday, thursday, time(10), time(11))]
    kept = Holidays(frozenset({thursday}), "closed")
    assert len(opening_of_day(thursday, weekly, party, HELSINKI, kept)) == 1


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (Period(None, None, 0), Period(None, None, 0), False),  # one period
        (Period(None, None, 0), Period(None, None, 1), False),
        (Period(None, None, 0), Period(date(2027, 6, 1), None, 0), True),
        (Period(None, date(2027, 5, 31), 0), Period(date(2027, 6, 1), None, 0), False),
        (Period(None, date(2027, 6, 1), 0), Period(date(2027, 6, 1), None, 0), True),
        (
            Period(date(2027, 1, 1), date(2027, 12, 31), 2),
            Period(date(2027, 6, 1), date(2027, 6, 2), 2),
            True,
        ),
    ],
)
def test_different_periods_of_one_priority_may_not_share_a_day(
    first: Period, second: Period, refused: bool
) -> None:
    rules = [
        WeeklyHours(EVERY_DAY, time(8), time(9), p.valid_from, p.valid_to, priority=p.priority)
        for p in (first, second)
    ]
    assert (equal_periods(rules) is not None) == refused
    assert (equal_periods(rules[::-1]) is not None) == refused


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(1, 30)), max_size=8))
def test_a_closing_takes_everything_but_what_is_kept(held: list[tuple[int, int, int]]) -> None:
    origin = datetime(2027, 1, 1, tzinfo=UTC)

    def span(start: int, length: int) -> Span:
        return Span(origin + timedelta(minutes=start), origin + timedelta(minutes=start + length))

    lanes = [(1, 0), (1, 1), (2, 0), (2, 1)]
    during = span(10, 40)
    kept = [Taking(n, *lanes[lane], span(start, length)) for n, (lane, start, length) in enumerate(held)]
    stretches = closed_stretches(lanes, during, kept)
    for lane in lanes:
        closed = SpanSet(stretch for stretch, taken in stretches.items() if lane in taken)
        mine = SpanSet(one.span for one in kept if (one.unit_id, one.lane) == lane)
        assert closed == SpanSet([during]) - mine
    assert all(len(set(taken)) == len(taken) for taken in stretches.values())
    assert all(a <= b for a, b in pairwise(sorted(stretches)))


def test_a_booking_of_whole_days_needs_an_opening_on_each_of_them() -> None:
    opened = SpanSet(
        Span(instant(date(2027, 6, d), time(8), NEW_YORK), instant(date(2027, 6, d), time(20), NEW_YORK))
        for d in (1, 2, 4)
    )

    def body(first: int, last: int) -> Span:
        return Span(
            instant(date(2027, 6, first), time(8), NEW_YORK), instant(date(2027, 6, last), time(20), NEW_YORK)
        )

    assert not uncovered(body(1, 2), opened, whole_days=True, zone=NEW_YORK)
    assert uncovered(body(2, 4), opened, whole_days=True, zone=NEW_YORK)
    assert uncovered(body(1, 2), opened, whole_days=False, zone=NEW_YORK)
    assert not uncovered(body(1, 1), opened, whole_days=False, zone=NEW_YORK)
