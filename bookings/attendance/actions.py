"""The verbs of coming and not coming. Every change of state goes through `lifecycle.actions.move_to`."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bookings.attendance import policy
from bookings.attendance.errors import (
    CheckInOff,
    NoRightToCheckIn,
    NotBegun,
    NotCheckInTime,
    NotThisDoor,
    SomebodyCame,
    TimeGivenAway,
)
from bookings.attendance.models import SpaceAttendance
from bookings.attendance.queries import attendance_of, due_booking
from bookings.attendance.rules import is_check_in_time, is_stricter, release_at
from bookings.lifecycle.actions import move_to
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import locked_booking
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.ids import new_token
from marketplace.jobs.messages import publish, publish_later
from spaces.calendar.errors import SlotTaken
from spaces.catalog.listing_actions import locked_space
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import require_may_handle, require_may_manage

SECOND_THOUGHT = timedelta(minutes=5)


def set_attendance(
    session: Session,
    space: Space,
    venue: Venue,
    *,
    actor: Actor,
    mode: str,
    release_minutes: int,
    at: datetime,
) -> bool:
    """Say whether check-in is wanted and when a booking is given up; returns whether anything changed.

    A stricter rule holds for bookings made from now on. Raises NotYourVenue.
    """
    require_may_manage(actor, venue)
    locked_space(session, space)
    kept = attendance_of(session, space)
    before, after = (kept.mode, kept.release_minutes), (mode, release_minutes)
    if before == after:
        return False
    if is_stricter(before, after) or kept.since is None:
        kept.since = at
    kept.mode, kept.release_minutes = after
    session.add(kept)
    details = {
        "before": {"mode": before[0], "release_minutes": before[1]},
        "after": {"mode": after[0], "release_minutes": after[1]},
    }
    audit(session, actor, "space.attendance_set", "space", space.id, **details)
    session.flush()
    return True


def replace_poster(session: Session, space: Space, venue: Venue, *, actor: Actor) -> None:
    """A new code for the door: the old one leads nowhere from now on. Raises NotYourVenue, CheckInOff."""
    require_may_manage(actor, venue)
    kept = attendance_of(session, space)
    if kept.mode == "off":
        raise CheckInOff
    kept.poster_token = new_token()
    session.add(kept)
    audit(session, actor, "space.poster_replaced", "space", space.id)
    session.flush()


def check_in(session: Session, booking: Booking, venue: Venue, *, actor: Actor, at: datetime) -> bool:
    """Write down that somebody of this booking has come; returns whether that was news.

    Raises NoRightToCheckIn for those who neither let people in here nor belong to the booking, NotCheckInTime,
    IllegalTransition for a booking that is not confirmed (any more).
    """
    if not policy.may_admit(actor, venue) and not policy.is_party(actor, booking):
        raise NoRightToCheckIn
    locked_booking(session, booking)
    if booking.checked_in_at is not None and booking.state in {"confirmed", "completed"}:
        return False
    if booking.state != "confirmed":
        raise IllegalTransition(state=booking.state, asked="checked_in")
    if not is_check_in_time(booking.span, at):
        raise NotCheckInTime
    booking.checked_in_at, booking.checked_in_by = at, actor.person_id
    how = "desk" if policy.may_admit(actor, venue) else "poster"
    audit(session, actor, "booking.checked_in", "booking", booking.id, how=how)
    session.flush()
    return True


def check_in_at(
    session: Session, space: Space, booking: Booking, venue: Venue, *, actor: Actor, at: datetime
) -> bool:
    """The same by the code at a space's door. Raises NotThisDoor for a booking of another space."""
    if booking.space_id != space.id:
        raise NotThisDoor
    return check_in(session, booking, venue, actor=actor, at=at)


def undo_check_in(session: Session, booking: Booking, venue: Venue, *, actor: Actor, at: datetime) -> bool:
    """Nobody has come after all; returns whether that was news. Raises NoRightToCheckIn, IllegalTransition."""
    policy.require_may_admit(actor, venue)
    locked_booking(session, booking)
    if booking.checked_in_at is None:
        return False
    if booking.state != "confirmed":
        raise IllegalTransition(state=booking.state, asked="not_checked_in")
    before = booking.checked_in_at.isoformat()
    booking.checked_in_at = booking.checked_in_by = None
    audit(session, actor, "booking.check_in_undone", "booking", booking.id, before=before)
    plan_release(session, booking, at=at)
    session.flush()
    return True


def plan_release(session: Session, booking: Booking, *, at: datetime) -> None:
    """Have the booking looked at when it would be given up, where its space asks for checking in."""
    kept = session.get(SpaceAttendance, (booking.city_id, booking.space_id))
    if kept is None or kept.mode != "required":
        return
    due = release_at(booking.span.start, kept.release_minutes)
    publish_later(
        session,
        "attendance.due",
        city_id=booking.city_id,
        # Each look has a key of its own: one that has been planned for an earlier time does no harm.
        key=f"{booking.id}:{due.isoformat()}:{at.isoformat()}",
        after=max(due - at, timedelta(0)),
        booking_id=booking.id,
    )


def release_unattended(
    session: Session, city_id: int, *, at: datetime, booking_id: int | None = None
) -> bool:
    """Give up one booking to which nobody came in time, and let others have the rest of it; returns whether there was
    one. One for each transaction: units are locked in order only within one release."""
    booking = due_booking(session, city_id, at=at, booking_id=booking_id)
    if booking is None:
        return False
    no_show(session, booking, actor=system(city_id), at=at, by="clock")
    return True


def mark_no_show(session: Session, booking: Booking, venue: Venue, *, actor: Actor, at: datetime) -> None:
    """The owner says that nobody came. Raises NotYourVenue, NotBegun, SomebodyCame, IllegalTransition."""
    require_may_handle(actor, venue)
    locked_booking(session, booking)
    if booking.state == "confirmed" and booking.checked_in_at is not None:
        raise SomebodyCame
    if booking.state == "confirmed" and at < booking.span.start:
        raise NotBegun
    no_show(session, booking, actor=actor, at=at, by="owner")


def no_show(session: Session, booking: Booking, *, actor: Actor, at: datetime, by: str) -> None:
    move_to(session, booking, "no_show", at)
    audit(session, actor, "booking.no_show", "booking", booking.id, by=by)
    publish(session, "booking.no_show", city_id=booking.city_id, booking_id=booking.id)
    # A slip of the owner's hand can be taken back before the booker reads about it.
    publish_later(
        session,
        "attendance.missed",
        city_id=booking.city_id,
        key=f"{booking.id}:{at.isoformat()}",
        after=SECOND_THOUGHT if by == "owner" else timedelta(0),
        booking_id=booking.id,
        by=by,
        marked_at=at.isoformat(),
    )
    session.flush()


def undo_no_show(
    session: Session, city: City, booking: Booking, venue: Venue, *, actor: Actor, at: datetime
) -> None:
    """Somebody came after all: the booking has its time again, and counts as checked in.

    Raises NotYourVenue, TimeGivenAway once the time is over or somebody else has some of it (then nothing has changed and
    the transaction is usable), IllegalTransition.
    """
    require_may_handle(actor, venue)
    locked_booking(session, booking)
    if booking.state == "no_show" and booking.span.end <= at:
        raise TimeGivenAway
    try:
        with session.begin_nested():
            move_to(session, booking, "confirmed", at)
    except SlotTaken:
        raise TimeGivenAway from None
    booking.checked_in_at, booking.checked_in_by = at, actor.person_id
    audit(session, actor, "booking.no_show_undone", "booking", booking.id)
    publish(session, "booking.no_show_undone", city_id=city.id, booking_id=booking.id)
    session.flush()
