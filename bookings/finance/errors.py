"""What can be refused about the pages of money."""

from marketplace.errors import N_, Conflict, Forbidden, NotFound


class NoIncome(Forbidden):
    code = "no-income"
    title = N_("Income is shown to the managers of organisations that offer spaces, and to the city’s staff.")


class SupplierNotFound(NotFound):
    code = "supplier-not-found"
    title = N_("We did not find this provider.")


class NotFailed(Conflict):
    """Somebody was quicker, or it has gone through meanwhile."""

    code = "not-failed"
    title = N_("This needs no retry any more.")


class OnlyStaffRetry(Forbidden):
    code = "only-staff-retry"
    title = N_("Only the city’s staff try payments again.")


class ItemNotFound(NotFound):
    code = "money-item-not-found"
    title = N_("We did not find this.")
