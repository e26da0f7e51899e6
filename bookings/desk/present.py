"""What the desk shows, in the reader's words. Times are wall-clock times of the city."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel.dates import format_date, format_timedelta
from flask import url_for
from flask_babel import force_locale

from bookings.desk.forms import Place
from bookings.desk.queries import Request, SpaceDays, Use
from bookings.desk.rules import DoorLabel, door_label, shown_hours
from bookings.lifecycle.added import equipment_text, use_text
from bookings.lifecycle.models import BookingAnswer
from bookings.lifecycle.pages import answer_views, gettext, place_text, status, time_text
from bookings.series.queries import SeriesHead
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.timespan import Span, SpanSet, day_span
from marketplace.web.i18n import (
    DASH,
    LANGUAGES,
    N_,
    format_clock,
    format_day,
    format_hours,
    localised,
    ngettext,
    reader_language,
)
from spaces.calendar.rules import DAY
from spaces.catalog.policy import may_handle, may_manage, may_read
from spaces.catalog.present import DayLine, capital, opening_text, wall_hours, write_clock
from spaces.catalog.vocabulary import PURPOSES

EVENING = (17, 22)

# Of a request that has just been answered, or that somebody else dealt with meanwhile: icon and sentence.
ANSWERED: Mapping[str, tuple[str, str]] = {
    "confirmed": ("ok", N_("Approved. A mail is on its way to %(name)s.")),
    "declined": ("ok", N_("Declined. A mail with your reason is on its way to %(name)s.")),
    "cancelled": ("no", N_("%(name)s has cancelled meanwhile.")),
    "expired": ("no", N_("Nobody answered %(name)s before the time began.")),
}
# While the answer can still be undone.
JUST_ANSWERED: Mapping[str, str] = {
    "confirmed": N_("Approved. The mail to %(name)s leaves in a few seconds."),
    "declined": N_("Declined. The mail with your reason to %(name)s leaves in a few seconds."),
}


@dataclass(frozen=True)
class Entry:
    """One use of a space on one day."""

    hours: str
    title: str
    detail: str
    kind: str
    label: str
    via: str
    url: str | None
    move_url: str | None


@dataclass(frozen=True)
class DayCell:
    """One day of one space: its entries, its hours, and the line that draws both."""

    day: str
    hours: str
    entries: list[Entry]
    line: DayLine


@dataclass(frozen=True)
class SpaceRow:
    """One space of the desk."""

    id: int
    name: str
    place: str
    capacity: int | None
    days: list[DayCell]
    door_url: str
    hours_url: str | None
    close_url: str | None
    customer_url: str | None


@dataclass(frozen=True)
class QueueRow:
    """One request in the queue."""

    reference: str
    state: str
    who: str
    when: str
    room: str
    purpose: str
    people: int | None
    ago: str
    url: str
    fits: bool | None  # None while the booker is asked for more
    fit: str
    answer: tuple[str, str] | None
    undo_seconds: int
    answers: list[
        tuple[str, str, str | None]
    ]  # to the space's questions: question, answer, address of a file
    added: list[str]  # equipment, and the use of an area priced by the tariff


@dataclass(frozen=True)
class DoorDay:
    """One column of the week for the door."""

    weekday: str
    number: str
    hours: str
    entries: list[tuple[str, str, str]]


def day_heading(day: date) -> str:
    """Tiistai 11.5. · Tisdag 11.5 · Tuesday 11 May."""
    language = reader_language()
    weekday = capital(format_date(day, "cccc", locale=language))
    return f"{weekday} {format_day(day).partition(chr(160))[2]}"


def week_heading(first: date) -> str:
    """Week 48, 23–29 Nov."""
    return gettext(
        "Week %(number)d, %(days)s", number=first.isocalendar().week, days=days_text(first, first + 6 * DAY)
    )


def days_text(first: date, last: date) -> str:
    """23.–29.11. · 23–29.11 · 23–29 Nov; both months where they differ."""
    until = format_day(last).partition(chr(160))[2]
    if first.month != last.month:
        return f"{format_day(first).partition(chr(160))[2]}{DASH}{until}"
    return f"{first.day}{'.' if reader_language() == 'fi' else ''}{DASH}{until}"


def use_kind(use: Use, space_id: int) -> str:
    """booking, waiting, closure, part (by way of another space) or taken."""
    if use.kind == "booking":
        if use.space_id != space_id:
            return "part"
        return "waiting" if use.is_waiting else "booking"
    return use.kind


def use_texts(use: Use, kind: str, *, sees_people: bool) -> tuple[str, str]:
    """Title and detail. People at the desk read who has the space; a crew reads what a door would say."""
    if kind == "closure":
        return localised(use.reasons) or gettext("Closed"), ""
    if kind == "taken":
        return gettext("Taken"), ""
    if not sees_people:
        title = label_text(public_label(use))
        # Whoever opens the door hands the equipment over.
        detail = [localised(use.space_names) if kind == "part" else "", equipment_text(use.lines)]
        return title, " · ".join(part for part in detail if part)
    title = use.organisation or use.person
    people = ngettext("%(num)d person", "%(num)d people", use.attendees) if use.attendees else ""
    by_way = localised(use.space_names) if kind == "part" else ""
    told = (by_way, use.purpose, people, equipment_text(use.lines))
    return title, " · ".join(part for part in told if part)


def hours_text(span: Span, day: date, city: City) -> str:
    """18.00–19.30; with the days where it begins or ends on another one."""
    start, end = span.start.astimezone(city.zone), span.end.astimezone(city.zone)
    midnight_after = end.date() == day + DAY and (end.hour, end.minute) == (0, 0)
    if start.date() == day and (end.date() == day or midnight_after):
        return format_hours(start, end)
    first = (
        format_clock(start) if start.date() == day else f"{format_day(start.date())} {format_clock(start)}"
    )
    last = format_clock(end) if end.date() == day else f"{format_day(end.date())} {format_clock(end)}"
    return f"{first}{DASH}{last}"


@dataclass(frozen=True)
class Addresses:
    """The addresses that stand in every row, as patterns: building each anew is most of the time of a long page."""

    booking: str
    move: str
    door: str
    hours: str
    close: str
    customer: str

    @classmethod
    def on(cls, place: Place, first: date) -> "Addresses":
        return cls(
            url_for("lifecycle.booking", reference="_"),
            url_for("timeline.move", reference="_", **place.args()),
            url_for("timeline.door", space_id=0, day=first),
            url_for("hours.week", space_id=0),
            url_for("hours.close", space_id=0),
            url_for("timeline.customer", space_id=0, day=place.day),
        )

    def of_booking(self, reference: str) -> str:
        return self.booking.replace("/_", f"/{reference}", 1)

    def of_move(self, reference: str) -> str:
        return self.move.replace("/_/", f"/{reference}/", 1)

    def of_door(self, space_id: int) -> str:
        return self.door.replace("/0/", f"/{space_id}/", 1)

    def of_hours(self, space_id: int) -> str:
        return self.hours.replace("/0/", f"/{space_id}/", 1)

    def of_customer(self, space_id: int) -> str:
        return self.customer.replace("/0/", f"/{space_id}/", 1)

    def of_close(self, space_id: int) -> str:
        return self.close.replace("/0/", f"/{space_id}/", 1)


@dataclass(frozen=True)
class Teller:
    """Says what a use is, to this actor at this moment."""

    city: City
    actor: Actor
    at: datetime
    addresses: Addresses

    def entries(self, days: SpaceDays) -> list[tuple[Use, Entry]]:
        """Every use of the space with its entry, whose hours are those of the day it begins on."""
        reads, handles = may_read(self.actor, days.venue), may_handle(self.actor, days.venue)
        return [(use, self.entry(use, days.space.id, reads=reads, handles=handles)) for use in days.uses]

    def entry(self, use: Use, space_id: int, *, reads: bool, handles: bool) -> Entry:
        kind = use_kind(use, space_id)
        title, detail = use_texts(use, kind, sees_people=reads)
        label = status(use.state)[1] if use.kind == "booking" else ""
        if kind == "closure" and localised(use.reasons):
            label = gettext("Closed")
        movable = kind in {"booking", "waiting"} and use.span.start > self.at and handles
        return Entry(
            hours_text(use.span, use.span.start.astimezone(self.city.zone).date(), self.city),
            title,
            detail,
            kind,
            label,
            localised(use.space_names) if kind == "part" else "",
            self.addresses.of_booking(use.reference) if use.reference and reads else None,
            self.addresses.of_move(use.reference) if movable else None,
        )


def cell_of(days: SpaceDays, entries: Sequence[tuple[Use, Entry]], day: date, city: City) -> DayCell:
    whole = day_span(day, city.zone)
    opened = days.calendar.open.clipped(whole)
    taken = days.calendar.taken.clipped(whole)
    free = opened - taken
    return DayCell(
        format_day(day),
        open_hours(days, opened, day, city),
        [
            replace(entry, hours=hours_text(use.span, day, city)) if use.span.start < whole.start else entry
            for use, entry in entries
            if use.span.overlaps(whole)
        ],
        DayLine(
            [wall_hours(span, day, city) for span in SpanSet([whole]) - opened],
            [wall_hours(span, day, city) for span in opened - free],
            None,
            capital(opening_text(day, opened, free, city)),
        ),
    )


def open_hours(days: SpaceDays, opened: SpanSet, day: date, city: City) -> str:
    """8–22; or that it is closed, and why."""
    if not opened:
        reason = localised(days.reasons_on(day))
        return gettext("Closed, %(reason)s", reason=reason) if reason else gettext("Closed")
    return ", ".join(
        f"{write_clock(round(a * 60))}{DASH}{write_clock(round(min(b, 24) * 60))}"
        for a, b in (wall_hours(span, day, city) for span in opened)
    )


def rows_of(
    found: Sequence[SpaceDays],
    told: Sequence[Sequence[tuple[Use, Entry]]],
    shown: Sequence[date],
    teller: Teller,
) -> list[SpaceRow]:
    """`told` are the entries of each space."""
    return [
        row_of(days, [cell_of(days, entries, day, teller.city) for day in shown], teller)
        for days, entries in zip(found, told, strict=True)
    ]


def row_of(days: SpaceDays, cells: list[DayCell], teller: Teller) -> SpaceRow:
    manages = may_manage(teller.actor, days.venue)
    return SpaceRow(
        days.space.id,
        localised(days.space.names),
        localised(days.venue.names),
        days.space.capacity,
        cells,
        teller.addresses.of_door(days.space.id),
        teller.addresses.of_hours(days.space.id) if manages else None,
        teller.addresses.of_close(days.space.id) if manages else None,
        teller.addresses.of_customer(days.space.id) if may_handle(teller.actor, days.venue) else None,
    )


def wall(at: datetime, city: City) -> str:
    """The wall-clock time without its offset, as the drawing takes it."""
    return at.astimezone(city.zone).isoformat(timespec="minutes")[:16]


def wall_pair(span: Span, city: City) -> tuple[str, str]:
    """Start and end on the wall. Where the clocks go back inside, the end may read earlier: then by what has passed."""
    start, end = wall(span.start, city), wall(span.end, city)
    if end <= start:
        end = (datetime.fromisoformat(start) + span.length).strftime("%Y-%m-%dT%H:%M")
    return start, end


def drawing_of(
    found: Sequence[SpaceDays],
    told: Sequence[Sequence[tuple[Use, Entry]]],
    rows: Sequence[SpaceRow],
    shown: Sequence[date],
    city: City,
) -> dict[str, Any]:
    """The data block of the timeline: one resource for each space, one event for each use and each closed stretch."""
    window = Span(day_span(shown[0], city.zone).start, day_span(shown[-1], city.zone).end)
    events: list[dict[str, Any]] = []
    hours: list[tuple[float, float]] = []
    for days, entries in zip(found, told, strict=True):
        for n, (use, entry) in enumerate(entries):
            hours += drawn_hours(use.span, shown, city)
            events.append(event_of(use, entry, n, days, city))
        taken = SpanSet(use.span for use in days.uses)
        for closed in SpanSet([window]) - days.calendar.open - taken:
            start, end = wall_pair(closed, city)
            events.append(
                {"resource": days.space.id, "start": start, "end": end, "kind": "shut", "title": ""}
            )
    first, last = shown_hours(hours)
    return {
        "view": "day" if len(shown) == 1 else "week",
        "date": shown[0].isoformat(),
        "locale": reader_language(),
        "first": first,
        "last": last,
        "resources": [
            {
                "id": row.id,
                "title": row.name,
                "sub": row.place if row.place != row.name else "",
                "close": row.close_url,
            }
            for row in rows
        ],
        "events": events,
    }


def drawn_hours(span: Span, shown: Sequence[date], city: City) -> list[tuple[float, float]]:
    """Hours of the shown days that this span needs; what goes on for days draws nothing wider."""
    if span.length >= timedelta(hours=20):
        return []
    start = span.start.astimezone(city.zone).date()
    if start not in shown:
        return []
    return [wall_hours(span, start, city)]


def event_of(use: Use, entry: Entry, n: int, days: SpaceDays, city: City) -> dict[str, Any]:
    start, end = wall_pair(use.span, city)
    event: dict[str, Any] = {
        "id": f"{days.space.id}-{n}",
        "resource": days.space.id,
        "start": start,
        "end": end,
        "kind": entry.kind,
        "title": ", ".join(part for part in (entry.title, entry.detail) if part),
    }
    if entry.url:
        event["url"] = entry.url
    if entry.move_url and not days.space.whole_days:
        event["move"] = entry.move_url
    return event


def lead_text(found: Sequence[SpaceDays], shown: Sequence[date], city: City, *, total: int) -> str:
    """12 spaces, 41 bookings, 9 free evening hours."""
    references = {use.reference for days in found for use in days.uses if use.reference}
    parts = [
        ngettext("%(num)d space", "%(num)d spaces", total),
        ngettext("%(num)d booking", "%(num)d bookings", len(references)),
    ]
    if len(shown) == 1:
        free = sum(
            min(end, EVENING[1]) - max(start, EVENING[0])
            for days in found
            for span in days.calendar.free.clipped(day_span(shown[0], city.zone))
            for start, end in [wall_hours(span, shown[0], city)]
            if start < EVENING[1] and end > EVENING[0]
        )
        parts.append(ngettext("%(num)d free evening hour", "%(num)d free evening hours", round(free)))
    return ", ".join(parts)


def queue_rows(
    requests: Sequence[Request],
    city: City,
    *,
    at: datetime,
    heads: Mapping[int, SeriesHead],
    undoable: Mapping[int, int],
    answers: Mapping[int, Sequence[BookingAnswer]],
) -> list[QueueRow]:
    """`heads` are the series that stand for their dates, `undoable` the seconds left for each answer, `answers` what the
    bookers said, by the booking's id."""
    return [
        queue_row(
            request,
            city,
            at=at,
            undo_seconds=undoable.get(request.listed.booking.id, 0),
            answers=answers.get(request.listed.booking.id, ()),
            head=heads.get(request.listed.booking.series_id or 0) if request.stands_for_series else None,
        )
        for request in requests
    ]


def queue_row(
    request: Request,
    city: City,
    *,
    at: datetime,
    undo_seconds: int,
    answers: Sequence[BookingAnswer],
    head: SeriesHead | None = None,
) -> QueueRow:
    item = request.listed
    booking = item.booking
    answer = None
    if undo_seconds:
        answer = "ok", gettext(JUST_ANSWERED[booking.state], name=item.person_name)
    elif booking.state in ANSWERED:
        icon, text = ANSWERED[booking.state]
        answer = icon, gettext(text, name=item.person_name)
    elif booking.state != "awaiting_approval":
        answer = "ok", status(booking.state)[1]
    fits, fit = fit_of(request)
    when, url = time_text(booking.span, city), url_for("lifecycle.booking", reference=booking.reference)
    if head is not None:
        if head.waiting > 1:
            when = gettext("%(time)s and %(num)s more dates", time=when, num=head.waiting - 1)
        if head.space_id == booking.space_id:
            url = url_for("series.show", reference=head.reference)
    return QueueRow(
        booking.reference,
        booking.state,
        item.organisation_name or item.person_name,
        when,
        place_text(item.space, item.venue),
        booking.purpose,
        booking.attendees,
        format_timedelta(
            booking.created_at - at, add_direction=True, format="short", locale=reader_language()
        ),
        url,
        fits,
        fit,
        answer,
        undo_seconds,
        answer_views(booking, answers),
        [text for text in (use_text(booking.outdoor_use), equipment_text(booking.lines)) if text],
    )


def fit_of(request: Request) -> tuple[bool | None, str]:
    """Whether the request still fits: the hours or the size may have changed since it was made. It holds its time, so
    nothing else can be there."""
    space, booking = request.listed.space, request.listed.booking
    if space.capacity is not None and booking.attendees is not None and booking.attendees > space.capacity:
        return False, gettext("More than the %(capacity)d people who fit here.", capacity=space.capacity)
    if not request.opens:
        return False, gettext("The space is not open during all of this time.")
    if booking.asked_at is not None:
        return None, gettext("You have asked for more. The booker has not answered yet.")
    return True, gettext("Fits the rules, nothing overlaps")


@lru_cache(maxsize=1)
def known_purposes() -> Mapping[str, frozenset[str]]:
    """The purposes of the list in every language: what people choose is stored as the text they saw."""
    texts: dict[str, set[str]] = {code: set() for code in PURPOSES}
    for language in LANGUAGES:
        with force_locale(language):
            for code, text in PURPOSES.items():
                texts[code].add(gettext(text))
    return {code: frozenset(found) for code, found in texts.items()}


def public_label(use: Use) -> DoorLabel:
    return door_label(
        organisation=use.organisation,
        purpose=use.purpose,
        is_certain=not use.is_waiting,
        known=known_purposes(),
    )


def label_text(label: DoorLabel) -> str:
    """Kallion Juniorit ry, Ball games; or only that it is booked."""
    if label.organisation is None:
        return gettext("Booked")
    purpose = gettext(PURPOSES[label.purpose]) if label.purpose else ""
    return ", ".join(part for part in (label.organisation, purpose) if part)


def door_days(days: SpaceDays, shown: Sequence[date], city: City) -> list[DoorDay]:
    """The week as anyone may read it."""
    return [door_day(days, day, city) for day in shown]


def door_day(days: SpaceDays, day: date, city: City) -> DoorDay:
    whole = day_span(day, city.zone)
    entries = []
    for use in days.uses:
        if not use.span.overlaps(whole):
            continue
        kind = use_kind(use, days.space.id)
        title, detail = use_texts(use, kind, sees_people=False)
        if kind == "waiting":
            title = gettext("Requested")
        entries.append((hours_text(use.span, day, city), title, detail))
    weekday = capital(format_date(day, "cccc", locale=reader_language()))
    return DoorDay(
        weekday,
        format_day(day).partition(chr(160))[2],
        open_hours(days, days.calendar.open.clipped(whole), day, city),
        entries,
    )
