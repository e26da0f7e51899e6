"""Equipment for tests, made by the action itself."""

from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from spaces.catalog.models import Space, Venue
from spaces.equipment.actions import AskedExtra, add_extra
from spaces.equipment.models import Extra
from tests.factories.bookings import NOW

numbers = count(1)


def make_extra(session: Session, city: City, spaces: list[Space], *, stock: int = 3, **fields: Any) -> Extra:
    """Free tables, offered with these spaces of one venue, unless told otherwise."""
    venue = session.get_one(Venue, (city.id, spaces[0].venue_id))
    values: dict[str, Any] = {"names": {"fi": "Pöydät", "sv": "Bord", "en": "Tables"}, **fields}
    asked = AskedExtra(stock=stock, space_ids=frozenset(space.id for space in spaces), **values)
    staff = Actor(city.id, source="test", is_staff=True)
    return add_extra(session, city, venue, asked, submission=f"extra-{next(numbers)}", actor=staff, at=NOW)
