"""What the night does: the compiled horizon moves on by a day."""

from sqlalchemy import select

from marketplace.cities.models import City
from marketplace.db import transaction
from spaces.calendar.actions import CHUNK, compile_spaces
from spaces.catalog.models import Space


def extend_calendars() -> None:
    """Compile the openings of every space to its horizon. Only what differs is written, a chunk a transaction."""
    with transaction() as session:
        cities = session.scalars(select(City)).all()
    for city in cities:
        with transaction() as session:
            ids = session.scalars(
                select(Space.id).where(Space.city_id == city.id, Space.state != "archived").order_by(Space.id)
            ).all()
        for at in range(0, len(ids), CHUNK):
            with transaction() as session:
                compile_spaces(session, city, ids[at : at + CHUNK])
