"""The owner's desk as people use it: who gets in, what the forms do, what they say when something is wrong."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.models import Mail
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space
from spaces.calendar.models import HOLDER_IDS
from spaces.calendar.queries import booking_rules
from spaces.catalog.desk_queries import covered_units
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue, VenueRole
from tests.factories.listings import Supplier, give, make_supplier
from tests.factories.people import join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space, make_venue

SPACE = {
    "names_fi": "Pieni sali",
    "kind": "meeting_room",
    "approval": "instant",
    "who": "anyone",
    "min_minutes": "60",
    "max_minutes": "240",
    "interval_minutes": "30",
    "buffer_before_minutes": "0",
    "buffer_after_minutes": "0",
    "notice_minutes": "0",
    "horizon_days": "180",
    "cancellation_hours": "24",
}
PLACE = {"venue_names_fi": "Laineen talo", "streets_fi": "Vaasankatu 5", "lat": "60,187", "lon": "24.958"}


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
def owner(browser: Callable[[Person], FlaskClient], supplier: Supplier) -> FlaskClient:
    return browser(supplier.person)


@pytest.fixture
def staff(browser: Callable[[Person], FlaskClient], session: Session, city: City) -> FlaskClient:
    return browser(make_person(session, city, name="Sanna", email="sanna@example.org", is_staff=True))


def test_offer_leads_each_reader_on(
    client: FlaskClient,
    browser: Callable[[Person], FlaskClient],
    owner: FlaskClient,
    session: Session,
    city: City,
) -> None:
    assert "/en/sign-in?next=/en/offer" in client.get("/en/offer").text
    person = make_person(session, city)
    assert "/en/organisations/new" in browser(person).get("/en/offer").text
    assert "/en/desk/spaces/new?organisation=" in owner.get("/en/offer").text
    unverified = make_person(session, city, email_verified_at=None)
    assert "Confirm your e-mail address" in browser(unverified).get("/en/offer").text
    assert 'href="/en/offer"' in client.get("/en/").text


def test_nobody_and_strangers_stay_outside(
    client: FlaskClient,
    browser: Callable[[Person], FlaskClient],
    supplier: Supplier,
    session: Session,
    city: City,
) -> None:
    space, venue = supplier.space.id, supplier.venue.id
    reads = [f"spaces/{space}", f"spaces/{space}/history", f"venues/{venue}", f"spaces/new?venue={venue}"]
    writes = [
        f"spaces/{space}", f"spaces/{space}/state", f"spaces/{space}/schedule", f"spaces/{space}/copies",
        f"venues/{venue}", f"venues/{venue}/units", f"venues/{venue}/units/1", f"venues/{venue}/units/1/removal",
        f"venues/{venue}/roles", f"venues/{venue}/roles/1/withdrawal",
    ]  # fmt: skip
    member = make_person(session, city)
    join(session, member, supplier.organisation, "booker")
    handler = make_person(session, city)
    give(session, supplier.venue, handler, "handler")
    data = {**SPACE, **PLACE, "state": "archived", "email": "a@example.org", "role": "owner", "lanes": "1"}
    for person in (make_person(session, city), member, handler):
        stranger = browser(person)
        assert {path: stranger.get(f"/en/desk/{path}").status_code for path in reads} == dict.fromkeys(
            reads, 404
        )
        answers = {path: stranger.post(f"/en/desk/{path}", data=data).status_code for path in writes}
        assert answers == dict.fromkeys(writes, 404)
        assert stranger.get("/en/desk/approvals").status_code == 403
        assert stranger.post(f"/en/desk/spaces/{space}/approval").status_code == 403
        assert stranger.post(f"/en/desk/spaces/{space}/return").status_code == 403
    for path in reads:
        assert "/sign-in" in client.get(f"/en/desk/{path}").headers["Location"]
    session.refresh(supplier.space)
    assert supplier.space.state == "draft"


def test_a_listing_from_form_to_draft(owner: FlaskClient, supplier: Supplier, session: Session) -> None:
    path = f"/fi/desk/spaces/new?organisation={supplier.organisation.id}"
    token = re.search(r'name="submission"[^>]*value="([^"]+)"', owner.get(path).text)
    assert token
    data = {**PLACE, **SPACE, "purposes": ["party", "meeting"], "submission": token[1], "capacity": "12"}
    answers = [owner.post(path, data=data) for _ in range(2)]
    assert answers[0].status_code == 303
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    space = session.scalars(select(Space).where(Space.names["fi"].astext == "Pieni sali")).one()
    assert (space.state, space.purposes, space.capacity) == ("draft", ["meeting", "party"], 12)
    venue = session.get_one(Venue, (space.city_id, space.venue_id))
    assert (venue.kind, venue.lat, venue.lon) == ("meeting_room", 60.187, 24.958)
    assert owner.get(answers[0].headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"names_fi": ""}, "Write the name of the space"),
        ({"venue_names_fi": ""}, "Write the name of the place"),
        ({"lat": "", "streets_fi": "Olematon 1"}, "Choose the place on the map"),
        ({"lat": "abc"}, "Not a valid"),
        ({"lat": "nan"}, "Write a number."),
        ({"lat": "24.9", "lon": "60.2"}, "far from the city"),
        ({"capacity": "0"}, "Write a whole number from 1"),
        ({"capacity": "99999999999999999999"}, "Write a whole number from 1"),
        ({"min_minutes": "300"}, "The longest booking is shorter"),
        ({"kind": "castle"}, "Not a valid choice"),
        ({"interval_minutes": "7"}, "Not a valid choice"),
        ({"purposes": ["flying"]}, "not a valid"),
        ({"names_fi": "x" * 121}, "At most 120 characters."),
    ],
)
def test_a_wrong_form_says_where(
    owner: FlaskClient, supplier: Supplier, session: Session, changes: dict[str, Any], words: str
) -> None:
    path = f"/en/desk/spaces/new?organisation={supplier.organisation.id}"
    answer = owner.post(path, data={**PLACE, **SPACE, **changes})
    assert answer.status_code == 422
    assert words in answer.text
    assert session.scalar(select(func.count()).select_from(Space)) == 1


def test_unseen_letters_are_left_out(owner: FlaskClient, supplier: Supplier, session: Session) -> None:
    path = f"/en/desk/spaces/new?organisation={supplier.organisation.id}"
    data = {**PLACE, **SPACE, "names_fi": "Pie\x00ni  sali", "descriptions_fi": "a\x00\r\nb"}
    assert owner.post(path, data=data).status_code == 303
    space = session.scalars(select(Space).where(Space.id != supplier.space.id)).one()
    assert (space.names, space.descriptions) == ({"fi": "Pieni sali"}, {"fi": "a\nb"})


def test_facts_are_changed_and_shown_in_the_history(
    owner: FlaskClient, supplier: Supplier, session: Session
) -> None:
    path = f"/en/desk/spaces/{supplier.space.id}"
    units = [str(i) for i in covered_units(session, supplier.venue)[supplier.space.id]]
    data = {**SPACE, "names_en": "Little <b>hall</b>", "capacity": "9", "units": units}
    assert owner.post(path, data=data).status_code == 303
    session.refresh(supplier.space)
    assert supplier.space.capacity == 9
    history = owner.get(f"{path}/history").text
    assert "Little &lt;b&gt;hall&lt;/b&gt;" in history
    assert "Mikko Laine" in history
    assert re.search(r"before: </span>40</del>.*after: </span>9</ins>", history)
    refused = owner.post(path, data={**data, "units": []})
    assert refused.status_code == 422
    assert "A space covers at least one part" in refused.text
    assert owner.post(path, data={**data, "units": ["999999"]}).status_code == 422


def test_a_first_listing_is_answered_by_the_city(
    owner: FlaskClient, staff: FlaskClient, supplier: Supplier, session: Session, run_jobs: Callable[[], int]
) -> None:
    path = f"/en/desk/spaces/{supplier.space.id}"
    assert "Send for approval" in owner.get(path).text
    owner.post(f"{path}/state", data={"state": "published"})
    session.refresh(supplier.space)
    assert supplier.space.state == "draft"
    owner.post(f"{path}/state", data={"state": "submitted"})
    run_jobs()
    assert "Big hall" in staff.get("/en/desk/approvals").text
    assert "1 listing waits" in staff.get("/en/desk").text
    prefix = f"space{supplier.space.id}-"
    assert staff.post(f"{path}/return", data={f"{prefix}reason": ""}).status_code == 422
    assert staff.post(f"{path}/return", data={f"{prefix}reason": "Tell how to get in."}).status_code == 303
    run_jobs()
    assert "Tell how to get in." in owner.get(path).text
    owner.post(f"{path}/state", data={"state": "submitted"})
    assert staff.post(f"{path}/approval").status_code == 303
    assert staff.post(f"{path}/approval").status_code == 303  # the second press tells how it is, no more
    run_jobs()
    session.refresh(supplier.space)
    assert supplier.space.state == "published"
    sent = [
        (mail.to_address, mail.template.rpartition("/")[2])
        for mail in session.scalars(select(Mail).order_by(Mail.id))
    ]
    mine = supplier.person.email
    assert sent == [
        ("sanna@example.org", "submitted"), (mine, "returned"), ("sanna@example.org", "submitted"), (mine, "approved"),
    ]  # fmt: skip


def test_states_that_do_not_exist_are_no_page(owner: FlaskClient, supplier: Supplier) -> None:
    for state in ("", "sold", "published\x00"):
        answer = owner.post(f"/en/desk/spaces/{supplier.space.id}/state", data={"state": state})
        assert answer.status_code == 404


def test_moments_are_read_in_the_citys_zone(
    browser: Callable[[Person], FlaskClient], session: Session, city: City
) -> None:
    division = make_supplier(session, city, kind="city_division")
    client = browser(division.person)
    path = f"/en/desk/spaces/{division.space.id}"
    day = (now() + timedelta(days=10)).date()
    data = {"publish_on": day.isoformat(), "publish_time": "08:00"}
    assert client.post(f"{path}/schedule", data=data).status_code == 303
    session.refresh(division.space)
    assert division.space.publish_at is not None
    assert division.space.publish_at.astimezone(city.zone).hour == 8
    assert "published" in client.get("/en/desk").text
    past = client.post(f"{path}/schedule", data={"hide_on": "2021-01-01"})
    assert past.status_code == 422
    assert "This moment is past." in past.text
    for nonsense in ("9999-12-31", "0001-01-01", "tomorrow"):
        assert client.post(f"{path}/schedule", data={"hide_on": nonsense}).status_code == 422


def test_a_copy_by_one_press_or_two(owner: FlaskClient, supplier: Supplier, session: Session) -> None:
    path = f"/en/desk/spaces/{supplier.space.id}"
    token = re.search(r'copies">.*?name="submission"[^>]*value="([^"]+)"', owner.get(path).text, re.DOTALL)
    assert token
    answers = {
        owner.post(f"{path}/copies", data={"submission": token[1]}).headers["Location"] for _ in range(2)
    }
    assert len(answers) == 1
    assert "Big hall (copy)" in owner.get(answers.pop()).text


def test_the_table_filters_and_changes_many(owner: FlaskClient, supplier: Supplier, session: Session) -> None:
    loft = make_space(session, supplier.venue, state="published", names={"en": "Loft"}, approval="handler")
    attic = make_space(session, supplier.venue, state="archived", names={"en": "Attic"})
    session.commit()
    page = owner.get("/en/desk").text
    assert ("Loft" in page, "Big hall" in page, "Attic" in page) == (True, True, False)
    assert "€20/h" in page
    assert "Attic" in owner.get("/en/desk?state=archived").text
    assert "Big hall" not in owner.get("/en/desk?q=loft").text
    assert "Loft" not in owner.get("/en/desk?approval=instant").text
    assert "No spaces here" in owner.get("/en/desk?q=%25").text
    chosen = [str(loft.id), str(supplier.space.id)]
    data = {
        "space": chosen, "approval": "handler", "notice_minutes": "1440", "buffer_after_minutes": "15",
        "who": "verified", "max_open_per_person": "2",
    }  # fmt: skip
    assert owner.post("/en/desk/changes", data=data).status_code == 303
    both = select(Space).where(Space.id.in_([loft.id, supplier.space.id]))
    session.expire_all()
    changed = session.scalars(both).all()
    assert {(s.approval, s.notice_minutes, s.buffer_after_minutes) for s in changed} == {
        ("handler", 1440, 15)
    }
    assert {(s.who, s.max_open_per_person) for s in changed} == {("verified", 2)}
    more = {"space": chosen, "max_open_per_person": "0", "approval": "trusted"}
    assert (
        owner.post("/en/desk/changes", data=more).status_code == 422
    )  # whom, is chosen on the page of rules
    del more["approval"]
    assert owner.post("/en/desk/changes", data=more).status_code == 303
    session.expire_all()
    assert {(s.who, s.max_open_per_person) for s in session.scalars(both)} == {("verified", None)}
    refused = owner.post("/en/desk/changes", data={"space": [str(attic.id), str(loft.id)], "state": "hidden"})
    assert refused.status_code == 422
    assert "Attic" in refused.text
    session.refresh(loft)
    assert loft.state == "published"
    wrong: list[dict[str, Any]] = [
        {},
        {"space": chosen},
        {"space": chosen, "horizon_days": "-1"},
        {"space": "x", "state": "hidden"},
    ]
    for data in wrong:
        assert owner.post("/en/desk/changes", data=data).status_code == 422


def test_five_hundred_rows_take_no_more_queries_than_one(
    owner: FlaskClient, supplier: Supplier, session: Session, engine: Engine
) -> None:
    queries: list[str] = []

    def count(*args: Any) -> None:
        queries.append(args[2])

    event.listen(engine, "before_cursor_execute", count)
    owner.get("/en/desk")
    few = len(queries)
    for number in range(500):
        make_space(session, supplier.venue, names={"fi": f"Tila {number}"}, hours=None)
    session.commit()
    queries.clear()
    answer = owner.get("/en/desk")
    event.remove(engine, "before_cursor_execute", count)
    assert len(queries) <= few + 1
    assert answer.text.count('name="space"') == 500
    assert "Page 1 of 2" in answer.text


def test_parts_and_people_of_a_place(
    owner: FlaskClient, supplier: Supplier, session: Session, city: City
) -> None:
    path = f"/en/desk/venues/{supplier.venue.id}"
    assert owner.post(f"{path}/units", data={"names_fi": "Puolikas B", "lanes": "2"}).status_code == 303
    unit = session.scalars(select(Unit).where(Unit.names["fi"].astext == "Puolikas B")).one()
    prefix = f"unit{unit.id}-"
    data = {f"{prefix}names_fi": "Puolikas C", f"{prefix}lanes": "3"}
    assert owner.post(f"{path}/units/{unit.id}", data=data).status_code == 303
    session.refresh(unit)
    assert (unit.names, unit.lanes) == ({"fi": "Puolikas C"}, 3)
    for wrong in ("0", "", "many", "10001"):
        answer = owner.post(f"{path}/units/{unit.id}", data={**data, f"{prefix}lanes": wrong})
        assert answer.status_code == 422
        assert "from 1 to 10000" in answer.text
    assert owner.post(f"{path}/units/{unit.id}/removal").status_code == 303
    assert session.scalar(select(Unit.id).where(Unit.id == unit.id)) is None
    make_person(session, city, name="Helmi", email="helmi@example.org")
    session.commit()
    assert owner.post(f"{path}/roles", data={"email": "x@example.org", "role": "crew"}).status_code == 422
    assert owner.post(f"{path}/roles", data={"email": "helmi@example.org", "role": "crew"}).status_code == 303
    role = session.scalars(select(VenueRole)).one()
    assert "Helmi" in owner.get(path).text
    for _ in range(2):
        assert owner.post(f"{path}/roles/{role.id}/withdrawal").status_code == 303
    assert session.scalars(select(VenueRole)).all() == []


def test_a_part_in_use_is_refused_with_the_list(
    owner: FlaskClient, supplier: Supplier, session: Session, city: City
) -> None:
    path = f"/en/desk/venues/{supplier.venue.id}"
    start = now() + timedelta(days=7)
    session.add(
        SpaceUnit(
            city_id=city.id,
            space_id=make_space(session, supplier.venue).id,
            unit_id=(unit_id := min(covered_units(session, supplier.venue)[supplier.space.id])),
        )
    )
    claim_space(
        session,
        city,
        supplier.space.id,
        holder_id=session.scalar(HOLDER_IDS.next_value()) or 0,
        body=Span(start, start + timedelta(hours=1)),
        rules=booking_rules(supplier.space),
    )
    session.commit()
    refused = owner.post(f"{path}/units/{unit_id}/removal")
    assert refused.status_code == 409
    assert "These bookings stand in the way" in refused.text
    assert str(start.astimezone(city.zone).year) in refused.text
    foreign = make_venue(session, city)
    session.commit()
    assert owner.post(f"/en/desk/venues/{foreign.id}/units/{unit_id}/removal").status_code == 404


def test_the_place_moves_with_its_point(owner: FlaskClient, supplier: Supplier, session: Session) -> None:
    path = f"/en/desk/venues/{supplier.venue.id}"
    supplier.venue.accessibility = ["lift"]
    session.commit()
    assert owner.post(path, data=PLACE).status_code == 303
    session.refresh(supplier.venue)
    assert (supplier.venue.lat, supplier.venue.accessibility) == (60.187, ["lift"])
    assert owner.post(path, data={**PLACE, "lat": "0", "lon": "0"}).status_code == 422
    assert "Facts of the place were changed" in owner.get(f"/en/desk/spaces/{supplier.space.id}/history").text


def test_a_manager_of_two_organisations_says_which(
    browser: Callable[[Person], FlaskClient], session: Session, city: City
) -> None:
    person = make_person(session, city)
    ids = []
    for name in ("Yksi Oy", "Kaksi Oy"):
        organisation = make_organisation(session, city, name=name, kind="company")
        join(session, person, organisation, "manager")
        ids.append(organisation.id)
    client = browser(person)
    assert client.get("/en/desk/spaces/new").headers["Location"] == "/en/offer"
    assert "Kaksi Oy" in client.get(f"/en/desk/spaces/new?organisation={ids[1]}").text
    assert client.get("/en/desk/spaces/new?organisation=999999").headers["Location"] == "/en/offer"
    assert client.get("/en/desk").status_code == 200
