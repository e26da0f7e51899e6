"""Equipment on the pages of booking: what can be added, what is left, what the owner, the crew and the door read."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.details import Details
from bookings.lifecycle.models import Booking, BookingExtra
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.models import Mail
from marketplace.timespan import Span
from spaces.catalog.models import Space, Venue
from spaces.equipment.models import Extra, SpaceExtra
from tests.bookings.lifecycle.test_pages import checkout, filled, only_booking, ready_space, text_of
from tests.factories.bookings import book, span_on
from tests.factories.equipment import make_extra
from tests.factories.listings import give
from tests.factories.people import actor_of, make_person, sign_in


@pytest.fixture
def evening(city: City) -> Span:
    """Three days from now, 18 to 20."""
    return span_on(city, 18, 20, day=(now() + timedelta(days=3)).astimezone(city.zone).date())


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return ready_space(session, city)


@pytest.fixture
def tables(session: Session, city: City, space: Space) -> Extra:
    extra = make_extra(
        session,
        city,
        [space],
        stock=5,
        per="booking",
        amount_minor=200,
        descriptions={"en": "Folding tables."},
    )
    session.commit()
    return extra


def take(session: Session, city: City, space: Space, tables: Extra, during: Span, pieces: int) -> Booking:
    """Somebody else has so many at another space of the place, at the same time."""
    other = ready_space(session, city, venue=session.get_one(Venue, (city.id, space.venue_id)))
    session.add(make_offer(tables, other))
    session.flush()
    stranger = actor_of(session, make_person(session, city))
    booking = book(
        session, city, other, stranger, during, at=now(), details=Details(extras={tables.id: pieces})
    )
    session.commit()
    return booking


def make_offer(extra: Extra, space: Space) -> SpaceExtra:
    return SpaceExtra(city_id=extra.city_id, space_id=space.id, extra_id=extra.id)


def number(extra: Extra, pieces: object) -> dict[str, str]:
    return {f"extra-{extra.id}": str(pieces)}


def test_the_space_page_names_what_can_be_added(client: FlaskClient, space: Space, tables: Extra) -> None:
    page = text_of(client.get(f"/en/spaces/{space.id}"))
    assert "Equipment that you can add" in page
    assert "Tables , at most 5, €2 each" in page


def test_the_checkout_tells_what_is_free_then(
    session: Session, signed_in_client: FlaskClient, city: City, space: Space, tables: Extra, evening: Span
) -> None:
    take(session, city, space, tables, evening, 3)
    page = text_of(signed_in_client.get(**checkout(space, evening, city)))
    assert "Tables" in page
    assert "2 free at this time, €2 each. Folding tables." in page


def test_the_price_box_follows_the_numbers(
    session: Session, signed_in_client: FlaskClient, city: City, space: Space, tables: Extra, evening: Span
) -> None:
    answer = signed_in_client.post(
        **checkout(space, evening, city), data=filled(do="look", **number(tables, 3))
    )
    assert answer.status_code == 200
    page = text_of(answer)
    assert "3 × Tables, €2 each €6" in page
    assert "Total €46" in page
    assert session.scalars(select(Booking)).all() == []


def test_a_booking_has_what_it_added_and_says_so_everywhere(
    app: Flask,
    session: Session,
    signed_in_client: FlaskClient,
    city: City,
    space: Space,
    tables: Extra,
    evening: Span,
    run_jobs: Callable[[], int],
) -> None:
    answer = signed_in_client.post(
        **checkout(space, evening, city), data=filled(total="4600", **number(tables, 3))
    )
    assert answer.status_code == 303
    booking = only_booking(session)
    assert booking.total_minor == 4600
    assert session.scalars(select(BookingExtra.pieces)).one() == 3
    page = text_of(signed_in_client.get(answer.location))
    assert "Equipment 3 × Tables" in page
    run_jobs()
    mail = session.scalars(select(Mail)).one()
    assert "3 × Pöydät" in mail.body_text
    crew = app.test_client()
    venue = session.get_one(Venue, (city.id, space.venue_id))
    guard = make_person(session, city, language="en")
    give(session, venue, guard, "crew")
    sign_in(session, crew, guard)
    session.commit()
    day = evening.start.astimezone(city.zone).date()
    assert "3 × Tables" in text_of(crew.get(f"/en/desk/spaces/{space.id}/week.html?day={day}"))
    assert "3 × Tables" in text_of(crew.get(f"/en/desk/timeline?day={day}"))


def test_more_than_are_left_is_told_with_the_number_and_keeps_the_form(
    session: Session, signed_in_client: FlaskClient, city: City, space: Space, tables: Extra, evening: Span
) -> None:
    take(session, city, space, tables, evening, 3)
    answer = signed_in_client.post(**checkout(space, evening, city), data=filled(**number(tables, 4)))
    assert answer.status_code == 409
    page = text_of(answer)
    assert "Not enough of the equipment is free at this time." in page
    assert "2 are free at this time." in page
    assert f'name="extra-{tables.id}" type="number" value="4"' in answer.text
    assert 'value="Choir"' in answer.text
    assert len(session.scalars(select(Booking)).all()) == 1


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ("", 303),
        ("0", 303),
        ("5", 303),
        ("6", 422),
        ("-1", 422),
        ("1.5", 422),
        ("viisi", 422),
        ("9" * 30, 422),
        ("\x00", 303),
    ],
)
def test_odd_numbers_of_pieces(
    signed_in_client: FlaskClient,
    city: City,
    space: Space,
    tables: Extra,
    evening: Span,
    typed: str,
    status: int,
) -> None:
    answer = signed_in_client.post(**checkout(space, evening, city), data=filled(**number(tables, typed)))
    assert answer.status_code == status
    if status == 422:
        assert f'href="#extra-{tables.id}"' in answer.text


def test_equipment_that_is_not_offered_here_is_refused(
    session: Session, signed_in_client: FlaskClient, city: City, space: Space, evening: Span
) -> None:
    elsewhere = make_extra(session, city, [ready_space(session, city)])
    session.commit()
    for name in (f"extra-{elsewhere.id}", "extra-999999999999999999"):
        answer = signed_in_client.post(**checkout(space, evening, city), data=filled(**{name: "1"}))
        assert answer.status_code == 422
        assert "not offered here any more" in answer.text
    assert session.scalars(select(Booking)).all() == []


def test_the_owner_reads_in_the_queue_what_is_asked_for(
    app: Flask, session: Session, city: City, person: Person, evening: Span
) -> None:
    space = ready_space(session, city, approval="handler")
    tables = make_extra(session, city, [space], stock=5)
    actor = actor_of(session, person)
    book(session, city, space, actor, evening, at=now(), details=Details(extras={tables.id: 2}))
    handler = make_person(session, city, language="en")
    give(session, session.get_one(Venue, (city.id, space.venue_id)), handler, "handler")
    client = app.test_client()
    sign_in(session, client, handler)
    session.commit()
    assert "2 × Tables" in text_of(client.get("/en/desk/timeline"))


def test_moving_says_which_equipment_is_not_free(
    app: Flask, session: Session, city: City, space: Space, tables: Extra, person: Person, evening: Span
) -> None:
    later = Span(evening.start + timedelta(days=1), evening.end + timedelta(days=1))
    take(session, city, space, tables, later, 4)
    actor = actor_of(session, person)
    booking = book(session, city, space, actor, evening, at=now(), details=Details(extras={tables.id: 2}))
    handler = make_person(session, city, language="en")
    give(session, session.get_one(Venue, (city.id, space.venue_id)), handler, "handler")
    client = app.test_client()
    sign_in(session, client, handler)
    session.commit()
    answer = client.post(
        f"/en/desk/bookings/{booking.reference}/time",
        data={"on": later.start.astimezone(city.zone).date().isoformat(), "clock": "18.00"},
    )
    assert answer.status_code == 409
    assert "The booking has 2 of this equipment, and 1 are free at the new time: Tables." in text_of(answer)
    session.expire_all()
    assert session.get_one(Booking, (city.id, booking.id)).span == evening
