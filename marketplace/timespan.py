"""Half-open spans of time, [start, end), and sorted sets of them. Instants are aware; nothing here knows a zone
except the functions that take one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Span:
    """[start, end): aware instants, start < end. Raises ValueError on a naive, empty or reversed span."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a span needs aware instants")
        if self.start >= self.end:
            raise ValueError("a span must end after it starts")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def minutes(self) -> int:
        """Whole elapsed minutes; a clock change inside counts as the time that really passes."""
        return int(self.length.total_seconds() // 60)

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Span") -> bool:
        return self.start <= other.start and other.end <= self.end

    def widened(self, before: timedelta = timedelta(0), after: timedelta = timedelta(0)) -> "Span":
        return Span(self.start - before, self.end + after)

    def clipped(self, to: "Span") -> "Span | None":
        start, end = max(self.start, to.start), min(self.end, to.end)
        return Span(start, end) if start < end else None


class SpanSet:
    """Disjoint, sorted, merged spans. Touching spans are one."""

    __slots__ = ("_spans", "_starts")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans: list[Span] = []
        for span in sorted(spans):
            if self._spans and span.start <= self._spans[-1].end:
                if span.end > self._spans[-1].end:
                    self._spans[-1] = Span(self._spans[-1].start, span.end)
            else:
                self._spans.append(span)
        self._starts = [span.start for span in self._spans]

    def __iter__(self) -> Iterator[Span]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    def __bool__(self) -> bool:
        return bool(self._spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpanSet) and self._spans == other._spans

    def __hash__(self) -> int:
        return hash(tuple(self._spans))

    def __repr__(self) -> str:
        return f"SpanSet({self._spans!r})"

    def __or__(self, other: "SpanSet") -> "SpanSet":
        return SpanSet([*self, *other])

    def __sub__(self, other: "SpanSet") -> "SpanSet":
        left: list[Span] = []
        taken = list(other)
        i = 0
        for span in self:
            start = span.start
            while i < len(taken) and taken[i].end <= start:
                i += 1
            j = i
            while j < len(taken) and taken[j].start < span.end:
                if taken[j].start > start:
                    left.append(Span(start, taken[j].start))
                start = max(start, taken[j].end)
                j += 1
            if start < span.end:
                left.append(Span(start, span.end))
        return SpanSet(left)

    def clipped(self, to: Span) -> "SpanSet":
        return SpanSet(part for span in self.meeting(to.start, to.end) if (part := span.clipped(to)))

    def meeting(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The spans, whole, that have a part in [start, end)."""
        i = max(0, bisect_right(self._starts, start) - 1)
        while i < len(self._spans) and self._starts[i] < end:
            if self._spans[i].end > start:
                yield self._spans[i]
            i += 1

    def around(self, at: datetime) -> Span | None:
        """The span that holds this instant, if any."""
        i = bisect_right(self._starts, at) - 1
        return self._spans[i] if i >= 0 and at < self._spans[i].end else None

    def contains(self, span: Span) -> bool:
        home = self.around(span.start)
        return home is not None and home.contains(span)

    def meets(self, start: datetime, end: datetime) -> bool:
        """Whether any part of [start, end) is in the set. Asked thousands of times for one page."""
        i = bisect_right(self._starts, start) - 1
        if i >= 0 and self._spans[i].end > start:
            return True
        return i + 1 < len(self._starts) and self._starts[i + 1] < end


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time. A time that a spring change skips becomes the instant the clock jumps at;
    a time that an autumn change repeats means the first of the two."""
    wall = datetime.combine(day, clock, tzinfo=zone)
    at = wall.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return at
    # The wall time does not exist. The jump lies between its two readings, one by the offset after it, one before.
    before_jump, after_jump = wall.replace(fold=1).astimezone(UTC), at
    offset = after_jump.astimezone(zone).utcoffset()
    while after_jump - before_jump > timedelta(minutes=1):
        middle = before_jump + (after_jump - before_jump) / 2
        middle = middle.replace(second=0, microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            after_jump = middle
        else:
            before_jump = middle
    return after_jump


def day_span(day: date, zone: ZoneInfo) -> Span:
    """The local day from midnight to midnight: 23, 24 or 25 hours."""
    return Span(instant(day, time(0), zone), instant(day + timedelta(days=1), time(0), zone))


def local_days(span: Span, zone: ZoneInfo) -> list[date]:
    """The local dates that the span touches, in order."""
    first = span.start.astimezone(zone).date()
    last = (span.end - timedelta(microseconds=1)).astimezone(zone).date()
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]
