"""The price in force, price lists, customer groups and discount codes."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import Select, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City, VatRate
from marketplace.money import Money
from spaces.pricing.cancelling import CancelTerms
from spaces.pricing.lists import PriceList
from spaces.pricing.models import (
    DiscountCode,
    DiscountUse,
    OrganisationGroup,
    OutdoorTariff,
    Price,
    PriceVariation,
)
from spaces.pricing.outdoor import EVENT, Tariff, TariffChoice
from spaces.pricing.rules import GROUP_OF_KIND, Discount, PriceTerms, Variation, by_tariff
from spaces.pricing.ways import in_order

Value = TypeVar("Value")

# Uses of the tariff that a space can be let for; digging up a street is none.
SPACE_USES = (EVENT, "SHORT_TERM_RENTAL", "AREA_RENTAL")
# Fees for handling a matter are no price of a space.
FEES = "%HANDLING\\_FEE%"

PRICES = text("""
    SELECT p.space_id, p.per, p.amount_minor, coalesce(v.basis_points, 0), p.slot_minutes, p.minimum_minor,
        p.build_percent,
        CASE WHEN p.per IN ('m2_day', 'tariff')
            THEN (SELECT s.area_m2 FROM space s WHERE s.city_id = p.city_id AND s.id = p.space_id) END,
        CASE WHEN p.per = 'tariff' THEN ARRAY[p.tariff_source, p.tariff_use, p.tariff_key, p.tariff_place,
            p.tariff_surface, p.tariff_class] END,
        (SELECT jsonb_agg(jsonb_build_array(w.amount_minor, w.group_code, w.days, w.from_minute, w.to_minute)
                          ORDER BY w.position)
         FROM price_variation w
         WHERE w.city_id = p.city_id AND w.space_id = p.space_id AND w.valid_from = p.valid_from),
        p.kept_percent, p.ways, p.cancel_tiers, p.cancel_fee_minor, p.refund_if_rebooked
    FROM (
        SELECT DISTINCT ON (space_id) * FROM price
        WHERE city_id = :city_id AND space_id = ANY(:space_ids) AND valid_from <= :day
        ORDER BY space_id, valid_from DESC
    ) p
    LEFT JOIN LATERAL (
        SELECT basis_points FROM vat_rate
        WHERE city_id = p.city_id AND code = p.vat_code AND valid_from <= :day
        ORDER BY valid_from DESC LIMIT 1
    ) v ON true
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)))


def prices_on(session: Session, city: City, space_ids: Sequence[int], day: date) -> dict[int, PriceTerms]:
    """The price of each space for a booking that begins on `day`; a space without any price is not in the answer, nor is
    one that is sold by an area that nobody knows, or by a tariff that has no such row."""
    rows = session.execute(PRICES, {"city_id": city.id, "space_ids": list(space_ids), "day": day}).all()
    found = {
        space_id: PriceTerms(
            per,
            Money(amount, city.currency),
            basis_points,
            slot_minutes,
            minimum,
            build_percent,
            Decimal(str(area)) if area is not None else None,
            tuple(
                Variation(minor, group, frozenset(days), *minutes)
                for minor, group, days, *minutes in varied or ()
            ),
            kept_percent=kept,
            ways=in_order(ways),
            cancel=CancelTerms.of_columns(*cancel),
        )
        for (
            space_id,
            per,
            amount,
            basis_points,
            slot_minutes,
            minimum,
            build_percent,
            area,
            _,
            varied,
            kept,
            ways,
            *cancel,
        ) in rows
        if per != "m2_day" or area is not None
    }
    choices = {row.space_id: TariffChoice(*row[8]) for row in rows if row.per == "tariff"}
    if choices:
        found |= with_tariffs(session, city.id, {id_: found.pop(id_) for id_ in choices}, choices, day)
    return found


def with_tariffs(
    session: Session,
    city_id: int,
    terms: Mapping[int, PriceTerms],
    choices: Mapping[int, TariffChoice],
    day: date,
) -> dict[int, PriceTerms]:
    """These terms with the rows of the city's tariff that they name; those without any left out. One statement."""
    tariffs = tariffs_for(session, city_id, choices.values(), day)
    found = {}
    for space_id, choice in choices.items():
        one = terms[space_id]
        if rows := choice.rows(tariffs.get(choice.source, ()), day, one.area_m2):
            found[space_id] = by_tariff(replace(one, tariffs=rows))
    return found


def tariffs_for(
    session: Session, city_id: int, choices: Iterable[TariffChoice], day: date
) -> dict[str, list[Tariff]]:
    """The rows of the city's tariffs in force on this day that these choices may name, by source."""
    wanted = list(choices)
    found: dict[str, list[Tariff]] = {}
    for row in session.scalars(
        select(OutdoorTariff)
        .where(
            OutdoorTariff.city_id == city_id,
            OutdoorTariff.source.in_({one.source for one in wanted}),
            OutdoorTariff.use.in_({one.use for one in wanted}),
            OutdoorTariff.place.in_({"", *(one.place for one in wanted)}),
            OutdoorTariff.key.not_like(FEES),
            OutdoorTariff.valid_from <= day,
            (OutdoorTariff.valid_until.is_(None)) | (OutdoorTariff.valid_until > day),
        )
        .order_by(OutdoorTariff.id)
    ):
        found.setdefault(row.source, []).append(tariff_of(row))
    return found


def tariff_of(row: OutdoorTariff) -> Tariff:
    """A row as a plain value."""
    return Tariff(**{field.name: getattr(row, field.name) for field in fields(Tariff)})


def choices_on(session: Session, city_id: int, day: date) -> list[TariffChoice]:
    """What a space can be priced by: events at each place and surface, whose nature the booker tells, and every other
    use by time."""
    rows = session.execute(
        select(
            OutdoorTariff.source,
            OutdoorTariff.use,
            OutdoorTariff.key,
            OutdoorTariff.place,
            OutdoorTariff.surface,
            OutdoorTariff.payment_class,
        )
        .where(
            OutdoorTariff.city_id == city_id,
            OutdoorTariff.use.in_(SPACE_USES),
            OutdoorTariff.valid_from <= day,
            (OutdoorTariff.valid_until.is_(None)) | (OutdoorTariff.valid_until > day),
            OutdoorTariff.key.not_like(FEES),
        )
        .order_by(OutdoorTariff.source, OutdoorTariff.use, OutdoorTariff.place, OutdoorTariff.surface)
    )
    found: dict[TariffChoice, None] = {}
    for source, use, key, *rest in rows:
        found[TariffChoice(source, use, "" if use == EVENT else key, *rest)] = None
    return sorted(
        found,
        key=lambda one: (
            one.source,
            one.use,
            place_order(one.place),
            one.surface,
            one.key,
            one.payment_class,
        ),
    )


def place_order(place: str) -> tuple[str, int]:
    """zone-2 before zone-10."""
    kind, _, number = place.rpartition("-")
    return kind, int(number) if number.isdigit() else 0


def choice_of(price: Price) -> TariffChoice | None:
    if price.per != "tariff":
        return None
    return TariffChoice(
        price.tariff_source, price.tariff_use, price.tariff_key,
        price.tariff_place, price.tariff_surface, price.tariff_class,
    )  # fmt: skip


def price_on(session: Session, city: City, space_id: int, day: date) -> PriceTerms | None:
    return prices_on(session, city, [space_id], day).get(space_id)


def prices_by_day(
    session: Session, city: City, space_id: int, days: Collection[date]
) -> dict[date, PriceTerms | None]:
    """The price of one space for bookings that begin on each of these days; asked once for each stretch of days in which
    neither its price list nor a tax rate changes."""
    if not days:
        return {}
    first, last = min(days), max(days)
    changes = session.scalars(
        select(Price.valid_from)
        .where(
            Price.city_id == city.id,
            Price.space_id == space_id,
            Price.valid_from > first,
            Price.valid_from <= last,
        )
        .union(tax_changes(city, first, last))
    ).all()
    return in_stretches(days, changes, lambda day: price_on(session, city, space_id, day))


def tax_changes(city: City, first: date, last: date) -> Select[date]:
    """The days after the first one on which one of the city's tax rates changes."""
    return select(VatRate.valid_from).where(
        VatRate.city_id == city.id, VatRate.valid_from > first, VatRate.valid_from <= last
    )


def in_stretches(
    days: Collection[date], changes: Iterable[date], value_on: Callable[[date], Value]
) -> dict[date, Value]:
    """What holds on each of these days, asked for once from each change to the next."""
    stretches = sorted({min(days), *changes})
    values = {start: value_on(start) for start in stretches}
    return {day: values[stretches[bisect_right(stretches, day) - 1]] for day in days}


def groups_of(session: Session, city_id: int, organisation_ids: Collection[int]) -> dict[int, str]:
    """The customer group of each organisation: the one the city gave it, else by its kind, else that of residents."""
    if not organisation_ids:
        return {}
    rows = session.execute(
        select(Organisation.id, Organisation.kind, OrganisationGroup.group_code)
        .outerjoin(
            OrganisationGroup,
            (OrganisationGroup.city_id == Organisation.city_id)
            & (OrganisationGroup.organisation_id == Organisation.id),
        )
        .where(Organisation.city_id == city_id, Organisation.id.in_(organisation_ids))
    )
    return {id_: given or GROUP_OF_KIND.get(kind, "resident") for id_, kind, given in rows}


def discount_of_holder(session: Session, city_id: int, holder_id: int) -> Discount | None:
    """The discount that this holder has been granted, whatever has become of its code."""
    return discounts_of_holders(session, city_id, [holder_id]).get(holder_id)


def discounts_of_holders(session: Session, city_id: int, holder_ids: Collection[int]) -> dict[int, Discount]:
    """The same for many at once; a holder without any is not in the answer."""
    rows = session.execute(
        select(DiscountUse.holder_id, DiscountCode)
        .join(
            DiscountCode,
            (DiscountCode.city_id == DiscountUse.city_id) & (DiscountCode.id == DiscountUse.code_id),
        )
        .where(DiscountUse.city_id == city_id, DiscountUse.holder_id.in_(list(holder_ids)))
    )
    return {holder_id: Discount(code.code, code.percent, code.amount_minor) for holder_id, code in rows}


def uses_left(session: Session, city_id: int, space_id: int, word: str) -> int | None:
    """How many more bookings can use this code; None where that is not limited."""
    code = code_named(session, city_id, space_id, word)
    if code is None or code.max_uses is None:
        return None
    return max(0, code.max_uses - code.uses)


def group_for(session: Session, city_id: int, terms: PriceTerms, organisation_id: int | None) -> str:
    """The group that a booking for this organisation, or for oneself, is priced for; asked only where it matters."""
    return group_of_prices(session, city_id, [terms], organisation_id)


def group_of_prices(
    session: Session, city_id: int, terms: Collection[PriceTerms], organisation_id: int | None
) -> str:
    """As `group_for`, for the prices of many spaces at once."""
    if organisation_id is None or not any(one.varies_by_group for one in terms):
        return "resident"
    return groups_of(session, city_id, [organisation_id]).get(organisation_id, "resident")


def price_lists_of(session: Session, city_id: int, space_id: int) -> list[PriceList]:
    """All lists of a space, the latest first."""
    return lists_of_spaces(session, city_id, [space_id]).get(space_id, [])


def lists_of_spaces(session: Session, city_id: int, space_ids: Collection[int]) -> dict[int, list[PriceList]]:
    """All lists of each of these spaces, the latest first; a space without any is not in the answer."""
    prices = session.scalars(
        select(Price)
        .where(Price.city_id == city_id, Price.space_id.in_(space_ids))
        .order_by(Price.valid_from.desc())
        .execution_options(populate_existing=True)
    ).all()
    rows: dict[tuple[int, date], list[Variation]] = {}
    for row in session.scalars(
        select(PriceVariation)
        .where(PriceVariation.city_id == city_id, PriceVariation.space_id.in_(space_ids))
        .order_by(PriceVariation.position)
        .execution_options(populate_existing=True)
    ):
        rows.setdefault((row.space_id, row.valid_from), []).append(
            Variation(row.amount_minor, row.group_code, frozenset(row.days), row.from_minute, row.to_minute)
        )
    found: dict[int, list[PriceList]] = {}
    for price in prices:
        found.setdefault(price.space_id, []).append(
            PriceList(
                valid_from=price.valid_from,
                per=price.per,
                amount_minor=price.amount_minor,
                slot_minutes=price.slot_minutes,
                minimum_minor=price.minimum_minor,
                build_percent=price.build_percent,
                kept_percent=price.kept_percent,
                cancel=CancelTerms.of_columns(
                    price.cancel_tiers, price.cancel_fee_minor, price.refund_if_rebooked
                ),
                ways=in_order(price.ways),
                vat_code=price.vat_code,
                rows=tuple(rows.get((price.space_id, price.valid_from), ())),
                tariff=choice_of(price),
            )
        )
    return found


def vat_rates_on(session: Session, city_id: int, day: date) -> dict[str, int]:
    """The rate of each code of the city in force on this day, in hundredths of a per cent."""
    rows = session.execute(
        select(VatRate.code, VatRate.basis_points)
        .where(VatRate.city_id == city_id, VatRate.valid_from <= day)
        .order_by(VatRate.code, VatRate.valid_from)
    )
    # A code's later rate comes later, and stays.
    return {code: basis_points for code, basis_points in rows}


def codes_of(session: Session, city_id: int, space_id: int) -> Sequence[DiscountCode]:
    """The discount codes of a space, the newest first."""
    return session.scalars(
        select(DiscountCode)
        .where(DiscountCode.city_id == city_id, DiscountCode.space_id == space_id)
        .order_by(DiscountCode.valid_from.desc(), DiscountCode.id.desc())
    ).all()


def code_named(session: Session, city_id: int, space_id: int, word: str) -> DiscountCode | None:
    """The code of this space by its word, however it is written."""
    return session.scalar(
        select(DiscountCode).where(
            DiscountCode.city_id == city_id,
            DiscountCode.space_id == space_id,
            DiscountCode.code == word.strip().upper(),
        )
    )


def has_codes(session: Session, city_id: int, space_id: int, day: date) -> bool:
    """Whether a booking made today could use some code."""
    found = session.scalar(
        select(DiscountCode.id)
        .where(
            DiscountCode.city_id == city_id,
            DiscountCode.space_id == space_id,
            DiscountCode.valid_from <= day,
            (DiscountCode.valid_until.is_(None)) | (DiscountCode.valid_until >= day),
        )
        .limit(1)
    )
    return found is not None


def outdoor_tariffs_on(
    session: Session, city_id: int, day: date, *, place: str | None = None
) -> list[Tariff]:
    """The rows of the outdoor tariff in force on this day, all or those of one place."""
    chosen = select(OutdoorTariff).where(
        OutdoorTariff.city_id == city_id,
        OutdoorTariff.valid_from <= day,
        (OutdoorTariff.valid_until.is_(None)) | (OutdoorTariff.valid_until > day),
    )
    if place is not None:
        chosen = chosen.where(OutdoorTariff.place == place)
    return [tariff_of(row) for row in session.scalars(chosen.order_by(OutdoorTariff.id))]
