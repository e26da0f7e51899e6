"""Reads of bookings, each within one city; loaders fetch and authorise in one."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from bookings.lifecycle import policy
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import BookingNotFound
from bookings.lifecycle.models import Booking, BookingAnswer, BookingExtra, BookingPerson
from bookings.lifecycle.rules import (
    OPEN,
    PRESS_TOLD_AFTER,
    PRESSED,
    RESPONSIBLE_AFTER,
    held_together,
)
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Membership, Organisation, Person
from marketplace.clock import now
from marketplace.db import span_of
from marketplace.timespan import Span
from spaces.catalog.desk_queries import workplaces
from spaces.catalog.models import Space, Venue, VenueRole
from spaces.catalog.policy import HANDLE
from spaces.equipment.models import Extra
from spaces.pricing.rules import BuildDays, OutdoorUse

# A statement of any rows.
Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])

REFERENCE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
# Letters that a reference never has, as people read them.
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})

# Of requests that are over at once, how many are tried before the next round of the clock.
LOOKED_AT = 20


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


# Made once, as is what is asked with nearly every booking.
OF_SUBMISSION = select(Booking.id).where(
    Booking.city_id == bindparam("city_id"),
    Booking.person_id == bindparam("person_id"),
    Booking.submission == bindparam("submission"),
)


def booking_of_submission(session: Session, city_id: int, person_id: int, submission: str) -> Booking | None:
    """What this form or request of this person has made, if it came before: seldom anything."""
    asked = {"city_id": city_id, "person_id": person_id, "submission": submission}
    id_ = session.scalar(OF_SUBMISSION, asked)
    return session.get(Booking, (city_id, id_)) if id_ is not None else None


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
    """The booking, which must be this session's, as it is now, locked until the end of the transaction.

    What it asks to replace is locked before it, in the order in which that one's own cancellation locks the two.
    """
    session.flush()
    if (old := replaced_by(session, booking)) is not None:
        session.refresh(old, with_for_update=True)
    session.refresh(booking, with_for_update=True)
    return booking


def replaced_by(session: Session, request: Booking) -> Booking | None:
    """The booking that a request for a change is to replace."""
    if request.replaces_id is None:
        return None
    return session.get(Booking, (request.city_id, request.replaces_id))


def kept_with(session: Session, request: Booking) -> Booking | None:
    """The booking whose time a request for its change holds together with its own, if it does."""
    old = replaced_by(session, request)
    if old is None or old.space_id != request.space_id or not held_together(old.span, request.span):
        return None
    return old


def keeps(session: Session, booking: Booking) -> Booking | None:
    """The request for a change that holds this booking's time together with its own, if there is one."""
    asked = pending_change(session, booking)
    return asked if asked is not None and kept_with(session, asked) is not None else None


def also_replaced(ids: Collection[int]) -> ColumnElement[bool]:
    """Bookings of these ids, and those that the waiting requests among them ask to change: their claims may be the
    request's."""
    request = aliased(Booking)
    asked = (
        select(request.id)
        .where(
            request.city_id == Booking.city_id,
            request.replaces_id == Booking.id,
            request.state == "awaiting_approval",
            request.id.in_(ids),
        )
        .exists()
    )
    return or_(Booking.id.in_(ids), asked)


def pieces_of(session: Session, booking: Booking) -> dict[int, int]:
    """How many pieces the booking has of each unit that is equipment."""
    rows = session.execute(
        select(Extra.unit_id, BookingExtra.pieces)
        .join(BookingExtra, (BookingExtra.city_id == Extra.city_id) & (BookingExtra.extra_id == Extra.id))
        .where(BookingExtra.city_id == booking.city_id, BookingExtra.booking_id == booking.id)
    )
    return {unit_id: pieces for unit_id, pieces in rows}


def extras_of(session: Session, city_id: int, booking_ids: Collection[int]) -> dict[int, dict[int, int]]:
    """How many pieces of which equipment, by its id, each of the bookings has; one without any is not in the answer."""
    found: dict[int, dict[int, int]] = {}
    for booking_id, extra_id, pieces in session.execute(
        select(BookingExtra.booking_id, BookingExtra.extra_id, BookingExtra.pieces).where(
            BookingExtra.city_id == city_id, BookingExtra.booking_id.in_(list(booking_ids))
        )
    ):
        found.setdefault(booking_id, {})[extra_id] = pieces
    return found


def details_of(session: Session, booking: Booking) -> Details:
    """What a booking was asked for with, so that it can be priced again; its discount is kept apart."""
    use = booking.outdoor_use
    area = use.get("area_m2")
    return Details(
        build=BuildDays(use.get("build_before", 0), use.get("build_after", 0)),
        extras=extras_of(session, booking.city_id, [booking.id]).get(booking.id, {}),
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


def is_undoable(at: datetime) -> ColumnElement[bool]:
    """Bookings that one press has just made and may still take back: nobody but the booker's side is told of them."""
    return and_(Booking.source == PRESSED, Booking.requested_at > at - PRESS_TOLD_AFTER)


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
    """One request whose time has begun, or that of the booking which it holds with its own; locked, with that one."""
    old = aliased(Booking)
    kept_begins = (
        select(old.id)
        .where(
            old.city_id == Booking.city_id,
            old.id == Booking.replaces_id,
            old.space_id == Booking.space_id,
            func.lower(old.during) <= at,
            func.lower(old.during) <= func.upper(Booking.during),
            func.lower(Booking.during) <= func.upper(old.during),
        )
        .exists()
    )
    over = session.execute(
        select(Booking.id, Booking.replaces_id)
        .where(
            Booking.city_id == city_id,
            Booking.state == "awaiting_approval",
            or_(func.lower(Booking.during) <= at, kept_begins),
        )
        .order_by(Booking.id)
        .limit(LOOKED_AT)
    )
    for id_, replaces_id in over.all():
        # What it replaces first, as `locked_booking` does; what another worker holds is left out.
        wanted = (
            [(replaces_id, None), (id_, "awaiting_approval")] if replaces_id else [(id_, "awaiting_approval")]
        )
        found = [unless_locked(session, city_id, one, state) for one, state in wanted]
        if all(found):
            return found[-1]
    return None


def unless_locked(session: Session, city_id: int, booking_id: int, state: str | None) -> Booking | None:
    """The booking, locked, if nobody else has it locked and it is still in this state (None: in any)."""
    return session.scalar(
        select(Booking)
        .where(
            Booking.city_id == city_id,
            Booking.id == booking_id,
            Booking.state == state if state is not None else true(),
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True)
class ListedBooking:
    """One row of a list of bookings."""

    booking: Booking
    space: Space
    venue: Venue
    organisation_name: str | None
    person_name: str


def with_all(query: Query) -> Query:
    """A statement over bookings with the space, the place, the person and the organisation of each beside it."""
    return (
        query.join(Space, (Space.city_id == Booking.city_id) & (Space.id == Booking.space_id))
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(Person, (Person.city_id == Booking.city_id) & (Person.id == Booking.person_id))
        .outerjoin(
            Organisation,
            (Organisation.city_id == Booking.city_id) & (Organisation.id == Booking.organisation_id),
        )
    )


def listed(
    session: Session, which: ColumnElement[bool], *order: Any, limit: int, offset: int = 0
) -> list[ListedBooking]:
    rows = session.execute(
        with_all(select(Booking, Space, Venue, Organisation.name, Person.name))
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
    """The bookings that the person has been added to, as an actor carries them."""
    rows = session.execute(booking_roles(city_id, person_id, now()))
    return {(kind, booking_id): role for kind, booking_id, role in rows}


def booking_roles(city_id: Any, person_id: Any, at: Any) -> Select[str, int, str]:
    """The same as a query, see `marketplace.part.Grants`."""
    ids = added_to(city_id, person_id, at=at)
    return ids.with_only_columns(literal("booking"), BookingPerson.booking_id, literal("responsible"))


def added_to(city_id: Any, person_id: Any, *, at: Any) -> Select[int]:
    """The ids of the bookings that the person looks after for somebody else; not of those long over."""
    return (
        select(BookingPerson.booking_id)
        .join(Booking, (Booking.city_id == BookingPerson.city_id) & (Booking.id == BookingPerson.booking_id))
        .where(
            BookingPerson.city_id == city_id,
            BookingPerson.person_id == person_id,
            func.upper(Booking.during) > at - RESPONSIBLE_AFTER,
        )
    )


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
