"""Proves that the ledger, the payments and the gateway tell of the same money, and names what does not agree."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.errors import Unavailable
from marketplace.part import port_of
from marketplace.payments.asking import ref_of
from marketplace.payments.gateway import GatewayDown, GatewayRefused, PaymentRef, gateway_for
from marketplace.payments.models import Dispute, LedgerEntry, LedgerLine, Payment, Refund
from marketplace.payments.rules import (
    TAKEN,
    UNDECIDED,
    Posting,
    captured_lines,
    disputed_lines,
    gateway_fee_lines,
    refunded_lines,
)

# Payments are read in slices, so that a city's whole history fits.
SLICE = 1000

Sums = dict[tuple[str, int | None], int]


@dataclass
class Slice:
    """Some payments with all that hangs on them."""

    payments: Sequence[Payment]
    refunds: dict[int, list[Refund]] = field(default_factory=lambda: defaultdict(list))
    disputes: dict[int, list[Dispute]] = field(default_factory=lambda: defaultdict(list))
    posted: dict[int, Sums] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))


def problems_of(city: City, *, ask_gateway: bool = True) -> Iterator[str]:
    """One sentence for each thing that does not agree. Asks the gateway about every payment, outside transactions."""
    with transaction() as session:
        yield from unbalanced(session, city.id)
        yield from orphaned(session, city.id)
    after = 0
    while True:
        with transaction() as session:
            part = read_slice(session, city.id, after)
            if not part.payments:
                break
            refs = {payment.id: ref_of(session, payment) for payment in part.payments} if ask_gateway else {}
        for payment in part.payments:
            yield from own_problems(part, payment)
            if ask_gateway:
                waiting = [one.amount_minor for one in part.refunds[payment.id] if one.state == "requested"]
                yield from gateway_problems(payment, refs[payment.id], unsent=sum(waiting))
        after = part.payments[-1].id
    with transaction() as session:
        yield from port_of("money_problems", nothing)(session, city)


def nothing(session: Session, city: City) -> Sequence[str]:
    """Where no higher part has books of its own."""
    return ()


def unbalanced(session: Session, city_id: int) -> Iterator[str]:
    """Entries that do not sum to zero. The database refuses them; this is the proof."""
    rows = session.execute(
        select(
            LedgerEntry.key,
            func.coalesce(func.sum(LedgerLine.amount_minor), 0),
            func.count(LedgerLine.position),
        )
        .outerjoin(
            LedgerLine,
            (LedgerLine.city_id == LedgerEntry.city_id) & (LedgerLine.entry_id == LedgerEntry.id),
        )
        .where(LedgerEntry.city_id == city_id)
        .group_by(LedgerEntry.id, LedgerEntry.key)
        .having(
            (func.coalesce(func.sum(LedgerLine.amount_minor), 0) != 0) | (func.count(LedgerLine.position) < 2)
        )
        .order_by(LedgerEntry.key)
    )
    for key, total, count in rows:
        yield f"ledger entry {key}: {count} lines sum to {total}"


def orphaned(session: Session, city_id: int) -> Iterator[str]:
    """Entries about payments that there are none of."""
    about = LedgerEntry.about["payment_id"].as_integer()
    rows = session.execute(
        select(LedgerEntry.key)
        .outerjoin(Payment, (Payment.city_id == LedgerEntry.city_id) & (Payment.id == about))
        .where(LedgerEntry.city_id == city_id, LedgerEntry.about.has_key("payment_id"), Payment.id.is_(None))
        .order_by(LedgerEntry.key)
    )
    for (key,) in rows:
        yield f"ledger entry {key}: there is no such payment"


def read_slice(session: Session, city_id: int, after: int) -> Slice:
    payments = session.scalars(
        select(Payment)
        .where(Payment.city_id == city_id, Payment.id > after)
        .order_by(Payment.id)
        .limit(SLICE)
    ).all()
    part = Slice(payments)
    if not payments:
        return part
    ids = [payment.id for payment in payments]
    for refund in session.scalars(
        select(Refund).where(Refund.city_id == city_id, Refund.payment_id.in_(ids)).order_by(Refund.id)
    ):
        part.refunds[refund.payment_id].append(refund)
    for dispute in session.scalars(
        select(Dispute).where(Dispute.city_id == city_id, Dispute.payment_id.in_(ids))
    ):
        part.disputes[dispute.payment_id].append(dispute)
    about = LedgerEntry.about["payment_id"].as_integer()
    rows = session.execute(
        select(about, LedgerEntry.currency, LedgerLine.account, LedgerLine.party_id, LedgerLine.amount_minor)
        .join(
            LedgerLine,
            (LedgerLine.city_id == LedgerEntry.city_id) & (LedgerLine.entry_id == LedgerEntry.id),
        )
        .where(LedgerEntry.city_id == city_id, about.in_(ids))
    )
    currencies = {payment.id: payment.currency for payment in payments}
    for payment_id, currency, account, party_id, amount in rows:
        name = account if currency == currencies[payment_id] else f"{account} in {currency}"
        part.posted[payment_id][name, party_id] += amount
    return part


def own_problems(part: Slice, payment: Payment) -> Iterator[str]:
    """Where our own rows contradict each other."""
    refunds = part.refunds[payment.id]
    live = sum(refund.amount_minor for refund in refunds if refund.state != "failed")
    name = f"payment {payment.id} of {payment.reference}"
    if payment.refunded_minor != live:
        yield f"{name}: {payment.refunded_minor} is reserved for refunds of {live}"
    if live > payment.captured_minor:
        yield f"{name}: {live} is given back of {payment.captured_minor}"
    due = sums(expected(payment, refunds, part.disputes[payment.id]))
    posted = {key: total for key, total in part.posted[payment.id].items() if total}
    for key in sorted(due.keys() | posted.keys(), key=str):
        if due.get(key, 0) != posted.get(key, 0):
            account, party = key
            whose = f" of organisation {party}" if party is not None else ""
            yield (
                f"{name}: account {account}{whose} is posted with {posted.get(key, 0)}, should be {due.get(key, 0)}"
            )


def expected(payment: Payment, refunds: Sequence[Refund], disputes: Sequence[Dispute]) -> list[Posting]:
    """What the ledger should hold about a payment."""
    lines: list[Posting] = []
    if payment.state == "paid":
        lines += captured_lines(payment.captured_minor, payment.fee_minor, payment.payee_organisation_id)
        lines += gateway_fee_lines(payment.gateway_fee_minor or 0)
    for refund in refunds:
        if refund.state == "succeeded":
            lines += refunded_lines(refund.amount_minor, refund.fee_minor, payment.payee_organisation_id)
    for dispute in disputes:
        if dispute.state in TAKEN:
            lines += disputed_lines(dispute.amount_minor)
    return lines


def sums(lines: Sequence[Posting]) -> Sums:
    found: Sums = defaultdict(int)
    for line in lines:
        found[line.account, line.party_id] += line.amount_minor
    return {key: total for key, total in found.items() if total}


def gateway_problems(payment: Payment, ref: PaymentRef, *, unsent: int) -> Iterator[str]:
    """Where the gateway tells another story of a payment that it knows. `unsent` is of refunds it may not have heard of."""
    if payment.session_external_id is None and payment.intent_external_id is None:
        return
    name = f"payment {payment.id} of {payment.reference}"
    try:
        seen = gateway_for(payment.gateway).look_up(ref)
    except (GatewayDown, Unavailable):
        yield f"{name}: the gateway cannot be asked"
        return
    except GatewayRefused as refused:
        yield f"{name}: the gateway does not know it ({refused.code})"
        return
    if (seen.state == "paid") != (payment.state == "paid") or (
        payment.state not in UNDECIDED and seen.state in UNDECIDED
    ):
        yield f"{name}: it is {payment.state} here and {seen.state} at the gateway"
    elif seen.captured_minor != payment.captured_minor:
        yield f"{name}: {payment.captured_minor} was taken here and {seen.captured_minor} at the gateway"
    elif seen.refunded_minor is not None and not 0 <= payment.refunded_minor - seen.refunded_minor <= unsent:
        yield f"{name}: {payment.refunded_minor} is given back here and {seen.refunded_minor} at the gateway"
