"""Cancelling: who may, until when, and what is kept."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.errors import IllegalTransition, NoRightToCancel, TooLateToCancel
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.money import Money
from spaces.calendar.models import Claim
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_venue


def claims(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Claim)) or 0


def test_cancelling_in_time_costs_nothing_and_frees_the_space(
    session: Session, city: City, person: Person
) -> None:
    actor = actor_of(session, person)
    space = open_space(session, city, cancellation_hours=24)
    booking = book(session, city, space, actor, span_on(city, 18, 20))
    kept = cancel_booking(session, city, booking, actor=actor, at=booking.cancel_free_until)
    assert kept == Money(0)
    assert booking.state == "cancelled"
    assert claims(session) == 0
    book(session, city, space, actor, span_on(city, 18, 20))


def test_late_cancellation_keeps_the_price(session: Session, city: City, person: Person) -> None:
    actor = actor_of(session, person)
    booking = book(session, city, open_space(session, city), actor, span_on(city, 18, 20))
    late = booking.cancel_free_until + timedelta(seconds=1)
    assert cancel_booking(session, city, booking, actor=actor, at=late) == Money(4000)
    assert claims(session) == 0


def test_a_request_is_withdrawn_for_nothing_even_late(session: Session, city: City, person: Person) -> None:
    actor = actor_of(session, person)
    booking = book(session, city, open_space(session, city, approval="handler"), actor, span_on(city, 18, 20))
    at = booking.span.start - timedelta(minutes=1)
    assert cancel_booking(session, city, booking, actor=actor, at=at) == Money(0)


def test_what_has_begun_cannot_be_cancelled(session: Session, city: City, person: Person) -> None:
    actor = actor_of(session, person)
    booking = book(session, city, open_space(session, city), actor, span_on(city, 18, 20))
    with pytest.raises(TooLateToCancel):
        cancel_booking(session, city, booking, actor=actor, at=booking.span.start)
    assert booking.state == "confirmed"
    assert claims(session) == 1


def test_cancelling_twice_is_refused_by_the_action(session: Session, city: City, person: Person) -> None:
    actor = actor_of(session, person)
    booking = book(session, city, open_space(session, city), actor, span_on(city, 18, 20))
    cancel_booking(session, city, booking, actor=actor, at=NOW)
    with pytest.raises(IllegalTransition) as refused:
        cancel_booking(session, city, booking, actor=actor, at=NOW)
    assert refused.value.public == {"state": "cancelled", "asked": "cancelled"}


def booking_of_an_organisation(session: Session, city: City, person: Person) -> Booking:
    organisation = make_organisation(session, city)
    join(session, person, organisation, "booker")
    return book(
        session,
        city,
        open_space(session, city),
        actor_of(session, person),
        span_on(city, 18, 20),
        organisation_id=organisation.id,
    )


@pytest.mark.parametrize(("role", "allowed"), [("member", False), ("booker", True), ("manager", True)])
def test_those_who_book_for_the_organisation_cancel_for_it(
    session: Session, city: City, person: Person, role: str, allowed: bool
) -> None:
    booking = booking_of_an_organisation(session, city, person)
    colleague = make_person(session, city, name="Mira Lehto")
    organisation_id = booking.organisation_id
    assert organisation_id is not None
    join(session, colleague, session.get_one(Organisation, (city.id, organisation_id)), role)
    if allowed:
        cancel_booking(session, city, booking, actor=actor_of(session, colleague), at=NOW)
    else:
        with pytest.raises(NoRightToCancel):
            cancel_booking(session, city, booking, actor=actor_of(session, colleague), at=NOW)


def test_outsiders_the_owner_and_former_members_do_not_cancel(
    session: Session, city: City, person: Person
) -> None:
    owner = make_organisation(session, city, name="Omistaja", kind="city_division")
    manager, outsider = make_person(session, city), make_person(session, city)
    join(session, manager, owner, "manager")
    space = open_space(session, city, make_venue(session, city, owner=owner))
    booking = book(session, city, space, actor_of(session, person), span_on(city, 10, 12))
    for other in (manager, outsider):
        with pytest.raises(NoRightToCancel):
            cancel_booking(session, city, booking, actor=actor_of(session, other), at=NOW)
    theirs = booking_of_an_organisation(session, city, person)
    former = actor_of(session, person)
    former = type(former)(city_id=former.city_id, person_id=former.person_id, is_verified=True)
    with pytest.raises(NoRightToCancel):
        cancel_booking(session, city, theirs, actor=former, at=NOW)
