"""Money as whole minor units and a currency. Rounding lives here and nowhere else."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self


@dataclass(frozen=True, order=False)
class Money:
    """An amount in minor units (cents) of one currency. Sums across currencies raise ValueError."""

    minor: int
    currency: str = "EUR"

    @classmethod
    def zero(cls, currency: str = "EUR") -> Self:
        return cls(0, currency)

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def times(self, factor: Decimal | int) -> "Money":
        """This much `factor` times, rounded half up to the minor unit."""
        return Money(round_half_up(Decimal(self.minor) * factor), self.currency)

    def vat_included(self, basis_points: int) -> "Money":
        """The tax inside this gross amount at a rate in hundredths of a per cent (2550 = 25.5 %)."""
        return self - self.without_vat(basis_points)

    def without_vat(self, basis_points: int) -> "Money":
        """The net amount inside this gross amount."""
        return Money(round_half_up(Decimal(self.minor) * 10000 / (10000 + basis_points)), self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")


def round_half_up(value: Decimal) -> int:
    """The nearest whole number; halves go away from zero, as on a Finnish invoice."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))
