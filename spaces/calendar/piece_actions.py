"""Claims of pieces: lanes of a unit that is equipment, for the booking's own time, without buffers.

The unit's row must be locked by the caller, in the order of ids together with all units that it takes: then nobody else
gives out or gives back a piece of it meanwhile. The exclusion constraint still decides.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from psycopg.errors import ExclusionViolation
from psycopg.types.range import TimestamptzRange
from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.db import span_of
from marketplace.timespan import Span, SpanSet
from spaces.calendar.errors import PiecesTaken
from spaces.calendar.lanes import Peak, Seat, above, free_lanes, most_at_once, reseated
from spaces.calendar.models import Claim
from spaces.calendar.queries import TAKEN
from spaces.catalog.models import Unit


def seats_of(session: Session, unit_ids: Iterable[int], window: Span) -> dict[int, list[Seat]]:
    """Who has which pieces of these units at any time of `window`."""
    found: dict[int, list[Seat]] = {unit_id: [] for unit_id in unit_ids}
    values = {"unit_ids": list(found), "start": window.start, "end": window.end}
    for unit_id, holder_id, lane, _, start, end in session.execute(TAKEN, values):
        found[unit_id].append(Seat(Span(start, end), holder_id, lane))
    return found


def free_pieces(
    session: Session, city_id: int, unit_ids: Collection[int], during: Span, *, but: int | None = None
) -> dict[int, int]:
    """How many pieces of each unit can be had during all of this time; `but` is a holder who counts as having none."""
    stocks = session.execute(
        select(Unit.id, Unit.lanes).where(Unit.city_id == city_id, Unit.id.in_(list(unit_ids)))
    ).all()
    seats = seats_of(session, unit_ids, during)
    return {
        unit_id: max(
            0,
            stock - most_at_once((seat.span for seat in seats[unit_id] if seat.holder_id != but), during),
        )
        for unit_id, stock in stocks
    }


def claim_pieces(
    session: Session,
    city: City,
    pieces: Mapping[int, int],
    stocks: Mapping[int, int],
    *,
    holder_id: int,
    body: Span,
) -> None:
    """Take so many pieces of each unit for `holder_id` during `body`; `stocks` are the lanes of the locked units.

    Where enough is free but not on one lane for all of the time, others' pieces are exchanged for equal ones. Raises
    PiecesTaken.
    """
    for unit_id, wanted in sorted(pieces.items()):
        stock = stocks.get(unit_id, 0)
        seats = seats_of(session, [unit_id], body)[unit_id]
        left = stock - most_at_once((seat.span for seat in seats), body)
        if left < wanted:
            raise PiecesTaken(unit_id, left=max(left, 0), wanted=wanted)
        lanes = free_lanes(lanes_of(seats), stock, body, wanted)
        if len(lanes) < wanted:
            lanes = make_room(session, city.id, unit_id, body, stock=stock, wanted=wanted)
        try:
            insert_seats(session, city.id, unit_id, [(Seat(body, holder_id, lane), lane) for lane in lanes])
        except IntegrityError as error:
            if isinstance(error.orig, ExclusionViolation):
                raise PiecesTaken(unit_id, left=0, wanted=wanted) from error
            raise


def lanes_of(seats: Iterable[Seat]) -> dict[int, SpanSet]:
    taken: dict[int, list[Span]] = {}
    for seat in seats:
        taken.setdefault(seat.lane, []).append(seat.span)
    return {lane: SpanSet(spans) for lane, spans in taken.items()}


def make_room(
    session: Session, city_id: int, unit_id: int, body: Span, *, stock: int, wanted: int
) -> Sequence[int]:
    """Exchange pieces among those whose times hang together with `body` so that `wanted` lanes are free for all of it.

    Raises PiecesTaken where that cannot be, which is only so where the stock was larger once.
    """
    window = body
    while True:
        seats = seats_of(session, [unit_id], window)[unit_id]
        hull = Span(
            min([window.start, *(seat.span.start for seat in seats)]),
            max([window.end, *(seat.span.end for seat in seats)]),
        )
        if hull == window:
            break
        window = hull
    new = [Seat(body, 0, -1 - n) for n in range(wanted)]
    seated = reseated([*seats, *new], stock)
    if seated is None:
        raise PiecesTaken(unit_id, left=0, wanted=wanted)
    exchange(session, city_id, unit_id, {seat: lane for seat, lane in seated.items() if seat.lane >= 0})
    return [seated[seat] for seat in new]


def exchange(session: Session, city_id: int, unit_id: int, seated: Mapping[Seat, int]) -> None:
    """Give these claims the lanes that they are to have; their times and numbers stay."""
    moved = [(seat, lane) for seat, lane in seated.items() if seat.lane != lane]
    if not moved:
        return
    # All go before any comes, since each may take the place of another.
    session.execute(
        delete(Claim)
        .where(
            Claim.city_id == city_id,
            Claim.unit_id == unit_id,
            tuple_(Claim.holder_id, Claim.lane).in_([(seat.holder_id, seat.lane) for seat, _ in moved]),
        )
        .execution_options(synchronize_session=False)
    )
    insert_seats(session, city_id, unit_id, moved)


def insert_seats(session: Session, city_id: int, unit_id: int, seats: Sequence[tuple[Seat, int]]) -> None:
    rows = [
        {
            "city_id": city_id,
            "holder_id": seat.holder_id,
            "unit_id": unit_id,
            "part": 0,
            "lane": lane,
            "during": TimestamptzRange(seat.span.start, seat.span.end),
        }
        for seat, lane in seats
    ]
    with session.begin_nested():
        session.execute(insert(Claim), rows)


def pieces_held(session: Session, city_id: int, holder_id: int) -> dict[int, int]:
    """How many pieces of which equipment the holder has."""
    rows = session.execute(
        select(Claim.unit_id, func.count())
        .join(Unit, (Unit.city_id == Claim.city_id) & (Unit.id == Claim.unit_id))
        .where(Claim.city_id == city_id, Claim.holder_id == holder_id, Unit.is_equipment)
        .group_by(Claim.unit_id)
    )
    return {unit_id: pieces for unit_id, pieces in rows}


def promised_above(session: Session, unit: Unit, stock: int, *, at: datetime) -> list[Peak]:
    """When more than `stock` pieces of the unit are promised, from `at` on."""
    return above((seat.span for seat in live_seats(session, unit, at=at)), stock, after=at)


def live_seats(session: Session, unit: Unit, *, at: datetime) -> list[Seat]:
    """The claims of the unit that are not over."""
    rows = session.execute(
        select(Claim.during, Claim.holder_id, Claim.lane).where(
            Claim.city_id == unit.city_id,
            Claim.unit_id == unit.id,
            Claim.during.op("&&")(func.tstzrange(at, None)),
        )
    )
    return [Seat(span_of(during), holder_id, lane) for during, holder_id, lane in rows]


def lower_stock(session: Session, unit: Unit, stock: int, *, at: datetime) -> list[Peak]:
    """Let the locked unit have fewer pieces: what is promised is moved to those that stay.

    Returns the times that stand in the way; then nothing is changed. Such a time may also be a claim that runs now and
    began when more was out than is left: its piece is of those that go, until its time is over.
    """
    if peaks := promised_above(session, unit, stock, at=at):
        return peaks
    live = live_seats(session, unit, at=at)
    if high := [seat for seat in live if seat.lane >= stock]:
        seated = reseated(live, stock, fixed=over_beside(session, unit, live, at=at))
        if seated is None:
            spans = [seat.span for seat in live]
            return [Peak(seat.span, most_at_once(spans, seat.span)) for seat in sorted(high)]
        exchange(session, unit.city_id, unit.id, seated)
    unit.lanes = stock
    session.flush()
    return []


def over_beside(session: Session, unit: Unit, live: Sequence[Seat], *, at: datetime) -> list[Seat]:
    """Claims that are over but were not when some of the live ones began."""
    began = min(seat.span.start for seat in live)
    if began >= at:
        return []
    beside = seats_of(session, [unit.id], Span(began, at))[unit.id]
    return [seat for seat in beside if seat.span.end <= at]
