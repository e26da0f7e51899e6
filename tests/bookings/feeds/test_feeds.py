"""Calendar feeds, read back by a calendar library: what is in them, for whom, and when they stop."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar, Component
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bookings.feeds.models import CalendarFeed
from bookings.feeds.views import READS_PER_HOUR
from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.models import Booking, BookingPerson
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, Venue
from tests.factories.bookings import book
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space

ADDRESS = re.compile(r"/calendars/([\w-]{20,})\.ics")


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    space = make_space(session, venue, names={"fi": "Sali; A, B", "en": "Hall; A, B"})
    compile_spaces(session, city, [space.id])
    return space


@pytest.fixture
def booking(session: Session, city: City, space: Space, person: Person) -> Booking:
    day = (
        (now() + timedelta(days=5)).astimezone(city.zone).replace(hour=18, minute=0, second=0, microsecond=0)
    )
    span = Span(day, day + timedelta(hours=2))
    booking = book(
        session, city, space, actor_of(session, person), span, at=now(), purpose="Kuoro,\nharjoitus; x"
    )
    session.commit()
    return booking


def make(client: FlaskClient, **data: object) -> str:
    """The path of a new feed."""
    answer = client.post("/en/my/calendars", data=data)
    assert answer.status_code == 200, answer.status_code
    found = ADDRESS.search(answer.get_data(as_text=True))
    assert found
    return f"/calendars/{found[1]}.ics"


def events(body: bytes) -> list[Component]:
    return list(Calendar.from_ical(body.decode()).walk("VEVENT"))


def test_ones_own_bookings_with_the_uid_of_the_single_file(
    app: Flask, signed_in_client: FlaskClient, session: Session, booking: Booking
) -> None:
    path = make(signed_in_client, kind="person")
    answer = app.test_client().get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    (event,) = events(answer.data)
    (single,) = events(signed_in_client.get(f"/fi/bookings/{booking.reference}.ics").data)
    for name in ("UID", "DTSTART", "DTEND", "SEQUENCE", "STATUS"):
        assert event[name] == single[name], name
    assert event.decoded("DTSTART") == booking.span.start
    assert "Sali; A, B" in str(event["SUMMARY"])
    assert "Kuoro" in str(event["DESCRIPTION"])
    assert b"BEGIN:VTIMEZONE" in answer.data
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n"))


def test_a_booking_that_one_looks_after_is_in_ones_own_calendar(
    app: Flask, session: Session, city: City, booking: Booking, person: Person
) -> None:
    helper, stranger = (make_person(session, city, name=name) for name in ("Olli Apu", "Vieras"))
    session.commit()
    paths = {}
    for one in (helper, stranger):
        client = app.test_client()
        sign_in(session, client, one)
        paths[one.id] = make(client, kind="person")
    assert events(app.test_client().get(paths[helper.id]).data) == []
    added = BookingPerson(
        city_id=city.id, booking_id=booking.id, person_id=helper.id, added_by=person.id, created_at=now()
    )
    session.add(added)
    session.commit()
    (event,) = events(app.test_client().get(paths[helper.id]).data)
    assert event.decoded("DTSTART") == booking.span.start
    assert events(app.test_client().get(paths[stranger.id]).data) == []
    session.delete(added)
    session.commit()
    assert events(app.test_client().get(paths[helper.id]).data) == []


def test_it_is_asked_again_only_when_something_changed(
    app: Flask, signed_in_client: FlaskClient, session: Session, city: City, booking: Booking, person: Person
) -> None:
    path = make(signed_in_client, kind="person")
    client = app.test_client()
    first = client.get(path)
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert client.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 304
    at = now() + timedelta(minutes=1)
    cancel_booking(session, city, booking, actor=actor_of(session, person), at=at)
    session.commit()
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    (event,) = events(again.data)
    (before,) = events(first.data)
    assert event["STATUS"] == "CANCELLED"
    assert event["UID"] == before["UID"]
    assert event.decoded("SEQUENCE") > before.decoded("SEQUENCE")
    assert event.decoded("LAST-MODIFIED") > before.decoded("LAST-MODIFIED")


def test_an_organisations_feed_stops_for_one_who_may_not_book_for_it(
    app: Flask, signed_in_client: FlaskClient, session: Session, city: City, space: Space, person: Person
) -> None:
    club = make_organisation(session, city)
    member = join(session, person, club)
    day = (
        (now() + timedelta(days=6)).astimezone(city.zone).replace(hour=10, minute=0, second=0, microsecond=0)
    )
    mate = make_person(session, city, name="Matti")
    join(session, mate, club)
    book(
        session,
        city,
        space,
        actor_of(session, mate),
        Span(day, day + timedelta(hours=1)),
        at=now(),
        organisation_id=club.id,
    )
    session.commit()
    path = make(signed_in_client, kind="organisation", organisation=club.id)
    assert len(events(app.test_client().get(path).data)) == 1
    member.role = "member"
    session.commit()
    assert app.test_client().get(path).status_code == 404
    member.role = "manager"
    session.commit()
    assert app.test_client().get(path).status_code == 200
    session.delete(member)
    session.commit()
    assert app.test_client().get(path).status_code == 404
    assert signed_in_client.post(
        "/en/my/calendars", data={"kind": "organisation", "organisation": club.id}
    ).status_code in {
        303,
        403,
    }


@pytest.mark.parametrize(
    ("what", "private", "public"),
    [
        ("manager", 200, 200),
        ("handler", 200, 403),
        ("viewer", 200, 403),
        ("crew", 403, 403),
        ("outsider", 403, 403),
    ],
)
def test_a_spaces_feeds(
    app: Flask,
    client_of: Callable[[str], FlaskClient],
    session: Session,
    space: Space,
    booking: Booking,
    person: Person,
    what: str,
    private: int,
    public: int,
) -> None:
    client = client_of(what)
    for kind, status in (("space", private), ("space_public", public)):
        answer = client.post("/en/my/calendars", data={"kind": kind, "space": space.id})
        assert answer.status_code == status, kind
        if status != 200:
            continue
        found = ADDRESS.search(answer.get_data(as_text=True))
        assert found
        read = app.test_client().get(f"/calendars/{found[1]}.ics")
        (event,) = events(read.data)
        assert event.decoded("DTSTART") == booking.span.start
        for word in (person.name, "Kuoro", booking.reference):
            assert (word in read.get_data(as_text=True).replace("\r\n ", "")) == (kind == "space"), word


def test_a_role_taken_back_ends_the_spaces_feed_but_not_the_public_one(
    app: Flask, client_of: Callable[[str], FlaskClient], session: Session, space: Space, booking: Booking
) -> None:
    client = client_of("venue manager")
    private, public = (make(client, kind=kind, space=space.id) for kind in ("space", "space_public"))
    session.execute(text("DELETE FROM venue_role"))
    session.commit()
    assert app.test_client().get(private).status_code == 404
    assert app.test_client().get(public).status_code == 200
    space.state = "hidden"
    session.commit()
    assert app.test_client().get(public).status_code == 404


def test_an_address_is_shown_once_replaced_and_ended(
    app: Flask, signed_in_client: FlaskClient, session: Session, booking: Booking
) -> None:
    old = make(signed_in_client, kind="person")
    assert not ADDRESS.search(signed_in_client.get("/en/my/calendars").get_data(as_text=True))
    assert signed_in_client.post("/en/my/calendars", data={"kind": "person"}).status_code == 303
    (feed,) = session.scalars(select(CalendarFeed))
    answer = signed_in_client.post(f"/en/my/calendars/{feed.id}/replacement")
    found = ADDRESS.search(answer.get_data(as_text=True))
    assert found
    new = f"/calendars/{found[1]}.ics"
    assert app.test_client().get(old).status_code == 404
    assert app.test_client().get(new).status_code == 200
    session.expire_all()
    live = session.scalars(select(CalendarFeed).where(CalendarFeed.revoked_at.is_(None))).one()
    assert live.last_fetched_at is not None
    assert signed_in_client.post(f"/en/my/calendars/{live.id}/end").status_code == 303
    assert app.test_client().get(new).status_code == 404
    told = str(session.scalars(select(AuditEntry.details)).all())
    assert found[1] not in told


def test_somebody_elses_feed_is_nobodys_business(
    app: Flask, signed_in_client: FlaskClient, session: Session, city: City, booking: Booking
) -> None:
    make(signed_in_client, kind="person")
    (feed,) = session.scalars(select(CalendarFeed))
    other = app.test_client()
    sign_in(session, other, make_person(session, city))
    session.commit()
    for act in ("replacement", "end"):
        assert other.post(f"/en/my/calendars/{feed.id}/{act}").status_code == 404
    session.expire_all()
    assert session.scalars(select(CalendarFeed)).one().revoked_at is None


@pytest.mark.parametrize("token", ["x", "a" * 43, "a" * 5000, "%00", "..%2f", "ä"])
def test_a_guess_leads_nowhere(client: FlaskClient, token: str) -> None:
    assert client.get(f"/calendars/{token}.ics").status_code == 404


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"kind": "everything"},
        {"kind": "space", "space": "9" * 30},
        {"kind": "organisation", "organisation": "x"},
    ],
)
def test_a_wrong_wish_makes_nothing(
    signed_in_client: FlaskClient, session: Session, data: dict[str, str]
) -> None:
    assert signed_in_client.post("/en/my/calendars", data=data).status_code in {403, 404, 422}
    assert session.scalars(select(CalendarFeed)).all() == []


def test_one_feed_is_read_so_often_and_no_more(
    app: Flask, signed_in_client: FlaskClient, booking: Booking
) -> None:
    path = make(signed_in_client, kind="person")
    app.config["RATE_LIMITS"] = True
    try:
        client = app.test_client()
        answers = [client.get(path).status_code for _ in range(READS_PER_HOUR + 1)]
        late = client.get(path)
    finally:
        app.config["RATE_LIMITS"] = False
    assert answers == [200] * READS_PER_HOUR + [429]
    assert int(late.headers["Retry-After"]) > 0
