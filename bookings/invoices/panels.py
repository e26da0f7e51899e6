"""What the page of an organisation shows of its invoices."""

from typing import Any

from flask import render_template

from bookings.invoices import policy
from bookings.invoices.queries import terms_of
from marketplace.accounts.models import Organisation
from marketplace.db import transaction
from marketplace.web.request import current_actor


def organisation_panel(*, organisation: Organisation, **_: Any) -> str:
    """The `organisation` panel: for those who book in its name, the way to its invoices and what they wait for."""
    actor = current_actor()
    if not policy.may_see_invoices_of(actor, organisation.id):
        return ""
    with transaction() as session:
        terms = terms_of(session, actor.city_id, organisation.id)
    return render_template(
        "bookings/invoices/_organisation.html",
        organisation=organisation,
        terms=terms,
        may_edit=policy.may_edit_terms(actor, organisation.id),
    )
