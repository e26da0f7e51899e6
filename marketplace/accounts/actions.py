"""Changes of people's own facts, organisations and who belongs to them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import policy, queries, rules
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.business_id import normalised
from marketplace.accounts.errors import InvitationGone, LastManager, MemberGone
from marketplace.accounts.models import Invitation, Membership, Organisation, Person
from marketplace.errors import N_, FieldError, Forbidden, Invalid
from marketplace.jobs.messages import publish

OWN_BUSINESS_ID = "uq_organisation_own_business_id"
NAME_AND_BUSINESS_ID = "uq_organisation_city_id_business_id_name"


def update_profile(
    session: Session,
    person: Person,
    *,
    name: str,
    phone: str | None,
    language: str,
    actor: Actor,
) -> None:
    """Change a person's own facts; the audit trail tells which, not what.

    Raises Invalid for the name of somebody whose identity has been confirmed: it is the document's.
    """
    if person.identified_at is not None and name != person.name:
        text = N_(
            "Your identity has been confirmed by this name. A new name is confirmed at a service point."
        )
        raise Invalid(FieldError("name", "identified", text))
    change_person(session, person, {"name": name, "phone": phone or None, "language": language}, actor=actor)


def change_person(
    session: Session, person: Person, new: Mapping[str, Any], *, actor: Actor, action: str = "person.changed"
) -> None:
    changed = [field for field, value in new.items() if getattr(person, field) != value]
    for field in changed:
        setattr(person, field, new[field])
    if changed:
        audit(session, actor, action, "person", person.id, fields=changed)
        session.flush()


def tell_birth_date(
    session: Session, person: Person, birth_date: date | None, *, actor: Actor, today: date
) -> None:
    """Keep the day a person was born, or forget it (None).

    Raises Invalid for a day that cannot be, and for another one than a document has shown.
    """
    if birth_date == person.birth_date:
        return
    if person.identified_at is not None and person.birth_date is not None:
        text = N_("This day has been confirmed from a document. It is corrected at a service point.")
        raise Invalid(FieldError("birth_date", "identified", text))
    if birth_date is not None and (problem := rules.birth_date_problem(birth_date, today)):
        raise Invalid(problem)
    change_person(session, person, {"birth_date": birth_date}, actor=actor)


def identify_person(
    session: Session,
    person: Person,
    *,
    name: str,
    birth_date: date,
    actor: Actor,
    at: datetime,
    today: date,
) -> None:
    """Write down that the person's identity has been seen from a document, with the name and the day of birth in it.

    Raises Forbidden, Invalid for a day that cannot be.
    """
    if actor.city_id != person.city_id or not policy.may_identify(actor, person.id):
        raise Forbidden
    if problem := rules.birth_date_problem(birth_date, today):
        raise Invalid(problem)
    session.refresh(person, with_for_update=True)
    new = {"name": name, "birth_date": birth_date, "identified_at": person.identified_at or at}
    change_person(session, person, new, actor=actor, action="person.identified")


def withdraw_identity(session: Session, person: Person, *, actor: Actor) -> None:
    """The confirmation was a mistake; name and day of birth stay and can be changed again. Raises Forbidden."""
    if actor.city_id != person.city_id or not policy.may_identify(actor, person.id):
        raise Forbidden
    session.refresh(person, with_for_update=True)
    change_person(session, person, {"identified_at": None}, actor=actor, action="person.identity-withdrawn")


def create_organisation(
    session: Session, *, actor: Actor, kind: str, name: str, business_id: str, at: datetime
) -> Organisation:
    """Add an organisation with the actor as its manager. Sent twice, the same one is returned.

    Raises Invalid for a bad or known business id, Forbidden for a kind that the actor may not add.
    """
    person_id = policy.require_verified(actor)
    if not policy.may_create(actor, kind):
        raise Forbidden
    if problem := rules.business_id_problem(kind, business_id):
        raise Invalid(problem)
    # Two presses of the button wait for each other here.
    session.execute(
        select(Person.id).where(Person.city_id == actor.city_id, Person.id == person_id).with_for_update()
    )
    number = normalised(business_id) if business_id else None
    if same := own_organisation(session, actor.city_id, person_id, kind=kind, name=name, business_id=number):
        return same
    organisation = Organisation(city_id=actor.city_id, kind=kind, name=name, business_id=number)
    try:
        with session.begin_nested():
            session.add(organisation)
            session.flush()
    except IntegrityError as error:
        if constraint_of(error) not in {OWN_BUSINESS_ID, NAME_AND_BUSINESS_ID}:
            raise
        text = N_(
            "An organisation with this business ID is already here. Ask one of its managers to invite you."
        )
        raise Invalid(FieldError("business_id", "taken", text)) from error
    session.add(
        Membership(
            city_id=actor.city_id,
            organisation_id=organisation.id,
            person_id=person_id,
            role="manager",
            accepted_at=at,
        )
    )
    audit(session, actor, "organisation.created", "organisation", organisation.id)
    session.flush()
    return organisation


def constraint_of(error: IntegrityError) -> str | None:
    """The name of the constraint that a change broke."""
    name: str | None = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return name


def own_organisation(
    session: Session, city_id: int, person_id: int, *, kind: str, name: str, business_id: str | None
) -> Organisation | None:
    """The very same organisation, if the person manages it already."""
    return session.scalar(
        select(Organisation)
        .join(
            Membership,
            (Membership.city_id == Organisation.city_id) & (Membership.organisation_id == Organisation.id),
        )
        .where(
            Organisation.city_id == city_id,
            Organisation.kind == kind,
            Organisation.name == name,
            Organisation.business_id.is_not_distinct_from(business_id),
            Membership.person_id == person_id,
            Membership.role == "manager",
        )
        .limit(1)
    )


def invite(
    session: Session,
    organisation_id: int,
    *,
    actor: Actor,
    email: str,
    role: str,
    submission: str,
    at: datetime,
) -> None:
    """Invite an address, known or not; inviting it again renews the invitation and its role.

    `submission` names this very sending, so that a double press writes one mail. Raises Invalid for a member.
    """
    person_id = policy.require_verified(actor)
    organisation = queries.locked_organisation(session, actor.city_id, organisation_id)
    roles = queries.roles_in(session, organisation)
    policy.require_manager(roles.get(person_id))
    known = queries.person_of_email(session, actor.city_id, email)
    if known is not None and known.id in roles:
        raise Invalid(FieldError("email", "member", N_("This person is a member already.")))
    expires_at = at + rules.INVITATION_LIFE
    new = {"role": role, "invited_by": person_id, "created_at": at, "expires_at": expires_at}
    invitation_id = session.scalar(
        insert(Invitation)
        .values(city_id=actor.city_id, organisation_id=organisation.id, email=email, **new)
        .on_conflict_do_update(index_elements=["city_id", "organisation_id", "email"], set_=new)
        .returning(Invitation.id)
    )
    audit(session, actor, "member.invited", "organisation", organisation.id, email=email, role=role)
    publish(
        session,
        "invitation.made",
        city_id=actor.city_id,
        invitation_id=invitation_id,
        language=actor.language,
        submission=submission,
    )
    session.flush()


def withdraw_invitation(session: Session, organisation_id: int, invitation_id: int, *, actor: Actor) -> None:
    """Take an open invitation back. Raises InvitationGone when it has been answered meanwhile."""
    organisation = queries.locked_organisation(session, actor.city_id, organisation_id)
    policy.require_manager(queries.roles_in(session, organisation).get(policy.require_verified(actor)))
    email = session.scalar(
        delete(Invitation)
        .where(
            Invitation.city_id == actor.city_id,
            Invitation.organisation_id == organisation.id,
            Invitation.id == invitation_id,
        )
        .returning(Invitation.email)
    )
    if email is None:
        raise InvitationGone
    audit(session, actor, "invitation.withdrawn", "organisation", organisation.id, email=email)
    session.flush()


def take_invitation(session: Session, invitation_id: int, *, actor: Actor, at: datetime) -> Invitation:
    """The invitation, if it is open and for this person's confirmed address; it is used up by this."""
    policy.require_verified(actor)
    organisation_id = session.scalar(
        select(Invitation.organisation_id).where(
            Invitation.city_id == actor.city_id,
            Invitation.id == invitation_id,
            Invitation.email == actor.email,
            Invitation.expires_at > at,
        )
    )
    if organisation_id is None:
        raise InvitationGone
    queries.locked_organisation(session, actor.city_id, organisation_id)
    invitation = session.get(Invitation, (actor.city_id, invitation_id), populate_existing=True)
    if invitation is None:
        raise InvitationGone
    session.delete(invitation)
    return invitation


def accept_invitation(session: Session, invitation_id: int, *, actor: Actor, at: datetime) -> Organisation:
    """Join the organisation in the role that was offered; an existing higher or lower role stays."""
    person_id = policy.require_verified(actor)
    invitation = take_invitation(session, invitation_id, actor=actor, at=at)
    session.execute(
        insert(Membership)
        .values(
            city_id=actor.city_id,
            organisation_id=invitation.organisation_id,
            person_id=person_id,
            role=invitation.role,
            invited_by=invitation.invited_by,
            accepted_at=at,
        )
        .on_conflict_do_nothing(index_elements=["city_id", "organisation_id", "person_id"])
    )
    audit(session, actor, "member.joined", "organisation", invitation.organisation_id, role=invitation.role)
    session.flush()
    return session.get_one(Organisation, (actor.city_id, invitation.organisation_id))


def decline_invitation(session: Session, invitation_id: int, *, actor: Actor, at: datetime) -> None:
    invitation = take_invitation(session, invitation_id, actor=actor, at=at)
    audit(session, actor, "invitation.declined", "organisation", invitation.organisation_id)
    session.flush()


def change_role(session: Session, organisation_id: int, person_id: int, *, role: str, actor: Actor) -> None:
    """Give a member another role. Raises LastManager when nobody would be left to manage."""
    organisation = queries.locked_organisation(session, actor.city_id, organisation_id)
    roles = queries.roles_in(session, organisation)
    policy.require_manager(roles.get(policy.require_verified(actor)))
    if person_id not in roles:
        raise MemberGone
    if roles[person_id] == role:
        return
    if rules.leaves_no_manager(roles, person_id, role):
        raise LastManager
    membership_of(session, organisation, person_id).role = role
    audit(
        session,
        actor,
        "member.role-changed",
        "organisation",
        organisation.id,
        member=person_id,
        role=role,
        before=roles[person_id],
    )
    session.flush()


def remove_member(session: Session, organisation_id: int, person_id: int, *, actor: Actor) -> None:
    """Take a member out: a manager anyone, others only themselves. Raises LastManager, MemberGone."""
    organisation = queries.locked_organisation(session, actor.city_id, organisation_id)
    roles = queries.roles_in(session, organisation)
    if person_id != actor.person_id:
        policy.require_manager(roles.get(policy.require_verified(actor)))
    if person_id not in roles:
        raise MemberGone
    if rules.leaves_no_manager(roles, person_id, None):
        raise LastManager
    session.delete(membership_of(session, organisation, person_id))
    action = "member.left" if person_id == actor.person_id else "member.removed"
    audit(session, actor, action, "organisation", organisation.id, member=person_id)
    session.flush()


def membership_of(session: Session, organisation: Organisation, person_id: int) -> Membership:
    return session.scalars(
        select(Membership).where(
            Membership.city_id == organisation.city_id,
            Membership.organisation_id == organisation.id,
            Membership.person_id == person_id,
        )
    ).one()
