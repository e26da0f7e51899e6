"""Handlers of messages that concern the catalogue."""

from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.jobs.messages import Message
from spaces.catalog.actions import assign_districts
from spaces.districts.queries import DISTRICT


def find_districts_anew(session: Session, message: Message) -> None:
    """New outlines: venues move to the districts they lie in now. Safe to run twice."""
    if message["kind"] != DISTRICT:
        return
    city = session.get(City, message.city_id)
    if city is not None:
        assign_districts(session, city)
