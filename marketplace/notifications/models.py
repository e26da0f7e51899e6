"""What was sent to whom: the delivery log, and in development the mailbox."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, of_city


class Mail(CityRow, Base):
    """One mail, rendered in its reader's language. `key` makes a job that runs twice send once."""

    __tablename__ = "mail"
    __table_args__ = (
        UniqueConstraint("city_id", "key"),
        CheckConstraint("state IN ('queued', 'sent', 'failed')", name="state"),
        Index(None, "city_id", "created_at"),
        of_city("person_id", "person", ondelete="SET NULL (person_id)"),
    )

    key: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    to_address: Mapped[str]
    language: Mapped[str]
    template: Mapped[str]
    subject: Mapped[str]
    body_text: Mapped[str]
    body_html: Mapped[str]
    # Where one press, or a mail program, stops mails like this one; it goes into the mail's head.
    stop_url: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    sent_at: Mapped[datetime | None]


class TextMessage(CityRow, Base):
    """One text message, in its reader's language. `key` makes a job that runs twice send once.

    It is not sent after `send_before`: what it says is over by then. Once it is sent the text is dropped; a code is never
    in it, but written in when it leaves (`marketplace.notifications.codes`). With the person it goes altogether.
    """

    __tablename__ = "text_message"
    __table_args__ = (
        UniqueConstraint("city_id", "key"),
        CheckConstraint("state IN ('queued', 'sent', 'failed', 'dropped')", name="state"),
        Index(None, "city_id", "person_id", "created_at"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    key: Mapped[str]
    person_id: Mapped[int] = mapped_column(BigInteger)
    to_number: Mapped[str]
    # Whether it goes to the person's own number, or to one that is still to be shown to be theirs.
    is_proved: Mapped[bool]
    language: Mapped[str]
    template: Mapped[str]
    body: Mapped[str]
    segments: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]
    gateway_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    send_before: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class TextNumber(CityRow, Base):
    """The mobile number that a person has shown to be theirs, in E.164, and what they want to get there."""

    __tablename__ = "text_number"
    __table_args__ = (
        UniqueConstraint("city_id", "person_id"),
        CheckConstraint("number ~ '^[+][1-9][0-9]{6,14}$'", name="number"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str]
    verified_at: Mapped[datetime]
    wants_offers: Mapped[bool] = mapped_column(server_default=text("false"))


class NumberCode(CityRow, Base):
    """A number that a person is about to show to be theirs. The code itself is kept nowhere, not even its digest."""

    __tablename__ = "number_code"
    __table_args__ = (
        UniqueConstraint("city_id", "person_id"),
        CheckConstraint("number ~ '^[+][1-9][0-9]{6,14}$'", name="number"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str]
    submission: Mapped[str]
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]


class TextLink(CityRow, Base):
    """A short address in a text message, which leads to `path` of our own pages. Only a digest of it is kept."""

    __tablename__ = "text_link"
    __table_args__ = (
        UniqueConstraint("city_id", "code_hash"),
        CheckConstraint("path LIKE '/%' AND path NOT LIKE '//%'", name="path"),
        Index(None, "expires_at"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    path: Mapped[str]
    expires_at: Mapped[datetime]
