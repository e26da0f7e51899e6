"""Signing in by password and by link, and out."""

import re
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from marketplace.clock import now
from marketplace.identity import passwords
from marketplace.identity.models import MailLink, SignedInSession
from marketplace.identity.queries import COOKIE
from marketplace.ids import token_hash
from tests.factories.cities import make_city
from tests.factories.people import make_person
from tests.marketplace.identity.conftest import PASSWORD, is_signed_in, sign_in_at

RANDOM = re.compile(r'name="(csrf_token|link-submission)"[^>]*')


def test_the_right_password_signs_in(client, member):
    answer = sign_in_at(client, "AINO@example.org")
    assert answer.status_code == 303
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=2592000" in cookie
    assert "Secure" not in cookie
    assert is_signed_in(client)


def test_the_cookie_is_secure_in_production(app, client, session, city, member, monkeypatch):
    city.host = "localhost"
    session.commit()
    monkeypatch.setitem(app.config, "PRODUCTION", True)
    cookies = sign_in_at(client, member.email).headers.getlist("Set-Cookie")
    cookie = next(line for line in cookies if line.startswith(COOKIE))
    assert "Secure" in cookie


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, session, city, member):
    make_person(session, city, email="nopassword@example.org", password_hash=None)
    session.commit()
    texts = set()
    for email in (member.email, "nobody@example.org", "nopassword@example.org"):
        answer = sign_in_at(client, email, "not the right one")
        assert answer.status_code == 422
        main = answer.text.partition("<main")[2].partition("</main>")[0]
        texts.add(RANDOM.sub("", main.replace(email, "EMAIL")))
        assert not is_signed_in(client)
    assert len(texts) == 1


def test_an_unknown_address_costs_one_check_too(client, member, monkeypatch):
    checked = []
    real = passwords.matches

    def counted(stored, typed):
        checked.append(stored)
        return real(stored, typed)

    monkeypatch.setattr(passwords, "matches", counted)
    sign_in_at(client, member.email, "not the right one")
    sign_in_at(client, "nobody@example.org", "not the right one")
    assert len(checked) == 2
    assert checked[1] is None


def test_what_was_typed_stays_but_the_password(client, member):
    text = sign_in_at(client, member.email, "not the right one").text
    assert f'value="{member.email}"' in text
    assert "not the right one" not in text
    assert 'href="#password"' in text
    assert 'autocomplete="username"' in text
    assert 'autocomplete="current-password"' in text


def test_the_hash_is_kept_by_todays_parameters(client, session, member, monkeypatch):
    before = member.password_hash
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    sign_in_at(client, member.email)
    session.refresh(member)
    assert member.password_hash != before
    assert "t=2" in member.password_hash


def test_a_token_from_outside_is_never_taken_over(client, session, member):
    client.set_cookie(COOKIE, "chosen-by-a-stranger")
    sign_in_at(client, member.email)
    token = client.get_cookie(COOKIE).value
    assert token != "chosen-by-a-stranger"
    assert session.scalars(select(SignedInSession.token_hash)).all() == [token_hash(token)]


def test_each_sign_in_has_a_new_token_and_ends_the_one_before(client, app, member):
    sign_in_at(client, member.email)
    first = client.get_cookie(COOKIE).value
    sign_in_at(client, member.email)
    assert client.get_cookie(COOKIE).value != first
    other = app.test_client()
    other.set_cookie(COOKIE, first)
    assert not is_signed_in(other)


def test_an_old_session_is_over(client, session, member):
    sign_in_at(client, member.email)
    session.scalars(select(SignedInSession)).one().expires_at = now() - timedelta(seconds=1)
    session.commit()
    assert not is_signed_in(client)


def test_accounts_of_another_city_do_not_exist_here(client, session):
    turku = make_city(session, "turku")
    make_person(session, turku, email="tove@example.org", password_hash=passwords.hash_password(PASSWORD))
    session.commit()
    assert sign_in_at(client, "tove@example.org").status_code == 422


def test_signing_out_ends_the_session_for_good(client, app, member):
    sign_in_at(client, member.email)
    token = client.get_cookie(COOKIE).value
    assert client.post("/en/sign-out").status_code == 303
    assert client.post("/en/sign-out").status_code == 303
    client.set_cookie(COOKIE, token)
    assert not is_signed_in(client)


def test_signing_in_needs_the_forms_own_token(app, session, member, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    answer = app.test_client().post("/en/sign-in", data={"email": member.email, "password": PASSWORD})
    assert answer.status_code == 400
    assert session.scalar(select(SignedInSession)) is None


def test_people_are_sent_to_sign_in_and_back(client, member):
    answer = client.get("/fi/organisations?a=1")
    assert answer.status_code == 302
    assert answer.location == "/fi/sign-in?next=/fi/organisations?a%3D1"
    back = client.post(answer.location, data={"email": member.email, "password": PASSWORD})
    assert back.location == "/fi/organisations?a=1"
    assert client.get(answer.location).location == "/fi/organisations?a=1", "signed in already"


def ask_for_link(client, email, submission="one", **query):
    return client.post(
        "/en/sign-in-link", query_string=query, data={"link-email": email, "link-submission": submission}
    )


def test_a_link_signs_in_once(client, app, member, mailed_token):
    answer = ask_for_link(client, member.email, next="/en/organisations")
    assert answer.status_code == 303
    link = f"/en/mail-link?token={mailed_token()}"
    page = client.get(link)
    assert member.email in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    client.get(link)
    client.head(link)
    used = client.post(link)
    assert (used.status_code, used.location) == (303, "/en/organisations")
    assert is_signed_in(client)
    other = app.test_client()
    assert other.post(link).status_code == 410
    assert other.get(link).status_code == 410
    assert not is_signed_in(other)


def test_a_link_for_an_unknown_address_gets_the_same_answer_and_no_mail(client, member, mailed):
    known, unknown = ask_for_link(client, member.email), ask_for_link(client, "nobody@example.org")
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    assert [mail.to_address for mail in mailed()] == [member.email]


def test_a_second_press_sends_one_link(client, member, mailed):
    ask_for_link(client, member.email)
    ask_for_link(client, member.email)
    assert len(mailed()) == 1
    ask_for_link(client, member.email, submission="two")
    assert len(mailed()) == 2


@pytest.mark.parametrize("minutes", [16, 60 * 24])
def test_a_link_grows_old(client, session, member, mailed_token, minutes):
    ask_for_link(client, member.email)
    token = mailed_token()
    link = session.scalars(select(MailLink)).one()
    assert link.expires_at - link.created_at == timedelta(minutes=15)
    link.expires_at = now() - timedelta(minutes=minutes - 15)
    session.commit()
    assert client.get(f"/en/mail-link?token={token}").status_code == 410
    assert client.post(f"/en/mail-link?token={token}").status_code == 410
    assert not is_signed_in(client)


def test_a_made_up_link_is_explained(client):
    for token in ("", "made-up", "\x00", "é" * 300):
        answer = client.get("/en/mail-link", query_string={"token": token})
        assert answer.status_code == 410
        assert "no longer works" in answer.text


def test_a_link_dies_with_the_address_it_went_to(client, session, member, mailed_token):
    ask_for_link(client, member.email)
    token = mailed_token()
    member.email = "elsewhere@example.org"
    session.add(member)
    session.commit()
    assert client.post(f"/en/mail-link?token={token}").status_code == 410


def test_a_link_of_another_city_does_not_work_here(client, session, member, mailed_token):
    ask_for_link(client, member.email)
    token = mailed_token()
    make_city(session, "turku", host="turku.example")
    session.commit()
    assert client.post(f"http://turku.example/en/mail-link?token={token}").status_code == 410


def test_the_first_proof_of_an_address_drops_a_password_of_unknown_origin(
    client, app, session, newcomer, mailed_token
):
    """A stranger registered with my address and waits signed in; my own link shuts them out."""
    stranger = app.test_client()
    sign_in_at(stranger, newcomer.email)
    ask_for_link(client, newcomer.email)
    assert client.post(f"/en/mail-link?token={mailed_token()}").status_code == 303
    session.refresh(newcomer)
    assert newcomer.email_verified_at is not None
    assert newcomer.password_hash is None
    assert not is_signed_in(stranger)
    assert sign_in_at(stranger, newcomer.email).status_code == 422
    assert "was removed to be safe" in client.get("/en/profile").text
