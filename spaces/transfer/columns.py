"""Our own columns: one row per space, its place's columns repeated; the same names in CSV, XLSX, GeoJSON, GeoPackage
and GeoParquet. `docs/formats.md` explains each.

A column that is absent tells nothing, so what is stored stays; an empty cell empties a text. Hours, prices, outlines
and points are kept where their cell is empty.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import shapely

from marketplace.money import round_half_up
from spaces.pricing.lists import PriceList
from spaces.pricing.models import PRICE_PERS
from spaces.transfer.access_text import measures_text, read_measures, read_sentences, sentences_text
from spaces.transfer.cells import cell_text, joined, parts, words
from spaces.transfer.documents import Document
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.hours_text import exceptions_text, hours_text, read_exceptions, read_hours
from spaces.transfer.kinds import DEFAULT_KIND, KIND_PURPOSES, kind_of_name
from spaces.transfer.listing import BY_THE_DAY, ListedPrice, ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.price_text import check_lists, prices_text, read_prices
from spaces.transfer.shapes import Place, place_of
from spaces.transfer.text import LANGUAGES, count_field, number_field
from spaces.transfer.tprek import web_address

CONTROLS = dict.fromkeys([code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"])
TERMS = tuple(one.name for one in fields(Terms))
FLAGS = ("whole_days",)
CHOICES = ("approval", "who", "quota_period")


def in_all(stem: str) -> tuple[str, ...]:
    return tuple(f"{stem}_{language}" for language in LANGUAGES)


PLACE_COLUMNS = (
    "place_source", "place_id", "place_kind", *in_all("place_name"), *in_all("street"), "postcode", "locality",
    "lon", "lat", "accessibility", "accessibility_lacks", "accessibility_measures", "accessibility_sentences", "phone", "website", "owner",
)  # fmt: skip
SPACE_COLUMNS = (
    "space_id", "kind", *in_all("name"), *in_all("description"), *in_all("instructions"), "units", "unit_lanes",
    *in_all("unit_name"), "purposes", "equipment", "capacity", "area_m2", "state", *TERMS, "hours", "exceptions",
    "price_per", "price", "vat_code", "prices",
)  # fmt: skip
# A geometry of its own in the geographic formats.
AREA = "area_wkt"
COLUMNS = (*PLACE_COLUMNS, *SPACE_COLUMNS)
NUMBERS = {
    "lon": "float64", "lat": "float64", "area_m2": "float64", "price": "float64", "capacity": "int64",
    **{name: "int64" for name in TERMS if name not in {*FLAGS, *CHOICES}},
}  # fmt: skip
# What a simple list may call them.
ALIASES = {
    "id": "place_id", "external_id": "place_id", "source": "place_source", "name": "name_fi",
    "description": "description_fi", "street": "street_fi", "address": "street_fi", "address_fi": "street_fi",
    "address_sv": "street_sv", "longitude": "lon", "latitude": "lat", "x": "lon", "y": "lat", "wkt": AREA,
}  # fmt: skip
# GDAL gives every feature of a GeoPackage a number of its own.
KNOWN = frozenset({*COLUMNS, AREA, *ALIASES, "row", "fid"})

# Which field of a listing each column tells.
STEMS = {
    "place_kind": "kind", "lon": "point", "lat": "point", AREA: "area", "postcode": "postcode", "locality": "locality",
    **{name: name for name in ("accessibility", "accessibility_lacks", "accessibility_measures")}, "phone": "phone", "website": "website", "owner": "owner",
    **dict.fromkeys(in_all("place_name"), "names"), **dict.fromkeys(in_all("street"), "streets"),
    "kind": "space.kind", **dict.fromkeys(in_all("name"), "space.names"),
    **dict.fromkeys(in_all("description"), "space.descriptions"),
    **dict.fromkeys(in_all("instructions"), "space.instructions"),
    "units": "space.units", "unit_lanes": "unit.lanes", **dict.fromkeys(in_all("unit_name"), "unit.names"),
    **{name: f"space.{name}" for name in ("purposes", "equipment", "capacity", "area_m2", "state", "exceptions", *TERMS)},
}  # fmt: skip


def rows_of(listing: Listing) -> Iterator[dict[str, Any]]:
    """A row per space; None for an empty cell. `area` is not in it, for each format has its own way with shapes."""
    place = {
        "place_source": listing.source,
        "place_id": listing.external_id,
        "place_kind": listing.kind,
        **spread("place_name", listing.names),
        **spread("street", listing.streets),
        "postcode": listing.postcode,
        "locality": listing.locality,
        "lon": listing.lon,
        "lat": listing.lat,
        "accessibility": ", ".join(listing.accessibility) or None,
        "accessibility_lacks": ", ".join(listing.accessibility_lacks) or None,
        "accessibility_measures": measures_text(listing.accessibility_measures) or None,
        "accessibility_sentences": sentences_text(listing.accessibility_sentences) or None,
        "phone": listing.phone,
        "website": listing.website,
        "owner": listing.owner,
    }
    units = {unit.external_id: unit for unit in listing.units}
    for space in listing.spaces:
        covered = [units[key] for key in space.units]
        price = space.price
        yield {
            **place,
            "space_id": space.external_id,
            "kind": space.kind,
            **spread("name", space.names),
            **spread("description", space.descriptions),
            **spread("instructions", space.instructions),
            "units": joined(unit.external_id for unit in covered) or None,
            "unit_lanes": joined(str(unit.lanes) for unit in covered),
            **{f"unit_name_{language}": unit_names(covered, language) for language in LANGUAGES},
            "purposes": ", ".join(space.purposes) or None,
            "equipment": ", ".join(space.equipment) or None,
            "capacity": space.capacity,
            "area_m2": space.area_m2,
            "state": space.state,
            **{
                name: ("true" if value else "false") if isinstance(value, bool) else value
                for name, value in vars(space.terms).items()
            },
            "hours": None if space.hours is None else hours_text(space.hours),
            "exceptions": exceptions_text(space.exceptions) or None,
            "price_per": price.per if price else None,
            "price": price.amount_minor / 100 if price else None,
            "vat_code": price.vat_code if price else None,
            "prices": prices_text(space.prices or ()) or None,
        }  # fmt: skip


def unit_names(units: Iterable[ListedUnit], language: str) -> str | None:
    names = [clean(unit.names.get(language, "")).replace("\n", " ") for unit in units]
    return joined(names) if any(names) else None


def spread(stem: str, texts: Mapping[str, str]) -> dict[str, str | None]:
    return {f"{stem}_{language}": clean(texts.get(language, "")) or None for language in LANGUAGES}


def is_row(record: Mapping[str, Any]) -> bool:
    """Whether a record has our columns: a space's and its place's id."""
    return "space_id" in record and "place_id" in record


def read(document: Document) -> Iterator[Listing | Problem | Note]:
    """Rows of CSV and XLSX, or features with our columns as properties, joined into places.

    A broken row takes its place along: half a hall would lose the units that it shares.
    """
    transform = document.to_wgs84()
    source = f"list:{document.name}"
    places: dict[tuple[str, str], list[tuple[str, Listing]]] = {}
    broken_places: set[tuple[str, str]] = set()
    columns: set[str] = set()
    for where, record in document.records():
        row = record.get("properties") if record.get("type") == "Feature" else record
        row = renamed(row if isinstance(row, Mapping) else {})
        columns |= row.keys()
        key = (line(row, "place_source") or source, line(row, "place_id"))
        name = f"{where} (id {key[1]})" if key[1] else where
        try:
            listing = listing_of(row, shape_of(record, transform), name, key)
        except RecordBroken as broken:
            broken_places.add(key)
            yield Problem(name, broken.field, broken.reason)
        else:
            places.setdefault(key, []).append((name, listing))
    if unknown := sorted(columns - KNOWN):
        yield Note("columns", f"not known, so left out: {', '.join(unknown[:12])}")
    for key, rows in places.items():
        if key in broken_places:
            left = len(rows)
            yield Note(rows[0][0], f"{left} other rows of this place are left out with the broken one")
        else:
            try:
                yield together(rows)
            except RecordBroken as broken:
                yield Problem(rows[0][0], broken.field, broken.reason)


def renamed(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in row.items() if key not in ALIASES}
    for key, value in row.items():
        if key in ALIASES:
            found.setdefault(ALIASES[key], value)
    return found


def shape_of(record: Mapping[str, Any], transform: Any) -> Place | None:
    geometry = record.get("geometry") if record.get("type") == "Feature" else None
    return None if geometry is None else place_of(geometry, transform=transform)


def listing_of(row: Mapping[str, Any], place: Place | None, where: str, key: tuple[str, str]) -> Listing:
    """A place with the one space of this row."""
    if "" in row:
        raise RecordBroken("record", str(row[""]))
    if not key[1]:
        raise RecordBroken("place_id", "is missing, and without it a second import would double the place")
    space_id = line(row, "space_id") or "whole"
    names = texts(row, "name") or texts(row, "place_name")
    kind = line(row, "kind") or kind_of_name(*names.values()) or DEFAULT_KIND
    price = price_of(row)
    units = units_of(row, space_id)
    area = area_of(row, place)
    lon, lat = number_field(row, "lon"), number_field(row, "lat")
    if lon is None and lat is None and place is not None:
        lon, lat = place.lon, place.lat
    told = {STEMS[column] for column in row if column in STEMS}
    told |= {"point"} if lon is not None else set()
    told -= {"point"} if lon is None else set()
    sentences = read_sentences(cell_text(row.get("accessibility_sentences")))
    told |= {"accessibility_sentences"} if sentences is not None else set()
    told = told | {"area"} if area is not None else told - {"area"}
    # The space's name is the place's where the list has only one of them.
    place_names = texts(row, "place_name") or names
    if "names" not in told and "space.names" in told and "space_id" not in row:
        told.add("names")
    if "space.names" not in told and "names" in told and "space_id" not in row:
        told.add("space.names")
    purposes = tuple(words(row.get("purposes") or ""))
    return Listing(
        source=key[0],
        external_id=key[1],
        kind=line(row, "place_kind") or kind,
        names=place_names,
        where=where,
        streets=texts(row, "street"),
        postcode=line(row, "postcode") or None,
        locality=line(row, "locality") or None,
        lon=lon,
        lat=lat,
        area=area,
        accessibility=tuple(words(row.get("accessibility") or "")),
        accessibility_lacks=tuple(words(row.get("accessibility_lacks") or "")),
        accessibility_measures=read_measures(cell_text(row.get("accessibility_measures"))),
        accessibility_sentences=sentences or (),
        phone=line(row, "phone") or None,
        website=website_of(row),
        owner=line(row, "owner") or None,
        told=tuple(sorted(told)),
        units=units,
        spaces=(
            ListedSpace(
                space_id, kind, names, tuple(unit.external_id for unit in units),
                descriptions=texts(row, "description", one_line=False),
                instructions=texts(row, "instructions", one_line=False),
                purposes=purposes if "purposes" in row else KIND_PURPOSES.get(kind, ()),
                equipment=tuple(words(row.get("equipment") or "")),
                capacity=count_field(row, "capacity"),
                area_m2=number_field(row, "area_m2"),
                state=line(row, "state") or "published",
                terms=terms_of(row, price),
                hours=read_hours(cell_text(row.get("hours"))),
                exceptions=read_exceptions(cell_text(row.get("exceptions"))),
                price=price,
                prices=prices_of(row, price),
            ),
        ),
    )  # fmt: skip


def together(rows: list[tuple[str, Listing]]) -> Listing:
    """One place of its rows. Raises RecordBroken where they tell different things of it."""
    _, first = rows[0]
    units: dict[str, ListedUnit] = {}
    for where, row in rows:
        same = replace(row, units=first.units, spaces=first.spaces, where=first.where, told=first.told)
        if len(rows) > 1 and not same_place(first, same):
            raise RecordBroken(
                "place_id", f"{first.external_id}: its rows tell different things of the place ({where})"
            )
        for unit in row.units:
            units.setdefault(unit.external_id, unit)
            if units[unit.external_id].lanes != unit.lanes:
                raise RecordBroken(
                    "unit_lanes", f"unit {unit.external_id} has two numbers of lanes ({where})"
                )
    told = set(first.told or ()).intersection(*(set(row.told or ()) for _, row in rows))
    # A cell that is filled in one row alone (an outline, say) still tells of the place they share.
    return replace(
        first,
        units=tuple(units.values()),
        spaces=tuple(space for _, row in rows for space in row.spaces),
        told=tuple(sorted(told)),
    )


def same_place(first: Listing, other: Listing) -> bool:
    """Kinds may differ where the list has none for the place: each row then guesses from its own space."""
    return replace(other, kind=first.kind, names=first.names) == first and (
        other.names == first.names or "names" not in (first.told or ())
    )


def units_of(row: Mapping[str, Any], space_id: str) -> tuple[ListedUnit, ...]:
    keys = parts(line(row, "units")) or [space_id]
    lanes = parts(cell_text(row.get("unit_lanes"))) or ["1"] * len(keys)
    named = {language: parts(line(row, f"unit_name_{language}")) for language in LANGUAGES}
    if len(lanes) != len(keys):
        raise RecordBroken("unit_lanes", f"has {len(lanes)} numbers for {len(keys)} units")
    units = []
    for at, (key, count) in enumerate(zip(keys, lanes, strict=True)):
        if not count.isdigit():
            raise RecordBroken("unit_lanes", f"{count!r} is not a whole number")
        own = {language: given[at] for language, given in named.items() if at < len(given) and given[at]}
        units.append(ListedUnit(key, own, int(count)))
    return tuple(units)


def terms_of(row: Mapping[str, Any], price: ListedPrice | None) -> Terms:
    terms = BY_THE_DAY if price and price.per == "day" and "min_minutes" not in row else Terms()
    given: dict[str, Any] = {}
    for name in TERMS:
        text = cell_text(row.get(name)).strip()
        if not text:
            continue
        if name in CHOICES:
            given[name] = text
        elif name in FLAGS:
            given[name] = flag(name, text)
        else:
            number = number_field(row, name)
            if number is None or number != int(number):
                raise RecordBroken(name, f"{text!r} is not a whole number")
            given[name] = int(number)
    return replace(terms, **given)


def flag(field: str, text: str) -> bool:
    if text.lower() in {"true", "1", "yes", "x", "kyllä"}:
        return True
    if text.lower() in {"false", "0", "no", "ei"}:
        return False
    raise RecordBroken(field, f"{text!r} is neither true nor false")


def price_of(row: Mapping[str, Any]) -> ListedPrice | None:
    per, vat = line(row, "price_per"), line(row, "vat_code") or "standard"
    amount = number_field(row, "price")
    if not per and amount is None:
        return None
    if not amount:
        return ListedPrice(vat_code=vat) if per in {"", "free"} else ListedPrice(per, 0, vat)
    return ListedPrice(per or "hour", round_half_up(Decimal(str(amount)) * 100), vat)


def prices_of(row: Mapping[str, Any], price: ListedPrice | None) -> tuple[PriceList, ...] | None:
    """Whole lists. A base price beside them must be that of the first, or nobody knows which of the two was meant."""
    lists = read_prices(cell_text(row.get("prices")))
    if lists is None:
        return None
    check_lists(lists)
    first = ListedPrice(lists[0].per, lists[0].base_minor, lists[0].vat_code)
    if price is not None and price != first and first.per in PRICE_PERS:
        told = f"{price.amount_minor / 100:.2f} {price.per} {price.vat_code}"
        begins = f"{first.amount_minor / 100:.2f} {first.per} {first.vat_code}"
        raise RecordBroken(
            "price",
            f"{told} is not the {begins} that `prices` begins with; change both, or empty one of them",
        )
    return lists


def area_of(row: Mapping[str, Any], place: Place | None) -> bytes | None:
    text = cell_text(row.get(AREA))
    if text:
        try:
            shape = shapely.from_wkt(text)
        except shapely.errors.GEOSException:
            raise RecordBroken(AREA, f"{text[:30]!r} is no well-known text of a polygon") from None
        return place_of(shape).wkb
    return None if place is None else place.wkb


def website_of(row: Mapping[str, Any]) -> str | None:
    text = line(row, "website")
    if text and web_address(text) is None:
        raise RecordBroken("website", f"{text[:40]!r} is no address that begins with http:// or https://")
    return text or None


def line(row: Mapping[str, Any], field: str) -> str:
    return clean(cell_text(row.get(field)))


def clean(text: str) -> str:
    """The text as it is, without what no cell can hold; both ways, so that an export comes back as it left."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(CONTROLS).strip()


def texts(row: Mapping[str, Any], stem: str, *, one_line: bool = True) -> dict[str, str]:
    found = {}
    for language in LANGUAGES:
        text = line(row, f"{stem}_{language}")
        if one_line:
            text = text.replace("\n", " ")
        if text:
            found[language] = text
    return found


def records_of(listings: Iterable[Listing]) -> Iterator[dict[str, Any]]:
    """All rows, with the outline as well-known text: for CSV and XLSX."""
    for listing in listings:
        outline = (
            shapely.to_wkt(shapely.from_wkb(listing.area), rounding_precision=-1) if listing.area else None
        )
        for row in rows_of(listing):
            yield row | {AREA: outline}
