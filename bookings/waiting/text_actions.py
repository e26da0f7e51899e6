"""An offer that is told by text message when the night is over."""

from datetime import timedelta

from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.waiting.models import WaitingEntry
from marketplace.jobs.messages import pending, publish_later


def text_later(session: Session, entry: WaitingEntry, hold: Booking, *, after: timedelta) -> None:
    """Have the offer looked at again in a while: only if it still stands, it is told then. Twice is once."""
    key = f"{entry.id}:{hold.id}"
    if pending(session, "waiting.text_due", city_id=entry.city_id, keys=[key]):
        return
    publish_later(
        session,
        "waiting.text_due",
        city_id=entry.city_id,
        key=key,
        after=after,
        entry_id=entry.id,
        booking_id=hold.id,
    )
