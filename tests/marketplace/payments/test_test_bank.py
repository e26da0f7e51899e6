"""The test bank's pages: marked, open to whoever has the address, and not there in production."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.app import create_app
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.payments.asking import check_payee, onboarding_address, settle_payment
from marketplace.payments.models import Payee, Payment, TestBankAccount, TestBankSession
from marketplace.payments.payee_actions import start_onboarding
from marketplace.payments.test_bank import payouts
from marketplace.settings import Settings
from tests.factories.payments import make_payment, opened_payment, press
from tests.factories.people import actor_of, join, make_organisation, make_person
from wsgi import PARTS

pytestmark = pytest.mark.usefixtures("money_app")


@pytest.fixture
def payment(session: Session, city: City) -> Payment:
    return opened_payment(session, city, amount=4_217)


def test_the_page_says_that_no_money_moves(client: FlaskClient, payment: Payment) -> None:
    text = client.get(payment.url).text
    assert "Test bank: no money moves" in text
    assert "€42.17" in text
    assert "Large hall, 2 h" in text
    assert 'content="noindex"' in text


def test_the_page_is_open_to_whoever_has_its_address_and_to_nobody_else(
    client: FlaskClient, signed_in_client: FlaskClient, payment: Payment
) -> None:
    assert signed_in_client.get(payment.url).status_code == 200
    for path in (
        "/en/test-bank/tbs_guessed",
        "/en/test-bank/tbs_guessed/confirmation",
        "/en/test-bank/accounts/tba_guessed",
    ):
        assert client.get(path).status_code == 404
        assert client.post(path, data={"act": "pay"}).status_code == 404


def test_a_form_without_its_token_pays_nothing(
    app: Flask, settings: Settings, session: Session, payment: Payment
) -> None:
    guarded = create_app(replace(settings, database_url=""), PARTS)
    guarded.config["WTF_CSRF_ENABLED"] = True
    answer = guarded.test_client().post(payment.url, data={"act": "pay"})
    assert answer.status_code in {400, 403}
    session.expire_all()
    assert session.scalars(select(TestBankSession.state)).all() == ["open"]


def test_confirming_pays_and_refusing_does_not(
    session: Session, client: FlaskClient, payment: Payment, run_jobs
) -> None:
    asked = press(client, payment, "confirm").headers["Location"]
    assert "is you who pays €42.17" in client.get(asked).text
    client.post(asked, data={"act": "refuse"})
    run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.failure_code) == ("open", "not-confirmed")
    assert "The payment was not confirmed" in client.get(payment.url).text
    answer = client.post(asked, data={"act": "confirm"})
    assert answer.headers["Location"] == payment.return_path
    run_jobs()
    session.refresh(payment)
    assert payment.state == "paid"
    assert client.get(asked).status_code == 303


def test_leaving_and_leaving_the_confirmation_decide_nothing(
    session: Session, client: FlaskClient, payment: Payment, run_jobs
) -> None:
    press(client, payment, "confirm")
    assert press(client, payment, "leave").headers["Location"] == payment.return_path
    run_jobs()
    session.refresh(payment)
    assert payment.state == "open"


def test_paying_twice_takes_once(session: Session, client: FlaskClient, payment: Payment, run_jobs) -> None:
    press(client, payment, "pay")
    press(client, payment, "pay")
    press(client, payment, "decline")
    run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.captured_minor) == ("paid", 4_217)
    assert "This is paid." in client.get(payment.url).text


@pytest.mark.parametrize("act", ["", "no-such-act", "refund"])
def test_an_act_there_is_none_of_does_nothing(
    session: Session, client: FlaskClient, payment: Payment, run_jobs, act: str
) -> None:
    assert press(client, payment, act).status_code == 303
    run_jobs()
    session.refresh(payment)
    assert payment.state == "open"


def test_a_page_whose_time_is_over_takes_nothing(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = opened_payment(session, city, expires_in=timedelta(seconds=-1))
    assert "This pay page is closed. Nothing was taken." in client.get(payment.url).text
    press(client, payment, "pay")
    run_jobs()
    settle_payment(city.id, payment.id)
    session.refresh(payment)
    assert payment.state == "expired"


def test_in_production_there_is_no_test_bank(settings: Settings, session: Session, city: City) -> None:
    strict = replace(settings, env="production", database_url="", public_url="https://tilaa.example.org")
    app = create_app(strict, PARTS)
    assert app.extensions["payment_gateways"] == {}
    assert not any(rule.endpoint.startswith("test_bank") for rule in app.url_map.iter_rules())
    client = app.test_client()
    host = {"base_url": "https://tilaa.example.org"}
    assert client.get("/en/test-bank/x", **host).status_code == 404
    assert client.post("/payments/webhooks/testbank", data=b"{}", **host).status_code == 404


def test_a_supplier_opens_an_account(session: Session, city: City, client: FlaskClient, run_jobs) -> None:
    person = make_person(session, city)
    company = make_organisation(session, city, name="Halli Oy", kind="company")
    join(session, person, company, "manager")
    payee = start_onboarding(session, company, actor=actor_of(session, person), at=now())
    session.commit()
    back = "http://localhost/en/supplier"
    address = onboarding_address(city.id, payee.id, return_url=back, refresh_url=back)
    assert onboarding_address(city.id, payee.id, return_url=back, refresh_url=back) == address
    page = client.get(address.replace("/fi/", "/en/"))
    assert page.status_code == 200
    assert "Account for Halli Oy" in page.text
    for act, state in (("incomplete", "restricted"), ("complete", "enabled")):
        answer = client.post(address, data={"act": act})
        assert answer.headers["Location"] == "/en/supplier"
        run_jobs()
        session.expire_all()
        assert session.get_one(Payee, (city.id, payee.id)).state == state
    assert len(session.scalars(select(TestBankAccount)).all()) == 1


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_the_way_back_leads_nowhere_else(
    session: Session, city: City, client: FlaskClient, back: str
) -> None:
    session.add(TestBankAccount(external_id="tba_1", key="k", name="Halli Oy", state="onboarding"))
    session.commit()
    address = "/en/test-bank/accounts/tba_1"
    assert "Go back without telling" not in client.get(address, query_string={"back": back}).text
    answer = client.post(address, query_string={"back": back}, data={"act": "complete"})
    assert "evil" not in answer.headers["Location"].partition("?")[0]
    assert answer.headers["Location"].startswith("/en/test-bank/")


DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_payouts_follow_the_days_and_carry_what_is_owed() -> None:
    moved = [
        (DAY, 1_000),
        (DAY, 500),
        (DAY + timedelta(days=1), -2_000),
        (DAY + timedelta(days=2), 2_500),
        (DAY + timedelta(days=9), 99),
    ]
    found = payouts("tba_abcdefgh12", moved, currency="EUR", at=DAY + timedelta(days=9))
    assert [(one.amount_minor, one.state) for one in found] == [(500, "paid"), (1_500, "paid")]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-1_000, 1_000)), max_size=40))
def test_never_more_is_paid_out_than_came_in(moves: list[tuple[int, int]]) -> None:
    moved = [(DAY + timedelta(days=day), amount) for day, amount in moves]
    found = payouts("tba_abcdefgh12", moved, currency="EUR", at=DAY + timedelta(days=30))
    left = sum(amount for _, amount in moves) - sum(one.amount_minor for one in found)
    assert all(one.amount_minor > 0 for one in found)
    assert left <= 0 or not moves


def test_what_was_paid_out_is_shown_to_the_supplier(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    from marketplace.payments.queries import payouts_of_payee  # noqa: PLC0415
    from tests.factories.payments import make_payee  # noqa: PLC0415

    payee = make_payee(session, city)
    payment = make_payment(session, city, payee=payee, fee=200, amount=4_200)
    run_jobs()
    session.refresh(payment)
    press(client, payment, "pay")
    run_jobs()
    held = session.scalars(select(TestBankSession)).one()
    held.captured_at = now() - timedelta(days=5)
    session.commit()
    for _ in range(2):
        check_payee(city.id, payee.id)
    session.expire_all()
    (payout,) = payouts_of_payee(session, payee)
    assert (payout.amount_minor, payout.state) == (4_000, "paid")


def test_only_a_suppliers_manager_names_its_account(session: Session, city: City) -> None:
    from marketplace.accounts.actor import Actor  # noqa: PLC0415
    from marketplace.accounts.errors import NotVerified  # noqa: PLC0415
    from marketplace.errors import Forbidden, Unauthenticated  # noqa: PLC0415
    from marketplace.payments.errors import NoSupplier  # noqa: PLC0415

    company = make_organisation(session, city, name="Halli Oy", kind="company")
    division = make_organisation(session, city, name="Nuoriso", kind="city_division")
    member, manager = make_person(session, city), make_person(session, city)
    late = make_person(session, city, email_verified_at=None)
    staff = make_person(session, city, is_staff=True)
    join(session, member, company, "booker")
    for one in (company, division):
        join(session, manager, one, "manager")
    join(session, late, company, "manager")

    def refused(actor: Actor, organisation=company) -> type[Exception]:
        with pytest.raises(Exception) as refusal:
            start_onboarding(session, organisation, actor=actor, at=now())
        return refusal.type

    assert refused(Actor(city.id)) is Unauthenticated
    assert refused(actor_of(session, member)) is Forbidden
    assert refused(actor_of(session, staff)) is Forbidden
    assert refused(actor_of(session, make_person(session, city))) is Forbidden
    assert refused(actor_of(session, late)) is NotVerified
    assert refused(actor_of(session, manager), division) is NoSupplier
    first = start_onboarding(session, company, actor=actor_of(session, manager), at=now())
    assert start_onboarding(session, company, actor=actor_of(session, manager), at=now()).id == first.id
    assert first.state == "onboarding"


def test_another_citys_manager_is_nobody_here(session: Session, city: City) -> None:
    from marketplace.errors import Forbidden  # noqa: PLC0415
    from tests.factories.cities import make_city  # noqa: PLC0415

    turku = make_city(session, slug="turku")
    abroad = make_person(session, turku)
    their = make_organisation(session, turku, name="Turun Halli Oy", kind="company")
    join(session, abroad, their, "manager")
    company = make_organisation(session, city, name="Halli Oy", kind="company")
    with pytest.raises(Forbidden):
        start_onboarding(session, company, actor=actor_of(session, abroad), at=now())
