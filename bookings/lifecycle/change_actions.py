"""Another time, space or number of people for a booking: one transaction, in which what one has is never lost.

A change that needs the owner's yes asks for it by a request of its own, which holds the new time beside the old one and
takes its place when it is approved.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from psycopg.types.range import TimestamptzRange
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle import limits, policy
from bookings.lifecycle.actions import (
    agree,
    check_attendees,
    check_time,
    discount_of,
    new_booking,
    pricing_on,
    schedule_for,
    sell,
    state_of_new,
    take_time,
)
from bookings.lifecycle.asked import check_asked
from bookings.lifecycle.details import NO_DETAILS, Details
from bookings.lifecycle.errors import (
    BuildDaysWrong,
    ChangeOverlaps,
    ChangePending,
    InThePast,
    NotChangeable,
    NotOnOffer,
    PaidAlready,
    PriceChanged,
)
from bookings.lifecycle.models import Booking, BookingAnswer, BookingExtra
from bookings.lifecycle.queries import details_of, locked_booking, pending_change
from bookings.lifecycle.rules import CHANGEABLE, held_together, hull
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.jobs.messages import publish
from marketplace.money import Money
from marketplace.timespan import Span, day_span
from spaces.calendar.actions import move_claims
from spaces.calendar.queries import booking_rules, calendar_of
from spaces.calendar.rules import DAY, offers
from spaces.catalog.models import Space
from spaces.pricing.actions import release_code
from spaces.pricing.cancelling import Schedule, carried_on
from spaces.pricing.queries import discount_of_holder
from spaces.pricing.rules import Quote, at_least

# How far past midnight a time of a day may end.
NIGHT = timedelta(hours=6)


@dataclass(frozen=True)
class Change:
    """What a booking is to become."""

    space: Space
    during: Span
    attendees: int | None


@dataclass(frozen=True)
class ChangeTerms:
    """What a change costs and whether the owner has to say yes to it; `difference` may be negative."""

    price: Quote
    difference: Money
    needs_approval: bool


def change_terms(
    session: Session, city: City, booking: Booking, change: Change, *, actor: Actor, at: datetime
) -> ChangeTerms:
    """The terms of a change that can be made now; changes nothing.

    Raises NoRightToCancel for who may not, NotChangeable, ChangePending, the refusals of `policy.require_may_book` for
    the new space, TooManyPeople, AttendeesOutOfRange, a TimeNotBookable, SlotTaken, ChangeOverlaps, PaidAlready.
    """
    policy.require_may_cancel(actor, booking)
    was, space = booking.span, change.space
    if booking.state not in CHANGEABLE or was.start <= at or booking.replaces_id is not None:
        raise NotChangeable(state=booking.state)
    if pending_change(session, booking) is not None:
        raise ChangePending
    policy.require_may_book(actor, space, booking.organisation_id)
    check_attendees(space, change.attendees)
    if change.during.start <= at:
        raise InThePast
    inside = lies_inside(booking, change)
    if change.during != was or space.id != booking.space_id:
        # What is given back was asked for in time, so the rest of it is too.
        asked = booking.requested_at if inside and booking.requested_at else at
        check_time(session, city, space, booking_rules(space), change.during, at=asked, but=booking.id)
    if space.id != booking.space_id:
        # What another space asks is answered in its own checkout.
        check_asked(
            session,
            city,
            space,
            actor=actor,
            organisation_id=booking.organisation_id,
            during=change.during,
            details=NO_DETAILS,
            at=at,
        )
    limits.check_limits(
        session,
        city,
        space,
        person_id=booking.person_id,
        organisation_id=booking.organisation_id,
        during=change.during,
        at=at,
        but=booking.id,
    )
    needs_approval = booking.state == "confirmed" and not inside and owner_confirms(session, booking, space)
    if needs_approval and not can_wait(session, city, booking, space, [change.during]):
        raise ChangeOverlaps
    day = change.during.start.astimezone(city.zone).date()
    price = changed_prices(session, city, booking, space, day, at=at)(change.during)
    # What has been paid by card or is invoiced, its order settles; what is only set aside cannot become more or less.
    is_settled = booking.payment == "paid" and booking.way == "on_the_spot"
    if (is_settled or booking.payment == "authorised") and price.total.minor != booking.total_minor:
        raise PaidAlready
    difference = price.total - Money(booking.total_minor, booking.currency)
    return ChangeTerms(price, difference, needs_approval)


@dataclass(frozen=True)
class OfferedChange:
    """A free time that the booking could have instead of its own."""

    span: Span
    total: Money
    difference: Money
    needs_approval: bool


def offered_changes(
    session: Session, city: City, booking: Booking, space: Space, day: date, *, minutes: int, at: datetime
) -> list[OfferedChange]:
    """The times of one local day that the booking could have; what it holds itself counts as free. A shorter time within
    the present one may begin however soon."""
    rules = booking_rules(space)
    within = day_span(day, city.zone).widened(after=NIGHT)
    window = Span(within.start - DAY, within.end + DAY)
    calendar = calendar_of(session, city.id, space.id, window, city.zone, but=booking.id)

    def free(now: datetime) -> list[Span]:
        return offers(calendar, rules, minutes=minutes, within=within, zone=city.zone, now=now)

    spans = {span for span in free(at) if span.start > at}
    if space.id == booking.space_id and booking.requested_at is not None:
        own = booking.span
        spans |= {s for s in free(booking.requested_at) if own.start <= s.start and s.end <= own.end}
    try:
        price_of = changed_prices(session, city, booking, space, day, at=at)
    except NotOnOffer:
        return []
    by_owner = booking.state == "confirmed" and owner_confirms(session, booking, space)
    waits = can_wait(session, city, booking, space, sorted(spans)) if by_owner else frozenset(spans)
    found = []
    for span in sorted(spans):
        if span.start.astimezone(city.zone).date() != day or span.start <= at:
            continue
        asks = by_owner and not lies_inside(booking, Change(space, span, booking.attendees))
        if asks and span not in waits:
            continue
        try:
            total = price_of(span).total
        except BuildDaysWrong:  # too short for the days that build up and tear down
            continue
        found.append(OfferedChange(span, total, total - Money(booking.total_minor, booking.currency), asks))
    return found


def can_wait(
    session: Session, city: City, booking: Booking, space: Space, spans: Sequence[Span]
) -> frozenset[Span]:
    """Those of these times that a request can hold until it is answered, while everybody keeps what they have, the one
    who asks as well: together with the present time where the two meet, else beside it, whatever parts and buffers the
    old booking and the new one share."""
    if not spans:
        return frozenset()
    rules = booking_rules(space)
    whole = Span(min(spans[0].start, booking.span.start) - DAY, max(spans[-1].end, booking.span.end) + DAY)
    calendars = {
        but: calendar_of(session, city.id, space.id, whole, city.zone, but=but) for but in (None, booking.id)
    }

    def waits(span: Span) -> bool:
        if space.id == booking.space_id and held_together(booking.span, span):
            both = hull(booking.span, span)
            return calendars[booking.id].admits(both, rules.before, rules.after)
        return calendars[None].admits(span, rules.before, rules.after)

    return frozenset(span for span in spans if waits(span))


def owner_confirms(session: Session, booking: Booking, space: Space) -> bool:
    """Whether a new booking of the space, for whom this one is, would wait for its owner."""
    return state_of_new(session, space, booking.organisation_id) == "awaiting_approval"


def changed_prices(
    session: Session, city: City, booking: Booking, space: Space, day: date, *, at: datetime
) -> Callable[[Span], Quote]:
    """What the booking then costs, for times of the space that begin on `day`: its own discount holds, and what is due
    already stays due. Raises what `pricing_on` raises."""
    same = space.id == booking.space_id
    told = details_of(session, booking)
    pricing = pricing_on(
        session,
        city,
        space,
        day,
        [booking.organisation_id],
        at=at,
        details=told if same else Details(extras=told.extras),
        discount=discount_of_holder(session, city.id, booking.id) if same else None,
    )
    kept = booking.kept_at(at)
    # Else one would change to something cheap instead of cancelling.
    return lambda during: at_least(pricing.quote(during, booking.organisation_id), kept)


def change_booking(
    session: Session,
    city: City,
    booking: Booking,
    change: Change,
    *,
    actor: Actor,
    at: datetime,
    submission: str,
    expected_total_minor: int | None = None,
) -> Booking:
    """Change it, or ask its owner to; returns the booking, or the request that is to replace it.

    `expected_total_minor` is the price that the person saw. Raises what `change_terms` raises, and PriceChanged; then the
    booking is as it was and the transaction is usable.
    """
    limits.lock_subject(
        session, change.space, person_id=booking.person_id, organisation_id=booking.organisation_id
    )
    locked_booking(session, booking)
    if is_same(booking, change):
        return booking
    terms = change_terms(session, city, booking, change, actor=actor, at=at)
    total = terms.price.total
    if expected_total_minor is not None and total.minor > expected_total_minor:
        raise PriceChanged(total_minor=total.minor, currency=total.currency)
    if terms.needs_approval:
        return ask_for_change(
            session, city, booking, change, terms.price, actor=actor, at=at, submission=submission
        )
    before = facts_of(booking)
    space, rules = change.space, booking_rules(change.space)
    with session.begin_nested():
        if change.during != booking.span or space.id != booking.space_id:
            move_claims(session, city, space.id, holder_id=booking.id, body=change.during, rules=rules)
        if space.id != booking.space_id and discount_of(booking):
            release_code(session, city.id, holder_id=booking.id)
        agreed, in_steps = booking.schedule, bool(booking.cancel_tiers)
        booking.space_id, booking.attendees = space.id, change.attendees
        booking.during = TimestamptzRange(change.during.start, change.during.end)
        booking.changed_at = at
        payment = booking.payment
        sell(booking, terms.price)
        if payment in {"authorised", "paid"}:
            booking.payment = payment
        carry_on(booking, space, terms.price, agreed=agreed, in_steps=in_steps, at=at)
        session.flush()
    after = facts_of(booking)
    audit(session, actor, "booking.changed", "booking", booking.id, before=before, after=after)
    publish(session, "booking.changed", city_id=city.id, booking_id=booking.id, before=before, after=after)
    session.flush()
    return booking


def carry_on(
    booking: Booking, space: Space, price: Quote, *, agreed: Schedule, in_steps: bool, at: datetime
) -> None:
    """Let the changed booking, which has its new time already, cost to cancel what its new price says, and no less than
    what was due by what was `agreed` on before, `in_steps` or not."""
    following = schedule_for(booking, space, price)
    carried = carried_on(agreed, following, at=at)
    booking.agree_on(carried, in_steps=bool(price.cancel.tiers) or (in_steps and carried is not following))


def ask_for_change(
    session: Session,
    city: City,
    booking: Booking,
    change: Change,
    price: Quote,
    *,
    actor: Actor,
    at: datetime,
    submission: str,
) -> Booking:
    """A request that holds the new time; the old booking stands until it is approved."""
    request = new_booking(
        city,
        change.space,
        booking.person_id,
        change.during,
        submission=submission,
        source=booking.source,
        at=at,
    )
    request.replaces_id = booking.id
    request.series_id, request.position = booking.series_id, booking.position
    agree(
        request,
        change.space,
        price,
        state="awaiting_approval",
        organisation_id=booking.organisation_id,
        purpose=booking.purpose,
        attendees=change.attendees,
        at=at,
    )
    in_steps = bool(booking.cancel_tiers)
    carry_on(request, change.space, price, agreed=booking.schedule, in_steps=in_steps, at=at)
    with session.begin_nested():
        session.add(request)
        session.flush()
        repeat_told(session, booking, request)
        take_time(session, city, request)
    audit(
        session,
        actor,
        "booking.requested",
        "booking",
        request.id,
        state=request.state,
        source=request.source,
        replaces=booking.reference,
    )
    audit(session, actor, "booking.change-asked", "booking", booking.id, request=request.reference)
    publish(session, "booking.requested", city_id=city.id, booking_id=request.id)
    session.flush()
    return request


def repeat_told(session: Session, booking: Booking, request: Booking) -> None:
    """Let the request say what the booking said: the equipment it is priced with, answers, accepted terms, the use."""
    request.outdoor_use = booking.outdoor_use if request.space_id == booking.space_id else {}
    request.terms_version, request.terms_accepted_at = booking.terms_version, booking.terms_accepted_at
    for kind in (BookingExtra, BookingAnswer):
        rows = session.scalars(
            select(kind).where(kind.city_id == booking.city_id, kind.booking_id == booking.id)
        )
        for row in rows:
            values = {column.key: getattr(row, column.key) for column in kind.__table__.columns}
            session.add(kind(**{**values, "booking_id": request.id}))
    session.flush()


def lies_inside(booking: Booking, change: Change) -> bool:
    """Whether the owner has said yes to all of this already: less time of the same space for no more people."""
    fewer = change.attendees is None or (
        booking.attendees is not None and change.attendees <= booking.attendees
    )
    same = change.attendees == booking.attendees
    return (
        change.space.id == booking.space_id
        and booking.span.start <= change.during.start
        and change.during.end <= booking.span.end
        and (fewer or same)
    )


def is_same(booking: Booking, change: Change) -> bool:
    return (booking.space_id, booking.span, booking.attendees) == (
        change.space.id,
        change.during,
        change.attendees,
    )


def facts_of(booking: Booking) -> dict[str, object]:
    """What a change may change, for the audit trail and the mail."""
    return {
        "space_id": booking.space_id,
        "start": booking.span.start.isoformat(),
        "end": booking.span.end.isoformat(),
        "attendees": booking.attendees,
        "total_minor": booking.total_minor,
    }
