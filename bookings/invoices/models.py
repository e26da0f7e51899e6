"""Invoices: who sells, who pays and how they wish it, the invoices with their lines, what was paid, cost objects.

An issued invoice is never changed: seller, buyer and lines are copied into it, and what is wrong is credited. Only what it
has come to (`paid_minor`, `credited_minor`, `state`) moves. Money is minor units of `currency`.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bookings.invoices.rules import KINDS, RHYTHMS, STATES
from marketplace.db import Base, CityRow, Localised, of_city


class InvoiceSeller(CityRow, Base):
    """In whose name invoices are: the city (`organisation_id` None) or a supplier, with the account they are paid to."""

    __tablename__ = "invoice_seller"
    __table_args__ = (
        UniqueConstraint("city_id", "organisation_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("payment_days BETWEEN 0 AND 90", name="payment_days"),
        of_city("organisation_id", "organisation"),
    )

    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    name: Mapped[str]
    business_id: Mapped[str]
    vat_number: Mapped[str] = mapped_column(server_default="")
    street: Mapped[str]
    postcode: Mapped[str]
    locality: Mapped[str]
    email: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    iban: Mapped[str]
    bic: Mapped[str]
    payment_days: Mapped[int] = mapped_column(server_default=text("14"))
    late_texts: Mapped[Localised] = mapped_column(server_default="{}")
    e_address: Mapped[str] = mapped_column(server_default="")
    e_operator: Mapped[str] = mapped_column(server_default="")
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class InvoiceTerms(Base):
    """How an organisation wishes its invoices. Without this row it gets none."""

    __tablename__ = "invoice_terms"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "organisation_id"),
        CheckConstraint(f"rhythm IN {RHYTHMS}", name="rhythm"),
        CheckConstraint("(e_address = '') = (e_operator = '')", name="e_address"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int] = mapped_column(BigInteger)
    recipient: Mapped[str] = mapped_column(server_default="")  # a person or an office, above the street
    street: Mapped[str]
    postcode: Mapped[str]
    locality: Mapped[str]
    country: Mapped[str] = mapped_column(server_default="FI")
    e_address: Mapped[str] = mapped_column(server_default="")
    e_operator: Mapped[str] = mapped_column(server_default="")
    rhythm: Mapped[str] = mapped_column(server_default="at_once")
    email: Mapped[str] = mapped_column(server_default="")
    buyer_reference: Mapped[str] = mapped_column(server_default="")
    language: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class InvoiceSeries(Base):
    """The last number that a seller has used in a year. The row is locked until the number's invoice is committed."""

    __tablename__ = "invoice_series"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "seller_id", "year"),
        CheckConstraint("last > 0", name="last"),
        of_city("seller_id", "invoice_seller"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    seller_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(Integer)
    last: Mapped[int]


class Invoice(CityRow, Base):
    """An invoice, or a credit note of one (`credits_id`), whose amounts are then negative.

    `period_on` is the first day of the month that a monthly invoice gathers. `seller` and `buyer` are the texts as they were
    on the day of issue (`rules.SellerTexts`, `rules.BuyerTexts`).
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("city_id", "number"),
        UniqueConstraint("city_id", "seller_id", "year", "sequence"),
        UniqueConstraint("city_id", "reference"),
        Index(
            "uq_invoice_period",
            "city_id",
            "seller_id",
            "organisation_id",
            "period_on",
            unique=True,
            postgresql_where=text("period_on IS NOT NULL"),
        ),
        Index(None, "city_id", "organisation_id", "issued_on"),
        Index(None, "city_id", "issued_on"),
        Index(None, "city_id", "credits_id", postgresql_where=text("credits_id IS NOT NULL")),
        Index(
            "ix_invoice_unpaid",
            "city_id",
            "due_on",
            postgresql_where=text("state = 'sent' AND kind = 'invoice'"),
        ),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("(kind = 'credit_note') = (credits_id IS NOT NULL)", name="credits"),
        CheckConstraint("(kind = 'credit_note') = (gross_minor < 0)", name="sign"),
        CheckConstraint("gross_minor = net_minor + vat_minor", name="sum"),
        CheckConstraint("credited_minor BETWEEN 0 AND greatest(gross_minor, 0)", name="credited"),
        CheckConstraint("sequence > 0", name="sequence"),
        of_city("seller_id", "invoice_seller"),
        of_city("organisation_id", "organisation"),
        of_city("credits_id", "invoice"),
    )

    seller_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(server_default="invoice")
    state: Mapped[str] = mapped_column(server_default="sent")
    number: Mapped[str]
    year: Mapped[int]
    sequence: Mapped[int]
    reference: Mapped[str]  # viitenumero, digits only, with its check digit
    credits_id: Mapped[int | None] = mapped_column(BigInteger)
    credit_reason: Mapped[str] = mapped_column(server_default="")
    period_on: Mapped[date | None]
    issued_at: Mapped[datetime]
    issued_on: Mapped[date]
    due_on: Mapped[date]
    currency: Mapped[str]
    net_minor: Mapped[int] = mapped_column(BigInteger)
    vat_minor: Mapped[int] = mapped_column(BigInteger)
    gross_minor: Mapped[int] = mapped_column(BigInteger)
    paid_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    credited_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    language: Mapped[str]
    seller: Mapped[dict[str, Any]]
    buyer: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class InvoiceLine(Base):
    """One line, with its text in every language of the city and where its income belongs in the books.

    It stands for a line of an order (`order_id`, `order_position`), which is invoiced once; or, on a credit note that staff
    made, for a part of the credited invoice's line `credits_position`.
    """

    __tablename__ = "invoice_line"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "invoice_id", "position"),
        Index(
            "uq_invoice_line_order_line",
            "city_id",
            "order_id",
            "order_position",
            unique=True,
            postgresql_where=text("credits_position IS NULL"),
        ),
        CheckConstraint("gross_minor = net_minor + vat_minor", name="sum"),
        CheckConstraint("vat_basis_points BETWEEN 0 AND 10000", name="rate"),
        CheckConstraint("(order_position IS NULL) = (credits_position IS NOT NULL)", name="stands_for"),
        of_city("invoice_id", "invoice"),
        of_city("order_id", "booking_order"),
        ForeignKeyConstraint(
            ["city_id", "order_id", "order_position"],
            ["booking_order_line.city_id", "booking_order_line.order_id", "booking_order_line.position"],
            name="fk_invoice_line_order_line",
        ),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    invoice_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(Integer)
    order_id: Mapped[int] = mapped_column(BigInteger)
    order_position: Mapped[int | None]
    credits_position: Mapped[int | None]
    order_number: Mapped[str]
    booking_reference: Mapped[str]
    texts: Mapped[Localised]
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    gross_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    vat_minor: Mapped[int] = mapped_column(BigInteger)
    vat_basis_points: Mapped[int]
    cost_centre: Mapped[str] = mapped_column(server_default="")
    internal_order: Mapped[str] = mapped_column(server_default="")
    gl_account: Mapped[str] = mapped_column(server_default="")


class InvoicePayment(CityRow, Base):
    """Money that staff saw on the bank's statement for an invoice; negative where it went back or was a mistake."""

    __tablename__ = "invoice_payment"
    __table_args__ = (
        UniqueConstraint("city_id", "invoice_id", "submission"),
        CheckConstraint("amount_minor <> 0", name="amount"),
        of_city("invoice_id", "invoice"),
    )

    invoice_id: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    paid_on: Mapped[date]
    bank_reference: Mapped[str] = mapped_column(server_default="")
    submission: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class CostObject(CityRow, Base):
    """Where the income of an owner's places, or of one of them, belongs in the city's accounting (SAP's own words)."""

    __tablename__ = "cost_object"
    __table_args__ = (
        UniqueConstraint("city_id", "organisation_id", "venue_id", postgresql_nulls_not_distinct=True),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
        of_city("venue_id", "venue", ondelete="CASCADE"),
    )

    organisation_id: Mapped[int] = mapped_column(BigInteger)
    venue_id: Mapped[int | None] = mapped_column(BigInteger)
    cost_centre: Mapped[str] = mapped_column(server_default="")
    internal_order: Mapped[str] = mapped_column(server_default="")
    gl_account: Mapped[str] = mapped_column(server_default="")
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
