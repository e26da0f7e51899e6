"""The price in force."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from marketplace.cities.models import City
from marketplace.money import Money
from spaces.pricing.rules import PriceTerms

PRICES = text("""
    SELECT DISTINCT ON (p.space_id) p.space_id, p.per, p.amount_minor, coalesce(v.basis_points, 0)
    FROM price p
    LEFT JOIN LATERAL (
        SELECT basis_points FROM vat_rate
        WHERE city_id = p.city_id AND code = p.vat_code AND valid_from <= :day
        ORDER BY valid_from DESC LIMIT 1
    ) v ON true
    WHERE p.city_id = :city_id AND p.space_id = ANY(:space_ids) AND p.valid_from <= :day
    ORDER BY p.space_id, p.valid_from DESC
""").bindparams(bindparam("space_ids", type_=ARRAY(BigInteger)))


def prices_on(session: Session, city: City, space_ids: Sequence[int], day: date) -> dict[int, PriceTerms]:
    """The price of each space for a booking that begins on `day`; a space without any price is not in the answer."""
    rows = session.execute(PRICES, {"city_id": city.id, "space_ids": list(space_ids), "day": day})
    return {
        space_id: PriceTerms(per, Money(amount, city.currency), basis_points)
        for space_id, per, amount, basis_points in rows
    }


def price_on(session: Session, city: City, space_id: int, day: date) -> PriceTerms | None:
    return prices_on(session, city, [space_id], day).get(space_id)
