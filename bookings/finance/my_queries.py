"""Reads of what somebody has paid and has to pay: their own orders, and those of the organisations they manage."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from bookings.checkout.models import Order, OrderLine
from bookings.checkout.rules import SOLD
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.db import Localised, span_of
from marketplace.timespan import Span
from spaces.calendar.rules import DAY, midnight
from spaces.catalog.models import Space, Venue


@dataclass(frozen=True)
class Wanted:
    """Which orders somebody looks for; None and "" mean all.

    `organisation_id` 0 means what is for the person alone. `first` and `last` are local days on which it was ordered.
    """

    organisation_id: int | None = None
    state: str = ""
    way: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def is_all(self) -> bool:
        return self == Wanted()


@dataclass(frozen=True)
class Totals:
    """Sums over all orders that were asked for, in minor units: still to be paid, sold for, given back of that."""

    count: int
    to_pay_minor: int
    sold_minor: int
    refunded_minor: int


@dataclass(frozen=True)
class Bought:
    """A booking that an order is for."""

    reference: str
    space_names: Localised
    venue_names: Localised
    span: Span


def managed(actor: Actor) -> list[int]:
    return [organisation_id for organisation_id in actor.roles if actor.manages(organisation_id)]


def whose(actor: Actor) -> ColumnElement[bool]:
    """The orders that the actor has made, and those of the organisations they manage."""
    return and_(
        Order.city_id == actor.city_id,
        or_(Order.person_id == actor.person_id, Order.organisation_id.in_(managed(actor))),
    )


def is_to_be_paid(at: datetime) -> ColumnElement[bool]:
    """Somebody is to pay it by card, and still can."""
    return and_(
        Order.state == "open", Order.way == "card", or_(Order.expires_at.is_(None), Order.expires_at > at)
    )


def matching(actor: Actor, wanted: Wanted, city: City) -> ColumnElement[bool]:
    found = [whose(actor)]
    if wanted.organisation_id == 0:
        found += [Order.organisation_id.is_(None), Order.person_id == actor.person_id]
    elif wanted.organisation_id is not None:
        found.append(Order.organisation_id == wanted.organisation_id)
    if wanted.state:
        found.append(Order.state == wanted.state)
    if wanted.way:
        found.append(Order.way == wanted.way)
    if wanted.first is not None:
        found.append(Order.created_at >= midnight(wanted.first, city.zone))
    if wanted.last is not None:
        found.append(Order.created_at < midnight(wanted.last + DAY, city.zone))
    return and_(*found)


def totals_of(session: Session, actor: Actor, wanted: Wanted, city: City, *, at: datetime) -> Totals:
    """Over all pages of what was asked for."""
    sold = Order.state.in_(sorted(SOLD))
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((is_to_be_paid(at), Order.total_minor), else_=0)), 0),
            func.coalesce(func.sum(case((sold, Order.total_minor), else_=0)), 0),
            func.coalesce(func.sum(case((sold, Order.refunded_minor), else_=0)), 0),
        ).where(matching(actor, wanted, city))
    ).one()
    return Totals(*(int(value) for value in row))


def found_orders(
    session: Session, actor: Actor, wanted: Wanted, city: City, *, limit: int, offset: int
) -> Sequence[Order]:
    """A page of them, the latest first."""
    return session.scalars(
        select(Order)
        .where(matching(actor, wanted, city))
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def bought_by(session: Session, city_id: int, order_ids: Collection[int]) -> dict[int, list[Bought]]:
    """What each of these orders is for, by the order's id."""
    found: dict[int, list[Bought]] = {}
    of_orders = (
        select(OrderLine.order_id, OrderLine.booking_id)
        .where(OrderLine.city_id == city_id, OrderLine.order_id.in_(list(order_ids)))
        .distinct()
        .subquery()
    )
    for order_id, booking, space_names, venue_names in session.execute(
        select(of_orders.c.order_id, Booking, Space.names, Venue.names)
        .join(Booking, (Booking.city_id == city_id) & (Booking.id == of_orders.c.booking_id))
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .order_by(of_orders.c.order_id, Booking.id)
    ):
        found.setdefault(order_id, []).append(
            Bought(booking.reference, space_names, venue_names, span_of(booking.during))
        )
    return found
