"""The owner's answer to one row of the queue: a request, or all dates of a series that wait at its place."""

from datetime import datetime

from sqlalchemy.orm import Session

from bookings.lifecycle.actions import approve_booking, decline_booking, undo_answer
from bookings.lifecycle.queries import BookedSpace
from bookings.series.actions import approve_series, decline_series
from bookings.series.models import Series
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City


def series_of_request(session: Session, booked: BookedSpace) -> Series | None:
    """The queue shows a series once, by its next date, and answers all its dates that wait."""
    booking = booked.booking
    if booking.series_id is None or booking.replaces_id is not None or booking.state != "awaiting_approval":
        return None
    return session.get_one(Series, (booking.city_id, booking.series_id))


def approve_request(session: Session, city: City, booked: BookedSpace, *, actor: Actor, at: datetime) -> None:
    """Yes. A single request's answer may be undone for a while. Raises NotYourVenue, IllegalTransition, NothingWaits."""
    if (series := series_of_request(session, booked)) is not None:
        approve_series(session, city, series, booked.venue, actor=actor, at=at)
    else:
        approve_booking(session, city, booked.booking, booked.venue, actor=actor, at=at, may_undo=True)


def decline_request(
    session: Session,
    city: City,
    booked: BookedSpace,
    *,
    actor: Actor,
    reason: str,
    reason_code: str | None,
    at: datetime,
) -> None:
    """No, and why; as `approve_request`. `reason_code` is of DECLINE_REASONS."""
    if (series := series_of_request(session, booked)) is not None:
        decline_series(
            session, city, series, booked.venue, actor=actor, reason=reason, reason_code=reason_code, at=at
        )
    else:
        decline_booking(
            session,
            city,
            booked.booking,
            booked.venue,
            actor=actor,
            reason=reason,
            reason_code=reason_code,
            at=at,
            may_undo=True,
        )


def undo_request_answer(
    session: Session, city: City, booked: BookedSpace, *, actor: Actor, at: datetime
) -> None:
    """Take one's own answer to a single request back. Raises what `undo_answer` raises."""
    undo_answer(session, city, booked.booking, booked.space, booked.venue, actor=actor, at=at)
