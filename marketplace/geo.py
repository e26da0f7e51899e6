"""Coordinates: WGS 84 (EPSG:4326, lon/lat) for storage and exchange, the city's metric CRS for distances."""

from collections.abc import Sequence
from functools import lru_cache
from math import cos, radians
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

WGS84 = "EPSG:4326"


METRES_PER_DEGREE = 111_320  # of latitude


def box_around(lon: float, lat: float, *, metres: float) -> tuple[float, float, float, float]:
    """West, south, east, north of a box that reaches about so far each way; WGS 84. Not for the poles."""
    north = metres / METRES_PER_DEGREE
    east = north / max(0.01, cos(radians(lat)))
    return lon - east, lat - north, lon + east, lat + north


@lru_cache(maxsize=32)
def _to_metric(epsg: int) -> Transformer:
    return Transformer.from_crs(WGS84, f"EPSG:{epsg}", always_xy=True)


def to_metric(lon: float, lat: float, *, crs: int) -> tuple[float, float]:
    """(east, north) in metres of EPSG:`crs`, rounded to the centimetre."""
    x, y = _to_metric(crs).transform(lon, lat)
    return round(x, 2), round(y, 2)


@lru_cache(maxsize=32)
def _to_wgs84(epsg: int) -> Transformer:
    return Transformer.from_crs(f"EPSG:{epsg}", WGS84, always_xy=True)


def shapes_to_metric(shapes: Sequence[Any], *, crs: int) -> list[Any]:
    """Shapes of EPSG:4326 in metres of EPSG:`crs`, all by one transformation."""
    return _moved(shapes, _to_metric(crs))


def shapes_to_wgs84(shapes: Sequence[Any], *, crs: int) -> list[Any]:
    """The reverse of `shapes_to_metric`; there and back again moves a corner by less than a millimetre."""
    return _moved(shapes, _to_wgs84(crs))


def _moved(shapes: Sequence[Any], transformer: Transformer) -> list[Any]:
    def both(xy: Any) -> Any:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    return list(shapely.transform(np.array(shapes, dtype=object), both)) if shapes else []
