"""What each change of an order says in the ledger: its own lines, net and tax apart, against what the payer owes."""

from collections.abc import Iterable

from bookings.checkout.models import Order, OrderLine
from marketplace.payments.rules import Posting

# Where what is sold in each way is owed: to be paid by card or by invoice by the payer, else at the place.
OWED_ON = {"card": "payer", "invoice": "payer", "on_the_spot": "on_the_spot"}


def postings_of(order: Order, lines: Iterable[OrderLine]) -> list[Posting]:
    """The balanced postings of these lines: what they come to is owed, or given back where it is negative.

    Of the city's own sales the net is income, or what is kept of a cancellation, and the tax is tax at its rate; a private
    supplier's sale is owed to them whole, tax included: it is theirs to account for.
    """
    sums: dict[tuple[str, int | None, int | None], int] = {}

    def add(account: str, amount: int, *, party: int | None = None, rate: int | None = None) -> None:
        key = account, party, rate
        sums[key] = sums.get(key, 0) + amount

    payee = order.payee_organisation_id
    for line in lines:
        add(OWED_ON[order.way], line.gross_minor)
        if payee is not None:
            add("supplier", -line.gross_minor, party=payee)
            continue
        add("kept_fee" if line.kind == "kept_fee" else "income", -line.net_minor)
        add("vat", -line.vat_minor, rate=line.vat_basis_points)
    return [
        Posting(account, amount, party, rate) for (account, party, rate), amount in sums.items() if amount
    ]
