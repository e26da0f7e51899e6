"""Closing a space for a while, and opening it again.

Nothing that is booked is dropped silently: a closing names what to keep and what to cancel, and is refused as long as
anything else is in its way. Order of locks: holders' rows, then units by id, then day sheets.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from psycopg.errors import ExclusionViolation
from psycopg.types.range import TimestamptzRange
from sqlalchemy import bindparam, delete, insert, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import span_of
from marketplace.timespan import Span
from spaces.calendar import sheets
from spaces.calendar.actions import release_claims
from spaces.calendar.errors import (
    BookingsInTheWay,
    ClosingNotFound,
    ClosingOver,
    ClosingTooLong,
    ReasonNeeded,
    SlotTaken,
)
from spaces.calendar.holders import Holders, NoHolders
from spaces.calendar.models import Claim, Closure
from spaces.calendar.policy import require_may_set_hours
from spaces.calendar.queries import takings
from spaces.calendar.rules import Taking, closed_stretches
from spaces.catalog.models import Space, SpaceUnit, Venue

LONGEST = timedelta(days=731)

LOCK_UNITS = text("""
    SELECT id, lanes FROM unit WHERE city_id = :city_id AND id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


def close_space(
    session: Session,
    city: City,
    space: Space,
    during: Span,
    reasons: Mapping[str, str],
    *,
    actor: Actor,
    keep: Collection[int] = (),
    cancel: Collection[int] = (),
    holders: Holders | None = None,
    at: datetime | None = None,
) -> list[Closure]:
    """Close the space, but for what `keep` (ids of holders) has of it; `cancel` are given up, with notice.

    A closing that has begun already holds from now on. Returns its stretches. Raises NotYourVenue, ClosingOver,
    ClosingTooLong, ReasonNeeded, CannotGiveUp, and BookingsInTheWay while anything is in neither list: the caller's
    transaction must then be rolled back.
    """
    at = at or now()
    holders = holders or NoHolders()
    require_may_set_hours(actor, session.get_one(Venue, (city.id, space.venue_id)))
    begun = at.replace(second=0, microsecond=0)
    if during.end <= at:
        raise ClosingOver
    if during.length > LONGEST:
        raise ClosingTooLong
    during = Span(max(during.start, begun), during.end)
    if cancel and not any(reasons.values()):
        raise ReasonNeeded
    in_the_way = {one.holder_id for one in takings(session, city.id, space.id, during)}
    given_up = sorted(in_the_way & set(cancel))
    holders.lock(session, city, given_up)
    lanes = _lock(session, city, space, during, given_up)
    holders.give_up(session, city, given_up, actor=actor, reasons=reasons, at=at)
    left = takings(session, city.id, space.id, during)
    # What has been given up may have kept the time of another holder, which stands in the way only now.
    if behind := sorted({one.holder_id for one in left} & set(cancel) - set(given_up)):
        holders.give_up(session, city, behind, actor=actor, reasons=reasons, at=at)
        given_up = sorted({*given_up, *behind})
        left = takings(session, city.id, space.id, during)
    kept: list[Taking] = []
    undecided: set[int] = set()
    for one in left:
        kept.append(one)
        if one.holder_id not in keep:
            undecided.add(one.holder_id)
    if undecided:
        raise BookingsInTheWay(sorted(undecided))
    closures = _hold(session, city, space, closed_stretches(lanes, during, kept), reasons)
    sheets.refresh_days(session, city.id, sorted({unit_id for unit_id, _ in lanes}), during, city.zone)
    audit(
        session,
        actor,
        "space.closed",
        "space",
        space.id,
        before=None,
        after={
            "closing": closures[0].closing_id if closures else None,
            "start": during.start.isoformat(),
            "end": during.end.isoformat(),
            "reasons": dict(reasons),
            "kept": sorted({one.holder_id for one in kept}),
            "cancelled": given_up,
        },
    )
    session.flush()
    return closures


def _lock(
    session: Session, city: City, space: Space, during: Span, given_up: Collection[int]
) -> list[tuple[int, int]]:
    """Lock the units and sheets of the closing and of what it gives up at once; returns the space's (unit, lane)s."""
    own = set(
        session.scalars(
            select(SpaceUnit.unit_id).where(SpaceUnit.city_id == city.id, SpaceUnit.space_id == space.id)
        )
    )
    held = session.execute(
        select(Claim.unit_id, Claim.during).where(Claim.city_id == city.id, Claim.holder_id.in_(given_up))
    ).all()
    unit_ids = sorted(own | {unit_id for unit_id, _ in held})
    lanes: dict[int, int] = dict(session.execute(LOCK_UNITS, {"city_id": city.id, "ids": unit_ids}).all())
    spans = [during, *(span_of(claimed) for _, claimed in held)]
    sheets.lock_days(session, city.id, unit_ids, spans, city.zone)
    return [(unit_id, lane) for unit_id in sorted(own) for lane in range(lanes[unit_id])]


def _hold(
    session: Session,
    city: City,
    space: Space,
    stretches: Mapping[Span, list[tuple[int, int]]],
    reasons: Mapping[str, str],
) -> list[Closure]:
    """A row and its claims for each stretch."""
    closures: list[Closure] = []
    rows = []
    for stretch in sorted(stretches):
        closure = Closure(
            city_id=city.id,
            space_id=space.id,
            closing_id=closures[0].id if closures else None,
            during=TimestamptzRange(stretch.start, stretch.end),
            reasons={language: words for language, words in reasons.items() if words},
        )
        session.add(closure)
        session.flush()
        closure.closing_id = closure.closing_id or closure.id
        closures.append(closure)
        rows += [
            {
                "city_id": city.id,
                "holder_id": closure.id,
                "unit_id": unit_id,
                "lane": lane,
                # As a buffer it meets bodies only: neither the buffers of bookings beside it nor another closing.
                "part": 1,
                "during": TimestamptzRange(stretch.start, stretch.end),
            }
            for unit_id, lane in stretches[stretch]
        ]
    session.flush()
    if not rows:
        return closures
    try:
        with session.begin_nested():
            session.execute(insert(Claim), rows)
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation):
            raise SlotTaken from error
        raise
    return closures


def reopen_space(session: Session, city: City, space: Space, closing_id: int, *, actor: Actor) -> None:
    """End a closing: all its stretches are free again. Raises NotYourVenue, ClosingNotFound."""
    require_may_set_hours(actor, session.get_one(Venue, (city.id, space.venue_id)))
    parts = session.scalars(
        select(Closure)
        .where(
            Closure.city_id == city.id,
            Closure.space_id == space.id,
            or_(Closure.closing_id == closing_id, Closure.id == closing_id),
        )
        .order_by(Closure.id)
        .with_for_update()
    ).all()
    if not parts:
        raise ClosingNotFound
    ids = [part.id for part in parts]
    held = session.execute(
        select(Claim.unit_id, Claim.during).where(Claim.city_id == city.id, Claim.holder_id.in_(ids))
    ).all()
    unit_ids = sorted({unit_id for unit_id, _ in held})
    session.execute(LOCK_UNITS, {"city_id": city.id, "ids": unit_ids})
    sheets.lock_days(session, city.id, unit_ids, [span_of(claimed) for _, claimed in held], city.zone)
    for holder_id in ids:
        release_claims(session, city, holder_id=holder_id)
    spans = [span_of(part.during) for part in parts]
    session.execute(delete(Closure).where(Closure.city_id == city.id, Closure.id.in_(ids)))
    audit(
        session,
        actor,
        "space.reopened",
        "space",
        space.id,
        before={
            "closing": closing_id,
            "start": min(span.start for span in spans).isoformat(),
            "end": max(span.end for span in spans).isoformat(),
            "reasons": parts[0].reasons,
        },
        after=None,
    )
    session.flush()
