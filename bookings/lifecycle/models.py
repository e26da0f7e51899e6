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

from bookings.lifecycle.rules import PAIRS, STATES, cancellation_schedule, cancellation_steps, kept_minor
from marketplace.db import Base, CityRow, Localised, of_city, span_of
from marketplace.timespan import Span
from spaces.calendar.models import HOLDER_IDS
from spaces.catalog.models import QUESTION_KINDS
from spaces.pricing.cancelling import Schedule
from spaces.pricing.ways import WAYS


class Booking(Base):
    """An agreement about a space and a time. Money is minor units of `currency`, tax included.

    `held_until` is set exactly while the time is only held, `requested_at` when the person said yes to it: a hold that
    lapses was never theirs. Bookings made in one go share a `group_id`, which is the id of the first of them.
    `way` is how it is paid; `pay_until` by when, where it is by card, and stays where that time passed unpaid.
    `vat_basis_points` is the rate of its own lines, of which equipment has one each.
    `replaces_id` is the confirmed booking whose other time this request asks for. `kept_percent` is the share that the
    owner keeps of a booking cancelled after `cancel_free_until`, `kept_minor` what was kept; where it was agreed on in steps,
    `cancel_tiers` has them with their instants, the first of which is `cancel_free_until`. `kept_settled_at` is when it was
    decided whether the share comes back, because the time was sold again. `lines` are the price lines it was sold at; `submission` is the key of the form or request that made it, so that
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
        CheckConstraint(f"(state, payment) IN {PAIRS}", name="payment"),
        CheckConstraint(f"way IN {WAYS}", name="way"),
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held_until"),
        CheckConstraint("kept_percent BETWEEN 0 AND 100", name="kept_percent"),
        CheckConstraint("kept_minor BETWEEN 0 AND total_minor", name="kept"),
        CheckConstraint("cancel_fee_minor >= 0", name="cancel_fee"),
        CheckConstraint("jsonb_typeof(cancel_tiers) = 'array'", name="cancel_tiers"),
        # What the clock asks for when its time begins: whether it was sold again.
        Index(
            "ix_booking_returnable",
            "city_id",
            text("lower(during)"),
            postgresql_where=text("refund_if_rebooked AND state = 'cancelled' AND kept_settled_at IS NULL"),
        ),
        Index("ix_booking_held", "city_id", "held_until", postgresql_where=text("state = 'held'")),
        Index(None, "city_id", "group_id", postgresql_where=text("group_id IS NOT NULL")),
        Index(None, "city_id", "replaces_id", postgresql_where=text("replaces_id IS NOT NULL")),
        Index(
            "ix_booking_series",
            "city_id",
            "series_id",
            "position",
            postgresql_where=text("series_id IS NOT NULL"),
        ),
        CheckConstraint("(series_id IS NULL) = (position IS NULL)", name="series"),
        of_city("series_id", "series"),
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
    payment: Mapped[str] = mapped_column(server_default="not_needed")
    way: Mapped[str] = mapped_column(server_default="on_the_spot")  # of paying
    held_until: Mapped[datetime | None]
    pay_until: Mapped[datetime | None]
    requested_at: Mapped[datetime | None]
    group_id: Mapped[int | None] = mapped_column(BigInteger)
    replaces_id: Mapped[int | None] = mapped_column(BigInteger)
    series_id: Mapped[int | None] = mapped_column(BigInteger)  # bookings.series
    position: Mapped[int | None]
    purpose: Mapped[str] = mapped_column(server_default="")
    attendees: Mapped[int | None]
    lines: Mapped[list[dict[str, Any]]]
    total_minor: Mapped[int]
    vat_minor: Mapped[int]
    vat_basis_points: Mapped[int | None]
    currency: Mapped[str]
    cancel_free_until: Mapped[datetime]
    kept_percent: Mapped[int] = mapped_column(server_default=text("100"))
    kept_minor: Mapped[int | None]
    cancel_tiers: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    cancel_fee_minor: Mapped[int] = mapped_column(server_default=text("0"))
    refund_if_rebooked: Mapped[bool] = mapped_column(server_default=text("false"))
    kept_settled_at: Mapped[datetime | None]
    reason_code: Mapped[str | None]  # of `reasons`, why it was declined or cancelled
    asked_at: Mapped[datetime | None]  # since when the owner waits for an answer before deciding
    checked_in_at: Mapped[datetime | None]  # when somebody came, and who said so
    checked_in_by: Mapped[int | None] = mapped_column(BigInteger)
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

    @property
    def schedule(self) -> Schedule:
        """What cancelling costs when, as it was agreed to."""
        return cancellation_schedule(
            cancel_free_until=self.cancel_free_until,
            kept_percent=self.kept_percent,
            tiers=self.cancel_tiers or (),
        )

    @property
    def is_in_steps(self) -> bool:
        """Whether more is to be said of cancelling than one hour and one share."""
        return bool(self.cancel_tiers or self.cancel_fee_minor or self.refund_if_rebooked)

    def agree_on(self, schedule: Schedule, *, in_steps: bool) -> None:
        """Keep this schedule; `in_steps` False: it is the one step of `kept_percent`."""
        self.cancel_free_until = schedule[0].after
        self.cancel_tiers = [tier.as_json() for tier in schedule] if in_steps else []

    def kept_at(self, at: datetime) -> int:
        """Minor units that the owner keeps when it is cancelled at `at`."""
        return kept_minor(
            state=self.state,
            total_minor=self.total_minor,
            cancel_free_until=self.cancel_free_until,
            kept_percent=self.kept_percent,
            tiers=self.cancel_tiers or (),
            fee_minor=self.cancel_fee_minor or 0,
            at=at,
        )

    @property
    def cancellation_steps(self) -> list[tuple[datetime, int]]:
        """(until, minor units kept), see `rules.cancellation_steps`."""
        return cancellation_steps(
            total_minor=self.total_minor,
            start=self.span.start,
            cancel_free_until=self.cancel_free_until,
            kept_percent=self.kept_percent,
            tiers=self.cancel_tiers or (),
            fee_minor=self.cancel_fee_minor or 0,
        )

    @property
    def kept_fee_minor(self) -> int:
        """How much of what is kept is the fixed fee: that part never comes back."""
        return min(self.kept_minor or 0, self.cancel_fee_minor or 0)


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


class BookingPerson(CityRow, Base):
    """Somebody who takes part in looking after a booking: sees it, its door code and its messages, and checks in."""

    __tablename__ = "booking_person"
    __table_args__ = (
        UniqueConstraint("city_id", "booking_id", "person_id"),
        Index(None, "city_id", "person_id"),
        of_city("booking_id", "booking", ondelete="CASCADE"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    booking_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    added_by: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
