"""Pages of an organisation's invoices: the list, one invoice with its files, and how it wishes them."""

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from bookings.invoices import policy, present, queries, rules
from bookings.invoices.finvoice import finvoice
from bookings.invoices.forms import PaymentForm, TermsForm
from bookings.invoices.pdf import pdf_of
from bookings.invoices.queries import SeenInvoice
from bookings.invoices.settings_actions import save_terms
from bookings.lifecycle.pages import gettext
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.money import Money
from marketplace.web.access import signed_in
from marketplace.web.downloads import download
from marketplace.web.i18n import reader_language
from marketplace.web.limits import limit
from marketplace.web.request import current_actor, current_city, page_blueprint

blueprint = page_blueprint("invoices", __name__)

Page = str | tuple[str, int] | Response
# Drawing a long invoice takes a second; nobody reads hundreds an hour.
FILES_PER_HOUR = 300


@blueprint.get("/organisations/<int:organisation_id>/invoices")
@signed_in
def mine(organisation_id: int) -> Page:
    """What an organisation was invoiced, the latest first."""
    actor = current_actor()
    with transaction() as session:
        organisation = queries.organisation_of(session, actor, organisation_id)
        rows = [present.row_of(one) for one in queries.invoices_of(session, actor, organisation_id)]
        terms = queries.terms_of(session, actor.city_id, organisation_id)
    return render_template(
        "bookings/invoices/mine.html",
        page_id="organisations",
        organisation=organisation,
        rows=rows,
        terms=terms,
        may_edit=policy.may_edit_terms(actor, organisation_id),
    )


@blueprint.route("/organisations/<int:organisation_id>/invoices/terms", methods=["GET", "POST"])
@signed_in
def terms(organisation_id: int) -> Page:
    """Where the invoices go, how often and in which language."""
    actor, city = current_actor(), current_city()
    with transaction() as session:
        organisation = queries.organisation_of(session, actor, organisation_id)
        kept = queries.terms_of(session, city.id, organisation_id)
    policy.require_may_edit_terms(actor, organisation_id)
    form = TermsForm(obj=kept, languages=city.languages)
    if kept is None and not form.is_submitted():
        form.language.data = reader_language()
    if form.is_submitted():
        if not form.validate():
            return terms_page(organisation, form, 422)
        with transaction() as session:
            save_terms(session, organisation, form.values(), actor=actor, at=now())
        flash(gettext("Saved. The next invoices follow this."), "success")
        return redirect(url_for("invoices.mine", organisation_id=organisation_id), 303)
    return terms_page(organisation, form)


def terms_page(organisation: object, form: TermsForm, status: int = 200) -> Page:
    return render_template(
        "bookings/invoices/terms.html", page_id="organisations", organisation=organisation, form=form
    ), status


@blueprint.get("/invoices/<int:invoice_id>")
@signed_in
def one(invoice_id: int) -> Page:
    """An invoice; staff also see what was paid and may register more."""
    actor = current_actor()
    with transaction() as session:
        seen = queries.invoice_for(session, actor, invoice_id)
    return invoice_page(seen, PaymentForm())


def invoice_page(seen: SeenInvoice, form: PaymentForm, status: int = 200) -> Page:
    invoice, actor = seen.invoice, current_actor()
    return render_template(
        "bookings/invoices/invoice.html",
        page_id="organisations",
        invoice=invoice,
        seller=invoice.seller,
        buyer=invoice.buyer,
        lines=present.line_rows(seen),
        sums=present.sum_rows(seen),
        total=Money(invoice.gross_minor, invoice.currency),
        owed=present.owed_of(invoice),
        state=present.state_text(invoice),
        others=[present.row_of(one) for one in seen.others],
        payments=[
            (one.paid_on, Money(one.amount_minor, invoice.currency), one.bank_reference)
            for one in seen.payments
        ],
        reference=rules.grouped(invoice.reference),
        rf=rules.grouped(rules.rf_of(invoice.reference)),
        iban=rules.grouped_iban(str(invoice.seller["iban"])),
        barcode=rules.bank_barcode(
            str(invoice.seller["iban"]), invoice.reference, invoice.gross_minor, invoice.due_on
        ),
        may_run=policy.may_run_invoices(actor),
        in_organisation=invoice.organisation_id in actor.roles,
        form=form,
    ), status


def seen_file(invoice_id: int) -> SeenInvoice:
    actor = current_actor()
    limit(f"invoice-file:{actor.city_id}:{actor.person_id}", times=FILES_PER_HOUR, per=timedelta(hours=1))
    with transaction() as session:
        return queries.invoice_for(session, actor, invoice_id)


@blueprint.get("/invoices/<int:invoice_id>/invoice.pdf")
@signed_in
def pdf(invoice_id: int) -> Response:
    """In the language of the address."""
    seen = seen_file(invoice_id)
    content = pdf_of(current_city(), seen, reader_language())
    return download(content, "application/pdf", f"{seen.invoice.number}.pdf")


@blueprint.get("/invoices/<int:invoice_id>/finvoice.xml")
@signed_in
def xml(invoice_id: int) -> Response:
    seen = seen_file(invoice_id)
    return download(finvoice(seen), "application/xml; charset=utf-8", f"{seen.invoice.number}.xml")
