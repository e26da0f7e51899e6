"""Asks after what nobody told: webhooks get lost, workers are killed, gateways are away for a while.

What is undecided is asked about again after a while, oldest answer first, so that nothing stays undecided for good.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Update, and_, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Unavailable
from marketplace.payments.asking import check_payee, send_refund, settle_payment
from marketplace.payments.errors import MoneyDisagrees
from marketplace.payments.gateway import GatewayDown, GatewayRefused
from marketplace.payments.inbox import process_event
from marketplace.payments.models import GatewayEvent, Payee, Payment, Refund

log = logging.getLogger(__name__)

# How long after the last answer the gateway is asked again.
SOON = timedelta(minutes=2)
OPEN = timedelta(minutes=5)
HELD = timedelta(minutes=30)
FEE = timedelta(minutes=10)
ACCOUNT = timedelta(hours=1)
PAYOUTS = timedelta(hours=12)
# A gateway that has not said what it keeps in a month will not.
FEE_ASKED_FOR = timedelta(days=30)
MOST_EACH = 500
# Who waits for a gateway that is away would wait for each row.
MOST_AWAY = 3


@dataclass
class Swept:
    """How many were asked about, and for how many there was no answer."""

    asked: int = 0
    unanswered: int = 0
    away: int = 0


def sweep_payments() -> None:
    """The clock's job."""
    sweep()


def sweep(at: datetime | None = None, *, patient: bool = True) -> Swept:
    """Ask after everything that is undecided; without patience, also after what was asked about just now."""
    at = at or now()
    swept = Swept()
    with transaction() as session:
        events = waiting_events(session, at, patient=patient)
        payments = waiting_payments(session, at, patient=patient)
        refunds = waiting_refunds(session, at, patient=patient)
        payees = waiting_payees(session, at, patient=patient)
    for event_id in events:
        ask(swept, partial(process_event, event_id), GatewayEvent, (0, event_id))
    for key in payments:
        ask(swept, partial(settle_payment, *key), Payment, key)
    for key in refunds:
        ask(swept, partial(send_refund, *key), Refund, key)
    for key in payees:
        ask(swept, partial(check_payee, *key), Payee, key)
    if swept.unanswered:
        log.warning("the sweep had no answer for some", extra={"unanswered": swept.unanswered})
    return swept


def ask(
    swept: Swept,
    question: Callable[[], object],
    table: type[GatewayEvent | Payment | Refund | Payee],
    key: tuple[int, int],
) -> None:
    """Ask one question; without an answer the row goes to the end of the line, so that it does not hold up the others."""
    if swept.away >= MOST_AWAY:
        swept.unanswered += 1
        return
    swept.asked += 1
    try:
        question()
    except GatewayDown:
        swept.away += 1
    except (GatewayRefused, Unavailable, MoneyDisagrees, LookupError, SQLAlchemyError):
        log.exception("a row could not be settled", extra={"table": table.__tablename__, "key": key})
    else:
        swept.away = 0
        return
    swept.unanswered += 1
    with transaction() as session:
        session.execute(put_off(table, key))


def put_off(table: type[GatewayEvent | Payment | Refund | Payee], key: tuple[int, int]) -> Update:
    """Events have no city and no time of the last try."""
    if issubclass(table, GatewayEvent):
        return update(table).where(table.id == key[1]).values(attempts=table.attempts + 1)
    return update(table).where(table.city_id == key[0], table.id == key[1]).values(checked_at=now())


def waiting_events(session: Session, at: datetime, *, patient: bool) -> Sequence[int]:
    query = select(GatewayEvent.id).where(GatewayEvent.processed_at.is_(None))
    if patient:
        query = query.where(GatewayEvent.received_at < at - SOON)
    return session.scalars(
        query.order_by(GatewayEvent.attempts, GatewayEvent.received_at).limit(MOST_EACH)
    ).all()


def waiting_payments(session: Session, at: datetime, *, patient: bool) -> list[tuple[int, int]]:
    asked_at = func.coalesce(Payment.checked_at, Payment.created_at)

    def since(wait: timedelta) -> datetime:
        return at - wait if patient else at

    due = or_(
        and_(Payment.state == "created", asked_at <= since(SOON)),
        and_(Payment.state.in_(("open", "authorised")), Payment.wish.is_not(None), asked_at <= since(SOON)),
        and_(Payment.state == "open", Payment.expires_at <= at, asked_at <= since(SOON)),
        and_(Payment.state == "open", asked_at <= since(OPEN)),
        and_(Payment.state == "authorised", asked_at <= since(HELD)),
        and_(
            Payment.state == "paid",
            Payment.gateway_fee_minor.is_(None),
            Payment.paid_at > at - FEE_ASKED_FOR,
            asked_at <= since(FEE),
        ),
    )
    rows = session.execute(select(Payment.city_id, Payment.id).where(due).order_by(asked_at).limit(MOST_EACH))
    return [(city_id, payment_id) for city_id, payment_id in rows]


def waiting_refunds(session: Session, at: datetime, *, patient: bool) -> list[tuple[int, int]]:
    asked_at = func.coalesce(Refund.checked_at, Refund.created_at)
    due = or_(
        and_(Refund.state == "requested", asked_at <= (at - SOON if patient else at)),
        and_(Refund.state == "sent", asked_at <= (at - HELD if patient else at)),
    )
    rows = session.execute(select(Refund.city_id, Refund.id).where(due).order_by(asked_at).limit(MOST_EACH))
    return [(city_id, refund_id) for city_id, refund_id in rows]


def waiting_payees(session: Session, at: datetime, *, patient: bool) -> list[tuple[int, int]]:
    asked_at = func.coalesce(Payee.checked_at, Payee.created_at)
    due = or_(
        and_(Payee.state != "enabled", asked_at <= (at - ACCOUNT if patient else at)),
        and_(Payee.state == "enabled", asked_at <= (at - PAYOUTS if patient else at)),
    )
    rows = session.execute(
        select(Payee.city_id, Payee.id)
        .where(Payee.external_id.is_not(None), due)
        .order_by(asked_at)
        .limit(MOST_EACH)
    )
    return [(city_id, payee_id) for city_id, payee_id in rows]
