"""Reads the search page's address: four fields of plain words, and the filters.

A wrong value never stops the search. It leaves a message at its field, where what was typed stays, and everything else
is still asked. What is understood is shown in the fields in one plain form, so that it can be checked and mended.
"""

import math
import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
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
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, KINDS, PURPOSES
from spaces.districts.queries import DistrictName, named_districts
from spaces.search.areas import NOT_THIS_CITY, read_corners, write_corners
from spaces.search.places import Named, in_city, named_in_words, place_of_words
from spaces.search.question import MAX_DAYS_AHEAD, SORTS, Question
from spaces.search.sentence import Sentence, take_apart
from spaces.search.spelling import mend_words, put_right
from spaces.search.times import MOST_WINDOW_DAYS, RANGE, When, read_when, tidy, window_of
from spaces.search.when_text import write_when
from spaces.search.words import meanings, search_words

FIELDS = ("q", "where", "when", "people")
LONGEST_TEXT = 200
MOST_PEOPLE = 50_000
MOST_PAGES = 1000
MOST_DISTRICTS = 100
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
    remarks: list[str] = field(default_factory=list)  # as notes, in the reader's language already
    args: dict[str, Any] = field(default_factory=dict)
    near_me: bool = False  # asks for what is near the reader, whose position is not known
    districts: list[DistrictName] = field(default_factory=list)  # of the filter, not of the place

    def address(self, **changes: Any) -> str:
        """The address of the same question with some arguments changed; None takes one out."""
        return self.address_of("search.results", **changes)

    def address_of(self, endpoint: str, **changes: Any) -> str:
        """As `address`, of another page that is asked the same."""
        args = {**self.args, **changes}
        return url_for(endpoint, **{name: value for name, value in args.items() if value})

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
    read_window(asked, args, today=today)
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
    written = asked.fields["q"]
    if not written:
        return

    def find_place(text: str) -> Named | None:
        return named_in_words(session, city, text, say=localised)

    # Beside a place that is said already, "Kallion kirjasto" is the name of a library.
    said = take_apart(written, today=today, find_place=None if asked.fields["where"] else find_place)
    fill_fields(asked, said, today=today)
    question = replace(
        asked.question,
        place=said.named.place if said.named else None,
        accessibility=said.accessibility,
        viewpoints=said.viewpoints,
        equipment=said.equipment,
        approval=frozenset({"instant"} if said.at_once else ()),
        minutes=said.minutes,
    )
    if said.max_euros is not None and not price_asked:
        question = replace(question, max_price_minor=said.max_euros * 100)
    asked.fields["q"] = said.rest
    words = search_words(said.rest)
    asked.question = replace(question, words=mended(session, city, asked, words))
    plain = [word for word in asked.question.words if not meanings(word)]
    if plain and not said.is_plain:
        asked.remarks.append(gettext("We also searched for the words: %(words)s.", words=", ".join(plain)))


def fill_fields(asked: Asked, said: Sentence, *, today: date) -> None:
    """Puts what a sentence says in the fields that are empty. One that is filled counts more, and that is told."""
    found = {
        "people": str(said.people) if said.people is not None else "",
        "when": write_when(said.when, today) if said.when else "",
        "where": said.named.place.label if said.named else "",
    }
    for name, text in found.items():
        if not text:
            continue
        if asked.fields[name]:
            asked.remarks.append(
                gettext("“%(text)s” was left out, since its own field says something else.", text=text)
            )
        else:
            asked.fields[name] = text
    if said.near_me and not asked.fields["where"]:
        asked.near_me = True
        asked.remarks.append(
            gettext("To look near you, write a street address or a district in the field “Where”.")
        )


def mended(session: Session, city: City, asked: Asked, words: list[str]) -> tuple[str, ...]:
    """The words to search for: of a misspelt one, what the city's texts have instead. One that nothing is like is left
    out beside others, and stays where it is all that is asked. Both are told."""
    instead = mend_words(session, city, words)
    used = [word for word in words if instead.get(word, word) is not None]
    for typed, other in instead.items():
        if other is not None:
            asked.remarks.append(
                gettext(
                    "Nothing has the word “%(typed)s”. We searched for “%(used)s”.", typed=typed, used=other
                )
            )
        elif used:
            asked.remarks.append(
                gettext("Nothing has the word “%(typed)s”. We searched without it.", typed=typed)
            )
    return put_right(words, instead)


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
    if not typed[0].isdigit() and not place.is_point:
        asked.fields["where"] = place.label
    asked.question = replace(asked.question, place=place)


def read_window(asked: Asked, args: MultiDict[str, str], *, today: date) -> None:
    """Days in the address for programs and links: from, to (dates) and weekday (1 is Monday), where no words say when."""
    if asked.fields["when"] or not args.get("from"):
        return
    try:
        first = date.fromisoformat(args["from"][:LONGEST_TEXT])
        last = date.fromisoformat(args.get("to", "")[:LONGEST_TEXT] or args["from"])
        weekdays = frozenset(int(text) - 1 for text in args.getlist("weekday") if re.fullmatch("[1-7]", text))
    except ValueError:
        asked.notes.append(N_("The days in the address could not be read, and were left out."))
        return
    when = window_of(max(first, today) if first < today <= last else first, last, weekdays)
    if when is None:
        asked.notes.append(N_("The days in the address could not be read, and were left out."))
        return
    asked.fields["when"] = write_when(when, today)


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
    when = coming(when, today, local.hour * 60 + local.minute)
    if when is None:
        asked.errors["when"] = gettext("This time has passed. Choose a later one.")
        return
    if (when.day - today).days > MAX_DAYS_AHEAD:
        asked.errors["when"] = gettext("You can look two years ahead at most.")
        return
    if when.last_day is not None and (when.last_day - when.day).days >= MOST_WINDOW_DAYS:
        last = when.day + timedelta(days=MOST_WINDOW_DAYS - 1)
        when = replace(when, last_day=last)
        asked.errors["when"] = gettext(
            "You can look through three months at a time. We looked until %(day)s.",
            day=format_day(last, year=True),
        )
        rest = ""
    if rest:
        asked.errors["when"] = gettext(
            "We looked for %(when)s. We did not understand “%(text)s”.",
            when=write_when(when, today),
            text=rest,
        )
    elif "when" not in asked.errors:
        asked.fields["when"] = write_when(when, today)
    start = when.start_minute
    if when.day == today and when.last_day is None and when.has_time:
        # Of an evening that has begun, what is left.
        start = max(start, min((local.hour * 60 + local.minute) // 30 * 30, when.end_minute - 30))
    asked.question = replace(
        asked.question,
        day=when.day,
        start_minute=start,
        end_minute=when.end_minute,
        last_day=when.last_day,
        weekdays=when.weekdays,
    )


def coming(when: When, today: date, minute: int) -> When | None:
    """What of these days and hours is still to come at this minute of today; None where all have passed."""
    first = today if when.end_minute > minute else today + timedelta(days=1)
    if when.day >= first:
        return when
    if when.last_day is None:
        return None
    left = window_of(first, when.last_day, when.weekdays)
    return None if left is None else replace(left, start_minute=when.start_minute, end_minute=when.end_minute)


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
    """Price, length, districts, map view, drawn area, order and page."""
    question = asked.question
    prices = [number for text in args.getlist("price") if (number := whole(text)) is not None]
    if prices:
        question = replace(question, max_price_minor=min(max(prices), 100_000_000))
    minutes = whole(args.get("minutes", ""))
    if minutes is not None and 5 <= minutes <= 7 * 1440:
        question = replace(question, minutes=minutes)
    question = read_districts(session, city, asked, args, question)
    if args.get("bbox"):
        bbox = read_bbox(args["bbox"])
        if bbox is None:
            asked.notes.append(
                N_("The map area in the address could not be read. The whole city is searched.")
            )
        question = replace(question, bbox=bbox)
    if args.get("area"):
        corners = read_corners(args["area"])
        if not isinstance(corners, str) and not in_city(session, city, corners):
            corners = NOT_THIS_CITY
        if isinstance(corners, str):
            asked.notes.append(corners)
        else:
            question = replace(question, area=corners)
    sort = args.get("sort", "best")
    needs = {"nearest": question.place, "soonest": question.day}
    if sort in SORTS and needs.get(sort, sort) is not None:
        question = replace(question, sort=sort)
    page = whole(args.get("page", "1"))
    if page is None or not 1 <= page <= MOST_PAGES:
        asked.notes.append(N_("There is no such page of results. Here is the first one."))
        page = 1
    asked.question = replace(question, page=page)


def whole(text: str) -> int | None:
    """A whole number from zero on, or None."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def read_districts(
    session: Session, city: City, asked: Asked, args: MultiDict[str, str], question: Question
) -> Question:
    """The chosen districts, any of which will do; unknown ones are told."""
    given = {text for text in args.getlist("district")[:MOST_DISTRICTS] if text}
    wanted = {number for text in given if (number := whole(text)) is not None}
    asked.districts = named_districts(session, city.id, wanted) if wanted else []
    if len(asked.districts) < len(given):
        asked.notes.append(N_("The district in the address is not known here, and was left out."))
    return replace(question, district_ids=frozenset(district.id for district in asked.districts))


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


def write_bbox(bbox: tuple[float, float, float, float]) -> str:
    return ",".join(f"{edge:.5f}" for edge in bbox)


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
    if question.district_ids:
        args["district"] = [str(district_id) for district_id in sorted(question.district_ids)]
    if question.area:
        args["area"] = write_corners(question.area)
    if question.bbox is not None:
        args["bbox"] = write_bbox(question.bbox)
    if question.sort != "best":
        args["sort"] = question.sort
