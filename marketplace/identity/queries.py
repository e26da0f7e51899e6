"""Who a browser's cookie belongs to, which browsers a person uses, and what a mail link is for."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from flask import request
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.accounts.queries import roles_of
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.identity.errors import LinkNotUsable
from marketplace.identity.models import MailLink, SignedInSession
from marketplace.ids import token_hash
from marketplace.web.request import client_ip

COOKIE = "tilaa_session"
# "Last seen" is for people to recognise a session by; a write every five minutes tells as much as one a click.
SEEN_EVERY = timedelta(minutes=5)
MAY_ACT = ("booker", "manager")


# See `marketplace.part.Grants`.
GrantReaders = Sequence[Callable[[Session, int, int], Mapping[tuple[str, int], str]]]


def actor_of_request(city: City, grants: GrantReaders = ()) -> Actor:
    """The person signed in by this request's cookie, or nobody."""
    token = request.cookies.get(COOKIE)
    if not token:
        return Actor(city.id, ip=client_ip())
    with transaction() as session:
        actor = actor_of_token(session, city, token, grants)
    return actor or Actor(city.id, ip=client_ip())


def actor_of_token(session: Session, city: City, token: str, grants: GrantReaders = ()) -> Actor | None:
    """The actor of a live session, with roles; None for an unknown, ended or expired one."""
    at = now()
    found = session.execute(
        select(SignedInSession, Person)
        .join(Person, (Person.city_id == SignedInSession.city_id) & (Person.id == SignedInSession.person_id))
        .where(
            SignedInSession.token_hash == token_hash(token),
            SignedInSession.city_id == city.id,
            SignedInSession.ended_at.is_(None),
            SignedInSession.expires_at > at,
        )
    ).one_or_none()
    if found is None:
        return None
    signed_in, person = found
    if at - signed_in.seen_at > SEEN_EVERY:
        session.execute(
            update(SignedInSession)
            .where(SignedInSession.city_id == city.id, SignedInSession.id == signed_in.id)
            .values(seen_at=at)
        )
    return actor_of_person(session, person, acting_for=signed_in.acting_for, grants=grants, ip=client_ip())


def actor_of_person(
    session: Session,
    person: Person,
    *,
    acting_for: int | None = None,
    grants: GrantReaders = (),
    source: str = "web",
    ip: str | None = None,
) -> Actor:
    """The person with the roles they have now; `acting_for` holds only while they may act for that organisation."""
    roles = roles_of(session, person.city_id, person.id)
    return Actor(
        city_id=person.city_id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        language=person.language,
        is_verified=person.email_verified_at is not None,
        is_staff=person.is_staff,
        # A role that was taken back, or made one that may not book, ends acting for that organisation.
        acting_for=acting_for if roles.get(acting_for or 0) in MAY_ACT else None,
        roles=roles,
        grants={
            key: role for read in grants for key, role in read(session, person.city_id, person.id).items()
        },
        source=source,
        ip=ip,
    )


def live_sessions(session: Session, actor: Actor, *, at: datetime) -> Sequence[SignedInSession]:
    """The browsers that the actor is signed in with, the latest seen first."""
    return session.scalars(
        select(SignedInSession)
        .where(
            SignedInSession.city_id == actor.city_id,
            SignedInSession.person_id == actor.person_id,
            SignedInSession.ended_at.is_(None),
            SignedInSession.expires_at > at,
        )
        .order_by(SignedInSession.seen_at.desc(), SignedInSession.id.desc())
    ).all()


def proves_present_address(link: MailLink, person: Person) -> bool:
    """Whether the link went where the account's mail goes now; a change of address goes elsewhere by its nature."""
    return link.purpose == "change" or link.email == person.email


def link_of_token(session: Session, city_id: int, token: str, *, at: datetime) -> tuple[MailLink, Person]:
    """A link that would still work, without using it up. Raises LinkNotUsable."""
    found = session.execute(
        select(MailLink, Person)
        .join(Person, (Person.city_id == MailLink.city_id) & (Person.id == MailLink.person_id))
        .where(
            MailLink.token_hash == token_hash(token),
            MailLink.city_id == city_id,
            MailLink.used_at.is_(None),
            MailLink.expires_at > at,
        )
    ).one_or_none()
    if found is None:
        raise LinkNotUsable
    link, person = found
    if not proves_present_address(link, person):
        raise LinkNotUsable
    return link, person
