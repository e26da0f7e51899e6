"""Many at the same moment, on a database that really commits."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.payments.actions import request_refund
from marketplace.payments.asking import send_refund, settle_payment
from marketplace.payments.errors import RefundTooLarge
from marketplace.payments.gateway import gateways
from marketplace.payments.inbox import process_event, receive
from marketplace.payments.models import GatewayEvent, LedgerEntry, Payment, Refund, TestBankRefund
from marketplace.payments.verify import problems_of
from tests.factories.cities import make_city
from tests.factories.payments import inside, make_payment, opened_payment

AT_ONCE = 8


@pytest.fixture
def at_once(committing_app: Flask) -> Callable[[Callable[[int], object]], list[object]]:
    """Run something in many threads, each in the application; what they return, or the class of what they raise."""

    def run(work: Callable[[int], object]) -> list[object]:
        def one(number: int) -> object:
            with inside(committing_app):
                try:
                    return work(number)
                except RefundTooLarge as refusal:
                    return type(refusal)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, range(AT_ONCE)))

    return run


def test_everybody_tells_that_it_is_paid_and_it_is_paid_once(
    committing: Engine, committing_app: Flask, at_once
) -> None:
    with inside(committing_app), Session(committing, expire_on_commit=False) as session:
        city = make_city(session)
        session.commit()
        payment = opened_payment(session, city, amount=900)
        committing_app.test_client().post(payment.url, data={"act": "pay"})
        event = session.scalars(select(GatewayEvent)).one()
        bank = gateways()["testbank"]
        told = bank.interpret(event.payload)
        assert told

        def tell(number: int) -> object:
            if number % 2:
                return settle_payment(city.id, payment.id).state
            process_event(event.id)
            return None

        at_once(tell)
        session.expire_all()
        assert session.get_one(Payment, (city.id, payment.id)).state == "paid"
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 2
        assert list(problems_of(city)) == []


def test_one_key_at_once_is_one_payment_and_one_event(
    committing: Engine, committing_app: Flask, at_once
) -> None:
    with Session(committing, expire_on_commit=False) as session:
        city = make_city(session)
        session.commit()

    def start(number: int) -> object:
        with Session(committing, expire_on_commit=False) as own:
            return make_payment(own, city, key="order:1", reference="R").id

    assert len(set(at_once(start))) == 1

    def tell(number: int) -> object:
        bank = gateways()["testbank"]
        payload = b'{"id": "tbe_1", "kind": "other", "account": "", "about": {}}'
        seen = bank.read_event(payload, bank.sign(payload, now()), now())  # type: ignore[attr-defined]
        with transaction() as own:
            return receive(own, bank, seen, now())

    assert Counter(at_once(tell)) == {True: 1, False: AT_ONCE - 1}


def test_refunds_at_once_never_give_back_more_than_was_paid(
    committing: Engine, committing_app: Flask, at_once
) -> None:
    with inside(committing_app), Session(committing, expire_on_commit=False) as session:
        city = make_city(session)
        session.commit()
        payment = opened_payment(session, city, amount=1_000)
        committing_app.test_client().post(payment.url, data={"act": "pay"})
        settle_payment(city.id, payment.id)

        def give_back(number: int) -> object:
            with transaction() as own:
                mine = own.get_one(Payment, (city.id, payment.id))
                refund = request_refund(own, mine, 300, key=f"r{number}", reason="test", at=now())
            return send_refund(city.id, refund.id).state

        found = Counter(at_once(give_back))
        assert found == {"succeeded": 3, RefundTooLarge: AT_ONCE - 3}

        (refund_id, *_) = session.scalars(select(Refund.id)).all()
        at_once(lambda _: send_refund(city.id, refund_id).state)
        assert session.scalar(select(func.sum(TestBankRefund.amount_minor))) == 900
        assert list(problems_of(city)) == []
