"""Series for tests, made by the actions themselves."""

from datetime import date, datetime, time
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.series.actions import create_series
from bookings.series.models import Series, SeriesSkip
from bookings.series.planning import Ask
from bookings.series.rules import Recurrence
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from spaces.catalog.models import Space, Venue
from tests.factories.bookings import DAY, NOW, open_space

numbers = count(1)
LAST = date(2027, 5, 31)


def season_space(session: Session, city: City, venue: Venue | None = None, **fields: Any) -> Space:
    """A space that is open for half a year from `DAY` on, 20 € an hour, booked up to a year ahead."""
    return open_space(session, city, venue, last=LAST, **{"horizon_days": 365, **fields})


def weekly(times: int = 5, **fields: Any) -> Ask:
    """Tuesdays 18.00–19.30 from `DAY` on."""
    values: dict[str, Any] = {
        "rule": Recurrence(DAY, times=times),
        "starts": time(18),
        "minutes": 90,
        **fields,
    }
    return Ask(**values)


def repeat(
    session: Session,
    city: City,
    space: Space,
    actor: Actor,
    ask: Ask | None = None,
    *,
    at: datetime = NOW,
    **fields: Any,
) -> Series:
    """A series asked for in the ordinary way."""
    values: dict[str, Any] = {
        "purpose": "Choir",
        "attendees": 12,
        "organisation_id": None,
        "submission": f"series-submission-{next(numbers)}",
        "all_or_nothing": False,
        **fields,
    }
    return create_series(session, city, space, ask or weekly(), actor=actor, at=at, **values)


def dates_of(session: Session, series: Series) -> list[Booking]:
    return list(
        session.scalars(
            select(Booking)
            .where(Booking.city_id == series.city_id, Booking.series_id == series.id)
            .order_by(Booking.position, Booking.id)
            .execution_options(populate_existing=True)
        )
    )


def skips_of(session: Session, series: Series) -> list[SeriesSkip]:
    return list(
        session.scalars(
            select(SeriesSkip)
            .where(SeriesSkip.city_id == series.city_id, SeriesSkip.series_id == series.id)
            .order_by(SeriesSkip.position)
            .execution_options(populate_existing=True)
        )
    )
