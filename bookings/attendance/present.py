"""What the pages show of coming and not coming, in the reader's words."""

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from bookings.attendance.queries import Expected
from bookings.attendance.rules import check_in_window, is_check_in_time
from bookings.lifecycle import pages
from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.queries import BookedSpace, ListedBooking
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.errors import N_
from marketplace.web.i18n import format_clock
from spaces.catalog.policy import may_handle, may_read

LABELS = {
    "here": N_("They have come"),
    "not_here": N_("They have not come after all"),
    "no_show": N_("Nobody came"),
    "came_after_all": N_("They came after all"),
}


@dataclass(frozen=True)
class Saying:
    """One button: what it says of the booking."""

    value: str
    label: str
    kind: str


@dataclass(frozen=True)
class Arrival:
    """One of the reader's own bookings at the door."""

    reference: str
    when: str
    whose: str
    came_at: str


@dataclass(frozen=True)
class Row:
    """One booking in the list of the day."""

    reference: str
    when: str
    room: str
    whom: str
    url: str | None
    kind: str
    label: str
    note: str
    says: list[Saying]
    action: str


def arrival(item: ListedBooking, city: City) -> Arrival:
    booking = item.booking
    came = booking.checked_in_at
    return Arrival(
        booking.reference,
        pages.time_text(booking.span, city),
        item.organisation_name or gettext("for myself"),
        format_clock(came.astimezone(city.zone)) if came else "",
    )


def saying(value: str, kind: str) -> Saying:
    return Saying(value, gettext(LABELS[value]), kind)


def sayings(booking: Booking, *, at: datetime, handles: bool) -> list[Saying]:
    """What can be said of it now, the most likely first."""
    found = []
    if booking.state == "confirmed":
        if booking.checked_in_at is not None:
            found.append(saying("not_here", "supplementary"))
        else:
            if is_check_in_time(booking.span, at):
                found.append(saying("here", "primary"))
            if handles and at >= booking.span.start:
                found.append(saying("no_show", "supplementary"))
    elif booking.state == "no_show" and handles and at < booking.span.end:
        found.append(saying("came_after_all", "secondary"))
    return found


def status_of(booking: Booking, city: City) -> tuple[str, str]:
    """(kind of label, text)."""
    if booking.state in {"confirmed", "completed"} and booking.checked_in_at is not None:
        clock = format_clock(booking.checked_in_at.astimezone(city.zone))
        return "success", gettext("Came at %(clock)s", clock=clock)
    if booking.state == "confirmed":
        return "info", gettext("Expected")
    if booking.state == "completed":
        return "neutral", gettext("Over, not checked in")
    return pages.status(booking.state)


def why_not(booking: Booking, city: City, *, at: datetime) -> str:
    """Why nobody can check in for it at this moment; "" where somebody can."""
    if (
        booking.state != "confirmed"
        or booking.checked_in_at is not None
        or is_check_in_time(booking.span, at)
    ):
        return ""
    if at < booking.span.start:
        opens = pages.instant_text(check_in_window(booking.span).start, city)
        return gettext("Check-in begins %(time)s.", time=opens)
    return gettext("The time is over.")


def whom(actor: Actor, booked: BookedSpace) -> str:
    """Whose booking it is, as far as the reader may know: the crew sees organisations, and no private person."""
    if booked.organisation is not None:
        return booked.organisation.name
    return booked.person.name if may_read(actor, booked.venue) else gettext("Private booking")


def expected_row(item: Expected, actor: Actor, city: City, *, at: datetime) -> Row:
    listed = item.listed
    booking, venue = listed.booking, listed.venue
    reads = may_read(actor, venue)
    kind, label = status_of(booking, city)
    note, rule = "", item.attendance
    due = (
        rule.gives_up(booking.span, booking.requested_at or booking.created_at) if rule is not None else None
    )
    if due is not None and booking.state == "confirmed" and booking.checked_in_at is None:
        clock = format_clock(due.astimezone(city.zone))
        note = gettext("Given up at %(clock)s if nobody comes", clock=clock)
    return Row(
        booking.reference,
        pages.time_text(booking.span, city),
        pages.place_text(listed.space, venue),
        listed.organisation_name or (listed.person_name if reads else gettext("Private booking")),
        url_for("lifecycle.booking", reference=booking.reference) if reads else None,
        kind,
        label,
        note,
        sayings(booking, at=at, handles=may_handle(actor, venue)),
        url_for("attendance.note", reference=booking.reference),
    )
