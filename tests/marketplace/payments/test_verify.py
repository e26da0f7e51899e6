"""`flask payments verify` says nothing where all agrees, and names each fault that was planted."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.part import Part
from marketplace.payments.ledger_actions import post
from marketplace.payments.models import Payment, Refund, TestBankSession
from marketplace.payments.rules import Posting
from tests.factories.payments import make_payee, opened_payment, paid_payment, put_faulty, refunded

pytestmark = pytest.mark.usefixtures("money_app")


@pytest.fixture
def payment(session: Session, city: City, client: FlaskClient, run_jobs) -> Payment:
    """Paid to a supplier, a part given back; another one is still open."""
    payment = paid_payment(
        session, city, client, run_jobs, amount=1_000, payee=make_payee(session, city), fee=100
    )
    refunded(session, payment, 250, run_jobs)
    opened_payment(session, city)
    return payment


def verified(app: Flask, *args: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["payments", "verify", *args])
    return done.exit_code, done.output


def test_where_all_agrees_nothing_is_named(money_app: Flask, payment: Payment) -> None:
    assert verified(money_app) == (0, "Ledger, payments and gateway agree.\n")
    assert verified(money_app, "--offline", "--city", "helsinki") == (0, "Ledger and payments agree.\n")


def test_a_city_there_is_none_of_is_said(money_app: Flask, city: City) -> None:
    code, output = verified(money_app, "--city", "atlantis")
    assert (code, "no city atlantis" in output) == (1, True)


PLANTED = {
    "a reservation without a refund": (
        lambda p: update(Payment).where(Payment.id == p.id).values(refunded_minor=400),
        "400 is reserved for refunds of 250",
    ),
    "another fee": (
        lambda p: update(Payment).where(Payment.id == p.id).values(fee_minor=99),
        "account city_fee is posted with -75, should be -74",
    ),
    "a payment that was not posted": (
        lambda p: (
            update(Payment)
            .where(Payment.state == "open")
            .values(state="paid", captured_minor=Payment.amount_minor)
        ),
        "account payer is posted with 0, should be -10000",
    ),
    "a refund that was not posted": (
        lambda p: update(Refund).values(state="sent"),
        "account payer is posted with -750, should be -1000",
    ),
    "a capture the gateway knows nothing of": (
        lambda p: (
            update(TestBankSession)
            .where(TestBankSession.key.like(f"payment-%-{p.id}-%"))
            .values(captured_minor=900)
        ),
        "1000 was taken here and 900 at the gateway",
    ),
    "a payment we were not told of": (
        lambda p: (
            update(TestBankSession)
            .where(TestBankSession.state == "open")
            .values(state="paid", captured_minor=TestBankSession.amount_minor)
        ),
        "it is open here and paid at the gateway",
    ),
    "a refund we were not told of": (
        lambda p: (
            update(TestBankSession)
            .where(TestBankSession.key.like(f"payment-%-{p.id}-%"))
            .values(refunded_minor=600)
        ),
        "250 is given back here and 600 at the gateway",
    ),
    "a payment the gateway does not know": (
        lambda p: update(Payment).where(Payment.id == p.id).values(session_external_id="tbs_gone"),
        "the gateway does not know it (no-such-payment)",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_named(money_app: Flask, session: Session, payment: Payment, fault: str) -> None:
    plant, sentence = PLANTED[fault]
    session.execute(plant(payment))
    session.commit()
    code, output = verified(money_app)
    assert code == 1
    assert sentence in output
    assert all(line.startswith("helsinki: payment ") for line in output.splitlines())


def test_an_entry_about_nothing_is_named(money_app: Flask, session: Session, city: City) -> None:
    lines = [Posting("gateway", 5), Posting("payer", -5)]
    post(
        session,
        city.id,
        kind="payment.paid",
        currency="EUR",
        reference="X",
        key="payment:12345:paid",
        at=now(),
        lines=lines,
        about={"payment_id": 12345},
    )
    session.commit()
    assert "ledger entry payment:12345:paid: there is no such payment" in verified(money_app)[1]


def test_an_entry_that_lost_its_balance_is_named(
    money_app: Flask, session: Session, payment: Payment
) -> None:
    """With the database's own guards switched off, as somebody with all rights could."""
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(
        text("UPDATE ledger_line SET amount_minor = amount_minor + 1 WHERE account = 'gateway_fee'")
    )
    session.execute(text("SET LOCAL session_replication_role = origin"))
    session.commit()
    code, output = verified(money_app, "--offline")
    assert code == 1
    assert "lines sum to 1" in output
    assert "account gateway_fee" in output


def test_a_gateway_that_is_away_is_named(money_app: Flask, payment: Payment) -> None:
    put_faulty(["down"])
    assert "the gateway cannot be asked" in verified(money_app)[1]


def test_what_higher_parts_find_is_told_with_it(
    money_app: Flask, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = Part("orders", ports={"money_problems": lambda session, city: ["order A: does not add up"]})
    monkeypatch.setitem(money_app.extensions, "parts", [orders, *money_app.extensions["parts"]])
    assert verified(money_app) == (1, "helsinki: order A: does not add up\n")


def test_a_refund_that_is_not_sent_yet_is_no_fault(
    money_app: Flask, session: Session, payment: Payment
) -> None:
    from marketplace.payments.actions import request_refund  # noqa: PLC0415

    request_refund(session, payment, 100, key="later", reason="cancelled", at=now())
    session.commit()
    assert verified(money_app)[0] == 0
    assert session.scalars(select(Refund.state).order_by(Refund.id)).all() == ["succeeded", "requested"]
