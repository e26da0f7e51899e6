"""Reads of invoices, each within one city; loaders fetch and authorise in one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Exists, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from bookings.checkout.models import Order, OrderLine
from bookings.checkout.rules import SOLD
from bookings.invoices import policy
from bookings.invoices.errors import InvoiceNotFound, NotYourInvoices
from bookings.invoices.models import (
    CostObject,
    Invoice,
    InvoiceLine,
    InvoicePayment,
    InvoiceSeller,
    InvoiceTerms,
)
from bookings.invoices.rules import Amounts, plain_reference
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Membership, Organisation, Person
from marketplace.web.i18n import localised
from spaces.catalog.models import Space, Venue

MOST_ROWS = 5000


@dataclass(frozen=True)
class SeenInvoice:
    """An invoice with all that its page and its files show; `others` are its credit notes, or what it credits."""

    invoice: Invoice
    lines: Sequence[InvoiceLine]
    payments: Sequence[InvoicePayment]
    others: Sequence[Invoice]
    seller_organisation_id: int | None

    @property
    def credited(self) -> Invoice | None:
        """What a credit note credits."""
        return self.others[0] if self.invoice.credits_id is not None and self.others else None


@dataclass(frozen=True)
class ListFilter:
    """What staff asked of the list."""

    q: str = ""
    state: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Waiting:
    """What an organisation owes a seller and no invoice says yet. `problem`: "seller", "terms" or "" where it only waits
    for its day."""

    organisation: Organisation
    payee_organisation_id: int | None
    orders: int
    gross_minor: int
    problem: str


@dataclass(frozen=True)
class PlacedBooking:
    booking: Booking
    space: Space
    venue: Venue


def invoice_for(session: Session, actor: Actor, invoice_id: int) -> SeenInvoice:
    """An invoice that the actor may see. Raises InvoiceNotFound for strangers too: that it exists is private."""
    invoice = session.get(Invoice, (actor.city_id, invoice_id))
    if invoice is None:
        raise InvoiceNotFound
    seller = session.get_one(InvoiceSeller, (actor.city_id, invoice.seller_id))
    if not policy.may_see_invoice(actor, invoice, seller.organisation_id):
        raise InvoiceNotFound
    return whole_invoice(session, invoice, seller.organisation_id)


def whole_invoice(
    session: Session, invoice: Invoice, seller_organisation_id: int | None = None
) -> SeenInvoice:
    """The invoice with what belongs to it, for the program itself."""
    return SeenInvoice(
        invoice,
        lines_of(session, invoice),
        payments_of(session, invoice),
        others_of(session, invoice),
        seller_organisation_id,
    )


def lines_of(session: Session, invoice: Invoice) -> Sequence[InvoiceLine]:
    return session.scalars(
        select(InvoiceLine)
        .where(InvoiceLine.city_id == invoice.city_id, InvoiceLine.invoice_id == invoice.id)
        .order_by(InvoiceLine.position)
    ).all()


def payments_of(session: Session, invoice: Invoice) -> Sequence[InvoicePayment]:
    return session.scalars(
        select(InvoicePayment)
        .where(InvoicePayment.city_id == invoice.city_id, InvoicePayment.invoice_id == invoice.id)
        .order_by(InvoicePayment.paid_on, InvoicePayment.id)
    ).all()


def others_of(session: Session, invoice: Invoice) -> Sequence[Invoice]:
    belongs = (
        Invoice.id == invoice.credits_id
        if invoice.credits_id is not None
        else Invoice.credits_id == invoice.id
    )
    return session.scalars(
        select(Invoice).where(Invoice.city_id == invoice.city_id, belongs).order_by(Invoice.id)
    ).all()


def locked_invoice(session: Session, invoice: Invoice) -> Invoice:
    """The invoice as it is now, locked until the end of the transaction; after its order, before its series."""
    session.flush()
    session.refresh(invoice, with_for_update=True)
    return invoice


def credited_by_line(session: Session, invoice: Invoice) -> dict[int, Amounts]:
    """What staff has credited of each line so far, positive, by its position."""
    rows = session.execute(
        select(
            InvoiceLine.credits_position,
            -func.sum(InvoiceLine.net_minor),
            -func.sum(InvoiceLine.vat_minor),
        )
        .join(Invoice, and_(Invoice.city_id == InvoiceLine.city_id, Invoice.id == InvoiceLine.invoice_id))
        .where(
            Invoice.city_id == invoice.city_id,
            Invoice.credits_id == invoice.id,
            InvoiceLine.credits_position.is_not(None),
        )
        .group_by(InvoiceLine.credits_position)
    )
    return {position: Amounts(int(net), int(vat)) for position, net, vat in rows if position is not None}


def invoices_of(
    session: Session, actor: Actor, organisation_id: int, *, limit: int = 200
) -> Sequence[Invoice]:
    """An organisation's invoices, the latest first. Raises NotYourInvoices."""
    if not policy.may_see_invoices_of(actor, organisation_id):
        raise NotYourInvoices
    return session.scalars(
        select(Invoice)
        .where(Invoice.city_id == actor.city_id, Invoice.organisation_id == organisation_id)
        .order_by(Invoice.issued_on.desc(), Invoice.id.desc())
        .limit(limit)
    ).all()


def organisation_of(session: Session, actor: Actor, organisation_id: int) -> Organisation:
    """An organisation whose invoices the actor may see. Raises InvoiceNotFound."""
    organisation = session.get(Organisation, (actor.city_id, organisation_id))
    if organisation is None or not policy.may_see_invoices_of(actor, organisation_id):
        raise InvoiceNotFound
    return organisation


def filtered(actor: Actor, wish: ListFilter) -> Select[Invoice]:
    """The invoices that staff asks for. Raises NotYourInvoices."""
    policy.require_may_run_invoices(actor)
    query = select(Invoice).where(Invoice.city_id == actor.city_id)
    if wish.state == "credit_note":
        query = query.where(Invoice.kind == "credit_note")
    elif wish.state:
        query = query.where(Invoice.state == wish.state, Invoice.kind == "invoice")
    if wish.first is not None:
        query = query.where(Invoice.issued_on >= wish.first)
    if wish.last is not None:
        query = query.where(Invoice.issued_on <= wish.last)
    if wish.q:
        reference = plain_reference(wish.q)
        query = query.where(
            or_(
                Invoice.number == wish.q.strip(),
                Invoice.reference == reference if reference else false(),
                Invoice.buyer["name"].astext.icontains(wish.q.strip(), autoescape=True),
            )
        )
    return query.order_by(Invoice.issued_on.desc(), Invoice.id.desc())


def page_of_invoices(
    session: Session, actor: Actor, wish: ListFilter, *, limit: int, offset: int
) -> tuple[Sequence[Invoice], int]:
    """(rows, how many there are in all)."""
    query = filtered(actor, wish)
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    return session.scalars(query.limit(limit).offset(offset)).all(), total


def lines_for_books(
    session: Session, actor: Actor, wish: ListFilter
) -> Sequence[tuple[Invoice, InvoiceLine]]:
    """Each line of the invoices that staff asks for, with its invoice, in the order of their numbers."""
    invoices = filtered(actor, wish).order_by(None).with_only_columns(Invoice.id)
    rows = session.execute(
        select(Invoice, InvoiceLine)
        .join(InvoiceLine, and_(InvoiceLine.city_id == Invoice.city_id, InvoiceLine.invoice_id == Invoice.id))
        .where(Invoice.city_id == actor.city_id, Invoice.id.in_(invoices))
        .order_by(Invoice.seller_id, Invoice.year, Invoice.sequence, InvoiceLine.position)
    )
    return [(invoice, line) for invoice, line in rows]


def terms_of(session: Session, city_id: int, organisation_id: int) -> InvoiceTerms | None:
    return session.get(InvoiceTerms, (city_id, organisation_id))


def seller_of(session: Session, city_id: int, organisation_id: int | None) -> InvoiceSeller | None:
    """In whose name is invoiced what is sold for a supplier (None: for the city)."""
    return session.scalar(
        select(InvoiceSeller).where(
            InvoiceSeller.city_id == city_id,
            InvoiceSeller.organisation_id.is_not_distinct_from(organisation_id),
        )
    )


def open_lines(session: Session, city_id: int, order_ids: Collection[int]) -> dict[int, list[OrderLine]]:
    """The lines of these orders that no invoice has yet, by order."""
    found: dict[int, list[OrderLine]] = {}
    for line in session.scalars(
        select(OrderLine)
        .where(OrderLine.city_id == city_id, OrderLine.order_id.in_(list(order_ids)), ~is_invoiced())
        .order_by(OrderLine.order_id, OrderLine.position)
    ):
        found.setdefault(line.order_id, []).append(line)
    return found


def is_invoiced() -> Exists:
    return (
        select(InvoiceLine.position)
        .where(
            InvoiceLine.city_id == OrderLine.city_id,
            InvoiceLine.order_id == OrderLine.order_id,
            InvoiceLine.order_position == OrderLine.position,
            InvoiceLine.credits_position.is_(None),
        )
        .exists()
    )


def owing(city_id: int, *, less: bool = False) -> Select[int, int]:
    """(order id, what its lines without an invoice come to): above nothing, or with `less` below it."""
    gross = func.sum(OrderLine.gross_minor)
    return (
        select(Order.id, gross)
        .join(OrderLine, and_(OrderLine.city_id == Order.city_id, OrderLine.order_id == Order.id))
        .where(
            Order.city_id == city_id,
            Order.way == "invoice",
            Order.state.in_(sorted(SOLD)),
            Order.organisation_id.is_not(None),
            ~is_invoiced(),
        )
        .group_by(Order.id)
        .having(gross < 0 if less else gross > 0)
    )


def orders_owing(
    session: Session,
    city_id: int,
    *,
    before: datetime | None = None,
    rhythm: str | None = None,
) -> Sequence[Order]:
    """Orders with something that no invoice says yet, placed before an instant, of organisations with this rhythm."""
    ids = owing(city_id).with_only_columns(Order.id)
    query = select(Order).where(Order.city_id == city_id, Order.id.in_(ids))
    if before is not None:
        query = query.where(Order.created_at < before)
    if rhythm is not None:
        query = query.join(
            InvoiceTerms,
            and_(
                InvoiceTerms.city_id == Order.city_id, InvoiceTerms.organisation_id == Order.organisation_id
            ),
        ).where(InvoiceTerms.rhythm == rhythm)
    return session.scalars(query.order_by(Order.id)).all()


def orders_to_credit(session: Session, city_id: int) -> Sequence[Order]:
    """Orders of which less is owed than was invoiced."""
    ids = owing(city_id, less=True).with_only_columns(Order.id)
    return session.scalars(
        select(Order).where(Order.city_id == city_id, Order.id.in_(ids)).order_by(Order.id)
    ).all()


def waiting(session: Session, actor: Actor) -> list[Waiting]:
    """What waits for an invoice, by organisation and payee, with what it waits for. Raises NotYourInvoices."""
    policy.require_may_run_invoices(actor)
    city_id = actor.city_id
    sums = owing(city_id).subquery()
    rows = session.execute(
        select(
            Organisation,
            Order.payee_organisation_id,
            func.count(),
            func.sum(sums.c[1]),
            InvoiceTerms.organisation_id,
            InvoiceSeller.id,
        )
        .join(sums, sums.c[0] == Order.id)
        .join(
            Organisation,
            and_(Organisation.city_id == Order.city_id, Organisation.id == Order.organisation_id),
        )
        .outerjoin(
            InvoiceTerms,
            and_(InvoiceTerms.city_id == Order.city_id, InvoiceTerms.organisation_id == Organisation.id),
        )
        .outerjoin(
            InvoiceSeller,
            and_(
                InvoiceSeller.city_id == Order.city_id,
                InvoiceSeller.organisation_id.is_not_distinct_from(Order.payee_organisation_id),
            ),
        )
        .where(Order.city_id == city_id)
        .group_by(
            Organisation.city_id,
            Organisation.id,
            Order.payee_organisation_id,
            InvoiceTerms.organisation_id,
            InvoiceSeller.id,
        )
        .order_by(Organisation.name, Organisation.id)
    )
    return [
        Waiting(
            organisation,
            payee,
            count,
            int(gross),
            "seller" if seller is None else "terms" if terms is None else "",
        )
        for organisation, payee, count, gross, terms, seller in rows
    ]


def invoices_with_order(session: Session, order: Order) -> Sequence[Invoice]:
    """The invoices (no credit notes) that have lines of the order, the earliest first."""
    ids = select(InvoiceLine.invoice_id).where(
        InvoiceLine.city_id == order.city_id, InvoiceLine.order_id == order.id
    )
    return session.scalars(
        select(Invoice)
        .where(Invoice.city_id == order.city_id, Invoice.kind == "invoice", Invoice.id.in_(ids))
        .order_by(Invoice.id)
    ).all()


def placed_bookings(session: Session, city_id: int, ids: Collection[int]) -> dict[int, PlacedBooking]:
    rows = session.execute(
        select(Booking, Space, Venue)
        .join(Space, and_(Space.city_id == Booking.city_id, Space.id == Booking.space_id))
        .join(Venue, and_(Venue.city_id == Space.city_id, Venue.id == Space.venue_id))
        .where(Booking.city_id == city_id, Booking.id.in_(list(ids)))
    )
    return {booking.id: PlacedBooking(booking, space, venue) for booking, space, venue in rows}


def cost_objects(session: Session, city_id: int) -> dict[tuple[int, int | None], CostObject]:
    """By owner and venue; None stands for the owner's other places."""
    return {
        (row.organisation_id, row.venue_id): row
        for row in session.scalars(select(CostObject).where(CostObject.city_id == city_id))
    }


def managers_of(session: Session, city_id: int, organisation_id: int) -> Sequence[Person]:
    return session.scalars(
        select(Person)
        .join(Membership, and_(Membership.city_id == Person.city_id, Membership.person_id == Person.id))
        .where(
            Person.city_id == city_id,
            Membership.organisation_id == organisation_id,
            Membership.role == "manager",
            Membership.accepted_at.is_not(None),
        )
        .order_by(Person.id)
    ).all()


def past_due(session: Session, city_id: int, today: date, *, limit: int = MOST_ROWS) -> Sequence[Invoice]:
    """Invoices whose day has passed and which nobody has called overdue yet."""
    return session.scalars(
        select(Invoice)
        .where(
            Invoice.city_id == city_id,
            Invoice.kind == "invoice",
            Invoice.state == "sent",
            Invoice.due_on < today,
        )
        .order_by(Invoice.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def numbers_of(session: Session, city_id: int, ids: Collection[int | None]) -> dict[int, str]:
    """Invoice numbers by id."""
    rows = session.execute(
        select(Invoice.id, Invoice.number).where(
            Invoice.city_id == city_id, Invoice.id.in_([id_ for id_ in ids if id_ is not None])
        )
    )
    return {id_: number for id_, number in rows}


def places(session: Session, city_id: int, language: str) -> dict[str, tuple[str, str]]:
    """(owner, venue) by "<owner id>:<venue id>"; without a venue it is the owner's other places."""
    rows = session.execute(
        select(Organisation.id, Organisation.name, Venue.id, Venue.names)
        .join(Venue, and_(Venue.city_id == Organisation.city_id, Venue.owner_id == Organisation.id))
        .where(Organisation.city_id == city_id)
        .order_by(Organisation.name, Organisation.id, Venue.id)
        .limit(MOST_ROWS)
    )
    found: dict[str, tuple[str, str]] = {}
    for owner_id, owner, venue_id, names in rows:
        found.setdefault(f"{owner_id}:", (owner, ""))
        found[f"{owner_id}:{venue_id}"] = owner, localised(names, language)
    return found
