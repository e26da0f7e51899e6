"""A whole sentence taken apart: who, where, when, at what price and with what; the rest is what it is for.

Pure: places are looked up by a function, since only the city knows them. Nothing is dropped silently: what is not
understood is in `rest`, which stays in the first field and is searched for as words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from spaces.districts.words import near_words
from spaces.search.places import Named
from spaces.search.times import MARK, MONDAY_FIRST, When, read_when
from spaces.search.words import (
    ACCESS,
    EQUIPMENT,
    NEAR,
    SUITS,
    read_at_once,
    read_codes,
    read_length,
    read_near,
    read_people,
    read_price,
    without_edges,
)

# More than a field takes; what is behind it is not read.
LONGEST = 400
WORD = re.compile(r"[^\W\d_]{5,20}")
# Words of times and numbers that are read even with one letter wrong.
PLAIN_WORDS = frozenset(
    (
        " ".join(
            form
            for fi, sv, en in MONDAY_FIRST
            for form in (fi, fi + "na", fi + "sin", fi + "ksi", sv, sv + "ar", sv + "s", en, en + "s")
        )
        + " huomenna ylihuomenna tänään iltapäivällä aamupäivällä viikonloppuna arkisin hengelle hengen henkilölle henkilön henkeä"
        " imorgon övermorgon eftermiddag förmiddag helgen helger personer personers gäster"
        " tomorrow tonight evening evenings morning mornings afternoon afternoons weekend weekends weekday weekdays people persons person guests guest"
    ).split()
)
BEFORE_PLACE = re.compile(
    r"(?:\b(?:ihan |aivan )?(?:lähellä|lähelle|luona|near(?: to)?|close to|nära|vid|i närheten av|runt|around|i|på|in|at|by|the)\s+)+$",
    re.IGNORECASE,
)
AFTER_PLACE = re.compile(
    r"^\s+(?:(?:ihan )?(?:lähellä|lähistöllä|läheltä|luona|alueella|alueelta|kaupunginosassa|area|district)\b)",
    re.IGNORECASE,
)

# Finds the first place that a text names, and where it stands in it.
FindPlace = Callable[[str], Named | None]


@dataclass(frozen=True)
class Sentence:
    """What a sentence asks. `rest` is what is not one of the others, in the writer's own words."""

    rest: str
    people: int | None = None
    max_euros: int | None = None  # an hour
    minutes: int | None = None
    when: When | None = None
    named: Named | None = None
    near_me: bool = False
    at_once: bool = False
    equipment: frozenset[str] = frozenset()
    accessibility: frozenset[str] = frozenset()
    viewpoints: frozenset[str] = frozenset()

    @property
    def is_plain(self) -> bool:
        """Nothing was understood but words."""
        return self == Sentence(self.rest)


def take_apart(text: str, *, today: date, find_place: FindPlace | None = None) -> Sentence:
    """The sentence understood. Without `find_place` names of places stay words."""
    written = text[:LONGEST]
    rest = mend_plain_words(written)
    at_once, rest = read_at_once(rest)
    viewpoints, rest = read_codes(rest, SUITS)  # before "accessible": a wheelchair user's is more
    accessibility, rest = read_codes(rest, ACCESS)
    equipment, rest = read_codes(rest, EQUIPMENT)
    price, rest = read_price(rest)
    people, rest = read_people(rest)
    near_me, rest = read_near(rest)
    named = None if near_me or find_place is None else find_place(rest)
    if named is not None:
        rest = without_place(rest, named)
    length, rest = read_length(rest)
    when, rest = read_when(rest, today=today, minutes=length)
    if named is None and not near_me and find_place is not None and NEAR.search(rest):
        near_me, rest = True, NEAR.sub(MARK, rest)
    found = Sentence(
        "", people, price, length, when, named, near_me, at_once, equipment, accessibility, viewpoints
    )
    return (
        found
        if (left := without_edges(rest)) == ""
        else _with_rest(found, written if found.is_plain else left)
    )


def _with_rest(found: Sentence, rest: str) -> Sentence:
    return Sentence(**{**found.__dict__, "rest": rest})


def without_place(text: str, named: Named) -> str:
    """The text without the place and the words that tie it in: nära Hagnäs, Kallion lähellä."""
    before = BEFORE_PLACE.sub("", text[: named.start])
    return before + MARK + AFTER_PLACE.sub("", text[named.end :])


def mend_plain_words(text: str) -> str:
    """Weekdays and the like with one letter wrong put right: torstiana, onsdg, tomorow."""

    def mended(match: re.Match[str]) -> str:
        word = match[0].lower()
        if word in PLAIN_WORDS:
            return match[0]
        near = [other for other in near_words(word, PLAIN_WORDS) if other[0] == word[0]]
        return near[0] if len(near) == 1 else match[0]

    return WORD.sub(mended, text)
