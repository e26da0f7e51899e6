"""Handlers of messages about money and about bookings that money was paid for, and what the clock starts. All are safe to
run twice."""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from bookings.checkout.actions import (
    expire_order,
    follow_payment,
    refund_known,
    settle_booking,
    take_over,
)
from bookings.checkout.models import Order
from bookings.checkout.notices import to_payer
from bookings.checkout.queries import order_numbered, order_of_id, orders_of_booking, whole_order
from bookings.lifecycle.models import Booking
from bookings.lifecycle.notices import Notice
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.money import Money
from marketplace.notifications.mail import send_mail
from marketplace.payments.models import Payment, Refund

log = logging.getLogger(__name__)


def mail(session: Session, notice: Notice) -> None:
    send_mail(session, notice.person, notice.template, key=notice.key, **notice.context)


def follow_money(session: Session, message: Message) -> None:
    """The payment of an order has moved; payments for anything else have other references."""
    payment = session.get(Payment, (message.city_id, message["payment_id"]))
    order = order_numbered(session, message.city_id, message["reference"])
    if payment is not None and order is not None:
        follow_payment(session, order, payment, at=now())


def follow_refund(session: Session, message: Message) -> None:
    """Money is back: the bookings say so, and the payer hears of it."""
    refund = session.get(Refund, (message.city_id, message["refund_id"]))
    order = order_numbered(session, message.city_id, message["reference"])
    if refund is None or order is None or refund.state != "succeeded":
        return
    refund_known(session, order, at=now())
    city = session.get_one(City, message.city_id)
    amount = Money(refund.amount_minor, order.currency)
    mail(session, to_payer(city, whole_order(session, order), "refunded", key=str(refund.id), amount=amount))


def follow_booking(session: Session, message: Message) -> None:
    """A booking has ended, was confirmed or changed: its orders follow."""
    booking = session.get(Booking, (message.city_id, message["booking_id"]))
    if booking is not None and orders_of_booking(session, booking.city_id, booking.id):
        settle_booking(session, booking, at=now())


def follow_replaced(session: Session, message: Message) -> None:
    """Another booking has taken the place of one that was paid for."""
    old = session.get(Booking, (message.city_id, message["booking_id"]))
    new = session.get(Booking, (message.city_id, message["by_id"]))
    if old is not None and new is not None:
        take_over(session, old, new, at=now())


def mail_paid(session: Session, message: Message) -> None:
    """The receipt."""
    mail_about(session, message, "paid")


def mail_waits(session: Session, message: Message) -> None:
    """A booking costs more than has been paid."""
    order = order_of_id(session, message.city_id, message["order_id"])
    if order is not None and order.state == "open":
        mail_about(session, message, "waits")


def mail_failed(session: Session, message: Message) -> None:
    mail_about(session, message, "failed", key=str(message["payment_id"]))


def mail_unpaid(session: Session, message: Message) -> None:
    mail_about(session, message, "unpaid")


def mail_about(session: Session, message: Message, what: str, *, key: str = "") -> None:
    order = order_of_id(session, message.city_id, message["order_id"])
    if order is not None:
        city = session.get_one(City, message.city_id)
        mail(session, to_payer(city, whole_order(session, order), what, key=key))


def end_order(session: Session, message: Message) -> None:
    """The time to pay one order is over; the clock's own round takes what this one misses."""
    expire_order(session, session.get_one(City, message.city_id), at=now())


def sweep_orders(at: datetime | None = None) -> None:
    """End what nobody has paid in time, and let orders follow payments that nobody told of, in short transactions."""
    at = at or now()
    for city_id in city_ids():
        try:
            expire_orders(city_id, at)
        except Exception:
            log.exception("unpaid orders of a city did not end", extra={"city_id": city_id})
        for order_id in untold_orders(city_id):
            try:
                follow_untold(city_id, order_id, at)
            except Exception:
                log.exception("an order could not follow its payment", extra={"order_id": order_id})


def expire_orders(city_id: int, at: datetime) -> None:
    expired = True
    while expired:
        with transaction() as session:
            expired = expire_order(session, session.get_one(City, city_id), at=at)


def follow_untold(city_id: int, order_id: int, at: datetime) -> None:
    with transaction() as session:
        order = session.get_one(Order, (city_id, order_id))
        payment = session.get_one(Payment, (city_id, order.payment_id))
        follow_payment(session, order, payment, at=at)


def untold_orders(city_id: int) -> Sequence[int]:
    """Orders that wait although their payment is there, or set aside already, or lost."""
    with transaction() as session:
        return session.scalars(
            select(Order.id)
            .join(Payment, (Payment.city_id == Order.city_id) & (Payment.id == Order.payment_id))
            .where(
                Order.city_id == city_id,
                Order.state.in_(("open", "authorised")),
                or_(
                    Payment.state == "paid",
                    and_(Order.state == "open", Payment.state == "authorised"),
                    and_(Order.state == "authorised", Payment.state.in_(("failed", "cancelled", "expired"))),
                ),
            )
            .order_by(Order.id)
            .limit(500)
        ).all()


def city_ids() -> Sequence[int]:
    with transaction() as session:
        return session.scalars(select(City.id).order_by(City.id)).all()
