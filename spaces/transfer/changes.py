"""What an import would change, field by field: the listing of a file against the one that is stored."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from math import isclose
from typing import Any

import shapely

from spaces.catalog.accessibility import MEASURES
from spaces.catalog.rules import may_follow
from spaces.pricing.lists import PriceList
from spaces.transfer.access_text import tells_access
from spaces.transfer.columns import clean
from spaces.transfer.hours_text import exceptions_text, hours_text
from spaces.transfer.listing import ListedPrice, ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.price_text import (
    amount_text,
    in_force,
    lists_to_write,
    row_order,
    steps_text,
    tariff_text,
    ways_text,
)

PLACE_TEXTS = ("names", "streets")
PLACE_VALUES = ("kind", "postcode", "locality", "phone", "website", "owner")
SPACE_TEXTS = ("names", "descriptions", "instructions")
SPACE_SETS = ("purposes", "equipment")
SPACE_VALUES = ("kind", "capacity", "area_m2")
TERMS = tuple(one.name for one in fields(Terms))
# The states that the city's registers know of; the others are the owner's.
IN_REGISTERS = frozenset({"published", "archived"})
SAME_SHAPE = 1e-9
SAME_NUMBER = 1e-12


@dataclass(frozen=True)
class Change:
    """One field; `field` is a path such as names.sv or spaces/12/capacity. None: not there."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class PlaceChange:
    """What happens to one place. All fields of a new one are told by its listing, and only when asked for."""

    where: str
    source: str
    external_id: str
    name: str
    fields: tuple[Change, ...] = ()
    created: Listing | None = None

    @property
    def action(self) -> str:
        return "updated" if self.created is None else "created"

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.fields if self.created is None else tuple(changes_of(self.created, None))


def changes_of(told: Listing, stored: Listing | None, *, day: date | None = None) -> list[Change]:
    """What would be written on this day; with `stored` None all that the file tells, whatever the day."""
    return list(place_changes(told, stored)) + [
        change for change in parts_changes(told, stored, day) if change.old != change.new
    ]


def place_changes(told: Listing, stored: Listing | None) -> Iterator[Change]:
    speaks = speaker(told)
    for name in PLACE_TEXTS:
        if speaks(name):
            yield from text_changes(name, getattr(told, name), getattr(stored, name) if stored else {})
    for name in PLACE_VALUES:
        if speaks(name):
            yield from value_changes(name, getattr(told, name), getattr(stored, name, None))
    if speaks("point"):
        yield from value_changes("lon", told.lon, stored.lon if stored else None)
        yield from value_changes("lat", told.lat, stored.lat if stored else None)
    yield from access_changes(told, stored)
    if speaks("area") and not same_shape(told.area, stored.area if stored else None):
        yield Change("area", outline(stored.area if stored else None), outline(told.area))


def access_changes(told: Listing, stored: Listing | None) -> Iterator[Change]:
    """Facts as lists, a line for each measure and each sentence; `told` is complete by `with_access`."""
    if not tells_access(told):
        return
    for name in ("accessibility", "accessibility_lacks"):
        yield from value_changes(name, sorted(getattr(told, name)), sorted(getattr(stored, name, ())))
    old = stored.accessibility_measures if stored else {}
    for name in MEASURES:
        new = told.accessibility_measures.get(name)
        yield from value_changes(f"accessibility_measures.{name}", new, old.get(name))
    had = stored.accessibility_sentences if stored else ()
    if told.accessibility_sentences != had:
        for at in range(max(len(had), len(told.accessibility_sentences))):
            before, after = (
                some[at].as_json() if at < len(some) else None for some in (had, told.accessibility_sentences)
            )
            yield from value_changes(f"accessibility_sentences.{at + 1}", after, before)


def price_changes(
    path: str, space: ListedSpace, known: ListedSpace | None, day: date | None
) -> Iterator[Change]:
    """A base price as a line of its own; of whole lists each part of each list that is to be written."""
    if space.prices is None:
        if space.price is not None and (known is None or space.price != known.price):
            yield Change(path + "price", price_text(known.price) if known else None, price_text(space.price))
        return
    stored = known.prices or () if known else None
    for one in lists_to_write(space.prices, stored, day or one_day(space.prices)):
        holds = in_force(stored or (), one.valid_from)
        new, old = list_parts(one), list_parts(holds)
        for name in new:
            yield from value_changes(f"{path}prices/{one.valid_from}/{name}", new[name], old.get(name))


def one_day(lists: Sequence[PriceList]) -> date:
    return lists[0].valid_from


def list_parts(one: PriceList | None) -> dict[str, Any]:
    """What a list says, by the words of its column."""
    if one is None:
        return {}
    return {
        "per": one.per,
        "amount": amount_text(one.base_minor),
        "slot": one.slot_minutes,
        "minimum": amount_text(one.minimum_minor),
        "build": one.build_percent,
        "kept": one.kept_percent,
        "steps": steps_text(one.cancel) or None,
        "fee": amount_text(one.cancel.fee_minor) if one.cancel.fee_minor else None,
        "ways": ways_text(one.ways),
        "rebooked": "refund" if one.cancel.refund_if_rebooked else None,
        "vat": one.vat_code,
        "tariff": tariff_text(one.tariff) if one.tariff else None,
        "rows": [row_order(row) for row in one.rows],
    }


def parts_changes(told: Listing, stored: Listing | None, day: date | None) -> Iterator[Change]:
    speaks = speaker(told)
    known_units = {unit.external_id: unit for unit in stored.units} if stored else {}
    known_spaces = {space.external_id: space for space in stored.spaces} if stored else {}
    for unit in wanted_units(told, known_spaces):
        yield from unit_changes(unit, known_units.get(unit.external_id), told)
    for space in told.spaces:
        known = known_spaces.get(space.external_id)
        path = f"spaces/{space.external_id}/"
        for name in SPACE_TEXTS:
            if known is None or speaks(f"space.{name}"):
                yield from text_changes(path + name, getattr(space, name), getattr(known, name, {}))
        for name in SPACE_VALUES:
            if known is None or speaks(f"space.{name}"):
                yield from value_changes(path + name, getattr(space, name), getattr(known, name, None))
        for name in SPACE_SETS:
            if known is None or speaks(f"space.{name}"):
                yield from value_changes(
                    path + name, sorted(getattr(space, name)), sorted(getattr(known, name, ()))
                )
        for name in TERMS:
            if known is None or speaks(f"space.{name}"):
                old = getattr(known.terms, name) if known else None
                yield from value_changes(path + name, getattr(space.terms, name), old)
        yield from state_changes(path, space, known, told)
        if known is None or speaks("space.units"):
            # A space keeps the units it had: bookings may hold them.
            old_units = sorted(known.units) if known else []
            yield from value_changes(path + "units", sorted({*old_units, *space.units}), old_units)
        yield from hours_changes(path, space, known, told)
        yield from price_changes(path, space, known, day)


def wanted_units(told: Listing, known_spaces: Container[str]) -> list[ListedUnit]:
    """The units that the listing speaks of: all, or those of new spaces where it tells no units (each row then has made
    up one for its space)."""
    if told.told is None or "space.units" in told.told:
        return list(told.units)
    new = {key for space in told.spaces if space.external_id not in known_spaces for key in space.units}
    return [unit for unit in told.units if unit.external_id in new]


def unit_changes(unit: ListedUnit, known: ListedUnit | None, told: Listing) -> Iterator[Change]:
    path = f"units/{unit.external_id}/"
    if unit.names and (known is None or speaker(told)("unit.names")):
        yield from text_changes(path + "names", unit.names, known.names if known else {})
    if known is None or speaker(told)("unit.lanes"):
        # Fewer lanes could strand claims; an owner takes lanes away by hand.
        lanes = max(unit.lanes, known.lanes) if known else unit.lanes
        yield from value_changes(path + "lanes", lanes, known.lanes if known else None)


def hours_changes(
    path: str, space: ListedSpace, known: ListedSpace | None, told: Listing
) -> Iterator[Change]:
    """Hours and exceptions, where the source knows any. A source of weekly hours tells the exceptions too."""
    if space.hours is not None and not same_hours(space.hours, known.hours or () if known else None):
        yield Change(
            path + "hours", hours_text(known.hours or ()) if known else None, hours_text(space.hours)
        )
    if tells_exceptions(space, told) and not same_hours(space.exceptions, known.exceptions if known else ()):
        yield Change(
            path + "exceptions",
            exceptions_text(known.exceptions) if known else "",
            exceptions_text(space.exceptions),
        )


def tells_exceptions(space: ListedSpace, told: Listing) -> bool:
    return space.hours is not None if told.told is None else "space.exceptions" in told.told


def state_changes(
    path: str, space: ListedSpace, known: ListedSpace | None, told: Listing
) -> Iterator[Change]:
    if known is None:
        yield Change(path + "state", None, space.state)
    elif new_state(space, known, told) != known.state:
        yield Change(path + "state", known.state, space.state)


def new_state(space: ListedSpace, known: ListedSpace, told: Listing) -> str:
    """A register publishes and archives; it does not publish an owner's draft, nor show again what is hidden. Our own
    columns may say any step that an owner may take."""
    if told.told is not None:
        is_told = "space.state" in told.told and may_follow(known.state, space.state)
    else:
        is_told = {space.state, known.state} <= IN_REGISTERS
    return space.state if is_told else known.state


def speaker(told: Listing) -> Any:
    """Whether the source tells a field."""
    if told.told is None:
        return lambda _: True
    return frozenset(told.told).__contains__


def text_changes(path: str, new: Mapping[str, str], old: Mapping[str, str]) -> Iterator[Change]:
    for language in sorted(new.keys() | old.keys()):
        before, after = clean(old.get(language, "")), clean(new.get(language, ""))
        if before != after:
            yield Change(f"{path}.{language}", before or None, after or None)


def value_changes(path: str, new: Any, old: Any) -> Iterator[Change]:
    if isinstance(new, str) and isinstance(old, str):
        new, old = clean(new), clean(old)
    # A spreadsheet keeps 15 digits of a number.
    if new != old and not (
        isinstance(new, float) and isinstance(old, float) and isclose(new, old, rel_tol=SAME_NUMBER)
    ):
        yield Change(path, old, new)


def same_hours(new: Sequence[Any], old: Sequence[Any] | None) -> bool:
    """Whether the two say the same, in any order."""
    return (
        old is not None
        and len(new) == len(old)
        and {shape_of(one) for one in new} == {shape_of(one) for one in old}
    )


def shape_of(one: Any) -> tuple[Any, ...]:
    return tuple(
        tuple(sorted((k, v) for k, v in value.items() if v)) if isinstance(value, Mapping) else value
        for value in vars(one).values()
    )


def same_shape(new: bytes | None, old: bytes | None) -> bool:
    if new == old:
        return True
    if new is None or old is None:
        return False
    return bool(
        shapely.equals_exact(
            shapely.normalize(shapely.from_wkb(new)), shapely.normalize(shapely.from_wkb(old)), SAME_SHAPE
        )
    )


def outline(area: bytes | None) -> str | None:
    """A few words on a shape, for reports."""
    if area is None:
        return None
    shape = shapely.from_wkb(area)
    return f"{shape.geom_type} of {shapely.get_num_coordinates(shape)} points"


def price_text(price: ListedPrice | None) -> str | None:
    if price is None:
        return None
    per = "free" if price.per == "free" else f"{price.amount_minor / 100:.2f} per {price.per}"
    return f"{per}, VAT {price.vat_code}"
