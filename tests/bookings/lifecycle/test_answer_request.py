"""The owner's answer to a request: who may give it, and what follows; and what follows when nobody does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle import jobs
from bookings.lifecycle.actions import approve_booking, cancel_booking, decline_booking
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Organisation, Person
from marketplace.cities.models import City
from marketplace.notifications.models import Mail
from spaces.calendar.models import Claim
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Venue
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_venue


@pytest.fixture
def owner(session: Session, city: City) -> Organisation:
    return make_organisation(session, city, name="Nuorisopalvelut", kind="city_division")


@pytest.fixture
def venue(session: Session, city: City, owner: Organisation) -> Venue:
    return make_venue(session, city, owner=owner)


@pytest.fixture
def asked(session: Session, city: City, venue: Venue, person: Person) -> Booking:
    space = open_space(session, city, venue, approval="handler")
    return book(session, city, space, actor_of(session, person), span_on(city, 18, 20))


def claims(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Claim)) or 0


def member(session: Session, city: City, organisation: Organisation, role: str) -> Actor:
    person = make_person(session, city)
    join(session, person, organisation, role)
    return actor_of(session, person)


def test_the_owners_managers_and_staff_approve(
    session: Session, city: City, owner: Organisation, venue: Venue, asked: Booking
) -> None:
    approve_booking(session, city, asked, venue, actor=member(session, city, owner, "manager"), at=NOW)
    assert asked.state == "confirmed"
    assert claims(session) == 1
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == asked.id)).all()
    assert actions == ["booking.requested", "booking.approved"]


def test_a_declined_request_gives_the_time_back(
    session: Session, city: City, venue: Venue, asked: Booking
) -> None:
    staff = actor_of(session, make_person(session, city, is_staff=True))
    decline_booking(session, city, asked, venue, actor=staff, reason="Lattia vahataan", at=NOW)
    assert asked.state == "declined"
    assert claims(session) == 0


@pytest.mark.parametrize(
    "who", ["booker of the owner", "the one who asked", "a stranger", "a manager elsewhere"]
)
def test_nobody_else_answers(
    session: Session, city: City, owner: Organisation, venue: Venue, asked: Booking, person: Person, who: str
) -> None:
    actor = {
        "booker of the owner": lambda: member(session, city, owner, "booker"),
        "the one who asked": lambda: actor_of(session, person),
        "a stranger": lambda: actor_of(session, make_person(session, city)),
        "a manager elsewhere": lambda: member(session, city, make_organisation(session, city), "manager"),
    }[who]()
    with pytest.raises(NotYourVenue):
        approve_booking(session, city, asked, venue, actor=actor, at=NOW)
    with pytest.raises(NotYourVenue):
        decline_booking(session, city, asked, venue, actor=actor, reason="-", at=NOW)
    assert asked.state == "awaiting_approval"


def test_an_answer_is_given_once(session: Session, city: City, venue: Venue, asked: Booking) -> None:
    staff = actor_of(session, make_person(session, city, is_staff=True))
    approve_booking(session, city, asked, venue, actor=staff, at=NOW)
    with pytest.raises(IllegalTransition):
        approve_booking(session, city, asked, venue, actor=staff, at=NOW)
    with pytest.raises(IllegalTransition):
        decline_booking(session, city, asked, venue, actor=staff, reason="-", at=NOW)


def test_what_was_withdrawn_cannot_be_approved(
    session: Session, city: City, venue: Venue, asked: Booking, person: Person
) -> None:
    cancel_booking(session, city, asked, actor=actor_of(session, person), at=NOW)
    staff = actor_of(session, make_person(session, city, is_staff=True))
    with pytest.raises(IllegalTransition):
        approve_booking(session, city, asked, venue, actor=staff, at=NOW)
    assert claims(session) == 0


def test_the_clock_finishes_what_is_over(
    session: Session, city: City, asked: Booking, person: Person, run_jobs: Callable[[], int]
) -> None:
    space = open_space(session, city)
    over = book(session, city, space, actor_of(session, person), span_on(city, 8, 10))
    ahead = book(session, city, space, actor_of(session, person), span_on(city, 20, 22))
    session.commit()
    at = asked.span.start + timedelta(minutes=1)
    for _ in range(2):
        jobs.finish_bookings(at)
    run_jobs()
    session.expire_all()
    states = {b.id: b.state for b in session.scalars(select(Booking))}
    assert states == {asked.id: "expired", over.id: "completed", ahead.id: "confirmed"}
    expired = [mail for mail in session.scalars(select(Mail)) if mail.template.endswith("/expired")]
    assert [mail.to_address for mail in expired] == [person.email]
