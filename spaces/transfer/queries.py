"""What is stored, in the shape that files have: for exports, and to tell what an import would change."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from spaces.calendar.models import OpeningException, OpeningRule
from spaces.catalog.accessibility import Sentence
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.pricing.cancelling import CancelTerms
from spaces.pricing.lists import PriceList
from spaces.pricing.models import PRICE_PERS, Price, PriceVariation
from spaces.pricing.outdoor import TariffChoice
from spaces.pricing.rules import Variation
from spaces.pricing.ways import in_order
from spaces.transfer.listing import Exceptional, Hours, ListedPrice, ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.price_text import in_force

TERMS = tuple(one.name for one in fields(Terms))
RULE = tuple(one.name for one in fields(Hours) if one.name != "days")
EXCEPTION = tuple(one.name for one in fields(Exceptional) if one.name != "reasons")
VARIATION = ("amount_minor", "group_code", "days", "from_minute", "to_minute")
CANCELLING = ("cancel_tiers", "cancel_fee_minor", "refund_if_rebooked")
TARIFF = ("tariff_source", "tariff_use", "tariff_key", "tariff_place", "tariff_surface", "tariff_class")
BATCH = 500


def venue_ids(session: Session, city: City, *, source: str | None = None) -> list[int]:
    """All venues of the city, or those of one source, oldest first."""
    query = select(Venue.id).where(Venue.city_id == city.id).order_by(Venue.id)
    if source is not None:
        query = query.where(Venue.source == source)
    return list(session.scalars(query))


def all_listings(session: Session, city: City, ids: Sequence[int], *, day: date) -> Iterator[Listing]:
    """The places of these ids, read in batches."""
    for at in range(0, len(ids), BATCH):
        found = stored_listings(session, city, ids[at : at + BATCH], day=day)
        yield from (found[venue_id] for venue_id in sorted(found))


def stored_listings(session: Session, city: City, ids: Sequence[int], *, day: date) -> dict[int, Listing]:
    """The places as they are stored, with each space's price of `day`. Columns are read, not objects, for speed."""
    columns = (
        Venue.id, Venue.source, Venue.external_id, Venue.kind, Venue.names, Venue.streets, Venue.postcode,
        Venue.locality, Venue.lon, Venue.lat, Venue.area, Venue.accessibility, Venue.phone, Venue.website,
        Venue.accessibility_lacks, Venue.accessibility_measures, Venue.accessibility_sentences,
    )  # fmt: skip
    venues = session.execute(
        select(*columns, Organisation.name)
        .join(
            Organisation,
            (Organisation.city_id == Venue.city_id) & (Organisation.id == Venue.owner_id),
        )
        .where(Venue.city_id == city.id, Venue.id.in_(ids))
    ).all()
    units: dict[int, list[ListedUnit]] = {}
    unit_keys: dict[int, str] = {}
    for unit_id, venue_id, key, names, lanes in session.execute(
        select(Unit.id, Unit.venue_id, Unit.external_id, Unit.names, Unit.lanes)
        .where(Unit.city_id == city.id, Unit.venue_id.in_(ids), Unit.is_equipment.is_(False))
        .order_by(Unit.id)
    ):
        unit_keys[unit_id] = key
        units.setdefault(venue_id, []).append(ListedUnit(key, names, lanes))
    spaces = stored_spaces(session, city, ids, unit_keys, day)
    return {
        row[0]: Listing(
            source=row[1], external_id=row[2], kind=row[3], names=row[4], streets=row[5], postcode=row[6],
            locality=row[7], lon=row[8], lat=row[9], area=None if row[10] is None else bytes(row[10]),
            accessibility=tuple(row[11]), phone=row[12], website=row[13], accessibility_lacks=tuple(row[14]),
            accessibility_measures=row[15], accessibility_sentences=tuple(map(Sentence.of_json, row[16])), owner=row[17],
            units=tuple(units.get(row[0], ())), spaces=tuple(spaces.get(row[0], ())),
        )
        for row in venues
    }  # fmt: skip


def stored_spaces(
    session: Session, city: City, ids: Sequence[int], unit_keys: dict[int, str], day: date
) -> dict[int, list[ListedSpace]]:
    columns = (
        Space.id, Space.venue_id, Space.external_id, Space.kind, Space.names, Space.descriptions, Space.instructions,
        Space.purposes, Space.equipment, Space.capacity, Space.area_m2, Space.state,
    )  # fmt: skip
    rows = session.execute(
        select(*columns, *(getattr(Space, name) for name in TERMS))
        .where(Space.city_id == city.id, Space.venue_id.in_(ids))
        .order_by(Space.id)
    ).all()
    space_ids = [row[0] for row in rows]
    covered: dict[int, list[str]] = {}
    for space_id, unit_id in session.execute(
        select(SpaceUnit.space_id, SpaceUnit.unit_id)
        .where(SpaceUnit.city_id == city.id, SpaceUnit.space_id.in_(space_ids))
        .order_by(SpaceUnit.space_id, SpaceUnit.unit_id)
    ):
        covered.setdefault(space_id, []).append(unit_keys[unit_id])
    hours, exceptions = stored_hours(session, city, space_ids)
    prices = stored_prices(session, city, space_ids, day)
    found: dict[int, list[ListedSpace]] = {}
    for row in rows:
        values: Any = row[len(columns) :]
        found.setdefault(row[1], []).append(
            ListedSpace(
                row[2], row[3], row[4], tuple(covered.get(row[0], ())),
                descriptions=row[5], instructions=row[6], purposes=tuple(row[7]), equipment=tuple(row[8]),
                capacity=row[9], area_m2=row[10], state=row[11],
                terms=Terms(*values),
                hours=hours.get(row[0], ()), exceptions=exceptions.get(row[0], ()),
                price=base_price(prices.get(row[0], ()), day), prices=prices.get(row[0]),
            )
        )  # fmt: skip
    return found


def stored_hours(
    session: Session, city: City, space_ids: Sequence[int]
) -> tuple[dict[int, tuple[Hours, ...]], dict[int, tuple[Exceptional, ...]]]:
    """Weekly hours and exceptions by space."""
    hours: dict[int, tuple[Hours, ...]] = {}
    rules = select(OpeningRule.space_id, OpeningRule.days, *(getattr(OpeningRule, name) for name in RULE))
    for space_id, days, *values in session.execute(
        rules.where(OpeningRule.city_id == city.id, OpeningRule.space_id.in_(space_ids)).order_by(
            OpeningRule.id
        )
    ):
        hours[space_id] = (*hours.get(space_id, ()), Hours(tuple(days), *values))
    exceptions: dict[int, tuple[Exceptional, ...]] = {}
    others = select(
        OpeningException.space_id,
        OpeningException.reasons,
        *(getattr(OpeningException, name) for name in EXCEPTION),
    )
    for space_id, reasons, *values in session.execute(
        others.where(OpeningException.city_id == city.id, OpeningException.space_id.in_(space_ids)).order_by(
            OpeningException.first_day, OpeningException.id
        )
    ):
        exceptions[space_id] = (*exceptions.get(space_id, ()), replace(Exceptional(*values), reasons=reasons))
    return hours, exceptions


def stored_prices(
    session: Session, city: City, space_ids: Sequence[int], day: date
) -> dict[int, tuple[PriceList, ...]]:
    """The list in force on the day and the later ones, by space, the first one first."""
    columns = (
        "per",
        "amount_minor",
        "slot_minutes",
        "minimum_minor",
        "build_percent",
        "kept_percent",
        "vat_code",
        "ways",
    )
    rows: dict[tuple[int, date], list[Variation]] = {}
    of_these = (PriceVariation.city_id == city.id, PriceVariation.space_id.in_(space_ids))
    varied = select(
        PriceVariation.space_id, PriceVariation.valid_from, *(getattr(PriceVariation, n) for n in VARIATION)
    )
    for space_id, valid_from, amount, group, days, start, end in session.execute(
        varied.where(*of_these).order_by(PriceVariation.position)
    ):
        rows.setdefault((space_id, valid_from), []).append(
            Variation(amount, group, frozenset(days), start, end)
        )
    found: dict[int, tuple[PriceList, ...]] = {}
    told = (*columns, *CANCELLING, *TARIFF)
    for space_id, valid_from, *values in session.execute(
        select(Price.space_id, Price.valid_from, *(getattr(Price, name) for name in told))
        .where(Price.city_id == city.id, Price.space_id.in_(space_ids))
        .order_by(Price.space_id, Price.valid_from)
    ):
        kept = tuple(rows.get((space_id, valid_from), ()))
        base: Any = dict(zip(columns, values, strict=False))
        base["ways"] = in_order(base["ways"])
        others = values[len(columns) :]
        cancel = CancelTerms.of_columns(*others[: len(CANCELLING)])
        tariff = TariffChoice(*others[len(CANCELLING) :]) if base["per"] == "tariff" else None
        one = PriceList(valid_from, **base, rows=kept, tariff=tariff, cancel=cancel)
        # The next one that has begun takes the place of the one before.
        before = found.get(space_id, ()) if valid_from > day else ()
        found[space_id] = (*before, one)
    return found


def base_price(lists: Sequence[PriceList], day: date) -> ListedPrice | None:
    """The price of the day; one of a kind that the plain columns cannot say is none."""
    holds = in_force(lists, day)
    if holds is None or holds.per not in PRICE_PERS:
        return None
    return ListedPrice(holds.per, holds.base_minor, holds.vat_code)


def spaces_called(session: Session, city: City, target: str) -> list[tuple[int, str]]:
    """(id, name for reports) of the spaces that "source:place/space", "source:place" or a bare id of one of the two means."""
    source, _, rest = target.partition(":")
    place, _, space = (rest or target).partition("/")
    query = (
        select(Space.id, Venue.source, Venue.external_id, Space.external_id)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(Space.city_id == city.id)
        .order_by(Space.id)
    )
    if rest:
        query = query.where(Venue.source == source, Venue.external_id == place)
        if space:
            query = query.where(Space.external_id == space)
        rows: Sequence[Any] = session.execute(query).all()
    else:
        rows = session.execute(query.where(Space.external_id == target)).all()
        rows = rows or session.execute(query.where(Venue.external_id == target)).all()
        # A bare number may be that of a place in two sources; then it names neither.
        rows = rows if len({row[1:3] for row in rows}) == 1 else []
    return [(row[0], f"{row[1]}:{row[2]}/{row[3]}") for row in rows]
