"""By chance: whatever is booked and given up, a search hears of exactly the days that became free for it, once each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.app import job_context
from marketplace.cities.models import City
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim, FreedClaim
from spaces.calendar.queries import booking_rules, calendar_of
from spaces.calendar.rules import offers
from spaces.catalog.models import Space
from spaces.saved.jobs import follow_saved_searches
from spaces.saved.models import SavedSearch
from spaces.saved.rules import key_of
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.people import actor_of, make_person
from tests.spaces.saved.conftest import give_up, mails, save

DAYS = [DAY + timedelta(days=n) for n in range(2)]
# What happens: book (start hour, length, day, space), give up the nth that stands, or a round of the worker.
ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("book"), st.integers(16, 19), st.integers(1, 3), st.integers(0, 1), st.integers(0, 1)
        ),
        st.tuples(st.just("give up"), st.integers(0, 9)),
        st.tuples(st.just("round")),
    ),
    max_size=14,
)


def free_keys(session: Session, city: City, spaces: list[Space], minutes: int) -> set[int]:
    """By brute force, the days with room between 17 and 21."""
    return {
        key_of(space.id, day)
        for space in spaces
        for day in DAYS
        if offers(
            calendar_of(session, city.id, space.id, span_on(city, 0, 24, day=day), city.zone),
            booking_rules(space),
            minutes=minutes,
            within=span_on(city, 17, 21, day=day),
            zone=city.zone,
            now=NOW,
        )
    }


@settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS, minutes=st.sampled_from([60, 120, 240]))
def test_it_is_told_exactly_what_became_free(
    session: Session, app: Flask, city: City, person: Person, acts: list[tuple[Any, ...]], minutes: int
) -> None:
    for table in (Claim, FreedClaim, Booking, SavedSearch):
        session.execute(delete(table))
    session.execute(update(Space).values(state="draft"))
    spaces = [open_space(session, city, cancellation_hours=0) for _ in range(2)]
    somebody = actor_of(session, make_person(session, city))
    saved = save(session, app, city, person, when="1.12.2026 – 2.12.2026 klo 17–21", minutes=minutes)
    before = len(mails(session, person))
    standing: list[Booking] = []
    at = NOW + timedelta(hours=1)
    free = free_keys(session, city, spaces, minutes)
    freed: set[int] = set()  # that became free since the last round, whatever became of it
    told = 0
    real, clock = datetime(9000, 1, 1, tzinfo=UTC), NOW
    session.execute(text("ALTER TABLE freed_claim ALTER freed_at SET DEFAULT '9999-01-01Z'"))
    for act in [*acts, ("round",)]:
        clock += timedelta(minutes=40)
        match act:
            case "book", start, length, day, space:
                try:
                    with session.begin_nested():
                        standing.append(
                            book(
                                session, city, spaces[space], somebody,
                                span_on(city, start, start + length, day=DAYS[day]), at=clock,
                            )
                        )  # fmt: skip
                except SlotTaken:
                    pass
            case "give up", n if standing:
                give_up(session, city, standing.pop(n % len(standing)), at=clock)
                session.execute(update(FreedClaim).where(FreedClaim.freed_at > real).values(freed_at=clock))
                freed |= free_keys(session, city, spaces, minutes) - free
            case ("round",):
                session.execute(update(SavedSearch).values(told_at=[], tell_after=None, checked_at=at))
                session.commit()
                with job_context(app):
                    follow_saved_searches(at)
                session.expire_all()
                now_free = free_keys(session, city, spaces, minutes)
                told += bool(freed & now_free)
                assert len(mails(session, person)) - before == told, act
                assert set(saved.known) >= freed & now_free
                freed = set()
        free = free_keys(session, city, spaces, minutes)
