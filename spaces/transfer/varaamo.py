"""Reservation units of Helsinki's Varaamo (tilavarauspalvelu), in the three shapes its interfaces have given:
REST v1 (`reservation_unit_type`), GraphQL (`reservationUnitType`), and the short list of recommendations.

A building is a place, a reservation unit a space, and Varaamo's own tree of spaces gives the units: a reservation unit
covers its spaces and all that the file knows below them, so the whole hall and its thirds exclude each other.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spaces.transfer.documents import Document, Seen, named, record_object
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.kinds import KIND_PURPOSES, kind_of_name
from spaces.transfer.listing import INTERVALS, ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.text import (
    LANGUAGES,
    count_field,
    kind_of,
    line_of,
    number_field,
    plain_text,
    text_field,
)

SOURCE = "varaamo"
OWNER = "Helsingin kaupunki"
TYPE_KINDS = {
    "kokoustila": "meeting_room",
    "äänitysstudio": "music_studio",
    "nuorisopalvelut": "youth_space",
    "liikuntatila": "sports_hall",
    "työpaja": "art_studio",
}
PURPOSE_WORDS = {
    "lukupiiri": "study",
    "pitää kokous": "meeting",
    "järjestää tapahtuma": "party",
    "liikkua": "exercise",
    "soittaa": "music",
    "pelata": "gaming",
    "opiskella": "study",
    "tanssia": "dance",
}
RESOURCE_WORDS = (("piano", "piano"), ("rummu", "drum_kit"), ("vahvist", "amplifiers"), ("projekt", "projector"),
                  ("tykki", "projector"), ("mikrofoni", "microphone"), ("taulu", "whiteboard"))  # fmt: skip
CLOCK = re.compile(r"^(?:(\d+) )?(\d{1,3}):(\d{2})(?::(\d{2}))?$")


@dataclass(frozen=True)
class Room:
    """One checked reservation unit, not yet joined with the others of its building."""

    where: str
    external_id: str
    building: str
    building_names: Mapping[str, str]
    space_names: Mapping[str, str]
    varaamo_spaces: tuple[tuple[str, str, str | None], ...]  # id, name, id of the parent
    space: ListedSpace
    street: str
    postcode: str | None
    locality: str | None
    lon: float | None
    lat: float | None


def read(document: Document) -> Iterator[Listing | Problem | Note]:
    """All rooms by building; a broken one is left out of its building."""
    buildings: dict[str, list[Room]] = {}
    seen = Seen()
    for where, record in document.records():
        name = named(where, record, "id" if record.get("id") is not None else "pk")
        try:
            room = room_of(record_object(record), name)
            seen.add(room.external_id, name)
        except RecordBroken as broken:
            yield Problem(name, broken.field, broken.reason)
            continue
        buildings.setdefault(room.building, []).append(room)
    for building, rooms in buildings.items():
        yield place(building, rooms)


def room_of(record: Mapping[str, Any], where: str) -> Room:
    external_id = line_of(text_field(record, "id" if record.get("id") is not None else "pk"))
    if not external_id:
        raise RecordBroken("id", "is missing")
    names = in_languages(record, "name")
    if not names:
        raise RecordBroken("name", "is missing")
    building = part(record, "building") or part(record, "unit") or {}
    building_id = line_of(text_field(building, "id"))
    location = part(record, "location") or {}
    lon, lat = coordinates(location)
    spaces = [part({"space": entry}, "space") or {} for entry in entries(record, "spaces")]
    return Room(
        where=where,
        external_id=external_id,
        building=f"building:{building_id}" if building_id else f"unit:{external_id}",
        building_names=in_languages(building, "name") or names,
        space_names=in_languages(spaces[0], "name") if len(spaces) == 1 else {},
        varaamo_spaces=tuple(
            (str(space["id"]), next(iter(in_languages(space, "name").values()), ""), parent_of(space))
            for space in spaces
            if space.get("id") is not None
        ),
        space=listed(record, external_id, names, spaces),
        street=line_of(text_field(location, "address_street") or text_field(location, "addressStreet")),
        postcode=line_of(text_field(location, "address_zip") or text_field(location, "addressZip")) or None,
        locality=line_of(text_field(location, "address_city") or text_field(location, "addressCity")) or None,
        lon=lon,
        lat=lat,
    )


def listed(
    record: Mapping[str, Any], external_id: str, names: Mapping[str, str], spaces: list[Mapping[str, Any]]
) -> ListedSpace:
    type_name = plain_name(part(record, "reservation_unit_type") or part(record, "reservationUnitType") or {})
    kind = TYPE_KINDS.get(type_name.lower()) or kind_of_name(*names.values(), type_name) or "community_room"
    purposes = [
        code
        for entry in entries(record, "purposes")
        if (code := PURPOSE_WORDS.get(plain_name(part({"purpose": entry}, "purpose") or {}).lower()))
    ]
    resources = [
        plain_name(part({"resource": entry}, "resource") or {}).lower()
        for entry in entries(record, "resources")
    ]
    equipment = {code for word, code in RESOURCE_WORDS if any(word in name for name in resources)}
    surfaces = [number_field(space, "surface_area") for space in spaces if "surface_area" in space]
    surfaces += [number_field(space, "surfaceArea") for space in spaces if "surfaceArea" in space]
    instructions = in_languages(record, "terms_of_use") or in_languages(record, "termsOfUse")
    return ListedSpace(
        external_id,
        kind,
        names,
        (),
        descriptions=in_languages(record, "description", one_line=False),
        instructions={language: text for language, text in instructions.items() if text},
        purposes=tuple(sorted(set(purposes))) or KIND_PURPOSES.get(kind, ()),
        equipment=tuple(sorted(equipment)),
        capacity=count_field(record, "max_persons") or count_field(record, "maxPersons"),
        area_m2=sum(area for area in surfaces if area) or None,
        terms=terms(record),
    )


def terms(record: Mapping[str, Any]) -> Terms:
    """Durations and buffers where the format has them."""
    shortest = minutes(record, "min_reservation_duration", "minReservationDuration") or 60
    longest = minutes(record, "max_reservation_duration", "maxReservationDuration") or max(shortest, 240)
    interval = 30 if shortest % 30 == 0 and longest % 30 == 0 else 15
    given = record.get("reservation_start_interval") or record.get("reservationStartInterval")
    if given is not None:
        digits = re.search(r"(\d+)", str(given))
        if digits is None or int(digits[1]) not in INTERVALS:
            raise RecordBroken("reservationStartInterval", f"{given!r} is not known here")
        interval = int(digits[1])
    return Terms(
        min_minutes=shortest,
        max_minutes=longest,
        interval_minutes=interval,
        buffer_before_minutes=minutes(record, "buffer_time_before", "bufferTimeBefore") or 0,
        buffer_after_minutes=minutes(record, "buffer_time_after", "bufferTimeAfter") or 0,
        approval="handler"
        if record.get("require_introduction") or record.get("requireIntroduction")
        else "instant",
        max_open_per_person=count_field(record, "max_reservations_per_user")
        or count_field(record, "maxReservationsPerUser"),
        attendees_min=fewest(record),
    )


def fewest(record: Mapping[str, Any]) -> int | None:
    """How many people come at the least; one is no limit, so nobody need be asked."""
    least = count_field(record, "min_persons") or count_field(record, "minPersons")
    return least if least is not None and least > 1 else None


def minutes(record: Mapping[str, Any], *fields: str) -> int | None:
    """Whole minutes of "01:30:00", "1 02:00:00" or seconds."""
    for field in fields:
        value = record.get(field)
        if value is None or value == "":
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value) // 60
        match = CLOCK.match(str(value).strip())
        if match is None:
            raise RecordBroken(field, f"{str(value)[:40]!r} is no duration such as 01:30:00")
        return int(match[1] or 0) * 1440 + int(match[2]) * 60 + int(match[3])
    return None


def place(building: str, rooms: list[Room]) -> Listing:
    """The building with its rooms. Rooms of one name are told apart by the name of their Varaamo space."""
    rooms = sorted(rooms, key=lambda room: (len(room.external_id), room.external_id))
    children: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for room in rooms:
        for space_id, name, parent in room.varaamo_spaces:
            names[space_id] = name
            if parent is not None:
                children.setdefault(parent, set()).add(space_id)
    units: dict[str, ListedUnit] = {}
    spaces = []
    alike = Counter(tuple(sorted(room.space.names.items())) for room in rooms)
    for room in rooms:
        covered = {
            below for space_id, _, _ in room.varaamo_spaces for below in with_all_below(space_id, children)
        }
        keys = [f"space:{space_id}" for space_id in sorted(covered)] or [f"room:{room.external_id}"]
        for key in keys:
            units.setdefault(
                key,
                ListedUnit(
                    key, {"fi": names.get(key.partition(":")[2]) or next(iter(room.space.names.values()))}
                ),
            )
        space = replace(room.space, units=tuple(keys))
        if alike[tuple(sorted(room.space.names.items()))] > 1:
            space = replace(space, names=told_apart(room))
        spaces.append(space)
    located = next((room for room in rooms if room.lon is not None), rooms[0])
    addressed = next((room for room in rooms if room.street), rooms[0])
    return Listing(
        source=SOURCE,
        external_id=building,
        kind=spaces[0].kind,
        names=rooms[0].building_names,
        where=rooms[0].where,
        streets={"fi": addressed.street} if addressed.street else {},
        postcode=addressed.postcode,
        locality=addressed.locality,
        lon=located.lon,
        lat=located.lat,
        owner=OWNER,
        units=tuple(units[key] for key in sorted(units)),
        spaces=tuple(spaces),
    )


def told_apart(room: Room) -> dict[str, str]:
    own = room.space_names or {"fi": room.external_id}
    more = own.get("fi") or next(iter(own.values()))
    return {language: f"{name} – {own.get(language) or more}" for language, name in room.space.names.items()}


def with_all_below(space_id: str, children: Mapping[str, set[str]]) -> set[str]:
    """The space and all below it; a ring in the tree ends the walk."""
    found: set[str] = set()
    waiting = [space_id]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(children.get(one, ()))
    return found


def in_languages(record: Mapping[str, Any], field: str, *, one_line: bool | None = None) -> dict[str, str]:
    """A text that is either {"fi": ..., "sv": null} or one Finnish string, or nameFi beside it."""
    value = record.get(field)
    clean = line_of if (field == "name" if one_line is None else one_line) else plain_text
    if isinstance(value, Mapping):
        texts = {language: clean(text_field(value, language)) for language in LANGUAGES}
    else:
        texts = {language: clean(text_field(record, f"{field}{language.title()}")) for language in LANGUAGES}
        if not texts["fi"]:
            texts["fi"] = clean(text_field(record, field))
    return {language: text for language, text in texts.items() if text}


def plain_name(record: Mapping[str, Any]) -> str:
    return next(iter(in_languages(record, "name").values()), "")


def part(record: Mapping[str, Any], field: str) -> Mapping[str, Any] | None:
    """An object inside the record; None where absent or null."""
    value = record.get(field)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise RecordBroken(field, f"should be an object, not {kind_of(value)}")
    return value


def entries(record: Mapping[str, Any], field: str) -> list[Any]:
    value = record.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RecordBroken(field, f"should be a list, not {kind_of(value)}")
    return value


def parent_of(space: Mapping[str, Any]) -> str | None:
    parent = space.get("parent_id")
    if parent is None and isinstance(space.get("parent"), Mapping):
        parent = space["parent"].get("id")
    return None if parent is None else str(parent)


def coordinates(location: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """(lon, lat), given as text or number, flat or in `coordinates`; (None, None) where either is null."""
    inner = part(location, "coordinates") or location
    lon, lat = number_field(inner, "longitude"), number_field(inner, "latitude")
    return (lon, lat) if lon is not None and lat is not None else (None, None)
