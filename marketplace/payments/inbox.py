"""What gateways tell: kept once each before anything else, then acted upon by a job, in any order and as often as it comes.

An event is believed when it is signed, and acted upon when it is of our mode and of an account we know. The rest is kept
with the reason why nothing was done.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.queue import RETRY, defer, queue
from marketplace.jobs.runner import application
from marketplace.payments import jobs
from marketplace.payments.actions import (
    adopt_refund,
    apply_outcome,
    apply_refund_outcome,
    note_dispute,
)
from marketplace.payments.asking import KEY, key_of
from marketplace.payments.errors import MoneyDisagrees
from marketplace.payments.gateway import (
    AccountSeen,
    DisputeSeen,
    Gateway,
    PaymentSeen,
    PayoutSeen,
    RefundSeen,
    SeenEvent,
    gateway_for,
)
from marketplace.payments.models import GatewayEvent, Payee, Payment, Refund
from marketplace.payments.payee_actions import note_payout

log = logging.getLogger(__name__)

# An event can be faster than the answer that brings us the id it speaks of.
STRANGER_KEPT_OPEN = timedelta(hours=1)


class Unmatched(Exception):
    """The event is of nothing we know; the reason is a short code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def receive(session: Session, gateway: Gateway, seen: SeenEvent, at: datetime) -> bool:
    """Keep an event and defer its job; False where it was known already."""
    is_ours = seen.is_live == gateway.is_live
    event_id = session.scalar(
        insert(GatewayEvent)
        .values(
            gateway=gateway.name,
            external_id=seen.external_id,
            account=seen.account,
            kind=seen.kind,
            is_live=seen.is_live,
            payload=dict(seen.payload),
            received_at=at,
            processed_at=None if is_ours else at,
            problem=None if is_ours else "other-mode",
        )
        .on_conflict_do_nothing(index_elements=["gateway", "external_id"])
        .returning(GatewayEvent.id)
    )
    if event_id is None:
        return False
    if is_ours:
        defer(session, act_on_event, queue_name="payments", event_id=event_id)
    return True


@queue.task(name="payments.event", queue="payments", retry=RETRY)
def act_on_event(event_id: int) -> None:
    with application():
        process_event(event_id)


def process_event(event_id: int) -> None:
    """Do what an event means, once. What contradicts our own books changes nothing and is left to an operator."""
    at = now()
    try:
        with transaction() as session:
            event = session.get(GatewayEvent, event_id, with_for_update=True)
            if event is None or event.processed_at is not None:
                return
            event.attempts += 1
            act(session, event, at)
            event.processed_at, event.problem = at, None
    except Unmatched as unmatched:
        put_aside(event_id, unmatched.reason, at, final=False)
    except MoneyDisagrees as disagreement:
        log.exception("an event contradicts our books", extra={"event_id": event_id})
        put_aside(event_id, str(disagreement), at, final=True)


def put_aside(event_id: int, reason: str, at: datetime, *, final: bool) -> None:
    """Keep why nothing was done; one that may only be too early is looked at again for a while."""
    with transaction() as session:
        event = session.get_one(GatewayEvent, event_id, with_for_update=True)
        if event.processed_at is not None:
            return
        event.attempts, event.problem = event.attempts + 1, reason
        if final or at - event.received_at > STRANGER_KEPT_OPEN:
            event.processed_at = at


def act(session: Session, event: GatewayEvent, at: datetime) -> None:
    """Apply all that the event says, or nothing of it."""
    gateway = gateway_for(event.gateway)
    payee = payee_of_account(session, event)
    for change in gateway.interpret(event.payload):
        match change:
            case PaymentSeen():
                act_on_payment(session, event, change, at)
            case RefundSeen():
                act_on_refund(session, event, change, at)
            case DisputeSeen():
                note_dispute(session, payment_seen(session, event, change), change, at)
            case AccountSeen():
                act_on_account(session, event, payee, change)
            case PayoutSeen():
                if payee is None or change.account != payee.external_id:
                    raise Unmatched("unknown-account")
                note_payout(session, payee, change)


def payee_of_account(session: Session, event: GatewayEvent) -> Payee | None:
    """Whose account tells. Raises Unmatched for an account of somebody we do not know."""
    if not event.account:
        return None
    payee = session.scalar(
        select(Payee)
        .where(Payee.gateway == event.gateway, Payee.external_id == event.account)
        .with_for_update()
    )
    if payee is None:
        raise Unmatched("unknown-account")
    return payee


def payment_seen(
    session: Session, event: GatewayEvent, change: PaymentSeen | RefundSeen | DisputeSeen
) -> Payment:
    """The payment that the event is of. All payments are made on the city's own account, so that an event of another
    account is of none of them, whatever ids it names."""
    if event.account:
        raise Unmatched("foreign-account")
    mine = select(Payment).where(Payment.gateway == event.gateway)
    found: Payment | None = None
    if change.intent_external_id:
        found = session.scalar(mine.where(Payment.intent_external_id == change.intent_external_id))
    if found is None and isinstance(change, PaymentSeen):
        if change.session_external_id:
            found = session.scalar(mine.where(Payment.session_external_id == change.session_external_id))
        if found is None and change.key:
            found = payment_of_key(session, event.gateway, change.key)
    if found is None:
        raise Unmatched("unknown-payment")
    return found


def payment_of_key(session: Session, gateway: str, key: str) -> Payment | None:
    match = KEY.fullmatch(key)
    if match is None or match[1] != "payment":
        return None
    found = session.get(Payment, (int(match[2]), int(match[3])))
    return found if found is not None and found.gateway == gateway and key_of(found) == key else None


def refund_of_key(session: Session, key: str) -> Refund | None:
    match = KEY.fullmatch(key)
    if match is None or match[1] != "refund":
        return None
    found = session.get(Refund, (int(match[2]), int(match[3])))
    return found if found is not None and key_of(found) == key else None


def act_on_payment(session: Session, event: GatewayEvent, change: PaymentSeen, at: datetime) -> None:
    payment = payment_seen(session, event, change)
    apply_outcome(session, payment, change.outcome, at)
    if payment.wish is not None or (payment.state == "paid" and payment.gateway_fee_minor is None):
        # Something is still to be done, or to be asked, at the gateway.
        defer(session, jobs.settle, queue_name="payments", city_id=payment.city_id, payment_id=payment.id)


def act_on_refund(session: Session, event: GatewayEvent, change: RefundSeen, at: datetime) -> None:
    if event.account:
        raise Unmatched("foreign-account")
    refund = refund_of_key(session, change.key) if change.key else None
    if refund is not None:
        payment = session.get_one(Payment, (refund.city_id, refund.payment_id))
        if payment.gateway != event.gateway:
            raise Unmatched("unknown-payment")
    else:
        payment = payment_seen(session, event, change)
        refund = session.scalar(
            select(Refund).where(
                Refund.city_id == payment.city_id,
                Refund.payment_id == payment.id,
                Refund.external_id == change.outcome.external_id,
            )
        )
    if refund is not None:
        apply_refund_outcome(session, refund, change.outcome, at)
    elif payment.state != "paid":
        # Told before we were told that it was paid.
        raise Unmatched("unknown-payment")
    else:
        adopt_refund(session, payment, change.outcome, at)


def act_on_account(session: Session, event: GatewayEvent, payee: Payee | None, change: AccountSeen) -> None:
    """How an account stands is asked anew: two events that come the wrong way round would leave the older word."""
    if payee is None or payee.external_id != change.external_id:
        raise Unmatched("unknown-account")
    defer(session, jobs.payee, queue_name="payments", city_id=payee.city_id, payee_id=payee.id)
