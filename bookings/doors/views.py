"""The owner's page of a door: how it opens, the list of codes, and asking a lock again."""

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bookings.doors import actions
from bookings.doors.errors import NothingToRetry
from bookings.doors.forms import CodesForm, DoorForm, door_form
from bookings.doors.locks import provider_names
from bookings.doors.models import DoorCode
from bookings.doors.queries import codes_of, door_of
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.queries import booking_for
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid
from marketplace.web.access import signed_in
from marketplace.web.i18n import format_day, ngettext
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.catalog.desk import desk_pages
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import space_managed_by

blueprint = page_blueprint("doors", __name__)

Page = str | tuple[str, int] | Response


@blueprint.route("/desk/spaces/<int:space_id>/door", methods=["GET", "POST"])
@signed_in
def page(space_id: int) -> Page:
    """How the door opens; the list of codes below it."""
    actor = current_actor()
    if request.method == "GET":
        with transaction() as session:
            space, venue = space_managed_by(session, actor, space_id)
            return door_page(session, space, venue)
    form = DoorForm(providers=provider_names())
    valid = form.read()
    try:
        with transaction() as session:
            space, venue = space_managed_by(session, actor, space_id)
            if not valid:
                return door_page(session, space, venue, form=form), 422
            changed = actions.set_door(
                session,
                space,
                venue,
                actor=actor,
                method=form.way.data,
                provider=form.provider.data,
                texts=form.texts,
                minutes_before=form.minutes_before.data or 0,
                choice=form.choice.data,
            )
    except Invalid as refusal:
        form.show(refusal)
        with transaction() as session:
            space, venue = space_managed_by(session, actor, space_id)
            return door_page(session, space, venue, form=form), 422
    flash(gettext("Saved.") if changed else gettext("Nothing was changed."), "success" if changed else "info")
    return redirect(url_for("doors.page", space_id=space_id), 303)


@blueprint.post("/desk/spaces/<int:space_id>/door/codes")
@signed_in
def codes(space_id: int) -> Page:
    """New codes for the list."""
    actor, at = current_actor(), now()
    form = CodesForm()
    valid = form.read()
    try:
        with transaction() as session:
            space, venue = space_managed_by(session, actor, space_id)
            written = actions.read_codes(form.codes.data or "")
            if not valid or form.valid_from.data is None:
                return door_page(session, space, venue, codes_form=form), 422
            added = actions.add_codes(
                session,
                space,
                venue,
                actor=actor,
                codes=written,
                valid_from=form.valid_from.data,
                valid_to=form.valid_to.data,
                at=at,
            )
    except Invalid as refusal:
        form.show(refusal)
        with transaction() as session:
            space, venue = space_managed_by(session, actor, space_id)
            return door_page(session, space, venue, codes_form=form), 422
    flash(ngettext("%(num)d code is on the list.", "%(num)d codes are on the list.", added), "success")
    return redirect(url_for("doors.page", space_id=space_id, _anchor="code-list"), 303)


@blueprint.post("/desk/spaces/<int:space_id>/door/codes/<int:code_id>/removal")
@signed_in
def remove_code(space_id: int, code_id: int) -> Page:
    """A code comes off the list."""
    actor, at = current_actor(), now()
    with transaction() as session:
        space, venue = space_managed_by(session, actor, space_id)
        actions.remove_code(session, space, venue, code_id, actor=actor, at=at)
    flash(gettext("The code is off the list. Bookings that had it get another one."), "success")
    return redirect(url_for("doors.page", space_id=space_id, _anchor="code-list"), 303)


@blueprint.post("/desk/bookings/<reference>/door-code")
@signed_in
def retry(reference: str) -> Page:
    """A handler has the lock asked again."""
    actor, at = current_actor(), now()
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            actions.try_again(session, booked.booking, booked.venue, actor=actor, at=at)
    except NothingToRetry as refusal:
        flash(gettext(refusal.title), "info")
    else:
        flash(gettext("The lock is being asked again. Open this page anew in a moment."), "info")
    return redirect(url_for("lifecycle.booking", reference=reference), 303)


def door_page(
    session: Session,
    space: Space,
    venue: Venue,
    *,
    form: DoorForm | None = None,
    codes_form: CodesForm | None = None,
) -> str:
    today = now().astimezone(current_city().zone).date()
    door = door_of(session, space)
    names = provider_names()
    if codes_form is None:
        codes_form = CodesForm(formdata=None)
        codes_form.valid_from.data = today
    form = form or door_form(door, names)
    return render_template(
        "bookings/doors/page.html",
        page_id="desk",
        desk_pages=desk_pages,
        space=space,
        venue=venue,
        form=form,
        codes_form=codes_form,
        errors=[*form.all_errors(), *codes_form.all_errors()],
        shows_codes=door.method == "code" and door.provider == "static",
        has_choice_of_locks=len(names) > 1,
        rows=[
            (code.id, code.secret or "", period_text(code), code.valid_from <= today)
            for code in codes_of(session, space, from_day=today)
        ],
    )


def period_text(code: DoorCode) -> str:
    first = format_day(code.valid_from, year=True)
    if code.valid_to is None:
        return gettext("from %(day)s on", day=first)
    if code.valid_to == code.valid_from:
        return first
    return gettext("%(first)s to %(last)s", first=first, last=format_day(code.valid_to, year=True))
