"""Looking at saved searches: what is free is written down, what is news is found, and told when it may be.

Two ways lead here. What bookings and closings give back is read in batches, and each search that a batch may concern
looks at the freed spaces alone. Whatever else makes room, such as longer hours, new spaces and lower prices, is found by
looking at everything anew from time to time.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.notifications.mail import writing_for
from marketplace.timespan import Span
from spaces.calendar.holders import Behind, Holders
from spaces.calendar.models import FreedClaim
from spaces.calendar.queries import Held, claims_in
from spaces.saved.looking import Freed, Seen, as_before, hours_of, in_the_way, look, spans_of
from spaces.saved.models import SavedSearch
from spaces.saved.notices import write_freed, write_unreadable
from spaces.saved.queries import freed_in, reader_of, with_unread_news
from spaces.saved.question import is_readable, read_params
from spaces.saved.rules import (
    BRIEF,
    KEPT_AFTER_END,
    MOST_FOUND,
    MOST_KEYS,
    after_telling,
    day_of,
    in_order,
    is_news,
    is_over,
    space_of,
)
from spaces.search.forms import Asked
from spaces.search.queries import Hit
from spaces.search.question import Question

MOST_IN_BATCH = 1000
# So many who gave something back are looked at one by one for one search.
MOST_MOMENTS = 50

# One batch of a city is read at a time: a search remembers the last one it has seen.
LOCK_NEWS = text("SELECT pg_advisory_xact_lock(hashtextextended('freed_claim', :city_id))")
TAKE_UP = text("""
    UPDATE freed_claim SET batch = t.batch
    FROM (SELECT max(id) AS batch, array_agg(id) AS ids
          FROM (SELECT id FROM freed_claim WHERE city_id = :city_id AND batch IS NULL ORDER BY id LIMIT :most) f) t
    WHERE freed_claim.city_id = :city_id AND freed_claim.id = ANY(t.ids)
    RETURNING t.batch
""")


def take_up_news(session: Session, city_id: int) -> int | None:
    """The batch of freed claims that is being read, else a new one of what is there; None where there is nothing."""
    session.execute(LOCK_NEWS, {"city_id": city_id})
    begun = session.scalar(
        select(FreedClaim.batch)
        .where(FreedClaim.city_id == city_id, FreedClaim.batch.is_not(None))
        .order_by(FreedClaim.batch)
        .limit(1)
    )
    if begun is not None:
        return begun
    return session.execute(TAKE_UP, {"city_id": city_id, "most": MOST_IN_BATCH}).scalars().first()


def drop_news(session: Session, city_id: int, batch: int) -> None:
    """The batch has been read by every search that it concerns."""
    session.execute(delete(FreedClaim).where(FreedClaim.city_id == city_id, FreedClaim.batch == batch))


def ask_again(
    session: Session, saved: SavedSearch, *, city: City, at: datetime
) -> tuple[Person, int | None, Asked] | None:
    """The question as it is read now; None where it is over or can no longer be read. The latter is written down, and
    told once."""
    if is_over(saved.ends_on, saved.last_day, saved.end_minute, local=at.astimezone(city.zone)):
        saved.found = []
        return None
    person, organisation_id = reader_of(session, saved)
    with writing_for(city, person.language):
        asked = read_params(session, city, saved.params, now=at)
    unreadable = not is_readable(asked)
    if unreadable and not saved.is_unreadable and saved.notify:
        write_unreadable(session, saved, person, city=city)
    saved.is_unreadable = unreadable
    return None if unreadable else (person, organisation_id, asked)


def look_anew(session: Session, saved: SavedSearch, *, city: City, at: datetime) -> None:
    """Write down what is free now. Nothing of it is news."""
    again = ask_again(session, saved, city=city, at=at)
    saved.checked_at = at
    if again is None:
        return
    _, organisation_id, asked = again
    seen = look(session, city, asked.question, now=at, organisation_id=organisation_id)
    saved.is_wide, saved.known = seen.is_wide, sorted(seen.keys)


def look_at_all(session: Session, saved: SavedSearch, *, city: City, at: datetime) -> int:
    """Find what is free that was not when it was last looked at; returns how many are news. Of what was given back and
    is still to be read in a batch, that reading tells."""
    again = ask_again(session, saved, city=city, at=at)
    was_wide, saved.checked_at = saved.is_wide, at
    if again is None:
        return 0
    _, organisation_id, asked = again
    seen = look(session, city, asked.question, now=at, organisation_id=organisation_id)
    saved.is_wide = seen.is_wide
    if seen.is_wide:
        saved.known, saved.found = [], []
        return 0
    known = set(saved.known)
    spaces = {space_of(key) for key in (*seen.keys, *known)}
    # Asked after the search: whatever this has seen freed, that sees too.
    unread = with_unread_news(session, city.id, sorted(spaces))
    kept = {key for key in known if space_of(key) in unread}
    looked = {key for key in seen.keys if space_of(key) not in unread}
    news = set() if was_wide else looked - known
    keep(saved, known=kept | looked, news=news)
    return len(news)


def look_at_freed(
    session: Session,
    saved: SavedSearch,
    *,
    city: City,
    batch: int,
    space_ids: Sequence[int],
    holders: Holders,
    at: datetime,
) -> int:
    """Find what these claims have made free that answers the question; returns how many are news."""
    if saved.seen_batch == batch or not saved.notify or saved.is_wide:
        return 0
    saved.seen_batch = batch
    again = ask_again(session, saved, city=city, at=at)
    if again is None:
        return 0
    _, organisation_id, asked = again
    question = asked.question
    seen = look(session, city, question, now=at, organisation_id=organisation_id, space_ids=sorted(space_ids))
    if seen.is_wide:
        # More days than are told of: the next look at everything decides.
        saved.checked_at = None
        return 0
    freed = freed_in(session, city.id, batch, space_ids)
    standing = standing_now(session, seen, question=question, city=city, freed=freed, at=at)
    holder_ids = {claim.holder_id for claim in freed} | {claim.holder_id for claim in standing}
    behind = holders.behind(session, city.id, sorted(holder_ids))
    known = set(saved.known)
    news = news_of(
        saved, seen, question=question, city=city, freed=freed, standing=standing, behind=behind, at=at
    )
    keep(
        saved,
        known={key for key in known if space_of(key) not in set(space_ids)} | set(seen.keys),
        news=news,
    )
    return len(news)


def standing_now(
    session: Session, seen: Seen, *, question: Question, city: City, freed: Sequence[Freed], at: datetime
) -> list[Held]:
    """Who has what, on the days that are free, of the units of which something was given back."""
    given_back = {claim.unit_id for claim in freed}
    windows, unit_ids = [], set()
    for key, day in seen.keys.items():
        hit = seen.hits[space_of(key)]
        of_hit = {unit.unit_id for unit in hit.calendar.units}
        within = hours_of(hit, question, day, city, now=at)
        if within is not None and of_hit & given_back:
            windows.append(within.widened(hit.rules.before, hit.rules.after))
            unit_ids |= of_hit
    if not windows:
        return []
    hull = Span(min(span.start for span in windows), max(span.end for span in windows))
    return claims_in(session, sorted(unit_ids), hull)


def news_of(
    saved: SavedSearch,
    seen: Seen,
    *,
    question: Question,
    city: City,
    freed: Sequence[Freed],
    standing: Sequence[Held],
    behind: Mapping[int, Behind],
    at: datetime,
) -> set[int]:
    """Of what is free now, what to tell, by whose claims stood in the way before."""
    of_space = {space_id: claims_of(hit, freed) for space_id, hit in seen.hits.items()}
    known, news = set(saved.known), set()
    for key, day in seen.keys.items():
        hit = seen.hits[space_of(key)]
        free = partial(spans_of, hit, question, day, city, now=at)
        # Of other spaces and days nothing stood in the way here: a large batch is about many of them.
        here = in_the_way(hit, question, day, city, of_space[space_of(key)], now=at)
        own = [claim for claim in here if is_own(saved, behind.get(claim.holder_id))]
        solid = [claim for claim in here if is_solid(saved, claim, behind.get(claim.holder_id))]
        was_lost = key in known and any(
            not free(
                calendar=as_before(hit.calendar, then, stood=made_by(standing, behind, then[0].freed_at))
            )
            for then in standing_then(solid, behind)
        )
        given_up = bool(own) and not free(
            calendar=as_before(hit.calendar, own, stood=made_by(standing, behind, own[-1].freed_at))
        )
        if is_news(key, known=known, was_lost=was_lost, is_own=given_up):
            news.add(key)
    return news


def claims_of(hit: Hit, freed: Sequence[Freed]) -> list[Freed]:
    """Those of the claims that were of the hit's units, in their order."""
    unit_ids = {unit.unit_id for unit in hit.calendar.units}
    return [claim for claim in freed if claim.unit_id in unit_ids]


def standing_then(freed: Sequence[Freed], behind: Mapping[int, Behind]) -> list[list[Freed]]:
    """For each of the holders, in the order in which they gave back, what stood at that moment of all that was given
    back: their own claims, and those that were given back later but had been made before."""
    claims: dict[int, list[Freed]] = {}
    for claim in freed:
        claims.setdefault(claim.holder_id, []).append(claim)
    holder_ids = list(claims)
    moments = []
    for n, holder_id in enumerate(holder_ids[:MOST_MOMENTS]):
        at = claims[holder_id][-1].freed_at
        others = [
            claim
            for other in holder_ids[n + 1 :]
            if other not in behind or behind[other].since <= at
            for claim in claims[other]
        ]
        moments.append([*claims[holder_id], *others])
    return moments


def made_by(standing: Sequence[Held], behind: Mapping[int, Behind], moment: datetime) -> list[Held]:
    """Those of the claims that stand now that were there at the moment; of whom nothing is known, it is taken so."""
    return [
        claim
        for claim in standing
        if claim.holder_id not in behind or behind[claim.holder_id].since <= moment
    ]


def is_own(saved: SavedSearch, behind: Behind | None) -> bool:
    """Whether the person, or the organisation that they search for, had it."""
    if behind is None:
        return False
    same_organisation = saved.organisation_id is not None and behind.organisation_id == saved.organisation_id
    return behind.person_id == saved.person_id or same_organisation


def is_solid(saved: SavedSearch, claim: Freed, behind: Behind | None) -> bool:
    """Whether somebody else had it, for long enough to count."""
    is_brief = behind is not None and claim.freed_at - behind.since < BRIEF
    return not is_brief and not is_own(saved, behind)


def keep(saved: SavedSearch, *, known: set[int], news: set[int]) -> None:
    """Write down what is free and what is to be told."""
    if len(known) > MOST_KEYS:
        saved.is_wide, saved.known, saved.found = True, [], []
        return
    saved.known = sorted(known)
    saved.found = in_order({*saved.found, *news})[:MOST_FOUND]


def tell(session: Session, saved: SavedSearch, *, city: City, at: datetime) -> bool:
    """Write to the person of what was found and is free this very moment; whether a mail was written."""
    if not saved.found or not saved.notify or (saved.tell_after is not None and saved.tell_after > at):
        return False
    again = ask_again(session, saved, city=city, at=at)
    found, saved.found = saved.found, []
    if again is None:
        return False
    person, organisation_id, asked = again
    if person.email_verified_at is None:
        return False
    spaces = sorted({space_of(key) for key in found})
    seen = look(session, city, asked.question, now=at, organisation_id=organisation_id, space_ids=spaces)
    still = [key for key in in_order(found) if key in seen.keys]
    if not still:
        return False
    saved.told_at, saved.tell_after = after_telling(saved.told_at, at)
    saved.told_count += 1
    rows: list[tuple[int, date | None]] = [(space_of(key), day_of(key)) for key in still]
    write_freed(session, saved, person, city=city, asked=asked, seen=seen, rows=rows, at=at)
    return True


def forget_ended(session: Session, city_id: int, today: date, *, most: int) -> int:
    """Remove searches that ended a while ago; returns how many."""
    ended = (
        select(SavedSearch.id)
        .where(SavedSearch.city_id == city_id, SavedSearch.ends_on < today - KEPT_AFTER_END)
        .limit(most)
    )
    gone = session.execute(
        delete(SavedSearch)
        .where(SavedSearch.city_id == city_id, SavedSearch.id.in_(ended))
        .returning(SavedSearch.id)
    )
    return len(gone.all())
