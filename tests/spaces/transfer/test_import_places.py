"""Records become venues, units and spaces; again, they change nothing."""

from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry, Organisation
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.models import OpeningMonth, OpeningRule
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.pricing.models import Price
from tests.factories.districts import make_district
from tests.factories.spaces import make_venue
from tests.spaces.transfer.files import POINT, SQUARE, allu_row, collection, feature, room, tprek_unit, write


def only(session: Session, model: Any) -> Any:
    return session.scalars(select(model)).one()


def units_by_space(session: Session) -> dict[str, set[str]]:
    rows = session.execute(
        select(Space.external_id, Unit.external_id)
        .join(SpaceUnit, SpaceUnit.space_id == Space.id)
        .join(Unit, Unit.id == SpaceUnit.unit_id)
    )
    found: dict[str, set[str]] = {}
    for space, unit in rows:
        found.setdefault(space, set()).add(unit)
    return found


def test_a_service_map_unit_becomes_a_place_with_one_space(
    session, city: City, tmp_path: Path, import_file
) -> None:
    district = make_district(session, city)
    unit = tprek_unit(
        8215,
        name_fi="Kallion kirjasto",
        name_sv="Berghälls bibliotek",
        desc_fi="Rivi\nToinen",
        short_desc_fi="Lyhyt",
        address_zip="00530",
        www_fi="javascript:alert(1)",
        data_source_url="www.hel.fi",
    )
    report = import_file(write(tmp_path / "a.json", [unit]))
    assert report.new_owners == ["Helsingin kaupunki"]
    venue, space = only(session, Venue), only(session, Space)
    assert (venue.source, venue.external_id, venue.district_id) == ("tprek", "8215", district.id)
    assert venue.names == {"fi": "Kallion kirjasto", "sv": "Berghälls bibliotek"}
    assert venue.position == pytest.approx((25497285.9, 6674238.2), abs=30)
    assert venue.website is None
    assert space.kind == "library_room"
    assert space.descriptions == {"fi": "Lyhyt\n\nRivi\nToinen"}
    assert space.approval == "handler"
    assert session.scalar(select(func.count()).select_from(OpeningMonth)) >= 13


def test_one_unit_and_pages_of_units_are_read_too(tmp_path: Path, import_file) -> None:
    assert import_file(write(tmp_path / "a.json", tprek_unit(1))).created == 1
    assert import_file(write(tmp_path / "b.json", {"count": 1, "results": [tprek_unit(2)]})).created == 1


def test_a_second_import_writes_nothing(tmp_path: Path, import_file, rows_written, session) -> None:
    files = [
        write(tmp_path / "a.json", [tprek_unit(1), tprek_unit(2)]),
        write(
            tmp_path / "b.geojson",
            collection(feature(SQUARE, id=1, name="A", price=5, opens="8:00", closes="20:00")),
        ),
        write(tmp_path / "c.json", [room(1), room(2, location=None, building={"id": 8, "name": "Muu"})]),
        write(tmp_path / "d.geojson", collection(allu_row(1), allu_row(2, application_kind="PROMOTION"))),
    ]
    for path in files:
        assert import_file(path).created > 0
    audits = session.scalar(select(func.count()).select_from(AuditEntry))
    before = rows_written()
    for path in files:
        report = import_file(path)
        assert (report.created, report.updated) == (0, 0)
        assert report.unchanged > 0
    assert rows_written() == before
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == audits


def test_the_order_of_records_makes_no_change(tmp_path: Path, import_file) -> None:
    import_file(write(tmp_path / "a.json", [room(1), room(2)]))
    assert import_file(write(tmp_path / "a.json", [room(2), room(1)])).unchanged == 1


def test_a_changed_record_updates_only_its_place(session, tmp_path: Path, import_file) -> None:
    import_file(write(tmp_path / "a.json", [tprek_unit(1), tprek_unit(2)]))
    report = import_file(
        write(tmp_path / "a.json", [tprek_unit(1), tprek_unit(2, name_fi="Uusi nimi", latitude=60.2)])
    )
    assert (report.created, report.updated, report.unchanged) == (0, 1, 1)
    venue = session.scalar(select(Venue).where(Venue.external_id == "2"))
    assert (venue.names, venue.lat) == ({"fi": "Uusi nimi"}, 60.2)
    assert session.scalar(select(Space.names).where(Space.venue_id == venue.id)) == {"fi": "Uusi nimi"}


def test_hours_and_prices_that_the_source_does_not_tell_stay_the_owners(
    session, tmp_path: Path, import_file
) -> None:
    import_file(write(tmp_path / "a.json", [tprek_unit(1)]))
    rule, price = only(session, OpeningRule), only(session, Price)
    rule.opens, price.per, price.amount_minor = time(10), "hour", 900
    session.flush()
    assert import_file(write(tmp_path / "a.json", [tprek_unit(1, name_fi="B")])).updated == 1
    assert only(session, OpeningRule).opens == time(10)
    assert only(session, Price).amount_minor == 900


def test_told_hours_are_replaced_and_told_prices_hold_from_today(
    session, city: City, tmp_path: Path, import_file
) -> None:
    def place(closes: str, price: float) -> Path:
        properties = {
            "id": 1,
            "name": "A",
            "opens": "08:00",
            "closes": closes,
            "price": price,
            "price_per": "hour",
        }
        return write(tmp_path / "a.geojson", collection(feature(POINT, **properties)))

    import_file(place("20:00", 12.5))
    first = session.scalars(select(OpeningMonth.open).order_by(OpeningMonth.month)).all()
    import_file(place("24:00", 15))
    rule = only(session, OpeningRule)
    assert (rule.opens, rule.closes) == (time(8), time(0))
    prices = session.execute(select(Price.valid_from, Price.amount_minor).order_by(Price.valid_from)).all()
    today = now().astimezone(city.zone).date()
    assert [tuple(row) for row in prices] == [(date(2020, 1, 1), 1250), (today, 1500)]
    assert session.scalars(select(OpeningMonth.open).order_by(OpeningMonth.month)).all() != first
    import_file(place("24:00", 16))
    assert session.scalar(select(Price.amount_minor).where(Price.valid_from == today)) == 1600


def test_what_a_file_does_not_mention_stays(session, tmp_path: Path, import_file) -> None:
    import_file(write(tmp_path / "a.json", [room(1), room(2)]))
    report = import_file(write(tmp_path / "a.json", [room(1, max_persons=20)]))
    assert report.updated == 1
    rows = session.execute(
        select(Space.external_id, Space.state, Space.capacity).order_by(Space.external_id)
    ).all()
    assert [tuple(row) for row in rows] == [("1", "published", 20), ("2", "published", 12)]


def test_a_space_keeps_its_units_when_it_gets_others(session, tmp_path: Path, import_file) -> None:
    import_file(write(tmp_path / "a.json", [room(1)]))
    import_file(write(tmp_path / "a.json", [room(1, spaces=[{"id": 41, "name": "Sali"}])]))
    assert units_by_space(session) == {"1": {"room:1", "space:41"}}


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path, import_file, rows_written) -> None:
    import_file(write(tmp_path / "a.json", [tprek_unit(1), tprek_unit(2)]))
    before = rows_written()
    path = write(
        tmp_path / "a.json",
        [tprek_unit(1), tprek_unit(2, name_fi="B"), tprek_unit(3), tprek_unit(4, name_fi=None)],
    )
    report = import_file(path, dry_run=True)
    assert (report.created, report.updated, report.unchanged, len(report.problems)) == (1, 1, 1, 1)
    assert rows_written() == before


def test_an_owner_can_be_named_and_changed(session, city: City, tmp_path: Path, import_file) -> None:
    path = write(tmp_path / "a.json", [tprek_unit(1)])
    assert import_file(path).new_owners == ["Helsinki"]
    report = import_file(path, owner="Oma yhdistys ry")
    assert (report.updated, report.new_owners) == (1, ["Oma yhdistys ry"])
    owner = session.get(Organisation, (city.id, only(session, Venue).owner_id))
    assert (owner.name, owner.kind) == ("Oma yhdistys ry", "public_body")
    kinds = dict(session.execute(select(Organisation.name, Organisation.kind)).all())
    assert kinds["Helsinki"] == "city_division"


def test_a_feature_with_everything(session, tmp_path: Path, import_file) -> None:
    properties = {
        "id": "p-1",
        "name_fi": "Puisto",
        "name:sv": "Parken",
        "name_en": "Park",
        "kind": "park",
        "description_fi": "<p>Iso&nbsp;<b>nurmi</b></p><ul><li>yksi</li><li>kaksi</li></ul>",
        "osoite": "Puistotie 1",
        "capacity": "200",
        "purposes": "outdoor_event, exercise",
        "equipment": ["water"],
        "accessibility": ["accessible_route"],
        "price": 120.5,
        "price_per": "day",
        "approval": "handler",
        "active": False,
    }
    report = import_file(write(tmp_path / "puistot.geojson", collection(feature(SQUARE, **properties))))
    assert report.problems == []
    venue, space = only(session, Venue), only(session, Space)
    assert (venue.source, venue.streets, venue.accessibility) == (
        "geojson:puistot",
        {"fi": "Puistotie 1"},
        ["accessible_route"],
    )
    assert venue.area is not None
    assert space.names == {"fi": "Puisto", "sv": "Parken", "en": "Park"}
    assert space.descriptions == {"fi": "Iso nurmi\n\n– yksi\n– kaksi"}
    assert (space.capacity, space.purposes, space.equipment) == (
        200,
        ["exercise", "outdoor_event"],
        ["water"],
    )
    assert space.area_m2 == pytest.approx(12355, abs=30)
    assert (space.whole_days, space.approval, space.state) == (True, "handler", "archived")
    assert only(session, Price).amount_minor == 12050


def test_older_geojson_in_another_crs_is_moved(session, tmp_path: Path, import_file) -> None:
    data = collection(
        feature({"type": "Point", "coordinates": [25497286, 6674238]}, id=1, name="A"),
        crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3879"}},
    )
    import_file(write(tmp_path / "a.geojson", data))
    venue = only(session, Venue)
    assert (venue.lon, venue.lat) == (pytest.approx(24.951, abs=1e-4), pytest.approx(60.181, abs=1e-4))


@pytest.mark.parametrize(
    ("geometry", "has_area"),
    [
        ({"type": "GeometryCollection", "geometries": [POINT, SQUARE]}, True),
        ({"type": "GeometryCollection", "geometries": [POINT]}, False),
        ({"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}, True),
        ({"type": "LineString", "coordinates": [[24.95, 60.18], [24.952, 60.18]]}, False),
        ({"type": "Point", "coordinates": [24.95, 60.18, 12.0]}, False),
        (
            {
                "type": "Polygon",
                "coordinates": [
                    [[24.95, 60.18], [24.952, 60.181], [24.952, 60.18], [24.95, 60.181], [24.95, 60.18]]
                ],
            },
            True,
        ),
    ],
)
def test_every_geometry_gives_a_point_inside(
    session, tmp_path: Path, import_file, geometry: dict[str, Any], has_area: bool
) -> None:
    report = import_file(write(tmp_path / "a.geojson", collection(feature(geometry, id=1, name="A"))))
    assert report.problems == []
    venue = only(session, Venue)
    assert 24.949 < venue.lon < 24.953
    assert (venue.area is not None) == has_area


def test_the_whole_and_its_parts_share_units(session, tmp_path: Path, import_file) -> None:
    def hall(room_id: int, space_id: int, parent: int | None) -> dict[str, Any]:
        return room(
            room_id, name="Sali", spaces=[{"id": space_id, "name": f"Osa {space_id}", "parent_id": parent}]
        )

    import_file(
        write(tmp_path / "a.json", [hall(1, 10, None), hall(2, 11, 10), hall(3, 12, 10), hall(4, 13, 12)])
    )
    assert units_by_space(session) == {
        "1": {"space:10", "space:11", "space:12", "space:13"},
        "2": {"space:11"},
        "3": {"space:12", "space:13"},
        "4": {"space:13"},
    }
    names = session.scalars(select(Space.names).order_by(Space.external_id)).all()
    assert names[1] == {"fi": "Sali – Osa 11"}


def test_a_ring_in_the_tree_of_spaces_ends(tmp_path: Path, import_file) -> None:
    rooms = [
        room(1, spaces=[{"id": 1, "name": "A", "parent_id": 2}]),
        room(2, spaces=[{"id": 2, "name": "B", "parent_id": 1}]),
    ]
    assert import_file(write(tmp_path / "a.json", rooms)).spaces == 2


def test_rooms_without_coordinates_take_those_of_their_address(
    session, city: City, tmp_path: Path, import_file
) -> None:
    make_venue(session, city, at=(24.96, 60.19), streets={"fi": "Antti Korpin tie 3"})
    make_venue(session, city, at=(24.97, 60.20), names={"fi": "Töölön kirjasto"}, streets={})
    rooms = [
        room(1, building={"id": 1, "name": "A"}, location={"addressStreet": "Antti Korpin tie 3 a"}),
        room(2, building={"id": 2, "name": "Töölön kirjasto"}, location=None),
        room(
            3,
            building={"id": 3, "name": "C"},
            location={"addressStreet": "Jokukatu 5", "coordinates": {"longitude": None, "latitude": None}},
        ),
    ]
    report = import_file(write(tmp_path / "a.json", rooms))
    assert (report.located, report.without_point) == (2, 1)
    points = session.execute(
        select(Venue.lon, Venue.lat).where(Venue.source == "varaamo").order_by(Venue.external_id)
    ).all()
    assert [tuple(point) for point in points] == [(24.96, 60.19), (24.97, 60.20), (None, None)]


def test_durations_and_buffers_of_rooms_are_kept(session, tmp_path: Path, import_file) -> None:
    import_file(
        write(
            tmp_path / "a.json",
            {"data": {"reservationUnits": {"edges": [{"node": {
                "pk": 5, "__typename": "ReservationUnitNode", "nameFi": "Keittiö", "nameSv": "Kök",
                "minReservationDuration": "01:00:00", "maxReservationDuration": 5400,
                "bufferTimeBefore": "00:30:00", "reservationStartInterval": "INTERVAL_15_MINS",
                "reservationUnitType": {"nameFi": "Nuorisopalvelut"}, "maxPersons": 60,
                "unit": {"id": "3", "nameFi": "Talo"}, "termsOfUse": "<p>Siisti&auml;</p>",
            }}]}}},
        )
    )  # fmt: skip
    space = only(session, Space)
    assert space.names == {"fi": "Keittiö", "sv": "Kök"}
    assert (space.min_minutes, space.max_minutes, space.interval_minutes) == (60, 90, 15)
    assert (space.buffer_before_minutes, space.capacity, space.kind) == (30, 60, "youth_space")
    assert space.instructions == {"fi": "Siistiä"}


def test_outdoor_rows_share_the_ground_they_stand_on(session, tmp_path: Path, import_file) -> None:
    stall = {
        "type": "Polygon",
        "coordinates": [
            [
                [24.9505, 60.1802],
                [24.9507, 60.1802],
                [24.9507, 60.1803],
                [24.9505, 60.1803],
                [24.9505, 60.1802],
            ]
        ],
    }
    rows = [
        allu_row(1),
        allu_row(2, application_kind="PROMOTION", prices=[{"nature": "PROMOTION", "base_charge": 100}]),
        allu_row(3, application_kind="SEASON_SALE", section="A1", geometry=stall, prices=[], area_m2=37),
        allu_row(4, application_kind="BRIDGE_BANNER", section=None, geometry=POINT, prices=[], area_m2=0),
        allu_row(
            5,
            section="B",
            is_active=False,
            geometry={"type": "Point", "coordinates": [24.97, 60.18]},
            prices=[],
        ),
    ]
    report = import_file(write(tmp_path / "a.geojson", collection(*rows)))
    assert report.created == 1
    spaces = {s.external_id: s for s in session.scalars(select(Space))}
    assert units_by_space(session)["1"] >= {"1", "3"}
    assert units_by_space(session)["2"] == units_by_space(session)["1"]
    assert units_by_space(session)["3"] == {"3"}
    assert spaces["1"].names == {"fi": "Koetori A"}
    assert spaces["2"].names == {"fi": "Koetori A, promootio"}
    assert (spaces["3"].kind, spaces["3"].whole_days) == ("market_stall", True)
    assert [spaces[n].state for n in "12345"] == ["published", "published", "published", "draft", "archived"]
    prices = dict(
        session.execute(
            select(Space.external_id, Price.amount_minor).join(Price, Price.space_id == Space.id)
        ).all()
    )
    assert prices == {"1": 60000, "2": 1, "3": 20000, "4": 0, "5": 25000}


def test_a_playground_house_is_a_room_and_a_yard_is_outdoors(session, tmp_path: Path, import_file) -> None:
    def playground(pks: int, service: int) -> dict[str, Any]:
        return feature(
            POINT, PKS_ID=pks, ServiceTypeID=service, Name_fi="Leikkipuisto Hilleri", Name_en="Playground Hilleri",
            Address_fi="Hillerikuja 6, 00800 Helsinki", Address_en=", 00800 Helsinki", Organization_fi="Helsingin kaupunki",
            Link_fi='<a href="https://www.hel.fi/hilleri" target="_palvelu">Hilleri</a>', Description_fi="A\n\nB",
        )  # fmt: skip

    report = import_file(write(tmp_path / "a.geojson", collection(playground(1, 69), playground(2, 70))))
    assert report.without_hours == {"8.00 to 22.00": 1, "all day": 1}
    house, yard = session.scalars(select(Space).order_by(Space.external_id)).all()
    assert house.names == {"fi": "Leikkipuisto Hilleri, sisätilat", "en": "Playground Hilleri, indoor rooms"}
    assert yard.names == {"fi": "Leikkipuisto Hilleri", "en": "Playground Hilleri"}
    venue = session.scalar(select(Venue).where(Venue.external_id == "1"))
    assert (venue.streets, venue.postcode, venue.locality) == ({"fi": "Hillerikuja 6"}, "00800", "Helsinki")
    assert venue.website == "https://www.hel.fi/hilleri"
