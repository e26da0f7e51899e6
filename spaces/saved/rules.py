"""When a saved search tells, how often, and how long it lasts. A key is a space and a day as one number."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

MOST_SAVED = 20
LONGEST_NAME = 100
LIFE = timedelta(days=365)
# An ended search is kept so long for its owner to see, and is then forgotten.
KEPT_AFTER_END = timedelta(days=30)

# Where more than this is free, one more is no news.
MOST_SPACES = 60
MOST_KEYS = 400
MOST_FOUND = 60

TELL_EVERY = timedelta(hours=1)
TELLS_PER_DAY = 3
# What somebody had for less than this, such as a checkout that was not finished, was hardly taken.
BRIEF = timedelta(minutes=30)

DAY_BITS = 20


def key_of(space_id: int, day: date | None) -> int:
    """The space on that day (before the year 2870), or on any day where none was asked."""
    return space_id << DAY_BITS | (day.toordinal() if day else 0)


def space_of(key: int) -> int:
    return key >> DAY_BITS


def day_of(key: int) -> date | None:
    number = key & ((1 << DAY_BITS) - 1)
    return date.fromordinal(number) if number else None


def in_order(keys: Collection[int]) -> list[int]:
    """The earliest day first."""
    return sorted(keys, key=lambda key: (day_of(key) or date.min, key))


def ends_on(last_day: date | None, today: date) -> date:
    """The last day on which it is asked: that of its dates, but no longer than a year from now."""
    end = today + LIFE
    return min(last_day, end) if last_day else end


def is_over(ends_on: date, last_day: date | None, end_minute: int, *, local: datetime) -> bool:
    """Whether nothing of what was asked is still to come. `end_minute` counts from local midnight; `local` is the present
    in the city's zone."""
    today = local.date()
    return ends_on < today or (last_day == today and end_minute <= local.hour * 60 + local.minute)


def after_telling(told: Sequence[datetime], at: datetime) -> tuple[list[datetime], datetime]:
    """(when it was told lately, from when on it may be told again), having been told at `at`."""
    lately = [*told, at][-TELLS_PER_DAY:]
    again = at + TELL_EVERY
    if len(lately) == TELLS_PER_DAY:
        again = max(again, lately[0] + timedelta(days=1))
    return lately, again


def is_news(key: int, *, known: Collection[int], was_lost: bool, is_own: bool) -> bool:
    """Whether to tell that this is free now: it was not at the last look, or somebody had it in the meantime; and it is
    not free because the person gave it up."""
    return not is_own and (key not in known or was_lost)
