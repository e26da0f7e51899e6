"""The verbs of equipment: added, changed, taken away. What is promised to bookings is never broken by them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.errors import N_, FieldError
from spaces.calendar.piece_actions import lower_stock, promised_above
from spaces.calendar.unit_actions import MOST_LANES, locked_units
from spaces.catalog.models import Space, Unit, Venue
from spaces.catalog.policy import require_may_manage
from spaces.equipment.errors import ExtraNotFound, ExtraWrong, StockPromised, raise_any
from spaces.equipment.models import Extra, SpaceExtra
from spaces.equipment.queries import extra_of_venue
from spaces.pricing.lists import MOST_MINOR
from spaces.pricing.queries import vat_rates_on
from spaces.pricing.rules import EXTRA_PERS

MOST_KINDS = 100
MOST_PEAKS_TOLD = 20


@dataclass(frozen=True)
class AskedExtra:
    """Equipment as its owner describes it; `most` None: as many as there are in one booking."""

    names: Localised
    stock: int
    per: str = "free"
    amount_minor: int = 0
    vat_code: str = "standard"
    most: int | None = None
    descriptions: Localised = field(default_factory=dict)
    space_ids: frozenset[int] = frozenset()

    def faults(self, rates: Collection[str]) -> Iterator[FieldError]:
        if not any(self.names.values()):
            yield FieldError("names_fi", "missing", N_("Write a name in at least one language."))
        if not 1 <= self.stock <= MOST_LANES:
            yield FieldError("stock", "range", N_("From 1 to 10,000 pieces."))
        if self.per not in EXTRA_PERS:
            yield FieldError("per", "unknown-per", N_("Choose what the price is for."))
        elif self.per != "free" and not 1 <= self.amount_minor <= MOST_MINOR:
            yield FieldError(
                "amount", "odd-amount", N_("Give an amount up to 100,000, or choose “free of charge”.")
            )
        if self.vat_code not in rates:
            yield FieldError("vat_code", "unknown-vat", N_("The city has no such tax rate."))
        if self.most is not None and not 1 <= self.most <= self.stock:
            yield FieldError("most", "range", N_("From 1 to as many as there are, or leave it empty."))

    def columns(self) -> dict[str, Any]:
        return {
            "names": dict(self.names),
            "descriptions": dict(self.descriptions),
            "per": self.per,
            "amount_minor": 0 if self.per == "free" else self.amount_minor,
            "vat_code": self.vat_code,
            "most": self.most,
        }


def add_extra(
    session: Session,
    city: City,
    venue: Venue,
    asked: AskedExtra,
    *,
    submission: str,
    actor: Actor,
    at: datetime,
) -> Extra:
    """New equipment of the venue. The same `submission` gives the same. Raises NotYourVenue, ExtraWrong."""
    require_may_manage(actor, venue)
    # Two who add at once are counted one after the other.
    session.execute(
        select(Venue.id).where(Venue.city_id == city.id, Venue.id == venue.id).with_for_update(key_share=True)
    )
    known = session.scalar(
        select(Extra)
        .join(Unit, (Unit.city_id == Extra.city_id) & (Unit.id == Extra.unit_id))
        .where(
            Unit.city_id == city.id, Unit.venue_id == venue.id, Unit.external_id == external_id(submission)
        )
    )
    if known is not None:
        return known
    checked(session, city, venue, asked, at=at)
    kinds = session.scalars(
        select(Extra.id).where(
            Extra.city_id == city.id, Extra.venue_id == venue.id, Extra.archived_at.is_(None)
        )
    ).all()
    if len(kinds) >= MOST_KINDS:
        raise ExtraWrong(
            FieldError("names_fi", "too-many", N_("A place has at most 100 kinds of equipment."))
        )
    unit = Unit(
        city_id=city.id,
        venue_id=venue.id,
        external_id=external_id(submission),
        names=dict(asked.names),
        lanes=asked.stock,
        is_equipment=True,
    )
    session.add(unit)
    session.flush()
    extra = Extra(city_id=city.id, venue_id=venue.id, unit_id=unit.id, **asked.columns())
    session.add(extra)
    session.flush()
    offer_with(session, extra, asked.space_ids)
    audit(
        session,
        actor,
        "equipment.added",
        "venue",
        venue.id,
        extra=extra.id,
        before=None,
        after=as_json(asked, space_names(session, venue)),
    )
    session.flush()
    return extra


def external_id(submission: str) -> str:
    """Its unit's own; no list that is imported has one like it."""
    return f"equipment:{submission}"


def checked(session: Session, city: City, venue: Venue, asked: AskedExtra, *, at: datetime) -> None:
    """Raises ExtraWrong with all that is wrong."""
    rates = vat_rates_on(session, city.id, at.astimezone(city.zone).date())
    wrong = list(asked.faults(rates))
    own = set(session.scalars(select(Space.id).where(Space.city_id == city.id, Space.venue_id == venue.id)))
    if not asked.space_ids <= own:
        wrong.append(FieldError("spaces", "unknown-space", N_("Choose spaces of this place.")))
    raise_any(ExtraWrong, wrong)


def change_extra(
    session: Session,
    city: City,
    venue: Venue,
    extra_id: int,
    asked: AskedExtra,
    *,
    actor: Actor,
    at: datetime,
) -> bool:
    """Describe, price or offer the equipment differently, or have more or less of it; returns whether that changed
    anything. Bookings keep what they have at the price it was sold at.

    Raises StockPromised with the times at which more than the new stock is promised, NotYourVenue, ExtraNotFound,
    ExtraWrong; then nothing is changed.
    """
    require_may_manage(actor, venue)
    extra, unit = locked_extra(session, venue, extra_id)
    checked(session, city, venue, asked, at=at)
    was = AskedExtra(
        dict(extra.names), unit.lanes, extra.per, extra.amount_minor, extra.vat_code, extra.most,
        dict(extra.descriptions), offering(session, extra),
    )  # fmt: skip
    names = space_names(session, venue)
    before, after = as_json(was, names), as_json(asked, names)
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return False
    if asked.stock < unit.lanes and (peaks := lower_stock(session, unit, asked.stock, at=at)):
        raise StockPromised(peaks[:MOST_PEAKS_TOLD])
    unit.lanes, unit.names = asked.stock, dict(asked.names)
    for name, value in asked.columns().items():
        setattr(extra, name, value)
    session.execute(
        delete(SpaceExtra).where(SpaceExtra.city_id == extra.city_id, SpaceExtra.extra_id == extra.id)
    )
    session.flush()
    offer_with(session, extra, asked.space_ids)
    audit(
        session, actor, "equipment.changed", "venue", venue.id,
        extra=extra.id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )  # fmt: skip
    session.flush()
    return True


def locked_extra(session: Session, venue: Venue, extra_id: int) -> tuple[Extra, Unit]:
    """The equipment with its unit locked, so that no booking takes or gives back a piece meanwhile.

    Raises ExtraNotFound.
    """
    extra = extra_of_venue(session, venue, extra_id)
    units = locked_units(session, venue.city_id, [extra.unit_id])
    session.refresh(extra)
    if not units or extra.archived_at is not None:
        raise ExtraNotFound
    return extra, units[0]


def take_away(session: Session, venue: Venue, extra_id: int, *, actor: Actor, at: datetime) -> None:
    """Offer the equipment no more. What was ever booked is archived, and bookings ahead keep what they have; what
    never was is deleted. Raises NotYourVenue, ExtraNotFound."""
    require_may_manage(actor, venue)
    extra, unit = locked_extra(session, venue, extra_id)
    before = {"names": dict(extra.names), "stock": unit.lanes}
    ahead = promised_above(session, unit, 0, at=at)
    session.execute(
        delete(SpaceExtra).where(SpaceExtra.city_id == extra.city_id, SpaceExtra.extra_id == extra.id)
    )
    if not deleted(session, extra, unit):
        extra.archived_at = at
    audit(
        session, actor, "equipment.removed", "venue", venue.id,
        extra=extra_id, before=before, after=None, promised_ahead=[peak.pieces for peak in ahead[:MOST_PEAKS_TOLD]],
    )  # fmt: skip
    session.flush()


def deleted(session: Session, extra: Extra, unit: Unit) -> bool:
    """Delete the equipment, if nothing ever referred to it: the database knows."""
    try:
        with session.begin_nested():
            session.execute(delete(Extra).where(Extra.city_id == extra.city_id, Extra.id == extra.id))
            session.execute(delete(Unit).where(Unit.city_id == unit.city_id, Unit.id == unit.id))
    except IntegrityError:
        return False
    return True


def offering(session: Session, extra: Extra) -> frozenset[int]:
    """The spaces whose bookings may add it."""
    return frozenset(
        session.scalars(
            select(SpaceExtra.space_id).where(
                SpaceExtra.city_id == extra.city_id, SpaceExtra.extra_id == extra.id
            )
        )
    )


def offer_with(session: Session, extra: Extra, space_ids: Collection[int]) -> None:
    session.add_all(
        SpaceExtra(city_id=extra.city_id, space_id=space_id, extra_id=extra.id)
        for space_id in sorted(space_ids)
    )


def as_json(asked: AskedExtra, names: Mapping[int, Localised]) -> dict[str, Any]:
    """Equipment as the audit trail keeps it, with the spaces by their names."""
    offered_with = [dict(names[space_id]) for space_id in sorted(asked.space_ids) if space_id in names]
    return {**asked.columns(), "stock": asked.stock, "offered_with": offered_with}


def space_names(session: Session, venue: Venue) -> dict[int, Localised]:
    rows = session.execute(
        select(Space.id, Space.names).where(Space.city_id == venue.city_id, Space.venue_id == venue.id)
    )
    return {space_id: names for space_id, names in rows}
