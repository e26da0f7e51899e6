"""A feed as an iCalendar file. There is no door code in it, nor a reason, a price or an address of a person."""

from datetime import datetime, timedelta

from flask import url_for
from icalendar import Event

from bookings.feeds.queries import OpenFeed
from bookings.lifecycle.calendar_file import calendar_of, event_of
from bookings.lifecycle.pages import gettext, place_text, street_text
from bookings.lifecycle.queries import ListedBooking
from marketplace.cities.models import City
from marketplace.timespan import Span
from marketplace.web.i18n import localised

# How often a program should ask.
REFRESH = timedelta(hours=1)


def name_of(feed: OpenFeed) -> str:
    """What the calendar is called in the program that shows it."""
    if feed.organisation is not None:
        return feed.organisation.name
    if feed.subject.space is not None and feed.subject.venue is not None:
        return place_text(feed.subject.space, feed.subject.venue)
    return gettext("My space bookings")


def file_of_bookings(city: City, feed: OpenFeed, rows: list[ListedBooking]) -> bytes:
    return calendar_of(
        [event(city, feed, row) for row in rows], x_wr_calname=name_of(feed), refresh_interval=REFRESH
    )


def event(city: City, feed: OpenFeed, row: ListedBooking) -> Event:
    """For the booker's side where it is; for those who run the space also who has it."""
    booking, venue = row.booking, row.venue
    room = place_text(row.space, venue)
    whom = row.organisation_name or row.person_name
    told = [gettext("Booking %(reference)s", reference=booking.reference)]
    if booking.purpose:
        told.append(booking.purpose)
    if feed.feed.kind == "space":
        summary = f"{whom}, {room}"
        if booking.attendees:
            told.append(gettext("%(num)d people", num=booking.attendees))
    else:
        summary = room
        if row.organisation_name and feed.feed.kind == "person":
            told.append(row.organisation_name)
    return event_of(
        city,
        booking,
        summary=summary,
        location=", ".join(part for part in (localised(venue.names), street_text(venue)) if part),
        description="\n".join(told),
        url=url_for("lifecycle.booking", reference=booking.reference, _external=True),
        point=(venue.lat, venue.lon) if venue.lat is not None and venue.lon is not None else None,
    )


def file_of_taken(city: City, feed: OpenFeed, spans: list[Span], *, at: datetime) -> bytes:
    """When the space is taken; no names, no numbers, no references."""
    space_id = feed.feed.space_id
    events = []
    for span in spans:
        busy = Event()
        busy.add("uid", f"taken-{space_id}-{span.start:%Y%m%dT%H%M%SZ}@{city.slug}.tilaa")
        busy.add("dtstamp", feed.feed.created_at)
        busy.add("dtstart", span.start.astimezone(city.zone))
        busy.add("dtend", span.end.astimezone(city.zone))
        busy.add("summary", gettext("Taken"))
        busy.add("transp", "OPAQUE")
        busy.add("class", "PUBLIC")
        events.append(busy)
    return calendar_of(events, x_wr_calname=name_of(feed), refresh_interval=REFRESH)
