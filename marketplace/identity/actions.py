"""Changes that signing in and proving an address bring about.

Mails are asked for by messages and written by jobs. So an answer to a known address and one to an unknown address do
the same work, and nobody learns from its time which addresses have accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import policy
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Person
from marketplace.accounts.queries import person_of_email
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.errors import Forbidden, NotFound, Unauthenticated
from marketplace.identity import passwords
from marketplace.identity.errors import AddressTaken, LinkNotUsable
from marketplace.identity.models import MailLink, SignedInSession
from marketplace.identity.queries import proves_present_address
from marketplace.identity.rules import SESSION_LIFE
from marketplace.ids import new_token, token_hash
from marketplace.jobs.messages import publish


@dataclass(frozen=True)
class Browser:
    """What is known of the browser that signs in. `token` is the cookie it came with, ended by a new sign-in."""

    user_agent: str | None = None
    ip: str | None = None
    token: str | None = None


def register_person(
    session: Session,
    *,
    actor: Actor,
    name: str,
    email: str,
    password_hash: str,
    language: str,
    submission: str,
    next_path: str | None = None,
) -> None:
    """Open an account whose address is still to be proved; for a known address nothing changes.

    Either way one message goes out, and its handler writes the mail that fits.
    """
    person_id = session.scalar(
        insert(Person)
        .values(city_id=actor.city_id, name=name, email=email, password_hash=password_hash, language=language)
        .on_conflict_do_nothing(index_elements=["city_id", "email"])
        .returning(Person.id)
    )
    if person_id is not None:
        audit(session, replace(actor, person_id=person_id), "person.registered", "person", person_id)
    publish(
        session,
        "registration.asked",
        city_id=actor.city_id,
        email=email,
        is_new=person_id is not None,
        next_path=next_path,
        submission=submission,
    )
    session.flush()


def ask_for_link(
    session: Session,
    *,
    actor: Actor,
    email: str,
    purpose: str,
    submission: str,
    next_path: str | None = None,
) -> None:
    """Have a link mailed to `email`, if it has an account: the job finds out, not this."""
    publish(
        session,
        "link.asked",
        city_id=actor.city_id,
        email=email,
        purpose=purpose,
        next_path=next_path,
        submission=submission,
    )
    session.flush()


def ask_for_address(session: Session, person: Person, *, email: str, submission: str) -> None:
    """Have a link mailed to a new address, which changes when the link is used."""
    publish(
        session,
        "address.asked",
        city_id=person.city_id,
        email=email,
        person_id=person.id,
        submission=submission,
    )
    session.flush()


def begin_session(session: Session, person: Person, *, browser: Browser, at: datetime, by: str) -> str:
    """Sign the browser in and return its new token. The session that it had before is ended."""
    actor = Actor(person.city_id, person_id=person.id, ip=browser.ip)
    if browser.token:
        end_sessions(session, at=at, only=SignedInSession.token_hash == token_hash(browser.token))
    token = new_token()
    row = SignedInSession(
        city_id=person.city_id,
        person_id=person.id,
        token_hash=token_hash(token),
        user_agent=(browser.user_agent or "")[:400] or None,
        ip=browser.ip,
        created_at=at,
        seen_at=at,
        expires_at=at + SESSION_LIFE,
    )
    session.add(row)
    session.flush()
    audit(session, actor, "session.begun", "signed_in_session", row.id, by=by)
    session.flush()
    return token


def sign_in_with_password(
    session: Session,
    city_id: int,
    person_id: int,
    *,
    checked_hash: str,
    renewed_hash: str | None,
    browser: Browser,
    at: datetime,
) -> str:
    """Sign in a person whose password has just been found right; keep the hash by today's parameters.

    Raises Unauthenticated when the password was changed between the check and now.
    """
    person = locked_person(session, city_id, person_id)
    if person.password_hash != checked_hash:
        raise Unauthenticated
    if renewed_hash is not None:
        person.password_hash = renewed_hash
    return begin_session(session, person, browser=browser, at=at, by="password")


def locked_person(session: Session, city_id: int, person_id: int) -> Person:
    person = session.get(Person, (city_id, person_id), with_for_update=True, populate_existing=True)
    if person is None:
        raise NotFound
    return person


def end_sessions(session: Session, *, at: datetime, only: object) -> Sequence[int]:
    """End the live sessions that fit; returns their ids."""
    return session.scalars(
        update(SignedInSession)
        .where(SignedInSession.ended_at.is_(None), only)  # type: ignore[arg-type]
        .values(ended_at=at)
        .returning(SignedInSession.id)
    ).all()


def sign_out(session: Session, token: str, *, actor: Actor, at: datetime) -> None:
    """End this browser's session."""
    for ended in end_sessions(session, at=at, only=SignedInSession.token_hash == token_hash(token)):
        audit(session, actor, "session.ended", "signed_in_session", ended)
    session.flush()


def end_session(session: Session, session_id: int, *, actor: Actor, at: datetime) -> None:
    """End one of the actor's own sessions. Ending one that has ended already is no mistake."""
    row = session.get(SignedInSession, (actor.city_id, session_id))
    if row is None or row.person_id != actor.person_id:
        raise NotFound
    for ended in end_sessions(
        session,
        at=at,
        only=(SignedInSession.city_id == actor.city_id) & (SignedInSession.id == session_id),
    ):
        audit(session, actor, "session.ended", "signed_in_session", ended)
    session.flush()


def end_other_sessions(
    session: Session, city_id: int, person_id: int, *, actor: Actor, at: datetime, keep: str | None
) -> int:
    """End all of a person's sessions but the one of token `keep`; returns how many there were."""
    theirs = (SignedInSession.city_id == city_id) & (SignedInSession.person_id == person_id)
    if keep:
        theirs &= SignedInSession.token_hash != token_hash(keep)
    ended = end_sessions(session, at=at, only=theirs)
    for session_id in ended:
        audit(session, actor, "session.ended", "signed_in_session", session_id)
    session.flush()
    return len(ended)


def act_as(session: Session, token: str, organisation_id: int | None, *, actor: Actor) -> None:
    """Choose for whom this browser acts from now on. Raises Forbidden without a role that may book."""
    if not policy.may_act_as(actor, organisation_id):
        raise Forbidden
    session.execute(
        update(SignedInSession)
        .where(
            SignedInSession.city_id == actor.city_id,
            SignedInSession.person_id == actor.person_id,
            SignedInSession.token_hash == token_hash(token),
        )
        .values(acting_for=organisation_id)
    )
    audit(session, actor, "session.acts-as", "person", actor.person_id or 0, organisation=organisation_id)
    session.flush()


def use_link(
    session: Session, city_id: int, token: str, *, purpose: str, at: datetime
) -> tuple[MailLink, Person]:
    """Use a mail link up, for the one who comes first. Raises LinkNotUsable."""
    link = session.scalar(
        update(MailLink)
        .where(
            MailLink.token_hash == token_hash(token),
            MailLink.city_id == city_id,
            MailLink.purpose == purpose,
            MailLink.used_at.is_(None),
            MailLink.expires_at > at,
        )
        .values(used_at=at)
        .returning(MailLink)
    )
    if link is None:
        raise LinkNotUsable
    person = locked_person(session, city_id, link.person_id)
    if not proves_present_address(link, person):
        raise LinkNotUsable
    return link, person


def void_links(session: Session, person: Person, *, at: datetime) -> None:
    """Make every link still on its way to this person worthless."""
    session.execute(
        update(MailLink)
        .where(
            MailLink.city_id == person.city_id, MailLink.person_id == person.id, MailLink.used_at.is_(None)
        )
        .values(used_at=at)
    )


def confirm_address(session: Session, person: Person, *, actor: Actor, at: datetime) -> None:
    """The person has shown that mail to the address reaches them."""
    if person.email_verified_at is None:
        person.email_verified_at = at
        audit(session, replace(actor, person_id=person.id), "person.address-confirmed", "person", person.id)
        session.flush()


def verify_by_link(session: Session, token: str, *, actor: Actor, browser: Browser, at: datetime) -> str:
    """Confirm the address and sign in; returns the session's token."""
    _, person = use_link(session, actor.city_id, token, purpose="verify", at=at)
    confirm_address(session, person, actor=actor, at=at)
    return begin_session(session, person, browser=browser, at=at, by="verify")


def sign_in_by_link(
    session: Session, token: str, *, actor: Actor, browser: Browser, at: datetime
) -> tuple[str, bool]:
    """Sign in; returns the token, and whether the password was dropped.

    The first proof of an address may come from someone else than the one who opened the account with it. So a password
    chosen before that proof is forgotten and its sessions end: else a stranger could wait inside another's account.
    """
    _, person = use_link(session, actor.city_id, token, purpose="sign_in", at=at)
    unproved = person.email_verified_at is None
    if unproved:
        person.password_hash = None
        end_other_sessions(session, person.city_id, person.id, actor=actor, at=at, keep=None)
        void_links(session, person, at=at)
        confirm_address(session, person, actor=actor, at=at)
    return begin_session(session, person, browser=browser, at=at, by="link"), unproved


def reset_password(
    session: Session, token: str, *, password_hash: str, actor: Actor, browser: Browser, at: datetime
) -> str:
    """Set a new password by a mail link, end every other session and sign in; returns the token."""
    _, person = use_link(session, actor.city_id, token, purpose="reset", at=at)
    confirm_address(session, person, actor=actor, at=at)
    set_password(session, person, password_hash=password_hash, actor=actor, keep=None, at=at)
    return begin_session(session, person, browser=browser, at=at, by="reset")


def set_password(
    session: Session, person: Person, *, password_hash: str, actor: Actor, keep: str | None, at: datetime
) -> None:
    """Keep the new hash, end the sessions other than `keep`, void links and tell the person by mail."""
    person.password_hash = password_hash
    by = replace(actor, person_id=person.id)
    audit(session, by, "person.password-changed", "person", person.id)
    end_other_sessions(session, person.city_id, person.id, actor=by, at=at, keep=keep)
    void_links(session, person, at=at)
    publish(session, "password.changed", city_id=person.city_id, person_id=person.id, at=at.isoformat())
    session.flush()


def change_address(session: Session, token: str, *, actor: Actor, at: datetime) -> Person:
    """Take the new address that the link has proved. Only the signed-in person's own link works.

    Raises LinkNotUsable, AddressTaken.
    """
    link, person = use_link(session, actor.city_id, token, purpose="change", at=at)
    if person.id != actor.person_id:
        raise LinkNotUsable
    old = person.email
    try:
        with session.begin_nested():
            person.email, person.email_verified_at = link.email, at
            session.flush()
    except IntegrityError as error:
        raise AddressTaken from error
    void_links(session, person, at=at)
    audit(session, actor, "person.address-changed", "person", person.id)
    publish(
        session, "address.changed", city_id=person.city_id, person_id=person.id, old=old, at=at.isoformat()
    )
    session.flush()
    return person


def register_demo_person(
    session: Session, city: City, *, name: str, email: str, password: str, language: str
) -> Person:
    """A person with a confirmed address, for commands that fill a demo city; a known address is left as it is."""
    known = person_of_email(session, city.id, email)
    if known is not None:
        return known
    person = Person(
        city_id=city.id,
        name=name,
        email=email.lower(),
        email_verified_at=now(),
        language=language,
        password_hash=passwords.hash_password(password),
    )
    session.add(person)
    session.flush()
    audit(session, system(city.id, "command"), "person.registered", "person", person.id)
    session.flush()
    return person
