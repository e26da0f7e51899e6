"""Organisations: adding one, roles, leaving; what a stranger, a member, a booker and a manager may do."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.accounts import actions
from marketplace.accounts.errors import LastManager, NotVerified
from marketplace.accounts.models import AuditEntry, Membership, Organisation
from marketplace.accounts.rules import leaves_no_manager
from marketplace.clock import now
from marketplace.errors import Forbidden
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in

FORM = {"kind": "association", "name": "Kallion Juniorit ry", "business_id": ""}


def add(client, **changes):
    return client.post("/en/organisations/new", data=FORM | changes)


def test_the_one_who_adds_an_organisation_manages_it(signed_in_client, session, person):
    answer = add(signed_in_client, business_id="201256-6")
    organisation = session.scalars(select(Organisation)).one()
    assert answer.location == f"/en/organisations/{organisation.id}"
    assert organisation.business_id == "0201256-6"
    membership = session.scalars(select(Membership)).one()
    assert (membership.person_id, membership.role) == (person.id, "manager")
    assert "Kallion Juniorit ry" in signed_in_client.get("/en/organisations").text


def test_a_second_press_adds_nothing(signed_in_client, session):
    assert add(signed_in_client).location == add(signed_in_client).location
    assert session.scalar(select(func.count()).select_from(Organisation)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"kind": "company"}, "business_id"),
        ({"kind": "company", "business_id": "0201256-7"}, "business_id"),
        ({"kind": "guild"}, "kind"),
        ({"kind": "city_division", "business_id": "0201256-6"}, "kind"),
        ({"kind": "public_body", "business_id": "0313471-7"}, "kind"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_mistakes_stand_at_their_field(signed_in_client, session, changes, field):
    answer = add(signed_in_client, **changes)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert session.scalar(select(Organisation)) is None


def test_a_business_id_belongs_to_one_association(signed_in_client, app, session, city):
    add(signed_in_client, business_id="0201256-6")
    other = app.test_client()
    sign_in(session, other, make_person(session, city))
    session.commit()
    answer = add(other, name="Someone else", business_id="0201256-6")
    assert answer.status_code == 422
    assert "already here" in answer.text


def test_divisions_share_the_citys_id_and_only_staff_add_them(session, city):
    staff = actor_of(session, make_person(session, city, is_staff=True))
    for name in ("Nuorisopalvelut", "Liikuntapalvelut"):
        actions.create_organisation(
            session, actor=staff, kind="city_division", name=name, business_id="0201256-6", at=now()
        )
    resident = actor_of(session, make_person(session, city))
    with pytest.raises(Forbidden):
        actions.create_organisation(
            session, actor=resident, kind="city_division", name="Mine", business_id="0201256-6", at=now()
        )


def test_an_unconfirmed_address_adds_nothing(session, city, app):
    person = make_person(session, city, email_verified_at=None)
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    assert "Confirm your e-mail address" in client.get("/en/organisations/new").text
    assert add(client).status_code == 403
    with pytest.raises(NotVerified):
        actions.create_organisation(
            session, actor=actor_of(session, person), kind="association", name="x", business_id="", at=now()
        )


@pytest.fixture
def crew(app, session, city):
    """An organisation with one person in each role, their browsers, and a stranger's."""
    organisation = make_organisation(session, city)
    people, browsers = {}, {}
    for role in ("manager", "booker", "member", "stranger"):
        people[role] = make_person(session, city, name=role.title())
        if role != "stranger":
            join(session, people[role], organisation, role)
        browsers[role] = app.test_client()
        sign_in(session, browsers[role], people[role])
    session.commit()
    return organisation, people, browsers


def role_of(session, organisation, person):
    return session.scalar(
        select(Membership.role).where(
            Membership.organisation_id == organisation.id, Membership.person_id == person.id
        )
    )


def test_who_sees_what(crew):
    organisation, people, browsers = crew
    path = f"/en/organisations/{organisation.id}"
    assert browsers["stranger"].get(path).status_code == 404
    for role in ("member", "booker"):
        page = browsers[role].get(path)
        assert page.status_code == 200
        assert people["manager"].email not in page.text
    page = browsers["manager"].get(path).text
    assert all(people[role].email in page for role in ("manager", "booker", "member"))


@pytest.mark.parametrize(
    ("who", "status"), [("stranger", 404), ("member", 403), ("booker", 403), ("manager", 303)]
)
def test_only_managers_change_who_belongs(crew, session, who, status):
    organisation, people, browsers = crew
    path = f"/en/organisations/{organisation.id}"
    member = f"{path}/members/{people['member'].id}"
    assert browsers[who].post(f"{member}/role", data={"role": "booker"}).status_code == status
    assert role_of(session, organisation, people["member"]) == ("booker" if status == 303 else "member")
    invitation = browsers[who].post(
        f"{path}/invitations", data={"email": "new@example.org", "role": "member"}
    )
    assert invitation.status_code == status
    assert browsers[who].post(f"{path}/members/{people['booker'].id}/removal").status_code in (
        {303} if who == "booker" else {status}
    )
    if who != "booker":
        assert role_of(session, organisation, people["booker"]) == (None if status == 303 else "booker")


def test_a_role_that_does_not_exist_changes_nothing(crew, session):
    organisation, people, browsers = crew
    path = f"/en/organisations/{organisation.id}/members/{people['member'].id}/role"
    assert browsers["manager"].post(path, data={"role": "king"}).status_code == 404


def test_removing_someone_twice_is_said_kindly(crew):
    organisation, people, browsers = crew
    path = f"/en/organisations/{organisation.id}/members/{people['member'].id}/removal"
    browsers["manager"].post(path)
    browsers["manager"].post(path)
    assert "no longer a member" in browsers["manager"].get(f"/en/organisations/{organisation.id}").text


def test_members_leave_by_themselves(crew, session):
    organisation, people, browsers = crew
    path = f"/en/organisations/{organisation.id}/departure"
    assert browsers["booker"].post(path).location == "/en/organisations"
    assert browsers["booker"].post(path).location == "/en/organisations"
    assert role_of(session, organisation, people["booker"]) is None
    assert "member.left" in set(session.scalars(select(AuditEntry.action)))


def test_the_last_manager_stays(crew, session):
    organisation, people, browsers = crew
    path = f"/en/organisations/{organisation.id}"
    manager = people["manager"]
    browsers["manager"].post(f"{path}/departure")
    browsers["manager"].post(f"{path}/members/{manager.id}/role", data={"role": "member"})
    browsers["manager"].post(f"{path}/members/{manager.id}/removal")
    assert role_of(session, organisation, manager) == "manager"
    assert "needs a manager" in browsers["manager"].get(path).text
    browsers["manager"].post(f"{path}/members/{people['booker'].id}/role", data={"role": "manager"})
    browsers["manager"].post(f"{path}/departure")
    assert role_of(session, organisation, manager) is None


@pytest.mark.parametrize(
    ("roles", "person", "new", "expected"),
    [
        ({1: "manager"}, 1, None, True),
        ({1: "manager"}, 1, "booker", True),
        ({1: "manager"}, 1, "manager", False),
        ({1: "manager", 2: "manager"}, 1, None, False),
        ({1: "manager", 2: "booker"}, 2, None, False),
    ],
)
def test_when_nobody_is_left_to_manage(roles, person, new, expected):
    assert leaves_no_manager(roles, person, new) is expected


def test_two_managers_who_leave_at_once_do_not_both_succeed(committing):
    with db.transaction() as session:
        city = make_city(session)
        organisation = make_organisation(session, city)
        people = [make_person(session, city) for _ in range(2)]
        for person in people:
            join(session, person, organisation, "manager")
        actors = [actor_of(session, person) for person in people]

    def leave(actor):
        try:
            with Session(committing, expire_on_commit=False) as session, session.begin():
                actions.remove_member(session, organisation.id, actor.person_id, actor=actor)
        except LastManager:
            return "refused"
        return "left"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, actors)) == ["left", "refused"]
