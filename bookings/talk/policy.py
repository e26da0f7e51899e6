"""Who talks with whom about a booking."""

from bookings.lifecycle import policy as lifecycle
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from spaces.catalog import policy as catalog
from spaces.catalog.models import Venue


def side_of(actor: Actor, booking: Booking, venue: Venue) -> str | None:
    """The side on which the actor reads and writes; None for members, viewers, crews and strangers.

    The booker's: who booked for themselves, those who book for the organisation today, and whom they have added. The
    owner's: those who handle the place. Who is both books here, and others answer.
    """
    if lifecycle.may_cancel(actor, booking) or lifecycle.is_responsible(actor, booking):
        return "booker"
    return "owner" if catalog.may_handle(actor, venue) else None


def answers_at(actor: Actor, venue: Venue) -> bool:
    """Whether the owner's messages are this person's work; the city's staff only look in."""
    return actor.city_id == venue.city_id and (
        actor.manages(venue.owner_id) or catalog.role_at(actor, venue) in catalog.HANDLE
    )
