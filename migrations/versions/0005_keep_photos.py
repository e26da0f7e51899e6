"""keep photos: pictures of spaces, whose files lie in the store of files by a random key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "photo",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("alts", postgresql.JSONB(), nullable=False),
        sa.Column("credit", sa.String(), server_default="", nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("key ~ '^[0-9a-f]{32}$'", name=op.f("ck_photo_key")),
        sa.CheckConstraint("alts <> '{}'", name=op.f("ck_photo_alts")),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_photo_size")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_photo_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "space_id"],
            ["space.city_id", "space.id"],
            name=op.f("fk_photo_city_id_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_photo")),
        sa.UniqueConstraint("city_id", "space_id", "digest", name=op.f("uq_photo_city_id_space_id_digest")),
    )
    op.create_index(op.f("ix_photo_city_id_space_id_position"), "photo", ["city_id", "space_id", "position"])
    op.create_index(op.f("ix_photo_key"), "photo", ["key"])


def downgrade() -> None:
    op.drop_table("photo")
