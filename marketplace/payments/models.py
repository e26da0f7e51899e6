"""Money on its way: who is paid, payments, refunds, disputes and payouts, what gateways told, and the ledger.

A `reference` is the name of what is paid for (an order's number); nothing here knows more about it. Amounts are whole
minor units. The ledger's rows are only ever added: the database refuses anything else.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, of_city
from marketplace.payments.rules import (
    ACCOUNTS,
    CAPTURES,
    DISPUTE_STATES,
    PAYEE_STATES,
    PAYMENT_STATES,
    PAYOUT_STATES,
    REFUND_STATES,
    WISHES,
)


class Payee(CityRow, Base):
    """An organisation's account at a gateway, where its income goes. Without `external_id` it is not opened yet."""

    __tablename__ = "payee"
    __table_args__ = (
        UniqueConstraint("city_id", "organisation_id", "gateway"),
        UniqueConstraint("gateway", "external_id"),
        CheckConstraint(f"state IN {PAYEE_STATES}", name="state"),
        of_city("organisation_id", "organisation"),
    )

    organisation_id: Mapped[int] = mapped_column(BigInteger)
    gateway: Mapped[str]
    external_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="onboarding")
    # What the gateway still wants to know, in its own words.
    requirements: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    checked_at: Mapped[datetime | None]


class Payment(CityRow, Base):
    """One wish to pay, and what came of it. `payee_organisation_id` None: the city itself is paid."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("city_id", "key"),
        UniqueConstraint("gateway", "session_external_id"),
        UniqueConstraint("gateway", "intent_external_id"),
        Index(None, "city_id", "reference"),
        Index(None, "city_id", "payer_person_id"),
        Index(None, "city_id", "payee_organisation_id"),
        Index(
            "ix_payment_undecided",
            "created_at",
            postgresql_where=text(
                "state IN ('created', 'open', 'authorised') OR state = 'paid' AND gateway_fee_minor IS NULL"
            ),
        ),
        CheckConstraint(f"state IN {PAYMENT_STATES}", name="state"),
        CheckConstraint(f"capture IN {CAPTURES}", name="capture"),
        CheckConstraint(f"wish IN {WISHES}", name="wish"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("fee_minor BETWEEN 0 AND amount_minor", name="fee"),
        CheckConstraint("captured_minor BETWEEN 0 AND amount_minor", name="captured"),
        CheckConstraint("(captured_minor > 0) = (state = 'paid')", name="captured_when_paid"),
        CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name="refunded"),
        CheckConstraint("return_path LIKE '/%' AND return_path NOT LIKE '//%'", name="return_path"),
        of_city("payee_organisation_id", "organisation"),
        of_city("payer_person_id", "person", ondelete="SET NULL (payer_person_id)"),
    )

    reference: Mapped[str]
    payer_person_id: Mapped[int | None] = mapped_column(BigInteger)
    payee_organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    # What the city keeps of a supplier's income.
    fee_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    capture: Mapped[str] = mapped_column(server_default="automatic")
    state: Mapped[str] = mapped_column(server_default="created")
    # What somebody decided and the gateway has not confirmed yet.
    wish: Mapped[str | None]
    capture_minor: Mapped[int | None] = mapped_column(BigInteger)
    captured_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # What is given back or reserved for it: refunds that have not failed.
    refunded_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # What the gateway itself keeps; None until it has told.
    gateway_fee_minor: Mapped[int | None] = mapped_column(BigInteger)
    gateway: Mapped[str]
    session_external_id: Mapped[str | None]
    intent_external_id: Mapped[str | None]
    url: Mapped[str | None]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    language: Mapped[str]
    return_path: Mapped[str]
    expires_at: Mapped[datetime]
    failure_code: Mapped[str | None]
    key: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    checked_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]


class Refund(CityRow, Base):
    """Money on its way back. `fee_minor` is the share of the city's fee that goes with it."""

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("city_id", "key"),
        Index(None, "city_id", "payment_id"),
        Index("ix_refund_undecided", "created_at", postgresql_where=text("state IN ('requested', 'sent')")),
        CheckConstraint(f"state IN {REFUND_STATES}", name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("fee_minor BETWEEN 0 AND amount_minor", name="fee"),
        UniqueConstraint("city_id", "payment_id", "external_id"),
        of_city("payment_id", "payment"),
    )

    payment_id: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    state: Mapped[str] = mapped_column(server_default="requested")
    external_id: Mapped[str | None]
    key: Mapped[str]
    reason: Mapped[str]
    failure_code: Mapped[str | None]
    # How often the gateway was asked: it is looked for there before it is asked again.
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    checked_at: Mapped[datetime | None]


class Dispute(CityRow, Base):
    """A payer's bank takes money back. A `warning` is a question before that; nothing is taken then."""

    __tablename__ = "dispute"
    __table_args__ = (
        UniqueConstraint("city_id", "payment_id", "external_id"),
        CheckConstraint(f"state IN {DISPUTE_STATES}", name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        of_city("payment_id", "payment"),
    )

    payment_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Payout(CityRow, Base):
    """What a gateway sends from a payee's account to their bank."""

    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("city_id", "payee_id", "external_id"),
        CheckConstraint(f"state IN {PAYOUT_STATES}", name="state"),
        of_city("payee_id", "payee"),
    )

    payee_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    state: Mapped[str]
    arrives_on: Mapped[date]


class GatewayEvent(Base):
    """What a gateway told, once each, before anything is done about it. `problem` says why nothing was."""

    __tablename__ = "gateway_event"
    __table_args__ = (
        UniqueConstraint("gateway", "external_id"),
        Index("ix_gateway_event_waiting", "received_at", postgresql_where=text("processed_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    gateway: Mapped[str]
    external_id: Mapped[str]
    account: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str]
    is_live: Mapped[bool]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    processed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    problem: Mapped[str | None]


class LedgerEntry(CityRow, Base):
    """One thing that happened to money; its lines sum to zero."""

    __tablename__ = "ledger_entry"
    __table_args__ = (UniqueConstraint("city_id", "key"), Index(None, "city_id", "reference"))

    kind: Mapped[str]
    currency: Mapped[str]
    reference: Mapped[str]
    key: Mapped[str]
    at: Mapped[datetime]
    about: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class LedgerLine(Base):
    """Debit is positive, credit negative. `party_id` None: the city."""

    __tablename__ = "ledger_line"
    __table_args__ = (
        Index(None, "city_id", "account", "party_id"),
        CheckConstraint(f"account IN {ACCOUNTS}", name="account"),
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint("(account = 'vat') = (vat_basis_points IS NOT NULL)", name="vat"),
        of_city("entry_id", "ledger_entry"),
        of_city("party_id", "organisation"),
    )

    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    account: Mapped[str]
    party_id: Mapped[int | None] = mapped_column(BigInteger)
    vat_basis_points: Mapped[int | None]
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class TestBankSession(Base):
    """A pay page of the built-in test bank, which stands for everything that a real gateway knows of a payment."""

    __test__ = False  # it is no test, whatever its name begins with
    __tablename__ = "test_bank_session"
    __table_args__ = (
        UniqueConstraint("external_id"),
        UniqueConstraint("key"),
        Index(None, "account"),
        CheckConstraint(f"state IN {PAYMENT_STATES}", name="state"),
        CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name="refunded"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str]
    intent_external_id: Mapped[str]
    key: Mapped[str]
    account: Mapped[str | None]
    title: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    capture: Mapped[str]
    state: Mapped[str]
    captured_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    refunded_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    failure_code: Mapped[str | None]
    lines: Mapped[list[dict[str, Any]]]
    return_path: Mapped[str]
    expires_at: Mapped[datetime]
    captured_at: Mapped[datetime | None]


class TestBankRefund(Base):
    """A refund as the test bank keeps it."""

    __test__ = False
    __tablename__ = "test_bank_refund"
    __table_args__ = (UniqueConstraint("external_id"), UniqueConstraint("key"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str]
    key: Mapped[str]
    session_id: Mapped[int] = mapped_column(ForeignKey("test_bank_session.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class TestBankAccount(Base):
    """A supplier's account at the test bank."""

    __test__ = False
    __tablename__ = "test_bank_account"
    __table_args__ = (
        UniqueConstraint("external_id"),
        UniqueConstraint("key"),
        CheckConstraint(f"state IN {PAYEE_STATES}", name="state"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str]
    key: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    requirements: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{}")
