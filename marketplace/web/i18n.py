"""Languages: the one of this request, texts of data with a fallback chain, and dates and money as people write them.

Forms of dates and money: `look.md` section 10. The joiner U+2060 keeps a range on one line.
"""

from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import g, has_request_context
from flask_babel import gettext, lazy_gettext, ngettext

from marketplace.errors import N_
from marketplace.money import Money

LANGUAGES = {"fi": "Suomi", "sv": "Svenska", "en": "English"}
DASH = "\u2060\u2013\u2060"
NBSP = "\u00a0"

__all__ = [
    "DASH",
    "LANGUAGES",
    "NBSP",
    "N_",
    "gettext",
    "lazy_gettext",
    "localised",
    "ngettext",
    "reader_language",
]


def reader_language() -> str:
    """The language of the page, mail or answer being made."""
    return str(g.get("lang") or "en")


def localised(texts: dict[str, str] | None, language: str | None = None) -> str:
    """The text in the reader's language, else in the city's first language, else in any."""
    if not texts:
        return ""
    first = g.city.languages if has_request_context() and "city" in g else []
    for candidate in (language or reader_language(), *first, "fi", "en", "sv", *texts):
        if texts.get(candidate):
            return texts[candidate]
    return ""


def text_language(texts: dict[str, str] | None) -> str | None:
    """The language that `localised` falls back to, when it is not the reader's: for a lang attribute."""
    if not texts or texts.get(reader_language()):
        return None
    shown = localised(texts)
    return next((code for code, value in texts.items() if value == shown), None)


def format_day(day: date, language: str | None = None, *, year: bool = False) -> str:
    """ti 11.5. · ti 11.5 · Tue 11 May."""
    language = language or reader_language()
    weekday = _date(day, "ccc", language).rstrip(".")
    if language == "en":
        text = f"{weekday}{NBSP}{day.day}{NBSP}{_date(day, 'MMM', 'en')}"
        return f"{text}{NBSP}{day.year}" if year else text
    text = f"{weekday}{NBSP}{day.day}.{day.month}"
    if year:
        return f"{text}.{day.year}"
    return f"{text}." if language == "fi" else text


def format_clock(at: datetime | time) -> str:
    """18.00, as all three languages write it here (`look.md` section 10)."""
    return f"{at.hour}.{at.minute:02d}"


def format_hours(start: datetime, end: datetime) -> str:
    """18.00–19.30 for two local times."""
    return f"{format_clock(start)}{DASH}{format_clock(end)}"


def format_span(start: datetime, end: datetime, language: str | None = None, *, year: bool = False) -> str:
    """ti 11.5. klo 18.00–19.30 for two local times; both days where the span passes midnight."""
    language = language or reader_language()
    at = {"fi": f"{NBSP}klo{NBSP}", "sv": f"{NBSP}kl.{NBSP}", "en": f",{NBSP}"}[language]
    day = format_day(start.date(), language, year=year)
    if end.date() == start.date() or ((end.date() - start.date()).days == 1 and end.hour < 6):
        return f"{day}{at}{format_hours(start, end)}"
    until = format_day(end.date(), language, year=year)
    return f"{day}{at}{format_clock(start)} {DASH} {until}{at}{format_clock(end)}"


def format_money(money: Money, language: str | None = None) -> str:
    """13,50 € · 13,50 € · €13.50; a whole amount without decimals; less than nothing as −13,50 € and −€13.50."""
    language = language or reader_language()
    number = _decimal(
        Decimal(abs(money.minor)) / 100, "#,##0" if money.minor % 100 == 0 else "#,##0.00", language
    )
    symbol = "€" if money.currency == "EUR" else money.currency
    sign = "\u2212" if money.minor < 0 else ""
    return f"{sign}{symbol}{number}" if language == "en" else f"{sign}{number}{NBSP}{symbol}"


def format_number(value: float, language: str | None = None) -> str:
    return _decimal(value, None, language or reader_language())


def format_distance(metres: float, language: str | None = None) -> str:
    """350 m below a kilometre, else 1,2 km."""
    if metres < 950:
        return f"{max(50, round(metres / 50) * 50)}{NBSP}m"
    return f"{_decimal(round(metres / 1000, 1), None, language or reader_language())}{NBSP}km"


def format_duration(minutes: int, language: str | None = None) -> str:
    """1,5 h, 45 min, 2 pv."""
    if minutes % 1440 == 0:
        days: str = ngettext("%(num)d day", "%(num)d days", minutes // 1440)
        return days
    if minutes < 60:
        return f"{minutes}{NBSP}min"
    return f"{_decimal(round(minutes / 60, 2), None, language or reader_language())}{NBSP}h"


# A page of results has some two hundred of these, and most are the same ones again.
@lru_cache(maxsize=8192, typed=True)
def _decimal(value: float | Decimal, pattern: str | None, language: str) -> str:
    return format_decimal(value, pattern, locale=language)


@lru_cache(maxsize=4096, typed=True)
def _date(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=language)
