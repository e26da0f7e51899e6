"""Whatever asks a gateway: outside any transaction, then the answer is written down in one of its own.

Each step can be repeated, and a worker may be killed between any two: the rows say what is wanted, the gateway what it
did, and the same key asks for the same act.
"""

import logging
import re
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.notifications.mail import address_of
from marketplace.payments.actions import apply_outcome, apply_refund_outcome
from marketplace.payments.gateway import (
    AccountAsk,
    CheckoutAsk,
    CheckoutLine,
    CheckoutSession,
    Gateway,
    GatewayRefused,
    Outcome,
    PaymentRef,
    RefundOutcome,
    gateway_for,
)
from marketplace.payments.models import Payee, Payment, Refund
from marketplace.payments.payee_actions import apply_account_status, name_account, note_payout
from marketplace.payments.queries import lock_payment, payee_of

log = logging.getLogger(__name__)

# Open, then do what was decided, then see how it stands.
MOST_STEPS = 3
KEY = re.compile(r"(payment|refund|payee)-([1-9][0-9]{0,17})-([1-9][0-9]{0,17})-[0-9]{20}")


def key_of(row: Payment | Refund | Payee) -> str:
    """The row's name towards the gateway: the same at each try, and of no other row of this or another database."""
    kind = type(row).__tablename__
    return f"{kind}-{row.city_id}-{row.id}-{row.created_at:%Y%m%d%H%M%S%f}"


def ref_of(session: Session, payment: Payment) -> PaymentRef:
    return PaymentRef(
        key=key_of(payment),
        session_external_id=payment.session_external_id,
        intent_external_id=payment.intent_external_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        fee_minor=payment.fee_minor,
        payee_external_id=payee_account(session, payment),
        capture=payment.capture,
    )


def payee_account(session: Session, payment: Payment) -> str | None:
    if payment.payee_organisation_id is None:
        return None
    payee = payee_of(session, payment.city_id, payment.payee_organisation_id, payment.gateway)
    if payee is None or payee.external_id is None:
        raise LookupError(f"payment {payment.id} is for a supplier without an account")
    return payee.external_id


def ask_of(session: Session, payment: Payment) -> CheckoutAsk:
    payer = (
        session.get(Person, (payment.city_id, payment.payer_person_id)) if payment.payer_person_id else None
    )
    return CheckoutAsk(
        key=key_of(payment),
        asked_at=payment.created_at,
        reference=payment.reference,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        fee_minor=payment.fee_minor,
        payee_external_id=payee_account(session, payment),
        capture=payment.capture,
        lines=[CheckoutLine(line["label"], line["quantity"], line["total_minor"]) for line in payment.lines],
        email=payer.email if payer is not None else None,
        language=payment.language,
        return_url=address_of(session.get_one(City, payment.city_id)) + payment.return_path,
        expires_at=payment.expires_at,
    )


def open_at_gateway(city_id: int, payment_id: int) -> Payment:
    """Open the pay page, unless it is open: afterwards the payment has a `url`, or has ended. Safe to repeat.

    Raises GatewayDown; then the job goes on trying, and so may the page.
    """
    with transaction() as session:
        payment = session.get_one(Payment, (city_id, payment_id))
        if payment.state != "created":
            return payment
        ask = ask_of(session, payment)
    try:
        opened: CheckoutSession | None = gateway_for(payment.gateway).create_checkout(ask)
        outcome = Outcome("open")
    except GatewayRefused as refused:
        log.warning("the gateway opened no pay page", extra={"payment_id": payment_id, "why": refused.code})
        is_late = ask.expires_at <= now()
        opened, outcome = None, Outcome("expired" if is_late else "failed", failure_code=refused.code)
    with transaction() as session:
        payment = session.get_one(Payment, (city_id, payment_id))
        lock_payment(session, payment)
        if opened is not None:
            payment.session_external_id, payment.url = opened.external_id, opened.url
            payment.intent_external_id = payment.intent_external_id or opened.intent_external_id
        apply_outcome(session, payment, outcome, now())
    return payment


def next_step(payment: Payment, at: datetime) -> str:
    """What is to be done about a payment at the gateway now."""
    if payment.state == "created":
        return "open"
    if payment.state == "authorised" and payment.wish == "capture":
        return "capture"
    if payment.state in {"open", "authorised"} and payment.wish == "cancel":
        return "cancel"
    if payment.state == "open" and payment.expires_at <= at:
        return "cancel"
    return "look"


def settle_payment(city_id: int, payment_id: int) -> Payment:
    """Bring a payment on as far as it goes now: open it, do what was decided, or see how it stands. Safe to repeat.

    Raises GatewayDown.
    """
    for _ in range(MOST_STEPS):
        with transaction() as session:
            payment = session.get_one(Payment, (city_id, payment_id))
            ref = ref_of(session, payment)
        step = next_step(payment, now())
        if step == "open":
            payment = open_at_gateway(city_id, payment_id)
            if next_step(payment, now()) == "look":
                return payment
            continue
        outcome = answer(gateway_for(payment.gateway), payment, ref, step)
        with transaction() as session:
            payment = session.get_one(Payment, (city_id, payment_id))
            apply_outcome(session, payment, outcome, now())
        if next_step(payment, now()) == "look":
            return payment
    return payment


def answer(gateway: Gateway, payment: Payment, ref: PaymentRef, step: str) -> Outcome:
    """What the gateway says to this step."""
    if step == "capture":
        amount = payment.capture_minor or payment.amount_minor
        try:
            return gateway.capture(ref, amount, key=f"{ref.key}-capture")
        except GatewayRefused as refused:
            return after_refused_capture(gateway, ref, refused)
    if step == "cancel":
        try:
            return gateway.cancel(ref, key=f"{ref.key}-cancel")
        except GatewayRefused as refused:
            log.warning("a payment could not be cancelled", extra={"key": ref.key, "why": refused.code})
    return gateway.look_up(ref)


def after_refused_capture(gateway: Gateway, ref: PaymentRef, refused: GatewayRefused) -> Outcome:
    """What was held cannot be taken: the rest of the hold is given back, and the payment has failed. If it turns out to be
    paid after all, it is paid."""
    log.warning("what was authorised could not be captured", extra={"key": ref.key, "why": refused.code})
    try:
        left = gateway.cancel(ref, key=f"{ref.key}-cancel")
    except GatewayRefused:
        left = gateway.look_up(ref)
    return left if left.state == "paid" else Outcome("failed", failure_code=refused.code)


def send_refund(city_id: int, refund_id: int) -> Refund:
    """Ask the gateway for a refund, or how it stands. Safe to repeat: it is looked for before it is asked for again.

    Raises GatewayDown.
    """
    with transaction() as session:
        refund = session.get_one(Refund, (city_id, refund_id), with_for_update=True)
        if refund.state not in {"requested", "sent"}:
            return refund
        payment = session.get_one(Payment, (city_id, refund.payment_id))
        ref = ref_of(session, payment)
        is_repeated = refund.attempts > 0
        refund.attempts += 1
    outcome = refund_answer(gateway_for(payment.gateway), refund, ref, is_repeated=is_repeated)
    with transaction() as session:
        refund = session.get_one(Refund, (city_id, refund_id))
        apply_refund_outcome(session, refund, outcome, now())
    return refund


def refund_answer(gateway: Gateway, refund: Refund, ref: PaymentRef, *, is_repeated: bool) -> RefundOutcome:
    if refund.external_id is not None:
        return gateway.look_up_refund(refund.external_id)
    key = key_of(refund)
    if is_repeated and (made := gateway.find_refund(ref, key)) is not None:
        return made
    try:
        return gateway.refund(
            ref, refund.amount_minor, reverse_fee=ref.payee_external_id is not None, key=key
        )
    except GatewayRefused as refused:
        log.warning("a refund was refused", extra={"refund_id": refund.id, "why": refused.code})
        return RefundOutcome("", "failed", refund.amount_minor, failure_code=refused.code)


def onboarding_address(city_id: int, payee_id: int, *, return_url: str, refresh_url: str) -> str:
    """Where a supplier tells the gateway about themselves; opens their account there first, if need be.

    Raises GatewayDown, GatewayRefused.
    """
    with transaction() as session:
        payee = session.get_one(Payee, (city_id, payee_id))
        organisation = session.get_one(Organisation, (city_id, payee.organisation_id))
        city = session.get_one(City, city_id)
    gateway, account = gateway_for(payee.gateway), payee.external_id
    if account is None:
        account = gateway.create_account(
            AccountAsk(
                key=key_of(payee),
                country=city.country,
                name=organisation.name,
                email=None,
                business_id=organisation.business_id,
            )
        )
        with transaction() as session:
            account = name_account(session, session.get_one(Payee, (city_id, payee_id)), account)
    return gateway.account_link(account, return_url=return_url, refresh_url=refresh_url)


def check_payee(city_id: int, payee_id: int) -> Payee:
    """Ask how a supplier's account stands and what was paid out from it. Raises GatewayDown, GatewayRefused."""
    with transaction() as session:
        payee = session.get_one(Payee, (city_id, payee_id))
    if payee.external_id is None:
        return payee
    gateway = gateway_for(payee.gateway)
    status = gateway.look_up_account(payee.external_id)
    payouts = gateway.payouts_of(payee.external_id) if status.state != "onboarding" else []
    with transaction() as session:
        payee = session.get_one(Payee, (city_id, payee_id), with_for_update=True)
        apply_account_status(session, payee, status, now())
        for seen in payouts:
            note_payout(session, payee, seen)
    return payee
