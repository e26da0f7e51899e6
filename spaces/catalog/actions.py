"""The writers of the catalogue that are not an owner's own edits."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.catalog.models import Venue
from spaces.districts.queries import district_ids_of_points


def assign_districts(session: Session, city: City, venue_ids: Iterable[int] | None = None) -> int:
    """Give venues (all of the city's when not told which) the district they lie in; returns how many changed.

    A venue outside all districts takes the nearest within 1 km, else none.
    """
    query = select(Venue.id, Venue.district_id, Venue.lon, Venue.lat).where(
        Venue.city_id == city.id, Venue.lon.is_not(None)
    )
    if venue_ids is not None:
        query = query.where(Venue.id.in_(list(venue_ids)))
    venues = session.execute(query.order_by(Venue.id)).all()
    found = district_ids_of_points(session, city, [(venue.lon, venue.lat) for venue in venues])
    changes = [
        {"b_id": venue.id, "b_district": district_id}
        for venue, district_id in zip(venues, found, strict=True)
        if venue.district_id != district_id
    ]
    if changes:
        session.connection().execute(
            update(Venue.__table__)  # type: ignore[arg-type]
            .where(Venue.city_id == city.id, Venue.id == bindparam("b_id"))
            .values(district_id=bindparam("b_district")),
            changes,
        )
        session.expire_all()
    return len(changes)
