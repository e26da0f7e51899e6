"""Pure decisions about sums of the ledger: what of a month is sold, given back, tax, fee."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True)
class EntrySum:
    """Entries of the ledger of one month and one direction, in minor units: positive is the owner's income."""

    month: date
    gross_minor: int
    vat_minor: int
    fee_minor: int


@dataclass(frozen=True)
class MonthIncome:
    """What an owner's places brought in a month, in minor units, tax included.

    `back_minor` is what was given back and `fee_minor` what the city keeps: positive where money goes away. `vat_minor` is
    the tax inside what is left after giving back.
    """

    month: date
    sold_minor: int = 0
    back_minor: int = 0
    vat_minor: int = 0
    fee_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What is the owner's, after what was given back and the city's fee."""
        return self.sold_minor - self.back_minor - self.fee_minor

    def __add__(self, other: "MonthIncome") -> "MonthIncome":
        return MonthIncome(
            self.month,
            self.sold_minor + other.sold_minor,
            self.back_minor + other.back_minor,
            self.vat_minor + other.vat_minor,
            self.fee_minor + other.fee_minor,
        )


def months_of(sums: Iterable[EntrySum]) -> list[MonthIncome]:
    """The months in order."""
    found: dict[date, MonthIncome] = {}
    for one in sums:
        income = found.get(one.month, MonthIncome(one.month))
        found[one.month] = replace(
            income,
            sold_minor=income.sold_minor + max(one.gross_minor, 0),
            back_minor=income.back_minor - min(one.gross_minor, 0),
            vat_minor=income.vat_minor + one.vat_minor,
            fee_minor=income.fee_minor + one.fee_minor,
        )
    return [found[month] for month in sorted(found)]


def year_of(months: Iterable[MonthIncome], year: int) -> MonthIncome:
    """All months of a year as one."""
    return sum(months, MonthIncome(date(year, 1, 1)))
