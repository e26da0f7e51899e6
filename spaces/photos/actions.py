"""What those who run a place do with its photos. Each change is in the audit trail of the space.

The space's row is locked first: so the order of its photos is never mixed, their number never too high, and a copy of the
space never gets a photo whose files are about to be deleted.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.db import Localised
from marketplace.errors import Invalid
from marketplace.jobs.queue import defer
from spaces.catalog import policy
from spaces.catalog.models import Space, Venue
from spaces.photos import rules
from spaces.photos.errors import PhotoKnown, PhotoNotFound, TooManyPhotos
from spaces.photos.jobs import QUEUE, forget_files
from spaces.photos.models import Photo
from spaces.photos.queries import photos_of


def locked(session: Session, space: Space, venue: Venue, actor: Actor) -> list[Photo]:
    """The photos in their order, which nobody else can change meanwhile. Raises NotYourVenue."""
    policy.require_may_manage(actor, venue)
    session.execute(
        select(Space.id).where(Space.city_id == space.city_id, Space.id == space.id).with_for_update()
    )
    photos = list(photos_of(session, space))
    for photo in photos:
        session.refresh(photo)
    return photos


def one_of(photos: Sequence[Photo], photo_id: int) -> Photo:
    """Raises PhotoNotFound."""
    found = next((photo for photo in photos if photo.id == photo_id), None)
    if found is None:
        raise PhotoNotFound
    return found


def require_alts(alts: Localised, languages: Sequence[str]) -> None:
    """Raises Invalid."""
    if problems := rules.alt_problems(alts, languages):
        raise Invalid(*problems)


def told(photo: Photo) -> dict[str, Any]:
    """The photo's facts for the audit trail."""
    return {"alts": photo.alts, "credit": photo.credit, "photo": photo.position}


def add_photo(
    session: Session,
    space: Space,
    venue: Venue,
    *,
    key: str,
    digest: str,
    content_type: str,
    width: int,
    height: int,
    alts: Localised,
    credit: str,
    languages: Sequence[str],
    actor: Actor,
) -> Photo:
    """A photo behind the others, whose files are in the store already.

    Raises NotYourVenue, Invalid without a text, TooManyPhotos, PhotoKnown.
    """
    photos = locked(session, space, venue, actor)
    require_alts(alts, languages)
    if any(photo.digest == digest for photo in photos):
        raise PhotoKnown
    if len(photos) >= rules.MOST_PHOTOS:
        raise TooManyPhotos
    photo = Photo(
        city_id=space.city_id,
        space_id=space.id,
        position=renumbered(photos) + 1,
        key=key,
        digest=digest,
        content_type=content_type,
        width=width,
        height=height,
        alts=alts,
        credit=credit,
    )
    session.add(photo)
    session.flush()
    audit(session, actor, "photo.added", "space", space.id, photo_id=photo.id, before={}, after=told(photo))
    return photo


def renumbered(photos: Sequence[Photo]) -> int:
    """Positions from one without gaps; returns the last."""
    for position, photo in enumerate(photos, 1):
        photo.position = position
    return len(photos)


def describe_photo(
    session: Session,
    space: Space,
    venue: Venue,
    photo_id: int,
    *,
    alts: Localised,
    credit: str,
    languages: Sequence[str],
    actor: Actor,
) -> bool:
    """Change what is told of a photo; returns whether anything was different.

    Raises NotYourVenue, PhotoNotFound, Invalid without a text.
    """
    photo = one_of(locked(session, space, venue, actor), photo_id)
    require_alts(alts, languages)
    new = {"alts": alts, "credit": credit}
    before = {name: getattr(photo, name) for name in new if getattr(photo, name) != new[name]}
    if not before:
        return False
    after = {name: new[name] for name in before}
    for name, value in after.items():
        setattr(photo, name, value)
    audit(session, actor, "photo.changed", "space", space.id, photo_id=photo.id, before=before, after=after)
    session.flush()
    return True


def move_photo(
    session: Session, space: Space, venue: Venue, photo_id: int, place: str, *, actor: Actor
) -> bool:
    """Let a photo go first, up or down; returns whether it moved. Raises NotYourVenue, PhotoNotFound."""
    photos = locked(session, space, venue, actor)
    photo = one_of(photos, photo_id)
    renumbered(photos)
    before = photo.position
    ids = rules.moved([known.id for known in photos], photo_id, place)
    renumbered(sorted(photos, key=lambda known: ids.index(known.id)))
    if photo.position != before:
        change = {"before": {"photo": before}, "after": {"photo": photo.position}}
        audit(session, actor, "photo.moved", "space", space.id, photo_id=photo.id, **change)
    session.flush()
    return photo.position != before


def remove_photo(session: Session, space: Space, venue: Venue, photo_id: int, *, actor: Actor) -> None:
    """Take a photo away; a job deletes its files once this is committed. Raises NotYourVenue, PhotoNotFound."""
    photos = locked(session, space, venue, actor)
    photo = one_of(photos, photo_id)
    audit(session, actor, "photo.removed", "space", space.id, photo_id=photo.id, before=told(photo), after={})
    session.delete(photo)
    renumbered([known for known in photos if known is not photo])
    session.flush()
    defer(session, forget_files, queue_name=QUEUE, photo_key=photo.key)
