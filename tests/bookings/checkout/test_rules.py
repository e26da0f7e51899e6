"""Lines, tax and shares: whatever is sold, given back or kept, not a cent is lost."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bookings.checkout.rules import (
    STATES,
    TRANSITIONS,
    PlainLine,
    by_rate,
    cancelled_lines,
    missing_lines,
    shared,
    sold_lines,
)
from marketplace.money import Money

RATES = st.sampled_from([0, 1000, 1350, 2550])
EXTRA = st.builds(
    lambda minor, rate: {
        "code": "extra_booking", "quantity": "1", "total_minor": minor,
        "about": {"extra": 1, "vat_basis_points": rate},
    },
    st.integers(0, 50_000), RATES,
)  # fmt: skip
OWN = st.builds(
    lambda minor: {"code": "hours", "quantity": "1.5", "total_minor": minor}, st.integers(1, 500_000)
)


@st.composite
def sold(draw: Any) -> tuple[list[PlainLine], int, int]:
    """(lines, total, tax) of a booking, as its quote is made."""
    own = draw(st.lists(OWN, min_size=1, max_size=5))
    extras = draw(st.lists(EXTRA, max_size=3))
    rate = draw(RATES)
    off = draw(st.integers(0, sum(line["total_minor"] for line in own)))
    if off:
        own.append({"code": "discount", "quantity": "1", "total_minor": -off})
    base = sum(line["total_minor"] for line in own)
    vat = Money(base).vat_included(rate).minor + sum(
        Money(line["total_minor"]).vat_included(line["about"]["vat_basis_points"]).minor for line in extras
    )
    lines = sold_lines([*own, *extras], vat_minor=vat, basis_points=rate)
    return lines, base + sum(line["total_minor"] for line in extras), vat


@given(sold())
def test_the_lines_add_up_to_the_price_and_its_tax(found: tuple[list[PlainLine], int, int]) -> None:
    lines, total, vat = found
    assert sum(line.gross_minor for line in lines) == total
    assert sum(line.vat_minor for line in lines) == vat
    assert all(line.gross_minor == line.net_minor + line.vat_minor for line in lines)


@given(sold(), st.data())
def test_what_goes_back_and_what_is_kept_are_all_of_it(
    found: tuple[list[PlainLine], int, int], data: st.DataObject
) -> None:
    lines, total, _ = found
    kept = data.draw(st.integers(0, total))
    undone, left = cancelled_lines(lines, back_minor=total - kept, kept_minor=kept, code="cancelled")
    assert sum(line.gross_minor for line in left) == kept
    assert sum(line.gross_minor for line in (*lines, *undone)) == 0
    assert all(net == vat == 0 for net, vat in by_rate([*lines, *undone]).values())


@given(sold(), st.data())
def test_many_parts_given_back_leave_nothing(
    found: tuple[list[PlainLine], int, int], data: st.DataObject
) -> None:
    lines, left, _ = found
    while left:
        part = data.draw(st.integers(1, left))
        undone, _ = cancelled_lines(lines, back_minor=part, kept_minor=0, code="changed")
        assert sum(line.gross_minor for line in undone) == -part
        lines, left = [*lines, *undone], left - part
        if left > 3:
            part, left = left, 0
            lines = [*lines, *cancelled_lines(lines, back_minor=part, kept_minor=0, code="changed")[0]]
    assert all(net == vat == 0 for net, vat in by_rate(lines).values())


@given(sold(), sold())
def test_a_difference_makes_one_price_the_other(
    before: tuple[list[PlainLine], int, int], after: tuple[list[PlainLine], int, int]
) -> None:
    missing = missing_lines(after[0], before[0], code="changed")
    whole = {rate: sums for rate, sums in by_rate([*before[0], *missing]).items() if any(sums)}
    assert whole == {rate: sums for rate, sums in by_rate(after[0]).items() if any(sums)}


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_shares_add_up(whole: int, parts: list[int]) -> None:
    assert sum(shared(whole, parts)) == whole


def test_the_tax_of_the_tariff_is_its_own_line() -> None:
    lines = [
        {"code": "tariff_day", "quantity": "1", "total_minor": 10_000},
        {"code": "tariff_vat", "quantity": "1", "total_minor": 2_550, "about": {"rate": 25.5}},
    ]
    found = sold_lines(lines, vat_minor=2_550, basis_points=2550)
    assert [(line.net_minor, line.vat_minor) for line in found] == [(10_000, 0), (0, 2_550)]
    assert by_rate(found) == {2550: (10_000, 2_550)}


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert all(after in STATES for following in TRANSITIONS.values() for after in following)
