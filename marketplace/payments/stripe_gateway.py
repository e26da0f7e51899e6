"""Stripe behind the port: Checkout pages, destination charges to suppliers, refunds, and what it tells us.

The only file that imports `stripe`. The client is an object of its own with the version pinned, so that Stripe's next
version changes nothing here until somebody reads what it changes. Nothing is tried again in here: a job asks again with
the same key. What an answer holds beside a code and a request's id is never logged: it may hold people's addresses.

A key answers with what the first request was answered for a day, an error of Stripe's own included. So where Stripe
answered with an error of its own we look at what it did before we say that we do not know.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import stripe

from marketplace.payments import rules, stripe_words
from marketplace.payments.gateway import (
    AccountAsk,
    AccountStatus,
    CheckoutAsk,
    CheckoutSession,
    ForgedEvent,
    GatewayDown,
    GatewayRefused,
    Outcome,
    PaymentRef,
    PayoutSeen,
    RefundOutcome,
    SeenChange,
    SeenEvent,
)
from marketplace.settings import Settings

if TYPE_CHECKING:
    from stripe.params import AccountCreateParams, PaymentIntentCaptureParams, RefundCreateParams
    from stripe.params.checkout import SessionCreateParams

log = logging.getLogger(__name__)
# At "debug" the library writes whole requests and answers down.
logging.getLogger("stripe").setLevel(logging.WARNING)

API_VERSION = "2026-10-28.endive"
# How far a signature's time may be from ours. One that comes hours late is signed anew by Stripe.
TOLERANCE = timedelta(minutes=5)
# Stripe closes a page by itself no earlier than 30 minutes and no later than 24 hours after it was opened. We close it
# ourselves when it is due; this is for the day that we cannot.
AFTER_OURS = timedelta(minutes=31)
LONGEST_OPEN = timedelta(hours=24)
LOCALES = frozenset({"fi", "sv", "en"})
WITH_FEE = ["payment_intent.latest_charge.balance_transaction"]
# Not our words to Stripe but its own state: worth another try.
BUSY = frozenset({"lock_timeout", "rate_limit", "idempotency_key_in_use"})
ACCOUNT_GONE = "account_invalid"


class AnsweredBadly(GatewayDown):
    """Stripe answered with an error of its own; `replayed`: and will do so for this key whenever it is asked."""

    def __init__(self, what: str, *, replayed: bool) -> None:
        super().__init__(what)
        self.replayed = replayed


class StripeGateway:
    """Opens no connection before the first call. Safe to use from several threads."""

    name = "stripe"

    def __init__(self, settings: Settings) -> None:
        self.is_live = settings.stripe_is_live
        self._secrets = (settings.stripe_webhook_secret, settings.stripe_connect_webhook_secret)
        base = settings.stripe_api_base.rstrip("/")
        self._client = stripe.StripeClient(
            settings.stripe_key,
            stripe_version=API_VERSION,
            base_addresses={"api": base} if base else None,
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=settings.payment_timeout_seconds),
        )

    def __repr__(self) -> str:
        return f"<StripeGateway {'live' if self.is_live else 'test'}>"

    # -- payments -------------------------------------------------------------------------------------------------

    def create_checkout(self, ask: CheckoutAsk) -> CheckoutSession:
        if sum(line.total_minor for line in ask.lines) != ask.amount_minor:
            raise ValueError(f"the lines of {ask.reference} do not add up to its total")
        try:
            return self._checkout(ask, ask.key)
        except AnsweredBadly as bad:
            if not bad.replayed:
                raise
            # A page whose address nobody was ever told cannot be paid on: another one is no second payment.
            return self._checkout(ask, f"{ask.key}:again")

    def _checkout(self, ask: CheckoutAsk, key: str) -> CheckoutSession:
        items, off, off_name = stripe_words.line_items(list(ask.lines), ask.currency)
        ours = {stripe_words.KEY: ask.key, stripe_words.REFERENCE: ask.reference}
        intent: dict[str, Any] = {
            "capture_method": ask.capture,
            "description": ask.reference,
            "metadata": ours,
        }
        if ask.payee_external_id is not None:
            intent["transfer_data"] = {"destination": ask.payee_external_id}
            if ask.fee_minor:
                intent["application_fee_amount"] = ask.fee_minor
        asked: dict[str, Any] = {
            "mode": "payment",
            "allowed_payment_method_types": ["card"],
            "line_items": items,
            "locale": ask.language if ask.language in LOCALES else "auto",
            "success_url": ask.return_url,
            "cancel_url": ask.return_url,
            "client_reference_id": ask.reference,
            "metadata": {**ours, stripe_words.CAPTURE: ask.capture},
            "payment_intent_data": intent,
        }
        if ask.email:
            asked["customer_email"] = ask.email
        # Counted from the payment's own times, so that the same key goes with the same words however late it is asked.
        closes_at = ask.expires_at + AFTER_OURS
        if closes_at - ask.asked_at < LONGEST_OPEN:
            asked["expires_at"] = int(closes_at.timestamp())
        if off:
            asked["discounts"] = [{"coupon": self._coupon(off, off_name, ask.currency, key)}]
        with asking("create_checkout"):
            session = self._client.v1.checkout.sessions.create(
                cast("SessionCreateParams", asked), {"idempotency_key": f"{key}:checkout"}
            )
        if session.url is None:
            # The key was used long ago and its page has closed since.
            raise GatewayRefused("session-closed")
        return CheckoutSession(
            external_id=session.id,
            intent_external_id=stripe_words.id_of(plain(session)["payment_intent"]),
            url=session.url,
            expires_at=stripe_words.instant(session.expires_at),
        )

    def _coupon(self, off: int, name: str, currency: str, key: str) -> str:
        """What a discount is at Stripe: good for this one page."""
        with asking("create_coupon"):
            coupon = self._client.v1.coupons.create(
                {
                    "amount_off": off,
                    "currency": currency.lower(),
                    "duration": "once",
                    "max_redemptions": 1,
                    "name": name,
                },
                {"idempotency_key": f"{key}:coupon"},
            )
        return coupon.id

    def look_up(self, payment: PaymentRef) -> Outcome:
        if payment.session_external_id is None and payment.intent_external_id is None:
            raise GatewayRefused("never-opened")
        with asking("look_up"):
            if payment.session_external_id is not None:
                found = plain(
                    self._client.v1.checkout.sessions.retrieve(
                        payment.session_external_id, {"expand": WITH_FEE}
                    )
                )
                outcome, intent = stripe_words.session_outcome(found), found["payment_intent"]
            else:
                intent = self._intent(cast(str, payment.intent_external_id))
                outcome = stripe_words.intent_outcome(intent)
            return self._with_refunds(outcome, intent)

    def _intent(self, intent_id: str) -> dict[str, Any]:
        expand = [path.removeprefix("payment_intent.") for path in WITH_FEE]
        return plain(self._client.v1.payment_intents.retrieve(intent_id, {"expand": expand}))

    def _with_refunds(self, outcome: Outcome, intent: Any) -> Outcome:
        """With all that was given back. The charge's own sum also counts what was authorised and never taken."""
        if outcome.state != "paid" or not isinstance(intent, Mapping):
            return outcome
        charge = intent.get("latest_charge")
        refunded = 0
        if not isinstance(charge, Mapping) or charge["amount_refunded"]:
            refunded = sum(
                refund.amount_minor
                for _, refund in self._refunds_of(intent["id"])
                if refund.state != "failed"
            )
        return Outcome(
            outcome.state,
            outcome.captured_minor,
            outcome.intent_external_id,
            outcome.gateway_fee_minor,
            outcome.failure_code,
            refunded,
        )

    def capture(self, payment: PaymentRef, amount_minor: int, *, key: str) -> Outcome:
        asked: PaymentIntentCaptureParams = {"amount_to_capture": amount_minor}
        if payment.payee_external_id is not None and payment.fee_minor:
            asked["application_fee_amount"] = rules.share(
                payment.fee_minor, amount_minor, payment.amount_minor
            )
        intent_id = self._intent_id(payment)
        try:
            with asking("capture"):
                self._client.v1.payment_intents.capture(
                    intent_id, asked, {"idempotency_key": f"{key}:capture"}
                )
        except (AnsweredBadly, GatewayRefused):
            # Taken or given back meanwhile, perhaps by this very call: how it stands is the answer.
            outcome = self.look_up(payment)
            if outcome.state == "authorised":
                raise
            return outcome
        return self.look_up(payment)

    def cancel(self, payment: PaymentRef, *, key: str) -> Outcome:
        outcome = self.look_up(payment)
        if outcome.state not in {"open", "authorised"}:
            return outcome
        try:
            with asking("cancel"):
                if outcome.state == "open" and payment.session_external_id is not None:
                    self._client.v1.checkout.sessions.expire(
                        payment.session_external_id, {}, {"idempotency_key": f"{key}:expire"}
                    )
                else:
                    self._client.v1.payment_intents.cancel(
                        cast(str, outcome.intent_external_id),
                        {"cancellation_reason": "requested_by_customer"},
                        {"idempotency_key": f"{key}:cancel"},
                    )
        except (AnsweredBadly, GatewayRefused):
            after = self.look_up(payment)
            if after.state == outcome.state:
                raise
            return after
        return self.look_up(payment)

    def _intent_id(self, payment: PaymentRef) -> str:
        """The payment's intent, which exists once somebody tried to pay. Raises GatewayRefused."""
        intent = payment.intent_external_id or self.look_up(payment).intent_external_id
        if intent is None:
            raise GatewayRefused("never-paid")
        return intent

    # -- refunds --------------------------------------------------------------------------------------------------

    def refund(self, payment: PaymentRef, amount_minor: int, *, reverse_fee: bool, key: str) -> RefundOutcome:
        asked: RefundCreateParams = {
            "payment_intent": self._intent_id(payment),
            "amount": amount_minor,
            "metadata": {stripe_words.KEY: key},
            "expand": ["charge.application_fee"],
        }
        if payment.payee_external_id is not None:
            asked["reverse_transfer"] = True
            if reverse_fee and payment.fee_minor:
                asked["refund_application_fee"] = True
        try:
            return self._refund(asked, key)
        except AnsweredBadly as bad:
            if found := self.find_refund(payment, key):
                return found
            if not bad.replayed:
                raise
            return self._refund(asked, f"{key}:again")

    def _refund(self, asked: "RefundCreateParams", key: str) -> RefundOutcome:
        with asking("refund"):
            refund = self._client.v1.refunds.create(asked, {"idempotency_key": f"{key}:refund"})
        return stripe_words.refund_outcome(plain(refund))

    def find_refund(self, payment: PaymentRef, key: str) -> RefundOutcome | None:
        with asking("find_refund"):
            for theirs, refund in self._refunds_of(self._intent_id(payment)):
                if theirs == key:
                    return refund
        return None

    def _refunds_of(self, intent_id: str) -> Iterator[tuple[str | None, RefundOutcome]]:
        """(the key it was asked for with, the refund) of each, the newest first."""
        page = self._client.v1.refunds.list({"payment_intent": intent_id, "limit": 100})
        for refund in page.auto_paging_iter():
            thing = plain(refund)
            yield stripe_words.key_of(thing), stripe_words.refund_outcome(thing)

    def look_up_refund(self, external_id: str) -> RefundOutcome:
        with asking("look_up_refund"):
            found = self._client.v1.refunds.retrieve(external_id, {"expand": ["charge.application_fee"]})
        return stripe_words.refund_outcome(plain(found))

    # -- suppliers ------------------------------------------------------------------------------------------------

    def create_account(self, ask: AccountAsk) -> str:
        try:
            return self._account(ask, ask.key)
        except AnsweredBadly as bad:
            if not bad.replayed:
                raise
            # One that nobody was ever sent to stays an empty shell.
            return self._account(ask, f"{ask.key}:again")

    def _account(self, ask: AccountAsk, key: str) -> str:
        """The city pays Stripe's fees and answers for what a supplier owes; Stripe asks them who they are."""
        asked: AccountCreateParams = {
            "country": ask.country,
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "stripe",
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "business_profile": {"name": ask.name},
            "metadata": {stripe_words.KEY: ask.key},
        }
        if ask.email:
            asked["email"] = ask.email
        if ask.business_id:
            asked["company"] = {"tax_id": ask.business_id}
        with asking("create_account"):
            account = self._client.v1.accounts.create(asked, {"idempotency_key": f"{key}:account"})
        return account.id

    def account_link(self, external_id: str, *, return_url: str, refresh_url: str) -> str:
        with asking("account_link"):
            link = self._client.v1.account_links.create(
                {
                    "account": external_id,
                    "type": "account_onboarding",
                    "return_url": return_url,
                    "refresh_url": refresh_url,
                },
                # A link works once: each is an act of its own.
                {"idempotency_key": f"link:{uuid4()}"},
            )
        return link.url

    def look_up_account(self, external_id: str) -> AccountStatus:
        """A supplier who took our right to their account away is disabled."""
        try:
            with asking("look_up_account"):
                account = self._client.v1.accounts.retrieve(external_id)
        except GatewayRefused as refused:
            if refused.code != ACCOUNT_GONE:
                raise
            return AccountStatus("disabled")
        return stripe_words.account_status(plain(account))

    def payouts_of(self, external_id: str) -> list[PayoutSeen]:
        """None of a supplier who took our right to see them away."""
        try:
            with asking("payouts_of"):
                page = self._client.v1.payouts.list({"limit": 20}, {"stripe_account": external_id})
        except GatewayRefused as refused:
            if refused.code != ACCOUNT_GONE:
                raise
            return []
        return [stripe_words.payout_seen(plain(payout), external_id) for payout in page.data]

    # -- what Stripe tells ----------------------------------------------------------------------------------------

    def read_event(self, payload: bytes, signature: str, at: datetime) -> SeenEvent:
        """One that another endpoint's secret signed, of another account's or for another's, is not believed."""
        own, connect = self._secrets
        signed_at, given = parted(signature)
        if abs(at.timestamp() - signed_at) > TOLERANCE.total_seconds():
            raise ForgedEvent("signed too long ago")
        by_own, by_connect = (is_signed(payload, secret, signed_at, given) for secret in (own, connect))
        if not (by_own or by_connect):
            raise ForgedEvent("not signed by Stripe")
        try:
            event = json.loads(payload)
            seen = SeenEvent(
                external_id=event["id"],
                kind=event["type"],
                account=event.get("account") or "",
                is_live=event["livemode"],
                payload=event,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ForgedEvent("no event") from None
        if not all(isinstance(text, str) for text in (seen.external_id, seen.kind, seen.account)):
            raise ForgedEvent("no event")
        if seen.is_live is not True and seen.is_live is not False:
            raise ForgedEvent("no event")
        if not (by_connect if seen.account else by_own):
            raise ForgedEvent("signed with the other endpoint's secret")
        return seen

    def interpret(self, payload: Mapping[str, Any]) -> list[SeenChange]:
        return stripe_words.changes_of(payload)


def plain(thing: stripe.StripeObject) -> dict[str, Any]:
    """Stripe's object as dictionaries all the way down, as events are."""
    return thing.to_dict()


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Stripe's errors as ours. Raises GatewayDown, GatewayRefused."""
    try:
        yield
    except stripe.StripeError as error:
        raise translated(what, error) from None


def translated(what: str, error: stripe.StripeError) -> GatewayDown | GatewayRefused:
    """Whether it is worth asking again. A refused key is: an operator can mend that, and no money may be lost over it."""
    code = code_of(error)
    log.warning(
        "stripe did not do %s: %s",
        what,
        type(error).__name__,
        extra={"status": error.http_status, "code": code, "stripe_request": error.request_id},
    )
    if isinstance(error, stripe.PermissionError) and code == ACCOUNT_GONE:
        return GatewayRefused(ACCOUNT_GONE)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return GatewayDown(type(error).__name__)
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError) or code in BUSY:
        return GatewayDown(type(error).__name__)
    if isinstance(error, stripe.APIError):
        replayed = str((error.headers or {}).get("idempotent-replayed", "")).lower() == "true"
        return AnsweredBadly(type(error).__name__, replayed=replayed)
    return GatewayRefused(code)


def code_of(error: stripe.StripeError) -> str:
    """Stripe's own short word for what is wrong."""
    body = error.json_body if isinstance(error.json_body, dict) else {}
    said = body.get("error")
    said = said if isinstance(said, dict) else {}
    return str(said.get("decline_code") or said.get("code") or said.get("type") or "refused")


def parted(signature: str) -> tuple[int, list[str]]:
    """(when it was signed, the signatures that may be ours) of a Stripe-Signature header. Raises ForgedEvent."""
    pairs = [part.strip().partition("=") for part in signature.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12 or not given:
        raise ForgedEvent("no signature")
    return int(times[0]), given


def is_signed(payload: bytes, secret: str, at: int, given: list[str]) -> bool:
    """Whether one of these is this secret's signature of this body at this second; while a secret is changed, two are sent.

    Not the library's own check: that one asks the clock, and puts the body into its error.
    """
    if not secret:
        return False
    right = hmac.new(secret.encode(), b"%d.%s" % (at, payload), hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(right.encode(), one.encode()) for one in given)
