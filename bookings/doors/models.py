"""How doors open, the owner's lists of codes, and which booking has which access."""

from datetime import date, datetime

from psycopg.types.range import TimestamptzRange
from sqlalchemy import BigInteger, CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.orm import Mapped, mapped_column

from bookings.doors.rules import CHOICES, GRANT_STATES, METHODS, MOST_MINUTES_BEFORE
from marketplace.db import Base, CityRow, Localised, of_city, span_of
from marketplace.sealing import seal, unseal
from marketplace.timespan import Span


class SpaceDoor(Base):
    """How a space's door opens; a space without a row says nothing about it.

    `texts` is the instruction, or with a code how the lock is used; like the code it is shown from `minutes_before` the
    beginning until the end. `choice` says how the built-in list of codes is used.
    """

    __tablename__ = "space_door"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id"),
        CheckConstraint(f"method IN {METHODS}", name="method"),
        CheckConstraint(f"choice IN {CHOICES}", name="choice"),
        CheckConstraint(f"minutes_before BETWEEN 0 AND {MOST_MINUTES_BEFORE}", name="minutes_before"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(server_default="none")
    provider: Mapped[str] = mapped_column(server_default="static")
    texts: Mapped[Localised] = mapped_column(server_default="{}")
    minutes_before: Mapped[int] = mapped_column(server_default=text("60"))
    choice: Mapped[str] = mapped_column(server_default="by_date")


class SealedSecret:
    """A row with a secret that is kept encrypted. `plain` is one that was kept before, until the sweeper has sealed it."""

    plain: Mapped[str | None] = mapped_column("secret")
    sealed: Mapped[bytes | None]

    @property
    def secret(self) -> str | None:
        """The secret; None where there is none, and where its key is lost."""
        if self.plain is not None:
            return self.plain
        return unseal(self.sealed) if self.sealed is not None else None

    @secret.setter
    def secret(self, text: str | None) -> None:
        self.plain, self.sealed = None, seal(text) if text is not None else None


class DoorCode(SealedSecret, CityRow, Base):
    """One code of the owner's own list, good on the days from `valid_from` to `valid_to`, both included."""

    __tablename__ = "door_code"
    __table_args__ = (
        Index(None, "city_id", "space_id"),
        CheckConstraint("valid_to >= valid_from", name="period"),
        CheckConstraint("num_nonnulls(secret, sealed) = 1", name="secret"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    space_id: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    given_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class AccessGrant(SealedSecret, CityRow, Base):
    """The access that one booking has or is to have. `valid` is the time for which the lock is asked to open.

    `version` grows with every try, so that an answer that comes late is known as such. `reference` is the provider's own
    name for what it made. Grants of one `series_key` have one code where the provider's codes allow.
    """

    __tablename__ = "access_grant"
    __table_args__ = (
        UniqueConstraint("city_id", "booking_id"),
        CheckConstraint(f"state IN {GRANT_STATES}", name="state"),
        CheckConstraint("state <> 'ready' OR secret IS NOT NULL OR sealed IS NOT NULL", name="secret"),
        CheckConstraint("state <> 'revoked' OR (secret IS NULL AND sealed IS NULL)", name="revoked"),
        Index(
            "ix_access_grant_unfinished",
            "city_id",
            "retry_at",
            postgresql_where=text("state IN ('pending', 'failed')"),
        ),
        Index(
            "ix_access_grant_series",
            "city_id",
            "series_key",
            postgresql_where=text("series_key IS NOT NULL"),
        ),
        of_city("booking_id", "booking", ondelete="CASCADE"),
    )

    booking_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    provider: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="pending")
    version: Mapped[int] = mapped_column(server_default=text("0"))
    valid: Mapped[TimestamptzRange] = mapped_column(TSTZRANGE)
    series_key: Mapped[str | None]
    reference: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    retry_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    @property
    def span(self) -> Span:
        return span_of(self.valid)
