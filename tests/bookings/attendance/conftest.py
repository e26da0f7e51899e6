"""A house with check-in, and the people of the desk's tests."""

from sqlalchemy.orm import Session

from bookings.attendance.models import SpaceAttendance
from marketplace.cities.models import City
from spaces.catalog.models import Space
from tests.bookings.desk.conftest import client_of, owner, persona, venue
from tests.factories.bookings import NOW

__all__ = ["ask_to_check_in", "client_of", "owner", "persona", "venue"]


def ask_to_check_in(
    session: Session, city: City, space: Space, mode: str = "required", minutes: int = 15
) -> SpaceAttendance:
    """The space's rule, in force for all bookings of the tests."""
    rule = SpaceAttendance(
        city_id=city.id,
        space_id=space.id,
        mode=mode,
        release_minutes=minutes,
        since=NOW,
        poster_token=f"poster-{space.id}",
    )
    session.add(rule)
    session.flush()
    return rule
