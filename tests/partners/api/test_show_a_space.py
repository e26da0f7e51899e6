"""One space with its texts and free times, right on the days when the clocks change."""

from datetime import date, datetime, time, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.timespan import Span, instant
from spaces.calendar.actions import claim_space, compile_spaces
from spaces.calendar.models import HOLDER_IDS
from spaces.calendar.queries import booking_rules
from tests.factories.equipment import make_extra
from tests.factories.people import make_organisation
from tests.factories.rules import ask as put_question
from tests.factories.rules import demand_terms, name_organisation
from tests.factories.spaces import make_space
from tests.partners.api.conftest import Town


def test_a_space_has_its_texts_and_addresses(ask, town: Town) -> None:
    space = ask(f"/spaces/{town.hall.id}")
    assert space["descriptions"] == {"fi": None, "sv": None, "en": None}
    assert space["free_times_url"].endswith(f"/api/v1/spaces/{town.hall.id}/free-times")
    assert space["next_free_times"]


@pytest.mark.parametrize("wanted", ["0", "999999999", str(2**63 - 1), str(2**63), "9" * 60, "x", "-1", "1.5"])
def test_an_unknown_space_is_a_404(client: FlaskClient, town: Town, wanted: str) -> None:
    days = {"from": town.day, "to": town.day}
    for path, query in ((f"/api/v1/spaces/{wanted}", {}), (f"/api/v1/spaces/{wanted}/free-times", days)):
        answer = client.get(path, query_string=query)
        assert answer.status_code == 404
        assert answer.mimetype == "application/problem+json"


def test_a_draft_is_a_404(client: FlaskClient, session: Session, town: Town) -> None:
    draft = make_space(session, town.kallio, state="draft")
    session.commit()
    answer = client.get(f"/api/v1/spaces/{draft.id}")
    assert answer.status_code == 404
    assert answer.json
    assert answer.json["type"].endswith("/problems/space-not-found")


def test_free_times_leave_out_what_is_taken(ask, session: Session, town: Town) -> None:
    def at(hour: int) -> datetime:
        return instant(town.day, time(hour), town.city.zone)

    holder = session.execute(HOLDER_IDS.next_value().select()).scalar_one()
    claim_space(
        session,
        town.city,
        town.room.id,
        holder_id=holder,
        body=Span(at(9), at(14)),
        rules=booking_rules(town.room),
    )
    session.commit()
    answer = ask(f"/spaces/{town.room.id}/free-times", minutes=80, **{"from": town.day, "to": town.day})
    assert answer["minutes"] == 90
    assert answer["time_zone"] == "Europe/Helsinki"
    (day,) = answer["days"]
    assert [(read(o["start"]), read(o["end"])) for o in day["open"]] == [(at(8), at(16))]
    assert [(read(o["start"]), read(o["end"])) for o in day["free"]] == [(at(8), at(9)), (at(14), at(16))]
    assert [read(t["start"]) for t in day["times"]] == [at(14), at(14) + timedelta(minutes=30)]
    assert day["times"][0]["price"] == {"amount_minor": 4500, "currency": "EUR"}


def read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_whole_days_are_offered_as_days(ask, town: Town) -> None:
    answer = ask(
        f"/spaces/{town.lawn.id}/free-times", **{"from": town.day, "to": town.day + timedelta(days=2)}
    )
    assert [len(day["times"]) for day in answer["days"]] == [1, 1, 1]
    assert answer["days"][0]["times"][0]["price"]["amount_minor"] == 12400


def test_times_that_pass_midnight_belong_to_the_day_they_begin_on(ask, session: Session, town: Town) -> None:
    night = make_space(session, town.kallio, hours=(time(20), time(3)))
    compile_spaces(session, town.city, [night.id])
    session.commit()
    answer = ask(f"/spaces/{night.id}/free-times", minutes=120, **{"from": town.day, "to": town.day})
    (day,) = answer["days"]
    starts = [read(t["start"]).strftime("%H:%M") for t in day["times"]]
    # Until one in the night before, and from eight on this evening, the last one ending at one.
    assert starts[:3] == ["00:00", "00:30", "01:00"]
    assert starts[3:] == ["20:00", "20:30", "21:00", "21:30", "22:00", "22:30", "23:00", "23:30"]
    assert [(read(o["start"]).hour, read(o["end"]).hour) for o in day["open"]] == [(0, 3), (20, 0)]


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25)])
def test_a_day_of_changing_clocks_has_its_real_hours(
    ask, session: Session, town: Town, day: str, hours: int
) -> None:
    """The hour from three to four is skipped in March and comes twice in October."""
    always = make_space(
        session, town.kallio, hours=(time(0), time(0)), price=("hour", 1000), horizon_days=600
    )
    compile_spaces(session, town.city, [always.id], first=date(2027, 3, 1), last=date(2027, 11, 30))
    session.commit()
    answer = ask(f"/spaces/{always.id}/free-times", minutes=60, **{"from": day, "to": day})
    (shown,) = answer["days"]
    (opening,) = shown["open"]
    assert read(opening["end"]) - read(opening["start"]) == timedelta(hours=hours)
    assert len(shown["times"]) == hours * 2
    assert len({t["start"] for t in shown["times"]}) == hours * 2
    for t in shown["times"]:
        assert read(t["end"]) - read(t["start"]) == timedelta(hours=1)
        assert t["price"]["amount_minor"] == 1000
    assert {read(t["start"]).utcoffset() for t in shown["times"]} == {timedelta(hours=2), timedelta(hours=3)}
    assert sum(read(t["start"]).hour == 3 for t in shown["times"]) == (0 if hours == 23 else 4)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"from": "missing", "to": "missing"}),
        ({"from": "2026-13-01", "to": "x"}, {"from": "not-a-date", "to": "not-a-date"}),
        ({"from": "2020-01-01", "to": "2020-01-02"}, {"from": "in-the-past"}),
        ({"from": "9998-01-01", "to": "9998-01-02"}, {"to": "too-far-ahead"}),
        ({"from": "9999-12-31", "to": "9999-12-31"}, {"to": "too-far-ahead"}),
        ({"from": "0001-01-01", "to": "0001-01-01"}, {"from": "in-the-past"}),
    ],
)
def test_wrong_days_are_named(refused, town: Town, query, expected) -> None:
    assert refused(f"/spaces/{town.hall.id}/free-times", **query) == expected


def test_at_most_a_month_at_a_time(ask, refused, town: Town) -> None:
    path = f"/spaces/{town.hall.id}/free-times"
    assert len(ask(path, **{"from": town.day, "to": town.day + timedelta(days=30)})["days"]) == 31
    assert refused(path, **{"from": town.day, "to": town.day + timedelta(days=31)}) == {"to": "too-many-days"}
    assert refused(path, **{"from": town.day, "to": town.day - timedelta(days=1)}) == {
        "to": "ends-before-start"
    }
    assert refused(path, minutes=0, **{"from": town.day, "to": town.day}) == {"minutes": "greater-than-equal"}


def test_districts_are_listed(ask, town: Town) -> None:
    answer = ask("/districts")
    assert answer["districts"] == [
        {
            "id": town.district.id,
            "code": "011",
            "names": {"fi": "Kallio", "sv": "Berghäll", "en": None},
            "label": {"lat": 60.184, "lon": 24.95},
        }
    ]


def test_the_equipment_that_a_booking_can_add(session: Session, client: FlaskClient, town: Town) -> None:
    space = town.hall
    extra = make_extra(session, town.city, [space], stock=20, per="hour", amount_minor=150, most=4)
    session.commit()
    answer = client.get(f"/api/v1/spaces/{space.id}").get_json()
    assert answer["extras"] == [
        {
            "id": extra.id,
            "names": {"fi": "Pöydät", "sv": "Bord", "en": "Tables"},
            "descriptions": {"fi": None, "sv": None, "en": None},
            "stock": 20,
            "most": 4,
            "per": "hour",
            "amount": {"amount_minor": 150, "currency": "EUR"},
        }
    ]


def test_a_space_tells_its_rules_questions_and_terms(ask, session: Session, town: Town) -> None:
    plain = ask(f"/spaces/{town.hall.id}")
    assert (plain["questions"], plain["terms"], plain["members"], plain["trusted"]) == ([], None, [], [])
    assert plain["booking"]["max_open_per_person"] is None
    hall = town.hall
    hall.who, hall.approval, hall.trusted_groups, hall.quota_hours = "members", "trusted", ["youth"], 6
    hall.min_age, hall.attendees_max, hall.max_open_per_organisation = 18, 12, 2
    question = put_question(session, hall, "choice", helps={"en": "Both are free."})
    version = demand_terms(session, hall, en="Tidy up.")
    for name, role in (("Jäsenet ry", "member"), ("Luotetut ry", "trusted")):
        name_organisation(session, hall, make_organisation(session, town.city, name=name), role)
    session.commit()
    told = ask(f"/spaces/{hall.id}")
    booking = told["booking"]
    assert (booking["who"], booking["approval"], booking["trusted_groups"]) == (
        "members",
        "trusted",
        ["youth"],
    )
    assert (booking["quota_hours"], booking["quota_period"], booking["min_age"]) == (6, "week", 18)
    assert (booking["attendees_min"], booking["attendees_max"]) == (None, 12)
    assert (told["members"], told["trusted"]) == (["Jäsenet ry"], ["Luotetut ry"])
    assert told["terms"] == {"version": version, "texts": {"fi": None, "sv": None, "en": "Tidy up."}}
    (asked,) = told["questions"]
    assert (asked["id"], asked["kind"], asked["required"]) == (question.id, "choice", True)
    assert asked["helps"]["en"] == "Both are free."
    assert [option["en"] for option in asked["options"]] == ["Inside", "Outside"]
