"""What the clock starts each minute: read what was given back, look anew where it is due, tell. All in bounded steps, each
search in a transaction of its own, so that one that is slow or broken keeps nobody else waiting."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from spaces.calendar.holders import holders
from spaces.saved.look_actions import (
    drop_news,
    forget_ended,
    look_at_all,
    look_at_freed,
    take_up_news,
    tell,
)
from spaces.saved.models import SavedSearch
from spaces.saved.queries import cities_to_look_after, due, locked_search, matching, to_tell
from spaces.saved.rules import TELL_EVERY

log = logging.getLogger(__name__)

# Of a minute; the rest is for the worker's other jobs. What is left waits for the next minute.
SECONDS = 40.0
LEAST_SECONDS_OF_CITY = 2.0
# Shares of a city's time until which each step may go on: reading news, looking anew, telling.
NEWS_UNTIL, LOOK_UNTIL = 0.6, 0.8
MOST_LOOKS = 200
MOST_TOLD = 500
MOST_FORGOTTEN = 500


def follow_saved_searches(at: datetime | None = None, *, seconds: float = SECONDS) -> None:
    """One round through all cities, each with an equal share of the time."""
    at = at or now()
    with transaction() as session:
        cities = cities_to_look_after(session)
    share = max(LEAST_SECONDS_OF_CITY, seconds / max(1, len(cities)))
    started = time.monotonic()
    for city in cities:
        if time.monotonic() - started > seconds:
            break  # they come first in the next round
        try:
            follow_city(city, at=at, seconds=share)
        except Exception:
            log.exception("saved searches of a city were not followed", extra={"city": city.id})


def follow_city(city: City, *, at: datetime, seconds: float) -> None:
    started = time.monotonic()

    def left(share: float = 1.0) -> bool:
        return time.monotonic() - started < seconds * share

    today = at.astimezone(city.zone).date()
    if read_news(city, at=at, left=lambda: left(NEWS_UNTIL)):
        with transaction() as session:
            searches = due(session, city.id, at=at, today=today, limit=MOST_LOOKS)
        for search_id in searches:
            if not left(LOOK_UNTIL):
                break
            step(city, search_id, partial(look_at_all, city=city, at=at), at=at)
    with transaction() as session:
        found = to_tell(session, city.id, at=at, today=today, limit=MOST_TOLD)
    for search_id in found:
        if not left():
            break
        step(city, search_id, partial(tell, city=city, at=at), at=at, tells=True)
    with transaction() as session:
        forget_ended(session, city.id, today, most=MOST_FORGOTTEN)


def read_news(city: City, *, at: datetime, left: Callable[[], bool]) -> bool:
    """Follow up what was given back; whether nothing is left to read."""
    known = holders()
    while left():
        with transaction() as session:
            batch = take_up_news(session, city.id)
        if batch is None:
            return True
        try:
            with transaction() as session:
                concerned = matching(session, city, batch, at=at)
        except Exception:
            # Such as too much for the database at once: the looks at everything find it, a little later.
            log.exception("freed time was not read", extra={"city": city.id, "batch": batch})
            concerned = []
        for search_id, space_ids in concerned:
            if not left():
                return False

            read = partial(look_at_freed, city=city, batch=batch, space_ids=space_ids, holders=known, at=at)
            if not step(city, search_id, read, at=at, batch=batch):
                return False  # another job is at it
        with transaction() as session:
            drop_news(session, city.id, batch)
    return False


def step(
    city: City,
    search_id: int,
    act: Callable[[Session, SavedSearch], object],
    *,
    at: datetime,
    batch: int | None = None,
    tells: bool = False,
) -> bool:
    """One search in its own transaction; False where another job has it. One that fails, whatever the cause, is passed
    over, and comes again when it is its turn; one that `tells` does so an hour later."""
    try:
        with transaction() as session:
            saved = locked_search(session, city.id, search_id)
            if saved is None:
                return session.get(SavedSearch, (city.id, search_id)) is None
            act(session, saved)
    except Exception:
        log.exception("a saved search was passed over", extra={"city": city.id, "saved_search": search_id})
        with transaction() as session:
            saved = locked_search(session, city.id, search_id, wait=True)
            if saved is not None:
                saved.checked_at = at
                saved.seen_batch = batch or saved.seen_batch
                if tells:
                    saved.tell_after = at + TELL_EVERY
    return True
