"""The list of spaces answers each filter, refuses what it does not understand and can be walked to its end."""

from datetime import date, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.timespan import Span, instant
from spaces.calendar.actions import claim_space, compile_spaces
from spaces.calendar.models import HOLDER_IDS
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Venue
from spaces.pricing.models import PriceVariation
from spaces.search.queries import ORDERS
from tests.factories.people import sign_in
from tests.factories.spaces import make_space
from tests.partners.api.conftest import Town


def found(answer, town: Town) -> set[str]:
    names = {town.hall.id: "hall", town.room.id: "room", town.lawn.id: "lawn"}
    assert answer["total"] == len(answer["spaces"])
    return {names[space["id"]] for space in answer["spaces"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"hall", "room", "lawn"}),
        ({"q": "liikuntasali"}, {"hall"}),
        ({"q": "kokous"}, {"room"}),
        ({"q": "Töölö"}, {"room"}),
        ({"q": "zzzzzz"}, set()),
        ({"kind": "sports_hall"}, {"hall"}),
        ({"kind": ["sports_hall", "park"]}, {"hall", "lawn"}),
        ({"purpose": ["dance", "meeting"]}, {"hall", "room"}),
        ({"equipment": "goals"}, {"hall"}),
        ({"equipment": ["goals", "projector"]}, set()),
        ({"accessibility": ["lift", "step_free_entrance"]}, {"hall", "lawn"}),
        ({"suits": "rollator"}, {"hall", "lawn"}),
        ({"suits": ["rollator", "wheelchair"]}, set()),
        ({"approval": "handler"}, {"room"}),
        ({"people": 100}, {"hall", "lawn"}),
        ({"max_price_minor": 0}, {"hall"}),
        ({"max_price_minor": 3000}, {"hall", "room"}),
        ({"bbox": "24.90,60.17,24.93,60.19"}, {"room"}),
    ],
)
def test_a_filter_leaves_what_fits(ask, town: Town, query, expected) -> None:
    assert found(ask("/spaces", **query), town) == expected


def test_a_district_is_a_filter(ask, town: Town) -> None:
    assert found(ask("/spaces", district=town.district.id), town) == {"hall", "lawn"}


def test_a_space_is_told_with_its_facts(ask, town: Town) -> None:
    (hall,) = ask("/spaces", kind="sports_hall")["spaces"]
    assert hall["names"] == {"fi": "Liikuntasali", "sv": None, "en": "Gym"}
    assert hall["price"] == {
        "per": "free",
        "amount": {"amount_minor": 0, "currency": "EUR"},
        "vat_percent": 25.5,
        "quoted_for": "resident",
        "other_prices": [],
    }
    assert hall["venue"]["location"] == {"lat": 60.184, "lon": 24.953}
    assert hall["venue"]["district"] == {
        "id": town.district.id,
        "names": {"fi": "Kallio", "sv": "Berghäll", "en": None},
    }
    assert hall["venue"]["owner"] == {"name": "Culture and Leisure", "kind": "city_division"}
    assert hall["booking"]["interval_minutes"] == 30
    assert hall["pages"]["sv"] == f"http://localhost/sv/spaces/{town.hall.id}"
    assert hall["url"] == f"http://localhost/api/v1/spaces/{town.hall.id}"
    assert hall["is_free"] is None
    assert hall["free_times"] == []
    assert len(hall["next_free_times"]) == 5


def test_nearest_come_first_with_their_distance(ask, town: Town) -> None:
    answer = ask("/spaces", near="60.1801,24.9201", sort="nearest")
    assert answer["spaces"][0]["id"] == town.room.id
    distances = [space["distance_m"] for space in answer["spaces"]]
    assert distances == sorted(distances)
    assert distances[0] < 50
    assert 1500 < distances[1] < 2500


def test_free_times_of_an_asked_evening_carry_offset_and_price(ask, session: Session, town: Town) -> None:
    def at(hour: int) -> datetime:
        return instant(town.day, time(hour), town.city.zone)

    holder = session.execute(HOLDER_IDS.next_value().select()).scalar_one()
    claim_space(
        session,
        town.city,
        town.hall.id,
        holder_id=holder,
        body=Span(at(18), at(19)),
        rules=booking_rules(town.hall),
    )
    session.commit()
    answer = ask("/spaces", when=town.day, **{"from": "17:00", "to": "20:00"}, minutes=60)
    by_id = {space["id"]: space for space in answer["spaces"]}
    assert answer["free"] == 2
    hall = by_id[town.hall.id]
    assert hall["is_free"] is True
    starts = [datetime.fromisoformat(found["start"]) for found in hall["free_times"]]
    assert starts == [at(17), at(19)]
    assert starts[0].utcoffset() == at(17).astimezone(town.city.zone).utcoffset()
    assert hall["free_times"][0]["price"] == {"amount_minor": 0, "currency": "EUR"}
    # The room closes at four: not free then, and its next times follow.
    assert by_id[town.room.id]["is_free"] is False
    assert by_id[town.room.id]["next_free_times"][0]["price"]["amount_minor"] == 3000
    assert by_id[town.lawn.id]["free_times"][0]["price"]["amount_minor"] == 12400


@pytest.mark.parametrize("extra", [{}, {"sort": "cheapest"}, {"near": "60.18,24.95", "sort": "nearest"}])
@pytest.mark.parametrize("limit", [1, 2, 7])
def test_a_walk_by_cursor_sees_every_space_once(
    client: FlaskClient, session: Session, town: Town, limit: int, extra
) -> None:
    more = [make_space(session, town.kallio) for _ in range(8)]
    compile_spaces(session, town.city, [space.id for space in more])
    session.commit()
    seen: list[int] = []
    url: str = "/api/v1/spaces"
    query: dict[str, object] | None = {"limit": limit, "when": town.day, **extra}
    while True:
        answer = client.get(url, query_string=query)
        assert answer.status_code == 200, answer.text
        assert answer.json
        seen += [space["id"] for space in answer.json["spaces"]]
        following = answer.json["next_url"]
        assert (answer.headers.get("Link") is None) == (following is None)
        if following is None:
            break
        parts = urlsplit(following)
        assert parse_qs(parts.query)["cursor"] == [answer.json["next_cursor"]]
        url, query = f"{parts.path}?{parts.query}", None
    assert len(seen) == len(set(seen)) == 11


def test_a_cursor_of_another_question_is_refused(ask, refused) -> None:
    cursor = ask("/spaces", limit=1)["next_cursor"]
    assert refused("/spaces", limit=1, people=2, cursor=cursor) == {"cursor": "other-question"}
    assert refused("/spaces", limit=2, cursor=cursor) == {"cursor": "other-question"}
    assert refused("/spaces", limit=1, cursor=cursor[:-2]) == {"cursor": "not-a-cursor"}
    assert refused("/spaces", limit=1, cursor="\x00ä€") == {"cursor": "not-a-cursor"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"peple": 3}, {"peple": "extra-forbidden"}),
        ({"people": "many"}, {"people": "not-a-number"}),
        ({"people": ""}, {"people": "not-a-number"}),
        ({"people": "1.5"}, {"people": "not-a-number"}),
        ({"people": "9" * 40}, {"people": "not-a-number"}),
        ({"people": 0}, {"people": "greater-than-equal"}),
        ({"people": ["3", "4"]}, {"people": "repeated"}),
        ({"limit": 101}, {"limit": "less-than-equal"}),
        ({"near": "60.18"}, {"near": "not-a-point"}),
        ({"near": "124.95,60.18"}, {"near": "not-a-point"}),
        ({"near": "nan,inf"}, {"near": "not-a-point"}),
        ({"bbox": "24.97,60.17,24.93,60.19"}, {"bbox": "not-a-box"}),
        ({"bbox": "1,2,3"}, {"bbox": "not-a-box"}),
        ({"kind": ["park", "castle"]}, {"kind/1": "unknown-code"}),
        ({"approval": "soon"}, {"approval": "unknown-code"}),
        ({"sort": "newest"}, {"sort": "unknown-code"}),
        ({"sort": "nearest"}, {"sort": "needs-near"}),
        ({"district": 999_999_999}, {"district": "unknown-district"}),
        ({"district": 2**63}, {"district": "not-a-number"}),
        ({"when": "tomorrow"}, {"when": "not-a-date"}),
        ({"when": "2026-02-30"}, {"when": "not-a-date"}),
        ({"when": "1790000000"}, {"when": "not-a-date"}),
        ({"when": "2020-01-01"}, {"when": "in-the-past"}),
        ({"when": "9999-12-31"}, {"when": "too-far-ahead"}),
        ({"from": "17:00"}, {"from": "needs-when"}),
        ({"from": "5pm"}, {"from": "not-a-time"}),
        ({"q": "a" * 201}, {"q": "string-too-long"}),
        ({"people": "x", "limit": "y"}, {"people": "not-a-number", "limit": "not-a-number"}),
    ],
)
def test_a_wrong_parameter_is_named(refused, query, expected) -> None:
    assert refused("/spaces", **query) == expected


def test_an_evening_must_end_after_it_begins(refused, town: Town) -> None:
    assert refused("/spaces", when=town.day, **{"from": "20:00", "to": "18:00"}) == {
        "to": "ends-before-start"
    }
    assert refused("/spaces", when=town.day, **{"from": "24:00"}) == {"from": "ends-before-start"}


def test_problems_come_in_the_language_asked_for(client: FlaskClient, town: Town) -> None:
    answers = [
        client.get("/api/v1/spaces?people=x", headers={"Accept-Language": language}).get_json()
        for language in ("fi", "sv", "en")
    ]
    assert len({answer["errors"][0]["detail"] for answer in answers}) == 3
    assert len({answer["title"] for answer in answers}) == 3


def test_cookies_are_not_read(client: FlaskClient, session: Session, town: Town, person) -> None:
    client.set_cookie("tilaa_language", "sv")
    plain = client.get("/api/v1/spaces?people=x", headers={"Accept-Language": "fi"}).json
    sign_in(session, client, person)
    session.commit()
    answer = client.get("/api/v1/spaces?people=x", headers={"Accept-Language": "fi"})
    assert answer.json == plain
    assert answer.headers.getlist("Set-Cookie") == []
    signed = client.get("/api/v1/spaces")
    assert "private" not in signed.headers["Cache-Control"]


def test_any_origin_may_read_it_and_a_cache_may_keep_it(client: FlaskClient, town: Town) -> None:
    answer = client.get("/api/v1/spaces")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    # With free times in it no copy may be shown unasked.
    for path in ("/api/v1/spaces", f"/api/v1/spaces?when={town.day}", f"/api/v1/spaces/{town.hall.id}"):
        assert "no-cache" in client.get(path).headers["Cache-Control"]
    again = client.get("/api/v1/spaces", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    for path in ("/api/v1/spaces?x=1", "/api/v1/spaces/999999999", "/api/v1/nothing"):
        assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in client.get("/health/live").headers


def test_only_reading_is_possible(client: FlaskClient, town: Town) -> None:
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(client, method)("/api/v1/spaces")
        assert answer.status_code == 405
        assert answer.mimetype == "application/problem+json"


def test_one_address_may_ask_only_so_often(app, client: FlaskClient, town: Town, monkeypatch) -> None:
    monkeypatch.setitem(app.config, "RATE_LIMITS", True)
    monkeypatch.setattr("partners.api.api.PER_MINUTE", 2)
    assert [client.get("/api/v1/districts").status_code for _ in range(3)] == [200, 200, 429]
    answer = client.get("/api/v1/districts")
    assert answer.mimetype == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_search_that_takes_too_long_is_unavailable_for_a_while(
    client: FlaskClient, town: Town, monkeypatch
) -> None:
    monkeypatch.setitem(ORDERS, "best", "(SELECT 0.0 FROM pg_sleep(1))")
    monkeypatch.setattr("spaces.search.queries.STATEMENT_TIMEOUT_MS", 20)
    answer = client.get("/api/v1/spaces")
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0


def test_drafts_stay_out(ask, session: Session, town: Town) -> None:
    draft = make_space(session, town.kallio, state="draft")
    session.commit()
    assert draft.id not in {space["id"] for space in ask("/spaces")["spaces"]}


def test_yesterday_is_still_refused_by_the_citys_own_calendar(refused, town: Town) -> None:
    assert refused("/spaces", when=town.day - timedelta(days=11)) == {"when": "in-the-past"}


def test_a_list_of_prices_tells_whose_they_are(ask, town: Town, session: Session) -> None:
    session.add(
        PriceVariation(
            city_id=town.city.id, space_id=town.room.id, valid_from=date(2020, 1, 1), position=0,
            group_code="youth", days=[6, 7], from_minute=600, to_minute=1440, amount_minor=900,
        )
    )  # fmt: skip
    session.commit()
    (room,) = ask("/spaces", q="kokous")["spaces"]
    assert room["price"]["amount"]["amount_minor"] == 3000
    assert room["price"]["other_prices"] == [
        {
            "group": "youth",
            "days": [6, 7],
            "from_minute": 600,
            "to_minute": 1440,
            "amount": {"amount_minor": 900, "currency": "EUR"},
        }
    ]


def test_accessibility_is_told_with_its_sentences(ask, town: Town, session: Session) -> None:
    venue = session.get_one(Venue, (town.city.id, town.hall.venue_id))
    venue.accessibility_lacks, venue.accessibility_measures = ["induction_loop"], {"threshold_cm": 1}
    session.commit()
    hall = ask(f"/spaces/{town.hall.id}")
    assert hall["venue"]["accessibility_lacks"] == ["induction_loop"]
    assert hall["venue"]["accessibility_measures"] == {"threshold_cm": 1}
    assert hall["venue"]["suits"] == ["rollator"]
    assert [(one["group"], one["text"]["en"]) for one in hall["accessibility_sentences"]] == [
        ("entrance", "The entrance has no differences in level and no thresholds over 2 cm high."),
        ("entrance", "The threshold is 1 cm high."),
        ("interior", "There is a lift with room for a wheelchair."),
        ("hearing", "The facility does not have an induction loop."),
    ]


def test_any_day_of_a_window_will_do(session: Session, ask, town: Town) -> None:
    first, last = town.day, town.day + timedelta(days=6)
    whole = Span(
        instant(first, time(0), town.city.zone), instant(last - timedelta(days=1), time(0), town.city.zone)
    )
    holder_id = session.scalar(HOLDER_IDS.next_value())
    assert holder_id is not None
    claim_space(
        session, town.city, town.hall.id, holder_id=holder_id, body=whole, rules=booking_rules(town.hall)
    )
    window = {
        "when": first,
        "until": last,
        "from": "17:00",
        "to": "20:00",
        "minutes": 60,
        "q": "liikuntasali",
    }
    (hall,) = ask("/spaces", **window)["spaces"]
    assert hall["is_free"]
    starts = {datetime.fromisoformat(one["start"]).date() for one in hall["free_times"]}
    assert starts == {last - timedelta(days=1), last}
    # The same on the weekday of its last day alone, and on one that is taken.
    (hall,) = ask("/spaces", **window, weekday=last.isoweekday())["spaces"]
    assert {datetime.fromisoformat(one["start"]).date() for one in hall["free_times"]} == {last}
    (hall,) = ask("/spaces", **window, weekday=first.isoweekday())["spaces"]
    assert (hall["is_free"], hall["free_times"]) == (False, [])


def test_the_soonest_of_all(ask, town: Town) -> None:
    assert found(ask("/spaces", sort="soonest"), town) == {"hall", "room", "lawn"}


def test_words_that_nobody_has_are_put_right_and_told(ask, town: Town) -> None:
    answer = ask("/spaces", q="liikuntasli")
    assert answer["corrected"] == {"liikuntasli": "liikuntasali"}
    assert found(answer, town) == {"hall"}


def test_each_space_says_why_it_fits(ask, town: Town) -> None:
    (room,) = ask("/spaces", kind="meeting_room", people=10, near="60.184,24.953")["spaces"]
    assert room["reasons"]
    assert all(reason["text"] for reason in room["reasons"])


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({"when": 0, "until": -1}, "until", "ends-before-start"),
        ({"when": 0, "until": 100}, "until", "too-many-days"),
        ({"until": 3}, "until", "needs-when"),
        ({"when": 0, "weekday": 1}, "weekday", "needs-until"),
        ({"when": 0, "until": 3, "weekday": 8}, "weekday/0", "less-than-equal"),
    ],
)
def test_a_window_that_is_none(refused, town: Town, query, field: str, code: str) -> None:
    days = {
        name: town.day + timedelta(days=value) if name in {"when", "until"} else value
        for name, value in query.items()
    }
    assert refused("/spaces", **days)[field] == code
