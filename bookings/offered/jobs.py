"""What follows a press and a consent, and what the clock starts. All are safe to run twice."""

from datetime import datetime

from sqlalchemy.orm import Session

from bookings.lifecycle.actions import announce_answer
from bookings.lifecycle.jobs import booked_of, city_ids
from bookings.offered.actions import count_pool, forget_dismissals
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message


def tell_pressed(session: Session, message: Message) -> None:
    """The time to undo a press is over. Who has cancelled meanwhile hears of that only."""
    found = booked_of(session, message)
    if found and found[1].booking.state == "confirmed":
        announce_answer(session, found[1].booking)


def follow_withdrawal(session: Session, message: Message) -> None:
    """The same night's count again, without whoever took their consent back and without what has come since."""
    count_pool(session, message.city_id, at=datetime.fromisoformat(message["counted_at"]))


def count_all(at: datetime | None = None) -> None:
    """Count every city's pool anew, since a year has moved on by a day, and forget what is turned down no more."""
    at = at or now()
    for city_id in city_ids():
        with transaction() as session:
            count_pool(session, city_id, at=at)
    with transaction() as session:
        forget_dismissals(session, at=at)
