"""What may follow what, and how money is shared to the last cent. Pure; amounts are whole minor units.

The ledger's accounts. A positive amount is a debit: more owed to us, more money with us, or less owed by us.

=============  ======================================================================================================
payer          what payers owe us; a sale debits it, a payment credits it
gateway        our own money at the gateway
bank           our own money at the bank
supplier       what we owe a supplier (party): a sale of theirs credits it with the whole price, a payment debits it as
               the gateway passes the money on and the city takes its fee
income         the city's own sales, net of tax
vat            tax that the city owes, by rate
city_fee       what the city keeps of suppliers' income
gateway_fee    what the gateway keeps
kept_fee       what is kept when somebody cancels
refunds        given back without a sale that it undoes
invoices       what is owed on an invoice
on_the_spot    what is owed or paid at the venue itself
disputed       what payers' banks have taken back
=============  ======================================================================================================

A payment posts what moves at the gateway and nothing else (`captured_lines`, `refunded_lines`). What was sold is posted
by whoever sold it, against `payer`: with `income` and `vat` where the city sells, with `supplier` where a supplier does.
Where all is done, `payer` and `supplier` come to zero for each reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.money import Money, round_half_up

ACCOUNTS = (
    "payer",
    "gateway",
    "bank",
    "supplier",
    "income",
    "vat",
    "city_fee",
    "gateway_fee",
    "kept_fee",
    "refunds",
    "invoices",
    "on_the_spot",
    "disputed",
)
PAYMENT_STATES = ("created", "open", "authorised", "paid", "failed", "cancelled", "expired")
# A state is left for a higher one only, so that news may come late, twice and in any order. Money that was taken is the
# last word: whoever is told of it after the end has to give it back or the place.
RANK = {"created": 0, "open": 1, "authorised": 2, "failed": 3, "cancelled": 3, "expired": 3, "paid": 4}
UNDECIDED = ("created", "open", "authorised")
CAPTURES = ("automatic", "manual")
WISHES = ("capture", "cancel")
REFUND_STATES = ("requested", "sent", "succeeded", "failed")
# A refund that succeeded can still come back; one that failed never succeeds: it is asked for anew.
REFUND_RANK = {"requested": 0, "sent": 1, "succeeded": 2, "failed": 3}
DISPUTE_STATES = ("warning", "open", "won", "lost")
DISPUTE_RANK = {"warning": 0, "open": 1, "won": 2, "lost": 2}
# A payer's bank has the money then.
TAKEN = ("open", "lost")
PAYEE_STATES = ("onboarding", "restricted", "enabled", "disabled")
PAYOUT_STATES = ("pending", "in_transit", "paid", "failed", "cancelled")
# The bank can send back what had arrived.
PAYOUT_RANK = {"pending": 0, "in_transit": 1, "paid": 2, "failed": 3, "cancelled": 3}


@dataclass(frozen=True)
class Posting:
    """A line of the ledger that is to be: debit positive. `party_id` None: the city."""

    account: str
    amount_minor: int
    party_id: int | None = None
    vat_basis_points: int | None = None


def moves_on(now: str, seen: str) -> bool:
    """Whether a payment in state `now` is moved by news of state `seen`."""
    return RANK[seen] > RANK[now]


def refund_moves_on(now: str, seen: str) -> bool:
    return REFUND_RANK[seen] > REFUND_RANK[now]


def dispute_moves_on(now: str, seen: str) -> bool:
    return DISPUTE_RANK[seen] > DISPUTE_RANK[now]


def payout_moves_on(now: str, seen: str) -> bool:
    return PAYOUT_RANK[seen] > PAYOUT_RANK[now]


def share(amount: int, part: int, whole: int) -> int:
    """The share of `amount` that goes with `part` of `whole`, rounded half up: 0 of nothing, all of all."""
    if not 0 <= part <= whole or whole <= 0:
        raise ValueError(f"{part} is no part of {whole}")
    return round_half_up(Decimal(amount) * part / whole)


def fee_given_back(fee: int, captured: int, *, refunded_before: int, fee_before: int, amount: int) -> int:
    """The share of the city's fee that goes back with a refund of `amount`.

    `refunded_before` and `fee_before` are of the refunds so far. Shares are taken of the running total, so that many small
    refunds give back as much as one, and the last one all that is left.
    """
    due = share(fee, refunded_before + amount, captured) - fee_before
    return max(0, min(due, amount))


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """`total` over lines in proportion to `weights` (none negative), without losing a cent: largest remainders first."""
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("nothing to spread over")
        return [0] * len(weights)
    sign, amount = (-1 if total < 0 else 1), abs(total)
    shares = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda n: (-(amount * weights[n] % whole), n))
    for n in by_remainder[: amount - sum(shares)]:
        shares[n] += 1
    return [sign * one for one in shares]


def net_and_vat(gross: int, basis_points: int) -> tuple[int, int]:
    """(net, tax) inside a gross amount; they always sum to it. A refund of −x has exactly the lines of x, negated."""
    net = Money(abs(gross)).without_vat(basis_points).minor * (-1 if gross < 0 else 1)
    return net, gross - net


def captured_lines(captured: int, fee: int, party_id: int | None) -> list[Posting]:
    """A payment has come: the payer owes less. A supplier's goes on to them at once, less the city's fee."""
    lines = [Posting("gateway", captured), Posting("payer", -captured)]
    if party_id is not None:
        lines += [
            Posting("supplier", captured, party_id),
            Posting("gateway", fee - captured),
            Posting("city_fee", -fee),
        ]
    return real(lines)


def refunded_lines(amount: int, fee: int, party_id: int | None) -> list[Posting]:
    """Money has gone back, the supplier's and the city's share of it with it: the mirror of `captured_lines`."""
    return opposite(captured_lines(amount, fee, party_id))


def gateway_fee_lines(fee: int) -> list[Posting]:
    return real([Posting("gateway_fee", fee), Posting("gateway", -fee)])


def disputed_lines(amount: int) -> list[Posting]:
    return [Posting("disputed", amount), Posting("gateway", -amount)]


def opposite(lines: Sequence[Posting]) -> list[Posting]:
    return [Posting(line.account, -line.amount_minor, line.party_id, line.vat_basis_points) for line in lines]


def real(lines: Sequence[Posting]) -> list[Posting]:
    """Without lines of nothing, which the ledger refuses."""
    return [line for line in lines if line.amount_minor]
