"""Writing a message about a booking."""

from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from bookings.lifecycle import pages
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.queries import booking_for
from bookings.talk.actions import write_message
from bookings.talk.errors import NoRightToWrite
from bookings.talk.forms import MessageForm
from bookings.talk.panels import booking_panel
from bookings.talk.policy import side_of
from bookings.talk.rules import HOUR, MESSAGES_PER_HOUR
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Invalid, Refusal, TooMany
from marketplace.web.access import signed_in
from marketplace.web.limits import limit
from marketplace.web.problems import status_of
from marketplace.web.request import current_actor, current_city, page_blueprint

blueprint = page_blueprint("talk", __name__)

Page = str | tuple[str, int, dict[str, str]] | Response


@blueprint.route("/bookings/<reference>/messages", methods=["GET", "POST"])
@signed_in
def write(reference: str) -> Page:
    """Send a message to the other side. The messages themselves are read on the booking's page."""
    actor = current_actor()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
    if side_of(actor, booked.booking, booked.venue) is None:
        raise NoRightToWrite
    there = url_for("lifecycle.booking", reference=booked.booking.reference, _anchor="talk")
    if request.method == "GET":
        return redirect(there, 303)
    form = MessageForm()
    refusal: Refusal | None = None
    if form.validate_on_submit():
        try:
            limit(f"message:{actor.city_id}:{actor.person_id}", times=MESSAGES_PER_HOUR, per=HOUR)
            with transaction() as session:
                booked = booking_for(session, actor, reference)
                write_message(
                    session,
                    booked.booking,
                    booked.venue,
                    actor=actor,
                    text=form.text.data or "",
                    is_question=bool(form.question.data),
                    submission=form.submission.data or "",
                    at=now(),
                )
        except Invalid as invalid:
            form.show(invalid)
        except (Conflict, Forbidden, TooMany) as refused:
            refusal = refused
        else:
            flash(gettext("Your message is sent."), "success")
            return redirect(there, 303)
    return refused_page(reference, form, refusal)


def refused_page(reference: str, form: MessageForm, refusal: Refusal | None) -> Page:
    """The timeline with what was typed, and why it could not be sent."""
    city = current_city()
    with transaction() as session:
        booked = booking_for(session, current_actor(), reference)
        html = render_template(
            "bookings/talk/write.html",
            talk=Markup(booking_panel(session=session, booked=booked, form=form)),  # noqa: S704 - a rendered template
            room=pages.place_text(booked.space, booked.venue),
            when=pages.time_text(booked.booking.span, city, year=True),
            errors=form.all_errors(),
            refusal=gettext(refusal.title) if refusal is not None else None,
            back_url=url_for("lifecycle.booking", reference=booked.booking.reference),
        )
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) else {}
    return html, status_of(type(refusal)) if refusal is not None else 422, headers
