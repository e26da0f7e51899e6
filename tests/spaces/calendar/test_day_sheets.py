"""The search's index may only rule out: it never loses a time that could be booked, and follows every change."""

from datetime import date, time, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span, SpanSet, day_span, instant
from spaces.calendar.actions import claim_space, compile_spaces, release_claims
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import HOLDER_IDS, Claim, DaySheet
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import (
    ALL_DAY,
    DAY,
    HALF_HOUR,
    HALF_HOURS,
    BookingRules,
    has_change,
    midnight,
    offers,
    runs,
    sheet_word,
    window_mask,
)
from spaces.catalog.models import Space
from spaces.search.queries import slots_sql
from spaces.search.question import Question, clock_instant
from tests.factories.cities import make_city
from tests.factories.spaces import make_space, make_unit, make_venue
from tests.spaces.calendar.worlds import HELSINKI, World, days, worlds, zones

patient = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
# What `matched` in the search takes off on a day when the clocks change.
SLACK = 2


def slots(space_rules: BookingRules, minutes: int, day: date, zone) -> int:
    """Half hours that a booking of this length needs, as the search asks the sheet for them."""
    if space_rules.whole_days:
        return 1
    return min(HALF_HOURS, max(1, -(-minutes // 30) - (SLACK if has_change(day, zone) else 0)))


@patient
@given(worlds(whole_days=None), st.data())
def test_the_sheet_never_rules_out_what_is_offered(world: World, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, 47)) * 30 + data.draw(st.sampled_from([0, 0, 10]))
    end = min(1440, start + data.draw(st.integers(1, 96)) * 15)
    asked = data.draw(st.one_of(st.none(), st.integers(1, 600)))
    question = Question(day=world.day, start_minute=start, end_minute=end, minutes=asked)
    within = day_span(world.day, world.zone) if world.rules.whole_days else question.window(world.zone)
    if within is None:
        return
    minutes = world.rules.fitting_minutes(asked)
    found = offers(
        world.calendar, world.rules, minutes=minutes, within=within, zone=world.zone, now=world.now
    )
    word = sheet_word(world.calendar.free, world.day, world.zone)
    mask = ALL_DAY if world.rules.whole_days else window_mask(start, end)
    if found:
        assert runs(word & mask, slots(world.rules, minutes, world.day, world.zone))


@patient
@given(worlds())
def test_a_half_hour_that_is_not_free_at_all_is_ruled_out(world: World) -> None:
    """The sheet is also sharp: apart from the days when the clocks change, a bit is set only where something is free."""
    if has_change(world.day, world.zone):
        return
    free = world.calendar.free
    word = sheet_word(free, world.day, world.zone)
    for n in range(HALF_HOURS):
        start = midnight(world.day, world.zone) + n * HALF_HOUR
        assert bool(word >> n & 1) == free.meets(start, start + HALF_HOUR)


@given(
    zones.flatmap(lambda zone: st.tuples(st.just(zone), days(zone))), st.integers(0, 47), st.integers(1, 48)
)
def test_free_stretches_of_the_wall_clock_are_runs(where, first: int, slots_: int) -> None:
    zone, day = where
    slots_ = min(slots_, HALF_HOURS - first)
    span_start = clock_instant(day, first * 30, zone)
    span_end = clock_instant(day, (first + slots_) * 30, zone)
    if span_start >= span_end:
        return
    word = sheet_word(SpanSet([Span(span_start, span_end)]), day, zone)
    assert runs(word, slots_) >> first & 1


@given(st.integers(0, ALL_DAY), st.integers(1, 48))
def test_runs_are_found_as_by_counting(word: int, wanted: int) -> None:
    expected = sum(
        1 << n for n in range(HALF_HOURS - wanted + 1) if word >> n & ((1 << wanted) - 1) == (1 << wanted) - 1
    )
    assert runs(word, wanted) == expected


@given(st.integers(0, 1439), st.integers(1, 1440))
def test_a_window_covers_the_half_hours_it_touches(start: int, length: int) -> None:
    end = min(1440, start + length)
    touched = {n for n in range(HALF_HOURS) if n * 30 < end and start < (n + 1) * 30}
    assert window_mask(start, end) == sum(1 << n for n in touched)


def test_the_search_asks_for_no_more_half_hours_than_the_booking_needs(session: Session) -> None:
    """`slots_sql` in PostgreSQL against `fitting_minutes` in Python."""
    random = Random(7)
    for _ in range(200):
        least = random.choice([5, 15, 30, 45, 60, 90, 100])
        space_rules = BookingRules(
            min_minutes=least,
            max_minutes=least + random.choice([0, 10, 40, 60, 180, 1440]),
            interval_minutes=random.choice([5, 15, 30, 60, 90, 1440]),
            whole_days=random.random() < 0.1,
        )
        asked = random.choice([0, 5, 30, 45, 60, 90, 100, 110, 240, 5000])
        found = session.scalar(
            text(
                f"SELECT {slots_sql()} FROM (SELECT CAST(:min AS int) AS min_minutes, CAST(:max AS int) AS max_minutes,"
                " CAST(:interval AS int) AS interval_minutes, CAST(:whole AS boolean) AS whole_days) s"
            ),
            {
                "min": space_rules.min_minutes,
                "max": space_rules.max_minutes,
                "interval": space_rules.interval_minutes,
                "whole": space_rules.whole_days,
                "asked": asked,
                "slack": 0,
            },
        )
        minutes = space_rules.fitting_minutes(asked or None)
        assert found <= slots(space_rules, minutes, date(2027, 6, 1), HELSINKI), (space_rules, asked)


# --- in the database


@pytest.fixture(params=["Europe/Helsinki", "America/New_York"])
def town(request, session: Session) -> City:
    crs = 3879 if request.param == "Europe/Helsinki" else 32618
    city = make_city(
        session, slug=request.param.rpartition("/")[2].lower(), time_zone=request.param, metric_crs=crs
    )
    session.commit()
    return city


@pytest.mark.parametrize("seed", range(3))
def test_random_claims_keep_to_the_rules_and_the_sheets_follow(
    session: Session, town: City, seed: int
) -> None:
    """Claims and releases at random around a change of the clocks; after each step the model in Python, the rows that
    the exclusion constraint let in and the kept sheets say the same."""
    random = Random(seed)
    zone = town.zone
    day = date(2027, 3, 28) if seed % 2 == 0 else date(2027, 10, 31)
    if town.time_zone == "America/New_York":
        day = date(2027, 3, 14) if seed % 2 == 0 else date(2027, 11, 7)
    venue = make_venue(session, town)
    a, b = make_unit(session, venue), make_unit(session, venue, lanes=2)
    buffers: dict[str, Any] = {"buffer_before_minutes": 15, "buffer_after_minutes": 30}
    spaces = [
        make_space(session, venue, units=[a], hours=(time(0), time(0))),
        make_space(session, venue, units=[b], hours=(time(20), time(4)), **buffers),
        make_space(session, venue, units=[a, b], **buffers),
    ]
    first, last = day.replace(day=1), (day + 40 * DAY).replace(day=1) - DAY
    compile_spaces(session, town, [space.id for space in spaces], first=first, last=last)

    held: dict[int, tuple[Space, Span]] = {}
    refused = 0
    for _ in range(40):
        if held and random.random() < 0.25:
            holder = random.choice(sorted(held))
            release_claims(session, town, holder_id=holder)
            del held[holder]
            continue
        space = random.choice(spaces)
        start = midnight(day - DAY, zone) + timedelta(minutes=random.randrange(0, 3 * 1440, 15))
        body = Span(start, start + timedelta(minutes=random.choice([15, 60, 180])))
        holder = session.execute(HOLDER_IDS.next_value().select()).scalar_one()
        window = Span(body.start - DAY, body.end + DAY)
        calendar = calendars_of(session, town.id, [space.id], window, zone)[space.id]
        space_rules = booking_rules(space)
        possible = calendar.admits(body, space_rules.before, space_rules.after)
        try:
            claim_space(session, town, space.id, holder_id=holder, body=body, rules=space_rules)
        except SlotTaken:
            assert not possible
            refused += 1
        else:
            assert possible
            held[holder] = (space, body)
    assert held
    assert refused
    bodies_keep_their_distance(session, town, held)
    assert kept_sheets(session, town) == computed_sheets(session, town, spaces, first, last)


def bodies_keep_their_distance(session: Session, city: City, held: dict[int, tuple[Space, Span]]) -> None:
    """In one lane no body meets another body or another holder's buffer."""
    lanes: dict[tuple[int, int], list[tuple[int, Span]]] = {}
    for claim in session.scalars(select(Claim).where(Claim.city_id == city.id, Claim.part == 0)):
        _, body = held[claim.holder_id]
        assert (claim.during.lower, claim.during.upper) == (body.start, body.end)
        lanes.setdefault((claim.unit_id, claim.lane), []).append((claim.holder_id, body))
    for inside in lanes.values():
        for (one, early), (other, late) in pairwise(sorted(inside, key=lambda pair: pair[1])):
            gap = max(
                booking_rules(held[one][0]).after,
                booking_rules(held[other][0]).before,
            )
            assert late.start - early.end >= gap


def kept_sheets(session: Session, city: City) -> dict[tuple[int, date], list[int]]:
    rows = session.execute(
        select(DaySheet.space_id, DaySheet.month, DaySheet.free).where(DaySheet.city_id == city.id)
    )
    return {(space_id, month): list(free) for space_id, month, free in rows}


def computed_sheets(
    session: Session, city: City, spaces: list[Space], first: date, last: date
) -> dict[tuple[int, date], list[int]]:
    """From openings and claims alone."""
    window = Span(midnight(first - DAY, city.zone), midnight(last + 2 * DAY, city.zone))
    found: dict[tuple[int, date], list[int]] = {}
    for space_id, calendar in calendars_of(
        session, city.id, [space.id for space in spaces], window, city.zone
    ).items():
        free = calendar.free
        day = first
        while day <= last:
            words = found.setdefault((space_id, day.replace(day=1)), [])
            words.append(sheet_word(free, day, city.zone))
            day += DAY
    return found


def test_a_night_that_passes_the_end_of_a_month_is_in_both_sheets(session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, city), hours=(time(20), time(4)))
    compile_spaces(session, city, [space.id], first=date(2027, 12, 1), last=date(2028, 1, 31))
    sheets = kept_sheets(session, city)
    assert sheets[space.id, date(2028, 1, 1)][0] & window_mask(0, 240) == window_mask(0, 240)
    holder = session.execute(HOLDER_IDS.next_value().select()).scalar_one()
    night = Span(
        instant(date(2027, 12, 31), time(23), city.zone), instant(date(2028, 1, 1), time(1), city.zone)
    )
    claim_space(session, city, space.id, holder_id=holder, body=night, rules=BookingRules())
    sheets = kept_sheets(session, city)
    assert not sheets[space.id, date(2027, 12, 1)][30] & window_mask(23 * 60, 1440)
    assert not sheets[space.id, date(2028, 1, 1)][0] & window_mask(0, 60)
    release_claims(session, city, holder_id=holder)
    assert kept_sheets(session, city)[space.id, date(2028, 1, 1)][0] & window_mask(0, 240) == window_mask(
        0, 240
    )


def test_compiling_again_writes_nothing(session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, city))
    assert compile_spaces(session, city, [space.id]) > 12
    assert compile_spaces(session, city, [space.id]) == 0
    today = now().astimezone(city.zone).date()
    assert (space.id, today.replace(day=1)) in kept_sheets(session, city)


def test_a_day_that_is_all_free_fits_a_bigint(city: City) -> None:
    word = sheet_word(SpanSet([day_span(date(2027, 6, 1), city.zone)]), date(2027, 6, 1), city.zone)
    assert word == ALL_DAY
    assert ALL_DAY < 2**63
