"""The front page: the question, ready searches, and what is free tonight."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.calendar.actions import compile_spaces
from spaces.catalog.actions import assign_districts
from tests.factories.districts import make_district
from tests.factories.spaces import make_space, make_venue


@pytest.mark.parametrize(
    ("language", "heading", "lead"),
    [
        ("fi", "Mitä haluat järjestää?", "2 puistoa, salia"),
        ("sv", "Vad vill du ordna?", "2 parker, salar"),
        ("en", "What would you like to organise?", "2 parks, halls"),
    ],
)
def test_it_asks_in_three_languages(
    client: FlaskClient, session: Session, city: City, language: str, heading: str, lead: str
) -> None:
    venue = make_venue(session, city)
    make_space(session, venue)
    make_space(session, venue)
    session.commit()
    html = unescape(client.get(f"/{language}/").text)
    assert f"<h1>{heading}</h1>" in html
    assert lead in html
    assert f'action="/{language}/spaces"' in html
    assert 'hreflang="sv" href="http://localhost/sv/"' in html


def test_an_empty_city_has_a_front_page(client: FlaskClient, city: City) -> None:
    html = client.get("/en/").text
    assert "0 parks, halls" in html
    assert 'class="distlist"' not in html
    assert 'class="quick"' not in html


def test_quick_searches_lead_to_results(client: FlaskClient, session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, city), kind="market_stall")
    compile_spaces(session, city, [space.id])
    session.commit()
    html = unescape(client.get("/en/").text)
    links = re.findall(r'<li><a href="([^"]+)">([^<]+)</a></li>', html.split('class="quick"')[1])
    assert [label for _, label in links][:1] == ["Market stall on Saturday"]
    assert 'class="row"' in client.get(links[0][0]).text


def test_free_spaces_are_counted_by_district(client: FlaskClient, session: Session, city: City) -> None:
    kallio = make_district(session, city)
    venue = make_venue(session, city)
    free = make_space(session, venue)
    # It asks for two days' notice, so tonight it is no offer.
    slow = make_space(session, venue, notice_minutes=2 * 1440)
    assign_districts(session, city)
    compile_spaces(session, city, [free.id, slow.id])
    session.commit()
    html = unescape(client.get("/fi/").text)
    match = re.search(r'<a href="([^"]+)"><span>Kallio</span><b>(\d+)', html)
    assert match is not None
    assert match[2] == "1"
    assert f"district={kallio.id}" in match[1]
    assert 'class="row"' in client.get(match[1]).text


def test_the_question_comes_back_to_be_changed(client: FlaskClient, city: City) -> None:
    html = unescape(client.get("/en/", query_string={"q": "choir", "people": "12"}).text)
    assert 'name="q" value="choir"' in html
    assert 'name="people" value="12 people"' in html
