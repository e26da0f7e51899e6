"""Distances are measured in the city's own metric coordinates."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.geo import to_metric

HELSINKI = 3879


@pytest.mark.parametrize("lat", [59.9, 60.17, 60.4])
def test_the_zone_is_measured_from_its_own_meridian(lat: float) -> None:
    """ETRS-GK25: 25° E lies at 25 500 000 m; a degree of latitude here is some 111.4 km, the equator at 0."""
    east, north = to_metric(25.0, lat, crs=HELSINKI)
    assert east == 25_500_000
    assert north == pytest.approx(lat * 111_200, rel=0.003)


@given(st.floats(24.5, 25.3), st.floats(60.0, 60.4), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_distances_are_metres(lon: float, lat: float, dx: float, dy: float) -> None:
    """Compared with the great circle, to three parts in a thousand and the rounding."""
    a, b = to_metric(lon, lat, crs=HELSINKI), to_metric(lon + dx, lat + dy, crs=HELSINKI)
    measured = math.dist(a, b)
    mean = math.radians(lat + dy / 2)
    circle = math.hypot(math.radians(dx) * math.cos(mean) * 6_388_000, math.radians(dy) * 6_388_000)
    assert measured == pytest.approx(circle, rel=0.005, abs=0.05)


def test_coordinates_are_rounded_to_the_centimetre() -> None:
    for value in to_metric(24.95, 60.18, crs=HELSINKI):
        assert value == round(value, 2)
