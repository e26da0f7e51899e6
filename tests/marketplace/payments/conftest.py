"""Everything here happens inside the application, as in a job; the gateways are put back afterwards."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.payments import inside


@pytest.fixture
def money_app(app: Flask, session: Session) -> Iterator[Flask]:
    before = dict(app.extensions["payment_gateways"])
    with inside(app):
        yield app
    app.extensions["payment_gateways"] = before
