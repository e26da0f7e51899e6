"""Bookings: who uses which space when, on which terms."""

from datetime import datetime
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

from bookings.lifecycle.rules import STATES
from marketplace.db import Base, Localised, of_city, span_of
from marketplace.timespan import Span
from spaces.calendar.models import HOLDER_IDS
from spaces.catalog.models import QUESTION_KINDS


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
        CheckConstraint("(terms_version IS NULL) = (terms_accepted_at IS NULL)", name="terms"),
        ForeignKeyConstraint(["city_id", "terms_version"], ["terms_text.city_id", "terms_text.version"]),
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
    outdoor_use: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}"
    )  # what was asked by the city's tariff
    terms_version: Mapped[str | None]
    terms_accepted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    @property
    def span(self) -> Span:
        return span_of(self.during)


class BookingExtra(Base):
    """How many pieces of a venue's equipment the booking has; what they cost stands in its lines."""

    __tablename__ = "booking_extra"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "booking_id", "extra_id"),
        Index(None, "city_id", "extra_id"),
        CheckConstraint("pieces BETWEEN 1 AND 10000", name="pieces"),
        of_city("booking_id", "booking", ondelete="CASCADE"),
        of_city("extra_id", "extra"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    booking_id: Mapped[int] = mapped_column(BigInteger)
    extra_id: Mapped[int] = mapped_column(BigInteger)
    pieces: Mapped[int]


class BookingAnswer(Base):
    """What the booker answered to a question of the space, with the question as it was then.

    `choice` is the chosen option's text in each language; a file is named by the key of its store.
    """

    __tablename__ = "booking_answer"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "booking_id", "position"),
        CheckConstraint(f"kind IN {QUESTION_KINDS}", name="kind"),
        CheckConstraint("(kind = 'file') = (file_key IS NOT NULL)", name="file"),
        Index("ix_booking_answer_file_key", "file_key", postgresql_where=text("file_key IS NOT NULL")),
        of_city("booking_id", "booking", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    booking_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int]
    kind: Mapped[str]
    labels: Mapped[Localised]
    words: Mapped[str] = mapped_column(server_default="")
    choice: Mapped[Localised] = mapped_column(server_default="{}")
    file_key: Mapped[str | None]
    file_name: Mapped[str | None]
    file_type: Mapped[str | None]
    file_bytes: Mapped[int | None] = mapped_column(BigInteger)
