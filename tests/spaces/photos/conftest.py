"""A supplier's space, browsers of everybody, and a store of files of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.files import port
from marketplace.files.disk import DiskStore
from tests.factories.listings import Supplier, make_supplier
from tests.factories.people import sign_in


@pytest.fixture
def store(app: Flask, tmp_path: Path) -> Iterator[DiskStore]:
    before = port.file_store()
    own = DiskStore(tmp_path / "files")
    port.bind(own)
    yield own
    port.bind(before)


@pytest.fixture
def supplier(session: Session, city: City) -> Supplier:
    supplier = make_supplier(session, city, state="published")
    session.commit()
    return supplier


@pytest.fixture
def browser(app: Flask, session: Session) -> Callable[[Person], FlaskClient]:
    def start(person: Person) -> FlaskClient:
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        return client

    return start


@pytest.fixture
def owner(browser: Callable[[Person], FlaskClient], supplier: Supplier, store: DiskStore) -> FlaskClient:
    return browser(supplier.person)
