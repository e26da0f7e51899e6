"""repeat bookings: series of dates, and the dates that could not be had."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "series",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("frequency", sa.String(), nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=True),
        sa.Column("starts", sa.Time(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), server_default="", nullable=False),
        sa.Column("attendees", sa.Integer(), nullable=True),
        sa.Column("continues_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(), server_default="web", nullable=False),
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("frequency IN ('weekly', 'monthly')", name=op.f("ck_series_frequency")),
        sa.CheckConstraint("every BETWEEN 1 AND 52", name=op.f("ck_series_every")),
        sa.CheckConstraint("(frequency = 'monthly') = (nth IS NOT NULL)", name=op.f("ck_series_nth")),
        sa.CheckConstraint("num_nonnulls(until_day, times) = 1", name=op.f("ck_series_ending")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_series_minutes")),
        sa.CheckConstraint("attendees IS NULL OR attendees > 0", name=op.f("ck_series_attendees")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_series_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"], ["space.city_id", "space.id"], name=op.f("fk_series_city_id_space_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_series_city_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_series_city_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "continues_id"],
            ["series.city_id", "series.id"],
            name=op.f("fk_series_city_id_continues_id"),
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_series")),
        sa.UniqueConstraint("city_id", "reference", name=op.f("uq_series_city_id_reference")),
        sa.UniqueConstraint(
            "city_id", "person_id", "submission", name=op.f("uq_series_city_id_person_id_submission")
        ),
    )
    op.create_index(
        op.f("ix_series_city_id_organisation_id"),
        "series",
        ["city_id", "organisation_id"],
        postgresql_where=sa.text("organisation_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_series_city_id_space_id"), "series", ["city_id", "space_id"])
    op.add_column("booking", sa.Column("series_id", sa.BigInteger(), nullable=True))
    op.add_column("booking", sa.Column("position", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_booking_series"), "booking", "(series_id IS NULL) = (position IS NULL)"
    )
    op.create_foreign_key(
        op.f("fk_booking_city_id_series_id"),
        "booking",
        "series",
        ["city_id", "series_id"],
        ["city_id", "id"],
    )
    op.create_index(
        "ix_booking_series",
        "booking",
        ["city_id", "series_id", "position"],
        postgresql_where=sa.text("series_id IS NOT NULL"),
    )
    op.create_table(
        "series_skip",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("values", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "series_id"],
            ["series.city_id", "series.id"],
            name=op.f("fk_series_skip_city_id_series_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "booking_id"],
            ["booking.city_id", "booking.id"],
            name=op.f("fk_series_skip_city_id_booking_id"),
        ),
        sa.PrimaryKeyConstraint("city_id", "series_id", "position", name=op.f("pk_series_skip")),
    )


def downgrade() -> None:
    op.drop_table("series_skip")
    op.drop_index("ix_booking_series", table_name="booking")
    op.drop_constraint(op.f("fk_booking_city_id_series_id"), "booking", type_="foreignkey")
    op.drop_constraint(op.f("ck_booking_series"), "booking", type_="check")
    op.drop_column("booking", "position")
    op.drop_column("booking", "series_id")
    op.drop_table("series")
