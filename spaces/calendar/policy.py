"""Who may say when a space is open."""

from marketplace.accounts.actor import Actor
from spaces.catalog import policy as catalog
from spaces.catalog.models import Venue


def may_set_hours(actor: Actor, venue: Venue) -> bool:
    """Those who manage the place."""
    return catalog.may_manage(actor, venue)


def require_may_set_hours(actor: Actor, venue: Venue) -> None:
    """Raises NotYourVenue."""
    catalog.require_may_manage(actor, venue)
