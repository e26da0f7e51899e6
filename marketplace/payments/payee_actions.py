"""Suppliers' accounts at the gateway, and what is paid out from them."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from marketplace.payments.gateway import AccountStatus, PayoutSeen, gateway_for
from marketplace.payments.models import Payee, Payout
from marketplace.payments.policy import require_may_onboard
from marketplace.payments.queries import payee_of
from marketplace.payments.rules import payout_moves_on


def start_onboarding(session: Session, organisation: Organisation, *, actor: Actor, at: datetime) -> Payee:
    """The organisation's account at the present gateway, made where there is none; `asking.onboarding_address` then leads
    there. Raises Forbidden, NoSupplier, NoCardPayments."""
    require_may_onboard(actor, organisation)
    gateway = gateway_for()
    session.execute(
        insert(Payee)
        .values(
            city_id=organisation.city_id,
            organisation_id=organisation.id,
            gateway=gateway.name,
            state="onboarding",
            created_at=at,
            changed_at=at,
        )
        .on_conflict_do_nothing(index_elements=["city_id", "organisation_id", "gateway"])
    )
    payee = payee_of(session, organisation.city_id, organisation.id, gateway.name)
    if payee is None:
        raise LookupError("a payee that was just made is gone")
    audit(session, actor, "payee.onboarding_started", "payee", payee.id, organisation_id=organisation.id)
    return payee


def name_account(session: Session, payee: Payee, external_id: str) -> str:
    """Keep the gateway's id of an account; the first one stays. Returns the one that is kept."""
    session.refresh(payee, with_for_update=True)
    if payee.external_id is None:
        payee.external_id = external_id
        session.flush()
    return payee.external_id or external_id


def apply_account_status(session: Session, payee: Payee, status: AccountStatus, at: datetime) -> None:
    """How the account stands at the gateway, as it says just now."""
    payee.checked_at = at
    wanted = list(status.requirements)
    if (payee.state, payee.requirements) != (status.state, wanted):
        if payee.state != status.state:
            audit(session, system(payee.city_id), "payee.changed", "payee", payee.id, state=status.state)
        payee.state, payee.requirements, payee.changed_at = status.state, wanted, at
    session.flush()


def note_payout(session: Session, payee: Payee, seen: PayoutSeen) -> None:
    """Write down a payout, or how it goes on. The payee is locked."""
    payout = session.scalar(
        select(Payout).where(
            Payout.city_id == payee.city_id,
            Payout.payee_id == payee.id,
            Payout.external_id == seen.external_id,
        )
    )
    if payout is None:
        payout = Payout(city_id=payee.city_id, payee_id=payee.id, external_id=seen.external_id)
        session.add(payout)
    elif not payout_moves_on(payout.state, seen.state):
        return
    payout.amount_minor, payout.currency = seen.amount_minor, seen.currency
    payout.state, payout.arrives_on = seen.state, seen.arrives_on
    session.flush()
