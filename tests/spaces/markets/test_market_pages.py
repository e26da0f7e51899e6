"""The market desk and the public plan, as pages: who opens them, what they say, and what they refuse."""

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from shapely.geometry import mapping
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.geo import shapes_to_wgs84
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space
from spaces.calendar.queries import booking_rules
from spaces.calendar.rules import midnight
from spaces.catalog.models import Venue
from spaces.markets.models import Stall, StallClass
from spaces.markets.queries import square_of
from spaces.markets.rules import rectangle
from tests.factories.cities import make_city
from tests.factories.listings import give
from tests.factories.markets import Square, make_square
from tests.factories.people import join, make_organisation, make_person, sign_in

POSTS = ("square", "stalls", "stalls/changes", "publication", "classes", "season", "grid-preview")


@pytest.fixture
def square(session: Session, city: City) -> Square:
    square = make_square(session, city)
    session.commit()
    return square


@pytest.fixture
def browse(app: Flask, session: Session) -> Any:
    """A browser signed in as this person."""

    def start(person: Person) -> FlaskClient:
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        return client

    return start


@pytest.fixture
def manager(browse: Any, square: Square) -> FlaskClient:
    found: FlaskClient = browse(square.person)
    return found


def desk(square: Square, rest: str = "") -> str:
    return f"/en/desk/venues/{square.venue.id}/market{rest}"


def plan(square: Square, **args: object) -> str:
    query = "&".join(f"{name}={value}" for name, value in args.items())
    return f"/en/markets/{square.venue.id}?{query}"


def grid_form(square: Square, **changes: object) -> dict[str, object]:
    x, y = square.middle
    (corner,) = shapes_to_wgs84([rectangle((x, y), width=30, length=20, angle=0)], crs=3879)
    lon, lat = corner.exterior.coords[0]
    values = {
        "rows": 2, "columns": 3, "width_m": "3", "depth_m": "3", "gap_m": "0,5", "aisle_m": 3, "angle": 0,
        "corner_lat": f"{lat:.7f}", "corner_lon": f"{lon:.7f}", "number_prefix": "a", "first_number": 1,
        "submission": "grid-1", **changes,
    }  # fmt: skip
    return {(name if name == "do" else f"grid-{name}"): value for name, value in values.items()}


def ready_market(square: Square, session: Session, *, stalls: int = 3) -> list[Any]:
    class_ = square.add_class("S", 3800)
    placed = square.add(square.grid(rows=1, columns=stalls), class_=class_, equipment=("electricity",))
    square.open()
    square.publish()
    session.commit()
    return placed


def first_saturday(square: Square) -> Any:
    return square.season().market_days()[0]


# Who may.


def test_nobody_is_sent_to_sign_in(client: FlaskClient, square: Square) -> None:
    assert client.get(desk(square)).status_code in {302, 303, 401}
    assert client.get("/en/desk/markets").status_code in {302, 303, 401}


@pytest.mark.parametrize("role", [None, "member", "viewer", "handler", "crew"])
def test_others_do_not_learn_that_the_place_is_there(
    session: Session, square: Square, browse: Any, role: str | None
) -> None:
    person = make_person(session, square.city)
    if role == "member":
        join(session, person, square.organisation, "member")
    elif role:
        give(session, square.venue, person, role)
    (placed,) = square.add(square.grid(rows=1, columns=1))
    class_ = square.add_class()
    session.commit()
    client = browse(person)
    answers = [client.get(desk(square)), client.get(desk(square, f"/stalls/{placed.id}"))]
    answers += [client.post(desk(square, f"/{path}"), data={"stall": placed.id}) for path in POSTS]
    answers += [
        client.post(desk(square, f"/stalls/{placed.id}"), data={"stall-number": "Z"}),
        client.post(desk(square, f"/classes/{class_.id}")),
        client.post(desk(square, f"/classes/{class_.id}/removal")),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert session.scalars(select(Stall.number)).all() == ["A1"]


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_those_who_run_the_place_open_its_market(
    session: Session, square: Square, browse: Any, role: str
) -> None:
    person = make_person(session, square.city)
    give(session, square.venue, person, role)
    assert browse(person).get(desk(square)).status_code == 200


def test_staff_opens_every_market_and_that_of_another_city_none(
    session: Session, square: Square, browse: Any
) -> None:
    assert browse(make_person(session, square.city, is_staff=True)).get(desk(square)).status_code == 200
    other = make_city(session, slug="tampere", host="tampere.example.org")
    away = make_square(session, other)
    session.commit()
    client = browse(make_person(session, square.city, is_staff=True))
    assert client.get(desk(away)).status_code == 404
    assert client.get(plan(away)).status_code == 404


def test_a_stall_or_class_of_another_square_is_not_found(
    session: Session, square: Square, manager: FlaskClient
) -> None:
    other = make_square(session, square.city)
    (placed,) = other.add(other.grid(rows=1, columns=1))
    class_ = other.add_class()
    session.commit()
    assert manager.get(desk(square, f"/stalls/{placed.id}")).status_code == 404
    assert manager.post(desk(square, f"/classes/{class_.id}")).status_code == 404
    changes = {"stall": placed.id, "do": "remove"}
    assert manager.post(desk(square, "/stalls/changes"), data=changes).status_code == 404


# From an empty desk to a market.


def test_a_market_is_made_from_an_empty_desk(session: Session, city: City, browse: Any) -> None:
    person = make_person(session, city)
    organisation = make_organisation(session, city, name="Torit", kind="city_division")
    join(session, person, organisation, "manager")
    client = browse(person)
    assert "/en/desk/markets" in client.get("/en/offer").text
    page = client.get("/en/desk/markets").text
    assert f"/en/desk/markets/new?organisation={organisation.id}" in page
    assert client.get(f"/en/desk/markets/new?organisation={organisation.id}").status_code == 200
    facts = {
        "new-venue_names_fi": "Kevättori",
        "new-streets_fi": "Vaasankatu 5",
        "new-lat": "60,184",
        "new-lon": "24.953",
        "new-square_width": "60",
        "new-square_length": "40",
        "new-square_angle": "20",
        "new-submission": "market-1",
    }
    answer = client.post(f"/en/desk/markets/new?organisation={organisation.id}", data=facts)
    assert answer.status_code == 303
    venue = session.scalars(select(Venue)).one()
    assert answer.headers["Location"].endswith(f"/en/desk/venues/{venue.id}/market")
    assert square_of(venue) is not None
    again = client.post(f"/en/desk/markets/new?organisation={organisation.id}", data=facts)
    assert again.headers["Location"] == answer.headers["Location"]
    assert "Kevättori" in client.get("/en/desk/markets").text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"new-venue_names_fi": ""}, "Write the name of the place"),
        ({"new-lat": "", "new-lon": "", "new-streets_fi": "Ei tiedossa 1"}, "Choose the place on the map"),
        ({"new-lat": "24.9", "new-lon": "60.2"}, "far from the city"),
        ({"new-square_length": ""}, "Give both sides of the square"),
        ({"new-square_width": "nan"}, "Write a number"),
    ],
)
def test_a_market_that_cannot_be_made_says_why(
    session: Session, square: Square, manager: FlaskClient, changes: dict[str, str], told: str
) -> None:
    facts = {
        "new-venue_names_fi": "Tori", "new-streets_fi": "Vaasankatu 5", "new-lat": "60.184", "new-lon": "24.953",
        "new-square_width": "60", "new-square_length": "40", "new-square_angle": "0", **changes,
    }  # fmt: skip
    answer = manager.post("/en/desk/markets/new", data=facts)
    assert answer.status_code == 422
    assert told in answer.text
    assert len(session.scalars(select(Venue)).all()) == 1


def outline_of(square: Square, width: float = 50) -> str:
    (told,) = shapes_to_wgs84([rectangle(square.middle, width=width, length=35, angle=10)], crs=3879)
    return json.dumps(mapping(told))


def test_the_square_is_drawn_in_each_way(session: Session, square: Square, manager: FlaskClient) -> None:
    pasted = {"square-how": "outline", "square-outline": outline_of(square)}
    assert manager.post(desk(square, "/square"), data=pasted).status_code == 303
    numbers = {
        "square-how": "rectangle", "square-square_lat": "60.184", "square-square_lon": "24.953",
        "square-square_width": "70", "square-square_length": "45", "square-square_angle": "5",
    }  # fmt: skip
    assert manager.post(desk(square, "/square"), data=numbers).status_code == 303
    file = {
        "square-how": "file",
        "square-outline_file": (io.BytesIO(outline_of(square, 55).encode()), "square.geojson"),
    }
    answer = manager.post(desk(square, "/square"), data=file, content_type="multipart/form-data")
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"square-how": "outline", "square-outline": "no json"}, "no GeoJSON with one polygon"),
        ({"square-how": "outline", "square-outline": ""}, "Draw the outline on the map"),
        ({"square-how": "rectangle", "square-square_lat": "60.184"}, "Write a number."),
        ({"square-how": "file"}, "Draw the outline on the map"),
        ({"square-how": "file", "square-outline_file": (io.BytesIO(b"\xff\x00 PK"), "x.zip")}, "no GeoJSON"),
        (
            {
                "square-how": "outline",
                "square-outline": '{"type":"Polygon","coordinates":[[[2,48],[2.001,48],[2.001,48.001],[2,48]]]}',
            },
            "far from the city",
        ),
    ],
)
def test_an_outline_that_cannot_be_used_says_why(
    session: Session, square: Square, manager: FlaskClient, data: dict[str, object], told: str
) -> None:
    before = square.venue.area
    answer = manager.post(desk(square, "/square"), data=dict(data), content_type="multipart/form-data")
    assert answer.status_code == 422
    assert told in answer.text
    session.refresh(square.venue)
    assert square.venue.area == before


def test_the_grid_is_previewed_in_words_and_as_shapes(
    session: Session, square: Square, manager: FlaskClient
) -> None:
    told = manager.post(desk(square, "/grid-preview"), data=grid_form(square)).get_json()
    assert told["ok"]
    assert told["text"] == "6 stalls of 3 × 3 m, all inside the square."
    assert [one["number"] for one in told["stalls"]] == ["A1", "A2", "A3", "A4", "A5", "A6"]
    assert {one["geometry"]["type"] for one in told["stalls"]} == {"Polygon"}
    wide = manager.post(desk(square, "/grid-preview"), data=grid_form(square, columns=15)).get_json()
    assert not wide["ok"]
    assert "outside the square" in wide["problems"][0]
    assert any(one["wrong"] for one in wide["stalls"])
    odd = manager.post(desk(square, "/grid-preview"), data=grid_form(square, width_m="x", rows="")).get_json()
    assert not odd["ok"]
    assert odd["stalls"] == []
    assert session.scalars(select(Stall)).all() == []


def test_without_script_the_grid_is_looked_at_first(
    session: Session, square: Square, manager: FlaskClient
) -> None:
    answer = manager.post(desk(square, "/stalls"), data=grid_form(square, do="look"))
    assert "6 stalls of 3 × 3 m, all inside the square." in answer.text
    assert session.scalars(select(Stall)).all() == []


def test_a_grid_is_put_on_the_plan(session: Session, square: Square, manager: FlaskClient) -> None:
    answer = manager.post(desk(square, "/stalls"), data=grid_form(square, by_row="y", electricity="y"))
    assert answer.status_code == 303
    page = manager.get(desk(square)).text
    assert "6 stalls were put on the plan" in page
    assert sorted(session.scalars(select(Stall.number))) == ["A1", "A2", "A3", "B1", "B2", "B3"]
    assert len(re.findall(r'class="st__f"', page)) == 6


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"columns": 15}, "outside the square: A"),
        ({"rows": 0}, "whole number from 1 to 100"),
        ({"rows": 100, "columns": 200}, "at most 1,000 stalls"),
        ({"gap_m": -1}, "number from 0 to 50"),
        ({"width_m": "1e309"}, "Write a number"),
        ({"corner_lat": ""}, "Write a number from -90 to 90"),
        ({"number_prefix": "<b>"}, "at most eight letters and digits"),
        ({"by_row": "y", "number_prefix": "Z"}, "For a letter of its own for each row"),
        ({"class_id": "999999"}, "Not a valid choice"),
    ],
)
def test_a_grid_that_cannot_be_says_why_and_nothing_is_saved(
    session: Session, square: Square, manager: FlaskClient, changes: dict[str, object], told: str
) -> None:
    answer = manager.post(desk(square, "/stalls"), data=grid_form(square, **changes))
    assert answer.status_code == 422
    assert told in answer.text
    assert session.scalars(select(Stall)).all() == []


CLASS = {
    "new-class-code": "A",
    "new-class-class_names_en": "edge",
    "new-class-amount": "38,50",
    "new-class-per": "day",
    "new-class-vat_code": "standard",
}


def test_a_price_class_is_added_changed_and_removed(
    session: Session, square: Square, manager: FlaskClient
) -> None:
    assert manager.post(desk(square, "/classes"), data=CLASS).status_code == 303
    class_ = session.scalars(select(StallClass)).one()
    page = manager.get(desk(square)).text
    assert "€38.50/day" in page
    later = square.today + timedelta(days=30)
    change = {
        f"class{class_.id}-{name}": value
        for name, value in {
            "class_names_en": "edge", "amount": "42", "per": "day", "vat_code": "standard",
            "valid_from": later.isoformat(), "group_association": "20",
        }.items()
    }  # fmt: skip
    assert manager.post(desk(square, f"/classes/{class_.id}"), data=change).status_code == 303
    page = manager.get(desk(square)).text
    assert "€42/day; Associations €20" in page
    assert manager.post(desk(square, f"/classes/{class_.id}/removal")).status_code == 303
    assert session.scalars(select(StallClass.id)).all() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"amount": ""}, "Write an amount such as 12 or 13,50."),
        ({"amount": "many"}, "Write an amount such as 12 or 13,50."),
        ({"group_youth": "-1"}, "Write an amount such as 12 or 13,50."),
        ({"valid_from": "2020-01-01"}, "A new list begins today at the earliest."),
        ({"per": "slot"}, "Give the length of a slot"),
        ({"per": "m2_day"}, "Not a valid choice"),
        ({"code": "AA"}, "Not a valid choice"),
    ],
)
def test_a_class_that_cannot_be_says_why(
    session: Session, square: Square, manager: FlaskClient, changes: dict[str, str], told: str
) -> None:
    data = {**CLASS, **{f"new-class-{name}": value for name, value in changes.items()}}
    answer = manager.post(desk(square, "/classes"), data=data)
    assert answer.status_code == 422
    assert told in answer.text
    assert session.scalars(select(StallClass.id)).all() == []


def season_form(square: Square, **changes: object) -> dict[str, object]:
    values = {
        "first_day": square.today + timedelta(days=1), "last_day": square.today + timedelta(days=60),
        "days": [6], "opens": "08:00", "closes": "16:00", "sold": "day", "horizon_days": 365, **changes,
    }  # fmt: skip
    return {f"season-{name}": value for name, value in values.items()}


def test_a_season_is_set_for_all_or_for_some(session: Session, square: Square, manager: FlaskClient) -> None:
    square.add()
    session.commit()
    assert manager.post(desk(square, "/season"), data=season_form(square)).status_code == 303
    page = manager.get(desk(square)).text
    assert "10 stalls have" in page
    assert "A1–A10" in page
    some = season_form(square, days=[3], numbers="A1-A3, A5", replaces="y")
    assert manager.post(desk(square, "/season"), data=some).status_code == 303
    page = manager.get(desk(square)).text
    assert "A1–A3, A5" in page
    assert "A4, A6–A10" in page


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"days": []}, "Choose the weekdays"),
        ({"first_day": ""}, "Write the first day"),
        ({"opens": "x"}, "Not a valid time"),
        ({"numbers": "A1, X9"}, "There is no stall with this number: X9."),
        ({"closes": "08:30"}, "at least an hour after it opens"),
        ({"horizon_days": 0}, "whole number from 1"),
        ({"sold": "x"}, "Not a valid choice"),
        ({"days": [9]}, "not a valid choice"),
    ],
)
def test_a_season_that_cannot_be_says_why(
    session: Session, square: Square, manager: FlaskClient, changes: dict[str, object], told: str
) -> None:
    square.add()
    session.commit()
    answer = manager.post(desk(square, "/season"), data=season_form(square, **changes))
    assert answer.status_code == 422
    assert told.lower() in answer.text.lower()


def test_chosen_stalls_change_together(session: Session, square: Square, manager: FlaskClient) -> None:
    placed = square.add()
    class_ = square.add_class("S")
    session.commit()
    data: dict[str, object] = {
        "stall": [one.id for one in placed[:4]],
        "many-class_id": class_.id,
        "many-electricity": "yes",
        "do": "change",
    }
    assert manager.post(desk(square, "/stalls/changes"), data=data).status_code == 303
    assert "4 stalls were changed" in manager.get(desk(square)).text
    nothing = manager.post(desk(square, "/stalls/changes"), data={"do": "change"})
    assert "Choose first the stalls" in nothing.text
    empty = manager.post(desk(square, "/stalls/changes"), data={"stall": placed[0].id, "do": "change"})
    assert "Choose first what to change" in empty.text
    odd = manager.post(desk(square, "/stalls/changes"), data={"stall": "9" * 30, "do": "remove"})
    assert "Choose first the stalls" in odd.text
    data = {"stall": [one.id for one in placed[:4]], "do": "publish"}
    refused = manager.post(desk(square, "/stalls/changes"), data=data)
    assert refused.status_code == 409
    assert "A1–A4: nobody could book these yet" in refused.text
    data["do"] = "remove"
    assert manager.post(desk(square, "/stalls/changes"), data=data).status_code == 303
    assert len(session.scalars(select(Stall.space_id)).all()) == 6


def test_a_market_is_published_from_the_page(session: Session, square: Square, manager: FlaskClient) -> None:
    square.add(class_=square.add_class())
    session.commit()
    refused = manager.post(desk(square, "/publication"))
    assert refused.status_code == 409
    assert "nobody could book these yet" in refused.text
    square.open()
    session.commit()
    assert manager.post(desk(square, "/publication")).status_code == 303
    assert "10 stalls are on the list now" in manager.get(desk(square)).text


def test_one_stall_is_changed_on_its_page(session: Session, square: Square, manager: FlaskClient) -> None:
    placed = square.add()
    session.commit()
    path = desk(square, f"/stalls/{placed[0].id}")
    page = manager.get(path)
    assert page.status_code == 200
    data = {"stall-number": "k1", "stall-water": "y", "stall-move_south": "-5", "stall-turn": "10"}
    assert manager.post(path, data=data).status_code == 303
    session.expire_all()
    assert "K1" in [one.number for one in square.stalls()]
    clash = manager.post(path, data={"stall-number": "A2"})
    assert clash.status_code == 422
    assert "There is a stall with this number already: A2." in clash.text
    away = manager.post(path, data={"stall-number": "K1", "stall-move_east": "300"})
    assert "Stall K1 is outside the square." in away.text
    broken = manager.post(path, data={"stall-number": "K1", "stall-outline": "{"})
    assert broken.status_code == 422
    assert "no GeoJSON" in broken.text


# The public plan.


def test_a_square_without_published_stalls_is_not_there_for_others(
    session: Session, square: Square, client: FlaskClient, manager: FlaskClient
) -> None:
    square.add(class_=square.add_class())
    session.commit()
    assert client.get(plan(square)).status_code == 404
    assert client.get("/en/markets/999999").status_code == 404
    assert "Only you who run this place see this page" in manager.get(plan(square)).text


def test_the_plan_shows_the_next_market_day_with_free_and_taken_stalls(
    session: Session, square: Square, client: FlaskClient
) -> None:
    placed = ready_market(square, session)
    day = first_saturday(square)
    start = midnight(day, square.city.zone) + timedelta(hours=8)
    claim_space(
        session, square.city, placed[1].id,
        holder_id=5, body=Span(start, start + timedelta(hours=8)), rules=booking_rules(placed[1].space),
    )  # fmt: skip
    session.commit()
    page = client.get(plan(square)).text
    assert page.count('type="radio" name="stall"') == 3
    assert re.search(rf'value="{placed[0].id}"><label', page)
    assert re.search(rf'value="{placed[1].id}" disabled', page)
    assert "A1<span" in page
    assert ", free, 3 × 3 m, electricity, class S, Class S, €38" in page
    assert ", taken, 3 × 3 m" in page
    assert "2 free" in page


def test_a_chosen_stall_has_its_price_and_the_way_to_the_checkout(
    session: Session, square: Square, client: FlaskClient
) -> None:
    placed = ready_market(square, session)
    day = first_saturday(square)
    page = client.get(plan(square, day=day, stall=placed[0].id)).text
    assert re.search(rf'value="{placed[0].id}" checked', page)
    assert "Book €38" in page
    link = re.search(rf'href="(/en/spaces/{placed[0].id}/booking\?[^"]+)"', page)
    assert link is not None
    assert f"start={day.isoformat()}" in link[1].replace("%3A", ":")


def test_a_taken_stall_cannot_be_chosen_by_its_address(
    session: Session, square: Square, client: FlaskClient
) -> None:
    placed = ready_market(square, session)
    day = first_saturday(square)
    start = midnight(day, square.city.zone) + timedelta(hours=8)
    claim_space(
        session, square.city, placed[0].id,
        holder_id=5, body=Span(start, start + timedelta(hours=8)), rules=booking_rules(placed[0].space),
    )  # fmt: skip
    session.commit()
    page = client.get(plan(square, day=day, stall=placed[0].id)).text
    assert "Stall A1 is not free on this day." in page
    assert "/booking?" not in page


def test_a_day_without_a_market_leads_to_the_next_one(
    session: Session, square: Square, client: FlaskClient
) -> None:
    ready_market(square, session)
    day = first_saturday(square)
    page = client.get(plan(square, day=day + timedelta(days=1))).text
    assert "There is no market on" in page
    assert 'aria-current="date"' in page


@pytest.mark.parametrize("day", ["2026-02-30", "x", "9999-12-31", "0001-01-01", "٣", ""])
@pytest.mark.parametrize("stall", ["x", "-1", "9" * 40, "0"])
def test_whatever_stands_in_the_address_is_a_page(
    session: Session, square: Square, client: FlaskClient, day: str, stall: str
) -> None:
    ready_market(square, session, stalls=1)
    assert client.get(plan(square, day=day, stall=stall)).status_code == 200


def test_stalls_by_the_hour_lead_to_their_times(
    session: Session, square: Square, client: FlaskClient
) -> None:
    class_ = square.add_class("H", 500, per="hour")
    (placed,) = square.add(square.grid(rows=1, columns=1), class_=class_)
    square.open(by_the_hour=True)
    square.publish()
    session.commit()
    page = client.get(plan(square, day=first_saturday(square), stall=placed.id)).text
    assert "€5/h" in page
    assert f"/en/spaces/{placed.id}?day=" in page


def test_stalls_lead_to_their_plan_from_their_page_and_from_the_search(
    session: Session, square: Square, client: FlaskClient
) -> None:
    (placed,) = ready_market(square, session, stalls=1)
    address = f"/en/markets/{square.venue.id}?"
    assert address in client.get(f"/en/spaces/{placed.id}").text
    assert address in client.get("/en/spaces?kind=market_stall").text


def test_more_stalls_take_no_more_statements(
    session: Session, square: Square, client: FlaskClient, connection: Any
) -> None:
    from tests.architecture.test_query_counts import counted  # noqa: PLC0415 - a test module, not a helper

    class_ = square.add_class("S", 3800)
    square.add(square.grid(rows=1, columns=2), class_=class_)
    square.open()
    square.publish()
    session.commit()
    client.get(plan(square))
    with counted(connection) as few:
        client.get(plan(square))
    x, y = square.middle
    square.add(square.grid(rows=2, columns=12, gap_m=0.2, corner=(x - 22, y)), prefix="B", class_=class_)
    square.publish()
    session.commit()
    with counted(connection) as many:
        assert client.get(plan(square)).status_code == 200
    assert len(many) == len(few)
    assert len(many) <= 20
