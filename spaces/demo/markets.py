"""The demo's market square: its stalls as spaces to import, and their places on the plan."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.geo import shapes_to_wgs84, to_metric
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.markets.actions import STALL_NAMES
from spaces.markets.models import Stall, StallClass, StallClassPrice
from spaces.markets.rules import Grid, axes, grid_shapes, rectangle

SOURCE = "demo"


def market_spaces(venue: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The stalls of a drawn market, as the data's other spaces are written; none where the venue has no market."""
    market = venue.get("market")
    if market is None:
        return []
    grid = market["grid"]
    return [
        {
            **market["stall"],
            "key": f"stall-{number.lower()}",
            "names": {code: f"{name} {number}" for code, name in STALL_NAMES.items()},
            "descriptions": class_["descriptions"],
            "equipment": class_["equipment"],
            "area_m2": grid["width"] * grid["depth"],
            "hours": class_["hours"],
            "price": {"per": "day", "amount_minor": class_["amount_minor"]},
        }
        for class_, number in numbered(market)
    ]


def numbered(market: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """(class, number) of each stall, row by row."""
    for row in market["grid"]["rows"]:
        class_ = next(one for one in market["classes"] if row in one["rows"])
        for column in range(1, market["grid"]["columns"] + 1):
            yield class_, f"{row}{column}"


def market_outline(venue: Mapping[str, Any], *, metric_crs: int) -> bytes | None:
    """The square as WKB, EPSG:4326."""
    market = venue.get("market")
    if market is None:
        return None
    outline = rectangle(
        to_metric(*market["centre"], crs=metric_crs),
        width=market["width"],
        length=market["length"],
        angle=market["angle"],
    )
    return bytes(shapely.to_wkb(shapes_to_wgs84([outline], crs=metric_crs)[0]))


def market_grounds(market: Mapping[str, Any], *, metric_crs: int) -> list[Any]:
    """The grounds of the stalls in metres, around the middle of the square."""
    told = market["grid"]
    across, deep = told["width"] + told["gap"], told["depth"] + told["aisle"]
    width = told["columns"] * across - told["gap"]
    length = len(told["rows"]) * deep - told["aisle"]
    along, down = axes(market["angle"])
    x, y = to_metric(*market["centre"], crs=metric_crs)
    corner = (
        x - along[0] * width / 2 - down[0] * length / 2,
        y - along[1] * width / 2 - down[1] * length / 2,
    )
    return grid_shapes(
        Grid(
            len(told["rows"]), told["columns"], told["width"], told["depth"], told["gap"], told["aisle"],
            market["angle"], corner,
        )
    )  # fmt: skip


def draw_demo_markets(session: Session, city: City, data: Mapping[str, Any], *, first_day: date) -> None:
    """Price classes, grounds and places on the plan for stalls that have none yet."""
    for told in data["venues"]:
        if "market" not in told:
            continue
        venue = session.scalars(
            select(Venue).where(
                Venue.city_id == city.id, Venue.source == SOURCE, Venue.external_id == told["key"]
            )
        ).one()
        placed = session.scalar(
            select(Stall.space_id).where(Stall.city_id == city.id, Stall.venue_id == venue.id).limit(1)
        )
        if placed is None:
            draw_demo_market(session, city, venue, told["market"], first_day=first_day)


def draw_demo_market(
    session: Session, city: City, venue: Venue, market: Mapping[str, Any], *, first_day: date
) -> None:
    key = {"city_id": city.id, "venue_id": venue.id}
    classes = {
        one["code"]: StallClass(**key, code=one["code"], names=one["names"]) for one in market["classes"]
    }
    session.add_all(classes.values())
    session.flush()
    session.add_all(
        StallClassPrice(
            city_id=city.id,
            class_id=classes[one["code"]].id,
            valid_from=first_day,
            per="day",
            amount_minor=one["amount_minor"],
        )
        for one in market["classes"]
    )
    rows = session.execute(
        select(Space, Unit)
        .join(SpaceUnit, (SpaceUnit.city_id == Space.city_id) & (SpaceUnit.space_id == Space.id))
        .join(Unit, (Unit.city_id == Space.city_id) & (Unit.id == SpaceUnit.unit_id))
        .where(Space.city_id == city.id, Space.venue_id == venue.id)
    )
    known = {space.external_id: (space, unit) for space, unit in rows}
    metric = market_grounds(market, metric_crs=city.metric_crs)
    grounds = shapes_to_wgs84(metric, crs=city.metric_crs)
    for (class_, number), ground in zip(numbered(market), grounds, strict=True):
        space, unit = known[f"stall-{number.lower()}"]
        unit.shape = bytes(shapely.to_wkb(ground))
        session.add(
            Stall(
                **key,
                space_id=space.id,
                unit_id=unit.id,
                class_id=classes[class_["code"]].id,
                number=number,
                width_m=market["grid"]["width"],
                depth_m=market["grid"]["depth"],
            )
        )
    session.flush()
