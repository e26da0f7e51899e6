"""The verbs of a square and its stalls. Whoever changes a plan locks its venue first, so that two changes at once cannot
put stalls on each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from psycopg.errors import ForeignKeyViolation
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from marketplace.accounts.policy import require_verified
from marketplace.cities.models import City
from marketplace.errors import N_, FieldError
from marketplace.geo import shapes_to_metric, shapes_to_wgs84
from spaces.calendar.hours_actions import set_hours_of
from spaces.calendar.queries import hours_of
from spaces.catalog import policy
from spaces.catalog.errors import NotYourOrganisation
from spaces.catalog.listing_actions import change_space, create_venue, move_listing
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.catalog.rules import is_near
from spaces.markets import rules
from spaces.markets.class_actions import join_class
from spaces.markets.errors import MarketWrong, NoSquare, NumbersTaken, StallsOutside, StallsOverlap
from spaces.markets.models import Stall
from spaces.markets.queries import PlacedStall, class_of, square_of, stalls_of

KIND = "market_stall"
# How a stall is called until its owner names it otherwise.
STALL_NAMES = {"fi": "Toripaikka", "sv": "Torgplats", "en": "Market stall"}
FACILITIES = ("electricity", "water")
# A stall is sold by the market day, up to a year ahead.
MARKET_DAY = {
    "min_minutes": 1440, "max_minutes": 1440, "interval_minutes": 1440, "whole_days": True, "horizon_days": 365,
}  # fmt: skip
# What new stalls take over from those that are there.
SHARED_RULES = (
    *MARKET_DAY, "buffer_before_minutes", "buffer_after_minutes", "notice_minutes", "cancellation_hours", "approval", "who",
)  # fmt: skip


@dataclass(frozen=True)
class AskedStalls:
    """Stalls to put on a plan: their grounds in metres, a number for each, and what they share."""

    grounds: tuple[Any, ...]
    numbers: tuple[str, ...]
    class_id: int | None = None
    equipment: tuple[str, ...] = ()


def stall_names(city: City, number: str) -> dict[str, str]:
    return {code: f"{STALL_NAMES.get(code, STALL_NAMES['en'])} {number}" for code in city.languages}


def locked_venue(session: Session, venue: Venue, *, actor: Actor) -> None:
    """Raises NotYourVenue."""
    policy.require_may_manage(actor, venue)
    session.flush()
    session.refresh(venue, with_for_update=True)


def make_market(
    session: Session,
    city: City,
    owner: Organisation,
    facts: Mapping[str, Any],
    outline: Any,
    *,
    actor: Actor,
    submission: str,
) -> Venue:
    """A new place of kind square with its outline (metres), or without one yet. The same `submission` gives the same place.

    Raises NotYourOrganisation, Invalid.
    """
    require_verified(actor)
    if not policy.may_list_for(actor, owner.id):
        raise NotYourOrganisation
    venue = create_venue(
        session, city, owner, {**facts, "kind": "square"}, actor=actor, submission=submission
    )
    if outline is not None and venue.area is None:
        draw_square(session, city, venue, outline, actor=actor, field="square_width")
    return venue


def draw_square(
    session: Session, city: City, venue: Venue, outline: Any, *, actor: Actor, field: str = "outline"
) -> bool:
    """Let `outline` (a polygon, metres) be the square; returns whether it changed. `field` is where a fault is told.

    Raises NotYourVenue, MarketWrong, StallsOutside.
    """
    locked_venue(session, venue, actor=actor)
    if fault := rules.square_fault(outline, field):
        raise MarketWrong(fault)
    (told,) = shapes_to_wgs84([outline], crs=city.metric_crs)
    middle = told.representative_point()
    if not is_near(middle.x, middle.y, metric_crs=city.metric_crs):
        raise MarketWrong(FieldError(field, "far", N_("This square is far from the city.")))
    stalls = stalls_of(session, venue)
    if out := rules.outside(outline, metric_grounds(city, stalls)):
        raise StallsOutside([stalls[n].number for n in out], field)
    area = bytes(shapely.to_wkb(told))
    if venue.area == area:
        return False
    before = None if venue.area is None else corners(shapely.from_wkb(venue.area))
    venue.area = area
    audit(
        session, actor, "venue.square-drawn", "venue", venue.id,
        before={"corners": before}, after={"corners": corners(told)},
    )  # fmt: skip
    session.flush()
    return True


def corners(polygon: Any) -> list[list[float]]:
    """The corners for the audit trail: longitude and latitude to the decimetre."""
    return [[round(float(x), 6), round(float(y), 6)] for x, y in shapely.get_coordinates(polygon)]


def metric_grounds(city: City, stalls: Sequence[PlacedStall]) -> list[Any]:
    return shapes_to_metric([one.ground for one in stalls], crs=city.metric_crs)


def plan_faults(
    city: City, venue: Venue, standing: Sequence[PlacedStall], asked: AskedStalls, *, fields: tuple[str, str]
) -> list[MarketWrong]:
    """All that speaks against putting these stalls beside the standing ones; `fields` are those of place and number.

    Raises NoSquare.
    """
    outline = square_of(venue)
    if outline is None:
        raise NoSquare
    place, number = fields
    faults: list[MarketWrong] = []
    if len(standing) + len(asked.grounds) > rules.MOST_STALLS:
        text = N_("A square has at most 1,000 stalls.")
        return [MarketWrong(FieldError(place, "too-many-stalls", text))]
    if odd := [one for one in asked.numbers if not rules.NUMBER.fullmatch(one)]:
        text = N_(
            "A number has at most eight letters and digits, such as A1. This one does not fit: %(number)s."
        )
        faults.append(MarketWrong(FieldError(number, "odd-number", text, (("number", odd[0][:20]),))))
    known = [one.number for one in standing]
    if taken := rules.repeated([*known, *asked.numbers]):
        faults.append(NumbersTaken(taken, number))
    (square,) = shapes_to_metric([outline], crs=city.metric_crs)
    if out := rules.outside(square, asked.grounds):
        faults.append(StallsOutside([asked.numbers[n] for n in out], place))
    numbers = [*known, *asked.numbers]
    # What stands overlapping from before is not the new stalls' fault.
    meeting = [
        (numbers[a], numbers[b])
        for a, b in rules.overlaps([*metric_grounds(city, standing), *asked.grounds])
        if b >= len(known)
    ]
    if meeting:
        faults.append(StallsOverlap(meeting, place))
    return faults


def refuse(faults: Sequence[MarketWrong]) -> None:
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise MarketWrong(*(error for fault in faults for error in fault.fields))


def add_stalls(
    session: Session,
    city: City,
    venue: Venue,
    asked: AskedStalls,
    *,
    actor: Actor,
    submission: str,
    at: datetime,
) -> list[Space]:
    """Put stalls on the plan as drafts: all of them, or none. They cost what their class does, and open as the stalls do
    that are there. The same `submission` gives the same stalls.

    Raises NotYourVenue, NoSquare, MarketWrong, StallsOutside, StallsOverlap, NumbersTaken, ClassNotFound.
    """
    require_verified(actor)
    locked_venue(session, venue, actor=actor)
    if known := stalls_of_submission(session, venue, submission):
        return known
    standing = stalls_of(session, venue)
    if asked.class_id is not None:
        class_of(session, venue, asked.class_id)
    refuse(plan_faults(city, venue, standing, asked, fields=("rows", "prefix")))
    made = write_stalls(session, city, venue, asked, submission=submission)
    for space in made:
        audit(session, actor, "space.created", "space", space.id, after={"names": space.names})
    audit(session, actor, "stalls.added", "venue", venue.id, after={"numbers": list(asked.numbers)})
    if asked.class_id is not None:
        today = at.astimezone(city.zone).date()
        join_class(session, venue, made, asked.class_id, actor=actor, today=today)
    open_like_others(session, city, made, standing, actor=actor, at=at)
    session.flush()
    return made


def stalls_of_submission(session: Session, venue: Venue, submission: str) -> list[Space]:
    return list(
        session.scalars(
            select(Space)
            .where(
                Space.city_id == venue.city_id,
                Space.venue_id == venue.id,
                Space.external_id.startswith(f"stall:{submission}:", autoescape=True),
            )
            .order_by(Space.id)
        )
    )


def write_stalls(
    session: Session, city: City, venue: Venue, asked: AskedStalls, *, submission: str
) -> list[Space]:
    """The rows of new stalls: a unit with its ground, a draft that covers it, and its place on the plan."""
    key = {"city_id": city.id, "venue_id": venue.id}
    grounds = shapes_to_wgs84(asked.grounds, crs=city.metric_crs)
    units, spaces = [], []
    for n, (number, ground) in enumerate(zip(asked.numbers, grounds, strict=True)):
        external_id = f"stall:{submission}:{n}"
        units.append(
            Unit(
                **key,
                external_id=external_id,
                names=dict.fromkeys(city.languages, number),
                shape=bytes(shapely.to_wkb(ground)),
            )
        )
        spaces.append(
            Space(
                **key,
                external_id=external_id,
                state="draft",
                kind=KIND,
                names=stall_names(city, number),
                purposes=["market"],
                equipment=list(asked.equipment),
                area_m2=round(float(asked.grounds[n].area), 2),
                **MARKET_DAY,
            )
        )
    session.add_all([*units, *spaces])
    session.flush()
    for number, metric, unit, space in zip(asked.numbers, asked.grounds, units, spaces, strict=True):
        width, depth, _ = rules.sides(metric)
        session.add(SpaceUnit(city_id=city.id, space_id=space.id, unit_id=unit.id))
        session.add(
            Stall(
                **key, space_id=space.id, unit_id=unit.id, class_id=asked.class_id,
                number=number, width_m=width, depth_m=depth,
            )
        )  # fmt: skip
    session.flush()
    return spaces


def open_like_others(
    session: Session,
    city: City,
    made: Sequence[Space],
    standing: Sequence[PlacedStall],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """New stalls of a market that has its season take part in it."""
    today = at.astimezone(city.zone).date()
    for model in standing[:1]:
        hours = hours_of(session, model.space, from_day=today)
        if not hours.weekly:
            return
        for space in made:
            for name in SHARED_RULES:
                setattr(space, name, getattr(model.space, name))
        session.flush()
        set_hours_of(session, city, [(space, hours) for space in made], actor=actor, at=at)


def change_stall(
    session: Session,
    city: City,
    venue: Venue,
    placed: PlacedStall,
    *,
    number: str,
    equipment: Sequence[str],
    ground: Any | None,
    actor: Actor,
) -> list[str]:
    """Give one stall another number, other facilities, or another ground (metres); returns what changed.

    A name that was made of the number follows it. Raises NotYourVenue, NoSquare, MarketWrong and its kinds.
    """
    locked_venue(session, venue, actor=actor)
    stall, space, unit = placed.stall, placed.space, placed.unit
    others = [one for one in stalls_of(session, venue) if one.id != placed.id]
    (old,) = metric_grounds(city, [placed])
    new = old if ground is None else ground
    if fault := rules.ground_fault(new, "outline"):
        raise MarketWrong(fault)
    refuse(plan_faults(city, venue, others, AskedStalls((new,), (number,)), fields=("outline", "number")))
    facts: dict[str, Any] = {"equipment": list(equipment)}
    if space.names == stall_names(city, stall.number):
        facts["names"] = stall_names(city, number)
    if ground is not None:
        facts["area_m2"] = round(float(ground.area), 2)
    changed = change_space(session, space, venue, facts, actor=actor)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if number != stall.number:
        before["number"], after["number"] = stall.number, number
        stall.number = number
        unit.names = dict.fromkeys(city.languages, number)
    if ground is not None:
        (told,) = shapes_to_wgs84([ground], crs=city.metric_crs)
        before["corners"], after["corners"] = corners(placed.ground), corners(told)
        unit.shape = bytes(shapely.to_wkb(told))
        stall.width_m, stall.depth_m, _ = rules.sides(ground)
    if after:
        audit(session, actor, "stall.changed", "space", space.id, before=before, after=after)
        session.flush()
    return [*changed, *after]


def change_stalls(
    session: Session,
    city: City,
    venue: Venue,
    chosen: Sequence[PlacedStall],
    *,
    class_id: int | None = None,
    facilities: Mapping[str, bool],
    actor: Actor,
    at: datetime,
) -> int:
    """Move many stalls to a class, and say which facilities they have; returns how many changed. What is not told stays.

    Raises NotYourVenue, ClassNotFound.
    """
    locked_venue(session, venue, actor=actor)
    changed: set[int] = set()
    for one in chosen:
        had = set(one.space.equipment)
        wanted = (had | {code for code, has in facilities.items() if has}) - {
            code for code, has in facilities.items() if not has
        }
        if wanted != had:
            kept = [code for code in one.space.equipment if code in wanted]
            equipment = [*kept, *(code for code in FACILITIES if code in wanted - had)]
            change_space(session, one.space, venue, {"equipment": equipment}, actor=actor)
            changed.add(one.id)
    moved = [one for one in chosen if class_id is not None and one.stall.class_id != class_id]
    if class_id is not None and moved:
        code = class_of(session, venue, class_id).code
        before = {one.number: one.class_code for one in moved}
        for one in moved:
            one.stall.class_id = class_id
        session.flush()
        audit(
            session, actor, "stalls.class-changed", "venue", venue.id,
            before={"class": sorted(set(before.values()) - {""})}, after={"class": code, "numbers": list(before)},
        )  # fmt: skip
        today = at.astimezone(city.zone).date()
        join_class(session, venue, [one.space for one in moved], class_id, actor=actor, today=today)
        changed |= {one.id for one in moved}
    session.flush()
    return len(changed)


def remove_stalls(
    session: Session, venue: Venue, chosen: Sequence[PlacedStall], *, actor: Actor, at: datetime
) -> tuple[int, int]:
    """Take stalls off the plan. One that was never booked is gone; any other is archived, and its bookings stay.

    Returns (gone, archived). Raises NotYourVenue.
    """
    locked_venue(session, venue, actor=actor)
    archived = 0
    for one in sorted(chosen, key=lambda placed: placed.id):
        audit(
            session, actor, "stall.removed", "venue", venue.id,
            before={"number": one.number, "names": one.space.names, "corners": corners(one.ground)},
        )  # fmt: skip
        session.flush()
        if delete_stall(session, one):
            continue
        archived += 1
        session.execute(delete(Stall).where(Stall.city_id == venue.city_id, Stall.space_id == one.id))
        one.unit.shape = None
        if one.space.state != "archived":
            move_listing(session, one.space, venue, "archived", actor=actor, at=at)
    session.flush()
    return len(chosen) - archived, archived


def delete_stall(session: Session, placed: PlacedStall) -> bool:
    """Delete the stall with its space and unit; False, and nothing is done, where something still needs them."""
    city_id = placed.space.city_id
    try:
        with session.begin_nested():
            session.execute(delete(Stall).where(Stall.city_id == city_id, Stall.space_id == placed.id))
            session.execute(delete(Space).where(Space.city_id == city_id, Space.id == placed.id))
            session.execute(delete(Unit).where(Unit.city_id == city_id, Unit.id == placed.unit.id))
    except IntegrityError as error:
        if isinstance(error.orig, ForeignKeyViolation):
            return False
        raise
    for row in (placed.stall, placed.space, placed.unit):
        session.expunge(row)
    return True
