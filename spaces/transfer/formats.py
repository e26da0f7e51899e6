"""The formats that can be read, and how each is told from the others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spaces.transfer import allu, berths, columns, geojson, hauki, lipas, respa, tprek, varaamo
from spaces.transfer.documents import Document, records_in
from spaces.transfer.errors import FileRefused, Note, Problem
from spaces.transfer.listing import Listing, SpaceHours

Reader = Callable[[Document], Iterator[Listing | SpaceHours | Problem | Note]]
# How many records are looked at to tell the format; the first may be the broken one.
LOOKED_AT = 20


@dataclass(frozen=True)
class Format:
    """A format: its name on the command line, what it is called in sentences, its reader, and whether a record is one.

    `kind` is the kind of document it comes in, and `brings` what its records are: places, or hours for known places.
    """

    name: str
    title: str
    read: Reader
    is_record: Callable[[Mapping[str, Any]], bool]
    kind: str = "json"
    brings: str = "places"


def _properties(record: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = record.get("properties")
    return properties if record.get("type") == "Feature" and isinstance(properties, Mapping) else {}


def read_features(document: Document) -> Iterator[Listing | Problem | Note]:
    """Features with our own columns, or anybody's places; the first ones tell which."""
    features = [one for one in records_in(document.data)[:LOOKED_AT] if isinstance(one, Mapping)]
    own = any(columns.is_row(_properties(one)) for one in features)
    return columns.read(document) if own else geojson.read(document)


# The special ones before the general ones.
FORMATS = (
    Format("csv", "CSV of places", columns.read, bool, "csv"),
    Format("xlsx", "an Excel workbook of places", columns.read, bool, "xlsx"),
    Format("geopackage", "GeoPackage of places", read_features, bool, "gpkg"),
    Format("allu", "Allu fixed locations", allu.read, lambda r: "application_kind" in _properties(r)),
    Format("servicemap-geojson", "service-map GeoJSON", tprek.read_map, lambda r: "PKS_ID" in _properties(r)),
    Format("geojson", "GeoJSON of places", read_features, lambda r: r.get("type") == "Feature"),
    Format(
        "hauki",
        "Hauki date periods",
        hauki.read,
        lambda r: "time_span_groups" in r and "resource" in r,
        brings="hours",
    ),
    Format(
        "respa",
        "Respa resources",
        respa.read,
        lambda r: "people_capacity" in r or ("reservable" in r and "unit" in r and "min_period" in r),
    ),
    Format("lipas", "LIPAS sports places", lipas.read, lambda r: "sportsPlaceId" in r),
    Format(
        "berths",
        "harbours and berths",
        berths.read,
        lambda r: str(r.get("model", "")).startswith(("resources.", "harbors.")) and "fields" in r,
    ),
    Format(
        "varaamo",
        "Varaamo reservation units",
        varaamo.read,
        lambda r: (
            bool({"reservation_unit_type", "reservationUnitType", "reservationUnit"} & r.keys())
            or str(r.get("__typename", "")).startswith("ReservationUnit")
        ),
    ),
    Format(
        "tprek",
        "TPREK v4 units",
        tprek.read_units,
        lambda r: (
            any(key.startswith("name_") for key in r)
            and bool(
                {"org_id", "ontologytree_ids", "provider_type", "street_address_fi", "latitude"} & r.keys()
            )
        ),
    ),
)
BY_NAME = {one.name: one for one in FORMATS}


def format_of(document: Document, asked: str | None) -> Format:
    """The asked format, or the one that the records look like. Raises FileRefused where the file is another."""
    everything = records_in(document.data)
    if not everything:
        raise FileRefused(f"{document.path.name} holds no records.")
    records = [record for record in everything[:LOOKED_AT] if isinstance(record, Mapping)]
    looks_like = next((one for one in FORMATS if fits(one, document, records)), None)
    if asked is None:
        if looks_like is None:
            raise FileRefused(
                f"{document.path.name} is none of the known formats: {', '.join(one.name for one in FORMATS)}."
            )
        check_columns(document, records)
        return looks_like
    chosen = BY_NAME[asked]
    if not fits(chosen, document, records):
        other = f"; it looks like {looks_like.title} (--format {looks_like.name})" if looks_like else ""
        raise FileRefused(f"{document.path.name} is not {chosen.title}{other}.")
    check_columns(document, records)
    return chosen


def fits(one: Format, document: Document, records: list[Mapping[str, Any]]) -> bool:
    return one.kind == document.kind and any(one.is_record(record) for record in records)


def check_columns(document: Document, records: list[Mapping[str, Any]]) -> None:
    """A table must at least tell the ids of its places."""
    if document.kind not in {"csv", "xlsx"}:
        return
    names = {name for record in records for name in columns.renamed(record)} - {"", "row"}
    if "place_id" not in names:
        told = ", ".join(sorted(names)[:8]) or "none"
        raise FileRefused(
            f"{document.path.name} has no column place_id or id, so its rows cannot be told apart; its columns: {told}."
        )
