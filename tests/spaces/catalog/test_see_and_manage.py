"""Who sees a space, and who runs a place."""

from dataclasses import replace

import pytest

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from spaces.catalog.errors import NotYourVenue, SpaceNotFound, VenueNotFound
from spaces.catalog.policy import may_manage, require_may_manage
from spaces.catalog.queries import (
    address_keys,
    known_places,
    published_spaces_of,
    space_for,
    units_of_space,
    venue_of_id,
)
from tests.factories.spaces import make_space, make_unit, make_venue


def test_a_published_space_is_seen_by_anyone(session, city: City) -> None:
    venue = make_venue(session, city)
    space = make_space(session, venue)
    found, its_venue = space_for(session, space.id, actor=Actor(city.id))
    assert (found.id, its_venue.id) == (space.id, venue.id)
    with pytest.raises(SpaceNotFound):
        space_for(session, space.id, actor=Actor(city.id + 1))


@pytest.mark.parametrize("state", ["draft", "archived"])
def test_what_is_not_published_is_for_those_who_run_the_place(session, city: City, state: str) -> None:
    venue = make_venue(session, city)
    space = make_space(session, venue, state=state)
    host = Actor(city.id, person_id=1, roles={venue.owner_id: "manager"})
    for stranger in (Actor(city.id), replace(host, roles={venue.owner_id: "booker"})):
        with pytest.raises(SpaceNotFound):
            space_for(session, space.id, actor=stranger)
    assert space_for(session, space.id, actor=host)[0].id == space.id
    assert space_for(session, space.id, actor=Actor(city.id, person_id=1, is_staff=True))[0].id == space.id
    assert list(published_spaces_of(session, city.id, venue.id)) == []


def test_only_managers_and_staff_run_a_place(session, city: City) -> None:
    venue = make_venue(session, city)
    assert may_manage(Actor(city.id, roles={venue.owner_id: "manager"}), venue)
    assert not may_manage(Actor(city.id + 1, is_staff=True), venue)
    with pytest.raises(NotYourVenue):
        require_may_manage(Actor(city.id), venue)


def test_reads_of_a_venue(session, city: City) -> None:
    venue = make_venue(session, city)
    halves = [make_unit(session, venue), make_unit(session, venue)]
    space = make_space(session, venue, units=halves)
    assert [unit.id for unit in units_of_space(session, city.id, space.id)] == [unit.id for unit in halves]
    assert venue_of_id(session, city.id, venue.id).id == venue.id
    assert [place.streets for place in known_places(session, city.id)] == [{"fi": "Toinen linja 1"}]
    with pytest.raises(VenueNotFound):
        venue_of_id(session, city.id, 0)


@pytest.mark.parametrize(
    ("street", "keys"),
    [
        ("Viides linja 11", ["viides linja 11"]),
        ("Antti Korpin tie 3 a", ["antti korpin tie 3a", "antti korpin tie 3"]),
        ("Vähäntuvantie 4a", ["vähäntuvantie 4a", "vähäntuvantie 4"]),
        ("Arabianpolku 1 A 2", ["arabianpolku 1a", "arabianpolku 1"]),
        ("Kauppakatu 2-4", ["kauppakatu 2"]),
        ("Narinkka", []),
        ("", []),
    ],
)
def test_addresses_are_compared_by_street_and_number(street: str, keys: list[str]) -> None:
    assert address_keys(street) == keys
