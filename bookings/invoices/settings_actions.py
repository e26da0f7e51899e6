"""What invoices are made with: an organisation's terms, a seller's details, cost objects of the accounting."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bookings.invoices import policy
from bookings.invoices.errors import InvoiceNotFound
from bookings.invoices.models import CostObject, InvoiceSeller, InvoiceTerms
from bookings.invoices.queries import seller_of
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from spaces.catalog.models import Venue


def save_terms(
    session: Session, organisation: Organisation, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> None:
    """How the organisation wishes its invoices from now on; those already issued stay. Raises NotYourInvoices."""
    policy.require_may_edit_terms(actor, organisation.id)
    kept = {**values, "changed_at": at}
    session.execute(
        insert(InvoiceTerms)
        .values(city_id=organisation.city_id, organisation_id=organisation.id, **kept)
        .on_conflict_do_update(index_elements=["city_id", "organisation_id"], set_=kept)
    )
    audit(session, actor, "invoice-terms.saved", "organisation", organisation.id, rhythm=values["rhythm"])
    session.flush()


def save_seller(
    session: Session,
    city_id: int,
    organisation_id: int | None,
    values: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
) -> InvoiceSeller:
    """In whose name and to which account invoices are from now on. Raises NotYourInvoices."""
    policy.require_may_run_invoices(actor)
    seller = seller_of(session, city_id, organisation_id)
    before = {} if seller is None else {name: getattr(seller, name) for name in ("iban", "bic")}
    if seller is None:
        seller = InvoiceSeller(city_id=city_id, organisation_id=organisation_id, changed_at=at, **values)
        session.add(seller)
    for name, value in values.items():
        setattr(seller, name, value)
    seller.changed_at = at
    session.flush()
    # Whoever changes an account number can lead money elsewhere: the trail keeps both.
    audit(
        session,
        actor,
        "invoice-seller.saved",
        "invoice_seller",
        seller.id,
        before=before,
        iban=seller.iban,
        bic=seller.bic,
    )
    session.flush()
    return seller


def save_cost_object(
    session: Session,
    city_id: int,
    owner_id: int,
    venue_id: int | None,
    values: Mapping[str, str],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Where the income of an owner's places, or of one of them, belongs; all empty takes the row away.

    Raises NotYourInvoices, InvoiceNotFound for an owner or a venue that is not there.
    """
    policy.require_may_run_invoices(actor)
    venue = session.get(Venue, (city_id, venue_id)) if venue_id is not None else None
    owner = session.get(Organisation, (city_id, owner_id))
    if owner is None or (venue_id is not None and (venue is None or venue.owner_id != owner_id)):
        raise InvoiceNotFound
    if any(values.values()):
        kept = {**values, "changed_at": at}
        session.execute(
            insert(CostObject)
            .values(city_id=city_id, organisation_id=owner_id, venue_id=venue_id, **kept)
            .on_conflict_do_update(index_elements=["city_id", "organisation_id", "venue_id"], set_=kept)
        )
    else:
        session.execute(
            delete(CostObject).where(
                CostObject.city_id == city_id,
                CostObject.organisation_id == owner_id,
                CostObject.venue_id.is_not_distinct_from(venue_id),
            )
        )
    audit(session, actor, "cost-object.saved", "organisation", owner_id, venue_id=venue_id, **values)
    session.flush()
