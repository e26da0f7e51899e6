"""What is free for a question just now, as keys, and what was free before certain claims were given back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.timespan import Span, day_span
from spaces.calendar.queries import Held
from spaces.calendar.rules import DAY, SpaceCalendar, UnitCalendar, midnight, offers
from spaces.saved.rules import MOST_KEYS, MOST_SPACES, key_of
from spaces.search.queries import LOOK_AHEAD_DAYS, Hit, load_hits, ranked
from spaces.search.question import Question


@dataclass(frozen=True)
class Freed:
    """A claim that was given back."""

    holder_id: int
    unit_id: int
    lane: int
    part: int
    span: Span
    freed_at: datetime


@dataclass
class Seen:
    """What a look has found: the spaces with their exact calendars, and what of them is free. `is_wide` where more is
    free than a search tells of; then the rest is not known."""

    hits: dict[int, Hit] = field(default_factory=dict)
    keys: dict[int, date | None] = field(default_factory=dict)
    is_wide: bool = False


def look(
    session: Session,
    city: City,
    question: Question,
    *,
    now: datetime,
    organisation_id: int | None = None,
    space_ids: Sequence[int] = (),
) -> Seen:
    """Ask the search, of these spaces or of all. Its index rules out; the calendars of what is left decide."""
    size = len(space_ids) or MOST_SPACES
    asked = replace(question, space_ids=tuple(space_ids), page=1, page_size=size)
    row = ranked(session, city, asked, now=now)
    free = row.free if question.day is not None else row.total
    if free > size:
        return Seen(is_wide=True)
    found = [(i, is_free, distance) for i, is_free, distance in row.page or [] if is_free is not False]
    seen = Seen()
    for hit in load_hits(session, city, asked, found, now=now, organisation_id=organisation_id):
        seen.hits[hit.space.id] = hit
        for day in days_of(question):
            if spans_of(hit, question, day, city, now=now):
                seen.keys[key_of(hit.space.id, day)] = day
        if len(seen.keys) > MOST_KEYS:
            return Seen(is_wide=True)
    return seen


def days_of(question: Question) -> list[date | None]:
    """The asked days; None, once, where none was asked."""
    return list(question.days) if question.day is not None else [None]


def spans_of(
    hit: Hit,
    question: Question,
    day: date | None,
    city: City,
    *,
    now: datetime,
    calendar: SpaceCalendar | None = None,
) -> list[Span]:
    """The times of a hit that answer the question on this day, as the search offers them."""
    within = hours_of(hit, question, day, city, now=now)
    if within is None or hit.price is None:
        return []
    return offers(
        calendar or hit.calendar,
        hit.rules,
        minutes=hit.rules.fitting_minutes(question.minutes),
        within=within,
        zone=city.zone,
        now=now,
    )


def hours_of(hit: Hit, question: Question, day: date | None, city: City, *, now: datetime) -> Span | None:
    """Within which a booking of this hit on the asked day must lie; None on a day that has passed."""
    today = now.astimezone(city.zone).date()
    if day is None:
        return Span(
            midnight(today, city.zone), midnight(today + timedelta(days=LOOK_AHEAD_DAYS) + DAY, city.zone)
        )
    if day < today:
        return None
    asked = replace(question, day=day).window(city.zone)
    return day_span(day, city.zone) if asked and hit.rules.whole_days else asked


def in_the_way(
    hit: Hit, question: Question, day: date | None, city: City, freed: Iterable[Freed], *, now: datetime
) -> list[Freed]:
    """Those of these claims, all of the hit's own units, that could keep it from being booked on the asked day."""
    within = hours_of(hit, question, day, city, now=now)
    if within is None:
        return []
    around = within.widened(hit.rules.before, hit.rules.after)
    return [claim for claim in freed if claim.span.overlaps(around)]


def as_before(
    calendar: SpaceCalendar, freed: Iterable[Freed], *, stood: Iterable[Held] | None = None
) -> SpaceCalendar:
    """The calendar as if these claims still stood, beside what stands now or, where it is known, what `stood` then."""
    units: Mapping[int, UnitCalendar] = {
        unit.unit_id: UnitCalendar(unit.unit_id, unit.lane_count, dict(unit.lanes) if stood is None else {})
        for unit in calendar.units
    }
    standing: list[Freed | Held] = [*freed, *(stood or ())]
    for claim in standing:
        if claim.unit_id in units:
            units[claim.unit_id].add(claim.lane, [(claim.part, claim.span)])
    return SpaceCalendar(calendar.space_id, calendar.open, list(units.values()))
