"""The album of a space for those who run it, and the photos themselves for everybody.

A photo's address has its random key in it and nothing that a person chose. Whoever knows the address may see the photo,
as with a link to a document: drafts are safe because nobody else is told the key. So no request for a picture has to ask
the database who may see it, and browsers keep it for ever. Files are handed on by this program also when they lie in a
bucket: the page then needs no second origin in its content security policy, a link to a picture does not run out, and the
bucket stays private. A cache in front of the service takes the load.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.errors import N_, Invalid, NotFound, TooMany
from marketplace.files.port import FileMissing, FilesAway, file_store
from marketplace.web.access import public, signed_in
from marketplace.web.i18n import LANGUAGES, gettext, ngettext
from marketplace.web.limits import limit
from marketplace.web.problems import field_message
from marketplace.web.request import current_actor, current_city, page_blueprint
from marketplace.web.uploads import takes_uploads
from spaces.catalog.desk import desk_pages
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import space_managed_by
from spaces.photos import actions
from spaces.photos.errors import PhotoKnown, TooManyPhotos
from spaces.photos.forms import NewPhotoForm, OrderForm, TextsForm
from spaces.photos.images import Prepared, prepare
from spaces.photos.models import Photo
from spaces.photos.present import Shown, shown
from spaces.photos.queries import photo_managed_by, photos_of, picture_of
from spaces.photos.rules import MOST_BYTES, MOST_PHOTOS, WIDTHS, file_key, missing_languages

blueprint = page_blueprint("photos", __name__)
pictures = Blueprint("pictures", __name__)

Page = AnyResponse | tuple[str, int]
ROWS = 4
MOST_MEGABYTES = ROWS * MOST_BYTES // 1024**2 + 1
TOO_LARGE = N_("Each photo may have 15 MB. Go back and add fewer at a time; nothing was changed.")
# A whole album a few times over; each photo costs a second of work.
PER_HOUR = 60
NAME = re.compile(rf"([0-9a-f]{{32}})-(?:({'|'.join(map(str, WIDTHS))})\.(webp)|({WIDTHS[-1]})\.(jpg))")
MIMES = {"webp": "image/webp", "jpg": "image/jpeg"}
FOR_EVER = 31536000


@pictures.get("/photos/<name>")
@public
def picture(name: str) -> Response:
    """One file of a photo."""
    match = NAME.fullmatch(name)
    if match is None:
        raise NotFound
    key, width, ending = match[1], match[2] or match[4], match[3] or match[5]
    known = request.if_none_match.contains(name)  # what has an address once never changes
    try:
        data = b"" if known else file_store().get(file_key(key, int(width), ending)).data
    except FileMissing:
        raise NotFound from None
    response = Response(data, mimetype=MIMES[ending], status=304 if known else 200)
    response.set_etag(name)
    response.cache_control.public = True
    response.cache_control.max_age = FOR_EVER
    response.cache_control.immutable = True
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@dataclass(frozen=True)
class Entry:
    """A photo on the page of the album."""

    photo: Photo
    shown: Shown
    form: TextsForm
    missing: list[str]
    number: int


@dataclass
class Filled:
    """Forms that a person has filled and that are shown again."""

    texts: dict[int, TextsForm] = field(default_factory=dict)
    rows: list[NewPhotoForm] | None = None
    status: int = 200


@blueprint.route("/desk/spaces/<int:space_id>/photos", methods=["GET", "POST"])
@takes_uploads(megabytes=MOST_MEGABYTES, too_large=TOO_LARGE)
@signed_in
def album(space_id: int) -> Page:
    """The photos of a space; by POST some more of them."""
    with transaction() as session:
        found, venue = space_managed_by(session, current_actor(), space_id)
        room = MOST_PHOTOS - len(photos_of(session, found))
        if request.method == "GET":
            return album_page(session, found, venue, Filled())
    rows = new_rows()
    valid = [row.validate() for row in rows]
    added = 0
    if all(row.is_empty for row in rows):
        rows[0].file.errors = [gettext("Choose a photo.")]
    for row, is_valid in zip(rows, valid, strict=True):
        if is_valid and not row.is_empty:
            added += take_in(row, space_id, has_room=added < room)
        if row.has_file and row.errors and not row.file.errors:  # a browser never fills a file in again
            row.blame_file(gettext("Correct the words about it, and choose the file again."))
    refused = [row for row in rows if row.errors]
    if added:
        flash(ngettext("%(num)d photo was added.", "%(num)d photos were added.", added), "success")
    if not refused:
        return redirect(url_for("photos.album", space_id=space_id), 303)
    with transaction() as session:
        found, venue = space_managed_by(session, current_actor(), space_id)
        return album_page(session, found, venue, Filled(rows=refused, status=422))


def new_rows() -> list[NewPhotoForm]:
    return [NewPhotoForm(prefix=f"new{n}-") for n in range(ROWS)]


def take_in(row: NewPhotoForm, space_id: int, *, has_room: bool) -> bool:
    """Add the photo of one row; where it is refused, the row says why. Returns whether it was added."""
    if not row.has_file:
        row.file.errors = [gettext("Choose the photo that these words are about.")]
        return False
    try:
        add_from(row, space_id, has_room=has_room)
    except Invalid as refusal:
        for error in refusal.fields:
            if error.field == "file":
                row.blame_file(field_message(error))
            else:
                row[error.field].errors = [*row[error.field].errors, field_message(error)]
    except TooMany as refusal:
        text = ngettext(
            "You have added many photos in a short time. Add this one in %(num)d minute.",
            "You have added many photos in a short time. Add this one in %(num)d minutes.",
            -(-refusal.retry_after // 60),
        )
        row.blame_file(text)
    except (PhotoKnown, TooManyPhotos, FilesAway) as refusal:
        row.blame_file(gettext(refusal.title))
    else:
        return True
    return False


def add_from(row: NewPhotoForm, space_id: int, *, has_room: bool) -> None:
    """Words and room are asked for before the work with the picture, and again under the lock.

    The files are written before the transaction that names them; should that fail, the sweeper finds them.
    Raises Invalid, TooManyPhotos, PhotoKnown, TooMany, FilesAway.
    """
    city, actor = current_city(), current_actor()
    actions.require_alts(row.alts(), city.languages)
    if not has_room:
        raise TooManyPhotos
    limit(f"photos:{city.id}:{actor.person_id}", times=PER_HOUR, per=timedelta(hours=1))
    ready = prepare(row.file.data.read(MOST_BYTES + 1))
    key = keep_files(ready)
    with transaction() as session:
        found, venue = space_managed_by(session, actor, space_id)
        actions.add_photo(
            session,
            found,
            venue,
            key=key,
            digest=ready.digest,
            content_type=ready.content_type,
            width=ready.width,
            height=ready.height,
            alts=row.alts(),
            credit=row.credit.data or "",
            languages=city.languages,
            actor=actor,
        )


def keep_files(ready: Prepared) -> str:
    """Write the files under a new random key. Raises FilesAway."""
    key, store = token_hex(16), file_store()
    for rendition in ready.renditions:
        store.put(file_key(key, rendition.width, rendition.ending), rendition.data, rendition.content_type)
    return key


@blueprint.post("/desk/spaces/<int:space_id>/photos/<int:photo_id>/texts")
@signed_in
def texts(space_id: int, photo_id: int) -> Page:
    """What is told of one photo."""
    city, actor = current_city(), current_actor()
    form = texts_form(photo_id)
    with transaction() as session:
        photo, _, _ = photo_managed_by(session, actor, space_id, photo_id)
        known = photo.alts
    if form.validate():
        try:
            with transaction() as session:
                _, found, venue = photo_managed_by(session, actor, space_id, photo_id)
                changed = actions.describe_photo(
                    session,
                    found,
                    venue,
                    photo_id,
                    alts=form.alts(known),
                    credit=form.credit.data or "",
                    languages=city.languages,
                    actor=actor,
                )
        except Invalid as refusal:
            form.show(refusal)
        else:
            flash(gettext("Saved.") if changed else gettext("Nothing was different."), "success")
            return back(space_id, photo_id)
    with transaction() as session:
        found, venue = space_managed_by(session, actor, space_id)
        return album_page(session, found, venue, Filled(texts={photo_id: form}, status=422))


@blueprint.post("/desk/spaces/<int:space_id>/photos/<int:photo_id>/place")
@signed_in
def place(space_id: int, photo_id: int) -> AnyResponse:
    """Let a photo go first, up or down."""
    form = OrderForm()
    asked = form.asked()
    if not form.validate() or asked is None:
        raise NotFound
    with transaction() as session:
        _, found, venue = photo_managed_by(session, current_actor(), space_id, photo_id)
        actions.move_photo(session, found, venue, photo_id, asked, actor=current_actor())
    return back(space_id, photo_id)


@blueprint.post("/desk/spaces/<int:space_id>/photos/<int:photo_id>/removal")
@signed_in
def removal(space_id: int, photo_id: int) -> AnyResponse:
    with transaction() as session:
        _, found, venue = photo_managed_by(session, current_actor(), space_id, photo_id)
        actions.remove_photo(session, found, venue, photo_id, actor=current_actor())
    flash(gettext("The photo was removed."), "success")
    return redirect(url_for("photos.album", space_id=space_id), 303)


def back(space_id: int, photo_id: int) -> AnyResponse:
    return redirect(url_for("photos.album", space_id=space_id, _anchor=f"photo-{photo_id}"), 303)


def texts_form(photo_id: int, **kwargs: object) -> TextsForm:
    return TextsForm(prefix=f"photo{photo_id}-", **kwargs)


def album_page(session: Session, found: Space, venue: Venue, filled: Filled) -> tuple[str, int]:
    city = current_city()
    photos = photos_of(session, found)
    entries = [entry_of(n, photo, filled.texts.get(photo.id), city) for n, photo in enumerate(photos, 1)]
    return render_template(
        "spaces/photos/album.html",
        page_id="desk",
        space=found,
        venue=venue,
        desk_pages=desk_pages,
        languages_of_city=city.languages,
        entries=entries,
        most=MOST_PHOTOS,
        rows=rows_to_show(filled.rows, room=MOST_PHOTOS - len(photos)),
        wrong=errors_of([entry.form for entry in entries], filled.rows or []),
    ), filled.status


def rows_to_show(refused: Sequence[NewPhotoForm] | None, *, room: int) -> list[NewPhotoForm]:
    """The refused rows with their words, and empty ones up to as many as fit."""
    rows = list(refused or ())
    taken = {row._prefix for row in rows}  # noqa: SLF001 - WTForms has no other name for it
    for n in range(ROWS):
        if f"new{n}-" not in taken and len(rows) < room:
            rows.append(NewPhotoForm(prefix=f"new{n}-", formdata=None))
    return rows


def entry_of(number: int, photo: Photo, form: TextsForm | None, city: City) -> Entry:
    if form is None:
        form = texts_form(photo.id, formdata=None)
        form.fill(photo)
    missing = [LANGUAGES[code] for code in missing_languages(photo.alts, city.languages)]
    return Entry(photo, shown(picture_of(photo)), form, missing, number)


def errors_of(texts: Sequence[TextsForm], rows: Sequence[NewPhotoForm]) -> list[tuple[str, str]]:
    return [error for form in (*texts, *rows) for error in form.all_errors()]
