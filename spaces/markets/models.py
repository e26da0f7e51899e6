"""Stalls of market squares. A stall is a space of kind market_stall that alone covers one unit; the unit has its ground."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, Localised, of_city

# What a class' price can be for: the others need an area, or are no price of a market day.
CLASS_PERS = ("free", "day", "slot", "hour", "fixed")


class StallClass(CityRow, Base):
    """A price class of one square's stalls, known by a letter."""

    __tablename__ = "stall_class"
    __table_args__ = (
        UniqueConstraint("city_id", "venue_id", "code"),
        CheckConstraint("code ~ '^[A-Z]$'", name="code"),
        of_city("venue_id", "venue", ondelete="CASCADE"),
    )

    venue_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str]
    names: Mapped[Localised] = mapped_column(server_default="{}")


class StallClassPrice(Base):
    """What the stalls of a class cost from a day on: minor units, tax included. `groups` are the amounts of customer groups.

    Each stall has the same as a price list of its own, which is what bookings are priced by.
    """

    __tablename__ = "stall_class_price"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "class_id", "valid_from"),
        CheckConstraint(f"per IN {CLASS_PERS}", name="per"),
        CheckConstraint("amount_minor >= 0 AND (per <> 'free' OR amount_minor = 0)", name="amount"),
        CheckConstraint("(per = 'slot') = (slot_minutes IS NOT NULL)", name="slot"),
        of_city("class_id", "stall_class", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    class_id: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date]
    per: Mapped[str]
    amount_minor: Mapped[int]
    slot_minutes: Mapped[int | None]
    vat_code: Mapped[str] = mapped_column(server_default="standard")
    groups: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class Stall(Base):
    """A space's place on the plan of its square. `width_m` and `depth_m` are the sides of the ground, metres."""

    __tablename__ = "stall"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id"),
        UniqueConstraint("city_id", "venue_id", "number"),
        UniqueConstraint("city_id", "unit_id"),
        CheckConstraint("number <> ''", name="number"),
        CheckConstraint("width_m > 0 AND depth_m > 0", name="sides"),
        of_city("venue_id", "venue", ondelete="CASCADE"),
        of_city("space_id", "space", ondelete="CASCADE"),
        of_city("unit_id", "unit", ondelete="CASCADE"),
        of_city("class_id", "stall_class"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    venue_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    class_id: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[str]
    width_m: Mapped[float]
    depth_m: Mapped[float]
