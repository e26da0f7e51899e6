"""What the use of an outdoor area costs by a city's tariff: place × nature × surface, by time and area.

The semantics are those of Helsinki's permit system Allu (research notes 2.8; its pricing classes, state of 2025):

- time: started calendar days, weeks (Monday to Sunday), months or years that the use touches; `billed_month` is the
  terraces' own count, full months plus the first where it is whole, at least one;
- area: rounded up to whole steps; the charge is for `unit_m2`. A season sale has unit and step 10 m² (per started 10 m²),
  a store-room 1 m² and 1 m², a parklet 1 m² in steps of 12 m², a big event 10,000 m²;
- build and tear-down days cost `build_percent` of a day: half for events; nothing for big events, whose row names no build
  discount, and which Allu then leaves out of the bill;
- an eco event costs 30 % less in all.

Charges are hundredths of a minor unit (10,000 is 1 €), without tax, as the source has them; a line is rounded to the
minor unit, half up, and the sum is the sum of the lines.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from marketplace.errors import N_

EVENT = "EVENT"
ECO_PERCENT = 30
HUNDREDTHS = 100


class NoTariff(LookupError):
    """No row of the tariff is about this use on this day."""


@dataclass(frozen=True)
class Tariff:
    """A row of the tariff as plain values; see `models.OutdoorTariff`. `valid_until` is exclusive."""

    use: str
    key: str
    charge: int
    per: str
    place: str = ""
    surface: str = ""
    payment_class: str = ""
    valid_from: date = date.min
    valid_until: date | None = None
    unit_m2: Decimal | None = None
    step_m2: Decimal | None = None
    build_percent: int = 100

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True)
class Period:
    """The days of use, both included, and how many more days build up and tear down."""

    first: date
    last: date
    build_days: int = 0

    def __post_init__(self) -> None:
        if self.last < self.first or self.build_days < 0:
            raise ValueError("a period ends after it begins and builds for no fewer days than none")


@dataclass(frozen=True)
class OutdoorLine:
    """One line: so many units of time at so much; `unit_hundredths` and `area_units` tell where it comes from."""

    code: str
    units: int
    area_units: Decimal | None
    unit_hundredths: Decimal
    total_minor: int


@dataclass(frozen=True)
class OutdoorQuote:
    """Lines that add up to the total, without tax."""

    lines: tuple[OutdoorLine, ...] = field(default=())

    @property
    def total_minor(self) -> int:
        return sum(line.total_minor for line in self.lines)


@dataclass(frozen=True)
class TariffChoice:
    """Which rows of the city's tariff a space is priced by. An empty `key` leaves the nature of the use to the booker."""

    source: str = ""
    use: str = ""
    key: str = ""
    place: str = ""
    surface: str = ""
    payment_class: str = ""

    @property
    def code(self) -> str:
        """All of it in one word, for a form."""
        return "|".join((self.source, self.use, self.key, self.place, self.surface, self.payment_class))

    @classmethod
    def of_code(cls, code: str) -> "TariffChoice":
        """Raises ValueError for what is no such word."""
        parts = code.split("|")
        if len(parts) != 6:
            raise ValueError(code)
        return cls(*parts)

    def rows(self, tariffs: Iterable[Tariff], day: date, area_m2: Decimal | None) -> tuple[Tariff, ...]:
        """The rows that hold on this day, cheapest first; one for each nature where the booker chooses it. A row for a
        unit of area that the space does not have in all, such as a big event's, is then no choice."""
        known = list(tariffs)
        keys = [self.key] if self.key else sorted({row.key for row in known if row.use == EVENT == self.use})
        found = []
        for key in keys:
            try:
                row = tariff_for(
                    known, use=self.use, key=key, day=day,
                    place=self.place, surface=self.surface, payment_class=self.payment_class,
                )  # fmt: skip
            except NoTariff:
                continue
            if self.key or row.unit_m2 is None or (area_m2 is not None and area_m2 >= row.unit_m2):
                found.append(row)
        return tuple(
            sorted(found, key=lambda row: (row.charge, NATURES.index(row.key) if row.key in NATURES else 0))
        )


# The natures of an event, from the one that most people have in mind on.
NATURES = ("PUBLIC_FREE", "PUBLIC_NONFREE", "CLOSED", "PROMOTION", "BIG_EVENT")

OUTDOOR_TEXTS = {
    "use": N_("Use of the area"),
    "build": N_("Build and tear-down days"),
    "eco": N_("Eco event, less 30 per cent"),
    "share": N_("Share of the price that is left out"),
}


def tariff_for(
    tariffs: Iterable[Tariff],
    *,
    use: str,
    key: str,
    day: date,
    place: str = "",
    surface: str = "",
    payment_class: str = "",
) -> Tariff:
    """The row that holds on this day: that of the place and surface before one that does not depend on them.

    Raises NoTariff.
    """
    fitting = [
        row
        for row in tariffs
        if (row.use, row.key) == (use, key)
        and row.place in {"", place}
        and row.surface in {"", surface}
        and row.payment_class in {"", payment_class}
        and row.holds_on(day)
    ]
    if not fitting:
        raise NoTariff(f"{use} {key} at {place or 'any place'} on {day}")
    return max(
        fitting, key=lambda row: (bool(row.place), bool(row.surface), bool(row.payment_class), row.valid_from)
    )


def outdoor_quote(
    tariff: Tariff,
    period: Period,
    *,
    area_m2: Decimal | float | None = None,
    eco: bool = False,
    left_out_percent: int = 0,
) -> OutdoorQuote:
    """The price of this use by this row. `left_out_percent` is a further share taken off, such as that of an area that
    can be passed under. Raises ValueError where the row is by area and the area is not given."""
    if not 0 <= left_out_percent <= 100:
        raise ValueError("a share is between 0 and 100")
    area_units = units_of_area(tariff, area_m2)
    unit = Decimal(tariff.charge) * (1 if area_units is None else area_units)
    units = units_of_time(tariff.per, period.first, period.last)
    lines = [OutdoorLine("use", units, area_units, unit, minor(unit * units))]
    if period.build_days and tariff.per == "day" and tariff.build_percent:
        share = unit * tariff.build_percent / 100
        lines.append(
            OutdoorLine("build", period.build_days, area_units, share, minor(share * period.build_days))
        )
    for code, percent in (("share", left_out_percent), ("eco", ECO_PERCENT if eco else 0)):
        total = sum(line.total_minor for line in lines)
        # What is left is what is rounded, as Allu does.
        off = total - int((Decimal(total) * (100 - percent) / 100).quantize(Decimal(1), ROUND_HALF_UP))
        if off:
            lines.append(OutdoorLine(code, 1, None, Decimal(-off * HUNDREDTHS), -off))
    return OutdoorQuote(tuple(lines))


def units_of_area(tariff: Tariff, area_m2: Decimal | float | None) -> Decimal | None:
    """How many times the charge is due for the area; None where the row does not go by area."""
    if tariff.unit_m2 is None or tariff.step_m2 is None:
        return None
    if area_m2 is None or area_m2 < 0:
        raise ValueError(f"{tariff.use} {tariff.key} goes by area")
    steps = (Decimal(str(area_m2)) / tariff.step_m2).to_integral_value(ROUND_CEILING)
    return steps * tariff.step_m2 / tariff.unit_m2


def units_of_time(per: str, first: date, last: date) -> int:
    """How many started units of the calendar the days touch; raises ValueError on an unknown unit."""
    months = (last.year - first.year) * 12 + last.month - first.month
    match per:
        case "once":
            return 1
        case "day":
            return (last - first).days + 1
        case "week":
            return (last.toordinal() - last.weekday() - first.toordinal() + first.weekday()) // 7 + 1
        case "month":
            return months + 1
        case "year":
            return last.year - first.year + 1
        case "billed_month":
            full = months - (last.day < first.day)
            return max(1, full + (first.day == 1))
    raise ValueError(f"{per} is no unit of time")


def minor(hundredths: Decimal) -> int:
    return int((hundredths / HUNDREDTHS).quantize(Decimal(1), ROUND_HALF_UP))
