"""The one writer of listings: what is new is inserted in bulk, what changed is brought in step, the rest is left alone.

A file may tell only a part of a place, so nothing that it does not mention is removed or archived. A space that gets
other units keeps its old ones too: bookings may hold them, and more units only exclude more.

A record is known again by the digest of its last import, which costs nothing; where that differs it is compared with
what is stored, field by field, and what is equal all the same is not written either.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
from pyproj import CRS
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.geo import to_metric
from spaces.calendar.actions import compile_spaces
from spaces.calendar.models import OpeningException, OpeningRule
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.catalog.queries import KnownPlace, known_places
from spaces.districts.queries import district_ids_of_points
from spaces.pricing.actions import tariff_columns
from spaces.pricing.lists import PriceList
from spaces.pricing.models import Price, PriceVariation
from spaces.pricing.outdoor import TariffChoice
from spaces.pricing.queries import SPACE_USES, tariffs_for, vat_rates_on
from spaces.transfer.access_text import with_access
from spaces.transfer.bulk import copy_rows, insert_rows
from spaces.transfer.changes import (
    Change,
    PlaceChange,
    changes_of,
    new_state,
    same_hours,
    tells_exceptions,
    wanted_units,
)
from spaces.transfer.documents import Seen
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.hours_text import exceptions_text, hours_text
from spaces.transfer.listing import (
    Exceptional,
    Hours,
    ListedPrice,
    ListedSpace,
    Listing,
    SpaceHours,
    check,
    check_hours,
    check_new,
    default_hours,
)
from spaces.transfer.locate import Locator, distance_notes
from spaces.transfer.price_text import FIRST_DAY, base_changed, check_writes, in_force, lists_to_write
from spaces.transfer.queries import spaces_called, stored_hours, stored_listings, stored_prices
from spaces.transfer.shapes import not_wgs84

BATCH = 500
# How far outside the area of use of the city's metric CRS a place may lie, in degrees.
BOX_MARGIN = 1.0
DATABASE_REASON = 120
# Helsingin kaupunki, Helsingfors stad, City of Helsinki: the city, in the registers' own words.
CITY_NAME = re.compile(r"\bkaupunki\b|\bstad\b|^city of\b", re.IGNORECASE)


@dataclass
class Report:
    """What an import did: counts of places, and what an operator should read."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    spaces: int = 0
    without_hours: Counter[str] = field(default_factory=Counter)
    without_price: int = 0
    without_point: int = 0
    located: int = 0
    new_owners: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    changes: list[PlaceChange] = field(default_factory=list)  # of a dry run: each place with its fields

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged


@dataclass
class _Known:
    """A stored place of the same source and id."""

    venue_id: int
    fingerprint: str | None


@dataclass
class _Work:
    """A listing to write; `venue_id` where it is known already."""

    listing: Listing
    fingerprint: str
    district_id: int | None = None
    venue_id: int | None = None
    changes: list[Change] = field(default_factory=list)


def import_listings(
    session: Session,
    city: City,
    items: Iterable[Listing | Problem | Note],
    *,
    actor: Actor,
    owner: str | None = None,
    dry_run: bool = False,
    anew: bool = False,
) -> Report:
    """Store what a reader yields; a broken record is reported and left out. `owner` overrides the records' own.

    The same listing again writes nothing. `anew` compares also a listing that has not changed since its last import
    with what is stored, and so takes back what an owner changed. A dry run tells what would happen and writes nothing.
    """
    report = Report()
    works = _plan(session, city, items, owner, report, anew=anew, dry_run=dry_run)
    if dry_run or not works:
        return report
    owners = _owners(session, city, {work.listing.owner or "" for work in works}, report)
    _find_districts(session, city, works)
    to_compile: list[int] = []
    for at in range(0, len(works), BATCH):
        to_compile += _write_batch(session, city, works[at : at + BATCH], owners, report)
    compile_spaces(session, city, to_compile)
    _audit_updates(session, actor, works)
    audit(
        session, actor, "places.imported", "city", city.id,
        created=report.created, updated=report.updated, failed=len(report.problems),
    )  # fmt: skip
    return report


def _audit_updates(session: Session, actor: Actor, works: Sequence[_Work]) -> None:
    for work in works:
        if work.venue_id is not None and work.changes:
            audit(
                session, actor, "venue.imported", "venue", work.venue_id,
                source=work.listing.source,
                before={change.field: change.old for change in work.changes},
                after={change.field: change.new for change in work.changes},
            )  # fmt: skip


def _plan(
    session: Session,
    city: City,
    items: Iterable[Listing | Problem | Note],
    owner: str | None,
    report: Report,
    *,
    anew: bool,
    dry_run: bool,
) -> list[_Work]:
    """Check, locate and compare; fills the report's counts as if all writing succeeded."""
    listings: dict[tuple[str, str], Listing] = {}
    seen: dict[str, Seen] = {}
    box = _box(city.metric_crs)
    default_owner = owner or str(city.names.get(city.default_language) or next(iter(city.names.values())))
    for item in items:
        if isinstance(item, Problem):
            report.problems.append(item)
        elif isinstance(item, Note):
            report.notes.append(item)
        else:
            listing = replace(item, owner=owner or item.owner or default_owner)
            if owner and listing.told is not None:
                listing = replace(listing, told=tuple(sorted({*listing.told, "owner"})))
            try:
                check(listing)
                _check_inside(listing, box)
                seen.setdefault(listing.source, Seen()).add(listing.external_id, listing.where)
            except RecordBroken as broken:
                report.problems.append(Problem(listing.where, broken.field, broken.reason))
                continue
            listings[listing.key] = listing
    places = known_places(session, city.id)
    _locate(places, listings, report)
    today = now().astimezone(city.zone).date()
    rates = Rates(session, city.id)
    known = _known(session, city, {source for source, _ in listings})
    works, suspects = [], []
    for key, listing in listings.items():
        work = _Work(listing, listing.fingerprint())
        stored = known.get(key)
        if stored is None:
            if _is_whole(work, None, report, today=today, rates=rates):
                _count(listing, report)
                report.created += 1
                works.append(work)
            continue
        _count(listing, report)
        if anew or stored.fingerprint != work.fingerprint:
            work.venue_id = stored.venue_id
            suspects.append(work)
        else:
            report.unchanged += 1
    works += _changed(session, city, suspects, report, today=today, rates=rates)
    if dry_run:
        report.changes = [_told_change(work) for work in works]
    report.notes += distance_notes(places, [work.listing for work in works])
    return works


def _changed(
    session: Session, city: City, works: Sequence[_Work], report: Report, *, today: date, rates: "Rates"
) -> list[_Work]:
    """Those that differ from what is stored, with their changes."""
    found = []
    for at in range(0, len(works), BATCH):
        batch = works[at : at + BATCH]
        stored = stored_listings(session, city, [work.venue_id or 0 for work in batch], day=today)
        for work in batch:
            had = stored[work.venue_id or 0]
            if not _is_whole(work, had, report, today=today, rates=rates):
                continue
            work.changes = changes_of(work.listing, had, day=today)
            report.updated += bool(work.changes)
            report.unchanged += not work.changes
            if work.changes:
                found.append(work)
            report.notes += _kept_states(work.listing, had)
    return found


class Rates:
    """The city's tax rates and outdoor tariff, as far as the prices of a file ask for them."""

    def __init__(self, session: Session, city_id: int) -> None:
        self.session, self.city_id = session, city_id
        self.vat: dict[date, dict[str, int]] = {}

    def vat_codes(self, day: date) -> dict[str, int]:
        if day not in self.vat:
            self.vat[day] = vat_rates_on(self.session, self.city_id, day)
        return self.vat[day]

    def by_tariff(self, one: PriceList, area_m2: float | None, day: date) -> PriceList:
        """The list with the least amount of the rows that it names. Raises RecordBroken where there are none."""
        choice = one.tariff or TariffChoice()
        tariffs = tariffs_for(self.session, self.city_id, [choice], day).get(choice.source, ())
        area = None if area_m2 is None else Decimal(str(area_m2))
        rows = choice.rows(tariffs, day, area) if choice.use in SPACE_USES else ()
        if not rows:
            raise RecordBroken(
                "prices",
                f"the list from {one.valid_from}: the city's tariff has no such price on its first day",
            )
        terms = one.terms("", self.vat_codes(day).get(one.vat_code, 0), area_m2, rows)
        return replace(one, amount_minor=terms.amount.minor)


def _is_whole(work: _Work, had: Listing | None, report: Report, *, today: date, rates: Rates) -> bool:
    """Completes the listing by what is stored: its accessibility. Whether all that is new has a name and every price can
    be written; reported where not."""
    listing = work.listing
    known = {space.external_id: space for space in had.spaces} if had else None
    try:
        check_new(listing, known)
        work.listing = with_access(listing, had)
        if any(space.prices is not None for space in listing.spaces):
            spaces = tuple(
                _priced(listing, space, (known or {}).get(space.external_id), today=today, rates=rates)
                for space in listing.spaces
            )
            work.listing = replace(work.listing, spaces=spaces)
    except RecordBroken as broken:
        report.problems.append(Problem(listing.where, broken.field, broken.reason))
        return False
    return True


def _priced(
    listing: Listing, space: ListedSpace, had: ListedSpace | None, *, today: date, rates: Rates
) -> ListedSpace:
    """The space with its lists ready to be written. What is stored already comes back, whatever it is.

    Raises RecordBroken for a list that cannot be written.
    """
    if space.prices is None:
        return space
    is_told = had is None or listing.told is None or "space.area_m2" in listing.told
    area = space.area_m2 if is_told or had is None else had.area_m2
    writes = lists_to_write(space.prices, (had.prices if had else None) or (), today)
    check_writes(writes, has_area=area is not None, vat_codes=rates.vat_codes, today=today)
    if not any(one.per == "tariff" for one in writes):
        return space
    prices = tuple(
        rates.by_tariff(one, area, max(one.valid_from, today)) if one.per == "tariff" else one
        for one in space.prices
    )
    return replace(space, prices=prices)


def _kept_states(told: Listing, stored: Listing) -> list[Note]:
    """States that our own columns tell and an owner's listing cannot step to."""
    if told.told is None or "space.state" not in told.told:
        return []
    known = {space.external_id: space for space in stored.spaces}
    return [
        Note(
            told.where,
            f"space {space.external_id} stays {had.state}; it cannot become {space.state} from there",
        )
        for space in told.spaces
        if (had := known.get(space.external_id)) is not None and new_state(space, had, told) != space.state
    ]


def _told_change(work: _Work) -> PlaceChange:
    listing = work.listing
    return PlaceChange(
        listing.where,
        listing.source,
        listing.external_id,
        next(iter(listing.names.values()), listing.external_id),
        tuple(work.changes),
        created=listing if work.venue_id is None else None,
    )


def _count(listing: Listing, report: Report) -> None:
    report.spaces += len(listing.spaces)
    report.without_point += listing.lon is None
    for space in listing.spaces:
        report.without_price += space.price is None and space.prices is None
        if space.hours is None:
            (rule,) = default_hours(space)
            report.without_hours["all day" if rule.opens == rule.closes else "8.00 to 22.00"] += 1


def _box(metric_crs: int) -> tuple[float, float, float, float] | None:
    area = CRS.from_epsg(metric_crs).area_of_use
    if area is None:
        return None
    return (area.west - BOX_MARGIN, area.south - BOX_MARGIN, area.east + BOX_MARGIN, area.north + BOX_MARGIN)


def _check_inside(listing: Listing, box: tuple[float, float, float, float] | None) -> None:
    if listing.lon is None or listing.lat is None or box is None:
        return
    if abs(listing.lon) > 180 or abs(listing.lat) > 90:
        raise RecordBroken("location", not_wgs84(listing.lon, listing.lat))
    if not (box[0] <= listing.lon <= box[2] and box[1] <= listing.lat <= box[3]):
        raise RecordBroken(
            "location",
            f"longitude {listing.lon:g}, latitude {listing.lat:g} is far outside the city; "
            "the two may be swapped, or in another coordinate reference system",
        )


def _locate(places: Sequence[KnownPlace], listings: dict[tuple[str, str], Listing], report: Report) -> None:
    """Places without a point take that of a place at the same address, stored or in this file."""
    if all(listing.lon is not None for listing in listings.values()):
        return
    locator = Locator(places, listings.values())
    for key, listing in listings.items():
        if listing.lon is None and (point := locator.point_of(listing)) is not None:
            listings[key] = replace(listing, lon=point[0], lat=point[1])
            report.located += 1


def _known(session: Session, city: City, sources: set[str]) -> dict[tuple[str, str], _Known]:
    rows = session.execute(
        select(Venue.source, Venue.external_id, Venue.id, Venue.fingerprint).where(
            Venue.city_id == city.id, Venue.source.in_(sources)
        )
    )
    return {(source, external_id): _Known(venue_id, mark) for source, external_id, venue_id, mark in rows}


def _owners(session: Session, city: City, names: set[str], report: Report) -> dict[str, int]:
    """Organisation ids by name; an unknown name becomes the city itself or a public body, and the report says so."""
    rows = session.execute(
        select(Organisation.name, Organisation.id)
        .where(Organisation.city_id == city.id, Organisation.name.in_(names))
        .order_by(Organisation.id.desc())
    )
    found = {name: organisation_id for name, organisation_id in rows}
    for name in sorted(names - found.keys()):
        is_city = name in city.names.values() or CITY_NAME.search(name) is not None
        kind = "city_division" if is_city else "public_body"
        organisation = Organisation(city_id=city.id, kind=kind, name=name)
        session.add(organisation)
        session.flush()
        found[name] = organisation.id
        report.new_owners.append(name)
    return found


def _find_districts(session: Session, city: City, works: Sequence[_Work]) -> None:
    """One spatial join for all that will be written."""
    located = [work for work in works if work.listing.lon is not None]
    points = [(work.listing.lon or 0.0, work.listing.lat or 0.0) for work in located]
    for work, district_id in zip(located, district_ids_of_points(session, city, points), strict=True):
        work.district_id = district_id


def _write_batch(
    session: Session, city: City, works: Sequence[_Work], owners: Mapping[str, int], report: Report
) -> list[int]:
    """Write a batch in one savepoint; where the database refuses it, each record in its own. Returns spaces to compile."""
    try:
        with session.begin_nested():
            return _write(session, city, works, owners)
    except (DBAPIError, psycopg.Error) as error:
        if len(works) == 1:
            (work,) = works
            told = error.orig if isinstance(error, DBAPIError) else error
            reason = str(told).strip().splitlines()[0][:DATABASE_REASON]
            report.problems.append(
                Problem(work.listing.where, "record", f"the database refused it: {reason}")
            )
            if work.venue_id is None:
                report.created -= 1
            else:
                report.updated -= 1
            report.spaces -= len(work.listing.spaces)
            return []
    return [space_id for work in works for space_id in _write_batch(session, city, [work], owners, report)]


def _write(session: Session, city: City, works: Sequence[_Work], owners: Mapping[str, int]) -> list[int]:
    values = [_venue_values(city, work, owners) for work in works]
    new = [at for at, work in enumerate(works) if work.venue_id is None]
    venue_ids = insert_rows(session, Venue, [values[at] for at in new])
    ids = dict(zip(new, venue_ids, strict=True))
    changed = [
        (work, work.venue_id, value)
        for work, value in zip(works, values, strict=True)
        if work.venue_id is not None
    ]
    if changed:
        venues = {
            venue.id: venue
            for venue in session.scalars(
                select(Venue).where(
                    Venue.city_id == city.id, Venue.id.in_([venue_id for _, venue_id, _ in changed])
                )
            )
        }
        for work, venue_id, value in changed:
            _set(venues[venue_id], _told_values(work.listing, value))
        session.flush()
    return _write_spaces(
        session,
        city,
        [(work.listing, work.venue_id or ids[at]) for at, work in enumerate(works)],
        known=bool(changed),
    )


def _set(row: Any, values: Mapping[str, Any]) -> None:
    """Set only what differs, so that an equal row is not written."""
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _venue_values(city: City, work: _Work, owners: Mapping[str, int]) -> dict[str, Any]:
    listing = work.listing
    position = None
    if listing.lon is not None and listing.lat is not None:
        position = to_metric(listing.lon, listing.lat, crs=city.metric_crs)
    return {
        "city_id": city.id,
        "owner_id": owners[listing.owner or ""],
        "district_id": work.district_id,
        "kind": listing.kind,
        "names": dict(listing.names),
        "streets": dict(listing.streets),
        "postcode": listing.postcode,
        "locality": listing.locality,
        "lon": listing.lon,
        "lat": listing.lat,
        "position": position,
        "area": listing.area,
        "accessibility": list(listing.accessibility),
        "accessibility_lacks": list(listing.accessibility_lacks),
        "accessibility_measures": dict(listing.accessibility_measures),
        "accessibility_sentences": [one.as_json() for one in listing.accessibility_sentences],
        "phone": listing.phone,
        "website": listing.website,
        "source": listing.source,
        "external_id": listing.external_id,
        "fingerprint": work.fingerprint,
    }


# A fact that is told one way leaves the other list, so all of them are written where one is told.
ACCESS = ("accessibility", "accessibility_lacks", "accessibility_measures", "accessibility_sentences")
COLUMNS: dict[str, tuple[str, ...]] = {
    "names": ("names",), "streets": ("streets",), "kind": ("kind",), "postcode": ("postcode",),
    "locality": ("locality",), "phone": ("phone",), "website": ("website",), **dict.fromkeys(ACCESS, ACCESS),
    "owner": ("owner_id",), "area": ("area",), "point": ("lon", "lat", "position", "district_id"),
}  # fmt: skip


def _told_values(listing: Listing, values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a venue that the listing tells, and its digest."""
    if listing.told is None:
        return values
    told = {column for name in listing.told for column in COLUMNS.get(name, ())}
    return {name: value for name, value in values.items() if name in told or name == "fingerprint"}


def _told_space(listing: Listing, values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a space that the listing tells."""
    if listing.told is None:
        return values
    told = {name.removeprefix("space.") for name in listing.told if name.startswith("space.")}
    return {name: value for name, value in values.items() if name in told}


def _space_values(city: City, venue_id: int, space: ListedSpace) -> dict[str, Any]:
    return {
        "city_id": city.id,
        "venue_id": venue_id,
        "external_id": space.external_id,
        "state": space.state,
        "kind": space.kind,
        "names": dict(space.names),
        "descriptions": dict(space.descriptions),
        "instructions": dict(space.instructions),
        "purposes": list(space.purposes),
        "equipment": list(space.equipment),
        "capacity": space.capacity,
        "area_m2": space.area_m2,
        **vars(space.terms),
    }


def _write_spaces(
    session: Session, city: City, places: Sequence[tuple[Listing, int]], *, known: bool
) -> list[int]:
    """Units, spaces, hours and prices of these places. `known` says that some of the places were there before."""
    venue_ids = [venue_id for _, venue_id in places]
    stored: dict[tuple[int, str], Space] = {}
    if known:
        rows = session.scalars(select(Space).where(Space.city_id == city.id, Space.venue_id.in_(venue_ids)))
        stored = {(space.venue_id, space.external_id): space for space in rows}
    units = _units(session, city, places, stored.keys(), venue_ids if known else [])
    new: list[tuple[ListedSpace, int]] = []
    old: list[tuple[ListedSpace, Space, Listing]] = []
    for listing, venue_id in places:
        for space in listing.spaces:
            row = stored.get((venue_id, space.external_id))
            if row is None:
                new.append((space, venue_id))
                continue
            values = _told_space(listing, _space_values(city, venue_id, space))
            if "state" in values:
                values["state"] = new_state(space, replace(space, state=row.state), listing)
            _set(row, values)
            old.append((space, row, listing))
    session.flush()
    ids = insert_rows(session, Space, [_space_values(city, venue_id, space) for space, venue_id in new])
    created = [(space, venue_id, space_id) for (space, venue_id), space_id in zip(new, ids, strict=True)]
    links = {
        (space_id, units[venue_id, unit]) for space, venue_id, space_id in created for unit in space.units
    }
    wanted = {
        (row.id, units[row.venue_id, unit])
        for space, row, listing in old
        if listing.told is None or "space.units" in listing.told
        for unit in space.units
    }
    if old:
        have = session.execute(
            select(SpaceUnit.space_id, SpaceUnit.unit_id).where(
                SpaceUnit.city_id == city.id, SpaceUnit.space_id.in_([row.id for _, row, _ in old])
            )
        )
        links |= wanted - {(space_id, unit_id) for space_id, unit_id in have}
    rows_ = [{"city_id": city.id, "space_id": s, "unit_id": u} for s, u in sorted(links)]
    copy_rows(session, SpaceUnit, rows_)
    _insert_hours(session, city, [(space, space_id) for space, _, space_id in created])
    _insert_prices(session, city, [(first_lists(space), space_id) for space, _, space_id in created])
    changed = _update_hours(session, city, old)
    _update_prices(session, city, old)
    return [*ids, *changed]


def _units(
    session: Session,
    city: City,
    places: Sequence[tuple[Listing, int]],
    known_spaces: Container[tuple[int, str]],
    known_venues: Sequence[int],
) -> dict[tuple[int, str], int]:
    """Unit ids by venue and external id; missing ones are made."""
    found: dict[tuple[int, str], int] = {}
    stored: dict[tuple[int, str], Unit] = {}
    if known_venues:
        rows = session.scalars(select(Unit).where(Unit.city_id == city.id, Unit.venue_id.in_(known_venues)))
        stored = {(unit.venue_id, unit.external_id): unit for unit in rows}
    new: list[dict[str, Any]] = []
    for listing, venue_id in places:
        known = {one.external_id for one in listing.spaces if (venue_id, one.external_id) in known_spaces}
        for unit in wanted_units(listing, known):
            row = stored.get((venue_id, unit.external_id))
            if row is not None:
                if unit.names and (listing.told is None or "unit.names" in listing.told):
                    _set(row, {"names": dict(unit.names)})
                if listing.told is None or "unit.lanes" in listing.told:
                    # Fewer lanes could strand claims; an owner takes lanes away by hand.
                    _set(row, {"lanes": max(row.lanes, unit.lanes)})
                found[venue_id, unit.external_id] = row.id
            else:
                new.append(
                    {
                        "city_id": city.id,
                        "venue_id": venue_id,
                        "external_id": unit.external_id,
                        "names": dict(unit.names or listing.names),
                        "lanes": unit.lanes,
                    }
                )
    session.flush()
    for row_, unit_id in zip(new, insert_rows(session, Unit, new), strict=True):
        found[row_["venue_id"], row_["external_id"]] = unit_id
    return found


def _hours_rows(city: City, hours: Iterable[Hours], space_id: int) -> list[dict[str, Any]]:
    return [
        {"city_id": city.id, "space_id": space_id, **vars(rule), "days": list(rule.days)} for rule in hours
    ]


def _exception_rows(city: City, exceptions: Iterable[Exceptional], space_id: int) -> list[dict[str, Any]]:
    return [
        {"city_id": city.id, "space_id": space_id, **vars(one), "reasons": dict(one.reasons)}
        for one in exceptions
    ]


def _insert_hours(session: Session, city: City, spaces: Sequence[tuple[ListedSpace, int]]) -> None:
    rules = [
        row
        for space, space_id in spaces
        for row in _hours_rows(city, default_hours(space) if space.hours is None else space.hours, space_id)
    ]
    exceptions = [
        row for space, space_id in spaces for row in _exception_rows(city, space.exceptions, space_id)
    ]
    copy_rows(session, OpeningRule, rules)
    copy_rows(session, OpeningException, exceptions)


def _update_hours(
    session: Session, city: City, spaces: Sequence[tuple[ListedSpace, Space, Listing]]
) -> list[int]:
    """Replace hours that the source tells differently; a source that tells none leaves the owner's. Returns the spaces."""
    rules = {row.id: space.hours for space, row, _ in spaces if space.hours is not None}
    exceptions = {row.id: space.exceptions for space, row, told in spaces if tells_exceptions(space, told)}
    return _replace_hours(session, city, rules, exceptions)


def _replace_hours(
    session: Session,
    city: City,
    rules: Mapping[int, Sequence[Hours]],
    exceptions: Mapping[int, Sequence[Exceptional]],
) -> list[int]:
    """Set the weekly hours and the exceptions of these spaces, where they differ; returns those that changed."""
    have, had = stored_hours(session, city, sorted({*rules, *exceptions}))
    new_rules = {key: told for key, told in rules.items() if not same_hours(told, have.get(key, ()))}
    new_exceptions = {key: told for key, told in exceptions.items() if not same_hours(told, had.get(key, ()))}
    pairs: tuple[tuple[Any, Mapping[int, Any], Any], ...] = (
        (OpeningRule, new_rules, _hours_rows),
        (OpeningException, new_exceptions, _exception_rows),
    )
    for model, told, rows_of in pairs:
        if not told:
            continue
        session.execute(delete(model).where(model.city_id == city.id, model.space_id.in_(list(told))))
        rows = [row for space_id, values in told.items() for row in rows_of(city, values, space_id)]
        copy_rows(session, model, rows)
    return sorted({*new_rules, *new_exceptions})


def import_hours(
    session: Session,
    city: City,
    items: Iterable[SpaceHours | Problem | Note],
    *,
    actor: Actor,
    targets: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Report:
    """Set the hours of spaces that are there already. `targets` gives what a source's id means here: a place or a space
    as "source:place" or "source:place/space"; without it the id is looked for among the spaces', then the places' own.
    """
    report = Report()
    changed: list[int] = []
    for item in items:
        if isinstance(item, Problem):
            report.problems.append(item)
            continue
        if isinstance(item, Note):
            report.notes.append(item)
            continue
        spaces = spaces_called(session, city, (targets or {}).get(item.target, item.target))
        if not spaces:
            reason = f"{item.target} is no single place or space here; say which with --map {item.target}=source:place"
            report.problems.append(Problem(item.where, "resource", reason))
            continue
        try:
            check_hours(item.hours, item.exceptions)
        except RecordBroken as broken:
            report.problems.append(Problem(item.where, broken.field, broken.reason))
            continue
        changed += _set_hours(session, city, item, spaces, report, actor=actor, dry_run=dry_run)
    if changed:
        compile_spaces(session, city, changed)
    return report


def _set_hours(
    session: Session,
    city: City,
    item: SpaceHours,
    spaces: Sequence[tuple[int, str]],
    report: Report,
    *,
    actor: Actor,
    dry_run: bool,
) -> list[int]:
    have, had = stored_hours(session, city, [space_id for space_id, _ in spaces])
    changed = []
    for space_id, name in spaces:
        report.spaces += 1
        old, old_exceptions = have.get(space_id, ()), had.get(space_id, ())
        changes = []
        if not same_hours(item.hours, old):
            changes.append(Change("hours", hours_text(old), hours_text(item.hours)))
        if not same_hours(item.exceptions, old_exceptions):
            changes.append(
                Change("exceptions", exceptions_text(old_exceptions), exceptions_text(item.exceptions))
            )
        if not changes:
            report.unchanged += 1
            continue
        report.updated += 1
        if dry_run:
            source, _, rest = name.partition(":")
            report.changes.append(PlaceChange(item.where, source, rest, name, tuple(changes)))
            continue
        changed.append(space_id)
        audit(
            session, actor, "space.hours_imported", "space", space_id,
            before={one.field: one.old for one in changes}, after={one.field: one.new for one in changes},
        )  # fmt: skip
    ids = dict.fromkeys(changed, item)
    return _replace_hours(
        session,
        city,
        {space_id: one.hours for space_id, one in ids.items()},
        {space_id: one.exceptions for space_id, one in ids.items()},
    )


def first_lists(space: ListedSpace) -> list[PriceList]:
    """The price lists of a new space; free of charge where the source knows none."""
    if space.prices is not None:
        return lists_to_write(space.prices, None, FIRST_DAY)
    price = space.price or ListedPrice()
    return [PriceList(FIRST_DAY, price.per, price.amount_minor, vat_code=price.vat_code)]


def _insert_prices(session: Session, city: City, prices: Iterable[tuple[Iterable[PriceList], int]]) -> None:
    bases, variations = [], []
    for lists, space_id in prices:
        for one in lists:
            key = {"city_id": city.id, "space_id": space_id, "valid_from": one.valid_from}
            bases.append(
                {
                    **key, "per": one.per, "amount_minor": one.base_minor, "vat_code": one.vat_code,
                    "slot_minutes": one.slot_minutes, "minimum_minor": one.minimum_minor,
                    "build_percent": one.build_percent, "kept_percent": one.kept_percent,
                    **one.cancel.as_json(), "ways": list(one.ways), **tariff_columns(one.tariff),
                }
            )  # fmt: skip
            variations += [
                {
                    **key, "position": at, "group_code": row.group, "days": sorted(row.days),
                    "from_minute": row.from_minute, "to_minute": row.to_minute, "amount_minor": row.amount_minor,
                }
                for at, row in enumerate(one.rows)
            ]  # fmt: skip
    copy_rows(session, Price, bases)
    copy_rows(session, PriceVariation, variations)


def _update_prices(
    session: Session, city: City, spaces: Sequence[tuple[ListedSpace, Space, Listing]]
) -> None:
    """A price that the source tells differently holds from today on; what was sold keeps its own."""
    told = {row.id: space for space, row, _ in spaces if space.price is not None or space.prices is not None}
    if not told:
        return
    today = now().astimezone(city.zone).date()
    have = stored_prices(session, city, list(told), today)
    writes = {
        space_id: lists
        for space_id, space in told.items()
        if (lists := _price_writes(space, have.get(space_id, ()), today))
    }
    for space_id, lists in writes.items():
        days = [one.valid_from for one in lists]
        session.execute(
            delete(Price).where(
                Price.city_id == city.id, Price.space_id == space_id, Price.valid_from.in_(days)
            )
        )
    _insert_prices(session, city, [(lists, space_id) for space_id, lists in writes.items()])


def _price_writes(space: ListedSpace, stored: Sequence[PriceList], today: date) -> list[PriceList]:
    """The lists to write: those that are told whole, or the one in force with the base price that is told."""
    if space.prices is not None:
        return lists_to_write(space.prices, stored, today)
    price, holds = space.price or ListedPrice(), in_force(stored, today)
    if holds is not None and _same_price(holds, price):
        return []
    return [base_changed(holds, price.per, price.amount_minor, price.vat_code, today)]


def _same_price(stored: PriceList, told: ListedPrice) -> bool:
    return (stored.per, stored.base_minor, stored.vat_code) == (told.per, told.amount_minor, told.vat_code)
