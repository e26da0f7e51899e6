"""Where people mean: a district in any language and case form, an address or a place of the city, or coordinates."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.db import Localised
from spaces.catalog.models import Venue
from spaces.districts.models import District
from spaces.districts.queries import district_in_words, district_near_words
from spaces.search.question import Place
from spaces.search.times import tidy
from spaces.search.words import meanings

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

# A street in running text, in the case forms that are written, with its number.
STREET = re.compile(
    r"\b([^\W\d_][\w-]{2,30}(?:kat(?:u)|kadu(?:lla|lta|lle|n)|tie(?:llä|ltä|lle|n)?|kuja(?:lla|n)?|polku|polu(?:lla|n)|gatan|vägen|gränden|stigen))"
    r"(?:\s+(\d{1,4}(?:\s?[a-z]\b)?))?(?![\w-])",
    re.IGNORECASE,
)
STREET_ENDINGS = (
    (re.compile(r"kadu(?:lla|lta|lle|n)$", re.IGNORECASE), "katu"),
    (re.compile(r"tie(?:llä|ltä|lle|n)$", re.IGNORECASE), "tie"),
    (re.compile(r"kuja(?:lla|n)$", re.IGNORECASE), "kuja"),
    (re.compile(r"polu(?:lla|n)$", re.IGNORECASE), "polku"),
)
MOST_STREETS = 2

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
    if match := COORDINATES.fullmatch(BEFORE.sub("", text)):
        return place_of_coordinates(session, city, float(match[1]), float(match[2]))
    plain = AFTER.sub("", BEFORE.sub("", tidy(text)))
    # "Kallion kirjasto" is a library and not the whole of Kallio, so all of the text has to be the district's name.
    named = district_in_words(session, city, plain)
    if named is not None and not tidy(plain[: named[1].start] + plain[named[1].end :]):
        return place_of_district(named[0], say)
    found = place_of_address(session, city, plain)
    if found is None and (street := STREET.fullmatch(plain)):
        found = place_of_street(session, city, street[1], street[2] or "")
    named = named or district_near_words(session, city, plain)
    return found or (place_of_district(named[0], say) if named else None)


@dataclass(frozen=True)
class Named:
    """A place in a text, and where its name stands."""

    place: Place
    start: int
    end: int


def named_in_words(session: Session, city: City, text: str, *, say: Say) -> Named | None:
    """The first street with one of the city's places, else the first district; a long name may have one letter wrong."""
    for match in list(STREET.finditer(text))[:MOST_STREETS]:
        found = place_of_street(session, city, match[1], match[2] or "")
        if found is not None:
            return Named(found, match.start(), match.end())
    district = district_in_words(session, city, text)
    if district is None:
        # What stands for a purpose is no misspelt district.
        plain = re.sub(
            r"[^\W\d_]+", lambda word: " " * len(word[0]) if meanings(word[0].lower()) else word[0], text
        )
        district = district_near_words(session, city, plain)
    if district is None:
        return None
    return Named(place_of_district(district[0], say), district[1].start, district[1].end)


def place_of_street(session: Session, city: City, street: str, number: str) -> Place | None:
    """A venue on that street: at that number, else anywhere on it."""
    for ending, plain in STREET_ENDINGS:
        street = ending.sub(plain, street)
    return (place_of_address(session, city, f"{street} {number}") if number else None) or place_of_address(
        session, city, street
    )


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
    if not in_city(session, city, [(lon, lat)]):
        return None
    return Place(lon, lat, f"{lat:.4f}, {lon:.4f}", is_point=True)


def in_city(session: Session, city: City, points: Sequence[tuple[float, float]]) -> bool:
    """Whether all of these (lon, lat) lie where the city's venues do, or near them."""
    west, east, south, north = session.execute(
        select(func.min(Venue.lon), func.max(Venue.lon), func.min(Venue.lat), func.max(Venue.lat)).where(
            Venue.city_id == city.id
        )
    ).one()
    if west is None or east is None or south is None or north is None:
        return False
    return all(
        west - FAR_DEGREES <= lon <= east + FAR_DEGREES and south - FAR_DEGREES <= lat <= north + FAR_DEGREES
        for lon, lat in points
    )
