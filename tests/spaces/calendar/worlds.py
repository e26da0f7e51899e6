"""Random calendars: openings, claims in lanes, rules, around days when the clocks change, the year ends or leaps."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from marketplace.timespan import Span, SpanSet
from spaces.calendar.rules import (
    DAY,
    BookingRules,
    ExceptionHours,
    Lane,
    SpaceCalendar,
    UnitCalendar,
    WeeklyHours,
    compile_opening,
    midnight,
)

HELSINKI, NEW_YORK = ZoneInfo("Europe/Helsinki"), ZoneInfo("America/New_York")
SPRING = {HELSINKI: date(2027, 3, 28), NEW_YORK: date(2027, 3, 14)}
AUTUMN = {HELSINKI: date(2027, 10, 31), NEW_YORK: date(2027, 11, 7)}
INTERVALS = (5, 10, 15, 20, 30, 60, 90, 120, 180, 240, 360, 720, 1440)

zones = st.sampled_from([HELSINKI, NEW_YORK])


@st.composite
def days(draw: st.DrawFn, zone: ZoneInfo) -> date:
    return draw(
        st.one_of(
            st.sampled_from([SPRING[zone], AUTUMN[zone], date(2027, 12, 31), date(2028, 2, 29)]),
            st.dates(date(2027, 1, 1), date(2028, 12, 31)),
        )
    )


def clocks(step: int = 15) -> st.SearchStrategy[time]:
    return st.integers(0, 1440 // step - 1).map(lambda n: time(n * step // 60, n * step % 60))


weekdays = st.frozensets(st.integers(1, 7), min_size=1)
weekly_hours = st.builds(WeeklyHours, days=weekdays, opens=clocks(), closes=clocks())


def exception_hours(around: date) -> st.SearchStrategy[ExceptionHours]:
    def build(first: int, length: int, hours: tuple[time, time] | None) -> ExceptionHours:
        start = around + timedelta(days=first)
        return ExceptionHours(start, start + timedelta(days=length), *(hours or (None, None)))

    return st.builds(
        build, st.integers(-3, 3), st.integers(0, 4), st.one_of(st.none(), st.tuples(clocks(), clocks()))
    )


@st.composite
def rules(draw: st.DrawFn, *, whole_days: bool | None = False) -> BookingRules:
    least = draw(st.sampled_from([5, 15, 30, 45, 60, 90, 120]))
    return BookingRules(
        min_minutes=least,
        max_minutes=least + draw(st.sampled_from([0, 10, 30, 60, 180, 600, 1440])),
        interval_minutes=draw(st.sampled_from(INTERVALS)),
        whole_days=draw(st.booleans()) if whole_days is None else whole_days,
        buffer_before_minutes=draw(st.sampled_from([0, 0, 10, 30])),
        buffer_after_minutes=draw(st.sampled_from([0, 0, 15, 60])),
        notice_minutes=draw(st.sampled_from([0, 0, 60, 2880])),
        horizon_days=draw(st.sampled_from([1, 3, 30, 400])),
    )


@dataclass
class World:
    """A space around `day`: its calendar is complete from three days before to three days after."""

    zone: ZoneInfo
    day: date
    weekly: list[WeeklyHours]
    exceptions: list[ExceptionHours]
    calendar: SpaceCalendar
    rules: BookingRules
    now: datetime

    @property
    def window(self) -> Span:
        """The days that offers may be asked for: the day before to the day after."""
        return Span(midnight(self.day - DAY, self.zone), midnight(self.day + 2 * DAY, self.zone))


@st.composite
def worlds(draw: st.DrawFn, *, whole_days: bool | None = False) -> World:
    zone = draw(zones)
    day = draw(days(zone))
    weekly = draw(
        st.one_of(
            st.lists(weekly_hours, max_size=4),
            st.just([WeeklyHours(frozenset(range(1, 8)), time(0), time(0))]),
        )
    )
    exceptions = draw(st.lists(exception_hours(day), max_size=2))
    space_rules = draw(rules(whole_days=whole_days))
    months = compile_opening(weekly, exceptions, first=day - 3 * DAY, last=day + 3 * DAY, zone=zone)
    opened = SpanSet(span for spans in months.values() for span in spans)
    units = [
        UnitCalendar(number, lanes)
        for number, lanes in enumerate(draw(st.lists(st.integers(1, 2), min_size=1, max_size=2)))
    ]
    origin = midnight(day - DAY, zone)
    for _ in range(draw(st.integers(0, 6))):
        unit = draw(st.sampled_from(units))
        start = origin + timedelta(minutes=draw(st.integers(0, 4 * 288)) * 5)
        body = Span(start, start + timedelta(minutes=draw(st.sampled_from([5, 30, 60, 240, 1440]))))
        take(unit, body, *draw(st.tuples(st.sampled_from([0, 15]), st.sampled_from([0, 45]))))
    now = draw(
        st.one_of(
            st.just(datetime(2026, 12, 1, 9, 7, tzinfo=UTC)),
            st.integers(-3000, 3000).map(lambda m: origin + timedelta(minutes=m)),
        )
    )
    return World(zone, day, weekly, exceptions, SpaceCalendar(1, opened, units), space_rules, now)


def take(unit: UnitCalendar, body: Span, before: int, after: int) -> bool:
    """Claim as `claim_space` does: the first lane with room, body and buffers; whether there was room."""
    back, ahead = timedelta(minutes=before), timedelta(minutes=after)
    number = unit.lane_for(body, back, ahead)
    if number is None:
        return False
    lane = unit.lanes.get(number, Lane())
    buffers = list(lane.buffers)
    if before:
        buffers.append(Span(body.start - back, body.start))
    if after:
        buffers.append(Span(body.end, body.end + ahead))
    unit.lanes[number] = Lane(lane.bodies | SpanSet([body]), SpanSet(buffers))
    return True
