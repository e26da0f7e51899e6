"""The only writers of districts and homes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from marketplace.errors import Unauthenticated
from marketplace.jobs.messages import publish
from spaces.districts.frames import districts_of_points, outlines
from spaces.districts.models import District, HomeDistrict
from spaces.districts.queries import DISTRICT, district_frame, district_of_id

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class Stored:
    """What storing a frame did, in numbers of districts. `kept` are those of the kind that the frame does not have."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    removed: int = 0

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated or self.removed)


def store_districts(
    session: Session,
    city: City,
    frame: "gpd.GeoDataFrame",
    *,
    kind: str = DISTRICT,
    source: str,
    prune: bool = False,
    actor: Actor,
) -> Stored:
    """Bring the city's districts of a kind in step with a checked frame (unique index code; names, geometry; EPSG:4326).

    What is the same already is not written. `prune` removes the districts that the frame does not have; their people move.
    """
    known = {
        district.code: district
        for district in session.scalars(
            select(District).where(District.city_id == city.id, District.kind == kind)
        )
    }
    simple = outlines(frame, metric_crs=city.metric_crs)
    created = updated = 0
    for code, row in frame.iterrows():
        label = row.geometry.representative_point()
        values: dict[str, Any] = {
            "names": row["names"],
            "geometry": row.geometry.wkb,
            "outline": simple.loc[str(code)].__geo_interface__,
            "lon": round(label.x, 7),
            "lat": round(label.y, 7),
            "source": source,
        }
        values["outline"] = _plain(values["outline"])
        district = known.pop(str(code), None)
        if district is None:
            session.add(District(city_id=city.id, kind=kind, code=str(code), **values))
            created += 1
        elif changes := {name: value for name, value in values.items() if getattr(district, name) != value}:
            for name, value in changes.items():
                setattr(district, name, value)
            updated += 1
    removed = 0
    if prune and known:
        session.flush()
        gone = [district.id for district in known.values()]
        _move_homes(session, city, list(known.values()))
        session.execute(delete(District).where(District.city_id == city.id, District.id.in_(gone)))
        removed, known = len(gone), {}
    session.flush()
    stored = Stored(created, updated, len(frame) - created - updated, len(known), removed)
    if stored.changed:
        audit(
            session, actor, "districts.stored", "city", city.id,
            areas=kind, source=source, created=created, updated=updated, removed=removed,
        )  # fmt: skip
        # Venues above find their district anew.
        publish(session, "districts.changed", city_id=city.id, kind=kind)
    return stored


def _move_homes(session: Session, city: City, gone: list[District]) -> None:
    """People of districts that go away live in the one around the old one's middle."""
    gone_ids = [district.id for district in gone]
    frame = district_frame(session, city.id, kind=gone[0].kind).drop(gone_ids)
    places = [(district.lon, district.lat) for district in gone]
    found = districts_of_points(frame, places, metric_crs=city.metric_crs)
    for old_id, new_id in zip(gone_ids, found, strict=True):
        if new_id is not None:
            session.execute(
                update(HomeDistrict)
                .where(HomeDistrict.city_id == city.id, HomeDistrict.district_id == old_id)
                .values(district_id=new_id)
            )


def _plain(shape: dict[str, Any]) -> dict[str, Any]:
    """A GeoJSON geometry as JSON has it: lists, not tuples, so that it compares equal with what the database returns."""

    def lists(value: Any) -> Any:
        return [lists(part) for part in value] if isinstance(value, list | tuple) else value

    return {"type": shape["type"], "coordinates": lists(shape["coordinates"])}


def choose_home_district(session: Session, actor: Actor, district_id: int | None) -> None:
    """Set where the actor lives; None forgets it. Raises DistrictNotFound."""
    if actor.person_id is None:
        raise Unauthenticated
    if district_id is None:
        session.execute(
            delete(HomeDistrict).where(
                HomeDistrict.city_id == actor.city_id, HomeDistrict.person_id == actor.person_id
            )
        )
        return
    district_of_id(session, actor.city_id, district_id)
    session.execute(
        insert(HomeDistrict)
        .values(city_id=actor.city_id, person_id=actor.person_id, district_id=district_id)
        .on_conflict_do_update(index_elements=["city_id", "person_id"], set_={"district_id": district_id})
    )
