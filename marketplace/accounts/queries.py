"""Reads of people and organisations, each within one city."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Invitation, Membership, Organisation, Person
from marketplace.errors import NotFound

# What a membership is called among a person's rights.
MEMBERSHIP = "organisation"


def person_of_id(session: Session, city_id: int, person_id: int) -> Person | None:
    return session.get(Person, (city_id, person_id))


def person_of_email(session: Session, city_id: int, email: str) -> Person | None:
    return session.scalar(
        select(Person).where(Person.city_id == city_id, Person.email == email.strip().lower())
    )


def person_of_actor(session: Session, actor: Actor) -> Person:
    """The signed-in person's own row. Raises NotFound for one that has just been removed."""
    person = session.get(Person, (actor.city_id, actor.person_id)) if actor.person_id is not None else None
    if person is None:
        raise NotFound
    return person


def roles_of(session: Session, city_id: int, person_id: int) -> dict[int, str]:
    """The person's accepted roles by organisation id."""
    return {id_: role for _, id_, role in session.execute(membership_roles(city_id, person_id))}


def membership_roles(city_id: Any, person_id: Any) -> Select[str, int, str]:
    """The same as a query, of rows (MEMBERSHIP, id, role); the arguments may be columns of one around it."""
    return select(literal(MEMBERSHIP), Membership.organisation_id, Membership.role).where(
        Membership.city_id == city_id,
        Membership.person_id == person_id,
        Membership.accepted_at.is_not(None),
    )


def organisations_of(session: Session, actor: Actor) -> Sequence[Organisation]:
    """The organisations that the actor may book for, by name."""
    ids = [organisation_id for organisation_id in actor.roles if actor.may_book_for(organisation_id)]
    return _named(session, actor.city_id, ids)


def memberships_of(session: Session, actor: Actor) -> list[tuple[Organisation, str]]:
    """Every organisation of the actor with the role in it, by name."""
    return [(o, actor.roles[o.id]) for o in _named(session, actor.city_id, list(actor.roles))]


def _named(session: Session, city_id: int, ids: Sequence[int]) -> Sequence[Organisation]:
    if not ids:
        return []
    return session.scalars(
        select(Organisation)
        .where(Organisation.city_id == city_id, Organisation.id.in_(ids))
        .order_by(Organisation.name, Organisation.id)
    ).all()


def organisation_for(session: Session, organisation_id: int, *, actor: Actor) -> Organisation:
    """An organisation of the actor's own. Raises NotFound for others: who belongs where is their own affair."""
    if organisation_id not in actor.roles:
        raise NotFound
    organisation = session.get(Organisation, (actor.city_id, organisation_id))
    if organisation is None:
        raise NotFound
    return organisation


def locked_organisation(session: Session, city_id: int, organisation_id: int) -> Organisation:
    """The organisation's row, locked until the end of the transaction: changes of roles wait for each other."""
    organisation = session.scalar(
        select(Organisation)
        .where(Organisation.city_id == city_id, Organisation.id == organisation_id)
        .with_for_update()
    )
    if organisation is None:
        raise NotFound
    return organisation


def roles_in(session: Session, organisation: Organisation) -> dict[int, str]:
    """Accepted roles by person id."""
    rows = session.execute(
        select(Membership.person_id, Membership.role).where(
            Membership.city_id == organisation.city_id,
            Membership.organisation_id == organisation.id,
            Membership.accepted_at.is_not(None),
        )
    )
    return {person_id: role for person_id, role in rows}


def members_of(session: Session, organisation: Organisation) -> list[tuple[Person, str]]:
    """People with their roles, by name; for managers only."""
    rows = session.execute(
        select(Person, Membership.role)
        .join(Membership, (Membership.city_id == Person.city_id) & (Membership.person_id == Person.id))
        .where(
            Membership.city_id == organisation.city_id,
            Membership.organisation_id == organisation.id,
            Membership.accepted_at.is_not(None),
        )
        .order_by(func.lower(Person.name), Person.id)
    )
    return [(person, role) for person, role in rows]


def member_count(session: Session, organisation: Organisation) -> int:
    return len(roles_in(session, organisation))


def open_invitations(session: Session, organisation: Organisation, at: datetime) -> Sequence[Invitation]:
    """Addresses that have been invited and have not answered; for managers only."""
    return session.scalars(
        select(Invitation)
        .where(
            Invitation.city_id == organisation.city_id,
            Invitation.organisation_id == organisation.id,
            Invitation.expires_at > at,
        )
        .order_by(Invitation.email)
    ).all()


@dataclass(frozen=True)
class Invited:
    """An invitation as the invited person sees it."""

    id: int
    organisation: str
    inviter: str
    role: str
    created_at: datetime


def invitations_to(session: Session, actor: Actor, at: datetime) -> list[Invited]:
    """Open invitations to the actor's own, confirmed address."""
    if not actor.is_verified:
        return []
    rows = session.execute(
        select(Invitation, Organisation.name, Person.name)
        .join(
            Organisation,
            (Organisation.city_id == Invitation.city_id) & (Organisation.id == Invitation.organisation_id),
        )
        .join(Person, (Person.city_id == Invitation.city_id) & (Person.id == Invitation.invited_by))
        .where(
            Invitation.city_id == actor.city_id,
            Invitation.email == actor.email,
            Invitation.expires_at > at,
        )
        .order_by(Invitation.created_at)
    )
    return [
        Invited(invitation.id, organisation, inviter, invitation.role, invitation.created_at)
        for invitation, organisation, inviter in rows
    ]
