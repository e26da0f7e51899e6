"""A time held while a person fills in the checkout. It frees itself when nobody says yes to it in time.

A hold is a booking that its person has not agreed to yet; the form that is then sent has the same submission and turns it
into the booking. One person holds one time, so that nobody can keep a whole house from others.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bookings.lifecycle import policy
from bookings.lifecycle.actions import SUBMITTED_ONCE, breaks, check_time, move_to, new_booking, same_request
from bookings.lifecycle.errors import BookingNotFound, HoldOver
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import booking_of_submission, locked_booking, normal_reference
from bookings.lifecycle.rules import extended_hold
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.jobs.messages import publish, publish_later
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space


def hold_space(
    session: Session, city: City, space: Space, *, actor: Actor, during: Span, submission: str, at: datetime
) -> Booking:
    """Hold this time for the actor until `held_until`; the same submission gives the same hold, or what it has become.

    Raises Unauthenticated, NotVerified, NotOnOffer, a TimeNotBookable, SlotTaken, SubmissionUsed.
    """
    person_id = policy.require_may_hold(actor, space)
    known = booking_of_submission(session, city.id, person_id, submission)
    if known is not None:
        return same_request(known, space, during)
    rules = booking_rules(space)
    check_time(session, city, space, rules, during, at=at)
    hold = new_booking(city, space, person_id, during, submission=submission, source="web", at=at)
    try:
        with session.begin_nested():
            session.add(hold)
            session.flush()
            claim_space(session, city, space.id, holder_id=hold.id, body=during, rules=rules)
    except IntegrityError as error:
        known = booking_of_submission(session, city.id, person_id, submission)
        if known is None or not breaks(error, SUBMITTED_ONCE):
            raise
        return same_request(known, space, during)
    announce_end(session, hold, at=at)
    return hold


def extend_hold(session: Session, hold: Booking, *, at: datetime) -> Booking:
    """Hold it for longer, up to half an hour in all. Raises HoldOver."""
    locked_booking(session, hold)
    if hold.state != "held" or hold.held_until is None or hold.held_until <= at:
        raise HoldOver
    until = extended_hold(hold.held_until, began=hold.created_at, at=at)
    if until != hold.held_until:
        hold.held_until = until
        announce_end(session, hold, at=at)
    session.flush()
    return hold


def announce_end(session: Session, hold: Booking, *, at: datetime) -> None:
    """Wake the program when the hold's minutes are over."""
    if hold.held_until is not None:
        publish_later(
            session,
            "hold.ends",
            city_id=hold.city_id,
            key=f"{hold.id}:{hold.held_until.isoformat()}",
            after=hold.held_until - at,
        )


def hold_of(session: Session, actor: Actor, reference: str) -> Booking:
    """The actor's own booking that a hold's line names. Raises BookingNotFound."""
    found = session.scalar(
        select(Booking).where(
            Booking.city_id == actor.city_id,
            Booking.reference == normal_reference(reference),
            Booking.person_id == actor.person_id,
        )
    )
    if found is None:
        raise BookingNotFound
    return found


def release_hold(session: Session, hold: Booking, *, at: datetime) -> bool:
    """Give back a held time that nobody wants any more; returns whether it was one still. Its form may be used again."""
    locked_booking(session, hold)
    if hold.state != "held":
        return False
    move_to(session, hold, "expired", at)
    hold.submission = f"{hold.submission}:lapsed:{hold.id}"
    audit(session, system(hold.city_id), "booking.lapsed", "booking", hold.id)
    publish(session, "hold.lapsed", city_id=hold.city_id, booking_id=hold.id)
    session.flush()
    return True


def lapse_hold(session: Session, city_id: int, *, at: datetime) -> bool:
    """Give back one held time whose minutes are over; returns whether there was one.

    One for each transaction, as units are locked in order only within one release.
    """
    hold = session.scalar(
        select(Booking)
        .where(Booking.city_id == city_id, Booking.state == "held", Booking.held_until <= at)
        .order_by(Booking.held_until, Booking.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return hold is not None and release_hold(session, hold, at=at)


def other_hold(session: Session, city_id: int, person_id: int, *, but: str) -> Booking | None:
    """A time that the person holds by another form, or None."""
    return session.scalar(
        select(Booking)
        .where(
            Booking.city_id == city_id,
            Booking.person_id == person_id,
            Booking.state == "held",
            Booking.submission != but,
            Booking.source == "web",
        )
        .order_by(Booking.id)
        .limit(1)
    )


def held_at(session: Session, actor: Actor, space: Space, during: Span, *, at: datetime) -> Booking | None:
    """The actor's own running hold of exactly this time."""
    if actor.person_id is None:
        return None
    return session.scalar(
        select(Booking).where(
            Booking.city_id == actor.city_id,
            Booking.person_id == actor.person_id,
            Booking.space_id == space.id,
            Booking.state == "held",
            Booking.held_until > at,
            func.lower(Booking.during) == during.start,
            func.upper(Booking.during) == during.end,
        )
    )


def forget_lapsed(session: Session, city_id: int, *, before: datetime, limit: int = 500) -> int:
    """Delete holds that nobody said yes to, once they are old; returns how many, at most `limit`."""
    old = session.scalars(
        select(Booking)
        .where(
            Booking.city_id == city_id,
            Booking.state == "expired",
            Booking.requested_at.is_(None),
            Booking.changed_at < before,
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for booking in old:
        session.delete(booking)
    session.flush()
    return len(old)
