"""Holds: a time kept for whoever fills in the checkout, which frees itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle import actions
from bookings.lifecycle.actions import request_booking
from bookings.lifecycle.errors import HoldOver, NotOnOffer, SubmissionUsed, TooFarAhead
from bookings.lifecycle.hold_actions import (
    extend_hold,
    forget_lapsed,
    held_at,
    hold_space,
    lapse_hold,
    other_hold,
    release_hold,
)
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.errors import NotVerified
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.errors import Unauthenticated
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim
from spaces.catalog.models import Space
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_person

MINUTE = timedelta(minutes=1)


def hold(session: Session, city: City, space: Space, actor: Actor, start: float = 18, **more: Any) -> Booking:
    values: dict[str, Any] = {"submission": "form-of-mine", "at": NOW, **more}
    return hold_space(session, city, space, actor=actor, during=span_on(city, start, start + 2), **values)


def agree(session: Session, city: City, space: Space, actor: Actor, **more: Any) -> Booking:
    values: dict[str, Any] = {
        "during": span_on(city, 18, 20), "purpose": "Choir", "attendees": 12, "organisation_id": None,
        "submission": "form-of-mine", "at": NOW + 5 * MINUTE, **more,
    }  # fmt: skip
    return request_booking(session, city, space, actor=actor, **values)


def claims(session: Session, booking: Booking) -> int:
    counted = session.scalar(select(func.count()).select_from(Claim).where(Claim.holder_id == booking.id))
    return counted or 0


def test_a_hold_keeps_the_time_from_others_and_becomes_the_booking(
    session: Session, city: City, person: Person
) -> None:
    space, mine = open_space(session, city), actor_of(session, person)
    others = actor_of(session, make_person(session, city))
    held = hold(session, city, space, mine)
    assert (held.state, held.held_until, held.requested_at) == ("held", NOW + 10 * MINUTE, None)
    assert (held.total_minor, held.payment) == (0, "not_needed")
    with pytest.raises(SlotTaken):
        book(session, city, space, others, span_on(city, 19, 21))
    booking = agree(session, city, space, mine)
    assert booking.id == held.id
    assert (booking.state, booking.held_until, booking.purpose) == ("confirmed", None, "Choir")
    assert (booking.requested_at, booking.payment) == (NOW + 5 * MINUTE, "due")
    assert booking.total_minor > 0
    assert claims(session, booking) == 1
    # Sent twice, the form finds what it has made.
    assert agree(session, city, space, mine).id == booking.id


def test_a_request_keeps_the_hold_until_the_owner_answers(
    session: Session, city: City, person: Person
) -> None:
    space, mine = open_space(session, city, approval="handler"), actor_of(session, person)
    hold(session, city, space, mine)
    assert agree(session, city, space, mine).state == "awaiting_approval"


def test_a_hold_that_lapses_gives_the_time_back_and_its_form_may_try_again(
    session: Session, city: City, person: Person
) -> None:
    space, mine = open_space(session, city), actor_of(session, person)
    held = hold(session, city, space, mine)
    assert not lapse_hold(session, city.id, at=NOW + 10 * MINUTE - timedelta(seconds=1))
    assert lapse_hold(session, city.id, at=NOW + 10 * MINUTE)
    assert not lapse_hold(session, city.id, at=NOW + 10 * MINUTE)
    assert (held.state, claims(session, held)) == ("expired", 0)
    booking = agree(session, city, space, mine, at=NOW + 11 * MINUTE)
    assert booking.id != held.id
    assert booking.state == "confirmed"


def test_the_form_of_a_lapsed_hold_is_told_when_another_was_quicker(
    session: Session, city: City, person: Person
) -> None:
    space, mine = open_space(session, city), actor_of(session, person)
    hold(session, city, space, mine)
    lapse_hold(session, city.id, at=NOW + 10 * MINUTE)
    book(session, city, space, actor_of(session, make_person(session, city)), span_on(city, 18, 20))
    with pytest.raises(SlotTaken):
        agree(session, city, space, mine, at=NOW + 11 * MINUTE)


def test_holding_longer_ends_after_half_an_hour(session: Session, city: City, person: Person) -> None:
    held = hold(session, city, open_space(session, city), actor_of(session, person))
    for pressed, until in ((1, 11), (9, 19), (18, 28), (27, 30), (29, 30)):
        assert extend_hold(session, held, at=NOW + pressed * MINUTE).held_until == NOW + until * MINUTE
    with pytest.raises(HoldOver):
        extend_hold(session, held, at=NOW + 30 * MINUTE)


def test_the_same_form_holds_once(session: Session, city: City, person: Person) -> None:
    space, mine = open_space(session, city), actor_of(session, person)
    held = hold(session, city, space, mine)
    assert hold(session, city, space, mine).id == held.id
    with pytest.raises(SubmissionUsed):
        hold(session, city, space, mine, start=10)
    with pytest.raises(SubmissionUsed):
        agree(session, city, space, mine, during=span_on(city, 10, 12))


def test_who_may_hold(session: Session, city: City, person: Person) -> None:
    space = open_space(session, city)
    with pytest.raises(Unauthenticated):
        hold(session, city, space, Actor(city_id=city.id))
    with pytest.raises(NotVerified):
        hold(session, city, space, Actor(city_id=city.id, person_id=person.id))
    with pytest.raises(NotOnOffer):
        hold(session, city, open_space(session, city, state="draft"), actor_of(session, person))
    with pytest.raises(TooFarAhead):
        hold(session, city, open_space(session, city, horizon_days=1), actor_of(session, person))


def test_a_persons_other_hold_is_found_and_given_back(session: Session, city: City, person: Person) -> None:
    space, mine = open_space(session, city), actor_of(session, person)
    first = hold(session, city, space, mine)
    second = hold(session, city, space, mine, start=10, submission="another-form")
    assert other_hold(session, city.id, person.id, but="another-form") == first
    assert release_hold(session, first, at=NOW)
    assert not release_hold(session, first, at=NOW)
    assert other_hold(session, city.id, person.id, but="another-form") is None
    assert held_at(session, mine, space, second.span, at=NOW) == second
    assert held_at(session, mine, space, second.span, at=NOW + 10 * MINUTE) is None


def test_lapsed_holds_are_forgotten_and_real_bookings_never(
    session: Session, city: City, person: Person
) -> None:
    space, mine = open_space(session, city, approval="handler"), actor_of(session, person)
    held = hold(session, city, space, mine, start=10)
    lapse_hold(session, city.id, at=NOW + 10 * MINUTE)
    asked = book(session, city, space, mine, span_on(city, 18, 20))
    asked.state = "expired"
    asked.payment = "not_needed"
    session.flush()
    later = NOW + timedelta(days=2)
    assert forget_lapsed(session, city.id, before=held.changed_at) == 0
    assert forget_lapsed(session, city.id, before=later) == 1
    assert session.scalars(select(Booking.id)).all() == [asked.id]


def test_the_form_may_be_sent_while_its_hold_is_on_the_way(committing: Engine) -> None:
    """Whichever of the two comes first, the person gets the time."""
    with transaction() as session:
        city = make_city(session)
        space = open_space(session, city)
        actors = [actor_of(session, make_person(session, city)) for _ in range(14)]

    def run(n: int) -> str:
        form: dict[str, Any] = {
            "submission": f"form-of-{n // 2:04}",
            "during": span_on(city, 8 + n // 2, 9 + n // 2),
        }
        with transaction() as session:
            if n % 2:
                return hold_space(session, city, space, actor=actors[n // 2], at=NOW, **form).state
            return agree(session, city, space, actors[n // 2], at=NOW, **form).state

    with ThreadPoolExecutor(14) as pool:
        answers = list(pool.map(run, range(28)))
    assert set(answers[::2]) == {"confirmed"}
    with transaction() as session:
        assert session.scalars(select(Booking.state)).all() == ["confirmed"] * 14


def test_a_hold_that_comes_between_look_and_claim_is_the_forms_own(
    session: Session, city: City, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, mine = open_space(session, city), actor_of(session, person)
    look = actions.check_time

    def held_meanwhile(*args: Any, **more: Any) -> None:
        hold(session, city, space, mine)
        look(*args, **more)

    monkeypatch.setattr(actions, "check_time", held_meanwhile)
    booking = agree(session, city, space, mine)
    assert (booking.state, claims(session, booking)) == ("confirmed", 1)
    assert session.scalars(select(Booking.id)).all() == [booking.id]
