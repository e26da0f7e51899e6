"""Proves that orders, bookings, payments and the ledger tell of the same money, and names what does not agree."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.checkout.models import Order, OrderLine
from bookings.checkout.postings import OWED_ON
from bookings.checkout.queries import lines_of_orders
from bookings.checkout.rules import CAME_TO_NOTHING, SOLD
from bookings.lifecycle.models import Booking
from marketplace.cities.models import City
from marketplace.payments.models import LedgerEntry, LedgerLine, Payment

SLICE = 1000


def verify_orders(session: Session, city: City) -> Sequence[str]:
    """One sentence for each thing that does not agree."""
    problems: list[str] = []
    after = 0
    while True:
        orders = session.scalars(
            select(Order).where(Order.city_id == city.id, Order.id > after).order_by(Order.id).limit(SLICE)
        ).all()
        if not orders:
            return problems
        after = orders[-1].id
        problems += slice_problems(session, city, orders)


def slice_problems(session: Session, city: City, orders: Sequence[Order]) -> Iterator[str]:
    ids = [order.id for order in orders]
    lines = lines_of_orders(session, city.id, ids)
    payments = {
        payment.id: payment
        for payment in session.scalars(
            select(Payment).where(
                Payment.city_id == city.id,
                Payment.id.in_([one.payment_id for one in orders if one.payment_id]),
            )
        )
    }
    bookings = {
        booking.id: booking
        for booking in session.scalars(
            select(Booking)
            .join(OrderLine, (OrderLine.city_id == Booking.city_id) & (OrderLine.booking_id == Booking.id))
            .where(Booking.city_id == city.id, OrderLine.order_id.in_(ids))
        )
    }
    posted = posted_of(session, city, orders)
    for order in orders:
        own = lines.get(order.id, [])
        payment = payments.get(order.payment_id) if order.payment_id is not None else None
        yield from line_problems(order, own)
        yield from ledger_problems(order, own, posted.get(order.number, {}))
        yield from payment_problems(order, payment)
        yield from booking_problems(order, {line.booking_id: bookings[line.booking_id] for line in own})


def line_problems(order: Order, lines: Sequence[OrderLine]) -> Iterator[str]:
    total = sum(line.gross_minor for line in lines)
    if total != order.total_minor - order.refunded_minor:
        left = order.total_minor - order.refunded_minor
        yield f"order {order.number}: its lines come to {total}, but {left} is left of its total"
    if any(line.gross_minor != line.net_minor + line.vat_minor for line in lines):
        yield f"order {order.number}: a line is not its net and its tax"
    sales = [line for line in lines if line.kind == "sale"]
    if sales and not order.kept_minor and sum(line.vat_minor for line in sales) != order.vat_minor:
        yield f"order {order.number}: the tax of its lines is not its tax"


def posted_of(session: Session, city: City, orders: Sequence[Order]) -> dict[str, dict[str, int]]:
    """By order number and account, what the orders themselves have posted."""
    found: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(LedgerEntry.reference, LedgerLine.account, LedgerLine.amount_minor)
        .join(
            LedgerLine, (LedgerLine.city_id == LedgerEntry.city_id) & (LedgerLine.entry_id == LedgerEntry.id)
        )
        .where(
            LedgerEntry.city_id == city.id,
            LedgerEntry.reference.in_([order.number for order in orders]),
            LedgerEntry.kind.startswith("order."),
        )
    )
    for reference, account, amount in rows:
        sums = found.setdefault(reference, {})
        sums[account] = sums.get(account, 0) + amount
    return found


def ledger_problems(order: Order, lines: Sequence[OrderLine], posted: dict[str, int]) -> Iterator[str]:
    """The ledger holds the lines of what was sold, and nothing of what was not."""
    sold = order.state in SOLD
    owed = sum(line.gross_minor for line in lines) if sold else 0
    tax = sum(line.vat_minor for line in lines) if sold and order.payee_organisation_id is None else 0
    for account, wanted in ((OWED_ON[order.way], owed), ("vat", -tax)):
        if posted.get(account, 0) != wanted:
            yield f"order {order.number}: the ledger has {posted.get(account, 0)} on {account}, not {wanted}"


def payment_problems(order: Order, payment: Payment | None) -> Iterator[str]:
    if order.way != "card":
        return
    if order.state in SOLD:
        if payment is None or payment.state != "paid":
            yield f"order {order.number} is {order.state}, but its payment is not paid"
        elif payment.captured_minor != order.total_minor:
            yield f"order {order.number}: {payment.captured_minor} was paid of {order.total_minor}"
        elif payment.refunded_minor != order.refunded_minor:
            yield (
                f"order {order.number}: {payment.refunded_minor} is given back by its payment,"
                f" {order.refunded_minor} by the order"
            )
    elif payment is not None and payment.state == "paid":
        back = payment.refunded_minor
        if order.state in CAME_TO_NOTHING and back == payment.captured_minor:
            return
        yield f"order {order.number} is {order.state}, but its payment is paid"


# The booking's payment that goes with an order of the booking.
PAID_WELL = frozenset({"paid", "refund_due", "refunded"})


def booking_problems(order: Order, bookings: dict[int, Booking]) -> Iterator[str]:
    for booking in bookings.values():
        if order.way != "card" or booking.way != "card":
            continue
        if order.state == "paid" and booking.payment not in PAID_WELL:
            yield f"booking {booking.reference} is {booking.payment}, but its order {order.number} is paid"
        if booking.state == "awaiting_payment" and order.state != "open":
            yield f"booking {booking.reference} waits for its money, but its order {order.number} is {order.state}"
