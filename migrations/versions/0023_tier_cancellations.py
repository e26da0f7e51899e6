"""Tier cancellations: steps, a fee and the return of what is kept, on price lists and as a booking has agreed to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = ("price", "booking")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(
            table,
            sa.Column(
                "cancel_tiers",
                postgresql.JSONB(astext_type=sa.Text()),
                server_default=sa.text("'[]'"),
                nullable=False,
            ),
        )
        op.add_column(
            table, sa.Column("cancel_fee_minor", sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
        op.add_column(
            table,
            sa.Column("refund_if_rebooked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        )
        op.create_check_constraint(op.f(f"ck_{table}_cancel_fee"), table, "cancel_fee_minor >= 0")
        op.create_check_constraint(
            op.f(f"ck_{table}_cancel_tiers"), table, "jsonb_typeof(cancel_tiers) = 'array'"
        )
    op.add_column("booking", sa.Column("kept_settled_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_index(
        "ix_booking_returnable",
        "booking",
        ["city_id", sa.text("lower(during)")],
        postgresql_where=sa.text("refund_if_rebooked AND state = 'cancelled' AND kept_settled_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_booking_returnable", table_name="booking")
    op.drop_column("booking", "kept_settled_at")
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_cancel_tiers"), table, type_="check")
        op.drop_constraint(op.f(f"ck_{table}_cancel_fee"), table, type_="check")
        for name in ("refund_if_rebooked", "cancel_fee_minor", "cancel_tiers"):
            op.drop_column(table, name)
