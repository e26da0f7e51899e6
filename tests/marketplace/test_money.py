"""Money never loses a cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.money import Money, round_half_up

amounts = st.integers(-(10**9), 10**9).map(Money)
rates = st.integers(0, 10000)


@given(amounts, rates)
def test_tax_and_net_add_up_to_the_gross(amount: Money, rate: int) -> None:
    assert amount.vat_included(rate) + amount.without_vat(rate) == amount


@given(st.integers(0, 10**9), rates)
def test_tax_is_never_negative_nor_more_than_the_rate(minor: int, rate: int) -> None:
    tax = Money(minor).vat_included(rate).minor
    exact = Decimal(minor) * rate / (10000 + rate)
    assert abs(tax - exact) <= Decimal("0.5")
    assert 0 <= tax <= minor


@given(amounts, amounts)
def test_sums_and_differences_undo_each_other(one: Money, other: Money) -> None:
    assert one + other - other == one
    assert one + -one == Money.zero()
    assert (one < other) == (one.minor < other.minor)
    assert bool(one) == (one.minor != 0)


@given(amounts, st.integers(0, 10000))
def test_whole_multiples_are_exact(amount: Money, factor: int) -> None:
    assert amount.times(factor).minor == amount.minor * factor


@given(amounts, st.decimals(0, 1000, places=4))
def test_other_multiples_are_the_nearest_cent(amount: Money, factor: Decimal) -> None:
    assert abs(amount.times(factor).minor - amount.minor * factor) <= Decimal("0.5")


@pytest.mark.parametrize(
    ("value", "expected"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("0.49", 0), ("2.4999", 2)]
)
def test_halves_go_away_from_zero(value: str, expected: int) -> None:
    assert round_half_up(Decimal(value)) == expected


def test_the_finnish_rate_of_a_round_price() -> None:
    assert Money(12550).vat_included(2550) == Money(2550)
    assert Money(1000).vat_included(2550) == Money(203)


def test_currencies_do_not_mix() -> None:
    euro, krona = Money(1, "EUR"), Money(1, "SEK")
    with pytest.raises(ValueError, match="cannot mix"):
        _ = euro + krona
    with pytest.raises(ValueError, match="cannot mix"):
        _ = euro - krona
    with pytest.raises(ValueError, match="cannot mix"):
        _ = euro < krona
