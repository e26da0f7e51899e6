"""Suppliers' accounts at Stripe: opened, filled in on Stripe's page, ready or not, and what is paid out from them."""

import re
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, build_opener

import pytest

from marketplace.payments.gateway import AccountStatus, GatewayRefused
from marketplace.payments.stripe_gateway import StripeGateway
from marketplace.payments.stripe_words import account_status
from tests.marketplace.payments.stripe.conftest import BACK, Opened, account_ask
from tests.stripe_standin import StandIn

AGAIN = "https://helsinki.example/fi/payouts/again"


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Where we are sent is what we want to know."""


def visit(url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
    """(status, where it sends us, the page)"""
    try:
        with build_opener(Stay).open(url, urlencode(form).encode() if form else None) as answer:
            return answer.status, "", answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers.get("Location", ""), error.read().decode()


def test_an_account_is_opened_for_transfers_alone(stripe: StandIn, gateway: StripeGateway) -> None:
    account = gateway.create_account(account_ask())
    kept = stripe.world.things[account]
    assert kept["capabilities"] == {"transfers": "inactive"}
    assert kept["company"] == {"tax_id": "1234567-8"}
    assert (kept["country"], kept["email"], kept["business_profile"]["name"]) == (
        "FI", "salit@example.org", "Kallion salit Oy",
    )  # fmt: skip
    assert kept["controller"]["stripe_dashboard"] == {"type": "express"}
    assert gateway.create_account(account_ask()) == account
    assert gateway.create_account(account_ask("payee-1-8")) != account


def test_a_supplier_signs_up_on_stripes_page(stripe: StandIn, gateway: StripeGateway) -> None:
    account = gateway.create_account(account_ask())
    assert gateway.look_up_account(account).state == "onboarding"
    assert "external_account" in gateway.look_up_account(account).requirements
    link = gateway.account_link(account, return_url=BACK, refresh_url=AGAIN)
    status, _, page = visit(link)
    assert status == 200
    assert "Kallion salit Oy" in page
    action = re.search(r'action="([^"]+)"', page)
    assert action is not None
    assert visit(stripe.url + action[1], {"answer": "incomplete"})[:2] == (303, BACK)
    assert gateway.look_up_account(account) == AccountStatus("restricted", ("company.verification.document",))
    assert visit(stripe.url + action[1], {"answer": "complete"})[:2] == (303, BACK)
    assert gateway.look_up_account(account) == AccountStatus("enabled", ())


def test_a_link_works_once_and_for_minutes(stripe: StandIn, gateway: StripeGateway, supplier: str) -> None:
    first, second = (gateway.account_link(supplier, return_url=BACK, refresh_url=AGAIN) for _ in range(2))
    assert first != second
    assert visit(first)[0] == 200
    assert visit(first)[:2] == (303, AGAIN)
    stripe.world.advance(301)
    assert visit(second)[:2] == (303, AGAIN)


def test_an_account_that_stripe_closed(stripe: StandIn, gateway: StripeGateway, supplier: str) -> None:
    stripe.world.reject(supplier)
    assert gateway.look_up_account(supplier).state == "disabled"


def test_an_account_whose_owner_took_our_right_away(
    stripe: StandIn, gateway: StripeGateway, supplier: str
) -> None:
    stripe.world.leave(supplier)
    assert gateway.look_up_account(supplier) == AccountStatus("disabled")
    assert gateway.payouts_of(supplier) == []
    with pytest.raises(GatewayRefused, match="account_invalid"):
        gateway.account_link(supplier, return_url=BACK, refresh_url=AGAIN)


@pytest.mark.parametrize(
    ("transfers", "payouts", "state"),
    [("active", True, "enabled"), ("active", False, "restricted"), ("pending", True, "restricted")],
)
def test_ready_means_that_money_can_come_in_and_go_out(transfers: str, payouts: bool, state: str) -> None:
    account = {
        "details_submitted": True,
        "charges_enabled": False,
        "payouts_enabled": payouts,
        "capabilities": {"transfers": transfers},
        "requirements": {"past_due": ["a"], "currently_due": ["a", "b"], "disabled_reason": None},
    }
    assert account_status(account) == AccountStatus(state, ("a", "b"))


def test_payouts_of_one_supplier_are_theirs_alone(
    stripe: StandIn, gateway: StripeGateway, paid: Opened, supplier: str
) -> None:
    other = gateway.create_account(account_ask("payee-1-8"))
    stripe.world.onboard(other, complete=True)
    paid(10_000, payee=supplier, fee=1_000)
    made = stripe.world.pay_out(supplier)
    stripe.world.pay_out(other, amount=5, status="failed")
    (seen,) = gateway.payouts_of(supplier)
    assert (seen.external_id, seen.account, seen.amount_minor) == (made["id"], supplier, 9_000)
    assert (seen.currency, seen.state) == ("EUR", "paid")
    assert seen.arrives_on == (datetime.now(UTC) + timedelta(days=2)).date()
    assert [one.state for one in gateway.payouts_of(other)] == ["failed"]
