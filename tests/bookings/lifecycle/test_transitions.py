"""Every pair of states: what the table allows happens, everything else is refused and changes nothing."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import complete_bookings, expire_request, move_to
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import (
    HOLDING,
    OPEN,
    PAYMENTS,
    STATES,
    TRANSITIONS,
    may_follow,
    payment_after,
)
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from spaces.calendar.actions import release_claims
from spaces.calendar.models import Claim
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of

# Written out once more, so that a slip in the table does not agree with itself.
ALLOWED = {
    ("held", "awaiting_payment"),
    ("held", "awaiting_approval"),
    ("held", "confirmed"),
    ("held", "cancelled"),
    ("held", "expired"),
    ("awaiting_payment", "awaiting_approval"),
    ("awaiting_payment", "confirmed"),
    ("awaiting_payment", "cancelled"),
    ("awaiting_payment", "expired"),
    ("awaiting_approval", "awaiting_payment"),
    ("awaiting_approval", "confirmed"),
    ("awaiting_approval", "declined"),
    ("awaiting_approval", "cancelled"),
    ("awaiting_approval", "expired"),
    ("confirmed", "completed"),
    ("confirmed", "cancelled"),
    ("confirmed", "no_show"),
    ("no_show", "confirmed"),
    ("expired", "awaiting_approval"),
    ("expired", "confirmed"),
}


# The joint table of state and payment, written out once more for the same reason.
TOGETHER = {
    "held": "not_needed due",
    "awaiting_payment": "due",
    "awaiting_approval": "not_needed due authorised paid",
    "confirmed": "not_needed due authorised paid",
    "completed": "not_needed due authorised paid",
    "no_show": "not_needed due authorised paid",
    "declined": "not_needed refund_due refunded",
    "cancelled": "not_needed due paid refund_due refunded",
    "expired": "not_needed refund_due refunded",
}


def test_the_database_refuses_every_other_pair(session: Session, city: City, person: Person) -> None:
    booking = book(session, city, open_space(session, city), actor_of(session, person), span_on(city, 18, 20))
    for state, payment in product(STATES, PAYMENTS):
        savepoint = session.begin_nested()
        change = update(Booking).where(Booking.id == booking.id).values(
            state=state, payment=payment, held_until=NOW if state == "held" else None
        )  # fmt: skip
        if payment in TOGETHER[state].split():
            session.execute(change, execution_options={"synchronize_session": False})
        else:
            with pytest.raises(IntegrityError):
                session.execute(change, execution_options={"synchronize_session": False})
        savepoint.rollback()


@pytest.mark.parametrize(
    ("payment", "state", "kept", "becomes"),
    [
        ("due", "cancelled", 0, "not_needed"),
        ("due", "cancelled", 1, "due"),
        ("due", "cancelled", 4000, "due"),
        ("paid", "cancelled", 0, "refund_due"),
        ("paid", "cancelled", 3999, "refund_due"),
        ("paid", "cancelled", 4000, "paid"),
        ("paid", "declined", 0, "refund_due"),
        ("due", "declined", 0, "not_needed"),
        ("due", "expired", 0, "not_needed"),
        ("paid", "no_show", 0, "paid"),
        ("authorised", "confirmed", 0, "authorised"),
        ("authorised", "declined", 0, "not_needed"),
        ("authorised", "expired", 0, "not_needed"),
        ("authorised", "cancelled", 0, "not_needed"),
        ("authorised", "cancelled", 1, "due"),
        ("due", "completed", 0, "due"),
        ("not_needed", "cancelled", 0, "not_needed"),
        ("refunded", "cancelled", 0, "refunded"),
    ],
)
def test_what_becomes_of_the_price(payment: str, state: str, kept: int, becomes: str) -> None:
    assert payment_after(payment, state, kept_minor=kept, total_minor=4000) == becomes


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert {(a, b) for a in STATES for b in STATES if may_follow(a, b)} == ALLOWED
    assert OPEN <= HOLDING < set(STATES)
    # But for the no-show that was none, money that came late, and an answer that nobody has heard yet (test_undo_answer),
    # nothing leads back.
    assert {(a, b) for a, b in ALLOWED if (b, a) in ALLOWED} == {
        ("confirmed", "no_show"),
        ("no_show", "confirmed"),
        ("awaiting_approval", "expired"),
        ("expired", "awaiting_approval"),
        ("awaiting_approval", "awaiting_payment"),
        ("awaiting_payment", "awaiting_approval"),
    }


def claims(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Claim)) or 0


def test_every_pair_of_states(session: Session, city: City, person: Person) -> None:
    booking = book(session, city, open_space(session, city), actor_of(session, person), span_on(city, 18, 20))
    at = NOW + timedelta(hours=1)
    everything = [(a, p) for a in STATES for p in TOGETHER[a].split()]
    for (before, payment), after in product(everything, STATES):
        savepoint = session.begin_nested()
        until = at if before == "held" else None
        session.execute(update(Booking).values(state=before, payment=payment, held_until=until))
        session.refresh(booking)
        if before not in HOLDING:
            release_claims(session, city, holder_id=booking.id)
        held = claims(session)
        becomes = payment_after(payment, after, kept_minor=0, total_minor=booking.total_minor)
        if (before, after) in ALLOWED and becomes in TOGETHER[after].split():
            move_to(session, booking, after, at)
            assert (booking.state, booking.payment, booking.changed_at) == (after, becomes, at)
            assert booking.held_until is None
            assert claims(session) == (1 if after in HOLDING else 0)
        else:
            with pytest.raises(IllegalTransition) as refused:
                move_to(session, booking, after, at)
            assert refused.value.public == {"state": before, "asked": after}
            session.refresh(booking)
            assert (booking.state, booking.payment) == (before, payment)
            assert claims(session) == held
        savepoint.rollback()
        session.expire_all()


def test_a_state_read_long_ago_does_not_decide(session: Session, city: City, person: Person) -> None:
    booking = book(session, city, open_space(session, city), actor_of(session, person), span_on(city, 18, 20))
    session.execute(
        update(Booking).values(state="cancelled"), execution_options={"synchronize_session": False}
    )
    assert booking.state == "confirmed"
    with pytest.raises(IllegalTransition):
        move_to(session, booking, "completed", NOW)


def test_time_completes_what_is_over_and_nothing_else(session: Session, city: City, person: Person) -> None:
    space, actor = open_space(session, city), actor_of(session, person)
    over = book(session, city, space, actor, span_on(city, 10, 12))
    present = book(session, city, space, actor, span_on(city, 12, 14))
    at = over.span.end
    assert complete_bookings(session, city.id, at=at) == 1
    assert (over.state, present.state) == ("completed", "confirmed")
    assert complete_bookings(session, city.id, at=at) == 0
    assert claims(session) == 2


def test_a_request_that_nobody_answered_lapses_when_its_time_begins(
    session: Session, city: City, person: Person
) -> None:
    space = open_space(session, city, approval="handler")
    booking = book(session, city, space, actor_of(session, person), span_on(city, 10, 12))
    assert not expire_request(session, city.id, at=booking.span.start - timedelta(seconds=1))
    assert expire_request(session, city.id, at=booking.span.start)
    assert booking.state == "expired"
    assert claims(session) == 0
    assert not expire_request(session, city.id, at=booking.span.start)
