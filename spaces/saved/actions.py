"""What a person does with their saved searches: save, rename, be told or not, remove."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.errors import Unauthenticated
from spaces.saved.errors import NameWrong, NothingAsked, TooManySaved
from spaces.saved.look_actions import look_anew
from spaces.saved.models import SavedSearch
from spaces.saved.question import Kept
from spaces.saved.rules import LONGEST_NAME, MOST_SAVED, ends_on


def save_search(
    session: Session, city: City, kept: Kept, *, actor: Actor, language: str, at: datetime
) -> tuple[SavedSearch, bool]:
    """Keep the question for the person, and what is free for it now; returns the search, and whether it is a new one:
    saving the same twice gives the same. Raises NothingAsked, TooManySaved, Unauthenticated."""
    if actor.person_id is None:
        raise Unauthenticated
    if not kept.asks_something:
        raise NothingAsked
    today = at.astimezone(city.zone).date()
    # The person's row is the lock: two tabs cannot exceed the number, nor save the same twice.
    session.execute(
        select(Person.id)
        .where(Person.city_id == city.id, Person.id == actor.person_id)
        .with_for_update(key_share=True)
    )
    same = session.scalar(
        select(SavedSearch).where(
            SavedSearch.city_id == city.id,
            SavedSearch.person_id == actor.person_id,
            SavedSearch.params == kept.params,
            SavedSearch.organisation_id.is_not_distinct_from(actor.acting_for),
            SavedSearch.ends_on >= today,
        )
    )
    if same is not None:
        switch_notices(session, city, same, actor=actor, notify=True, at=at)
        return same, False
    count = session.scalar(
        select(func.count()).where(
            SavedSearch.city_id == city.id,
            SavedSearch.person_id == actor.person_id,
            SavedSearch.ends_on >= today,
        )
    )
    if (count or 0) >= MOST_SAVED:
        raise TooManySaved
    question = kept.question
    last_day = max(question.days, default=None)
    saved = SavedSearch(
        city_id=city.id,
        person_id=actor.person_id,
        organisation_id=actor.acting_for,
        name=kept.name,
        summary=kept.summary,
        params=kept.params,
        language=language,
        notify=True,
        ends_on=ends_on(last_day, today),
        created_at=at,
        first_day=question.day,
        last_day=last_day,
        start_minute=question.start_minute,
        end_minute=question.end_minute,
        people=question.people,
        kinds=sorted(question.kinds) or None,
        district_ids=sorted(question.district_ids) or None,
        bbox=list(question.bbox) if question.bbox else None,
    )
    session.add(saved)
    session.flush()
    look_anew(session, saved, city=city, at=at)
    audit(session, actor, "search.saved", "saved_search", saved.id, name=saved.name, params=saved.params)
    session.flush()
    return saved, True


def rename_search(session: Session, saved: SavedSearch, *, actor: Actor, name: str) -> None:
    """Raises NameWrong."""
    if not 1 <= len(name) <= LONGEST_NAME:
        raise NameWrong
    if name == saved.name:
        return
    audit(session, actor, "search.renamed", "saved_search", saved.id, before=saved.name, after=name)
    saved.name = name
    session.flush()


def switch_notices(
    session: Session, city: City, saved: SavedSearch, *, actor: Actor, notify: bool, at: datetime
) -> None:
    """Be told or not. Who wants to be told again hears of what frees up from now on."""
    if saved.notify == notify:
        return
    audit(
        session, actor, "search.notices-changed", "saved_search", saved.id, before=saved.notify, after=notify
    )
    saved.notify, saved.found = notify, []
    if notify:
        look_anew(session, saved, city=city, at=at)
    session.flush()


def remove_search(session: Session, saved: SavedSearch, *, actor: Actor) -> None:
    audit(session, actor, "search.removed", "saved_search", saved.id, name=saved.name, params=saved.params)
    session.delete(saved)
    session.flush()
