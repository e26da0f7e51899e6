"""Text messages: in the reader's language, kept in the delivery log, handed to the gateway by a job. Never instead of mail.

A text lives with the feature that sends it: `<package>/<feature>/sms/<name>.<language>.txt`. It is written in the letters
of text messages and takes two segments at the most: the `place` in it is cut where it would be longer.

Mail tells the same. So a message that the gateway refuses, that comes too late or that would be one too many today is left
out, and takes nothing from anybody.
"""

import hashlib
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from flask import current_app, render_template, url_for
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.queue import RETRY, defer, queue
from marketplace.jobs.runner import application
from marketplace.notifications.codes import PLACE, code_of
from marketplace.notifications.gateway import SmsAway, SmsRefused, SmsSender
from marketplace.notifications.gsm import PART, folded, segments, units
from marketplace.notifications.links import short_address
from marketplace.notifications.mail import writing_for
from marketplace.notifications.models import TextLink, TextMessage, TextNumber
from marketplace.notifications.rules import text_at

log = logging.getLogger(__name__)

MOST_SEGMENTS = 2
# One unit may stay empty where an escape would be parted from its letter.
ROOM = MOST_SEGMENTS * PART - 1
# Nobody is helped by more, and each one costs the city.
MOST_A_DAY = 20
DAY = timedelta(days=1)
# Whoever comes by the address after the deadline is told that the offer is over.
LINK_KEPT = timedelta(days=7)


def sender() -> SmsSender:
    """Whoever brings text messages to phones."""
    return cast(SmsSender, current_app.extensions["sms"])


def number_of(session: Session, city_id: int, person_id: int) -> TextNumber | None:
    """The number that the person has shown to be theirs."""
    return session.scalar(
        select(TextNumber).where(TextNumber.city_id == city_id, TextNumber.person_id == person_id)
    )


def send_text(
    session: Session,
    person: Person,
    template: str,
    *,
    key: str,
    before: datetime,
    number: str | None = None,
    place: str = "",
    leads_to: tuple[str, Mapping[str, Any]] | None = None,
    **context: Any,
) -> TextMessage | None:
    """Write a text message to `person` and defer its sending, in the present transaction.

    `template` is such as "bookings/waiting/sms/offered", `key` names this very message, as with `send_mail`; after `before`
    it is not sent. It goes to the person's own number, or to the `number` that is still to be shown to be theirs. `place`
    is what may be cut; `leads_to` an endpoint with its values, whose short `address` the text has. None where this message has been written, or there is no gateway, no number, or too many today.
    """
    proved = number_of(session, person.city_id, person.id) if number is None else None
    to_number = number or (proved.number if proved is not None else None)
    if to_number is None or not sender().is_there or is_known(session, person.city_id, key):
        return None
    if sent_today(session, person) >= MOST_A_DAY:
        log.warning("a person got no more text messages today", extra={"person_id": person.id})
        return None
    city = session.get_one(City, person.city_id)
    with writing_for(city, person.language):
        if leads_to is not None:
            path = url_for(leads_to[0], **leads_to[1])
            context["address"] = short_address(session, person, path, until=before + LINK_KEPT)
    body = render_text(city, person.language, template, place=place, person=person, **context)
    text = TextMessage(
        city_id=city.id,
        key=key,
        person_id=person.id,
        to_number=to_number,
        is_proved=number is None,
        language=person.language,
        template=template,
        body=body,
        segments=segments(body),
        created_at=now(),
        send_before=before,
    )
    session.add(text)
    session.flush()
    defer(session, deliver_text, queue_name="sms", city_id=text.city_id, text_id=text.id)
    return text


def is_known(session: Session, city_id: int, key: str) -> bool:
    return (
        session.scalar(select(TextMessage.id).where(TextMessage.city_id == city_id, TextMessage.key == key))
        is not None
    )


def sent_today(session: Session, person: Person) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(TextMessage)
            .where(
                TextMessage.city_id == person.city_id,
                TextMessage.person_id == person.id,
                TextMessage.created_at > now() - DAY,
            )
        )
        or 0
    )


def render_text(city: City, language: str, template: str, *, place: str = "", **context: Any) -> str:
    """The text in `language`, folded, with `place` cut so that it fits two segments."""
    with writing_for(city, language):

        def written(name: str) -> str:
            lines = render_template(f"{template}.{language}.txt", mail_city=city, place=name, **context)
            return "\n".join(" ".join(line.split()) for line in folded(lines).strip().splitlines())

        place = " ".join(folded(place).split())
        text = written(place)
        over = units(text) - ROOM
        if over > 0:
            # Each letter is one unit at the least, and the dots are three.
            text = written(place[: max(0, len(place) - over - 3)].rstrip(" ,") + "...")
    return text


@queue.task(name="deliver_text", queue="sms", retry=RETRY)
def deliver_text(city_id: int, text_id: int) -> None:
    """Hand one text message to the gateway. Runs outside any transaction while it talks to it."""
    with application():
        with transaction() as session:
            text = session.get(TextMessage, (city_id, text_id))
            if text is None or text.state != "queued":
                return
            reason = why_not(session, text)
            if reason is not None:
                text.state, text.error, text.body = "dropped", reason, ""
                return
            if (wait := night(session, text)) is not None:
                defer(session, deliver_text, queue_name="sms", after=wait, city_id=city_id, text_id=text_id)
                return
        try:
            gateway_id = sender().send(text.to_number, leaving(text), key=idempotency_key(text))
        except SmsRefused as refused:
            log.warning("the gateway refused a text message", extra={"text_id": text_id, "why": str(refused)})
            note(text, state="failed", error=str(refused))
        except SmsAway as away:
            is_last = text.attempts + 1 >= (RETRY.max_attempts or 0)
            note(text, state="failed" if is_last else "queued", error=str(away))
            raise
        else:
            note(text, state="sent", gateway_id=gateway_id)


def why_not(session: Session, text: TextMessage) -> str | None:
    """Why the message must not leave any more, if so."""
    if now() >= text.send_before:
        return "too late"
    if text.is_proved:
        if text_at(now(), before=text.send_before, zone=session.get_one(City, text.city_id).zone) is None:
            return "too late for the night"
        own = number_of(session, text.city_id, text.person_id)
        if own is None or own.number != text.to_number:
            return "no longer the person's number"
    return None


def night(session: Session, text: TextMessage) -> timedelta | None:
    """How long a message has to wait for the morning, if it is night: a later try may come to that. Who asked for a code
    is awake."""
    at = now()
    zone = session.get_one(City, text.city_id).zone
    leaves = text_at(at, before=text.send_before, zone=zone) if text.is_proved else None
    return leaves - at if leaves is not None and leaves > at else None


def leaving(text: TextMessage) -> str:
    """The text as the phone gets it."""
    if text.is_proved:
        return text.body
    return text.body.replace(PLACE, code_of(text.city_id, text.key))


def idempotency_key(text: TextMessage) -> str:
    """The message's name towards the gateway: the same at each try, and of no other message of any installation."""
    own = f"{current_app.config['BASE_URL']}|{text.city_id}|{text.id}|{text.created_at.isoformat()}"
    return hashlib.sha256(own.encode()).hexdigest()[:40]


def note(text: TextMessage, *, state: str, error: str | None = None, gateway_id: str | None = None) -> None:
    """Write down what a try came to. A row that was forgotten meanwhile stays so."""
    with transaction() as session:
        kept = session.get(TextMessage, (text.city_id, text.id), with_for_update=True)
        if kept is None:
            return
        kept.attempts, kept.state, kept.error, kept.gateway_id = kept.attempts + 1, state, error, gateway_id
        if state == "sent":
            kept.sent_at = now()
        if state != "queued":
            kept.body = ""


def forget_number(session: Session, city_id: int, person_id: int, number: str) -> None:
    """Drop what waits to be sent to a number and the addresses that were sent, and take the number out of the log."""
    theirs = (
        (TextMessage.city_id == city_id)
        & (TextMessage.person_id == person_id)
        & (TextMessage.to_number == number)
    )
    session.execute(
        update(TextMessage)
        .where(theirs, TextMessage.state == "queued")
        .values(state="dropped", error="no longer the person's number")
    )
    session.execute(update(TextMessage).where(theirs).values(to_number="", body=""))
    # Whoever has the telephone now must not answer for the person.
    session.execute(delete(TextLink).where(TextLink.city_id == city_id, TextLink.person_id == person_id))


def state_of(session: Session, city_id: int, key: str) -> str | None:
    """What came of the message of this key so far."""
    return session.scalar(
        select(TextMessage.state).where(TextMessage.city_id == city_id, TextMessage.key == key)
    )


def last_state(session: Session, city_id: int, person_id: int, number: str) -> str | None:
    """What came of the newest message to this number of the person."""
    return session.scalar(
        select(TextMessage.state)
        .where(
            TextMessage.city_id == city_id,
            TextMessage.person_id == person_id,
            TextMessage.to_number == number,
        )
        .order_by(TextMessage.id.desc())
        .limit(1)
    )
