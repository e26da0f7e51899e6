"""Our own columns: what goes out comes back unchanged, what is changed in a table is changed here and nothing else."""

import csv
import io
import json
from datetime import date, time
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pytest
import shapely
from arro3.io import read_parquet
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry, Organisation
from marketplace.cities.models import City
from marketplace.spreadsheets import harmless
from spaces.calendar.models import OpeningException, OpeningRule
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.pricing.models import Price
from spaces.transfer.cells import joined, original, parts
from spaces.transfer.columns import AREA, COLUMNS
from spaces.transfer.hours_text import exceptions_text, hours_text, read_exceptions, read_hours
from spaces.transfer.listing import EVERY_DAY, Exceptional, Hours
from tests.factories.spaces import make_space, make_unit, make_venue
from tests.spaces.transfer.files import POINT, SQUARE, allu_row, collection, feature, room, tprek_unit, write

FORMULA = '=HYPERLINK("http://example.org";"Kallio")'


def make_hall(session: Session, city: City) -> Venue:
    """A hall of two halves with every kind of thing that a table must carry."""
    shape = shapely.Polygon([(24.95, 60.18), (24.952, 60.18), (24.952, 60.1812345678901), (24.95, 60.181)])
    venue = make_venue(
        session, city, at=(24.951234567890123, 60.18123456789012),
        names={"fi": FORMULA, "sv": "'citat", "en": "''quoted"}, area=bytes(shapely.to_wkb(shape)),
        accessibility=["lift", "induction_loop"], phone="+358 9 310 1", postcode="00530", locality="Helsinki",
        source="test", external_id="-7;a", streets={"fi": "Toinen linja 1", "sv": "Andra linjen 1"},
    )  # fmt: skip
    left, right = make_unit(session, venue, lanes=3), make_unit(session, venue)
    left.names, right.names = {"fi": "Vasen; puoli", "sv": "Vänster"}, {"fi": "Oikea \\ puoli"}
    whole = make_space(
        session, venue, units=[left, right], names={"fi": "Iso <b>sali</b>"}, price=("hour", 1999),
        descriptions={"fi": 'Rivi\nToinen\t"lainaus", pilkku; puolipiste', "en": "@SUM(A1)"}, area_m2=123.456,
        purposes=["party", "meeting"], equipment=["chairs"], external_id="1", horizon_days=90,
        who="verified", approval="trusted", max_open_per_person=2, max_open_per_organisation=4, quota_hours=6,
        quota_period="month", min_age=18, max_age=65, attendees_min=2, attendees_max=30,
    )  # fmt: skip
    make_space(
        session,
        venue,
        units=[left],
        external_id="2",
        price=("free", 0),
        hours=None,
        state="draft",
        capacity=None,
    )
    session.add_all(
        [
            OpeningRule(
                city_id=city.id, space_id=whole.id, days=[5], opens=time(18), closes=time(2), weeks="odd",
                state="self_service", valid_from=date(2026, 6, 1), valid_to=date(2026, 8, 31), priority=1,
            ),
            OpeningException(
                city_id=city.id, space_id=whole.id, first_day=date(2026, 12, 24), last_day=date(2026, 12, 26),
                reasons={"fi": "Joulu; kiinni", "sv": "Jul"},
            ),
            Price(city_id=city.id, space_id=whole.id, valid_from=date(2021, 1, 1), per="day", amount_minor=10001),
        ]
    )  # fmt: skip
    session.flush()
    return venue


FORMATS = [("csv", "csv"), ("xlsx", "xlsx"), ("geojson", "geojson"), ("geopackage", "gpkg")]


@pytest.mark.parametrize(("name", "ending"), FORMATS)
def test_an_export_comes_back_unchanged(
    session, city: City, tmp_path: Path, import_file, export, rows_written, name: str, ending: str
) -> None:
    make_hall(session, city)
    import_file(write(tmp_path / "a.json", [tprek_unit(1), tprek_unit(2, latitude=None, longitude=None)]))
    import_file(write(tmp_path / "b.json", [room(1), room(2, spaces=[{"id": 4, "name": "Sali"}])]))
    import_file(write(tmp_path / "c.geojson", collection(allu_row(1), allu_row(2, section="B"))))
    import_file(write(tmp_path / "d.geojson", collection(feature(SQUARE, id=1, name="A", price=5))))
    path = export(name, ending)
    before = rows_written()
    report = import_file(path)
    assert report.problems == []
    assert (report.created, report.updated, report.unchanged) == (0, 0, 6)
    assert rows_written() == before


@pytest.mark.parametrize(("name", "ending"), FORMATS)
def test_an_export_fills_an_empty_city(
    session, city: City, import_file, export, name: str, ending: str
) -> None:
    """The same places elsewhere: all that the table says is stored."""
    make_hall(session, city)
    path = export(name, ending)
    for model in (SpaceUnit, Space, Unit, Venue):
        session.execute(delete(model))
    session.expire_all()
    report = import_file(path)
    assert (report.created, report.spaces, report.problems) == (1, 2, [])
    stored = session.scalars(select(Venue)).one()
    assert (stored.names, stored.external_id, stored.phone) == (
        {"fi": FORMULA, "sv": "'citat", "en": "''quoted"},
        "-7;a",
        "+358 9 310 1",
    )
    assert shapely.from_wkb(bytes(stored.area)).area > 0
    whole, half = session.scalars(select(Space).order_by(Space.external_id)).all()
    assert whole.descriptions["en"] == "@SUM(A1)"
    assert whole.names == {"fi": "Iso <b>sali</b>"}
    assert (whole.area_m2, whole.horizon_days, half.state, half.capacity) == (123.456, 90, "draft", None)
    assert (whole.who, whole.approval, whole.quota_hours, whole.quota_period) == (
        "verified",
        "trusted",
        6,
        "month",
    )
    assert (whole.max_open_per_person, whole.max_open_per_organisation) == (2, 4)
    assert (whole.min_age, whole.max_age, whole.attendees_min, whole.attendees_max) == (18, 65, 2, 30)
    assert (half.who, half.quota_hours, half.quota_period, half.min_age) == ("anyone", None, "week", None)
    units = session.scalars(select(Unit).order_by(Unit.external_id)).all()
    assert sorted(unit.lanes for unit in units) == [1, 3]
    assert {"fi": "Vasen; puoli", "sv": "Vänster"} in [unit.names for unit in units]
    rules = session.scalars(select(OpeningRule).where(OpeningRule.space_id == whole.id)).all()
    assert {(rule.weeks, rule.state, rule.priority) for rule in rules} == {
        ("all", "open", 0),
        ("odd", "self_service", 1),
    }
    assert session.scalar(select(OpeningRule).where(OpeningRule.space_id == half.id)) is None
    reasons = session.scalar(select(OpeningException.reasons))
    assert reasons == {"fi": "Joulu; kiinni", "sv": "Jul"}
    assert session.scalar(select(Price.amount_minor).where(Price.space_id == whole.id)) == 10001


def test_nothing_in_a_table_is_a_formula(session, city: City, export) -> None:
    make_hall(session, city)
    with export("csv", "csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            numbers = {"lon", "lat", "area_m2", "price", "capacity"}
            assert [
                cell for name, cell in row.items() if cell[:1] in {*"=+-@\t\r"} and name not in numbers
            ] == []
            assert row["place_name_fi"] == f"'{FORMULA}"
            assert row["phone"] == "'+358 9 310 1"
    sheet = openpyxl.load_workbook(export("xlsx", "xlsx"))["spaces"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert [cell.value for cell in cells if str(cell.value)[:1] in "=+@"] == []


@given(st.text())
def test_a_text_comes_back_from_a_cell(text: str) -> None:
    assert original(harmless(text)) == text
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.lists(st.text().map(str.strip).filter(bool)))
def test_a_list_comes_back_from_a_cell(values: list[str]) -> None:
    assert parts(joined(values)) == values


clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
weekly = st.builds(
    Hours,
    st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(lambda found: tuple(sorted(found))),
    clocks,
    clocks,
    st.none() | days,
    st.none() | days,
    st.sampled_from(["all", "odd", "even"]),
    st.none() | st.sampled_from([1, 2, 5, -1, -5]),
    st.sampled_from(["open", "self_service", "staff_only", "closed"]),
    st.integers(0, 100),
)


@given(st.lists(weekly, max_size=5).map(tuple))
def test_hours_come_back_from_a_cell(hours: tuple[Hours, ...]) -> None:
    assert read_hours(hours_text(hours)) == hours


@given(
    st.lists(
        st.builds(
            lambda first, last, times, reasons: Exceptional(
                min(first, last),
                max(first, last),
                times[0] if times else None,
                times[1] if times else None,
                reasons=reasons,
            ),
            days,
            days,
            st.none() | st.tuples(clocks, clocks),
            st.dictionaries(
                st.sampled_from(["fi", "sv"]), st.text("abcåäö;\\= ", min_size=1).map(str.strip).filter(bool)
            ),
        ),
        max_size=4,
    ).map(tuple)
)
def test_exceptions_come_back_from_a_cell(exceptions: tuple[Exceptional, ...]) -> None:
    assert read_exceptions(exceptions_text(exceptions)) == exceptions


def test_hours_read_as_people_write_them() -> None:
    hours = read_hours("mo-fr 8:00-22:00; sa,su 10.00–18.00\n2026-06-01.. 00:00-24:00 priority=2")
    assert hours == (
        Hours((1, 2, 3, 4, 5), time(8), time(22)),
        Hours((6, 7), time(10), time(18)),
        Hours(EVERY_DAY, time(0), time(0), date(2026, 6, 1), priority=2),
    )
    assert (
        hours_text(hours) == "mo-fr 08:00-22:00; sa,su 10:00-18:00; 2026-06-01.. mo-su 00:00-24:00 priority=2"
    )
    assert read_hours("sa-mo 10:00-12:00") == (Hours((1, 6, 7), time(10), time(12)),)
    assert read_hours("never") == ()
    assert read_hours("  ") is None


def table(path: Path, *rows: dict[str, Any], delimiter: str = ",") -> Path:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_simple_list_is_enough(session, tmp_path: Path, import_file, delimiter: str) -> None:
    row = {"id": 5, "name": "Koulun sali", "lat": "60,181" if delimiter != "," else 60.181, "lon": 24.951}
    more = {"hours": "mo-fr 16:00-22:00", "price": "12.50", "capacity": 30, "street": "Toinen linja 1"}
    report = import_file(table(tmp_path / "salit.csv", {**row, **more}, delimiter=delimiter))
    assert (report.created, report.problems, report.notes) == (1, [], [])
    venue, space = session.scalars(select(Venue)).one(), session.scalars(select(Space)).one()
    assert (venue.source, venue.external_id, venue.lat) == ("list:salit", "5", 60.181)
    assert (space.kind, space.capacity, space.external_id) == ("school_hall", 30, "whole")
    assert session.scalar(select(Price.amount_minor)) == 1250


def test_a_column_that_is_absent_changes_nothing(session, city: City, tmp_path: Path, import_file) -> None:
    venue = make_hall(session, city)
    row = {"place_source": "test", "place_id": "'-7;a", "space_id": "1", "capacity": 55}
    report = import_file(table(tmp_path / "a.csv", row))
    assert (report.updated, report.problems) == (1, [])
    session.refresh(venue)
    space = session.scalar(select(Space).where(Space.external_id == "1"))
    assert (space.capacity, space.names, space.purposes) == (
        55,
        {"fi": "Iso <b>sali</b>"},
        ["party", "meeting"],
    )
    assert (venue.phone, venue.names["sv"], venue.area is not None) == ("+358 9 310 1", "'citat", True)
    assert len(session.scalars(select(OpeningRule)).all()) == 2
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "venue.imported")).one()
    assert entry.details["before"] == {"spaces/1/capacity": 40}
    assert entry.details["after"] == {"spaces/1/capacity": 55}
    owner = session.get(Organisation, (city.id, venue.owner_id))
    assert owner.name.startswith("Owner")


def test_an_owner_named_on_the_command_line_wins(session, city: City, tmp_path: Path, import_file) -> None:
    venue = make_hall(session, city)
    row = {"place_source": "test", "place_id": "'-7;a", "space_id": "1"}
    assert import_file(table(tmp_path / "a.csv", row)).unchanged == 1
    assert import_file(table(tmp_path / "a.csv", row), owner="Uusi ry").updated == 1
    session.refresh(venue)
    assert session.get(Organisation, (city.id, venue.owner_id)).name == "Uusi ry"


def test_control_characters_do_not_stop_an_export(session, city: City, export, import_file) -> None:
    venue = make_hall(session, city)
    venue.phone, venue.names = "09\x0b310", {"fi": "Ta\x07lo"}
    for name, ending in FORMATS:
        assert import_file(export(name, ending)).problems == []


def test_an_empty_cell_empties_a_text_and_keeps_hours_and_prices(
    session, city: City, tmp_path: Path, import_file
) -> None:
    make_hall(session, city)
    row = {
        "place_source": "test", "place_id": "'-7;a", "space_id": "1", "phone": "", "hours": "", "price": "", "price_per": "",
        "description_fi": "", "description_en": "New",
    }  # fmt: skip
    assert import_file(table(tmp_path / "a.csv", row)).updated == 1
    space = session.scalar(select(Space).where(Space.external_id == "1"))
    assert space.descriptions == {"en": "New"}
    assert session.scalar(select(Venue.phone)) is None
    assert len(session.scalars(select(OpeningRule)).all()) == 2
    assert len(session.scalars(select(Price).where(Price.space_id == space.id)).all()) == 2


def test_a_table_may_take_a_step_of_state_that_an_owner_may(
    session, city: City, tmp_path: Path, import_file
) -> None:
    make_hall(session, city)
    rows = [
        {"place_source": "test", "place_id": "'-7;a", "space_id": n, "state": state}
        for n, state in (("1", "draft"), ("2", "published"))
    ]
    report = import_file(table(tmp_path / "a.csv", *rows))
    assert [note.text for note in report.notes] == [
        "space 1 stays published; it cannot become draft from there"
    ]
    states = session.execute(select(Space.external_id, Space.state).order_by(Space.external_id)).all()
    assert [tuple(row) for row in states] == [("1", "published"), ("2", "published")]


@pytest.mark.parametrize("state", ["hidden", "archived", "draft"])
def test_a_register_does_not_show_again_what_an_owner_took_away(
    session, tmp_path: Path, import_file, state: str
) -> None:
    import_file(write(tmp_path / "a.json", [tprek_unit(1)]))
    session.scalars(select(Space)).one().state = state
    session.flush()
    import_file(write(tmp_path / "a.json", [tprek_unit(1, name_fi="Uusi")]))
    space = session.scalars(select(Space)).one()
    assert (space.names["fi"], space.state) == ("Uusi", "published" if state == "archived" else state)


def test_anew_takes_back_what_an_owner_changed(session, tmp_path: Path, import_file) -> None:
    path = write(tmp_path / "a.json", [tprek_unit(1)])
    import_file(path)
    session.scalars(select(Space)).one().capacity = 7
    session.flush()
    assert import_file(path).unchanged == 1
    assert session.scalar(select(Space.capacity)) == 7
    assert import_file(path, anew=True).updated == 1
    assert session.scalar(select(Space.capacity)) is None


GOOD = {"id": "1", "name_fi": "A", "lat": 60.181, "lon": 24.951}


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"id": ""}, "place_id"),
        ({"name_fi": ""}, "name"),
        ({"kind": "castle"}, "kind"),
        ({"capacity": "many"}, "capacity"),
        ({"min_minutes": "1.5"}, "min_minutes"),
        ({"whole_days": "perhaps"}, "whole_days"),
        ({"hours": "monday 8-16"}, "hours"),
        ({"hours": "mo-fr 08:00-16:00 colour=red"}, "hours"),
        ({"hours": "mo 08:00-16:00 nth=9"}, "hours"),
        ({"hours": "2026-06-01..2026-08-31 mo 8:00-9:00; 2026-08-01.. mo 9:00-10:00"}, "hours"),
        ({"hours": "mo 08:00-16:00; 2026-06-01.. mo 8:00-9:00"}, "hours"),
        ({"exceptions": "2026-12-24"}, "exceptions"),
        ({"exceptions": "2026-12-26..2026-12-24 closed"}, "exceptions"),
        ({"exceptions": "2026-13-24 closed"}, "exceptions"),
        ({"price": "-1"}, "price"),
        ({"price": "1", "price_per": "kilo"}, "price"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"area_wkt": "POLYGON nonsense"}, "area_wkt"),
        ({"units": "a; b", "unit_lanes": "1"}, "unit_lanes"),
        ({"unit_lanes": "x"}, "unit_lanes"),
        ({"state": "gone"}, "state"),
        ({"approval": "maybe"}, "terms"),
        ({"who": "kings"}, "terms"),
        ({"max_open_per_person": "0"}, "max_open_per_person"),
        ({"quota_hours": "-1"}, "quota_hours"),
        ({"quota_period": "year"}, "quota_period"),
        ({"min_age": "200"}, "min_age"),
        ({"min_age": "30", "max_age": "18"}, "max_age"),
        ({"attendees_min": "5", "attendees_max": "4"}, "attendees_max"),
        ({"lat": 6674238, "lon": 25497286}, "location"),
        ({"lat": 24.951, "lon": 60.181}, "location"),
    ],
)
def test_a_broken_row_is_named_and_the_rest_stays(
    tmp_path: Path, import_file, cells: dict[str, Any], field: str
) -> None:
    rows = [{**GOOD, "id": "8"}, {**GOOD, "id": "2", **cells}, {**GOOD, "id": "9"}]
    report = import_file(table(tmp_path / "a.csv", *rows))
    assert report.created == 2
    (problem,) = report.problems
    assert (problem.field, problem.where[:5]) == (field, "row 3")


def test_a_broken_row_takes_its_place_along(session, city: City, tmp_path: Path, import_file) -> None:
    rows = [
        {
            "place_id": "1",
            "space_id": n,
            "name_fi": f"Sali {n}",
            "capacity": capacity,
            "place_name_fi": "Talo",
        }
        for n, capacity in (("1", "5"), ("2", "x"), ("3", "7"))
    ]
    report = import_file(table(tmp_path / "a.csv", *rows, {**rows[0], "place_id": "2"}))
    assert (report.created, report.spaces) == (1, 1)
    assert [str(problem) for problem in report.problems] == ["row 3 (id 1): capacity: 'x' is not a number"]
    assert "2 other rows of this place are left out" in str(report.notes[0])


def test_rows_of_one_place_must_agree_on_it(tmp_path: Path, import_file) -> None:
    rows = [
        {"place_id": "1", "space_id": n, "name_fi": "A", "place_name_fi": "Talo", "phone": n} for n in "12"
    ]
    report = import_file(table(tmp_path / "a.csv", *rows))
    (problem,) = report.problems
    assert "its rows tell different things of the place (row 3 (id 1))" in problem.reason


def test_a_geopackage_of_anybodys_places_is_read(session, tmp_path: Path, import_file) -> None:
    path = tmp_path / "puistot.gpkg"
    frame = gpd.GeoDataFrame(
        {"id": [1], "nimi": ["Puisto"], "kind": ["park"]},
        geometry=[shapely.Point(25497286, 6674238)],
        crs="EPSG:3879",
    )
    frame.to_file(path, layer="puistot")
    report = import_file(path)
    assert (report.created, report.problems) == (1, [])
    venue = session.scalars(select(Venue)).one()
    assert (venue.lon, venue.lat) == (pytest.approx(24.951, abs=1e-4), pytest.approx(60.181, abs=1e-4))


def test_geoparquet_says_what_it_is(session, city: City, tmp_path: Path, export) -> None:
    make_hall(session, city)
    make_space(session, make_venue(session, city, lon=None, lat=None, position=None))
    read = read_parquet(export("geoparquet", "parquet")).read_all()
    geo = json.loads(read.schema.metadata[b"geo"])
    assert geo["primary_column"] == "geometry"
    assert geo["columns"]["geometry"]["encoding"] == "WKB"
    assert geo["columns"]["geometry"]["bbox"][0] == 24.95
    assert read.schema.names == [*COLUMNS, "geometry"]
    assert read.num_rows == 3


def test_the_columns_are_those_that_the_documentation_names() -> None:
    text = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    stems = {
        column.rsplit("_", 1)[0] if column[-3:] in {"_fi", "_sv", "_en"} else column for column in COLUMNS
    }
    assert [stem for stem in sorted({*stems, AREA}) if f"`{stem}" not in text] == []


def test_a_point_alone_is_a_feature_with_columns(session, tmp_path: Path, import_file) -> None:
    one = feature(POINT, place_id="1", space_id="a", name_fi="Sali", place_name_fi="Talo")
    two = feature(POINT, place_id="1", space_id="b", name_fi="Huone", place_name_fi="Talo", capacity=4)
    report = import_file(write(tmp_path / "a.geojson", collection(one, two)))
    assert (report.created, report.spaces, report.problems) == (1, 2, [])
    assert session.scalar(select(Venue.lon)) == 24.951
