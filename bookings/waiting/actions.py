"""Joining the line, offering what has become free to the next one, taking the offer, leaving.

An offer is a hold that the person can turn into a booking by one press until it lapses; then the next in line has it.
"""

from collections.abc import Sequence
from datetime import datetime

from psycopg.types.range import TimestamptzRange
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bookings.lifecycle import policy
from bookings.lifecycle.actions import check_attendees, new_booking, request_booking
from bookings.lifecycle.hold_actions import announce_end, release_hold
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import locked_booking
from bookings.lifecycle.till import ANY
from bookings.waiting.errors import NothingToWaitFor, OfferOver, TooManyWaits, WaitsAlready, WindowWrong
from bookings.waiting.models import WaitingEntry
from bookings.waiting.queries import count_in_line, line_of, lock_line, locked_entry
from bookings.waiting.rules import IN_LINE, MOST_ENTRIES, offer_until
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.errors import N_
from marketplace.jobs.messages import publish
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space
from spaces.calendar.errors import SlotTaken
from spaces.calendar.queries import booking_rules, calendar_of
from spaces.calendar.rules import DAY, offers
from spaces.catalog.models import Space

# Nobody waits for "some time next year".
LONGEST_WINDOW = 31 * DAY


def join_line(
    session: Session,
    city: City,
    space: Space,
    *,
    actor: Actor,
    within: Span,
    minutes: int,
    attendees: int | None,
    organisation_id: int | None,
    purpose: str,
    at: datetime,
) -> WaitingEntry:
    """Stand in line for `minutes` of the space anywhere in `within`.

    Raises the refusals of `policy.require_may_book`, TooManyPeople, AttendeesOutOfRange, WindowWrong, NothingToWaitFor
    where such a time is free already, WaitsAlready, TooManyWaits.
    """
    person_id = policy.require_may_book(actor, space, organisation_id)
    check_attendees(space, attendees)
    within = Span(max(within.start, at), within.end) if within.end > at else within
    if within.end <= at:
        raise WindowWrong(N_("Choose a time that is still to come."))
    if within.end - within.start > LONGEST_WINDOW:
        raise WindowWrong(N_("Choose a window of at most 31 days."))
    if within.start > at + space.horizon_days * DAY:
        raise WindowWrong(N_("This time cannot be booked yet."))
    if within.minutes < minutes:
        raise WindowWrong(N_("The window is shorter than the time you need."))
    if free_in(session, city, space, within, minutes=minutes, at=at):
        raise NothingToWaitFor
    # The person's row is the lock: two tabs cannot exceed the number of places in line.
    session.execute(
        select(Person.id)
        .where(Person.city_id == city.id, Person.id == person_id)
        .with_for_update(key_share=True)
    )
    if count_in_line(session, city.id, person_id) >= MOST_ENTRIES:
        raise TooManyWaits
    same = session.scalar(
        select(WaitingEntry.id).where(
            WaitingEntry.city_id == city.id,
            WaitingEntry.person_id == person_id,
            WaitingEntry.space_id == space.id,
            WaitingEntry.state.in_(IN_LINE),
            WaitingEntry.within.op("&&")(func.tstzrange(within.start, within.end)),
        )
    )
    if same is not None:
        raise WaitsAlready
    entry = WaitingEntry(
        city_id=city.id,
        space_id=space.id,
        person_id=person_id,
        organisation_id=organisation_id,
        within=TimestamptzRange(within.start, within.end),
        minutes=minutes,
        attendees=attendees,
        purpose=purpose,
        state="waiting",
        created_at=at,
    )
    session.add(entry)
    session.flush()
    audit(session, actor, "waiting.joined", "waiting_entry", entry.id, space_id=space.id)
    publish(session, "waiting.joined", city_id=city.id, entry_id=entry.id)
    return entry


def free_in(
    session: Session, city: City, space: Space, within: Span, *, minutes: int, at: datetime
) -> list[Span]:
    """The bookable times of this length in the window, the earliest first."""
    rules = booking_rules(space)
    window = within.widened(DAY, DAY)
    calendar = calendar_of(session, city.id, space.id, window, city.zone)
    length = rules.fitting_minutes(minutes)
    return offers(calendar, rules, minutes=length, within=within, zone=city.zone, now=at)


def offer_next(
    session: Session, city: City, space_ids: Sequence[int] | None, *, at: datetime
) -> WaitingEntry | None:
    """Offer what is free to the first in line who can use it, of these spaces or of all; returns the entry, or None
    where nobody gets anything. One offer for each transaction, so that units are locked in order."""
    lock_line(session, city)
    spaces: dict[int, Space] = {}
    for entry in line_of(session, city.id, space_ids, at=at):
        space = spaces.setdefault(entry.space_id, session.get_one(Space, (city.id, entry.space_id)))
        if space.state != "published":
            continue
        for span in free_in(session, city, space, entry.window, minutes=entry.minutes, at=at)[:3]:
            until = offer_until(at.astimezone(city.zone), span.start.astimezone(city.zone))
            if until is None:
                continue
            if offer(session, city, entry, space, span, until=until, at=at):
                return entry
    return None


def offer(
    session: Session,
    city: City,
    entry: WaitingEntry,
    space: Space,
    span: Span,
    *,
    until: datetime,
    at: datetime,
) -> bool:
    """Hold the time for the entry's person; False when somebody else was quicker."""
    locked_entry(session, entry)
    if entry.state != "waiting":
        return False
    hold = new_booking(
        city,
        space,
        entry.person_id,
        span,
        submission=f"waiting:{entry.id}:{int(at.timestamp())}",
        source="waiting",
        at=at,
    )
    hold.held_until, hold.organisation_id = until, entry.organisation_id
    hold.attendees, hold.purpose = entry.attendees, entry.purpose
    try:
        with session.begin_nested():
            session.add(hold)
            session.flush()
            claim_space(session, city, space.id, holder_id=hold.id, body=span, rules=booking_rules(space))
    except SlotTaken:
        return False
    entry.state, entry.offered_until, entry.booking_id = "offered", until, hold.id
    announce_end(session, hold, at=at)
    audit(session, system(city.id), "waiting.offered", "waiting_entry", entry.id, booking_id=hold.id)
    publish(session, "waiting.offered", city_id=city.id, entry_id=entry.id, booking_id=hold.id)
    # There may be more, for the next in line.
    publish(session, "waiting.freed", city_id=city.id, space_id=entry.space_id)
    session.flush()
    return True


def accept_offer(
    session: Session,
    city: City,
    entry: WaitingEntry,
    *,
    actor: Actor,
    at: datetime,
    expected_total_minor: int | None = None,
) -> Booking:
    """Turn the offer into a booking; pressing twice gives the same one. Raises OfferOver and what `request_booking`
    raises."""
    hold = session.get(Booking, (city.id, entry.booking_id)) if entry.booking_id is not None else None
    if hold is None:
        raise OfferOver
    locked_booking(session, hold)
    locked_entry(session, entry)
    if entry.state == "booked":
        return hold
    if entry.state != "offered" or hold.state != "held":
        raise OfferOver
    space = session.get_one(Space, (city.id, entry.space_id))
    booking = request_booking(
        session,
        city,
        space,
        actor=actor,
        during=hold.span,
        purpose=entry.purpose,
        attendees=entry.attendees,
        organisation_id=entry.organisation_id,
        submission=hold.submission,
        at=at,
        expected_total_minor=expected_total_minor,
        way=ANY,
    )
    entry.state, entry.offered_until = "booked", None
    audit(session, actor, "waiting.accepted", "waiting_entry", entry.id, booking_id=booking.id)
    session.flush()
    return booking


def leave_line(session: Session, entry: WaitingEntry, *, actor: Actor, at: datetime) -> None:
    """Stand in line no more; what was offered goes to the next one. Harmless when it is over already."""
    hold = session.get(Booking, (entry.city_id, entry.booking_id)) if entry.booking_id is not None else None
    if hold is not None:
        locked_booking(session, hold)
    locked_entry(session, entry)
    if entry.state not in IN_LINE:
        return
    entry.state, entry.offered_until = "left", None
    if hold is not None and hold.state == "held":
        release_hold(session, hold, at=at)
    audit(session, actor, "waiting.left", "waiting_entry", entry.id)
    publish(session, "waiting.freed", city_id=entry.city_id, space_id=entry.space_id)
    session.flush()


def pass_over(session: Session, city_id: int, *, at: datetime) -> list[int]:
    """End the offers that nobody took, by way of the checkout too: the spaces whose line moves on."""
    taken = select(Booking.id).where(Booking.city_id == city_id, Booking.requested_at.is_not(None))
    session.execute(
        update(WaitingEntry)
        .where(
            WaitingEntry.city_id == city_id,
            WaitingEntry.state == "offered",
            WaitingEntry.booking_id.in_(taken),
        )
        .values(state="booked", offered_until=None),
        execution_options={"synchronize_session": False},
    )
    rows = session.execute(
        update(WaitingEntry)
        .where(
            WaitingEntry.city_id == city_id,
            WaitingEntry.state == "offered",
            WaitingEntry.booking_id.in_(
                select(Booking.id).where(Booking.city_id == city_id, Booking.state != "held")
            ),
        )
        .values(state="passed", offered_until=None)
        .returning(WaitingEntry.id, WaitingEntry.space_id)
        .execution_options(synchronize_session=False)
    ).all()
    for entry_id, _ in rows:
        audit(session, system(city_id), "waiting.passed", "waiting_entry", entry_id)
        publish(session, "waiting.passed", city_id=city_id, entry_id=entry_id)
    gone = update(WaitingEntry).where(
        WaitingEntry.city_id == city_id,
        WaitingEntry.state == "waiting",
        func.upper(WaitingEntry.within) <= at,
    )
    session.execute(gone.values(state="over"), execution_options={"synchronize_session": False})
    spaces = sorted({space_id for _, space_id in rows})
    for space_id in spaces:
        publish(session, "waiting.freed", city_id=city_id, space_id=space_id)
    return spaces
