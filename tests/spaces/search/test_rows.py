"""What a row says: its reasons, and the days of a window; what to change where little is free."""

import re
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from spaces.catalog.models import Space
from spaces.search.queries import MOST_NEAR, load_hits
from spaces.search.question import Question
from spaces.search.relax import MOST_RELAXED, MOST_TRIED, number_text
from tests.factories.spaces import make_space, make_venue
from tests.spaces.search.test_views_results import coming, page, ready, rows


def hall(session: Session, city: City, **fields: Any) -> Space:
    space = make_space(session, make_venue(session, city), **fields)
    ready(session, city, space)
    return space


def ways(html: str) -> dict[str, tuple[str, str]]:
    """What to change, with the number that it gives and its address."""
    found = re.findall(
        r'<a class="slot" href="([^"]+)" data-results-link><span class="slot__t">([^<]+)</span>'
        r'<span class="slot__p">([^<]+)',
        html,
    )
    return {label.replace("\xa0", " "): (count, url) for url, label, count in found}


def test_a_row_says_in_words_why_it_is_there(client: FlaskClient, session: Session, city: City) -> None:
    hall(session, city, capacity=50)
    html = page(client, where="60.187, 24.953", people="40")
    (row,) = rows(html)
    why = re.search(r'<p class="row__w">.*?</p>', row, re.DOTALL)
    assert why is not None
    said = re.sub(r"<[^>]+>", "", why[0]).replace("\xa0", " ")
    assert said == "Why this one: 350 m away · for 50, you are 40"
    assert "at most 50" not in row  # said once


def test_a_window_shows_its_first_free_days_each_to_be_booked_by_one_press(
    client: FlaskClient, session: Session, city: City
) -> None:
    space = hall(session, city)
    first = coming(city, 0)
    last = first + timedelta(days=4)
    html = page(
        client, when=f"{first.day}.{first.month}.–{last.day}.{last.month}. 17-20", people="20", minutes="60"
    )
    (row,) = rows(html)
    assert "Free for 1\xa0h from:" in row
    days = re.findall(r'<div class="slots__day">(.*?)</div>', row, re.DOTALL)
    assert len(days) == 3
    assert f"Mon\xa0{first.day}" in days[0]
    assert "17.00" in days[0]
    forms = re.findall(r'<form class="slot-form" method="post" action="([^"]+)"', row)
    assert forms == [f"/en/spaces/{space.id}/quick-booking"] * 6
    starts = re.findall(r'name="start" value="(\d{4}-\d\d-\d\dT\d\d:\d\d)', row)
    assert starts[0].startswith(first.isoformat())
    assert len({start[:10] for start in starts}) == 3
    assert f"Mon {first.day}" in html.split('role="status">')[1][:200]
    # A screen reader hears the day with each time.
    assert re.search(rf"Book Kallio house, Big hall, Mon\xa0{first.day}", row)


def test_a_window_in_which_nothing_is_free_says_so(client: FlaskClient, session: Session, city: City) -> None:
    hall(session, city)
    first = coming(city, 0)
    last = first + timedelta(days=4)
    html = page(client, when=f"{first.day}.{first.month}.–{last.day}.{last.month}. 23-24")
    assert "Not free on these days. Next free times:" in rows(html)[0]


def test_today_is_not_cut_from_the_hours_of_other_days(
    client: FlaskClient, session: Session, city: City
) -> None:
    hall(session, city)
    html = page(client, when="weekday evenings next two weeks", minutes="60")
    assert "17–22" in html.split('role="status">')[1][:200]


def test_what_would_give_more_is_told_with_numbers(client: FlaskClient, session: Session, city: City) -> None:
    hall(session, city, equipment=["projector"])
    hall(session, city)
    day = coming(city, 2)
    found = ways(page(client, when=f"{day.isoformat()} 21-23", minutes="120", equipment="projector"))
    assert found["Start at 19"][0] == "1 space"
    assert found["1 h instead of 2 h"][0] == "1 space"
    assert "minutes=60" in found["1 h instead of 2 h"][1]
    assert found["Any time of day"][0] == "1 space"
    # Nothing else is free at that hour either.
    assert not any(label.startswith("Without") for label in found)
    assert len(found) <= MOST_RELAXED < MOST_TRIED


def test_more_is_beside_what_is_free_already(client: FlaskClient, session: Session, city: City) -> None:
    hall(session, city, equipment=["projector"])
    for _ in range(3):
        hall(session, city)
    day = coming(city, 2)
    found = ways(page(client, when=f"{day.isoformat()} 17-19", equipment="projector"))
    assert found["Without: projector"][0] == "3 more"
    assert "equipment" not in found["Without: projector"][1]


def test_where_enough_is_free_nothing_has_to_change(
    client: FlaskClient, session: Session, city: City
) -> None:
    for _ in range(3):
        hall(session, city)
    assert ways(page(client, when=f"{coming(city, 2).isoformat()} 17-19")) == {}


def test_a_seen_or_drawn_area_can_be_widened(client: FlaskClient, session: Session, city: City) -> None:
    hall(session, city)
    for args in (
        {"bbox": "24.92,60.184,24.94,60.19"},
        {"area": "60.18400,24.92000;60.18400,24.94000;60.19000,24.94000"},
    ):
        found = ways(page(client, **args))
        assert found["Within 2 km more"][0] == "1 space", args
        assert len(rows(page(client, **{next(iter(args)): found["Within 2 km more"][1].split("=")[1]}))) == 1
        assert found["In the whole city"] == ("1 space", "/en/spaces")


def test_a_window_is_followed_by_the_next_one(client: FlaskClient, session: Session, city: City) -> None:
    hall(session, city, horizon_days=90)
    first = coming(city, 0)
    last = first + timedelta(days=4)
    html = page(client, when=f"{first.day}.{first.month}.–{last.day}.{last.month}. 23-24")
    assert ways(html)["Any time of day"][0] == "1 space"


def test_numbers_are_said_as_far_as_they_are_known(app: Flask) -> None:
    with app.test_request_context():
        assert number_text(MOST_NEAR + 1, is_more=False) == "over 500 spaces"
        assert number_text(3, is_more=True) == "3 more"
        assert number_text(1, is_more=False) == "1 space"


def test_soonest_is_offered_only_with_a_time(client: FlaskClient, session: Session, city: City) -> None:
    hall(session, city)
    hall(session, city)
    assert "Soonest first" not in page(client)
    timed = page(client, when=f"{coming(city, 2).isoformat()} 17-19", sort="soonest")
    assert '<option value="soonest" selected' in timed


def test_a_space_that_is_removed_while_one_searches_is_left_out(session: Session, city: City) -> None:
    space = hall(session, city)
    found = [(space.id + 1000, True, None), (space.id, True, None)]
    hits = load_hits(session, city, Question(), found, now=now())
    assert [hit.space.id for hit in hits] == [space.id]
