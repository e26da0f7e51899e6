"""The geometry of grids, squares and outlines: pure."""

import json
from itertools import pairwise
from math import hypot

import pytest
import shapely
import shapely.affinity
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from marketplace.geo import shapes_to_metric, shapes_to_wgs84
from spaces.markets import rules
from spaces.markets.forms import read_numbers
from spaces.markets.present import draw, runs_text

HELSINKI = 3879
metres = st.floats(0.5, 50, allow_nan=False)
gaps = st.floats(0, 50, allow_nan=False)
angles = st.floats(-360, 360, allow_nan=False)
corners = st.tuples(st.floats(25_490_000, 25_505_000), st.floats(6_670_000, 6_680_000))

grids = st.builds(
    rules.Grid,
    rows=st.integers(1, 6),
    columns=st.integers(1, 8),
    width_m=metres,
    depth_m=metres,
    gap_m=gaps,
    aisle_m=gaps,
    angle=angles,
    corner=corners,
)


@given(grids)
def test_stalls_of_a_grid_never_lie_on_each_other(grid: rules.Grid) -> None:
    assert rules.overlaps(rules.grid_shapes(grid)) == []


@given(grids)
def test_nor_do_they_after_the_way_through_degrees(grid: rules.Grid) -> None:
    stored = shapes_to_wgs84(rules.grid_shapes(grid), crs=HELSINKI)
    assert rules.overlaps(shapes_to_metric(stored, crs=HELSINKI)) == []


@given(grids)
def test_all_stalls_of_a_grid_have_the_asked_size(grid: rules.Grid) -> None:
    shapes = rules.grid_shapes(grid)
    assert len(shapes) == grid.count
    for shape in shapes:
        assert shape.area == pytest.approx(grid.width_m * grid.depth_m, rel=1e-5)
        points = list(shape.exterior.coords)
        sides = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
        assert sides == pytest.approx([grid.width_m, grid.depth_m] * 2, rel=1e-5)


@given(grids)
def test_the_smallest_square_around_a_grid_holds_it_and_a_smaller_one_does_not(grid: rules.Grid) -> None:
    shapes = rules.grid_shapes(grid)
    x, y = grid.corner
    near = shapely.affinity.translate(shapely.union_all(shapes), -x, -y)
    around = shapely.affinity.translate(near.minimum_rotated_rectangle, x, y)
    assert rules.outside(around.buffer(0.01), shapes) == []
    assert rules.outside(around.buffer(-0.2), shapes) != []


@given(angles, metres, metres)
def test_a_turned_stall_has_the_same_sides(angle: float, width: float, depth: float) -> None:
    ground = rules.rectangle((25_496_000, 6_673_000), width=width, length=depth, angle=angle)
    told = rules.sides(ground)
    assert sorted(told[:2]) == pytest.approx(sorted((width, depth)), abs=0.011)
    assert -45 <= told[2] <= 45


def test_rows_run_east_and_follow_each_other_south() -> None:
    grid = rules.Grid(2, 2, 3, 2, 1, 4, 0, (100.0, 200.0))
    corners = [shape.exterior.coords[0] for shape in rules.grid_shapes(grid)]
    assert corners == [(100, 200), (104, 200), (100, 194), (104, 194)]


def test_a_quarter_turn_clockwise_lets_rows_run_south() -> None:
    grid = rules.Grid(1, 2, 3, 2, 1, 4, 90, (100.0, 200.0))
    x, y = rules.grid_shapes(grid)[1].exterior.coords[0]
    assert (x, y) == pytest.approx((100, 196))


def test_stalls_side_by_side_touch_and_do_not_overlap() -> None:
    grid = rules.Grid(2, 3, 3, 3, 0, 0, 17, (25_496_000.0, 6_673_000.0))
    assert rules.overlaps(rules.grid_shapes(grid)) == []


def test_a_stall_that_lies_on_another_is_found() -> None:
    ground = rules.rectangle((0, 0), width=3, length=3, angle=0)
    near = rules.shifted(ground, east=2.9, south=0, turn=0)
    far = rules.shifted(ground, east=30, south=0, turn=0)
    assert rules.overlaps([ground, far, near]) == [(0, 2)]


def test_moving_south_and_turning_clockwise() -> None:
    ground = Polygon([(0, 0), (4, 0), (4, 2), (0, 2)])
    moved = rules.shifted(ground, east=10, south=5, turn=90)
    assert moved.bounds == pytest.approx((11, -6, 13, -2))
    tilted = rules.shifted(ground, east=0, south=0, turn=30)
    assert rules.sides(tilted)[2] == pytest.approx(30)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("A", 1, False), ["A1", "A2", "A3", "A4"]),
        (("", 7, False), ["7", "8", "9", "10"]),
        (("C", 1, True), ["C1", "C2", "D1", "D2"]),
        (("Z", 1, True), None),
        (("AB", 1, True), None),
        (("", 1, True), None),
    ],
)
def test_numbers_of_a_grid(asked: tuple[str, int, bool], expected: list[str] | None) -> None:
    prefix, start, by_row = asked
    assert rules.grid_numbers(2, 2, prefix=prefix, start=start, by_row=by_row) == expected


def test_numbers_are_told_shortly() -> None:
    assert runs_text(["A10", "A1", "A2", "B7"]) == "A1–A2, A10, B7"
    assert runs_text(["3", "1", "2"]) == "1–3"
    assert sorted(["A10", "B1", "A2"], key=rules.number_key) == ["A2", "A10", "B1"]


def test_numbers_are_read_with_runs() -> None:
    known = [f"A{n}" for n in range(1, 12)] + ["B1"]
    assert read_numbers("a1-a3, B1", known) == ({"A1", "A2", "A3", "B1"}, [])
    assert read_numbers("A9–11", known) == ({"A9", "A10", "A11"}, [])
    assert read_numbers("X1, A1-B3", known) == (set(), ["X1", "A1-B3"])


POLYGON = {
    "type": "Polygon",
    "coordinates": [[[24.95, 60.18], [24.951, 60.18], [24.951, 60.181], [24.95, 60.181], [24.95, 60.18]]],
}


@pytest.mark.parametrize(
    "value",
    [
        POLYGON,
        {"type": "Feature", "properties": {}, "geometry": POLYGON},
        {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": None, "geometry": POLYGON}],
        },
    ],
)
def test_an_outline_is_read_from_each_form_of_geojson(value: object) -> None:
    polygon, fault = rules.read_outline(json.dumps(value), "outline")
    assert fault is None
    assert polygon.geom_type == "Polygon"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing"),
        ("{", "unreadable"),
        ("[]", "unreadable"),
        ("null", "unreadable"),
        ('{"type": "Point", "coordinates": [24.95, 60.18]}', "not-a-polygon"),
        ('{"type": "Polygon", "coordinates": []}', "not-a-polygon"),
        ('{"type": "Polygon", "coordinates": [[[1, "x"]]]}', "unreadable"),
        ('{"type": "FeatureCollection", "features": []}', "unreadable"),
        (
            json.dumps(
                {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
            ),
            "crosses",
        ),
        (
            json.dumps(
                {"type": "Polygon", "coordinates": [[[25496000, 6673000], [25496010, 6673000], [25496010, 6673010], [25496000, 6673000]]]},
            ),
            "not-wgs84",
        ),
        (" " * 200_000 + "{}", "too-long"),
        ('{"type": "Polygon", "coordinates": [[[NaN, 0], [1, 0], [1, 1], [NaN, 0]]]}', "unreadable"),
        (
            json.dumps({"type": "Polygon", "coordinates": [[[n / 1000, (n % 2) / 10] for n in range(600)] + [[0, 0]]]}),
            "too-many",
        ),
    ],
)  # fmt: skip
def test_what_is_no_outline_is_refused_with_its_reason(text: str, code: str) -> None:
    polygon, fault = rules.read_outline(text, "outline")
    assert polygon is None
    assert fault is not None
    assert fault.code == code
    assert fault.field == "outline"


@given(grids)
def test_a_drawing_holds_every_stall_level(grid: rules.Grid) -> None:
    drawing = draw(None, dict(enumerate(rules.grid_shapes(grid))))
    assert drawing is not None
    for box in drawing.boxes.values():
        assert abs(box.turn) < 1
        assert box.width / 2 <= box.x <= 100 - box.width / 2
        assert box.height / 2 <= box.y <= 100 - box.height / 2
    # No two boxes overlap on the drawing, so no two labels do.
    boxes = [
        shapely.box(b.x - b.width / 2, b.y - b.height / 2, b.x + b.width / 2, b.y + b.height / 2)
        for b in drawing.boxes.values()
    ]
    shared = [boxes[a].intersection(boxes[b]).area for a in range(len(boxes)) for b in range(a)]
    assert max(shared, default=0) < 0.01 * min(box.area for box in boxes)
