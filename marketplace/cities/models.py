"""The tenant: one city with its zone, languages, money and look."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, Localised


class City(Base):
    """A city that runs the marketplace. `metric_crs` is an EPSG code in metres; distances are measured in it."""

    __tablename__ = "city"
    __table_args__ = (UniqueConstraint("slug"), UniqueConstraint("host"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    slug: Mapped[str]
    host: Mapped[str | None]
    names: Mapped[Localised]
    product_name: Mapped[str] = mapped_column(server_default="Tilaa")
    country: Mapped[str] = mapped_column(server_default="FI")
    time_zone: Mapped[str]
    metric_crs: Mapped[int]
    currency: Mapped[str] = mapped_column(server_default="EUR")
    languages: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    logo_path: Mapped[str | None]
    theme: Mapped[dict[str, str]] = mapped_column(server_default="{}")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def default_language(self) -> str:
        return self.languages[0]


class VatRate(Base):
    """A city's value-added tax rate from a day on, in hundredths of a per cent."""

    __tablename__ = "vat_rate"
    __table_args__ = (CheckConstraint("basis_points BETWEEN 0 AND 10000", name="basis_points"),)

    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    basis_points: Mapped[int]
