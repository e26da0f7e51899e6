"""One's own page: facts, address, browsers."""

from sqlalchemy import select

from marketplace.accounts.models import AuditEntry
from marketplace.identity.models import SignedInSession
from marketplace.identity.queries import COOKIE
from tests.factories.people import make_person, sign_in
from tests.marketplace.identity.conftest import PASSWORD, is_signed_in, sign_in_at


def test_facts_are_changed_and_the_trail_tells_which(signed_in_client, session, person):
    answer = signed_in_client.post(
        "/en/profile", data={"name": " Aino  Lehto ", "phone": "040 123 4567", "language": "sv"}
    )
    assert answer.status_code == 303
    session.refresh(person)
    assert (person.name, person.phone, person.language) == ("Aino Lehto", "040 123 4567", "sv")
    assert signed_in_client.get_cookie("tilaa_language").value == "sv"
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "person.changed")).one()
    assert entry.details == {"fields": ["name", "phone", "language"]}


def test_mistakes_stay_on_the_page_with_what_was_typed(signed_in_client, session, person):
    answer = signed_in_client.post("/en/profile", data={"name": "", "phone": "call me", "language": "xx"})
    assert answer.status_code == 422
    assert 'value="call me"' in answer.text
    assert "Write a phone number such as" in answer.text
    session.refresh(person)
    assert person.name == "Aino Korhonen"


def test_strangers_are_sent_to_sign_in(client):
    for path in ("/fi/profile", "/fi/organisations", "/fi/organisations/new", "/fi/organisations/1"):
        assert client.get(path).location.startswith("/fi/sign-in")
    for path in ("/fi/profile", "/fi/profile/password", "/fi/profile/browsers/1/ending", "/fi/act-as"):
        assert client.post(path).location.startswith("/fi/sign-in")


def test_browsers_are_listed_and_ended_one_by_one(client, app, session, member):
    other = app.test_client()
    other.post(
        "/en/sign-in",
        data={"email": member.email, "password": PASSWORD},
        headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
    )
    sign_in_at(client, member.email)
    page = client.get("/en/profile").text
    assert "Firefox, Linux" in page
    assert page.count("This browser") == 1
    first = session.scalars(select(SignedInSession).order_by(SignedInSession.id)).first()
    path = f"/en/profile/browsers/{first.id}/ending"
    assert path in page
    assert client.post(path).status_code == 303
    assert client.post(path).status_code == 303, "twice does no harm"
    assert not is_signed_in(other)
    assert is_signed_in(client)


def test_all_the_others_are_ended_at_once(client, app, member):
    others = [app.test_client() for _ in range(3)]
    for other in (*others, client):
        sign_in_at(other, member.email)
    assert client.post("/en/profile/browsers/others/ending").status_code == 303
    assert not any(is_signed_in(other) for other in others)
    assert is_signed_in(client)


def test_nobody_ends_anothers_session(client, app, session, city, member):
    stranger = app.test_client()
    sign_in(session, stranger, make_person(session, city))
    session.commit()
    sign_in_at(client, member.email)
    theirs = session.scalars(select(SignedInSession).where(SignedInSession.person_id == member.id)).one()
    assert stranger.post(f"/en/profile/browsers/{theirs.id}/ending").status_code == 404
    assert is_signed_in(client)


def ask_for_change(client, email, current=PASSWORD):
    return client.post(
        "/en/profile/address",
        data={"address-email": email, "address-current": current, "address-submission": "one"},
    )


def test_a_new_address_is_proved_before_it_counts(client, app, session, member, mailed, mailed_token):
    sign_in_at(client, member.email)
    assert ask_for_change(client, "new@example.org").status_code == 303
    token = mailed_token()
    assert mailed()[-1].to_address == "new@example.org"
    session.refresh(member)
    assert member.email == "aino@example.org"
    stranger = app.test_client()
    assert stranger.get(f"/en/mail-link?token={token}").location.startswith("/en/sign-in")
    assert client.post(f"/en/mail-link?token={token}").status_code == 303
    session.refresh(member)
    assert member.email == "new@example.org"
    told = mailed()[-1]
    assert (told.template, told.to_address) == (
        "marketplace/identity/mail/address_changed",
        "aino@example.org",
    )


def test_only_the_one_who_asked_can_use_the_link(client, app, session, city, member, mailed_token):
    sign_in_at(client, member.email)
    ask_for_change(client, "new@example.org")
    stranger = app.test_client()
    sign_in(session, stranger, make_person(session, city))
    session.commit()
    link = f"/en/mail-link?token={mailed_token()}"
    assert stranger.get(link).status_code == 410
    assert stranger.post(link).status_code == 410
    assert client.post(link).status_code == 303


def test_an_address_taken_meanwhile_is_refused(client, session, city, member, mailed_token):
    sign_in_at(client, member.email)
    ask_for_change(client, "new@example.org")
    token = mailed_token()
    make_person(session, city, email="new@example.org")
    session.commit()
    answer = client.post(f"/en/mail-link?token={token}")
    assert answer.status_code == 410
    assert "Another account uses this address" in answer.text
    session.refresh(member)
    assert member.email == "aino@example.org"


def test_a_change_to_a_known_address_looks_the_same_and_tells_its_owner(
    client, session, city, member, mailed
):
    make_person(session, city, email="known@example.org")
    session.commit()
    sign_in_at(client, member.email)
    new, known = ask_for_change(client, "new@example.org"), ask_for_change(client, "known@example.org")
    assert (new.status_code, new.location) == (known.status_code, known.location)
    assert [(m.template.rpartition("/")[2], m.to_address) for m in mailed()] == [
        ("change", "new@example.org"),
        ("registered", "known@example.org"),
    ]


def test_changing_the_address_needs_the_password(client, member, mailed):
    sign_in_at(client, member.email)
    assert ask_for_change(client, "new@example.org", "wrong one here").status_code == 422
    assert ask_for_change(client, member.email).status_code == 422
    assert mailed() == []


def test_every_form_of_signing_in_survives_a_reload_of_its_post(client, signed_in_client):
    for path in ("/en/sign-in-link", "/en/sign-in", "/en/register", "/en/forgotten-password"):
        assert client.get(path).status_code in {200, 302}
    for path in ("/en/profile/password", "/en/profile/address"):
        assert signed_in_client.get(path).location == "/en/profile"


def test_a_cookie_of_nobody_is_nobody(client):
    client.set_cookie(COOKIE, "made-up")
    assert not is_signed_in(client)
