"""The demo's bookings are bookings like any other."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.demo import (
    DAYS_AHEAD,
    DAYS_BACK,
    HER_ASSOCIATION,
    MAIN_PERSON,
    YOUTH_DIVISION,
    load_demo_bookings,
)
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import HOLDING
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span, day_span, local_days
from spaces.calendar.actions import compile_spaces
from spaces.calendar.models import Claim, DaySheet
from spaces.calendar.queries import calendars_of
from spaces.calendar.rules import sheet_word
from spaces.catalog.models import Space
from tests.factories.people import join, make_organisation, make_person
from tests.factories.spaces import make_space, make_unit, make_venue


@pytest.fixture
def spaces(session: Session, city: City) -> list[Space]:
    """A small city: halls with halves, saunas, library rooms, and a room of the youth division."""
    found = []
    for kind in ("library_room", "sauna", "community_room", "meeting_room", "sports_hall"):
        venue = make_venue(session, city)
        a, b = make_unit(session, venue), make_unit(session, venue)
        found += [make_space(session, venue, units=units, kind=kind) for units in ([a, b], [a], [b])]
    youth = make_organisation(session, city, name=YOUTH_DIVISION, kind="city_division")
    found.append(make_space(session, make_venue(session, city, owner=youth), approval="handler"))
    aino = make_person(session, city, email=MAIN_PERSON)
    join(session, aino, make_organisation(session, city, name=HER_ASSOCIATION), "manager")
    compile_spaces(session, city, [space.id for space in found])
    load_demo_bookings(session, city)
    session.commit()
    return found


def test_they_keep_to_calendars_claims_and_sheets(session: Session, city: City, spaces: list[Space]) -> None:
    today = now().astimezone(city.zone).date()
    first, last = today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
    window = Span(day_span(first, city.zone).start, day_span(last + timedelta(days=1), city.zone).end)
    calendars = calendars_of(session, city.id, [space.id for space in spaces], window, city.zone)
    holders = set(session.scalars(select(Claim.holder_id)))
    bookings = session.scalars(select(Booking)).all()
    assert len(bookings) > 40
    for booking in bookings:
        assert calendars[booking.space_id].open.contains(booking.span)
        assert (booking.id in holders) == (booking.state in HOLDING)
        assert (booking.span.end <= now()) == (booking.state in {"completed", "no_show"}) or (
            booking.state == "cancelled"
        )
        assert booking.created_at < min(booking.span.start, now())
    for space_id, calendar in calendars.items():
        for sheet in session.scalars(select(DaySheet).where(DaySheet.space_id == space_id)):
            for day in local_days(window, city.zone):
                if day.replace(day=1) == sheet.month:
                    assert sheet.free[day.day - 1] == sheet_word(calendar.free, day, city.zone)


def test_the_demo_account_has_some_of_each_and_a_request_waits(
    session: Session, city: City, spaces: list[Space]
) -> None:
    hers = session.scalars(
        select(Booking)
        .join(Person, (Person.city_id == Booking.city_id) & (Person.id == Booking.person_id))
        .where(Person.email == MAIN_PERSON)
    ).all()
    assert {booking.state for booking in hers} == {"completed", "cancelled", "confirmed", "awaiting_approval"}
    assert any(booking.organisation_id for booking in hers)
    assert any(booking.organisation_id is None for booking in hers)
    (asked,) = [booking for booking in hers if booking.state == "awaiting_approval"]
    assert asked.space_id == spaces[-1].id


def test_loading_again_changes_nothing(session: Session, city: City, spaces: list[Space]) -> None:
    before = session.scalar(select(func.count()).select_from(Booking))
    load_demo_bookings(session, city)
    assert session.scalar(select(func.count()).select_from(Booking)) == before
