"""The .ics file of a booking."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from icalendar import Calendar, Component
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.calendar_file import calendar_file, status_of
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import STATES
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of

HELSINKI = ZoneInfo("Europe/Helsinki")


def event_of(body: bytes) -> Component:
    calendar = Calendar.from_ical(body.decode())
    (event,) = calendar.walk("VEVENT")
    return event


def made(city: City, booking: Booking) -> bytes:
    return calendar_file(
        city,
        booking,
        summary="Kallion talo, Iso sali",
        location="Kallion talo, Toinen linja 1",
        description="K7M2-9QXT",
        url="https://example.org/x",
        point=(60.184, 24.953),
    )


def test_the_file_has_place_zone_and_a_lasting_uid(
    signed_in_client: FlaskClient, session: Session, city: City, person: Person
) -> None:
    booking = book(
        session, city, open_space(session, city), actor_of(session, person), span_on(city, 18, 19.5)
    )
    session.commit()
    answer = signed_in_client.get(f"/fi/bookings/{booking.reference}.ics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{booking.reference}.ics"'
    event = event_of(answer.data)
    assert event["UID"] == f"{booking.reference}@helsinki.tilaa"
    assert event["DTSTART"].params["TZID"] == "Europe/Helsinki"
    assert event.decoded("DTSTART") == datetime(2026, 12, 1, 18, tzinfo=HELSINKI)
    assert event.decoded("DTEND") == datetime(2026, 12, 1, 19, 30, tzinfo=HELSINKI)
    assert event["SUMMARY"] == "Kallion talo, Iso sali"
    assert event["LOCATION"] == "Kallion talo, Toinen linja 1"
    assert event["STATUS"] == "CONFIRMED"
    assert b"BEGIN:VTIMEZONE" in answer.data


def test_a_cancelled_booking_is_cancelled_in_the_calendar_too(
    session: Session, city: City, person: Person
) -> None:
    actor = actor_of(session, person)
    booking = book(session, city, open_space(session, city), actor, span_on(city, 18, 19.5))
    before = event_of(made(city, booking))
    cancel_booking(session, city, booking, actor=actor, at=NOW + timedelta(hours=1))
    after = event_of(made(city, booking))
    assert after["UID"] == before["UID"]
    assert after.decoded("SEQUENCE") > before.decoded("SEQUENCE")
    assert after["STATUS"] == "CANCELLED"


@pytest.mark.parametrize("day", [date(2027, 3, 28), date(2027, 10, 31)])
def test_wall_time_is_right_on_days_when_the_clocks_change(
    session: Session, city: City, person: Person, day: date
) -> None:
    space = open_space(session, city, first=day, last=day, horizon_days=700)
    during = span_on(city, 8, 10, day=day)
    event = event_of(made(city, book(session, city, space, actor_of(session, person), during)))
    assert event["DTSTART"].to_ical() == f"{day:%Y%m%d}T080000".encode()
    assert event.decoded("DTSTART") == during.start
    assert event.decoded("DTEND") == during.end


def test_every_state_has_a_status() -> None:
    assert {status_of(state) for state in STATES} == {"CONFIRMED", "TENTATIVE", "CANCELLED"}
    assert status_of("awaiting_approval") == "TENTATIVE"
