"""Reads of equipment: what a venue has, what a space's bookings may add, and at what price."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.money import Money
from spaces.catalog.models import Space, Unit, Venue
from spaces.equipment.errors import ExtraNotFound, PiecesWrong, not_offered, raise_any, too_many
from spaces.equipment.models import Extra, SpaceExtra
from spaces.pricing.queries import in_stretches, tax_changes, vat_rates_on
from spaces.pricing.rules import ExtraTerms


@dataclass(frozen=True)
class OfferedExtra:
    """Equipment that a booking of the space may add; `most` pieces at once, whatever is free."""

    extra: Extra
    stock: int
    terms: ExtraTerms

    @property
    def most(self) -> int:
        return min(self.stock, self.extra.most or self.stock)


def offered_extras(session: Session, city: City, space_id: int, day: date) -> list[OfferedExtra]:
    """What bookings of the space that begin on `day` may add, oldest first."""
    rows = session.execute(
        select(Extra, Unit.lanes)
        .join(SpaceExtra, (SpaceExtra.city_id == Extra.city_id) & (SpaceExtra.extra_id == Extra.id))
        .join(Unit, (Unit.city_id == Extra.city_id) & (Unit.id == Extra.unit_id))
        .where(Extra.city_id == city.id, SpaceExtra.space_id == space_id, Extra.archived_at.is_(None))
        .order_by(Extra.id)
    ).all()
    if not rows:
        return []
    rates = vat_rates_on(session, city.id, day)
    return [OfferedExtra(extra, stock, terms_of(extra, city, rates)) for extra, stock in rows]


def terms_of(extra: Extra, city: City, rates: Mapping[str, int]) -> ExtraTerms:
    """Its price as a plain value; a tax code that the city does not know is no tax, as with the price of a space."""
    amount = Money(extra.amount_minor, city.currency)
    return ExtraTerms(extra.id, extra.names, extra.per, amount, rates.get(extra.vat_code, 0))


def wanted_extras(
    session: Session, city: City, space_id: int, pieces: Mapping[int, int], day: date
) -> list[tuple[OfferedExtra, int]]:
    """The equipment of these ids, each with the number of pieces asked for. Raises PiecesWrong."""
    if not pieces:
        return []
    offered = {one.extra.id: one for one in offered_extras(session, city, space_id, day)}
    wrong = []
    for extra_id, wanted in pieces.items():
        if extra_id not in offered:
            wrong.append(not_offered(extra_id))
        elif not 1 <= wanted <= offered[extra_id].most:
            wrong.append(too_many(extra_id, offered[extra_id].most))
    raise_any(PiecesWrong, wrong)
    return [(one, pieces[extra_id]) for extra_id, one in offered.items() if extra_id in pieces]


def wanted_by_day(
    session: Session, city: City, space_id: int, pieces: Mapping[int, int], days: Collection[date]
) -> dict[date, list[tuple[OfferedExtra, int]]]:
    """As `wanted_extras` for bookings that begin on each of these days, and nothing where no piece is asked for."""
    if not pieces or not days:
        return {}
    changes = session.scalars(tax_changes(city, min(days), max(days))).all()
    return in_stretches(days, changes, lambda day: wanted_extras(session, city, space_id, pieces, day))


@dataclass(frozen=True)
class KeptExtra:
    """One kind of equipment of a venue, for its owner; `space_ids` offer it."""

    extra: Extra
    stock: int
    space_ids: frozenset[int]


def extras_of_venue(session: Session, venue: Venue) -> list[KeptExtra]:
    """All that is not archived, oldest first."""
    offering = (
        select(func.array_agg(SpaceExtra.space_id))
        .where(SpaceExtra.city_id == Extra.city_id, SpaceExtra.extra_id == Extra.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Extra, Unit.lanes, offering)
        .join(Unit, (Unit.city_id == Extra.city_id) & (Unit.id == Extra.unit_id))
        .where(Extra.city_id == venue.city_id, Extra.venue_id == venue.id, Extra.archived_at.is_(None))
        .order_by(Extra.id)
    )
    return [KeptExtra(extra, stock, frozenset(space_ids or ())) for extra, stock, space_ids in rows]


def extra_of_venue(session: Session, venue: Venue, extra_id: int) -> Extra:
    """Raises ExtraNotFound."""
    extra = session.get(Extra, (venue.city_id, extra_id))
    if extra is None or extra.venue_id != venue.id or extra.archived_at is not None:
        raise ExtraNotFound
    return extra


def extra_names(session: Session, city_id: int, unit_id: int) -> Mapping[str, str]:
    """The name of the equipment that is kept as this unit."""
    found = session.scalar(select(Extra.names).where(Extra.city_id == city_id, Extra.unit_id == unit_id))
    return found or {}


def offering_spaces(session: Session, venue: Venue) -> Sequence[Space]:
    """The spaces of the venue that may offer its equipment, oldest first; archived ones are out of use."""
    return session.scalars(
        select(Space)
        .where(Space.city_id == venue.city_id, Space.venue_id == venue.id, Space.state != "archived")
        .order_by(Space.id)
    ).all()
