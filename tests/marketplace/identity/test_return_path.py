"""Where people may be sent after signing in: only to our own pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.identity.rules import browser_name, network_of, own_path
from tests.marketplace.identity.conftest import sign_in_at


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/fi/spaces/12?on=2026-11-28", "/fi/spaces/12?on=2026-11-28"),
        ("http://localhost/fi/spaces/12?a=1", "/fi/spaces/12?a=1"),
        ("/en/mail-link?token=x", "/en/mail-link?token=x"),
        (None, None),
        ("", None),
        ("//evil.example", None),
        ("///evil.example", None),
        ("/\\evil.example", None),
        ("\\\\evil.example", None),
        ("https://evil.example/", None),
        ("https:evil.example", None),
        ("javascript:alert(1)", None),
        ("http://localhost@evil.example/", None),
        ("http://localhost//evil.example/", None),
        ("http://localhost:81/", None),
        ("evil.example", None),
        ("/\tevil", None),
        ("/a\r\nSet-Cookie: b", None),
        ("http://[", None),
        ("/fi/sign-in?next=/fi/sign-in", None),
        ("/sv/register", None),
        ("/" + "a" * 2000, None),
    ],
)
def test_only_our_own_paths_are_followed(target, expected):
    assert own_path(target, host="localhost") == expected


@given(st.text(max_size=60))
def test_whatever_is_asked_for_stays_on_this_host(text):
    found = own_path(text, host="localhost")
    assert found is None or (found.startswith("/") and not found.startswith("//") and "\\" not in found)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_signing_in_never_leads_elsewhere(client, member, target):
    answer = sign_in_at(client, member.email, next=target)
    assert answer.status_code == 303
    assert "evil" not in answer.location


def test_signing_in_leads_back(client, member):
    assert sign_in_at(client, member.email, next="/en/organisations").location == "/en/organisations"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari, iPhone",
        ),
        ("curl/8.0", None),
        (None, None),
    ],
)
def test_browsers_are_called_what_people_call_them(agent, name):
    assert browser_name(agent) == name


def test_one_ipv6_customer_is_one_place():
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("192.0.2.1") == network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of(None) == "unknown"
