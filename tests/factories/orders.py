"""Spaces that are paid before, and their orders, on the test bank."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bookings.checkout.actions import begin_payment
from bookings.checkout.jobs import sweep_orders
from bookings.checkout.models import Order
from bookings.checkout.queries import orders_of_booking
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.payments.asking import open_at_gateway
from marketplace.payments.models import Payment
from spaces.catalog.models import Space
from spaces.pricing.models import Price
from tests.factories.bookings import open_space
from tests.factories.people import make_organisation
from tests.factories.spaces import make_venue


def paid_space(session: Session, city: City, *, ways: Sequence[str] = ("card",), **fields: Any) -> Space:
    """A space of the city's own that can be paid in these ways."""
    owner = make_organisation(session, city, name=f"Liikuntapalvelut {id(fields)}", kind="city_division")
    venue = fields.pop("venue", None) or make_venue(session, city, owner=owner)
    space = open_space(session, city, venue, **{"approval": "instant", **fields})
    session.execute(
        update(Price).where(Price.city_id == city.id, Price.space_id == space.id).values(ways=list(ways))
    )
    session.flush()
    return space


def order_of(session: Session, booking: Booking) -> Order:
    found = orders_of_booking(session, booking.city_id, booking.id)[-1]
    session.refresh(found)
    return found


def begun(session: Session, city: City, order: Order, actor: Actor, *, at: datetime) -> Payment:
    """The order's payment, open at the test bank."""
    payment = begin_payment(
        session,
        city,
        order,
        actor=actor,
        return_path=f"/en/orders/{order.number}/back",
        lines=[("What is paid for", order.total_minor)],
        language="en",
        at=at,
    )
    session.commit()
    open_at_gateway(payment.city_id, payment.id)
    session.refresh(payment)
    return payment


def let_time_pass(session: Session, order: Order) -> None:
    """Let the time to pay be over, and the clock come round."""
    session.commit()
    sweep_orders((order.expires_at or order.created_at) + timedelta(seconds=1))
    session.expire_all()


def payments_of(session: Session, order: Order) -> list[Payment]:
    return list(
        session.scalars(select(Payment).where(Payment.reference == order.number).order_by(Payment.id))
    )
