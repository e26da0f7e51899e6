"""The search: one statement that matches facts, rules out by day sheets, ranks and counts; then the exact free times of
the rows that are shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from marketplace import clock
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.geo import to_metric
from marketplace.timespan import Span, SpanSet, day_span
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import DAY, BookingRules, SpaceCalendar, has_change, midnight, offers, window_mask
from spaces.catalog.accessibility import VIEWPOINTS, viewpoint_sql
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import ON_PLAN
from spaces.photos.queries import PICTURES, pictures_of
from spaces.photos.rules import Picture
from spaces.pricing.queries import group_of_prices, prices_on
from spaces.pricing.rules import PriceTerms, quote
from spaces.search.question import Question
from spaces.search.words import meanings

# How many days after the asked one are looked through for the next free times.
LOOK_AHEAD_DAYS = 14
STATEMENT_TIMEOUT_MS = 2000
MOST_DOTS = 2000


@dataclass(frozen=True)
class Offer:
    """A time that can be booked now, and its price; the least one where that depends on what the booker says."""

    span: Span
    price_minor: int
    is_least: bool = False


@dataclass
class Hit:
    """One row of the answer. `offers` fit the question; where none do, `next_offers` are the first after it."""

    space: Space
    venue: Venue
    owner_name: str
    owner_kind: str
    district_names: Localised
    distance_m: float | None
    is_free: bool | None
    price: PriceTerms | None
    rules: BookingRules
    calendar: SpaceCalendar
    group: str = "resident"  # whose price the offers have
    offers: list[Offer] = field(default_factory=list)
    next_offers: list[Offer] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)  # all photos, in their order
    on_plan: bool = False  # a stall that is drawn on the plan of its square


@dataclass
class Answer:
    """The hits of one page, how many there are in all, and how many of those are free when asked."""

    hits: list[Hit]
    total: int
    free: int
    page: int
    page_size: int
    facets: "Facets | None" = None

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.page_size))


@dataclass(frozen=True)
class Facets:
    """How many matches have each property, and where all of them lie, (lat, lon)."""

    counts: dict[str, dict[str, int]]
    dots: list[tuple[float, float]]


def conditions_of(question: Question, city: City) -> tuple[list[str], dict[str, Any]]:
    """What must hold for a space to match by its facts: SQL conditions and their parameters."""
    conditions = ["s.city_id = :city_id", "s.state = 'published'"]
    values: dict[str, Any] = {
        "city_id": city.id,
        "day": question.day or clock.now().astimezone(city.zone).date(),
    }
    for n, word in enumerate(question.words):
        codes = meanings(word)
        values[f"w{n}"] = word
        by_text = (
            f"s.search @@ (plainto_tsquery('finnish', :w{n}) || plainto_tsquery('swedish', :w{n}) || plainto_tsquery('english', :w{n}))"
            f" OR v.search @@ (plainto_tsquery('finnish', :w{n}) || plainto_tsquery('swedish', :w{n}) || plainto_tsquery('english', :w{n}))"
        )
        if codes:
            values[f"c{n}"] = sorted(codes)
            by_text += f" OR s.purposes && CAST(:c{n} AS text[]) OR s.kind = ANY(CAST(:c{n} AS text[]))"
        conditions.append(f"({by_text})")
    if question.people is not None:
        values["people"] = question.people
        conditions.append("(s.capacity >= :people OR s.capacity IS NULL)")
    for name, column, operator in (
        ("purposes", "s.purposes", "&&"),
        ("equipment", "s.equipment", "@>"),
        ("accessibility", "v.accessibility", "@>"),
    ):
        if wanted := getattr(question, name):
            values[name] = sorted(wanted)
            conditions.append(f"{column} {operator} CAST(:{name} AS text[])")
    conditions += [
        viewpoint_sql(code, "v.accessibility", "v.accessibility_lacks")
        for code in sorted(question.viewpoints)
    ]
    for name, column in (("kinds", "s.kind"), ("approval", "s.approval"), ("owner_kinds", "o.kind")):
        if wanted := getattr(question, name):
            values[name] = sorted(wanted)
            conditions.append(f"{column} = ANY(CAST(:{name} AS text[]))")
    if question.max_price_minor is not None:
        values["max_price"] = question.max_price_minor
        conditions.append("p.amount_minor <= :max_price")
    if question.district_id is not None:
        values["district_id"] = question.district_id
        conditions.append("v.district_id = :district_id")
    if question.venue_id is not None:
        values["venue_id"] = question.venue_id
        conditions.append("s.venue_id = :venue_id")
    if question.space_ids:
        values["ids"] = list(question.space_ids)
        conditions.append("s.id = ANY(CAST(:ids AS bigint[]))")
    if question.bbox is not None:
        values |= dict(zip(("west", "south", "east", "north"), question.bbox, strict=True))
        conditions.append("v.lon BETWEEN :west AND :east AND v.lat BETWEEN :south AND :north")
    return conditions, values


def matched(question: Question, city: City, *, now: datetime | None = None) -> tuple[str, dict[str, Any]]:
    """SQL of a table `matched` (one row a space) for this question, and its parameters.

    With `now`, what a notice or a horizon keeps from being booked then does not count as free.
    """
    conditions, values = conditions_of(question, city)
    distance = "NULL::float8"
    if question.place is not None:
        values["x"], values["y"] = to_metric(question.place.lon, question.place.lat, crs=city.metric_crs)
        distance = "v.position <-> point(:x, :y)"
    sheet_column, sheet_join = "NULL::bigint", ""
    if question.day is not None:
        values |= {
            "month": question.day.replace(day=1),
            "number": question.day.day,
            "mask": window_mask(question.start_minute, question.end_minute),
            "asked": question.minutes or 0,
            # An autumn night has an hour more than its wall clock shows.
            "slack": 2 if has_change(question.day, city.zone) else 0,
        }
        sheet_column = "coalesce(d.free[:number], 0) & CAST(:mask AS bigint)"
        window = question.window(city.zone)
        if now is not None and window is not None:
            values |= {
                "ahead": max(0, (window.end - now) // timedelta(minutes=1)),
                "days": (question.day - now.astimezone(city.zone).date()).days,
            }
            in_time = "s.notice_minutes <= :ahead AND s.horizon_days >= :days"
            sheet_column = f"CASE WHEN {in_time} THEN {sheet_column} ELSE 0 END"
        sheet_join = (
            "LEFT JOIN day_sheet d ON d.city_id = s.city_id AND d.month = :month AND d.space_id = s.id"
        )
    base = f"""
        SELECT s.id, s.capacity, s.kind, s.approval, s.purposes, o.kind AS owner_kind, v.accessibility,
               v.accessibility_lacks, v.lat, v.lon,
               p.amount_minor, {distance} AS distance, {sheet_column} AS w,
               {slots_sql() if question.day is not None else "1"} AS k
        FROM space s
        JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
        JOIN organisation o ON o.city_id = v.city_id AND o.id = v.owner_id
        LEFT JOIN (
            SELECT DISTINCT ON (space_id) space_id, amount_minor FROM price
            WHERE city_id = :city_id AND valid_from <= :day ORDER BY space_id, valid_from DESC
        ) p ON p.space_id = s.id
        {sheet_join}
        WHERE {" AND ".join(conditions)}
        OFFSET 0
    """
    columns = (
        "id, capacity, kind, approval, purposes, owner_kind, accessibility, accessibility_lacks, lat, lon, amount_minor,"
        " distance, k"
    )
    if question.day is not None:
        # A run of k free half hours by log2(k) shift-ands, each level computed once; the window has no longer run
        # than its own half hours.
        longest = -(-question.end_minute // 30) - question.start_minute // 30
        width = 1
        while width < longest:
            base = f"SELECT {columns}, w & (w >> greatest(0, least({width}, k - {width}))) AS w FROM ({base}) m OFFSET 0"
            width *= 2
        base = f"SELECT {columns}, w <> 0 AND k <= {longest} AS is_free FROM ({base}) m"
    else:
        base = f"SELECT {columns}, NULL::boolean AS is_free FROM ({base}) m"
    return base, values


def slots_sql() -> str:
    """Half hours that a booking of the asked length needs in this space; a whole-day space needs one."""
    length = "least(ceil(greatest(:asked, s.min_minutes) / s.interval_minutes::float) * s.interval_minutes, greatest(s.max_minutes / s.interval_minutes * s.interval_minutes, s.min_minutes))"
    return (
        f"CASE WHEN s.whole_days THEN 1 ELSE least(48, greatest(1, ceil({length} / 30.0)::int - :slack)) END"
    )


# Lower is better: a kilometre weighs as much as a hall of twice the size, or as ten euros an hour.
FITNESS = """
    coalesce(distance, 0) / 1000.0
    + CASE WHEN CAST(:people_or_null AS int) IS NULL THEN 0 WHEN capacity IS NULL THEN 1.5
           ELSE least(4, ln(greatest(capacity, 1)::float / greatest(CAST(:people_or_null AS int), 1)) / ln(2)) END
    + least(4, coalesce(amount_minor, 2000) / 1000.0)
    + CASE WHEN approval = 'instant' THEN 0 ELSE 0.5 END
"""
ORDERS = {
    "best": FITNESS,
    "nearest": "distance NULLS LAST",
    "cheapest": "amount_minor NULLS LAST",
    "largest": "capacity DESC NULLS LAST",
}


VIEWPOINT_COUNTS = ", ".join(
    f"'{code}', count(*) FILTER (WHERE {viewpoint_sql(code, 'accessibility', 'accessibility_lacks')})"
    for code in VIEWPOINTS
)
# Counts of each property among the matches, free or not, and where they lie.
FACETS = f"""
    (SELECT jsonb_object_agg(kind, n) FROM (SELECT kind, count(*) n FROM matched GROUP BY kind) t) AS kinds,
    (SELECT jsonb_object_agg(approval, n) FROM (SELECT approval, count(*) n FROM matched GROUP BY approval) t) AS approval,
    (SELECT jsonb_object_agg(owner_kind, n) FROM (SELECT owner_kind, count(*) n FROM matched GROUP BY owner_kind) t)
        AS owner_kinds,
    (SELECT jsonb_object_agg(code, n)
     FROM (SELECT code, count(*) n FROM matched, unnest(accessibility) code GROUP BY code) t) AS accessibility,
    (SELECT jsonb_build_object({VIEWPOINT_COUNTS}) FROM matched) AS viewpoints,
    (SELECT jsonb_build_object('0', count(*) FILTER (WHERE amount_minor = 0),
                               '2000', count(*) FILTER (WHERE amount_minor <= 2000),
                               '4000', count(*) FILTER (WHERE amount_minor <= 4000)) FROM matched) AS prices,
    (SELECT jsonb_agg(jsonb_build_array(lat, lon))
     FROM (SELECT DISTINCT lat, lon FROM matched WHERE lat IS NOT NULL LIMIT :dots) t) AS dots
"""
FACET_NAMES = ("kinds", "approval", "owner_kinds", "accessibility", "viewpoints", "prices")


def search(
    session: Session,
    city: City,
    question: Question,
    *,
    now: datetime,
    with_facets: bool = False,
    organisation_id: int | None = None,
) -> Answer:
    """The page of spaces that answers the question, free ones first, each with exact free times.

    One statement matches, ranks and counts, with the filters' counts where asked for. The offers have the price of the
    organisation's customer group; the limit and the order by price go by the base price, which is the same for all.
    """
    limit_time(session)
    base, values = matched(question, city, now=now)
    values |= {
        "people_or_null": question.people,
        "limit": question.page_size,
        "offset": (question.page - 1) * question.page_size,
        "dots": MOST_DOTS,
    }
    row = session.execute(
        text(f"""
            WITH matched AS MATERIALIZED ({base})
            SELECT (SELECT count(*) FROM matched) AS total,
                   (SELECT count(*) FROM matched WHERE is_free) AS free,
                   (SELECT jsonb_agg(jsonb_build_array(id, is_free, distance)) FROM (
                        SELECT id, is_free, distance FROM matched
                        ORDER BY is_free DESC NULLS LAST, {ORDERS[question.sort]}, id
                        LIMIT :limit OFFSET :offset
                   ) page) AS page
                   {"," + FACETS if with_facets else ""}
        """),
        values,
    ).one()
    hits = load_hits(
        session,
        city,
        question,
        [tuple(found) for found in row.page or []],
        now=now,
        organisation_id=organisation_id,
    )
    return Answer(
        hits,
        row.total,
        row.free,
        question.page,
        question.page_size,
        facets_of_row(row) if with_facets else None,
    )


def facets(session: Session, city: City, question: Question) -> Facets:
    """The filters' counts for another question than the one answered, without the map's dots."""
    base, values = matched(replace(question, day=None), city)
    row = session.execute(
        text(f"WITH matched AS MATERIALIZED ({base}) SELECT {FACETS}"), {**values, "dots": 0}
    ).one()
    return facets_of_row(row)


def facets_of_row(row: Row[Any]) -> Facets:
    counts = {name: getattr(row, name) or {} for name in FACET_NAMES}
    return Facets(counts, [(round(lat, 5), round(lon, 5)) for lat, lon in row.dots or []])


def limit_time(session: Session) -> None:
    """No question may keep the database for longer than this, whatever was asked."""
    session.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"))


ROWS = text(f"""
    SELECT s.id, o.name, o.kind, coalesce(d.names, '{{}}'::jsonb), {PICTURES}, {ON_PLAN}
    FROM space s
    JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
    JOIN organisation o ON o.city_id = v.city_id AND o.id = v.owner_id
    LEFT JOIN district d ON d.city_id = v.city_id AND d.id = v.district_id
    WHERE s.city_id = :city_id AND s.id = ANY(:ids)
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


def load_hits(
    session: Session,
    city: City,
    question: Question,
    found: Sequence[tuple[int, bool | None, float | None]],
    *,
    now: datetime,
    organisation_id: int | None = None,
) -> list[Hit]:
    """The rows to show, with their exact calendars and the times they offer."""
    if not found:
        return []
    ids = [space_id for space_id, _, _ in found]
    spaces: dict[int, tuple[Space, Venue]] = {
        space.id: (space, venue)
        for space, venue in session.execute(
            select(Space, Venue)
            .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
            .where(Space.city_id == city.id, Space.id.in_(ids))
        )
    }
    facts = {row[0]: row for row in session.execute(ROWS, {"city_id": city.id, "ids": ids})}
    today = now.astimezone(city.zone).date()
    day = max(question.day, today) if question.day else today
    last = day + timedelta(days=LOOK_AHEAD_DAYS)
    window = Span(midnight(day - DAY, city.zone), midnight(last + DAY, city.zone))
    calendars = calendars_of(session, city.id, ids, window, city.zone)
    prices = prices_on(session, city, ids, day)
    group = group_of_prices(session, city.id, prices.values(), organisation_id)
    hits = []
    for space_id, is_free, distance in found:
        space, venue = spaces[space_id]
        _, owner_name, owner_kind, district_names, pictures, on_plan = facts[space_id]
        hit = Hit(
            space=space,
            venue=venue,
            owner_name=owner_name,
            owner_kind=owner_kind,
            district_names=district_names,
            distance_m=distance,
            is_free=is_free,
            price=prices.get(space_id),
            rules=booking_rules(space),
            calendar=calendars[space_id],
            group=group,
            pictures=pictures_of(pictures),
            on_plan=on_plan,
        )
        fill_offers(hit, question, city, day=day, last=last, now=now)
        hits.append(hit)
    return hits


def priced_offer(terms: PriceTerms, span: Span, city: City, group: str) -> Offer:
    """This time with its price for the group."""
    cost = quote(terms, span, city.zone, group=group)
    return Offer(span, cost.total.minor, terms.per == "tariff")


def fill_offers(hit: Hit, question: Question, city: City, *, day: date, last: date, now: datetime) -> None:
    """The times of the asked window, else the next ones within the look-ahead."""
    minutes = hit.rules.fitting_minutes(question.minutes)

    def priced(spans: Sequence[Span]) -> list[Offer]:
        if hit.price is None:
            return []
        return [priced_offer(hit.price, span, city, hit.group) for span in spans]

    asked = question.window(city.zone) if question.day == day else None
    if asked is not None:
        within = day_span(day, city.zone) if hit.rules.whole_days else asked
        hit.offers = priced(
            offers(hit.calendar, hit.rules, minutes=minutes, within=within, zone=city.zone, now=now)
        )
    if not hit.offers:
        after = Span(midnight(day, city.zone), midnight(last + DAY, city.zone))
        hit.next_offers = priced(
            offers(hit.calendar, hit.rules, minutes=minutes, within=after, zone=city.zone, now=now)[:40]
        )
    hit.is_free = bool(hit.offers) if question.day is not None else None


def free_of_day(calendar: SpaceCalendar, day: date, city: City) -> SpanSet:
    """When the space is free on this local day, whatever its rules say about lengths and starts."""
    return calendar.free.clipped(day_span(day, city.zone))
