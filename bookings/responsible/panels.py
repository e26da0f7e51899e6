"""What the people of a booking put on its page."""

from flask import render_template, url_for
from sqlalchemy.orm import Session

from bookings.lifecycle import policy
from bookings.lifecycle.queries import BookedSpace
from bookings.lifecycle.rules import OPEN
from bookings.responsible.queries import people_of
from marketplace.clock import now
from marketplace.web.request import current_actor
from spaces.catalog.policy import may_handle


def booking_panel(*, session: Session, booked: BookedSpace) -> str:
    """The `booking-side` panel: who else is responsible, for the booker's side and those who handle the place."""
    actor, booking = current_actor(), booked.booking
    chooses, is_one = policy.may_cancel(actor, booking), policy.is_responsible(actor, booking)
    if booking.requested_at is None or not (chooses or is_one or may_handle(actor, booked.venue)):
        return ""
    people = people_of(session, booking)
    adds = chooses and booking.state in OPEN and booking.span.end > now()
    if not people and not adds:
        return ""
    return render_template(
        "bookings/responsible/_booking.html",
        labels=[one.label for one in people],
        page_url=url_for("responsible.page", reference=booking.reference)
        if adds or (chooses and people)
        else None,
        leave_url=url_for("responsible.remove", reference=booking.reference, person_id=actor.person_id)
        if is_one and not chooses
        else None,
    )
