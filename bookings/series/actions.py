"""The verbs of a series, its only writers.

Order of locks: the series' row, then bookings by id, then units by id, then day sheets. A new series is inserted first,
so that a form that is sent twice waits for its first self on the unique constraint and not inside the calendar.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.range import TimestamptzRange
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bookings.lifecycle import limits
from bookings.lifecycle import policy as bookings_policy
from bookings.lifecycle.actions import (
    Told,
    agree,
    breaks,
    check_attendees,
    discount_of,
    keep_told,
    move_all_to,
    new_booking,
    request_booking,
    state_of_new,
    write_told,
)
from bookings.lifecycle.asked import asked_of, check_asked
from bookings.lifecycle.details import NO_DETAILS, Details
from bookings.lifecycle.errors import PriceChanged, SubmissionUsed
from bookings.lifecycle.hold_actions import held_at, release_hold
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import held_together
from bookings.lifecycle.till import AGREED
from bookings.series import policy
from bookings.series.errors import (
    DateNotOpen,
    DatesTaken,
    NoDates,
    NothingToCancel,
    NothingWaits,
    OtherTimeUnfit,
)
from bookings.series.models import Series, SeriesSkip
from bookings.series.planning import LEFT_OUT, Ask, Occurrence, Priced, plan_series, total_of
from bookings.series.queries import locked_bookings, locked_series, series_of_submission
from bookings.series.rules import in_scope, is_ahead
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.errors import Refusal
from marketplace.ids import new_reference
from marketplace.jobs.messages import publish
from marketplace.money import Money
from marketplace.timespan import Span
from spaces.calendar.actions import Wanted, claim_times
from spaces.calendar.errors import SlotTaken
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space, SpaceQuestion, Venue
from spaces.catalog.policy import require_may_handle
from spaces.pricing.actions import use_code

SUBMITTED_ONCE = "uq_series_city_id_person_id_submission"


def create_series(
    session: Session,
    city: City,
    space: Space,
    ask: Ask,
    *,
    actor: Actor,
    purpose: str,
    attendees: int | None,
    organisation_id: int | None,
    submission: str,
    all_or_nothing: bool,
    at: datetime,
    source: str = "web",
    expected_total_minor: int | None = None,
    details: Details = NO_DETAILS,
) -> Series:
    """Book every date of the wish that can be had; keep the others with their reasons.

    With `all_or_nothing` every date that is not left out must be had, else DatesTaken. The same `submission` of the same
    person gives the series it has made already. `expected_total_minor` is the price of all dates that the person saw.
    `details` is what the space asks beside, told once and kept with each booking. Raises the refusals of
    `require_may_book`, `check_attendees`, `check_asked`, `limits.check_limits` and `plan_series`, PriceChanged, NoDates,
    SubmissionUsed, CodeUsedUp; then nothing is left behind and the transaction is usable.
    """
    person_id = bookings_policy.require_may_book(actor, space, organisation_id)
    spaces = [space, *(other.space for other in ask.instead.values())]
    for one in spaces:
        limits.lock_subject(session, one, person_id=person_id, organisation_id=organisation_id)
    known = series_of_submission(session, city.id, person_id, submission)
    if known is not None:
        return same_series(known, space, ask)
    for one in spaces:
        bookings_policy.require_may_book(actor, one, organisation_id)
        check_attendees(one, attendees)
    try:
        plan = plan_series(session, city, space, ask, organisation_id=organisation_id, at=at, details=details)
        questions = check_many(
            session, city, space, plan, actor=actor, organisation_id=organisation_id, details=details, at=at
        )
        check_plan(plan, city, all_or_nothing=all_or_nothing, expected_total_minor=expected_total_minor)
        with session.begin_nested():
            series = new_series(
                city,
                space,
                ask,
                person_id=person_id,
                organisation_id=organisation_id,
                purpose=purpose,
                attendees=attendees,
                submission=submission,
                source=source,
                at=at,
            )
            session.add(series)
            session.flush()
            made = book_dates(session, city, series, plan, all_or_nothing=all_or_nothing, at=at)
            keep_details(
                session, city, space, made, plan, questions=questions, actor=actor, details=details, at=at
            )
    except (Refusal, IntegrityError) as error:
        # Perhaps because of this very form, sent twice, whose first self has committed since the look above.
        known = series_of_submission(session, city.id, person_id, submission)
        if known is None or (isinstance(error, IntegrityError) and not breaks(error, SUBMITTED_ONCE)):
            raise
        return same_series(known, space, ask)
    audit(
        session,
        actor,
        "series.created",
        "series",
        series.id,
        bookings=[booking.id for booking in made],
        dates=len(plan),
        source=source,
    )
    for booking in made:
        audit(
            session,
            actor,
            "booking.requested",
            "booking",
            booking.id,
            state=booking.state,
            source=source,
            series=series.id,
        )
    publish(session, "series.created", city_id=city.id, series_id=series.id)
    session.flush()
    return series


def let_go_of_hold(session: Session, space: Space, during: Span, *, actor: Actor, at: datetime) -> None:
    """Who comes from the checkout of one date still holds it; it is to become the first of the series.

    In a transaction of its own, before `create_series`: there the units of all spaces are locked in one order.
    """
    hold = held_at(session, actor, space, during, at=at)
    if hold is not None:
        release_hold(session, hold, at=at)


def same_series(known: Series, space: Space, ask: Ask) -> Series:
    """The series that this submission has made, if it is the same request."""
    if (
        known.space_id != space.id
        or known.rule != ask.rule
        or (known.starts, known.minutes) != (ask.starts, ask.minutes)
    ):
        raise SubmissionUsed
    return known


def check_plan(
    plan: Sequence[Occurrence], city: City, *, all_or_nothing: bool, expected_total_minor: int | None
) -> None:
    """Raises DatesTaken, NoDates, PriceChanged."""
    refused = [one.day for one in plan if one.is_refused]
    if all_or_nothing and refused:
        raise DatesTaken(refused)
    if not any(one.booked for one in plan):
        raise NoDates
    total = total_of(plan, city.currency)
    if expected_total_minor is not None and total.minor > expected_total_minor:
        raise PriceChanged(total_minor=total.minor, currency=total.currency)


def new_series(
    city: City,
    space: Space,
    ask: Ask,
    *,
    person_id: int,
    organisation_id: int | None,
    purpose: str,
    attendees: int | None,
    submission: str,
    source: str,
    at: datetime,
) -> Series:
    rule = ask.rule
    return Series(
        city_id=city.id,
        reference=new_reference(),
        space_id=space.id,
        person_id=person_id,
        organisation_id=organisation_id,
        frequency=rule.frequency,
        every=rule.every,
        nth=rule.nth,
        first_day=rule.first,
        until_day=rule.until,
        times=rule.times,
        starts=ask.starts,
        minutes=ask.minutes,
        purpose=purpose,
        attendees=attendees,
        source=source,
        submission=submission,
        created_at=at,
        changed_at=at,
    )


def book_dates(
    session: Session,
    city: City,
    series: Series,
    plan: Sequence[Occurrence],
    *,
    all_or_nothing: bool,
    at: datetime,
) -> list[Booking]:
    """Claim all times of the plan at once and keep a booking of each; what somebody has taken meanwhile is skipped.

    Raises DatesTaken, NoDates.
    """
    booked = [(one, one.booked) for one in plan if one.booked is not None]
    ids = new_holder_ids(session, len(booked))
    wanted = [
        Wanted(id_, it.space.id, it.during, booking_rules(it.space), it.pieces)
        for id_, (_, it) in zip(ids, booked, strict=True)
    ]
    lost = claim_times(session, city, wanted)
    if lost and all_or_nothing:
        raise DatesTaken([one.day for id_, (one, _) in zip(ids, booked, strict=True) if id_ in lost])
    if len(lost) == len(booked):
        raise NoDates
    states = {it.space.id: state_of_new(session, it.space, series.organisation_id) for _, it in booked}
    made: dict[int, Booking] = {}
    for id_, (one, it) in zip(ids, booked, strict=True):
        if id_ in lost:
            continue
        booking = new_booking(
            city,
            it.space,
            series.person_id,
            it.during,
            submission=f"{series.submission}:{one.position}",
            source=series.source,
            at=at,
        )
        agree(
            booking,
            it.space,
            it.price,
            state=states[it.space.id],
            organisation_id=series.organisation_id,
            purpose=series.purpose,
            attendees=series.attendees,
            at=at,
        )
        booking.id, booking.series_id, booking.position = id_, series.id, one.position
        made[one.position] = booking
    session.add_all(made.values())
    session.flush()
    session.add_all(
        skip_of(series, one, made.get(one.position))
        for one in plan
        if one.position not in made or one.is_moved
    )
    session.flush()
    return list(made.values())


def check_many(
    session: Session,
    city: City,
    space: Space,
    plan: Sequence[Occurrence],
    *,
    actor: Actor,
    organisation_id: int | None,
    details: Details,
    at: datetime,
) -> Sequence[SpaceQuestion]:
    """What each space of the plan asks of its bookers and allows them; returns the questions of `space`, which `details`
    answers. What another space asks is answered in its own checkout, so it is none that can be had instead. Raises the
    refusals of `check_asked` and `limits.check_limits`, OtherTimeUnfit."""
    questions: Sequence[SpaceQuestion] = ()
    times: dict[int, list[Priced]] = {}
    for one in plan:
        if one.booked is not None:
            times.setdefault(one.booked.space.id, []).append(one.booked)
    for booked in times.values():
        here = booked[0].space
        if here.id != space.id and asked_of(session, here, actor).is_anything:
            raise OtherTimeUnfit
        # Who is too young is so on the first date, who is too old on the last.
        for during in {booked[0].during, booked[-1].during}:
            asked = check_asked(
                session,
                city,
                here,
                actor=actor,
                organisation_id=organisation_id,
                during=during,
                details=details if here.id == space.id else NO_DETAILS,
                at=at,
            )
        if here.id == space.id:
            questions = asked
        limits.check_many(
            session,
            city,
            here,
            person_id=actor.person_id or 0,
            organisation_id=organisation_id,
            spans=[one.during for one in booked],
            at=at,
        )
    return questions


def keep_details(
    session: Session,
    city: City,
    space: Space,
    made: Sequence[Booking],
    plan: Sequence[Occurrence],
    *,
    questions: Sequence[SpaceQuestion],
    actor: Actor,
    details: Details,
    at: datetime,
) -> None:
    """Keep with each booking of the space what was told once for all of them, and count each use of the code.

    Raises CodeUsedUp."""
    booked = {one.position: one.booked for one in plan if one.booked is not None}
    here = [booking for booking in made if booking.space_id == space.id]
    if questions or space.terms_version or details.extras or details.birth_date:
        for booking in here:
            it = booked[booking.position or 0]
            told = Told(questions, it.price, None, it.extras)
            write_told(booking, space, told, details=details, at=at)
            keep_told(session, city, space, booking, told, actor=actor, details=details, at=at)
    # Last of all, so that bookings with one code wait for each other with nothing more to lock.
    for booking in here:
        if word := discount_of(booking):
            use_code(session, space, word, holder_id=booking.id, day=at.astimezone(city.zone).date())


def new_holder_ids(session: Session, count: int) -> list[int]:
    return list(
        session.scalars(
            text("SELECT nextval('holder_id_seq') FROM generate_series(1, :count)"), {"count": count}
        )
    )


def skip_of(series: Series, one: Occurrence, instead: Booking | None) -> SeriesSkip:
    """Why the date is not at its wished time: it is left out, refused, or has been taken a moment ago."""
    refusal = one.refusal or SlotTaken()
    return SeriesSkip(
        city_id=series.city_id,
        series_id=series.id,
        position=one.position,
        day=one.day,
        during=TimestamptzRange(one.wished.start, one.wished.end),
        code=LEFT_OUT if one.left_out else refusal.code,
        values={} if one.left_out else dict(refusal.public),
        booking_id=instead.id if instead is not None else None,
    )


def retry_date(
    session: Session,
    city: City,
    series: Series,
    space: Space,
    position: int,
    *,
    actor: Actor,
    submission: str,
    at: datetime,
    expected_total_minor: int | None = None,
    details: Details = NO_DETAILS,
) -> Booking:
    """Book a skipped date at its wished time after all, with what was told for the series (`told_again`).

    Raises NotYourSeries, DateNotOpen, and the refusals of `request_booking`; then the date stays skipped.
    """
    policy.require_may_change(actor, series)
    locked_series(session, series)
    skip = session.get(SeriesSkip, (series.city_id, series.id, position), populate_existing=True)
    if skip is None or skip.booking_id is not None:
        raise DateNotOpen
    booking = request_booking(
        session,
        city,
        space,
        actor=actor,
        during=skip.span,
        purpose=series.purpose,
        attendees=series.attendees,
        organisation_id=series.organisation_id,
        submission=submission,
        at=at,
        source=actor.source,
        expected_total_minor=expected_total_minor,
        details=details,
        way=AGREED,
    )
    booking.series_id, booking.position = series.id, position
    skip.booking_id = booking.id
    audit(session, actor, "series.retried", "series", series.id, position=position, booking=booking.id)
    session.flush()
    return booking


@dataclass(frozen=True)
class Cancelling:
    """What cancelling these dates would keep of their prices, by booking id."""

    bookings: list[Booking]
    kept: dict[int, int]

    @property
    def total_minor(self) -> int:
        return sum(self.kept.values())


def without_running(meant: Sequence[Booking], known: Mapping[int, Booking]) -> list[Booking]:
    """Without the requests to change a date that has begun, where they hold its time with their own: the clock ends those,
    and gives the running date its time back."""
    ids = {booking.id for booking in meant}

    def is_kept(request: Booking) -> bool:
        old = known.get(request.replaces_id or 0)
        return (
            old is not None
            and old.id not in ids
            and old.space_id == request.space_id
            and held_together(old.span, request.span)
        )

    return [booking for booking in meant if not is_kept(booking)]


def cancelling(bookings: Collection[Booking], *, scope: str, position: int, at: datetime) -> Cancelling:
    """The dates of the scope that have not begun, and what each costs to cancel now."""
    meant = [
        booking
        for booking in bookings
        if booking.position is not None
        and in_scope(scope, booking.position, position)
        and is_ahead(booking.span, at)
    ]
    meant = without_running(meant, {booking.id: booking for booking in bookings})
    kept = {booking.id: booking.kept_at(at) for booking in meant}
    return Cancelling(meant, kept)


def cancel_dates(
    session: Session,
    city: City,
    series: Series,
    *,
    actor: Actor,
    scope: str,
    position: int,
    at: datetime,
    expected_kept_minor: int | None = None,
) -> Money:
    """Give back the dates of the scope that have not begun; return what the owner keeps of their prices.

    `expected_kept_minor` is what the person saw. Raises NotYourSeries, NothingToCancel, PriceChanged when it would cost
    more by now.
    """
    policy.require_may_change(actor, series)
    locked_series(session, series)
    found = cancelling(locked_bookings(session, series), scope=scope, position=position, at=at)
    if not found.bookings:
        raise NothingToCancel
    if expected_kept_minor is not None and found.total_minor > expected_kept_minor:
        raise PriceChanged(total_minor=found.total_minor, currency=city.currency)
    move_all_to(session, city, found.bookings, "cancelled", at, kept=found.kept)
    ids = [booking.id for booking in found.bookings]
    for booking in found.bookings:
        audit(
            session,
            actor,
            "booking.cancelled",
            "booking",
            booking.id,
            kept_minor=found.kept[booking.id],
            series=series.id,
        )
    audit(session, actor, "series.cancelled", "series", series.id, scope=scope, bookings=ids)
    series.changed_at = at
    publish(
        session,
        "series.cancelled",
        city_id=city.id,
        series_id=series.id,
        booking_ids=ids,
        kept_minor=found.total_minor,
        at=at.isoformat(),
    )
    session.flush()
    return Money(found.total_minor, city.currency)


def answer_dates(
    session: Session, city: City, series: Series, venue: Venue, state: str, *, actor: Actor, at: datetime
) -> list[Booking]:
    """Let all requests of the series at this venue that wait become `state`. Raises NotYourVenue, NothingWaits."""
    require_may_handle(actor, venue)
    locked_series(session, series)
    waiting = [
        booking
        for booking in locked_bookings(session, series)
        if booking.state == "awaiting_approval"
        and booking.replaces_id is None
        and is_at(session, booking, venue)
    ]
    if not waiting:
        raise NothingWaits
    move_all_to(session, city, waiting, state, at, kept={})
    series.changed_at = at
    return waiting


def is_at(session: Session, booking: Booking, venue: Venue) -> bool:
    return session.get_one(Space, (booking.city_id, booking.space_id)).venue_id == venue.id


def approve_series(
    session: Session, city: City, series: Series, venue: Venue, *, actor: Actor, at: datetime
) -> list[Booking]:
    """Confirm all requests of the series at this venue at once. Raises NotYourVenue, NothingWaits."""
    waiting = answer_dates(session, city, series, venue, "confirmed", actor=actor, at=at)
    audit_answers(session, actor, series, waiting, answer="approved", details={})
    publish(
        session,
        "series.approved",
        city_id=city.id,
        series_id=series.id,
        booking_ids=[booking.id for booking in waiting],
        at=at.isoformat(),
    )
    session.flush()
    return waiting


def decline_series(
    session: Session,
    city: City,
    series: Series,
    venue: Venue,
    *,
    actor: Actor,
    reason: str,
    at: datetime,
    reason_code: str | None = None,
) -> list[Booking]:
    """Turn all requests of the series at this venue down, with a reason that the booker reads.

    `reason_code` is of DECLINE_REASONS. Raises NotYourVenue, NothingWaits.
    """
    waiting = answer_dates(session, city, series, venue, "declined", actor=actor, at=at)
    for booking in waiting:
        booking.reason_code = reason_code
    details = {"reason": reason, "reason_code": reason_code}
    audit_answers(session, actor, series, waiting, answer="declined", details=details)
    publish(
        session,
        "series.declined",
        city_id=city.id,
        series_id=series.id,
        booking_ids=[booking.id for booking in waiting],
        reason=reason,
        reason_code=reason_code,
        at=at.isoformat(),
    )
    session.flush()
    return waiting


def audit_answers(
    session: Session,
    actor: Actor,
    series: Series,
    answered: Sequence[Booking],
    *,
    answer: str,
    details: Mapping[str, str | None],
) -> None:
    for booking in answered:
        audit(session, actor, f"booking.{answer}", "booking", booking.id, series=series.id, **details)
    ids = [booking.id for booking in answered]
    audit(session, actor, f"series.{answer}", "series", series.id, bookings=ids, **details)
