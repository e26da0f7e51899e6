"""Price lists in tables: what goes out comes back, what is told is written and told before, what cannot be is refused."""

import csv
import io
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.pricing.lists import MOST_MINOR, PriceList, tidy
from spaces.pricing.models import OutdoorTariff, Price, PriceVariation
from spaces.pricing.queries import price_lists_of, price_on
from spaces.pricing.rules import CUSTOMER_GROUPS, Variation
from spaces.transfer.errors import RecordBroken
from spaces.transfer.price_text import (
    check_lists,
    in_force,
    lists_to_write,
    prices_text,
    read_prices,
    same_content,
    stored_form,
)
from tests.factories.spaces import make_space, make_venue

LONG_AGO = date(2020, 1, 1)
RICH = (
    "2020-01-01 20.00 per hour minimum=10.00 | association 10.00 | youth 5.00 mo-fr 08:00-16:00"
    " | everyone 25.00 sa,su 08:00-24:00"
)


def table(path: Path, *rows: dict[str, Any]) -> Path:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(column for row in rows for column in row)))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


@pytest.fixture
def today(city: City) -> date:
    return now().astimezone(city.zone).date()


@pytest.fixture
def space(session: Session, city: City) -> Space:
    """20 € an hour from long ago."""
    space = make_space(session, make_venue(session, city, source="test", external_id="1"), external_id="1")
    session.commit()
    return space


def told(**cells: Any) -> dict[str, Any]:
    return {"place_source": "test", "place_id": "1", "space_id": "1", **cells}


minutes = st.integers(0, 1439)
variations = st.builds(
    lambda amount, group, days, start, length: Variation(
        amount, group, frozenset(days), start, min(1440, start + length)
    ),
    st.integers(0, MOST_MINOR),
    st.none() | st.sampled_from(CUSTOMER_GROUPS),
    st.sets(st.integers(1, 7), min_size=1),
    minutes,
    st.integers(1, 1440),
)
priced_lists = st.builds(
    PriceList,
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["free", "hour", "slot", "day", "fixed", "m2_day"]),
    st.none() | st.integers(0, MOST_MINOR),
    st.integers(5, 1440),
    st.integers(0, MOST_MINOR),
    st.integers(0, 100),
    st.sampled_from(["standard", "reduced"]),
    st.lists(variations, max_size=5).map(tuple),
).map(tidy)


@given(st.lists(priced_lists, max_size=4, unique_by=lambda one: one.valid_from))
def test_lists_come_back_from_a_cell(lists: list[PriceList]) -> None:
    ordered = tuple(sorted(lists, key=lambda one: one.valid_from))
    assert read_prices(prices_text(lists)) == (ordered or None)


@given(
    st.lists(priced_lists, min_size=1, max_size=3, unique_by=lambda one: one.valid_from),
    st.lists(priced_lists, max_size=3, unique_by=lambda one: one.valid_from),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
)
def test_writing_twice_writes_nothing_the_second_time(
    asked: list[PriceList], stored: list[PriceList], today: date
) -> None:
    asked.sort(key=lambda one: one.valid_from)
    stored = [stored_form(one, one.valid_from) for one in stored]
    writes = lists_to_write(asked, stored, today)
    after = {one.valid_from: one for one in stored} | {one.valid_from: one for one in writes}
    assert all(one.valid_from >= today for one in writes)
    assert lists_to_write(asked, list(after.values()), today) == []
    begun = [one for one in asked if one.valid_from <= today]
    if begun:
        holds = in_force(list(after.values()), today)
        assert holds is not None
        assert same_content(begun[-1], holds)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-01 20.00 per hour steps=72:50,24:100",
        "2026-01-01 20.00 per hour steps=72:25 fee=5.00 rebooked=refund",
        "2026-01-01 20.00 per hour kept=50 fee=5.00",
    ],
)
def test_what_is_said_of_cancelling_comes_back_from_a_cell(cell: str) -> None:
    lists = read_prices(cell) or ()
    check_lists(lists)
    assert prices_text(tidy(one) for one in lists) == cell
    assert lists_to_write(lists, [tidy(one) for one in lists], date(2026, 6, 1)) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("steps=72", "is not like steps=72:50,24:100"),
        ("steps=72:50,24:40", "must not get smaller"),
        ("steps=72:50,72:60", "begin at the same time"),
        ("steps=72:50 kept=50", "in the place of kept="),
        ("rebooked=yes", "is not rebooked=refund"),
        ("fee=x", "is no amount"),
    ],
)
def test_what_is_wrong_of_cancelling_is_named(words: str, reason: str) -> None:
    with pytest.raises(RecordBroken) as broken:
        check_lists(read_prices(f"2026-01-01 20.00 per hour {words}") or ())
    assert reason in broken.value.reason


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(cell: str) -> None:
    with suppress(RecordBroken):
        check_lists(read_prices(cell) or ())


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("- per hour | everyone 5.00 mo-fr", "no price for sa 00:00–24:00"),
        ("- per hour | everyone 5.00 mo-su 08:00-22:00", "no price for mo 00:00–08:00"),
        ("20 per hour | association 10 | association 8 mo", "contradict each other: association, mo"),
        ("20 per hour | everyone 9 sa 10:00-14:00 | everyone 8 sa 13:00-15:00", "everyone, sa 13:00–14:00"),
        ("20 per week", "is not like 2026-01-01 20.00 per hour"),
        ("20 per hour | boys 3", "it is for everyone, resident, association, youth, company"),
        ("20 per hour | youth 3 mox", "'mox' is no weekday"),
        ("20 per hour | youth 3 08:00-25:00", "are no times"),
        ("20 per hour | youth 3 10:00-08:00", "the end must be later"),
        ("20 per day | youth 3 10:00-12:00", "a price per day holds from 0 to 24"),
        ("20 per hour slot=30", "belongs to a price per slot"),
        ("20 per slot slot=3", "length of a slot"),
        ("20 per hour build=50", "belongs to a price per day"),
        ("20 per hour discount=3", "'discount'"),
        ("free | youth 3", "goes with no other prices"),
        ("-5 per hour", "no amount"),
        ("1e9 per hour", "no amount"),
        ("2026-13-01 5 per hour", "no day"),
        ("2026-01-01 5 per hour; 2026-01-01 6 per hour", "two lists begin on 2026-01-01"),
        ("; ".join(f"{2000 + n}-01-01 5 per hour" for n in range(21)), "at most 20"),
        ("per tariff", "belong together"),
        ("per tariff tariff=a/b", "is not source/use/key"),
        ("2.50 per m2_day", "the area of the space is not known"),
        ("20 per hour vat=luxury", "no tax rate 'luxury'"),
        ("2199-01-01 20 per hour", "within five years"),
        ("per tariff tariff=allu/EVENT//nowhere//", "has no such price"),
    ],
)
def test_a_list_that_cannot_be_is_refused_with_its_row(
    session: Session, space: Space, tmp_path: Path, import_file, rows_written, cell: str, reason: str
) -> None:
    path = table(tmp_path / "a.csv", told(name="Talo", prices=cell), told(place_id="2", name="Toinen"))
    before = rows_written()
    report = import_file(path, dry_run=True)
    (problem,) = report.problems
    assert (problem.field, reason in problem.reason) == ("prices", True), problem
    assert problem.where.startswith("row 2") or "2" in problem.where.split()[1]
    assert report.created == 1
    assert rows_written() == before
    import_file(path)
    assert [one.per for one in price_lists_of(session, space.city_id, space.id)] == ["hour"]


def test_a_told_list_holds_from_today_and_the_trail_has_both(
    session: Session, city: City, space: Space, today: date, tmp_path: Path, import_file, rows_written
) -> None:
    coming = today + timedelta(days=30)
    path = table(tmp_path / "a.csv", told(prices=f"{RICH}; {coming} 30.00 per slot slot=45"))
    dry = import_file(path, dry_run=True)
    fields = {one.field: (one.old, one.new) for change in dry.changes for one in change.fields}
    assert fields[f"spaces/1/prices/{today}/minimum"] == ("0.00", "10.00")
    assert fields[f"spaces/1/prices/{today}/rows"][1] == [
        "association 10.00",
        "youth 5.00 mo-fr 08:00-16:00",
        "everyone 25.00 sa,su 08:00-24:00",
    ]
    assert f"spaces/1/prices/{today}/amount" not in fields
    assert fields[f"spaces/1/prices/{coming}/per"] == ("hour", "slot")
    report = import_file(path)
    assert (report.updated, report.problems) == (1, [])
    lists = price_lists_of(session, city.id, space.id)
    assert [(one.valid_from, one.per) for one in lists] == [
        (coming, "slot"),
        (today, "hour"),
        (LONG_AGO, "hour"),
    ]
    assert (lists[0].slot_minutes, lists[1].minimum_minor, len(lists[1].rows)) == (45, 1000, 3)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "venue.imported")).one()
    assert entry.details["after"][f"spaces/1/prices/{today}/minimum"] == "10.00"
    before = rows_written()
    again = import_file(path, anew=True)
    assert (again.unchanged, again.updated) == (1, 0)
    assert rows_written() == before


FORMATS = [("csv", "csv"), ("xlsx", "xlsx"), ("geojson", "geojson"), ("geopackage", "gpkg")]
EVERY_KIND = [
    RICH,
    "2020-01-01 15.00 per slot slot=45",
    "2020-01-01 99.90 per fixed | company 120.00",
    "2020-01-01 2.50 per m2_day build=50",
    "2020-01-01 180.00 per day build=25 | everyone 240.00 fr-su; COMING free",
    "2020-01-01 free",
    "2020-01-01 0.00 per hour",
]


@pytest.mark.parametrize(("name", "ending"), FORMATS)
def test_every_kind_of_list_comes_back_here_and_elsewhere(
    session: Session, city: City, today: date, import_file, export, rows_written, name: str, ending: str
) -> None:
    venue = make_venue(session, city, source="test", external_id="1")
    kinds = [cell.replace("COMING", str(today + timedelta(days=40))) for cell in EVERY_KIND]
    for n, cell in enumerate(kinds):
        space = make_space(session, venue, external_id=str(n), area_m2=80.0)
        session.execute(delete(Price).where(Price.space_id == space.id))
        store(session, space, cell)
    session.commit()
    path = export(name, ending)
    before = rows_written()
    report = import_file(path)
    assert (report.unchanged, report.problems) == (1, [])
    assert rows_written() == before
    for model in (SpaceUnit, Space, Unit, Venue):
        session.execute(delete(model))
    session.expire_all()
    assert import_file(path).problems == []
    cells = {
        space.external_id: prices_text(price_lists_of(session, city.id, space.id))
        for space in session.scalars(select(Space))
    }
    assert cells == {str(n): cell for n, cell in enumerate(kinds)}


def store(session: Session, space: Space, cell: str) -> None:
    for one in read_prices(cell) or ():
        key = {"city_id": space.city_id, "space_id": space.id, "valid_from": one.valid_from}
        session.add(
            Price(
                **key, per=one.per, amount_minor=one.base_minor, slot_minutes=one.slot_minutes,
                minimum_minor=one.minimum_minor, build_percent=one.build_percent, vat_code=one.vat_code,
            )
        )  # fmt: skip
        session.flush()
        for at, row in enumerate(one.rows):
            session.add(
                PriceVariation(
                    **key, position=at, group_code=row.group, days=sorted(row.days),
                    from_minute=row.from_minute, to_minute=row.to_minute, amount_minor=row.amount_minor,
                )
            )  # fmt: skip
    session.flush()


def test_a_base_price_alone_keeps_what_else_the_owner_has_set(
    session: Session, city: City, space: Space, today: date, tmp_path: Path, import_file
) -> None:
    session.execute(delete(Price).where(Price.space_id == space.id))
    store(session, space, RICH)
    session.commit()
    import_file(table(tmp_path / "a.csv", told(price_per="hour", price="22")))
    latest = price_lists_of(session, city.id, space.id)[0]
    assert (latest.valid_from, latest.amount_minor, latest.minimum_minor) == (today, 2200, 1000)
    assert len(latest.rows) == 3
    import_file(table(tmp_path / "b.csv", told(price_per="day", price="90")))
    latest = price_lists_of(session, city.id, space.id)[0]
    assert (latest.valid_from, latest.per, latest.rows, latest.minimum_minor) == (today, "day", (), 0)


def test_a_base_price_that_is_not_that_of_the_list_is_refused(
    space: Space, tmp_path: Path, import_file
) -> None:
    (problem,) = import_file(
        table(tmp_path / "a.csv", told(price_per="hour", price="25", prices="20.00 per hour"))
    ).problems
    assert problem.field == "price"
    assert "25.00 hour standard is not the 20.00 hour standard" in problem.reason


def test_an_empty_cell_leaves_the_lists(session: Session, space: Space, tmp_path: Path, import_file) -> None:
    import_file(table(tmp_path / "a.csv", told(capacity=7, prices="")))
    assert [one.amount_minor for one in price_lists_of(session, space.city_id, space.id)] == [2000]


def test_a_list_by_the_citys_tariff(
    session: Session, city: City, today: date, tmp_path: Path, import_file, export
) -> None:
    session.add(
        OutdoorTariff(
            city_id=city.id, source="allu", use="EVENT", key="PUBLIC_FREE", place="zone-1",
            valid_from=LONG_AGO, charge=500_000, per="day",
        )
    )  # fmt: skip
    session.commit()
    cell = "2020-01-01 per tariff tariff=allu/EVENT//zone-1//"
    row = told(name="Aukio", lat=60.18, lon=24.95, area_m2=100, prices=cell)
    assert import_file(table(tmp_path / "a.csv", row)).problems == []
    space = session.scalars(select(Space)).one()
    (list_,) = price_lists_of(session, city.id, space.id)
    assert (list_.per, list_.tariff.place if list_.tariff else "") == ("tariff", "zone-1")
    terms = price_on(session, city, space.id, today)
    assert terms is not None
    assert list_.base_minor == terms.amount.minor > 0
    session.execute(text("UPDATE venue SET fingerprint = NULL"))
    assert import_file(export("csv", "csv")).unchanged == 1
