"""What Stripe tells: believed only with its signature, understood in our words, in any order."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.payments.gateway import (
    AccountSeen,
    AccountStatus,
    DisputeSeen,
    ForgedEvent,
    PaymentSeen,
    PayoutSeen,
    RefundSeen,
    SeenChange,
)
from marketplace.payments.stripe_gateway import StripeGateway
from tests.marketplace.payments.stripe.conftest import Opened
from tests.stripe_standin import (
    ASKS_TO_CONFIRM,
    CONNECT_SECRET,
    DECLINED,
    DISPUTED,
    REFUND_FAILS,
    REFUND_PENDS,
    SECRET,
    StandIn,
    body_of,
    signature,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "livemode": False,
    "created": AT,
    "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
}
OF_SUPPLIER = {**EVENT, "type": "account.updated", "account": "acct_1"}


def read(
    gateway: StripeGateway, event: Any, *, secret: str = SECRET, signed_at: int = AT, at: datetime = NOW
):
    body = body_of(event)
    return gateway.read_event(body, signature(body, secret, at=signed_at), at)


# -- believed -----------------------------------------------------------------------------------------------------


def test_an_event_of_our_own_account(gateway: StripeGateway) -> None:
    seen = read(gateway, EVENT)
    assert (seen.external_id, seen.kind, seen.account) == ("evt_1", "payment_intent.succeeded", "")
    assert seen.is_live is False
    assert seen.payload == EVENT


def test_an_event_of_a_suppliers_account(gateway: StripeGateway) -> None:
    assert read(gateway, OF_SUPPLIER, secret=CONNECT_SECRET).account == "acct_1"


def test_the_mode_is_told_as_it_was_said(gateway: StripeGateway) -> None:
    """Whoever keeps the event compares it with the mode of the key."""
    assert gateway.is_live is False
    assert read(gateway, {**EVENT, "livemode": True}).is_live is True


@pytest.mark.parametrize(
    ("event", "secret"), [(EVENT, CONNECT_SECRET), (OF_SUPPLIER, SECRET), (EVENT, "whsec_other"), (EVENT, "")]
)
def test_what_another_secret_signed_is_forged(gateway: StripeGateway, event: Any, secret: str) -> None:
    """The endpoint for suppliers' accounts cannot speak of ours, nor the other way round."""
    with pytest.raises(ForgedEvent):
        read(gateway, event, secret=secret)


def test_without_a_secret_nothing_is_believed(stripe: StandIn) -> None:
    from marketplace.settings import Settings  # noqa: PLC0415

    gateway = StripeGateway(Settings(env="test", stripe_key="sk_test_x", stripe_webhook_secret=SECRET))
    read(gateway, EVENT)
    with pytest.raises(ForgedEvent):
        read(gateway, OF_SUPPLIER, secret="")


@pytest.mark.parametrize("seconds", [-300, -1, 0, 300])
def test_a_signature_of_the_last_five_minutes_is_believed(gateway: StripeGateway, seconds: int) -> None:
    read(gateway, EVENT, signed_at=AT + seconds)


@pytest.mark.parametrize("seconds", [-600, -301, 301, -AT])
def test_a_replay_after_ten_minutes_is_refused(gateway: StripeGateway, seconds: int) -> None:
    with pytest.raises(ForgedEvent, match="too long ago"):
        read(gateway, EVENT, signed_at=AT + seconds)


def test_one_that_comes_hours_late_is_signed_anew_and_believed(gateway: StripeGateway) -> None:
    later = NOW + timedelta(hours=9)
    assert read(gateway, EVENT, signed_at=int(later.timestamp()), at=later).external_id == "evt_1"


def test_a_changed_body_is_forged(gateway: StripeGateway) -> None:
    body = body_of(EVENT)
    with pytest.raises(ForgedEvent):
        gateway.read_event(body.replace(b"pi_1", b"pi_2"), signature(body, SECRET, at=AT), NOW)


def test_while_a_secret_is_changed_stripe_signs_with_both(gateway: StripeGateway) -> None:
    body = body_of(EVENT)
    new, old = (signature(body, secret, at=AT) for secret in ("whsec_new", SECRET))
    both = f"{new},{old.split(',')[1]}"
    assert gateway.read_event(body, both, NOW).external_id == "evt_1"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        "t=1",
        f"t={AT}",
        f"t={AT},v1=",
        f"v1={'0' * 64}",
        f"t={AT},t={AT},v1={'0' * 64}",
        f"t={AT},v0={'0' * 64}",
        f"t=²,v1={'0' * 64}",
        f"t={'9' * 400},v1=a",
        f"t={AT},v1=ä€",
        "\0",
    ],
)
def test_a_header_that_says_nothing_is_forged(gateway: StripeGateway, header: str) -> None:
    with pytest.raises(ForgedEvent):
        gateway.read_event(body_of(EVENT), header, NOW)


@given(header=st.text(max_size=60), body=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_header_or_body_breaks_the_reading(gateway: StripeGateway, header: str, body: bytes) -> None:
    with pytest.raises(ForgedEvent):
        gateway.read_event(body, header, NOW)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"7", b"null", b'"x"', b"{}", b"\xff\xfe", b'{"id": "evt_1"}']
    + [json.dumps({**EVENT, **wrong}).encode() for wrong in ({"id": 7}, {"type": None}, {"livemode": "no"}, {"account": [1]})],
)  # fmt: skip
def test_signed_nonsense_is_no_event(gateway: StripeGateway, body: bytes) -> None:
    with pytest.raises(ForgedEvent):
        gateway.read_event(body, signature(body, SECRET, at=AT), NOW)


def test_a_refusal_does_not_repeat_what_was_sent(gateway: StripeGateway) -> None:
    with pytest.raises(ForgedEvent) as forged:
        gateway.read_event(b'{"id": "aino@example.org"}', signature(b"x", SECRET, at=AT), NOW)
    assert "aino" not in repr(forged.value.args)
    assert SECRET not in repr(forged.value.args)


# -- understood ---------------------------------------------------------------------------------------------------


def news(stripe: StandIn, gateway: StripeGateway, kind: str) -> SeenChange:
    """What the last event of this kind means."""
    (seen,) = gateway.interpret(stripe.events(kind)[-1])
    return seen


def test_paid_is_told_by_the_page_and_by_the_intent(
    stripe: StandIn, gateway: StripeGateway, paid: Opened
) -> None:
    ref = paid(4550)
    by_page, by_intent = (
        news(stripe, gateway, kind) for kind in ("checkout.session.completed", "payment_intent.succeeded")
    )
    assert isinstance(by_page, PaymentSeen)
    assert isinstance(by_intent, PaymentSeen)
    for seen in (by_page, by_intent):
        assert (seen.outcome.state, seen.outcome.captured_minor) == ("paid", 4550)
        assert seen.key == ref.key
        assert seen.intent_external_id == stripe.world.of_kind("payment_intent")[0]["id"]
    assert by_page.session_external_id == ref.session_external_id


def test_authorised_then_taken(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(capture="manual")
    for kind in ("checkout.session.completed", "payment_intent.amount_capturable_updated"):
        seen = news(stripe, gateway, kind)
        assert isinstance(seen, PaymentSeen)
        assert (seen.outcome.state, seen.outcome.captured_minor, seen.key) == ("authorised", 0, ref.key)
    gateway.capture(ref, 4000, key="cap")
    seen = news(stripe, gateway, "payment_intent.succeeded")
    assert isinstance(seen, PaymentSeen)
    assert (seen.outcome.state, seen.outcome.captured_minor) == ("paid", 4000)


def test_what_is_still_on_its_way_is_open(gateway: StripeGateway) -> None:
    session = {
        "id": "cs_1", "object": "checkout.session", "status": "complete", "payment_status": "unpaid",
        "payment_intent": "pi_1", "amount_total": 100, "metadata": {"tilaa_key": "k", "tilaa_capture": "automatic"},
    }  # fmt: skip
    states = []
    for kind, status in [
        ("checkout.session.completed", "unpaid"),
        ("checkout.session.async_payment_failed", "unpaid"),
        ("checkout.session.async_payment_succeeded", "paid"),
    ]:
        (seen,) = gateway.interpret(
            {**EVENT, "type": kind, "data": {"object": {**session, "payment_status": status}}}
        )
        assert isinstance(seen, PaymentSeen)
        states.append(seen.outcome.state)
    assert states == ["open", "failed", "paid"]


def test_declined_and_asked_to_confirm_are_open(
    stripe: StandIn, gateway: StripeGateway, opened: Opened
) -> None:
    ref = opened()
    stripe.world.pay(ref.session_external_id or "", DECLINED)
    seen = news(stripe, gateway, "payment_intent.payment_failed")
    assert isinstance(seen, PaymentSeen)
    assert (seen.outcome.state, seen.outcome.failure_code, seen.key) == ("open", "generic_decline", ref.key)
    stripe.world.pay(ref.session_external_id or "", ASKS_TO_CONFIRM)
    seen = news(stripe, gateway, "payment_intent.requires_action")
    assert isinstance(seen, PaymentSeen)
    assert seen.outcome.state == "open"


def test_ended(stripe: StandIn, gateway: StripeGateway, opened: Opened, paid: Opened) -> None:
    gateway.cancel(opened(), key="c1")
    by_page = news(stripe, gateway, "checkout.session.expired")
    gateway.cancel(paid(capture="manual", key="payment-1-2"), key="c2")
    by_intent = news(stripe, gateway, "payment_intent.canceled")
    assert isinstance(by_page, PaymentSeen)
    assert isinstance(by_intent, PaymentSeen)
    assert by_page.outcome.state == "expired"
    assert (by_intent.outcome.state, by_intent.key) == ("cancelled", "payment-1-2")


def test_given_back(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    ref = paid(1000)
    gateway.refund(ref, 300, reverse_fee=False, key="refund-1-1")
    refund, charge = (news(stripe, gateway, kind) for kind in ("refund.created", "charge.refunded"))
    assert isinstance(refund, RefundSeen)
    assert (refund.key, refund.outcome.state, refund.outcome.amount_minor) == ("refund-1-1", "succeeded", 300)
    assert isinstance(charge, PaymentSeen)
    assert (charge.outcome.state, charge.outcome.captured_minor, charge.outcome.refunded_minor) == (
        "paid",
        1000,
        300,
    )
    assert charge.key == ref.key


def test_what_was_not_taken_of_an_authorisation_is_no_refund(
    stripe: StandIn, gateway: StripeGateway, paid: Opened
) -> None:
    ref = paid(1000, capture="manual")
    gateway.capture(ref, 400, key="cap")
    gateway.refund(ref, 100, reverse_fee=False, key="r")
    charge = news(stripe, gateway, "charge.refunded")
    assert isinstance(charge, PaymentSeen)
    assert (charge.outcome.captured_minor, charge.outcome.refunded_minor) == (400, None)


def test_a_refund_that_pends_succeeds_or_comes_back(
    stripe: StandIn, gateway: StripeGateway, paid: Opened
) -> None:
    pending = gateway.refund(paid(card=REFUND_PENDS), 10, reverse_fee=False, key="r1")
    stripe.world.settle_refund(pending.external_id, "succeeded")
    seen = news(stripe, gateway, "refund.updated")
    assert isinstance(seen, RefundSeen)
    assert (seen.outcome.state, seen.key) == ("succeeded", "r1")
    gateway.refund(paid(card=REFUND_FAILS, key="payment-1-2"), 10, reverse_fee=False, key="r2")
    seen = news(stripe, gateway, "refund.failed")
    assert isinstance(seen, RefundSeen)
    assert (seen.outcome.state, seen.outcome.failure_code, seen.key) == (
        "failed",
        "expired_or_canceled_card",
        "r2",
    )


def test_disputes(stripe: StandIn, gateway: StripeGateway, paid: Opened) -> None:
    paid(1000, card=DISPUTED)
    seen = news(stripe, gateway, "charge.dispute.created")
    assert isinstance(seen, DisputeSeen)
    assert (seen.state, seen.amount_minor, seen.reason, seen.closed_at) == ("open", 1000, "fraudulent", None)
    assert seen.intent_external_id == stripe.world.of_kind("payment_intent")[0]["id"]
    stripe.world.close_dispute(seen.external_id, "lost")
    lost = news(stripe, gateway, "charge.dispute.closed")
    assert isinstance(lost, DisputeSeen)
    assert lost.state == "lost"
    assert lost.closed_at is not None
    ref = paid(1000, key="payment-1-2")
    asked = stripe.world.dispute(gateway.look_up(ref).intent_external_id or "", warning=True)
    warned = news(stripe, gateway, "charge.dispute.created")
    assert isinstance(warned, DisputeSeen)
    assert warned.state == "warning"
    stripe.world.close_dispute(asked["id"], "warning_closed")
    gone = news(stripe, gateway, "charge.dispute.closed")
    assert isinstance(gone, DisputeSeen)
    assert gone.state == "won"


def test_suppliers_accounts_and_payouts(stripe: StandIn, gateway: StripeGateway, supplier: str) -> None:
    assert news(stripe, gateway, "account.updated") == AccountSeen(supplier, AccountStatus("enabled"))
    made = stripe.world.pay_out(supplier, amount=500, status="failed")
    seen = news(stripe, gateway, "payout.failed")
    assert isinstance(seen, PayoutSeen)
    assert (seen.external_id, seen.account, seen.state, seen.amount_minor) == (
        made["id"],
        supplier,
        "failed",
        500,
    )
    stripe.world.leave(supplier)
    assert news(stripe, gateway, "account.application.deauthorized") == AccountSeen(
        supplier, AccountStatus("disabled")
    )


def test_what_is_not_ours_to_know_means_nothing(
    stripe: StandIn, gateway: StripeGateway, paid: Opened
) -> None:
    paid()
    payment = stripe.events("payment_intent.succeeded")[-1]
    assert gateway.interpret({**payment, "account": "acct_1"}) == [], "a supplier's own customer"
    assert gateway.interpret({**EVENT, "type": "customer.created"}) == []
    assert gateway.interpret({**EVENT, "type": "payout.paid", "data": {"object": {"id": "po_1"}}}) == []
    assert gateway.interpret(stripe.events("charge.succeeded")[-1]) == []


def test_somebody_elses_payment_on_the_same_account_carries_no_key_of_ours(
    stripe: StandIn, gateway: StripeGateway, paid: Opened
) -> None:
    paid()
    event = stripe.events("payment_intent.succeeded")[-1]
    event["data"]["object"]["metadata"] = None
    (seen,) = gateway.interpret(event)
    assert isinstance(seen, PaymentSeen)
    assert seen.key is None


def test_every_event_of_a_whole_life_can_be_read(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, supplier: str
) -> None:
    """Whatever the stand-in tells while all of the above happens, with the endpoint's own secret."""
    ref = paid(10_000, payee=supplier, fee=1_000, capture="manual")
    gateway.capture(ref, 10_000, key="cap")
    gateway.refund(ref, 4_000, reverse_fee=True, key="r")
    stripe.world.pay_out(supplier)
    assert len(stripe.events()) > 12
    for event in stripe.events():
        secret = CONNECT_SECRET if "account" in event else SECRET
        seen = read(gateway, event, secret=secret)
        gateway.interpret(seen.payload)
