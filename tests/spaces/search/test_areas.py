"""Drawn areas: what an address may say, and what PostgreSQL makes of it."""

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.geo import shapes_to_metric
from spaces.search.areas import (
    CROSSES_ITSELF,
    FEW_CORNERS,
    MANY_CORNERS,
    MOST_CORNERS,
    UNREADABLE_AREA,
    metric_polygon,
    read_corners,
    widened,
    write_corners,
)

SQUARE = "60.18,24.94;60.18,24.96;60.19,24.96;60.19,24.94"
CRS = 3067


def ring(corners: int) -> str:
    angles = [2 * math.pi * n / corners for n in range(corners)]
    return ";".join(f"{60.18 + 0.01 * math.sin(a):.5f},{24.95 + 0.02 * math.cos(a):.5f}" for a in angles)


def test_corners_are_read_in_either_way_of_ending() -> None:
    open_ring = read_corners(SQUARE)
    assert open_ring == ((24.94, 60.18), (24.96, 60.18), (24.96, 60.19), (24.94, 60.19))
    assert read_corners(SQUARE + ";60.18,24.94") == open_ring
    assert read_corners(SQUARE + ";") == open_ring
    assert read_corners("60.18,24.94;" + SQUARE) == open_ring


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", UNREADABLE_AREA),
        ("60.18", UNREADABLE_AREA),
        ("60.18,24.94,3;60,24;61,25", UNREADABLE_AREA),
        ("nan,24.94;60.18,24.96;60.19,24.96", UNREADABLE_AREA),
        ("1e309,24.94;60.18,24.96;60.19,24.96", UNREADABLE_AREA),
        ("95,24.94;60.18,24.96;60.19,24.96", UNREADABLE_AREA),
        ("60.18,24.94;60.18,24.96", FEW_CORNERS),
        ("60.18,24.94;60.18,24.94;60.18,24.94;60.19,24.95", FEW_CORNERS),
        ("60.18,24.94;60.19,24.96;60.18,24.96;60.19,24.94", CROSSES_ITSELF),
        ("60.18,24.94;60.19,24.95;60.20,24.96", CROSSES_ITSELF),
        (ring(MOST_CORNERS + 1), MANY_CORNERS),
        ("1,1;" * 5000, MANY_CORNERS),
        ("9" * 5000, UNREADABLE_AREA),
    ],
)
def test_what_is_no_area_says_why(text: str, message: str) -> None:
    assert read_corners(text) == message


@given(st.integers(3, MOST_CORNERS))
def test_what_is_written_is_read_again(corners: int) -> None:
    found = read_corners(ring(corners))
    assert not isinstance(found, str)
    assert read_corners(write_corners(found)) == found


@given(st.text(max_size=200))
def test_any_text_is_an_area_or_a_message(text: str) -> None:
    found = read_corners(text)
    assert isinstance(found, str) or len(found) >= 3


def test_a_wider_area_holds_the_first_and_so_much_around_it() -> None:
    for drawn in (SQUARE, ring(MOST_CORNERS), ring(3)):
        corners = read_corners(drawn)
        assert not isinstance(corners, str)
        wider = widened(corners, metres=2000, crs=CRS)
        assert len(wider) <= MOST_CORNERS
        assert not isinstance(read_corners(write_corners(wider)), str)
        first, second = shapes_to_metric([shapely.Polygon(corners), shapely.Polygon(wider)], crs=CRS)
        assert second.contains(first.buffer(1500))
        assert first.buffer(2300).contains(second)


@given(st.floats(24.93, 24.97), st.floats(60.175, 60.195))
def test_the_database_sees_the_same_inside(lon: float, lat: float) -> None:
    corners = read_corners(SQUARE)
    assert not isinstance(corners, str)
    shape, point = shapes_to_metric([shapely.Polygon(corners), shapely.Point(lon, lat)], crs=CRS)
    numbers = [
        tuple(float(n) for n in part.split(","))
        for part in metric_polygon(corners, crs=CRS).strip("()").split("),(")
    ]
    drawn = shapely.Polygon(numbers)
    if shape.exterior.distance(point) > 0.1:  # metres; the corners are rounded to the centimetre
        assert drawn.contains(point) == shape.contains(point)


def test_postgresql_reads_the_polygon(session: Session) -> None:
    corners = read_corners(SQUARE)
    assert not isinstance(corners, str)
    assert session.scalar(
        text("SELECT npoints(CAST(:area AS polygon))"), {"area": metric_polygon(corners, crs=CRS)}
    ) == len(corners)
