"""The calendar's only writers: claims, and openings compiled from rules.

Locks are taken per unit in the order of ids before a claim is tried, so that many who want one slot queue on a row and
not inside the exclusion index. The constraint still decides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta

from psycopg.errors import ExclusionViolation
from psycopg.types.range import TimestamptzRange
from sqlalchemy import bindparam, column, insert, select, text
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
from spaces.calendar.freed_actions import give_back
from spaces.calendar.lanes import most_at_once
from spaces.calendar.models import Claim, OpeningException, OpeningRule
from spaces.calendar.piece_actions import claim_pieces, pieces_held
from spaces.calendar.public_holidays import kept_holidays
from spaces.calendar.queries import TAKEN, UNITS, calendars_of, exception_hours, weekly_hours
from spaces.calendar.rules import (
    BookingRules,
    ExceptionHours,
    Lane,
    UnitCalendar,
    WeeklyHours,
    compile_hours,
)
from spaces.catalog.models import Space, SpaceUnit

# How far ahead openings are compiled at least; a space with a longer horizon of its own gets that.
HORIZON_DAYS = 400
CHUNK = 500

# The ids are gathered first: with an OR in their place every unit of the city would be looked at.
LOCK_UNITS = (
    text("""
    SELECT u.id, u.lanes FROM unit u
    WHERE u.city_id = :city_id AND u.id = ANY(ARRAY(
        SELECT unit_id FROM space_unit WHERE city_id = :city_id AND space_id = ANY(:space_ids)
        UNION ALL SELECT unnest(:piece_ids)))
    ORDER BY u.id FOR NO KEY UPDATE
""")
    .bindparams(
        bindparam("space_ids", type_=ARRAY(BigInteger)), bindparam("piece_ids", type_=ARRAY(BigInteger))
    )
    .columns(column("id"), column("lanes"))
)

LOCK_SOME_UNITS = text("""
    SELECT u.id, u.lanes FROM unit u WHERE u.city_id = :city_id AND u.id = ANY(:ids) ORDER BY u.id FOR NO KEY UPDATE
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))

# Hours that many spaces share are sent and read once.
SET_OPENINGS = text("""
    WITH hours AS MATERIALIZED (
        SELECT key, month, spans::tstzmultirange AS open, others::tstzmultirange AS staff
        FROM unnest(:keys, :months, :spans, :others) AS h(key, month, spans, others)
    )
    INSERT INTO opening_month (city_id, month, space_id, open, staff)
    SELECT :city_id, hours.month, s.space_id, hours.open, hours.staff
    FROM unnest(:space_ids, :space_keys) AS s(space_id, key) JOIN hours ON hours.key = s.key
    ON CONFLICT (city_id, month, space_id) DO UPDATE SET open = excluded.open, staff = excluded.staff
    WHERE (opening_month.open, opening_month.staff) IS DISTINCT FROM (excluded.open, excluded.staff)
    RETURNING space_id, month
""").bindparams(
    bindparam("keys", type_=ARRAY(Integer)),
    bindparam("months", type_=ARRAY(Date)),
    bindparam("spans", type_=ARRAY(TEXT)),
    bindparam("others", type_=ARRAY(TEXT)),
    bindparam("space_ids", type_=ARRAY(BigInteger)),
    bindparam("space_keys", type_=ARRAY(Integer)),
)


INSERT_CLAIMS = insert(Claim.__table__).inline()  # type: ignore[arg-type]  # a table, whatever its class says


@dataclass(frozen=True)
class Hours:
    """The compiled hours of the spaces that share the same rules: spans by month, and all of them."""

    key: int
    by_month: Mapping[date, list[Span]]
    staff: Mapping[date, list[Span]]
    all: SpanSet


def lock_units(session: Session, city_id: int, unit_ids: Iterable[int]) -> dict[int, int]:
    """Lock these units in the order of their ids, before anything of their calendars is written; returns their lanes."""
    rows = session.execute(LOCK_SOME_UNITS, {"city_id": city_id, "ids": sorted(unit_ids)})
    return {unit_id: lanes for unit_id, lanes in rows}


@contextmanager
def taken_where_claims_meet() -> Iterator[None]:
    """SlotTaken in place of the database's word that two claims of one lane meet."""
    try:
        yield
    except IntegrityError as error:
        if (
            isinstance(error.orig, ExclusionViolation)
            and error.orig.diag.constraint_name == "claim_no_overlap"
        ):
            raise SlotTaken from error
        raise


def claim_space(
    session: Session,
    city: City,
    space_id: int,
    *,
    holder_id: int,
    body: Span,
    rules: BookingRules,
    pieces: Mapping[int, int] | None = None,
    in_savepoint: bool = False,
) -> None:
    """Take every unit of the space for `holder_id` during `body`, with the rules' buffers around it, and so many
    `pieces` of each unit of equipment (by its id) for `body` alone: equipment is handed over at the door.

    Raises SlotTaken when any of the space is taken, PiecesTaken when not enough of the equipment is free; then nothing
    is taken and the transaction is usable. With `in_savepoint` the caller goes back to a savepoint of its own then.
    """
    wanted = pieces or {}
    asked = {"city_id": city.id, "space_ids": [space_id], "piece_ids": list(wanted)}
    locked: dict[int, int] = dict(session.execute(LOCK_UNITS, asked).all())
    stocks = {unit_id: lanes for unit_id, lanes in locked.items() if unit_id in wanted}
    units = {
        unit_id: UnitCalendar(unit_id, lanes) for unit_id, lanes in locked.items() if unit_id not in wanted
    }
    if not units:
        raise SlotTaken
    whole = body.widened(rules.before, rules.after)
    sheets_locked = sheets.lock_days(session, city.id, list(units), [whole], city.zone)
    sharing = sorted({id_ for id_, _ in sheets_locked})
    calendars = calendars_of(
        session, city.id, sharing, sheets.days_around(whole, city.zone), city.zone, units=dict(units)
    )
    parts = claim_parts(body, rules)
    rows = []
    for unit in units.values():
        lane = unit.within(whole).lane_for(body, rules.before, rules.after)
        if lane is None:
            raise SlotTaken
        unit.add(lane, parts)
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
    with taken_where_claims_meet(), nullcontext() if in_savepoint else session.begin_nested():
        # One row, as most are, is sent the short way.
        session.execute(INSERT_CLAIMS, rows if len(rows) > 1 else rows[0])
        if wanted:
            claim_pieces(session, city, wanted, stocks, holder_id=holder_id, body=body)
    sheets.write_days(session, city.id, calendars, sheets_locked, changed=whole, zone=city.zone)


def add_pieces(
    session: Session, city: City, pieces: Mapping[int, int], *, holder_id: int, body: Span
) -> None:
    """Give a holder that has its space already so many pieces of each unit of equipment. Raises PiecesTaken."""
    if not pieces:
        return
    held = session.scalars(
        select(Claim.unit_id).where(Claim.city_id == city.id, Claim.holder_id == holder_id)
    ).all()
    with session.begin_nested():
        locked = lock_units(session, city.id, {*held, *pieces})
        stocks = {unit_id: lanes for unit_id, lanes in locked.items() if unit_id in pieces}
        claim_pieces(session, city, pieces, stocks, holder_id=holder_id, body=body)


def lock_for_claims(session: Session, city: City, space_ids: Sequence[int], span: Span) -> None:
    """Lock the units and then the sheets of all of these spaces in one order, before several are claimed for this time,
    buffers included, in one transaction."""
    unit_ids = [
        unit_id
        for unit_id, _ in session.execute(
            LOCK_UNITS, {"city_id": city.id, "space_ids": list(space_ids), "piece_ids": []}
        )
    ]
    sheets.lock_days(session, city.id, unit_ids, [span], city.zone)


def lock_held(session: Session, city: City, holder_ids: Sequence[int]) -> None:
    """Lock the units and then the sheets of all that these holders have, before it is given back one after the other."""
    held = held_by(session, city.id, holder_ids)
    if held:
        unit_ids = sorted({claim.unit_id for claim in held})
        lock_units(session, city.id, unit_ids)
        sheets.lock_days(session, city.id, unit_ids, [claim.span for claim in held], city.zone)


def release_claims(session: Session, city: City, *, holder_id: int) -> None:
    """Give back all that the holder has. Harmless when it has nothing."""
    taken = session.execute(
        select(Claim.unit_id, Claim.during).where(Claim.city_id == city.id, Claim.holder_id == holder_id)
    ).all()
    if not taken:
        return
    unit_ids = sorted({unit_id for unit_id, _ in taken})
    lock_units(session, city.id, unit_ids)
    give_back(session, city.id, [holder_id])
    for span in SpanSet(span_of(during) for _, during in taken):
        sheets.refresh_days(session, city.id, unit_ids, span, city.zone)


def move_claims(
    session: Session,
    city: City,
    space_id: int,
    *,
    holder_id: int,
    body: Span,
    rules: BookingRules,
    to: int | None = None,
) -> None:
    """Let the holder, or `to` in its place, have the space during `body` instead of all that it has, with as many pieces
    of equipment as before. Raises SlotTaken, PiecesTaken, and then it keeps what it has.

    The sheets of both times are locked before any is written: of two moves that cross, each would else wait for the other.
    """
    held = session.execute(
        select(Claim.unit_id, Claim.during).where(Claim.city_id == city.id, Claim.holder_id == holder_id)
    ).all()
    pieces = pieces_held(session, city.id, holder_id)
    with session.begin_nested():
        unit_ids = {unit_id for unit_id, _ in held} | set(
            session.scalars(
                select(SpaceUnit.unit_id).where(SpaceUnit.city_id == city.id, SpaceUnit.space_id == space_id)
            )
        )
        lock_units(session, city.id, unit_ids)
        spans = [*(span_of(during) for _, during in held), body.widened(rules.before, rules.after)]
        sheets.lock_days(session, city.id, sorted(unit_ids), spans, city.zone)
        release_claims(session, city, holder_id=holder_id)
        claim_space(session, city, space_id, holder_id=to or holder_id, body=body, rules=rules, pieces=pieces)


def hand_over(
    session: Session, city: City, *, holder_id: int, to: int, body: Span, rules: BookingRules
) -> None:
    """Let `to` have during `body` what `holder_id` has for longer, lane for lane, and give the rest back; both may be
    the same. Harmless when it has nothing. It cannot fail: nothing is taken that the holder did not have."""
    unit_ids = {claim.unit_id for claim in held_by(session, city.id, [holder_id])}
    if not unit_ids:
        return
    with session.begin_nested():
        lock_units(session, city.id, unit_ids)
        held = held_by(session, city.id, [holder_id])
        spans = [claim.span for claim in held]
        sheets.lock_days(session, city.id, sorted(unit_ids), spans, city.zone)
        equipment = pieces_held(session, city.id, holder_id)
        wholes: dict[tuple[int, int], SpanSet] = {}
        for claim in held:
            lane = claim.unit_id, claim.lane
            wholes[lane] = wholes.get(lane, SpanSet()) | SpanSet([claim.span])
        rows = [
            {
                "city_id": city.id,
                "holder_id": to,
                "unit_id": unit_id,
                "part": part,
                "lane": lane,
                "during": TimestamptzRange(kept.start, kept.end),
            }
            for (unit_id, lane), whole in wholes.items()
            for part, span in ([(0, body)] if unit_id in equipment else claim_parts(body, rules))
            for kept in whole.clipped(span)
        ]
        give_back(session, city.id, [holder_id])
        if rows:
            session.execute(insert(Claim), rows)
        sheets.refresh_spans(session, city.id, sorted(unit_ids), spans, city.zone)


@dataclass(frozen=True)
class Wanted:
    """A time that a holder wants of a space, by the space's rules, with so many pieces of each unit of equipment."""

    holder_id: int
    space_id: int
    body: Span
    rules: BookingRules
    pieces: Mapping[int, int] = field(default_factory=dict)


def claim_times(session: Session, city: City, wanted: Sequence[Wanted]) -> set[int]:
    """Let each of these holders have its time instead of all that it has, in this order and in one go.

    Returns the holders whose time, or equipment at that time, cannot be had; they keep what they have. The units and the
    sheets of all old and new times are locked before anything is looked at, so what fits in memory is free. Raises
    SlotTaken or PiecesTaken, and then nothing has changed, only if the database should know better.
    """
    if not wanted:
        return set()
    holder_ids = [one.holder_id for one in wanted]
    held = held_by(session, city.id, holder_ids)
    units_of: dict[int, list[int]] = {}
    for space_id, unit_id, _ in session.execute(
        UNITS, {"city_id": city.id, "space_ids": sorted({one.space_id for one in wanted})}
    ):
        units_of.setdefault(space_id, []).append(unit_id)
    unit_ids = {unit_id for ids in units_of.values() for unit_id in ids} | {claim.unit_id for claim in held}
    unit_ids |= {unit_id for one in wanted for unit_id in one.pieces}
    with session.begin_nested():
        lanes = lock_units(session, city.id, unit_ids)
        wholes = [one.body.widened(one.rules.before, one.rules.after) for one in wanted]
        spans = wholes + [claim.span for claim in held]
        sheets.lock_days(session, city.id, sorted(unit_ids), spans, city.zone)
        # Read again: whoever changed them meanwhile is done now.
        held = held_by(session, city.id, holder_ids)
        window = Span(min(span.start for span in spans), max(span.end for span in spans))
        taken = [
            HeldClaim(holder_id, unit_id, lane, part, Span(start, end))
            for unit_id, holder_id, lane, part, start, end in session.execute(
                TAKEN, {"unit_ids": sorted(unit_ids), "start": window.start, "end": window.end}
            )
        ]
        chosen, lost = choose_lanes(wanted, units_of, lanes, taken, held)
        if chosen:
            write_claims(session, city.id, chosen, wanted)
            for one in wanted:
                if one.pieces and one.holder_id in chosen:
                    claim_pieces(session, city, one.pieces, lanes, holder_id=one.holder_id, body=one.body)
            sheets.refresh_spans(session, city.id, sorted(unit_ids), spans, city.zone)
    return lost


def write_claims(
    session: Session, city_id: int, chosen: Mapping[int, Mapping[int, int]], wanted: Sequence[Wanted]
) -> None:
    """Replace the claims of the holders in `chosen`, which says the lane of each unit by holder. Raises SlotTaken."""
    rows = [
        {
            "city_id": city_id,
            "holder_id": one.holder_id,
            "unit_id": unit_id,
            "part": part,
            "lane": lane,
            "during": TimestamptzRange(span.start, span.end),
        }
        for one in wanted
        for unit_id, lane in chosen.get(one.holder_id, {}).items()
        for part, span in claim_parts(one.body, one.rules)
    ]
    give_back(session, city_id, list(chosen))
    with taken_where_claims_meet():
        session.execute(insert(Claim), rows)


def claim_parts(body: Span, rules: BookingRules) -> list[tuple[int, Span]]:
    """(part, span) of the claims that a time makes in each lane: the body and its buffers."""
    parts = [(0, body)]
    if rules.before:
        parts.append((1, Span(body.start - rules.before, body.start)))
    if rules.after:
        parts.append((2, Span(body.end, body.end + rules.after)))
    return parts


@dataclass(frozen=True)
class HeldClaim:
    """A claim as it is."""

    holder_id: int
    unit_id: int
    lane: int
    part: int
    span: Span


def held_by(session: Session, city_id: int, holder_ids: Sequence[int]) -> list[HeldClaim]:
    rows = session.execute(
        select(Claim.holder_id, Claim.unit_id, Claim.lane, Claim.part, Claim.during).where(
            Claim.city_id == city_id, Claim.holder_id.in_(holder_ids)
        )
    )
    return [HeldClaim(*row[:4], span_of(row[4])) for row in rows]


def choose_lanes(
    wanted: Sequence[Wanted],
    units_of: Mapping[int, Sequence[int]],
    lanes: Mapping[int, int],
    taken: Sequence[HeldClaim],
    held: Sequence[HeldClaim],
) -> tuple[dict[int, dict[int, int]], set[int]]:
    """(lane of each unit by holder, holders that cannot have their time).

    Those who cannot keep what they hold, which may be in the way of others; so it is chosen anew until nobody drops out.
    """
    asking = {one.holder_id for one in wanted}
    owners = {claim.holder_id for claim in held}
    near = SpanSet(one.body.widened(one.rules.before, one.rules.after) for one in wanted)
    taken = [claim for claim in taken if near.meets(claim.span.start, claim.span.end)]
    equipment = {unit_id for one in wanted for unit_id in one.pieces}
    rooms = {unit_id: count for unit_id, count in lanes.items() if unit_id not in equipment}
    lost: set[int] = set()
    while True:
        staying = [claim for claim in taken if claim.holder_id not in asking or claim.holder_id in lost]
        calendars = unit_calendars(rooms, staying)
        out = {unit_id: [c.span for c in staying if c.unit_id == unit_id] for unit_id in equipment}
        chosen: dict[int, dict[int, int]] = {}
        dropped: set[int] = set()
        for one in wanted:
            if one.holder_id in lost:
                continue
            found = {
                unit_id: calendars[unit_id].lane_for(one.body, one.rules.before, one.rules.after)
                for unit_id in units_of.get(one.space_id, ())
            }
            placed = {unit_id: lane for unit_id, lane in found.items() if lane is not None}
            if not placed or len(placed) < len(found) or not has_pieces(one, lanes, out):
                dropped.add(one.holder_id)
                continue
            chosen[one.holder_id] = placed
            for unit_id, lane in placed.items():
                calendars[unit_id].add(lane, claim_parts(one.body, one.rules))
            for unit_id, pieces in one.pieces.items():
                out[unit_id] += [one.body] * pieces
        lost |= dropped
        if not dropped & owners:
            return chosen, lost


def has_pieces(one: Wanted, stocks: Mapping[int, int], out: Mapping[int, Sequence[Span]]) -> bool:
    """Whether enough equipment is left at this time; `out` is when each piece of a unit is out."""
    return all(
        stocks.get(unit_id, 0) - most_at_once(out[unit_id], one.body) >= pieces
        for unit_id, pieces in one.pieces.items()
    )


def unit_calendars(lanes: Mapping[int, int], claims: Sequence[HeldClaim]) -> dict[int, UnitCalendar]:
    units = {unit_id: UnitCalendar(unit_id, count) for unit_id, count in lanes.items()}
    parts: dict[tuple[int, int], tuple[list[Span], list[Span]]] = {}
    for claim in claims:
        parts.setdefault((claim.unit_id, claim.lane), ([], []))[min(claim.part, 1)].append(claim.span)
    for (unit_id, lane), (bodies, buffers) in parts.items():
        if unit_id in units:
            units[unit_id].lanes[lane] = Lane(SpanSet(bodies), SpanSet(buffers))
    return units


def release_times(session: Session, city: City, holder_ids: Sequence[int]) -> None:
    """Give back all that these holders have, in one go. Harmless for those that have nothing."""
    held = held_by(session, city.id, holder_ids)
    if not held:
        return
    unit_ids = sorted({claim.unit_id for claim in held})
    lock_units(session, city.id, unit_ids)
    give_back(session, city.id, holder_ids)
    sheets.refresh_spans(session, city.id, unit_ids, [claim.span for claim in held], city.zone)


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
    spaces = session.execute(
        select(Space.id, Space.horizon_days, Space.holiday_rule).where(
            Space.city_id == city.id, Space.id.in_(space_ids)
        )
    ).all()
    weekly: dict[int, list[WeeklyHours]] = {}
    for rule in session.scalars(
        select(OpeningRule)
        .where(OpeningRule.city_id == city.id, OpeningRule.space_id.in_(space_ids))
        .order_by(OpeningRule.id)
    ):
        weekly.setdefault(rule.space_id, []).append(weekly_hours(rule))
    exceptions: dict[int, list[ExceptionHours]] = {}
    for row in session.scalars(
        select(OpeningException).where(
            OpeningException.city_id == city.id, OpeningException.space_id.in_(space_ids)
        )
    ):
        exceptions.setdefault(row.space_id, []).append(exception_hours(row))
    compiled: dict[tuple[object, ...], Hours] = {}
    of_space: dict[int, Hours] = {}
    for space_id, horizon, holiday_rule in spaces:
        end = last or month_end(today + timedelta(days=max(horizon, HORIZON_DAYS)))
        rules, closings = tuple(weekly.get(space_id, ())), tuple(exceptions.get(space_id, ()))
        key = (rules, closings, end, holiday_rule)
        if key not in compiled:
            kept = kept_holidays(city.country, holiday_rule, first, end)
            found = compile_hours(rules, closings, first=first, last=end, zone=city.zone, holidays=kept)
            spans = SpanSet(span for month in found.open.values() for span in month)
            compiled[key] = Hours(len(compiled), found.open, found.staff, spans)
        of_space[space_id] = compiled[key]
    rows = [
        (hours.key, month, multirange(spans), multirange(hours.staff[month]))
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
            "others": [row[3] for row in rows],
            "space_ids": list(of_space),
            "space_keys": [hours.key for hours in of_space.values()],
        },
    ).all()
    _refresh_changed(session, city, of_space, {space_id for space_id, _ in changed})
    return len(changed)


def _refresh_changed(session: Session, city: City, of_space: Mapping[int, Hours], changed: set[int]) -> None:
    """Sheets of the spaces whose hours changed. Months after a space's last claim share the words of its hours, but for
    the first month: an opening of the evening before it may pass midnight, and only the database knows that one."""
    if not changed:
        return
    months = sorted({month for space_id in changed for month in of_space[space_id].by_month})
    claimed = sheets.last_claimed(session, city.id, sorted(changed), months, city.zone)
    sharing: dict[tuple[int, date], list[int]] = {}
    alone: dict[tuple[date, ...], list[int]] = {}
    for space_id in sorted(changed):
        hours = of_space[space_id]
        ordered = sorted(hours.by_month)
        last = max(claimed.get(space_id, ordered[0]), ordered[0])
        alone.setdefault(tuple(month for month in ordered if month <= last), []).append(space_id)
        sharing.setdefault((hours.key, last), []).append(space_id)
    words: dict[int, dict[date, str]] = {}
    for (key, last), space_ids in sharing.items():
        hours = of_space[space_ids[0]]
        if key not in words:
            later = sorted(hours.by_month)[1:]
            words[key] = {month: sheets.month_words(hours.all, month, city.zone) for month in later}
        shared = {month: month_words for month, month_words in words[key].items() if month > last}
        if shared:
            sheets.share_months(session, city.id, space_ids, shared)
    for some_months, space_ids in alone.items():
        sheets.refresh_months(session, city.id, space_ids, some_months, city.zone)


def month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def multirange(spans: Sequence[Span]) -> str:
    """PostgreSQL's text form of a tstzmultirange."""
    return "{" + ",".join(f"[{s.start.isoformat()},{s.end.isoformat()})" for s in SpanSet(spans)) + "}"
