"""A booking's history and its messages as one timeline, in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bookings.lifecycle.pages import gettext, instant_text, step_rows
from bookings.lifecycle.queries import BookedSpace, Step, history_of
from bookings.talk.queries import Written, messages_of
from marketplace.cities.models import City


@dataclass(frozen=True)
class Entry:
    """Something that happened (`what`), or something that was written (`text`)."""

    at: datetime
    when: str
    what: str = ""
    author: str = ""
    text: str = ""
    is_mine: bool = False
    is_new: bool = False
    is_question: bool = False


def timeline(
    session: Session, city: City, booked: BookedSpace, *, side: str | None, person_id: int | None
) -> list[Entry]:
    """The oldest first. Without a side only what happened, not what was written."""
    entries = steps(history_of(session, booked.booking), city, booked)
    if side is not None:
        entries += [
            told(written, city, booked, side=side, person_id=person_id)
            for written in messages_of(session, booked.booking)
        ]
    return sorted(entries, key=lambda entry: entry.at)


def steps(history: Sequence[Step], city: City, booked: BookedSpace) -> list[Entry]:
    return [
        Entry(step.at, when, what)
        for step in history
        for when, what in step_rows([step], city, booked.booking)
    ]


def told(written: Written, city: City, booked: BookedSpace, *, side: str, person_id: int | None) -> Entry:
    message = written.message
    return Entry(
        message.created_at,
        instant_text(message.created_at, city),
        author=author_text(written, booked, side=side, person_id=person_id),
        text=message.text,
        is_mine=message.side == side,
        is_new=message.read_at is None and message.side != side,
        is_question=message.kind == "question",
    )


def author_text(written: Written, booked: BookedSpace, *, side: str, person_id: int | None) -> str:
    """A booker reads the owner's name, not that of the person who happens to answer."""
    message = written.message
    if message.person_id == person_id:
        return gettext("You")
    if message.side == "owner":
        return booked.owner.name if side == "booker" else f"{written.name}, {booked.owner.name}"
    if booked.organisation is None:
        return written.name
    return f"{written.name}, {booked.organisation.name}"
