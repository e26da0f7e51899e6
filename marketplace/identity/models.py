"""Signed-in browsers and the one-time links that prove an address."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, of_city

LINK_PURPOSES = ("verify", "sign_in", "reset", "change")


class SignedInSession(CityRow, Base):
    """One signed-in browser. Only a digest of the cookie's token is kept."""

    __tablename__ = "signed_in_session"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "city_id", "person_id"),
        of_city("person_id", "person", ondelete="CASCADE"),
        of_city("acting_for", "organisation"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    acting_for: Mapped[int | None] = mapped_column(BigInteger)
    user_agent: Mapped[str | None]
    ip: Mapped[str | None] = mapped_column(INET)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class MailLink(CityRow, Base):
    """A link sent by mail that works once: proves the address, signs in, lets a new password be chosen or proves a
    new address. `email` is where it went; once the account has another address the link is worth nothing.
    """

    __tablename__ = "mail_link"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint(f"purpose IN {LINK_PURPOSES}", name="purpose"),
        Index(None, "city_id", "person_id"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    purpose: Mapped[str]
    email: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    next_path: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
