"""Photos of spaces for tests. The files are small stand-ins; `with_files` writes them to the store in use."""

from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from marketplace.files.port import file_store
from spaces.catalog.models import Space
from spaces.photos.models import Photo
from spaces.photos.rules import files_of

numbers = count(1)


def make_photo(session: Session, space: Space, *, with_files: bool = False, **fields: Any) -> Photo:
    """A photo of the space, behind those that were made before it."""
    number = next(numbers)
    values = {
        "position": number,
        "key": f"{number:032x}",
        "digest": f"{number:064x}",
        "content_type": "image/jpeg",
        "width": 1600,
        "height": 1200,
        "alts": {"fi": f"Sali {number}", "en": f"Hall {number}"},
        **fields,
    }
    photo = Photo(city_id=space.city_id, space_id=space.id, **values)
    session.add(photo)
    session.flush()
    if with_files:
        for key in files_of(photo.key):
            file_store().put(key, key.encode(), "image/webp")
    return photo
