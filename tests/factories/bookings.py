"""Bookings for tests, made by the actions themselves."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from bookings.lifecycle.actions import request_booking
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.timespan import Span, instant
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, Venue
from tests.factories.spaces import make_space, make_venue

numbers = count(1)
# A Tuesday, and a moment well before it. Tests say their own time, so they mean the same in any year.
DAY = date(2026, 12, 1)
NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def span_on(city: City, start: float, end: float, *, day: date = DAY) -> Span:
    """Local hours of a day as a span: span_on(city, 18, 19.5); an hour past 24 is the next day's."""

    def at(hour: float) -> datetime:
        on, rest = day + timedelta(days=int(hour // 24)), hour % 24
        return instant(on, time(int(rest), round(rest % 1 * 60)), city.zone)

    return Span(at(start), at(end))


def open_space(
    session: Session,
    city: City,
    venue: Venue | None = None,
    *,
    first: date = DAY,
    last: date | None = None,
    **fields: Any,
) -> Space:
    """A space whose openings are compiled for the month of `first`."""
    space = make_space(session, venue or make_venue(session, city), **fields)
    compile_spaces(session, city, [space.id], first=first, last=last or first.replace(day=28))
    return space


def book(
    session: Session,
    city: City,
    space: Space,
    actor: Actor,
    during: Span,
    *,
    at: datetime = NOW,
    **fields: Any,
) -> Booking:
    """A booking asked for in the ordinary way."""
    values: dict[str, Any] = {
        "purpose": "",
        "attendees": None,
        "organisation_id": None,
        "submission": f"submission-{next(numbers)}",
        **fields,
    }
    return request_booking(session, city, space, actor=actor, during=during, at=at, **values)
