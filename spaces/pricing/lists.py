"""A price list as plain values, and what makes one wrong: rows that contradict each other, a time without a price."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from marketplace.errors import N_, FieldError
from marketplace.money import Money
from spaces.pricing.cancelling import NO_STEPS, CancelTerms, terms_faults, tidy_terms
from spaces.pricing.outdoor import Tariff, TariffChoice
from spaces.pricing.rules import CUSTOMER_GROUPS, DAY_MINUTES, WEEK, PriceTerms, Variation, by_tariff
from spaces.pricing.ways import USUAL_WAYS, in_order

MOST_MINOR = 10_000_000
MOST_ROWS = 40
PERS = ("free", "hour", "slot", "day", "fixed", "m2_day", "tariff")
BY_DAY = frozenset({"day", "m2_day"})


@dataclass(frozen=True)
class PriceList:
    """A list as its owner writes it. `amount_minor` None: the rows alone are to cover the week. By the city's tariff it
    is the least of a day or other unit of time, and follows from the chosen rows."""

    valid_from: date
    per: str
    amount_minor: int | None
    slot_minutes: int | None = None
    minimum_minor: int = 0
    build_percent: int = 100
    vat_code: str = "standard"
    rows: tuple[Variation, ...] = ()
    tariff: TariffChoice | None = None
    kept_percent: int = 100
    cancel: CancelTerms = NO_STEPS
    ways: tuple[str, ...] = USUAL_WAYS  # of paying

    @property
    def base_minor(self) -> int:
        """The amount of the base row, which is what the search shows: the cheapest of the week where there is no other."""
        if self.amount_minor is not None:
            return self.amount_minor
        return min((row.amount_minor for row in self.rows if row.group is None), default=0)

    def terms(
        self,
        currency: str,
        vat_basis_points: int,
        area_m2: float | None,
        tariffs: tuple[Tariff, ...] = (),
    ) -> PriceTerms:
        """The list as `quote` takes it; by the city's tariff with the chosen rows."""
        terms = PriceTerms(
            self.per,
            Money(self.base_minor, currency),
            vat_basis_points,
            self.slot_minutes,
            self.minimum_minor,
            self.build_percent,
            Decimal(str(area_m2)) if area_m2 is not None else None,
            self.rows,
            tariffs,
            self.kept_percent,
            self.cancel,
            self.ways,
        )
        return by_tariff(terms) if tariffs else terms

    def as_json(self) -> dict[str, Any]:
        """The list as the audit trail keeps it."""
        return {
            "valid_from": self.valid_from.isoformat(),
            "per": self.per,
            "amount_minor": self.base_minor,
            "slot_minutes": self.slot_minutes,
            "minimum_minor": self.minimum_minor,
            "build_percent": self.build_percent,
            "kept_percent": self.kept_percent,
            **(self.cancel.as_json() if self.cancel != NO_STEPS else {}),
            "vat_code": self.vat_code,
            **({"ways": list(self.ways)} if self.ways != USUAL_WAYS else {}),
            **({"tariff": self.tariff.code} if self.tariff else {}),
            "rows": [
                {
                    "group": row.group,
                    "days": sorted(row.days),
                    "from_minute": row.from_minute,
                    "to_minute": row.to_minute,
                    "amount_minor": row.amount_minor,
                }
                for row in self.rows
            ],
        }


def tidy(list_: PriceList) -> PriceList:
    """Without what its kind does not use, so that a hidden field of a form cannot matter."""
    if list_.per == "free":
        return PriceList(list_.valid_from, "free", 0, vat_code=list_.vat_code)
    list_ = with_tidy_steps(list_)
    if list_.per == "tariff":
        return PriceList(
            list_.valid_from,
            "tariff",
            0,
            vat_code=list_.vat_code,
            tariff=list_.tariff,
            kept_percent=list_.kept_percent,
            cancel=list_.cancel,
            ways=list_.ways,
        )
    return replace(
        list_,
        tariff=None,
        slot_minutes=list_.slot_minutes if list_.per == "slot" else None,
        build_percent=list_.build_percent if list_.per in BY_DAY else 100,
    )


def with_tidy_steps(list_: PriceList) -> PriceList:
    """With steps, the one share is that of the last of them, so that who reads it alone reads what is kept at most."""
    cancel = tidy_terms(list_.cancel)
    kept = cancel.tiers[-1].kept_percent if cancel.tiers else list_.kept_percent
    return replace(list_, cancel=cancel, kept_percent=kept)


def faults(list_: PriceList, *, has_area: bool) -> Iterator[FieldError]:
    """All that is wrong with a tidy list, each with its place. Values named day, start, end and group are codes: a
    weekday's ISO number, minutes from midnight, a customer group or "everyone"."""
    if list_.per not in PERS:
        yield FieldError("per", "unknown-per", N_("Choose what the price is for."))
        return
    if list_.per == "free":
        return
    if not 0 <= list_.kept_percent <= 100:
        yield FieldError("kept_percent", "odd-share", N_("Give a share from 0 to 100."))
    yield from terms_faults(list_.cancel)
    if not list_.ways or in_order(list_.ways) != list_.ways:
        yield FieldError("ways", "no-way", N_("Choose at least one way of paying."))
    if list_.per == "tariff":
        if list_.tariff is None:
            yield FieldError("tariff", "no-tariff", N_("Choose what the tariff is for."))
        return
    if list_.per == "slot" and not (list_.slot_minutes and 5 <= list_.slot_minutes <= DAY_MINUTES):
        yield FieldError("slot_minutes", "odd-slot", N_("Give the length of a slot, 5 to 1,440 minutes."))
    if list_.per == "m2_day" and not has_area:
        yield FieldError(
            "per", "no-area", N_("The area of this space is not known. Give it among the facts first.")
        )
    if list_.amount_minor is not None and not 0 <= list_.amount_minor <= MOST_MINOR:
        yield FieldError("amount", "odd-amount", N_("Give an amount from 0 to 100,000."))
    if not 0 <= list_.minimum_minor <= MOST_MINOR:
        yield FieldError("minimum", "odd-amount", N_("Give an amount from 0 to 100,000."))
    if not 0 <= list_.build_percent <= 100:
        yield FieldError("build_percent", "odd-share", N_("Give a share from 0 to 100."))
    if len(list_.rows) > MOST_ROWS:
        yield FieldError("rows", "too-many-rows", N_("A list has at most 40 rows."))
        return
    yield from row_faults(list_)
    yield from contradictions(list_.rows)
    if list_.amount_minor is None:
        yield from gaps(list_.rows)
    if list_.amount_minor == 0 and not any(row.amount_minor for row in list_.rows):
        yield FieldError("amount", "all-free", N_("Every price is 0. Choose “free of charge” instead."))


def row_faults(list_: PriceList) -> Iterator[FieldError]:
    for n, row in enumerate(list_.rows, 1):
        where, field = (("row", n),), f"row-{n}"
        if row.group is not None and row.group not in CUSTOMER_GROUPS:
            yield FieldError(field, "unknown-group", N_("Row %(row)d: choose for whom the price is."), where)
        if not row.days or not row.days <= WEEK:
            yield FieldError(field, "no-days", N_("Row %(row)d: choose the days."), where)
        if not 0 <= row.from_minute < row.to_minute <= DAY_MINUTES:
            yield FieldError(
                field, "odd-times", N_("Row %(row)d: the end must be later than the beginning."), where
            )
        elif list_.per in BY_DAY and (row.from_minute, row.to_minute) != (0, DAY_MINUTES):
            yield FieldError(
                field,
                "whole-days",
                N_("Row %(row)d: a price per day holds from 0 to 24, not for a part of the day."),
                where,
            )
        if not 0 <= row.amount_minor <= MOST_MINOR:
            yield FieldError(field, "odd-amount", N_("Row %(row)d: give an amount from 0 to 100,000."), where)


def contradictions(rows: tuple[Variation, ...]) -> Iterator[FieldError]:
    """Two rows that both give the same group a price for the same moment, even the same price."""
    for second, b in enumerate(rows):
        for first, a in enumerate(rows[:second]):
            start, end = max(a.from_minute, b.from_minute), min(a.to_minute, b.to_minute)
            if a.group == b.group and a.days & b.days and start < end:
                yield FieldError(
                    f"row-{second + 1}",
                    "rows-contradict",
                    N_(
                        "Rows %(first)d and %(second)d contradict each other: %(group)s, %(day)s %(start)s–%(end)s."
                    ),
                    (
                        ("first", first + 1),
                        ("second", second + 1),
                        ("group", a.group or "everyone"),
                        ("day", min(a.days & b.days)),
                        ("start", start),
                        ("end", end),
                    ),
                )


def gaps(rows: tuple[Variation, ...]) -> Iterator[FieldError]:
    """The first time of the week that no row for everyone covers."""
    for day in sorted(WEEK):
        reached = 0
        times = sorted((r.from_minute, r.to_minute) for r in rows if r.group is None and day in r.days)
        for start, end in [*times, (DAY_MINUTES, DAY_MINUTES)]:
            if start > reached:
                yield FieldError(
                    "amount",
                    "gap",
                    N_(
                        "There is no price for %(day)s %(start)s–%(end)s. Give the price of other times, or add a row for everyone."
                    ),
                    (("day", day), ("start", reached), ("end", start)),
                )
                return
            reached = max(reached, end)
