"""Roles at one venue: who gives them, and what each lets a person do."""

import pytest
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.errors import Invalid
from spaces.catalog import policy
from spaces.catalog.desk_queries import people_at, runners_of
from spaces.catalog.errors import NotYourVenue, RoleGone, SpaceNotFound
from spaces.catalog.models import VENUE_ROLES
from spaces.catalog.queries import space_for, space_managed_by, venue_grants
from spaces.catalog.role_actions import give_role, take_role
from tests.factories.listings import give, make_staff, make_supplier
from tests.factories.people import actor_of, make_person

# role: manage, handle, read, view, give roles
MATRIX = {
    None: (False, False, False, False, False),
    "crew": (False, False, False, True, False),
    "viewer": (False, False, True, True, False),
    "handler": (False, True, True, True, False),
    "manager": (True, True, True, True, False),
    "owner": (True, True, True, True, True),
}


def rights(actor: Actor, venue: object) -> tuple[bool, ...]:
    checks = (policy.may_manage, policy.may_handle, policy.may_read, policy.may_view, policy.may_give_roles)
    return tuple(check(actor, venue) for check in checks)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", MATRIX)
def test_what_each_role_may(session: Session, city: City, role: str | None) -> None:
    supplier = make_supplier(session, city)
    elsewhere = make_supplier(session, city)
    person = make_person(session, city)
    actor = give(session, supplier.venue, person, role) if role else actor_of(session, person)
    assert rights(actor, supplier.venue) == MATRIX[role]
    assert rights(actor, elsewhere.venue) == MATRIX[None]
    abroad = Actor(city.id + 1, person_id=person.id, grants=actor.grants, is_staff=True)
    assert rights(abroad, supplier.venue) == MATRIX[None]
    if MATRIX[role][3]:
        assert space_for(session, supplier.space.id, actor=actor)[0].id == supplier.space.id
    else:
        with pytest.raises(SpaceNotFound):
            space_for(session, supplier.space.id, actor=actor)
    if not MATRIX[role][0]:
        with pytest.raises(SpaceNotFound):
            space_managed_by(session, actor, supplier.space.id)


def test_the_organisation_and_the_city_may_all(session: Session, city: City) -> None:
    supplier = make_supplier(session, city)
    assert set(MATRIX) == {None, *VENUE_ROLES}
    for actor in (supplier.actor, make_staff(session, city)):
        assert rights(actor, supplier.venue) == MATRIX["owner"]


def test_a_role_is_given_changed_and_taken(session: Session, city: City) -> None:
    supplier = make_supplier(session, city)
    person = make_person(session, city, name="Helmi Handler", email="helmi@example.org")
    for role in ("handler", "handler", "manager"):
        give_role(session, supplier.venue, email=" Helmi@Example.org ", role=role, actor=supplier.actor)
    assert venue_grants(session, city.id, person.id) == {("venue", supplier.venue.id): "manager"}
    assert {one.id for one in runners_of(session, supplier.venue)} == {supplier.person.id, person.id}
    ((row, _),) = people_at(session, supplier.venue)
    take_role(session, supplier.venue, row.id, actor=supplier.actor)
    assert venue_grants(session, city.id, person.id) == {}
    with pytest.raises(RoleGone):
        take_role(session, supplier.venue, row.id, actor=supplier.actor)


@pytest.mark.parametrize("role", ["manager", "handler", "viewer", "crew"])
def test_lesser_roles_give_none(session: Session, city: City, role: str) -> None:
    supplier = make_supplier(session, city)
    actor = give(session, supplier.venue, make_person(session, city), role)
    make_person(session, city, email="helmi@example.org")
    with pytest.raises(NotYourVenue):
        give_role(session, supplier.venue, email="helmi@example.org", role="owner", actor=actor)
    ((row, _),) = people_at(session, supplier.venue)
    with pytest.raises(NotYourVenue):
        take_role(session, supplier.venue, row.id, actor=actor)


def test_addresses_without_an_account_and_unknown_roles_are_refused(session: Session, city: City) -> None:
    supplier = make_supplier(session, city)
    make_person(session, city, email="new@example.org", email_verified_at=None)
    for email, role, field in (
        ("nobody@example.org", "handler", "email"),
        ("new@example.org", "handler", "email"),
        (supplier.person.email, "king", "role"),
    ):
        with pytest.raises(Invalid) as refused:
            give_role(session, supplier.venue, email=email, role=role, actor=supplier.actor)
        assert [error.field for error in refused.value.fields] == [field]
