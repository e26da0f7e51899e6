"""How much of a space one person or one organisation may have: open bookings at a time, hours in a week or a month.

A booking for oneself counts for the person, one for an organisation counts for the organisation, whoever makes it.
Requests that wait count like bookings. Weeks are Monday to Sunday and months calendar months in the city's zone, and a
booking that passes from one to the next counts in each by its own part, in hours that really pass.

Two bookings at once cannot both be the last one allowed: whoever books locks the row of the one it counts for first, and
counts afterwards. That row comes before every other lock of a booking, so a transaction that makes several bookings must
call `lock_subject` for all of them before the first.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.orm import Session

from bookings.lifecycle.errors import QuotaUsedUp, TooManyOpen
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import HOLDING, OPEN
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.db import span_of
from marketplace.timespan import Span, day_span, local_days
from spaces.catalog.models import Space


@dataclass(frozen=True)
class Period:
    """A local week or month: its first day, and from when to when."""

    kind: str
    first: date
    span: Span


@dataclass
class Counted:
    """What one person or organisation has at a space: open bookings, and the times that count for a quota."""

    open: int = 0
    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True)
class Left:
    """What is left of a quota in a period, before the wished time; minutes."""

    period: Period
    left_minutes: int
    quota_minutes: int


def period_around(day: date, kind: str, zone: ZoneInfo) -> Period:
    """The week or month of a local date."""
    if kind == "week":
        first = day - timedelta(days=day.weekday())
        last = first + timedelta(days=6)
    else:
        first = day.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Period(kind, first, Span(day_span(first, zone).start, day_span(last, zone).end))


def periods_of(during: Span, kind: str, zone: ZoneInfo) -> list[Period]:
    """The weeks or months that a time touches, in order."""
    found: dict[date, Period] = {}
    for day in local_days(during, zone):
        period = period_around(day, kind, zone)
        found.setdefault(period.first, period)
    return list(found.values())


def minutes_within(spans: Sequence[Span], period: Period) -> int:
    """Elapsed minutes of these times inside the period, begun ones whole."""
    parts = [part.length for span in spans if (part := span.clipped(period.span))]
    return -int(-sum(parts, timedelta()) // timedelta(minutes=1))


def left_of(counted: Counted, period: Period, quota_hours: int) -> Left:
    quota = quota_hours * 60
    return Left(period, max(0, quota - minutes_within(counted.spans, period)), quota)


def has_limits(space: Space, organisation_id: int | None) -> bool:
    """Whether anything is counted for a booking of this kind."""
    most = space.max_open_per_person if organisation_id is None else space.max_open_per_organisation
    return most is not None or space.quota_hours is not None


def lock_subject(session: Session, space: Space, *, person_id: int, organisation_id: int | None) -> None:
    """Let nobody else count for the same person or organisation until the end of the transaction.

    Weaker than FOR UPDATE: rows that refer to the person can still be written meanwhile.
    """
    if not has_limits(space, organisation_id):
        return
    kind = Person if organisation_id is None else Organisation
    id_ = person_id if organisation_id is None else organisation_id
    session.execute(
        select(kind.id).where(kind.city_id == space.city_id, kind.id == id_).with_for_update(key_share=True)
    )


def counted_for(
    session: Session,
    space: Space,
    *,
    person_id: int,
    organisation_ids: Collection[int | None],
    within: Span | None,
    at: datetime,
    but: int | None = None,
) -> dict[int | None, Counted]:
    """What oneself (None) and these organisations have at the space, without the booking `but`: in one statement."""
    found: dict[int | None, Counted] = {id_: Counted() for id_ in organisation_ids}
    ids = [id_ for id_ in organisation_ids if id_ is not None]
    whose = or_(
        and_(Booking.person_id == person_id, Booking.organisation_id.is_(None)),
        Booking.organisation_id.in_(ids),
    )
    ahead = and_(Booking.state.in_(sorted(OPEN)), func.upper(Booking.during) > literal(at))
    inside = (
        and_(
            Booking.state.in_(sorted(HOLDING)),
            Booking.during.op("&&")(func.tstzrange(within.start, within.end)),
        )
        if within is not None
        else literal(False)
    )
    for organisation_id, during, is_open in session.execute(
        select(Booking.organisation_id, Booking.during, ahead).where(
            Booking.city_id == space.city_id,
            Booking.space_id == space.id,
            # A time that is only held counts when the person says yes to it.
            Booking.requested_at.is_not(None),
            Booking.id != but if but is not None else literal(True),
            whose,
            or_(ahead, inside),
        )
    ):
        if organisation_id in found:
            one = found[organisation_id]
            one.open += bool(is_open)
            one.spans.append(span_of(during))
    return found


def window_of(space: Space, during: Span, zone: ZoneInfo) -> Span | None:
    """From the beginning of the first week or month that counts to the end of the last."""
    if space.quota_hours is None:
        return None
    periods = periods_of(during, space.quota_period, zone)
    return Span(periods[0].span.start, periods[-1].span.end)


def refusal_of(
    space: Space, organisation_id: int | None, counted: Counted, during: Span, zone: ZoneInfo
) -> TooManyOpen | QuotaUsedUp | None:
    """Which limit one more booking at this time would break."""
    most = space.max_open_per_person if organisation_id is None else space.max_open_per_organisation
    if most is not None and counted.open >= most:
        return TooManyOpen(open=counted.open, most=most)
    if space.quota_hours is not None:
        for period in periods_of(during, space.quota_period, zone):
            left = left_of(counted, period, space.quota_hours)
            if minutes_within([during], period) > left.left_minutes:
                return QuotaUsedUp(
                    kind=period.kind,
                    first=period.first,
                    left_minutes=left.left_minutes,
                    quota_minutes=left.quota_minutes,
                )
    return None


def check_limits(
    session: Session,
    city: City,
    space: Space,
    *,
    person_id: int,
    organisation_id: int | None,
    during: Span,
    at: datetime,
    but: int | None = None,
) -> None:
    """Raises TooManyOpen, QuotaUsedUp. The subject must be locked; the booking `but` is to become this one."""
    check_many(
        session,
        city,
        space,
        person_id=person_id,
        organisation_id=organisation_id,
        spans=[during],
        at=at,
        but=but,
    )


def check_many(
    session: Session,
    city: City,
    space: Space,
    *,
    person_id: int,
    organisation_id: int | None,
    spans: Sequence[Span],
    at: datetime,
    but: int | None = None,
) -> None:
    """As `check_limits` for several times at once, each of which counts for those after it."""
    if not spans or not has_limits(space, organisation_id):
        return
    whole = Span(min(span.start for span in spans), max(span.end for span in spans))
    counted = counted_for(
        session,
        space,
        person_id=person_id,
        organisation_ids=[organisation_id],
        within=window_of(space, whole, city.zone),
        at=at,
        but=but,
    )[organisation_id]
    for span in sorted(spans):
        refusal = refusal_of(space, organisation_id, counted, span, city.zone)
        if refusal is not None:
            raise refusal
        counted.open += 1
        counted.spans.append(span)


Standings = dict[int | None, tuple[TooManyOpen | QuotaUsedUp | None, list[Left]]]


def standings(
    session: Session,
    city: City,
    space: Space,
    *,
    person_id: int,
    organisation_ids: Collection[int | None],
    during: Span,
    at: datetime,
) -> Standings:
    """For each choice of whom to book for: what stands in the way, and what is left of the quota. Locks nothing."""
    if not any(has_limits(space, id_) for id_ in organisation_ids):
        return {id_: (None, []) for id_ in organisation_ids}
    counted = counted_for(
        session,
        space,
        person_id=person_id,
        organisation_ids=organisation_ids,
        within=window_of(space, during, city.zone),
        at=at,
    )
    hours = space.quota_hours
    periods = periods_of(during, space.quota_period, city.zone) if hours is not None else []
    return {
        id_: (
            refusal_of(space, id_, one, during, city.zone),
            [left_of(one, period, hours) for period in periods] if hours is not None else [],
        )
        for id_, one in counted.items()
    }
