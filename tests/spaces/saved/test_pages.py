"""The pages: save with one press, also through signing in; rename, stop, remove; only one's own, whatever is sent."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from marketplace.accounts.models import AuditEntry, Person
from marketplace.app import job_context
from marketplace.cities.models import City
from marketplace.identity import passwords
from marketplace.notifications.mail import writing_for
from spaces.catalog.models import Space
from spaces.saved.models import SavedSearch
from spaces.saved.present import row_of
from spaces.saved.rules import MOST_SAVED
from spaces.saved.tokens import token_of
from tests.factories.bookings import span_on
from tests.factories.cities import make_city
from tests.factories.people import make_person, sign_in
from tests.spaces.saved.conftest import EVENING, give_up, mails, save

NEXT_YEAR = "1.6.2027 klo 17–21"


def count(session: Session) -> int:
    session.expire_all()
    return session.scalar(select(func.count()).select_from(SavedSearch)) or 0


def hidden(html: str) -> dict[str, list[str]]:
    """What the form above the results would send."""
    form = re.search(r'<form class="save-search".*?</form>', html, re.DOTALL)
    assert form is not None
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]):
        found.setdefault(name, []).append(unescape(value))
    return found


def test_one_press_saves_what_the_results_show(
    session: Session, signed_in_client: FlaskClient, person: Person, hall: Space
) -> None:
    page = signed_in_client.get(
        "/fi/spaces", query_string={"when": NEXT_YEAR, "people": "20", "kind": ["meeting_room", "sauna"]}
    )
    answer = signed_in_client.post("/fi/my/searches", data=hidden(page.text))
    saved = session.scalars(select(SavedSearch)).one()
    assert answer.headers["Location"].endswith(f"/fi/my/searches#search-{saved.id}")
    assert saved.person_id == person.id
    assert saved.params == {
        "kind": ["meeting_room", "sauna"],
        "people": ["20"],
        "when": ["ti 1.6.2027 klo 17–21"],
    }
    assert "1.6.2027" in saved.name
    listed = unescape(signed_in_client.get("/fi/my/searches").text)
    assert saved.name in listed
    assert "kind=meeting_room&kind=sauna" in listed
    assert session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_kind == "saved_search")
    ).all() == ["search.saved"]


def test_saving_twice_gives_one(session: Session, signed_in_client: FlaskClient, hall: Space) -> None:
    for _ in range(2):
        signed_in_client.post("/en/my/searches", data={"when": NEXT_YEAR})
    assert count(session) == 1


def test_who_is_not_signed_in_comes_back_with_the_search_saved(
    session: Session, client: FlaskClient, person: Person, hall: Space
) -> None:
    person.password_hash = passwords.hash_password("long enough 2026")
    session.commit()
    answer = client.post("/en/my/searches", data={"when": NEXT_YEAR, "people": "20"})
    assert count(session) == 0
    to_sign_in = answer.headers["Location"]
    assert "/en/sign-in?next=" in to_sign_in
    answer = client.post(to_sign_in, data={"email": person.email, "password": "long enough 2026"})
    assert answer.status_code == 303
    client.get(answer.headers["Location"])
    saved = session.scalars(select(SavedSearch)).one()
    assert saved.person_id == person.id
    assert saved.params["people"] == ["20"]


def test_an_address_that_somebody_else_made_saves_nothing_by_itself(
    session: Session, signed_in_client: FlaskClient, hall: Space
) -> None:
    page = signed_in_client.get("/en/my/searches/new", query_string={"when": NEXT_YEAR})
    assert page.status_code == 200
    assert "Save the search" in page.text
    assert count(session) == 0
    signed_in_client.set_cookie("tilaa_save_search", "forged.note")
    signed_in_client.get("/en/my/searches/new", query_string={"when": NEXT_YEAR})
    assert count(session) == 0


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"sort": "cheapest"},
        {"when": "gibberish"},
        {"where": "Nowhere at all"},
        {"people": "many"},
        {"when": "1.1.2020"},
        {"q": "\x00"},
        {"bbox": "nonsense"},
        {"district": "999999"},
        {"people": "9" * 500},
    ],
)
def test_what_is_not_understood_is_not_saved(
    session: Session, signed_in_client: FlaskClient, hall: Space, data: dict[str, str]
) -> None:
    answer = signed_in_client.post("/en/my/searches", data=data, follow_redirects=True)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert count(session) == 0


def test_there_is_a_number_that_one_person_can_have(
    session: Session, app: Flask, city: City, signed_in_client: FlaskClient, person: Person, hall: Space
) -> None:
    for people in range(1, MOST_SAVED + 1):
        save(session, app, city, person, people=people)
    answer = signed_in_client.post("/en/my/searches", data={"people": "500"}, follow_redirects=True)
    assert "as many searches as one can" in answer.text
    assert count(session) == MOST_SAVED


def test_rename(
    session: Session, app: Flask, city: City, signed_in_client: FlaskClient, person: Person, hall: Space
) -> None:
    saved = save(session, app, city, person, when=EVENING)
    path = f"/en/my/searches/{saved.id}/name"
    assert signed_in_client.post(path, data={"name": "  Annual\u2060 meeting "}).status_code == 303
    session.refresh(saved)
    assert saved.name == "Annual meeting"
    for wrong in ("", " ", "x" * 101, "\u200b"):
        answer = signed_in_client.post(path, data={"name": wrong})
        assert answer.status_code == 422
        assert "Write a name of 1–100 characters." in answer.text
        assert 'aria-invalid="true"' in answer.text
    session.refresh(saved)
    assert saved.name == "Annual meeting"


def test_stop_again_and_remove(
    session: Session, app: Flask, city: City, signed_in_client: FlaskClient, person: Person, taken: Booking
) -> None:
    saved = save(session, app, city, person, when=EVENING)
    signed_in_client.post(f"/en/my/searches/{saved.id}/notices", data={"notify": "0"})
    session.refresh(saved)
    assert [saved.notify] == [False]
    signed_in_client.post(f"/en/my/searches/{saved.id}/notices", data={"notify": "1"})
    session.refresh(saved)
    assert [saved.notify] == [True]
    signed_in_client.post(f"/en/my/searches/{saved.id}/removal")
    assert count(session) == 0
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_kind == "saved_search").order_by(AuditEntry.id)
    ).all()
    assert actions == ["search.saved", "search.notices-changed", "search.notices-changed", "search.removed"]


def test_only_their_owner_reaches_them(
    session: Session, app: Flask, city: City, person: Person, hall: Space
) -> None:
    saved = save(session, app, city, person, when=EVENING, q="salainen")
    nobody = app.test_client()
    assert nobody.get("/en/my/searches").status_code == 302
    staff, outsider = make_person(session, city, is_staff=True), make_person(session, city)
    session.commit()
    for reader in (staff, outsider):
        client = app.test_client()
        sign_in(session, client, reader)
        session.commit()
        assert "salainen" not in client.get("/en/my/searches").text
        for what in ("name", "notices", "removal"):
            answer = client.post(f"/en/my/searches/{saved.id}/{what}", data={"name": "x", "notify": "0"})
            assert answer.status_code == 404
    for what in ("name", "notices", "removal"):
        assert nobody.post(f"/en/my/searches/{saved.id}/{what}").status_code == 302
    session.refresh(saved)
    assert saved.notify


def test_without_the_form_token_nothing_changes(
    session: Session, app: Flask, city: City, signed_in_client: FlaskClient, person: Person, hall: Space
) -> None:
    saved = save(session, app, city, person, when=EVENING)
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        for path in ("", f"/{saved.id}/name", f"/{saved.id}/notices", f"/{saved.id}/removal"):
            assert signed_in_client.post(f"/en/my/searches{path}", data={"people": "7"}).status_code == 400
        # A mail program has no token of ours.
        with app.app_context():
            stop = f"/en/searches/{token_of(city.id, saved.id)}/stop"
        assert app.test_client().post(stop, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    session.refresh(saved)
    assert not saved.notify
    assert count(session) == 1


def test_the_address_in_a_mail_stops_this_search_only(
    session: Session,
    app: Flask,
    city: City,
    person: Person,
    taken: Booking,
    client: FlaskClient,
    follow: Callable[..., None],
) -> None:
    first = save(session, app, city, person, when=EVENING)
    second = save(session, app, city, person, when=EVENING, people=5)
    give_up(session, city, taken)
    follow()
    mail = next(m for m in mails(session, person) if m.key.startswith(f"saved-search:{first.id}:"))
    assert mail.stop_url is not None
    path = re.sub(r"https?://[^/]+", "", mail.stop_url)
    page = client.get(path)
    session.refresh(first)
    assert first.notify, "looking at it does nothing"
    assert "<button" in page.text
    client.post(path)
    client.post(path)
    session.expire_all()
    assert [first.notify, second.notify] == [False, True]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "search.notices-changed")).one()
    assert (entry.person_id, entry.source) == (person.id, "mail")
    session.delete(first)
    session.commit()
    assert client.post(path).status_code == 200


def test_an_address_that_is_none_of_ours_leads_nowhere(
    session: Session, app: Flask, city: City, person: Person, hall: Space, client: FlaskClient
) -> None:
    saved = save(session, app, city, person, when=EVENING)
    other = make_city(session, slug="toinen")
    with app.app_context():
        good, foreign = token_of(city.id, saved.id), token_of(other.id, saved.id)
    for token in ("x", good[:-1], foreign, "a" * 3000):
        assert client.post(f"/en/searches/{token}/stop").status_code == 404
    session.refresh(saved)
    assert saved.notify


def test_what_it_says_of_each_state(
    session: Session, app: Flask, city: City, signed_in_client: FlaskClient, person: Person, taken: Booking
) -> None:
    saved = save(session, app, city, person, when=EVENING)
    texts: dict[str, dict[str, Any]] = {
        "Mail when something frees up": {},
        "No mail": {"notify": False},
        "More than 60 spaces or days are free already.": {"notify": True, "is_wide": True},
        "Cannot be searched any more": {"is_unreadable": True},
        "Ended": {"ends_on": taken.created_at.date().replace(year=2020)},
    }
    for text, values in texts.items():
        if values:
            session.execute(update(SavedSearch).where(SavedSearch.id == saved.id).values(**values))
            session.commit()
        assert text in signed_in_client.get("/en/my/searches").text


def test_it_has_ended_with_the_last_hour_of_its_last_day(
    app: Flask, session: Session, city: City, person: Person, hall: Space
) -> None:
    saved = save(session, app, city, person, when=EVENING)
    states = {}
    for hour in (20.5, 21, 22.5):
        with job_context(app), writing_for(city, "en"):
            states[hour] = row_of(saved, None, city, at=span_on(city, hour, 24).start)
    assert [row.ended for row in states.values()] == [False, True, True]
    assert states[22.5].state == "Ended: the dates have passed"
    assert states[20.5].state == "Mail when something frees up"


def test_the_results_offer_it_only_where_something_is_asked(client: FlaskClient, hall: Space) -> None:
    assert "save-search" not in client.get("/en/spaces").text
    assert "save-search" not in client.get("/en/spaces?people=many").text
    assert "save-search" in client.get("/en/spaces?people=20").text
