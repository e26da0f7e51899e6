"""Venues, units and spaces for tests."""

from datetime import date, time
from itertools import count

from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.geo import to_metric
from spaces.calendar.models import OpeningRule
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.pricing.models import Price
from tests.factories.people import make_organisation

numbers = count(1)
KALLIO = (24.9530, 60.1840)


def make_venue(
    session: Session,
    city: City,
    *,
    owner: Organisation | None = None,
    at: tuple[float, float] = KALLIO,
    **fields: object,
) -> Venue:
    owner = owner or make_organisation(session, city, name=f"Owner {next(numbers)}", kind="city_division")
    values: dict[str, object] = {
        "city_id": city.id,
        "owner_id": owner.id,
        "kind": "community_room",
        "names": {"fi": "Kallion talo", "sv": "Berghälls hus", "en": "Kallio house"},
        "streets": {"fi": "Toinen linja 1"},
        "lon": at[0],
        "lat": at[1],
        "position": to_metric(*at, crs=city.metric_crs),
        "source": "test",
        "external_id": str(next(numbers)),
        **fields,
    }
    venue = Venue(**values)
    session.add(venue)
    session.flush()
    return venue


def make_unit(session: Session, venue: Venue, *, lanes: int = 1) -> Unit:
    unit = Unit(
        city_id=venue.city_id,
        venue_id=venue.id,
        external_id=str(next(numbers)),
        names={"en": "Unit"},
        lanes=lanes,
    )
    session.add(unit)
    session.flush()
    return unit


def make_space(
    session: Session,
    venue: Venue,
    *,
    units: list[Unit] | None = None,
    hours: tuple[time, time] | None = (time(8), time(22)),
    price: tuple[str, int] = ("hour", 2000),
    **fields: object,
) -> Space:
    """A published space with its own unit, open every day from 8 to 22, 20 € an hour, unless told otherwise.

    Its opening is not compiled; tests of availability call `compile_space`.
    """
    values: dict[str, object] = {
        "city_id": venue.city_id,
        "venue_id": venue.id,
        "external_id": str(next(numbers)),
        "kind": "meeting_room",
        "names": {"fi": "Iso sali", "sv": "Stora salen", "en": "Big hall"},
        "capacity": 40,
        **fields,
    }
    space = Space(**values)
    session.add(space)
    session.flush()
    for unit in units or [make_unit(session, venue)]:
        session.add(SpaceUnit(city_id=venue.city_id, space_id=space.id, unit_id=unit.id))
    if hours is not None:
        session.add(
            OpeningRule(
                city_id=venue.city_id,
                space_id=space.id,
                days=[1, 2, 3, 4, 5, 6, 7],
                opens=hours[0],
                closes=hours[1],
            )
        )
    per, amount = price
    session.add(
        Price(
            city_id=venue.city_id,
            space_id=space.id,
            valid_from=date(2020, 1, 1),
            per=per,
            amount_minor=amount,
        )
    )
    session.flush()
    session.refresh(space)
    return space
