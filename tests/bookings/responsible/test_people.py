"""People added to a booking: who adds whom, what they may then do and what not, and the mail."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.attendance.policy import is_party
from bookings.doors.policy import may_open
from bookings.lifecycle import policy
from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.models import Booking, BookingPerson
from bookings.lifecycle.queries import booking_grants, past_bookings, upcoming_bookings
from bookings.responsible.actions import add_person, remove_person
from bookings.responsible.errors import BookingOver, CannotAdd, NoRightToAdd, PersonGone
from marketplace.accounts.errors import NotVerified
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.models import Mail
from marketplace.web.i18n import format_span
from spaces.catalog.models import Space, Venue
from tests.bookings.talk.conftest import (
    add,
    asked,
    at_hours,
    browser_of,
    club,
    day,
    owner,
    persona,
    someone,
    space,
    venue,
)
from tests.factories.bookings import NOW, book
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_person, sign_in

__all__ = ["asked", "at_hours", "browser_of", "club", "day", "owner", "persona", "someone", "space", "venue"]

STORED = Path(__file__).parent / "mails"
MAY_ADD = ("who booked", "club booker", "club manager")
MAY_NOT = (
    "responsible",
    "club member",
    "left the club",
    "manager",
    "venue manager",
    "handler",
    "viewer",
    "crew",
    "staff",
    "outsider",
    "staff of another city",
)


def added(session: Session) -> list[int]:
    return list(session.scalars(select(BookingPerson.person_id).order_by(BookingPerson.id)))


@pytest.mark.parametrize("what", MAY_ADD)
def test_the_bookers_side_adds_anyone_with_an_account(
    session: Session, city: City, asked: Booking, someone: Callable[[str], Person], what: str
) -> None:
    friend = make_person(session, city)
    adder = someone(what)
    add_person(session, asked, actor=actor_of(session, adder), at=NOW, email=friend.email.upper())
    assert added(session) == [friend.id]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.person-added")).one()
    assert (entry.person_id, entry.details["person"]) == (adder.id, friend.id)
    assert (entry.details["before"], entry.details["after"]) == ({"people": 0}, {"people": 1})


@pytest.mark.parametrize("what", MAY_NOT)
def test_nobody_else_adds_or_removes(
    session: Session, city: City, asked: Booking, someone: Callable[[str], Person], what: str
) -> None:
    actor = actor_of(session, someone(what))
    friend = make_person(session, city)
    before = added(session)
    with pytest.raises(NoRightToAdd):
        add_person(session, asked, actor=actor, at=NOW, email=friend.email)
    add(session, asked, friend)
    with pytest.raises(NoRightToAdd):
        remove_person(session, asked, friend.id, actor=actor)
    assert added(session) == [*before, friend.id]


def test_who_may_not_be_added(session: Session, city: City, asked: Booking, person: Person, club) -> None:
    actor = actor_of(session, person)
    other = make_city(session, slug="espoo")
    outsider = make_person(session, city)
    unproved = make_person(session, city, email_verified_at=None)
    invited = make_person(session, city)
    join(session, invited, club).accepted_at = None
    there = make_person(session, city)
    add(session, asked, there)
    session.flush()
    tries: dict[str, dict[str, Any]] = {
        "unknown": {"email": "nobody@example.org"},
        "another city's": {"email": make_person(session, other).email},
        "unproved": {"email": unproved.email},
        "the booker": {"email": person.email},
        "twice": {"email": there.email},
        "no member": {"member_id": outsider.id},
        "has not accepted": {"member_id": invited.id},
        "nobody": {},
    }
    for what, chosen in tries.items():
        with pytest.raises(CannotAdd):
            add_person(session, asked, actor=actor, at=NOW, **chosen)
        assert added(session) == [there.id], what


def test_ten_are_enough(session: Session, city: City, asked: Booking, person: Person) -> None:
    actor = actor_of(session, person)
    for _ in range(10):
        add_person(session, asked, actor=actor, at=NOW, email=make_person(session, city).email)
    with pytest.raises(CannotAdd) as refused:
        add_person(session, asked, actor=actor, at=NOW, email=make_person(session, city).email)
    assert "Ten people" in refused.value.fields[0].text
    assert len(added(session)) == 10


def test_nobody_is_added_to_what_is_over(
    session: Session, city: City, asked: Booking, person: Person
) -> None:
    actor, friend = actor_of(session, person), make_person(session, city)
    with pytest.raises(BookingOver):
        add_person(session, asked, actor=actor, at=asked.span.end, email=friend.email)
    cancel_booking(session, city, asked, actor=actor, at=NOW)
    with pytest.raises(BookingOver):
        add_person(session, asked, actor=actor, at=NOW, email=friend.email)
    person.email_verified_at = None
    with pytest.raises(NotVerified):
        add_person(session, asked, actor=actor_of(session, person), at=NOW, email=friend.email)


def test_what_a_responsible_person_may_do(
    session: Session, city: City, asked: Booking, venue: Venue, someone: Callable[[str], Person]
) -> None:
    actor = actor_of(session, someone("responsible"))
    assert policy.may_see(actor, asked, venue)
    assert is_party(actor, asked)
    assert may_open(actor, asked)
    assert not policy.may_cancel(actor, asked)
    assert not policy.may_decide(actor, venue)
    assert not policy.works_somewhere(actor)
    assert [one.booking.id for one in upcoming_bookings(session, actor, at=NOW)] == [asked.id]
    assert past_bookings(session, actor, at=asked.span.end + timedelta(hours=1), limit=5)
    elsewhere = actor_of(session, someone("outsider"))
    assert not policy.may_see(elsewhere, asked, venue)
    assert not may_open(elsewhere, asked)
    assert upcoming_bookings(session, elsewhere, at=NOW) == []


def test_a_right_at_one_booking_is_none_at_another(
    session: Session,
    city: City,
    asked: Booking,
    space: Space,
    venue: Venue,
    person: Person,
    at_hours,
    someone: Callable[[str], Person],
) -> None:
    other = book(session, city, space, actor_of(session, person), at_hours(8, 9))
    actor = actor_of(session, someone("responsible"))
    assert not policy.may_see(actor, other, venue)
    assert not may_open(actor, other)


def test_the_right_ends_a_month_after_the_booking(
    session: Session, city: City, asked: Booking, someone: Callable[[str], Person]
) -> None:
    person = someone("responsible")
    shift = asked.span.end - now() + timedelta(days=30)
    for moved, left in ((shift - timedelta(minutes=5), 1), (timedelta(minutes=10), 0)):
        asked.during = type(asked.during)(asked.span.start - moved, asked.span.end - moved)
        session.flush()
        assert len(booking_grants(session, city.id, person.id)) == left


def test_one_may_take_oneself_off(
    session: Session, asked: Booking, person: Person, someone: Callable[[str], Person]
) -> None:
    one = someone("responsible")
    remove_person(session, asked, one.id, actor=actor_of(session, one))
    assert added(session) == []
    with pytest.raises(PersonGone):
        remove_person(session, asked, one.id, actor=actor_of(session, person))


# pages


def post(client: FlaskClient, booking: Booking, **fields: str):
    return client.post(f"/en/bookings/{booking.reference}/people", data=fields)


def test_a_member_is_added_from_the_list_and_removed(
    session: Session,
    city: City,
    asked: Booking,
    club,
    browser_of: Callable[[str], FlaskClient],
) -> None:
    member = make_person(session, city, name="Onni Vastuu")
    join(session, member, club, "member")
    session.commit()
    booker = browser_of("who booked")
    shown = booker.get(f"/en/bookings/{asked.reference}/people").text
    assert f'<option value="{member.id}">Onni Vastuu</option>' in shown
    assert post(booker, asked, member=str(member.id)).status_code == 303
    assert "Onni Vastuu" in booker.get(f"/en/bookings/{asked.reference}").text
    assert "Onni Vastuu" in browser_of("handler").get(f"/en/bookings/{asked.reference}").text
    viewer = browser_of("viewer").get(f"/en/bookings/{asked.reference}")
    assert viewer.status_code == 200
    assert "Onni Vastuu" not in viewer.text
    path = f"/en/bookings/{asked.reference}/people/{member.id}/removal"
    assert booker.post(path).status_code == 303
    assert added(session) == []


def test_whoever_is_no_member_is_shown_by_the_address(
    session: Session, city: City, asked: Booking, browser_of: Callable[[str], FlaskClient]
) -> None:
    """An address that somebody tries must not tell the name behind it."""
    friend = make_person(session, city, name="Salla Salainen")
    session.commit()
    booker = browser_of("who booked")
    assert post(booker, asked, email=friend.email).status_code == 303
    shown = booker.get(f"/en/bookings/{asked.reference}/people").text
    assert friend.email in shown
    assert "Salainen" not in shown


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose a member or write an e-mail address."),
        ({"email": "not an address"}, "Write an address such as"),
        ({"email": "nobody@example.org"}, "Nobody with this address"),
        ({"member": "99999999999999999999"}, "Choose a member or write"),
        ({"member": "0"}, "Choose somebody from the list."),
    ],
)
def test_bad_input_is_told_beside_the_field(
    session: Session,
    asked: Booking,
    browser_of: Callable[[str], FlaskClient],
    fields: dict[str, str],
    sentence: str,
) -> None:
    answer = post(browser_of("who booked"), asked, **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert added(session) == []


@pytest.mark.parametrize("what", MAY_NOT)
def test_the_page_is_the_bookers(
    session: Session, asked: Booking, browser_of: Callable[[str], FlaskClient], what: str
) -> None:
    browser = browser_of(what)
    before = added(session)
    for answer in (
        browser.get(f"/en/bookings/{asked.reference}/people"),
        post(browser, asked, email="nobody@example.org"),
    ):
        assert answer.status_code in {403, 404} or "/sign-in" in answer.headers["Location"]
    assert added(session) == before


def test_the_responsible_see_it_and_can_leave(
    app: Flask, session: Session, asked: Booking, someone: Callable[[str], Person]
) -> None:
    one = someone("responsible")
    client = app.test_client()
    sign_in(session, client, one)
    session.commit()
    assert asked.reference in client.get("/en/my/bookings").text
    shown = client.get(f"/en/bookings/{asked.reference}")
    assert shown.status_code == 200
    assert "Cancel booking" not in shown.text
    assert client.get(f"/en/bookings/{asked.reference}/cancellation").status_code == 403
    assert client.get(f"/en/bookings/{asked.reference}/change").status_code in {403, 404}
    leave = f"/en/bookings/{asked.reference}/people/{one.id}/removal"
    assert client.post(leave).status_code == 303
    assert client.get(f"/en/bookings/{asked.reference}").status_code == 404
    assert session.scalar(select(func.count()).select_from(BookingPerson)) == 0


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_whole_mail(
    session: Session, city: City, asked: Booking, person: Person, run_jobs: Callable[[], int], language: str
) -> None:
    friend = make_person(session, city, name="Onni", email="onni@example.org", language=language)
    asked.reference = "K7M2-9QXT"
    actor = actor_of(session, person)
    add_person(session, asked, actor=actor, at=NOW, email=friend.email)
    remove_person(session, asked, friend.id, actor=actor)
    add_person(session, asked, actor=actor, at=NOW, email=friend.email)
    session.commit()
    run_jobs()
    mail = session.scalars(select(Mail).where(Mail.template == "bookings/responsible/mail/added")).one()
    start, end = (at.astimezone(city.zone) for at in (asked.span.start, asked.span.end))
    text = f"To: {mail.to_address}\nSubject: {mail.subject}\n\n{mail.body_text}"
    shown, when = (
        one.replace("\u2060", "").replace("\u00a0", " ")
        for one in (text, format_span(start, end, language, year=True))
    )
    # The tests' day follows the clock; the words round it do not.
    stored = STORED / f"added.{language}.txt"
    assert shown.replace(when, "TIME") == stored.read_text(encoding="utf-8")


def test_who_was_removed_at_once_gets_no_mail(
    session: Session, city: City, asked: Booking, person: Person, run_jobs: Callable[[], int]
) -> None:
    friend = make_person(session, city)
    actor = actor_of(session, person)
    add_person(session, asked, actor=actor, at=NOW, email=friend.email)
    remove_person(session, asked, friend.id, actor=actor)
    session.commit()
    run_jobs()
    assert session.scalars(select(Mail).where(Mail.person_id == friend.id)).all() == []
