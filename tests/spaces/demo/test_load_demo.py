"""`flask demo load`: the demo city, once."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import shapely
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import Membership, Organisation, Person
from marketplace.cities.models import City
from marketplace.cities.queries import city_of_slug
from marketplace.geo import shapes_to_metric
from marketplace.identity import passwords
from spaces.calendar.models import OpeningException, OpeningMonth
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.demo.listings import demo_listings, on
from spaces.demo.loader import ACCOUNTS, PASSWORD, demo_city, demo_data, load_demo
from spaces.demo.markets import market_spaces
from spaces.districts.models import District, HomeDistrict
from spaces.districts.queries import district_frame
from spaces.markets.queries import class_lists, square_of, stalls_of
from spaces.markets.rules import outside, overlaps
from spaces.pricing.models import Price
from spaces.transfer.listing import check


@pytest.fixture
def demo(session) -> City:
    city = demo_city(session)
    load_demo(session, city)
    session.flush()
    session.expire_all()
    return city


def count(session: Session, model: Any) -> Any:
    return session.scalar(select(func.count()).select_from(model))


def test_every_place_of_the_demo_is_right() -> None:
    listings = list(demo_listings(demo_data(), today=date(2027, 2, 28)))
    for listing in listings:
        check(listing)
    assert len(listings) >= 100


def test_the_demo_city_is_whole(session, demo: City) -> None:
    venues, spaces = count(session, Venue), count(session, Space)
    assert venues == len(demo_data()["venues"])
    assert spaces == sum(len(market_spaces(venue)) + len(venue["spaces"]) for venue in demo_data()["venues"])
    assert count(session, District) == len(demo_data()["districts"])
    assert session.scalar(select(func.count()).select_from(Venue).where(Venue.district_id.is_(None))) == 0
    assert session.scalar(select(func.count(func.distinct(OpeningMonth.space_id)))) == spaces
    assert count(session, OpeningException) > 100


def test_the_market_square_has_its_stalls_drawn_inside(session, demo: City) -> None:
    (venue,) = session.scalars(select(Venue).where(Venue.external_id == "hakaniemi-square"))
    placed = stalls_of(session, venue)
    assert [one.number for one in placed] == [f"{row}{n}" for row in "ABCD" for n in range(1, 7)]
    (square,) = shapes_to_metric([square_of(venue)], crs=demo.metric_crs)
    grounds = shapes_to_metric([one.ground for one in placed], crs=demo.metric_crs)
    assert outside(square, grounds) == []
    assert overlaps(grounds) == []
    assert {one.class_code for one in placed} == {"S", "L"}
    lists = class_lists(
        session, demo.id, {one.stall.class_id for one in placed if one.stall.class_id is not None}
    )
    amounts = {class_id: found[0].base_minor for class_id, found in lists.items()}
    prices = session.execute(select(Price.space_id, Price.amount_minor, Price.per)).all()
    told = {space_id: (amount, per) for space_id, amount, per in prices}
    assert all(told[one.id] == (amounts[one.stall.class_id or 0], "day") for one in placed)


def test_what_is_sold_by_the_day_is_booked_by_whole_days(session, demo: City) -> None:
    rows = session.execute(
        select(Space.external_id, Space.whole_days, Space.min_minutes)
        .join(Price, (Price.city_id == Space.city_id) & (Price.space_id == Space.id))
        .where(Price.per == "day")
    ).all()
    assert len(rows) > 60
    assert {(whole, minutes) for _, whole, minutes in rows} == {(True, 1440)}


def test_venues_lie_in_the_district_that_the_data_names(session, demo: City) -> None:
    told = {venue["key"]: venue["district"] for venue in demo_data()["venues"]}
    found = dict(
        session.execute(
            select(Venue.external_id, District.code).join(District, District.id == Venue.district_id)
        ).all()
    )
    assert found == told


def test_district_cells_do_not_overlap(session, demo: City) -> None:
    frame = district_frame(session, demo.id).to_crs(demo.metric_crs)
    assert frame.geometry.is_valid.all()
    whole = shapely.union_all(frame.geometry.to_numpy()).area
    assert frame.geometry.area.sum() == pytest.approx(whole, rel=1e-6)


def test_a_whole_hall_covers_its_halves(session, demo: City) -> None:
    rows = session.execute(
        select(Space.external_id, func.array_agg(Unit.external_id))
        .join(Venue, Venue.id == Space.venue_id)
        .join(SpaceUnit, SpaceUnit.space_id == Space.id)
        .join(Unit, Unit.id == SpaceUnit.unit_id)
        .where(Venue.external_id == "brahe-field")
        .group_by(Space.external_id)
    )
    units = {space: set(found) for space, found in rows}
    assert units["whole"] == units["half-a"] | units["half-b"]
    assert not units["half-a"] & units["half-b"]


def test_the_accounts_can_sign_in_and_have_their_roles(session, demo: City) -> None:
    people = {person.email: person for person in session.scalars(select(Person))}
    assert set(people) == {account.email for account in ACCOUNTS}
    for account in ACCOUNTS:
        person = people[account.email]
        assert person.email_verified_at is not None
        assert person.is_staff == account.is_staff
        assert person.password_hash.startswith("$argon2id$")
        roles = session.execute(
            select(Organisation.name, Membership.role)
            .join(Membership, Membership.organisation_id == Organisation.id)
            .where(Membership.person_id == person.id, Membership.accepted_at.is_not(None))
        )
        assert {tuple(row) for row in roles} == set(account.roles)
        home = session.get(HomeDistrict, (demo.id, person.id))
        assert session.get(District, (demo.id, home.district_id)).code == account.home
    assert passwords.hash_password(PASSWORD) != PASSWORD


def test_loading_again_changes_nothing(session, demo: City) -> None:
    def written() -> Any:
        session.flush()
        return session.scalar(
            text("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        )

    before = written()
    load_demo(session, demo_city(session))
    assert written() == before


def test_the_command_loads_only_into_an_empty_database(app: Flask, session) -> None:
    runner = app.test_cli_runner()
    first = runner.invoke(args=["demo", "load", "--if-empty"])
    assert first.exit_code == 0, first.output
    assert "The demo city is loaded" in first.output
    second = runner.invoke(args=["demo", "load", "--if-empty"])
    assert second.exit_code == 0
    assert "nothing was loaded" in second.output
    session.expire_all()
    assert city_of_slug(session, "helsinki") is not None


def test_production_refuses_the_demo(app: Flask, session, monkeypatch) -> None:
    monkeypatch.setitem(app.config, "PRODUCTION", True)
    result = app.test_cli_runner().invoke(args=["demo", "load"])
    assert result.exit_code == 1
    assert "not loaded in production" in result.output
    assert count(session, City) == 0


def test_accounts_are_printed_one_on_a_line(app: Flask) -> None:
    lines = app.test_cli_runner().invoke(args=["demo", "accounts"]).output.splitlines()
    assert len(lines) == len(ACCOUNTS)
    assert lines[0].startswith(f"aino@example.org  {PASSWORD}  Aino Korhonen: booker in Kallion Juniorit ry")


def test_yearly_closings_fit_every_year() -> None:
    assert on(2027, "02-29") == date(2027, 2, 28)
    data = demo_data()
    venue = {
        **data["venues"][0],
        "spaces": [
            {
                **data["venues"][0]["spaces"][0],
                "exceptions": [{"from": "12-28", "to": "01-02", "closed": True}],
            }
        ],
    }
    (listing,) = demo_listings({**data, "venues": [venue]}, today=date(2026, 11, 24))
    periods = [(one.first_day, one.last_day) for one in listing.spaces[0].exceptions]
    assert (date(2026, 12, 28), date(2027, 1, 2)) in periods
    assert replace(listing, where="x").fingerprint() == listing.fingerprint()
