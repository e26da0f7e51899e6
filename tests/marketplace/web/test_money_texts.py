"""Sums as people read them, in three languages."""

import pytest

from marketplace.money import Money
from marketplace.web.i18n import NBSP, format_money


@pytest.mark.parametrize(
    ("minor", "fi", "en"),
    [
        (0, "0 €", "€0"),
        (1350, "13,50 €", "€13.50"),
        (-45000, "−450 €", "−€450"),
        (-5, "−0,05 €", "−€0.05"),
        (123456700, f"1{NBSP}234{NBSP}567 €", "€1,234,567"),
    ],
)
def test_sums(minor: int, fi: str, en: str) -> None:
    shown = format_money(Money(minor, "EUR"), "fi")
    assert shown == fi.replace(" €", f"{NBSP}€")
    assert format_money(Money(minor, "EUR"), "en") == en
