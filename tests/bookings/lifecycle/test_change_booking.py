"""Changing a booking: what one has is kept whenever the other cannot be had, and no change is a way out of a price."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.desk.queries import uses_of
from bookings.lifecycle.actions import (
    approve_booking,
    cancel_booking,
    decline_booking,
    displace_booking,
    expire_request,
    move_booking,
    move_to,
    undo_answer,
)
from bookings.lifecycle.change_actions import Change, change_booking, change_terms, offered_changes
from bookings.lifecycle.closing import BookingHolders
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import (
    ChangeAsked,
    ChangeOverlaps,
    ChangePending,
    InThePast,
    NoRightToCancel,
    NotChangeable,
    NotOpen,
    PaidAlready,
    PriceChanged,
    TooLateToBook,
    TooManyPeople,
    UndoOver,
)
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import pieces_of
from bookings.lifecycle.rules import free_until_after_change
from marketplace.accounts.actor import system
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.calendar.closing_actions import close_space
from spaces.calendar.errors import BookingsInTheWay, SlotTaken
from spaces.calendar.models import Claim
from spaces.calendar.queries import calendar_of
from spaces.catalog.models import Space, Venue
from spaces.pricing.errors import CodeUsedUp
from spaces.pricing.models import DiscountCode, DiscountUse
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.equipment import make_extra
from tests.factories.people import actor_of, make_person
from tests.factories.spaces import make_unit, make_venue

HOUR = timedelta(hours=1)


def change(
    session: Session, city: City, booking: Booking, space: Space, during: Span, person: Person, **more: Any
) -> Booking:
    values: dict[str, Any] = {"at": NOW + HOUR, "submission": "change-of-mine", **more}
    attendees = values.pop("attendees", booking.attendees)
    wanted = Change(space, during, attendees)
    return change_booking(session, city, booking, wanted, actor=actor_of(session, person), **values)


def claimed(session: Session) -> dict[int, list[tuple[int, Any]]]:
    rows = session.execute(
        select(Claim.holder_id, Claim.unit_id, Claim.during).order_by(Claim.id if False else Claim.holder_id)
    )
    found: dict[int, list[tuple[int, Any]]] = {}
    for holder_id, unit_id, during in rows:
        found.setdefault(holder_id, []).append((unit_id, (during.lower, during.upper)))
    return found


def test_a_longer_time_costs_the_difference_and_takes_the_place_of_the_old(
    session: Session, city: City, person: Person
) -> None:
    space = open_space(session, city)
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20), attendees=10)
    later = span_on(city, 19, 22)
    terms = change_terms(
        session, city, booking, Change(space, later, 12), actor=actor_of(session, person), at=NOW + HOUR
    )
    assert (terms.price.total.minor, terms.difference.minor, terms.needs_approval) == (6000, 2000, False)
    assert change(session, city, booking, space, later, person, attendees=12) is booking
    assert (booking.span, booking.attendees, booking.total_minor) == (later, 12, 6000)
    (times,) = claimed(session).values()
    assert [time for _, time in times] == [(later.start, later.end)]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.changed")).one()
    assert entry.details["before"]["total_minor"] == 4000
    assert entry.details["after"]["attendees"] == 12
    book(session, city, space, actor_of(session, make_person(session, city)), span_on(city, 17, 19))


def test_what_cannot_be_had_leaves_everything_as_it_was(session: Session, city: City, person: Person) -> None:
    space, mine = open_space(session, city), actor_of(session, person)
    booking = book(session, city, space, mine, span_on(city, 18, 20))
    book(session, city, space, actor_of(session, make_person(session, city)), span_on(city, 20, 22))
    before = claimed(session)
    wrong: list[tuple[Span, type[Exception], dict[str, Any]]] = [
        (span_on(city, 19, 21), SlotTaken, {}),
        (span_on(city, 2, 4), NotOpen, {}),
        (span_on(city, 10, 12), TooManyPeople, {"attendees": (space.capacity or 0) + 1}),
        (span_on(city, 10, 13), PriceChanged, {"expected_total_minor": 5999}),
    ]
    for during, refusal, more in wrong:
        with pytest.raises(refusal):
            change(session, city, booking, space, during, person, **more)
        session.refresh(booking)
        assert (booking.span, booking.total_minor) == (span_on(city, 18, 20), 4000)
        assert claimed(session) == before


def test_to_another_space(session: Session, city: City, person: Person) -> None:
    venue = make_venue(session, city)
    small, large = open_space(session, city, venue), open_space(session, city, venue, capacity=200)
    booking = book(session, city, small, actor_of(session, person), span_on(city, 18, 20))
    change(session, city, booking, large, span_on(city, 18, 20), person, attendees=150)
    assert booking.space_id == large.id
    book(session, city, small, actor_of(session, make_person(session, city)), span_on(city, 18, 20))
    with pytest.raises(SlotTaken):
        book(session, city, large, actor_of(session, make_person(session, city)), span_on(city, 18, 20))


def handled(session: Session, city: City, person: Person) -> tuple[Venue, Space, Booking]:
    venue = make_venue(session, city)
    space = open_space(session, city, venue, approval="handler")
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20), attendees=10)
    move_to(session, booking, "confirmed", NOW)
    return venue, space, booking


def staff_of(session: Session, city: City) -> Any:
    return actor_of(session, make_person(session, city, is_staff=True))


@pytest.mark.parametrize(
    ("start", "end", "people"), [(18, 19, 10), (19, 20, 9), (18, 20, None), (18.5, 19.5, 1)]
)
def test_less_of_the_same_needs_no_new_approval(
    session: Session, city: City, person: Person, start: float, end: float, people: int | None
) -> None:
    _, space, booking = handled(session, city, person)
    changed = change(session, city, booking, space, span_on(city, start, end), person, attendees=people)
    assert changed is booking
    assert (booking.state, booking.span) == ("confirmed", span_on(city, start, end))


def test_another_time_of_an_approved_space_asks_again_and_the_old_is_kept(
    session: Session, city: City, person: Person
) -> None:
    venue, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, span_on(city, 10, 12), person)
    assert (request.state, request.replaces_id, booking.state) == (
        "awaiting_approval",
        booking.id,
        "confirmed",
    )
    assert set(claimed(session)) == {booking.id, request.id}
    with pytest.raises(ChangePending):
        change(session, city, booking, space, span_on(city, 12, 14), person, submission="once-more")
    with pytest.raises(NotChangeable):
        change(session, city, request, space, span_on(city, 12, 14), person, submission="once-more")
    approve_booking(session, city, request, venue, actor=staff_of(session, city), at=NOW + 2 * HOUR)
    assert (request.state, request.replaces_id, booking.state, booking.kept_minor) == (
        "confirmed",
        None,
        "cancelled",
        0,
    )
    assert set(claimed(session)) == {request.id}


def test_a_declined_change_leaves_the_old_booking(session: Session, city: City, person: Person) -> None:
    venue, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, span_on(city, 10, 12), person)
    decline_booking(
        session, city, request, venue, actor=staff_of(session, city), reason="Cleaning", at=NOW + 2 * HOUR
    )
    assert (request.state, booking.state) == ("declined", "confirmed")
    assert set(claimed(session)) == {booking.id}
    assert (
        change(session, city, booking, space, span_on(city, 12, 14), person, submission="once-more")
        != booking
    )


def test_cancelling_the_booking_takes_its_change_back(session: Session, city: City, person: Person) -> None:
    _, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, span_on(city, 10, 12), person)
    cancel_booking(session, city, booking, actor=actor_of(session, person), at=NOW + 2 * HOUR)
    assert (request.state, booking.state) == ("cancelled", "cancelled")
    assert claimed(session) == {}


def had(session: Session, city: City) -> dict[int, list[Any]]:
    """The claims as hours of the day, by holder."""
    day = span_on(city, 0, 24).start
    return {
        holder: sorted(((start - day) / HOUR, (end - day) / HOUR) for _, (start, end) in claims)
        for holder, claims in claimed(session).items()
    }


@pytest.mark.parametrize("start", [16, 17, 18, 19, 20])
def test_a_change_that_meets_the_present_time_holds_both_until_it_is_answered(
    session: Session, city: City, person: Person, start: int
) -> None:
    venue, space, booking = handled(session, city, person)
    staff = staff_of(session, city)
    end = min(start + 3, 22)
    wished = span_on(city, start, end)

    def ask(key: str) -> Booking:
        request = change(session, city, booking, space, wished, person, submission=f"asked-{key}")
        assert (request.state, booking.state) == ("awaiting_approval", "confirmed")
        assert had(session, city) == {request.id: [(min(start, 18), max(end, 20))]}
        return request

    declined = ask("first")
    with pytest.raises(SlotTaken):
        book(session, city, space, actor_of(session, make_person(session, city)), booking.span)
    for one in (booking, declined):
        with pytest.raises(ChangeAsked):
            move_booking(
                session, city, one, space, venue, actor=staff, during=span_on(city, 10, 12), at=NOW + HOUR
            )
    decline_booking(session, city, declined, venue, actor=staff, reason="x", at=NOW + HOUR)
    assert had(session, city) == {booking.id: [(18, 20)]}

    withdrawn = ask("second")
    cancel_booking(session, city, withdrawn, actor=actor_of(session, person), at=NOW + HOUR)
    assert had(session, city) == {booking.id: [(18, 20)]}

    approved = ask("third")
    approve_booking(session, city, approved, venue, actor=staff, at=NOW + 2 * HOUR)
    assert had(session, city) == {approved.id: [(start, end)]}
    assert (approved.state, approved.span, booking.state) == ("confirmed", wished, "cancelled")


def test_more_people_at_the_same_time_ask_again(session: Session, city: City, person: Person) -> None:
    venue, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, booking.span, person, attendees=20)
    assert had(session, city) == {request.id: [(18, 20)]}
    approve_booking(session, city, request, venue, actor=staff_of(session, city), at=NOW + HOUR)
    assert (request.attendees, had(session, city)) == (20, {request.id: [(18, 20)]})


def test_both_times_are_let_go_where_the_booking_ends(session: Session, city: City, person: Person) -> None:
    venue, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, span_on(city, 19, 22), person)
    displace_booking(
        session, city, booking, venue, actor=staff_of(session, city), reasons={"en": "x"}, at=NOW
    )
    assert (request.state, booking.state, claimed(session)) == ("cancelled", "cancelled", {})


def test_a_request_that_nobody_answered_goes_when_either_time_begins(
    session: Session, city: City, person: Person
) -> None:
    _, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, span_on(city, 19, 22), person)
    begins = booking.span.start
    assert not expire_request(session, city.id, at=begins - timedelta(minutes=1))
    assert expire_request(session, city.id, at=begins)
    assert (request.state, booking.state) == ("expired", "confirmed")
    assert had(session, city) == {booking.id: [(18, 20)]}


def test_a_declined_change_that_meets_the_present_time_is_undone(
    session: Session, city: City, person: Person
) -> None:
    venue, space, booking = handled(session, city, person)
    staff = staff_of(session, city)
    request = change(session, city, booking, space, span_on(city, 19, 22), person)
    decline_booking(session, city, request, venue, actor=staff, reason="x", at=NOW + HOUR, may_undo=True)
    undo_answer(session, city, request, space, venue, actor=staff, at=NOW + HOUR)
    assert (request.state, had(session, city)) == ("awaiting_approval", {request.id: [(18, 22)]})
    decline_booking(session, city, request, venue, actor=staff, reason="x", at=NOW + HOUR, may_undo=True)
    change(session, city, booking, space, span_on(city, 17, 20), person, submission="something-else")
    with pytest.raises(UndoOver):
        undo_answer(session, city, request, space, venue, actor=staff, at=NOW + HOUR)


def test_the_calendar_shows_both_while_a_change_waits(session: Session, city: City, person: Person) -> None:
    _, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, span_on(city, 19, 22), person)
    day = span_on(city, 0, 24)
    calendar = calendar_of(session, city.id, space.id, day, city.zone)
    uses = uses_of(session, city, [calendar], day)[space.id]
    assert [use.reference for use in uses] == [booking.reference, request.reference]


def test_both_are_named_when_the_space_is_closed(session: Session, city: City, person: Person) -> None:
    _, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, span_on(city, 19, 22), person)

    def close(cancel: list[int]) -> None:
        close_space(
            session,
            city,
            space,
            span_on(city, 19, 20),
            {"en": "Repairs"},
            actor=staff_of(session, city),
            holders=BookingHolders(),
            at=NOW + HOUR,
            cancel=cancel,
        )

    with pytest.raises(BookingsInTheWay) as refused, session.begin_nested():
        close([request.id])
    assert refused.value.holder_ids == [booking.id]
    session.expire_all()
    close([request.id, booking.id])
    assert (request.state, booking.state) == ("declined", "cancelled")


@pytest.mark.parametrize("start", [10, 14, 19])
def test_neither_is_moved_while_a_change_waits(
    session: Session, city: City, person: Person, start: int
) -> None:
    venue, space, booking = handled(session, city, person)
    request = change(session, city, booking, space, span_on(city, start, start + 2), person)
    before = had(session, city)
    for one in (booking, request):
        with pytest.raises(ChangeAsked):
            move_booking(
                session, city, one, space, venue, actor=staff_of(session, city),
                during=span_on(city, 12, 14), at=NOW + HOUR,
            )  # fmt: skip
    assert had(session, city) == before


def test_a_code_goes_with_an_approved_change(session: Session, city: City, person: Person) -> None:
    venue = make_venue(session, city)
    space = open_space(session, city, venue, approval="handler")
    session.add(
        DiscountCode(
            city_id=city.id, space_id=space.id, code="ONCE", percent=50, valid_from=date(2026, 1, 1), max_uses=1
        )
    )  # fmt: skip
    session.flush()
    once = Details(code="ONCE")
    booker, staff = actor_of(session, person), staff_of(session, city)
    booking = book(session, city, space, booker, span_on(city, 18, 20), details=once)
    move_to(session, booking, "confirmed", NOW)
    declined = change(session, city, booking, space, span_on(city, 10, 12), person)
    decline_booking(session, city, declined, venue, actor=staff, reason="x", at=NOW + HOUR, may_undo=True)
    undo_answer(session, city, declined, space, venue, actor=staff, at=NOW + HOUR)
    approve_booking(session, city, declined, venue, actor=staff, at=NOW + HOUR)
    uses = session.execute(select(DiscountUse.holder_id)).scalars().all()
    assert (declined.total_minor, list(uses)) == (2000, [declined.id])
    with pytest.raises(CodeUsedUp):
        book(session, city, space, booker, span_on(city, 14, 16), details=once)
    cancel_booking(session, city, declined, actor=booker, at=NOW + 2 * HOUR)
    book(session, city, space, booker, span_on(city, 14, 16), details=once)


def test_an_approved_change_is_no_way_out_of_a_price(session: Session, city: City, person: Person) -> None:
    venue = make_venue(session, city)
    space = open_space(session, city, venue, approval="handler", cancellation_hours=24)
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    move_to(session, booking, "confirmed", NOW)
    late = span_on(city, 12, 13).start
    later = Span(booking.span.start + timedelta(days=7), booking.span.end + timedelta(days=7))
    request = change(session, city, booking, space, later, person, at=late)
    approve_booking(session, city, request, venue, actor=staff_of(session, city), at=late + HOUR)
    assert request.cancel_free_until == booking.cancel_free_until
    kept = cancel_booking(session, city, request, actor=actor_of(session, person), at=late + 2 * HOUR)
    assert kept.minor == 4000


def test_a_change_that_keeps_its_equipment_holds_it_once(
    session: Session, city: City, person: Person
) -> None:
    venue = make_venue(session, city)
    space = open_space(session, city, venue, approval="handler")
    tables = make_extra(session, city, [space], stock=3)
    booking = book(
        session,
        city,
        space,
        actor_of(session, person),
        span_on(city, 18, 20),
        details=Details(extras={tables.id: 3}),
    )
    move_to(session, booking, "confirmed", NOW)
    request = change(session, city, booking, space, span_on(city, 19, 21), person)
    assert had(session, city) == {request.id: [(18, 21)] * 4}
    decline_booking(session, city, request, venue, actor=staff_of(session, city), reason="x", at=NOW + HOUR)
    assert had(session, city) == {booking.id: [(18, 20)] * 4}


def test_less_time_may_be_given_back_however_late(session: Session, city: City, person: Person) -> None:
    space = open_space(session, city, notice_minutes=48 * 60)
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    late = span_on(city, 15, 16).start
    with pytest.raises(TooLateToBook):
        change(session, city, booking, space, span_on(city, 20, 22), person, at=late)
    change(session, city, booking, space, span_on(city, 18, 19), person, at=late)
    assert booking.span == span_on(city, 18, 19)
    # But what is due stays due.
    assert booking.total_minor == 4000
    assert [line["code"] for line in booking.lines] == ["hours", "kept"]


def test_a_later_time_is_no_way_out_of_a_price(session: Session, city: City, person: Person) -> None:
    space = open_space(session, city, cancellation_hours=24)
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    was, late = booking.cancel_free_until, span_on(city, 12, 13).start
    next_week = Span(booking.span.start + timedelta(days=7), booking.span.end + timedelta(days=7))
    change(session, city, booking, space, next_week, person, at=late)
    assert booking.cancel_free_until == was
    assert (
        cancel_booking(session, city, booking, actor=actor_of(session, person), at=late + HOUR).minor == 4000
    )


def test_who_may_change_and_what(session: Session, city: City, person: Person) -> None:
    space = open_space(session, city)
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    with pytest.raises(NoRightToCancel):
        change(session, city, booking, space, span_on(city, 10, 12), make_person(session, city))
    with pytest.raises(NoRightToCancel):
        change_terms(
            session, city, booking, Change(space, span_on(city, 10, 12), None), actor=system(city.id), at=NOW
        )
    with pytest.raises(InThePast):
        change(session, city, booking, space, span_on(city, 10, 12), person, at=span_on(city, 11, 12).start)
    with pytest.raises(NotChangeable):
        change(session, city, booking, space, span_on(city, 21, 22), person, at=span_on(city, 18, 19).start)
    booking.payment = "paid"
    with pytest.raises(PaidAlready):
        change(session, city, booking, space, span_on(city, 10, 13), person)
    change(session, city, booking, space, span_on(city, 10, 12), person)
    assert (booking.payment, booking.span) == ("paid", span_on(city, 10, 12))
    move_to(session, booking, "cancelled", NOW)
    with pytest.raises(NotChangeable):
        change(session, city, booking, space, span_on(city, 10, 12), person, attendees=3)


def test_changing_nothing_changes_nothing(session: Session, city: City, person: Person) -> None:
    space = open_space(session, city)
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    at = booking.changed_at
    assert change(session, city, booking, space, span_on(city, 18, 20), person) is booking
    assert booking.changed_at == at


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    was=st.integers(-100, 100),
    start=st.integers(-100, 100),
    at=st.integers(-100, 100),
    hours=st.integers(0, 72),
)
def test_a_change_never_reopens_free_cancellation(was: int, start: int, at: int, hours: int) -> None:
    def moment(n: int) -> Any:
        return NOW + n * HOUR

    until = free_until_after_change(moment(was), moment(start), hours, at=moment(at))
    assert until <= moment(start - hours)
    if moment(at) > moment(was):
        assert until <= moment(was)


def test_a_change_that_is_asked_for_has_the_equipment_it_is_priced_with(
    session: Session, city: City, person: Person
) -> None:
    venue = make_venue(session, city)
    space = open_space(session, city, venue, approval="handler")
    tables = make_extra(session, city, [space], stock=5)
    mine = actor_of(session, person)
    booking = book(session, city, space, mine, span_on(city, 18, 20), details=Details(extras={tables.id: 2}))
    staff = staff_of(session, city)
    approve_booking(session, city, booking, venue, actor=staff, at=NOW)
    request = change(session, city, booking, space, span_on(city, 10, 12), person)
    assert pieces_of(session, request) == {tables.unit_id: 2}
    held = claimed(session)[request.id]
    assert sorted(unit for unit, _ in held).count(tables.unit_id) == 2
    approve_booking(session, city, request, venue, actor=staff, at=NOW + 2 * HOUR, may_undo=True)
    assert set(claimed(session)) == {request.id}
    # What it replaced is gone, so there is nothing to go back to.
    with pytest.raises(UndoOver):
        undo_answer(session, city, request, space, venue, actor=staff, at=NOW + 2 * HOUR)


def test_a_change_that_meets_ones_own_buffer_or_parts_is_told_as_ones_own(
    session: Session, city: City, person: Person
) -> None:
    venue = make_venue(session, city)
    half = make_unit(session, venue)
    whole = open_space(
        session, city, venue, units=[half, make_unit(session, venue)], buffer_before_minutes=30
    )
    part = open_space(session, city, venue, units=[half], approval="handler")
    booking = book(session, city, whole, actor_of(session, person), span_on(city, 18, 20))
    for start in (17, 19):  # up to the buffer, and within the booking itself
        with pytest.raises(ChangeOverlaps):
            change(session, city, booking, part, span_on(city, start, start + 1), person)
    offered = offered_changes(
        session, city, booking, part, span_on(city, 9, 10).start.date(), minutes=60, at=NOW
    )
    starts = {offer.span.start.astimezone(city.zone).hour for offer in offered}
    assert {16, 20} <= starts
    assert not {17, 18, 19} & starts
    assert change(session, city, booking, part, span_on(city, 16, 17), person).replaces_id == booking.id
