"""Fields of the checkout for what a booking adds: pieces of equipment, and the use of an area priced by the tariff."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, Field, StringField, ValidationError

from marketplace.errors import FieldError, Invalid
from marketplace.web.problems import field_message
from spaces.equipment.errors import field_of
from spaces.pricing.rules import OutdoorUse

NAME = re.compile(r"extra-([1-9]\d{0,17})", re.ASCII)
PIECES = re.compile(r"\d{1,6}", re.ASCII)
AREA = re.compile(r"(\d{1,8})(?:[.,](\d{1,2}))?", re.ASCII)
MOST_READ = 200
LONGEST = 20


class PiecesField(Field):
    """How many pieces of which equipment. Each has a number of its own, named extra-<id>; `data` has those above 0."""

    data: dict[int, int]

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Read every number that was sent; which of them are offered is not known here."""
        self.data, self.typed, self.wrong = {}, {}, {}
        self.names: dict[int, str] = {}  # by whoever knows them, for the summary of what is wrong
        self.process_errors: list[str] = []
        self.errors: Sequence[str] = ()
        for name in list(formdata or ())[:MOST_READ]:
            match = NAME.fullmatch(name)
            if match is None:
                continue
            extra_id = int(match[1])
            text = formdata.get(name, "")[:LONGEST].replace("\x00", "").replace("\u00a0", "").strip()
            self.typed[extra_id] = text
            if PIECES.fullmatch(text):
                if int(text):
                    self.data[extra_id] = int(text)
            elif text:
                self.wrong[extra_id] = gettext("Write a whole number, such as 2.")

    def pre_validate(self, form: Any) -> None:
        if self.wrong:
            raise ValidationError(" ".join(self.wrong.values()))

    def take(self, errors: Sequence[FieldError]) -> list[FieldError]:
        """Keep what is said of a number beside it; returns the rest."""
        rest = []
        for error in errors:
            match = NAME.fullmatch(error.field)
            if match is None:
                rest.append(error)
            else:
                self.wrong[int(match[1])] = field_message(error)
        return rest

    def told(self) -> list[tuple[str, str]]:
        """(field id, text) of every number that is wrong, with the name of the equipment where it is known."""
        return [
            (
                field_of(extra_id),
                f"{self.names[extra_id]}: {text}" if extra_id in self.names else text,
            )
            for extra_id, text in self.wrong.items()
        ]


class ExtraFields:
    """Mixed into a form that books a space with equipment."""

    extras = PiecesField()

    def show(self, refusal: Invalid) -> None:
        """As every form; what is said of one kind of equipment stands beside its number."""
        rest = self.extras.take(refusal.fields)
        if rest:
            super().show(Invalid(*rest))  # type: ignore[misc]  # of the form that this is mixed into

    def all_errors(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = super().all_errors()  # type: ignore[misc]
        return [error for error in found if error[0] != "extras"] + self.extras.told()


class OutdoorFields:
    """Mixed into the checkout's form: the use of an area."""

    nature = StringField(filters=[lambda text: (text or "")[:60]])
    area_m2 = StringField(
        lazy_gettext("Area that you use, m²"), filters=[lambda text: (text or "")[:LONGEST].strip()]
    )
    eco = BooleanField(lazy_gettext("It is an eco event"))

    def validate_area_m2(self, field: StringField) -> None:
        if field.data and read_area(field.data) is None:
            raise ValidationError(gettext("Write the area as a number, such as 120."))

    @property
    def use(self) -> OutdoorUse | None:
        """What is told of the use of an area; None as long as nothing has been sent."""
        form: Any = self
        if not form.is_submitted():
            return None
        return OutdoorUse(form.nature.data or "", read_area(form.area_m2.data or ""), bool(form.eco.data))


def read_area(text: str) -> Decimal | None:
    """ "120", "12,5" or "1 200" in square metres; None for what is no area."""
    match = AREA.fullmatch(re.sub(r"[\s\u00a0]", "", text[:LONGEST]))
    return Decimal(f"{match[1]}.{match[2] or 0}") if match else None
