"""Orders that are paid by invoice, with what their invoices need."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bookings.checkout.models import Order, OrderLine
from bookings.invoices.models import InvoiceSeller, InvoiceTerms
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.ids import new_reference
from marketplace.money import Money
from tests.factories.bookings import NOW

IBAN = "FI2112345600000785"


def make_seller(session: Session, city: City, **fields: Any) -> InvoiceSeller:
    values: dict[str, Any] = {
        "city_id": city.id,
        "organisation_id": None,
        "name": "Helsingin kaupunki",
        "business_id": "0201256-6",
        "vat_number": "FI02012566",
        "street": "PL 1",
        "postcode": "00099",
        "locality": "Helsingin kaupunki",
        "iban": IBAN,
        "bic": "NDEAFIHH",
        "payment_days": 14,
        "late_texts": {"fi": "Viivästyskorko korkolain mukaan", "en": "Interest by law when late"},
        "e_address": "003702012566",
        "e_operator": "003721291126",
        **fields,
    }
    seller = InvoiceSeller(**values)
    session.add(seller)
    session.flush()
    return seller


def make_terms(session: Session, organisation: Organisation, **fields: Any) -> InvoiceTerms:
    values: dict[str, Any] = {
        "city_id": organisation.city_id,
        "organisation_id": organisation.id,
        "street": "Suvilahdenkatu 4",
        "postcode": "00500",
        "locality": "Helsinki",
        "language": "fi",
        **fields,
    }
    terms = InvoiceTerms(**values)
    session.add(terms)
    session.flush()
    return terms


def make_order(
    session: Session,
    city: City,
    booking: Booking,
    organisation: Organisation,
    *lines: tuple[int, int],
    at: datetime = NOW,
    payee: Organisation | None = None,
    number: str | None = None,
) -> Order:
    """An order by invoice, as the checkout leaves it: lines of (gross in minor units, rate in basis points)."""
    order = Order(
        city_id=city.id,
        number=number or new_reference(),
        person_id=booking.person_id,
        organisation_id=organisation.id,
        payee_organisation_id=payee.id if payee else None,
        way="invoice",
        state="invoiced",
        total_minor=sum(gross for gross, _ in lines),
        vat_minor=0,
        currency="EUR",
        created_at=at,
        changed_at=at,
    )
    session.add(order)
    session.flush()
    for gross, rate in lines:
        add_line(session, order, booking, gross, rate)
    return order


def add_line(
    session: Session, order: Order, booking: Booking, gross: int, rate: int, *, kind: str = "sale"
) -> OrderLine:
    position = 1 + session.query(OrderLine).filter_by(city_id=order.city_id, order_id=order.id).count()
    vat = Money(gross).vat_included(rate).minor
    line = OrderLine(
        city_id=order.city_id,
        order_id=order.id,
        position=position,
        booking_id=booking.id,
        kind=kind,
        code={"sale": "bookings", "refund": "cancelled", "kept_fee": "kept"}[kind],
        quantity="1",
        gross_minor=gross,
        net_minor=gross - vat,
        vat_minor=vat,
        vat_basis_points=rate,
    )
    session.add(line)
    session.flush()
    return line
