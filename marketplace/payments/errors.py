"""What can be refused about payments, and what must never be: amounts that do not agree."""

from marketplace.errors import N_, Conflict, Forbidden


class PayeeNotReady(Conflict):
    code = "payee-not-ready"
    title = N_("This provider cannot take card payments yet.")


class PaymentOver(Conflict):
    code = "payment-over"
    title = N_("This payment has already been decided.")


class RefundTooLarge(Conflict):
    """More than is left of what was paid: `left_minor` in the payment's currency."""

    code = "refund-too-large"
    title = N_("There is not that much left to give back.")


class NoSupplier(Forbidden):
    code = "no-supplier"
    title = N_("Only a private provider opens an account for its income: the city has its own.")


class MoneyDisagrees(Exception):
    """Two places tell of different money; nothing is changed, and somebody has to look. No amounts of people's cards."""
