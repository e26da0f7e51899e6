"""People, organisations, who may act for whom, and the audit trail."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, of_city

ORGANISATION_KINDS = ("association", "company", "public_body", "city_division")
# What a membership lets a person do, least first: look, book for the organisation, run it.
ROLES = ("member", "booker", "manager")


class Person(CityRow, Base):
    """A person with an account. The e-mail is kept in lower case."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("city_id", "email"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    email: Mapped[str]
    email_verified_at: Mapped[datetime | None]
    name: Mapped[str]
    phone: Mapped[str | None]
    language: Mapped[str]
    password_hash: Mapped[str | None]
    is_staff: Mapped[bool] = mapped_column(server_default=text("false"))
    birth_date: Mapped[date | None]
    # When somebody has seen who this is, from a document or by a bank's or the state's own sign-in.
    identified_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Organisation(CityRow, Base):
    """A body that lists spaces or books them. The business id is a Finnish Y-tunnus where it has one."""

    __tablename__ = "organisation"
    __table_args__ = (
        UniqueConstraint("city_id", "business_id", "name"),
        CheckConstraint(f"kind IN {ORGANISATION_KINDS}", name="kind"),
        # A city's divisions share the city's business id; an association or a company has one of its own.
        Index(
            "uq_organisation_own_business_id",
            "city_id",
            "business_id",
            unique=True,
            postgresql_where=text("kind IN ('association', 'company')"),
        ),
    )

    kind: Mapped[str]
    name: Mapped[str]
    business_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Membership(CityRow, Base):
    """A person's role in an organisation. Without `accepted_at` it gives no rights yet."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("city_id", "organisation_id", "person_id"),
        Index(None, "city_id", "person_id"),
        CheckConstraint(f"role IN {ROLES}", name="role"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    organisation_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str]
    invited_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    accepted_at: Mapped[datetime | None]


class Invitation(CityRow, Base):
    """An address invited to an organisation, whether or not it has an account. Answered, it is deleted."""

    __tablename__ = "invitation"
    __table_args__ = (
        UniqueConstraint("city_id", "organisation_id", "email"),
        Index(None, "city_id", "email"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint(f"role IN {ROLES}", name="role"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
        of_city("invited_by", "person", ondelete="CASCADE"),
    )

    organisation_id: Mapped[int] = mapped_column(BigInteger)
    email: Mapped[str]
    role: Mapped[str]
    invited_by: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did what to which row, when. Written by the same transaction as the change; never updated."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "city_id", "subject_kind", "subject_id"),)

    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str]  # web, api, command, job
    ip: Mapped[str | None] = mapped_column(INET)
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigInteger)
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
