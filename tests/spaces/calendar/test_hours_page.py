"""The owner's page of hours: preview before saving, mistakes at their fields, who sees it."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.actions import compile_spaces
from spaces.calendar.models import Closure, OpeningException, OpeningRule
from spaces.catalog.models import Space, Venue
from tests.factories.cities import make_city
from tests.factories.people import join, make_person, sign_in
from tests.factories.spaces import make_space, make_venue


@pytest.fixture
def venue(session: Session, city: City) -> Venue:
    return make_venue(session, city)


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    space = make_space(session, venue)
    compile_spaces(session, city, [space.id])
    session.commit()
    return space


@pytest.fixture
def owner(app: Flask, session: Session, city: City, venue: Venue) -> FlaskClient:
    person = make_person(session, city)
    join(session, person, session.get_one(Organisation, (city.id, venue.owner_id)), "manager")
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    return client


def address(space: Space, *, language: str = "en") -> str:
    return f"/{language}/desk/spaces/{space.id}/hours"


def form_of(client: FlaskClient, space: Space, **changes: object) -> dict[str, object]:
    """The form as it is opened on a space with the factory's hours, with some fields changed."""
    text = client.get(address(space)).text
    seen = text.partition('name="seen"')[2].partition('value="')[2].partition('"')[0]
    values: dict[str, object] = {
        "seen": seen,
        "holiday_rule": "as_usual",
        "rules-0-days": ["1", "2", "3", "4", "5", "6", "7"],
        "rules-0-opens": "08:00",
        "rules-0-closes": "22:00",
        "rules-0-state": "open",
        "rules-0-weeks": "all",
        "rules-0-nth": "",
        "rules-0-priority": "0",
        "exceptions-0-state": "closed",
    }
    return values | {name.replace("__", "-"): value for name, value in changes.items()}


def rules_of(session: Session, space: Space) -> list[OpeningRule]:
    session.expire_all()
    return list(
        session.scalars(select(OpeningRule).where(OpeningRule.space_id == space.id).order_by(OpeningRule.id))
    )


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_page_opens_in_every_language(owner: FlaskClient, space: Space, language: str) -> None:
    answer = owner.get(address(space, language=language))
    assert answer.status_code == 200
    assert answer.text.count("<table") == 1


def test_a_preview_shows_the_change_and_saves_nothing(session, owner: FlaskClient, space: Space) -> None:
    answer = owner.post(address(space), data=form_of(owner, space, rules__0__closes="15:00", preview="1"))
    assert answer.status_code == 200
    assert "28 of the coming 28 days would change" in answer.text
    assert "<s>8" in answer.text
    assert [f"{rule.closes:%H}" for rule in rules_of(session, space)] == ["22"]


def test_saving_shows_the_new_hours(session, owner: FlaskClient, space: Space) -> None:
    changes = {
        "rules-1-days": ["5"],
        "rules-1-opens": "22:00",
        "rules-1-closes": "2:00",
        "rules-1-state": "self_service",
        "rules-1-weeks": "odd",
        "rules-1-nth": "-1",
        "rules-1-priority": "0",
        "exceptions-0-first_day": "2030-05-01",
        "exceptions-0-reason_en": "May\x00 Day",
    }
    answer = owner.post(address(space), data=form_of(owner, space, save="1") | changes, follow_redirects=True)
    assert "The hours are saved." in answer.text
    second = rules_of(session, space)[1]
    assert (second.state, second.weeks, second.nth, second.closes.hour) == ("self_service", "odd", -1, 2)
    exception = session.scalars(select(OpeningException)).one()
    assert (exception.state, exception.opens, exception.reasons) == ("closed", None, {"en": "May Day"})
    assert exception.first_day == exception.last_day


def test_a_row_that_is_left_out_is_gone(session, owner: FlaskClient, space: Space) -> None:
    answer = owner.post(address(space), data=form_of(owner, space, rules__0__gone="y", save="1"))
    assert answer.status_code == 303
    assert rules_of(session, space) == []


def test_more_rows_keeps_what_is_typed(session, owner: FlaskClient, space: Space) -> None:
    answer = owner.post(address(space), data=form_of(owner, space, rules__0__opens="07:45", more="1"))
    assert answer.status_code == 200
    assert 'value="07:45"' in answer.text
    assert answer.text.count('-opens" type="time"') + answer.text.count('-opens"') >= 4
    assert rules_of(session, space)[0].opens.hour == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rules-0-opens": "25:99"}, "Write a time"),
        ({"rules-0-opens": "٨"}, "Write a time"),
        ({"rules-0-closes": ""}, "Write a time"),
        ({"rules-0-days": []}, "Choose at least one day"),
        ({"rules-0-days": ["8"]}, "Choose at least one day"),
        ({"rules-0-valid_from": "2027-02-30"}, "Write a date"),
        ({"rules-0-valid_from": "0001-01-01"}, "Write a date"),
        ({"rules-0-valid_from": "2027-02-02", "rules-0-valid_to": "2027-02-01"}, "ends before it begins"),
        ({"rules-0-priority": "-1"}, "whole number"),
        ({"rules-0-priority": "99999999999"}, "whole number"),
        ({"rules-0-state": "ajar"}, "Choose one of the list"),
        ({"rules-0-weeks": "third"}, "Choose one of the list"),
        ({"rules-0-nth": "6"}, "Choose one of the list"),
        ({"holiday_rule": "sometimes"}, "Choose one of the list"),
        ({"exceptions-0-reason_fi": "x"}, "Write a date"),
        ({"exceptions-0-first_day": "2030-05-02", "exceptions-0-last_day": "2030-05-01"}, "before the first"),
        ({"exceptions-0-first_day": "2030-05-02", "exceptions-0-state": "open"}, "Write a time"),
        (
            {
                "rules-1-days": ["1"],
                "rules-1-opens": "9",
                "rules-1-closes": "10",
                "rules-1-state": "open",
                "rules-1-weeks": "all",
                "rules-1-valid_from": "2027-06-01",
                "rules-1-valid_to": "2027-08-31",
            },
            "Two periods overlap and both have priority 0: all the time, and 1 Jun 2027",
        ),
    ],
)
def test_a_mistake_is_named_and_nothing_is_saved(
    session, owner: FlaskClient, space: Space, changes: dict[str, object], message: str
) -> None:
    answer = owner.post(address(space), data=form_of(owner, space, save="1") | changes)
    assert answer.status_code == 422
    assert message in answer.text
    assert len(rules_of(session, space)) == 1


def test_a_form_of_many_rows_is_cut_not_an_error(owner: FlaskClient, space: Space) -> None:
    rows = {f"rules-{n}-days": ["1"] for n in range(500)}
    answer = owner.post(address(space), data=form_of(owner, space, preview="1") | rows)
    assert answer.status_code == 422


def test_hours_that_changed_meanwhile_are_shown_instead(session, owner: FlaskClient, space: Space) -> None:
    form = form_of(owner, space, rules__0__closes="15:00", save="1")
    rules_of(session, space)[0].closes = rules_of(session, space)[0].closes.replace(hour=21)
    session.commit()
    answer = owner.post(address(space), data=form)
    assert answer.status_code == 409
    assert 'value="21:00"' in answer.text


def test_a_closing_is_made_and_ended(session, owner: FlaskClient, space: Space) -> None:
    day = (now() + timedelta(days=9)).date().isoformat()
    data = {"first_day": day, "last_day": day, "reason_fi": "Remontti", "reason_en": "Renovation"}
    answer = owner.post(f"/en/desk/spaces/{space.id}/closures", data=data, follow_redirects=True)
    assert "The space is closed." in answer.text
    assert "Renovation" in answer.text
    public = owner.get(f"/en/spaces/{space.id}?day={day}")
    assert "Renovation" in public.text
    closure = session.scalars(select(Closure)).one()
    end = f"/en/desk/spaces/{space.id}/closures/{closure.closing_id}/end"
    assert "free again" in owner.post(end, follow_redirects=True).text
    assert owner.post(end).status_code == 404


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "Write a date"),
        ({"first_day": "2020-01-01"}, "later than now"),
        ({"first_day": "2030-01-01", "last_day": "2039-01-01"}, "two years"),
        ({"first_day": "2030-01-02", "last_day": "2030-01-01"}, "ends before it begins"),
        ({"first_day": "2030-01-02", "opens": "99"}, "Write a time"),
    ],
)
def test_a_closing_with_a_mistake_is_refused(
    session, owner: FlaskClient, space: Space, data: dict[str, str], message: str
) -> None:
    answer = owner.post(f"/en/desk/spaces/{space.id}/closures", data=data)
    assert answer.status_code == 422
    assert message in answer.text
    assert session.scalars(select(Closure)).all() == []


def test_a_closing_address_leads_back_to_the_page(owner: FlaskClient, space: Space) -> None:
    answer = owner.get(f"/en/desk/spaces/{space.id}/closures")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/hours#closing")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("place", ["hours", "closures", "closures/1/end"])
def test_strangers_do_not_learn_that_it_exists(
    app: Flask, session, city: City, space: Space, method: str, place: str
) -> None:
    if (method, place) in {("get", "closures/1/end"), ("get", "closures")}:
        return
    data = {"first_day": "2030-01-02"} if method == "post" else None
    path = f"/en/desk/spaces/{space.id}/{place}"
    assert getattr(app.test_client(), method)(path, data=data).headers["Location"].startswith("/en/sign-in")
    client = app.test_client()
    sign_in(session, client, make_person(session, city))
    session.commit()
    assert getattr(client, method)(path, data=data).status_code == 404


def test_staff_of_another_city_see_nothing(app: Flask, session, city: City, space: Space) -> None:
    other = make_city(session, slug="tampere", host="tampere.example")
    client = app.test_client()
    sign_in(session, client, make_person(session, other, is_staff=True))
    session.commit()
    assert client.get(address(space)).status_code in {302, 404}
    assert client.get(address(space), headers={"Host": "tampere.example"}).status_code in {302, 404}
