"""How well another time or space would do in place of the one that is gone: what speaks for it, what against it, and
what each of that weighs. Pure values, no words and no database.

All is weighed in one unit, a minute of somebody's trouble, so that the parts can be added and each explains itself: a
minute earlier or later is one, so is the walk of a minute. What is against an alternative is said as plainly as what is
for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import hypot, log2

from marketplace.timespan import Span
from spaces.search.familiar import Use
from spaces.search.reasons import Reason

# A person walks so far in a minute.
METRES_A_MINUTE = 80
LATER_DAY = 240  # for each day later or earlier, beside the difference of the clocks
LONGER_MINUTE = 0.5  # for each minute that is booked without need
TWICE_THE_ROOM, HALF_THE_ROOM, ROOM_UNKNOWN, MOST_ROOM = 8, 16, 12, 40
DEARER_UNIT, CHEAPER_UNIT, MOST_DEARER, MOST_CHEAPER, PRICE_UNKNOWN = 2, 1, 120, 30, 10
MISSING_EQUIPMENT, MOST_MISSING = 15, 120
MISSING_ACCESS = 30
WAITS_FOR_OWNER, NEED_NOT_WAIT = 20, 10
KNOWN_HERE = 20


@dataclass(frozen=True)
class Option:
    """A space at a time, as far as it is compared. Positions are metres of the city's CRS, the price minor units of the
    city's currency, or None where nobody has said one; `is_least` where more may have to be paid.

    `start_on` and `start_minute` are the local day and minute of the day at which it begins.
    """

    space_id: int
    venue_id: int
    during: Span
    start_on: date
    start_minute: int
    position: tuple[float, float] | None = None
    capacity: int | None = None
    equipment: frozenset[str] = frozenset()
    accessibility: frozenset[str] = frozenset()
    price_minor: int | None = None
    is_least: bool = False
    at_once: bool = True


def distance_m(wished: Option, other: Option) -> float | None:
    """As the crow flies; nothing within one venue, None where somebody has not told where it is."""
    if wished.venue_id == other.venue_id:
        return 0.0
    if wished.position is None or other.position is None:
        return None
    return hypot(wished.position[0] - other.position[0], wished.position[1] - other.position[1])


def days_later(wished: Option, other: Option) -> int:
    return (other.start_on - wished.start_on).days


def clock_later(wished: Option, other: Option) -> int:
    """Minutes by the clocks on the wall, whatever the day; negative for earlier."""
    return other.start_minute - wished.start_minute


def weights(
    wished: Option, other: Option, *, people: int | None = None, used: Use | None = None
) -> dict[str, float]:
    """The parts of what taking `other` instead would cost, in minutes of trouble; less is better, and a part below zero
    is a gain. `people` is how many come, where that is known."""
    away = distance_m(wished, other)
    longer = max(0, other.during.minutes - wished.during.minutes)
    return {
        "time": abs(clock_later(wished, other)) + LATER_DAY * abs(days_later(wished, other)),
        "distance": (away or 0) / METRES_A_MINUTE,
        "length": LONGER_MINUTE * longer,
        "size": size_weight(people or wished.capacity, other.capacity),
        "price": price_weight(wished, other),
        "equipment": min(MOST_MISSING, MISSING_EQUIPMENT * len(wished.equipment - other.equipment)),
        "access": MISSING_ACCESS * len(wished.accessibility - other.accessibility),
        "approval": (WAITS_FOR_OWNER if wished.at_once else 0)
        if not other.at_once
        else (0 if wished.at_once else -NEED_NOT_WAIT),
        "used": -KNOWN_HERE if used is not None else 0,
    }


def score(parts: Mapping[str, float]) -> float:
    """Minutes of trouble in all; the least is the best."""
    return sum(parts.values())


def size_weight(needed: int | None, capacity: int | None) -> float:
    """Taking more room than is needed keeps it from others; too little room is worse."""
    if needed is None:
        return 0
    if capacity is None:
        return ROOM_UNKNOWN
    doublings = log2(capacity / needed)
    return min(MOST_ROOM, TWICE_THE_ROOM * doublings if doublings > 0 else -HALF_THE_ROOM * doublings)


def price_weight(wished: Option, other: Option) -> float:
    if other.price_minor is None or wished.price_minor is None:
        return PRICE_UNKNOWN
    more = (other.price_minor - wished.price_minor) / 100
    told = 0 if wished.is_least or not other.is_least else PRICE_UNKNOWN
    return told + (
        min(MOST_DEARER, DEARER_UNIT * more) if more > 0 else max(-MOST_CHEAPER, CHEAPER_UNIT * more)
    )


def reasons(
    wished: Option, other: Option, *, people: int | None = None, used: Use | None = None
) -> list[Reason]:
    """What is so with `other` beside `wished`, in the order in which people ask."""
    found = time_reasons(wished, other)
    if other.space_id != wished.space_id:
        found += place_reasons(wished, other, people=people)
    found += price_reasons(wished, other)
    if other.space_id != wished.space_id:
        found += thing_reasons(wished, other)
    if used is not None:
        facts = {"on": used.on.isoformat()}
        found.append(Reason("organisation-was-here" if used.by_organisation else "you-were-here", facts))
    return found


def time_reasons(wished: Option, other: Option) -> list[Reason]:
    found = []
    if days := days_later(wished, other):
        found.append(Reason("days-later" if days > 0 else "days-earlier", {"days": abs(days)}))
    minutes = clock_later(wished, other)
    if minutes:
        found.append(Reason("later" if minutes > 0 else "earlier", {"minutes": abs(minutes)}))
    else:
        found.append(Reason("same-clock" if days else "same-time"))
    longer = other.during.minutes - wished.during.minutes
    if longer and other.space_id != wished.space_id:
        facts = {"minutes": other.during.minutes}
        found.append(Reason("longer" if longer > 0 else "shorter", facts, is_against=True))
    return found


def place_reasons(wished: Option, other: Option, *, people: int | None) -> list[Reason]:
    found = []
    away = distance_m(wished, other)
    if wished.venue_id == other.venue_id:
        found.append(Reason("same-building"))
    elif away is not None:
        found.append(Reason("away", {"metres": round(away)}))
    if other.capacity is not None:
        needed = people or wished.capacity
        is_small = needed is not None and other.capacity < needed
        found.append(
            Reason("smaller" if is_small else "seats", {"people": other.capacity}, is_against=is_small)
        )
    return found


def price_reasons(wished: Option, other: Option) -> list[Reason]:
    if wished.price_minor is None or other.price_minor is None or wished.is_least or other.is_least:
        return []
    more = other.price_minor - wished.price_minor
    if not more:
        return [Reason("same-price")]
    return [Reason("dearer" if more > 0 else "cheaper", {"minor": abs(more)}, is_against=more > 0)]


def thing_reasons(wished: Option, other: Option) -> list[Reason]:
    found = []
    if more := sorted(other.equipment - wished.equipment):
        found.append(Reason("also-has", {"equipment": more}))
    if missing := sorted(wished.equipment - other.equipment):
        found.append(Reason("lacks", {"equipment": missing}, is_against=True))
    if missing := sorted(wished.accessibility - other.accessibility):
        found.append(Reason("access-not-told", {"accessibility": missing}, is_against=True))
    if other.at_once and not wished.at_once:
        found.append(Reason("at-once"))
    if wished.at_once and not other.at_once:
        found.append(Reason("owner-confirms", is_against=True))
    return found
