"""Coordinates: WGS 84 (EPSG:4326, lon/lat) for storage and exchange, the city's metric CRS for distances."""

from functools import lru_cache

from pyproj import Transformer

WGS84 = "EPSG:4326"


@lru_cache(maxsize=32)
def _to_metric(epsg: int) -> Transformer:
    return Transformer.from_crs(WGS84, f"EPSG:{epsg}", always_xy=True)


def to_metric(lon: float, lat: float, *, crs: int) -> tuple[float, float]:
    """(east, north) in metres of EPSG:`crs`, rounded to the centimetre."""
    x, y = _to_metric(crs).transform(lon, lat)
    return round(x, 2), round(y, 2)
