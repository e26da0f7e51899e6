"""Whatever is written is read in bounded time, and never fails."""

import time
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketplace.cities.models import City
from spaces.search.sentence import LONGEST, take_apart
from spaces.search.times import MOST_WINDOW_DAYS, When, days_of, read_when, window_of
from spaces.search.words import search_words
from tests.spaces.search.sentences import ENGLISH, FINNISH, SWEDISH

TODAY = date(2026, 11, 24)
MOST_SECONDS = 0.5  # of a reading that takes some milliseconds, on a machine with others on it

PIECES = st.sampled_from(
    [word for table in (FINNISH, SWEDISH, ENGLISH) for text, _ in table for word in text.split()]
    + "31.2. 29.2. 99.99. 0.0. 12.3.0000 12.3.9999 joulukuussa december 9999 24.00 25:61 klo - – to till 1e9 €€ € 999999999999 0 ′ | half past puoli halv kl. ti to la".split()
)
TEXTS = st.one_of(
    st.text(max_size=400),
    st.lists(PIECES, max_size=40).map(" ".join),
    st.text(alphabet="0123456789.-–:/ ", max_size=300),
)


@given(TEXTS, st.dates(date(2000, 1, 1), date(2090, 1, 1)))
@settings(max_examples=300, deadline=None)
@example("9" * 400, TODAY)
@example("-".join("1" * 150), TODAY)
@example("29.2.", date(2026, 3, 1))
@example("in december 9999", TODAY)
@example("tammi - joulukuussa 9999", TODAY)
@example("joulukuun viimeisellä viikolla", date(2026, 12, 31))
def test_any_text_is_read(text: str, today: date) -> None:
    began = time.perf_counter()
    said = take_apart(text, today=today)
    alone, _ = read_when(text[:200], today=today, alone=True)
    search_words(text)
    assert time.perf_counter() - began < MOST_SECONDS
    for when in (said.when, alone):
        if when is not None:
            assert 0 <= when.start_minute < when.end_minute <= 1440
            assert when.last_day is None or when.last_day > when.day
            assert not when.weekdays or when.day.weekday() in when.weekdays
    assert said.people is None or 0 <= said.people < 100_000
    assert said.minutes is None or 5 <= said.minutes <= 1440


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000,
        "klo " * 2_500,
        "maanantaisin ja " * 700,
        "1.-" * 3_000,
        "kaksi ja puoli " * 700,
        " " * 10_000,
        "i de närmaste " * 800,
        "a quarter to " * 800,
        "near " * 2_000,
        "lähellä i närheten av " * 500,
        "|" * 10_000,
        "ensi viikon " * 900,
        "5" * 10_000,
        "5 " * 5_000,
        "-ilta" * 2_000,
        "hundred and " * 900,
    ],
)
def test_floods_cost_no_more_than_their_beginning(text: str) -> None:
    began = time.perf_counter()
    take_apart(text, today=TODAY)
    read_when(text[:200], today=TODAY, alone=True)
    assert time.perf_counter() - began < MOST_SECONDS
    assert len(take_apart(text, today=TODAY).rest) <= LONGEST + 50


@given(
    st.dates(date(2000, 1, 1), date(2090, 1, 1)),
    st.integers(0, MOST_WINDOW_DAYS),
    st.frozensets(st.integers(0, 6)),
)
def test_a_window_has_just_its_weekdays(first: date, length: int, weekdays: frozenset[int]) -> None:
    last = first + timedelta(days=length)
    days = [first + timedelta(days=n) for n in range(length + 1)]
    meant = [day for day in days if not weekdays or day.weekday() in weekdays]
    when = window_of(first, last, weekdays)
    assert ([] if when is None else list(days_of(when))) == meant


def test_a_day_is_a_window_of_its_own() -> None:
    assert list(days_of(When(TODAY))) == [TODAY]


@pytest.mark.parametrize(
    "query",
    [
        {"q": "in december 9999"},
        {"when": "joulukuussa 9999"},
        {"from": "9999-12-31", "to": "9999-12-31", "weekday": "1"},
        {"from": "9999-12-01", "to": "9999-12-31"},
    ],
)
@pytest.mark.parametrize("path", ["/en/", "/en/spaces", "/en/spaces/map"])
def test_the_end_of_the_calendar_is_no_error(
    client: FlaskClient, city: City, path: str, query: dict[str, str]
) -> None:
    assert client.get(path, query_string=query).status_code < 500
