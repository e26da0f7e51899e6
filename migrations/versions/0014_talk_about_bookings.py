"""Talk about bookings: messages, people added to a booking, reasons by code, and requests that wait for the booker."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("booking", sa.Column("reason_code", sa.String(), nullable=True))
    op.add_column("booking", sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.create_table(
        "booking_person",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_booking_person_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "booking_id"],
            ["booking.city_id", "booking.id"],
            name=op.f("fk_booking_person_city_id_booking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_booking_person_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_booking_person")),
        sa.UniqueConstraint(
            "city_id", "booking_id", "person_id", name=op.f("uq_booking_person_city_id_booking_id_person_id")
        ),
    )
    op.create_index(op.f("ix_booking_person_city_id_person_id"), "booking_person", ["city_id", "person_id"])
    op.create_table(
        "booking_message",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), server_default="message", nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("side IN ('booker', 'owner')", name=op.f("ck_booking_message_side")),
        sa.CheckConstraint("kind IN ('message', 'question')", name=op.f("ck_booking_message_kind")),
        sa.CheckConstraint("kind = 'message' OR side = 'owner'", name=op.f("ck_booking_message_question")),
        sa.CheckConstraint("char_length(text) BETWEEN 1 AND 2000", name=op.f("ck_booking_message_text")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_booking_message_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "booking_id"],
            ["booking.city_id", "booking.id"],
            name=op.f("fk_booking_message_city_id_booking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f("fk_booking_message_city_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_booking_message")),
        sa.UniqueConstraint(
            "city_id",
            "booking_id",
            "person_id",
            "submission",
            name="uq_booking_message_submission",
        ),
    )
    op.create_index(
        "ix_booking_message_unread",
        "booking_message",
        ["city_id", "booking_id"],
        postgresql_where=sa.text("read_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("booking_message")
    op.drop_table("booking_person")
    op.drop_column("booking", "asked_at")
    op.drop_column("booking", "reason_code")
