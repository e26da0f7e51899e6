"""Shape of the form that makes a feed."""

from wtforms import HiddenField
from wtforms.validators import AnyOf

from bookings.feeds.models import KINDS
from marketplace.web.forms import Form


def number(text: str | None) -> int | None:
    """A plain number that a bigint column can hold, or None."""
    plain = text or ""
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 19 else None


class FeedForm(Form):
    kind = HiddenField(validators=[AnyOf(KINDS)])
    organisation = HiddenField()
    space = HiddenField()

    @property
    def organisation_id(self) -> int | None:
        return number(self.organisation.data)

    @property
    def space_id(self) -> int | None:
        return number(self.space.data)
