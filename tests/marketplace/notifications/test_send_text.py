"""Text messages: written once, handed over by a job, tried again, given up, and never left lying about."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.app import job_context
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications import sms
from marketplace.notifications.gateway import NoSms, SmsAway
from marketplace.notifications.gsm import segments
from marketplace.notifications.jobs import forget_old_texts
from marketplace.notifications.models import NumberCode, TextLink, TextMessage, TextNumber
from marketplace.notifications.sms import deliver_text, forget_number, render_text, send_text
from tests.factories.gateway import FakeGateway

NUMBER = "+358401234567"
TEMPLATE = "marketplace/identity/sms/code"


@pytest.fixture(autouse=True)
def by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hours are tested where they are decided; here it is always noon."""
    monkeypatch.setattr(sms, "text_at", lambda at, *, before, zone: at if at < before else None)


@pytest.fixture
def numbered(session: Session, person: Person) -> Person:
    session.add(
        TextNumber(
            city_id=person.city_id, person_id=person.id, number=NUMBER, verified_at=now(), wants_offers=True
        )
    )
    session.commit()
    return person


def write(app: Flask, session: Session, person: Person, key: str = "k", **more: object) -> TextMessage | None:
    values: dict[str, Any] = {"before": now() + timedelta(hours=1), "code": "1", "host": "x", **more}
    with job_context(app):
        sent = send_text(session, person, TEMPLATE, key=key, **values)
    session.commit()
    return sent


def deliver(written: TextMessage) -> None:
    deliver_text.func(city_id=written.city_id, text_id=written.id)


@pytest.mark.usefixtures("with_texts")
def test_a_message_is_sent_once_and_its_words_are_not_kept(
    app: Flask, session: Session, numbered: Person, gateway: FakeGateway, run_jobs: Callable[[], int]
) -> None:
    first = write(app, session, numbered)
    assert first is not None
    words = first.body
    assert write(app, session, numbered) is None, "the same key is the same message"
    assert run_jobs() == 1
    deliver(first)
    (taken,) = gateway.taken
    assert (taken.to, taken.text) == (NUMBER, words)
    session.refresh(first)
    assert (first.state, first.attempts, first.body, first.gateway_id) == ("sent", 1, "", "m-1")
    assert first.sent_at is not None


@pytest.mark.usefixtures("with_texts")
def test_a_failed_try_is_made_again_under_the_same_key(
    app: Flask, session: Session, numbered: Person, gateway: FakeGateway
) -> None:
    written = write(app, session, numbered)
    assert written is not None
    gateway.answers = [500, 429, "garbage", 200]
    for attempt in range(1, 4):
        with pytest.raises(SmsAway):
            deliver(written)
        session.refresh(written)
        assert (written.state, written.attempts) == ("queued", attempt)
    deliver(written)
    session.refresh(written)
    assert (written.state, written.attempts, written.error) == ("sent", 4, None)
    assert len({taken.key for taken in gateway.taken}) == 1
    other = write(app, session, numbered, "another")
    assert other is not None
    deliver(other)
    assert len({taken.key for taken in gateway.taken}) == 2


@pytest.mark.usefixtures("with_texts")
def test_tries_come_to_an_end(app: Flask, session: Session, numbered: Person, gateway: FakeGateway) -> None:
    written = write(app, session, numbered)
    assert written is not None
    gateway.answers = [503]
    for _ in range(8):
        with pytest.raises(SmsAway):
            deliver(written)
    deliver(written)
    session.refresh(written)
    assert (written.state, written.body, written.error) == ("failed", "", "HTTP 503")
    assert len(gateway.taken) == 8


@pytest.mark.usefixtures("with_texts")
def test_a_refusal_is_final_and_the_number_is_in_no_log(
    app: Flask,
    session: Session,
    numbered: Person,
    gateway: FakeGateway,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    written = write(app, session, numbered)
    assert written is not None
    gateway.answers, gateway.body = [400], f"unknown subscriber {NUMBER}".encode()
    deliver(written)
    session.refresh(written)
    assert (written.state, written.error, written.body) == ("failed", "HTTP 400", "")
    assert "refused a text message" in caplog.text
    assert NUMBER[4:] not in caplog.text


@pytest.mark.usefixtures("with_texts")
def test_what_is_over_or_no_longer_wanted_stays_here(
    app: Flask, session: Session, numbered: Person, gateway: FakeGateway
) -> None:
    late = write(app, session, numbered, "late", before=now() - timedelta(seconds=1))
    moved = write(app, session, numbered, "moved")
    assert late is not None
    assert moved is not None
    session.scalars(select(TextNumber)).one().number = "+358407654321"
    session.commit()
    deliver(late)
    deliver(moved)
    session.expire_all()
    assert [(t.state, t.error) for t in (late, moved)] == [
        ("dropped", "too late"),
        ("dropped", "no longer the person's number"),
    ]
    assert gateway.taken == []


@pytest.mark.usefixtures("with_texts")
def test_a_try_that_falls_into_the_night_waits_for_the_morning(
    app: Flask,
    session: Session,
    numbered: Person,
    gateway: FakeGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = write(app, session, numbered)
    assert written is not None

    def later(at: datetime, *, before: datetime, zone: object) -> datetime:
        return at + timedelta(minutes=40)

    monkeypatch.setattr(sms, "text_at", later)
    session.execute(text("DELETE FROM procrastinate_jobs"))
    session.commit()
    deliver(written)
    (planned,) = session.scalars(
        text("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'deliver_text'")
    )
    assert timedelta(minutes=38) < planned - now() <= timedelta(minutes=40)
    monkeypatch.setattr(sms, "text_at", lambda at, *, before, zone: None)
    deliver(written)
    session.refresh(written)
    assert (written.state, written.error) == ("dropped", "too late for the night")
    assert gateway.taken == []


def test_without_gateway_or_number_nothing_is_written(
    app: Flask, session: Session, numbered: Person, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(app.extensions["sms"], NoSms)
    assert write(app, session, numbered) is None
    monkeypatch.setattr(NoSms, "is_there", True)
    session.delete(session.scalars(select(TextNumber)).one())
    session.commit()
    assert write(app, session, numbered) is None
    assert session.scalars(select(TextMessage)).all() == []


@pytest.mark.usefixtures("with_texts")
def test_a_person_gets_so_many_a_day(app: Flask, session: Session, numbered: Person) -> None:
    sent = [write(app, session, numbered, f"k{number}") for number in range(22)]
    assert [text is not None for text in sent] == [True] * 20 + [False] * 2
    for text_message in session.scalars(select(TextMessage)):
        text_message.created_at = now() - timedelta(hours=25)
    session.commit()
    assert write(app, session, numbered, "tomorrow") is not None


@pytest.mark.usefixtures("with_texts")
def test_a_forgotten_number_is_nowhere_in_the_log(
    app: Flask, session: Session, numbered: Person, gateway: FakeGateway
) -> None:
    sent, waiting = write(app, session, numbered, "sent"), write(app, session, numbered, "waiting")
    assert sent is not None
    assert waiting is not None
    deliver(sent)
    forget_number(session, numbered.city_id, numbered.id, NUMBER)
    session.commit()
    session.expire_all()
    assert [(t.state, t.to_number, t.body) for t in (sent, waiting)] == [
        ("sent", "", ""),
        ("dropped", "", ""),
    ]
    deliver(waiting)
    assert len(gateway.taken) == 1


@pytest.mark.usefixtures("with_texts")
def test_everything_goes_with_the_person(app: Flask, session: Session, city: City, numbered: Person) -> None:
    write(app, session, numbered)
    at = now()
    session.add_all(
        [
            NumberCode(
                city_id=city.id, person_id=numbered.id, number=NUMBER, submission="s", tries=0,
                created_at=at, expires_at=at,
            ),
            TextLink(city_id=city.id, person_id=numbered.id, code_hash=b"x", path="/fi/", expires_at=at),
        ]
    )  # fmt: skip
    session.commit()
    session.execute(text("DELETE FROM person WHERE id = :id"), {"id": numbered.id})
    session.commit()
    for table in (TextMessage, TextNumber, NumberCode, TextLink):
        assert session.scalars(select(table)).all() == [], table


@pytest.mark.usefixtures("with_texts")
def test_old_messages_codes_and_addresses_are_dropped(
    app: Flask, session: Session, city: City, numbered: Person
) -> None:
    at = now()
    for key, age in (("old", 31), ("new", 29)):
        written = write(app, session, numbered, key)
        assert written is not None
        written.created_at = at - timedelta(days=age)
    for code_hash, until in ((b"old", at - timedelta(minutes=1)), (b"new", at + timedelta(minutes=1))):
        session.add(
            TextLink(
                city_id=city.id, person_id=numbered.id, code_hash=code_hash, path="/fi/", expires_at=until
            )
        )
    session.commit()
    forget_old_texts()
    assert session.scalars(select(TextMessage.key)).all() == ["new"]
    assert session.scalars(select(TextLink.code_hash)).all() == [b"new"]


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_code_fits_one_message_and_phones_can_read_it(app: Flask, city: City, language: str) -> None:
    """The last line is the form that phones fill in by themselves, on that very site only."""
    with job_context(app):
        written = render_text(city, language, TEMPLATE, code="123456", host="tilavaraukset.example.fi")
    assert segments(written) == 1
    assert written.splitlines()[-1] == "@tilavaraukset.example.fi #123456"
    assert "123456" in written.splitlines()[0]
