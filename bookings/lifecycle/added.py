"""What a booking adds, in the reader's words: equipment, and the use of an outdoor area."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from bookings.lifecycle.added_fields import ExtraFields
from bookings.lifecycle.outdoor import asks_eco, asks_nature, needs_area
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.errors import N_
from marketplace.timespan import Span
from marketplace.web import i18n
from marketplace.web.i18n import format_number, localised
from spaces.calendar.piece_actions import free_pieces
from spaces.catalog.models import Space
from spaces.equipment.errors import field_of
from spaces.equipment.present import price_text
from spaces.equipment.queries import offered_extras
from spaces.pricing.present import nature_text
from spaces.pricing.rules import PriceTerms


def gettext(text: str, **values: Any) -> str:
    """Flask-Babel's, with a type."""
    return str(i18n.gettext(text, **values))


NATURE_HINTS = {
    "PUBLIC_FREE": N_("A concert, a market or a block party where anyone may come in for nothing."),
    "PUBLIC_NONFREE": N_("Anyone may come, with a ticket or a fee."),
    "CLOSED": N_("Only those who are invited: a party, a staff day."),
    "PROMOTION": N_("Presenting or selling a product or a service."),
    "BIG_EVENT": N_("A whole park or square for thousands of people."),
}


@dataclass(frozen=True)
class EquipmentRow:
    """One kind of equipment in the checkout: `left` pieces are free at the time, `most` of them can be added."""

    id: str
    name: str
    about: str
    price: str
    left: int
    most: int
    typed: str
    error: str


def equipment_rows(
    session: Session, city: City, space: Space, during: Span, form: ExtraFields, *, with_left: bool = True
) -> list[EquipmentRow]:
    """What can be added, with how many are free at this time. More than that is told beside the number. Not `with_left`,
    it is the stock: for times that are not the only one."""
    day = during.start.astimezone(city.zone).date()
    offered = offered_extras(session, city, space.id, day)
    if not offered:
        return []
    left = {one.extra.unit_id: one.stock for one in offered}
    if with_left:
        left = free_pieces(session, city.id, list(left), during)
    rows = []
    for one in offered:
        extra_id, free = one.extra.id, left.get(one.extra.unit_id, 0)
        form.extras.names[extra_id] = localised(one.extra.names)
        if with_left and form.extras.data.get(extra_id, 0) > free:
            form.extras.wrong.setdefault(extra_id, left_text(free))
        rows.append(
            EquipmentRow(
                field_of(extra_id),
                localised(one.extra.names),
                localised(one.extra.descriptions),
                price_text(one.terms),
                free,
                min(free, one.most),
                form.extras.typed.get(extra_id, ""),
                form.extras.wrong.get(extra_id, ""),
            )
        )
    return rows


def left_text(left: int) -> str:
    if not left:
        return gettext("None is free at this time.")
    return str(i18n.ngettext("%(num)d is free at this time.", "%(num)d are free at this time.", left))


@dataclass(frozen=True)
class OutdoorQuestions:
    """What the checkout asks of the use of an area: the natures to choose from, its area, whether it is an eco event."""

    natures: list[tuple[str, str, str]]  # key, text, hint
    area: str
    most_m2: str
    must_tell_area: bool
    asks_eco: bool


def outdoor_questions(terms: PriceTerms) -> OutdoorQuestions | None:
    """None where the space is not priced by the city's tariff."""
    if terms.per != "tariff":
        return None
    natures = [
        (row.key, nature_text(row.key), gettext(NATURE_HINTS[row.key]) if row.key in NATURE_HINTS else "")
        for row in terms.tariffs
    ]
    whole = "" if terms.area_m2 is None else f"{terms.area_m2.normalize():f}".replace(".", ",")
    return OutdoorQuestions(
        natures if asks_nature(terms) else [],
        whole,
        format_number(float(terms.area_m2)) if terms.area_m2 is not None else "",
        needs_area(terms),
        asks_eco(terms),
    )


def equipment_of(lines: Sequence[Mapping[str, Any]]) -> list[tuple[int, Localised]]:
    """(pieces, names) of the equipment that a booking with these lines was sold with."""
    return [
        (int(about["pieces"]), dict(about["names"]))
        for line in lines
        if "pieces" in (about := line.get("about") or {})
    ]


def equipment_text(lines: Sequence[Mapping[str, Any]]) -> str:
    """6 × Tables, 1 × PA."""
    return ", ".join(f"{format_number(pieces)} × {localised(names)}" for pieces, names in equipment_of(lines))


def use_text(use: Mapping[str, Any]) -> str:
    """Open to everyone, free entry; 400 m²; eco event; 1 day to build up, 1 to tear down."""
    parts = []
    if use.get("nature"):
        parts.append(nature_text(use["nature"]))
    if use.get("area_m2"):
        parts.append(f"{format_number(float(Decimal(use['area_m2'])))}\u00a0m²")
    if use.get("eco"):
        parts.append(gettext("eco event"))
    before, after = use.get("build_before", 0), use.get("build_after", 0)
    if before or after:
        parts.append(
            gettext("days to build up %(before)s, to tear down %(after)s", before=before, after=after)
        )
    return "; ".join(parts)
