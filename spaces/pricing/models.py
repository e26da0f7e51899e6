"""What a space costs. One row per space and first day of validity."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, of_city

PRICE_PERS = ("free", "hour", "day")


class Price(Base):
    """A price from `valid_from` on, tax included, in minor units of the city's currency."""

    __tablename__ = "price"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id", "valid_from"),
        CheckConstraint(f"per IN {PRICE_PERS}", name="per"),
        CheckConstraint("amount_minor >= 0 AND (per = 'free') = (amount_minor = 0)", name="amount"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date]
    per: Mapped[str]
    amount_minor: Mapped[int]
    vat_code: Mapped[str] = mapped_column(server_default="standard")
