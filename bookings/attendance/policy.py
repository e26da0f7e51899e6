"""Who may say that somebody has come."""

from bookings.attendance.errors import NoRightToCheckIn
from bookings.lifecycle import policy as lifecycle
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from spaces.catalog import policy as catalog
from spaces.catalog.models import Venue

# Whoever stands at the door; a viewer only looks on.
ADMIT = catalog.HANDLE | {"crew"}


def may_admit(actor: Actor, venue: Venue) -> bool:
    """Let people in: those who handle bookings here, and the crew."""
    return catalog.runs(actor, venue) or (
        actor.city_id == venue.city_id and catalog.role_at(actor, venue) in ADMIT
    )


def require_may_admit(actor: Actor, venue: Venue) -> None:
    """Raises NoRightToCheckIn."""
    if not may_admit(actor, venue):
        raise NoRightToCheckIn


def is_party(actor: Actor, booking: Booking) -> bool:
    """The one who booked, whom they have added, or any member of the organisation it is for: whoever comes first."""
    return (
        lifecycle.is_own(actor, booking)
        or lifecycle.is_responsible(actor, booking)
        or (actor.city_id == booking.city_id and booking.organisation_id in actor.roles)
    )


def works_at_a_door(actor: Actor) -> bool:
    """Whether there may be a place at which the actor lets people in."""
    return lifecycle.works_somewhere(actor, ADMIT)
