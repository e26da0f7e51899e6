"""Pages of coming: for the booker at the door, for those who let people in, and for the owner's rule and poster."""

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bookings.attendance import actions, present
from bookings.attendance.errors import (
    CheckInOff,
    NotBegun,
    NotCheckInTime,
    NotThisDoor,
    SomebodyCame,
    TimeGivenAway,
)
from bookings.attendance.forms import ArrivalForm, AttendanceForm, SayingForm, attendance_form
from bookings.attendance.policy import works_at_a_door
from bookings.attendance.qr import qr_svg
from bookings.attendance.queries import (
    MOST_EXPECTED,
    attendance_of,
    booking_id_of_reference,
    booking_to_admit,
    expected_on,
    own_bookings_now,
    space_of_poster,
)
from bookings.attendance.tokens import booking_id_of
from bookings.lifecycle import pages
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.policy import may_decide
from bookings.lifecycle.queries import BookedSpace, booking_for, normal_reference
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.timespan import day_span
from marketplace.web.access import signed_in
from marketplace.web.i18n import localised
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.catalog.desk import desk_pages
from spaces.catalog.errors import NotYourVenue, SpaceNotFound
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import may_handle
from spaces.catalog.queries import space_for, space_managed_by

blueprint = page_blueprint("attendance", __name__)

Page = str | tuple[str, int] | Response
REFUSED = (IllegalTransition, NotBegun, NotCheckInTime, SomebodyCame, TimeGivenAway)


@blueprint.route("/check-in/<token>", methods=["GET", "POST"])
@signed_in
def arrive(token: str) -> Page:
    """The code at the door: who has a time here now says that they have come."""
    city, actor, at = current_city(), current_actor(), now()
    form = ArrivalForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                space, venue, _ = space_of_poster(session, city.id, token)
                booked = booking_for(session, actor, form.reference.data or "")
                actions.check_in_at(session, space, booked.booking, venue, actor=actor, at=at)
        except (IllegalTransition, NotCheckInTime, NotThisDoor) as refusal:
            flash(gettext(refusal.title), "error")
        return redirect(url_for("attendance.arrive", token=token), 303)
    with transaction() as session:
        space, venue, kept = space_of_poster(session, city.id, token)
        own = own_bookings_now(session, actor, at=at, space_id=space.id)
    return render_template(
        "bookings/attendance/arrive.html",
        room=pages.place_text(space, venue),
        rows=[present.arrival(item, city) for item in own],
        action=url_for("attendance.arrive", token=token),
        release_minutes=kept.release_minutes if kept.mode == "required" else None,
        my_url=url_for("my.bookings"),
        space_url=url_for("catalog.space", space_id=space.id),
    )


@blueprint.route("/desk/check-in/<token>", methods=["GET", "POST"])
@signed_in
def scan(token: str) -> Page:
    """The code on the booker's phone, read by somebody who lets people in."""
    city, actor, at = current_city(), current_actor(), now()
    booking_id = booking_id_of(token, city.id)
    form = SayingForm()
    if form.validate_on_submit():
        say(booking_id, form.says.data or "", at=at)
        return redirect(url_for("attendance.scan", token=token), 303)
    with transaction() as session:
        booked = booking_to_admit(session, actor, booking_id)
        return scan_page(session, booked, at=at, action=url_for("attendance.scan", token=token))


def scan_page(session: Session, booked: BookedSpace, *, at: datetime, action: str) -> str:
    city, actor = current_city(), current_actor()
    booking = booked.booking
    return render_template(
        "bookings/attendance/scan.html",
        booking=booking,
        room=pages.place_text(booked.space, booked.venue),
        when=pages.time_text(booking.span, city),
        whom=present.whom(actor, booked),
        status=present.status_of(booking, city),
        says=present.sayings(booking, at=at, handles=may_decide(actor, booked.venue)),
        why=present.why_not(booking, city, at=at),
        action=action,
        today_url=url_for("attendance.today"),
    )


def say(booking_id: int, what: str, *, at: datetime) -> None:
    """Do what a press at the door means; what is refused is told on the next page."""
    city, actor = current_city(), current_actor()
    try:
        with transaction() as session:
            booked = booking_to_admit(session, actor, booking_id)
            booking, venue = booked.booking, booked.venue
            if what == "here":
                actions.check_in(session, booking, venue, actor=actor, at=at)
            elif what == "not_here":
                actions.undo_check_in(session, booking, venue, actor=actor, at=at)
            elif what == "no_show":
                actions.mark_no_show(session, booking, venue, actor=actor, at=at)
            else:
                actions.undo_no_show(session, city, booking, venue, actor=actor, at=at)
    except REFUSED as refusal:
        flash(gettext(refusal.title), "error")


@blueprint.get("/desk/today")
@signed_in
def today() -> Page:
    """Who is expected today, who has come, and one press for each."""
    city, actor, at = current_city(), current_actor(), now()
    if not works_at_a_door(actor):
        raise NotYourVenue
    day = at.astimezone(city.zone).date()
    with transaction() as session:
        expected = expected_on(session, actor, day_span(day, city.zone))
    return render_template(
        "bookings/attendance/today.html",
        day=day,
        rows=[present.expected_row(item, actor, city, at=at) for item in expected],
        full=len(expected) == MOST_EXPECTED,
        timeline_url=url_for("timeline.day"),
    )


@blueprint.post("/desk/bookings/<reference>/attendance")
@signed_in
def note(reference: str) -> Page:
    """Somebody has come or not, from the list of the day or the booking's own page."""
    actor, at = current_actor(), now()
    form = SayingForm()
    with transaction() as session:
        booking_id = booking_id_of_reference(session, actor, normal_reference(reference) or "")
        booked = booking_to_admit(session, actor, booking_id)
    if form.validate_on_submit():
        say(booking_id, form.says.data or "", at=at)
    reference = booked.booking.reference
    if request.args.get("page") == "booking":
        return redirect(url_for("lifecycle.booking", reference=reference), 303)
    return redirect(url_for("attendance.today", _anchor=f"b-{reference}"), 303)


@blueprint.route("/desk/spaces/<int:space_id>/attendance", methods=["GET", "POST"])
@signed_in
def settings(space_id: int) -> Page:
    """The space's rule, and the way to its poster."""
    actor, at = current_actor(), now()
    if request.method == "GET":
        with transaction() as session:
            space, venue = space_managed_by(session, actor, space_id)
            return settings_page(session, space, venue, attendance_form(attendance_of(session, space)))
    form = AttendanceForm()
    valid = form.read()
    with transaction() as session:
        space, venue = space_managed_by(session, actor, space_id)
        if not valid:
            return settings_page(session, space, venue, form), 422
        changed = actions.set_attendance(
            session,
            space,
            venue,
            actor=actor,
            mode=form.mode.data,
            release_minutes=form.release_minutes.data or 0,
            at=at,
        )
    flash(gettext("Saved.") if changed else gettext("Nothing was changed."), "success" if changed else "info")
    return redirect(url_for("attendance.settings", space_id=space_id), 303)


def settings_page(session: Session, space: Space, venue: Venue, form: AttendanceForm) -> str:
    kept = attendance_of(session, space)
    return render_template(
        "bookings/attendance/settings.html",
        page_id="desk",
        desk_pages=desk_pages,
        space=space,
        venue=venue,
        form=form,
        is_on=kept.mode != "off",
        poster_url=url_for("attendance.poster", space_id=space.id),
        new_poster_url=url_for("attendance.new_poster", space_id=space.id),
        today_url=url_for("attendance.today"),
    )


@blueprint.get("/desk/spaces/<int:space_id>/poster")
@signed_in
def poster(space_id: int) -> Page:
    """One page of paper for the door, with the code that bookers read."""
    actor = current_actor()
    with transaction() as session:
        space, venue = space_for(session, space_id, actor=actor)
        if not may_handle(actor, venue):
            raise SpaceNotFound
        kept = attendance_of(session, space)
        if kept.mode == "off":
            flash(gettext("Turn check-in on first; then there is a poster to print."), "info")
            return redirect(url_for("attendance.settings", space_id=space_id), 303)
    address = url_for("attendance.arrive", token=kept.poster_token, _external=True)
    return render_template(
        "bookings/attendance/poster.html",
        room=localised(space.names),
        place=localised(venue.names),
        address=address,
        code=qr_svg(address),
        release_minutes=kept.release_minutes if kept.mode == "required" else None,
        back_url=url_for("attendance.settings", space_id=space_id),
    )


@blueprint.post("/desk/spaces/<int:space_id>/poster")
@signed_in
def new_poster(space_id: int) -> Page:
    """Another code for the door, when the old one has gone astray."""
    actor = current_actor()
    try:
        with transaction() as session:
            space, venue = space_managed_by(session, actor, space_id)
            actions.replace_poster(session, space, venue, actor=actor)
    except CheckInOff as refusal:
        flash(gettext(refusal.title), "error")
        return redirect(url_for("attendance.settings", space_id=space_id), 303)
    flash(gettext("The poster has a new code. Print it and take the old one down."), "success")
    return redirect(url_for("attendance.poster", space_id=space_id), 303)
