"""Districts: named areas with an outline, and the one a person calls home."""

from typing import Any

from sqlalchemy import BigInteger, LargeBinary, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, Localised, of_city


class District(CityRow, Base):
    """An area of the city. `geometry` is WKB in EPSG:4326; `outline` the same as GeoJSON, simplified for maps."""

    __tablename__ = "district"
    __table_args__ = (UniqueConstraint("city_id", "kind", "code"),)

    kind: Mapped[str]
    code: Mapped[str]
    names: Mapped[Localised]
    geometry: Mapped[bytes] = mapped_column(LargeBinary)
    outline: Mapped[dict[str, Any]]
    lon: Mapped[float]  # a point inside, for labels and as the place meant by "near"
    lat: Mapped[float]
    source: Mapped[str]


class HomeDistrict(Base):
    """Where a person lives, as that person tells."""

    __tablename__ = "home_district"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "person_id"),
        of_city("person_id", "person", ondelete="CASCADE"),
        of_city("district_id", "district", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    district_id: Mapped[int] = mapped_column(BigInteger)
