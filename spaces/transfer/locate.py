"""Coordinates for records that have only an address, from places that have both."""

import math
from collections.abc import Iterable, Iterator
from statistics import median

from spaces.catalog.queries import KnownPlace, address_keys
from spaces.transfer.errors import Note
from spaces.transfer.listing import Listing

# A postcode area of the city is some kilometres across; further off, one of the two is wrong.
FAR_M = 4000
ENOUGH = 3


class Locator:
    """Points by street address, then by the place's name."""

    def __init__(self, places: Iterable[KnownPlace], listings: Iterable[Listing]) -> None:
        self._points: dict[str, tuple[float, float]] = {}
        known = [(dict(p.names), dict(p.streets), (p.lon, p.lat)) for p in places]
        known += [
            (dict(one.names), dict(one.streets), (one.lon, one.lat))
            for one in listings
            if one.lon is not None and one.lat is not None
        ]
        for _, streets, point in known:
            for street in streets.values():
                for key in address_keys(street):
                    self._points.setdefault(f"at {key}", point)
        for names, _, point in known:
            for name in names.values():
                self._points.setdefault(f"named {name.casefold()}", point)

    def point_of(self, listing: Listing) -> tuple[float, float] | None:
        """The (lon, lat) of a place at the same address, else of one with the same name."""
        keys = [f"at {key}" for street in listing.streets.values() for key in address_keys(street)]
        keys += [f"named {name.casefold()}" for name in listing.names.values()]
        return next((self._points[key] for key in keys if key in self._points), None)


def distance_notes(places: Iterable[KnownPlace], listings: Iterable[Listing]) -> Iterator[Note]:
    """Listings whose point lies far from the other places of their postcode."""
    points: dict[str, list[tuple[float, float]]] = {}
    for place in places:
        if place.postcode:
            points.setdefault(place.postcode, []).append((place.lon, place.lat))
    for listing in listings:
        others = points.get(listing.postcode or "", [])
        if listing.lon is None or listing.lat is None or len(others) < ENOUGH:
            continue
        middle = median(lon for lon, _ in others), median(lat for _, lat in others)
        metres = distance_m((listing.lon, listing.lat), middle)
        if metres > FAR_M:
            yield Note(
                listing.where,
                f"its point is {metres / 1000:.1f} km from the other places of postcode {listing.postcode}; check it",
            )


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two lon/lat points, good enough over a city."""
    x = math.radians(a[0] - b[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(x, math.radians(a[1] - b[1])) * 6_371_000
