"""Reads of districts."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import shapely
from sqlalchemy import select, text
from sqlalchemy.orm import Session, defer, load_only

from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.geo import WGS84
from spaces.districts.errors import DistrictNotFound
from spaces.districts.frames import districts_of_points
from spaces.districts.models import District, HomeDistrict
from spaces.districts.words import Found, Gazetteer

if TYPE_CHECKING:
    import geopandas as gpd

# The kind that venues, homes and searches mean; others (postal areas, major districts) may be stored beside it.
DISTRICT = "district"
NAMES = text("""
    SELECT id, names FROM district
    WHERE city_id = :city_id AND kind = :kind AND id = ANY(CAST(:ids AS bigint[])) ORDER BY code
""")
BYNAMES = Path(__file__).parent / "bynames.json"


def districts_of(session: Session, city_id: int, *, kind: str = DISTRICT) -> Sequence[District]:
    """All districts of a kind by code, without their full geometry."""
    return session.scalars(
        select(District)
        .where(District.city_id == city_id, District.kind == kind)
        .order_by(District.code)
        .options(defer(District.geometry))
    ).all()


@dataclass(frozen=True)
class DistrictName:
    """A district without its outline."""

    id: int
    names: Localised


def named_districts(session: Session, city_id: int, ids: Collection[int]) -> list[DistrictName]:
    """Those of the ids that are districts of the city, by code."""
    rows = session.execute(NAMES, {"city_id": city_id, "kind": DISTRICT, "ids": sorted(ids)})
    return [DistrictName(district_id, names) for district_id, names in rows]


def district_of_id(session: Session, city_id: int, district_id: int) -> District:
    """Raises DistrictNotFound."""
    district = session.get(District, (city_id, district_id))
    if district is None:
        raise DistrictNotFound
    return district


def home_district_of(session: Session, city_id: int, person_id: int) -> District | None:
    """The district that the person calls home."""
    return session.scalar(
        select(District)
        .join(
            HomeDistrict,
            (HomeDistrict.city_id == District.city_id) & (HomeDistrict.district_id == District.id),
        )
        .where(HomeDistrict.city_id == city_id, HomeDistrict.person_id == person_id)
        .options(defer(District.geometry))
    )


def district_of_words(session: Session, city: City, text: str) -> District | None:
    """The district that a text in Finnish, Swedish or English names first, in any case form."""
    found = district_in_words(session, city, text)
    return found[0] if found else None


def district_in_words(session: Session, city: City, text: str) -> tuple[District, Found] | None:
    """As `district_of_words`, with the place of the name in the text, so that a search can take it out."""
    return _found(session, city, gazetteer_of(session, city).find(text))


def district_near_words(session: Session, city: City, text: str) -> tuple[District, Found] | None:
    """The district whose name a text has with one letter wrong."""
    return _found(session, city, gazetteer_of(session, city).find_near(text))


def _found(session: Session, city: City, found: Found | None) -> tuple[District, Found] | None:
    return None if found is None else (district_of_id(session, city.id, found.key), found)


def gazetteer_of(session: Session, city: City) -> Gazetteer:
    """The names of the city's districts as they stand now."""
    rows = session.execute(
        select(District.id, District.names)
        .where(District.city_id == city.id, District.kind == DISTRICT)
        .order_by(District.code)
    ).all()
    return _gazetteer(
        city.slug, tuple((district_id, tuple(sorted(texts.items()))) for district_id, texts in rows)
    )


@lru_cache(maxsize=16)
def _gazetteer(slug: str, names: tuple[tuple[int, tuple[tuple[str, str], ...]], ...]) -> Gazetteer:
    """Made once for each set of names; a hundred districts have some fifteen thousand forms."""
    ids = {texts.get("fi", ""): key for key, pairs in names if (texts := dict(pairs))}
    also = {
        ids[official]: [(language, name) for language, more in texts.items() for name in more]
        for official, texts in _bynames().get(slug, {}).items()
        if official in ids
    }
    return Gazetteer({key: dict(pairs) for key, pairs in names}, also)


@lru_cache(maxsize=1)
def _bynames() -> dict[str, dict[str, dict[str, list[str]]]]:
    """City slug to official Finnish name to other names in use, by language: parts of districts, and nicknames."""
    loaded: dict[str, dict[str, dict[str, list[str]]]] = json.loads(BYNAMES.read_text(encoding="utf-8"))
    return loaded


def district_frame(session: Session, city_id: int, *, kind: str = DISTRICT) -> "gpd.GeoDataFrame":
    """One row per district, unique index id, columns code and geometry; polygons, EPSG:4326; sorted by code."""
    import geopandas as gpd  # noqa: PLC0415 - see `frames`

    rows = session.execute(
        select(District.id, District.code, District.geometry)
        .where(District.city_id == city_id, District.kind == kind)
        .order_by(District.code)
    ).all()
    return gpd.GeoDataFrame(
        {"code": [row.code for row in rows]},
        geometry=list(shapely.from_wkb([row.geometry for row in rows])),
        index=[row.id for row in rows],
        crs=WGS84,
    )


def district_ids_of_points(
    session: Session, city: City, points: Sequence[tuple[float, float]]
) -> list[int | None]:
    """The district around each lon/lat, else the nearest within 1 km, else None; one spatial join for all."""
    return districts_of_points(district_frame(session, city.id), points, metric_crs=city.metric_crs)


def district_of_point(session: Session, city: City, lon: float, lat: float) -> District | None:
    """The district around one lon/lat, else the nearest within 1 km, else None."""
    rows = session.scalars(
        select(District)
        .where(District.city_id == city.id, District.kind == DISTRICT)
        .order_by(District.code)
        .options(load_only(District.id, District.geometry))
    ).all()
    point = shapely.Point(lon, lat)
    around = next((row for row in rows if shapely.from_wkb(row.geometry).intersects(point)), None)
    if around is not None:
        return around
    # On the edge: let the join measure, in metres.
    (nearest,) = district_ids_of_points(session, city, [(lon, lat)])
    return None if nearest is None else session.get(District, (city.id, nearest))
