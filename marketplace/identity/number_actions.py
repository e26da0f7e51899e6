"""The mobile number for text messages: asked for, shown to be one's own by a code, removed, and what it is used for."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.errors import NotVerified
from marketplace.accounts.models import Person
from marketplace.identity.actions import locked_person
from marketplace.identity.errors import CodeOver, NoNumber
from marketplace.identity.rules import CODE_LIFE, CODE_TRIES
from marketplace.jobs.messages import publish
from marketplace.notifications.codes import is_code, number_key
from marketplace.notifications.models import NumberCode, TextNumber
from marketplace.notifications.numbers import masked
from marketplace.notifications.sms import forget_number, number_of


def ask_for_code(
    session: Session, person: Person, *, number: str, submission: str, actor: Actor, at: datetime
) -> NumberCode:
    """Have a code sent to `number` (E.164); the code before it works no more. One `submission` asks once.

    Raises NotVerified: whoever opens accounts by the dozen has no addresses for them.
    """
    if person.email_verified_at is None:
        raise NotVerified
    locked_person(session, person.city_id, person.id)
    asked = code_asked(session, person)
    if asked is not None and asked.submission == submission:
        return asked
    drop_code(session, person, keep=number)
    code = NumberCode(
        city_id=person.city_id,
        person_id=person.id,
        number=number,
        submission=submission,
        tries=0,
        created_at=at,
        expires_at=at + CODE_LIFE,
    )
    session.add(code)
    session.flush()
    audit(session, actor, "person.number-asked", "person", person.id, number=masked(number))
    publish(session, "number.asked", city_id=person.city_id, code_id=code.id)
    session.flush()
    return code


def code_asked(session: Session, person: Person) -> NumberCode | None:
    """The number that waits for its code, whether or not that still works."""
    return session.scalar(
        select(NumberCode).where(NumberCode.city_id == person.city_id, NumberCode.person_id == person.id)
    )


def drop_code(session: Session, person: Person, *, keep: str | None) -> None:
    """End what was asked for; `keep` is a number whose messages may stay in the log."""
    asked = code_asked(session, person)
    if asked is None:
        return
    own = number_of(session, person.city_id, person.id)
    if asked.number not in {keep, own.number if own is not None else None}:
        forget_number(session, person.city_id, person.id, asked.number)
    session.delete(asked)
    session.flush()


def confirm_number(session: Session, person: Person, typed: str, *, actor: Actor, at: datetime) -> bool:
    """Take the number whose code was typed. False where it is another code: then the try must stay counted, so the
    transaction is to be committed. Raises CodeOver after the last try, after ten minutes, and without a code."""
    locked_person(session, person.city_id, person.id)
    asked = session.scalar(
        update(NumberCode)
        .where(
            NumberCode.city_id == person.city_id,
            NumberCode.person_id == person.id,
            NumberCode.tries < CODE_TRIES,
            NumberCode.expires_at > at,
        )
        .values(tries=NumberCode.tries + 1)
        .returning(NumberCode),
        execution_options={"populate_existing": True},
    )
    if asked is None:
        raise CodeOver
    if not is_code(typed, city_id=person.city_id, key=number_key(asked.id)):
        return False
    own = number_of(session, person.city_id, person.id)
    before = own.number if own is not None else None
    if own is None:
        own = TextNumber(
            city_id=person.city_id,
            person_id=person.id,
            number=asked.number,
            verified_at=at,
            wants_offers=False,
        )
        session.add(own)
    own.number, own.verified_at = asked.number, at
    if before is not None and before != own.number:
        forget_number(session, person.city_id, person.id, before)
    session.delete(asked)
    audit(
        session,
        actor,
        "person.number-confirmed",
        "person",
        person.id,
        before=masked(before) if before else None,
        after=masked(own.number),
    )
    if before != own.number:
        publish(session, "number.confirmed", city_id=person.city_id, person_id=person.id, at=at.isoformat())
    session.flush()
    return True


def remove_number(session: Session, person: Person, *, actor: Actor) -> None:
    """Forget the number and what was asked for: nothing is sent there any more. Harmless when there is none."""
    locked_person(session, person.city_id, person.id)
    drop_code(session, person, keep=None)
    own = number_of(session, person.city_id, person.id)
    if own is None:
        return
    forget_number(session, person.city_id, person.id, own.number)
    session.execute(delete(TextNumber).where(TextNumber.city_id == person.city_id, TextNumber.id == own.id))
    audit(session, actor, "person.number-removed", "person", person.id, before=masked(own.number), after=None)
    session.flush()


def choose_offers(session: Session, person: Person, *, wanted: bool, actor: Actor) -> None:
    """Get the offers of waiting lists by text message as well as by mail, or by mail alone. Raises NoNumber."""
    locked_person(session, person.city_id, person.id)
    own = number_of(session, person.city_id, person.id)
    if own is None:
        raise NoNumber
    if own.wants_offers == wanted:
        return
    own.wants_offers = wanted
    audit(session, actor, "person.offers-by-text", "person", person.id, before=not wanted, after=wanted)
    session.flush()
