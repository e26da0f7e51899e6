"""What is offered can be booked, and what can be booked is offered."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.timespan import Span, SpanSet
from spaces.calendar.rules import (
    BookingRules,
    ExceptionHours,
    SpaceCalendar,
    UnitCalendar,
    WeeklyHours,
    compile_opening,
    day_offers,
    days_between,
    grid,
    midnight,
    offers,
    why_not,
)
from tests.spaces.calendar.worlds import HELSINKI, INTERVALS, NEW_YORK, World, rules, take, worlds

CODES = {
    "in-the-past",
    "too-late-to-book",
    "too-far-ahead",
    "too-short",
    "too-long",
    "not-open",
    "odd-length",
    "odd-start",
    "whole-days-only",
    "slot-taken",
}
patient = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def offered(world: World, minutes: int, within: Span | None = None) -> list[Span]:
    return offers(
        world.calendar,
        world.rules,
        minutes=minutes,
        within=within or world.window,
        zone=world.zone,
        now=world.now,
    )


def refusal(world: World, span: Span) -> str | None:
    return why_not(world.calendar, world.rules, span, zone=world.zone, now=world.now)


@patient
@given(worlds(), st.data())
def test_the_offers_are_exactly_the_starts_that_nothing_speaks_against(
    world: World, data: st.DataObject
) -> None:
    minutes = data.draw(st.sampled_from(world.rules.lengths()))
    interval = timedelta(minutes=world.rules.interval_minutes)
    tried = [
        Span(start, start + timedelta(minutes=minutes))
        for opening in world.calendar.open
        for start in grid(opening, interval, world.zone)
    ]
    bookable = [span for span in tried if world.window.contains(span) and refusal(world, span) is None]
    assert offered(world, minutes) == bookable


@patient
@given(worlds(), st.data())
def test_any_time_that_nothing_speaks_against_is_offered(world: World, data: st.DataObject) -> None:
    """Also one that was not made from the grid."""
    start = world.window.start + timedelta(minutes=data.draw(st.integers(0, 3 * 288)) * 5)
    span = Span(start, start + timedelta(minutes=data.draw(st.integers(1, 200)) * 5))
    why = refusal(world, span)
    assert why is None or why in CODES
    if span.minutes in world.rules.lengths():
        assert (span in offered(world, span.minutes, within=span)) == (why is None)
    else:
        assert why is not None


@patient
@given(worlds(whole_days=None), st.data())
def test_what_is_offered_is_open_and_free(world: World, data: st.DataObject) -> None:
    minutes = data.draw(st.sampled_from(world.rules.lengths()))
    for span in offered(world, minutes):
        assert refusal(world, span) is None
        assert span.end > world.now
        for unit in world.calendar.units:
            bodies = [lane.bodies for lane in unit.lanes.values()]
            held = sum(body.meets(span.start, span.end) for body in bodies)
            assert held < unit.lane_count
        if not world.rules.whole_days:
            assert world.calendar.open.contains(span)
            assert span.start >= world.now
            assert span.minutes == minutes


@patient
@given(worlds(), st.data())
def test_a_narrower_window_only_leaves_out(world: World, data: st.DataObject) -> None:
    minutes = data.draw(st.sampled_from(world.rules.lengths()))
    whole = world.window
    start = whole.start + timedelta(minutes=data.draw(st.integers(0, 2000)))
    within = Span(start, start + timedelta(minutes=data.draw(st.integers(1, 2000))))
    expected = [span for span in offered(world, minutes) if within.contains(span)]
    assert [s for s in offered(world, minutes, within) if whole.contains(s)] == expected


@patient
@given(worlds(), st.data())
def test_taking_an_offer_takes_it_away_and_adds_none(world: World, data: st.DataObject) -> None:
    minutes = data.draw(st.sampled_from(world.rules.lengths()))
    before = offered(world, minutes)
    if not before:
        return
    chosen = data.draw(st.sampled_from(before))
    for unit in world.calendar.units:
        assert take(unit, chosen, world.rules.buffer_before_minutes, world.rules.buffer_after_minutes)
    after = offered(world, minutes)
    assert set(after) <= set(before)
    if all(unit.lane_count == 1 for unit in world.calendar.units):
        assert not any(span.overlaps(chosen) for span in after)
        assert refusal(world, chosen) == "slot-taken"


@patient
@given(worlds(whole_days=None).filter(lambda world: world.rules.whole_days))
def test_a_day_is_offered_exactly_when_nothing_speaks_against_it(world: World) -> None:
    window = world.window
    days = list(
        days_between(
            window.start.astimezone(world.zone).date(),
            (window.end - timedelta(seconds=1)).astimezone(world.zone).date(),
        )
    )
    found = day_offers(world.calendar, world.rules, days=days, zone=world.zone, now=world.now)
    assert found == offered(world, 60)
    for day in days:
        opened = list(
            world.calendar.open.clipped(
                Span(midnight(day, world.zone), midnight(day + timedelta(days=1), world.zone))
            )
        )
        if opened:
            whole = Span(opened[0].start, opened[-1].end)
            assert (whole in found) == (refusal(world, whole) is None)


@given(rules(whole_days=None), st.one_of(st.none(), st.integers(-(10**9), 10**9)))
def test_the_length_for_any_wish_is_one_that_is_sold(space_rules: BookingRules, wish: int | None) -> None:
    assert space_rules.fitting_minutes(wish) in space_rules.lengths()
    if wish is not None and wish <= space_rules.lengths()[-1]:
        assert space_rules.fitting_minutes(wish) >= wish
    assert all(space_rules.min_minutes <= n <= space_rules.longest for n in space_rules.lengths())


ABSURD = [
    Span(datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC)),
    Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)),
    Span(datetime(2027, 6, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    Span(datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)),
    Span(datetime(2027, 6, 1, 12, tzinfo=UTC), datetime(2027, 6, 1, 12, 0, 0, 1, tzinfo=UTC)),
    Span(datetime(2027, 6, 1, 12, 0, 0, 1, tzinfo=UTC), datetime(2027, 6, 1, 13, 0, 0, 1, tzinfo=UTC)),
    Span(datetime(2027, 6, 1, 12, 0, 30, tzinfo=UTC), datetime(2027, 6, 1, 13, 0, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize("whole_days", [False, True])
@pytest.mark.parametrize("zone", [HELSINKI, NEW_YORK])
@pytest.mark.parametrize("span", ABSURD)
def test_an_absurd_time_has_a_reason_too(span: Span, zone, whole_days: bool) -> None:
    calendar = SpaceCalendar(
        1,
        SpanSet([Span(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))]),
        [UnitCalendar(1, 1)],
    )
    space_rules = BookingRules(whole_days=whole_days, min_minutes=1, interval_minutes=5, horizon_days=400)
    why = why_not(calendar, space_rules, span, zone=zone, now=datetime(2027, 5, 1, tzinfo=UTC))
    assert why in CODES


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_space_that_never_closes_starts_anew_at_each_midnight(interval: int) -> None:
    """So that a change of the clocks does not shift its starts for good."""
    first, last = date(2027, 3, 26), date(2027, 3, 30)
    months = compile_opening(
        [WeeklyHours(frozenset(range(1, 8)), time(0), time(0))], [], first=first, last=last, zone=HELSINKI
    )
    opened = SpanSet(span for spans in months.values() for span in spans)
    starts = [s for span in opened for s in grid(span, timedelta(minutes=interval), HELSINKI)]
    assert starts == sorted(set(starts))
    for day in days_between(first, last):
        assert midnight(day, HELSINKI) in starts
    clocks = {s.astimezone(HELSINKI).time() for s in starts if s < midnight(date(2027, 3, 28), HELSINKI)}
    later = {s.astimezone(HELSINKI).time() for s in starts if s >= midnight(date(2027, 3, 29), HELSINKI)}
    assert clocks == later


def test_notice_and_horizon_are_edges_to_the_minute() -> None:
    now = datetime(2027, 6, 1, 9, 0, tzinfo=UTC)
    months = compile_opening(
        [WeeklyHours(frozenset(range(1, 8)), time(0), time(0))],
        [],
        first=date(2027, 5, 30),
        last=date(2027, 6, 20),
        zone=HELSINKI,
    )
    calendar = SpaceCalendar(
        1, SpanSet(span for spans in months.values() for span in spans), [UnitCalendar(1, 1)]
    )
    space_rules = BookingRules(notice_minutes=120, horizon_days=7)

    def why(start: datetime) -> str | None:
        span = Span(start, start + timedelta(hours=1))
        return why_not(calendar, space_rules, span, zone=HELSINKI, now=now)

    assert why(now - timedelta(minutes=30)) == "in-the-past"
    assert why(now + timedelta(minutes=90)) == "too-late-to-book"
    assert why(now + timedelta(minutes=120)) is None
    last = midnight(date(2027, 6, 9), HELSINKI)
    assert why(last - timedelta(minutes=30)) is None
    assert why(last) == "too-far-ahead"


def test_a_closed_day_offers_nothing() -> None:
    months = compile_opening(
        [WeeklyHours(frozenset(range(1, 8)), time(8), time(20))],
        [ExceptionHours(date(2027, 6, 24), date(2027, 6, 26))],
        first=date(2027, 6, 23),
        last=date(2027, 6, 27),
        zone=HELSINKI,
    )
    calendar = SpaceCalendar(
        1, SpanSet(span for spans in months.values() for span in spans), [UnitCalendar(1, 1)]
    )
    found = offers(
        calendar,
        BookingRules(),
        minutes=60,
        within=Span(midnight(date(2027, 6, 23), HELSINKI), midnight(date(2027, 6, 28), HELSINKI)),
        zone=HELSINKI,
        now=datetime(2027, 6, 1, tzinfo=UTC),
    )
    assert {span.start.astimezone(HELSINKI).day for span in found} == {23, 27}
