"""Sports places of LIPAS, the national register of the University of Jyväskylä (legacy API, CC BY 4.0).

The register tells where a place is and what is there, not how it is booked. Fireplaces, cabins and parks are bookable on
approval; what nobody holds alone (nature towers, boating services, fishing places, areas for hiking) is kept as a draft.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import shapely
from shapely.geometry import shape as shape_of

from spaces.transfer.documents import Document, record_object
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.kinds import DEFAULT_KIND, KIND_PURPOSES, kind_of_name
from spaces.transfer.listing import ListedPrice, ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.shapes import Place, area_m2, place_of
from spaces.transfer.text import line_of, number_field, plain_text, text_field
from spaces.transfer.tprek import web_address
from spaces.transfer.varaamo import part

SOURCE = "lipas"
# Type code to (kind here, whether one party can have it). Codes not listed go by their hundreds, then by the name.
TYPES = {
    101: ("park", True), 103: ("park", False), 106: ("park", False), 107: ("park", False), 112: ("park", False),
    201: ("park", False), 203: ("berth", False), 204: ("park", False), 206: ("barbecue_spot", True),
    301: ("barbecue_spot", True), 302: ("community_room", True), 304: ("community_room", True),
    1120: ("sports_field", True), 1130: ("sports_field", True), 1340: ("sports_field", True),
    1510: ("rink", True), 1520: ("rink", True), 2150: ("sports_hall", True),
}  # fmt: skip
GROUPS = {1: "sports_field", 2: "sports_hall"}
PROPERTIES = {"toilet": "toilet", "ligthing": "lighting", "lighting": "lighting", "parkingPlace": "parking"}
CITIES = {"Helsinki": "Helsingin kaupunki", "Espoo": "Espoon kaupunki", "Vantaa": "Vantaan kaupunki"}
TERMS = Terms(max_minutes=720, interval_minutes=60, notice_minutes=1440, approval="handler")


def read(document: Document) -> Iterator[Listing | Problem | Note]:
    """Each sports place is a place with one space."""
    drafts = 0
    for where, record in document.records():
        name = where
        try:
            place = record_object(record)
            name = f"{where} (sportsPlaceId {place.get('sportsPlaceId')})"
            listing = sports_place(place, name, metric_crs=document.metric_crs)
        except RecordBroken as broken:
            yield Problem(name, broken.field, broken.reason)
            continue
        drafts += listing.spaces[0].state == "draft"
        yield listing
    if drafts:
        yield Note("types", f"{drafts} places that no party holds alone are kept as drafts")


def sports_place(record: Mapping[str, Any], where: str, *, metric_crs: int) -> Listing:
    number = number_field(record, "sportsPlaceId")
    if number is None:
        raise RecordBroken("sportsPlaceId", "is missing")
    title = line_of(text_field(record, "name"))
    if not title:
        raise RecordBroken("name", "is missing")
    location = part(record, "location") or {}
    city = part(location, "city") or {}
    kind, is_held = kind_of(record, title)
    names = {"fi": title}
    properties = part(record, "properties") or {}
    place = shape(location)
    lon, lat = point(location, place)
    polygons = place.polygons if place else None
    return Listing(
        source=SOURCE,
        external_id=str(int(number)),
        kind=kind,
        names=names,
        where=where,
        streets={"fi": street} if (street := line_of(text_field(location, "address"))) else {},
        postcode=line_of(text_field(location, "postalCode")) or None,
        locality=line_of(text_field(location, "postalOffice")).title() or None,
        lon=lon,
        lat=lat,
        area=place.wkb if place else None,
        phone=line_of(text_field(record, "phoneNumber")) or None,
        website=web_address(text_field(record, "www")),
        owner=owner(record, line_of(text_field(city, "name"))),
        units=(ListedUnit("whole", names),),
        spaces=(
            ListedSpace(
                "whole", kind, names, ("whole",),
                descriptions={"fi": text} if (text := plain_text(text_field(properties, "infoFi"))) else {},
                purposes=KIND_PURPOSES.get(kind, ()),
                equipment=tuple(sorted({code for key, code in PROPERTIES.items() if properties.get(key) is True})),
                area_m2=number_field(properties, "areaM2")
                or (area_m2(polygons, metric_crs=metric_crs) if polygons is not None else None),
                state="published" if is_held else "draft",
                indoors=kind == "community_room",
                terms=TERMS,
                price=ListedPrice() if record.get("freeUse") is True else None,
            ),
        ),
    )  # fmt: skip


def kind_of(record: Mapping[str, Any], title: str) -> tuple[str, bool]:
    code = number_field(part(record, "type") or {}, "typeCode")
    if code is None:
        raise RecordBroken("type", "has no typeCode")
    if int(code) in TYPES:
        return TYPES[int(code)]
    return GROUPS.get(int(code) // 1000) or kind_of_name(title) or DEFAULT_KIND, True


def shape(location: Mapping[str, Any]) -> Place | None:
    """All features of the place together."""
    collection = part(location, "geometries") or {}
    features = collection.get("features") or []
    if not isinstance(features, list) or not features:
        return None
    geometries = [one.get("geometry") for one in features if isinstance(one, Mapping)]
    if len(geometries) == 1:
        return place_of(geometries[0])
    try:
        shapes = [shape_of(dict(one)) for one in geometries if isinstance(one, Mapping)]
    except Exception as error:  # shapely raises whatever the broken coordinates lead to
        raise RecordBroken("geometries", f"cannot be read ({str(error)[:60]})") from error
    return place_of(shapely.GeometryCollection(shapes))


def point(location: Mapping[str, Any], place: Place | None) -> tuple[float | None, float | None]:
    """The register's own point in WGS 84, else one inside the shape."""
    coordinates = part(location, "coordinates") or {}
    wgs84 = part(coordinates, "wgs84") or {}
    lon, lat = number_field(wgs84, "lon"), number_field(wgs84, "lat")
    if lon is None or lat is None:
        return (place.lon, place.lat) if place else (None, None)
    return round(lon, 7), round(lat, 7)


def owner(record: Mapping[str, Any], city: str) -> str | None:
    """The city where the municipality owns it; else the register's word for the kind of owner, with the town."""
    kind = line_of(text_field(record, "owner"))
    if not kind or kind == "Ei tietoa":
        return None
    if kind == "Kunta":
        return CITIES.get(city, f"{city}, kunta" if city else None)
    return f"{kind}, {city}" if city else kind
