"""Tables of areas: read from GeoJSON, GeoPackage or GML, checked once, and joined with places.

A district frame has one row per district, a unique index `id` (or `code` before it is stored), columns code, names and
geometry: valid polygons in EPSG:4326.

GeoPandas is imported where it is used: it would cost every web process more than a second at its start, and none of
them ever makes a table.
"""

# ruff: noqa: PLC0415

import gzip
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from marketplace.geo import WGS84
from spaces.districts.errors import AreasRefused
from spaces.districts.names import place_name

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

OUTLINE_TOLERANCE_M = 20
# A venue on a quay or an islet outside all outlines still belongs to the nearest shore.
NEAR_M = 1000
# How far outside the area of use of the city's metric CRS a district may reach, in degrees.
BOX_MARGIN = 1.0
TEXT_FORMATS = {".geojson", ".json", ".gml", ".xml"}


@dataclass(frozen=True)
class Fields:
    """Which columns hold the code and the names."""

    code: str = "tunnus"
    fi: str | None = "nimi_fi"
    sv: str | None = "nimi_se"
    en: str | None = None

    def names(self) -> dict[str, str]:
        """Language to column, of the languages that the file has."""
        pairs = {"fi": self.fi, "sv": self.sv, "en": self.en}
        return {language: column for language, column in pairs.items() if column}


def read_areas(path: Path, *, crs: str | None = None) -> "gpd.GeoDataFrame":
    """The file's features as they are, with a CRS. Raises AreasRefused with one sentence."""
    import geopandas as gpd
    import pyogrio

    with TemporaryDirectory() as folder:
        # GDAL writes a schema file beside a GML file, so it reads a copy; gzip is undone on the way.
        name = path.name.removesuffix(".gz")
        copy = Path(folder) / name
        try:
            with (
                gzip.open(path) if path.suffix == ".gz" else path.open("rb") as source,
                copy.open("wb") as to,
            ):
                shutil.copyfileobj(source, to)
        except (OSError, EOFError) as error:
            raise AreasRefused(f"{path.name} cannot be read: {error}.") from error
        if copy.suffix.lower() in TEXT_FORMATS:
            _refuse_other_encodings(copy, path.name)
        # Codes such as 01 are text, even where all of them look like numbers.
        pyogrio.set_gdal_config_options({"GML_FIELDTYPES": "ALWAYS_STRING"})
        try:
            frame = gpd.read_file(copy, engine="pyogrio")
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
            raise AreasRefused(f"{path.name} is no GeoJSON, GeoPackage or GML that can be read.") from error
    if not isinstance(frame, gpd.GeoDataFrame) or len(frame) == 0:
        raise AreasRefused(f"{path.name} holds no areas.")
    if crs is not None:
        try:
            frame = frame.set_crs(CRS.from_user_input(crs), allow_override=True)
        except CRSError as error:
            raise AreasRefused(f"{crs!r} is no coordinate reference system.") from error
    if frame.crs is None:
        raise AreasRefused(f"{path.name} does not say its coordinate reference system; give it with --crs.")
    return frame


def _refuse_other_encodings(path: Path, name: str) -> None:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        # GML may name another encoding in its first line, and GDAL follows it.
        head = content[:200].lower()
        if path.suffix.lower() in {".gml", ".xml"} and b"encoding=" in head and b"utf-8" not in head:
            return
        line = content[: error.start].count(b"\n") + 1
        raise AreasRefused(f"{name} is not UTF-8 text (line {line}); save it as UTF-8.") from error
    if not text.strip():
        raise AreasRefused(f"{name} is empty.")


def checked_districts(
    frame: "gpd.GeoDataFrame", fields: Fields, *, metric_crs: int
) -> tuple["gpd.GeoDataFrame", list[str]]:
    """The frame as districts, and a sentence for each thing that was mended.

    In: any columns, any known CRS. Out: unique index `code`, columns names, geometry; EPSG:4326; sorted by code.
    Raises AreasRefused when a code is missing or repeats, a name or an outline is missing, or an area lies elsewhere.
    """
    import geopandas as gpd

    columns = {"code": fields.code, **fields.names()}
    missing = [column for column in columns.values() if column not in frame.columns]
    if missing:
        have = ", ".join(str(column) for column in frame.columns if column != frame.geometry.name)
        raise AreasRefused(f"There is no column {missing[0]!r}; the file has: {have}.")
    codes = frame[fields.code].map(_text)
    _refuse_bad_codes(codes, fields.code)
    names = [
        {
            language: name
            for language, column in fields.names().items()
            if (name := place_name(_text(row[column])))
        }
        for _, row in frame.iterrows()
    ]
    nameless = [code for code, texts in zip(codes, names, strict=True) if not texts]
    if nameless:
        raise AreasRefused(f"The area {nameless[0]!r} has no name.")
    found = gpd.GeoDataFrame(
        {"code": codes.to_list(), "names": names}, geometry=frame.geometry.to_list(), crs=frame.crs
    )
    empty = found.code[found.geometry.isna() | found.geometry.is_empty]
    if len(empty):
        raise AreasRefused(f"The area {empty.iloc[0]!r} has no outline.")
    found, notes = _mended(found)
    found = found.to_crs(WGS84)
    found.geometry = shapely.force_2d(found.geometry.to_numpy())
    _refuse_elsewhere(found, metric_crs)
    return found.set_index("code").sort_index(), notes


def _text(value: Any) -> str:
    """A cell as text; a whole number that a driver read as a float loses its point."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _refuse_bad_codes(codes: "pd.Series[str]", column: str) -> None:
    blank = [i for i, code in enumerate(codes, start=1) if not code]
    if blank:
        raise AreasRefused(f"Feature {blank[0]} has no {column!r}.")
    repeated = sorted(codes[codes.duplicated()].unique())
    if repeated:
        raise AreasRefused(
            f"{column!r} must be unique, but {repeated[0]!r} repeats ({len(repeated)} codes do); "
            "choose another --code-field."
        )


def _mended(frame: "gpd.GeoDataFrame") -> tuple["gpd.GeoDataFrame", list[str]]:
    notes = []
    broken = ~frame.geometry.is_valid
    reasons = shapely.is_valid_reason(frame.geometry.to_numpy()[broken.to_numpy()])
    for code, reason in zip(frame.code[broken], reasons, strict=True):
        notes.append(f"{code}: the outline was repaired ({reason}).")
    frame = frame.copy()
    frame.geometry = [polygons_of(shape) for shape in frame.geometry.make_valid()]
    flat = frame.code[frame.geometry.is_empty]
    if len(flat):
        raise AreasRefused(f"The outline of {flat.iloc[0]!r} is no area.")
    return frame, notes


def polygons_of(shape: Any) -> Any:
    """The polygons inside any geometry, as one polygon or multipolygon; empty where there are none."""
    parts = [
        part
        for part in shapely.get_parts(
            shapely.get_parts(shape) if shape.geom_type == "GeometryCollection" else [shape]
        )
        if part.geom_type == "Polygon" and not part.is_empty
    ]
    if len(parts) == 1:
        return parts[0]
    return shapely.MultiPolygon(parts) if parts else shapely.Polygon()


def _refuse_elsewhere(frame: "gpd.GeoDataFrame", metric_crs: int) -> None:
    """Wrong CRS, swapped axes or another country: the area of use of the city's metric CRS is the plausible box."""
    area = CRS.from_epsg(metric_crs).area_of_use
    if area is None:
        return
    box = (area.west - BOX_MARGIN, area.south - BOX_MARGIN, area.east + BOX_MARGIN, area.north + BOX_MARGIN)
    bounds = frame.geometry.bounds
    inside = (
        (bounds.minx >= box[0]) & (bounds.miny >= box[1]) & (bounds.maxx <= box[2]) & (bounds.maxy <= box[3])
    )
    if not inside.all():
        code = frame.code[~inside].iloc[0]
        x, y = bounds.minx[~inside].iloc[0], bounds.miny[~inside].iloc[0]
        raise AreasRefused(
            f"The area {code!r} starts at longitude {x:.2f}, latitude {y:.2f}, far outside the city: "
            "wrong coordinate reference system, or x and y swapped."
        )


def outlines(frame: "gpd.GeoDataFrame", *, metric_crs: int) -> "gpd.GeoSeries":
    """The districts simplified for maps, with the same index; EPSG:4326, rounded to 5 decimals (about a metre).

    Neighbours keep their common border, so that no slivers open between them. Tolerance 20 m, measured in the metric CRS.
    """
    import geopandas as gpd

    metric = frame.geometry.to_crs(metric_crs)
    simple = metric.simplify_coverage(OUTLINE_TOLERANCE_M)
    lost = simple.is_empty | ~simple.is_valid
    simple = simple.where(~lost, metric.simplify(OUTLINE_TOLERANCE_M))
    rounded = simple.to_crs(WGS84).to_numpy()
    # Plain rounding of coordinates: snapping to a grid with repair could drop a small island.
    shapes = shapely.transform(rounded, lambda xy: xy.round(5))
    return gpd.GeoSeries(
        [shape if shape.is_valid else polygons_of(shapely.make_valid(shape)) for shape in shapes],
        index=frame.index,
        crs=WGS84,
    )


def districts_of_points(
    districts: "gpd.GeoDataFrame", points: Sequence[tuple[float, float]], *, metric_crs: int
) -> list[int | None]:
    """The district (its index) of each lon/lat: the one around it, else the nearest within 1 km, else None.

    In: unique integer index, EPSG:4326. A point on a border belongs to the district first in the index.
    """
    import geopandas as gpd

    found: list[int | None] = [None] * len(points)
    if not points or districts.empty:
        return found
    places = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([p[0] for p in points], [p[1] for p in points]), crs=WGS84
    )
    inside = gpd.sjoin(places, districts[[districts.geometry.name]].sort_index(), predicate="intersects")
    column = inside.columns[-1]
    for at, district_id in inside[column].groupby(level=0).min().items():
        found[int(str(at))] = int(district_id)
    outside = places[[district_id is None for district_id in found]].to_crs(metric_crs)
    if len(outside):
        metric = districts[[districts.geometry.name]].to_crs(metric_crs)
        near = gpd.sjoin_nearest(outside, metric, max_distance=NEAR_M)
        for at, district_id in near[near.columns[-1]].groupby(level=0).min().items():
            found[int(str(at))] = int(district_id)
    return found
