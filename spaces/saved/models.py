"""Searches that people keep."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Float, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, of_city


class SavedSearch(CityRow, Base):
    """A question that a person asks again, and what was free when it was last asked.

    `params` are the arguments of the search page's address, the only form of the question. The columns from `first_day`
    on repeat of it what rules most out, so that freed time finds its searches without asking them. `known` and `found`
    are keys of a space and a day (`rules.key_of`): free at the last look, and freed but not told yet.
    """

    __tablename__ = "saved_search"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
        CheckConstraint("cardinality(known) <= 400 AND cardinality(found) <= 60", name="bounded"),
        CheckConstraint("cardinality(told_at) <= 3", name="told_at"),
        Index(None, "city_id", "person_id"),
        Index(None, "city_id", "ends_on"),
        # Freed days find the searches that ask for one of them; a search without days asks for all.
        Index(
            "ix_saved_search_days",
            text("daterange(first_day, last_day, '[]')"),
            postgresql_using="gist",
        ),
        Index(
            "ix_saved_search_found",
            "city_id",
            "tell_after",
            postgresql_where=text("cardinality(found) > 0 AND notify"),
        ),
        of_city("person_id", "person", ondelete="CASCADE"),
        of_city("organisation_id", "organisation", ondelete="SET NULL (organisation_id)"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    name: Mapped[str]
    summary: Mapped[str]
    params: Mapped[dict[str, Any]]
    language: Mapped[str]
    notify: Mapped[bool] = mapped_column(server_default=text("true"))
    ends_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    start_minute: Mapped[int] = mapped_column(server_default=text("0"))
    end_minute: Mapped[int] = mapped_column(server_default=text("1440"))
    people: Mapped[int | None]
    kinds: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    district_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    bbox: Mapped[list[float] | None] = mapped_column(ARRAY(Float))

    checked_at: Mapped[datetime | None]
    # More is free than is worth telling of, so nothing is told until it is less.
    is_wide: Mapped[bool] = mapped_column(server_default=text("false"))
    # What it asks cannot be asked any more: a district that is gone, a place that is not found.
    is_unreadable: Mapped[bool] = mapped_column(server_default=text("false"))
    known: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    found: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    seen_batch: Mapped[int | None] = mapped_column(BigInteger)
    told_at: Mapped[list[datetime]] = mapped_column(
        ARRAY(TIMESTAMP(timezone=True)), server_default=text("'{}'")
    )
    told_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    tell_after: Mapped[datetime | None]
