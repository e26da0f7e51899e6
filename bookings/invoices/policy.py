"""Who may see an organisation's invoices, say how it wishes them, and run the city's."""

from bookings.invoices.errors import NotYourInvoices
from bookings.invoices.models import Invoice
from marketplace.accounts.actor import Actor


def may_see_invoices_of(actor: Actor, organisation_id: int) -> bool:
    """Whoever books in its name, and the city's staff."""
    return actor.is_signed_in and (actor.is_staff or actor.may_book_for(organisation_id))


def may_see_invoice(actor: Actor, invoice: Invoice, seller_organisation_id: int | None) -> bool:
    """Besides them the managers of the supplier in whose name it is."""
    if not actor.is_signed_in or actor.city_id != invoice.city_id:
        return False
    return may_see_invoices_of(actor, invoice.organisation_id) or (
        seller_organisation_id is not None and actor.manages(seller_organisation_id)
    )


def may_edit_terms(actor: Actor, organisation_id: int) -> bool:
    return actor.is_signed_in and (actor.is_staff or actor.manages(organisation_id))


def may_run_invoices(actor: Actor) -> bool:
    """Staff, and the program itself in its jobs."""
    return actor.is_staff if actor.is_signed_in else actor.source in {"job", "command"}


def require_may_edit_terms(actor: Actor, organisation_id: int) -> None:
    """Raises NotYourInvoices."""
    if not may_edit_terms(actor, organisation_id):
        raise NotYourInvoices


def require_may_run_invoices(actor: Actor) -> None:
    """Raises NotYourInvoices."""
    if not may_run_invoices(actor):
        raise NotYourInvoices
