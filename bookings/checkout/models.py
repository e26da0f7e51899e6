"""Orders: what is to be paid for bookings, in which way, and what has become of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bookings.checkout.rules import LINE_KINDS, STATES
from marketplace.db import Base, CityRow, of_city
from spaces.pricing.ways import WAYS


class Order(CityRow, Base):
    """What one payer owes one payee for bookings made in one go. Money is minor units of `currency`, tax included.

    `payee_organisation_id` is the private supplier who is paid; None where it is the city. The lines add up to
    `total_minor` - `refunded_minor`: a sale is positive, what is given back negative, and what is kept of a cancelled booking
    a line of its own. `refunded_minor` is what is given back of `total_minor`, `kept_minor` what was kept of what was
    cancelled. `expires_at` is set while somebody is to pay by then.
    """

    __tablename__ = "booking_order"
    __table_args__ = (
        UniqueConstraint("city_id", "number"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint(f"way IN {WAYS}", name="way"),
        CheckConstraint("total_minor > 0", name="total"),
        CheckConstraint("refunded_minor BETWEEN 0 AND total_minor", name="refunded"),
        CheckConstraint("kept_minor BETWEEN 0 AND total_minor", name="kept"),
        of_city("person_id", "person"),
        of_city("organisation_id", "organisation"),
        of_city("payee_organisation_id", "organisation"),
        of_city("payment_id", "payment"),
        Index(None, "city_id", "person_id"),
        Index(None, "city_id", "organisation_id", postgresql_where=text("organisation_id IS NOT NULL")),
        Index(None, "city_id", "payee_organisation_id", "created_at"),
        Index(None, "city_id", "payment_id", postgresql_where=text("payment_id IS NOT NULL")),
        Index(
            "ix_booking_order_unpaid",
            "city_id",
            "expires_at",
            postgresql_where=text("state IN ('open', 'authorised')"),
        ),
    )

    number: Mapped[str]
    person_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    payee_organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    way: Mapped[str]
    state: Mapped[str]
    total_minor: Mapped[int]
    vat_minor: Mapped[int]
    refunded_minor: Mapped[int] = mapped_column(server_default=text("0"))
    kept_minor: Mapped[int] = mapped_column(server_default=text("0"))
    currency: Mapped[str]
    payment_id: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class OrderLine(Base):
    """One line of an order, as the booking was sold: gross is net and tax, to the cent."""

    __tablename__ = "booking_order_line"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "order_id", "position"),
        Index(None, "city_id", "booking_id"),
        CheckConstraint(f"kind IN {LINE_KINDS}", name="kind"),
        CheckConstraint("gross_minor = net_minor + vat_minor", name="sum"),
        CheckConstraint("vat_basis_points BETWEEN 0 AND 10000", name="rate"),
        of_city("order_id", "booking_order", ondelete="CASCADE"),
        of_city("booking_id", "booking"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    order_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int]
    booking_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    code: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    about: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    quantity: Mapped[str]
    gross_minor: Mapped[int]
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    vat_basis_points: Mapped[int]
