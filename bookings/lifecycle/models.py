"""Bookings: who uses which space when, on which terms."""

from datetime import datetime
from typing import Any

from psycopg.types.range import TimestamptzRange
from sqlalchemy import BigInteger, CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.orm import Mapped, mapped_column

from bookings.lifecycle.rules import STATES
from marketplace.db import Base, of_city, span_of
from marketplace.timespan import Span
from spaces.calendar.models import HOLDER_IDS


class Booking(Base):
    """An agreement about a space and a time. Money is minor units of `currency`, tax included.

    `lines` are the price lines it was sold at; `submission` is the key of the form or request that made it, so that
    a second submit finds the first one's booking.
    """

    __tablename__ = "booking"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "id"),
        UniqueConstraint("city_id", "reference"),
        UniqueConstraint("city_id", "person_id", "submission"),
        Index("ix_booking_person_start", "city_id", "person_id", text("lower(during)")),
        Index("ix_booking_organisation_start", "city_id", "organisation_id", text("lower(during)")),
        Index("ix_booking_space_start", "city_id", "space_id", text("lower(during)")),
        # What still waits for somebody or for its end: few rows, asked for by the owners' queue and by the clock.
        Index(
            "ix_booking_unfinished_end",
            "city_id",
            "state",
            text("upper(during)"),
            postgresql_where=text("state IN ('awaiting_approval', 'confirmed')"),
        ),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("attendees IS NULL OR attendees > 0", name="attendees"),
        CheckConstraint("total_minor >= 0", name="total"),
        of_city("person_id", "person"),
        of_city("organisation_id", "organisation"),
        of_city("space_id", "space"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    id: Mapped[int] = mapped_column(BigInteger, HOLDER_IDS, server_default=HOLDER_IDS.next_value())
    reference: Mapped[str]
    space_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    during: Mapped[TimestamptzRange] = mapped_column(TSTZRANGE)
    state: Mapped[str]
    purpose: Mapped[str] = mapped_column(server_default="")
    attendees: Mapped[int | None]
    lines: Mapped[list[dict[str, Any]]]
    total_minor: Mapped[int]
    vat_minor: Mapped[int]
    currency: Mapped[str]
    cancel_free_until: Mapped[datetime]
    source: Mapped[str] = mapped_column(server_default="web")
    submission: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    @property
    def span(self) -> Span:
        return span_of(self.during)
