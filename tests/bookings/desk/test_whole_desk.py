"""Every address of the owner's desk, tried by everybody who has no business there, and with every wrong input.

The addresses come from the url map, so a page that is added is tried as well.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.db import Base
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, SpaceUnit, Venue
from tests.bookings.desk.conftest import STRANGERS
from tests.factories.bookings import book
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_person
from tests.factories.spaces import make_space, make_venue

# Nobody of these may change anything; the last ones may not even read.
POWERLESS = ("viewer", "crew", *STRANGERS)
# Open to everyone who is signed in: they show what one's own rights reach, which may be nothing.
FOR_ANYONE = {
    "attendance.today",
    "desk.listings",
    "desk.new",
    "market.markets",
    "market.new",
    "timeline.day",
    "timeline.requests",
}
# Open to whoever answers at some place; without a chosen row they say so.
FOR_CHOSEN = {"desk.change_many", "timeline.approve_many", "timeline.decline_many", "timeline.undo_many"}
# Tables that reading a page may write to.
UNWATCHED = {"signed_in_session", "rate_limit", "rate_count"}
HOSTILE = (
    "a" * 20_000,
    "\x00",
    "<script>alert(1)</script>",
    "9" * 30,
    "NaN",
    "0001-01-01",
    "9999-12-31",
    "٣",
    "%s %(x)s {0}",
)


@dataclass(frozen=True)
class Ids:
    """What stands for the names in a rule's address."""

    values: dict[str, object]

    def path(self, rule: Rule) -> str:
        def value(found: re.Match[str]) -> str:
            return str(self.values.get(found[1], 1))

        return re.sub(r"<(?:[^:>]+:)?(\w+)>", value, rule.rule.replace("<lang:lang>", "en"))


def ids_of(venue: Venue, space: Space, unit_id: int, booking: Booking, person: Person) -> Ids:
    return Ids(
        {
            "venue_id": venue.id,
            "space_id": space.id,
            "unit_id": unit_id,
            "reference": booking.reference,
            "organisation_id": venue.owner_id,
            "person_id": person.id,
            "valid_from": "2020-01-01",
        }
    )


def unit_of(session: Session, space: Space) -> int:
    return session.scalars(
        SpaceUnit.__table__.select()
        .with_only_columns(SpaceUnit.unit_id)
        .where(SpaceUnit.space_id == space.id)
    ).one()


@pytest.fixture
def ids(
    session: Session,
    city: City,
    venue: Venue,
    space: Space,
    person: Person,
    at_hours: Callable[[float, float], Span],
) -> Ids:
    booking = book(session, city, space, actor_of(session, person), at_hours(18, 20))
    session.commit()
    return ids_of(venue, space, unit_of(session, space), booking, person)


@pytest.fixture
def ids_of_another_city(session: Session, at_hours: Callable[[float, float], Span]) -> Ids:
    city = make_city(session, slug="vantaa")
    venue = make_venue(session, city)
    space = make_space(session, venue, approval="handler")
    compile_spaces(session, city, [space.id])
    person = make_person(session, city)
    booking = book(session, city, space, actor_of(session, person), at_hours(18, 20))
    session.commit()
    return ids_of(venue, space, unit_of(session, space), booking, person)


def desk_rules(app: Flask, method: str) -> list[Rule]:
    found = [
        rule for rule in app.url_map.iter_rules() if "/desk" in rule.rule and method in (rule.methods or ())
    ]
    assert len(found) > 10
    return found


def everything(session: Session) -> dict[str, str | None]:
    """A fingerprint of each table."""
    session.expire_all()
    return {
        table.name: session.scalar(
            text(f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table.name}" t')
        )
        for table in Base.metadata.sorted_tables
        if table.name not in UNWATCHED
    }


@pytest.mark.parametrize("what", POWERLESS)
def test_nobody_without_a_right_changes_anything(
    app: Flask, session: Session, ids: Ids, client_of: Callable[[str], FlaskClient], what: str
) -> None:
    client = client_of(what)
    before = everything(session)
    answers = {
        rule.endpoint: client.post(
            ids.path(rule), data={"reason": "x", "state": "archived", "do": "save", "save": "1"}
        ).status_code
        for rule in desk_rules(app, "POST")
    }
    assert everything(session) == before
    # 422: a form that is open to everyone and that was not filled in.
    accepted = {endpoint for endpoint, status in answers.items() if status not in {302, 303, 403, 404}}
    assert accepted <= FOR_ANYONE | FOR_CHOSEN
    assert {status for status in answers.values() if status >= 500} == set()


@pytest.mark.parametrize("what", STRANGERS)
def test_strangers_read_nothing(
    app: Flask, ids: Ids, client_of: Callable[[str], FlaskClient], what: str
) -> None:
    client = client_of(what)
    for rule in desk_rules(app, "GET"):
        answer = client.get(ids.path(rule))
        if answer.status_code == 200:
            assert rule.endpoint in FOR_ANYONE, rule
        if what != "booker":
            assert "Aino Korhonen" not in answer.text, rule


def test_nobody_is_sent_to_sign_in(app: Flask, client: FlaskClient, session: Session, ids: Ids) -> None:
    before = everything(session)
    for method in ("GET", "POST"):
        for rule in desk_rules(app, method):
            answer = client.open(ids.path(rule), method=method)
            assert answer.status_code in {302, 303}, rule
            assert "/sign-in" in answer.location, rule
    assert everything(session) == before


@pytest.mark.parametrize("what", ["staff", "manager"])
def test_ids_of_another_city_are_not_found(
    app: Flask,
    session: Session,
    ids_of_another_city: Ids,
    client_of: Callable[[str], FlaskClient],
    what: str,
) -> None:
    client = client_of(what)
    before = everything(session)
    for method in ("GET", "POST"):
        for rule in desk_rules(app, method):
            if rule.arguments == {"lang"}:
                continue
            answer = client.open(
                ids_of_another_city.path(rule), method=method, data={"reason": "x", "save": "1", "do": "save"}
            )
            # To the page a GET on a form's address belongs to, which is not found in its turn.
            while answer.status_code in {302, 303}:
                answer = client.get(answer.location)
            assert answer.status_code in {403, 404}, (method, rule, answer.status_code)
    assert everything(session) == before


@pytest.fixture
def with_tokens(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = True
    yield
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.usefixtures("with_tokens")
def test_a_form_without_its_token_does_nothing(
    app: Flask, session: Session, ids: Ids, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("manager")
    before = everything(session)
    for rule in desk_rules(app, "POST"):
        answer = client.post(ids.path(rule), data={"reason": "x", "state": "archived", "save": "1"})
        assert answer.status_code == 400, rule
        answer = client.post(ids.path(rule), data={"csrf_token": "made-up", "reason": "x"})
        assert answer.status_code == 400, rule
    assert everything(session) == before


def field_names(app: Flask, client: FlaskClient, ids: Ids) -> set[str]:
    """Of every form on every page of the desk."""
    names: set[str] = set()
    for rule in desk_rules(app, "GET"):
        names |= set(
            re.findall(
                r'<(?:input|select|textarea|button)[^>]* name="([^"]+)"', client.get(ids.path(rule)).text
            )
        )
    return names - {"csrf_token"}


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value[:12]))
def test_no_input_is_our_error(
    app: Flask, session: Session, ids: Ids, client_of: Callable[[str], FlaskClient], value: str
) -> None:
    client = client_of("staff")
    names = field_names(app, client, ids)
    assert len(names) > 50
    failures = {}
    for rule in desk_rules(app, "POST"):
        for extra in ({}, {"do": "save", "save": "1"}):
            data = {**dict.fromkeys(names - {"do", "save", "preview", "more"}, value), **extra}
            answer = client.post(ids.path(rule), data=data)
            session.rollback()
            if answer.status_code >= 500:
                failures[rule.endpoint] = answer.status_code
            assert "<script>alert" not in answer.text, rule
    assert failures == {}


def test_a_form_too_large_is_refused(
    app: Flask, session: Session, ids: Ids, client_of: Callable[[str], FlaskClient]
) -> None:
    """As one field, as very many fields, and as very many rows."""
    client = client_of("manager")
    before = everything(session)
    for data in (
        {"names_fi": "a" * 3_000_000},
        {f"field-{n}": "x" for n in range(5000)},
        {f"rules-{n}-opens": "08:00" for n in range(3000)},
    ):
        for rule in desk_rules(app, "POST"):
            if rule.endpoint in {"hours.week", "prices.change", "desk.space", "desk.venue"}:
                answer = client.post(ids.path(rule), data={**data, "save": "1", "do": "save"})
                assert answer.status_code in {413, 422, 400}, (rule, answer.status_code)
    assert everything(session) == before
