"""The timeline on the booking's page, the form, the number beside the name, and the mails, whole and in each language."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import booked_space_of_id
from bookings.talk.models import BookingMessage
from bookings.talk.queries import readers_of_booker, unread_bookings, unread_count
from marketplace.accounts.models import Membership, Organisation, Person
from marketplace.cities.models import City
from marketplace.notifications.models import Mail
from marketplace.web.i18n import format_span
from spaces.catalog.models import Space, Venue
from tests.bookings.talk.conftest import ANSWERERS, BOOKERS, NEITHER, write
from tests.factories.bookings import book
from tests.factories.people import actor_of, join, make_person

STORED = Path(__file__).parent / "mails"
SAID = "<b>We bring our own chairs</b>"


def page(client: FlaskClient, booking: Booking) -> str:
    return client.get(f"/en/bookings/{booking.reference}").text


def send(client: FlaskClient, booking: Booking, **fields: str):
    data = {"text": "Hello", "submission": "form-1234567", **fields}
    return client.post(f"/en/bookings/{booking.reference}/messages", data=data)


@pytest.mark.parametrize("what", [*BOOKERS, *ANSWERERS])
def test_both_sides_read_and_write(
    session: Session,
    asked: Booking,
    venue: Venue,
    person: Person,
    browser_of: Callable[[str], FlaskClient],
    what: str,
) -> None:
    write(session, asked, venue, person, SAID)
    session.commit()
    browser = browser_of(what)
    shown = page(browser, asked)
    assert "&lt;b&gt;We bring our own chairs&lt;/b&gt;" in shown
    assert "Requested" in shown
    answer = send(browser, asked, text="Good to know\r\nThank you")
    assert answer.status_code == 303
    kept = session.scalars(select(BookingMessage.text).order_by(BookingMessage.id.desc())).first()
    assert kept == "Good to know\nThank you"


@pytest.mark.parametrize("what", NEITHER)
def test_others_read_nothing_and_write_nothing(
    session: Session,
    asked: Booking,
    venue: Venue,
    person: Person,
    browser_of: Callable[[str], FlaskClient],
    what: str,
) -> None:
    message = write(session, asked, venue, person, SAID)
    session.commit()
    browser = browser_of(what)
    shown = page(browser, asked)
    assert "own chairs" not in shown
    assert "/messages" not in shown
    answer = send(browser, asked)
    assert answer.status_code in {403, 404} or "/sign-in" in answer.headers["Location"]
    assert session.scalars(select(BookingMessage.id)).all() == [message.id]
    session.refresh(message)
    assert message.read_at is None


def test_nobody_is_asked_to_sign_in(client: FlaskClient, asked: Booking) -> None:
    assert send(client, asked).status_code in {302, 303, 401}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"text": ""}, "Write the message."),
        ({"text": " \x00\n "}, "Write the message."),
        ({"text": "x" * 2001}, "Say it in 2,000 characters."),
        ({"submission": "no"}, "The form did not arrive whole"),
    ],
)
def test_bad_input_keeps_what_was_typed(
    session: Session,
    asked: Booking,
    browser_of: Callable[[str], FlaskClient],
    fields: dict[str, str],
    sentence: str,
) -> None:
    answer = send(browser_of("who booked"), asked, **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "&lt;section" not in answer.text
    assert answer.text.count("<textarea") == 1
    assert session.scalars(select(BookingMessage)).all() == []


def test_two_thousand_characters_in_lines_fit(
    asked: Booking, browser_of: Callable[[str], FlaskClient]
) -> None:
    """A browser sends two characters for the end of a line, and counts one."""
    assert send(browser_of("who booked"), asked, text="x\r\n" * 999 + "xx").status_code == 303


def test_the_handler_asks_and_the_booker_sees_it(
    session: Session, asked: Booking, browser_of: Callable[[str], FlaskClient]
) -> None:
    handler, booker = browser_of("handler"), browser_of("who booked")
    assert "Let the request wait" in page(handler, asked)
    assert "Let the request wait" not in page(booker, asked)
    assert send(handler, asked, text="Who cleans?", question="1").status_code == 303
    assert "Waiting for the booker" in page(handler, asked)
    shown = page(booker, asked)
    assert "The owner asks for more" in shown
    assert "Your answer to Nuorisopalvelut" in shown
    assert "The owner asks for more" in booker.get("/en/my/bookings").text
    assert send(booker, asked, text="We do.").status_code == 303
    assert "The owner asks for more" not in page(booker, asked)


def test_a_question_that_comes_too_late_is_told(
    session: Session, asked: Booking, browser_of: Callable[[str], FlaskClient]
) -> None:
    handler = browser_of("handler")
    handler.post(f"/en/bookings/{asked.reference}/approval")
    answer = send(handler, asked, text="Who cleans?", question="1")
    assert answer.status_code == 409
    assert "does not wait any more" in answer.text
    assert "Who cleans?" in answer.text


def test_the_booker_reads_the_owners_name_only(
    session: Session, asked: Booking, venue: Venue, someone: Callable[[str], Person], browser_of
) -> None:
    write(session, asked, venue, someone("handler"), "We see to it")
    session.commit()
    assert "Handler" not in page(browser_of("who booked"), asked)


def test_what_is_new_is_counted_until_somebody_reads_it(
    session: Session,
    app: Flask,
    asked: Booking,
    venue: Venue,
    person: Person,
    someone: Callable[[str], Person],
    browser_of: Callable[[str], FlaskClient],
) -> None:
    write(session, asked, venue, person)
    session.commit()
    counts = {
        what: unread_count(session, actor_of(session, someone(what)))
        for what in (*ANSWERERS, *BOOKERS, "viewer", "crew", "outsider", "staff of another city")
    }
    assert {what for what, count in counts.items() if count} == {"manager", "venue manager", "handler"}
    page(browser_of("staff"), asked)
    handler = browser_of("handler")
    assert "New messages" in handler.get("/en/my/bookings").text, "staff only looked in"
    assert ">New<" in page(handler, asked)
    assert ">New<" not in page(handler, asked)
    assert "New messages" not in handler.get("/en/my/bookings").text
    write(session, asked, venue, someone("handler"))
    waits = {
        what: len(unread_bookings(session, actor_of(session, someone(what)), limit=9))
        for what in ("who booked", "club booker", "responsible", "club member", "manager")
    }
    assert {what for what, count in waits.items() if count} == {"who booked", "club booker", "responsible"}


def test_what_somebody_writes_about_a_booking_of_their_own_is_new_too(
    session: Session, city: City, space: Space, venue: Venue, person: Person, at_hours, persona
) -> None:
    """Also for a manager, who has organisations of their own."""
    booking = book(session, city, space, actor_of(session, person), at_hours(8, 9))
    write(session, booking, venue, person)
    manager, other = persona("manager"), persona("manager elsewhere")
    assert unread_count(session, actor_of(session, manager)) == 1
    assert unread_count(session, actor_of(session, other)) == 0
    write(session, booking, venue, manager)
    assert unread_count(session, actor_of(session, person)) == 1


def mails(session: Session) -> list[tuple[str, str]]:
    rows = session.scalars(select(Mail).where(Mail.template.startswith("bookings/talk/")).order_by(Mail.id))
    return [(mail.to_address, mail.template.rpartition("/")[2]) for mail in rows]


def test_one_mail_to_each_reader_until_it_is_read(
    session: Session,
    asked: Booking,
    venue: Venue,
    person: Person,
    someone: Callable[[str], Person],
    browser_of: Callable[[str], FlaskClient],
    run_jobs: Callable[[], int],
) -> None:
    handler, manager = someone("handler"), someone("manager")
    for _ in range(3):
        write(session, asked, venue, person)
    session.commit()
    run_jobs()
    assert sorted(mails(session)) == sorted([(handler.email, "to_owner"), (manager.email, "to_owner")])
    page(browser_of("handler"), asked)
    write(session, asked, venue, person)
    session.commit()
    run_jobs()
    assert mails(session).count((manager.email, "to_owner")) == 2


def test_who_of_the_bookers_side_gets_mail(
    session: Session,
    city: City,
    asked: Booking,
    venue: Venue,
    club: Organisation,
    person: Person,
    someone: Callable[[str], Person],
    run_jobs: Callable[[], int],
) -> None:
    """The one who booked and whoever wrote, not the whole club; those who left it no more."""
    writer, _ = someone("responsible"), someone("club booker")
    write(session, asked, venue, writer)
    gone = make_person(session, city)
    membership = join(session, gone, club)
    write(session, asked, venue, gone)
    session.delete(membership)
    write(session, asked, venue, someone("handler"))
    session.commit()
    run_jobs()
    told = {address for address, what in mails(session) if what == "to_booker"}
    assert told == {person.email, writer.email}
    session.execute(delete(Membership).where(Membership.person_id == person.id))
    booked = booked_space_of_id(session, asked.city_id, asked.id)
    assert booked is not None
    assert [one.id for one in readers_of_booker(session, booked)] == [writer.id]


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("what", ["to_owner", "to_booker", "question"])
def test_the_whole_mail(
    session: Session,
    city: City,
    asked: Booking,
    venue: Venue,
    person: Person,
    someone: Callable[[str], Person],
    run_jobs: Callable[[], int],
    language: str,
    what: str,
) -> None:
    handler = someone("handler")
    handler.language = person.language = language
    handler.email, person.email = "handler@example.org", "aino@example.org"
    asked.reference = "K7M2-9QXT"
    writer = person if what == "to_owner" else handler
    write(session, asked, venue, writer, SAID, is_question=what == "question")
    session.commit()
    run_jobs()
    mail = session.scalars(select(Mail).where(Mail.template == f"bookings/talk/mail/{what}")).one()
    assert mail.state == "sent"
    assert "chairs" not in mail.body_text + mail.body_html + mail.subject
    start, end = (at.astimezone(city.zone) for at in (asked.span.start, asked.span.end))
    text = f"To: {mail.to_address}\nSubject: {mail.subject}\n\n{mail.body_text}"
    shown, when = (
        one.replace("\u2060", "").replace("\u00a0", " ")
        for one in (text, format_span(start, end, language, year=True))
    )
    # The tests' day follows the clock; the words round it do not.
    shown = shown.replace(when, "TIME")
    stored = STORED / f"{what}.{language}.txt"
    assert shown == stored.read_text(encoding="utf-8")
