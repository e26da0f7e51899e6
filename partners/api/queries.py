"""Reads for the API, put together from those of the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.timespan import Span, day_span
from spaces.calendar.queries import calendar_of
from spaces.calendar.rules import DAY, SpaceCalendar, midnight, offers
from spaces.catalog.errors import SpaceNotFound
from spaces.pricing.queries import price_on
from spaces.pricing.rules import PriceTerms
from spaces.search.queries import Answer, Hit, in_time, search
from spaces.search.question import Question


@dataclass(frozen=True)
class Availability:
    """A space's calendar, the times that can be booked, and the price in force on each day that has one."""

    calendar: SpaceCalendar
    times: list[Span]
    prices: dict[date, PriceTerms | None]
    minutes: int


def found_spaces(session: Session, city: City, question: Question, *, now: datetime) -> Answer:
    """The search's answer. Raises Unavailable where it would take too long."""
    with in_time():
        return search(session, city, question, now=now)


def listed_space(session: Session, city: City, space_id: int, *, now: datetime) -> Hit:
    """A published space as the search shows it. Raises SpaceNotFound."""
    answer = found_spaces(session, city, Question(space_ids=(space_id,), page_size=1), now=now)
    if not answer.hits:
        raise SpaceNotFound
    return answer.hits[0]


def availability(
    session: Session, city: City, space_id: int, days: Sequence[date], *, minutes: int | None, now: datetime
) -> Availability:
    """When the space can be booked on these consecutive local days, for a length that it sells. Raises SpaceNotFound.

    A time belongs to the day it begins on and may end on a later one.
    """
    zone = city.zone
    hit = listed_space(session, city, space_id, now=now)
    fitting = hit.rules.fitting_minutes(minutes)
    length = timedelta(minutes=fitting)
    within = Span(day_span(days[0], zone).start, day_span(days[-1], zone).end + length)
    # Starts are counted from an opening's beginning, which may lie on the day before.
    window = Span(midnight(days[0] - DAY, zone), within.end + DAY)
    calendar = calendar_of(session, city.id, space_id, window, zone)
    found = offers(calendar, hit.rules, minutes=fitting, within=within, zone=zone, now=now)
    priced = sorted({span.start.astimezone(zone).date() for span in found})
    prices = {day: price_on(session, city, space_id, day) for day in priced}
    return Availability(calendar, found, prices, fitting)
