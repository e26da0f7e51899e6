"""Text messages: numbers that people have shown to be theirs, codes on their way, the delivery log, short addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def city_table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """A table of rows that belong to a city and to a person, and go with the person."""
    op.create_table(
        name,
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f(f"fk_{name}_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "person_id"],
            ["person.city_id", "person.id"],
            name=op.f(f"fk_{name}_city_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    city_table(
        "text_message",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("to_number", sa.String(), nullable=False),
        sa.Column("is_proved", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("gateway_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("send_before", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'failed', 'dropped')", name=op.f("ck_text_message_state")
        ),
        sa.UniqueConstraint("city_id", "key", name=op.f("uq_text_message_city_id_key")),
    )
    op.create_index(
        op.f("ix_text_message_city_id_person_id_created_at"),
        "text_message",
        ["city_id", "person_id", "created_at"],
    )
    city_table(
        "text_number",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("verified_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("wants_offers", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("number ~ '^[+][1-9][0-9]{6,14}$'", name=op.f("ck_text_number_number")),
        sa.UniqueConstraint("city_id", "person_id", name=op.f("uq_text_number_city_id_person_id")),
    )
    city_table(
        "number_code",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("submission", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("number ~ '^[+][1-9][0-9]{6,14}$'", name=op.f("ck_number_code_number")),
        sa.UniqueConstraint("city_id", "person_id", name=op.f("uq_number_code_city_id_person_id")),
    )
    city_table(
        "text_link",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("path LIKE '/%' AND path NOT LIKE '//%'", name=op.f("ck_text_link_path")),
        sa.UniqueConstraint("city_id", "code_hash", name=op.f("uq_text_link_city_id_code_hash")),
    )
    op.create_index(op.f("ix_text_link_expires_at"), "text_link", ["expires_at"])


def downgrade() -> None:
    for name in ("text_link", "number_code", "text_number", "text_message"):
        op.drop_table(name)
