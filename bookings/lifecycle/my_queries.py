"""Reads of somebody's own bookings, as they look for them: by time, organisation, state and space."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import ListedBooking, is_ahead, listed, stands_for_series, whose
from bookings.lifecycle.rules import ENDED_UNUSED, OPEN
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from spaces.calendar.rules import DAY, midnight
from spaces.catalog import desk_queries
from spaces.catalog.models import Space, Venue

SHOWS = ("upcoming", "past", "cancelled")


@dataclass(frozen=True)
class Wanted:
    """Which of their bookings somebody looks for; None and "" mean all.

    `show` is of SHOWS; "cancelled" are also those that were declined or that nobody answered. `organisation_id` 0 means
    what is for the person alone. `first` and `last` are local days of the booked time.
    """

    show: str = ""
    organisation_id: int | None = None
    state: str = ""
    words: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def is_all(self) -> bool:
        return self == Wanted()

    @property
    def shows_series_once(self) -> bool:
        """By its next date, where nothing is asked for that one date may meet and another not."""
        return self.show == "upcoming" and not (self.state or self.words or self.first or self.last)


def matching(actor: Actor, wanted: Wanted, city: City, *, at: datetime) -> ColumnElement[bool]:
    """The condition on Booking, Space and Venue; what was only held and has lapsed is nobody's booking."""
    found = [whose(actor), or_(is_ahead(at), Booking.requested_at.is_not(None))]
    if wanted.show == "upcoming":
        found.append(is_ahead(at))
    elif wanted.show == "cancelled":
        found.append(Booking.state.in_(sorted(ENDED_UNUSED)))
    elif wanted.show == "past":
        found += [~is_ahead(at), Booking.state.not_in(sorted(ENDED_UNUSED))]
    if wanted.organisation_id == 0:
        found += [Booking.organisation_id.is_(None), Booking.person_id == actor.person_id]
    elif wanted.organisation_id is not None:
        found.append(Booking.organisation_id == wanted.organisation_id)
    if wanted.state:
        found.append(Booking.state == wanted.state)
    if wanted.words:
        found.append(desk_queries.matching(desk_queries.Wanted(words=wanted.words)))
    if wanted.first is not None or wanted.last is not None:
        days = func.tstzrange(
            midnight(wanted.first, city.zone) if wanted.first else None,
            midnight(wanted.last + DAY, city.zone) if wanted.last else None,
        )
        found.append(Booking.during.op("&&")(days))
    if wanted.shows_series_once:
        found.append(stands_for_series(OPEN, at))
    return and_(*found)


def found_bookings(
    session: Session, actor: Actor, wanted: Wanted, city: City, *, at: datetime, limit: int, offset: int = 0
) -> tuple[list[ListedBooking], int]:
    """A page of them and how many there are: what is ahead the next first, all else the latest first."""
    which = matching(actor, wanted, city, at=at)
    total = session.scalar(
        select(func.count())
        .select_from(Booking)
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(which)
    )
    start = func.lower(Booking.during)
    order = start if wanted.show == "upcoming" else start.desc()
    # A page past the end shows the last one.
    offset = min(offset, max(0, (total or 0) - 1) // limit * limit)
    return listed(session, which, order, limit=limit, offset=offset), total or 0
