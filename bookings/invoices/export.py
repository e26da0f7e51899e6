"""The list for the city's accounting: a row for each line of an invoice, with its cost objects, as CSV."""

from collections.abc import Iterable, Mapping, Sequence

from bookings.invoices.finvoice import percent
from bookings.invoices.models import Invoice, InvoiceLine
from marketplace.spreadsheets import csv_text

# Fixed names, in no reader's language: a program reads them.
COLUMNS = (
    "document_type",
    "invoice_number",
    "credits_number",
    "document_date",
    "due_date",
    "reference",
    "customer",
    "business_id",
    "line",
    "text",
    "cost_centre",
    "internal_order",
    "gl_account",
    "vat_percent",
    "net",
    "vat",
    "gross",
    "currency",
    "booking",
    "order",
)
# SAP's document types: customer invoice, customer credit memo.
DOCUMENTS = {"invoice": "DR", "credit_note": "DG"}


def csv_of(rows: Iterable[tuple[Invoice, InvoiceLine]], numbers: Mapping[int, str]) -> bytes:
    """`numbers` are those of credited invoices, by id."""
    return csv_text(COLUMNS, (values(invoice, line, numbers) for invoice, line in rows)).encode()


def flat(text: object) -> str:
    return " ".join(str(text or "").split())


def values(invoice: Invoice, line: InvoiceLine, numbers: Mapping[int, str]) -> Sequence[str | int | None]:
    return [
        DOCUMENTS[invoice.kind],
        invoice.number,
        numbers.get(invoice.credits_id or 0, ""),
        invoice.issued_on.isoformat(),
        invoice.due_on.isoformat(),
        invoice.reference,
        flat(invoice.buyer.get("name")),
        flat(invoice.buyer.get("business_id")),
        str(line.position),
        flat(line.texts.get(invoice.language) or next(iter(line.texts.values()), "")),
        flat(line.cost_centre),
        flat(line.internal_order),
        flat(line.gl_account),
        percent(line.vat_basis_points),
        line.net_minor,
        line.vat_minor,
        line.gross_minor,
        invoice.currency,
        line.booking_reference,
        line.order_number,
    ]
