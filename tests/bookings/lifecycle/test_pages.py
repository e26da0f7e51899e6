"""The pages of booking: what they answer to right, wrong and absurd input."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span
from spaces.catalog.models import Space
from spaces.pricing.models import Price
from tests.factories.bookings import book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_venue

SUBMISSION = "6b1f0d54-95a1-4a5c-9d7e-0c7a6f2c1a11"


@pytest.fixture
def evening(city: City) -> Span:
    """Three days from now, 18 to 20."""
    return span_on(city, 18, 20, day=(now() + timedelta(days=3)).astimezone(city.zone).date())


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return ready_space(session, city)


def ready_space(session: Session, city: City, **fields: Any) -> Space:
    today = now().astimezone(city.zone).date()
    space = open_space(session, city, first=today, last=today + timedelta(days=62), **fields)
    session.commit()
    return space


def checkout(space: Space, during: Span, city: City, **more: object) -> dict[str, Any]:
    start = during.start.astimezone(city.zone).isoformat()
    return {
        "path": f"/en/spaces/{space.id}/booking",
        "query_string": {"start": start, "minutes": during.minutes, **more},
    }


def filled(**more: str) -> dict[str, str]:
    return {"organisation": "myself", "purpose": "Choir", "attendees": "12", "submission": SUBMISSION, **more}


def text_of(response: TestResponse) -> str:
    plain = re.sub(r"<(style|script|head).*?</\1>", "", response.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", plain).replace("\u2060", "").split())


def only_booking(session: Session) -> Booking:
    session.expire_all()
    return session.scalars(select(Booking)).one()


def test_the_checkout_says_time_price_and_deadline(
    signed_in_client: FlaskClient, space: Space, evening: Span, city: City
) -> None:
    answer = signed_in_client.get(**checkout(space, evening, city, people=12))
    assert answer.status_code == 200
    page = text_of(answer)
    for expected in (
        "Confirm booking",
        "2 h × €20",
        "VAT 25.5 %",
        "€8.13",
        "Total €40",
        "Book €40",
        "Myself",
    ):
        assert expected in page
    assert 'value="12"' in answer.text
    assert "You can cancel free of charge until" in page


def test_booking_leads_to_its_page_and_a_reload_changes_nothing(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    first = signed_in_client.post(**checkout(space, evening, city), data=filled(total="4000"))
    booking = only_booking(session)
    assert first.status_code == 303
    assert first.location == f"/en/bookings/{booking.reference}?done=1"
    assert (booking.purpose, booking.attendees, booking.person_id) == ("Choir", 12, person.id)
    again = signed_in_client.post(**checkout(space, evening, city), data=filled(total="4000"))
    assert again.location == first.location
    page = text_of(signed_in_client.get(first.location))
    assert "The time is yours" in page
    assert booking.reference in page
    assert only_booking(session).id == booking.id


def test_who_is_not_signed_in_goes_there_and_back_with_everything(
    client: FlaskClient, space: Space, evening: Span, city: City
) -> None:
    answer = client.get(**checkout(space, evening, city, people=12))
    assert answer.status_code == 302
    assert "/sign-in?next=" in answer.location
    sent = client.post(**checkout(space, evening, city), data=filled())
    assert sent.status_code == 303
    assert {"purpose=Choir", "people=12", "organisation=myself"} <= set(
        urlsplit(sent.location).query.split("&")
    )
    quick = client.post(f"/en/spaces/{space.id}/quick-booking", data=quick_data(evening, city, people="12"))
    assert quick.status_code == 303
    assert urlsplit(quick.location).path == f"/en/spaces/{space.id}/booking"
    assert "people=12" in quick.location


def test_an_unproved_address_is_told_and_may_have_the_link_again(
    app: Flask, session: Session, space: Space, evening: Span, city: City
) -> None:
    client = app.test_client()
    sign_in(session, client, make_person(session, city, email_verified_at=None))
    session.commit()
    page = client.get(**checkout(space, evening, city))
    assert page.status_code == 200
    assert "Confirm your e-mail address first" in page.text
    assert "/verification-mail?next=" in page.text
    assert client.post(**checkout(space, evening, city), data=filled()).status_code == 403
    quick = client.post(f"/en/spaces/{space.id}/quick-booking", data=quick_data(evening, city))
    assert quick.status_code == 303


def quick_data(during: Span, city: City, **more: str) -> dict[str, str]:
    start = during.start.astimezone(city.zone).isoformat()
    return {"start": start, "minutes": str(during.minutes), "submission": SUBMISSION, **more}


def test_one_press_books_for_the_organisation_one_acts_for(
    app: Flask, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    organisation = make_organisation(session, city)
    join(session, person, organisation)
    client = app.test_client()
    sign_in(session, client, person, acting_for=organisation.id)
    session.commit()
    path = f"/en/spaces/{space.id}/quick-booking"
    answer = client.post(path, data=quick_data(evening, city, people="20"))
    booking = only_booking(session)
    assert answer.location == f"/en/bookings/{booking.reference}?done=1"
    assert (booking.organisation_id, booking.attendees) == (organisation.id, 20)
    assert client.post(path, data=quick_data(evening, city, people="20")).location == answer.location
    # The same list's next chip carries the same key and still is a booking of its own.
    later = Span(evening.start + timedelta(hours=2), evening.end + timedelta(hours=2))
    assert client.post(path, data=quick_data(later, city)).location != answer.location


@pytest.mark.parametrize(
    "fields",
    [{"approval": "handler"}, {"who": "organisations"}, {"capacity": 10}, {"cancellation_hours": 240}],
    ids=str,
)
def test_one_press_asks_where_something_is_still_needed(
    signed_in_client: FlaskClient, session: Session, evening: Span, city: City, fields: dict[str, Any]
) -> None:
    space = ready_space(session, city, **fields)
    answer = signed_in_client.post(
        f"/en/spaces/{space.id}/quick-booking", data=quick_data(evening, city, people="12")
    )
    assert answer.status_code == 303
    assert urlsplit(answer.location).path == f"/en/spaces/{space.id}/booking"
    assert session.scalars(select(Booking)).all() == []


def test_a_taken_time_keeps_the_form_and_shows_what_is_free(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City
) -> None:
    ready_space(session, city, names={"en": "Small hall"})
    other = actor_of(session, make_person(session, city))
    book(session, city, space, other, evening, at=now())
    session.commit()
    shown = signed_in_client.get(**checkout(space, evening, city, purpose="Choir"))
    assert shown.status_code == 409
    assert "purpose=Choir" in shown.text
    answer = signed_in_client.post(**checkout(space, evening, city), data=filled())
    assert answer.status_code == 409
    page = text_of(answer)
    assert "Somebody was quicker" in page
    assert "The same space at other times" in page
    assert "Small hall" in page
    assert answer.text.count('name="purpose" value="Choir"') >= 2
    # One press on the first chip books it, with the same data.
    form = re.search(
        r'<form class="slot-form" method="post" action="([^"]+)">(.*?)</form>', answer.text, re.DOTALL
    )
    assert form is not None
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[2]))
    led = signed_in_client.post(form[1].replace("&amp;", "&"), data=fields)
    assert led.status_code == 303
    mine = session.scalars(select(Booking).where(Booking.purpose == "Choir")).one()
    assert led.location.startswith(f"/en/bookings/{mine.reference}")


def test_one_press_on_a_taken_time_shows_what_is_free(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City
) -> None:
    book(session, city, space, actor_of(session, make_person(session, city)), evening, at=now())
    session.commit()
    answer = signed_in_client.post(f"/en/spaces/{space.id}/quick-booking", data=quick_data(evening, city))
    assert answer.status_code == 409
    assert f'action="/en/spaces/{space.id}/quick-booking"' in answer.text


def test_ones_own_booking_is_not_called_somebody_elses(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    booking = book(session, city, space, actor_of(session, person), evening, at=now())
    session.commit()
    answer = signed_in_client.get(**checkout(space, evening, city))
    assert answer.status_code == 409
    assert "You have this time already" in answer.text
    assert booking.reference in answer.text


def test_a_new_price_is_shown_before_it_is_agreed(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City
) -> None:
    session.add(
        Price(
            city_id=city.id,
            space_id=space.id,
            valid_from=datetime(2021, 1, 1).date(),
            per="hour",
            amount_minor=2500,
        )
    )
    session.commit()
    answer = signed_in_client.post(**checkout(space, evening, city), data=filled(total="4000"))
    assert answer.status_code == 409
    assert "The price has changed" in answer.text
    assert 'name="total" type="hidden" value="5000"' in answer.text
    assert 'value="Choir"' in answer.text
    assert (
        signed_in_client.post(**checkout(space, evening, city), data=filled(total="5000")).status_code == 303
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"attendees": "many"}, "Write a whole number"),
        ({"attendees": "41"}, "40 people fit here."),
        ({"attendees": "0"}, "at least 1"),
        ({"purpose": "x" * 201}, "Say it in 200 characters."),
        ({"submission": "?"}, "The form did not arrive whole."),
    ],
)
def test_wrong_values_are_named_and_kept(
    signed_in_client: FlaskClient,
    space: Space,
    evening: Span,
    city: City,
    fields: dict[str, str],
    message: str,
) -> None:
    answer = signed_in_client.post(**checkout(space, evening, city), data=filled(**fields))
    assert answer.status_code == 422
    assert message in text_of(answer)
    for name in ("attendees", "purpose"):
        assert f'value="{filled(**fields)[name]}"' in answer.text


def test_an_organisation_one_may_not_book_for_is_refused(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City
) -> None:
    stranger = make_organisation(session, city)
    session.commit()
    for value in (str(stranger.id), "9" * 30, "abc", "-1"):
        answer = signed_in_client.post(**checkout(space, evening, city), data=filled(organisation=value))
        assert answer.status_code == 403
    assert session.scalars(select(Booking)).all() == []


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"start": ""},
        {"start": "tomorrow", "minutes": "60"},
        {"start": "2026-13-45T25:61:00+02:00", "minutes": "60"},
        {"start": "2026-11-28T17:00:00", "minutes": "60"},
        {"start": "9999-12-31T23:59:59+00:00", "minutes": "60"},
        {"start": "0001-01-01T00:00:00+14:00", "minutes": "60"},
        {"start": "GOOD", "minutes": "0"},
        {"start": "GOOD", "minutes": "-60"},
        {"start": "GOOD", "minutes": "1e9"},
        {"start": "GOOD", "minutes": "9" * 40},
        {"start": "GOOD", "minutes": "٦٠"},
        {"start": "GOOD", "end": "GOOD"},
        {"start": "GOOD", "end": "0001-01-01T00:00:00+00:00"},
        {"start": "GOOD\x00", "minutes": "60"},
        {"start": "GOOD", "minutes": "7"},
        {"start": "GOOD", "minutes": "40000"},
        {"start": "GOOD", "minutes": "7", "people": "9" * 20},
        {"start": "GOOD", "minutes": "7", "people": "0"},
        {"start": "GOOD", "minutes": "60", "people": "\x00'; --", "purpose": "\x00", "organisation": "\x00"},
        {"start": "GOOD+00:99", "minutes": "60"},
    ],
)
def test_absurd_times_get_a_helpful_page(
    signed_in_client: FlaskClient, space: Space, evening: Span, city: City, args: dict[str, str]
) -> None:
    good = evening.start.astimezone(city.zone).isoformat()
    query = {key: value.replace("GOOD", good) for key, value in args.items()}
    path = f"/en/spaces/{space.id}/booking"
    answer = signed_in_client.get(path, query_string=query)
    assert answer.status_code in {200, 422}
    assert f"/en/spaces/{space.id}" in answer.text
    assert signed_in_client.post(path, query_string=query, data=filled(purpose="a\x00b")).status_code in {
        303,
        422,
    }
    assert signed_in_client.post(f"/en/spaces/{space.id}/quick-booking", data=query).status_code in {303, 422}


def test_a_plus_that_became_a_space_is_still_read(
    signed_in_client: FlaskClient, space: Space, evening: Span, city: City
) -> None:
    start = evening.start.astimezone(city.zone).isoformat()
    answer = signed_in_client.get(f"/en/spaces/{space.id}/booking?start={start}&minutes=60")
    assert answer.status_code == 200


@pytest.mark.parametrize("space_id", [0, 10**9, 2**63, 10**30])
def test_unknown_spaces_are_not_found(signed_in_client: FlaskClient, space_id: int) -> None:
    assert signed_in_client.get(f"/en/spaces/{space_id}/booking").status_code == 404
    assert signed_in_client.post(f"/en/spaces/{space_id}/quick-booking").status_code == 404


@pytest.mark.parametrize(
    "reference", ["AAAA-AAAA", "x", "%00", "😀", "a" * 3000, "..", "AAAA-AAAA.ics", "0.ics"]
)
def test_unknown_references_are_not_found(signed_in_client: FlaskClient, reference: str) -> None:
    assert signed_in_client.get(f"/en/bookings/{reference}").status_code == 404
    assert signed_in_client.post(f"/en/bookings/{reference}/cancellation").status_code in {404, 405}


def test_a_booking_is_found_as_people_type_it(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    booking = book(session, city, space, actor_of(session, person), evening, at=now())
    session.commit()
    typed = booking.reference.lower().replace("-", "")
    answer = signed_in_client.get(f"/en/bookings/{typed}")
    assert answer.status_code == 301
    assert answer.location == f"/en/bookings/{booking.reference}"


def test_strangers_do_not_learn_that_a_booking_exists(
    app: Flask, client: FlaskClient, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    booking = book(session, city, space, actor_of(session, person), evening, at=now())
    stranger = app.test_client()
    sign_in(session, stranger, make_person(session, city))
    session.commit()
    there = f"/en/bookings/{booking.reference}"
    assert client.get(there).status_code == 302
    for path in (there, f"{there}.ics", f"{there}/cancellation"):
        assert stranger.get(path).status_code == 404
    for path in (f"{there}/cancellation", f"{there}/approval", f"{there}/refusal"):
        assert stranger.post(path, data={"reason": "No"}).status_code == 404


def test_cancelling_asks_says_what_it_costs_and_happens_once(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    booking = book(session, city, space, actor_of(session, person), evening, at=now())
    session.commit()
    path = f"/en/bookings/{booking.reference}/cancellation"
    page = text_of(signed_in_client.get(path))
    assert "Cancelling is free of charge until" in page
    assert signed_in_client.post(path).status_code == 303
    assert signed_in_client.post(path).status_code == 303
    assert only_booking(session).state == "cancelled"
    page = text_of(signed_in_client.get(f"/en/bookings/{booking.reference}"))
    assert "You pay nothing" in page
    assert "Look for another time" in page


def test_late_cancelling_warns_that_the_price_is_kept(
    signed_in_client: FlaskClient, session: Session, evening: Span, city: City, person: Person
) -> None:
    space = ready_space(session, city, cancellation_hours=24 * 7)
    booking = book(session, city, space, actor_of(session, person), evening, at=now())
    session.commit()
    path = f"/en/bookings/{booking.reference}/cancellation"
    assert "Cancel, €40 is kept" in text_of(signed_in_client.get(path))
    signed_in_client.post(path)
    assert "€40 is kept" in text_of(signed_in_client.get(f"/en/bookings/{booking.reference}"))


def test_my_bookings_list_ones_own_and_the_organisations(
    app: Flask,
    signed_in_client: FlaskClient,
    session: Session,
    space: Space,
    evening: Span,
    city: City,
    person: Person,
) -> None:
    assert "No bookings yet" in signed_in_client.get("/en/my/bookings").text
    organisation = make_organisation(session, city, name="Koskelan asukasyhdistys ry")
    colleague = make_person(session, city, name="Mira Lehto")
    join(session, person, organisation, "member")
    join(session, colleague, organisation)
    mine = book(session, city, space, actor_of(session, person), evening, at=now())
    later = Span(evening.start + timedelta(days=1), evening.end + timedelta(days=1))
    theirs = book(
        session, city, space, actor_of(session, colleague), later, at=now(), organisation_id=organisation.id
    )
    private = book(
        session,
        city,
        space,
        actor_of(session, colleague),
        Span(evening.start - timedelta(hours=4), evening.end - timedelta(hours=4)),
        at=now(),
    )
    session.commit()
    page = signed_in_client.get("/en/my/bookings").text
    assert page.index(mine.reference) < page.index(theirs.reference)
    assert "Koskelan asukasyhdistys ry" in page
    assert private.reference not in page
    for absurd in ("0", "-1", "x", "9" * 50, "%00"):
        assert signed_in_client.get(f"/en/my/bookings?page={absurd}").status_code == 200


def test_a_request_is_answered_by_those_who_run_the_place(
    app: Flask,
    session: Session,
    evening: Span,
    city: City,
    person: Person,
    signed_in_client: FlaskClient,
    run_jobs: Callable[[], int],
) -> None:
    owner = make_organisation(session, city, name="Nuorisopalvelut", kind="city_division")
    manager, booker = make_person(session, city, name="Olli Omistaja"), make_person(session, city)
    join(session, manager, owner, "manager")
    join(session, booker, owner, "booker")
    space = ready_space(session, city, venue=make_venue(session, city, owner=owner), approval="handler")
    first = book(session, city, space, actor_of(session, person), evening, at=now())
    later = Span(evening.start + timedelta(days=1), evening.end + timedelta(days=1))
    second = book(session, city, space, actor_of(session, person), later, at=now())
    desk, helper = app.test_client(), app.test_client()
    sign_in(session, desk, manager)
    sign_in(session, helper, booker)
    session.commit()

    assert "Your request is on its way" in signed_in_client.get(f"/en/bookings/{first.reference}?done=1").text
    assert signed_in_client.post(f"/en/bookings/{first.reference}/approval").status_code == 403
    assert helper.get(f"/en/bookings/{first.reference}").status_code == 404
    assert first.reference in desk.get("/en/my/bookings").text
    assert "Do you approve this request?" in desk.get(f"/en/bookings/{first.reference}").text
    assert desk.post(f"/en/bookings/{first.reference}/approval").status_code == 303
    assert desk.post(f"/en/bookings/{second.reference}/refusal").status_code == 422
    assert (
        desk.post(f"/en/bookings/{second.reference}/refusal", data={"reason": "Floor is waxed"}).status_code
        == 303
    )
    # Too late to change one's mind: said, not done.
    assert desk.post(f"/en/bookings/{second.reference}/approval").status_code == 303
    session.expire_all()
    assert [session.get_one(Booking, (city.id, b.id)).state for b in (first, second)] == [
        "confirmed",
        "declined",
    ]
    assert "Floor is waxed" in signed_in_client.get(f"/en/bookings/{second.reference}").text


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_every_page_speaks_every_language(
    signed_in_client: FlaskClient,
    session: Session,
    space: Space,
    evening: Span,
    city: City,
    person: Person,
    language: str,
) -> None:
    wish = checkout(space, evening, city)
    assert (
        signed_in_client.get(
            str(wish["path"]).replace("/en/", f"/{language}/"), query_string=wish["query_string"]
        ).status_code
        == 200
    )
    booking = book(session, city, space, actor_of(session, person), evening, at=now())
    session.commit()
    for path in (
        "my/bookings",
        f"bookings/{booking.reference}",
        f"bookings/{booking.reference}/cancellation",
    ):
        answer = signed_in_client.get(f"/{language}/{path}")
        assert answer.status_code == 200
        assert f'<html lang="{language}"' in answer.text
