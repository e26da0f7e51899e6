"""What the demo city needs to send invoices: its own details, and where its associations want them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.invoices.models import InvoiceSeller, InvoiceTerms
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City

# The account number is the one that Finnish banks print in their instructions.
SELLER = {
    "name": "Helsingin kaupunki",
    "business_id": "0201256-6",
    "vat_number": "FI02012566",
    "street": "PL 1",
    "postcode": "00099",
    "locality": "Helsingin kaupunki",
    "iban": "FI2112345600000785",
    "bic": "NDEAFIHH",
    "payment_days": 14,
    "late_texts": {
        "fi": "Viivästyskorko korkolain mukaan.",
        "sv": "Dröjsmålsränta enligt räntelagen.",
        "en": "Interest on late payment as the Interest Act says.",
    },
}


def load_demo_invoicing(session: Session, city: City) -> None:
    """Details of the seller where there are none, and terms for associations with a business id. Safe to repeat."""
    known = session.scalar(
        select(InvoiceSeller.id).where(
            InvoiceSeller.city_id == city.id, InvoiceSeller.organisation_id.is_(None)
        )
    )
    if known is None:
        session.add(InvoiceSeller(city_id=city.id, organisation_id=None, **SELLER))
    with_terms = select(InvoiceTerms.organisation_id).where(InvoiceTerms.city_id == city.id)
    for id_ in session.scalars(
        select(Organisation.id).where(
            Organisation.city_id == city.id,
            Organisation.kind == "association",
            Organisation.business_id.is_not(None),
            Organisation.id.not_in(with_terms),
        )
    ).all():
        session.add(
            InvoiceTerms(
                city_id=city.id,
                organisation_id=id_,
                street="Suvilahdenkatu 4",
                postcode="00500",
                locality="Helsinki",
                language=city.default_language,
            )
        )
    session.flush()
