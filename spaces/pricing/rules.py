"""What a booking costs: a pure function of the price list, the customer group, a discount, the time and the zone.

A variation for a group counts before one for everyone, and that before the base amount; `lists.py` sees to it that no two
variations of one kind meet. Parts of the week are wall-clock times of the space's own zone. A boundary is the instant at
which the clock first shows it, so a night when the clocks change is cut once, at the same instant for every booking:
hours, and with them hourly prices, add up however a time is split.

By the city's tariff (`outdoor`) the charges are without tax, so the tax is a line of its own; a discount is taken off
before it. Equipment comes last, at its own price and tax: a code is one space's and the equipment is shared by several,
so a discount never touches it, nor does it count towards the least price of a booking.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from marketplace.errors import N_
from marketplace.money import Money, round_half_up
from marketplace.timespan import Span, instant, local_days
from spaces.pricing.cancelling import NO_STEPS, CancelTerms
from spaces.pricing.outdoor import Period, Tariff, outdoor_quote, units_of_area
from spaces.pricing.outdoor import minor as rounded
from spaces.pricing.ways import USUAL_WAYS

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
    """A price list as plain values: `per` is free, hour, slot, day, fixed (a booking), m2_day or tariff; amounts include
    tax at `vat_basis_points`. `area_m2` is only needed, and then given, for m2_day; by the tariff it is the area that is
    used where nobody says another. `tariffs` are the rows to choose from, one for each nature of the use; of such a
    list `amount` is the least of a day or other unit of time."""

    per: str
    amount: Money
    vat_basis_points: int
    slot_minutes: int | None = None
    minimum_minor: int = 0
    build_percent: int = 100
    area_m2: Decimal | None = None
    variations: tuple[Variation, ...] = ()
    tariffs: tuple[Tariff, ...] = ()
    kept_percent: int = 100  # of the price, when it is cancelled after its time for free cancellation
    cancel: CancelTerms = NO_STEPS
    ways: tuple[str, ...] = USUAL_WAYS  # of paying

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
class OutdoorUse:
    """What the booker says of the use of an outdoor area: its nature (a key of the tariff; "" where there is nothing to
    choose), how much of the area, and whether it is an eco event."""

    nature: str = ""
    area_m2: Decimal | None = None
    eco: bool = False

    def as_json(self) -> dict[str, Any]:
        """The use as it is kept on a booking."""
        area = None if self.area_m2 is None else f"{self.area_m2:f}"
        return {"nature": self.nature, "area_m2": area, "eco": self.eco}


class NoArea(ValueError):
    """The use is charged by area, and the area is not told."""


@dataclass(frozen=True)
class Line:
    """One line of a quote: so much of a thing at such a price. `note` is the variation, the nature of the use, or the
    word of a discount; `about` holds further values of the line's text: names and pieces of equipment, an area."""

    code: str
    quantity: Decimal
    unit_price: Money
    total: Money
    note: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The line as it is kept on a booking."""
        return {
            "code": self.code,
            "quantity": f"{self.quantity:f}",
            "unit_minor": self.unit_price.minor,
            "total_minor": self.total.minor,
            **({"note": self.note} if self.note else {}),
            **({"about": dict(self.about)} if self.about else {}),
        }


EXTRA_PERS = ("free", "booking", "hour", "day")


@dataclass(frozen=True)
class ExtraTerms:
    """What a piece of equipment costs: `per` booking, elapsed hour or local day touched, or nothing; tax included."""

    extra_id: int
    names: Mapping[str, str]
    per: str
    amount: Money
    vat_basis_points: int

    def line(self, pieces: int, during: Span, zone: ZoneInfo) -> Line:
        """So many pieces for this time."""
        quantity = Decimal(1)
        if self.per == "hour":
            quantity = hours_of(during.length)
        elif self.per == "day":
            quantity = Decimal(len(local_days(during, zone)))
        about = {
            "extra": self.extra_id,
            "pieces": pieces,
            "names": dict(self.names),
            "vat_basis_points": self.vat_basis_points,
        }
        total = self.amount.times(quantity * pieces)
        return Line(f"extra_{self.per}", quantity, self.amount, total, about=about)


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
    "kept": N_("Kept of the price before the change"),
    "waived": N_("Free of charge by decision"),
    "free": N_("Free of charge"),
    "tariff_once": N_("Use of the area: %(price)s"),
    "tariff_day": N_("Use of the area: %(quantity)s d × %(price)s"),
    "tariff_week": N_("Use of the area: %(quantity)s weeks × %(price)s"),
    "tariff_month": N_("Use of the area: %(quantity)s months × %(price)s"),
    "tariff_billed_month": N_("Use of the area: %(quantity)s months × %(price)s"),
    "tariff_year": N_("Use of the area: %(quantity)s years × %(price)s"),
    "tariff_build": N_("Build and tear-down days: %(quantity)s d × %(price)s"),
    "tariff_eco": N_("Eco event, 30 per cent less"),
    "tariff_vat": N_("VAT %(rate)s %%"),
    "extra_free": N_("%(pieces)s × %(name)s, free of charge"),
    "extra_booking": N_("%(pieces)s × %(name)s, %(price)s each"),
    "extra_hour": N_("%(pieces)s × %(name)s, %(quantity)s h × %(price)s"),
    "extra_day": N_("%(pieces)s × %(name)s, %(quantity)s d × %(price)s"),
}
NOTE_TEXTS = {
    "time": N_("price of this time"),
    "resident": N_("price for residents"),
    "association": N_("price for associations"),
    "youth": N_("price for youth work"),
    "company": N_("price for companies"),
    # Natures of the use of an outdoor area.
    "PUBLIC_FREE": N_("open to everyone, free entry"),
    "PUBLIC_NONFREE": N_("open to everyone, entry costs"),
    "CLOSED": N_("closed event, for those invited"),
    "PROMOTION": N_("promotion or selling"),
    "BIG_EVENT": N_("big event"),
}


def text_of_line(code: str, quantity: Decimal) -> str:
    """The untranslated text of a line; one day is not "1 days"."""
    return LINE_TEXTS["day" if code == "days" and quantity == 1 else code]


@dataclass(frozen=True)
class Quote:
    """Lines that add up to `total`, and the tax inside it; no one rate where parts are taxed at different ones."""

    lines: tuple[Line, ...]
    total: Money
    vat: Money
    vat_basis_points: int | None
    kept_percent: int = 100  # what a late cancellation costs of it
    cancel: CancelTerms = NO_STEPS
    # The rate of the space's own lines, whatever equipment is taxed at; None where nobody needs it.
    own_vat_basis_points: int | None = field(default=None, compare=False)


def quote(
    terms: PriceTerms,
    during: Span,
    zone: ZoneInfo,
    *,
    group: str = "resident",
    discount: Discount | None = None,
    build: BuildDays = NO_BUILD_DAYS,
    use: OutdoorUse | None = None,
) -> Quote:
    """The price of this time. Hours are elapsed hours, so a night when the clocks change costs what it lasts; slots are
    the started ones; days are the local dates touched; a price for a booking is that of its first moment.

    By the tariff without a `use`, it is the least that this time can cost. Raises NoArea where the chosen use goes by
    area and none is known.
    """
    if terms.per == "tariff":
        found = tariff_quote(terms, during, zone, use=use, discount=discount, build=build)
        return replace(found, kept_percent=terms.kept_percent, cancel=terms.cancel)
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
    rate = terms.vat_basis_points
    return Quote(tuple(lines), total, total.vat_included(rate), rate, terms.kept_percent, terms.cancel)


def asks_build(terms: PriceTerms, days: int) -> bool:
    """Whether a booking over so many local days may say which of them only build up and tear down."""
    return terms.build_percent < 100 and days > 1


def asks_each_time(terms: PriceTerms, days: int) -> bool:
    """Whether the price follows from what is told of this one time: the use of an outdoor area, or its build days. Such
    times are booked one by one."""
    return terms.per == "tariff" or asks_build(terms, days)


def at_least(price: Quote, minor: int) -> Quote:
    """The same price, filled up to `minor` by a line of its own where it is less."""
    if price.total.minor >= minor:
        return price
    missing = Money(minor, price.total.currency) - price.total
    lines = [line for line in price.lines if line.code != "free"]
    total = price.total + missing
    rate = price.vat_basis_points
    # Where several rates were mixed, what is kept has the tax of none of them.
    vat = total.vat_included(rate) if rate is not None else price.vat
    line = Line("kept", Decimal(1), missing, missing)
    return replace(price, lines=(*lines, line), total=total, vat=vat)


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


def with_extras(cost: Quote, wanted: Sequence[tuple[ExtraTerms, int]], during: Span, zone: ZoneInfo) -> Quote:
    """The quote with a line for each kind of equipment and so many pieces of it, each taxed at its own rate."""
    for terms, pieces in wanted:
        line = terms.line(pieces, during, zone)
        rate = cost.vat_basis_points
        if line.total:
            rate = terms.vat_basis_points if not cost.total or rate == terms.vat_basis_points else None
        cost = replace(
            cost,
            lines=(*cost.lines, line),
            total=cost.total + line.total,
            vat=cost.vat + line.total.vat_included(terms.vat_basis_points),
            vat_basis_points=rate,
        )
    return cost


def tariff_quote(
    terms: PriceTerms,
    during: Span,
    zone: ZoneInfo,
    *,
    use: OutdoorUse | None,
    discount: Discount | None,
    build: BuildDays,
) -> Quote:
    """Allu's sum, then what a code takes off it, then the tax."""
    currency = terms.amount.currency
    days = local_days(during, zone)
    period = Period(days[build.before], days[-1 - build.after], build.before + build.after)
    row = chosen_row(terms, use)
    area = use.area_m2 if use and use.area_m2 is not None else terms.area_m2
    if area is None and row.unit_m2 is not None:
        if use is not None:
            raise NoArea(row.key)
        area = row.step_m2
    found = outdoor_quote(row, period, area_m2=area, eco=bool(use and use.eco))
    about = {"area_m2": f"{area:f}"} if area is not None and row.unit_m2 is not None else {}
    note = row.key if len(terms.tariffs) > 1 else ""
    lines = []
    for part in found.lines:
        code = f"tariff_{row.per}" if part.code == "use" else f"tariff_{part.code}"
        unit = Money(rounded(part.unit_hundredths), currency)
        total = Money(part.total_minor, currency)
        is_use = part.code == "use"
        lines.append(
            Line(code, Decimal(part.units), unit, total, note if is_use else "", about if is_use else {})
        )
    net = Money(found.total_minor, currency)
    if discount is not None and (off := discount.off(net)):
        lines.append(Line("discount", Decimal(1), -off, -off, discount.code))
        net -= off
    vat = Money(round_half_up(Decimal(net.minor) * terms.vat_basis_points / 10000), currency)
    if vat:
        lines.append(Line("tariff_vat", Decimal(1), vat, vat, about={"rate": terms.vat_basis_points / 100}))
    return Quote(tuple(lines), net + vat, vat, terms.vat_basis_points)


def chosen_row(terms: PriceTerms, use: OutdoorUse | None) -> Tariff:
    """The row of the use's nature; of a use that nobody has told yet, the cheapest. Raises KeyError for a nature that
    cannot be chosen here."""
    if len(terms.tariffs) == 1:
        return terms.tariffs[0]
    if use is not None and use.nature:
        return {row.key: row for row in terms.tariffs}[use.nature]
    return min(terms.tariffs, key=lambda row: rate_minor(row, terms.area_m2))


def rate_minor(row: Tariff, area_m2: Decimal | None) -> int:
    """What the row costs for one day, week, month or year on the whole area, without tax; on one unit of area where
    the area is not known."""
    units = Decimal(1)
    if row.unit_m2 is not None and row.step_m2 is not None:
        units = units_of_area(row, area_m2 if area_m2 is not None else row.step_m2) or Decimal(1)
    return rounded(row.charge * units)


def by_tariff(terms: PriceTerms) -> PriceTerms:
    """The terms with the amount that the search shows: the least of a unit of time, tax added, and with the share of a
    build day."""
    net = min(rate_minor(row, terms.area_m2) for row in terms.tariffs)
    gross = net + round_half_up(Decimal(net) * terms.vat_basis_points / 10000)
    builds = [row.build_percent for row in terms.tariffs if row.per == "day"]
    return replace(terms, amount=Money(gross, terms.amount.currency), build_percent=min(builds, default=100))
