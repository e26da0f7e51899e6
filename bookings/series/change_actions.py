"""Changing dates of a series: one, this and following, or all that are still ahead.

Whoever changes the rest of a series splits it: what is past keeps its own series, the rest goes on as a new one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from psycopg.types.range import TimestamptzRange
from sqlalchemy import update
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import check_attendees, sell
from bookings.lifecycle.change_actions import Change as BookingChange
from bookings.lifecycle.change_actions import carry_on, facts_of, lies_inside
from bookings.lifecycle.errors import ChangePending, NotOnOffer, NotOpen, PaidAlready, PriceChanged
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import extras_of
from bookings.lifecycle.rules import first_state
from bookings.series import policy
from bookings.series.errors import AskOneByOne, DatesTaken, NoDates, NothingToChange
from bookings.series.models import Series, SeriesSkip
from bookings.series.planning import Adding, Outlook, Priced, outlook
from bookings.series.queries import (
    bookings_of,
    locked_bookings,
    locked_series,
    pending_changes,
    spaces_of,
)
from bookings.series.rules import Change, days_of, in_scope, is_ahead, shifted
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.errors import Refusal
from marketplace.ids import new_reference
from marketplace.jobs.messages import publish
from marketplace.timespan import Span, local_days
from spaces.calendar.actions import Wanted, claim_times
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space
from spaces.equipment.errors import PiecesWrong
from spaces.equipment.queries import wanted_by_day
from spaces.pricing.queries import discounts_of_holders
from spaces.pricing.rules import at_least


@dataclass(frozen=True)
class Wish:
    """What the dates are to become."""

    change: Change
    purpose: str
    attendees: int | None


@dataclass(frozen=True)
class Changed:
    """One date: its new time and price, or None where it keeps the old ones, and then why, if that was not the wish.

    `stays` says that nothing at all of it may change without its owner.
    """

    booking: Booking
    space: Space
    was: Span
    refusal: Refusal | None
    becomes: Priced | None
    stays: bool = False

    @property
    def difference_minor(self) -> int:
        return self.becomes.price.total.minor - self.booking.total_minor if self.becomes else 0


def meant_bookings(bookings: Sequence[Booking], *, scope: str, position: int, at: datetime) -> list[Booking]:
    """The open dates of the scope that have not begun; not the requests that are to replace some of them."""
    return [
        booking
        for booking in bookings
        if booking.position is not None
        and booking.replaces_id is None
        and in_scope(scope, booking.position, position)
        and is_ahead(booking.span, at)
    ]


def plan_change(
    session: Session,
    city: City,
    series: Series,
    bookings: Sequence[Booking],
    wish: Wish,
    *,
    scope: str,
    at: datetime,
) -> list[Changed]:
    """What would become of these bookings. Their own times count as free, since they give them up."""
    if not bookings:
        return []
    change, rule = wish.change, series.rule
    spaces = {
        id_: space for id_, (space, _) in spaces_of(session, city.id, {b.space_id for b in bookings}).items()
    }
    days = {
        booking.id: shifted(
            rule,
            booking.span.start.astimezone(city.zone).date(),
            change.shift_days,
            alone=scope == "one",
        )
        for booking in bookings
    }
    added = added_by(session, city, bookings, set(days.values()))
    view = outlook(
        session,
        city,
        spaces.values(),
        set(days.values()),
        longest_minutes=max(change.minutes or 0, *(booking.span.minutes for booking in bookings)),
        organisation_id=series.organisation_id,
        at=at,
        without={booking.id for booking in bookings},
        equipment={unit_id for one in added.values() if isinstance(one, Adding) for unit_id in one.pieces},
    )
    pending = pending_changes(session, series)
    return [
        Changed(booking, spaces[booking.space_id], booking.span, ChangePending(), None, stays=True)
        if booking.id in pending
        else changed_date(
            view, booking, spaces[booking.space_id], wish, day=days[booking.id], adding=added[booking.id]
        )
        for booking in bookings
    ]


def added_by(
    session: Session, city: City, bookings: Sequence[Booking], days: Collection[date]
) -> dict[int, Adding | PiecesWrong]:
    """What each booking was sold with, by its id, priced for new times that begin on these days; or why it cannot be sold
    like that any more."""
    ids = [booking.id for booking in bookings]
    discounts = discounts_of_holders(session, city.id, ids)
    pieces = extras_of(session, city.id, ids)
    sold: dict[tuple[int, frozenset[tuple[int, int]]], Adding | PiecesWrong] = {}
    found = {}
    for booking in bookings:
        wanted = pieces.get(booking.id, {})
        key = booking.space_id, frozenset(wanted.items())
        if key not in sold:
            try:
                sold[key] = Adding(None, wanted_by_day(session, city, booking.space_id, wanted, days))
            except PiecesWrong as refusal:
                sold[key] = refusal
        one = sold[key]
        found[booking.id] = (
            replace(one, discount=discounts.get(booking.id)) if isinstance(one, Adding) else one
        )
    return found


def changed_date(
    view: Outlook, booking: Booking, space: Space, wish: Wish, *, day: date, adding: Adding | PiecesWrong
) -> Changed:
    was, change = booking.span, wish.change
    if space.whole_days:
        days = days_of(change.minutes) if change.minutes else len(local_days(was, view.zone))
        found = view.whole_days(space, day, days) if change.is_of_time else was
        if found is None:
            return Changed(booking, space, was, NotOpen(), None)
        during = found
    else:
        during = change.of(was, day, view.zone) if change.is_of_time else was
    inside = lies_inside(booking, BookingChange(space, during, wish.attendees))
    if booking.state == "confirmed" and not inside and first_state(space.approval) == "awaiting_approval":
        return Changed(booking, space, was, AskOneByOne(), None, stays=True)
    if during == was:
        return Changed(booking, space, was, None, None)
    if space.state != "published":
        return Changed(booking, space, was, NotOnOffer(), None)
    if isinstance(adding, PiecesWrong):
        return Changed(booking, space, was, adding, None)
    # What is given back was asked for in time, so the rest of it is too.
    refusal = view.refusal_of(space, during, adding, asked_at=booking.requested_at if inside else None)
    if refusal is not None:
        return Changed(booking, space, was, refusal, None)
    it = view.priced(space, during, adding)
    kept = booking.kept_at(view.at)
    # Else one would change to something cheap instead of cancelling.
    it = replace(it, price=at_least(it.price, kept))
    if booking.payment == "paid" and it.price.total.minor != booking.total_minor:
        return Changed(booking, space, was, PaidAlready(), None)
    return Changed(booking, space, was, None, it)


def change_dates(
    session: Session,
    city: City,
    series: Series,
    wish: Wish,
    *,
    actor: Actor,
    scope: str,
    position: int,
    all_or_nothing: bool,
    at: datetime,
    expected_difference_minor: int | None = None,
) -> Series:
    """Give the dates of the scope their new time, purpose and number of people; return the series that they are now in.

    A date whose new time cannot be had keeps the old one, or with `all_or_nothing` all do. `expected_difference_minor`
    is what the person saw that it costs more. Raises NotYourSeries, TooManyPeople, AttendeesOutOfRange, DatesTaken,
    NoDates, NothingToChange, PriceChanged; then nothing has changed.
    """
    policy.require_may_change(actor, series)
    locked_series(session, series)
    meant = meant_bookings(locked_bookings(session, series), scope=scope, position=position, at=at)
    plan = plan_change(session, city, series, meant, wish, scope=scope, at=at)
    for one in plan:
        check_attendees(one.space, wish.attendees)
    rewords = any(
        (one.booking.purpose, one.booking.attendees) != (wish.purpose, wish.attendees)
        for one in plan
        if not one.stays
    )
    if not rewords and not any(one.becomes or one.refusal for one in plan):
        raise NothingToChange
    refused = [one.was.start.astimezone(city.zone).date() for one in plan if one.refusal]
    if refused and all_or_nothing:
        raise DatesTaken(refused)
    moved = [(one, one.becomes) for one in plan if one.becomes is not None]
    if not moved and not rewords:
        raise NoDates
    more = sum(one.difference_minor for one in plan)
    if expected_difference_minor is not None and more > expected_difference_minor:
        raise PriceChanged(total_minor=more, currency=city.currency)
    with session.begin_nested():
        lost = take_new_times(session, city, moved, all_or_nothing=all_or_nothing)
        after = split(session, city, series, plan, scope=scope, at=at)
        for one in plan:
            becomes = one.becomes if one.booking.id not in lost else None
            write_change(session, actor, one, becomes, wish, at=at)
        if scope != "one":
            after.purpose, after.attendees = wish.purpose, wish.attendees
            apply_to_rule(after, wish.change)
        after.changed_at = at
        session.flush()
    audit(
        session,
        actor,
        "series.changed",
        "series",
        after.id,
        scope=scope,
        shift_days=wish.change.shift_days,
        starts=wish.change.starts.isoformat() if wish.change.starts else None,
        minutes=wish.change.minutes,
        bookings=[one.booking.id for one in plan],
        kept=sorted(lost | {one.booking.id for one in plan if one.refusal}),
        before_series=series.id,
    )
    publish(
        session,
        "series.changed",
        city_id=city.id,
        series_id=after.id,
        booking_ids=[one.booking.id for one in plan],
        kept_ids=sorted(lost | {one.booking.id for one in plan if one.refusal}),
        at=at.isoformat(),
    )
    session.flush()
    return after


def take_new_times(
    session: Session, city: City, moved: Sequence[tuple[Changed, Priced]], *, all_or_nothing: bool
) -> set[int]:
    """Claim the new times; returns the bookings that keep their old one. Raises DatesTaken."""
    wanted = [
        Wanted(one.booking.id, it.space.id, it.during, booking_rules(it.space), it.pieces)
        for one, it in moved
    ]
    lost = claim_times(session, city, wanted)
    if lost and all_or_nothing:
        raise DatesTaken(
            [one.was.start.astimezone(city.zone).date() for one, _ in moved if one.booking.id in lost]
        )
    return lost


def write_change(
    session: Session, actor: Actor, one: Changed, becomes: Priced | None, wish: Wish, *, at: datetime
) -> None:
    booking = one.booking
    if one.stays:
        return
    before = facts(booking)
    booking.purpose, booking.attendees, booking.changed_at = wish.purpose, wish.attendees, at
    if becomes is not None:
        span = becomes.during
        agreed, in_steps = booking.schedule, bool(booking.cancel_tiers)
        booking.during = TimestamptzRange(span.start, span.end)
        if booking.payment == "paid":
            booking.lines = [line.as_json() for line in becomes.price.lines]
        else:
            sell(booking, becomes.price)
        carry_on(booking, one.space, becomes.price, agreed=agreed, in_steps=in_steps, at=at)
    after = facts(booking)
    if after != before:
        audit(session, actor, "booking.changed", "booking", booking.id, before=before, after=after)


def facts(booking: Booking) -> dict[str, object]:
    return {**facts_of(booking), "purpose": booking.purpose}


def split(
    session: Session, city: City, series: Series, plan: Sequence[Changed], *, scope: str, at: datetime
) -> Series:
    """The series whose rule the changed dates follow: this one where nothing comes before them, else a new one."""
    first = plan[0].booking.position or 1
    if scope == "one" or first == 1:
        return series
    dates = series.rule.dates()
    rest = Series(
        city_id=city.id,
        reference=new_reference(),
        space_id=series.space_id,
        person_id=series.person_id,
        organisation_id=series.organisation_id,
        frequency=series.frequency,
        every=series.every,
        nth=series.nth,
        first_day=dates[first - 1],
        until_day=series.until_day,
        times=series.times - first + 1 if series.times is not None else None,
        starts=series.starts,
        minutes=series.minutes,
        purpose=series.purpose,
        attendees=series.attendees,
        continues_id=series.id,
        source=series.source,
        # Only forms bring submissions, and none brings this one.
        submission=f"{series.submission}>{first}",
        created_at=at,
        changed_at=at,
    )
    session.add(rest)
    session.flush()
    if series.times is not None:
        series.times = first - 1
    else:
        series.until_day = dates[first - 1] - timedelta(days=1)
    series.changed_at = at
    move_rows(session, series, rest, first)
    return rest


def move_rows(session: Session, series: Series, rest: Series, first: int) -> None:
    """Let the dates from the place `first` on belong to `rest`, counted from 1 again."""
    for booking in bookings_of(session, series):
        if booking.position is not None and booking.position >= first:
            booking.series_id, booking.position = rest.id, booking.position - (first - 1)
    session.flush()
    session.execute(
        update(SeriesSkip)
        .where(
            SeriesSkip.city_id == series.city_id,
            SeriesSkip.series_id == series.id,
            SeriesSkip.position >= first,
        )
        .values(series_id=rest.id, position=SeriesSkip.position - (first - 1))
        .execution_options(synchronize_session=False)
    )


def apply_to_rule(series: Series, change: Change) -> None:
    """What the series says of itself from now on; the weekday goes with the first day."""
    if change.shift_days:
        rule = series.rule
        series.first_day = shifted(rule, rule.first, change.shift_days, alone=False)
        if series.until_day is not None:
            series.until_day = shifted(rule, rule.dates()[-1], change.shift_days, alone=False)
    if change.starts is not None and series.starts is not None:
        series.starts = change.starts
    if change.minutes is not None:
        series.minutes = change.minutes
