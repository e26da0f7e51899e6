"""The database: base class, names of constraints, sessions and the one way to open a transaction.

Rows of a city carry `city_id` and it leads every key, so that the data can later be sharded by city. Identity columns
still count through the whole table, so that an id alone never means two things.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from psycopg.types.range import Range
from sqlalchemy import (
    BigInteger,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    create_engine,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import UserDefinedType

from marketplace.timespan import Span

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Localised = dict[str, str]  # {"fi": ..., "sv": ..., "en": ...}; any may be missing


class Point(UserDefinedType[tuple[float, float]]):
    """PostgreSQL's `point`: (x, y) in metres of the city's own metric CRS."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "POINT"

    def bind_processor(self, dialect: Any) -> Any:
        return lambda value: None if value is None else f"({value[0]!r},{value[1]!r})"

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        def read(value: str | None) -> tuple[float, float] | None:
            if value is None:
                return None
            x, y = value.strip("()").split(",")
            return float(x), float(y)

        return read


# So that comparing the models with a database knows the type.
ischema_names["point"] = Point


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        dict[str, str]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class CityRow:
    """A row of one city: the pair (city_id, id) is its key."""

    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"), primary_key=True, sort_order=-20)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, sort_order=-10)


def of_city(column: str, table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A reference to a row of the same city."""
    return ForeignKeyConstraint(["city_id", column], [f"{table}.city_id", f"{table}.id"], ondelete=ondelete)


def span_of(during: Range[datetime]) -> Span:
    """A bounded range column as a span. Raises ValueError on an empty or unbounded one (constraints forbid both)."""
    if during.lower is None or during.upper is None:
        raise ValueError("an unbounded range is no span")
    return Span(during.lower, during.upper)


_sessions = sessionmaker(expire_on_commit=False)


def make_engine(url: str, *, pool: int = 10) -> Engine:
    """An engine for any libpq-style URL; opens no connection yet."""
    url = url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        pool_recycle=1800,
        hide_parameters=True,  # errors are logged, and parameters are names, addresses and password hashes
        connect_args={"connect_timeout": 5, "application_name": "tilaa", "options": "-c timezone=UTC"},
    )


def bind(target: Engine | Connection) -> None:
    """Point all sessions of this process at a database (tests: at one connection, inside a savepoint)."""
    if isinstance(target, Connection):
        _sessions.configure(bind=target, join_transaction_mode="create_savepoint")
    else:
        _sessions.configure(bind=target, join_transaction_mode="conditional_savepoint")


_present: ContextVar[Session | None] = ContextVar("present", default=None)


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction: committed at the end of the block, rolled back on any exception."""
    around = _present.get()
    with _sessions.begin() as session:
        _present.set(session)
        try:
            yield session
        finally:
            _present.set(around)


@contextmanager
def reading() -> Iterator[Session]:
    """The transaction that is open around this already, or else one of its own: what is read in the middle of another's
    work must not ask for a second connection, of which there may be none left."""
    present = _present.get()
    if present is None:
        with transaction() as session:
            yield session
    else:
        with present.no_autoflush:
            yield present
