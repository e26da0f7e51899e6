"""Who may see and change what is offered."""

from marketplace.accounts.actor import Actor
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue


def may_manage(actor: Actor, venue: Venue) -> bool:
    """Managers of the owner organisation, and the city's staff."""
    return actor.city_id == venue.city_id and (actor.is_staff or actor.manages(venue.owner_id))


def may_see(actor: Actor, space: Space, venue: Venue) -> bool:
    """Anyone sees what is published; the rest is for those who run the place."""
    return space.state == "published" or may_manage(actor, venue)


def require_may_manage(actor: Actor, venue: Venue) -> None:
    """Raises NotYourVenue."""
    if not may_manage(actor, venue):
        raise NotYourVenue
