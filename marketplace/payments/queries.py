"""Reads of payments, refunds, payees and the ledger."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.payments.models import (
    LedgerEntry,
    LedgerLine,
    Payee,
    Payment,
    Payout,
    Refund,
)


def lock_payment(session: Session, payment: Payment) -> Payment:
    """The payment as it is now, held until the transaction ends. What hangs on it is locked after it, never before."""
    session.flush()
    session.refresh(payment, with_for_update=True)
    return payment


def payment_of(session: Session, city_id: int, payment_id: int) -> Payment | None:
    return session.get(Payment, (city_id, payment_id))


def payments_of_reference(session: Session, city_id: int, reference: str) -> Sequence[Payment]:
    """The tries to pay for one thing, oldest first."""
    return session.scalars(
        select(Payment).where(Payment.city_id == city_id, Payment.reference == reference).order_by(Payment.id)
    ).all()


def refunds_of(session: Session, city_id: int, payment_ids: Collection[int]) -> Sequence[Refund]:
    return session.scalars(
        select(Refund)
        .where(Refund.city_id == city_id, Refund.payment_id.in_(payment_ids))
        .order_by(Refund.id)
    ).all()


def payee_of(session: Session, city_id: int, organisation_id: int, gateway: str) -> Payee | None:
    """The organisation's account at this gateway."""
    return session.scalar(
        select(Payee).where(
            Payee.city_id == city_id, Payee.organisation_id == organisation_id, Payee.gateway == gateway
        )
    )


def payouts_of_payee(session: Session, payee: Payee, *, limit: int = 50) -> Sequence[Payout]:
    """The newest first."""
    return session.scalars(
        select(Payout)
        .where(Payout.city_id == payee.city_id, Payout.payee_id == payee.id)
        .order_by(Payout.arrives_on.desc(), Payout.id.desc())
        .limit(limit)
    ).all()


def balance(
    session: Session,
    city_id: int,
    *,
    account: str | None = None,
    party_id: int | None = None,
    reference: str | None = None,
    currency: str = "EUR",
) -> int:
    """What the named lines sum to, debit positive, in minor units; what is not named is summed over."""
    query = (
        select(func.coalesce(func.sum(LedgerLine.amount_minor), 0))
        .join(
            LedgerEntry, (LedgerEntry.city_id == LedgerLine.city_id) & (LedgerEntry.id == LedgerLine.entry_id)
        )
        .where(LedgerLine.city_id == city_id, LedgerEntry.currency == currency)
    )
    if account is not None:
        query = query.where(LedgerLine.account == account)
    if party_id is not None:
        query = query.where(LedgerLine.party_id == party_id)
    if reference is not None:
        query = query.where(LedgerEntry.reference == reference)
    return int(session.scalar(query) or 0)


def balances(session: Session, city_id: int, *, reference: str | None = None) -> dict[str, int]:
    """By account, what its lines sum to, debit positive, in minor units; an account without lines is left out."""
    query = (
        select(LedgerLine.account, func.sum(LedgerLine.amount_minor))
        .where(LedgerLine.city_id == city_id)
        .group_by(LedgerLine.account)
    )
    if reference is not None:
        query = query.join(
            LedgerEntry, (LedgerEntry.city_id == LedgerLine.city_id) & (LedgerEntry.id == LedgerLine.entry_id)
        ).where(LedgerEntry.reference == reference)
    return {account: int(total) for account, total in session.execute(query)}


def lines_of_reference(
    session: Session, city_id: int, reference: str
) -> Sequence[tuple[LedgerEntry, LedgerLine]]:
    """The ledger's lines about one thing, oldest first."""
    rows = session.execute(
        select(LedgerEntry, LedgerLine)
        .join(
            LedgerLine, (LedgerEntry.city_id == LedgerLine.city_id) & (LedgerEntry.id == LedgerLine.entry_id)
        )
        .where(LedgerEntry.city_id == city_id, LedgerEntry.reference == reference)
        .order_by(LedgerEntry.id, LedgerLine.position)
    )
    return [(entry, line) for entry, line in rows]
