"""The addresses by which calendar programs read bookings."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, of_city

KINDS = ("person", "organisation", "space", "space_public")


def live(kind: str, *columns: str) -> Index:
    """One living feed of a kind for each who may have one; a public one belongs to its space."""
    return Index(
        f"uq_calendar_feed_live_{kind}",
        "city_id",
        *columns,
        unique=True,
        postgresql_where=text(f"revoked_at IS NULL AND kind = '{kind}'"),
    )


class CalendarFeed(CityRow, Base):
    """An address that whoever knows it may read. Only its token's hash is kept, so it is shown once.

    What it holds follows the rights that its maker has when it is read, not those of the day it was made.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint(
            "(kind, organisation_id IS NOT NULL, space_id IS NOT NULL) IN (('person', false, false),"
            " ('organisation', true, false), ('space', false, true), ('space_public', false, true))",
            name="kind",
        ),
        live("person", "person_id"),
        live("organisation", "person_id", "organisation_id"),
        live("space", "person_id", "space_id"),
        live("space_public", "space_id"),
        of_city("person_id", "person", ondelete="CASCADE"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    token_hash: Mapped[bytes]
    kind: Mapped[str]
    person_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    space_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_fetched_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
