"""What stands in a booking's code: its number, signed, so that nobody finds another one's by counting."""

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from bookings.attendance.errors import CheckInNotFound
from bookings.lifecycle.models import Booking

LONGEST = 200


def signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="check-in")


def token_of(booking: Booking) -> str:
    return str(signer().dumps([booking.city_id, booking.id]))


def booking_id_of(token: str, city_id: int) -> int:
    """The booking's number. Raises CheckInNotFound for what this service did not sign, or signed for another city."""
    try:
        found = signer().loads(token[:LONGEST])
    except BadData:
        raise CheckInNotFound from None
    if not isinstance(found, list) or len(found) != 2 or found[0] != city_id or not isinstance(found[1], int):
        raise CheckInNotFound
    return found[1]
