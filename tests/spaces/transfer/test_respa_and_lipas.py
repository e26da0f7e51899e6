"""Resources of Respa and sports places of LIPAS."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from spaces.catalog.models import Space, SpaceUnit, Venue
from spaces.pricing.models import Price
from tests.spaces.transfer.files import POINT, collection, feature, write


def resource(resource_id: str = "r1", **fields: Any) -> dict[str, Any]:
    return {
        "id": resource_id, "name": {"fi": f"Huone {resource_id}"}, "type": {"id": "meeting_room", "name": {"fi": "Kokoustila"}},
        "unit": {"id": "u1", "name": {"fi": "Talo"}, "location": POINT, "street_address": {"fi": "Toinen linja 1"}},
        "people_capacity": 12, "min_period": "00:30:00", "max_period": "04:00:00", "reservable": True, **fields,
    }  # fmt: skip


def sports_place(number: Any = 1, code: int = 301, **fields: Any) -> dict[str, Any]:
    return {
        "sportsPlaceId": number, "name": f"Paikka {number}", "type": {"typeCode": code, "name": "x"}, "owner": "Kunta",
        "properties": {"toilet": True, "infoFi": "Laavu"},
        "location": {
            "coordinates": {"wgs84": {"lon": 24.951, "lat": 60.181}}, "postalCode": "00530", "postalOffice": "HELSINKI",
            "address": "Metsätie 1", "city": {"name": "Helsinki"}, "geometries": collection(feature(POINT)),
        },
        **fields,
    }  # fmt: skip


def test_the_real_resource_keeps_its_rules(session, city: City, shared_data: Path, import_file) -> None:
    report = import_file(shared_data / "api" / "respa_v1_resource_detail.json")
    assert (report.created, report.spaces, report.problems) == (1, 1, [])
    space, venue = session.scalars(select(Space)).one(), session.scalars(select(Venue)).one()
    assert (space.min_minutes, space.max_minutes, space.interval_minutes, space.horizon_days) == (
        30,
        240,
        30,
        50,
    )
    assert (space.kind, space.capacity, space.names["sv"]) == ("meeting_room", 12, "Mötesrum")
    assert (venue.streets["sv"], venue.lon, venue.postcode) == ("Brogatan 11", 24.6587777, "02770")
    assert session.scalar(select(Price.amount_minor)) == 10000
    told = " ".join(str(note) for note in report.notes)
    for text in (
        "hours of 1 single days",
        "4 reservations are not taken over",
        "from 0.00 to 100.00 an hour",
    ):
        assert text in told
    assert space.max_open_per_person == 4


def test_resources_of_one_unit_are_one_place(session, city: City, tmp_path: Path, import_file) -> None:
    rooms = [resource("a"), resource("b", need_manual_confirmation=True, public=False)]
    report = import_file(write(tmp_path / "a.json", {"results": rooms}))
    assert (report.created, report.spaces) == (1, 2)
    assert session.scalar(select(func.count()).select_from(SpaceUnit)) == 2
    states = session.execute(select(Space.state, Space.approval).order_by(Space.external_id)).all()
    assert [tuple(row) for row in states] == [("published", "instant"), ("draft", "handler")]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": None}, "id"),
        ({"name": {}}, "name"),
        ({"people_capacity": "many"}, "people_capacity"),
        ({"min_period": "soon"}, "min_period"),
        ({"slot_size": "00:07:00"}, "slot_size"),
        ({"max_price_per_hour": "-1"}, "max_price_per_hour"),
        ({"unit": "u1"}, "unit"),
        ({"location": {"type": "Point"}}, "location"),
        ({"purposes": {"a": 1}}, "purposes"),
        ({"id": "ok"}, "id"),
    ],
)
def test_a_broken_resource_does_not_take_its_unit_down(
    tmp_path: Path, import_file, fields: dict[str, Any], field: str
) -> None:
    report = import_file(write(tmp_path / "a.json", [resource("ok"), resource("x", **fields)]))
    assert (report.created, report.spaces, [problem.field for problem in report.problems]) == (1, 1, [field])


def test_a_fireplace_is_bookable_and_a_tower_is_a_draft(
    session, city: City, tmp_path: Path, import_file
) -> None:
    places = [
        sports_place(1),
        sports_place(2, 204),
        sports_place(3, 1999, name="Kalasataman kenttä", owner="Valtio"),
    ]
    report = import_file(write(tmp_path / "a.json", places))
    assert (report.created, report.problems) == (3, [])
    rows = session.execute(select(Space.kind, Space.state, Space.equipment).order_by(Space.id)).all()
    assert [tuple(row) for row in rows] == [
        ("barbecue_spot", "published", ["toilet"]),
        ("park", "draft", ["toilet"]),
        ("sports_field", "published", ["toilet"]),
    ]
    venue = session.scalar(select(Venue).where(Venue.external_id == "1"))
    assert (venue.streets, venue.locality, venue.lon) == ({"fi": "Metsätie 1"}, "Helsinki", 24.951)
    assert set(session.scalars(select(Organisation.name))) >= {"Helsingin kaupunki", "Valtio, Helsinki"}
    assert "1 places that no party holds alone" in str(report.notes[0])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sportsPlaceId": None}, "sportsPlaceId"),
        ({"sportsPlaceId": 1}, "id"),
        ({"name": " "}, "name"),
        ({"type": {}}, "type"),
        ({"location": []}, "location"),
        ({"location": {"geometries": collection(feature({"type": "Point", "coordinates": []}))}}, "geometry"),
        (
            {"location": {"geometries": collection(feature(POINT), feature({"type": "Nonsense"}))}},
            "geometries",
        ),
        ({"location": {"coordinates": {"wgs84": {"lon": 385497, "lat": 6672998}}}}, "location"),
    ],
)
def test_a_broken_sports_place_is_named_and_the_rest_stays(
    tmp_path: Path, import_file, fields: dict[str, Any], field: str
) -> None:
    report = import_file(
        write(tmp_path / "a.json", [sports_place(1), sports_place(2, **fields), sports_place(3)])
    )
    assert (report.created, [problem.field for problem in report.problems]) == (2, [field])


def test_all_real_sports_places_near_the_city(
    session, city: City, shared_data: Path, import_file, rows_written
) -> None:
    path = shared_data / "venues" / "lipas_sports_places.json.gz"
    report = import_file(path)
    assert report.created + len(report.problems) == 258
    assert {problem.field for problem in report.problems} == {"location"}
    in_helsinki = session.scalar(select(func.count()).select_from(Venue).where(Venue.locality == "Helsinki"))
    assert in_helsinki >= 50
    before = rows_written()
    assert import_file(path).unchanged == report.created
    assert rows_written() == before
