"""Who waits in line for a space to become free within a window of time."""

from datetime import datetime

from psycopg.types.range import TimestamptzRange
from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.orm import Mapped, mapped_column

from bookings.waiting.rules import STATES
from marketplace.db import Base, CityRow, of_city, span_of
from marketplace.timespan import Span


class WaitingEntry(CityRow, Base):
    """A place in line; the order is that of ids.

    `minutes` is the wished length, to be had anywhere in `within`. `booking_id` is the hold that is offered until
    `offered_until`, or the booking it became.
    """

    __tablename__ = "waiting_entry"
    __table_args__ = (
        Index(
            "ix_waiting_entry_line",
            "city_id",
            "space_id",
            "id",
            postgresql_where=text("state IN ('waiting', 'offered')"),
        ),
        Index(None, "city_id", "person_id"),
        Index(None, "city_id", "booking_id", postgresql_where=text("booking_id IS NOT NULL")),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint(
            "NOT isempty(within) AND NOT lower_inf(within) AND NOT upper_inf(within)", name="within"
        ),
        CheckConstraint("(state = 'offered') = (offered_until IS NOT NULL)", name="offered_until"),
        of_city("space_id", "space", ondelete="CASCADE"),
        of_city("person_id", "person", ondelete="CASCADE"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
    )

    space_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    within: Mapped[TimestamptzRange] = mapped_column(TSTZRANGE)
    minutes: Mapped[int]
    attendees: Mapped[int | None]
    purpose: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="waiting")
    booking_id: Mapped[int | None] = mapped_column(BigInteger)
    offered_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    @property
    def window(self) -> Span:
        return span_of(self.within)
