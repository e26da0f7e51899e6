"""The verbs of invoices, their only writers.

Order of locks: orders by id, then the invoice, then the number series. A number is drawn in the transaction that issues, and
the series stays locked until it commits: numbers have no gaps, and two who issue at once wait for each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bookings.checkout.models import Order, OrderLine
from bookings.checkout.rules import SOLD
from bookings.invoices import policy, queries, rules
from bookings.invoices.errors import CreditedMeanwhile, NothingToCredit, SellerMissing, TermsMissing
from bookings.invoices.models import (
    CostObject,
    Invoice,
    InvoiceLine,
    InvoicePayment,
    InvoiceSeller,
    InvoiceSeries,
)
from bookings.invoices.queries import PlacedBooking
from bookings.invoices.texts import buyer_texts, seller_texts, texts_of_lines
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.errors import N_, FieldError, Invalid
from marketplace.jobs.messages import publish
from marketplace.payments.ledger_actions import post
from marketplace.payments.rules import Posting
from spaces.calendar.public_holidays import holidays_of_year


def issue_for_orders(
    session: Session,
    city: City,
    orders: Iterable[Order],
    *,
    at: datetime,
    actor: Actor,
    period_on: date | None = None,
) -> list[Invoice]:
    """An invoice of all that no invoice says yet, for each organisation and payee among the orders.

    Asked again it issues nothing. What is less than was invoiced is left for `credit_order`. `period_on` is the first day of
    the month that is gathered. Raises NotYourInvoices; SellerMissing or TermsMissing, then nothing is issued.
    """
    policy.require_may_run_invoices(actor)
    locked = locked_orders(session, city, orders)
    lines = queries.open_lines(session, city.id, [order.id for order in locked])
    groups: dict[tuple[int, int | None, str], list[Order]] = {}
    for order in locked:
        if (
            order.organisation_id is not None
            and sum(line.gross_minor for line in lines.get(order.id, ())) > 0
        ):
            key = order.organisation_id, order.payee_organisation_id, order.currency
            groups.setdefault(key, []).append(order)
    return [
        issue(session, city, owing, lines, at=at, actor=actor, period_on=period_on)
        for owing in groups.values()
    ]


def locked_orders(session: Session, city: City, orders: Iterable[Order]) -> Sequence[Order]:
    """Those that are sold with an invoice, as they are now, locked."""
    ids = sorted({order.id for order in orders if order.city_id == city.id})
    session.flush()
    return session.scalars(
        select(Order)
        .where(
            Order.city_id == city.id,
            Order.id.in_(ids),
            Order.way == "invoice",
            Order.state.in_(sorted(SOLD)),
        )
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def issue(
    session: Session,
    city: City,
    orders: Sequence[Order],
    lines: Mapping[int, Sequence[OrderLine]],
    *,
    at: datetime,
    actor: Actor,
    period_on: date | None,
) -> Invoice:
    """One invoice of these orders of one organisation and one payee."""
    first = orders[0]
    seller = queries.seller_of(session, city.id, first.payee_organisation_id)
    if seller is None:
        raise SellerMissing
    invoice = draw_invoice(session, city, seller, first.organisation_id or 0, at=at)
    invoice.period_on = period_on
    invoice.currency = first.currency
    rows = [line for order in orders for line in lines[order.id]]
    add(session, city, invoice, rows, {order.id: order for order in orders}, actor=actor)
    for order in orders:
        post_order(session, invoice, order, sum(line.gross_minor for line in lines[order.id]), at=at)
    return invoice


def draw_invoice(
    session: Session, city: City, seller: InvoiceSeller, organisation_id: int, *, at: datetime
) -> Invoice:
    """A new invoice with the next number, still without lines and not in the session. Raises TermsMissing."""
    terms = queries.terms_of(session, city.id, organisation_id)
    if terms is None:
        raise TermsMissing
    organisation = session.get_one(Organisation, (city.id, organisation_id))
    today = at.astimezone(city.zone).date()
    sequence = next_number(session, city.id, seller.id, today.year)
    supplier = None if seller.organisation_id is None else seller.id
    return Invoice(
        city_id=city.id,
        seller_id=seller.id,
        organisation_id=organisation_id,
        kind="invoice",
        state="sent",
        number=rules.number_of(today.year, sequence, supplier_seller=supplier),
        year=today.year,
        sequence=sequence,
        reference=rules.reference_of(rules.reference_base(seller.id, today.year, sequence)),
        credit_reason="",
        issued_at=at,
        issued_on=today,
        due_on=rules.due_date(today, seller.payment_days, is_holiday=lambda day: is_holiday(city, day)),
        paid_minor=0,
        credited_minor=0,
        currency=city.currency,
        language=terms.language,
        seller=seller_texts(seller, city),
        buyer=buyer_texts(organisation, terms),
        changed_at=at,
    )


def is_holiday(city: City, day: date) -> bool:
    """Days on which banks do not work, besides Saturdays and Sundays."""
    return day in holidays_of_year(city.country, day.year)


def next_number(session: Session, city_id: int, seller_id: int, year: int) -> int:
    """The seller's next number of the year. Its row is locked from here to the end of the transaction."""
    taken: int | None = session.scalar(
        insert(InvoiceSeries)
        .values(city_id=city_id, seller_id=seller_id, year=year, last=1)
        .on_conflict_do_update(
            index_elements=["city_id", "seller_id", "year"], set_={"last": InvoiceSeries.last + 1}
        )
        .returning(InvoiceSeries.last)
    )
    if taken is None:
        raise RuntimeError("a series gave no number")
    return taken


def add(
    session: Session,
    city: City,
    invoice: Invoice,
    rows: Sequence[OrderLine],
    orders: Mapping[int, Order],
    *,
    actor: Actor,
) -> None:
    """Fill a drawn invoice with lines of orders and say that it is issued."""
    total = rules.total_of(rows)
    invoice.net_minor, invoice.vat_minor = total.net_minor, total.vat_minor
    invoice.gross_minor = total.gross_minor
    session.add(invoice)
    session.flush()
    placed = queries.placed_bookings(session, city.id, {row.booking_id for row in rows})
    objects = queries.cost_objects(session, city.id)
    texts = texts_of_lines(city, rows, placed, currency=invoice.currency)
    for n, (row, text) in enumerate(zip(rows, texts, strict=True), 1):
        where = placed[row.booking_id]
        books = cost_object_of(objects, where)
        session.add(
            InvoiceLine(
                city_id=city.id,
                invoice_id=invoice.id,
                position=n,
                order_id=row.order_id,
                order_position=row.position,
                order_number=orders[row.order_id].number,
                booking_reference=where.booking.reference,
                texts=text,
                quantity=Decimal(row.quantity),
                gross_minor=row.gross_minor,
                net_minor=row.net_minor,
                vat_minor=row.vat_minor,
                vat_basis_points=row.vat_basis_points,
                cost_centre=books.cost_centre if books else "",
                internal_order=books.internal_order if books else "",
                gl_account=books.gl_account if books else "",
            )
        )
    say_issued(session, invoice, actor=actor)


def cost_object_of(
    objects: Mapping[tuple[int, int | None], CostObject], placed: PlacedBooking
) -> CostObject | None:
    """The venue's own, else its owner's."""
    owner = placed.venue.owner_id
    return objects.get((owner, placed.venue.id)) or objects.get((owner, None))


def say_issued(session: Session, invoice: Invoice, *, actor: Actor) -> None:
    audit(
        session,
        actor,
        "invoice.issued" if invoice.kind == "invoice" else "invoice.credited",
        "invoice",
        invoice.id,
        number=invoice.number,
        gross_minor=invoice.gross_minor,
        credits_id=invoice.credits_id,
    )
    publish(session, "invoice.issued", city_id=invoice.city_id, invoice_id=invoice.id)
    session.flush()


def post_order(session: Session, invoice: Invoice, order: Order, gross_minor: int, *, at: datetime) -> None:
    """What was owed for the order is owed on the invoice now (or no longer, where the amount is negative)."""
    if not gross_minor:
        return
    post(
        session,
        invoice.city_id,
        kind="invoice.issued" if invoice.kind == "invoice" else "invoice.credited",
        currency=invoice.currency,
        reference=order.number,
        key=f"invoice:{invoice.id}:order:{order.id}",
        at=at,
        lines=[
            Posting("invoices", gross_minor, party_id=order.organisation_id),
            Posting("payer", -gross_minor),
        ],
        about={"invoice": invoice.number},
    )


def credit_order(session: Session, city: City, order: Order, *, at: datetime, actor: Actor) -> Invoice | None:
    """A credit note of what is no longer owed for an invoiced order: cancelled, or made cheaper.

    None where there is nothing to credit; asked again it credits nothing more. Raises NothingToCredit where staff has
    already credited the invoice by so much that it does not go in any more.
    """
    policy.require_may_run_invoices(actor)
    locked = locked_orders(session, city, [order])
    lines = queries.open_lines(session, city.id, [one.id for one in locked]).get(order.id, [])
    back = -sum(line.gross_minor for line in lines)
    if not locked or back <= 0:
        return None
    invoice = room_for(session, order, back)
    note = draw_credit_note(session, city, invoice, at=at)
    add(session, city, note, lines, {order.id: locked[0]}, actor=actor)
    settle_credit(session, city, invoice, back, at=at)
    post_order(session, note, locked[0], -back, at=at)
    return note


def room_for(session: Session, order: Order, back_minor: int) -> Invoice:
    """The order's invoice that has so much left to credit, locked. Raises NothingToCredit."""
    for invoice in queries.invoices_with_order(session, order):
        queries.locked_invoice(session, invoice)
        if invoice.gross_minor - invoice.credited_minor >= back_minor:
            return invoice
    raise NothingToCredit


def draw_credit_note(session: Session, city: City, invoice: Invoice, *, at: datetime) -> Invoice:
    """A note with its own number of the invoice's series, to the same buyer at the address of the invoice."""
    seller = session.get_one(InvoiceSeller, (city.id, invoice.seller_id))
    note = draw_invoice(session, city, seller, invoice.organisation_id, at=at)
    note.kind, note.credits_id = "credit_note", invoice.id
    note.currency, note.language = invoice.currency, invoice.language
    note.seller, note.buyer = dict(invoice.seller), dict(invoice.buyer)
    note.due_on = note.issued_on
    return note


def settle_credit(session: Session, city: City, invoice: Invoice, back_minor: int, *, at: datetime) -> None:
    invoice.credited_minor += back_minor
    settle(session, city, invoice, at=at)


def settle(session: Session, city: City, invoice: Invoice, *, at: datetime) -> None:
    """Let the invoice be what its payments and credit notes make of it."""
    invoice.state = rules.state_of(
        gross_minor=invoice.gross_minor,
        credited_minor=invoice.credited_minor,
        paid_minor=invoice.paid_minor,
        due_on=invoice.due_on,
        today=at.astimezone(city.zone).date(),
    )
    invoice.changed_at = at
    session.flush()


def credit_invoice(
    session: Session,
    city: City,
    invoice: Invoice,
    parts: Mapping[int, int],
    *,
    reason: str,
    seen_minor: int,
    at: datetime,
    actor: Actor,
) -> Invoice:
    """Credit so much (gross, positive) of the invoice's lines, by their position; all that is left is the whole invoice.

    `seen_minor` is what was credited when the form was made, so that a second press credits nothing. Raises NotYourInvoices,
    CreditedMeanwhile, NothingToCredit; Invalid for a line that has less left, named `part_<position>`.
    """
    policy.require_may_run_invoices(actor)
    queries.locked_invoice(session, invoice)
    if invoice.credited_minor != seen_minor:
        raise CreditedMeanwhile
    asked = {position: amount for position, amount in parts.items() if amount}
    room = invoice.gross_minor - invoice.credited_minor
    if invoice.kind != "invoice" or not asked or sum(asked.values()) > room:
        raise NothingToCredit
    lines = {line.position: line for line in queries.lines_of(session, invoice)}
    before = queries.credited_by_line(session, invoice)
    parts_back = {n: part_of_line(lines.get(n), before.get(n), asked[n], n) for n in sorted(asked)}
    note = draw_credit_note(session, city, invoice, at=at)
    note.credit_reason = reason
    fill_credit_note(session, note, lines, parts_back)
    say_issued(session, note, actor=actor)
    settle_credit(session, city, invoice, sum(asked.values()), at=at)
    post_credit(session, note, lines, parts_back, at=at)
    return note


def part_of_line(
    line: InvoiceLine | None, before: rules.Amounts | None, gross_minor: int, position: int
) -> rules.Amounts:
    already = before or rules.Amounts(0, 0)
    if line is None or line.gross_minor <= 0 or gross_minor < 0:
        raise NothingToCredit
    try:
        return rules.part_of(rules.Amounts(line.net_minor, line.vat_minor), already, gross_minor)
    except ValueError as error:
        raise Invalid(
            FieldError(f"part_{position}", "too-much", N_("Credit no more than the line has left."))
        ) from error


def fill_credit_note(
    session: Session,
    note: Invoice,
    lines: Mapping[int, InvoiceLine],
    parts_back: Mapping[int, rules.Amounts],
) -> None:
    note.net_minor = -sum(one.net_minor for one in parts_back.values())
    note.vat_minor = -sum(one.vat_minor for one in parts_back.values())
    note.gross_minor = note.net_minor + note.vat_minor
    session.add(note)
    session.flush()
    for n, (position, part) in enumerate(parts_back.items(), 1):
        line = lines[position]
        session.add(
            InvoiceLine(
                city_id=note.city_id,
                invoice_id=note.id,
                position=n,
                order_id=line.order_id,
                credits_position=position,
                order_number=line.order_number,
                booking_reference=line.booking_reference,
                texts=dict(line.texts),
                quantity=Decimal(1),
                gross_minor=-part.gross_minor,
                net_minor=-part.net_minor,
                vat_minor=-part.vat_minor,
                vat_basis_points=line.vat_basis_points,
                cost_centre=line.cost_centre,
                internal_order=line.internal_order,
                gl_account=line.gl_account,
            )
        )
    session.flush()


def post_credit(
    session: Session,
    note: Invoice,
    lines: Mapping[int, InvoiceLine],
    parts_back: Mapping[int, rules.Amounts],
    *,
    at: datetime,
) -> None:
    """What staff credits undoes no sale: it is given back, with its tax; of a supplier's sale the supplier bears it."""
    seller = session.get_one(InvoiceSeller, (note.city_id, note.seller_id))
    supplier = seller.organisation_id
    by_order: dict[tuple[int, str], list[int]] = {}
    for position in parts_back:
        line = lines[position]
        by_order.setdefault((line.order_id, line.order_number), []).append(position)
    for (order_id, number), positions in by_order.items():
        gross = sum(parts_back[n].gross_minor for n in positions)
        postings = [Posting("invoices", -gross, party_id=note.organisation_id)]
        if supplier is not None:
            postings.append(Posting("supplier", gross, party_id=supplier))
        else:
            postings += given_back(lines, parts_back, positions)
        post(
            session,
            note.city_id,
            kind="invoice.credited",
            currency=note.currency,
            reference=number,
            key=f"invoice:{note.id}:order:{order_id}",
            at=at,
            lines=postings,
            about={"invoice": note.number},
        )


def given_back(
    lines: Mapping[int, InvoiceLine], parts_back: Mapping[int, rules.Amounts], positions: Sequence[int]
) -> list[Posting]:
    net = sum(parts_back[n].net_minor for n in positions)
    vat: dict[int, int] = {}
    for n in positions:
        rate = lines[n].vat_basis_points
        vat[rate] = vat.get(rate, 0) + parts_back[n].vat_minor
    found = [Posting("refunds", net)] if net else []
    return found + [Posting("vat", amount, vat_basis_points=rate) for rate, amount in vat.items() if amount]


def register_payment(
    session: Session,
    city: City,
    invoice: Invoice,
    *,
    amount_minor: int,
    paid_on: date,
    bank_reference: str,
    submission: str,
    at: datetime,
    actor: Actor,
) -> int:
    """Write down money that came for the invoice (went back, where negative); what is owed then, negative if too much came.

    One submission counts once. Raises NotYourInvoices; Invalid for an amount or a day that cannot be.
    """
    policy.require_may_run_invoices(actor)
    queries.locked_invoice(session, invoice)
    known = session.scalar(
        select(InvoicePayment.id).where(
            InvoicePayment.city_id == city.id,
            InvoicePayment.invoice_id == invoice.id,
            InvoicePayment.submission == submission,
        )
    )
    if known is None:
        check_payment(city, invoice, amount_minor, paid_on, at)
        add_payment(
            session,
            invoice,
            amount_minor=amount_minor,
            paid_on=paid_on,
            bank_reference=bank_reference,
            submission=submission,
            at=at,
            actor=actor,
        )
        settle(session, city, invoice, at=at)
    return rules.owed(invoice.gross_minor, invoice.credited_minor, invoice.paid_minor)


def check_payment(city: City, invoice: Invoice, amount_minor: int, paid_on: date, at: datetime) -> None:
    """Raises Invalid."""
    if invoice.kind != "invoice":
        raise Invalid(FieldError("amount", "credit-note", N_("Money is registered on the invoice itself.")))
    if not amount_minor:
        raise Invalid(FieldError("amount", "nothing", N_("Write an amount, such as 120.50.")))
    if invoice.paid_minor + amount_minor < 0:
        raise Invalid(
            FieldError("amount", "below-zero", N_("No more can be taken back than has been registered."))
        )
    if paid_on > at.astimezone(city.zone).date():
        raise Invalid(FieldError("paid_on", "later", N_("The day is still to come.")))


def add_payment(
    session: Session,
    invoice: Invoice,
    *,
    amount_minor: int,
    paid_on: date,
    bank_reference: str,
    submission: str,
    at: datetime,
    actor: Actor,
) -> None:
    row = InvoicePayment(
        city_id=invoice.city_id,
        invoice_id=invoice.id,
        amount_minor=amount_minor,
        paid_on=paid_on,
        bank_reference=bank_reference,
        submission=submission,
        created_at=at,
    )
    session.add(row)
    session.flush()
    invoice.paid_minor += amount_minor
    seller = session.get_one(InvoiceSeller, (invoice.city_id, invoice.seller_id))
    # A supplier's account is their own: what comes there we owe them no longer.
    came_to = "bank" if seller.organisation_id is None else "supplier"
    post(
        session,
        invoice.city_id,
        kind="invoice.paid",
        currency=invoice.currency,
        reference=invoice.number,
        key=f"invoice:{invoice.id}:payment:{row.id}",
        at=at,
        lines=[
            Posting(came_to, amount_minor, party_id=seller.organisation_id),
            Posting("invoices", -amount_minor, party_id=invoice.organisation_id),
        ],
        about={"invoice": invoice.number, "paid_on": paid_on.isoformat()},
    )
    audit(
        session,
        actor,
        "invoice.payment-registered",
        "invoice",
        invoice.id,
        amount_minor=amount_minor,
        paid_on=paid_on.isoformat(),
        bank_reference=bank_reference,
    )
    session.flush()


def call_overdue(session: Session, city: City, *, at: datetime) -> int:
    """Call the unpaid invoices overdue whose day has passed in the city; returns how many."""
    rows = queries.past_due(session, city.id, at.astimezone(city.zone).date())
    for invoice in rows:
        settle(session, city, invoice, at=at)
    return len(rows)
