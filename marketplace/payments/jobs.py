"""What follows on payments' own messages: the gateway is asked, in a job that holds no transaction while it talks."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.jobs.queue import RETRY, defer, queue
from marketplace.jobs.runner import application
from marketplace.payments import asking
from marketplace.payments.models import GatewayEvent

# As long as a payer can complain at the card's bank, roughly.
TOLD_KEPT = timedelta(days=120)


@queue.task(name="payments.settle", queue="payments", retry=RETRY)
def settle(city_id: int, payment_id: int) -> None:
    with application():
        asking.settle_payment(city_id, payment_id)


@queue.task(name="payments.open", queue="payments", retry=RETRY)
def open_page(city_id: int, payment_id: int) -> None:
    with application():
        asking.open_at_gateway(city_id, payment_id)


@queue.task(name="payments.refund", queue="payments", retry=RETRY)
def refund(city_id: int, refund_id: int) -> None:
    with application():
        asking.send_refund(city_id, refund_id)


@queue.task(name="payments.payee", queue="payments", retry=RETRY)
def payee(city_id: int, payee_id: int) -> None:
    with application():
        asking.check_payee(city_id, payee_id)


def open_soon(session: Session, message: Message) -> None:
    """The page that somebody waits for opens it itself, and sooner; this is for when it could not."""
    defer(
        session,
        open_page,
        queue_name="payments",
        city_id=message.city_id,
        payment_id=message["payment_id"],
    )


def settle_soon(session: Session, message: Message) -> None:
    defer(session, settle, queue_name="payments", city_id=message.city_id, payment_id=message["payment_id"])


def refund_soon(session: Session, message: Message) -> None:
    defer(session, refund, queue_name="payments", city_id=message.city_id, refund_id=message["refund_id"])


def forget_old_events() -> None:
    """Empty what gateways told long ago (nightly): it names payers. That it was told stays, so that it is not heard
    twice."""
    with transaction() as session:
        session.execute(
            update(GatewayEvent)
            .where(GatewayEvent.processed_at < now() - TOLD_KEPT, GatewayEvent.payload != {})
            .values(payload={})
        )


HANDLERS = {
    "payment.started": [open_soon],
    "payment.capture_requested": [settle_soon],
    "payment.cancel_requested": [settle_soon],
    "refund.requested": [refund_soon],
}
