"""What a copy of a space takes along: the rows of tables that say so by `info={"copied_with": "space"}`.

Hours and prices belong to higher rooms, which the catalogue does not know; their tables carry the mark.
"""

from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from marketplace.db import Base


def marked_tables() -> list[Table]:
    """Those that are copied, parents before children."""
    return [table for table in Base.metadata.sorted_tables if table.info.get("copied_with") == "space"]


def links_of(table: Table) -> dict[str, str]:
    """Column to the table whose id it holds; a space's id may come by way of a parent that is known by it."""
    return {
        element.parent.name: "space" if element.parent.name == "space_id" else element.column.table.name
        for constraint in table.foreign_key_constraints
        for element in constraint.elements
        if element.parent.name == "space_id"
        or (element.column.name == "id" and element.parent.name != "city_id")
    }


def copy_belongings(session: Session, city_id: int, from_id: int, to_id: int) -> None:
    """Copy every marked row of one space to another; references among them follow."""
    ids: dict[str, dict[int, int]] = {"space": {from_id: to_id}}
    for table in marked_tables():
        links = {column: ids[target] for column, target in links_of(table).items() if target in ids}
        if not links:
            continue
        owner = "space_id" if "space_id" in links else next(iter(links))
        rows = session.execute(
            select(table)
            .where(table.c.city_id == city_id, table.c[owner].in_(list(links[owner])))
            .order_by(*table.primary_key.columns)
        ).mappings()
        new_ids = ids.setdefault(table.name, {})
        for row in rows.all():
            values: dict[str, Any] = {
                column.name: row[column.name]
                for column in table.columns
                if column.identity is None and column.computed is None and row[column.name] is not None
            }
            for column, mapped in links.items():
                if column in values:
                    values[column] = mapped.get(values[column], values[column])
            statement = insert(table).values(values)
            if "id" in table.c and table.c.id.identity is not None:
                new_ids[row["id"]] = session.scalars(statement.returning(table.c.id)).one()
            else:
                session.execute(statement)
