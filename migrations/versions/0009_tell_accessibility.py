"""tell accessibility: what a venue lacks, its measures, and the sentences that registers have written of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "venue",
        sa.Column("accessibility_lacks", postgresql.ARRAY(sa.TEXT()), server_default="{}", nullable=False),
    )
    op.add_column(
        "venue",
        sa.Column("accessibility_measures", postgresql.JSONB(), server_default="{}", nullable=False),
    )
    op.add_column(
        "venue",
        sa.Column("accessibility_sentences", postgresql.JSONB(), server_default="[]", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_venue_accessibility"), "venue", "NOT (accessibility && accessibility_lacks)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_venue_accessibility"), "venue", type_="check")
    for name in ("accessibility_sentences", "accessibility_measures", "accessibility_lacks"):
        op.drop_column("venue", name)
