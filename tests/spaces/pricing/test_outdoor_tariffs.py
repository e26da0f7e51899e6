"""The city's real outdoor tariffs give the sums of the permit system that they come from."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import system
from marketplace.cities.models import City
from spaces.pricing.actions import store_tariffs
from spaces.pricing.errors import TariffsRefused
from spaces.pricing.models import OutdoorTariff
from spaces.pricing.outdoor import (
    EVENT,
    NoTariff,
    Period,
    Tariff,
    outdoor_quote,
    tariff_for,
    units_of_time,
)
from spaces.pricing.queries import outdoor_tariffs_on
from spaces.pricing.tariffs import SOURCE, UNITS, read_tariffs

DAY = date(2026, 6, 8)  # a Monday
RENTAL = "SHORT_TERM_RENTAL"


@pytest.fixture(scope="module")
def table(shared_data: Path) -> Path:
    return shared_data / "venues" / "allu_price_tables.json"


@pytest.fixture(scope="module")
def places(shared_data: Path) -> Path:
    return shared_data / "venues" / "allu_fixed_locations.geojson"


@pytest.fixture(scope="module")
def tariffs(table: Path, places: Path) -> list[Tariff]:
    return [*read_tariffs(table), *read_tariffs(places)]


def days(first: date = DAY, count: int = 1, build: int = 0) -> Period:
    return Period(first, date.fromordinal(first.toordinal() + count - 1), build)


def test_every_event_price_of_the_file_gives_its_sum(table: Path, tariffs: list[Tariff]) -> None:
    """Three days and two build days on 25,000 m²: by hand, from the numbers of the file alone."""
    rows = json.loads(table.read_text(encoding="utf-8"))["event_zone_prices"]
    assert len(rows) == 30
    for row in rows:
        tariff = tariff_for(
            tariffs, use=EVENT, key=row["nature"], day=DAY,
            place=f"zone-{row['zone_id']}", surface=row["surface_hardness"],
        )  # fmt: skip
        day_cents = row["base_charge"] // 100 * (3 if row["nature"] == "BIG_EVENT" else 1)
        build_cents = day_cents // 2 if row["build_discount_percent"] == 50 else 0
        found = outdoor_quote(tariff, days(count=3, build=2), area_m2=25_000)
        assert found.total_minor == 3 * day_cents + 2 * build_cents, row
        eco = outdoor_quote(tariff, days(count=3, build=2), area_m2=25_000, eco=True)
        assert eco.total_minor * 10 == found.total_minor * 7, row


def test_every_other_price_of_the_file_gives_its_sum(table: Path, tariffs: list[Tariff]) -> None:
    """Monday 8 to Sunday 14 June in the row's own time, 25.5 m²."""
    rows = json.loads(table.read_text(encoding="utf-8"))["other_prices"]
    assert len(rows) == 124
    # How often the value is due for those days and that area.
    times = {
        "UNIT_PRICE": 7 * 2, "SEASON_SALE_TEN_SQM_PRICE": 7 * 3, "KESKUSKATU_SALES_TEN_SQM_PRICE": 7 * 3,
        "PROMOTION_OR_SALES_MONTHLY": 26, "STORAGE_AREA_MONTHLY_PRICE": 26, "SUMMER_TERRACE": 26, "WINTER_TERRACE": 26,
        "PARKLET": 36, "URBAN_FARMING_TERM_PRICE": 26, "BENJI_DAILY_PRICE": 7, "CIRCUS_DAILY_PRICE": 7,
    }  # fmt: skip
    seen = 0
    for row in rows:
        key = row["key"]
        if key in {"AREA_UNIT_M2", "UNDERPASS_DICOUNT_PERCENTAGE"}:
            continue
        bounds = row["validity"].strip("[()").split(",")
        year = 2025 if bounds == ["2025-03-01", "2026-03-01"] else 2024 if bounds[1] else 2026
        first = date(year, 6, 8 if year == 2026 else 9 if year == 2025 else 10)
        tariff = tariff_for(
            tariffs, use=row["application_type"], key=key, day=first, payment_class=row["payment_class"] or ""
        )
        per_day = UNITS.get(key, ("",))[0] == "day"
        expected = row["value"] * times.get(key, 7 if per_day else 1)
        assert outdoor_quote(tariff, days(first, 7), area_m2=25.5).total_minor == expected, row
        seen += 1
    assert seen == 122


def test_every_price_of_a_fixed_place_gives_its_sum(places: Path, tariffs: list[Tariff]) -> None:
    seen = 0
    for feature in json.loads(places.read_text(encoding="utf-8"))["features"]:
        about = feature["properties"]
        for row in about["prices"]:
            tariff = tariff_for(
                tariffs, use=EVENT, key=row["nature"], day=DAY, place=f"place-{about['id']}", surface="SOFT"
            )
            cents = round(row["eur_per_day"] * 100)
            assert outdoor_quote(tariff, days(count=2, build=3)).total_minor == 2 * cents + 3 * cents // 2
            seen += 1
    assert seen == 96


@pytest.mark.parametrize(
    ("what", "wanted", "period", "area", "more", "euros"),
    [
        # A free concert of two days on Narinkka A, a day to build and one to tear down: 2 × 600 + 2 × 300.
        ("Narinkka A", {"use": EVENT, "key": "PUBLIC_FREE", "place": "place-1"}, days(count=2, build=2), 728, {}, "1800"),
        ("the same as an eco event", {"use": EVENT, "key": "PUBLIC_FREE", "place": "place-1"}, days(count=2, build=2), 728, {"eco": True}, "1260"),
        # A festival that sells tickets on Senaatintori: 3 × 6000, two build days at 3000.
        ("Senaatintori", {"use": EVENT, "key": "PUBLIC_NONFREE", "place": "place-23"}, days(count=3, build=2), 5513, {}, "24000"),
        # A closed party on the grass of zone 2.
        ("zone 2", {"use": EVENT, "key": "CLOSED", "place": "zone-2", "surface": "SOFT"}, days(), 400, {}, "1000"),
        # 10,001 m² are two started ten thousands; build days of a big event are not charged.
        ("big event", {"use": EVENT, "key": "BIG_EVENT", "place": "zone-1", "surface": "HARD"}, days(count=2, build=5), 10_001, {}, "2000"),
        ("big event, just one", {"use": EVENT, "key": "BIG_EVENT", "place": "zone-1", "surface": "SOFT"}, days(count=2), 10_000, {}, "2000"),
        # A stall of 12 m² for ten days: two started tens.
        ("season sale", {"use": RENTAL, "key": "SEASON_SALE_TEN_SQM_PRICE"}, days(count=10), 12, {}, "1000"),
        ("season sale, 10 m²", {"use": RENTAL, "key": "SEASON_SALE_TEN_SQM_PRICE"}, days(count=10), 10, {}, "500"),
        # Saturday to the next Monday touches three calendar weeks.
        ("banner", {"use": RENTAL, "key": "BRIDGE_BANNER_WEEKLY_PRICE_COMMERCIAL"}, days(date(2026, 6, 13), 10), None, {}, "2250"),
        ("circus", {"use": RENTAL, "key": "CIRCUS_DAILY_PRICE"}, days(count=4), None, {}, "1000"),
        # 8 m² of pavement before a shop from 20 June to 2 August: three started months.
        ("sale strip", {"use": RENTAL, "key": "PROMOTION_OR_SALES_MONTHLY"}, Period(date(2026, 6, 20), date(2026, 8, 2)), 8, {}, "48"),
        # A terrace of 19.5 m² from April to October: seven months × 20 m² × 13.21.
        ("summer terrace", {"use": RENTAL, "key": "SUMMER_TERRACE", "payment_class": "1"}, Period(date(2026, 4, 1), date(2026, 10, 31)), 19.5, {}, "1849.40"),
        # One parking place and a bit: two steps of 12 m².
        ("parklet", {"use": RENTAL, "key": "PARKLET", "payment_class": "2"}, Period(date(2026, 5, 1), date(2026, 5, 31)), 12.5, {}, "237.84"),
        # Three started units of 15 m² for ten days, of which half the price falls away under a scaffold.
        ("area rental", {"use": "AREA_RENTAL", "key": "UNIT_PRICE", "payment_class": "1"}, days(count=10), 31, {}, "480"),
        ("with underpass", {"use": "AREA_RENTAL", "key": "UNIT_PRICE", "payment_class": "1"}, days(count=10), 31, {"left_out_percent": 50}, "240"),
        ("farming, two terms", {"use": RENTAL, "key": "URBAN_FARMING_TERM_PRICE"}, Period(date(2026, 4, 1), date(2027, 9, 30)), 49.2, {}, "200"),
    ],
)  # fmt: skip
def test_worked_examples(tariffs: list[Tariff], what, wanted, period, area, more, euros) -> None:
    tariff = tariff_for(tariffs, day=period.first, **wanted)
    found = outdoor_quote(tariff, period, area_m2=area, **more)
    assert found.total_minor == Decimal(euros) * 100, what


def test_a_new_price_holds_from_its_day_on(tariffs: list[Tariff]) -> None:
    def unit_price(day: date) -> int:
        found = tariff_for(tariffs, use="AREA_RENTAL", key="UNIT_PRICE", payment_class="1", day=day)
        return outdoor_quote(found, days(day), area_m2=15).total_minor

    assert [unit_price(day) for day in (date(2025, 2, 28), date(2025, 3, 1), date(2026, 2, 28), date(2026, 3, 1))] == [
        900, 1200, 1200, 1600,
    ]  # fmt: skip
    with pytest.raises(NoTariff):
        tariff_for(tariffs, use="EXCAVATION_ANNOUNCEMENT", key="HANDLING_FEE", day=date(2026, 3, 1))


charges = st.integers(0, 10**9)
periods = st.builds(
    days,
    st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 400), st.integers(0, 10),
)  # fmt: skip
pers = st.sampled_from(["once", "day", "week", "month", "billed_month", "year"])


@given(
    charges,
    pers,
    periods,
    st.decimals(0, 10**5, places=2),
    st.integers(0, 100),
    st.integers(0, 100),
    st.booleans(),
)
def test_lines_add_up_and_nothing_is_negative(charge, per, period, area, build, left_out, eco) -> None:
    tariff = Tariff("X", "Y", charge, per, unit_m2=Decimal(10), step_m2=Decimal(10), build_percent=build)
    found = outdoor_quote(tariff, period, area_m2=area, eco=eco, left_out_percent=left_out)
    assert found.total_minor == sum(line.total_minor for line in found.lines) >= 0


@given(charges, periods, st.decimals(0, 10**5, places=2), st.decimals(0, 10**4, places=2))
def test_more_ground_never_costs_less(charge, period, area, more) -> None:
    tariff = Tariff("X", "Y", charge, "day", unit_m2=Decimal(1), step_m2=Decimal(12), build_percent=50)
    assert (
        outdoor_quote(tariff, period, area_m2=area).total_minor
        <= outdoor_quote(tariff, period, area_m2=area + more).total_minor
    )


def test_calendar_units_are_the_started_ones() -> None:
    assert units_of_time("week", date(2026, 6, 14), date(2026, 6, 15)) == 2  # Sunday to Monday
    assert units_of_time("month", date(2026, 1, 31), date(2026, 2, 1)) == 2
    assert units_of_time("year", date(2026, 12, 31), date(2027, 1, 1)) == 2
    assert [
        units_of_time("billed_month", date(2026, 4, day), last)
        for day, last in ((1, date(2026, 4, 2)), (15, date(2026, 10, 31)), (15, date(2026, 4, 20)))
    ] == [1, 6, 1]
    with pytest.raises(ValueError, match="no unit"):
        units_of_time("fortnight", DAY, DAY)


def test_importing_again_changes_nothing(
    session: Session, city: City, tariffs: list[Tariff], table: Path, app
) -> None:
    actor = system(city.id, "command")
    first = store_tariffs(session, city, tariffs, source=SOURCE, actor=actor)
    assert (first.created, first.updated, first.unchanged) == (248, 0, 0)
    again = store_tariffs(session, city, tariffs, source=SOURCE, actor=actor)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 248)
    dearer = Tariff(**{**tariffs[0].__dict__, "charge": 1})
    assert store_tariffs(session, city, [dearer], source=SOURCE, actor=actor).updated == 1
    rows = outdoor_tariffs_on(session, city.id, DAY, place="zone-1")
    assert len(rows) == 10
    assert (
        outdoor_quote(
            tariff_for(rows, use=EVENT, key="BIG_EVENT", day=DAY, place="zone-1", surface="SOFT"),
            days(),
            area_m2=5,
        ).total_minor
        == 100_000
    )
    session.commit()
    result = app.test_cli_runner().invoke(args=["prices", "import-tariffs", str(table), "--city", city.slug])
    assert result.output == "152 tariffs: 0 created, 1 updated, 151 unchanged.\n"
    assert session.scalar(select(func.count()).select_from(OutdoorTariff)) == 248


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "not UTF-8: byte 0"),
        (b"{", "not JSON"),
        (b"[]", "JSON list"),
        (b"{}", "neither a price table"),
        (b'{"other_prices": []}', "no price in this file"),
        (b'{"other_prices": {}}', "other_prices is not a list"),
        (b'{"other_prices": [3]}', "row 1 is not an object"),
        (
            b'{"event_zone_prices": [{"zone_id": 1, "nature": "SECRET", "surface_hardness": "HARD"}]}',
            "row 1: nature is 'SECRET'",
        ),
        (
            (
                b'{"event_zone_prices": [{"zone_id": 1, "nature": "CLOSED", "surface_hardness": "HARD",'
                b' "base_charge": 1.5, "build_discount_percent": 0}]}'
            ),
            "base_charge is 1.5",
        ),
        (
            b'{"other_prices": [{"application_type": "A", "key": "NEW_FEE", "value": 1, "validity": "(,)"}]}',
            "nobody has told what A NEW_FEE is charged by",
        ),
        (
            b'{"other_prices": [{"application_type": "A", "key": "PARKLET", "value": 1, "validity": "[2026-02-30,)"}]}',
            "names a day that does not exist",
        ),
        (
            (
                b'{"other_prices": [{"application_type": "A", "key": "PARKLET", "value": 1, "validity": "(,2026-01-02)"},'
                b'{"application_type": "A", "key": "PARKLET", "value": 2, "validity": "[2026-01-01,)"}]}'
            ),
            "A PARKLET has two prices from 2026-01-01 on",
        ),
        (
            b'{"other_prices": [{"application_type": "AREA_RENTAL", "key": "UNIT_PRICE", "value": 1, "validity": "(,)"}]}',
            "no AREA_UNIT_M2",
        ),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, content: bytes, says: str
) -> None:
    file = tmp_path / "tariffs.json"
    file.write_bytes(content)
    with pytest.raises(TariffsRefused) as refused:
        read_tariffs(file)
    assert says in str(refused.value)
