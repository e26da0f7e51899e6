"""Short addresses of text messages: they lead to our pages, do nothing, end, and are not guessed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.app import job_context
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.links import short_address
from marketplace.notifications.mail import writing_for
from marketplace.notifications.models import TextLink
from marketplace.notifications.sms import forget_number
from tests.factories.cities import make_city
from tests.factories.people import make_person

Shorten = Callable[..., str]


@pytest.fixture
def shorten(app: Flask, session: Session) -> Shorten:
    def make(city: City, person: Person, minutes: int = 5) -> str:
        with job_context(app), writing_for(city, "sv"):
            address = short_address(session, person, "/sv/line/abc", until=now() + timedelta(minutes=minutes))
        session.commit()
        return address

    return make


def test_it_leads_to_the_page_in_its_language(
    client: FlaskClient, session: Session, city: City, person: Person, shorten: Shorten
) -> None:
    address = shorten(city, person)
    _, _, code = address.rpartition("/")
    assert len(code) == 10
    assert address.endswith(f"/sv/t/{code}")
    answer = client.get(f"/sv/t/{code}")
    assert (answer.status_code, answer.location) == (303, "/sv/line/abc")
    assert client.post(f"/sv/t/{code}").status_code == 405
    kept = session.query(TextLink).one()
    assert code.encode() not in kept.code_hash


def test_an_old_one_a_wrong_one_and_anothers_are_no_pages(
    client: FlaskClient, session: Session, city: City, person: Person, shorten: Shorten
) -> None:
    old = shorten(city, person, minutes=-1).rpartition("/")[2]
    elsewhere = make_city(session, slug="espoo")
    theirs = shorten(elsewhere, make_person(session, elsewhere)).rpartition("/")[2]
    right = shorten(city, person).rpartition("/")[2]
    for code in (old, theirs, right[:-1], right + "x", right.swapcase(), "x" * 4000, "%00", "å"):
        assert client.get(f"/sv/t/{code}").status_code == 404, code


def test_guesses_are_counted_and_good_addresses_are_not(
    app: Flask,
    client: FlaskClient,
    city: City,
    person: Person,
    shorten: Shorten,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.config, "RATE_LIMITS", True)
    code = shorten(city, person).rpartition("/")[2]
    for number in range(60):
        assert client.get(f"/sv/t/guess{number}").status_code == 404
        assert client.get(f"/sv/t/{code}").status_code == 303
    assert client.get("/sv/t/guess60").status_code == 429


def test_addresses_go_with_the_number_they_were_sent_to(
    client: FlaskClient, session: Session, city: City, person: Person, shorten: Shorten
) -> None:
    sent, others = shorten(city, person), shorten(city, make_person(session, city))
    forget_number(session, city.id, person.id, "+358401234567")
    session.commit()
    assert client.get("/sv/t/" + sent.rpartition("/")[2]).status_code == 404
    assert client.get("/sv/t/" + others.rpartition("/")[2]).status_code == 303
