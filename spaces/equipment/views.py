"""The owner's page of a place's equipment."""

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid, NotFound
from marketplace.money import Money
from marketplace.web.access import signed_in
from marketplace.web.i18n import gettext, localised
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.calendar.lanes import Peak
from spaces.catalog.desk_forms import StateForm
from spaces.catalog.desk_queries import owner_of, venue_managed_by
from spaces.catalog.errors import VenueNotFound
from spaces.catalog.models import Venue
from spaces.equipment import actions
from spaces.equipment.errors import ExtraNotFound, StockPromised
from spaces.equipment.forms import ExtraForm, prefix_of
from spaces.equipment.models import Extra
from spaces.equipment.present import amount_text, peak_text
from spaces.equipment.queries import KeptExtra, extra_of_venue, extras_of_venue, offering_spaces
from spaces.pricing.queries import vat_rates_on

blueprint = page_blueprint("equipment", __name__)

Page = str | tuple[str, int] | Response
LARGEST_ID = 2**63 - 1


def managed(session: Session, venue_id: int) -> Venue:
    if venue_id > LARGEST_ID:
        raise VenueNotFound
    return venue_managed_by(session, current_actor(), venue_id)


def choices(session: Session, city: City, venue: Venue) -> dict[str, Any]:
    """The venue's spaces and the city's tax rates, to choose from in a form."""
    return {
        "spaces": [(space.id, localised(space.names)) for space in offering_spaces(session, venue)],
        "rates": vat_rates_on(session, city.id, now().astimezone(city.zone).date()),
    }


@blueprint.get("/desk/venues/<int:venue_id>/equipment")
@signed_in
def page(venue_id: int) -> Page:
    """What the place has, and a form for more."""
    with transaction() as session:
        return equipment_page(session, managed(session, venue_id))


@blueprint.post("/desk/venues/<int:venue_id>/equipment")
@signed_in
def add(venue_id: int) -> Page:
    """One more kind of equipment."""
    city = current_city()
    with transaction() as session:
        venue = managed(session, venue_id)
        form = ExtraForm(**choices(session, city, venue))
        if not form.validate():
            return equipment_page(session, venue, new=form, status=422)
    try:
        with transaction() as session:
            actions.add_extra(
                session,
                city,
                managed(session, venue_id),
                form.asked(),
                submission=form.submission.data or "",
                actor=current_actor(),
                at=now(),
            )
    except Invalid as refusal:
        form.show(refusal)
        with transaction() as session:
            return equipment_page(session, managed(session, venue_id), new=form, status=422)
    flash(gettext("The equipment was added."), "success")
    return redirect(url_for("equipment.page", venue_id=venue_id), 303)


@blueprint.post("/desk/venues/<int:venue_id>/equipment/<int:extra_id>")
@signed_in
def change(venue_id: int, extra_id: int) -> Page:
    """Describe, count, price or offer it differently."""
    city = current_city()
    peaks: Sequence[Peak] = ()
    with transaction() as session:
        venue = managed(session, venue_id)
        extra = known(session, venue, extra_id)
        form = ExtraForm(**choices(session, city, venue), prefix=prefix_of(extra_id))
        if not form.validate():
            return equipment_page(session, venue, changed=(extra_id, form), status=422)
        asked = form.asked(extra)
    try:
        with transaction() as session:
            changed = actions.change_extra(
                session, city, managed(session, venue_id), extra_id, asked, actor=current_actor(), at=now()
            )
    except Invalid as refusal:
        form.show(refusal)
    except StockPromised as refusal:
        peaks = refusal.peaks
        form.stock.errors = [*form.stock.errors, gettext(refusal.title)]
    else:
        flash(gettext("Saved.") if changed else gettext("Nothing was different."), "success")
        return redirect(url_for("equipment.page", venue_id=venue_id), 303)
    with transaction() as session:
        return equipment_page(
            session,
            managed(session, venue_id),
            changed=(extra_id, form),
            peaks=peaks,
            status=409 if peaks else 422,
        )


@blueprint.post("/desk/venues/<int:venue_id>/equipment/<int:extra_id>/removal")
@signed_in
def remove(venue_id: int, extra_id: int) -> Page:
    """Offer it no more; bookings that have it keep it."""
    if not StateForm().validate():
        raise NotFound
    with transaction() as session:
        venue = managed(session, venue_id)
        known(session, venue, extra_id)
        actions.take_away(session, venue, extra_id, actor=current_actor(), at=now())
    flash(gettext("The equipment is not offered any more. Bookings that have it keep it."), "success")
    return redirect(url_for("equipment.page", venue_id=venue_id), 303)


def known(session: Session, venue: Venue, extra_id: int) -> Extra:
    if extra_id > LARGEST_ID:
        raise ExtraNotFound
    return extra_of_venue(session, venue, extra_id)


def equipment_page(
    session: Session,
    venue: Venue,
    *,
    new: ExtraForm | None = None,
    changed: tuple[int, ExtraForm] | None = None,
    peaks: Sequence[Peak] = (),
    status: int = 200,
) -> Page:
    """The list with a form for each; the refused one is handed in with its messages."""
    city = current_city()
    offered = choices(session, city, venue)
    names = dict(offered["spaces"])
    rows = []
    for kept in extras_of_venue(session, venue):
        if changed is not None and changed[0] == kept.extra.id:
            form = changed[1]
        else:
            form = ExtraForm(**offered, formdata=None, prefix=prefix_of(kept.extra.id))
            form.fill(kept)
        rows.append(row_of(kept, form, names, city))
    html = render_template(
        "spaces/equipment/page.html",
        page_id="desk",
        venue=venue,
        owner=owner_of(session, venue),
        rows=rows,
        new=new or ExtraForm(**offered, formdata=None, data={"spaces": list(names)}),
        peaks=[peak_text(peak, city) for peak in peaks],
        languages_of_city=city.languages,
    )
    return html, status


def row_of(kept: KeptExtra, form: ExtraForm, names: dict[int, str], city: City) -> dict[str, Any]:
    """One kind of equipment as the page shows it."""
    extra = kept.extra
    return {
        "id": extra.id,
        "name": localised(extra.names),
        "stock": kept.stock,
        "price": amount_text(extra.per, Money(extra.amount_minor, city.currency)),
        "spaces": [names[space_id] for space_id in sorted(kept.space_ids) if space_id in names],
        "form": form,
    }
