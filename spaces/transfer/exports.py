"""What is stored as files: our own columns in five formats, which come back unchanged, and two of other systems, which
say less (docs/formats.md tells what is lost)."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping

from spaces.transfer.columns import AREA, COLUMNS, NUMBERS, records_of, rows_of
from spaces.transfer.geopackage import write_gpkg
from spaces.transfer.listing import ListedSpace, Listing
from spaces.transfer.tables import write_csv, write_xlsx
from spaces.transfer.text import LANGUAGES

GEOPARQUET = "1.1.0"
VARAAMO_TYPES = {
    "meeting_room": "Kokoustila", "music_studio": "Äänitysstudio", "youth_space": "Nuorisopalvelut",
    "sports_hall": "Liikuntatila", "art_studio": "Työpaja",
}  # fmt: skip


@dataclass(frozen=True)
class Export:
    """A format: its name on the command line, what it is called in sentences, and its writer, which counts records."""

    name: str
    title: str
    write: Callable[[Path, Iterable[Listing]], int]


def to_csv(path: Path, listings: Iterable[Listing]) -> int:
    return write_csv(path, (*COLUMNS, AREA), records_of(listings))


def to_xlsx(path: Path, listings: Iterable[Listing]) -> int:
    return write_xlsx(path, (*COLUMNS, AREA), records_of(listings))


def geometry_of(listing: Listing) -> Any:
    """The outline, else the point, else nothing."""
    if listing.area is not None:
        return shapely.from_wkb(listing.area)
    return None if listing.lon is None or listing.lat is None else shapely.Point(listing.lon, listing.lat)


def to_geojson(path: Path, listings: Iterable[Listing]) -> int:
    """One feature per space, a line each; the properties are our columns."""
    return write_json(
        path,
        (
            {"type": "Feature", "geometry": None if shape is None else mapping(shape), "properties": row}
            for listing in listings
            for shape in [geometry_of(listing)]
            for row in rows_of(listing)
        ),
        before='{"type": "FeatureCollection", "name": "spaces", "features": [\n',
        after="\n]}\n",
    )


def write_json(
    path: Path, records: Iterator[Mapping[str, Any]], *, before: str = "[\n", after: str = "\n]\n"
) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(before)
        for record in records:
            file.write((",\n" if count else "") + json.dumps(record, ensure_ascii=False))
            count += 1
        file.write(after)
    return count


def shaped_rows(listings: Iterable[Listing]) -> tuple[list[dict[str, Any]], list[bytes | None], list[Any]]:
    """Rows, their geometries as WKB, and the shapes once per place."""
    rows: list[dict[str, Any]] = []
    wkb: list[bytes | None] = []
    shapes: list[Any] = []
    for listing in listings:
        shape = geometry_of(listing)
        binary = None if shape is None else bytes(shapely.to_wkb(shape))
        shapes += [] if shape is None else [shape]
        for row in rows_of(listing):
            rows.append(row)
            wkb.append(binary)
    return rows, wkb, shapes


def to_geopackage(path: Path, listings: Iterable[Listing]) -> int:
    rows, wkb, _ = shaped_rows(listings)
    return write_gpkg(path, {column: NUMBERS.get(column, "object") for column in COLUMNS}, rows, wkb)


def to_geoparquet(path: Path, listings: Iterable[Listing]) -> int:
    """GeoParquet 1.1 with WKB. Written with arro3, a tenth of the size of pyarrow, which pandas would also start to use
    for every text of the district frames as soon as it is there."""
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - only this format needs it
    from arro3.io import write_parquet  # noqa: PLC0415

    rows, wkb, shapes = shaped_rows(listings)
    types = {"float64": DataType.float64(), "int64": DataType.int64(), "object": DataType.utf8()}
    columns: dict[str, Any] = {
        column: Array([row.get(column) for row in rows], types[NUMBERS.get(column, "object")])
        for column in COLUMNS
    }
    columns["geometry"] = Array(wkb, DataType.binary())
    about: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted({shape.geom_type for shape in shapes}),
    }
    if shapes:
        about["bbox"] = [float(value) for value in shapely.total_bounds(shapes)]
    geo = {"version": GEOPARQUET, "primary_column": "geometry", "columns": {"geometry": about}}
    write_parquet(
        Table.from_pydict(columns), path, key_value_metadata={"geo": json.dumps(geo)}, compression="snappy"
    )
    return len(rows)


def to_tprek(path: Path, listings: Iterable[Listing]) -> int:
    return write_json(path, (tprek_unit(listing) for listing in listings))


def tprek_unit(listing: Listing) -> dict[str, Any]:
    """A place as a TPREK v4 unit; its spaces give only the description."""
    is_own = listing.source == "tprek"
    unit: dict[str, Any] = {
        "id": int(listing.external_id) if is_own and listing.external_id.isdigit() else
        listing.external_id if is_own else f"{listing.source}:{listing.external_id}",
        "org_id": listing.owner,
        "provider_type": "SELF_PRODUCED",
        "latitude": listing.lat,
        "longitude": listing.lon,
        "address_zip": listing.postcode,
        "address_city_fi": listing.locality,
        "phone": listing.phone,
        "www_fi": listing.website,
    }  # fmt: skip
    described = next((space.descriptions for space in listing.spaces if space.descriptions), {})
    for language in LANGUAGES:
        unit[f"name_{language}"] = listing.names.get(language)
        unit[f"street_address_{language}"] = listing.streets.get(language)
        unit[f"desc_{language}"] = described.get(language)
    return {key: value for key, value in unit.items() if value is not None}


def to_varaamo(path: Path, listings: Iterable[Listing]) -> int:
    return write_json(
        path, (varaamo_unit(listing, space) for listing in listings for space in listing.spaces)
    )


def varaamo_unit(listing: Listing, space: ListedSpace) -> dict[str, Any]:
    """A space as a reservation unit of Varaamo's REST v1; units of a place become Varaamo's spaces."""
    is_own = listing.source == "varaamo"
    units = {unit.external_id: unit for unit in listing.units}
    building = listing.external_id.partition(":")[2] if is_own else f"{listing.source}:{listing.external_id}"
    street = listing.streets.get("fi") or next(iter(listing.streets.values()), "")
    return {
        "id": int(space.external_id) if is_own and space.external_id.isdigit() else space.external_id
        if is_own else f"{listing.source}:{listing.external_id}/{space.external_id}",
        "name": in_three(space.names),
        "description": in_three(space.descriptions),
        "terms_of_use": in_three(space.instructions),
        "require_introduction": space.terms.approval == "handler",
        "building": {"id": building, "name": in_three(listing.names)},
        "reservation_unit_type": {"name": VARAAMO_TYPES.get(space.kind, space.kind)},
        "purposes": [],
        "resources": [],
        "spaces": [
            {"id": key.removeprefix("space:"), "name": in_three(units[key].names), "parent_id": None}
            for key in space.units
        ],
        "location": {
            "address_street": street, "address_zip": listing.postcode, "address_city": listing.locality,
            "coordinates": {"longitude": listing.lon, "latitude": listing.lat},
        },
        "max_persons": space.capacity,
        "min_persons": space.terms.attendees_min,
        "max_reservations_per_user": space.terms.max_open_per_person,
        "surface_area": space.area_m2,
        "min_reservation_duration": duration(space.terms.min_minutes),
        "max_reservation_duration": duration(space.terms.max_minutes),
        "reservation_start_interval": f"interval_{space.terms.interval_minutes}_mins",
        "buffer_time_before": duration(space.terms.buffer_before_minutes),
        "buffer_time_after": duration(space.terms.buffer_after_minutes),
    }  # fmt: skip


def in_three(texts: Mapping[str, str]) -> dict[str, str | None]:
    return {language: texts.get(language) for language in LANGUAGES}


def duration(minutes: int) -> str:
    """90 minutes as "01:30:00", a day and an hour as "1 01:00:00"."""
    days, rest = divmod(minutes, 1440)
    clock = f"{rest // 60:02}:{rest % 60:02}:00"
    return f"{days} {clock}" if days else clock


EXPORTS = (
    Export("csv", "CSV", to_csv),
    Export("xlsx", "an Excel workbook", to_xlsx),
    Export("geojson", "GeoJSON", to_geojson),
    Export("geopackage", "GeoPackage", to_geopackage),
    Export("geoparquet", "GeoParquet", to_geoparquet),
    Export("tprek", "TPREK v4 units", to_tprek),
    Export("varaamo", "Varaamo reservation units", to_varaamo),
)
EXPORT_BY_NAME = {one.name: one for one in EXPORTS}
ENDINGS = {
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".geojson": "geojson",
    ".gpkg": "geopackage",
    ".parquet": "geoparquet",
}


def export_file(path: Path, listings: Iterable[Listing], export: Export) -> int:
    """Write the whole file beside its place, then put it there, so that a broken export leaves the old file as it was."""
    draft = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        count = export.write(draft, listings)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count
