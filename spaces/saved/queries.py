"""Reads of saved searches, and how freed time finds those that it concerns."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from marketplace.accounts.queries import roles_of
from marketplace.cities.models import City
from marketplace.db import span_of
from spaces.calendar.models import FreedClaim
from spaces.catalog.models import SpaceUnit
from spaces.saved.errors import SearchNotFound
from spaces.saved.looking import Freed
from spaces.saved.models import SavedSearch
from spaces.search.queries import LOOK_AHEAD_DAYS, limit_time

# A look at everything is repeated so often at most.
SWEEP_EVERY = timedelta(hours=1)
# One search looks at so many freed spaces at a time; what is beyond, the sweep finds.
MOST_FREED_SPACES = 200


def saved_for(session: Session, actor: Actor, search_id: int, *, lock: bool = False) -> SavedSearch:
    """The person's own search. Raises SearchNotFound, also for one of somebody else."""
    query = select(SavedSearch).where(
        SavedSearch.city_id == actor.city_id,
        SavedSearch.id == search_id,
        SavedSearch.person_id == actor.person_id,
    )
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise SearchNotFound
    return found


def own_searches(session: Session, actor: Actor) -> list[tuple[SavedSearch, str | None]]:
    """The person's searches with the organisation's name where one is asked for, the newest first."""
    rows = session.execute(
        select(SavedSearch, Organisation.name)
        .outerjoin(
            Organisation,
            (Organisation.city_id == SavedSearch.city_id) & (Organisation.id == SavedSearch.organisation_id),
        )
        .where(SavedSearch.city_id == actor.city_id, SavedSearch.person_id == actor.person_id)
        .order_by(SavedSearch.created_at.desc(), SavedSearch.id.desc())
    )
    return [(row[0], row[1]) for row in rows]


def locked_search(
    session: Session, city_id: int, search_id: int, *, wait: bool = False
) -> SavedSearch | None:
    """The search, for a job to write in; None where it is gone, or where another job has it already."""
    return session.scalar(
        select(SavedSearch)
        .where(SavedSearch.city_id == city_id, SavedSearch.id == search_id)
        .with_for_update(skip_locked=not wait)
    )


def reader_of(session: Session, saved: SavedSearch) -> tuple[Person, int | None]:
    """Whose search it is, and the organisation whose prices they see while they may book for it."""
    person = session.get_one(Person, (saved.city_id, saved.person_id))
    if saved.organisation_id is None:
        return person, None
    role = roles_of(session, saved.city_id, saved.person_id).get(saved.organisation_id)
    return person, saved.organisation_id if role in {"booker", "manager"} else None


# Every condition here is one that the question has too, and the question is asked afterwards: this only rules out.
MATCHING = text("""
    WITH freed AS MATERIALIZED (
        SELECT su.space_id, f.first, f.last, f.from_minute, f.to_minute
        FROM (
            SELECT DISTINCT unit_id, starts::date AS first, ends::date AS last,
                   CASE WHEN starts::date = ends::date
                        THEN extract(hour FROM starts)::int * 60 + extract(minute FROM starts)::int ELSE 0 END AS from_minute,
                   CASE WHEN starts::date = ends::date
                        THEN extract(hour FROM ends)::int * 60 + extract(minute FROM ends)::int + 1 ELSE 1440 END AS to_minute
            FROM (
                SELECT unit_id, lower(during) AT TIME ZONE :zone AS starts,
                       (upper(during) - interval '1 microsecond') AT TIME ZONE :zone AS ends
                FROM freed_claim WHERE city_id = :city_id AND batch = :batch AND upper(during) > :now
            ) claims
        ) f JOIN space_unit su ON su.city_id = :city_id AND su.unit_id = f.unit_id
    ), places AS MATERIALIZED (
        SELECT s.id, min(f.first) AS first, max(f.last) AS last,
               min(f.from_minute) AS from_minute, max(f.to_minute) AS to_minute,
               s.capacity, s.kind, s.whole_days, v.district_id, v.lon, v.lat
        FROM freed f
        JOIN space s ON s.city_id = :city_id AND s.id = f.space_id AND s.state = 'published'
        JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
        GROUP BY s.id, f.first, s.capacity, s.kind, s.whole_days, v.district_id, v.lon, v.lat
    )
    SELECT ss.id, array_agg(DISTINCT p.id) AS space_ids
    FROM saved_search ss JOIN places p
      ON daterange(ss.first_day, ss.last_day, '[]') && daterange(p.first, p.last, '[]')
     AND (ss.first_day IS NOT NULL OR p.first <= :horizon)
     AND (p.whole_days OR ss.start_minute < p.to_minute AND ss.end_minute > p.from_minute)
     AND (ss.people IS NULL OR p.capacity IS NULL OR p.capacity >= ss.people)
     AND (ss.kinds IS NULL OR p.kind = ANY(ss.kinds))
     AND (ss.district_ids IS NULL OR p.district_id = ANY(ss.district_ids))
     AND (ss.bbox IS NULL OR p.lon BETWEEN ss.bbox[1] AND ss.bbox[3] AND p.lat BETWEEN ss.bbox[2] AND ss.bbox[4])
    WHERE ss.city_id = :city_id AND ss.notify AND NOT ss.is_wide AND ss.ends_on >= :today
      AND ss.seen_batch IS DISTINCT FROM :batch
    GROUP BY ss.id ORDER BY min(ss.checked_at) NULLS FIRST, ss.id
""")


def matching(session: Session, city: City, batch: int, *, at: datetime) -> list[tuple[int, list[int]]]:
    """(search, freed spaces) of the searches that this batch of freed claims may concern and that have not seen it yet,
    the one that was looked at longest ago first."""
    limit_time(session)
    today = at.astimezone(city.zone).date()
    values = {
        "city_id": city.id,
        "batch": batch,
        "zone": city.time_zone,
        "now": at,
        "today": today,
        "horizon": today + timedelta(days=LOOK_AHEAD_DAYS),
    }
    return [
        (search_id, space_ids[:MOST_FREED_SPACES])
        for search_id, space_ids in session.execute(MATCHING, values)
    ]


def freed_in(session: Session, city_id: int, batch: int, space_ids: Sequence[int]) -> list[Freed]:
    """The claims of a batch that were of these spaces."""
    units = select(SpaceUnit.unit_id).where(SpaceUnit.city_id == city_id, SpaceUnit.space_id.in_(space_ids))
    rows = session.scalars(
        select(FreedClaim)
        .where(FreedClaim.city_id == city_id, FreedClaim.batch == batch, FreedClaim.unit_id.in_(units))
        .order_by(FreedClaim.id)
    )
    return [
        Freed(row.holder_id, row.unit_id, row.lane, row.part, span_of(row.during), row.freed_at)
        for row in rows
    ]


UNREAD = text("""
    SELECT DISTINCT su.space_id FROM freed_claim f
    JOIN space_unit su ON su.city_id = f.city_id AND su.unit_id = f.unit_id
    WHERE f.city_id = :city_id AND su.space_id = ANY(:space_ids)
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)))


def with_unread_news(session: Session, city_id: int, space_ids: Sequence[int]) -> set[int]:
    """Those of the spaces of which something was given back that has not been followed up yet."""
    return set(session.scalars(UNREAD, {"city_id": city_id, "space_ids": list(space_ids)}))


def due(session: Session, city_id: int, *, at: datetime, today: date, limit: int) -> list[int]:
    """Searches to look at anew in full, the one that has waited longest first."""
    return list(
        session.scalars(
            select(SavedSearch.id)
            .where(
                SavedSearch.city_id == city_id,
                SavedSearch.notify,
                SavedSearch.ends_on >= today,
                or_(SavedSearch.checked_at.is_(None), SavedSearch.checked_at <= at - SWEEP_EVERY),
            )
            .order_by(SavedSearch.checked_at.nulls_first(), SavedSearch.id)
            .limit(limit)
        )
    )


def to_tell(session: Session, city_id: int, *, at: datetime, today: date, limit: int) -> list[int]:
    """Searches with something found that may be told now, the one that has waited longest first."""
    return list(
        session.scalars(
            select(SavedSearch.id)
            .where(
                SavedSearch.city_id == city_id,
                func.cardinality(SavedSearch.found) > 0,
                SavedSearch.notify,
                SavedSearch.ends_on >= today,
                or_(SavedSearch.tell_after.is_(None), SavedSearch.tell_after <= at),
            )
            .order_by(SavedSearch.tell_after.nulls_first(), SavedSearch.id)
            .limit(limit)
        )
    )


def cities_to_look_after(session: Session) -> list[City]:
    """Cities with saved searches or with news to drop, the one that was looked at longest ago first."""
    looked = (
        select(SavedSearch.city_id, func.min(SavedSearch.checked_at).label("looked"))
        .group_by(SavedSearch.city_id)
        .subquery()
    )
    return list(
        session.scalars(
            select(City)
            .outerjoin(looked, looked.c.city_id == City.id)
            .where(
                or_(
                    looked.c.city_id.is_not(None),
                    select(FreedClaim.id).where(FreedClaim.city_id == City.id).exists(),
                )
            )
            .order_by(looked.c.looked.nulls_first(), City.id)
        )
    )
