"""Reads of the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bookings.waiting.errors import EntryNotFound
from bookings.waiting.models import WaitingEntry
from bookings.waiting.rules import IN_LINE
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from spaces.catalog.models import Space, SpaceUnit, Venue


@dataclass(frozen=True)
class Waiting:
    """An entry with what its pages and mails show."""

    entry: WaitingEntry
    space: Space
    venue: Venue
    person: Person


def waiting_of(session: Session, city_id: int, entry_id: int) -> Waiting:
    """Raises EntryNotFound."""
    row = session.execute(
        select(WaitingEntry, Space, Venue, Person)
        .join(Space, (Space.city_id == WaitingEntry.city_id) & (Space.id == WaitingEntry.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(Person, (Person.city_id == WaitingEntry.city_id) & (Person.id == WaitingEntry.person_id))
        .where(WaitingEntry.city_id == city_id, WaitingEntry.id == entry_id)
    ).one_or_none()
    if row is None:
        raise EntryNotFound
    return Waiting(*row)


def own_entries(session: Session, actor: Actor) -> list[Waiting]:
    """Where the actor stands in line, the next window first."""
    rows = session.execute(
        select(WaitingEntry, Space, Venue, Person)
        .join(Space, (Space.city_id == WaitingEntry.city_id) & (Space.id == WaitingEntry.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(Person, (Person.city_id == WaitingEntry.city_id) & (Person.id == WaitingEntry.person_id))
        .where(
            WaitingEntry.city_id == actor.city_id,
            WaitingEntry.person_id == actor.person_id,
            WaitingEntry.state.in_(IN_LINE),
        )
        .order_by(func.lower(WaitingEntry.within), WaitingEntry.id)
    )
    return [Waiting(*row) for row in rows]


def place_in_line(session: Session, entry: WaitingEntry) -> int:
    """1 for the next one: how many wait for a time of this space that meets the entry's, up to itself."""
    count = session.scalar(
        select(func.count())
        .select_from(WaitingEntry)
        .where(
            WaitingEntry.city_id == entry.city_id,
            WaitingEntry.space_id == entry.space_id,
            WaitingEntry.state.in_(IN_LINE),
            WaitingEntry.id <= entry.id,
            WaitingEntry.within.op("&&")(func.tstzrange(entry.window.start, entry.window.end)),
        )
    )
    return count or 1


def count_in_line(session: Session, city_id: int, person_id: int) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(WaitingEntry)
            .where(
                WaitingEntry.city_id == city_id,
                WaitingEntry.person_id == person_id,
                WaitingEntry.state.in_(IN_LINE),
            )
        )
        or 0
    )


def spaces_sharing_units(session: Session, city_id: int, space_id: int) -> Sequence[int]:
    """This space and every other that a claim of it blocks."""
    units = select(SpaceUnit.unit_id).where(SpaceUnit.city_id == city_id, SpaceUnit.space_id == space_id)
    return session.scalars(
        select(SpaceUnit.space_id)
        .where(SpaceUnit.city_id == city_id, SpaceUnit.unit_id.in_(units))
        .distinct()
    ).all()


def line_of(
    session: Session, city_id: int, space_ids: Sequence[int] | None, *, at: datetime, limit: int = 200
) -> Sequence[WaitingEntry]:
    """Those who still wait, in the order of the line; of all spaces where `space_ids` is None."""
    which = [
        WaitingEntry.city_id == city_id,
        WaitingEntry.state == "waiting",
        func.upper(WaitingEntry.within) > at,
    ]
    if space_ids is not None:
        which.append(WaitingEntry.space_id.in_(list(space_ids)))
    return session.scalars(select(WaitingEntry).where(*which).order_by(WaitingEntry.id).limit(limit)).all()


def locked_entry(session: Session, entry: WaitingEntry) -> WaitingEntry:
    session.flush()
    session.refresh(entry, with_for_update=True)
    return entry


def lock_line(session: Session, city: City) -> None:
    """One looks for the next in line at a time in a city, so that nobody is passed over."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('waiting-line', :city_id))"), {"city_id": city.id}
    )
