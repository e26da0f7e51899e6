"""The plan of a square as it is drawn, and what is said of its stalls in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, inf, radians, sin
from typing import Any

import numpy as np
import shapely

from marketplace.cities.models import City
from marketplace.geo import shapes_to_metric
from marketplace.money import Money
from marketplace.web.i18n import format_money, format_number, gettext
from spaces.catalog.models import Venue
from spaces.markets.forms import class_name, group_label
from spaces.markets.queries import PlacedStall, square_of
from spaces.markets.rules import frame, number_key
from spaces.pricing.lists import PriceList
from spaces.pricing.present import PER_TEXTS

# The shorter side of a stall on the drawing: room for its number, and large enough to press.
LEAST_PX = 34
MOST_PX = 4000
MARGIN_M = 3.0


@dataclass(frozen=True)
class Box:
    """A stall's place on the drawing: its middle and sides in per cent of the drawing, and its own turn in degrees."""

    x: float
    y: float
    width: float
    height: float
    turn: float
    points: str  # the ground itself, for a stall that is no rectangle


@dataclass(frozen=True)
class Drawing:
    """A square turned so that its rows lie level. `width` and `height` are metres, `north` is where north points, degrees
    clockwise from up; `outline` is an SVG path in metres."""

    width: float
    height: float
    least_px: int
    north: float
    outline: str
    boxes: dict[int, Box] = field(default_factory=dict)

    @property
    def scale_m(self) -> int:
        """A round length of about a fifth of the drawing."""
        return next((m for m in (200, 100, 50, 20, 10, 5, 2) if m <= self.width / 4), 1)


def drawing_of(city: City, venue: Venue, stalls: Sequence[PlacedStall]) -> Drawing | None:
    """None for a square without an outline and stalls."""
    outline = square_of(venue)
    grounds = shapes_to_metric([one.ground for one in stalls], crs=city.metric_crs)
    square = shapes_to_metric([outline], crs=city.metric_crs)[0] if outline is not None else None
    return draw(square, {one.id: ground for one, ground in zip(stalls, grounds, strict=True)})


def draw(square: Any | None, grounds: dict[int, Any]) -> Drawing | None:
    """Square and grounds in metres, as they are drawn: around the stalls where there are any."""
    first = next(iter(grounds.values()), square)
    if first is None:
        return None
    shapes = [*grounds.values(), *([square] if square is not None else [])]
    angle = frame(first).angle
    levelled = level(shapes, first.centroid.coords[0], angle)
    turned = levelled[: len(grounds)]
    west, south, east, north = window(turned, levelled[-1])
    width, height = east - west, north - south

    def path(polygon: Any) -> str:
        return " ".join(
            "M" + "L".join(f"{x - west:.2f} {north - y:.2f}" for x, y in ring.coords[:-1]) + "Z"
            for part in shapely.get_parts(polygon)
            for ring in (part.exterior, *part.interiors)
        )

    boxes = {}
    shortest = inf
    for id_, ground in zip(grounds, turned, strict=True):
        found = frame(ground)
        shortest = min(shortest, found.width, found.depth)
        boxes[id_] = Box(
            x=round((found.x - west) / width * 100, 3),
            y=round((north - found.y) / height * 100, 3),
            width=round(found.width / width * 100, 3),
            height=round(found.depth / height * 100, 3),
            turn=0.0 if abs(found.angle) < 0.5 else round(found.angle, 2),
            points="" if found.is_exact else path(ground),
        )
    least = min(MOST_PX, round(LEAST_PX * width / shortest)) if grounds else 0
    outline = path(levelled[-1]) if square is not None else ""
    return Drawing(round(width, 2), round(height, 2), least, round(-angle % 360, 1), outline, boxes)


def level(shapes: Sequence[Any], middle: tuple[float, float], angle: float) -> list[Any]:
    """The shapes around the middle as origin, turned back by a clockwise angle, all at once."""
    turn = radians(angle)
    matrix = np.array([[cos(turn), sin(turn)], [-sin(turn), cos(turn)]])

    def moved(xy: Any) -> Any:
        return (xy - np.array(middle)) @ matrix

    return list(shapely.transform(np.array(shapes, dtype=object), moved))


def window(turned: Sequence[Any], square: Any | None) -> tuple[float, float, float, float]:
    """What is drawn, as west, south, east, north: the stalls with room around them, or the whole square."""
    west, south, east, north = (
        float(value) for value in (shapely.total_bounds(turned) if turned else shapely.bounds(square))
    )
    room = max(MARGIN_M, 0.06 * max(east - west, north - south)) if turned else MARGIN_M
    return west - room, south - room, east + room, north + room


def size_text(placed: PlacedStall) -> str:
    """3 × 3 m."""
    return sides_text(placed.stall.width_m, placed.stall.depth_m)


def sides_text(width: float, depth: float) -> str:
    return f"{format_number(round(width, 1))} × {format_number(round(depth, 1))} m"


def facility_texts(placed: PlacedStall) -> list[str]:
    texts = {"electricity": gettext("electricity"), "water": gettext("water")}
    return [str(text) for code, text in texts.items() if code in placed.space.equipment]


def stall_class_text(placed: PlacedStall) -> str:
    return class_name(placed.class_code, placed.class_names) if placed.class_code else ""


def class_price_texts(list_: PriceList | None, currency: str) -> list[str]:
    """€38/day; Associations €20."""
    if list_ is None:
        return [str(gettext("no price yet"))]
    if list_.per == "free":
        return [str(gettext("Free of charge"))]
    base = f"{format_money(Money(list_.base_minor, currency))}{gettext(PER_TEXTS[list_.per])}"
    return [base, *(group_label(row.group or "", row.amount_minor, currency) for row in list_.rows)]


def runs_text(numbers: Sequence[str], most: int = 12) -> str:
    """A1–A10, B3: runs of one letter are drawn together."""
    runs: list[list[str]] = []
    for number in sorted(numbers, key=number_key):
        if runs and follows(runs[-1][-1], number):
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [run[0] if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]
    return ", ".join(texts[:most]) + (" …" if len(texts) > most else "")


def follows(one: str, other: str) -> bool:
    first, second = number_key(one), number_key(other)
    if len(first) != len(second) or not first or first[:-1] != second[:-1]:
        return False
    return bool(first[-1][0] == second[-1][0] == 0 and second[-1][1] == first[-1][1] + 1)
