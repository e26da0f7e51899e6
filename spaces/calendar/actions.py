"""The calendar's only writers: claims, and openings compiled from rules.

Locks are taken per unit in the order of ids before a claim is tried, so that many who want one slot queue on a row and
not inside the exclusion index. The constraint still decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from psycopg.errors import ExclusionViolation
from psycopg.types.range import TimestamptzRange
from sqlalchemy import bindparam, delete, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.types import TEXT, BigInteger, Date, Integer

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import span_of
from marketplace.timespan import Span, SpanSet
from spaces.calendar import sheets
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim, OpeningException, OpeningRule
from spaces.calendar.queries import fill_units
from spaces.calendar.rules import (
    BookingRules,
    ExceptionHours,
    UnitCalendar,
    WeeklyHours,
    compile_opening,
)
from spaces.catalog.models import Space

# How far ahead openings are compiled at least; a space with a longer horizon of its own gets that.
HORIZON_DAYS = 400
CHUNK = 500

LOCK_UNITS = text("""
    SELECT u.id, u.lanes FROM unit u
    WHERE u.city_id = :city_id
      AND u.id IN (SELECT unit_id FROM space_unit WHERE city_id = :city_id AND space_id = ANY(:space_ids))
    ORDER BY u.id FOR NO KEY UPDATE
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)))

# Hours that many spaces share are sent and read once.
SET_OPENINGS = text("""
    WITH hours AS MATERIALIZED (
        SELECT key, month, spans::tstzmultirange AS open FROM unnest(:keys, :months, :spans) AS h(key, month, spans)
    )
    INSERT INTO opening_month (city_id, month, space_id, open)
    SELECT :city_id, hours.month, s.space_id, hours.open
    FROM unnest(:space_ids, :space_keys) AS s(space_id, key) JOIN hours ON hours.key = s.key
    ON CONFLICT (city_id, month, space_id) DO UPDATE SET open = excluded.open
    WHERE opening_month.open IS DISTINCT FROM excluded.open
    RETURNING space_id, month
""").bindparams(
    bindparam("keys", type_=ARRAY(Integer)),
    bindparam("months", type_=ARRAY(Date)),
    bindparam("spans", type_=ARRAY(TEXT)),
    bindparam("space_ids", type_=ARRAY(BigInteger)),
    bindparam("space_keys", type_=ARRAY(Integer)),
)


@dataclass(frozen=True)
class Hours:
    """The compiled hours of the spaces that share the same rules: spans by month, and all of them."""

    key: int
    by_month: Mapping[date, list[Span]]
    all: SpanSet


def claim_space(
    session: Session, city: City, space_id: int, *, holder_id: int, body: Span, rules: BookingRules
) -> None:
    """Take every unit of the space for `holder_id` during `body`, with the rules' buffers around it.

    Raises SlotTaken, leaving the transaction usable, when any of it is taken.
    """
    units = {
        unit_id: UnitCalendar(unit_id, lanes)
        for unit_id, lanes in session.execute(LOCK_UNITS, {"city_id": city.id, "space_ids": [space_id]})
    }
    whole = body.widened(rules.before, rules.after)
    fill_units(session, units, whole)
    rows = []
    for unit in units.values():
        lane = unit.lane_for(body, rules.before, rules.after)
        if lane is None:
            raise SlotTaken
        parts = [(0, body)]
        if rules.before:
            parts.append((1, Span(whole.start, body.start)))
        if rules.after:
            parts.append((2, Span(body.end, whole.end)))
        rows += [
            {
                "city_id": city.id,
                "holder_id": holder_id,
                "unit_id": unit.unit_id,
                "part": part,
                "lane": lane,
                "during": TimestamptzRange(span.start, span.end),
            }
            for part, span in parts
        ]
    if not rows:
        raise SlotTaken
    try:
        with session.begin_nested():
            session.execute(insert(Claim), rows)
    except IntegrityError as error:
        if (
            isinstance(error.orig, ExclusionViolation)
            and error.orig.diag.constraint_name == "claim_no_overlap"
        ):
            raise SlotTaken from error
        raise
    sheets.refresh_days(session, city.id, list(units), whole, city.zone)


def release_claims(session: Session, city: City, *, holder_id: int) -> None:
    """Give back all that the holder has. Harmless when it has nothing."""
    taken = session.execute(
        select(Claim.unit_id, Claim.during).where(Claim.city_id == city.id, Claim.holder_id == holder_id)
    ).all()
    if not taken:
        return
    unit_ids = sorted({unit_id for unit_id, _ in taken})
    session.execute(
        text(
            "SELECT id FROM unit WHERE city_id = :city_id AND id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE"
        ).bindparams(bindparam("ids", type_=ARRAY(BigInteger))),
        {"city_id": city.id, "ids": unit_ids},
    )
    session.execute(delete(Claim).where(Claim.city_id == city.id, Claim.holder_id == holder_id))
    for span in SpanSet(span_of(during) for _, during in taken):
        sheets.refresh_days(session, city.id, unit_ids, span, city.zone)


def compile_spaces(
    session: Session,
    city: City,
    space_ids: Iterable[int],
    *,
    first: date | None = None,
    last: date | None = None,
) -> int:
    """Compile the openings of these spaces from the first of this month to the horizon's end; returns how many months
    changed. Only what differs is written, and sheets follow where an opening changed or a month is new."""
    today = now().astimezone(city.zone).date()
    first = (first or today).replace(day=1)
    changed_months = 0
    ids = sorted(set(space_ids))
    for at in range(0, len(ids), CHUNK):
        changed_months += _compile_chunk(
            session, city, ids[at : at + CHUNK], first=first, last=last, today=today
        )
    return changed_months


def _compile_chunk(
    session: Session, city: City, space_ids: Sequence[int], *, first: date, last: date | None, today: date
) -> int:
    horizons: dict[int, int] = {
        space_id: days
        for space_id, days in session.execute(
            select(Space.id, Space.horizon_days).where(Space.city_id == city.id, Space.id.in_(space_ids))
        )
    }
    weekly: dict[int, list[WeeklyHours]] = {}
    for rule in session.scalars(
        select(OpeningRule)
        .where(OpeningRule.city_id == city.id, OpeningRule.space_id.in_(space_ids))
        .order_by(OpeningRule.id)
    ):
        weekly.setdefault(rule.space_id, []).append(
            WeeklyHours(frozenset(rule.days), rule.opens, rule.closes, rule.valid_from, rule.valid_to)
        )
    exceptions: dict[int, list[ExceptionHours]] = {}
    for row in session.scalars(
        select(OpeningException).where(
            OpeningException.city_id == city.id, OpeningException.space_id.in_(space_ids)
        )
    ):
        exceptions.setdefault(row.space_id, []).append(
            ExceptionHours(row.first_day, row.last_day, row.opens, row.closes)
        )
    compiled: dict[tuple[object, ...], Hours] = {}
    of_space: dict[int, Hours] = {}
    for space_id, horizon in horizons.items():
        end = last or month_end(today + timedelta(days=max(horizon, HORIZON_DAYS)))
        rules, closings = tuple(weekly.get(space_id, ())), tuple(exceptions.get(space_id, ()))
        key = (rules, closings, end)
        if key not in compiled:
            by_month = compile_opening(rules, closings, first=first, last=end, zone=city.zone)
            spans = SpanSet(span for found in by_month.values() for span in found)
            compiled[key] = Hours(len(compiled), by_month, spans)
        of_space[space_id] = compiled[key]
    rows = [
        (hours.key, month, multirange(spans))
        for hours in compiled.values()
        for month, spans in hours.by_month.items()
    ]
    changed = session.execute(
        SET_OPENINGS,
        {
            "city_id": city.id,
            "keys": [row[0] for row in rows],
            "months": [row[1] for row in rows],
            "spans": [row[2] for row in rows],
            "space_ids": list(of_space),
            "space_keys": [hours.key for hours in of_space.values()],
        },
    ).all()
    _refresh_changed(session, city, of_space, {space_id for space_id, _ in changed})
    return len(changed)


def _refresh_changed(session: Session, city: City, of_space: Mapping[int, Hours], changed: set[int]) -> None:
    """Sheets of the spaces whose hours changed. Those without claims share the words of their hours, but for the first
    month: an opening of the evening before it may pass midnight, and only the database knows that one."""
    if not changed:
        return
    months = sorted({month for space_id in changed for month in of_space[space_id].by_month})
    busy = sheets.claimed_spaces(session, city.id, sorted(changed), months, city.zone)
    sharing: dict[int, list[int]] = {}
    alone: dict[tuple[date, ...], list[int]] = {}
    for space_id in sorted(changed):
        hours = of_space[space_id]
        ordered = sorted(hours.by_month)
        if space_id not in busy:
            sharing.setdefault(hours.key, []).append(space_id)
        alone.setdefault(tuple(ordered if space_id in busy else ordered[:1]), []).append(space_id)
    for space_ids in sharing.values():
        hours = of_space[space_ids[0]]
        later = sorted(hours.by_month)[1:]
        sheets.share_months(session, city.id, space_ids, later, free=hours.all, zone=city.zone)
    for some_months, space_ids in alone.items():
        sheets.refresh_months(session, city.id, space_ids, some_months, city.zone)


def month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def multirange(spans: Sequence[Span]) -> str:
    """PostgreSQL's text form of a tstzmultirange."""
    return "{" + ",".join(f"[{s.start.isoformat()},{s.end.isoformat()})" for s in SpanSet(spans)) + "}"
