"""Payments for tests, on the built-in test bank, and faults between it and us."""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor, system
from marketplace.accounts.models import Organisation
from marketplace.app import job_context
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.money import Money
from marketplace.payments import actions
from marketplace.payments.asking import open_at_gateway
from marketplace.payments.gateway import CheckoutLine, GatewayDown, gateways
from marketplace.payments.models import LedgerEntry, LedgerLine, Payee, Payment, TestBankAccount
from tests.factories.people import make_organisation

numbers = count(1)


def make_payee(session: Session, city: City, *, state: str = "enabled", **fields: object) -> Payee:
    """A supplier with an account at the test bank."""
    organisation: Any = fields.pop("organisation", None) or make_organisation(
        session, city, name=f"Supplier {next(numbers)} Oy", kind="company"
    )
    account = f"tba_test{next(numbers)}"
    session.add(
        TestBankAccount(
            external_id=account, key=account, name=organisation.name, state=state, requirements=[]
        )
    )
    payee = Payee(
        city_id=city.id,
        organisation_id=organisation.id,
        gateway="testbank",
        external_id=account,
        state=state,
        requirements=[],
        **fields,
    )
    session.add(payee)
    session.flush()
    return payee


def make_payment(
    session: Session,
    city: City,
    *,
    amount: int = 10_000,
    payer: Actor | None = None,
    payee: Payee | Organisation | None = None,
    fee: int = 0,
    capture: str = "automatic",
    reference: str | None = None,
    key: str | None = None,
    at: datetime | None = None,
    expires_in: timedelta = timedelta(minutes=30),
) -> Payment:
    """One that was just started: no pay page yet. Needs an application context."""
    n, at = next(numbers), at or now()
    party = payee.organisation_id if isinstance(payee, Payee) else payee.id if payee is not None else None
    payment = actions.start_payment(
        session,
        city,
        reference=reference or f"ORDR-{n:04d}",
        payer=payer or system(city.id),
        payee_organisation_id=party,
        amount=Money(amount),
        fee_minor=fee,
        capture=capture,
        lines=[CheckoutLine("Large hall, 2 h", 1, amount)],
        return_path=f"/en/orders/{n}/back",
        expires_at=at + expires_in,
        key=key or f"order:{n}",
        language="en",
        at=at,
    )
    session.commit()
    return payment


def opened_payment(session: Session, city: City, **fields: Any) -> Payment:
    """One with a pay page at the test bank."""
    made = make_payment(session, city, **fields)
    open_at_gateway(city.id, made.id)
    session.expire_all()
    return session.get_one(Payment, (city.id, made.id))


def press(client: FlaskClient, payment: Payment, act: str) -> Any:
    """What the payer does on the test bank's page."""
    return client.post(payment.url, data={"act": act})


def paid_payment(
    session: Session, city: City, client: FlaskClient, run_jobs: Callable[[], int], **fields: Any
) -> Payment:
    payment = opened_payment(session, city, **fields)
    press(client, payment, "pay")
    run_jobs()
    session.refresh(payment)
    assert payment.state == "paid"
    return payment


def refunded(
    session: Session, payment: Payment, amount: int, run_jobs: Callable[[], int], *, key: str | None = None
) -> Any:
    refund = actions.request_refund(
        session, payment, amount, key=key or f"refund:{next(numbers)}", reason="test", at=now()
    )
    session.commit()
    run_jobs()
    session.refresh(refund)
    session.refresh(payment)
    return refund


def ledger_sums(
    session: Session, city: City, reference: str | None = None
) -> dict[tuple[str, int | None], int]:
    """What is posted, by account and party; nothing is left out but zero."""
    query = (
        select(LedgerLine.account, LedgerLine.party_id, func.sum(LedgerLine.amount_minor))
        .join(
            LedgerEntry, (LedgerEntry.city_id == LedgerLine.city_id) & (LedgerEntry.id == LedgerLine.entry_id)
        )
        .where(LedgerLine.city_id == city.id)
        .group_by(LedgerLine.account, LedgerLine.party_id)
    )
    if reference is not None:
        query = query.where(LedgerEntry.reference == reference)
    return {(account, party): int(total) for account, party, total in session.execute(query) if total}


class FaultyGateway:
    """A gateway behind a bad line. `plan` is played call by call: "ok", "down" (nothing was done), "lost" (it was done,
    the answer is not heard); then all goes well."""

    asks = frozenset(
        {
            "create_checkout",
            "look_up",
            "capture",
            "cancel",
            "refund",
            "find_refund",
            "look_up_refund",
            "create_account",
            "look_up_account",
            "payouts_of",
        }
    )

    def __init__(self, gateway: Any, plan: Iterable[str] = ()) -> None:
        self._gateway = gateway
        self.plan, self.calls = deque(plan), list[str]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._gateway, name)
        if name not in self.asks:
            return found

        def asked(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            fault = self.plan.popleft() if self.plan else "ok"
            if fault == "down":
                raise GatewayDown(name)
            answer = found(*args, **kwargs)
            if fault == "lost":
                raise GatewayDown(name)
            return answer

        return asked


def put_faulty(plan: Iterable[str] = ()) -> FaultyGateway:
    """Put a bad line before the test bank; the fixture `money_app` takes it away again."""
    faulty = FaultyGateway(gateways()["testbank"], plan)
    current_app.extensions["payment_gateways"]["testbank"] = faulty
    return faulty


def inside(app: Flask) -> AbstractContextManager[object]:
    return job_context(app)
