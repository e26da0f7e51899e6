"""The desk's pages of one listing: facts, state, moments, copies, history; and the city's approvals."""

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.web.access import signed_in, staff
from marketplace.web.i18n import format_span, gettext, localised
from marketplace.web.request import current_actor, current_city
from spaces.calendar.actions import compile_spaces
from spaces.calendar.unit_actions import Held, UnitInUse, cover_units
from spaces.catalog import listing_actions as actions
from spaces.catalog.desk import blueprint, desk_pages
from spaces.catalog.desk_forms import (
    STATE_LABELS,
    DeskForm,
    ReturnForm,
    ScheduleForm,
    SpaceForm,
    StateForm,
)
from spaces.catalog.desk_history import change_rows
from spaces.catalog.desk_queries import (
    changes_of,
    covered_units,
    owner_of,
    return_reason,
    submitted_listing,
    submitted_listings,
    units_of_venue,
)
from spaces.catalog.desk_views import STATE_KINDS, Page
from spaces.catalog.errors import LastUnit
from spaces.catalog.missing import missing_parts
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import space_managed_by
from spaces.catalog.rules import STATES

# What its owner can do with a listing in each state: the state that follows, and the button's kind.
STEPS: dict[str, tuple[str, ...]] = {
    "draft": ("published", "archived"),
    "submitted": ("draft", "archived"),
    "published": ("hidden", "archived"),
    "hidden": ("published", "archived"),
    "archived": ("draft",),
}


def step_name(before: str, after: str) -> str:
    """The button's words."""
    names = {
        ("submitted", "draft"): gettext("Take back"),
        ("archived", "draft"): gettext("Restore as a draft"),
        ("draft", "submitted"): gettext("Send for approval"),
    }
    plain: dict[str, str] = {
        "published": gettext("Publish"),
        "hidden": gettext("Hide"),
        "archived": gettext("Archive"),
    }
    return str(names.get((before, after)) or plain[after])


def steps_of(session: Session, space: Space, venue: Venue) -> list[tuple[str, str]]:
    """(state, button) of what can be done now. A supplier's first listing goes to the city instead of the list."""
    may_publish = current_actor().is_staff or actions.owner_publishes(session, venue)
    states = [
        "submitted" if state == "published" and space.state == "draft" and not may_publish else state
        for state in STEPS[space.state]
    ]
    return [(state, step_name(space.state, state)) for state in states]


@blueprint.route("/desk/spaces/<int:space_id>", methods=["GET", "POST"])
@signed_in
def space(space_id: int) -> Page:
    """Facts of one space."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        found, venue = space_managed_by(session, actor, space_id)
        form = space_form(session, found, venue)
        if not form.is_submitted():
            form.fill(found, covered_units(session, venue).get(found.id, ()))
            return space_page(session, found, venue, form)
        if not form.validate():
            return space_page(session, found, venue, form, status=422)
    held: Sequence[Held] = ()
    try:
        with transaction() as session:
            found, venue = space_managed_by(session, actor, space_id)
            changed = actions.change_space(session, found, venue, form.space_facts(found), actor=actor)
            units = form.units.data or []
            moved = cover_units(session, city, found, venue, units, actor=actor, at=now())
    except Invalid as refusal:
        form.show(refusal)
    except LastUnit as refusal:
        form.units.errors = [*form.units.errors, gettext(refusal.title)]
    except UnitInUse as refusal:
        form.units.errors = [*form.units.errors, gettext(refusal.title)]
        held = refusal.held
    else:
        flash(gettext("Saved.") if changed or moved else gettext("Nothing was different."), "success")
        return redirect(url_for("desk.space", space_id=space_id), 303)
    with transaction() as session:
        found, venue = space_managed_by(session, actor, space_id)
        return space_page(session, found, venue, form, status=422, held=held)


def space_form(session: Session, found: Space, venue: Venue) -> SpaceForm:
    units = [(unit.id, unit_text(unit.names, unit.lanes)) for unit in units_of_venue(session, venue)]
    return SpaceForm(space=found, units=units)


def unit_text(names: dict[str, str], lanes: int) -> str:
    name = localised(names) or gettext("Nameless part")
    return gettext("%(name)s, %(lanes)d at once", name=name, lanes=lanes) if lanes > 1 else name


def held_texts(held: Sequence[Held]) -> list[str]:
    """The times that stand in the way, in the city's zone."""
    zone = current_city().zone
    return [
        f"{format_span(one.span.start.astimezone(zone), one.span.end.astimezone(zone), year=True)}, {localised(one.names)}"
        for one in held
    ]


def space_page(
    session: Session,
    found: Space,
    venue: Venue,
    form: SpaceForm,
    *,
    status: int = 200,
    held: Sequence[Held] = (),
    schedule: ScheduleForm | None = None,
) -> Page:
    city = current_city()
    return render_template(
        "spaces/desk/space.html",
        page_id="desk",
        space=found,
        venue=venue,
        desk_pages=desk_pages,
        form=form,
        schedule=schedule or ScheduleForm.of(found, city.zone),
        copy_form=DeskForm(formdata=None),
        held=held_texts(held),
        steps=steps_of(session, found, venue),
        state_label=STATE_LABELS[found.state],
        state_kind=STATE_KINDS.get(found.state, "neutral"),
        missing=missing_parts(session, city, found, today=now().astimezone(city.zone).date()),
        reason=return_reason(session, found) if found.state == "draft" else None,
        is_private=not actions.owner_publishes(session, venue),
        languages_of_city=city.languages,
    ), status


@blueprint.post("/desk/spaces/<int:space_id>/state")
@signed_in
def state(space_id: int) -> Response:
    """Let another state follow the present one."""
    form = StateForm()
    asked = form.state.data
    if not form.validate() or asked not in STATES:
        raise NotFound
    try:
        with transaction() as session:
            found, venue = space_managed_by(session, current_actor(), space_id)
            actions.move_listing(session, found, venue, asked, actor=current_actor(), at=now())
    except (Conflict, Forbidden) as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(moved_text(asked), "success")
    return redirect(url_for("desk.space", space_id=space_id), 303)


def moved_text(state: str) -> str:
    texts: dict[str, str] = {
        "published": gettext("The space is on the list now."),
        "submitted": gettext("The city looks at the listing. You get a mail when it is answered."),
        "hidden": gettext("The space is hidden. Bookings that are there stay."),
        "archived": gettext("The space is archived. Bookings that are there stay."),
        "draft": gettext("The space is a draft again."),
    }
    return texts[state]


@blueprint.post("/desk/spaces/<int:space_id>/schedule")
@signed_in
def schedule(space_id: int) -> Page:
    """The moments when the clock publishes and hides."""
    city, actor = current_city(), current_actor()
    form = ScheduleForm()
    if form.validate():
        try:
            with transaction() as session:
                found, venue = space_managed_by(session, actor, space_id)
                actions.schedule_listing(
                    session,
                    found,
                    venue,
                    publish_at=form.moment("publish", city.zone),
                    hide_at=form.moment("hide", city.zone),
                    actor=actor,
                    at=now(),
                )
        except Invalid as refusal:
            form.show(refusal)
        except Conflict as conflict:
            flash(gettext(conflict.title), "error")
            return redirect(url_for("desk.space", space_id=space_id), 303)
        else:
            flash(gettext("Saved."), "success")
            return redirect(url_for("desk.space", space_id=space_id), 303)
    with transaction() as session:
        found, venue = space_managed_by(session, actor, space_id)
        facts = SpaceForm(
            formdata=None,
            space=found,
            units=[(unit.id, unit_text(unit.names, unit.lanes)) for unit in units_of_venue(session, venue)],
        )
        facts.fill(found, covered_units(session, venue).get(found.id, ()))
        return space_page(session, found, venue, facts, status=422, schedule=form)


@blueprint.post("/desk/spaces/<int:space_id>/copies")
@signed_in
def copy(space_id: int) -> Response:
    """A draft with the same facts, hours and prices."""
    city, form = current_city(), DeskForm()
    if not form.validate():
        raise NotFound
    with transaction() as session:
        found, venue = space_managed_by(session, current_actor(), space_id)
        made = actions.copy_space(
            session, found, venue, actor=current_actor(), submission=form.submission.data or ""
        )
        compile_spaces(session, city, [made.id])
    flash(gettext("This is the copy, a draft. Give it its own name."), "success")
    return redirect(url_for("desk.space", space_id=made.id), 303)


@blueprint.get("/desk/spaces/<int:space_id>/history")
@signed_in
def history(space_id: int) -> str:
    """Who changed what, from what to what."""
    with transaction() as session:
        found, venue = space_managed_by(session, current_actor(), space_id)
        changes = changes_of(session, found)
    return render_template(
        "spaces/desk/history.html",
        page_id="desk",
        space=found,
        venue=venue,
        desk_pages=desk_pages,
        changes=change_rows(changes, current_city()),
    )


@blueprint.get("/desk/approvals")
@staff
def approvals() -> Page:
    """Listings of new suppliers that wait for the city."""
    return approvals_page({})


def approvals_page(forms: dict[int, ReturnForm], status: int = 200) -> Page:
    city = current_city()
    with transaction() as session:
        waiting = submitted_listings(session, city.id)
    return render_template(
        "spaces/desk/approvals.html",
        page_id="desk",
        waiting=waiting,
        forms={row.space.id: forms.get(row.space.id) or return_form(row.space.id) for row in waiting},
        zone=city.zone,
    ), status


def return_form(space_id: int, **kwargs: Any) -> ReturnForm:
    return ReturnForm(prefix=f"space{space_id}-", **kwargs)


@blueprint.post("/desk/spaces/<int:space_id>/approval")
@staff
def approve(space_id: int) -> Response:
    actor = current_actor()
    try:
        with transaction() as session:
            found, venue = submitted_listing(session, actor, space_id)
            actions.approve_listing(session, found, venue, actor=actor, at=now())
    except Conflict as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(gettext("%(name)s is on the list now.", name=localised(found.names)), "success")
    return redirect(url_for("desk.approvals"), 303)


@blueprint.post("/desk/spaces/<int:space_id>/return")
@staff
def give_back(space_id: int) -> Page:
    actor = current_actor()
    form = return_form(space_id)
    try:
        if not form.validate():
            return approvals_page({space_id: form}, 422)
        with transaction() as session:
            found, venue = submitted_listing(session, actor, space_id)
            owner = owner_of(session, venue)
            actions.return_listing(
                session, found, venue, reason=form.reason.data or "", actor=actor, at=now()
            )
    except Invalid as invalid:
        form.show(invalid)
        return approvals_page({space_id: form}, 422)
    except Conflict as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(gettext("%(owner)s reads your reason in a mail.", owner=owner.name), "success")
    return redirect(url_for("desk.approvals"), 303)
