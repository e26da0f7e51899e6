"""The staff's page of customer groups."""

from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor, system
from marketplace.accounts.models import AuditEntry, Organisation, Person
from marketplace.cities.models import City
from marketplace.errors import Forbidden
from spaces.pricing.actions import give_group
from spaces.pricing.models import OrganisationGroup
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space, make_venue

PAGE = "/en/desk/customer-groups"


@pytest.fixture
def club(session: Session, city: City) -> Organisation:
    club = make_organisation(session, city, name="Kallion <i>Juniorit</i> ry", kind="association")
    session.commit()
    return club


def browser(app: Flask, session: Session, person: Person) -> FlaskClient:
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    return client


@pytest.fixture
def staff(app: Flask, session: Session, city: City) -> FlaskClient:
    return browser(
        app, session, make_person(session, city, name="Sanna", email="s@example.org", is_staff=True)
    )


def test_only_staff_see_and_give_groups(
    app: Flask, session: Session, city: City, client: FlaskClient, club: Organisation, staff: FlaskClient
) -> None:
    manager = make_person(session, city, name="Matti", email="m@example.org")
    join(session, manager, club, "manager")
    person = browser(app, session, manager)
    for path in (PAGE, f"{PAGE}/{club.id}"):
        ask = "get" if path == PAGE else "post"
        assert "/sign-in" in getattr(client, ask)(path, data={"group": "youth"}).headers["Location"]
        assert getattr(person, ask)(path, data={"group": "youth"}).status_code == 403
    assert session.scalars(select(OrganisationGroup)).all() == []
    assert staff.get(PAGE).status_code == 200
    make_space(session, make_venue(session, city))
    session.commit()
    assert f'href="{PAGE}"' in staff.get("/en/desk").text
    join(session, manager, make_organisation(session, city, name="Oma Oy", kind="company"), "manager")
    session.commit()
    assert f'href="{PAGE}"' not in person.get("/en/desk").text


def test_the_action_refuses_everybody_else(session: Session, city: City, club: Organisation) -> None:
    for actor in (
        Actor(city.id),
        Actor(city.id, source="api"),
        actor_of(session, make_person(session, city)),
    ):
        with pytest.raises(Forbidden):
            give_group(session, club, "youth", actor=actor)
    assert give_group(session, club, "youth", actor=system(city.id, "command"))


def test_a_group_is_given_taken_back_and_audited(
    session: Session, city: City, club: Organisation, staff: FlaskClient
) -> None:
    answer = staff.post(f"{PAGE}/{club.id}", data={"group": "youth"}, follow_redirects=True)
    assert "Saved: Kallion &lt;i&gt;Juniorit&lt;/i&gt; ry." in answer.text
    assert "chosen by the city" in answer.text
    staff.post(f"{PAGE}/{club.id}", data={"group": "youth"})
    staff.post(f"{PAGE}/{club.id}", data={"group": ""})
    assert session.scalars(select(OrganisationGroup)).all() == []
    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "organisation.group_given").order_by(AuditEntry.id)
    ).all()
    assert [(one.details["before"], one.details["after"]) for one in entries] == [
        (None, "youth"),
        ("youth", None),
    ]


@pytest.mark.parametrize("group", ["pensioner", "'", "youth\x00"])
def test_an_unknown_group_changes_nothing(
    session: Session, club: Organisation, staff: FlaskClient, group: str
) -> None:
    answer = staff.post(f"{PAGE}/{club.id}", data={"group": group}, follow_redirects=True)
    assert "Nothing was changed. Choose one of the groups." in answer.text
    assert session.scalars(select(OrganisationGroup)).all() == []


def test_another_citys_organisation_is_not_there(session: Session, city: City, staff: FlaskClient) -> None:
    other = make_organisation(session, make_city(session, "turku"), name="Turun seura", kind="association")
    session.commit()
    assert staff.post(f"{PAGE}/{other.id}", data={"group": "youth"}).status_code == 404
    assert "Turun seura" not in staff.get(PAGE).text
    assert session.scalars(select(OrganisationGroup)).all() == []


def test_the_list_is_narrowed_by_name_kind_and_group(
    session: Session, city: City, club: Organisation, staff: FlaskClient
) -> None:
    make_organisation(session, city, name="100 % Oy", kind="company")
    hall = make_organisation(session, city, name="Liikuntavirasto", kind="city_division")
    session.add(OrganisationGroup(city_id=city.id, organisation_id=hall.id, group_code="youth"))
    session.commit()

    def names(**args: str) -> set[str]:
        html = unescape(staff.get(PAGE, query_string=args).text)
        return {name for name in ("Juniorit", "100 % Oy", "Liikuntavirasto") if name in html}

    assert names() == {"Juniorit", "100 % Oy", "Liikuntavirasto"}
    assert names(q="%") == {"100 % Oy"}
    assert names(q="juniorit") == {"Juniorit"}
    assert names(kind="company") == {"100 % Oy"}
    assert names(group="youth") == {"Liikuntavirasto"}
    assert names(group="association") == {"Juniorit"}
    assert names(q="x\x00y", kind="ufo", group="ufo", page="-1") == set()
    assert names(page="99999") == set()
