"""Reads of the calendar: what is open and taken of some spaces in a window of time."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Date

from marketplace.timespan import Span, SpanSet, local_days
from spaces.calendar.models import MAX_LANES
from spaces.calendar.rules import BookingRules, Lane, SpaceCalendar, UnitCalendar
from spaces.catalog.models import Space

UNITS = text("""
    SELECT su.space_id, su.unit_id, u.lanes
    FROM space_unit su JOIN unit u ON u.city_id = su.city_id AND u.id = su.unit_id
    WHERE su.city_id = :city_id AND su.space_id = ANY(:space_ids)
    ORDER BY su.space_id, su.unit_id
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)))

OPEN = text("""
    SELECT o.space_id, lower(span), upper(span)
    FROM opening_month o, unnest(o.open * tstzmultirange(tstzrange(:start, :end))) span
    WHERE o.city_id = :city_id AND o.month = ANY(:months) AND o.space_id = ANY(:space_ids)
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)), bindparam("months", type_=ARRAY(Date)))

# The first expression of the exclusion constraint, to the letter, so that its index serves.
UNIT_AND_LANE = "int8range(unit_id * 65536 + lane, unit_id * 65536 + lane, '[]')"

# One probe of the exclusion constraint's own index for each unit.
TAKEN = text(f"""
    SELECT unit_id, c.lane, c.part, c.starts, c.ends
    FROM unnest(:unit_ids) AS wanted(unit_id), LATERAL (
        SELECT lane, part, lower(during) AS starts, upper(during) AS ends
        FROM claim
        WHERE {UNIT_AND_LANE}
              && int8range(wanted.unit_id * {MAX_LANES}, wanted.unit_id * {MAX_LANES} + {MAX_LANES - 1}, '[]')
          AND during && tstzrange(:start, :end)
        OFFSET 0
    ) c
""").bindparams(bindparam("unit_ids", type_=ARRAY(BigInteger)))


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


def calendars_of(
    session: Session, city_id: int, space_ids: Sequence[int], window: Span, zone: ZoneInfo
) -> dict[int, SpaceCalendar]:
    """The calendars of these spaces, exact within `window` (openings are cut at its edges; claims are whole)."""
    found = {space_id: SpaceCalendar(space_id) for space_id in space_ids}
    if not found:
        return found
    units: dict[int, UnitCalendar] = {}
    for space_id, unit_id, lanes in session.execute(UNITS, {"city_id": city_id, "space_ids": list(found)}):
        unit = units.setdefault(unit_id, UnitCalendar(unit_id, lanes))
        found[space_id].units.append(unit)
    # An opening that passes midnight belongs to the month it begins in, so the day before counts too.
    months = sorted({day.replace(day=1) for day in local_days(window.widened(timedelta(days=2)), zone)})
    opened: dict[int, list[Span]] = {}
    values = {
        "city_id": city_id,
        "space_ids": list(found),
        "months": months,
        "start": window.start,
        "end": window.end,
    }
    for space_id, start, end in session.execute(OPEN, values):
        opened.setdefault(space_id, []).append(Span(start, end))
    for space_id, spans in opened.items():
        found[space_id].open = SpanSet(spans)
    fill_units(session, units, window)
    return found


def fill_units(session: Session, units: dict[int, UnitCalendar], window: Span) -> None:
    """Add the claims that meet `window` to these units."""
    bodies: dict[tuple[int, int], list[Span]] = {}
    buffers: dict[tuple[int, int], list[Span]] = {}
    values = {"unit_ids": list(units), "start": window.start, "end": window.end}
    for unit_id, lane, part, start, end in session.execute(TAKEN, values):
        (bodies if part == 0 else buffers).setdefault((unit_id, lane), []).append(Span(start, end))
    for unit_id, lane in bodies.keys() | buffers.keys():
        key = unit_id, lane
        units[unit_id].lanes[lane] = Lane(SpanSet(bodies.get(key, ())), SpanSet(buffers.get(key, ())))


def calendar_of(session: Session, city_id: int, space_id: int, window: Span, zone: ZoneInfo) -> SpaceCalendar:
    """One space's calendar within `window`."""
    return calendars_of(session, city_id, [space_id], window, zone)[space_id]
