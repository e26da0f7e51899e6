"""Forms of the album: a new photo with its texts, and the texts of one that is there."""

from typing import Any

from flask_wtf.file import FileField
from wtforms import HiddenField

from marketplace.db import Localised
from marketplace.web.forms import Form
from marketplace.web.i18n import lazy_gettext
from spaces.catalog.desk_forms import fill_texts, line_field, one_line, texts_of
from spaces.photos.models import Photo
from spaces.photos.rules import LONGEST_ALT, LONGEST_CREDIT, PLACES

LONGEST_NAME = 60


class TextsForm(Form):
    """What is told of a photo."""

    alts_fi = line_field(lazy_gettext("What the photo shows (%(language)s)", language="suomi"), LONGEST_ALT)
    alts_sv = line_field(lazy_gettext("What the photo shows (%(language)s)", language="svenska"), LONGEST_ALT)
    alts_en = line_field(lazy_gettext("What the photo shows (%(language)s)", language="English"), LONGEST_ALT)
    credit = line_field(lazy_gettext("Photographer"), LONGEST_CREDIT)

    def alts(self, known: Localised | None = None) -> Localised:
        return texts_of(self, "alts", known)

    def fill(self, photo: Photo) -> None:
        fill_texts(self, "alts", photo.alts)
        self.credit.data = photo.credit


class NewPhotoForm(TextsForm):
    """One row of the form that adds photos; one without a file and without words is left alone."""

    file = FileField(lazy_gettext("Photo"))

    @property
    def has_file(self) -> bool:
        return bool(self.file.data and self.file.data.filename)

    @property
    def is_empty(self) -> bool:
        return not self.has_file and not self.alts() and not self.credit.data

    @property
    def file_name(self) -> str:
        """The name that the file had at home, to tell which one is meant."""
        name = one_line(self.file.data.filename.replace("\\", "/").rpartition("/")[2])
        return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"

    def blame_file(self, text: Any) -> None:
        """Say below the file which one was refused, and why."""
        self.file.errors = [*self.file.errors, f"{self.file_name}: {text}"]


class OrderForm(Form):
    """Where a photo goes."""

    place = HiddenField()

    def asked(self) -> str | None:
        return self.place.data if self.place.data in PLACES else None
