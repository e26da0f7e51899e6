"""What orders say of a booking that has changed or ended, whoever hears of it first."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.checkout.actions import settle_booking
from bookings.checkout.jobs import sweep_orders
from bookings.checkout.models import Order
from bookings.checkout.queries import orders_of_booking
from bookings.checkout.verify import verify_orders
from bookings.lifecycle.actions import (
    approve_booking,
    cancel_booking,
    decline_booking,
    undo_answer,
)
from bookings.lifecycle.change_actions import Change, change_booking
from bookings.lifecycle.jobs import tell_answer
from bookings.lifecycle.models import Booking
from bookings.lifecycle.together import book_together
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.jobs.messages import withdraw
from marketplace.payments.actions import apply_outcome
from marketplace.payments.asking import settle_payment
from marketplace.payments.gateway import Outcome
from marketplace.payments.models import Payment, Refund
from spaces.catalog.models import Space, Venue
from tests.factories.bookings import book, span_on
from tests.factories.orders import begun, order_of, paid_space
from tests.factories.payments import press
from tests.factories.people import actor_of, join, make_organisation, make_person


@pytest.fixture(autouse=True)
def _inside(money_app: Flask) -> None:
    """All of it is asked of the test bank."""


@pytest.fixture
def at() -> datetime:
    return now()


def owner_of(session: Session, city: City, space: Space) -> tuple[Venue, Actor]:
    venue = session.get_one(Venue, (city.id, space.venue_id))
    owner = make_person(session, city, email="owner@example.org")
    join(session, owner, session.get_one(Organisation, (city.id, venue.owner_id)), role="manager")
    session.commit()
    return venue, actor_of(session, owner)


def orders(session: Session, booking: Booking) -> list[tuple[str, int, int, int]]:
    session.expire_all()
    return [
        (one.state, one.total_minor, one.refunded_minor, one.kept_minor)
        for one in orders_of_booking(session, booking.city_id, booking.id)
    ]


def grown(session: Session, city: City, person: Person, client: Any, run_jobs: Any, at: datetime) -> Booking:
    """Paid with 40 euros, then changed to cost 80, of which nobody has paid the rest."""
    me = actor_of(session, person)
    booking = book(session, city, paid_space(session, city), me, span_on(city, 18, 20), at=at)
    press(client, begun(session, city, order_of(session, booking), me, at=at), "pay")
    run_jobs()
    session.expire_all()
    space = session.get_one(Space, (city.id, booking.space_id))
    change = Change(space, span_on(city, 16, 20), booking.attendees)
    change_booking(session, city, booking, change, actor=me, at=at, submission="grown")
    session.commit()
    run_jobs()
    assert orders(session, booking) == [("paid", 4000, 0, 0), ("open", 4000, 0, 0)]
    return booking


def too_late(session: Session, booking: Booking, at: datetime, percent: int) -> None:
    booking.cancel_free_until, booking.kept_percent = at - timedelta(hours=1), percent
    booking.cancel_tiers = []
    session.commit()


def test_an_approved_change_takes_the_invoice_with_it(
    session: Session, city: City, person: Person, run_jobs: Any, at: datetime
) -> None:
    club = make_organisation(session, city)
    club.business_id = "1234567-1"
    join(session, person, club)
    space = paid_space(session, city, ways=("invoice",))
    me = actor_of(session, person)
    booking = book(session, city, space, me, span_on(city, 18, 20), at=at, organisation_id=club.id)
    session.commit()
    run_jobs()
    space.approval = "handler"
    change = Change(space, span_on(city, 12, 14), booking.attendees)
    request = change_booking(session, city, booking, change, actor=me, at=at, submission="moved")
    venue, owner = owner_of(session, city, space)
    approve_booking(session, city, request, venue, actor=owner, at=at)
    session.commit()
    run_jobs()
    assert orders(session, booking) == []
    assert orders(session, request) == [("invoiced", 4000, 0, 0)]
    assert (request.state, request.payment, request.way) == ("confirmed", "due", "invoice")
    assert list(verify_orders(session, city)) == []


def test_more_is_kept_than_was_paid_and_no_more_is_asked_for(
    session: Session, city: City, person: Person, client: Any, run_jobs: Any, at: datetime
) -> None:
    booking = grown(session, city, person, client, run_jobs, at)
    too_late(session, booking, at, 80)
    cancel_booking(session, city, booking, actor=actor_of(session, person), at=at)
    session.commit()
    run_jobs()
    for _ in range(2):
        settle_booking(session, booking, at=at)
        session.commit()
        run_jobs()
        assert orders(session, booking) == [("paid", 4000, 0, 4000), ("cancelled", 4000, 0, 0)]
    assert booking.payment == "paid"
    assert list(verify_orders(session, city)) == []


def test_what_is_kept_is_kept_once_however_many_orders_there_are(
    session: Session, city: City, person: Person, client: Any, run_jobs: Any, at: datetime
) -> None:
    booking = grown(session, city, person, client, run_jobs, at)
    too_late(session, booking, at, 40)
    me = actor_of(session, person)
    payment = begun(session, city, order_of(session, booking), me, at=at)
    cancel_booking(session, city, booking, actor=me, at=at)
    session.commit()
    settle_booking(session, booking, at=at)
    session.commit()
    press(client, payment, "pay")  # on the page that was still open
    run_jobs()
    assert orders(session, booking) == [("partly_refunded", 4000, 800, 3200), ("refunded", 4000, 4000, 0)]
    assert booking.payment == "refunded"
    assert list(verify_orders(session, city)) == []


def test_one_of_several_is_cancelled_before_the_payment_is_heard_of(
    session: Session, city: City, person: Person, client: Any, run_jobs: Any, at: datetime
) -> None:
    one = paid_space(session, city)
    other = paid_space(session, city, venue=session.get_one(Venue, (city.id, one.venue_id)))
    me = actor_of(session, person)
    kept, given_up = book_together(
        session, city, one, [other],
        actor=me, during=span_on(city, 18, 20), purpose="", attendees=None, organisation_id=None,
        submission="both", at=at,
    )  # fmt: skip
    session.commit()
    payment = begun(session, city, order_of(session, kept), me, at=at)
    press(client, payment, "pay")
    settle_payment(payment.city_id, payment.id)
    session.expire_all()
    cancel_booking(session, city, given_up, actor=me, at=at)
    session.commit()
    settle_booking(session, given_up, at=at)
    session.commit()
    run_jobs()
    assert orders(session, kept) == [("partly_refunded", 8000, 4000, 0)]
    assert (kept.state, kept.payment) == ("confirmed", "paid")
    assert session.scalars(select(Refund.amount_minor)).all() == [4000]


def asked(
    session: Session, city: City, person: Person, client: Any, run_jobs: Any, at: datetime
) -> tuple[Booking, Space]:
    """A request with the money set aside."""
    space = paid_space(session, city, approval="handler")
    me = actor_of(session, person)
    booking = book(session, city, space, me, span_on(city, 18, 20), at=at)
    press(client, begun(session, city, order_of(session, booking), me, at=at), "pay")
    run_jobs()
    session.expire_all()
    assert (booking.state, booking.payment) == ("awaiting_approval", "authorised")
    return booking, space


def test_cancelled_while_the_yes_can_still_be_undone_the_hold_is_given_back(
    session: Session, city: City, person: Person, client: Any, run_jobs: Any, at: datetime
) -> None:
    booking, space = asked(session, city, person, client, run_jobs, at)
    venue, owner = owner_of(session, city, space)
    approve_booking(session, city, booking, venue, actor=owner, at=at, may_undo=True)
    session.commit()
    me = actor_of(session, person)
    cancel_booking(session, city, booking, actor=me, at=at + timedelta(seconds=3))
    session.commit()
    run_jobs()
    news = withdraw(session, "booking.answered", city_id=city.id, key=str(booking.id))
    assert news is not None
    tell_answer(session, news)
    session.commit()
    run_jobs()
    payment = begun_payment(session, order_of(session, booking))
    assert payment == "cancelled"


def begun_payment(session: Session, order: Order) -> str:
    session.expire_all()
    return session.get_one(Payment, (order.city_id, order.payment_id)).state


def test_a_hold_lost_while_the_no_can_still_be_undone_is_heard_of_afterwards(
    session: Session, city: City, person: Person, client: Any, run_jobs: Any, at: datetime
) -> None:
    booking, space = asked(session, city, person, client, run_jobs, at)
    venue, owner = owner_of(session, city, space)
    order = order_of(session, booking)
    payment = session.get_one(Payment, (order.city_id, order.payment_id))
    decline_booking(session, city, booking, venue, actor=owner, reason="x", at=at, may_undo=True)
    session.commit()
    apply_outcome(session, payment, Outcome("cancelled"), at)
    session.commit()
    run_jobs()
    undo_answer(session, city, booking, space, venue, actor=owner, at=at + timedelta(seconds=5))
    approve_booking(session, city, booking, venue, actor=owner, at=at + timedelta(seconds=6))
    session.commit()
    run_jobs()
    sweep_orders()
    run_jobs()
    assert orders(session, booking) == [("open", 4000, 0, 0)]
    assert (booking.state, booking.payment) == ("confirmed", "due")
