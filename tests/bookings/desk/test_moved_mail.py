"""The mail about a new time, whole and in each language; and that a job that runs twice writes it once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle import jobs
from bookings.lifecycle.actions import move_booking
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.jobs.messages import Message
from marketplace.jobs.runner import in_application
from marketplace.notifications.models import Mail
from spaces.catalog.models import Venue
from tests.bookings.lifecycle.test_mails import plain
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_person

STORED = Path(__file__).parent / "mails"


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("what", ["moved", "moved_soon"])
def test_the_whole_mail(
    session: Session,
    city: City,
    owner: Organisation,
    venue: Venue,
    run_jobs: Callable[[], int],
    language: str,
    what: str,
) -> None:
    """Soon: the day of grace ends where the booking begins. Free of charge and without a message there."""
    soon = what == "moved_soon"
    manager = make_person(session, city, name="Olli Owner")
    join(session, manager, owner, "manager")
    booker = make_person(session, city, email="aino@example.org", language=language)
    space = open_space(session, city, venue, price=("free", 0) if soon else ("hour", 1800))
    booking = book(session, city, space, actor_of(session, booker), span_on(city, 18, 19.5), purpose="Sähly")
    booking.reference = "K7M2-9QXT"
    move_booking(
        session,
        city,
        booking,
        space,
        venue,
        actor=actor_of(session, manager),
        during=span_on(city, 20, 21.5),
        at=booking.span.start - timedelta(hours=2) if soon else NOW,
        note="" if soon else "Lattia vahataan aiemmin illalla.",
    )
    session.commit()
    run_jobs()
    mail = session.scalars(select(Mail).where(Mail.template == "bookings/lifecycle/mail/moved")).one()
    assert mail.state == "sent"
    assert plain(mail) == (STORED / f"{what}.{language}.txt").read_text(encoding="utf-8")


def test_the_job_may_run_twice_and_a_second_move_is_another_mail(
    session: Session, city: City, venue: Venue, app: Flask
) -> None:
    space = open_space(session, city, venue)
    booking = book(session, city, space, actor_of(session, make_person(session, city)), span_on(city, 18, 20))
    session.commit()
    facts = {
        "booking_id": booking.id,
        "was_start": booking.span.start.isoformat(),
        "was_end": booking.span.end.isoformat(),
        "note": "",
    }
    for moved_at in ("1", "1", "2"):
        with in_application() as own:
            jobs.mail_moved(own, Message("booking.moved", city.id, {**facts, "moved_at": moved_at}))
    moved = [mail for mail in session.scalars(select(Mail)) if mail.template.endswith("/moved")]
    assert len(moved) == 2
