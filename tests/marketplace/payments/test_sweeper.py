"""What nobody told is asked, and a worker may be killed between any two steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.accounts.actor import system
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.payments import asking
from marketplace.payments.actions import cancel_payment, capture_payment, request_refund
from marketplace.payments.jobs import forget_old_events
from marketplace.payments.models import GatewayEvent, Payment, Refund
from marketplace.payments.sweeper import MOST_AWAY, sweep
from marketplace.payments.test_bank import kept_of
from marketplace.payments.verify import problems_of
from tests.factories.payments import (
    ledger_sums,
    make_payee,
    make_payment,
    opened_payment,
    paid_payment,
    press,
    put_faulty,
)

pytestmark = pytest.mark.usefixtures("money_app")


def lose_everything(session: Session) -> None:
    """No webhook came, and no job is left."""
    session.execute(delete(GatewayEvent))
    session.execute(text("DELETE FROM procrastinate_jobs"))
    session.commit()


def test_a_payment_whose_webhook_was_lost_is_found_paid(
    session: Session, city: City, client: FlaskClient
) -> None:
    payment = opened_payment(session, city, amount=700)
    press(client, payment, "pay")
    lose_everything(session)
    assert sweep(now()).asked == 0
    assert sweep(now() + timedelta(minutes=6)).asked == 1
    session.refresh(payment)
    assert payment.state == "paid"
    assert ledger_sums(session, city)["gateway_fee", None] == kept_of(700)


def test_what_was_started_and_forgotten_is_opened_then_closed(session: Session, city: City) -> None:
    payment = make_payment(session, city, expires_in=timedelta(minutes=1))
    lose_everything(session)
    sweep(now() + timedelta(minutes=3))
    session.refresh(payment)
    assert payment.state == "open"
    payment.expires_at = now()
    session.commit()
    sweep(now() + timedelta(minutes=6))
    session.refresh(payment)
    assert payment.state == "expired"


@pytest.mark.parametrize(("wish", "state"), [(capture_payment, "paid"), (cancel_payment, "cancelled")])
def test_what_was_decided_is_done(
    session: Session, city: City, client: FlaskClient, run_jobs, wish: Callable[..., None], state: str
) -> None:
    payment = opened_payment(session, city, capture="manual")
    press(client, payment, "pay")
    run_jobs()
    session.refresh(payment)
    wish(session, payment, at=now(), actor=system(city.id))
    session.commit()
    lose_everything(session)
    sweep(now() + timedelta(minutes=3))
    session.refresh(payment)
    assert (payment.state, payment.wish) == (state, None)


def test_a_refund_that_was_never_sent_is_sent(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = paid_payment(session, city, client, run_jobs, amount=700)
    refund = request_refund(session, payment, 700, key="a", reason="cancelled", at=now())
    session.commit()
    lose_everything(session)
    sweep(now() + timedelta(minutes=3))
    session.refresh(refund)
    assert refund.state == "succeeded"


def test_a_supplier_whose_account_was_opened_meanwhile_is_found_enabled(session: Session, city: City) -> None:
    from marketplace.payments.models import TestBankAccount  # noqa: PLC0415

    payee = make_payee(session, city, state="onboarding")
    account = session.scalars(select(TestBankAccount)).one()
    account.state = "enabled"
    session.commit()
    sweep(now() + timedelta(hours=2))
    session.refresh(payee)
    assert payee.state == "enabled"


def test_a_gateway_that_is_away_is_not_asked_for_each_row(session: Session, city: City) -> None:
    for _ in range(MOST_AWAY + 3):
        make_payment(session, city)
    faulty = put_faulty(["down"] * 50)
    swept = sweep(now() + timedelta(hours=1), patient=False)
    assert len(faulty.calls) == MOST_AWAY
    assert swept.unanswered == MOST_AWAY + 3


def test_a_row_the_gateway_does_not_know_holds_up_nobody(
    session: Session, city: City, client: FlaskClient
) -> None:
    lost = opened_payment(session, city)
    lost.session_external_id = "tbs_of_another_bank"
    session.commit()
    payment = opened_payment(session, city, amount=700)
    press(client, payment, "pay")
    lose_everything(session)
    swept = sweep(now() + timedelta(minutes=10))
    assert swept.unanswered == 1
    session.refresh(payment)
    session.refresh(lost)
    assert (payment.state, lost.state) == ("paid", "open")
    assert lost.checked_at is not None


class Killed(BaseException):
    """The worker is gone; nothing catches this."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Iterator[list[str]]:
    """End the process, as it were, before the `step`-th transaction that asking begins, or the call after it."""
    seen: list[str] = []
    real = db.transaction
    gateway = put_faulty()
    inner = gateway._gateway

    def count(name: str) -> None:
        seen.append(name)
        if len(seen) == step:
            raise Killed

    @contextmanager
    def transaction():
        count("begin")
        with real() as session:
            yield session
        count("committed")

    class Counting:
        def __getattr__(self, name: str):
            found = getattr(inner, name)
            if name not in gateway.asks:
                return found

            def asked(*args, **kwargs):
                count(f"before {name}")
                answer = found(*args, **kwargs)
                count(f"after {name}")
                return answer

            return asked

    monkeypatch.setattr(asking, "transaction", transaction)
    gateway._gateway = Counting()
    try:
        yield seen
    finally:
        gateway._gateway = inner
        monkeypatch.setattr(asking, "transaction", real)


def steps(most: int) -> range:
    return range(1, most)


def survives(monkeypatch: pytest.MonkeyPatch, step: int, work: Callable[[], object], *, most: int) -> None:
    """Run `work`, killed at this step; a step that there is none of means that it ran whole."""
    with killed_at(monkeypatch, step) as seen:
        try:
            work()
        except Killed:
            return
    assert len(seen) < most, "there are more steps than are tried"


@pytest.mark.parametrize("step", steps(14))
def test_opening_survives_a_kill_at_any_step(
    monkeypatch: pytest.MonkeyPatch, session: Session, city: City, client: FlaskClient, run_jobs, step: int
) -> None:
    payment = make_payment(session, city, amount=700)
    lose_everything(session)
    survives(monkeypatch, step, lambda: asking.settle_payment(city.id, payment.id), most=14)
    sweep(now() + timedelta(minutes=10), patient=False)
    session.refresh(payment)
    press(client, payment, "pay")
    lose_everything(session)
    sweep(now() + timedelta(minutes=20), patient=False)
    session.refresh(payment)
    assert payment.state == "paid"
    assert ledger_sums(session, city)["payer", None] == -700
    assert list(problems_of(city)) == []


@pytest.mark.parametrize("step", steps(10))
@pytest.mark.parametrize("wish", [capture_payment, cancel_payment])
def test_a_decision_survives_a_kill_at_any_step(
    monkeypatch: pytest.MonkeyPatch,
    session: Session,
    city: City,
    client: FlaskClient,
    run_jobs,
    wish: Callable[..., None],
    step: int,
) -> None:
    payment = opened_payment(session, city, amount=700, capture="manual")
    press(client, payment, "pay")
    run_jobs()
    session.refresh(payment)
    wish(session, payment, at=now(), actor=system(city.id))
    session.commit()
    lose_everything(session)
    survives(monkeypatch, step, lambda: asking.settle_payment(city.id, payment.id), most=10)
    sweep(now() + timedelta(minutes=10), patient=False)
    session.refresh(payment)
    assert payment.state == ("paid" if wish is capture_payment else "cancelled")
    assert list(problems_of(city)) == []


@pytest.mark.parametrize("step", steps(10))
def test_a_refund_survives_a_kill_at_any_step_and_is_made_once(
    monkeypatch: pytest.MonkeyPatch,
    session: Session,
    city: City,
    client: FlaskClient,
    run_jobs,
    step: int,
) -> None:
    payment = paid_payment(session, city, client, run_jobs, amount=700)
    refund = request_refund(session, payment, 300, key="a", reason="cancelled", at=now())
    session.commit()
    lose_everything(session)
    survives(monkeypatch, step, lambda: asking.send_refund(city.id, refund.id), most=10)
    sweep(now() + timedelta(minutes=10), patient=False)
    session.refresh(refund)
    assert refund.state == "succeeded"
    assert list(problems_of(city)) == []
    assert len(session.scalars(select(Refund)).all()) == 1
    assert session.get_one(Payment, (city.id, payment.id)).refunded_minor == 300


def test_the_operators_sweep_says_what_it_did(money_app: Flask, session: Session, city: City) -> None:
    make_payment(session, city)
    done = money_app.test_cli_runner().invoke(args=["payments", "sweep"])
    assert (done.exit_code, done.output) == (0, "1 asked about, 0 without an answer\n")
    put_faulty(["down"])
    done = money_app.test_cli_runner().invoke(args=["payments", "sweep"])
    assert (done.exit_code, done.output) == (1, "1 asked about, 1 without an answer\n")


def test_an_event_that_cannot_be_read_holds_up_nobody(
    session: Session, city: City, client: FlaskClient
) -> None:
    broken = {"id": "x", "kind": "payment", "account": "", "about": {}}
    session.add(
        GatewayEvent(
            gateway="testbank",
            external_id="x",
            kind="payment",
            is_live=False,
            payload=broken,
            received_at=now() - timedelta(minutes=9),
        )
    )
    payment = opened_payment(session, city)
    press(client, payment, "pay")
    assert sweep(now() + timedelta(minutes=3)).unanswered == 1
    session.expire_all()
    attempts = dict(session.execute(select(GatewayEvent.external_id == "x", GatewayEvent.attempts)).all())
    assert attempts == {True: 1, False: 1}
    assert session.get_one(Payment, (city.id, payment.id)).state == "paid"


def test_what_was_told_long_ago_is_emptied_and_still_heard_once(
    session: Session, city: City, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    paid_payment(session, city, client, run_jobs)
    (event,) = session.scalars(select(GatewayEvent))
    forget_old_events()
    session.refresh(event)
    assert event.payload
    event.processed_at = now() - timedelta(days=121)
    session.commit()
    forget_old_events()
    session.refresh(event)
    assert event.payload == {}
    assert event.processed_at is not None
