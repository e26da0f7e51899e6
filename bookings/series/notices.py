"""Messages to people about a series: one mail for all its dates. The texts are the mail templates."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bookings.lifecycle.models import Booking
from bookings.lifecycle.notices import Notice
from bookings.series.models import SeriesSkip
from bookings.series.planning import LEFT_OUT
from bookings.series.queries import BookedSeries
from bookings.series.reasons import reason_of
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.money import Money
from spaces.catalog.models import Space

TEMPLATES = "bookings/series/mail/"


@dataclass(frozen=True)
class DateFacts:
    """One date, times in the city's zone. `space_names` where it is in another space than the series."""

    start: datetime
    end: datetime
    total: Money
    space_names: dict[str, str]
    keeps_old: bool


@dataclass(frozen=True)
class SkipFacts:
    """A date that is not booked: `reason` and its values to translate; none where the person left it out."""

    day: date
    reason: str
    values: dict[str, object]
    left_out: bool


@dataclass(frozen=True)
class SeriesFacts:
    """What every mail about a series may tell."""

    reference: str
    space_names: dict[str, str]
    venue_names: dict[str, str]
    streets: dict[str, str]
    dates: Sequence[DateFacts]
    skips: Sequence[SkipFacts]
    total: Money
    booker: str
    organisation: str | None
    owner: str
    purpose: str
    attendees: int | None
    instructions: dict[str, str]
    waits: bool


def facts_of(
    city: City,
    booked: BookedSeries,
    bookings: Sequence[Booking],
    spaces: dict[int, Space],
    *,
    skips: Sequence[SeriesSkip] = (),
    kept_ids: Collection[int] = (),
) -> SeriesFacts:
    """`kept_ids` are the dates that could not have a new time."""
    series = booked.series
    ordered = sorted(bookings, key=lambda booking: (booking.span, booking.id))
    return SeriesFacts(
        reference=series.reference,
        space_names=booked.space.names,
        venue_names=booked.venue.names,
        streets=booked.venue.streets,
        dates=[
            DateFacts(
                booking.span.start.astimezone(city.zone),
                booking.span.end.astimezone(city.zone),
                Money(booking.total_minor, booking.currency),
                spaces[booking.space_id].names if booking.space_id != series.space_id else {},
                booking.id in kept_ids,
            )
            for booking in ordered
        ],
        skips=[
            SkipFacts(skip.day, *reason_of(skip.code, skip.values), skip.code == LEFT_OUT)
            for skip in skips
            if skip.booking_id is None
        ],
        total=Money(sum(booking.total_minor for booking in ordered), city.currency),
        booker=booked.person.name,
        organisation=booked.organisation.name if booked.organisation else None,
        owner=booked.owner.name,
        purpose=series.purpose,
        attendees=series.attendees,
        instructions=booked.space.instructions,
        waits=any(booking.state == "awaiting_approval" for booking in ordered),
    )


def to_booker(booked: BookedSeries, what: str, facts: SeriesFacts, *, once: str, **more: object) -> Notice:
    """`what` is the template's name; `once` tells this mail from another of its kind."""
    return Notice(
        booked.person,
        TEMPLATES + what,
        f"series:{booked.series.id}:{what}:{once}",
        {"facts": facts, **more},
    )


def to_owner(booked: BookedSeries, facts: SeriesFacts, handler: Person) -> Notice:
    """A new request for many dates, for one of those who answer it."""
    return Notice(
        handler,
        TEMPLATES + "new_request",
        f"series:{booked.series.id}:new_request:{handler.id}",
        {"facts": facts},
    )
