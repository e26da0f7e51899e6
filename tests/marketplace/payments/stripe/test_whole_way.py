"""The whole way on the stand-in: our rows, stripe-python over HTTP, a payer, webhooks good and bad, the sweeper, the proof.

What is posted at the end is held against what the stand-in's own books say.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.accounts.actor import system
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.payments.actions import cancel_payment, capture_payment, request_refund
from marketplace.payments.asking import open_at_gateway, settle_payment
from marketplace.payments.gateway import GatewayDown
from marketplace.payments.models import Dispute, GatewayEvent, LedgerEntry, Payee, Payment, Payout, Refund
from marketplace.payments.rules import UNDECIDED
from marketplace.payments.stripe_gateway import StripeGateway
from marketplace.payments.sweeper import sweep
from marketplace.payments.verify import problems_of
from tests.factories.payments import inside, ledger_sums, make_payment
from tests.factories.people import make_organisation
from tests.stripe_standin import (
    ASKS_TO_CONFIRM,
    CONNECT_SECRET,
    DECLINED,
    DISPUTED,
    GOOD,
    REFUND_FAILS,
    REFUND_PENDS,
    SECRET,
    StandIn,
    body_of,
    signature,
    stripe_fee,
)

DOOR = "/payments/webhooks/stripe"
Event = dict[str, Any]


@pytest.fixture(autouse=True)
def on_stripe(app: Flask, session: Session, gateway: StripeGateway):
    """Stripe is the only gateway."""
    before = dict(app.extensions["payment_gateways"])
    with inside(app):
        app.extensions["payment_gateways"] = {"stripe": gateway}
        yield
    app.extensions["payment_gateways"] = before


class Way:
    """A payment's way from both ends."""

    def __init__(
        self, session: Session, city: City, stripe: StandIn, client: FlaskClient, run_jobs: Callable[[], int]
    ) -> None:
        self.session, self.city, self.stripe, self.client, self.run = session, city, stripe, client, run_jobs
        self.told = 0

    def opened(self, amount: int = 4217, **fields: Any) -> Payment:
        made = make_payment(self.session, self.city, amount=amount, **fields)
        self.run()
        self.session.refresh(made)
        return made

    def pay(self, payment: Payment, card: str = GOOD) -> None:
        """The payer at Stripe's page. Nothing is told yet."""
        self.stripe.world.pay(payment.session_external_id or "", card)

    def new_events(self) -> list[Event]:
        events = self.stripe.events()[self.told :]
        self.told += len(events)
        return events

    def tell(self, event: Event, *, secret: str | None = None, seconds: int = 0) -> int:
        """One webhook at our door, signed so many seconds from now; the answer's status."""
        body = body_of(event)
        secret = secret or (CONNECT_SECRET if "account" in event else SECRET)
        signed = signature(body, secret, at=int(now().timestamp()) + seconds)
        answer = self.client.post(DOOR, data=body, headers={"Stripe-Signature": signed})
        return answer.status_code

    def tell_all(self, events: list[Event] | None = None) -> None:
        for event in self.new_events() if events is None else events:
            assert self.tell(event) == 200
        self.run()

    def paid(self, amount: int = 4217, card: str = GOOD, **fields: Any) -> Payment:
        payment = self.opened(amount, **fields)
        self.pay(payment, card)
        self.tell_all()
        self.session.refresh(payment)
        return payment

    def refunded(self, payment: Payment, amount: int, key: str) -> Refund:
        refund = request_refund(self.session, payment, amount, key=key, reason="test", at=now())
        self.session.commit()
        self.run()
        self.tell_all()
        for row in (payment, refund):
            self.session.refresh(row)
        return refund

    def payee(self) -> Payee:
        organisation = make_organisation(self.session, self.city, name="Kallion salit Oy", kind="company")
        account = self.stripe.world.create_account({"capabilities": {"transfers": {"requested": True}}})
        self.stripe.world.onboard(account["id"], complete=True)
        payee = Payee(
            city_id=self.city.id,
            organisation_id=organisation.id,
            gateway="stripe",
            external_id=account["id"],
            state="enabled",
            requirements=[],
        )
        self.session.add(payee)
        self.session.commit()
        self.tell_all()
        return payee

    def problems(self) -> list[str]:
        self.session.commit()
        return list(problems_of(self.city))

    def later(self, **after: float) -> None:
        sweep(now() + timedelta(**after))
        self.run()
        self.session.expire_all()

    def forget_jobs(self) -> None:
        """The worker was killed, and its jobs with it."""
        self.session.execute(text("DELETE FROM procrastinate_jobs"))
        self.session.commit()


@pytest.fixture
def way(
    session: Session, city: City, stripe: StandIn, client: FlaskClient, run_jobs: Callable[[], int]
) -> Way:
    return Way(session, city, stripe, client, run_jobs)


def test_opened_paid_told_posted_and_given_back(way: Way, session: Session, city: City) -> None:
    payment = way.opened(4217)
    assert (payment.state, payment.gateway) == ("open", "stripe")
    way.pay(payment)
    way.tell_all()
    session.refresh(payment)
    kept = stripe_fee(4217)
    assert (payment.state, payment.captured_minor, payment.gateway_fee_minor) == ("paid", 4217, kept)
    assert ledger_sums(session, city) == {
        ("gateway", None): 4217 - kept,
        ("payer", None): -4217,
        ("gateway_fee", None): kept,
    }
    refund = way.refunded(payment, 4217, "r1")
    assert (refund.state, payment.refunded_minor) == ("succeeded", 4217)
    assert ledger_sums(session, city) == {("gateway", None): -kept, ("gateway_fee", None): kept}
    assert way.problems() == []


def test_a_suppliers_payment_and_refunds_agree_with_stripes_own_books(
    way: Way, session: Session, city: City, stripe: StandIn
) -> None:
    payee = way.payee()
    payment = way.paid(10_000, payee=payee, fee=1_235)
    refunds = [way.refunded(payment, amount, f"r{amount}") for amount in (3_333, 1, 2_222)]
    fee = stripe.world.of_kind("application_fee")[0]
    balance = stripe.world.things[payee.external_id or ""]["_balance"]
    assert sum(refund.fee_minor for refund in refunds) == fee["amount_refunded"]
    sums = ledger_sums(session, city)
    assert sums["supplier", payee.organisation_id] == 10_000 - 5_556
    assert -sums["city_fee", None] == 1_235 - fee["amount_refunded"]
    assert balance == sums["supplier", payee.organisation_id] + sums["city_fee", None]
    assert way.problems() == []


def test_authorised_then_taken_when_the_owner_accepts(way: Way, session: Session) -> None:
    payment = way.paid(capture="manual")
    assert (payment.state, payment.captured_minor) == ("authorised", 0)
    capture_payment(session, payment, at=now(), actor=system(way.city.id))
    session.commit()
    way.run()
    way.tell_all()
    session.refresh(payment)
    assert (payment.state, payment.captured_minor) == ("paid", 4217)
    assert way.problems() == []


def test_authorised_then_given_back_when_the_owner_declines(way: Way, session: Session) -> None:
    payment = way.paid(capture="manual")
    cancel_payment(session, payment, at=now(), actor=system(way.city.id))
    session.commit()
    way.run()
    way.tell_all()
    session.refresh(payment)
    assert payment.state == "cancelled"
    assert way.problems() == []


def test_declined_then_another_card(way: Way, session: Session) -> None:
    payment = way.paid(card=DECLINED)
    assert (payment.state, payment.failure_code) == ("open", "generic_decline")
    way.pay(payment)
    way.tell_all()
    session.refresh(payment)
    assert payment.state == "paid"


def test_a_bank_that_is_never_answered_ends_with_the_time(way: Way, session: Session) -> None:
    payment = way.opened()
    way.pay(payment, ASKS_TO_CONFIRM)
    way.tell_all()
    session.refresh(payment)
    assert payment.state == "open"
    payment.expires_at = now() - timedelta(seconds=1)
    session.commit()
    way.later(minutes=10)
    way.tell_all()
    session.refresh(payment)
    assert payment.state == "expired"
    assert way.stripe.world.of_kind("payment_intent")[0]["status"] == "canceled"


@pytest.mark.parametrize("fault", ["down", "429", "500", "drop-after", "500-after", "500-kept", "nonsense"])
def test_a_page_that_could_not_be_opened_at_once_is_opened_by_the_sweeper(
    way: Way, session: Session, city: City, stripe: StandIn, fault: str
) -> None:
    payment = make_payment(session, city, amount=900)
    way.forget_jobs()
    stripe.fault(fault, "POST /v1/checkout/sessions")
    with pytest.raises(GatewayDown):
        open_at_gateway(city.id, payment.id)
    way.later(minutes=10)
    session.refresh(payment)
    assert payment.state == "open"
    assert payment.url
    assert payment.url.endswith(payment.session_external_id or "-")


@pytest.mark.parametrize("seed", range(6))
def test_events_twice_and_in_any_order(way: Way, session: Session, city: City, seed: int) -> None:
    payment = way.opened(1000)
    way.pay(payment)
    events = way.new_events() * 2
    random.Random(seed).shuffle(events)
    way.tell_all(events)
    session.refresh(payment)
    assert payment.state == "paid"
    posted = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.id)).all()
    assert sorted(posted) == ["gateway.fee", "payment.paid"]
    assert len(session.scalars(select(GatewayEvent.id)).all()) == len(events) // 2
    assert way.problems() == []


def test_lost_webhooks_are_asked_for(way: Way, session: Session) -> None:
    payment = way.opened(1000)
    way.pay(payment)
    way.new_events()
    way.later(minutes=10)
    session.refresh(payment)
    assert (payment.state, payment.gateway_fee_minor) == ("paid", stripe_fee(1000))
    assert way.problems() == []


def test_forged_and_replayed_ones_are_refused_and_change_nothing(way: Way, session: Session) -> None:
    payment = way.opened(1000)
    way.pay(payment)
    events = way.new_events()
    for event in events:
        assert way.tell(event, secret="whsec_of_somebody_else") == 400
        assert way.tell(event, secret=CONNECT_SECRET) == 400
        assert way.tell(event, seconds=-600) == 400
        assert way.tell({**event, "account": "acct_of_somebody"}, secret=SECRET) == 400
    way.run()
    session.refresh(payment)
    assert payment.state == "open"
    assert session.scalars(select(GatewayEvent.id)).all() == []


def test_another_mode_and_unknown_accounts_are_kept_and_not_acted_upon(way: Way, session: Session) -> None:
    payment = way.opened(1000)
    way.pay(payment)
    for event in way.new_events():
        assert way.tell({**event, "id": f"{event['id']}l", "livemode": True}) == 200
        assert way.tell({**event, "id": f"{event['id']}a", "account": "acct_of_somebody"}) == 200
    way.run()
    session.refresh(payment)
    assert payment.state == "open"
    problems = set(session.scalars(select(GatewayEvent.problem)))
    assert problems == {"other-mode", "unknown-account"}


def test_a_known_suppliers_own_customers_are_none_of_ours(way: Way, session: Session) -> None:
    payee = way.payee()
    payment = way.opened(1000)
    way.pay(payment)
    way.tell_all([{**event, "account": payee.external_id} for event in way.new_events()])
    session.refresh(payment)
    assert payment.state == "open"


@pytest.mark.parametrize("fault", ["down", "429", "500", "drop-after", "500-after", "500-kept"])
def test_a_refund_is_made_once_whatever_happens_to_the_call(
    way: Way, session: Session, stripe: StandIn, fault: str
) -> None:
    payment = way.paid(1000)
    refund = request_refund(session, payment, 600, key="r", reason="test", at=now())
    session.commit()
    stripe.fault(fault, "POST /v1/refunds")
    try:
        way.run()
    except GatewayDown:
        way.later(minutes=10)
        way.later(minutes=20)
    way.tell_all()
    session.refresh(refund)
    assert refund.state == "succeeded"
    assert [made["amount"] for made in stripe.world.of_kind("refund")] == [600]
    assert way.problems() == []


def test_a_refund_on_its_way_and_one_that_comes_back(
    way: Way, session: Session, city: City, stripe: StandIn
) -> None:
    payment = way.paid(1000, card=REFUND_PENDS)
    refund = way.refunded(payment, 400, "r1")
    assert refund.state == "sent"
    stripe.world.settle_refund(refund.external_id or "", "succeeded")
    way.tell_all()
    session.refresh(refund)
    assert refund.state == "succeeded"
    other = way.paid(1000, card=REFUND_FAILS)
    failed = way.refunded(other, 400, "r2")
    assert (failed.state, failed.failure_code, other.refunded_minor) == (
        "failed", "expired_or_canceled_card", 0,
    )  # fmt: skip
    assert way.problems() == []


def test_a_refund_that_staff_made_at_stripe_is_ours_too(way: Way, session: Session, stripe: StandIn) -> None:
    payment = way.paid(1000)
    stripe.world.refund({"payment_intent": payment.intent_external_id, "amount": 250})
    way.tell_all()
    session.refresh(payment)
    assert payment.refunded_minor == 250
    assert way.problems() == []


def test_a_dispute_is_recorded_and_won_back(way: Way, session: Session, city: City, stripe: StandIn) -> None:
    payment = way.paid(1000, card=DISPUTED)
    (dispute,) = session.scalars(select(Dispute)).all()
    assert (dispute.state, dispute.amount_minor, dispute.payment_id) == ("open", 1000, payment.id)
    assert ledger_sums(session, city)["disputed", None] == 1000
    stripe.world.close_dispute(dispute.external_id, "won")
    way.tell_all()
    session.refresh(dispute)
    assert dispute.state == "won"
    assert ("disputed", None) not in ledger_sums(session, city)
    assert way.problems() == []


def test_a_suppliers_account_and_payouts_are_followed(way: Way, session: Session, stripe: StandIn) -> None:
    payee = way.payee()
    account = payee.external_id or ""
    way.paid(10_000, payee=payee, fee=1_000)
    stripe.world.pay_out(account)
    way.tell_all()
    (payout,) = session.scalars(select(Payout)).all()
    assert (payout.amount_minor, payout.state, payout.currency) == (9_000, "paid", "EUR")
    stripe.world.onboard(account, complete=False)
    way.tell_all()
    session.refresh(payee)
    assert (payee.state, payee.requirements) == ("restricted", ["company.verification.document"])
    stripe.world.leave(account)
    way.tell_all()
    session.refresh(payee)
    assert payee.state == "disabled"


# -- many at once -------------------------------------------------------------------------------------------------

CARDS = [GOOD, GOOD, GOOD, DECLINED, ASKS_TO_CONFIRM, REFUND_PENDS, REFUND_FAILS]
FAULTS = ["down", "429", "500", "drop-after", "500-after", "500-kept", "nonsense"]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_the_books_agree_and_nothing_stays_undecided(
    way: Way, session: Session, city: City, stripe: StandIn, seed: int
) -> None:
    """Random payers, captures, refunds, faults of the line and of the webhooks; then the sweeper, then the proof."""
    dice = random.Random(seed)
    payee = way.payee()
    for _ in range(8):
        live_through(way, payee, dice)
    stripe.clear_faults()
    for pending in [one for one in stripe.world.of_kind("refund") if one["status"] == "pending"]:
        stripe.world.settle_refund(pending["id"], "succeeded")
    for _ in range(3):
        for payment in session.scalars(select(Payment)):
            payment.expires_at = now() - timedelta(seconds=1)
            if payment.state == "authorised" and payment.wish is None:
                cancel_payment(session, payment, at=now(), actor=system(city.id))
        session.commit()
        way.later(hours=2)
    assert not session.scalars(select(Payment.id).where(Payment.state.in_(UNDECIDED))).all()
    assert not session.scalars(select(Refund.id).where(Refund.state.in_(("requested", "sent")))).all()
    assert way.problems() == []


def live_through(way: Way, payee: Payee, dice: random.Random) -> None:
    """One payment's life, with bad luck."""
    session, actor = way.session, system(way.city.id)
    for _ in range(dice.randrange(4)):
        way.stripe.fault(dice.choice(FAULTS), dice.choice(["^POST", "^GET.*sessions", "^GET.*refunds"]))
    total, for_supplier = dice.randint(50, 50_000), dice.random() < 0.5
    payment = make_payment(
        session,
        way.city,
        amount=total,
        payee=payee if for_supplier else None,
        fee=total // 8 if for_supplier else 0,
        capture=dice.choice(["automatic", "manual"]),
    )
    settle(way)
    session.refresh(payment)
    if payment.state == "open":
        way.pay(payment, dice.choice(CARDS))
    some_news(way, dice)
    session.refresh(payment)
    if payment.state == "authorised":
        dice.choice([capture_payment, cancel_payment])(session, payment, at=now(), actor=actor)
        session.commit()
        settle(way)
    for number in range(dice.randrange(4)):
        session.refresh(payment)
        if left := payment.captured_minor - payment.refunded_minor:
            key = f"{payment.id}-{number}"
            request_refund(session, payment, dice.randint(1, left), key=key, reason="test", at=now())
            session.commit()
            settle(way)
    some_news(way, dice)


def settle(way: Way) -> None:
    """Run the jobs; one that Stripe did not answer is gone, as with a worker that was killed."""
    for _ in range(20):
        try:
            way.run()
        except GatewayDown:
            continue
        break
    way.session.expire_all()


def some_news(way: Way, dice: random.Random) -> None:
    """What was told since: some of it lost, some of it twice, in any order."""
    events = way.new_events()
    for event in dice.choices(events, k=dice.randrange(9)) if events else []:
        assert way.tell(event) == 200
    settle(way)


def test_settling_is_safe_to_repeat(way: Way, session: Session, city: City, stripe: StandIn) -> None:
    payment = way.paid(1000)
    for _ in range(3):
        settle_payment(city.id, payment.id)
    assert len(session.scalars(select(LedgerEntry.id)).all()) == 2
    assert len(stripe.world.of_kind("charge")) == 1
