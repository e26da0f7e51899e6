"""refine opening hours: priorities, odd and even weeks, nth weekday, states, holidays, closings in stretches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATES = "state IN ('open', 'self_service', 'staff_only', 'closed')"


def upgrade() -> None:
    op.add_column("opening_rule", sa.Column("weeks", sa.String(), server_default="all", nullable=False))
    op.add_column("opening_rule", sa.Column("nth", sa.Integer(), nullable=True))
    op.add_column("opening_rule", sa.Column("state", sa.String(), server_default="open", nullable=False))
    op.add_column(
        "opening_rule", sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_opening_rule_weeks"), "opening_rule", "weeks IN ('all', 'odd', 'even')"
    )
    op.create_check_constraint(
        op.f("ck_opening_rule_nth"), "opening_rule", "nth BETWEEN -5 AND 5 AND nth <> 0"
    )
    op.create_check_constraint(op.f("ck_opening_rule_state"), "opening_rule", STATES)
    op.create_check_constraint(op.f("ck_opening_rule_priority"), "opening_rule", "priority BETWEEN 0 AND 100")
    op.add_column("opening_exception", sa.Column("state", sa.String(), server_default="open", nullable=False))
    op.create_check_constraint(op.f("ck_opening_exception_state"), "opening_exception", STATES)
    op.add_column(
        "opening_month",
        sa.Column("staff", postgresql.TSTZMULTIRANGE(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("closure", sa.Column("closing_id", sa.BigInteger(), nullable=True))
    op.add_column("space", sa.Column("holiday_rule", sa.String(), server_default="as_usual", nullable=False))
    op.create_check_constraint(
        op.f("ck_space_holiday_rule"), "space", "holiday_rule IN ('as_usual', 'closed', 'as_sunday')"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_space_holiday_rule"), "space", type_="check")
    op.drop_column("space", "holiday_rule")
    op.drop_column("closure", "closing_id")
    op.drop_column("opening_month", "staff")
    op.drop_constraint(op.f("ck_opening_exception_state"), "opening_exception", type_="check")
    op.drop_column("opening_exception", "state")
    for name in ("priority", "state", "nth", "weeks"):
        op.drop_constraint(op.f(f"ck_opening_rule_{name}"), "opening_rule", type_="check")
        op.drop_column("opening_rule", name)
