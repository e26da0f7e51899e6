"""The form of one kind of equipment."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)

from marketplace.accounts.forms import OnceForm
from marketplace.web.i18n import format_number, gettext, lazy_gettext
from spaces.catalog.desk_forms import fill_texts, line_field, number_field, text_field, texts_of
from spaces.equipment.actions import AskedExtra
from spaces.equipment.models import Extra
from spaces.equipment.queries import KeptExtra
from spaces.pricing.forms import amount_text, read_amount

PER_LABELS = {
    "free": lazy_gettext("Free of charge"),
    "booking": lazy_gettext("For a booking"),
    "hour": lazy_gettext("For an hour"),
    "day": lazy_gettext("For a day"),
}


class ExtraForm(OnceForm):
    """What it is, how many there are, what a piece costs, and which spaces offer it."""

    names_fi = line_field(lazy_gettext("Name of the equipment (%(language)s)", language="suomi"))
    names_sv = line_field(lazy_gettext("Name of the equipment (%(language)s)", language="svenska"))
    names_en = line_field(lazy_gettext("Name of the equipment (%(language)s)", language="English"))
    descriptions_fi = text_field(lazy_gettext("What one should know (%(language)s)", language="suomi"), 500)
    descriptions_sv = text_field(lazy_gettext("What one should know (%(language)s)", language="svenska"), 500)
    descriptions_en = text_field(lazy_gettext("What one should know (%(language)s)", language="English"), 500)
    stock = number_field(lazy_gettext("How many there are"), 1, 10_000, default=1)
    most = number_field(lazy_gettext("At most in one booking"), 1, 10_000, needed=False)
    per = SelectField(
        lazy_gettext("A piece costs"),
        choices=[SelectChoice(code, label) for code, label in PER_LABELS.items()],
        default="free",
    )
    amount = StringField(lazy_gettext("Price of a piece, €"), filters=[lambda text: (text or "").strip()])
    vat_code = SelectField(lazy_gettext("Tax included"), default="standard")
    spaces = SelectMultipleField(lazy_gettext("Bookings of these spaces may add it"), coerce=int)

    def __init__(
        self, *args: Any, spaces: Sequence[tuple[int, str]], rates: Mapping[str, int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.spaces.choices = [SelectChoice(space_id, name) for space_id, name in spaces]
        self.vat_code.choices = [
            SelectChoice(code, rate_text(code, basis_points)) for code, basis_points in rates.items()
        ]

    def validate_amount(self, field: StringField) -> None:
        if self.per.data != "free" and read_amount(field.data or "") is None:
            raise ValidationError(gettext("Write an amount such as 12 or 13,50."))

    def asked(self, known: Extra | None = None) -> AskedExtra:
        return AskedExtra(
            names=texts_of(self, "names", known.names if known else None),
            descriptions=texts_of(self, "descriptions", known.descriptions if known else None),
            stock=self.stock.data or 0,
            per=self.per.data,
            amount_minor=(read_amount(self.amount.data or "") or 0) if self.per.data != "free" else 0,
            vat_code=self.vat_code.data,
            most=self.most.data,
            space_ids=frozenset(self.spaces.data or ()),
        )

    def fill(self, kept: KeptExtra) -> None:
        extra = kept.extra
        fill_texts(self, "names", extra.names)
        fill_texts(self, "descriptions", extra.descriptions)
        self.stock.data, self.most.data = kept.stock, extra.most
        self.per.data, self.vat_code.data = extra.per, extra.vat_code
        self.amount.data = amount_text(extra.amount_minor) if extra.amount_minor else ""
        self.spaces.data = sorted(kept.space_ids)


def rate_text(code: str, basis_points: int) -> str:
    """25.5 %; a rate beside the standard one with its name."""
    return f"{format_number(basis_points / 100)}\u00a0%" + ("" if code == "standard" else f" ({code})")


def prefix_of(extra_id: int) -> str:
    """Of the fields' names, since several of these forms stand on one page."""
    return f"extra{extra_id}-"
