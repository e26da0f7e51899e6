"""The stand-in's HTTP: Stripe's calls under /v1, its pages, and /_control for tests that are in another process.

A call is checked as Stripe checks it: the key, the pinned version, the connected account, the idempotency key, every
parameter by name and type.
"""

import json
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.stripe_standin import pages, shapes
from tests.stripe_standin.shapes import Bad, Fields, nested
from tests.stripe_standin.webhooks import Deliveries, Endpoint
from tests.stripe_standin.world import VERSION, World, expanded, shown

KEY = "sk_test_standin4f9a"
SECRET = "whsec_standin_account"
CONNECT_SECRET = "whsec_standin_connect"
FAULTS = ("down", "slow", "429", "500", "500-after", "500-kept", "drop-after", "nonsense", "409")


@dataclass
class Fault:
    """What becomes of the next `times` calls that match "METHOD /path" (a regular expression).

    down: the connection is closed unread. slow: the answer comes after `seconds`, the thing is done at once.
    429, 500, 409: nothing is done. 500-after: done, answered 500 once. 500-kept: done, and the 500 is what the key
    answers from now on, as Stripe's own documentation warns. drop-after: done, the connection closed without an answer.
    nonsense: answered 200 with something that is no JSON.
    """

    kind: str
    match: str = ".*"
    times: int = 1
    seconds: float = 5.0


@dataclass(frozen=True)
class Seen:
    """A call as it came."""

    method: str
    path: str
    params: dict[str, Any]
    key: str
    account: str
    version: str
    status: int
    replayed: bool = False


@dataclass
class Kept:
    """What a key was first used for, and what was answered."""

    call: tuple[str, str, str]
    answer: tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    """A call: its method, path (groups are ids), parameters, and what it does."""

    method: str
    path: str
    shape: Fields
    does: Callable[[World, list[str], dict[str, Any], str], Any]


def one(kind: str) -> Callable[[World, list[str], dict[str, Any], str], Any]:
    return lambda world, ids, given, account: world.get(kind, ids[0])


def page_of(kind: str, path: str) -> Callable[[World, list[str], dict[str, Any], str], Any]:
    def listed(world: World, ids: list[str], given: dict[str, Any], account: str) -> Any:
        wanted = {"_account": account} if kind == "payout" else {}
        found, more = world.listed(kind, given, **wanted)
        return {"object": "list", "url": path, "has_more": more, "data": found}

    return listed


OPERATIONS = (
    Operation("POST", "/v1/checkout/sessions", shapes.SESSION, lambda w, i, g, a: w.create_session(g)),
    Operation("GET", "/v1/checkout/sessions/([^/]+)", shapes.ONE, one("checkout.session")),
    Operation(
        "POST", "/v1/checkout/sessions/([^/]+)/expire", shapes.ONE, lambda w, i, g, a: w.expire_session(i[0])
    ),
    Operation("POST", "/v1/coupons", shapes.COUPON, lambda w, i, g, a: w.create_coupon(g)),
    Operation("GET", "/v1/payment_intents/([^/]+)", shapes.ONE, one("payment_intent")),
    Operation(
        "POST", "/v1/payment_intents/([^/]+)/capture", shapes.CAPTURE, lambda w, i, g, a: w.capture(i[0], g)
    ),
    Operation(
        "POST", "/v1/payment_intents/([^/]+)/cancel", shapes.CANCEL, lambda w, i, g, a: w.cancel(i[0], g)
    ),
    Operation("GET", "/v1/charges/([^/]+)", shapes.ONE, one("charge")),
    Operation("POST", "/v1/refunds", shapes.REFUND, lambda w, i, g, a: w.refund(g)),
    Operation("GET", "/v1/refunds", shapes.REFUNDS, page_of("refund", "/v1/refunds")),
    Operation("GET", "/v1/refunds/([^/]+)", shapes.ONE, one("refund")),
    Operation("POST", "/v1/accounts", shapes.ACCOUNT, lambda w, i, g, a: w.create_account(g)),
    Operation("GET", "/v1/accounts/([^/]+)", shapes.ONE, one("account")),
    Operation("POST", "/v1/account_links", shapes.LINK, lambda w, i, g, a: w.create_link(g)),
    Operation("GET", "/v1/payouts", shapes.PAYOUTS, page_of("payout", "/v1/payouts")),
    Operation("GET", "/v1/payouts/([^/]+)", shapes.ONE, one("payout")),
    Operation("GET", "/v1/disputes", shapes.DISPUTES, page_of("dispute", "/v1/disputes")),
    Operation("GET", "/v1/disputes/([^/]+)", shapes.ONE, one("dispute")),
    Operation("GET", "/v1/transfers/([^/]+)", shapes.ONE, one("transfer")),
    Operation("GET", "/v1/application_fees/([^/]+)", shapes.ONE, one("application_fee")),
    Operation("GET", "/v1/balance_transactions/([^/]+)", shapes.ONE, one("balance_transaction")),
    Operation("GET", "/v1/events", shapes.EVENTS, page_of("event", "/v1/events")),
    Operation("GET", "/v1/events/([^/]+)", shapes.ONE, one("event")),
)


class Gone(Exception):
    """Close the connection without a word."""


class Nonsense(Exception):
    """Answer with something that is no JSON."""


@dataclass
class StandIn:
    """A server of its own on 127.0.0.1; `with StandIn() as stripe:` starts and stops it."""

    port: int = 0
    key: str = KEY
    live: bool = False
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    webhooks: Deliveries = field(default_factory=Deliveries)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.world = World(self.webhooks.take, url=lambda: self.url, live=self.live)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        standin = self

        class OurHandler(Handler):
            of = standin

        self.server = Server(("127.0.0.1", self.port), OurHandler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(
            target=self.server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="stripe-standin",
            daemon=True,
        )
        self.thread.start()
        self.webhooks.start()

    def stop(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)
        self.webhooks.stop()

    # -- what tests ask for ---------------------------------------------------------------------------------------

    def fault(self, kind: str, match: str = ".*", *, times: int = 1, seconds: float = 5.0) -> None:
        if kind not in FAULTS:
            raise ValueError(f"no such fault: {kind}")
        self.faults.append(Fault(kind, match, times, seconds))

    def clear_faults(self) -> None:
        self.faults.clear()

    def send_webhooks_to(
        self, url: str, *, secret: str = SECRET, connect_secret: str = CONNECT_SECRET
    ) -> None:
        """Tell an address of everything: our account's events and connected accounts', each with its own secret."""
        self.webhooks.endpoints = [Endpoint(url, secret), Endpoint(url, connect_secret, connect=True)]

    def calls(self, match: str = ".*") -> list[Seen]:
        return [call for call in self.seen if re.search(match, f"{call.method} {call.path}")]

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        return [event for event in self.webhooks.events if kind in {None, event["type"]}]

    # -- calls ----------------------------------------------------------------------------------------------------

    def call(
        self, method: str, path: str, pairs: list[tuple[str, str]], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """(status, JSON, further headers) of one call. Raises Gone, Nonsense."""
        fault = self.next_fault(f"{method} {path}")
        kind = fault.kind if fault else ""
        if kind == "down":
            raise Gone
        more: dict[str, str] = {}
        try:
            given = nested(pairs)
        except Bad as bad:
            given = {}
            status, body = bad.status, {"error": bad.body}
        else:
            status, body, more = self.answer(method, path, given, headers, kind)
        self.seen.append(
            Seen(
                method,
                path,
                given,
                headers.get("idempotency-key", ""),
                headers.get("stripe-account", ""),
                headers.get("stripe-version", ""),
                status,
                "Idempotent-Replayed" in more,
            )
        )
        if kind == "drop-after":
            raise Gone
        if kind == "nonsense":
            raise Nonsense
        if fault is not None and kind == "slow":
            self.stopping.wait(fault.seconds)
        return status, body, more

    def next_fault(self, call: str) -> Fault | None:
        with self.world.lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.match, call):
                    fault.times -= 1
                    return fault
        return None

    def answer(
        self, method: str, path: str, given: dict[str, Any], headers: dict[str, str], fault: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        try:
            account = self.check(method, headers)
            refuse(fault)
            return self.done(method, path, given, headers, account, fault)
        except Bad as bad:
            return bad.status, {"error": bad.body}, {}

    def check(self, method: str, headers: dict[str, str]) -> str:
        """The connected account the call is for, or "". Raises Bad."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Bad("You did not provide an API key.", status=401)
        if not secrets.compare_digest(key, self.key):
            raise Bad(f"Invalid API Key provided: {key[:8]}****{key[-4:]}", status=401)
        version = headers.get("stripe-version")
        if version != VERSION:
            raise Bad(f"Invalid Stripe API version: {version}. The stand-in speaks {VERSION}.")
        if method == "POST" and not headers.get("idempotency-key"):
            raise Bad("The stand-in wants an Idempotency-Key with every call that changes something.")
        if len(headers.get("idempotency-key", "")) > 255:
            raise Bad("Idempotency keys hold up to 255 characters.")
        account = headers.get("stripe-account", "")
        if account:
            self.world.get("account", account)
        return account

    def done(
        self,
        method: str,
        path: str,
        given: dict[str, Any],
        headers: dict[str, str],
        account: str,
        fault: str,
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        operation, ids = found_operation(method, path)
        key = headers.get("idempotency-key", "")
        with self.world.lock:
            call = (method, path, json.dumps(given, sort_keys=True))
            slot = (account, key)
            if method == "POST" and slot in self.kept:
                before = self.kept[slot]
                if before.call != call:
                    raise Bad(
                        f"Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request.",
                        kind="idempotency_error",
                    )
                return *before.answer, {"Idempotent-Replayed": "true"}
            read = operation.shape.read(given)
            self.world.request = {"id": f"req_{secrets.token_hex(7)}", "idempotency_key": key or None}
            try:
                answer = 200, self.shown(operation.does(self.world, ids, read, account), read)
            except Bad as bad:
                answer = bad.status, {"error": bad.body}
            finally:
                self.world.request = {"id": None, "idempotency_key": None}
            failed = 500, {"error": {"type": "api_error", "message": "An unknown error occurred"}}
            if method == "POST":
                self.kept[slot] = Kept(call, failed if fault == "500-kept" else answer)
            return *(failed if fault in {"500-after", "500-kept"} else answer), {}

    def shown(self, thing: Any, given: dict[str, Any]) -> dict[str, Any]:
        paths = given.get("expand", [])
        if thing["object"] == "list":
            thing = {**thing, "data": [shown(inner) for inner in thing["data"]]}
        else:
            thing = shown(thing)
        return dict(expanded(self.world, thing, paths))

    # -- other processes ------------------------------------------------------------------------------------------

    def control(self, verb: str, said: dict[str, Any]) -> Any:
        """Browser tests, in a process of their own, steer the stand-in by POST /_control/<verb> with JSON."""
        world = self.world
        verbs: dict[str, Callable[..., Any]] = {
            "fault": self.fault,
            "clear": self.clear_faults,
            "webhooks": self.send_webhooks_to,
            "plan": self.webhooks.plan,
            "release": self.webhooks.release,
            "redeliver": self.webhooks.redeliver,
            "flush": self.webhooks.flush,
            "advance": world.advance,
            "pay": world.pay,
            "confirm": world.confirm,
            "onboard": world.onboard,
            "reject": world.reject,
            "pay_out": world.pay_out,
            "dispute": world.dispute,
            "close_dispute": world.close_dispute,
            "settle_refund": world.settle_refund,
            "things": lambda kind: [shown(thing) for thing in world.of_kind(kind)],
            "calls": lambda match=".*": [asdict(call) for call in self.calls(match)],
            "events": self.events,
            "delivered": lambda: [asdict(one) for one in self.webhooks.delivered],
        }
        if verb not in verbs:
            raise Bad(f"no such verb: {verb}", status=404)
        try:
            found = verbs[verb](**said)
        except (TypeError, ValueError) as error:
            raise Bad(str(error)) from error
        return shown(found) if isinstance(found, dict) and "object" in found else found


def refuse(fault: str) -> None:
    """Raise what a call is answered that is not done at all."""
    if fault == "429":
        raise Bad("Request rate limit exceeded.", code="rate_limit", status=429)
    if fault == "409":
        raise Bad(
            "There is currently another in-progress request using this Stripe idempotency key.",
            code="idempotency_key_in_use",
            status=409,
            kind="idempotency_error",
        )
    if fault == "500":
        raise Bad("An unknown error occurred", status=500, kind="api_error")


def found_operation(method: str, path: str) -> tuple[Operation, list[str]]:
    for operation in OPERATIONS:
        if operation.method == method and (match := re.fullmatch(operation.path, path)):
            return operation, list(match.groups())
    raise Bad(f"Unrecognized request URL ({method}: {path}).", status=404)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Handler(BaseHTTPRequestHandler):
    """One connection, one request: nothing is left open when a test ends."""

    of: StandIn

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self.serve("GET")

    def do_POST(self) -> None:
        self.serve("POST")

    def do_DELETE(self) -> None:
        self.serve("DELETE")

    def serve(self, method: str) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        with suppress(OSError, Gone):  # the other side may have hung up, or is to think so
            if parts.path.startswith("/v1/"):
                pairs = parse_qsl(parts.query if method == "GET" else body, keep_blank_values=True)
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.answer(method, parts.path, pairs, headers)
            elif parts.path.startswith("/_control/"):
                self.steer(parts.path.removeprefix("/_control/"), body)
            else:
                self.show(method, parts.path.strip("/").split("/"), dict(parse_qsl(body)))

    def answer(self, method: str, path: str, pairs: list[tuple[str, str]], headers: dict[str, str]) -> None:
        try:
            self.send_json(*self.of.call(method, path, pairs, headers))
        except Nonsense:
            self.send(200, b"<html>Welcome to the hotel's network</html>")

    def steer(self, verb: str, body: str) -> None:
        try:
            self.send_json(200, {"answer": self.of.control(verb, json.loads(body or "{}"))}, {})
        except Bad as bad:
            self.send_json(bad.status, {"error": bad.body}, {})

    def show(self, method: str, path: list[str], form: dict[str, str]) -> None:
        try:
            if path[:2] == ["c", "pay"] and len(path) in {3, 4}:
                self.pay(method, path[2], path[3:], form)
            elif path[0] == "setup" and len(path) == 3:
                self.set_up(method, path[1], path[2], form)
            else:
                self.send(404, pages.missing_page("There is no such page."))
        except Bad as bad:
            self.send(bad.status, pages.missing_page(str(bad)))

    def pay(self, method: str, session_id: str, rest: list[str], form: dict[str, str]) -> None:
        world = self.of.world
        with world.lock:
            session = world.get("checkout.session", session_id)
            if method == "POST" and session["status"] == "open":
                try:
                    if rest == ["bank"]:
                        result = world.confirm(session_id, agreed=form.get("answer") == "yes")
                    else:
                        result = world.pay(session_id, form.get("number", "").replace(" ", ""))
                except Bad as bad:
                    self.send(200, pages.pay_page(session, str(bad)))
                    return
                if result == "paid":
                    self.go(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))
                elif result == "confirm":
                    self.send(200, pages.bank_page(session))
                elif rest == ["bank"]:
                    self.send(200, pages.pay_page(session, "We are unable to authenticate your card."))
                else:
                    self.send(200, pages.pay_page(session, "Your card was declined."))
            elif session["status"] != "open":
                self.send(200, pages.gone_page(session))
            else:
                self.send(200, pages.pay_page(session))

    def set_up(self, method: str, account_id: str, link_id: str, form: dict[str, str]) -> None:
        world = self.of.world
        with world.lock:
            link, account = world.get("account_link", link_id), world.get("account", account_id)
            stale = link["expires_at"] <= world.now() or link["_account"] != account_id
            if stale or (method == "GET" and link["_used"]):
                self.go(link["_refresh"])
            elif method == "GET":
                link["_used"] = True
                self.send(200, pages.setup_page(account, link))
            else:
                world.onboard(account_id, complete=form.get("answer") == "complete")
                self.go(link["_return"])

    def go(self, url: str) -> None:
        self.send(303, b"", {"Location": url})

    def send_json(self, status: int, body: dict[str, Any], more: dict[str, str]) -> None:
        headers = {**more, "Content-Type": "application/json", "Request-Id": f"req_{secrets.token_hex(7)}"}
        self.send(status, json.dumps(body, ensure_ascii=False).encode(), headers)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
