"""Owners with their listings, for tests of the desk."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from spaces.catalog.models import Space, Venue, VenueRole
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_space, make_venue

numbers = count(1)


@dataclass(frozen=True)
class Supplier:
    """An organisation, its manager, and a venue of it with one space."""

    organisation: Organisation
    person: Person
    venue: Venue
    space: Space
    session: Session

    @property
    def actor(self) -> Actor:
        """With the rights of this moment."""
        return actor_of(self.session, self.person)


def make_supplier(
    session: Session,
    city: City,
    *,
    kind: str = "company",
    state: str = "draft",
    person: Person | None = None,
    **fields: Any,
) -> Supplier:
    """A private supplier with a draft, unless told otherwise."""
    organisation = make_organisation(session, city, name=f"Supplier {next(numbers)}", kind=kind)
    person = person or make_person(session, city, name="Mikko Laine")
    join(session, person, organisation, "manager")
    venue = make_venue(session, city, owner=organisation)
    return Supplier(organisation, person, venue, make_space(session, venue, state=state, **fields), session)


def make_staff(session: Session, city: City) -> Actor:
    return actor_of(session, make_person(session, city, name="Sanna Heikkilä", is_staff=True))


def give(session: Session, venue: Venue, person: Person, role: str) -> Actor:
    """The person with this role at the venue."""
    session.add(VenueRole(city_id=venue.city_id, venue_id=venue.id, person_id=person.id, role=role))
    session.flush()
    return actor_of(session, person)


def space_facts(**changes: Any) -> dict[str, Any]:
    """Facts of a new space, as a form hands them over."""
    return {
        "names": {"fi": "Pieni sali", "en": "Small hall"},
        "descriptions": {},
        "instructions": {},
        "kind": "meeting_room",
        "purposes": ["meeting"],
        "equipment": [],
        "capacity": 12,
        "area_m2": None,
        "approval": "instant",
        "who": "anyone",
        "whole_days": False,
        "min_minutes": 60,
        "max_minutes": 240,
        "interval_minutes": 30,
        "buffer_before_minutes": 0,
        "buffer_after_minutes": 0,
        "notice_minutes": 0,
        "horizon_days": 180,
        "cancellation_hours": 24,
        **changes,
    }


def venue_facts(**changes: Any) -> dict[str, Any]:
    """Facts of a new venue, as a form hands them over."""
    return {
        "names": {"fi": "Laineen talo"},
        "streets": {"fi": "Vaasankatu 5"},
        "postcode": "00500",
        "locality": "Helsinki",
        "lat": 60.187,
        "lon": 24.958,
        "accessibility": [],
        **changes,
    }
