"""Who may open which page of money and press which button."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.clock import now
from marketplace.payments.models import Payee, Refund
from tests.bookings.finance.conftest import Reader, World
from tests.factories.bookings import book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.finance import failed_refund, lost_event, make_order
from tests.factories.payments import make_payee
from tests.factories.people import actor_of, join, make_person
from tests.factories.spaces import make_venue

SIGN_IN = 302
KINDS = ("nobody", "outsider", "booker", "member", "manager", "rival", "handler", "viewer", "staff")
OWN_PAGES = {
    "/en/my/payments": {"nobody": SIGN_IN},
    "/en/desk/income": {
        "nobody": SIGN_IN, "outsider": 403, "booker": 403, "member": 403, "handler": 403, "viewer": 403
    },
}  # fmt: skip
SUPPLIERS_PAGES = ("/en/desk/income", "/en/desk/income.csv", "/en/desk/income/account")
STAFF_PAGES = ("/en/desk/finance", "/en/desk/finance.csv", "/en/desk/finance/terms")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", OWN_PAGES)
def test_pages_without_an_organisation_in_the_address(reader: Reader, path: str, kind: str) -> None:
    assert reader(kind).get(path).status_code == OWN_PAGES[path].get(kind, 200)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", SUPPLIERS_PAGES)
def test_a_suppliers_pages_are_for_its_managers_and_staff(
    reader: Reader, world: World, path: str, kind: str
) -> None:
    expected = {"nobody": SIGN_IN, "manager": 200, "staff": 200}.get(kind, 404)
    assert reader(kind).get(f"{path}?organisation={world.company.id}").status_code == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", STAFF_PAGES)
def test_the_citys_pages_are_for_staff(reader: Reader, path: str, kind: str) -> None:
    assert reader(kind).get(path).status_code == {"nobody": SIGN_IN, "staff": 200}.get(kind, 403)


@pytest.mark.parametrize("kind", KINDS)
def test_only_managers_begin_to_be_paid(reader: Reader, world: World, session: Session, kind: str) -> None:
    answer = reader(kind).post(f"/en/desk/income/account?organisation={world.company.id}")
    assert answer.status_code == {"nobody": SIGN_IN, "manager": 303, "staff": 403}.get(kind, 404)
    assert session.scalar(select(func.count()).select_from(Payee)) == (kind == "manager")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", ["service", "back"])
def test_only_managers_go_to_the_payment_service(
    reader: Reader, world: World, session: Session, kind: str, step: str
) -> None:
    make_payee(session, world.city, organisation=world.company, state="onboarding")
    session.commit()
    answer = reader(kind).get(f"/en/desk/income/account/{step}?organisation={world.company.id}")
    assert answer.status_code == {"nobody": SIGN_IN, "manager": 303}.get(kind, 404)


@pytest.mark.parametrize("kind", KINDS)
def test_only_staff_try_again(reader: Reader, world: World, session: Session, kind: str) -> None:
    order = make_order(session, world.company_booking, at=now())
    refund, event = failed_refund(session, order, 500, at=now()), lost_event(session, world.city, at=now())
    session.commit()
    client = reader(kind)
    expected = {"nobody": SIGN_IN, "staff": 303}.get(kind, 403)
    assert client.post(f"/en/desk/finance/refunds/{refund.id}/retry").status_code == expected
    assert client.post(f"/en/desk/finance/events/{event.id}/retry").status_code == expected
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(Refund)) == (2 if kind == "staff" else 1)
    assert (event.processed_at is None) == (kind == "staff")


@pytest.mark.parametrize("kind", KINDS)
def test_only_staff_settle_the_fee(reader: Reader, kind: str) -> None:
    answer = reader(kind).post("/en/desk/finance/terms", data={"fee": "7,5"})
    assert answer.status_code == {"nobody": SIGN_IN, "staff": 303}.get(kind, 403)


def test_another_city_is_another_world(reader: Reader, world: World, session: Session) -> None:
    other = make_city(session, "espoo")
    owner = make_person(session, other, name="Esko Espoolainen")
    space = open_space(session, other, make_venue(session, other))
    order = make_order(
        session,
        book(session, other, space, actor_of(session, owner), span_on(other, 10, 12)),
        at=now() - timedelta(days=1),
    )
    refund = failed_refund(session, order, 500, at=now())
    payee = make_payee(session, other)
    event = lost_event(session, other, at=now(), account=payee.external_id or "")
    session.commit()
    client = reader("staff")
    assert client.post(f"/en/desk/finance/refunds/{refund.id}/retry").status_code == 404
    assert client.post(f"/en/desk/finance/events/{event.id}/retry").status_code == 404
    assert client.get(f"/en/desk/income?organisation={payee.organisation_id}").status_code == 404
    for show in ("open", "failed", "late", "disputed", "refunds", "events"):
        page = client.get(f"/en/desk/finance?show={show}").text
        assert order.number not in page
        assert event.external_id not in page
        assert "Espoolainen" not in page
    assert order.number not in client.get("/en/desk/finance.csv").text


def test_a_division_is_paid_by_the_city(reader: Reader, world: World, session: Session) -> None:
    join(session, world.manager, world.division, "manager")
    session.commit()
    client = reader("manager")
    path = f"/en/desk/income/account?organisation={world.division.id}"
    assert "The city has its own account" in client.get(path).text
    assert client.post(path).status_code == 403
