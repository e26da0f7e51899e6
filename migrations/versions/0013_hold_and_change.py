"""Hold a time, change a booking, and keep what has become of its price beside its state."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PAYMENT_OF = {
    "held": ("not_needed", "due"),
    "awaiting_payment": ("due",),
    "awaiting_approval": ("not_needed", "due", "paid"),
    "confirmed": ("not_needed", "due", "paid"),
    "completed": ("not_needed", "due", "paid"),
    "declined": ("not_needed", "refund_due", "refunded"),
    "cancelled": ("not_needed", "due", "paid", "refund_due", "refunded"),
    "expired": ("not_needed", "refund_due", "refunded"),
    "no_show": ("not_needed", "due", "paid"),
}
PAIRS = tuple((state, payment) for state, payments in PAYMENT_OF.items() for payment in payments)
MOMENTS = ("held_until", "requested_at")
OTHERS = ("group_id", "replaces_id")


def upgrade() -> None:
    op.add_column("booking", sa.Column("payment", sa.String(), server_default="not_needed", nullable=False))
    for name in MOMENTS:
        op.add_column("booking", sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=True))
    for name in OTHERS:
        op.add_column("booking", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column(
        "booking", sa.Column("kept_percent", sa.Integer(), server_default=sa.text("100"), nullable=False)
    )
    op.add_column("booking", sa.Column("kept_minor", sa.Integer(), nullable=True))
    op.execute("""
        UPDATE booking SET requested_at = created_at, payment = CASE
            WHEN total_minor > 0
                 AND state IN ('awaiting_payment', 'awaiting_approval', 'confirmed', 'completed', 'no_show')
            THEN 'due' ELSE 'not_needed' END
    """)
    op.create_check_constraint(op.f("ck_booking_payment"), "booking", f"(state, payment) IN {PAIRS}")
    op.create_check_constraint(
        op.f("ck_booking_held_until"), "booking", "(state = 'held') = (held_until IS NOT NULL)"
    )
    op.create_check_constraint(op.f("ck_booking_kept_percent"), "booking", "kept_percent BETWEEN 0 AND 100")
    op.create_check_constraint(op.f("ck_booking_kept"), "booking", "kept_minor BETWEEN 0 AND total_minor")
    op.create_index(
        "ix_booking_held", "booking", ["city_id", "held_until"], postgresql_where=sa.text("state = 'held'")
    )
    for name in OTHERS:
        op.create_index(
            op.f(f"ix_booking_city_id_{name}"),
            "booking",
            ["city_id", name],
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )
    op.add_column(
        "price", sa.Column("kept_percent", sa.Integer(), server_default=sa.text("100"), nullable=False)
    )
    op.create_check_constraint(op.f("ck_price_kept_percent"), "price", "kept_percent BETWEEN 0 AND 100")


def downgrade() -> None:
    op.drop_column("price", "kept_percent")
    for name in ("payment", *MOMENTS, *OTHERS, "kept_percent", "kept_minor"):
        op.drop_column("booking", name)
