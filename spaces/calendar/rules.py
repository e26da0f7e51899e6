"""Pure decisions of the calendar: what opening rules mean, what is free, which starts a space offers.

No database and no clock here. Wall-clock hours become instants in the city's zone, spans are half-open, and a change
of the clocks inside an opening makes it an hour shorter or longer in elapsed time, as it is for the people there.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from marketplace.timespan import Span, SpanSet, day_span, instant

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
HALF_HOURS = 48
ALL_DAY = (1 << HALF_HOURS) - 1


# What a stretch of hours means. Open and self-service can be booked by anyone, staff-only by nobody of the public.
STATES = ("open", "self_service", "staff_only", "closed")
BOOKABLE = frozenset({"open", "self_service"})
WEEKS = ("all", "odd", "even")
NTHS = (1, 2, 3, 4, 5, -1, -2, -3, -4, -5)
HOLIDAY_RULES = ("as_usual", "closed", "as_sunday")
SUNDAY = 7


class Period(NamedTuple):
    """The dates for which some rules hold, both included, open-ended where None; of several the highest priority decides."""

    valid_from: date | None
    valid_to: date | None
    priority: int = 0

    def covers(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )

    def meets(self, other: "Period") -> bool:
        """Whether some day lies in both."""
        first = max(self.valid_from or date.min, other.valid_from or date.min)
        last = min(self.valid_to or date.max, other.valid_to or date.max)
        return first <= last


@dataclass(frozen=True)
class WeeklyHours:
    """Hours on these ISO weekdays from `opens` to `closes` (at or before it: the next day), within a period of dates.

    `weeks` keeps them to odd or even ISO weeks, `nth` to the nth such weekday of the month (-1: the last one).
    """

    days: frozenset[int]
    opens: time
    closes: time
    valid_from: date | None = None
    valid_to: date | None = None
    weeks: str = "all"
    nth: int | None = None
    state: str = "open"
    priority: int = 0

    @cached_property
    def period(self) -> Period:
        return Period(self.valid_from, self.valid_to, self.priority)

    def holds_on(self, day: date) -> bool:
        return self.period.covers(day) and self.falls_on(day)

    def falls_on(self, day: date, *, as_sunday: bool = False) -> bool:
        """Whether the rule means this date, the period aside. A holiday that is kept as a Sunday has its hours, but it
        is no "first Sunday of the month" unless it is one."""
        weekday = day.isoweekday()
        if (SUNDAY if as_sunday and self.nth is None else weekday) not in self.days:
            return False
        if self.weeks != "all" and (self.weeks == "odd") != bool(day.isocalendar().week % 2):
            return False
        return self.nth is None or self.nth in nths_of(day)


def nths_of(day: date) -> tuple[int, int]:
    """Which of its weekday in the month a date is, from the start (1..5) and from the end (-1..-5)."""
    length = monthrange(day.year, day.month)[1]
    return (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)


@dataclass(frozen=True)
class ExceptionHours:
    """Other hours on the dates first_day..last_day, both included; closed where `opens` is None."""

    first_day: date
    last_day: date
    opens: time | None = None
    closes: time | None = None
    state: str = "open"

    @property
    def is_closed(self) -> bool:
        return self.opens is None or self.closes is None or self.state == "closed"


@dataclass(frozen=True)
class Holidays:
    """The public holidays that a space minds, and how it keeps them."""

    days: frozenset[date] = frozenset()
    rule: str = "as_usual"

    def rule_on(self, day: date) -> str:
        return self.rule if day in self.days else "as_usual"


NO_HOLIDAYS = Holidays()


@dataclass(frozen=True)
class Compiled:
    """Spans by the first day of the local month they begin in: what can be booked, and what only the staff uses."""

    open: dict[date, list[Span]]
    staff: dict[date, list[Span]]


def equal_periods(weekly: Iterable[WeeklyHours]) -> tuple[Period, Period] | None:
    """Two different periods of one priority that share a day, if there are any: then nothing says which one decides."""
    periods = sorted({hours.period for hours in weekly}, key=period_order)
    for n, first in enumerate(periods):
        for second in periods[n + 1 :]:
            if first.priority == second.priority and first.meets(second):
                return first, second
    return None


def period_order(period: Period) -> tuple[int, date, date]:
    return period.priority, period.valid_from or date.min, period.valid_to or date.max


def days_between(first: date, last: date) -> Iterator[date]:
    """The dates first..last, both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


@lru_cache(maxsize=4096)
def midnight(day: date, zone: ZoneInfo) -> datetime:
    return instant(day, time(0), zone)


@lru_cache(maxsize=4096)
def has_change(day: date, zone: ZoneInfo) -> bool:
    """Whether the clocks change on this local day."""
    return midnight(day + DAY, zone) - midnight(day, zone) != DAY


def at_clock(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """As `instant`, quicker on the 363 days without a change of the clocks."""
    if has_change(day, zone):
        return instant(day, clock, zone)
    return midnight(day, zone) + timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)


def hours_span(day: date, opens: time, closes: time, zone: ZoneInfo) -> Span | None:
    """Opening hours that begin on `day`; None where a spring change leaves nothing of them."""
    start = at_clock(day, opens, zone)
    end = at_clock(day if closes > opens else day + DAY, closes, zone)
    return Span(start, end) if start < end else None


def deciding_hours(weekly: Sequence[WeeklyHours], day: date, holidays: Holidays) -> list[WeeklyHours]:
    """The weekly rules that make this day. Of the periods that cover it the one of the highest priority decides alone,
    also when it has no hours for the day."""
    kept = holidays.rule_on(day)
    if kept == "closed":
        return []
    covering = [hours for hours in weekly if hours.period.covers(day)]
    if not covering:
        return []
    highest = max(hours.priority for hours in covering)
    return [
        hours
        for hours in covering
        if hours.priority == highest and hours.falls_on(day, as_sunday=kept == "as_sunday")
    ]


def spans_of_day(
    day: date,
    weekly: Sequence[WeeklyHours],
    exceptions: Sequence[ExceptionHours],
    zone: ZoneInfo,
    holidays: Holidays = NO_HOLIDAYS,
) -> tuple[list[Span], list[Span]]:
    """The spans that begin on `day`: bookable ones, and those of the staff alone.

    An exception replaces the weekly rules and the holiday. Of several the one with the shortest period decides, as in
    Hauki; of equally short ones, closed wins. Among the hours of one day closed wins over staff-only, and staff-only
    over open.
    """
    covering = [e for e in exceptions if e.first_day <= day <= e.last_day]
    hours: list[tuple[str, time, time]]
    if covering:
        shortest = min(e.last_day - e.first_day for e in covering)
        deciding = [e for e in covering if e.last_day - e.first_day == shortest]
        if any(e.is_closed for e in deciding):
            return [], []
        hours = [
            (e.state, e.opens, e.closes) for e in deciding if e.opens is not None and e.closes is not None
        ]
    else:
        hours = [(w.state, w.opens, w.closes) for w in deciding_hours(weekly, day, holidays)]
    by_state: dict[str, list[Span]] = {}
    for state, opens, closes in hours:
        span = hours_span(day, opens, closes, zone)
        if span is not None:
            by_state.setdefault("open" if state in BOOKABLE else state, []).append(span)
    opened = by_state.get("open", [])
    if len(by_state) < 2 and "open" in by_state:
        return opened, []
    closed, staff = SpanSet(by_state.get("closed", ())), SpanSet(by_state.get("staff_only", ()))
    staff = staff - closed
    return list(SpanSet(opened) - staff - closed), list(staff)


def opening_of_day(
    day: date,
    weekly: Sequence[WeeklyHours],
    exceptions: Sequence[ExceptionHours],
    zone: ZoneInfo,
    holidays: Holidays = NO_HOLIDAYS,
) -> list[Span]:
    """The bookable spans that begin on `day`."""
    return spans_of_day(day, weekly, exceptions, zone, holidays)[0]


def compile_hours(
    weekly: Sequence[WeeklyHours],
    exceptions: Sequence[ExceptionHours],
    *,
    first: date,
    last: date,
    zone: ZoneInfo,
    holidays: Holidays = NO_HOLIDAYS,
) -> Compiled:
    """All spans that begin on first..last."""
    opened: dict[date, list[Span]] = {}
    staff: dict[date, list[Span]] = {}
    for day in days_between(first, last):
        month = day.replace(day=1)
        bookable, others = spans_of_day(day, weekly, exceptions, zone, holidays)
        opened.setdefault(month, []).extend(bookable)
        staff.setdefault(month, []).extend(others)
    return Compiled(opened, staff)


def compile_opening(
    weekly: Sequence[WeeklyHours],
    exceptions: Sequence[ExceptionHours],
    *,
    first: date,
    last: date,
    zone: ZoneInfo,
    holidays: Holidays = NO_HOLIDAYS,
) -> dict[date, list[Span]]:
    """The bookable spans by the first day of the local month they begin in, for openings that begin on first..last."""
    return compile_hours(weekly, exceptions, first=first, last=last, zone=zone, holidays=holidays).open


def uncovered(body: Span, opened: SpanSet, *, whole_days: bool, zone: ZoneInfo) -> bool:
    """Whether a booked time lies outside the opening. A booking of whole days needs an opening on each of them, not the
    nights between."""
    if not whole_days:
        return bool(SpanSet([body]) - opened)
    days = days_between(
        body.start.astimezone(zone).date(), (body.end - timedelta(seconds=1)).astimezone(zone).date()
    )
    for day in days:
        part = body.clipped(day_span(day, zone))
        if part is None or not opened.meets(part.start, part.end):
            return True
    return False


@dataclass(frozen=True)
class Taking:
    """A stretch of one lane of a unit that a holder has as its body."""

    holder_id: int
    unit_id: int
    lane: int
    span: Span


def closed_stretches(
    lanes: Iterable[tuple[int, int]], during: Span, kept: Sequence[Taking]
) -> dict[Span, list[tuple[int, int]]]:
    """What a closing takes of each (unit, lane): all of `during` but what is kept there; as stretch to its lanes."""
    found: dict[Span, list[tuple[int, int]]] = {}
    for unit_id, lane in lanes:
        open_for = SpanSet(one.span for one in kept if (one.unit_id, one.lane) == (unit_id, lane))
        for stretch in SpanSet([during]) - open_for:
            found.setdefault(stretch, []).append((unit_id, lane))
    return found


@dataclass
class Lane:
    """What is taken in one lane of a unit: bodies meet everything, buffers of others only bodies."""

    bodies: SpanSet = field(default_factory=SpanSet)
    buffers: SpanSet = field(default_factory=SpanSet)

    def admits(self, body: Span, before: timedelta, after: timedelta) -> bool:
        """Whether a new body with these buffers fits here, by the rule of the exclusion constraint."""
        return not self.bodies.meets(body.start - before, body.end + after) and not self.buffers.meets(
            body.start, body.end
        )

    @property
    def taken(self) -> SpanSet:
        return self.bodies | self.buffers if self.buffers else self.bodies


@dataclass
class UnitCalendar:
    """A unit's lanes, of which those with any claim in the window are listed by number."""

    unit_id: int
    lane_count: int
    lanes: dict[int, Lane] = field(default_factory=dict)

    def lane_for(self, body: Span, before: timedelta, after: timedelta) -> int | None:
        """The first lane with room, or None."""
        for number, lane in sorted(self.lanes.items()):
            if number < self.lane_count and lane.admits(body, before, after):
                return number
        return next((n for n in range(self.lane_count) if n not in self.lanes), None)

    def within(self, window: Span) -> "UnitCalendar":
        """The same unit with those lanes alone that have anything in this window."""
        near = {
            number: lane
            for number, lane in self.lanes.items()
            if any(spans.meets(window.start, window.end) for spans in (lane.bodies, lane.buffers))
        }
        return UnitCalendar(self.unit_id, self.lane_count, near)

    def add(self, lane: int, parts: Iterable[tuple[int, Span]]) -> None:
        """Let these be taken too: (part, span), the body's part being 0."""
        before = self.lanes.get(lane, Lane())
        bodies = [span for part, span in parts if part == 0]
        buffers = [span for part, span in parts if part != 0]
        self.lanes[lane] = Lane(before.bodies | SpanSet(bodies), before.buffers | SpanSet(buffers))

    @property
    def full(self) -> SpanSet:
        """When every lane is taken."""
        if len(self.lanes) < self.lane_count:
            return SpanSet()
        lanes = [lane.taken for number, lane in self.lanes.items() if number < self.lane_count]
        full = lanes[0]
        for taken in lanes[1:]:
            full = full - (full - taken)
        return full


@dataclass
class SpaceCalendar:
    """One space in a window of time: when it is open and what is taken of each of its units."""

    space_id: int
    open: SpanSet = field(default_factory=SpanSet)
    units: list[UnitCalendar] = field(default_factory=list)

    @property
    def taken(self) -> SpanSet:
        """When at least one of its units is full."""
        taken = SpanSet()
        for unit in self.units:
            taken = taken | unit.full
        return taken

    @property
    def free(self) -> SpanSet:
        return self.open - self.taken

    def admits(self, body: Span, before: timedelta, after: timedelta) -> bool:
        return all(unit.lane_for(body, before, after) is not None for unit in self.units)


@dataclass(frozen=True)
class BookingRules:
    """How a space lets itself be booked. Minutes are elapsed minutes; notice counts from the moment of asking."""

    min_minutes: int = 60
    max_minutes: int = 240
    interval_minutes: int = 30
    whole_days: bool = False
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    notice_minutes: int = 0
    horizon_days: int = 180

    @property
    def before(self) -> timedelta:
        return timedelta(minutes=self.buffer_before_minutes)

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.buffer_after_minutes)

    def fitting_minutes(self, asked: int | None) -> int:
        """The shortest length this space sells that covers what was asked, or its longest."""
        minutes = max(asked or self.min_minutes, self.min_minutes)
        steps = -(-minutes // self.interval_minutes)
        return min(steps * self.interval_minutes, self.longest)

    @property
    def longest(self) -> int:
        """The maximum length, cut to a multiple of the interval."""
        return max(self.max_minutes // self.interval_minutes * self.interval_minutes, self.min_minutes)

    def lengths(self) -> list[int]:
        """Every length in minutes that may be booked, shortest first."""
        first = -(-self.min_minutes // self.interval_minutes) * self.interval_minutes
        found = list(range(first, self.longest + 1, self.interval_minutes))
        return found or [self.min_minutes]

    def bookable(self, *, now: datetime, zone: ZoneInfo) -> Span | None:
        """When a booking may begin, seen from `now`: after the notice, before the horizon's last local day ends."""
        earliest = now + timedelta(minutes=self.notice_minutes)
        last_day = now.astimezone(zone).date() + timedelta(days=self.horizon_days)
        latest = midnight(last_day + DAY, zone)
        return Span(earliest, latest) if earliest < latest else None


def grid(opening: Span, interval: timedelta, zone: ZoneInfo) -> Iterator[datetime]:
    """Starts within one opening: every interval from its beginning. An opening of more than a day (always open) begins
    anew at each local midnight, so that a change of the clocks does not shift the starts for good."""
    if opening.length <= timedelta(hours=25):
        anchors = [opening.start]
    else:
        first = opening.start.astimezone(zone).date() + DAY
        last = opening.end.astimezone(zone).date()
        anchors = [opening.start, *(midnight(day, zone) for day in days_between(first, last))]
    for anchor, following in zip(anchors, [*anchors[1:], opening.end], strict=True):
        at = anchor
        while at < min(following, opening.end):
            yield at
            at += interval


def day_offers(
    calendar: SpaceCalendar, rules: BookingRules, *, days: Iterable[date], zone: ZoneInfo, now: datetime
) -> list[Span]:
    """For a space booked by whole days: each of `days` whose opening is all free, as that opening's span."""
    bookable = rules.bookable(now=now, zone=zone)
    found = []
    for day in days:
        spans = list(calendar.open.clipped(day_span(day, zone)))
        if not spans or bookable is None:
            continue
        whole = Span(spans[0].start, spans[-1].end)
        # A day that has begun may still be booked until its opening ends, unless the space asks for notice.
        begins = max(whole.start, now) if rules.notice_minutes == 0 else whole.start
        if (
            bookable.start <= begins < bookable.end
            and whole.end > now
            and calendar.admits(whole, rules.before, rules.after)
        ):
            found.append(whole)
    return found


def offers(
    calendar: SpaceCalendar,
    rules: BookingRules,
    *,
    minutes: int,
    within: Span,
    zone: ZoneInfo,
    now: datetime,
) -> list[Span]:
    """The bookable spans of this length that begin and end within `within`, in order.

    `calendar` must cover `within` widened by the rules' buffers. For a space booked by whole days, the days of
    `within`.
    """
    if rules.whole_days:
        first, last = (
            within.start.astimezone(zone).date(),
            (within.end - timedelta(seconds=1)).astimezone(zone).date(),
        )
        return day_offers(calendar, rules, days=days_between(first, last), zone=zone, now=now)
    bookable = rules.bookable(now=now, zone=zone)
    if bookable is None:
        return []
    length, interval = timedelta(minutes=minutes), timedelta(minutes=rules.interval_minutes)
    found = []
    for opening in calendar.open:
        if not opening.overlaps(within):
            continue
        for start in grid(opening, interval, zone):
            end = start + length
            if start < within.start or start < bookable.start:
                continue
            if end > opening.end or end > within.end or start >= bookable.end:
                break
            body = Span(start, end)
            if calendar.admits(body, rules.before, rules.after):
                found.append(body)
    return found


def why_not(
    calendar: SpaceCalendar, rules: BookingRules, span: Span, *, zone: ZoneInfo, now: datetime
) -> str | None:
    """The code of the rule that this span breaks, or None when it may be booked (if nobody is quicker).

    `calendar.open` must hold the whole opening that `span` lies in, since starts are counted from its beginning.
    """
    bookable = rules.bookable(now=now, zone=zone)
    if rules.whole_days:
        return _why_not_days(calendar, rules, span, zone=zone, now=now)
    if span.start < now:
        return "in-the-past"
    if bookable is None or span.start < bookable.start:
        return "too-late-to-book"
    if span.start >= bookable.end:
        return "too-far-ahead"
    if span.minutes < rules.min_minutes:
        return "too-short"
    if span.minutes > max(rules.max_minutes, rules.min_minutes):
        return "too-long"
    opening = calendar.open.around(span.start)
    if opening is None or not opening.contains(span):
        return "not-open"
    if span.length % timedelta(minutes=1) or span.minutes not in rules.lengths():
        return "odd-length"
    if span.start not in set(grid(opening, timedelta(minutes=rules.interval_minutes), zone)):
        return "odd-start"
    return None if calendar.admits(span, rules.before, rules.after) else "slot-taken"


def _why_not_days(
    calendar: SpaceCalendar,
    rules: BookingRules,
    span: Span,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> str | None:
    bookable = rules.bookable(now=now, zone=zone)
    if span.end <= now:
        return "in-the-past"
    begins = max(span.start, now) if rules.notice_minutes == 0 else span.start
    if bookable is None or begins < bookable.start:
        return "too-late-to-book"
    if begins >= bookable.end:
        return "too-far-ahead"
    longest = max(rules.max_minutes, rules.min_minutes, 1440)
    # Before dates are made of it: an address may name a year that the calendar does not reach.
    if span.length > timedelta(minutes=longest) + DAY:
        return "too-long"
    days = list(
        days_between(
            span.start.astimezone(zone).date(), (span.end - timedelta(seconds=1)).astimezone(zone).date()
        )
    )
    if len(days) * 1440 > longest:
        return "too-long"
    opened = [calendar.open.clipped(day_span(day, zone)) for day in days]
    if not all(opened):
        return "not-open"
    whole = Span(next(iter(opened[0])).start, list(opened[-1])[-1].end)
    if whole != span:
        return "whole-days-only"
    return None if calendar.admits(span, rules.before, rules.after) else "slot-taken"


def sheet_word(free: SpanSet, day: date, zone: ZoneInfo) -> int:
    """The day's 48 bits: bit n is set when wall-clock half hour n may be partly free.

    On a day when the clocks change, a half hour that does not exist counts as free, and one that comes twice as free
    when either is: the word may only be too generous.
    """
    begin, end_of_day = midnight(day, zone), midnight(day + DAY, zone)
    word = 0
    if has_change(day, zone):
        for n in range(HALF_HOURS):
            clock = time(n // 2, n % 2 * 30)
            start = instant(day, clock, zone)
            end = (
                instant(day, time((n + 1) // 2, (n + 1) % 2 * 30), zone) if n + 1 < HALF_HOURS else end_of_day
            )
            again = datetime.combine(day, clock, tzinfo=zone).replace(fold=1).astimezone(start.tzinfo)
            if end <= start or free.meets(start, end) or free.meets(again, again + HALF_HOUR):
                word |= 1 << n
        return word
    for span in free.meeting(begin, end_of_day):
        first = max(0, (span.start - begin) // HALF_HOUR)
        last = min(HALF_HOURS, -((begin - span.end) // HALF_HOUR))
        word |= ((1 << (last - first)) - 1) << first
    return word


def runs(word: int, slots: int) -> int:
    """Bits n where the half hours n .. n+slots-1 are all set: a run of k by log2(k) shift-ands."""
    width = 1
    while width < slots:
        step = min(width, slots - width)
        word &= word >> step
        width += step
    return word


def window_mask(start_minute: int, end_minute: int) -> int:
    """The half hours that the wall-clock window touches, minutes from midnight, 0 <= start < end <= 1440."""
    first, last = start_minute // 30, -(-end_minute // 30)
    return ((1 << (last - first)) - 1) << first
