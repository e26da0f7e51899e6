"""Inviting people, known or not, and their answers."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from marketplace.accounts.models import Invitation, Membership
from marketplace.accounts.queries import roles_of
from marketplace.clock import now
from marketplace.notifications.models import Mail
from tests.factories.people import join, make_organisation, make_person, sign_in


@pytest.fixture
def organisation(session, city, person):
    organisation = make_organisation(session, city)
    join(session, person, organisation, "manager")
    session.commit()
    return organisation


@pytest.fixture
def invite(signed_in_client, organisation):
    def send(email, role="booker", submission="one"):
        return signed_in_client.post(
            f"/en/organisations/{organisation.id}/invitations",
            data={"email": email, "role": role, "submission": submission},
        )

    return send


@pytest.fixture
def guest(app, session, city):
    """A signed-in person to be invited, with a browser."""

    def make(**fields):
        person = make_person(session, city, name="Mira Laine", **fields)
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        return person, client

    return make


def invitation_id(session):
    return session.scalars(select(Invitation.id)).one()


def test_a_known_person_is_invited_and_accepts(invite, guest, session, city, organisation, run_jobs):
    person, client = guest(language="sv")
    assert invite(person.email).status_code == 303
    run_jobs()
    mail = session.scalars(select(Mail)).one()
    assert (mail.to_address, mail.language, mail.person_id) == (person.email, "sv", person.id)
    page = client.get("/en/organisations").text
    assert organisation.name in page
    path = f"/en/invitations/{invitation_id(session)}/acceptance"
    assert path in page
    assert client.post(path).status_code == 303
    assert roles_of(session, city.id, person.id) == {organisation.id: "booker"}
    client.post(path)
    assert "no longer open" in client.get("/en/organisations").text


def test_an_unknown_address_is_invited_in_the_inviters_language(invite, session, run_jobs):
    invite("new@example.org")
    run_jobs()
    mail = session.scalars(select(Mail)).one()
    assert (mail.to_address, mail.language, mail.person_id) == ("new@example.org", "fi", None)


def test_the_invitation_waits_for_whoever_proves_the_address(invite, guest, session):
    invite("New@Example.org")
    _, client = guest(email="new@example.org")
    assert client.post(f"/en/invitations/{invitation_id(session)}/acceptance").status_code == 303
    assert session.scalar(select(func.count()).select_from(Membership)) == 2


def test_an_unproved_address_accepts_nothing(invite, guest, session):
    invite("new@example.org")
    _, client = guest(email="new@example.org", email_verified_at=None)
    number = invitation_id(session)
    assert f"/invitations/{number}/" not in client.get("/en/organisations").text
    assert client.post(f"/en/invitations/{number}/acceptance").status_code == 403


def test_nobody_answers_anothers_invitation(invite, guest, session):
    invite("new@example.org")
    _, client = guest()
    for answer in ("acceptance", "refusal"):
        client.post(f"/en/invitations/{invitation_id(session)}/{answer}")
        assert "no longer open" in client.get("/en/organisations").text
    assert session.scalar(select(func.count()).select_from(Membership)) == 1


def test_declined_taken_back_and_old_invitations_are_gone(
    invite, guest, session, signed_in_client, organisation
):
    person, client = guest()
    invite(person.email, submission="one")
    client.post(f"/en/invitations/{invitation_id(session)}/refusal")
    assert session.scalar(select(Invitation)) is None
    invite(person.email, submission="two")
    number = invitation_id(session)
    signed_in_client.post(f"/en/organisations/{organisation.id}/invitations/{number}/withdrawal")
    client.post(f"/en/invitations/{number}/acceptance")
    invite(person.email, submission="three")
    session.scalars(select(Invitation)).one().expires_at = now() - timedelta(seconds=1)
    session.commit()
    client.post(f"/en/invitations/{invitation_id(session)}/acceptance")
    assert session.scalar(select(func.count()).select_from(Membership)) == 1


def test_a_second_press_is_one_invitation_and_one_mail(invite, session, run_jobs):
    invite("new@example.org")
    invite("new@example.org", role="manager")
    run_jobs()
    assert session.scalars(select(Invitation.role)).all() == ["manager"]
    assert session.scalar(select(func.count()).select_from(Mail)) == 1


def test_members_and_bad_addresses_are_answered_at_the_field(invite, person):
    for email in (person.email, "nonsense", ""):
        answer = invite(email)
        assert answer.status_code == 422
        assert 'href="#email"' in answer.text
