"""Who may see what opens a door."""

from bookings.lifecycle import policy as lifecycle
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor


def may_open(actor: Actor, booking: Booking) -> bool:
    """The booker's side: who booked for themselves; for an organisation, those who book for it today, so not one who has
    left it. The same people may cancel. And whom they have added to the booking."""
    return lifecycle.may_cancel(actor, booking) or lifecycle.is_responsible(actor, booking)
