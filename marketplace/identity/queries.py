"""Who a browser's cookie belongs to, which browsers a person uses, and what a mail link is for."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

from flask import request
from sqlalchemy import Select, bindparam, func, select, union_all, update
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.accounts.queries import MEMBERSHIP, membership_roles, roles_of
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
NO_GRANTS: Mapping[tuple[str, int], str] = MappingProxyType({})


# See `marketplace.part.Grants`.
GrantQuery = Callable[[Any, Any, Any], Select[str, int, str]]


def actor_of_request(city: City, grants: Sequence[GrantQuery] = ()) -> Actor:
    """The person signed in by this request's cookie, or nobody."""
    token = request.cookies.get(COOKIE)
    if not token:
        return Actor(city.id, ip=client_ip())
    with transaction() as session:
        actor = actor_of_token(session, city, token, grants)
    return actor or Actor(city.id, ip=client_ip())


@cache
def live_session(grants: tuple[GrantQuery, ...]) -> Select[*tuple[Any, ...]]:
    """The live session of a token with its person and all their rights, rows of [kind, id, role] as JSON: one statement,
    since every request asks it."""
    at = bindparam("at", type_=TIMESTAMP(timezone=True))
    whose = SignedInSession.city_id, SignedInSession.person_id
    of_person = [membership_roles(*whose), *(query(*whose, at) for query in grants)]
    rows = union_all(*(query.correlate(SignedInSession) for query in of_person)).subquery()
    rights = select(func.jsonb_agg(func.jsonb_build_array(*rows.c))).correlate(SignedInSession)
    return (
        select(
            SignedInSession.id.label("session_id"),
            SignedInSession.seen_at,
            SignedInSession.acting_for,
            rights.scalar_subquery().label("rights"),
            Person.id,
            Person.name,
            Person.email,
            Person.language,
            Person.email_verified_at,
            Person.is_staff,
        )
        .join(Person, (Person.city_id == SignedInSession.city_id) & (Person.id == SignedInSession.person_id))
        .where(
            SignedInSession.token_hash == bindparam("token_hash"),
            SignedInSession.city_id == bindparam("city_id"),
            SignedInSession.ended_at.is_(None),
            SignedInSession.expires_at > at,
        )
    )


def actor_of_token(
    session: Session, city: City, token: str, grants: Sequence[GrantQuery] = ()
) -> Actor | None:
    """The actor of a live session, with roles; None for an unknown, ended or expired one."""
    at = now()
    values = {"token_hash": token_hash(token), "city_id": city.id, "at": at}
    found = session.execute(live_session(tuple(grants)), values).one_or_none()
    if found is None:
        return None
    if at - found.seen_at > SEEN_EVERY:
        session.execute(
            update(SignedInSession)
            .where(SignedInSession.city_id == city.id, SignedInSession.id == found.session_id)
            .values(seen_at=at)
        )
    held = {(kind, id_): role for kind, id_, role in found.rights or ()}
    return actor_with(
        city.id,
        found,
        acting_for=found.acting_for,
        roles={id_: role for (kind, id_), role in held.items() if kind == MEMBERSHIP},
        grants={key: role for key, role in held.items() if key[0] != MEMBERSHIP},
        ip=client_ip(),
    )


def actor_of_person(session: Session, person: Person, *, source: str = "web", ip: str | None = None) -> Actor:
    """The person with the roles they have now in organisations, acting for none of them."""
    roles = roles_of(session, person.city_id, person.id)
    return actor_with(person.city_id, person, roles=roles, source=source, ip=ip)


def actor_with(
    city_id: int,
    person: Any,
    *,
    roles: Mapping[int, str],
    acting_for: int | None = None,
    grants: Mapping[tuple[str, int], str] = NO_GRANTS,
    source: str = "web",
    ip: str | None = None,
) -> Actor:
    """The person, a row that has what a Person has, with these rights; `acting_for` holds only while they may act for that
    organisation."""
    return Actor(
        city_id=city_id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        language=person.language,
        is_verified=person.email_verified_at is not None,
        is_staff=person.is_staff,
        # A role that was taken back, or made one that may not book, ends acting for that organisation.
        acting_for=acting_for if roles.get(acting_for or 0) in MAY_ACT else None,
        roles=roles,
        grants=grants,
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
