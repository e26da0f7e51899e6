"""The desk's page of one place's accessibility."""

from flask import flash, redirect, render_template, url_for

from marketplace.db import transaction
from marketplace.errors import Invalid
from marketplace.web.access import signed_in
from marketplace.web.i18n import gettext
from marketplace.web.request import current_actor
from spaces.catalog.access_forms import AccessForm
from spaces.catalog.access_present import access_section, group_name, sentence_rows, viewpoint_rows
from spaces.catalog.accessibility import known_of
from spaces.catalog.desk import blueprint
from spaces.catalog.desk_queries import venue_managed_by
from spaces.catalog.desk_views import Page
from spaces.catalog.listing_actions import tell_accessibility
from spaces.catalog.models import Venue


@blueprint.route("/desk/venues/<int:venue_id>/accessibility", methods=["GET", "POST"])
@signed_in
def accessibility(venue_id: int) -> Page:
    """What the owner tells of how accessible a place is."""
    actor, form = current_actor(), AccessForm()
    with transaction() as session:
        found = venue_managed_by(session, actor, venue_id)
    if not form.is_submitted():
        form.fill(known_of(found))
        return access_page(found, form)
    if form.validate():
        try:
            with transaction() as session:
                changed = tell_accessibility(
                    session,
                    venue_managed_by(session, actor, venue_id),
                    has=form.answered("yes"),
                    lacks=form.answered("no"),
                    measures=form.measured(),
                    actor=actor,
                )
        except Invalid as refusal:
            form.show(refusal)
        else:
            flash(gettext("Saved.") if changed else gettext("Nothing was different."), "success")
            return redirect(url_for("desk.accessibility", venue_id=venue_id), 303)
    return access_page(found, form, status=422)


def access_page(found: Venue, form: AccessForm, *, status: int = 200) -> Page:
    known = known_of(found)
    return render_template(
        "spaces/desk/accessibility.html",
        page_id="desk",
        venue=found,
        form=form,
        groups=[(group_name(group), rows) for group, rows in form.groups()],
        sentences=sentence_rows(known),
        sources=access_section(known).sources,
        viewpoints=viewpoint_rows(known.suits),
    ), status
