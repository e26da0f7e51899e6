"""Reads of photos."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import space_managed_by
from spaces.photos.errors import PhotoNotFound
from spaces.photos.models import Photo
from spaces.photos.rules import Picture

# The photos of a row of spaces `s`, in their order, as `pictures_of` reads them.
PICTURES = """
    (SELECT jsonb_agg(jsonb_build_array(f.key, f.width, f.height, f.alts, f.credit) ORDER BY f.position, f.id)
     FROM photo f WHERE f.city_id = s.city_id AND f.space_id = s.id)
"""


def pictures_of(found: Sequence[Sequence[Any]] | None) -> list[Picture]:
    """What `PICTURES` found in one row."""
    return [Picture(*row) for row in found or ()]


def photos_of(session: Session, space: Space) -> Sequence[Photo]:
    """In the order they are shown."""
    return session.scalars(
        select(Photo)
        .where(Photo.city_id == space.city_id, Photo.space_id == space.id)
        .order_by(Photo.position, Photo.id)
    ).all()


def picture_of(photo: Photo) -> Picture:
    return Picture(photo.key, photo.width, photo.height, photo.alts, photo.credit)


def first_keys(session: Session, city_id: int, space_ids: Collection[int]) -> dict[int, str]:
    """The key of each space's first photo, of those that have one."""
    rows = session.execute(
        select(Photo.space_id, Photo.key)
        .where(Photo.city_id == city_id, Photo.space_id.in_(space_ids))
        .ext(distinct_on(Photo.space_id))
        .order_by(Photo.space_id, Photo.position, Photo.id)
    )
    return {space_id: key for space_id, key in rows}


def photo_managed_by(
    session: Session, actor: Actor, space_id: int, photo_id: int
) -> tuple[Photo, Space, Venue]:
    """A photo of this space, for one who runs the place. Raises SpaceNotFound, PhotoNotFound."""
    space, venue = space_managed_by(session, actor, space_id)
    photo = session.get(Photo, (space.city_id, photo_id))
    if photo is None or photo.space_id != space.id:
        raise PhotoNotFound
    return photo, space, venue


def kept_keys(session: Session, keys: Collection[str]) -> set[str]:
    """Those of the keys that a photo of any space still has."""
    return set(session.scalars(select(Photo.key).where(Photo.key.in_(keys)).distinct()))
