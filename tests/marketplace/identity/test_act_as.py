"""Acting as oneself or as an organisation."""

import pytest
from sqlalchemy import select

from marketplace.accounts.models import AuditEntry, Membership
from marketplace.identity.models import SignedInSession
from tests.factories.people import join, make_organisation


@pytest.mark.parametrize(
    ("role", "status"), [("booker", 303), ("manager", 303), ("member", 403), (None, 403)]
)
def test_only_those_who_may_book_act_for_an_organisation(
    signed_in_client, session, city, person, role, status
):
    organisation = make_organisation(session, city)
    if role:
        join(session, person, organisation, role)
    session.commit()
    answer = signed_in_client.post("/en/act-as", data={"organisation": str(organisation.id)})
    assert answer.status_code == status
    kept = session.scalars(select(SignedInSession.acting_for)).one()
    assert kept == (organisation.id if status == 303 else None)


def test_the_choice_stays_until_it_is_taken_back(signed_in_client, session, city, person):
    organisation = make_organisation(session, city)
    join(session, person, organisation)
    session.commit()
    signed_in_client.post("/en/act-as", data={"organisation": str(organisation.id)})
    assert "acting for" in signed_in_client.get("/en/profile").text
    signed_in_client.post("/en/act-as", data={"organisation": ""})
    assert "acting for" not in signed_in_client.get("/en/profile").text
    assert session.scalars(select(AuditEntry.details).where(AuditEntry.action == "session.acts-as")).all()


def test_a_role_taken_back_ends_it_at_once(signed_in_client, session, city, person):
    organisation = make_organisation(session, city)
    join(session, person, organisation)
    session.commit()
    signed_in_client.post("/en/act-as", data={"organisation": str(organisation.id)})
    session.scalars(select(Membership)).one().role = "member"
    session.commit()
    assert "acting for" not in signed_in_client.get("/en/profile").text


@pytest.mark.parametrize("chosen", ["0", "-1", "x", "9" * 30, "１"])
def test_nonsense_is_refused(signed_in_client, chosen):
    assert signed_in_client.post("/en/act-as", data={"organisation": chosen}).status_code == 403


def test_it_leads_back_to_the_page_it_was_pressed_on(signed_in_client):
    for referrer, there in (
        ("http://localhost/en/organisations", "/en/organisations"),
        ("https://evil.example/", "/en/profile"),
    ):
        answer = signed_in_client.post("/en/act-as", data={"organisation": ""}, headers={"Referer": referrer})
        assert answer.location == there
