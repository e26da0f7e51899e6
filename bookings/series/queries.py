"""Reads of series; loaders fetch and authorise in one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import normal_reference
from bookings.lifecycle.rules import OPEN
from bookings.series import policy
from bookings.series.errors import SeriesNotFound
from bookings.series.models import Series, SeriesSkip
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from spaces.catalog.models import Space, Venue


@dataclass(frozen=True)
class BookedSeries:
    """A series with all that its pages and mails show."""

    series: Series
    space: Space
    venue: Venue
    person: Person
    organisation: Organisation | None
    owner: Organisation


def series_for(session: Session, actor: Actor, reference: str) -> BookedSeries:
    """A series that the actor may see. Raises SeriesNotFound for strangers too: that it exists is private."""
    normal = normal_reference(reference)
    if normal is None or not actor.is_signed_in:
        raise SeriesNotFound
    found = booked_series(session, (Series.city_id == actor.city_id) & (Series.reference == normal))
    if found is None or not policy.may_see(actor, found.series, found.venue):
        raise SeriesNotFound
    return found


def series_of_id(session: Session, city_id: int, series_id: int) -> BookedSeries | None:
    """The same for the program itself."""
    return booked_series(session, (Series.city_id == city_id) & (Series.id == series_id))


def booked_series(session: Session, which: ColumnElement[bool]) -> BookedSeries | None:
    row = session.execute(
        select(Series, Space, Venue, Person)
        .join(Space, (Space.city_id == Series.city_id) & (Space.id == Series.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(Person, (Person.city_id == Series.city_id) & (Person.id == Series.person_id))
        .where(which)
    ).one_or_none()
    if row is None:
        return None
    series, space, venue, person = row
    organisation = (
        session.get_one(Organisation, (series.city_id, series.organisation_id))
        if series.organisation_id is not None
        else None
    )
    return BookedSeries(
        series,
        space,
        venue,
        person,
        organisation,
        session.get_one(Organisation, (series.city_id, venue.owner_id)),
    )


def series_of_submission(session: Session, city_id: int, person_id: int, submission: str) -> Series | None:
    """What this form or request of this person has made, if it came before."""
    return session.scalar(
        select(Series).where(
            Series.city_id == city_id, Series.person_id == person_id, Series.submission == submission
        )
    )


def locked_series(session: Session, series: Series) -> Series:
    """The series, which must be this session's, as it is now, locked until the end of the transaction."""
    session.flush()
    session.refresh(series, with_for_update=True)
    return series


def bookings_of(session: Session, series: Series) -> Sequence[Booking]:
    """All bookings of the series, by place and time."""
    return session.scalars(
        select(Booking)
        .where(Booking.city_id == series.city_id, Booking.series_id == series.id)
        .order_by(Booking.position, Booking.id)
    ).all()


def first_booking(session: Session, series: Series) -> Booking | None:
    """The first booking of the series in its own space, whatever has become of it."""
    return session.scalar(
        select(Booking)
        .where(
            Booking.city_id == series.city_id,
            Booking.series_id == series.id,
            Booking.space_id == series.space_id,
            Booking.replaces_id.is_(None),
        )
        .order_by(Booking.position, Booking.id)
        .limit(1)
    )


def locked_bookings(session: Session, series: Series) -> Sequence[Booking]:
    """Those that are still open, as they are now, locked in the order of ids; returned by place."""
    rows = session.scalars(
        select(Booking)
        .where(
            Booking.city_id == series.city_id,
            Booking.series_id == series.id,
            Booking.state.in_(sorted(OPEN)),
        )
        .order_by(Booking.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return sorted(rows, key=lambda booking: (booking.position or 0, booking.id))


def pending_changes(session: Session, series: Series) -> set[int]:
    """The dates for which another time has been asked for and not answered yet."""
    return {
        id_
        for id_ in session.scalars(
            select(Booking.replaces_id).where(
                Booking.city_id == series.city_id,
                Booking.series_id == series.id,
                Booking.replaces_id.is_not(None),
                Booking.state.in_(sorted(OPEN)),
            )
        )
        if id_ is not None
    }


def skips_of(session: Session, series: Series) -> Sequence[SeriesSkip]:
    return session.scalars(
        select(SeriesSkip)
        .where(SeriesSkip.city_id == series.city_id, SeriesSkip.series_id == series.id)
        .order_by(SeriesSkip.position)
    ).all()


def spaces_of(session: Session, city_id: int, space_ids: Collection[int]) -> dict[int, tuple[Space, Venue]]:
    """Spaces by id, in whatever state they are now."""
    rows = session.execute(
        select(Space, Venue)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(Space.city_id == city_id, Space.id.in_(space_ids))
    )
    return {space.id: (space, venue) for space, venue in rows}


@dataclass(frozen=True)
class SeriesHead:
    """A series as one row of a list: how many of its dates are still open ahead, and how many wait for the owner."""

    id: int
    reference: str
    space_id: int
    ahead: int
    waiting: int


def series_heads(
    session: Session, city_id: int, series_ids: Collection[int], *, at: datetime
) -> dict[int, SeriesHead]:
    """By id."""
    if not series_ids:
        return {}
    waits = Booking.state == "awaiting_approval"
    rows = session.execute(
        select(
            Series.id,
            Series.reference,
            Series.space_id,
            func.count(Booking.id),
            func.count(Booking.id).filter(waits),
        )
        .outerjoin(
            Booking,
            (Booking.city_id == Series.city_id)
            & (Booking.series_id == Series.id)
            & Booking.state.in_(sorted(OPEN))
            & (func.upper(Booking.during) > at),
        )
        .where(Series.city_id == city_id, Series.id.in_(series_ids))
        .group_by(Series.id, Series.reference, Series.space_id)
    )
    return {row[0]: SeriesHead(*row) for row in rows}
