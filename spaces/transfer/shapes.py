"""GeoJSON geometries of single records as points and areas in EPSG:4326."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import shape as shape_of

from marketplace.geo import WGS84
from spaces.districts.frames import polygons_of
from spaces.transfer.errors import RecordBroken

MAX_POINTS = 100_000
# Finnish maps and the web's own projection, with where their numbers lie: east and north, in metres.
METRIC = (
    (25_380_000, 25_620_000, 6_600_000, 7_800_000, "EPSG:3879 (ETRS-GK25)"),
    (50_000, 760_000, 6_600_000, 7_800_000, "EPSG:3067 (ETRS-TM35FIN)"),
    (2_200_000, 3_550_000, 8_000_000, 11_200_000, "EPSG:3857 (Web Mercator)"),
    (3_050_000, 3_770_000, 6_600_000, 7_800_000, "EPSG:2393 (KKJ)"),
)


@dataclass(frozen=True)
class Place:
    """A point inside the geometry, and its polygons (None for a bare point)."""

    lon: float
    lat: float
    polygons: Any | None
    repaired: bool = False

    @property
    def shape(self) -> Any:
        """The polygons, else the point."""
        return shapely.Point(self.lon, self.lat) if self.polygons is None else self.polygons

    @property
    def wkb(self) -> bytes | None:
        return None if self.polygons is None else bytes(shapely.to_wkb(self.polygons))


def place_of(geometry: Any, *, transform: Transformer | None = None) -> Place:
    """The place of a GeoJSON geometry of any type; polygons win over lines and points of a collection.

    Raises RecordBroken for the field "geometry".
    """
    if geometry is None:
        raise RecordBroken("geometry", "is missing")
    if isinstance(geometry, str):
        raise RecordBroken("geometry", geometry)
    if not isinstance(geometry, Mapping | shapely.Geometry):
        raise RecordBroken("geometry", "should be an object")
    try:
        given: Any = geometry if isinstance(geometry, shapely.Geometry) else shape_of(dict(geometry))
        found: Any = shapely.force_2d(given)
    except Exception as error:  # shapely raises whatever the broken coordinates lead to
        raise RecordBroken(
            "geometry", f"cannot be read ({str(error)[:80] or type(error).__name__})"
        ) from error
    if found.is_empty:
        raise RecordBroken("geometry", "is empty")
    if shapely.get_num_coordinates(found) > MAX_POINTS:
        raise RecordBroken("geometry", f"has more than {MAX_POINTS} points")
    if transform is not None:
        found = moved(found, transform)
    if not shapely.is_valid_input(found) or not all(math.isfinite(value) for value in found.bounds):
        raise RecordBroken("geometry", "has coordinates that are no numbers")
    if any(abs(value) > 180 for value in found.bounds):
        raise RecordBroken("geometry", not_wgs84(found.bounds[0], found.bounds[1]))
    repaired = not found.is_valid
    if repaired:
        found = shapely.make_valid(found)
    polygons = polygons_of(found)
    point = polygons.representative_point() if not polygons.is_empty else found.representative_point()
    if abs(point.x) > 180 or abs(point.y) > 90:
        raise RecordBroken("geometry", not_wgs84(point.x, point.y))
    return Place(round(point.x, 7), round(point.y, 7), None if polygons.is_empty else polygons, repaired)


def not_wgs84(x: float, y: float) -> str:
    """Why these are no longitude and latitude, with the system that they look like."""
    told = f"({x:.0f}, {y:.0f}) is no longitude and latitude"
    for east, north in ((x, y), (y, x)):
        for west, right, south, top, name in METRIC:
            if west <= east <= right and south <= north <= top:
                return f"{told}; it looks like {name}, while the file says WGS 84 (EPSG:4326)"
    return f"{told}, while the file says WGS 84 (EPSG:4326)"


def moved(shape: Any, transform: Transformer) -> Any:
    """The shape in the transformer's other CRS."""

    def both(xy: Any) -> Any:
        return np.column_stack(transform.transform(xy[:, 0], xy[:, 1]))

    return shapely.transform(shape, both)


def area_m2(polygons: Any, *, metric_crs: int) -> float:
    """Square metres of polygons in EPSG:4326, measured in the metric CRS."""
    to_metric = Transformer.from_crs(WGS84, f"EPSG:{metric_crs}", always_xy=True)
    return round(float(moved(polygons, to_metric).area), 1)
