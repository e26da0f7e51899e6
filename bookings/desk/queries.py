"""Reads of the owner's desk: the spaces that somebody works at, who uses them when, and the requests that wait.

Who uses a space is found by its claims: they name exactly the holders that meet the window, also those that took the
space by way of another one (the whole hall takes its halves). The number of statements does not depend on how many
spaces there are.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, literal, or_, select, true
from sqlalchemy.orm import Session

from bookings.lifecycle import policy
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import ListedBooking, also_replaced, is_undoable, stands_for_series, with_all
from bookings.lifecycle.rules import ANSWERS, HOLDING, UNDO_OFFERED
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import Localised, span_of
from marketplace.jobs.messages import pending
from marketplace.timespan import Span, instant, local_days
from spaces.calendar.models import Closure, OpeningException, OpeningMonth
from spaces.calendar.queries import TAKEN, calendars_of
from spaces.calendar.rules import DAY, SpaceCalendar, midnight
from spaces.catalog.desk_queries import workplaces
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import HANDLE, VIEW

# Shown on the desk: what is or was on offer. Drafts and archived listings have no days to show.
STATES = ("published", "hidden")
MOST_VENUES = 200


@dataclass(frozen=True)
class Use:
    """Somebody has a space for a while: a booking, a closure, or (`kind` taken) something this page cannot name.

    `space_id` is the space that was booked or closed, which may be another one with a unit in common.
    """

    kind: str
    span: Span
    space_id: int = 0
    space_names: Localised = field(default_factory=dict)
    reference: str = ""
    state: str = ""
    purpose: str = ""
    attendees: int | None = None
    organisation: str | None = None
    person: str = ""
    lines: Sequence[Mapping[str, Any]] = ()  # what it was sold at; they name its equipment
    reasons: Localised = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.state in {"held", "awaiting_payment", "awaiting_approval"}


@dataclass(frozen=True)
class ClosedDays:
    """Days on which the owner's calendar has the space closed, and why."""

    first: date
    last: date
    reasons: Localised


@dataclass
class SpaceDays:
    """One space in the shown window."""

    space: Space
    venue: Venue
    calendar: SpaceCalendar
    uses: list[Use]
    closed: list[ClosedDays]

    def reasons_on(self, day: date) -> Localised:
        """Why it is closed on this day; of several the shortest period says."""
        covering = [c for c in self.closed if c.first <= day <= c.last]
        return min(covering, key=lambda c: c.last - c.first).reasons if covering else {}


def name_of(venue: type[Venue], language: str) -> ColumnElement[str]:
    return func.lower(
        func.coalesce(venue.names[language].astext, venue.names["fi"].astext, venue.names["en"].astext)
    )


def desk_venues(session: Session, actor: Actor, *, language: str) -> list[tuple[int, Localised]]:
    """The venues with spaces on the desk, by name; at most one more than MOST_VENUES."""
    has_space = (
        select(literal(1))
        .select_from(Space)
        .where(Space.city_id == Venue.city_id, Space.venue_id == Venue.id, Space.state.in_(STATES))
        .exists()
    )
    rows = session.execute(
        select(Venue.id, Venue.names)
        .where(workplaces(actor, VIEW), has_space)
        .order_by(name_of(Venue, language), Venue.id)
        .limit(MOST_VENUES + 1)
    )
    return [(venue_id, names) for venue_id, names in rows]


def desk_spaces(
    session: Session, actor: Actor, *, venue_id: int | None, language: str, limit: int, offset: int
) -> tuple[list[tuple[Space, Venue]], int]:
    """The spaces of this page, by name of the venue, and how many there are in all."""
    which = and_(
        workplaces(actor, VIEW),
        Space.state.in_(STATES),
        Venue.id == venue_id if venue_id is not None else true(),
    )
    together = (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id)
    total = session.scalar(select(func.count()).select_from(Space).join(Venue, together).where(which)) or 0
    rows = session.execute(
        select(Space, Venue)
        .join(Venue, together)
        .where(which)
        .order_by(name_of(Venue, language), Venue.id, Space.id)
        .limit(limit)
        .offset(offset)
    )
    return [(space, venue) for space, venue in rows], total


def days_of(
    session: Session, city: City, spaces: Sequence[tuple[Space, Venue]], window: Span
) -> list[SpaceDays]:
    """The openings and uses of these spaces that meet `window`, which begins and ends at local midnights."""
    ids = [space.id for space, _ in spaces]
    calendars = calendars_of(session, city.id, ids, window, city.zone)
    closed = closed_days(session, city, ids, window)
    uses = uses_of(session, city, list(calendars.values()), window)
    return [
        SpaceDays(space, venue, calendars[space.id], uses.get(space.id, []), closed.get(space.id, []))
        for space, venue in spaces
    ]


def closed_days(
    session: Session, city: City, space_ids: Sequence[int], window: Span
) -> dict[int, list[ClosedDays]]:
    days = local_days(window, city.zone)
    found: dict[int, list[ClosedDays]] = {}
    for space_id, first, last, reasons in session.execute(
        select(
            OpeningException.space_id,
            OpeningException.first_day,
            OpeningException.last_day,
            OpeningException.reasons,
        ).where(
            OpeningException.city_id == city.id,
            OpeningException.space_id.in_(space_ids),
            OpeningException.opens.is_(None),
            OpeningException.first_day <= days[-1],
            OpeningException.last_day >= days[0],
        )
    ):
        found.setdefault(space_id, []).append(ClosedDays(first, last, reasons))
    return found


def uses_of(
    session: Session, city: City, calendars: Sequence[SpaceCalendar], window: Span
) -> dict[int, list[Use]]:
    """By space, in order of time, each holder once."""
    units: dict[int, list[int]] = {}
    for calendar in calendars:
        for unit in calendar.units:
            units.setdefault(unit.unit_id, []).append(calendar.space_id)
    values = {"unit_ids": list(units), "start": window.start, "end": window.end}
    held: dict[tuple[int, int], Span | None] = {}
    for unit_id, holder_id, _, part, start, end in session.execute(TAKEN, values):
        for space_id in units[unit_id]:
            # The claims of a closure are all buffers, so those count here too; whose they are is seen below.
            body = Span(start, end) if part == 0 else held.get((space_id, holder_id))
            held[space_id, holder_id] = body
    ids = {holder_id for _, holder_id in held}
    booked, changing = booked_by(session, city.id, ids)
    known = booked | closed_by(session, city.id, ids)
    held |= {(space_id, changing[id_]): None for space_id, id_ in held if id_ in changing}
    found: dict[int, list[Use]] = {}
    for (space_id, holder_id), body in held.items():
        use = known.get(holder_id) or (Use("taken", body) if body else None)
        if use is not None and use.span.overlaps(window):
            found.setdefault(space_id, []).append(use)
    for uses in found.values():
        uses.sort(key=lambda use: (use.span, use.reference))
    return found


def booked_by(session: Session, city_id: int, ids: Collection[int]) -> tuple[dict[int, Use], dict[int, int]]:
    """The bookings of these ids and those that they ask to change, and which of them asks to change which."""
    rows = session.execute(
        select(
            Booking.id,
            Booking.during,
            Booking.space_id,
            Space.names,
            Booking.reference,
            # What one press may still take back is as good as held.
            case((is_undoable(now()), "held"), else_=Booking.state),
            Booking.purpose,
            Booking.attendees,
            Organisation.name,
            Person.name,
            Booking.lines,
        )
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Person, (Person.city_id == Booking.city_id) & (Person.id == Booking.person_id))
        .outerjoin(
            Organisation,
            (Organisation.city_id == Booking.city_id) & (Organisation.id == Booking.organisation_id),
        )
        .where(Booking.city_id == city_id, also_replaced(ids), Booking.state.in_(sorted(HOLDING)))
    )
    uses = {row[0]: Use("booking", span_of(row[1]), *row[2:]) for row in rows}
    if not uses.keys() - set(ids):
        return uses, {}
    asking = select(Booking.id, Booking.replaces_id).where(
        Booking.city_id == city_id, Booking.id.in_(ids), Booking.replaces_id.in_(uses)
    )
    return uses, {row[0]: row[1] for row in session.execute(asking) if row[1] is not None}


def closed_by(session: Session, city_id: int, ids: Collection[int]) -> dict[int, Use]:
    rows = session.execute(
        select(Closure.id, Closure.during, Closure.space_id, Closure.reasons).where(
            Closure.city_id == city_id, Closure.id.in_(ids)
        )
    )
    return {
        closure_id: Use("closure", span_of(during), space_id, reasons=reasons)
        for closure_id, during, space_id, reasons in rows
    }


@dataclass(frozen=True)
class Request:
    """A request in the queue; `opens` tells whether the space is open during all of it."""

    listed: ListedBooking
    opens: bool

    @property
    def stands_for_series(self) -> bool:
        return self.listed.booking.series_id is not None and self.listed.booking.replaces_id is None


def waits(actor: Actor, at: datetime) -> ColumnElement[bool]:
    """Requests that the actor may answer, as long as their time is not over."""
    return and_(
        Booking.city_id == actor.city_id,
        Booking.state == "awaiting_approval",
        func.upper(Booking.during) > at,
        stands_for_series({"awaiting_approval"}, at, in_space=True),
        workplaces(actor, HANDLE),
    )


def waiting_count(session: Session, actor: Actor) -> int:
    """How many requests wait for this person: the number beside their name on every page."""
    if not policy.works_somewhere(actor, HANDLE):
        return 0
    query = (
        select(func.count())
        .select_from(Booking)
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(waits(actor, func.now()), Booking.asked_at.is_(None))  # type: ignore[arg-type]  # the database's clock
    )
    return session.scalar(query) or 0


def queue_of(
    session: Session,
    actor: Actor,
    *,
    at: datetime,
    answered: Sequence[str] = (),
    which: ColumnElement[bool] | None = None,
    soonest: bool = False,
    limit: int,
    offset: int = 0,
) -> list[Request]:
    """What waits, of it what is asked for by `which`, the oldest first, or the one with the nearest time; what has just
    been `answered` (references) keeps its place among them."""
    if not policy.works_somewhere(actor, HANDLE):
        return []
    opening = (
        select(func.range_agg(OpeningMonth.open))
        .where(
            OpeningMonth.city_id == Booking.city_id,
            OpeningMonth.space_id == Booking.space_id,
            # An opening that passes midnight belongs to the month it begins in.
            OpeningMonth.month > func.lower(Booking.during) - timedelta(days=33),
            OpeningMonth.month <= func.upper(Booking.during) + timedelta(days=1),
        )
        .scalar_subquery()
    )
    shown = or_(
        waits(actor, at) if which is None else and_(waits(actor, at), which),
        and_(
            Booking.city_id == actor.city_id,
            Booking.reference.in_(answered),
            workplaces(actor, HANDLE),
        ),
    )
    rows = session.execute(
        with_all(
            select(
                Booking,
                Space,
                Venue,
                Organisation.name,
                Person.name,
                func.coalesce(opening.op("@>")(Booking.during), false()),
            )
        )
        .where(shown)
        .order_by(func.lower(Booking.during) if soonest else Booking.created_at, Booking.id)
        .limit(limit + len(answered))
        .offset(offset)
    )
    return [Request(ListedBooking(*row[:5]), bool(row[5])) for row in rows]


def undoable(session: Session, actor: Actor, requests: Sequence[Request], *, at: datetime) -> dict[int, int]:
    """Of the answered requests those that the actor may still undo: booking's id to the seconds left."""
    keys = [str(one.listed.booking.id) for one in requests if one.listed.booking.state in ANSWERS]
    if not keys:
        return {}
    news = pending(session, "booking.answered", city_id=actor.city_id, keys=keys)
    left = {
        int(key): datetime.fromisoformat(message["answered_at"]) + UNDO_OFFERED - at
        for key, message in news.items()
        if message["person_id"] == actor.person_id
    }
    return {key: ceil(rest.total_seconds()) for key, rest in left.items() if rest > timedelta(0)}


def moved_span(
    session: Session, city: City, space: Space, was: Span, *, day: date, clock: time
) -> Span | None:
    """The same length from this wall-clock time on; of a space booked by whole days, as many days from `day` on.

    None where such a day has no opening.
    """
    if not space.whole_days:
        start = instant(day, clock, city.zone)
        return Span(start, start + was.length)
    days = len(local_days(was, city.zone))
    window = Span(midnight(day, city.zone), midnight(day + days * DAY, city.zone))
    opened = list(calendars_of(session, city.id, [space.id], window, city.zone)[space.id].open)
    return Span(opened[0].start, opened[-1].end) if opened else None
