"""The city's own open data, where it lies beside the checkout."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from marketplace.accounts.actor import system
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import day_span
from spaces.calendar.queries import calendars_of
from spaces.catalog.models import Space, Venue
from spaces.districts.actions import store_districts
from spaces.districts.frames import Fields, checked_districts, read_areas
from spaces.districts.models import District
from spaces.pricing.models import Price


def load_districts(session, city: City, shared_data: Path) -> None:
    path = shared_data / "areas" / "helsinki_kaupunginosat.geojson"
    frame, _ = checked_districts(read_areas(path), Fields(), metric_crs=city.metric_crs)
    store_districts(session, city, frame, source=path.name, actor=system(city.id, "command"))


def is_open_in_a_week(session, city: City, space_ids: list[int]) -> bool:
    day = now().astimezone(city.zone).date() + timedelta(days=7)
    calendars = calendars_of(session, city.id, space_ids, day_span(day, city.zone), city.zone)
    return len(calendars) == len(space_ids) and all(calendar.open for calendar in calendars.values())


def test_all_outdoor_spaces_are_stored_and_narinkka_is_open(
    session, city: City, shared_data: Path, import_file, rows_written
) -> None:
    load_districts(session, city, shared_data)
    path = shared_data / "venues" / "allu_fixed_locations.geojson"
    report = import_file(path)
    assert (report.created, report.spaces, report.problems) == (82, 206, [])
    states = dict(session.execute(select(Space.state, func.count()).group_by(Space.state)).all())
    assert states == {"published": 132, "archived": 22, "draft": 52}
    narinkka = session.scalar(select(Space).where(Space.names["fi"].astext == "Narinkka A"))
    assert session.scalar(select(Price.amount_minor).where(Price.space_id == narinkka.id)) == 60000
    district = session.scalar(
        select(District.names)
        .join(Venue, Venue.district_id == District.id)
        .where(Venue.external_id == "Narinkka")
    )
    assert district["fi"] == "Kamppi"
    assert is_open_in_a_week(session, city, [narinkka.id])
    assert session.scalar(select(func.count()).select_from(Venue).where(Venue.district_id.is_(None))) == 0
    before = rows_written()
    assert import_file(path).unchanged == 82
    assert rows_written() == before


def test_all_playgrounds_are_found_and_open(
    session, city: City, shared_data: Path, import_file, rows_written
) -> None:
    load_districts(session, city, shared_data)
    path = shared_data / "venues" / "servicemap_playgrounds_helsinki.geojson.gz"
    report = import_file(path)
    assert (report.created, report.spaces, report.problems) == (306, 306, [])
    assert report.without_hours == {"8.00 to 22.00": 67, "all day": 239}
    assert session.scalar(select(func.count()).select_from(Space).where(Space.kind == "playground")) == 306
    assert session.scalar(select(func.count()).select_from(Venue).where(Venue.district_id.is_(None))) == 0
    assert is_open_in_a_week(session, city, list(session.scalars(select(Space.id))))
    before = rows_written()
    assert import_file(path).unchanged == 306
    assert rows_written() == before


def test_service_map_units_keep_their_languages(session, city: City, shared_data: Path, import_file) -> None:
    assert import_file(shared_data / "api" / "tprek_v4_units_list.json").created == 2
    report = import_file(shared_data / "api" / "tprek_v4_unit_41102.json")
    assert report.created == 1
    assert "speaks of a closing" in str(report.notes[0])
    kallio = session.scalar(select(Venue).where(Venue.external_id == "8215"))
    assert kallio.names == {"fi": "Kallion kirjasto", "sv": "Berghälls bibliotek", "en": "Kallio Library"}
    pool = session.scalar(select(Venue).where(Venue.external_id == "41102"))
    assert pool.accessibility == [
        "accessible_toilet",
        "clear_entrance",
        "clear_signs",
        "accessible_shower",
    ]
    assert pool.accessibility_lacks == [
        "step_free_entrance",
        "accessible_route",
        "accessible_changing_room",
        "step_free_interior",
    ]
    sentences = pool.accessibility_sentences
    assert len(sentences) == 23
    assert sentences[0]["texts"] == {
        "fi": "Kulkureitti sisäänkäynnille on epätasainen.",
        "sv": "Rutten till ingången är ojämn.",
        "en": "The route to the entrance is rough.",
    }
    assert [one["group"] for one in sentences].count("changing") == 8
    assert sentences[-1]["heading"]["en"] == "Sports facilities"


def test_reservation_units_of_all_three_shapes(session, city: City, shared_data: Path, import_file) -> None:
    import_file(shared_data / "venues" / "servicemap_playgrounds_helsinki.geojson.gz")
    listed = import_file(shared_data / "api" / "tilavaraus_v1_reservation_units_list.json")
    assert (listed.created, listed.spaces, listed.problems) == (4, 8, [])
    recommended = import_file(shared_data / "api" / "tilavaraus_recommendations.json")
    assert (recommended.created, recommended.spaces, recommended.problems) == (10, 23, [])
    one = import_file(shared_data / "api" / "tilavaraus_graphql_reservation_unit_36.json")
    assert (one.updated, one.spaces, one.problems) == (1, 1, [])
    assert "km from the other places of postcode 00720" in str(one.notes[0])
    names = session.scalars(
        select(Space.names["fi"].astext).where(Space.names["fi"].astext.like("Mika Waltarin sali,%"))
    ).all()
    assert len(names) == len(set(names)) == 3
    kitchen = session.scalar(
        select(Space).where(Space.names["fi"].astext == "Pukinmäen nuorisotalon keittiö")
    )
    assert kitchen.descriptions["fi"].startswith(
        "Sali sijaitsee nuorisotalon toisessa kerroksessa. Tilaan mahtuu 60 henkilöä."
    )
    assert (kitchen.min_minutes, kitchen.max_minutes) == (60, 90)
    arabia = session.scalar(select(Space).where(Space.names["fi"].astext == "Arabian nuorisotalon sali"))
    assert arabia.capacity == 100


def test_open_street_map_features_report_what_they_lack(
    session, city: City, shared_data: Path, import_file
) -> None:
    report = import_file(shared_data / "venues" / "osm_central_helsinki_venues.geojson")
    assert (report.created, len(report.problems)) == (96, 43)
    assert sorted({problem.field for problem in report.problems}) == ["geometry", "name"]
    assert import_file(shared_data / "venues" / "osm_playgrounds_helsinki.geojson").created == 200
