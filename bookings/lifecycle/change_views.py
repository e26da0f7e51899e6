"""The page on which a person changes a booking: choose a day and a length, see what each free time costs, press once."""

from datetime import date, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from bookings.lifecycle import pages, policy
from bookings.lifecycle.alternatives import Alternative, Sought, alternatives
from bookings.lifecycle.alternatives_present import NOTHING, Shown, shown
from bookings.lifecycle.change_actions import Change, change_booking, offered_changes
from bookings.lifecycle.errors import NotChangeable, TimeNotBookable, TimeUnreadable
from bookings.lifecycle.forms import ChangeForm, new_submission, read_day, read_instant, read_time, read_whole
from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.queries import BookedSpace, booking_for, neighbours_of
from bookings.lifecycle.views import Page, blueprint
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Invalid, Refusal
from marketplace.money import Money
from marketplace.timespan import Span, instant
from marketplace.web.access import signed_in
from marketplace.web.i18n import format_duration, format_hours, format_money, localised
from marketplace.web.problems import status_of
from marketplace.web.request import current_actor, current_city
from spaces.calendar.errors import SlotTaken
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space


@blueprint.route("/bookings/<reference>/change", methods=["GET", "POST"])
@signed_in
def change(reference: str) -> Page:
    """Another time, length, space or number of people; the difference in price is said beside each time."""
    city, actor, at = current_city(), current_actor(), now()
    form = ChangeForm(request.form if request.method == "POST" else request.args)
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        policy.require_may_cancel(actor, booked.booking)
    there = url_for("lifecycle.booking", reference=booked.booking.reference)
    if not pages.is_changeable(booked.booking, at):
        flash(gettext(NotChangeable.title), "error")
        return redirect(there, 303)
    if request.method == "GET":
        with transaction() as session:
            return change_page(session, booking_for(session, actor, reference), form)
    refusal: Refusal | None = None
    if form.validate_on_submit():
        try:
            with transaction() as session:
                booked = booking_for(session, actor, reference)
                wanted = wanted_change(session, booked, form)
                changed = change_booking(
                    session,
                    city,
                    booked.booking,
                    wanted,
                    actor=actor,
                    at=at,
                    submission=form.submission.data or new_submission(),
                    expected_total_minor=form.expected_total,
                )
        except (SlotTaken, TimeNotBookable, TimeUnreadable, Conflict, Forbidden) as refused:
            refusal = refused
        except Invalid as invalid:
            form.show(invalid)
        else:
            flash(changed_text(changed, booked.booking), "success")
            return redirect(url_for("lifecycle.booking", reference=changed.reference), 303)
    with transaction() as session:
        return change_page(session, booking_for(session, actor, reference), form, refusal=refusal)


def changed_text(changed: Booking, was: Booking) -> str:
    when = pages.time_text(changed.span, current_city())
    if changed.id != was.id:
        return gettext(
            "The owner is asked for %(time)s. Until the answer you keep the time you have.", time=when
        )
    return gettext("The booking is changed: %(time)s.", time=when)


def wanted_change(session: Session, booked: BookedSpace, form: ChangeForm) -> Change:
    """What the form asks for. Raises TimeUnreadable, SlotTaken."""
    space = chosen_space(neighbours_of(session, current_actor(), booked), booked.space, form)
    length = chosen_minutes(space, booked.booking, form)
    wished = read_time({"start": form.when.data or "", "minutes": str(length)}, now=now())
    if not space.whole_days:
        return Change(space, wished, form.people)
    # A day is as long as its opening, whatever it is.
    day = wished.start.astimezone(current_city().zone).date()
    for offer in offered_changes(
        session, current_city(), booked.booking, space, day, minutes=length, at=now()
    ):
        if offer.span.start == wished.start:
            return Change(space, offer.span, form.people)
    raise SlotTaken


def chosen_space(spaces: list[Space], own: Space, form: ChangeForm) -> Space:
    wanted = read_whole(form.space.data)
    return next((space for space in spaces if space.id == wanted), own)


def chosen_minutes(space: Space, booking: Booking, form: ChangeForm) -> int:
    """The asked length where the space sells it, else the booking's own or the nearest."""
    return booking_rules(space).fitting_minutes(read_whole(form.minutes.data) or booking.span.minutes)


def change_page(
    session: Session, booked: BookedSpace, form: ChangeForm, *, refusal: Refusal | None = None
) -> tuple[str, int]:
    city, at = current_city(), now()
    booking = booked.booking
    today = at.astimezone(city.zone).date()
    spaces = neighbours_of(session, current_actor(), booked)
    space = chosen_space(spaces, booked.space, form)
    day = read_day(form.day.data or "", today=today) or booking.span.start.astimezone(city.zone).date()
    minutes = chosen_minutes(space, booking, form)
    found = offered_changes(session, city, booking, space, day, minutes=minutes, at=at)
    if form.attendees.data is None or (request.method == "GET" and "attendees" not in request.args):
        form.attendees.data = str(booking.attendees or "")
    if not form.submission.data:
        form.submission.data = new_submission()
    chosen = read_instant(form.when.data or "") or booking.span.start
    times = [
        (
            offer.span.start.astimezone(city.zone).isoformat(),
            hours_text(offer.span, whole_days=space.whole_days),
            difference_text(offer.difference),
            gettext("The owner is asked; you keep your present time until the answer.")
            if offer.needs_approval
            else None,
            offer.span.start == chosen,
            offer.total.minor,
        )
        for offer in found
    ]
    form.total.data = " ".join(f"{start}={total}" for start, *_, total in times)
    status = 200
    if refusal is not None:
        status = status_of(type(refusal))
    elif request.method == "POST":
        status = 422
    html = render_template(
        "bookings/lifecycle/change.html",
        booking=booking,
        form=form,
        errors=form.all_errors() if request.method == "POST" else [],
        refusal=gettext(refusal.title) if refusal is not None else None,
        room=pages.place_text(booked.space, booked.venue),
        drawing=pages.drawing(booked.space),
        when=pages.time_text(booking.span, city, year=True),
        total=Money(booking.total_minor, booking.currency),
        day=day.isoformat(),
        day_text=pages.day_text(day),
        first_day=today.isoformat(),
        minutes=minutes,
        lengths=[(str(m), format_duration(m)) for m in booking_rules(space).lengths()]
        if not space.whole_days
        else [],
        spaces=[(str(one.id), localised(one.names)) for one in spaces] if len(spaces) > 1 else [],
        space=space,
        times=times,
        instead=changes_instead(session, booked, space, begins_on(day, chosen, minutes), form.people)
        if not times or isinstance(refusal, SlotTaken)
        else NOTHING,
        capacity=space.capacity,
        binding=binding_text(booking, at),
        here=url_for("lifecycle.change", reference=booking.reference),
        back_url=url_for("lifecycle.booking", reference=booking.reference),
    )
    return html, status


def begins_on(day: date, start: datetime, minutes: int) -> Span:
    """The time that begins on this day by the clock of `start`."""
    zone = current_city().zone
    begins = instant(day, start.astimezone(zone).time().replace(fold=0), zone)
    return Span(begins, begins + timedelta(minutes=minutes))


def changes_instead(
    session: Session, booked: BookedSpace, space: Space, wished: Span, people: int | None
) -> Shown:
    """Other days of the space, and other spaces of the place at the time; each leads to this page, which says the price."""
    city, booking = current_city(), booked.booking
    sought = Sought(
        space,
        booked.venue,
        wished,
        current_actor(),
        organisation_id=booking.organisation_id,
        people=people,
        but=booking.id,
        stays=True,
    )

    def link(one: Alternative) -> str:
        at = one.offer.span.start.astimezone(city.zone)
        return url_for(
            "lifecycle.change",
            reference=booking.reference,
            day=at.date().isoformat(),
            minutes=one.offer.span.minutes,
            space=one.space.id,
            when=at.isoformat(),
            _anchor="times",
        )

    found = alternatives(session, city, sought, at=now())
    return shown(found, city, day=wished.start.astimezone(city.zone).date(), link=link)


def binding_text(booking: Booking, at: datetime) -> str | None:
    """Said where a cheaper time no longer makes the price smaller."""
    if not booking.total_minor or at <= booking.cancel_free_until or booking.state != "confirmed":
        return None
    return gettext(
        "The time for free cancellation has passed, so the price does not get smaller by a change."
    )


def hours_text(span: Span, *, whole_days: bool) -> str:
    start, end = pages.local(span, current_city())
    return (
        gettext("The whole day, %(hours)s", hours=format_hours(start, end))
        if whole_days
        else format_hours(start, end)
    )


def difference_text(difference: Money) -> str:
    """+€10, −€5 or the same price."""
    if not difference:
        return gettext("the same price")
    if difference.minor > 0:
        return gettext("%(price)s more", price=format_money(difference))
    return gettext("%(price)s less", price=format_money(-difference))
