"""The desk's page of a place's accessibility: who may tell, what is kept, what is refused, what others then see."""

from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from spaces.catalog.accessibility import Sentence
from tests.factories.listings import Supplier, give, make_supplier
from tests.factories.people import make_person, sign_in


@pytest.fixture
def supplier(session: Session, city: City) -> Supplier:
    supplier = make_supplier(session, city)
    session.commit()
    return supplier


@pytest.fixture
def browser(app: Flask, session: Session) -> Callable[[Person], FlaskClient]:
    def start(person: Person) -> FlaskClient:
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        return client

    return start


@pytest.fixture
def path(supplier: Supplier) -> str:
    return f"/en/desk/venues/{supplier.venue.id}/accessibility"


TOLD = {"step_free_entrance": "yes", "induction_loop": "no", "door_cm": "95"}


def test_only_those_who_run_the_place_tell(
    browser, client: FlaskClient, supplier: Supplier, session: Session, city: City, path: str
) -> None:
    assert "/sign-in" in client.get(path).headers["Location"]
    assert client.post(path, data=TOLD).status_code in {302, 303, 401}
    outsider = browser(make_person(session, city, name="Ulla", email="ulla@example.org"))
    assert outsider.get(path).status_code in {403, 404}
    assert outsider.post(path, data=TOLD).status_code in {403, 404}
    for role, allowed in (("viewer", False), ("handler", False), ("manager", True)):
        person = make_person(session, city, name=role, email=f"{role}@example.org")
        give(session, supplier.venue, person, role)
        answer = browser(person).post(path, data=TOLD)
        assert (answer.status_code == 303) is allowed, role
    staff = browser(make_person(session, city, name="Sanna", email="sanna@example.org", is_staff=True))
    assert staff.get(path).status_code == 200
    assert staff.get("/en/desk/venues/999999/accessibility").status_code == 404


def test_three_answers_and_a_number_are_kept_with_before_and_after(
    browser, supplier: Supplier, session: Session, path: str
) -> None:
    owner = browser(supplier.person)
    assert owner.post(path, data=TOLD).status_code == 303
    session.refresh(supplier.venue)
    venue = supplier.venue
    assert venue.accessibility == ["step_free_entrance", "wide_doors"]
    assert venue.accessibility_lacks == ["induction_loop"]
    assert venue.accessibility_measures == {"door_cm": 95}
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "venue.changed")).one()
    assert entry.details["before"]["accessibility_lacks"] == []
    assert entry.details["after"]["accessibility_measures"] == {"door_cm": 95}
    again = owner.get(path).text
    assert 'name="induction_loop" value="no" checked' in again
    assert 'name="lift" value="" checked' in again
    assert owner.post(path, data={**TOLD, "wide_doors": "yes"}, follow_redirects=True).text.count(
        "Nothing was different."
    )
    history = unescape(owner.get(f"/en/desk/spaces/{supplier.space.id}/history").text)
    assert "Accessibility, not there" in history
    assert "Clear width of the door, cm: 95" in history


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"wide_doors": "yes", "door_cm": "60"}, "wide enough for a wheelchair from 80 cm on"),
        ({"step_free_entrance": "yes", "threshold_cm": "9"}, "threshold over 2 cm is not step-free"),
        ({"door_cm": "wide"}, "Not a valid integer value"),
        ({"door_cm": "5"}, "Number must be between 40 and 400"),
        ({"lift": "perhaps"}, "Not a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_kept(
    browser, supplier: Supplier, session: Session, path: str, data: dict[str, str], text: str
) -> None:
    answer = browser(supplier.person).post(path, data={"ramp": "yes", **data})
    assert answer.status_code == 422
    assert text in unescape(answer.text)
    assert 'name="ramp" value="yes" checked' in answer.text
    session.refresh(supplier.venue)
    assert supplier.venue.accessibility == []
    assert supplier.venue.accessibility_measures == {}


def test_the_space_page_says_all_three(
    browser, client, supplier: Supplier, session: Session, path: str
) -> None:
    register = Sentence("route", {"fi": "Reitti on <b>tasainen</b>."}, "tprek", codes=("accessible_route",))
    supplier.venue.accessibility = ["accessible_route"]
    supplier.venue.accessibility_sentences = [register.as_json()]
    supplier.space.state = "published"
    session.commit()
    owner = browser(supplier.person)
    told = {"step_free_entrance": "yes", "lift": "yes", "accessible_toilet": "no", "accessible_route": "yes"}
    assert owner.post(path, data=told).status_code == 303
    html = client.get(f"/en/spaces/{supplier.space.id}").text
    assert "The facility does not have an accessible toilet." in html
    assert '<p lang="fi">Reitti on &lt;b&gt;tasainen&lt;/b&gt;.</p>' in html
    assert "The route to the entrance is smooth" not in html
    assert "Suits: rollator or pram." in html
    assert "The owner has not told about: arrival and parking, changing room and shower and hearing." in html
    assert "Sentences from: Palvelukartta." in html
    assert owner.post(path, data={**told, "accessible_route": "no"}).status_code == 303
    html = client.get(f"/en/spaces/{supplier.space.id}").text
    assert "tasainen" not in html
    assert "not shown, since you have told otherwise" in owner.get(path).text
