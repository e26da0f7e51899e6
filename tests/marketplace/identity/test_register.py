"""Opening an account."""

from sqlalchemy import select

from marketplace.accounts.models import AuditEntry, Person
from marketplace.identity import passwords
from marketplace.identity.actions import register_demo_person
from tests.marketplace.identity.conftest import PASSWORD, is_signed_in, sign_in_at

FORM = {"name": "Ville Virtanen", "email": "Ville@Example.org", "password": PASSWORD, "submission": "one"}


def register(client, **changes):
    return client.post("/sv/register", data=FORM | changes)


def test_a_newcomer_registers_confirms_and_is_signed_in(client, session, mailed_token):
    answer = register(client)
    assert answer.status_code == 303
    assert "ville@example.org" in client.get(answer.location).text
    person = session.scalars(select(Person)).one()
    assert (person.email, person.name, person.language) == ("ville@example.org", "Ville Virtanen", "sv")
    assert not person.email_verified_at
    assert not is_signed_in(client)
    link = f"/sv/mail-link?token={mailed_token()}"
    assert "Ville@" not in client.get(link).text
    session.refresh(person)
    assert not person.email_verified_at, "looking must not use the link up"
    assert client.post(link).status_code == 303
    session.refresh(person)
    assert person.email_verified_at
    assert is_signed_in(client)
    actions = set(session.scalars(select(AuditEntry.action)))
    assert {"person.registered", "person.address-confirmed", "session.begun"} <= actions


def test_registering_leads_back_to_the_booking_after_the_mail(client, mailed_token):
    client.post("/fi/register?next=/fi/organisations", data=FORM)
    assert client.post(f"/fi/mail-link?token={mailed_token()}").location == "/fi/organisations"


def test_a_known_address_gets_the_same_answer_and_a_mail_to_its_owner(client, session, member, mailed):
    new = register(client)
    known = register(client, email=member.email, password="something else here")
    assert (new.status_code, new.location) == (known.status_code, known.location)
    session.refresh(member)
    assert passwords.matches(member.password_hash, PASSWORD), "the account stays as it was"
    first, second = mailed()
    assert (first.template, first.to_address) == ("marketplace/identity/mail/verify", "ville@example.org")
    assert (second.template, second.to_address) == ("marketplace/identity/mail/registered", member.email)
    assert "token" not in second.body_text


def test_both_answers_hash_once(client, member, monkeypatch):
    hashed = []
    real = passwords.hash_password

    def counted(text):
        hashed.append(text)
        return real(text)

    monkeypatch.setattr(passwords, "hash_password", counted)
    register(client)
    register(client, email=member.email)
    assert len(hashed) == 2


def test_an_address_begun_by_someone_else_is_won_by_its_owner(
    client, session, newcomer, mailed, mailed_token
):
    """A stranger opened an account with my address; when I register, my mail lets me choose the password."""
    register(client, email=newcomer.email, password="the owner's own words")
    assert mailed()[-1].template == "marketplace/identity/mail/unfinished"
    link = f"/fi/mail-link?token={mailed_token()}"
    assert client.post(link, data={"password": "the owner's own words"}).status_code == 303
    session.refresh(newcomer)
    assert newcomer.email_verified_at is not None
    assert passwords.matches(newcomer.password_hash, "the owner's own words")


def test_a_second_press_sends_no_second_mail(client, mailed):
    register(client)
    register(client)
    assert [mail.template for mail in mailed()] == ["marketplace/identity/mail/verify"]


def test_mistakes_stand_at_their_fields_and_what_was_typed_stays(client, session):
    answer = client.post("/fi/register", data={"name": "Ville", "email": "ville@", "password": "kielo"})
    assert answer.status_code == 422
    assert 'value="ville@"' in answer.text
    assert 'value="Ville"' in answer.text
    assert "kielo" not in answer.text
    assert 'href="#email"' in answer.text
    assert 'href="#password"' in answer.text
    assert session.scalar(select(Person)) is None


def test_a_name_is_no_advertisement(client):
    for name in ("Win at http://evil.example", "www.evil.example", "a\u202eb", "  ", "x" * 101):
        assert register(client, name=name).status_code == 422


def test_unconfirmed_people_sign_in_and_are_told(client, newcomer):
    assert sign_in_at(client, newcomer.email).status_code == 303
    page = client.get("/en/profile").text
    assert "Confirm your e-mail address" in page
    assert "/en/verification-mail" in page


def test_the_confirming_link_is_sent_again(client, session, newcomer, mailed, mailed_token):
    sign_in_at(client, newcomer.email)
    client.post("/en/verification-mail", data={"submission": "again"})
    assert [mail.template for mail in mailed()] == ["marketplace/identity/mail/verify"]
    client.post(f"/en/mail-link?token={mailed_token()}")
    session.refresh(newcomer)
    assert newcomer.email_verified_at is not None


def test_demo_people_are_confirmed_and_made_once(session, city, client):
    made = [
        register_demo_person(
            session, city, name="Demo", email="Demo@example.org", password=PASSWORD, language="fi"
        )
        for _ in range(2)
    ]
    session.commit()
    assert made[0] is made[1]
    assert made[0].email_verified_at is not None
    assert sign_in_at(client, "demo@example.org").status_code == 303
