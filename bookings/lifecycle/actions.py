"""The verbs of a booking, its only writers.

Order of locks: the person's or the organisation's row where the space limits what they may have (`limits`), the
booking's row, then units by id, then day sheets. A new booking is inserted first, so that a form that
is sent twice waits for its first self on the unique constraint and not inside the calendar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from psycopg.errors import UniqueViolation
from psycopg.types.range import TimestamptzRange
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bookings.lifecycle import limits, policy
from bookings.lifecycle.answers import answer_rows
from bookings.lifecycle.asked import check_asked, keep_birth_date, needs_attendees
from bookings.lifecycle.details import NO_DETAILS, Details
from bookings.lifecycle.errors import (
    AttendeesMissing,
    AttendeesOutOfRange,
    BuildDaysWrong,
    ChangeAsked,
    IllegalTransition,
    InThePast,
    MorePeopleThanAllowed,
    NotMovable,
    NotOnOffer,
    NotOpen,
    NotYourAnswer,
    PriceChanged,
    SubmissionUsed,
    TooFewPeople,
    TooLateToCancel,
    TooManyPeople,
    UndoOver,
    time_refusal,
)
from bookings.lifecycle.models import Booking, BookingAnswer, BookingExtra
from bookings.lifecycle.outdoor import checked_use, kept_use
from bookings.lifecycle.queries import (
    booking_of_submission,
    ended_bookings,
    keeps,
    kept_with,
    locked_booking,
    pending_change,
    pieces_of,
    replaced_by,
    unanswered_request,
)
from bookings.lifecycle.rules import (
    CHANGEABLE,
    ENDED_UNUSED,
    HOLD,
    HOLDING,
    OPEN,
    PAYMENT_OF,
    PRESS_TOLD_AFTER,
    TOLD_AFTER,
    first_payment,
    first_state,
    free_until,
    hull,
    may_be_undone,
    may_follow,
    out_of_reach,
    payment_after,
    schedule_after_move,
)
from bookings.lifecycle.till import PAY_WITHIN, chosen_way, till, ways_for
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.ids import new_reference
from marketplace.jobs.messages import publish, publish_later, withdraw
from marketplace.money import Money
from marketplace.timespan import Span, day_span, local_days
from spaces.calendar.actions import (
    add_pieces,
    claim_space,
    hand_over,
    lock_held,
    move_claims,
    release_claims,
    release_times,
)
from spaces.calendar.errors import SlotTaken
from spaces.calendar.queries import booking_rules, calendar_of
from spaces.calendar.rules import DAY, BookingRules, why_not
from spaces.catalog.models import Space, SpaceQuestion, Venue
from spaces.catalog.policy import require_may_handle
from spaces.equipment.queries import OfferedExtra, wanted_extras
from spaces.pricing.actions import discount_named, hand_on_code, release_code, use_code
from spaces.pricing.cancelling import Schedule, schedule_of
from spaces.pricing.queries import groups_of, price_on
from spaces.pricing.rules import (
    NO_BUILD_DAYS,
    BuildDays,
    Discount,
    ExtraTerms,
    OutdoorUse,
    PriceTerms,
    Quote,
    quote,
    with_extras,
)
from spaces.pricing.ways import USUAL_WAYS
from spaces.rules.queries import trusted_among

SUBMITTED_ONCE = "uq_booking_city_id_person_id_submission"
MOST_PEOPLE = 1_000_000


@dataclass(frozen=True)
class Looked:
    """What has been read of a space for this very booking, without any details: its questions, its price list, and what
    the time costs each of those it may be for."""

    questions: Sequence[SpaceQuestion]
    terms: PriceTerms
    prices: Mapping[int | None, Quote]


def request_booking(
    session: Session,
    city: City,
    space: Space,
    *,
    actor: Actor,
    during: Span,
    purpose: str,
    attendees: int | None,
    organisation_id: int | None,
    submission: str,
    at: datetime,
    source: str = "web",
    expected_total_minor: int | None = None,
    details: Details = NO_DETAILS,
    may_undo: bool = False,
    looked: Looked | None = None,
    way: str | None = None,
    orders: bool = True,
) -> Booking:
    """Book the space, at once or by a request to its owner, and take the time; with `may_undo` nobody is told for a while.

    The same `submission` of the same person gives the booking it has made already. `expected_total_minor` is the price
    the person saw, so the most they have agreed to. `details` is what the space asks beside; without any, what was `looked`
    at a moment ago is not read again. `way` is how it is paid, where there is a choice; without `orders` the caller makes
    the order of all that is booked in one go. Raises the refusals of
    `policy.require_may_book`, `check_attendees`, `check_asked`, `limits.check_limits` and `till.chosen_way`, a TimeNotBookable, PriceChanged,
    the refusals of `prices_for`, SubmissionUsed, SlotTaken, PiecesTaken; then nothing is left behind and the transaction is usable.
    """
    person_id = policy.require_may_book(actor, space, organisation_id)
    limits.lock_subject(session, space, person_id=person_id, organisation_id=organisation_id)
    # What this form holds has its claims already, unless it has lapsed just now.
    hold = submitted(session, person_id, submission, space, during)
    if hold is not None and hold.requested_at is not None:
        return hold
    check_attendees(space, attendees)
    questions = check_asked(
        session,
        city,
        space,
        actor=actor,
        organisation_id=organisation_id,
        during=during,
        details=details,
        at=at,
        questions=looked.questions if looked is not None else None,
    )
    rules = booking_rules(space)
    if hold is None:
        try:
            check_time(session, city, space, rules, during, at=at)
        except SlotTaken:
            # Perhaps by this very form, whose booking or hold has been committed since the look above.
            hold = submitted(session, person_id, submission, space, during)
            if hold is None:
                raise
            if hold.requested_at is not None:
                return hold
    told = told_for(
        session,
        city,
        space,
        questions=questions,
        person_id=person_id,
        organisation_id=organisation_id,
        during=during,
        details=details,
        at=at,
        looked=looked,
    )
    total = told.price.total
    if expected_total_minor is not None and total.minor > expected_total_minor:
        raise PriceChanged(total_minor=total.minor, currency=total.currency)
    way = way_for(session, city, space, told, organisation_id, wished=way)
    booking = hold or new_booking(city, space, person_id, during, submission=submission, source=source, at=at)
    try:
        with session.begin_nested():
            agree(
                booking,
                space,
                told.price,
                state="awaiting_payment" if way == "card" else state_of_new(session, space, organisation_id),
                organisation_id=organisation_id,
                purpose=purpose,
                attendees=attendees,
                at=at,
            )
            write_told(booking, space, told, details=details, way=way, at=at)
            session.add(booking)
            session.flush()
            keep_told(session, city, space, booking, told, actor=actor, details=details, at=at)
            if hold is None:
                claim_space(
                    session,
                    city,
                    space.id,
                    holder_id=booking.id,
                    body=during,
                    rules=rules,
                    pieces=told.pieces,
                    in_savepoint=True,
                )
            else:
                add_pieces(session, city, told.pieces, holder_id=booking.id, body=during)
            if word := discount_of(booking):
                # Last of all, so that bookings with one code wait for each other with nothing more to lock.
                use_code(session, space, word, holder_id=booking.id, day=at.astimezone(city.zone).date())
    except IntegrityError as error:
        if not breaks(error, SUBMITTED_ONCE):
            raise
        known = booking_of_submission(session, city.id, person_id, submission)
        if known is None:
            raise
        if known.state == "held":  # by the same form, a moment ago
            return request_booking(
                session,
                city,
                space,
                actor=actor,
                during=during,
                purpose=purpose,
                attendees=attendees,
                organisation_id=organisation_id,
                submission=submission,
                at=at,
                source=source,
                expected_total_minor=expected_total_minor,
                details=details,
                may_undo=may_undo,
                looked=looked,
                way=way,
                orders=orders,
            )
        return same_request(known, space, during)
    audit(session, actor, "booking.requested", "booking", booking.id, state=booking.state, source=source)
    if may_undo and booking.state == "confirmed":
        publish_later(
            session,
            "booking.pressed",
            city_id=city.id,
            key=str(booking.id),
            after=PRESS_TOLD_AFTER,
            booking_id=booking.id,
            pressed_at=at.isoformat(),
        )
    elif booking.state != "awaiting_payment":  # of which nobody is told until it is paid
        name = "booking.confirmed" if booking.state == "confirmed" else "booking.requested"
        publish(session, name, city_id=city.id, booking_id=booking.id)
    session.flush()
    order_alone(session, city, booking, actor=actor, at=at, orders=orders)
    return booking


def way_for(
    session: Session,
    city: City,
    space: Space,
    told: "Told",
    organisation_id: int | None,
    *,
    wished: str | None,
) -> str:
    """How the booking is paid. Raises what `till.chosen_way` raises."""
    ways = ways_for(session, city, space, told.ways, [organisation_id])
    return chosen_way(ways[organisation_id], wished, told.price.total.minor)


def order_alone(
    session: Session, city: City, booking: Booking, *, actor: Actor, at: datetime, orders: bool
) -> None:
    """Make the order of a booking that is none of several made in one go, where it is not paid at the place."""
    if orders and booking.way != "on_the_spot":
        till().place(session, city, [booking], actor=actor, at=at)


def submitted(
    session: Session, person_id: int, submission: str, space: Space, during: Span
) -> Booking | None:
    """What this form has made: a booking, or the hold that it is to become, locked. Raises SubmissionUsed where it is of
    another space or time."""
    known = booking_of_submission(session, space.city_id, person_id, submission)
    if known is None:
        return None
    same_request(known, space, during)
    if known.state == "held":
        locked_booking(session, known)
    return known if known.state == "held" or known.requested_at is not None else None


@dataclass(frozen=True)
class Told:
    """What a booking says, checked: the questions it answers, its price, the use of an outdoor area, its equipment."""

    questions: Sequence[SpaceQuestion]
    price: Quote
    use: OutdoorUse | None
    extras: Sequence[tuple[OfferedExtra, int]]
    ways: Sequence[str] = USUAL_WAYS  # of paying, that its price list offers

    @property
    def pieces(self) -> dict[int, int]:
        """How many pieces of each unit that is equipment."""
        return {one.extra.unit_id: count for one, count in self.extras}


def told_for(
    session: Session,
    city: City,
    space: Space,
    *,
    questions: Sequence[SpaceQuestion],
    person_id: int,
    organisation_id: int | None,
    during: Span,
    details: Details,
    at: datetime,
    looked: Looked | None = None,
) -> Told:
    """`questions` are those that `details` answers. Raises the refusals of `limits.check_limits` and `prices_for`."""
    limits.check_limits(
        session,
        city,
        space,
        person_id=person_id,
        organisation_id=organisation_id,
        during=during,
        at=at,
    )
    if looked is not None and details == NO_DETAILS:
        return Told(
            questions,
            looked.prices[organisation_id],
            checked_use(looked.terms, None, whole=True),
            [],
            looked.terms.ways,
        )
    terms, prices = prices_for(session, city, space, during, [organisation_id], details=details, at=at)
    return Told(
        questions,
        prices[organisation_id],
        checked_use(terms, details.use, whole=True),
        wanted_extras(session, city, space.id, details.extras, during.start.astimezone(city.zone).date()),
        terms.ways,
    )


def write_told(
    booking: Booking, space: Space, told: Told, *, details: Details, at: datetime, way: str = "on_the_spot"
) -> None:
    """Write on the booking, best before it is inserted, the accepted terms, the use of an outdoor area, and how it is
    paid."""
    booking.way, booking.pay_until = way, at + PAY_WITHIN if way == "card" else None
    booking.outdoor_use = kept_use(told.use, details.build)
    booking.terms_version = space.terms_version
    booking.terms_accepted_at = at if space.terms_version else None


def keep_told(
    session: Session,
    city: City,
    space: Space,
    booking: Booking,
    told: Told,
    *,
    actor: Actor,
    details: Details,
    at: datetime,
) -> None:
    """Keep beside the booking what it says: answers and equipment; see `write_told` for what it says itself."""
    keep_birth_date(
        session, city, space, actor=actor, organisation_id=booking.organisation_id, details=details, at=at
    )
    session.add_all(
        BookingAnswer(city_id=city.id, booking_id=booking.id, **row)
        for row in answer_rows(told.questions, details.answers)
    )
    session.add_all(
        BookingExtra(city_id=city.id, booking_id=booking.id, extra_id=one.extra.id, pieces=count)
        for one, count in told.extras
    )
    session.flush()


def new_booking(
    city: City, space: Space, person_id: int, during: Span, *, submission: str, source: str, at: datetime
) -> Booking:
    """A booking of this time that is not sold yet: held, and nobody has said yes to it."""
    return Booking(
        city_id=city.id,
        reference=new_reference(),
        space_id=space.id,
        person_id=person_id,
        during=TimestamptzRange(during.start, during.end),
        state="held",
        held_until=at + HOLD,
        payment="not_needed",
        lines=[],
        total_minor=0,
        vat_minor=0,
        currency=city.currency,
        cancel_free_until=free_until(during.start, space.cancellation_hours),
        source=source,
        submission=submission,
        created_at=at,
        changed_at=at,
    )


def state_of_new(session: Session, space: Space, organisation_id: int | None) -> str:
    """The state in which a booking for this organisation, or for oneself, begins."""
    trusted = organisation_id in trusted_among(session, space, [organisation_id])
    return first_state(space.approval, is_trusted=trusted)


def agree(
    booking: Booking,
    space: Space,
    price: Quote,
    *,
    state: str,
    organisation_id: int | None,
    purpose: str,
    attendees: int | None,
    at: datetime,
) -> None:
    """The person says yes: from `at` on it is a booking, or a request where the owner confirms; see `state_of_new`."""
    booking.organisation_id, booking.purpose, booking.attendees = organisation_id, purpose, attendees
    booking.state, booking.held_until = state, None
    booking.requested_at = booking.changed_at = at
    sell(booking, price)
    booking.agree_on(schedule_for(booking, space, price), in_steps=bool(price.cancel.tiers))


def schedule_for(booking: Booking, space: Space, price: Quote) -> Schedule:
    """What cancelling this booking of the space at this price costs when."""
    return schedule_of(
        price.cancel,
        booking.span.start,
        cancellation_hours=space.cancellation_hours,
        kept_percent=price.kept_percent,
    )


def sell(booking: Booking, price: Quote) -> None:
    """Keep on the booking what it is sold at; when cancelling costs what is another matter (`Booking.agree_on`)."""
    booking.lines = [line.as_json() for line in price.lines]
    booking.total_minor, booking.vat_minor = price.total.minor, price.vat.minor
    booking.vat_basis_points = price.own_vat_basis_points
    booking.currency = price.total.currency
    booking.payment = first_payment(price.total.minor)
    booking.kept_percent = price.kept_percent
    booking.cancel_fee_minor = price.cancel.fee_minor
    booking.refund_if_rebooked = price.cancel.refund_if_rebooked


def same_request(known: Booking, space: Space, during: Span) -> Booking:
    """The booking that this submission has made, if it is the same request."""
    if known.space_id != space.id or known.span != during:
        raise SubmissionUsed
    return known


def breaks(error: IntegrityError, constraint: str) -> bool:
    return isinstance(error.orig, UniqueViolation) and error.orig.diag.constraint_name == constraint


def check_attendees(space: Space, attendees: int | None) -> None:
    """Raises AttendeesMissing, AttendeesOutOfRange, TooFewPeople, MorePeopleThanAllowed, TooManyPeople."""
    if attendees is None:
        if needs_attendees(space):
            raise AttendeesMissing
        return
    if not 1 <= attendees <= MOST_PEOPLE:
        raise AttendeesOutOfRange
    if space.attendees_min is not None and attendees < space.attendees_min:
        raise TooFewPeople(space.attendees_min)
    if space.attendees_max is not None and attendees > space.attendees_max:
        raise MorePeopleThanAllowed(space.attendees_max)
    if space.capacity is not None and attendees > space.capacity:
        raise TooManyPeople(space.capacity)


def check_time(
    session: Session,
    city: City,
    space: Space,
    rules: BookingRules,
    during: Span,
    *,
    at: datetime,
    but: int | None = None,
) -> None:
    """Raises the refusal of the rule that this time breaks, or SlotTaken; what the holder `but` has counts as free."""
    code = out_of_reach(rules, during, now=at)
    if code is None:
        calendar = calendar_of(
            session, city.id, space.id, window_around(during, city.zone), city.zone, but=but
        )
        code = why_not(calendar, rules, during, zone=city.zone, now=at)
    if code == "slot-taken":
        raise SlotTaken
    if code is not None:
        raise time_refusal(code, rules)


def window_around(during: Span, zone: ZoneInfo) -> Span:
    """What must be seen of a calendar to judge a time: the whole opening may have begun the evening before."""
    first, last = (t.astimezone(zone).date() for t in (during.start, during.end))
    return Span(day_span(first - DAY, zone).start, day_span(last + DAY, zone).end)


@dataclass(frozen=True)
class Pricing:
    """All that prices times of one space which begin on one local day, read once: its list, the groups of those it may be
    for, what the booking adds."""

    terms: PriceTerms
    zone: ZoneInfo
    groups: Mapping[int, str]
    discount: Discount | None
    build: BuildDays
    use: OutdoorUse | None
    extras: Sequence[tuple[ExtraTerms, int]]

    def quote(self, during: Span, organisation_id: int | None) -> Quote:
        """The price of this time for the organisation, or for oneself. Raises BuildDaysWrong."""
        build = self.build
        if build != NO_BUILD_DAYS and build.before + build.after >= len(local_days(during, self.zone)):
            raise BuildDaysWrong
        group = self.groups.get(organisation_id, "resident") if organisation_id is not None else "resident"
        price = quote(
            self.terms,
            during,
            self.zone,
            group=group,
            discount=self.discount,
            build=build,
            use=self.use,
        )
        whole = with_extras(price, self.extras, during, self.zone)
        return replace(whole, own_vat_basis_points=self.terms.vat_basis_points)


def pricing_on(
    session: Session,
    city: City,
    space: Space,
    day: date,
    organisation_ids: Sequence[int | None],
    *,
    at: datetime,
    details: Details = NO_DETAILS,
    discount: Discount | None = None,
) -> Pricing:
    """The pricing of bookings that begin on `day`; `discount` is one that has been granted, the code of the details one
    that is asked for.

    Raises NotOnOffer for a space without a price, CodeNotValid, CodeUsedUp, PiecesWrong, OutdoorUseWrong.
    """
    terms = price_on(session, city, space.id, day)
    if terms is None:
        raise NotOnOffer
    use = checked_use(terms, details.use)
    extras = [
        (one.terms, pieces) for one, pieces in wanted_extras(session, city, space.id, details.extras, day)
    ]
    ids = [id_ for id_ in organisation_ids if id_ is not None] if terms.varies_by_group else []
    if details.code:
        today = at.astimezone(city.zone).date()
        discount = discount_named(session, space, details.code, day=today)
    groups = groups_of(session, city.id, ids)
    return Pricing(terms, city.zone, groups, discount, details.build, use, extras)


def prices_for(
    session: Session,
    city: City,
    space: Space,
    during: Span,
    organisation_ids: Sequence[int | None],
    *,
    at: datetime,
    details: Details = NO_DETAILS,
) -> tuple[PriceTerms, dict[int | None, Quote]]:
    """The price list, and what this time costs each organisation, and oneself (None).

    Raises what `pricing_on` raises, and BuildDaysWrong.
    """
    day = during.start.astimezone(city.zone).date()
    pricing = pricing_on(session, city, space, day, organisation_ids, at=at, details=details)
    return pricing.terms, {id_: pricing.quote(during, id_) for id_ in organisation_ids}


def discount_of(booking: Booking) -> str:
    """The word of the discount that the booking was sold with, if any."""
    return next((str(line["note"]) for line in booking.lines if line["code"] == "discount"), "")


def move_all_to(
    session: Session,
    city: City,
    bookings: Sequence[Booking],
    state: str,
    at: datetime,
    *,
    kept: Mapping[int, int],
) -> None:
    """As `move_to` for many at once, whose rows are locked already; `kept` is what the owner keeps of each, by id.

    Raises IllegalTransition when any of them may not go there; then nothing has changed.
    """
    following = [payment_in(booking, state, kept_minor=kept.get(booking.id, 0)) for booking in bookings]
    for booking, payment in zip(bookings, following, strict=True):
        booking.payment = payment
        booking.state, booking.changed_at, booking.held_until = state, at, None
        if state == "cancelled":
            booking.kept_minor = kept.get(booking.id, 0)
    session.flush()
    if state not in HOLDING:
        release_times(session, city, [booking.id for booking in bookings])
    for booking in bookings:
        give_back_code(session, booking)


def payment_in(booking: Booking, state: str, *, kept_minor: int) -> str:
    """What becomes of the booking's payment in a state that may follow its present one. Raises IllegalTransition."""
    payment = payment_after(booking.payment, state, kept_minor=kept_minor, total_minor=booking.total_minor)
    if not may_follow(booking.state, state) or payment not in PAYMENT_OF[state]:
        raise IllegalTransition(state=booking.state, asked=state)
    return payment


def give_back_code(session: Session, booking: Booking) -> None:
    """Let somebody else use the discount of a booking that came to nothing."""
    if booking.state in ENDED_UNUSED and discount_of(booking):
        release_code(session, booking.city_id, holder_id=booking.id)


def move_to(session: Session, booking: Booking, state: str, at: datetime, *, kept_minor: int = 0) -> None:
    """Let `state` follow the booking's present one, and give the time back where the new state does not hold it, or take
    it again; what becomes of its price follows from the state and from what the owner keeps.

    Every change of state goes through here, but for those that take an answer or a press back. Raises IllegalTransition, and
    SlotTaken or PiecesTaken where what it had is somebody else's by now. The row is locked and read anew first, so of two
    that decide at once the second is refused.
    """
    locked_booking(session, booking)
    payment = payment_in(booking, state, kept_minor=kept_minor)
    was, booking.payment = booking.state, payment
    booking.state, booking.changed_at, booking.held_until = state, at, None
    session.flush()
    city = session.get_one(City, booking.city_id)
    if state not in HOLDING:
        give_back_time(session, city, booking)
    elif was not in HOLDING:
        take_time(session, city, booking)
    give_back_code(session, booking)


def take_time(session: Session, city: City, booking: Booking) -> None:
    """Claim what the booking is about: its space and equipment for its time, with that of a booking that it asks to
    change where the two meet. Raises SlotTaken, PiecesTaken."""
    rules = booking_rules(session.get_one(Space, (city.id, booking.space_id)))
    old = kept_with(session, booking)
    if old is not None and old.state in HOLDING:
        both = hull(old.span, booking.span)
        move_claims(session, city, old.space_id, holder_id=old.id, to=booking.id, body=both, rules=rules)
        return
    claim_space(
        session,
        city,
        booking.space_id,
        holder_id=booking.id,
        body=booking.span,
        rules=rules,
        pieces=pieces_of(session, booking),
    )


def give_back_time(session: Session, city: City, booking: Booking) -> None:
    """Release what the booking has; what it kept for the booking that it asked to change goes back to that one."""
    old = kept_with(session, booking)
    if old is None or old.state not in HOLDING:
        release_claims(session, city, holder_id=booking.id)
        return
    rules = booking_rules(session.get_one(Space, (city.id, old.space_id)))
    hand_over(session, city, holder_id=booking.id, to=old.id, body=old.span, rules=rules)


def cancel_booking(
    session: Session,
    city: City,
    booking: Booking,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    reason_code: str | None = None,
) -> Money:
    """Give the time back; return what the owner keeps of the price. `reason_code` is of CANCEL_REASONS.

    Nothing until `cancel_free_until`, afterwards what the step that has begun keeps. Raises NoRightToCancel, TooLateToCancel once the time has
    begun, IllegalTransition.
    """
    policy.require_may_cancel(actor, booking)
    locked_booking(session, booking)
    if may_follow(booking.state, "cancelled") and at >= booking.span.start:
        raise TooLateToCancel
    kept = booking.kept_at(at)
    if (asked := pending_change(session, booking)) is not None:
        lock_held(session, city, [booking.id, asked.id])
        move_to(session, asked, "cancelled", at)
        audit(session, actor, "booking.cancelled", "booking", asked.id, kept_minor=0)
    move_to(session, booking, "cancelled", at, kept_minor=kept)
    booking.kept_minor, booking.reason_code = kept, reason_code
    why = {"reason": reason, "reason_code": reason_code} if reason or reason_code else {}
    audit(session, actor, "booking.cancelled", "booking", booking.id, kept_minor=kept, **why)
    publish(session, "booking.cancelled", city_id=city.id, booking_id=booking.id, kept_minor=kept)
    session.flush()
    return Money(kept, booking.currency)


def approve_booking(
    session: Session,
    city: City,
    booking: Booking,
    venue: Venue,
    *,
    actor: Actor,
    at: datetime,
    may_undo: bool = False,
) -> None:
    """Confirm a request; with `may_undo` nobody is told for a while. Raises NotYourVenue, IllegalTransition."""
    require_may_handle(actor, venue)
    locked_booking(session, booking)
    old = replaced_by(session, booking)
    if booking.state != "awaiting_approval":
        raise IllegalTransition(state=booking.state, asked="confirmed")
    payment = booking.payment
    move_to(session, booking, "confirmed", at)
    if old is not None:
        settle_replaced(session, booking, old, actor=actor, at=at)
    audit(session, actor, "booking.approved", "booking", booking.id)
    # A change that has taken the place of another booking cannot give that one back.
    tell_answer(session, booking, actor=actor, at=at, may_undo=may_undo and old is None, payment=payment)
    session.flush()


def settle_replaced(session: Session, request: Booking, old: Booking, *, actor: Actor, at: datetime) -> None:
    """Let an approved change take the place of the booking it was asked for, and have its own time alone."""
    city = session.get_one(City, request.city_id)
    both = kept_with(session, request) is not None
    request.replaces_id = None
    if old.state in CHANGEABLE:
        if discount_of(request):
            hand_on_code(session, city.id, holder_id=old.id, to=request.id)
        payment = old.payment
        move_to(session, old, "cancelled", at)
        old.kept_minor = 0
        has_come = payment in {"authorised", "paid"}
        if has_come or old.way != "on_the_spot":
            # What the old one's orders say counts for the new one; what that costs more or less is settled after.
            request.way, old.payment = old.way, "not_needed"
            request.payment = payment if has_come else request.payment
            publish(session, "booking.replaced", city_id=city.id, booking_id=old.id, by_id=request.id)
        audit(session, actor, "booking.replaced", "booking", old.id, by=request.reference)
    if both:
        rules = booking_rules(session.get_one(Space, (city.id, request.space_id)))
        hand_over(session, city, holder_id=request.id, to=request.id, body=request.span, rules=rules)
    session.flush()


def decline_booking(
    session: Session,
    city: City,
    booking: Booking,
    venue: Venue,
    *,
    actor: Actor,
    reason: str,
    at: datetime,
    reason_code: str | None = None,
    may_undo: bool = False,
) -> None:
    """Turn a request down, with a reason that the booker reads; `reason_code` is of DECLINE_REASONS; with `may_undo` nobody
    is told for a while. Raises NotYourVenue, IllegalTransition.
    """
    require_may_handle(actor, venue)
    locked_booking(session, booking)
    payment = booking.payment
    move_to(session, booking, "declined", at)
    booking.reason_code = reason_code
    audit(session, actor, "booking.declined", "booking", booking.id, reason=reason, reason_code=reason_code)
    tell_answer(session, booking, actor=actor, at=at, reason=reason, may_undo=may_undo, payment=payment)
    session.flush()


def tell_answer(
    session: Session,
    booking: Booking,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    may_undo: bool,
    payment: str,
) -> None:
    """Say what has become of a request: now, or once it can no longer be undone; `payment` is what it was before."""
    if not may_undo:
        announce_answer(session, booking, reason=reason)
        return
    publish_later(
        session,
        "booking.answered",
        city_id=booking.city_id,
        key=str(booking.id),
        after=TOLD_AFTER,
        booking_id=booking.id,
        state=booking.state,
        reason=reason,
        person_id=actor.person_id,
        answered_at=at.isoformat(),
        payment=payment,
    )


def announce_answer(session: Session, booking: Booking, *, reason: str = "") -> None:
    """Publish the answer that the booking's state is."""
    if booking.state == "confirmed":
        publish(session, "booking.confirmed", city_id=booking.city_id, booking_id=booking.id)
    elif booking.state == "declined":
        publish(session, "booking.declined", city_id=booking.city_id, booking_id=booking.id, reason=reason)


def undo_answer(
    session: Session, city: City, booking: Booking, space: Space, venue: Venue, *, actor: Actor, at: datetime
) -> None:
    """Take back one's own answer before anybody is told: the request waits again, and holds its time.

    The message that waits to go out is the proof that nobody knows. Raises NotYourVenue, NotYourAnswer, UndoOver, and
    where a declined time has been taken meanwhile SlotTaken or CodeUsedUp; then the answer stands and the transaction
    is usable. The same holds for its equipment: PiecesTaken.
    """
    require_may_handle(actor, venue)
    locked_booking(session, booking)
    answer = booking.state
    with session.begin_nested():
        news = withdraw(session, "booking.answered", city_id=city.id, key=str(booking.id))
        if news is None or news["state"] != answer:
            raise UndoOver
        if news["person_id"] != actor.person_id:
            raise NotYourAnswer
        old = replaced_by(session, booking)
        if old is not None and pending_change(session, old) is not None:
            raise UndoOver  # something else has been asked for instead
        if not may_be_undone(answer, answered_at=datetime.fromisoformat(news["answered_at"]), at=at):
            raise UndoOver
        booking.state, booking.changed_at = "awaiting_approval", at
        booking.payment = news.facts.get("payment", first_payment(booking.total_minor))
        booking.reason_code = None
        session.flush()
        if answer not in HOLDING:
            take_time(session, city, booking)
            # A change goes by the use of the booking that it is about.
            if old is None and (word := discount_of(booking)):
                use_code(session, space, word, holder_id=booking.id, day=at.astimezone(city.zone).date())
    audit(session, actor, "booking.answer-undone", "booking", booking.id, before=answer, after=booking.state)
    session.flush()


def move_booking(
    session: Session,
    city: City,
    booking: Booking,
    space: Space,
    venue: Venue,
    *,
    actor: Actor,
    during: Span,
    at: datetime,
    note: str = "",
) -> None:
    """Give the booking another time of its space, at the price it was sold at; the booker reads `note`.

    The owner is bound by the opening hours and by what others have, not by the rules for bookers. Raises NotYourVenue,
    NotMovable, InThePast, NotOpen, SlotTaken, PiecesTaken (equipment goes along), ChangeAsked while a change of it waits; then the booking keeps its time and the transaction is usable.
    """
    require_may_handle(actor, venue)
    locked_booking(session, booking)
    was = booking.span
    if booking.state not in OPEN or was.start <= at:
        raise NotMovable(state=booking.state)
    if during == was:
        return
    if during.start < at:
        raise InThePast
    # Which claims a waiting change has follows from both times, so neither moves while it waits.
    if booking.replaces_id is not None or pending_change(session, booking) is not None:
        raise ChangeAsked
    # Openings that touch count as one, so a booking may pass midnight in a space that never closes.
    window = during.widened(DAY, DAY)
    if not calendar_of(session, city.id, space.id, window, city.zone).open.contains(during):
        raise NotOpen
    move_claims(session, city, space.id, holder_id=booking.id, body=during, rules=booking_rules(space))
    booking.during = TimestamptzRange(during.start, during.end)
    moved = schedule_after_move(booking.schedule, during.start, space.cancellation_hours, at=at)
    booking.agree_on(moved, in_steps=bool(booking.cancel_tiers))
    booking.changed_at = at
    audit(
        session,
        actor,
        "booking.moved",
        "booking",
        booking.id,
        before={"start": was.start.isoformat(), "end": was.end.isoformat()},
        after={"start": during.start.isoformat(), "end": during.end.isoformat()},
        note=note,
    )
    publish(
        session,
        "booking.moved",
        city_id=city.id,
        booking_id=booking.id,
        was_start=was.start.isoformat(),
        was_end=was.end.isoformat(),
        moved_at=at.isoformat(),
        note=note,
    )
    session.flush()


def displace_booking(
    session: Session,
    city: City,
    booking: Booking,
    venue: Venue,
    *,
    actor: Actor,
    reasons: Mapping[str, str],
    at: datetime,
) -> None:
    """Cancel a booking because its owner needs the space: the booker pays nothing and reads the reason.

    Raises NotYourVenue, TooLateToCancel once the time has begun, IllegalTransition.
    """
    require_may_handle(actor, venue)
    locked_booking(session, booking)
    if may_follow(booking.state, "cancelled") and at >= booking.span.start:
        raise TooLateToCancel
    if (asked := keeps(session, booking)) is not None:
        move_to(session, asked, "cancelled", at)
        audit(session, actor, "booking.cancelled", "booking", asked.id, kept_minor=0, by_owner=True)
    move_to(session, booking, "cancelled", at)
    booking.kept_minor = 0
    told = dict(reasons)
    audit(
        session, actor, "booking.cancelled", "booking", booking.id, kept_minor=0, by_owner=True, reasons=told
    )
    publish(session, "booking.cancelled", city_id=city.id, booking_id=booking.id, kept_minor=0, reasons=told)
    session.flush()


def complete_bookings(session: Session, city_id: int, *, at: datetime, limit: int = 500) -> int:
    """Complete confirmed bookings whose time is over; returns how many, at most `limit`. Their claims stay."""
    over = ended_bookings(session, city_id, at=at, limit=limit)
    for booking in over:
        move_to(session, booking, "completed", at)
        audit(session, system(city_id), "booking.completed", "booking", booking.id)
    session.flush()
    return len(over)


def expire_request(session: Session, city_id: int, *, at: datetime) -> bool:
    """Expire one request that nobody answered before its time began; returns whether there was one.

    One for each transaction: giving back the units of several would take their locks out of order.
    """
    booking = unanswered_request(session, city_id, at=at)
    if booking is None:
        return False
    move_to(session, booking, "expired", at)
    audit(session, system(city_id), "booking.expired", "booking", booking.id)
    publish(session, "booking.expired", city_id=city_id, booking_id=booking.id)
    session.flush()
    return True
