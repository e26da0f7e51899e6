"""Who may do what about money."""

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.accounts.policy import require_verified
from marketplace.errors import Forbidden
from marketplace.payments.errors import NoSupplier

# The city itself, whatever the division: what is paid to it is the city's own.
CITY_KINDS = frozenset({"city_division"})


def may_see_income(actor: Actor, organisation_id: int) -> bool:
    """A supplier's income and payouts: its managers, and the city's staff."""
    return actor.manages(organisation_id) or actor.is_staff


def require_may_onboard(actor: Actor, organisation: Organisation) -> None:
    """A supplier's bank account is named by its managers alone; the city's divisions are paid by the city."""
    require_verified(actor)
    if not actor.manages(organisation.id):
        raise Forbidden
    if organisation.kind in CITY_KINDS:
        raise NoSupplier
