"""Refunds, full and in parts, of the city's own payments and of suppliers'."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.payments import rules
from marketplace.payments.gateway import GatewayRefused
from marketplace.payments.stripe_gateway import StripeGateway
from tests.marketplace.payments.stripe.conftest import Opened
from tests.stripe_standin import REFUND_FAILS, REFUND_PENDS, StandIn


def test_a_full_refund(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(4550)
    back = gateway.refund(ref, 4550, reverse_fee=False, key="r1")
    assert (back.state, back.amount_minor, back.fee_minor) == ("succeeded", 4550, 0)
    assert gateway.look_up(ref).refunded_minor == 4550
    assert gateway.look_up_refund(back.external_id) == back
    (call,) = stripe.calls("POST /v1/refunds")
    assert "reverse_transfer" not in call.params
    assert "refund_application_fee" not in call.params


def test_a_suppliers_refund_takes_the_transfer_and_the_fee_back_by_the_same_share(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, supplier: str
) -> None:
    ref = paid(10_000, payee=supplier, fee=1_250)
    back = gateway.refund(ref, 4_000, reverse_fee=True, key="r1")
    assert (back.amount_minor, back.fee_minor) == (4_000, 500)
    assert stripe.world.things[supplier]["_balance"] == 8_750 - 4_000 + 500
    last = gateway.refund(ref, 6_000, reverse_fee=True, key="r2")
    assert last.fee_minor is None, "Stripe sums up: what came back with the second alone is not said"
    assert stripe.world.things[supplier]["_balance"] == 0
    assert gateway.look_up(ref).refunded_minor == 10_000


def test_the_city_can_keep_its_fee(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, supplier: str
) -> None:
    ref = paid(10_000, payee=supplier, fee=1_000)
    back = gateway.refund(ref, 10_000, reverse_fee=False, key="r1")
    assert back.fee_minor == 0
    assert stripe.world.things[supplier]["_balance"] == -1_000


def test_a_supplier_who_pays_no_fee_has_none_to_get_back(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, supplier: str
) -> None:
    back = gateway.refund(paid(10_000, payee=supplier), 10_000, reverse_fee=True, key="r1")
    assert (back.state, back.fee_minor) == ("succeeded", 0)
    assert stripe.world.things[supplier]["_balance"] == 0


@given(
    total=st.integers(50, 100_000),
    fee_share=st.integers(1, 100),
    cuts=st.lists(st.integers(1, 99), min_size=1, max_size=5),
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_refunds_give_the_fee_back_as_our_ledger_counts_it(
    stripe: StandIn,
    gateway: StripeGateway,
    paid: Opened,
    supplier: str,
    total: int,
    fee_share: int,
    cuts: list[int],
) -> None:
    fee = max(1, total * fee_share // 100)
    key = f"payment-{len(stripe.world.things)}"
    ref = paid(total, payee=supplier, fee=fee, key=key)
    before = stripe.world.things[supplier]["_balance"] - (total - fee)
    given_back = fee_back = 0
    for number, cut in enumerate([*cuts, 100]):
        amount = (total - given_back) * cut // 100
        if not amount:
            continue
        said = gateway.refund(ref, amount, reverse_fee=True, key=f"{key}-{number}").fee_minor
        due = rules.fee_given_back(fee, total, refunded_before=given_back, fee_before=fee_back, amount=amount)
        assert said in {None, due}
        given_back, fee_back = given_back + amount, fee_back + due
    assert (given_back, fee_back) == (total, fee)
    assert stripe.world.things[supplier]["_balance"] == before


def test_the_same_key_gives_back_once(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(4550)
    first = gateway.refund(ref, 1000, reverse_fee=False, key="r1")
    assert gateway.refund(ref, 1000, reverse_fee=False, key="r1") == first
    assert len(stripe.world.of_kind("refund")) == 1
    with pytest.raises(GatewayRefused, match="idempotency_error"):
        gateway.refund(ref, 2000, reverse_fee=False, key="r1")


def test_a_refund_is_found_by_its_key_long_after_stripe_forgot_the_key(
    stripe: StandIn, gateway: StripeGateway, paid: Opened
) -> None:
    ref = paid(4550)
    made = [gateway.refund(ref, 10 + n, reverse_fee=False, key=f"r{n}") for n in range(3)]
    stripe.kept.clear()
    found = gateway.find_refund(ref, "r1")
    assert found is not None
    assert (found.external_id, found.amount_minor) == (made[1].external_id, 11)
    assert gateway.find_refund(ref, "r9") is None


def test_more_than_is_left_is_refused(gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(1000)
    gateway.refund(ref, 600, reverse_fee=False, key="r1")
    with pytest.raises(GatewayRefused, match="invalid_request_error"):
        gateway.refund(ref, 401, reverse_fee=False, key="r2")
    gateway.refund(ref, 400, reverse_fee=False, key="r3")
    with pytest.raises(GatewayRefused, match="charge_already_refunded"):
        gateway.refund(ref, 1, reverse_fee=False, key="r4")


def test_what_is_only_authorised_cannot_be_refunded(gateway: StripeGateway, paid: Opened) -> None:
    with pytest.raises(GatewayRefused):
        gateway.refund(paid(capture="manual"), 100, reverse_fee=False, key="r1")


def test_a_disputed_payment_cannot_be_refunded_too(
    stripe: StandIn, gateway: StripeGateway, paid: Opened
) -> None:
    ref = paid(1000)
    stripe.world.dispute(gateway.look_up(ref).intent_external_id or "")
    with pytest.raises(GatewayRefused, match="charge_disputed"):
        gateway.refund(ref, 1000, reverse_fee=False, key="r1")


def test_a_refund_on_its_way_and_then_there(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    sent = gateway.refund(paid(card=REFUND_PENDS), 1000, reverse_fee=False, key="r1")
    assert sent.state == "sent"
    stripe.world.settle_refund(sent.external_id, "succeeded")
    assert gateway.look_up_refund(sent.external_id).state == "succeeded"


def test_a_refund_that_comes_back(gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(card=REFUND_FAILS)
    failed = gateway.refund(ref, 1000, reverse_fee=False, key="r1")
    later = gateway.look_up_refund(failed.external_id)
    assert (later.state, later.failure_code) == ("failed", "expired_or_canceled_card")
    assert gateway.look_up(ref).refunded_minor == 0


def test_a_fee_that_came_back_with_a_failed_refund_is_not_counted_for_the_next(
    gateway: StripeGateway, paid: Opened, supplier: str
) -> None:
    ref = paid(1000, payee=supplier, fee=100, card=REFUND_FAILS)
    gateway.refund(ref, 500, reverse_fee=True, key="r1")
    again = gateway.refund(ref, 500, reverse_fee=True, key="r2")
    assert again.fee_minor is None
