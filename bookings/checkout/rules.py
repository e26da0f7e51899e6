"""Pure decisions about orders: which state may follow which, what each line's tax is, what a change of price means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from marketplace.money import Money

STATES = (
    "open",
    "authorised",
    "paid",
    "invoiced",
    "on_the_spot",
    "cancelled",
    "expired",
    "partly_refunded",
    "refunded",
)
TRANSITIONS: dict[str, frozenset[str]] = {
    "open": frozenset({"authorised", "paid", "cancelled", "expired"}),
    # Open again, where the money that was set aside is not to be had.
    "authorised": frozenset({"open", "paid", "cancelled"}),
    "paid": frozenset({"partly_refunded", "refunded"}),
    "invoiced": frozenset({"partly_refunded", "refunded"}),
    "on_the_spot": frozenset({"partly_refunded", "refunded"}),
    # The money may come after all: a card page that was open in another window, a message that was late.
    "cancelled": frozenset({"authorised", "paid"}),
    "expired": frozenset({"authorised", "paid"}),
    "partly_refunded": frozenset({"partly_refunded", "refunded"}),
    "refunded": frozenset(),
}
# Nothing was sold, so nothing is owed.
CAME_TO_NOTHING = frozenset({"cancelled", "expired"})
# What was sold, and stands in the ledger.
SOLD = frozenset({"paid", "invoiced", "on_the_spot", "partly_refunded", "refunded"})
LINE_KINDS = ("sale", "refund", "kept_fee")

# A page of a payment service is open for at least half an hour, so that no card is charged for what is over already.
PAGE_OPEN = timedelta(minutes=31)


class Summed(Protocol):
    """A line that has its tax apart."""

    @property
    def net_minor(self) -> int: ...
    @property
    def vat_minor(self) -> int: ...
    @property
    def vat_basis_points(self) -> int: ...


@dataclass(frozen=True)
class PlainLine:
    """One line with its tax, all in minor units: gross is net and tax."""

    code: str
    quantity: str
    gross_minor: int
    vat_minor: int
    vat_basis_points: int
    note: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.vat_minor


def may_follow(state: str, following: str) -> bool:
    return following in TRANSITIONS[state]


def sold_lines(
    lines: Sequence[Mapping[str, Any]], *, vat_minor: int, basis_points: int, currency: str = "EUR"
) -> list[PlainLine]:
    """The lines a booking was sold at, each with its tax; their tax adds up to `vat_minor`, to the cent.

    Equipment has its own rate; where the tax is a line of its own, by the city's tariff, it has all of the space's tax.
    What the lines themselves say goes before `vat_minor`, of which the space's own lines get the rest.
    """
    taxes: dict[int, int] = {}
    rates: dict[int, int] = {}
    for n, line in enumerate(lines):
        about = line.get("about") or {}
        if "extra" in about:
            rates[n] = int(about.get("vat_basis_points", basis_points))
            taxes[n] = Money(line["total_minor"], currency).vat_included(rates[n]).minor
    own = [n for n in range(len(lines)) if n not in taxes]
    rest = vat_minor - sum(taxes.values())
    tax_line = next((n for n in own if lines[n]["code"] == "tariff_vat"), None)
    if tax_line is not None:
        taxes |= dict.fromkeys(own, 0)
        taxes[tax_line] = rest
    else:
        taxes |= dict(zip(own, shared(rest, [lines[n]["total_minor"] for n in own]), strict=True))
    return [
        PlainLine(
            line["code"],
            str(line["quantity"]),
            line["total_minor"],
            taxes[n],
            rates.get(n, basis_points),
            line.get("note", ""),
            line.get("about") or {},
        )
        for n, line in enumerate(lines)
    ]


def shared(whole: int, parts: Sequence[int]) -> list[int]:
    """`whole` over the parts by their size, in whole units that add up to it: each gets what rounding the sum up to it
    leaves. Where the parts are nothing together, the last one has it all."""
    total = sum(parts)
    if not parts:
        return []
    if total == 0:
        return [0] * (len(parts) - 1) + [whole]
    shares, so_far, given = [], 0, 0
    for part in parts:
        so_far += part
        upto = (2 * whole * so_far + total) // (2 * total)
        shares.append(upto - given)
        given = upto
    return shares


def by_rate(lines: Iterable[Summed]) -> dict[int, tuple[int, int]]:
    """(net, tax) in minor units for each rate."""
    found: dict[int, tuple[int, int]] = {}
    for line in lines:
        net, vat = found.get(line.vat_basis_points, (0, 0))
        found[line.vat_basis_points] = net + line.net_minor, vat + line.vat_minor
    return found


def back_lines(lines: Sequence[PlainLine], *, back_minor: int, code: str) -> list[PlainLine]:
    """What is given back of these lines, as negative lines, one for each rate: gross and tax by the same share."""
    gross: dict[int, int] = {}
    for line in lines:
        gross[line.vat_basis_points] = gross.get(line.vat_basis_points, 0) + line.gross_minor
    tax = {rate: vat for rate, (_, vat) in by_rate(lines).items()}
    rates = sorted(rate for rate in gross if gross[rate])
    shares = shared(back_minor, [gross[rate] for rate in rates])
    found = []
    for rate, share in zip(rates, shares, strict=True):
        vat = shared(tax[rate], [share, gross[rate] - share])[0]
        if share:
            found.append(PlainLine(code, "1", -share, -vat, rate))
    return found


def cancelled_lines(
    lines: Sequence[PlainLine], *, back_minor: int, kept_minor: int, code: str
) -> tuple[list[PlainLine], list[PlainLine]]:
    """(what is undone, what is kept) of these lines: together they take `back_minor` off them, and what is kept becomes a
    sale of its own kind, at the same rates."""
    undone = back_lines(lines, back_minor=back_minor + kept_minor, code=code)
    if not kept_minor:
        return undone, []
    there = [
        PlainLine("kept", "1", -line.gross_minor, -line.vat_minor, line.vat_basis_points) for line in undone
    ]
    kept = [
        PlainLine("kept", "1", -line.gross_minor, -line.vat_minor, line.vat_basis_points)
        for line in back_lines(there, back_minor=kept_minor, code="kept")
    ]
    return undone, kept


def missing_lines(wanted: Sequence[PlainLine], sold: Sequence[PlainLine], *, code: str) -> list[PlainLine]:
    """What the wanted lines come to beyond those that are sold already, one line for each rate."""
    want, have = by_rate(wanted), by_rate(sold)
    found = []
    for rate in sorted({*want, *have}):
        net, vat = (a - b for a, b in zip(want.get(rate, (0, 0)), have.get(rate, (0, 0)), strict=True))
        if net or vat:
            found.append(PlainLine(code, "1", net + vat, vat, rate))
    return found


def state_after_refund(*, total_minor: int, refunded_minor: int) -> str:
    return "refunded" if refunded_minor >= total_minor else "partly_refunded"


def page_closes(expires_at: datetime | None, *, at: datetime) -> datetime:
    """Until when the page of the payment service is to be open."""
    soonest = at + PAGE_OPEN
    return soonest if expires_at is None else max(soonest, expires_at)
