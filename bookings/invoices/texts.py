"""What an invoice keeps of the day it was issued: the texts of its seller, its buyer and its lines, in every language."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bookings.checkout.models import OrderLine
from bookings.checkout.present import line_row
from bookings.invoices.models import InvoiceSeller, InvoiceTerms
from bookings.invoices.queries import PlacedBooking
from bookings.lifecycle.pages import place_text
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.notifications.mail import writing_for
from marketplace.web.i18n import format_span


@dataclass(frozen=True)
class SellerTexts:
    """The seller as printed on the invoice."""

    name: str
    business_id: str
    vat_number: str
    street: str
    postcode: str
    locality: str
    email: str
    phone: str
    iban: str
    bic: str
    payment_days: int
    late_texts: Localised = field(default_factory=dict)
    e_address: str = ""
    e_operator: str = ""
    country: str = "FI"


@dataclass(frozen=True)
class BuyerTexts:
    """The buyer as printed on the invoice; `email` is where word of it goes."""

    name: str
    business_id: str
    recipient: str
    street: str
    postcode: str
    locality: str
    country: str
    e_address: str
    e_operator: str
    buyer_reference: str
    email: str


def seller_texts(seller: InvoiceSeller, city: City) -> dict[str, object]:
    return asdict(
        SellerTexts(
            name=seller.name,
            business_id=seller.business_id,
            vat_number=seller.vat_number,
            street=seller.street,
            postcode=seller.postcode,
            locality=seller.locality,
            email=seller.email,
            phone=seller.phone,
            iban=seller.iban,
            bic=seller.bic,
            payment_days=seller.payment_days,
            late_texts=dict(seller.late_texts),
            e_address=seller.e_address,
            e_operator=seller.e_operator,
            country=city.country,
        )
    )


def buyer_texts(organisation: Organisation, terms: InvoiceTerms) -> dict[str, object]:
    return asdict(
        BuyerTexts(
            name=organisation.name,
            business_id=organisation.business_id or "",
            recipient=terms.recipient,
            street=terms.street,
            postcode=terms.postcode,
            locality=terms.locality,
            country=terms.country,
            e_address=terms.e_address,
            e_operator=terms.e_operator,
            buyer_reference=terms.buyer_reference,
            email=terms.email,
        )
    )


def texts_of_lines(
    city: City, lines: Sequence[OrderLine], placed: Mapping[int, PlacedBooking], *, currency: str
) -> list[Localised]:
    """For each line what it is, where and when, in each language of the city."""
    found: list[Localised] = [{} for _ in lines]
    for language in city.languages:
        with writing_for(city, language):
            for line, texts in zip(lines, found, strict=True):
                texts[language] = text_of(city, line, placed[line.booking_id], currency)
    return found


def text_of(city: City, line: OrderLine, placed: PlacedBooking, currency: str) -> str:
    """In the language being written."""
    span = placed.booking.span
    when = format_span(span.start.astimezone(city.zone), span.end.astimezone(city.zone), year=True)
    return f"{place_text(placed.space, placed.venue)}, {when}: {line_row(line, currency)[0]}"
