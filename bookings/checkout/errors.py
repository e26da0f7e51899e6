"""Named refusals of paying."""

from marketplace.errors import N_, Conflict, NotFound


class OrderNotFound(NotFound):
    code = "order-not-found"
    title = N_("We did not find this order.")


class NothingToPay(Conflict):
    """Paid already, or over; `state` says which."""

    code = "nothing-to-pay"
    title = N_("There is nothing to pay any more.")
