"""Pure decisions about the terms: percentages as people write them, accounts of a bookkeeping, the fee of an amount."""

import re
from decimal import Decimal

from marketplace.money import Money

# Half of the income: whoever types more has slipped a digit.
MOST_FEE = 5000
PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?", re.ASCII)
# What SAP's field takes.
ACCOUNT_MAX = 10
ACCOUNT = re.compile(r"[0-9A-Za-z-]*", re.ASCII)


def read_percent(text: str) -> int | None:
    """10, 7,5 or 7.25 % in hundredths of a per cent; None for anything else, also for more than a hundred."""
    match = PERCENT.fullmatch(text.strip().removesuffix("%").strip())
    if match is None:
        return None
    points = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    return points if points <= 10_000 else None


def percent_text(basis_points: int, *, point: str = ",") -> str:
    """750 as 7,5; 1000 as 10."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}{point}{part:02d}".rstrip("0") if part else str(whole)


def is_account(text: str) -> bool:
    """Whether this can be a general ledger account; an empty text means none."""
    return len(text) <= ACCOUNT_MAX and ACCOUNT.fullmatch(text) is not None


def city_fee(total: Money, basis_points: int) -> Money:
    """What the city keeps of an amount that a private supplier has sold for, rounded half up to the minor unit."""
    return total.times(Decimal(basis_points) / 10_000)
