"""The search: one statement that matches facts, rules out by day sheets, ranks and counts; then the exact free times of
the rows that are shown."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from marketplace import clock
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.errors import Unavailable
from marketplace.geo import to_metric
from marketplace.timespan import Span, day_span
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import DAY, BookingRules, SpaceCalendar, midnight, offers
from spaces.catalog.accessibility import VIEWPOINTS, viewpoint_sql
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import ON_PLAN
from spaces.photos.queries import PICTURES, pictures_of
from spaces.photos.rules import Picture
from spaces.pricing.queries import group_of_prices, prices_on
from spaces.pricing.rules import PriceTerms, quote
from spaces.search.areas import metric_polygon
from spaces.search.familiar import Use
from spaces.search.question import Question
from spaces.search.reasons import Match, Reason, among, reasons
from spaces.search.spelling import text_sql
from spaces.search.windows import Window, window_sql
from spaces.search.words import meanings

# How many days after the asked one are looked through for the next free times.
LOOK_AHEAD_DAYS = 14
STATEMENT_TIMEOUT_MS = 2000
# Near a place so many matches are looked at; whoever sees five hundred nearer ones does not ask for the next.
MOST_NEAR = 500
# Who wants the soonest of all without saying when is answered by these days.
SOON_DAYS = 7
# Of a window of several days so many are shown, the first that are free.
MOST_FREE_DAYS = 4


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
    free_days: int = 0  # how many days of the window the offers are of
    reasons: list[Reason] = field(default_factory=list)  # what tells most first


@dataclass
class Answer:
    """The hits of one page, how many there are in all, and how many of those are free when asked."""

    hits: list[Hit]
    total: int
    free: int
    page: int
    page_size: int
    facets: "Facets | None" = None
    is_more: bool = False  # there are more matches than the nearest ones that were looked at

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.page_size))


@dataclass(frozen=True)
class Facets:
    """How many matches have each property."""

    counts: dict[str, dict[str, int]]


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
        by_text = text_sql(f"CAST(:w{n} AS text)")
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
    if question.district_ids:
        values["district_ids"] = sorted(question.district_ids)
        conditions.append("v.district_id = ANY(CAST(:district_ids AS bigint[]))")
    if question.venue_id is not None:
        values["venue_id"] = question.venue_id
        conditions.append("s.venue_id = :venue_id")
    if question.space_ids:
        values["ids"] = list(question.space_ids)
        conditions.append("s.id = ANY(CAST(:ids AS bigint[]))")
    if question.bbox is not None:
        values |= dict(zip(("west", "south", "east", "north"), question.bbox, strict=True))
        conditions.append("v.lon BETWEEN :west AND :east AND v.lat BETWEEN :south AND :north")
    if question.area:
        values["area"] = metric_polygon(question.area, crs=city.metric_crs)
        conditions.append("v.position <@ CAST(:area AS polygon)")
    return conditions, values


def matched(
    question: Question, city: City, *, now: datetime | None = None, with_facts: bool = True
) -> tuple[str, dict[str, Any]]:
    """SQL of a table `matched` (one row a space) for this question, and its parameters; without facts, prices and owners
    are null where neither the question nor its order asks for them.

    With a place only the MOST_NEAR nearest matches and one more are looked at, however large the city. With `now`, what
    a notice or a horizon keeps from being booked then does not count as free.
    """
    conditions, values = conditions_of(question, city)
    distance, near = "NULL::float8", ""
    if question.place is not None:
        values["x"], values["y"] = to_metric(question.place.lon, question.place.lat, crs=city.metric_crs)
        distance = "v.position <-> point(:x, :y)"
        near = "ORDER BY v.position <-> point(:x, :y) LIMIT :most_near"
        values["most_near"] = MOST_NEAR + 1
    window = None
    slots = "1"
    if question.day is not None:
        window = Window(question.days, question.start_minute, question.end_minute)
    elif question.sort == "soonest":
        window = Window([values["day"] + n * DAY for n in range(SOON_DAYS)], 0, 1440)
    if window is not None:
        values |= {"asked": question.minutes or 0, "slack": window.slack(city.zone)}
        slots = slots_sql()
    priced = with_facts or question.max_price_minor is not None or question.sort in {"best", "cheapest"}
    owned = with_facts or bool(question.owner_kinds)
    base = f"""
        SELECT s.city_id, s.id, s.notice_minutes, s.horizon_days, s.capacity, s.kind, s.approval, s.purposes,
               {"o.kind" if owned else "NULL::text"} AS owner_kind, v.accessibility, v.accessibility_lacks, v.lat, v.lon, v.district_id,
               {"p.amount_minor" if priced else "NULL::int AS amount_minor"}, {distance} AS distance, {slots} AS k
        FROM space s
        JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
        {OWNERS if owned else ""}
        {(PRICE_OF_ONE if near else PRICES) if priced else ""}
        WHERE {" AND ".join(conditions)}
        {near or "OFFSET 0"}
    """
    if window is None:
        return f"SELECT {COLUMNS}, NULL::boolean AS is_free, NULL::float8 AS soonest FROM ({base}) b", values
    sql, more = window_sql(base, COLUMNS, window, city.zone, now=now)
    if question.day is None:
        sql = f"SELECT {COLUMNS}, NULL::boolean AS is_free, soonest FROM ({sql}) b"
    return sql, values | more


# What is known of a match beside whether it is free.
COLUMNS = (
    "id, capacity, kind, approval, purposes, owner_kind, accessibility, accessibility_lacks, lat, lon, district_id,"
    " amount_minor, distance"
)
OWNERS = "JOIN organisation o ON o.city_id = v.city_id AND o.id = v.owner_id"
# The price list in force: of all spaces at once, or by the index where few are looked at.
PRICES = """
    LEFT JOIN (
        SELECT DISTINCT ON (space_id) space_id, amount_minor FROM price
        WHERE city_id = :city_id AND valid_from <= :day ORDER BY space_id, valid_from DESC
    ) p ON p.space_id = s.id
"""
PRICE_OF_ONE = """
    LEFT JOIN LATERAL (
        SELECT amount_minor FROM price
        WHERE city_id = s.city_id AND space_id = s.id AND valid_from <= :day ORDER BY valid_from DESC LIMIT 1
    ) p ON true
"""


def slots_sql() -> str:
    """Half hours that a booking of the asked length needs in this space; a whole-day space needs one."""
    length = "least(ceil(greatest(:asked, s.min_minutes) / s.interval_minutes::float) * s.interval_minutes, greatest(s.max_minutes / s.interval_minutes * s.interval_minutes, s.min_minutes))"
    return (
        f"CASE WHEN s.whole_days THEN 1 ELSE least(48, greatest(1, ceil({length} / 30.0)::int - :slack)) END"
    )


# Lower is better: a kilometre weighs as much as a hall of twice the size, or as ten euros an hour; where somebody has
# been before, a kilometre and a half is as good as near.
FITNESS = """
    coalesce(distance, 0) / 1000.0
    + CASE WHEN CAST(:people_or_null AS int) IS NULL THEN 0 WHEN capacity IS NULL THEN 1.5
           ELSE least(4, ln(greatest(capacity, 1)::float / greatest(CAST(:people_or_null AS int), 1)) / ln(2)) END
    + least(4, coalesce(amount_minor, 2000) / 1000.0)
    + CASE WHEN approval = 'instant' THEN 0 ELSE 0.5 END
    - CASE WHEN id = ANY(CAST(:familiar AS bigint[])) THEN 1.5 ELSE 0 END
"""
ORDERS = {
    "best": FITNESS,
    "nearest": "distance NULLS LAST",
    "cheapest": "amount_minor NULLS LAST",
    "largest": "capacity DESC NULLS LAST",
    "soonest": "soonest NULLS LAST",
}


VIEWPOINT_COUNTS = ", ".join(
    f"'{code}', count(*) FILTER (WHERE {viewpoint_sql(code, 'accessibility', 'accessibility_lacks')})"
    for code in VIEWPOINTS
)
# Counts of each property among the matches, free or not.
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
    (SELECT jsonb_object_agg(district_id, n)
     FROM (SELECT district_id, count(*) n FROM matched WHERE district_id IS NOT NULL GROUP BY district_id) t) AS districts
"""
FACET_NAMES = ("kinds", "approval", "owner_kinds", "accessibility", "viewpoints", "prices", "districts")


def search(
    session: Session,
    city: City,
    question: Question,
    *,
    now: datetime,
    with_facets: bool = False,
    organisation_id: int | None = None,
    used: Mapping[int, Use] | None = None,
) -> Answer:
    """The page of spaces that answers the question, free ones first, each with exact free times.

    One statement matches, ranks and counts, with the filters' counts where asked for. The offers have the price of the
    organisation's customer group; the limit and the order by price go by the base price, which is the same for all.
    `used` are the spaces that the one who asks knows: they come sooner in the best order, and say so.
    """
    used = used or {}
    row = ranked(session, city, question, now=now, with_facets=with_facets, familiar=used)
    hits = load_hits(
        session,
        city,
        question,
        [tuple(found) for found in row.page or []],
        now=now,
        organisation_id=organisation_id,
    )
    explain(hits, question, used, total=row.total)
    return Answer(
        hits,
        min(row.total, MOST_NEAR) if question.place is not None else row.total,
        row.free,
        question.page,
        question.page_size,
        facets_of_row(row) if with_facets else None,
        is_more=question.place is not None and row.total > MOST_NEAR,
    )


def ranked(
    session: Session,
    city: City,
    question: Question,
    *,
    now: datetime,
    with_facets: bool = False,
    familiar: Collection[int] = (),
) -> Row[Any]:
    """The one statement of a search: `total`, `free`, and `page`, a list of (id, is_free, distance in metres)."""
    limit_time(session)
    base, values = matched(question, city, now=now, with_facts=with_facets)
    values |= {
        "people_or_null": question.people,
        "limit": question.page_size,
        "offset": (question.page - 1) * question.page_size,
        "familiar": list(familiar),
    }
    return session.execute(
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


def facets(session: Session, city: City, question: Question) -> Facets:
    """The filters' counts for another question than the one answered."""
    base, values = matched(replace(question, day=None), city)
    row = session.execute(text(f"WITH matched AS MATERIALIZED ({base}) SELECT {FACETS}"), values).one()
    return facets_of_row(row)


def facets_of_row(row: Row[Any]) -> Facets:
    return Facets({name: getattr(row, name) or {} for name in FACET_NAMES})


@contextmanager
def in_time() -> Iterator[None]:
    """Raises Unavailable where the database would take longer than `limit_time` lets it."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise Unavailable(retry_after=10) from error
        raise


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
    last = max([day + timedelta(days=LOOK_AHEAD_DAYS), *question.days[-1:]])
    window = Span(midnight(day - DAY, city.zone), midnight(last + DAY, city.zone))
    calendars = calendars_of(session, city.id, ids, window, city.zone)
    prices = prices_on(session, city, ids, day)
    group = group_of_prices(session, city.id, prices.values(), organisation_id)
    hits = []
    for space_id, is_free, distance in found:
        if space_id not in spaces or space_id not in facts:
            continue  # removed since it was found
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


def explain(hits: Sequence[Hit], question: Question, used: Mapping[int, Use], *, total: int) -> None:
    """Tell of each row why it is there, beside the other rows of its page."""
    matches = [match_of(hit, used.get(hit.space.id)) for hit in hits]
    others = among(matches, question, total=total, is_first_page=question.page == 1)
    for hit, match in zip(hits, matches, strict=True):
        hit.reasons = reasons(match, question, others)


def match_of(hit: Hit, used: Use | None) -> Match:
    space, venue = hit.space, hit.venue
    first = next(iter(hit.offers or hit.next_offers), None)
    return Match(
        capacity=space.capacity,
        purposes=space.purposes,
        kind=space.kind,
        approval=space.approval,
        district_id=venue.district_id,
        distance_m=hit.distance_m,
        price_minor=None if first is None or first.is_least else first.price_minor,
        minutes=None if first is None else first.span.minutes,
        told=[
            text
            for texts in (space.names, venue.names, space.descriptions, venue.streets)
            for text in texts.values()
        ],
        used=used,
    )


def priced_offer(terms: PriceTerms, span: Span, city: City, group: str) -> Offer:
    """This time with its price for the group."""
    cost = quote(terms, span, city.zone, group=group)
    return Offer(span, cost.total.minor, terms.per == "tariff")


def fill_offers(hit: Hit, question: Question, city: City, *, day: date, last: date, now: datetime) -> None:
    """The times of the asked days, of the first that are free; else the next ones within the look-ahead."""
    minutes = hit.rules.fitting_minutes(question.minutes)

    def priced(spans: Sequence[Span]) -> list[Offer]:
        if hit.price is None:
            return []
        return [priced_offer(hit.price, span, city, hit.group) for span in spans]

    # What the sheets rule out is not looked at day by day.
    for asked_day in question.days if hit.is_free is not False else ():
        asked = replace(question, day=asked_day).window(city.zone)
        if asked is None or asked_day < day:
            continue
        within = day_span(asked_day, city.zone) if hit.rules.whole_days else asked
        found = offers(hit.calendar, hit.rules, minutes=minutes, within=within, zone=city.zone, now=now)
        if found:
            hit.offers += priced(found)
            hit.free_days += 1
        if hit.free_days == MOST_FREE_DAYS:
            break
    if not hit.offers:
        after = Span(midnight(day, city.zone), midnight(last + DAY, city.zone))
        hit.next_offers = priced(
            offers(hit.calendar, hit.rules, minutes=minutes, within=after, zone=city.zone, now=now)[:40]
        )
    hit.is_free = bool(hit.offers) if question.day is not None else None
