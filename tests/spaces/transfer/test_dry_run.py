"""What an import would change is told before it happens, field by field, to people and to programs."""

import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.catalog.models import Venue
from tests.factories.cities import make_city
from tests.factories.spaces import make_space, make_venue
from tests.spaces.transfer.files import POINT, collection, feature, tprek_unit, write


def place(**fields: object) -> dict[str, object]:
    return feature(
        POINT, id=1, **{"name_fi": "Talo", "opens": "08:00", "closes": "20:00", "price": 10, **fields}
    )


def run(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["spaces", "import", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_each_field_is_told_with_what_was_and_will_be(
    session: Session, city: City, tmp_path: Path, import_file, rows_written
) -> None:
    import_file(write(tmp_path / "a.geojson", collection(place())))
    before = rows_written()
    changed = place(name_sv="Huset", opens="09:00", price=12, capacity=20)
    report = import_file(
        write(tmp_path / "a.geojson", collection(changed, {**place(), "properties": {"id": 2, "name": "B"}})),
        dry_run=True,
    )
    assert rows_written() == before
    told = {change.external_id: change for change in report.changes}
    assert [(one.field, one.old, one.new) for one in told["1"].changes] == [
        ("names.sv", None, "Huset"),
        ("units/whole/names.sv", None, "Huset"),
        ("spaces/whole/names.sv", None, "Huset"),
        ("spaces/whole/capacity", None, 20),
        ("spaces/whole/hours", "mo-su 08:00-20:00", "mo-su 09:00-20:00"),
        ("spaces/whole/price", "10.00 per hour, VAT standard", "12.00 per hour, VAT standard"),
    ]
    assert (told["1"].action, told["2"].action) == ("updated", "created")
    assert ("names.fi", None, "B") in [(one.field, one.old, one.new) for one in told["2"].changes]


def test_what_a_dry_run_tells_is_what_happens(session: Session, tmp_path: Path, import_file) -> None:
    import_file(write(tmp_path / "a.geojson", collection(place())))
    path = write(tmp_path / "a.geojson", collection(place(name_sv="Huset", price=0, capacity=9)))
    assert import_file(path, dry_run=True).updated == 1
    assert import_file(path).updated == 1
    report = import_file(path, dry_run=True, anew=True)
    assert (report.unchanged, report.changes) == (1, [])


def test_the_command_tells_it_as_text(app: Flask, session: Session, city: City, tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", collection(place()))
    assert "Created: geojson:a:1 Talo (record 1 (id 1))" in run(app, str(path), "--dry-run")
    assert session.scalar(select(func.count()).select_from(Venue)) == 0
    run(app, str(path))
    path = write(tmp_path / "a.geojson", collection(place(name_fi="Uusi nimi", capacity=20)))
    output = run(app, str(path), "--dry-run")
    assert "0 places would be created, 1 would be updated, 0 unchanged, 0 failed" in output
    assert "Updated: geojson:a:1 Uusi nimi (record 1 (id 1))" in output
    assert "    names.fi: “Talo” -> “Uusi nimi”" in output
    assert "    spaces/whole/capacity: nothing -> “20”" in output


def test_the_command_tells_it_as_json(app: Flask, session: Session, city: City, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [tprek_unit(1), tprek_unit(2, name_fi=None)])
    told = json.loads(run(app, str(path), "--dry-run", "--output", "json"))
    assert (told["format"], told["dry_run"], told["created"], told["unchanged"]) == ("tprek", True, 1, 0)
    (change,) = told["changes"]
    assert (change["action"], change["source"], change["id"]) == ("created", "tprek", "1")
    assert {"field": "names.fi", "old": None, "new": "Talo 1"} in change["fields"]
    assert told["problems"] == [
        {
            "where": "record 2 (id 2)",
            "field": "name_fi",
            "reason": "is missing, and so are the other languages",
        }
    ]


def test_all_or_nothing_writes_nothing(app: Flask, session: Session, city: City, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [tprek_unit(1), tprek_unit(2, name_fi=None)])
    result = app.test_cli_runner().invoke(args=["spaces", "import", str(path), "--all-or-nothing"])
    assert result.exit_code == 1
    assert (
        "a.json has 1 broken records, so nothing is written. The first is record 2 (id 2): name_fi"
        in result.output
    )
    assert session.scalar(select(func.count()).select_from(Venue)) == 0


def test_the_export_command_writes_a_file(app: Flask, session: Session, city: City, tmp_path: Path) -> None:
    make_space(session, make_venue(session, city))
    session.commit()
    path = tmp_path / "all.csv"
    result = app.test_cli_runner().invoke(args=["spaces", "export", str(path)])
    assert result.exit_code == 0, result.output
    assert "1 records of 1 places written to all.csv as CSV." in result.output
    assert "1 unchanged" in run(app, str(path), "--dry-run")
    assert [one.name for one in tmp_path.iterdir()] == ["all.csv"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("all.doc",), "What format is all.doc?"),
        (("nowhere/all.csv",), "There is no folder"),
        (("all.csv", "--source", "mars"), "There are no such places."),
        (("all.csv", "--city", "atlantis"), "There is no city 'atlantis'."),
    ],
)
def test_an_export_that_cannot_be_is_one_sentence(
    app: Flask, session: Session, city: City, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    path = tmp_path / arguments[0]
    result = app.test_cli_runner().invoke(args=["spaces", "export", str(path), *arguments[1:]])
    assert result.exit_code == 1
    assert reason in result.output
    assert not path.exists()


def test_another_citys_places_stay_there(
    app: Flask, session: Session, city: City, tmp_path: Path, import_file, export
) -> None:
    other = make_city(session, slug="turku")
    make_space(
        session, make_venue(session, other, source="geojson:a", external_id="1", names={"fi": "Turun talo"})
    )
    import_file(write(tmp_path / "a.geojson", collection(place())))
    names = session.scalars(select(Venue.names).where(Venue.city_id == other.id)).all()
    assert names == [{"fi": "Turun talo"}]
    assert "Turun talo" not in export("csv", "csv").read_text(encoding="utf-8-sig")
