"""Opening hours of Hauki become the rules of spaces that are here, or are said to be left out."""

from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.models import OpeningException, OpeningMonth, OpeningRule
from spaces.calendar.rules import equal_periods, spans_of_day
from spaces.catalog.models import Space
from spaces.transfer.hauki import Period, deciding, resolved
from spaces.transfer.listing import EVERY_DAY, Hours, weekly
from tests.factories.spaces import make_space, make_venue
from tests.spaces.transfer.files import write


def span(start: str | None, end: str | None, *weekdays: int, **fields: Any) -> dict[str, Any]:
    return {
        "start_time": start and f"{start}:00", "end_time": end and f"{end}:00", "weekdays": list(weekdays) or None,
        "full_day": False, "end_time_on_next_day": False, "resource_state": "open", **fields,
    }  # fmt: skip


def period(period_id: int, *spans: dict[str, Any], rules: Any = (), **fields: Any) -> dict[str, Any]:
    return {
        "id": period_id, "resource": "tprek:8215", "name": {"fi": f"Jakso {period_id}"}, "start_date": None,
        "end_date": None, "override": False, "resource_state": "undefined",
        "time_span_groups": [{"time_spans": list(spans), "rules": list(rules)}] if spans else [], **fields,
    }  # fmt: skip


@pytest.fixture
def library(session: Session, city: City) -> Space:
    venue = make_venue(session, city, source="tprek", external_id="8215")
    return make_space(session, venue, external_id="whole")


def rules_of(session: Session) -> set[tuple[Any, ...]]:
    return {
        (
            tuple(rule.days),
            f"{rule.opens:%H:%M}",
            f"{rule.closes:%H:%M}",
            rule.state,
            rule.valid_from,
            rule.valid_to,
        )
        for rule in session.scalars(select(OpeningRule))
    }


def test_the_real_reply_is_read_whole(
    session, city: City, shared_data: Path, library: Space, import_file, rows_written
) -> None:
    path = shared_data / "api" / "hauki_date_periods.json"
    report = import_file(path)
    assert "1 is no single place or space here; say which with --map 1=source:place" in str(
        report.problems[0]
    )
    report = import_file(path, targets={"1": "tprek:8215"})
    assert (report.updated, report.problems, report.notes) == (1, [], [])
    first, last = date(2020, 6, 1), date(2020, 8, 9)
    assert rules_of(session) == {
        ((1, 2, 3, 4), "10:00", "20:00", "open", first, last),
        ((5,), "10:00", "18:00", "open", first, last),
        ((1, 2, 3, 4, 5), "08:00", "10:00", "self_service", first, last),
        ((6,), "10:00", "16:00", "open", first, last),
        ((7,), "00:00", "00:00", "closed", first, last),
    }
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "space.hours_imported")).one()
    assert entry.details["before"] == {"hours": "mo-su 08:00-22:00"}
    before = rows_written()
    assert import_file(path, targets={"1": "tprek:8215"}).unchanged == 1
    assert rows_written() == before


def test_what_overrides_replaces_the_rest_and_the_shortest_wins(
    session, tmp_path: Path, library: Space, import_file
) -> None:
    periods = [
        period(1, span("08:00", "20:00")),
        period(2, span("10:00", "16:00"), override=True, start_date="2027-06-01", end_date="2027-08-31"),
        period(
            3, span(None, None, full_day=True, resource_state="closed"), override=True,
            start_date="2027-06-21", end_date="2027-06-22",
        ),
    ]  # fmt: skip
    report = import_file(write(tmp_path / "a.json", periods))
    assert (report.updated, report.problems, report.notes) == (1, [], [])
    every = EVERY_DAY
    assert rules_of(session) == {
        (every, "08:00", "20:00", "open", None, date(2027, 5, 31)),
        (every, "10:00", "16:00", "open", date(2027, 6, 1), date(2027, 6, 20)),
        (every, "10:00", "16:00", "open", date(2027, 6, 23), date(2027, 8, 31)),
        (every, "08:00", "20:00", "open", date(2027, 9, 1), None),
    }
    closed = session.scalars(select(OpeningException)).one()
    assert (closed.first_day, closed.last_day, closed.opens) == (date(2027, 6, 21), date(2027, 6, 22), None)
    assert closed.reasons == {"fi": "Jakso 3"}


def test_a_night_and_a_whole_day_keep_their_length(
    session, tmp_path: Path, library: Space, import_file
) -> None:
    spans = [span("18:00", "02:00", 5, 6, end_time_on_next_day=True), span(None, None, 7, full_day=True)]
    import_file(write(tmp_path / "a.json", [period(1, *spans)]))
    assert rules_of(session) == {
        ((5, 6), "18:00", "02:00", "open", None, None),
        ((7,), "00:00", "00:00", "open", None, None),
    }
    months = session.scalars(select(OpeningMonth.open).where(OpeningMonth.month > now().date())).all()
    lengths = {part.upper - part.lower for month in months for part in month}
    assert max(lengths) >= timedelta(hours=24)


def test_odd_weeks_and_the_last_friday_are_said(session, tmp_path: Path, library: Space, import_file) -> None:
    periods = [
        period(
            1,
            span("08:00", "12:00", 1, 5),
            rules=[{"context": "year", "subject": "week", "frequency_modifier": "odd"}],
        ),
        period(
            2,
            span("12:00", "14:00"),
            rules=[{"context": "month", "subject": "fri", "start": -1}],
            name={"fi": "B"},
        ),
    ]
    import_file(write(tmp_path / "a.json", periods))
    rules = {(tuple(rule.days), rule.weeks, rule.nth) for rule in session.scalars(select(OpeningRule))}
    assert rules == {((1, 5), "odd", None), ((5,), "all", -1)}


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (
            period(1, span("08:00", "12:00", resource_state="by_appointment")),
            "in the state by_appointment cannot be said",
        ),
        (period(1, span("08:00", "12:00", resource_state="undefined")), "without a state"),
        (
            period(
                1,
                span("08:00", "12:00"),
                rules=[{"context": "period", "subject": "week", "frequency_ordinal": 3}],
            ),
            "the rule (period week 3) cannot be said here",
        ),
    ],
)
def test_what_our_rules_cannot_say_is_reported(
    session, tmp_path: Path, library: Space, import_file, broken: dict[str, Any], text: str
) -> None:
    report = import_file(write(tmp_path / "a.json", [broken, period(2, span("13:00", "15:00"))]))
    assert text in str(report.notes[0])
    assert report.notes[0].where == "record 1 (id 1)"
    assert {rule[1] for rule in rules_of(session)} == {"13:00"}


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (period(1, span("08:00", "12:00", 8)), "weekdays"),
        (period(1, span("8", "12:00")), "start_time"),
        (period(1, span("12:00", "08:00")), "end_time"),
        (period(1, span("08:00", "12:00", end_time_on_next_day=True)), "end_time_on_next_day"),
        (period(1, span("08:00", "12:00", resource_state="ajar")), "resource_state"),
        (period(1, start_date="soon"), "start_date"),
        (period(1, start_date="2027-02-01", end_date="2027-01-01"), "end_date"),
        (period(1, resource=None), "resource"),
        (period(1, time_span_groups=[7]), "time_span_groups"),
        (period(1, time_span_groups={"a": 1}), "time_span_groups"),
    ],
)
def test_a_broken_period_leaves_the_hours_as_they_are(
    session, tmp_path: Path, library: Space, import_file, broken: dict[str, Any], field: str
) -> None:
    report = import_file(write(tmp_path / "a.json", [period(2, span("13:00", "15:00")), broken]))
    assert field in {problem.field for problem in report.problems}
    if field != "resource":
        assert rules_of(session) == {(EVERY_DAY, "08:00", "22:00", "open", None, None)}


def test_a_dry_run_of_hours_tells_and_writes_nothing(
    tmp_path: Path, library: Space, import_file, rows_written
) -> None:
    before = rows_written()
    report = import_file(write(tmp_path / "a.json", [period(1, span("13:00", "15:00", 1))]), dry_run=True)
    assert rows_written() == before
    (change,) = report.changes
    assert [(one.old, one.new) for one in change.changes] == [("mo-su 08:00-22:00", "mo 13:00-15:00")]


@pytest.mark.parametrize(
    ("target", "found"), [("8215", 1), ("whole", 1), ("tprek:8215/whole", 1), ("tprek:9", 0), ("9", 0)]
)
def test_a_target_is_an_id_that_is_one_place(
    tmp_path: Path, library: Space, import_file, target: str, found: int
) -> None:
    report = import_file(
        write(tmp_path / "a.json", [period(1, span("13:00", "15:00"))]), targets={"tprek:8215": target}
    )
    assert (report.updated, len(report.problems)) == (found, 1 - found)


days = st.dates(date(2027, 1, 1), date(2027, 3, 1))
hours = st.integers(1, 22).map(lambda hour: (Hours(EVERY_DAY, time(hour), time(hour + 1)),))
periods = st.builds(
    lambda first, last, override, told: Period("", min(first, last), max(first, last), override, told, {}),
    days,
    days,
    st.booleans(),
    hours,
)


@given(st.lists(periods, max_size=6), days)
def test_every_day_has_the_hours_of_the_periods_that_decide(city_periods: list[Period], day: date) -> None:
    told, closed = resolved(city_periods)
    wanted = {one.opens for p in deciding([p for p in city_periods if p.covers(day)]) for one in p.hours}
    assert {one.opens for one in weekly(told) if one.holds_on(day)} == wanted
    assert equal_periods(weekly(told)) is None
    assert closed == ()
    assert len(spans_of_day(day, weekly(told), (), ZoneInfo("Europe/Helsinki"))[0]) == len(wanted)
