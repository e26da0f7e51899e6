"""What a space asks of its bookers: questions of each kind, terms, and who reads the answers."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bookings.lifecycle.answer_files import sweep_answer_files
from bookings.lifecycle.answers import content_type_of, plain_name, read_number
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import AskedMissing
from bookings.lifecycle.models import Booking, BookingAnswer
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.errors import Invalid
from marketplace.files import port
from marketplace.files.disk import DiskStore
from marketplace.timespan import Span
from marketplace.web.problems import field_message
from spaces.catalog.models import Space, SpaceQuestion, Venue
from tests.bookings.lifecycle.test_pages import checkout, ready_space, text_of
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.listings import give
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.rules import ask, demand_terms

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def actor(session: Session, person: Person) -> Actor:
    return actor_of(session, person)


@pytest.fixture
def evening(city: City) -> Span:
    return span_on(city, 18, 20, day=(now() + timedelta(days=3)).astimezone(city.zone).date())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DiskStore]:
    before = port._store
    store = DiskStore(tmp_path)
    port.bind(store)
    yield store
    if before is not None:
        port.bind(before)


def keys(store: DiskStore) -> list[str]:
    return list(store.keys("answers/", before=now() + timedelta(days=1)))


def told(app: Flask, refusal: Invalid) -> dict[str, str]:
    with app.test_request_context("/en/"):
        return {error.field: field_message(error) for error in refusal.fields}


def answers(session: Session) -> list[BookingAnswer]:
    session.expire_all()
    return list(session.scalars(select(BookingAnswer).order_by(BookingAnswer.position)))


# --- the action ---------------------------------------------------------------------------------------------------


def test_answers_are_kept_with_the_question_as_it_was(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city)
    what, where, many = ask(session, space), ask(session, space, "choice"), ask(session, space, "number")
    given = {what.id: " Kuoro \n", where.id: "Ulkona", many.id: "1 200"}
    booking = book(session, city, space, actor, span_on(city, 8, 9), details=Details(answers=given))
    what.labels = {"en": "Something else?"}
    session.delete(where)
    session.flush()
    found = [(a.booking_id, a.kind, a.labels["en"], a.words, a.choice) for a in answers(session)]
    assert found == [
        (booking.id, "text", "Which text?", "Kuoro", {}),
        (booking.id, "choice", "Which choice?", "", {"fi": "Ulkona", "en": "Outside"}),
        (booking.id, "number", "Which number?", "1200", {}),
    ]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.subject_kind == "booking")).one()
    assert "Kuoro" not in str(entry.details)


@pytest.mark.parametrize(
    ("kind", "fields", "given", "text"),
    [
        ("text", {}, "", "Answer this question."),
        ("text", {}, "  \n ", "Answer this question."),
        ("text", {}, "x" * 2001, "Say it in 2,000 characters."),
        ("choice", {}, "Katolla", "Choose one of these."),
        ("choice", {}, "Outside", "Choose one of these."),  # the key is the text in the first language
        ("choice", {}, "", "Answer this question."),
        ("number", {}, "many", "Write a whole number, such as 12."),
        ("number", {}, "1.5", "Write a whole number, such as 12."),
        ("number", {}, "٣", "Write a whole number, such as 12."),
        ("number", {}, "9" * 14, "Write a whole number, such as 12."),
        ("number", {"least": 2}, "1", "At least 2."),
        ("number", {"most": 5}, "6", "At most 5."),
        ("file", {}, "", "Choose a file."),
        ("file", {}, "answers/0123456789abcdef0123456789abcdef", "Choose a file."),
    ],
)
def test_an_answer_that_will_not_do(
    app: Flask,
    session: Session,
    city: City,
    actor: Actor,
    kind: str,
    fields: dict[str, Any],
    given: str,
    text: str,
) -> None:
    space = open_space(session, city)
    question = ask(session, space, kind, **fields)
    details = Details(answers={question.id: given})
    with pytest.raises(AskedMissing) as refused:
        book(session, city, space, actor, span_on(city, 8, 9), details=details)
    assert told(app, refused.value) == {f"question_{question.id}": text}
    assert session.scalars(select(Booking)).all() == []


def test_everything_that_is_missing_is_told_at_once(
    app: Flask, session: Session, city: City, actor: Actor
) -> None:
    space = open_space(session, city, min_age=18)
    first, second = ask(session, space), ask(session, space, "choice")
    demand_terms(session, space)
    with pytest.raises(AskedMissing) as refused:
        book(session, city, space, actor, span_on(city, 8, 9))
    assert list(told(app, refused.value)) == [
        "birth_date",
        f"question_{first.id}",
        f"question_{second.id}",
        "terms",
    ]


def test_what_is_optional_may_be_left_out_and_answers_to_other_questions_are_not_kept(
    session: Session, city: City, actor: Actor
) -> None:
    space, other = open_space(session, city), open_space(session, city)
    ask(session, space, required=False)
    strange = ask(session, other)
    book(session, city, space, actor, span_on(city, 8, 9), details=Details(answers={strange.id: "x"}))
    assert answers(session) == []


def test_terms_are_accepted_by_their_version(app: Flask, session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city)
    old = demand_terms(session, space)
    booking = book(session, city, space, actor, span_on(city, 8, 9), details=Details(terms=old))
    assert (booking.terms_version, booking.terms_accepted_at) == (old, NOW)
    demand_terms(session, space, en="Another text.")
    for details, text in (
        (Details(), "Accept the terms of the space to book it."),
        (
            Details(terms=old),
            "The terms have changed since you opened the page. Read them and accept them again.",
        ),
    ):
        with pytest.raises(AskedMissing) as refused:
            book(session, city, space, actor, span_on(city, 10, 11), details=details)
        assert told(app, refused.value) == {"terms": text}
    session.refresh(booking)
    assert booking.terms_version == old


# --- the checkout -------------------------------------------------------------------------------------------------


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return ready_space(session, city)


@pytest.fixture
def asked(session: Session, space: Space) -> dict[str, SpaceQuestion]:
    found = {kind: ask(session, space, kind) for kind in ("text", "choice", "number", "file")}
    session.commit()
    return found


def filled(asked: dict[str, SpaceQuestion], **more: Any) -> dict[str, Any]:
    values = {
        "organisation": "myself",
        "purpose": "",
        "attendees": "",
        "submission": "6b1f0d54-95a1-4a5c-9d7e-0c7a6f2c1a11",
    }
    given: dict[str, Any] = {
        "text": "Kuoro",
        "choice": "Sisällä",
        "number": "12",
        "file": (BytesIO(PDF), "plan.pdf"),
    }
    values |= {f"question_{q.id}": given[kind] for kind, q in asked.items()}
    return values | more


def post(client: FlaskClient, space: Space, evening: Span, city: City, data: dict[str, Any]) -> TestResponse:
    return client.post(**checkout(space, evening, city), data=data, content_type="multipart/form-data")


def test_the_checkout_asks_and_the_booking_tells(
    signed_in_client: FlaskClient,
    session: Session,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    city: City,
    store: DiskStore,
) -> None:
    version = demand_terms(session, space)
    session.commit()
    page = signed_in_client.get(**checkout(space, evening, city))
    for text in (
        "Which text?",
        "Which choice?",
        "Inside",
        "Which file?",
        "Tidy up after you.",
        "multipart/form-data",
    ):
        assert text in page.text
    data = filled(asked, terms="y", terms_version=version)
    sent = post(signed_in_client, space, evening, city, data)
    assert sent.status_code == 303
    shown = signed_in_client.get(sent.location)
    for text in ("Kuoro", "Inside", "12", "plan.pdf", "Accepted"):
        assert text in text_of(shown)
    link = re.search(r'href="([^"]+/answers/\d+)"', shown.text)
    assert link
    file = signed_in_client.get(link[1])
    assert file.data == PDF
    assert file.headers["Content-Disposition"] == "attachment; filename=plan.pdf"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Content-Type"].startswith("application/pdf")
    assert file.headers["Cache-Control"] == "private, no-store"


def test_a_wrong_form_names_everything_and_keeps_what_was_typed(
    signed_in_client: FlaskClient,
    session: Session,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    city: City,
    store: DiskStore,
) -> None:
    space.attendees_min = 2
    demand_terms(session, space)
    session.commit()
    data = filled(asked)
    data[f"question_{asked['number'].id}"] = "paljon"
    data[f"question_{asked['choice'].id}"] = "Katolla"
    answer = post(signed_in_client, space, evening, city, data)
    assert answer.status_code == 422
    page = text_of(answer)
    for text in (
        "Write how many people come.",
        "Choose one of these.",
        "Write a whole number, such as 12.",
        "Accept the terms of the space to book it.",
        "Choose the file again: it was not kept.",
    ):
        assert text in page
    assert "Kuoro" in answer.text
    assert 'value="paljon"' in answer.text
    assert session.scalars(select(Booking)).all() == []
    assert keys(store) == []


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (b"<html><script>alert(1)</script></html>", "plan.pdf", "This is not a PDF, JPEG, PNG or WebP file."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.png", "This is not a PDF, JPEG, PNG or WebP file."),
        (b"", "empty.pdf", "This is not a PDF, JPEG, PNG or WebP file."),
        (b"MZ\x90\x00", "plan.pdf.exe", "This is not a PDF, JPEG, PNG or WebP file."),
    ],
)
def test_a_file_that_is_not_taken(
    signed_in_client: FlaskClient,
    session: Session,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    city: City,
    store: DiskStore,
    data: bytes,
    name: str,
    text: str,
) -> None:
    form = filled(asked)
    form[f"question_{asked['file'].id}"] = (BytesIO(data), name)
    answer = post(signed_in_client, space, evening, city, form)
    assert (answer.status_code, session.scalars(select(Booking)).all()) == (422, [])
    assert text in text_of(answer)
    assert keys(store) == []


def test_a_file_of_a_booking_that_is_refused_is_not_kept(
    signed_in_client: FlaskClient,
    session: Session,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    city: City,
    store: DiskStore,
) -> None:
    space.max_open_per_person = 1
    session.commit()
    first = post(signed_in_client, space, evening, city, filled(asked))
    assert first.status_code == 303
    other = Span(evening.start - timedelta(hours=4), evening.end - timedelta(hours=4))
    again = post(signed_in_client, space, other, city, filled(asked, submission="another-form-of-mine"))
    assert again.status_code == 422
    assert "Open bookings here at a time" in text_of(again)
    assert len(keys(store)) == 1


def one_large_file(question: SpaceQuestion, megabytes: int) -> dict[str, Any]:
    """A sending of one file, made in memory."""
    head = f'--x\r\nContent-Disposition: form-data; name="question_{question.id}"; filename="a.pdf"\r\n\r\n'
    body = head.encode() + PDF + bytes(megabytes * 1024 * 1024) + b"\r\n--x--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=x"}


def test_a_file_above_ten_megabytes_is_told_beside_its_field(
    signed_in_client: FlaskClient,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    city: City,
    store: DiskStore,
) -> None:
    answer = signed_in_client.post(**checkout(space, evening, city), **one_large_file(asked["file"], 11))
    assert answer.status_code == 422
    assert "Which file? The file is larger than 10 MB. Make it smaller, or send a part of it." in text_of(
        answer
    )
    assert keys(store) == []


def test_a_body_that_is_far_too_large_is_told_in_words(
    signed_in_client: FlaskClient, space: Space, asked: dict[str, SpaceQuestion], evening: Span, city: City
) -> None:
    sent = one_large_file(asked["file"], 36)
    answer = signed_in_client.post(**checkout(space, evening, city), **sent)
    assert answer.status_code == 413
    assert "The files are too large together. Each may have 10 MB." in text_of(answer)


def test_strangers_cannot_send_large_files(
    client: FlaskClient, space: Space, asked: dict[str, SpaceQuestion], evening: Span, city: City
) -> None:
    sent = one_large_file(asked["file"], 3)
    assert client.post(**checkout(space, evening, city), **sent).status_code == 413


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nobody", 302),
        ("outsider", 404),
        ("owner of another place", 404),
        ("staff of another city", 302),  # whom this city does not know
        ("viewer", 404),
        ("crew", 404),
        ("mere member of the club", 404),
        ("the one who booked", 200),
        ("booker of the club", 200),
        ("handler", 200),
        ("manager", 200),
        ("staff", 200),
    ],
)
def test_who_reads_the_answers(
    app: Flask,
    session: Session,
    city: City,
    person: Person,
    signed_in_client: FlaskClient,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    store: DiskStore,
    who: str,
    status: int,
) -> None:
    club = make_organisation(session, city)
    join(session, person, club)
    session.commit()
    made = post(signed_in_client, space, evening, city, filled(asked, organisation=str(club.id)))
    assert made.status_code == 303
    booking = session.scalars(select(Booking)).one()
    venue = session.get_one(Venue, (city.id, space.venue_id))
    client = app.test_client()
    reader = make_person(session, city) if who != "the one who booked" else person
    match who:
        case "mere member of the club":
            join(session, reader, club, "member")
        case "booker of the club":
            join(session, reader, club, "booker")
        case "handler" | "manager" | "viewer" | "crew":
            give(session, venue, reader, who)
        case "staff":
            reader.is_staff = True
        case "owner of another place":
            join(session, reader, make_organisation(session, city, name="Muu"), "manager")
        case "staff of another city":
            from tests.factories.cities import make_city  # noqa: PLC0415

            reader = make_person(session, make_city(session, slug="muu"), is_staff=True)
        case _:
            pass
    if who != "nobody":
        sign_in(session, client, reader)
    session.commit()
    assert client.get(f"/en/bookings/{booking.reference}/answers/4").status_code == status
    page = client.get(f"/en/bookings/{booking.reference}")
    assert ("Kuoro" in page.text) == (status == 200)


def test_only_files_have_an_address(
    signed_in_client: FlaskClient,
    session: Session,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    city: City,
    store: DiskStore,
) -> None:
    post(signed_in_client, space, evening, city, filled(asked))
    reference = session.scalars(select(Booking.reference)).one()
    for position in (0, 1, 5, 2**62):
        assert signed_in_client.get(f"/en/bookings/{reference}/answers/{position}").status_code == 404
    store.delete(keys(store)[0])
    assert signed_in_client.get(f"/en/bookings/{reference}/answers/4").status_code == 404


def test_handlers_read_the_answers_in_the_queue(
    app: Flask,
    session: Session,
    city: City,
    signed_in_client: FlaskClient,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    store: DiskStore,
) -> None:
    space.approval = "handler"
    handler = make_person(session, city)
    give(session, session.get_one(Venue, (city.id, space.venue_id)), handler, "handler")
    session.commit()
    assert post(signed_in_client, space, evening, city, filled(asked)).status_code == 303
    client = app.test_client()
    sign_in(session, client, handler)
    session.commit()
    queue = text_of(client.get("/en/desk/timeline"))
    assert "Which text? Kuoro" in queue
    assert "plan.pdf" in queue


@pytest.mark.parametrize(
    "rule", ["question", "optional question", "terms", "age", "attendees", "verified", "trusted"]
)
def test_one_press_books_nothing_that_asks_something(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City, rule: str
) -> None:
    match rule:
        case "question" | "optional question":
            ask(session, space, required=rule == "question")
        case "terms":
            demand_terms(session, space)
        case "age":
            space.min_age = 18
        case "attendees":
            space.attendees_max = 10
        case "verified":
            space.who = "verified"
        case _:
            space.approval = "trusted"
    session.commit()
    start = evening.start.astimezone(city.zone).isoformat()
    data = {"start": start, "minutes": "120", "submission": "one-press-of-mine", "total": "4000"}
    answer = signed_in_client.post(f"/en/spaces/{space.id}/quick-booking", data=data)
    assert answer.status_code == 303
    assert "/booking?" in answer.location
    assert session.scalars(select(Booking)).all() == []
    assert signed_in_client.get(answer.location).status_code == 200


def test_one_press_still_books_where_what_is_asked_is_known(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    space.min_age, space.who, space.approval = 18, "verified", "trusted"
    space.trusted_groups, space.attendees_max = ["resident"], 10
    person.identified_at, person.birth_date = now(), datetime(1990, 1, 1).date()
    session.commit()
    start = evening.start.astimezone(city.zone).isoformat()
    data = {
        "start": start, "minutes": "120", "submission": "one-press-of-mine", "total": "4000", "people": "5",
    }  # fmt: skip
    answer = signed_in_client.post(f"/en/spaces/{space.id}/quick-booking", data=data)
    assert "/bookings/" in answer.location


def test_the_checkout_says_who_confirms_and_what_is_left(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    club = make_organisation(session, city)
    join(session, person, club)
    space.approval, space.trusted_groups, space.quota_hours = "trusted", ["association"], 6
    session.commit()
    page = text_of(signed_in_client.get(**checkout(space, evening, city)))
    week = evening.start.astimezone(city.zone).isocalendar().week
    assert f"Aino Korhonen. The owner confirms the booking. 6 h left of 6 h in week {week}." in page.replace(
        "\u00a0", " "
    )
    assert f"Confirmed at once. 6 h left of 6 h in week {week}." in page.replace("\u00a0", " ")
    assert "Send a request, €40" in page
    chosen = text_of(signed_in_client.get(**checkout(space, evening, city, organisation=str(club.id))))
    assert "Book €40" in chosen


def test_whom_the_space_keeps_out_is_told_before_the_form(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City
) -> None:
    for who, text in (
        ("verified", "Only people whose identity the city has confirmed book this space."),
        ("members", "Only the organisations named in the rules of this space and their members book it."),
    ):
        space.who = who
        session.commit()
        page = signed_in_client.get(**checkout(space, evening, city))
        assert page.status_code == 200
        assert text in text_of(page)
        assert 'name="submission"' not in page.text


def test_the_day_of_birth_is_asked_at_the_checkout(
    signed_in_client: FlaskClient, session: Session, space: Space, evening: Span, city: City, person: Person
) -> None:
    space.min_age = 18
    session.commit()
    assert 'name="birth_date"' in signed_in_client.get(**checkout(space, evening, city)).text
    data = filled({}, birth_date="2020-01-01")
    young = signed_in_client.post(**checkout(space, evening, city), data=data)
    assert (young.status_code, "at least 18 years old" in text_of(young)) == (422, True)
    data = filled({}, birth_date="1990-05-17")
    assert signed_in_client.post(**checkout(space, evening, city), data=data).status_code == 303
    session.refresh(person)
    assert str(person.birth_date) == "1990-05-17"
    assert 'name="birth_date"' not in signed_in_client.get(**checkout(space, evening, city)).text


def test_sweeping_deletes_only_what_no_booking_names(
    signed_in_client: FlaskClient,
    session: Session,
    space: Space,
    asked: dict[str, SpaceQuestion],
    evening: Span,
    city: City,
    store: DiskStore,
) -> None:
    post(signed_in_client, space, evening, city, filled(asked))
    (named,) = keys(store)
    store.put("answers/0123456789abcdef0123456789abcdef", PNG, "image/png")
    sweep_answer_files(now())
    assert len(keys(store)) == 2  # too young to be an orphan
    sweep_answer_files(now() + timedelta(days=2))
    assert keys(store) == [named]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"GIF89a", None),
        (b" %PDF-1.7", None),
        (b"", None),
    ],
)
def test_a_file_is_what_it_holds(data: bytes, kind: str | None) -> None:
    assert content_type_of(data) == kind


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\kuva.png", "kuva.png"),
        ('a"b\r\nSet-Cookie: x.pdf', 'a"bSet-Cookie: x.pdf'),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "file"),
        (None, "file"),
        ("..", "file"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_files_name_is_only_a_name(name: str | None, kept: str) -> None:
    assert plain_name(name) == kept


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("1\u00a0200", 1200), ("\u22125", -5), ("-5", -5), ("", None), ("+5", None), ("1e3", None)],
)
def test_numbers_as_people_write_them(text: str, number: int | None) -> None:
    assert read_number(text) == number
