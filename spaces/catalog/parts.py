"""Spaces of one venue: those that share units with each other (a hall and its halves), and the others beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from spaces.catalog.models import Space, SpaceUnit


@dataclass(frozen=True)
class VenueSpaces:
    """`parts` share units with the asked space, directly or through another, and hold it too; `others` share none.

    `units` lists the units of the parts by id, `covered` those of each part.
    """

    parts: list[Space]
    others: list[Space]
    units: list[int]
    covered: dict[int, frozenset[int]]


def venue_spaces(session: Session, space: Space) -> VenueSpaces:
    """The published spaces at the space's venue, the largest parts first."""
    rows = session.execute(
        select(Space, SpaceUnit.unit_id)
        .join(SpaceUnit, (SpaceUnit.city_id == Space.city_id) & (SpaceUnit.space_id == Space.id))
        .where(Space.city_id == space.city_id, Space.venue_id == space.venue_id, Space.state == "published")
        .order_by(Space.id, SpaceUnit.unit_id)
    ).all()
    spaces = {row.Space.id: row.Space for row in rows}
    covered: dict[int, set[int]] = {}
    for found, unit_id in rows:
        covered.setdefault(found.id, set()).add(unit_id)
    together = connected(space.id, covered)
    parts = sorted((spaces[i] for i in together), key=lambda s: (-len(covered[s.id]), s.id))
    return VenueSpaces(
        parts=parts if len(parts) > 1 else [],
        others=[found for found in spaces.values() if found.id not in together and found.id != space.id],
        units=sorted(set().union(*(covered[i] for i in together))) if together else [],
        covered={i: frozenset(covered[i]) for i in together},
    )


def connected(first: int, covered: dict[int, set[int]]) -> set[int]:
    """The spaces that cannot all be booked independently of `first`."""
    if first not in covered:
        return set()
    found, waiting = {first}, [first]
    while waiting:
        units = covered[waiting.pop()]
        near: Sequence[int] = [i for i, others in covered.items() if i not in found and others & units]
        found.update(near)
        waiting.extend(near)
    return found
