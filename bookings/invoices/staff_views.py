"""Pages of the city's staff about invoices: the list, what waits, payments, credit notes, the seller, cost objects, the CSV."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than SelectChoice

from bookings.invoices import present, queries
from bookings.invoices.actions import credit_invoice, register_payment
from bookings.invoices.errors import CreditedMeanwhile, InvoiceNotFound, NothingToCredit
from bookings.invoices.export import csv_of
from bookings.invoices.forms import CostForm, CreditForm, PaymentForm, SellerForm, read_filter, read_parts
from bookings.invoices.models import Invoice
from bookings.invoices.queries import SeenInvoice, places
from bookings.invoices.settings_actions import save_cost_object, save_seller
from bookings.invoices.views import Page, blueprint, invoice_page
from bookings.lifecycle.pages import gettext
from marketplace.accounts.forms import typed
from marketplace.accounts.models import Organisation
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import FieldError, Invalid
from marketplace.money import Money
from marketplace.spreadsheets import CSV
from marketplace.web.access import staff
from marketplace.web.downloads import download
from marketplace.web.i18n import LANGUAGES, reader_language
from marketplace.web.problems import field_message
from marketplace.web.request import current_actor, current_city
from spaces.pricing.forms import NOT_AN_AMOUNT, amount_text

PAGE_SIZE = 50
LARGEST_PAGE = 10_000


def asked_page() -> int:
    given = request.args.get("page", "")[:6]
    return min(max(int(given), 1), LARGEST_PAGE) if given.isascii() and given.isdigit() else 1


@blueprint.get("/desk/invoices")
@staff
def desk() -> Page:
    """All invoices, with filters, and what waits for one."""
    actor, wish, page = current_actor(), read_filter(request.args), asked_page()
    with transaction() as session:
        found, total = queries.page_of_invoices(
            session, actor, wish, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE
        )
        waiting = queries.waiting(session, actor)
        seller = queries.seller_of(session, actor.city_id, None)
    kept: dict[str, Any] = {
        name: value for name, value in request.args.items() if name in {"q", "state", "first", "last"}
    }
    last = max(1, -(-total // PAGE_SIZE))
    return render_template(
        "bookings/invoices/desk.html",
        page_id="desk",
        rows=[present.row_of(one) for one in found],
        total=total,
        wish=wish,
        state_options=[
            ("", gettext("All")),
            *((code, gettext(text)) for code, (_, text) in present.STATES.items()),
            ("credit_note", gettext("Credit notes")),
        ],
        waiting=[
            (one, Money(one.gross_minor, current_city().currency), gettext(present.PROBLEMS[one.problem]))
            for one in waiting
        ],
        has_seller=seller is not None,
        csv_url=url_for("invoices.books", **kept),
        page=page,
        last_page=last,
        next_url=url_for("invoices.desk", page=page + 1, **kept) if page < last else None,
        previous_url=url_for("invoices.desk", page=page - 1, **kept) if page > 1 else None,
    )


@blueprint.get("/desk/invoices/invoices.csv")
@staff
def books() -> Response:
    """The filtered invoices' lines for the accounting."""
    actor = current_actor()
    with transaction() as session:
        rows = queries.lines_for_books(session, actor, read_filter(request.args))
        numbers = queries.numbers_of(session, actor.city_id, {one.credits_id for one, _ in rows})
    return download(csv_of(rows, numbers), CSV, "invoices.csv")


@blueprint.route("/desk/invoices/<int:invoice_id>/payments", methods=["GET", "POST"])
@staff
def pay(invoice_id: int) -> Page:
    """Register money that came for it; what it leaves is told."""
    if request.method == "GET":  # a reload after a refused form, or a change of language on it
        return redirect(url_for("invoices.one", invoice_id=invoice_id))
    actor, city, form = current_actor(), current_city(), PaymentForm()
    with transaction() as session:
        seen = queries.invoice_for(session, actor, invoice_id)
    if not form.validate():
        return invoice_page(seen, form, 422)
    try:
        with transaction() as session:
            owed = register_payment(
                session,
                city,
                session.get_one(Invoice, (city.id, invoice_id)),
                amount_minor=form.amount_minor or 0,
                paid_on=form.paid_on.data or now().date(),  # the form has seen to it that there is one
                bank_reference=typed(form.bank_reference),
                submission=typed(form.submission),
                at=now(),
                actor=actor,
            )
    except Invalid as refusal:
        form.show(refusal)
        return invoice_page(seen, form, 422)
    flash(present.payment_told(owed, seen.invoice.currency), "success" if owed == 0 else "alert")
    return redirect(url_for("invoices.one", invoice_id=invoice_id), 303)


@blueprint.route("/desk/invoices/<int:invoice_id>/credit", methods=["GET", "POST"])
@staff
def credit(invoice_id: int) -> Page:
    """Credit all of an invoice, or parts of its lines."""
    actor, city, form = current_actor(), current_city(), CreditForm()
    with transaction() as session:
        seen = queries.invoice_for(session, actor, invoice_id)
        if seen.invoice.kind != "invoice":
            raise InvoiceNotFound
        gone = queries.credited_by_line(session, seen.invoice)
    rows = present.line_rows(seen, gone)
    if request.method == "GET":
        form.seen.data = str(seen.invoice.credited_minor)
        return credit_page(seen, rows, form, all_that_is_left(seen, rows))
    parts = read_parts(request.form, [row.position for row in rows])
    errors = {n: gettext(NOT_AN_AMOUNT) for n, value in parts.items() if value is None}
    if not form.validate() or errors:
        return credit_page(seen, rows, form, given_parts(rows), errors=errors, status=422)
    try:
        with transaction() as session:
            note = credit_invoice(
                session,
                city,
                session.get_one(Invoice, (city.id, invoice_id)),
                {n: value or 0 for n, value in parts.items()},
                reason=typed(form.reason),
                seen_minor=number(typed(form.seen)),
                at=now(),
                actor=actor,
            )
    except Invalid as refusal:
        errors = {position_of(one): field_message(one) for one in refusal.fields}
        return credit_page(seen, rows, form, given_parts(rows), errors=errors, status=422)
    except NothingToCredit as refusal:
        form.form_errors = [gettext(refusal.title)]
        return credit_page(seen, rows, form, given_parts(rows), status=409)
    except CreditedMeanwhile as refusal:
        flash(gettext(refusal.title), "alert")
        return redirect(url_for("invoices.one", invoice_id=invoice_id), 303)
    flash(gettext("Credit note %(number)s was issued.", number=note.number), "success")
    return redirect(url_for("invoices.one", invoice_id=invoice_id), 303)


def all_that_is_left(seen: SeenInvoice, rows: list[present.LineRow]) -> dict[int, str]:
    """The amounts that credit the whole invoice; discounts make its lines more than it comes to."""
    room, found = seen.invoice.gross_minor - seen.invoice.credited_minor, {}
    for row in rows:
        part = min(row.left.minor, room)
        room -= part
        found[row.position] = amount_text(part)
    return found


def number(text: str) -> int:
    """A plain number, -1 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def position_of(error: FieldError) -> int:
    return int(error.field.removeprefix("part_"))


def given_parts(rows: list[present.LineRow]) -> dict[int, str]:
    return {row.position: request.form.get(f"part_{row.position}", "")[:20] for row in rows}


def credit_page(
    seen: SeenInvoice,
    rows: list[present.LineRow],
    form: CreditForm,
    parts: dict[int, str],
    *,
    errors: dict[int, str] | None = None,
    status: int = 200,
) -> Page:
    invoice = seen.invoice
    return render_template(
        "bookings/invoices/credit.html",
        page_id="desk",
        invoice=invoice,
        rows=rows,
        room=Money(invoice.gross_minor - invoice.credited_minor, invoice.currency),
        form=form,
        parts=parts,
        errors=errors or {},
    ), status


@blueprint.route("/desk/invoices/seller", methods=["GET", "POST"])
@staff
def seller() -> Page:
    """In whose name invoices are: the city, or with `supplier` a private one."""
    actor, city = current_actor(), current_city()
    with transaction() as session:
        supplier = supplier_of(session, city.id, request.args.get("supplier", ""))
        kept = queries.seller_of(session, city.id, supplier.id if supplier else None)
    form = SellerForm(obj=kept)
    if kept is not None and not form.is_submitted():
        for code in LANGUAGES:
            form[f"late_{code}"].data = kept.late_texts.get(code, "")
    status = 200
    if form.is_submitted():
        if form.validate():
            with transaction() as session:
                save_seller(
                    session,
                    city.id,
                    supplier.id if supplier else None,
                    form.values(),
                    actor=actor,
                    at=now(),
                )
            flash(gettext("Saved. The next invoices follow this."), "success")
            return redirect(url_for("invoices.desk"), 303)
        status = 422
    return render_template(
        "bookings/invoices/seller.html", page_id="desk", form=form, supplier=supplier
    ), status


def supplier_of(session: Session, city_id: int, text: str) -> Organisation | None:
    """The private supplier that the address names, None for the city. Raises InvoiceNotFound."""
    if not text:
        return None
    found = session.get(Organisation, (city_id, number(text[:20])))
    if found is None:
        raise InvoiceNotFound
    return found


@blueprint.route("/desk/invoices/cost-objects", methods=["GET", "POST"])
@staff
def cost_objects() -> Page:
    """Where the income of each owner's places belongs in the books."""
    actor, city = current_actor(), current_city()
    with transaction() as session:
        names = places(session, city.id, reader_language())
        kept = queries.cost_objects(session, city.id)
    form = CostForm()
    others = gettext("all other places")
    form.place.choices = [
        SelectChoice(value, f"{owner}: {venue or others}") for value, (owner, venue) in names.items()
    ]
    status = 200
    if form.is_submitted():
        if form.validate():
            owner_id, venue_id = form.owner_and_venue
            with transaction() as session:
                save_cost_object(session, city.id, owner_id, venue_id, form.values(), actor=actor, at=now())
            flash(gettext("Saved. The next invoices follow this."), "success")
            return redirect(url_for("invoices.cost_objects"), 303)
        status = 422
    context: dict[str, Any] = {"rows": present.cost_rows(list(kept.values()), names)}
    return render_template(
        "bookings/invoices/cost_objects.html", page_id="desk", form=form, **context
    ), status
