"""Prices by time of week, customer group, slot, area and code: they add up, and nobody is surprised."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.money import Money
from marketplace.timespan import Span, day_span, instant
from spaces.pricing.lists import PriceList, faults, tidy
from spaces.pricing.rules import (
    CUSTOMER_GROUPS,
    LINE_TEXTS,
    NOTE_TEXTS,
    WEEK,
    BuildDays,
    Discount,
    PriceTerms,
    Variation,
    quote,
)
from tests.spaces.calendar.worlds import AUTUMN, HELSINKI, NEW_YORK, SPRING, zones

EVENING = Variation(3000, None, frozenset({1, 2, 3, 4, 5}), 17 * 60, 22 * 60)
CLUBS = Variation(500, "association")
amounts = st.integers(0, 10**6)
minutes = st.integers(0, 48).map(lambda n: n * 30)
groups = st.sampled_from(CUSTOMER_GROUPS)
starts = st.integers(0, 2 * 365 * 288).map(
    lambda n: datetime(2027, 1, 1, tzinfo=UTC) + n * timedelta(minutes=5)
)
lengths = st.integers(1, 600).map(lambda n: n * timedelta(minutes=5))


@st.composite
def variations(draw) -> Variation:
    start, end = sorted(draw(st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1])))
    days = draw(st.frozensets(st.integers(1, 7), min_size=1))
    return Variation(draw(amounts), draw(st.none() | groups), days, start, end)


@st.composite
def price_terms(draw, pers=("hour", "slot", "day", "fixed", "m2_day", "free")) -> PriceTerms:
    per = draw(st.sampled_from(pers))
    return PriceTerms(
        per,
        Money(0 if per == "free" else draw(amounts)),
        draw(st.integers(0, 3000)),
        slot_minutes=draw(st.sampled_from([5, 15, 45, 60, 90])) if per == "slot" else None,
        minimum_minor=draw(st.integers(0, 20000)),
        build_percent=draw(st.integers(0, 100)),
        area_m2=draw(st.decimals(0, 5000, places=1)) if per == "m2_day" else None,
        variations=tuple(draw(st.lists(variations(), max_size=5))),
    )


discounts = st.none() | st.one_of(
    st.builds(Discount, st.just("SUMMER"), st.integers(1, 100), st.none()),
    st.builds(Discount, st.just("SUMMER"), st.none(), st.integers(1, 10**6)),
)
builds = st.builds(BuildDays, st.integers(0, 3), st.integers(0, 3))


@given(price_terms(), starts, lengths, zones, groups, discounts, builds)
def test_any_list_adds_up_and_is_never_negative(terms, start, length, zone, group, discount, build) -> None:
    found = quote(terms, Span(start, start + length), zone, group=group, discount=discount, build=build)
    assert found.lines
    assert sum(line.total.minor for line in found.lines) == found.total.minor >= 0
    assert 0 <= found.vat.minor <= found.total.minor
    assert all(line.total.minor >= 0 for line in found.lines if line.code != "discount")
    assert all(line.code in LINE_TEXTS for line in found.lines)
    assert all(line.note in {"", "SUMMER", *NOTE_TEXTS} for line in found.lines)
    assert all(
        abs((Decimal(line.unit_price.minor) * line.quantity) - line.total.minor)
        <= max(Decimal(1), line.quantity)
        for line in found.lines
    )


@given(price_terms(("hour",)), starts, lengths, lengths, zones, groups)
def test_hourly_lists_without_a_minimum_add_up_over_splits(terms, start, one, other, zone, group) -> None:
    """Up to half a cent a line on either side, which is what rounding each line may move."""
    terms = PriceTerms("hour", terms.amount, 2550, variations=terms.variations)
    middle, end = start + one, start + one + other
    parts = [quote(terms, span, zone, group=group) for span in (Span(start, middle), Span(middle, end))]
    whole = quote(terms, Span(start, end), zone, group=group)
    lines = sum(len(part.lines) for part in parts) + len(whole.lines)
    assert abs(parts[0].total.minor + parts[1].total.minor - whole.total.minor) <= lines / 2


@given(price_terms(("slot",)), starts, st.integers(1, 20), st.integers(1, 20), zones, groups)
def test_slots_add_up_where_a_time_is_split_between_slots(terms, start, one, other, zone, group) -> None:
    terms = PriceTerms("slot", terms.amount, 2550, terms.slot_minutes, variations=terms.variations)
    slot = timedelta(minutes=terms.slot_minutes or 0)
    middle, end = start + one * slot, start + (one + other) * slot
    parts = sum(
        quote(terms, span, zone, group=group).total.minor for span in (Span(start, middle), Span(middle, end))
    )
    assert parts == quote(terms, Span(start, end), zone, group=group).total.minor


@given(price_terms(), starts, lengths, zones, groups)
def test_a_group_pays_no_more_than_everyone_unless_its_row_says_so(terms, start, length, zone, group) -> None:
    """Rows for a group that are nowhere dearer than the list without them never make it dearer."""
    lowest = min([terms.amount.minor, *(row.amount_minor for row in terms.variations if row.group is None)])
    kind = tuple(
        row
        if row.group is None
        else Variation(min(row.amount_minor, lowest), row.group, row.days, row.from_minute, row.to_minute)
        for row in terms.variations
    )
    values = {**terms.__dict__, "variations": kind}
    values.pop("boundaries", None)
    generous = PriceTerms(**values)
    values["variations"] = tuple(row for row in kind if row.group is None)
    plain = PriceTerms(**values)
    span = Span(start, start + length)
    ours, theirs = quote(generous, span, zone, group=group), quote(plain, span, zone)
    # Each line is rounded by itself; more lines may round up half a cent more.
    assert ours.total.minor <= theirs.total.minor + len(ours.lines) / 2


@given(price_terms(), starts, lengths, zones, groups, discounts)
def test_a_code_never_makes_a_booking_dearer(terms, start, length, zone, group, discount) -> None:
    span = Span(start, start + length)
    assert (
        quote(terms, span, zone, group=group, discount=discount).total.minor
        <= quote(terms, span, zone, group=group).total.minor
    )


@given(price_terms(("day", "m2_day")), starts, st.integers(1, 10), zones, builds)
def test_build_days_never_cost_more_than_days(terms, start, days, zone, build) -> None:
    span = Span(start, start + timedelta(days=days))
    assert (
        quote(terms, span, zone, build=build).total.minor
        <= quote(terms, span, zone).total.minor + len(terms.variations) + 2
    )


@pytest.mark.parametrize("zone", [HELSINKI, NEW_YORK])
def test_a_night_when_the_clocks_change_costs_what_it_lasts_at_each_rate(zone) -> None:
    night = Variation(100, None, WEEK, 0, 6 * 60)
    terms = PriceTerms("hour", Money(1000), 2550, variations=(night,))
    for day, hours in ((SPRING[zone], 23), (AUTUMN[zone], 25)):
        found = quote(terms, day_span(day, zone), zone)
        assert {(int(line.quantity), line.unit_price.minor) for line in found.lines} == {
            (hours - 18, 100),
            (18, 1000),
        }


@pytest.mark.parametrize("zone", [HELSINKI, NEW_YORK])
def test_a_night_of_a_clock_change_is_cut_at_one_instant_however_it_is_booked(zone) -> None:
    """Also by a boundary that the spring skips and the autumn shows twice."""
    terms = PriceTerms("hour", Money(1000), 0, variations=(Variation(200, None, WEEK, 90, 210),))
    for day in (SPRING[zone], AUTUMN[zone]):
        whole = day_span(day, zone)
        step = timedelta(minutes=15)
        pieces = [
            Span(whole.start + n * step, whole.start + (n + 1) * step) for n in range(whole.length // step)
        ]
        assert (
            sum(quote(terms, piece, zone).total.minor for piece in pieces)
            == quote(terms, whole, zone).total.minor
        )


def on(day: int, start: float, end: float) -> Span:
    """A time of Monday 7 June 2027 and the days after."""
    midnight = instant(date(2027, 6, 6 + day), time(0), HELSINKI)
    return Span(midnight + timedelta(hours=start), midnight + timedelta(hours=end))


def lines(terms: PriceTerms, span: Span, **more) -> list[tuple[str, str, int, str]]:
    found = quote(terms, span, HELSINKI, **more)
    return [(line.code, f"{line.quantity:f}", line.total.minor, line.note) for line in found.lines]


def test_an_afternoon_into_the_evening_has_a_line_for_each_rate() -> None:
    terms = PriceTerms("hour", Money(2000), 2550, variations=(EVENING, CLUBS))
    assert lines(terms, on(1, 16, 18.5)) == [("hours", "1", 2000, ""), ("hours", "1.5", 4500, "time")]
    assert lines(terms, on(6, 16, 18.5)) == [("hours", "2.5", 5000, "")]
    assert lines(terms, on(1, 16, 18.5), group="association") == [("hours", "2.5", 1250, "association")]
    assert lines(terms, on(1, 16, 18.5), group="company") == lines(terms, on(1, 16, 18.5))


def test_each_started_slot_counts_at_the_rate_it_starts_at() -> None:
    terms = PriceTerms("slot", Money(1000), 2550, slot_minutes=45, variations=(EVENING,))
    assert lines(terms, on(1, 16, 18)) == [("slots", "2", 2000, ""), ("slots", "1", 3000, "time")]
    assert lines(terms, on(6, 10, 10.25)) == [("slots", "1", 1000, "")]


def test_a_booking_at_a_fixed_price_costs_that_of_its_first_moment() -> None:
    terms = PriceTerms("fixed", Money(4000), 2550, variations=(EVENING,))
    assert lines(terms, on(1, 16, 20)) == [("bookings", "1", 4000, "")]
    assert lines(terms, on(1, 17, 18)) == [("bookings", "1", 3000, "time")]


def test_days_by_area_with_build_and_tear_down_days_at_their_share() -> None:
    """10 c a day for each started square metre of 100.2; Friday to Monday, of which the first and the last build."""
    terms = PriceTerms("m2_day", Money(10), 2550, build_percent=50, area_m2=Decimal("100.2"))
    assert lines(terms, on(5, 0, 96), build=BuildDays(1, 1)) == [
        ("m2_build_days", "202", 1010, ""),
        ("m2_days", "202", 2020, ""),
    ]
    assert quote(terms, on(5, 0, 96), HELSINKI).total == Money(4040)
    nothing = PriceTerms("day", Money(10000), 0, build_percent=0)
    assert quote(nothing, on(5, 0, 72), HELSINKI, build=BuildDays(1, 0)).total == Money(20000)


def test_a_least_price_is_a_line_of_its_own_and_leaves_the_free_alone() -> None:
    terms = PriceTerms("hour", Money(1000), 2550, minimum_minor=2500, variations=(Variation(0, "youth"),))
    assert lines(terms, on(1, 10, 11)) == [("hours", "1", 1000, ""), ("minimum", "1", 1500, "")]
    assert lines(terms, on(1, 10, 13)) == [("hours", "3", 3000, "")]
    assert lines(terms, on(1, 10, 11), group="youth") == [("free", "1", 0, "youth")]


def test_a_code_takes_off_a_share_or_an_amount_and_never_more_than_there_is() -> None:
    terms = PriceTerms("hour", Money(1333), 2550)
    span = on(1, 10, 11)
    assert lines(terms, span, discount=Discount("HALF", 50, None))[-1] == ("discount", "1", -667, "HALF")
    assert quote(terms, span, HELSINKI, discount=Discount("BIG", None, 5000)).total == Money(0)
    assert quote(terms, span, HELSINKI, discount=Discount("BIG", None, 5000)).vat == Money(0)


def list_of(*rows: Variation, **fields) -> PriceList:
    return tidy(PriceList(date(2027, 1, 1), **{"per": "hour", "amount_minor": 2000, **fields}, rows=rows))


def codes(list_: PriceList, *, has_area: bool = True) -> list[tuple[str, str]]:
    return [(error.field, error.code) for error in faults(list_, has_area=has_area)]


def test_a_good_list_has_no_faults() -> None:
    assert codes(list_of(EVENING, CLUBS)) == []
    assert codes(list_of(per="free", amount_minor=0)) == []
    weekend = Variation(4000, None, frozenset({6, 7}))
    week = Variation(2000, None, frozenset({1, 2, 3, 4, 5}))
    assert codes(list_of(week, weekend, amount_minor=None)) == []
    assert list_of(week, weekend, amount_minor=None).base_minor == 2000


def test_rows_that_meet_contradict_each_other_and_the_fault_says_where() -> None:
    late = Variation(2500, None, frozenset({5, 6}), 20 * 60, 24 * 60)
    (fault,) = faults(list_of(EVENING, CLUBS, late), has_area=True)
    assert (fault.field, fault.code) == ("row-3", "rows-contradict")
    assert dict(fault.values) == {
        "first": 1,
        "second": 3,
        "group": "everyone",
        "day": 5,
        "start": 1200,
        "end": 1320,
    }
    # A row for a group beside one for everyone is no contradiction, nor are rows that only touch.
    assert codes(list_of(EVENING, Variation(1, None, WEEK, 22 * 60, 24 * 60))) == []


def test_a_week_that_the_rows_do_not_cover_has_a_gap_and_the_fault_says_where() -> None:
    (fault,) = faults(list_of(EVENING, amount_minor=None), has_area=True)
    assert (fault.field, fault.code) == ("amount", "gap")
    assert dict(fault.values) == {"day": 1, "start": 0, "end": 17 * 60}
    nearly = Variation(100, None, WEEK, 0, 23 * 60)
    (fault,) = faults(list_of(nearly, CLUBS, amount_minor=None), has_area=True)
    assert dict(fault.values) == {"day": 1, "start": 23 * 60, "end": 24 * 60}


@pytest.mark.parametrize(
    ("fields", "rows", "expected"),
    [
        ({"per": "week"}, (), ("per", "unknown-per")),
        ({"per": "slot"}, (), ("slot_minutes", "odd-slot")),
        ({"per": "m2_day"}, (), ("per", "no-area")),
        ({"per": "day"}, (EVENING,), ("row-1", "whole-days")),
        ({"amount_minor": -1}, (), ("amount", "odd-amount")),
        ({"amount_minor": 0}, (), ("amount", "all-free")),
        ({"minimum_minor": 10**9}, (), ("minimum", "odd-amount")),
        ({"per": "day", "build_percent": 101}, (), ("build_percent", "odd-share")),
        ({}, (Variation(1, "pensioner"),), ("row-1", "unknown-group")),
        ({}, (Variation(1, None, frozenset()),), ("row-1", "no-days")),
        ({}, (Variation(1, None, WEEK, 600, 600),), ("row-1", "odd-times")),
        ({}, (Variation(10**9),), ("row-1", "odd-amount")),
        ({}, (EVENING,) * 41, ("rows", "too-many-rows")),
    ],
)
def test_each_fault_has_its_place(fields, rows, expected) -> None:
    assert codes(list_of(*rows, **fields), has_area=False) == [expected]


@given(st.lists(variations(), max_size=6))
def test_a_list_without_faults_has_one_price_for_every_moment(rows) -> None:
    """Whichever order its rows stand in."""
    list_ = list_of(*rows, amount_minor=700)
    if codes(list_):
        return
    one, other = list_.terms("EUR", 0, None), list_of(*reversed(rows), amount_minor=700).terms("EUR", 0, None)
    for group in CUSTOMER_GROUPS:
        for day in range(7, 14):
            for minute in range(0, 1440, 30):
                at = date(2027, 6, day), minute
                assert one.rate(group, *at) == other.rate(group, *at)
