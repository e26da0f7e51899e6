"""Handlers of messages that concern the catalogue, and what the clock starts. All are safe to run twice."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.messages import Message
from marketplace.notifications.mail import send_mail
from spaces.catalog.actions import assign_districts
from spaces.catalog.desk_queries import owner_of, runners_of, staff_of
from spaces.catalog.listing_actions import move_due_listings
from spaces.catalog.models import Space, Venue
from spaces.districts.queries import DISTRICT

TEMPLATES = "spaces/catalog/mail/"
BATCH = 200


def find_districts_anew(session: Session, message: Message) -> None:
    """New outlines: venues move to the districts they lie in now. Safe to run twice."""
    if message["kind"] != DISTRICT:
        return
    city = session.get(City, message.city_id)
    if city is not None:
        assign_districts(session, city)


def listing_of(session: Session, message: Message) -> tuple[Space, Venue] | None:
    space = session.get(Space, (message.city_id, message["space_id"]))
    return None if space is None else (space, session.get_one(Venue, (space.city_id, space.venue_id)))


def write(session: Session, message: Message, people: list[Person], what: str, *, reason: str = "") -> None:
    """One mail to each of them; the message's moment tells one answer from a later one."""
    found = listing_of(session, message)
    if found is None:
        return
    space, venue = found
    for person in people:
        send_mail(
            session,
            person,
            TEMPLATES + what,
            key=f"listing:{space.id}:{what}:{message['at']}:{person.id}",
            space=space,
            venue=venue,
            owner=owner_of(session, venue).name,
            reason=reason,
        )


def mail_submitted(session: Session, message: Message) -> None:
    """To the city's people: a new supplier waits for an answer."""
    write(session, message, list(staff_of(session, message.city_id)), "submitted")


def mail_approved(session: Session, message: Message) -> None:
    """To those who run the place: it is on the list."""
    if found := listing_of(session, message):
        write(session, message, runners_of(session, found[1]), "approved")


def mail_returned(session: Session, message: Message) -> None:
    """To those who run the place: what should be changed."""
    if found := listing_of(session, message):
        write(session, message, runners_of(session, found[1]), "returned", reason=message["reason"])


def follow_schedules(at: datetime | None = None) -> None:
    """Publish and hide what the clock is asked to, in every city, in short transactions."""
    at = at or now()
    with transaction() as session:
        city_ids = session.scalars(select(City.id).order_by(City.id)).all()
    for city_id in city_ids:
        moved = BATCH
        while moved == BATCH:
            with transaction() as session:
                moved = move_due_listings(session, city_id, at=at, limit=BATCH)
