"""Who may see an order, and who may pay it."""

from bookings.checkout.models import Order
from marketplace.accounts.actor import Actor


def is_own(actor: Actor, order: Order) -> bool:
    return actor.is_signed_in and actor.city_id == order.city_id and actor.person_id == order.person_id


def may_see_order(actor: Actor, order: Order) -> bool:
    """The one who booked, who books for the organisation that pays, who runs the supplier that is paid, the city's staff."""
    if not actor.is_signed_in or actor.city_id != order.city_id:
        return False
    return (
        may_pay(actor, order)
        or (order.payee_organisation_id is not None and actor.manages(order.payee_organisation_id))
        or actor.is_staff
    )


def may_pay(actor: Actor, order: Order) -> bool:
    """The one who booked, and whoever books for the organisation that it is for."""
    if not actor.is_signed_in or actor.city_id != order.city_id:
        return False
    if order.organisation_id is None:
        return is_own(actor, order)
    return is_own(actor, order) or actor.may_book_for(order.organisation_id)
