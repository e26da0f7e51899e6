"""Committing connections at the same moment: one slot, one form."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

from sqlalchemy import Engine, func, select

from bookings.lifecycle.actions import approve_booking, cancel_booking, request_booking
from bookings.lifecycle.errors import IllegalTransition
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.db import transaction
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim
from spaces.catalog.models import Space, Venue
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_person
from tests.factories.spaces import make_unit, make_venue

CLIENTS = 12


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Run all at the same moment; an exception is its result."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def a_hall(clients: int) -> tuple[City, list[Space], list[Actor]]:
    """A whole hall and its two halves, and people who want them."""
    with transaction() as session:
        city = make_city(session)
        venue = make_venue(session, city)
        a, b = make_unit(session, venue), make_unit(session, venue)
        spaces = [
            open_space(session, city, venue, units=units, last=date(2026, 12, 31))
            for units in ([a, b], [a], [b])
        ]
        actors = [actor_of(session, make_person(session, city)) for _ in range(clients)]
    return city, spaces, actors


def asking(
    city: City, space: Space, actor: Actor, hours: tuple[float, float], submission: str
) -> Callable[[], int]:
    def ask() -> int:
        with transaction() as session:
            return request_booking(
                session,
                city,
                space,
                actor=actor,
                during=span_on(city, *hours),
                purpose="",
                attendees=None,
                organisation_id=None,
                submission=submission,
                at=NOW,
            ).id

    return ask


def counts() -> tuple[int, int]:
    with transaction() as session:
        return (
            session.scalar(select(func.count()).select_from(Booking)) or 0,
            session.scalar(select(func.count()).select_from(Claim)) or 0,
        )


def test_two_want_one_slot_and_one_gets_it(committing: Engine) -> None:
    city, (whole, half, _), (one, two) = a_hall(2)
    found = at_once(
        [asking(city, whole, one, (18, 20), "form-of-one"), asking(city, half, two, (19, 21), "form-of-two")]
    )
    assert sorted(type(result).__name__ for result in found) == ["SlotTaken", "int"]
    assert counts()[0] == 1


def test_twelve_want_one_slot_and_eleven_are_told(committing: Engine) -> None:
    city, (whole, half_a, half_b), actors = a_hall(CLIENTS)
    wanted = [whole, half_a, whole, whole]
    found = at_once(
        [asking(city, wanted[n % 4], actor, (18, 20), f"form-{n}-form") for n, actor in enumerate(actors)]
    )
    assert sum(isinstance(result, int) for result in found) == 1
    assert sum(isinstance(result, SlotTaken) for result in found) == CLIENTS - 1
    bookings, claims = counts()
    assert bookings == 1
    assert claims in {1, 2}
    assert half_b.id != whole.id


def test_many_for_different_parts_and_times_never_meet_nor_lock_each_other_up(committing: Engine) -> None:
    city, spaces, actors = a_hall(CLIENTS)
    works = [
        asking(
            city,
            spaces[(n + k) % 3],
            actor,
            (8 + (n * 5 + k * 3) % 12, 10 + (n * 5 + k * 3) % 12),
            f"form-{n}-{k}-x",
        )
        for k in range(4)
        for n, actor in enumerate(actors)
    ]
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = [future.exception() for future in [pool.submit(work) for work in works]]
    assert {type(error) for error in found} <= {type(None), SlotTaken}
    booked = sum(error is None for error in found)
    assert booked >= 6
    assert counts()[0] == booked


def test_one_form_sent_twice_at_once_books_once(committing: Engine) -> None:
    city, (whole, *_), (one,) = a_hall(1)
    found = at_once([asking(city, whole, one, (18, 20), "the-same-form")] * 2)
    assert isinstance(found[0], int)
    assert found[0] == found[1]
    assert counts() == (1, 2)


def test_approving_and_cancelling_at_once_does_one_of_them(committing: Engine) -> None:
    city, (whole, *_), (one,) = a_hall(1)
    staff = Actor(city.id, person_id=one.person_id, is_verified=True, is_staff=True)
    with transaction() as session:
        space = session.get_one(Space, (city.id, whole.id))
        space.approval = "handler"
        booking_id = book(session, city, space, one, span_on(city, 18, 20)).id
        venue = session.get_one(Venue, (city.id, space.venue_id))

    def approve() -> None:
        with transaction() as session:
            booking = session.get_one(Booking, (city.id, booking_id))
            approve_booking(session, city, booking, venue, actor=staff, at=NOW)

    def cancel() -> None:
        with transaction() as session:
            booking = session.get_one(Booking, (city.id, booking_id))
            cancel_booking(session, city, booking, actor=one, at=NOW)

    found = at_once([approve, cancel])
    with transaction() as session:
        state = session.get_one(Booking, (city.id, booking_id)).state
    # Cancelled in either order: after an approval it still may be; before it, the approval is refused.
    assert state == "cancelled"
    assert [type(result) for result in found] in ([type(None), type(None)], [IllegalTransition, type(None)])
    assert counts()[1] == 0
