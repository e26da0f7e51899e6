"""The only writers of messages."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import locked_booking
from bookings.talk.errors import NoRightToWrite, NothingToAsk, TalkFull, TalkOver, TextWrong
from bookings.talk.models import BookingMessage
from bookings.talk.policy import side_of
from bookings.talk.queries import message_count, message_of_submission
from bookings.talk.rules import MOST_MESSAGES, TEXT_MAX, is_talked_about, other_side
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.policy import require_verified
from marketplace.jobs.messages import publish
from spaces.catalog.models import Venue


def write_message(
    session: Session,
    booking: Booking,
    venue: Venue,
    *,
    actor: Actor,
    text: str,
    is_question: bool,
    submission: str,
    at: datetime,
) -> BookingMessage:
    """Write to the other side. The owner's question lets the request wait for the booker, whose next message answers it.

    The same `submission` of the same person gives the message it has made already. Raises NotVerified, NoRightToWrite,
    TextWrong, TalkOver, TalkFull, NothingToAsk for a question about what does not wait for the owner.
    """
    person_id = require_verified(actor)
    side = side_of(actor, booking, venue)
    if side is None:
        raise NoRightToWrite
    if not 1 <= len(text) <= TEXT_MAX:
        raise TextWrong
    locked_booking(session, booking)
    known = message_of_submission(session, booking, person_id, submission)
    if known is not None:
        return known
    if not is_talked_about(requested_at=booking.requested_at, end=booking.span.end, at=at):
        raise TalkOver
    if message_count(session, booking) >= MOST_MESSAGES:
        raise TalkFull
    if is_question and (side != "owner" or booking.state != "awaiting_approval"):
        raise NothingToAsk
    message = BookingMessage(
        city_id=booking.city_id,
        booking_id=booking.id,
        person_id=person_id,
        side=side,
        kind="question" if is_question else "message",
        text=text,
        submission=submission,
        created_at=at,
    )
    session.add(message)
    before = booking.asked_at
    if is_question:
        booking.asked_at = at
    elif side == "booker":
        booking.asked_at = None
    session.flush()
    waits = {}
    if booking.asked_at != before:
        waits = {"before": {"asked_at": written(before)}, "after": {"asked_at": written(booking.asked_at)}}
    audit(session, actor, "booking.message", "booking", booking.id, message=message.id, side=side, **waits)
    publish(session, "message.written", city_id=booking.city_id, message_id=message.id)
    session.flush()
    return message


def written(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def note_read(session: Session, booking: Booking, *, side: str, at: datetime) -> int:
    """Somebody on this side has seen what the other one wrote; returns how many messages were new."""
    seen = session.scalars(
        update(BookingMessage)
        .where(
            BookingMessage.city_id == booking.city_id,
            BookingMessage.booking_id == booking.id,
            BookingMessage.side == other_side(side),
            BookingMessage.read_at.is_(None),
        )
        .values(read_at=at)
        .returning(BookingMessage.id)
        .execution_options(synchronize_session=False)
    )
    return len(seen.all())
