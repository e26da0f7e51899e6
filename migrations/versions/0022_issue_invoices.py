"""Issue invoices: sellers, terms, number series, invoices with lines and payments, cost objects of the accounting."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoice_seller",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("business_id", sa.String(), nullable=False),
        sa.Column("vat_number", sa.String(), server_default="", nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("locality", sa.String(), nullable=False),
        sa.Column("email", sa.String(), server_default="", nullable=False),
        sa.Column("phone", sa.String(), server_default="", nullable=False),
        sa.Column("iban", sa.String(), nullable=False),
        sa.Column("bic", sa.String(), nullable=False),
        sa.Column("payment_days", sa.Integer(), server_default=sa.text("14"), nullable=False),
        sa.Column("late_texts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("e_address", sa.String(), server_default="", nullable=False),
        sa.Column("e_operator", sa.String(), server_default="", nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("payment_days BETWEEN 0 AND 90", name=op.f("ck_invoice_seller_payment_days")),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_invoice_seller_city_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_invoice_seller_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_invoice_seller")),
        sa.UniqueConstraint(
            "city_id",
            "organisation_id",
            name=op.f("uq_invoice_seller_city_id_organisation_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "invoice_terms",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(), server_default="", nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("locality", sa.String(), nullable=False),
        sa.Column("country", sa.String(), server_default="FI", nullable=False),
        sa.Column("e_address", sa.String(), server_default="", nullable=False),
        sa.Column("e_operator", sa.String(), server_default="", nullable=False),
        sa.Column("rhythm", sa.String(), server_default="at_once", nullable=False),
        sa.Column("email", sa.String(), server_default="", nullable=False),
        sa.Column("buyer_reference", sa.String(), server_default="", nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(e_address = '') = (e_operator = '')", name=op.f("ck_invoice_terms_e_address")),
        sa.CheckConstraint("rhythm IN ('at_once', 'monthly')", name=op.f("ck_invoice_terms_rhythm")),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_invoice_terms_city_id_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "organisation_id", name=op.f("pk_invoice_terms")),
    )
    op.create_table(
        "invoice_series",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.CheckConstraint("last > 0", name=op.f("ck_invoice_series_last")),
        sa.ForeignKeyConstraint(
            ["city_id", "seller_id"],
            ["invoice_seller.city_id", "invoice_seller.id"],
            name=op.f("fk_invoice_series_city_id_seller_id"),
        ),
        sa.PrimaryKeyConstraint("city_id", "seller_id", "year", name=op.f("pk_invoice_series")),
    )
    op.create_table(
        "invoice",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), server_default="invoice", nullable=False),
        sa.Column("state", sa.String(), server_default="sent", nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("credits_id", sa.BigInteger(), nullable=True),
        sa.Column("credit_reason", sa.String(), server_default="", nullable=False),
        sa.Column("period_on", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("vat_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("credited_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("seller", postgresql.JSONB(), nullable=False),
        sa.Column("buyer", postgresql.JSONB(), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (credits_id IS NOT NULL)", name=op.f("ck_invoice_credits")
        ),
        sa.CheckConstraint("(kind = 'credit_note') = (gross_minor < 0)", name=op.f("ck_invoice_sign")),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_invoice_kind")),
        sa.CheckConstraint("state IN ('sent', 'paid', 'overdue', 'credited')", name=op.f("ck_invoice_state")),
        sa.CheckConstraint(
            "credited_minor BETWEEN 0 AND greatest(gross_minor, 0)", name=op.f("ck_invoice_credited")
        ),
        sa.CheckConstraint("gross_minor = net_minor + vat_minor", name=op.f("ck_invoice_sum")),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_invoice_sequence")),
        sa.ForeignKeyConstraint(
            ["city_id", "credits_id"],
            ["invoice.city_id", "invoice.id"],
            name=op.f("fk_invoice_city_id_credits_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_invoice_city_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "seller_id"],
            ["invoice_seller.city_id", "invoice_seller.id"],
            name=op.f("fk_invoice_city_id_seller_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_invoice_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("city_id", "number", name=op.f("uq_invoice_city_id_number")),
        sa.UniqueConstraint("city_id", "reference", name=op.f("uq_invoice_city_id_reference")),
        sa.UniqueConstraint(
            "city_id",
            "seller_id",
            "year",
            "sequence",
            name=op.f("uq_invoice_city_id_seller_id_year_sequence"),
        ),
    )
    op.create_index(
        op.f("ix_invoice_city_id_credits_id"),
        "invoice",
        ["city_id", "credits_id"],
        unique=False,
        postgresql_where=sa.text("credits_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_invoice_city_id_issued_on"), "invoice", ["city_id", "issued_on"], unique=False)
    op.create_index(
        op.f("ix_invoice_city_id_organisation_id_issued_on"),
        "invoice",
        ["city_id", "organisation_id", "issued_on"],
        unique=False,
    )
    op.create_index(
        "ix_invoice_unpaid",
        "invoice",
        ["city_id", "due_on"],
        unique=False,
        postgresql_where=sa.text("state = 'sent' AND kind = 'invoice'"),
    )
    op.create_index(
        "uq_invoice_period",
        "invoice",
        ["city_id", "seller_id", "organisation_id", "period_on"],
        unique=True,
        postgresql_where=sa.text("period_on IS NOT NULL"),
    )
    op.create_table(
        "invoice_line",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("order_position", sa.Integer(), nullable=True),
        sa.Column("credits_position", sa.Integer(), nullable=True),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("booking_reference", sa.String(), nullable=False),
        sa.Column("texts", postgresql.JSONB(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=4), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("vat_minor", sa.BigInteger(), nullable=False),
        sa.Column("vat_basis_points", sa.Integer(), nullable=False),
        sa.Column("cost_centre", sa.String(), server_default="", nullable=False),
        sa.Column("internal_order", sa.String(), server_default="", nullable=False),
        sa.Column("gl_account", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(order_position IS NULL) = (credits_position IS NOT NULL)",
            name=op.f("ck_invoice_line_stands_for"),
        ),
        sa.CheckConstraint("gross_minor = net_minor + vat_minor", name=op.f("ck_invoice_line_sum")),
        sa.CheckConstraint("vat_basis_points BETWEEN 0 AND 10000", name=op.f("ck_invoice_line_rate")),
        sa.ForeignKeyConstraint(
            ["city_id", "invoice_id"],
            ["invoice.city_id", "invoice.id"],
            name=op.f("fk_invoice_line_city_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "order_id", "order_position"],
            ["booking_order_line.city_id", "booking_order_line.order_id", "booking_order_line.position"],
            name="fk_invoice_line_order_line",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "order_id"],
            ["booking_order.city_id", "booking_order.id"],
            name=op.f("fk_invoice_line_city_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("city_id", "invoice_id", "position", name=op.f("pk_invoice_line")),
    )
    op.create_index(
        "uq_invoice_line_order_line",
        "invoice_line",
        ["city_id", "order_id", "order_position"],
        unique=True,
        postgresql_where=sa.text("credits_position IS NULL"),
    )
    op.create_table(
        "invoice_payment",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("bank_reference", sa.String(), server_default="", nullable=False),
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_invoice_payment_amount")),
        sa.ForeignKeyConstraint(
            ["city_id", "invoice_id"],
            ["invoice.city_id", "invoice.id"],
            name=op.f("fk_invoice_payment_city_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_invoice_payment_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_invoice_payment")),
        sa.UniqueConstraint(
            "city_id",
            "invoice_id",
            "submission",
            name=op.f("uq_invoice_payment_city_id_invoice_id_submission"),
        ),
    )
    op.create_table(
        "cost_object",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=True),
        sa.Column("cost_centre", sa.String(), server_default="", nullable=False),
        sa.Column("internal_order", sa.String(), server_default="", nullable=False),
        sa.Column("gl_account", sa.String(), server_default="", nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "organisation_id"],
            ["organisation.city_id", "organisation.id"],
            name=op.f("fk_cost_object_city_id_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "venue_id"],
            ["venue.city_id", "venue.id"],
            name=op.f("fk_cost_object_city_id_venue_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_cost_object_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_cost_object")),
        sa.UniqueConstraint(
            "city_id",
            "organisation_id",
            "venue_id",
            name=op.f("uq_cost_object_city_id_organisation_id_venue_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )


def downgrade() -> None:
    op.drop_table("cost_object")
    op.drop_table("invoice_payment")
    op.drop_table("invoice_line")
    op.drop_table("invoice")
    op.drop_table("invoice_series")
    op.drop_table("invoice_terms")
    op.drop_table("invoice_seller")
