"""What offers put on the pages of lower rooms: the offers themselves, the question whether they are wanted, the choices
on the profile and on an organisation's page, the undoing on a booking's page."""

from datetime import datetime
from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from bookings.lifecycle import policy
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import BookedSpace
from bookings.lifecycle.rules import PRESS_UNDO, PRESSED
from bookings.offered.finding import offered_to
from bookings.offered.present import card
from bookings.offered.queries import consent_of, is_told_of, pool_consent_of
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import pending
from marketplace.web.i18n import format_clock
from marketplace.web.request import current_actor, current_city

# The list itself must stay in sight.
MOST_ABOVE_A_LIST = 2


def home_panel(*, session: Session, actor: Actor, **_: Any) -> str:
    """The `home` panel: offers before anything is typed; the question whether they are wanted, once."""
    return offers_shown(session, actor, back="home")


def results_panel(*, session: Session, actor: Actor, **_: Any) -> str:
    """The `results` panel, where nothing has been asked."""
    return offers_shown(session, actor, back="spaces")


def offers_shown(session: Session, actor: Actor, *, back: str) -> str:
    if not actor.is_verified:
        return ""
    answer = consent_of(session, actor)
    if answer is None:
        return render_template("bookings/offered/_ask.html", back=back) if back == "home" else ""
    if not answer.holds:
        return ""
    city, at = current_city(), now()
    today = at.astimezone(city.zone).date()
    cards = [card(one, city, today=today) for one in offered_to(session, city, actor, at=at)]
    if back != "home":
        cards = cards[:MOST_ABOVE_A_LIST]
        if not cards:
            return ""
    return render_template("bookings/offered/_offers.html", cards=cards, back=back)


def profile_panel(*, session: Session, actor: Actor, **_: Any) -> str:
    """The `profile` panel: the switch, with what it means."""
    answer = consent_of(session, actor)
    return render_template(
        "bookings/offered/_profile.html", agreed=answer is not None and answer.holds, answer=answer
    )


def organisation_panel(*, organisation: Organisation, **_: Any) -> str:
    """The `organisation` panel: for its managers, whether its bookings are counted among those of its kind."""
    actor = current_actor()
    if not actor.manages(organisation.id):
        return ""
    with transaction() as session:
        answer = pool_consent_of(session, actor.city_id, organisation.id)
    return render_template(
        "bookings/offered/_organisation.html",
        organisation=organisation,
        agreed=answer is not None and answer.holds,
        answer=answer,
    )


def booking_panel(*, session: Session, booked: BookedSpace) -> str:
    """The `booking-side` panel: as long as one press can still be undone."""
    booking = booked.booking
    if not policy.is_own(current_actor(), booking):
        return ""
    left = undo_left(session, booking, at=now())
    return render_template("bookings/offered/_undo.html", booking=booking, **left) if left else ""


def undo_left(session: Session, booking: Booking, *, at: datetime) -> dict[str, Any] | None:
    """How long what one press has booked can be taken back; None where it no longer can."""
    if booking.source != PRESSED or booking.state != "confirmed" or booking.requested_at is None:
        return None
    until = booking.requested_at + PRESS_UNDO
    if at >= until or booking.changed_at != booking.requested_at:
        return None
    key = str(booking.id)
    if key not in pending(session, "booking.pressed", city_id=booking.city_id, keys=[key]):
        return None
    if is_told_of(session, booking):
        return None
    seconds = max(1, int((until - at).total_seconds()))
    local = until.astimezone(current_city().zone)
    return {
        "seconds": seconds,
        "until": f"{format_clock(local)}.{local.second:02d}",
        "percent": round(100 * seconds / PRESS_UNDO.total_seconds()),
    }
