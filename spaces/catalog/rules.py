"""Pure decisions about listings: their states, who publishes at once, where a place may lie."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from pyproj import CRS

from marketplace.errors import N_, FieldError

STATES = ("draft", "submitted", "published", "hidden", "archived")

TRANSITIONS: dict[str, frozenset[str]] = {
    "draft": frozenset({"submitted", "published", "archived"}),
    "submitted": frozenset({"draft", "published", "archived"}),
    "published": frozenset({"hidden", "archived"}),
    "hidden": frozenset({"published", "archived"}),
    "archived": frozenset({"draft"}),
}

# What the audit trail calls each move; giving a submitted listing back is the city's, taking it back its owner's.
MOVES: dict[tuple[str, str], str] = {
    ("draft", "submitted"): "space.submitted",
    ("draft", "published"): "space.published",
    ("draft", "archived"): "space.archived",
    ("submitted", "draft"): "space.returned",
    ("submitted", "published"): "space.approved",
    ("submitted", "archived"): "space.archived",
    ("published", "hidden"): "space.hidden",
    ("published", "archived"): "space.archived",
    ("hidden", "published"): "space.published",
    ("hidden", "archived"): "space.archived",
    ("archived", "draft"): "space.restored",
}
WITHDRAWN = "space.withdrawn"

# The city's own divisions and public bodies answer for themselves; others show their first listing to the city.
AT_ONCE_KINDS = frozenset({"city_division", "public_body"})

INTERVALS = (5, 10, 15, 20, 30, 60, 90, 120, 180, 240, 360, 720, 1440)
MOST_MINUTES = 366 * 1440
MOST_DAYS = 1830
# How far outside the area of use of the city's metric CRS a place may lie, in degrees.
BOX_MARGIN = 1.0


def may_follow(state: str, following: str) -> bool:
    return following in TRANSITIONS[state]


def publishes_at_once(owner_kind: str, *, is_known: bool) -> bool:
    """Whether a listing of this kind of owner needs no look by the city; `is_known` when it has shown one before."""
    return is_known or owner_kind in AT_ONCE_KINDS


def due_states(
    state: str, publish_at: datetime | None, hide_at: datetime | None, *, at: datetime
) -> list[str]:
    """The states that the clock moves a listing through by now, in order."""
    states = []
    if publish_at is not None and publish_at <= at and state in {"draft", "hidden"}:
        states.append("published")
    if hide_at is not None and hide_at <= at and "published" in {state, *states}:
        states.append("hidden")
    return states


@lru_cache(maxsize=32)
def city_box(metric_crs: int) -> tuple[float, float, float, float] | None:
    """West, south, east, north of where the city's metric CRS is meant for, widened a little."""
    area = CRS.from_epsg(metric_crs).area_of_use
    if area is None:
        return None
    return area.west - BOX_MARGIN, area.south - BOX_MARGIN, area.east + BOX_MARGIN, area.north + BOX_MARGIN


def is_near(lon: float, lat: float, *, metric_crs: int) -> bool:
    """Whether this point can be a place of the city: distances are only right where the CRS is meant for."""
    box = city_box(metric_crs)
    return box is None or (box[0] <= lon <= box[2] and box[1] <= lat <= box[3])


def space_problems(facts: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with a space's facts, however they came in: as a form, a bulk edit or a program's request."""
    problems = []
    if not any(facts["names"].values()):
        problems.append(
            FieldError("names_fi", "missing", N_("Write the name of the space in at least one language."))
        )
    shortest, longest = facts["min_minutes"], facts["max_minutes"]
    if longest < shortest:
        problems.append(
            FieldError("max_minutes", "order", N_("The longest booking is shorter than the shortest."))
        )
    if not facts["whole_days"] and shortest % 5:
        problems.append(FieldError("min_minutes", "odd", N_("Write whole five minutes, such as 60 or 90.")))
    return problems
