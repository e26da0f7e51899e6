"""What doors put on lower pages: the code on a booking's page and on my page, trouble on the desk, a line in a mail.

The secret itself stands in two templates only, and neither is a mail's.
"""

from flask import render_template, url_for
from sqlalchemy.orm import Session

from bookings.doors.models import AccessGrant
from bookings.doors.policy import may_open
from bookings.doors.queries import door_of, grant_of, open_doors, without_code
from bookings.doors.rules import ADMITTED, is_shown, shown_span
from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import gettext, instant_text, place_text, time_text
from bookings.lifecycle.queries import BookedSpace
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.web.i18n import localised
from marketplace.web.request import current_actor, current_city
from spaces.catalog.models import Space
from spaces.catalog.policy import may_handle


def grant_text(grant: AccessGrant | None) -> tuple[str, str] | None:
    """(kind of label, text) for those who handle the booking; the code itself is not theirs to read here."""
    if grant is None or grant.state == "pending":
        return "info", gettext("The door code is being made.")
    if grant.state == "ready":
        return "success", gettext("The booker has a door code.")
    if grant.state == "failed":
        return "error", gettext("The lock did not answer. Tell the booker a code by phone.")
    return None


def booking_panel(*, session: Session, booked: BookedSpace) -> str:
    """The `booking-side` panel."""
    city, actor, at = current_city(), current_actor(), now()
    booking = booked.booking
    door = door_of(session, booked.space)
    if door.method == "none" or booking.state not in ADMITTED or booking.span.end <= at:
        return ""
    opens, handles = may_open(actor, booking), may_handle(actor, booked.venue)
    if not opens and not handles:
        return ""
    grant = grant_of(session, booking) if door.method == "code" else None
    shown = opens and is_shown(booking.span, door.minutes_before, at)
    return render_template(
        "bookings/doors/_booking.html",
        method=door.method,
        opens=opens,
        shown=shown,
        secret=grant.secret if shown and grant is not None and grant.state == "ready" else None,
        failed=grant is not None and grant.state == "failed",
        text=localised(door.texts) if shown else "",
        from_time=instant_text(shown_span(booking.span, door.minutes_before).start, city),
        phone=booked.venue.phone,
        handlers_text=grant_text(grant) if handles and door.method == "code" else None,
        retry_url=url_for("doors.retry", reference=booking.reference)
        if handles and grant is not None and grant.state == "failed"
        else None,
    )


def my_panel() -> str:
    """The `my-bookings` panel: the doors that the reader may open at this moment."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        found = [door for door in open_doors(session, actor, at=at) if may_open(actor, door.listed.booking)]
    rows = [
        {
            "room": place_text(door.listed.space, door.listed.venue),
            "when": time_text(door.listed.booking.span, city),
            "url": url_for("lifecycle.booking", reference=door.listed.booking.reference),
            "method": door.method,
            "secret": door.secret,
            "text": localised(door.texts),
        }
        for door in found
    ]
    return render_template("bookings/doors/_my.html", rows=rows) if rows else ""


def desk_panel() -> str:
    """The `desk-timeline` panel: bookings whose lock did not answer."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        found = without_code(session, actor, at=at)
    rows = [
        (
            time_text(item.booking.span, city),
            place_text(item.space, item.venue),
            item.organisation_name or item.person_name,
            url_for("lifecycle.booking", reference=item.booking.reference),
        )
        for item in found
    ]
    return render_template("bookings/doors/_desk.html", rows=rows) if rows else ""


def mail_panel(*, session: Session, booking: Booking) -> str:
    """The `mail-confirmed` panel: when and where the way in will be seen; never what it is."""
    city = current_city()
    space = session.get_one(Space, (booking.city_id, booking.space_id))
    door = door_of(session, space)
    if door.method == "none":
        return ""
    from_time = instant_text(shown_span(booking.span, door.minutes_before).start, city)
    if door.method == "code":
        return gettext("The door code is shown on the booking’s page from %(time)s on.", time=from_time)
    return gettext("How the door opens is told on the booking’s page from %(time)s on.", time=from_time)
