"""Counters of the rate limits. They live in the database so that all web processes count together."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base


class RateCounter(Base):
    """How often `key` was used since `window_start`. An unlogged table: losing it in a crash costs nothing."""

    __tablename__ = "rate_counter"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - SQLAlchemy's own form

    key: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime]
    used: Mapped[int]
