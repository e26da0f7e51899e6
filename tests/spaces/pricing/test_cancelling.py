"""When cancelling costs what: the steps as a pure rule, and the owner's form of them."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import instant
from spaces.catalog.models import Space, Venue
from spaces.pricing.cancelling import (
    MOST_TIERS,
    CancelTerms,
    CancelTier,
    amount_kept,
    carried_on,
    kept_at,
    schedule_of,
    share_at,
    share_of,
    steps,
    terms_faults,
    tidy_terms,
)
from spaces.pricing.models import Price
from spaces.pricing.queries import price_lists_of, price_on
from tests.factories.cities import make_city
from tests.factories.people import join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space, make_venue

START = datetime(2026, 12, 7, 17, tzinfo=UTC)
HELSINKI = ZoneInfo("Europe/Helsinki")
MOMENTS = st.datetimes(datetime(2026, 10, 1), datetime(2026, 12, 10), timezones=st.just(UTC))
TOTALS = st.integers(0, 1_000_000)


@st.composite
def cancel_terms(draw: st.DrawFn, least: int = 0) -> CancelTerms:
    """What an owner may write down."""
    count = draw(st.integers(least, MOST_TIERS))
    hours = sorted(draw(st.sets(st.integers(1, 1000), min_size=count, max_size=count)), reverse=True)
    shares = sorted(draw(st.lists(st.integers(0, 100), min_size=count, max_size=count)))
    tiers = tuple(CancelTier(hour, share) for hour, share in zip(hours, shares, strict=True))
    return CancelTerms(tiers, draw(st.sampled_from([0, 0, 500, 20_000])), draw(st.booleans()))


def old_rule(total: int, free_until: datetime, percent: int, at: datetime) -> int:
    """What held before there were steps, written down once more."""
    return 0 if at <= free_until else (total * percent + 50) // 100


@given(TOTALS, st.integers(0, 200), st.integers(0, 100), MOMENTS)
def test_without_steps_it_is_the_one_hour_and_the_one_share(
    total: int, hours: int, percent: int, at: datetime
) -> None:
    schedule = schedule_of(CancelTerms(), START, cancellation_hours=hours, kept_percent=percent)
    free_until = START - timedelta(hours=hours)
    assert kept_at(schedule, total_minor=total, fee_minor=0, at=at) == old_rule(
        total, free_until, percent, at
    )


@given(cancel_terms(), TOTALS, st.integers(0, 200), st.integers(0, 100))
def test_steps_only_ever_cost_more_and_never_above_the_price(
    terms: CancelTerms, total: int, hours: int, percent: int
) -> None:
    schedule = schedule_of(terms, START, cancellation_hours=hours, kept_percent=percent)
    found = steps(schedule, total_minor=total, fee_minor=terms.fee_minor, start=START)
    assert found[-1][0] == START
    for (until, kept), (later, more) in pairwise(found):
        assert until < later
        assert kept < more
    assert all(0 <= kept <= total for _, kept in found)


@given(cancel_terms(), TOTALS, MOMENTS)
def test_the_steps_shown_are_what_is_charged(terms: CancelTerms, total: int, at: datetime) -> None:
    schedule = schedule_of(terms, START, cancellation_hours=24, kept_percent=100)
    found = steps(schedule, total_minor=total, fee_minor=terms.fee_minor, start=START)
    if at <= START:
        shown = next(kept for until, kept in found if at <= until)
        assert kept_at(schedule, total_minor=total, fee_minor=terms.fee_minor, at=at) == shown


@given(cancel_terms(), cancel_terms(), MOMENTS, MOMENTS, MOMENTS, TOTALS)
def test_a_change_is_no_way_out_of_what_is_due(
    terms: CancelTerms, other: CancelTerms, start: datetime, at: datetime, later: datetime, total: int
) -> None:
    was = schedule_of(terms, START, cancellation_hours=24, kept_percent=100)
    following = schedule_of(other, start, cancellation_hours=48, kept_percent=100)
    after = carried_on(was, following, at=at)
    due = share_at(was, at)
    instants = [tier.after for tier in after]
    assert instants == sorted(instants)
    assert [tier.kept_percent for tier in after] == sorted(tier.kept_percent for tier in after)
    if due is None:
        assert after == following
    elif later >= at and max(len(was), len(following)) > 1:
        now_due = share_at(after, later)
        assert now_due is not None
        assert now_due == max(due, share_at(following, later) or 0)
    elif later >= at:
        # One step each: what the new list says, at once.
        assert share_at(after, later) == following[0].kept_percent


@pytest.mark.parametrize(
    ("total", "percent", "fee", "kept"),
    [(4001, 50, 0, 2001), (1, 50, 0, 1), (1, 49, 0, 0), (4000, 50, 500, 2500), (4000, 90, 500, 4000), (300, 0, 500, 300), (0, 100, 500, 0)],
)  # fmt: skip
def test_half_a_cent_is_rounded_up_and_the_fee_stays_below_the_price(
    total: int, percent: int, fee: int, kept: int
) -> None:
    assert amount_kept(total, percent, fee) == kept


@pytest.mark.parametrize(("day", "wall"), [(date(2026, 10, 26), 13), (date(2027, 3, 29), 11)])
def test_hours_are_elapsed_hours_on_nights_when_the_clocks_change(day: date, wall: int) -> None:
    start = instant(day, datetime(2026, 1, 1, 12).time(), HELSINKI)
    terms = CancelTerms((CancelTier(48, 50),))
    ((until, nothing), _) = steps(
        schedule_of(terms, start, cancellation_hours=24, kept_percent=100),
        total_minor=1000,
        fee_minor=0,
        start=start,
    )
    assert nothing == 0
    assert start - until == timedelta(hours=48)
    assert until.astimezone(HELSINKI).hour == wall


def test_what_is_kept_in_words() -> None:
    assert [share_of(kept, 4001) for kept in (0, 2001, 1000, 4001)] == ["none", "half", "part", "all"]
    assert share_of(1, 1) == "all"


def test_tidy_terms_begin_with_the_earliest_step_that_costs_something() -> None:
    free_first = (CancelTier(24, 100), CancelTier(72, 0), CancelTier(48, 50))
    assert tidy_terms(CancelTerms(free_first)).tiers == (CancelTier(48, 50), CancelTier(24, 100))
    with_fee = tidy_terms(CancelTerms(free_first, fee_minor=500))
    assert with_fee.tiers[0] == CancelTier(72, 0)


@pytest.mark.parametrize(
    ("terms", "codes"),
    [
        (CancelTerms((CancelTier(72, 50), CancelTier(24, 40))), {("tier-2", "share-falls")}),
        (CancelTerms((CancelTier(72, 50), CancelTier(72, 60))), {("tier-2", "same-hours")}),
        (CancelTerms((CancelTier(0, 50),)), {("tier-1", "odd-hours")}),
        (CancelTerms((CancelTier(99_999, 50),)), {("tier-1", "odd-hours")}),
        (CancelTerms((CancelTier(5, 101),)), {("tier-1", "odd-share")}),
        (CancelTerms(tuple(CancelTier(9 - n, n) for n in range(7))), {("tiers", "too-many-tiers")}),
        (CancelTerms((), -1), {("cancel_fee", "odd-amount")}),
        (CancelTerms((CancelTier(72, 50), CancelTier(24, 50)), 500), set()),
    ],
)
def test_what_is_wrong_is_told_at_its_step(terms: CancelTerms, codes: set[tuple[str, str]]) -> None:
    assert {(fault.field, fault.code) for fault in terms_faults(terms)} == codes


# The owner's form.


@pytest.fixture
def venue(session: Session, city: City) -> Venue:
    return make_venue(session, city)


@pytest.fixture
def space(session: Session, venue: Venue) -> Space:
    space = make_space(session, venue)
    session.commit()
    return space


def owner_client(app: Flask, session: Session, city: City, venue: Venue, role: str) -> FlaskClient:
    person = make_person(session, city)
    owner = session.get_one(type(make_organisation(session, city)), (city.id, venue.owner_id))
    join(session, person, owner, role)
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    return client


@pytest.fixture
def desk(app: Flask, session: Session, city: City, venue: Venue) -> FlaskClient:
    return owner_client(app, session, city, venue, "manager")


def path(space: Space) -> str:
    return f"/en/desk/spaces/{space.id}/prices"


def form(city: City, *tiers: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "valid_from": now().astimezone(city.zone).date().isoformat(),
        "per": "hour",
        "amount": "20",
        "vat_code": "standard",
        **more,
    }
    for n, (number, unit, percent) in enumerate(tiers, 1):
        found |= {f"tier-{n}-number": number, f"tier-{n}-unit": unit, f"tier-{n}-percent": percent}
    return found


def test_steps_are_saved_in_order_and_in_hours(
    session: Session, city: City, space: Space, desk: FlaskClient
) -> None:
    asked = form(
        city, ("24", "h", "100"), ("3", "d", "50"), ("", "d", ""), cancel_fee="5", refund_if_rebooked="1"
    )
    assert desk.post(path(space), data=asked).status_code == 303
    list_ = price_lists_of(session, city.id, space.id)[0]
    assert list_.cancel == CancelTerms((CancelTier(72, 50), CancelTier(24, 100)), 500, True)
    assert list_.kept_percent == 100
    terms = price_on(session, city, space.id, list_.valid_from)
    assert terms is not None
    assert terms.cancel == list_.cancel
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "price.changed")).one()
    assert entry.details["after"]["cancel_tiers"][0] == {"hours": 72, "kept_percent": 50}
    page = desk.get(path(space)).get_data(as_text=True)
    assert 'name="tier-1-number"' in page
    assert 'value="3"' in page
    assert "Cancelled less than" in page


@pytest.mark.parametrize(
    ("tiers", "at_field", "text"),
    [
        ([("x", "h", "50")], "tier-1-number", "write a whole number"),
        ([("", "h", "50")], "tier-1-number", "write a whole number"),
        ([("48", "h", "-5")], "tier-1-number", "write a whole number"),
        ([("48", "h", "101")], "tier-1-number", "a share from 0 to 100"),
        ([("48", "h", "50"), ("24", "h", "20")], "tier-2-number", "must not get smaller"),
        # As they are sorted, so that the sentence stands at the row that is meant.
        ([("24", "h", "20"), ("48", "h", "50")], "tier-2-number", "must not get smaller"),
        ([("1", "d", "50"), ("24", "h", "50")], "tier-2-number", "begin at the same time"),
        ([("9999999", "d", "50")], "tier-1-number", "from one hour to a year"),
    ],
)
def test_a_wrong_step_is_told_beside_it_and_nothing_is_saved(
    session: Session, city: City, space: Space, desk: FlaskClient, tiers: Any, at_field: str, text: str
) -> None:
    answer = desk.post(path(space), data=form(city, *tiers))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'href="#{at_field}"' in page
    assert text in page
    assert f'value="{tiers[0][2]}"' in page
    assert session.scalars(select(Price.cancel_tiers)).all() == [[]]


def test_too_many_steps_and_an_odd_fee(session: Session, city: City, space: Space, desk: FlaskClient) -> None:
    many = [(str(10 - n), "h", str(n * 10 + 10)) for n in range(7)]
    page = desk.post(path(space), data=form(city, *many, cancel_fee="a lot"))
    assert page.status_code == 422
    assert "Write an amount" in page.get_data(as_text=True)
    page = desk.post(path(space), data=form(city, *many))
    assert page.status_code == 422
    assert "at most 6 steps" in page.get_data(as_text=True)


def test_steps_come_and_go_without_script(city: City, space: Space, desk: FlaskClient) -> None:
    two = [("3", "d", "50"), ("24", "h", "100")]
    page = desk.post(path(space), data=form(city, *two, do="tier")).get_data(as_text=True)
    assert 'name="tier-3-number"' in page
    page = desk.post(path(space), data=form(city, *two, do="drop-tier-1")).get_data(as_text=True)
    assert 'name="tier-2-number"' not in page
    assert 'value="24"' in page


def test_the_line_of_an_example_is_shown_before_saving(city: City, space: Space, desk: FlaskClient) -> None:
    page = desk.post(
        path(space), data=form(city, ("3", "d", "50"), ("24", "h", "100"), do="example")
    ).get_data(as_text=True)
    assert "What would cancelling cost?" in page
    assert page.count('<li class="cancelline__s ') == 3
    assert "Half of the price is kept, €20" in page


def test_a_free_list_forgets_its_steps(session: Session, city: City, space: Space, desk: FlaskClient) -> None:
    asked = form(city, ("3", "d", "nonsense"), per="free", amount="", cancel_fee="5")
    assert desk.post(path(space), data=asked).status_code == 303
    assert price_lists_of(session, city.id, space.id)[0].cancel == CancelTerms()


def test_who_may_write_steps(app: Flask, session: Session, city: City, venue: Venue, space: Space) -> None:
    asked = form(city, ("3", "d", "50"))
    assert app.test_client().post(path(space), data=asked).status_code in {302, 303}
    for role in ("member", "booker"):
        client = owner_client(app, session, city, venue, role)
        assert client.post(path(space), data=asked).status_code in {403, 404}, role
    outsider: Person = make_person(session, city)
    client = app.test_client()
    sign_in(session, client, outsider)
    session.commit()
    assert client.post(path(space), data=asked).status_code in {403, 404}
    elsewhere = make_venue(session, make_city(session, slug="espoo"))
    other = make_space(session, elsewhere)
    session.commit()
    manager = owner_client(app, session, city, venue, "manager")
    assert manager.post(path(other), data=asked).status_code == 404
    assert session.scalars(select(Price.cancel_tiers)).all() == [[], []]
