"""Why a request is declined or a booking cancelled: from a list in the reader's language, or in one's own words."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import decline_booking
from bookings.lifecycle.models import Booking
from bookings.lifecycle.reasons import CANCEL_REASONS, DECLINE_REASONS, OTHER, shown_reason
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.notifications.models import Mail
from spaces.catalog.models import Space, Venue
from tests.bookings.desk.conftest import at_hours, client_of, day, owner, persona, space, venue
from tests.factories.bookings import NOW, book
from tests.factories.people import actor_of

__all__ = ["at_hours", "client_of", "day", "owner", "persona", "space", "venue"]

LISTED = [code for code in DECLINE_REASONS if code != OTHER]


@pytest.fixture
def asked(session: Session, city: City, space: Space, person: Person, at_hours) -> Booking:
    booking = book(session, city, space, actor_of(session, person), at_hours(18, 20))
    session.commit()
    return booking


def declined(client: FlaskClient, booking: Booking, **fields: str):
    return client.post(f"/en/bookings/{booking.reference}/refusal", data=fields)


@pytest.mark.parametrize("code", LISTED)
def test_a_reason_of_the_list_is_enough(
    session: Session, asked: Booking, client_of: Callable[[str], FlaskClient], code: str
) -> None:
    assert declined(client_of("handler"), asked, reason_code=code).status_code == 303
    session.refresh(asked)
    assert (asked.state, asked.reason_code) == ("declined", code)
    kept = session.scalars(select(AuditEntry.details).where(AuditEntry.action == "booking.declined")).one()
    assert kept == {"reason": DECLINE_REASONS[code], "reason_code": code}


@pytest.mark.parametrize(
    "fields",
    [{}, {"reason_code": ""}, {"reason_code": OTHER}, {"reason_code": OTHER, "reason": "  "}],
)
def test_without_a_reason_nothing_is_declined(
    session: Session, asked: Booking, client_of: Callable[[str], FlaskClient], fields: dict[str, str]
) -> None:
    answer = declined(client_of("handler"), asked, **fields)
    assert answer.status_code == 422
    assert "Write why or choose a reason" in answer.text
    session.refresh(asked)
    assert asked.state == "awaiting_approval"


def test_a_reason_that_is_not_on_the_list_is_refused(
    session: Session, asked: Booking, client_of: Callable[[str], FlaskClient]
) -> None:
    assert declined(client_of("handler"), asked, reason_code="bad", reason="Because").status_code == 422
    session.refresh(asked)
    assert (asked.state, asked.reason_code) == ("awaiting_approval", None)


def test_words_of_ones_own_need_no_code(
    session: Session, asked: Booking, client_of: Callable[[str], FlaskClient]
) -> None:
    assert declined(client_of("handler"), asked, reason="Lattia vahataan.").status_code == 303
    session.refresh(asked)
    assert (asked.state, asked.reason_code) == ("declined", None)


def test_the_queue_takes_a_reason_of_the_list(
    session: Session, asked: Booking, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("handler")
    assert "Another use takes precedence" in client.get("/en/desk/timeline").text
    path = f"/en/desk/requests/{asked.reference}/refusal"
    assert client.post(path, data={"reason_code": "other-use"}).status_code == 303
    session.refresh(asked)
    assert (asked.state, asked.reason_code) == ("declined", "other-use")


@pytest.mark.parametrize(
    ("reason", "told"), [("", "The floor"), ("The floor", "The floor"), ("Own words", "Own words")]
)
def test_words_of_the_list_are_read_in_ones_own_language(app: Flask, reason: str, told: str) -> None:
    with app.test_request_context("/en/"):
        assert shown_reason({"floor": "The floor"}, "floor", reason) == told
        assert shown_reason({OTHER: "Another reason"}, OTHER, "Own words") == "Own words"
        assert shown_reason({"floor": "The floor"}, "gone", "Own words") == "Own words"
        assert shown_reason({"floor": "The floor"}, None, None) == ""


def test_the_mail_says_the_reason(
    session: Session, city: City, asked: Booking, venue: Venue, persona, run_jobs: Callable[[], int]
) -> None:
    actor = actor_of(session, persona("handler"))
    code = "not-suitable"
    decline_booking(session, city, asked, venue, actor=actor, reason="", reason_code=code, at=NOW)
    session.commit()
    run_jobs()
    mail = session.scalars(select(Mail).where(Mail.template.endswith("/declined"))).one()
    assert mail.body_text.partition("Perustelu: ")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("fields", "code", "shown"),
    [
        ({}, None, ""),
        ({"reason_code": "found-another"}, "found-another", CANCEL_REASONS["found-another"]),
        ({"reason_code": OTHER, "reason": "We moved house"}, OTHER, "We moved house"),
        ({"reason": "We moved house"}, None, "We moved house"),
    ],
)
def test_who_cancels_may_say_why(
    session: Session,
    signed_in_client: FlaskClient,
    asked: Booking,
    client_of: Callable[[str], FlaskClient],
    fields: dict[str, str],
    code: str | None,
    shown: str,
) -> None:
    path = f"/en/bookings/{asked.reference}/cancellation"
    assert "Why do you cancel?" in signed_in_client.get(path).text
    assert signed_in_client.post(path, data=fields).status_code == 303
    session.refresh(asked)
    assert (asked.state, asked.reason_code) == ("cancelled", code)
    seen = client_of("handler").get(f"/en/bookings/{asked.reference}").text
    assert shown in seen
    assert ("<dt>Reason</dt>" in seen) is bool(shown)


def test_a_wrong_reason_cancels_nothing(
    session: Session, signed_in_client: FlaskClient, asked: Booking
) -> None:
    path = f"/en/bookings/{asked.reference}/cancellation"
    for fields in ({"reason_code": "bad"}, {"reason": "x" * 1001}):
        assert signed_in_client.post(path, data=fields).status_code == 422
    session.refresh(asked)
    assert asked.state == "awaiting_approval"
