"""Fixed locations of Helsinki's permit system for outdoor areas (Allu), as GeoJSON with tariffs.

One place per named area; one unit per drawn shape, so that an event and a promotion on the same square exclude each
other; one space per row, known by the row's id. A shape also covers the smaller ones that lie on it: an event on
Narinkka A needs the ground of the stalls A1 to A9. Prices are per day:

- events at the price of a free public event (PUBLIC_FREE), promotions at PROMOTION;
- season sale at 50 € a day per started 10 m² (Allu, SEASON_SALE_TEN_SQM_PRICE, 2026), which has no row of its own;
- an event area without a price of its own at Allu's zone 3, free entry, soft ground (250 € a day, 2026), approved by
  the owner, since the zone is not in the data. All of these are outlying fields.
- Dog fields are sold by the year (100 € or 300 €); here by the hour, free, approved by the owner.

Bridge banners are kept as drafts of kind street: nobody can hold anything there, and they are sold by the week, which
a price cannot say yet. Inactive rows are archived.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import shapely

from spaces.transfer.documents import Document, Seen, named, properties_of
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.kinds import KIND_PURPOSES, kind_of_name
from spaces.transfer.listing import BY_THE_DAY, ListedPrice, ListedSpace, ListedUnit, Listing, Terms
from spaces.transfer.shapes import Place, place_of
from spaces.transfer.text import kind_of, line_of, number_field, text_field

SOURCE = "allu"
OWNER = "Helsingin kaupunki"
SEASON_SALE_PER_10_M2 = 5000
UNPRICED_EVENT = 25000
NATURE = {"OUTDOOREVENT": "PUBLIC_FREE", "PROMOTION": "PROMOTION"}
# What stands after the name of a place that is used in several ways.
SUFFIX = {
    "PROMOTION": "promootio",
    "SEASON_SALE": "myyntipaikka",
    "DOG_TRAINING_FIELD": "koirakoulutus",
    "DOG_TRAINING_EVENT": "koiratapahtuma",
    "BRIDGE_BANNER": "siltabanderolli",
}
KINDS = {
    "SEASON_SALE": "market_stall",
    "DOG_TRAINING_FIELD": "dog_field",
    "DOG_TRAINING_EVENT": "dog_field",
    "BRIDGE_BANNER": "street",
}
BY_THE_HOUR = Terms(interval_minutes=60, notice_minutes=1440, approval="handler")
BY_THE_WEEK = Terms(min_minutes=10080, max_minutes=20160, interval_minutes=1440, approval="handler")
STALL = Terms(
    min_minutes=1440, max_minutes=14 * 1440, interval_minutes=1440, whole_days=True,
    notice_minutes=720, horizon_days=365, cancellation_hours=72,
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One checked feature."""

    where: str
    external_id: str
    area: str
    section: str
    use: str
    is_active: bool
    area_m2: float | None
    day_price: int | None
    place: Place

    @property
    def name(self) -> str:
        name = f"{self.area} {self.section}".strip()
        suffix = SUFFIX.get(self.use)
        return f"{name}, {suffix}" if suffix else name


def read(document: Document) -> Iterator[Listing | Problem | Note]:
    """All rows by area; a broken row is left out of its area."""
    transform = document.to_wgs84()
    areas: dict[str, list[Row]] = {}
    seen = Seen()
    for where, feature in document.records():
        name = named(where, feature.get("properties"), "id")
        try:
            row = row_of(properties_of(feature), name, place_of(feature.get("geometry"), transform=transform))
            seen.add(row.external_id, name)
        except RecordBroken as broken:
            yield Problem(name, broken.field, broken.reason)
            continue
        areas.setdefault(row.area, []).append(row)
    for area, rows in areas.items():
        yield place(area, rows)
    unpriced = sum(
        row.use == "OUTDOOREVENT" and row.is_active and row.day_price is None
        for rows in areas.values()
        for row in rows
    )
    if unpriced:
        yield Note(
            "prices", f"{unpriced} event areas have none of their own: zone 3's 250 € a day, on approval"
        )
    banners = sum(row.use == "BRIDGE_BANNER" for rows in areas.values() for row in rows)
    if banners:
        yield Note("bridge banners", f"{banners} places are kept as drafts, since they are sold by the week")


def row_of(properties: Mapping[str, Any], where: str, place: Place) -> Row:
    external_id = line_of(text_field(properties, "id"))
    if not external_id:
        raise RecordBroken("id", "is missing")
    area = line_of(text_field(properties, "area_name"))
    if not area:
        raise RecordBroken("area_name", "is missing")
    use = line_of(text_field(properties, "application_kind"))
    if not use:
        raise RecordBroken("application_kind", "is missing")
    return Row(
        where, external_id, area, line_of(text_field(properties, "section")), use,
        properties.get("is_active") is not False,
        number_field(properties, "area_m2"),
        day_price(properties.get("prices") or [], NATURE.get(use, use)),
        place,
    )  # fmt: skip


def day_price(prices: Any, nature: str) -> int | None:
    """Cents a day at this nature; `base_charge` is in hundredths of a cent."""
    if not isinstance(prices, list):
        raise RecordBroken("prices", f"should be a list, not {kind_of(prices)}")
    for price in prices:
        if not isinstance(price, Mapping):
            raise RecordBroken("prices", f"should hold objects, not {kind_of(price)}")
        if price.get("nature") == nature:
            charge = number_field(price, "base_charge")
            if charge is None or charge < 0:
                raise RecordBroken("prices", f"{nature} has no charge")
            return round(charge / 100)
    return None


def place(area: str, rows: list[Row]) -> Listing:
    """The area's listing; its polygon is all its shapes together."""
    rows = sorted(rows, key=lambda row: int(row.external_id) if row.external_id.isdigit() else 0)
    units: dict[str, ListedUnit] = {}
    shapes: dict[str, Any] = {}
    unit_of: dict[str, str] = {}
    for row in rows:
        shape = row.place.shape
        # The drawn shape is the unit: its first row names it.
        known = (key for key, other in shapes.items() if shapely.equals_exact(shape, other, tolerance=1e-9))
        key = unit_of[row.external_id] = next(known, row.external_id)
        if key == row.external_id:
            shapes[key] = shape
            units[key] = ListedUnit(key, {"fi": f"{row.area} {row.section}".strip()})
    spaces = [space(row, covered_by(unit_of[row.external_id], shapes)) for row in rows]
    active = [row.place.polygons for row in rows if row.is_active and row.place.polygons is not None]
    together = shapely.union_all(
        active or [row.place.polygons for row in rows if row.place.polygons is not None]
    )
    middle = rows[0].place if together.is_empty else None
    point = together.representative_point() if middle is None else shapely.Point(middle.lon, middle.lat)
    return Listing(
        source=SOURCE,
        external_id=area,
        kind=spaces[0].kind,
        names={"fi": area},
        where=rows[0].where,
        locality="Helsinki",
        lon=round(point.x, 7),
        lat=round(point.y, 7),
        area=None if together.is_empty else bytes(shapely.to_wkb(together)),
        owner=OWNER,
        units=tuple(units.values()),
        spaces=tuple(spaces),
    )


def covered_by(key: str, shapes: Mapping[str, Any]) -> tuple[str, ...]:
    """The shape itself and each smaller one that shares more than a twentieth of its ground with it."""
    own = shapes[key]
    return (
        key,
        *(
            other
            for other, shape in shapes.items()
            if other != key
            and (shape.area, other) < (own.area, key)
            and own.intersection(shape).area > shape.area / 20
        ),
    )


def space(row: Row, units: tuple[str, ...]) -> ListedSpace:
    kind = KINDS.get(row.use) or kind_of_name(row.area) or "square"
    state = "published" if row.is_active else "archived"
    terms, price = BY_THE_DAY, ListedPrice("day", row.day_price) if row.day_price else None
    if row.use == "SEASON_SALE":
        terms = STALL
        price = price or ListedPrice(
            "day", SEASON_SALE_PER_10_M2 * max(1, math.ceil((row.area_m2 or 0) / 10))
        )
    elif row.use in {"DOG_TRAINING_FIELD", "DOG_TRAINING_EVENT"}:
        terms, price = BY_THE_HOUR, ListedPrice()
    elif row.use == "BRIDGE_BANNER":
        state = "draft" if row.is_active else state
        terms, price = BY_THE_WEEK, ListedPrice()
    elif price is None:
        terms = replace(BY_THE_DAY, approval="handler")
        price = ListedPrice("day", UNPRICED_EVENT)
    return ListedSpace(
        row.external_id, kind, {"fi": row.name}, units,
        purposes=KIND_PURPOSES.get(kind, ()),
        area_m2=row.area_m2 or None,
        state=state,
        terms=terms,
        price=price,
    )  # fmt: skip
