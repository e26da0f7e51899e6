"""The queue on a page of its own: filtered, and answered many at a time."""

import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking, decline_booking
from bookings.lifecycle.models import Booking
from bookings.series.rules import Recurrence
from marketplace.accounts.models import AuditEntry, Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span
from spaces.calendar.actions import compile_spaces
from spaces.catalog.models import Space, Venue, VenueRole
from tests.architecture.test_query_counts import counted
from tests.bookings.desk.conftest import STRANGERS
from tests.factories.bookings import book
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.series import dates_of, repeat, weekly
from tests.factories.spaces import make_space, make_venue

PAGE = "/en/desk/requests"


def text_of(answer: object) -> str:
    """The page's words without marks and with plain spaces."""
    plain = re.sub(r"<[^>]+>", " ", getattr(answer, "text", str(answer)))
    return re.sub(r"[\s\u00a0\u2060]+", " ", html.unescape(plain)).replace(" :", ":").replace(" ,", ",")


@pytest.fixture
def booker(session: Session, city: City) -> Person:
    return make_person(session, city, name="Mira Lehto")


@pytest.fixture
def club(session: Session, city: City, booker: Person) -> Organisation:
    club = make_organisation(session, city, name="Kallion Juniorit ry")
    join(session, booker, club)
    return club


@pytest.fixture
def asked(
    session: Session,
    city: City,
    space: Space,
    person: Person,
    booker: Person,
    club: Organisation,
    at_hours: Callable[[float, float], Span],
) -> list[Booking]:
    """Four requests, the first waits longest: Aino twice, Mira for the club and for herself."""
    spans = [at_hours(hour, hour + 2) for hour in (9, 12, 15, 18)]
    aino, mira = actor_of(session, person), actor_of(session, booker)
    found = [
        book(session, city, space, aino, spans[0], at=now()),
        book(session, city, space, aino, spans[1], at=now()),
        book(session, city, space, mira, spans[2], at=now(), organisation_id=club.id),
        book(session, city, space, mira, spans[3], at=now()),
    ]
    for n, booking in enumerate(found):
        booking.created_at = now() - timedelta(days=8 - 2 * n)
    session.commit()
    assert {booking.state for booking in found} == {"awaiting_approval"}
    return found


def shown(page: str, asked: list[Booking]) -> list[int]:
    """Which of the requests the page shows, in its order."""
    places = {n: page.find(f'id="q-{booking.reference}"') for n, booking in enumerate(asked)}
    return sorted((n for n, at in places.items() if at >= 0), key=lambda n: places[n])


def states(session: Session, asked: list[Booking]) -> list[str]:
    session.expire_all()
    return [booking.state for booking in asked]


def chosen(asked: list[Booking], *numbers: int) -> list[str]:
    return [asked[n].reference for n in numbers]


def audits(session: Session, action: str) -> list[AuditEntry]:
    return list(
        session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id))
    )


def test_the_oldest_or_the_nearest_is_first(
    session: Session, city: City, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    asked[3].created_at = now() - timedelta(days=30)
    session.commit()
    client = client_of("handler")
    assert shown(client.get(PAGE).text, asked) == [3, 0, 1, 2]
    assert shown(client.get(f"{PAGE}?order=soonest").text, asked) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2, 3]),
        ("who=mira", [2, 3]),
        ("who=JUNIOR", [2]),
        ("who=mira+junior", [2]),
        ("who=%25", []),
        ("who=_", []),
        ("waited=7", [0]),
        ("waited=3", [0, 1, 2]),
        ("waited=5", [0, 1, 2, 3]),
        ("price=yes", []),
        ("price=no", [0, 1, 2, 3]),
        ("price=maybe&order=nonsense&page=-3&place=venue-x", [0, 1, 2, 3]),
    ],
)
def test_filters_in_the_address(
    session: Session,
    asked: list[Booking],
    client_of: Callable[[str], FlaskClient],
    query: str,
    expected: list[int],
) -> None:
    for booking in asked:
        booking.total_minor, booking.payment = 0, "not_needed"
    session.commit()
    assert shown(client_of("handler").get(f"{PAGE}?{query}").text, asked) == expected


def test_what_costs_and_what_does_not(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    for booking in asked:
        booking.total_minor, booking.payment = 0, "not_needed"
    asked[2].total_minor, asked[2].payment = 1350, "due"
    session.commit()
    client = client_of("handler")
    assert shown(client.get(f"{PAGE}?price=yes").text, asked) == [2]
    assert shown(client.get(f"{PAGE}?price=no").text, asked) == [0, 1, 3]


def test_days_of_the_booked_time(
    city: City, day: date, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("handler")
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    assert shown(client.get(f"{PAGE}?first={day}&last={day}").text, asked) == [0, 1, 2, 3]
    assert shown(client.get(f"{PAGE}?last={before}").text, asked) == []
    assert shown(client.get(f"{PAGE}?first={after}").text, asked) == []
    page = client.get(f"{PAGE}?first={after}&last={before}")
    assert "The last day is before the first one." in page.text
    assert f'value="{before}"' in page.text, "what was typed stays"
    page = client.get(f"{PAGE}?first=gibberish")
    assert "Write a date, such as 2026-12-01." in page.text
    assert shown(page.text, asked) == [0, 1, 2, 3]


def test_places_where_something_waits(
    session: Session,
    city: City,
    owner: Organisation,
    venue: Venue,
    person: Person,
    asked: list[Booking],
    at_hours: Callable[[float, float], Span],
    client_of: Callable[[str], FlaskClient],
) -> None:
    other = make_space(session, venue, approval="handler", names={"en": "Small hall"})
    elsewhere = make_space(session, make_venue(session, city, owner=owner), approval="handler")
    idle = make_space(session, make_venue(session, city, owner=owner), names={"en": "Idle hall"})
    compile_spaces(session, city, [other.id, elsewhere.id, idle.id])
    actor = actor_of(session, person)
    asked += [book(session, city, one, actor, at_hours(9, 11), at=now()) for one in (other, elsewhere)]
    session.commit()
    client = client_of("manager")
    page = client.get(PAGE).text
    assert f'value="space-{other.id}"' in page
    assert f'value="venue-{elsewhere.venue_id}"' in page
    assert f'value="space-{elsewhere.id}"' not in page, "a venue with one space is that space"
    assert f'value="space-{idle.id}"' not in page
    assert shown(client.get(f"{PAGE}?place=venue-{venue.id}").text, asked) == [0, 1, 2, 3, 4]
    assert shown(client.get(f"{PAGE}?place=space-{other.id}").text, asked) == [4]
    page = client.get(f"{PAGE}?place=space-{idle.id}").text
    assert shown(page, asked) == []
    assert "Idle hall" in page
    assert "Remove all filters" in page


def test_a_place_that_is_not_ones_own_is_not_named(
    session: Session, city: City, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    foreign = make_space(session, make_venue(session, city), names={"en": "Somebody else's hall"})
    session.commit()
    page = client_of("handler").get(f"{PAGE}?place=space-{foreign.id}").text
    assert "Somebody else" not in page
    assert shown(page, asked) == [0, 1, 2, 3]
    assert client_of("handler").get(f"{PAGE}?place=space-{10**17}").status_code == 200


def test_filters_are_tags_that_can_be_removed(
    day: date, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    page = client_of("handler").get(f"{PAGE}?who=mira&waited=1&first={day}&page=3").text
    links = [html.unescape(url) for url in re.findall(r'hds-tag--action" href="([^"]+)"', page)]
    assert [set(parse_qs(urlsplit(url).query)) for url in links] == [
        {"waited", "first"},
        {"who", "waited"},
        {"who", "first"},
    ]
    assert "2 requests" in text_of(page)


def test_many_are_approved_each_by_itself(
    session: Session,
    city: City,
    person: Person,
    asked: list[Booking],
    client_of: Callable[[str], FlaskClient],
) -> None:
    client = client_of("handler")
    cancel_booking(session, city, asked[1], actor=actor_of(session, person), at=now())
    session.commit()
    answer = client.post(
        f"{PAGE}/approvals?who=a", data={"request": [*chosen(asked, 0, 1, 2), "0000-0000", "rubbish"]}
    )
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.location).query)["who"] == ["a"]
    assert states(session, asked) == ["confirmed", "cancelled", "confirmed", "awaiting_approval"]
    page = text_of(client.get(answer.location))
    assert "2 requests were approved." in page
    assert "1 was not: Aino Korhonen," in page
    assert "The booker has cancelled meanwhile." in page
    assert "1 request is not among those that you answer." in page
    assert shown(client.get(answer.location).text, asked) == [0, 1, 2, 3], "each keeps its place"
    assert "Undo 2 answers" in page
    entries = audits(session, "booking.approved")
    assert [entry.subject_id for entry in entries] == [asked[0].id, asked[2].id]


def test_the_mail_of_each_waits_for_the_undo(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("handler")
    client.post(f"{PAGE}/approvals", data={"request": chosen(asked, 0, 1)})
    later = session.execute(
        text(
            "SELECT count(*) FROM procrastinate_jobs WHERE scheduled_at IS NOT NULL AND args->>'name' = :name"
        ),
        {"name": "booking.answered"},
    ).scalar()
    assert later == 2
    answer = client.post(f"{PAGE}/answers-undo", data={"request": chosen(asked, 0, 1, 2)})
    assert states(session, asked) == ["awaiting_approval"] * 4
    page = text_of(client.get(answer.location))
    assert "2 requests wait again." in page
    assert "1 was not: Kallion Juniorit ry," in page
    assert "It waits for an answer." in page
    assert len(audits(session, "booking.answer-undone")) == 2


def test_pressing_twice_does_it_once(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("handler")
    data = {"request": chosen(asked, 0, 1)}
    client.post(f"{PAGE}/approvals", data=data)
    answer = client.post(f"{PAGE}/approvals", data=data)
    page = text_of(client.get(answer.location))
    assert "No request was approved." in page
    assert page.count("It had been approved already.") == 2
    assert len(audits(session, "booking.approved")) == 2
    # Nor does a no undo a yes.
    answer = client.post(f"{PAGE}/refusals", data={**data, "reason": "Closed"})
    assert "No request was declined." in text_of(client.get(answer.location))
    assert states(session, asked)[:2] == ["confirmed", "confirmed"]


def test_one_reference_sent_often_is_one_request(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    reference = asked[0].reference
    answer = client_of("handler").post(
        f"{PAGE}/approvals", data={"request": [reference, reference.lower(), reference.replace("-", "")]}
    )
    assert parse_qs(urlsplit(answer.location).query)["answered"] == [reference]
    assert len(audits(session, "booking.approved")) == 1


def test_many_are_declined_for_one_reason(
    session: Session, city: City, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client, manager = client_of("handler"), make_person(session, city, is_staff=True)
    decline_booking(
        session,
        city,
        asked[3],
        session.scalars(select(Venue)).one(),
        actor=actor_of(session, manager),
        reason="",
        at=now(),
    )
    session.commit()
    answer = client.post(
        f"{PAGE}/refusals",
        data={"request": chosen(asked, 1, 2, 3), "reason_code": "closed", "reason": "Lattia vahataan"},
    )
    page = text_of(client.get(answer.location))
    assert "2 requests were declined." in page
    assert "It had been declined already." in page
    assert states(session, asked) == ["awaiting_approval", "declined", "declined", "declined"]
    assert [booking.reason_code for booking in asked] == [None, "closed", "closed", None]
    mine = [e for e in audits(session, "booking.declined") if e.details["reason"] == "Lattia vahataan"]
    assert [entry.subject_id for entry in mine] == [asked[1].id, asked[2].id]


def test_declining_needs_a_reason_and_keeps_what_was_chosen(
    session: Session,
    city: City,
    person: Person,
    asked: list[Booking],
    client_of: Callable[[str], FlaskClient],
) -> None:
    client = client_of("handler")
    answer = client.post(f"{PAGE}/refusals?who=mira", data={"request": chosen(asked, 2), "reason": " "})
    assert answer.status_code == 422
    assert "Write why or choose a reason" in answer.text
    assert re.search(rf'value="{asked[2].reference}" form="many"[^>]* checked', answer.text)
    assert not re.search(rf'value="{asked[3].reference}" form="many"[^>]* checked', answer.text)
    assert shown(answer.text, asked) == [2, 3], "the filters stay"
    long = client.post(f"{PAGE}/refusals", data={"request": chosen(asked, 2), "reason": "x" * 1001})
    assert long.status_code == 422
    assert "x" * 1001 in long.text, "the words stay"
    # What has been cancelled meanwhile does not vanish from what was chosen.
    cancel_booking(session, city, asked[0], actor=actor_of(session, person), at=now())
    session.commit()
    answer = client.post(f"{PAGE}/refusals?who=mira", data={"request": chosen(asked, 0, 2)})
    assert shown(answer.text, asked) == [0, 2, 3]
    assert "Aino Korhonen has cancelled meanwhile." in answer.text
    # From a row the sentence stands in that row.
    answer = client.post(f"{PAGE}/refusals", data={"request": chosen(asked, 2), "row": "1", "reason": ""})
    assert f'id="reason-{asked[2].reference}-error"' in answer.text
    assert states(session, asked) == ["cancelled", *["awaiting_approval"] * 3]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ([], "Choose at least one request."),
        (["x" * 10_000, "\x00", "%s"], "These requests were not found."),
        (["0000-0000"] * 101, "Choose at most 100 requests at once."),
    ],
)
@pytest.mark.parametrize("path", ["approvals", "refusals", "answers-undo"])
def test_what_cannot_be_acted_on_is_said_and_nothing_is_done(
    session: Session,
    asked: list[Booking],
    client_of: Callable[[str], FlaskClient],
    path: str,
    sent: list[str],
    said: str,
) -> None:
    real = chosen(asked, 0) if len(sent) > 100 else []
    answer = client_of("handler").post(f"{PAGE}/{path}", data={"request": [*real, *sent], "reason": "x"})
    assert answer.status_code == 422
    assert said in answer.text
    assert states(session, asked) == ["awaiting_approval"] * 4


def test_a_single_answer_is_told_in_its_row(
    asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("handler")
    answer = client.post(f"{PAGE}/approvals?who=aino", data={"request": chosen(asked, 0)})
    page = client.get(answer.location)
    assert 'id="result"' not in page.text
    assert "Approved. The mail to Aino Korhonen leaves in a few seconds." in page.text
    answer = client.post(f"{PAGE}/answers-undo?who=aino", data={"request": chosen(asked, 0)})
    page = client.get(answer.location)
    assert "Undone. The request waits again." in page.text
    assert "data-undo" not in page.text
    answer = client.post(f"{PAGE}/answers-undo", data={"request": chosen(asked, 0)})
    assert "It waits for an answer." in client.get(answer.location).text


def test_an_undo_that_comes_too_late_says_so(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client, other = client_of("handler"), client_of("manager")
    client.post(f"{PAGE}/approvals", data={"request": chosen(asked, 0, 1, 2)})
    answer = other.post(f"{PAGE}/answers-undo", data={"request": chosen(asked, 0)})
    assert "Only the one who answered can undo it." in other.get(answer.location).text
    session.execute(text("DELETE FROM procrastinate_jobs WHERE scheduled_at IS NOT NULL"))
    session.commit()
    answer = client.post(f"{PAGE}/answers-undo", data={"request": chosen(asked, 0, 1)})
    page = text_of(client.get(answer.location))
    assert "No answer was taken back." in page
    assert page.count("It is too late to undo this: the answer has gone out.") == 2
    assert states(session, asked)[:3] == ["confirmed"] * 3


@pytest.mark.parametrize("what", ["viewer", "crew", *STRANGERS])
@pytest.mark.parametrize("path", ["approvals", "refusals", "answers-undo"])
def test_nobody_else_answers_many(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient], what: str, path: str
) -> None:
    if path == "answers-undo":
        client_of("handler").post(f"{PAGE}/approvals", data={"request": chosen(asked, 0, 1)})
    before = states(session, asked)
    client = client_of(what)
    answer = client.post(f"{PAGE}/{path}", data={"request": chosen(asked, 0, 1), "reason": "no"})
    if answer.status_code == 303 and PAGE in answer.location:
        # Who answers elsewhere is told that nothing of this is theirs, and not what it is.
        page = client.get(answer.location)
        assert "2 requests are not among those that you answer." in text_of(page)
        assert "Aino" not in page.text
    else:
        assert answer.status_code in {302, 403}
    assert states(session, asked) == before


def test_a_handler_of_one_venue_answers_only_there(
    session: Session,
    city: City,
    owner: Organisation,
    person: Person,
    asked: list[Booking],
    at_hours: Callable[[float, float], Span],
    app_client: Callable[[Person], FlaskClient],
) -> None:
    venue = make_venue(session, city, owner=owner)
    there = make_space(session, venue, approval="handler")
    compile_spaces(session, city, [there.id])
    own = book(session, city, there, actor_of(session, person), at_hours(9, 11), at=now())
    handler = make_person(session, city)
    session.add(VenueRole(city_id=city.id, venue_id=venue.id, person_id=handler.id, role="handler"))
    session.commit()
    client = app_client(handler)
    answer = client.post(f"{PAGE}/approvals", data={"request": [asked[0].reference, own.reference]})
    page = client.get(answer.location)
    assert "1 request was approved." in text_of(page)
    assert "1 request is not among those that you answer." in text_of(page)
    assert f'id="q-{asked[0].reference}"' not in page.text
    assert states(session, [asked[0], own]) == ["awaiting_approval", "confirmed"]
    assert shown(client.get(PAGE).text, asked) == []


@pytest.fixture
def app_client(app: object, session: Session) -> Callable[[Person], FlaskClient]:
    def client(person: Person) -> FlaskClient:
        browser: FlaskClient = app.test_client()  # type: ignore[attr-defined]
        sign_in(session, browser, person)
        session.commit()
        return browser

    return client


def test_ones_own_booking_elsewhere_cannot_be_approved(
    session: Session,
    city: City,
    person: Person,
    asked: list[Booking],
    app_client: Callable[[Person], FlaskClient],
) -> None:
    """The booker may see the request, and answers for another place."""
    venue = make_venue(session, city)
    session.add(VenueRole(city_id=city.id, venue_id=venue.id, person_id=person.id, role="handler"))
    session.commit()
    client = app_client(person)
    answer = client.post(f"{PAGE}/approvals", data={"request": chosen(asked, 0)})
    assert "not among those that you answer" in text_of(client.get(answer.location))
    assert states(session, asked) == ["awaiting_approval"] * 4


def test_requests_of_another_city(
    session: Session,
    asked: list[Booking],
    at_hours: Callable[[float, float], Span],
    client_of: Callable[[str], FlaskClient],
) -> None:
    city = make_city(session, slug="vantaa")
    space = make_space(session, make_venue(session, city), approval="handler")
    compile_spaces(session, city, [space.id])
    foreign = book(
        session, city, space, actor_of(session, make_person(session, city)), at_hours(18, 20), at=now()
    )
    session.commit()
    client = client_of("staff")
    answer = client.post(f"{PAGE}/approvals", data={"request": [foreign.reference, asked[0].reference]})
    page = text_of(client.get(answer.location))
    assert "1 request was approved." in page
    assert "1 request is not among those that you answer." in page
    assert states(session, [foreign, asked[0]]) == ["awaiting_approval", "confirmed"]


def test_an_address_cannot_claim_what_is_not_so(
    session: Session, asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("handler")
    told = "&".join(f"answered={reference}" for reference in chosen(asked, 0, 1))
    page = text_of(client.get(f"{PAGE}?did=approved&{told}&missed={asked[2].reference}.slot-taken"))
    assert "No request was approved." in page
    assert "This time has just been taken." in page
    assert client.get(f"{PAGE}?did=nonsense&{told}&missed=x&missed=%00").status_code == 200


def test_all_shown_are_chosen_without_script(
    asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    page = client_of("handler").get(f"{PAGE}?who=mira&tick=all").text
    assert len(re.findall(r'form="many"[^>]* checked', page)) == 2


def test_the_timeline_leads_to_the_page(
    asked: list[Booking], client_of: Callable[[str], FlaskClient]
) -> None:
    page = client_of("handler").get("/en/desk/timeline").text
    assert page.count(f'href="{PAGE}"') == 2
    assert f'href="{PAGE}"' not in client_of("viewer").get("/en/desk/timeline").text


def test_pages_of_a_long_queue(
    session: Session,
    asked: list[Booking],
    client_of: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bookings.desk.queue_views.PAGE_SIZE", 3)
    client = client_of("handler")
    assert shown(client.get(PAGE).text, asked) == [0, 1, 2]
    second = client.get(f"{PAGE}?page=2")
    assert shown(second.text, asked) == [3]
    assert "Page 2 of 2" in text_of(second)
    assert shown(client.get(f"{PAGE}?page=9").text, asked) == [3], "past the end is the last one"
    answer = client.post(f"{PAGE}/approvals?page=2", data={"request": chosen(asked, 3)})
    assert shown(client.get(answer.location).text, asked) == [0, 1, 2, 3], "nothing is left on page 2"


def test_more_requests_take_no_more_statements(
    session: Session,
    city: City,
    space: Space,
    person: Person,
    asked: list[Booking],
    at_hours: Callable[[float, float], Span],
    connection: Connection,
    client_of: Callable[[str], FlaskClient],
) -> None:
    client = client_of("handler")
    path = f"{PAGE}?who=a&place=space-{space.id}&did=approved" + "".join(
        f"&answered={booking.reference}" for booking in asked
    )
    client.get(path)
    with counted(connection) as few:
        client.get(path)
    actor = actor_of(session, person)
    for n in range(12):
        start = at_hours(9, 10)
        later = Span(start.start + timedelta(days=n + 1), start.end + timedelta(days=n + 1))
        book(session, city, space, actor, later, at=now())
    session.commit()
    with counted(connection) as many:
        client.get(path)
    assert len(many) <= len(few) <= 20, many
    assert session.scalar(select(func.count()).select_from(Booking)) == 16


def series_over_two_spaces(
    session: Session, city: City, venue: Venue, space: Space, person: Person, day: date
) -> list[Booking]:
    """Three dates of one series, the last of them in another space of the venue."""
    space.horizon_days = 120
    other = make_space(session, venue, approval="handler", names={"en": "Small hall"})
    compile_spaces(session, city, [space.id, other.id])
    series = repeat(
        session,
        city,
        space,
        actor_of(session, person),
        weekly(3, rule=Recurrence(day, times=3)),
        at=now(),
    )
    dates = dates_of(session, series)
    dates[2].space_id = other.id
    session.commit()
    assert [one.state for one in dates] == ["awaiting_approval"] * 3
    return dates


def test_a_series_is_answered_once_for_all_its_rows(
    session: Session,
    city: City,
    venue: Venue,
    space: Space,
    person: Person,
    day: date,
    client_of: Callable[[str], FlaskClient],
) -> None:
    dates = series_over_two_spaces(session, city, venue, space, person, day)
    client = client_of("handler")
    assert shown(client.get(PAGE).text, dates) == [0, 2], "by its next date in each space"
    answer = client.post(f"{PAGE}/approvals", data={"request": chosen(dates, 0, 2)})
    assert states(session, dates) == ["confirmed"] * 3
    page = text_of(client.get(answer.location))
    assert "2 requests were approved." in page
    assert "Undo" not in page, "the news of a series is out at once"
    assert len(audits(session, "series.approved")) == 1


def test_a_series_is_found_by_any_of_its_dates(
    session: Session,
    city: City,
    venue: Venue,
    space: Space,
    person: Person,
    day: date,
    client_of: Callable[[str], FlaskClient],
) -> None:
    dates = series_over_two_spaces(session, city, venue, space, person, day)
    client = client_of("handler")
    second = day + timedelta(days=7)
    assert shown(client.get(f"{PAGE}?first={second}&last={second}").text, dates) == [0]
    between = day + timedelta(days=3)
    assert shown(client.get(f"{PAGE}?first={between}&last={between}").text, dates) == []
