"""Issuing: numbers without gaps, once for each order, by organisation and payee; what the ledger says."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.checkout.models import OrderLine
from bookings.invoices import jobs
from bookings.invoices.actions import (
    call_overdue,
    credit_invoice,
    credit_order,
    issue_for_orders,
    next_number,
    register_payment,
)
from bookings.invoices.errors import (
    CreditedMeanwhile,
    NothingToCredit,
    NotYourInvoices,
    SellerMissing,
    TermsMissing,
)
from bookings.invoices.models import Invoice, InvoiceLine, InvoiceSeries
from bookings.invoices.queries import credited_by_line, lines_of
from marketplace.db import transaction
from marketplace.errors import Invalid
from marketplace.jobs.messages import Message
from marketplace.notifications.models import Mail
from marketplace.payments.models import LedgerEntry, LedgerLine
from tests.bookings.invoices.conftest import Scene
from tests.factories.bookings import NOW
from tests.factories.cities import make_city
from tests.factories.invoices import add_line, make_order, make_seller, make_terms
from tests.factories.people import actor_of, make_organisation, make_person

DECEMBER = datetime(2026, 12, 2, 3, 41, tzinfo=UTC)

TODAY = NOW.date()


def balance(session: Session, account: str) -> int:
    return int(
        session.scalar(
            select(func.coalesce(func.sum(LedgerLine.amount_minor), 0)).where(LedgerLine.account == account)
        )
        or 0
    )


def test_an_invoice_has_all_it_needs_of_its_day(scene: Scene) -> None:
    invoice = scene.issued((12000, 2550), (5000, 1350))
    assert (invoice.number, invoice.state) == ("2026-00001", "sent")
    assert invoice.due_on == date(2026, 12, 8)
    assert invoice.gross_minor == 17000 == invoice.net_minor + invoice.vat_minor
    lines = lines_of(scene.session, invoice)
    assert [line.gross_minor for line in lines] == [12000, 5000]
    assert set(lines[0].texts) == {"fi", "sv", "en"}
    assert "2026" in lines[0].texts["fi"]
    scene.organisation.name = "Another name"
    scene.seller.iban = "FI3715903000000776"
    scene.session.commit()
    assert invoice.buyer["name"] == "Kallion Juniorit ry"
    assert invoice.seller["iban"] == "FI2112345600000785"


def test_the_debt_moves_from_the_payer_to_the_invoice(scene: Scene) -> None:
    scene.issued((12000, 2550))
    assert (balance(scene.session, "invoices"), balance(scene.session, "payer")) == (12000, -12000)


def test_asked_again_it_issues_nothing(scene: Scene) -> None:
    order = scene.order((12000, 2550))
    assert len(issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program)) == 1
    assert issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program) == []


def test_one_invoice_for_each_payee(scene: Scene) -> None:
    supplier = make_organisation(scene.session, scene.city, name="Sali Oy", kind="company")
    seller = make_seller(scene.session, scene.city, organisation_id=supplier.id, name="Sali Oy")
    orders = [scene.order((100, 2550)), scene.order((200, 2550)), scene.order((300, 2550), payee=supplier)]
    made = issue_for_orders(scene.session, scene.city, orders, at=NOW, actor=scene.program)
    assert sorted(one.gross_minor for one in made) == [300, 300]
    assert {one.number for one in made} == {"2026-00001", f"{seller.id}-2026-00001"}
    assert len({one.reference for one in made}) == 2


def test_other_ways_and_lost_orders_are_never_invoiced(scene: Scene) -> None:
    card, lost = scene.order((100, 2550)), scene.order((100, 2550))
    card.way, card.state = "card", "paid"
    lost.state = "cancelled"
    scene.session.flush()
    assert issue_for_orders(scene.session, scene.city, [card, lost], at=NOW, actor=scene.program) == []


def test_without_seller_or_terms_no_number_is_used(scene: Scene) -> None:
    order = scene.order((100, 2550))
    scene.session.delete(scene.terms)
    scene.session.flush()
    with pytest.raises(TermsMissing):
        issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program)
    scene.session.delete(scene.seller)
    scene.session.flush()
    with pytest.raises(SellerMissing):
        issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program)
    assert scene.session.scalar(select(func.count()).select_from(InvoiceSeries)) == 0


def test_only_staff_and_the_program_issue(scene: Scene) -> None:
    order = scene.order((100, 2550))
    for person in (scene.manager, make_person(scene.session, scene.city)):
        with pytest.raises(NotYourInvoices):
            issue_for_orders(
                scene.session, scene.city, [order], at=NOW, actor=actor_of(scene.session, person)
            )


def test_a_new_year_counts_from_one(scene: Scene) -> None:
    scene.issued()
    order = scene.order((100, 2550))
    eve = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)  # past midnight in the city
    (invoice,) = issue_for_orders(scene.session, scene.city, [order], at=eve, actor=scene.program)
    assert invoice.number == "2027-00001"


def test_numbers_have_no_gaps_when_two_issue_at_once_and_one_gives_up(
    committing: Engine, committing_app: Flask
) -> None:
    with committing_app.app_context(), transaction() as session:
        city = make_city(session)
        seller_id = make_seller(session, city).id
        city_id = city.id
    drawn: list[int] = []
    first_has, go_on = threading.Event(), threading.Event()

    def give_up() -> None:
        with Session(committing) as session:
            next_number(session, city_id, seller_id, 2026)
            first_has.set()
            go_on.wait(10)
            session.rollback()

    def draw() -> None:
        with transaction() as session:
            drawn.append(next_number(session, city_id, seller_id, 2026))

    loser = threading.Thread(target=give_up)
    loser.start()
    assert first_has.wait(10)
    winners = [threading.Thread(target=draw) for _ in range(8)]
    for thread in winners:
        thread.start()
    assert drawn == []  # they wait for the number that is not decided yet
    go_on.set()
    for thread in [loser, *winners]:
        thread.join(20)
    assert sorted(drawn) == list(range(1, 9))


def test_an_order_line_is_never_invoiced_twice(scene: Scene) -> None:
    """Two that did not see each other: the database refuses the second."""
    invoice = scene.issued()
    line = lines_of(scene.session, invoice)[0]
    columns = {c.key: getattr(line, c.key) for c in InvoiceLine.__table__.columns if c.key != "position"}
    scene.session.add(InvoiceLine(**columns, position=99))
    with pytest.raises(Exception, match="uq_invoice_line_order_line"):
        scene.session.flush()
    scene.session.rollback()


# Cancelled, made cheaper: credit notes of orders


def test_a_cancelled_order_is_credited_but_for_what_is_kept(scene: Scene) -> None:
    order = scene.order((10000, 2550))
    (invoice,) = issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program)
    add_line(scene.session, order, scene.booking, -10000, 2550, kind="refund")
    add_line(scene.session, order, scene.booking, 3000, 2550, kind="kept_fee")
    note = credit_order(scene.session, scene.city, order, at=NOW, actor=scene.program)
    assert note is not None
    assert (note.kind, note.gross_minor, note.credits_id) == ("credit_note", -7000, invoice.id)
    assert note.number == "2026-00002"
    assert (invoice.credited_minor, invoice.state) == (7000, "sent")
    assert balance(scene.session, "invoices") == 3000 == -balance(scene.session, "payer")
    assert credit_order(scene.session, scene.city, order, at=NOW, actor=scene.program) is None


def test_cancelled_before_it_was_invoiced_only_what_is_kept_is(scene: Scene) -> None:
    order = scene.order((10000, 2550))
    add_line(scene.session, order, scene.booking, -10000, 2550, kind="refund")
    add_line(scene.session, order, scene.booking, 3000, 2550, kind="kept_fee")
    (invoice,) = issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program)
    assert invoice.gross_minor == 3000


def test_nothing_kept_is_no_invoice(scene: Scene) -> None:
    order = scene.order((10000, 2550))
    add_line(scene.session, order, scene.booking, -10000, 2550, kind="refund")
    assert issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program) == []


def test_an_order_is_not_credited_below_what_staff_left(scene: Scene) -> None:
    order = scene.order((10000, 2550))
    (invoice,) = issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program)
    credit_invoice(
        scene.session, scene.city, invoice, {1: 9000}, reason="x", seen_minor=0, at=NOW, actor=scene.clerk
    )
    add_line(scene.session, order, scene.booking, -10000, 2550, kind="refund")
    with pytest.raises(NothingToCredit):
        credit_order(scene.session, scene.city, order, at=NOW, actor=scene.program)


# Credit notes of staff


def test_staff_credits_a_part_and_then_the_rest(scene: Scene) -> None:
    invoice = scene.issued((10001, 2550), (500, 1350))
    args: dict[str, Any] = {"reason": "Salissa oli vesivahinko", "at": NOW, "actor": scene.clerk}
    credit_invoice(scene.session, scene.city, invoice, {1: 3333}, seen_minor=0, **args)
    credit_invoice(scene.session, scene.city, invoice, {1: 6668, 2: 500}, seen_minor=3333, **args)
    assert invoice.state == "credited"
    gone = credited_by_line(scene.session, invoice)
    lines = {line.position: line for line in lines_of(scene.session, invoice)}
    assert all(gone[n].vat_minor == lines[n].vat_minor for n in (1, 2))
    assert balance(scene.session, "invoices") == 0
    assert balance(scene.session, "refunds") + balance(scene.session, "vat") == 10501
    with pytest.raises(NothingToCredit):
        credit_invoice(scene.session, scene.city, invoice, {1: 1}, seen_minor=10501, **args)


def test_a_second_press_credits_nothing(scene: Scene) -> None:
    invoice = scene.issued()
    args: dict[str, Any] = {"reason": "x", "seen_minor": 0, "at": NOW, "actor": scene.clerk}
    credit_invoice(scene.session, scene.city, invoice, {1: 100}, **args)
    with pytest.raises(CreditedMeanwhile):
        credit_invoice(scene.session, scene.city, invoice, {1: 100}, **args)


def test_a_credit_note_cannot_be_credited_nor_a_line_that_is_not_there(scene: Scene) -> None:
    invoice = scene.issued()
    args: dict[str, Any] = {"reason": "x", "at": NOW, "actor": scene.clerk}
    note = credit_invoice(scene.session, scene.city, invoice, {1: 100}, seen_minor=0, **args)
    for target, parts, seen in (
        (note, {1: 1}, 0),
        (invoice, {7: 1}, 100),
        (invoice, {1: -5}, 100),
        (invoice, {}, 100),
    ):
        with pytest.raises(NothingToCredit):
            credit_invoice(scene.session, scene.city, target, parts, seen_minor=seen, **args)
    with pytest.raises(NothingToCredit):
        credit_invoice(scene.session, scene.city, invoice, {1: 11901}, seen_minor=100, **args)


def test_a_line_gives_back_no_more_than_itself(scene: Scene) -> None:
    invoice = scene.issued((1000, 2550), (9000, 2550))
    with pytest.raises(Invalid) as refused:
        credit_invoice(
            scene.session, scene.city, invoice, {1: 1001}, reason="x", seen_minor=0, at=NOW, actor=scene.clerk
        )
    assert refused.value.fields[0].field == "part_1"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.tuples(st.integers(1, 10**6), st.sampled_from([0, 1350, 2550])), min_size=1, max_size=4
    ),
    asked=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 10**6)), max_size=8),
)
def test_credits_are_never_above_the_invoice(
    scene: Scene, lines: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    invoice = scene.issued(*lines)
    for position, amount in asked:
        try:
            with scene.session.begin_nested():
                credit_invoice(
                    scene.session,
                    scene.city,
                    invoice,
                    {position: amount},
                    reason="x",
                    seen_minor=invoice.credited_minor,
                    at=NOW,
                    actor=scene.clerk,
                )
        except (NothingToCredit, Invalid):
            scene.session.refresh(invoice)
    notes = scene.session.scalars(select(Invoice).where(Invoice.credits_id == invoice.id)).all()
    assert -sum(note.gross_minor for note in notes) == invoice.credited_minor <= invoice.gross_minor
    for line in lines_of(scene.session, invoice):
        part = credited_by_line(scene.session, invoice).get(line.position)
        assert part is None or part.gross_minor <= line.gross_minor
    assert balance_of_entries(scene.session) == 0


def balance_of_entries(session: Session) -> int:
    worst = session.scalars(select(func.sum(LedgerLine.amount_minor)).group_by(LedgerLine.entry_id)).all()
    return max((abs(int(one)) for one in worst), default=0)


# Payments


def pay(scene: Scene, invoice: Invoice, minor: int, *, key: str = "a", day: date = TODAY) -> int:
    return register_payment(
        scene.session,
        scene.city,
        invoice,
        amount_minor=minor,
        paid_on=day,
        bank_reference="ARK1",
        submission=key,
        at=NOW,
        actor=scene.clerk,
    )


def test_a_payment_tells_what_is_missing_and_what_came_too_much(scene: Scene) -> None:
    invoice = scene.issued((12000, 2550))
    assert pay(scene, invoice, 5000) == 7000
    assert invoice.state == "sent"
    assert pay(scene, invoice, 7500, key="b") == -500
    assert invoice.state == "paid"
    assert balance(scene.session, "bank") == 12500
    assert pay(scene, invoice, -500, key="c") == 0
    assert (balance(scene.session, "bank"), balance(scene.session, "invoices")) == (12000, 0)


def test_one_submission_counts_once(scene: Scene) -> None:
    invoice = scene.issued((12000, 2550))
    assert pay(scene, invoice, 5000) == pay(scene, invoice, 5000) == 7000


@pytest.mark.parametrize(
    ("minor", "day", "field"),
    [(0, NOW.date(), "amount"), (-1, NOW.date(), "amount"), (1, NOW.date() + timedelta(days=2), "paid_on")],
)
def test_payments_that_cannot_be(scene: Scene, minor: int, day: date, field: str) -> None:
    invoice = scene.issued()
    with pytest.raises(Invalid) as refused:
        pay(scene, invoice, minor, day=day)
    assert refused.value.fields[0].field == field
    assert invoice.paid_minor == 0


def test_money_for_a_suppliers_invoice_is_the_suppliers(scene: Scene) -> None:
    supplier = make_organisation(scene.session, scene.city, name="Sali Oy", kind="company")
    make_seller(scene.session, scene.city, organisation_id=supplier.id, name="Sali Oy")
    order = scene.order((300, 2550), payee=supplier)
    (invoice,) = issue_for_orders(scene.session, scene.city, [order], at=NOW, actor=scene.program)
    pay(scene, invoice, 300)
    assert (balance(scene.session, "bank"), balance(scene.session, "supplier")) == (0, 300)


def test_only_staff_registers(scene: Scene) -> None:
    invoice = scene.issued()
    with pytest.raises(NotYourInvoices):
        register_payment(
            scene.session,
            scene.city,
            invoice,
            amount_minor=1,
            paid_on=NOW.date(),
            bank_reference="",
            submission="x",
            at=NOW,
            actor=actor_of(scene.session, scene.manager),
        )


def test_the_day_after_its_due_day_an_unpaid_invoice_is_overdue(scene: Scene) -> None:
    unpaid, paid = scene.issued(), scene.issued()
    pay(scene, paid, 12000)
    due = datetime(2026, 12, 8, 20, tzinfo=UTC)
    assert call_overdue(scene.session, scene.city, at=due) == 0
    assert call_overdue(scene.session, scene.city, at=due + timedelta(hours=3)) == 1
    assert (unpaid.state, paid.state) == ("overdue", "paid")
    pay(scene, unpaid, 12000, key="late")
    assert unpaid.state == "paid"


# Jobs


def invoices(session: Session) -> list[Invoice]:
    session.expire_all()
    return list(session.scalars(select(Invoice).order_by(Invoice.id)))


def heard(scene: Scene, name: str, order_id: int) -> None:
    jobs.follow_order(scene.session, Message(name, scene.city.id, {"order_id": order_id}))
    scene.session.commit()


def test_at_once_means_when_the_order_is_placed(scene: Scene) -> None:
    order = scene.order((100, 2550))
    heard(scene, "order.invoiced", order.id)
    heard(scene, "order.invoiced", order.id)
    assert [one.gross_minor for one in invoices(scene.session)] == [100]


def test_a_month_is_gathered_once(scene: Scene) -> None:
    scene.terms.rhythm = "monthly"
    order = scene.order((100, 2550))
    scene.order((200, 2550), at=NOW - timedelta(days=3))
    scene.order((400, 2550), at=DECEMBER)
    scene.session.commit()
    heard(scene, "order.invoiced", order.id)
    assert invoices(scene.session) == []
    jobs.keep_invoices(NOW)
    assert invoices(scene.session) == []
    jobs.keep_invoices(DECEMBER)
    jobs.keep_invoices(DECEMBER)
    (invoice,) = invoices(scene.session)
    assert (invoice.gross_minor, invoice.period_on) == (300, date(2026, 11, 1))
    late = scene.order((50, 2550), at=NOW)
    scene.session.commit()
    jobs.keep_invoices(DECEMBER + timedelta(days=1))
    assert len(invoices(scene.session)) == 1
    jobs.keep_invoices(DECEMBER + timedelta(days=31))
    assert [one.gross_minor for one in invoices(scene.session)] == [300, 450]
    assert late.id is not None


def test_what_waited_for_the_address_goes_out_when_it_is_there(scene: Scene) -> None:
    scene.session.delete(scene.terms)
    order = scene.order((100, 2550))
    scene.session.commit()
    heard(scene, "order.invoiced", order.id)
    jobs.keep_invoices(NOW)
    assert invoices(scene.session) == []
    make_terms(scene.session, scene.organisation)
    scene.session.commit()
    jobs.keep_invoices(NOW)
    assert len(invoices(scene.session)) == 1


def test_the_night_credits_what_the_message_missed(scene: Scene) -> None:
    order = scene.order((100, 2550))
    heard(scene, "order.invoiced", order.id)
    add_line(scene.session, order, scene.booking, -100, 2550, kind="refund")
    scene.session.commit()
    jobs.keep_invoices(NOW)
    invoice, note = invoices(scene.session)
    assert (invoice.state, note.gross_minor) == ("credited", -100)


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_word_of_an_invoice_goes_out_once(scene: Scene, language: str, run_jobs) -> None:
    scene.manager.language = language
    scene.terms.language = language
    scene.session.commit()
    invoice = scene.issued()
    run_jobs()
    jobs.mail_issued(scene.session, Message("invoice.issued", scene.city.id, {"invoice_id": invoice.id}))
    (mail,) = scene.session.scalars(select(Mail).where(Mail.key.like(f"invoice:{invoice.id}:%"))).all()
    assert mail.to_address == scene.manager.email
    assert invoice.number in mail.subject
    assert "FI21 1234 5600 0007 85" in mail.body_text
    assert f"/{language}/invoices/{invoice.id}" in mail.body_text


def test_word_goes_to_the_given_address_with_the_reason(scene: Scene, run_jobs) -> None:
    scene.terms.email = "laskut@example.org"
    scene.session.commit()
    invoice = scene.issued()
    credit_invoice(
        scene.session,
        scene.city,
        invoice,
        {1: 100},
        reason="Vesivahinko",
        seen_minor=0,
        at=NOW,
        actor=scene.clerk,
    )
    scene.session.commit()
    run_jobs()
    mails = scene.session.scalars(select(Mail).where(Mail.template.like("%invoices%"))).all()
    assert {mail.to_address for mail in mails} == {"laskut@example.org"}
    assert any("Vesivahinko" in mail.body_text and invoice.number in mail.body_text for mail in mails)


def test_entries_and_lines_are_untouched_by_another_city(scene: Scene) -> None:
    order = scene.order((100, 2550))
    other = make_city(scene.session, "turku")
    assert issue_for_orders(scene.session, other, [order], at=NOW, actor=scene.program) == []
    assert scene.session.scalar(select(func.count()).select_from(LedgerEntry)) == 0
    assert scene.session.scalar(select(func.count()).select_from(OrderLine)) == 1
    assert make_order is not None
