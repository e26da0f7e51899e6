"""Mails about an order, whole and in each language; and that a job that runs twice writes them once."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.checkout import jobs
from bookings.checkout.models import Order
from bookings.lifecycle.actions import cancel_booking
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.jobs.messages import Message
from marketplace.notifications.models import Mail
from marketplace.payments.models import Refund
from tests.bookings.lifecycle.test_mails import LANGUAGES, plain
from tests.factories.bookings import NOW, book, span_on
from tests.factories.orders import begun, order_of, paid_space
from tests.factories.payments import press
from tests.factories.people import actor_of, make_person

STORED = Path(__file__).parent / "mails"
WHATS = ("paid", "waits", "failed", "unpaid", "refunded")
HANDLERS = {
    "paid": jobs.mail_paid,
    "waits": jobs.mail_waits,
    "failed": jobs.mail_failed,
    "unpaid": jobs.mail_unpaid,
}


def told(session: Session, city: City, order: Order, what: str) -> None:
    facts = {"order_id": order.id, "payment_id": 1}
    HANDLERS[what](session, Message(f"order.{what}", city.id, facts))
    session.flush()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", WHATS)
def test_the_mail_is_as_stored(session, city, client, run_jobs, language, what) -> None:
    payer = make_person(session, city, name="Aino Korhonen", email="aino@example.org", language=language)
    space = paid_space(session, city)
    booking = book(session, city, space, actor_of(session, payer), span_on(city, 18, 19.5), at=NOW)
    order = order_of(session, booking)
    booking.reference, order.number = "K7M2-9QXT", "B3N8-44RW"
    session.flush()
    if what == "refunded":
        order.expires_at = None  # so that it can be paid at the test's own hour
        session.flush()
        payment = begun(session, city, order, actor_of(session, payer), at=now())
        press(client, payment, "pay")
        run_jobs()
        session.refresh(booking)
        cancel_booking(session, city, booking, actor=actor_of(session, payer), at=NOW)
        run_jobs()
        assert session.scalars(select(Refund)).one().state == "succeeded"
    else:
        if what == "unpaid":
            order.state = "expired"
            session.flush()
        told(session, city, order, what)
        told(session, city, order, what)
    mails = [mail for mail in session.scalars(select(Mail).order_by(Mail.id)) if "B3N8-44RW" in mail.subject]
    (mail,) = [mail for mail in mails if what != "refunded" or "€" in mail.subject][-1:]
    if what != "refunded":
        assert len(mails) == 1
    stored = STORED / f"{what}.{language}.txt"
    assert plain(mail).rstrip("\n") == stored.read_text(encoding="utf-8").rstrip("\n")
