"""The search by whom a place suits, and the price of the group that somebody books for."""

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.catalog.models import Space
from spaces.pricing.models import OrganisationGroup, Price, PriceVariation
from tests.factories.people import join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space, make_venue
from tests.spaces.search.test_views_results import page, ready, rows

WHEELCHAIR = ["step_free_entrance", "accessible_toilet", "lift"]


def test_only_those_that_suit_are_found_and_counted(
    session: Session, city: City, client: FlaskClient
) -> None:
    suits = make_space(
        session, make_venue(session, city, accessibility=WHEELCHAIR), names={"en": "Fine hall"}
    )
    narrow = make_venue(session, city, accessibility=WHEELCHAIR, accessibility_lacks=["wide_doors"])
    silent = make_space(session, make_venue(session, city), names={"en": "Silent hall"})
    ready(session, city, suits, make_space(session, narrow, names={"en": "Narrow hall"}), silent)
    found = page(client, suits="wheelchair")
    assert "Fine hall" in found
    assert "Narrow hall" not in found
    assert "Silent hall" not in found
    assert "Suits: wheelchair user" in found  # the tag that takes it off
    assert "An accessible toilet, a step-free entrance or a ramp" in found
    everything = page(client)
    assert 'value="rollator"' in everything
    assert 'value="hearing_aid"' not in everything
    assert "Narrow hall" in page(client, suits="rollator")
    assert len(rows(page(client, suits=["rollator", "wheelchair"], access="lift"))) == 1


def test_an_unknown_viewpoint_is_left_out_and_told(client: FlaskClient, session: Session, city: City) -> None:
    assert "A filter in the address is not known here" in page(client, suits="'; DROP TABLE venue; --")


def test_dropping_the_accessibility_filter_is_offered(
    session: Session, city: City, client: FlaskClient
) -> None:
    ready(session, city, make_space(session, make_venue(session, city)))
    assert "Without the accessibility filter" in page(client, suits="hearing_aid")


@pytest.fixture
def hall(session: Session, city: City) -> Space:
    """20 € an hour; associations 8 €, youth work 5 € on weekdays."""
    space = make_space(session, make_venue(session, city))
    key = {"city_id": city.id, "space_id": space.id, "valid_from": date(2020, 1, 1)}
    session.add_all(
        [
            PriceVariation(
                **key, position=0, group_code="association", days=[1, 2, 3, 4, 5, 6, 7], from_minute=0,
                to_minute=1440, amount_minor=800,
            ),
            PriceVariation(
                **key, position=1, group_code="youth", days=[1, 2, 3, 4, 5], from_minute=0, to_minute=1440,
                amount_minor=500,
            ),
        ]
    )  # fmt: skip
    ready(session, city, space)
    return space


@pytest.fixture
def club(session: Session, city: City) -> Organisation:
    return make_organisation(session, city, name="Sähly ry", kind="association")


def browsing(app: Flask, session: Session, city: City, organisation: Organisation | None) -> FlaskClient:
    person = make_person(session, city, name="Pia", email="pia@example.org")
    if organisation is not None:
        join(session, person, organisation)
    client = app.test_client()
    sign_in(session, client, person, acting_for=organisation.id if organisation else None)
    session.commit()
    return client


def coming_monday(city: City) -> str:
    today = now().astimezone(city.zone).date()
    return (today + timedelta(days=7 - today.weekday())).isoformat()


def row_on(client: FlaskClient, city: City, day: str) -> str:
    (row,) = rows(page(client, when=f"{day} 17-19", minutes=60))
    return row


def test_who_acts_for_an_association_sees_its_price(
    app: Flask, session: Session, city: City, hall: Space, club: Organisation
) -> None:
    row = row_on(browsing(app, session, city, club), city, coming_monday(city))
    assert "price for associations" in row
    assert "<b>€8</b>/h" in row
    assert 'name="total" value="800"' in row
    assert "€20" not in row


def test_the_group_that_the_city_gave_counts(
    app: Flask, session: Session, city: City, hall: Space, club: Organisation
) -> None:
    session.add(OrganisationGroup(city_id=city.id, organisation_id=club.id, group_code="youth"))
    client = browsing(app, session, city, club)
    monday = coming_monday(city)
    assert "price for youth work" in row_on(client, city, monday)
    saturday = (date.fromisoformat(monday) + timedelta(days=5)).isoformat()
    row = row_on(client, city, saturday)
    assert "price for" not in row
    assert 'name="total" value="2000"' in row


def test_oneself_and_nobody_see_the_base_price(
    app: Flask, session: Session, city: City, client: FlaskClient, hall: Space
) -> None:
    for who in (client, browsing(app, session, city, None)):
        row = row_on(who, city, coming_monday(city))
        assert "<b>€20</b>/h" in row
        assert 'name="total" value="2000"' in row
        assert "price for" not in row


def test_a_group_costs_a_statement_only_where_some_price_has_groups(
    app: Flask, session: Session, city: City, hall: Space, club: Organisation, monkeypatch
) -> None:
    asked = []

    def group_of(*args: object) -> dict[int, str]:
        asked.append(args)
        return {club.id: "association"}

    monkeypatch.setattr("spaces.pricing.queries.groups_of", group_of)
    client = browsing(app, session, city, club)
    page(client)
    assert len(asked) == 1
    session.execute(delete(PriceVariation))
    session.commit()
    page(client)
    assert len(asked) == 1
    assert session.get(Price, (city.id, hall.id, date(2020, 1, 1))) is not None
