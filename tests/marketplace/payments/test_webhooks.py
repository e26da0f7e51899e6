"""What gateways tell: believed when signed, kept once, acted upon in any order, as often and as late as it comes."""

import json
from datetime import timedelta
from itertools import permutations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.payments.gateway import gateways
from marketplace.payments.inbox import process_event, receive
from marketplace.payments.models import Dispute, GatewayEvent, LedgerEntry, Payment, Refund
from marketplace.payments.test_bank import kept_of
from tests.factories.payments import (
    ledger_sums,
    make_payee,
    make_payment,
    opened_payment,
    paid_payment,
    refunded,
)

pytestmark = pytest.mark.usefixtures("money_app")
DOOR = "/payments/webhooks/testbank"


def bank():
    return gateways()["testbank"]


def told(
    payment: Payment, state: str, *, captured: int = 0, number: int = 1, account: str = "", **about
) -> bytes:
    """An event as the test bank sends it."""
    outcome = {
        "state": state,
        "captured_minor": captured,
        "gateway_fee_minor": 7 if captured else None,
        "failure_code": None,
    }
    return json.dumps(
        {
            "id": f"tbe_{payment.id}_{number}",
            "kind": "payment",
            "account": account,
            "about": {
                "session": payment.session_external_id,
                "intent": payment.intent_external_id,
                "key": None,
                "outcome": outcome,
                **about,
            },
        }
    ).encode()


def send(client: FlaskClient, payload: bytes, *, at=None, signature: str | None = None):
    signature = bank().sign(payload, at or now()) if signature is None else signature
    return client.post(DOOR, data=payload, headers={"Testbank-Signature": signature})


def events(session: Session) -> list[GatewayEvent]:
    session.expire_all()
    return list(session.scalars(select(GatewayEvent).order_by(GatewayEvent.id)))


def test_an_event_is_kept_answered_and_acted_upon_by_a_job(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = opened_payment(session, city, amount=900)
    run_jobs()
    assert send(client, told(payment, "paid", captured=900)).status_code == 200
    session.refresh(payment)
    assert payment.state == "open"
    assert [event.processed_at for event in events(session)] == [None]
    run_jobs()
    session.refresh(payment)
    assert payment.state == "paid"
    (event,) = events(session)
    assert (event.problem, event.attempts, event.is_live) == (None, 1, False)
    assert event.processed_at is not None


def test_an_event_that_comes_twice_is_one(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = opened_payment(session, city, amount=900)
    payload = told(payment, "paid", captured=900)
    for _ in range(3):
        assert send(client, payload).status_code == 200
        run_jobs()
    (event,) = events(session)
    process_event(event.id)
    assert ledger_sums(session, city)["payer", None] == -900
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 2


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_events_in_any_order_come_to_the_same(
    session: Session, city: City, client: FlaskClient, run_jobs, order: tuple[int, ...]
) -> None:
    payment = opened_payment(session, city, amount=900, capture="manual")
    news = [
        told(payment, "open", number=1),
        told(payment, "authorised", number=2),
        told(payment, "paid", captured=900, number=3),
        told(payment, "expired", number=4),
    ]
    for n in order:
        send(client, news[n])
        run_jobs()
    session.refresh(payment)
    assert (payment.state, payment.captured_minor) == ("paid", 900)
    assert ledger_sums(session, city) == {
        ("payer", None): -900,
        ("gateway", None): 893,
        ("gateway_fee", None): 7,
    }


@pytest.mark.parametrize("signature", ["", "x", "1,abc", ",", "99999999999999999999,", "é,é", "-1,"])
def test_what_is_not_signed_is_not_believed(
    session: Session, city: City, client: FlaskClient, signature: str
) -> None:
    payment = opened_payment(session, city, amount=900)
    answer = send(client, told(payment, "paid", captured=900), signature=signature)
    assert answer.status_code == 400
    assert events(session) == []


def test_a_signature_of_something_else_is_not_believed(
    session: Session, city: City, client: FlaskClient
) -> None:
    payment = opened_payment(session, city, amount=900)
    signature = bank().sign(told(payment, "open"), now())
    assert send(client, told(payment, "paid", captured=900), signature=signature).status_code == 400


@pytest.mark.parametrize("away", [timedelta(minutes=-10), timedelta(minutes=10)])
def test_an_event_played_again_after_ten_minutes_is_not_believed(
    session: Session, city: City, client: FlaskClient, away: timedelta
) -> None:
    payment = opened_payment(session, city, amount=900)
    assert send(client, told(payment, "paid", captured=900), at=now() + away).status_code == 400
    assert events(session) == []


def test_a_long_letter_is_not_read(client: FlaskClient, session: Session) -> None:
    assert send(client, b"x" * 300_000).status_code == 413
    assert events(session) == []


@pytest.mark.parametrize("gateway", ["stripe", "nobody", "testbank%00", ".."])
def test_a_gateway_we_do_not_use_has_no_door(client: FlaskClient, gateway: str) -> None:
    assert client.post(f"/payments/webhooks/{gateway}", data=b"{}").status_code == 404


def test_the_door_takes_posts_only(client: FlaskClient) -> None:
    assert client.get(DOOR).status_code == 405


def test_an_event_of_the_other_mode_is_kept_and_not_acted_upon(
    session: Session, city: City, run_jobs
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    payment = opened_payment(session, city, amount=900)
    run_jobs()
    payload = told(payment, "paid", captured=900)
    seen = replace(bank().read_event(payload, bank().sign(payload, now()), now()), is_live=True)
    receive(session, bank(), seen, now())
    session.commit()
    run_jobs()
    (event,) = events(session)
    process_event(event.id)
    session.refresh(payment)
    assert (event.problem, payment.state) == ("other-mode", "open")


@pytest.mark.parametrize(
    ("account", "problem"), [("tba_stranger", "unknown-account"), ("known", "foreign-account")]
)
def test_an_event_of_another_account_is_kept_and_not_acted_upon(
    session: Session, city: City, client: FlaskClient, run_jobs, account: str, problem: str
) -> None:
    payee = make_payee(session, city)
    payment = opened_payment(session, city, amount=900)
    told_by = (payee.external_id or "") if account == "known" else account
    send(client, told(payment, "paid", captured=900, account=told_by))
    run_jobs()
    (event,) = events(session)
    session.refresh(payment)
    assert (event.problem, payment.state) == (problem, "open")


def test_an_event_faster_than_our_own_books_waits_for_them(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    """The payer can be faster than the answer with the pay page's id."""
    payment = opened_payment(session, city, amount=900)
    run_jobs()
    payload = told(payment, "paid", captured=900)
    session_id, intent_id = payment.session_external_id, payment.intent_external_id
    payment.session_external_id = payment.intent_external_id = None
    session.commit()
    send(client, payload)
    run_jobs()
    (event,) = events(session)
    assert (event.problem, event.processed_at) == ("unknown-payment", None)
    payment = session.get_one(Payment, (city.id, payment.id))
    payment.session_external_id, payment.intent_external_id = session_id, intent_id
    session.commit()
    process_event(event.id)
    session.refresh(payment)
    assert payment.state == "paid"


def test_an_event_that_carries_our_key_needs_no_id(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    from marketplace.payments.asking import key_of  # noqa: PLC0415

    payment = make_payment(session, city, amount=900)
    send(client, told(payment, "paid", captured=900, key=key_of(payment)))
    process_event(events(session)[0].id)
    session.refresh(payment)
    assert payment.state == "paid"


@pytest.mark.parametrize(
    "key", ["payment-1-1-20260101000000000000", "refund-1-1-x", "", "payment-0-1-" + "1" * 20]
)
def test_a_key_of_nothing_we_made_is_of_nobody(
    session: Session, city: City, client: FlaskClient, run_jobs, key: str
) -> None:
    payment = make_payment(session, city, amount=900)
    send(client, told(payment, "paid", captured=900, key=key))
    process_event(events(session)[0].id)
    session.refresh(payment)
    assert payment.state == "created"


def test_a_strangers_event_is_put_aside_after_an_hour(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = make_payment(session, city, amount=900)
    send(client, told(payment, "paid", captured=900, session="tbs_x", intent="tbi_x"))
    (event,) = events(session)
    event.received_at -= timedelta(hours=2)
    session.commit()
    process_event(event.id)
    (event,) = events(session)
    assert event.problem == "unknown-payment"
    assert event.processed_at is not None


def test_an_event_that_contradicts_our_books_changes_nothing(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = opened_payment(session, city, amount=900)
    send(client, told(payment, "paid", captured=901))
    run_jobs()
    (event,) = events(session)
    session.refresh(payment)
    assert payment.state == "open"
    assert event.problem is not None
    assert event.processed_at is not None
    assert ledger_sums(session, city) == {}


def told_refund(payment: Payment, external_id: str, amount: int, *, key: str | None = None) -> bytes:
    about = {"id": external_id, "intent": payment.intent_external_id, "key": key, "amount": amount, "fee": 0}
    return json.dumps({"id": f"tbe_{external_id}", "kind": "refund", "account": "", "about": about}).encode()


def test_a_refund_made_at_the_gateway_is_written_down_once(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = paid_payment(session, city, client, run_jobs, amount=900)
    send(client, told_refund(payment, "tbr_x", 300))
    run_jobs()
    session.refresh(payment)
    refund = session.scalars(select(Refund)).one()
    assert (payment.refunded_minor, refund.state, refund.external_id) == (300, "succeeded", "tbr_x")
    send(client, told_refund(payment, "tbr_y", 601))
    run_jobs()
    session.refresh(payment)
    assert payment.refunded_minor == 300
    assert events(session)[-1].problem


def test_a_refund_that_is_told_before_its_payment_waits(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payment = opened_payment(session, city, amount=900)
    send(client, told_refund(payment, "tbr_x", 300))
    run_jobs()
    early = events(session)[0]
    assert (early.problem, early.processed_at) == ("unknown-payment", None)
    send(client, told(payment, "paid", captured=900))
    run_jobs()
    process_event(early.id)
    session.refresh(payment)
    assert payment.refunded_minor == 300


def test_our_own_refund_is_known_by_its_key(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    """The bank's event is in the inbox together with our own answer: one refund, one entry."""
    payment = paid_payment(session, city, client, run_jobs, amount=900)
    refunded(session, payment, 900, run_jobs)
    assert session.scalar(select(func.count()).select_from(Refund)) == 1
    assert ledger_sums(session, city)["gateway", None] == -kept_of(900)


def test_a_dispute_takes_the_money_and_gives_it_back_when_it_is_won(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    from marketplace.payments.actions import note_dispute  # noqa: PLC0415
    from marketplace.payments.gateway import DisputeSeen  # noqa: PLC0415

    payment = paid_payment(session, city, client, run_jobs, amount=900)
    before = ledger_sums(session, city)

    def seen(state: str) -> DisputeSeen:
        return DisputeSeen("dp_1", payment.intent_external_id or "", 900, state, "fraudulent", now())

    for state in ("warning", "open", "open", "warning"):
        note_dispute(session, payment, seen(state), now())
    assert ledger_sums(session, city)["disputed", None] == 900
    for state in ("won", "open", "won"):
        note_dispute(session, payment, seen(state), now())
    assert ledger_sums(session, city) == before
    assert session.scalars(select(Dispute.state)).all() == ["won"]


def test_how_an_account_stands_is_asked_and_not_taken_from_the_event(
    session: Session, city: City, client: FlaskClient, run_jobs
) -> None:
    payee = make_payee(session, city)
    about = {"id": payee.external_id, "state": "disabled", "wanted": ["x"]}
    send(
        client,
        json.dumps({"id": "tbe_a", "kind": "account", "account": payee.external_id, "about": about}).encode(),
    )
    run_jobs()
    session.refresh(payee)
    assert payee.state == "enabled"
    assert payee.checked_at is not None


def test_no_secret_is_shown_by_what_holds_it(money_app: Flask, settings) -> None:
    from dataclasses import replace  # noqa: PLC0415

    kept = replace(
        settings,
        stripe_key="sk_test_abc",
        stripe_webhook_secret="whsec_a",
        stripe_connect_webhook_secret="whsec_b",
    )
    shown = repr(kept) + repr(bank())
    assert not any(secret in shown for secret in ("sk_test_abc", "whsec_a", "whsec_b", settings.secret))
