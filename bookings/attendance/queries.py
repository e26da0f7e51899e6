"""Reads of who is expected and who has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, text
from sqlalchemy.orm import Session

from bookings.attendance.errors import CheckInNotFound
from bookings.attendance.models import SpaceAttendance
from bookings.attendance.policy import ADMIT, may_admit
from bookings.attendance.rules import EARLY, USUAL_MINUTES
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import BookedSpace, ListedBooking, booked_space_of_id, listed, whose
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.ids import new_token
from marketplace.timespan import Span
from spaces.catalog.desk_queries import workplaces
from spaces.catalog.models import Space, Venue

MOST_EXPECTED = 300


def attendance_of(session: Session, space: Space) -> SpaceAttendance:
    """The space's rule; a new row that says "off", not yet of the session, where it has none."""
    return session.get(SpaceAttendance, (space.city_id, space.id)) or SpaceAttendance(
        city_id=space.city_id,
        space_id=space.id,
        mode="off",
        release_minutes=USUAL_MINUTES,
        poster_token=new_token(),
    )


def modes_of(session: Session, city_id: int, space_ids: Sequence[int]) -> dict[int, SpaceAttendance]:
    """The rules of those of the spaces that have check-in on."""
    rows = session.scalars(
        select(SpaceAttendance).where(
            SpaceAttendance.city_id == city_id,
            SpaceAttendance.space_id.in_(list(space_ids)),
            SpaceAttendance.mode != "off",
        )
    )
    return {row.space_id: row for row in rows}


def space_of_poster(session: Session, city_id: int, token: str) -> tuple[Space, Venue, SpaceAttendance]:
    """The space at whose door this code hangs. Raises CheckInNotFound."""
    row = session.execute(
        select(Space, Venue, SpaceAttendance)
        .join(
            SpaceAttendance,
            (SpaceAttendance.city_id == Space.city_id) & (SpaceAttendance.space_id == Space.id),
        )
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(
            SpaceAttendance.city_id == city_id,
            SpaceAttendance.poster_token == token,
            SpaceAttendance.mode != "off",
        )
    ).one_or_none()
    if row is None:
        raise CheckInNotFound
    return row.Space, row.Venue, row.SpaceAttendance


def is_now(at: datetime) -> ColumnElement[bool]:
    """Bookings whose people may check in at this moment."""
    return and_(
        Booking.during.op("&&")(func.tstzrange(literal(at), literal(at + EARLY), "[]")),
        func.lower(Booking.during) <= at + EARLY,
        func.upper(Booking.during) > at,
    )


def own_bookings_now(
    session: Session, actor: Actor, *, at: datetime, space_id: int | None = None
) -> list[ListedBooking]:
    """The actor's and their organisations' confirmed bookings that have begun or are about to, where check-in is on."""
    on = (
        select(SpaceAttendance.space_id)
        .where(SpaceAttendance.city_id == actor.city_id, SpaceAttendance.mode != "off")
        .scalar_subquery()
    )
    here = Booking.space_id == space_id if space_id is not None else Booking.space_id.in_(on)
    which = and_(whose(actor), Booking.state == "confirmed", is_now(at), here)
    return listed(session, which, func.lower(Booking.during), limit=20)


def booking_to_admit(session: Session, actor: Actor, booking_id: int) -> BookedSpace:
    """A booking for those who let people in there. Raises CheckInNotFound for everyone else."""
    found = booked_space_of_id(session, actor.city_id, booking_id)
    if found is None or not actor.is_signed_in or not may_admit(actor, found.venue):
        raise CheckInNotFound
    return found


def booking_id_of_reference(session: Session, actor: Actor, reference: str) -> int:
    """Raises CheckInNotFound."""
    found = session.scalar(
        select(Booking.id).where(Booking.city_id == actor.city_id, Booking.reference == reference)
    )
    if found is None:
        raise CheckInNotFound
    return found


@dataclass(frozen=True)
class Expected:
    """One booking of the day as the door sees it."""

    listed: ListedBooking
    attendance: SpaceAttendance | None


def expected_on(session: Session, actor: Actor, day: Span) -> list[Expected]:
    """The day's bookings at the places where the actor lets people in, those that nobody came to as well."""
    which = and_(
        Booking.city_id == actor.city_id,
        Booking.during.op("&&")(func.tstzrange(day.start, day.end)),
        or_(Booking.state.in_(["confirmed", "completed"]), Booking.state == "no_show"),
        workplaces(actor, ADMIT),
    )
    rows = listed(session, which, func.lower(Booking.during), limit=MOST_EXPECTED)
    modes = modes_of(session, actor.city_id, list({row.space.id for row in rows}))
    return [Expected(row, modes.get(row.space.id)) for row in rows]


def name_of(session: Session, city_id: int, person_id: int | None) -> str:
    person = session.get(Person, (city_id, person_id)) if person_id is not None else None
    return person.name if person is not None else ""


def is_due(at: datetime) -> ColumnElement[bool]:
    """Bookings to which nobody came in time; needs a join with SpaceAttendance."""
    return and_(
        Booking.state == "confirmed",
        Booking.checked_in_at.is_(None),
        SpaceAttendance.mode == "required",
        func.coalesce(Booking.requested_at, Booking.created_at) >= SpaceAttendance.since,
        func.lower(Booking.during) + SpaceAttendance.release_minutes * text("interval '1 minute'") <= at,
        func.upper(Booking.during) > at,
    )


def due_booking(
    session: Session, city_id: int, *, at: datetime, booking_id: int | None = None
) -> Booking | None:
    """One booking that is to be given up, locked; what another worker holds is left out."""
    which = [Booking.city_id == city_id, is_due(at)]
    if booking_id is not None:
        which.append(Booking.id == booking_id)
    return session.scalar(
        select(Booking)
        .join(
            SpaceAttendance,
            (SpaceAttendance.city_id == Booking.city_id) & (SpaceAttendance.space_id == Booking.space_id),
        )
        .where(*which)
        .order_by(func.lower(Booking.during), Booking.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Booking)
    )
