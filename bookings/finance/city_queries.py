"""Reads of what the city's staff look after: what is open, failed, late, disputed, and the balances of the ledger."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from bookings.checkout.models import Order, OrderLine
from bookings.checkout.rules import CAME_TO_NOTHING, SOLD
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import AuditEntry, Organisation, Person
from marketplace.cities.models import City
from marketplace.payments.models import (
    Dispute,
    GatewayEvent,
    LedgerEntry,
    LedgerLine,
    Payee,
    Payment,
    Refund,
)
from marketplace.timespan import Span
from spaces.calendar.rules import midnight
from spaces.catalog.models import Space, Venue

SHOWS = ("open", "failed", "late", "disputed", "refunds", "events")
# What is older is history: it is found by its order.
LOOKED_BACK = timedelta(days=90)
MOST_LINES = 100_000
DECIDED_DISPUTES = ("won", "lost")
RETRY_KEY = "retry:"
# Events of another mode than ours are kept and never acted upon.
OTHER_MODE = "other-mode"


@dataclass(frozen=True)
class Balance:
    """An account of the ledger in a month, in minor units, debit positive; tax is apart by rate."""

    account: str
    vat_basis_points: int | None
    before_minor: int
    debit_minor: int
    credit_minor: int

    @property
    def after_minor(self) -> int:
        return self.before_minor + self.debit_minor + self.credit_minor


@dataclass(frozen=True)
class Item:
    """Something that staff look at: whose order it is of, since when, and what is told of it.

    `number` is the order's, "" for what is of none; `state` and `code` are the row's own words.
    """

    id: int
    number: str
    who: str
    at: datetime
    amount_minor: int
    currency: str
    state: str
    code: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Place:
    """Where what an order sold belongs."""

    owner_id: int
    venue_id: int


def payer_name() -> ColumnElement[str]:
    return func.coalesce(Organisation.name, Person.name, "")


def with_payer(query: Any) -> Any:
    """The query over Order, with who pays."""
    return query.outerjoin(
        Organisation, and_(Organisation.city_id == Order.city_id, Organisation.id == Order.organisation_id)
    ).outerjoin(Person, and_(Person.city_id == Order.city_id, Person.id == Order.person_id))


def selected(show: str, city_id: int, *, at: datetime) -> Any:
    """The rows of a list as the columns of Item, without an order. `show` is one of SHOWS but events."""
    since = at - LOOKED_BACK
    query: Any  # each list has columns of its own
    if show in {"open", "late"}:
        query = with_payer(
            select(
                Order.id,
                Order.number,
                payer_name(),
                Order.created_at if show == "open" else Order.changed_at,
                Order.total_minor,
                Order.currency,
                Order.state,
                literal(""),
                Order.expires_at,
            ).select_from(Order)
        )
        which = Order.state.in_(("open", "authorised")) if show == "open" else is_late(since)
        return query.where(Order.city_id == city_id, which)
    to_order = and_(Order.city_id == Payment.city_id, Order.number == Payment.reference)
    if show == "failed":
        query = select(
            Payment.id,
            Payment.reference,
            payer_name(),
            Payment.changed_at,
            Payment.amount_minor,
            Payment.currency,
            Payment.state,
            func.coalesce(Payment.failure_code, ""),
            literal(None),
        ).select_from(Payment)
        which = and_(Payment.state == "failed", Payment.changed_at >= since)
    elif show == "disputed":
        query = (
            select(
                Dispute.id,
                Payment.reference,
                payer_name(),
                Dispute.opened_at,
                Dispute.amount_minor,
                Payment.currency,
                Dispute.state,
                Dispute.reason,
                Dispute.closed_at,
            )
            .select_from(Dispute)
            .join(Payment, and_(Payment.city_id == Dispute.city_id, Payment.id == Dispute.payment_id))
        )
        which = or_(Dispute.state.not_in(DECIDED_DISPUTES), Dispute.closed_at >= since)
    else:
        query = (
            select(
                Refund.id,
                Payment.reference,
                payer_name(),
                Refund.changed_at,
                Refund.amount_minor,
                Payment.currency,
                Refund.state,
                func.coalesce(Refund.failure_code, ""),
                literal(None),
            )
            .select_from(Refund)
            .join(Payment, and_(Payment.city_id == Refund.city_id, Payment.id == Refund.payment_id))
        )
        which = is_unretried()
    return with_payer(query.outerjoin(Order, to_order)).where(Payment.city_id == city_id, which)


def is_late(since: datetime) -> ColumnElement[bool]:
    """Orders that were paid after their time was over: the audit trail tells it, the order itself forgets."""
    return and_(
        Order.way == "card",
        Order.state.in_(sorted(SOLD)),
        Order.created_at >= since,
        select(AuditEntry.id)
        .where(
            AuditEntry.city_id == Order.city_id,
            AuditEntry.subject_kind == "order",
            AuditEntry.subject_id == Order.id,
            AuditEntry.action == "order.paid",
            AuditEntry.details["before"].astext.in_(sorted(CAME_TO_NOTHING)),
        )
        .exists(),
    )


def is_unretried() -> ColumnElement[bool]:
    """Refunds that failed and that nobody has asked for anew."""
    again = aliased(Refund)
    return and_(
        Refund.state == "failed",
        ~select(again.id)
        .where(again.city_id == Refund.city_id, again.key == func.concat(RETRY_KEY, Refund.id))
        .exists(),
    )


def is_of_city(city_id: int) -> ColumnElement[bool]:
    """Events of the city's own account, and of accounts of its suppliers; another city's suppliers are not its affair."""
    mine = select(Payee.external_id).where(Payee.city_id == city_id, Payee.gateway == GatewayEvent.gateway)
    return or_(GatewayEvent.account == "", GatewayEvent.account.in_(mine))


def unprocessed(city_id: int, *, at: datetime) -> ColumnElement[bool]:
    """Events that could not be acted upon."""
    return and_(
        GatewayEvent.problem.is_not(None), GatewayEvent.received_at >= at - LOOKED_BACK, is_of_city(city_id)
    )


def items_of(
    session: Session, city_id: int, show: str, *, at: datetime, limit: int, offset: int
) -> list[Item]:
    """A page of one of the lists, what is newest first."""
    if show == "events":
        rows = session.execute(
            select(GatewayEvent)
            .where(unprocessed(city_id, at=at))
            .order_by(GatewayEvent.received_at.desc(), GatewayEvent.id.desc())
            .limit(limit)
            .offset(offset)
        ).scalars()
        return [
            Item(one.id, "", one.external_id, one.received_at, 0, "", one.kind, one.problem or "")
            for one in rows
        ]
    query = selected(show, city_id, at=at)
    columns = list(query.selected_columns)
    found = session.execute(query.order_by(columns[3].desc(), columns[0].desc()).limit(limit).offset(offset))
    return [Item(*row) for row in found]


def counts_of(session: Session, city_id: int, *, at: datetime) -> dict[str, int]:
    """How many there are of each list."""
    found = {
        show: session.scalar(
            select(func.count()).select_from(selected(show, city_id, at=at).order_by(None).subquery())
        )
        or 0
        for show in SHOWS
        if show != "events"
    }
    found["events"] = (
        session.scalar(select(func.count()).select_from(GatewayEvent).where(unprocessed(city_id, at=at))) or 0
    )
    return found


def needing(session: Session, city_id: int, *, at: datetime) -> int:
    """How many of all these wait for somebody: disputes not decided, refunds that failed, events that may be tried again."""
    query = select(func.count()).select_from(Dispute)
    disputes = session.scalar(query.where(Dispute.city_id == city_id, Dispute.state.not_in(DECIDED_DISPUTES)))
    refunds = session.scalar(
        select(func.count()).select_from(Refund).where(Refund.city_id == city_id, is_unretried())
    )
    events = session.scalar(
        select(func.count())
        .select_from(GatewayEvent)
        .where(unprocessed(city_id, at=at), GatewayEvent.problem != OTHER_MODE)
    )
    return (disputes or 0) + (refunds or 0) + (events or 0)


def month_span(city: City, month: date) -> Span:
    """The month from its first day in the city's zone."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return Span(midnight(month, city.zone), midnight(following, city.zone))


def balances_of(session: Session, city: City, month: date) -> list[Balance]:
    """Each account with a line until the end of the month: what it came to before, and what was posted in it."""
    span = month_span(city, month)
    is_before, is_debit = LedgerEntry.at < span.start, LedgerLine.amount_minor > 0

    def total(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((which, LedgerLine.amount_minor), else_=0)), 0)

    rows = session.execute(
        select(
            LedgerLine.account,
            LedgerLine.vat_basis_points,
            total(is_before),
            total(and_(~is_before, is_debit)),
            total(and_(~is_before, ~is_debit)),
        )
        .join(
            LedgerEntry, (LedgerEntry.city_id == LedgerLine.city_id) & (LedgerEntry.id == LedgerLine.entry_id)
        )
        .where(
            LedgerLine.city_id == city.id, LedgerEntry.currency == city.currency, LedgerEntry.at < span.end
        )
        .group_by(LedgerLine.account, LedgerLine.vat_basis_points)
        .order_by(LedgerLine.account, LedgerLine.vat_basis_points)
    )
    return [
        Balance(account, rate, int(before), int(debit), int(credit))
        for account, rate, before, debit, credit in rows
    ]


def lines_of_month(
    session: Session, city: City, month: date
) -> list[tuple[LedgerEntry, LedgerLine, str | None]]:
    """The ledger of a month in its own order, with the name of the party; at most MOST_LINES."""
    span = month_span(city, month)
    rows = session.execute(
        select(LedgerEntry, LedgerLine, Organisation.name)
        .join(
            LedgerLine, (LedgerLine.city_id == LedgerEntry.city_id) & (LedgerLine.entry_id == LedgerEntry.id)
        )
        .outerjoin(
            Organisation,
            (Organisation.city_id == LedgerLine.city_id) & (Organisation.id == LedgerLine.party_id),
        )
        .where(
            LedgerEntry.city_id == city.id,
            LedgerEntry.currency == city.currency,
            LedgerEntry.at >= span.start,
            LedgerEntry.at < span.end,
        )
        .order_by(LedgerEntry.id, LedgerLine.position)
        .limit(MOST_LINES)
    )
    return [(entry, line, name) for entry, line, name in rows]


def places_of(session: Session, city_id: int, numbers: Collection[str]) -> dict[str, Place]:
    """Where the orders of these numbers belong; of one for several places the first booking's."""
    rows = session.execute(
        select(Order.number, Venue.owner_id, Venue.id)
        .join(OrderLine, (OrderLine.city_id == Order.city_id) & (OrderLine.order_id == Order.id))
        .join(Booking, (Booking.city_id == OrderLine.city_id) & (Booking.id == OrderLine.booking_id))
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(Order.city_id == city_id, Order.number.in_(list(numbers)), OrderLine.position == 1)
    )
    return {number: Place(owner_id, venue_id) for number, owner_id, venue_id in rows}
