"""Reads the search page's address: four fields of plain words, and the filters.

A wrong value never stops the search. It leaves a message at its field, where what was typed stays, and everything else
is still asked. What is understood is shown in the fields in one plain form, so that it can be checked and mended.
"""

import math
import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.accounts.models import ORGANISATION_KINDS
from marketplace.cities.models import City
from marketplace.web.i18n import (
    N_,
    format_day,
    format_number,
    gettext,
    localised,
    ngettext,
    reader_language,
)
from spaces.catalog.accessibility import VIEWPOINTS
from spaces.catalog.present import write_clock
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, KINDS, PURPOSES
from spaces.districts.models import District
from spaces.districts.queries import district_in_words
from spaces.search.places import place_of_district, place_of_words
from spaces.search.question import MAX_DAYS_AHEAD, SORTS, Question
from spaces.search.words import (
    RANGE,
    STOP,
    When,
    read_access,
    read_length,
    read_people,
    read_price,
    read_when,
    search_words,
    tidy,
)

FIELDS = ("q", "where", "when", "people")
LONGEST_TEXT = 200
MOST_PEOPLE = 50_000
MOST_PAGES = 1000
LARGEST_ID = 2**63 - 1
# Lengths of a booking that may be asked for, in minutes.
LENGTHS = (60, 90, 120, 180, 240, 480)
PRICES = (0, 2000, 4000)
APPROVALS = ("instant", "trusted", "handler")
# Address arguments of the filters with several values, and the field of the question each one fills.
CHOICES: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("kind", "kinds", frozenset(KINDS)),
    ("purpose", "purposes", frozenset(PURPOSES)),
    ("equipment", "equipment", frozenset(EQUIPMENT)),
    ("access", "accessibility", frozenset(ACCESSIBILITY)),
    ("suits", "viewpoints", frozenset(VIEWPOINTS)),
    ("approval", "approval", frozenset(APPROVALS)),
    ("owner", "owner_kinds", frozenset(ORGANISATION_KINDS)),
)
EXAMPLES = {
    "fi": "la 17–20",
    "sv": "lör 17–20",
    "en": "Sat 17–20",
}
UNREADABLE = re.compile(r"[\x00-\x1f\x7f\u2060\u200b\ufeff\xa0]")


@dataclass
class Asked:
    """The question as understood, what stands in each field, and what to say about it."""

    question: Question
    fields: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    args: dict[str, Any] = field(default_factory=dict)
    district: District | None = None  # of the filter, not of the place

    def address(self, **changes: Any) -> str:
        """The address of the same question with some arguments changed; None takes one out."""
        args = {**self.args, **changes}
        return url_for("search.results", **{name: value for name, value in args.items() if value})

    def without(self, name: str, value: str | None = None) -> str:
        """The address without one argument, or without one of its values."""
        if value is None:
            return self.address(**{name: None})
        return self.address(**{name: [v for v in self.args.get(name, []) if v != value]})


def read_asked(session: Session, city: City, args: MultiDict[str, str], *, now: datetime) -> Asked:
    """The question in an address. Dates and hours are the city's; words may be of any of its languages."""
    today = now.astimezone(city.zone).date()
    asked = Asked(Question(), {name: clean(args.get(name, "")) for name in FIELDS})
    for name in FIELDS:
        if len(args.get(name, "")) > LONGEST_TEXT:
            asked.errors[name] = gettext(
                "This is too long. We read the first %(count)s characters.", count=LONGEST_TEXT
            )
    read_sentence(session, city, asked, today=today, price_asked="price" in args)
    read_where(session, city, asked)
    read_when_field(city, asked, now=now)
    read_people_field(asked)
    read_choices(asked, args)
    read_numbers(session, city, asked, args)
    remember(asked)
    return asked


def clean(text: str) -> str:
    """One line of readable characters, cut at the longest length."""
    return " ".join(UNREADABLE.sub(" ", text[:LONGEST_TEXT]).split())


def read_sentence(
    session: Session, city: City, asked: Asked, *, today: date, price_asked: bool = False
) -> None:
    """A whole sentence in the first field fills the empty ones; what remains says what it is for."""
    rest = asked.fields["q"]
    if not rest:
        return
    people, rest = read_people(rest)
    price, rest = read_price(rest)
    minutes, rest = read_length(rest)
    access, rest = read_access(rest)
    when, rest = read_when(rest, today=today)
    # Beside a place that is said already, "Kallion kirjasto" is the name of a library.
    named = None if asked.fields["where"] else district_in_words(session, city, rest)
    if named:
        rest = rest[: named[1].start] + " " + rest[named[1].end :]
    if people is not None and not asked.fields["people"]:
        asked.fields["people"] = str(people)
    if when is not None and not asked.fields["when"]:
        asked.fields["when"] = write_when(when, today)
    if named:
        place = place_of_district(named[0], localised)
        asked.fields["where"] = place.label
        asked.question = replace(asked.question, place=place)
    if price is not None and not price_asked:
        asked.question = replace(asked.question, max_price_minor=price * 100)
    if access:
        asked.question = replace(asked.question, accessibility=frozenset({"step_free_entrance"}))
    if minutes is not None:
        asked.question = replace(asked.question, minutes=minutes)
    if any(found is not None for found in (people, price, minutes, when, named)) or access:
        asked.fields["q"] = without_fillers(rest)
    asked.question = replace(asked.question, words=tuple(search_words(asked.fields["q"])))


def without_fillers(text: str) -> str:
    """What is left of a sentence: "hall for next" is a hall."""
    words = tidy(text).split()
    while words and words[0].strip(",.;:").casefold() in STOP:
        del words[0]
    while words and words[-1].strip(",.;:").casefold() in STOP:
        del words[-1]
    return tidy(" ".join(words))


def read_where(session: Session, city: City, asked: Asked) -> None:
    typed = asked.fields["where"]
    if not typed or asked.question.place is not None:
        return
    place = place_of_words(session, city, typed, say=localised)
    if place is None:
        asked.errors["where"] = gettext(
            "We did not find “%(text)s” in the city. Write a district, a street address or the name of a place.",
            text=typed,
        )
        return
    if not typed[0].isdigit():
        asked.fields["where"] = place.label
    asked.question = replace(asked.question, place=place)


def read_when_field(city: City, asked: Asked, *, now: datetime) -> None:
    typed = asked.fields["when"]
    if not typed:
        return
    local = now.astimezone(city.zone)
    today = local.date()
    when, rest = read_when(typed, today=today, alone=True)
    if match := RANGE.search(rest if when else typed.lower()):
        # A range that was not taken as one ends before it begins.
        asked.errors["when"] = gettext("The time “%(text)s” ends before it starts.", text=tidy(match[0]))
        rest = ""
    if when is None:
        asked.errors.setdefault(
            "when",
            gettext(
                "We did not understand this time. Write for example %(example)s.",
                example=EXAMPLES[reader_language()],
            ),
        )
        return
    if when.day < today or (when.day == today and when.end_minute <= local.hour * 60 + local.minute):
        asked.errors["when"] = gettext("This time has passed. Choose a later one.")
        return
    if (when.day - today).days > MAX_DAYS_AHEAD:
        asked.errors["when"] = gettext("You can look two years ahead at most.")
        return
    if rest:
        asked.errors["when"] = gettext(
            "We looked for %(when)s. We did not understand “%(text)s”.",
            when=write_when(when, today),
            text=rest,
        )
    elif "when" not in asked.errors:
        asked.fields["when"] = write_when(when, today)
    start = when.start_minute
    if when.day == today and when.has_time:
        # Of an evening that has begun, what is left.
        start = max(start, min((local.hour * 60 + local.minute) // 30 * 30, when.end_minute - 30))
    asked.question = replace(asked.question, day=when.day, start_minute=start, end_minute=when.end_minute)


def write_when(when: When, today: date) -> str:
    """The time as people write it and as the field reads it again: la 28.11. klo 17–22."""
    year = (when.day - today).days > 360
    day = format_day(when.day, year=year).replace("\xa0", " ")
    if not when.has_time:
        return day
    at = {"fi": " klo ", "sv": " kl. ", "en": ", "}[reader_language()]
    return f"{day}{at}{write_clock(when.start_minute)}–{write_clock(when.end_minute)}"


def read_people_field(asked: Asked) -> None:
    typed = asked.fields["people"]
    if not typed:
        return
    # Of "30–40" the larger number decides; digits may be grouped by a space.
    numbers = [int(digits) for digits in re.findall(r"\d+", re.sub(r"(?<=\d) (?=\d{3}\b)", "", typed))[:3]]
    if not numbers or len(numbers) > 2 or re.match(r"\s*[-−]\s*\d", typed):
        asked.errors["people"] = gettext("Write the number of people in digits, for example 40.")
        return
    people = max(numbers)
    if people < 1:
        asked.errors["people"] = gettext("There has to be at least one person.")
        return
    if people > MOST_PEOPLE:
        asked.errors["people"] = gettext(
            "You can look for room for %(most)s people at most.", most=format_number(MOST_PEOPLE)
        )
        return
    asked.fields["people"] = write_people(people)
    asked.question = replace(asked.question, people=people)


def write_people(people: int) -> str:
    text: str = ngettext("%(count)s person", "%(count)s people", people, count=people)
    return text


def read_choices(asked: Asked, args: MultiDict[str, str]) -> None:
    """The filters that take codes. Unknown codes are left out and told."""
    unknown = False
    for name, part, known in CHOICES:
        given = frozenset(args.getlist(name)) - {""}
        unknown |= bool(given - known)
        said = getattr(asked.question, part)
        asked.question = replace(asked.question, **{part: given & known | said})
    if unknown:
        asked.notes.append(N_("A filter in the address is not known here, and was left out."))


def read_numbers(session: Session, city: City, asked: Asked, args: MultiDict[str, str]) -> None:
    """Price, length, district, map view, order and page."""
    question = asked.question
    prices = [number for text in args.getlist("price") if (number := whole(text)) is not None]
    if prices:
        question = replace(question, max_price_minor=min(max(prices), 100_000_000))
    minutes = whole(args.get("minutes", ""))
    if minutes is not None and 5 <= minutes <= 7 * 1440:
        question = replace(question, minutes=minutes)
    if args.get("district"):
        asked.district = district_of(session, city, whole(args["district"]))
        if asked.district is None:
            asked.notes.append(N_("The district in the address is not known here, and was left out."))
        else:
            question = replace(question, district_id=asked.district.id)
    if args.get("bbox"):
        bbox = read_bbox(args["bbox"])
        if bbox is None:
            asked.notes.append(
                N_("The map area in the address could not be read. The whole city is searched.")
            )
        question = replace(question, bbox=bbox)
    sort = args.get("sort", "best")
    if sort in SORTS and not (sort == "nearest" and question.place is None):
        question = replace(question, sort=sort)
    page = whole(args.get("page", "1"))
    if page is None or not 1 <= page <= MOST_PAGES:
        asked.notes.append(N_("There is no such page of results. Here is the first one."))
        page = 1
    asked.question = replace(question, page=page)


def whole(text: str) -> int | None:
    """A whole number from zero on, or None."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def district_of(session: Session, city: City, district_id: int | None) -> District | None:
    if district_id is None:
        return None
    return session.get(District, (city.id, district_id))


def read_bbox(text: str) -> tuple[float, float, float, float] | None:
    """west,south,east,north in degrees; None where they are not four, not in order or not on Earth."""
    try:
        west, south, east, north = (float(part) for part in text[:LONGEST_TEXT].split(","))
    except ValueError:
        return None
    if not all(math.isfinite(edge) for edge in (west, south, east, north)):
        return None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        return None
    return west, south, east, north


def remember(asked: Asked) -> None:
    """The arguments of the address that asks the same again, in one plain form."""
    question, args = asked.question, asked.args
    for name in FIELDS:
        args[name] = asked.fields[name]
    if question.people is not None:
        args["people"] = str(question.people)
    for name, part, _ in CHOICES:
        args[name] = sorted(getattr(question, part))
    if question.max_price_minor is not None:
        args["price"] = [str(question.max_price_minor)]
    if question.minutes is not None:
        args["minutes"] = str(question.minutes)
    if question.district_id is not None:
        args["district"] = str(question.district_id)
    if question.bbox is not None:
        args["bbox"] = ",".join(f"{edge:.5f}" for edge in question.bbox)
    if question.sort != "best":
        args["sort"] = question.sort
