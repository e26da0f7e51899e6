"""Orders in every state with what they say in the ledger, and what goes wrong with money, for the pages of money."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from bookings.checkout.actions import post_lines
from bookings.checkout.models import Order, OrderLine
from bookings.checkout.rules import SOLD
from bookings.lifecycle.models import Booking
from marketplace.cities.models import City
from marketplace.ids import new_reference
from marketplace.money import Money
from marketplace.payments.actions import post_for
from marketplace.payments.models import Dispute, GatewayEvent, Payment, Refund
from marketplace.payments.rules import captured_lines, refunded_lines

numbers = count(1)
VAT = 2550


def make_order(
    session: Session,
    booking: Booking,
    *,
    total: int = 4000,
    state: str = "paid",
    way: str = "card",
    at: datetime,
    payee: int | None = None,
    fee: int = 0,
    expires_at: datetime | None = None,
) -> Order:
    """An order of one booking with one line, its sale in the ledger once it is sold, and its payment when paid by card."""
    tax = Money(total).vat_included(VAT).minor
    order = Order(
        city_id=booking.city_id,
        number=new_reference(),
        person_id=booking.person_id,
        organisation_id=booking.organisation_id,
        payee_organisation_id=payee,
        way=way,
        state=state,
        total_minor=total,
        vat_minor=tax,
        refunded_minor=0,
        kept_minor=0,
        currency="EUR",
        expires_at=expires_at,
        created_at=at,
        changed_at=at,
    )
    session.add(order)
    session.flush()
    add_line(session, order, booking.id, "sale", total, tax)
    if state in SOLD:
        post_lines(session, order, lines_of(session, order), kind="sale", key="sale", at=at)
    if way == "card" and state in SOLD:
        payment = make_paid(session, order, at=at, fee=fee)
        order.payment_id = payment.id
    session.flush()
    return order


def lines_of(session: Session, order: Order) -> list[OrderLine]:
    return [
        line
        for line in session.query(OrderLine).filter_by(city_id=order.city_id, order_id=order.id)
        if line.kind == "sale"
    ]


def add_line(
    session: Session, order: Order, booking_id: int, kind: str, gross: int, tax: int, *, position: int = 1
) -> OrderLine:
    line = OrderLine(
        city_id=order.city_id,
        order_id=order.id,
        position=position,
        booking_id=booking_id,
        kind=kind,
        code="hourly",
        note="",
        about={},
        quantity="1",
        gross_minor=gross,
        net_minor=gross - tax,
        vat_minor=tax,
        vat_basis_points=VAT,
    )
    session.add(line)
    session.flush()
    return line


def give_back(session: Session, order: Order, amount: int, *, at: datetime) -> None:
    """A part of a sold order goes back: the order's lines, its ledger and its payment's."""
    n = next(numbers)
    booking_id = lines_of(session, order)[0].booking_id
    tax = -Money(amount).vat_included(VAT).minor
    line = add_line(session, order, booking_id, "refund", -amount, tax, position=1 + n)
    post_lines(session, order, [line], kind="refund", key=f"refund:{n}", at=at)
    order.refunded_minor += amount
    order.state = "refunded" if order.refunded_minor == order.total_minor else "partly_refunded"
    if order.payment_id is not None:
        payment = session.get_one(Payment, (order.city_id, order.payment_id))
        payment.refunded_minor += amount
        fee = payment.fee_minor * amount // payment.captured_minor
        lines = refunded_lines(amount, fee, payment.payee_organisation_id)
        post_for(session, payment, "refund.succeeded", lines, key=f"refund:{n}", at=at)
    session.flush()


def make_paid(session: Session, order: Order, *, at: datetime, fee: int = 0, **fields: Any) -> Payment:
    """A payment of the order, with what it says in the ledger."""
    n = next(numbers)
    payment = Payment(
        **{
            "city_id": order.city_id,
            "reference": order.number,
            "payer_person_id": order.person_id,
            "payee_organisation_id": order.payee_organisation_id,
            "amount_minor": order.total_minor,
            "currency": "EUR",
            "fee_minor": fee,
            "capture": "automatic",
            "state": "paid",
            "captured_minor": order.total_minor,
            "refunded_minor": 0,
            "gateway_fee_minor": 0,
            "gateway": "testbank",
            "intent_external_id": f"tbi_finance_{n}_{order.number}",
            "lines": [],
            "language": "en",
            "return_path": "/en/",
            "expires_at": at + timedelta(minutes=30),
            "key": f"finance:{n}:{order.number}",
            "created_at": at,
            "changed_at": at,
            "paid_at": at,
            **fields,
        }
    )
    session.add(payment)
    session.flush()
    if payment.state == "paid":
        lines = captured_lines(payment.captured_minor, fee, payment.payee_organisation_id)
        post_for(session, payment, "payment.paid", lines, key="paid", at=at)
    return payment


def failed_payment(session: Session, order: Order, *, at: datetime, code: str = "card_declined") -> Payment:
    return make_paid(session, order, at=at, state="failed", captured_minor=0, failure_code=code, paid_at=None)


def failed_refund(session: Session, order: Order, amount: int, *, at: datetime) -> Refund:
    """A refund of the order's payment that the gateway would not do; nothing is reserved for it any more."""
    refund = Refund(
        city_id=order.city_id,
        payment_id=order.payment_id,
        amount_minor=amount,
        fee_minor=0,
        state="failed",
        key=f"finance:{next(numbers)}:{order.number}",
        reason="cancelled",
        failure_code="expired_or_canceled_card",
        attempts=1,
        created_at=at,
        changed_at=at,
    )
    session.add(refund)
    session.flush()
    return refund


def make_dispute(session: Session, order: Order, *, at: datetime, state: str = "open") -> Dispute:
    dispute = Dispute(
        city_id=order.city_id,
        payment_id=order.payment_id,
        external_id=f"dp_{next(numbers)}",
        amount_minor=order.total_minor,
        state=state,
        reason="fraudulent",
        opened_at=at,
        closed_at=at if state in {"won", "lost"} else None,
    )
    session.add(dispute)
    session.flush()
    return dispute


def lost_event(
    session: Session, city: City, *, at: datetime, problem: str = "unknown-payment", account: str = ""
) -> GatewayEvent:
    """Something that a gateway told and that could not be acted upon."""
    event = GatewayEvent(
        gateway="testbank",
        external_id=f"evt_{city.slug}_{next(numbers)}",
        account=account,
        kind="payment.changed",
        is_live=False,
        payload={"secret": "nobody reads this on a page"},
        received_at=at,
        processed_at=at,
        attempts=1,
        problem=problem,
    )
    session.add(event)
    session.flush()
    return event
