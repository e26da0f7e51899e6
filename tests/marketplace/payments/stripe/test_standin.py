"""The stand-in itself: as strict as Stripe, and no parameter that stripe-python does not know."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
import stripe as library
from stripe import params as library_params
from stripe.params import checkout

from marketplace.payments.gateway import ForgedEvent
from marketplace.payments.stripe_gateway import StripeGateway
from marketplace.settings import ROOT
from tests.marketplace.payments.stripe.conftest import BACK, Opened, ask_for
from tests.marketplace.payments.stripe.test_accounts import visit
from tests.stripe_standin import ASKS_TO_CONFIRM, DECLINED, GOOD, KEY, VERSION, StandIn, shapes
from tests.stripe_standin.shapes import Fields, Many


def ask(
    stripe: StandIn, method: str, path: str, pairs: Sequence[tuple[str, str]] = (), **headers: str
) -> tuple[int, dict[str, Any]]:
    """A call by hand: (status, JSON)."""
    given = {
        "Authorization": f"Bearer {KEY}",
        "Stripe-Version": VERSION,
        "Idempotency-Key": "k",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    query = urlencode(list(pairs))
    url = f"{stripe.url}{path}" + (f"?{query}" if method == "GET" and query else "")
    body = query.encode() if method == "POST" else None
    try:
        with urlopen(Request(url, body, {k: v for k, v in given.items() if v}, method=method)) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


SESSION = [
    ("mode", "payment"),
    ("success_url", BACK),
    ("line_items[0][quantity]", "2"),
    ("line_items[0][price_data][currency]", "eur"),
    ("line_items[0][price_data][unit_amount]", "1000"),
    ("line_items[0][price_data][product_data][name]", "Sali"),
]


def test_a_page_by_hand(stripe: StandIn) -> None:
    status, session = ask(stripe, "POST", "/v1/checkout/sessions", SESSION)
    assert (status, session["amount_total"], session["status"]) == (200, 2000, "open")
    assert not [name for name in session if name.startswith("_")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payment_method_types[0]", "card"),
        ("payment_intent_data[colour]", "blue"),
        ("line_items[0][price_data][product_data][nome]", "x"),
        ("line_items[0][price_data][unit_amount_decimal]", "1.5"),
        ("x", "1"),
    ],
)
def test_an_unknown_parameter_is_refused(stripe: StandIn, name: str, value: str) -> None:
    status, body = ask(stripe, "POST", "/v1/checkout/sessions", [*SESSION, (name, value)])
    known_as = name.replace("[0]", "", 1) if name.startswith("payment_method") else name
    assert status == 400
    assert body["error"] == {
        "type": "invalid_request_error",
        "code": "parameter_unknown",
        "message": f"Received unknown parameter: {known_as}",
        "param": known_as,
    }
    assert stripe.world.of_kind("checkout.session") == []


def test_an_unknown_parameter_of_a_question_is_refused(stripe: StandIn, supplier: str) -> None:
    assert ask(stripe, "GET", f"/v1/accounts/{supplier}", [("colour", "blue")])[0] == 400
    assert ask(stripe, "GET", "/v1/payouts", [("colour", "blue")])[0] == 400


def test_stripe_python_shows_that_refusal_as_its_own(stripe: StandIn) -> None:
    client = library.StripeClient(KEY, base_addresses={"api": stripe.url})
    with pytest.raises(library.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": "pi_1", "colour": "blue"})  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "colour")


@pytest.mark.parametrize(
    ("name", "value", "param"),
    [
        ("mode", "gift", "mode"),
        ("mode", "", "mode"),
        ("success_url", "/here", "success_url"),
        ("line_items[0][quantity]", "1.5", "line_items[0][quantity]"),
        ("line_items[0][quantity]", "0", "line_items[0][quantity]"),
        ("line_items[0][price_data][unit_amount]", "-5", "line_items[0][price_data][unit_amount]"),
        ("line_items[0][price_data][currency]", "xxx", "line_items[0][price_data][currency]"),
        ("success_url", None, "success_url"),
        ("line_items[0][price_data][product_data][name]", None, "line_items[0][price_data][product_data]"),
    ],
)  # fmt: skip
def test_a_wrong_or_missing_value_is_refused(
    stripe: StandIn, name: str, value: str | None, param: str
) -> None:
    pairs = [(n, value if n == name else v) for n, v in SESSION if value is not None or n != name]
    status, body = ask(stripe, "POST", "/v1/checkout/sessions", pairs)  # type: ignore[arg-type]
    assert (status, body["error"]["param"]) == (400, param)


def test_the_key_and_the_version_are_checked(stripe: StandIn) -> None:
    for headers, status in [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer sk_test_other00000"}, 401),
        ({"Stripe_Version": ""}, 400),
        ({"Stripe_Version": "2020-08-27"}, 400),
        ({"Idempotency_Key": ""}, 400),
        ({"Idempotency_Key": "k" * 256}, 400),
        ({"Stripe_Account": "acct_other"}, 403),
    ]:
        given, body = ask(stripe, "POST", "/v1/checkout/sessions", SESSION, **headers)
        assert given == status, headers
        assert "other00000" not in json.dumps(body)
    assert stripe.world.of_kind("checkout.session") == []


def test_a_call_that_is_not_there(stripe: StandIn) -> None:
    assert ask(stripe, "POST", "/v1/customers")[0] == 404
    assert ask(stripe, "GET", "/v1/payment_intents/pi_none")[0] == 404


def test_a_key_is_one_call_with_one_answer(stripe: StandIn) -> None:
    first = ask(stripe, "POST", "/v1/checkout/sessions", SESSION)
    assert ask(stripe, "POST", "/v1/checkout/sessions", SESSION) == first
    assert stripe.seen[-1].replayed
    other = [(name, "3" if name.endswith("[quantity]") else value) for name, value in SESSION]
    status, body = ask(stripe, "POST", "/v1/checkout/sessions", other)
    assert (status, body["error"]["type"]) == (400, "idempotency_error")
    path = f"/v1/checkout/sessions/{first[1]['id']}/expire"
    assert ask(stripe, "POST", path)[1]["error"]["type"] == "idempotency_error", "another call"
    assert len(stripe.world.of_kind("checkout.session")) == 1


def test_a_key_is_not_spent_on_what_was_not_understood(stripe: StandIn) -> None:
    assert ask(stripe, "POST", "/v1/checkout/sessions", [*SESSION, ("x", "1")])[0] == 400
    assert ask(stripe, "POST", "/v1/checkout/sessions", SESSION)[0] == 200


def test_a_list_comes_in_pages(stripe: StandIn, supplier: str) -> None:
    made = [stripe.world.pay_out(supplier, amount=n)["id"] for n in range(1, 6)]
    status, first = ask(stripe, "GET", "/v1/payouts", [("limit", "3")], Stripe_Account=supplier)
    assert (status, first["has_more"]) == (200, True)
    assert [one["id"] for one in first["data"]] == made[:1:-1]
    rest = ask(
        stripe, "GET", "/v1/payouts", [("limit", "3"), ("starting_after", made[2])], Stripe_Account=supplier
    )[1]
    assert (rest["has_more"], [one["id"] for one in rest["data"]]) == (False, made[1::-1])


@pytest.mark.parametrize(
    ("shape", "theirs"),
    [
        (shapes.SESSION, checkout.SessionCreateParams),
        (shapes.COUPON, library_params.CouponCreateParams),
        (shapes.CAPTURE, library_params.PaymentIntentCaptureParams),
        (shapes.CANCEL, library_params.PaymentIntentCancelParams),
        (shapes.REFUND, library_params.RefundCreateParams),
        (shapes.ACCOUNT, library_params.AccountCreateParams),
        (shapes.LINK, library_params.AccountLinkCreateParams),
        (shapes.REFUNDS, library_params.RefundListParams),
        (shapes.DISPUTES, library_params.DisputeListParams),
        (shapes.PAYOUTS, library_params.PayoutListParams),
        (shapes.EVENTS, library_params.EventListParams),
    ],
)
def test_no_parameter_is_ours_alone(shape: Fields, theirs: Any) -> None:
    """What passes here is known to the version that we pin, all the way down."""
    assert unknown_to(shape, theirs, theirs.__name__) == []


def unknown_to(shape: Fields, theirs: Any, path: str) -> list[str]:
    module = vars(sys.modules[theirs.__module__])
    missing = []
    for name, inner in shape.known.items():
        if name not in theirs.__annotations__:
            missing.append(f"{path}.{name}")
            continue
        inner = inner.item if isinstance(inner, Many) else inner  # noqa: PLW2901
        if isinstance(inner, Fields):
            named = str(theirs.__annotations__[name])
            # Names go on from the outer one's: SessionCreateParamsLineItem.
            (own,) = [one for one in module if one in named and one.startswith(theirs.__name__)][-1:]
            known = max(
                (one for one in module if one in named and one.startswith(theirs.__name__)),
                key=len,
                default=own,
            )
            missing += unknown_to(inner, module[known], f"{path}.{name}")
    return missing


# -- pages --------------------------------------------------------------------------------------------------------


def test_a_person_pays_on_the_page(stripe: StandIn, gateway: StripeGateway) -> None:
    url = gateway.create_checkout(ask_for(4550)).url
    status, _, page = visit(url)
    assert status == 200
    for text in ("45.50 EUR", "Kokoushuone, 2 h", f'href="{BACK}"', 'data-locale="fi"', "No money moves"):
        assert text in page
    assert "Your card was declined." in visit(url, {"number": DECLINED})[2]
    assert "card number is incorrect" in visit(url, {"number": "1234"})[2]
    assert "Your bank asks" in visit(url, {"number": ASKS_TO_CONFIRM})[2]
    assert "unable to authenticate" in visit(f"{url}/bank", {"answer": "no"})[2]
    assert "Your bank asks" in visit(url, {"number": ASKS_TO_CONFIRM})[2]
    assert visit(f"{url}/bank", {"answer": "yes"})[:2] == (303, BACK)
    assert "can no longer be used" in visit(url)[2]
    assert "can no longer be used" in visit(url, {"number": GOOD})[2]


def test_typed_in_groups_of_four(stripe: StandIn, gateway: StripeGateway) -> None:
    url = gateway.create_checkout(ask_for()).url
    assert visit(url, {"number": "4242 4242 4242 4242"})[:2] == (303, BACK)


def test_names_on_the_page_are_text(stripe: StandIn, gateway: StripeGateway) -> None:
    from marketplace.payments.gateway import CheckoutLine  # noqa: PLC0415

    url = gateway.create_checkout(ask_for(100, lines=[CheckoutLine("<script>alert(1)</script>", 1, 100)])).url
    assert "<script>" not in visit(url)[2]


def test_a_page_that_is_not_there(stripe: StandIn) -> None:
    assert visit(f"{stripe.url}/c/pay/cs_none")[0] == 404
    assert visit(f"{stripe.url}/elsewhere")[0] == 404


# -- webhooks -----------------------------------------------------------------------------------------------------


class Inbox:
    """An address of ours: what was told, and whether the gateway believes it."""

    def __init__(self) -> None:
        self.came: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Quiet."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.came.append((body, self.headers["Stripe-Signature"]))
                self.send_response(inbox.answers.pop(0) if inbox.answers else 200)
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/payments/webhooks/stripe"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

    def read(self, gateway: StripeGateway) -> list[str]:
        """The kinds of what came, `forged` for what is not believed."""
        from marketplace.clock import now  # noqa: PLC0415

        kinds = []
        for body, signed in self.came:
            try:
                kinds.append(gateway.read_event(body, signed, now()).kind)
            except ForgedEvent:
                kinds.append("forged")
        return kinds


@pytest.fixture
def inbox(stripe: StandIn) -> Iterator[Inbox]:
    inbox = Inbox()
    stripe.send_webhooks_to(inbox.url)
    yield inbox
    stripe.webhooks.flush()
    inbox.close()


PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


def test_events_are_told_in_order_with_real_signatures(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, inbox: Inbox, supplier: str
) -> None:
    paid()
    stripe.webhooks.flush()
    assert inbox.read(gateway) == ["account.updated", "account.updated", *PAID]
    assert [one.status for one in stripe.webhooks.delivered] == [200] * 6


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("lost", PAID[:3]),
        ("twice", [*PAID, PAID[3]]),
        ("forged", [*PAID[:3], "forged"]),
        ("replayed", [*PAID[:3], "forged"]),
        ("held", PAID[:3]),
    ],
)
def test_an_event_goes_wrong(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, inbox: Inbox, fault: str, told: list[str]
) -> None:
    stripe.webhooks.plan(fault, "checkout.*")
    paid()
    stripe.webhooks.flush()
    assert inbox.read(gateway) == told


def test_events_in_the_wrong_order_and_hours_late(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, inbox: Inbox
) -> None:
    stripe.webhooks.plan("held", times=4)
    paid()
    stripe.world.advance(6 * 3600)
    stripe.webhooks.flush()
    assert inbox.came == []
    assert stripe.webhooks.release(backwards=True) == 4
    stripe.webhooks.flush()
    assert inbox.read(gateway) == PAID[::-1]


def test_what_nobody_took_is_told_again(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, inbox: Inbox
) -> None:
    inbox.answers = [200, 500, 200, 200]
    paid()
    stripe.webhooks.flush()
    assert stripe.webhooks.redeliver() == 1
    stripe.webhooks.flush()
    assert inbox.read(gateway) == [*PAID, "charge.succeeded"]
    assert stripe.webhooks.redeliver() == 0


# -- in a process of its own --------------------------------------------------------------------------------------


def test_it_runs_beside_a_service_and_is_steered_from_outside(gateway: StripeGateway) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stripe_standin", "--port", "0"],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ,
    )  # fmt: skip
    assert process.stdout is not None
    with process, process.stdout:
        try:
            said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(4))
            url = said["MARKETPLACE_STRIPE_API_BASE"]
            assert said["MARKETPLACE_STRIPE_KEY"] == KEY

            def control(verb: str, **values: Any) -> Any:
                with urlopen(f"{url}/_control/{verb}", json.dumps(values).encode()) as answer:
                    return json.load(answer)["answer"]

            client = library.StripeClient(KEY, base_addresses={"api": url}, max_network_retries=0)
            control("fault", kind="429", match="POST /v1/accounts")
            with pytest.raises(library.RateLimitError):
                client.v1.accounts.create({"country": "FI"})
            account = client.v1.accounts.create(
                {"country": "FI", "capabilities": {"transfers": {"requested": True}}}
            )
            control("onboard", account_id=account.id, complete=True)
            assert client.v1.accounts.retrieve(account.id).payouts_enabled
            assert [event["type"] for event in control("events")] == ["account.updated"] * 2
            assert [one["id"] for one in control("things", kind="account")] == [account.id]
            with pytest.raises(HTTPError) as refused:
                control("rob", bank="all")
            refused.value.close()
            with pytest.raises(HTTPError) as refused:
                control("fault", kind="unheard")
            refused.value.close()
        finally:
            process.terminate()
            process.wait(10)
