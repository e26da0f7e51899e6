"""What the talk puts on lower pages: the timeline of a booking, and on my page what waits to be read."""

from flask import render_template, url_for
from sqlalchemy.orm import Session

from bookings.lifecycle.pages import place_text, time_text
from bookings.lifecycle.queries import BookedSpace
from bookings.talk.actions import note_read
from bookings.talk.forms import MessageForm, empty_form
from bookings.talk.policy import answers_at, side_of
from bookings.talk.present import timeline
from bookings.talk.queries import unread_bookings
from bookings.talk.rules import is_talked_about
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.web.request import current_actor, current_city

MOST_SHOWN = 20


def booking_panel(*, session: Session, booked: BookedSpace, form: MessageForm | None = None) -> str:
    """The `booking-talk` panel. Whoever sees it has read the other side's messages; nothing for those of neither side."""
    city, actor, at = current_city(), current_actor(), now()
    booking = booked.booking
    side = side_of(actor, booking, booked.venue)
    if side is None or booking.requested_at is None:
        return ""
    entries = timeline(session, city, booked, side=side, person_id=actor.person_id)
    if any(entry.is_new for entry in entries) and (side == "booker" or answers_at(actor, booked.venue)):
        note_read(session, booking, side=side, at=at)
    return render_template(
        "bookings/talk/_talk.html",
        entries=entries,
        form=form or empty_form(),
        writes=is_talked_about(requested_at=booking.requested_at, end=booking.span.end, at=at),
        asks=side == "owner" and booking.state == "awaiting_approval",
        is_asked=side == "booker" and booking.state == "awaiting_approval" and booking.asked_at is not None,
        owner=booked.owner.name,
        side=side,
        action=url_for("talk.write", reference=booking.reference),
    )


def my_panel() -> str:
    """The `my-bookings` panel: bookings with messages that nobody on the reader's side has seen."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        found = unread_bookings(session, actor, limit=MOST_SHOWN)
    rows = [
        (
            url_for("lifecycle.booking", reference=item.booking.reference, _anchor="talk"),
            place_text(item.space, item.venue),
            time_text(item.booking.span, city),
            item.organisation_name or item.person_name,
        )
        for item in found
    ]
    return render_template("bookings/talk/_my.html", rows=rows) if rows else ""
