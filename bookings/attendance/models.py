"""Whether a space wants to know that its bookers have come."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bookings.attendance.rules import LEAST_MINUTES, MODES, MOST_MINUTES, release_at
from marketplace.db import Base, of_city
from marketplace.timespan import Span


class SpaceAttendance(Base):
    """A space's own rule; a space without a row has check-in off.

    Where it is required, a booking is given up `release_minutes` after its beginning if nobody has come. That holds for
    bookings made at or after `since`: earlier bookers were not told. `poster_token` stands in the code at the door.
    """

    __tablename__ = "space_attendance"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id"),
        UniqueConstraint("poster_token"),
        CheckConstraint(f"mode IN {MODES}", name="mode"),
        CheckConstraint(
            f"release_minutes BETWEEN {LEAST_MINUTES} AND {MOST_MINUTES}", name="release_minutes"
        ),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    mode: Mapped[str] = mapped_column(server_default="off")
    release_minutes: Mapped[int] = mapped_column(server_default=text("15"))
    since: Mapped[datetime] = mapped_column(server_default=text("now()"))
    poster_token: Mapped[str]

    def gives_up(self, during: Span, asked_at: datetime) -> datetime | None:
        """When a booking of this time, asked for at `asked_at`, is given up if nobody comes; None where it never is."""
        due = release_at(during.start, self.release_minutes)
        is_bound = self.mode == "required" and asked_at >= self.since
        return due if is_bound and due < during.end else None
