"""The geometry of a market square, in metres of the city's metric CRS, and how stalls are numbered. Pure.

Angles are degrees clockwise from above: at 0 the rows run from west to east, and the second row lies south of the first.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import atan2, cos, degrees, hypot, inf, isfinite, radians, sin
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry import Polygon, shape

from marketplace.errors import N_, FieldError

MOST_STALLS = 1000
LEAST_SIDE_M, MOST_SIDE_M = 0.5, 50.0
MOST_GAP_M = 50.0
LEAST_SQUARE_M2, MOST_SQUARE_M2 = 4.0, 1_000_000.0
MOST_CORNERS = 500
LONGEST_OUTLINE = 100_000
LONGEST_NUMBER = 8
NUMBER = re.compile(r"[0-9A-ZÅÄÖ][0-9A-ZÅÄÖ./-]{0,7}")
# Coordinates go through degrees and back, so that two stalls side by side may share a sliver.
SLACK_M2 = 0.01
MOST_TOLD = 12

Point = tuple[float, float]


@dataclass(frozen=True)
class Grid:
    """Rows of equal stalls. `corner` (east, north) is the outer corner of the first stall of the first row."""

    rows: int
    columns: int
    width_m: float
    depth_m: float
    gap_m: float
    aisle_m: float
    angle: float
    corner: Point

    @property
    def count(self) -> int:
        return self.rows * self.columns


def axes(angle: float) -> tuple[Point, Point]:
    """The unit vectors along a row and from row to row."""
    turn = radians(angle)
    return (cos(turn), -sin(turn)), (-sin(turn), -cos(turn))


def box(corner: Point, along: Point, down: Point, width: float, depth: float) -> Polygon:
    (x, y), (ax, ay), (dx, dy) = corner, along, down
    return Polygon(
        [
            (x, y),
            (x + ax * width, y + ay * width),
            (x + ax * width + dx * depth, y + ay * width + dy * depth),
            (x + dx * depth, y + dy * depth),
        ]
    )


def grid_shapes(grid: Grid) -> list[Polygon]:
    """The stalls' grounds, row by row."""
    along, down = axes(grid.angle)
    across, deep = grid.width_m + grid.gap_m, grid.depth_m + grid.aisle_m
    return [
        box(
            (
                grid.corner[0] + along[0] * column * across + down[0] * row * deep,
                grid.corner[1] + along[1] * column * across + down[1] * row * deep,
            ),
            along,
            down,
            grid.width_m,
            grid.depth_m,
        )
        for row in range(grid.rows)
        for column in range(grid.columns)
    ]


def rectangle(centre: Point, *, width: float, length: float, angle: float) -> Polygon:
    """A square's outline by its middle, `width` along a row and `length` from row to row."""
    along, down = axes(angle)
    corner = (
        centre[0] - along[0] * width / 2 - down[0] * length / 2,
        centre[1] - along[1] * width / 2 - down[1] * length / 2,
    )
    return box(corner, along, down, width, length)


def shifted(ground: Any, *, east: float, south: float, turn: float) -> Any:
    """The ground moved by metres, then turned clockwise about its middle."""
    return affinity.rotate(affinity.translate(ground, east, -south), -turn, origin="centroid")


def outside(square: Any, grounds: Sequence[Any]) -> list[int]:
    """Which grounds do not lie inside the square."""
    if not grounds:
        return []
    left = shapely.area(shapely.difference(list(grounds), square))
    return [n for n, area in enumerate(left) if area > SLACK_M2]


def overlaps(grounds: Sequence[Any]) -> list[tuple[int, int]]:
    """The pairs of grounds that lie on each other, the lower number first."""
    if len(grounds) < 2:
        return []
    first, second = shapely.STRtree(list(grounds)).query(list(grounds), predicate="intersects")
    pairs = [(int(a), int(b)) for a, b in zip(first, second, strict=True) if a < b]
    if not pairs:
        return []
    shared = shapely.area(
        shapely.intersection([grounds[a] for a, _ in pairs], [grounds[b] for _, b in pairs])
    )
    return sorted(pair for pair, area in zip(pairs, shared, strict=True) if area > SLACK_M2)


@dataclass(frozen=True)
class Frame:
    """A ground's rectangle, or the smallest one around it: its middle, its sides and its turn, from -45 to 45 degrees, so
    that the width is the side that lies nearer to east."""

    x: float
    y: float
    width: float
    depth: float
    angle: float
    is_exact: bool


def frame(ground: Any) -> Frame:
    """The rectangle of a ground; one that is a rectangle itself needs no search for the smallest."""
    points = shapely.get_coordinates(ground)
    found = rectangle_frame(points)
    if found is not None:
        return found
    # Near the origin: millions of metres away the search loses its last digits.
    x, y = float(points[0][0]), float(points[0][1])
    around = shapely.minimum_rotated_rectangle(affinity.translate(ground, -x, -y))
    near = rectangle_frame(shapely.get_coordinates(around), slack=inf)
    if near is None:
        raise ValueError("a ground has an area")
    return replace(near, x=near.x + x, y=near.y + y, is_exact=False)


def rectangle_frame(points: Any, *, slack: float = 0.02) -> Frame | None:
    """The frame of five corners that close a rectangle; None for any other ground. `slack` is in metres."""
    if len(points) != 5:
        return None
    (ax, ay), (bx, by), (cx, cy), (dx, dy), _ = points.tolist()
    one, other = hypot(bx - ax, by - ay), hypot(cx - bx, cy - by)
    skew = hypot(ax + cx - bx - dx, ay + cy - by - dy)
    lean = abs(hypot(cx - ax, cy - ay) - hypot(dx - bx, dy - by))
    if not one or not other or max(skew, lean) > slack:
        return None
    angle = -degrees(atan2(by - ay, bx - ax)) % 180
    if 45 <= angle < 135:
        one, other, angle = other, one, angle - 90
    elif angle >= 135:
        angle -= 180
    return Frame((ax + cx) / 2, (ay + cy) / 2, one, other, angle, is_exact=True)


def sides(ground: Any) -> tuple[float, float, float]:
    """(width, depth, angle) of a ground's frame, to the centimetre and the hundredth of a degree."""
    found = frame(ground)
    return round(found.width, 2), round(found.depth, 2), round(found.angle, 2)


def grid_numbers(rows: int, columns: int, *, prefix: str, start: int, by_row: bool) -> list[str] | None:
    """A1, A2 … in one run; with `by_row` each row has its own letter and begins anew. None where the letters end."""
    if not by_row:
        return [f"{prefix}{start + n}" for n in range(rows * columns)]
    first = ord(prefix) if len(prefix) == 1 else 0
    if not ord("A") <= first <= ord("Z") - rows + 1:
        return None
    return [f"{chr(first + row)}{start + column}" for row in range(rows) for column in range(columns)]


def repeated(numbers: Iterable[str]) -> list[str]:
    """Those that occur more than once, in order."""
    seen: set[str] = set()
    found: dict[str, None] = {}
    for number in numbers:
        if number in seen:
            found[number] = None
        seen.add(number)
    return list(found)


def told(numbers: Sequence[str]) -> str:
    """A1, A2, A3: at most twelve of them, and how many more there are (+8)."""
    more = len(numbers) - MOST_TOLD
    return ", ".join(numbers[:MOST_TOLD]) + (f" (+{more})" if more > 0 else "")


def number_key(number: str) -> tuple[Any, ...]:
    """So that A2 comes before A10."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", number) if part
    )


def read_outline(text: str, field: str) -> tuple[Any, FieldError | None]:
    """(polygon in EPSG:4326, None) of a GeoJSON geometry, feature or collection with one polygon; or (None, why not)."""

    def wrong(code: str, why: str) -> tuple[None, FieldError]:
        return None, FieldError(field, code, why)

    if not text.strip():
        return wrong("missing", N_("Draw the outline on the map, or paste a polygon as GeoJSON."))
    if len(text) > LONGEST_OUTLINE:
        return wrong("too-long", N_("This outline is too long. Give at most 500 corners."))
    try:
        found = geometry_of(json.loads(text))
        polygon = shapely.force_2d(shape(found))
    except Exception:  # noqa: BLE001 - shapely raises whatever broken coordinates lead to
        return wrong(
            "unreadable", N_("This is no GeoJSON with one polygon. Longitude comes first, then latitude.")
        )
    if polygon.geom_type != "Polygon" or polygon.is_empty:
        return wrong("not-a-polygon", N_("Give one polygon, not a point, a line or several polygons."))
    if shapely.get_num_coordinates(polygon) > MOST_CORNERS + 1:
        return wrong("too-many", N_("This outline is too long. Give at most 500 corners."))
    if not all(isfinite(value) for value in polygon.bounds):
        return wrong(
            "unreadable", N_("This is no GeoJSON with one polygon. Longitude comes first, then latitude.")
        )
    west, south, east, north = polygon.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        return wrong("not-wgs84", N_("These are no longitudes and latitudes (WGS 84, EPSG:4326)."))
    if not polygon.is_valid:
        return wrong(
            "crosses", N_("The outline crosses itself. Give its corners in order around the ground.")
        )
    return polygon, None


def geometry_of(value: Any) -> Any:
    """The one geometry of a GeoJSON object."""
    if value["type"] == "FeatureCollection":
        (value,) = value["features"]
    return value["geometry"] if value["type"] == "Feature" else value


def square_fault(square: Any, field: str) -> FieldError | None:
    """What is wrong with the size of a square, in metres."""
    if square.area < LEAST_SQUARE_M2:
        return FieldError(field, "too-small", N_("The square is smaller than four square metres."))
    if square.area > MOST_SQUARE_M2:
        return FieldError(field, "too-large", N_("The square is larger than one square kilometre."))
    return None


def ground_fault(ground: Any, field: str) -> FieldError | None:
    """What is wrong with the size of a stall, in metres."""
    width, depth, _ = sides(ground)
    if min(width, depth) < LEAST_SIDE_M - 0.01 or max(width, depth) > MOST_SIDE_M + 0.01:
        return FieldError(field, "odd-size", N_("The sides of a stall are from half a metre to 50 metres."))
    return None
