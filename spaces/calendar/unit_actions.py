"""Parts of a place: added, renamed, given lanes, removed, and covered by spaces.

They are the catalogue's rows, but what may be done to them depends on what is taken, so their writers stand here. A unit's
row is locked before its claims are read, as a booking does, so neither overtakes the other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import Localised, span_of
from marketplace.errors import N_, Conflict, FieldError, Invalid
from marketplace.timespan import Span
from spaces.calendar import sheets
from spaces.calendar.models import Claim, DaySheet
from spaces.catalog.errors import LastUnit, UnitNotFound
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.catalog.policy import require_may_manage

MOST_LANES = 10_000
MOST_TOLD = 20


@dataclass(frozen=True)
class Held:
    """A time that somebody has: `lane` counts from 0."""

    unit_id: int
    lane: int
    span: Span
    names: dict[str, str]


class UnitInUse(Conflict):
    """`held` are the nearest of the times that stand in the way."""

    code = "unit-in-use"
    title = N_("There are bookings ahead that need this part of the place. Nothing was changed.")

    def __init__(self, held: Sequence[Held], **public: Any) -> None:
        super().__init__(**public)
        self.held = held


def held_after(
    session: Session, city_id: int, unit_ids: Collection[int], *, at: datetime, from_lane: int = 0
) -> list[Held]:
    """What is taken of these units from `at` on, in lanes from `from_lane`, the nearest first; at most twenty."""
    rows = session.execute(
        select(Claim.unit_id, Claim.lane, Claim.during, Unit.names)
        .join(Unit, (Unit.city_id == Claim.city_id) & (Unit.id == Claim.unit_id))
        .where(
            Claim.city_id == city_id,
            Claim.unit_id.in_(list(unit_ids)),
            Claim.part == 0,
            Claim.lane >= from_lane,
            Claim.during.op("&&")(func.tstzrange(at, None)),
        )
        .order_by(func.lower(Claim.during), Claim.unit_id, Claim.lane)
        .limit(MOST_TOLD)
    )
    return [Held(unit_id, lane, span_of(during), names) for unit_id, lane, during, names in rows]


def locked_units(session: Session, city_id: int, unit_ids: Collection[int]) -> list[Unit]:
    return list(
        session.scalars(
            select(Unit)
            .where(Unit.city_id == city_id, Unit.id.in_(list(unit_ids)))
            .order_by(Unit.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def locked_unit(session: Session, venue: Venue, unit_id: int) -> Unit:
    """Raises UnitNotFound for one that is gone, of another venue, or equipment, which has verbs of its own."""
    found = locked_units(session, venue.city_id, [unit_id])
    if not found or found[0].venue_id != venue.id or found[0].is_equipment:
        raise UnitNotFound
    return found[0]


def check_unit(names: Localised, lanes: int) -> None:
    problems = []
    if not any(names.values()):
        problems.append(FieldError("names_fi", "missing", N_("Write a name in at least one language.")))
    if not 1 <= lanes <= MOST_LANES:
        problems.append(FieldError("lanes", "range", N_("From 1 to 10,000 parties at once.")))
    if problems:
        raise Invalid(*problems)


def add_unit(
    session: Session, venue: Venue, *, names: Localised, lanes: int, submission: str, actor: Actor
) -> Unit:
    """A new part of the place, which no space covers yet. The same `submission` gives the same unit."""
    require_may_manage(actor, venue)
    check_unit(names, lanes)
    known = session.scalar(
        select(Unit).where(
            Unit.city_id == venue.city_id, Unit.venue_id == venue.id, Unit.external_id == submission
        )
    )
    if known is not None:
        return known
    unit = Unit(city_id=venue.city_id, venue_id=venue.id, external_id=submission, names=names, lanes=lanes)
    session.add(unit)
    session.flush()
    audit(
        session, actor, "unit.added", "venue", venue.id, unit=unit.id, after={"names": names, "lanes": lanes}
    )
    session.flush()
    return unit


def change_unit(
    session: Session,
    city: City,
    venue: Venue,
    unit_id: int,
    *,
    names: Localised,
    lanes: int,
    actor: Actor,
    at: datetime,
) -> None:
    """Rename a part of the place, or let more or fewer parties share it.

    Raises UnitInUse when a lane that would go is taken later, NotYourVenue, UnitNotFound, Invalid.
    """
    require_may_manage(actor, venue)
    check_unit(names, lanes)
    unit = locked_unit(session, venue, unit_id)
    before = {"names": unit.names, "lanes": unit.lanes}
    after = {"names": names, "lanes": lanes}
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return
    fewer = lanes < unit.lanes
    if fewer and (held := held_after(session, city.id, [unit.id], at=at, from_lane=lanes)):
        raise UnitInUse(held)
    unit.names, unit.lanes = names, lanes
    session.flush()
    if "lanes" in changed:
        refresh_sheets(session, city, spaces_covering(session, city.id, [unit.id]))
    audit(
        session,
        actor,
        "unit.changed",
        "venue",
        venue.id,
        unit=unit.id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    session.flush()


def remove_unit(
    session: Session, city: City, venue: Venue, unit_id: int, *, actor: Actor, at: datetime
) -> None:
    """Take a part of the place away; claims that are past go with it.

    Raises UnitInUse when it is taken later, LastUnit when a space covers nothing else, NotYourVenue, UnitNotFound.
    """
    require_may_manage(actor, venue)
    unit = locked_unit(session, venue, unit_id)
    if held := held_after(session, city.id, [unit.id], at=at):
        raise UnitInUse(held)
    covering = spaces_covering(session, city.id, [unit.id])
    if set(covering) - set(spaces_covering(session, city.id, [unit.id], others=True)):
        raise LastUnit
    audit(
        session, actor, "unit.removed", "venue", venue.id,
        unit=unit.id, before={"names": unit.names, "lanes": unit.lanes},
    )  # fmt: skip
    session.execute(delete(Claim).where(Claim.city_id == city.id, Claim.unit_id == unit.id))
    session.delete(unit)
    session.flush()
    refresh_sheets(session, city, covering)


def spaces_covering(
    session: Session, city_id: int, unit_ids: Collection[int], *, others: bool = False
) -> list[int]:
    """The spaces that cover one of these units; with `others`, those that cover some unit besides."""
    which = SpaceUnit.unit_id.not_in(list(unit_ids)) if others else SpaceUnit.unit_id.in_(list(unit_ids))
    return list(
        session.scalars(
            select(SpaceUnit.space_id)
            .join(Unit, (Unit.city_id == SpaceUnit.city_id) & (Unit.id == SpaceUnit.unit_id))
            .where(
                SpaceUnit.city_id == city_id,
                which,
                Unit.venue_id.in_(
                    select(Unit.venue_id).where(Unit.city_id == city_id, Unit.id.in_(list(unit_ids)))
                ),
            )
            .distinct()
        )
    )


def cover_units(
    session: Session,
    city: City,
    space: Space,
    venue: Venue,
    unit_ids: Collection[int],
    *,
    actor: Actor,
    at: datetime,
) -> bool:
    """Say which parts of the place the space covers; returns whether that changed.

    A part that joins must be bookable together with what is sold already, so it is refused with UnitInUse while the
    space's own units are taken later: those bookings do not hold the new part. Raises LastUnit, UnitNotFound,
    NotYourVenue too.
    """
    require_may_manage(actor, venue)
    wanted = set(unit_ids)
    if not wanted:
        raise LastUnit
    own = set(
        session.scalars(
            select(SpaceUnit.unit_id).where(
                SpaceUnit.city_id == space.city_id, SpaceUnit.space_id == space.id
            )
        )
    )
    if wanted == own:
        return False
    units = locked_units(session, space.city_id, wanted | own)
    if wanted - {unit.id for unit in units if unit.venue_id == venue.id and not unit.is_equipment}:
        raise UnitNotFound
    if wanted - own and (held := held_after(session, city.id, own, at=at)):
        raise UnitInUse(held)
    session.execute(
        delete(SpaceUnit).where(
            SpaceUnit.city_id == space.city_id,
            SpaceUnit.space_id == space.id,
            SpaceUnit.unit_id.in_(own - wanted),
        )
    )
    session.add_all(
        SpaceUnit(city_id=space.city_id, space_id=space.id, unit_id=unit_id)
        for unit_id in sorted(wanted - own)
    )
    session.flush()
    refresh_sheets(session, city, [space.id])
    named = {unit.id: unit.names for unit in units}
    audit(
        session,
        actor,
        "space.units-changed",
        "space",
        space.id,
        before={"units": [named[i] for i in sorted(own)]},
        after={"units": [named[i] for i in sorted(wanted)]},
    )
    session.flush()
    return True


def refresh_sheets(session: Session, city: City, space_ids: Collection[int]) -> None:
    """Compute anew the sheets that are kept for these spaces from this month on."""
    first = now().astimezone(city.zone).date().replace(day=1)
    months = session.scalars(
        select(DaySheet.month)
        .where(DaySheet.city_id == city.id, DaySheet.space_id.in_(list(space_ids)), DaySheet.month >= first)
        .distinct()
    ).all()
    sheets.refresh_months(session, city.id, list(space_ids), list(months), city.zone)
