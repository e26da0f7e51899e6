"""The owner's page of equipment: who gets in, what it saves, what it says when something is wrong."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.details import Details
from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.unit_actions import cover_units, remove_unit
from spaces.catalog.desk_queries import units_of_venue
from spaces.catalog.errors import UnitNotFound
from spaces.catalog.models import Space, Unit
from spaces.equipment.models import Extra
from spaces.equipment.queries import extras_of_venue
from tests.factories.bookings import book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.equipment import make_extra
from tests.factories.listings import Supplier, give, make_supplier
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in

TABLES = {
    "names_fi": "Pöydät",
    "names_en": "Tables",
    "stock": "20",
    "per": "booking",
    "amount": "2,50",
    "vat_code": "standard",
}


@pytest.fixture
def supplier(session: Session, city: City) -> Supplier:
    supplier = make_supplier(session, city, state="published")
    session.commit()
    return supplier


@pytest.fixture
def browser(app: Flask, session: Session) -> Callable[[Person], FlaskClient]:
    def start(person: Person) -> FlaskClient:
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        return client

    return start


@pytest.fixture
def owner(supplier: Supplier, browser: Callable[[Person], FlaskClient]) -> FlaskClient:
    return browser(supplier.person)


def path(supplier: Supplier, rest: str = "") -> str:
    return f"/en/desk/venues/{supplier.venue.id}/equipment{rest}"


def kept(session: Session, supplier: Supplier) -> list[tuple[str, int, str, int]]:
    session.expire_all()
    return [
        (one.extra.names["fi"], one.stock, one.extra.per, one.extra.amount_minor)
        for one in extras_of_venue(session, supplier.venue)
    ]


def prefixed(extra: Extra, values: dict[str, str]) -> dict[str, str]:
    return {f"extra{extra.id}-{name}": text for name, text in values.items()}


def audited(session: Session) -> list[tuple[str, dict[str, object]]]:
    rows = session.execute(
        select(AuditEntry.action, AuditEntry.details)
        .where(AuditEntry.action.like("equipment.%"))
        .order_by(AuditEntry.id)
    )
    return [(action, details) for action, details in rows]


def test_an_owner_adds_changes_and_takes_away(
    session: Session, owner: FlaskClient, supplier: Supplier
) -> None:
    assert "Nothing yet." in owner.get(path(supplier)).text
    values = {**TABLES, "spaces": str(supplier.space.id), "submission": "once"}
    for _ in range(2):  # pressed twice
        assert owner.post(path(supplier), data=values).status_code == 303
    assert kept(session, supplier) == [("Pöydät", 20, "booking", 250)]
    page = owner.get(path(supplier)).text
    assert "20 pieces" in page
    assert "€2.50 each" in page
    extra = session.scalars(select(Extra)).one()
    changed = prefixed(
        extra, {**TABLES, "stock": "12", "per": "hour", "amount": "1", "most": "6", "names_en": ""}
    )
    assert owner.post(path(supplier, f"/{extra.id}"), data=changed).status_code == 303
    assert kept(session, supplier) == [("Pöydät", 12, "hour", 100)]
    assert owner.post(path(supplier, f"/{extra.id}/removal")).status_code == 303
    assert kept(session, supplier) == []
    actions = audited(session)
    assert [action for action, _ in actions] == ["equipment.added", "equipment.changed", "equipment.removed"]
    assert actions[1][1]["before"] == {
        "names": {"fi": "Pöydät", "en": "Tables"}, "stock": 20, "per": "booking", "amount_minor": 250,
        "most": None, "offered_with": [{"fi": "Iso sali", "sv": "Stora salen", "en": "Big hall"}],
    }  # fmt: skip
    assert owner.get(f"/en/desk/spaces/{supplier.space.id}/history").status_code == 200


def test_the_stock_is_not_lowered_below_what_is_promised(
    session: Session, city: City, owner: FlaskClient, supplier: Supplier
) -> None:
    day = now().astimezone(city.zone).date()
    hall = open_space(session, city, supplier.venue, first=day)
    extra = make_extra(session, city, [hall], stock=20)
    booker = actor_of(session, make_person(session, city))
    from datetime import timedelta  # noqa: PLC0415

    when = span_on(city, 10, 12, day=day + timedelta(days=1))
    book(session, city, hall, booker, when, at=now(), details=Details(extras={extra.id: 12}))
    session.commit()
    values = prefixed(extra, {**TABLES, "stock": "11"})
    answer = owner.post(path(supplier, f"/{extra.id}"), data=values)
    assert answer.status_code == 409
    assert "10.00" in answer.text
    assert "12 promised" in answer.text
    assert 'value="11"' in answer.text
    assert [row[1] for row in kept(session, supplier)] == [20]


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("names_fi", "", "Write a name in at least one language."),
        ("stock", "0", "Write a whole number from 1 to 10000."),
        ("stock", "10001", "Write a whole number from 1 to 10000."),
        ("stock", "kaksi", "Write a whole number from 1 to 10000."),
        ("amount", "", "Write an amount such as 12 or 13,50."),
        ("amount", "0", "Give an amount up to 100,000"),
        ("amount", "-3", "Write an amount such as 12 or 13,50."),
        ("amount", "999999", "Give an amount up to 100,000"),
        ("most", "21", "From 1 to as many as there are"),
        ("per", "minute", "Not a valid choice"),
        ("vat_code", "none", "Not a valid choice"),
        ("spaces", "999999", "not a valid choice"),
        ("spaces", "x", "could not be coerced"),
        ("names_fi", "x" * 121, "120"),
    ],
)
def test_bad_input_is_told_beside_the_field_and_saves_nothing(
    session: Session, owner: FlaskClient, supplier: Supplier, name: str, typed: str, said: str
) -> None:
    values = {**TABLES, "names_en": "" if name == "names_fi" else "Tables", name: typed}
    answer = owner.post(path(supplier), data=values)
    assert answer.status_code == 422
    assert said in answer.text
    assert kept(session, supplier) == []
    assert session.scalars(select(Unit.id).where(Unit.is_equipment)).all() == []


def test_only_those_who_run_the_place_get_in(
    session: Session, city: City, app: Flask, supplier: Supplier, browser: Callable[[Person], FlaskClient]
) -> None:
    extra = make_extra(session, city, [supplier.space])
    outsider = make_person(session, city)
    member = make_person(session, city)
    join(session, member, supplier.organisation, "booker")
    elsewhere = make_person(session, city)
    join(session, elsewhere, make_organisation(session, city), "manager")
    others = [outsider, member, elsewhere, make_person(session, make_city(session, "espoo"), is_staff=True)]
    for role in ("handler", "viewer", "crew"):
        person = make_person(session, city)
        give(session, supplier.venue, person, role)
        others.append(person)
    before = kept(session, supplier)
    for client in [app.test_client(), *map(browser, others)]:
        assert client.get(path(supplier)).status_code in {302, 303, 404}
        for rest in ("", f"/{extra.id}", f"/{extra.id}/removal"):
            assert client.post(path(supplier, rest), data=TABLES).status_code in {302, 303, 404}
    assert kept(session, supplier) == before
    for role, person in (
        ("manager", make_person(session, city)),
        ("staff", make_person(session, city, is_staff=True)),
    ):
        if role == "manager":
            give(session, supplier.venue, person, role)
        assert browser(person).get(path(supplier)).status_code == 200


def test_equipment_of_another_place_is_not_found_here(
    session: Session, city: City, owner: FlaskClient, supplier: Supplier
) -> None:
    other = make_supplier(session, city)
    extra = make_extra(session, city, [other.space])
    session.commit()
    for extra_id in (extra.id, 10**30):
        assert owner.post(path(supplier, f"/{extra_id}"), data=prefixed(extra, TABLES)).status_code == 404
        assert owner.post(path(supplier, f"/{extra_id}/removal")).status_code == 404
    foreign = {**TABLES, "spaces": str(other.space.id)}
    assert owner.post(path(supplier), data=foreign).status_code == 422


def test_equipment_is_no_part_of_the_place(session: Session, city: City, supplier: Supplier) -> None:
    extra = make_extra(session, city, [supplier.space])
    assert extra.unit_id not in {unit.id for unit in units_of_venue(session, supplier.venue)}
    with pytest.raises(UnitNotFound):
        remove_unit(session, city, supplier.venue, extra.unit_id, actor=supplier.actor, at=now())
    with pytest.raises(UnitNotFound):
        cover_units(
            session, city, supplier.space, supplier.venue, [extra.unit_id], actor=supplier.actor, at=now()
        )


def test_a_copied_space_offers_the_same(
    session: Session, owner: FlaskClient, supplier: Supplier, city: City
) -> None:
    make_extra(session, city, [supplier.space])
    session.commit()
    assert owner.post(f"/en/desk/spaces/{supplier.space.id}/copies").status_code == 303
    copy = session.scalars(select(Space).where(Space.id != supplier.space.id)).one()
    (one,) = extras_of_venue(session, supplier.venue)
    assert one.space_ids == {supplier.space.id, copy.id}
