"""My bookings as somebody looks for them: by time, organisation, state, space and days; all of it in the address."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg.types.range import TimestamptzRange
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.models import Booking
from bookings.series.rules import Recurrence
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space
from tests.architecture.test_query_counts import counted
from tests.factories.bookings import book, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.series import repeat, weekly
from tests.factories.spaces import make_space, make_venue

PAGE = "/en/my/bookings"


def text_of(answer: object) -> str:
    plain = re.sub(r"<[^>]+>", " ", getattr(answer, "text", str(answer)))
    return re.sub(r"[\s\u00a0\u2060]+", " ", html.unescape(plain))


def shown(page: str, bookings: dict[str, Booking]) -> list[str]:
    """Which of them the page lists, in its order."""
    places = {name: page.find(f'/bookings/{one.reference}"') for name, one in bookings.items()}
    return sorted((name for name, at in places.items() if at >= 0), key=lambda name: places[name])


@pytest.fixture
def hall(session: Session, city: City) -> Space:
    venue = make_venue(session, city, names={"fi": "Koskelan halli", "en": "Koskela hall"})
    space = make_space(session, venue, names={"fi": "Iso sali", "en": "Big room"}, horizon_days=120)
    compile_spaces(session, city, [space.id])
    return space


@pytest.fixture
def studio(session: Session, city: City) -> Space:
    venue = make_venue(session, city, names={"fi": "Nuorisotila Pilvi", "en": "Youth house Pilvi"})
    space = make_space(session, venue, names={"fi": "Studio", "en": "Studio"}, approval="handler")
    compile_spaces(session, city, [space.id])
    return space


@pytest.fixture
def club(session: Session, city: City, person: Person) -> Organisation:
    club = make_organisation(session, city, name="Koskelan asukasyhdistys ry")
    join(session, person, club)
    return club


@pytest.fixture
def mine(
    session: Session, city: City, person: Person, hall: Space, studio: Space, club: Organisation
) -> dict[str, Booking]:
    """One of each: ahead for oneself, ahead for the club and waiting, cancelled, over."""
    actor, today = actor_of(session, person), now().astimezone(city.zone).date()

    def on(days: int, start: float, end: float) -> Span:
        return span_on(city, start, end, day=today + timedelta(days=days))

    found = {
        "ahead": book(session, city, hall, actor, on(5, 10, 12), at=now()),
        "club": book(session, city, studio, actor, on(8, 10, 12), at=now(), organisation_id=club.id),
        "cancelled": book(session, city, hall, actor, on(6, 10, 12), at=now()),
        "over": book(session, city, hall, actor, on(7, 10, 12), at=now()),
    }
    cancel_booking(session, city, found["cancelled"], actor=actor, at=now())
    was = on(-3, 10, 12)
    found["over"].during, found["over"].state = TimestamptzRange(was.start, was.end), "completed"
    session.commit()
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("show=upcoming", ["ahead", "club"]),
        ("show=past", ["over"]),
        ("show=cancelled", ["cancelled"]),
        ("state=confirmed", ["ahead"]),
        ("state=awaiting_approval", ["club"]),
        ("organisation=me", ["cancelled", "ahead", "over"]),
        ("organisation={club}", ["club"]),
        ("organisation={club}&show=past", []),
        ("space=pilvi", ["club"]),
        ("space=iso+koskela", ["cancelled", "ahead", "over"]),
        ("space=koskela+pilvi", []),
        ("space=%25", []),
        ("first={today}", ["club", "cancelled", "ahead"]),
        ("last={today}", ["over"]),
        ("first={day5}&last={day5}", ["ahead"]),
        ("first={day5}&show=cancelled", ["cancelled"]),
    ],
)
def test_filters_in_the_address(
    signed_in_client: FlaskClient,
    city: City,
    club: Organisation,
    mine: dict[str, Booking],
    query: str,
    expected: list[str],
) -> None:
    today = now().astimezone(city.zone).date()
    path = f"{PAGE}?{query.format(club=club.id, today=today, day5=today + timedelta(days=5))}"
    page = signed_in_client.get(path)
    assert shown(page.text, mine) == expected
    count = "1 booking" if len(expected) == 1 else f"{len(expected)} bookings"
    assert count in text_of(page)
    assert ("Remove all filters" in page.text) == (not expected)


def test_without_filters_the_sections_stand_as_they_were(
    signed_in_client: FlaskClient, mine: dict[str, Booking]
) -> None:
    page = signed_in_client.get(PAGE).text
    assert shown(page, mine) == ["club", "ahead", "cancelled", "over"]
    assert [page.index(f'id="{id_}"') for id_ in ("waiting", "upcoming", "past")] == sorted(
        page.index(f'id="{id_}"') for id_ in ("waiting", "upcoming", "past")
    )
    assert f'href="{PAGE}?show=past"' in page


def test_filters_are_tags_that_can_be_removed(
    signed_in_client: FlaskClient, club: Organisation, mine: dict[str, Booking]
) -> None:
    page = signed_in_client.get(f"{PAGE}?organisation={club.id}&space=pilvi&state=confirmed&page=7").text
    links = [html.unescape(url) for url in re.findall(r'hds-tag--action" href="([^"]+)"', page)]
    assert [set(parse_qs(urlsplit(url).query)) for url in links] == [
        {"state", "space"},
        {"organisation", "space"},
        {"organisation", "state"},
    ]
    assert "Koskelan asukasyhdistys ry" in page


@pytest.mark.parametrize(
    "query",
    ["show=x", "organisation=9" + "9" * 30, "organisation=-1", "state=paid", "page=%00", "space=%20%00"],
)
def test_what_cannot_be_read_filters_nothing(
    signed_in_client: FlaskClient, mine: dict[str, Booking], query: str
) -> None:
    assert shown(signed_in_client.get(f"{PAGE}?{query}").text, mine) == ["club", "ahead", "cancelled", "over"]


def test_wrong_days_are_said_beside_them(
    signed_in_client: FlaskClient, city: City, mine: dict[str, Booking]
) -> None:
    page = signed_in_client.get(f"{PAGE}?first=gibberish&last=2026-13-01").text
    assert page.count("Write a date, such as 2026-12-01.") == 2
    assert 'value="gibberish"' in page
    today = now().astimezone(city.zone).date()
    page = signed_in_client.get(f"{PAGE}?first={today}&last={today - timedelta(days=1)}").text
    assert "The last day is before the first one." in page
    assert shown(page, mine) == ["club", "cancelled", "ahead"]
    assert signed_in_client.get(f"{PAGE}?first=0001-01-01&last=9999-12-31").status_code == 200


def test_an_organisation_that_is_not_ones_own_filters_nothing(
    app: Flask, session: Session, city: City, club: Organisation, mine: dict[str, Booking]
) -> None:
    stranger = make_person(session, city)
    client = app.test_client()
    sign_in(session, client, stranger)
    session.commit()
    page = client.get(f"{PAGE}?organisation={club.id}&show=upcoming").text
    assert shown(page, mine) == []
    assert club.name not in page


def test_nobody_elses_bookings_are_found(
    app: Flask, session: Session, city: City, mine: dict[str, Booking]
) -> None:
    for is_staff in (False, True):
        client = app.test_client()
        sign_in(session, client, make_person(session, city, is_staff=is_staff))
        session.commit()
        for query in ("show=upcoming", "show=past", "space=koskela", "organisation=me"):
            assert shown(client.get(f"{PAGE}?{query}").text, mine) == []


def test_a_lapsed_hold_is_no_booking(
    signed_in_client: FlaskClient, session: Session, mine: dict[str, Booking]
) -> None:
    mine["cancelled"].requested_at = None
    session.commit()
    assert shown(signed_in_client.get(f"{PAGE}?show=cancelled").text, mine) == []


def test_a_series_stands_once_ahead_and_by_its_dates_when_days_are_asked_for(
    signed_in_client: FlaskClient, session: Session, city: City, person: Person, hall: Space
) -> None:
    first = now().astimezone(city.zone).date() + timedelta(days=3)
    ask = weekly(4, rule=Recurrence(first, times=4))
    series = repeat(session, city, hall, actor_of(session, person), ask, at=now())
    session.commit()
    page = signed_in_client.get(f"{PAGE}?show=upcoming")
    assert page.text.count(f"/series/{series.reference}") == 1
    assert "series, 4 dates ahead" in text_of(page)
    second = first + timedelta(days=7)
    page = signed_in_client.get(f"{PAGE}?show=upcoming&first={second}&last={second}")
    assert page.text.count('class="bk__i"') == 1
    assert f"/series/{series.reference}" not in page.text
    assert signed_in_client.get(f"{PAGE}?first={first}").text.count('class="bk__i"') == 4


def test_pages_are_bounded_and_take_no_more_statements(
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    person: Person,
    hall: Space,
    mine: dict[str, Booking],
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bookings.lifecycle.my_views.PAGE_SIZE", 5)
    path = f"{PAGE}?show=upcoming&organisation=me"
    signed_in_client.get(path)
    with counted(connection) as few:
        signed_in_client.get(path)
    actor, today = actor_of(session, person), now().astimezone(city.zone).date()
    for n in range(11):
        book(session, city, hall, actor, span_on(city, 14, 15, day=today + timedelta(days=n + 1)), at=now())
    session.commit()
    with counted(connection) as many:
        page = signed_in_client.get(path)
    assert len(many) <= len(few) <= 12, many
    assert page.text.count('class="bk__i"') == 5
    assert "Page 1 of 3" in text_of(page)
    assert f"{PAGE}?show=upcoming&amp;organisation=me&amp;page=2" in page.text
    assert signed_in_client.get(f"{path}&page=3").text.count('class="bk__i"') == 2
    assert signed_in_client.get(f"{path}&page=99").text.count('class="bk__i"') == 2


def test_more_requests_than_are_shown_lead_to_the_queue(
    app: Flask, session: Session, city: City, mine: dict[str, Booking], run_jobs: Callable[[], int]
) -> None:
    client = app.test_client()
    sign_in(session, client, make_person(session, city, is_staff=True))
    session.commit()
    assert "/en/desk/requests" not in client.get(PAGE).text, "one is answered where it stands"
