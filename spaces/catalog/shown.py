"""Which days the page of a space shows, and the times in them: pure, from a calendar and its rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from marketplace.timespan import Span, day_span, instant
from spaces.calendar.rules import DAY, BookingRules, SpaceCalendar, days_between, midnight, offers

LOOK_AHEAD_DAYS = 41
FURTHEST_DAYS = 3660
START = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(?:(Z)|([+\- ])(\d{2}):?(\d{2}))?", re.ASCII
)


@dataclass(frozen=True)
class Shown:
    """The days first..last, and where one may go from there; None where there is nothing to see."""

    first: date
    last: date
    previous: date | None
    following: date | None

    @property
    def days(self) -> list[date]:
        return list(days_between(self.first, self.last))


def read_day(text: str) -> date | None:
    """An ISO date."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_start(text: str, zone: ZoneInfo, *, now: datetime) -> datetime | None:
    """A start: an instant with an offset, or a wall-clock time of the space without one. None where it is neither, or
    decades away."""
    match = START.fullmatch(text.strip())
    if match is None:
        return None
    day, hour, minute, zulu, sign, hours, minutes = match.groups()
    try:
        wall = datetime.fromisoformat(f"{day}T{hour}:{minute}")
        if zulu:
            at = wall.replace(tzinfo=UTC)
        elif sign:
            # A plus in an address that was not encoded arrives as a space.
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            at = (wall + offset if sign == "-" else wall - offset).replace(tzinfo=UTC)
        else:
            at = instant(wall.date(), wall.time(), zone)
    except (ValueError, OverflowError):
        return None
    return at if abs((at - now).days) < FURTHEST_DAYS else None


def shown_week(day: date, *, today: date, horizon_days: int) -> Shown:
    """The week, Monday first, that holds the day; a day that nobody can book leads to the nearest that one can."""
    last_day = today + timedelta(days=horizon_days)
    day = min(max(day, today), last_day)
    first = day - timedelta(days=day.weekday())
    last = first + 6 * DAY
    return Shown(
        first,
        last,
        first - 7 * DAY if first > today else None,
        last + DAY if last < last_day else None,
    )


def shown_month(day: date, *, today: date, horizon_days: int) -> Shown:
    """As `shown_week`, by calendar months."""
    last_day = today + timedelta(days=horizon_days)
    day = min(max(day, today), last_day)
    first = day.replace(day=1)
    last = (first + 31 * DAY).replace(day=1) - DAY
    before = (first - DAY).replace(day=1)
    return Shown(first, last, before if first > today else None, last + DAY if last < last_day else None)


def window_of(first: date, last: date, zone: ZoneInfo) -> Span:
    """What has to be loaded for these days: a day more on either side, for buffers and nights."""
    return Span(midnight(first - DAY, zone), midnight(last + 2 * DAY, zone))


def free_spans(
    calendar: SpaceCalendar,
    rules: BookingRules,
    *,
    minutes: int,
    days: Sequence[date],
    zone: ZoneInfo,
    now: datetime,
) -> dict[date, list[Span]]:
    """The bookable times of this length by the local day they begin on. Whole days: as many in a row as the length
    has, from the first one's opening to the last one's end."""
    found: dict[date, list[Span]] = {day: [] for day in days}
    if not rules.whole_days:
        within = Span(midnight(days[0], zone), midnight(days[-1] + 2 * DAY, zone))
        for span in offers(calendar, rules, minutes=minutes, within=within, zone=zone, now=now):
            found.setdefault(span.start.astimezone(zone).date(), []).append(span)
        return {day: found[day] for day in days}
    count = max(1, minutes // 1440)
    extra = [days[-1] + n * DAY for n in range(1, count)]
    whole = {
        span.start.astimezone(zone).date(): span
        for day in [*days, *extra]
        for span in offers(calendar, rules, minutes=1440, within=day_span(day, zone), zone=zone, now=now)
    }
    for day in days:
        run = [whole.get(day + n * DAY) for n in range(count)]
        if run[0] is not None and run[-1] is not None and all(run):
            found[day] = [Span(run[0].start, run[-1].end)]
    return found
