"""The demo city's places as listings, so that the importers' writer stores them too."""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, time
from typing import Any

from spaces.demo.markets import SOURCE, market_outline, market_spaces
from spaces.transfer.listing import Exceptional, Hours, ListedPrice, ListedSpace, ListedUnit, Listing, Terms

TERMS = [field.name for field in fields(Terms)]
# Exercise is taxed at the reduced rate (Finnish VAT Act, section 85 a).
REDUCED_VAT_KINDS = frozenset({"sports_hall", "sports_field", "rink", "dance_studio"})


def demo_listings(data: Mapping[str, Any], *, today: date) -> Iterator[Listing]:
    """One listing per venue; dated exceptions are for the years around `today`."""
    owners = {owner["key"]: owner["names"]["fi"] for owner in data["owners"]}
    for venue in data["venues"]:
        address = venue["address"]
        told = [*market_spaces(venue), *venue["spaces"]]
        spaces = [space_of(space, data["hours"], today) for space in told]
        units = [ListedUnit(u["key"], u["names"], u.get("lanes", 1)) for u in venue.get("units", ())]
        units += [
            ListedUnit(own_unit(raw), raw["names"], raw.get("lanes", 1))
            for raw in told
            if not raw.get("units")
        ]
        yield Listing(
            source=SOURCE,
            external_id=venue["key"],
            kind=venue["kind"],
            names=venue["names"],
            where=f"venue {venue['key']}",
            streets={"fi": address["street"]}
            | ({"sv": address["street_sv"]} if address.get("street_sv") else {}),
            postcode=address.get("postcode"),
            locality=data["city"]["names"]["fi"],
            lon=venue["lon"],
            lat=venue["lat"],
            area=market_outline(venue, metric_crs=data["city"]["metric_crs"]),
            accessibility=tuple(venue.get("accessibility", ())),
            owner=owners[venue["owner"]],
            units=tuple(units),
            spaces=tuple(spaces),
        )


def own_unit(space: Mapping[str, Any]) -> str:
    """A space that names no unit has one to itself."""
    return f"space:{space['key']}"


def space_of(space: Mapping[str, Any], hours: Mapping[str, Any], today: date) -> ListedSpace:
    price = space["price"]  # null where it goes by the city's tariff
    return ListedSpace(
        space["key"],
        space["kind"],
        space["names"],
        tuple(space.get("units") or (own_unit(space),)),
        descriptions=space.get("descriptions", {}),
        purposes=tuple(space.get("purposes", ())),
        equipment=tuple(space.get("equipment", ())),
        capacity=space.get("capacity"),
        area_m2=space.get("area_m2"),
        terms=Terms(**{name: space[name] for name in TERMS if name in space}),
        hours=tuple(
            Hours(tuple(rule["days"]), clock(rule["opens"]), clock(rule["closes"]))
            for rule in hours[space["hours"]]
        ),
        exceptions=tuple(exceptions(space.get("exceptions", ()), today)),
        price=price
        and ListedPrice(
            price["per"],
            price.get("amount_minor", 0),
            "reduced" if space["kind"] in REDUCED_VAT_KINDS else "standard",
        ),
    )


def clock(text: str) -> time:
    """ "24:00" is the midnight that ends the day."""
    hour, minute = text.split(":")
    return time(int(hour) % 24, int(minute))


def exceptions(yearly: Sequence[Mapping[str, Any]], today: date) -> Iterator[Exceptional]:
    """The yearly closings of last year to the one after next; one may run over New Year."""
    for one in yearly:
        for year in range(today.year - 1, today.year + 3):
            first, last = on(year, one["from"]), on(year, one["to"])
            if last < first:
                last = on(year + 1, one["to"])
            closed = one.get("closed", False)
            yield Exceptional(
                first,
                last,
                None if closed else clock(one["opens"]),
                None if closed else clock(one["closes"]),
                reasons=one.get("reason", {}),
            )


def on(year: int, month_day: str) -> date:
    month, day = (int(part) for part in month_day.split("-"))
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))
