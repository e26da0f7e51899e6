"""The pages: the question, the offers, the press with its two minutes, what is not wanted, the rules."""

import re
from datetime import date, timedelta
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.offered.models import Dismissal, OfferConsent, PoolConsent
from bookings.offered.rules import DISMISSALS_PER_HOUR
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.settings import ROOT
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space
from tests.factories.bookings import book, span_on
from tests.factories.offered import let_offer, was_booked
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space, make_venue


@pytest.fixture
def day(city: City) -> date:
    return now().astimezone(city.zone).date() + timedelta(days=9)


@pytest.fixture
def space(session: Session, city: City) -> Space:
    space = make_space(session, make_venue(session, city))
    compile_spaces(session, city, [space.id])
    session.commit()
    return space


@pytest.fixture
def met(session: Session, city: City, person: Person, space: Space, day: date) -> None:
    let_offer(session, person, now())
    was_booked(session, city, space, person, day - timedelta(days=364))
    session.commit()


def page(client: FlaskClient, path: str = "/en/") -> str:
    answer = client.get(path)
    assert answer.status_code == HTTPStatus.OK
    return answer.get_data(as_text=True)


def form_of(html: str) -> dict[str, str]:
    """The fields of the first form that books."""
    form = html[html.index('action="/en/offered/bookings"') :]
    form = form[: form.index("</form>")]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def test_strangers_are_neither_asked_nor_offered(client: FlaskClient, space: Space) -> None:
    assert 'id="offered"' not in page(client)
    assert client.post("/en/offered/bookings").status_code in {HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}
    assert client.post("/en/offered/consent", data={"agree": "yes"}).status_code in {302, 303}


def test_the_question_is_asked_once_and_answered(
    signed_in_client: FlaskClient, session: Session, city: City, person: Person
) -> None:
    html = page(signed_in_client)
    assert "Offer me spaces by what I have booked before" in html
    assert session.scalars(select(OfferConsent)).all() == []
    assert (
        signed_in_client.post("/en/offered/consent", data={"agree": "no", "back": "home"}).status_code == 303
    )
    assert 'id="offered"' not in page(signed_in_client)
    signed_in_client.post("/en/offered/consent", data={"agree": "yes", "back": "profile"})
    assert "Stop offering me spaces" in page(signed_in_client, "/en/profile")
    assert "There is nothing to offer you yet." in page(signed_in_client)
    # Anything else than a yes is a no.
    signed_in_client.post("/en/offered/consent", data={"agree": "perhaps"})
    session.expire_all()
    assert session.get_one(OfferConsent, (city.id, person.id)).agreed is False


@pytest.mark.usefixtures("met")
def test_one_press_books_and_one_undoes(
    signed_in_client: FlaskClient, session: Session, city: City, day: date
) -> None:
    html = page(signed_in_client)
    assert "You met here on" in html
    assert "Vuosikokous · 25 people · for myself" in html
    fields = form_of(html)
    answer = signed_in_client.post("/en/offered/bookings", data=fields)
    assert answer.status_code == HTTPStatus.SEE_OTHER
    booking = session.scalars(select(Booking).where(Booking.source == "offer")).one()
    assert booking.span == span_on(city, 18, 20, day=day)
    assert (booking.purpose, booking.attendees, booking.total_minor) == ("Vuosikokous", 25, 4000)
    assert answer.location.endswith(f"/en/offered/bookings/{booking.reference}")
    shown = page(signed_in_client, answer.location)
    assert 'data-undo="' in shown
    assert 'data-undo="' in page(signed_in_client, f"/en/bookings/{booking.reference}")
    # A second press of the same button is the same booking.
    assert signed_in_client.post("/en/offered/bookings", data=fields).location == answer.location
    # It is booked, so it is not offered.
    assert "You met here on" not in page(signed_in_client)
    undone = signed_in_client.post(f"/en/offered/bookings/{booking.reference}/undoing")
    assert undone.location.endswith("/en/#offered")
    assert "Nobody was told" in page(signed_in_client)
    assert "You met here on" in page(signed_in_client)
    # The page of what is undone leads back, and so does a second undoing.
    assert signed_in_client.get(answer.location).location.endswith("/en/#offered")
    again = signed_in_client.post(f"/en/offered/bookings/{booking.reference}/undoing")
    assert again.location.endswith("/en/#offered")


@pytest.mark.usefixtures("met")
def test_once_told_there_is_no_undoing(signed_in_client: FlaskClient, session: Session) -> None:
    answer = signed_in_client.post("/en/offered/bookings", data=form_of(page(signed_in_client)))
    session.execute(text("DELETE FROM procrastinate_jobs"))
    session.commit()
    assert 'data-undo="' not in page(signed_in_client, answer.location)
    late = signed_in_client.post(f"{answer.location}/undoing")
    assert late.status_code == HTTPStatus.SEE_OTHER
    assert "It is too late to undo this" in page(signed_in_client, late.location)
    assert session.scalars(select(Booking.state).where(Booking.source == "offer")).one() == "confirmed"


@pytest.mark.usefixtures("met")
def test_a_time_that_was_taken_meanwhile_gives_others(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, day: date
) -> None:
    fields = form_of(page(signed_in_client))
    other = actor_of(session, make_person(session, city))
    book(session, city, space, other, span_on(city, 17, 19, day=day), at=now())
    session.commit()
    answer = signed_in_client.post("/en/offered/bookings", data=fields)
    assert answer.status_code == HTTPStatus.CONFLICT
    html = answer.get_data(as_text=True)
    assert "The same space at other times" in html
    assert "purpose=Vuosikokous" in html  # and what is known goes along


@pytest.mark.usefixtures("met")
def test_a_higher_price_than_was_seen_goes_by_the_checkout(signed_in_client: FlaskClient) -> None:
    fields = form_of(page(signed_in_client)) | {"total": "1000"}
    answer = signed_in_client.post("/en/offered/bookings", data=fields)
    assert "/booking?" in answer.location
    assert "people=25" in answer.location


@pytest.mark.usefixtures("met")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"space": ""}, 404),
        ({"space": "x"}, 404),
        ({"space": "99999999"}, 404),
        ({"start": "yesterday"}, 422),
        ({"start": ""}, 422),
        ({"minutes": "99999999"}, 422),
        ({"submission": "short"}, 303),
        ({"people": "many"}, 303),
        ({"people": "500"}, 303),
        ({"organisation": "x"}, 303),
        ({"organisation": "7" * 30}, 303),
        ({"purpose": "\x00\x07ä" * 500}, 303),
    ],
)
def test_bad_input_is_refused_and_books_nothing_it_should_not(
    signed_in_client: FlaskClient, session: Session, change: dict[str, str], status: int
) -> None:
    answer = signed_in_client.post("/en/offered/bookings", data=form_of(page(signed_in_client)) | change)
    assert answer.status_code == status
    made = session.scalars(select(Booking).where(Booking.source == "offer")).all()
    assert [one.purpose for one in made] == (["ä" * 200] if "purpose" in change else [])


@pytest.mark.usefixtures("met")
def test_nobody_presses_for_an_organisation_of_others(
    signed_in_client: FlaskClient, session: Session, city: City
) -> None:
    organisation = make_organisation(session, city)
    session.commit()
    fields = form_of(page(signed_in_client)) | {"organisation": str(organisation.id)}
    assert "/booking?" in signed_in_client.post("/en/offered/bookings", data=fields).location
    assert session.scalars(select(Booking).where(Booking.source == "offer")).all() == []


@pytest.mark.usefixtures("met")
def test_others_see_nothing_of_a_press(
    app: Flask, signed_in_client: FlaskClient, session: Session, city: City
) -> None:
    answer = signed_in_client.post("/en/offered/bookings", data=form_of(page(signed_in_client)))
    stranger = app.test_client()
    sign_in(session, stranger, make_person(session, city))
    session.commit()
    assert stranger.get(answer.location).status_code == HTTPStatus.NOT_FOUND
    assert stranger.post(f"{answer.location}/undoing").status_code == HTTPStatus.NOT_FOUND


@pytest.mark.usefixtures("met")
def test_not_interested_and_back_again(signed_in_client: FlaskClient, session: Session, space: Space) -> None:
    answer = signed_in_client.post(
        "/en/offered/dismissals",
        data={"do": "meeting", "meeting": "Vuosikokous", "organisation": "myself", "back": "spaces"},
    )
    assert answer.location.endswith("/en/spaces#offered")
    assert "You met here on" not in page(signed_in_client)
    (one,) = session.scalars(select(Dismissal)).all()
    assert "vuosikokous" in page(signed_in_client, "/en/data-rules")
    signed_in_client.post(f"/en/offered/dismissals/{one.id}/withdrawal")
    assert "You met here on" in page(signed_in_client)
    assert signed_in_client.post(f"/en/offered/dismissals/{one.id}/withdrawal").status_code == 404
    assert signed_in_client.post(f"/en/offered/dismissals/{2**63 - 1}/withdrawal").status_code == 404
    for data, status in (
        ({"do": "space", "space": str(space.id), "organisation": "999"}, 403),
        ({"do": "space", "space": "nonsense"}, 404),
        ({"do": "meeting", "meeting": "whatever comes to mind", "organisation": "myself"}, 404),
        ({}, 404),
    ):
        assert signed_in_client.post("/en/offered/dismissals", data=data).status_code == status
    assert session.scalars(select(Dismissal)).all() == []


@pytest.mark.usefixtures("met")
def test_so_much_is_turned_down_in_an_hour_and_no_more(
    app: Flask, signed_in_client: FlaskClient, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "RATE_LIMITS", True)
    answers = [
        signed_in_client.post("/en/offered/dismissals", data={"do": "space", "space": str(space.id)})
        for _ in range(DISMISSALS_PER_HOUR + 1)
    ]
    assert [one.status_code for one in answers] == [303] * DISMISSALS_PER_HOUR + [429]


@pytest.mark.usefixtures("met")
def test_offers_stand_above_the_list_only_while_nothing_is_asked(signed_in_client: FlaskClient) -> None:
    assert "You met here on" in page(signed_in_client, "/en/spaces")
    assert "You met here on" not in page(signed_in_client, "/en/spaces?people=4")


def test_the_card_of_an_offer_has_its_class_for_itself() -> None:
    """Another file's rules for the same class would change it, whichever comes later."""
    sheets = (ROOT / "marketplace/assets/css").glob("*.css")
    assert {sheet.name for sheet in sheets if re.search(r"(?m)^\s*\.offer \{", sheet.read_text())} == {
        "home.css"
    }


def test_the_rules_are_for_everybody(client: FlaskClient) -> None:
    html = page(client, "/en/data-rules")
    assert "at least 5 organisations" in html
    assert "by at least 5 people" in html
    assert "more than 90 days" in html
    assert "/en/data-rules" in page(client)  # from every page's footer


@pytest.mark.parametrize(
    ("role", "status"), [("manager", 303), ("booker", 403), ("member", 403), (None, 404)]
)
def test_managers_let_their_organisation_be_counted(
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    person: Person,
    role: str | None,
    status: int,
) -> None:
    organisation = make_organisation(session, city)
    if role:
        join(session, person, organisation, role)
    session.commit()
    path = f"/en/organisations/{organisation.id}"
    assert signed_in_client.post(f"{path}/counted", data={"agree": "yes"}).status_code == status
    answers = session.scalars(select(PoolConsent.agreed)).all()
    assert answers == ([True] if role == "manager" else [])
    if role:
        assert ("Stop counting" in page(signed_in_client, path)) is (role == "manager")
