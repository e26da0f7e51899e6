"""Public holidays per country, by the package `holidays`.

Its list for Finland holds Midsummer Eve and Christmas Eve too, which are no public holidays by law but on which almost
everything is closed; the owner's page says so. A country that the package does not know has none.
"""

from datetime import date
from functools import lru_cache

import holidays

from spaces.calendar.rules import Holidays

LANGUAGES = {
    "FI": {"fi": "fi", "sv": "sv_FI", "en": "en_US"},
    "SE": {"sv": "sv", "en": "en_US"},
    "EE": {"en": "en_US"},
}
FALLBACK = {"en": "en_US"}


@lru_cache(maxsize=256)
def holidays_of_year(country: str, year: int, language: str = "en") -> dict[date, str]:
    """The days of one year with their names, in the language if the package has it."""
    named = LANGUAGES.get(country, FALLBACK).get(language)
    try:
        return dict(holidays.country_holidays(country, years=year, language=named))
    except NotImplementedError:
        return {}


def holidays_between(country: str, first: date, last: date, language: str = "en") -> dict[date, str]:
    """Those on first..last, in order."""
    found: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        found.update(holidays_of_year(country, year, language))
    return {day: found[day] for day in sorted(found) if first <= day <= last}


def kept_holidays(country: str, rule: str, first: date, last: date) -> Holidays:
    """How a space keeps the holidays of these dates; equal for all spaces with the same rule."""
    if rule == "as_usual":
        return Holidays()
    return Holidays(frozenset(holidays_between(country, first, last)), rule)
