"""The city's finance view and its terms, for the city's staff. Joins the blueprint of my payments."""

from datetime import date

from flask import Response as FlaskResponse
from flask import flash, render_template, request, url_for
from flask import redirect as go
from werkzeug.wrappers import Response

from bookings.finance import city_present as present
from bookings.finance.actions import retry_event, retry_refund
from bookings.finance.city_queries import (
    SHOWS,
    balances_of,
    counts_of,
    items_of,
    lines_of_month,
    needing,
    places_of,
)
from bookings.finance.errors import NotFailed
from bookings.finance.forms import TermsForm, read_month
from bookings.finance.income_present import month_name
from bookings.finance.views import blueprint
from bookings.invoices.queries import cost_objects
from bookings.lifecycle.my_forms import page_number
from bookings.terms.actions import name_accounts, settle_city_fee
from bookings.terms.queries import city_fee_basis_points, gl_accounts
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid
from marketplace.payments.errors import PaymentOver, RefundTooLarge
from marketplace.spreadsheets import CSV, csv_text
from marketplace.web.access import staff
from marketplace.web.downloads import download
from marketplace.web.i18n import gettext
from marketplace.web.request import current_actor, current_city

PAGE_SIZE = 50
MONTHS_SHOWN = 24


def this_month() -> date:
    return now().astimezone(current_city().zone).date().replace(day=1)


def chosen_month() -> date:
    """The month that the address names, else this one."""
    today = now().astimezone(current_city().zone).date()
    return read_month(request.args.get("month", ""), today=today) or today.replace(day=1)


def chosen_show() -> str:
    show = request.args.get("show", "")
    return show if show in SHOWS else "open"


def months_back() -> list[tuple[str, str]]:
    """The months to choose from, the latest first."""
    first = this_month()
    months = [
        date(first.year + (first.month - 1 - n) // 12, (first.month - 1 - n) % 12 + 1, 1)
        for n in range(MONTHS_SHOWN)
    ]
    return [(f"{month:%Y-%m}", month_name(month)) for month in months]


@blueprint.get("/desk/finance")
@staff
def city() -> str:
    """What needs somebody, one list of it, and the balances of the ledger by month."""
    here, at = current_city(), now()
    show, month, page = chosen_show(), chosen_month(), page_number(request.args.get("page", ""))
    with transaction() as session:
        counts = counts_of(session, here.id, at=at)
        waiting = needing(session, here.id, at=at)
        last_page = max(1, -(-counts[show] // PAGE_SIZE))
        page = min(page, last_page)
        items = items_of(session, here.id, show, at=at, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
        balances = balances_of(session, here, month)
    months = months_back()
    value = f"{month:%Y-%m}"

    def page_url(number: int) -> str:
        return url_for("finance.city", show=show, month=value, page=number)

    return render_template(
        "bookings/finance/city.html",
        page_id="desk",
        headline=present.headline_of(waiting),
        tabs=present.tabs_of(counts, show),
        show=show,
        explained=gettext(present.EXPLAINED[show]),
        nothing=gettext(present.NOTHING[show]),
        rows=[present.item_row(one, show, here) for one in items],
        month=value,
        month_name=month_name(month),
        months=months if value in dict(months) else [(value, month_name(month)), *months],
        balances=present.balance_rows(balances, here),
        csv_url=url_for("finance.books_file", month=value),
        page=page,
        last_page=last_page,
        next_url=page_url(page + 1) if page < last_page else None,
        previous_url=page_url(page - 1) if page > 1 else None,
    )


@blueprint.get("/desk/finance.csv")
@staff
def books_file() -> FlaskResponse:
    """The ledger of a month for the city's bookkeeping, line by line."""
    here, month = current_city(), chosen_month()
    with transaction() as session:
        lines = lines_of_month(session, here, month)
        places = places_of(session, here.id, {entry.reference for entry, _, _ in lines})
        accounts, named = gl_accounts(session, here.id), cost_objects(session, here.id)
    cells = [
        present.books_cells(
            entry,
            line,
            party,
            city=here,
            accounts=accounts,
            cost=present.cost_of(places.get(entry.reference), named),
        )
        for entry, line, party in lines
    ]
    return download(csv_text(present.books_header(), cells), CSV, f"ledger-{here.slug}-{month:%Y-%m}.csv")


@blueprint.post("/desk/finance/refunds/<int:refund_id>/retry")
@staff
def again_refund(refund_id: int) -> Response:
    """Ask anew for a refund that failed."""
    try:
        with transaction() as session:
            retry_refund(session, refund_id, actor=current_actor(), at=now())
    except (NotFailed, PaymentOver, RefundTooLarge) as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(gettext("The refund is on its way again. It is in this list again if it fails."), "success")
    return go(url_for("finance.city", show="refunds"), 303)


@blueprint.post("/desk/finance/events/<int:event_id>/retry")
@staff
def again_event(event_id: int) -> Response:
    """Look again at what the payment service told."""
    try:
        with transaction() as session:
            retry_event(session, event_id, actor=current_actor(), at=now())
    except NotFailed as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(gettext("We look at it again. It leaves this list once it is acted upon."), "success")
    return go(url_for("finance.city", show="events"), 303)


@blueprint.route("/desk/finance/terms", methods=["GET", "POST"])
@staff
def terms() -> str | tuple[str, int] | Response:
    """The city's fee, and the accounts of its bookkeeping."""
    here, actor, form = current_city(), current_actor(), TermsForm()
    if request.method == "GET":
        with transaction() as session:
            form.fill(present.percent(city_fee_basis_points(session, here.id)), gl_accounts(session, here.id))
        return terms_page(form)
    if not form.validate_on_submit():
        return terms_page(form), 422
    try:
        with transaction() as session:
            fee = settle_city_fee(session, actor=actor, basis_points=form.basis_points, at=now())
            named = name_accounts(session, actor=actor, accounts=form.accounts, at=now())
    except Invalid as invalid:
        form.show(invalid)
        return terms_page(form), 422
    flash(
        gettext("Saved. It holds for what is sold from now on.")
        if fee or named
        else gettext("Nothing was different."),
        "success",
    )
    return go(url_for("finance.terms"), 303)


def terms_page(form: TermsForm) -> str:
    return render_template("bookings/finance/terms.html", page_id="desk", form=form, errors=form.all_errors())
