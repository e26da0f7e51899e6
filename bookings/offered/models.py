"""What people have said about being offered spaces, and what similar associations use, counted."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bookings.offered.rules import LEAST_ORGANISATIONS
from marketplace.db import Base, CityRow, of_city


class OfferConsent(Base):
    """A person's answer to being offered spaces by their own bookings; without a row nobody has asked them yet.

    `version` is that of the text they answered: another text is another question.
    """

    __tablename__ = "offer_consent"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "person_id"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    agreed: Mapped[bool]
    version: Mapped[int]
    said_at: Mapped[datetime]


class PoolConsent(Base):
    """An organisation's answer, by one of its managers, to its bookings being counted among those of its kind."""

    __tablename__ = "pool_consent"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "organisation_id"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int] = mapped_column(BigInteger)
    agreed: Mapped[bool]
    version: Mapped[int]
    said_at: Mapped[datetime]
    said_by: Mapped[int] = mapped_column(BigInteger)


class PooledUse(Base):
    """How many organisations of a kind and customer group have used a space in a year, of those that agreed to be counted.
    Fewer than LEAST_ORGANISATIONS are never stored, so that no number leads to one of them."""

    __tablename__ = "pooled_use"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "kind", "group_code", "space_id"),
        CheckConstraint(f"organisations >= {LEAST_ORGANISATIONS}", name="organisations"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    group_code: Mapped[str]
    space_id: Mapped[int] = mapped_column(BigInteger)
    organisations: Mapped[int]
    counted_at: Mapped[datetime]


class Dismissal(CityRow, Base):
    """What a person does not want to be offered, for themselves or for an organisation: a space, or a meeting by its name
    (`rules.meeting_of`). Forgotten after `expires_at`."""

    __tablename__ = "offer_dismissal"
    __table_args__ = (
        UniqueConstraint(
            "city_id",
            "person_id",
            "organisation_id",
            "space_id",
            "meeting",
            name="uq_offer_dismissal_subject",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("(space_id IS NULL) <> (meeting IS NULL)", name="what"),
        Index(None, "city_id", "expires_at"),
        of_city("person_id", "person", ondelete="CASCADE"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    space_id: Mapped[int | None] = mapped_column(BigInteger)
    meeting: Mapped[str | None]
    said_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
