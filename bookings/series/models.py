"""Repeated bookings: one wish for many dates, and the dates that could not be had."""

from datetime import date, datetime, time
from typing import Any

from psycopg.types.range import TimestamptzRange
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.orm import Mapped, mapped_column

from bookings.series.rules import FREQUENCIES, Recurrence
from marketplace.db import Base, CityRow, of_city, span_of
from marketplace.timespan import Span


class Series(CityRow, Base):
    """What a person asked for once: a space at a time of day on dates that follow a rule.

    Its bookings name it by `series_id` and their place in it by `position`, counted from 1 over all dates of the rule.
    `starts` is wall-clock time, null for whole days; `minutes` is the elapsed length. `continues_id` is the series that
    this one was split off from, when somebody changed the rest of it.
    """

    __tablename__ = "series"
    __table_args__ = (
        UniqueConstraint("city_id", "reference"),
        UniqueConstraint("city_id", "person_id", "submission"),
        Index(None, "city_id", "organisation_id", postgresql_where=text("organisation_id IS NOT NULL")),
        Index(None, "city_id", "space_id"),
        CheckConstraint(f"frequency IN {FREQUENCIES}", name="frequency"),
        CheckConstraint("every BETWEEN 1 AND 52", name="every"),
        CheckConstraint("(frequency = 'monthly') = (nth IS NOT NULL)", name="nth"),
        CheckConstraint("num_nonnulls(until_day, times) = 1", name="ending"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint("attendees IS NULL OR attendees > 0", name="attendees"),
        of_city("space_id", "space"),
        of_city("person_id", "person"),
        of_city("organisation_id", "organisation"),
        of_city("continues_id", "series"),
    )

    reference: Mapped[str]
    space_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    frequency: Mapped[str]
    every: Mapped[int]
    nth: Mapped[int | None]
    first_day: Mapped[date]
    until_day: Mapped[date | None]
    times: Mapped[int | None]
    starts: Mapped[time | None]
    minutes: Mapped[int]
    purpose: Mapped[str] = mapped_column(server_default="")
    attendees: Mapped[int | None]
    continues_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(server_default="web")
    submission: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    @property
    def rule(self) -> Recurrence:
        return Recurrence(self.first_day, self.frequency, self.every, self.nth, self.until_day, self.times)


class SeriesSkip(Base):
    """A date of a series that is not at its wished time: why, and which booking took its place, if one did."""

    __tablename__ = "series_skip"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "series_id", "position"),
        ForeignKeyConstraint(["city_id", "series_id"], ["series.city_id", "series.id"], ondelete="CASCADE"),
        of_city("booking_id", "booking"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    series_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int]
    day: Mapped[date]
    during: Mapped[TimestamptzRange] = mapped_column(TSTZRANGE)
    code: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    booking_id: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def span(self) -> Span:
        return span_of(self.during)
