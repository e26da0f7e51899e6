"""A series in a space that asks something: told once, kept with each booking, charged as shown."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking, prices_for
from bookings.lifecycle.answers import KeptFile
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import AskedMissing, TooOld, TooYoung
from bookings.lifecycle.models import Booking, BookingAnswer, BookingExtra
from bookings.series.actions import retry_date
from bookings.series.change_actions import Wish, change_dates
from bookings.series.errors import CodeTooFew, NoDates, OtherTimeUnfit
from bookings.series.models import Series
from bookings.series.planning import Instead, plan_series, told_again, total_of
from bookings.series.rules import Change, Recurrence
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.db import transaction
from spaces.calendar.models import Claim
from spaces.catalog.models import Space, Venue
from spaces.equipment.errors import PiecesWrong
from spaces.equipment.models import Extra
from spaces.pricing.errors import CodeNotValid, CodeUsedUp
from spaces.pricing.models import DiscountCode, DiscountUse, Price, PriceVariation
from tests.bookings.series.test_create_series import at_once, check_claims, committed_hall
from tests.factories.bookings import DAY, NOW, book, span_on
from tests.factories.equipment import make_extra
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.rules import ask, demand_terms
from tests.factories.series import dates_of, repeat, season_space, skips_of, weekly

WEEK = timedelta(days=7)


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return season_space(session, city)


@pytest.fixture
def actor(session: Session, city: City) -> Actor:
    return actor_of(session, make_person(session, city))


@pytest.fixture
def other(session: Session, city: City) -> Actor:
    return actor_of(session, make_person(session, city, name="Mikko Laine"))


def make_code(
    session: Session, space: Space, *, percent: int | None = 50, max_uses: int | None = None, **fields: object
) -> DiscountCode:
    code = DiscountCode(
        city_id=space.city_id,
        space_id=space.id,
        code="KUORO",
        percent=percent,
        valid_from=NOW.date(),
        max_uses=max_uses,
        uses=0,
        **fields,
    )
    session.add(code)
    session.flush()
    return code


def answers_of(session: Session, booking: Booking) -> list[tuple[str, str, str | None]]:
    rows = session.scalars(
        select(BookingAnswer).where(BookingAnswer.booking_id == booking.id).order_by(BookingAnswer.position)
    )
    return [(one.kind, one.words or one.choice.get("fi", ""), one.file_key) for one in rows]


def counts(session: Session) -> tuple[int, int, int]:
    return tuple(session.scalar(select(func.count()).select_from(kind)) for kind in (Series, Booking, Claim))  # type: ignore[return-value]


def test_answers_and_terms_are_kept_with_each_booking(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    text, choice, file = (ask(session, space, kind) for kind in ("text", "choice", "file"))
    version = demand_terms(session, space)
    kept = KeptFile("answers/abc", "kuva.pdf", "application/pdf", 12)
    details = Details(answers={text.id: " Konsertti ", choice.id: "Sisällä", file.id: kept}, terms=version)
    series = repeat(session, city, space, actor, details=details)
    made = dates_of(session, series)
    assert len(made) == 5
    for booking in made:
        assert (booking.terms_version, booking.terms_accepted_at) == (version, NOW)
        assert answers_of(session, booking) == [
            ("text", "Konsertti", None),
            ("choice", "Sisällä", None),
            ("file", "", "answers/abc"),
        ]


@pytest.mark.parametrize("terms", ["", "0123456789abcdef"])
def test_nothing_is_booked_while_something_asked_is_missing(
    session: Session, city: City, space: Space, actor: Actor, terms: str
) -> None:
    question = ask(session, space, required=True)
    demand_terms(session, space)
    before = counts(session)
    with pytest.raises(AskedMissing) as refused:
        repeat(session, city, space, actor, details=Details(terms=terms))
    assert {error.field for error in refused.value.fields} == {f"question_{question.id}", "terms"}
    assert counts(session) == before


def test_the_age_is_that_of_every_date(session: Session, city: City, space: Space) -> None:
    space.min_age, space.max_age = 18, 29
    session.flush()
    young = make_person(session, city, birth_date=date(DAY.year - 18, DAY.month, DAY.day) + timedelta(days=1))
    with pytest.raises(TooYoung):
        repeat(session, city, space, actor_of(session, young))
    old = make_person(session, city, birth_date=date(DAY.year - 30, DAY.month, DAY.day) + 3 * WEEK)
    with pytest.raises(TooOld):
        repeat(session, city, space, actor_of(session, old))
    assert repeat(session, city, space, actor_of(session, old), weekly(3)).id


def test_the_day_of_birth_is_told_once(session: Session, city: City, space: Space, actor: Actor) -> None:
    space.min_age = 18
    session.flush()
    with pytest.raises(AskedMissing):
        repeat(session, city, space, actor)
    repeat(session, city, space, actor, details=Details(birth_date=date(1990, 5, 1)))
    person = session.get_one(Person, (city.id, actor.person_id), populate_existing=True)
    assert person.birth_date == date(1990, 5, 1)


def test_a_code_is_used_once_for_each_date_and_given_back_with_it(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    code = make_code(session, space, max_uses=5)
    series = repeat(session, city, space, actor, details=Details(code="kuoro"), expected_total_minor=5 * 1500)
    made = dates_of(session, series)
    assert {b.total_minor for b in made} == {1500}
    session.refresh(code)
    assert code.uses == 5
    assert session.scalar(select(func.count()).select_from(DiscountUse)) == 5
    cancel_booking(session, city, made[2], actor=actor, at=NOW)
    session.refresh(code)
    assert code.uses == 4


def test_a_code_that_is_good_for_fewer_dates_books_none(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    code = make_code(session, space, max_uses=4)
    before = counts(session)
    with pytest.raises(CodeTooFew) as refused:
        repeat(session, city, space, actor, details=Details(code="KUORO"))
    assert refused.value.fields[0].field == "code"
    assert dict(refused.value.fields[0].values) == {"left": 4}
    assert counts(session) == before
    left_out = weekly(left_out=frozenset({DAY + WEEK}))
    repeat(session, city, space, actor, left_out, details=Details(code="KUORO"))
    session.refresh(code)
    assert code.uses == 4
    with pytest.raises(CodeUsedUp):
        repeat(session, city, space, actor, weekly(2, starts=time(12)), details=Details(code="KUORO"))
    with pytest.raises(CodeNotValid):
        repeat(session, city, space, actor, weekly(2, starts=time(12)), details=Details(code="OTHER"))


def test_a_skipped_date_uses_no_code(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    code = make_code(session, space, max_uses=4)
    book(session, city, space, other, span_on(city, 18, 19, day=DAY + WEEK))
    repeat(session, city, space, actor, details=Details(code="KUORO"))
    session.refresh(code)
    assert code.uses == 4


def test_series_at_once_cannot_use_a_code_more_often_than_it_may(committing: Engine) -> None:
    city, spaces, actors = committed_hall()
    space = spaces[0]
    with transaction() as session:
        code_id = make_code(session, space, max_uses=10).id

    def asking(n: int) -> Callable[[], object]:
        def ask() -> object:
            with transaction() as session:
                wish = weekly(4, starts=time(9 + 2 * n))
                details = Details("KUORO")
                return repeat(
                    session, city, space, actors[n], wish, submission=f"code-race-{n}", details=details
                ).id

        return ask

    found = at_once([asking(n) for n in range(5)])
    refused = [one for one in found if not isinstance(one, int)]
    assert len(refused) == 3, found
    assert all(isinstance(one, CodeUsedUp | CodeTooFew) for one in refused), found
    with transaction() as session:
        code = session.get_one(DiscountCode, (city.id, code_id))
        sold = session.scalars(select(Booking).where(Booking.space_id == space.id)).all()
        assert code.uses == len(sold) == session.scalar(select(func.count()).select_from(DiscountUse)) == 8
        assert {booking.total_minor for booking in sold} == {1500}
        check_claims(session, city, spaces)


def pieces_out(session: Session, extra: Extra) -> int:
    return session.scalar(select(func.count()).select_from(Claim).where(Claim.unit_id == extra.unit_id)) or 0


def test_equipment_is_in_every_date_and_paid_for(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    extra = make_extra(session, city, [space], stock=3, per="booking", amount_minor=250)
    series = repeat(session, city, space, actor, details=Details(extras={extra.id: 2}))
    made = dates_of(session, series)
    assert {b.total_minor for b in made} == {3500}
    assert pieces_out(session, extra) == 10
    rows = session.execute(select(BookingExtra.booking_id, BookingExtra.pieces)).all()
    assert {tuple(row) for row in rows} == {(b.id, 2) for b in made}
    cancel_booking(session, city, made[0], actor=actor, at=NOW)
    assert pieces_out(session, extra) == 8


def test_a_date_on_which_too_little_is_left_is_skipped_with_its_reason(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    beside = season_space(session, city, session.get_one(Venue, (city.id, space.venue_id)))
    extra = make_extra(session, city, [space, beside], stock=3)
    repeat(
        session,
        city,
        beside,
        other,
        weekly(2, rule=Recurrence(DAY + WEEK, times=2)),
        details=Details(extras={extra.id: 2}),
    )
    wish = Details(extras={extra.id: 2})
    plan = plan_series(
        session, city, space, weekly(), organisation_id=None, at=NOW, with_times=True, details=wish
    )
    assert [one.refusal.code if one.refusal else "" for one in plan] == [
        "",
        "pieces-taken",
        "pieces-taken",
        "",
        "",
    ]
    assert plan[1].times, "another time of the evening has enough"
    series = repeat(session, city, space, actor, details=wish)
    assert [b.position for b in dates_of(session, series)] == [1, 4, 5]
    assert [(s.position, s.code, s.values) for s in skips_of(session, series)] == [
        (2, "pieces-taken", {"left": 1, "wanted": 2}),
        (3, "pieces-taken", {"left": 1, "wanted": 2}),
    ]
    assert pieces_out(session, extra) == 10


def test_more_pieces_than_there_are_is_said_beside_the_number(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    extra = make_extra(session, city, [space], stock=3)
    before = counts(session)
    with pytest.raises(PiecesWrong) as refused:
        repeat(session, city, space, actor, details=Details(extras={extra.id: 4}))
    assert refused.value.fields[0].field == f"extra-{extra.id}"
    assert counts(session) == before


def test_a_change_keeps_the_discount_and_the_equipment(
    session: Session, city: City, space: Space, actor: Actor
) -> None:
    extra = make_extra(session, city, [space], stock=3, per="booking", amount_minor=250)
    code = make_code(session, space, max_uses=5)
    series = repeat(session, city, space, actor, details=Details(code="KUORO", extras={extra.id: 2}))
    assert {b.total_minor for b in dates_of(session, series)} == {2000}
    wish = Wish(Change(starts=time(15), minutes=120), "Choir", 12)
    change_dates(
        session, city, series, wish, actor=actor, scope="all", position=1, all_or_nothing=True, at=NOW
    )
    made = dates_of(session, series)
    assert {b.total_minor for b in made} == {2500}
    session.refresh(code)
    assert code.uses == 5
    assert pieces_out(session, extra) == 10
    spans = session.scalars(select(Claim.during).where(Claim.unit_id == extra.unit_id)).all()
    assert {(during.lower, during.upper) for during in spans} == {(b.span.start, b.span.end) for b in made}


def test_a_change_to_a_time_with_too_little_equipment_keeps_the_old_one(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    beside = season_space(session, city, session.get_one(Venue, (city.id, space.venue_id)))
    extra = make_extra(session, city, [space, beside], stock=3)
    wish = Details(extras={extra.id: 2})
    repeat(session, city, beside, other, weekly(2, starts=time(12)), details=wish)
    series = repeat(session, city, space, actor, details=wish)
    change = Wish(Change(starts=time(12)), "Choir", 12)
    change_dates(
        session, city, series, change, actor=actor, scope="all", position=1, all_or_nothing=False, at=NOW
    )
    hours = [b.span.start.astimezone(city.zone).hour for b in dates_of(session, series)]
    assert hours == [18, 18, 12, 12, 12]
    assert pieces_out(session, extra) == 14


def test_a_skipped_date_is_tried_again_with_what_was_told(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    question = ask(session, space, required=True)
    choice = ask(session, space, "choice", required=True)
    version = demand_terms(session, space)
    extra = make_extra(session, city, [space], stock=3, per="booking", amount_minor=250)
    make_code(session, space, max_uses=5)
    single = book(
        session,
        city,
        space,
        other,
        span_on(city, 18, 19, day=DAY + WEEK),
        details=Details(answers={question.id: "x", choice.id: "Ulkona"}, terms=version),
    )
    details = Details(
        "KUORO", extras={extra.id: 2}, answers={question.id: "Me", choice.id: "Ulkona"}, terms=version
    )
    series = repeat(session, city, space, actor, details=details)
    cancel_booking(session, city, single, actor=other, at=NOW)
    told = told_again(session, city, series, space, at=NOW)
    again = retry_date(
        session, city, series, space, 2, actor=actor, submission="another-submission", at=NOW, details=told
    )
    assert again.total_minor == dates_of(session, series)[0].total_minor == 2000
    assert answers_of(session, again) == [("text", "Me", None), ("choice", "Ulkona", None)]
    assert (again.terms_version, pieces_out(session, extra)) == (version, 10)
    # Other terms are not accepted by who has accepted those before.
    demand_terms(session, space, fi="Uudet ehdot.")
    assert told_again(session, city, series, space, at=NOW).terms == version
    cancel_booking(session, city, again, actor=actor, at=NOW)


def test_terms_that_have_changed_are_not_accepted_by_trying_again(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    single = book(session, city, space, other, span_on(city, 18, 19, day=DAY + WEEK))
    series = repeat(session, city, space, actor)
    cancel_booking(session, city, single, actor=other, at=NOW)
    demand_terms(session, space)
    told = told_again(session, city, series, space, at=NOW)
    with pytest.raises(AskedMissing):
        retry_date(
            session,
            city,
            series,
            space,
            2,
            actor=actor,
            submission="another-submission",
            at=NOW,
            details=told,
        )


def test_another_space_that_asks_something_is_none_to_be_had_instead(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    beside = season_space(session, city, session.get_one(Venue, (city.id, space.venue_id)))
    span = span_on(city, 18, 19.5)
    book(session, city, space, other, span)
    wish = weekly(instead={DAY: Instead(beside, span)})
    before = counts(session)
    demand_terms(session, beside)
    with pytest.raises(OtherTimeUnfit):
        repeat(session, city, space, actor, wish)
    assert counts(session) == before


def test_what_is_told_is_kept_in_the_own_space_only(
    session: Session, city: City, space: Space, actor: Actor, other: Actor
) -> None:
    beside = season_space(session, city, session.get_one(Venue, (city.id, space.venue_id)))
    question = ask(session, space, required=False)
    extra = make_extra(session, city, [space, beside], stock=3, per="booking", amount_minor=250)
    code = make_code(session, space)
    span = span_on(city, 18, 19.5)
    book(session, city, space, other, span)
    details = Details("KUORO", extras={extra.id: 1}, answers={question.id: "Me"})
    series = repeat(
        session, city, space, actor, weekly(3, instead={DAY: Instead(beside, span)}), details=details
    )
    elsewhere, *rest = dates_of(session, series)
    assert (elsewhere.space_id, elsewhere.total_minor, answers_of(session, elsewhere)) == (
        beside.id,
        3000,
        [],
    )
    assert {(b.total_minor, len(answers_of(session, b))) for b in rest} == {(1750, 1)}
    session.refresh(code)
    assert (code.uses, pieces_out(session, extra)) == (2, 2)


def test_what_is_priced_by_its_use_cannot_be_in_a_series(session: Session, city: City, actor: Actor) -> None:
    space = season_space(session, city, whole_days=True, max_minutes=3 * 1440)
    session.add(
        Price(
            city_id=city.id, space_id=space.id, valid_from=DAY, per="day", amount_minor=9000, build_percent=50
        )
    )
    session.flush()
    wish = weekly(3, starts=None, minutes=2 * 1440)
    plan = plan_series(session, city, space, wish, organisation_id=None, at=NOW)
    assert {one.refusal.code for one in plan if one.refusal} == {"one-by-one"}
    with pytest.raises(NoDates):
        repeat(session, city, space, actor, wish)
    assert len(dates_of(session, repeat(session, city, space, actor, replace(wish, minutes=1440)))) == 3


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_shown_is_what_is_charged_and_what_a_single_booking_costs(
    session: Session, city: City, data: st.DataObject
) -> None:
    """Over price lists that begin in between, rows for groups and evenings, a code, equipment, and whoever books."""
    nested = session.begin_nested()
    try:
        space = season_space(session, city)
        later = DAY + data.draw(st.integers(1, 30), "later") * timedelta(days=1)
        session.add(
            Price(
                city_id=city.id,
                space_id=space.id,
                valid_from=later,
                per=data.draw(st.sampled_from(["hour", "fixed", "day"])),
                amount_minor=data.draw(st.integers(0, 9999)),
                minimum_minor=data.draw(st.sampled_from([0, 2500])),
            )
        )
        session.flush()
        session.add(
            PriceVariation(
                city_id=city.id,
                space_id=space.id,
                valid_from=later,
                position=1,
                amount_minor=data.draw(st.integers(0, 9999)),
                group_code=data.draw(st.sampled_from([None, "association"])),
                days=[2],
                from_minute=17 * 60,
                to_minute=19 * 60,
            )
        )
        percent = data.draw(st.sampled_from([None, 33, 100]))
        make_code(session, space, percent=percent, amount_minor=None if percent else 777)
        extra = make_extra(
            session, city, [space], stock=5, per="hour", amount_minor=data.draw(st.integers(1, 999))
        )
        details = Details(
            data.draw(st.sampled_from(["", "KUORO"])),
            extras=data.draw(st.sampled_from([{}, {extra.id: 1}, {extra.id: 4}])),
        )
        person = make_person(session, city)
        organisation_id = None
        if data.draw(st.booleans(), "for an organisation"):
            organisation = make_organisation(session, city, kind="association")
            join(session, person, organisation)
            organisation_id = organisation.id
        wish = weekly(
            data.draw(st.integers(2, 8)),
            starts=time(data.draw(st.integers(15, 18)), 30),
            minutes=data.draw(st.sampled_from([60, 90, 150])),
        )
        plan = plan_series(
            session, city, space, wish, organisation_id=organisation_id, at=NOW, details=details
        )
        shown = [one.booked.price.total.minor for one in plan if one.booked]
        assert len(shown) == len(plan)
        singly = [
            prices_for(session, city, space, one.wished, [organisation_id], at=NOW, details=details)[1][
                organisation_id
            ]
            for one in plan
        ]
        assert [one.booked.price for one in plan if one.booked] == singly
        series = repeat(
            session,
            city,
            space,
            actor_of(session, person),
            wish,
            organisation_id=organisation_id,
            details=details,
            expected_total_minor=total_of(plan, city.currency).minor,
        )
        assert [b.total_minor for b in dates_of(session, series)] == shown
    finally:
        nested.rollback()
