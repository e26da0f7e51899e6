"""Pure decisions of the calendar: what opening rules mean, what is free, which starts a space offers.

No database and no clock here. Wall-clock hours become instants in the city's zone, spans are half-open, and a change
of the clocks inside an opening makes it an hour shorter or longer in elapsed time, as it is for the people there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from marketplace.timespan import Span, SpanSet, day_span, instant

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
HALF_HOURS = 48
ALL_DAY = (1 << HALF_HOURS) - 1


@dataclass(frozen=True)
class WeeklyHours:
    """Open on these ISO weekdays from `opens` to `closes` (at or before it: the next day), within a period of dates."""

    days: frozenset[int]
    opens: time
    closes: time
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        return (
            day.isoweekday() in self.days
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_to is None or day <= self.valid_to)
        )


@dataclass(frozen=True)
class ExceptionHours:
    """Other hours on the dates first_day..last_day, both included; closed where `opens` is None."""

    first_day: date
    last_day: date
    opens: time | None = None
    closes: time | None = None


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


def opening_of_day(
    day: date, weekly: Sequence[WeeklyHours], exceptions: Sequence[ExceptionHours], zone: ZoneInfo
) -> list[Span]:
    """The spans that begin on `day`. Of several exceptions the one with the shortest period decides, as in Hauki;
    of equally short ones, closed wins."""
    covering = [e for e in exceptions if e.first_day <= day <= e.last_day]
    hours: list[tuple[time, time]]
    if covering:
        shortest = min(e.last_day - e.first_day for e in covering)
        deciding = [e for e in covering if e.last_day - e.first_day == shortest]
        if any(e.opens is None for e in deciding):
            return []
        hours = [(e.opens, e.closes) for e in deciding if e.opens is not None and e.closes is not None]
    else:
        hours = [(w.opens, w.closes) for w in weekly if w.holds_on(day)]
    return [span for opens, closes in hours if (span := hours_span(day, opens, closes, zone)) is not None]


def compile_opening(
    weekly: Sequence[WeeklyHours],
    exceptions: Sequence[ExceptionHours],
    *,
    first: date,
    last: date,
    zone: ZoneInfo,
) -> dict[date, list[Span]]:
    """Spans by the first day of the local month they begin in, for openings that begin on first..last."""
    months: dict[date, list[Span]] = {}
    for day in days_between(first, last):
        months.setdefault(day.replace(day=1), []).extend(opening_of_day(day, weekly, exceptions, zone))
    return months


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
