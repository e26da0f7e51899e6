"""The pages at the door: the poster's, the scanned code's, the list of the day, the rule; and the drawn code itself."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import segno
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from bookings.attendance.models import SpaceAttendance
from bookings.attendance.qr import qr_svg
from bookings.attendance.tokens import token_of
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.catalog.models import Space, Venue
from tests.bookings.attendance.conftest import ask_to_check_in
from tests.factories.bookings import book, open_space, span_on
from tests.factories.people import actor_of, make_person, sign_in

STROKE = re.compile(r"([Mmh])\s*(-?\d+(?:\.\d+)?)(?:\s+(-?\d+(?:\.\d+)?))?")


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    space = open_space(session, city, venue)
    ask_to_check_in(session, city, space)
    return space


@pytest.fixture
def booking(session: Session, city: City, space: Space, person: Person) -> Booking:
    """It has begun five minutes ago."""
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    start = now() - timedelta(minutes=5)
    session.execute(
        text("UPDATE booking SET during = tstzrange(:start, :end) WHERE id = :id"),
        {"start": start, "end": start + timedelta(hours=2), "id": booking.id},
    )
    session.commit()
    session.expire_all()
    return booking


def drawn(svg: str) -> set[tuple[int, int]]:
    """The dark squares of a drawn code, quiet zone included."""
    path = re.findall(r'<path[^>]* d="([^"]+)"', svg)[-1]
    x = y = 0.0
    dark = set()
    for verb, first, second in STROKE.findall(path):
        if verb == "M":
            x, y = float(first), float(second)
        elif verb == "m":
            x, y = x + float(first), y + float(second)
        else:
            dark |= {(int(x) + n, int(y)) for n in range(int(float(first)))}
            x += float(first)
    return dark


@pytest.mark.parametrize(
    "address", ["https://x.fi/fi/check-in/abc", "https://tilaa.example.org/" + "a" * 150]
)
def test_the_drawing_is_the_code(address: str) -> None:
    svg = str(qr_svg(address))
    matrix = segno.make(address, error="m", micro=False).matrix
    assert drawn(svg) == {
        (x + 4, y + 4) for y, line in enumerate(matrix) for x, bit in enumerate(line) if bit
    }
    assert "style=" not in svg
    assert "<script" not in svg


def test_the_booker_checks_in_by_the_code_at_the_door(
    signed_in_client: FlaskClient, session: Session, space: Space, booking: Booking
) -> None:
    path = f"/en/check-in/poster-{space.id}"
    assert booking.reference in signed_in_client.get(path).get_data(as_text=True)
    assert signed_in_client.post(path, data={"reference": booking.reference}).status_code == 303
    session.expire_all()
    assert booking.checked_in_by == booking.person_id
    assert "You have checked in" in signed_in_client.get(path).get_data(as_text=True)


def test_others_find_nothing_to_check_in_for(
    app: Flask, client: FlaskClient, session: Session, city: City, space: Space, booking: Booking
) -> None:
    path = f"/en/check-in/poster-{space.id}"
    assert client.get(path).status_code == 302
    stranger = app.test_client()
    sign_in(session, stranger, make_person(session, city))
    session.commit()
    assert booking.reference not in stranger.get(path).get_data(as_text=True)
    assert stranger.post(path, data={"reference": booking.reference}).status_code == 404
    assert stranger.get("/en/check-in/no-such-poster").status_code == 404
    session.expire_all()
    assert booking.checked_in_at is None


@pytest.mark.parametrize(
    ("what", "status"),
    [("manager", 200), ("handler", 200), ("crew", 200), ("staff", 200), ("viewer", 404), ("outsider", 404)],
)
def test_the_scanned_code_is_for_those_who_let_people_in(
    app: Flask,
    client_of: Callable[[str], FlaskClient],
    session: Session,
    booking: Booking,
    person: Person,
    what: str,
    status: int,
) -> None:
    with app.test_request_context():
        path = f"/en/desk/check-in/{token_of(booking)}"
    client = client_of(what)
    page = client.get(path)
    assert page.status_code == status
    if status == 200:
        assert (person.name in page.get_data(as_text=True)) == (what != "crew")
    assert client.post(path, data={"says": "here"}).status_code == (303 if status == 200 else 404)
    session.expire_all()
    assert (booking.checked_in_at is not None) == (status == 200)
    if status == 200:
        client.post(path, data={"says": "not_here"})
        session.expire_all()
        assert booking.checked_in_at is None


@pytest.mark.parametrize("token", ["x", "WzEsMV0.x", "a" * 1000, "%00", "WzEsMV0"])
def test_a_forged_code_leads_nowhere(
    client_of: Callable[[str], FlaskClient], booking: Booking, token: str
) -> None:
    assert client_of("staff").get(f"/en/desk/check-in/{token}").status_code == 404


def test_the_list_of_the_day_and_its_buttons(
    client_of: Callable[[str], FlaskClient], session: Session, booking: Booking, person: Person
) -> None:
    handler, crew = client_of("handler"), client_of("crew")
    assert person.name in handler.get("/en/desk/today").get_data(as_text=True)
    seen = crew.get("/en/desk/today").get_data(as_text=True)
    assert booking.reference in seen
    assert person.name not in seen
    act = f"/en/desk/bookings/{booking.reference}/attendance"
    assert crew.post(act, data={"says": "no_show"}).status_code == 403
    assert handler.post(act, data={"says": "no_show"}).status_code == 303
    session.expire_all()
    assert booking.state == "no_show"
    assert "They came after all" in handler.get("/en/desk/today").get_data(as_text=True)
    handler.post(act, data={"says": "came_after_all"})
    session.expire_all()
    assert booking.state == "confirmed"
    assert handler.post(act, data={"says": "dance"}).status_code == 303
    assert client_of("outsider").get("/en/desk/today").status_code == 403
    assert client_of("viewer").post(act, data={"says": "here"}).status_code == 404


def test_the_rule_and_the_poster(
    client_of: Callable[[str], FlaskClient], session: Session, space: Space
) -> None:
    manager, path = client_of("manager"), f"/en/desk/spaces/{space.id}/attendance"
    for wrong in ("4", "121", "", "x", "15.5"):
        answer = manager.post(path, data={"mode": "required", "release_minutes": wrong})
        assert answer.status_code == 422, wrong
        assert "from 5 to 120" in answer.get_data(as_text=True)
    assert manager.post(path, data={"mode": "never", "release_minutes": "15"}).status_code == 422
    assert manager.post(path, data={"mode": "wanted", "release_minutes": "20"}).status_code == 303
    session.expire_all()
    rule = session.get(SpaceAttendance, (space.city_id, space.id))
    assert rule is not None
    assert (rule.mode, rule.release_minutes) == ("wanted", 20)
    poster = f"/en/desk/spaces/{space.id}/poster"
    assert rule.poster_token in manager.get(poster).get_data(as_text=True)
    old = rule.poster_token
    assert manager.post(poster).status_code == 303
    session.expire_all()
    assert rule.poster_token != old
    assert manager.get(f"/en/check-in/{old}").status_code == 404
    assert client_of("handler").get(poster).status_code == 200
    assert client_of("handler").post(poster).status_code == 404
    for what in ("viewer", "crew", "outsider"):
        assert client_of(what).get(poster).status_code == 404
        assert client_of(what).get(path).status_code == 404
