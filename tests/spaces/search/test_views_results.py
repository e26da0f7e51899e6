"""The results page: what is asked is understood, shown and answered, whatever is wrong with it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.calendar.actions import compile_spaces
from spaces.catalog.actions import assign_districts
from spaces.catalog.models import Space
from spaces.districts.models import District
from tests.factories.districts import make_district
from tests.factories.people import make_organisation
from tests.factories.spaces import make_space, make_venue

MOST_QUERIES = 14


@pytest.fixture
def kallio(session: Session, city: City) -> District:
    return make_district(session, city, names={"fi": "Kallio", "sv": "Berghäll", "en": "Kallio"})


@pytest.fixture
def hall(session: Session, city: City, kallio: District) -> Space:
    """A hall for 40 in Kallio, open every day from 8 to 22, 20 € an hour."""
    venue = make_venue(session, city, accessibility=["step_free_entrance"])
    space = make_space(session, venue, kind="meeting_room", purposes=["meeting", "party"])
    ready(session, city, space)
    return space


def ready(session: Session, city: City, *spaces: Space) -> None:
    assign_districts(session, city)
    compile_spaces(session, city, [space.id for space in spaces])
    session.commit()


def coming(city: City, weekday: int) -> date:
    """The next such weekday after today (0 is Monday)."""
    today = datetime.now(city.zone).date()
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def page(client: FlaskClient, language: str = "en", **args: object) -> str:
    answer = client.get(f"/{language}/spaces", query_string=args)
    assert answer.status_code == 200
    return unescape(answer.text)


def field_of(html: str, name: str) -> str:
    """What stands in a field of the question."""
    match = re.search(rf'<input id="\w" name="{name}" value="([^"]*)"', html)
    assert match is not None
    return match[1]


def rows(html: str) -> list[str]:
    return re.findall(r'<li class="row".*?</li>', html, re.DOTALL)


SENTENCES = [
    ("en", "40 people, Saturday evening, near Kallio", "Kallio", ", 17–22", "40 people"),
    ("fi", "tila 40 hengelle Kalliossa lauantai-iltana", "Kallio", " klo 17–22", "40 henkeä"),
    ("sv", "lokal för 40 personer nära Berghäll på lördag kväll", "Berghäll", " kl. 17–22", "40 personer"),
]


@pytest.mark.parametrize(("language", "text", "where", "hours", "people"), SENTENCES)
def test_a_sentence_fills_the_fields(
    client: FlaskClient,
    city: City,
    hall: Space,
    language: str,
    text: str,
    where: str,
    hours: str,
    people: str,
) -> None:
    html = page(client, language, q=text)
    assert field_of(html, "q") == ""
    assert field_of(html, "where") == where
    assert field_of(html, "people") == people
    assert field_of(html, "when").endswith(hours)
    saturday = coming(city, 5) if datetime.now(city.zone).weekday() != 5 else datetime.now(city.zone).date()
    assert f"{saturday.day}" in field_of(html, "when")
    assert len(rows(html)) == 1


def test_what_the_fields_show_is_read_again(client: FlaskClient, hall: Space) -> None:
    for language, text, *_ in SENTENCES:
        first = page(client, language, q=text)
        again = {name: field_of(first, name) for name in ("q", "where", "when", "people")}
        second = page(client, language, **again)
        assert {name: field_of(second, name) for name in again} == again
        assert 'aria-invalid="true"' not in second


def test_words_beside_the_facts_remain_the_subject(client: FlaskClient, hall: Space) -> None:
    html = page(client, q="meeting for 12 people on Friday at 18-20 under 50 €")
    assert field_of(html, "q") == "meeting"
    assert field_of(html, "people") == "12 people"
    assert "At most €50/h" in html
    assert len(rows(html)) == 1


def test_a_row_offers_times_that_book_with_one_press(client: FlaskClient, city: City, hall: Space) -> None:
    day = coming(city, 2)
    html = page(client, when=f"{day.isoformat()} 17-20", people="30", minutes="90")
    (row,) = rows(html)
    assert "Kallio house, Big hall" in row
    assert "Kallio" in row
    assert "17.00\u2060–\u206018.30" in row
    assert "€30" in row
    forms = re.findall(r'<form class="slot-form".*?</form>', row, re.DOTALL)
    assert len(forms) == 3
    assert f'action="/en/spaces/{hall.id}/quick-booking"' in forms[0]
    for name in ("start", "minutes", "submission", "people", "total"):
        assert f'name="{name}"' in forms[0]
    assert 'name="people" value="30"' in forms[0]
    submissions = re.findall(r'name="submission" value="(\w+)"', row)
    assert len(set(submissions)) == 3
    assert f"/en/spaces/{hall.id}?day={day.isoformat()}" in row


def test_a_handlers_space_is_asked_for(client: FlaskClient, session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, city), approval="handler")
    ready(session, city, space)
    html = page(client)
    assert "slot--ask" in html
    assert "Dashed: the owner confirms the booking." in html


def test_where_nothing_is_free_the_next_times_come_with_their_dates(
    client: FlaskClient, session: Session, city: City
) -> None:
    day = coming(city, 2)
    space = make_space(session, make_venue(session, city))
    ready(session, city, space)
    html = page(client, when=f"{day.isoformat()} 23-24")
    (row,) = rows(html)
    assert "Next free times:" in row
    assert "none is free" in html
    assert "More is free if you change this:" in html


WRONG = [
    ({"when": "joskus"}, "We did not understand this time. Write for example Sat 17–20."),
    ({"when": "2020-01-01"}, "This time has passed. Choose a later one."),
    ({"when": "1.1.2090"}, "You can look two years ahead at most."),
    ({"when": "20-18"}, "The time “20-18” ends before it starts."),
    ({"when": "Saturday zzz"}, "We did not understand “zzz”."),
    ({"where": "Tampere"}, "We did not find “Tampere” in the city."),
    ({"where": "0.0, 0.0"}, "We did not find “0.0, 0.0” in the city."),
    ({"people": "0"}, "There has to be at least one person."),
    ({"people": "1000000"}, "You can look for room for 50,000 people at most."),
    ({"people": "many"}, "Write the number of people in digits, for example 40."),
    ({"people": "-5"}, "Write the number of people in digits, for example 40."),
    ({"q": "hall " * 100}, "This is too long. We read the first 200 characters."),
]


@pytest.mark.parametrize(("args", "message"), WRONG)
def test_a_wrong_value_gets_a_message_at_its_field(
    client: FlaskClient, hall: Space, args: dict[str, str], message: str
) -> None:
    html = page(client, **args)
    assert message in html
    (name,) = args
    error = re.search(rf'name="{name}" [^>]*aria-invalid="true" aria-describedby="(\w)-error"', html)
    assert error is not None
    assert f'id="{error[1]}-error"' in html
    if name != "q":
        assert field_of(html, name) == args[name]
        assert len(rows(html)) == 1


NOTED = [
    {"page": "0"},
    {"page": "-1"},
    {"page": "99999999999999999999"},
    {"page": "500"},
    {"page": "abc"},
    {"kind": "spaceship"},
    {"owner": "nobody"},
    {"access": "x"},
    {"bbox": "9"},
    {"bbox": "nan,nan,nan,nan"},
    {"bbox": "1e999,0,5,5"},
    {"bbox": "30,60,20,61"},
    {"district": "999999999"},
    {"district": "99999999999999999999999"},
    {"district": "Kallio"},
]


@pytest.mark.parametrize("args", NOTED)
def test_an_argument_nobody_typed_is_left_out_with_a_note(
    client: FlaskClient, hall: Space, args: dict[str, str]
) -> None:
    html = page(client, **args)
    assert re.search(r'id="ask-errors">\s*<ul class="plain">\s*<li class="meta">', html)
    assert len(rows(html)) == 1


@pytest.mark.parametrize(
    "args",
    [
        {"q": "\x00%_\\'\"<script>alert(1)</script>"},
        {"where": "\x00"},
        {"where": "%%%"},
        {"where": "60.18,24.95"},
        {"when": "💥"},
        {"price": "abc"},
        {"price": "99999999999"},
        {"minutes": "0"},
        {"minutes": "9" * 30},
        {"sort": "random"},
        {"sort": "nearest"},
        {"people": "٣"},
        {"people": "9" * 300},
        {"q": ("a" * 199) + " 1-2 3-4"},
        {"when": "1-2-3-4 " * 25},
    ],
)
def test_nonsense_never_breaks_the_page(client: FlaskClient, hall: Space, args: dict[str, str]) -> None:
    answer = client.get("/en/spaces", query_string=args)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_a_place_may_be_a_district_an_address_a_name_or_a_point(
    client: FlaskClient, session: Session, city: City, hall: Space
) -> None:
    far = make_space(
        session,
        make_venue(
            session,
            city,
            at=(25.08, 60.21),
            names={"fi": "Idän talo"},
            streets={"fi": "Turunlinnantie 1"},
        ),
        names={"fi": "Idän sali"},
    )
    ready(session, city, far)
    for where, first in (
        ("Kalliossa", "Iso sali"),
        ("lähellä Kalliota", "Iso sali"),
        ("toinen linja", "Iso sali"),
        ("Turunlinnantiellä", "Idän sali"),
        ("idän talo", "Idän sali"),
        ("60.21, 25.08", "Idän sali"),
    ):
        html = page(client, "fi", where=where, sort="nearest")
        assert 'aria-invalid="true"' not in html, where
        assert f"{first}" in rows(html)[0], where
    assert "50\xa0m" in rows(page(client, "fi", where="60.21, 25.08"))[0]


def test_filters_carry_counts_and_can_be_taken_off(
    client: FlaskClient, session: Session, city: City, hall: Space
) -> None:
    club = make_organisation(session, city, kind="association")
    sauna = make_space(
        session, make_venue(session, city, owner=club), kind="sauna", price=("free", 0), names={"en": "Sauna"}
    )
    ready(session, city, sauna)
    html = page(client, kind="sauna")
    assert len(rows(html)) == 1
    assert re.search(r'value="sauna" checked[^>]*>.*?Sauna <span class="cnt">1</span>', html)
    # The other kind can still be added, and says what it would bring.
    assert re.search(r'value="meeting_room"[^>]*>.*?Meeting room <span class="cnt">1</span>', html)
    assert re.search(
        r'<a class="hds-tag hds-tag--action" href="/en/spaces" data-results-link><span>Sauna', html
    )
    assert len(rows(page(client, kind=["sauna", "meeting_room"]))) == 2
    assert len(rows(page(client, price="0"))) == 1
    assert len(rows(page(client, owner="association"))) == 1
    assert len(rows(page(client, access="step_free_entrance"))) == 1


def test_nothing_found_says_what_to_drop_and_how_many_that_gives(client: FlaskClient, hall: Space) -> None:
    html = page(client, q="meeting", people="500", kind="meeting_room")
    assert rows(html) == []
    assert "No space fits all of this" in html
    link = re.search(
        r'<a class="slot" href="([^"]+)" data-results-link><span class="slot__t">Without 500 people</span><span class="slot__p">1 space',
        html,
    )
    assert link is not None
    assert "people" not in link[1]
    assert "kind=meeting_room" in link[1]


def test_more_results_come_by_a_link(client: FlaskClient, session: Session, city: City) -> None:
    venue = make_venue(session, city)
    ready(session, city, *(make_space(session, venue) for _ in range(12)))
    html = page(client, q="")
    assert len(rows(html)) == 10
    assert "1–10 of 12" in html
    assert "Show the next 2" in html
    link = re.search(r'href="(/en/spaces\?page=2)" data-more="#rows"', html)
    assert link is not None
    second = client.get(link[1]).text
    assert len(rows(second)) == 2
    assert 'data-n="11"' in second
    assert "page 2" in second


@pytest.mark.parametrize(
    ("language", "heading", "button"),
    [
        ("fi", "1 tila: kokous", "Etsi"),
        ("sv", "1 utrymme: kokous", "Sök"),
        ("en", "1 space: kokous", "Search"),
    ],
)
def test_it_speaks_three_languages(
    client: FlaskClient, hall: Space, language: str, heading: str, button: str
) -> None:
    html = page(client, language, q="kokous")
    assert f'<h1 id="h1" tabindex="-1">{heading}</h1>' in html
    assert f"<span>{button}</span>" in html
    assert re.search(rf"<title>{heading}", html)


def test_titles_differ_by_question(client: FlaskClient, hall: Space) -> None:
    titles = {
        re.search(r"<title>(.*?)</title>", page(client, **args))[1]  # type: ignore[index]
        for args in ({}, {"q": "meeting"}, {"where": "Kallio"}, {"people": "12"}, {"people": "13"})
    }
    assert len(titles) == 5


def test_drafts_stay_out(client: FlaskClient, session: Session, city: City) -> None:
    ready(session, city, make_space(session, make_venue(session, city), state="draft"))
    assert rows(page(client)) == []


@contextmanager
def counted(connection: Connection) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            statements.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(connection, "before_cursor_execute", note)


def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: FlaskClient, session: Session, connection: Connection, city: City, hall: Space
) -> None:
    args = {"q": "meeting", "where": "Kallio", "when": coming(city, 5).isoformat() + " 17-20", "people": "20"}
    page(client, **args)
    with counted(connection) as few:
        assert len(rows(page(client, **args))) == 1
    more = [make_space(session, make_venue(session, city), purposes=["meeting"]) for _ in range(15)]
    ready(session, city, *more)
    with counted(connection) as many:
        assert len(rows(page(client, **args))) == 10
    assert len(many) <= len(few) + 1  # the count of free ones, once not all are on the page
    assert len(many) <= MOST_QUERIES, "\n".join(many)
