"""Parts of a place: added, renamed, given lanes, covered; and refused where somebody holds them later."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.errors import Invalid
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space, compile_spaces
from spaces.calendar.models import HOLDER_IDS, Claim, DaySheet
from spaces.calendar.queries import booking_rules
from spaces.calendar.unit_actions import UnitInUse, add_unit, change_unit, cover_units, remove_unit
from spaces.catalog.desk_queries import covered_units
from spaces.catalog.errors import LastUnit, NotYourVenue, UnitNotFound
from spaces.catalog.models import Space, Unit
from tests.factories.listings import Supplier, make_supplier
from tests.factories.spaces import make_space, make_unit, make_venue

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
LATER = Span(NOW + timedelta(days=7), NOW + timedelta(days=7, hours=2))
PAST = Span(NOW - timedelta(days=7), NOW - timedelta(days=6))


@pytest.fixture
def supplier(session: Session, city: City) -> Supplier:
    return make_supplier(session, city, kind="city_division", state="published")


def claim(session: Session, city: City, space: Space, body: Span = LATER) -> None:
    claim_space(
        session,
        city,
        space.id,
        holder_id=session.scalar(HOLDER_IDS.next_value()) or 0,
        body=body,
        rules=booking_rules(space),
    )


def own_unit(session: Session, supplier: Supplier) -> Unit:
    (unit_id,) = covered_units(session, supplier.venue)[supplier.space.id]
    return session.get_one(Unit, (supplier.venue.city_id, unit_id))


def lanes_to(session: Session, city: City, supplier: Supplier, unit: Unit, lanes: int) -> None:
    change_unit(
        session, city, supplier.venue, unit.id, names=unit.names, lanes=lanes, actor=supplier.actor, at=NOW
    )


def test_lanes_grow_and_shrink_where_nobody_is(session: Session, city: City, supplier: Supplier) -> None:
    unit = own_unit(session, supplier)
    lanes_to(session, city, supplier, unit, 3)
    for _ in range(3):
        claim(session, city, supplier.space)
    with pytest.raises(UnitInUse) as refused:
        lanes_to(session, city, supplier, unit, 2)
    assert [(held.lane, held.span) for held in refused.value.held] == [(2, LATER)]
    session.refresh(unit)
    assert unit.lanes == 3
    with pytest.raises(UnitInUse):
        lanes_to(session, city, supplier, unit, 1)
    lanes_to(session, city, supplier, unit, 4)


def test_what_is_past_does_not_stand_in_the_way(session: Session, city: City, supplier: Supplier) -> None:
    unit = own_unit(session, supplier)
    lanes_to(session, city, supplier, unit, 2)
    claim(session, city, supplier.space, PAST)
    claim(session, city, supplier.space, PAST)
    lanes_to(session, city, supplier, unit, 1)
    other = make_unit(session, supplier.venue)
    cover_units(
        session, city, supplier.space, supplier.venue, [unit.id, other.id], actor=supplier.actor, at=NOW
    )
    remove_unit(session, city, supplier.venue, unit.id, actor=supplier.actor, at=NOW)
    assert covered_units(session, supplier.venue)[supplier.space.id] == {other.id}
    assert session.scalar(select(func.count()).select_from(Claim)) == 0


def test_a_part_that_is_held_later_is_not_removed(session: Session, city: City, supplier: Supplier) -> None:
    unit = own_unit(session, supplier)
    with pytest.raises(LastUnit):
        remove_unit(session, city, supplier.venue, unit.id, actor=supplier.actor, at=NOW)
    claim(session, city, supplier.space)
    with pytest.raises(UnitInUse) as refused:
        remove_unit(session, city, supplier.venue, unit.id, actor=supplier.actor, at=NOW)
    assert refused.value.held[0].span == LATER


def test_the_whole_and_its_halves(session: Session, city: City, supplier: Supplier) -> None:
    """The whole hall covers both halves; a booking of a half blocks it, by the same constraint."""
    venue, space = supplier.venue, supplier.space
    half_a = own_unit(session, supplier)
    half_b = add_unit(session, venue, names={"fi": "B"}, lanes=1, submission="b", actor=supplier.actor)
    same = add_unit(session, venue, names={"fi": "B"}, lanes=1, submission="b", actor=supplier.actor)
    assert same.id == half_b.id
    whole = make_space(session, venue, units=[half_a])
    compile_spaces(session, city, [space.id, whole.id])
    assert cover_units(session, city, whole, venue, [half_a.id, half_b.id], actor=supplier.actor, at=NOW)
    assert not cover_units(session, city, whole, venue, [half_a.id, half_b.id], actor=supplier.actor, at=NOW)
    claim(session, city, space)
    third = make_unit(session, venue)
    with pytest.raises(UnitInUse):
        cover_units(
            session, city, whole, venue, [half_a.id, half_b.id, third.id], actor=supplier.actor, at=NOW
        )
    assert cover_units(session, city, whole, venue, [half_b.id], actor=supplier.actor, at=NOW)
    assert covered_units(session, venue)[whole.id] == {half_b.id}


def test_the_index_follows_the_parts(session: Session, city: City, supplier: Supplier) -> None:
    """The search may rule out only what is really taken."""
    venue, space = supplier.venue, supplier.space
    other = make_unit(session, venue)
    neighbour = make_space(session, venue, units=[other])
    compile_spaces(session, city, [space.id, neighbour.id], first=LATER.start.date())
    before = sheet(session, space)
    claim(session, city, neighbour)
    assert sheet(session, space) == before
    cover_units(
        session, city, space, venue, [own_unit(session, supplier).id, other.id], actor=supplier.actor, at=NOW
    )
    assert sheet(session, space) != before


def sheet(session: Session, space: Space) -> list[list[int]]:
    rows = session.execute(
        select(DaySheet.free).where(DaySheet.space_id == space.id).order_by(DaySheet.month)
    )
    return [list(free) for (free,) in rows]


def test_parts_of_other_places_and_nonsense_are_refused(
    session: Session, city: City, supplier: Supplier
) -> None:
    foreign = make_unit(session, make_venue(session, city))
    with pytest.raises(UnitNotFound):
        cover_units(session, city, supplier.space, supplier.venue, [foreign.id], actor=supplier.actor, at=NOW)
    with pytest.raises(LastUnit):
        cover_units(session, city, supplier.space, supplier.venue, [], actor=supplier.actor, at=NOW)
    with pytest.raises(UnitNotFound):
        lanes_to(session, city, supplier, foreign, 2)
    for names, lanes in (({"fi": "A"}, 0), ({"fi": "A"}, 10_001), ({}, 1)):
        with pytest.raises(Invalid):
            add_unit(session, supplier.venue, names=names, lanes=lanes, submission="x", actor=supplier.actor)
    stranger = make_supplier(session, city)
    with pytest.raises(NotYourVenue):
        add_unit(session, supplier.venue, names={"fi": "A"}, lanes=1, submission="x", actor=stranger.actor)
