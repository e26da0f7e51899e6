"""Pay pages: what Stripe is asked for, what a payer can do there, and how it is told back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.payments import stripe_words
from marketplace.payments.gateway import CheckoutLine, GatewayRefused, Outcome, PaymentRef
from marketplace.payments.stripe_gateway import API_VERSION, StripeGateway
from tests.marketplace.payments.stripe.conftest import BACK, Opened, ask_for
from tests.stripe_standin import ASKS_TO_CONFIRM, DECLINED, GOOD, NO_FUNDS, StandIn, stripe_fee


def session_of(stripe: StandIn, ref: PaymentRef) -> dict[str, Any]:
    return stripe.world.things[ref.session_external_id or ""]


def test_stripe_is_asked_for_exactly_our_lines_and_total(stripe: StandIn, gateway: StripeGateway) -> None:
    lines = [
        CheckoutLine("Sali, 3 h", 3, 9000),
        CheckoutLine("Tuolit", 3, 1000),
        CheckoutLine("Yhdistysalennus", 1, -500),
        CheckoutLine("Kanta-asiakas", 1, -1),
    ]
    session = gateway.create_checkout(ask_for(9499, lines=lines))
    kept = stripe.world.things[session.external_id]
    assert kept["amount_total"] == 9499
    assert [(line["label"], line["quantity"], line["total"]) for line in kept["_lines"]] == [
        ("Sali, 3 h", 3, 9000),
        ("Tuolit × 3", 1, 1000),
    ]
    assert kept["total_details"]["amount_discount"] == 501
    assert kept["_discount"] == "Yhdistysalennus, Kanta-asiakas"
    assert (kept["client_reference_id"], kept["locale"], kept["customer_email"]) == (
        "T-1",
        "fi",
        "aino@example.org",
    )
    assert (kept["success_url"], kept["cancel_url"]) == (BACK, BACK)
    assert session.url == f"{stripe.url}/c/pay/{session.external_id}"
    assert session.intent_external_id is None


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(-2000, 100_000)), min_size=1, max_size=12))
def test_no_cent_is_lost_between_our_lines_and_theirs(lines: list[tuple[int, int]]) -> None:
    ours = [CheckoutLine("x", quantity, total) for quantity, total in lines]
    items, off, name = stripe_words.line_items(ours, "EUR")
    theirs = sum(item["quantity"] * item["price_data"]["unit_amount"] for item in items)
    assert theirs - off == sum(line.total_minor for line in ours)
    assert all(item["price_data"]["unit_amount"] >= 0 for item in items)
    assert len(name) <= 40


@pytest.mark.parametrize(("language", "locale"), [("sv", "sv"), ("en", "en"), ("fi", "fi"), ("se", "auto")])
def test_the_page_speaks_the_payers_language(
    stripe: StandIn, gateway: StripeGateway, language: str, locale: str
) -> None:
    gateway.create_checkout(ask_for(language=language))
    assert stripe.world.of_kind("checkout.session")[0]["locale"] == locale


def test_lines_that_do_not_add_up_are_never_sent(stripe: StandIn, gateway: StripeGateway) -> None:
    with pytest.raises(ValueError, match="do not add up"):
        gateway.create_checkout(ask_for(100, lines=[CheckoutLine("x", 1, 99)]))
    assert stripe.calls() == []


def test_the_page_closes_by_itself_a_while_after_ours(stripe: StandIn, gateway: StripeGateway) -> None:
    ask = ask_for(minutes=15)
    session = gateway.create_checkout(ask)
    assert session.expires_at == (ask.expires_at + timedelta(minutes=31)).replace(microsecond=0)


def test_a_long_time_to_pay_is_cut_to_what_stripe_keeps_open(stripe: StandIn, gateway: StripeGateway) -> None:
    ask = ask_for(minutes=3 * 24 * 60)
    session = gateway.create_checkout(ask)
    assert "expires_at" not in stripe.calls("POST /v1/checkout/sessions")[0].params
    assert session.expires_at < ask.expires_at


def test_a_suppliers_money_goes_on_to_them_less_the_citys_fee(
    stripe: StandIn, paid: Opened, supplier: str
) -> None:
    paid(10_000, payee=supplier, fee=1_250)
    (call,) = stripe.calls("POST /v1/checkout/sessions$")
    asked = call.params["payment_intent_data"]
    assert asked["transfer_data"] == {"destination": supplier}
    assert asked["application_fee_amount"] == "1250"
    assert stripe.world.things[supplier]["_balance"] == 8_750


def test_a_supplier_who_is_not_ready_cannot_be_paid(
    stripe: StandIn, gateway: StripeGateway, supplier: str
) -> None:
    stripe.world.onboard(supplier, complete=False)
    with pytest.raises(GatewayRefused, match="insufficient_capabilities_for_transfer"):
        gateway.create_checkout(ask_for(payee=supplier))


def test_a_sum_that_no_card_takes_is_refused(gateway: StripeGateway) -> None:
    with pytest.raises(GatewayRefused, match="amount_too_small"):
        gateway.create_checkout(ask_for(49))


def test_the_same_key_is_the_same_page(stripe: StandIn, gateway: StripeGateway) -> None:
    ask = ask_for(4500, lines=[CheckoutLine("a", 1, 5000), CheckoutLine("Alennus", 1, -500)])
    assert gateway.create_checkout(ask) == gateway.create_checkout(ask)
    assert len(stripe.world.of_kind("checkout.session")) == 1
    assert len(stripe.world.of_kind("coupon")) == 1


def test_the_same_key_for_another_sum_is_refused(gateway: StripeGateway) -> None:
    gateway.create_checkout(ask_for(100))
    with pytest.raises(GatewayRefused, match="idempotency_error"):
        gateway.create_checkout(ask_for(200))


def test_paid(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(4550)
    intent = session_of(stripe, ref)["payment_intent"]
    assert gateway.look_up(ref) == Outcome("paid", 4550, intent, stripe_fee(4550), None, 0)
    by_intent = replace(ref, session_external_id=None, intent_external_id=intent)
    assert gateway.look_up(by_intent) == gateway.look_up(ref)


def test_open_until_somebody_pays(gateway: StripeGateway, opened: Opened) -> None:
    assert gateway.look_up(opened()) == Outcome("open")


@pytest.mark.parametrize(("card", "code"), [(DECLINED, "generic_decline"), (NO_FUNDS, "insufficient_funds")])
def test_a_declined_card_leaves_the_page_open_for_another(
    stripe: StandIn, gateway: StripeGateway, opened: Opened, card: str, code: str
) -> None:
    ref = opened()
    assert stripe.world.pay(ref.session_external_id or "", card) == "declined"
    seen = gateway.look_up(ref)
    assert (seen.state, seen.captured_minor, seen.failure_code) == ("open", 0, code)
    stripe.world.pay(ref.session_external_id or "", GOOD)
    seen = gateway.look_up(ref)
    assert (seen.state, seen.captured_minor, seen.failure_code) == ("paid", 4550, None)


def test_a_bank_that_asks_and_is_not_answered(
    stripe: StandIn, gateway: StripeGateway, opened: Opened
) -> None:
    """3-D Secure abandoned: the page stays open until it is closed; then nothing can be paid on it."""
    ref = opened()
    assert stripe.world.pay(ref.session_external_id or "", ASKS_TO_CONFIRM) == "confirm"
    assert gateway.look_up(ref).state == "open"
    assert gateway.cancel(ref, key="c").state == "expired"
    assert stripe.world.of_kind("payment_intent")[0]["status"] == "canceled"


def test_a_bank_that_asks_and_is_told_no_or_yes(
    stripe: StandIn, gateway: StripeGateway, opened: Opened
) -> None:
    ref = opened()
    session = ref.session_external_id or ""
    stripe.world.pay(session, ASKS_TO_CONFIRM)
    assert stripe.world.confirm(session, agreed=False) == "declined"
    assert gateway.look_up(ref).failure_code == "payment_intent_authentication_failure"
    stripe.world.pay(session, ASKS_TO_CONFIRM)
    assert stripe.world.confirm(session, agreed=True) == "paid"
    assert gateway.look_up(ref).state == "paid"


def test_a_page_that_ran_out(stripe: StandIn, gateway: StripeGateway, opened: Opened) -> None:
    ref = opened(minutes=15)
    stripe.world.advance(47 * 60)
    assert gateway.look_up(ref).state == "expired"
    assert gateway.cancel(ref, key="c").state == "expired"


def test_cancelling_an_open_page_closes_it(stripe: StandIn, gateway: StripeGateway, opened: Opened) -> None:
    ref = opened()
    assert gateway.cancel(ref, key="c-1").state == "expired"
    assert gateway.cancel(ref, key="c-1").state == "expired"
    assert len(stripe.calls("/expire")) == 1


def test_cancelling_what_was_paid_meanwhile_says_paid(gateway: StripeGateway, paid: Opened) -> None:
    assert gateway.cancel(paid(), key="c").state == "paid"


def test_a_payment_that_never_reached_stripe_is_refused(gateway: StripeGateway, opened: Opened) -> None:
    with pytest.raises(GatewayRefused, match="never-opened"):
        gateway.look_up(replace(opened(), session_external_id=None))


def test_a_session_that_stripe_does_not_know(gateway: StripeGateway, opened: Opened) -> None:
    with pytest.raises(GatewayRefused, match="resource_missing"):
        gateway.look_up(replace(opened(), session_external_id="cs_test_other"))


# -- authorise now, capture when the owner accepts ----------------------------------------------------------------


def test_authorised_then_captured(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, supplier: str
) -> None:
    ref = paid(10_000, capture="manual", payee=supplier, fee=1_000)
    seen = gateway.look_up(ref)
    assert (seen.state, seen.captured_minor, seen.gateway_fee_minor) == ("authorised", 0, None)
    assert stripe.world.things[supplier]["_balance"] == 0
    took = gateway.capture(ref, 10_000, key="cap")
    assert (took.state, took.captured_minor, took.refunded_minor) == ("paid", 10_000, 0)
    assert took.gateway_fee_minor == stripe_fee(10_000)
    assert gateway.capture(ref, 10_000, key="cap") == took
    assert stripe.world.things[supplier]["_balance"] == 9_000


def test_a_part_captured_takes_its_share_of_the_fee_and_is_no_refund(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, supplier: str
) -> None:
    ref = paid(10_000, capture="manual", payee=supplier, fee=1_001)
    took = gateway.capture(ref, 2_500, key="cap")
    assert (took.state, took.captured_minor, took.refunded_minor) == ("paid", 2_500, 0)
    assert stripe.world.of_kind("application_fee")[0]["amount"] == 250
    assert stripe.world.things[supplier]["_balance"] == 2_250


def test_an_authorisation_given_back(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(capture="manual")
    gone = gateway.cancel(ref, key="c")
    assert (gone.state, gone.captured_minor) == ("cancelled", 0)
    assert gateway.cancel(ref, key="c") == gone
    assert gateway.capture(ref, 4550, key="cap").state == "cancelled", (
        "given back meanwhile: told as it stands"
    )


def test_an_authorisation_that_ran_out(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(capture="manual")
    stripe.world.advance(7 * 24 * 3600 + 1)
    assert gateway.look_up(ref).state == "expired"
    assert gateway.capture(ref, 4550, key="cap").state == "expired"


def test_more_than_was_authorised_cannot_be_taken(gateway: StripeGateway, paid: Opened) -> None:
    with pytest.raises(GatewayRefused, match="amount_too_large"):
        gateway.capture(paid(capture="manual"), 4551, key="cap")


def test_what_nobody_paid_cannot_be_taken(gateway: StripeGateway, opened: Opened) -> None:
    with pytest.raises(GatewayRefused, match="never-paid"):
        gateway.capture(opened(capture="manual"), 4550, key="cap")


# -- every call ---------------------------------------------------------------------------------------------------


def test_every_call_names_the_pinned_version_and_every_change_carries_our_key(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, opened: Opened, supplier: str
) -> None:
    done = paid(payee=supplier, fee=100)
    gateway.refund(done, 100, reverse_fee=True, key="refund-9")
    gateway.find_refund(done, "refund-9")
    gateway.cancel(opened(key="payment-1-2"), key="payment-1-2-cancel")
    gateway.capture(paid(key="payment-1-3", capture="manual"), 4550, key="payment-1-3-capture")
    gateway.cancel(paid(key="payment-1-4", capture="manual"), key="payment-1-4-cancel")
    gateway.account_link(supplier, return_url=BACK, refresh_url=BACK)
    gateway.look_up_account(supplier)
    gateway.payouts_of(supplier)
    assert {call.version for call in stripe.seen} == {API_VERSION}
    assert {call.status for call in stripe.seen} == {200}
    keys = [
        (urlsplit(call.path).path.split("/")[-1], call.key) for call in stripe.seen if call.method == "POST"
    ]
    assert keys[:6] == [
        ("accounts", "payee-1-7:account"),
        ("sessions", "payment-1-1:checkout"),
        ("refunds", "refund-9:refund"),
        ("sessions", "payment-1-2:checkout"),
        ("expire", "payment-1-2-cancel:expire"),
        ("sessions", "payment-1-3:checkout"),
    ]
    assert keys[6:9] == [
        ("capture", "payment-1-3-capture:capture"),
        ("sessions", "payment-1-4:checkout"),
        ("cancel", "payment-1-4-cancel:cancel"),
    ]
    assert keys[9][1].startswith("link:")
    assert all(call.key == "" for call in stripe.seen if call.method == "GET")


def test_the_version_is_the_one_that_the_library_was_written_for() -> None:
    """Where this fails after an update of stripe-python: read what changed, then move the pin and the stand-in."""
    import stripe as library  # noqa: PLC0415

    assert library.api_version == API_VERSION
