"""What is said of a space wherever it is shown, in the reader's language. Times are wall-clock times of the city."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.cities.models import City
from marketplace.timespan import Span, SpanSet, day_span
from marketplace.web.assets import asset
from marketplace.web.i18n import (
    DASH,
    NBSP,
    format_day,
    format_money,
    gettext,
    localised,
    reader_language,
)
from spaces.calendar.rules import BookingRules, SpaceCalendar
from spaces.catalog.models import Space, Venue
from spaces.catalog.vocabulary import DRAWINGS, KINDS
from spaces.pricing.present import from_text, per_text
from spaces.pricing.rules import PriceTerms


@dataclass(frozen=True)
class DayLine:
    """A day from 7 to 22 as hours, and the sentence that says the same."""

    closed: list[tuple[float, float]]
    busy: list[tuple[float, float]]
    want: tuple[float, float] | None
    sentence: str


def drawing(kind: str) -> str:
    return asset(f"art/{DRAWINGS.get(kind, 'meeting')}.svg")


def kind_name(kind: str) -> str:
    return str(gettext(KINDS[kind]) if kind in KINDS else gettext("Space"))


def full_name(space: Space, venue: Venue) -> str:
    """The place and the space in it; the space alone where its name tells the place."""
    name, place = localised(space.names), localised(venue.names)
    return name if place in name or not place else f"{place}, {name}"


def price_parts(terms: PriceTerms | None) -> tuple[str, str]:
    """("8 €", "/h"); the least where it depends on what the booker says; nothing for a space without a price."""
    if terms is None:
        return "", ""
    amount = format_money(terms.amount)
    return from_text(amount) if terms.per == "tariff" else amount, per_text(terms)


def write_clock(minute: int) -> str:
    return f"{minute // 60}.{minute % 60:02d}" if minute % 60 else str(minute // 60)


def wall_hours(span: Span, day: date, city: City) -> tuple[float, float]:
    """The span as wall-clock hours of this day; 24 and more past its midnight."""

    def hours(at: datetime) -> float:
        local = at.astimezone(city.zone)
        return (local.date() - day).days * 24 + local.hour + local.minute / 60

    return hours(span.start), hours(span.end)


def day_line(
    calendar: SpaceCalendar,
    rules: BookingRules,
    day: date,
    want: tuple[float, float] | None,
    city: City,
    *,
    now: datetime,
    next_ones: bool = False,
    short: bool = False,
) -> DayLine:
    """How this day is for someone who books now. What it is too late or too early to book is drawn as closed."""
    whole = day_span(day, city.zone)
    bookable = bookable_span(rules, city, now=now)
    part = bookable.clipped(whole) if bookable else None
    opened = calendar.open.clipped(part) if part else SpanSet()
    free = calendar.free.clipped(part) if part else SpanSet()
    if opened or not calendar.open.clipped(whole):
        text = opening_text(day, opened, free, city)
    elif bookable and whole.start >= bookable.end:
        text = gettext("cannot be booked yet")
    else:
        text = gettext("too late to book")
    name = "" if short else capital(format_day(day)) + " "
    follow = " " + gettext("Next free times:") if next_ones else ""
    return DayLine(
        closed=[wall_hours(span, day, city) for span in SpanSet([whole]) - opened],
        busy=[wall_hours(span, day, city) for span in opened - free],
        want=want,
        sentence=f"{name}{text}.{follow}" if follow else f"{name}{text}",
    )


def bookable_span(rules: BookingRules, city: City, *, now: datetime) -> Span | None:
    """When a booking made now may begin, from the next quarter of an hour on."""
    bookable = rules.bookable(now=now, zone=city.zone)
    if bookable is None:
        return None
    start = bookable.start.replace(second=0, microsecond=0)
    start += timedelta(minutes=-start.minute % 15)
    return Span(start, bookable.end) if start < bookable.end else None


def opening_text(day: date, opened: SpanSet, free: SpanSet, city: City) -> str:
    """vapaana klo 7–9 ja 18–22"""
    if not opened:
        return str(gettext("closed"))
    if not free:
        return str(gettext("fully booked"))
    return str(gettext("free %(hours)s", hours=hours_list(free, day, city)))


def hours_list(free: SpanSet, day: date, city: City) -> str:
    """klo 7–9, 13–15.30 ja 18–22; all day where nothing is shut; at most four stretches."""
    spans = [wall_hours(span, day, city) for span in free if span.minutes >= 15]
    if spans == [(0.0, 24.0)]:
        return str(gettext("all day"))
    texts = [f"{write_clock(round(a * 60))}{DASH}{write_clock(round(min(b, 24) * 60))}" for a, b in spans]
    at = {"fi": f"klo{NBSP}", "sv": f"kl.{NBSP}", "en": ""}[reader_language()]
    if len(texts) > 4:
        return at + ", ".join(texts[:4]) + " …"
    return at + in_a_row(texts)


def in_a_row(texts: list[str]) -> str:
    """a, b and c."""
    if len(texts) < 2:
        return "".join(texts)
    return str(gettext("%(first)s and %(last)s", first=", ".join(texts[:-1]), last=texts[-1]))


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
