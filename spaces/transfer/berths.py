"""Helsinki's boat harbours and berths, as the fixtures of its berth system (Django's `dumpdata`).

The inventory (`resources.*`): a harbour is a place, each berth a unit and a space of its own, named by pier and number.
A berth is let by whole days, for a season at most, and its owner approves, since the source has no prices.

The older list of harbours (`harbors.*`) has no berths, only how many there are. It is kept as drafts, one unit with as
many lanes as places, so that nobody can book what the inventory has too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from spaces.transfer.documents import Document, record_object
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.listing import ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.text import LANGUAGES, count_field, kind_of, line_of, number_field, text_field
from spaces.transfer.tprek import web_address

SOURCE = "berths"
HARBOURS_SOURCE = "harbours"
OWNER = "Helsingin kaupunki"
KIND = "berth"
EWKT = re.compile(r"^SRID=(\d+);POINT \((-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?)\)$")
# A season on the water: May to October.
LONGEST_DAYS = 184
TERMS = Terms(
    min_minutes=1440, max_minutes=LONGEST_DAYS * 1440, interval_minutes=1440, whole_days=True,
    notice_minutes=1440, horizon_days=365, cancellation_hours=168, approval="handler",
)  # fmt: skip
# What berth-reservations calls BerthMooringType (resources/enums.py).
MOORINGS = {
    1: {"fi": "ilman peräkiinnitystä", "sv": "utan akterförtöjning", "en": "no stern mooring"},
    2: {"fi": "aisapaikka", "sv": "bomplats", "en": "slip with booms"},
    3: {"fi": "kävelyaisapaikka", "sv": "plats med gångbom", "en": "slip with a walkway boom"},
    4: {"fi": "peräpoijupaikka", "sv": "akterbojsplats", "en": "stern buoy"},
    5: {"fi": "paaluperäkiinnitys", "sv": "akterförtöjning vid påle", "en": "stern pole"},
    6: {"fi": "sivukiinnitys", "sv": "långsides förtöjning", "en": "alongside the quay"},
    7: {"fi": "jollapaikka", "sv": "jolleplats", "en": "dinghy place"},
    8: {"fi": "poiju merellä", "sv": "boj till havs", "en": "buoy at sea"},
    9: {"fi": "traileripaikka", "sv": "trailerplats", "en": "trailer place"},
}
SIZE = {
    "fi": "Leveys {width} m, pituus {length} m", "sv": "Bredd {width} m, längd {length} m",
    "en": "Width {width} m, length {length} m",
}  # fmt: skip
PIER = {
    "fi": "Laituri {pier}, paikka {number}",
    "sv": "Brygga {pier}, plats {number}",
    "en": "Pier {pier}, berth {number}",
}
NO_PIER = {"fi": "Paikka {number}", "sv": "Plats {number}", "en": "Berth {number}"}
GATE = {"fi": "Laiturilla on portti.", "sv": "Bryggan har grind.", "en": "The pier has a gate."}
FACILITIES = ("electricity", "water", "lighting")
Fields = Mapping[str, Any]


def read(document: Document) -> Iterator[Listing | Problem | Note]:
    """Harbours with their berths; a broken berth is left out of its harbour, a broken pier with its berths."""
    tables: dict[str, dict[str, tuple[str, Fields]]] = {}
    for where, record in document.records():
        try:
            model, key, fields = entry_of(record)
        except RecordBroken as broken:
            yield Problem(where, broken.field, broken.reason)
            continue
        rows = tables.setdefault(model, {})
        if key in rows:
            yield Problem(where, "pk", f"{model} {key} is that of {rows[key][0]} too")
            continue
        rows[key] = (where, fields)
    if "resources.berth" in tables:
        yield from inventory(tables)
    else:
        yield from old_harbours(tables)


def entry_of(record: Fields) -> tuple[str, str, Fields]:
    """(model, key, fields) of one line of the fixture."""
    record = record_object(record)
    model, fields = record.get("model"), record.get("fields")
    if not isinstance(model, str) or record.get("pk") is None:
        raise RecordBroken("model", "or the key pk is missing")
    if not isinstance(fields, Mapping):
        raise RecordBroken("fields", f"should be an object, not {kind_of(fields)}")
    return model, str(record["pk"]), fields


def inventory(tables: Mapping[str, Mapping[str, tuple[str, Fields]]]) -> Iterator[Listing | Problem | Note]:
    piers, types = tables.get("resources.pier", {}), tables.get("resources.berthtype", {})
    harbours = tables.get("resources.harbor", {})
    names = translations(tables, "resources.harbortranslation")
    berths: dict[str, list[tuple[ListedUnit, ListedSpace]]] = {}
    for key, (where, fields) in tables["resources.berth"].items():
        try:
            pier = related(fields, "pier", piers)
            related(pier, "harbor", harbours)
            harbour = str(pier["harbor"])
            berths.setdefault(harbour, []).append(
                berth(key, fields, pier, related(fields, "berth_type", types))
            )
        except RecordBroken as broken:
            yield Problem(f"{where} (berth {key})", broken.field, broken.reason)
    for key, (where, fields) in harbours.items():
        found = sorted(berths.get(key, ()), key=lambda pair: in_order(pair[1]))
        if not found:
            yield Note(f"{where} (harbour {key})", "has no berths and is left out")
            continue
        try:
            yield replace(
                harbour_listing(SOURCE, key, fields, names.get(key, {})),
                where=f"{where} (harbour {key})",
                units=tuple(unit for unit, _ in found),
                spaces=tuple(space for _, space in found),
            )
        except RecordBroken as broken:
            yield Problem(f"{where} (harbour {key})", broken.field, broken.reason)


def berth(key: str, fields: Fields, pier: Fields, kind: Fields) -> tuple[ListedUnit, ListedSpace]:
    number = line_of(text_field(fields, "number"))
    if not number:
        raise RecordBroken("number", "is missing")
    label = line_of(text_field(pier, "identifier"))
    pattern = PIER if label.strip("-") else NO_PIER
    names = {language: pattern[language].format(pier=label, number=number) for language in LANGUAGES}
    width, length = number_field(kind, "width"), number_field(kind, "length")
    mooring = MOORINGS.get(int(number_field(kind, "mooring_type") or 0), {})
    space = ListedSpace(
        key, KIND, names, (key,),
        descriptions={
            language: description(language, width, length, mooring, gate=pier.get("gate") is True)
            for language in LANGUAGES
        },
        equipment=tuple(code for code in FACILITIES if pier.get(code) is True),
        area_m2=round(width * length, 2) if width and length else None,
        state="published" if fields.get("is_active") is not False else "archived",
        terms=TERMS,
    )  # fmt: skip
    return ListedUnit(key, names), space


def description(
    language: str, width: float | None, length: float | None, mooring: Mapping[str, str], *, gate: bool
) -> str:
    parts = []
    if width and length:
        size = SIZE[language].format(width=metres(width, language), length=metres(length, language))
        parts.append(f"{size}, {mooring[language]}." if mooring else f"{size}.")
    if gate:
        parts.append(GATE[language])
    return " ".join(parts)


def metres(value: float, language: str) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text if language == "en" else text.replace(".", ",")


def in_order(space: ListedSpace) -> tuple[tuple[int, str], ...]:
    """Pier, then number, as people count: 2 before 10."""
    pieces = re.split(r"(\d+)", space.names["en"])
    return tuple((int(piece), "") if piece.isdigit() else (0, piece) for piece in pieces)


def related(fields: Fields, name: str, rows: Mapping[str, tuple[str, Fields]]) -> Fields:
    key = str(fields.get(name))
    if key not in rows:
        raise RecordBroken(name, f"{key} is not in the file")
    return rows[key][1]


def translations(
    tables: Mapping[str, Mapping[str, tuple[str, Fields]]], model: str
) -> dict[str, dict[str, Fields]]:
    found: dict[str, dict[str, Fields]] = {}
    for _, fields in tables.get(model, {}).values():
        language = fields.get("language_code")
        if language in LANGUAGES:
            found.setdefault(str(fields.get("master")), {})[str(language)] = fields
    return found


def harbour_listing(source: str, key: str, fields: Fields, names: Mapping[str, Fields]) -> Listing:
    """The harbour itself; what is in it is added by the caller."""
    lon, lat = point(fields)
    return Listing(
        source=source,
        external_id=key,
        kind=KIND,
        names={lang: name for lang, one in names.items() if (name := line_of(text_field(one, "name")))},
        streets={
            lang: street
            for lang, one in names.items()
            if (street := line_of(text_field(one, "street_address")))
        },
        postcode=line_of(text_field(fields, "zip_code")) or None,
        locality=line_of(text_field(fields, "municipality")).title() or None,
        lon=lon,
        lat=lat,
        phone=line_of(text_field(fields, "phone")) or None,
        website=web_address(text_field(fields, "www_url")),
        owner=OWNER,
        units=(),
        spaces=(),
    )


def point(fields: Fields) -> tuple[float | None, float | None]:
    """(lon, lat) of "SRID=4326;POINT (25.02 60.19)"."""
    text = text_field(fields, "location")
    if not text:
        return None, None
    match = EWKT.match(text)
    if match is None or match[1] != "4326":
        raise RecordBroken("location", f"{text[:40]!r} is not like SRID=4326;POINT (25.02 60.19)")
    return float(match[2]), float(match[3])


def old_harbours(
    tables: Mapping[str, Mapping[str, tuple[str, Fields]]],
) -> Iterator[Listing | Problem | Note]:
    names = translations(tables, "harbors.harbortranslation")
    count = 0
    for key, (where, fields) in tables.get("harbors.harbor", {}).items():
        place = f"{where} (harbour {key})"
        try:
            lanes = count_field(fields, "number_of_places") or 1
            told = names.get(key, {})
            titles = {lang: line_of(text_field(one, "name")) for lang, one in told.items()}
            space = ListedSpace(
                "berths", KIND, {lang: title for lang, title in titles.items() if title}, ("berths",),
                equipment=tuple(code for code in FACILITIES if fields.get(code) is True),
                state="draft",
                terms=TERMS,
            )  # fmt: skip
            unit = ListedUnit("berths", space.names, lanes)
            harbour = harbour_listing(HARBOURS_SOURCE, key, fields, told)
            yield replace(harbour, where=place, units=(unit,), spaces=(space,))
            count += 1
        except RecordBroken as broken:
            yield Problem(place, broken.field, broken.reason)
    if count:
        yield Note(
            "harbours",
            f"{count} are kept as drafts: their single berths come with the inventory of resources",
        )
