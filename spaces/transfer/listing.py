"""The one shape that every reader yields and the one writer stores: a place with its units and spaces.

A format adds a reader that makes Listings; it never touches the database.
"""

import hashlib
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from spaces.calendar.rules import STATES as HOURS_STATES
from spaces.calendar.rules import WEEKS, WeeklyHours, equal_periods
from spaces.catalog.accessibility import MEASURES, Sentence, problems, sentence_problem
from spaces.catalog.models import APPROVALS, WHO
from spaces.catalog.rules import STATES
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, KINDS, PURPOSES
from spaces.pricing.lists import PriceList
from spaces.pricing.models import PRICE_PERS
from spaces.transfer.errors import RecordBroken

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
INTERVALS = frozenset({5, 10, 15, 20, 30, 60, 90, 120, 180, 240, 360, 720, 1440})
OUTDOORS = frozenset(
    {
        "park",
        "square",
        "market_stall",
        "playground",
        "barbecue_spot",
        "dog_field",
        "street",
        "sports_field",
        "berth",
    }
)


@dataclass(frozen=True)
class Hours:
    """Weekly hours in wall-clock time; `closes` at or before `opens` means the next day, 00:00 to 00:00 all day."""

    days: tuple[int, ...]
    opens: time
    closes: time
    valid_from: date | None = None
    valid_to: date | None = None
    weeks: str = "all"
    nth: int | None = None
    state: str = "open"
    priority: int = 0


@dataclass(frozen=True)
class Exceptional:
    """Other hours from the first to the last day, both included; closed where `opens` is None."""

    first_day: date
    last_day: date
    opens: time | None = None
    closes: time | None = None
    state: str = "open"
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ListedPrice:
    """Minor units of the city's currency, tax included."""

    per: str = "free"
    amount_minor: int = 0
    vat_code: str = "standard"


@dataclass(frozen=True)
class Terms:
    """How a space lets itself be booked, in the names of the columns."""

    min_minutes: int = 60
    max_minutes: int = 240
    interval_minutes: int = 30
    whole_days: bool = False
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    notice_minutes: int = 0
    horizon_days: int = 180
    cancellation_hours: int = 24
    approval: str = "instant"
    who: str = "anyone"
    max_open_per_person: int | None = None
    max_open_per_organisation: int | None = None
    quota_hours: int | None = None
    quota_period: str = "week"
    min_age: int | None = None
    max_age: int | None = None
    attendees_min: int | None = None
    attendees_max: int | None = None


# A day outdoors is sold as a whole, up to a fortnight ahead of one's own start, a year ahead.
BY_THE_DAY = Terms(
    min_minutes=1440, max_minutes=14 * 1440, interval_minutes=1440, whole_days=True,
    notice_minutes=1440, horizon_days=365, cancellation_hours=168,
)  # fmt: skip


@dataclass(frozen=True)
class ListedUnit:
    """The smallest part that one party can hold, known within its place by `external_id`."""

    external_id: str
    names: Mapping[str, str]
    lanes: int = 1


@dataclass(frozen=True)
class ListedSpace:
    """What is booked: it covers `units` of its listing. Hours or price None: the source does not know them."""

    external_id: str
    kind: str
    names: Mapping[str, str]
    units: tuple[str, ...]
    descriptions: Mapping[str, str] = field(default_factory=dict)
    instructions: Mapping[str, str] = field(default_factory=dict)
    purposes: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    capacity: int | None = None
    area_m2: float | None = None
    state: str = "published"
    indoors: bool | None = None  # where the kind does not tell
    terms: Terms = Terms()
    hours: tuple[Hours, ...] | None = None
    exceptions: tuple[Exceptional, ...] = ()
    price: ListedPrice | None = None  # a base price alone
    prices: tuple[PriceList, ...] | None = None  # whole lists, which then say all; the first day first


@dataclass(frozen=True)
class Listing:
    """A place. `where` names the record in its file, for reports; `area` is a polygon as WKB, EPSG:4326.

    `told` names the fields that the source speaks of; the others are left as they are stored. None: all of them.
    """

    source: str
    external_id: str
    kind: str
    names: Mapping[str, str]
    units: tuple[ListedUnit, ...]
    spaces: tuple[ListedSpace, ...]
    where: str = ""
    streets: Mapping[str, str] = field(default_factory=dict)
    postcode: str | None = None
    locality: str | None = None
    lon: float | None = None
    lat: float | None = None
    area: bytes | None = None
    accessibility: tuple[str, ...] = ()
    accessibility_lacks: tuple[str, ...] = ()
    accessibility_measures: Mapping[str, int] = field(default_factory=dict)
    accessibility_sentences: tuple[Sentence, ...] = ()
    phone: str | None = None
    website: str | None = None
    owner: str | None = None
    told: tuple[str, ...] | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.external_id

    def fingerprint(self) -> str:
        """A digest of all that would be stored, independent of where in a file it stood."""
        content = plain(self)
        del content["where"]
        for part in ("units", "spaces"):
            content[part] = sorted(content[part], key=lambda item: item["external_id"])
        text = json.dumps(content, sort_keys=True, default=written, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def plain(value: Any) -> Any:
    """A dataclass as dictionaries and lists; `asdict` copies every leaf deeply, which takes four times as long."""
    if isinstance(value, tuple):
        return [plain(item) for item in value] if value and hasattr(value[0], "__dict__") else value
    if hasattr(value, "__dict__"):
        return {name: plain(item) for name, item in vars(value).items()}
    return value


def written(value: Any) -> str | dict[str, str] | list[int]:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, frozenset):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else str(value)


@dataclass(frozen=True)
class SpaceHours:
    """Hours for spaces that are there already; `target` names them as the source does."""

    target: str
    hours: tuple[Hours, ...]
    exceptions: tuple[Exceptional, ...] = ()
    where: str = ""


def default_hours(space: ListedSpace) -> tuple[Hours, ...]:
    """For a source without opening hours: outdoors all day, rooms from 8 to 22, every day."""
    indoors = space.kind not in OUTDOORS if space.indoors is None else space.indoors
    if indoors:
        return (Hours(EVERY_DAY, time(8), time(22)),)
    return (Hours(EVERY_DAY, time(0), time(0)),)


def check(listing: Listing) -> None:
    """What the database would refuse, said with the field's name. Raises RecordBroken."""
    if not listing.external_id:
        raise RecordBroken("id", "is missing")
    if not listing.names and (listing.told is None or "names" in listing.told):
        raise RecordBroken("name", "is missing in all languages")
    if (listing.lon is None) != (listing.lat is None):
        raise RecordBroken("location", "has only one of longitude and latitude")
    check_access(listing)
    if not listing.spaces:
        raise RecordBroken("spaces", "there is nothing to book")
    ids = [unit.external_id for unit in listing.units]
    _unique("units", ids)
    units = set(ids)
    _unique("spaces", [space.external_id for space in listing.spaces])
    for unit in listing.units:
        if not 1 <= unit.lanes <= 10_000:
            raise RecordBroken("lanes", f"{unit.lanes} is not between 1 and 10000")
    for space in listing.spaces:
        if not space.names and (listing.told is None or "space.names" in listing.told):
            raise RecordBroken("name", f"space {space.external_id} has no name")
        _check_space(space, units)


def check_access(listing: Listing) -> None:
    """Facts, measures and sentences of a place. Raises RecordBroken."""
    _known("accessibility", listing.accessibility, ACCESSIBILITY)
    _known("accessibility_lacks", listing.accessibility_lacks, ACCESSIBILITY)
    _known("accessibility_measures", tuple(listing.accessibility_measures), MEASURES)
    for problem in problems(
        listing.accessibility, listing.accessibility_lacks, listing.accessibility_measures
    ):
        name = "accessibility_measures" if problem.field in MEASURES else "accessibility_lacks"
        text = problem.text % dict(problem.values) if problem.values else problem.text
        raise RecordBroken(name, f"{problem.field}: {text}")
    if reason := sentence_problem(listing.accessibility_sentences):
        raise RecordBroken("accessibility_sentences", reason)


def check_new(listing: Listing, known_spaces: Container[str] | None) -> None:
    """What is new needs a name; a table without names is only for what is known. Raises RecordBroken."""
    if known_spaces is None and not listing.names:
        raise RecordBroken("name", "is missing in all languages, and the place is new")
    for space in listing.spaces:
        if not space.names and (known_spaces is None or space.external_id not in known_spaces):
            raise RecordBroken("name", f"space {space.external_id} has no name, and it is new")


def _check_space(space: ListedSpace, units: set[str]) -> None:
    _known("kind", (space.kind,), KINDS)
    _known("purposes", space.purposes, PURPOSES)
    _known("equipment", space.equipment, EQUIPMENT)
    if not space.units or any(unit not in units for unit in space.units):
        raise RecordBroken("units", f"space {space.external_id} covers no unit, or one that is not listed")
    if space.capacity is not None and not 0 < space.capacity < 1_000_000:
        raise RecordBroken("capacity", f"{space.capacity} is no number of people")
    if space.area_m2 is not None and space.area_m2 < 0:
        raise RecordBroken("area_m2", f"{space.area_m2} is less than nothing")
    if space.state not in STATES:
        raise RecordBroken("state", f"{space.state!r} is not {', '.join(STATES[:-1])} or {STATES[-1]}")
    terms = space.terms
    if not 0 < terms.min_minutes <= terms.max_minutes:
        raise RecordBroken("duration", f"from {terms.min_minutes} to {terms.max_minutes} minutes is no range")
    if terms.interval_minutes not in INTERVALS:
        raise RecordBroken("interval", f"starts every {terms.interval_minutes} minutes are not known here")
    if min(terms.buffer_before_minutes, terms.buffer_after_minutes, terms.notice_minutes) < 0:
        raise RecordBroken("buffers", "are less than nothing")
    if terms.horizon_days <= 0 or terms.approval not in APPROVALS or terms.who not in WHO:
        raise RecordBroken("terms", "are not known here")
    _check_limits(terms)
    if space.price is not None:
        _check_price(space.price)
    check_hours(space.hours or (), space.exceptions)


def _check_limits(terms: Terms) -> None:
    """Numbers above nothing, ages of people, and no least above its most."""
    for name in (
        "max_open_per_person",
        "max_open_per_organisation",
        "quota_hours",
        "attendees_min",
        "attendees_max",
    ):
        value = getattr(terms, name)
        if value is not None and not 0 < value < 1_000_000:
            raise RecordBroken(name, f"{value} is not a number above nothing")
    for name in ("min_age", "max_age"):
        value = getattr(terms, name)
        if value is not None and not 1 <= value <= 120:
            raise RecordBroken(name, f"{value} is no age")
    if terms.quota_period not in {"week", "month"}:
        raise RecordBroken("quota_period", f"{terms.quota_period!r} is not week or month")
    for least, most in (("min_age", "max_age"), ("attendees_min", "attendees_max")):
        low, high = getattr(terms, least), getattr(terms, most)
        if low is not None and high is not None and low > high:
            raise RecordBroken(most, f"{high} is below {low}")


def check_hours(hours: tuple[Hours, ...], exceptions: tuple[Exceptional, ...]) -> None:
    """Raises RecordBroken for the field "hours" or "exceptions"."""
    for rule in hours:
        if not rule.days or not set(rule.days) <= set(EVERY_DAY):
            raise RecordBroken("hours", f"{rule.days} are no weekdays from 1 to 7")
        if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
            raise RecordBroken("hours", f"{rule.valid_from} to {rule.valid_to} is no period")
        if rule.state not in HOURS_STATES or rule.weeks not in WEEKS or not 0 <= rule.priority <= 100:
            raise RecordBroken(
                "hours", f"{rule.state}, {rule.weeks}, priority {rule.priority} are not known here"
            )
        if rule.nth is not None and (rule.nth == 0 or not -5 <= rule.nth <= 5):
            raise RecordBroken("hours", f"the {rule.nth}th weekday of a month is not from 1 to 5 or -5 to -1")
    if len(hours) > 1 and (pair := equal_periods(weekly(hours))):
        told = " and ".join(f"{one.valid_from or '…'}–{one.valid_to or '…'}" for one in pair)
        raise RecordBroken(
            "hours", f"two periods of one priority overlap ({told}), so that nothing says which decides"
        )
    for exception in exceptions:
        if exception.last_day < exception.first_day or (exception.opens is None) != (
            exception.closes is None
        ):
            raise RecordBroken("exceptions", f"{exception.first_day} to {exception.last_day} is no period")
        if exception.state not in HOURS_STATES:
            raise RecordBroken("exceptions", f"{exception.state!r} is not known here")


def weekly(hours: tuple[Hours, ...]) -> list[WeeklyHours]:
    return [
        WeeklyHours(
            frozenset(one.days), one.opens, one.closes, one.valid_from, one.valid_to,
            one.weeks, one.nth, one.state, one.priority,
        )
        for one in hours
    ]  # fmt: skip


def _check_price(price: ListedPrice) -> None:
    if price.per not in PRICE_PERS:
        raise RecordBroken("price", f"per {price.per!r} is not known here")
    if price.amount_minor < 0 or (price.per == "free" and price.amount_minor):
        raise RecordBroken("price", f"{price.amount_minor} per {price.per} is no price")


def _known(name: str, values: tuple[str, ...], words: Mapping[str, Any]) -> None:
    for value in values:
        if value not in words:
            raise RecordBroken(name, f"{value!r} is not one of the city's words")


def _unique(name: str, ids: list[str]) -> None:
    repeated = sorted({value for value in ids if ids.count(value) > 1}) if len(set(ids)) < len(ids) else []
    if repeated:
        raise RecordBroken(name, f"{repeated[0]!r} occurs twice in one place")
