"""A booking as an iCalendar file (RFC 5545)."""

import math
from collections.abc import Iterable
from typing import Any

from icalendar import Calendar, Event, vGeo

from bookings.lifecycle.models import Booking
from marketplace.cities.models import City

# Awaiting the owner's answer the time is held, but not sure.
TENTATIVE = frozenset({"held", "awaiting_payment", "awaiting_approval"})
SURE = frozenset({"confirmed", "completed", "no_show"})


def calendar_file(
    city: City,
    booking: Booking,
    *,
    summary: str,
    location: str,
    description: str,
    url: str,
    point: tuple[float, float] | None,
) -> bytes:
    """The file: wall-clock times in the city's zone, whose rules come with it. `point` is (latitude, longitude)."""
    event = event_of(
        city,
        booking,
        summary=summary,
        location=location,
        description=description,
        url=url,
        point=point,
    )
    return calendar_of([event])


def calendar_of(events: Iterable[Event], **properties: Any) -> bytes:
    """These events as one file with the rules of their zones; `properties` such as x_wr_calname."""
    calendar = Calendar()
    calendar.add("prodid", "-//Tilaa//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for name, value in properties.items():
        calendar.add(name.replace("_", "-"), value)
    for event in events:
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def event_of(
    city: City,
    booking: Booking,
    *,
    summary: str,
    location: str,
    description: str,
    url: str,
    point: tuple[float, float] | None,
) -> Event:
    """One event. The UID stays the same through all changes and SEQUENCE grows, so that a calendar that has the booking
    takes a cancellation as one."""
    event = Event()
    event.add("uid", f"{booking.reference}@{city.slug}.tilaa")
    event.add("dtstamp", booking.changed_at)
    event.add("last-modified", booking.changed_at)
    event.add("created", booking.created_at)
    event.add("sequence", sequence_of(booking))
    event.add("dtstart", booking.span.start.astimezone(city.zone))
    event.add("dtend", booking.span.end.astimezone(city.zone))
    event.add("summary", summary)
    event.add("location", location)
    event.add("description", description)
    event.add("url", url)
    if point is not None:
        event.add("geo", vGeo(point))
    event.add("status", status_of(booking.state))
    event.add("transp", "TRANSPARENT" if status_of(booking.state) == "CANCELLED" else "OPAQUE")
    return event


def sequence_of(booking: Booking) -> int:
    """Seconds from the making to the last change, rounded up: it grows with every change, and fits the 32 bits that
    calendars give it."""
    return max(0, math.ceil((booking.changed_at - booking.created_at).total_seconds()))


def status_of(state: str) -> str:
    """The event's STATUS for a booking's state."""
    if state in SURE:
        return "CONFIRMED"
    return "TENTATIVE" if state in TENTATIVE else "CANCELLED"
