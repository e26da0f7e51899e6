"""Save searches: what is asked, what was free, what was given back since; and where a mail says how to stop it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mail", sa.Column("stop_url", sa.String(), nullable=True))
    op.create_table(
        "freed_claim",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("holder_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("freed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_freed_claim_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "unit_id"],
            ["unit.city_id", "unit.id"],
            name=op.f("fk_freed_claim_city_id_unit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_freed_claim")),
    )
    op.create_index(op.f("ix_freed_claim_city_id_batch"), "freed_claim", ["city_id", "batch"])
    op.create_table(
        "saved_search",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("notify", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("start_minute", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("end_minute", sa.Integer(), server_default=sa.text("1440"), nullable=False),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("kinds", postgresql.ARRAY(sa.TEXT()), nullable=True),
        sa.Column("district_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("bbox", postgresql.ARRAY(sa.Float()), nullable=True),
        sa.Column("checked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("is_wide", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_unreadable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("known", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("found", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("seen_batch", sa.BigInteger(), nullable=True),
        sa.Column(
            "told_at",
            postgresql.ARRAY(postgresql.TIMESTAMP(timezone=True)),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("told_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tell_after", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_saved_search_name")),
        sa.CheckConstraint(
            "cardinality(known) <= 400 AND cardinality(found) <= 60", name=op.f("ck_saved_search_bounded")
        ),
        sa.CheckConstraint("cardinality(told_at) <= 3", name=op.f("ck_saved_search_told_at")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_saved_search_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_saved_search_city_id_organisation_id"),
            ondelete="SET NULL (organisation_id)",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_saved_search_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_saved_search")),
    )
    op.create_index(op.f("ix_saved_search_city_id_ends_on"), "saved_search", ["city_id", "ends_on"])
    op.create_index(op.f("ix_saved_search_city_id_person_id"), "saved_search", ["city_id", "person_id"])
    op.create_index(
        "ix_saved_search_days",
        "saved_search",
        [sa.literal_column("daterange(first_day, last_day, '[]')")],
        postgresql_using="gist",
    )
    op.create_index(
        "ix_saved_search_found",
        "saved_search",
        ["city_id", "tell_after"],
        postgresql_where=sa.text("cardinality(found) > 0 AND notify"),
    )


def downgrade() -> None:
    op.drop_table("saved_search")
    op.drop_table("freed_claim")
    op.drop_column("mail", "stop_url")
