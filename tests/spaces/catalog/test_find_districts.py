"""Venues and the districts they lie in."""

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.jobs.messages import Message
from spaces.catalog.actions import assign_districts
from spaces.catalog.jobs import find_districts_anew
from spaces.catalog.models import Venue
from tests.factories.districts import make_district
from tests.factories.spaces import make_venue


def test_venues_find_their_district_by_geometry(session, city: City) -> None:
    kallio = make_district(session, city, at=(24.95, 60.18), half=0.01)
    other = make_district(session, city, at=(24.98, 60.18), half=0.01)
    inside = make_venue(session, city, at=(24.951, 60.181))
    beside = make_venue(session, city, at=(24.992, 60.18))
    nowhere = make_venue(session, city, at=(25.2, 60.3))
    pointless = make_venue(session, city, at=(24.951, 60.181), lon=None, lat=None, position=None)
    assert assign_districts(session, city) == 2
    session.expire_all()
    found = [session.get(Venue, (city.id, v.id)).district_id for v in (inside, beside, nowhere, pointless)]
    assert found == [kallio.id, other.id, None, None]
    assert assign_districts(session, city) == 0
    assert assign_districts(session, city, [inside.id]) == 0


def test_new_outlines_move_venues(session, city: City) -> None:
    venue = make_venue(session, city, at=(24.951, 60.181))
    district = make_district(session, city, at=(24.95, 60.18))
    message = Message("districts.changed", city.id, {"kind": "district"})
    for _ in range(2):
        find_districts_anew(session, message)
    session.expire_all()
    assert session.get(Venue, (city.id, venue.id)).district_id == district.id


def test_other_kinds_of_areas_move_nothing(session, city: City) -> None:
    venue = make_venue(session, city, at=(24.951, 60.181))
    make_district(session, city, at=(24.95, 60.18))
    find_districts_anew(session, Message("districts.changed", city.id, {"kind": "postal"}))
    session.expire_all()
    assert session.get(Venue, (city.id, venue.id)).district_id is None
    assert Actor(city.id).city_id == city.id
