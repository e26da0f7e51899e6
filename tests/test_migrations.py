"""The migrations: one line of them, numbered, from an empty database to exactly what the models say, and back."""

import re

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import spaces.models  # noqa: F401 - the models register themselves
from marketplace.commands import alembic_config
from marketplace.db import Base
from marketplace.settings import ROOT
from tests.conftest import database_name, make_database

VERSIONS = ROOT / "migrations" / "versions"
NAME = re.compile(r"(\d{4})_[a-z]+(_[a-z0-9]+)+\.py")


def files() -> list[str]:
    return sorted(path.name for path in VERSIONS.glob("*.py") if path.name != "__init__.py")


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_names_are_numbered_verb_object() -> None:
    numbers = []
    for name in files():
        match = NAME.fullmatch(name)
        assert match, name
        numbers.append(int(match[1]))
    assert numbers == list(range(1, len(numbers) + 1))


def test_revisions_are_the_numbers_and_follow_each_other() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    for revision in script.walk_revisions():
        number = int(revision.revision)
        assert revision.path.rpartition("/")[2].startswith(f"{number:04d}_")
        assert revision.down_revision == (None if number == 1 else f"{number - 1:04d}")


@pytest.mark.parametrize("name", files())
def test_a_migration_does_not_lean_on_the_application(name: str) -> None:
    """Models change; a migration must still do what it did."""
    source = (VERSIONS / name).read_text(encoding="utf-8")
    assert not re.search(
        r"^\s*(?:from|import)\s+(?:marketplace|spaces|bookings|partners)\b", source, re.MULTILINE
    )


@pytest.fixture
def own_database(server_url: str, worker_id: str):
    url = make_database(server_url, f"{database_name(worker_id)}_migrations")
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), connect_args={"options": "-c timezone=UTC"}
    )
    yield url, engine
    engine.dispose()
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{database_name(worker_id)}_migrations" WITH (FORCE)')


def include(name: str | None, kind: str, parents: object) -> bool:
    return not (
        kind == "table"
        and name is not None
        and (name.startswith("procrastinate_") or name == "alembic_version")
    )


def test_from_empty_to_head_is_what_the_models_say_and_back_is_empty(own_database) -> None:
    url, engine = own_database
    command.upgrade(alembic_config(url), "head")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": include})
        assert compare_metadata(context, Base.metadata) == []
        assert indexes_and_checks(connection) >= {"claim_no_overlap", "ix_space_search", "ck_claim_lane"}
    command.downgrade(alembic_config(url), "base")
    with engine.connect() as connection:
        left = set(
            connection.scalars(
                text(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^(alembic|procrastinate)_'"
                )
            )
        )
        assert left == set()
    command.upgrade(alembic_config(url), "head")


def indexes_and_checks(connection) -> set[str]:
    """Names that comparing does not look at."""
    return set(
        connection.scalars(
            text(
                "SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
            )
        )
    )


def test_every_constraint_of_the_models_is_in_the_database(own_database) -> None:
    """Checks and exclusion constraints, which autogenerate does not compare."""
    url, engine = own_database
    command.upgrade(alembic_config(url), "head")
    wanted = {
        str(constraint.name)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name is not None
    }
    with engine.connect() as connection:
        assert wanted - indexes_and_checks(connection) == set()


def test_every_row_of_a_city_is_keyed_by_its_city_first() -> None:
    """So that the data can be spread over machines by city (design, section 4)."""
    for table in Base.metadata.sorted_tables:
        if "city_id" in table.c:
            assert next(iter(table.primary_key.columns)).name == "city_id", table.name
