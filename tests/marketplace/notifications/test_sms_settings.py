"""Settings of text messages: a bad one is one clear sentence that names it."""

from dataclasses import replace
from typing import Any

import pytest

from marketplace.settings import Settings

GOOD = Settings(sms_url="https://sms.example.org/v1/messages", sms_token="secret-token")


def test_without_a_gateway_nothing_is_asked() -> None:
    assert Settings(sms_sender="", sms_countries="").sms_problems() == []
    assert GOOD.sms_problems() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sms_url", "ftp://sms.example.org"),
        ("sms_url", "https://user:word@sms.example.org/"),
        ("sms_url", "https://"),
        ("sms_url", "https://sms.example.org/a b"),
        ("sms_token", ""),
        ("sms_token", "two words"),
        ("sms_token", "line\r\nX-Other: 1"),
        ("sms_sender", ""),
        ("sms_sender", "Twelve chars"),
        ("sms_sender", "Tilää"),
        ("sms_timeout_seconds", 0),
        ("sms_timeout_seconds", 61),
        ("sms_countries", ""),
        ("sms_countries", "FI,SE"),
        ("sms_countries", "fi"),
        ("sms_codes_per_day", 0),
    ],
)
def test_each_bad_value_is_named(name: str, value: Any) -> None:
    (problem,) = replace(GOOD, **{name: value}).sms_problems()
    assert problem.startswith(f"MARKETPLACE_{name.upper()} must")


def test_production_sends_over_tls_alone() -> None:
    plain = replace(GOOD, sms_url="http://sms.example.org/")
    assert plain.sms_problems() == []
    (problem,) = replace(plain, env="production").sms_problems()
    assert "MARKETPLACE_SMS_URL must be an https:// address in production." in problem
