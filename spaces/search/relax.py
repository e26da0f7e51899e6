"""What to change where a question finds nothing or little: each way with the number of spaces it would give.

At most MOST_TRIED ways are counted, one statement each, the likeliest first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.geo import box_around
from marketplace.web.i18n import format_distance, format_duration, format_number, gettext, ngettext
from spaces.catalog.access_present import lowered
from spaces.catalog.present import write_clock
from spaces.catalog.vocabulary import EQUIPMENT
from spaces.search.areas import widened, write_corners
from spaces.search.counts import count_matches
from spaces.search.forms import Asked, write_bbox
from spaces.search.front import saturday
from spaces.search.queries import MOST_NEAR, Answer
from spaces.search.question import Question
from spaces.search.times import When
from spaces.search.when_text import write_when

# Of fewer free ones than this the page says what would give more.
FEW = 3
MOST_RELAXED = 5
MOST_TRIED = 8
WIDER_METRES = 2000
EARLIEST, LATEST = 6 * 60, 23 * 60
# How long a booking is meant where nobody has said it.
USUAL_MINUTES = 120
SHORTEST = 30


@dataclass(frozen=True)
class Try:
    """A way to ask for more. A question that asks for less than before finds all of what was found, and more."""

    label: str
    question: Question
    url: str
    is_wider: bool = True


@dataclass(frozen=True)
class Relaxed:
    """A way that finds something, its address, and how many it would give, in words."""

    label: str
    url: str
    count: str


def free_count(question: Question, answer: Answer) -> int | None:
    """How many are free when asked: exact where all are on the page, else by the day sheets; None without a day."""
    if question.day is None:
        return None
    if answer.total == len(answer.hits):
        return sum(1 for hit in answer.hits if hit.is_free)
    return answer.free


def relaxations(
    session: Session, city: City, asked: Asked, answer: Answer, free: int | None, *, now: datetime
) -> list[Relaxed]:
    """What to change where nothing is found, or little is free."""
    today = now.astimezone(city.zone).date()
    if not answer.total:
        tries = drops(asked, city)
    elif free is not None and free < FEW and asked.question.page == 1:
        tries = others(asked, city, today)
    else:
        return []
    found: list[Relaxed] = []
    for one in islice(tries, MOST_TRIED):
        count = count_matches(session, city, one.question, now=now)
        number = count.free if answer.total else count.total
        had = (free or 0) if one.is_wider else 0
        if number > had:
            found.append(Relaxed(one.label, one.url, number_text(number - had, is_more=had > 0)))
        if len(found) == MOST_RELAXED:
            break
    return found


def number_text(number: int, *, is_more: bool) -> str:
    """3 spaces; 3 more; over 500 spaces."""
    if number > MOST_NEAR:
        return str(gettext("over %(count)s spaces", count=format_number(MOST_NEAR)))
    if is_more:
        return str(gettext("%(count)s more", count=format_number(number)))
    text: str = ngettext("%(count)s space", "%(count)s spaces", number, count=format_number(number))
    return text


def drops(asked: Asked, city: City) -> Iterator[Try]:
    """The question with one condition less, the likeliest reason first."""
    q = asked.question
    if 1 < len(q.words) <= MOST_RELAXED:
        for word in q.words:
            words = tuple(other for other in q.words if other != word)
            yield Try(
                gettext("Without “%(text)s”", text=word),
                replace(q, words=words),
                asked.address(q=" ".join(words)),
            )
    elif q.words:
        yield Try(
            gettext("Without “%(text)s”", text=asked.fields["q"]), replace(q, words=()), asked.without("q")
        )
    if q.people is not None:
        yield Try(
            gettext("Without %(people)s", people=asked.fields["people"]),
            replace(q, people=None),
            asked.without("people"),
        )
    yield from wider_places(asked, city)
    yield from fewer_wishes(asked)
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
        yield Try(gettext("Without the other filters"), bare, asked.address(**gone))


def others(asked: Asked, city: City, today: date) -> Iterator[Try]:
    """For a question that finds spaces, of which few are free then: other hours and days, a shorter time, a wider area,
    fewer wishes."""
    yield from other_hours(asked, today)
    yield from wider_places(asked, city)
    yield from islice(fewer_wishes(asked), 3)
    yield from other_days(asked, today)


def other_hours(asked: Asked, today: date) -> Iterator[Try]:
    """A later or an earlier beginning, a shorter time, or the whole day."""
    q = asked.question
    if q.day is None:
        return
    minutes = q.minutes or min(USUAL_MINUTES, q.end_minute - q.start_minute)
    if q.has_time:
        for start in (max(q.start_minute, q.end_minute - minutes) + 60, q.start_minute - 120):
            if not start >= EARLIEST or start + minutes > LATEST:
                continue
            when = replace(when_of(q, q.day), start_minute=start, end_minute=start + minutes)
            yield at(asked, when, today, label=gettext("Start at %(clock)s", clock=write_clock(start)))
    if q.minutes is not None and q.minutes // 2 >= SHORTEST:
        half = q.minutes // 2
        yield Try(
            gettext(
                "%(short)s instead of %(long)s", short=format_duration(half), long=format_duration(q.minutes)
            ),
            replace(q, minutes=half),
            asked.address(minutes=str(half)),
        )
    if q.has_time:
        when = replace(when_of(q, q.day), start_minute=0, end_minute=1440)
        yield replace(at(asked, when, today, label=gettext("Any time of day")), is_wider=True)


def other_days(asked: Asked, today: date) -> Iterator[Try]:
    """The next day, Saturday and the same day a week later; after a window the next one that is as long."""
    q = asked.question
    if q.day is None:
        return
    when = when_of(q, q.day)
    if q.last_day is not None:
        ahead = q.last_day - q.day + timedelta(days=1)
        if q.weekdays:
            ahead = timedelta(days=-(-ahead.days // 7) * 7)
        yield at(asked, replace(when, day=q.day + ahead, last_day=q.last_day + ahead), today)
        return
    for day in dict.fromkeys(
        (q.day + timedelta(days=1), saturday(q.day + timedelta(days=1)), q.day + timedelta(days=7))
    ):
        yield at(asked, replace(when, day=day), today)


def when_of(question: Question, day: date) -> When:
    return When(
        day,
        question.start_minute,
        question.end_minute,
        last_day=question.last_day,
        weekdays=question.weekdays,
    )


def at(asked: Asked, when: When, today: date, *, label: str = "") -> Try:
    """The same question for another time."""
    text = write_when(when, today)
    question = replace(
        asked.question,
        day=when.day,
        last_day=when.last_day,
        start_minute=when.start_minute,
        end_minute=when.end_minute,
        page=1,
    )
    return Try(label or text, question, asked.address(when=text), is_wider=False)


def wider_places(asked: Asked, city: City) -> Iterator[Try]:
    """Around a seen or drawn area, then in the whole city."""
    q = asked.question
    more = gettext("Within %(distance)s more", distance=format_distance(WIDER_METRES))
    if q.area:
        corners = widened(q.area, metres=WIDER_METRES, crs=city.metric_crs)
        yield Try(more, replace(q, area=corners), asked.address(area=write_corners(corners)))
    if q.bbox is not None:
        west, south, east, north = q.bbox
        around = (
            box_around(west, south, metres=WIDER_METRES)[:2]
            + box_around(east, north, metres=WIDER_METRES)[2:]
        )
        yield Try(more, replace(q, bbox=around), asked.address(bbox=write_bbox(around)))
    if q.area or q.bbox is not None or q.district_ids:
        yield Try(
            gettext("In the whole city"),
            replace(q, area=(), bbox=None, district_ids=frozenset()),
            asked.address(area=None, bbox=None, district=None),
        )


def fewer_wishes(asked: Asked) -> Iterator[Try]:
    """Without one of the things that the space has to have."""
    q = asked.question
    for code in sorted(q.equipment)[:2]:
        yield Try(
            gettext("Without: %(thing)s", thing=lowered(gettext(EQUIPMENT[code]))),
            replace(q, equipment=q.equipment - {code}),
            asked.without("equipment", code),
        )
    if q.max_price_minor is not None:
        yield Try(gettext("At any price"), replace(q, max_price_minor=None), asked.without("price"))
    if q.approval == {"instant"}:
        yield Try(
            gettext("Also where the owner confirms"),
            replace(q, approval=frozenset()),
            asked.without("approval"),
        )
    if q.accessibility or q.viewpoints:
        yield Try(
            gettext("Without the accessibility filter"),
            replace(q, accessibility=frozenset(), viewpoints=frozenset()),
            asked.address(access=None, suits=None),
        )
