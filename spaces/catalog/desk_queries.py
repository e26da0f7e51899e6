"""Reads for those who run places: their listings in any state, people with a role, what waits for the city, history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Membership, Organisation, Person
from spaces.catalog import policy
from spaces.catalog.errors import SpaceNotFound, UnitNotFound, VenueNotFound
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue, VenueRole
from spaces.catalog.rules import MOVES

PAGE_SIZE = 500
MOST_HISTORY = 200
RETURNED = MOVES["submitted", "draft"]


@dataclass(frozen=True)
class Wanted:
    """Which of their listings somebody looks at; None and "" mean all."""

    words: str = ""
    state: str | None = None
    approval: str | None = None
    venue_id: int | None = None
    page: int = 1


@dataclass(frozen=True)
class Listed:
    """One row of the table of listings."""

    space: Space
    venue: Venue
    owner: str


@dataclass(frozen=True)
class Listings:
    """One page of them; `states` counts all that the other filters leave, by state."""

    rows: list[Listed]
    total: int
    states: dict[str, int]
    venues: list[tuple[int, dict[str, str]]]


def workplaces(actor: Actor, roles: frozenset[str] = policy.VIEW) -> ColumnElement[bool]:
    """The venues where the actor has one of these roles, runs the owner organisation or is the city's staff."""
    if actor.is_staff:
        return Venue.city_id == actor.city_id
    managed = [organisation_id for organisation_id in actor.roles if actor.manages(organisation_id)]
    venue_ids = [key for (kind, key), role in actor.grants.items() if kind == "venue" and role in roles]
    return and_(Venue.city_id == actor.city_id, or_(Venue.owner_id.in_(managed), Venue.id.in_(venue_ids)))


def has_workplace(session: Session, actor: Actor) -> bool:
    return session.scalar(select(Venue.id).where(workplaces(actor)).limit(1)) is not None


def listings_of(session: Session, actor: Actor, wanted: Wanted) -> Listings:
    """The listings at the actor's workplaces, by venue and name."""
    same_venue = (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id)
    mine = workplaces(actor)
    chosen = and_(mine, matching(wanted))
    states = {
        state: count
        for state, count in session.execute(
            select(Space.state, func.count()).join(Venue, same_venue).where(chosen).group_by(Space.state)
        )
    }
    in_state: ColumnElement[bool] = true()
    if wanted.state:
        in_state = Space.state == wanted.state
    elif "archived" in states:
        in_state = Space.state != "archived"  # out of the way until asked for
    total = sum(
        count
        for state, count in states.items()
        if (state == wanted.state if wanted.state else state != "archived")
    )
    rows = session.execute(
        select(Space, Venue, Organisation.name)
        .join(Venue, same_venue)
        .join(Organisation, (Organisation.city_id == Venue.city_id) & (Organisation.id == Venue.owner_id))
        .where(chosen, in_state)
        .order_by(
            func.coalesce(*(Venue.names[code].astext for code in ("fi", "sv", "en"))), Venue.id, Space.id
        )
        .limit(PAGE_SIZE)
        .offset((wanted.page - 1) * PAGE_SIZE)
    )
    venues = session.execute(select(Venue.id, Venue.names).where(mine).order_by(Venue.id).limit(PAGE_SIZE))
    return Listings(
        [Listed(*row) for row in rows], total, states, [(venue_id, names) for venue_id, names in venues]
    )


def matching(wanted: Wanted) -> ColumnElement[bool]:
    found: list[ColumnElement[bool]] = []
    for word in wanted.words.split()[:8]:
        pattern = f"%{escaped(word)}%"
        found.append(
            or_(
                *(
                    table.names[code].astext.ilike(pattern)
                    for table in (Space, Venue)
                    for code in ("fi", "sv", "en")
                )
            )
        )
    if wanted.approval:
        found.append(Space.approval == wanted.approval)
    if wanted.venue_id is not None:
        found.append(Space.venue_id == wanted.venue_id)
    return and_(true(), *found)


def escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def venue_managed_by(session: Session, actor: Actor, venue_id: int) -> Venue:
    """A venue for one who runs it. Raises VenueNotFound for everyone else."""
    venue = session.get(Venue, (actor.city_id, venue_id))
    if venue is None or not policy.may_manage(actor, venue):
        raise VenueNotFound
    return venue


def venue_with_roles_for(session: Session, actor: Actor, venue_id: int) -> Venue:
    """A venue for one who gives roles there. Raises VenueNotFound for everyone else."""
    venue = session.get(Venue, (actor.city_id, venue_id))
    if venue is None or not policy.may_give_roles(actor, venue):
        raise VenueNotFound
    return venue


def units_of_venue(session: Session, venue: Venue) -> Sequence[Unit]:
    """Its parts; equipment is none of them."""
    return session.scalars(
        select(Unit)
        .where(Unit.city_id == venue.city_id, Unit.venue_id == venue.id, Unit.is_equipment.is_(False))
        .order_by(Unit.id)
    ).all()


def unit_of_venue(session: Session, venue: Venue, unit_id: int) -> Unit:
    """Raises UnitNotFound."""
    unit = session.get(Unit, (venue.city_id, unit_id))
    if unit is None or unit.venue_id != venue.id or unit.is_equipment:
        raise UnitNotFound
    return unit


def spaces_of_venue(session: Session, venue: Venue) -> Sequence[Space]:
    """In every state, oldest first."""
    return session.scalars(
        select(Space).where(Space.city_id == venue.city_id, Space.venue_id == venue.id).order_by(Space.id)
    ).all()


def covered_units(session: Session, venue: Venue) -> dict[int, set[int]]:
    """The units that each space of the venue covers, by space id."""
    found: dict[int, set[int]] = {}
    for space_id, unit_id in session.execute(
        select(SpaceUnit.space_id, SpaceUnit.unit_id)
        .join(Space, (Space.city_id == SpaceUnit.city_id) & (Space.id == SpaceUnit.space_id))
        .where(SpaceUnit.city_id == venue.city_id, Space.venue_id == venue.id)
    ):
        found.setdefault(space_id, set()).add(unit_id)
    return found


def has_units(session: Session, space: Space) -> bool:
    return (
        session.scalar(
            select(SpaceUnit.unit_id)
            .where(SpaceUnit.city_id == space.city_id, SpaceUnit.space_id == space.id)
            .limit(1)
        )
        is not None
    )


def is_known_supplier(session: Session, city_id: int, owner_id: int) -> bool:
    """Whether the city has said yes to a listing of this owner, or it has one on the list already."""
    return (
        session.scalar(
            select(Space.id)
            .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
            .where(
                Venue.city_id == city_id,
                Venue.owner_id == owner_id,
                or_(Space.state == "published", Space.approved_at.is_not(None)),
            )
            .limit(1)
        )
        is not None
    )


def submitted_listings(session: Session, city_id: int) -> list[Listed]:
    """What waits for the city, the longest waiting first."""
    rows = session.execute(
        select(Space, Venue, Organisation.name)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(Organisation, (Organisation.city_id == Venue.city_id) & (Organisation.id == Venue.owner_id))
        .where(Space.city_id == city_id, Space.state == "submitted")
        .order_by(Space.submitted_at, Space.id)
    )
    return [Listed(*row) for row in rows]


def submitted_count(session: Session, city_id: int) -> int:
    """How many listings wait for the city."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Space)
            .where(Space.city_id == city_id, Space.state == "submitted")
        )
        or 0
    )


def owner_of(session: Session, venue: Venue) -> Organisation:
    return session.get_one(Organisation, (venue.city_id, venue.owner_id))


def submitted_listing(session: Session, actor: Actor, space_id: int) -> tuple[Space, Venue]:
    """A listing for the city's staff to answer, whatever its state is by now. Raises SpaceNotFound."""
    row = session.execute(
        select(Space, Venue)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(Space.city_id == actor.city_id, Space.id == space_id)
    ).one_or_none()
    if row is None or not actor.is_staff:
        raise SpaceNotFound
    return row.Space, row.Venue


def due_listings(session: Session, city_id: int, *, at: datetime, limit: int) -> Sequence[Space]:
    """Listings whose moment to be published or hidden has come, locked; what another worker holds is left out."""
    return session.scalars(
        select(Space)
        .where(Space.city_id == city_id, or_(Space.publish_at <= at, Space.hide_at <= at))
        .order_by(Space.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def people_at(session: Session, venue: Venue) -> list[tuple[VenueRole, Person]]:
    """Those with a role at this very venue, by name."""
    rows = session.execute(
        select(VenueRole, Person)
        .join(Person, (Person.city_id == VenueRole.city_id) & (Person.id == VenueRole.person_id))
        .where(VenueRole.city_id == venue.city_id, VenueRole.venue_id == venue.id)
        .order_by(func.lower(Person.name), Person.id)
    )
    return [(role, person) for role, person in rows]


def runners_of(session: Session, venue: Venue) -> list[Person]:
    """Who runs the venue: managers of the owner organisation, and its own owners and managers."""
    at_owner = select(Membership.person_id).where(
        Membership.city_id == venue.city_id,
        Membership.organisation_id == venue.owner_id,
        Membership.role == "manager",
        Membership.accepted_at.is_not(None),
    )
    here = select(VenueRole.person_id).where(
        VenueRole.city_id == venue.city_id,
        VenueRole.venue_id == venue.id,
        VenueRole.role.in_(sorted(policy.MANAGE)),
    )
    return list(
        session.scalars(
            select(Person)
            .where(Person.city_id == venue.city_id, or_(Person.id.in_(at_owner), Person.id.in_(here)))
            .order_by(Person.id)
        )
    )


def staff_of(session: Session, city_id: int) -> Sequence[Person]:
    """The city's own people, who answer new suppliers."""
    return session.scalars(
        select(Person).where(Person.city_id == city_id, Person.is_staff).order_by(Person.id)
    ).all()


@dataclass(frozen=True)
class Change:
    """One entry of a listing's history."""

    at: datetime
    action: str
    who: str | None
    source: str
    details: dict[str, Any]


def changes_of(session: Session, space: Space) -> list[Change]:
    """What has been done to the space and its venue, the latest first."""
    rows = session.execute(
        select(AuditEntry.at, AuditEntry.action, Person.name, AuditEntry.source, AuditEntry.details)
        .outerjoin(Person, (Person.city_id == AuditEntry.city_id) & (Person.id == AuditEntry.person_id))
        .where(
            AuditEntry.city_id == space.city_id,
            or_(
                and_(AuditEntry.subject_kind == "space", AuditEntry.subject_id == space.id),
                and_(AuditEntry.subject_kind == "venue", AuditEntry.subject_id == space.venue_id),
            ),
        )
        .order_by(AuditEntry.id.desc())
        .limit(MOST_HISTORY)
    )
    return [Change(*row) for row in rows]


def return_reason(session: Session, space: Space) -> str | None:
    """Why the city gave the listing back, if that was the last thing that moved it."""
    row = session.execute(
        select(AuditEntry.action, AuditEntry.details)
        .where(
            AuditEntry.city_id == space.city_id,
            AuditEntry.subject_kind == "space",
            AuditEntry.subject_id == space.id,
            AuditEntry.action.in_(sorted(set(MOVES.values()))),
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one_or_none()
    return row.details.get("reason") if row is not None and row.action == RETURNED else None
