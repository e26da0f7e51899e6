"""Offer spaces by what has been booked: consents, what is not wanted, what similar organisations use."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def of_city(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["city_id", column],
        [f"{other}.city_id", f"{other}.id"],
        name=op.f(f"fk_{table}_city_id_{column}"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "offer_consent",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.TIMESTAMP(timezone=True), nullable=False),
        of_city("offer_consent", "person_id", "person"),
        sa.PrimaryKeyConstraint("city_id", "person_id", name=op.f("pk_offer_consent")),
    )
    op.create_table(
        "pool_consent",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("said_by", sa.BigInteger(), nullable=False),
        of_city("pool_consent", "organisation_id", "organisation"),
        sa.PrimaryKeyConstraint("city_id", "organisation_id", name=op.f("pk_pool_consent")),
    )
    op.create_table(
        "pooled_use",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("group_code", sa.String(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("organisations", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("organisations >= 5", name=op.f("ck_pooled_use_organisations")),
        of_city("pooled_use", "space_id", "space"),
        sa.PrimaryKeyConstraint("city_id", "kind", "group_code", "space_id", name=op.f("pk_pooled_use")),
    )
    op.create_table(
        "offer_dismissal",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("space_id", sa.BigInteger(), nullable=True),
        sa.Column("meeting", sa.String(), nullable=True),
        sa.Column("said_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("(space_id IS NULL) <> (meeting IS NULL)", name=op.f("ck_offer_dismissal_what")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_offer_dismissal_city_id")),
        of_city("offer_dismissal", "person_id", "person"),
        of_city("offer_dismissal", "organisation_id", "organisation"),
        of_city("offer_dismissal", "space_id", "space"),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_offer_dismissal")),
        sa.UniqueConstraint(
            "city_id",
            "person_id",
            "organisation_id",
            "space_id",
            "meeting",
            name="uq_offer_dismissal_subject",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        op.f("ix_offer_dismissal_city_id_expires_at"), "offer_dismissal", ["city_id", "expires_at"]
    )


def downgrade() -> None:
    for name in ("offer_dismissal", "pooled_use", "pool_consent", "offer_consent"):
        op.drop_table(name)
