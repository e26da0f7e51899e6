"""Prices in the reader's words: lines of a quote, a list in a sentence, parts of the week, the table of examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_day_names

from marketplace.errors import FieldError
from marketplace.money import Money
from marketplace.timespan import Span, instant
from marketplace.web import i18n
from marketplace.web.i18n import DASH, N_, format_money, format_number, localised, reader_language
from spaces.pricing.cancel_texts import terms_texts
from spaces.pricing.lists import BY_DAY, PriceList
from spaces.pricing.models import DiscountCode
from spaces.pricing.outdoor import TariffChoice
from spaces.pricing.rules import (
    CUSTOMER_GROUPS,
    DAY_MINUTES,
    NOTE_TEXTS,
    WEEK,
    NoArea,
    OutdoorUse,
    PriceTerms,
    Quote,
    Variation,
    by_tariff,
    chosen_row,
    quote,
    text_of_line,
)

GROUP_NAMES = {
    "resident": N_("Residents"),
    "association": N_("Associations"),
    "youth": N_("Youth work"),
    "company": N_("Companies"),
    "everyone": N_("Everyone"),
}
PER_NAMES = {
    "free": N_("Free of charge"),
    "hour": N_("Per hour"),
    "slot": N_("Per started slot"),
    "day": N_("Per day"),
    "fixed": N_("Per booking"),
    "m2_day": N_("Per square metre and day"),
    "tariff": N_("By the city's tariff"),
}
PER_TEXTS = {
    "free": "",
    "hour": N_("/h"),
    "slot": N_("/slot"),
    "day": N_("/day"),
    "fixed": N_("/booking"),
    "m2_day": N_("/m² a day"),
}
TARIFF_PER_TEXTS = {
    "once": "",
    "day": N_("/day"),
    "week": N_("/week"),
    "month": N_("/month"),
    "billed_month": N_("/month"),
    "year": N_("/year"),
}
# Uses and keys of Helsinki's tariff in plain words; another city's are shown as they are.
TARIFF_NAMES = {
    "EVENT": N_("Events"),
    "UNIT_PRICE": N_("Rental of an area"),
    "BENJI_DAILY_PRICE": N_("Bungee jumping"),
    "BRIDGE_BANNER_WEEKLY_PRICE_COMMERCIAL": N_("Bridge banner, commercial"),
    "BRIDGE_BANNER_WEEKLY_PRICE_NONCOMMERCIAL": N_("Bridge banner, non-commercial"),
    "CIRCUS_DAILY_PRICE": N_("Circus or funfair"),
    "DOG_TRAINING_EVENT_ASSOCIATION_PRICE": N_("Dog training event, association"),
    "DOG_TRAINING_EVENT_COMPANY_PRICE": N_("Dog training event, company"),
    "DOG_TRAINING_FIELD_YEARLY_ASSOCIATION": N_("Dog training field, association"),
    "DOG_TRAINING_FIELD_YEARLY_COMPANY": N_("Dog training field, company"),
    "KESKUSKATU_SALES_TEN_SQM_PRICE": N_("Selling on Keskuskatu"),
    "PARKLET": N_("Parklet"),
    "PROMOTION_OR_SALES_MONTHLY": N_("Selling or promotion before a shop"),
    "SEASON_SALE_TEN_SQM_PRICE": N_("Season sale"),
    "STORAGE_AREA_MONTHLY_PRICE": N_("Storage area"),
    "SUMMER_TERRACE": N_("Summer terrace"),
    "SUMMER_THEATER_YEARLY_PRICE": N_("Summer theatre"),
    "URBAN_FARMING_TERM_PRICE": N_("Urban farming"),
    "WINTER_TERRACE": N_("Winter terrace"),
}
SURFACE_NAMES = {"HARD": N_("hard surface"), "SOFT": N_("soft surface")}


def gettext(text: str, **values: Any) -> str:
    """Flask-Babel's, with a type."""
    return str(i18n.gettext(text, **values))


def line_text(
    code: str, quantity: Decimal, unit_price: Money, note: str = "", about: Mapping[str, Any] | None = None
) -> str:
    """One line of a quote: "1.5 h × €18, price for associations"; "6 × Table, €2.00 each"."""
    text = text_of_line(code, quantity)
    more = about or {}
    values = {
        "quantity": format_number(float(quantity)),
        "price": format_money(unit_price),
        "pieces": format_number(more.get("pieces", 1)),
        "name": localised(more.get("names")),
        "rate": format_number(more.get("rate", 0)),
    }
    said = [gettext(text, **values) if "%" in text else gettext(text)]
    if "area_m2" in more:
        said.append(f"{format_number(float(more['area_m2']))}\u00a0m²")
    if note:
        said.append(gettext(NOTE_TEXTS[note]) if note in NOTE_TEXTS else note)
    return ", ".join(said)


def quote_lines(cost: Quote) -> list[tuple[str, str]]:
    """(text, amount) of each line."""
    return [
        (
            line_text(line.code, line.quantity, line.unit_price, line.note, line.about),
            format_money(line.total),
        )
        for line in cost.lines
    ]


def from_text(price: str) -> str:
    """ "from €250": a price that depends on what the booker says."""
    return gettext("from %(price)s", price=price)


def per_text(terms: PriceTerms) -> str:
    """ "/h": what the amount is for."""
    if terms.per == "tariff":
        text = TARIFF_PER_TEXTS.get(chosen_row(terms, None).per, "")
    else:
        text = PER_TEXTS[terms.per]
    return gettext(text) if text else ""


def choice_text(choice: TariffChoice) -> str:
    """What a space can be priced by, in words: Events, zone 2, soft surface."""
    name = choice.key or choice.use
    parts = [gettext(TARIFF_NAMES[name]) if name in TARIFF_NAMES else name.replace("_", " ").capitalize()]
    kind, _, number = choice.place.rpartition("-")
    if kind == "zone":
        parts.append(gettext("zone %(number)s", number=number))
    elif kind == "place":
        parts.append(gettext("fixed place %(number)s", number=number))
    elif choice.place:
        parts.append(choice.place)
    if choice.surface:
        surface = SURFACE_NAMES.get(choice.surface)
        parts.append(gettext(surface) if surface else choice.surface)
    if choice.payment_class:
        parts.append(gettext("payment class %(number)s", number=choice.payment_class))
    return ", ".join(parts)


def nature_text(key: str) -> str:
    """The nature of a use as a choice: Open to everyone, free entry."""
    text = gettext(NOTE_TEXTS[key]) if key in NOTE_TEXTS else key.replace("_", " ").lower()
    return text[:1].upper() + text[1:]


def tariff_texts(terms: PriceTerms) -> list[str]:
    """What each nature of the use costs: Open to everyone, free entry: €250/day."""
    texts = []
    for row in terms.tariffs:
        only = by_tariff(replace(terms, tariffs=(row,)))
        price = f"{format_money(only.amount)}{per_text(only)}"
        texts.append(f"{nature_text(row.key)}: {price}" if len(terms.tariffs) > 1 else price)
    return texts


def weekday_name(day: int) -> str:
    """The name of an ISO weekday, standing alone: maanantai."""
    return str(get_day_names("wide", context="stand-alone", locale=reader_language())[day - 1])


def on_weekday(day: int) -> str:
    """As a sentence has it: maanantaina."""
    return str(get_day_names("wide", locale=reader_language())[day - 1])


def days_text(days: frozenset[int]) -> str:
    """Mon–Fri; Sat, Sun; every day."""
    if days == WEEK:
        return gettext("every day")
    names = get_day_names("abbreviated", locale=reader_language())
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    short = {day: str(names[day - 1]).rstrip(".") for day in days}
    return ", ".join(
        f"{short[run[0]]}{DASH}{short[run[-1]]}" if len(run) > 2 else ", ".join(short[day] for day in run)
        for run in runs
    )


def clock_text(minute: int) -> str:
    return f"{minute // 60}.{minute % 60:02d}"


def row_text(row: Variation, currency: str) -> str:
    """Associations, Mon–Fri 17.00–22.00: €8."""
    when = [days_text(row.days)] if row.days != WEEK else []
    if (row.from_minute, row.to_minute) != (0, DAY_MINUTES):
        when.append(f"{clock_text(row.from_minute)}{DASH}{clock_text(row.to_minute)}")
    who = gettext(GROUP_NAMES[row.group or "everyone"])
    head = f"{who}, {' '.join(when)}" if when else who
    return f"{head}: {format_money(Money(row.amount_minor, currency))}"


def list_text(list_: PriceList, currency: str) -> list[str]:
    """A list as sentences, the base first."""
    if list_.per == "free":
        return [gettext("Free of charge")]
    if list_.tariff is not None:
        least = from_text(format_money(Money(list_.base_minor, currency)))
        by = f"{gettext(PER_NAMES['tariff'])}: {choice_text(list_.tariff)}"
        return [by, least, *terms_texts(list_.cancel, currency)]
    per = gettext(PER_TEXTS[list_.per])
    if list_.per == "slot":
        per = gettext("per started %(minutes)s min", minutes=format_number(list_.slot_minutes or 0))
        base = f"{format_money(Money(list_.base_minor, currency))} {per}"
    else:
        base = f"{format_money(Money(list_.base_minor, currency))}{per}"
    texts = [base, *(row_text(row, currency) for row in list_.rows)]
    if list_.minimum_minor:
        least = format_money(Money(list_.minimum_minor, currency))
        texts.append(gettext("A booking costs at least %(price)s.", price=least))
    texts += terms_texts(list_.cancel, currency)
    if list_.kept_percent != 100 and not list_.cancel.tiers:
        share = format_number(list_.kept_percent)
        texts.append(gettext("A late cancellation costs %(share)s %% of the price.", share=share))
    if list_.build_percent != 100:
        share = format_number(list_.build_percent)
        texts.append(gettext("Build and tear-down days: %(share)s %% of the price of a day.", share=share))
    return texts


def group_texts(terms: PriceTerms) -> list[str]:
    """What a reader of the space's page is told of other prices than the base."""
    if terms.per == "free":
        return []
    if terms.per == "tariff":
        return tariff_texts(terms)
    return [row_text(row, terms.amount.currency) for row in terms.variations]


def code_text(code: DiscountCode, currency: str) -> str:
    if code.percent is not None:
        return f"{DASH}{format_number(code.percent)}\u00a0%"
    return f"{DASH}{format_money(Money(code.amount_minor or 0, currency))}"


def fault_text(error: FieldError) -> str:
    """A fault of a list in the reader's words: codes of days, times and groups become names."""
    values = dict(error.values)
    for name, value in values.items():
        if name == "day":
            values[name] = on_weekday(value)
        elif name in {"start", "end"}:
            values[name] = clock_text(value)
        elif name == "group":
            values[name] = gettext(GROUP_NAMES[value])
    return gettext(error.text, **values) if values else gettext(error.text)


@dataclass(frozen=True)
class Example:
    """What one time would cost each group."""

    label: str
    prices: tuple[tuple[str, str, str], ...]  # group's name, price, how it is made up


def examples(terms: PriceTerms, zone: ZoneInfo, *, first: date, minutes: int) -> list[Example]:
    """A weekday, an evening and a weekend in the first whole week of the list, for each customer group."""
    monday = first + timedelta(days=-first.weekday() % 7)
    wednesday, saturday = monday + timedelta(days=2), monday + timedelta(days=5)
    if terms.per in BY_DAY or terms.per == "tariff":
        asked = [
            (gettext("A weekday"), whole_days(wednesday, 1, zone)),
            (gettext("A Saturday"), whole_days(saturday, 1, zone)),
            (gettext("Friday to Sunday"), whole_days(saturday - timedelta(days=1), 3, zone)),
        ]
    else:
        length = timedelta(minutes=minutes)
        asked = [
            (gettext(text, length=i18n.format_duration(minutes)), from_hour(day, hour, length, zone))
            for text, day, hour in (
                (N_("Wednesday 10.00, %(length)s"), wednesday, 10),
                (N_("Wednesday 18.00, %(length)s"), wednesday, 18),
                (N_("Saturday 12.00, %(length)s"), saturday, 12),
            )
        ]
    if terms.per == "tariff":
        return [
            Example(label, tuple(tariff_example(terms, span, zone, row.key) for row in terms.tariffs))
            for label, span in (asked[0], asked[2])
        ]
    return [
        Example(label, tuple(example(terms, span, zone, group) for group in CUSTOMER_GROUPS))
        for label, span in asked
    ]


def example(terms: PriceTerms, span: Span, zone: ZoneInfo, group: str) -> tuple[str, str, str]:
    cost = quote(terms, span, zone, group=group)
    made_of = "; ".join(text for text, _ in quote_lines(cost))
    price = format_money(cost.total) if cost.total else gettext("Free of charge")
    return gettext(GROUP_NAMES[group]), price, made_of if cost.total else ""


def tariff_example(terms: PriceTerms, span: Span, zone: ZoneInfo, key: str) -> tuple[str, str, str]:
    """What this nature of the use costs on the whole area."""
    name = nature_text(key) if len(terms.tariffs) > 1 else gettext("Everyone")
    try:
        cost = quote(terms, span, zone, use=OutdoorUse(key))
    except NoArea:
        return name, gettext("by the area"), ""
    made_of = "; ".join(text for text, _ in quote_lines(cost))
    price = format_money(cost.total) if cost.total else gettext("Free of charge")
    return name, price, made_of if cost.total else ""


def example_span(terms: PriceTerms, zone: ZoneInfo, *, first: date, minutes: int) -> Span:
    """A Saturday in the first whole week of the list, as an example of cancelling."""
    saturday = first + timedelta(days=-first.weekday() % 7 + 5)
    if terms.per in BY_DAY:
        return whole_days(saturday, 1, zone)
    return from_hour(saturday, 12, timedelta(minutes=minutes), zone)


def whole_days(day: date, days: int, zone: ZoneInfo) -> Span:
    return Span(instant(day, time(0), zone), instant(day + timedelta(days=days), time(0), zone))


def from_hour(day: date, hour: int, length: timedelta, zone: ZoneInfo) -> Span:
    start: datetime = instant(day, time(hour), zone).astimezone(UTC)
    return Span(start, start + length)


def options(names: dict[str, str], codes: Sequence[str]) -> list[tuple[str, str]]:
    """(value, label) pairs of a select."""
    return [(code, gettext(names[code])) for code in codes]
