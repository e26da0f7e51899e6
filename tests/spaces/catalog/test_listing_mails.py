"""Mails about a listing, whole and in each language; and that a job that runs twice writes them once."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.jobs.messages import Message
from marketplace.jobs.runner import in_application
from marketplace.notifications.models import Mail
from spaces.catalog import jobs
from spaces.catalog.listing_actions import approve_listing, move_listing, return_listing
from spaces.catalog.models import Space
from tests.factories.listings import make_supplier
from tests.factories.people import actor_of, make_person

STORED = Path(__file__).parent / "mails"
NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def plain(mail: Mail, space: Space) -> str:
    """The mail as it is stored for comparison: joiners and hard spaces as plain ones, the space's number as 1."""
    text = f"To: {mail.to_address}\nSubject: {mail.subject}\n\n{mail.body_text}"
    return text.replace("\u2060", "").replace("\u00a0", " ").replace(f"/spaces/{space.id}", "/spaces/1")


def story(session: Session, city: City, language: str, what: str) -> Space:
    """Let happen what sends the mail `what`."""
    supplier = make_supplier(session, city)
    supplier.person.language, supplier.person.email = language, "owner@example.org"
    supplier.organisation.name = "Laineen Verstas Oy"
    clerk = make_person(
        session, city, name="Sanna", email="staff@example.org", language=language, is_staff=True
    )
    staff: Actor = actor_of(session, clerk)
    space, venue = supplier.space, supplier.venue
    space.names = {"fi": "Verstas", "sv": "Verkstaden", "en": "The workshop"}
    venue.names = {"fi": "Laineen talo", "sv": "Laines hus", "en": "Laine house"}
    venue.streets = {"fi": "Vaasankatu 5", "sv": "Vasagatan 5"}
    session.flush()
    move_listing(session, space, venue, "submitted", actor=supplier.actor, at=NOW)
    if what == "approved":
        approve_listing(session, space, venue, actor=staff, at=LATER)
    elif what == "returned":
        return_listing(session, space, venue, reason="Kuvaus puuttuu & <b>kuva</b>.", actor=staff, at=LATER)
    session.commit()
    return space


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("what", ["submitted", "approved", "returned"])
def test_the_whole_mail(
    session: Session, city: City, run_jobs: Callable[[], int], language: str, what: str
) -> None:
    space = story(session, city, language, what)
    run_jobs()
    mail = session.scalars(select(Mail).where(Mail.template == f"spaces/catalog/mail/{what}")).one()
    assert mail.state == "sent"
    assert plain(mail, space) == (STORED / f"{what}.{language}.txt").read_text(encoding="utf-8")
    assert "<b>kuva" not in mail.body_html


def test_each_mail_goes_to_those_it_concerns(
    session: Session, city: City, run_jobs: Callable[[], int]
) -> None:
    story(session, city, "en", "returned")
    run_jobs()
    sent = {(mail.to_address, mail.template.rpartition("/")[2]) for mail in session.scalars(select(Mail))}
    assert sent == {("staff@example.org", "submitted"), ("owner@example.org", "returned")}


def test_handlers_that_run_twice_write_once(session: Session, city: City, app: Flask) -> None:
    space = story(session, city, "en", "submitted")
    message = Message("listing", city.id, {"space_id": space.id, "at": NOW.isoformat(), "reason": "x"})
    for handler in (jobs.mail_submitted, jobs.mail_approved, jobs.mail_returned) * 2:
        with in_application() as own:
            handler(own, message)
    assert len(session.scalars(select(Mail)).all()) == 3


def test_a_message_about_a_space_that_is_gone_is_no_failure(session: Session, city: City, app: Flask) -> None:
    message = Message("listing", city.id, {"space_id": 10**12, "at": "", "reason": ""})
    for handler in (jobs.mail_submitted, jobs.mail_approved, jobs.mail_returned):
        with in_application() as own:
            handler(own, message)
    assert session.scalars(select(Mail)).all() == []
