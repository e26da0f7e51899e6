"""What orders show on the pages of bookings."""

from flask import render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.checkout import present
from bookings.checkout.models import Order, OrderLine
from bookings.checkout.policy import may_pay, may_see_order
from bookings.checkout.queries import orders_of_booking, whole_order
from bookings.lifecycle.models import Booking
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.money import Money
from marketplace.web.request import current_actor, current_city


def facts_panel(*, session: Session, booking: Booking) -> str:
    """The `booking-facts` panel: what has been paid of a booking, what is owed, what comes back."""
    actor = current_actor()
    orders = [
        order
        for order in orders_of_booking(session, booking.city_id, booking.id)
        if may_see_order(actor, order)
    ]
    if not orders:
        return ""
    return render_template(
        "bookings/checkout/_facts.html",
        booking=booking,
        orders=[
            (
                order,
                present.state_label(order)[1],
                money(order),
                order.state == "open" and may_pay(actor, order),
            )
            for order in orders
        ],
    )


def money(order: Order) -> tuple[Money, Money | None]:
    """(total, what is given back)."""
    back = Money(order.refunded_minor, order.currency) if order.refunded_minor else None
    return Money(order.total_minor, order.currency), back


def my_panel() -> str:
    """The `my-bookings` panel: what waits to be paid, with how long there is."""
    actor, city, at = current_actor(), current_city(), now()
    with transaction() as session:
        orders = session.scalars(
            select(Order)
            .where(
                Order.city_id == city.id,
                Order.person_id == actor.person_id,
                Order.state == "open",
                Order.expires_at.is_(None) | (Order.expires_at > at),
                select(OrderLine.order_id)
                .where(OrderLine.city_id == Order.city_id, OrderLine.order_id == Order.id)
                .exists(),
            )
            .order_by(Order.created_at)
            .limit(20)
        ).all()
        rows = [
            (
                order,
                present.parts_of(whole_order(session, order), city),
                Money(order.total_minor, order.currency),
                present.time_left(order, city, at=at),
            )
            for order in orders
        ]
    return render_template("bookings/checkout/_my.html", rows=rows) if rows else ""
