"""GeoPackage as records shaped like GeoJSON features, with shapely geometries.

A GeoPackage is an SQLite database, read here as that: only tables, no views or triggers, row by row and with limits on
every value, so that a small file cannot unfold into a large one.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from marketplace.geo import WGS84
from spaces.transfer.errors import FileRefused
from spaces.transfer.limits import MAX_CELL, MAX_FILE, MAX_ROWS, MB

MAGIC = b"SQLite format 3\x00"
LAYER = "spaces"
ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
# One step per thousand instructions; a read of the largest allowed table takes far fewer.
MAX_STEPS = 2_000_000


def gpkg_records(content: bytes, name: str) -> tuple[list[dict[str, Any]], str]:
    """The features of the layer "spaces", else of the only or first layer, and its CRS. Raises FileRefused."""
    if len(content) > MAX_FILE:
        raise FileRefused(f"{name} has more than {MAX_FILE // MB} MB.")
    try:
        with closing(sqlite3.connect(":memory:")) as base:
            base.deserialize(content)
            base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 16 * MAX_CELL)
            base.execute("PRAGMA trusted_schema = OFF")
            budget = iter(range(MAX_STEPS))
            base.set_progress_handler(lambda: next(budget, None) is None, 1000)
            table, column, crs = layer_of(base, name)
            return list(features(base, table, column, name)), crs
    except sqlite3.OperationalError as error:
        reason = "it takes too long to read" if "interrupted" in str(error) else str(error)
        raise FileRefused(f"{name} is no GeoPackage that can be read: {reason}.") from error
    except (sqlite3.DatabaseError, sqlite3.DataError) as error:
        raise FileRefused(f"{name} is a damaged GeoPackage: {error}.") from error


def layer_of(base: sqlite3.Connection, name: str) -> tuple[str, str, str]:
    """(table, geometry column, CRS as pyproj takes it) of the layer to read."""
    rows = base.execute(
        "SELECT c.table_name, g.column_name, s.organization, s.organization_coordsys_id, s.definition, g.srs_id"
        " FROM gpkg_contents c JOIN gpkg_geometry_columns g ON g.table_name = c.table_name"
        " LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id"
        " WHERE c.data_type = 'features' ORDER BY c.table_name <> ?, c.table_name",
        (LAYER,),
    ).fetchall()
    if not rows:
        raise FileRefused(f"{name} has no layer of features.")
    table, column, organization, code, definition, srs_id = rows[0]
    if len(rows) > 1 and table != LAYER:
        layers = ", ".join(str(row[0]) for row in rows[:6])
        raise FileRefused(f"{name} has {len(rows)} layers ({layers}); name the one to read {LAYER!r}.")
    kind = base.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    if kind is None or kind[0] != "table":
        raise FileRefused(f"{name}: the layer {table!r} is a view, not a table.")
    if srs_id in {0, -1} or organization is None:
        raise FileRefused(f"{name}: the layer {table!r} names no coordinate reference system.")
    given = f"{organization}:{code}" if str(organization).upper() == "EPSG" else str(definition)
    try:
        CRS.from_user_input(given)
    except CRSError as error:
        raise FileRefused(
            f"{name} names a coordinate reference system that is not known: {given[:60]!r}."
        ) from error
    return str(table), str(column), given


def features(base: sqlite3.Connection, table: str, column: str, name: str) -> Iterator[dict[str, Any]]:
    quoted = '"' + table.replace('"', '""') + '"'
    # Hidden and generated columns (hidden <> 0) are computed when read, so they are left out.
    columns = [str(row[1]) for row in base.execute(f"PRAGMA table_xinfo({quoted})") if row[6] == 0]
    wanted = ", ".join('"' + one.replace('"', '""') + '"' for one in columns)
    for at, row in enumerate(base.execute(f"SELECT {wanted} FROM {quoted}"), start=1):
        if at > MAX_ROWS:
            raise FileRefused(f"{name} has more than {MAX_ROWS} rows.")
        record = dict(zip(columns, row, strict=True))
        blob = record.pop(column, None)
        yield {
            "type": "Feature",
            "properties": {key.lower(): value for key, value in record.items()},
            "geometry": geometry_of(blob),
        }


def geometry_of(blob: Any) -> Any:
    """The shape of a GeoPackage geometry; None where empty, a word of what is wrong where it cannot be read."""
    if blob is None:
        return None
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return "is no GeoPackage geometry"
    flags = blob[3]
    if flags & 0b00010000:
        return None
    start = 8 + ENVELOPES.get((flags >> 1) & 0b111, 0)
    try:
        return shapely.from_wkb(blob[start:])
    except (shapely.errors.GEOSException, struct.error, ValueError) as error:
        return f"cannot be read ({str(error)[:60]})"


def write_gpkg(
    path: Path, columns: dict[str, str], rows: list[dict[str, Any]], shapes: list[bytes | None]
) -> int:
    """One layer "spaces" in EPSG:4326. `columns` are names with a numpy type each."""
    import pyogrio.raw  # noqa: PLC0415 - GDAL is a second that only this format needs

    path.unlink(missing_ok=True)
    data, masks = [], []
    for column, kind in columns.items():
        values = [row.get(column) for row in rows]
        missing = np.array([value is None for value in values], dtype=bool)
        if kind == "object":
            data.append(np.array([None if value is None else str(value) for value in values], dtype=object))
        else:
            data.append(np.array([0 if value is None else value for value in values], dtype=kind))
        masks.append(missing)
    pyogrio.raw.write(
        str(path), np.array(shapes, dtype=object), data, list(columns), field_mask=masks, layer=LAYER,
        driver="GPKG", geometry_type="Unknown", crs=WGS84,
    )  # fmt: skip
    return len(rows)
