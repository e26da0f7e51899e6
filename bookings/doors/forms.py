"""Shapes of the owner's door page: how the door opens, and new codes for the list."""

from typing import Any

from flask_babel import lazy_gettext
from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    DateField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    TextAreaField,
)
from wtforms.validators import Length, NumberRange, Optional

from bookings.doors.models import SpaceDoor
from bookings.doors.rules import CHOICES, METHODS, MOST_MINUTES_BEFORE
from bookings.lifecycle.forms import plain_text
from marketplace.db import Localised
from marketplace.errors import N_
from marketplace.web.forms import Form
from marketplace.web.i18n import LANGUAGES

METHOD_LABELS = {
    "none": N_("Nothing is told: the door is open, or somebody is there"),
    "instruction": N_("An instruction, such as where the key is"),
    "code": N_("A door code"),
}
CHOICE_LABELS = {
    "by_date": N_("The one whose period began last"),
    "in_turn": N_("Each in turn"),
}
PROVIDER_LABELS = {"static": N_("The list of codes on this page")}
TEXT_MAX = 1000
MINUTES = lazy_gettext("Write a whole number of minutes from 0 to 1440.")


def text_field(language: str) -> TextAreaField:
    return TextAreaField(
        lazy_gettext("How the door opens (%(language)s)", language=LANGUAGES[language]),
        filters=[plain_text],
        validators=[Length(max=TEXT_MAX, message=lazy_gettext("Say it in 1,000 characters."))],
    )


class DoorForm(Form):
    # Not "method": in the browser a field of that name hides the form's own.
    way = RadioField(
        lazy_gettext("What the booker is told"),
        choices=[SelectChoice(method, lazy_gettext(METHOD_LABELS[method])) for method in METHODS],
    )
    minutes_before = IntegerField(
        lazy_gettext("Shown how many minutes before"),
        validators=[NumberRange(min=0, max=MOST_MINUTES_BEFORE, message=MINUTES)],
    )
    texts_fi = text_field("fi")
    texts_sv = text_field("sv")
    texts_en = text_field("en")
    provider = SelectField(lazy_gettext("Codes come from"))
    choice = SelectField(
        lazy_gettext("Of several codes for one day"),
        choices=[SelectChoice(choice, lazy_gettext(CHOICE_LABELS[choice])) for choice in CHOICES],
    )

    def __init__(self, *args: Any, providers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider.choices = [
            SelectChoice(name, lazy_gettext(PROVIDER_LABELS[name]) if name in PROVIDER_LABELS else name)
            for name in providers
        ]

    @property
    def texts(self) -> Localised:
        return {language: self[f"texts_{language}"].data or "" for language in LANGUAGES}

    def read(self) -> bool:
        """Whether the form can be acted on, with one plain sentence for what is no number."""
        valid: bool = self.validate_on_submit()
        if self.minutes_before.data is None:
            self.minutes_before.errors = [str(MINUTES)]
        return valid and self.minutes_before.data is not None


def door_form(door: SpaceDoor, providers: list[str]) -> DoorForm:
    form = DoorForm(formdata=None, providers=providers)
    form.way.data, form.minutes_before.data = door.method, door.minutes_before
    form.provider.data, form.choice.data = door.provider, door.choice
    for language in LANGUAGES:
        form[f"texts_{language}"].data = door.texts.get(language, "")
    return form


class CodesForm(Form):
    codes = TextAreaField(
        lazy_gettext("Codes, one on each line"),
        validators=[Length(max=20_000, message=lazy_gettext("The list is too long."))],
    )
    valid_from = DateField(lazy_gettext("First day"))
    valid_to = DateField(lazy_gettext("Last day"), validators=[Optional()])

    def read(self) -> bool:
        """Whether the dates can be acted on; the codes are read by the action."""
        valid: bool = self.validate_on_submit()
        wrong = str(lazy_gettext("Write a date, such as 2026-12-01."))
        for field in (self.valid_from, self.valid_to):
            if field.errors:
                field.errors = [wrong]
        if self.valid_from.data is None:
            self.valid_from.errors = [wrong]
            return False
        if self.valid_to.data is not None and self.valid_to.data < self.valid_from.data:
            self.valid_to.errors = [str(lazy_gettext("The last day cannot be before the first."))]
            return False
        return valid
