"""The page of a space: facts, the week, a chosen time with its price, and the way on."""

import json
import re
from datetime import date, datetime, time, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.timespan import Span, instant
from spaces.calendar.actions import claim_space, compile_spaces
from spaces.calendar.models import HOLDER_IDS
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space
from tests.factories.cities import make_city
from tests.factories.people import join, make_organisation
from tests.factories.spaces import make_space, make_unit, make_venue


@pytest.fixture
def hall(session: Session, city: City) -> Space:
    """A hall for 40 in Kallio, open every day from 8 to 22, 20 € an hour."""
    space = make_space(
        session,
        make_venue(session, city, accessibility=["step_free_entrance", "lift"]),
        descriptions={"fi": "Valoisa sali."},
        equipment=["piano", "kitchen"],
        purposes=["choir"],
        cancellation_hours=48,
        notice_minutes=120,
        buffer_after_minutes=30,
    )
    compile_spaces(session, city, [space.id])
    session.commit()
    return space


def a_week_ahead(city: City) -> date:
    return datetime.now(city.zone).date() + timedelta(days=7)


def page(client: FlaskClient, space: Space, language: str = "en", **args: object) -> str:
    answer = client.get(f"/{language}/spaces/{space.id}", query_string=args)
    assert answer.status_code == 200
    return unescape(answer.text)


def part(html: str, mark: str, end: str) -> str:
    return html.split(mark, 1)[1].split(end, 1)[0]


def pricebox(html: str) -> str:
    return part(html, '<aside class="pricebox"', "</aside>")


@pytest.mark.parametrize(
    ("language", "name", "facts"),
    [
        (
            "fi",
            "Iso sali",
            [
                "henkeä enintään",
                "Esteetön sisäänkäynti",
                "1–4 h",
                "Heti varattavissa",
                "Piano",
                "Sopii: kuoro",
            ],
        ),
        (
            "sv",
            "Stora salen",
            ["personer högst", "Tillgänglig entré", "Kan bokas genast", "Kök", "Passar för: kör"],
        ),
        (
            "en",
            "Big hall",
            ["people at most", "Step-free entrance", "Bookable at once", "Kitchen", "Good for: choir"],
        ),
    ],
)
def test_it_tells_the_facts_in_three_languages(
    client: FlaskClient, hall: Space, language: str, name: str, facts: list[str]
) -> None:
    html = page(client, hall, language)
    assert name in part(html, "<h1", "</h1>")
    for fact in facts:
        assert fact in html.replace("\u2060", "")


def test_a_text_in_another_language_says_so(client: FlaskClient, hall: Space) -> None:
    assert '<p lang="fi">Valoisa sali.</p>' in page(client, hall, "sv")
    assert "<p>Valoisa sali.</p>" in page(client, hall, "fi")


def test_the_rules_stand_in_words(client: FlaskClient, hall: Space) -> None:
    html = page(client, hall).replace("\u2060", "").replace("\xa0", " ")
    for rule in (
        "Length 1–4 h. A booking can start every 30 min.",
        "Book at least 2 h ahead.",
        "Kept free after a booking: 30 min.",
        "Cancel free of charge at least 2 days before.",
    ):
        assert rule in html


def test_a_chosen_time_has_its_price_and_one_way_on(client: FlaskClient, city: City, hall: Space) -> None:
    day = a_week_ahead(city)
    start = instant(day, time(18), city.zone).astimezone(city.zone).isoformat(timespec="minutes")
    box = pricebox(page(client, hall, start=start, minutes="90", people="12", q="choir"))
    assert "18.00\u2060–\u206019.30" in box
    assert "1.5 h × €20" in box
    assert "€30" in box
    assert "Includes VAT 25.5 %, €6.10" in box
    link = re.search(r'<a class="hds-button[^"]*--primary[^"]*" href="([^"]+)"', box)
    assert link is not None
    assert link[1].startswith(f"/en/spaces/{hall.id}/booking?start={day.isoformat()}T18:00%2B")
    assert "minutes=90" in link[1]
    assert "people=12" in link[1]
    assert "<span>Book €30</span>" in box
    assert "You can cancel free of charge until" in box


def test_a_wall_clock_start_means_the_citys_time(client: FlaskClient, city: City, hall: Space) -> None:
    day = a_week_ahead(city)
    assert "Book €20" in pricebox(page(client, hall, start=f"{day.isoformat()}T18:00"))


def test_the_week_and_the_list_of_times_say_the_same(
    client: FlaskClient, session: Session, city: City, hall: Space
) -> None:
    day = a_week_ahead(city)
    body = Span(instant(day, time(10), city.zone), instant(day, time(12), city.zone))
    holder = session.execute(HOLDER_IDS.next_value().select()).scalar_one()
    claim_space(session, city, hall.id, holder_id=holder, body=body, rules=booking_rules(hall))
    session.commit()
    html = page(client, hall, day=day.isoformat(), minutes="60")
    week = json.loads(part(html, 'id="week-data">', "</script>"))
    taken = [e for e in week["events"] if e["kind"] == "taken"]
    assert {"start": f"{day}T10:00", "end": f"{day}T12:30", "kind": "taken", "title": "Booked"} in taken
    assert week["date"] == (day - timedelta(days=day.weekday())).isoformat()
    starts = re.findall(rf"start={day}T(\d\d:\d\d)", part(html, 'aria-labelledby="h-days"', "</section>"))
    assert "08:30" in starts
    assert "09:30" not in starts
    assert "12:30" in starts
    assert "12:00" not in starts


def test_a_taken_time_says_so_and_offers_others(
    client: FlaskClient, session: Session, city: City, hall: Space
) -> None:
    day = a_week_ahead(city)
    body = Span(instant(day, time(10), city.zone), instant(day, time(12), city.zone))
    holder = session.execute(HOLDER_IDS.next_value().select()).scalar_one()
    claim_space(session, city, hall.id, holder_id=holder, body=body, rules=booking_rules(hall))
    session.commit()
    box = pricebox(page(client, hall, start=f"{day.isoformat()}T10:00"))
    assert "Somebody has already booked this time." in box
    assert "Next free times:" in box
    assert f"start={day}T12:30" in box


@pytest.mark.parametrize(
    ("clock", "minutes", "words"),
    [
        ("03:00", "60", "The space is closed then."),
        ("18:10", "60", "Choose one of the start times in the list."),
        ("21:30", "60", "The space is closed then."),
    ],
)
def test_a_time_that_cannot_be_booked_says_why(
    client: FlaskClient, city: City, hall: Space, clock: str, minutes: str, words: str
) -> None:
    box = pricebox(page(client, hall, start=f"{a_week_ahead(city)}T{clock}", minutes=minutes))
    assert words in box
    assert "hds-button--primary" not in box


@pytest.mark.parametrize(
    "args",
    [
        {"start": "yesterday"},
        {"start": "2026-02-31T10:00"},
        {"start": "9999-12-31T23:59+02:00"},
        {"start": "0001-01-01T00:00"},
        {"start": "2020-01-01T10:00:00+02:00"},
        {"start": "2026-12-01T10:00+99:99"},
        {"start": "\x00"},
        {"day": "2026-99-99"},
        {"day": "1900-01-01"},
        {"day": "9999-12-31"},
        {"minutes": "0"},
        {"minutes": "-60"},
        {"minutes": "999999999"},
        {"minutes": "ninety"},
        {"people": "\x00", "q": "x" * 5000},
    ],
)
def test_nonsense_in_the_address_is_no_error(client: FlaskClient, hall: Space, args: dict[str, str]) -> None:
    assert "<h1" in page(client, hall, **args)


def test_a_request_is_sent_where_the_owner_confirms(
    client: FlaskClient, session: Session, city: City
) -> None:
    space = make_space(session, make_venue(session, city), approval="handler", price=("free", 0))
    compile_spaces(session, city, [space.id])
    session.commit()
    box = pricebox(page(client, space, start=f"{a_week_ahead(city)}T18:00"))
    assert "<span>Send a request</span>" in box
    assert "Includes VAT" not in box


def test_halves_and_the_whole_lead_to_each_other(client: FlaskClient, session: Session, city: City) -> None:
    venue = make_venue(session, city)
    a, b = make_unit(session, venue), make_unit(session, venue)
    whole = make_space(session, venue, units=[a, b], names={"en": "Gym, whole hall"}, price=("hour", 3600))
    half_a = make_space(session, venue, units=[a], names={"en": "Gym, half A"})
    half_b = make_space(session, venue, units=[b], names={"en": "Gym, half B"})
    other = make_space(session, venue, names={"en": "Kitchen"})
    session.commit()
    parts = part(page(client, half_a), 'class="parts plain"', "</ul>")
    assert re.findall(r'part__n">([^<]+)<', parts) == ["Whole hall", "Half A", "Half B"]
    assert re.search(rf'href="/en/spaces/{whole.id}\?[^"]*"', parts) or f"/en/spaces/{whole.id}#book" in parts
    assert f"/en/spaces/{half_b.id}" in parts
    assert "€36/h" in parts
    assert parts.count('aria-current="true"') == 1
    assert f"/en/spaces/{other.id}" not in parts
    assert f'/en/spaces/{other.id}">Kitchen' in page(client, half_a)


def test_whole_day_spaces_show_days(client: FlaskClient, session: Session, city: City) -> None:
    space = make_space(
        session,
        make_venue(session, city),
        kind="square",
        whole_days=True,
        min_minutes=1440,
        max_minutes=3 * 1440,
        interval_minutes=1440,
        price=("day", 12000),
    )
    compile_spaces(session, city, [space.id])
    session.commit()
    day = a_week_ahead(city)
    html = page(client, space, day=day.isoformat())
    assert "Free days" in html
    assert 'id="week-data"' not in html
    assert f"start={day}T08:00" in html
    box = pricebox(page(client, space, start=f"{day}T08:00", minutes="2880"))
    assert "Book €240" in box
    assert f"end={day + timedelta(days=1)}T22:00" in box
    # Any hour of the day means the day.
    assert "Book €120" in pricebox(page(client, space, start=f"{day}T12:00", minutes="1440"))


def test_back_leads_to_the_same_results(client: FlaskClient, hall: Space) -> None:
    html = page(client, hall, q="choir", where="Kallio", people="12", next="https://example.com/")
    assert re.search(r'<a href="/en/spaces\?q=choir&where=Kallio&people=12">.*?Back to the results</a>', html)
    assert "example.com" not in part(html, "<main", "</main>")


def test_search_engines_get_the_place(client: FlaskClient, hall: Space) -> None:
    html = page(client, hall, start="x", q="y")
    assert f'<link rel="canonical" href="http://localhost/en/spaces/{hall.id}">' in html
    assert f'hreflang="fi" href="http://localhost/fi/spaces/{hall.id}"' in html
    place = json.loads(part(html, 'type="application/ld+json">', "</script>"))
    assert place["@type"] == "Place"
    assert place["maximumAttendeeCapacity"] == 40


@pytest.mark.parametrize("state", ["draft", "archived"])
def test_what_is_not_published_is_not_found(
    client: FlaskClient, session: Session, city: City, state: str
) -> None:
    space = make_space(session, make_venue(session, city), state=state)
    session.commit()
    answer = client.get(f"/en/spaces/{space.id}")
    assert answer.status_code == 404
    assert 'href="/en/spaces"' in answer.text


def test_those_who_run_the_place_see_a_draft(
    signed_in_client: FlaskClient, session: Session, city: City, person: Person
) -> None:
    owner = make_organisation(session, city)
    join(session, person, owner, "manager")
    space = make_space(session, make_venue(session, city, owner=owner), state="draft")
    session.commit()
    assert "The space is not published." in page(signed_in_client, space)


@pytest.mark.parametrize("number", ["0", "999999999", "99999999999999999999999"])
def test_an_unknown_number_is_a_helpful_404(client: FlaskClient, city: City, number: str) -> None:
    for language, words in (("fi", "Etsi tila"), ("sv", "Hitta ett utrymme"), ("en", "Find a space")):
        answer = client.get(f"/{language}/spaces/{number}")
        assert answer.status_code == 404
        assert words in answer.text


def test_a_space_of_another_city_is_not_here(client: FlaskClient, session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, make_city(session, "espoo")))
    session.commit()
    assert client.get(f"/en/spaces/{space.id}").status_code == 404
