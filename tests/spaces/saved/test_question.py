"""What is saved is read again as the same question, later and in any language."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.app import job_context
from marketplace.cities.models import City
from marketplace.notifications.mail import writing_for
from spaces.catalog.vocabulary import EQUIPMENT, KINDS, PURPOSES
from spaces.saved.question import is_readable, kept_of, read_params
from spaces.search.forms import Asked, read_asked

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)


def asked_by(session: Session, app: Flask, city: City, language: str, args: dict[str, object]) -> Asked:
    given_args = MultiDict(
        [(k, str(v)) for k, vs in args.items() for v in (vs if isinstance(vs, list) else [vs])]
    )
    with job_context(app), writing_for(city, language):
        return read_asked(session, city, given_args, now=NOW)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    language=st.sampled_from(["fi", "sv", "en"]),
    reader=st.sampled_from(["fi", "sv", "en"]),
    first=st.integers(1, 300),
    length=st.none() | st.integers(1, 80),
    weekdays=st.frozensets(st.integers(1, 7), max_size=6),
    hours=st.none() | st.tuples(st.integers(6, 20), st.integers(1, 3)),
    people=st.none() | st.integers(1, 2000),
    kinds=st.frozensets(st.sampled_from(sorted(KINDS)), max_size=3),
    purposes=st.frozensets(st.sampled_from(sorted(PURPOSES)), max_size=2),
    equipment=st.frozensets(st.sampled_from(sorted(EQUIPMENT)), max_size=2),
    price=st.none() | st.integers(0, 20000),
)
def test_the_same_is_asked_again_weeks_later(
    session: Session, app: Flask, city: City, language: str, reader: str, first: int, length: int | None,
    weekdays: frozenset[int], hours: tuple[int, int] | None, people: int | None, kinds: frozenset[str],
    purposes: frozenset[str], equipment: frozenset[str], price: int | None,
) -> None:  # fmt: skip
    day = TODAY + timedelta(days=first)
    args: dict[str, object] = {
        "from": day.isoformat(), "people": people, "kind": sorted(kinds), "purpose": sorted(purposes),
        "equipment": sorted(equipment), "price": price,
    }  # fmt: skip
    if length is not None:
        args |= {"to": (day + timedelta(days=length)).isoformat(), "weekday": sorted(weekdays)}
    args = {name: value for name, value in args.items() if value is not None}
    asked = asked_by(session, app, city, language, args)
    if hours is not None and asked.question.day is not None:
        with job_context(app), writing_for(city, language):
            asked.question = replace(
                asked.question, start_minute=hours[0] * 60, end_minute=(hours[0] + hours[1]) * 60
            )
    with job_context(app), writing_for(city, language):
        kept = kept_of(asked, city)
    later = NOW + timedelta(days=first - 1)
    with job_context(app), writing_for(city, reader):
        again = read_params(session, city, kept.params, now=later)
    assert is_readable(again), (kept.params, again.errors, again.notes)
    assert again.question == kept.question


def test_a_date_of_this_year_does_not_become_one_of_the_next(
    session: Session, app: Flask, city: City
) -> None:
    asked = asked_by(session, app, city, "fi", {"when": "ke 2.12. klo 17–20"})
    with job_context(app), writing_for(city, "fi"):
        kept = kept_of(asked, city)
    assert kept.params["when"] == ["ke 2.12.2026 klo 17–20"]
    with job_context(app), writing_for(city, "fi"):
        later = read_params(session, city, kept.params, now=NOW + timedelta(days=30))
    assert not is_readable(later), "what has passed is not asked without its date"


@pytest.mark.parametrize("args", [{}, {"sort": "cheapest"}, {"minutes": 90}, {"page": 3}])
def test_no_question_is_none(session: Session, app: Flask, city: City, args: dict[str, object]) -> None:
    with job_context(app), writing_for(city, "en"):
        assert not kept_of(asked_by(session, app, city, "en", args), city).asks_something
