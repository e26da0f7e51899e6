"""Cheap counts for the search's surroundings: no rows, no exact times."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.search.queries import matched
from spaces.search.question import Question


@dataclass(frozen=True)
class Count:
    """How many spaces match, and how many of those may be free when asked."""

    total: int
    free: int


def count_matches(session: Session, city: City, question: Question, *, now: datetime) -> Count:
    base, values = matched(question, city, now=now)
    row = session.execute(
        text(f"SELECT count(*) AS total, count(*) FILTER (WHERE is_free) AS free FROM ({base}) matched"),
        values,
    ).one()
    return Count(row.total, row.free)


def free_by_district(session: Session, city: City, question: Question, *, now: datetime) -> dict[int, int]:
    """How many matching spaces of each district may be free when asked; districts without any are left out."""
    base, values = matched(question, city, now=now)
    rows = session.execute(
        text(f"""
            SELECT v.district_id, count(*) FROM ({base}) matched
            JOIN space s ON s.city_id = :city_id AND s.id = matched.id
            JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
            WHERE matched.is_free AND v.district_id IS NOT NULL
            GROUP BY v.district_id
        """),
        values,
    )
    return {district_id: count for district_id, count in rows}
