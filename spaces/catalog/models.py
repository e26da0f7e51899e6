"""What is offered: venues, their units, and the spaces that cover units."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, Localised, Point, of_city

# How a booking is confirmed, and who may make one.
APPROVALS = ("instant", "handler", "trusted")
WHO = ("anyone", "verified", "organisations", "members")


class Venue(CityRow, Base):
    """A place with an address and an owner. `lon`/`lat` are WGS 84; `position` is the same in the city's metric CRS."""

    __tablename__ = "venue"
    __table_args__ = (
        UniqueConstraint("city_id", "source", "external_id"),
        Index("ix_venue_position", "position", postgresql_using="gist"),
        Index("ix_venue_search", "search", postgresql_using="gin"),
        Index("ix_venue_ends", "ends", postgresql_using="gin"),
        Index(None, "city_id", "district_id"),
        Index(None, "city_id", "owner_id"),
        CheckConstraint("(lon IS NULL) = (lat IS NULL)", name="lon_lat"),
        CheckConstraint("NOT (accessibility && accessibility_lacks)", name="accessibility"),
        of_city("owner_id", "organisation"),
        of_city("district_id", "district", ondelete="SET NULL (district_id)"),
    )

    owner_id: Mapped[int] = mapped_column(BigInteger)
    district_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str]
    names: Mapped[Localised]
    streets: Mapped[Localised] = mapped_column(server_default="{}")
    postcode: Mapped[str | None]
    locality: Mapped[str | None]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    position: Mapped[tuple[float, float] | None] = mapped_column(Point())
    area: Mapped[bytes | None] = mapped_column(LargeBinary)  # polygon, WKB, EPSG:4326
    # Codes that are told to be there, codes that are told not to be; the others nobody has told about.
    accessibility: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{}")
    accessibility_lacks: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{}")
    accessibility_measures: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    accessibility_sentences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    phone: Mapped[str | None]
    website: Mapped[str | None]
    source: Mapped[str]
    external_id: Mapped[str]
    fingerprint: Mapped[str | None]  # of the imported record, so that an unchanged one writes nothing
    search: Mapped[str] = mapped_column(
        TSVECTOR, Computed("search_vector(names, streets)", persisted=True), deferred=True
    )
    # The stems of long words turned round, so that a compound is found by its end.
    ends: Mapped[str] = mapped_column(
        TSVECTOR, Computed("word_ends(names, streets)", persisted=True), deferred=True
    )


class Unit(CityRow, Base):
    """The smallest physical part that one party can hold alone; `lanes` parties where several can share it."""

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("city_id", "venue_id", "external_id"),
        CheckConstraint("lanes BETWEEN 1 AND 10000", name="lanes"),
        of_city("venue_id", "venue", ondelete="CASCADE"),
    )

    venue_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[str]
    names: Mapped[Localised]
    lanes: Mapped[int] = mapped_column(server_default=text("1"))
    shape: Mapped[bytes | None] = mapped_column(LargeBinary)  # its ground: polygon, WKB, EPSG:4326
    # Pieces that bookings add (`spaces.equipment`), never a part of a space.
    is_equipment: Mapped[bool] = mapped_column(server_default=text("false"))


class Space(CityRow, Base):
    """What is listed and booked: one or more units under one name, with its rules. Durations are minutes."""

    __tablename__ = "space"
    __table_args__ = (
        UniqueConstraint("city_id", "venue_id", "external_id"),
        Index("ix_space_search", "search", postgresql_using="gin"),
        Index("ix_space_ends", "ends", postgresql_using="gin"),
        CheckConstraint("state IN ('draft', 'submitted', 'published', 'hidden', 'archived')", name="state"),
        CheckConstraint("hide_at > publish_at", name="schedule"),  # true where either is missing
        Index(
            "ix_space_scheduled",
            "city_id",
            "id",
            postgresql_where=text("publish_at IS NOT NULL OR hide_at IS NOT NULL"),
        ),
        CheckConstraint(f"approval IN {APPROVALS}", name="approval"),
        CheckConstraint(f"who IN {WHO}", name="who"),
        CheckConstraint("max_open_per_person > 0 AND max_open_per_organisation > 0", name="caps"),
        CheckConstraint("quota_hours > 0 AND quota_period IN ('week', 'month')", name="quota"),
        CheckConstraint(
            "min_age BETWEEN 1 AND 120 AND max_age BETWEEN 1 AND 120 AND max_age >= min_age", name="ages"
        ),
        CheckConstraint(
            "attendees_min > 0 AND attendees_max > 0 AND attendees_max >= attendees_min", name="attendees"
        ),
        CheckConstraint("capacity IS NULL OR capacity > 0", name="capacity"),
        CheckConstraint("min_minutes > 0 AND max_minutes >= min_minutes", name="duration"),
        CheckConstraint(
            "interval_minutes IN (5, 10, 15, 20, 30, 60, 90, 120, 180, 240, 360, 720, 1440)", name="interval"
        ),
        CheckConstraint("buffer_before_minutes >= 0 AND buffer_after_minutes >= 0", name="buffers"),
        CheckConstraint("holiday_rule IN ('as_usual', 'closed', 'as_sunday')", name="holiday_rule"),
        CheckConstraint("notice_minutes >= 0 AND horizon_days BETWEEN 1 AND 1830", name="notice"),
        of_city("venue_id", "venue", ondelete="CASCADE"),
        ForeignKeyConstraint(["city_id", "terms_version"], ["terms_text.city_id", "terms_text.version"]),
    )

    venue_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="published")
    kind: Mapped[str]
    names: Mapped[Localised]
    descriptions: Mapped[Localised] = mapped_column(server_default="{}")
    purposes: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{}")
    equipment: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{}")
    capacity: Mapped[int | None]
    area_m2: Mapped[float | None]
    min_minutes: Mapped[int] = mapped_column(server_default=text("60"))
    max_minutes: Mapped[int] = mapped_column(server_default=text("240"))
    interval_minutes: Mapped[int] = mapped_column(server_default=text("30"))
    whole_days: Mapped[bool] = mapped_column(server_default=text("false"))
    buffer_before_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    buffer_after_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    notice_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    horizon_days: Mapped[int] = mapped_column(server_default=text("180"))
    holiday_rule: Mapped[str] = mapped_column(server_default="as_usual")
    cancellation_hours: Mapped[int] = mapped_column(server_default=text("24"))
    approval: Mapped[str] = mapped_column(server_default="instant")
    who: Mapped[str] = mapped_column(server_default="anyone")
    trusted_groups: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{}")
    # Open bookings at a time, and hours in a local week or month, here; none where null.
    max_open_per_person: Mapped[int | None]
    max_open_per_organisation: Mapped[int | None]
    quota_hours: Mapped[int | None]
    quota_period: Mapped[str] = mapped_column(server_default="week")
    min_age: Mapped[int | None]  # whole years on the day of use
    max_age: Mapped[int | None]
    attendees_min: Mapped[int | None]
    attendees_max: Mapped[int | None]
    terms_version: Mapped[str | None]
    instructions: Mapped[Localised] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    publish_at: Mapped[datetime | None]  # when the clock is to publish or hide it
    hide_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]  # since when the city's answer is waited for
    approved_at: Mapped[datetime | None]  # when the city said yes to a private supplier's listing
    # All texts of all languages with each language's own stemmer; `search_vector` is made by the migration.
    search: Mapped[str] = mapped_column(
        TSVECTOR, Computed("search_vector(names, descriptions)", persisted=True), deferred=True
    )
    ends: Mapped[str] = mapped_column(
        TSVECTOR, Computed("word_ends(names, descriptions)", persisted=True), deferred=True
    )


class SpaceUnit(Base):
    """A unit that a space covers. Two spaces that share a unit exclude each other."""

    __tablename__ = "space_unit"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id", "unit_id"),
        Index(None, "city_id", "unit_id"),
        of_city("space_id", "space", ondelete="CASCADE"),
        of_city("unit_id", "unit", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)


# What a person may do at one venue, most first: run it and give roles, run it, answer requests, look, see when it is used.
VENUE_ROLES = ("owner", "manager", "handler", "viewer", "crew")


class VenueRole(CityRow, Base):
    """What one person may do at one venue, beside the roles in the owner organisation."""

    __tablename__ = "venue_role"
    __table_args__ = (
        UniqueConstraint("city_id", "venue_id", "person_id"),
        Index(None, "city_id", "person_id"),
        CheckConstraint(f"role IN {VENUE_ROLES}", name="role"),
        of_city("venue_id", "venue", ondelete="CASCADE"),
        of_city("person_id", "person", ondelete="CASCADE"),
    )

    venue_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


# Whose members may book where only members may; whose bookings need no answer where the trusted need none.
ORGANISATION_PARTS = ("member", "trusted")


class SpaceOrganisation(Base):
    """An organisation that a space's rules name, and the part it has in them."""

    __tablename__ = "space_organisation"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "space_id", "role", "organisation_id"),
        Index(None, "city_id", "organisation_id"),
        CheckConstraint(f"role IN {ORGANISATION_PARTS}", name="role"),
        of_city("space_id", "space", ondelete="CASCADE"),
        of_city("organisation_id", "organisation", ondelete="CASCADE"),
        {"info": {"copied_with": "space"}},
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str]
    organisation_id: Mapped[int] = mapped_column(BigInteger)


QUESTION_KINDS = ("text", "choice", "number", "file")


class SpaceQuestion(CityRow, Base):
    """What a booker of the space is asked. `options` are the choices' texts, `least` and `most` bound a number."""

    __tablename__ = "space_question"
    __table_args__ = (
        Index(None, "city_id", "space_id"),
        CheckConstraint(f"kind IN {QUESTION_KINDS}", name="kind"),
        CheckConstraint("(kind = 'choice') = (jsonb_array_length(options) > 0)", name="options"),
        CheckConstraint("most >= least", name="bounds"),
        of_city("space_id", "space", ondelete="CASCADE"),
        {"info": {"copied_with": "space"}},
    )

    space_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int]
    kind: Mapped[str]
    labels: Mapped[Localised]
    helps: Mapped[Localised] = mapped_column(server_default="{}")
    required: Mapped[bool] = mapped_column(server_default=text("true"))
    options: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    least: Mapped[int | None] = mapped_column(BigInteger)
    most: Mapped[int | None] = mapped_column(BigInteger)


class TermsText(Base):
    """Terms that some space has had to be accepted, by their digest. Never changed, so that what somebody has accepted
    can be read for ever."""

    __tablename__ = "terms_text"
    __table_args__ = (PrimaryKeyConstraint("city_id", "version"),)

    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    version: Mapped[str]
    texts: Mapped[Localised]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
