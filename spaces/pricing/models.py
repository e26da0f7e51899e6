"""What a space costs: dated price lists with their variations, discount codes, and the city's tariffs for outdoor areas."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, of_city
from spaces.pricing.rules import CUSTOMER_GROUPS

# What an amount alone can say; the others need a slot's length, or the space's area.
PRICE_PERS = ("free", "hour", "day")
ALL_PRICE_PERS = (*PRICE_PERS, "slot", "fixed", "m2_day", "tariff")
TARIFF_PERS = ("once", "day", "week", "month", "billed_month", "year")


class Price(Base):
    """The base row of a price list, from `valid_from` on: tax included, in minor units of the city's currency.

    `amount_minor` is what the search shows and compares. `minimum_minor` is the least that a paid booking costs;
    `build_percent` is the share of a day's price that a build or tear-down day costs; `kept_percent` the share of the
    price that is kept when a booking is cancelled after its time for free cancellation; `cancel_tiers` are steps that
    stand in its place, see `spaces.pricing.cancelling`. A list by the city's tariff names
    the rows that it takes; an empty `tariff_key` lets the booker choose the nature of the use.
    """

    __tablename__ = "price"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id", "valid_from"),
        CheckConstraint(f"per IN {ALL_PRICE_PERS}", name="per"),
        CheckConstraint("amount_minor >= 0 AND (per <> 'free' OR amount_minor = 0)", name="amount"),
        CheckConstraint(
            "(per = 'slot') = (slot_minutes IS NOT NULL) AND (slot_minutes IS NULL OR slot_minutes BETWEEN 5 AND 1440)",
            name="slot",
        ),
        CheckConstraint("minimum_minor >= 0", name="minimum"),
        CheckConstraint("build_percent BETWEEN 0 AND 100", name="build_percent"),
        CheckConstraint("(per = 'tariff') = (tariff_use <> '')", name="tariff"),
        CheckConstraint("kept_percent BETWEEN 0 AND 100", name="kept_percent"),
        CheckConstraint("cancel_fee_minor >= 0", name="cancel_fee"),
        CheckConstraint("jsonb_typeof(cancel_tiers) = 'array'", name="cancel_tiers"),
        CheckConstraint(
            "cardinality(ways) > 0 AND ways <@ ARRAY['card','invoice','on_the_spot']", name="ways"
        ),
        of_city("space_id", "space", ondelete="CASCADE"),
        {"info": {"copied_with": "space"}},
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date]
    per: Mapped[str]
    amount_minor: Mapped[int]
    vat_code: Mapped[str] = mapped_column(server_default="standard")
    slot_minutes: Mapped[int | None]
    minimum_minor: Mapped[int] = mapped_column(server_default=text("0"))
    build_percent: Mapped[int] = mapped_column(server_default=text("100"))
    tariff_source: Mapped[str] = mapped_column(server_default="")
    tariff_use: Mapped[str] = mapped_column(server_default="")
    tariff_key: Mapped[str] = mapped_column(server_default="")
    tariff_place: Mapped[str] = mapped_column(server_default="")
    tariff_surface: Mapped[str] = mapped_column(server_default="")
    tariff_class: Mapped[str] = mapped_column(server_default="")
    kept_percent: Mapped[int] = mapped_column(server_default=text("100"))
    cancel_tiers: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    cancel_fee_minor: Mapped[int] = mapped_column(server_default=text("0"))
    refund_if_rebooked: Mapped[bool] = mapped_column(server_default=text("false"))
    ways: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{on_the_spot}")  # of paying


class PriceVariation(Base):
    """Another amount for a part of the week, a customer group, or both. Minutes are wall clock from local midnight."""

    __tablename__ = "price_variation"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id", "valid_from", "position"),
        ForeignKeyConstraint(
            ["city_id", "space_id", "valid_from"],
            ["price.city_id", "price.space_id", "price.valid_from"],
            ondelete="CASCADE",
        ),
        CheckConstraint(f"group_code IS NULL OR group_code IN {CUSTOMER_GROUPS}", name="group_code"),
        CheckConstraint("cardinality(days) > 0 AND days <@ ARRAY[1,2,3,4,5,6,7]", name="days"),
        CheckConstraint("0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440", name="minutes"),
        CheckConstraint("amount_minor >= 0", name="amount"),
        {"info": {"copied_with": "space"}},
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date]
    position: Mapped[int]
    group_code: Mapped[str | None]
    days: Mapped[list[int]] = mapped_column(ARRAY(INTEGER))
    from_minute: Mapped[int]
    to_minute: Mapped[int]
    amount_minor: Mapped[int]


class OrganisationGroup(Base):
    """The customer group that the city has given an organisation, where its kind alone does not tell: youth work."""

    __tablename__ = "organisation_group"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "organisation_id"),
        CheckConstraint(f"group_code IN {CUSTOMER_GROUPS}", name="group_code"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int] = mapped_column(BigInteger)
    group_code: Mapped[str]


class DiscountCode(CityRow, Base):
    """A word that makes bookings of one space cheaper, by a share or an amount, on bookings made on the valid days."""

    __tablename__ = "discount_code"
    __table_args__ = (
        UniqueConstraint("city_id", "space_id", "code"),
        CheckConstraint("code = upper(code) AND code <> ''", name="code"),
        CheckConstraint("(percent IS NULL) <> (amount_minor IS NULL)", name="one_kind"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("valid_until >= valid_from", name="valid"),
        # The last word on how often a code is used, whoever counts at once.
        CheckConstraint("uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)", name="uses"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    space_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str]
    percent: Mapped[int | None]
    amount_minor: Mapped[int | None]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    max_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(server_default=text("0"))


class DiscountUse(Base):
    """Which holder of claims used which code, so that a cancelled one gives its use back."""

    __tablename__ = "discount_use"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "holder_id"),
        Index(None, "city_id", "code_id"),
        of_city("code_id", "discount_code", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    holder_id: Mapped[int] = mapped_column(BigInteger)
    code_id: Mapped[int] = mapped_column(BigInteger)


class OutdoorTariff(CityRow, Base):
    """One row of a city's tariff for outdoor areas. `charge` is hundredths of a minor unit, without tax.

    The empty string in `place`, `surface` or `payment_class` means that the row does not depend on it.
    """

    __tablename__ = "outdoor_tariff"
    __table_args__ = (
        UniqueConstraint(
            "city_id",
            "source",
            "use",
            "key",
            "place",
            "surface",
            "payment_class",
            "valid_from",
            name="uq_outdoor_tariff_row",
        ),
        CheckConstraint("charge >= 0", name="charge"),
        CheckConstraint(f"per IN {TARIFF_PERS}", name="per"),
        CheckConstraint("build_percent BETWEEN 0 AND 100", name="build_percent"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="valid"),
        CheckConstraint(
            "(unit_m2 IS NULL) = (step_m2 IS NULL) AND (unit_m2 IS NULL OR (unit_m2 > 0 AND step_m2 > 0))",
            name="area",
        ),
    )

    source: Mapped[str]
    use: Mapped[str]
    key: Mapped[str]
    place: Mapped[str] = mapped_column(server_default="")
    surface: Mapped[str] = mapped_column(server_default="")
    payment_class: Mapped[str] = mapped_column(server_default="")
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]  # the first day on which it holds no more
    charge: Mapped[int] = mapped_column(BigInteger)
    per: Mapped[str]
    unit_m2: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    step_m2: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    build_percent: Mapped[int] = mapped_column(server_default=text("100"))
