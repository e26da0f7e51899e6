"""The page of the people of a booking: who they are, adding and removing."""

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from bookings.lifecycle import pages, policy
from bookings.lifecycle.forms import PlainForm
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.queries import booking_for
from bookings.responsible import actions
from bookings.responsible.errors import NoRightToAdd, PersonGone
from bookings.responsible.forms import PersonForm
from bookings.responsible.queries import addable_members, people_of
from bookings.responsible.rules import ADDED_PER_HOUR, HOUR, MOST_PEOPLE
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Invalid, Refusal, TooMany
from marketplace.web.access import signed_in
from marketplace.web.limits import limit
from marketplace.web.problems import status_of
from marketplace.web.request import current_actor, current_city, page_blueprint

blueprint = page_blueprint("responsible", __name__)

Page = str | tuple[str, int] | Response
LARGEST_ID = 2**63 - 1


@blueprint.get("/bookings/<reference>/people")
@signed_in
def page(reference: str) -> Page:
    """Who is responsible beside the one who booked."""
    return people_page(reference, PersonForm(formdata=None))


@blueprint.post("/bookings/<reference>/people")
@signed_in
def add(reference: str) -> Page:
    """One more."""
    actor, form = current_actor(), PersonForm()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
    if not policy.may_cancel(actor, booked.booking):
        raise NoRightToAdd
    if not form.validate_on_submit():
        return people_page(reference, form, status=422)
    try:
        # An address tells whether it has an account here, so nobody asks about many.
        limit(f"responsible:{actor.city_id}:{actor.person_id}", times=ADDED_PER_HOUR, per=HOUR)
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            actions.add_person(
                session, booked.booking, actor=actor, at=now(), email=form.address, member_id=form.member_id
            )
    except Invalid as invalid:
        form.show(invalid)
        return people_page(reference, form, status=422)
    except (Conflict, TooMany) as refusal:
        return people_page(reference, form, refusal=refusal, status=status_of(type(refusal)))
    flash(gettext("Added. The person gets a mail."), "success")
    return redirect(url_for("responsible.page", reference=booked.booking.reference), 303)


@blueprint.post("/bookings/<reference>/people/<int:person_id>/removal")
@signed_in
def remove(reference: str, person_id: int) -> Page:
    """One fewer; whoever takes themselves off no longer sees the booking."""
    actor = current_actor()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
    there = url_for("responsible.page", reference=booked.booking.reference)
    if not PlainForm().validate_on_submit() or person_id > LARGEST_ID:
        return redirect(there, 303)
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            actions.remove_person(session, booked.booking, person_id, actor=actor)
    except PersonGone as refusal:
        flash(gettext(refusal.title), "info")
    else:
        flash(gettext("Removed."), "success")
    if policy.may_cancel(actor, booked.booking):
        return redirect(there, 303)
    return redirect(url_for("my.bookings"), 303)


def people_page(
    reference: str, form: PersonForm, *, refusal: Refusal | None = None, status: int = 200
) -> Page:
    city, actor = current_city(), current_actor()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        if not policy.may_cancel(actor, booked.booking):
            raise NoRightToAdd
        people = people_of(session, booked.booking)
        members = addable_members(session, booked.booking, booked.organisation)
    html = render_template(
        "bookings/responsible/page.html",
        booking=booked.booking,
        room=pages.place_text(booked.space, booked.venue),
        when=pages.time_text(booked.booking.span, city, year=True),
        people=people,
        members=[("", gettext("Choose a member")), *((str(id_), name) for id_, name in members)]
        if members
        else [],
        is_full=len(people) >= MOST_PEOPLE,
        form=form,
        errors=form.all_errors(),
        refusal=gettext(refusal.title) if refusal is not None else None,
        back_url=url_for("lifecycle.booking", reference=booked.booking.reference),
    )
    return html, status
