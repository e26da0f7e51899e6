"""The city's staff settle its fee and name the accounts of its bookkeeping. Nothing sold before changes by it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bookings.terms.errors import AccountUnreadable, FeeUnreadable, OnlyStaffSettle
from bookings.terms.models import PaymentTerms
from bookings.terms.rules import ACCOUNT_MAX, MOST_FEE, is_account
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit


def require_staff(actor: Actor) -> None:
    """Raises OnlyStaffSettle."""
    if not (actor.is_signed_in and actor.is_staff):
        raise OnlyStaffSettle


def locked_terms(session: Session, city_id: int) -> PaymentTerms:
    """The city's row, made if there is none, locked until the end of the transaction."""
    session.execute(insert(PaymentTerms).values(city_id=city_id).on_conflict_do_nothing())
    return session.scalars(
        select(PaymentTerms)
        .where(PaymentTerms.city_id == city_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def settle_city_fee(session: Session, *, actor: Actor, basis_points: int | None, at: datetime) -> bool:
    """What the city keeps of what private suppliers sell from now on; whether it is another share than before.

    Raises OnlyStaffSettle, FeeUnreadable.
    """
    require_staff(actor)
    if basis_points is None or not 0 <= basis_points <= MOST_FEE:
        raise FeeUnreadable
    terms = locked_terms(session, actor.city_id)
    before = terms.city_fee_basis_points
    if before == basis_points:
        return False
    terms.city_fee_basis_points = basis_points
    terms.changed_at = at
    audit(session, actor, "terms.fee_settled", "city", actor.city_id, before=before, after=basis_points)
    session.flush()
    return True


def name_accounts(session: Session, *, actor: Actor, accounts: Mapping[str, str], at: datetime) -> bool:
    """The bookkeeping's accounts by account of our ledger; empty texts are left out. Whether anything is different.

    Raises OnlyStaffSettle, AccountUnreadable.
    """
    require_staff(actor)
    for account, code in accounts.items():
        if not is_account(code):
            raise AccountUnreadable(account, ACCOUNT_MAX)
    terms = locked_terms(session, actor.city_id)
    before, after = dict(terms.gl_accounts), {name: code for name, code in accounts.items() if code}
    if before == after:
        return False
    terms.gl_accounts = after
    terms.changed_at = at
    audit(session, actor, "terms.accounts_named", "city", actor.city_id, before=before, after=after)
    session.flush()
    return True
