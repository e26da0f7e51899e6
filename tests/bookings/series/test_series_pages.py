"""The pages of a series: what they answer to right, wrong and absurd input, and to whom."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.hold_actions import hold_space
from bookings.lifecycle.models import Booking, BookingAnswer
from bookings.series.models import Series
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.notifications.models import Mail
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, SpaceQuestion, Venue
from spaces.pricing.models import DiscountCode, Price
from tests.factories.bookings import book, span_on
from tests.factories.equipment import make_extra
from tests.factories.listings import give
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.rules import ask, demand_terms, name_organisation
from tests.factories.series import dates_of, skips_of
from tests.factories.spaces import make_space, make_venue

SUBMISSION = "6b1f0d54-95a1-4a5c-9d7e-0c7a6f2c1a11"
WEEK = timedelta(days=7)


@pytest.fixture
def first(city: City) -> date:
    """Three days from now."""
    return (now() + timedelta(days=3)).astimezone(city.zone).date()


@pytest.fixture
def venue(session: Session, city: City) -> Venue:
    return make_venue(session, city)


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    return ready(session, city, venue)


def ready(session: Session, city: City, venue: Venue, **fields: Any) -> Space:
    space = make_space(session, venue, horizon_days=365, **fields)
    compile_spaces(session, city, [space.id])
    session.commit()
    return space


def address(city: City, space: Space, first: date) -> dict[str, Any]:
    start = span_on(city, 18, 19, day=first).start.astimezone(city.zone).isoformat()
    return {"path": f"/en/spaces/{space.id}/series", "query_string": {"start": start, "minutes": 90}}


def filled(**more: Any) -> dict[str, Any]:
    return {
        "pattern": "weekly:1",
        "ends": "times",
        "times": "4",
        "organisation": "myself",
        "purpose": "Choir",
        "attendees": "12",
        "mode": "rest",
        "submission": SUBMISSION,
        **more,
    }


def text_of(response: TestResponse) -> str:
    plain = re.sub(r"<(style|script|head).*?</\1>", "", response.text, flags=re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", plain).replace("\u2060", "").replace("\u00a0", " ")
    return " ".join(plain.split())


def only_series(session: Session) -> Series:
    session.expire_all()
    return session.scalars(select(Series)).one()


def test_the_form_shows_ten_dates_with_their_sum(
    signed_in_client: FlaskClient, city: City, space: Space, first: date
) -> None:
    answer = signed_in_client.get(**address(city, space, first))
    assert answer.status_code == 200
    assert answer.text.count('name="leave_out"') == 10
    assert "Book 10 dates, €300" in text_of(answer)


def test_booking_leads_to_the_series_and_a_reload_changes_nothing(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    sent = signed_in_client.post(**address(city, space, first), data=filled(total="12000"))
    series = only_series(session)
    assert sent.status_code == 303
    assert sent.location == f"/en/series/{series.reference}?done=1"
    again = signed_in_client.post(**address(city, space, first), data=filled(total="12000"))
    assert again.location == sent.location
    assert len(dates_of(session, only_series(session))) == 4
    page = text_of(signed_in_client.get(sent.location))
    assert "The times are yours" in page
    assert "4 dates" in page


def test_a_look_books_nothing(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    answer = signed_in_client.post(**address(city, space, first), data=filled(do="look", times="3"))
    assert answer.status_code == 200
    assert "Book 3 dates, €90" in text_of(answer)
    assert session.scalars(select(Series)).all() == []


def test_a_conflict_is_shown_with_other_times_and_another_space_near(
    signed_in_client: FlaskClient, session: Session, city: City, venue: Venue, space: Space, first: date
) -> None:
    other = actor_of(session, make_person(session, city))
    near = ready(session, city, venue, names={"en": "Small hall"}, external_id="near", price=("hour", 1000))
    day = first + WEEK
    book(session, city, space, other, span_on(city, 18, 20, day=day), at=now())
    session.commit()
    look = signed_in_client.post(**address(city, space, first), data=filled(do="look"))
    page = text_of(look)
    assert "The space is taken at this time." in page
    assert "20.00–21.30, €30" in page
    found = signed_in_client.post(**address(city, space, first), data=filled(near=day.isoformat()))
    choice = re.search(rf'name="instead-{day}" value="({near.id}/[^"]+)"', found.text)
    assert choice, text_of(found)
    sent = signed_in_client.post(
        **address(city, space, first),
        data=filled(mode="all", **{f"instead-{day}": choice[1], "leave_out": (first + 2 * WEEK).isoformat()}),
    )
    assert sent.status_code == 303, text_of(sent)
    series = only_series(session)
    assert [b.space_id for b in dates_of(session, series)] == [space.id, near.id, space.id]
    assert [s.code for s in skips_of(session, series)] == ["slot-taken", "left-out"]


def test_all_or_nothing_says_which_dates(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    other = actor_of(session, make_person(session, city))
    book(session, city, space, other, span_on(city, 18, 20, day=first + WEEK), at=now())
    session.commit()
    answer = signed_in_client.post(**address(city, space, first), data=filled(mode="all"))
    assert answer.status_code == 409
    assert "Some of the dates cannot be had, so nothing was changed." in text_of(answer)
    assert 'value="Choir"' in answer.text
    assert session.scalars(select(Series)).all() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"pattern": "daily:1"},
        {"pattern": "weekly:0"},
        {"pattern": "monthly:9"},
        {"pattern": ""},
        {"times": "0"},
        {"times": "1"},
        {"times": "201"},
        {"times": "many"},
        {"ends": "until", "until": "2020-01-01"},
        {"ends": "until", "until": "never"},
        {"ends": "until", "until": "9999-12-31"},
        {"attendees": "41"},
        {"attendees": "-1"},
        {"purpose": "x" * 201},
        {"submission": "short"},
    ],
)
def test_bad_input_is_explained_and_nothing_is_booked(
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    space: Space,
    first: date,
    wrong: dict[str, str],
) -> None:
    answer = signed_in_client.post(**address(city, space, first), data=filled(**wrong))
    assert answer.status_code == 422
    assert "error-text" in answer.text or "error-summary" in answer.text
    assert session.scalars(select(Series)).all() == []


@pytest.mark.parametrize(
    "absurd",
    [
        {"leave_out": "never", "near": "x"},
        {"instead-2026-13-99": "1/2/3"},
        {"near": "9999-12-31", "near_kept": "0001-01-01"},
        {"instead-9999-12-31": "999999999999999999/9999-12-31T23:59:59Z/99999"},
    ],
)
def test_absurd_choices_are_no_choices(
    signed_in_client: FlaskClient, city: City, space: Space, first: date, absurd: dict[str, str]
) -> None:
    assert (
        signed_in_client.post(**address(city, space, first), data=filled(do="look", **absurd)).status_code
        == 200
    )


def test_a_time_that_cannot_be_read_leads_back_to_the_space(
    signed_in_client: FlaskClient, space: Space
) -> None:
    for query in ("", "?start=never&minutes=60", "?start=9999-12-31T23:00:00Z&minutes=60"):
        answer = signed_in_client.get(f"/en/spaces/{space.id}/series{query}")
        assert answer.status_code == 302
        assert answer.location.startswith(f"/en/spaces/{space.id}")


def test_who_is_not_signed_in_goes_there_first(
    client: FlaskClient, city: City, space: Space, first: date
) -> None:
    assert "/sign-in" in client.get(**address(city, space, first)).location
    assert client.post(**address(city, space, first), data=filled()).status_code == 303
    assert client.get("/en/series/AAAA-AAAA").status_code == 302


@pytest.fixture
def booked(signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date) -> Series:
    signed_in_client.post(**address(city, space, first), data=filled())
    return only_series(session)


def test_a_series_is_private(app: Flask, session: Session, city: City, venue: Venue, booked: Series) -> None:
    outsider, viewer, staff = (make_person(session, city, is_staff=n == 2) for n in range(3))
    give(session, venue, viewer, "viewer")
    for person, status in ((outsider, 404), (viewer, 200), (staff, 200)):
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        assert client.get(f"/en/series/{booked.reference}").status_code == status
        for path in ("cancellation", "times"):
            expected = 404 if status == 404 else 403
            assert client.get(f"/en/series/{booked.reference}/{path}").status_code == expected
            assert client.post(f"/en/series/{booked.reference}/{path}").status_code == expected
        assert client.post(f"/en/series/{booked.reference}/dates/1/booking").status_code in {403, 404}
    assert {b.state for b in dates_of(session, booked)} == {"confirmed"}


def test_changing_shows_first_and_then_changes(
    signed_in_client: FlaskClient, session: Session, city: City, booked: Series
) -> None:
    path = f"/en/series/{booked.reference}/times"
    assert signed_in_client.get(path, query_string={"from": "3"}).status_code == 200
    wish = {
        "from": "3",
        "scope": "following",
        "shift": "0",
        "clock": "19.00",
        "length": "120",
        "purpose": "Choir",
        "attendees": "12",
    }
    look = signed_in_client.post(path, data={**wish, "do": "look"})
    assert "Change 2 dates, +€20" in text_of(look)
    assert {b.span.minutes for b in dates_of(session, booked)} == {90}
    sent = signed_in_client.post(path, data={**wish, "difference": "2000"})
    assert sent.status_code == 303
    rest = session.scalars(select(Series).where(Series.continues_id == booked.id)).one()
    assert sent.location == f"/en/series/{rest.reference}"
    assert {b.span.minutes for b in dates_of(session, rest)} == {120}


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": "some"},
        {"shift": "9"},
        {"shift": "x"},
        {"clock": "25.00"},
        {"length": "-5"},
        {"attendees": "x"},
    ],
)
def test_a_bad_change_is_explained(
    signed_in_client: FlaskClient, session: Session, booked: Series, wrong: dict[str, str]
) -> None:
    data = {"from": "1", "scope": "all", "shift": "0", "clock": "18.00", "length": "90", **wrong}
    assert signed_in_client.post(f"/en/series/{booked.reference}/times", data=data).status_code == 422


def test_cancelling_the_rest(signed_in_client: FlaskClient, session: Session, booked: Series) -> None:
    path = f"/en/series/{booked.reference}/cancellation"
    page = signed_in_client.get(path, query_string={"from": "2", "scope": "following"})
    assert "Cancel 3 dates free of charge" in text_of(page)
    sent = signed_in_client.post(path, data={"from": "2", "scope": "following", "kept": "0"})
    assert sent.status_code == 303
    assert [b.state for b in dates_of(session, booked)] == ["confirmed"] + ["cancelled"] * 3


def test_my_bookings_show_a_series_once(
    signed_in_client: FlaskClient, session: Session, city: City, booked: Series
) -> None:
    page = signed_in_client.get("/en/my/bookings")
    assert page.text.count(f"/en/series/{booked.reference}") == 1
    assert "series, 4 dates ahead" in text_of(page)
    booking = dates_of(session, booked)[0]
    one = signed_in_client.get(f"/en/bookings/{booking.reference}")
    assert f"/en/series/{booked.reference}" in one.text


def test_the_queue_shows_and_answers_a_series_once(
    app: Flask,
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    venue: Venue,
    first: date,
) -> None:
    space = ready(session, city, venue, approval="handler")
    signed_in_client.post(**address(city, space, first), data=filled())
    series = only_series(session)
    handler = make_person(session, city)
    give(session, venue, handler, "handler")
    client = app.test_client()
    sign_in(session, client, handler)
    session.commit()
    desk = client.get("/en/desk/timeline")
    assert "and 3 more dates" in text_of(desk)
    (reference,) = set(re.findall(r"/desk/requests/([^/]+)/approval", desk.text))
    assert client.get(f"/en/series/{series.reference}").text.count("Approve all") == 1
    client.post(f"/en/desk/requests/{reference}/approval")
    assert {b.state for b in dates_of(session, series)} == {"confirmed"}


def test_one_mail_for_all_dates(
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    space: Space,
    first: date,
    person: Person,
    run_jobs: Callable[[], int],
) -> None:
    other = actor_of(session, make_person(session, city))
    book(session, city, space, other, span_on(city, 18, 20, day=first + WEEK), at=now())
    session.commit()
    for language in ("fi", "sv", "en"):
        person.language = language
        session.merge(person)
        session.commit()
        signed_in_client.post(
            **address(city, space, first + timedelta(days=["fi", "sv", "en"].index(language))),
            data=filled(submission=f"{SUBMISSION}-{language}"),
        )
        run_jobs()
    mails = session.scalars(select(Mail).where(Mail.template == "bookings/series/mail/created")).all()
    assert [mail.language for mail in mails] == ["fi", "sv", "en"]
    assert [mail.body_text.count("\n- ") for mail in mails] == [4, 4, 4]
    assert "Varaamatta jäi:" in mails[0].body_text
    assert mails[1].subject.startswith("Bokat: Stora salen, 4 gånger")
    assert mails[2].subject.startswith("Booked: Big hall, 4 dates")
    bookings = session.scalars(select(Booking).where(Booking.series_id.is_not(None))).all()
    for booking in bookings:
        assert booking.reference not in "".join(mail.body_text for mail in mails)


def test_the_other_mails_are_written_too(
    signed_in_client: FlaskClient,
    app: Flask,
    session: Session,
    city: City,
    venue: Venue,
    first: date,
    run_jobs: Callable[[], int],
) -> None:
    space = ready(session, city, venue, approval="handler")
    owner = make_person(session, city, language="en")
    give(session, venue, owner, "handler")
    association = make_organisation(session, city)
    join(session, owner, association, "booker")
    client = app.test_client()
    sign_in(session, client, owner)
    session.commit()
    signed_in_client.post(**address(city, space, first), data=filled())
    series = only_series(session)
    run_jobs()
    data = {"from": "1", "scope": "all", "shift": "0", "clock": "17.00", "length": "90", "attendees": "12"}
    signed_in_client.post(f"/en/series/{series.reference}/times", data=data)
    client.post(f"/en/series/{series.reference}/approval")
    signed_in_client.post(f"/en/series/{series.reference}/cancellation", data={"scope": "all", "kept": "0"})
    signed_in_client.post(**address(city, space, first), data=filled(submission=SUBMISSION + "2"))
    second = session.scalars(select(Series).where(Series.id != series.id)).one()
    assert client.post(f"/en/series/{second.reference}/refusal").status_code == 422
    client.post(f"/en/series/{second.reference}/refusal", data={"reason": "Lattia vahataan."})
    run_jobs()
    found = {
        mail.template.rpartition("/")[2]: mail
        for mail in session.scalars(select(Mail).where(Mail.template.like("bookings/series/%")))
    }
    assert set(found) == {"created", "new_request", "changed", "approved", "cancelled", "declined"}
    assert "Lattia vahataan." in found["declined"].body_text
    assert "4 dates" in found["new_request"].subject
    assert found["changed"].body_text.count("\n- ") == 4


def test_a_held_time_becomes_the_first_of_the_series(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date, person: Person
) -> None:
    during = span_on(city, 18, 19.5, day=first)
    hold_space(
        session,
        city,
        space,
        actor=actor_of(session, person),
        during=during,
        submission="the-checkout-of-one",
        at=now(),
    )
    session.commit()
    page = signed_in_client.get(**address(city, space, first))
    assert "Book 10 dates, €300" in text_of(page)
    assert signed_in_client.post(**address(city, space, first), data=filled(mode="all")).status_code == 303
    assert dates_of(session, only_series(session))[0].span == during


def test_a_skipped_date_is_looked_at_before_it_is_paid_for(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    other = actor_of(session, make_person(session, city))
    blocking = book(session, city, space, other, span_on(city, 18, 20, day=first + WEEK), at=now())
    session.commit()
    signed_in_client.post(**address(city, space, first), data=filled())
    series = only_series(session)
    path, there = f"/en/series/{series.reference}/dates/2/booking", f"/en/series/{series.reference}"
    signed_in_client.post(path)
    assert "The date is still taken. Try again later." in text_of(signed_in_client.get(there))
    cancel_booking(session, city, session.merge(blocking), actor=other, at=now())
    session.commit()
    signed_in_client.post(path)
    page = signed_in_client.get(there)
    assert "Free now: Book €30" in text_of(page)
    assert len(dates_of(session, series)) == 3
    data = {"submission": SUBMISSION, "total": "3000"}
    for _ in range(2):
        signed_in_client.post(path, data=data)
    assert [b.position for b in dates_of(session, series)] == [1, 2, 3, 4]
    assert skips_of(session, series)[0].booking_id is not None


def test_who_runs_a_place_does_not_see_the_other_places_of_a_series(
    app: Flask,
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    venue: Venue,
    space: Space,
    first: date,
) -> None:
    elsewhere = ready(session, city, make_venue(session, city), names={"en": "Far away"}, external_id="far")
    other = actor_of(session, make_person(session, city))
    day = first + WEEK
    book(session, city, space, other, span_on(city, 18, 20, day=day), at=now())
    session.commit()
    start = span_on(city, 18, 19, day=day).start.isoformat()
    sent = signed_in_client.post(
        **address(city, space, first), data=filled(**{f"instead-{day}": f"{elsewhere.id}/{start}/90"})
    )
    assert sent.status_code == 303
    assert "Far away" in text_of(signed_in_client.get(sent.location))
    viewer = make_person(session, city)
    give(session, venue, viewer, "viewer")
    client = app.test_client()
    sign_in(session, client, viewer)
    session.commit()
    page = text_of(client.get(sent.location))
    assert "Far away" not in page
    assert "Reference" in page


def asking(session: Session, space: Space) -> tuple[SpaceQuestion, SpaceQuestion, str]:
    """A required question, a file that may be sent, and terms."""
    question = ask(session, space, required=True)
    file = ask(session, space, "file", required=False)
    version = demand_terms(session, space)
    session.commit()
    return question, file, version


def test_what_the_space_asks_is_asked_once_and_kept_with_each_date(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    question, file, version = asking(session, space)
    page = signed_in_client.get(**address(city, space, first))
    assert page.status_code == 200
    when = address(city, space, first)["query_string"]
    for name in ("", "/booking"):
        shown = signed_in_client.get(f"/en/spaces/{space.id}{name}", query_string=when).text
        assert "Repeat this time" in shown, name
    for text in ("Which text?", "Which file?", "Tidy up after you.", "I have read the terms"):
        assert text in page.text, text
    data = filled(total="12000", terms="y", terms_version=version, **{f"question_{question.id}": "A concert"})
    data[f"question_{file.id}"] = (BytesIO(b"%PDF-1.7 plan"), "plan.pdf")
    sent = signed_in_client.post(**address(city, space, first), data=data, content_type="multipart/form-data")
    assert sent.status_code == 303, text_of(sent)
    made = dates_of(session, only_series(session))
    assert len(made) == 4
    assert {booking.terms_version for booking in made} == {version}
    keys = session.scalars(select(BookingAnswer.file_key).where(BookingAnswer.file_key.is_not(None))).all()
    assert len(keys) == 4
    assert len(set(keys)) == 1, "the file is kept once"
    for booking in made:
        shown = signed_in_client.get(f"/en/bookings/{booking.reference}").text
        assert "A concert" in shown
        assert "plan.pdf" in shown
    answer = signed_in_client.get(f"/en/bookings/{made[3].reference}/answers/2")
    assert answer.data == b"%PDF-1.7 plan"


def test_a_missing_answer_is_told_beside_its_field_and_nothing_is_booked(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    question, _, version = asking(session, space)
    answer = signed_in_client.post(
        **address(city, space, first), data=filled(total="12000", terms_version=version, purpose="Kept words")
    )
    assert answer.status_code == 422
    assert "Answer this question." in answer.text
    assert "Accept the terms of the space" in answer.text
    assert "Kept words" in answer.text
    assert f'href="#question_{question.id}"' in answer.text
    assert session.scalars(select(Series)).all() == []
    old = signed_in_client.post(
        **address(city, space, first),
        data=filled(total="12000", terms="y", terms_version="older", **{f"question_{question.id}": "x"}),
    )
    assert old.status_code == 422
    assert "The terms have changed since" in old.text
    assert session.scalars(select(Booking)).all() == []


def test_a_look_asks_for_nothing(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    asking(session, space)
    look = signed_in_client.post(**address(city, space, first), data=filled(do="look", times="3"))
    assert look.status_code == 200
    assert "Answer this question." not in look.text
    assert "Book 3 dates, €90" in text_of(look)


def test_the_code_counts_in_the_price_that_is_shown_and_charged(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    session.add(
        DiscountCode(
            city_id=city.id,
            space_id=space.id,
            code="PUOLET",
            percent=50,
            valid_from=first - timedelta(days=9),
            max_uses=4,
            uses=0,
        )
    )
    session.commit()
    look = signed_in_client.post(**address(city, space, first), data=filled(do="look", code="puolet"))
    assert "Book 4 dates, €60" in text_of(look)
    many = signed_in_client.post(
        **address(city, space, first), data=filled(do="look", code="puolet", times="5")
    )
    assert "can still be used for: 4" in many.text
    assert "Book 5 dates, €150" in text_of(many)
    wrong = signed_in_client.post(**address(city, space, first), data=filled(code="none", total="12000"))
    assert wrong.status_code == 422
    assert "not valid for this space" in wrong.text
    sent = signed_in_client.post(**address(city, space, first), data=filled(code="puolet", total="6000"))
    assert sent.status_code == 303
    assert {b.total_minor for b in dates_of(session, only_series(session))} == {1500}


def test_equipment_is_added_to_each_date(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date
) -> None:
    extra = make_extra(session, city, [space], stock=3, per="booking", amount_minor=250)
    session.commit()
    assert "Tables" in signed_in_client.get(**address(city, space, first)).text
    name = f"extra-{extra.id}"
    look = signed_in_client.post(**address(city, space, first), data=filled(do="look", **{name: "2"}))
    assert "Book 4 dates, €140" in text_of(look)
    for wrong in ("4", "many", "-1"):
        refused = signed_in_client.post(
            **address(city, space, first), data=filled(total="99999", **{name: wrong})
        )
        assert refused.status_code == 422, wrong
    sent = signed_in_client.post(**address(city, space, first), data=filled(total="14000", **{name: "2"}))
    assert sent.status_code == 303
    assert {b.total_minor for b in dates_of(session, only_series(session))} == {3500}


def test_only_those_whom_the_space_lets_in_are_offered(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date, person: Person
) -> None:
    space.who = "members"
    session.commit()
    page = signed_in_client.get(**address(city, space, first))
    assert page.status_code == 200
    assert "co__form" not in page.text
    organisation = make_organisation(session, city, name="Kuoro ry")
    join(session, person, organisation)
    name_organisation(session, space, organisation)
    session.commit()
    assert "Kuoro ry" in signed_in_client.get(**address(city, space, first)).text


def test_what_is_priced_by_its_use_says_so_and_leads_to_the_single_date(
    signed_in_client: FlaskClient, session: Session, city: City, venue: Venue, first: date
) -> None:
    space = ready(session, city, venue, whole_days=True, max_minutes=3 * 1440)
    session.add(
        Price(
            city_id=city.id,
            space_id=space.id,
            valid_from=first - timedelta(days=99),
            per="day",
            amount_minor=9000,
            build_percent=50,
        )
    )
    session.commit()
    start = span_on(city, 8, 9, day=first).start.astimezone(city.zone)
    end = (start + timedelta(days=1)).replace(hour=22)
    there = {
        "path": f"/en/spaces/{space.id}/series",
        "query_string": {"start": start.isoformat(), "end": end.isoformat()},
    }
    page = signed_in_client.get(**there)
    assert page.status_code == 200
    assert "Each date is booked on its own here" in page.text
    assert f"/en/spaces/{space.id}/booking?" in page.text
    assert "co__form" not in page.text
    at = {"start": start.isoformat(), "end": end.isoformat()}
    chosen = signed_in_client.get(f"/en/spaces/{space.id}", query_string={**at, "minutes": 2 * 1440}).text
    assert f"/en/spaces/{space.id}/booking?" in chosen
    assert "Repeat this time" not in chosen
    checkout = signed_in_client.get(f"/en/spaces/{space.id}/booking", query_string=at).text
    assert "Days to build up first" in checkout
    assert "Repeat this time" not in checkout
    assert signed_in_client.post(**there, data=filled(total="0")).status_code == 409
    assert session.scalars(select(Booking)).all() == []


def test_other_terms_since_then_lead_a_skipped_date_to_its_own_checkout(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, first: date, person: Person
) -> None:
    other = actor_of(session, make_person(session, city))
    single = book(session, city, space, other, span_on(city, 18, 19, day=first + WEEK), at=now())
    session.commit()
    signed_in_client.post(**address(city, space, first), data=filled(total="12000"))
    series = only_series(session)
    assert [skip.position for skip in skips_of(session, series)] == [2]
    cancel_booking(session, city, single, actor=other, at=now())
    demand_terms(session, space)
    session.commit()
    answer = signed_in_client.post(
        f"/en/series/{series.reference}/dates/2/booking",
        data={"total": "3000", "submission": SUBMISSION[::-1]},
    )
    assert answer.status_code == 303
    assert f"/en/spaces/{space.id}/booking?" in answer.headers["Location"]
    assert skips_of(session, series)[0].booking_id is None
