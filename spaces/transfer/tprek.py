"""The regional service map: TPREK v4 unit JSON, and the map's own GeoJSON of the same units.

The service map tells where a place is and what it is called, not how it is booked. So a unit becomes one place with one
space, and where nothing says that people may simply take it, the owner approves each booking.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from spaces.transfer.access_register import register_facts
from spaces.transfer.documents import Document, named, properties_of, record_object
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.kinds import DEFAULT_KIND, KIND_PURPOSES, kind_of_name
from spaces.transfer.listing import ListedPrice, ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.shapes import place_of
from spaces.transfer.text import LANGUAGES, line_of, number_field, plain_text, text_field, texts_of

SOURCE = "tprek"
ADDRESS = re.compile(r"^(?P<street>.*?)\s*,?\s*(?P<postcode>\d{5})\s+(?P<locality>.+)$")
HREF = re.compile(r"""href=["']([^"']+)["']""")
HELSINKI = {"www.hel.fi": "Helsingin kaupunki"}
# Service types of playgrounds: the staffed ones have a house, the others are a yard.
STAFFED, UNSTAFFED = 69, 70

CLOSING = re.compile(r"suljet|suljettu|stängd|stängs|closed for", re.IGNORECASE)


def read_units(document: Document) -> Iterator[Listing | Problem | Note]:
    """TPREK v4 `/unit/` lists and single units."""
    for where, record in document.records():
        name = named(where, record, "id")
        try:
            yield unit(record_object(record), name)
        except RecordBroken as broken:
            yield Problem(name, broken.field, broken.reason)
            continue
        if CLOSING.search(str(record.get("desc_fi") or record.get("desc_en") or "")):
            yield Note(name, "the description speaks of a closing that only its prose tells; check the hours")


def unit(record: Mapping[str, Any], where: str) -> Listing:
    external_id = identity(record, "id")
    names = texts_of(record, "name_%s")
    if not names:
        raise RecordBroken("name_fi", "is missing, and so are the other languages")
    descriptions = {
        language: "\n\n".join(part for part in parts if part)
        for language in LANGUAGES
        if any(
            parts := [text_field(record, f"short_desc_{language}"), text_field(record, f"desc_{language}")]
        )
    }
    kind = kind_of_name(*names.values()) or DEFAULT_KIND
    facts = register_facts(record.get("accessibility_sentences"), source=SOURCE)
    return Listing(
        source=SOURCE,
        external_id=external_id,
        kind=kind,
        names=names,
        where=where,
        streets=texts_of(record, "street_address_%s"),
        postcode=line_of(text_field(record, "address_zip")) or None,
        locality=line_of(text_field(record, "address_city_fi")) or None,
        lon=number_field(record, "longitude"),
        lat=number_field(record, "latitude"),
        accessibility=facts.has,
        accessibility_lacks=facts.lacks,
        accessibility_sentences=facts.sentences,
        phone=line_of(text_field(record, "phone")) or None,
        website=web_address(text_field(record, "www_fi") or text_field(record, "www_en")),
        owner=HELSINKI.get(str(record.get("data_source_url"))),
        units=(ListedUnit("whole", names),),
        spaces=(
            ListedSpace(
                "whole", kind, names, ("whole",),
                descriptions=descriptions,
                purposes=KIND_PURPOSES.get(kind, ()),
                terms=Terms(approval="handler", notice_minutes=1440, interval_minutes=60),
            ),
        ),
    )  # fmt: skip


def read_map(document: Document) -> Iterator[Listing | Problem | Note]:
    """The service map's GeoJSON layer, one feature per unit and service."""
    transform = document.to_wgs84()
    for where, feature in document.records():
        name = named(where, feature.get("properties"), "PKS_ID")
        try:
            properties = properties_of(feature)
            place = place_of(feature.get("geometry"), transform=transform)
            yield map_unit(properties, name, place.lon, place.lat)
        except RecordBroken as broken:
            yield Problem(name, broken.field, broken.reason)


def map_unit(record: Mapping[str, Any], where: str, lon: float, lat: float) -> Listing:
    names = texts_of(record, "Name_%s")
    if not names:
        raise RecordBroken("Name_fi", "is missing, and so are the other languages")
    streets, postcode, locality = addresses(record)
    service = record.get("ServiceTypeID")
    kind = "playground" if service in {STAFFED, UNSTAFFED} else kind_of_name(*names.values()) or DEFAULT_KIND
    links = (HREF.search(str(record.get(f"Link_{language}") or "")) for language in LANGUAGES)
    # A staffed playground has a house with rooms; elsewhere it is the yard that a group keeps for a party.
    has_house = service == STAFFED
    rooms = {"fi": "sisätilat", "sv": "inomhus", "en": "indoor rooms"}
    return Listing(
        source=SOURCE,
        external_id=identity(record, "PKS_ID"),
        kind=kind,
        names=names,
        where=where,
        streets=streets,
        postcode=postcode,
        locality=locality,
        lon=lon,
        lat=lat,
        phone=line_of(text_field(record, "Phone")) or None,
        website=next((web_address(link[1]) for link in links if link), None),
        owner=line_of(text_field(record, "Organization_fi")) or None,
        units=(ListedUnit("house" if has_house else "yard", names),),
        spaces=(
            ListedSpace(
                "house" if has_house else "yard",
                kind,
                {lang: f"{name}, {rooms[lang]}" for lang, name in names.items()} if has_house else names,
                ("house" if has_house else "yard",),
                descriptions=texts_of(record, "Description_%s", one_line=False),
                purposes=KIND_PURPOSES.get(kind, ()),
                terms=Terms(max_minutes=480 if has_house else 720, interval_minutes=60, notice_minutes=60),
                indoors=has_house if kind == "playground" else None,
                price=ListedPrice(),
            ),
        ),
    )


def identity(record: Mapping[str, Any], field: str) -> str:
    external_id = line_of(text_field(record, field))
    if not external_id:
        raise RecordBroken(field, "is missing")
    return external_id


def addresses(record: Mapping[str, Any]) -> tuple[dict[str, str], str | None, str | None]:
    """Streets by language, postcode and town of "Hillerikuja 6, 00800 Helsinki"; the street may be empty."""
    streets: dict[str, str] = {}
    postcode = locality = None
    for language, address in texts_of(record, "Address_%s").items():
        match = ADDRESS.match(address)
        street = match["street"].strip(" ,") if match else address.strip(" ,")
        if street:
            streets[language] = street
        if match and postcode is None:
            postcode, locality = match["postcode"], match["locality"]
    return streets, postcode, locality


def web_address(text: str) -> str | None:
    """An http address, else nothing: what is shown as a link must not be a script."""
    text = plain_text(text)
    return text if re.match(r"https?://[^\s<>\"]+$", text) and len(text) <= 500 else None
