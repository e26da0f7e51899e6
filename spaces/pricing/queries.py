"""The price in force, price lists, customer groups and discount codes."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City, VatRate
from marketplace.money import Money
from spaces.pricing.lists import PriceList
from spaces.pricing.models import DiscountCode, OrganisationGroup, OutdoorTariff, Price, PriceVariation
from spaces.pricing.outdoor import Tariff
from spaces.pricing.rules import GROUP_OF_KIND, PriceTerms, Variation

PRICES = text("""
    SELECT p.space_id, p.per, p.amount_minor, coalesce(v.basis_points, 0), p.slot_minutes, p.minimum_minor,
        p.build_percent,
        CASE WHEN p.per = 'm2_day'
            THEN (SELECT s.area_m2 FROM space s WHERE s.city_id = p.city_id AND s.id = p.space_id) END,
        (SELECT jsonb_agg(jsonb_build_array(w.amount_minor, w.group_code, w.days, w.from_minute, w.to_minute)
                          ORDER BY w.position)
         FROM price_variation w
         WHERE w.city_id = p.city_id AND w.space_id = p.space_id AND w.valid_from = p.valid_from)
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
    one that is sold by an area that nobody knows."""
    rows = session.execute(PRICES, {"city_id": city.id, "space_ids": list(space_ids), "day": day})
    return {
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
        )
        for space_id, per, amount, basis_points, slot_minutes, minimum, build_percent, area, varied in rows
        if per != "m2_day" or area is not None
    }


def price_on(session: Session, city: City, space_id: int, day: date) -> PriceTerms | None:
    return prices_on(session, city, [space_id], day).get(space_id)


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


def group_for(session: Session, city_id: int, terms: PriceTerms, organisation_id: int | None) -> str:
    """The group that a booking for this organisation, or for oneself, is priced for; asked only where it matters."""
    if organisation_id is None or not terms.varies_by_group:
        return "resident"
    return groups_of(session, city_id, [organisation_id]).get(organisation_id, "resident")


def price_lists_of(session: Session, city_id: int, space_id: int) -> list[PriceList]:
    """All lists of a space, the latest first."""
    prices = session.scalars(
        select(Price)
        .where(Price.city_id == city_id, Price.space_id == space_id)
        .order_by(Price.valid_from.desc())
        .execution_options(populate_existing=True)
    ).all()
    rows: dict[date, list[Variation]] = {}
    for row in session.scalars(
        select(PriceVariation)
        .where(PriceVariation.city_id == city_id, PriceVariation.space_id == space_id)
        .order_by(PriceVariation.position)
        .execution_options(populate_existing=True)
    ):
        rows.setdefault(row.valid_from, []).append(
            Variation(row.amount_minor, row.group_code, frozenset(row.days), row.from_minute, row.to_minute)
        )
    return [
        PriceList(
            valid_from=price.valid_from,
            per=price.per,
            amount_minor=price.amount_minor,
            slot_minutes=price.slot_minutes,
            minimum_minor=price.minimum_minor,
            build_percent=price.build_percent,
            vat_code=price.vat_code,
            rows=tuple(rows.get(price.valid_from, ())),
        )
        for price in prices
    ]


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
    return [
        Tariff(**{field.name: getattr(row, field.name) for field in fields(Tariff)})
        for row in session.scalars(chosen.order_by(OutdoorTariff.id))
    ]
