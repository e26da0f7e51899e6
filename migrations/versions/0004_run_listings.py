"""run listings: more states with their moments, and roles of people at one venue."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENTS = ("publish_at", "hide_at", "submitted_at", "approved_at")


def upgrade() -> None:
    for name in MOMENTS:
        op.add_column("space", sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=True))
    op.drop_constraint(op.f("ck_space_state"), "space", type_="check")
    op.create_check_constraint(
        op.f("ck_space_state"), "space", "state IN ('draft', 'submitted', 'published', 'hidden', 'archived')"
    )
    op.create_check_constraint(op.f("ck_space_schedule"), "space", "hide_at > publish_at")
    op.create_index(
        "ix_space_scheduled",
        "space",
        ["city_id", "id"],
        postgresql_where=sa.text("publish_at IS NOT NULL OR hide_at IS NOT NULL"),
    )
    op.create_table(
        "venue_role",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'handler', 'viewer', 'crew')", name=op.f("ck_venue_role_role")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_venue_role_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "venue_id"],
            ["venue.city_id", "venue.id"],
            name=op.f("fk_venue_role_city_id_venue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_venue_role_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_venue_role")),
        sa.UniqueConstraint(
            "city_id", "venue_id", "person_id", name=op.f("uq_venue_role_city_id_venue_id_person_id")
        ),
    )
    op.create_index(op.f("ix_venue_role_city_id_person_id"), "venue_role", ["city_id", "person_id"])


def downgrade() -> None:
    op.drop_table("venue_role")
    op.drop_index("ix_space_scheduled", table_name="space")
    op.drop_constraint(op.f("ck_space_schedule"), "space", type_="check")
    op.drop_constraint(op.f("ck_space_state"), "space", type_="check")
    op.execute("UPDATE space SET state = 'draft' WHERE state IN ('submitted', 'hidden')")
    op.create_check_constraint(op.f("ck_space_state"), "space", "state IN ('draft', 'published', 'archived')")
    for name in reversed(MOMENTS):
        op.drop_column("space", name)
