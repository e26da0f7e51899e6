"""Putting stalls on a square, changing them, and taking them away."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.geo import shapes_to_metric
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space
from spaces.calendar.queries import booking_rules
from spaces.catalog.errors import NotYourOrganisation, NotYourVenue
from spaces.catalog.models import Space, SpaceUnit, Unit
from spaces.markets import actions
from spaces.markets.errors import MarketWrong, NoSquare, NumbersTaken, StallsOutside, StallsOverlap
from spaces.markets.models import Stall
from spaces.markets.queries import PlacedStall, square_of
from spaces.markets.rules import grid_shapes, rectangle, shifted
from tests.factories.cities import make_city
from tests.factories.listings import give, venue_facts
from tests.factories.markets import Square, make_square
from tests.factories.people import actor_of, make_person


@pytest.fixture
def square(session: Session, city: City) -> Square:
    return make_square(session, city)


def count(session: Session, model: type) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def audited(session: Session, action: str) -> list[AuditEntry]:
    return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def test_a_grid_makes_a_space_with_a_unit_of_its_own_for_each_stall(session: Session, square: Square) -> None:
    placed = square.add(equipment=("electricity",))
    assert [one.number for one in placed] == [f"A{n}" for n in range(1, 11)]
    assert {one.space.state for one in placed} == {"draft"}
    assert {one.space.kind for one in placed} == {"market_stall"}
    assert {tuple(one.space.equipment) for one in placed} == {("electricity",)}
    assert {one.space.area_m2 for one in placed} == {9.0}
    assert {(one.stall.width_m, one.stall.depth_m) for one in placed} == {(3.0, 3.0)}
    assert placed[0].space.names == {
        "fi": "Toripaikka A1",
        "sv": "Torgplats A1",
        "en": "Market stall A1",
    }
    covered = session.execute(select(SpaceUnit.space_id, SpaceUnit.unit_id)).all()
    assert {tuple(row) for row in covered} == {(one.id, one.unit.id) for one in placed}
    (added,) = audited(session, "stalls.added")
    assert added.details["after"]["numbers"] == [one.number for one in placed]
    assert len(audited(session, "space.created")) == 10


def test_grounds_are_kept_in_wgs84_to_the_millimetre(square: Square) -> None:
    asked = grid_shapes(square.grid(angle=17.0))
    placed = square.add(square.grid(angle=17.0))
    stored = shapes_to_metric([one.ground for one in placed], crs=square.city.metric_crs)
    for ground, wanted in zip(stored, asked, strict=True):
        assert ground.hausdorff_distance(wanted) < 0.001
    assert all(24 < one.ground.bounds[0] < 26 for one in placed)


def test_a_stall_outside_the_square_is_named_and_nothing_is_written(session: Session, square: Square) -> None:
    x, y = square.middle
    with pytest.raises(StallsOutside) as refused:
        square.add(square.grid(corner=(x + 15, y + 10)))
    assert refused.value.numbers == ["A5", "A10"]
    (error,) = refused.value.fields
    assert dict(error.values) == {"count": 2, "numbers": "A5, A10"}
    assert count(session, Stall) == count(session, Space) == count(session, Unit) == 0


def test_stalls_that_lie_on_others_are_named(square: Square) -> None:
    square.add(square.grid(rows=1, columns=2))
    x, y = square.middle
    with pytest.raises(StallsOverlap) as refused:
        square.add(square.grid(rows=1, columns=2, corner=(x - 13, y + 10)), prefix="B")
    assert refused.value.pairs == [("A1", "B1"), ("A2", "B1"), ("A2", "B2")]
    assert len(square.stalls()) == 2


def test_a_number_stands_once_on_a_square(square: Square) -> None:
    square.add(square.grid(rows=1, columns=2))
    x, y = square.middle
    with pytest.raises(NumbersTaken) as refused:
        square.add(square.grid(rows=1, columns=3, corner=(x - 15, y)))
    assert refused.value.numbers == ["A1", "A2"]


def test_all_that_is_wrong_is_told_at_once(square: Square) -> None:
    square.add(square.grid(rows=1, columns=1))
    x, y = square.middle
    with pytest.raises(MarketWrong) as refused:
        square.add(square.grid(rows=1, columns=9, corner=(x + 10, y)))
    assert {error.code for error in refused.value.fields} == {"stalls-outside", "stall-numbers-taken"}


def test_a_square_has_a_thousand_stalls_at_most(square: Square) -> None:
    grid = square.grid(rows=40, columns=26, width_m=0.5, depth_m=0.5, gap_m=0, aisle_m=0)
    with pytest.raises(MarketWrong) as refused:
        square.add(grid)
    assert refused.value.fields[0].code == "too-many-stalls"


def test_without_a_square_there_is_no_grid(session: Session, square: Square) -> None:
    square.venue.area = None
    session.flush()
    with pytest.raises(NoSquare):
        square.add()


def test_sending_a_grid_twice_makes_it_once(session: Session, square: Square) -> None:
    asked = actions.AskedStalls(tuple(grid_shapes(square.grid(rows=1))), ("1", "2", "3", "4", "5"))
    sent = [
        actions.add_stalls(
            session, square.city, square.venue, asked, actor=square.actor, submission="once_%", at=now()
        )
        for _ in range(2)
    ]
    assert [one.id for one in sent[0]] == [one.id for one in sent[1]]
    assert len(square.stalls()) == 5


@pytest.mark.parametrize("role", [None, "viewer", "handler", "crew"])
def test_only_those_who_run_the_place_draw_on_it(session: Session, square: Square, role: str | None) -> None:
    person = make_person(session, square.city)
    actor = give(session, square.venue, person, role) if role else actor_of(session, person)
    asked = actions.AskedStalls(tuple(grid_shapes(square.grid(rows=1))), ("1", "2", "3", "4", "5"))
    placed = square.add()
    calls = [
        lambda: actions.add_stalls(
            session, square.city, square.venue, asked, actor=actor, submission="s", at=now()
        ),
        lambda: actions.draw_square(
            session, square.city, square.venue, rectangle((0, 0), width=9, length=9, angle=0), actor=actor
        ),
        lambda: actions.change_stall(
            session, square.city, square.venue, placed[0], number="Z1", equipment=[], ground=None, actor=actor
        ),
        lambda: actions.change_stalls(
            session, square.city, square.venue, placed, facilities={"water": True}, actor=actor, at=now()
        ),
        lambda: actions.remove_stalls(session, square.venue, placed, actor=actor, at=now()),
    ]
    for call in calls:
        with pytest.raises(NotYourVenue):
            call()
    assert len(square.stalls()) == 10


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_a_manager_of_the_venue_alone_may(session: Session, square: Square, role: str) -> None:
    actor = give(session, square.venue, make_person(session, square.city), role)
    asked = actions.AskedStalls(tuple(grid_shapes(square.grid(rows=1))), ("1", "2", "3", "4", "5"))
    made = actions.add_stalls(
        session, square.city, square.venue, asked, actor=actor, submission="s", at=now()
    )
    assert len(made) == 5


def test_staff_of_another_city_may_not(session: Session, square: Square) -> None:
    other = make_city(session, slug="tampere")
    actor = actor_of(session, make_person(session, other, is_staff=True))
    with pytest.raises(NotYourVenue):
        actions.remove_stalls(session, square.venue, square.add(), actor=actor, at=now())


def test_a_square_is_made_for_an_organisation_that_one_manages(session: Session, square: Square) -> None:
    facts = {key: value for key, value in venue_facts().items() if key != "accessibility"}
    x, y = square.middle
    outline = rectangle((x, y), width=50, length=30, angle=12)
    made = [
        actions.make_market(
            session, square.city, square.organisation, facts, outline, actor=square.actor, submission="m"
        )
        for _ in range(2)
    ]
    assert made[0].id == made[1].id
    assert made[0].kind == "square"
    assert square_of(made[0]) is not None
    outsider = actor_of(session, make_person(session, square.city))
    with pytest.raises(NotYourOrganisation):
        actions.make_market(
            session, square.city, square.organisation, facts, outline, actor=outsider, submission="n"
        )


def test_a_square_keeps_its_stalls_inside(session: Session, square: Square) -> None:
    square.add()
    small = rectangle(square.middle, width=20, length=40, angle=0)
    with pytest.raises(StallsOutside) as refused:
        actions.draw_square(session, square.city, square.venue, small, actor=square.actor)
    assert refused.value.numbers == ["A1", "A2", "A6", "A7"]
    larger = rectangle(square.middle, width=90, length=60, angle=0)
    assert actions.draw_square(session, square.city, square.venue, larger, actor=square.actor)
    assert not actions.draw_square(session, square.city, square.venue, larger, actor=square.actor)
    assert audited(session, "venue.square-drawn")[-1].details["before"]["corners"] is not None


@pytest.mark.parametrize(("side", "code"), [(1.0, "too-small"), (1500.0, "too-large")])
def test_a_square_has_a_likely_size(session: Session, square: Square, side: float, code: str) -> None:
    outline = rectangle(square.middle, width=side, length=side, angle=0)
    with pytest.raises(MarketWrong) as refused:
        actions.draw_square(session, square.city, square.venue, outline, actor=square.actor)
    assert refused.value.fields[0].code == code


def test_a_square_lies_near_the_city(session: Session, square: Square) -> None:
    outline = rectangle((25_496_000, 1_000_000), width=30, length=30, angle=0)
    with pytest.raises(MarketWrong) as refused:
        actions.draw_square(session, square.city, square.venue, outline, actor=square.actor)
    assert refused.value.fields[0].code == "far"


def changed(square: Square, placed: PlacedStall, **changes: Any) -> list[str]:
    values: dict[str, Any] = {"number": placed.number, "equipment": [], "ground": None, **changes}
    return actions.change_stall(
        square.session, square.city, square.venue, placed, actor=square.actor, **values
    )


def test_a_new_number_changes_the_names_that_were_made_of_it(session: Session, square: Square) -> None:
    first, second = square.add()[:2]
    first.space.names = {"fi": "Kulmapaikka"}
    session.flush()
    changed(square, first, number="K1")
    changed(square, second, number="K2", equipment=["water"])
    assert first.space.names == {"fi": "Kulmapaikka"}
    assert second.space.names["en"] == "Market stall K2"
    assert second.unit.names["fi"] == "K2"
    assert second.space.equipment == ["water"]
    assert {entry.details["after"]["number"] for entry in audited(session, "stall.changed")} == {"K1", "K2"}


@pytest.mark.parametrize("number", ["A2", "", "a b", "<b>", "A123456789"])
def test_a_number_that_is_taken_or_odd_is_refused(square: Square, number: str) -> None:
    first = square.add()[0]
    with pytest.raises(MarketWrong):
        changed(square, first, number=number)
    assert first.number == "A1"


def test_a_stall_is_moved_within_the_square_and_not_onto_another(square: Square) -> None:
    first = square.add()[0]
    (ground,) = shapes_to_metric([first.ground], crs=square.city.metric_crs)
    with pytest.raises(StallsOverlap):
        changed(square, first, ground=shifted(ground, east=2, south=0, turn=0))
    with pytest.raises(StallsOutside):
        changed(square, first, ground=shifted(ground, east=-20, south=0, turn=0))
    moved = shifted(ground, east=0, south=-5, turn=30)
    assert "corners" in changed(square, first, ground=moved)
    (stored,) = shapes_to_metric([square.stalls()[0].ground], crs=square.city.metric_crs)
    assert stored.hausdorff_distance(moved) < 0.001


def test_many_stalls_get_facilities_and_keep_what_is_not_told(session: Session, square: Square) -> None:
    placed = square.add(equipment=("water",))
    done = actions.change_stalls(
        session, square.city, square.venue, placed[:3],
        facilities={"electricity": True}, actor=square.actor, at=now(),
    )  # fmt: skip
    assert done == 3
    assert [one.space.equipment for one in square.stalls()][2:4] == [["water", "electricity"], ["water"]]


def test_a_stall_without_bookings_is_deleted_and_its_number_is_free(session: Session, square: Square) -> None:
    placed = square.add()
    ids = [one.id for one in placed[:2]]
    gone = actions.remove_stalls(session, square.venue, placed[:2], actor=square.actor, at=now())
    assert gone == (2, 0)
    assert session.scalar(select(func.count()).where(Space.id.in_(ids))) == 0
    assert len(audited(session, "stall.removed")) == 2
    square.add(square.grid(rows=1, columns=2))
    assert len(square.stalls()) == 10


def test_a_stall_with_a_booking_is_archived_and_the_booking_stays(session: Session, square: Square) -> None:
    square.add_class()
    placed = square.add()
    square.open()
    start = now() + timedelta(days=3)
    rules = replace(booking_rules(placed[0].space), whole_days=False)
    claim_space(
        session, square.city, placed[0].id,
        holder_id=1, body=Span(start, start + timedelta(hours=8)), rules=rules,
    )  # fmt: skip
    assert actions.remove_stalls(session, square.venue, placed[:2], actor=square.actor, at=now()) == (1, 1)
    space = session.get_one(Space, (square.city.id, placed[0].id))
    assert space.state == "archived"
    assert [one.number for one in square.stalls()] == [f"A{n}" for n in range(3, 11)]
