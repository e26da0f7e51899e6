"""A window of days over the day sheets: packed into words, it finds what looking day by day finds."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.search.queries import matched
from spaces.search.question import Question
from spaces.search.windows import WORD_BITS, Window
from tests.factories.spaces import make_space, make_venue

FIRST = date(2026, 11, 20)
MONTHS = (date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1))
SHEETS = text("""
    INSERT INTO day_sheet (city_id, month, space_id, free) VALUES (:city_id, :month, :space_id, :free)
    ON CONFLICT (city_id, month, space_id) DO UPDATE SET free = excluded.free
""")
# Half hours of a day: long stretches and short ones.
WORDS = st.one_of(
    st.integers(0, (1 << 48) - 1),
    st.builds(lambda low, length: ((1 << length) - 1) << low, st.integers(0, 40), st.integers(0, 8)),
    st.just(0),
)


def has_run(word: int, length: int) -> bool:
    return any(word >> low & ((1 << length) - 1) == (1 << length) - 1 for low in range(48))


def first_run(word: int, length: int) -> int:
    return next(low for low in range(48) if word >> low & ((1 << length) - 1) == (1 << length) - 1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(WORDS, min_size=93, max_size=93),
    after=st.integers(0, 30),
    days=st.integers(1, 40),
    weekdays=st.frozensets(st.integers(0, 6)),
    start=st.integers(0, 46),
    slots=st.integers(1, 48),
    minutes=st.sampled_from([30, 60, 120, 240, 600]),
)
def test_the_same_as_day_by_day(
    session: Session,
    city: City,
    words: list[int],
    after: int,
    days: int,
    weekdays: frozenset[int],
    start: int,
    slots: int,
    minutes: int,
) -> None:
    with session.begin_nested() as attempt:
        space = make_space(session, make_venue(session, city), min_minutes=30, max_minutes=600)
        session.flush()
        for n, month in enumerate(MONTHS):
            session.execute(
                SHEETS,
                {
                    "city_id": city.id,
                    "month": month,
                    "space_id": space.id,
                    "free": words[n * 31 : (n + 1) * 31],
                },
            )
        end = min(48, start + slots)
        question = Question(
            day=FIRST + timedelta(days=after),
            last_day=FIRST + timedelta(days=after + days - 1),
            weekdays=weekdays,
            start_minute=start * 30,
            end_minute=end * 30,
            minutes=minutes,
            space_ids=(space.id,),
        )
        sql, values = matched(question, city)
        row = session.execute(text(f"SELECT is_free, soonest FROM ({sql}) m"), values).one()
        attempt.rollback()
    mask = ((1 << (end - start)) - 1) << start
    of_day = {day: words[MONTHS.index(day.replace(day=1)) * 31 + day.day - 1] & mask for day in question.days}
    needed = minutes // 30
    free = [(n, word) for n, word in enumerate(of_day.values()) if has_run(word, needed)]
    assert row.is_free == bool(free)
    if free:
        n, word = free[0]
        stride = end - start + 1
        fit = max(1, WORD_BITS // stride)
        place = stride * (n % fit) + first_run(word, needed) - start
        assert row.soonest == pytest.approx(64 * (n // fit) + place * 0.6931471805599453)


def test_a_fortnight_of_evenings_is_two_words() -> None:
    window = Window([FIRST + timedelta(days=n) for n in range(14)], 17 * 60, 21 * 60)
    assert [len(word) for word in window.words()] == [7, 7]
    assert max(place + window.slots for word in window.words() for _, place in word) <= WORD_BITS


def test_a_question_without_days_of_its_weekdays_finds_nothing_free(session: Session, city: City) -> None:
    make_space(session, make_venue(session, city))
    question = Question(
        day=date(2026, 12, 7), last_day=date(2026, 12, 8), weekdays=frozenset({6}), minutes=60
    )
    sql, values = matched(question, city)
    assert session.execute(text(f"SELECT is_free FROM ({sql}) m"), values).scalar_one() is False
