"""The formats that can be read, and how each is told from the others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spaces.transfer import allu, geojson, tprek, varaamo
from spaces.transfer.documents import Document, records_in
from spaces.transfer.errors import FileRefused, Note, Problem
from spaces.transfer.listing import Listing

Reader = Callable[[Document], Iterator[Listing | Problem | Note]]
# How many records are looked at to tell the format; the first may be the broken one.
LOOKED_AT = 20


@dataclass(frozen=True)
class Format:
    """A format: its name on the command line, what it is called in sentences, its reader, and whether a record is one."""

    name: str
    title: str
    read: Reader
    is_record: Callable[[Mapping[str, Any]], bool]


def _properties(record: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = record.get("properties")
    return properties if record.get("type") == "Feature" and isinstance(properties, Mapping) else {}


# The special ones before the general ones.
FORMATS = (
    Format("allu", "Allu fixed locations", allu.read, lambda r: "application_kind" in _properties(r)),
    Format("servicemap-geojson", "service-map GeoJSON", tprek.read_map, lambda r: "PKS_ID" in _properties(r)),
    Format("geojson", "GeoJSON of places", geojson.read, lambda r: r.get("type") == "Feature"),
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
    records = [record for record in records_in(document.data)[:LOOKED_AT] if isinstance(record, Mapping)]
    if not records_in(document.data):
        raise FileRefused(f"{document.path.name} holds no records.")
    looks_like = next((one for one in FORMATS if any(one.is_record(record) for record in records)), None)
    if asked is None:
        if looks_like is None:
            raise FileRefused(
                f"{document.path.name} is none of the known formats: {', '.join(one.name for one in FORMATS)}."
            )
        return looks_like
    chosen = BY_NAME[asked]
    if not any(chosen.is_record(record) for record in records):
        other = f"; it looks like {looks_like.title} (--format {looks_like.name})" if looks_like else ""
        raise FileRefused(f"{document.path.name} is not {chosen.title}{other}.")
    return chosen
