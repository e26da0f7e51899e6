"""Prices follow the class, market days hold for all stalls at once, and a market goes on the list together."""

from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span, day_span
from spaces.calendar.actions import claim_space
from spaces.calendar.models import OpeningRule
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import DAY, midnight
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.listing_actions import approve_listing
from spaces.markets import actions, class_actions, season_actions
from spaces.markets.errors import ClassInUse, ClassNotFound, MarketWrong, NotReady
from spaces.markets.queries import free_counts, market_days
from spaces.pricing.errors import PriceListWrong
from spaces.pricing.queries import prices_on
from spaces.pricing.rules import Variation, quote
from tests.factories.listings import give, make_staff
from tests.factories.markets import Square, make_square
from tests.factories.people import make_person


@pytest.fixture
def square(session: Session, city: City) -> Square:
    return make_square(session, city)


def amounts(square: Square, day: object) -> set[tuple[str, int]]:
    ids = [one.id for one in square.stalls()]
    terms = prices_on(square.session, square.city, ids, day)  # type: ignore[arg-type]
    return {(one.number, terms[one.id].amount.minor) for one in square.stalls() if one.id in terms}


def test_new_stalls_cost_what_their_class_does_now_and_later(square: Square) -> None:
    class_ = square.add_class(amount_minor=3800)
    later = square.today + timedelta(days=30)
    square.price(class_, 4200, start=later)
    square.add(square.grid(rows=1, columns=2), class_=class_)
    assert amounts(square, square.today) == {("A1", 3800), ("A2", 3800)}
    assert amounts(square, later) == {("A1", 4200), ("A2", 4200)}


def test_a_new_price_of_a_class_is_that_of_its_stalls_alone_from_its_day_on(
    session: Session, square: Square
) -> None:
    a, b = square.add_class("A", 3800), square.add_class("B", 2400)
    x, y = square.middle
    square.add(square.grid(rows=1, columns=2), class_=a)
    square.add(square.grid(rows=1, columns=2, corner=(x, y)), prefix="B", class_=b)
    day = square.today + timedelta(days=7)
    assert square.price(a, 4000, start=day) == 2
    assert amounts(square, square.today) == {("A1", 3800), ("A2", 3800), ("B1", 2400), ("B2", 2400)}
    assert amounts(square, day) == {("A1", 4000), ("A2", 4000), ("B1", 2400), ("B2", 2400)}
    entry = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == "stall_class.price-changed")
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one()
    assert (entry.details["before"]["amount_minor"], entry.details["after"]["amount_minor"]) == (3800, 4000)
    changes = session.scalar(
        select(func.count()).where(AuditEntry.action == "price.changed", AuditEntry.subject_kind == "space")
    )
    assert changes == 6


def test_a_stall_that_moves_to_another_class_costs_what_that_does(session: Session, square: Square) -> None:
    a, b = square.add_class("A", 3800), square.add_class("B", 2400)
    day = square.today + timedelta(days=30)
    square.price(a, 9900, start=day)
    placed = square.add(square.grid(rows=1, columns=2), class_=a)
    done = actions.change_stalls(
        session, square.city, square.venue, placed[:1],
        class_id=b.id, facilities={}, actor=square.actor, at=now(),
    )  # fmt: skip
    assert done == 1
    assert amounts(square, square.today) == {("A1", 2400), ("A2", 3800)}
    assert amounts(square, day) == {("A1", 2400), ("A2", 9900)}


def test_groups_have_amounts_of_their_own(session: Session, square: Square) -> None:
    class_ = square.add_class(amount_minor=3800)
    (placed,) = square.add(square.grid(rows=1, columns=1), class_=class_)
    square.price(class_, 3800, rows=(Variation(1000, "association"),))
    terms = prices_on(session, square.city, [placed.id], square.today)[placed.id]
    span = day_span(square.today + DAY, square.city.zone)
    assert quote(terms, span, square.city.zone, group="association").total.minor == 1000
    assert quote(terms, span, square.city.zone, group="company").total.minor == 3800


def test_a_wrong_price_is_refused_and_no_stall_changes(square: Square) -> None:
    class_ = square.add_class(amount_minor=3800)
    square.add(square.grid(rows=1, columns=1), class_=class_)
    with pytest.raises(PriceListWrong):
        square.price(class_, 100, start=square.today - DAY)
    with pytest.raises(PriceListWrong):
        square.price(class_, 100_000_000)
    with pytest.raises(PriceListWrong):
        square.price(class_, 100, per="m2_day")
    assert amounts(square, square.today) == {("A1", 3800)}


def test_letters_stand_once_and_classes_in_use_stay(session: Session, square: Square) -> None:
    class_ = square.add_class("A")
    with pytest.raises(MarketWrong):
        square.add_class("A")
    with pytest.raises(MarketWrong):
        square.add_class("Ä")
    (placed,) = square.add(square.grid(rows=1, columns=1), class_=class_)
    with pytest.raises(ClassInUse):
        class_actions.remove_class(session, square.venue, class_, actor=square.actor)
    actions.remove_stalls(session, square.venue, [placed], actor=square.actor, at=now())
    class_actions.remove_class(session, square.venue, class_, actor=square.actor)
    assert class_actions.add_class(session, square.venue, code="A", names={}, actor=square.actor)


def test_a_class_of_another_square_is_unknown_here(session: Session, square: Square) -> None:
    other = make_square(session, square.city).add_class("A")
    with pytest.raises(ClassNotFound):
        square.add(class_=other)


@pytest.mark.parametrize("role", ["viewer", "handler", "crew"])
def test_only_those_who_run_the_place_price_open_and_publish(
    session: Session, square: Square, role: str
) -> None:
    class_ = square.add_class()
    placed = square.add(class_=class_)
    actor = give(session, square.venue, make_person(session, square.city), role)
    venue = square.venue
    with pytest.raises(NotYourVenue):
        class_actions.add_class(session, venue, code="B", names={}, actor=actor)
    with pytest.raises(NotYourVenue):
        class_actions.rename_class(session, venue, class_, {"en": "x"}, actor=actor)
    with pytest.raises(NotYourVenue):
        class_actions.remove_class(session, venue, class_, actor=actor)
    with pytest.raises(NotYourVenue):
        season_actions.set_season(session, square.city, venue, placed, square.season(), actor=actor, at=now())
    with pytest.raises(NotYourVenue):
        square.publish(actor=actor)
    with pytest.raises(NotYourVenue):
        season_actions.hide_stalls(session, venue, placed, actor=actor, at=now())


def test_a_season_of_saturdays_opens_every_stall_on_them(session: Session, square: Square) -> None:
    placed = square.add()
    done = square.open()
    season = square.season()
    assert (done.days, done.stalls, done.outside) == (len(season.market_days()), 10, 0)
    days = market_days(
        session, square.city, [one.id for one in placed],
        first=square.today, last=square.today + timedelta(days=90), count=100,
    )  # fmt: skip
    assert days == season.market_days()
    assert all(day.isoweekday() == 6 for day in days)
    window = Span(midnight(days[0], square.city.zone), midnight(days[0] + DAY, square.city.zone))
    calendars = calendars_of(session, square.city.id, [one.id for one in placed], window, square.city.zone)
    (opening,) = {tuple(calendar.open) for calendar in calendars.values()}
    local = [at.astimezone(square.city.zone).time() for at in (opening[0].start, opening[0].end)]
    assert local == [time(8), time(16)]
    assert {one.space.whole_days for one in square.stalls()} == {True}
    assert free_counts(session, square.city, [one.id for one in placed], days[:2]) == {
        days[0]: 10,
        days[1]: 10,
    }


def test_a_season_by_the_hour_sells_parts_of_the_day(square: Square) -> None:
    square.add()
    square.open(by_the_hour=True)
    spaces = [one.space for one in square.stalls()]
    told = {(space.whole_days, space.min_minutes, space.max_minutes) for space in spaces}
    assert told == {(False, 60, 480)}


def test_a_second_season_on_the_same_days_asks_whether_it_replaces(session: Session, square: Square) -> None:
    placed = square.add(square.grid(rows=1, columns=3))
    square.open()
    with pytest.raises(MarketWrong) as refused:
        square.open(days=frozenset({7}), last_day=square.today + timedelta(days=30))
    assert refused.value.fields[0].code == "season-overlaps"
    square.open(placed[:1], days=frozenset({7}), last_day=square.today + timedelta(days=30), replaces=True)
    rules = session.execute(select(OpeningRule.space_id, OpeningRule.days).order_by(OpeningRule.id)).all()
    assert {space_id: days for space_id, days in rules} == {
        placed[0].id: [7],
        placed[1].id: [6],
        placed[2].id: [6],
    }


def test_a_later_season_comes_beside_the_first(session: Session, square: Square) -> None:
    square.add(square.grid(rows=1, columns=1))
    square.open()
    square.open(
        first_day=square.today + timedelta(days=100),
        last_day=square.today + timedelta(days=150),
        days=frozenset({3}),
    )
    assert session.scalar(select(func.count()).select_from(OpeningRule)) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"last_day": -1}, "order"),
        ({"first_day": -20, "last_day": -10}, "past"),
        ({"last_day": 5000}, "too-long"),
        ({"days": frozenset()}, "missing"),
        ({"closes": time(7)}, "order"),
        ({"closes": time(8, 30)}, "order"),
    ],
)
def test_a_season_that_cannot_be_is_refused(square: Square, changes: dict[str, object], code: str) -> None:
    square.add(square.grid(rows=1, columns=1))
    told: dict[str, Any] = {
        name: square.today + timedelta(days=value) if isinstance(value, int) else value
        for name, value in changes.items()
    }
    with pytest.raises(MarketWrong) as refused:
        square.open(**told)
    assert refused.value.fields[0].code == code


def test_weekdays_that_never_come_are_refused(square: Square) -> None:
    square.add(square.grid(rows=1, columns=1))
    day = square.today + timedelta(days=10)
    other = day.isoweekday() % 7 + 1
    with pytest.raises(MarketWrong) as refused:
        square.open(first_day=day, last_day=day, days=frozenset({other}))
    assert refused.value.fields[0].code == "no-day"


def test_bookings_outside_the_new_days_are_counted_and_stay(session: Session, square: Square) -> None:
    placed = square.add(square.grid(rows=1, columns=2))
    square.open()
    day = square.season().market_days()[2]
    start = midnight(day, square.city.zone) + timedelta(hours=8)
    claim_space(
        session, square.city, placed[0].id,
        holder_id=7, body=Span(start, start + timedelta(hours=8)), rules=booking_rules(placed[0].space),
    )  # fmt: skip
    assert square.open(closes=time(18), replaces=True).outside == 0
    assert square.open(days=frozenset({7}), replaces=True).outside == 1


def test_new_stalls_take_part_in_the_season(session: Session, square: Square) -> None:
    square.add(square.grid(rows=1, columns=1))
    square.open(by_the_hour=True)
    x, y = square.middle
    added = square.add(square.grid(rows=1, columns=2, corner=(x, y)), prefix="B")
    opened = session.scalars(select(OpeningRule.space_id)).all()
    assert {one.id for one in added} <= set(opened)
    assert {one.space.whole_days for one in added} == {False}


def test_a_market_without_price_or_season_is_not_published(square: Square) -> None:
    class_ = square.add_class()
    placed = square.add(square.grid(rows=1, columns=3), class_=class_)
    with pytest.raises(NotReady) as refused:
        square.publish()
    assert refused.value.numbers == ["A1", "A2", "A3"]
    square.open(placed[:2])
    with pytest.raises(NotReady) as refused:
        square.publish()
    assert refused.value.numbers == ["A3"]
    assert {one.space.state for one in square.stalls()} == {"draft"}


def test_a_division_of_the_city_publishes_all_stalls_at_once(square: Square) -> None:
    square.add(class_=square.add_class())
    square.open()
    assert square.publish().count == 10
    assert {one.space.state for one in square.stalls()} == {"published"}
    assert square.publish().count == 0


def test_a_private_supplier_shows_one_stall_to_the_city_first(session: Session, city: City) -> None:
    square = make_square(session, city, kind="company")
    square.add(class_=square.add_class())
    square.open()
    done = square.publish()
    assert (done.count, done.waits) == (0, "A1")
    assert [one.space.state for one in square.stalls()] == ["submitted", *["draft"] * 9]
    assert square.publish().waits == "A1"
    assert [one.space.state for one in square.stalls()].count("submitted") == 1
    approve_listing(
        session, square.stalls()[0].space, square.venue, actor=make_staff(session, city), at=now()
    )
    assert square.publish().count == 9
    assert {one.space.state for one in square.stalls()} == {"published"}


def test_a_hidden_market_is_off_the_list(session: Session, square: Square) -> None:
    square.add(class_=square.add_class())
    square.open()
    square.publish()
    hidden = season_actions.hide_stalls(
        session, square.venue, square.stalls()[:4], actor=square.actor, at=now()
    )
    assert hidden == 4
    assert [one.space.state for one in square.stalls()].count("published") == 6
