"""The gateway of the tests."""

from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.notifications.gateway import HttpGateway
from tests.factories.gateway import TOKEN, FakeGateway, fake_gateway


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with fake_gateway() as gateway:
        yield gateway


@pytest.fixture
def with_texts(app: Flask, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    """The application sends text messages, by the gateway of the test."""
    sender = HttpGateway(gateway.url, token=TOKEN, sender="Tilaa", seconds=2)
    monkeypatch.setitem(app.extensions, "sms", sender)
    return gateway
