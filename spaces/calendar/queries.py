"""Reads of the calendar: what is open and taken of some spaces in a window of time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, column, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Date

from marketplace.cities.models import City
from marketplace.db import Localised, span_of
from marketplace.timespan import Span, SpanSet, local_days
from spaces.calendar.hours import NotedException, SpaceHours
from spaces.calendar.models import MAX_LANES, Closure, OpeningException, OpeningRule
from spaces.calendar.public_holidays import holidays_between
from spaces.calendar.rules import (
    DAY,
    BookingRules,
    ExceptionHours,
    Lane,
    SpaceCalendar,
    Taking,
    UnitCalendar,
    WeeklyHours,
    midnight,
)
from spaces.catalog.models import Space

UNITS = text("""
    SELECT su.space_id, su.unit_id, u.lanes
    FROM space_unit su JOIN unit u ON u.city_id = su.city_id AND u.id = su.unit_id
    WHERE su.city_id = :city_id AND su.space_id = ANY(:space_ids)
    ORDER BY su.space_id, su.unit_id
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)))

# The first expression of the exclusion constraint, to the letter, so that its index serves.
UNIT_AND_LANE = "int8range(unit_id * 65536 + lane, unit_id * 65536 + lane, '[]')"


def lanes_of(unit_id: str) -> str:
    """The range of all lanes of a unit, named by its column, to be compared with `UNIT_AND_LANE`."""
    return f"int8range({unit_id} * {MAX_LANES}, {unit_id} * {MAX_LANES} + {MAX_LANES - 1}, '[]')"


# Who has what of `wanted` units in a window: one probe of the exclusion constraint's own index for each unit.
CLAIMS = f"""LATERAL (
        SELECT holder_id, lane, part, lower(during) AS starts, upper(during) AS ends
        FROM claim
        WHERE {UNIT_AND_LANE}
              && {lanes_of("wanted.unit_id")}
          AND during && tstzrange(:start, :end)
        OFFSET 0
    ) c"""
TAKEN = text(f"""
    SELECT unit_id, c.holder_id, c.lane, c.part, c.starts, c.ends
    FROM unnest(:unit_ids) AS wanted(unit_id), {CLAIMS}
""").bindparams(bindparam("unit_ids", type_=ARRAY(BigInteger)))


# All that makes the calendars of some spaces, in one statement: the units that they cover, when they are open, and who has
# what of these units and of `unit_ids`. A row is (kind, id of
# the space or the holder, unit, lane or number of lanes, part, start, end).
CALENDARS = (
    text(f"""
    WITH part AS MATERIALIZED (
        SELECT su.space_id, su.unit_id, u.lanes
        FROM space_unit su JOIN unit u ON u.city_id = su.city_id AND u.id = su.unit_id
        WHERE su.city_id = :city_id AND su.space_id = ANY(:space_ids)
    )
    SELECT 'unit', space_id, unit_id, lanes, NULL::int, NULL::timestamptz, NULL::timestamptz FROM part
    UNION ALL
    SELECT 'open', o.space_id, NULL, NULL, NULL, lower(span), upper(span)
    FROM opening_month o, unnest(o.open * tstzmultirange(tstzrange(:start, :end))) span
    WHERE o.city_id = :city_id AND o.month = ANY(:months) AND o.space_id = ANY(:space_ids)
    UNION ALL
    SELECT 'claim', c.holder_id, wanted.unit_id, c.lane, c.part, c.starts, c.ends
    FROM (SELECT unit_id FROM part UNION SELECT unnest(:unit_ids)) wanted, {CLAIMS}
""")
    .bindparams(
        bindparam("space_ids", type_=ARRAY(BigInteger)),
        bindparam("unit_ids", type_=ARRAY(BigInteger)),
        bindparam("months", type_=ARRAY(Date)),
    )
    # Named, so that SQLAlchemy need not find out anew each time what comes back.
    .columns(*(column(name) for name in ("kind", "id", "unit_id", "lane", "part", "starts", "ends")))
)


def booking_rules(space: Space) -> BookingRules:
    """The space's own rules as plain values."""
    return BookingRules(
        min_minutes=space.min_minutes,
        max_minutes=space.max_minutes,
        interval_minutes=space.interval_minutes,
        whole_days=space.whole_days,
        buffer_before_minutes=space.buffer_before_minutes,
        buffer_after_minutes=space.buffer_after_minutes,
        notice_minutes=space.notice_minutes,
        horizon_days=space.horizon_days,
    )


class Held(NamedTuple):
    """A claim as it stands."""

    holder_id: int
    unit_id: int
    lane: int
    part: int
    span: Span


def calendars_of(
    session: Session,
    city_id: int,
    space_ids: Sequence[int],
    window: Span,
    zone: ZoneInfo,
    *,
    but: Collection[int] | int | None = None,
    units: dict[int, UnitCalendar] | None = None,
) -> dict[int, SpaceCalendar]:
    """The calendars of these spaces, exact within `window` (openings are cut at its edges; claims are whole), without
    what the holder `but`, or several, have.

    `units` are units by id to be filled as well, and shared with the calendars that have them; others are added.
    """
    units = {} if units is None else units
    found = {space_id: SpaceCalendar(space_id) for space_id in space_ids}
    if not found and not units:
        return found
    # An opening that passes midnight belongs to the month it begins in, so the day before counts too.
    months = sorted({day.replace(day=1) for day in local_days(window.widened(timedelta(days=2)), zone)})
    values = {
        "city_id": city_id,
        "space_ids": list(found),
        "unit_ids": list(units),
        "months": months,
        "start": window.start,
        "end": window.end,
    }
    parts: list[tuple[int, int]] = []
    opened: dict[int, list[Span]] = {}
    claims: list[Held] = []
    for kind, id_, unit_id, lane, part, start, end in session.execute(CALENDARS, values):
        if kind == "claim":
            claims.append(Held(id_, unit_id, lane, part, Span(start, end)))
        elif kind == "open":
            opened.setdefault(id_, []).append(Span(start, end))
        else:
            parts.append((id_, unit_id))
            units.setdefault(unit_id, UnitCalendar(unit_id, lane))
    for space_id, unit_id in sorted(parts):
        found[space_id].units.append(units[unit_id])
    for space_id, spans in opened.items():
        found[space_id].open = SpanSet(spans)
    fill_units(units, claims, but=but)
    return found


def claims_in(session: Session, unit_ids: Sequence[int], window: Span) -> list[Held]:
    """The claims on these units that meet `window`, each whole."""
    values = {"unit_ids": list(unit_ids), "start": window.start, "end": window.end}
    return [
        Held(holder_id, unit_id, lane, part, Span(start, end))
        for unit_id, holder_id, lane, part, start, end in session.execute(TAKEN, values)
    ]


def fill_units(
    units: Mapping[int, UnitCalendar], claims: Iterable[Held], *, but: Collection[int] | int | None = None
) -> None:
    """Add these claims on the units to them, but for those of one holder or several."""
    unseen = {but} if isinstance(but, int) else set(but or ())
    bodies: dict[tuple[int, int], list[Span]] = {}
    buffers: dict[tuple[int, int], list[Span]] = {}
    for claim in claims:
        if claim.holder_id in unseen:
            continue
        (bodies if claim.part == 0 else buffers).setdefault((claim.unit_id, claim.lane), []).append(
            claim.span
        )
    for unit_id, lane in bodies.keys() | buffers.keys():
        key = unit_id, lane
        units[unit_id].lanes[lane] = Lane(SpanSet(bodies.get(key, ())), SpanSet(buffers.get(key, ())))


def calendar_of(
    session: Session, city_id: int, space_id: int, window: Span, zone: ZoneInfo, *, but: int | None = None
) -> SpaceCalendar:
    """One space's calendar within `window`, without what the holder `but` has."""
    return calendars_of(session, city_id, [space_id], window, zone, but=but)[space_id]


def weekly_hours(rule: OpeningRule) -> WeeklyHours:
    """A row as a plain value."""
    return WeeklyHours(
        frozenset(rule.days),
        rule.opens,
        rule.closes,
        rule.valid_from,
        rule.valid_to,
        rule.weeks,
        rule.nth,
        rule.state,
        rule.priority,
    )


def exception_hours(row: OpeningException) -> ExceptionHours:
    return ExceptionHours(row.first_day, row.last_day, row.opens, row.closes, row.state)


def hours_of(session: Session, space: Space, *, from_day: date) -> SpaceHours:
    """The space's hours as written; of the exceptions those that are not over before `from_day`, the next one first."""
    rules = session.scalars(
        select(OpeningRule)
        .where(OpeningRule.city_id == space.city_id, OpeningRule.space_id == space.id)
        .order_by(OpeningRule.priority, OpeningRule.valid_from.nulls_first(), OpeningRule.id)
    )
    exceptions = session.scalars(
        select(OpeningException)
        .where(
            OpeningException.city_id == space.city_id,
            OpeningException.space_id == space.id,
            OpeningException.last_day >= from_day,
        )
        .order_by(OpeningException.first_day, OpeningException.id)
    )
    return SpaceHours(
        tuple(weekly_hours(rule) for rule in rules),
        tuple(NotedException(exception_hours(row), row.reasons) for row in exceptions),
        space.holiday_rule,
    )


@dataclass(frozen=True)
class Closing:
    """One closing as its owner asked for it, with the stretches that it takes."""

    id: int
    during: Span
    reasons: Localised
    stretches: list[Span]


def closings_of(session: Session, city_id: int, space_id: int, *, after: datetime) -> list[Closing]:
    """The space's closings that are not over, the next one first."""
    rows = session.scalars(
        select(Closure)
        .where(Closure.city_id == city_id, Closure.space_id == space_id, func.upper(Closure.during) > after)
        .order_by(Closure.id)
    )
    found: dict[int, list[Closure]] = {}
    for row in rows:
        found.setdefault(row.closing_id or row.id, []).append(row)
    closings = []
    for closing_id, parts in found.items():
        stretches = list(SpanSet(span_of(part.during) for part in parts))
        whole = Span(stretches[0].start, stretches[-1].end)
        closings.append(Closing(closing_id, whole, parts[0].reasons, stretches))
    return sorted(closings, key=lambda closing: closing.during)


BODIES = text(f"""
    SELECT c.holder_id, c.unit_id, c.lane, c.starts, c.ends
    FROM space_unit su, LATERAL (
        SELECT holder_id, unit_id, lane, lower(during) AS starts, upper(during) AS ends
        FROM claim
        WHERE {UNIT_AND_LANE} && {lanes_of("su.unit_id")}
          AND during && tstzrange(:start, :end) AND part = 0
        OFFSET 0
    ) c
    WHERE su.city_id = :city_id AND su.space_id = :space_id
    ORDER BY c.starts, c.holder_id, c.unit_id, c.lane
""")


def takings(session: Session, city_id: int, space_id: int, within: Span) -> list[Taking]:
    """What is taken of the space's units in this time, by whatever holder, buffers aside; the first one first."""
    values = {"city_id": city_id, "space_id": space_id, "start": within.start, "end": within.end}
    return [
        Taking(holder_id, unit_id, lane, Span(start, end))
        for holder_id, unit_id, lane, start, end in session.execute(BODIES, values)
    ]


def public_reasons(session: Session, city: City, space: Space, days: Iterable[date]) -> dict[date, Localised]:
    """What the public is told about these days: the holiday on which the space is closed, the reason of an exception to
    the hours, the reason of a closing; the last of them that there is."""
    wanted = sorted(days)
    if not wanted:
        return {}
    window = Span(midnight(wanted[0], city.zone), midnight(wanted[-1] + DAY, city.zone))
    exceptions = session.execute(
        select(OpeningException.first_day, OpeningException.last_day, OpeningException.reasons)
        .where(
            OpeningException.city_id == city.id,
            OpeningException.space_id == space.id,
            OpeningException.first_day <= wanted[-1],
            OpeningException.last_day >= wanted[0],
        )
        # The shortest decides, so it speaks last.
        .order_by((OpeningException.last_day - OpeningException.first_day).desc(), OpeningException.id)
    ).all()
    closures = session.execute(
        select(Closure.during, Closure.reasons).where(
            Closure.city_id == city.id,
            Closure.space_id == space.id,
            Closure.during.op("&&")(func.tstzrange(window.start, window.end)),
        )
    ).all()
    found: dict[date, Localised] = {}
    if space.holiday_rule == "closed":
        for language in city.languages:
            for day, name in holidays_between(city.country, wanted[0], wanted[-1], language).items():
                found.setdefault(day, {})[language] = name
    for first_day, last_day, reasons in exceptions:
        # An exception without a reason still replaces the holiday.
        found.update({day: reasons for day in wanted if first_day <= day <= last_day})
    for during, reasons in closures:
        closed = set(local_days(span_of(during), city.zone))
        found.update({day: reasons for day in wanted if day in closed and any(reasons.values())})
    return {day: reasons for day, reasons in found.items() if any(reasons.values())}
