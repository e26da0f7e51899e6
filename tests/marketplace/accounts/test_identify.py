"""Whose identity has been confirmed, by whom, and what follows for their own facts."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.actions import identify_person, tell_birth_date, withdraw_identity
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.errors import Forbidden, Invalid
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_person, sign_in

BORN = date(1990, 5, 17)
TODAY = date(2026, 11, 24)


@pytest.fixture
def clerk(session: Session, city: City) -> Person:
    return make_person(session, city, name="Sanna Heikkilä", is_staff=True)


@pytest.fixture
def browser(app: Flask, session: Session) -> Callable[[Person], FlaskClient]:
    def start(person: Person) -> FlaskClient:
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        return client

    return start


def identify(session: Session, person: Person, actor: Actor, born: date = BORN) -> None:
    identify_person(
        session, person, name="Aino Maria Korhonen", birth_date=born, actor=actor, at=now(), today=TODAY
    )


def test_staff_write_down_what_the_document_says(session: Session, person: Person, clerk: Person) -> None:
    identify(session, person, actor_of(session, clerk))
    assert person.identified_at is not None
    assert (person.name, person.birth_date) == ("Aino Maria Korhonen", BORN)
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.person_id, entry.details) == (
        "person.identified",
        clerk.id,
        {"fields": ["name", "birth_date", "identified_at"]},
    )


@pytest.mark.parametrize(
    "who", ["nobody", "a person", "themselves", "staff themselves", "staff elsewhere", "a job"]
)
def test_nobody_else_confirms_an_identity(
    session: Session, city: City, person: Person, clerk: Person, who: str
) -> None:
    elsewhere = make_person(session, make_city(session, slug="muu"), is_staff=True)
    actors = {
        "nobody": Actor(city.id),
        "a person": actor_of(session, make_person(session, city)),
        "themselves": actor_of(session, person),
        "staff themselves": actor_of(session, clerk),
        "staff elsewhere": actor_of(session, elsewhere),
        "a job": system(city.id),
    }
    subject = clerk if who == "staff themselves" else person
    for act in (
        lambda: identify(session, subject, actors[who]),
        lambda: withdraw_identity(session, subject, actor=actors[who]),
    ):
        with pytest.raises(Forbidden):
            act()
    assert subject.identified_at is None


def test_a_confirmed_name_and_day_are_the_documents(
    session: Session, person: Person, clerk: Person, browser: Callable[[Person], FlaskClient]
) -> None:
    staff = actor_of(session, clerk)
    identify(session, person, staff)
    with pytest.raises(Invalid):
        tell_birth_date(session, person, date(2000, 1, 1), actor=actor_of(session, person), today=TODAY)
    client = browser(person)
    page = client.get("/en/profile").text
    assert "Identity confirmed" in page
    assert 'name="birth_date"' not in page
    changed = client.post("/en/profile", data={"name": "Joku Muu", "language": "fi"})
    assert changed.status_code == 422
    assert "Your identity has been confirmed by this name." in changed.text
    sly = client.post("/en/profile", data={"name": person.name, "language": "fi", "birth_date": "2000-01-01"})
    assert sly.status_code == 422
    session.refresh(person)
    assert (person.name, person.birth_date) == ("Aino Maria Korhonen", BORN)
    withdraw_identity(session, person, actor=staff)
    session.commit()
    assert client.post("/en/profile", data={"name": "Joku Muu", "language": "fi"}).status_code == 303
    session.refresh(person)
    assert (person.name, person.identified_at, person.birth_date) == ("Joku Muu", None, BORN)


def test_people_tell_and_forget_their_day_of_birth(
    session: Session, person: Person, signed_in_client: FlaskClient
) -> None:
    def save(text: str) -> int:
        data = {"name": person.name, "language": "fi", "birth_date": text}
        return signed_in_client.post("/en/profile", data=data).status_code

    assert [save("1990-05-17"), save("2990-01-01"), save("1850-01-01"), save("eilen")] == [303, 422, 422, 422]
    session.refresh(person)
    assert person.birth_date == BORN
    assert save("") == 303
    session.refresh(person)
    assert person.birth_date is None


def test_the_counter_from_address_to_confirmation(
    session: Session, person: Person, clerk: Person, browser: Callable[[Person], FlaskClient]
) -> None:
    client = browser(clerk)
    found = client.get(f"/en/counter/identities?email={person.email.upper()}")
    assert (found.status_code, "Aino Korhonen" in found.text) == (200, True)
    data = {"email": person.email, "name": "Aino Korhonen", "birth_date": "1990-05-17"}
    assert client.post("/en/counter/identities", data=data).status_code == 303
    session.refresh(person)
    assert (person.identified_at is not None, person.birth_date) == (True, BORN)
    assert client.post("/en/counter/identities/withdrawal", data={"email": person.email}).status_code == 303
    session.refresh(person)
    assert person.identified_at is None


@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        ({"email": "nobody@example.org"}, 422, "There is no account with this address."),
        ({"email": "x"}, 422, "Write an e-mail address such as"),
        ({"birth_date": ""}, 422, "Write the date of birth."),
        ({"birth_date": "2999-01-01"}, 422, "Write the day you were born."),
        ({"name": ""}, 422, "Write the name."),
        ({"email": "sanna@example.org"}, 403, "Somebody else confirms your own identity."),
    ],
)
def test_the_counter_says_what_is_wrong(
    session: Session,
    person: Person,
    clerk: Person,
    browser: Callable[[Person], FlaskClient],
    data: dict[str, str],
    status: int,
    text: str,
) -> None:
    clerk.email = "sanna@example.org"
    session.commit()
    sent = {"email": person.email, "name": "Aino", "birth_date": "1990-05-17", **data}
    answer = browser(clerk).post("/en/counter/identities", data=sent)
    assert (answer.status_code, text in answer.text) == (status, True)
    session.refresh(person)
    assert person.identified_at is None


def test_the_counter_is_for_staff(client: FlaskClient, signed_in_client: FlaskClient) -> None:
    assert client.get("/en/counter/identities").status_code == 302
    assert signed_in_client.get("/en/counter/identities").status_code == 403
    assert signed_in_client.post("/en/counter/identities/withdrawal").status_code == 403
    assert "Confirm identities" not in signed_in_client.get("/en/profile").text


def test_the_operator_confirms_by_command(app: Flask, session: Session, city: City, person: Person) -> None:
    run = app.test_cli_runner()
    made = run.invoke(
        args=["accounts", "identify", person.email, "--city", city.slug, "--birth-date", "1990-05-17"]
    )
    assert (made.exit_code, made.output) == (0, "Aino Korhonen: the identity is confirmed\n")
    session.refresh(person)
    assert (person.identified_at is not None, person.birth_date) == (True, BORN)
    back = run.invoke(args=["accounts", "identify", person.email, "--city", city.slug, "--withdraw"])
    assert back.exit_code == 0
    session.refresh(person)
    assert person.identified_at is None
    for args in (
        [person.email, "--city", city.slug],
        ["nobody@example.org", "--city", city.slug, "--birth-date", "1990-05-17"],
        [person.email, "--city", "atlantis", "--birth-date", "1990-05-17"],
        [person.email, "--city", city.slug, "--birth-date", "2990-05-17"],
    ):
        assert run.invoke(args=["accounts", "identify", *args]).exit_code != 0
