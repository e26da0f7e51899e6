"""The test bank's own pages: paying, and telling who one is. Whoever has the address may use it, as at a real bank's."""

from typing import cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import N_, NotFound
from marketplace.identity.rules import own_path
from marketplace.money import Money
from marketplace.payments.gateway import GatewayRefused, gateways
from marketplace.payments.models import TestBankAccount, TestBankSession
from marketplace.payments.test_bank import WANTED, TestBank, account_of, lapsed, locked, take
from marketplace.web.access import public
from marketplace.web.request import page_blueprint

blueprint: Blueprint = page_blueprint("test_bank", __name__)

DECLINED = {
    "card-declined": N_("The card was declined. Try another way, or the same again."),
    "not-confirmed": N_("The payment was not confirmed. Nothing was taken."),
}


def bank() -> TestBank:
    """Raises NotFound where there is none."""
    found = gateways().get("testbank")
    if found is None:
        raise NotFound
    return cast(TestBank, found)


def session_of(token: str) -> TestBankSession:
    """Raises NotFound."""
    bank()
    try:
        with transaction() as session:
            return lapsed(locked(session, token), now())
    except GatewayRefused:
        raise NotFound from None


@blueprint.get("/test-bank/<token>")
@public
def page(token: str) -> str:
    """The pay page."""
    held = session_of(token)
    return render_template(
        "marketplace/payments/test_bank.html",
        held=held,
        total=Money(held.amount_minor, held.currency),
        lines=[(line["label"], Money(line["total_minor"], held.currency)) for line in held.lines],
        problem=gettext(DECLINED[held.failure_code]) if held.failure_code in DECLINED else None,
    )


@blueprint.post("/test-bank/<token>")
@public
def answer(token: str) -> Response:
    """What the payer chose: to pay, to confirm first, a card that is declined, or to leave."""
    chosen = request.form.get("act", "")
    if chosen == "confirm" and session_of(token).state == "open":
        return redirect(url_for("test_bank.confirmation", token=token), 303)
    if chosen == "leave":
        return redirect(session_of(token).return_path, 303)
    if chosen == "decline":
        return decline(token, "card-declined")
    return pay(token) if chosen == "pay" else redirect(url_for("test_bank.page", token=token), 303)


@blueprint.get("/test-bank/<token>/confirmation")
@public
def confirmation(token: str) -> str | Response:
    """What a card's own bank asks: is it really you?"""
    held = session_of(token)
    if held.state != "open":
        return redirect(url_for("test_bank.page", token=token), 303)
    return render_template(
        "marketplace/payments/test_bank_confirmation.html",
        held=held,
        total=Money(held.amount_minor, held.currency),
    )


@blueprint.post("/test-bank/<token>/confirmation")
@public
def confirm(token: str) -> Response:
    if request.form.get("act") == "confirm":
        return pay(token)
    return decline(token, "not-confirmed")


def pay(token: str) -> Response:
    """Take, or hold until it is captured; pressed twice, once."""
    at = now()
    session_of(token)
    with transaction() as session:
        held = lapsed(locked(session, token), at)
        is_done = held.state == "open"
        if is_done and held.capture == "manual":
            held.state, held.failure_code = "authorised", None
        elif is_done:
            take(held, held.amount_minor, at)
    if is_done:
        bank().tell_payment(held)
    if held.state in {"authorised", "paid"}:
        return redirect(held.return_path, 303)
    return redirect(url_for("test_bank.page", token=token), 303)


def decline(token: str, code: str) -> Response:
    """Nothing is taken, and the page stays open."""
    session_of(token)
    with transaction() as session:
        held = lapsed(locked(session, token), now())
        is_done = held.state == "open"
        if is_done:
            held.failure_code = code
    if is_done:
        bank().tell_payment(held)
    return redirect(url_for("test_bank.page", token=token), 303)


@blueprint.get("/test-bank/accounts/<token>")
@public
def account(token: str) -> str:
    """Where a supplier tells the bank about themselves."""
    return render_template(
        "marketplace/payments/test_bank_account.html", account=account_here(token), back=way_back()
    )


@blueprint.post("/test-bank/accounts/<token>")
@public
def describe(token: str) -> Response:
    """All is told, or something is left out."""
    account_here(token)
    is_whole = request.form.get("act") == "complete"
    with transaction() as session:
        known = account_of(session, token)
        if known is None:
            raise NotFound
        known.state = "enabled" if is_whole else "restricted"
        known.requirements = [] if is_whole else [WANTED[-1]]
    bank().tell_account(known)
    flash(
        gettext("The test bank has opened the account.")
        if is_whole
        else gettext("The test bank still wants the account number."),
        "success" if is_whole else "alert",
    )
    return redirect(way_back() or url_for("test_bank.account", token=token), 303)


def account_here(token: str) -> TestBankAccount:
    bank()
    with transaction() as session:
        found = account_of(session, token)
    if found is None:
        raise NotFound
    return found


def way_back() -> str | None:
    return own_path(request.args.get("back"), host=request.host)
