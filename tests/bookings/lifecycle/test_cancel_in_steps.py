"""Cancelling in steps: what a booking has agreed to, through moves and changes, on its pages and in its mail."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking, move_booking
from bookings.lifecycle.change_actions import Change, change_booking
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import cancellation_steps, kept_minor
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.money import Money
from marketplace.notifications.models import Mail
from spaces.catalog.models import Space
from spaces.pricing.models import Price
from tests.bookings.lifecycle.test_mails import STORED, plain
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_venue

HALF_THEN_ALL = [{"hours": 72, "kept_percent": 50}, {"hours": 24, "kept_percent": 100}]
HOURS = timedelta(hours=1)


def priced(session: Session, space: Space, tiers: list[dict[str, int]] = HALF_THEN_ALL, **more: Any) -> Space:
    """The space, with this said of cancelling."""
    session.execute(
        update(Price)
        .where(Price.city_id == space.city_id, Price.space_id == space.id)
        .values(cancel_tiers=tiers, **more)
    )
    return space


def booked(session: Session, city: City, person: Person, **more: Any) -> Booking:
    space = priced(session, open_space(session, city), **more)
    return book(session, city, space, actor_of(session, person), span_on(city, 18, 20))


@pytest.mark.parametrize(
    ("hours_before", "kept"), [(72, 0), (71.9, 2000), (24, 2000), (23.9, 4000), (0.1, 4000)]
)
def test_each_step_keeps_its_share(
    session: Session, city: City, person: Person, hours_before: float, kept: int
) -> None:
    booking = booked(session, city, person)
    at = booking.span.start - hours_before * HOURS
    assert cancel_booking(session, city, booking, actor=actor_of(session, person), at=at) == Money(kept)
    assert booking.kept_minor == kept
    assert booking.payment == ("due" if kept else "not_needed")


def test_the_fee_is_a_part_of_its_own_and_never_above_the_price(
    session: Session, city: City, person: Person
) -> None:
    booking = booked(session, city, person, cancel_fee_minor=500)
    assert [kept for _, kept in booking.cancellation_steps] == [0, 2500, 4000]
    at = booking.span.start - 30 * HOURS
    cancel_booking(session, city, booking, actor=actor_of(session, person), at=at)
    assert (booking.kept_minor, booking.kept_fee_minor) == (2500, 500)


def test_a_booking_keeps_the_steps_it_was_sold_with(session: Session, city: City, person: Person) -> None:
    booking = booked(session, city, person, refund_if_rebooked=True)
    was = booking.cancellation_steps
    priced(session, session.get_one(Space, (city.id, booking.space_id)), [])
    session.expire_all()
    assert booking.cancellation_steps == was
    assert booking.refund_if_rebooked


def test_a_mere_request_costs_nothing(session: Session, city: City, person: Person) -> None:
    space = priced(session, open_space(session, city, approval="handler"))
    booking = book(session, city, space, actor_of(session, person), span_on(city, 18, 20))
    assert booking.kept_at(booking.span.start) == 0


def test_the_owners_move_gives_a_day_of_grace_to_every_step(
    session: Session, city: City, person: Person
) -> None:
    booking = booked(session, city, person)
    space = session.get_one(Space, (city.id, booking.space_id))
    venue = session.get_one(type(make_venue(session, city)), (city.id, space.venue_id))
    owner = session.get_one(type(make_organisation(session, city)), (city.id, venue.owner_id))
    manager = make_person(session, city)
    join(session, manager, owner, "manager")
    at = booking.span.start - 10 * HOURS  # the whole price is due
    assert booking.kept_at(at) == 4000
    during = span_on(city, 20, 22, day=DAY + timedelta(days=1))
    move_booking(session, city, booking, space, venue, actor=actor_of(session, manager), during=during, at=at)
    session.expire_all()
    grace = at + 24 * HOURS
    assert booking.cancellation_steps == [(grace, 0), (during.start, 4000)]
    assert booking.kept_at(grace) == 0
    assert booking.kept_at(grace + HOURS) == 4000


def test_an_early_change_puts_every_step_off(session: Session, city: City, person: Person) -> None:
    booking = booked(session, city, person)
    space = session.get_one(Space, (city.id, booking.space_id))
    later = Change(space, span_on(city, 18, 20, day=DAY + timedelta(days=5)), None)
    change_booking(session, city, booking, later, actor=actor_of(session, person), at=NOW, submission="later")
    start = later.during.start
    assert booking.cancellation_steps == [
        (start - 72 * HOURS, 0),
        (start - 24 * HOURS, 2000),
        (start, 4000),
    ]


def test_a_late_change_keeps_what_is_due_and_puts_off_what_is_not(
    session: Session, city: City, person: Person
) -> None:
    booking = booked(session, city, person)
    space = session.get_one(Space, (city.id, booking.space_id))
    at = booking.span.start - 48 * HOURS  # half is due
    later = Change(space, span_on(city, 18, 20, day=DAY + timedelta(days=5)), None)
    change_booking(session, city, booking, later, actor=actor_of(session, person), at=at, submission="later")
    session.expire_all()
    start = later.during.start
    assert booking.kept_at(at + HOURS) == 2000
    assert booking.kept_at(start - 24 * HOURS) == 2000
    assert booking.kept_at(start - 23 * HOURS) == 4000
    assert booking.cancel_free_until < at


@given(
    st.integers(0, 1_000_000), st.integers(0, 100), st.integers(0, 200), st.integers(-300, 20), st.booleans()
)
def test_without_steps_the_rule_is_the_old_one(
    total: int, percent: int, hours: int, at_hours: int, confirmed: bool
) -> None:
    start = NOW + timedelta(days=20)
    free_until, at = start - hours * HOURS, start + at_hours * HOURS
    state = "confirmed" if confirmed else "awaiting_approval"
    old = 0 if not confirmed or at <= free_until else (total * percent + 50) // 100
    assert (
        kept_minor(state=state, total_minor=total, cancel_free_until=free_until, kept_percent=percent, at=at)
        == old
    )
    found = cancellation_steps(
        total_minor=total, start=start, cancel_free_until=free_until, kept_percent=percent
    )
    assert found[-1][0] == start
    assert len(found) == (2 if hours and (total * percent + 50) // 100 else 1)


def test_the_line_is_on_every_page_before_and_after(
    session: Session, city: City, person: Person, signed_in_client: FlaskClient
) -> None:
    # The pages go by the clock.
    day = (now() + timedelta(days=10)).astimezone(city.zone).date()
    space = priced(session, open_space(session, city, first=day, last=day + timedelta(days=1)))
    during = span_on(city, 18, 20, day=day)
    wanted = urlencode({"start": during.start.astimezone(city.zone).isoformat(), "minutes": 120})
    session.commit()
    before = [f"/en/spaces/{space.id}?{wanted}", f"/en/spaces/{space.id}/booking?{wanted}"]
    pages = [signed_in_client.get(address).get_data(as_text=True) for address in before]
    booking = book(session, city, space, actor_of(session, person), during, at=now())
    session.commit()
    after = [f"/en/bookings/{booking.reference}", f"/en/bookings/{booking.reference}/cancellation"]
    pages += [signed_in_client.get(address).get_data(as_text=True) for address in after]
    for html in pages:
        assert html.count('<li class="cancelline__s ') == 3
        assert "Half of the price is kept, €20" in html
        assert "The whole price is kept, €40" in html


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_confirmation_says_it_in_words(
    session: Session, city: City, run_jobs: Callable[[], int], language: str
) -> None:
    venue = make_venue(session, city, owner=make_organisation(session, city, name="Nuorisopalvelut"))
    aino = make_person(session, city, name="Aino Korhonen", email="aino@example.org", language=language)
    space = priced(session, open_space(session, city, venue), cancel_fee_minor=500, refund_if_rebooked=True)
    booking = book(session, city, space, actor_of(session, aino), span_on(city, 18, 20))
    booking.reference = "K7M2-9QXT"
    session.commit()
    run_jobs()
    mail = session.scalars(select(Mail).where(Mail.template == "bookings/lifecycle/mail/confirmed")).one()
    stored = STORED / f"confirmed_in_steps.{language}.txt"
    assert plain(mail) == stored.read_text(encoding="utf-8")
