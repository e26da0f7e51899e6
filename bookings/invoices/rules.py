"""Pure decisions about invoices: reference numbers, due dates, sums by rate, what is credited and what it comes to.

Amounts are whole minor units; rates are hundredths of a per cent.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from bookings.checkout.rules import Summed, by_rate

KINDS = ("invoice", "credit_note")
STATES = ("sent", "paid", "overdue", "credited")
RHYTHMS = ("at_once", "monthly")
WEIGHTS = (7, 3, 1)


@dataclass(frozen=True)
class RateSum:
    """What the lines of one rate come to."""

    basis_points: int
    net_minor: int
    vat_minor: int

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.vat_minor


@dataclass(frozen=True)
class Amounts:
    net_minor: int
    vat_minor: int

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.vat_minor


def check_digit(base: str) -> str:
    """The check digit of a viitenumero: weights 7, 3, 1 from the right, up to the next ten (Finance Finland)."""
    rest = sum(int(digit) * WEIGHTS[n % 3] for n, digit in enumerate(reversed(base))) % 10
    return str((10 - rest) % 10)


def reference_of(base: int) -> str:
    """The viitenumero of a number of at least three digits. Raises ValueError on one that does not fit (20 digits)."""
    digits = str(base)
    if not 3 <= len(digits) <= 19:
        raise ValueError("a reference number has 4 to 20 digits")
    return digits + check_digit(digits)


def is_reference(text: str) -> bool:
    plain = plain_reference(text)
    return 4 <= len(plain) <= 20 and check_digit(plain[:-1]) == plain[-1]


def plain_reference(text: str) -> str:
    """The digits of a viitenumero, or of an RF reference that stands for one; "" where it is neither."""
    plain = "".join(text.split()).upper()
    if plain.startswith("RF"):
        plain = plain[4:] if rf_rest(plain) == 1 else ""
    return plain.lstrip("0") if plain.isascii() and plain.isdigit() else ""


def rf_rest(reference: str) -> int:
    """The whole RF reference modulo 97; 1 where it is right (ISO 11649). 0 for what has other signs."""
    moved = reference[4:] + reference[:4]
    if not (moved.isascii() and moved.isalnum()):
        return 0
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97


def rf_of(reference: str) -> str:
    """A viitenumero as an RF creditor reference."""
    return f"RF{98 - rf_rest('RF00' + reference):02d}{reference}"


def grouped(reference: str) -> str:
    """For reading: a viitenumero in fives from the right, an RF reference in fours from the left."""
    if reference.startswith("RF"):
        return grouped_iban(reference)
    head = len(reference) % 5
    parts = [reference[:head]] if head else []
    return " ".join(parts + [reference[n : n + 5] for n in range(head, len(reference), 5)])


def grouped_iban(iban: str) -> str:
    return " ".join(iban[n : n + 4] for n in range(0, len(iban), 4))


def number_of(year: int, sequence: int, *, supplier_seller: int | None = None) -> str:
    """The invoice number: the city's own plain, a supplier's after the seller's id, since each seller counts alone."""
    plain = f"{year}-{sequence:05d}"
    return plain if supplier_seller is None else f"{supplier_seller}-{plain}"


def reference_base(seller_id: int, year: int, sequence: int) -> int:
    """A number that no other invoice of the city has; the sequence takes five digits or, from 100,000 on, as many as it has
    behind a 9, so that no two run into each other."""
    tail = f"{sequence:05d}" if sequence < 90_000 else f"9{len(str(sequence))}{sequence}"
    return int(f"{seller_id}{year}{tail}")


def due_date(issued_on: date, days: int, *, is_holiday: Callable[[date], bool]) -> date:
    """The day to pay by: `days` later, or the next day that banks work."""
    due = issued_on + timedelta(days=days)
    while due.weekday() >= 5 or is_holiday(due):
        due += timedelta(days=1)
    return due


def sums_by_rate(lines: Iterable[Summed]) -> list[RateSum]:
    """The tax of each rate, the highest first; together exactly what the lines come to."""
    return [RateSum(rate, *sums) for rate, sums in sorted(by_rate(lines).items(), reverse=True)]


def total_of(lines: Iterable[Summed]) -> Amounts:
    rows = list(lines)
    return Amounts(sum(line.net_minor for line in rows), sum(line.vat_minor for line in rows))


def part_of(line: Amounts, already: Amounts, gross_minor: int) -> Amounts:
    """`gross_minor` of a line as net and tax, where `already` was credited of it (all positive).

    The tax is what makes all that is credited by then have its share to the cent; the last cent of the line takes the rest.
    Raises ValueError above what is left.
    """
    upto = already.gross_minor + gross_minor
    if gross_minor <= 0 or upto > line.gross_minor:
        raise ValueError("no more can be credited than the line has left")
    share = (2 * line.vat_minor * upto + line.gross_minor) // (2 * line.gross_minor)
    vat = share - already.vat_minor
    return Amounts(gross_minor - vat, vat)


def owed(gross_minor: int, credited_minor: int, paid_minor: int) -> int:
    """What is still to be paid; negative where too much was."""
    return gross_minor - credited_minor - paid_minor


def state_of(*, gross_minor: int, credited_minor: int, paid_minor: int, due_on: date, today: date) -> str:
    """What has become of an invoice."""
    if credited_minor >= gross_minor:
        return "credited"
    if owed(gross_minor, credited_minor, paid_minor) <= 0:
        return "paid"
    return "overdue" if due_on < today else "sent"


def month_before(day: date) -> date:
    """The first day of the month before the day's."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def bank_barcode(iban: str, reference: str, amount_minor: int, due_on: date | None) -> str | None:
    """The 54 digits of the Finnish bank barcode: version 4 with a viitenumero, version 5 with an RF reference.

    None for an account that is not Finnish. An amount that does not fit is left for the payer to fill in, as zeros
    (Finance Finland, Bank bar code guide, version 5.3).
    """
    if not (iban.startswith("FI") and len(iban) == 18 and iban[2:].isdigit()):
        return None
    amount = amount_minor if 0 <= amount_minor <= 99_999_999 else 0
    day = f"{due_on:%y%m%d}" if due_on else "000000"
    if reference.startswith("RF"):
        return f"5{iban[2:]}{amount:08d}{reference[2:4]}{reference[4:].zfill(21)}{day}"
    return f"4{iban[2:]}{amount:08d}000{reference.zfill(20)}{day}"


# Widths of bars and gaps of Code 128, by value (ISO/IEC 15417); the last is the stop sign.
CODE_128 = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
).split()
START_C, STOP = 105, 106


def code_128_values(digits: str) -> list[int]:
    """The values of an even number of digits in set C, with start, check and stop."""
    values = [START_C, *(int(digits[n : n + 2]) for n in range(0, len(digits), 2))]
    check = (values[0] + sum(n * value for n, value in enumerate(values))) % 103
    return [*values, check, STOP]


def code_128_widths(digits: str) -> list[int]:
    """Widths of bar, gap, bar ... in modules."""
    return [int(width) for value in code_128_values(digits) for width in CODE_128[value]]
