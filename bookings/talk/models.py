"""Messages about bookings."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from bookings.talk.rules import KINDS, SIDES, TEXT_MAX
from marketplace.db import Base, CityRow, of_city


class BookingMessage(CityRow, Base):
    """What one person wrote for the other side, plain text. A `question` lets the request wait for its answer.

    `read_at` is when the first of the other side saw it; `submission` names the form, so that one sent twice is one.
    """

    __tablename__ = "booking_message"
    __table_args__ = (
        UniqueConstraint(
            "city_id", "booking_id", "person_id", "submission", name="uq_booking_message_submission"
        ),
        Index("ix_booking_message_unread", "city_id", "booking_id", postgresql_where=sql("read_at IS NULL")),
        CheckConstraint(f"side IN {SIDES}", name="side"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("kind = 'message' OR side = 'owner'", name="question"),
        CheckConstraint(f"char_length(text) BETWEEN 1 AND {TEXT_MAX}", name="text"),
        of_city("booking_id", "booking", ondelete="CASCADE"),
        of_city("person_id", "person"),
    )

    booking_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    side: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="message")
    text: Mapped[str]
    submission: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sql("now()"))
    read_at: Mapped[datetime | None]
