"""The day and week of own spaces: who sees what of them, and how a day reads."""

import json
import re
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from psycopg.types.range import TimestamptzRange
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from bookings.desk.queries import days_of
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.timespan import Span, day_span, instant
from spaces.calendar.actions import claim_space, compile_spaces
from spaces.calendar.models import Closure, OpeningException
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space, Venue
from tests.architecture.test_query_counts import counted
from tests.bookings.desk.conftest import ROLES, STRANGERS
from tests.factories.bookings import book
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space, make_unit, make_venue

BLOCK = re.compile(r'id="timeline-data">(.*?)</script>', re.DOTALL)


def drawing(page: str) -> Any:
    found = BLOCK.search(page)
    assert found is not None
    return json.loads(found[1])


def desk(client: FlaskClient, day: date, **args: str) -> str:
    answer = client.get("/en/desk/timeline", query_string={"day": day.isoformat(), **args})
    assert answer.status_code == 200, answer.status_code
    return answer.text


@pytest.fixture
def booked(
    session: Session, city: City, space: Space, person: Person, at_hours: Callable[[float, float], Span]
) -> None:
    """A request of an association in the evening."""
    association = make_organisation(session, city, name="Kallion Juniorit ry")
    join(session, person, association)
    actor = actor_of(session, person)
    book(
        session,
        city,
        space,
        actor,
        at_hours(18, 20),
        organisation_id=association.id,
        purpose="Sähly",
        attendees=12,
    )
    book(session, city, space, actor, at_hours(9, 10), purpose="Maijan synttärit")
    session.commit()


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize("what", ROLES)
def test_those_who_work_there_see_the_day(
    client_of: Callable[[str], FlaskClient], day: date, what: str
) -> None:
    page = desk(client_of(what), day)
    assert "18.00\u2060–\u206020.00" in page
    # A crew knows when, but not who; a private person's purpose is nobody's business.
    assert ("Kallion Juniorit" in page) == (what != "crew")
    assert ("Maijan" in page) == (what != "crew")
    assert ("Aino Korhonen" in page) == (what != "crew")
    handles = what in {"manager", "venue manager", "handler", "staff"}
    assert ("/approval" in page) == handles
    assert ("/time?" in page) == handles
    events = drawing(page)["events"]
    assert [event["kind"] for event in events if event["kind"] != "shut"] == ["waiting", "waiting"]
    assert any("move" in event for event in events) == handles


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize("what", STRANGERS)
def test_nobody_else_does(
    client_of: Callable[[str], FlaskClient], space: Space, day: date, what: str
) -> None:
    answer = client_of(what).get(f"/en/desk/timeline?day={day}")
    if what == "manager elsewhere":
        assert answer.status_code == 200
        assert f'"id": {space.id}' not in answer.text
        assert "18.00\u2060–\u206020.00" not in answer.text
    else:
        assert answer.status_code in {302, 303, 403}


def test_nobody_is_asked_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/en/desk/timeline").status_code in {302, 303}


@pytest.mark.usefixtures("booked")
def test_my_bookings_lead_to_the_desk(client_of: Callable[[str], FlaskClient]) -> None:
    assert "/en/desk/timeline" in client_of("handler").get("/en/my/bookings").text
    assert "/en/desk/timeline" not in client_of("booker").get("/en/my/bookings").text


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize(("what", "number"), [("manager", 2), ("handler", 2), ("viewer", 0), ("booker", 0)])
def test_the_header_counts_what_waits(
    client_of: Callable[[str], FlaskClient], what: str, number: int
) -> None:
    page = client_of(what).get("/en/my/bookings").text
    assert (f'<span class="me__b" aria-hidden="true">{number}</span>' in page) == bool(number)


def test_closures_reasons_and_the_whole_halls_halves(
    session: Session,
    city: City,
    venue: Venue,
    person: Person,
    at_hours: Callable[[float, float], Span],
    client_of: Callable[[str], FlaskClient],
    day: date,
) -> None:
    units = [make_unit(session, venue), make_unit(session, venue)]
    half = make_space(session, venue, units=units[:1], names={"en": "Half A"})
    whole = make_space(session, venue, units=units, names={"en": "Whole hall"})
    shut = make_space(session, venue, names={"en": "Sauna"})
    session.add(
        OpeningException(
            city_id=city.id,
            space_id=shut.id,
            first_day=day,
            last_day=day,
            reasons={"en": "Oven repair"},
            state="closed",
        )
    )
    session.flush()
    compile_spaces(session, city, [half.id, whole.id, shut.id])
    span = at_hours(8, 12)
    closure = Closure(
        city_id=city.id,
        space_id=half.id,
        during=TimestamptzRange(span.start, span.end),
        reasons={"en": "Floor waxing"},
    )
    session.add(closure)
    session.flush()
    claim_space(session, city, half.id, holder_id=closure.id, body=span, rules=booking_rules(half))
    book(session, city, whole, actor_of(session, person), at_hours(18, 20))
    session.commit()
    page = desk(client_of("manager"), day)
    assert "Closed, Oven repair" in page
    kinds = {
        (event["resource"], event["kind"]): event["title"]
        for event in drawing(page)["events"]
        if event["kind"] != "shut"
    }
    assert kinds == {
        (half.id, "closure"): "Floor waxing",
        (half.id, "part"): "Aino Korhonen, Whole hall",
        (whole.id, "closure"): "Floor waxing",
        (whole.id, "booking"): "Aino Korhonen",
    }
    assert "Free 12\u2060–\u206018 and 20\u2060–\u206022" in page


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2027, 3, 28), 23), (date(2026, 10, 25), 25), (date(2027, 10, 31), 25)]
)
def test_a_day_when_the_clocks_change(
    session: Session,
    city: City,
    venue: Venue,
    person: Person,
    client_of: Callable[[str], FlaskClient],
    day: date,
    hours: int,
) -> None:
    """The wall is what counts: the evening is at its usual hours, and the night is as long as it is."""
    assert day_span(day, city.zone).length == timedelta(hours=hours)
    space = make_space(session, venue, hours=(time(0), time(0)), max_minutes=600, horizon_days=500)
    compile_spaces(session, city, [space.id], first=day, last=day)
    night = Span(instant(day, time(1), city.zone), instant(day, time(5), city.zone))
    evening = Span(instant(day, time(18), city.zone), instant(day, time(20), city.zone))
    assert night.length == timedelta(hours=hours - 20)
    for span in (night, evening):
        closure = Closure(
            city_id=city.id, space_id=space.id, during=TimestamptzRange(span.start, span.end), reasons={}
        )
        session.add(closure)
        session.flush()
        claim_space(session, city, space.id, holder_id=closure.id, body=span, rules=booking_rules(space))
    session.commit()
    page = desk(client_of("manager"), day)
    drawn = [(event["start"], event["end"]) for event in drawing(page)["events"]]
    assert drawn == [
        (f"{day}T01:00", f"{day}T05:00"),
        (f"{day}T18:00", f"{day}T20:00"),
    ]
    assert drawing(page)["first"] == 1
    assert "1.00\u2060–\u20605.00" in page
    assert "18.00\u2060–\u206020.00" in page
    assert "Free 0\u2060–\u20601, 5\u2060–\u206018 and 20\u2060–\u206024" in page


@pytest.mark.usefixtures("booked")
def test_the_week_begins_on_monday(client_of: Callable[[str], FlaskClient], day: date) -> None:
    page = desk(client_of("manager"), day, view="week")
    assert drawing(page)["date"] == (day - timedelta(days=day.weekday())).isoformat()
    assert "18.00\u2060–\u206020.00" in page


@pytest.mark.usefixtures("booked")
def test_one_place_is_chosen_and_others_are_not_to_be_had(
    session: Session, city: City, venue: Venue, client_of: Callable[[str], FlaskClient], day: date
) -> None:
    client = client_of("manager")
    elsewhere = make_space(session, make_venue(session, city))
    session.commit()
    assert len(drawing(desk(client, day, venue=str(venue.id)))["resources"]) == 1
    assert f'"id": {elsewhere.id}' not in desk(client, day)
    assert "No spaces to show" in desk(client, day, venue=str(elsewhere.venue_id))


@pytest.mark.parametrize("view", ["day", "week"])
def test_more_spaces_take_no_more_statements(
    session: Session,
    city: City,
    connection: Connection,
    client_of: Callable[[str], FlaskClient],
    person: Person,
    at_hours: Callable[[float, float], Span],
    day: date,
    view: str,
) -> None:
    client = client_of("staff")

    def add(count: int) -> None:
        made = [make_space(session, make_venue(session, city), approval="handler") for _ in range(count)]
        compile_spaces(session, city, [space.id for space in made])
        for space in made:
            book(session, city, space, actor_of(session, person), at_hours(12, 14))
        session.commit()

    def statements() -> list[str]:
        with counted(connection) as sent:
            desk(client, day, view=view)
        return sent

    add(2)
    statements()
    few = statements()
    add(8)
    many = statements()
    assert len(many) <= len(few), many
    assert len(many) <= 23, many


def test_a_time_that_only_touches_the_day_is_not_in_it(
    session: Session, city: City, space: Space, person: Person, day: date
) -> None:
    """The claims that meet the window may be buffers of a booking that does not."""
    space.buffer_before_minutes = 120
    late = make_space(session, session.get_one(Venue, (city.id, space.venue_id)), hours=(time(0), time(0)))
    late.buffer_before_minutes = 120
    session.flush()
    compile_spaces(session, city, [late.id])
    after = Span(
        instant(day + timedelta(days=1), time(1), city.zone),
        instant(day + timedelta(days=1), time(2), city.zone),
    )
    book(session, city, late, actor_of(session, make_person(session, city)), after)
    (found,) = days_of(
        session,
        city,
        [(late, session.get_one(Venue, (city.id, late.venue_id)))],
        day_span(day, city.zone),
    )
    assert found.uses == []
    assert [(s.end, s.start) for s in found.calendar.taken], "but its buffer keeps the late evening"


def test_two_pages(session: Session, city: City, client_of: Callable[[str], FlaskClient], day: date) -> None:
    venue = make_venue(session, city)
    made = [make_space(session, venue, hours=None) for _ in range(51)]
    session.commit()
    client = client_of("staff")
    first = desk(client, day, view="week")
    second = desk(client, day, view="week", page="2")
    shown = [resource["id"] for page in (first, second) for resource in drawing(page)["resources"]]
    assert shown == [space.id for space in made]
    assert "51–51 of 51" in second


def test_signed_in_elsewhere(session: Session, city: City, client: FlaskClient) -> None:
    """A person who has only an empty organisation sees what to do."""
    person = make_person(session, city)
    join(session, person, make_organisation(session, city), "manager")
    sign_in(session, client, person)
    session.commit()
    assert "No spaces to show" in client.get("/en/desk/timeline").text
