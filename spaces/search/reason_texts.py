"""Reasons in the reader's words. Also for what other pages say of one space beside another."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from babel.dates import format_date

from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.web.i18n import (
    N_,
    NBSP,
    format_distance,
    format_duration,
    format_money,
    format_number,
    gettext,
    reader_language,
)
from spaces.catalog.access_present import lowered
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, PURPOSES
from spaces.search.reasons import Reason

# How many codes of a list are named; the others are counted.
MOST_NAMED = 3

WORDS: Mapping[str, str] = {
    "near": N_("%(distance)s from %(place)s"),
    "away": N_("%(distance)s away"),
    "in-place": N_("in %(place)s"),
    "size": N_("for %(people)s, you are %(asked)s"),
    "meant-for": N_("meant for: %(things)s"),
    "part-of-word": N_("“%(word)s” is part of “%(longer)s”"),
    "mentions": N_("the description has “%(word)s”"),
    "free-of-charge": N_("free of charge"),
    "cheapest": N_("the cheapest of these"),
    "at-once": N_("confirmed at once"),
    "you-were-here": N_("you were here in %(month)s"),
    "organisation-was-here": N_("your organisation was here in %(month)s"),
}
# Where it happened more than once.
TIMES: Mapping[str, str] = {
    "you-were-here": N_("you have booked this %(times)s times"),
    "organisation-was-here": N_("your organisation has booked this %(times)s times"),
}
CHEAPEST_OF_FIRST = N_("the cheapest of the first %(first)s")
LISTS: Mapping[str, Mapping[str, str]] = {
    "equipment": EQUIPMENT,
    "accessibility": ACCESSIBILITY,
    "purposes": PURPOSES,
}


def reason_text(reason: Reason, city: City, words: Mapping[str, str] = WORDS) -> str:
    """One reason, by the table of words that has its code."""
    facts = reason.facts
    text = words[reason.code]
    if facts.get("times", 1) > 1:
        text = TIMES[reason.code]
    if reason.code == "cheapest" and "first" in facts:
        text = CHEAPEST_OF_FIRST
    return str(gettext(text, **values_of(facts, city)))


def values_of(facts: Mapping[str, Any], city: City) -> dict[str, str]:
    """The facts as the words want them."""
    values = {name: str(facts[name]) for name in ("place", "word", "longer") if name in facts}
    for name in ("people", "asked", "first", "times"):
        if name in facts:
            values[name] = format_number(facts[name])
    if "minutes" in facts:
        values["duration"] = format_duration(facts["minutes"])
    if "metres" in facts:
        values["distance"] = format_distance(facts["metres"])
    if "minor" in facts:
        values["price"] = format_money(Money(facts["minor"], city.currency))
    for name, texts in LISTS.items():
        if name in facts:
            values["things"] = things_text([gettext(texts.get(code, code)) for code in facts[name]])
    if "on" in facts:
        values["month"] = month_text(date.fromisoformat(facts["on"]))
    return values


def things_text(names: Sequence[str]) -> str:
    """Screen, piano and 2 more."""
    named = ", ".join(lowered(name) for name in names[:MOST_NAMED])
    rest = len(names) - MOST_NAMED
    return gettext("%(things)s and %(num)d more", things=named, num=rest) if rest > 0 else named


def month_text(day: date) -> str:
    """May 2026, as each language says it after "in"."""
    language = reader_language()
    month = format_date(day, "LLLL", locale=language)
    if language == "fi":
        month += "ssa"  # every Finnish month ends in -kuu
    return f"{month}{NBSP}{day.year}"
