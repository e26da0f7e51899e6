"""A forgotten password, and a changed one."""

from marketplace.identity import passwords
from tests.marketplace.identity.conftest import PASSWORD, is_signed_in, sign_in_at

NEW = "talvi tulee takaisin"


def ask(client, email, submission="one"):
    return client.post("/en/forgotten-password", data={"email": email, "submission": submission})


def test_a_forgotten_password_is_chosen_anew_and_other_browsers_are_signed_out(
    client, app, session, member, mailed, mailed_token
):
    other = app.test_client()
    sign_in_at(other, member.email)
    assert ask(client, member.email).status_code == 303
    link = f"/en/mail-link?token={mailed_token()}"
    assert 'autocomplete="new-password"' in client.get(link).text
    assert client.post(link, data={"password": NEW}).status_code == 303
    session.refresh(member)
    assert passwords.matches(member.password_hash, NEW)
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert client.post(link, data={"password": PASSWORD}).status_code == 410
    assert mailed()[-1].template == "marketplace/identity/mail/password_changed"


def test_a_poor_password_does_not_use_the_link_up(client, session, member, mailed_token):
    ask(client, member.email)
    link = f"/en/mail-link?token={mailed_token()}"
    for poor in ("", "short", "password123", member.email):
        assert client.post(link, data={"password": poor}).status_code == 422
    assert client.post(link, data={"password": NEW}).status_code == 303


def test_a_new_password_voids_the_links_still_on_their_way(client, app, member, mailed_token):
    ask(client, member.email, "one")
    first = mailed_token()
    ask(client, member.email, "two")
    client.post(f"/en/mail-link?token={mailed_token()}", data={"password": NEW})
    assert (
        app.test_client().post(f"/en/mail-link?token={first}", data={"password": PASSWORD}).status_code == 410
    )


def test_an_unknown_address_gets_the_same_answer(client, member, mailed):
    known, unknown = ask(client, member.email), ask(client, "nobody@example.org")
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    assert len(mailed()) == 1


def change(client, current, new):
    return client.post("/en/profile/password", data={"password-current": current, "password-password": new})


def test_the_password_is_changed_with_the_present_one(client, app, session, member):
    other = app.test_client()
    sign_in_at(other, member.email)
    sign_in_at(client, member.email)
    assert change(client, "not this one", NEW).status_code == 422
    assert change(client, PASSWORD, "short").status_code == 422
    assert change(client, PASSWORD, NEW).status_code == 303
    assert is_signed_in(client), "this browser stays"
    assert not is_signed_in(other)
    assert sign_in_at(other, member.email, NEW).status_code == 303


def test_who_has_no_password_sets_one_without(signed_in_client, session, person):
    assert change(signed_in_client, "", NEW).status_code == 303
    session.refresh(person)
    assert passwords.matches(person.password_hash, NEW)
