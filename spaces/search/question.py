"""The one question of the search: what, where, when, how many, and the filters. Plain values, made from what people
wrote or what a program asked."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from marketplace.timespan import Span, instant
from spaces.calendar.rules import DAY, midnight
from spaces.search.times import When, days_of

SORTS = ("best", "nearest", "cheapest", "soonest", "largest")
PAGE_SIZE = 10
MAX_DAYS_AHEAD = 731


@dataclass(frozen=True)
class Place:
    """Where to look from: a point (WGS 84), its name as understood, and the district when it is one."""

    lon: float
    lat: float
    label: str
    district_id: int | None = None
    is_point: bool = False  # coordinates, which have no name to speak of


@dataclass(frozen=True)
class Question:
    """All that may be asked at once. Minutes are wall-clock minutes from local midnight of `day`.

    A window of several days has its last one in `last_day`, and the weekdays that count in `weekdays` (0 is Monday; none
    means all); `day` is the first that counts.
    """

    words: tuple[str, ...] = ()
    place: Place | None = None
    day: date | None = None
    start_minute: int = 0
    end_minute: int = 1440
    minutes: int | None = None
    people: int | None = None
    purposes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    equipment: frozenset[str] = frozenset()
    accessibility: frozenset[str] = frozenset()
    viewpoints: frozenset[str] = frozenset()  # all of whom the place must suit
    approval: frozenset[str] = frozenset()
    owner_kinds: frozenset[str] = frozenset()
    max_price_minor: int | None = None  # per hour; a day price counts by itself
    district_ids: frozenset[int] = frozenset()  # any of them
    bbox: tuple[float, float, float, float] | None = None  # west, south, east, north, WGS 84
    area: tuple[
        tuple[float, float], ...
    ] = ()  # the corners of a polygon that does not cross itself: lon, lat of WGS 84
    venue_id: int | None = None
    sort: str = "best"
    page: int = 1
    page_size: int = PAGE_SIZE
    space_ids: tuple[int, ...] = field(default=())
    last_day: date | None = None
    weekdays: frozenset[int] = frozenset()

    @property
    def days(self) -> list[date]:
        """The days that are asked about, in order."""
        if self.day is None:
            return []
        return list(days_of(When(self.day, last_day=self.last_day, weekdays=self.weekdays)))

    @property
    def has_time(self) -> bool:
        return self.day is not None and (self.start_minute, self.end_minute) != (0, 1440)

    def window(self, zone: ZoneInfo) -> Span | None:
        """The asked part of the day as instants."""
        if self.day is None:
            return None
        start, end = (
            clock_instant(self.day, self.start_minute, zone),
            clock_instant(self.day, self.end_minute, zone),
        )
        return Span(start, end) if start < end else None


def clock_instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant of so many wall-clock minutes after local midnight; 1440 is the next midnight."""
    if minute >= 1440:
        return midnight(day + DAY, zone)
    return instant(day, time(minute // 60, minute % 60), zone)
