"""Lay the ground: cities, people, spaces, their calendar, bookings, and procrastinate's own tables for jobs."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


class Point(sa.types.UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_):
        return "POINT"


SEARCH_VECTOR = """
    CREATE FUNCTION search_vector(names jsonb, more jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT setweight(to_tsvector('pg_catalog.finnish', coalesce(names->>'fi', '')), 'A')
            || setweight(to_tsvector('pg_catalog.swedish', coalesce(names->>'sv', '')), 'A')
            || setweight(to_tsvector('pg_catalog.english', coalesce(names->>'en', '')), 'A')
            || setweight(to_tsvector('pg_catalog.finnish', coalesce(more->>'fi', '')), 'C')
            || setweight(to_tsvector('pg_catalog.swedish', coalesce(more->>'sv', '')), 'C')
            || setweight(to_tsvector('pg_catalog.english', coalesce(more->>'en', '')), 'C')
    $$
"""


def upgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT to_regclass('procrastinate_jobs')")) is None:
        op.get_bind().connection.driver_connection.execute(SchemaManager.get_schema())
    op.execute(sa.schema.CreateSequence(sa.Sequence("holder_id_seq")))
    op.execute(SEARCH_VECTOR)
    op.create_table(
        "city",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=True),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("product_name", sa.String(), server_default="Tilaa", nullable=False),
        sa.Column("country", sa.String(), server_default="FI", nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("metric_crs", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), server_default="EUR", nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("logo_path", sa.String(), nullable=True),
        sa.Column("theme", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_city")),
        sa.UniqueConstraint("host", name=op.f("uq_city_host")),
        sa.UniqueConstraint("slug", name=op.f("uq_city_slug")),
    )
    op.create_table(
        "rate_counter",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("window_start", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_counter")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "audit_entry",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("ip", postgresql.INET(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_audit_entry_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_audit_entry")),
    )
    op.create_index(
        op.f("ix_audit_entry_city_id_subject_kind_subject_id"),
        "audit_entry",
        ["city_id", "subject_kind", "subject_id"],
        unique=False,
    )
    op.create_table(
        "district",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=False),
        sa.Column("outline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_district_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_district")),
        sa.UniqueConstraint("city_id", "kind", "code", name=op.f("uq_district_city_id_kind_code")),
    )
    op.create_table(
        "organisation",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("business_id", sa.String(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "kind IN ('association', 'company', 'public_body', 'city_division')",
            name=op.f("ck_organisation_kind"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_organisation_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_organisation")),
        sa.UniqueConstraint(
            "city_id", "business_id", "name", name=op.f("uq_organisation_city_id_business_id_name")
        ),
    )
    op.create_index(
        "uq_organisation_own_business_id",
        "organisation",
        ["city_id", "business_id"],
        unique=True,
        postgresql_where=sa.text("kind IN ('association', 'company')"),
    )
    op.create_table(
        "person",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_verified_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("is_staff", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_person_email_lower")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_person_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_person")),
        sa.UniqueConstraint("city_id", "email", name=op.f("uq_person_city_id_email")),
    )
    op.create_table(
        "vat_rate",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("basis_points", sa.Integer(), nullable=False),
        sa.CheckConstraint("basis_points BETWEEN 0 AND 10000", name=op.f("ck_vat_rate_basis_points")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_vat_rate_city_id")),
        sa.PrimaryKeyConstraint("city_id", "code", "valid_from", name=op.f("pk_vat_rate")),
    )
    op.create_table(
        "home_district",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("district_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "district_id"],
            ["district.city_id", "district.id"],
            name=op.f("fk_home_district_city_id_district_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_home_district_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "person_id", name=op.f("pk_home_district")),
    )
    op.create_table(
        "invitation",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("invited_by", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('member', 'booker', 'manager')", name=op.f("ck_invitation_role")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_invitation_email_lower")),
        sa.ForeignKeyConstraint(
            ["city_id", "invited_by"],
            ["person.city_id", "person.id"],
            name=op.f("fk_invitation_city_id_invited_by"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_invitation_city_id_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_invitation_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_invitation")),
        sa.UniqueConstraint(
            "city_id", "organisation_id", "email", name=op.f("uq_invitation_city_id_organisation_id_email")
        ),
    )
    op.create_index(op.f("ix_invitation_city_id_email"), "invitation", ["city_id", "email"], unique=False)
    op.create_table(
        "mail",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("to_address", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body_text", sa.String(), nullable=False),
        sa.Column("body_html", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed')", name=op.f("ck_mail_state")),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_mail_city_id_person_id"),
            ondelete="SET NULL (person_id)",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_mail_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_mail")),
        sa.UniqueConstraint("city_id", "key", name=op.f("uq_mail_city_id_key")),
    )
    op.create_index(op.f("ix_mail_city_id_created_at"), "mail", ["city_id", "created_at"], unique=False)
    op.create_table(
        "mail_link",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("next_path", sa.String(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('verify', 'sign_in', 'reset', 'change')", name=op.f("ck_mail_link_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_mail_link_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_mail_link_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_mail_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_mail_link_token_hash")),
    )
    op.create_index(
        op.f("ix_mail_link_city_id_person_id"), "mail_link", ["city_id", "person_id"], unique=False
    )
    op.create_table(
        "membership",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("invited_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("accepted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('member', 'booker', 'manager')", name=op.f("ck_membership_role")),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_membership_city_id_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_membership_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_membership_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_membership")),
        sa.UniqueConstraint(
            "city_id",
            "organisation_id",
            "person_id",
            name=op.f("uq_membership_city_id_organisation_id_person_id"),
        ),
    )
    op.create_index(
        op.f("ix_membership_city_id_person_id"), "membership", ["city_id", "person_id"], unique=False
    )
    op.create_table(
        "signed_in_session",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("acting_for", sa.BigInteger(), nullable=True),
        sa.Column("user_agent", sa.String(), nullable=True),
        sa.Column("ip", postgresql.INET(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "seen_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "acting_for"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_signed_in_session_city_id_acting_for"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_signed_in_session_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_signed_in_session_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_signed_in_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_signed_in_session_token_hash")),
    )
    op.create_index(
        op.f("ix_signed_in_session_city_id_person_id"),
        "signed_in_session",
        ["city_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "venue",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("streets", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("locality", sa.String(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("position", Point(), nullable=True),
        sa.Column("area", sa.LargeBinary(), nullable=True),
        sa.Column("accessibility", postgresql.ARRAY(sa.TEXT()), server_default="{}", nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("website", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed("search_vector(names, streets)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint("(lon IS NULL) = (lat IS NULL)", name=op.f("ck_venue_lon_lat")),
        sa.ForeignKeyConstraint(
            ["city_id", "district_id"],
            ["district.city_id", "district.id"],
            name=op.f("fk_venue_city_id_district_id"),
            ondelete="SET NULL (district_id)",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "owner_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_venue_city_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_venue_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_venue")),
        sa.UniqueConstraint(
            "city_id", "source", "external_id", name=op.f("uq_venue_city_id_source_external_id")
        ),
    )
    op.create_index(op.f("ix_venue_city_id_district_id"), "venue", ["city_id", "district_id"], unique=False)
    op.create_index(op.f("ix_venue_city_id_owner_id"), "venue", ["city_id", "owner_id"], unique=False)
    op.create_index("ix_venue_position", "venue", ["position"], unique=False, postgresql_using="gist")
    op.create_index("ix_venue_search", "venue", ["search"], unique=False, postgresql_using="gin")
    op.create_table(
        "space",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="published", nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "descriptions", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("purposes", postgresql.ARRAY(sa.TEXT()), server_default="{}", nullable=False),
        sa.Column("equipment", postgresql.ARRAY(sa.TEXT()), server_default="{}", nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("area_m2", sa.Double(), nullable=True),
        sa.Column("min_minutes", sa.Integer(), server_default=sa.text("60"), nullable=False),
        sa.Column("max_minutes", sa.Integer(), server_default=sa.text("240"), nullable=False),
        sa.Column("interval_minutes", sa.Integer(), server_default=sa.text("30"), nullable=False),
        sa.Column("whole_days", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("buffer_before_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("buffer_after_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("notice_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("horizon_days", sa.Integer(), server_default=sa.text("180"), nullable=False),
        sa.Column("cancellation_hours", sa.Integer(), server_default=sa.text("24"), nullable=False),
        sa.Column("approval", sa.String(), server_default="instant", nullable=False),
        sa.Column("who", sa.String(), server_default="anyone", nullable=False),
        sa.Column(
            "instructions", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed("search_vector(names, descriptions)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint("approval IN ('instant', 'handler')", name=op.f("ck_space_approval")),
        sa.CheckConstraint("state IN ('draft', 'published', 'archived')", name=op.f("ck_space_state")),
        sa.CheckConstraint("who IN ('anyone', 'organisations')", name=op.f("ck_space_who")),
        sa.CheckConstraint(
            "buffer_before_minutes >= 0 AND buffer_after_minutes >= 0", name=op.f("ck_space_buffers")
        ),
        sa.CheckConstraint("capacity IS NULL OR capacity > 0", name=op.f("ck_space_capacity")),
        sa.CheckConstraint(
            "interval_minutes IN (5, 10, 15, 20, 30, 60, 90, 120, 180, 240, 360, 720, 1440)",
            name=op.f("ck_space_interval"),
        ),
        sa.CheckConstraint("min_minutes > 0 AND max_minutes >= min_minutes", name=op.f("ck_space_duration")),
        sa.CheckConstraint(
            "notice_minutes >= 0 AND horizon_days BETWEEN 1 AND 1830", name=op.f("ck_space_notice")
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "venue_id"],
            ["venue.city_id", "venue.id"],
            name=op.f("fk_space_city_id_venue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_space_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_space")),
        sa.UniqueConstraint(
            "city_id", "venue_id", "external_id", name=op.f("uq_space_city_id_venue_id_external_id")
        ),
    )
    op.create_index("ix_space_search", "space", ["search"], unique=False, postgresql_using="gin")
    op.create_table(
        "unit",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lanes", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("lanes BETWEEN 1 AND 10000", name=op.f("ck_unit_lanes")),
        sa.ForeignKeyConstraint(
            ["city_id", "venue_id"],
            ["venue.city_id", "venue.id"],
            name=op.f("fk_unit_city_id_venue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_unit_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_unit")),
        sa.UniqueConstraint(
            "city_id", "venue_id", "external_id", name=op.f("uq_unit_city_id_venue_id_external_id")
        ),
    )
    op.create_table(
        "booking",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('holder_id_seq')"), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), server_default="", nullable=False),
        sa.Column("attendees", sa.Integer(), nullable=True),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("total_minor", sa.Integer(), nullable=False),
        sa.Column("vat_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("cancel_free_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("source", sa.String(), server_default="web", nullable=False),
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('held', 'awaiting_payment', 'awaiting_approval', 'confirmed', 'completed', 'declined', 'cancelled', 'expired', 'no_show')",
            name=op.f("ck_booking_state"),
        ),
        sa.CheckConstraint("attendees IS NULL OR attendees > 0", name=op.f("ck_booking_attendees")),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_booking_total")),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_booking_city_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_booking_city_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"], ["space.city_id", "space.id"], name=op.f("fk_booking_city_id_space_id")
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_booking")),
        sa.UniqueConstraint(
            "city_id", "person_id", "submission", name=op.f("uq_booking_city_id_person_id_submission")
        ),
        sa.UniqueConstraint("city_id", "reference", name=op.f("uq_booking_city_id_reference")),
    )
    op.create_index(
        "ix_booking_organisation_start",
        "booking",
        ["city_id", "organisation_id", sa.literal_column("lower(during)")],
        unique=False,
    )
    op.create_index(
        "ix_booking_person_start",
        "booking",
        ["city_id", "person_id", sa.literal_column("lower(during)")],
        unique=False,
    )
    op.create_index(
        "ix_booking_space_start",
        "booking",
        ["city_id", "space_id", sa.literal_column("lower(during)")],
        unique=False,
    )
    op.create_index(
        "ix_booking_unfinished_end",
        "booking",
        ["city_id", "state", sa.literal_column("upper(during)")],
        unique=False,
        postgresql_where=sa.text("state IN ('awaiting_approval', 'confirmed')"),
    )
    op.create_table(
        "claim",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("holder_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lane", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(unit_id * 65536 + lane, unit_id * 65536 + lane, '[]')"), "&&"),
            (sa.text("during"), "&&"),
            (
                sa.text(
                    "(CASE WHEN part = 0 THEN '(,)'::int8range ELSE int8range(holder_id, holder_id, '[]') END)"
                ),
                "&&",
            ),
            using="gist",
            name="claim_no_overlap",
        ),
        sa.CheckConstraint(
            "NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)",
            name=op.f("ck_claim_during"),
        ),
        sa.CheckConstraint("lane >= 0 AND lane < 65536", name=op.f("ck_claim_lane")),
        sa.CheckConstraint("part IN (0, 1, 2)", name=op.f("ck_claim_part")),
        sa.ForeignKeyConstraint(
            ["city_id", "unit_id"], ["unit.city_id", "unit.id"], name=op.f("fk_claim_city_id_unit_id")
        ),
        sa.PrimaryKeyConstraint("city_id", "holder_id", "unit_id", "lane", "part", name=op.f("pk_claim")),
    )
    op.create_table(
        "closure",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('holder_id_seq')"), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_closure_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_closure")),
    )
    op.create_index(op.f("ix_closure_city_id_space_id"), "closure", ["city_id", "space_id"], unique=False)
    op.create_table(
        "day_sheet",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("free", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_day_sheet_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "month", "space_id", name=op.f("pk_day_sheet")),
    )
    op.create_table(
        "opening_exception",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=True),
        sa.Column("closes", sa.Time(), nullable=True),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint("(opens IS NULL) = (closes IS NULL)", name=op.f("ck_opening_exception_hours")),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_opening_exception_period")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_opening_exception_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_opening_exception_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_opening_exception")),
    )
    op.create_index(
        op.f("ix_opening_exception_city_id_space_id"),
        "opening_exception",
        ["city_id", "space_id"],
        unique=False,
    )
    op.create_table(
        "opening_month",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("open", postgresql.TSTZMULTIRANGE(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_opening_month_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "month", "space_id", name=op.f("pk_opening_month")),
    )
    op.create_table(
        "opening_rule",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("days", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "days <@ ARRAY[1, 2, 3, 4, 5, 6, 7] AND cardinality(days) > 0", name=op.f("ck_opening_rule_days")
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from",
            name=op.f("ck_opening_rule_period"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_opening_rule_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_opening_rule_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_opening_rule")),
    )
    op.create_index(
        op.f("ix_opening_rule_city_id_space_id"), "opening_rule", ["city_id", "space_id"], unique=False
    )
    op.create_table(
        "price",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("vat_code", sa.String(), server_default="standard", nullable=False),
        sa.CheckConstraint(
            "amount_minor >= 0 AND (per = 'free') = (amount_minor = 0)", name=op.f("ck_price_amount")
        ),
        sa.CheckConstraint("per IN ('free', 'hour', 'day')", name=op.f("ck_price_per")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_price_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "space_id", "valid_from", name=op.f("pk_price")),
    )
    op.create_table(
        "space_unit",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_space_unit_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "unit_id"],
            ["unit.city_id", "unit.id"],
            name=op.f("fk_space_unit_city_id_unit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "space_id", "unit_id", name=op.f("pk_space_unit")),
    )
    op.create_index(op.f("ix_space_unit_city_id_unit_id"), "space_unit", ["city_id", "unit_id"], unique=False)


def downgrade() -> None:
    # procrastinate's tables stay: they may serve whatever else runs jobs in this database.
    op.drop_index(op.f("ix_space_unit_city_id_unit_id"), table_name="space_unit")
    op.drop_table("space_unit")
    op.drop_table("price")
    op.drop_index(op.f("ix_opening_rule_city_id_space_id"), table_name="opening_rule")
    op.drop_table("opening_rule")
    op.drop_table("opening_month")
    op.drop_index(op.f("ix_opening_exception_city_id_space_id"), table_name="opening_exception")
    op.drop_table("opening_exception")
    op.drop_table("day_sheet")
    op.drop_index(op.f("ix_closure_city_id_space_id"), table_name="closure")
    op.drop_table("closure")
    op.drop_table("claim")
    op.drop_index(
        "ix_booking_unfinished_end",
        table_name="booking",
        postgresql_where=sa.text("state IN ('awaiting_approval', 'confirmed')"),
    )
    op.drop_index("ix_booking_space_start", table_name="booking")
    op.drop_index("ix_booking_person_start", table_name="booking")
    op.drop_index("ix_booking_organisation_start", table_name="booking")
    op.drop_table("booking")
    op.drop_table("unit")
    op.drop_index("ix_space_search", table_name="space", postgresql_using="gin")
    op.drop_table("space")
    op.drop_index("ix_venue_search", table_name="venue", postgresql_using="gin")
    op.drop_index("ix_venue_position", table_name="venue", postgresql_using="gist")
    op.drop_index(op.f("ix_venue_city_id_owner_id"), table_name="venue")
    op.drop_index(op.f("ix_venue_city_id_district_id"), table_name="venue")
    op.drop_table("venue")
    op.drop_index(op.f("ix_signed_in_session_city_id_person_id"), table_name="signed_in_session")
    op.drop_table("signed_in_session")
    op.drop_index(op.f("ix_membership_city_id_person_id"), table_name="membership")
    op.drop_table("membership")
    op.drop_index(op.f("ix_mail_link_city_id_person_id"), table_name="mail_link")
    op.drop_table("mail_link")
    op.drop_index(op.f("ix_mail_city_id_created_at"), table_name="mail")
    op.drop_table("mail")
    op.drop_index(op.f("ix_invitation_city_id_email"), table_name="invitation")
    op.drop_table("invitation")
    op.drop_table("home_district")
    op.drop_table("vat_rate")
    op.drop_table("person")
    op.drop_index(
        "uq_organisation_own_business_id",
        table_name="organisation",
        postgresql_where=sa.text("kind IN ('association', 'company')"),
    )
    op.drop_table("organisation")
    op.drop_table("district")
    op.drop_index(op.f("ix_audit_entry_city_id_subject_kind_subject_id"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("rate_counter")
    op.drop_table("city")
    op.execute("DROP FUNCTION search_vector(jsonb, jsonb)")
    op.execute(sa.schema.DropSequence(sa.Sequence("holder_id_seq")))
