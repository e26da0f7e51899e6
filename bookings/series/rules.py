"""Which dates a repeated booking falls on, and when on each: wall-clock time of the city, so 18.00 stays 18.00.

The length is elapsed time, as everywhere in the calendar: a night when the clocks change makes a booking end an hour
earlier or later by the clock, and not shorter or longer.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count, pairwise, takewhile
from zoneinfo import ZoneInfo

from marketplace.timespan import Span, instant
from spaces.calendar.rules import BookingRules

FREQUENCIES = ("weekly", "monthly")
# Which of its weekday in the month; a month need not have a fifth one, so that is asked for as the last.
NTHS = (1, 2, 3, 4, -1)
MOST_DATES = 200
LONGEST = timedelta(days=731)
MOST_EVERY = 52
DAY = timedelta(days=1)
DAY_MINUTES = 1440


@dataclass(frozen=True)
class Recurrence:
    """Dates from `first` on, every so many weeks or months: on the weekday of `first`, of a month on the `nth` one.

    They end with the day `until`, or after so many `times`. One of the two is given.
    """

    first: date
    frequency: str = "weekly"
    every: int = 1
    nth: int | None = None
    until: date | None = None
    times: int | None = None

    def dates(self) -> list[date]:
        """All dates in order; at most one more than MOST_DATES, and none past LONGEST: then it is asked for too much."""
        end = self.first + LONGEST
        if self.until is not None:
            end = min(end, self.until)
        most = min(self.times or MOST_DATES + 1, MOST_DATES + 1)
        within = takewhile(lambda day: day <= end, self.endless())
        return [day for _, day in zip(range(most), within, strict=False)]

    def endless(self) -> Iterator[date]:
        """The dates as if they went on for ever. Raises OverflowError in the year 9999."""
        if self.frequency == "weekly":
            for n in count():
                yield self.first + timedelta(weeks=n * self.every)
        for n in count():
            months = self.first.year * 12 + self.first.month - 1 + n * self.every
            day = nth_weekday(months // 12, months % 12 + 1, self.first.isoweekday(), self.nth or 1)
            if day >= self.first:
                yield day


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth (1..4, or -1 for the last) ISO weekday of a month."""
    if nth > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (nth - 1))
    last = date(year, month, monthrange(year, month)[1])
    return last - timedelta(days=(last.isoweekday() - weekday) % 7)


def nths_of(day: date) -> list[int]:
    """By which numbers of NTHS a monthly series may begin on this day."""
    return [nth for nth in NTHS if nth_weekday(day.year, day.month, day.isoweekday(), nth) == day]


def why_no_series(rule: Recurrence, minutes: int, rules: BookingRules) -> str | None:
    """The code of what is wrong with the wish itself, whatever is free; None when it can be looked at."""
    if rule.frequency not in FREQUENCIES or not 1 <= rule.every <= MOST_EVERY:
        return "rule-unreadable"
    if rule.frequency == "monthly" and rule.nth not in nths_of(rule.first):
        return "rule-unreadable"
    if (rule.until is None) == (rule.times is None):
        return "rule-unreadable"
    if rule.until is not None and rule.until - rule.first > LONGEST:
        return "series-too-long"
    if rule.times is not None and rule.times > MOST_DATES:
        return "too-many-dates"
    dates = rule.dates()
    if rule.times is not None and len(dates) < rule.times:
        return "series-too-long"
    if len(dates) > MOST_DATES:
        return "too-many-dates"
    if len(dates) < 2:
        return "too-few-dates"
    shortest = min(later - earlier for earlier, later in pairwise(dates))
    if timedelta(minutes=minutes) + rules.before + rules.after > shortest - timedelta(hours=1):
        return "dates-overlap"
    return None


def span_on(day: date, starts: time, minutes: int, zone: ZoneInfo) -> Span:
    """The booked time of a date. A start that a spring night skips is the instant the clock jumps at; one that an autumn
    night repeats is the first of the two."""
    start = instant(day, starts, zone)
    return Span(start, start + timedelta(minutes=minutes))


def days_of(minutes: int) -> int:
    """How many whole days a length stands for."""
    return max(1, -(-minutes // DAY_MINUTES))


@dataclass(frozen=True)
class Change:
    """What is to be different of some dates: the day by so many, the start by the clock, the length. None keeps it."""

    shift_days: int = 0
    starts: time | None = None
    minutes: int | None = None

    @property
    def is_of_time(self) -> bool:
        return bool(self.shift_days) or self.starts is not None or self.minutes is not None

    def of(self, span: Span, day: date, zone: ZoneInfo) -> Span:
        """The new time, on `day`, of a booking that is at `span`."""
        clock = self.starts or span.start.astimezone(zone).time().replace(fold=0)
        return span_on(day, clock, self.minutes or span.minutes, zone)


def shifted(rule: Recurrence, day: date, shift_days: int, *, alone: bool) -> date:
    """Where a date goes when its weekday changes: by so many days; the dates of a monthly series together from the second
    Tuesday to the second Wednesday of the month."""
    if alone or rule.nth is None or not shift_days:
        return day + shift_days * DAY
    return nth_weekday(day.year, day.month, (day + shift_days * DAY).isoweekday(), rule.nth)


SCOPES = ("one", "following", "all")
MOST_SHIFT = 6


def in_scope(scope: str, position: int, chosen: int) -> bool:
    """Whether the date at `position` is meant, where `chosen` is the date that somebody began from."""
    if scope == "one":
        return position == chosen
    return scope == "all" or position >= chosen


def is_ahead(span: Span, at: datetime) -> bool:
    return span.start > at
