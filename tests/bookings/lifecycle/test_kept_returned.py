"""The kept share of a late cancellation comes back when the very time was booked again by somebody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.models import Booking
from bookings.lifecycle.returned_actions import DECIDED_AFTER, settle_kept
from bookings.lifecycle.returned_jobs import mail_returned, settle_all_kept
from bookings.lifecycle.rules import payment_after_return
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.jobs.runner import in_application
from marketplace.notifications.models import Mail
from marketplace.timespan import Span
from spaces.catalog.models import Space
from tests.bookings.lifecycle.test_cancel_in_steps import priced
from tests.bookings.lifecycle.test_mails import STORED, plain
from tests.bookings.lifecycle.test_races import at_once
from tests.factories.bookings import book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_organisation, make_person
from tests.factories.spaces import make_unit, make_venue

HOURS = timedelta(hours=1)


def late(session: Session, city: City, space: Space, person: Person, during: Span) -> Booking:
    """A booking that was cancelled while half of it was kept."""
    actor = actor_of(session, person)
    booking = book(session, city, space, actor, during)
    cancel_booking(session, city, booking, actor=actor, at=during.start - 48 * HOURS)
    return booking


def returning(session: Session, city: City, **more: Any) -> Space:
    values = {"refund_if_rebooked": True, "cancel_fee_minor": 500, **more}
    fields = values.pop("fields", {})
    return priced(session, open_space(session, city, **fields), **values)


def again(session: Session, city: City, space: Space, during: Span, person: Person | None = None) -> Booking:
    """Booked by somebody, a day before."""
    actor = actor_of(session, person or make_person(session, city))
    return book(session, city, space, actor, during, at=during.start - 24 * HOURS)


def settle(session: Session, city: City, booking: Booking) -> Booking:
    while settle_kept(session, city.id, at=booking.span.start + DECIDED_AFTER):
        pass
    session.refresh(booking)
    return booking


def returns(session: Session) -> int:
    query = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "booking.kept-returned")
    return session.scalar(query) or 0


def test_all_but_the_fee_comes_back(session: Session, city: City, person: Person) -> None:
    space, during = returning(session, city), span_on(city, 18, 20)
    booking = late(session, city, space, person, during)
    assert booking.kept_minor == 2500
    again(session, city, space, during)
    settle(session, city, booking)
    assert (booking.kept_minor, booking.payment) == (500, "due")
    assert booking.kept_settled_at is not None
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.kept-returned")).one()
    assert entry.details["before"] == {"kept_minor": 2500, "payment": "due"}
    assert entry.details["after"] == {"kept_minor": 500, "payment": "due"}


def test_nothing_is_owed_where_there_is_no_fee(session: Session, city: City, person: Person) -> None:
    space, during = returning(session, city, cancel_fee_minor=0), span_on(city, 18, 20)
    booking = late(session, city, space, person, during)
    again(session, city, space, during)
    settle(session, city, booking)
    assert (booking.kept_minor, booking.payment) == (0, "not_needed")


def test_two_that_meet_take_the_whole_time(session: Session, city: City, person: Person) -> None:
    space = returning(session, city)
    booking = late(session, city, space, person, span_on(city, 18, 20))
    again(session, city, space, span_on(city, 17, 19))
    again(session, city, space, span_on(city, 19, 20))
    assert settle(session, city, booking).kept_minor == 500


def test_a_part_of_the_time_gives_nothing_back(session: Session, city: City, person: Person) -> None:
    space = returning(session, city)
    booking = late(session, city, space, person, span_on(city, 18, 20))
    again(session, city, space, span_on(city, 18, 19.5))
    assert settle(session, city, booking).kept_minor == 2500
    assert returns(session) == 0
    assert booking.kept_settled_at is not None  # and it stays so


def test_the_same_person_gives_nothing_back(session: Session, city: City, person: Person) -> None:
    space, during = returning(session, city), span_on(city, 18, 20)
    booking = late(session, city, space, person, during)
    again(session, city, space, during, person)
    assert settle(session, city, booking).kept_minor == 2500


def test_a_list_without_the_promise_gives_nothing_back(session: Session, city: City, person: Person) -> None:
    space, during = returning(session, city, refund_if_rebooked=False), span_on(city, 18, 20)
    booking = late(session, city, space, person, during)
    again(session, city, space, during)
    assert settle(session, city, booking).kept_minor == 2500
    assert booking.kept_settled_at is None


def test_a_request_nobody_has_answered_gives_nothing_back(
    session: Session, city: City, person: Person
) -> None:
    space, during = returning(session, city), span_on(city, 18, 20)
    booking = late(session, city, space, person, during)
    space.approval = "handler"
    session.flush()
    assert again(session, city, space, during).state == "awaiting_approval"
    assert settle(session, city, booking).kept_minor == 2500


def test_one_that_was_cancelled_again_gives_nothing_back(
    session: Session, city: City, person: Person
) -> None:
    space, during = returning(session, city), span_on(city, 18, 20)
    booking = late(session, city, space, person, during)
    other = make_person(session, city)
    second = again(session, city, space, during, other)
    cancel_booking(
        session, city, second, actor=actor_of(session, other), at=during.start - timedelta(hours=2)
    )
    assert settle(session, city, booking).kept_minor == 2500


def test_nothing_is_decided_before_the_time_begins(session: Session, city: City, person: Person) -> None:
    space, during = returning(session, city), span_on(city, 18, 20)
    booking = late(session, city, space, person, during)
    again(session, city, space, during)
    assert settle_kept(session, city.id, at=during.start) is None
    assert booking.kept_minor == 2500


def test_the_whole_gives_back_what_half_of_it_was(session: Session, city: City, person: Person) -> None:
    venue = make_venue(session, city)
    one, two = make_unit(session, venue), make_unit(session, venue)
    whole = open_space(session, city, venue, units=[one, two])
    half = priced(session, open_space(session, city, venue, units=[one]), refund_if_rebooked=True)
    during = span_on(city, 18, 20)
    booking = late(session, city, half, person, during)
    again(session, city, whole, during)
    assert settle(session, city, booking).kept_minor == 0


def test_half_does_not_give_back_the_whole(session: Session, city: City, person: Person) -> None:
    venue = make_venue(session, city)
    one, two = make_unit(session, venue), make_unit(session, venue)
    whole = priced(session, open_space(session, city, venue, units=[one, two]), refund_if_rebooked=True)
    half = open_space(session, city, venue, units=[one])
    during = span_on(city, 18, 20)
    booking = late(session, city, whole, person, during)
    again(session, city, half, during)
    assert settle(session, city, booking).kept_minor == 2000


def test_a_shared_lawn_must_be_full(session: Session, city: City, person: Person) -> None:
    venue = make_venue(session, city)
    lawn = make_unit(session, venue, lanes=2)
    space = priced(session, open_space(session, city, venue, units=[lawn]), refund_if_rebooked=True)
    during = span_on(city, 18, 20)
    first = late(session, city, space, person, during)
    again(session, city, space, during)
    assert settle(session, city, first).kept_minor == 2000
    full = span_on(city, 12, 14)
    second = late(session, city, space, person, full)
    again(session, city, space, full)
    again(session, city, space, full)
    assert settle(session, city, second).kept_minor == 0


@pytest.mark.parametrize(
    ("payment", "kept", "following"),
    [("due", 500, "due"), ("due", 0, "not_needed"), ("paid", 500, "refund_due"), ("refunded", 0, "refund_due"), ("refund_due", 0, "refund_due")],
)  # fmt: skip
def test_what_becomes_of_the_payment(payment: str, kept: int, following: str) -> None:
    assert payment_after_return(payment, kept_minor=kept) == following


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_whole_mail_once(
    session: Session, city: City, run_jobs: Callable[[], int], language: str
) -> None:
    venue = make_venue(session, city, owner=make_organisation(session, city, name="Nuorisopalvelut"))
    aino = make_person(session, city, name="Aino Korhonen", email="aino@example.org", language=language)
    space = priced(session, open_space(session, city, venue), refund_if_rebooked=True, cancel_fee_minor=500)
    during = span_on(city, 18, 20)
    booking = late(session, city, space, aino, during)
    booking.reference = "K7M2-9QXT"
    again(session, city, space, during)
    session.commit()
    settle_all_kept(during.start + DECIDED_AFTER)
    settle_all_kept(during.start + DECIDED_AFTER)
    run_jobs()
    with in_application() as own:
        facts = {"booking_id": booking.id, "minor": 2000}
        mail_returned(own, Message("booking.kept_returned", city.id, facts))
    query = select(Mail).where(Mail.template == "bookings/lifecycle/mail/kept_returned")
    mail = session.scalars(query).one()
    stored = STORED / f"kept_returned.{language}.txt"
    assert plain(mail) == stored.read_text(encoding="utf-8")


def test_many_that_decide_at_once_give_it_back_once(committing: Engine) -> None:
    during: Span
    with transaction() as session:
        city = make_city(session)
        during = span_on(city, 18, 20)
        spaces = [returning(session, city) for _ in range(3)]
        people = [make_person(session, city) for _ in spaces]
        ids = [
            late(session, city, space, person, during).id
            for space, person in zip(spaces, people, strict=True)
        ]
        for space in spaces:
            again(session, city, space, during)
    at_once([lambda: settle_all_kept(during.start + DECIDED_AFTER)] * 8)
    settle_all_kept(during.start + DECIDED_AFTER)
    with transaction() as session:
        kept = session.scalars(select(Booking.kept_minor).where(Booking.id.in_(ids))).all()
        assert kept == [500, 500, 500]
        assert returns(session) == 3
