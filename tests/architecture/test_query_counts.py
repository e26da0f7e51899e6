"""A page of a list asks the database as often for many rows as for few, and a booking with one press does not ask twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.actions import compile_spaces
from tests.factories.people import sign_in
from tests.factories.spaces import make_space, make_venue

# What a person or a program asks for most, and how many statements it may take.
LISTS = {
    "/en/": 20,
    "/en/spaces": 20,
    "/en/spaces?q=hall&people=4&when={day}": 20,
    "/api/v1/spaces": 12,
    "/api/v1/spaces?limit=100&when={day}&near=60.18,24.95": 12,
}


@contextmanager
def counted(connection: Connection) -> Iterator[list[str]]:
    """The statements that are sent meanwhile, savepoints aside."""
    sent: list[str] = []

    def note(conn: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "SET LOCAL")):
            sent.append(" ".join(statement.split()))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(connection, "before_cursor_execute", note)


@pytest.fixture
def add_spaces(session: Session, city: City) -> Callable[[int], None]:
    def add(count: int) -> None:
        made = [make_space(session, make_venue(session, city)) for _ in range(count)]
        compile_spaces(session, city, [space.id for space in made])
        session.commit()

    return add


@pytest.mark.parametrize("address", sorted(LISTS))
def test_more_rows_take_no_more_statements(
    client: FlaskClient, connection: Connection, add_spaces: Callable[[int], None], address: str
) -> None:
    path = address.format(day=(now() + timedelta(days=5)).date())

    def statements() -> list[str]:
        with counted(connection) as sent:
            assert client.get(path).status_code == 200
        return sent

    add_spaces(2)
    statements()  # the first visit may fill caches
    few = statements()
    add_spaces(8)
    many = statements()
    assert len(many) <= len(few), many
    assert len(many) <= LISTS[address], many


def test_a_booking_with_one_press_reads_nothing_twice(
    client: FlaskClient, connection: Connection, session: Session, city: City, person: Person
) -> None:
    space = make_space(session, make_venue(session, city))
    compile_spaces(session, city, [space.id])
    sign_in(session, client, person)
    session.commit()
    day = (now() + timedelta(days=20)).astimezone(city.zone)

    def book(hour: int) -> list[str]:
        start = day.replace(hour=hour, minute=0, second=0, microsecond=0).isoformat()
        data = {"start": start, "minutes": "60", "submission": uuid4().hex}
        with counted(connection) as sent:
            answer = client.post(f"/en/spaces/{space.id}/quick-booking", data=data)
        assert answer.status_code == 303
        assert "/bookings/" in answer.location
        return sent

    book(12)
    sent = book(14)
    # The calendar is looked at before there is a lock, and once more under it.
    twice = [statement for statement in set(sent) if sent.count(statement) > 1]
    assert all("opening_month" in statement for statement in twice), twice
    assert len(sent) <= 17, sent
