"""Requests are answered beside the timeline, the oldest first, each in its place."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.calendar.models import OpeningMonth
from spaces.catalog.models import Space
from tests.bookings.desk.conftest import STRANGERS
from tests.factories.bookings import NOW, book
from tests.factories.people import actor_of


@pytest.fixture
def asked(
    session: Session, city: City, space: Space, person: Person, at_hours: Callable[[float, float], Span]
) -> list[Booking]:
    """Three requests; the one made first is the last by its time."""
    actor = actor_of(session, person)
    found = [
        book(
            session, city, space, actor, at_hours(hour, hour + 2), at=NOW + timedelta(minutes=n), attendees=12
        )
        for n, hour in enumerate((18, 9, 13))
    ]
    session.commit()
    return found


def order(page: str, asked: list[Booking]) -> list[int]:
    """Which requests the queue shows, in its order."""
    places = {n: page.find(f'id="q-{booking.reference}"') for n, booking in enumerate(asked)}
    return sorted((n for n, at in places.items() if at >= 0), key=lambda n: places[n])


def test_the_oldest_is_first_and_an_answered_one_keeps_its_place(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("handler")
    page = client.get("/en/desk/timeline").text
    assert order(page, asked) == [0, 1, 2]
    assert "3 requests wait for you" in page
    assert "Fits the rules, nothing overlaps" in page
    answer = client.post(f"/en/desk/requests/{asked[1].reference}/approval?view=week")
    assert answer.status_code == 303
    assert answer.location.endswith(f"#q-{asked[1].reference}")
    page = client.get(answer.location).text
    assert order(page, asked) == [0, 1, 2]
    assert "Approved. The mail to Aino Korhonen leaves in a few seconds." in page
    assert "2 requests wait for you" in page
    # The next answer keeps both where they were.
    answer = client.post(
        f"/en/desk/requests/{asked[0].reference}/refusal?answered={asked[1].reference}",
        data={"reason": "Lattia vahataan"},
    )
    page = client.get(answer.location).text
    assert order(page, asked) == [0, 1, 2]
    assert "Declined. The mail with your reason to Aino Korhonen leaves in a few seconds." in page
    session.expire_all()
    assert [booking.state for booking in asked] == ["declined", "confirmed", "awaiting_approval"]
    reasons = session.scalars(select(AuditEntry.details).where(AuditEntry.action == "booking.declined")).one()
    assert reasons["reason"] == "Lattia vahataan"
    # A fresh visit shows what waits.
    assert order(client.get("/en/desk/timeline").text, asked) == [2]


def test_a_refusal_needs_its_reason(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    answer = client_of("manager").post(
        f"/en/desk/requests/{asked[1].reference}/refusal", data={"reason": " "}
    )
    assert answer.status_code == 422
    assert "Write why" in answer.text
    assert f'id="reason-{asked[1].reference}"' in answer.text
    assert order(answer.text, asked) == [0, 1, 2]
    session.expire_all()
    assert asked[1].state == "awaiting_approval"


def test_what_changed_meanwhile_is_said_in_the_row(
    session: Session,
    city: City,
    asked: list[Booking],
    person: Person,
    client_of: Callable[[str], FlaskClient],
) -> None:
    client = client_of("manager")
    cancel_booking(session, city, asked[0], actor=actor_of(session, person), at=NOW)
    session.commit()
    answer = client.post(f"/en/desk/requests/{asked[0].reference}/approval")
    assert "Aino Korhonen has cancelled meanwhile." in client.get(answer.location).text
    session.expire_all()
    assert asked[0].state == "cancelled"


def test_what_no_longer_fits_is_said(
    session: Session, city: City, space: Space, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("manager")
    space.capacity = 5
    session.commit()
    assert "More than the 5 people who fit here." in client.get("/en/desk/timeline").text
    space.capacity = None
    for month in session.scalars(select(OpeningMonth).where(OpeningMonth.space_id == space.id)):
        session.delete(month)
    session.commit()
    assert client.get("/en/desk/timeline").text.count("not open during all of this time") == len(asked)
    compile_spaces(session, city, [space.id])
    session.commit()
    assert client.get("/en/desk/timeline").text.count("Fits the rules") == len(asked)


@pytest.mark.parametrize("what", ["viewer", "crew", *STRANGERS])
def test_nobody_else_answers(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient], what: str
) -> None:
    client = client_of(what)
    for path, data in (("approval", {}), ("refusal", {"reason": "no"})):
        answer = client.post(f"/en/desk/requests/{asked[0].reference}/{path}", data=data)
        assert answer.status_code in {302, 303, 403, 404}
        assert "answered" not in answer.headers.get("Location", "")
    session.expire_all()
    assert asked[0].state == "awaiting_approval"


def test_nobody_reads_another_queue_by_naming_a_request(
    asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    page = client_of("manager elsewhere").get(f"/en/desk/timeline?answered={asked[0].reference}").text
    assert order(page, asked) == []


def test_an_answer_is_undone_from_its_row(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("handler")
    reference = asked[1].reference
    answered = client.post(f"/en/desk/requests/{reference}/approval").location
    page = client.get(answered).text
    assert page.count('data-undo="10"') + page.count('data-undo="9"') == 1
    answer = client.post(f"/en/desk/requests/{reference}/answer-undo?answered={reference}")
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert "Undone. The request waits again." in page
    assert order(page, asked) == [0, 1, 2]
    assert "3 requests wait for you" in page
    assert "data-undo" not in page
    session.expire_all()
    assert asked[1].state == "awaiting_approval"


def test_a_refused_undo_says_why_in_the_row(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client, other = client_of("handler"), client_of("manager")
    reference = asked[1].reference
    client.post(f"/en/desk/requests/{reference}/approval")
    answer = other.post(f"/en/desk/requests/{reference}/answer-undo")
    assert answer.status_code == 403
    assert "Only the one who answered can undo it." in answer.text
    assert "data-undo" not in answer.text
    session.execute(text("DELETE FROM procrastinate_jobs WHERE scheduled_at IS NOT NULL"))
    session.commit()
    answer = client.post(f"/en/desk/requests/{reference}/answer-undo")
    assert answer.status_code == 409
    assert "It is too late to undo this" in answer.text
    assert f'id="q-{reference}"' in answer.text
    session.expire_all()
    assert asked[1].state == "confirmed"


@pytest.mark.parametrize("what", ["viewer", "crew", *STRANGERS])
def test_nobody_else_undoes(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient], what: str
) -> None:
    client_of("handler").post(f"/en/desk/requests/{asked[0].reference}/approval")
    answer = client_of(what).post(f"/en/desk/requests/{asked[0].reference}/answer-undo")
    assert answer.status_code in {302, 303, 403, 404}
    session.expire_all()
    assert asked[0].state == "confirmed"
