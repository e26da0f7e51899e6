"""Whatever is sent to these pages is answered in words, never with a failure of ours."""

import pytest

from tests.marketplace.identity.conftest import PASSWORD

NASTY = [
    "",
    "\x00",
    "a\x00b",
    "\U0001f600",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "%s%n",
    "\u202e",
    "x" * 5000,
]
PUBLIC = {
    "/fi/sign-in": ("email", "password"),
    "/fi/sign-in-link": ("link-email", "link-submission"),
    "/fi/register": ("name", "email", "password", "submission"),
    "/fi/forgotten-password": ("email", "submission"),
}
OWN = {
    "/fi/profile": ("name", "phone", "language"),
    "/fi/profile/password": ("password-current", "password-password"),
    "/fi/profile/address": ("address-email", "address-current", "address-submission"),
    "/fi/organisations/new": ("kind", "name", "business_id"),
    "/fi/act-as": ("organisation",),
    "/fi/verification-mail": ("submission",),
}
GOOD = {"email": "new@example.org", "link-email": "new@example.org", "name": "Ville", "password": PASSWORD}


@pytest.mark.parametrize("text", NASTY)
def test_nonsense_in_any_field(client, signed_in_client, text):
    for browser, pages in ((client, PUBLIC), (signed_in_client, OWN)):
        for path, fields in pages.items():
            for field in fields:
                form = {name: GOOD.get(name, "x") for name in fields} | {field: text}
                answer = browser.post(path, data=form)
                assert answer.status_code < 500, (path, field)
                assert "<script>alert" not in answer.text
            assert browser.post(path, data={}).status_code < 500, path


@pytest.mark.parametrize("number", [0, 2**31, 2**63 - 1, 10**30])
def test_ids_that_nobody_has(client, signed_in_client, number):
    assert signed_in_client.get(f"/fi/organisations/{number}").status_code == 404
    for path in (
        f"/fi/organisations/{number}/departure",
        f"/fi/organisations/{number}/members/{number}/role",
        f"/fi/organisations/{number}/members/{number}/removal",
        f"/fi/organisations/{number}/invitations/{number}/withdrawal",
        f"/fi/organisations/{number}/invitations",
        f"/fi/invitations/{number}/acceptance",
        f"/fi/invitations/{number}/refusal",
        f"/fi/profile/browsers/{number}/ending",
    ):
        assert signed_in_client.post(path, data={"email": "a@example.org"}).status_code < 500, path
    assert client.get(f"/fi/mailbox/{number}").status_code == 404
