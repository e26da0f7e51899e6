"""Payments, captures, part refunds, faults on the line, and events that come twice, late and in any order."""

from datetime import timedelta
from itertools import count
from random import Random

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.actor import system
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.payments.actions import cancel_payment, capture_payment, request_refund
from marketplace.payments.errors import PaymentOver, RefundTooLarge
from marketplace.payments.gateway import GatewayDown, gateways
from marketplace.payments.inbox import act_on_event, process_event
from marketplace.payments.jobs import payee, refund, settle
from marketplace.payments.models import GatewayEvent, Payment, Refund, TestBankRefund, TestBankSession
from marketplace.payments.rules import UNDECIDED
from marketplace.payments.sweeper import sweep
from marketplace.payments.verify import problems_of
from tests.factories.cities import make_city
from tests.factories.payments import ledger_sums, make_payee, make_payment, put_faulty

pytestmark = pytest.mark.usefixtures("money_app")
cities = count(1)
# The queue knows the jobs; here they run by hand, in an order of chance.
TASKS = {task.name: task.func for task in (act_on_event, settle, refund, payee)}
JOBS = text(
    "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(:names) ORDER BY id"
)
MESSAGES = text("SELECT id, args FROM procrastinate_jobs WHERE task_name = 'deliver' ORDER BY id")


def work(session: Session, chance: Random, *, lose: float) -> None:
    """Run the jobs that wait, some twice, some never, in any order; what fails is left to the sweeper."""
    from marketplace.jobs.messages import deliver  # noqa: PLC0415

    session.commit()
    for job_id, args in session.execute(MESSAGES).all():
        session.execute(text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job_id})
        session.commit()
        if args["handler"].startswith("marketplace.payments"):
            deliver.func(**args)
    found = session.execute(JOBS, {"names": list(TASKS)}).all()
    session.execute(text("DELETE FROM procrastinate_jobs"))
    session.commit()
    chosen = [job for job in found if chance.random() >= lose]
    chosen += [job for job in found if chance.random() < 0.3]
    chance.shuffle(chosen)
    for _, name, args in chosen:
        try:
            TASKS[name](**args)
        except GatewayDown:
            continue
    session.expire_all()


def step(session: Session, city: City, client: FlaskClient, chance: Random, payments: list[Payment]) -> None:
    """One thing that somebody does to one of the payments."""
    payment = session.get_one(Payment, (city.id, chance.choice(payments).id))
    act = chance.choice(["pay", "decline", "confirm", "capture", "cancel", "refund", "refund", "all"])
    if act in {"pay", "decline", "confirm"} and payment.url:
        client.post(payment.url + ("/confirmation" if act == "confirm" else ""), data={"act": act})
        return
    try:
        if act == "capture":
            part = chance.choice([None, chance.randint(1, payment.amount_minor)])
            capture_payment(session, payment, at=now(), actor=system(city.id), amount_minor=part)
        elif act == "cancel":
            cancel_payment(session, payment, at=now(), actor=system(city.id))
        elif act in {"refund", "all"}:
            left = payment.captured_minor - payment.refunded_minor
            amount = left if act == "all" else chance.randint(1, max(1, left + 1))
            key = f"{payment.id}:{chance.randint(0, 3)}:{amount}"
            request_refund(session, payment, amount, key=key, reason="chance", at=now())
    except (PaymentOver, RefundTooLarge):
        session.rollback()


def start(session: Session, chance: Random) -> tuple[City, list[Payment]]:
    """A city of its own with some payments, to itself and to a supplier."""
    city = make_city(session, slug=f"chance{next(cities)}")
    supplier = make_payee(session, city)
    payments = []
    for _ in range(chance.randint(1, 4)):
        amount = chance.choice([1, 2, 3, chance.randint(1, 100_000)])
        party = chance.choice([None, supplier])
        payments.append(
            make_payment(
                session,
                city,
                amount=amount,
                payee=party,
                fee=chance.randint(0, amount) if party else 0,
                capture=chance.choice(["automatic", "manual"]),
            )
        )
    return city, payments


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(3, 20))
def test_whatever_happens_the_money_agrees(
    money_app: Flask, session: Session, client: FlaskClient, seed: int, acts: int
) -> None:
    chance = Random(seed)
    session.execute(delete(GatewayEvent))
    session.execute(text("DELETE FROM procrastinate_jobs"))
    real = getattr(gateways()["testbank"], "_gateway", gateways()["testbank"])
    gateways()["testbank"] = real
    city, payments = start(session, chance)
    faulty = put_faulty()
    for _ in range(acts):
        faulty.plan.extend(chance.choices(["ok", "down", "lost"], weights=[4, 1, 1], k=3))
        step(session, city, client, chance, payments)
        work(session, chance, lose=0.4)
    faulty.plan.clear()
    replay(session, chance)
    for payment in session.scalars(select(Payment).where(Payment.city_id == city.id)):
        payment.expires_at = now() - timedelta(seconds=1)
    session.commit()
    for hours in (1, 2, 3):
        sweep(now() + timedelta(hours=hours), patient=False)
    session.expire_all()
    settled(session, city)


def replay(session: Session, chance: Random) -> None:
    """All that the bank ever told, once more and in any order."""
    events = list(session.scalars(select(GatewayEvent).order_by(GatewayEvent.id)))
    for event in events:
        event.processed_at = None
    session.commit()
    chance.shuffle(events)
    for event in events:
        process_event(event.id)


def settled(session: Session, city: City) -> None:
    """What must be so whatever happened before."""
    assert list(problems_of(city)) == []
    undecided = []
    for payment in session.scalars(select(Payment).where(Payment.city_id == city.id)):
        if payment.state in UNDECIDED and not (payment.state == "authorised" and payment.wish is None):
            undecided.append(payment.state)
        held = session.scalars(
            select(TestBankSession).where(TestBankSession.external_id == payment.session_external_id)
        ).one()
        at_bank = session.scalars(
            select(TestBankRefund.amount_minor).where(TestBankRefund.session_id == held.id)
        ).all()
        here = session.scalars(
            select(Refund.amount_minor).where(
                Refund.city_id == city.id, Refund.payment_id == payment.id, Refund.state == "succeeded"
            )
        ).all()
        assert sorted(at_bank) == sorted(here)
        assert sum(at_bank) == payment.refunded_minor <= payment.captured_minor == held.captured_minor
    assert undecided == []
    sums = ledger_sums(session, city)
    assert sum(sums.values()) == 0
    assert all(type(total) is int for total in sums.values())
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
