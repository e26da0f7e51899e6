"""What a booking costs: a pure function of the price list, the customer group, a discount, the time and the zone.

A variation for a group counts before one for everyone, and that before the base amount; `lists.py` sees to it that no two
variations of one kind meet. Parts of the week are wall-clock times of the space's own zone. A boundary is the instant at
which the clock first shows it, so a night when the clocks change is cut once, at the same instant for every booking:
hours, and with them hourly prices, add up however a time is split.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from marketplace.errors import N_
from marketplace.money import Money
from marketplace.timespan import Span, instant, local_days

# Whom one books for; oneself is a resident.
CUSTOMER_GROUPS = ("resident", "association", "youth", "company")
GROUP_OF_KIND = {"association": "association", "company": "company"}
WEEK = frozenset(range(1, 8))
DAY_MINUTES = 1440


@dataclass(frozen=True)
class Variation:
    """Another amount on these ISO weekdays between two wall-clock minutes, for one group or (None) for everyone."""

    amount_minor: int
    group: str | None = None
    days: frozenset[int] = WEEK
    from_minute: int = 0
    to_minute: int = DAY_MINUTES

    def covers(self, weekday: int, minute: int) -> bool:
        return weekday in self.days and self.from_minute <= minute < self.to_minute


@dataclass(frozen=True)
class PriceTerms:
    """A price list as plain values: `per` is free, hour, slot, day, fixed (a booking) or m2_day; amounts include tax at
    `vat_basis_points`. `area_m2` is only needed, and then given, for m2_day."""

    per: str
    amount: Money
    vat_basis_points: int
    slot_minutes: int | None = None
    minimum_minor: int = 0
    build_percent: int = 100
    area_m2: Decimal | None = None
    variations: tuple[Variation, ...] = ()

    @property
    def is_free(self) -> bool:
        """Whether the base price is nothing."""
        return self.amount.minor == 0

    @property
    def varies_by_group(self) -> bool:
        return any(row.group is not None for row in self.variations)

    @cached_property
    def boundaries(self) -> tuple[int, ...]:
        """The wall-clock minutes at which an amount may change."""
        return tuple(
            sorted(
                {0, *(minute for row in self.variations for minute in (row.from_minute, row.to_minute))}
                - {DAY_MINUTES}
            )
        )

    def rate(self, group: str, day: date, minute: int) -> tuple[int, str]:
        """(minor units, note) at this wall-clock time; the note says which variation it is, or nothing."""
        weekday = day.isoweekday()
        found: tuple[int, str] = self.amount.minor, ""
        for row in self.variations:
            if row.group in {None, group} and row.covers(weekday, minute):
                if row.group is not None:
                    return row.amount_minor, row.group
                found = row.amount_minor, "time"
        return found


@dataclass(frozen=True)
class Discount:
    """What a code takes off: a percentage or, with `percent` None, an amount."""

    code: str
    percent: int | None
    amount_minor: int | None

    def off(self, total: Money) -> Money:
        """Never more than there is."""
        if self.percent is not None:
            return total.times(Decimal(self.percent) / 100)
        return Money(min(self.amount_minor or 0, total.minor), total.currency)


@dataclass(frozen=True)
class BuildDays:
    """How many of the first and of the last days of a booking only build up and tear down."""

    before: int = 0
    after: int = 0


NO_BUILD_DAYS = BuildDays()


@dataclass(frozen=True)
class Line:
    """One line of a quote: so much of a thing at such a price. `note` is the variation, or the word of a discount."""

    code: str
    quantity: Decimal
    unit_price: Money
    total: Money
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The line as it is kept on a booking."""
        return {
            "code": self.code,
            "quantity": f"{self.quantity:f}",
            "unit_minor": self.unit_price.minor,
            "total_minor": self.total.minor,
            **({"note": self.note} if self.note else {}),
        }


LINE_TEXTS = {
    "hours": N_("%(quantity)s h × %(price)s"),
    "day": N_("%(quantity)s day × %(price)s"),
    "days": N_("%(quantity)s days × %(price)s"),
    "slots": N_("%(quantity)s slots × %(price)s"),
    "bookings": N_("%(quantity)s booking × %(price)s"),
    "m2_days": N_("%(quantity)s m² days × %(price)s"),
    "build_days": N_("%(quantity)s build or tear-down days × %(price)s"),
    "m2_build_days": N_("%(quantity)s m² build or tear-down days × %(price)s"),
    "minimum": N_("Up to the least price of a booking"),
    "discount": N_("Discount"),
    "free": N_("Free of charge"),
}
NOTE_TEXTS = {
    "time": N_("price of this time"),
    "resident": N_("price for residents"),
    "association": N_("price for associations"),
    "youth": N_("price for youth work"),
    "company": N_("price for companies"),
}


def text_of_line(code: str, quantity: Decimal) -> str:
    """The untranslated text of a line; one day is not "1 days"."""
    return LINE_TEXTS["day" if code == "days" and quantity == 1 else code]


@dataclass(frozen=True)
class Quote:
    """Lines that add up to `total`, and the tax inside it."""

    lines: tuple[Line, ...]
    total: Money
    vat: Money
    vat_basis_points: int


def quote(
    terms: PriceTerms,
    during: Span,
    zone: ZoneInfo,
    *,
    group: str = "resident",
    discount: Discount | None = None,
    build: BuildDays = NO_BUILD_DAYS,
) -> Quote:
    """The price of this time. Hours are elapsed hours, so a night when the clocks change costs what it lasts; slots are
    the started ones; days are the local dates touched; a price for a booking is that of its first moment."""
    zero = Money.zero(terms.amount.currency)
    lines = priced(terms, during, zone, group, build) if terms.per != "free" else []
    total = sum((line.total for line in lines), zero)
    if not total:
        note = next((line.note for line in lines if line.note), "")
        return Quote((Line("free", Decimal(1), zero, zero, note),), zero, zero, terms.vat_basis_points)
    if total.minor < terms.minimum_minor:
        missing = Money(terms.minimum_minor, total.currency) - total
        lines.append(Line("minimum", Decimal(1), missing, missing))
        total += missing
    if discount is not None and (off := discount.off(total)):
        lines.append(Line("discount", Decimal(1), -off, -off, discount.code))
        total -= off
    return Quote(tuple(lines), total, total.vat_included(terms.vat_basis_points), terms.vat_basis_points)


def priced(terms: PriceTerms, during: Span, zone: ZoneInfo, group: str, build: BuildDays) -> list[Line]:
    """One line for each thing at each price, in the order in which they first come up."""
    amounts: dict[tuple[str, int, str], Decimal] = {}
    for code, minor, note, quantity in things(terms, during, zone, group, build):
        key = code, minor, note
        amounts[key] = amounts.get(key, Decimal(0)) + quantity
    lines = []
    for (code, minor, note), quantity in amounts.items():
        unit = Money(minor, terms.amount.currency)
        if code.endswith("build_days"):
            share = Decimal(terms.build_percent) / 100
            lines.append(Line(code, quantity, unit.times(share), unit.times(share * quantity), note))
        else:
            lines.append(Line(code, quantity, unit, unit.times(quantity), note))
    return lines


def things(
    terms: PriceTerms, during: Span, zone: ZoneInfo, group: str, build: BuildDays
) -> Iterator[tuple[str, int, str, Decimal]]:
    """(line code, unit price, note, quantity) of each part of the time that has one price."""
    if terms.per == "hour":
        if not terms.variations:
            yield "hours", terms.amount.minor, "", hours_of(during.length)
            return
        for part, day, minute in parts(terms, during, zone):
            yield "hours", *terms.rate(group, day, minute), hours_of(part.length)
    elif terms.per == "slot":
        slot = timedelta(minutes=terms.slot_minutes or 60)
        for n in range(-(-during.length // slot)):
            yield "slots", *terms.rate(group, *wall(terms, during.start + n * slot, zone)), Decimal(1)
    elif terms.per == "fixed":
        yield "bookings", *terms.rate(group, *wall(terms, during.start, zone)), Decimal(1)
    else:
        by_area = terms.per == "m2_day"
        quantity = Decimal(ceil(terms.area_m2 or 0)) if by_area else Decimal(1)
        days = local_days(during, zone)
        for n, day in enumerate(days):
            builds = n < build.before or n >= len(days) - build.after
            code = ("m2_" if by_area else "") + ("build_days" if builds else "days")
            yield code, *terms.rate(group, day, 0), quantity


def hours_of(length: timedelta) -> Decimal:
    """90 minutes as 1.5, ten hours as 10."""
    return (Decimal(length // timedelta(seconds=1)) / 3600).normalize()


def parts(terms: PriceTerms, during: Span, zone: ZoneInfo) -> Iterator[tuple[Span, date, int]]:
    """The time cut where an amount may change, each part with the wall-clock day and minute that its price is for."""
    cuts = [
        (cut_at(day, minute, zone), day, minute)
        for day in local_days(during, zone)
        for minute in terms.boundaries
    ]
    for (start, day, minute), (end, _, _) in zip(cuts, [*cuts[1:], (during.end, None, None)], strict=True):
        # A spring night may skip a boundary, or a whole part of the list: then nothing lies between.
        if start < end and (part := Span(start, end).clipped(during)):
            yield part, day, minute


def wall(terms: PriceTerms, at: datetime, zone: ZoneInfo) -> tuple[date, int]:
    """The day and the boundary minute of the part of the list that this instant lies in, by the same cuts as `parts`."""
    day = at.astimezone(zone).date()
    return day, max(minute for minute in terms.boundaries if minute == 0 or cut_at(day, minute, zone) <= at)


def cut_at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return instant(day, time(minute // 60, minute % 60), zone)
