"""Keep who came, which code opens which door, and the private calendar feeds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=nullable and not now, server_default=default)


def row_of_city(table: str) -> list[sa.Column | sa.ForeignKeyConstraint]:
    return [
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f(f"fk_{table}_city_id")),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    ]


def of_city(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["city_id", column],
        [f"{target}.city_id", f"{target}.id"],
        name=op.f(f"fk_{table}_city_id_{column}"),
        ondelete=ondelete,
    )


def upgrade() -> None:
    op.add_column("booking", moment("checked_in_at"))
    op.add_column("booking", sa.Column("checked_in_by", sa.BigInteger(), nullable=True))
    op.create_table(
        "space_attendance",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(), server_default="off", nullable=False),
        sa.Column("release_minutes", sa.Integer(), server_default=sa.text("15"), nullable=False),
        moment("since", now=True),
        sa.Column("poster_token", sa.String(), nullable=False),
        sa.CheckConstraint("mode IN ('off', 'wanted', 'required')", name=op.f("ck_space_attendance_mode")),
        sa.CheckConstraint(
            "release_minutes BETWEEN 5 AND 120", name=op.f("ck_space_attendance_release_minutes")
        ),
        of_city("space_attendance", "space_id", "space", "CASCADE"),
        sa.PrimaryKeyConstraint("city_id", "space_id", name=op.f("pk_space_attendance")),
        sa.UniqueConstraint("poster_token", name=op.f("uq_space_attendance_poster_token")),
    )
    op.create_table(
        "space_door",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), server_default="none", nullable=False),
        sa.Column("provider", sa.String(), server_default="static", nullable=False),
        sa.Column("texts", JSONB(), server_default="{}", nullable=False),
        sa.Column("minutes_before", sa.Integer(), server_default=sa.text("60"), nullable=False),
        sa.Column("choice", sa.String(), server_default="by_date", nullable=False),
        sa.CheckConstraint("method IN ('none', 'instruction', 'code')", name=op.f("ck_space_door_method")),
        sa.CheckConstraint("choice IN ('by_date', 'in_turn')", name=op.f("ck_space_door_choice")),
        sa.CheckConstraint("minutes_before BETWEEN 0 AND 1440", name=op.f("ck_space_door_minutes_before")),
        of_city("space_door", "space_id", "space", "CASCADE"),
        sa.PrimaryKeyConstraint("city_id", "space_id", name=op.f("pk_space_door")),
    )
    op.create_table(
        "door_code",
        *row_of_city("door_code"),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        moment("given_at"),
        moment("created_at", now=True),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_door_code_period")),
        of_city("door_code", "space_id", "space", "CASCADE"),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_door_code")),
    )
    op.create_index(op.f("ix_door_code_city_id_space_id"), "door_code", ["city_id", "space_id"])
    op.create_table(
        "access_grant",
        *row_of_city("access_grant"),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="pending", nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("valid", TSTZRANGE(), nullable=False),
        sa.Column("series_key", sa.String(), nullable=True),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        moment("retry_at"),
        sa.Column("last_error", sa.String(), nullable=True),
        moment("created_at", now=True),
        moment("changed_at", now=True),
        sa.CheckConstraint(
            "state IN ('pending', 'ready', 'failed', 'revoked')", name=op.f("ck_access_grant_state")
        ),
        sa.CheckConstraint("state <> 'ready' OR secret IS NOT NULL", name=op.f("ck_access_grant_secret")),
        sa.CheckConstraint("state <> 'revoked' OR secret IS NULL", name=op.f("ck_access_grant_revoked")),
        of_city("access_grant", "booking_id", "booking", "CASCADE"),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_access_grant")),
        sa.UniqueConstraint("city_id", "booking_id", name=op.f("uq_access_grant_city_id_booking_id")),
    )
    op.create_index(
        "ix_access_grant_unfinished",
        "access_grant",
        ["city_id", "retry_at"],
        postgresql_where=sa.text("state IN ('pending', 'failed')"),
    )
    op.create_index(
        "ix_access_grant_series",
        "access_grant",
        ["city_id", "series_key"],
        postgresql_where=sa.text("series_key IS NOT NULL"),
    )
    op.create_table(
        "calendar_feed",
        *row_of_city("calendar_feed"),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("space_id", sa.BigInteger(), nullable=True),
        moment("created_at", now=True),
        moment("last_fetched_at"),
        moment("revoked_at"),
        sa.CheckConstraint(
            "(kind, organisation_id IS NOT NULL, space_id IS NOT NULL) IN (('person', false, false),"
            " ('organisation', true, false), ('space', false, true), ('space_public', false, true))",
            name=op.f("ck_calendar_feed_kind"),
        ),
        of_city("calendar_feed", "person_id", "person", "CASCADE"),
        of_city("calendar_feed", "organisation_id", "organisation", "CASCADE"),
        of_city("calendar_feed", "space_id", "space", "CASCADE"),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    for name, columns, condition in LIVE:
        op.create_index(
            f"uq_calendar_feed_live_{name}",
            "calendar_feed",
            ["city_id", *columns],
            unique=True,
            postgresql_where=sa.text(f"revoked_at IS NULL AND kind = '{condition}'"),
        )


# One living feed of a kind for each who may have one; a public one belongs to its space.
LIVE = (
    ("person", ["person_id"], "person"),
    ("organisation", ["person_id", "organisation_id"], "organisation"),
    ("space", ["person_id", "space_id"], "space"),
    ("space_public", ["space_id"], "space_public"),
)


def downgrade() -> None:
    for table in ("calendar_feed", "access_grant", "door_code", "space_door", "space_attendance"):
        op.drop_table(table)
    op.drop_column("booking", "checked_in_by")
    op.drop_column("booking", "checked_in_at")
