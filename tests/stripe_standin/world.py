"""What the stand-in knows: sessions, intents, charges, refunds, accounts, and how one leads to the other.

The rules are those of Stripe's documentation for the pinned version, as far as the product needs them: destination
charges with an application fee, manual capture, refunds that take the transfer and the fee back by the same share.
Everything is under one lock, so that a page, a call and a test may come at once.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.stripe_standin.shapes import Bad

VERSION = "2026-10-28.endive"
LEAST_MINOR = 50  # Stripe takes no card payment below half a euro
SESSION_LEAST, SESSION_MOST = 30 * 60, 24 * 60 * 60
AUTHORISATION_HOLDS = 7 * 24 * 60 * 60

# Stripe's own test cards and what they do.
GOOD = "4242424242424242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
ASKS_TO_CONFIRM = "4000002500003155"
DISPUTED = "4000000000000259"
REFUND_PENDS = "4000000000007726"
REFUND_FAILS = "4000000000005126"
DECLINES = {DECLINED: ("card_declined", "generic_decline"), NO_FUNDS: ("card_declined", "insufficient_funds")}
CARDS = {GOOD, *DECLINES, ASKS_TO_CONFIRM, DISPUTED, REFUND_PENDS, REFUND_FAILS}

Thing = dict[str, Any]


def share(amount: int, part: int, whole: int) -> int:
    """`amount` × part / whole, halves up, in whole numbers."""
    return (2 * amount * part + whole) // (2 * whole)


def stripe_fee(amount: int) -> int:
    """What a European card costs: 1.5 % and 25 cents."""
    return share(amount, 15, 1000) + 25


def no_account(id_: str) -> Bad:
    return Bad(
        f"The provided key does not have access to account '{id_}' (or that account does not exist). "
        "Application access may have been revoked.",
        code="account_invalid",
        status=403,
    )


class World:
    """All objects by id. `tell` is given each event as it happens."""

    def __init__(self, tell: Callable[[Thing], None], *, url: Callable[[], str], live: bool = False) -> None:
        self.lock = threading.RLock()
        self.things: dict[str, Thing] = {}
        self.tell = tell
        self.url = url
        self.live = live
        self.ahead = 0
        self.request: Thing = {"id": None, "idempotency_key": None}

    # -- things ---------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Seconds since 1970, moved by `advance`."""
        return int(time.time()) + self.ahead

    def new(self, prefix: str, kind: str, **values: Any) -> Thing:
        thing = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": self.now(),
            "livemode": self.live,
            **values,
        }
        self.things[thing["id"]] = thing
        return thing

    def of_kind(self, kind: str) -> list[Thing]:
        """The newest first, as Stripe lists them."""
        return [thing for thing in reversed(list(self.things.values())) if thing["object"] == kind]

    def get(self, kind: str, id_: str) -> Thing:
        thing = self.things.get(id_)
        if (thing is None or thing["object"] != kind) and kind == "account":
            raise no_account(id_)
        if thing is None or thing["object"] != kind:
            raise Bad(f"No such {kind}: '{id_}'", param="id", code="resource_missing", status=404)
        self.age(thing)
        return thing

    def age(self, thing: Thing) -> None:
        """What time alone has done to a session or an authorisation."""
        if thing["object"] == "checkout.session" and thing["status"] == "open":
            if thing["expires_at"] <= self.now():
                self.close_session(thing)
        elif (
            thing["object"] == "payment_intent"
            and thing["status"] == "requires_capture"
            and thing["_authorised_at"] + AUTHORISATION_HOLDS <= self.now()
        ):
            self.cancel_intent(thing, "automatic")

    def advance(self, seconds: int) -> None:
        with self.lock:
            self.ahead += seconds
            for thing in list(self.things.values()):
                self.age(thing)

    def event(self, kind: str, thing: Thing, *, account: str | None = None) -> Thing:
        """Write down that something happened and tell of it."""
        event = self.new(
            "evt",
            "event",
            api_version=VERSION,
            type=kind,
            data={"object": shown(thing)},
            pending_webhooks=1,
            request=dict(self.request),
        )
        if account:
            event["account"] = account
        self.tell(shown(event))
        return event

    # -- checkout -------------------------------------------------------------------------------------------------

    def create_coupon(self, given: Thing) -> Thing:
        return self.new(
            "coupon",
            "coupon",
            amount_off=given["amount_off"],
            currency=given["currency"],
            duration=given.get("duration", "once"),
            max_redemptions=given.get("max_redemptions"),
            name=given.get("name"),
            metadata=given.get("metadata", {}),
            times_redeemed=0,
            valid=True,
        )

    def create_session(self, given: Thing) -> Thing:
        lines = given["line_items"]
        currencies = {line["price_data"]["currency"] for line in lines}
        if len(currencies) != 1:
            raise Bad("All line items must have the same currency.", param="line_items")
        (currency,) = currencies
        subtotal = sum(line["price_data"]["unit_amount"] * line["quantity"] for line in lines)
        off, label = 0, None
        for discount in given.get("discounts", []):
            coupon = self.get("coupon", discount["coupon"])
            if not coupon["valid"] or coupon["currency"] != currency:
                raise Bad(f"Coupon {coupon['id']} cannot be used here.", param="discounts")
            off, label = min(subtotal, coupon["amount_off"]), coupon["name"]
        total = subtotal - off
        if total < LEAST_MINOR:
            raise Bad(
                "The Checkout Session's total amount due must add up to at least €0.50 eur",
                code="amount_too_small",
            )
        expires_at = given.get("expires_at", self.now() + SESSION_MOST)
        if not self.now() + SESSION_LEAST <= expires_at <= self.now() + SESSION_MOST:
            raise Bad(
                "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
                param="expires_at",
            )
        intent = given.get("payment_intent_data", {})
        destination = intent.get("transfer_data", {}).get("destination")
        fee = intent.get("application_fee_amount")
        if fee is not None and destination is None:
            raise Bad(
                "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment "
                "(using an OAuth key or Stripe-Account header) or destination payment.",
                param="payment_intent_data[application_fee_amount]",
            )
        if fee is not None and fee > total:
            raise Bad(
                "The application fee cannot be greater than the amount.", param="application_fee_amount"
            )
        if destination is not None:
            account = self.things.get(destination)
            if account is None or account["object"] != "account":
                raise Bad(
                    f"No such destination: '{destination}'",
                    param="payment_intent_data[transfer_data][destination]",
                    code="resource_missing",
                )
            if account["capabilities"].get("transfers") != "active":
                raise Bad(
                    "Your destination account needs to have at least one of the following capabilities enabled: transfers",
                    code="insufficient_capabilities_for_transfer",
                )
        session = self.new(
            "cs_live" if self.live else "cs_test",
            "checkout.session",
            amount_subtotal=subtotal,
            amount_total=total,
            cancel_url=given.get("cancel_url"),
            client_reference_id=given.get("client_reference_id"),
            currency=currency,
            customer_email=given.get("customer_email"),
            expires_at=expires_at,
            locale=given.get("locale"),
            metadata=given.get("metadata", {}),
            mode="payment",
            payment_intent=None,
            payment_status="unpaid",
            status="open",
            success_url=given["success_url"],
            total_details={"amount_discount": off, "amount_shipping": 0, "amount_tax": 0},
            url=None,
            _lines=[
                {
                    "label": line["price_data"]["product_data"]["name"],
                    "quantity": line["quantity"],
                    "total": line["price_data"]["unit_amount"] * line["quantity"],
                }
                for line in lines
            ],
            _discount=label,
            _intent=intent,
            _confirming=None,
        )
        session["url"] = f"{self.url()}/c/pay/{session['id']}"
        return session

    def expire_session(self, id_: str) -> Thing:
        session = self.get("checkout.session", id_)
        if session["status"] != "open":
            raise Bad(
                f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of `{session["status"]}`.'
            )
        self.close_session(session)
        return session

    def close_session(self, session: Thing) -> None:
        session["status"], session["url"] = "expired", None
        intent = self.things.get(session["payment_intent"] or "")
        self.event("checkout.session.expired", session)
        if intent is not None and intent["status"] in {"requires_payment_method", "requires_action"}:
            self.cancel_intent(intent, "automatic")

    def intent_of(self, session: Thing) -> Thing:
        """The session's intent, which exists from the first attempt to pay."""
        if session["payment_intent"]:
            return self.things[session["payment_intent"]]
        given = session["_intent"]
        method = given.get("capture_method", "automatic_async")
        intent = self.new(
            "pi",
            "payment_intent",
            amount=session["amount_total"],
            amount_capturable=0,
            amount_received=0,
            application_fee_amount=given.get("application_fee_amount"),
            canceled_at=None,
            cancellation_reason=None,
            capture_method=method,
            client_secret=None,
            currency=session["currency"],
            description=given.get("description"),
            last_payment_error=None,
            latest_charge=None,
            metadata=given.get("metadata", {}),
            status="requires_payment_method",
            transfer_data=given.get("transfer_data"),
            _session=session["id"],
            _authorised_at=0,
            _card=None,
        )
        intent["client_secret"] = f"{intent['id']}_secret_{secrets.token_hex(8)}"
        session["payment_intent"] = intent["id"]
        self.event("payment_intent.created", intent)
        return intent

    def pay(self, session_id: str, card: str) -> str:
        """A person types a card on the hosted page: `paid`, `declined` or `confirm` (their bank wants to be asked)."""
        with self.lock:
            session = self.get("checkout.session", session_id)
            if session["status"] != "open":
                raise Bad("This Checkout Session is no longer open.")
            if card not in CARDS:
                raise Bad(
                    "Your card number is incorrect.", code="incorrect_number", status=402, kind="card_error"
                )
            intent = self.intent_of(session)
            intent["_card"] = card
            if card in DECLINES:
                self.decline(intent, *DECLINES[card])
                return "declined"
            if card == ASKS_TO_CONFIRM:
                intent["status"] = "requires_action"
                session["_confirming"] = card
                self.event("payment_intent.requires_action", intent)
                return "confirm"
            self.succeed(session, intent)
            return "paid"

    def confirm(self, session_id: str, *, agreed: bool) -> str:
        """A person answers their bank: `paid` or `declined`."""
        with self.lock:
            session = self.get("checkout.session", session_id)
            if session["status"] != "open" or not session["_confirming"]:
                raise Bad("This Checkout Session is no longer open.")
            session["_confirming"] = None
            intent = self.intent_of(session)
            if not agreed:
                self.decline(intent, "payment_intent_authentication_failure", None)
                return "declined"
            self.succeed(session, intent)
            return "paid"

    def decline(self, intent: Thing, code: str, decline_code: str | None) -> None:
        charge = self.new_charge(intent, status="failed", failure_code=code)
        intent["status"] = "requires_payment_method"
        intent["latest_charge"] = charge["id"]
        intent["last_payment_error"] = {
            "type": "card_error",
            "code": code,
            "decline_code": decline_code,
            "message": "Your card was declined.",
        }
        self.event("charge.failed", charge)
        self.event("payment_intent.payment_failed", intent)

    def new_charge(self, intent: Thing, **values: Any) -> Thing:
        return self.new(
            "ch",
            "charge",
            **{
                "amount": intent["amount"],
                "amount_captured": 0,
                "amount_refunded": 0,
                "application_fee": None,
                "application_fee_amount": intent["application_fee_amount"],
                "balance_transaction": None,
                "captured": False,
                "currency": intent["currency"],
                "disputed": False,
                "failure_code": None,
                "metadata": dict(intent["metadata"]),
                "paid": False,
                "payment_intent": intent["id"],
                "refunded": False,
                "status": "succeeded",
                "transfer": None,
                "transfer_data": intent["transfer_data"],
                **values,
            },
        )

    def succeed(self, session: Thing, intent: Thing) -> None:
        charge = self.new_charge(intent, paid=True)
        intent["latest_charge"] = charge["id"]
        intent["last_payment_error"] = None
        session["status"], session["url"] = "complete", None
        if intent["capture_method"] == "manual":
            intent["status"] = "requires_capture"
            intent["amount_capturable"] = intent["amount"]
            intent["_authorised_at"] = self.now()
            self.event("charge.succeeded", charge)
            self.event("payment_intent.amount_capturable_updated", intent)
        else:
            self.take(intent, charge, intent["amount"])
            session["payment_status"] = "paid"
            self.event("charge.succeeded", charge)
            self.event("payment_intent.succeeded", intent)
        self.event("checkout.session.completed", session)
        if intent["_card"] == DISPUTED and charge["captured"]:
            self.dispute(intent["id"])

    def take(self, intent: Thing, charge: Thing, amount: int) -> None:
        """The money moves: Stripe keeps its fee, the supplier's part goes on to them, the city keeps its own."""
        charge.update(captured=True, amount_captured=amount)
        charge["balance_transaction"] = self.balance_transaction(
            amount, charge, "charge", fee=stripe_fee(amount)
        )["id"]
        intent.update(status="succeeded", amount_received=amount, amount_capturable=0)
        destination = (intent["transfer_data"] or {}).get("destination")
        if destination is None:
            return
        transfer = self.new(
            "tr",
            "transfer",
            amount=amount,
            amount_reversed=0,
            currency=intent["currency"],
            destination=destination,
            reversed=False,
            source_transaction=charge["id"],
        )
        charge["transfer"] = transfer["id"]
        self.event("transfer.created", transfer)
        account = self.things[destination]
        account["_balance"] += amount
        if fee := charge["application_fee_amount"]:
            kept = self.new(
                "fee",
                "application_fee",
                account=destination,
                amount=fee,
                amount_refunded=0,
                charge=charge["id"],
                currency=intent["currency"],
                refunded=False,
            )
            charge["application_fee"] = kept["id"]
            account["_balance"] -= fee
            self.event("application_fee.created", kept)

    def balance_transaction(self, amount: int, source: Thing, kind: str, *, fee: int = 0) -> Thing:
        return self.new(
            "txn",
            "balance_transaction",
            amount=amount,
            available_on=self.now() + 7 * 86400,
            currency=source["currency"],
            fee=fee,
            net=amount - fee,
            source=source["id"],
            status="pending",
            type=kind,
        )

    # -- intents --------------------------------------------------------------------------------------------------

    def capture(self, id_: str, given: Thing) -> Thing:
        intent = self.get("payment_intent", id_)
        if intent["status"] != "requires_capture":
            raise Bad(
                f"This PaymentIntent could not be captured because it has a status of {intent['status']}. "
                "Only a PaymentIntent with one of the following statuses may be captured: requires_capture.",
                code="payment_intent_unexpected_state",
            )
        amount: Any = given.get("amount_to_capture", intent["amount"])
        if amount > intent["amount_capturable"]:
            raise Bad("The amount could not be captured: it is too large.", code="amount_too_large")
        charge = self.things[intent["latest_charge"]]
        if "application_fee_amount" in given:
            if not intent["application_fee_amount"]:
                raise Bad(
                    "There was no application fee on this PaymentIntent.", param="application_fee_amount"
                )
            charge["application_fee_amount"] = given["application_fee_amount"]
        if (charge["application_fee_amount"] or 0) > amount:
            raise Bad(
                "The application fee cannot be greater than the amount.", param="application_fee_amount"
            )
        self.take(intent, charge, amount)
        # What is not taken of an authorisation counts as refunded on the charge, as at Stripe.
        charge["amount_refunded"] = charge["amount"] - amount
        session = self.things[intent["_session"]]
        session["payment_status"] = "paid"
        self.event("charge.captured", charge)
        self.event("payment_intent.succeeded", intent)
        return intent

    def cancel(self, id_: str, given: Thing) -> Thing:
        intent = self.get("payment_intent", id_)
        session = self.things[intent["_session"]]
        if session["status"] == "open":
            raise Bad(
                "You cannot cancel this PaymentIntent: it was created by Checkout. Expire its Checkout Session instead."
            )
        if intent["status"] in {"succeeded", "canceled"}:
            raise Bad(
                f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
                code="payment_intent_unexpected_state",
            )
        self.cancel_intent(intent, given.get("cancellation_reason"))
        return intent

    def cancel_intent(self, intent: Thing, reason: str | None) -> None:
        intent.update(
            status="canceled", canceled_at=self.now(), cancellation_reason=reason, amount_capturable=0
        )
        charge = self.things.get(intent["latest_charge"] or "")
        if charge is not None and charge["paid"]:
            charge.update(refunded=True, amount_refunded=charge["amount"])
        self.event("payment_intent.canceled", intent)

    # -- refunds --------------------------------------------------------------------------------------------------

    def refund(self, given: Thing) -> Thing:
        intent = self.get("payment_intent", given["payment_intent"])
        charge = self.things.get(intent["latest_charge"] or "")
        if charge is None or not charge["captured"]:
            raise Bad(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        if charge["disputed"]:
            raise Bad("This charge has been disputed and cannot be refunded.", code="charge_disputed")
        given_back = self.given_back(charge)
        left = charge["amount_captured"] - given_back
        if left == 0:
            raise Bad(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        amount = given.get("amount", left)
        if amount > left:
            raise Bad(
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                param="amount",
            )
        if given.get("reverse_transfer") and not charge["transfer"]:
            raise Bad("This charge has no transfer to reverse.", param="reverse_transfer")
        if given.get("refund_application_fee") and not charge["application_fee"]:
            raise Bad("This charge has no application fee to refund.", param="refund_application_fee")
        pends = intent["_card"] == REFUND_PENDS
        refund = self.new(
            "re",
            "refund",
            amount=amount,
            balance_transaction=None,
            charge=charge["id"],
            currency=charge["currency"],
            failure_reason=None,
            metadata=given.get("metadata", {}),
            payment_intent=intent["id"],
            reason=given.get("reason"),
            status="pending" if pends else "succeeded",
            transfer_reversal=None,
            _reversed=0,
            _fee=0,
        )
        refund["balance_transaction"] = self.balance_transaction(-amount, refund, "refund")["id"]
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        if given.get("reverse_transfer"):
            self.reverse(charge, refund, amount, given_back)
        if given.get("refund_application_fee"):
            self.refund_fee(charge, refund, amount, given_back)
        self.event("refund.created", refund)
        self.event("charge.refunded", charge)
        if intent["_card"] == REFUND_FAILS:
            self.settle_refund(refund["id"], "failed", "expired_or_canceled_card")
        return refund

    def given_back(self, charge: Thing) -> int:
        return sum(
            refund["amount"]
            for refund in self.of_kind("refund")
            if refund["charge"] == charge["id"] and refund["status"] not in {"failed", "canceled"}
        )

    def reverse(self, charge: Thing, refund: Thing, amount: int, before: int) -> None:
        transfer = self.things[charge["transfer"]]
        # A refund takes back the same share of the transfer: here the transfer is the whole charge.
        back = share(transfer["amount"], before + amount, charge["amount_captured"]) - share(
            transfer["amount"], before, charge["amount_captured"]
        )
        transfer["amount_reversed"] += back
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        self.things[transfer["destination"]]["_balance"] -= back
        refund["_reversed"] = back
        refund["transfer_reversal"] = f"trr_{secrets.token_hex(12)}"

    def refund_fee(self, charge: Thing, refund: Thing, amount: int, before: int) -> None:
        fee = self.things[charge["application_fee"]]
        back = share(fee["amount"], before + amount, charge["amount_captured"]) - share(
            fee["amount"], before, charge["amount_captured"]
        )
        fee["amount_refunded"] += back
        fee["refunded"] = fee["amount_refunded"] == fee["amount"]
        self.things[fee["account"]]["_balance"] += back
        refund["_fee"] = back
        self.event("application_fee.refunded", fee)

    def settle_refund(self, id_: str, status: str, reason: str | None = None) -> Thing:
        """A refund that pended comes through or fails; one that fails puts the money back to our balance."""
        with self.lock:
            refund = self.get("refund", id_)
            refund.update(status=status, failure_reason=reason)
            if status == "failed":
                charge = self.things[refund["charge"]]
                charge["amount_refunded"] -= refund["amount"]
                charge["refunded"] = False
            self.event("refund.updated", refund)
            if status == "failed":
                self.event("refund.failed", refund)
            return refund

    # -- accounts -------------------------------------------------------------------------------------------------

    def create_account(self, given: Thing) -> Thing:
        controller = given.get("controller", {})
        account = self.new(
            "acct",
            "account",
            business_profile={"name": None, "url": None, **given.get("business_profile", {})},
            business_type=given.get("business_type"),
            capabilities={
                name: "inactive"
                for name, asked in given.get("capabilities", {}).items()
                if asked.get("requested")
            },
            charges_enabled=False,
            company=given.get("company"),
            controller={**controller, "type": "application", "is_controller": True},
            country=given.get("country", "FI"),
            default_currency="eur",
            details_submitted=False,
            email=given.get("email"),
            metadata=given.get("metadata", {}),
            payouts_enabled=False,
            requirements={
                "currently_due": ["business_type", "external_account", "tos_acceptance.date"],
                "disabled_reason": "requirements.past_due",
                "errors": [],
                "eventually_due": ["business_type", "external_account", "tos_acceptance.date"],
                "past_due": ["external_account"],
                "pending_verification": [],
            },
            _balance=0,
        )
        self.event("account.updated", account, account=account["id"])
        return account

    def create_link(self, given: Thing) -> Thing:
        account = self.get("account", given["account"])
        if given["type"] == "account_onboarding" and not (
            given.get("return_url") and given.get("refresh_url")
        ):
            raise Bad("Missing required param: return_url and refresh_url.", param="return_url")
        link = self.new(
            "link",
            "account_link",
            expires_at=self.now() + 300,
            _account=account["id"],
            _return=given.get("return_url"),
            _refresh=given.get("refresh_url"),
            _used=False,
        )
        link["url"] = f"{self.url()}/setup/{account['id']}/{link['id']}"
        return link

    def onboard(self, account_id: str, *, complete: bool) -> Thing:
        """A supplier fills in the hosted page: all of it, or so that a document is still wanted."""
        with self.lock:
            account = self.get("account", account_id)
            missing = [] if complete else ["company.verification.document"]
            account["details_submitted"] = True
            account["payouts_enabled"] = complete
            account["capabilities"] = dict.fromkeys(
                account["capabilities"], "active" if complete else "pending"
            )
            account["charges_enabled"] = complete and "card_payments" in account["capabilities"]
            account["requirements"].update(
                currently_due=missing,
                eventually_due=missing,
                past_due=[],
                disabled_reason=None if complete else "requirements.pending_verification",
            )
            self.event("account.updated", account, account=account_id)
            return account

    def reject(self, account_id: str) -> Thing:
        """Stripe closes an account for good."""
        with self.lock:
            account = self.get("account", account_id)
            account.update(payouts_enabled=False, charges_enabled=False)
            account["capabilities"] = dict.fromkeys(account["capabilities"], "inactive")
            account["requirements"]["disabled_reason"] = "rejected.fraud"
            self.event("account.updated", account, account=account_id)
            return account

    def leave(self, account_id: str) -> None:
        """A supplier takes the platform's right to their account back."""
        with self.lock:
            self.get("account", account_id)
            self.things.pop(account_id)
            self.event(
                "account.application.deauthorized",
                {"id": "ca_standin", "object": "application", "name": "Tilaa"},
                account=account_id,
            )

    def pay_out(self, account_id: str, *, status: str = "paid", amount: int | None = None) -> Thing:
        """What a supplier has goes to their bank."""
        with self.lock:
            account = self.get("account", account_id)
            payout = self.new(
                "po",
                "payout",
                amount=account["_balance"] if amount is None else amount,
                arrival_date=self.now() + 2 * 86400,
                currency="eur",
                failure_code=None,
                method="standard",
                status="pending",
                type="bank_account",
                _account=account_id,
            )
            self.event("payout.created", payout, account=account_id)
            if status != "pending":
                payout["status"] = status
                if status == "failed":
                    payout["failure_code"] = "account_closed"
                else:
                    account["_balance"] -= payout["amount"]
                self.event(f"payout.{status}", payout, account=account_id)
            return payout

    # -- disputes -------------------------------------------------------------------------------------------------

    def dispute(self, intent_id: str, *, reason: str = "fraudulent", warning: bool = False) -> Thing:
        """The payer's bank takes the money back, or first only asks."""
        with self.lock:
            intent = self.get("payment_intent", intent_id)
            charge = self.things[intent["latest_charge"]]
            dispute = self.new(
                "du",
                "dispute",
                amount=charge["amount_captured"],
                charge=charge["id"],
                currency=charge["currency"],
                is_charge_refundable=warning,
                metadata={},
                payment_intent=intent_id,
                reason=reason,
                status="warning_needs_response" if warning else "needs_response",
            )
            charge["disputed"] = not warning
            self.event("charge.dispute.created", dispute)
            if not warning:
                self.event("charge.dispute.funds_withdrawn", dispute)
            return dispute

    def close_dispute(self, id_: str, status: str) -> Thing:
        """`won`, `lost` or `warning_closed`."""
        with self.lock:
            dispute = self.get("dispute", id_)
            dispute["status"] = status
            self.event("charge.dispute.closed", dispute)
            if status == "won":
                self.things[dispute["charge"]]["disputed"] = False
                self.event("charge.dispute.funds_reinstated", dispute)
            return dispute

    # -- lists ----------------------------------------------------------------------------------------------------

    def listed(self, kind: str, given: Thing, **wanted: Any) -> tuple[list[Thing], bool]:
        """(a page, whether there is more): the newest first, after `starting_after`."""
        for name in ("payment_intent", "charge", "status", "type"):
            if name in given:
                wanted[name] = given[name]
        found: Iterator[Thing] = (
            thing
            for thing in self.of_kind(kind)
            if all(thing.get(name) == value for name, value in wanted.items())
        )
        if after := given.get("starting_after"):
            for thing in found:
                if thing["id"] == after:
                    break
        limit = given.get("limit", 10)
        page = list(found)
        return page[:limit], len(page) > limit


def shown(thing: Thing) -> Thing:
    """A copy without what only the stand-in knows."""
    if thing["object"] == "account_link":
        return {name: thing[name] for name in ("object", "created", "expires_at", "url")}
    return {name: copied(value) for name, value in thing.items() if not name.startswith("_")}


def copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: copied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [copied(inner) for inner in value]
    return value


# Where an id stands for a thing that can be shown whole.
EXPANDABLE = {
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "balance_transaction": "balance_transaction",
    "charge": "charge",
    "application_fee": "application_fee",
    "transfer": "transfer",
}


def expanded(world: World, value: Any, paths: list[str]) -> Any:
    """`value` with what `paths` name shown whole instead of by its id."""
    for path in paths:
        head, _, rest = path.partition(".")
        if isinstance(value, list):
            raise Bad(f"This property cannot be expanded ({path}).", param="expand")
        if head == "data" and isinstance(value.get("data"), list):
            value["data"] = [expanded(world, one, [rest]) for one in value["data"]]
            continue
        if head not in EXPANDABLE or head not in value:
            raise Bad(f"This property cannot be expanded ({path}).", param="expand")
        inner = value[head]
        if inner is None:
            continue
        if isinstance(inner, str):
            inner = shown(world.things[inner])
        value[head] = expanded(world, inner, [rest]) if rest else inner
    return value
