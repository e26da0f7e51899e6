"""What the front page says of the city: how many spaces there are, what is free tonight, and ready questions."""

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app, url_for
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.web.i18n import N_, gettext, localised
from spaces.catalog.vocabulary import PURPOSES
from spaces.districts.queries import districts_of
from spaces.search.counts import count_matches, free_by_district
from spaces.search.question import Question
from spaces.search.times import When
from spaces.search.when_text import write_when

HOME_SECONDS = 60
EVENING = (17 * 60, 21 * 60)
# From this hour on "tonight" is nearly over, and the front page speaks of tomorrow.
TOMORROW_FROM = 20
MOST_DISTRICTS = 12


@dataclass(frozen=True)
class QuickSearch:
    """A ready question of the front page; `day` is "tonight", "saturday" or nothing."""

    label: str
    args: dict[str, Any]
    day: str = ""


QUICK = (
    QuickSearch(N_("Hall tonight"), {"kind": ["school_hall", "sports_hall"]}, "tonight"),
    QuickSearch(N_("Market stall on Saturday"), {"kind": ["market_stall"]}, "saturday"),
    QuickSearch(N_("Barbecue spot at the weekend"), {"kind": ["barbecue_spot"]}, "saturday"),
    QuickSearch(N_("Meeting room free of charge"), {"purpose": ["meeting"], "price": ["0"]}),
    QuickSearch(
        N_("Accessible party space"),
        {"purpose": ["party"], "access": ["accessible_toilet", "step_free_entrance"]},
    ),
)


@dataclass(frozen=True)
class Facts:
    """What the front page says of the city just now; the same for everyone, so it may be a minute old."""

    total: int
    evening: date
    districts: list[tuple[int, str, dict[str, str], int]]  # id, code, names, free spaces
    quick: list[QuickSearch]


_facts: dict[tuple[int, date], tuple[float, Facts]] = {}


def purpose_words() -> list[str]:
    return sorted(gettext(text) for text in PURPOSES.values())


def district_links(facts: Facts, when: str) -> list[dict[str, Any]]:
    """The districts with most free spaces, by name."""
    busiest = sorted(facts.districts, key=lambda row: -row[3])[:MOST_DISTRICTS]
    links = [
        {
            "name": localised(names),
            "count": count,
            "url": url_for("search.results", district=district_id, when=when),
        }
        for district_id, _, names, count in busiest
    ]
    return sorted(links, key=lambda link: str(link["name"]).casefold())


def quick_url(quick: QuickSearch, evening: When, today: date) -> str:
    when = {"tonight": evening, "saturday": When(saturday(today))}.get(quick.day)
    args = dict(quick.args)
    if when is not None:
        args["when"] = write_when(when, today)
    return url_for("search.results", **args)


def saturday(today: date) -> date:
    return today + timedelta(days=(5 - today.weekday()) % 7)


def evening_of(city: City, now: datetime) -> date:
    local = now.astimezone(city.zone)
    return local.date() + timedelta(days=1 if local.hour >= TOMORROW_FROM else 0)


def facts_of(session: Session, city: City, *, now: datetime) -> Facts:
    """Kept for a minute in each process."""
    evening = evening_of(city, now)
    until, facts = _facts.get((city.id, evening), (0.0, None))
    if facts is not None and time.monotonic() < until and not current_app.testing:
        return facts
    facts = look_around(session, city, evening, now=now)
    if len(_facts) > 1000:
        _facts.clear()
    _facts[city.id, evening] = (time.monotonic() + HOME_SECONDS, facts)
    return facts


def look_around(session: Session, city: City, evening: date, *, now: datetime) -> Facts:
    question = Question(day=evening, start_minute=EVENING[0], end_minute=EVENING[1])
    free = free_by_district(session, city, question, now=now)
    districts = [
        (district.id, district.code, district.names, free[district.id])
        for district in districts_of(session, city.id)
        if district.id in free
    ]
    quick = [q for q in QUICK if count_matches(session, city, quick_question(q), now=now).total]
    return Facts(count_matches(session, city, Question(), now=now).total, evening, districts, quick)


def quick_question(quick: QuickSearch) -> Question:
    """What a quick search asks apart from its day, which rules nothing out."""
    return Question(
        kinds=frozenset(quick.args.get("kind", ())),
        purposes=frozenset(quick.args.get("purpose", ())),
        accessibility=frozenset(quick.args.get("access", ())),
        max_price_minor=int(quick.args["price"][0]) if "price" in quick.args else None,
    )
