"""Runs the migrations. Locks are taken for seconds at most, so that a migration never stops the service for long."""

from alembic import context
from sqlalchemy import Connection, text

import bookings.models
import marketplace.models
import spaces.models  # noqa: F401 - the four packages' tables register themselves
from marketplace.db import Base, make_engine

url: str = context.config.attributes["url"]
connection = context.config.attributes.get("connection")


def include(name: str | None, kind: str, parents: object) -> bool:
    """procrastinate keeps its own tables."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run(bound: Connection) -> None:
    context.configure(
        connection=bound,
        target_metadata=Base.metadata,
        include_name=include,
        compare_type=True,
    )
    with context.begin_transaction():
        context.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


if connection is not None:
    run(connection)
else:
    engine = make_engine(url)
    with engine.connect() as opened:
        run(opened)
        opened.commit()
    engine.dispose()
