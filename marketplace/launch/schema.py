"""Whether a database needs migrating or the demo city, found out without starting the whole application."""

import re
from pathlib import Path

import psycopg

REVISION = re.compile(r'^revision(?:: \w+)? = ["\'](\w+)["\']', re.MULTILINE)
PARENT = re.compile(r'^down_revision(?:: [^=]+)? = ["\'](\w+)["\']', re.MULTILINE)


def head_of_files(migrations: Path) -> str | None:
    """The newest migration; None when the files leave a doubt, which Alembic itself shall then answer."""
    texts = [file.read_text() for file in sorted((migrations / "versions").glob("[0-9a-z]*.py"))]
    revisions = [found[1] for text in texts if (found := REVISION.search(text))]
    parents = {found[1] for text in texts if (found := PARENT.search(text))}
    heads = [revision for revision in revisions if revision not in parents]
    return heads[0] if len(heads) == 1 and len(revisions) == len(texts) else None


def head_of_database(connection: psycopg.Connection) -> str | None:
    """The migration that the database is at; None for an empty or branched one."""
    if not has_table(connection, "alembic_version"):
        return None
    rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(rows[0][0]) if len(rows) == 1 else None


def is_up_to_date(connection: psycopg.Connection, migrations: Path) -> bool:
    head = head_of_files(migrations)
    return head is not None and head == head_of_database(connection)


def has_city(connection: psycopg.Connection) -> bool:
    """Whether any city has been loaded, the demo's or a real one."""
    if not has_table(connection, "city"):
        return False
    return bool(connection.execute("SELECT EXISTS (SELECT FROM city)").fetchone() == (True,))


def has_table(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,)
