"""A supplier's income, its payouts, and how it gets paid. Joins the blueprint of my payments."""

import logging
from datetime import timedelta

from flask import Response as FlaskResponse
from flask import flash, render_template, request, url_for
from flask import redirect as go
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bookings.finance import income_present as present
from bookings.finance.errors import SupplierNotFound
from bookings.finance.forms import read_year
from bookings.finance.income_queries import (
    account_at,
    income_by_month,
    income_lines,
    payouts_of,
    supplier_for,
    suppliers_of,
)
from bookings.finance.rules import year_of
from bookings.finance.views import blueprint
from bookings.lifecycle.forms import read_whole
from bookings.terms.queries import city_fee_basis_points
from marketplace.accounts.models import Organisation
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.notifications.mail import address_of
from marketplace.payments.asking import check_payee, onboarding_address
from marketplace.payments.gateway import GatewayDown, GatewayRefused, card_payments_on, gateway_for
from marketplace.payments.models import Payee
from marketplace.payments.payee_actions import start_onboarding
from marketplace.payments.policy import CITY_KINDS
from marketplace.spreadsheets import CSV, csv_text
from marketplace.web.access import signed_in
from marketplace.web.downloads import download
from marketplace.web.i18n import gettext
from marketplace.web.limits import limit
from marketplace.web.request import current_actor, current_city

log = logging.getLogger(__name__)

# Each asks the payment service.
ASKS_PER_HOUR = 30


def chosen_supplier(session: Session) -> Organisation | None:
    """The organisation that the address names, else the one acted for, else the first that the actor may see.

    Raises SupplierNotFound, NoIncome.
    """
    actor, text = current_actor(), request.args.get("organisation", "")
    if text:
        number = read_whole(text)
        if number is None:
            raise SupplierNotFound
        return supplier_for(session, actor, number)
    found = suppliers_of(session, actor)
    acting = (one for one in found if one.id == actor.acting_for)
    return next(acting, None) or (found[0] if found else None)


def named_supplier(session: Session) -> Organisation:
    """The same, for pages that are of one organisation only."""
    supplier = chosen_supplier(session)
    if supplier is None:
        raise SupplierNotFound
    return supplier


def gateway_name() -> str | None:
    """The gateway of new payments; None where there are no card payments."""
    return gateway_for().name if card_payments_on() else None


@blueprint.get("/desk/income")
@signed_in
def income() -> str:
    """What an owner's places have brought, month by month, and what was paid out."""
    city, actor, at = current_city(), current_actor(), now()
    today = at.astimezone(city.zone).date()
    year = read_year(request.args.get("year", ""), today=today)
    with transaction() as session:
        supplier = chosen_supplier(session)
        if supplier is None:
            return render_template("bookings/finance/income.html", page_id="desk", supplier=None)
        suppliers = suppliers_of(session, actor) if actor.is_staff or actor.roles else []
        months = income_by_month(session, city, supplier.id, year)
        payouts = payouts_of(session, city.id, supplier.id)
        account = account_at(session, city.id, supplier.id, gateway_name())
        fee = city_fee_basis_points(session, city.id)
    return render_template(
        "bookings/finance/income.html",
        page_id="desk",
        supplier=supplier,
        is_private=supplier.kind not in CITY_KINDS,
        suppliers=present.supplier_options(suppliers, supplier),
        year=year,
        years=[(str(one), str(one)) for one in range(today.year, today.year - 6, -1)],
        rows=[present.month_row(one, city) for one in months],
        total=present.month_row(year_of(months, year), city),
        payouts=[present.payout_row(one) for one in payouts],
        account=present.account_state(account),
        is_ready=account is not None and account.state == "enabled",
        cards=card_payments_on(),
        fee=present.percent(fee),
        csv_url=url_for("finance.income_file", organisation=supplier.id, year=year),
    )


@blueprint.get("/desk/income.csv")
@signed_in
def income_file() -> FlaskResponse:
    """The lines behind the sums, for the supplier's own bookkeeping."""
    city, today = current_city(), now().astimezone(current_city().zone).date()
    year = read_year(request.args.get("year", ""), today=today)
    with transaction() as session:
        supplier = named_supplier(session)
        lines = income_lines(session, city, supplier.id, year)
    text = csv_text(present.income_header(), [present.income_cells(one, city) for one in lines])
    return download(text, CSV, f"income-{supplier.id}-{year}.csv")


@blueprint.get("/desk/income/account")
@signed_in
def get_paid() -> str:
    """How a supplier's account at the payment service stands, and what it still wants to know."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        supplier = named_supplier(session)
        account = account_at(session, city.id, supplier.id, gateway_name())
        fee = city_fee_basis_points(session, city.id)
    return render_template(
        "bookings/finance/get_paid.html",
        page_id="desk",
        supplier=supplier,
        is_private=supplier.kind not in CITY_KINDS,
        manages=actor.manages(supplier.id),
        cards=card_payments_on(),
        account=account,
        state=present.account_state(account),
        missing=present.missing_of(account),
        fee=present.percent(fee),
    )


@blueprint.post("/desk/income/account")
@signed_in
def start() -> Response:
    """Open the supplier's account in our own rows; the next step is the payment service's own page."""
    actor = current_actor()
    with transaction() as session:
        supplier = named_supplier(session)
        start_onboarding(session, supplier, actor=actor, at=now())
    return go(url_for("finance.get_paid", organisation=supplier.id), 303)


def own_account() -> tuple[Organisation, Payee | None]:
    """The supplier that the address names and its account, for its managers alone. Raises SupplierNotFound."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        supplier = named_supplier(session)
        account = account_at(session, city.id, supplier.id, gateway_name())
    if not actor.manages(supplier.id):
        raise SupplierNotFound
    limit(f"onboarding:{city.id}:{actor.person_id}", times=ASKS_PER_HOUR, per=timedelta(hours=1))
    return supplier, account


@blueprint.get("/desk/income/account/service")
@signed_in
def service() -> Response:
    """To the page of the payment service; it sends people here again when its address has grown old."""
    city = current_city()
    supplier, account = own_account()
    page = url_for("finance.get_paid", organisation=supplier.id)
    if account is None:
        return go(page, 303)
    back = address_of(city) + url_for("finance.came_back", organisation=supplier.id)
    again = address_of(city) + url_for("finance.service", organisation=supplier.id)
    try:
        return go(onboarding_address(city.id, account.id, return_url=back, refresh_url=again), 303)
    except (GatewayDown, GatewayRefused) as error:
        return service_away(page, error)


@blueprint.get("/desk/income/account/back")
@signed_in
def came_back() -> Response:
    """From the payment service: ask it how the account stands now."""
    supplier, account = own_account()
    page = url_for("finance.get_paid", organisation=supplier.id)
    if account is None:
        return go(page, 303)
    try:
        check_payee(account.city_id, account.id)
    except (GatewayDown, GatewayRefused) as error:
        return service_away(page, error)
    return go(page, 303)


def service_away(page: str, error: Exception) -> Response:
    log.warning("the payment service gave no answer about a supplier", exc_info=error)
    flash(
        gettext("The payment service does not answer just now. Nothing is lost: try again in a moment."),
        "error",
    )
    return go(page, 303)
