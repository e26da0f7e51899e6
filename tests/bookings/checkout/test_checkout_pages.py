"""The pages of paying: the way there and back, who may see them, a gateway that is down, words in the checkout."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.checkout.models import Order
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.payments.models import Payment
from tests.factories.bookings import book, span_on
from tests.factories.orders import begun, order_of, paid_space
from tests.factories.payments import press, put_faulty
from tests.factories.people import actor_of, make_person, sign_in

Jobs = Callable[[], int]


@pytest.fixture
def at() -> datetime:
    return now()


@pytest.fixture
def order(session: Session, city: City, person: Person, at: datetime) -> Order:
    booking = book(
        session, city, paid_space(session, city), actor_of(session, person), span_on(city, 18, 20), at=at
    )
    session.commit()
    return order_of(session, booking)


def test_the_whole_way(signed_in_client: FlaskClient, session: Session, order: Order, run_jobs: Jobs) -> None:
    page = signed_in_client.get(f"/en/orders/{order.number}/pay")
    assert "€40" in page.text.replace("\u2060", "")
    assert "data-hold" in page.text
    there = signed_in_client.post(f"/en/orders/{order.number}/pay")
    assert (there.status_code, "/test-bank/" in there.location) == (303, True)
    again = signed_in_client.post(f"/en/orders/{order.number}/pay")
    assert again.location == there.location
    payment = session.scalars(select(Payment)).one()
    press(signed_in_client, payment, "pay")
    home = signed_in_client.get(f"/en/orders/{order.number}/back?paid=1")
    booking = session.scalars(select(Booking)).one()
    session.refresh(booking)
    assert (home.status_code, booking.state, booking.payment) == (303, "confirmed", "paid")
    assert f"/bookings/{booking.reference}" in home.location
    shown = signed_in_client.get(f"/en/bookings/{booking.reference}")
    assert order.number in shown.text
    receipt = signed_in_client.get(f"/en/orders/{order.number}")
    assert all(words in receipt.text for words in ("Receipt", "25.5", "€8.13", "Paid"))
    run_jobs()


def test_the_address_alone_pays_nothing(
    signed_in_client: FlaskClient, session: Session, city: City, person: Person, order: Order, at: datetime
) -> None:
    begun(session, city, order, actor_of(session, person), at=at)
    page = signed_in_client.get(f"/en/orders/{order.number}/back?redirect_status=succeeded")
    assert page.status_code == 200
    session.refresh(order)
    assert order.state == "open"


def test_nobody_else_sees_an_order(client: FlaskClient, session: Session, city: City, order: Order) -> None:
    paths = [f"/en/orders/{order.number}{end}" for end in ("", "/pay", "/back")]
    assert {client.get(path).status_code for path in paths} <= {302, 303}
    sign_in(session, client, make_person(session, city))
    session.commit()
    assert {client.get(path).status_code for path in paths} == {404}
    assert client.post(f"/en/orders/{order.number}/pay").status_code == 404
    assert client.get("/en/orders/AAAA-AAAA").status_code == 404
    assert client.get("/en/orders/%00/pay").status_code == 404


def test_staff_sees_it_and_cannot_pay_it(
    client: FlaskClient, session: Session, city: City, order: Order
) -> None:
    sign_in(session, client, make_person(session, city, is_staff=True))
    session.commit()
    assert client.get(f"/en/orders/{order.number}").status_code == 200
    assert client.post(f"/en/orders/{order.number}/pay").status_code == 403
    assert session.scalars(select(Payment)).all() == []


def test_a_gateway_that_is_down_is_told_calmly(
    signed_in_client: FlaskClient, session: Session, order: Order
) -> None:
    put_faulty(["down"])
    page = signed_in_client.post(f"/en/orders/{order.number}/pay")
    assert page.status_code == 503
    assert "Nothing has been charged" in page.text
    session.refresh(order)
    assert order.state == "open"
    there = signed_in_client.post(f"/en/orders/{order.number}/pay")
    assert there.status_code == 303
    assert len(session.scalars(select(Payment)).all()) == 1


def test_my_bookings_lead_to_the_payment(signed_in_client: FlaskClient, order: Order) -> None:
    page = signed_in_client.get("/en/my/bookings")
    assert f"/en/orders/{order.number}/pay" in page.text


def test_the_checkout_asks_how_to_pay(signed_in_client: FlaskClient, session: Session, city: City) -> None:
    space = paid_space(session, city, ways=("card", "on_the_spot"))
    session.commit()
    start = span_on(city, 18, 20).start.astimezone(city.zone).isoformat()
    page = signed_in_client.get(
        f"/en/spaces/{space.id}/booking", query_string={"start": start, "minutes": 120}
    )
    assert all(text in page.text for text in ("How do you pay?", "By card", "At the place"))
    sent = signed_in_client.post(
        f"/en/spaces/{space.id}/booking",
        query_string={"start": start, "minutes": 120},
        data={"organisation": "myself", "submission": "checkout-1", "total": "4000", "way": "card"},
    )
    assert (sent.status_code, "/pay" in sent.location) == (303, True)


def test_one_press_on_a_space_paid_by_card_leads_to_the_payment(
    signed_in_client: FlaskClient, session: Session, city: City
) -> None:
    space = paid_space(session, city)
    session.commit()
    start = span_on(city, 18, 20).start.astimezone(city.zone).isoformat()
    sent = signed_in_client.post(
        f"/en/spaces/{space.id}/quick-booking",
        data={"start": start, "minutes": "120", "submission": "quick-press-1", "total": "4000"},
    )
    assert (sent.status_code, "/pay" in sent.location) == (303, True)
