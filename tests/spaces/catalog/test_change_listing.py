"""New places and spaces, their facts, changes of many at once, copies, and the trail of it all."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.errors import Forbidden, Invalid
from spaces.calendar.models import OpeningRule
from spaces.catalog.copies import marked_tables
from spaces.catalog.desk_queries import changes_of, covered_units
from spaces.catalog.errors import NotAllCanMove, NotYourOrganisation, NotYourVenue
from spaces.catalog.listing_actions import (
    change_space,
    change_spaces,
    change_venue,
    copy_space,
    create_listing,
)
from spaces.catalog.models import Space, Unit, Venue
from spaces.pricing.models import Price
from tests.factories.districts import make_district
from tests.factories.listings import give, make_supplier, space_facts, venue_facts
from tests.factories.people import make_person
from tests.factories.spaces import make_space, make_venue

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def create(session: Session, city: City, supplier: Any, **changes: Any) -> Space:
    values: dict[str, Any] = {
        "actor": supplier.actor,
        "owner": supplier.organisation,
        "venue": None,
        "venue_facts": venue_facts(),
        "facts": space_facts(),
        "submission": "one",
        **changes,
    }
    return create_listing(session, city, **values)


def test_a_new_place_is_a_draft_in_its_district(session: Session, city: City) -> None:
    district = make_district(session, city, at=(24.958, 60.187))
    supplier = make_supplier(session, city)
    space = create(session, city, supplier)
    venue = session.get_one(Venue, (city.id, space.venue_id))
    assert space.state == "draft"
    assert (venue.district_id, venue.owner_id, venue.source) == (
        district.id,
        supplier.organisation.id,
        "desk",
    )
    assert venue.position is not None
    assert len(covered_units(session, venue)[space.id]) == 1
    again = create(session, city, supplier, facts=space_facts(names={"fi": "Toinen"}))
    assert again.id == space.id


def test_an_address_that_is_known_gives_the_point(session: Session, city: City) -> None:
    supplier = make_supplier(session, city)
    known = make_venue(session, city, streets={"fi": "Vaasankatu 5"}, at=(24.96, 60.19))
    space = create(session, city, supplier, venue_facts=venue_facts(lat=None, lon=None))
    venue = session.get_one(Venue, (city.id, space.venue_id))
    assert (venue.lon, venue.lat) == (known.lon, known.lat)


@pytest.mark.parametrize(
    ("place", "facts", "field"),
    [
        ({"names": {}}, {}, "venue_names_fi"),
        ({"lat": None, "lon": None, "streets": {"fi": "Olematon 1"}}, {}, "lat"),
        ({"lat": 24.9, "lon": 60.2}, {}, "lat"),
        ({}, {"names": {"fi": ""}}, "names_fi"),
        ({}, {"min_minutes": 120, "max_minutes": 60}, "max_minutes"),
        ({}, {"min_minutes": 61, "max_minutes": 120}, "min_minutes"),
    ],
)
def test_wrong_facts_are_refused_at_their_field(
    session: Session, city: City, place: dict[str, Any], facts: dict[str, Any], field: str
) -> None:
    supplier = make_supplier(session, city)
    before = session.scalar(select(func.count()).select_from(Space))
    with pytest.raises(Invalid) as refused:
        create(session, city, supplier, venue_facts=venue_facts(**place), facts=space_facts(**facts))
    assert [error.field for error in refused.value.fields] == [field]
    assert session.scalar(select(func.count()).select_from(Space)) == before


def test_strangers_list_nothing(session: Session, city: City) -> None:
    supplier, other = make_supplier(session, city), make_supplier(session, city)
    with pytest.raises(NotYourOrganisation):
        create(session, city, supplier, actor=other.actor)
    with pytest.raises(NotYourVenue):
        create(session, city, supplier, actor=other.actor, venue=supplier.venue)
    unverified = make_person(session, city, email_verified_at=None)
    with pytest.raises(Forbidden):
        create(session, city, supplier, actor=Actor(city.id, person_id=unverified.id))
    manager = give(session, supplier.venue, make_person(session, city), "manager")
    space = create(session, city, supplier, actor=manager, venue=supplier.venue)
    assert space.venue_id == supplier.venue.id


def test_changes_are_in_the_trail_with_before_and_after(session: Session, city: City) -> None:
    supplier = make_supplier(session, city, capacity=40)
    changed = change_space(
        session, supplier.space, supplier.venue, {"capacity": 12, "kind": "sauna"}, actor=supplier.actor
    )
    assert sorted(changed) == ["capacity", "kind"]
    assert change_space(session, supplier.space, supplier.venue, {"capacity": 12}, actor=supplier.actor) == []
    facts = venue_facts(names={"fi": "Uusi nimi"}, lat=60.19)
    change_venue(session, city, supplier.venue, facts, actor=supplier.actor)
    last, first = changes_of(session, supplier.space)
    assert first.details == {
        "before": {"capacity": 40, "kind": "meeting_room"},
        "after": {"capacity": 12, "kind": "sauna"},
    }
    assert first.who == "Mikko Laine"
    assert last.action == "venue.changed"
    assert last.details["after"]["names"] == {"fi": "Uusi nimi"}
    assert "position" not in last.details["after"]


def test_a_change_of_many_is_all_or_nothing(session: Session, city: City) -> None:
    supplier = make_supplier(session, city, kind="city_division", state="published")
    draft = make_space(session, supplier.venue, state="draft", names={"en": "Loft"})
    archived = make_space(session, supplier.venue, state="archived", names={"en": "Attic"})
    session.commit()
    pairs = [(space, supplier.venue) for space in (archived, draft, supplier.space)]
    facts = {"approval": "handler", "notice_minutes": 1440}
    with pytest.raises(NotAllCanMove) as refused, session.begin_nested():
        change_spaces(session, pairs, facts, state="published", actor=supplier.actor, at=NOW)
    assert refused.value.names == [{"en": "Attic"}]
    session.expire_all()
    assert {space.approval for space, _ in pairs} == {"instant"}
    assert draft.state == "draft"
    assert change_spaces(session, pairs[1:], facts, state="published", actor=supplier.actor, at=NOW) == 2
    assert {(s.state, s.approval, s.notice_minutes) for s, _ in pairs[1:]} == {("published", "handler", 1440)}
    assert change_spaces(session, pairs[1:], facts, state="published", actor=supplier.actor, at=NOW) == 0


def test_a_change_of_many_stops_at_a_stranger(session: Session, city: City) -> None:
    supplier, other = make_supplier(session, city), make_supplier(session, city)
    pairs = [(supplier.space, supplier.venue), (other.space, other.venue)]
    with pytest.raises(NotYourVenue):
        change_spaces(session, pairs, {"approval": "handler"}, state=None, actor=supplier.actor, at=NOW)


def test_a_copy_takes_hours_and_prices_along(session: Session, city: City) -> None:
    supplier = make_supplier(
        session, city, state="published", hours=(time(9), time(17)), price=("day", 5000), capacity=7
    )
    copy = copy_space(session, supplier.space, supplier.venue, actor=supplier.actor, submission="copy")
    assert (copy.state, copy.capacity, copy.approved_at) == ("draft", 7, None)
    assert copy.names == {"fi": "Iso sali (kopio)", "sv": "Stora salen (kopia)", "en": "Big hall (copy)"}
    rule = session.scalars(select(OpeningRule).where(OpeningRule.space_id == copy.id)).one()
    assert (rule.opens, rule.closes) == (time(9), time(17))
    price = session.scalars(select(Price).where(Price.space_id == copy.id)).one()
    assert (price.per, price.amount_minor, price.valid_from) == ("day", 5000, date(2020, 1, 1))
    covered = covered_units(session, supplier.venue)
    assert not covered[copy.id] & covered[supplier.space.id]
    again = copy_space(session, supplier.space, supplier.venue, actor=supplier.actor, submission="copy")
    assert again.id == copy.id
    assert session.scalar(select(func.count()).select_from(Unit)) == 2
    stranger = make_supplier(session, city)
    with pytest.raises(NotYourVenue):
        copy_space(session, supplier.space, supplier.venue, actor=stranger.actor, submission="other")


def test_every_table_of_rules_and_prices_is_copied() -> None:
    names = {table.name for table in marked_tables()}
    assert {"opening_rule", "opening_exception", "price"} <= names
    assert not names & {"claim", "closure", "opening_month", "day_sheet", "booking"}


def test_nothing_is_written_for_a_refused_copy(session: Session, city: City) -> None:
    supplier = make_supplier(session, city)
    with pytest.raises(NotYourVenue):
        copy_space(session, supplier.space, supplier.venue, actor=Actor(city.id), submission="x")
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == 0
