"""Who may do what with people and organisations."""

from marketplace.accounts.actor import Actor
from marketplace.accounts.errors import NotVerified
from marketplace.errors import Forbidden, Unauthenticated

# These list spaces without the city's approval, so only the city's staff says who they are.
FOUNDED_BY_STAFF = ("city_division", "public_body")


def require_verified(actor: Actor) -> int:
    """The person's id; only people who have proved their address act in other people's sight."""
    if actor.person_id is None:
        raise Unauthenticated
    if not actor.is_verified:
        raise NotVerified
    return actor.person_id


def may_create(actor: Actor, kind: str) -> bool:
    """A city division lists the city's own spaces, so only staff add one."""
    return actor.is_verified and (kind not in FOUNDED_BY_STAFF or actor.is_staff)


def require_manager(role: str | None) -> None:
    """`role` is read after the organisation's row was locked: the actor's own copy may be of yesterday."""
    if role != "manager":
        raise Forbidden


def may_act_as(actor: Actor, organisation_id: int | None) -> bool:
    return organisation_id is None or actor.may_book_for(organisation_id)


def may_identify(actor: Actor, person_id: int) -> bool:
    """Whose word it takes that a person is who they say: staff at a counter, of others than themselves, and the operator."""
    if actor.person_id is None:
        return actor.source == "command"
    return actor.is_staff and actor.is_verified and actor.person_id != person_id
