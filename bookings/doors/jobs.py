"""Jobs that keep doors right: after each message about a booking, and every few minutes for whatever went wrong.

A lock is called outside any transaction, by one job at a time for each booking. The try is written down before the call
and its answer after it, so a worker that dies in between costs a wait, never a booking.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.doors.actions import Ask, next_ask, note_answer, note_trouble, seal_secrets
from bookings.doors.locks import lock_provider
from bookings.doors.providers import Issued, ProviderDown
from bookings.doors.queries import bookings_to_mend, with_codes
from bookings.lifecycle.jobs import city_ids
from bookings.lifecycle.models import Booking
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.jobs.queue import RETRY, defer, queue
from marketplace.jobs.runner import application

BATCH = 500
# Taking back what another lock has made, and having this one make its own: two asks; a third would go in circles.
MOST_ASKS = 2


def look_at(session: Session, city_id: int, booking_ids: Iterable[int]) -> None:
    """A job for each; those of one series wait for each other, so that they get the same code."""
    for booking_id, series_id in session.execute(
        select(Booking.id, Booking.series_id)
        .where(Booking.city_id == city_id, Booking.id.in_(list(booking_ids)))
        .order_by(func.lower(Booking.during))
    ):
        of_whom = f"series:{series_id}" if series_id is not None else f"booking:{booking_id}"
        defer(
            session,
            mend_door,
            queue_name="doors",
            lock=f"door:{city_id}:{of_whom}",
            city_id=city_id,
            booking_id=booking_id,
        )


def follow_booking(session: Session, message: Message) -> None:
    """A booking is confirmed, moved, cancelled or nobody came: its door follows, where it has one with codes."""
    look_at(session, message.city_id, with_codes(session, message.city_id, [message["booking_id"]]))


def follow_series(session: Session, message: Message) -> None:
    """The same for all dates of a series."""
    ids = message.facts.get("booking_ids")
    if ids is None:
        ids = session.scalars(
            select(Booking.id).where(
                Booking.city_id == message.city_id, Booking.series_id == message["series_id"]
            )
        ).all()
    look_at(session, message.city_id, with_codes(session, message.city_id, ids))


def follow_space(session: Session, message: Message) -> None:
    """The owner has changed how a door opens, or its codes: what this sets free to be mended is mended now."""
    ids = bookings_to_mend(session, message.city_id, at=now(), limit=BATCH, space_id=message["space_id"])
    look_at(session, message.city_id, ids)


@queue.task(name="mend_door", queue="doors", retry=RETRY, pass_context=False)
def mend_door(city_id: int, booking_id: int) -> None:
    """Ask the lock for what is missing or wrong about one booking's access."""
    with application():
        mend(city_id, booking_id)


def mend(city_id: int, booking_id: int, *, at: datetime | None = None) -> None:
    for _ in range(MOST_ASKS):
        with transaction() as session:
            ask = next_ask(session, city_id, booking_id, at=at or now())
        if ask is None:
            return
        try:
            issued = ask_lock(ask)
        except ProviderDown as error:
            with transaction() as session:
                note_trouble(session, ask, error, at=at or now())
            return
        with transaction() as session:
            note_answer(session, ask, issued, at=at or now())


def ask_lock(ask: Ask) -> Issued | None:
    """Raises ProviderDown."""
    provider = lock_provider(ask.provider)
    if ask.verb == "issue":
        return provider.issue(ask.grant)
    if ask.verb == "change":
        return provider.change(ask.grant)
    provider.revoke(ask.grant)
    return None


def sweep_doors(at: datetime | None = None) -> None:
    """Have a job look at every booking whose access is missing, wrong, left over or cannot be read; seal what is not."""
    at = at or now()
    for city_id in city_ids():
        with transaction() as session:
            look_at(session, city_id, bookings_to_mend(session, city_id, at=at, limit=BATCH))
        with transaction() as session:
            seal_secrets(session, city_id, limit=BATCH)
