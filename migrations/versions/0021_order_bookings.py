"""Order bookings: ways of paying, orders and their lines, money that is set aside until the owner has answered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ORDER_STATES = (
    "('open', 'authorised', 'paid', 'invoiced', 'on_the_spot', 'cancelled', 'expired', 'partly_refunded',"
    " 'refunded')"
)
WAYS = "('card', 'invoice', 'on_the_spot')"
STOOD_BESIDE = {
    "held": "not_needed due",
    "awaiting_payment": "due",
    "awaiting_approval": "not_needed due paid",
    "confirmed": "not_needed due paid",
    "completed": "not_needed due paid",
    "no_show": "not_needed due paid",
    "declined": "not_needed refund_due refunded",
    "cancelled": "not_needed due paid refund_due refunded",
    "expired": "not_needed refund_due refunded",
}
STANDS_BESIDE = STOOD_BESIDE | {
    "awaiting_approval": "not_needed due authorised paid",
    "confirmed": "not_needed due authorised paid",
    "completed": "not_needed due authorised paid",
    "no_show": "not_needed due authorised paid",
}


def pairs(table: dict[str, str]) -> str:
    return str(tuple((state, payment) for state, payments in table.items() for payment in payments.split()))


def of_city(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["city_id", column],
        [f"{target}.city_id", f"{target}.id"],
        name=op.f(f"fk_{table}_city_id_{column}"),
        ondelete=ondelete,
    )


def upgrade() -> None:
    op.add_column(
        "price",
        sa.Column("ways", postgresql.ARRAY(sa.TEXT()), server_default="{on_the_spot}", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_price_ways"),
        "price",
        "cardinality(ways) > 0 AND ways <@ ARRAY['card','invoice','on_the_spot']",
    )
    op.add_column("booking", sa.Column("way", sa.String(), server_default="on_the_spot", nullable=False))
    op.add_column("booking", sa.Column("pay_until", sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("booking", sa.Column("vat_basis_points", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_booking_way"), "booking", f"way IN {WAYS}")
    op.drop_constraint(op.f("ck_booking_payment"), "booking", type_="check")
    op.create_check_constraint(
        op.f("ck_booking_payment"), "booking", f"(state, payment) IN {pairs(STANDS_BESIDE)}"
    )
    op.create_table(
        "booking_order",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("payee_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("total_minor", sa.Integer(), nullable=False),
        sa.Column("vat_minor", sa.Integer(), nullable=False),
        sa.Column("refunded_minor", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("kept_minor", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(f"state IN {ORDER_STATES}", name=op.f("ck_booking_order_state")),
        sa.CheckConstraint(f"way IN {WAYS}", name=op.f("ck_booking_order_way")),
        sa.CheckConstraint("total_minor > 0", name=op.f("ck_booking_order_total")),
        sa.CheckConstraint(
            "refunded_minor BETWEEN 0 AND total_minor", name=op.f("ck_booking_order_refunded")
        ),
        sa.CheckConstraint("kept_minor BETWEEN 0 AND total_minor", name=op.f("ck_booking_order_kept")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_booking_order_city_id")),
        of_city("booking_order", "person_id", "person"),
        of_city("booking_order", "organisation_id", "organisation"),
        of_city("booking_order", "payee_organisation_id", "organisation"),
        of_city("booking_order", "payment_id", "payment"),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_booking_order")),
        sa.UniqueConstraint("city_id", "number", name=op.f("uq_booking_order_city_id_number")),
    )
    op.create_index(op.f("ix_booking_order_city_id_person_id"), "booking_order", ["city_id", "person_id"])
    op.create_index(
        op.f("ix_booking_order_city_id_organisation_id"),
        "booking_order",
        ["city_id", "organisation_id"],
        postgresql_where=sa.text("organisation_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_booking_order_city_id_payee_organisation_id_created_at"),
        "booking_order",
        ["city_id", "payee_organisation_id", "created_at"],
    )
    op.create_index(
        op.f("ix_booking_order_city_id_payment_id"),
        "booking_order",
        ["city_id", "payment_id"],
        postgresql_where=sa.text("payment_id IS NOT NULL"),
    )
    op.create_index(
        "ix_booking_order_unpaid",
        "booking_order",
        ["city_id", "expires_at"],
        postgresql_where=sa.text("state IN ('open', 'authorised')"),
    )
    op.create_table(
        "booking_order_line",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("about", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("gross_minor", sa.Integer(), nullable=False),
        sa.Column("net_minor", sa.Integer(), nullable=False),
        sa.Column("vat_minor", sa.Integer(), nullable=False),
        sa.Column("vat_basis_points", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('sale', 'refund', 'kept_fee')", name=op.f("ck_booking_order_line_kind")),
        sa.CheckConstraint("gross_minor = net_minor + vat_minor", name=op.f("ck_booking_order_line_sum")),
        sa.CheckConstraint("vat_basis_points BETWEEN 0 AND 10000", name=op.f("ck_booking_order_line_rate")),
        of_city("booking_order_line", "order_id", "booking_order", "CASCADE"),
        of_city("booking_order_line", "booking_id", "booking"),
        sa.PrimaryKeyConstraint("city_id", "order_id", "position", name=op.f("pk_booking_order_line")),
    )
    op.create_index(
        op.f("ix_booking_order_line_city_id_booking_id"), "booking_order_line", ["city_id", "booking_id"]
    )


def downgrade() -> None:
    op.drop_table("booking_order_line")
    op.drop_table("booking_order")
    op.execute("UPDATE booking SET payment = 'due' WHERE payment = 'authorised'")
    op.drop_constraint(op.f("ck_booking_payment"), "booking", type_="check")
    op.create_check_constraint(
        op.f("ck_booking_payment"), "booking", f"(state, payment) IN {pairs(STOOD_BESIDE)}"
    )
    op.drop_constraint(op.f("ck_booking_way"), "booking", type_="check")
    for name in ("vat_basis_points", "pay_until", "way"):
        op.drop_column("booking", name)
    op.drop_constraint(op.f("ck_price_ways"), "price", type_="check")
    op.drop_column("price", "ways")
