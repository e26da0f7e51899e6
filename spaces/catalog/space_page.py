"""The page of a space as plain values: chosen length and time, days with their times, price box, facts and rules."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import quote as quoted

from babel.dates import format_date
from flask import url_for

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.timespan import Span, SpanSet, day_span, local_days
from marketplace.web.i18n import (
    DASH,
    N_,
    format_clock,
    format_day,
    format_duration,
    format_hours,
    format_money,
    format_number,
    format_span,
    localised,
    reader_language,
)
from marketplace.web.i18n import gettext as translated
from spaces.calendar.rules import DAY, BookingRules, SpaceCalendar, why_not
from spaces.catalog.access_present import AccessSection, access_section
from spaces.catalog.accessibility import known_of
from spaces.catalog.models import Space, Venue
from spaces.catalog.parts import VenueSpaces
from spaces.catalog.present import DayLine, bookable_span, capital, day_line, price_parts, wall_hours
from spaces.catalog.shown import Shown
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, PURPOSES
from spaces.pricing.cancel_texts import CancelLine, line_before_booking, moment_text
from spaces.pricing.present import from_text, group_texts, quote_lines
from spaces.pricing.rules import NOTE_TEXTS, PriceTerms, Quote, asks_each_time, quote
from spaces.rules.present import age_text, length_rule, rule_texts, who_text
from spaces.rules.queries import SpaceRules

MOST_STARTS = 16
MOST_OTHERS = 12
# Arguments that lead back to the results, and on to the booking.
KEPT = ("q", "where", "when", "people")
REFUSED = {
    "in-the-past": N_("This time has passed."),
    "too-late-to-book": N_("It is too late to book this time."),
    "too-far-ahead": N_("This time is too far ahead to be booked yet."),
    "too-short": N_("This space is not booked for so short a time."),
    "too-long": N_("This space is not booked for so long a time."),
    "not-open": N_("The space is closed then."),
    "odd-length": N_("Choose a length from the list."),
    "odd-start": N_("Choose one of the start times in the list."),
    "whole-days-only": N_("This space is booked by whole days."),
    "slot-taken": N_("Somebody has already booked this time."),
}


def gettext(text: str, **values: Any) -> str:
    """Flask-Babel's, with a type."""
    return str(translated(text, **values))


@dataclass(frozen=True)
class Start:
    """A time that may be chosen."""

    label: str
    spoken: str
    url: str
    chosen: bool


@dataclass(frozen=True)
class ShownDay:
    """One day with its times; `rest` waits behind a summary."""

    label: str
    line: DayLine
    starts: list[Start]
    rest: list[Start]
    is_past: bool
    reason: str = ""  # why it is closed or has other hours, in the owner's words


@dataclass(frozen=True)
class PriceBox:
    """The chosen time, what it costs, and the one way on."""

    when: str
    lines: list[tuple[str, str]]
    total: str
    vat: str
    button: str
    url: str
    repeat_url: str
    cancel: str
    cancel_icon: str
    cancel_line: CancelLine | None  # in the place of the sentence, where it goes in steps


@dataclass(frozen=True)
class PartChoice:
    """The whole or a part: its link, and which units it covers, for the drawing."""

    name: str
    capacity: int | None
    price: str
    url: str
    chosen: bool
    on: list[bool]


@dataclass
class SpacePage:
    """All that the template shows."""

    space: Space
    venue: Venue
    owner: Organisation
    rules: BookingRules
    city: City
    now: datetime
    minutes: int
    kept: dict[str, Any] = field(default_factory=dict)
    reasons: dict[date, Localised] = field(default_factory=dict)  # what the public is told about a day
    group: str = "resident"  # that the reader books for
    more: SpaceRules = field(default_factory=lambda: SpaceRules((), {}, (), ()))
    at_once: bool = True  # whether the reader's booking needs no answer
    free_hours: int | None = (
        None  # until when cancelling is free, where the price says another time than the rules
    )

    @property
    def today(self) -> date:
        return self.now.astimezone(self.city.zone).date()

    def url(self, space_id: int | None = None, **args: Any) -> str:
        """This page, or that of another part, with other arguments."""
        values = {"minutes": self.minutes, **self.kept, **args}
        return url_for(
            "catalog.space",
            space_id=space_id or self.space.id,
            **{name: value for name, value in values.items() if value},
        )

    @cached_property
    def start_prefix(self) -> str:
        """The address of a start without the start: there may be hundreds on a page."""
        here = self.url()
        return f"{here}{'&' if '?' in here else '?'}start="

    def length_text(self, minutes: int) -> str:
        return format_duration(minutes)

    def lengths(self) -> list[tuple[str, str]]:
        return [(str(m), format_duration(m)) for m in self.rules.lengths()]

    def local(self, span: Span) -> tuple[datetime, datetime]:
        return span.start.astimezone(self.city.zone), span.end.astimezone(self.city.zone)

    def start_text(self, span: Span) -> str:
        """The instant as it stands in addresses."""
        return self.local(span)[0].isoformat(timespec="minutes")

    def time_text(self, span: Span) -> str:
        """ti 11.5. klo 18.00–19.30; a day, or from one day to another."""
        start, end = self.local(span)
        if not self.rules.whole_days:
            return format_span(start, end)
        last = (end - timedelta(seconds=1)).date()
        first = format_day(start.date())
        return first if last == start.date() else f"{first} {DASH} {format_day(last)}"

    def days(
        self, shown: Shown, calendar: SpaceCalendar, free: dict[date, list[Span]], chosen: Span | None
    ) -> list[ShownDay]:
        """The shown days that are not past, each with its times."""
        return [self.day(day, calendar, free.get(day, []), chosen) for day in shown.days if day >= self.today]

    def day(self, day: date, calendar: SpaceCalendar, spans: list[Span], chosen: Span | None) -> ShownDay:
        starts = [self.start(span, chosen) for span in spans]
        cut = MOST_STARTS if len(starts) > MOST_STARTS + 2 else len(starts)
        line = day_line(calendar, self.rules, day, None, self.city, now=self.now, short=True)
        reason = localised(self.reasons.get(day))
        return ShownDay(capital(format_day(day)), line, starts[:cut], starts[cut:], day < self.today, reason)

    def start(self, span: Span, chosen: Span | None) -> Start:
        at = self.local(span)[0]
        day = format_day(at.date())
        label = day if self.rules.whole_days else format_clock(at)
        return Start(
            label=label,
            spoken="" if self.rules.whole_days else day,
            url=f"{self.start_prefix}{quoted(self.start_text(span), safe=':')}#price",
            chosen=span == chosen,
        )

    def refusal(self, calendar: SpaceCalendar, span: Span) -> str | None:
        """Why the chosen time cannot be booked, or None."""
        code = why_not(calendar, self.rules, span, zone=self.city.zone, now=self.now)
        return gettext(REFUSED[code]) if code else None

    def price_box(self, span: Span, terms: PriceTerms) -> PriceBox:
        cost = quote(terms, span, self.city.zone, group=self.group)
        total = format_money(cost.total)
        return PriceBox(
            when=self.time_text(span),
            lines=quote_lines(cost),
            total=from_text(total) if terms.per == "tariff" else total,
            vat=vat_text(cost) if terms.per != "tariff" else "",
            button=gettext("Say how you use it") if terms.per == "tariff" else self.button_text(cost, total),
            url=self.booking_url(span),
            repeat_url=""
            if asks_each_time(terms, len(local_days(span, self.city.zone)))
            else self.booking_url(span, "series.new"),
            cancel=self.cancel_text(span, cost),
            cancel_icon="check" if self.cancel_until(span, cost) > self.now else "info-circle",
            cancel_line=line_before_booking(
                cost,
                span.start,
                cancellation_hours=self.space.cancellation_hours,
                zone=self.city.zone,
                at=self.now,
            )
            if terms.per != "tariff"
            else None,
        )

    def button_text(self, cost: Quote, total: str) -> str:
        """The result with the sum."""
        if not self.at_once:
            return (
                gettext("Send a request, %(price)s", price=total) if cost.total else gettext("Send a request")
            )
        return gettext("Book %(price)s", price=total) if cost.total else gettext("Book free of charge")

    def booking_url(self, span: Span, endpoint: str = "lifecycle.new") -> str:
        start, end = self.local(span)
        length: dict[str, Any] = (
            {"end": end.isoformat(timespec="minutes")} if self.rules.whole_days else {"minutes": span.minutes}
        )
        people: dict[str, Any] = {name: self.kept[name] for name in ("people", "q") if name in self.kept}
        return url_for(
            endpoint,
            space_id=self.space.id,
            start=start.isoformat(timespec="minutes"),
            **length,
            **people,
        )

    def cancel_until(self, span: Span, cost: Quote) -> datetime:
        return span.start - timedelta(hours=cost.cancel.free_hours(self.space.cancellation_hours))

    def cancel_text(self, span: Span, cost: Quote) -> str:
        until = self.cancel_until(span, cost)
        if until <= self.now and cost.kept_percent < 100:
            return gettext(
                "If you cancel this booking, you pay %(share)s %% of the price.",
                share=format_number(cost.kept_percent),
            )
        if until <= self.now:
            return gettext("If you cancel this booking, you pay the whole price.")
        when = moment_text(until, self.city.zone)
        return gettext("You can cancel free of charge until %(when)s.", when=when)

    def per_text(self, terms: PriceTerms | None) -> str:
        if terms is None:
            return ""
        if terms.per == "free":
            return gettext("Free of charge")
        return "".join(price_parts(terms))

    def price_texts(self, terms: PriceTerms | None) -> list[str]:
        """Other prices than the base, by time and customer group; whose price the box shows, where groups differ."""
        if terms is None or not (texts := group_texts(terms)):
            return []
        if terms.varies_by_group:
            whose = gettext(NOTE_TEXTS[self.group])
            texts.append(gettext("Shown here: %(whose)s.", whose=whose))
        return texts

    def parts(self, venue_spaces: VenueSpaces, prices: dict[int, PriceTerms]) -> list[PartChoice]:
        """The whole and its parts, as the floor plan has them."""
        names = short_names([localised(part.names) for part in venue_spaces.parts])
        return [
            PartChoice(
                name=names[n],
                capacity=part.capacity,
                price=self.per_text(prices.get(part.id)),
                url=self.url(part.id, minutes=None, _anchor="book"),
                chosen=part.id == self.space.id,
                on=[unit in venue_spaces.covered[part.id] for unit in venue_spaces.units],
            )
            for n, part in enumerate(venue_spaces.parts)
        ]

    def others(self, venue_spaces: VenueSpaces) -> list[tuple[str, str]]:
        """Other spaces at the same place."""
        return [
            (localised(other.names), self.url(other.id, minutes=None))
            for other in venue_spaces.others[:MOST_OTHERS]
        ]

    def equipment(self) -> list[str]:
        return [gettext(EQUIPMENT[code]) for code in self.space.equipment if code in EQUIPMENT]

    def purposes(self) -> list[str]:
        return [gettext(PURPOSES[code]) for code in self.space.purposes if code in PURPOSES]

    def access(self) -> list[str]:
        """What is told to be there, in a few words each."""
        return [gettext(text) for code, text in ACCESSIBILITY.items() if code in self.venue.accessibility]

    @cached_property
    def accessibility(self) -> AccessSection:
        """All that is told, also what is not there, and what nobody has told."""
        return access_section(known_of(self.venue))

    def length_rule(self) -> str:
        """1–3 h, starts every 30 min."""
        return length_rule(self.rules)

    def rule_texts(self) -> list[str]:
        """The booking rules in words."""
        return rule_texts(
            self.space,
            self.rules,
            members=[one.name for one in self.more.members],
            trusted=[one.name for one in self.more.trusted],
            questions=self.more.questions,
            has_terms=bool(self.more.terms),
            free_hours=self.free_hours,
        )

    def who_texts(self) -> list[str]:
        """Whom the rules keep out, beside the button."""
        texts = [who_text(self.space, [one.name for one in self.more.members]), age_text(self.space)]
        return [text for text in texts if text]

    @property
    def approval_fact(self) -> str:
        """Whether this reader's booking would be confirmed at once."""
        return gettext("Bookable at once") if self.at_once else gettext("Owner confirms")

    def heading(self, shown: Shown) -> str:
        """Viikko 19, 10.–16.5. · toukokuu 2027."""
        if self.rules.whole_days:
            return capital(format_date(shown.first, "LLLL y", locale=reader_language()))
        number = shown.first.isocalendar().week
        return gettext("Week %(number)s, %(days)s", number=number, days=short_range(shown.first, shown.last))

    def week_data(self, shown: Shown, calendar: SpaceCalendar, chosen: Span | None) -> dict[str, Any]:
        """What the drawn week needs: wall-clock spans of free, taken and closed time."""
        zone = self.city.zone
        whole = Span(day_span(shown.first, zone).start, day_span(shown.last, zone).end)
        opened = calendar.open.clipped(whole)
        first_hour, last_hour = self.hours_shown(opened, shown)
        bookable = bookable_span(self.rules, self.city, now=self.now)
        free = calendar.free.clipped(whole)
        free = free.clipped(bookable) if bookable else SpanSet()
        taken = opened - calendar.free
        events = [
            *self.events(free, "free", ""),
            *self.events(taken, "taken", capital(gettext("booked"))),
            *self.events(
                SpanSet([whole]) - opened, "closed", capital(gettext("closed")), (first_hour, last_hour)
            ),
        ]
        if chosen is not None:
            events += self.events(SpanSet([chosen]), "selected", format_hours(*self.local(chosen)))
        return {
            "date": shown.first.isoformat(),
            "events": events,
            "minTime": f"{first_hour:02d}:00",
            "maxTime": f"{last_hour:02d}:00",
            "locale": reader_language(),
            "step": min(self.rules.interval_minutes, 60),
        }

    def hours_shown(self, opened: SpanSet, shown: Shown) -> tuple[int, int]:
        """7 to 22, or more where the space is open longer; never the dead of night of an open lawn."""
        first, last = 7, 22
        for span in opened:
            for day in shown.days:
                if (part := span.clipped(day_span(day, self.city.zone))) is None:
                    continue
                start, end = wall_hours(part, day, self.city)
                first = min(first, max(6, int(start)))
                last = max(last, min(24, -int(-end // 1)))
        return first, last

    def events(
        self, spans: SpanSet, kind: str, title: str, hours: tuple[int, int] | None = None
    ) -> list[dict[str, str]]:
        """One event for each local day that a span touches; cut to the shown hours where given."""
        found = []
        for span in spans:
            start, end = self.local(span)
            for n in range((end.date() - start.date()).days + 1):
                day = start.date() + n * DAY
                part = span.clipped(day_span(day, self.city.zone))
                if part is None:
                    continue
                a, b = wall_hours(part, day, self.city)
                if hours is not None:
                    a, b = max(a, hours[0]), min(b, hours[1])
                if a < b:
                    found.append({"start": wall(day, a), "end": wall(day, b), "kind": kind, "title": title})
        return found


def short_names(names: list[str]) -> list[str]:
    """Of "Gym, whole hall" and "Gym, half A" what differs: "Whole hall", "Half A"."""
    heads = {name.rpartition(", ")[0] for name in names}
    if len(heads) != 1 or "" in heads:
        return names
    return [capital(name.rpartition(", ")[2]) for name in names]


def wall(day: date, hour: float) -> str:
    minutes = round(hour * 60)
    if minutes >= 1440:
        day, minutes = day + DAY, minutes - 1440
    return f"{day.isoformat()}T{minutes // 60:02d}:{minutes % 60:02d}"


def short_range(first: date, last: date) -> str:
    """10.–16.5. · 10–16.5 · 10–16 May."""
    language = reader_language()
    if language == "en":
        month = format_date(last, "MMM", locale="en")
        start = (
            str(first.day)
            if first.month == last.month
            else f"{first.day} {format_date(first, 'MMM', locale='en')} "
        )
        return f"{start.rstrip()}{DASH}{last.day} {month}"
    dot = "." if language == "fi" else ""
    start = f"{first.day}{dot}" if first.month == last.month else f"{first.day}.{first.month}{dot}"
    return f"{start}{DASH}{last.day}.{last.month}{dot}"


def vat_text(cost: Quote) -> str:
    if not cost.total:
        return ""
    rate = format_number(float(Decimal(cost.vat_basis_points or 0) / 100))
    return gettext("Includes VAT %(rate)s %%, %(amount)s", rate=rate, amount=format_money(cost.vat))
