"""Who does what at one venue: roles given and taken."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.policy import require_verified
from marketplace.accounts.queries import person_of_email
from marketplace.errors import N_, FieldError, Invalid
from spaces.catalog import policy
from spaces.catalog.errors import RoleGone
from spaces.catalog.models import VENUE_ROLES, Venue, VenueRole


def give_role(session: Session, venue: Venue, *, email: str, role: str, actor: Actor) -> None:
    """Give a person with an account a role at the venue, instead of the one they had there.

    Raises NotYourVenue, Invalid for an address without a confirmed account or an unknown role.
    """
    require_verified(actor)
    policy.require_may_give_roles(actor, venue)
    if role not in VENUE_ROLES:
        raise Invalid(FieldError("role", "unknown", N_("Choose a role from the list.")))
    person = person_of_email(session, venue.city_id, email)
    if person is None or person.email_verified_at is None:
        raise Invalid(
            FieldError("email", "unknown", N_("Nobody with this address has a confirmed account yet."))
        )
    mine = (
        VenueRole.city_id == venue.city_id,
        VenueRole.venue_id == venue.id,
        VenueRole.person_id == person.id,
    )
    before = session.scalar(select(VenueRole.role).where(*mine).with_for_update())
    if before == role:
        return
    session.execute(
        insert(VenueRole)
        .values(city_id=venue.city_id, venue_id=venue.id, person_id=person.id, role=role)
        .on_conflict_do_update(index_elements=["city_id", "venue_id", "person_id"], set_={"role": role})
    )
    audit(
        session, actor, "venue.role-given", "venue", venue.id,
        person=person.name, before={"role": before}, after={"role": role},
    )  # fmt: skip
    session.flush()


def take_role(session: Session, venue: Venue, role_id: int, *, actor: Actor) -> None:
    """Take a role at the venue back. Raises NotYourVenue, RoleGone."""
    policy.require_may_give_roles(actor, venue)
    row = session.get(VenueRole, (venue.city_id, role_id))
    if row is None or row.venue_id != venue.id:
        raise RoleGone
    audit(
        session, actor, "venue.role-taken", "venue", venue.id,
        person_id=row.person_id, before={"role": row.role}, after={"role": None},
    )  # fmt: skip
    session.delete(row)
    session.flush()
