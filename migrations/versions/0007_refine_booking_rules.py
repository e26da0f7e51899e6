"""refine booking rules: caps, quotas, ages, trust, questions, terms; what a booker answered and accepted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NUMBERS = (
    "max_open_per_person",
    "max_open_per_organisation",
    "quota_hours",
    "min_age",
    "max_age",
    "attendees_min",
    "attendees_max",
)
APPROVALS = "'instant', 'handler'"
WHO = "'anyone', 'organisations'"
KINDS = "kind IN ('text', 'choice', 'number', 'file')"


def allow(name: str, codes: str) -> None:
    """Widen or narrow the words that a column of `space` may have."""
    op.drop_constraint(op.f(f"ck_space_{name}"), "space", type_="check")
    op.create_check_constraint(op.f(f"ck_space_{name}"), "space", f"{name} IN ({codes})")


def upgrade() -> None:
    op.add_column("person", sa.Column("birth_date", sa.Date(), nullable=True))
    op.add_column("person", sa.Column("identified_at", sa.TIMESTAMP(timezone=True), nullable=True))

    op.create_table(
        "terms_text",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_terms_text_city_id")),
        sa.PrimaryKeyConstraint("city_id", "version", name=op.f("pk_terms_text")),
    )

    for name in NUMBERS:
        op.add_column("space", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("space", sa.Column("quota_period", sa.String(), server_default="week", nullable=False))
    op.add_column(
        "space", sa.Column("trusted_groups", postgresql.ARRAY(sa.TEXT()), server_default="{}", nullable=False)
    )
    op.add_column("space", sa.Column("terms_version", sa.String(), nullable=True))
    op.create_foreign_key(
        op.f("fk_space_city_id_terms_version"),
        "space",
        "terms_text",
        ["city_id", "terms_version"],
        ["city_id", "version"],
    )
    allow("approval", APPROVALS + ", 'trusted'")
    allow("who", "'anyone', 'verified', 'organisations', 'members'")
    op.create_check_constraint(
        op.f("ck_space_caps"), "space", "max_open_per_person > 0 AND max_open_per_organisation > 0"
    )
    op.create_check_constraint(
        op.f("ck_space_quota"), "space", "quota_hours > 0 AND quota_period IN ('week', 'month')"
    )
    op.create_check_constraint(
        op.f("ck_space_ages"),
        "space",
        "min_age BETWEEN 1 AND 120 AND max_age BETWEEN 1 AND 120 AND max_age >= min_age",
    )
    op.create_check_constraint(
        op.f("ck_space_attendees"),
        "space",
        "attendees_min > 0 AND attendees_max > 0 AND attendees_max >= attendees_min",
    )

    op.create_table(
        "space_organisation",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('member', 'trusted')", name=op.f("ck_space_organisation_role")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_space_organisation_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_space_organisation_city_id_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "city_id", "space_id", "role", "organisation_id", name=op.f("pk_space_organisation")
        ),
    )
    op.create_index(
        op.f("ix_space_organisation_city_id_organisation_id"),
        "space_organisation",
        ["city_id", "organisation_id"],
    )

    op.create_table(
        "space_question",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("helps", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("required", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_space_question_kind")),
        sa.CheckConstraint(
            "(kind = 'choice') = (jsonb_array_length(options) > 0)", name=op.f("ck_space_question_options")
        ),
        sa.CheckConstraint("most >= least", name=op.f("ck_space_question_bounds")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_space_question_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_space_question_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_space_question")),
    )
    op.create_index(op.f("ix_space_question_city_id_space_id"), "space_question", ["city_id", "space_id"])

    op.add_column("booking", sa.Column("terms_version", sa.String(), nullable=True))
    op.add_column("booking", sa.Column("terms_accepted_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_booking_city_id_terms_version"),
        "booking",
        "terms_text",
        ["city_id", "terms_version"],
        ["city_id", "version"],
    )
    op.create_check_constraint(
        op.f("ck_booking_terms"), "booking", "(terms_version IS NULL) = (terms_accepted_at IS NULL)"
    )
    op.create_table(
        "booking_answer",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("words", sa.String(), server_default="", nullable=False),
        sa.Column("choice", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=True),
        sa.Column("file_type", sa.String(), nullable=True),
        sa.Column("file_bytes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_booking_answer_kind")),
        sa.CheckConstraint("(kind = 'file') = (file_key IS NOT NULL)", name=op.f("ck_booking_answer_file")),
        sa.ForeignKeyConstraint(
            ["city_id", "booking_id"],
            ["booking.city_id", "booking.id"],
            name=op.f("fk_booking_answer_city_id_booking_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "booking_id", "position", name=op.f("pk_booking_answer")),
    )
    op.create_index(
        "ix_booking_answer_file_key",
        "booking_answer",
        ["file_key"],
        postgresql_where=sa.text("file_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("booking_answer")
    op.drop_constraint(op.f("ck_booking_terms"), "booking", type_="check")
    op.drop_constraint(op.f("fk_booking_city_id_terms_version"), "booking", type_="foreignkey")
    op.drop_column("booking", "terms_accepted_at")
    op.drop_column("booking", "terms_version")
    op.drop_table("space_question")
    op.drop_table("space_organisation")
    for name in ("attendees", "ages", "quota", "caps"):
        op.drop_constraint(op.f(f"ck_space_{name}"), "space", type_="check")
    # Whoever was trusted waits for an answer again, and whoever was let in alone is an organisation at the least.
    op.execute("UPDATE space SET approval = 'handler' WHERE approval = 'trusted'")
    op.execute("UPDATE space SET who = 'organisations' WHERE who IN ('verified', 'members')")
    allow("approval", APPROVALS)
    allow("who", WHO)
    op.drop_constraint(op.f("fk_space_city_id_terms_version"), "space", type_="foreignkey")
    for name in ("terms_version", "trusted_groups", "quota_period", *reversed(NUMBERS)):
        op.drop_column("space", name)
    op.drop_table("terms_text")
    op.drop_column("person", "identified_at")
    op.drop_column("person", "birth_date")
