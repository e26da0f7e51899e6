"""What a booking is sold at: by whom it is for, with a code, with build days; on the pages and in the row."""

import re
from datetime import date, time, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking, request_booking
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import BuildDaysWrong, PriceChanged
from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.timespan import Span
from spaces.calendar.models import Claim
from spaces.catalog.models import Space
from spaces.pricing.errors import CodeNotValid, CodeUsedUp
from spaces.pricing.models import DiscountCode, DiscountUse, Price, PriceVariation
from spaces.pricing.rules import BuildDays
from tests.bookings.lifecycle.test_pages import SUBMISSION, checkout, filled, ready_space
from tests.bookings.lifecycle.test_races import at_once
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person, sign_in
from tests.factories.spaces import make_unit, make_venue

LONG_AGO = date(2020, 1, 1)


def vary(session: Session, space: Space, group: str | None, amount: int, position: int = 0) -> None:
    session.add(
        PriceVariation(
            city_id=space.city_id, space_id=space.id, valid_from=LONG_AGO, position=position, group_code=group,
            days=[1, 2, 3, 4, 5, 6, 7], from_minute=0, to_minute=1440, amount_minor=amount,
        )
    )  # fmt: skip
    session.flush()


def give_code(session: Session, space: Space, word: str = "SUMMER", **fields: Any) -> DiscountCode:
    values: dict[str, Any] = {"percent": 25, "valid_from": LONG_AGO, **fields}
    code = DiscountCode(city_id=space.city_id, space_id=space.id, code=word, **values)
    session.add(code)
    session.flush()
    return code


@pytest.fixture
def club(session: Session, city: City, person: Person) -> Organisation:
    club = make_organisation(session, city, name="Kallion Juniorit ry")
    join(session, person, club)
    session.commit()
    return club


@pytest.fixture
def evening(city: City) -> Span:
    return span_on(city, 18, 20, day=(now() + timedelta(days=3)).astimezone(city.zone).date())


@pytest.fixture
def space(session: Session, city: City) -> Space:
    """20 € an hour; 5 € for associations, 40 € for companies."""
    space = ready_space(session, city)
    vary(session, space, "association", 500)
    vary(session, space, "company", 4000, 1)
    session.commit()
    return space


def test_each_group_pays_its_own_price(
    session: Session, city: City, person: Person, club: Organisation
) -> None:
    firm = make_organisation(session, city, name="Firma oy", kind="company")
    join(session, person, firm)
    space = open_space(session, city)
    vary(session, space, "association", 500)
    vary(session, space, "company", 4000, 1)
    actor = actor_of(session, person)
    totals = [
        book(
            session, city, space, actor, span_on(city, 10 + 2 * n, 12 + 2 * n), organisation_id=id_
        ).total_minor
        for n, id_ in enumerate((None, club.id, firm.id))
    ]
    assert totals == [4000, 1000, 8000]
    sold = session.scalars(select(Booking).where(Booking.organisation_id == club.id)).one()
    assert sold.lines == [
        {"code": "hours", "quantity": "2", "unit_minor": 500, "total_minor": 1000, "note": "association"}
    ]
    with pytest.raises(PriceChanged):
        book(
            session,
            city,
            space,
            actor,
            span_on(city, 8, 10),
            organisation_id=firm.id,
            expected_total_minor=4000,
        )


def test_the_checkout_tells_the_price_of_each_choice_and_the_lines_of_the_chosen(
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    space: Space,
    club: Organisation,
    evening: Span,
) -> None:
    page = signed_in_client.get(**checkout(space, evening, city)).text
    assert re.findall(r'choice__p">([^<]+)<', page) == ["€40", "€10"]
    assert f"myself:4000 {club.id}:1000" in page
    assert "2 h × €20" in page
    page = signed_in_client.get(**checkout(space, evening, city, organisation=club.id)).text
    assert "2 h × €5, price for associations" in page
    assert "Book €10" in page
    # Choosing another row without script: only a look, nothing is booked.
    where = checkout(space, evening, city)
    looked = signed_in_client.post(**where, data=filled(organisation=str(club.id), do="look", attendees="x"))
    assert looked.status_code == 200
    assert "2 h × €5, price for associations" in looked.text
    assert session.scalar(select(func.count()).select_from(Booking)) == 0
    total = re.search(r'name="total"[^>]*value="([^"]+)"', page)
    assert total is not None
    done = signed_in_client.post(**where, data=filled(organisation=str(club.id), total=total[1]))
    assert done.status_code == 303
    assert session.scalars(select(Booking)).one().total_minor == 1000
    assert "price for associations" in signed_in_client.get(done.location).text


def test_the_space_page_shows_the_price_of_whom_one_acts_for(
    app: Flask,
    client: FlaskClient,
    session: Session,
    space: Space,
    city: City,
    person: Person,
    club: Organisation,
    evening: Span,
) -> None:
    address = {
        "path": f"/en/spaces/{space.id}",
        "query_string": {"start": evening.start.astimezone(city.zone).isoformat(), "minutes": 120},
    }
    page = client.get(**address).text
    assert "Book €40" in page
    assert "Associations: €5" in page
    assert "Shown here: price for residents." in page
    acting = app.test_client()
    sign_in(session, acting, person, acting_for=club.id)
    session.commit()
    page = acting.get(**address).text
    assert "Book €10" in page
    assert "Shown here: price for associations." in page


def test_one_click_at_the_price_for_all_books_at_the_lower_one_of_the_association(
    app: Flask, session: Session, city: City, space: Space, person: Person, club: Organisation, evening: Span
) -> None:
    acting = app.test_client()
    sign_in(session, acting, person, acting_for=club.id)
    session.commit()
    data = {
        "start": evening.start.isoformat(), "minutes": "120", "submission": SUBMISSION, "total": "4000", "people": "12",
    }  # fmt: skip
    answer = acting.post(f"/en/spaces/{space.id}/quick-booking", data=data)
    assert "/bookings/" in answer.location
    assert session.scalars(select(Booking)).one().total_minor == 1000


def test_a_code_is_a_line_is_counted_and_given_back(session: Session, city: City, person: Person) -> None:
    space = open_space(session, city)
    code = give_code(session, space, max_uses=1)
    actor = actor_of(session, person)
    booking = book(session, city, space, actor, span_on(city, 18, 20), details=Details(code=" summer "))
    assert booking.total_minor == 3000
    assert booking.lines[-1] == {
        "code": "discount", "quantity": "1", "unit_minor": -1000, "total_minor": -1000, "note": "SUMMER",
    }  # fmt: skip
    with pytest.raises(CodeUsedUp):
        book(session, city, space, actor, span_on(city, 10, 12), details=Details(code="SUMMER"))
    cancel_booking(session, city, booking, actor=actor, at=NOW)
    session.refresh(code)
    assert code.uses == 0
    assert session.scalars(select(DiscountUse)).all() == []
    assert (
        book(session, city, space, actor, span_on(city, 10, 12), details=Details(code="SUMMER")).total_minor
        == 3000
    )


@pytest.mark.parametrize(
    ("word", "fields"),
    [
        ("OTHER", {}),
        ("\x00", {}),
        ("SUMMER", {"valid_from": date(2027, 1, 1)}),
        ("SUMMER", {"valid_until": date(2026, 1, 1)}),
    ],
)
def test_a_code_of_another_day_or_place_is_not_valid(
    session: Session, city: City, person: Person, word, fields
) -> None:
    space, other = open_space(session, city), open_space(session, city)
    give_code(session, space, **fields)
    give_code(session, other, "OTHER")
    with pytest.raises(CodeNotValid):
        book(
            session, city, space, actor_of(session, person), span_on(city, 18, 20), details=Details(code=word)
        )


def test_the_checkout_takes_a_code_and_says_what_is_wrong_with_it(
    signed_in_client: FlaskClient, session: Session, city: City, space: Space, evening: Span
) -> None:
    assert 'name="code"' not in signed_in_client.get(**checkout(space, evening, city)).text
    give_code(session, space)
    session.commit()
    assert 'name="code"' in signed_in_client.get(**checkout(space, evening, city)).text
    where = checkout(space, evening, city)
    looked = signed_in_client.post(**where, data=filled(code="summer", do="look"))
    assert "Discount, SUMMER" in looked.text
    assert "Book €30" in looked.text
    wrong = signed_in_client.post(**where, data=filled(code="winter"))
    assert wrong.status_code == 422
    assert "This code is not valid for this space now." in wrong.text
    # Typed and sent at once, with the higher price that the page had shown.
    assert signed_in_client.post(**where, data=filled(code="summer", total="4000")).status_code == 303
    assert session.scalars(select(Booking)).one().total_minor == 3000


def test_the_last_use_of_a_code_is_used_once(committing: Engine) -> None:
    with transaction() as session:
        city = make_city(session)
        venue = make_venue(session, city)
        space = open_space(session, city, venue, units=[make_unit(session, venue, lanes=1)])
        code = give_code(session, space, max_uses=3)
        actors = [actor_of(session, make_person(session, city)) for _ in range(8)]

    def ask(n: int) -> Any:
        def run() -> int:
            with transaction() as session:
                return request_booking(
                    session, city, space, actor=actors[n], during=span_on(city, 8 + n, 9 + n), purpose="", attendees=None,
                    organisation_id=None, submission=f"submission-{n}", at=NOW, details=Details(code="SUMMER"),
                ).total_minor  # fmt: skip

        return run

    found = at_once([ask(n) for n in range(8)])
    assert [one for one in found if isinstance(one, int)] == [1500] * 3
    assert all(isinstance(one, int | CodeUsedUp) for one in found)
    with transaction() as session:
        assert session.get_one(DiscountCode, (city.id, code.id)).uses == 3
        assert session.scalar(select(func.count()).select_from(Booking)) == 3
        assert session.scalar(select(func.count()).select_from(Claim)) == 3


def test_build_days_are_sold_at_their_share_and_leave_a_day_for_the_occasion(
    session: Session, city: City, person: Person
) -> None:
    space = open_space(
        session, city, whole_days=True, max_minutes=7 * 1440, price=("day", 10000), hours=(time(8), time(20))
    )
    price = session.scalars(select(Price).where(Price.space_id == space.id)).one()
    price.build_percent = 50
    session.flush()
    actor = actor_of(session, person)
    whole = span_on(city, 8, 48 + 20)
    with pytest.raises(BuildDaysWrong):
        book(session, city, space, actor, whole, details=Details(build=BuildDays(2, 1)))
    booking = book(session, city, space, actor, whole, details=Details(build=BuildDays(1, 1)))
    assert booking.total_minor == 20000
    assert [(line["code"], line["quantity"]) for line in booking.lines] == [
        ("build_days", "2"),
        ("days", "1"),
    ]


def test_the_checkout_asks_for_build_days_where_they_cost_less(
    signed_in_client: FlaskClient, session: Session, city: City
) -> None:
    space = ready_space(
        session, city, whole_days=True, max_minutes=7 * 1440, price=("day", 10000), hours=(time(8), time(20))
    )
    price = session.scalars(select(Price).where(Price.space_id == space.id)).one()
    price.build_percent = 50
    session.commit()
    day = (now() + timedelta(days=3)).astimezone(city.zone).date()
    start, end = (
        at.astimezone(city.zone).isoformat()
        for at in (span_on(city, 8, 20, day=day).start, span_on(city, 8, 68, day=day).end)
    )
    where: dict[str, Any] = {
        "path": f"/en/spaces/{space.id}/booking",
        "query_string": {"start": start, "end": end},
    }
    page = signed_in_client.get(**where).text
    assert 'name="build_before"' in page
    assert "Book €300" in page
    looked = signed_in_client.post(**where, data=filled(build_before="1", do="look")).text
    assert "1 build or tear-down days × €50" in looked
    assert "Book €250" in looked
    assert (
        "At least one day must be for the occasion itself."
        in signed_in_client.post(**where, data=filled(build_before="2", build_after="1")).text
    )
    assert signed_in_client.post(**where, data=filled(build_before="x")).status_code == 422
    assert signed_in_client.post(**where, data=filled(build_before="1", build_after="1")).status_code == 303
    assert session.scalars(select(Booking)).one().total_minor == 20000
