"""Limits of signing in: for one address and for one place, with an answer that says how long to wait."""

import pytest

from tests.marketplace.identity.conftest import is_signed_in, sign_in_at

pytestmark = pytest.mark.usefixtures("limited")


def test_one_address_is_tried_ten_times(client, member):
    for _ in range(10):
        assert sign_in_at(client, member.email, "not the right one").status_code == 422
    refused = sign_in_at(client, member.email)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert "Too many attempts. Try again in 15 minutes." in refused.text
    assert f'value="{member.email}"' in refused.text
    assert not is_signed_in(client)


def test_one_place_is_limited_and_another_is_not(client, member):
    for number in range(30):
        assert sign_in_at(client, f"nobody{number}@example.org", "guess after guess").status_code == 422
    assert sign_in_at(client, member.email).status_code == 429
    elsewhere = client.post(
        "/en/sign-in",
        data={"email": member.email, "password": "lumi sataa hiljaa"},
        environ_overrides={"REMOTE_ADDR": "192.0.2.77"},
    )
    assert elsewhere.status_code == 303


def test_an_address_gets_five_links_an_hour_known_or_not(client, member, mailed):
    for email in (member.email, "nobody@example.org"):
        for number in range(6):
            answer = client.post(
                "/fi/sign-in-link", data={"link-email": email, "link-submission": f"{email}{number}"}
            )
            assert answer.status_code == (303 if number < 5 else 429)
    assert len(mailed()) == 5
    # The same counter holds for the other kind of link.
    assert client.post("/fi/forgotten-password", data={"email": member.email}).status_code == 429


def test_registrations_are_limited(client):
    form = {"name": "Ville", "email": "ville@example.org", "password": "lumi sataa hiljaa"}
    for _ in range(5):
        assert client.post("/en/register", data=form).status_code == 303
    refused = client.post("/en/register", data=form)
    assert refused.status_code == 429
    assert 'value="ville@example.org"' in refused.text


def test_the_present_password_is_guessed_no_more_than_at_sign_in(client, member):
    assert sign_in_at(client, member.email).status_code == 303
    form = {"password-current": "a wrong guess", "password-password": "talvi tulee takaisin"}
    for _ in range(9):
        assert client.post("/en/profile/password", data=form).status_code == 422
    assert client.post("/en/profile/password", data=form).status_code == 429
