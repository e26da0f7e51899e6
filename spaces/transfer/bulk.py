"""Many new rows at once, by COPY: one statement for a batch instead of one for each row."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from psycopg import Connection, sql
from psycopg.types.json import Jsonb
from sqlalchemy import Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from marketplace.db import Point

NEW_IDS = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")


def copy_rows(session: Session, model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of one table, all with the same columns; the others get their defaults. Raises psycopg.Error."""
    if not rows:
        return
    table = cast(Table, model.__table__)
    names = list(rows[0])
    wraps = [wrapper(table.c[name].type) for name in names]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver = cast(Connection[Any], session.connection().connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(
                [
                    row[name] if wrap is None or row[name] is None else wrap(row[name])
                    for name, wrap in zip(names, wraps, strict=True)
                ]
            )


def insert_rows(session: Session, model: Any, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write rows of a table with an id of its own; returns the ids in the same order."""
    if not rows:
        return []
    ids = list(session.scalars(NEW_IDS, {"table": model.__tablename__, "count": len(rows)}))
    copy_rows(session, model, [{"id": row_id, **row} for row_id, row in zip(ids, rows, strict=True)])
    return ids


def wrapper(column: Any) -> Any:
    """What makes a value of this type one that the driver can write; None where it needs nothing."""
    if isinstance(column, JSONB):
        return Jsonb
    if isinstance(column, Point):
        return lambda point: f"({point[0]!r},{point[1]!r})"
    return None
