"""What may be offered to somebody by what they have booked: pure decisions about days and hours, none about free times.

A meeting is told from a regular hour by how often it comes: what bears one name at most twice within three months comes
once a year, and is looked for 52 weeks later, on the same weekday. Three dates in ninety days at one hour of one weekday
are a habit. Days are local dates, minutes those of the city's wall clock.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

# Fewer organisations than these, or the bookings of fewer people, are never told of, not even as a number.
LEAST_ORGANISATIONS = 5
LEAST_PEOPLE = 5
# Anybody can found an organisation: one counts once it is older than this, so that nobody makes up the others at once.
COUNTED_AFTER = timedelta(days=90)
# Of the texts that people and organisations agree to; a new text is a new question.
CONSENT_VERSION = 1
POOL_VERSION = 1
MOST_OFFERED = 5
# Of one reason so many, so that the rest is seen as well.
MOST_ALIKE = {"annual": 3, "habit": 2, "again": 2, "home": 1, "similar": 2}
# How much of each is looked at before the calendars are.
MOST_TRIED = 10
DISMISSED_FOR = timedelta(days=365)
# Of one person; beyond these the oldest are forgotten.
MOST_DISMISSED = 200
DISMISSALS_PER_HOUR = 60
HOUR = timedelta(hours=1)

WEEK = timedelta(days=7)
A_YEAR = 52 * WEEK
ANNUAL_AHEAD = timedelta(days=60)
SAME_SEASON = timedelta(days=45)
MOST_A_SEASON = 2
HABIT_WITHIN = timedelta(days=90)
HABIT_STILL = timedelta(days=35)
HABIT_DATES = 3
HABIT_WEEKS = 4
AGAIN_WITHIN = timedelta(days=365)
AGAIN_TIMES = 2
NEAR_DAYS = 14
USUAL_MINUTES = 120
USUAL_START = 18 * 60


@dataclass(frozen=True)
class Past:
    """A booking that stands, over or ahead: where, for whom (None: for oneself), when and what for."""

    space_id: int
    organisation_id: int | None
    day: date
    start_minute: int
    minutes: int
    purpose: str = ""
    people: int | None = None
    in_series: bool = False

    @property
    def meeting(self) -> str:
        return meeting_of(self.purpose)

    def meets(self, day: date, start_minute: int, minutes: int) -> bool:
        return (
            self.day == day
            and self.start_minute < start_minute + minutes
            and start_minute < self.start_minute + self.minutes
        )


@dataclass(frozen=True)
class Wish:
    """What somebody may want again: this space on the first of `days` on which it is free, as near to `start_minute` as
    may be; with `is_exact` at no other minute. `facts` are for the reason's sentence."""

    source: str
    organisation_id: int | None
    space_id: int
    days: tuple[date, ...]
    start_minute: int
    minutes: int
    purpose: str = ""
    people: int | None = None
    is_exact: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def meeting(self) -> str:
        """What can be turned down as a whole; only what comes back by its name."""
        return meeting_of(self.purpose) if self.source in {"annual", "habit"} else ""


def meeting_of(purpose: str) -> str:
    """The name of a meeting, however it is written."""
    return " ".join(purpose.casefold().split())[:200]


def wish_like(one: Past, source: str, days: Iterable[date], **facts: Any) -> Wish:
    return Wish(
        source,
        one.organisation_id,
        one.space_id,
        tuple(days),
        one.start_minute,
        one.minutes,
        one.purpose,
        one.people,
        is_exact=source == "habit",
        facts=facts,
    )


def wishes(past: Sequence[Past], *, today: date) -> list[Wish]:
    """All that the past lets one guess, the likeliest first: what comes once a year by its day, then habits, then spaces
    that are booked again and again."""
    annual = annual_wishes(past, today=today)
    habits = habit_wishes(past, today=today)
    told = {(wish.organisation_id, wish.space_id) for wish in (*annual, *habits)}
    again = [w for w in again_wishes(past, today=today) if (w.organisation_id, w.space_id) not in told]
    return [*annual, *habits, *again]


def annual_wishes(past: Sequence[Past], *, today: date) -> list[Wish]:
    """Meetings of about a year ago that nobody has arranged yet, by the day they would be on."""
    found = []
    for alike in grouped(past, lambda one: (one.organisation_id, one.meeting)):
        if not alike[0].meeting:
            continue
        for one in alike:
            on = one.day + A_YEAR
            near = [other for other in alike if abs(other.day - one.day) <= SAME_SEASON]
            arranged = any(abs(other.day - on) <= SAME_SEASON for other in alike)
            is_due = today <= on <= today + ANNUAL_AHEAD
            if is_due and not one.in_series and len(near) <= MOST_A_SEASON and not arranged:
                found.append(wish_like(one, "annual", [on], was_on=one.day))
                break
    return sorted(found, key=lambda wish: wish.days)


def habit_wishes(past: Sequence[Past], *, today: date) -> list[Wish]:
    """The next dates of an hour that is kept, without those that are booked already."""
    found = []
    diary = diary_of(past, today=today)
    lately = [one for one in past if today - HABIT_WITHIN <= one.day <= today]
    for alike in grouped(
        lately, lambda one: (one.organisation_id, one.space_id, one.day.weekday(), one.start_minute)
    ):
        last = alike[-1]
        if len({one.day for one in alike}) < HABIT_DATES or last.day < today - HABIT_STILL:
            continue
        if days := free_days(last, diary, weekdays_from(today, last.day.weekday(), HABIT_WEEKS)):
            found.append(wish_like(last, "habit", days, weekday=last.day.weekday()))
    return sorted(found, key=lambda wish: wish.days)


def again_wishes(past: Sequence[Past], *, today: date) -> list[Wish]:
    """Spaces that were booked several times in a year, on the weekday of the last time."""
    found = []
    diary = diary_of(past, today=today)
    year = [one for one in past if today - AGAIN_WITHIN <= one.day <= today]
    for alike in grouped(year, lambda one: (one.organisation_id, one.space_id)):
        last, times = alike[-1], len({one.day for one in alike})
        if times < AGAIN_TIMES:
            continue
        if days := free_days(last, diary, weekdays_from(today, last.day.weekday(), NEAR_DAYS // 7)):
            found.append((times, wish_like(last, "again", days, times=times)))
    return [wish for _, wish in sorted(found, key=lambda one: (-one[0], one[1].days))]


Diary = Mapping[tuple[int | None, date], Sequence[Past]]


def diary_of(past: Iterable[Past], *, today: date) -> Diary:
    """What each has on each day from today on."""
    found: dict[tuple[int | None, date], list[Past]] = {}
    for one in past:
        if one.day >= today:
            found.setdefault((one.organisation_id, one.day), []).append(one)
    return found


def free_days(like: Past, diary: Diary, days: Iterable[date]) -> list[date]:
    """Those days on which the same person or organisation has nothing at that hour yet."""
    return [
        day
        for day in days
        if not any(
            one.meets(day, like.start_minute, like.minutes)
            for one in diary.get((like.organisation_id, day), ())
        )
    ]


def weekdays_from(today: date, weekday: int, weeks: int) -> list[date]:
    """So many of the weekday, from tomorrow on."""
    first = today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    return [first + n * WEEK for n in range(weeks)]


def grouped(past: Iterable[Past], key: Callable[[Past], Any]) -> list[list[Past]]:
    """Those alike, the earliest first within each."""
    found: dict[Any, list[Past]] = {}
    for one in sorted(past, key=lambda one: (one.day, one.start_minute)):
        found.setdefault(key(one), []).append(one)
    return list(found.values())


def similar_wish(
    space_id: int, organisations: int, *, organisation_id: int, usual: Past | None, today: date
) -> Wish:
    """A space that organisations like this one use, at the hour that this one keeps."""
    days = tuple(today + timedelta(days=n) for n in range(1, NEAR_DAYS // 2 + 1))
    return Wish(
        "similar",
        organisation_id,
        space_id,
        days,
        usual.start_minute if usual else USUAL_START,
        usual.minutes if usual else USUAL_MINUTES,
        usual.purpose if usual else "",
        usual.people if usual else None,
        facts={"organisations": told_count(organisations)},
    )


def told_count(organisations: int) -> int:
    """The number as it is told: whole fives, so that nobody sees a single one come or go."""
    return organisations - organisations % LEAST_ORGANISATIONS


def usual_of(past: Sequence[Past], organisation_id: int | None) -> Past | None:
    """The last booking of this subject: what it does, with how many, at which hour."""
    own = [one for one in past if one.organisation_id == organisation_id]
    return max(own, key=lambda one: (one.day, one.start_minute), default=None)


Turned = Collection[tuple[int | None, int | None, str | None]]


def is_turned_down(wish: Wish, turned: Turned) -> bool:
    """Whether the person has said that this space, or this meeting, is not for them or for the organisation."""
    whose = wish.organisation_id
    return (whose, wish.space_id, None) in turned or bool(
        wish.meeting and (whose, None, wish.meeting) in turned
    )
