"""What the pages show of invoices, in the reader's words. No writes, no decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext

from bookings.invoices import rules
from bookings.invoices.models import CostObject, Invoice, InvoiceLine
from bookings.invoices.queries import SeenInvoice
from marketplace.errors import N_
from marketplace.money import Money
from marketplace.web.i18n import format_day, format_money, format_number, localised

STATES: Mapping[str, tuple[str, str]] = {
    "sent": ("info", N_("To be paid")),
    "paid": ("success", N_("Paid")),
    "overdue": ("alert", N_("Overdue")),
    "credited": ("neutral", N_("Credited")),
}
CREDIT_NOTE = N_("Credit note")
PROBLEMS = {
    "seller": N_("The seller’s details are missing."),
    "terms": N_("The organisation has not given its billing address."),
    "": N_("Goes out on its day."),
}


@dataclass(frozen=True)
class Row:
    """An invoice in a list."""

    id: int
    number: str
    buyer: str
    issued: str
    due: str
    state: tuple[str, str]
    gross: Money
    owed: Money | None


@dataclass(frozen=True)
class LineRow:
    position: int
    text: str
    booking: str
    rate: str
    net: Money
    vat: Money
    gross: Money
    left: Money  # what may still be credited of it


def state_text(invoice: Invoice) -> tuple[str, str]:
    """(kind of label, text)."""
    if invoice.kind == "credit_note":
        return "neutral", str(gettext(CREDIT_NOTE))
    kind, text = STATES[invoice.state]
    return kind, str(gettext(text))


def owed_of(invoice: Invoice) -> Money | None:
    """What is still owed; negative where too much came. None for a credit note."""
    if invoice.kind == "credit_note":
        return None
    minor = rules.owed(invoice.gross_minor, invoice.credited_minor, invoice.paid_minor)
    return Money(minor, invoice.currency)


def row_of(invoice: Invoice) -> Row:
    return Row(
        invoice.id,
        invoice.number,
        str(invoice.buyer.get("name", "")),
        format_day(invoice.issued_on, year=True),
        format_day(invoice.due_on, year=True) if invoice.kind == "invoice" else "",
        state_text(invoice),
        Money(invoice.gross_minor, invoice.currency),
        owed_of(invoice),
    )


def line_rows(seen: SeenInvoice, credited: Mapping[int, rules.Amounts] | None = None) -> list[LineRow]:
    return [line_row(line, seen.invoice.currency, (credited or {}).get(line.position)) for line in seen.lines]


def line_row(line: InvoiceLine, currency: str, credited: rules.Amounts | None) -> LineRow:
    gone = credited.gross_minor if credited else 0
    return LineRow(
        line.position,
        localised(line.texts),
        line.booking_reference,
        format_number(line.vat_basis_points / 100),
        Money(line.net_minor, currency),
        Money(line.vat_minor, currency),
        Money(line.gross_minor, currency),
        Money(max(0, line.gross_minor - gone), currency),
    )


def sum_rows(seen: SeenInvoice) -> list[tuple[str, ...]]:
    """The rows of `ui.price_lines` under the lines: net, and the tax of each rate."""
    invoice = seen.invoice
    rows: list[tuple[str, ...]] = [
        (str(gettext("Price without tax")), format_money(Money(invoice.net_minor, invoice.currency)), "quiet")
    ]
    for rate in rules.sums_by_rate(seen.lines):
        text = gettext(
            "VAT %(rate)s %% of %(net)s",
            rate=format_number(rate.basis_points / 100),
            net=format_money(Money(rate.net_minor, invoice.currency)),
        )
        rows.append((str(text), format_money(Money(rate.vat_minor, invoice.currency)), "quiet"))
    return rows


def payment_told(owed_minor: int, currency: str) -> str:
    """What a registered payment leaves."""
    if owed_minor == 0:
        return str(gettext("The payment is registered. The invoice is paid."))
    sum_ = format_money(Money(abs(owed_minor), currency))
    if owed_minor > 0:
        return str(gettext("The payment is registered. %(sum)s is still missing.", sum=sum_))
    return str(gettext("The payment is registered. %(sum)s came too much and is to be returned.", sum=sum_))


@dataclass(frozen=True)
class CostRow:
    value: str  # "<owner>:<venue>" of the form
    owner: str
    venue: str
    cost_centre: str
    internal_order: str
    gl_account: str


def place_value(owner_id: int, venue_id: int | None) -> str:
    return f"{owner_id}:{venue_id or ''}"


def cost_rows(rows: Sequence[CostObject], names: Mapping[str, tuple[str, str]]) -> list[CostRow]:
    found = []
    for row in rows:
        value = place_value(row.organisation_id, row.venue_id)
        owner, venue = names.get(value, ("", ""))
        found.append(CostRow(value, owner, venue, row.cost_centre, row.internal_order, row.gl_account))
    return sorted(found, key=lambda one: (one.owner, one.venue))
