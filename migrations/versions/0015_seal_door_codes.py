"""Seal door codes: a column for the encrypted code beside the plain one, which is emptied by a job bit by bit."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access_grant", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.drop_constraint(op.f("ck_access_grant_secret"), "access_grant")
    op.create_check_constraint(
        op.f("ck_access_grant_secret"),
        "access_grant",
        "state <> 'ready' OR secret IS NOT NULL OR sealed IS NOT NULL",
    )
    op.drop_constraint(op.f("ck_access_grant_revoked"), "access_grant")
    op.create_check_constraint(
        op.f("ck_access_grant_revoked"),
        "access_grant",
        "state <> 'revoked' OR (secret IS NULL AND sealed IS NULL)",
    )
    op.add_column("door_code", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.alter_column("door_code", "secret", existing_type=sa.String(), nullable=True)
    op.create_check_constraint(op.f("ck_door_code_secret"), "door_code", "num_nonnulls(secret, sealed) = 1")


def downgrade() -> None:
    # What is sealed cannot be opened here: codes of bookings are made again, those of lists have to be.
    op.execute(
        "UPDATE access_grant SET state = 'pending', attempts = 0, retry_at = now()"
        " WHERE state = 'ready' AND secret IS NULL"
    )
    op.execute("DELETE FROM door_code WHERE secret IS NULL")
    op.drop_constraint(op.f("ck_door_code_secret"), "door_code")
    op.alter_column("door_code", "secret", existing_type=sa.String(), nullable=False)
    op.drop_column("door_code", "sealed")
    op.drop_constraint(op.f("ck_access_grant_revoked"), "access_grant")
    op.create_check_constraint(
        op.f("ck_access_grant_revoked"), "access_grant", "state <> 'revoked' OR secret IS NULL"
    )
    op.drop_constraint(op.f("ck_access_grant_secret"), "access_grant")
    op.create_check_constraint(
        op.f("ck_access_grant_secret"), "access_grant", "state <> 'ready' OR secret IS NOT NULL"
    )
    op.drop_column("access_grant", "sealed")
