"""What is offered to whom: only with consent, only what can be booked, never another's past."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.range import TimestamptzRange
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.errors import NoRightToBook
from bookings.lifecycle.models import Booking
from bookings.offered.actions import dismiss, say_consent, take_dismissal_back
from bookings.offered.errors import DismissalNotFound, MeetingNotFound, OffersNotWanted
from bookings.offered.finding import Offered, offered_to
from bookings.offered.models import Dismissal, OfferConsent
from bookings.offered.queries import dismissals_of
from bookings.offered.rules import CONSENT_VERSION, MOST_DISMISSED
from marketplace.accounts.models import AuditEntry, Membership, Person
from marketplace.cities.models import City
from spaces.calendar.actions import claim_space
from spaces.calendar.queries import booking_rules, calendar_of
from spaces.catalog.models import Space, SpaceQuestion
from spaces.districts.models import District, HomeDistrict
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.offered import let_offer, was_booked
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_venue

LAST_YEAR = DAY - timedelta(days=364)


def offered(session: Session, city: City, person: Person, *, acting_for: int | None = None) -> list[Offered]:
    return offered_to(session, city, actor_of(session, person, acting_for=acting_for), at=NOW)


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return open_space(session, city)


@pytest.fixture
def met(session: Session, city: City, person: Person, space: Space) -> Booking:
    """Last year's meeting of somebody who lets us offer."""
    let_offer(session, person, NOW)
    return was_booked(session, city, space, person, LAST_YEAR)


def test_last_years_meeting_is_offered_with_what_is_remembered(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    (one,) = offered(session, city, person)
    assert one.found.wish.source == "annual"
    assert one.found.during == span_on(city, 18, 20)
    assert (one.found.wish.purpose, one.found.wish.people, one.organisation) == ("Vuosikokous", 25, None)
    assert one.price.total.minor == 4000
    assert one.one_press
    assert not one.found.is_near


def test_nothing_without_consent_nor_once_it_is_taken_back(
    session: Session, city: City, person: Person, space: Space
) -> None:
    was_booked(session, city, space, person, LAST_YEAR)
    assert offered(session, city, person) == []
    let_offer(session, person, NOW)
    assert len(offered(session, city, person)) == 1
    say_consent(session, actor=actor_of(session, person), agrees=False, at=NOW)
    assert offered(session, city, person) == []


def test_consent_to_an_older_text_is_none(session: Session, city: City, person: Person, met: Booking) -> None:
    session.get_one(OfferConsent, (city.id, person.id)).version = CONSENT_VERSION - 1
    session.flush()
    assert offered(session, city, person) == []


def test_nothing_for_nobody_and_for_an_unproved_address(
    session: Session, city: City, person: Person, met: Booking
) -> None:
    person.email_verified_at = None
    session.flush()
    assert offered(session, city, person) == []


def test_consent_is_written_down(session: Session, city: City, person: Person) -> None:
    let_offer(session, person, NOW)
    entry = session.query(AuditEntry).filter_by(action="offers.agreed").one()
    assert entry.details == {"version": CONSENT_VERSION, "before": None, "after": True}


def test_another_persons_past_is_not_offered(
    session: Session, city: City, person: Person, space: Space
) -> None:
    other = make_person(session, city)
    was_booked(session, city, space, other, LAST_YEAR)
    let_offer(session, person, NOW)
    assert offered(session, city, person) == []


@pytest.mark.parametrize(("role", "sees"), [("manager", 1), ("booker", 1), ("member", 0), (None, 0)])
def test_an_organisations_past_is_for_those_who_book_for_it(
    session: Session, city: City, person: Person, space: Space, role: str | None, sees: int
) -> None:
    organisation = make_organisation(session, city)
    if role:
        join(session, person, organisation, role)
    was_booked(session, city, space, make_person(session, city), LAST_YEAR, organisation=organisation)
    let_offer(session, person, NOW)
    found = offered(session, city, person)
    assert len(found) == sees
    assert all(one.organisation == organisation for one in found)


def test_who_has_left_is_offered_nothing_of_it_not_even_what_they_booked(
    session: Session, city: City, person: Person, space: Space
) -> None:
    organisation = make_organisation(session, city)
    membership = join(session, person, organisation, "manager")
    was_booked(session, city, space, person, LAST_YEAR, organisation=organisation)
    let_offer(session, person, NOW)
    assert len(offered(session, city, person)) == 1
    session.delete(session.get_one(Membership, (city.id, membership.id)))
    session.flush()
    assert offered(session, city, person) == []


def test_acting_for_an_organisation_one_sees_its_offers_alone(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    organisation = make_organisation(session, city)
    join(session, person, organisation, "manager")
    theirs = open_space(session, city)
    was_booked(session, city, theirs, person, LAST_YEAR, organisation=organisation, purpose="Syyskokous")
    assert {one.found.space.id for one in offered(session, city, person)} == {space.id, theirs.id}
    (one,) = offered(session, city, person, acting_for=organisation.id)
    assert one.found.space.id == theirs.id


def test_another_citys_past_stays_there(session: Session, city: City, person: Person, met: Booking) -> None:
    espoo = make_city(session, "espoo")
    twin = make_person(session, espoo, email=person.email)
    let_offer(session, twin, NOW)
    assert offered(session, espoo, twin) == []


def test_a_taken_hour_becomes_the_nearest_of_the_day(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    other = actor_of(session, make_person(session, city))
    book(session, city, space, other, span_on(city, 17, 19))
    (one,) = offered(session, city, person)
    assert one.found.is_near
    assert one.found.during == span_on(city, 19, 21)


def test_a_space_that_is_full_gives_way_to_a_similar_one_near_by(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    near = open_space(session, city, make_venue(session, city))
    other = actor_of(session, make_person(session, city))
    for start in (8, 12, 16, 20):
        book(session, city, space, other, span_on(city, start, min(start + 4, 22)))
    (one,) = offered(session, city, person)
    assert one.found.space.id == near.id
    assert one.found.instead_of is not None
    assert one.found.instead_of[0].id == space.id


def test_what_would_be_refused_is_not_offered(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    for change in (
        {"state": "draft"},
        {"who": "organisations"},
        {"who": "verified"},
        {"capacity": 20},
        {"horizon_days": 3},
        {"notice_minutes": 20 * 1440},
        {"attendees_min": 26},
        {"quota_hours": 1},
    ):
        before = {name: getattr(space, name) for name in change}
        for name, value in change.items():
            setattr(space, name, value)
        session.flush()
        assert offered(session, city, person) == [], change
        for name, value in before.items():
            setattr(space, name, value)
        session.flush()
    assert len(offered(session, city, person)) == 1


def test_what_must_be_asked_or_costs_for_good_goes_by_the_checkout(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    for change in ({"approval": "handler"}, {"cancellation_hours": 30 * 24}, {"min_age": 18}):
        before = {name: getattr(space, name) for name in change}
        for name, value in change.items():
            setattr(space, name, value)
        session.flush()
        (one,) = offered(session, city, person)
        assert not one.one_press, change
        for name, value in before.items():
            setattr(space, name, value)
        session.flush()
    session.add(
        SpaceQuestion(city_id=city.id, space_id=space.id, position=1, kind="text", labels={"en": "Why?"})
    )
    session.flush()
    (one,) = offered(session, city, person)
    assert not one.one_press


def test_a_regular_hour_is_offered_on_its_next_free_date(
    session: Session, city: City, person: Person
) -> None:
    space = open_space(session, city, first=NOW.date(), last=date(2026, 12, 31))
    let_offer(session, person, NOW)
    for weeks in (1, 2, 3):
        was_booked(session, city, space, person, DAY - timedelta(days=7 * (weeks + 1)), purpose="Kuoro")
    book(session, city, space, actor_of(session, make_person(session, city)), span_on(city, 19, 20))
    (one,) = offered(session, city, person)
    assert one.found.wish.source == "habit"
    assert one.found.during == span_on(city, 18, 20, day=DAY + timedelta(days=7))


def test_the_home_district_is_offered_at_ones_usual_hour(
    session: Session, city: City, person: Person
) -> None:
    district = District(
        city_id=city.id, kind="district", code="11", names={"fi": "Kallio"}, geometry=b"", outline={},
        lon=24.95, lat=60.18, source="test",
    )  # fmt: skip
    session.add(district)
    session.flush()
    session.add(HomeDistrict(city_id=city.id, person_id=person.id, district_id=district.id))
    here = open_space(
        session, city, make_venue(session, city, district_id=district.id), first=NOW.date(), last=DAY
    )
    away = open_space(session, city, first=NOW.date(), last=DAY)
    was_booked(session, city, away, person, DAY - timedelta(days=28), purpose="Kuoro")
    let_offer(session, person, NOW)
    (one,) = offered(session, city, person)
    assert (one.found.wish.source, one.found.space.id) == ("home", here.id)
    assert one.found.during == span_on(city, 18, 20)
    # Nobody else's home.
    other = make_person(session, city)
    let_offer(session, other, NOW)
    assert offered(session, city, other) == []


def test_not_interested_holds_for_a_year_and_can_be_taken_back(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    actor = actor_of(session, person)
    for what in ({"space": space, "meeting": None}, {"space": None, "meeting": "vuosikokous"}):
        for _ in range(2):  # saying it twice is saying it once
            dismiss(session, city, actor=actor, organisation_id=None, at=NOW, **what)
        assert offered(session, city, person) == []
        later = NOW + timedelta(days=366)
        assert dismissals_of(session, actor, at=later) == []
        (one,) = dismissals_of(session, actor, at=NOW)
        stranger = actor_of(session, make_person(session, city))
        with pytest.raises(DismissalNotFound):
            take_dismissal_back(session, one.id, actor=stranger)
        take_dismissal_back(session, one.id, actor=actor)
        assert len(offered(session, city, person)) == 1


def test_who_is_offered_nothing_turns_nothing_down(
    session: Session, city: City, person: Person, space: Space
) -> None:
    with pytest.raises(OffersNotWanted):
        dismiss(
            session,
            city,
            actor=actor_of(session, person),
            organisation_id=None,
            space=space,
            meeting=None,
            at=NOW,
        )


def test_stopping_forgets_what_was_turned_down(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    actor = actor_of(session, person)
    dismiss(session, city, actor=actor, organisation_id=None, space=space, meeting=None, at=NOW)
    say_consent(session, actor=actor, agrees=False, at=NOW)
    assert dismissals_of(session, actor, at=NOW) == []


def test_only_ones_own_meetings_are_turned_down(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    ours, theirs = make_organisation(session, city, name="Meidän ry"), make_organisation(session, city)
    join(session, person, ours, "booker")
    join(session, person, theirs, "member")
    was_booked(session, city, space, person, LAST_YEAR, organisation=ours, purpose="Syyskokous")
    was_booked(session, city, space, make_person(session, city), LAST_YEAR, purpose="Kuoro")
    actor = actor_of(session, person)

    def turn_down(meeting: str, organisation_id: int | None = None) -> None:
        dismiss(
            session, city, actor=actor, organisation_id=organisation_id, space=None, meeting=meeting, at=NOW
        )

    for meeting, whose in (
        ("anything else", None),
        ("kuoro", None),  # another person's
        ("syyskokous", None),  # the organisation's, not one's own
        ("vuosikokous", ours.id),
    ):
        with pytest.raises(MeetingNotFound):
            turn_down(meeting, whose)
    with pytest.raises(NoRightToBook):
        turn_down("syyskokous", theirs.id)
    assert dismissals_of(session, actor, at=NOW) == []
    turn_down("vuosikokous")
    turn_down("syyskokous", ours.id)
    assert len(dismissals_of(session, actor, at=NOW)) == 2


def test_of_very_many_dismissals_the_oldest_are_forgotten(
    session: Session, city: City, person: Person, space: Space, met: Booking
) -> None:
    other = make_person(session, city)
    for whose, many in ((person, MOST_DISMISSED), (other, 1)):
        session.add_all(
            Dismissal(
                city_id=city.id,
                person_id=whose.id,
                meeting=f"meeting {n}",
                said_at=NOW - timedelta(days=n + 1),
                expires_at=NOW + timedelta(days=364 - n),
            )
            for n in range(many)
        )
    session.flush()
    actor = actor_of(session, person)
    dismiss(session, city, actor=actor, organisation_id=None, space=space, meeting=None, at=NOW)
    shown = dismissals_of(session, actor, at=NOW)  # all of them, so that each can be taken back
    assert len(shown) == MOST_DISMISSED
    assert shown[0].space is space
    assert shown[-1].meeting == f"meeting {MOST_DISMISSED - 2}"
    assert len(dismissals_of(session, actor_of(session, other), at=NOW)) == 1
    assert session.scalar(select(func.count()).select_from(Dismissal)) == MOST_DISMISSED + 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(16, 43), st.integers(1, 8)), max_size=6),
    st.integers(16, 40),
    st.integers(2, 6),
)
def test_a_taken_time_is_never_offered(
    session: Session, city: City, taken: list[tuple[int, int]], start: int, length: int
) -> None:
    """Half hours of one day, taken by others as it comes; what is offered is free, and can be booked."""
    with session.begin_nested() as nested:
        person = make_person(session, city)
        space = open_space(session, city)
        let_offer(session, person, NOW)
        was_booked(session, city, space, person, LAST_YEAR, hours=(start / 2, (start + length) / 2))
        holder = 900_000_000
        for begins, lasts in taken:
            holder += 1
            span = span_on(city, begins / 2, min(begins + lasts, 44) / 2)
            free = calendar_of(session, city.id, space.id, span, city.zone).free
            if free.contains(span):
                claim_space(session, city, space.id, holder_id=holder, body=span, rules=booking_rules(space))
        actor = actor_of(session, person)
        for one in offered_to(session, city, actor, at=NOW):
            during = one.found.during
            assert calendar_of(session, city.id, one.found.space.id, during, city.zone).free.contains(during)
            made = book(session, city, one.found.space, actor, during)
            assert made.during == TimestamptzRange(during.start, during.end)
        nested.rollback()
