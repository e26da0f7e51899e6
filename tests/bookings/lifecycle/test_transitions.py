"""Every pair of states: what the table allows happens, everything else is refused and changes nothing."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import complete_bookings, expire_request, move_to
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import HOLDING, OPEN, STATES, TRANSITIONS, may_follow
from marketplace.accounts.models import Person
from marketplace.cities.models import City
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
}


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert {(a, b) for a in STATES for b in STATES if may_follow(a, b)} == ALLOWED
    assert OPEN <= HOLDING < set(STATES)
    # Nothing leads back to where it was; only an answer that nobody has heard yet may be taken back (test_undo_answer).
    assert not any((b, a) in ALLOWED for a, b in ALLOWED)


def claims(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Claim)) or 0


def test_every_pair_of_states(session: Session, city: City, person: Person) -> None:
    booking = book(session, city, open_space(session, city), actor_of(session, person), span_on(city, 18, 20))
    at = NOW + timedelta(hours=1)
    for before, after in product(STATES, STATES):
        savepoint = session.begin_nested()
        session.execute(update(Booking).values(state=before))
        session.refresh(booking)
        held = claims(session)
        if (before, after) in ALLOWED:
            move_to(session, booking, after, at)
            assert (booking.state, booking.changed_at) == (after, at)
            assert claims(session) == (1 if after in HOLDING else 0)
        else:
            with pytest.raises(IllegalTransition) as refused:
                move_to(session, booking, after, at)
            assert refused.value.public == {"state": before, "asked": after}
            session.refresh(booking)
            assert booking.state == before
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
