"""Messages to people about not coming."""

from bookings.lifecycle.notices import Notice, facts_of
from bookings.lifecycle.queries import BookedSpace
from marketplace.cities.models import City

TEMPLATES = "bookings/attendance/mail/"


def to_missing_booker(city: City, booked: BookedSpace, *, by: str, marked_at: str) -> Notice:
    """The booking was given up; `by` is "clock" or "owner", `marked_at` tells this time from an earlier one."""
    return Notice(
        booked.person,
        TEMPLATES + "no_show",
        f"booking:{booked.booking.id}:no_show:{marked_at}",
        {"facts": facts_of(city, booked), "by": by},
    )
