"""Mails about a booking, whole and in each language; and that a job that runs twice writes them once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle import jobs
from bookings.lifecycle.actions import (
    approve_booking,
    cancel_booking,
    decline_booking,
    displace_booking,
    expire_request,
)
from bookings.lifecycle.change_actions import Change, change_booking
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import booked_space_of_id
from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.jobs.runner import in_application
from marketplace.notifications.models import Mail
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_venue

STORED = Path(__file__).parent / "mails"
LANGUAGES = ("fi", "sv", "en")


def plain(mail: Mail) -> str:
    """The mail as it is stored for comparison: joiners and hard spaces as plain ones."""
    text = f"To: {mail.to_address}\nSubject: {mail.subject}\n\n{mail.body_text}"
    return text.replace("\u2060", "").replace("\u00a0", " ")


def story(session: Session, city: City, language: str, what: str) -> Booking:
    """Let happen what sends the mail `what`."""
    owner = make_organisation(session, city, name="Nuorisopalvelut", kind="city_division")
    manager = make_person(session, city, name="Olli Owner", email="owner@example.org", language=language)
    join(session, manager, owner, "manager")
    venue = make_venue(session, city, owner=owner)
    association = make_organisation(session, city, name="Kallion Juniorit ry")
    booker = make_person(session, city, name="Aino Korhonen", email="aino@example.org", language=language)
    join(session, booker, association)
    actor, desk = actor_of(session, booker), actor_of(session, manager)
    instant = what in {"confirmed", "confirmed_free", "cancelled", "cancelled_late", "changed", "displaced"}
    space = open_space(
        session,
        city,
        venue,
        approval="instant" if instant else "handler",
        price=("free", 0) if what == "confirmed_free" else ("hour", 1800),
        instructions={
            "fi": "Avain on aulassa.",
            "sv": "Nyckeln finns i aulan.",
            "en": "The key is in the hall.",
        },
    )
    booking = book(
        session,
        city,
        space,
        actor,
        span_on(city, 18, 19.5),
        purpose="Sählyharjoitus, P12",
        attendees=12,
        organisation_id=None if what == "confirmed_free" else association.id,
    )
    booking.reference = "K7M2-9QXT"
    if what == "cancelled":
        cancel_booking(session, city, booking, actor=actor, at=booking.cancel_free_until)
    elif what == "cancelled_late":
        cancel_booking(session, city, booking, actor=actor, at=booking.span.start - timedelta(hours=3))
    elif what == "changed":
        wanted = Change(space, span_on(city, 19, 21), 14)
        change_booking(session, city, booking, wanted, actor=actor, at=NOW, submission="change-of-mine")
    elif what == "approved":
        approve_booking(session, city, booking, venue, actor=desk, at=NOW)
    elif what == "declined":
        decline_booking(session, city, booking, venue, actor=desk, reason="Lattia vahataan.", at=NOW)
    elif what == "displaced":
        reasons = {"fi": "Lattia lakataan.", "sv": "Golvet lackas.", "en": "The floor is varnished."}
        displace_booking(session, city, booking, venue, actor=desk, reasons=reasons, at=NOW)
    elif what == "expired":
        expire_request(session, city.id, at=booking.span.start)
    session.commit()
    return booking


TEMPLATE_OF = {
    "confirmed": "confirmed",
    "confirmed_free": "confirmed",
    "approved": "confirmed",
    "requested": "requested",
    "new_request": "new_request",
    "cancelled": "cancelled",
    "cancelled_late": "cancelled",
    "declined": "declined",
    "displaced": "displaced",
    "expired": "expired",
    "changed": "changed",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", TEMPLATE_OF)
def test_the_whole_mail(
    session: Session, city: City, run_jobs: Callable[[], int], language: str, what: str
) -> None:
    story(session, city, language, what)
    run_jobs()
    mail = session.scalars(
        select(Mail).where(Mail.template == f"bookings/lifecycle/mail/{TEMPLATE_OF[what]}")
    ).one()
    assert mail.state == "sent"
    stored = STORED / f"{what}.{language}.txt"
    assert plain(mail) == stored.read_text(encoding="utf-8")


def test_each_mail_goes_to_those_it_concerns(
    session: Session, city: City, run_jobs: Callable[[], int]
) -> None:
    story(session, city, "en", "declined")
    run_jobs()
    sent = {(mail.to_address, mail.template.rpartition("/")[2]) for mail in session.scalars(select(Mail))}
    assert sent == {
        ("aino@example.org", "requested"),
        ("owner@example.org", "new_request"),
        ("aino@example.org", "declined"),
    }


def test_handlers_that_run_twice_write_once(session: Session, city: City, app: Flask) -> None:
    booking = story(session, city, "en", "requested")
    facts = {"booking_id": booking.id, "kept_minor": 0, "reason": "x"}
    handlers = (
        jobs.mail_confirmed,
        jobs.mail_requested,
        jobs.mail_cancelled,
        jobs.mail_declined,
        jobs.mail_expired,
    )
    for handler in (*handlers, *handlers):
        with in_application() as own:
            handler(own, Message("booking", city.id, facts))
    assert len(session.scalars(select(Mail)).all()) == 6


def test_a_message_about_a_booking_that_is_gone_is_no_failure(
    session: Session, city: City, app: Flask
) -> None:
    with in_application() as own:
        jobs.mail_confirmed(own, Message("booking.confirmed", city.id, {"booking_id": 10**12}))
    with transaction() as own:
        assert booked_space_of_id(own, city.id, 10**12) is None
