"""What the city's staff have settled about money: one row per city."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from bookings.terms.rules import MOST_FEE
from marketplace.db import Base


class PaymentTerms(Base):
    """`city_fee_basis_points` is what the city keeps of private suppliers' income, in hundredths of a per cent.

    `gl_accounts` are the general ledger accounts of the city's bookkeeping by account of our ledger. Without a row the city
    keeps nothing and has named no accounts.
    """

    __tablename__ = "payment_terms"
    __table_args__ = (
        CheckConstraint(f"city_fee_basis_points BETWEEN 0 AND {MOST_FEE}", name="city_fee_basis_points"),
    )

    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"), primary_key=True)
    city_fee_basis_points: Mapped[int] = mapped_column(server_default=text("0"))
    gl_accounts: Mapped[dict[str, str]] = mapped_column(server_default=text("'{}'"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
