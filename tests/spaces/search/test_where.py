"""Where: several districts, a drawn area, near me, and all matches for the map."""

import json
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.catalog.models import Space
from spaces.search import dots
from tests.factories.districts import make_district
from tests.factories.spaces import make_space, make_venue
from tests.spaces.search.test_views_results import coming, page, ready, rows

# Around Kallio (24.953, 60.184), and a place some seven kilometres east of it.
KALLIO_AREA = "60.17900,24.94300;60.17900,24.96300;60.18900,24.96300;60.18900,24.94300"
EAST = (25.08, 60.21)


@pytest.fixture
def west(session: Session, city: City) -> Space:
    space = make_space(session, make_venue(session, city), purposes=["meeting"])
    ready(session, city, space)
    return space


@pytest.fixture
def east(session: Session, city: City, west: Space) -> Space:
    venue = make_venue(session, city, at=EAST, names={"fi": "Idän talo"})
    space = make_space(session, venue, purposes=["meeting"], names={"fi": "Idän sali"})
    ready(session, city, space)
    return space


def test_a_drawn_area_holds_what_lies_in_it_and_can_be_taken_off(client: FlaskClient, east: Space) -> None:
    assert len(rows(page(client))) == 2
    html = page(client, area=KALLIO_AREA)
    assert len(rows(html)) == 1
    assert "Kallio house" in rows(html)[0]
    assert (
        '<a class="hds-tag hds-tag--action" href="/en/spaces" data-results-link><span>The drawn area' in html
    )
    assert f'name="area" value="{KALLIO_AREA}"' in html


@pytest.mark.parametrize(
    ("area", "message"),
    [
        ("x", "could not be read"),
        ("60.18,24.94;60.18,24.96", "needs at least three corners"),
        ("60.18,24.94;60.19,24.96;60.18,24.96;60.19,24.94", "crosses itself"),
        ("40.18,24.94;40.18,24.96;40.19,24.96", "is not in this city"),
        ("-90,-180;-90,180;90,180;90,-180", "is not in this city"),
        (";".join(["60.18,24.94"] * 200), "at most 60 corners"),
    ],
)
def test_a_wrong_area_is_told_and_the_city_is_searched(
    client: FlaskClient, east: Space, area: str, message: str
) -> None:
    html = page(client, area=area)
    assert message in html
    assert len(rows(html)) == 2


def test_any_of_several_districts_will_do(
    client: FlaskClient, session: Session, city: City, west: Space
) -> None:
    near = make_district(session, city, names={"fi": "Kallio"})
    other = make_district(session, city, names={"fi": "Itä"}, at=EAST)
    far = make_space(session, make_venue(session, city, at=EAST))
    ready(session, city, far)
    assert len(rows(page(client, "fi", district=near.id))) == 1
    both = page(client, "fi", district=[near.id, other.id])
    assert len(rows(both)) == 2
    # Each is a tag of its own; without one the other stays.
    assert f'href="/fi/spaces?district={other.id}" data-results-link><span>Kallio' in both
    assert f'href="/fi/spaces?district={near.id}" data-results-link><span>Itä' in both
    # The other district can still be ticked, with the number that it would bring.
    assert f'value="{other.id}" form="ask">' in page(client, "fi", district=near.id).replace("checked ", "")


def test_an_unknown_district_beside_a_known_one_is_told(
    client: FlaskClient, session: Session, city: City, west: Space
) -> None:
    near = make_district(session, city, names={"fi": "Kallio"})
    ready(session, city)
    html = page(client, district=[str(near.id), "99999999"])
    assert "The district in the address is not known here, and was left out." in html
    assert len(rows(html)) == 1


@pytest.mark.parametrize(
    ("language", "me", "away"),
    [("en", "Near me", "away"), ("fi", "lähellä minua", ""), ("sv", "nära mig", "")],
)
def test_near_me_is_a_point_that_the_field_keeps(
    client: FlaskClient, west: Space, language: str, me: str, away: str
) -> None:
    where = f"{me} 60.185, 24.953"
    html = page(client, language, where=where)
    assert 'aria-invalid="true"' not in html
    assert f'name="where" value="{where}"' in html
    assert away in rows(html)[0]


def test_near_me_without_a_place_offers_the_button(client: FlaskClient, west: Space) -> None:
    html = page(client, q="meeting near me")
    assert 'data-near="w"><span' in html
    assert "write a street address or a district" in html
    assert "ask-errors__near" in client.get("/en/?q=meeting+near+me").text


def test_a_far_point_is_not_in_the_city(client: FlaskClient, west: Space) -> None:
    assert "We did not find" in page(client, where="Near me 10.0, 10.0")


def positions(data: dict[str, object]) -> list[tuple[int, float, float]]:
    found, number = [], 0
    for more, lat, lon in zip(data["ids"], data["lat"], data["lon"], strict=True):  # type: ignore[call-overload]
        number += more
        found.append(
            (number, round(data["south"] + lat / dots.STEPS, 5), round(data["west"] + lon / dots.STEPS, 5))
        )
    return found


def test_the_map_has_all_matches_of_the_same_question(
    client: FlaskClient, city: City, west: Space, east: Space
) -> None:
    data = json.loads(client.get("/en/spaces/map").text)
    assert data["total"] == 2
    assert positions(data) == [(west.id, 60.184, 24.953), (east.id, 60.21, 25.08)]
    assert data["free"] == ""
    day = coming(city, 2).isoformat()
    timed = json.loads(client.get("/en/spaces/map", query_string={"when": f"{day} 17-19"}).text)
    assert timed["free"] == "11"
    night = json.loads(client.get("/en/spaces/map", query_string={"when": f"{day} 23-24"}).text)
    assert night["free"] == "00"
    assert json.loads(client.get("/en/spaces/map", query_string={"area": KALLIO_AREA}).text)["total"] == 1
    assert json.loads(client.get("/en/spaces/map", query_string={"where": "Kallio"}).text)["total"] == 2
    assert json.loads(client.get("/en/spaces/map", query_string={"q": "kauppakeskus"}).text)["ids"] == []


def test_the_page_names_the_map_of_its_own_question(client: FlaskClient, west: Space) -> None:
    html = page(client, people="20", sort="cheapest", area=KALLIO_AREA)
    assert unescape('data-url="/en/spaces/map?people=20&area=') in html


def test_the_map_is_asked_anew_each_time_and_sent_once(
    client: FlaskClient, session: Session, city: City, west: Space
) -> None:
    first = client.get("/en/spaces/map")
    assert first.headers["Cache-Control"] == "no-cache"
    tag = first.headers["ETag"]
    assert client.get("/en/spaces/map", headers={"If-None-Match": tag}).status_code == 304
    ready(session, city, make_space(session, make_venue(session, city)))
    again = client.get("/en/spaces/map", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert json.loads(again.text)["total"] == 2


def test_the_map_is_bounded(
    client: FlaskClient, session: Session, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dots, "MOST_DOTS", 3)
    venue = make_venue(session, city)
    ready(session, city, *(make_space(session, venue) for _ in range(5)))
    data = json.loads(client.get("/en/spaces/map").text)
    assert data["total"] == 5
    assert len(data["ids"]) == 3


def test_drafts_are_not_on_the_map(client: FlaskClient, session: Session, city: City) -> None:
    ready(session, city, make_space(session, make_venue(session, city), state="draft"))
    assert json.loads(client.get("/en/spaces/map").text)["ids"] == []
