"""Stripe's objects in our words: plain dictionaries in, values of `gateway` out. Pure, and the same for answers and events.

Stripe copies an intent's metadata to its charge, so our key is found on whatever it tells of.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from marketplace.payments.gateway import (
    AccountSeen,
    AccountStatus,
    CheckoutLine,
    DisputeSeen,
    Outcome,
    PaymentSeen,
    PayoutSeen,
    RefundOutcome,
    RefundSeen,
    SeenChange,
)
from marketplace.payments.rules import share

KEY = "tilaa_key"
REFERENCE = "tilaa_reference"
CAPTURE = "tilaa_capture"
# Stripe's own limits: a line's name, a coupon's.
LONGEST_NAME, LONGEST_COUPON_NAME = 250, 40

Thing = Mapping[str, Any]

REFUND_STATES = {
    "pending": "sent",
    "requires_action": "sent",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
DISPUTE_STATES = {
    "warning_needs_response": "warning",
    "warning_under_review": "warning",
    "needs_response": "open",
    "under_review": "open",
    "warning_closed": "won",
    "prevented": "won",
    "won": "won",
    "lost": "lost",
}
PAYOUT_STATES = {
    "pending": "pending",
    "in_transit": "in_transit",
    "paid": "paid",
    "failed": "failed",
    "canceled": "cancelled",
}
# Who asked for the end of an intent; what ends without anybody asking has run out.
ASKED_TO_CANCEL = {"abandoned", "duplicate", "fraudulent", "requested_by_customer"}


def line_items(lines: list[CheckoutLine], currency: str) -> tuple[list[dict[str, Any]], int, str]:
    """(what Stripe lists, what a coupon takes off, that coupon's name): with our lines and to our total.

    Stripe multiplies, so a line whose total is no multiple of its quantity goes as one piece that names its quantity;
    and it knows no negative line but a coupon, of which it takes one.
    """
    items, off, names = [], 0, []
    for line in lines:
        if line.total_minor < 0:
            off -= line.total_minor
            names.append(line.label)
            continue
        each, rest = divmod(line.total_minor, line.quantity)
        whole = rest != 0
        name = f"{line.label} × {line.quantity}" if whole else line.label
        items.append(
            {
                "quantity": 1 if whole else line.quantity,
                "price_data": {
                    "currency": currency.lower(),
                    "unit_amount": line.total_minor if whole else each,
                    "product_data": {"name": name[:LONGEST_NAME]},
                },
            }
        )
    return items, off, ", ".join(names)[:LONGEST_COUPON_NAME]


def id_of(value: str | Thing | None) -> str | None:
    """The id of something that Stripe shows by its id or whole."""
    if value is None or isinstance(value, str):
        return value
    return str(value["id"])


def key_of(thing: Thing) -> str | None:
    return (thing.get("metadata") or {}).get(KEY)


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def session_outcome(session: Thing) -> Outcome:
    """How a Checkout Session stands; its intent decides where it is shown whole."""
    intent = session.get("payment_intent")
    intent_id = id_of(intent)
    if session["status"] == "expired":
        return Outcome("expired", intent_external_id=intent_id)
    if isinstance(intent, Mapping):
        seen = intent_outcome(intent)
        gone_wrong = session["status"] == "complete" and intent["status"] == "requires_payment_method"
        return Outcome("failed", 0, intent_id, None, seen.failure_code) if gone_wrong else seen
    if session["status"] == "open":
        return Outcome("open", intent_external_id=intent_id)
    if session["payment_status"] == "paid":
        return Outcome("paid", session["amount_total"], intent_id)
    # Complete and unpaid: held on the card if that was what we asked for, else still on its way.
    manual = (session.get("metadata") or {}).get(CAPTURE) == "manual"
    return Outcome("authorised" if manual else "open", intent_external_id=intent_id)


def intent_outcome(intent: Thing) -> Outcome:
    status = intent["status"]
    if status == "succeeded":
        return Outcome("paid", intent["amount_received"], intent["id"], gateway_fee(intent))
    if status == "requires_capture":
        return Outcome("authorised", intent_external_id=intent["id"])
    if status == "canceled":
        asked = intent.get("cancellation_reason") in ASKED_TO_CANCEL
        return Outcome("cancelled" if asked else "expired", intent_external_id=intent["id"])
    error = intent.get("last_payment_error") or {}
    code = error.get("decline_code") or error.get("code")
    return Outcome("open", intent_external_id=intent["id"], failure_code=code)


def gateway_fee(intent: Thing) -> int | None:
    """What Stripe kept, where the charge's balance transaction is shown and in the payment's own currency."""
    charge = intent.get("latest_charge")
    moved = charge.get("balance_transaction") if isinstance(charge, Mapping) else None
    if not isinstance(moved, Mapping) or moved["currency"] != intent["currency"]:
        return None
    return int(moved["fee"])


def refund_outcome(refund: Thing) -> RefundOutcome:
    return RefundOutcome(
        external_id=refund["id"],
        state=REFUND_STATES.get(refund["status"], "sent"),
        amount_minor=refund["amount"],
        fee_minor=fee_given_back(refund),
        failure_code=refund.get("failure_reason"),
    )


def fee_given_back(refund: Thing) -> int | None:
    """What came back of the application fee; known only while this refund is the charge's first, as Stripe sums it up.

    What is no share of the fee is of an earlier refund that failed: then it is not known either.
    """
    charge = refund.get("charge")
    if not isinstance(charge, Mapping) or charge["amount_refunded"] != refund["amount"]:
        return None
    fee = charge.get("application_fee")
    if fee is None:
        return 0
    if not isinstance(fee, Mapping):
        return None
    back = int(fee["amount_refunded"])
    due = share(fee["amount"], refund["amount"], charge["amount_captured"])
    return back if back == 0 or abs(back - due) <= 1 else None


def account_status(account: Thing) -> AccountStatus:
    """A supplier is ready when money can be passed on to them and out to their bank; they take no cards themselves."""
    wanted = account.get("requirements") or {}
    due = tuple(dict.fromkeys([*(wanted.get("past_due") or []), *(wanted.get("currently_due") or [])]))
    if str(wanted.get("disabled_reason") or "").startswith("rejected"):
        return AccountStatus("disabled", due)
    if not account.get("details_submitted"):
        return AccountStatus("onboarding", due)
    transfers = (account.get("capabilities") or {}).get("transfers") == "active"
    return AccountStatus("enabled" if transfers and account.get("payouts_enabled") else "restricted", due)


def payout_seen(payout: Thing, account: str) -> PayoutSeen:
    return PayoutSeen(
        external_id=payout["id"],
        account=account,
        amount_minor=payout["amount"],
        currency=payout["currency"].upper(),
        state=PAYOUT_STATES.get(payout["status"], "pending"),
        arrives_on=arrival(payout["arrival_date"]),
    )


def arrival(seconds: int) -> date:
    """Stripe names a day by its midnight in UTC."""
    return instant(seconds).date()


def dispute_seen(dispute: Thing, at: datetime) -> DisputeSeen | None:
    """A dispute as of `at`; None if it is of a charge without an intent, which we never make."""
    intent = id_of(dispute.get("payment_intent"))
    if intent is None:
        return None
    state = DISPUTE_STATES.get(dispute["status"], "open")
    return DisputeSeen(
        external_id=dispute["id"],
        intent_external_id=intent,
        amount_minor=dispute["amount"],
        state=state,
        reason=dispute["reason"],
        opened_at=instant(dispute["created"]),
        closed_at=at if state in {"won", "lost"} else None,
    )


def changes_of(event: Thing) -> list[SeenChange]:
    """What an event means for us; nothing for kinds that we do not need."""
    kind, thing, account = event["type"], event["data"]["object"], event.get("account") or ""
    family = kind.rpartition(".")[0]
    if kind == "account.updated":
        return [AccountSeen(thing["id"], account_status(thing))]
    if kind == "account.application.deauthorized":
        return [AccountSeen(account, AccountStatus("disabled"))] if account else []
    if family == "payout":
        # Without an account it is the city's own, which its bank statement shows.
        return [payout_seen(thing, account)] if account else []
    if account:
        # Payments are made on the city's own account: those that suppliers take elsewhere are not ours to know.
        return []
    if family == "checkout.session":
        return [session_seen(kind, thing)]
    if family == "payment_intent":
        return [PaymentSeen(intent_outcome(thing), intent_external_id=thing["id"], key=key_of(thing))]
    if kind == "charge.refunded":
        return charge_seen(thing)
    if family in {"refund", "charge.refund"}:
        return [RefundSeen(refund_outcome(thing), id_of(thing.get("payment_intent")), key_of(thing))]
    if family == "charge.dispute":
        seen = dispute_seen(thing, instant(event["created"]))
        return [] if seen is None else [seen]
    return []


def session_seen(kind: str, session: Thing) -> PaymentSeen:
    outcome = session_outcome(session)
    if kind == "checkout.session.async_payment_failed":
        outcome = Outcome("failed", intent_external_id=outcome.intent_external_id)
    return PaymentSeen(outcome, session["id"], outcome.intent_external_id, key_of(session))


def charge_seen(charge: Thing) -> list[SeenChange]:
    """Something was given back. What was authorised and never taken counts here too: that is no refund."""
    taken, intent = charge["amount_captured"], id_of(charge.get("payment_intent"))
    if not taken or intent is None:
        return []
    refunded = charge["amount_refunded"] if taken == charge["amount"] else None
    outcome = Outcome("paid", taken, intent, refunded_minor=refunded)
    return [PaymentSeen(outcome, intent_external_id=intent, key=key_of(charge))]
