"""The verbs of an order, its only writers.

Order of locks: the order's row, then its bookings by id, then units and day sheets. A booking that has ended locks nothing
of its order itself: the order follows by message, in a transaction of its own.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bookings.checkout.errors import NothingToPay
from bookings.checkout.models import Order, OrderLine
from bookings.checkout.postings import postings_of
from bookings.checkout.queries import lines_of, locked_order, orders_of_booking
from bookings.checkout.rules import (
    CAME_TO_NOTHING,
    SOLD,
    PlainLine,
    cancelled_lines,
    may_follow,
    missing_lines,
    page_closes,
    sold_lines,
    state_after_refund,
)
from bookings.checkout.ways import payee_of
from bookings.lifecycle.actions import state_of_new
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.models import Booking
from bookings.lifecycle.payment_actions import (
    expire_unpaid,
    kept_came,
    nothing_came_back,
    owe_back,
    payment_came,
    payment_lost,
    refund_came,
)
from bookings.lifecycle.queries import locked_booking
from bookings.lifecycle.rules import ANSWERS, ENDED_UNUSED
from bookings.terms.queries import city_fee_basis_points
from bookings.terms.rules import city_fee
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.ids import new_reference
from marketplace.jobs.messages import pending, publish, publish_later
from marketplace.money import Money
from marketplace.payments.actions import cancel_payment, capture_payment, request_refund, start_payment
from marketplace.payments.gateway import CheckoutLine
from marketplace.payments.ledger_actions import post
from marketplace.payments.models import Payment
from marketplace.payments.queries import payments_of_reference, refunds_of
from spaces.catalog.models import Space, Venue

STATE_OF_WAY = {"card": "open", "invoice": "invoiced", "on_the_spot": "on_the_spot"}
# A payment that may still bring money.
RUNNING = frozenset({"created", "open", "authorised"})


def place_order(
    session: Session, city: City, bookings: Sequence[Booking], *, actor: Actor, at: datetime
) -> Order | None:
    """The order of bookings made in one go for one owner's spaces; None where nothing is owed.

    Placed again, it is the one that there is. A card order waits for its money until the bookings' `pay_until`.
    """
    owed = [one for one in bookings if one.total_minor]
    if not owed:
        return None
    if known := orders_of_booking(session, city.id, owed[0].id):
        return known[-1]
    first = owed[0]
    space = session.get_one(Space, (city.id, first.space_id))
    venue = session.get_one(Venue, (city.id, space.venue_id))
    order = new_order(
        session,
        first,
        payee=payee_of(session, venue),
        lines=[(booking, line) for booking in owed for line in lines_sold(booking)],
        expires_at=first.pay_until,
        at=at,
    )
    announce_order(session, order, actor=actor, at=at)
    announce_end(session, order, at=at)
    if order.state == "open" and first.source != "web":
        # Made by an answer to a mail: the way to the payment is told by another.
        publish(session, "order.waits", city_id=city.id, order_id=order.id)
    session.flush()
    return order


def announce_order(session: Session, order: Order, *, actor: Actor, at: datetime) -> None:
    """Keep in the audit trail that there is a new order; one that is not paid first is sold at once, and posted."""
    audit(session, actor, "order.placed", "order", order.id, way=order.way, total_minor=order.total_minor)
    if order.state in SOLD:
        post_lines(session, order, lines_of(session, order), kind="sale", key="sale", at=at)
    if order.state == "invoiced":
        publish(session, "order.invoiced", city_id=order.city_id, order_id=order.id)


def new_order(
    session: Session,
    booking: Booking,
    *,
    payee: int | None,
    lines: Sequence[tuple[Booking, PlainLine]],
    expires_at: datetime | None,
    at: datetime,
) -> Order:
    """An order for whom the booking is for, in the way it is paid."""
    order = Order(
        city_id=booking.city_id,
        number=new_reference(),
        person_id=booking.person_id,
        organisation_id=booking.organisation_id,
        payee_organisation_id=payee,
        way=booking.way,
        state=STATE_OF_WAY[booking.way],
        total_minor=sum(line.gross_minor for _, line in lines),
        vat_minor=sum(line.vat_minor for _, line in lines),
        refunded_minor=0,
        kept_minor=0,
        currency=booking.currency,
        expires_at=expires_at if booking.way == "card" else None,
        created_at=at,
        changed_at=at,
    )
    session.add(order)
    session.flush()
    for owner, line in lines:
        add_line(session, order, owner.id, "sale", line)
    session.flush()
    return order


def lines_sold(booking: Booking) -> list[PlainLine]:
    """The lines that the booking was sold at, with their tax."""
    return sold_lines(
        booking.lines,
        vat_minor=booking.vat_minor,
        basis_points=booking.vat_basis_points or 0,
        currency=booking.currency,
    )


def add_line(session: Session, order: Order, booking_id: int, kind: str, line: PlainLine) -> OrderLine:
    last = session.scalar(
        select(func.max(OrderLine.position)).where(
            OrderLine.city_id == order.city_id, OrderLine.order_id == order.id
        )
    )
    row = OrderLine(
        city_id=order.city_id,
        order_id=order.id,
        position=(last or 0) + 1,
        booking_id=booking_id,
        kind=kind,
        code=line.code,
        note=line.note,
        about=dict(line.about),
        quantity=line.quantity,
        gross_minor=line.gross_minor,
        net_minor=line.net_minor,
        vat_minor=line.vat_minor,
        vat_basis_points=line.vat_basis_points,
    )
    session.add(row)
    session.flush()
    return row


def post_lines(
    session: Session, order: Order, lines: Iterable[OrderLine], *, kind: str, key: str, at: datetime
) -> None:
    """Say in the ledger what these lines of the order come to; once for each `key`. The tax of a supplier's sale is theirs
    to account for: the entry only tells it."""
    lines = list(lines)
    postings = postings_of(order, lines)
    if postings:
        post(
            session,
            order.city_id,
            kind=f"order.{kind}",
            currency=order.currency,
            reference=order.number,
            key=f"order:{order.id}:{key}",
            at=at,
            lines=postings,
            about={"vat_minor": sum(line.vat_minor for line in lines)},
        )


def move_order(session: Session, order: Order, state: str, at: datetime) -> None:
    """Every change of state goes through here. Raises IllegalTransition."""
    if not may_follow(order.state, state):
        raise IllegalTransition(state=order.state, asked=state)
    before, order.state, order.changed_at = order.state, state, at
    session.flush()
    audit(session, system(order.city_id), f"order.{state}", "order", order.id, before=before)


def announce_end(session: Session, order: Order, *, at: datetime) -> None:
    """Wake the program when the time to pay is over."""
    if order.expires_at is not None and order.state == "open":
        publish_later(
            session,
            "order.due",
            city_id=order.city_id,
            key=f"{order.id}:{order.expires_at.isoformat()}",
            after=order.expires_at - at,
            order_id=order.id,
        )


def begin_payment(
    session: Session,
    city: City,
    order: Order,
    *,
    actor: Actor,
    return_path: str,
    lines: Sequence[tuple[str, int]],
    language: str,
    at: datetime,
) -> Payment:
    """The payment of an order that waits for its money: the one under way, or a new one; the caller opens it at the
    gateway afterwards. `lines` are (text in the payer's words, minor units), as the payment service is to show them.

    Raises NothingToPay once it is paid or its time is over, and what `start_payment` raises.
    """
    locked_order(session, order)
    if order.state != "open" or order.way != "card" or is_over(order, at):
        raise NothingToPay(state=order.state)
    known = payment_of(session, order)
    if known is not None and known.state in RUNNING and known.wish is None and known.expires_at > at:
        return known
    attempt = 1 + len(payments_of_reference(session, city.id, order.number))
    payment = start_payment(
        session,
        city,
        reference=order.number,
        payer=actor,
        payee_organisation_id=order.payee_organisation_id,
        amount=Money(order.total_minor, order.currency),
        fee_minor=fee_of(session, order),
        capture="manual" if needs_answer(session, order) else "automatic",
        lines=[CheckoutLine(text, 1, minor) for text, minor in lines],
        return_path=return_path,
        expires_at=page_closes(order.expires_at, at=at),
        key=f"order:{order.id}:payment:{attempt}",
        language=language,
        at=at,
    )
    order.payment_id, order.changed_at = payment.id, at
    audit(session, actor, "order.payment-begun", "order", order.id, payment_id=payment.id)
    session.flush()
    return payment


def fee_of(session: Session, order: Order) -> int:
    """What the city keeps of a private supplier's sale, in minor units; of its own sales it keeps all anyway."""
    if order.payee_organisation_id is None:
        return 0
    total = Money(order.total_minor, order.currency)
    return city_fee(total, city_fee_basis_points(session, order.city_id)).minor


def is_over(order: Order, at: datetime) -> bool:
    return order.expires_at is not None and order.expires_at <= at


def payment_of(session: Session, order: Order) -> Payment | None:
    if order.payment_id is None:
        return None
    return session.get(Payment, (order.city_id, order.payment_id), populate_existing=True)


def bookings_of(session: Session, order: Order) -> Sequence[Booking]:
    """The bookings of the order, by id."""
    ids = select(OrderLine.booking_id).where(
        OrderLine.city_id == order.city_id, OrderLine.order_id == order.id
    )
    return session.scalars(
        select(Booking).where(Booking.city_id == order.city_id, Booking.id.in_(ids)).order_by(Booking.id)
    ).all()


def needs_answer(session: Session, order: Order) -> bool:
    """Whether an owner is to say yes before the money is taken."""
    for booking in bookings_of(session, order):
        space = session.get_one(Space, (order.city_id, booking.space_id))
        waits = booking.state == "awaiting_approval"
        asks = booking.state == "awaiting_payment"
        if waits or (asks and state_of_new(session, space, booking.organisation_id) == "awaiting_approval"):
            return True
    return False


def follow_payment(session: Session, order: Order, payment: Payment, *, at: datetime) -> None:
    """Let the order be what its payment says. Heard twice, late or in another order, the outcome is the same."""
    locked_order(session, order)
    session.refresh(payment)
    if payment.state == "authorised":
        authorise_order(session, order, payment, at=at)
    elif payment.state == "paid":
        pay_order(session, order, payment, at=at)
    elif payment.state in {"failed", "cancelled", "expired"}:
        lose_payment(session, order, payment, at=at)


def counts(session: Session, order: Order, payment: Payment) -> bool:
    """Whether this payment is the one that the order goes by: of its present sum, while no other has the money. Else what
    it brings was not asked for any more, and goes back."""
    if order.payment_id == payment.id and order.state in {"authorised", *SOLD}:
        return True
    if order.state in {"authorised", *SOLD} or payment.amount_minor != order.total_minor:
        return False
    other = payment_of(session, order)
    if other is not None and other.id != payment.id and other.state in {"authorised", "paid"}:
        return False
    order.payment_id = payment.id
    session.flush()
    return True


def authorise_order(session: Session, order: Order, payment: Payment, *, at: datetime) -> None:
    """The money is set aside: bookings that waited for it go to their owner, or are confirmed; what has ended meanwhile is
    left out when the money is taken."""
    if payment.wish == "cancel":
        return
    if not counts(session, order, payment):
        let_go(session, payment, at=at)
        return
    if order.state == "open" or order.state in CAME_TO_NOTHING:
        standing = [
            one
            for one in bookings_of(session, order)
            if payment_came(session, one, payment="authorised", at=at)
        ]
        if not standing:
            let_go(session, payment, at=at)
            if order.state == "open":
                move_order(session, order, "cancelled", at)
            return
        move_order(session, order, "authorised", at)
        order.expires_at = None
    take_money(session, order, at=at)


def let_go(session: Session, payment: Payment, *, at: datetime) -> None:
    """Close the page of a payment or give its authorisation back; one that is paid after all is heard of by its message."""
    if payment.state in RUNNING:
        cancel_payment(session, payment, at=at, actor=system(payment.city_id))


def take_money(session: Session, order: Order, *, at: datetime) -> None:
    """Once every owner has answered: capture what is owed of the money set aside, or let go of all of it."""
    payment = payment_of(session, order)
    if payment is None or payment.state != "authorised" or order.state != "authorised" or payment.wish:
        return
    bookings = [locked_booking(session, booking) for booking in bookings_of(session, order)]
    if any(booking.state in {"awaiting_approval", "awaiting_payment", "held"} for booking in bookings):
        return
    if may_be_taken_back(session, order, bookings):
        return
    if not redraw(session, order, bookings):
        let_go(session, payment, at=at)
        move_order(session, order, "cancelled", at)
        return
    capture_payment(session, payment, amount_minor=order.total_minor, at=at, actor=system(order.city_id))


def may_be_taken_back(session: Session, order: Order, bookings: Sequence[Booking]) -> bool:
    """Whether an owner's answer to one of them can still be undone; of one that has been cancelled since, it cannot."""
    keys = [str(booking.id) for booking in bookings if booking.state in ANSWERS]
    return bool(keys and pending(session, "booking.answered", city_id=order.city_id, keys=keys))


def pay_order(session: Session, order: Order, payment: Payment, *, at: datetime) -> None:
    """The money is there: the bookings stand, or it goes back at once."""
    if not counts(session, order, payment):
        request_refund(
            session,
            payment,
            payment.captured_minor,
            key=f"payment:{payment.id}:not-asked-for",
            reason="not asked for any more",
            at=at,
        )
        return
    if order.state in SOLD:
        return
    bookings = bookings_of(session, order)
    standing = []
    for booking in bookings:
        if payment_came(session, booking, payment="paid", at=at):
            standing.append(booking)
        else:
            kept_came(session, booking, at=at)
    move_order(session, order, "paid", at)
    order.expires_at = None
    post_lines(session, order, lines_of(session, order), kind="sale", key="sale", at=at)
    session.flush()
    if standing:
        publish(session, "order.paid", city_id=order.city_id, order_id=order.id)
    for booking in bookings:
        if booking not in standing:
            owe_back(session, booking, at=at)
            own = sold_in(session, order, booking)
            excess = own + sold_elsewhere(session, order, booking) - owed_for(booking)
            settle_in(session, order, booking, back_minor=min(max(excess, 0), own), at=at)
    session.flush()


def lose_payment(session: Session, order: Order, payment: Payment, *, at: datetime) -> None:
    """A payment came to nothing. An order that waits for its money waits on; one whose money had been set aside waits
    again, and its bookings stand meanwhile."""
    if order.payment_id != payment.id:
        return
    if order.state == "open" and payment.state == "failed":
        say_failed(session, order, payment)
        return
    if order.state != "authorised":
        return
    bookings = bookings_of(session, order)
    if may_be_taken_back(session, order, bookings):
        return  # the clock's own round comes back to it
    for booking in bookings:
        payment_lost(session, booking, at=at)
    order.payment_id = None
    if redraw(session, order, bookings):
        move_order(session, order, "open", at)
        say_failed(session, order, payment)
    else:
        move_order(session, order, "cancelled", at)
    session.flush()


def say_failed(session: Session, order: Order, payment: Payment) -> None:
    publish(session, "order.payment_failed", city_id=order.city_id, order_id=order.id, payment_id=payment.id)


def expire_order(session: Session, city: City, *, at: datetime) -> bool:
    """Let one order end that nobody has paid in time; returns whether there was one. One for each transaction."""
    order = session.scalar(
        select(Order)
        .where(Order.city_id == city.id, Order.state == "open", Order.expires_at <= at)
        .order_by(Order.expires_at, Order.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if order is None:
        return False
    payment = payment_of(session, order)
    if payment is not None and payment.state in {"authorised", "paid"}:
        follow_payment(session, order, payment, at=at)  # nobody has heard of it yet
        if order.state != "open":
            return True
    expire_unpaid(session, city, bookings_of(session, order), at=at)
    move_order(session, order, "expired", at)
    if payment is not None:
        let_go(session, payment, at=at)
    publish(session, "order.expired", city_id=city.id, order_id=order.id)
    session.flush()
    return True


def owed_for(booking: Booking) -> int:
    """What is owed for the booking as it is now."""
    if booking.state in ENDED_UNUSED:
        return booking.kept_minor or 0
    return booking.total_minor


def settle_booking(session: Session, booking: Booking, *, at: datetime) -> None:
    """Let the orders of a booking be what it costs now: it may have ended, or cost more or less since it was sold.

    What was paid too much goes back, of the latest order first; what is kept of a cancellation becomes a line of its own;
    what costs more is an order of its own. Done twice, it is done once.
    """
    orders = [
        locked_order(session, order) for order in orders_of_booking(session, booking.city_id, booking.id)
    ]
    for order in orders:
        payment = payment_of(session, order) if order.state == "open" else None
        if payment is not None and payment.state in {"authorised", "paid"}:
            follow_payment(session, order, payment, at=at)  # nobody has heard of it yet
    locked_booking(session, booking)
    for order in orders:
        if order.state == "open":
            redraw_open(session, order, at=at)
        elif order.state == "authorised":
            take_money(session, order, at=at)
    sold = [order for order in orders if order.state in SOLD]
    if not sold or any(order.state == "authorised" for order in orders):
        return
    excess = sum(sold_in(session, order, booking) for order in sold) - owed_for(booking)
    for order in reversed(sold):
        back = min(max(excess, 0), sold_in(session, order, booking))
        settle_in(session, order, booking, back_minor=back, at=at)
        excess -= back
    if excess <= 0 and not any(order.refunded_minor for order in sold):
        nothing_came_back(session, booking, at=at)
    # Of one that has ended, nothing more is asked for: what is kept is kept of what was sold.
    stands = booking.state not in ENDED_UNUSED
    if excess < 0 and stands and not any(order.state == "open" for order in orders):
        order_difference(session, booking, sold, at=at)
    session.flush()


def sold_in(session: Session, order: Order, booking: Booking) -> int:
    """What the order's lines of the booking come to, less what has been given back."""
    return sum(line.gross_minor for line in lines_of(session, order) if line.booking_id == booking.id)


def sold_elsewhere(session: Session, order: Order, booking: Booking) -> int:
    """What other orders have sold of the booking, less what they have given back."""
    return sum(
        sold_in(session, one, booking)
        for one in orders_of_booking(session, booking.city_id, booking.id)
        if one.id != order.id and one.state in SOLD
    )


def settle_in(session: Session, order: Order, booking: Booking, *, back_minor: int, at: datetime) -> None:
    """Give back so much of what this sold order says of the booking; of one that has ended, the rest is kept."""
    lines = [line for line in lines_of(session, order) if line.booking_id == booking.id]
    ended = booking.state in ENDED_UNUSED
    is_kept = any(line.kind == "kept_fee" for line in lines)
    kept = sum(line.gross_minor for line in lines) - back_minor if ended and not is_kept else 0
    if back_minor <= 0 and kept <= 0:
        return
    undone, left = cancelled_lines(
        [plain(line) for line in lines],
        back_minor=back_minor,
        kept_minor=kept,
        code="cancelled" if ended else "changed",
    )
    # What is given back of what was kept, once somebody else has booked the time.
    kind = "kept_fee" if is_kept else "refund"
    rows = [add_line(session, order, booking.id, kind, line) for line in undone]
    rows += [add_line(session, order, booking.id, "kept_fee", line) for line in left]
    order.refunded_minor += back_minor
    order.kept_minor = max(0, order.kept_minor - back_minor) if is_kept else order.kept_minor + kept
    # The position of the last line names this change of the order for ever.
    key = f"settled:{rows[-1].position}"
    post_lines(session, order, rows, kind="refund" if back_minor else "kept", key=key, at=at)
    if not back_minor:
        order.changed_at = at
        session.flush()
        return
    after = state_after_refund(total_minor=order.total_minor, refunded_minor=order.refunded_minor)
    move_order(session, order, after, at)
    payment = payment_of(session, order)
    if order.way == "card" and payment is not None:
        request_refund(
            session,
            payment,
            back_minor,
            key=f"order:{order.id}:{key}",
            reason="cancelled" if ended else "changed",
            at=at,
        )
    elif order.way == "invoice":
        publish(session, "order.credited", city_id=order.city_id, order_id=order.id)
    session.flush()


def plain(line: OrderLine) -> PlainLine:
    return PlainLine(
        line.code,
        line.quantity,
        line.gross_minor,
        line.vat_minor,
        line.vat_basis_points,
        line.note,
        line.about,
    )


def redraw_open(session: Session, order: Order, *, at: datetime) -> None:
    """Let an order that waits for its money ask for what its bookings cost now."""
    before = order.total_minor
    wanted = redraw(session, order, bookings_of(session, order))
    if wanted and order.total_minor == before:
        return
    if (payment := payment_of(session, order)) is not None:
        let_go(session, payment, at=at)
    if wanted:
        order.payment_id = None
    else:
        move_order(session, order, "cancelled", at)
    session.flush()


def redraw(session: Session, order: Order, bookings: Sequence[Booking]) -> bool:
    """Write the lines of an order that is not sold yet anew, from what its bookings cost now; False, and nothing written,
    where that is nothing."""
    wanted = [
        (booking, kind, line) for booking in bookings for kind, line in wanted_lines(session, order, booking)
    ]
    total = sum(line.gross_minor for _, _, line in wanted)
    if total <= 0:
        return False
    known = [
        (line.booking_id, line.kind, line.gross_minor, line.vat_minor) for line in lines_of(session, order)
    ]
    if known == [(one.id, kind, line.gross_minor, line.vat_minor) for one, kind, line in wanted]:
        return True
    for line in lines_of(session, order):
        session.delete(line)
    session.flush()
    for booking, kind, fresh in wanted:
        add_line(session, order, booking.id, kind, fresh)
    order.total_minor = total
    order.vat_minor = sum(line.vat_minor for _, _, line in wanted)
    order.kept_minor = sum(line.gross_minor for _, kind, line in wanted if kind == "kept_fee")
    session.flush()
    return True


def wanted_lines(session: Session, order: Order, booking: Booking) -> list[tuple[str, PlainLine]]:
    """What an order that is not sold yet should say of the booking, beside what other orders have sold of it."""
    whole = lines_sold(booking)
    others = [
        one
        for one in orders_of_booking(session, booking.city_id, booking.id)
        if one.id != order.id and one.state in SOLD
    ]
    if booking.state in ENDED_UNUSED:
        if others:  # of which is kept what is kept
            return []
        _, kept = cancelled_lines(whole, back_minor=0, kept_minor=booking.kept_minor or 0, code="cancelled")
        return [("kept_fee", line) for line in kept]
    sold = [plain(line) for one in others for line in lines_of(session, one) if line.booking_id == booking.id]
    if not sold:
        return [("sale", line) for line in whole]
    return [("sale", line) for line in missing_lines(whole, sold, code="changed")]


def order_difference(session: Session, booking: Booking, sold: Sequence[Order], *, at: datetime) -> None:
    """An order of what the booking costs beyond what has been sold of it; who pays by card is asked for it by mail."""
    lines = [plain(one) for order in sold for one in lines_of(session, order) if one.booking_id == booking.id]
    missing = missing_lines(lines_sold(booking), lines, code="changed")
    order = new_order(
        session,
        booking,
        payee=sold[0].payee_organisation_id,
        lines=[(booking, line) for line in missing],
        expires_at=None,
        at=at,
    )
    announce_order(session, order, actor=system(order.city_id), at=at)
    if order.state == "open":
        publish(session, "order.waits", city_id=order.city_id, order_id=order.id)


def take_over(session: Session, old: Booking, new: Booking, *, at: datetime) -> None:
    """Let the orders of a booking be those of the one that has taken its place."""
    for order in orders_of_booking(session, old.city_id, old.id):
        locked_order(session, order)
    session.execute(
        update(OrderLine)
        .where(OrderLine.city_id == old.city_id, OrderLine.booking_id == old.id)
        .values(booking_id=new.id)
    )
    session.expire_all()
    settle_booking(session, new, at=at)


def refund_known(session: Session, order: Order, *, at: datetime) -> None:
    """The money of a refund is back: once all of it is, the bookings say so."""
    locked_order(session, order)
    if order.payment_id is None:
        return
    refunds = refunds_of(session, order.city_id, [order.payment_id])
    back = sum(one.amount_minor for one in refunds if one.state == "succeeded")
    if back < order.refunded_minor:
        return
    for booking in bookings_of(session, order):
        refund_came(session, booking, at=at)
