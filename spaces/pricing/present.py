"""Prices in the reader's words: lines of a quote, a list in a sentence, parts of the week, the table of examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_day_names

from marketplace.errors import FieldError
from marketplace.money import Money
from marketplace.timespan import Span, instant
from marketplace.web import i18n
from marketplace.web.i18n import DASH, N_, format_money, format_number, reader_language
from spaces.pricing.lists import BY_DAY, PriceList
from spaces.pricing.models import DiscountCode
from spaces.pricing.rules import (
    CUSTOMER_GROUPS,
    DAY_MINUTES,
    NOTE_TEXTS,
    WEEK,
    PriceTerms,
    Quote,
    Variation,
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
}
PER_TEXTS = {
    "free": "",
    "hour": N_("/h"),
    "slot": N_("/slot"),
    "day": N_("/day"),
    "fixed": N_("/booking"),
    "m2_day": N_("/m² a day"),
}


def gettext(text: str, **values: Any) -> str:
    """Flask-Babel's, with a type."""
    return str(i18n.gettext(text, **values))


def line_text(code: str, quantity: Decimal, unit_price: Money, note: str = "") -> str:
    """One line of a quote: "1.5 h × €18, price for associations"."""
    text = text_of_line(code, quantity)
    said = (
        gettext(text, quantity=format_number(float(quantity)), price=format_money(unit_price))
        if "%" in text
        else gettext(text)
    )
    if not note:
        return said
    return f"{said}, {gettext(NOTE_TEXTS[note]) if note in NOTE_TEXTS else note}"


def quote_lines(cost: Quote) -> list[tuple[str, str]]:
    """(text, amount) of each line."""
    return [
        (line_text(line.code, line.quantity, line.unit_price, line.note), format_money(line.total))
        for line in cost.lines
    ]


def weekday_name(day: int) -> str:
    """The name of an ISO weekday."""
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
    if list_.build_percent != 100:
        share = format_number(list_.build_percent)
        texts.append(gettext("Build and tear-down days: %(share)s %% of the price of a day.", share=share))
    return texts


def group_texts(terms: PriceTerms) -> list[str]:
    """What a reader of the space's page is told of other prices than the base."""
    if terms.per == "free":
        return []
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
            values[name] = weekday_name(value)
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
    if terms.per in BY_DAY:
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
    return [
        Example(label, tuple(example(terms, span, zone, group) for group in CUSTOMER_GROUPS))
        for label, span in asked
    ]


def example(terms: PriceTerms, span: Span, zone: ZoneInfo, group: str) -> tuple[str, str, str]:
    cost = quote(terms, span, zone, group=group)
    made_of = "; ".join(text for text, _ in quote_lines(cost))
    price = format_money(cost.total) if cost.total else gettext("Free of charge")
    return gettext(GROUP_NAMES[group]), price, made_of if cost.total else ""


def whole_days(day: date, days: int, zone: ZoneInfo) -> Span:
    return Span(instant(day, time(0), zone), instant(day + timedelta(days=days), time(0), zone))


def from_hour(day: date, hour: int, length: timedelta, zone: ZoneInfo) -> Span:
    start: datetime = instant(day, time(hour), zone).astimezone(UTC)
    return Span(start, start + length)


def options(names: dict[str, str], codes: Sequence[str]) -> list[tuple[str, str]]:
    """(value, label) pairs of a select."""
    return [(code, gettext(names[code])) for code in codes]
