"""What a series shows on the page of one of its bookings."""

from flask import url_for
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import gettext
from bookings.series.pages import rule_text
from bookings.series.policy import may_see
from bookings.series.queries import series_of_id
from marketplace.web.request import current_actor


def series_panel(*, session: Session, booking: Booking) -> str:
    """The `booking-facts` panel: which series the booking belongs to, with the way there."""
    if booking.series_id is None:
        return ""
    booked = series_of_id(session, booking.city_id, booking.series_id)
    if booked is None or not may_see(current_actor(), booked.series, booked.venue):
        return ""
    url = url_for("series.show", reference=booked.series.reference)
    return str(
        Markup('<div><dt>{}</dt><dd><a href="{}">{}</a></dd></div>').format(
            escape(gettext("Series")), url, rule_text(booked.series.rule)
        )
    )
