"""What a time costs: never less than nothing, the same however it is cut, and by hours that really pass."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.timespan import Span, day_span, instant
from spaces.pricing.models import Price
from spaces.pricing.queries import price_on
from spaces.pricing.rules import LINE_TEXTS, PriceTerms, quote
from tests.factories.spaces import make_space, make_venue
from tests.spaces.calendar.worlds import AUTUMN, HELSINKI, NEW_YORK, SPRING, zones

amounts = st.integers(1, 10**6)
terms = st.one_of(
    st.builds(lambda a, r: PriceTerms("hour", Money(a), r), amounts, st.integers(0, 3000)),
    st.builds(lambda a, r: PriceTerms("day", Money(a), r), amounts, st.integers(0, 3000)),
    st.builds(lambda r: PriceTerms("free", Money(0), r), st.integers(0, 3000)),
)
starts = st.integers(0, 2 * 365 * 288).map(
    lambda n: datetime(2027, 1, 1, tzinfo=UTC) + n * timedelta(minutes=5)
)
lengths = st.integers(1, 600).map(lambda n: n * timedelta(minutes=5))


@given(terms, starts, lengths, zones)
def test_lines_add_up_and_nothing_is_negative(price: PriceTerms, start, length, zone) -> None:
    found = quote(price, Span(start, start + length), zone)
    assert sum(line.total.minor for line in found.lines) == found.total.minor
    assert 0 <= found.vat.minor <= found.total.minor
    assert found.total.currency == "EUR"
    assert all(line.code in LINE_TEXTS for line in found.lines)
    assert all(line.as_json()["total_minor"] == line.total.minor for line in found.lines)
    assert (found.total.minor == 0) == (price.per == "free") or price.per == "hour"


@given(amounts, starts, lengths, lengths, zones)
def test_hours_cost_the_same_however_they_are_cut(amount: int, start, one, other, zone) -> None:
    """Up to the cent that each part's rounding may add or take."""
    price = PriceTerms("hour", Money(amount), 2550)
    middle = start + one
    parts = (
        quote(price, Span(start, middle), zone).total + quote(price, Span(middle, middle + other), zone).total
    )
    whole = quote(price, Span(start, middle + other), zone).total
    assert abs(parts.minor - whole.minor) <= 1


@given(amounts, starts, lengths, zones)
def test_a_longer_time_never_costs_less(amount: int, start, length, zone) -> None:
    for per in ("hour", "day"):
        price = PriceTerms(per, Money(amount), 2550)
        shorter = quote(price, Span(start, start + length), zone).total
        longer = quote(price, Span(start, start + length + timedelta(minutes=5)), zone).total
        assert shorter.minor <= longer.minor


@pytest.mark.parametrize("zone", [HELSINKI, NEW_YORK])
def test_a_night_when_the_clocks_change_costs_what_it_lasts(zone) -> None:
    hour, day = PriceTerms("hour", Money(1000), 2550), PriceTerms("day", Money(5000), 2550)
    for date_, hours in ((SPRING[zone], 23), (AUTUMN[zone], 25)):
        whole = day_span(date_, zone)
        assert quote(hour, whole, zone).total == Money(1000 * hours)
        assert quote(hour, whole, zone).lines[0].quantity == hours
        assert quote(day, whole, zone).total == Money(5000)


def test_days_are_the_local_dates_touched() -> None:
    price = PriceTerms("day", Money(12400), 2550)
    evening = Span(
        instant(date(2027, 6, 1), time(20), HELSINKI), instant(date(2027, 6, 2), time(2), HELSINKI)
    )
    assert quote(price, evening, HELSINKI).lines[0].quantity == 2
    assert quote(price, evening, NEW_YORK).lines[0].quantity == 1
    assert quote(price, day_span(date(2027, 6, 1), HELSINKI), HELSINKI).total == Money(12400)


def test_an_hour_and_a_half_at_a_round_price() -> None:
    start = datetime(2027, 6, 1, 12, tzinfo=UTC)
    found = quote(PriceTerms("hour", Money(1350), 2550), Span(start, start + timedelta(minutes=90)), HELSINKI)
    assert found.total == Money(2025)
    assert found.vat == Money(411)
    assert found.lines[0].quantity == Decimal("1.5")
    assert str(found.lines[0].quantity) == "1.5"


def test_ten_hours_are_written_as_ten() -> None:
    """Not as 1E+1, which is what a normalised decimal says."""
    start = datetime(2027, 6, 1, 6, tzinfo=UTC)
    found = quote(PriceTerms("hour", Money(1000), 0), Span(start, start + timedelta(hours=10)), HELSINKI)
    assert found.lines[0].as_json()["quantity"] == "10"


def test_the_price_of_a_day_is_the_latest_that_is_valid_then(session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, city), price=("hour", 2000))
    session.add(
        Price(city_id=city.id, space_id=space.id, valid_from=date(2027, 1, 1), per="hour", amount_minor=2500)
    )
    session.flush()
    before = price_on(session, city, space.id, date(2026, 12, 31))
    after = price_on(session, city, space.id, date(2027, 1, 1))
    assert before is not None
    assert after is not None
    assert (before.amount, after.amount) == (Money(2000), Money(2500))
    assert after.vat_basis_points == 2550
    assert price_on(session, city, space.id, date(2019, 12, 31)) is None
