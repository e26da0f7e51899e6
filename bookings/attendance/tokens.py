"""What stands in a booking's code: its number, signed, so that nobody finds another one's by counting."""

from bookings.attendance.errors import CheckInNotFound
from bookings.lifecycle.models import Booking
from marketplace.web.signed import number_of, signed_number

SALT = "check-in"


def token_of(booking: Booking) -> str:
    return signed_number(SALT, booking.city_id, booking.id)


def booking_id_of(token: str, city_id: int) -> int:
    """The booking's number. Raises CheckInNotFound for what this service did not sign, or signed for another city."""
    found = number_of(SALT, city_id, token)
    if found is None:
        raise CheckInNotFound
    return found
