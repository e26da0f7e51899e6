"""The edges of the calendar by every way in: a right booking or a clear refusal in the reader's language, never an error
of ours, and never half of anything."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bookings.lifecycle.models import Booking, BookingExtra
from bookings.series.models import Series, SeriesSkip
from bookings.waiting.models import WaitingEntry
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span, instant
from spaces.calendar.actions import compile_spaces
from spaces.calendar.models import Claim
from spaces.catalog.models import Space, Venue
from tests.factories.bookings import book
from tests.factories.listings import give
from tests.factories.people import actor_of, make_person, sign_in
from tests.factories.spaces import make_space, make_venue

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
KEPT = (Booking, BookingExtra, Claim, Series, SeriesSkip, WaitingEntry, AuditEntry)
ROUND_THE_CLOCK = (time(0), time(0))
numbers = count()

Send = Callable[[dict[str, str]], TestResponse]


def key() -> str:
    return f"edge-submission-{next(numbers)}"


def in_days(city: City, days: int) -> date:
    return now().astimezone(city.zone).date() + timedelta(days=days)


@pytest.fixture
def space(session: Session, city: City) -> Space:
    """Open day and night, from half an hour to four hours, up to five years ahead."""
    space = make_space(
        session,
        make_venue(session, city),
        hours=ROUND_THE_CLOCK,
        min_minutes=30,
        horizon_days=1830,
        cancellation_hours=0,
    )
    opened(session, city, space, in_days(city, 3))
    return space


def opened(session: Session, city: City, space: Space, day: date) -> None:
    """Compile the months around a day."""
    compile_spaces(session, city, [space.id], first=day - 7 * DAY, last=day + 14 * DAY)
    session.commit()


@pytest.fixture
def mine(session: Session, city: City, space: Space, person: Person) -> Booking:
    """Three days from now, noon to one."""
    start = instant(in_days(city, 3), time(12), city.zone)
    booking = book(session, city, space, actor_of(session, person), Span(start, start + HOUR), at=now())
    session.commit()
    return booking


@pytest.fixture
def handler(app: Flask, session: Session, city: City, space: Space) -> FlaskClient:
    """A browser of one who handles the place."""
    person = make_person(session, city)
    give(session, session.get_one(Venue, (city.id, space.venue_id)), person, "handler")
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    return client


def whole_state(session: Session) -> list[int]:
    """How much there is of everything that booking writes, and of what it asks to be done later."""
    session.expire_all()
    counted = [session.scalar(select(func.count()).select_from(table)) or 0 for table in KEPT]
    return [*counted, session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0]


def is_told(client: FlaskClient, answer: TestResponse) -> None:
    """A page of ours that refuses in Swedish; or the way back to the space, for an address that says no time at all; or
    the way to a checkout that refuses."""
    if answer.status_code in (302, 303):
        there = re.fullmatch(r"/sv/spaces/\d+(/booking)?(\?.*)?", answer.location)
        assert there, answer.location
        if there[1]:
            is_told(client, client.get(answer.location))
        return
    assert 400 <= answer.status_code < 500, answer.status
    assert answer.mimetype == "text/html"
    assert '<html lang="sv"' in answer.text or not answer.text.lstrip().startswith("<!doctype")


# The ways in that name a time by `start` and `minutes` or `end`.
WAYS = (
    "checkout page",
    "checkout",
    "one press",
    "hold",
    "series page",
    "series",
    "line page",
    "line",
    "change",
)


def ways(client: FlaskClient, space: Space, booking: Booking, lang: str) -> dict[str, Send]:
    """Each way in as a function of what names the time."""
    there = f"/{lang}/spaces/{space.id}"
    day = booking.span.start.date().isoformat()
    window = {"first": day, "opens": "08:00", "until": day, "closes": "20:00", "organisation": "myself"}
    series = {"pattern": "weekly:1", "ends": "times", "times": "2", "organisation": "myself", "mode": "rest"}

    def change(when: dict[str, str]) -> TestResponse:
        data = {"when": when.get("start", ""), "minutes": when.get("minutes", ""), "submission": key()}
        return client.post(f"/{lang}/bookings/{booking.reference}/change", data=data)

    return {
        "checkout page": lambda when: client.get(f"{there}/booking", query_string=when),
        "checkout": lambda when: client.post(
            f"{there}/booking", query_string=when, data={"organisation": "myself", "submission": key()}
        ),
        "one press": lambda when: client.post(f"{there}/quick-booking", data={**when, "submission": key()}),
        "hold": lambda when: client.post(f"{there}/hold", query_string=when, data={"submission": key()}),
        "series page": lambda when: client.get(f"{there}/series", query_string=when),
        "series": lambda when: client.post(
            f"{there}/series", query_string=when, data={**series, "submission": key()}
        ),
        "line page": lambda when: client.get(f"{there}/line", query_string=when),
        "line": lambda when: client.post(f"{there}/line", query_string=when, data=window),
        "change": change,
    }


UNREADABLE: dict[str, dict[str, str]] = {
    "nothing": {},
    "zero length": {"start": "{day}T18:00:00+02:00", "end": "{day}T18:00:00+02:00"},
    "zero minutes": {"start": "{day}T18:00:00+02:00", "minutes": "0"},
    "reversed": {"start": "{day}T18:00:00+02:00", "end": "{day}T17:00:00+02:00"},
    "less than nothing": {"start": "{day}T18:00:00+02:00", "minutes": "-60"},
    "a microsecond": {"start": "{day}T18:00:00.000001+02:00", "minutes": "60"},
    "ends at a microsecond": {"start": "{day}T18:00:00+02:00", "end": "{day}T19:00:00.000001+02:00"},
    "no offset": {"start": "{day}T18:00:00", "minutes": "60"},
    "an absurd offset": {"start": "{day}T18:00:00+99:99", "minutes": "60"},
    "hour 24": {"start": "{day}T24:00:00+02:00", "minutes": "60"},
    "minute 60": {"start": "{day}T18:60:00+02:00", "minutes": "60"},
    "30 February": {"start": "2028-02-30T18:00:00+02:00", "minutes": "60"},
    "29 February of another year": {"start": "2027-02-29T18:00:00+02:00", "minutes": "60"},
    "year 1": {"start": "0001-01-01T00:00:00+02:00", "minutes": "60"},
    "year 0": {"start": "0000-01-01T00:00:00+02:00", "minutes": "60"},
    "year 9999": {"start": "9999-12-01T18:00:00+02:00", "minutes": "60"},
    "the last minute of all": {"start": "9999-12-31T23:59:00-12:00", "minutes": "99999"},
    "until year 9999": {"start": "{day}T18:00:00+02:00", "end": "9999-12-31T23:59:00+02:00"},
    "an endless number": {"start": "{day}T18:00:00+02:00", "minutes": "9" * 400},
    "other digits": {"start": "{day}T18:00:00+02:00", "minutes": "６０"},
    "a null byte": {"start": "{day}T18:00:00+02:00\x00", "minutes": "60"},
}
# Read, and refused by the space's rules.
REFUSED: dict[str, dict[str, str]] = {
    "a second": {"start": "{day}T18:00:01+02:00", "minutes": "60"},
    "a minute": {"start": "{day}T18:01:00+02:00", "minutes": "60"},
    "an odd length": {"start": "{day}T18:00:00+02:00", "minutes": "61"},
    "a minute long": {"start": "{day}T18:00:00+02:00", "minutes": "1"},
    "two months": {"start": "{day}T18:00:00+02:00", "minutes": "89280"},
    "the past": {"start": "{past}T18:00:00+02:00", "minutes": "60"},
    "beyond the horizon": {"start": "{beyond}T18:00:00+02:00", "minutes": "60"},
    "nine years ahead": {"start": "{far}T18:00:00+02:00", "minutes": "60"},
}


def filled(case: dict[str, str], city: City) -> dict[str, str]:
    days = {"day": 4, "past": -2, "beyond": 1832, "far": 9 * 365}
    texts = {name: in_days(city, ahead).isoformat() for name, ahead in days.items()}
    return {name: value.format(**texts) for name, value in case.items()}


# A change without a length keeps the length it has, and its fields leave control characters out.
KEEPS_ITS_LENGTH = {"nothing", "zero length", "zero minutes", "reversed", "less than nothing", "other digits"}
READ_BY_A_CHANGE = {
    *KEEPS_ITS_LENGTH,
    "ends at a microsecond",
    "until year 9999",
    "an endless number",
    "a null byte",
}


@pytest.mark.parametrize(
    ("way", "case"),
    [(way, case) for way in WAYS for case in UNREADABLE if way != "change" or case not in READ_BY_A_CHANGE],
)
def test_what_names_no_time_is_told_and_changes_nothing(
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    space: Space,
    mine: Booking,
    way: str,
    case: str,
) -> None:
    before, span = whole_state(session), mine.span
    is_told(signed_in_client, ways(signed_in_client, space, mine, "sv")[way](filled(UNREADABLE[case], city)))
    assert whole_state(session) == before
    assert mine.span == span


@pytest.mark.parametrize(
    ("way", "case"),
    [
        *((way, case) for way in ("checkout page", "checkout", "one press", "hold") for case in REFUSED),
        # A series leaves out the date that is past, and says so.
        *(("series", case) for case in REFUSED if case != "the past"),
        # A change takes the length that is sold nearest to what was asked.
        *(
            ("change", case)
            for case in REFUSED
            if case not in {"an odd length", "a minute long", "two months"}
        ),
    ],
)
def test_what_the_rules_refuse_is_told_and_changes_nothing(
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    space: Space,
    mine: Booking,
    way: str,
    case: str,
) -> None:
    before, span = whole_state(session), mine.span
    answer = ways(signed_in_client, space, mine, "sv")[way](filled(REFUSED[case], city))
    if way == "hold":
        # The line of the checkout that says why; htmx puts it in whatever the status.
        assert 400 <= answer.status_code < 500
    else:
        is_told(signed_in_client, answer)
    assert whole_state(session) == before
    assert mine.span == span


SAID = {
    "fi": "Osoitteessa olevaa aikaa ei voitu lukea.",
    "sv": "Tiden i adressen gick inte att läsa.",
    "en": "We could not read the time in this address.",
}


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_the_refusal_is_in_the_readers_language(
    signed_in_client: FlaskClient, city: City, space: Space, mine: Booking, lang: str
) -> None:
    said = SAID[lang]
    for way in ("checkout page", "checkout", "one press", "hold"):
        for case in ("reversed", "year 9999"):
            answer = ways(signed_in_client, space, mine, lang)[way](filled(UNREADABLE[case], city))
            assert said in answer.text, (way, case)


DESK_REFUSED: dict[str, dict[str, str]] = {
    "hour 24": {"clock": "24.00", "ends": "24.30"},
    "minute 60": {"clock": "18.60", "ends": "19.00"},
    "microseconds": {"clock": "18:00:00.000001", "ends": "19.00"},
    "no such day": {"on": "2027-02-29", "clock": "18.00", "ends": "19.00"},
    "year 9999": {"on": "9999-12-31", "clock": "23.00", "ends": "1.00"},
    "year 1": {"on": "0001-01-01", "clock": "0.00", "ends": "1.00"},
    "nine years ahead": {"on": "{far}", "clock": "18.00", "ends": "19.00"},
    "the past": {"on": "{past}", "clock": "18.00", "ends": "19.00"},
    "nothing": {"on": "", "clock": "", "ends": ""},
}


@pytest.mark.parametrize("case", DESK_REFUSED)
def test_the_desks_forms_tell_and_change_nothing(
    handler: FlaskClient, session: Session, city: City, space: Space, mine: Booking, case: str
) -> None:
    asked = filled({"on": "{day}", **DESK_REFUSED[case]}, city)
    before, span = whole_state(session), mine.span
    data = {"email": "kunde@example.org", "name": "En kund", "language": "sv", "submission": key(), **asked}
    is_told(handler, handler.post(f"/sv/desk/spaces/{space.id}/booking", data=data))
    place = f"/sv/desk/bookings/{mine.reference}/time"
    is_told(handler, handler.post(place, data={"on": asked["on"], "clock": asked["clock"]}))
    assert whole_state(session) == before
    assert mine.span == span


@pytest.mark.parametrize(("clock", "ends"), [("18.00", "18.00"), ("0.30", "0.30")])
def test_no_time_at_all_is_not_a_day_and_a_night(
    handler: FlaskClient, session: Session, city: City, space: Space, clock: str, ends: str
) -> None:
    before, day = whole_state(session), in_days(city, 4).isoformat()
    data = {"email": "kund@example.org", "name": "Kund", "language": "sv", "submission": key(), "on": day}
    answer = handler.post(f"/en/desk/spaces/{space.id}/booking", data={**data, "clock": clock, "ends": ends})
    assert answer.status_code == 422
    assert "There is no time between these clock times on this day." in answer.text
    assert whole_state(session) == before


LINE_REFUSED: dict[str, dict[str, str]] = {
    "zero length": {"first": "{day}", "opens": "18:00", "until": "{day}", "closes": "18:00"},
    "reversed": {"first": "{day}", "opens": "18:00", "until": "{day}", "closes": "17:00"},
    "days reversed": {"first": "{day}", "opens": "18:00", "until": "{past}", "closes": "19:00"},
    "shorter than the time": {"first": "{day}", "opens": "18:00", "until": "{day}", "closes": "18:01"},
    "the past": {"first": "{past}", "opens": "17:00", "until": "{past}", "closes": "19:00"},
    "beyond the horizon": {"first": "{beyond}", "opens": "17:00", "until": "{beyond}", "closes": "19:00"},
    "year 9999": {"first": "9999-12-31", "opens": "17:00", "until": "9999-12-31", "closes": "19:00"},
    "year 1": {"first": "0001-01-01", "opens": "00:00", "until": "0001-01-01", "closes": "02:00"},
    "no such day": {"first": "2027-02-29", "opens": "17:00", "until": "2027-02-29", "closes": "19:00"},
    "an offset": {"first": "{day}", "opens": "17:00+14:00", "until": "{day}", "closes": "19:00-14:00"},
    "ten years": {"first": "{day}", "opens": "17:00", "until": "{far}", "closes": "19:00"},
    "nothing": {},
}


@pytest.mark.parametrize("case", LINE_REFUSED)
def test_a_window_that_is_none_joins_no_line(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, case: str
) -> None:
    other = actor_of(session, make_person(session, city))
    start = instant(in_days(city, 4), time(18), city.zone)
    book(session, city, space, other, Span(start, start + HOUR), at=now())
    session.commit()
    before = whole_state(session)
    answer = signed_in_client.post(
        f"/sv/spaces/{space.id}/line",
        query_string={"start": start.isoformat(), "minutes": "60"},
        data={"organisation": "myself", **filled(LINE_REFUSED[case], city)},
    )
    is_told(signed_in_client, answer)
    assert answer.status_code == 422
    assert whole_state(session) == before


def changes(city: City) -> Iterator[date]:
    """The next spring and autumn days on which the city's clocks change."""
    day = in_days(city, 2)
    for ahead in range(366):
        one = day + ahead * DAY
        midnights = [instant(one + n * DAY, time(0), city.zone) for n in (0, 1)]
        if midnights[1] - midnights[0] != DAY:
            yield one


def spring(city: City) -> date:
    return next(day for day in changes(city) if day.month < 7)


def autumn(city: City) -> date:
    return next(day for day in changes(city) if day.month > 7)


def leap_day(city: City) -> date:
    year = next(
        y for y in range(in_days(city, 2).year, 2100) if y % 4 == 0 and date(y, 2, 29) > in_days(city, 2)
    )
    return date(year, 2, 29)


def new_year(city: City) -> date:
    return date(in_days(city, 2).year, 12, 31)


def at_utc(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


# The day, the start in UTC, the minutes, and the hours that the pages say.
EDGES: dict[str, tuple[Callable[[City], date], tuple[int, int], int, str]] = {
    "over the spring gap": (spring, (0, 30), 60, "2.30–4.30"),
    "up to the spring gap": (spring, (0, 0), 60, "2.00–4.00"),
    "from the spring gap": (spring, (1, 0), 60, "4.00–5.00"),
    "the repeated hour, the first time": (autumn, (0, 0), 60, "3.00–3.00"),
    "the repeated hour, the second time": (autumn, (1, 0), 60, "3.00–4.00"),
    "both repeated hours": (autumn, (0, 0), 120, "3.00–4.00"),
    "leap day": (leap_day, (16, 0), 120, "18.00–20.00"),
    "into leap day's end": (leap_day, (21, 0), 60, "23.00–0.00"),
    "over the year's end": (new_year, (21, 0), 120, "23.00–1.00"),
}


@pytest.mark.parametrize("way", ["checkout", "one press", "hold", "series", "change"])
@pytest.mark.parametrize("edge", EDGES)
def test_an_odd_hour_of_the_calendar_is_booked_as_it_was_asked(
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    space: Space,
    mine: Booking,
    way: str,
    edge: str,
) -> None:
    day_of, (hour, minute), minutes, said = EDGES[edge]
    day = day_of(city)
    opened(session, city, space, day)
    wanted = Span(at_utc(day, hour, minute), at_utc(day, hour, minute) + timedelta(minutes=minutes))
    when = {"start": wanted.start.astimezone(city.zone).isoformat(), "minutes": str(minutes)}
    answer = ways(signed_in_client, space, mine, "en")[way](when)
    assert answer.status_code == (200 if way == "hold" else 303), answer.text
    session.expire_all()
    if way == "change":
        made = mine
    else:
        made = session.scalars(
            select(Booking).where(Booking.id != mine.id).order_by(Booking.during).limit(1)
        ).one()
    first_hour = edge == "the repeated hour, the second time" and way == "series"
    # A series goes by the clock on the wall, and the clock's first such hour is the one it means.
    assert made.span == (Span(wanted.start - HOUR, wanted.end - HOUR) if first_hour else wanted)
    assert made.state == ("held" if way == "hold" else "confirmed")
    claimed = session.scalars(select(Claim).where(Claim.holder_id == made.id)).one()
    assert (claimed.during.lower, claimed.during.upper) == (made.span.start, made.span.end)
    if way in {"checkout", "one press", "change"}:
        page = re.sub(r"[\u2060\u00a0]", "", signed_in_client.get(answer.location).text)
        assert said in page
        assert made.total_minor == round(2000 * minutes / 60)


def test_the_repeated_hour_belongs_to_two(
    app: Flask, signed_in_client: FlaskClient, session: Session, city: City, space: Space, mine: Booking
) -> None:
    """3.00 in summer time and 3.00 in winter time are two times, and one of them taken leaves the other."""
    day = autumn(city)
    opened(session, city, space, day)
    other = app.test_client()
    sign_in(session, other, make_person(session, city))
    session.commit()
    for offset, client in (("+03:00", signed_in_client), ("+02:00", other)):
        when = {"start": f"{day}T03:00:00{offset}", "minutes": "60"}
        assert ways(client, space, mine, "en")["checkout"](when).status_code == 303
    for offset in ("+03:00", "+02:00"):
        when = {"start": f"{day}T03:00:00{offset}", "minutes": "60"}
        assert ways(other, space, mine, "en")["checkout"](when).status_code == 409


@pytest.mark.parametrize(
    ("day_of", "clock", "ends", "start", "minutes"),
    [
        (spring, "2.30", "4.30", (0, 30), 60),
        (spring, "3.30", "5.00", (1, 0), 60),  # the hour that the clocks leave out begins when they jump
        (autumn, "3.00", "4.00", (0, 0), 120),
        (leap_day, "18.00", "20.00", (16, 0), 120),
        (leap_day, "23.00", "0.00", (21, 0), 60),
        (new_year, "23.00", "1.00", (21, 0), 120),
    ],
)
def test_the_desk_writes_down_what_the_clock_on_the_wall_says(
    handler: FlaskClient,
    session: Session,
    city: City,
    space: Space,
    mine: Booking,
    day_of: Callable[[City], date],
    clock: str,
    ends: str,
    start: tuple[int, int],
    minutes: int,
) -> None:
    day = day_of(city)
    opened(session, city, space, day)
    data = {
        "email": "kund@example.org",
        "name": "Kund",
        "language": "sv",
        "submission": key(),
        "on": day.isoformat(),
    }
    answer = handler.post(f"/en/desk/spaces/{space.id}/booking", data={**data, "clock": clock, "ends": ends})
    assert answer.status_code == 303, answer.text
    made = session.scalars(select(Booking).where(Booking.id != mine.id)).one()
    assert made.span == Span(at_utc(day, *start), at_utc(day, *start) + timedelta(minutes=minutes))
    moved = handler.post(
        f"/en/desk/bookings/{mine.reference}/time", data={"on": day.isoformat(), "clock": "12.00"}
    )
    assert moved.status_code == 303
    session.expire_all()
    assert mine.span == Span(instant(day, time(12), city.zone), instant(day, time(13), city.zone))


def test_an_hour_that_the_clocks_leave_out_is_no_time(
    handler: FlaskClient, session: Session, city: City, space: Space, mine: Booking
) -> None:
    day = spring(city)
    opened(session, city, space, day)
    before = whole_state(session)
    data = {
        "email": "kund@example.org",
        "name": "Kund",
        "language": "sv",
        "submission": key(),
        "on": day.isoformat(),
    }
    answer = handler.post(
        f"/en/desk/spaces/{space.id}/booking", data={**data, "clock": "3.00", "ends": "3.30"}
    )
    assert answer.status_code == 422
    assert "There is no time between these clock times on this day." in answer.text
    assert whole_state(session) == before


@pytest.mark.parametrize("edge", [spring, autumn, leap_day, new_year])
def test_waiting_for_an_odd_hour(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, edge: Callable[[City], date]
) -> None:
    day = edge(city)
    opened(session, city, space, day)
    other = actor_of(session, make_person(session, city))
    taken = Span(instant(day, time(2), city.zone), instant(day, time(5), city.zone))
    book(session, city, space, other, taken, at=now())
    session.commit()
    window = {"first": day.isoformat(), "opens": "02:30", "until": day.isoformat(), "closes": "04:30"}
    answer = signed_in_client.post(
        f"/en/spaces/{space.id}/line",
        query_string={"start": taken.start.astimezone(city.zone).isoformat(), "minutes": "60"},
        data={"organisation": "myself", **window},
    )
    assert answer.status_code == 303
    entry = session.scalars(select(WaitingEntry)).one()
    assert entry.window == Span(instant(day, time(2, 30), city.zone), instant(day, time(4, 30), city.zone))
    assert signed_in_client.get(answer.location).status_code == 200


@pytest.mark.parametrize("way", ["checkout", "one press", "hold", "change"])
def test_the_last_day_of_the_horizon_is_bookable(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, mine: Booking, way: str
) -> None:
    space.horizon_days = 30
    opened(session, city, space, in_days(city, 30))
    start = instant(in_days(city, 30), time(18), city.zone).isoformat()
    answer = ways(signed_in_client, space, mine, "en")[way]({"start": start, "minutes": "60"})
    assert answer.status_code == (200 if way == "hold" else 303)
    before = whole_state(session)
    # Two days on, so that midnight may pass meanwhile.
    late = instant(in_days(city, 32), time(18), city.zone).isoformat()
    refused = ways(signed_in_client, space, mine, "en")[way]({"start": late, "minutes": "60"})
    assert 400 <= refused.status_code < 500
    assert whole_state(session) == before


def test_a_series_over_odd_days_keeps_the_clock_on_the_wall(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, mine: Booking
) -> None:
    """From the week before a change of the clocks to the week after it, and the hour that is left out is told."""
    day = spring(city)
    compile_spaces(session, city, [space.id], first=day - 14 * DAY, last=day + 21 * DAY)
    session.commit()
    start = instant(day - 7 * DAY, time(18), city.zone)
    when = {"start": start.astimezone(city.zone).isoformat(), "minutes": "60"}
    sent = signed_in_client.post(
        f"/en/spaces/{space.id}/series",
        query_string=when,
        data={
            "pattern": "weekly:1", "ends": "times", "times": "3", "organisation": "myself", "mode": "all",
            "submission": key(),
        },
    )  # fmt: skip
    assert sent.status_code == 303
    dates = session.scalars(
        select(Booking).where(Booking.series_id.is_not(None)).order_by(Booking.during)
    ).all()
    assert [one.span.start.astimezone(city.zone).hour for one in dates] == [18, 18, 18]
    assert dates[1].span.start - dates[0].span.start == 7 * DAY - HOUR
