"""Staff try again what has failed: a refund is asked for anew, an event of a payment service is looked at again."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.finance.city_queries import OTHER_MODE, RETRY_KEY, is_of_city
from bookings.finance.errors import ItemNotFound, NotFailed, OnlyStaffRetry
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.jobs.queue import defer
from marketplace.payments.actions import request_refund
from marketplace.payments.inbox import act_on_event
from marketplace.payments.models import GatewayEvent, Payment, Refund
from marketplace.payments.queries import lock_payment


def require_staff(actor: Actor) -> None:
    """Raises OnlyStaffRetry."""
    if not (actor.is_signed_in and actor.is_staff):
        raise OnlyStaffRetry


def retry_refund(session: Session, refund_id: int, *, actor: Actor, at: datetime) -> Refund:
    """Ask anew for a refund that has failed; once for each of them, as a row and a key of its own.

    Raises OnlyStaffRetry, ItemNotFound, NotFailed, RefundTooLarge where it was given back in another way meanwhile.
    """
    require_staff(actor)
    failed = session.get(Refund, (actor.city_id, refund_id))
    if failed is None:
        raise ItemNotFound
    payment = session.get_one(Payment, (actor.city_id, failed.payment_id))
    lock_payment(session, payment)
    session.refresh(failed)
    key = f"{RETRY_KEY}{failed.id}"
    known = session.scalar(select(Refund.id).where(Refund.city_id == actor.city_id, Refund.key == key))
    if failed.state != "failed" or known is not None:
        raise NotFailed
    again = request_refund(
        session, payment, failed.amount_minor, key=key, reason=failed.reason, at=at, actor=actor
    )
    audit(session, actor, "refund.retried", "refund", failed.id, again=again.id)
    session.flush()
    return again


def retry_event(session: Session, event_id: int, *, actor: Actor, at: datetime) -> None:
    """Put an event that could not be acted upon back in line. Raises OnlyStaffRetry, ItemNotFound, NotFailed."""
    require_staff(actor)
    event = session.scalar(
        select(GatewayEvent)
        .where(GatewayEvent.id == event_id, is_of_city(actor.city_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if event is None:
        raise ItemNotFound
    if event.problem is None or event.problem == OTHER_MODE:
        raise NotFailed
    audit(session, actor, "gateway_event.retried", "gateway_event", event.id, problem=event.problem)
    # The reason stays until it is acted upon; then it goes.
    event.processed_at = None
    defer(session, act_on_event, queue_name="payments", event_id=event.id)
    session.flush()
