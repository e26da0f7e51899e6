"""Photos of spaces. The rows are here, the files in the store of files."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, Localised, of_city


class Photo(CityRow, Base):
    """One photo of a space, in the order of `position`. `width` and `height` are pixels of its largest file.

    `key` is random and names the files: whoever knows it may see the photo. A copy of a space shares it.
    `digest` is that of the file as it was handed in (SHA-256), so that one photo is not added twice.
    """

    __tablename__ = "photo"
    __table_args__ = (
        UniqueConstraint("city_id", "space_id", "digest"),
        Index(None, "city_id", "space_id", "position"),
        Index(None, "key"),
        CheckConstraint("key ~ '^[0-9a-f]{32}$'", name="key"),
        CheckConstraint("alts <> '{}'", name="alts"),
        CheckConstraint("width > 0 AND height > 0", name="size"),
        of_city("space_id", "space", ondelete="CASCADE"),
        {"info": {"copied_with": "space"}},
    )

    space_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int]
    key: Mapped[str]
    digest: Mapped[str]
    content_type: Mapped[str]  # of the file as it was handed in
    width: Mapped[int]
    height: Mapped[int]
    alts: Mapped[Localised]  # what the photo shows, for those who do not see it
    credit: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
