"""Reads of bookings, each within one city; loaders fetch and authorise in one."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from bookings.lifecycle import policy
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import BookingNotFound
from bookings.lifecycle.models import Booking, BookingAnswer, BookingExtra, BookingPerson
from bookings.lifecycle.rules import OPEN, RESPONSIBLE_AFTER
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Membership, Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import span_of
from marketplace.geo import box_around
from marketplace.timespan import Span, day_span
from spaces.calendar.queries import booking_rules, calendar_of
from spaces.calendar.rules import DAY, midnight, offers
from spaces.catalog.desk_queries import workplaces
from spaces.catalog.models import Space, Venue, VenueRole
from spaces.catalog.policy import HANDLE
from spaces.equipment.models import Extra
from spaces.pricing.queries import group_for, prices_on
from spaces.pricing.rules import BuildDays, OutdoorUse
from spaces.search.queries import Hit, Offer, priced_offer, search
from spaces.search.question import Place, Question

REFERENCE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
# Letters that a reference never has, as people read them.
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})

OTHER_TIMES = 4
OTHER_DAYS = 3
OTHER_SPACES = 4
# Who wanted a room here does not cross the city for another.
NEAR_METRES = 6000
LOOK_AHEAD_DAYS = 14
MARGIN_MINUTES = 60


@dataclass(frozen=True)
class BookedSpace:
    """A booking with all that its page and its mails show."""

    booking: Booking
    space: Space
    venue: Venue
    person: Person
    organisation: Organisation | None
    owner: Organisation


def normal_reference(text: str) -> str | None:
    """A reference as typed or linked in its one form, or None for what cannot be one."""
    plain = text.strip().upper().translate(MISREAD).replace("-", "").replace(" ", "")
    shown = f"{plain[:4]}-{plain[4:]}"
    return shown if REFERENCE.fullmatch(shown) else None


def booking_for(session: Session, actor: Actor, reference: str) -> BookedSpace:
    """A booking that the actor may see. Raises BookingNotFound for strangers too: that it exists is private."""
    normal = normal_reference(reference)
    if normal is None or not actor.is_signed_in:
        raise BookingNotFound
    found = booked_space(session, (Booking.city_id == actor.city_id) & (Booking.reference == normal))
    if found is None or not policy.may_see(actor, found.booking, found.venue):
        raise BookingNotFound
    return found


def booked_space_of_id(session: Session, city_id: int, booking_id: int) -> BookedSpace | None:
    """The same for the program itself."""
    return booked_space(session, (Booking.city_id == city_id) & (Booking.id == booking_id))


def booked_space(session: Session, which: ColumnElement[bool]) -> BookedSpace | None:
    owner = Organisation.__table__.alias("owner")
    row = session.execute(
        select(Booking, Space, Venue, Person, Organisation, owner.c.id)
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(owner, (owner.c.city_id == Venue.city_id) & (owner.c.id == Venue.owner_id))
        .join(Person, (Person.city_id == Booking.city_id) & (Person.id == Booking.person_id))
        .outerjoin(
            Organisation,
            (Organisation.city_id == Booking.city_id) & (Organisation.id == Booking.organisation_id),
        )
        .where(which)
    ).one_or_none()
    if row is None:
        return None
    booking, space, venue, person, organisation, owner_id = row
    return BookedSpace(
        booking,
        space,
        venue,
        person,
        organisation,
        session.get_one(Organisation, (booking.city_id, owner_id)),
    )


def booking_of_submission(session: Session, city_id: int, person_id: int, submission: str) -> Booking | None:
    """What this form or request of this person has made, if it came before."""
    return session.scalar(
        select(Booking).where(
            Booking.city_id == city_id, Booking.person_id == person_id, Booking.submission == submission
        )
    )


def own_booking_at(session: Session, actor: Actor, space: Space, during: Span) -> Booking | None:
    """The actor's own live booking of this space that meets this time, if they have it themselves already."""
    return session.scalar(
        select(Booking)
        .where(
            whose(actor),
            Booking.space_id == space.id,
            Booking.state.in_(sorted(OPEN)),
            Booking.during.op("&&")(func.tstzrange(during.start, during.end)),
        )
        .order_by(func.lower(Booking.during))
        .limit(1)
    )


def locked_booking(session: Session, booking: Booking) -> Booking:
    """The booking, which must be this session's, as it is now, locked until the end of the transaction."""
    session.flush()
    session.refresh(booking, with_for_update=True)
    return booking


def pieces_of(session: Session, booking: Booking) -> dict[int, int]:
    """How many pieces the booking has of each unit that is equipment."""
    rows = session.execute(
        select(Extra.unit_id, BookingExtra.pieces)
        .join(BookingExtra, (BookingExtra.city_id == Extra.city_id) & (BookingExtra.extra_id == Extra.id))
        .where(BookingExtra.city_id == booking.city_id, BookingExtra.booking_id == booking.id)
    )
    return {unit_id: pieces for unit_id, pieces in rows}


def details_of(session: Session, booking: Booking) -> Details:
    """What a booking was asked for with, so that it can be priced again; its discount is kept apart."""
    extras = session.execute(
        select(BookingExtra.extra_id, BookingExtra.pieces).where(
            BookingExtra.city_id == booking.city_id, BookingExtra.booking_id == booking.id
        )
    )
    use = booking.outdoor_use
    area = use.get("area_m2")
    return Details(
        build=BuildDays(use.get("build_before", 0), use.get("build_after", 0)),
        extras={extra_id: pieces for extra_id, pieces in extras},
        use=OutdoorUse(use["nature"], Decimal(area) if area else None, use["eco"])
        if "nature" in use
        else None,
    )


def pending_change(session: Session, booking: Booking) -> Booking | None:
    """The request that waits for the owner's yes to a change of this booking."""
    return session.scalar(
        select(Booking).where(
            Booking.city_id == booking.city_id,
            Booking.replaces_id == booking.id,
            Booking.state == "awaiting_approval",
        )
    )


def neighbours_of(session: Session, actor: Actor, booked: BookedSpace) -> list[Space]:
    """The spaces of the same venue that the booking could move to, its own first."""
    others = session.scalars(
        select(Space)
        .where(
            Space.city_id == actor.city_id,
            Space.venue_id == booked.venue.id,
            Space.state == "published",
            Space.id != booked.space.id,
        )
        .order_by(Space.id)
        .limit(50)
    )
    return [booked.space, *others]


def ended_bookings(session: Session, city_id: int, *, at: datetime, limit: int) -> Sequence[Booking]:
    """Confirmed ones whose time is over, locked; what another worker holds is left out."""
    return session.scalars(
        select(Booking)
        .where(Booking.city_id == city_id, Booking.state == "confirmed", func.upper(Booking.during) <= at)
        .order_by(Booking.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def unanswered_request(session: Session, city_id: int, *, at: datetime) -> Booking | None:
    """One request whose time has begun, locked."""
    return session.scalar(
        select(Booking)
        .where(
            Booking.city_id == city_id,
            Booking.state == "awaiting_approval",
            func.lower(Booking.during) <= at,
        )
        .order_by(Booking.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


@dataclass(frozen=True)
class ListedBooking:
    """One row of a list of bookings."""

    booking: Booking
    space: Space
    venue: Venue
    organisation_name: str | None
    person_name: str


def listed(
    session: Session, which: ColumnElement[bool], *order: Any, limit: int, offset: int = 0
) -> list[ListedBooking]:
    rows = session.execute(
        select(Booking, Space, Venue, Organisation.name, Person.name)
        .join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(Person, (Person.city_id == Booking.city_id) & (Person.id == Booking.person_id))
        .outerjoin(
            Organisation,
            (Organisation.city_id == Booking.city_id) & (Organisation.id == Booking.organisation_id),
        )
        .where(which)
        .order_by(*order, Booking.id)
        .limit(limit)
        .offset(offset)
    )
    return [ListedBooking(*row) for row in rows]


def whose(actor: Actor) -> ColumnElement[bool]:
    """The actor's own bookings, those of their organisations, and those they have been added to."""
    theirs = [Booking.person_id == actor.person_id, Booking.organisation_id.in_(list(actor.roles))]
    if added := policy.responsible_for(actor):
        theirs.append(Booking.id.in_(added))
    return and_(Booking.city_id == actor.city_id, or_(*theirs))


def booking_grants(session: Session, city_id: int, person_id: int) -> dict[tuple[str, int], str]:
    """The bookings that the person has been added to, as an actor carries them; not those long over."""
    rows = session.scalars(
        select(BookingPerson.booking_id)
        .join(Booking, (Booking.city_id == BookingPerson.city_id) & (Booking.id == BookingPerson.booking_id))
        .where(
            BookingPerson.city_id == city_id,
            BookingPerson.person_id == person_id,
            func.upper(Booking.during) > now() - RESPONSIBLE_AFTER,
        )
    )
    return {("booking", booking_id): "responsible" for booking_id in rows}


def is_ahead(at: datetime) -> ColumnElement[bool]:
    return and_(
        Booking.state.in_(sorted(OPEN)),
        Booking.during.op("&&")(func.tstzrange(literal(at), None)),
    )


def stands_for_series(states: Collection[str], at: Any, *, in_space: bool = False) -> ColumnElement[bool]:
    """Whether a booking is shown in a list: of a series only the next one in these states (in its space) is."""
    other = aliased(Booking)
    earlier = exists().where(
        other.city_id == Booking.city_id,
        other.series_id == Booking.series_id,
        other.replaces_id.is_(None),
        other.state.in_(sorted(states)),
        func.upper(other.during) > at,
        other.space_id == Booking.space_id if in_space else true(),
        tuple_(func.lower(other.during), other.id) < tuple_(func.lower(Booking.during), Booking.id),
    )
    return or_(Booking.series_id.is_(None), Booking.replaces_id.is_not(None), ~earlier)


def upcoming_bookings(
    session: Session, actor: Actor, *, at: datetime, limit: int = 200
) -> list[ListedBooking]:
    """What is still ahead of the actor and their organisations, the next first; of a series its next date."""
    which = whose(actor) & is_ahead(at) & stands_for_series(OPEN, at)
    return listed(session, which, func.lower(Booking.during), limit=limit)


def past_bookings(
    session: Session, actor: Actor, *, at: datetime, limit: int, offset: int = 0
) -> list[ListedBooking]:
    """What is over, was cancelled or did not come about, the latest first; not what was only held."""
    which = whose(actor) & ~is_ahead(at) & Booking.requested_at.is_not(None)
    return listed(session, which, func.lower(Booking.during).desc(), limit=limit, offset=offset)


def requests_to_answer(
    session: Session, actor: Actor, *, at: datetime, limit: int = 50
) -> list[ListedBooking]:
    """Requests at the places that the actor runs or answers for, those with the nearest time first."""
    if not policy.works_somewhere(actor, HANDLE):
        return []
    return listed(
        session,
        and_(
            Booking.city_id == actor.city_id,
            Booking.state == "awaiting_approval",
            Booking.asked_at.is_(None),
            func.upper(Booking.during) > at,
            stands_for_series({"awaiting_approval"}, at, in_space=True),
            workplaces(actor, HANDLE),
        ),
        func.lower(Booking.during),
        limit=limit,
    )


@dataclass(frozen=True)
class Step:
    """One entry of a booking's history."""

    at: datetime
    action: str
    details: dict[str, Any]


def history_of(session: Session, booking: Booking) -> list[Step]:
    """What has happened to the booking, oldest first, from the audit trail."""
    rows = session.execute(
        select(AuditEntry.at, AuditEntry.action, AuditEntry.details)
        .where(
            AuditEntry.city_id == booking.city_id,
            AuditEntry.subject_kind == "booking",
            AuditEntry.subject_id == booking.id,
        )
        .order_by(AuditEntry.id)
    )
    return [Step(*row) for row in rows]


def answers_of(session: Session, city_id: int, booking_ids: Sequence[int]) -> dict[int, list[BookingAnswer]]:
    """What was answered with each booking, in the order of the questions."""
    found: dict[int, list[BookingAnswer]] = {}
    if booking_ids:
        for answer in session.scalars(
            select(BookingAnswer)
            .where(BookingAnswer.city_id == city_id, BookingAnswer.booking_id.in_(list(booking_ids)))
            .order_by(BookingAnswer.booking_id, BookingAnswer.position)
        ):
            found.setdefault(answer.booking_id, []).append(answer)
    return found


def handlers_of(session: Session, venue: Venue) -> Sequence[Person]:
    """The people who answer requests at a venue: managers of its owner, and those with a role for it there."""
    managers = select(Membership.person_id).where(
        Membership.city_id == venue.city_id,
        Membership.organisation_id == venue.owner_id,
        Membership.role == "manager",
        Membership.accepted_at.is_not(None),
    )
    here = select(VenueRole.person_id).where(
        VenueRole.city_id == venue.city_id, VenueRole.venue_id == venue.id, VenueRole.role.in_(sorted(HANDLE))
    )
    return session.scalars(
        select(Person)
        .where(Person.city_id == venue.city_id, or_(Person.id.in_(managers), Person.id.in_(here)))
        .order_by(Person.id)
    ).all()


def next_bookings(
    session: Session, city_id: int, space_ids: Sequence[int], *, at: datetime
) -> dict[int, Span]:
    """The running or next confirmed booking of each space that has one."""
    rows = session.execute(
        select(Booking.space_id, Booking.during)
        .where(
            Booking.city_id == city_id,
            Booking.space_id.in_(list(space_ids)),
            Booking.state == "confirmed",
            Booking.during.op("&&")(func.tstzrange(literal(at), None)),
        )
        .ext(distinct_on(Booking.space_id))
        .order_by(Booking.space_id, func.lower(Booking.during))
    )
    return {space_id: span_of(during) for space_id, during in rows}


@dataclass(frozen=True)
class OtherSpace:
    """A similar space near by, and its free time nearest to the wished one."""

    space: Space
    venue: Venue
    distance_m: float | None
    offer: Offer


@dataclass(frozen=True)
class Alternatives:
    """What is free instead: the same space at other times, other spaces at about the same time."""

    times: list[Offer]
    spaces: list[OtherSpace]


def alternatives(
    session: Session,
    city: City,
    space: Space,
    during: Span,
    *,
    at: datetime,
    minutes: int,
    people: int | None = None,
    organisation_id: int | None = None,
) -> Alternatives:
    """Free times of `minutes` near the wished one: of this space that day and on the next days, and of similar spaces
    (a purpose in common, or the same kind; large enough; the nearest first) around the same time of that day. Prices are
    those of the organisation's customer group."""
    today = at.astimezone(city.zone).date()
    wished = during.start.astimezone(city.zone)
    day = wished.date()
    if not today <= day <= today + timedelta(days=space.horizon_days + LOOK_AHEAD_DAYS):
        day = today
    times = other_times(
        session, city, space, during, at=at, minutes=minutes, day=day, organisation_id=organisation_id
    )
    question = similar(session, city, space, during, day=day, minutes=minutes, people=people)
    found = search(session, city, question, now=at, organisation_id=organisation_id)
    hits = [hit for hit in found.hits if hit.space.id != space.id]
    others = [other for hit in hits if (other := nearest_offer(hit, during)) is not None]
    # The same time counts most, then the way there, then not taking more room than is needed.
    others.sort(
        key=lambda other: (
            abs(other.offer.span.start - during.start),
            other.distance_m or 0,
            other.space.capacity or 0,
            other.space.id,
        )
    )
    return Alternatives(times, others[:OTHER_SPACES])


def other_times(
    session: Session,
    city: City,
    space: Space,
    during: Span,
    *,
    at: datetime,
    minutes: int,
    day: Any,
    organisation_id: int | None = None,
) -> list[Offer]:
    """The nearest starts of that day, then on each of the next days the one nearest to the same time of day."""
    rules = booking_rules(space)
    length = rules.fitting_minutes(minutes)
    last = day + timedelta(days=LOOK_AHEAD_DAYS)
    window = Span(midnight(day - DAY, city.zone), midnight(last + DAY, city.zone))
    calendar = calendar_of(session, city.id, space.id, window, city.zone)
    wished = during.start.astimezone(city.zone)
    minute = wished.hour * 60 + wished.minute
    terms = prices_on(session, city, [space.id], day).get(space.id)
    if terms is None:
        return []
    group = group_for(session, city.id, terms, organisation_id)

    def of_day(n: int) -> list[Span]:
        local = day + timedelta(days=n)
        within = day_span(local, city.zone).widened(after=timedelta(hours=6))
        found = offers(calendar, rules, minutes=length, within=within, zone=city.zone, now=at)
        return [span for span in found if span.start.astimezone(city.zone).date() == local and span != during]

    def distance(span: Span) -> int:
        start = span.start.astimezone(city.zone)
        return abs(start.hour * 60 + start.minute - minute)

    spans = sorted(sorted(of_day(0), key=distance)[:OTHER_TIMES])
    for n in range(1, LOOK_AHEAD_DAYS):
        if len(spans) >= OTHER_TIMES + OTHER_DAYS:
            break
        spans += sorted(of_day(n), key=distance)[:1]
    return [priced_offer(terms, span, city, group) for span in spans]


def similar(
    session: Session, city: City, space: Space, during: Span, *, day: Any, minutes: int, people: int | None
) -> Question:
    """The question whose answers could stand in for this space."""
    venue = session.get_one(Venue, (space.city_id, space.venue_id))
    start = during.start.astimezone(city.zone)
    begins = start.hour * 60 + start.minute
    if space.whole_days:
        first, last = 0, 1440
    else:
        # The same length later or earlier by an hour; a time that passes midnight is looked for until midnight.
        first = max(0, begins - MARGIN_MINUTES)
        last = min(1440, begins + max(minutes, 30) + MARGIN_MINUTES)
    enough = people or (-(-space.capacity // 2) if space.capacity else None)
    place = box = None
    if venue.lon is not None and venue.lat is not None:
        place = Place(venue.lon, venue.lat, "")
        box = box_around(venue.lon, venue.lat, metres=NEAR_METRES)
    return Question(
        place=place,
        bbox=box,
        day=day,
        start_minute=first,
        end_minute=last,
        minutes=minutes,
        people=enough,
        purposes=frozenset(space.purposes),
        kinds=frozenset() if space.purposes else frozenset({space.kind}),
        sort="nearest" if place else "best",
        page_size=OTHER_SPACES + 4,
    )


def nearest_offer(hit: Hit, during: Span) -> OtherSpace | None:
    """The hit's free time nearest to the wished start; None where it has none in the window."""
    if not hit.offers:
        return None
    offer = min(hit.offers, key=lambda offer: (abs(offer.span.start - during.start), offer.span))
    return OtherSpace(hit.space, hit.venue, hit.distance_m, offer)
