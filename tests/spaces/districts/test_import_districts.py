"""`flask districts import`: files of polygons become districts, once."""

import gzip
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.accounts.actor import system
from marketplace.cities.models import City
from spaces.districts.actions import store_districts
from spaces.districts.errors import AreasRefused
from spaces.districts.frames import Fields, checked_districts, districts_of_points, read_areas
from spaces.districts.models import District, HomeDistrict
from spaces.districts.names import place_name
from spaces.districts.queries import district_frame, district_of_point
from tests.factories.districts import make_district
from tests.factories.people import make_person

SQUARE = [[[24.94, 60.17], [24.96, 60.17], [24.96, 60.19], [24.94, 60.19], [24.94, 60.17]]]
NEXT = [[[24.96, 60.17], [24.98, 60.17], [24.98, 60.19], [24.96, 60.19], [24.96, 60.17]]]
BOW_TIE = [[[24.94, 60.17], [24.96, 60.19], [24.96, 60.17], [24.94, 60.19], [24.94, 60.17]]]
GML = """<?xml version="1.0" encoding="UTF-8"?>
<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:a="urn:a">
<gml:featureMember><a:Osa fid="Osa.1"><a:tunnus>01        </a:tunnus><a:nimi_fi>KALLIO          </a:nimi_fi>
<a:nimi_se>BERGHÄLL        </a:nimi_se><a:geom><gml:Polygon srsName="EPSG:3879"><gml:outerBoundaryIs><gml:LinearRing>
<gml:coordinates decimal="." cs="," ts=" ">25497000,6674000 25498000,6674000 25498000,6675000 25497000,6675000 25497000,6674000</gml:coordinates>
</gml:LinearRing></gml:outerBoundaryIs></gml:Polygon></a:geom></a:Osa></gml:featureMember></wfs:FeatureCollection>
"""


def feature(code: object, name: str | None, coordinates: object, kind: str = "Polygon") -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"tunnus": code, "nimi_fi": name, "nimi_se": None},
        "geometry": None if coordinates is None else {"type": kind, "coordinates": coordinates},
    }


def write(path: Path, *features: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def checked(path: Path, crs: str | None = None, **columns: str) -> tuple[gpd.GeoDataFrame, list[str]]:
    return checked_districts(read_areas(path, crs=crs), Fields(**columns), metric_crs=3879)


def import_file(session, city: City, path: Path, **options):
    frame, _ = checked(path)
    return store_districts(
        session, city, frame, source=path.name, actor=system(city.id, "command"), **options
    )


def written(session: Session) -> Any:
    session.flush()
    return session.scalar(
        text("SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables")
    )


def test_a_gml_in_the_metric_crs_with_padded_names_is_read(tmp_path: Path) -> None:
    path = tmp_path / "osat.gml.gz"
    path.write_bytes(gzip.compress(GML.encode()))
    frame, notes = checked(path)
    assert list(frame.index) == ["01"]
    assert frame.names["01"] == {"fi": "Kallio", "sv": "Berghäll"}
    assert notes == []
    assert frame.geometry["01"].contains(shapely.Point(24.955, 60.184))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["osat.gml.gz"], "nothing is written beside the file"


def test_a_geopackage_is_read(tmp_path: Path) -> None:
    path = tmp_path / "osat.gpkg"
    frame = gpd.GeoDataFrame(
        {"tunnus": ["01"], "nimi_fi": ["ETU-TÖÖLÖ"], "nimi_se": ["FRÄMRE TÖLÖ"]},
        geometry=[shapely.Polygon(SQUARE[0])],
        crs="EPSG:4326",
    )
    frame.to_crs(3067).to_file(path, driver="GPKG")
    found, _ = checked(path)
    assert found.names["01"] == {"fi": "Etu-Töölö", "sv": "Främre Tölö"}
    assert found.geometry["01"].symmetric_difference(shapely.Polygon(SQUARE[0])).area < 1e-9


def test_a_broken_outline_is_repaired_and_said_so(tmp_path: Path) -> None:
    frame, notes = checked(write(tmp_path / "a.geojson", feature("1", "A", BOW_TIE)))
    assert frame.geometry["1"].is_valid
    assert len(notes) == 1
    assert notes[0].startswith("1: the outline was repaired")


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ([feature("1", "A", SQUARE), feature("1", "B", NEXT)], "'1' repeats"),
        ([feature("1", "A", SQUARE), feature(None, "B", NEXT)], "Feature 2 has no 'tunnus'"),
        ([feature("1", "A", None)], "no outline"),
        ([feature("1", None, SQUARE)], "has no name"),
        ([feature("1", "A", [24.9, 60.2], "Point")], "is no area"),
        ([feature("1", "A", [[[y, x] for x, y in SQUARE[0]]])], "x and y swapped"),
        ([], "holds no areas"),
    ],
)
def test_an_unusable_file_is_refused_as_a_whole(
    tmp_path: Path, features: list[dict[str, Any]], reason: str
) -> None:
    with pytest.raises(AreasRefused, match=reason):
        checked(write(tmp_path / "a.geojson", *features))


def test_a_missing_column_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(AreasRefused, match=r"no column 'koodi'; the file has: tunnus, nimi_fi, nimi_se"):
        checked(write(tmp_path / "a.geojson", feature("1", "A", SQUARE)), code="koodi")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "a.geojson",
            '{"type":"FeatureCollection","name":"Töölö"}'.encode("latin-1"),
            r"not UTF-8 text \(line 1\)",
        ),
        ("a.geojson", b"", "is empty"),
        ("a.geojson", b"tunnus;nimi\n1;A\n", "no GeoJSON, GeoPackage or GML"),
        ("a.geojson.gz", b"not gzip", "cannot be read"),
        ("a.gpkg", b"nonsense", "no GeoJSON, GeoPackage or GML"),
    ],
)
def test_a_wrong_file_is_one_clear_sentence(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AreasRefused, match=reason):
        read_areas(tmp_path / name)


def test_an_unknown_crs_must_be_given(tmp_path: Path) -> None:
    path = tmp_path / "osat.gml"
    path.write_text(GML.replace(' srsName="EPSG:3879"', ""), encoding="utf-8")
    with pytest.raises(AreasRefused, match="give it with --crs"):
        read_areas(path)
    frame, _ = checked(path, crs="EPSG:3879")
    assert frame.geometry["01"].contains(shapely.Point(24.955, 60.184))
    with pytest.raises(AreasRefused, match="no coordinate reference system"):
        read_areas(path, crs="EPSG:nonsense")


def test_a_second_import_writes_nothing(session, city: City, tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", feature("1", "A", SQUARE), feature("2", "B", NEXT))
    assert import_file(session, city, path).created == 2
    session.expire_all()
    before = written(session)
    stored = import_file(session, city, path)
    assert (stored.created, stored.updated, stored.unchanged) == (0, 0, 2)
    assert written(session) == before


def test_a_changed_name_updates_only_that_district(session, city: City, tmp_path: Path) -> None:
    import_file(
        session, city, write(tmp_path / "a.geojson", feature("1", "A", SQUARE), feature("2", "B", NEXT))
    )
    stored = import_file(
        session, city, write(tmp_path / "a.geojson", feature("1", "A", SQUARE), feature("2", "C", NEXT))
    )
    assert (stored.created, stored.updated, stored.unchanged) == (0, 1, 1)


def test_pruning_moves_people_to_the_district_around_them(session, city: City, tmp_path: Path) -> None:
    old = make_district(session, city, at=(24.95, 60.18), half=0.002)
    person = make_person(session, city)
    session.add(HomeDistrict(city_id=city.id, person_id=person.id, district_id=old.id))
    session.flush()
    path = write(tmp_path / "a.geojson", feature("1", "A", SQUARE))
    assert import_file(session, city, path).kept == 1
    assert import_file(session, city, path, prune=True).removed == 1
    session.expire_all()
    (district,) = session.scalars(select(District).where(District.city_id == city.id))
    assert session.get(HomeDistrict, (city.id, person.id)).district_id == district.id


def test_outlines_are_simple_and_rounded(session, city: City, tmp_path: Path) -> None:
    wavy = [[24.94 + 0.0002 * n, 60.17 + (0.00002 if n % 2 else 0)] for n in range(100)]
    ring = [*wavy, [24.96, 60.19], [24.94, 60.19], wavy[0]]
    import_file(session, city, write(tmp_path / "a.geojson", feature("1", "A", [ring])))
    district = session.scalar(select(District).where(District.city_id == city.id))
    (outline,) = district.outline["coordinates"]
    assert len(outline) < 12
    assert all(round(value, 5) == value for point in outline for value in point)
    assert shapely.from_wkb(district.geometry).contains(shapely.Point(district.lon, district.lat))


def test_the_command_reports_and_exits(app: Flask, session, city: City, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    path = write(tmp_path / "a.geojson", feature("1", "A", SQUARE))
    result = runner.invoke(args=["districts", "import", str(path)])
    assert result.exit_code == 0, result.output
    assert "1 created, 0 updated, 0 unchanged" in result.output
    again = runner.invoke(args=["districts", "import", str(path)])
    assert "0 created, 0 updated, 1 unchanged" in again.output
    bad = runner.invoke(args=["districts", "import", str(path), "--code-field", "koodi"])
    assert bad.exit_code == 1
    assert "There is no column 'koodi'" in bad.output
    assert "Traceback" not in bad.output


def test_the_real_districts_agree_between_their_two_formats(shared_data: Path) -> None:
    new, _ = checked(shared_data / "areas" / "helsinki_kaupunginosat.geojson")
    old, _ = checked(shared_data / "areas" / "helsinki_kaupunginosat_wfs_epsg3879.gml.gz")
    assert len(new) == len(old) == 60
    assert new.names["11"] == old.names["11"] == {"fi": "Kallio", "sv": "Berghäll"}
    assert new.names["19"]["fi"] == "Mustikkamaa-Korkeasaari"
    shared = new.geometry["11"].intersection(old.geometry["11"]).area
    assert shared / new.geometry["11"].area > 0.95


def test_codes_that_repeat_in_the_real_small_areas_are_refused(shared_data: Path) -> None:
    path = shared_data / "areas" / "helsinki_pienalueet.geojson.gz"
    with pytest.raises(AreasRefused, match="must be unique"):
        checked(path, fi="osaalue_nimi_fi", sv="osaalue_nimi_se")


def test_every_real_area_file_can_be_stored(session, city: City, shared_data: Path) -> None:
    for name, count, columns in (
        ("helsinki_osa_alueet.geojson.gz", 148, {}),
        ("helsinki_peruspiirit.geojson.gz", 34, {}),
        ("helsinki_suurpiirit.geojson.gz", 8, {}),
        ("helsinki_postinumerot_2023.geojson", 84, {"code": "posno", "fi": "nimi", "sv": "namn"}),
    ):
        frame, _ = checked(shared_data / "areas" / name, **columns)
        stored = store_districts(
            session, city, frame, kind=name.split(".")[0], source=name, actor=system(city.id, "command")
        )
        assert stored.created == count


def test_a_point_finds_its_district_or_the_nearest(session, city: City) -> None:
    kallio = make_district(session, city, at=(24.95, 60.18), half=0.01)
    session.flush()
    assert district_of_point(session, city, 24.951, 60.181) == kallio
    assert district_of_point(session, city, 24.965, 60.18) == kallio, "280 m outside"
    assert district_of_point(session, city, 25.0, 60.18) is None, "2 km outside"
    frame = district_frame(session, city.id)
    points = [(24.951, 60.181), (24.965, 60.18), (25.0, 60.18)]
    assert districts_of_points(frame, points, metric_crs=3879) == [kallio.id, kallio.id, None]
    assert districts_of_points(frame.iloc[:0], points, metric_crs=3879) == [None, None, None]


@pytest.mark.parametrize(
    ("written_as", "name"),
    [
        ("KALLIO      ", "Kallio"),
        ("ETU-TÖÖLÖ", "Etu-Töölö"),
        ("Käpylä", "Käpylä"),
        ("VANHA  MUNKKINIEMI", "Vanha Munkkiniemi"),
    ],
)
def test_names_of_registers_are_made_fit_to_read(written_as: str, name: str) -> None:
    assert place_name(written_as) == name
