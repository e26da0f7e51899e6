"""Where a time is taken its alternatives are shown with their reasons: everywhere by the same words."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span
from spaces.catalog.models import Space
from tests.bookings.lifecycle.test_pages import checkout, quick_data, ready_space, text_of
from tests.factories.bookings import book, span_on
from tests.factories.people import actor_of, make_organisation, make_person
from tests.factories.spaces import make_venue

SAME: dict[str, Any] = {"purposes": ["meeting"], "capacity": 40}
NEAR = (24.9590, 60.1850)


@pytest.fixture
def evening(city: City) -> Span:
    """Three days from now, 18 to 20."""
    return span_on(city, 18, 20, day=(now() + timedelta(days=3)).astimezone(city.zone).date())


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return ready_space(session, city, equipment=["projector"], **SAME)


@pytest.fixture
def other(session: Session, city: City) -> Space:
    venue = make_venue(session, city, at=NEAR, names={"en": "North house"})
    return ready_space(
        session,
        city,
        venue=venue,
        names={"fi": "Pikkusali", "sv": "Lilla salen", "en": "Small hall"},
        equipment=["kitchen"],
        price=("hour", 1750),
        **SAME,
    )


@pytest.fixture
def taken(session: Session, city: City, space: Space, other: Space, evening: Span) -> Booking:
    booking = book(session, city, space, actor_of(session, make_person(session, city)), evening, at=now())
    session.commit()
    return booking


def says_all(page: str) -> None:
    page = page.replace("\xa0", " ")
    assert "Small hall" in page
    for words in ("at the same time", "350 m away", "for 40 people", "€5 cheaper", "also has: kitchen"):
        assert words in page, words
    assert "does not have: projector" in page


def test_the_page_of_a_taken_time_says_why_another_would_do(
    signed_in_client: FlaskClient, space: Space, taken: Booking, evening: Span, city: City
) -> None:
    answer = signed_in_client.get(**checkout(space, evening, city))
    assert answer.status_code == 409
    says_all(text_of(answer))
    page = text_of(answer).replace("\xa0", " ")
    assert "16.00–18.00 €40 2 h earlier" in page
    assert "the next day" in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", ["samaan aikaan", "350 m päässä", "40 hengelle", "5 € halvempi", "on myös: keittiö"]),
        ("sv", ["vid samma tid", "350 m bort", "för 40 personer", "5 € billigare", "har också: kök"]),
    ],
)
def test_the_reasons_are_told_in_every_language(
    signed_in_client: FlaskClient,
    space: Space,
    taken: Booking,
    evening: Span,
    city: City,
    language: str,
    words: list[str],
) -> None:
    asked = checkout(space, evening, city)
    asked["path"] = asked["path"].replace("/en/", f"/{language}/")
    page = text_of(signed_in_client.get(**asked)).replace("\xa0", " ")
    assert [word for word in words if word not in page] == []


def test_the_late_one_is_told_so_and_nothing_is_left_behind(
    signed_in_client: FlaskClient, session: Session, space: Space, taken: Booking, evening: Span, city: City
) -> None:
    answer = signed_in_client.post(f"/en/spaces/{space.id}/quick-booking", data=quick_data(evening, city))
    assert answer.status_code == 409
    assert "Somebody was quicker" in text_of(answer)
    says_all(text_of(answer))
    assert session.scalars(select(Booking.id)).all() == [taken.id]


def test_a_form_that_is_sent_twice_leads_to_its_booking(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City
) -> None:
    data = quick_data(evening, city)
    first = signed_in_client.post(f"/en/spaces/{space.id}/quick-booking", data=data)
    again = signed_in_client.post(f"/en/spaces/{space.id}/quick-booking", data=data)
    assert first.location == again.location
    assert len(session.scalars(select(Booking)).all()) == 1


def test_who_is_not_signed_in_goes_on_to_sign_in(
    client: FlaskClient, space: Space, taken: Booking, evening: Span, city: City
) -> None:
    answer = client.post(f"/en/spaces/{space.id}/quick-booking", data=quick_data(evening, city))
    assert answer.status_code == 303
    assert "/booking" in answer.location


def space_page(client: FlaskClient, space: Space, wished: Span, city: City) -> str:
    start = wished.start.astimezone(city.zone).isoformat()
    return text_of(
        client.get(f"/en/spaces/{space.id}", query_string={"start": start, "minutes": wished.minutes})
    )


def test_the_page_of_a_space_offers_others_where_the_asked_time_is_taken(
    client: FlaskClient, space: Space, taken: Booking, evening: Span, city: City
) -> None:
    says_all(space_page(client, space, evening, city))
    day_after = Span(evening.start + timedelta(days=1), evening.end + timedelta(days=1))
    assert "Small hall" not in space_page(client, space, day_after, city)


def test_a_hold_that_another_has_is_told_with_what_is_free(
    signed_in_client: FlaskClient, space: Space, taken: Booking, evening: Span, city: City
) -> None:
    asked = checkout(space, evening, city)
    asked["path"] = asked["path"].replace("/booking", "/hold")
    answer = signed_in_client.post(**asked, data={"submission": "hold-of-mine-123"})
    assert answer.status_code == 409
    says_all(text_of(answer))
    assert f"/en/spaces/{space.id}?day=" in answer.text


def test_the_waiting_list_is_joined_beside_what_is_free_now(
    signed_in_client: FlaskClient, space: Space, taken: Booking, evening: Span, city: City
) -> None:
    asked = checkout(space, evening, city)
    asked["path"] = asked["path"].replace("/booking", "/line")
    answer = signed_in_client.get(**asked)
    assert answer.status_code == 200
    assert "Or take one of these now" in answer.text
    says_all(text_of(answer))


def test_a_change_that_is_taken_offers_other_days_and_rooms_of_the_place(
    signed_in_client: FlaskClient, session: Session, city: City, person: Person, evening: Span
) -> None:
    venue = make_venue(session, city)
    space = ready_space(session, city, venue=venue, **SAME)
    ready_space(session, city, venue=venue, names={"en": "Small hall"}, **SAME)
    mine = book(session, city, space, actor_of(session, person), evening, at=now())
    day = evening.start.astimezone(city.zone).date() + timedelta(days=1)
    stranger = actor_of(session, make_person(session, city))
    for hour in (8, 12, 16):
        book(session, city, space, stranger, span_on(city, hour, hour + 4, day=day), at=now())
    book(session, city, space, stranger, span_on(city, 20, 22, day=day), at=now())
    session.commit()
    there = f"/en/bookings/{mine.reference}/change"
    page = signed_in_client.get(there, query_string={"day": day.isoformat()})
    assert "Nothing is free on this day" in page.text
    assert "in the same building" in page.text
    assert "Small hall" in page.text
    assert f"{there}?day={day + timedelta(days=1)}&amp;minutes=120" in page.text
    # A day with free times needs no other.
    assert "in the same building" not in signed_in_client.get(there).text


def test_no_alternative_tells_where_a_stranger_was(
    signed_in_client: FlaskClient, session: Session, space: Space, other: Space, evening: Span, city: City
) -> None:
    stranger = make_person(session, city)
    club = make_organisation(session, city)
    was = book(session, city, other, actor_of(session, stranger), evening, at=now())
    was.during = type(was.during)(evening.start - timedelta(days=90), evening.end - timedelta(days=90))
    was.organisation_id = club.id
    book(session, city, space, actor_of(session, stranger), evening, at=now())
    session.commit()
    asked = checkout(space, evening, city, organisation=str(club.id))
    page = text_of(signed_in_client.get(**asked))
    assert "was here" not in page
    assert "were here" not in page
