"""Keeps the day sheets, the index that lets the search rule out: a word of 48 half hours for each space and day.

A sheet is written by the transaction that changes a claim or an opening. Its rows are locked first and computed in the
next statement, which sees what others have committed meanwhile; so two bookings of different halves of one hall leave
the whole hall's sheet right.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, column, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import TEXT, TIMESTAMP, BigInteger, Date

from marketplace.timespan import Span, SpanSet, local_days
from spaces.calendar.queries import UNIT_AND_LANE, calendars_of, lanes_of
from spaces.calendar.rules import DAY, SpaceCalendar, midnight, sheet_word

# A space and the first day of a month.
Sheet = tuple[int, date]

# Of every space that shares one of the units.
LOCK_SHARING = (
    text("""
    SELECT space_id, month FROM day_sheet
    WHERE city_id = :city_id AND month = ANY(:months) AND space_id = ANY(
        ARRAY(SELECT space_id FROM space_unit WHERE city_id = :city_id AND unit_id = ANY(:unit_ids)))
    ORDER BY space_id, month FOR UPDATE
""")
    .bindparams(bindparam("unit_ids", type_=ARRAY(BigInteger)), bindparam("months", type_=ARRAY(Date)))
    .columns(column("space_id"), column("month"))
)

LOCK = text("""
    SELECT space_id, month FROM day_sheet
    WHERE city_id = :city_id AND month = ANY(:months) AND space_id = ANY(:space_ids)
    ORDER BY space_id, month FOR UPDATE
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)), bindparam("months", type_=ARRAY(Date)))

SET_DAY = text("""
    UPDATE day_sheet SET free[:number] = :word
    WHERE city_id = :city_id AND month = :month AND space_id = :space_id AND free[:number] IS DISTINCT FROM :word
""")

SET_MONTHS = text("""
    INSERT INTO day_sheet (city_id, month, space_id, free)
    SELECT :city_id, month, space_id, words::bigint[] FROM unnest(:months, :space_ids, :words) AS t(month, space_id, words)
    ON CONFLICT (city_id, month, space_id) DO UPDATE SET free = excluded.free
    WHERE day_sheet.free IS DISTINCT FROM excluded.free
""").bindparams(
    bindparam("space_ids", type_=ARRAY(BigInteger)),
    bindparam("months", type_=ARRAY(Date)),
    bindparam("words", type_=ARRAY(TEXT)),
)


# The last of the months in which any unit of the space has a claim: a few probes of the index for each space.
LAST_CLAIMED = text(f"""
    SELECT su.space_id, max(m.month)
    FROM space_unit su, unnest(:months, :starts, :ends) AS m(month, starts, ends)
    WHERE su.city_id = :city_id AND su.space_id = ANY(:space_ids) AND EXISTS (
        SELECT 1 FROM claim
        WHERE {UNIT_AND_LANE} && {lanes_of("su.unit_id")}
          AND during && tstzrange(m.starts, m.ends)
    )
    GROUP BY su.space_id
""").bindparams(
    bindparam("space_ids", type_=ARRAY(BigInteger)),
    bindparam("months", type_=ARRAY(Date)),
    bindparam("starts", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("ends", type_=ARRAY(TIMESTAMP(timezone=True))),
)

SHARE_MONTHS = text("""
    WITH sheet AS MATERIALIZED (
        SELECT month, words::bigint[] AS free FROM unnest(:months, :words) AS m(month, words)
    )
    INSERT INTO day_sheet (city_id, month, space_id, free)
    SELECT :city_id, sheet.month, space_id, sheet.free FROM sheet, unnest(:space_ids) AS space_id
    ON CONFLICT (city_id, month, space_id) DO UPDATE SET free = excluded.free
    WHERE day_sheet.free IS DISTINCT FROM excluded.free
""").bindparams(
    bindparam("space_ids", type_=ARRAY(BigInteger)),
    bindparam("months", type_=ARRAY(Date)),
    bindparam("words", type_=ARRAY(TEXT)),
)


def refresh_days(
    session: Session, city_id: int, unit_ids: Sequence[int], changed: Span, zone: ZoneInfo
) -> None:
    """Write anew the sheets of every space that shares one of these units, for the local days that `changed` touches."""
    locked = lock_days(session, city_id, unit_ids, [changed], zone)
    if not locked:
        return
    space_ids = sorted({space_id for space_id, _ in locked})
    calendars = calendars_of(session, city_id, space_ids, days_around(changed, zone), zone)
    write_days(session, city_id, calendars, locked, changed=changed, zone=zone)


def days_around(changed: Span, zone: ZoneInfo) -> Span:
    """The whole of the local days that `changed` touches: what must be seen of a calendar to write their sheets."""
    days = local_days(changed, zone)
    return Span(midnight(days[0], zone), midnight(days[-1] + DAY, zone))


def write_days(
    session: Session,
    city_id: int,
    calendars: Mapping[int, SpaceCalendar],
    locked: Collection[Sheet],
    *,
    changed: Span,
    zone: ZoneInfo,
) -> None:
    """Write those of the locked sheets that are of these calendars, for the local days that `changed` touches."""
    days = local_days(changed, zone)
    updates = []
    for space_id, calendar in calendars.items():
        free = calendar.free
        updates += [
            {
                "city_id": city_id,
                "month": day.replace(day=1),
                "space_id": space_id,
                "number": day.day,
                "word": sheet_word(free, day, zone),
            }
            for day in days
            if (space_id, day.replace(day=1)) in locked
        ]
    if updates:
        # One sheet, as most are, is sent the short way.
        session.execute(SET_DAY, updates if len(updates) > 1 else updates[0])


def lock_days(
    session: Session, city_id: int, unit_ids: Sequence[int], spans: Sequence[Span], zone: ZoneInfo
) -> set[Sheet]:
    """Lock the sheets of every space that shares one of these units for all of these times at once, in one order; returns
    them."""
    months = sorted({day.replace(day=1) for span in spans for day in local_days(span, zone)})
    asked = {"city_id": city_id, "months": months, "unit_ids": list(unit_ids)}
    return {(space_id, month) for space_id, month in session.execute(LOCK_SHARING, asked)}


def refresh_spans(
    session: Session, city_id: int, unit_ids: Sequence[int], spans: Sequence[Span], zone: ZoneInfo
) -> None:
    """As `refresh_days` for many times at once, by whole months: one lock, one look at the calendars, one write."""
    locked = sorted(lock_days(session, city_id, unit_ids, spans, zone))
    if not locked:
        return
    space_ids = sorted({space_id for space_id, _ in locked})
    months = sorted({month for _, month in locked})
    calendars = calendars_of(session, city_id, space_ids, months_window(months, zone), zone)
    free = {space_id: calendar.free for space_id, calendar in calendars.items()}
    values = {
        "city_id": city_id,
        "months": [month for _, month in locked],
        "space_ids": [space_id for space_id, _ in locked],
        "words": [month_words(free[space_id], month, zone) for space_id, month in locked],
    }
    session.execute(SET_MONTHS, values)


def month_days(month: date) -> list[date]:
    """The days of a month given by its first."""
    following = (month + timedelta(days=32)).replace(day=1)
    return [month + timedelta(days=n) for n in range((following - month).days)]


def months_window(months: Sequence[date], zone: ZoneInfo) -> Span:
    """From the first of the earliest month to the end of the latest."""
    return Span(midnight(min(months), zone), midnight(month_days(max(months))[-1] + DAY, zone))


def month_words(free: SpanSet, month: date, zone: ZoneInfo) -> str:
    """The month's words as PostgreSQL writes an array."""
    return "{" + ",".join(str(sheet_word(free, day, zone)) for day in month_days(month)) + "}"


def last_claimed(
    session: Session, city_id: int, space_ids: Sequence[int], months: Sequence[date], zone: ZoneInfo
) -> dict[int, date]:
    """The last of these months with a claim, of those of the spaces that have any."""
    windows = [months_window([month], zone) for month in months]
    values = {
        "city_id": city_id,
        "space_ids": list(space_ids),
        "months": list(months),
        "starts": [window.start for window in windows],
        "ends": [window.end for window in windows],
    }
    return {space_id: month for space_id, month in session.execute(LAST_CLAIMED, values)}


def share_months(session: Session, city_id: int, space_ids: Sequence[int], words: Mapping[date, str]) -> None:
    """Write the same words, by month, for all of these spaces, which are free whenever they are open."""
    values = {
        "city_id": city_id,
        "space_ids": list(space_ids),
        "months": list(words),
        "words": list(words.values()),
    }
    session.execute(SHARE_MONTHS, values)


def refresh_months(
    session: Session, city_id: int, space_ids: Sequence[int], months: Sequence[date], zone: ZoneInfo
) -> None:
    """Compute whole months of sheets from openings and claims, and write those that differ."""
    if not space_ids or not months:
        return
    ordered = sorted(months)
    session.execute(LOCK, {"city_id": city_id, "months": ordered, "space_ids": sorted(space_ids)})
    calendars = calendars_of(session, city_id, space_ids, months_window(ordered, zone), zone)
    rows: list[tuple[date, int, str]] = []
    for space_id, calendar in calendars.items():
        free = calendar.free
        rows += [(month, space_id, month_words(free, month, zone)) for month in ordered]
    session.execute(
        SET_MONTHS,
        {
            "city_id": city_id,
            "months": [row[0] for row in rows],
            "space_ids": [row[1] for row in rows],
            "words": [row[2] for row in rows],
        },
    )
