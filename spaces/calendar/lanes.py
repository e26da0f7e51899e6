"""Interchangeable pieces: how many are out at once, and which lane each has. Pure.

Which piece somebody gets does not matter, only how many there are. So a claim of pieces may be given another lane as
long as its time stays, and n pieces are free for a time exactly when at no instant of it more than the rest is out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush

from marketplace.timespan import Span, SpanSet


@dataclass(frozen=True, order=True)
class Seat:
    """A holder's claim of one piece: `lane` is the one it has."""

    span: Span
    holder_id: int
    lane: int


@dataclass(frozen=True)
class Peak:
    """A time in which so many pieces are out."""

    span: Span
    pieces: int


def counts(spans: Iterable[Span], *, after: datetime | None = None) -> list[Peak]:
    """How many of these spans run at each time, in order, touching stretches of one number as one; none where none
    runs. `after` cuts what lies before it off."""
    changes: dict[datetime, int] = {}
    for span in spans:
        start = span.start if after is None else max(span.start, after)
        if start < span.end:
            changes[start] = changes.get(start, 0) + 1
            changes[span.end] = changes.get(span.end, 0) - 1
    found: list[Peak] = []
    running, began = 0, None
    for at in sorted(at for at, change in changes.items() if change):
        if running and began is not None:
            found.append(Peak(Span(began, at), running))
        running, began = running + changes[at], at
    return found


def most_at_once(spans: Iterable[Span], within: Span) -> int:
    """The greatest number of these spans that run at one instant of `within`."""
    parts = [part for span in spans if (part := span.clipped(within))]
    return max((peak.pieces for peak in counts(parts)), default=0)


def above(spans: Iterable[Span], stock: int, *, after: datetime) -> list[Peak]:
    """The times from `after` on in which more than `stock` pieces are out."""
    return [peak for peak in counts(spans, after=after) if peak.pieces > stock]


def reseated(seats: Iterable[Seat], lanes: int, *, fixed: Iterable[Seat] = ()) -> dict[Seat, int] | None:
    """A lane below `lanes` for each of these, beside what is `fixed`; None where the order of beginning finds none.

    Without anything fixed the lowest free lane, taken in the order of beginning, needs no more lanes than are ever out
    at once, so None then means that there are too few.
    """
    of_lane: dict[int, list[Span]] = {}
    for seat in fixed:
        of_lane.setdefault(seat.lane, []).append(seat.span)
    blocked = {lane: SpanSet(spans) for lane, spans in of_lane.items()}
    free = list(range(lanes))
    running: list[tuple[datetime, int]] = []
    given: dict[Seat, int] = {}
    for seat in sorted(seats):
        while running and running[0][0] <= seat.span.start:
            heappush(free, heappop(running)[1])
        lane = first_fitting(free, seat.span, blocked)
        if lane is None:
            return None
        given[seat] = lane
        heappush(running, (seat.span.end, lane))
    return given


def first_fitting(free: list[int], span: Span, blocked: Mapping[int, SpanSet]) -> int | None:
    """Take the lowest lane out of the heap `free` that nothing blocks at this time."""
    passed: list[int] = []
    found = None
    while free and found is None:
        lane = heappop(free)
        if lane in blocked and blocked[lane].meets(span.start, span.end):
            passed.append(lane)
        else:
            found = lane
    for lane in passed:
        heappush(free, lane)
    return found


def free_lanes(taken: Mapping[int, SpanSet], lanes: int, body: Span, wanted: int) -> Sequence[int]:
    """The first `wanted` lanes that nobody has at any time of `body`; fewer where there are not so many."""
    found: list[int] = []
    for lane in range(lanes):
        if len(found) == wanted:
            break
        if lane not in taken or not taken[lane].meets(body.start, body.end):
            found.append(lane)
    return found
