"""What was sent to whom: the delivery log, and in development the mailbox."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
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
    state: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    sent_at: Mapped[datetime | None]
