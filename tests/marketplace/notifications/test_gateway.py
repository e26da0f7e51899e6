"""The gateway's answers, good and bad, from a real server."""

import time

import pytest

from marketplace.notifications.gateway import HttpGateway, NoSms, SmsAway, SmsRefused, open_sender
from marketplace.settings import Settings
from tests.factories.gateway import TOKEN, FakeGateway

NUMBER = "+358401234567"


def sender(gateway: FakeGateway, seconds: float = 2) -> HttpGateway:
    return HttpGateway(gateway.url, token=TOKEN, sender="Tilaa", seconds=seconds)


def test_a_message_is_handed_over_whole(gateway: FakeGateway) -> None:
    assert sender(gateway).send(NUMBER, "Åke sai tilan ä €", key="k1") == "m-1"
    (taken,) = gateway.taken
    assert (taken.to, taken.sender, taken.text, taken.key) == (NUMBER, "Tilaa", "Åke sai tilan ä €", "k1")
    assert (taken.token, taken.path) == (f"Bearer {TOKEN}", "/messages?route=city")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(gateway: FakeGateway, status: int) -> None:
    gateway.answers = [status]
    with pytest.raises(SmsAway, match=f"HTTP {status}"):
        sender(gateway).send(NUMBER, "x", key="k")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 301, 302, 307, 308])
def test_what_will_not_pass_is_given_up_and_no_redirect_is_followed(
    gateway: FakeGateway, status: int
) -> None:
    gateway.answers = [status]
    gateway.body = b'{"error": "bad number +358401234567"}'
    with pytest.raises(SmsRefused) as refused:
        sender(gateway).send(NUMBER, "x", key="k")
    assert str(refused.value) == f"HTTP {status}", "what it says may hold the number"
    assert len(gateway.taken) == 1


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_no_answer_ends_with_the_time(gateway: FakeGateway, kind: str) -> None:
    """One that is silent, and one that says a letter at a time so that no single wait is long."""
    gateway.answers = [kind]
    began = time.monotonic()
    with pytest.raises(SmsAway):
        sender(gateway, seconds=0.3).send(NUMBER, "x", key="k")
    assert time.monotonic() - began < 3


def test_nonsense_is_no_answer(gateway: FakeGateway) -> None:
    gateway.answers = ["garbage"]
    with pytest.raises(SmsAway) as away:
        sender(gateway).send(NUMBER, "x", key="k")
    assert str(away.value) == "BadStatusLine"
    assert away.value.__cause__ is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"id": 7}', b'{"id": "a\\u0000b"}', b"\xff" * 9000]
)
def test_a_taken_message_is_taken_whatever_else_is_said(gateway: FakeGateway, body: bytes) -> None:
    gateway.body = body
    assert sender(gateway).send(NUMBER, "x", key="k") is None


def test_a_gateway_that_is_not_there_is_away() -> None:
    gone = HttpGateway("http://127.0.0.1:9/", token=TOKEN, sender="Tilaa", seconds=1)
    with pytest.raises(SmsAway):
        gone.send(NUMBER, "x", key="k")


def test_a_server_without_our_trust_is_never_told_anything(gateway: FakeGateway) -> None:
    """TLS to what speaks none: the token and the number stay here."""
    secure = HttpGateway(gateway.url.replace("http:", "https:"), token=TOKEN, sender="Tilaa", seconds=1)
    with pytest.raises(SmsAway):
        secure.send(NUMBER, "x", key="k")
    assert gateway.taken == []


def test_the_settings_choose() -> None:
    assert isinstance(open_sender(Settings()), NoSms)
    assert not open_sender(Settings()).is_there
    assert open_sender(Settings(sms_url="https://sms.example.org/send", sms_token="t")).is_there
    with pytest.raises(SmsRefused):
        NoSms().send(NUMBER, "x", key="k")
