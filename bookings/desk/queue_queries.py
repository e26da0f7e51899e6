"""Reads of the queue's own page: which requests are wanted, how many there are, and at which places some wait."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from bookings.desk.queries import MOST_VENUES, name_of, waits
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import with_all
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.db import Localised
from spaces.calendar.rules import DAY, midnight
from spaces.catalog.desk_queries import escaped, workplaces
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import HANDLE

MOST_WORDS = 8


@dataclass(frozen=True)
class Wanted:
    """Which requests somebody looks at; None, "" and 0 mean all. `first` and `last` are local days of the booked time,
    `waited_days` how long a request has waited at least."""

    venue_id: int | None = None
    space_id: int | None = None
    who: str = ""
    first: date | None = None
    last: date | None = None
    waited_days: int = 0
    priced: bool | None = None

    @property
    def is_all(self) -> bool:
        return self == Wanted()


def matching(wanted: Wanted, city: City, *, at: datetime) -> ColumnElement[bool]:
    """The condition on Booking, Space, Person and Organisation (which may be missing)."""
    found: list[ColumnElement[bool]] = [true()]
    if wanted.venue_id is not None:
        found.append(Space.venue_id == wanted.venue_id)
    if wanted.space_id is not None:
        found.append(Space.id == wanted.space_id)
    for word in wanted.who.split()[:MOST_WORDS]:
        pattern = f"%{escaped(word)}%"
        found.append(or_(Person.name.ilike(pattern), Organisation.name.ilike(pattern)))
    if wanted.first is not None or wanted.last is not None:
        found.append(meets_days(wanted.first, wanted.last, city))
    if wanted.waited_days:
        found.append(Booking.created_at <= at - timedelta(days=wanted.waited_days))
    if wanted.priced is not None:
        found.append(Booking.total_minor > 0 if wanted.priced else Booking.total_minor == 0)
    return and_(*found)


def meets_days(first: date | None, last: date | None, city: City) -> ColumnElement[bool]:
    """Whether the request, or another date of the series it stands for, is within these local days."""
    days = func.tstzrange(
        midnight(first, city.zone) if first else None, midnight(last + DAY, city.zone) if last else None
    )
    other = aliased(Booking)
    another = exists().where(
        other.city_id == Booking.city_id,
        other.series_id == Booking.series_id,
        other.space_id == Booking.space_id,
        other.replaces_id.is_(None),
        other.state == "awaiting_approval",
        other.during.op("&&")(days),
    )
    return or_(Booking.during.op("&&")(days), and_(Booking.replaces_id.is_(None), another))


def wanted_count(session: Session, actor: Actor, wanted: Wanted, city: City, *, at: datetime) -> int:
    """How many requests of the queue are wanted; a series counts as one for each of its spaces."""
    query = with_all(select(func.count()).select_from(Booking)).where(
        waits(actor, at), matching(wanted, city, at=at)
    )
    return session.scalar(query) or 0


@dataclass(frozen=True)
class WaitingSpace:
    """A space with requests that wait."""

    venue_id: int
    venue_names: Localised
    space_id: int
    space_names: Localised
    requests: int


def waiting_spaces(session: Session, actor: Actor, *, at: datetime, language: str) -> list[WaitingSpace]:
    """Where something waits for the actor, by name of the venue; at most MOST_VENUES spaces."""
    rows = session.execute(
        select(Venue.id, Venue.names, Space.id, Space.names, func.count())
        .select_from(Booking)
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(waits(actor, at))
        .group_by(Venue.city_id, Venue.id, Space.city_id, Space.id)
        .order_by(name_of(Venue, language), Venue.id, Space.id)
        .limit(MOST_VENUES)
    )
    return [WaitingSpace(*row) for row in rows]


def chosen_place(
    session: Session, actor: Actor, wanted: Wanted
) -> tuple[Wanted, Mapping[str, str], Mapping[str, str]]:
    """The wish without a place that the actor does not answer for, and the names of the venue and the space it keeps."""
    if wanted.venue_id is None and wanted.space_id is None:
        return wanted, {}, {}
    query = select(Venue.names, Space.names if wanted.space_id is not None else Venue.names).where(
        workplaces(actor, HANDLE)
    )
    if wanted.space_id is not None:
        query = query.join(Space, (Space.city_id == Venue.city_id) & (Space.venue_id == Venue.id)).where(
            Space.id == wanted.space_id
        )
    else:
        query = query.where(Venue.id == wanted.venue_id)
    row = session.execute(query).one_or_none()
    if row is None:
        return replace(wanted, venue_id=None, space_id=None), {}, {}
    return wanted, row[0], row[1] if wanted.space_id is not None else {}
