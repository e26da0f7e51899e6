"""The owner's price page and the actions behind it: who may, what is refused and where, what is left behind."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.money import Money
from spaces.catalog.models import Space, Venue
from spaces.pricing.actions import give_group
from spaces.pricing.models import DiscountCode, OrganisationGroup, Price, PriceVariation
from spaces.pricing.queries import groups_of, price_lists_of, price_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_space, make_venue


@pytest.fixture
def today(city: City) -> date:
    return now().astimezone(city.zone).date()


@pytest.fixture
def venue(session: Session, city: City) -> Venue:
    return make_venue(session, city)


@pytest.fixture
def space(session: Session, venue: Venue) -> Space:
    space = make_space(session, venue)
    session.commit()
    return space


@pytest.fixture
def manager(session: Session, city: City, venue: Venue) -> Person:
    person = make_person(session, city, name="Elina")
    owner = session.get_one(type(make_organisation(session, city, name="x")), (city.id, venue.owner_id))
    join(session, person, owner, "manager")
    session.commit()
    return person


@pytest.fixture
def desk(app: Flask, session: Session, manager: Person) -> FlaskClient:
    client = app.test_client()
    sign_in(session, client, manager)
    session.commit()
    return client


def path(space: Space) -> str:
    return f"/en/desk/spaces/{space.id}/prices"


def row(
    n: int, amount: str, *, group: str = "", days: str = "12345", start: int = 0, end: int = 1440
) -> dict[str, Any]:
    return {
        f"row-{n}-group": group,
        f"row-{n}-day": list(days),
        f"row-{n}-start": str(start),
        f"row-{n}-end": str(end),
        f"row-{n}-amount": amount,
    }


def filled(today: date, *rows: dict[str, Any], **more: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "valid_from": today.isoformat(),
        "per": "hour",
        "amount": "20",
        "vat_code": "standard",
        "do": "save",
        **more,
    }
    for one in rows:
        values |= one
    return values


def test_a_list_with_rows_is_saved_and_shown_and_audited(
    desk: FlaskClient, session: Session, city: City, space: Space, today: date
) -> None:
    ahead = today + timedelta(days=30)
    data = filled(
        ahead, row(1, "30,50", start=1020, end=1320), row(2, "0", group="association", days="1234567"), row(3, " "),
        minimum="15",
    )  # fmt: skip
    answer = desk.post(path(space), data=data)
    assert (answer.status_code, answer.location) == (303, path(space))
    terms = price_on(session, city, space.id, ahead)
    assert terms is not None
    assert (terms.amount, terms.minimum_minor, terms.vat_basis_points) == (Money(2000), 1500, 2550)
    assert [(v.amount_minor, v.group, v.from_minute) for v in terms.variations] == [
        (3050, None, 1020), (0, "association", 0),
    ]  # fmt: skip
    before = price_on(session, city, space.id, today)
    assert before is not None
    assert before.variations == ()
    page = desk.get(path(space)).text
    assert "Everyone, Mon⁠–⁠Fri 17.00⁠–⁠22.00: €30.50" in page
    assert "Associations: €0.00" in page or "Associations: €0" in page
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "price.changed")).one()
    assert entry.subject_id == space.id
    assert entry.details["before"]["amount_minor"] == 2000
    assert entry.details["before"]["rows"] == []
    assert entry.details["after"]["rows"][0]["amount_minor"] == 3050


def test_saving_the_same_day_again_replaces_the_list(
    desk: FlaskClient, session: Session, city: City, space: Space, today: date
) -> None:
    desk.post(path(space), data=filled(today, row(1, "30"), row(2, "10", group="youth")))
    desk.post(path(space), data=filled(today, row(1, "40", days="67")))
    lists = price_lists_of(session, city.id, space.id)
    assert [one.valid_from for one in lists] == [today, date(2020, 1, 1)]
    assert [one.amount_minor for one in lists[0].rows] == [4000]


@pytest.mark.parametrize(
    ("rows", "more", "says"),
    [
        (
            [row(1, "30", start=1020, end=1320), row(2, "25", days="56", start=1200, end=1440)],
            {},
            "Rows 1 and 2 contradict each other: Everyone, Friday 20.00–22.00.",
        ),
        ([row(1, "30", start=1020, end=1320)], {"amount": ""}, "There is no price for Monday 0.00–17.00."),
        ([row(1, "30"), row(2, "30", days="6")], {"amount": ""}, "There is no price for Sunday 0.00–24.00."),
        ([], {"amount": ""}, "Write an amount such as 12 or 13,50."),
        ([], {"amount": "-3"}, "Write an amount such as 12 or 13,50."),
        ([], {"amount": "1e9"}, "Write an amount such as 12 or 13,50."),
        ([row(1, "many")], {}, "Row 1: write an amount"),
        ([row(1, "3", days="")], {}, "Row 1: choose the days."),
        ([row(1, "3", start=600, end=600)], {}, "Row 1: the end must be later"),
        ([row(1, "3", group="pensioners")], {}, "Row 1: choose for whom"),
        ([row(1, "3", start=600)], {"per": "day"}, "Row 1: a price per day holds from 0 to 24"),
        ([], {"per": "slot", "slot_minutes": "0"}, "Give the length of a slot"),
        ([], {"per": "m2_day"}, "The area of this space is not known."),
        ([], {"per": "century"}, "Choose what the price is for."),
        ([], {"valid_from": "soon"}, "Give the first day of the list."),
        ([], {"valid_from": "2020-01-01"}, "A new list begins today at the earliest."),
        ([], {"valid_from": "9999-12-31"}, "A list begins within five years."),
        ([], {"vat_code": "luxury"}, "The city has no such tax rate"),
        ([], {"amount": "0"}, "Every price is 0."),
    ],
)
def test_a_wrong_list_is_refused_with_a_sentence_that_says_where(
    desk: FlaskClient, session: Session, city: City, space: Space, today: date, rows, more, says
) -> None:
    data = filled(today, *rows, **{"valid_from": today.isoformat(), **more})
    answer = desk.post(path(space), data=data)
    assert answer.status_code == 422
    assert says in answer.text
    assert len(price_lists_of(session, city.id, space.id)) == 1
    # What was typed is still there.
    for name in ("amount", "valid_from"):
        assert f'name="{name}"' in answer.text
        assert f'value="{data[name]}"' in answer.text


def test_the_examples_are_computed_and_nothing_is_saved(
    desk: FlaskClient, session: Session, city: City, space: Space, today: date
) -> None:
    data = filled(
        today,
        row(1, "30", start=1020, end=1320),
        row(2, "5", group="association", days="1234567"),
        do="example",
    )
    answer = desk.post(path(space), data=data)
    assert answer.status_code == 200
    text = re.sub(r"<[^>]+>", " ", answer.text)
    assert "Wednesday 10.00" in text
    assert "€40" in text  # a weekday, two hours
    assert "€60" in text  # an evening
    assert "€10" in text  # an association
    assert "2 h × €30, price of this time" in text
    assert len(price_lists_of(session, city.id, space.id)) == 1
    wrong = desk.post(path(space), data=filled(today, row(1, "x"), do="example"))
    assert wrong.status_code == 200
    assert "The examples come when the list is whole." in wrong.text


def test_one_more_row_keeps_what_is_filled_in(desk: FlaskClient, space: Space, today: date) -> None:
    answer = desk.post(path(space), data=filled(today, row(1, "30"), do="row"))
    assert answer.status_code == 200
    assert 'name="row-3-amount"' in answer.text
    assert 'name="row-4-amount"' not in answer.text


def test_a_list_to_come_can_be_withdrawn_and_one_in_force_cannot(
    desk: FlaskClient, session: Session, city: City, space: Space, today: date
) -> None:
    ahead = today + timedelta(days=5)
    desk.post(path(space), data=filled(ahead, row(1, "3")))
    assert desk.post(f"{path(space)}/{ahead}/withdrawal").status_code == 303
    assert len(price_lists_of(session, city.id, space.id)) == 1
    assert session.scalars(select(PriceVariation)).all() == []
    desk.post(f"{path(space)}/2020-01-01/withdrawal")
    desk.post(f"{path(space)}/never/withdrawal")
    assert len(price_lists_of(session, city.id, space.id)) == 1
    assert "This price list has already begun." in desk.get(path(space)).text


def test_a_price_by_area_needs_the_area_and_then_holds(
    desk: FlaskClient, session: Session, city: City, space: Space, today: date
) -> None:
    space.area_m2 = 120.5
    session.commit()
    answer = desk.post(path(space), data=filled(today, per="m2_day", amount="0,50", build_percent="50"))
    assert answer.status_code == 303
    terms = price_on(session, city, space.id, today)
    assert terms is not None
    assert (terms.per, float(terms.area_m2 or 0), terms.build_percent) == ("m2_day", 120.5, 50)
    space.area_m2 = None
    session.commit()
    assert price_on(session, city, space.id, today) is None


def test_only_those_who_run_the_place_see_and_change_its_prices(
    app: Flask, session: Session, city: City, venue: Venue, space: Space, today: date, manager: Person
) -> None:
    other_city = make_city(session, "espoo")
    member = make_person(session, city, name="Member")
    join(
        session,
        member,
        session.get_one(type(make_organisation(session, city, name="y")), (city.id, venue.owner_id)),
        "member",
    )
    people = {
        "outsider": (make_person(session, city, name="Outsider"), 404),
        "member": (member, 404),
        "manager": (manager, 200),
        "staff": (make_person(session, city, name="Staff", is_staff=True), 200),
        "staff of another city": (make_person(session, other_city, name="Espoo", is_staff=True), None),
    }
    session.commit()
    for who, (person, expected) in people.items():
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        got = client.get(path(space)).status_code
        if expected is None:
            assert got != 200, who
            continue
        assert got == expected, who
        saved = client.post(path(space), data=filled(today)).status_code
        assert saved == (303 if expected == 200 else 404), who
        code = client.post(
            f"/en/desk/spaces/{space.id}/discount-codes", data={"code": f"CODE{person.id}", "percent": "10"}
        )
        assert code.status_code == (303 if expected == 200 else 404), who
    nobody = app.test_client()
    assert nobody.get(path(space)).status_code in {302, 303, 401}
    assert nobody.post(path(space), data=filled(today)).status_code in {302, 303, 401}


def test_a_discount_code_is_made_and_ended(
    desk: FlaskClient, session: Session, city: City, space: Space, today: date
) -> None:
    codes = f"/en/desk/spaces/{space.id}/discount-codes"
    assert (
        desk.post(codes, data={"code": " kesä-27 ", "code_amount": "5,50", "max_uses": "3"}).status_code
        == 303
    )
    code = session.scalars(select(DiscountCode)).one()
    assert (code.code, code.amount_minor, code.percent, code.max_uses, code.valid_from) == (
        "KESÄ-27",
        550,
        None,
        3,
        today,
    )
    assert "0 / 3" in desk.get(path(space)).text
    assert desk.post(f"{codes}/{code.id}/end").status_code == 303
    session.expire_all()
    assert session.scalars(select(DiscountCode)).one().max_uses == 0
    assert desk.post(f"{codes}/999999/end").status_code == 404
    assert [entry.action for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))] == [
        "discount_code.made", "discount_code.ended",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"code": "A", "percent": "10"}, "Use 3 to 40 letters and numbers."),
        ({"code": "SUMMER"}, "Give either a percentage or an amount."),
        ({"code": "SUMMER", "percent": "10", "code_amount": "3"}, "Give either a percentage or an amount."),
        ({"code": "SUMMER", "percent": "101"}, "Give a share from 1 to 100."),
        ({"code": "SUMMER", "percent": "ten"}, "Give a share from 1 to 100."),
        ({"code": "SUMMER", "percent": "9", "max_uses": "0"}, "Give a whole number from 1 to 1,000,000."),
        ({"code": "SUMMER", "percent": "9", "code_from": "2027-05-02", "code_until": "2027-05-01"}, "The last day cannot be"),
        ({"code": "SUMMER", "percent": "9", "code_from": "May"}, "Write a date such as"),
        ({"code": "TAKEN", "percent": "9"}, "There is such a code already."),
        ({"code": "\x00\x00\x00", "percent": "9"}, "Use 3 to 40 letters and numbers."),
    ],
)  # fmt: skip
def test_a_wrong_code_is_refused_at_its_field(
    desk: FlaskClient, session: Session, city: City, space: Space, today: date, data, says
) -> None:
    session.add(DiscountCode(city_id=city.id, space_id=space.id, code="TAKEN", percent=5, valid_from=today))
    session.commit()
    answer = desk.post(f"/en/desk/spaces/{space.id}/discount-codes", data=data)
    assert answer.status_code == 422
    assert says in answer.text
    assert len(session.scalars(select(DiscountCode)).all()) == 1


def test_the_group_is_that_of_the_kind_unless_the_city_gave_one(
    session: Session, city: City, app: Flask
) -> None:
    organisations = {
        kind: make_organisation(session, city, name=kind, kind=kind)
        for kind in ("association", "company", "public_body", "city_division")
    }
    ids = {kind: organisation.id for kind, organisation in organisations.items()}
    found = groups_of(session, city.id, ids.values())
    assert {kind: found[id_] for kind, id_ in ids.items()} == {
        "association": "association", "company": "company", "public_body": "resident", "city_division": "resident",
    }  # fmt: skip
    session.commit()
    run = app.test_cli_runner().invoke
    args = ["prices", "set-group", str(ids["association"]), "youth", "--city", city.slug]
    assert run(args=args).exit_code == 0
    assert groups_of(session, city.id, ids.values())[ids["association"]] == "youth"
    args[3] = "by-kind"
    assert run(args=args).exit_code == 0
    assert session.scalars(select(OrganisationGroup)).all() == []
    assert run(args=["prices", "set-group", "999999", "youth", "--city", city.slug]).exit_code == 1
    with pytest.raises(ValueError, match="pensioner"):
        give_group(
            session,
            organisations["company"],
            "pensioner",
            actor=actor_of(session, make_person(session, city, is_staff=True)),
        )


def test_an_imported_free_price_over_a_list_with_rows_is_free(
    session: Session, city: City, space: Space, today: date
) -> None:
    """The rows stay in the table and say nothing: the base row rules."""
    session.add(
        PriceVariation(
            city_id=city.id, space_id=space.id, valid_from=date(2020, 1, 1), position=0,
            days=[1], from_minute=0, to_minute=1440, amount_minor=500,
        )
    )  # fmt: skip
    price = session.scalars(select(Price)).one()
    price.per, price.amount_minor = "free", 0
    session.flush()
    terms = price_on(session, city, space.id, today)
    assert terms is not None
    assert terms.per == "free"
