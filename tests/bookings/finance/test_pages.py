"""What the pages of money show, and what they make of nonsense in an address or a form."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.finance.words import MISSING, PAYEE_STATES, missing_text, missing_texts
from bookings.terms.models import PaymentTerms
from bookings.terms.queries import city_fee_basis_points
from marketplace.accounts.models import AuditEntry
from marketplace.clock import now
from marketplace.payments.models import LedgerLine, Payee, Payment, Payout, Refund
from marketplace.payments.rules import PAYEE_STATES as STATES
from tests.bookings.finance.conftest import Reader, World
from tests.factories.finance import (
    failed_payment,
    failed_refund,
    give_back,
    lost_event,
    make_dispute,
    make_order,
)
from tests.factories.payments import make_payee, paid_payment
from tests.factories.people import join

NONSENSE = (
    "state=nonsense&way=gold&organisation=999999&page=-3",
    "first=2026-13-01&last=x",
    "first=2026-12-02&last=2026-12-01",
    "organisation=%00&page=99999999999999",
)


def texts(html: str) -> str:
    return html.replace("\u00a0", " ").replace("&nbsp;", " ")


def test_my_payments_are_listed_with_their_sums(reader: Reader, world: World, session: Session) -> None:
    open_ = make_order(
        session,
        world.company_booking,
        total=1350,
        state="open",
        at=now(),
        expires_at=now() + timedelta(minutes=9),
    )
    paid = make_order(session, world.division_booking, total=4000, at=now())
    give_back(session, paid, 1500, at=now())
    make_order(session, world.division_booking, total=70000, state="expired", at=now())
    session.commit()
    page = texts(reader("booker").get("/en/my/payments").text)
    assert "3 orders" in page
    assert f"/en/orders/{open_.number}/pay" in page
    assert "Pay €13.50" in page
    assert f'/en/orders/{paid.number}"' in page
    sums = page.partition('class="fin__sums"')[2].partition("</dl>")[0]
    assert [part.partition("<")[0] for part in sums.split('class="num">')[1:]] == ["€13.50", "€25", "€15"]


def test_what_can_no_longer_be_paid_has_no_button(reader: Reader, world: World, session: Session) -> None:
    order = make_order(
        session, world.company_booking, state="open", at=now(), expires_at=now() - timedelta(minutes=1)
    )
    session.commit()
    page = reader("booker").get("/en/my/payments").text
    assert f"/orders/{order.number}/pay" not in page
    assert "Not paid in time" in page


def test_managers_see_their_organisations_payments_and_bookers_do_not(
    reader: Reader, world: World, session: Session
) -> None:
    order = make_order(session, world.division_booking, at=now())
    order.organisation_id = world.company.id
    session.commit()
    assert order.number in reader("manager").get("/en/my/payments").text
    assert order.number not in reader("member").get("/en/my/payments").text
    assert order.number not in reader("staff").get("/en/my/payments").text


def test_filters_in_the_address(reader: Reader, world: World, session: Session) -> None:
    card = make_order(session, world.division_booking, at=now() - timedelta(days=40))
    spot = make_order(session, world.division_booking, state="on_the_spot", way="on_the_spot", at=now())
    session.commit()
    client, today = reader("booker"), now().date()
    for query, shown, hidden in (
        ("way=card", card, spot),
        ("state=on_the_spot", spot, card),
        (f"first={today - timedelta(days=2)}", spot, card),
        (f"last={today - timedelta(days=30)}", card, spot),
    ):
        page = client.get(f"/en/my/payments?{query}").text
        assert shown.number in page, query
        assert hidden.number not in page, query
        assert "1 order" in page


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_filters_nothing(reader: Reader, world: World, session: Session, query: str) -> None:
    order = make_order(session, world.division_booking, at=now())
    session.commit()
    answer = reader("booker").get(f"/en/my/payments?{query}")
    assert answer.status_code == 200
    assert order.number in answer.text or "last=2026-12-01" in query


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_empty_pages_say_so(reader: Reader, lang: str) -> None:
    outsider, manager, staff = reader("outsider"), reader("manager"), reader("staff")
    assert outsider.get(f"/{lang}/my/payments").status_code == 200
    assert manager.get(f"/{lang}/desk/income").status_code == 200
    assert staff.get(f"/{lang}/desk/finance").status_code == 200


def test_income_by_month_with_fee_refund_and_tax(reader: Reader, world: World, session: Session) -> None:
    order = make_order(session, world.company_booking, total=10000, payee=world.company.id, fee=750, at=now())
    give_back(session, order, 2000, at=now())
    session.commit()
    page = texts(reader("manager").get("/en/desk/income").text)
    total = page.partition('class="fin__total"')[2].partition("</tr>")[0]
    cells = [
        part.partition("</td>")[0].removeprefix("<b>").removesuffix("</b>") for part in total.split('">')[2:]
    ]
    # Sold, given back, the city's share of what is left, the supplier's, and the tax in it.
    assert cells == ["€100", "−€20", "−€6", "€74", "€16.26"]


def test_a_division_sees_the_citys_income_of_its_own_places(
    reader: Reader, world: World, session: Session
) -> None:
    make_order(session, world.division_booking, total=4000, at=now())
    make_order(session, world.company_booking, total=99900, at=now(), payee=world.company.id)
    session.commit()
    page = texts(reader("staff").get(f"/en/desk/income?organisation={world.division.id}").text)
    assert "€40" in page
    assert "€999" not in page


def test_payouts_have_their_day(reader: Reader, world: World, session: Session) -> None:
    payee = make_payee(session, world.city, organisation=world.company)
    session.add(
        Payout(
            city_id=world.city.id,
            payee_id=payee.id,
            external_id="po_1",
            amount_minor=123456,
            currency="EUR",
            state="in_transit",
            arrives_on=date(2026, 11, 30),
        )
    )
    session.commit()
    page = texts(reader("manager").get("/en/desk/income").text)
    assert "€1,234.56" in page
    assert "Mon 30 Nov 2026" in page
    assert "On its way to the bank" in page


def test_getting_paid_at_the_test_bank(
    reader: Reader, world: World, session: Session, run_jobs: Callable[[], int]
) -> None:
    client, query = reader("manager"), f"?organisation={world.company.id}"
    assert "Not started" in client.get(f"/en/desk/income/account{query}").text
    client.post(f"/en/desk/income/account{query}")
    there = client.get(f"/en/desk/income/account/service{query}")
    assert there.status_code == 303
    assert "/test-bank/" in there.location
    back = client.get(f"/en/desk/income/account/back{query}", follow_redirects=True).text
    assert "What is missing" in back
    assert "the bank account that the money goes to" in back
    payee = session.scalars(select(Payee)).one()
    assert payee.external_id
    assert payee.external_id not in back
    assert "payee.onboarding_started" in session.scalars(select(AuditEntry.action)).all()


def test_a_silent_payment_service_loses_nothing(
    reader: Reader, world: World, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from marketplace.payments.gateway import GatewayDown  # noqa: PLC0415
    from marketplace.payments.test_bank import TestBank  # noqa: PLC0415

    def away(self: object, *args: object, **kwargs: object) -> str:
        raise GatewayDown

    client, query = reader("manager"), f"?organisation={world.company.id}"
    client.post(f"/en/desk/income/account{query}")
    monkeypatch.setattr(TestBank, "create_account", away)
    answer = client.get(f"/en/desk/income/account/service{query}", follow_redirects=True)
    assert answer.status_code == 200
    assert "The payment service does not answer just now" in answer.text


def test_every_state_of_an_account_has_words() -> None:
    assert set(STATES) < set(PAYEE_STATES)


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        ("external_account", "bank account"),
        ("tos_acceptance.date", "consent"),
        ("individual.dob.day", "date of birth"),
        ("person_1abc.verification.document", "identity document"),
        ("company.tax_id", "business ID"),
        ("company.address.line1", "of the company"),
        ("representative.id_number", "personal identity code"),
        ("business.address", "of the company"),
        ("something_new", "own page tells"),
    ],
)
def test_what_is_missing_is_said_in_plain_words(requirement: str, words: str) -> None:
    assert words in missing_text(requirement)


def test_what_is_missing_is_said_once() -> None:
    assert len(missing_texts([f"individual.dob.{part}" for part in ("day", "month", "year")])) == 1
    assert all(text for _, text in MISSING)


def test_the_citys_lists(reader: Reader, world: World, session: Session) -> None:
    waits = make_order(session, world.company_booking, state="open", at=now())
    paid = make_order(session, world.division_booking, at=now())
    failed_payment(session, waits, at=now())
    failed_refund(session, paid, 700, at=now())
    make_dispute(session, paid, at=now())
    session.add(
        AuditEntry(
            city_id=world.city.id,
            source="job",
            action="order.paid",
            subject_kind="order",
            subject_id=paid.id,
            details={"before": "expired"},
        )
    )
    lost_event(session, world.city, at=now(), problem="other-mode")
    event = lost_event(session, world.city, at=now())
    session.commit()
    client = reader("staff")
    # A dispute, a refund and an event that may be tried again; the one of the other mode waits for nobody.
    assert "3 things need you" in client.get("/en/desk/finance").text
    for show, shown in (
        ("open", waits.number),
        ("failed", "card_declined"),
        ("late", paid.number),
        ("disputed", "fraudulent"),
        ("refunds", "expired_or_canceled_card"),
        ("events", event.external_id),
    ):
        assert shown in client.get(f"/en/desk/finance?show={show}").text, show
    events = client.get("/en/desk/finance?show=events").text
    assert events.count("/retry") == 1
    assert "nobody reads this" not in events


@pytest.mark.parametrize(
    "query", ["show=x&month=2026-13&page=-1", "month=9999-01", "month=abc&page=99999", "month=٢٠٢٦-١١"]
)
def test_nonsense_in_the_citys_address(reader: Reader, query: str) -> None:
    client = reader("staff")
    assert client.get(f"/en/desk/finance?{query}").status_code == 200
    assert client.get(f"/en/desk/finance.csv?{query}").status_code == 200
    assert client.get(f"/en/desk/income?{query}&year=0000").status_code == 200


def test_a_refund_is_asked_for_anew_once(
    app: object,
    client: FlaskClient,
    reader: Reader,
    world: World,
    session: Session,
    run_jobs: Callable[[], int],
) -> None:
    staff = reader("staff")
    with app.test_request_context("/en/"):  # type: ignore[attr-defined]
        payment = paid_payment(session, world.city, client, run_jobs, amount=5000)
    failed = Refund(
        city_id=world.city.id,
        payment_id=payment.id,
        amount_minor=2000,
        state="failed",
        key="cancelled:1",
        reason="cancelled",
    )
    session.add(failed)
    session.commit()
    path = f"/en/desk/finance/refunds/{failed.id}/retry"
    assert staff.post(path).status_code == 303
    assert "needs no retry" in staff.post(path, follow_redirects=True).text
    run_jobs()
    session.expire_all()
    found = session.scalars(select(Refund).order_by(Refund.id)).all()
    assert [(one.state, one.amount_minor) for one in found] == [("failed", 2000), ("succeeded", 2000)]
    assert session.get_one(Payment, (world.city.id, payment.id)).refunded_minor == 2000
    assert session.scalars(select(LedgerLine.amount_minor).where(LedgerLine.amount_minor == 2000)).all()
    assert "refund.retried" in session.scalars(select(AuditEntry.action)).all()
    assert "Every refund has gone through" in staff.get("/en/desk/finance?show=refunds").text


def test_a_refund_beyond_what_is_left_is_refused(reader: Reader, world: World, session: Session) -> None:
    order = make_order(session, world.division_booking, total=4000, at=now())
    refund = failed_refund(session, order, 3000, at=now())
    give_back(session, order, 2000, at=now())
    session.commit()
    answer = reader("staff").post(f"/en/desk/finance/refunds/{refund.id}/retry", follow_redirects=True)
    assert "not that much left" in answer.text
    assert session.scalars(select(Refund.id)).all() == [refund.id]


def test_events_of_the_other_mode_are_never_looked_at_again(
    reader: Reader, world: World, session: Session
) -> None:
    event = lost_event(session, world.city, at=now(), problem="other-mode")
    session.commit()
    answer = reader("staff").post(f"/en/desk/finance/events/{event.id}/retry", follow_redirects=True)
    assert "needs no retry" in answer.text
    session.expire_all()
    assert event.processed_at is not None


@pytest.mark.parametrize("typed", ["", "x", "-1", "50.01", "7,555", "1e1", "٧", "100000000000"])
def test_a_fee_that_is_none_is_refused_beside_its_field(reader: Reader, session: Session, typed: str) -> None:
    answer = reader("staff").post("/en/desk/finance/terms", data={"fee": typed, "income": "3000"})
    assert answer.status_code == 422
    assert "Write a percentage" in answer.text
    assert session.scalars(select(PaymentTerms)).all() == []


@pytest.mark.parametrize("typed", ["=cmd", "30 00", "12345678901", "<b>"])
def test_an_account_that_is_none_changes_nothing(reader: Reader, session: Session, typed: str) -> None:
    answer = reader("staff").post("/en/desk/finance/terms", data={"fee": "7", "vat": typed})
    assert answer.status_code == 422
    assert "at most 10 letters" in answer.text
    assert session.scalars(select(PaymentTerms)).all() == []


def test_the_fee_is_settled_and_written_down(reader: Reader, world: World, session: Session) -> None:
    client = reader("staff")
    for _ in range(2):
        assert (
            client.post("/en/desk/finance/terms", data={"fee": "7,5 %", "income": "3000"}).status_code == 303
        )
    assert city_fee_basis_points(session, world.city.id) == 750
    assert session.scalars(select(PaymentTerms)).one().gl_accounts == {"income": "3000"}
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("terms.%"))).all()
    assert sorted(actions) == ["terms.accounts_named", "terms.fee_settled"]
    assert 'value="7.5"' in client.get("/en/desk/finance/terms").text
    assert 'value="7,5"' in client.get("/fi/desk/finance/terms").text


def test_a_member_of_two_suppliers_chooses(reader: Reader, world: World, session: Session) -> None:
    join(session, world.manager, world.division, "manager")
    session.commit()
    page = reader("manager").get("/en/desk/income").text
    assert "Linja Oy" in page
    assert "Nuorisopalvelut" in page
