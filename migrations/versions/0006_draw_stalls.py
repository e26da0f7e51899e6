"""draw stalls: the ground of units, the stalls of market squares, and their price classes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def of_city(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["city_id", column],
        [f"{target}.city_id", f"{target}.id"],
        name=op.f(f"fk_{table}_city_id_{column}"),
        ondelete=ondelete,
    )


def upgrade() -> None:
    op.add_column("unit", sa.Column("shape", sa.LargeBinary(), nullable=True))
    op.create_table(
        "stall_class",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint("code ~ '^[A-Z]$'", name=op.f("ck_stall_class_code")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_stall_class_city_id")),
        of_city("stall_class", "venue_id", "venue", "CASCADE"),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_stall_class")),
        sa.UniqueConstraint("city_id", "venue_id", "code", name=op.f("uq_stall_class_city_id_venue_id_code")),
    )
    op.create_table(
        "stall_class_price",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("class_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("slot_minutes", sa.Integer(), nullable=True),
        sa.Column("vat_code", sa.String(), server_default="standard", nullable=False),
        sa.Column("groups", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "per IN ('free', 'day', 'slot', 'hour', 'fixed')", name=op.f("ck_stall_class_price_per")
        ),
        sa.CheckConstraint(
            "amount_minor >= 0 AND (per <> 'free' OR amount_minor = 0)",
            name=op.f("ck_stall_class_price_amount"),
        ),
        sa.CheckConstraint(
            "(per = 'slot') = (slot_minutes IS NOT NULL)", name=op.f("ck_stall_class_price_slot")
        ),
        of_city("stall_class_price", "class_id", "stall_class", "CASCADE"),
        sa.PrimaryKeyConstraint("city_id", "class_id", "valid_from", name=op.f("pk_stall_class_price")),
    )
    op.create_table(
        "stall",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("class_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("width_m", sa.Float(), nullable=False),
        sa.Column("depth_m", sa.Float(), nullable=False),
        sa.CheckConstraint("number <> ''", name=op.f("ck_stall_number")),
        sa.CheckConstraint("width_m > 0 AND depth_m > 0", name=op.f("ck_stall_sides")),
        of_city("stall", "venue_id", "venue", "CASCADE"),
        of_city("stall", "space_id", "space", "CASCADE"),
        of_city("stall", "unit_id", "unit", "CASCADE"),
        of_city("stall", "class_id", "stall_class"),
        sa.PrimaryKeyConstraint("city_id", "space_id", name=op.f("pk_stall")),
        sa.UniqueConstraint("city_id", "venue_id", "number", name=op.f("uq_stall_city_id_venue_id_number")),
        sa.UniqueConstraint("city_id", "unit_id", name=op.f("uq_stall_city_id_unit_id")),
    )


def downgrade() -> None:
    for table in ("stall", "stall_class_price", "stall_class"):
        op.drop_table(table)
    op.drop_column("unit", "shape")
