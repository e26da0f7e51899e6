"""A handler books for a customer who phones: who may, past which rules, at which price, and what the customer learns."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.behalf_actions import Ask, Customer, book_for_customer
from bookings.lifecycle.errors import (
    CustomerUnnamed,
    InThePast,
    NotBookersOrganisation,
    NotOnOffer,
    NotOpen,
    SubmissionUsed,
    TooManyPeople,
)
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.errors import NotVerified
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.notifications.models import Mail
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue
from tests.bookings.desk.conftest import STRANGERS
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_space, make_venue

STORED = Path(__file__).parent / "mails"
MAY = ("manager", "venue manager", "handler", "staff")
MAY_NOT = ("viewer", "crew", *STRANGERS)
PHONED = Customer("paula@example.org", "Paula Puhelin", "040 123 4567", "fi")


@pytest.fixture
def hall(session: Session, city: City, venue: Venue) -> Space:
    return open_space(session, city, venue, capacity=40, approval="handler")


def enter(session: Session, city: City, space: Space, actor: Actor, during: Span, **fields: Any) -> Booking:
    customer = fields.pop("customer", PHONED)
    rest: dict[str, Any] = {key: fields.pop(key) for key in ("submission", "at") if key in fields}
    ask = Ask(during, **{"attendees": 12, "purpose": "Kuoro", **fields})
    venue = session.get_one(Venue, (city.id, space.venue_id))
    values: dict[str, Any] = {"submission": "form-1", "at": NOW, **rest}
    return book_for_customer(session, city, space, venue, customer, ask=ask, actor=actor, **values)


@pytest.mark.parametrize("what", MAY)
def test_those_who_handle_the_place_book(
    session: Session, city: City, hall: Space, persona: Callable[[str], Person], what: str
) -> None:
    handler = persona(what)
    booking = enter(session, city, hall, actor_of(session, handler), span_on(city, 18, 19.5), note="Hei")
    customer = session.get_one(Person, (city.id, booking.person_id))
    assert (customer.email, customer.name, customer.phone) == (PHONED.email, PHONED.name, PHONED.phone)
    assert (customer.password_hash, customer.email_verified_at) == (None, None)
    assert (booking.state, booking.source, booking.payment) == ("confirmed", "desk", "due")
    assert session.scalar(select(func.count()).select_from(Claim)) == 1
    trail = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(one.action, one.person_id) for one in trail] == [
        ("person.entered", handler.id),
        ("booking.entered", handler.id),
    ]
    assert trail[1].details["after"]["customer"] == customer.id


@pytest.mark.parametrize("what", MAY_NOT)
def test_nobody_else_does(
    session: Session, city: City, hall: Space, persona: Callable[[str], Person], what: str
) -> None:
    actor = actor_of(session, persona(what))
    before = session.scalar(select(func.count()).select_from(Person))
    with pytest.raises(NotYourVenue):
        enter(session, city, hall, actor, span_on(city, 18, 20))
    assert session.scalars(select(Booking)).all() == []
    assert session.scalar(select(func.count()).select_from(Person)) == before


def test_an_unproved_handler_does_not(session: Session, city: City, hall: Space, persona) -> None:
    handler = persona("handler")
    handler.email_verified_at = None
    with pytest.raises(NotVerified):
        enter(session, city, hall, actor_of(session, handler), span_on(city, 18, 20))


def test_a_known_customer_is_left_as_they_are(
    session: Session, city: City, hall: Space, person: Person, persona
) -> None:
    customer = replace(PHONED, email=person.email, name="Somebody Else", language="sv")
    booking = enter(
        session, city, hall, actor_of(session, persona("handler")), span_on(city, 18, 20), customer=customer
    )
    assert booking.person_id == person.id
    assert (person.name, person.phone, person.language) == ("Aino Korhonen", None, "fi")


def test_a_new_customer_needs_a_name(session: Session, city: City, hall: Space, persona) -> None:
    with pytest.raises(CustomerUnnamed):
        enter(
            session,
            city,
            hall,
            actor_of(session, persona("handler")),
            span_on(city, 18, 20),
            customer=replace(PHONED, name=""),
        )


def test_a_handler_goes_past_the_rules_for_bookers(
    session: Session, city: City, venue: Venue, persona
) -> None:
    """Notice, days ahead, length, step and approval bind bookers only."""
    strict = open_space(
        session,
        city,
        venue,
        approval="handler",
        notice_minutes=60 * 24 * 90,
        horizon_days=1,
        max_minutes=60,
        interval_minutes=60,
    )
    during = span_on(city, 17.25, 21)
    booking = enter(session, city, strict, actor_of(session, persona("handler")), during)
    assert (booking.state, booking.span) == ("confirmed", during)


@pytest.mark.parametrize(
    ("hours", "refusal"), [((23, 25), NotOpen), ((5, 9), NotOpen), ((21.5, 22.5), NotOpen)]
)
def test_never_outside_the_opening_hours(
    session: Session, city: City, hall: Space, persona, hours: tuple[float, float], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        enter(session, city, hall, actor_of(session, persona("handler")), span_on(city, *hours))


def test_never_what_others_have_nor_what_is_past(
    session: Session, city: City, hall: Space, person: Person, persona
) -> None:
    actor = actor_of(session, persona("handler"))
    theirs = book(session, city, hall, actor_of(session, person), span_on(city, 18, 20))
    with pytest.raises(SlotTaken):
        enter(session, city, hall, actor, span_on(city, 19, 21))
    with pytest.raises(InThePast):
        enter(session, city, hall, actor, theirs.span, at=theirs.span.end)
    with pytest.raises(TooManyPeople):
        enter(session, city, hall, actor, span_on(city, 9, 10), attendees=41)
    assert session.scalars(select(Booking.id)).all() == [theirs.id]


def test_what_has_begun_can_still_be_written_down(session: Session, city: City, hall: Space, persona) -> None:
    during = span_on(city, 18, 20)
    at = during.start + timedelta(minutes=5)
    booking = enter(session, city, hall, actor_of(session, persona("handler")), during, at=at)
    assert booking.cancel_free_until <= during.start


@pytest.mark.parametrize(("state", "allowed"), [("hidden", True), ("draft", False), ("archived", False)])
def test_only_what_stands_on_the_desk(
    session: Session, city: City, hall: Space, persona, state: str, allowed: bool
) -> None:
    hall.state = state
    actor = actor_of(session, persona("handler"))
    if allowed:
        assert enter(session, city, hall, actor, span_on(city, 18, 20)).state == "confirmed"
        return
    with pytest.raises(NotOnOffer):
        enter(session, city, hall, actor, span_on(city, 18, 20))


def test_the_price_is_the_customers(
    session: Session, city: City, hall: Space, person: Person, persona
) -> None:
    club = make_organisation(session, city, name="Kallion Juniorit ry")
    join(session, person, club)
    actor = actor_of(session, persona("handler"))
    theirs = book(
        session, city, hall, actor_of(session, person), span_on(city, 9, 11), organisation_id=club.id
    )
    customer = replace(PHONED, email=person.email, organisation="  kallion   JUNIORIT ry ")
    booking = enter(session, city, hall, actor, span_on(city, 12, 14), customer=customer)
    assert (booking.organisation_id, booking.total_minor) == (club.id, theirs.total_minor)
    free = enter(
        session,
        city,
        hall,
        actor,
        span_on(city, 15, 17),
        customer=customer,
        submission="form-2",
        free_reason="Talkoot",
    )
    assert (free.total_minor, free.vat_minor, free.payment) == (0, 0, "not_needed")
    assert [line["code"] for line in free.lines][-1] == "waived"
    assert sum(line["total_minor"] for line in free.lines) == 0
    assert free.lines[-1]["note"] == "Talkoot"


@pytest.mark.parametrize("role", ["member", "nobody", "invited"])
def test_only_for_an_organisation_that_the_customer_books_for(
    session: Session, city: City, hall: Space, person: Person, persona, role: str
) -> None:
    club = make_organisation(session, city, name="Kallion Juniorit ry")
    if role == "invited":
        join(session, person, club).accepted_at = None
    elif role == "member":
        join(session, person, club, "member")
    session.flush()
    with pytest.raises(NotBookersOrganisation):
        enter(
            session,
            city,
            hall,
            actor_of(session, persona("handler")),
            span_on(city, 18, 20),
            customer=replace(PHONED, email=person.email, organisation=club.name),
        )


def test_a_form_sent_twice_is_one_booking(session: Session, city: City, hall: Space, persona) -> None:
    actor = actor_of(session, persona("handler"))
    first = enter(session, city, hall, actor, span_on(city, 18, 20))
    assert enter(session, city, hall, actor, span_on(city, 18, 20)).id == first.id
    with pytest.raises(SubmissionUsed):
        enter(session, city, hall, actor, span_on(city, 9, 11))


def test_there_is_a_day_to_take_it_back(session: Session, city: City, hall: Space, persona) -> None:
    hall.cancellation_hours = 24 * 30
    at = span_on(city, 18, 20).start - timedelta(days=3)
    booking = enter(session, city, hall, actor_of(session, persona("handler")), span_on(city, 18, 20), at=at)
    assert booking.cancel_free_until == at + timedelta(hours=24)


def test_two_handlers_at_one_slot(committing: Engine) -> None:
    """One of them gets it, whatever the customers, and no account is left of the other's."""
    with transaction() as session:
        city = make_city(session)
        venue = make_venue(session, city)
        hall = open_space(session, city, venue)
        actor = actor_of(session, make_person(session, city, is_staff=True))
    results: list[str] = []

    def attempt(number: int) -> None:
        customer = replace(PHONED, email=f"c{number}@example.org")
        try:
            with transaction() as session:
                enter(session, city, hall, actor, span_on(city, 18, 20), customer=customer)
            results.append("booked")
        except SlotTaken:
            results.append("taken")

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["booked"] + ["taken"] * 5
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Booking)) == 1
        assert session.scalar(select(func.count()).select_from(Person).where(Person.email.like("c%"))) == 1


# pages


def path_of(space: Space) -> str:
    return f"/en/desk/spaces/{space.id}/booking"


def fields_of(day: date, **changes: str) -> dict[str, str]:
    return {
        "email": "Paula@Example.org",
        "name": "Paula Puhelin",
        "phone": "040 123 4567",
        "language": "fi",
        "on": day.isoformat(),
        "clock": "18.00",
        "ends": "20.00",
        "attendees": "12",
        "submission": "form-1234567",
        **changes,
    }


def test_the_handler_fills_in_the_form(
    session: Session, space: Space, client_of: Callable[[str], FlaskClient], day: date
) -> None:
    client = client_of("handler")
    shown = client.get(path_of(space), query_string={"day": day.isoformat(), "clock": "18.00"}).text
    assert f'value="{day.isoformat()}"' in shown
    assert 'value="18.00"' in shown
    assert 'value="19.00"' in shown
    looked = client.post(path_of(space), data=fields_of(day, do="look"))
    assert looked.status_code == 200
    assert "Total" in looked.text
    assert session.scalars(select(Booking)).all() == []
    assert session.scalar(select(Person.id).where(Person.email == "paula@example.org")) is None
    done = client.post(path_of(space), data=fields_of(day))
    assert done.status_code == 303
    booking = session.scalars(select(Booking)).one()
    assert booking.reference in done.headers["Location"]
    seen = client.get(done.headers["Location"]).text
    assert "Paula Puhelin" in seen
    assert "Booked by the owner for the customer" in seen
    again = client.post(path_of(space), data=fields_of(day))
    assert again.headers["Location"] == done.headers["Location"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": ""}, "Write the customer’s e-mail address."),
        ({"email": "nonsense"}, "Write an e-mail address such as"),
        ({"name": ""}, "this address has no account here yet"),
        ({"name": "see www.example.org"}, "Write only the name"),
        ({"phone": "call me"}, "Write a phone number"),
        ({"organisation": "Nobody’s club"}, "has no right to book for an organisation of this name"),
        ({"on": "soon"}, "Write a date"),
        ({"on": "9999-12-31"}, "Write a date"),
        ({"clock": "25.00"}, "Write a time"),
        ({"ends": "20"}, "Write a time"),
        ({"attendees": "many"}, "Write a whole number"),
        ({"attendees": "0"}, "at least 1"),
        ({"purpose": "x" * 201}, "Say it in 200 characters."),
        ({"note": "x" * 1001}, "Say it in 1,000 characters."),
        ({"is_free": "1"}, "Write why. The customer reads it"),
        ({"clock": "02.00", "ends": "04.00"}, "The space is closed at this time."),
        ({"on": "2020-01-01"}, "This time has passed."),
        ({"language": "xx"}, "Not a valid choice"),
    ],
)
def test_bad_input_is_told_and_nothing_is_kept(
    session: Session,
    space: Space,
    client_of: Callable[[str], FlaskClient],
    day: date,
    changes: dict[str, str],
    sentence: str,
) -> None:
    answer = client_of("handler").post(path_of(space), data=fields_of(day, **changes))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert session.scalars(select(Booking)).all() == []
    assert session.scalar(select(Person.id).where(Person.email == "paula@example.org")) is None


def test_a_taken_time_is_told_with_what_is_free(
    session: Session,
    city: City,
    space: Space,
    person: Person,
    client_of: Callable[[str], FlaskClient],
    day: date,
    at_hours,
) -> None:
    book(session, city, space, actor_of(session, person), at_hours(18, 20), at=now())
    answer = client_of("handler").post(path_of(space), data=fields_of(day))
    assert answer.status_code == 409
    assert "free" in answer.text
    assert session.scalar(select(Person.id).where(Person.email == "paula@example.org")) is None


@pytest.mark.parametrize("what", MAY_NOT)
def test_the_page_is_for_those_who_handle(
    session: Session, space: Space, client_of: Callable[[str], FlaskClient], day: date, what: str
) -> None:
    client = client_of(what)
    for answer in (client.get(path_of(space)), client.post(path_of(space), data=fields_of(day))):
        assert answer.status_code in {403, 404} or "/sign-in" in answer.headers["Location"]
    assert session.scalars(select(Booking)).all() == []


def test_nobody_signs_in_first(client: FlaskClient, space: Space, day: date) -> None:
    for answer in (client.get(path_of(space)), client.post(path_of(space), data=fields_of(day))):
        assert answer.status_code == 401 or "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize(("what", "linked"), [("handler", True), ("viewer", False), ("crew", False)])
def test_the_timeline_leads_there(
    space: Space, client_of: Callable[[str], FlaskClient], day: date, what: str, linked: bool
) -> None:
    shown = client_of(what).get("/en/desk/timeline", query_string={"day": day.isoformat()}).text
    assert (f"/en/desk/spaces/{space.id}/booking?day={day.isoformat()}" in shown) is linked


def test_whole_days(
    session: Session, city: City, venue: Venue, client_of: Callable[[str], FlaskClient], day: date
) -> None:
    lawn = make_space(session, venue, whole_days=True, price=("day", 10000))
    compile_spaces(session, city, [lawn.id])
    session.commit()
    client = client_of("handler")
    assert "Days" in client.get(path_of(lawn)).text
    data = fields_of(day, days="2", clock="", ends="")
    assert client.post(path_of(lawn), data={**data, "days": "0"}).status_code == 422
    assert client.post(path_of(lawn), data={**data, "days": "9999"}).status_code == 422
    assert client.post(path_of(lawn), data=data).status_code == 303
    booking = session.scalars(select(Booking)).one()
    start, end = (at.astimezone(city.zone) for at in (booking.span.start, booking.span.end))
    assert (start.date(), (end - timedelta(minutes=1)).date()) == (day, day + timedelta(days=1))


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_whole_mail(
    session: Session, city: City, hall: Space, persona, run_jobs: Callable[[], int], language: str
) -> None:
    booking = enter(
        session,
        city,
        hall,
        actor_of(session, persona("handler")),
        span_on(city, 18, 19.5),
        customer=replace(PHONED, language=language),
        note="Avain on aulassa.",
    )
    booking.reference = "K7M2-9QXT"
    session.commit()
    run_jobs()
    mail = session.scalars(select(Mail)).one()
    text = f"To: {mail.to_address}\nSubject: {mail.subject}\n\n{mail.body_text}"
    shown = text.replace("\u2060", "").replace("\u00a0", " ")
    assert shown == (STORED / f"entered.{language}.txt").read_text(encoding="utf-8")
