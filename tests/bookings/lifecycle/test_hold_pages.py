"""The checkout's hold in pages: taken once the page is shown, one for each person, told when it cannot be had."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
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

FORM = {"submission": "6b1f0d54-95a1-4a5c-9d7e-0c7a6f2c1a11"}
OTHER_FORM = {"submission": "00000000-95a1-4a5c-9d7e-0c7a6f2c1a22"}


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return ready_space(session, city)


def evening(city: City, start: float = 18) -> Span:
    return span_on(city, start, start + 2, day=(now() + timedelta(days=3)).astimezone(city.zone).date())


def at(space: Space, during: Span, city: City, page: str = "hold") -> dict[str, Any]:
    start = during.start.astimezone(city.zone).isoformat()
    return {
        "path": f"/en/spaces/{space.id}/{page}",
        "query_string": {"start": start, "minutes": during.minutes},
    }


def states(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Booking.state).order_by(Booking.id)))


def test_the_checkout_asks_for_the_hold_and_reading_it_holds_nothing(
    signed_in_client: FlaskClient, session: Session, space: Space, city: City
) -> None:
    page = signed_in_client.get(**at(space, evening(city), city, "booking")).text
    assert re.search(r'<form id="hold"[^>]*hx-trigger="load"', page)
    assert states(session) == []


def test_a_hold_is_shown_with_its_end_and_kept_through_the_checkout(
    signed_in_client: FlaskClient, session: Session, space: Space, city: City
) -> None:
    line = signed_in_client.post(**at(space, evening(city), city), data=FORM)
    assert line.status_code == 200
    held = session.scalars(select(Booking)).one()
    assert held.held_until is not None
    clock = held.held_until.astimezone(city.zone).strftime("%H.%M")
    assert f"Held for you until {clock}" in text_of(line).replace("\xa0", " ")
    assert "10 min left" in text_of(line)
    checkout = signed_in_client.get(**at(space, evening(city), city, "booking"))
    assert "Held for you until" in checkout.text
    assert held.submission in checkout.text  # the form that is sent turns this very hold into the booking
    data = {"organisation": "myself", "purpose": "Choir", "attendees": "12", "total": "4000", **FORM}
    done = signed_in_client.post(**at(space, evening(city), city, "booking"), data=data)
    assert done.location == f"/en/bookings/{held.reference}?done=1"
    assert states(session) == ["confirmed"]


def test_choosing_another_time_gives_the_first_back(
    signed_in_client: FlaskClient, session: Session, space: Space, city: City
) -> None:
    signed_in_client.post(**at(space, evening(city), city), data=FORM)
    # It overlaps what the same person holds themselves.
    assert signed_in_client.post(**at(space, evening(city, 19), city), data=OTHER_FORM).status_code == 200
    assert states(session) == ["expired", "held"]
    assert signed_in_client.post(**at(space, evening(city, 9), city), data=FORM).status_code == 200
    assert states(session) == ["expired", "expired", "held"]


def test_a_time_that_another_holds_is_told_with_other_times(
    app: Flask, signed_in_client: FlaskClient, session: Session, space: Space, city: City
) -> None:
    other = app.test_client()
    sign_in(session, other, make_person(session, city))
    session.commit()
    other.post(**at(space, evening(city), city), data=OTHER_FORM)
    answer = signed_in_client.post(**at(space, evening(city), city), data=FORM)
    assert answer.status_code == 409
    assert "Show other times" in text_of(answer)
    # Once it is over the next one gets it, even before the clock has swept.
    session.execute(update(Booking).values(held_until=now() - timedelta(seconds=1)))
    session.commit()
    assert signed_in_client.post(**at(space, evening(city), city), data=FORM).status_code == 200
    assert states(session) == ["expired", "held"]


def test_holding_longer_by_one_press(
    app: Flask, signed_in_client: FlaskClient, session: Session, space: Space, city: City
) -> None:
    signed_in_client.post(**at(space, evening(city), city), data=FORM)
    held = session.scalars(select(Booking)).one()
    session.execute(update(Booking).values(held_until=now() + timedelta(minutes=1)))
    session.commit()
    there = f"/en/bookings/{held.reference}/hold"
    answer = signed_in_client.post(there, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "10 min left" in text_of(answer)
    assert signed_in_client.post(there).location.startswith(f"/en/spaces/{space.id}/booking?start=")
    stranger = app.test_client()
    sign_in(session, stranger, make_person(session, city))
    session.commit()
    assert stranger.post(there).status_code == 404
    session.execute(update(Booking).values(held_until=now() - timedelta(seconds=1)))
    session.commit()
    over = signed_in_client.post(there, headers={"HX-Request": "true"})
    assert over.status_code == 409
    assert "The time is no longer held for you. It may still be free." in text_of(over)


def test_my_bookings_lead_back_to_a_hold_and_forget_a_lapsed_one(
    signed_in_client: FlaskClient, session: Session, space: Space, city: City, person: Person
) -> None:
    signed_in_client.post(**at(space, evening(city), city), data=FORM)
    held = session.scalars(select(Booking)).one()
    assert "Held for you" in text_of(signed_in_client.get("/en/my/bookings"))
    assert "/booking?start=" in signed_in_client.get(f"/en/bookings/{held.reference}").location
    session.execute(update(Booking).values(state="expired", held_until=None))
    session.commit()
    assert held.reference not in signed_in_client.get("/en/my/bookings").text
    assert person.id == held.person_id


@pytest.mark.parametrize(
    "data", [{}, {"submission": "x"}, {"submission": "a" * 81}, {"submission": "\0" * 9}]
)
def test_a_form_that_did_not_arrive_whole_holds_nothing(
    signed_in_client: FlaskClient, session: Session, space: Space, city: City, data: dict[str, str]
) -> None:
    answer = signed_in_client.post(**at(space, evening(city), city), data=data)
    assert answer.status_code == 303
    assert states(session) == []


def test_nobody_holds_without_signing_in(
    client: FlaskClient, session: Session, space: Space, city: City
) -> None:
    assert client.post(**at(space, evening(city), city), data=FORM).status_code in {302, 401}
    assert states(session) == []


def test_the_same_time_booked_by_others_stays_theirs(
    signed_in_client: FlaskClient, session: Session, space: Space, city: City
) -> None:
    book(session, city, space, actor_of(session, make_person(session, city)), evening(city), at=now())
    session.commit()
    assert signed_in_client.post(**at(space, evening(city), city), data=FORM).status_code == 409
    assert states(session) == ["confirmed"]
