"""Vary prices by time and customer group; discount codes; tariffs of outdoor areas."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

GROUPS = "('resident', 'association', 'youth', 'company')"


def upgrade() -> None:
    op.add_column("price", sa.Column("slot_minutes", sa.Integer(), nullable=True))
    op.add_column(
        "price", sa.Column("minimum_minor", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "price", sa.Column("build_percent", sa.Integer(), server_default=sa.text("100"), nullable=False)
    )
    op.drop_constraint(op.f("ck_price_per"), "price", type_="check")
    op.create_check_constraint(
        op.f("ck_price_per"), "price", "per IN ('free', 'hour', 'day', 'slot', 'fixed', 'm2_day')"
    )
    op.drop_constraint(op.f("ck_price_amount"), "price", type_="check")
    op.create_check_constraint(
        op.f("ck_price_amount"), "price", "amount_minor >= 0 AND (per <> 'free' OR amount_minor = 0)"
    )
    op.create_check_constraint(
        op.f("ck_price_slot"),
        "price",
        "(per = 'slot') = (slot_minutes IS NOT NULL) AND (slot_minutes IS NULL OR slot_minutes BETWEEN 5 AND 1440)",
    )
    op.create_check_constraint(op.f("ck_price_minimum"), "price", "minimum_minor >= 0")
    op.create_check_constraint(op.f("ck_price_build_percent"), "price", "build_percent BETWEEN 0 AND 100")
    op.create_table(
        "price_variation",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("group_code", sa.String(), nullable=True),
        sa.Column("days", postgresql.ARRAY(sa.INTEGER()), nullable=False),
        sa.Column("from_minute", sa.Integer(), nullable=False),
        sa.Column("to_minute", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            f"group_code IS NULL OR group_code IN {GROUPS}", name=op.f("ck_price_variation_group_code")
        ),
        sa.CheckConstraint(
            "cardinality(days) > 0 AND days <@ ARRAY[1,2,3,4,5,6,7]", name=op.f("ck_price_variation_days")
        ),
        sa.CheckConstraint(
            "0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440",
            name=op.f("ck_price_variation_minutes"),
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_price_variation_amount")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id", "valid_from"],
            ["price.city_id", "price.space_id", "price.valid_from"],
            name=op.f("fk_price_variation_city_id_space_id_valid_from"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "city_id", "space_id", "valid_from", "position", name=op.f("pk_price_variation")
        ),
    )
    op.create_table(
        "organisation_group",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("group_code", sa.String(), nullable=False),
        sa.CheckConstraint(f"group_code IN {GROUPS}", name=op.f("ck_organisation_group_group_code")),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_organisation_group_city_id_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "organisation_id", name=op.f("pk_organisation_group")),
    )
    op.create_table(
        "discount_code",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("code = upper(code) AND code <> ''", name=op.f("ck_discount_code_code")),
        sa.CheckConstraint(
            "(percent IS NULL) <> (amount_minor IS NULL)", name=op.f("ck_discount_code_one_kind")
        ),
        sa.CheckConstraint("percent BETWEEN 1 AND 100", name=op.f("ck_discount_code_percent")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_discount_code_amount")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_discount_code_valid")),
        sa.CheckConstraint(
            "uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)", name=op.f("ck_discount_code_uses")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_discount_code_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_discount_code_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_discount_code")),
        sa.UniqueConstraint(
            "city_id", "space_id", "code", name=op.f("uq_discount_code_city_id_space_id_code")
        ),
    )
    op.create_table(
        "discount_use",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("holder_id", sa.BigInteger(), nullable=False),
        sa.Column("code_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "code_id"],
            ["discount_code.city_id", "discount_code.id"],
            name=op.f("fk_discount_use_city_id_code_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "holder_id", name=op.f("pk_discount_use")),
    )
    op.create_index(op.f("ix_discount_use_city_id_code_id"), "discount_use", ["city_id", "code_id"])
    op.create_table(
        "outdoor_tariff",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("use", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("place", sa.String(), server_default="", nullable=False),
        sa.Column("surface", sa.String(), server_default="", nullable=False),
        sa.Column("payment_class", sa.String(), server_default="", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("charge", sa.BigInteger(), nullable=False),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("unit_m2", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("step_m2", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("build_percent", sa.Integer(), server_default=sa.text("100"), nullable=False),
        sa.CheckConstraint("charge >= 0", name=op.f("ck_outdoor_tariff_charge")),
        sa.CheckConstraint(
            "per IN ('once', 'day', 'week', 'month', 'billed_month', 'year')",
            name=op.f("ck_outdoor_tariff_per"),
        ),
        sa.CheckConstraint(
            "build_percent BETWEEN 0 AND 100", name=op.f("ck_outdoor_tariff_build_percent")
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_outdoor_tariff_valid")
        ),
        sa.CheckConstraint(
            "(unit_m2 IS NULL) = (step_m2 IS NULL) AND (unit_m2 IS NULL OR (unit_m2 > 0 AND step_m2 > 0))",
            name=op.f("ck_outdoor_tariff_area"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_outdoor_tariff_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_outdoor_tariff")),
        sa.UniqueConstraint(
            "city_id", "source", "use", "key", "place", "surface", "payment_class", "valid_from",
            name="uq_outdoor_tariff_row",
        ),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("outdoor_tariff")
    op.drop_index(op.f("ix_discount_use_city_id_code_id"), table_name="discount_use")
    op.drop_table("discount_use")
    op.drop_table("discount_code")
    op.drop_table("organisation_group")
    op.drop_table("price_variation")
    # Prices that the old table cannot say are gone with their kind.
    op.execute("DELETE FROM price WHERE per IN ('slot', 'fixed', 'm2_day')")
    op.execute("UPDATE price SET per = 'free' WHERE amount_minor = 0")
    for name in ("build_percent", "minimum", "slot", "amount", "per"):
        op.drop_constraint(op.f(f"ck_price_{name}"), "price", type_="check")
    op.create_check_constraint(
        op.f("ck_price_amount"), "price", "amount_minor >= 0 AND (per = 'free') = (amount_minor = 0)"
    )
    op.create_check_constraint(op.f("ck_price_per"), "price", "per IN ('free', 'hour', 'day')")
    op.drop_column("price", "build_percent")
    op.drop_column("price", "minimum_minor")
    op.drop_column("price", "slot_minutes")
