"""A small city for the API: three spaces with different facts."""

from dataclasses import dataclass
from datetime import date, time, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, Venue
from spaces.districts.models import District
from tests.factories.people import make_organisation
from tests.factories.spaces import make_space, make_venue

TOOLO = (24.9200, 60.1800)


@dataclass
class Town:
    """A free hall in Kallio, a room in Töölö with a handler, a lawn sold by the day in Kallio."""

    city: City
    hall: Space
    room: Space
    lawn: Space
    kallio: Venue
    district: District

    @property
    def day(self) -> date:
        """A day well within every horizon."""
        return now().astimezone(self.city.zone).date() + timedelta(days=10)


@pytest.fixture
def town(session: Session, city: City) -> Town:
    district = District(
        city_id=city.id,
        kind="district",
        code="011",
        names={"fi": "Kallio", "sv": "Berghäll"},
        geometry=b"",
        outline={"type": "Polygon", "coordinates": []},
        lon=24.95,
        lat=60.184,
        source="test",
    )
    session.add(district)
    session.flush()
    owner = make_organisation(session, city, name="Culture and Leisure", kind="city_division")
    kallio = make_venue(
        session, city, owner=owner, district_id=district.id, accessibility=["step_free_entrance", "lift"]
    )
    toolo = make_venue(session, city, owner=owner, at=TOOLO, names={"fi": "Töölön talo"})
    hall = make_space(
        session,
        kallio,
        kind="sports_hall",
        names={"fi": "Liikuntasali", "en": "Gym"},
        purposes=["ball_games", "dance"],
        equipment=["goals", "showers"],
        capacity=120,
        price=("free", 0),
    )
    room = make_space(
        session,
        toolo,
        purposes=["meeting"],
        equipment=["projector"],
        capacity=12,
        approval="handler",
        hours=(time(8), time(16)),
        price=("hour", 3000),
    )
    lawn = make_space(
        session,
        kallio,
        kind="park",
        purposes=["outdoor_event"],
        capacity=None,
        whole_days=True,
        max_minutes=4320,
        price=("day", 12400),
    )
    compile_spaces(session, city, [hall.id, room.id, lawn.id])
    session.commit()
    return Town(city, hall, room, lawn, kallio, district)


@pytest.fixture
def ask(client: FlaskClient, town: Town):
    """Ask the API and expect 200; returns the JSON."""

    def ask(path: str, **query: object):
        answer = client.get(f"/api/v1{path}", query_string=query)
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "application/json"
        return answer.json

    return ask


@pytest.fixture
def refused(client: FlaskClient, town: Town):
    """Ask the API and expect a 422; returns {parameter: code}."""

    def refused(path: str, **query: object) -> dict[str, str]:
        answer = client.get(f"/api/v1{path}", query_string=query)
        assert answer.status_code == 422, answer.text
        assert answer.mimetype == "application/problem+json"
        assert answer.json
        assert answer.json["type"].endswith("/problems/invalid-parameters")
        assert all(error["detail"] and "%(" not in error["detail"] for error in answer.json["errors"])
        return {error["pointer"].lstrip("/"): error["code"] for error in answer.json["errors"]}

    return refused
