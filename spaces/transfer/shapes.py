"""GeoJSON geometries of single records as points and areas in EPSG:4326."""

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
    if not isinstance(geometry, Mapping):
        raise RecordBroken("geometry", "should be an object")
    try:
        found = shapely.force_2d(shape_of(dict(geometry)))
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
    if not shapely.is_valid_input(found) or not all(abs(value) < 1e6 for value in found.bounds):
        raise RecordBroken("geometry", "has coordinates that are no longitude and latitude")
    repaired = not found.is_valid
    if repaired:
        found = shapely.make_valid(found)
    polygons = polygons_of(found)
    point = polygons.representative_point() if not polygons.is_empty else found.representative_point()
    if abs(point.x) > 180 or abs(point.y) > 90:
        raise RecordBroken("geometry", f"({point.x:.0f}, {point.y:.0f}) is no longitude and latitude")
    return Place(round(point.x, 7), round(point.y, 7), None if polygons.is_empty else polygons, repaired)


def moved(shape: Any, transform: Transformer) -> Any:
    """The shape in the transformer's other CRS."""

    def both(xy: Any) -> Any:
        return np.column_stack(transform.transform(xy[:, 0], xy[:, 1]))

    return shapely.transform(shape, both)


def area_m2(polygons: Any, *, metric_crs: int) -> float:
    """Square metres of polygons in EPSG:4326, measured in the metric CRS."""
    to_metric = Transformer.from_crs(WGS84, f"EPSG:{metric_crs}", always_xy=True)
    return round(float(moved(polygons, to_metric).area), 1)
