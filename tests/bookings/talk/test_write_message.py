"""Messages between the booker's and the owner's side: who writes and reads, what a question does, what is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bookings.desk.queries import queue_of, waiting_count
from bookings.lifecycle.actions import approve_booking
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import requests_to_answer
from bookings.talk import rules
from bookings.talk.actions import note_read
from bookings.talk.errors import NoRightToWrite, NothingToAsk, TalkFull, TalkOver, TextWrong
from bookings.talk.models import BookingMessage
from bookings.talk.policy import side_of
from marketplace.accounts.errors import NotVerified
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from spaces.catalog.models import Venue
from tests.bookings.talk.conftest import ANSWERERS, BOOKERS, NEITHER, write
from tests.factories.bookings import NOW
from tests.factories.people import actor_of


@pytest.mark.parametrize("what", BOOKERS)
def test_the_bookers_side_writes(
    session: Session, asked: Booking, venue: Venue, someone: Callable[[str], Person], what: str
) -> None:
    assert write(session, asked, venue, someone(what)).side == "booker"


@pytest.mark.parametrize("what", ANSWERERS)
def test_the_owners_side_writes(
    session: Session, asked: Booking, venue: Venue, someone: Callable[[str], Person], what: str
) -> None:
    assert write(session, asked, venue, someone(what)).side == "owner"


@pytest.mark.parametrize("what", NEITHER)
def test_nobody_else_writes(
    session: Session, asked: Booking, venue: Venue, someone: Callable[[str], Person], what: str
) -> None:
    person = someone(what)
    assert side_of(actor_of(session, person), asked, venue) is None
    with pytest.raises(NoRightToWrite):
        write(session, asked, venue, person)
    assert session.scalar(select(func.count()).select_from(BookingMessage)) == 0


def test_an_unproved_address_writes_nothing(
    session: Session, asked: Booking, venue: Venue, person: Person
) -> None:
    person.email_verified_at = None
    with pytest.raises(NotVerified):
        write(session, asked, venue, person)


def test_a_form_sent_twice_is_one_message(
    session: Session, asked: Booking, venue: Venue, person: Person
) -> None:
    first = write(session, asked, venue, person, submission="the-same-form")
    assert write(session, asked, venue, person, submission="the-same-form").id == first.id
    assert session.scalar(select(func.count()).select_from(BookingMessage)) == 1


@pytest.mark.parametrize("text", ["", "x" * 2001])
def test_a_message_has_a_size(
    session: Session, asked: Booking, venue: Venue, person: Person, text: str
) -> None:
    with pytest.raises(TextWrong) as refused:
        write(session, asked, venue, person, text)
    assert [error.field for error in refused.value.fields] == ["text"]


def test_the_database_holds_the_size_as_well(session: Session, asked: Booking, person: Person) -> None:
    long = {"text": "x" * 2001, "side": "booker", "submission": "long"}
    key = {"city_id": asked.city_id, "booking_id": asked.id, "person_id": person.id}
    with pytest.raises(IntegrityError, match="ck_booking_message_text"):
        session.execute(insert(BookingMessage).values(**key, **long))


def test_a_question_waits_for_the_booker_and_an_answer_ends_that(
    session: Session, asked: Booking, venue: Venue, person: Person, someone: Callable[[str], Person]
) -> None:
    handler = someone("handler")
    actor = actor_of(session, handler)
    assert waiting_count(session, actor) == 1
    write(session, asked, venue, handler, "Who cleans?", is_question=True)
    assert asked.asked_at == NOW
    assert waiting_count(session, actor) == 0
    assert requests_to_answer(session, actor, at=NOW) == []
    assert len(queue_of(session, actor, at=NOW, limit=5)) == 1
    write(session, asked, venue, handler, "And who locks up?", at=NOW + timedelta(hours=1))
    assert asked.asked_at == NOW, "a plain message of the owner's is no answer"
    write(session, asked, venue, person, "We do.")
    session.refresh(asked)
    assert [asked.asked_at] == [None]
    assert waiting_count(session, actor) == 1
    kept = session.scalars(
        select(AuditEntry.details).where(AuditEntry.action == "booking.message").order_by(AuditEntry.id)
    ).all()
    assert kept[0]["before"] == {"asked_at": None}
    assert kept[2]["after"] == {"asked_at": None}
    assert "before" not in kept[1]
    assert "cleans" not in str(kept), "the trail keeps that something was written, not what"


def test_a_request_that_waits_for_the_booker_can_still_be_answered(
    session: Session, city: City, asked: Booking, venue: Venue, someone: Callable[[str], Person]
) -> None:
    handler = someone("handler")
    write(session, asked, venue, handler, is_question=True)
    approve_booking(session, city, asked, venue, actor=actor_of(session, handler), at=NOW)
    assert asked.state == "confirmed"
    with pytest.raises(NothingToAsk):
        write(session, asked, venue, handler, is_question=True)


def test_the_booker_asks_no_questions_of_that_kind(
    session: Session, asked: Booking, venue: Venue, person: Person
) -> None:
    with pytest.raises(NothingToAsk):
        write(session, asked, venue, person, is_question=True)
    assert asked.asked_at is None


def test_the_talk_ends_a_month_after_the_time(
    session: Session, asked: Booking, venue: Venue, person: Person
) -> None:
    last = asked.span.end + timedelta(days=30)
    write(session, asked, venue, person, at=last - timedelta(seconds=1))
    with pytest.raises(TalkOver):
        write(session, asked, venue, person, at=last)


def test_there_is_a_most(
    session: Session, asked: Booking, venue: Venue, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookings.talk.actions.MOST_MESSAGES", 2)
    write(session, asked, venue, person)
    write(session, asked, venue, person)
    with pytest.raises(TalkFull):
        write(session, asked, venue, person)


def test_only_the_other_sides_messages_are_read(
    session: Session, asked: Booking, venue: Venue, person: Person, someone: Callable[[str], Person]
) -> None:
    mine = write(session, asked, venue, person)
    theirs = write(session, asked, venue, someone("handler"))
    assert note_read(session, asked, side="booker", at=NOW) == 1
    assert note_read(session, asked, side="booker", at=NOW) == 0
    for message in (mine, theirs):
        session.refresh(message)
    assert (mine.read_at, theirs.read_at) == (None, NOW)


@given(before=st.timedeltas(timedelta(days=-60), timedelta(days=60)))
def test_the_month_is_counted_from_the_end(before: timedelta) -> None:
    expected = before < timedelta(days=30)
    assert rules.is_talked_about(requested_at=NOW, end=NOW, at=NOW + before) is expected
    assert not rules.is_talked_about(requested_at=None, end=NOW, at=NOW + before)
