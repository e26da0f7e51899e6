"""Where people mean: a district in any language and case form, an address or a place of the city, or coordinates."""

import re
from collections.abc import Callable

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.db import Localised
from spaces.catalog.models import Venue
from spaces.districts.models import District
from spaces.districts.queries import district_in_words
from spaces.search.question import Place
from spaces.search.words import tidy

COORDINATES = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,8})?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,8})?)\s*")
# A place further than this from every venue is not in the city; about 20 km in degrees.
FAR_DEGREES = 0.3
SHORTEST = 3
# Words before a place, and the endings that Finnish puts on a street's name.
BEFORE = re.compile(
    r"^(?:lähellä minua|near me|nära mig|lähellä|lähelle|luona|nära|vid|i|på|near|at|by|in|close to|around)\b[:\s]*",
    re.IGNORECASE,
)
AFTER = re.compile(r"\s+(?:lähellä|luona|lähistöllä|läheltä)$", re.IGNORECASE)
ENDINGS = re.compile(r"(?:lla|llä|lta|ltä|lle|ssa|ssä|sta|stä|n)$", re.IGNORECASE)

# Chooses the text to show among a thing's names.
Say = Callable[[Localised], str]

# The first venue whose street or name begins so, those with exactly this one first.
BY_ADDRESS = text("""
    SELECT v.lon, v.lat, v.district_id, found.value
    FROM venue v, LATERAL (
        SELECT value, 1 AS kind FROM jsonb_each_text(v.streets)
        UNION ALL SELECT value, 2 FROM jsonb_each_text(v.names)
    ) found
    WHERE v.city_id = :city_id AND v.lon IS NOT NULL AND lower(found.value) LIKE :prefix
    ORDER BY lower(found.value) = :exact DESC, found.kind, length(found.value), found.value, v.id
    LIMIT 1
""")


def place_of_words(session: Session, city: City, text: str, *, say: Say) -> Place | None:
    """The place that the whole of a "where" field names, or None."""
    if match := COORDINATES.fullmatch(text):
        return place_of_coordinates(session, city, float(match[1]), float(match[2]))
    plain = AFTER.sub("", BEFORE.sub("", tidy(text)))
    # "Kallion kirjasto" is a library and not the whole of Kallio, so all of the text has to be the district's name.
    named = district_in_words(session, city, plain)
    if named is not None and not tidy(plain[: named[1].start] + plain[named[1].end :]):
        return place_of_district(named[0], say)
    found = place_of_address(session, city, plain)
    return found or (place_of_district(named[0], say) if named else None)


def place_of_district(district: District, say: Say) -> Place:
    return Place(district.lon, district.lat, say(district.names), district.id)


def place_of_address(session: Session, city: City, text: str) -> Place | None:
    """A venue's street address or name that begins so; "Mannerheimintiellä" is tried without its ending too."""
    for candidate in dict.fromkeys((text, ENDINGS.sub("", text))):
        wanted = candidate.casefold().strip()
        if len(wanted) < SHORTEST:
            continue
        prefix = re.sub(r"([\\%_])", r"\\\1", wanted) + "%"
        row = session.execute(
            BY_ADDRESS, {"city_id": city.id, "prefix": prefix, "exact": wanted}
        ).one_or_none()
        if row is not None:
            return Place(row.lon, row.lat, row.value)
    return None


def place_of_coordinates(session: Session, city: City, lat: float, lon: float) -> Place | None:
    """A point in or near the city."""
    west, east, south, north = session.execute(
        select(func.min(Venue.lon), func.max(Venue.lon), func.min(Venue.lat), func.max(Venue.lat)).where(
            Venue.city_id == city.id
        )
    ).one()
    if west is None or east is None or south is None or north is None:
        return None
    inside = (
        west - FAR_DEGREES <= lon <= east + FAR_DEGREES and south - FAR_DEGREES <= lat <= north + FAR_DEGREES
    )
    return Place(lon, lat, f"{lat:.4f}, {lon:.4f}") if inside else None
