"""Who decides about customer groups."""

from marketplace.accounts.actor import Actor
from marketplace.errors import Forbidden


def may_give_groups(actor: Actor) -> bool:
    """The city's staff, and the program itself; nobody who merely is not signed in."""
    return actor.is_staff or actor.source in {"command", "job"}


def require_may_give_groups(actor: Actor) -> None:
    """Raises Forbidden."""
    if not may_give_groups(actor):
        raise Forbidden
