"""Addresses, hosts and databases as they should not be: an answer that explains itself, and never an error of ours."""

import logging
from dataclasses import replace

import pytest
from flask import request
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from bookings.part import part as bookings
from marketplace import db
from marketplace.accounts.models import Person
from marketplace.app import create_app
from marketplace.cities.queries import city_of_host
from marketplace.logs import without_arguments
from marketplace.web import request as requests
from marketplace.web.request import client_ip
from partners.part import part as partners
from spaces.part import part as spaces

PARTS = (spaces, bookings, partners)
PAGES = ("/en/sign-in", "/en/", "/en/spaces", "/en/no-such-page")


@pytest.mark.parametrize(
    "name", ["endpoint", "_scheme", "_external", "_anchor", "_method", "lang", "self", "values"]
)
def test_any_name_may_stand_in_an_address(client, name):
    for page in PAGES:
        answer = client.get(f"{page}?{name}=x&{name}=y")
        assert answer.status_code in {200, 404}
        if answer.status_code == 200:
            path = page.replace("/en/", "/sv/")
            assert f'href="{path}?{name}=x&amp;{name}=y" lang="sv"' in answer.text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.7:4711", None),
        ("unknown", None),
        ("unix:", None),
        ("", None),
    ],
)
def test_only_an_address_is_kept_of_where_a_request_comes_from(app, given, kept):
    with app.test_request_context(environ_overrides={"REMOTE_ADDR": given}):
        assert request.remote_addr == given
        assert client_ip() == kept


@pytest.fixture
def without_database(settings, engine):
    """A browser of a service whose database is away."""
    url = "postgresql://postgres:@127.0.0.1:1/none"
    app = create_app(replace(settings, database_url=url), PARTS)
    yield app.test_client()
    db.bind(engine)


@pytest.mark.parametrize("page", ["/", "/en/", "/fi/spaces/1", "/en/no-such-page", "/theme.css"])
def test_a_database_that_is_away_is_said_to_be_away(without_database, page):
    answer = without_database.get(page)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "<main" in answer.text


def test_programs_are_told_too_that_the_database_is_away(without_database):
    answer = without_database.get("/api/v1/spaces")
    assert answer.status_code == 503
    assert answer.json["type"].endswith("/en/problems/unavailable")
    assert answer.headers["Retry-After"] == "30"


def test_probes_tell_a_live_service_from_a_ready_one(client, without_database):
    assert without_database.get("/health/live").status_code == 200
    answer = without_database.get("/health/ready")
    assert (answer.status_code, answer.text) == (503, "database unavailable\n")


def test_probes_say_ready_under_any_host_name(client):
    assert client.get("/health/ready", headers={"Host": "10.0.0.7:8000"}).text == "ready\n"


@pytest.mark.parametrize("error", [NoConnection(), OperationalError("SELECT 1", {}, Exception())])
def test_a_busy_database_is_no_error_of_the_page(app, client, error, monkeypatch):
    def busy():
        raise error

    monkeypatch.setitem(app.view_functions, "root.theme", busy)
    assert client.get("/theme.css").status_code == 503


def test_errors_of_the_database_do_not_show_what_people_wrote(session, city, person):
    again = Person(city_id=city.id, email=person.email, name="Veli Virtanen", language="fi")
    with pytest.raises(IntegrityError) as refused, db.transaction() as own:
        own.add(again)
    assert "Veli Virtanen" not in str(refused.value)


def test_pages_stay_out_of_shared_caches(client, signed_in_client):
    assert client.get("/en/sign-in").headers["Cache-Control"] == "private, no-cache"
    assert signed_in_client.get("/en/profile").headers["Cache-Control"] == "private, no-store"


def test_made_up_host_names_fill_no_memory(settings, city, session, monkeypatch):
    looked_up = []

    def counted(session, host, *, default_slug):
        looked_up.append(host)
        return city_of_host(session, host, default_slug=default_slug)

    monkeypatch.setattr(requests, "city_of_host", counted)
    monkeypatch.setattr(requests, "MOST_HOSTS", 3)
    app = create_app(replace(settings, env="development", database_url=""), PARTS)
    browser = app.test_client()
    for n in range(5):
        browser.get("/theme.css", headers={"Host": f"made-up-{n}.example"})
    looked_up.clear()
    for _ in range(3):
        browser.get("/theme.css", headers={"Host": "Tilat.example:80"})
    assert looked_up == ["tilat.example"]


def test_production_answers_to_its_own_host_names_alone(settings, city, session):
    city.host = "tilat.example"
    session.commit()
    own = replace(
        settings, env="production", database_url="", public_url="https://spaces.example", trusted_proxies=1
    )
    browser = create_app(own, PARTS).test_client()
    for host in ("tilat.example", "TILAT.example:443", "spaces.example"):
        assert browser.get("/theme.css", headers={"Host": host}).status_code == 200
    assert browser.get("/theme.css", headers={"Host": "evil.example"}).status_code == 400
    forwarded = {"Host": "tilat.example", "X-Forwarded-Host": "evil.example"}
    answer = browser.get("/api/v1/spaces", headers=forwarded)
    assert answer.status_code == 400
    assert browser.get("/health/ready", headers={"Host": "10.0.0.7"}).status_code == 200


def test_a_failed_job_is_logged_without_its_arguments():
    call = "deliver[7](facts={'email': 'aino@example.org'})"
    record = logging.makeLogRecord(
        {
            "msg": f"Job {call} ended with status: Error",
            "job": {"id": 7, "task_name": "deliver", "task_kwargs": {"email": "aino@"}, "call_string": call},
        }
    )
    assert without_arguments(record)
    assert record.getMessage() == "Job deliver[7] ended with status: Error"
    assert vars(record)["job"] == {"id": 7, "task_name": "deliver"}
