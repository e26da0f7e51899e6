"""The map's outlines, and the home district on the profile."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.cities.models import City
from spaces.districts.models import HomeDistrict
from spaces.districts.views import home_district_panel
from tests.factories.districts import make_district
from tests.factories.people import actor_of


def test_outlines_come_in_the_readers_language(client: FlaskClient, session, city: City) -> None:
    district = make_district(session, city)
    session.commit()
    answer = client.get("/sv/districts.geojson")
    assert answer.status_code == 200
    assert answer.mimetype == "application/geo+json"
    (feature,) = answer.get_json()["features"]
    assert feature["id"] == district.id
    assert feature["properties"] == {
        "id": district.id, "code": district.code, "name": "Berghäll", "label": [24.953, 60.184],
    }  # fmt: skip
    assert client.get("/en/districts.geojson").get_json()["features"][0]["properties"]["name"] == "Kallio"


def test_unchanged_outlines_are_not_sent_again(client: FlaskClient, session, city: City) -> None:
    make_district(session, city)
    session.commit()
    first = client.get("/fi/districts.geojson")
    assert first.cache_control.max_age == 3600
    assert (
        client.get("/fi/districts.geojson", headers={"If-None-Match": first.headers["ETag"]}).status_code
        == 304
    )


def test_a_person_chooses_and_forgets_the_home_district(
    signed_in_client: FlaskClient, session, city: City, person
) -> None:
    district = make_district(session, city)
    session.commit()
    answer = signed_in_client.post("/fi/profile/home-district", data={"district": str(district.id)})
    assert answer.status_code == 302
    assert session.scalar(select(HomeDistrict.district_id)) == district.id
    signed_in_client.post("/fi/profile/home-district", data={"district": ""})
    session.expire_all()
    assert session.scalar(select(HomeDistrict.district_id)) is None


def test_a_district_of_nowhere_is_refused(signed_in_client: FlaskClient, session, city: City) -> None:
    make_district(session, city)
    session.commit()
    for wrong in ("999999", "kallio", "-1"):
        assert signed_in_client.post("/fi/profile/home-district", data={"district": wrong}).status_code == 422
    assert session.scalar(select(HomeDistrict.district_id)) is None


def test_a_stranger_is_asked_to_sign_in(client: FlaskClient, session, city: City) -> None:
    answer = client.post("/fi/profile/home-district", data={"district": "1"})
    assert answer.status_code == 302
    assert "sign-in" in answer.location


def test_the_panel_shows_the_choice(app: Flask, session, city: City, person) -> None:
    district = make_district(session, city)
    session.add(HomeDistrict(city_id=city.id, person_id=person.id, district_id=district.id))
    session.commit()
    with app.test_request_context("/fi/profile"):
        app.preprocess_request()
        html = home_district_panel(session=session, actor=actor_of(session, person))
    assert f'<option selected value="{district.id}">Kallio</option>' in html
    assert 'action="/fi/profile/home-district"' in html
