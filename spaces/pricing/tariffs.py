"""Tariff files of Helsinki's permit system (Allu): its price tables, and the event prices of its fixed places.

`event_zone_prices` and the places' `base_charge` are in 1/100 cent a day, the `value` of other prices in cents: both
become hundredths of a cent. What each key's price is for (day, started 10 m², ...) is not in the files; it is from Allu's
own pricing classes and stands in UNITS. A file is taken whole or, with a sentence that says where, refused.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from spaces.pricing.errors import TariffsRefused
from spaces.pricing.outdoor import EVENT, HUNDREDTHS, Tariff

SOURCE = "allu"
MOST_BYTES = 50_000_000
NATURES = ("PUBLIC_FREE", "PUBLIC_NONFREE", "CLOSED", "PROMOTION", "BIG_EVENT")
SURFACES = ("HARD", "SOFT")
BIG_EVENT_M2 = Decimal(10_000)
ONE, TEN, PARKLET_STEP = Decimal(1), Decimal(10), Decimal(12)
AREA_UNIT = ("AREA_RENTAL", "AREA_UNIT_M2")
UNDERPASS = ("AREA_RENTAL", "UNDERPASS_DICOUNT_PERCENTAGE")  # Allu's own spelling
# Key: (per, unit m², step m²).
UNITS: dict[str, tuple[str, Decimal | None, Decimal | None]] = {
    "BENJI_DAILY_PRICE": ("day", None, None),
    "BRIDGE_BANNER_WEEKLY_PRICE_COMMERCIAL": ("week", None, None),
    "BRIDGE_BANNER_WEEKLY_PRICE_NONCOMMERCIAL": ("week", None, None),
    "CIRCUS_DAILY_PRICE": ("day", None, None),
    "DOG_TRAINING_EVENT_ASSOCIATION_PRICE": ("once", None, None),
    "DOG_TRAINING_EVENT_COMPANY_PRICE": ("once", None, None),
    "DOG_TRAINING_FIELD_YEARLY_ASSOCIATION": ("year", None, None),
    "DOG_TRAINING_FIELD_YEARLY_COMPANY": ("year", None, None),
    "KESKUSKATU_SALES_TEN_SQM_PRICE": ("day", TEN, TEN),
    "PARKLET": ("billed_month", ONE, PARKLET_STEP),
    "PROMOTION_OR_SALES_MONTHLY": ("month", ONE, ONE),
    "SEASON_SALE_TEN_SQM_PRICE": ("day", TEN, TEN),
    "STORAGE_AREA_MONTHLY_PRICE": ("month", ONE, ONE),
    "SUMMER_TERRACE": ("billed_month", ONE, ONE),
    "SUMMER_THEATER_YEARLY_PRICE": ("month", None, None),  # so it is charged, whatever the key says
    "URBAN_FARMING_TERM_PRICE": ("year", ONE, ONE),
    "WINTER_TERRACE": ("billed_month", ONE, ONE),
    "HANDLING_FEE": ("once", None, None),
    "HANDLING_FEE_GE_6_MONTHS": ("once", None, None),
    "HANDLING_FEE_LT_6_MONTHS": ("once", None, None),
    "HANDLING_FEE_LT_8_DAYS": ("once", None, None),
    "HANDLING_FEE_SELF_SUPERVISION": ("once", None, None),
    "MAJOR_DISTURBANCE_HANDLING_FEE": ("once", None, None),
    "MINOR_DISTURBANCE_HANDLING_FEE": ("once", None, None),
    **dict.fromkeys(
        (
            "SMALL_AREA_DAILY_FEE",
            "MEDIUM_AREA_DAILY_FEE",
            "LARGE_AREA_DAILY_FEE",
            "LESS_THAN_60M2",
            "FROM_60_TO_120M2",
            "FROM_121_TO_250M2",
            "FROM_251_TO_500M2",
            "FROM_501_TO_1000M2",
            "MORE_THAN_1000M2",
        ),
        ("day", None, None),
    ),
}
VALIDITY = re.compile(r"([\[(])(\d{4}-\d{2}-\d{2})?,(\d{4}-\d{2}-\d{2})?\)", re.ASCII)


def read_tariffs(path: Path) -> list[Tariff]:
    """The rows of a price table (JSON) or of fixed places (GeoJSON). Raises TariffsRefused."""
    document = load(path)
    if document.get("type") == "FeatureCollection":
        rows = list(places(document))
    elif "event_zone_prices" in document or "other_prices" in document:
        rows = [*zones(document), *others(document)]
    else:
        raise TariffsRefused("This is neither a price table nor a GeoJSON of fixed places.")
    if not rows:
        raise TariffsRefused("There is no price in this file.")
    check_periods(rows)
    return rows


def load(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MOST_BYTES:
        raise TariffsRefused("The file is larger than 50 MB.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise TariffsRefused(f"The file is not UTF-8: byte {error.start} cannot be read.") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise TariffsRefused(f"The file is not JSON: {error}.") from None
    if not isinstance(document, dict):
        raise TariffsRefused("The file is a JSON list; an object is expected.")
    return document


def rows_of(document: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = document.get(name, [])
    if not isinstance(rows, list):
        raise TariffsRefused(f"{name} is not a list.")
    for n, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise TariffsRefused(f"{name}, row {n} is not an object.")
        yield f"{name}, row {n}", row


def zones(document: dict[str, Any]) -> Iterator[Tariff]:
    """Events by zone, nature and surface."""
    for where, row in rows_of(document, "event_zone_prices"):
        yield event(
            row,
            where,
            place=f"zone-{whole(row, 'zone_id', where)}",
            surface=one_of(row, "surface_hardness", SURFACES, where),
        )


def places(document: dict[str, Any]) -> Iterator[Tariff]:
    """Events by fixed place and nature; the surface does not matter there."""
    for where, feature in rows_of(document, "features"):
        about = feature.get("properties")
        if not isinstance(about, dict):
            raise TariffsRefused(f"{where} has no properties.")
        place = f"place-{whole(about, 'id', where)}"
        for inner, row in rows_of(about, "prices"):
            yield event(row, f"{where}, {inner}", place=place)


def event(row: dict[str, Any], where: str, *, place: str, surface: str = "") -> Tariff:
    nature = one_of(row, "nature", NATURES, where)
    discount = whole(row, "build_discount_percent", where)
    if discount > 100:
        raise TariffsRefused(f"{where}: a build discount of {discount} % is too much.")
    big = BIG_EVENT_M2 if nature == "BIG_EVENT" else None
    return Tariff(
        use=EVENT,
        key=nature,
        charge=whole(row, "base_charge", where),
        per="day",
        place=place,
        surface=surface,
        unit_m2=big,
        step_m2=big,
        # Without a discount of their own, build days are not charged at all.
        build_percent=100 - discount if discount else 0,
    )


def others(document: dict[str, Any]) -> Iterator[Tariff]:
    """All other fees. The unit of area rental and the share of an underpass are rows of the table too."""
    rows = [(where, row, read_key(row, where)) for where, row in rows_of(document, "other_prices")]
    units = [
        (validity(row, where), whole(row, "value", where)) for where, row, key in rows if key == AREA_UNIT
    ]
    for where, row, (use, key) in rows:
        (first, last), value = validity(row, where), whole(row, "value", where)
        if (use, key) in {AREA_UNIT, UNDERPASS}:
            continue
        if (use, key) == ("AREA_RENTAL", "UNIT_PRICE"):
            size = next(
                (Decimal(m2) for (a, b), m2 in units if a <= first and (b is None or first < b) and m2), None
            )
            if size is None:
                raise TariffsRefused(f"{where}: no AREA_UNIT_M2 says how large a unit is on {first}.")
            per, unit, step = by_area_unit(size)
        elif key in UNITS:
            per, unit, step = UNITS[key]
        else:
            raise TariffsRefused(f"{where}: nobody has told what {use} {key} is charged by.")
        yield Tariff(
            use=use,
            key=key,
            charge=value * HUNDREDTHS,
            per=per,
            payment_class=str(row.get("payment_class") or ""),
            valid_from=first,
            valid_until=last,
            unit_m2=unit,
            step_m2=step,
        )


def by_area_unit(size: Decimal) -> tuple[str, Decimal | None, Decimal | None]:
    """Per day and started unit of so many square metres."""
    return "day", size, size


def read_key(row: dict[str, Any], where: str) -> tuple[str, str]:
    use, key = row.get("application_type"), row.get("key")
    if not isinstance(use, str) or not isinstance(key, str):
        raise TariffsRefused(f"{where}: application_type and key must be texts.")
    return use, key


def validity(row: dict[str, Any], where: str) -> tuple[date, date | None]:
    """The range as (first day, first day after); an open beginning is the first day there is."""
    asked = str(row.get("validity", ""))
    match = VALIDITY.fullmatch(asked)
    if match is None:
        raise TariffsRefused(f"{where}: {asked!r} is no range of days.")
    try:
        first = date.fromisoformat(match[2]) if match[2] else date.min
        last = date.fromisoformat(match[3]) if match[3] else None
    except ValueError:
        raise TariffsRefused(f"{where}: {asked!r} names a day that does not exist.") from None
    if last is not None and last <= first:
        raise TariffsRefused(f"{where}: the range {asked!r} is empty.")
    return first, last


def whole(row: dict[str, Any], name: str, where: str) -> int:
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**12:
        raise TariffsRefused(f"{where}: {name} is {value!r}, not a whole number from 0 up.")
    return value


def one_of(row: dict[str, Any], name: str, known: tuple[str, ...], where: str) -> str:
    value = row.get(name)
    if value not in known:
        raise TariffsRefused(f"{where}: {name} is {value!r}, not one of {', '.join(known)}.")
    return str(value)


def check_periods(rows: list[Tariff]) -> None:
    """Two rows that both hold on a day for the same thing contradict each other. Raises TariffsRefused."""
    for one, other in pairwise(sorted(rows, key=lambda row: (*what(row), row.valid_from))):
        if what(one) == what(other) and (one.valid_until is None or one.valid_until > other.valid_from):
            named = " ".join(part for part in what(other) if part)
            raise TariffsRefused(f"{named} has two prices from {other.valid_from} on.")


def what(row: Tariff) -> tuple[str, str, str, str, str]:
    return row.use, row.key, row.place, row.surface, row.payment_class
