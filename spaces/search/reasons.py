"""Why a space answers a question, as codes with their facts. Pure values: no words, no database.

The rules say what is worth telling: not what the row shows anyway, nor what is so with every row. What comes first tells
most; a page shows the first few.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spaces.districts.words import folded
from spaces.search.familiar import Use
from spaces.search.question import Question
from spaces.search.words import meanings

# A room for up to half as many again, or for five more, is of the right size.
RIGHT_SIZE, A_FEW_MORE = 1.5, 5
# Fewer rows with a price are nothing to compare.
FEWEST_COMPARED = 3
SHORTEST_PART = 4
TOKEN = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Reason:
    """One thing that is so with a space. `facts` are its numbers: minutes, metres, people, minor units, codes, words."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    is_against: bool = False


@dataclass(frozen=True)
class Match:
    """A space of the answer, as far as reasons go. `price_minor` is what its first offer of so many `minutes` costs, in minor
    units of the city's currency; `told` are the texts about it, its names first."""

    capacity: int | None
    purposes: Collection[str]
    kind: str
    approval: str
    district_id: int | None
    distance_m: float | None
    price_minor: int | None
    minutes: int | None = None
    told: Sequence[str] = ()
    used: Use | None = None


@dataclass(frozen=True)
class Among:
    """What a space is compared with: the other rows of its page. `first` is how many rows those are where there are more
    behind them."""

    is_any_paid: bool = False
    purposes_of_all: list[str] | None = None
    least_minor: int | None = None
    is_any_asked_for: bool = False
    first: int | None = None


def among(matches: Sequence[Match], question: Question, *, total: int, is_first_page: bool) -> Among:
    """The least price is told of the first rows only, where they are for equal lengths and one row has it alone."""
    prices = [match.price_minor for match in matches if match.price_minor is not None]
    are_alike = len({match.minutes for match in matches if match.price_minor is not None}) == 1
    least = min(prices) if is_first_page and are_alike and len(prices) >= FEWEST_COMPARED else None
    meant = [meant_for(match, question) for match in matches]
    are_equal = len(matches) >= FEWEST_COMPARED and all(codes == meant[0] for codes in meant)
    return Among(
        is_any_paid=any(prices),
        purposes_of_all=meant[0] if are_equal else None,
        least_minor=least if least and prices.count(least) == 1 else None,
        is_any_asked_for=any(match.approval != "instant" for match in matches),
        first=len(matches) if total > len(matches) else None,
    )


def reasons(match: Match, question: Question, others: Among) -> list[Reason]:
    """Why this space, what tells most first."""
    found = [
        used_reason(match),
        place_reason(match, question),
        size_reason(match, question),
        purpose_reason(match, question, others),
        *word_reasons(match, question),
        price_reason(match, others),
    ]
    if match.approval == "instant" and others.is_any_asked_for:
        found.append(Reason("at-once"))
    return [reason for reason in found if reason is not None]


def used_reason(match: Match) -> Reason | None:
    if match.used is None:
        return None
    facts = {"on": match.used.on.isoformat(), "times": match.used.times}
    return Reason("organisation-was-here" if match.used.by_organisation else "you-were-here", facts)


def place_reason(match: Match, question: Question) -> Reason | None:
    """Inside the district that was asked about, metres from its middle would say nothing."""
    place = question.place
    if place is None or match.distance_m is None:
        return None
    if place.district_id is not None and place.district_id == match.district_id:
        return Reason("in-place", {"place": place.label})
    metres = {"metres": round(match.distance_m)}
    return Reason("away", metres) if place.is_point else Reason("near", {**metres, "place": place.label})


def size_reason(match: Match, question: Question) -> Reason | None:
    people, capacity = question.people, match.capacity
    if (
        people is None
        or capacity is None
        or not people <= capacity <= max(people * RIGHT_SIZE, people + A_FEW_MORE)
    ):
        return None
    return Reason("size", {"people": capacity, "asked": people})


def meant_for(match: Match, question: Question) -> list[str]:
    """The asked purposes that the space is meant for, the first two."""
    asked = [sorted(question.purposes), *(sorted(meanings(word)) for word in question.words)]
    meant = [code for codes in asked for code in codes if code in match.purposes]
    return list(dict.fromkeys(meant))[:2]


def purpose_reason(match: Match, question: Question, others: Among) -> Reason | None:
    meant = meant_for(match, question)
    return Reason("meant-for", {"purposes": meant}) if meant and meant != others.purposes_of_all else None


def word_reasons(match: Match, question: Question) -> list[Reason]:
    """Of the first word that stands for no purpose of the space: the longer word that it is a part of, or that its texts
    have it."""
    for word in question.words:
        if meanings(word) & {*match.purposes, match.kind}:
            continue
        longer = next((token for text in match.told if (token := stands_in(word, text))), None)
        if longer is None:
            continue
        is_part = len(longer) >= len(word) + SHORTEST_PART
        return [Reason("part-of-word" if is_part else "mentions", {"word": word, "longer": longer})]
    return []


def stands_in(word: str, text: str) -> str | None:
    """The first word of the text that has this one, as its own beginning or end may be bent: talo in nuorisotalossa."""
    stem = folded(word.lower())
    if len(stem) > SHORTEST_PART:
        stem = stem[: max(SHORTEST_PART, len(stem) - 2)]
    return next((token for token in TOKEN.findall(text) if stem in folded(token.lower())), None)


def price_reason(match: Match, others: Among) -> Reason | None:
    if match.price_minor == 0:
        return Reason("free-of-charge") if others.is_any_paid else None
    if match.price_minor is None or match.price_minor != others.least_minor:
        return None
    return Reason("cheapest", {} if others.first is None else {"first": others.first})
