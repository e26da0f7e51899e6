"""A drawn area: corners as they stand in an address, checked so that the search may trust them."""

import math
from collections.abc import Sequence

import shapely

from marketplace.errors import N_
from marketplace.geo import METRES_PER_DEGREE, shapes_to_metric, shapes_to_wgs84

Corners = tuple[tuple[float, float], ...]  # lon, lat of WGS 84

FEWEST_CORNERS, MOST_CORNERS = 3, 60
# A corner of 24 characters is more exact than any map.
LONGEST_AREA = MOST_CORNERS * 24
LEAST_SQUARE_METRES = 100

UNREADABLE_AREA = N_("The drawn area in the address could not be read. The whole city is searched.")
FEW_CORNERS = N_("An area needs at least three corners. The whole city is searched.")
MANY_CORNERS = N_("An area may have at most 60 corners. The whole city is searched.")
CROSSES_ITSELF = N_("The drawn area crosses itself, so that it has no clear inside. Draw it again.")
NOT_THIS_CITY = N_("The drawn area is not in this city. The whole city is searched.")


def read_corners(text: str) -> Corners | str:
    """ "lat,lon;lat,lon;..." as corners, or the source text of what is wrong. A ring may be closed or open."""
    if len(text) > LONGEST_AREA:
        return MANY_CORNERS if text.count(";") >= MOST_CORNERS else UNREADABLE_AREA
    try:
        pairs = [[float(number) for number in part.split(",")] for part in text.strip(" ;").split(";")]
    except ValueError:
        return UNREADABLE_AREA
    if not all(len(pair) == 2 and all(map(math.isfinite, pair)) for pair in pairs):
        return UNREADABLE_AREA
    corners = tuple((lon, lat) for n, (lat, lon) in enumerate(pairs) if n == 0 or [lat, lon] != pairs[n - 1])
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners = corners[:-1]
    if not all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in corners):
        return UNREADABLE_AREA
    if len(corners) < FEWEST_CORNERS:
        return FEW_CORNERS
    if len(corners) > MOST_CORNERS:
        return MANY_CORNERS
    polygon = shapely.Polygon(corners)
    # The latitude shrinks the area further, which only makes the least a little less.
    if not polygon.is_valid or polygon.area * METRES_PER_DEGREE**2 < LEAST_SQUARE_METRES:
        return CROSSES_ITSELF
    return corners


def write_corners(corners: Corners) -> str:
    """To about a metre."""
    return ";".join(f"{lat:.5f},{lon:.5f}" for lon, lat in corners)


def metric_polygon(corners: Corners, *, crs: int) -> str:
    """The corners as PostgreSQL's polygon, in metres of EPSG:`crs`."""
    (shape,) = shapes_to_metric([shapely.Polygon(corners)], crs=crs)
    points = list(shape.exterior.coords)[:-1]
    return f"({','.join(f'({x:.2f},{y:.2f})' for x, y in points)})"


def widened(corners: Sequence[tuple[float, float]], *, metres: float, crs: int) -> Corners:
    """The area and so much around it, with as few corners as do."""
    (shape,) = shapes_to_metric([shapely.Polygon(corners)], crs=crs)
    (wider,) = shapes_to_wgs84([shape.buffer(metres, quad_segs=2).simplify(metres / 10)], crs=crs)
    found = tuple((lon, lat) for lon, lat in list(wider.exterior.coords)[:-1])
    if len(found) <= MOST_CORNERS:
        return found
    return tuple((lon, lat) for lon, lat in list(wider.convex_hull.exterior.coords)[:MOST_CORNERS])
