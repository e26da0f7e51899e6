"""Reads of what an owner's places have brought, by the ledger, and of the payouts of it.

An order is for places of one owner, so that the ledger's entries about it are this owner's, whether it is the city's own
division or a private supplier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from bookings.checkout.models import Order, OrderLine
from bookings.finance.errors import NoIncome, SupplierNotFound
from bookings.finance.my_queries import managed
from bookings.finance.rules import EntrySum, MonthIncome, months_of
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.payments.models import LedgerEntry, LedgerLine, Payee, Payout
from marketplace.payments.policy import may_see_income
from marketplace.payments.queries import payee_of
from marketplace.timespan import Span
from spaces.calendar.rules import midnight
from spaces.catalog.models import Space, Venue

MOST_SUPPLIERS = 500
MOST_PAYOUTS = 60
MOST_LINES = 50_000
OF_SALES = ("income", "kept_fee", "vat")


@dataclass(frozen=True)
class IncomeLine:
    """One line of the ledger about an owner's sale: `amount_minor` is positive where it is their income."""

    at: datetime
    reference: str
    kind: str
    account: str
    vat_basis_points: int | None
    amount_minor: int


def suppliers_of(session: Session, actor: Actor) -> Sequence[Organisation]:
    """The owners of places whose income the actor may see, by name. Raises NoIncome where there is none."""
    owns = (
        select(Venue.id)
        .where(Venue.city_id == Organisation.city_id, Venue.owner_id == Organisation.id)
        .exists()
    )
    which = and_(Organisation.city_id == actor.city_id, owns)
    if not actor.is_staff:
        which = and_(which, Organisation.id.in_(managed(actor)))
    found = session.scalars(
        select(Organisation)
        .where(which)
        .order_by(func.lower(Organisation.name), Organisation.id)
        .limit(MOST_SUPPLIERS)
    ).all()
    if not found and not actor.is_staff:
        raise NoIncome
    return found


def supplier_for(session: Session, actor: Actor, organisation_id: int) -> Organisation:
    """An organisation whose income the actor may see. Raises SupplierNotFound for everyone else."""
    organisation = session.get(Organisation, (actor.city_id, organisation_id))
    if organisation is None or not may_see_income(actor, organisation_id):
        raise SupplierNotFound
    return organisation


def year_span(city: City, year: int) -> Span:
    return Span(midnight(date(year, 1, 1), city.zone), midnight(date(year + 1, 1, 1), city.zone))


def is_of_owner(city_id: int, owner_id: int) -> ColumnElement[bool]:
    """The ledger's entries about orders for this owner's places."""
    numbers = (
        select(Order.number)
        .join(OrderLine, (OrderLine.city_id == Order.city_id) & (OrderLine.order_id == Order.id))
        .join(Booking, (Booking.city_id == OrderLine.city_id) & (Booking.id == OrderLine.booking_id))
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(Order.city_id == city_id, Venue.owner_id == owner_id)
    )
    return and_(LedgerEntry.city_id == city_id, LedgerEntry.reference.in_(numbers))


def is_income() -> ColumnElement[bool]:
    """Lines that say what was sold, for how much tax, and what the city keeps; a supplier's own account counts as a sale
    where the order posted it, not where a payment did."""
    return or_(
        LedgerLine.account.in_((*OF_SALES, "city_fee")),
        and_(LedgerLine.account == "supplier", LedgerEntry.kind.like("order.%")),
    )


def income_of(city: City, owner_id: int, year: int) -> ColumnElement[bool]:
    """Those lines, joined to their entries, of the year in the city's own calendar."""
    span = year_span(city, year)
    return and_(
        LedgerLine.city_id == LedgerEntry.city_id,
        LedgerLine.entry_id == LedgerEntry.id,
        is_of_owner(city.id, owner_id),
        is_income(),
        LedgerEntry.currency == city.currency,
        LedgerEntry.at >= span.start,
        LedgerEntry.at < span.end,
    )


def income_by_month(session: Session, city: City, owner_id: int, year: int) -> list[MonthIncome]:
    """The months of the year in which anything was posted, in the city's own calendar."""
    is_fee = LedgerLine.account == "city_fee"
    # The tax of a supplier's sale is not the city's: the entry only tells of it.
    told = case(
        (LedgerEntry.kind.like("order.%"), cast(LedgerEntry.about["vat_minor"].astext, BigInteger)), else_=0
    )
    entry = (
        select(
            func.date_trunc("month", func.timezone(city.time_zone, LedgerEntry.at)).label("month"),
            func.coalesce(-func.sum(LedgerLine.amount_minor).filter(~is_fee), 0).label("gross"),
            func.coalesce(
                -func.sum(LedgerLine.amount_minor).filter(LedgerLine.account == "vat"), told, 0
            ).label("vat"),
            func.coalesce(-func.sum(LedgerLine.amount_minor).filter(is_fee), 0).label("fee"),
        )
        .where(income_of(city, owner_id, year))
        .group_by(LedgerEntry.city_id, LedgerEntry.id)
        .subquery()
    )
    is_sale = entry.c.gross > 0
    rows = session.execute(
        select(entry.c.month, func.sum(entry.c.gross), func.sum(entry.c.vat), func.sum(entry.c.fee)).group_by(
            entry.c.month, is_sale
        )
    )
    return months_of(
        EntrySum(month.date(), int(gross), int(vat), int(fee)) for month, gross, vat, fee in rows
    )


def income_lines(session: Session, city: City, owner_id: int, year: int) -> list[IncomeLine]:
    """The same, line by line in the order of the ledger; at most MOST_LINES."""
    rows = session.execute(
        select(
            LedgerEntry.at,
            LedgerEntry.reference,
            LedgerEntry.kind,
            LedgerLine.account,
            LedgerLine.vat_basis_points,
            LedgerLine.amount_minor,
        )
        .where(income_of(city, owner_id, year))
        .order_by(LedgerEntry.id, LedgerLine.position)
        .limit(MOST_LINES)
    )
    # What is income to the owner is a credit in the ledger; the city's fee is the city's income and the owner's cost.
    return [
        IncomeLine(at, reference, kind, account, rate, amount if account == "city_fee" else -amount)
        for at, reference, kind, account, rate, amount in rows
    ]


def account_at(session: Session, city_id: int, organisation_id: int, gateway: str | None) -> Payee | None:
    """The organisation's account at the gateway of new payments; where there is none, the latest one it had."""
    if gateway is not None:
        return payee_of(session, city_id, organisation_id, gateway)
    return session.scalar(
        select(Payee)
        .where(Payee.city_id == city_id, Payee.organisation_id == organisation_id)
        .order_by(Payee.id.desc())
        .limit(1)
    )


def payouts_of(session: Session, city_id: int, organisation_id: int) -> Sequence[Payout]:
    """What its gateways have sent to its bank or will, the latest arrival first."""
    return session.scalars(
        select(Payout)
        .join(Payee, (Payee.city_id == Payout.city_id) & (Payee.id == Payout.payee_id))
        .where(Payout.city_id == city_id, Payee.organisation_id == organisation_id)
        .order_by(Payout.arrives_on.desc(), Payout.id.desc())
        .limit(MOST_PAYOUTS)
    ).all()
