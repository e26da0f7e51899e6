"""What users of other booking systems complain of, where no feature's own tests say it: see docs/complaints.md."""

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.attendance import jobs as attendance
from bookings.lifecycle.details import Details
from bookings.lifecycle.models import Booking
from bookings.series.models import Series
from bookings.waiting.models import WaitingEntry
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.models import Mail
from marketplace.settings import ROOT
from marketplace.timespan import Span, instant
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim, DaySheet
from spaces.calendar.rules import ALL_DAY
from spaces.catalog.models import Space, Venue
from tests.bookings.attendance.conftest import ask_to_check_in
from tests.bookings.lifecycle.test_pages import checkout, ready_space, text_of
from tests.factories.bookings import book, open_space, span_on
from tests.factories.equipment import make_extra
from tests.factories.listings import give
from tests.factories.people import actor_of, make_person, sign_in
from tests.factories.series import dates_of, repeat, season_space, weekly
from tests.factories.spaces import make_unit, make_venue

TABLE = ROOT / "docs" / "complaints.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
KEY = "complaint-submission"


def in_days(city: City, days: int) -> date:
    return now().astimezone(city.zone).date() + timedelta(days=days)


def evening(city: City, days: int, start: float = 18, end: float = 20) -> Span:
    return span_on(city, start, end, day=in_days(city, days))


def browser_of(app: Flask, session: Session, person: Person) -> FlaskClient:
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    return client


def test_each_test_of_the_table_exists() -> None:
    text = TABLE.read_text(encoding="utf-8")
    rows = {int(n) for n in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert rows == set(range(1, 16))
    named = NAMED.findall(text)
    assert len(named) >= len(rows)
    for path, name in named:
        file = ROOT / path
        assert file.is_file(), path
        assert re.search(rf"^def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE), f"{path}::{name}"
    for row in re.findall(r"^\| \d+ \|.*$", text, re.MULTILINE):
        assert NAMED.search(row), row


def test_a_stale_sheet_of_the_search_neither_sells_nor_hides_a_time(
    signed_in_client: FlaskClient, session: Session, city: City
) -> None:
    """2: what the search knows by heart is never what a booking goes by."""
    space = ready_space(session, city)
    taken, free = evening(city, 3), evening(city, 4)
    book(session, city, space, actor_of(session, make_person(session, city)), taken, at=now())
    stale: dict[int, int] = {ALL_DAY: 409, 0: 303}
    for word, status in stale.items():
        for sheet in session.scalars(select(DaySheet).where(DaySheet.space_id == space.id)):
            sheet.free = [word] * len(sheet.free)
        session.commit()
        wanted = taken if status == 409 else free
        answer = signed_in_client.post(
            **checkout(space, wanted, city), data={"organisation": "myself", "submission": f"{KEY}-{status}"}
        )
        assert answer.status_code == status
    assert session.scalar(select(func.count()).select_from(Booking)) == 2


def test_a_house_its_floors_and_its_rooms_are_one_family(
    session: Session, city: City, person: Person
) -> None:
    """3: whatever is booked of a house, nobody else gets what holds it or lies in it, and the rest stays free."""
    venue, actor = make_venue(session, city), actor_of(session, person)
    units = [make_unit(session, venue) for _ in range(4)]
    house = open_space(session, city, venue, units=units)
    floors = [open_space(session, city, venue, units=half) for half in (units[:2], units[2:])]
    rooms = [open_space(session, city, venue, units=[unit]) for unit in units]
    family: dict[int, tuple[Space, list[Space], list[Space]]] = {
        # booked first, then refused, then still to be had
        9: (rooms[0], [house, floors[0], rooms[0]], [rooms[1], floors[1]]),
        12: (floors[1], [house, floors[1], rooms[2], rooms[3]], [floors[0]]),
        15: (house, [house, *floors, *rooms], []),
    }
    for hour, (first, refused, had) in family.items():
        book(session, city, first, actor, span_on(city, hour, hour + 1))
        for space in refused:
            with pytest.raises(SlotTaken):
                book(session, city, space, actor, span_on(city, hour, hour + 1))
        for space in had:
            assert book(session, city, space, actor, span_on(city, hour, hour + 1)).state == "confirmed"


def test_a_hundred_dates_are_given_up_by_one_press_and_told_by_one_mail(
    signed_in_client: FlaskClient, session: Session, city: City, run_jobs: Callable[[], int]
) -> None:
    """5."""
    first = in_days(city, 3)
    space = open_space(session, city, first=first, last=first + timedelta(weeks=101), horizon_days=800)
    session.commit()
    start = instant(first, time(18), city.zone).astimezone(city.zone).isoformat()
    rule = {"pattern": "weekly:1", "ends": "times", "times": "100", "organisation": "myself", "mode": "rest"}
    sent = signed_in_client.post(
        f"/en/spaces/{space.id}/series",
        query_string={"start": start, "minutes": 90},
        data={**rule, "submission": KEY},
    )
    assert sent.status_code == 303
    series = session.scalars(select(Series)).one()
    assert len(dates_of(session, series)) == 100
    run_jobs()
    given_up = signed_in_client.post(
        f"/en/series/{series.reference}/cancellation", data={"scope": "all", "kept": "0"}
    )
    assert given_up.status_code == 303
    assert {one.state for one in dates_of(session, series)} == {"cancelled"}
    assert session.scalar(select(func.count()).select_from(Claim)) == 0
    run_jobs()
    templates = session.scalars(select(Mail.template).order_by(Mail.id)).all()
    assert [template.rpartition("/")[2] for template in templates] == ["created", "cancelled"]


def test_what_nobody_came_to_is_offered_to_the_next_in_line(
    signed_in_client: FlaskClient, session: Session, city: City, run_jobs: Callable[[], int]
) -> None:
    """7: the time that a no-show leaves goes to who waits for it."""
    space, wanted = ready_space(session, city), evening(city, 3)
    ask_to_check_in(session, city, space).since = now() - timedelta(days=1)
    missed = book(session, city, space, actor_of(session, make_person(session, city)), wanted, at=now())
    session.commit()
    day = in_days(city, 3).isoformat()
    joined = signed_in_client.post(
        f"/en/spaces/{space.id}/line",
        query_string={"start": wanted.start.isoformat(), "minutes": 60},
        data={"first": day, "opens": "18:00", "until": day, "closes": "20:00", "organisation": "myself"},
    )
    assert joined.status_code == 303
    attendance.release_all(at=wanted.start + timedelta(minutes=15))
    session.expire_all()
    assert missed.state == "no_show"
    run_jobs()
    assert session.scalars(select(WaitingEntry.state)).one() == "offered"
    assert "A time is free for you" in text_of(signed_in_client.get(joined.location))


def test_a_series_that_nobody_comes_to_keeps_no_time_from_others(
    session: Session, city: City, person: Person
) -> None:
    """7: each date of a ghost series is given up on its own, and the one that somebody came to is not."""
    space = season_space(session, city)
    ask_to_check_in(session, city, space)
    series = repeat(session, city, space, actor_of(session, person), weekly(4))
    session.commit()
    ghosts = dates_of(session, series)
    ghosts[1].checked_in_at = ghosts[1].span.start
    session.commit()
    for one in ghosts[:3]:
        attendance.release_all(at=one.span.start + timedelta(minutes=15))
    assert [one.state for one in dates_of(session, series)] == [
        "no_show",
        "confirmed",
        "no_show",
        "confirmed",
    ]
    other = actor_of(session, make_person(session, city))
    rest = Span(ghosts[2].span.start + timedelta(minutes=30), ghosts[2].span.end)
    assert book(session, city, space, other, rest, at=rest.start - timedelta(minutes=5)).state == "confirmed"


def test_the_mails_address_is_the_way_out_of_the_line(
    app: Flask, signed_in_client: FlaskClient, session: Session, city: City, run_jobs: Callable[[], int]
) -> None:
    """8: how many come is kept, and leaving needs no account's page."""
    space, wanted = ready_space(session, city), evening(city, 3)
    book(session, city, space, actor_of(session, make_person(session, city)), wanted, at=now())
    session.commit()
    day = in_days(city, 3).isoformat()
    window = {"first": day, "opens": "18:00", "until": day, "closes": "20:00"}
    joined = signed_in_client.post(
        f"/en/spaces/{space.id}/line",
        query_string={"start": wanted.start.isoformat(), "minutes": 60},
        data={**window, "organisation": "myself", "attendees": "17", "purpose": "Choir"},
    )
    entry = session.scalars(select(WaitingEntry)).one()
    assert (entry.attendees, entry.purpose, entry.state) == (17, "Choir", "waiting")
    run_jobs()
    (body,) = session.scalars(select(Mail.body_text).where(Mail.template.like("%waiting/mail/joined"))).all()
    assert joined.location.rpartition("/")[2] in body
    stranger = app.test_client()
    assert stranger.post(f"{joined.location}/leaving").status_code == 303
    session.expire_all()
    assert entry.state == "left"
    assert stranger.get(joined.location).status_code == 200


def test_a_stay_over_nights_is_one_booking_priced_by_the_day(
    signed_in_client: FlaskClient, session: Session, city: City
) -> None:
    """11: three days and the two nights between, of which nobody else gets any part."""
    rules: dict[str, Any] = {
        "whole_days": True,
        "min_minutes": 1440,
        "max_minutes": 4320,
        "interval_minutes": 1440,
    }
    space = ready_space(session, city, price=("day", 5000), hours=(time(8), time(20)), **rules)
    stay = Span(evening(city, 3, 8, 9).start, evening(city, 5, 19, 20).end)
    times = {
        name: at.astimezone(city.zone).isoformat() for name, at in (("start", stay.start), ("end", stay.end))
    }
    there = {"path": f"/en/spaces/{space.id}/booking", "query_string": times}
    assert "€150" in text_of(signed_in_client.get(**there))
    sent = signed_in_client.post(**there, data={"organisation": "myself", "submission": KEY})
    assert sent.status_code == 303
    booking = session.scalars(select(Booking)).one()
    assert (booking.span, booking.total_minor) == (stay, 15_000)
    middle = evening(city, 4, 8, 20)
    with pytest.raises(SlotTaken):
        book(session, city, space, actor_of(session, make_person(session, city)), middle, at=now())


def test_another_time_is_another_time_everywhere(
    app: Flask,
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    person: Person,
    run_jobs: Callable[[], int],
) -> None:
    """14: what was changed once is changed in the room, its equipment, the calendar, the owner's day and the mail."""
    space = ready_space(session, city)
    tables = make_extra(session, city, [space], stock=5)
    was, becomes = evening(city, 3), evening(city, 4, 10, 12)
    booking = book(
        session, city, space, actor_of(session, person), was, at=now(), details=Details(extras={tables.id: 5})
    )
    handler = make_person(session, city, language="en")
    give(session, session.get_one(Venue, (city.id, space.venue_id)), handler, "handler")
    owner = browser_of(app, session, handler)
    file = f"/en/bookings/{booking.reference}.ics"
    (before,) = Calendar.from_ical(signed_in_client.get(file).text).walk("VEVENT")
    form = {"when": becomes.start.isoformat(), "minutes": "120", "submission": KEY}
    changed = signed_in_client.post(f"/en/bookings/{booking.reference}/change", data=form)
    assert changed.status_code == 303
    session.expire_all()
    assert booking.span == becomes
    claims = session.scalars(select(Claim).where(Claim.holder_id == booking.id)).all()
    assert len(claims) == 6
    assert {(claim.during.lower, claim.during.upper) for claim in claims} == {(becomes.start, becomes.end)}
    (after,) = Calendar.from_ical(signed_in_client.get(file).text).walk("VEVENT")
    assert after["UID"] == before["UID"]
    assert after.decoded("DTSTART") == becomes.start
    assert after.decoded("SEQUENCE") > before.decoded("SEQUENCE")
    for days, seen in ((3, False), (4, True)):
        page = owner.get(f"/en/desk/timeline?day={in_days(city, days)}")
        assert (f"/en/bookings/{booking.reference}" in page.text) is seen
    assert book(
        session,
        city,
        space,
        actor_of(session, handler),
        was,
        at=now(),
        details=Details(extras={tables.id: 5}),
    )
    run_jobs()
    bodies = session.scalars(select(Mail.body_text).where(Mail.person_id == person.id)).all()
    assert any("10.00–12.00" in body.replace("\u2060", "") for body in bodies)
