"""Reads of market squares: stalls with their ground, price classes, market days."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import shapely
from sqlalchemy import bindparam, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Date

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.db import Localised
from spaces.calendar.models import MAX_LANES, OpeningMonth, OpeningRule
from spaces.calendar.queries import UNIT_AND_LANE
from spaces.catalog.desk_queries import workplaces
from spaces.catalog.models import Space, Unit, Venue
from spaces.catalog.policy import MANAGE
from spaces.markets.errors import ClassNotFound, StallNotFound
from spaces.markets.models import Stall, StallClass, StallClassPrice
from spaces.markets.rules import number_key
from spaces.pricing.lists import PriceList
from spaces.pricing.models import Price
from spaces.pricing.rules import DAY_MINUTES, WEEK, Variation

SHOWN_DAYS = 6
# How many months of openings are looked through at once for the next market days.
MONTHS_AT_ONCE = 3
MOST_MARKETS = 200

FREE_COUNTS = text("""
    SELECT d.day, count(*) FILTER (WHERE s.free[extract(day FROM d.day)::int] <> 0)
    FROM unnest(:days) AS d(day)
    JOIN day_sheet s ON s.city_id = :city_id AND s.month = date_trunc('month', d.day)::date
        AND s.space_id = ANY(:space_ids)
    GROUP BY d.day
""").bindparams(bindparam("days", type_=ARRAY(Date)), bindparam("space_ids", type_=ARRAY(BigInteger)))


@dataclass(frozen=True)
class PlacedStall:
    """A stall with its space and its ground (polygon, EPSG:4326)."""

    stall: Stall
    space: Space
    unit: Unit
    ground: Any
    class_code: str = ""
    class_names: Localised | None = None

    @property
    def number(self) -> str:
        return self.stall.number

    @property
    def id(self) -> int:
        return self.space.id


def stalls_of(session: Session, venue: Venue, *, states: Collection[str] | None = None) -> list[PlacedStall]:
    """The stalls on the square's plan by their number: all, or those whose listing has one of these states."""
    query = (
        select(Stall, Space, Unit, StallClass.code, StallClass.names)
        .join(Space, (Space.city_id == Stall.city_id) & (Space.id == Stall.space_id))
        .join(Unit, (Unit.city_id == Stall.city_id) & (Unit.id == Stall.unit_id))
        .outerjoin(StallClass, (StallClass.city_id == Stall.city_id) & (StallClass.id == Stall.class_id))
        .where(Stall.city_id == venue.city_id, Stall.venue_id == venue.id)
    )
    if states is not None:
        query = query.where(Space.state.in_(states))
    rows = session.execute(query).all()
    grounds: list[Any] = list(shapely.from_wkb([row.Unit.shape for row in rows])) if rows else []
    found = [
        PlacedStall(stall, space, unit, ground, code or "", names)
        for (stall, space, unit, code, names), ground in zip(rows, grounds, strict=True)
    ]
    return sorted(found, key=lambda one: number_key(one.number))


def stall_of(session: Session, venue: Venue, space_id: int) -> PlacedStall:
    """Raises StallNotFound for one of another venue, or none."""
    row = session.execute(
        select(Stall, Space, Unit, StallClass.code, StallClass.names)
        .join(Space, (Space.city_id == Stall.city_id) & (Space.id == Stall.space_id))
        .join(Unit, (Unit.city_id == Stall.city_id) & (Unit.id == Stall.unit_id))
        .outerjoin(StallClass, (StallClass.city_id == Stall.city_id) & (StallClass.id == Stall.class_id))
        .where(Stall.city_id == venue.city_id, Stall.venue_id == venue.id, Stall.space_id == space_id)
    ).one_or_none()
    if row is None:
        raise StallNotFound
    stall, space, unit, code, names = row
    return PlacedStall(stall, space, unit, shapely.from_wkb(unit.shape), code or "", names)


def chosen_stalls(session: Session, venue: Venue, space_ids: Collection[int]) -> list[PlacedStall]:
    """Those of the square's stalls. Raises StallNotFound when one of the ids is none of them."""
    found = [one for one in stalls_of(session, venue) if one.id in set(space_ids)]
    if len(found) != len(set(space_ids)):
        raise StallNotFound
    return found


def square_of(venue: Venue) -> Any | None:
    """The outline of the square in EPSG:4326."""
    return None if venue.area is None else shapely.from_wkb(venue.area)


def classes_of(session: Session, venue: Venue) -> Sequence[StallClass]:
    """By letter."""
    return session.scalars(
        select(StallClass)
        .where(StallClass.city_id == venue.city_id, StallClass.venue_id == venue.id)
        .order_by(StallClass.code)
    ).all()


def class_of(session: Session, venue: Venue, class_id: int) -> StallClass:
    """Raises ClassNotFound for one of another venue, or none."""
    found = session.get(StallClass, (venue.city_id, class_id))
    if found is None or found.venue_id != venue.id:
        raise ClassNotFound
    return found


def class_lists(session: Session, city_id: int, class_ids: Collection[int]) -> dict[int, list[PriceList]]:
    """The price lists of each class, the latest first."""
    found: dict[int, list[PriceList]] = {}
    for row in session.scalars(
        select(StallClassPrice)
        .where(StallClassPrice.city_id == city_id, StallClassPrice.class_id.in_(class_ids))
        .order_by(StallClassPrice.valid_from.desc())
        .execution_options(populate_existing=True)
    ):
        found.setdefault(row.class_id, []).append(price_list(row))
    return found


def price_list(row: StallClassPrice) -> PriceList:
    return PriceList(
        valid_from=row.valid_from,
        per=row.per,
        amount_minor=row.amount_minor,
        slot_minutes=row.slot_minutes,
        vat_code=row.vat_code,
        rows=tuple(
            Variation(minor, group, WEEK, 0, DAY_MINUTES) for group, minor in sorted(row.groups.items())
        ),
    )


def has_stalls(session: Session, venue: Venue) -> bool:
    return (
        session.scalar(
            select(Stall.space_id).where(Stall.city_id == venue.city_id, Stall.venue_id == venue.id).limit(1)
        )
        is not None
    )


def without_price_or_hours(
    session: Session, city: City, space_ids: Collection[int], *, day: date
) -> set[int]:
    """Those that nobody could book from this day on: no price list at all, or no opening hours that are not over."""
    priced = set(
        session.scalars(
            select(Price.space_id).where(Price.city_id == city.id, Price.space_id.in_(space_ids)).distinct()
        )
    )
    opened = set(
        session.scalars(
            select(OpeningRule.space_id)
            .where(
                OpeningRule.city_id == city.id,
                OpeningRule.space_id.in_(space_ids),
                or_(OpeningRule.valid_to.is_(None), OpeningRule.valid_to >= day),
            )
            .distinct()
        )
    )
    return set(space_ids) - (priced & opened)


def market_days(
    session: Session, city: City, space_ids: Collection[int], *, first: date, last: date, count: int
) -> list[date]:
    """The first days from `first` to `last` on which one of these spaces opens.

    Stalls of a square mostly share their hours, so each month's different openings are read once.
    """
    found: list[date] = []
    month = first.replace(day=1)
    while month <= last and len(found) < count:
        months = [month]
        while len(months) < MONTHS_AT_ONCE:
            months.append((months[-1] + timedelta(days=32)).replace(day=1))
        opened = session.scalars(
            select(OpeningMonth.open)
            .where(
                OpeningMonth.city_id == city.id,
                OpeningMonth.month.in_(months),
                OpeningMonth.space_id.in_(space_ids),
            )
            .distinct()
        )
        days = {
            span.lower.astimezone(city.zone).date()
            for spans in opened
            for span in spans
            if span.lower is not None
        }
        found += sorted(day for day in days if first <= day <= last)
        month = (months[-1] + timedelta(days=32)).replace(day=1)
    return found[:count]


def free_counts(
    session: Session, city: City, space_ids: Collection[int], days: Sequence[date]
) -> dict[date, int]:
    """On how many of these spaces something may be free on each day, by the sheets of the search."""
    rows = session.execute(
        FREE_COUNTS, {"city_id": city.id, "days": list(days), "space_ids": list(space_ids)}
    )
    return {day: count for day, count in rows}


@dataclass(frozen=True)
class Market:
    """One square that somebody looks after: how many stalls it has, and how many of them are published."""

    venue: Venue
    stalls: int
    published: int


def markets_of(session: Session, actor: Actor) -> list[Market]:
    """The squares that the actor runs: places of kind square, and others with stalls on a plan."""
    counts = (
        select(
            Stall.venue_id,
            func.count().label("stalls"),
            func.count().filter(Space.state == "published").label("published"),
        )
        .join(Space, (Space.city_id == Stall.city_id) & (Space.id == Stall.space_id))
        .where(Stall.city_id == actor.city_id)
        .group_by(Stall.venue_id)
        .subquery()
    )
    rows = session.execute(
        select(Venue, counts.c.stalls, counts.c.published)
        .outerjoin(counts, counts.c.venue_id == Venue.id)
        .where(
            workplaces(actor, MANAGE),
            or_(Venue.kind.in_(("square", "market_stall")), counts.c.stalls.is_not(None)),
        )
        .order_by(counts.c.stalls.desc().nulls_last(), Venue.id)
        .limit(MOST_MARKETS)
    )
    return [Market(venue, stalls or 0, published or 0) for venue, stalls, published in rows]


OUTSIDE = text(f"""
    SELECT count(DISTINCT c.holder_id)
    FROM stall s, LATERAL (
        SELECT holder_id, during FROM claim
        WHERE {UNIT_AND_LANE} && int8range(s.unit_id * {MAX_LANES}, s.unit_id * {MAX_LANES} + {MAX_LANES - 1}, '[]')
          AND during && tstzrange(:at, NULL) AND part = 0
        OFFSET 0
    ) c
    WHERE s.city_id = :city_id AND s.space_id = ANY(:space_ids)
      AND NOT EXISTS (
          SELECT 1 FROM opening_month o
          WHERE o.city_id = s.city_id AND o.space_id = s.space_id AND c.during <@ o.open
      )
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)))


def bookings_outside(session: Session, city: City, space_ids: Collection[int], *, at: datetime) -> int:
    """How many coming bookings of these stalls lie outside their opening hours as these are now."""
    values = {"city_id": city.id, "space_ids": list(space_ids), "at": at}
    return session.scalar(OUTSIDE, values) or 0
