"""Harbours, piers and berths: 4,068 spaces of 41 places, each berth alone."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.cities.models import City
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from tests.spaces.transfer.files import write


def entry(model: str, pk: Any, **fields: Any) -> dict[str, Any]:
    return {"model": model, "pk": pk, "fields": fields}


def harbour(*berths: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """A harbour with a named pier, a nameless one, and the given berths."""
    place = {
        "servicemap_id": "41189",
        "zip_code": "00810",
        "municipality": "helsinki",
        "www_url": "",
        "phone": "",
    }
    return [
        entry(
            "resources.harbortranslation",
            1,
            language_code="fi",
            name="Satama",
            street_address="Ranta 1",
            master="h",
        ),
        entry(
            "resources.harbortranslation",
            2,
            language_code="sv",
            name="Hamnen",
            street_address="Stranden 1",
            master="h",
        ),
        entry("resources.harbor", "h", **{**place, "location": "SRID=4326;POINT (25.02 60.19)", **fields}),
        entry(
            "resources.pier",
            "p",
            identifier="C",
            harbor="h",
            electricity=True,
            water=False,
            lighting=True,
            gate=True,
        ),
        entry("resources.pier", "q", identifier="-", harbor="h", electricity=False),
        entry("resources.berthtype", "t", width="2.50", length="5.00", mooring_type=2, depth=None),
        *berths,
    ]


def berth(pk: str = "b", **fields: Any) -> dict[str, Any]:
    return entry(
        "resources.berth", pk, **{"number": "31", "pier": "p", "berth_type": "t", "is_active": True, **fields}
    )


def test_a_berth_is_a_unit_and_a_space_of_its_harbour(
    session, city: City, tmp_path: Path, import_file
) -> None:
    data = harbour(
        berth("b", number="10"), berth("a", number="2"), berth("c", number="1", pier="q", is_active=False)
    )
    report = import_file(write(tmp_path / "a.json", data))
    assert (report.created, report.spaces, report.problems) == (1, 3, [])
    venue = session.scalars(select(Venue)).one()
    assert (venue.names, venue.streets) == (
        {"fi": "Satama", "sv": "Hamnen"},
        {"fi": "Ranta 1", "sv": "Stranden 1"},
    )
    assert (venue.lon, venue.lat, venue.kind, venue.locality) == (25.02, 60.19, "berth", "Helsinki")
    spaces = session.scalars(select(Space).order_by(Space.id)).all()
    assert [space.names["fi"] for space in spaces] == [
        "Paikka 1",
        "Laituri C, paikka 2",
        "Laituri C, paikka 10",
    ]
    assert spaces[1].names["sv"] == "Brygga C, plats 2"
    assert spaces[1].descriptions["fi"] == "Leveys 2,5 m, pituus 5 m, aisapaikka. Laiturilla on portti."
    assert (spaces[1].equipment, spaces[1].area_m2) == (["electricity", "lighting"], 12.5)
    assert (spaces[1].whole_days, spaces[1].min_minutes, spaces[1].max_minutes) == (True, 1440, 184 * 1440)
    assert [space.state for space in spaces] == ["archived", "published", "published"]
    assert session.scalar(select(func.count()).select_from(Unit)) == 3
    assert session.scalar(select(func.count()).select_from(SpaceUnit)) == 3


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (berth(pier="x"), "pier"),
        (berth(berth_type="x"), "berth_type"),
        (berth(number=""), "number"),
        (berth(number=["1"]), "number"),
        (berth("ok"), "pk"),
        ({"model": "resources.berth", "pk": 7}, "fields"),
        ({"pk": 7, "fields": {}}, "model"),
        (7, "record"),
    ],
)
def test_a_broken_berth_does_not_take_its_harbour_down(
    tmp_path: Path, import_file, broken: Any, field: str
) -> None:
    report = import_file(write(tmp_path / "a.json", harbour(berth("ok"), broken)))
    assert (report.created, report.spaces, [problem.field for problem in report.problems]) == (1, 1, [field])


def test_a_harbour_in_another_crs_is_refused(tmp_path: Path, import_file) -> None:
    data = harbour(berth(), location="SRID=3879;POINT (25497286 6674238)")
    report = import_file(write(tmp_path / "a.json", data))
    assert [problem.field for problem in report.problems] == ["location"]


def test_all_berths_of_all_harbours(
    session, city: City, shared_data: Path, import_file, rows_written
) -> None:
    path = shared_data / "venues" / "berth_harbor_resources.json.gz"
    report = import_file(path)
    assert (report.created, report.spaces, report.problems) == (41, 4068, [])
    names = session.execute(
        select(Space.venue_id, Space.names["fi"].astext).where(Space.kind == "berth")
    ).all()
    assert len(set(names)) == len(names) == 4068
    assert session.scalar(select(func.count()).select_from(Unit)) == 4068
    before = rows_written()
    assert import_file(path).unchanged == 41
    assert rows_written() == before


def test_the_older_list_of_harbours_is_kept_as_drafts(
    session, city: City, shared_data: Path, import_file
) -> None:
    report = import_file(shared_data / "venues" / "berth_harbors.json.gz")
    assert (report.created, report.spaces, report.problems) == (51, 51, [])
    assert set(session.scalars(select(Space.state))) == {"draft"}
    assert session.scalar(select(func.max(Unit.lanes))) > 100
    assert "their single berths come with the inventory" in str(report.notes)
