"""What is wrong with a file or a record is said; the rest is taken in."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.cities.models import City
from spaces.catalog.models import Space, Venue
from spaces.transfer.documents import read_document
from spaces.transfer.errors import FileRefused
from spaces.transfer.formats import format_of
from tests.spaces.transfer.files import POINT, SQUARE, allu_row, collection, feature, room, tprek_unit, write


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        ('[{"name_fi": "Töölö"}]'.encode("latin-1"), r"not UTF-8 text \(line 1\)"),
        (b'{"a": 1,\n "b": }', r"not JSON: Expecting value at line 2, column 7"),
        (b"id;name\n1;a\n", "is not JSON"),
        (b"<gml/>", "is not JSON"),
        (b'"text"', "holds text, not records"),
        (b"[]", "holds no records"),
        (b'{"type": "FeatureCollection", "features": []}', "holds no records"),
        (b'[{"colour": "red"}]', "none of the known formats: csv, xlsx, geopackage, allu"),
        (b"[1, 2]", "none of the known formats"),
        (b"[" * 100_000, "not JSON|nested too deeply"),
        (b"\x1f\x8bnonsense", "cannot be read"),
    ],
)
def test_an_unreadable_file_is_one_sentence(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "places.json"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=reason):
        format_of(read_document(path, metric_crs=3879), None)


def test_a_format_that_is_another_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [tprek_unit()])
    with pytest.raises(
        FileRefused, match=r"not Allu fixed locations; it looks like TPREK v4 units \(--format tprek\)"
    ):
        format_of(read_document(path, metric_crs=3879), "allu")


def test_a_byte_order_mark_and_gzip_do_no_harm(tmp_path: Path, import_file) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps([tprek_unit()]).encode()))
    assert import_file(path).created == 1


BROKEN_UNITS = [
    (tprek_unit(None), "id"),
    (tprek_unit(2, name_fi=None), "name_fi"),
    (tprek_unit(3, latitude="north"), "latitude"),
    (tprek_unit(4, name_fi={"fi": "x"}), "name_fi"),
    (tprek_unit(5, latitude=24.951, longitude=60.181), "location"),
    (tprek_unit(6, longitude=None), "location"),
    (tprek_unit(7, accessibility_sentences="none"), "accessibility_sentences"),
    (tprek_unit(8, latitude=float("nan")), "latitude"),
    (tprek_unit(1), "id"),
    ("text", "record"),
    (None, "record"),
]


@pytest.mark.parametrize("at", range(len(BROKEN_UNITS)))
def test_a_broken_unit_is_named_and_the_rest_stays(tmp_path: Path, import_file, at: int) -> None:
    record, field = BROKEN_UNITS[at]
    report = import_file(write(tmp_path / "a.json", [tprek_unit(1), record, tprek_unit(9)]))
    assert (report.created, len(report.problems)) == (2, 1)
    (problem,) = report.problems
    assert problem.field == field
    assert problem.where.startswith("record 2")


BROKEN_FEATURES = [
    (feature(None, id=2, name="A"), "geometry"),
    (feature({"type": "Point", "coordinates": []}, id=2, name="A"), "geometry"),
    (feature({"type": "Polygon", "coordinates": [[]]}, id=2, name="A"), "geometry"),
    (feature({"type": "GeometryCollection", "geometries": []}, id=2, name="A"), "geometry"),
    (feature({"type": "Polygon", "coordinates": "x"}, id=2, name="A"), "geometry"),
    (feature({"type": "Nonsense"}, id=2, name="A"), "geometry"),
    (feature({"type": "Point", "coordinates": [25497000, 6674000]}, id=2, name="A"), "geometry"),
    (feature({"type": "Point", "coordinates": [60.18, 24.95]}, id=2, name="A"), "location"),
    (feature(POINT, id=2), "name"),
    (feature(POINT, name="A"), "id"),
    (feature(POINT, id=2, name="A", kind="castle"), "kind"),
    (feature(POINT, id=2, name="A", capacity=-3), "capacity"),
    (feature(POINT, id=2, name="A", capacity="many"), "capacity"),
    (feature(POINT, id=2, name="A", purposes=["war"]), "purposes"),
    (feature(POINT, id=2, name="A", equipment=7), "equipment"),
    (feature(POINT, id=2, name="A", price=-1), "price"),
    (feature(POINT, id=2, name="A", price=1, price_per="kilo"), "price"),
    (feature(POINT, id=2, name="A", opens="8", closes="late"), "closes"),
    (feature(POINT, id=2, name="A", opens="25:00", closes="26:00"), "opens"),
    (feature(POINT, id=2, name="A", approval="maybe"), "terms"),
    (feature(POINT, id=1, name="A"), "id"),
    ({"type": "Feature", "properties": None, "geometry": POINT}, "properties"),
    ({"type": "Polygon"}, "type"),
    (7, "type"),
]


@pytest.mark.parametrize("at", range(len(BROKEN_FEATURES)))
def test_a_broken_feature_is_named_and_the_rest_stays(tmp_path: Path, import_file, at: int) -> None:
    record, field = BROKEN_FEATURES[at]
    path = write(
        tmp_path / "a.geojson",
        collection(feature(POINT, id=1, name="A"), record, feature(POINT, id=9, name="B")),
    )
    report = import_file(path, "geojson")
    assert (report.created, [problem.field for problem in report.problems]) == (2, [field])
    assert report.problems[0].where.startswith("record 2")


BROKEN_ROOMS = [
    (room(2, name=None), "name"),
    (room(2, max_persons="a lot"), "max_persons"),
    (room(2, location="here"), "location"),
    (room(2, building=["x"]), "building"),
    (room(2, spaces={"id": 1}), "spaces"),
    (room(2, min_reservation_duration="soon"), "min_reservation_duration"),
    (room(2, reservation_start_interval="7"), "reservationStartInterval"),
    (room(1), "id"),
]


@pytest.mark.parametrize("at", range(len(BROKEN_ROOMS)))
def test_a_broken_room_does_not_take_its_building_down(tmp_path: Path, import_file, at: int) -> None:
    record, field = BROKEN_ROOMS[at]
    report = import_file(write(tmp_path / "a.json", [room(1), record, room(9)]))
    assert (report.created, report.spaces, [problem.field for problem in report.problems]) == (1, 2, [field])


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (allu_row(2, area_name=" "), "area_name"),
        (allu_row(2, application_kind=None), "application_kind"),
        (allu_row(2, prices={"a": 1}), "prices"),
        (allu_row(2, prices=[{"nature": "PUBLIC_FREE", "base_charge": None}]), "prices"),
        (allu_row(2, geometry={"type": "GeometryCollection", "geometries": []}), "geometry"),
        (allu_row(1), "id"),
    ],
)
def test_a_broken_row_does_not_take_its_area_down(
    tmp_path: Path, import_file, row: dict[str, Any], field: str
) -> None:
    report = import_file(
        write(tmp_path / "a.geojson", collection(allu_row(1), row, allu_row(9, section="B")))
    )
    assert (report.created, report.spaces, [problem.field for problem in report.problems]) == (1, 2, [field])


def test_what_the_database_refuses_does_not_stop_the_rest(
    session, tmp_path: Path, import_file, monkeypatch
) -> None:
    # The checks leave nothing for the database to refuse, so one of them is taken away.
    monkeypatch.setattr("spaces.transfer.actions.check", lambda listing: None)
    units = [
        feature(POINT, id=1, name="A"),
        feature(POINT, id=2, name="B", capacity=10**12),
        feature(POINT, id=3, name="C"),
    ]
    report = import_file(write(tmp_path / "a.geojson", collection(*units)))
    assert (report.created, report.spaces) == (2, 2)
    (problem,) = report.problems
    assert problem.where == "record 2 (id 2)"
    assert problem.reason.endswith("is out of range for type integer")
    assert session.scalar(select(func.count()).select_from(Space)) == 2


def test_control_characters_are_left_out(session, tmp_path: Path, import_file) -> None:
    import_file(write(tmp_path / "a.json", [tprek_unit(1, name_fi="Ta\u0000lo\u00ad\u0007")]))
    assert session.scalar(select(Venue.names)) == {"fi": "Talo"}


def test_the_command_lists_what_failed_and_exits_with_nothing_wrong(
    app: Flask, session, city: City, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.json", [tprek_unit(1), tprek_unit(2, name_fi=None)])
    result = app.test_cli_runner().invoke(args=["spaces", "import", str(path), "--owner", "Omistaja ry"])
    assert result.exit_code == 0, result.output
    assert "TPREK v4 units: 1 places created, 0 updated, 0 unchanged, 1 failed; 1 spaces." in result.output
    assert (
        "1 spaces have no opening hours in the source; the default is every day, 8.00 to 22.00."
        in result.output
    )
    assert "The organisation “Omistaja ry” is new." in result.output
    assert "Failed: record 2 (id 2): name_fi: is missing, and so are the other languages" in result.output


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[]", "holds no records"),
        ('[{"id": 1, "org_id": 1, "name_sv": ""}]', "Nothing of a.json could be read"),
    ],
)
def test_the_command_fails_when_nothing_can_be_read(
    app: Flask, city: City, tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    result = app.test_cli_runner().invoke(args=["spaces", "import", str(path)])
    assert result.exit_code == 1
    assert reason in result.output
    assert "Traceback" not in result.output


def test_an_unknown_city_is_said(app: Flask, tmp_path: Path, session) -> None:
    path = write(tmp_path / "a.geojson", collection(feature(SQUARE, id=1, name="A")))
    result = app.test_cli_runner().invoke(args=["spaces", "import", str(path), "--city", "atlantis"])
    assert result.exit_code == 1
    assert "There is no city 'atlantis'." in result.output
