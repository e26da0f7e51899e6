"""Reads of orders, each within one city; loaders fetch and authorise in one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.checkout import policy
from bookings.checkout.errors import OrderNotFound
from bookings.checkout.models import Order, OrderLine
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import normal_reference
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from spaces.catalog.models import Space, Venue


@dataclass(frozen=True)
class OrderedBooking:
    booking: Booking
    space: Space
    venue: Venue


@dataclass(frozen=True)
class SeenOrder:
    """An order with all that its page, its mails and an invoice show. `payee` None: the city."""

    order: Order
    lines: Sequence[OrderLine]
    bookings: Sequence[OrderedBooking]
    person: Person
    organisation: Organisation | None
    payee: Organisation | None


def order_for(session: Session, actor: Actor, number: str) -> SeenOrder:
    """An order that the actor may see. Raises OrderNotFound for strangers too: that it exists is private."""
    normal = normal_reference(number)
    if normal is None or not actor.is_signed_in:
        raise OrderNotFound
    order = session.scalar(select(Order).where(Order.city_id == actor.city_id, Order.number == normal))
    if order is None or not policy.may_see_order(actor, order):
        raise OrderNotFound
    return whole_order(session, order)


def whole_order(session: Session, order: Order) -> SeenOrder:
    """The order with what belongs to it, for the program itself."""
    lines = lines_of(session, order)
    ids = {line.booking_id for line in lines}
    rows = session.execute(
        select(Booking, Space, Venue)
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(Booking.city_id == order.city_id, Booking.id.in_(ids))
        .order_by(Booking.id)
    )
    city_id = order.city_id
    return SeenOrder(
        order,
        lines,
        [OrderedBooking(*row) for row in rows],
        session.get_one(Person, (city_id, order.person_id)),
        organisation_of(session, city_id, order.organisation_id),
        organisation_of(session, city_id, order.payee_organisation_id),
    )


def organisation_of(session: Session, city_id: int, organisation_id: int | None) -> Organisation | None:
    return None if organisation_id is None else session.get(Organisation, (city_id, organisation_id))


def order_of_id(session: Session, city_id: int, order_id: int) -> Order | None:
    return session.get(Order, (city_id, order_id))


def lines_of(session: Session, order: Order) -> Sequence[OrderLine]:
    return session.scalars(
        select(OrderLine)
        .where(OrderLine.city_id == order.city_id, OrderLine.order_id == order.id)
        .order_by(OrderLine.position)
    ).all()


def lines_of_orders(session: Session, city_id: int, order_ids: Collection[int]) -> dict[int, list[OrderLine]]:
    """The lines of many orders, by the order's id."""
    found: dict[int, list[OrderLine]] = {}
    for line in session.scalars(
        select(OrderLine)
        .where(OrderLine.city_id == city_id, OrderLine.order_id.in_(list(order_ids)))
        .order_by(OrderLine.order_id, OrderLine.position)
    ):
        found.setdefault(line.order_id, []).append(line)
    return found


def locked_order(session: Session, order: Order) -> Order:
    """The order as it is now, locked until the end of the transaction; before any booking of it is."""
    session.flush()
    session.refresh(order, with_for_update=True)
    return order


def order_numbered(session: Session, city_id: int, number: str) -> Order | None:
    """The order that a payment's reference names."""
    return session.scalar(select(Order).where(Order.city_id == city_id, Order.number == number))


def orders_of_booking(session: Session, city_id: int, booking_id: int) -> Sequence[Order]:
    """The orders with a line of this booking, the earliest first."""
    return orders_of_bookings(session, city_id, [booking_id]).get(booking_id, [])


def orders_of_bookings(
    session: Session, city_id: int, booking_ids: Collection[int]
) -> Mapping[int, Sequence[Order]]:
    """The same for many bookings at once; one without any is not in the answer."""
    found: dict[int, list[Order]] = {}
    for booking_id, order in session.execute(
        select(OrderLine.booking_id, Order)
        .join(Order, (Order.city_id == OrderLine.city_id) & (Order.id == OrderLine.order_id))
        .where(OrderLine.city_id == city_id, OrderLine.booking_id.in_(list(booking_ids)))
        .order_by(Order.id)
    ):
        orders = found.setdefault(booking_id, [])
        if order not in orders:
            orders.append(order)
    return found
