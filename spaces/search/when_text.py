"""Days and hours as people write them, in one plain form that `times.read_when` reads again."""

from datetime import date

from marketplace.web.i18n import format_day, reader_language
from spaces.catalog.present import write_clock
from spaces.search.times import WEEKDAYS, WEEKEND, When

# On such weekdays, again and again. The names are those that `times` reads, so they are kept beside each other and not
# among the translations.
REPEATED = {
    "fi": (
        "maanantaisin tiistaisin keskiviikkoisin torstaisin perjantaisin lauantaisin sunnuntaisin".split(),
        " ja ",
    ),
    "sv": ("måndagar tisdagar onsdagar torsdagar fredagar lördagar söndagar".split(), " och "),
    "en": ("Mondays Tuesdays Wednesdays Thursdays Fridays Saturdays Sundays".split(), " and "),
}
ON_WEEKDAYS = {"fi": "arkisin", "sv": "vardagar", "en": "weekdays"}
AT_WEEKENDS = {"fi": "viikonloppuisin", "sv": "helger", "en": "weekends"}
CLOCK_AT = {"fi": " klo ", "sv": " kl. ", "en": ", "}


def write_when(when: When, today: date) -> str:
    """la 28.11. klo 17–22 · ti 24.11. – ma 7.12. arkisin klo 17–22."""
    language = reader_language()
    text = _day(when.day, today)
    if when.last_day is not None:
        text = f"{text} – {_day(when.last_day, today)}"
    if when.last_day is not None and when.weekdays:
        text += f"{',' if language == 'en' else ''} {_weekdays(when.weekdays, language)}"
    if not when.has_time:
        return text
    return f"{text}{CLOCK_AT[language]}{write_clock(when.start_minute)}–{write_clock(when.end_minute)}"


def _day(day: date, today: date) -> str:
    return format_day(day, year=(day - today).days > 360).replace("\xa0", " ")


def _weekdays(weekdays: frozenset[int], language: str) -> str:
    if weekdays == WEEKDAYS:
        return ON_WEEKDAYS[language]
    if weekdays == WEEKEND:
        return AT_WEEKENDS[language]
    names, last_join = REPEATED[language]
    said = [names[number] for number in sorted(weekdays)]
    return last_join.join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]
