"""A booking that is paid first: paid, declined, abandoned, too late, twice; what must never happen, each as a test."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bookings.checkout.actions import begin_payment, follow_payment, settle_booking
from bookings.checkout.errors import NothingToPay
from bookings.checkout.models import OrderLine
from bookings.checkout.queries import orders_of_booking
from bookings.checkout.verify import verify_orders
from bookings.lifecycle.actions import approve_booking, cancel_booking, decline_booking
from bookings.lifecycle.change_actions import Change, change_booking
from bookings.lifecycle.errors import NoWayToPay, WayNotOffered
from bookings.lifecycle.models import Booking
from bookings.lifecycle.together import book_together
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.models import Mail
from marketplace.payments.asking import settle_payment
from marketplace.payments.models import LedgerLine, Payment, Refund
from marketplace.payments.queries import balances
from spaces.catalog.models import Space, Venue
from tests.factories.bookings import book, span_on
from tests.factories.orders import begun, let_time_pass, order_of, paid_space, payments_of
from tests.factories.payments import press
from tests.factories.people import actor_of, join, make_organisation, make_person

Jobs = Callable[[], int]


@pytest.fixture
def at() -> datetime:
    return now()


def venue_of(session: Session, space: Space) -> Venue:
    return session.get_one(Venue, (space.city_id, space.venue_id))


def pay(
    session: Session,
    city: City,
    booking: Booking,
    person: Person,
    client: FlaskClient,
    run: Jobs,
    at: datetime,
) -> Payment:
    payment = begun(session, city, order_of(session, booking), actor_of(session, person), at=at)
    press(client, payment, "pay")
    run()
    session.refresh(booking)
    session.refresh(payment)
    return payment


def well(session: Session, city: City) -> None:
    """Everything tells of the same money, and nothing is left owed in between."""
    session.expire_all()
    assert verify_orders(session, city) == []
    assert sum(session.scalars(select(LedgerLine.amount_minor))) == 0


def asked(
    session: Session, city: City, space: Space, person: Person, at: datetime, *, hours=(18, 20)
) -> Booking:
    return book(session, city, space, actor_of(session, person), span_on(city, *hours), at=at)


def test_who_pays_has_the_time(session, city, person, client, run_jobs, at) -> None:
    booking = asked(session, city, paid_space(session, city), person, at)
    assert (booking.state, booking.payment, booking.way) == ("awaiting_payment", "due", "card")
    pay(session, city, booking, person, client, run_jobs, at)
    assert (booking.state, booking.payment, booking.pay_until) == ("confirmed", "paid", None)
    order = order_of(session, booking)
    assert (order.state, order.total_minor, order.expires_at) == ("paid", 4000, None)
    assert balances(session, city.id, reference=order.number) | {"gateway": 0, "gateway_fee": 0} == {
        "payer": 0, "income": -3187, "vat": -813, "gateway": 0, "gateway_fee": 0,
    }  # fmt: skip
    well(session, city)


def test_heard_twice_it_is_heard_once(session, city, person, client, run_jobs, at) -> None:
    booking = asked(session, city, paid_space(session, city), person, at)
    payment = pay(session, city, booking, person, client, run_jobs, at)
    before = session.scalar(select(func.count()).select_from(LedgerLine))
    for _ in range(3):
        follow_payment(session, order_of(session, booking), payment, at=now())
    session.commit()
    assert session.scalar(select(func.count()).select_from(LedgerLine)) == before
    assert session.scalars(select(Refund)).all() == []
    well(session, city)


def test_nobody_is_told_before_it_is_paid_and_the_time_comes_back(
    session, city, person, client, run_jobs, at
) -> None:
    space = paid_space(session, city)
    booking = asked(session, city, space, person, at)
    run_jobs()
    assert session.scalars(select(Mail)).all() == []
    let_time_pass(session, order_of(session, booking))
    run_jobs()
    assert (booking.state, booking.payment) == ("expired", "not_needed")
    assert order_of(session, booking).state == "expired"
    other = make_person(session, city)
    assert asked(session, city, space, other, at).state == "awaiting_payment"
    well(session, city)


def test_paid_after_its_time_is_restored_while_it_is_free(
    session, city, person, client, run_jobs, at
) -> None:
    booking = asked(session, city, paid_space(session, city), person, at)
    payment = begun(session, city, order_of(session, booking), actor_of(session, person), at=at)
    press(client, payment, "pay")  # and nobody has told of it yet
    session.execute(text("DELETE FROM procrastinate_jobs"))
    let_time_pass(session, order_of(session, booking))
    assert booking.state == "expired"
    settle_payment(city.id, payment.id)
    run_jobs()
    session.refresh(booking)
    assert (booking.state, booking.payment) == ("confirmed", "paid")
    assert order_of(session, booking).state == "paid"
    well(session, city)


def test_paid_after_its_time_was_given_away_is_given_back(
    session, city, person, client, run_jobs, at
) -> None:
    space = paid_space(session, city)
    booking = asked(session, city, space, person, at)
    payment = begun(session, city, order_of(session, booking), actor_of(session, person), at=at)
    press(client, payment, "pay")
    session.execute(text("DELETE FROM procrastinate_jobs"))
    let_time_pass(session, order_of(session, booking))
    other = asked(session, city, space, make_person(session, city), at)
    settle_payment(city.id, payment.id)
    run_jobs()
    session.refresh(booking)
    session.refresh(payment)
    assert (booking.state, booking.payment) == ("expired", "refunded")
    assert other.state == "awaiting_payment"
    assert (order_of(session, booking).state, payment.refunded_minor) == ("refunded", 4000)
    well(session, city)


def test_a_cancelled_one_is_given_back_once(session, city, person, client, run_jobs, at) -> None:
    booking = asked(session, city, paid_space(session, city), person, at)
    payment = pay(session, city, booking, person, client, run_jobs, at)
    cancel_booking(session, city, booking, actor=actor_of(session, person), at=now())
    assert booking.payment == "refund_due"
    run_jobs()
    for _ in range(2):
        settle_booking(session, booking, at=now())
    run_jobs()
    session.refresh(booking)
    session.refresh(payment)
    assert (booking.payment, payment.refunded_minor) == ("refunded", 4000)
    assert len(session.scalars(select(Refund)).all()) == 1
    order = order_of(session, booking)
    assert (order.state, order.refunded_minor, order.kept_minor) == ("refunded", 4000, 0)
    well(session, city)


def test_what_is_kept_is_a_line_of_its_own(session, city, person, client, run_jobs, at) -> None:
    booking = asked(session, city, paid_space(session, city), person, at)
    payment = pay(session, city, booking, person, client, run_jobs, at)
    booking.cancel_free_until, booking.kept_percent = at - timedelta(hours=1), 25
    booking.cancel_tiers = []
    kept = cancel_booking(session, city, booking, actor=actor_of(session, person), at=now())
    run_jobs()
    session.refresh(payment)
    order = order_of(session, booking)
    assert (kept.minor, order.kept_minor, payment.refunded_minor) == (1000, 1000, 3000)
    assert order.state == "partly_refunded"
    sums = balances(session, city.id, reference=order.number)
    assert (sums["payer"], sums["kept_fee"] + sums["vat"]) == (0, -1000)
    assert sums.get("income", 0) == 0
    well(session, city)


def test_a_space_that_is_approved_takes_the_money_after_the_yes(
    session, city, person, client, run_jobs, at
) -> None:
    space = paid_space(session, city, approval="handler")
    booking = asked(session, city, space, person, at)
    payment = pay(session, city, booking, person, client, run_jobs, at)
    assert (booking.state, booking.payment, payment.state) == (
        "awaiting_approval",
        "authorised",
        "authorised",
    )
    staff = make_person(session, city, is_staff=True)
    approve_booking(
        session, city, booking, venue_of(session, space), actor=actor_of(session, staff), at=now()
    )
    run_jobs()
    session.refresh(booking)
    session.refresh(payment)
    assert (booking.state, booking.payment, payment.state) == ("confirmed", "paid", "paid")
    well(session, city)


def test_a_declined_one_costs_nothing(session, city, person, client, run_jobs, at) -> None:
    space = paid_space(session, city, approval="handler")
    booking = asked(session, city, space, person, at)
    payment = pay(session, city, booking, person, client, run_jobs, at)
    staff = actor_of(session, make_person(session, city, is_staff=True))
    decline_booking(session, city, booking, venue_of(session, space), actor=staff, reason="Full", at=now())
    run_jobs()
    session.refresh(booking)
    session.refresh(payment)
    assert (booking.state, booking.payment, payment.state) == ("declined", "not_needed", "cancelled")
    assert order_of(session, booking).state == "cancelled"
    well(session, city)


def test_a_card_that_is_declined_can_be_tried_again(session, city, person, client, run_jobs, at) -> None:
    booking = asked(session, city, paid_space(session, city), person, at)
    payment = begun(session, city, order_of(session, booking), actor_of(session, person), at=at)
    press(client, payment, "decline")
    run_jobs()
    session.refresh(booking)
    assert booking.state == "awaiting_payment"
    again = begun(session, city, order_of(session, booking), actor_of(session, person), at=at)
    press(client, again, "pay")
    run_jobs()
    session.refresh(booking)
    assert booking.state == "confirmed"
    assert [one.state for one in payments_of(session, order_of(session, booking))].count("paid") == 1
    well(session, city)


def test_what_is_paid_cannot_be_paid_again(session, city, person, client, run_jobs, at) -> None:
    booking = asked(session, city, paid_space(session, city), person, at)
    pay(session, city, booking, person, client, run_jobs, at)
    with pytest.raises(NothingToPay):
        begin_payment(
            session, city, order_of(session, booking), actor=actor_of(session, person), return_path="/en/",
            lines=[("x", 4000)], language="en", at=at,
        )  # fmt: skip


def test_an_order_cancelled_before_it_is_paid_asks_for_nothing(
    session, city, person, client, run_jobs, at
) -> None:
    booking = asked(session, city, paid_space(session, city), person, at)
    payment = begun(session, city, order_of(session, booking), actor_of(session, person), at=at)
    cancel_booking(session, city, booking, actor=actor_of(session, person), at=now())
    run_jobs()
    session.refresh(payment)
    assert (order_of(session, booking).state, payment.state) == ("cancelled", "cancelled")
    well(session, city)


def test_several_spaces_in_one_go_are_one_order(session, city, person, client, run_jobs, at) -> None:
    space = paid_space(session, city)
    other = paid_space(session, city, venue=venue_of(session, space), price=("hour", 3333))
    bookings = book_together(
        session, city, space, [other], actor=actor_of(session, person), during=span_on(city, 18, 20),
        purpose="", attendees=None, organisation_id=None, submission="together-1", at=at,
    )  # fmt: skip
    order = order_of(session, bookings[0])
    assert order.number == order_of(session, bookings[1]).number
    assert order.total_minor == 4000 + 6666
    pay(session, city, bookings[0], person, client, run_jobs, at)
    cancel_booking(session, city, bookings[1], actor=actor_of(session, person), at=now())
    run_jobs()
    order = order_of(session, bookings[0])
    assert (order.state, order.refunded_minor) == ("partly_refunded", 6666)
    assert session.get_one(Booking, (city.id, bookings[0].id)).payment == "paid"
    well(session, city)


@pytest.mark.parametrize(
    ("hours", "total", "states"), [((18, 19), 2000, ["partly_refunded"]), ((18, 21), 6000, ["paid", "open"])]
)
def test_a_change_gives_back_or_asks_for_the_difference(
    session, city, person, client, run_jobs, at, hours, total, states
) -> None:
    space = paid_space(session, city)
    booking = asked(session, city, space, person, at)
    payment = pay(session, city, booking, person, client, run_jobs, at)
    change_booking(
        session, city, booking, Change(space, span_on(city, *hours), None), actor=actor_of(session, person),
        at=now(), submission="change-1",
    )  # fmt: skip
    run_jobs()
    session.expire_all()
    orders = orders_of_booking(session, city.id, booking.id)
    assert booking.total_minor == total
    assert [one.state for one in orders] == states
    left = sum(
        line.gross_minor
        for line in session.scalars(select(OrderLine).where(OrderLine.booking_id == booking.id))
    )
    assert left == total
    session.refresh(payment)
    assert payment.refunded_minor == max(0, 4000 - total)
    well(session, city)


def test_an_invoice_needs_an_organisation_with_a_business_id(session, city, person, at) -> None:
    space = paid_space(session, city, ways=("invoice",))
    with pytest.raises(NoWayToPay):
        asked(session, city, space, person, at)
    association = make_organisation(session, city)
    association.business_id = "1234567-1"
    join(session, person, association)
    booking = book(
        session, city, space, actor_of(session, person), span_on(city, 18, 20), at=at,
        organisation_id=association.id,
    )  # fmt: skip
    order = order_of(session, booking)
    assert (booking.state, booking.payment, order.state) == ("confirmed", "due", "invoiced")
    well(session, city)


def test_where_there_is_a_choice_it_has_to_be_made(session, city, person, at) -> None:
    space = paid_space(session, city, ways=("card", "on_the_spot"))
    with pytest.raises(WayNotOffered):
        asked(session, city, space, person, at)
    booking = book(
        session, city, space, actor_of(session, person), span_on(city, 18, 20), at=at, way="on_the_spot"
    )
    assert (booking.state, booking.payment) == ("confirmed", "due")
    with pytest.raises(WayNotOffered):
        book(session, city, space, actor_of(session, person), span_on(city, 10, 12), at=at, way="invoice")
