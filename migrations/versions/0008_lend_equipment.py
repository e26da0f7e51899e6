"""lend equipment: things with a stock that bookings add, kept as units with lanes; prices by the city's tariff."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TARIFF = ("source", "use", "key", "place", "surface", "class")
PERS = "'free', 'hour', 'day', 'slot', 'fixed', 'm2_day'"


def upgrade() -> None:
    op.add_column(
        "unit", sa.Column("is_equipment", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_table(
        "extra",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "descriptions", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("vat_code", sa.String(), server_default="standard", nullable=False),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("archived_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("per IN ('free', 'booking', 'hour', 'day')", name=op.f("ck_extra_per")),
        sa.CheckConstraint(
            "amount_minor >= 0 AND (per = 'free') = (amount_minor = 0)", name=op.f("ck_extra_amount")
        ),
        sa.CheckConstraint("most BETWEEN 1 AND 10000", name=op.f("ck_extra_most")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_extra_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "venue_id"],
            ["venue.city_id", "venue.id"],
            name=op.f("fk_extra_city_id_venue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "unit_id"],
            ["unit.city_id", "unit.id"],
            name=op.f("fk_extra_city_id_unit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_extra")),
        sa.UniqueConstraint("city_id", "unit_id", name=op.f("uq_extra_city_id_unit_id")),
    )
    op.create_index(op.f("ix_extra_city_id_venue_id"), "extra", ["city_id", "venue_id"])
    op.create_table(
        "space_extra",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("extra_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_space_extra_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "extra_id"],
            ["extra.city_id", "extra.id"],
            name=op.f("fk_space_extra_city_id_extra_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "space_id", "extra_id", name=op.f("pk_space_extra")),
    )
    op.create_index(op.f("ix_space_extra_city_id_extra_id"), "space_extra", ["city_id", "extra_id"])
    op.create_table(
        "booking_extra",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("extra_id", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.CheckConstraint("pieces BETWEEN 1 AND 10000", name=op.f("ck_booking_extra_pieces")),
        sa.ForeignKeyConstraint(
            ["city_id", "booking_id"],
            ["booking.city_id", "booking.id"],
            name=op.f("fk_booking_extra_city_id_booking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "extra_id"],
            ["extra.city_id", "extra.id"],
            name=op.f("fk_booking_extra_city_id_extra_id"),
        ),
        sa.PrimaryKeyConstraint("city_id", "booking_id", "extra_id", name=op.f("pk_booking_extra")),
    )
    op.create_index(op.f("ix_booking_extra_city_id_extra_id"), "booking_extra", ["city_id", "extra_id"])

    op.add_column(
        "booking",
        sa.Column(
            "outdoor_use", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
    )
    for name in TARIFF:
        op.add_column("price", sa.Column(f"tariff_{name}", sa.String(), server_default="", nullable=False))
    op.drop_constraint(op.f("ck_price_per"), "price", type_="check")
    op.create_check_constraint(op.f("ck_price_per"), "price", f"per IN ({PERS}, 'tariff')")
    op.create_check_constraint(op.f("ck_price_tariff"), "price", "(per = 'tariff') = (tariff_use <> '')")


def downgrade() -> None:
    # What the old tables cannot say is gone with its kind.
    op.execute("DELETE FROM price WHERE per = 'tariff'")
    op.drop_constraint(op.f("ck_price_tariff"), "price", type_="check")
    op.drop_constraint(op.f("ck_price_per"), "price", type_="check")
    op.create_check_constraint(op.f("ck_price_per"), "price", f"per IN ({PERS})")
    for name in reversed(TARIFF):
        op.drop_column("price", f"tariff_{name}")
    op.drop_column("booking", "outdoor_use")
    op.drop_table("booking_extra")
    op.drop_table("space_extra")
    op.drop_table("extra")
    op.execute(
        "DELETE FROM claim USING unit u WHERE u.city_id = claim.city_id AND u.id = claim.unit_id AND u.is_equipment"
    )
    op.execute("DELETE FROM unit WHERE is_equipment")
    op.drop_column("unit", "is_equipment")
