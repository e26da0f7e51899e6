"""Quick hashes, and a look at what was mailed."""

import re
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher, Type
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.identity import passwords
from marketplace.notifications.models import Mail
from tests.factories.people import make_person

PASSWORD = "lumi sataa hiljaa"
TOKEN = re.compile(r"mail-link\?token=([\w-]+)")


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real parameters are measured elsewhere; here a hash takes a millisecond."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=Type.ID)
    monkeypatch.setattr(passwords, "hasher", quick)


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limits on, as in production."""
    monkeypatch.setitem(app.config, "RATE_LIMITS", True)


@pytest.fixture
def member(session: Session, city: City) -> Person:
    """A person with a confirmed address and a password."""
    person = make_person(
        session,
        city,
        name="Aino Korhonen",
        email="aino@example.org",
        password_hash=passwords.hash_password(PASSWORD),
    )
    session.commit()
    return person


@pytest.fixture
def newcomer(session: Session, city: City) -> Person:
    """A person who has registered and not confirmed the address."""
    person = make_person(
        session,
        city,
        name="Ville Virtanen",
        email="ville@example.org",
        email_verified_at=None,
        password_hash=passwords.hash_password(PASSWORD),
    )
    session.commit()
    return person


@pytest.fixture
def mailed(session: Session, run_jobs: Callable[[], int]) -> Callable[[], list[Mail]]:
    """Run the jobs, then give all mails, oldest first."""

    def read() -> list[Mail]:
        run_jobs()
        return list(session.scalars(select(Mail).order_by(Mail.id)))

    return read


@pytest.fixture
def mailed_token(mailed: Callable[[], list[Mail]]) -> Callable[[], str]:
    """The token of the newest mail's link."""

    def read() -> str:
        found = TOKEN.search(mailed()[-1].body_text)
        assert found is not None
        return found[1]

    return read


def sign_in_at(client: FlaskClient, email: str, password: str = PASSWORD, **query: str):
    return client.post("/en/sign-in", query_string=query, data={"email": email, "password": password})


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/en/profile").status_code == 200
