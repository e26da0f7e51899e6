"""The desk's page of one place: its facts, its parts, and who does what there."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Invalid, NotFound
from marketplace.web.access import signed_in
from marketplace.web.forms import Form
from marketplace.web.i18n import gettext, localised
from marketplace.web.limits import limit
from marketplace.web.request import current_actor, current_city
from spaces.calendar.unit_actions import Held, UnitInUse, add_unit, change_unit, remove_unit
from spaces.catalog import policy, role_actions
from spaces.catalog.desk import blueprint
from spaces.catalog.desk_forms import ROLE_LABELS, STATE_LABELS, RoleForm, StateForm, UnitForm, VenueForm
from spaces.catalog.desk_queries import (
    covered_units,
    owner_of,
    people_at,
    spaces_of_venue,
    unit_of_venue,
    units_of_venue,
    venue_managed_by,
    venue_with_roles_for,
)
from spaces.catalog.desk_views import Page
from spaces.catalog.errors import RoleGone
from spaces.catalog.listing_actions import change_venue
from spaces.catalog.listing_views import held_texts
from spaces.catalog.models import Unit, Venue

# Who gives roles tries addresses; nobody has this many colleagues to add in an hour.
ROLES_PER_HOUR = 60

Done = TypeVar("Done")


@blueprint.route("/desk/venues/<int:venue_id>", methods=["GET", "POST"])
@signed_in
def venue(venue_id: int) -> Page:
    """Facts, parts and people of a place."""
    city, actor = current_city(), current_actor()
    form = VenueForm()
    with transaction() as session:
        found = venue_managed_by(session, actor, venue_id)
        if not form.is_submitted():
            form.fill(found)
            return venue_page(session, found, form)

    def change(session: Session) -> bool:
        found = venue_managed_by(session, actor, venue_id)
        return bool(change_venue(session, city, found, form.venue_facts(found), actor=actor))

    changed = sent(form, change)
    if changed is not None:
        flash(gettext("Saved.") if changed else gettext("Nothing was different."), "success")
        return redirect(url_for("desk.venue", venue_id=venue_id), 303)
    with transaction() as session:
        return venue_page(session, venue_managed_by(session, actor, venue_id), form, status=422)


def sent(
    form: Form, act: Callable[[Session], Done], *, before: Callable[[], None] | None = None
) -> Done | None:
    """What the act says when the form is right and the act agrees; None where the form says what is wrong. `before` runs
    for a right form, outside the act's transaction."""
    if not form.validate():
        return None
    if before is not None:
        before()
    try:
        with transaction() as session:
            return act(session)
    except Invalid as refusal:
        form.show(refusal)
        return None


def venue_page(
    session: Session,
    found: Venue,
    form: VenueForm | None = None,
    *,
    status: int = 200,
    new_unit: UnitForm | None = None,
    unit_form: UnitForm | None = None,
    role_form: RoleForm | None = None,
    held: Sequence[Held] = (),
) -> Page:
    """One page with several forms; the refused one is handed in with its messages."""
    if form is None:
        form = VenueForm(formdata=None)
        form.fill(found)
    covered = covered_units(session, found)
    spaces = spaces_of_venue(session, found)
    gives_roles = policy.may_give_roles(current_actor(), found)
    units = [
        {
            "id": unit.id,
            "name": localised(unit.names) or gettext("Nameless part"),
            "lanes": unit.lanes,
            "spaces": [localised(s.names) for s in spaces if unit.id in covered.get(s.id, ())],
            "form": unit_form
            if unit_form and unit_form.names_fi.name.startswith(f"unit{unit.id}-")
            else UnitForm.of(unit),
        }
        for unit in units_of_venue(session, found)
    ]
    return render_template(
        "spaces/desk/venue.html",
        page_id="desk",
        venue=found,
        owner=owner_of(session, found),
        form=form,
        spaces=spaces,
        units=units,
        new_unit=new_unit or UnitForm(formdata=None),
        held=held_texts(held),
        gives_roles=gives_roles,
        people=people_at(session, found) if gives_roles else [],
        role_form=role_form or RoleForm(formdata=None),
        role_labels=ROLE_LABELS,
        state_label=STATE_LABELS.__getitem__,
        languages_of_city=current_city().languages,
    ), status


@blueprint.post("/desk/venues/<int:venue_id>/units")
@signed_in
def new_unit(venue_id: int) -> Page:
    """One more part."""
    actor, form = current_actor(), UnitForm()

    def add(session: Session) -> Unit:
        found = venue_managed_by(session, actor, venue_id)
        names, lanes, submission = form.texts(), form.lanes.data or 0, form.submission.data or ""
        return add_unit(session, found, names=names, lanes=lanes, submission=submission, actor=actor)

    if sent(form, add) is not None:
        flash(gettext("The part was added. Choose on its space's page who covers it."), "success")
        return redirect(url_for("desk.venue", venue_id=venue_id, _anchor="units"), 303)
    with transaction() as session:
        return venue_page(session, venue_managed_by(session, actor, venue_id), status=422, new_unit=form)


@blueprint.post("/desk/venues/<int:venue_id>/units/<int:unit_id>")
@signed_in
def unit(venue_id: int, unit_id: int) -> Page:
    """Rename a part, or let more or fewer parties share it."""
    city, actor = current_city(), current_actor()
    form = UnitForm(prefix=f"unit{unit_id}-")
    held: Sequence[Held] = ()

    def change(session: Session) -> bool:
        found = venue_managed_by(session, actor, venue_id)
        names, lanes = form.texts(unit_of_venue(session, found, unit_id).names), form.lanes.data or 0
        change_unit(session, city, found, unit_id, names=names, lanes=lanes, actor=actor, at=now())
        return True

    try:
        if sent(form, change):
            flash(gettext("Saved."), "success")
            return redirect(url_for("desk.venue", venue_id=venue_id, _anchor="units"), 303)
    except UnitInUse as in_use:
        held = in_use.held
        form.lanes.errors = [*form.lanes.errors, gettext(in_use.title)]
    with transaction() as session:
        found = venue_managed_by(session, actor, venue_id)
        unit_of_venue(session, found, unit_id)
        return venue_page(session, found, status=409 if held else 422, unit_form=form, held=held)


@blueprint.post("/desk/venues/<int:venue_id>/units/<int:unit_id>/removal")
@signed_in
def unit_removal(venue_id: int, unit_id: int) -> Page:
    """Take a part away, unless it is taken later or a space covers nothing else."""
    city, actor = current_city(), current_actor()
    if not StateForm().validate():
        raise NotFound
    try:
        with transaction() as session:
            found = venue_managed_by(session, actor, venue_id)
            remove_unit(session, city, found, unit_id, actor=actor, at=now())
    except UnitInUse as in_use:
        flash(gettext(in_use.title), "error")
        with transaction() as session:
            return venue_page(
                session, venue_managed_by(session, actor, venue_id), status=409, held=in_use.held
            )
    except Conflict as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(gettext("The part was removed."), "success")
    return redirect(url_for("desk.venue", venue_id=venue_id, _anchor="units"), 303)


@blueprint.post("/desk/venues/<int:venue_id>/roles")
@signed_in
def new_role(venue_id: int) -> Page:
    """Give a person a role here."""
    actor, form = current_actor(), RoleForm()

    def count() -> None:
        limit(f"venue-roles:{actor.city_id}:{actor.person_id}", times=ROLES_PER_HOUR, per=timedelta(hours=1))

    def give(session: Session) -> bool:
        found = venue_with_roles_for(session, actor, venue_id)
        role_actions.give_role(session, found, email=form.email.data or "", role=form.role.data, actor=actor)
        return True

    if sent(form, give, before=count):
        flash(gettext("The role was given."), "success")
        return redirect(url_for("desk.venue", venue_id=venue_id, _anchor="people"), 303)
    with transaction() as session:
        return venue_page(session, venue_with_roles_for(session, actor, venue_id), status=422, role_form=form)


@blueprint.post("/desk/venues/<int:venue_id>/roles/<int:role_id>/withdrawal")
@signed_in
def role_withdrawal(venue_id: int, role_id: int) -> Response:
    """Take a role back."""
    actor = current_actor()
    try:
        with transaction() as session:
            found = venue_with_roles_for(session, actor, venue_id)
            role_actions.take_role(session, found, role_id, actor=actor)
    except RoleGone as refusal:  # pressed twice: the first press has done it
        flash(gettext(refusal.title), "alert")
    else:
        flash(gettext("The role was taken back."), "success")
    return redirect(url_for("desk.venue", venue_id=venue_id, _anchor="people"), 303)
