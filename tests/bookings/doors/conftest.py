"""A lock that fails when told to, in the place of a vendor's, and the people of the desk's tests."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bookings.doors.models import SpaceDoor
from bookings.doors.providers import LOCK_PROVIDERS, Grant, Issued, ProviderDown
from marketplace.cities.models import City
from marketplace.part import Part
from spaces.catalog.models import Space, Venue
from tests.bookings.desk.conftest import client_of, owner, persona, venue
from tests.factories.bookings import open_space

__all__ = ["client_of", "owner", "persona", "set_up_door", "venue"]


@dataclass
class FakeLock:
    """Keeps what it has made by the grant's id; `failures` is how many of the next calls fail."""

    failures: int = 0
    made: dict[int, Grant] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)

    def answer(self, verb: str, grant: Grant) -> None:
        self.calls.append((verb, grant.id))
        if self.failures:
            self.failures -= 1
            raise ProviderDown("the vendor answered 503")

    def issue(self, grant: Grant) -> Issued:
        self.answer("issue", grant)
        self.made[grant.id] = grant
        return Issued(f"{grant.id:04d}", f"lock-{grant.id}")

    def change(self, grant: Grant) -> Issued:
        self.answer("change", grant)
        self.made[grant.id] = grant
        return Issued(f"{grant.id:04d}", f"lock-{grant.id}")

    def revoke(self, grant: Grant) -> None:
        self.answer("revoke", grant)
        self.made.pop(grant.id, None)


@pytest.fixture
def lock(app: Flask) -> Iterator[FakeLock]:
    """The vendor "fake", which a part brings for the time of the test."""
    known = app.extensions["parts"]
    fake = FakeLock()
    app.extensions["parts"] = [*known, Part(name="vendor", ports={LOCK_PROVIDERS: {"fake": fake}})]
    yield fake
    app.extensions["parts"] = known


def set_up_door(session: Session, city: City, space: Space, **fields: object) -> SpaceDoor:
    values: dict[str, object] = {
        "city_id": city.id,
        "space_id": space.id,
        "method": "code",
        "provider": "static",
        "texts": {"en": "The blue door."},
        **fields,
    }
    door = SpaceDoor(**values)
    session.add(door)
    session.flush()
    return door


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    return open_space(session, city, venue)
