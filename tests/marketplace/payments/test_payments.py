"""From a wish to pay to money, and back, on the test bank."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.accounts.actor import system
from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.jobs import messages
from marketplace.money import Money
from marketplace.payments import actions
from marketplace.payments.actions import apply_outcome, cancel_payment, capture_payment, request_refund
from marketplace.payments.asking import open_at_gateway, send_refund, settle_payment
from marketplace.payments.errors import MoneyDisagrees, PayeeNotReady, PaymentOver, RefundTooLarge
from marketplace.payments.gateway import CheckoutLine, GatewayDown, NoCardPayments, Outcome
from marketplace.payments.models import Refund
from marketplace.payments.test_bank import kept_of
from tests.factories.payments import (
    ledger_sums,
    make_payee,
    make_payment,
    opened_payment,
    paid_payment,
    press,
    put_faulty,
    refunded,
)

pytestmark = pytest.mark.usefixtures("money_app")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the messages that were published."""
    names: list[str] = []
    real = messages.publish

    def publish(session: Session, name: str, **facts: object) -> None:
        names.append(name)
        real(session, name, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "publish", publish)
    return names


def test_a_payment_is_opened_paid_and_posted(
    session: Session, city: City, client: FlaskClient, run_jobs, heard: list[str]
) -> None:
    payment = opened_payment(session, city, amount=4217)
    assert payment.state == "open"
    assert payment.url
    answer = press(client, payment, "pay")
    assert answer.headers["Location"] == payment.return_path
    run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.captured_minor, payment.wish) == ("paid", 4217, None)
    kept = kept_of(4217)
    assert ledger_sums(session, city, payment.reference) == {
        ("gateway", None): 4217 - kept,
        ("payer", None): -4217,
        ("gateway_fee", None): kept,
    }
    assert heard == ["payment.started", "payment.paid"]
    done = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert done == ["payment.started", "payment.paid"]


def test_the_suppliers_part_goes_on_and_the_city_keeps_its_fee(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payee = make_payee(session, city)
    payment = paid_payment(session, city, client, run_jobs, amount=10_000, payee=payee, fee=1_234)
    party, kept = payee.organisation_id, kept_of(10_000)
    assert ledger_sums(session, city) == {
        ("payer", None): -10_000,
        ("supplier", party): 10_000,
        ("city_fee", None): -1_234,
        ("gateway", None): 1_234 - kept,
        ("gateway_fee", None): kept,
    }
    refund = refunded(session, payment, 5_000, run_jobs)
    assert (refund.state, refund.fee_minor) == ("succeeded", 617)
    refunded(session, payment, 5_000, run_jobs)
    assert ledger_sums(session, city) == {("gateway", None): -kept, ("gateway_fee", None): kept}


def test_the_same_key_is_the_same_payment(session: Session, city: City) -> None:
    first = make_payment(session, city, key="order:7", reference="R")
    assert make_payment(session, city, key="order:7", reference="R").id == first.id
    with pytest.raises(MoneyDisagrees):
        make_payment(session, city, key="order:7", reference="R", amount=1)


def test_lines_and_amount_must_be_the_same_sum(session: Session, city: City) -> None:
    with pytest.raises(MoneyDisagrees, match="do not sum"):
        actions.start_payment(
            session,
            city,
            reference="R",
            payer=system(city.id),
            payee_organisation_id=None,
            amount=Money(1000),
            fee_minor=0,
            capture="automatic",
            lines=[CheckoutLine("Hall", 1, 999)],
            return_path="/en/",
            expires_at=now(),
            key="k",
            language="en",
            at=now(),
        )


@pytest.mark.parametrize("state", ["onboarding", "restricted", "disabled"])
def test_a_supplier_that_is_not_ready_is_not_paid(session: Session, city: City, state: str) -> None:
    payee = make_payee(session, city, state=state)
    with pytest.raises(PayeeNotReady):
        make_payment(session, city, payee=payee)


def test_without_a_gateway_there_are_no_card_payments(session: Session, city: City, money_app: Flask) -> None:
    money_app.extensions["payment_gateways"] = {}
    with pytest.raises(NoCardPayments):
        make_payment(session, city)


def test_a_declined_card_leaves_the_page_open_and_the_next_try_pays(
    session: Session, city: City, client: FlaskClient, run_jobs, heard: list[str]
) -> None:
    payment = opened_payment(session, city)
    press(client, payment, "decline")
    run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.failure_code) == ("open", "card-declined")
    press(client, payment, "pay")
    run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.failure_code) == ("paid", None)
    assert heard == ["payment.started", "payment.paid"]


def test_what_is_authorised_is_taken_when_it_is_captured(
    session: Session, city: City, client: FlaskClient, run_jobs, heard: list[str]
) -> None:
    payment = opened_payment(session, city, capture="manual", amount=3_000)
    press(client, payment, "pay")
    run_jobs()
    session.refresh(payment)
    assert payment.state == "authorised"
    assert ledger_sums(session, city) == {}
    for _ in range(2):
        capture_payment(session, payment, at=now(), actor=system(city.id))
        session.commit()
    run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.captured_minor) == ("paid", 3_000)
    capture_payment(session, payment, at=now(), actor=system(city.id))
    assert heard == ["payment.started", "payment.authorised", "payment.capture_requested", "payment.paid"]


def test_a_part_captured_takes_its_share_of_the_fee(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payee = make_payee(session, city)
    payment = opened_payment(session, city, capture="manual", amount=3_000, payee=payee, fee=300)
    press(client, payment, "pay")
    run_jobs()
    capture_payment(session, payment, at=now(), actor=system(city.id), amount_minor=1_000)
    session.commit()
    run_jobs()
    session.refresh(payment)
    assert (payment.captured_minor, payment.fee_minor) == (1_000, 100)


def test_an_authorisation_is_given_back(
    session: Session, city: City, client: FlaskClient, run_jobs, heard: list[str]
) -> None:
    payment = opened_payment(session, city, capture="manual")
    press(client, payment, "pay")
    run_jobs()
    cancel_payment(session, payment, at=now(), actor=system(city.id))
    session.commit()
    run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.wish) == ("cancelled", None)
    assert heard[-1] == "payment.cancelled"
    with pytest.raises(PaymentOver):
        capture_payment(session, payment, at=now(), actor=system(city.id))
    cancel_payment(session, payment, at=now(), actor=system(city.id))
    assert ledger_sums(session, city) == {}


def test_a_page_that_is_closed_cannot_be_paid(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = opened_payment(session, city)
    cancel_payment(session, payment, at=now(), actor=system(city.id))
    session.commit()
    run_jobs()
    press(client, payment, "pay")
    run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.captured_minor) == ("cancelled", 0)


def test_cancelled_too_late_is_paid_and_said_so(
    session: Session, city: City, client: FlaskClient, run_jobs, heard: list[str]
) -> None:
    payment = opened_payment(session, city)
    press(client, payment, "pay")  # its event is still on the way
    cancel_payment(session, payment, at=now(), actor=system(city.id))
    session.commit()
    run_jobs()
    session.refresh(payment)
    assert payment.state == "paid"
    assert heard[-1] == "payment.paid"
    with pytest.raises(PaymentOver):
        cancel_payment(session, payment, at=now(), actor=system(city.id))


@pytest.mark.parametrize("ended", ["failed", "cancelled", "expired"])
def test_money_that_comes_after_the_end_is_not_lost(
    session: Session, city: City, heard: list[str], ended: str
) -> None:
    payment = opened_payment(session, city, amount=500)
    apply_outcome(session, payment, Outcome(ended), now())
    apply_outcome(session, payment, Outcome("authorised"), now())
    assert payment.state == ended
    apply_outcome(session, payment, Outcome("paid", 500), now())
    assert heard == ["payment.started", f"payment.{ended}", "payment.paid"]
    assert ledger_sums(session, city)["payer", None] == -500


def test_more_than_was_asked_for_is_nobodys_money(session: Session, city: City) -> None:
    payment = opened_payment(session, city, amount=500)
    with pytest.raises(MoneyDisagrees):
        apply_outcome(session, payment, Outcome("paid", 501), now())


def test_a_payment_nobody_pays_expires(
    session: Session, city: City, client: FlaskClient, run_jobs, heard: list[str]
) -> None:
    payment = opened_payment(session, city, expires_in=timedelta(seconds=-1))
    settle_payment(city.id, payment.id)
    session.refresh(payment)
    assert payment.state == "expired"
    assert heard[-1] == "payment.expired"


def test_a_gateway_that_is_away_is_asked_again_with_the_same_key(
    session: Session, city: City, run_jobs
) -> None:
    faulty = put_faulty(["down", "lost"])
    payment = make_payment(session, city)
    for _ in range(2):
        with pytest.raises(GatewayDown):
            open_at_gateway(city.id, payment.id)
    first = open_at_gateway(city.id, payment.id)
    assert first.url
    assert faulty.calls == ["create_checkout"] * 3
    assert open_at_gateway(city.id, payment.id).url == first.url


def test_a_refund_is_reserved_at_once_and_never_above_what_was_paid(
    session: Session, city: City, client: FlaskClient, run_jobs, heard: list[str]
) -> None:
    payment = paid_payment(session, city, client, run_jobs, amount=1_000)
    request_refund(session, payment, 700, key="a", reason="cancelled", at=now())
    with pytest.raises(RefundTooLarge) as refusal:
        request_refund(session, payment, 301, key="b", reason="cancelled", at=now())
    assert refusal.value.public == {"left_minor": 300}
    assert payment.refunded_minor == 700
    session.commit()
    run_jobs()
    session.refresh(payment)
    assert session.scalars(select(Refund.state)).all() == ["succeeded"]
    assert heard[-2:] == ["refund.requested", "refund.succeeded"]


def test_the_same_key_is_the_same_refund(session: Session, city: City, client: FlaskClient, run_jobs) -> None:
    payment = paid_payment(session, city, client, run_jobs, amount=1_000)
    first = refunded(session, payment, 400, run_jobs, key="a")
    assert refunded(session, payment, 400, run_jobs, key="a").id == first.id
    assert payment.refunded_minor == 400
    with pytest.raises(MoneyDisagrees):
        request_refund(session, payment, 401, key="a", reason="cancelled", at=now())


@pytest.mark.parametrize("amount", [0, -5])
def test_nothing_is_not_refunded(
    session: Session, city: City, client: FlaskClient, run_jobs, amount: int
) -> None:
    payment = paid_payment(session, city, client, run_jobs)
    with pytest.raises(PaymentOver):
        request_refund(session, payment, amount, key="a", reason="cancelled", at=now())


def test_what_was_not_paid_is_not_refunded(session: Session, city: City) -> None:
    payment = opened_payment(session, city)
    with pytest.raises(PaymentOver):
        request_refund(session, payment, 1, key="a", reason="cancelled", at=now())


def test_a_refund_whose_answer_was_lost_is_found_and_not_made_twice(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = paid_payment(session, city, client, run_jobs, amount=1_000)
    faulty = put_faulty(["lost"])
    request_refund(session, payment, 1_000, key="a", reason="cancelled", at=now())
    session.commit()
    with pytest.raises(GatewayDown):
        run_jobs()
    session.execute(text("DELETE FROM procrastinate_jobs"))  # and the bank's own event is lost
    session.commit()
    refund = session.scalars(select(Refund)).one()
    send_refund(city.id, refund.id)
    session.refresh(refund)
    assert refund.state == "succeeded"
    assert faulty.calls.count("refund") == 1
    assert ledger_sums(session, city)["gateway", None] == -kept_of(1_000)


def test_a_failed_refund_gives_its_reservation_back(
    session: Session, city: City, client: FlaskClient, run_jobs, heard: list[str]
) -> None:
    payment = paid_payment(session, city, client, run_jobs, amount=1_000)
    refund = request_refund(session, payment, 600, key="a", reason="cancelled", at=now())
    from marketplace.payments.gateway import RefundOutcome  # noqa: PLC0415

    done = RefundOutcome("tbr_1", "succeeded", 600)
    actions.apply_refund_outcome(session, refund, done, now())
    actions.apply_refund_outcome(session, refund, RefundOutcome("tbr_1", "failed", 600), now())
    actions.apply_refund_outcome(session, refund, done, now())
    assert (refund.state, payment.refunded_minor) == ("failed", 0)
    assert ledger_sums(session, city)["payer", None] == -1_000
    assert heard[-3:] == ["refund.requested", "refund.succeeded", "refund.failed"]
    request_refund(session, payment, 1_000, key="b", reason="cancelled", at=now())
