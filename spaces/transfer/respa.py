"""Resources of Respa, Varaamo's elder sister: `/v1/resource/` lists and single resources.

A unit is a place, a resource a unit and a space. Respa gives the hours of the days that were asked for, not the weekly
rules behind them, so the hours stay the owner's; its reservations are not taken over, which the report says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from spaces.transfer.documents import Document, Seen, named, record_object
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.kinds import KIND_PURPOSES, kind_of_name
from spaces.transfer.listing import INTERVALS, ListedPrice, ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.text import count_field, line_of, number_field, text_field
from spaces.transfer.tprek import web_address
from spaces.transfer.varaamo import RESOURCE_WORDS, entries, in_languages, minutes, part, plain_name

SOURCE = "respa"
TYPE_KINDS = {
    "meeting_room": "meeting_room", "workspace": "coworking", "work_table": "coworking", "computer_workstation": "coworking",
    "game_space": "youth_space", "music_space": "music_studio", "studio": "music_studio", "event_space": "banquet_hall",
    "sports_space": "sports_hall", "art_studio": "art_studio", "club_room": "community_room", "hall": "sports_hall",
}  # fmt: skip
PURPOSES = {
    "meetings-and-working": "meeting", "events-and-celebrations": "party", "sports": "exercise", "games": "gaming",
    "music": "music", "crafts-and-art": "crafts", "work-at-computer": "study", "reading": "study", "photography": "photography",
}  # fmt: skip


def read(document: Document) -> Iterator[Listing | Problem | Note]:
    """All resources by unit; a broken one is left out of its unit."""
    places: dict[str, list[Listing]] = {}
    seen = Seen()
    for where, record in document.records():
        name = named(where, record, "id")
        try:
            listing = resource(record_object(record), name)
            seen.add(listing.spaces[0].external_id, name)
            notes = list(remarks(record, name))
        except RecordBroken as broken:
            yield Problem(name, broken.field, broken.reason)
            continue
        places.setdefault(listing.external_id, []).append(listing)
        yield from notes
    for listings in places.values():
        yield replace(
            listings[0],
            units=tuple(unit for one in listings for unit in one.units),
            spaces=tuple(space for one in listings for space in one.spaces),
        )


def resource(record: Mapping[str, Any], where: str) -> Listing:
    external_id = line_of(text_field(record, "id"))
    if not external_id:
        raise RecordBroken("id", "is missing")
    names = in_languages(record, "name")
    if not names:
        raise RecordBroken("name", "is missing")
    unit = part(record, "unit") or {}
    type_ = part(record, "type") or {}
    kind = (
        TYPE_KINDS.get(line_of(text_field(type_, "id")))
        or kind_of_name(plain_name(type_), *names.values())
        or "community_room"
    )
    purposes = {
        PURPOSES.get(str((part({"p": one}, "p") or {}).get("id"))) for one in entries(record, "purposes")
    }
    things = [plain_name(part({"e": one}, "e") or {}).lower() for one in entries(record, "equipment")]
    lon, lat = point(record, unit)
    unit_id = line_of(text_field(unit, "id"))
    websites = in_languages(unit, "www_url")
    return Listing(
        source=SOURCE,
        external_id=unit_id or f"resource:{external_id}",
        kind=kind,
        names=in_languages(unit, "name") or names,
        where=where,
        streets=in_languages(unit, "street_address", one_line=True),
        postcode=line_of(text_field(unit, "address_zip")) or None,
        locality=line_of(text_field(unit, "municipality")).title() or None,
        lon=lon,
        lat=lat,
        phone=line_of(text_field(unit, "phone")) or None,
        website=next((web for text in websites.values() if (web := web_address(text))), None),
        units=(ListedUnit(external_id, names),),
        spaces=(
            ListedSpace(
                external_id, kind, names, (external_id,),
                descriptions=in_languages(record, "description", one_line=False),
                instructions=in_languages(record, "specific_terms", one_line=False)
                or in_languages(record, "generic_terms", one_line=False),
                purposes=tuple(sorted(code for code in purposes if code)) or KIND_PURPOSES.get(kind, ()),
                equipment=tuple(sorted({code for word, code in RESOURCE_WORDS if any(word in t for t in things)})),
                capacity=count_field(record, "people_capacity"),
                area_m2=number_field(record, "area"),
                state="draft" if record.get("reservable") is False or record.get("public") is False else "published",
                terms=terms(record, unit),
                price=price(record),
            ),
        ),
    )  # fmt: skip


def point(record: Mapping[str, Any], unit: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """(lon, lat) of the resource's GeoJSON point, else its unit's."""
    for holder in (record, unit):
        location = part(holder, "location")
        if location is None:
            continue
        xy = location.get("coordinates")
        if not isinstance(xy, list) or len(xy) < 2:
            raise RecordBroken("location", "has no coordinates")
        return number_field({"lon": xy[0]}, "lon"), number_field({"lat": xy[1]}, "lat")
    return None, None


def terms(record: Mapping[str, Any], unit: Mapping[str, Any]) -> Terms:
    shortest = minutes(record, "min_period") or 30
    longest = max(shortest, minutes(record, "max_period") or 240)
    slot = minutes(record, "slot_size") or (30 if shortest % 30 == 0 else 15)
    if slot not in INTERVALS:
        raise RecordBroken("slot_size", f"{slot} minutes are not known here")
    ahead = number_field(record, "reservable_days_in_advance") or number_field(
        unit, "reservable_days_in_advance"
    )
    return Terms(
        min_minutes=shortest,
        max_minutes=longest,
        interval_minutes=slot,
        horizon_days=min(int(ahead), 1830) if ahead else 180,
        approval="handler" if record.get("need_manual_confirmation") is True else "instant",
        max_open_per_person=count_field(record, "max_reservations_per_user"),
        who="verified" if record.get("authentication") == "strong" else "anyone",
    )


def price(record: Mapping[str, Any]) -> ListedPrice | None:
    """The dearer end of the range per hour; None where the source has no price."""
    highest = number_field(record, "max_price_per_hour")
    if highest is None:
        highest = number_field(record, "min_price_per_hour")
    if highest is None:
        return None
    if highest < 0:
        raise RecordBroken("max_price_per_hour", "is less than nothing")
    return ListedPrice("hour", round(highest * 100)) if highest else ListedPrice()


def remarks(record: Mapping[str, Any], where: str) -> Iterator[Note]:
    """What of the resource is not taken over."""
    if days := entries(record, "opening_hours"):
        yield Note(
            where, f"the hours of {len(days)} single days are no weekly rule; its hours here are the owner's"
        )
    if bookings := entries(record, "reservations"):
        yield Note(where, f"{len(bookings)} reservations are not taken over")
    low, high = number_field(record, "min_price_per_hour"), number_field(record, "max_price_per_hour")
    if low is not None and high is not None and low < high:
        yield Note(where, f"it costs from {low:.2f} to {high:.2f} an hour; the higher price is kept")
