"""What the result rows and filters say, in the reader's language. Times are wall-clock times of the city."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import uuid4

from flask import url_for

from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.web.i18n import (
    N_,
    NBSP,
    format_clock,
    format_day,
    format_distance,
    format_duration,
    format_hours,
    format_money,
    gettext,
    localised,
    reader_language,
)
from spaces.catalog.access_present import lowered
from spaces.catalog.accessibility import VIEWPOINTS
from spaces.catalog.present import DayLine, capital, day_line, drawing, full_name, kind_name, price_parts
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, KINDS, PURPOSES
from spaces.districts.queries import DistrictName
from spaces.photos.present import thumbnail
from spaces.pricing.present import from_text
from spaces.pricing.rules import CUSTOMER_GROUPS, NOTE_TEXTS, wall
from spaces.search.forms import PRICES, Asked
from spaces.search.queries import Hit, Offer
from spaces.search.question import Question
from spaces.search.reason_texts import reason_text

MOST_CHIPS = 3
# Of a window so many days are shown, with so many times of each.
MOST_DAYS, MOST_CHIPS_OF_DAY = 3, 2
# So many reasons a row says.
MOST_REASONS = 3
# Kinds shown at once; the others wait behind "All kinds".
MOST_KINDS = 8
MOST_ACCESS = 6
MOST_DISTRICTS = 6
SHORT_ACCESS = ("step_free_entrance", "accessible_toilet", "lift", "induction_loop")

OWNERS = {
    "city_division": N_("City"),
    "public_body": N_("Other public body"),
    "association": N_("Association"),
    "company": N_("Company"),
}
APPROVAL_TEXTS = {
    "instant": N_("Bookable at once"),
    "trusted": N_("At once for some, others are confirmed"),
    "handler": N_("Owner confirms"),
}
VIEWPOINT_TEXTS = {code: point.label for code, point in VIEWPOINTS.items()}
SORT_TEXTS = {
    "best": N_("Best first"),
    "nearest": N_("Nearest first"),
    "cheapest": N_("Cheapest first"),
    "soonest": N_("Soonest first"),
    "largest": N_("Largest first"),
}


@dataclass(frozen=True)
class Chip:
    """A time that can be taken: what it says, and what its form sends."""

    label: str
    price: str
    fields: dict[str, str]


@dataclass(frozen=True)
class DayChips:
    """The times of one day of a window."""

    day: str
    chips: list[Chip]


@dataclass(frozen=True)
class Row:
    """One space of the list."""

    n: int
    hit: Hit
    name: str
    url: str
    art: str
    price: str
    per: str
    whose: str  # in words, where it is the price of a customer group
    place: str
    capacity: int | None
    access: str
    private: str
    reasons: list[str]
    line: DayLine | None  # of the one day that is asked about
    sentence: str  # in its place, for a window of days
    days: list[DayChips]  # of a window, then there are no other chips
    chips: list[Chip]
    more: int
    more_label: str
    more_url: str
    asks: bool
    action: str
    plan_url: str  # all stalls of the square, where it is one of them


@dataclass
class Option:
    """A tickable filter."""

    name: str
    value: str
    label: str
    count: int
    checked: bool


@dataclass
class Group:
    """A fieldset of filters; `rest` is shown on request."""

    title: str
    options: list[Option]
    rest: list[Option] = field(default_factory=list)
    rules: list[tuple[str, str]] = field(default_factory=list)  # how each option is decided, in words


@dataclass(frozen=True)
class Tag:
    """A chosen filter and the address without it."""

    label: str
    url: str


def rows_of(hits: list[Hit], asked: Asked, city: City, *, first: int, now: datetime) -> list[Row]:
    return [row_of(n, hit, asked, city, now=now) for n, hit in enumerate(hits, first)]


def row_of(n: int, hit: Hit, asked: Asked, city: City, *, now: datetime) -> Row:
    space, venue, question = hit.space, hit.venue, asked.question
    found = hit.offers or hit.next_offers
    is_window = question.last_day is not None
    days = days_of_window(hit, asked, city) if is_window and hit.offers else []
    today = now.astimezone(city.zone).date()
    day = question.day or (found[0].span.start.astimezone(city.zone).date() if found else today)
    if days:
        shown = days[0][1][:1]
    else:
        shown = spread(hit.offers) if hit.offers else first_of_each_day(found, city)[:MOST_CHIPS]
    back: dict[str, Any] = {
        name: asked.args[name] for name in ("q", "where", "when", "people") if asked.args.get(name)
    }
    minutes: dict[str, Any] = {"minutes": question.minutes} if question.minutes else {}
    more = len(found) - (sum(len(offers) for _, offers in days) if days else len(shown))
    told = told_reasons(hit, full_name(space, venue), city)
    more_day = shown[-1].span.start.astimezone(city.zone).date() if shown else day
    price, per, whose = row_price(hit, shown[0] if shown else None, city)
    private = hit.owner_name if hit.owner_kind in {"company", "association"} else ""
    return Row(
        n=n,
        hit=hit,
        name=full_name(space, venue),
        url=url_for("catalog.space", space_id=space.id, day=day, **minutes, **back),
        art=thumbnail(hit.pictures[0].key) if hit.pictures else drawing(space.kind),
        price=price,
        per=per,
        whose=whose,
        place=place_line(hit, has_distance="near" not in told and "away" not in told),
        capacity=None if "size" in told else space.capacity,
        access=" · ".join(gettext(ACCESSIBILITY[c]) for c in SHORT_ACCESS if c in venue.accessibility),
        private=private,
        reasons=[capital(text) if n == 0 else text for n, text in enumerate(told.values())],
        line=None
        if is_window
        else day_line(
            hit.calendar,
            hit.rules,
            day,
            question_window(asked, day),
            city,
            now=now,
            next_ones=bool(hit.next_offers),
        ),
        sentence=window_sentence(hit, question) if is_window else "",
        days=[
            DayChips(format_day(local), [chip_of(offer, hit, asked, city, is_start=True) for offer in offers])
            for local, offers in days
        ],
        chips=[] if days else [chip_of(offer, hit, asked, city, dated=not hit.offers) for offer in shown],
        more=more,
        more_label=f"+{more}{NBSP}{format_day(more_day).split(NBSP)[0]}"
        if hit.offers and not days
        else f"+{more}",
        more_url=url_for("catalog.space", space_id=space.id, day=more_day, **minutes, **back, _anchor="times")
        if more > 0
        else "",
        asks=space.approval != "instant",
        action=url_for("lifecycle.quick", space_id=space.id),
        plan_url=url_for("market.plan", venue_id=venue.id, day=day) if hit.on_plan else "",
    )


def row_price(hit: Hit, first: Offer | None, city: City) -> tuple[str, str, str]:
    """("9 €", "/h", "price for associations"): the base price, or that of the reader's group at the first time shown."""
    terms = hit.price
    if terms is None or terms.per == "free" or first is None:
        return *price_parts(terms), ""
    minor, note = terms.rate(hit.group, *wall(terms, first.span.start, city.zone))
    if note not in CUSTOMER_GROUPS:
        return *price_parts(terms), ""
    return *price_parts(replace(terms, amount=Money(minor, city.currency))), gettext(NOTE_TEXTS[note])


def told_reasons(hit: Hit, name: str, city: City) -> dict[str, str]:
    """The reasons that a row says, by code: not what its name or its place line says already."""
    told = {
        reason.code: reason_text(reason, city)
        for reason in hit.reasons
        if reason.code != "in-place" and reason.facts.get("longer", name + " ") not in name
    }
    return dict(islice(told.items(), MOST_REASONS))


def days_of_window(hit: Hit, asked: Asked, city: City) -> list[tuple[date, list[Offer]]]:
    """The first days of a window that have free times, with the first of them that do not overlap."""
    found: dict[date, list[Offer]] = {}
    for offer in hit.offers:
        found.setdefault(offer.span.start.astimezone(city.zone).date(), []).append(offer)
    return [(day, spread(offers, MOST_CHIPS_OF_DAY)) for day, offers in islice(found.items(), MOST_DAYS)]


def window_sentence(hit: Hit, question: Question) -> str:
    """What the row says of a window, where the row of one day has a drawing."""
    if not hit.offers:
        none = gettext("Not free on these days.")
        following = gettext("Next free times:")
        return f"{none} {following}" if hit.next_offers else str(none)
    if hit.rules.whole_days:
        return str(gettext("Free on these days:"))
    length = format_duration(hit.rules.fitting_minutes(question.minutes))
    return str(gettext("Free for %(length)s from:", length=length))


def place_line(hit: Hit, *, has_distance: bool = True) -> str:
    """Kallio, 0.9 km."""
    parts = [localised(hit.district_names)]
    if has_distance and hit.distance_m is not None:
        parts.append(format_distance(hit.distance_m))
    return ", ".join(part for part in parts if part)


def spread(offers: list[Offer], most: int = MOST_CHIPS) -> list[Offer]:
    """The times to show first: those that do not overlap, filled up with the others, in order."""
    apart: list[Offer] = []
    for offer in offers:
        if not apart or offer.span.start >= apart[-1].span.end:
            apart.append(offer)
    filled = apart[:most] + [offer for offer in offers if offer not in apart]
    return sorted(filled[:most], key=lambda offer: offer.span)


def question_window(asked: Asked, day: date) -> tuple[float, float] | None:
    question = asked.question
    if not question.has_time or question.day != day:
        return None
    return question.start_minute / 60, question.end_minute / 60


def first_of_each_day(offers: list[Offer], city: City) -> list[Offer]:
    """The next times on different days, since three half hours of one evening are one choice."""
    found: dict[date, Offer] = {}
    for offer in offers:
        found.setdefault(offer.span.start.astimezone(city.zone).date(), offer)
    return list(found.values())


def chip_of(
    offer: Offer, hit: Hit, asked: Asked, city: City, *, dated: bool = False, is_start: bool = False
) -> Chip:
    """With its day where that is said nowhere else; only its start where the length stands beside it."""
    start, end = offer.span.start.astimezone(city.zone), offer.span.end.astimezone(city.zone)
    fields = {
        "start": start.isoformat(timespec="minutes"),
        "submission": uuid4().hex,
        "total": str(offer.price_minor),
        **{name: asked.args[name] for name in ("people", "q") if asked.args.get(name)},
    }
    if hit.rules.whole_days:
        label = format_day(start.date())
        fields["end"] = end.isoformat(timespec="minutes")
    else:
        label = format_clock(start) if is_start else format_hours(start, end)
        fields["minutes"] = str(offer.span.minutes)
        if dated:
            comma = "," if reader_language() == "en" else ""
            label = f"{format_day(start.date())}{comma} {label}"
    price = format_money(Money(offer.price_minor, city.currency))
    return Chip(label, from_text(price) if offer.is_least else price, fields)


def groups_of(
    counts: dict[str, dict[str, int]], asked: Asked, city: City, districts: Sequence[DistrictName]
) -> list[Group]:
    """The filters with the number of matches each would leave."""
    question = asked.question

    def options(
        name: str, texts: dict[str, str], chosen: frozenset[str], found: dict[str, int]
    ) -> list[Option]:
        return [
            Option(name, code, gettext(label), found.get(code, 0), code in chosen)
            for code, label in texts.items()
            if found.get(code) or code in chosen
        ]

    kinds = sorted(
        options("kind", KINDS, question.kinds, counts["kinds"]),
        key=lambda option: (not option.checked, -option.count),
    )
    access = sorted(
        options("access", ACCESSIBILITY, question.accessibility, counts["accessibility"]),
        key=lambda option: (not option.checked, list(ACCESSIBILITY).index(option.value)),
    )
    places = sorted(
        (
            Option(
                "district",
                str(district.id),
                localised(district.names),
                counts["districts"].get(str(district.id), 0),
                district.id in question.district_ids,
            )
            for district in districts
        ),
        key=lambda option: (not option.checked, -option.count),
    )
    groups = [
        Group(
            gettext("How to book"),
            options("approval", APPROVAL_TEXTS, question.approval, counts["approval"]),
        ),
        Group(
            gettext("Suits"),
            options("suits", VIEWPOINT_TEXTS, question.viewpoints, counts["viewpoints"]),
            rules=[(gettext(point.label), gettext(point.rule)) for point in VIEWPOINTS.values()],
        ),
        Group(gettext("Accessibility"), access[:MOST_ACCESS], access[MOST_ACCESS:]),
        Group(gettext("Price"), price_options(counts["prices"], asked, city)),
        Group(gettext("Kind"), kinds[:MOST_KINDS], kinds[MOST_KINDS:]),
        Group(gettext("District"), places[:MOST_DISTRICTS], places[MOST_DISTRICTS:]),
        Group(gettext("Provider"), options("owner", OWNERS, question.owner_kinds, counts["owner_kinds"])),
    ]
    return [group for group in groups if group.options]


def price_options(found: dict[str, int], asked: Asked, city: City) -> list[Option]:
    chosen = asked.question.max_price_minor
    limits = sorted({*PRICES, *([chosen] if chosen is not None else [])})
    return [
        Option("price", str(limit), price_limit(limit, city), found.get(str(limit), 0), limit == chosen)
        for limit in limits
        if found.get(str(limit)) or limit == chosen
    ]


def price_limit(limit: int, city: City) -> str:
    if limit == 0:
        return str(gettext("Free of charge"))
    return str(gettext("At most %(price)s/h", price=format_money(Money(limit, city.currency))))


def tags_of(asked: Asked, city: City) -> list[Tag]:
    """The filters that are on, each removable."""
    question = asked.question
    labels: list[tuple[str, str | None, str]] = []
    labels += [("district", str(district.id), localised(district.names)) for district in asked.districts]
    if question.bbox is not None:
        labels.append(("bbox", None, gettext("The area of the map")))
    if question.area:
        labels.append(("area", None, gettext("The drawn area")))
    labels += [("kind", code, kind_name(code)) for code in sorted(question.kinds)]
    labels += [("approval", code, gettext(APPROVAL_TEXTS[code])) for code in sorted(question.approval)]
    labels += [
        ("suits", code, gettext("Suits: %(list)s", list=lowered(gettext(VIEWPOINT_TEXTS[code]))))
        for code in sorted(question.viewpoints)
    ]
    labels += [("access", code, gettext(ACCESSIBILITY[code])) for code in sorted(question.accessibility)]
    labels += [("purpose", code, gettext(PURPOSES[code])) for code in sorted(question.purposes)]
    labels += [("equipment", code, gettext(EQUIPMENT[code])) for code in sorted(question.equipment)]
    labels += [("owner", code, gettext(OWNERS[code])) for code in sorted(question.owner_kinds)]
    if question.max_price_minor is not None:
        labels.append(("price", None, price_limit(question.max_price_minor, city)))
    if question.minutes is not None:
        labels.append(
            ("minutes", None, gettext("At least %(length)s", length=format_duration(question.minutes)))
        )
    return [Tag(label, asked.without(name, value)) for name, value, label in labels]
