"""Who sees what opens a door, when; and that no mail, calendar or log holds it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bookings.doors.models import AccessGrant, DoorCode, SpaceDoor
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import AuditEntry, Membership, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.models import Mail
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, Venue
from tests.bookings.doors.conftest import set_up_door
from tests.factories.bookings import book
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space

SECRET = "73918264"
TEXT = "Behind the green bins"


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    space = make_space(session, venue, hours=None)
    set_up_door(session, city, space, texts={"en": TEXT, "fi": TEXT, "sv": TEXT}, minutes_before=60)
    session.add(
        DoorCode(
            city_id=city.id, space_id=space.id, secret=SECRET, valid_from=now().date() - timedelta(days=2)
        )
    )
    compile_spaces(session, city, [space.id])
    return space


@pytest.fixture
def club(session: Session, city: City, person: Person) -> int:
    club = make_organisation(session, city)
    join(session, person, club)
    return club.id


def booking_in(session: Session, city: City, space: Space, person: Person, minutes: int, **fields) -> Booking:
    """A confirmed booking that begins in so many minutes, with a code."""
    session.execute(
        text(
            "INSERT INTO opening_month (city_id, month, space_id, open)"
            " SELECT :city, m, :space, tstzmultirange(tstzrange(m, m + interval '1 month'))"
            " FROM generate_series(date_trunc('month', now()) - interval '1 month', now() + interval '2 months',"
            " interval '1 month') m ON CONFLICT (city_id, month, space_id) DO UPDATE SET open = excluded.open"
        ),
        {"city": city.id, "space": space.id},
    )
    begin = now().replace(second=0, microsecond=0) + timedelta(minutes=200)
    booking = book(
        session,
        city,
        space,
        actor_of(session, person),
        Span(begin - timedelta(minutes=begin.minute % 30), begin - timedelta(minutes=begin.minute % 30 - 60)),
        at=now(),
        **fields,
    )
    start = now() + timedelta(minutes=minutes)
    session.execute(
        text("UPDATE booking SET during = tstzrange(:start, :end) WHERE id = :id"),
        {"start": start, "end": start + timedelta(minutes=60), "id": booking.id},
    )
    session.commit()
    session.expire_all()
    return booking


def see(app: Flask, session: Session, person: Person, path: str) -> str:
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    return client.get(path).get_data(as_text=True)


@pytest.mark.parametrize(("minutes", "shown"), [(65, False), (55, True), (-30, True), (-61, False)])
def test_the_code_is_shown_only_near_its_time(
    app: Flask,
    session: Session,
    city: City,
    space: Space,
    person: Person,
    run_jobs: Callable[[], int],
    minutes: int,
    shown: bool,
) -> None:
    booking = booking_in(session, city, space, person, minutes)
    run_jobs()
    for path in (f"/en/bookings/{booking.reference}", "/en/my/bookings"):
        page = see(app, session, person, path)
        assert (" ".join(SECRET) in page) == shown
        assert (TEXT in page) == shown


def test_nobody_but_the_bookers_side_sees_it(
    app: Flask,
    session: Session,
    city: City,
    space: Space,
    person: Person,
    club: int,
    persona: Callable[[str], Person],
    run_jobs: Callable[[], int],
) -> None:
    mate, looker = make_person(session, city, name="Mate"), make_person(session, city, name="Looker")
    for one, role in ((mate, "booker"), (looker, "member")):
        session.add(
            Membership(city_id=city.id, organisation_id=club, person_id=one.id, role=role, accepted_at=now())
        )
    booking = booking_in(session, city, space, person, 30, organisation_id=club)
    run_jobs()
    path = f"/en/bookings/{booking.reference}"
    assert " ".join(SECRET) in see(app, session, person, path)
    assert " ".join(SECRET) in see(app, session, mate, path)
    for what in ("manager", "handler", "viewer", "crew", "staff", "outsider"):
        page = see(app, session, persona(what), path)
        assert SECRET not in page.replace(" ", ""), what
        assert TEXT not in page, what
    assert SECRET not in see(app, session, looker, path).replace(" ", "")
    assert SECRET not in app.test_client().get(path).get_data(as_text=True)
    session.execute(text("DELETE FROM membership WHERE person_id = :id"), {"id": person.id})
    session.commit()
    assert SECRET not in see(app, session, person, path).replace(" ", ""), "whoever has left"


def test_no_mail_calendar_or_audit_row_holds_it(
    app: Flask,
    session: Session,
    city: City,
    space: Space,
    person: Person,
    run_jobs: Callable[[], int],
) -> None:
    booking = booking_in(session, city, space, person, 30)
    run_jobs()
    mails = session.scalars(select(Mail)).all()
    assert mails
    assert "door code" in mails[0].body_text or "ovikoodi" in mails[0].body_text.lower()
    told = " ".join(f"{mail.subject} {mail.body_text} {mail.body_html}" for mail in mails)
    told += str(session.scalars(select(AuditEntry.details)).all())
    told += see(app, session, person, f"/en/bookings/{booking.reference}.ics")
    told += str(session.execute(text("SELECT args FROM procrastinate_jobs")).all())
    assert SECRET not in told
    assert TEXT not in told


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("manager", 200),
        ("venue manager", 200),
        ("staff", 200),
        ("handler", 404),
        ("crew", 404),
        ("outsider", 404),
    ],
)
def test_only_those_who_run_the_space_open_its_page(
    client_of: Callable[[str], FlaskClient], space: Space, what: str, status: int
) -> None:
    client = client_of(what)
    page = client.get(f"/en/desk/spaces/{space.id}/door")
    assert page.status_code == status
    assert (SECRET in page.get_data(as_text=True)) == (status == 200)
    added = client.post(
        f"/en/desk/spaces/{space.id}/door/codes", data={"codes": "5555", "valid_from": "2026-12-01"}
    )
    assert added.status_code == (303 if status == 200 else 404)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"codes": "", "valid_from": "2026-12-01"}, "Line 1"),
        ({"codes": "12\nhello world", "valid_from": "2026-12-01"}, "Line 2"),
        ({"codes": "x" * 21, "valid_from": "2026-12-01"}, "Line 1"),
        ({"codes": "1234", "valid_from": "tomorrow"}, "Write a date"),
        ({"codes": "1234", "valid_from": "2026-12-02", "valid_to": "2026-12-01"}, "cannot be before"),
        (
            {"codes": "\n".join(str(n) for n in range(10_000, 10_501)), "valid_from": "2026-12-01"},
            "500 codes",
        ),
    ],
)
def test_a_list_that_cannot_be_read_saves_nothing(
    session: Session, client_of: Callable[[str], FlaskClient], space: Space, data: dict[str, str], words: str
) -> None:
    page = client_of("manager").post(f"/en/desk/spaces/{space.id}/door/codes", data=data)
    assert page.status_code == 422
    assert words in page.get_data(as_text=True)
    assert [code.secret for code in session.scalars(select(DoorCode))] == [SECRET]


def test_the_owner_says_how_the_door_opens(
    session: Session, client_of: Callable[[str], FlaskClient], space: Space
) -> None:
    client, path = client_of("manager"), f"/en/desk/spaces/{space.id}/door"
    good = {"way": "instruction", "minutes_before": "30", "provider": "static", "choice": "by_date"}
    assert client.post(path, data=good).status_code == 422  # an instruction that says nothing
    for wrong in ({"minutes_before": "1441"}, {"minutes_before": "x"}, {"way": "axe"}, {"provider": "x"}):
        assert client.post(path, data={**good, "texts_fi": "Ovi", **wrong}).status_code == 422
    assert client.post(path, data={**good, "texts_fi": "Avain kukkapurkissa"}).status_code == 303
    session.expire_all()
    door = session.scalars(select(SpaceDoor)).one()
    assert (door.method, door.minutes_before, door.texts) == (
        "instruction",
        30,
        {"fi": "Avain kukkapurkissa"},
    )
    assert "kukkapurkissa" not in str(session.scalars(select(AuditEntry.details)).all())


def test_the_desk_tells_of_a_lock_that_did_not_answer_and_asks_it_again(
    app: Flask,
    session: Session,
    city: City,
    space: Space,
    person: Person,
    client_of: Callable[[str], FlaskClient],
    run_jobs: Callable[[], int],
) -> None:
    session.execute(text("UPDATE space_door SET provider = 'gone'"))
    booking = booking_in(session, city, space, person, 30)
    run_jobs()
    handler = client_of("handler")
    assert "A lock did not answer" in handler.get("/en/desk/timeline").get_data(as_text=True)
    assert "The lock did not answer" in handler.get(f"/en/bookings/{booking.reference}").get_data(
        as_text=True
    )
    assert "does not answer" in see(app, session, person, f"/en/bookings/{booking.reference}")
    retry = f"/en/desk/bookings/{booking.reference}/door-code"
    assert client_of("viewer").post(retry).status_code == 403
    assert client_of("outsider").post(retry).status_code == 404
    session.execute(text("UPDATE space_door SET provider = 'static'"))
    session.commit()
    assert handler.post(retry).status_code == 303
    run_jobs()
    assert session.scalars(select(AccessGrant.state)).one() == "ready"
    assert "A lock did not answer" not in handler.get("/en/desk/timeline").get_data(as_text=True)
