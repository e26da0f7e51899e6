"""What the clock and the message do when the time of a late cancellation was sold again. Safe to run twice."""

from datetime import datetime

from sqlalchemy.orm import Session

from bookings.lifecycle.jobs import booked_of, city_ids, mail
from bookings.lifecycle.notices import to_returned_booker
from bookings.lifecycle.returned_actions import settle_kept
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message


def mail_returned(session: Session, message: Message) -> None:
    """To the booker: somebody else has the time now, and what comes back."""
    if found := booked_of(session, message):
        mail(session, to_returned_booker(*found, returned_minor=message["minor"]))


def settle_all_kept(at: datetime | None = None) -> None:
    """Decide on every late cancellation whose time has begun, each in a transaction of its own."""
    at = at or now()
    for city_id in city_ids():
        settled = True
        while settled:
            with transaction() as session:
                settled = settle_kept(session, city_id, at=at) is not None
