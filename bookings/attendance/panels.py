"""What attendance puts on lower pages: the code on a booking's page and on my page."""

from flask import render_template, url_for
from sqlalchemy.orm import Session

from bookings.attendance import present
from bookings.attendance.policy import is_party, may_admit
from bookings.attendance.qr import qr_svg
from bookings.attendance.queries import attendance_of, own_bookings_now
from bookings.attendance.rules import is_check_in_time
from bookings.attendance.tokens import token_of
from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import gettext, instant_text, place_text, time_text
from bookings.lifecycle.queries import BookedSpace
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.web.i18n import format_clock
from marketplace.web.request import current_actor, current_city
from spaces.catalog.models import Space
from spaces.catalog.policy import may_handle


def booking_panel(*, session: Session, booked: BookedSpace) -> str:
    """The `booking-side` panel: the booker's code, and the buttons of those who let people in."""
    city, actor, at = current_city(), current_actor(), now()
    booking = booked.booking
    rule = attendance_of(session, booked.space)
    admits = may_admit(actor, booked.venue)
    says = present.sayings(booking, at=at, handles=may_handle(actor, booked.venue)) if admits else []
    shows = (
        rule.mode != "off"
        and booking.state == "confirmed"
        and booking.span.end > at
        and is_party(actor, booking)
    )
    if not says and not shows and booking.checked_in_at is None:
        return ""
    came = booking.checked_in_at
    address = url_for("attendance.scan", token=token_of(booking), _external=True)
    due = rule.gives_up(booking.span, booking.requested_at or booking.created_at)
    return render_template(
        "bookings/attendance/_booking.html",
        booking=booking,
        came_at=instant_text(came, city) if came else "",
        shows=shows and came is None,
        is_open=is_check_in_time(booking.span, at),
        code=qr_svg(address) if shows and came is None else "",
        given_up_at=format_clock(due.astimezone(city.zone)) if due is not None else "",
        says=says,
        action=url_for("attendance.note", reference=booking.reference, page="booking"),
    )


def my_panel() -> str:
    """The `my-bookings` panel: bookings for which one can check in at this moment, each with its code."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        found = own_bookings_now(session, actor, at=at)
    rows = [
        (
            place_text(item.space, item.venue),
            time_text(item.booking.span, city),
            url_for("lifecycle.booking", reference=item.booking.reference),
            qr_svg(url_for("attendance.scan", token=token_of(item.booking), _external=True)),
        )
        for item in found
        if item.booking.checked_in_at is None
    ]
    return render_template("bookings/attendance/_my.html", rows=rows) if rows else ""


def mail_panel(*, session: Session, booking: Booking) -> str:
    """The `mail-confirmed` panel: that one is to check in, and by when, where the booking is given up otherwise."""
    city = current_city()
    rule = attendance_of(session, session.get_one(Space, (booking.city_id, booking.space_id)))
    due = rule.gives_up(booking.span, booking.requested_at or booking.created_at)
    if due is None:
        return ""
    clock = format_clock(due.astimezone(city.zone))
    return gettext(
        "Check in when you come, by the code at the door or the one on the booking’s page. If nobody has by %(clock)s, the rest of the time is given to others.",
        clock=clock,
    )
