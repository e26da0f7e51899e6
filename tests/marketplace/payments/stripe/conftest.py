"""A stand-in for Stripe per test, and the gateway that talks to it through stripe-python over real HTTP."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.payments.gateway import AccountAsk, CheckoutAsk, CheckoutLine, PaymentRef
from marketplace.payments.stripe_gateway import StripeGateway
from marketplace.settings import Settings
from tests.stripe_standin import CONNECT_SECRET, GOOD, KEY, SECRET, StandIn

BACK = "https://helsinki.example/fi/orders/T-1/back"


@pytest.fixture
def stripe() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


@pytest.fixture
def stripe_settings(stripe: StandIn) -> Settings:
    return Settings(
        env="test",
        stripe_key=KEY,
        stripe_webhook_secret=SECRET,
        stripe_connect_webhook_secret=CONNECT_SECRET,
        stripe_api_base=stripe.url,
        payment_timeout_seconds=5,
    )


@pytest.fixture
def gateway(stripe_settings: Settings) -> StripeGateway:
    return StripeGateway(stripe_settings)


@pytest.fixture
def hasty(stripe_settings: Settings) -> StripeGateway:
    """One that waits for a third of a second."""
    return StripeGateway(replace(stripe_settings, payment_timeout_seconds=0.3))  # type: ignore[arg-type]


def ask_for(
    total: int = 4550,
    *,
    key: str = "payment-1-1",
    payee: str | None = None,
    fee: int = 0,
    capture: str = "automatic",
    lines: list[CheckoutLine] | None = None,
    minutes: int = 15,
    language: str = "fi",
) -> CheckoutAsk:
    now = datetime.now(UTC)
    return CheckoutAsk(
        key=key,
        reference="T-1",
        amount_minor=total,
        currency="EUR",
        fee_minor=fee,
        payee_external_id=payee,
        capture=capture,
        lines=lines or [CheckoutLine("Kokoushuone, 2 h", 1, total)],
        email="aino@example.org",
        language=language,
        return_url=BACK,
        asked_at=now,
        expires_at=now + timedelta(minutes=minutes),
    )


Opened = Callable[..., PaymentRef]


@pytest.fixture
def opened(gateway: StripeGateway) -> Opened:
    """Open a pay page; the payment as a row would know it."""

    def open_page(total: int = 4550, **given) -> PaymentRef:
        ask = ask_for(total, **given)
        session = gateway.create_checkout(ask)
        return PaymentRef(
            key=ask.key,
            session_external_id=session.external_id,
            intent_external_id=None,
            amount_minor=total,
            currency="EUR",
            fee_minor=ask.fee_minor,
            payee_external_id=ask.payee_external_id,
            capture=ask.capture,
        )

    return open_page


@pytest.fixture
def paid(stripe: StandIn, opened: Opened) -> Opened:
    """A page that somebody paid on with a good card, or with `card`."""

    def pay(total: int = 4550, *, card: str = GOOD, **given) -> PaymentRef:
        ref = opened(total, **given)
        stripe.world.pay(ref.session_external_id or "", card)
        return ref

    return pay


@pytest.fixture
def supplier(stripe: StandIn, gateway: StripeGateway) -> str:
    """A supplier's account that is ready."""
    account = gateway.create_account(account_ask())
    stripe.world.onboard(account, complete=True)
    return account


def account_ask(key: str = "payee-1-7") -> AccountAsk:
    return AccountAsk(
        key=key, country="FI", name="Kallion salit Oy", email="salit@example.org", business_id="1234567-8"
    )
