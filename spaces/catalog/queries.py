"""Reads of venues and spaces, each within one city."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, literal, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from spaces.catalog.errors import SpaceNotFound, VenueNotFound
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue, VenueRole
from spaces.catalog.policy import may_manage, may_see

HOUSE = re.compile(
    r"^(?P<street>.*?\D)\s+(?P<number>\d+)(?:\s*-\s*\d+)?\s*(?P<letter>[a-zåäö](?![\wåäö]))?", re.IGNORECASE
)

# Whether the space `s` is a stall that is drawn on the plan of its square.
ON_PLAN = """s.kind = 'market_stall' AND EXISTS (
    SELECT 1 FROM space_unit su JOIN unit u ON u.city_id = su.city_id AND u.id = su.unit_id
    WHERE su.city_id = s.city_id AND su.space_id = s.id AND u.shape IS NOT NULL
)"""


# Made once: most pages of a space ask it.
SPACE_AND_VENUE = (
    select(Space, Venue)
    .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
    .where(Space.city_id == bindparam("city_id"), Space.id == bindparam("space_id"))
)


def space_for(session: Session, space_id: int, *, actor: Actor) -> tuple[Space, Venue]:
    """A space that the actor may see, with its venue. Raises SpaceNotFound."""
    asked = {"city_id": actor.city_id, "space_id": space_id}
    row = session.execute(SPACE_AND_VENUE, asked).one_or_none()
    if row is None or not may_see(actor, row.Space, row.Venue):
        raise SpaceNotFound
    return row.Space, row.Venue


def venue_grants(session: Session, city_id: int, person_id: int) -> dict[tuple[str, int], str]:
    """The person's roles at single venues, as an actor carries them."""
    rows = session.execute(venue_roles(city_id, person_id))
    return {(kind, venue_id): role for kind, venue_id, role in rows}


def venue_roles(city_id: Any, person_id: Any, at: Any = None) -> Select[str, int, str]:
    """The same as a query, see `marketplace.part.Grants`; they hold until they are taken back."""
    return select(literal("venue"), VenueRole.venue_id, VenueRole.role).where(
        VenueRole.city_id == city_id, VenueRole.person_id == person_id
    )


def venue_of_id(session: Session, city_id: int, venue_id: int) -> Venue:
    """Raises VenueNotFound."""
    venue = session.get(Venue, (city_id, venue_id))
    if venue is None:
        raise VenueNotFound
    return venue


def published_spaces_of(session: Session, city_id: int, venue_id: int) -> Sequence[Space]:
    """The venue's published spaces, oldest first."""
    return session.scalars(
        select(Space)
        .where(Space.city_id == city_id, Space.venue_id == venue_id, Space.state == "published")
        .order_by(Space.id)
    ).all()


def units_of_space(session: Session, city_id: int, space_id: int) -> Sequence[Unit]:
    """The units that the space covers, by id."""
    return session.scalars(
        select(Unit)
        .join(SpaceUnit, (SpaceUnit.city_id == Unit.city_id) & (SpaceUnit.unit_id == Unit.id))
        .where(SpaceUnit.city_id == city_id, SpaceUnit.space_id == space_id)
        .order_by(Unit.id)
    ).all()


@dataclass(frozen=True)
class KnownPlace:
    """A venue as a source of coordinates for another one at the same address."""

    names: Mapping[str, str]
    streets: Mapping[str, str]
    postcode: str | None
    lon: float
    lat: float


def known_places(session: Session, city_id: int) -> list[KnownPlace]:
    """All venues with a point, oldest first."""
    rows = session.execute(
        select(Venue.names, Venue.streets, Venue.postcode, Venue.lon, Venue.lat)
        .where(Venue.city_id == city_id, Venue.lon.is_not(None))
        .order_by(Venue.id)
    )
    return [
        KnownPlace(names, streets, postcode, lon, lat)
        for names, streets, postcode, lon, lat in rows
        if lon is not None and lat is not None
    ]


def address_keys(street: str) -> list[str]:
    """Ways to compare a street address, the exact one first: with house letter, then by number alone.

    "Antti Korpin tie 3 a" gives "antti korpin tie 3a" and "antti korpin tie 3"; a staircase and flat are left out.
    """
    match = HOUSE.match(" ".join(street.split()))
    if match is None:
        return []
    plain = f"{match['street'].strip().casefold()} {match['number']}"
    return [plain + match["letter"].casefold(), plain] if match["letter"] else [plain]


def space_managed_by(session: Session, actor: Actor, space_id: int) -> tuple[Space, Venue]:
    """A space in any state with its venue, for one who runs the place. Raises SpaceNotFound for everyone else: whether a
    draft exists is its owner's business."""
    space, venue = space_for(session, space_id, actor=actor)
    if not may_manage(actor, venue):
        raise SpaceNotFound
    return space, venue


def is_on_plan(session: Session, space: Space) -> bool:
    """Whether the space is a stall that is drawn on the plan of its square."""
    if space.kind != "market_stall":
        return False
    values = {"city_id": space.city_id, "id": space.id}
    found = session.scalar(
        text(f"SELECT {ON_PLAN} FROM space s WHERE s.city_id = :city_id AND s.id = :id"), values
    )
    return bool(found)
