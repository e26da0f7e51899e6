"""What goes wrong between us and Stripe, and that nothing is done twice or forgotten over it."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from marketplace.payments.gateway import GatewayDown, GatewayRefused
from marketplace.payments.stripe_gateway import StripeGateway
from marketplace.settings import Settings
from tests.marketplace.payments.stripe.conftest import BACK, Opened, account_ask, ask_for
from tests.stripe_standin import CONNECT_SECRET, KEY, SECRET, StandIn

NOT_DONE = ["down", "429", "500", "409"]
DONE_BUT_UNTOLD = ["drop-after", "nonsense", "500-after"]


@pytest.mark.parametrize("fault", [*NOT_DONE, *DONE_BUT_UNTOLD])
def test_a_page_is_opened_once_whatever_happened_to_the_first_answer(
    stripe: StandIn, gateway: StripeGateway, fault: str
) -> None:
    ask = ask_for()
    stripe.fault(fault, "POST /v1/checkout/sessions")
    with pytest.raises(GatewayDown):
        gateway.create_checkout(ask)
    opened = gateway.create_checkout(ask)
    assert [one["id"] for one in stripe.world.of_kind("checkout.session")] == [opened.external_id]


def test_a_slow_answer_is_given_up_and_asked_for_again(stripe: StandIn, hasty: StripeGateway) -> None:
    ask = ask_for()
    stripe.fault("slow", "POST /v1/checkout/sessions")
    with pytest.raises(GatewayDown):
        hasty.create_checkout(ask)
    hasty.create_checkout(ask)
    assert len(stripe.world.of_kind("checkout.session")) == 1


def test_nobody_there(stripe_settings: Settings) -> None:
    with StandIn() as gone:
        url = gone.url
    with pytest.raises(GatewayDown):
        StripeGateway(replace(stripe_settings, stripe_api_base=url)).create_checkout(ask_for())


def test_an_error_that_stripe_keeps_for_the_key_is_passed_by(stripe: StandIn, gateway: StripeGateway) -> None:
    """The page that came of it cannot be paid on, as its address was never told: another may be opened."""
    ask = ask_for()
    stripe.fault("500-kept", "POST /v1/checkout/sessions")
    with pytest.raises(GatewayDown):
        gateway.create_checkout(ask)
    first = gateway.create_checkout(ask)
    assert gateway.create_checkout(ask) == first


@pytest.mark.parametrize("fault", [*NOT_DONE, *DONE_BUT_UNTOLD, "500-kept"])
def test_money_is_given_back_once(stripe: StandIn, gateway: StripeGateway, paid: Opened, fault: str) -> None:
    ref = paid(1000)
    stripe.fault(fault, "POST /v1/refunds")
    for _ in range(3):
        try:
            back = gateway.refund(ref, 700, reverse_fee=False, key="r1")
        except GatewayDown:
            continue
        break
    assert back.state == "succeeded"
    assert [refund["id"] for refund in stripe.world.of_kind("refund")] == [back.external_id]
    assert gateway.look_up(ref).refunded_minor == 700


def test_a_refund_that_stripe_did_not_make_and_will_not_for_this_key_is_made_for_another(
    stripe: StandIn, gateway: StripeGateway, paid: Opened
) -> None:
    ref = paid(1000)
    stripe.fault("500-kept", "POST /v1/refunds")
    gateway.refund(ref, 700, reverse_fee=False, key="r1")
    stripe.world.things.pop(stripe.world.of_kind("refund")[0]["id"])
    assert gateway.refund(ref, 300, reverse_fee=False, key="r2").state == "succeeded"
    again = gateway.refund(ref, 700, reverse_fee=False, key="r1")
    assert stripe.calls("POST /v1/refunds")[-1].key == "r1:again:refund"
    assert again.state == "succeeded"


@pytest.mark.parametrize("fault", [*NOT_DONE, *DONE_BUT_UNTOLD, "500-kept"])
def test_money_is_taken_once(stripe: StandIn, gateway: StripeGateway, paid: Opened, fault: str) -> None:
    ref = paid(1000, capture="manual")
    stripe.fault(fault, "/capture")
    for _ in range(3):
        try:
            took = gateway.capture(ref, 1000, key="cap")
        except GatewayDown:
            continue
        break
    assert (took.state, took.captured_minor) == ("paid", 1000)
    assert len(stripe.events("payment_intent.succeeded")) == 1


@pytest.mark.parametrize("fault", [*NOT_DONE, *DONE_BUT_UNTOLD, "500-kept"])
@pytest.mark.parametrize(("capture", "end"), [("automatic", "expired"), ("manual", "cancelled")])
def test_a_payment_ends_once(
    stripe: StandIn, gateway: StripeGateway, opened: Opened, paid: Opened, fault: str, capture: str, end: str
) -> None:
    ref = opened() if capture == "automatic" else paid(capture="manual")
    stripe.fault(fault, "POST .*/(expire|cancel)$")
    for _ in range(3):
        try:
            seen = gateway.cancel(ref, key="c")
        except GatewayDown:
            continue
        break
    assert seen.state == end


def test_paid_in_the_moment_that_the_page_is_closed(
    stripe: StandIn, gateway: StripeGateway, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our closing somebody pays: they have paid."""
    ref = opened()
    real = gateway.look_up

    def look_then_pay(payment):
        monkeypatch.setattr(gateway, "look_up", real)
        seen = real(payment)
        stripe.world.pay(payment.session_external_id, "4242424242424242")
        return seen

    monkeypatch.setattr(gateway, "look_up", look_then_pay)
    assert gateway.cancel(ref, key="c").state == "paid"


@pytest.mark.parametrize("fault", [*NOT_DONE, *DONE_BUT_UNTOLD])
def test_an_account_is_opened_once(stripe: StandIn, gateway: StripeGateway, fault: str) -> None:
    stripe.fault(fault, "POST /v1/accounts")
    with pytest.raises(GatewayDown):
        gateway.create_account(account_ask())
    account = gateway.create_account(account_ask())
    assert [one["id"] for one in stripe.world.of_kind("account")] == [account]


@pytest.mark.parametrize("fault", ["down", "429", "500", "nonsense"])
def test_a_question_that_is_not_answered_says_so(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, supplier: str, fault: str
) -> None:
    ref = paid(1000)
    back = gateway.refund(ref, 10, reverse_fee=False, key="r1")
    questions: list[Callable[[], object]] = [
        lambda: gateway.look_up(ref),
        lambda: gateway.look_up_refund(back.external_id),
        lambda: gateway.find_refund(ref, "r1"),
        lambda: gateway.look_up_account(supplier),
        lambda: gateway.payouts_of(supplier),
        lambda: gateway.account_link(supplier, return_url=BACK, refresh_url=BACK),
    ]
    for question in questions:
        stripe.fault(fault)
        with pytest.raises(GatewayDown):
            question()
        stripe.clear_faults()
        question()


def test_a_key_that_stripe_does_not_take_loses_nobody_their_money(
    stripe_settings: Settings, paid: Opened
) -> None:
    """An operator can mend that: a refund goes on being tried and is not called failed."""
    locked_out = StripeGateway(replace(stripe_settings, stripe_key="sk_test_wrong0000"))
    with pytest.raises(GatewayDown):
        locked_out.refund(paid(), 100, reverse_fee=False, key="r1")


def test_another_version_is_not_spoken(
    stripe_settings: Settings, monkeypatch: pytest.MonkeyPatch, stripe: StandIn
) -> None:
    monkeypatch.setattr("marketplace.payments.stripe_gateway.API_VERSION", "2024-06-20")
    with pytest.raises(GatewayRefused):
        StripeGateway(stripe_settings).create_checkout(ask_for())


# -- secrets ------------------------------------------------------------------------------------------------------


def test_no_secret_and_nobodys_address_is_logged_or_shown(
    stripe: StandIn,
    stripe_settings: Settings,
    paid: Opened,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = StripeGateway(stripe_settings)
    ref = paid()
    wrong = StripeGateway(replace(stripe_settings, stripe_key="sk_test_wrong0000"))
    stripe.fault("500", "POST /v1/refunds", times=9)
    told = []
    for attempt in (
        lambda: wrong.look_up(ref),
        lambda: gateway.refund(ref, 10, reverse_fee=False, key="r"),
        lambda: gateway.look_up(replace(ref, session_external_id="cs_gone")),
        lambda: gateway.create_checkout(ask_for(10, key="other")),
    ):
        with pytest.raises((GatewayDown, GatewayRefused)) as error:
            attempt()
        assert error.value.__suppress_context__
        told.append(repr(error.value))
    assert len([one for one in caplog.records if one.name == "marketplace.payments.stripe_gateway"]) == 4
    fields = [str(vars(one)) for one in caplog.records]
    everything = " ".join(
        [caplog.text, *fields, *told, *capfd.readouterr(), repr(gateway), str(gateway), repr(stripe_settings)]
    )
    intent = stripe.world.of_kind("payment_intent")[0]
    for secret in (
        KEY, "sk_test_wrong0000", SECRET, CONNECT_SECRET, intent["client_secret"], "aino@example.org",
    ):  # fmt: skip
        assert secret not in everything
    assert repr(gateway) == "<StripeGateway test>"
