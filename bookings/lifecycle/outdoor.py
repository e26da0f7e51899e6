"""The use of an outdoor area that is priced by the city's tariff: what must be told, and what is kept of it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bookings.lifecycle.errors import OutdoorUseWrong
from marketplace.errors import N_, FieldError
from spaces.pricing.outdoor import EVENT
from spaces.pricing.rules import NO_BUILD_DAYS, BuildDays, OutdoorUse, PriceTerms

LARGEST_M2 = Decimal(10_000_000)


def asks_nature(terms: PriceTerms) -> bool:
    """Whether the booker chooses among rows of the tariff."""
    return len(terms.tariffs) > 1


def asks_eco(terms: PriceTerms) -> bool:
    """Whether an eco event costs less: of events only."""
    return any(row.use == EVENT for row in terms.tariffs)


def checked_use(terms: PriceTerms, use: OutdoorUse | None, *, whole: bool = False) -> OutdoorUse | None:
    """The use as it is priced: None where the space is not priced by the tariff, or nothing has been told yet.

    Raises OutdoorUseWrong for what cannot be; with `whole` also for what is missing.
    """
    if terms.per != "tariff":
        return None
    told = use or OutdoorUse()
    wrong = list(faults(terms, told, whole=whole))
    if wrong:
        raise OutdoorUseWrong(*wrong)
    if not whole and (use is None or (use.area_m2 is None and needs_area(terms))):
        return None
    nature = told.nature if asks_nature(terms) else ""
    area = told.area_m2 if told.area_m2 is not None else terms.area_m2
    return OutdoorUse(nature, area, told.eco and asks_eco(terms))


def faults(terms: PriceTerms, use: OutdoorUse, *, whole: bool) -> Iterator[FieldError]:
    keys = {row.key for row in terms.tariffs}
    if asks_nature(terms) and use.nature not in keys and (use.nature or whole):
        yield FieldError("nature", "no-nature", N_("Choose what the use is like."))
    most = terms.area_m2 if terms.area_m2 is not None else LARGEST_M2
    if use.area_m2 is not None and not 0 < use.area_m2 <= most:
        text = N_("Give an area from 1 to %(most)s m².")
        yield FieldError("area_m2", "odd-area", text, (("most", f"{most.normalize():f}"),))
    elif whole and use.area_m2 is None and needs_area(terms):
        yield FieldError("area_m2", "no-area", N_("Give the area that you use."))


def needs_area(terms: PriceTerms) -> bool:
    """Whether only the booker can tell the area that the price goes by."""
    return terms.area_m2 is None and any(row.unit_m2 is not None for row in terms.tariffs)


def kept_use(use: OutdoorUse | None, build: BuildDays) -> dict[str, Any]:
    """What the booking keeps: the use, where there is one, and the days that only build up or tear down."""
    days = {"build_before": build.before, "build_after": build.after}
    return {**(use.as_json() if use else {}), **(days if use or build != NO_BUILD_DAYS else {})}
