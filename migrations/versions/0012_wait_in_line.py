"""Wait in line for a space and a window of time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "waiting_entry",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("within", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("attendees", sa.Integer(), nullable=True),
        sa.Column("purpose", sa.String(), server_default="", nullable=False),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=True),
        sa.Column("offered_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'booked', 'passed', 'left', 'over')",
            name=op.f("ck_waiting_entry_state"),
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_waiting_entry_minutes")),
        sa.CheckConstraint(
            "NOT isempty(within) AND NOT lower_inf(within) AND NOT upper_inf(within)",
            name=op.f("ck_waiting_entry_within"),
        ),
        sa.CheckConstraint(
            "(state = 'offered') = (offered_until IS NOT NULL)", name=op.f("ck_waiting_entry_offered_until")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_waiting_entry_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_waiting_entry_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_waiting_entry_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_waiting_entry_city_id_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_waiting_entry")),
    )
    op.create_index(
        "ix_waiting_entry_line",
        "waiting_entry",
        ["city_id", "space_id", "id"],
        postgresql_where=sa.text("state IN ('waiting', 'offered')"),
    )
    op.create_index(op.f("ix_waiting_entry_city_id_person_id"), "waiting_entry", ["city_id", "person_id"])
    op.create_index(
        op.f("ix_waiting_entry_city_id_booking_id"),
        "waiting_entry",
        ["city_id", "booking_id"],
        postgresql_where=sa.text("booking_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("waiting_entry")
