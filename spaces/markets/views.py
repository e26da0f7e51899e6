"""The plan of a market square for those who look for a stall: a day, the stalls that are free then, one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.clock import now as present_time
from marketplace.db import Localised, transaction
from marketplace.timespan import Span, day_span
from marketplace.web.access import public
from marketplace.web.i18n import (
    NBSP,
    format_day,
    format_hours,
    format_money,
    gettext,
    localised,
    ngettext,
    reader_language,
)
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import DAY, BookingRules, SpaceCalendar, offers
from spaces.catalog.errors import VenueNotFound
from spaces.catalog.models import Venue
from spaces.catalog.policy import may_view
from spaces.catalog.queries import venue_of_id
from spaces.catalog.shown import read_day, window_of
from spaces.catalog.space_page import PriceBox, SpacePage
from spaces.districts.models import District
from spaces.markets.errors import NoMarket
from spaces.markets.present import (
    Box,
    Drawing,
    drawing_of,
    facility_texts,
    size_text,
    stall_class_text,
)
from spaces.markets.queries import (
    SHOWN_DAYS,
    PlacedStall,
    free_counts,
    market_days,
    stalls_of,
)
from spaces.pricing.present import PER_TEXTS
from spaces.pricing.queries import group_for, prices_on
from spaces.pricing.rules import PriceTerms, quote
from spaces.rules.queries import confirmed_at_once

blueprint = page_blueprint("market", __name__)

AT = {"fi": f"klo{NBSP}", "sv": f"kl.{NBSP}", "en": ""}


@dataclass(frozen=True)
class DayChip:
    """A market day to choose."""

    label: str
    free: str
    url: str
    chosen: bool


@dataclass(frozen=True)
class ShownStall:
    """A stall on the plan of one day."""

    id: int
    number: str
    letter: str
    state: str  # free, taken or shut
    said: str  # what the label says beside the number
    size: str
    facilities: list[str]
    class_text: str
    price: str
    has_electricity: bool
    chosen: bool
    url: str
    box: Box | None


@dataclass(frozen=True)
class Day:
    """One market day: what is free, and what each stall costs."""

    day: date
    rules: Mapping[int, BookingRules]
    calendars: Mapping[int, SpaceCalendar]
    free: Mapping[int, Span]
    prices: Mapping[int, PriceTerms]


@blueprint.get("/markets/<int:venue_id>")
@public
def plan(venue_id: int) -> str:
    """The square on one of its market days (`day`), with the chosen stall's price (`stall`)."""
    city, actor, now = current_city(), current_actor(), present_time()
    with transaction() as session:
        venue = venue_of_id(session, city.id, venue_id)
        stalls = stalls_of(session, venue, states=("published",))
        if not stalls:
            # Whoever runs the place may look before anyone else can.
            if not may_view(actor, venue):
                raise VenueNotFound if venue.area is None else NoMarket
            stalls = stalls_of(session, venue, states=("draft", "submitted", "hidden"))
        if not stalls:
            raise NoMarket
        return plan_page(session, city, venue, stalls, now=now)


def plan_page(
    session: Session, city: City, venue: Venue, stalls: Sequence[PlacedStall], *, now: datetime
) -> str:
    ids = [one.id for one in stalls]
    rules = {one.id: booking_rules(one.space) for one in stalls}
    today = now.astimezone(city.zone).date()
    last = today + timedelta(days=max(rule.horizon_days for rule in rules.values()))
    asked = read_day(request.args.get("day", ""))
    days, further = shown_days(session, city, ids, rules, asked, first=today, last=last, now=now)
    day = asked if asked in days else next((one for one in days if asked is None or one >= asked), None)
    shown = None if day is None else look(session, city, ids, rules, day, now=now)
    chosen_id = read_id(request.args.get("stall", ""))
    chosen = next((one for one in stalls if one.id == chosen_id), None)
    counts = free_counts(session, city, ids, days) if days else {}
    if day is not None and shown is not None:
        counts[day] = len(shown.free)
    drawing = drawing_of(city, venue, stalls)
    group = "resident"
    if shown is not None:
        varied = next((terms for terms in shown.prices.values() if terms.varies_by_group), None)
        if varied is not None:
            group = group_for(session, city.id, varied, current_actor().acting_for)
    rows = shown_stalls(stalls, shown, chosen, drawing, city=city, venue=venue, group=group)
    box, refusal, page = price_box(session, city, venue, chosen, shown, now=now, group=group)
    return render_template(
        "spaces/markets/plan.html",
        page_id="search",
        venue=venue,
        place=place_of(session, venue),
        published=any(one.space.state == "published" for one in stalls),
        days=[chip(venue, one, counts.get(one, 0), day, chosen) for one in days],
        earlier_url=url_for("market.plan", venue_id=venue.id) if days and asked and days[0] > today else None,
        later_url=url_for("market.plan", venue_id=venue.id, day=further) if further else None,
        missed=format_day(asked) if asked and day != asked else "",
        day=day,
        day_text=format_day(day) if day else "",
        hours=hours_text(shown, city),
        stalls=rows,
        free=[row for row in rows if row.state == "free"],
        drawing=drawing,
        letters=letters_of(rows),
        chosen=next((row for row in rows if row.chosen), None),
        box=box,
        page=page,
        refusal=refusal,
        free_text=free_text(len(shown.free) if shown else 0),
    )


def read_id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def shown_days(
    session: Session,
    city: City,
    ids: Sequence[int],
    rules: Mapping[int, BookingRules],
    asked: date | None,
    *,
    first: date,
    last: date,
    now: datetime,
) -> tuple[list[date], date | None]:
    """The market days to choose from, and the one after them. From the first that can be booked, or from the asked one
    where that is further ahead."""
    notice = min(rule.notice_minutes for rule in rules.values())
    first = max(first, (now + timedelta(minutes=notice)).astimezone(city.zone).date())
    found = market_days(session, city, ids, first=first, last=last, count=SHOWN_DAYS + 1)
    if asked is not None and first <= asked <= last and (not found or asked > found[-1]):
        found = market_days(session, city, ids, first=asked, last=last, count=SHOWN_DAYS + 1)
    return found[:SHOWN_DAYS], found[SHOWN_DAYS] if len(found) > SHOWN_DAYS else None


def look(
    session: Session,
    city: City,
    ids: Sequence[int],
    rules: Mapping[int, BookingRules],
    day: date,
    *,
    now: datetime,
) -> Day:
    """What is free of all stalls on one day, with their prices."""
    zone = city.zone
    calendars = calendars_of(session, city.id, ids, window_of(day, day, zone), zone)
    whole = day_span(day, zone)
    free: dict[int, Span] = {}
    for id_, calendar in calendars.items():
        if not calendar.open.clipped(whole):
            continue
        rule = rules[id_]
        minutes = rule.fitting_minutes(None)
        # An hour of a market that goes past midnight may end on the next day.
        within = whole if rule.whole_days else Span(whole.start, whole.end + DAY)
        spans = offers(calendar, rule, minutes=minutes, within=within, zone=zone, now=now)
        first = next((span for span in spans if span.start < whole.end), None)
        if first is not None:
            free[id_] = first
    return Day(day, rules, calendars, free, prices_on(session, city, ids, day))


def shown_stalls(
    stalls: Sequence[PlacedStall],
    shown: Day | None,
    chosen: PlacedStall | None,
    drawing: Drawing | None,
    *,
    city: City,
    venue: Venue,
    group: str,
) -> list[ShownStall]:
    """The stalls of the day; without a market day all of them are shut."""
    whole = day_span(shown.day, city.zone) if shown else None
    prices: dict[tuple[PriceTerms, Span], str] = {}
    texts = {
        "free": gettext("free"),
        "taken": gettext("taken"),
        "shut": gettext("not on this market day"),
    }
    said: dict[tuple[Any, ...], str] = {}
    words: dict[tuple[Any, ...], tuple[str, list[str], str]] = {}
    address = url_for("market.plan", venue_id=venue.id, day=shown.day if shown else None, stall="")
    found = []
    for one in stalls:
        state, price = "shut", ""
        if shown is not None and whole is not None and shown.calendars[one.id].open.clipped(whole):
            span, terms = shown.free.get(one.id), shown.prices.get(one.id)
            state = "free" if span is not None and terms is not None else "taken"
            if span is not None and terms is not None:
                key = terms, span
                if key not in prices:
                    prices[key] = price_text(terms, span, shown.rules[one.id], city, group=group)
                price = prices[key]
        # Most stalls are like others, and words are dear: they are made once for each kind of stall.
        kind = one.stall.width_m, one.stall.depth_m, tuple(one.space.equipment), one.class_code
        if kind not in words:
            words[kind] = size_text(one), facility_texts(one), stall_class_text(one)
        size, facilities, class_text = words[kind]
        wording = state, price, kind
        if wording not in said:
            parts = [texts[state], size, *facilities]
            parts += [gettext("class %(name)s", name=class_text)] if class_text else []
            said[wording] = ", ".join([*parts, price] if price else parts)
        found.append(
            ShownStall(
                id=one.id,
                number=one.number,
                letter=one.class_code,
                state=state,
                said=said[wording],
                size=size,
                facilities=facilities,
                class_text=class_text,
                price=price,
                has_electricity="electricity" in one.space.equipment,
                chosen=chosen is not None and chosen.id == one.id and state == "free",
                url=f"{address}{one.id}#price",
                box=drawing.boxes.get(one.id) if drawing else None,
            )
        )
    return found


def price_text(terms: PriceTerms, span: Span, rules: BookingRules, city: City, *, group: str) -> str:
    """What the market day costs, or an hour of it."""
    if rules.whole_days:
        total = quote(terms, span, city.zone, group=group).total
        return format_money(total) if total else str(gettext("free of charge"))
    if terms.per == "free":
        return str(gettext("free of charge"))
    return f"{format_money(terms.amount)}{gettext(PER_TEXTS[terms.per])}"


def price_box(
    session: Session,
    city: City,
    venue: Venue,
    chosen: PlacedStall | None,
    shown: Day | None,
    *,
    now: datetime,
    group: str,
) -> tuple[PriceBox | None, str, dict[str, str] | None]:
    """(the box of a stall for the whole market day, why the chosen one cannot be booked, the way to the times of a stall
    that is sold by the hour)."""
    if chosen is None or shown is None:
        return None, "", None
    span, terms = shown.free.get(chosen.id), shown.prices.get(chosen.id)
    if span is None or terms is None:
        return None, gettext("Stall %(number)s is not free on this day.", number=chosen.number), None
    rules = shown.rules[chosen.id]
    if not rules.whole_days:
        url = url_for("catalog.space", space_id=chosen.id, day=shown.day, _anchor="times")
        return None, "", {"url": url, "price": price_text(terms, span, rules, city, group=group)}
    page = SpacePage(
        space=chosen.space,
        venue=venue,
        owner=session.get_one(Organisation, (city.id, venue.owner_id)),
        rules=rules,
        city=city,
        now=now,
        minutes=1440,
        group=group,
    )
    acting_for = current_actor().acting_for
    page.at_once = confirmed_at_once(session, chosen.space, [acting_for])[acting_for]
    return page.price_box(span, terms), "", None


def chip(venue: Venue, day: date, free: int, shown: date | None, chosen: PlacedStall | None) -> DayChip:
    return DayChip(
        format_day(day),
        free_text(free),
        url_for("market.plan", venue_id=venue.id, day=day, stall=chosen.id if chosen else None),
        day == shown,
    )


def free_text(count: int) -> str:
    return str(ngettext("%(num)d free", "%(num)d free", count))


def hours_text(shown: Day | None, city: City) -> str:
    """The hours of the day's market: from the first opening to the last closing."""
    if shown is None:
        return ""
    whole = day_span(shown.day, city.zone)
    spans = [
        span
        for calendar in shown.calendars.values()
        for span in calendar.open
        if whole.start <= span.start < whole.end
    ]
    if not spans:
        return ""
    start = min(span.start for span in spans).astimezone(city.zone)
    hours = format_hours(start, max(span.end for span in spans).astimezone(city.zone))
    return f"{AT[reader_language()]}{hours}"


def letters_of(rows: Sequence[ShownStall]) -> list[tuple[str, str]]:
    """(letter, words with the price) of each class on the plan; nothing where all are of one."""
    found: dict[str, str] = {}
    for row in rows:
        if row.letter and (row.letter not in found or (row.price and ":" not in found[row.letter])):
            found[row.letter] = f"{row.class_text}: {row.price}" if row.price else row.class_text
    return sorted(found.items()) if len(found) > 1 else []


def place_of(session: Session, venue: Venue) -> str:
    """Street and district."""
    names: Localised | None = None
    if venue.district_id is not None:
        district: Any = session.get(District, (venue.city_id, venue.district_id))
        names = district.names if district else None
    return ", ".join(text for text in (localised(venue.streets), localised(names)) if text)
