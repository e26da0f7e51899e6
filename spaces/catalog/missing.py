"""What a listing still lacks to be booked; for the desk."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.calendar.models import OpeningException, OpeningRule
from spaces.catalog.models import Space
from spaces.pricing.queries import prices_on


def missing_parts(session: Session, city: City, space: Space, *, today: date) -> list[str]:
    """The desk's endpoints that want a visit: without hours or a price nobody can book."""
    missing = []
    if not any(
        session.scalar(select(table.id).where(table.city_id == city.id, table.space_id == space.id).limit(1))
        for table in (OpeningRule, OpeningException)
    ):
        missing.append("hours.week")
    if space.id not in prices_on(session, city, [space.id], today):
        missing.append("prices.list")
    return missing
