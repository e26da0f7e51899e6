"""What happens to payments and refunds in our own rows. Who talks to the gateway is `asking.py`; both meet here, in
`apply_outcome` and `apply_refund_outcome`, which alone move a payment or a refund."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.jobs.messages import publish
from marketplace.money import Money
from marketplace.payments.errors import MoneyDisagrees, PayeeNotReady, PaymentOver, RefundTooLarge
from marketplace.payments.gateway import CheckoutLine, DisputeSeen, Outcome, RefundOutcome, gateway_for
from marketplace.payments.ledger_actions import post
from marketplace.payments.models import Dispute, Payment, Refund
from marketplace.payments.queries import lock_payment, payee_of
from marketplace.payments.rules import (
    TAKEN,
    UNDECIDED,
    Posting,
    captured_lines,
    dispute_moves_on,
    disputed_lines,
    fee_given_back,
    gateway_fee_lines,
    moves_on,
    opposite,
    refund_moves_on,
    refunded_lines,
    share,
)


def start_payment(
    session: Session,
    city: City,
    *,
    reference: str,
    payer: Actor,
    payee_organisation_id: int | None,
    amount: Money,
    fee_minor: int,
    capture: str,
    lines: Sequence[CheckoutLine],
    return_path: str,
    expires_at: datetime,
    key: str,
    language: str,
    at: datetime,
) -> Payment:
    """Write down that somebody is about to pay; the pay page is opened after the commit (`asking.open_at_gateway`).

    The same `key` is the same payment. `return_path` is where the payer comes back to, on our own pages. Raises
    NoCardPayments, PayeeNotReady, MoneyDisagrees where lines and amount, or this and an earlier call, tell different sums.
    """
    if sum(line.total_minor for line in lines) != amount.minor:
        raise MoneyDisagrees(f"the lines of {reference} do not sum to its amount")
    if payee_organisation_id is None and fee_minor:
        raise MoneyDisagrees(f"{reference} is the city's own: there is no fee to take")
    gateway = gateway_for()
    if payee_organisation_id is not None:
        payee = payee_of(session, city.id, payee_organisation_id, gateway.name)
        if payee is None or payee.state != "enabled":
            raise PayeeNotReady
    made = session.scalar(
        insert(Payment)
        .values(
            city_id=city.id,
            reference=reference,
            payer_person_id=payer.person_id,
            payee_organisation_id=payee_organisation_id,
            amount_minor=amount.minor,
            currency=amount.currency,
            fee_minor=fee_minor,
            capture=capture,
            gateway=gateway.name,
            lines=[asdict(line) for line in lines],
            language=language,
            return_path=return_path,
            expires_at=expires_at,
            key=key,
            created_at=at,
            changed_at=at,
        )
        .on_conflict_do_nothing(index_elements=["city_id", "key"])
        .returning(Payment.id)
    )
    payment = session.scalars(select(Payment).where(Payment.city_id == city.id, Payment.key == key)).one()
    if made is None:
        if (payment.amount_minor, payment.currency, payment.reference) != (
            amount.minor,
            amount.currency,
            reference,
        ):
            raise MoneyDisagrees(f"{key} is a payment of another sum")
        return payment
    audit(session, payer, "payment.started", "payment", payment.id, amount_minor=amount.minor)
    publish(session, "payment.started", city_id=city.id, payment_id=payment.id, reference=reference)
    return payment


def capture_payment(
    session: Session, payment: Payment, *, at: datetime, actor: Actor, amount_minor: int | None = None
) -> None:
    """Ask for what was authorised, or a part of it; `payment.paid` or `payment.failed` tells how it went.

    Nothing more happens to one that is paid. Raises PaymentOver where it is no longer, or not yet, authorised.
    """
    lock_payment(session, payment)
    if payment.state == "paid":
        return
    if payment.state != "authorised" or payment.wish == "cancel":
        raise PaymentOver
    wanted = payment.amount_minor if amount_minor is None else amount_minor
    if not 0 < wanted <= payment.amount_minor:
        raise MoneyDisagrees(f"payment {payment.id} holds another sum")
    if payment.wish == "capture":
        return
    payment.wish, payment.capture_minor, payment.changed_at = "capture", wanted, at
    audit(session, actor, "payment.capture_requested", "payment", payment.id, amount_minor=wanted)
    publish(
        session,
        "payment.capture_requested",
        city_id=payment.city_id,
        payment_id=payment.id,
        reference=payment.reference,
    )


def cancel_payment(session: Session, payment: Payment, *, at: datetime, actor: Actor) -> None:
    """Close the pay page or give an authorisation back; `payment.cancelled` tells when it is so, or `payment.paid` that
    it was too late. Nothing happens to one that ended. Raises PaymentOver for one that is paid: give that back."""
    lock_payment(session, payment)
    if payment.state == "paid":
        raise PaymentOver
    if payment.state not in UNDECIDED or payment.wish == "cancel":
        return
    payment.wish, payment.changed_at = "cancel", at
    audit(session, actor, "payment.cancel_requested", "payment", payment.id)
    publish(
        session,
        "payment.cancel_requested",
        city_id=payment.city_id,
        payment_id=payment.id,
        reference=payment.reference,
    )


def apply_outcome(session: Session, payment: Payment, outcome: Outcome, at: datetime) -> None:
    """What the gateway told of a payment: the one place that moves it, posts it and says so.

    News may come late, twice and in any order; a payment only moves on. Raises MoneyDisagrees where more was taken than
    asked for.
    """
    lock_payment(session, payment)
    payment.checked_at = at
    if outcome.intent_external_id and payment.intent_external_id is None:
        payment.intent_external_id = outcome.intent_external_id
    state = "cancelled" if outcome.state == "expired" and payment.wish == "cancel" else outcome.state
    if moves_on(payment.state, state):
        if state == "paid":
            require_captured(payment, outcome.captured_minor)
        payment.failure_code = outcome.failure_code
        payment.state, payment.changed_at = state, at
        if state not in UNDECIDED:
            payment.wish = None
        if state == "paid":
            take(session, payment, outcome.captured_minor, at)
        session.flush()
        tell(session, payment)
    elif payment.state == "open" and outcome.failure_code:
        payment.failure_code = outcome.failure_code
    elif payment.state == "paid" and state == "paid" and outcome.captured_minor != payment.captured_minor:
        raise MoneyDisagrees(f"payment {payment.id} was captured with another sum")
    note_gateway_fee(session, payment, outcome.gateway_fee_minor, at)
    session.flush()


def require_captured(payment: Payment, captured: int) -> None:
    """Raises MoneyDisagrees where this is not what was asked for."""
    if not 0 < captured <= payment.amount_minor:
        raise MoneyDisagrees(f"payment {payment.id} was captured with another sum than was asked for")


def take(session: Session, payment: Payment, captured: int, at: datetime) -> None:
    """The money has come: of a part, the city's fee is its share."""
    payment.fee_minor = share(payment.fee_minor, captured, payment.amount_minor)
    payment.captured_minor, payment.paid_at = captured, at
    post_for(
        session,
        payment,
        "payment.paid",
        captured_lines(captured, payment.fee_minor, payment.payee_organisation_id),
        key="paid",
        at=at,
    )


def note_gateway_fee(session: Session, payment: Payment, fee: int | None, at: datetime) -> None:
    """Post what the gateway keeps, once it has told."""
    if fee is None or payment.state != "paid" or payment.gateway_fee_minor is not None:
        return
    payment.gateway_fee_minor = fee
    if lines := gateway_fee_lines(fee):
        post_for(session, payment, "gateway.fee", lines, key="gateway-fee", at=at)


def post_for(
    session: Session,
    payment: Payment,
    kind: str,
    lines: Sequence[Posting],
    *,
    key: str,
    at: datetime,
    **about: int,
) -> None:
    """Post what moved for a payment; `key` names it among what moves for this one."""
    post(
        session,
        payment.city_id,
        kind=kind,
        currency=payment.currency,
        reference=payment.reference,
        key=f"payment:{payment.id}:{key}",
        at=at,
        lines=lines,
        about={"payment_id": payment.id, **about},
    )


def tell(session: Session, payment: Payment) -> None:
    """Say where a payment has come to."""
    if payment.state == "open":
        return
    actor = system(payment.city_id)
    if payment.state == "authorised":
        name = "payment.authorised"
    elif payment.state == "paid":
        name = "payment.paid"
    elif payment.state == "failed":
        name = "payment.failed"
    elif payment.state == "cancelled":
        name = "payment.cancelled"
    else:
        name = "payment.expired"
    audit(session, actor, name, "payment", payment.id, captured_minor=payment.captured_minor)
    publish(session, name, city_id=payment.city_id, payment_id=payment.id, reference=payment.reference)


def request_refund(
    session: Session,
    payment: Payment,
    amount_minor: int,
    *,
    key: str,
    reason: str,
    at: datetime,
    actor: Actor | None = None,
) -> Refund:
    """Reserve a part of what was paid to be given back; `refund.succeeded` or `refund.failed` tells how it went.

    The same `key` is the same refund. Raises PaymentOver where nothing was paid, RefundTooLarge.
    """
    lock_payment(session, payment)
    known = session.scalar(select(Refund).where(Refund.city_id == payment.city_id, Refund.key == key))
    if known is not None:
        if (known.payment_id, known.amount_minor) != (payment.id, amount_minor):
            raise MoneyDisagrees(f"{key} is a refund of another sum")
        return known
    refund = reserve_refund(session, payment, amount_minor, key=key, reason=reason, at=at)
    audit(
        session,
        actor or system(payment.city_id),
        "refund.requested",
        "refund",
        refund.id,
        amount_minor=amount_minor,
        reason=reason,
    )
    publish(
        session,
        "refund.requested",
        city_id=payment.city_id,
        refund_id=refund.id,
        payment_id=payment.id,
        reference=payment.reference,
    )
    return refund


def reserve_refund(
    session: Session,
    payment: Payment,
    amount_minor: int,
    *,
    key: str,
    reason: str,
    at: datetime,
    external_id: str | None = None,
) -> Refund:
    """The row of a refund, and its part of the payment and of the city's fee. The payment is locked."""
    if payment.state != "paid" or amount_minor <= 0:
        raise PaymentOver
    left = payment.captured_minor - payment.refunded_minor
    if amount_minor > left:
        raise RefundTooLarge(left_minor=left)
    fee_before = session.scalar(
        select(func.coalesce(func.sum(Refund.fee_minor), 0)).where(
            Refund.city_id == payment.city_id, Refund.payment_id == payment.id, Refund.state != "failed"
        )
    )
    refund = Refund(
        city_id=payment.city_id,
        payment_id=payment.id,
        amount_minor=amount_minor,
        fee_minor=fee_given_back(
            payment.fee_minor,
            payment.captured_minor,
            refunded_before=payment.refunded_minor,
            fee_before=int(fee_before or 0),
            amount=amount_minor,
        ),
        state="requested",
        external_id=external_id,
        key=key,
        reason=reason,
        attempts=0,
        created_at=at,
        changed_at=at,
    )
    payment.refunded_minor += amount_minor
    session.add(refund)
    session.flush()
    return refund


def apply_refund_outcome(session: Session, refund: Refund, outcome: RefundOutcome, at: datetime) -> None:
    """What the gateway told of a refund: the one place that moves it, posts it and says so. As `apply_outcome`."""
    payment = session.get_one(Payment, (refund.city_id, refund.payment_id))
    lock_payment(session, payment)
    session.refresh(refund, with_for_update=True)
    if outcome.amount_minor != refund.amount_minor:
        raise MoneyDisagrees(f"refund {refund.id} is of another sum at the gateway")
    refund.checked_at = at
    if refund.external_id is None and outcome.external_id:
        refund.external_id = outcome.external_id
    if not refund_moves_on(refund.state, outcome.state):
        session.flush()
        return
    before, refund.state, refund.changed_at = refund.state, outcome.state, at
    refund.failure_code = outcome.failure_code
    if outcome.fee_minor is not None and before in {"requested", "sent"}:
        # The gateway shares the fee itself, and may round the other way.
        refund.fee_minor = outcome.fee_minor
    lines = refunded_lines(refund.amount_minor, refund.fee_minor, payment.payee_organisation_id)
    if refund.state == "succeeded":
        post_for(
            session,
            payment,
            "refund.succeeded",
            lines,
            key=f"refund:{refund.id}:succeeded",
            at=at,
            refund_id=refund.id,
        )
    elif refund.state == "failed":
        payment.refunded_minor -= refund.amount_minor
        if before == "succeeded":
            post_for(
                session,
                payment,
                "refund.returned",
                opposite(lines),
                key=f"refund:{refund.id}:returned",
                at=at,
                refund_id=refund.id,
            )
    session.flush()
    if refund.state != "sent":
        tell_refund(session, payment, refund)


def tell_refund(session: Session, payment: Payment, refund: Refund) -> None:
    name = "refund.succeeded" if refund.state == "succeeded" else "refund.failed"
    audit(session, system(refund.city_id), name, "refund", refund.id, amount_minor=refund.amount_minor)
    publish(
        session,
        name,
        city_id=refund.city_id,
        refund_id=refund.id,
        payment_id=payment.id,
        reference=payment.reference,
    )


def adopt_refund(session: Session, payment: Payment, outcome: RefundOutcome, at: datetime) -> None:
    """Write down a refund that was made at the gateway itself. Raises MoneyDisagrees where there is no room for it."""
    lock_payment(session, payment)
    try:
        refund = reserve_refund(
            session,
            payment,
            outcome.amount_minor,
            key=f"gateway:{payment.gateway}:{outcome.external_id}",
            reason="made at the gateway",
            at=at,
            external_id=outcome.external_id,
        )
    except (PaymentOver, RefundTooLarge):
        raise MoneyDisagrees(
            f"payment {payment.id} was given back at the gateway beyond what is left"
        ) from None
    apply_refund_outcome(session, refund, outcome, at)


def note_dispute(session: Session, payment: Payment, seen: DisputeSeen, at: datetime) -> Dispute:
    """Write down a dispute and what it took or gave back. Comes in any order, as often as it likes."""
    lock_payment(session, payment)
    dispute = session.scalar(
        select(Dispute).where(
            Dispute.city_id == payment.city_id,
            Dispute.payment_id == payment.id,
            Dispute.external_id == seen.external_id,
        )
    )
    if dispute is not None and not dispute_moves_on(dispute.state, seen.state):
        return dispute
    was_taken = dispute is not None and dispute.state in TAKEN
    if dispute is None:
        dispute = Dispute(
            city_id=payment.city_id,
            payment_id=payment.id,
            external_id=seen.external_id,
            amount_minor=seen.amount_minor,
            reason=seen.reason,
            opened_at=seen.opened_at,
        )
        session.add(dispute)
    dispute.state, dispute.closed_at = seen.state, seen.closed_at
    session.flush()
    lines, key = disputed_lines(dispute.amount_minor), f"dispute:{dispute.id}"
    if dispute.state in TAKEN and not was_taken:
        post_for(session, payment, "dispute.opened", lines, key=f"{key}:opened", at=at, dispute_id=dispute.id)
    elif was_taken and dispute.state not in TAKEN:
        lines = opposite(lines)
        post_for(session, payment, "dispute.won", lines, key=f"{key}:won", at=at, dispute_id=dispute.id)
    audit(session, system(payment.city_id), "payment.disputed", "payment", payment.id, state=dispute.state)
    return dispute
