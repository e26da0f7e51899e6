"""Reads of doors: how they open, which code a booking has, and which locks did not answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, LargeBinary, and_, exists, func, literal, or_, select, true
from sqlalchemy.orm import Session

from bookings.doors.models import AccessGrant, DoorCode, SealedSecret, SpaceDoor
from bookings.doors.rules import ADMITTED, MOST_MINUTES_BEFORE, USUAL_MINUTES_BEFORE
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import ListedBooking, listed, whose
from marketplace.accounts.actor import Actor
from marketplace.db import Localised
from marketplace.sealing import NAME_BYTES, key_names
from spaces.catalog.desk_queries import workplaces
from spaces.catalog.models import Space
from spaces.catalog.policy import HANDLE

Sealed = TypeVar("Sealed", AccessGrant, DoorCode)

MOST_SHOWN = 20
EARLIEST = timedelta(minutes=MOST_MINUTES_BEFORE)


def door_of(session: Session, space: Space) -> SpaceDoor:
    """How the space's door opens; a new row that says "none", not yet of the session, where nothing is said."""
    return session.get(SpaceDoor, (space.city_id, space.id)) or SpaceDoor(
        city_id=space.city_id,
        space_id=space.id,
        method="none",
        provider="static",
        texts={},
        minutes_before=USUAL_MINUTES_BEFORE,
        choice="by_date",
    )


def grant_of(session: Session, booking: Booking) -> AccessGrant | None:
    return session.scalar(
        select(AccessGrant).where(
            AccessGrant.city_id == booking.city_id, AccessGrant.booking_id == booking.id
        )
    )


def locked_grant(session: Session, city_id: int, booking_id: int) -> AccessGrant | None:
    return session.scalar(
        select(AccessGrant)
        .where(AccessGrant.city_id == city_id, AccessGrant.booking_id == booking_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def codes_of(session: Session, space: Space, *, from_day: date) -> Sequence[DoorCode]:
    """The codes that are not over before `from_day`, the first one first."""
    return session.scalars(
        select(DoorCode)
        .where(
            DoorCode.city_id == space.city_id,
            DoorCode.space_id == space.id,
            or_(DoorCode.valid_to.is_(None), DoorCode.valid_to >= from_day),
        )
        .order_by(DoorCode.valid_from, DoorCode.id)
    ).all()


def code_count(session: Session, space: Space) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(DoorCode)
            .where(DoorCode.city_id == space.city_id, DoorCode.space_id == space.id)
        )
        or 0
    )


@dataclass(frozen=True)
class OpenDoor:
    """A booking of the reader's whose door they may open now."""

    listed: ListedBooking
    method: str
    texts: Localised
    secret: str | None


def open_doors(session: Session, actor: Actor, *, at: datetime) -> list[OpenDoor]:
    """The actor's and their organisations' bookings whose secrets are shown at this moment. Whether the actor may open
    each is for the caller to ask."""
    before = func.make_interval(0, 0, 0, 0, 0, SpaceDoor.minutes_before)
    which = and_(
        whose(actor),
        Booking.state.in_(sorted(ADMITTED)),
        func.upper(Booking.during) > at,
        Booking.during.op("&&")(func.tstzrange(literal(at), literal(at + EARLIEST))),
        exists().where(
            SpaceDoor.city_id == Booking.city_id,
            SpaceDoor.space_id == Booking.space_id,
            SpaceDoor.method != "none",
            func.lower(Booking.during) - before <= at,
        ),
    )
    rows = listed(session, which, func.lower(Booking.during), limit=MOST_SHOWN)
    if not rows:
        return []
    city_id = actor.city_id
    doors = {
        door.space_id: door
        for door in session.scalars(
            select(SpaceDoor).where(
                SpaceDoor.city_id == city_id, SpaceDoor.space_id.in_([row.space.id for row in rows])
            )
        )
    }
    secrets = {
        grant.booking_id: grant.secret
        for grant in session.scalars(
            select(AccessGrant).where(
                AccessGrant.city_id == city_id,
                AccessGrant.booking_id.in_([row.booking.id for row in rows]),
                AccessGrant.state == "ready",
            )
        )
    }
    return [
        OpenDoor(row, doors[row.space.id].method, doors[row.space.id].texts, secrets.get(row.booking.id))
        for row in rows
    ]


def without_code(session: Session, actor: Actor, *, at: datetime) -> list[ListedBooking]:
    """Bookings at the actor's places whose lock did not answer, the next one first."""
    failed = exists().where(
        AccessGrant.city_id == Booking.city_id,
        AccessGrant.booking_id == Booking.id,
        AccessGrant.state == "failed",
    )
    which = and_(
        Booking.city_id == actor.city_id,
        Booking.state == "confirmed",
        func.upper(Booking.during) > at,
        workplaces(actor, HANDLE),
        failed,
    )
    return listed(session, which, func.lower(Booking.during), limit=MOST_SHOWN)


def bookings_to_mend(
    session: Session, city_id: int, *, at: datetime, limit: int, space_id: int | None = None
) -> Sequence[int]:
    """Bookings whose access is not as it should be and is to be looked at now, in all or at one space."""
    here = Booking.space_id == space_id if space_id is not None else true()
    valid_from = func.lower(Booking.during) - func.make_interval(0, 0, 0, 0, 0, SpaceDoor.minutes_before)
    should_have = and_(
        Booking.state == "confirmed", func.upper(Booking.during) > at, SpaceDoor.method == "code"
    )
    waits = or_(AccessGrant.retry_at.is_(None), AccessGrant.retry_at > at)
    as_it_should_be = and_(
        AccessGrant.provider == SpaceDoor.provider,
        AccessGrant.space_id == Booking.space_id,
        AccessGrant.valid == func.tstzrange(valid_from, func.upper(Booking.during)),
        or_(
            and_(AccessGrant.state == "ready", can_be_read(AccessGrant)),
            and_(AccessGrant.state.in_(["pending", "failed"]), waits),
        ),
    )
    lacking = (
        select(Booking.id)
        .join(SpaceDoor, (SpaceDoor.city_id == Booking.city_id) & (SpaceDoor.space_id == Booking.space_id))
        .outerjoin(
            AccessGrant, (AccessGrant.city_id == Booking.city_id) & (AccessGrant.booking_id == Booking.id)
        )
        .where(Booking.city_id == city_id, here, should_have, or_(AccessGrant.id.is_(None), ~as_it_should_be))
        .order_by(func.lower(Booking.during))
        .limit(limit)
    )
    left_over = (
        select(AccessGrant.booking_id)
        .join(Booking, (Booking.city_id == AccessGrant.city_id) & (Booking.id == AccessGrant.booking_id))
        .outerjoin(
            SpaceDoor, (SpaceDoor.city_id == Booking.city_id) & (SpaceDoor.space_id == Booking.space_id)
        )
        .where(
            AccessGrant.city_id == city_id,
            here,
            AccessGrant.state != "revoked",
            func.upper(AccessGrant.valid) > at,
            or_(Booking.state.not_in(sorted(ADMITTED)), func.coalesce(SpaceDoor.method, "none") != "code"),
            or_(AccessGrant.state == "ready", AccessGrant.retry_at <= at),
        )
        .order_by(AccessGrant.booking_id)
        .limit(limit)
    )
    return [*session.scalars(lacking), *session.scalars(left_over)]


def can_be_read(kind: type[SealedSecret]) -> ColumnElement[bool]:
    """Whether a row's secret is there and its key is known."""
    return or_(kind.plain.is_not(None), key_name(kind).in_(key_names()))


def key_name(kind: type[SealedSecret]) -> ColumnElement[bytes]:
    return func.substring(kind.sealed, 1, NAME_BYTES, type_=LargeBinary)


def to_seal(session: Session, kind: type[Sealed], city_id: int, *, limit: int) -> Sequence[Sealed]:
    """Rows whose secret is not sealed with the present key, though it can be read, locked; who is busy with one seals it
    anyway."""
    return session.scalars(
        select(kind)
        .where(
            kind.city_id == city_id,
            can_be_read(kind),
            or_(kind.plain.is_not(None), key_name(kind) != key_names()[0]),
        )
        .order_by(kind.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def with_codes(session: Session, city_id: int, booking_ids: Collection[int]) -> Sequence[int]:
    """Those of the bookings whose space has door codes, or that have had one."""
    return session.scalars(
        select(Booking.id)
        .outerjoin(
            SpaceDoor, (SpaceDoor.city_id == Booking.city_id) & (SpaceDoor.space_id == Booking.space_id)
        )
        .outerjoin(
            AccessGrant, (AccessGrant.city_id == Booking.city_id) & (AccessGrant.booking_id == Booking.id)
        )
        .where(
            Booking.city_id == city_id,
            Booking.id.in_(list(booking_ids)),
            or_(SpaceDoor.method == "code", AccessGrant.id.is_not(None)),
        )
    ).all()
