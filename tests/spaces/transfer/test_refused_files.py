"""Files that are too large, damaged, in another encoding, format or coordinate system: one sentence, nothing saved."""

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio.raw
import pytest
import shapely
from sqlalchemy import func, select

from marketplace.cities.models import City
from spaces.catalog.models import Venue
from spaces.transfer import geopackage, limits, tables
from spaces.transfer.documents import read_document
from spaces.transfer.errors import FileRefused
from spaces.transfer.formats import format_of
from tests.spaces.transfer.files import collection, feature, write


def refused(path: Path, asked: str | None = None) -> str:
    with pytest.raises(FileRefused) as refusal:
        format_of(read_document(path, metric_crs=3879), asked)
    return str(refusal.value)


def test_a_table_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,name_fi,lat\n1,Talo,60\n2,Töölö,60\n".encode("latin-1"))
    assert refused(path) == "a.csv is not UTF-8 text (line 3); save it as UTF-8."
    path.write_bytes("id,name_fi,lat\n1,Talo,60\n".encode("utf-16"))
    assert "is not UTF-8 text (line 1)" in refused(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name_fi,lat,lon\nTalo,60,24\n", "has no column place_id or id"),
        ("id,id,name\n1,2,a\n", "names the column 'id' twice"),
        (",,\n1,2,3\n", "names no columns"),
        ("id,name_fi\n", "holds no records"),
        ('id,name_fi,x\n1,"a"b,c\n', "is not CSV"),
        (
            "id,name_fi,x\n1," + "a" * (limits.MAX_CELL + 1) + ",c\n",
            "is not CSV: field larger than field limit",
        ),
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert reason in refused(path)


def test_a_row_with_too_many_cells_is_named(tmp_path: Path, import_file) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,name_fi,lat,lon\n1,Talo,60.181,24.951\n2,Koti,60,181,24,951\n", encoding="utf-8")
    report = import_file(path)
    assert report.created == 1
    assert str(report.problems[0]) == "row 3: record: has more cells than the first line has columns"


def test_too_many_rows_and_columns_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    path = tmp_path / "a.csv"
    path.write_text("id,name_fi,x\n" + "1,a,b\n" * 4, encoding="utf-8")
    assert refused(path) == "a.csv has more than 3 rows."
    path.write_text(",".join(f"c{n}" for n in range(400)) + "\n1\n", encoding="utf-8")
    assert refused(path) == "a.csv has more than 300 columns."


def test_a_format_that_is_another_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,name_fi,lat\n1,a,60\n", encoding="utf-8")
    assert (
        refused(path, "xlsx")
        == "a.csv is not an Excel workbook of places; it looks like CSV of places (--format csv)."
    )
    assert "is not GeoPackage of places" in refused(path, "geopackage")


def workbook(path: Path, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_a_workbook_is_read_with_numbers_as_ids(session, city: City, tmp_path: Path, import_file) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        ["ID", "Name FI", "lat", "lon", "capacity"],
        [8215.0, "Talo", 60.181, 24.951, 12],
        [None, None],
    )
    assert import_file(path).created == 1
    assert session.scalar(select(Venue.external_id)) == "8215"


def repacked(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The workbook with each part changed."""
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return path


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["id", "name_fi", "lat"], ["1", "a", 60])
    blank = b" " * (limits.MAX_WORKBOOK + limits.MB)
    repacked(path, lambda name, part: part + blank if name.endswith("sheet1.xml") else part)
    assert path.stat().st_size < limits.MB
    assert "a.xlsx unpacks to 201 MB in" in refused(path)


def test_a_workbook_with_many_parts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(limits.MAX_PARTS + 1):
            archive.writestr(f"{n}.xml", "")
    assert "in 1001 parts" in refused(path)


def test_a_sheet_that_claims_a_million_rows_is_read_as_it_is(tmp_path: Path, import_file) -> None:
    path = workbook(tmp_path / "a.xlsx", ["id", "name_fi", "lat", "lon"], ["1", "Talo", 60.181, 24.951])
    repacked(path, lambda name, part: part.replace(b'ref="A1:D2"', b'ref="A1:XFD1048576"'))
    assert import_file(path).created == 1


def test_a_row_far_down_is_not_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "a.xlsx", ["id", "name_fi", "lat", "lon"], ["1", "Talo", 60.181, 24.951])
    repacked(
        path,
        lambda name, part: part.replace(b'<row r="2"', b'<row r="1048570"').replace(
            b'r="A2"', b'r="A1048570"'
        ),
    )
    assert refused(path) == "a.xlsx has more than 200000 rows."


def test_entities_of_a_workbook_do_not_unfold(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["id", "name_fi", "lat"], ["1", "a", 60])
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    repacked(
        path,
        lambda name, part: (
            part.replace(b"<worksheet", f"{bomb}]><worksheet".encode(), 1).replace(
                b"<v>60</v>", b"<v>&j;</v>"
            )
            if name.endswith("sheet1.xml")
            else part
        ),
    )
    assert "is no workbook that can be read" in refused(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"\x00" * 200])
def test_a_damaged_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    assert "a.xlsx is a damaged workbook" in refused(path)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "a.zip is no workbook that can be read" in refused(path)


def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_UNPACKED", 3 * limits.MB)
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b" " * (4 * limits.MB)))
    assert refused(path) == "a.json.gz unpacks to more than 3 MB, from 4 KB; it is not read."


def test_a_large_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILE", limits.MB)
    path = tmp_path / "a.json"
    path.write_bytes(b" " * (2 * limits.MB))
    assert refused(path) == "a.json has 2 MB; files of more than 1 MB are not read."


def gpkg(
    path: Path, *points: tuple[float, float], crs: str | None = "EPSG:4326", layer: str = "places"
) -> Path:
    shapes = np.array([bytes(shapely.to_wkb(shapely.Point(point))) for point in points], dtype=object)
    fields = [np.array([str(n) for n in range(len(points))], dtype=object)] * 2
    pyogrio.raw.write(
        str(path), shapes, fields, ["id", "name"], layer=layer, driver="GPKG", geometry_type="Point", crs=crs,
        append=path.exists(),
    )  # fmt: skip
    return path


def test_a_geopackage_that_says_wgs84_and_is_not_is_refused(
    session, city: City, tmp_path: Path, import_file
) -> None:
    path = gpkg(tmp_path / "a.gpkg", (25497286, 6674238), (385497, 6672998))
    report = import_file(path)
    assert (report.read, [problem.field for problem in report.problems]) == (0, ["geometry", "geometry"])
    assert "it looks like EPSG:3879 (ETRS-GK25), while the file says WGS 84" in report.problems[0].reason
    assert "it looks like EPSG:3067 (ETRS-TM35FIN)" in report.problems[1].reason
    assert session.scalar(select(func.count()).select_from(Venue)) == 0


def test_the_same_in_geojson_is_refused(tmp_path: Path, import_file) -> None:
    points = [(25497286, 6674238), (6674238, 25497286), (385497, 6672998), (1, 91)]
    features = [
        feature({"type": "Point", "coordinates": list(point)}, id=n, name="A")
        for n, point in enumerate(points)
    ]
    report = import_file(write(tmp_path / "a.geojson", collection(*features)))
    assert report.read == 0
    reasons = [problem.reason for problem in report.problems]
    assert ["EPSG:3879" in reasons[0], "EPSG:3879" in reasons[1], "EPSG:3067" in reasons[2]] == [True] * 3


def test_a_geopackage_without_a_crs_or_with_several_layers_is_refused(tmp_path: Path) -> None:
    path = gpkg(tmp_path / "b.gpkg", (24.95, 60.18))
    gpkg(path, (24.95, 60.18), layer="others")
    assert refused(path) == "b.gpkg has 2 layers (others, places); name the one to read 'spaces'."
    path = gpkg(tmp_path / "a.gpkg", (24.95, 60.18))
    with sqlite3.connect(path) as base:
        base.execute("UPDATE gpkg_geometry_columns SET srs_id = -1")
    assert refused(path) == "a.gpkg: the layer 'places' names no coordinate reference system."


def test_a_geopackage_that_unfolds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geopackage, "MAX_STEPS", 2000)
    path = gpkg(tmp_path / "a.gpkg", (24.95, 60.18))
    with sqlite3.connect(path) as base:
        base.execute("ALTER TABLE places RENAME TO hidden")
        base.execute(
            "CREATE VIEW places AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)"
            " SELECT id, 'a' AS name, zeroblob(1000000) AS geom FROM n"
        )
    assert refused(path) == "a.gpkg: the layer 'places' is a view, not a table."
    with sqlite3.connect(path) as base:
        base.execute("DROP VIEW places")
        base.execute("CREATE TABLE places (id TEXT, geom BLOB, big BLOB AS (zeroblob(100000000)))")
        base.execute(
            "INSERT INTO places (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT i FROM n"
        )
    assert len(read_document(path, metric_crs=3879).data) == 9
    with sqlite3.connect(path) as base:
        base.execute(
            "INSERT INTO places (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500000) SELECT i FROM n"
        )
    assert refused(path) in {
        "a.gpkg has more than 200000 rows.",
        "a.gpkg is no GeoPackage that can be read: it takes too long to read.",
    }


@pytest.mark.parametrize("content", [b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_geopackage_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(content)
    assert "a.gpkg is" in refused(path)
    with sqlite3.connect(tmp_path / "b.gpkg") as base:
        base.execute("CREATE TABLE a (b)")
    assert "no such table: gpkg_contents" in refused(tmp_path / "b.gpkg")


def test_geometries_that_are_none_are_named(tmp_path: Path, import_file) -> None:
    path = gpkg(tmp_path / "a.gpkg", (24.95, 60.18), (24.95, 60.18), (24.95, 60.18))
    with sqlite3.connect(path) as base:
        for trigger in [
            row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ]:
            base.execute(f'DROP TRIGGER "{trigger}"')
        base.execute("UPDATE places SET geom = x'00' WHERE id = '1'")
        base.execute("UPDATE places SET geom = NULL WHERE id = '2'")
    report = import_file(path)
    assert report.created == 1
    assert [str(problem) for problem in report.problems] == [
        "record 2 (id 1): geometry: is no GeoPackage geometry",
        "record 3 (id 2): geometry: is missing",
    ]
