"""Bookings add equipment that several spaces share; it is never promised twice."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking, decline_booking, move_booking, request_booking
from bookings.lifecycle.details import Details
from bookings.lifecycle.models import Booking, BookingExtra
from bookings.lifecycle.rules import HOLDING
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City, VatRate
from marketplace.db import span_of, transaction
from marketplace.timespan import Span
from spaces.calendar.errors import PiecesTaken, SlotTaken
from spaces.calendar.lanes import most_at_once
from spaces.calendar.models import Claim, DaySheet
from spaces.calendar.piece_actions import free_pieces
from spaces.catalog.models import Space, Unit, Venue
from spaces.equipment.actions import AskedExtra, change_extra, take_away
from spaces.equipment.errors import ExtraNotFound, PiecesWrong, StockPromised
from spaces.equipment.models import Extra, SpaceExtra
from tests.bookings.lifecycle.test_claims_follow_bookings import undone
from tests.bookings.lifecycle.test_races import at_once
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.equipment import make_extra
from tests.factories.people import actor_of, make_person
from tests.factories.spaces import make_venue

MONTH: dict[str, Any] = {"first": date(2026, 12, 1), "last": date(2026, 12, 4)}


class House:
    """Two rooms of one place that share some tables, and two people."""

    def __init__(self, session: Session, city: City, *, stock: int = 3, **fields: Any) -> None:
        self.venue: Venue = make_venue(session, city)
        self.rooms: list[Space] = [
            open_space(session, city, self.venue, buffer_after_minutes=buffer, **MONTH) for buffer in (0, 30)
        ]
        self.tables: Extra = make_extra(session, city, self.rooms, stock=stock, **fields)
        self.people: list[Actor] = [actor_of(session, make_person(session, city)) for _ in range(2)]
        self.desk = Actor(city.id, person_id=self.people[0].person_id, is_verified=True, is_staff=True)

    def asking(self, pieces: int) -> Details:
        return Details(extras={self.tables.id: pieces} if pieces else {})

    def change(self, session: Session, city: City, **changes: Any) -> bool:
        values: dict[str, Any] = {
            "names": dict(self.tables.names),
            "stock": 3,
            "space_ids": frozenset(room.id for room in self.rooms),
            **changes,
        }
        return change_extra(
            session, city, self.venue, self.tables.id, AskedExtra(**values), actor=self.desk, at=NOW
        )


@pytest.fixture
def house(session: Session, city: City) -> House:
    return House(session, city)


def out_at(session: Session, extra: Extra) -> list[Claim]:
    return list(session.scalars(select(Claim).where(Claim.unit_id == extra.unit_id)))


def test_a_booking_takes_the_pieces_for_its_own_time_without_buffers(
    session: Session, city: City, house: House
) -> None:
    span = span_on(city, 10, 12)
    booking = book(session, city, house.rooms[1], house.people[0], span, details=house.asking(2))
    claims = out_at(session, house.tables)
    assert {(claim.holder_id, claim.part, claim.lane) for claim in claims} == {
        (booking.id, 0, 0), (booking.id, 0, 1),
    }  # fmt: skip
    assert {(claim.during.lower, claim.during.upper) for claim in claims} == {(span.start, span.end)}
    kept = session.get_one(BookingExtra, (city.id, booking.id, house.tables.id))
    assert kept.pieces == 2
    assert booking.lines[-1] == {
        "code": "extra_free", "quantity": "1", "unit_minor": 0, "total_minor": 0,
        "about": {
            "extra": house.tables.id, "pieces": 2, "names": dict(house.tables.names), "vat_basis_points": 2550,
        },
    }  # fmt: skip
    later = span_on(city, 12, 13)
    assert free_pieces(session, city.id, [house.tables.unit_id], later) == {house.tables.unit_id: 3}


def test_spaces_that_share_it_get_no_more_than_there_is(session: Session, city: City, house: House) -> None:
    book(session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(2))
    with pytest.raises(PiecesTaken) as refused:
        book(session, city, house.rooms[1], house.people[1], span_on(city, 11, 13), details=house.asking(2))
    assert refused.value.public == {"left": 1, "wanted": 2}
    assert session.scalars(select(Booking)).all().__len__() == 1
    assert {
        claim.unit_id
        for claim in session.scalars(select(Claim))
        if span_of(claim.during).end > span_on(city, 12, 13).start
    } == set()
    book(session, city, house.rooms[1], house.people[1], span_on(city, 11, 13), details=house.asking(1))
    book(session, city, house.rooms[0], house.people[1], span_on(city, 12, 13), details=house.asking(2))


def test_cancelling_gives_the_pieces_back(session: Session, city: City, house: House) -> None:
    booking = book(
        session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(3)
    )
    cancel_booking(session, city, booking, actor=house.people[0], at=NOW)
    assert out_at(session, house.tables) == []
    book(session, city, house.rooms[1], house.people[1], span_on(city, 10, 12), details=house.asking(3))


def test_moving_takes_the_pieces_along_or_keeps_everything(
    session: Session, city: City, house: House
) -> None:
    moved = book(
        session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(2)
    )
    book(session, city, house.rooms[1], house.people[1], span_on(city, 14, 16), details=house.asking(2))
    with pytest.raises(PiecesTaken) as refused:
        move_booking(
            session, city, moved, house.rooms[0], house.venue,
            actor=house.desk, during=span_on(city, 15, 17), at=NOW,
        )  # fmt: skip
    assert refused.value.left == 1
    assert moved.span == span_on(city, 10, 12)
    assert {
        claim.during.lower for claim in session.scalars(select(Claim).where(Claim.holder_id == moved.id))
    } == {span_on(city, 10, 12).start}
    # Half of its own old time is no obstacle.
    move_booking(
        session,
        city,
        moved,
        house.rooms[0],
        house.venue,
        actor=house.desk,
        during=span_on(city, 11, 13),
        at=NOW,
    )
    held = session.scalars(select(Claim).where(Claim.holder_id == moved.id)).all()
    assert len(held) == 3
    assert {claim.during.lower for claim in held} == {span_on(city, 11, 13).start}


def test_pieces_are_exchanged_where_no_one_of_them_is_free_all_the_time(session: Session, city: City) -> None:
    house = House(session, city, stock=2)
    room, other = house.rooms
    first = book(session, city, other, house.people[0], span_on(city, 9, 11), details=house.asking(1))
    book(session, city, room, house.people[0], span_on(city, 10, 12), details=house.asking(1))
    cancel_booking(session, city, first, actor=house.people[0], at=NOW)
    book(session, city, room, house.people[0], span_on(city, 8, 10), details=house.asking(1))
    lanes = {claim.lane for claim in out_at(session, house.tables)}
    assert lanes == {0, 1}, "one has the first table, one the second, though one after the other"
    book(session, city, other, house.people[1], span_on(city, 8, 12), details=house.asking(1))
    assert len(out_at(session, house.tables)) == 3


def test_more_than_one_booking_may_add_is_refused(session: Session, city: City) -> None:
    house = House(session, city, stock=10, most=4)
    with pytest.raises(PiecesWrong) as refused:
        book(session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(5))
    assert [(error.field, error.code) for error in refused.value.fields] == [
        (f"extra-{house.tables.id}", "too-many-pieces")
    ]
    book(session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(4))


def test_what_the_space_does_not_offer_is_refused(session: Session, city: City, house: House) -> None:
    stranger = open_space(session, city, **MONTH)
    other_city = make_city(session, "espoo")
    foreign = House(session, other_city)
    for space, extra_id in (
        (stranger, house.tables.id),
        (house.rooms[0], foreign.tables.id),
        (house.rooms[0], 10**17),
    ):
        with pytest.raises(PiecesWrong):
            book(
                session, city, space, house.people[0], span_on(city, 10, 12),
                details=Details(extras={extra_id: 1}),
            )  # fmt: skip
    assert session.scalars(select(Booking)).all() == []


def test_priced_equipment_is_taxed_at_its_own_rate_and_adds_up(session: Session, city: City) -> None:
    session.add(VatRate(city_id=city.id, code="reduced", valid_from=date(2024, 1, 1), basis_points=1350))
    session.flush()
    house = House(session, city, per="hour", amount_minor=250, vat_code="reduced")
    booking = book(
        session, city, house.rooms[0], house.people[0], span_on(city, 10, 11.5), details=house.asking(3)
    )
    # 1.5 h × 20 € and 3 tables × 1.5 h × 2.50 €.
    assert booking.total_minor == 3000 + 1125
    assert booking.total_minor == sum(line["total_minor"] for line in booking.lines)
    assert booking.vat_minor == (3000 - round(3000 / 1.255)) + (1125 - round(1125 / 1.135))


def test_fewer_than_are_promised_is_refused_with_the_times(
    session: Session, city: City, house: House
) -> None:
    book(session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(2))
    book(session, city, house.rooms[1], house.people[0], span_on(city, 11, 13), details=house.asking(1))
    with pytest.raises(StockPromised) as refused:
        house.change(session, city, stock=2)
    assert [(peak.span, peak.pieces) for peak in refused.value.peaks] == [(span_on(city, 11, 12), 3)]
    assert session.get_one(Unit, (city.id, house.tables.unit_id)).lanes == 3


def test_what_is_promised_is_moved_to_the_pieces_that_stay(
    session: Session, city: City, house: House
) -> None:
    first = book(
        session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(2)
    )
    book(session, city, house.rooms[1], house.people[0], span_on(city, 10, 12), details=house.asking(1))
    cancel_booking(session, city, first, actor=house.people[0], at=NOW)
    assert [claim.lane for claim in out_at(session, house.tables)] == [2]
    assert house.change(session, city, stock=1)
    assert [claim.lane for claim in out_at(session, house.tables)] == [0]
    with pytest.raises(PiecesTaken):
        book(session, city, house.rooms[0], house.people[1], span_on(city, 11, 12), details=house.asking(1))


def test_a_piece_that_is_out_now_beside_one_that_has_come_back_is_not_lost(
    session: Session, city: City
) -> None:
    """Two were out until ten; the second is out until twelve, on a piece that is to go. It cannot be told to be the
    first, which was out until ten. So it stands in the way until its time is over."""
    house = House(session, city, stock=2)
    book(session, city, house.rooms[0], house.people[0], span_on(city, 8, 10), details=house.asking(1))
    book(session, city, house.rooms[1], house.people[0], span_on(city, 9, 12), details=house.asking(1))
    asked = AskedExtra(names={"en": "Tables"}, stock=1)
    at = span_on(city, 11, 12).start
    with pytest.raises(StockPromised):
        change_extra(session, city, house.venue, house.tables.id, asked, actor=house.desk, at=at)
    later = span_on(city, 12, 13).start
    assert change_extra(session, city, house.venue, house.tables.id, asked, actor=house.desk, at=later)


def test_taking_away_archives_what_was_ever_booked_and_keeps_the_promise(
    session: Session, city: City, house: House
) -> None:
    booking = book(
        session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(2)
    )
    take_away(session, house.venue, house.tables.id, actor=house.desk, at=NOW)
    assert len(out_at(session, house.tables)) == 2
    with pytest.raises(PiecesWrong):
        book(session, city, house.rooms[1], house.people[1], span_on(city, 10, 12), details=house.asking(1))
    move_booking(
        session,
        city,
        booking,
        house.rooms[0],
        house.venue,
        actor=house.desk,
        during=span_on(city, 14, 16),
        at=NOW,
    )
    assert {claim.during.lower for claim in out_at(session, house.tables)} == {span_on(city, 14, 16).start}
    with pytest.raises(ExtraNotFound):
        take_away(session, house.venue, house.tables.id, actor=house.desk, at=NOW)


def test_taking_away_what_was_never_booked_deletes_it(session: Session, city: City, house: House) -> None:
    unit_id, extra_id = house.tables.unit_id, house.tables.id
    take_away(session, house.venue, extra_id, actor=house.desk, at=NOW)
    assert session.scalars(select(Extra.id).where(Extra.id == extra_id)).all() == []
    assert session.scalars(select(Unit.id).where(Unit.id == unit_id)).all() == []
    assert session.scalars(select(SpaceExtra)).all() == []


def test_equipment_does_not_touch_the_day_sheets_of_others(
    session: Session, city: City, house: House
) -> None:
    def words(space: Space) -> list[list[int]]:
        return list(session.scalars(select(DaySheet.free).where(DaySheet.space_id == space.id)))

    before = words(house.rooms[1])
    book(session, city, house.rooms[0], house.people[0], span_on(city, 10, 12), details=house.asking(3))
    assert words(house.rooms[1]) == before


ACTIONS = st.one_of(
    st.tuples(
        st.just("request"), st.integers(0, 1), st.integers(8, 19), st.integers(1, 3), st.integers(0, 3)
    ),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("decline"), st.integers(0, 30)),
    st.tuples(st.just("move"), st.integers(0, 30), st.integers(8, 19)),
    st.tuples(st.just("stock"), st.integers(1, 4)),
)


def act(session: Session, city: City, house: House, action: tuple[Any, ...], made: list[Booking]) -> None:
    kind, *rest = action
    if kind == "request":
        which, hour, length, pieces = rest
        during = span_on(city, hour, hour + length)
        made.append(
            book(session, city, house.rooms[which], house.people[0], during, details=house.asking(pieces))
        )
    elif kind == "stock":
        house.change(session, city, stock=rest[0])
    elif made:
        booking = made[rest[0] % len(made)]
        if booking.state not in {"confirmed", "awaiting_approval"}:
            return
        space = next(room for room in house.rooms if room.id == booking.space_id)
        if kind == "cancel":
            cancel_booking(session, city, booking, actor=house.people[0], at=NOW)
        elif kind == "decline" and booking.state == "awaiting_approval":
            decline_booking(session, city, booking, house.venue, actor=house.desk, reason="-", at=NOW)
        elif kind == "move":
            length = booking.span.length
            start = span_on(city, rest[1], rest[1] + 1).start
            move_booking(
                session, city, booking, space, house.venue,
                actor=house.desk, during=Span(start, start + length), at=NOW,
            )  # fmt: skip


def check(session: Session, city: City, house: House) -> None:
    """Each booking has exactly what it was promised, for its own time; never more is out than there is."""
    stock = session.scalar(select(Unit.lanes).where(Unit.id == house.tables.unit_id))
    assert stock is not None
    claims = out_at(session, house.tables)
    spans = [span_of(claim.during) for claim in claims]
    day = Span(datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 6, tzinfo=UTC))
    assert most_at_once(spans, day) <= stock
    assert all(0 <= claim.lane < stock for claim in claims)
    held: dict[int, list[Span]] = {}
    for claim, span in zip(claims, spans, strict=True):
        held.setdefault(claim.holder_id, []).append(span)
    promised = {(row.booking_id): row.pieces for row in session.scalars(select(BookingExtra))}
    for booking in session.scalars(select(Booking)):
        wanted = promised.get(booking.id, 0) if booking.state in HOLDING else 0
        assert held.pop(booking.id, []) == [booking.span] * wanted
    assert held == {}


def test_any_order_of_bookings_moves_and_changes_never_promises_more_than_there_is(
    session: Session, city: City
) -> None:
    house = House(session, city)
    house.rooms[1].approval = "handler"
    session.flush()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ACTIONS, min_size=6, max_size=18))
    def any_order(actions: list[tuple[Any, ...]]) -> None:
        with undone(session):
            made: list[Booking] = []
            for action in actions:
                with suppress(SlotTaken, PiecesTaken, StockPromised, PiecesWrong):
                    act(session, city, house, action, made)
                check(session, city, house)

    any_order()


def race(clients: int, stock: int) -> tuple[City, House]:
    with transaction() as session:
        city = make_city(session)
        house = House(session, city, stock=stock)
        house.people = [actor_of(session, make_person(session, city)) for _ in range(clients)]
    return city, house


def asking(city: City, house: House, n: int, hours: tuple[float, float], room: int, pieces: int) -> Any:
    def ask() -> int:
        with transaction() as session:
            return request_booking(
                session, city, house.rooms[room],
                actor=house.people[n], during=span_on(city, *hours), purpose="", attendees=None,
                organisation_id=None, submission=f"form-{n}-{hours[0]}-{room}", at=NOW,
                details=house.asking(pieces),
            ).id  # fmt: skip

    return ask


def test_two_want_the_last_piece_and_one_gets_it(committing: Engine) -> None:
    city, house = race(2, 1)
    found = at_once([asking(city, house, 0, (18, 20), 0, 1), asking(city, house, 1, (19, 21), 1, 1)])
    assert sorted(type(result).__name__ for result in found) == ["PiecesTaken", "int"]
    with transaction() as session:
        assert len(out_at(session, house.tables)) == 1
        assert len(session.scalars(select(Booking)).all()) == 1


def test_many_at_once_never_lock_each_other_up_nor_take_more_than_there_is(committing: Engine) -> None:
    city, house = race(8, 3)
    works = [
        asking(city, house, n, (8 + (n + k) % 11, 9 + (n + k) % 11 + k % 2), (n + k) % 2, 1 + (n * k) % 2)
        for k in range(3)
        for n in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        found = [future.exception() for future in [pool.submit(work) for work in works]]
    assert {type(error) for error in found} <= {type(None), SlotTaken, PiecesTaken}
    with transaction() as session:
        spans = [span_of(claim.during) for claim in out_at(session, house.tables)]
    assert spans
    assert (
        most_at_once(spans, Span(span_on(city, 0, 1).start, span_on(city, 0, 1).start + timedelta(days=1)))
        <= 3
    )
