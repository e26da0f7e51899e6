"""A GeoJSON of areas and points with plain properties: anybody's list of places.

Known properties (all but a name may be absent; fi, sv and en endings where several languages exist):
id, name / nimi, kind, description / kuvaus, street / address / osoite, postcode, capacity, area_m2, purposes, equipment,
accessibility, opens, closes, price_per (free, hour, day), price (in whole units of money), owner, phone, website, active.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import time
from decimal import Decimal
from typing import Any

from spaces.transfer.documents import Document, properties_of
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.kinds import DEFAULT_KIND, KIND_PURPOSES, kind_of_name
from spaces.transfer.listing import (
    BY_THE_DAY,
    EVERY_DAY,
    Hours,
    ListedPrice,
    ListedSpace,
    ListedUnit,
    Listing,
    Terms,
)
from spaces.transfer.shapes import Place, area_m2, place_of
from spaces.transfer.text import (
    LANGUAGES,
    count_field,
    line_of,
    number_field,
    plain_text,
    text_field,
)
from spaces.transfer.tprek import web_address

NAMES = ("name", "nimi", "namn")
DESCRIPTIONS = ("description", "kuvaus")
STREETS = ("street", "address", "osoite")
IDS = ("id", "external_id", "tunnus")
ENDINGS = {"fi": ("_fi", ":fi"), "sv": ("_sv", ":sv", "_se"), "en": ("_en", ":en")}


def read(document: Document) -> Iterator[Listing | Problem | Note]:
    """Each feature is a place with one space."""
    transform = document.to_wgs84()
    source = f"geojson:{document.name}"
    for where, feature in document.records():
        try:
            external_id = identity(feature)
        except RecordBroken as broken:
            yield Problem(where, broken.field, broken.reason)
            continue
        name = f"{where} (id {external_id})"
        try:
            place = place_of(feature.get("geometry"), transform=transform)
            listing = place_listing(properties_of(feature), place, metric_crs=document.metric_crs)
            listing = replace(listing, source=source, external_id=external_id, where=name)
        except RecordBroken as broken:
            yield Problem(name, broken.field, broken.reason)
            continue
        yield listing
        if place.repaired:
            yield Note(name, "the outline crossed itself and was repaired")


def identity(feature: Mapping[str, Any]) -> str:
    """The id among the properties, else the feature's own."""
    if feature.get("type") != "Feature":
        raise RecordBroken("type", "should be Feature")
    properties = properties_of(feature)
    for record in (properties, feature):
        for field in IDS:
            if external_id := line_of(text_field(record, field)):
                return external_id
    raise RecordBroken("id", "is missing, and without it a second import would double the place")


def place_listing(record: Mapping[str, Any], place: Place, *, metric_crs: int) -> Listing:
    """The listing of one feature's properties; whose it is, is added by the caller."""
    names = {language: line_of(text) for language, text in languages(record, NAMES).items()}
    if not names:
        raise RecordBroken("name", "is missing")
    kind = line_of(text_field(record, "kind")) or kind_of_name(*names.values()) or DEFAULT_KIND
    price = price_of(record)
    surface = number_field(record, "area_m2")
    if surface is None and place.polygons is not None:
        surface = area_m2(place.polygons, metric_crs=metric_crs)
    terms = BY_THE_DAY if price and price.per == "day" else Terms()
    if record.get("approval") is not None:
        terms = replace(terms, approval=line_of(text_field(record, "approval")))
    return Listing(
        source="",
        external_id="",
        kind=kind,
        names=names,
        streets={language: line_of(text) for language, text in languages(record, STREETS).items()},
        postcode=line_of(text_field(record, "postcode")) or None,
        lon=place.lon,
        lat=place.lat,
        area=place.wkb,
        accessibility=codes(record, "accessibility"),
        phone=line_of(text_field(record, "phone")) or None,
        website=web_address(text_field(record, "website")),
        owner=line_of(text_field(record, "owner")) or None,
        units=(ListedUnit("whole", names),),
        spaces=(
            ListedSpace(
                "whole", kind, names, ("whole",),
                descriptions=languages(record, DESCRIPTIONS),
                purposes=codes(record, "purposes") or KIND_PURPOSES.get(kind, ()),
                equipment=codes(record, "equipment"),
                capacity=count_field(record, "capacity"),
                area_m2=surface,
                state="archived" if record.get("active") is False else "published",
                terms=terms,
                hours=hours_of(record),
                price=price,
            ),
        ),
    )  # fmt: skip


def languages(record: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, str]:
    """name_fi, name:sv, nimi_se and the like; a bare field is Finnish, the first language of the data."""
    texts: dict[str, str] = {}
    for field in fields:
        for language in LANGUAGES:
            for ending in ENDINGS[language]:
                if language not in texts and (text := text_field(record, field + ending)):
                    texts[language] = text
    for field in fields:
        bare = "sv" if field == "namn" else "fi"
        if bare not in texts and (text := text_field(record, field)):
            texts[bare] = text
    return {language: plain_text(texts[language]) for language in LANGUAGES if language in texts}


def codes(record: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """A list of words, or one text with commas between."""
    value = record.get(field)
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        raise RecordBroken(field, "should be a list of words")
    return tuple(sorted({code.strip() for code in value if code.strip()}))


def price_of(record: Mapping[str, Any]) -> ListedPrice | None:
    per = line_of(text_field(record, "price_per"))
    amount = number_field(record, "price")
    if not per and amount is None:
        return None
    if not amount:
        return ListedPrice()
    return ListedPrice(per or "hour", int((Decimal(str(amount)) * 100).to_integral_value()))


def hours_of(record: Mapping[str, Any]) -> tuple[Hours, ...] | None:
    opens, closes = (text_field(record, field) for field in ("opens", "closes"))
    if not opens and not closes:
        return None
    return (Hours(EVERY_DAY, clock("opens", opens), clock("closes", closes)),)


def clock(field: str, text: str) -> time:
    """08:00, 8.30, or 24:00 for midnight."""
    try:
        hour, _, minute = text.replace(".", ":").partition(":")
        return time(int(hour) % 24 if int(hour) <= 24 else 99, int(minute or 0))
    except ValueError:
        raise RecordBroken(field, f"{text!r} is no time such as 08:00") from None
