"""A real PostgreSQL built by our migrations; each test runs in a transaction that is rolled back."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from alembic import command
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.accounts.models import Person
from marketplace.app import create_app, job_context
from marketplace.cities.models import City
from marketplace.commands import alembic_config
from marketplace.jobs import runner
from marketplace.jobs.queue import queue
from marketplace.launch.database import FAST, embedded_postgres
from marketplace.settings import ROOT, Settings
from tests.factories.cities import make_city
from tests.factories.people import make_person, sign_in
from wsgi import PARTS

# A deadline on a busy machine measures the machine.
hypothesis_settings.register_profile("tilaa", deadline=None)
hypothesis_settings.load_profile("tilaa")

SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database server for tests: MARKETPLACE_TEST_DATABASE_URL, else the embedded one under instance/."""
    given = os.environ.get("MARKETPLACE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with embedded_postgres(ROOT / "instance" / "test-postgres", database="postgres", settings=FAST) as url:
        yield url


def make_database(server_url: str, name: str, *, template: str | None = None) -> str:
    """A new database of this name, replacing an old one; returns its URL."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        source = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + source)
    head, _, query = server_url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}?{query}"


def database_name(worker_id: str) -> str:
    """Two test runs at once on one server keep apart by MARKETPLACE_TEST_DATABASE_SUFFIX."""
    suffix = os.environ.get("MARKETPLACE_TEST_DATABASE_SUFFIX")
    return f"tilaa_test_{suffix}_{worker_id}" if suffix else f"tilaa_test_{worker_id}"


@pytest.fixture(scope="session")
def database_url(server_url: str, worker_id: str) -> str:
    """This worker's own database, migrated to head."""
    url = make_database(server_url, database_name(worker_id))
    command.upgrade(alembic_config(url), "head")
    return url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    engine = db.make_engine(database_url, pool=5)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        env="test",
        secret="t" * 32,
        database_url=database_url,
        rate_limits=False,
        log_level="error",
        files_folder=str(tmp_path_factory.mktemp("files")),
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    app = create_app(settings, PARTS)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One connection in a transaction that never commits; all sessions of the test join it."""
    with engine.connect() as connection:
        outer = connection.begin()
        db.bind(connection)
        yield connection
        db.bind(engine)
        outer.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session beside those of the code under test, in the same transaction."""
    with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        yield session


@pytest.fixture
def city(session: Session) -> City:
    city = make_city(session)
    session.commit()
    return city


@pytest.fixture
def client(app: Flask, city: City) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


@pytest.fixture
def person(session: Session, city: City) -> Person:
    person = make_person(session, city, name="Aino Korhonen")
    session.commit()
    return person


@pytest.fixture
def signed_in_client(app: Flask, session: Session, person: Person) -> FlaskClient:
    """A browser signed in as `person`."""
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    return client


@pytest.fixture
def run_jobs(session: Session, app: Flask) -> Callable[[], int]:
    """Run what was deferred, as the worker would, until nothing is left; returns how many jobs ran."""

    # Tests that build applications of their own leave theirs bound.
    runner.run_inside(lambda: job_context(app))

    def run() -> int:
        ran = 0
        while True:
            job = session.execute(
                text(
                    "DELETE FROM procrastinate_jobs WHERE id = (SELECT min(id) FROM procrastinate_jobs"
                    " WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()) RETURNING task_name, args"
                )
            ).one_or_none()
            session.commit()
            if job is None:
                session.expire_all()
                return ran
            queue.tasks[job.task_name].func(**job.args)
            ran += 1

    return run


@pytest.fixture
def committing(server_url: str, settings: Settings, worker_id: str, engine: Engine) -> Iterator[Engine]:
    """A database of its own where sessions really commit: for races and for processes that look from outside."""
    url = make_database(server_url, f"{database_name(worker_id)}_committing")
    command.upgrade(alembic_config(url), "head")
    own = db.make_engine(url, pool=60)
    db.bind(own)
    yield own
    db.bind(engine)
    own.dispose()


@pytest.fixture
def committing_app(committing: Engine, settings: Settings) -> Flask:
    url = committing.url.render_as_string(hide_password=False).replace(
        "postgresql+psycopg://", "postgresql://"
    )
    app = create_app(replace(settings, database_url=""), PARTS)
    app.config.update(WTF_CSRF_ENABLED=False, DATABASE_URL=url)
    return app


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout; tests that need it are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data is not beside this checkout")
    return SHARED_DATA
