"""Settle the city's terms of money: its fee of suppliers' income, the accounts of its bookkeeping."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_terms",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("city_fee_basis_points", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "gl_accounts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "city_fee_basis_points BETWEEN 0 AND 5000", name=op.f("ck_payment_terms_city_fee_basis_points")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_payment_terms_city_id")),
        sa.PrimaryKeyConstraint("city_id", name=op.f("pk_payment_terms")),
    )


def downgrade() -> None:
    op.drop_table("payment_terms")
