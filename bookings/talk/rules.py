"""How long a booking is talked about, and how much."""

from datetime import datetime, timedelta

from bookings.lifecycle.rules import RESPONSIBLE_AFTER

SIDES = ("booker", "owner")
KINDS = ("message", "question")
TEXT_MAX = 2000
MOST_MESSAGES = 200
# A person at a keyboard never reaches this.
MESSAGES_PER_HOUR = 30
HOUR = timedelta(hours=1)


def is_talked_about(*, requested_at: datetime | None, end: datetime, at: datetime) -> bool:
    """From the request until a month after the time, whatever has become of it: a refusal may need a word as well."""
    return requested_at is not None and at < end + RESPONSIBLE_AFTER


def other_side(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]
