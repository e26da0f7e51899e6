"""Booking an outdoor area by the city's tariff: what is asked, Allu's sums with the tax on top, what is kept."""

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import prices_for
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import NotOnOffer, OutdoorUseWrong, PriceChanged
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.models import Person
from marketplace.cities.models import City, VatRate
from marketplace.clock import now
from marketplace.notifications.models import Mail
from marketplace.timespan import Span, instant, local_days
from spaces.catalog.models import Space, Venue
from spaces.pricing.actions import set_prices, store_tariffs
from spaces.pricing.errors import PriceListWrong
from spaces.pricing.lists import PriceList
from spaces.pricing.models import Price
from spaces.pricing.outdoor import NATURES, Period, Tariff, TariffChoice, outdoor_quote, tariff_for
from spaces.pricing.queries import choices_on, price_on
from spaces.pricing.rules import BuildDays, OutdoorUse, quote
from tests.bookings.lifecycle.test_pages import filled, only_booking, text_of
from tests.factories.bookings import NOW, book, open_space
from tests.factories.people import actor_of

DAY = date(2026, 12, 1)
TEN_THOUSAND = Decimal(10_000)
# Zone 2 on soft ground as Allu has it (hundredths of a cent), and a terrace by the month and square metre.
TARIFFS = [
    *(
        Tariff("EVENT", key, charge, "day", place="zone-2", surface="SOFT", build_percent=50)
        for key, charge in (("PUBLIC_FREE", 5_000_000), ("PUBLIC_NONFREE", 10_000_000), ("CLOSED", 10_000_000), ("PROMOTION", 5_000_000))
    ),
    Tariff("EVENT", "BIG_EVENT", 5_000_000, "day", place="zone-2", surface="SOFT", unit_m2=TEN_THOUSAND, step_m2=TEN_THOUSAND, build_percent=0),
    Tariff("SHORT_TERM_RENTAL", "SUMMER_TERRACE", 132_100, "billed_month", payment_class="1", unit_m2=Decimal(1), step_m2=Decimal(1)),
    Tariff("SHORT_TERM_RENTAL", "SEASON_SALE_TEN_SQM_PRICE", 500_000, "day", unit_m2=Decimal(10), step_m2=Decimal(10)),
    Tariff("EVENT", "HANDLING_FEE", 1_000_000, "once"),
    Tariff("EXCAVATION_ANNOUNCEMENT", "LESS_THAN_60M2", 1_000_000, "day", payment_class="1"),
]  # fmt: skip
EVENTS = TariffChoice("allu", "EVENT", "", "zone-2", "SOFT", "")


def priced(
    session: Session,
    city: City,
    choice: TariffChoice = EVENTS,
    *,
    area: float | None = 900,
    first: date = DAY,
    vat_code: str = "standard",
    **fields: Any,
) -> Space:
    """A park booked by whole days, priced by the tariff."""
    store_tariffs(session, city, TARIFFS, source="allu", actor=system(city.id, "test"))
    values: dict[str, Any] = {
        "whole_days": True, "min_minutes": 720, "max_minutes": 20160, "interval_minutes": 720, "capacity": 150,
        "hours": (time(0), time(0)), "kind": "park", **fields,
    }  # fmt: skip
    park = open_space(session, city, first=first, last=first + timedelta(days=40), area_m2=area, **values)
    list_ = PriceList(first - timedelta(days=8), "tariff", 0, vat_code=vat_code, tariff=choice)
    venue = session.get_one(Venue, (city.id, park.venue_id))
    staff = Actor(city.id, is_staff=True)
    set_prices(session, park, venue, list_, actor=staff, today=list_.valid_from)
    return park


def days_from(city: City, first: date, count: int) -> Span:
    return Span(
        instant(first, time(0), city.zone), instant(first + timedelta(days=count), time(0), city.zone)
    )


def asked(session: Session, city: City, park: Space, during: Span, details: Details) -> Any:
    _, prices = prices_for(session, city, park, during, [None], at=NOW, details=details)
    return prices[None]


def test_an_event_with_build_days_is_allus_sum_and_the_tax_on_top(
    session: Session, city: City, person: Person
) -> None:
    park = priced(session, city)
    during = days_from(city, DAY, 4)
    details = Details(build=BuildDays(1, 1), use=OutdoorUse("PUBLIC_NONFREE", Decimal(400)))
    booking = book(session, city, park, actor_of(session, person), during, details=details)
    # Two days at 1,000 €, a day to build up and one to tear down at half of it, 25.5 % of tax.
    assert [(line["code"], line["quantity"], line["total_minor"]) for line in booking.lines] == [
        ("tariff_day", "2", 200_000), ("tariff_build", "2", 100_000), ("tariff_vat", "1", 76_500),
    ]  # fmt: skip
    assert booking.lines[0]["note"] == "PUBLIC_NONFREE"
    assert (booking.total_minor, booking.vat_minor) == (376_500, 76_500)
    assert booking.outdoor_use == {
        "nature": "PUBLIC_NONFREE", "area_m2": "400", "eco": False, "build_before": 1, "build_after": 1,
    }  # fmt: skip


def test_an_eco_event_costs_30_per_cent_less_and_a_permit_may_be_without_tax(
    session: Session, city: City
) -> None:
    session.add(VatRate(city_id=city.id, code="zero", valid_from=date(2024, 1, 1), basis_points=0))
    session.flush()
    park = priced(session, city, vat_code="zero")
    cost = asked(
        session, city, park, days_from(city, DAY, 2), Details(use=OutdoorUse("PUBLIC_FREE", eco=True))
    )
    assert [line.code for line in cost.lines] == ["tariff_day", "tariff_eco"]
    assert (cost.total.minor, cost.vat.minor) == (70_000, 0)


def test_by_the_area_the_booker_says_how_much_is_used(session: Session, city: City) -> None:
    stall = priced(
        session, city, TariffChoice("allu", "SHORT_TERM_RENTAL", "SEASON_SALE_TEN_SQM_PRICE"), area=40
    )
    during = days_from(city, DAY, 3)
    # 12 m² are two started tens at 50 €; without a word it is the whole area.
    assert (
        asked(session, city, stall, during, Details(use=OutdoorUse(area_m2=Decimal(12)))).total.minor
        == 37_650
    )
    assert asked(session, city, stall, during, Details(use=OutdoorUse())).total.minor == 75_300
    with pytest.raises(OutdoorUseWrong):
        asked(session, city, stall, during, Details(use=OutdoorUse(area_m2=Decimal("40.01"))))


def test_an_area_that_nobody_knows_must_be_told(session: Session, city: City, person: Person) -> None:
    stall = priced(
        session, city, TariffChoice("allu", "SHORT_TERM_RENTAL", "SEASON_SALE_TEN_SQM_PRICE"), area=None
    )
    actor = actor_of(session, person)
    during = days_from(city, DAY, 1)
    with pytest.raises(OutdoorUseWrong) as refused:
        book(session, city, stall, actor, during, details=Details(use=OutdoorUse()))
    assert [(error.field, error.code) for error in refused.value.fields] == [("area_m2", "no-area")]
    booking = book(session, city, stall, actor, during, details=Details(use=OutdoorUse(area_m2=Decimal(25))))
    assert booking.total_minor == 18_825


@pytest.mark.parametrize("use", [None, OutdoorUse(), OutdoorUse("WEDDING"), OutdoorUse("BIG_EVENT")])
def test_the_nature_of_the_use_must_be_told(
    session: Session, city: City, person: Person, use: OutdoorUse | None
) -> None:
    """A big event needs ten thousand square metres, which this park does not have."""
    park = priced(session, city)
    with pytest.raises(OutdoorUseWrong):
        book(
            session, city, park, actor_of(session, person), days_from(city, DAY, 1), details=Details(use=use)
        )
    assert session.scalars(select(Booking)).all() == []


def test_a_large_park_has_big_events(session: Session, city: City) -> None:
    park = priced(session, city, area=25_000)
    cost = asked(session, city, park, days_from(city, DAY, 2), Details(use=OutdoorUse("BIG_EVENT")))
    assert cost.lines[0].total.minor == 2 * 3 * 50_000


def test_the_least_price_is_seen_and_more_is_not_charged_unseen(
    session: Session, city: City, person: Person
) -> None:
    park = priced(session, city)
    during = days_from(city, DAY, 2)
    terms = price_on(session, city, park.id, DAY)
    assert terms is not None
    assert quote(terms, during, city.zone).total.minor == 125_500
    with pytest.raises(PriceChanged):
        book(
            session, city, park, actor_of(session, person), during,
            expected_total_minor=125_500, details=Details(use=OutdoorUse("CLOSED")),
        )  # fmt: skip


def test_the_search_compares_the_least_of_a_day_with_tax(session: Session, city: City) -> None:
    park = priced(session, city)
    stored = select(Price.amount_minor).where(Price.space_id == park.id, Price.per == "tariff")
    assert session.scalar(stored) == 62_750
    dearer = [Tariff("EVENT", "PUBLIC_FREE", 9_000_000, "day", place="zone-2", surface="SOFT", build_percent=50),
              Tariff("EVENT", "PROMOTION", 8_000_000, "day", place="zone-2", surface="SOFT", build_percent=50)]  # fmt: skip
    store_tariffs(session, city, dearer, source="allu", actor=system(city.id, "test"))
    assert session.scalar(stored) == 100_400
    terms = price_on(session, city, park.id, DAY)
    assert terms is not None
    assert terms.amount.minor == 100_400


def test_without_a_row_that_holds_it_is_not_on_offer(session: Session, city: City) -> None:
    park = priced(session, city)
    ended = [Tariff(row.use, row.key, row.charge, row.per, row.place, row.surface, valid_until=DAY, build_percent=row.build_percent)
             for row in TARIFFS if row.use == "EVENT" and row.place and row.unit_m2 is None]  # fmt: skip
    store_tariffs(session, city, ended, source="allu", actor=system(city.id, "test"))
    assert price_on(session, city, park.id, DAY - timedelta(days=1)) is not None
    with pytest.raises(NotOnOffer):
        asked(session, city, park, days_from(city, DAY, 1), Details())


def test_what_an_owner_can_choose(session: Session, city: City) -> None:
    store_tariffs(session, city, TARIFFS, source="allu", actor=system(city.id, "test"))
    assert choices_on(session, city.id, DAY) == [
        EVENTS,
        TariffChoice("allu", "SHORT_TERM_RENTAL", "SEASON_SALE_TEN_SQM_PRICE"),
        TariffChoice("allu", "SHORT_TERM_RENTAL", "SUMMER_TERRACE", payment_class="1"),
    ]


@pytest.mark.parametrize(
    "choice",
    [
        None,
        TariffChoice("allu", "EVENT", "", "zone-9", "SOFT"),
        TariffChoice("allu", "SHORT_TERM_RENTAL", ""),
        TariffChoice("elsewhere", "EVENT", "", "zone-2", "SOFT"),
        TariffChoice("allu", "EXCAVATION_ANNOUNCEMENT", "LESS_THAN_60M2", payment_class="1"),
    ],
)
def test_a_row_that_is_not_there_is_refused(
    session: Session, city: City, choice: TariffChoice | None
) -> None:
    park = priced(session, city)
    venue = session.get_one(Venue, (city.id, park.venue_id))
    with pytest.raises(PriceListWrong) as refused:
        set_prices(
            session, park, venue, PriceList(DAY, "tariff", 0, tariff=choice),
            actor=Actor(city.id, is_staff=True), today=DAY,
        )  # fmt: skip
    assert [error.field for error in refused.value.fields] == ["tariff"]


def test_every_quote_adds_up_and_is_allus_sum(session: Session, city: City) -> None:
    park = priced(session, city, area=25_000)
    terms = price_on(session, city, park.id, DAY)
    assert terms is not None

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(NATURES), st.integers(0, 200), st.integers(1, 30), st.integers(0, 5), st.integers(0, 5),
        st.integers(1, 25_000), st.booleans(),
    )  # fmt: skip
    def any_use(nature: str, ahead: int, uses: int, before: int, after: int, area: int, eco: bool) -> None:
        first = DAY + timedelta(days=ahead)
        during = days_from(city, first, uses + before + after)
        assert len(local_days(during, city.zone)) == uses + before + after
        cost = quote(
            terms, during, city.zone,
            build=BuildDays(before, after), use=OutdoorUse(nature, Decimal(area), eco),
        )  # fmt: skip
        row = tariff_for(TARIFFS, use="EVENT", key=nature, day=first, place="zone-2", surface="SOFT")
        start = first + timedelta(days=before)
        allu = outdoor_quote(
            row, Period(start, start + timedelta(days=uses - 1), before + after), area_m2=area, eco=eco
        )
        assert cost.total.minor - cost.vat.minor == allu.total_minor
        assert cost.total.minor == sum(line.total.minor for line in cost.lines) >= 0
        assert abs(cost.vat.minor - Decimal(allu.total_minor) * Decimal("0.255")) <= Decimal("0.5")

    any_use()


@pytest.fixture
def park(session: Session, city: City) -> Space:
    today = now().astimezone(city.zone).date()
    park = priced(session, city, first=today + timedelta(days=8), cancellation_hours=0)
    session.commit()
    return park


@pytest.fixture
def address(city: City, park: Space) -> str:
    first = now().astimezone(city.zone).date() + timedelta(days=10)
    during = days_from(city, first, 3)
    start, end = (
        at.astimezone(city.zone).isoformat().replace("+", "%2B") for at in (during.start, during.end)
    )
    return f"/en/spaces/{park.id}/booking?start={start}&end={end}"


def test_the_checkout_asks_in_plain_words_and_shows_the_least(
    signed_in_client: FlaskClient, address: str
) -> None:
    answer = signed_in_client.get(address)
    assert answer.status_code == 200
    page = text_of(answer)
    for words in (
        "The use of the area", "Open to everyone, free entry", "Open to everyone, entry costs", "Closed event, for those invited",
        "Promotion or selling", "At most 900 m², the whole area.", "It is an eco event", "Days to build up first",
        "At least €1,882.50",
    ):  # fmt: skip
        assert words in page
    assert 'name="area_m2" type="text" value="900"' in answer.text
    assert "BIG_EVENT" not in answer.text


def test_a_look_shows_the_price_line_by_line(signed_in_client: FlaskClient, address: str) -> None:
    data = filled(do="look", nature="CLOSED", area_m2="400", eco="1", build_before="1")
    page = text_of(signed_in_client.post(address, data=data))
    for words in (
        "Use of the area: 2 d × €1,000, closed event, for those invited €2,000",
        "Build and tear-down days: 1 d × €500 €500",
        "Eco event, 30 per cent less −€750",
        "VAT 25.5 % €446.25",
        "Total €2,196.25",
    ):
        assert words in page


def test_a_booking_keeps_what_was_told_and_says_it(
    session: Session, signed_in_client: FlaskClient, address: str, run_jobs: Callable[[], int]
) -> None:
    data = filled(nature="PROMOTION", area_m2="120,5", total="188250")
    answer = signed_in_client.post(address, data=data)
    assert answer.status_code == 303
    booking = only_booking(session)
    assert booking.outdoor_use["area_m2"] == "120.5"
    assert "Promotion or selling; 120.5 m²" in text_of(signed_in_client.get(answer.location)).replace(
        "\u00a0", " "
    )
    run_jobs()
    mail = session.scalars(select(Mail)).one()
    assert "Alueen käyttö: esittely tai myynti, 120,5 m²" in mail.body_text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({}, "nature"),
        ({"nature": "WEDDING"}, "nature"),
        ({"nature": "BIG_EVENT"}, "nature"),
        ({"nature": "CLOSED", "area_m2": "901"}, "area_m2"),
        ({"nature": "CLOSED", "area_m2": "0"}, "area_m2"),
        ({"nature": "CLOSED", "area_m2": "plenty"}, "area_m2"),
        ({"nature": "CLOSED", "area_m2": "NaN"}, "area_m2"),
        ({"nature": "CLOSED", "build_before": "3"}, "build_before"),
    ],
)
def test_what_is_missing_or_absurd_is_told_beside_the_field(
    session: Session, signed_in_client: FlaskClient, address: str, more: dict[str, str], field: str
) -> None:
    answer = signed_in_client.post(address, data=filled(**more))
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert session.scalars(select(Booking)).all() == []


def test_one_press_leads_to_the_checkout(
    session: Session, signed_in_client: FlaskClient, park: Space, address: str, city: City
) -> None:
    first = now().astimezone(city.zone).date() + timedelta(days=10)
    during = days_from(city, first, 1)
    data = {
        "start": during.start.astimezone(city.zone).isoformat(), "end": during.end.astimezone(city.zone).isoformat(),
        "submission": "one-press-of-a-chip",
    }  # fmt: skip
    answer = signed_in_client.post(f"/en/spaces/{park.id}/quick-booking", data=data)
    assert answer.status_code == 303
    assert "/booking?" in answer.location
    assert session.scalars(select(Booking)).all() == []


def test_the_space_and_the_list_say_from(client: FlaskClient, park: Space) -> None:
    page = text_of(client.get(f"/en/spaces/{park.id}"))
    assert "from €627.50 /day" in page.replace("from €627.50/day", "from €627.50 /day")
    assert "Closed event, for those invited: €1,255/day" in page
    assert "from €627.50" in text_of(client.get("/en/spaces?kind=park"))
    answer = client.get(f"/api/v1/spaces/{park.id}").get_json()
    assert answer["price"]["per"] == "tariff"
    assert answer["price"]["amount"]["amount_minor"] == 62_750
