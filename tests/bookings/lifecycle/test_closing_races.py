"""A closing and a booking at the same moment: the closing sees the booking, or the booking is refused; never both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bookings.lifecycle.closing import BookingHolders
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.db import span_of, transaction
from marketplace.timespan import SpanSet
from spaces.calendar.closing_actions import close_space
from spaces.calendar.errors import BookingsInTheWay, SlotTaken
from spaces.calendar.models import Claim, Closure, DaySheet
from spaces.calendar.sheets import refresh_days
from spaces.catalog.models import Space, SpaceUnit
from tests.bookings.lifecycle.test_races import asking, at_once
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_person
from tests.factories.spaces import make_unit, make_venue

ROUNDS = 8
REASONS = {"fi": "Lattia lakataan"}


@dataclass
class Hall:
    """A whole hall and its halves, its manager, and one who books."""

    city: City
    whole: Space
    half: Space
    manager: Actor
    booker: Actor


def a_hall(n: int = 0) -> Hall:
    with transaction() as session:
        city = make_city(session, slug=f"city-{n}")
        venue = make_venue(session, city)
        a, b = make_unit(session, venue), make_unit(session, venue)
        whole, half = (
            open_space(session, city, venue, units=units, last=date(2026, 12, 31)) for units in ([a, b], [a])
        )
        manager = make_person(session, city)
        join(session, manager, session.get_one(Organisation, (city.id, venue.owner_id)), "manager")
        return Hall(
            city, whole, half, actor_of(session, manager), actor_of(session, make_person(session, city))
        )


def closing(
    hall: Hall, hours: tuple[float, float], *, cancel: tuple[int, ...] = (), keep: tuple[int, ...] = ()
) -> Callable[[], int]:
    def close() -> int:
        with transaction() as session:
            made = close_space(
                session,
                hall.city,
                hall.whole,
                span_on(hall.city, *hours),
                REASONS,
                actor=hall.manager,
                cancel=cancel,
                keep=keep,
                holders=BookingHolders(),
                at=NOW,
            )
            return len(made)

    return close


def booked_and_closed(hall: Hall) -> tuple[SpanSet, SpanSet]:
    """What bookings that hold have, and what is closed."""
    with transaction() as session:
        rows = session.execute(
            select(Booking.during).where(Booking.city_id == hall.city.id, Booking.state == "confirmed")
        )
        booked = [span_of(during) for (during,) in rows]
        closures = session.scalars(select(Closure.during).where(Closure.city_id == hall.city.id))
        closed = [span_of(during) for during in closures]
    return SpanSet(booked), SpanSet(closed)


def common(one: SpanSet, other: SpanSet) -> SpanSet:
    return one - (one - other)


def assert_sheets_are_right(hall: Hall) -> None:
    """The day sheets say what they say when they are made anew from the claims."""

    def sheets(session: Session) -> dict[tuple[int, date], list[int]]:
        rows = session.execute(
            select(DaySheet.space_id, DaySheet.month, DaySheet.free).where(DaySheet.city_id == hall.city.id)
        )
        return {(space_id, month): free for space_id, month, free in rows}

    with transaction() as session:
        kept = sheets(session)
        units = sorted(
            set(session.scalars(select(SpaceUnit.unit_id).where(SpaceUnit.city_id == hall.city.id)))
        )
        refresh_days(session, hall.city.id, units, span_on(hall.city, 0, 24), hall.city.zone)
        session.flush()
        assert kept
        assert sheets(session) == kept
        session.rollback()


def test_either_the_closing_sees_the_booking_or_the_booking_is_refused(committing: Engine) -> None:
    outcomes = set()
    for n in range(ROUNDS):
        hall = a_hall(n)
        space = (hall.whole, hall.half)[n % 2]
        found = at_once(
            [closing(hall, (9, 15)), asking(hall.city, space, hall.booker, (14, 16), f"form-{n}-form")]
        )
        names = tuple(type(result).__name__ for result in found)
        assert names in {("int", "SlotTaken"), ("BookingsInTheWay", "int")}
        outcomes.add(names)
        if isinstance(found[0], BookingsInTheWay):
            assert found[0].holder_ids == [found[1]]
        else:
            assert isinstance(found[1], SlotTaken)
        booked, closed = booked_and_closed(hall)
        assert not common(booked, closed)
        assert_sheets_are_right(hall)
    assert outcomes


def test_many_bookings_against_many_closings_never_overlap_nor_lock_each_other_up(
    committing: Engine,
) -> None:
    hall = a_hall()
    works: list[Callable[[], int]] = []
    for n in range(12):
        start = 8 + n
        works.append(
            asking(
                hall.city, (hall.whole, hall.half)[n % 2], hall.booker, (start, start + 1.5), f"form-{n}-form"
            )
        )
        works.append(closing(hall, (start + 0.5, start + 1)))
    with ThreadPoolExecutor(8) as pool:
        errors = [future.exception() for future in [pool.submit(work) for work in works]]
    assert {type(error) for error in errors} <= {type(None), SlotTaken, BookingsInTheWay}
    assert sum(error is None for error in errors) >= 6
    booked, closed = booked_and_closed(hall)
    assert booked or closed
    assert not common(booked, closed)
    assert_sheets_are_right(hall)


def test_closing_over_a_booking_that_is_given_up_lets_nobody_in_between(committing: Engine) -> None:
    """The time of the cancelled booking is free for no moment: it goes straight to the closing."""
    for n in range(ROUNDS):
        hall = a_hall(n)
        with transaction() as session:
            space = session.get_one(Space, (hall.city.id, hall.half.id))
            gone = book(session, hall.city, space, hall.booker, span_on(hall.city, 10, 12)).id
        found = at_once(
            [
                closing(hall, (9, 15), cancel=(gone,)),
                asking(hall.city, hall.half, hall.booker, (10, 12), f"form-{n}-form"),
            ]
        )
        assert found[0] == 1
        assert isinstance(found[1], SlotTaken)
        with transaction() as session:
            assert session.get_one(Booking, (hall.city.id, gone)).state == "cancelled"
            units = select(SpaceUnit.unit_id).where(SpaceUnit.space_id == hall.whole.id)
            held = session.execute(select(Claim.unit_id, Claim.during).where(Claim.unit_id.in_(units))).all()
        # Both halves, and nothing beside the closing.
        assert [span_of(during) for _, during in held] == [span_on(hall.city, 9, 15)] * 2
        assert_sheets_are_right(hall)
