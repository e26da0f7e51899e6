"""The built-in test bank: a gateway where no money moves, so that the whole way can be walked without a vendor.

It keeps its own books in tables of its own, as a real bank does elsewhere, answers through the same port, and tells what
happened by signed events in the same inbox. There is none in production.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from flask import url_for
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.ids import new_token
from marketplace.payments.gateway import (
    AccountAsk,
    AccountSeen,
    AccountStatus,
    CheckoutAsk,
    CheckoutSession,
    ForgedEvent,
    GatewayRefused,
    Outcome,
    PaymentRef,
    PaymentSeen,
    PayoutSeen,
    RefundOutcome,
    RefundSeen,
    SeenChange,
    SeenEvent,
)
from marketplace.payments.inbox import receive
from marketplace.payments.models import TestBankAccount, TestBankRefund, TestBankSession
from marketplace.payments.rules import fee_given_back, share

BELIEVED = timedelta(minutes=5)
PAYOUT_DAYS = timedelta(days=2)
# What real gateways keep, roughly: 1.5 % and a quarter.
KEPT_BASIS_POINTS, KEPT_EACH = 150, 25
WANTED = ("business.address", "person.identity", "account.number")


class TestBank:
    """The gateway. `secret` is the application's; the key of the bank's signatures is made of it."""

    __test__ = False
    name = "testbank"
    is_live = False

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"tilaa: test bank, 1|" + secret.encode()).digest()

    def __repr__(self) -> str:
        return "TestBank()"

    def create_checkout(self, ask: CheckoutAsk) -> CheckoutSession:
        with transaction() as session:
            session.execute(
                insert(TestBankSession)
                .values(
                    external_id=f"tbs_{new_token()}",
                    intent_external_id=f"tbi_{new_token()}",
                    key=ask.key,
                    account=ask.payee_external_id,
                    title=ask.reference,
                    amount_minor=ask.amount_minor,
                    currency=ask.currency,
                    fee_minor=ask.fee_minor,
                    capture=ask.capture,
                    state="open",
                    lines=[
                        {"label": line.label, "quantity": line.quantity, "total_minor": line.total_minor}
                        for line in ask.lines
                    ],
                    return_path=path_of(ask.return_url),
                    expires_at=ask.expires_at,
                )
                .on_conflict_do_nothing(index_elements=["key"])
            )
            opened = session.scalars(select(TestBankSession).where(TestBankSession.key == ask.key)).one()
            if opened.amount_minor != ask.amount_minor:
                raise GatewayRefused("another-payment-of-this-key")
        return CheckoutSession(
            external_id=opened.external_id,
            intent_external_id=opened.intent_external_id,
            url=url_for("test_bank.page", lang=ask.language, token=opened.external_id),
            expires_at=opened.expires_at,
        )

    def look_up(self, payment: PaymentRef) -> Outcome:
        with transaction() as session:
            return outcome_of(lapsed(locked(session, payment.session_external_id), now()))

    def capture(self, payment: PaymentRef, amount_minor: int, *, key: str) -> Outcome:
        with transaction() as session:
            held = locked(session, payment.session_external_id)
            if held.state != "authorised":
                return outcome_of(held)
            if not 0 < amount_minor <= held.amount_minor:
                raise GatewayRefused("amount-too-large")
            take(held, amount_minor, now())
        self.tell_payment(held)
        return outcome_of(held)

    def cancel(self, payment: PaymentRef, *, key: str) -> Outcome:
        with transaction() as session:
            held = locked(session, payment.session_external_id)
            if held.state not in {"open", "authorised"}:
                return outcome_of(held)
            held.state = "cancelled" if held.state == "authorised" else "expired"
        self.tell_payment(held)
        return outcome_of(held)

    def refund(self, payment: PaymentRef, amount_minor: int, *, reverse_fee: bool, key: str) -> RefundOutcome:
        with transaction() as session:
            held = locked(session, payment.session_external_id)
            made = session.scalar(select(TestBankRefund).where(TestBankRefund.key == key))
            if made is not None:
                return refund_of(made)
            if not 0 < amount_minor <= held.captured_minor - held.refunded_minor:
                raise GatewayRefused("amount-too-large")
            made = TestBankRefund(
                external_id=f"tbr_{new_token()}",
                key=key,
                session_id=held.id,
                amount_minor=amount_minor,
                fee_minor=fee_back(session, held, amount_minor) if reverse_fee else 0,
                at=now(),
            )
            held.refunded_minor += amount_minor
            session.add(made)
            session.flush()
        self.tell(
            "refund",
            {
                "id": made.external_id,
                "intent": held.intent_external_id,
                "key": made.key,
                "amount": made.amount_minor,
                "fee": made.fee_minor,
            },
        )
        return refund_of(made)

    def find_refund(self, payment: PaymentRef, key: str) -> RefundOutcome | None:
        with transaction() as session:
            made = session.scalar(select(TestBankRefund).where(TestBankRefund.key == key))
            return None if made is None else refund_of(made)

    def look_up_refund(self, external_id: str) -> RefundOutcome:
        with transaction() as session:
            made = session.scalar(select(TestBankRefund).where(TestBankRefund.external_id == external_id))
            if made is None:
                raise GatewayRefused("no-such-refund")
            return refund_of(made)

    def create_account(self, ask: AccountAsk) -> str:
        with transaction() as session:
            session.execute(
                insert(TestBankAccount)
                .values(
                    external_id=f"tba_{new_token()}",
                    key=ask.key,
                    name=ask.name,
                    state="onboarding",
                    requirements=list(WANTED),
                )
                .on_conflict_do_nothing(index_elements=["key"])
            )
            return session.scalars(
                select(TestBankAccount.external_id).where(TestBankAccount.key == ask.key)
            ).one()

    def account_link(self, external_id: str, *, return_url: str, refresh_url: str) -> str:
        return url_for("test_bank.account", token=external_id, back=path_of(return_url))

    def look_up_account(self, external_id: str) -> AccountStatus:
        with transaction() as session:
            account = account_of(session, external_id)
            if account is None:
                raise GatewayRefused("no-such-account")
            return AccountStatus(account.state, tuple(account.requirements))

    def payouts_of(self, external_id: str) -> list[PayoutSeen]:
        with transaction() as session:
            sessions = session.scalars(
                select(TestBankSession).where(
                    TestBankSession.account == external_id, TestBankSession.state == "paid"
                )
            ).all()
            refunds = session.scalars(
                select(TestBankRefund).where(TestBankRefund.session_id.in_([one.id for one in sessions]))
            ).all()
        moved = [(one.captured_at, one.captured_minor - fee_of(one)) for one in sessions if one.captured_at]
        moved += [(one.at, one.fee_minor - one.amount_minor) for one in refunds]
        currency = sessions[0].currency if sessions else "EUR"
        return payouts(external_id, moved, currency=currency, at=now())

    def read_event(self, payload: bytes, signature: str, at: datetime) -> SeenEvent:
        stamp, _, given = signature.partition(",")
        if not signature.isascii() or not hmac.compare_digest(given, self._signature(stamp, payload)):
            raise ForgedEvent("signature")
        told_at = datetime.fromtimestamp(int(stamp), UTC)
        if abs(at - told_at) > BELIEVED:
            raise ForgedEvent("too long ago")
        told = json.loads(payload)
        return SeenEvent(told["id"], told["kind"], told["account"], is_live=False, payload=told)

    def interpret(self, payload: Mapping[str, Any]) -> list[SeenChange]:
        about = payload["about"]
        match payload["kind"]:
            case "payment":
                return [
                    PaymentSeen(Outcome(**about["outcome"]), about["session"], about["intent"], about["key"])
                ]
            case "refund":
                done = RefundOutcome(about["id"], "succeeded", about["amount"], about["fee"])
                return [RefundSeen(done, about["intent"], about["key"])]
            case "account":
                return [AccountSeen(about["id"], AccountStatus(about["state"], tuple(about["wanted"])))]
        return []

    def tell_payment(self, held: TestBankSession) -> None:
        outcome = outcome_of(held)
        self.tell(
            "payment",
            {
                "session": held.external_id,
                "intent": held.intent_external_id,
                "key": held.key,
                "outcome": {
                    "state": outcome.state,
                    "captured_minor": outcome.captured_minor,
                    "gateway_fee_minor": outcome.gateway_fee_minor,
                    "failure_code": outcome.failure_code,
                },
            },
        )

    def tell_account(self, account: TestBankAccount) -> None:
        self.tell(
            "account",
            {"id": account.external_id, "state": account.state, "wanted": list(account.requirements)},
            account=account.external_id,
        )

    def tell(self, kind: str, about: Mapping[str, Any], *, account: str = "") -> None:
        """Send an event: signed, and taken in by the same door as anybody's."""
        told = {"id": f"tbe_{new_token()}", "kind": kind, "account": account, "about": dict(about)}
        payload, at = json.dumps(told).encode(), now()
        seen = self.read_event(payload, self.sign(payload, at), at)
        with transaction() as session:
            receive(session, self, seen, at)

    def sign(self, payload: bytes, at: datetime) -> str:
        stamp = str(int(at.timestamp()))
        return f"{stamp},{self._signature(stamp, payload)}"

    def _signature(self, stamp: str, payload: bytes) -> str:
        return hmac.new(self._key, stamp.encode() + b"." + payload, "sha256").hexdigest()


def path_of(url: str) -> str:
    """The way back, on our own pages and under whatever name the reader came by."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def locked(session: Session, external_id: str | None) -> TestBankSession:
    held = session.scalar(
        select(TestBankSession).where(TestBankSession.external_id == external_id).with_for_update()
    )
    if held is None:
        raise GatewayRefused("no-such-payment")
    return held


def account_of(session: Session, external_id: str) -> TestBankAccount | None:
    return session.scalar(
        select(TestBankAccount).where(TestBankAccount.external_id == external_id).with_for_update()
    )


def lapsed(held: TestBankSession, at: datetime) -> TestBankSession:
    """A pay page closes by itself when its time is over."""
    if held.state == "open" and held.expires_at <= at:
        held.state = "expired"
    return held


def take(held: TestBankSession, amount_minor: int, at: datetime) -> None:
    held.state, held.captured_minor, held.captured_at, held.failure_code = "paid", amount_minor, at, None


def fee_of(held: TestBankSession) -> int:
    """What goes to the city of what was captured."""
    return share(held.fee_minor, held.captured_minor, held.amount_minor)


def fee_back(session: Session, held: TestBankSession, amount: int) -> int:
    before = session.scalars(
        select(TestBankRefund.fee_minor).where(TestBankRefund.session_id == held.id)
    ).all()
    return fee_given_back(
        fee_of(held),
        held.captured_minor,
        refunded_before=held.refunded_minor,
        fee_before=sum(before),
        amount=amount,
    )


def kept_of(captured: int) -> int:
    """What the bank keeps."""
    return min(captured, share(captured, KEPT_BASIS_POINTS, 10_000) + KEPT_EACH)


def outcome_of(held: TestBankSession) -> Outcome:
    is_paid = held.state == "paid"
    return Outcome(
        state=held.state,
        captured_minor=held.captured_minor,
        intent_external_id=held.intent_external_id,
        gateway_fee_minor=kept_of(held.captured_minor) if is_paid else None,
        failure_code=held.failure_code,
        refunded_minor=held.refunded_minor if is_paid else None,
    )


def refund_of(made: TestBankRefund) -> RefundOutcome:
    return RefundOutcome(made.external_id, "succeeded", made.amount_minor, made.fee_minor)


def payouts(
    account: str, moved: Sequence[tuple[datetime, int]], *, currency: str, at: datetime
) -> list[PayoutSeen]:
    """One payout for each past day (UTC) with something to pay out; what is owed to the bank is taken off the next."""
    found: list[PayoutSeen] = []
    owed = 0
    by_day = sorted((when.astimezone(UTC).date(), amount) for when, amount in moved)
    for day, parts in groupby(by_day, key=lambda part: part[0]):
        if day >= at.astimezone(UTC).date():
            break
        owed += sum(amount for _, amount in parts)
        if owed > 0:
            found.append(payout(account, day, owed, currency=currency, at=at))
            owed = 0
    return found[::-1]


def payout(account: str, day: date, amount: int, *, currency: str, at: datetime) -> PayoutSeen:
    arrives_on = day + PAYOUT_DAYS
    state = "paid" if arrives_on <= at.astimezone(UTC).date() else "in_transit"
    return PayoutSeen(f"tbp_{account[4:12]}_{day:%Y%m%d}", account, amount, currency, state, arrives_on)
