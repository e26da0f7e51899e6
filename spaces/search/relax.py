"""What to change where a question finds nothing, or nothing free: each way with the number of spaces it would give."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.web.i18n import gettext
from spaces.search.counts import count_matches
from spaces.search.forms import Asked, write_when
from spaces.search.queries import Answer
from spaces.search.question import Question
from spaces.search.words import When

MOST_RELAXED = 4
MOST_TRIED = 6


def free_count(question: Question, answer: Answer) -> int | None:
    """How many are free when asked: exact where all are on the page, else by the day sheets; None without a day."""
    if question.day is None:
        return None
    if answer.total == len(answer.hits):
        return sum(1 for hit in answer.hits if hit.is_free)
    return answer.free


def relaxations(
    session: Session, city: City, asked: Asked, answer: Answer, free: int | None, *, now: datetime
) -> list[tuple[str, str, int]]:
    """Where nothing is found or free: what to drop, its address, and how many spaces that would give."""
    if not answer.total:
        tries = drops(asked)
    elif free == 0:
        tries = other_times(asked, now.astimezone(city.zone).date())
    else:
        return []
    found = []
    for label, question, url in tries[:MOST_TRIED]:
        count = count_matches(session, city, question, now=now)
        number = count.free if answer.total else count.total
        if number:
            found.append((label, url, number))
    return found[:MOST_RELAXED]


def drops(asked: Asked) -> list[tuple[str, Question, str]]:
    """The question with one condition less, the likeliest reason first."""
    q, tries = asked.question, []
    if 1 < len(q.words) <= MOST_RELAXED:
        for word in q.words:
            words = tuple(other for other in q.words if other != word)
            tries.append(
                (
                    gettext("Without “%(text)s”", text=word),
                    replace(q, words=words),
                    asked.address(q=" ".join(words)),
                )
            )
    elif q.words:
        tries.append(
            (gettext("Without “%(text)s”", text=asked.fields["q"]), replace(q, words=()), asked.without("q"))
        )
    if q.people is not None:
        tries.append(
            (
                gettext("Without %(people)s", people=asked.fields["people"]),
                replace(q, people=None),
                asked.without("people"),
            )
        )
    if q.district_id is not None:
        tries.append((gettext("In the whole city"), replace(q, district_id=None), asked.without("district")))
    if q.bbox is not None:
        tries.append((gettext("In the whole city"), replace(q, bbox=None), asked.without("bbox")))
    if q.max_price_minor is not None:
        tries.append((gettext("At any price"), replace(q, max_price_minor=None), asked.without("price")))
    if q.accessibility or q.viewpoints:
        tries.append(
            (
                gettext("Without the accessibility filter"),
                replace(q, accessibility=frozenset(), viewpoints=frozenset()),
                asked.address(access=None, suits=None),
            )
        )
    if q.kinds or q.purposes or q.equipment or q.approval or q.owner_kinds:
        bare = replace(
            q,
            kinds=frozenset(),
            purposes=frozenset(),
            equipment=frozenset(),
            approval=frozenset(),
            owner_kinds=frozenset(),
        )
        gone = dict.fromkeys(("kind", "purpose", "equipment", "approval", "owner"))
        tries.append((gettext("Without the other filters"), bare, asked.address(**gone)))
    return tries


def other_times(asked: Asked, today: date) -> list[tuple[str, Question, str]]:
    """Other times for a question that finds spaces, but none that is free then."""
    q = asked.question
    if q.day is None:
        return []
    tries = []
    if q.has_time:
        tries.append(When(q.day))
    tries += [When(q.day + timedelta(days=n), q.start_minute, q.end_minute) for n in (1, 2, 7)]
    return [
        (
            write_when(when, today),
            replace(q, day=when.day, start_minute=when.start_minute, end_minute=when.end_minute, page=1),
            asked.address(when=write_when(when, today)),
        )
        for when in tries
    ]
