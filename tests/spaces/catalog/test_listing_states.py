"""Every pair of states of a listing, for its owner and for the city; what the clock does; who publishes at once."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.errors import Conflict, Forbidden, Invalid
from spaces.catalog import rules
from spaces.catalog.errors import (
    ListingStateMoved,
    NeedsApproval,
    NotYourVenue,
    OnlyStaffApprove,
    WithoutUnit,
)
from spaces.catalog.listing_actions import (
    approve_listing,
    move_due_listings,
    move_listing,
    return_listing,
    schedule_listing,
)
from spaces.catalog.models import Space, SpaceUnit
from tests.factories.listings import give, make_staff, make_supplier
from tests.factories.people import make_person
from tests.factories.spaces import make_space

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Written out once more, so that a slip in the table does not agree with itself.
ALLOWED = {
    ("draft", "submitted"),
    ("draft", "published"),
    ("draft", "archived"),
    ("submitted", "draft"),
    ("submitted", "published"),
    ("submitted", "archived"),
    ("published", "hidden"),
    ("published", "archived"),
    ("hidden", "published"),
    ("hidden", "archived"),
    ("archived", "draft"),
}


def test_the_table_knows_every_state() -> None:
    assert set(rules.TRANSITIONS) == set(rules.STATES)
    assert {(a, b) for a, b in product(rules.STATES, rules.STATES) if rules.may_follow(a, b)} == ALLOWED
    assert set(rules.MOVES) == ALLOWED


@pytest.mark.parametrize("who", ["division", "company", "known company", "staff"])
def test_every_pair_of_states(session: Session, city: City, who: str) -> None:
    supplier = make_supplier(session, city, kind="city_division" if who == "division" else "company")
    if who == "known company":
        make_space(session, supplier.venue, state="published")
    space, venue = supplier.space, supplier.venue
    actor = make_staff(session, city) if who == "staff" else supplier.actor
    for before, after in product(rules.STATES, rules.STATES):
        savepoint = session.begin_nested()
        session.execute(update(Space).where(Space.id == space.id).values(state=before))
        session.refresh(space)
        at_once = who != "company" or before == "published"
        refused = (before, after) not in ALLOWED or (
            after == "published" and (not at_once or (before == "submitted" and who != "staff"))
        )
        if refused:
            with pytest.raises((Conflict, Forbidden)):
                move_listing(session, space, venue, after, actor=actor, at=NOW)
            session.refresh(space)
            assert space.state == before
        else:
            move_listing(session, space, venue, after, actor=actor, at=NOW)
            assert space.state == after
            entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
            assert (entry.details["before"], entry.details["after"]) == ({"state": before}, {"state": after})
            assert (space.submitted_at is not None) == (after == "submitted")
        savepoint.rollback()
        session.expire_all()


def test_a_first_listing_waits_for_the_city_and_the_next_does_not(session: Session, city: City) -> None:
    supplier, staff = make_supplier(session, city), make_staff(session, city)
    space, venue = supplier.space, supplier.venue
    with pytest.raises(NeedsApproval):
        move_listing(session, space, venue, "published", actor=supplier.actor, at=NOW)
    move_listing(session, space, venue, "submitted", actor=supplier.actor, at=NOW)
    with pytest.raises(OnlyStaffApprove):
        approve_listing(session, space, venue, actor=supplier.actor, at=NOW)
    approve_listing(session, space, venue, actor=staff, at=NOW)
    assert (space.state, space.approved_at) == ("published", NOW)
    move_listing(session, space, venue, "hidden", actor=supplier.actor, at=NOW)
    second = make_space(session, venue, state="draft")
    move_listing(session, second, venue, "published", actor=supplier.actor, at=NOW)
    assert second.state == "published"


def test_two_answers_of_the_city_are_one(session: Session, city: City) -> None:
    supplier, staff = make_supplier(session, city, state="submitted"), make_staff(session, city)
    return_listing(session, supplier.space, supplier.venue, reason="Kuvaus puuttuu.", actor=staff, at=NOW)
    assert supplier.space.state == "draft"
    with pytest.raises(ListingStateMoved):
        approve_listing(session, supplier.space, supplier.venue, actor=staff, at=NOW)
    with pytest.raises(Invalid):
        return_listing(session, supplier.space, supplier.venue, reason="  ", actor=staff, at=NOW)


def test_a_space_that_covers_nothing_is_not_published(session: Session, city: City) -> None:
    supplier = make_supplier(session, city, kind="public_body")
    session.execute(SpaceUnit.__table__.delete())  # type: ignore[attr-defined]
    with pytest.raises(WithoutUnit):
        move_listing(session, supplier.space, supplier.venue, "published", actor=supplier.actor, at=NOW)


@pytest.mark.parametrize("role", [None, "handler", "viewer", "crew"])
def test_only_those_who_run_the_place_move_it(session: Session, city: City, role: str | None) -> None:
    supplier = make_supplier(session, city, kind="city_division")
    stranger = make_person(session, city)
    actor = give(session, supplier.venue, stranger, role) if role else Actor(city.id, person_id=stranger.id)
    with pytest.raises(NotYourVenue):
        move_listing(session, supplier.space, supplier.venue, "published", actor=actor, at=NOW)
    for other in (Actor(city.id), Actor(city.id + 1, person_id=1, is_staff=True)):
        with pytest.raises(NotYourVenue):
            move_listing(session, supplier.space, supplier.venue, "published", actor=other, at=NOW)


def test_the_clock_publishes_and_hides(session: Session, city: City) -> None:
    supplier = make_supplier(session, city, kind="city_division")
    space = supplier.space
    schedule_listing(
        session,
        space,
        supplier.venue,
        publish_at=NOW + HOUR,
        hide_at=NOW + 2 * HOUR,
        actor=supplier.actor,
        at=NOW,
    )
    assert move_due_listings(session, city.id, at=NOW) == 0
    assert move_due_listings(session, city.id, at=NOW + HOUR) == 1
    assert (space.state, space.publish_at, space.hide_at) == ("published", None, NOW + 2 * HOUR)
    assert move_due_listings(session, city.id, at=NOW + HOUR) == 0
    assert move_due_listings(session, city.id, at=NOW + 3 * HOUR) == 1
    assert (space.state, space.hide_at) == ("hidden", None)
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert list(actions) == ["space.scheduled", "space.published", "space.hidden"]


def test_the_clock_does_not_publish_what_its_owner_may_not(session: Session, city: City) -> None:
    supplier = make_supplier(session, city)
    with pytest.raises(NeedsApproval):
        schedule_listing(
            session,
            supplier.space,
            supplier.venue,
            publish_at=NOW + HOUR,
            hide_at=None,
            actor=supplier.actor,
            at=NOW,
        )
    supplier.space.publish_at = NOW
    session.flush()
    assert move_due_listings(session, city.id, at=NOW) == 1
    kept = session.execute(select(Space.state, Space.publish_at).where(Space.id == supplier.space.id)).one()
    assert tuple(kept) == ("draft", None)
    assert session.scalars(select(AuditEntry.action)).all() == ["space.not-published"]


@pytest.mark.parametrize(
    ("publish_at", "hide_at", "fields"),
    [
        (NOW - HOUR, None, {"publish_on"}),
        (None, NOW, {"hide_on"}),
        (NOW + 2 * HOUR, NOW + HOUR, {"hide_on"}),
        (NOW + HOUR, NOW + HOUR, {"hide_on"}),
    ],
)
def test_moments_out_of_order_are_refused(
    session: Session, city: City, publish_at: datetime | None, hide_at: datetime | None, fields: set[str]
) -> None:
    supplier = make_supplier(session, city, kind="city_division")
    with pytest.raises(Invalid) as refused:
        schedule_listing(
            session,
            supplier.space,
            supplier.venue,
            publish_at=publish_at,
            hide_at=hide_at,
            actor=supplier.actor,
            at=NOW,
        )
    assert {error.field for error in refused.value.fields} == fields
    assert (supplier.space.publish_at, supplier.space.hide_at) == (None, None)


moments = st.none() | st.integers(-5, 5).map(lambda n: NOW + n * HOUR)


@given(st.sampled_from(rules.STATES), moments, moments)
def test_the_clock_moves_only_along_the_table(
    state: str, publish_at: datetime | None, hide_at: datetime | None
) -> None:
    states = rules.due_states(state, publish_at, hide_at, at=NOW)
    for before, after in zip([state, *states], states, strict=False):
        assert rules.may_follow(before, after)
    if states:
        assert states[-1] == "hidden" or publish_at is not None
    if hide_at is not None and hide_at <= NOW:
        assert "published" not in [state, *states][-1:]
