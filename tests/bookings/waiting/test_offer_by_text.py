"""The offer of the waiting list by text message: to who wants it, by day, while it stands, in two segments at the most."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.models import Booking
from bookings.waiting import jobs
from bookings.waiting.actions import leave_line, offer_next
from bookings.waiting.models import WaitingEntry
from marketplace.accounts.models import Person
from marketplace.app import job_context
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.jobs.messages import Message
from marketplace.notifications import sms
from marketplace.notifications.gateway import HttpGateway
from marketplace.notifications.gsm import segments
from marketplace.notifications.models import Mail, TextMessage, TextNumber
from marketplace.notifications.sms import render_text
from tests.bookings.waiting.test_line import join, space_of
from tests.factories.bookings import book, open_space, span_on
from tests.factories.gateway import TOKEN, FakeGateway, fake_gateway
from tests.factories.people import actor_of, make_person

NUMBER = "+358401234567"
HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.fixture
def gateway(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    with fake_gateway() as gateway:
        monkeypatch.setitem(
            app.extensions, "sms", HttpGateway(gateway.url, token=TOKEN, sender="Tilaa", seconds=2)
        )
        yield gateway


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta | None], None]:
    """Say when a message leaves: by and by (zero is at once), or None for never. The hours themselves are tested where
    they are decided."""

    def decide(wait: timedelta | None) -> None:
        def leaves(at: datetime, *, before: datetime, zone: ZoneInfo) -> datetime | None:
            assert zone == HELSINKI
            return None if wait is None else at + wait

        for module in (jobs, sms):
            monkeypatch.setattr(module, "text_at", leaves)

    decide(timedelta(0))
    return decide


def in_a_week() -> date:
    """Jobs ask the clock, so this day is told from it."""
    return (now() + timedelta(days=7)).date()


@pytest.fixture
def taken(session: Session, city: City) -> Booking:
    """A space that somebody has from 18 to 22."""
    day = in_a_week()
    space = open_space(session, city, cancellation_hours=0, first=day, last=day)
    owner = actor_of(session, make_person(session, city))
    return book(session, city, space, owner, span_on(city, 18, 22, day=day), at=now())


@pytest.fixture
def entry(session: Session, city: City, taken: Booking, person: Person) -> WaitingEntry:
    """The person stands in line for what somebody has; they have a number and want offers there."""
    session.add(
        TextNumber(city_id=city.id, person_id=person.id, number=NUMBER, verified_at=now(), wants_offers=True)
    )
    mine = actor_of(session, person)
    window = span_on(city, 18, 20, day=in_a_week())
    entry = join(session, city, space_of(session, taken), mine, window, at=now())
    session.commit()
    return entry


def offer_it(session: Session, city: City, taken: Booking) -> WaitingEntry:
    """Free the time and offer it now, so that the offer stands while the jobs run."""
    owner = session.get_one(Person, (city.id, taken.person_id))
    cancel_booking(session, city, taken, actor=actor_of(session, owner), at=now())
    offered = offer_next(session, city, None, at=now())
    assert offered is not None
    session.commit()
    return offered


@pytest.mark.usefixtures("ring")
def test_the_message_has_an_address_where_one_press_takes_the_offer(
    client: FlaskClient,
    session: Session,
    city: City,
    taken: Booking,
    entry: WaitingEntry,
    gateway: FakeGateway,
    run_jobs: Callable[[], int],
) -> None:
    offer_it(session, city, taken)
    run_jobs()
    (message,) = gateway.taken
    assert message.to == NUMBER
    assert "18.00-20.00" in message.text
    address = re.search(r"https?://[^/\s]+(/fi/t/\w{10})$", message.text)
    assert address is not None
    page = client.get(address[1]).location
    assert page.startswith("/fi/line/")
    # Looking does nothing: a phone looks by itself.
    assert client.get(page).status_code == 200
    session.expire_all()
    assert session.get_one(WaitingEntry, (city.id, entry.id)).state == "offered"
    assert client.post(f"{page}/booking").status_code == 303
    session.expire_all()
    assert session.get_one(WaitingEntry, (city.id, entry.id)).state == "booked"
    assert {mail.template.rpartition("/")[2] for mail in session.scalars(select(Mail))} >= {"offered"}


@pytest.mark.usefixtures("ring")
def test_the_message_is_written_once_however_often_the_job_runs(
    app: Flask,
    session: Session,
    city: City,
    taken: Booking,
    entry: WaitingEntry,
    gateway: FakeGateway,
    run_jobs: Callable[[], int],
) -> None:
    offered = offer_it(session, city, taken)
    run_jobs()
    news = Message("waiting.offered", city.id, {"entry_id": offered.id, "booking_id": offered.booking_id})
    with job_context(app):
        jobs.text_offered(session, news)
        jobs.text_offered(session, news)
    session.commit()
    run_jobs()
    assert len(gateway.taken) == 1


@pytest.mark.parametrize("why", ["unwanted", "no number", "no gateway", "night"])
def test_mail_alone_tells_who_has_no_use_for_a_text(
    app: Flask,
    session: Session,
    city: City,
    taken: Booking,
    entry: WaitingEntry,
    gateway: FakeGateway,
    ring: Callable[[timedelta | None], None],
    run_jobs: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    own = session.scalars(select(TextNumber)).one()
    if why == "unwanted":
        own.wants_offers = False
    elif why == "no number":
        session.delete(own)
    elif why == "no gateway":
        monkeypatch.setattr(HttpGateway, "is_there", False)
    else:
        ring(None)
    session.commit()
    offer_it(session, city, taken)
    run_jobs()
    assert gateway.taken == []
    assert session.scalars(select(TextMessage)).all() == []
    assert "offered" in {mail.template.rpartition("/")[2] for mail in session.scalars(select(Mail))}


def planned(session: Session) -> list[datetime]:
    return list(
        session.scalars(
            text(
                "SELECT scheduled_at FROM procrastinate_jobs WHERE status = 'todo'"
                " AND args ->> 'name' = 'waiting.text_due'"
            )
        )
    )


def morning_comes(session: Session) -> None:
    session.execute(
        text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE args ->> 'name' = 'waiting.text_due'")
    )
    session.commit()


def test_at_night_it_waits_for_the_morning_once(
    app: Flask,
    session: Session,
    city: City,
    taken: Booking,
    entry: WaitingEntry,
    gateway: FakeGateway,
    ring: Callable[[timedelta | None], None],
    run_jobs: Callable[[], int],
) -> None:
    ring(timedelta(hours=3))
    offered = offer_it(session, city, taken)
    run_jobs()
    news = Message("waiting.offered", city.id, {"entry_id": offered.id, "booking_id": offered.booking_id})
    with job_context(app):
        jobs.text_offered(session, news)
    session.commit()
    (at,) = planned(session)
    assert timedelta(hours=2, minutes=58) < at - now() <= timedelta(hours=3)
    assert gateway.taken == []
    ring(timedelta(0))
    morning_comes(session)
    run_jobs()
    assert len(gateway.taken) == 1


def test_what_was_answered_in_the_night_is_not_told_in_the_morning(
    session: Session,
    city: City,
    taken: Booking,
    person: Person,
    entry: WaitingEntry,
    gateway: FakeGateway,
    ring: Callable[[timedelta | None], None],
    run_jobs: Callable[[], int],
) -> None:
    ring(timedelta(hours=3))
    offered = offer_it(session, city, taken)
    run_jobs()
    leave_line(session, offered, actor=actor_of(session, person), at=now())
    session.commit()
    ring(timedelta(0))
    morning_comes(session)
    run_jobs()
    assert gateway.taken == []


LONG_PLACE = (
    "Itä-Helsingin kulttuuri- ja monitoimikeskus Stoa, Åströmin ryhmätyötila €[A] (”pieni sali” – 2. krs) "
    * 3
)


@pytest.mark.parametrize("place", ["Stoa, Sali 1", LONG_PLACE, "Зал " * 60, "€" * 300, ""])
@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_two_segments_are_the_most_and_the_address_is_whole(
    app: Flask, city: City, language: str, place: str
) -> None:
    """With the longest days, over midnight, of a long host name."""
    address = f"https://tilavaraukset.hyvinvointikuntayhtyma.example.fi/{language}/t/AbCdEfGh23"
    start = datetime(2026, 12, 31, 22, 30, tzinfo=HELSINKI)
    with job_context(app):
        written = render_text(
            city,
            language,
            "bookings/waiting/sms/offered",
            place=place,
            address=address,
            offered_start=start,
            offered_end=start + timedelta(hours=24),
            until=start - timedelta(hours=1),
        )
    assert segments(written) <= 2
    assert written.endswith(address)
    assert "\n" not in written
    if place == "Stoa, Sali 1":
        assert place in written
        assert "?" not in written
    if place == LONG_PLACE:
        assert "Åströmin ryhmätyötila" in written, "å and ä are letters of text messages"
        assert "..., " in written


WHOLE = {
    "fi": "Tilaa: odottamasi aika on vapaa. Stoa, Sali 1, ti 24.11. klo 18.00-20.00."
    " Varattuna sinulle ti 24.11. klo 14.00 asti. Varaa: https://x.fi/fi/t/AbCdEfGh23",
    "sv": "Tilaa: tiden du väntar på är ledig. Stoa, Sali 1, tis 24.11 kl. 18.00-20.00."
    " Reserverad för dig till tis 24.11 kl. 14.00. Boka: https://x.fi/sv/t/AbCdEfGh23",
    "en": "Tilaa: the time you wait for is free. Stoa, Sali 1, Tue 24 Nov, 18.00-20.00."
    " Held for you until Tue 24 Nov at 14.00. Book: https://x.fi/en/t/AbCdEfGh23",
}


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_message_whole(app: Flask, city: City, language: str) -> None:
    day = datetime(2026, 11, 24, tzinfo=HELSINKI)
    with job_context(app):
        written = render_text(
            city,
            language,
            "bookings/waiting/sms/offered",
            place="Stoa, Sali 1",
            address=f"https://x.fi/{language}/t/AbCdEfGh23",
            offered_start=day.replace(hour=18),
            offered_end=day.replace(hour=20),
            until=day.replace(hour=14),
        )
    assert written == WHOLE[language]
