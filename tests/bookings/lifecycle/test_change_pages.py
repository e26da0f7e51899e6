"""The page on which a booking is changed: each free time with its difference, one press, and nothing lost when refused."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span
from spaces.catalog.models import Space
from tests.bookings.lifecycle.test_pages import ready_space, text_of
from tests.factories.bookings import book, span_on
from tests.factories.people import actor_of, make_person, sign_in


def hours(city: City, start: float, end: float) -> Span:
    return span_on(city, start, end, day=(now() + timedelta(days=3)).astimezone(city.zone).date())


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return ready_space(session, city, cancellation_hours=1)


@pytest.fixture
def booking(session: Session, city: City, space: Space, person: Person) -> Booking:
    made = book(session, city, space, actor_of(session, person), hours(city, 18, 20), at=now(), attendees=10)
    session.commit()
    return made


def form(city: City, start: float, **more: str) -> dict[str, str]:
    begins = hours(city, start, start + 1).start.astimezone(city.zone)
    values = {
        "when": begins.isoformat(),
        "minutes": "120",
        "attendees": "10",
        "submission": "change-of-mine-1",
    }
    return {**values, **more}


def test_each_free_time_says_what_it_changes_of_the_price(
    signed_in_client: FlaskClient, booking: Booking, city: City
) -> None:
    there = f"/en/bookings/{booking.reference}"
    assert f"{there}/change" in signed_in_client.get(there).text
    day = booking.span.start.astimezone(city.zone).date()
    page = text_of(signed_in_client.get(f"{there}/change?day={day}&minutes=180"))
    assert "17.00–20.00" in page
    assert "€20 more" in page
    assert "18.00–21.00" in page  # what the booking holds itself counts as free
    page = text_of(signed_in_client.get(f"{there}/change?day={day}&minutes=60"))
    assert "€20 less" in page
    assert "the same price" in text_of(signed_in_client.get(f"{there}/change"))


def test_one_press_changes_it(
    signed_in_client: FlaskClient, session: Session, booking: Booking, city: City
) -> None:
    there = f"/en/bookings/{booking.reference}"
    answer = signed_in_client.post(f"{there}/change", data=form(city, 10, attendees="14"))
    assert answer.location == there
    session.refresh(booking)
    assert (booking.span, booking.attendees) == (hours(city, 10, 12), 14)
    page = text_of(signed_in_client.get(there))
    assert "The booking is changed" in page
    assert "Changed" in page


def test_a_time_that_somebody_took_is_told_and_the_old_one_stays(
    signed_in_client: FlaskClient, session: Session, booking: Booking, space: Space, city: City
) -> None:
    book(session, city, space, actor_of(session, make_person(session, city)), hours(city, 10, 12), at=now())
    session.commit()
    answer = signed_in_client.post(f"/en/bookings/{booking.reference}/change", data=form(city, 11))
    assert answer.status_code == 409
    assert "The booking is as it was" in text_of(answer)
    session.refresh(booking)
    assert booking.span == hours(city, 18, 20)


def test_a_price_that_rose_since_it_was_seen_asks_again(
    signed_in_client: FlaskClient, session: Session, booking: Booking, city: City
) -> None:
    sent = form(city, 10)
    answer = signed_in_client.post(
        f"/en/bookings/{booking.reference}/change", data={**sent, "total": f"{sent['when']}=3999"}
    )
    assert answer.status_code == 409
    assert "The price has changed since you saw it" in text_of(answer)
    session.refresh(booking)
    assert booking.span == hours(city, 18, 20)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("when", "", "Choose a time."),
        ("when", "tomorrow", "Choose a time."),
        ("when", "9999-12-31T23:00:00+00:00", "We could not read the time in this address."),
        ("when", "2020-01-01T10:00:00+02:00", "This time has passed."),
        ("attendees", "many", "Write a whole number, such as 12."),
        ("attendees", "0", "Write how many people come, at least 1, or leave it out."),
        ("attendees", "100000", "people fit here."),
    ],
)
def test_wrong_input_is_told_and_changes_nothing(
    signed_in_client: FlaskClient,
    session: Session,
    booking: Booking,
    city: City,
    field: str,
    value: str,
    said: str,
) -> None:
    answer = signed_in_client.post(
        f"/en/bookings/{booking.reference}/change", data={**form(city, 10), field: value}
    )
    assert answer.status_code in {409, 422}
    assert said in text_of(answer)
    session.refresh(booking)
    assert booking.span == hours(city, 18, 20)


@pytest.mark.parametrize(
    "query", ["day=x", "day=9999-12-31", "minutes=0", "minutes=99999999", "space=1", "day=\0"]
)
def test_an_absurd_address_shows_the_page(
    signed_in_client: FlaskClient, booking: Booking, query: str
) -> None:
    assert signed_in_client.get(f"/en/bookings/{booking.reference}/change?{query}").status_code == 200


def test_strangers_do_not_see_it_and_the_past_is_not_changed(
    app: Flask, signed_in_client: FlaskClient, session: Session, booking: Booking, city: City
) -> None:
    stranger = app.test_client()
    sign_in(session, stranger, make_person(session, city))
    session.commit()
    there = f"/en/bookings/{booking.reference}/change"
    assert stranger.get(there).status_code == 404
    assert stranger.post(there, data=form(city, 10)).status_code == 404
    booking.state = "cancelled"
    booking.payment = "not_needed"
    session.commit()
    assert signed_in_client.get(there).location == f"/en/bookings/{booking.reference}"
    assert signed_in_client.post(there, data=form(city, 10)).location == f"/en/bookings/{booking.reference}"
