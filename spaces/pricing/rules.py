"""What a booking costs: a pure function of the price, the time and the zone."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from marketplace.errors import N_
from marketplace.money import Money
from marketplace.timespan import Span, local_days


@dataclass(frozen=True)
class PriceTerms:
    """A price as plain values: `per` is free, hour or day; the amount includes tax at `vat_basis_points`."""

    per: str
    amount: Money
    vat_basis_points: int


@dataclass(frozen=True)
class Line:
    """One line of a quote: so much of a thing at such a price. `quantity` is hours or days."""

    code: str
    quantity: Decimal
    unit_price: Money
    total: Money

    def as_json(self) -> dict[str, Any]:
        """The line as it is kept on a booking."""
        return {
            "code": self.code,
            "quantity": f"{self.quantity:f}",
            "unit_minor": self.unit_price.minor,
            "total_minor": self.total.minor,
        }


LINE_TEXTS = {
    "hours": N_("%(quantity)s h × %(price)s"),
    "day": N_("%(quantity)s day × %(price)s"),
    "days": N_("%(quantity)s days × %(price)s"),
    "free": N_("Free of charge"),
}


def line_text(code: str, quantity: Decimal) -> str:
    """The untranslated text of a line; one day is not "1 days"."""
    return LINE_TEXTS["day" if code == "days" and quantity == 1 else code]


@dataclass(frozen=True)
class Quote:
    """Lines that add up to `total`, and the tax inside it."""

    lines: tuple[Line, ...]
    total: Money
    vat: Money
    vat_basis_points: int


def quote(terms: PriceTerms, during: Span, zone: ZoneInfo) -> Quote:
    """The price of this time. Hours are elapsed hours, so a night when the clocks change costs what it lasts;
    days are the local dates touched."""
    zero = Money.zero(terms.amount.currency)
    if terms.per == "free":
        return Quote((Line("free", Decimal(1), zero, zero),), zero, zero, terms.vat_basis_points)
    if terms.per == "hour":
        quantity = Decimal(during.length // timedelta(seconds=1)) / 3600
        line = Line("hours", quantity.normalize(), terms.amount, terms.amount.times(quantity))
    else:
        quantity = Decimal(len(local_days(during, zone)))
        line = Line("days", quantity, terms.amount, terms.amount.times(quantity))
    return Quote((line,), line.total, line.total.vat_included(terms.vat_basis_points), terms.vat_basis_points)
