"""What makes invoices without anybody asking: a confirmed order, the turn of the month, the clock. All safe to run twice."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.checkout.models import Order
from bookings.invoices import actions, queries, rules
from bookings.invoices.errors import NothingToCredit, SellerMissing, TermsMissing
from bookings.invoices.models import Invoice
from marketplace.accounts.actor import system
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.money import Money
from marketplace.notifications.mail import send_mail

log = logging.getLogger(__name__)

TEMPLATES = "bookings/invoices/mail/"


def follow_order(session: Session, message: Message) -> None:
    """An order that is paid by invoice was placed or changed: invoice it at once where the organisation wishes so, credit
    what is no longer owed. What cannot be issued yet waits; staff sees it in the list."""
    order = session.get(Order, (message.city_id, message["order_id"]))
    if order is None or order.way != "invoice" or order.organisation_id is None:
        return
    city, at = session.get_one(City, message.city_id), now()
    credit(session, city, order, at=at)
    terms = queries.terms_of(session, city.id, order.organisation_id)
    if terms is not None and terms.rhythm == "at_once":
        issue(session, city, [order], at=at)


def issue(
    session: Session, city: City, orders: Sequence[Order], *, at: datetime, monthly: bool = False
) -> None:
    """Issue, or leave it for another day and say so in the log."""
    today = at.astimezone(city.zone).date()
    period = rules.month_before(today) if monthly else None
    try:
        with session.begin_nested():
            actions.issue_for_orders(session, city, orders, at=at, actor=system(city.id), period_on=period)
    except (SellerMissing, TermsMissing) as refusal:
        log.info("orders wait for their invoice", extra={"city_id": city.id, "why": refusal.code})


def credit(session: Session, city: City, order: Order, *, at: datetime) -> None:
    try:
        with session.begin_nested():
            actions.credit_order(session, city, order, at=at, actor=system(city.id))
    except (NothingToCredit, SellerMissing, TermsMissing) as refusal:
        log.warning(
            "an order could not be credited",
            extra={"city_id": city.id, "order": order.number, "why": refusal.code},
        )


def keep_invoices(at: datetime | None = None) -> None:
    """Nightly: what the messages missed, the invoices of the month before, and which have become overdue."""
    at = at or now()
    with transaction() as session:
        city_ids = session.scalars(select(City.id).order_by(City.id)).all()
    failed: Exception | None = None
    for city_id in city_ids:
        for step in (credit_all, issue_at_once, issue_monthly, call_overdue):
            try:
                step(city_id, at)
            except Exception as error:  # the other cities’ invoices go out all the same
                log.exception("invoices of a city failed", extra={"city_id": city_id})
                failed = error
    if failed is not None:
        raise failed


def credit_all(city_id: int, at: datetime) -> None:
    with transaction() as session:
        ids = [order.id for order in queries.orders_to_credit(session, city_id)]
    for order_id in ids:
        with transaction() as session:
            city = session.get_one(City, city_id)
            credit(session, city, session.get_one(Order, (city_id, order_id)), at=at)


def issue_at_once(city_id: int, at: datetime) -> None:
    with transaction() as session:
        groups = grouped(queries.orders_owing(session, city_id, rhythm="at_once"))
    each(city_id, groups, lambda session, city, orders: issue(session, city, orders, at=at))


def issue_monthly(city_id: int, at: datetime) -> None:
    """One invoice for each organisation and payee, of all that was ordered before this month and no invoice says yet.

    Where the month has its invoice already, what came late waits for the next one.
    """
    with transaction() as session:
        city = session.get_one(City, city_id)
        today = at.astimezone(city.zone).date()
        before = datetime.combine(today.replace(day=1), time(0), city.zone)
        orders = queries.orders_owing(session, city_id, before=before, rhythm="monthly")
        done = gathered(session, city, orders, at)
        groups = grouped(
            [one for one in orders if (one.organisation_id, one.payee_organisation_id) not in done]
        )
    each(city_id, groups, lambda session, city, orders: issue(session, city, orders, at=at, monthly=True))


def gathered(
    session: Session, city: City, orders: Sequence[Order], at: datetime
) -> set[tuple[int | None, int | None]]:
    """The organisations and payees whose invoice of the month before is there."""
    period = rules.month_before(at.astimezone(city.zone).date())
    found: set[tuple[int | None, int | None]] = set()
    for organisation_id, payee in {(one.organisation_id, one.payee_organisation_id) for one in orders}:
        seller = queries.seller_of(session, city.id, payee)
        if seller is None:
            continue
        known = session.scalar(
            select(Invoice.id).where(
                Invoice.city_id == city.id,
                Invoice.seller_id == seller.id,
                Invoice.organisation_id == organisation_id,
                Invoice.period_on == period,
            )
        )
        if known is not None:
            found.add((organisation_id, payee))
    return found


def grouped(orders: Sequence[Order]) -> list[list[int]]:
    """Ids of the orders of one organisation and payee together."""
    groups: dict[tuple[int | None, int | None, str], list[int]] = {}
    for order in orders:
        key = order.organisation_id, order.payee_organisation_id, order.currency
        groups.setdefault(key, []).append(order.id)
    return list(groups.values())


def each(
    city_id: int, groups: Sequence[Sequence[int]], issue_one: Callable[[Session, City, Sequence[Order]], None]
) -> None:
    """Each group in a transaction of its own, so that the series is locked for a short while."""
    for ids in groups:
        with transaction() as session:
            orders = session.scalars(select(Order).where(Order.city_id == city_id, Order.id.in_(ids))).all()
            issue_one(session, session.get_one(City, city_id), orders)


def call_overdue(city_id: int, at: datetime) -> None:
    with transaction() as session:
        actions.call_overdue(session, session.get_one(City, city_id), at=at)


def mail_issued(session: Session, message: Message) -> None:
    """Tell the address that the organisation gave, else its managers, with all that is needed to pay and the page's address.

    The log of mails keeps texts, no files: the PDF is fetched from the page.
    """
    invoice = session.get(Invoice, (message.city_id, message["invoice_id"]))
    if invoice is None:
        return
    seen = queries.whole_invoice(session, invoice)
    for person in readers_of(session, invoice):
        send_mail(
            session,
            person,
            TEMPLATES + ("credited" if invoice.kind == "credit_note" else "issued"),
            key=f"invoice:{invoice.id}:{person.id or 'address'}",
            invoice=invoice,
            credited=seen.credited,
            total=Money(abs(invoice.gross_minor), invoice.currency),
            reference=rules.grouped(invoice.reference),
            iban=rules.grouped_iban(str(invoice.seller["iban"])),
        )


def readers_of(session: Session, invoice: Invoice) -> Sequence[Person]:
    address = str(invoice.buyer.get("email") or "")
    if address:
        # Nobody with an account: a reader for this one mail, who is not kept.
        return [
            Person(
                city_id=invoice.city_id,
                email=address,
                name=str(invoice.buyer.get("recipient") or invoice.buyer.get("name") or ""),
                language=invoice.language,
            )
        ]
    return queries.managers_of(session, invoice.city_id, invoice.organisation_id)
