"""Movable equipment with a stock: twenty tables, one PA that several spaces of a place share.

A kind of equipment is kept as a unit with as many lanes as there are pieces, so that the calendar's exclusion constraint
is what guarantees the stock. Its body is the booking's own time: there are no buffers, since equipment is handed over at
the door.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, Localised, of_city
from spaces.pricing.rules import EXTRA_PERS


class Extra(CityRow, Base):
    """One kind of equipment of a venue; the stock is the lanes of its unit. Amounts are for a piece, tax included, in
    minor units of the city's currency; `most` is how many pieces one booking may add, all where null."""

    __tablename__ = "extra"
    __table_args__ = (
        UniqueConstraint("city_id", "unit_id"),
        Index(None, "city_id", "venue_id"),
        CheckConstraint(f"per IN {EXTRA_PERS}", name="per"),
        CheckConstraint("amount_minor >= 0 AND (per = 'free') = (amount_minor = 0)", name="amount"),
        CheckConstraint("most BETWEEN 1 AND 10000", name="most"),
        of_city("venue_id", "venue", ondelete="CASCADE"),
        of_city("unit_id", "unit", ondelete="CASCADE"),
    )

    venue_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    names: Mapped[Localised]
    descriptions: Mapped[Localised] = mapped_column(server_default="{}")
    per: Mapped[str]
    amount_minor: Mapped[int]
    vat_code: Mapped[str] = mapped_column(server_default="standard")
    most: Mapped[int | None]
    archived_at: Mapped[datetime | None]  # since when it is not offered any more
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class SpaceExtra(Base):
    """A space whose bookings may add this equipment."""

    __tablename__ = "space_extra"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id", "extra_id"),
        Index(None, "city_id", "extra_id"),
        of_city("space_id", "space", ondelete="CASCADE"),
        of_city("extra_id", "extra", ondelete="CASCADE"),
        {"info": {"copied_with": "space"}},
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    extra_id: Mapped[int] = mapped_column(BigInteger)
