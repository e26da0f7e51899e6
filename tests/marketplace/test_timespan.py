"""Spans and sets of them behave like sets of minutes, in every zone and on every day."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.timespan import Span, SpanSet, day_span, instant, local_days

HELSINKI, NEW_YORK = ZoneInfo("Europe/Helsinki"), ZoneInfo("America/New_York")
ZONES = [
    HELSINKI,
    NEW_YORK,
    ZoneInfo("UTC"),
    ZoneInfo("Australia/Lord_Howe"),  # changes by half an hour
    ZoneInfo("America/Sao_Paulo"),  # changed at midnight
    ZoneInfo("Asia/Kathmandu"),  # 5 h 45 min
    ZoneInfo("Africa/Cairo"),
]
ORIGIN = datetime(2027, 3, 27, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    return ORIGIN + timedelta(minutes=minute)


spans = st.tuples(st.integers(0, 200), st.integers(1, 60)).map(lambda p: Span(at(p[0]), at(p[0] + p[1])))
span_sets = st.lists(spans, max_size=12).map(SpanSet)
zones = st.sampled_from(ZONES)
days = st.dates(date(2000, 1, 1), date(2040, 12, 31))
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))


def minutes(of: SpanSet | Span | list[Span]) -> set[int]:
    parts = [of] if isinstance(of, Span) else list(of)
    return {
        minute
        for part in parts
        for minute in range(
            (part.start - ORIGIN) // timedelta(minutes=1), (part.end - ORIGIN) // timedelta(minutes=1)
        )
    }


@given(span_sets)
def test_a_set_is_sorted_and_its_spans_never_touch(one: SpanSet) -> None:
    found = list(one)
    assert all(a.end < b.start for a, b in pairwise(found))


@given(st.lists(spans, max_size=12))
def test_a_set_holds_the_minutes_of_its_spans(many: list[Span]) -> None:
    assert minutes(SpanSet(many)) == minutes(many)
    assert SpanSet(many) == SpanSet(reversed(many)) == SpanSet(SpanSet(many))
    assert hash(SpanSet(many)) == hash(SpanSet(reversed(many)))


@given(span_sets, span_sets)
def test_union_and_difference_are_those_of_minutes(one: SpanSet, other: SpanSet) -> None:
    assert minutes(one | other) == minutes(one) | minutes(other)
    assert minutes(one - other) == minutes(one) - minutes(other)
    assert one - one == SpanSet()
    assert (one - other) | (one - (one - other)) == one


@given(span_sets, spans)
def test_clipping_is_intersection(one: SpanSet, window: Span) -> None:
    assert minutes(one.clipped(window)) == minutes(one) & minutes(window)


@given(span_sets, spans)
def test_looking_up_agrees_with_the_minutes(one: SpanSet, span: Span) -> None:
    assert one.contains(span) == (minutes(span) <= minutes(one))
    assert one.meets(span.start, span.end) == bool(minutes(span) & minutes(one))
    around = one.around(span.start)
    assert (around is not None) == (min(minutes(span)) in minutes(one))
    assert around is None or around.start <= span.start < around.end


@given(spans, spans)
def test_two_spans_overlap_when_they_share_a_minute(one: Span, other: Span) -> None:
    shared = minutes(one) & minutes(other)
    assert one.overlaps(other) == other.overlaps(one) == bool(shared)
    clipped = one.clipped(other)
    assert (set() if clipped is None else minutes(clipped)) == shared
    assert one.contains(other) == (minutes(other) <= minutes(one))
    assert one.widened(timedelta(minutes=5), timedelta(minutes=7)).minutes == one.minutes + 12


@pytest.mark.parametrize(
    ("start", "end"),
    [(ORIGIN, ORIGIN), (ORIGIN + timedelta(hours=1), ORIGIN), (ORIGIN.replace(tzinfo=None), ORIGIN)],
)
def test_an_empty_reversed_or_naive_span_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="span"):
        Span(start, end)


@given(days, clocks, zones)
def test_an_instant_shows_its_wall_clock_or_the_moment_the_clocks_jump(
    day: date, clock: time, zone: ZoneInfo
) -> None:
    found = instant(day, clock, zone)
    shown = found.astimezone(zone).replace(tzinfo=None)
    asked = datetime.combine(day, clock)
    if shown == asked:
        # Of two equal readings the first.
        assert (found - timedelta(hours=3)).astimezone(zone).replace(tzinfo=None) != asked
        assert found.astimezone(zone).fold == 0
    else:
        before = (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert before < asked < shown or asked == before
        assert found.second == 0


@given(days, zones)
def test_days_follow_each_other_without_a_gap(day: date, zone: ZoneInfo) -> None:
    today, tomorrow = day_span(day, zone), day_span(day + timedelta(days=1), zone)
    assert today.end == tomorrow.start
    assert timedelta(hours=22) < today.length < timedelta(hours=26)
    assert local_days(today, zone) == [day]
    assert local_days(Span(today.start, tomorrow.end), zone) == [day, day + timedelta(days=1)]


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2027, 3, 28), HELSINKI, 23),
        (date(2027, 10, 31), HELSINKI, 25),
        (date(2027, 3, 14), NEW_YORK, 23),
        (date(2027, 11, 7), NEW_YORK, 25),
        (date(2028, 2, 29), HELSINKI, 24),
        (date(2027, 12, 31), HELSINKI, 24),
    ],
)
def test_a_local_day_is_as_long_as_the_clocks_make_it(day: date, zone: ZoneInfo, hours: int) -> None:
    assert day_span(day, zone).length == timedelta(hours=hours)


def test_a_skipped_hour_means_the_jump_and_a_repeated_one_its_first_turn() -> None:
    assert instant(date(2027, 3, 28), time(3, 30), HELSINKI) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert instant(date(2027, 3, 28), time(3), HELSINKI) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert instant(date(2027, 3, 28), time(4), HELSINKI) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert instant(date(2027, 10, 31), time(3, 30), HELSINKI) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert instant(date(2027, 10, 31), time(4), HELSINKI) == datetime(2027, 10, 31, 2, tzinfo=UTC)
    assert instant(date(2027, 3, 14), time(2, 30), NEW_YORK) == datetime(2027, 3, 14, 7, tzinfo=UTC)


def test_a_change_of_the_clocks_counts_as_the_time_that_passes() -> None:
    night = Span(instant(date(2027, 3, 28), time(2), HELSINKI), instant(date(2027, 3, 28), time(5), HELSINKI))
    assert night.minutes == 120
