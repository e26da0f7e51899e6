"""Who may see and change what is offered.

Rights come from the role in the owner organisation, from a role at the venue itself, or from being the city's staff.
"""

from marketplace.accounts.actor import Actor
from spaces.catalog.errors import NotYourVenue, OnlyStaffApprove
from spaces.catalog.models import Space, Venue

MANAGE = frozenset({"owner", "manager"})
HANDLE = MANAGE | {"handler"}
READ = HANDLE | {"viewer"}
VIEW = READ | {"crew"}


def role_at(actor: Actor, venue: Venue) -> str | None:
    """The actor's role at this very venue."""
    return actor.grants.get(("venue", venue.id))


def runs(actor: Actor, venue: Venue) -> bool:
    return actor.city_id == venue.city_id and (actor.is_staff or actor.manages(venue.owner_id))


def may_manage(actor: Actor, venue: Venue) -> bool:
    """Change listings, hours and prices: managers of the owner organisation or of the venue, and the city's staff."""
    return runs(actor, venue) or (actor.city_id == venue.city_id and role_at(actor, venue) in MANAGE)


def may_handle(actor: Actor, venue: Venue) -> bool:
    """Answer requests: those who manage, and handlers of the venue."""
    return runs(actor, venue) or (actor.city_id == venue.city_id and role_at(actor, venue) in HANDLE)


def may_read(actor: Actor, venue: Venue) -> bool:
    """See who uses the venue: those who handle, and its viewers."""
    return runs(actor, venue) or (actor.city_id == venue.city_id and role_at(actor, venue) in READ)


def may_view(actor: Actor, venue: Venue) -> bool:
    """See the venue's listings in any state and when they are used: everyone with a role there, crews too."""
    return runs(actor, venue) or (actor.city_id == venue.city_id and role_at(actor, venue) in VIEW)


def may_give_roles(actor: Actor, venue: Venue) -> bool:
    """Decide who does what at the venue: managers of the owner organisation, the venue's owners, and staff."""
    return runs(actor, venue) or (actor.city_id == venue.city_id and role_at(actor, venue) == "owner")


def may_list_for(actor: Actor, organisation_id: int) -> bool:
    """Add places of this organisation."""
    return actor.manages(organisation_id)


def may_see(actor: Actor, space: Space, venue: Venue) -> bool:
    """Anyone sees what is published; the rest is for those who work at the place."""
    return space.state == "published" or may_view(actor, venue)


def require_may_manage(actor: Actor, venue: Venue) -> None:
    """Raises NotYourVenue."""
    if not may_manage(actor, venue):
        raise NotYourVenue


def require_may_handle(actor: Actor, venue: Venue) -> None:
    """Raises NotYourVenue."""
    if not may_handle(actor, venue):
        raise NotYourVenue


def require_may_give_roles(actor: Actor, venue: Venue) -> None:
    """Raises NotYourVenue."""
    if not may_give_roles(actor, venue):
        raise NotYourVenue


def require_may_approve(actor: Actor, venue: Venue) -> None:
    """The city looks at a private supplier's first listing. Raises OnlyStaffApprove."""
    if actor.city_id != venue.city_id or not actor.is_staff:
        raise OnlyStaffApprove
