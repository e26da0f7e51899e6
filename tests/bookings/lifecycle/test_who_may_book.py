"""Whom a space lets in, how old they must be, and whose bookings need no answer."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.details import NO_DETAILS, Details
from bookings.lifecycle.errors import (
    AskedMissing,
    AttendeesMissing,
    IdentityNeeded,
    MembersOnly,
    MorePeopleThanAllowed,
    NoRightToBook,
    OrganisationsOnly,
    TooFewPeople,
    TooManyPeople,
    TooOld,
    TooYoung,
)
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import first_state
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Person
from marketplace.accounts.rules import age_on
from marketplace.cities.models import City
from marketplace.errors import Invalid
from marketplace.web.problems import field_message
from spaces.catalog.models import Space
from spaces.pricing.models import OrganisationGroup
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.rules import name_organisation


@pytest.fixture
def actor(session: Session, person: Person) -> Actor:
    return actor_of(session, person)


def told(app: Flask, refusal: Invalid) -> dict[str, str]:
    with app.test_request_context("/en/"):
        return {error.field: field_message(error) for error in refusal.fields}


def bookings(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Booking)) or 0


def test_only_the_identified_book_where_the_space_says_so(
    session: Session, city: City, person: Person, actor: Actor
) -> None:
    space = open_space(session, city, who="verified")
    club = make_organisation(session, city)
    join(session, person, club)
    actor = actor_of(session, person)
    for organisation_id in (None, club.id):
        with pytest.raises(IdentityNeeded):
            book(session, city, space, actor, span_on(city, 8, 9), organisation_id=organisation_id)
    assert bookings(session) == 0
    person.identified_at = NOW
    session.flush()
    book(session, city, space, actor, span_on(city, 8, 9))
    book(session, city, space, actor, span_on(city, 9, 10), organisation_id=club.id)


@pytest.mark.parametrize(
    ("role", "for_whom", "allowed"),
    [
        (None, "self", False),
        ("member", "self", True),
        ("booker", "self", True),
        ("booker", "named", True),
        ("member", "named", False),  # a mere member has no right to book for it
        ("booker", "other", False),
    ],
)
def test_members_of_named_organisations(
    session: Session, city: City, person: Person, role: str | None, for_whom: str, allowed: bool
) -> None:
    space = open_space(session, city, who="members")
    named, other = make_organisation(session, city), make_organisation(session, city, name="Muut ry")
    name_organisation(session, space, named)
    name_organisation(session, space, other, "trusted")  # another part gives no right
    if role:
        join(session, person, named, role)
    join(session, person, other, "booker")
    actor = actor_of(session, person)
    organisation_id = {"self": None, "named": named.id, "other": other.id}[for_whom]
    if allowed:
        book(session, city, space, actor, span_on(city, 8, 9), organisation_id=organisation_id)
        return
    with pytest.raises((MembersOnly, NoRightToBook)):
        book(session, city, space, actor, span_on(city, 8, 9), organisation_id=organisation_id)
    assert bookings(session) == 0


def test_an_invitation_that_is_not_accepted_makes_no_member(
    session: Session, city: City, person: Person
) -> None:
    space, named = open_space(session, city, who="members"), make_organisation(session, city)
    name_organisation(session, space, named)
    join(session, person, named).accepted_at = None
    session.flush()
    with pytest.raises(MembersOnly):
        book(session, city, space, actor_of(session, person), span_on(city, 8, 9))


def test_staff_and_the_owners_own_people_keep_the_rules_too(
    session: Session, city: City, person: Person
) -> None:
    space = open_space(session, city, who="members")
    staff = actor_of(session, make_person(session, city, is_staff=True))
    with pytest.raises(MembersOnly):
        book(session, city, space, staff, span_on(city, 8, 9))


def test_organisations_only_is_as_it_was(session: Session, city: City, actor: Actor) -> None:
    with pytest.raises(OrganisationsOnly):
        book(session, city, open_space(session, city, who="organisations"), actor, span_on(city, 8, 9))


def years_before(day: date, years: int, days: int = 0) -> date:
    return day.replace(year=day.year - years) + timedelta(days=days)


def test_age_is_counted_on_the_day_of_use(
    app: Flask, session: Session, city: City, person: Person, actor: Actor
) -> None:
    space = open_space(session, city, min_age=18)
    person.birth_date = years_before(DAY, 18)  # eighteen on the very day, seventeen when it is booked
    session.flush()
    book(session, city, space, actor, span_on(city, 8, 9))
    with pytest.raises(TooYoung) as refused:
        book(session, city, space, actor, span_on(city, 8, 9, day=DAY - timedelta(days=1)), at=NOW)
    assert told(app, refused.value) == {"organisation": "Whoever books is at least 18 years old on the day."}


def test_the_day_is_the_citys_own(session: Session, city: City, person: Person, actor: Actor) -> None:
    """Half past midnight in Helsinki is still yesterday in London."""
    from datetime import time  # noqa: PLC0415

    space = open_space(session, city, min_age=18, hours=(time(0), time(0)), first=date(2026, 12, 1))
    person.birth_date = years_before(DAY, 18)
    session.flush()
    book(session, city, space, actor, span_on(city, 0.5, 1.5))


def test_the_upper_limit_is_for_those_who_book_for_themselves(
    app: Flask, session: Session, city: City, person: Person
) -> None:
    space, club = open_space(session, city, max_age=17), make_organisation(session, city)
    join(session, person, club)
    person.birth_date = years_before(DAY, 40)
    session.flush()
    actor = actor_of(session, person)
    with pytest.raises(TooOld) as refused:
        book(session, city, space, actor, span_on(city, 8, 9))
    assert told(app, refused.value) == {
        "organisation": "Whoever books for themselves is at most 17 years old on the day."
    }
    book(session, city, space, actor, span_on(city, 8, 9), organisation_id=club.id)


def test_the_day_of_birth_is_asked_once_and_kept(
    app: Flask, session: Session, city: City, person: Person, actor: Actor
) -> None:
    space = open_space(session, city, min_age=18)
    with pytest.raises(AskedMissing) as refused:
        book(session, city, space, actor, span_on(city, 8, 9))
    assert told(app, refused.value) == {
        "birth_date": "Tell the day you were born: this space has an age limit."
    }
    born = years_before(DAY, 30)
    book(session, city, space, actor, span_on(city, 8, 9), details=Details(birth_date=born))
    assert person.birth_date == born
    entry = session.scalars(select(AuditEntry).where(AuditEntry.subject_kind == "person")).one()
    assert entry.details == {"fields": ["birth_date"]}  # which, not what
    book(session, city, space, actor, span_on(city, 10, 11))


def test_a_day_of_birth_that_is_refused_is_not_kept(
    app: Flask, session: Session, city: City, person: Person, actor: Actor
) -> None:
    space = open_space(session, city, min_age=18)
    for born, text in (
        (years_before(DAY, 12), "Whoever books is at least 18 years old on the day."),
        (date(1850, 1, 1), "Write the day you were born."),
        (NOW.date() + timedelta(days=2), "Write the day you were born."),
    ):
        with pytest.raises(Invalid) as refused:
            book(session, city, space, actor, span_on(city, 8, 9), details=Details(birth_date=born))
        assert told(app, refused.value) == {"birth_date": text}
    session.refresh(person)
    assert (person.birth_date, bookings(session)) == (None, 0)


def test_a_day_of_birth_that_nobody_asked_for_is_not_kept(
    session: Session, city: City, person: Person, actor: Actor
) -> None:
    details = replace(NO_DETAILS, birth_date=years_before(DAY, 30))
    book(session, city, open_space(session, city), actor, span_on(city, 8, 9), details=details)
    assert person.birth_date is None


def test_a_known_day_of_birth_is_not_replaced_by_a_form(
    session: Session, city: City, person: Person, actor: Actor
) -> None:
    person.birth_date = years_before(DAY, 12)
    session.flush()
    space = open_space(session, city, min_age=18)
    with pytest.raises(TooYoung):
        book(
            session,
            city,
            space,
            actor,
            span_on(city, 8, 9),
            details=Details(birth_date=years_before(DAY, 30)),
        )


dates = st.dates(date(1904, 1, 1), date(2040, 12, 31))


@given(dates, st.integers(0, 120))
def test_birthdays(born: date, years: int) -> None:
    """On the birthday one is so many years old, the day before one less; 29 February comes on 1 March."""
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:
        birthday = date(born.year + years, 3, 1)
    assert age_on(born, birthday) == years
    assert age_on(born, birthday - timedelta(days=1)) == years - 1


@given(dates, dates)
def test_nobody_grows_younger(born: date, day: date) -> None:
    assert age_on(born, day + timedelta(days=1)) - age_on(born, day) in {0, 1}


def test_leap_day() -> None:
    born = date(2008, 2, 29)
    assert [age_on(born, day) for day in (date(2026, 2, 28), date(2026, 3, 1))] == [17, 18]
    assert [age_on(born, day) for day in (date(2028, 2, 28), date(2028, 2, 29))] == [19, 20]


@pytest.mark.parametrize(
    ("rules", "attendees", "refusal", "text"),
    [
        ({"attendees_min": 4}, None, AttendeesMissing, "Write how many people come."),
        ({"attendees_max": 9}, None, AttendeesMissing, "Write how many people come."),
        ({"attendees_min": 4}, 3, TooFewPeople, "The space is booked for at least 4 people."),
        ({"attendees_max": 9}, 10, MorePeopleThanAllowed, "The space is booked for at most 9 people."),
        ({"attendees_min": 4}, 41, TooManyPeople, "40 people fit here."),
        ({"attendees_min": 4, "attendees_max": 9}, 4, None, ""),
        ({"attendees_min": 4, "attendees_max": 9}, 9, None, ""),
        ({}, None, None, ""),
    ],
)
def test_how_many_come(
    app: Flask,
    session: Session,
    city: City,
    actor: Actor,
    rules: dict[str, Any],
    attendees: int | None,
    refusal: type[Invalid] | None,
    text: str,
) -> None:
    space = open_space(session, city, **rules)
    if refusal is None:
        assert (
            book(session, city, space, actor, span_on(city, 8, 9), attendees=attendees).attendees == attendees
        )
        return
    with pytest.raises(refusal) as refused:
        book(session, city, space, actor, span_on(city, 8, 9), attendees=attendees)
    assert told(app, refused.value) == {"attendees": text}


def state_for(session: Session, city: City, space: Space, actor: Actor, organisation_id: int | None) -> str:
    hour = 8 + bookings(session)
    return book(
        session, city, space, actor, span_on(city, hour, hour + 1), organisation_id=organisation_id
    ).state


def test_the_trusted_are_confirmed_at_once_and_others_wait(
    session: Session, city: City, person: Person
) -> None:
    named, club = make_organisation(session, city), make_organisation(session, city, name="Seura ry")
    scouts = make_organisation(session, city, name="Partio ry")
    company = make_organisation(session, city, name="Oy", kind="company")
    for organisation in (named, club, scouts, company):
        join(session, person, organisation)
    session.add(OrganisationGroup(city_id=city.id, organisation_id=scouts.id, group_code="youth"))
    session.flush()
    actor = actor_of(session, person)
    space = open_space(session, city, approval="trusted", trusted_groups=["youth"])
    name_organisation(session, space, named, "trusted")
    name_organisation(session, space, club, "member")
    found = {
        one: state_for(session, city, space, actor, id_)
        for one, id_ in (
            ("named", named.id),
            ("youth", scouts.id),
            ("member only", club.id),
            ("company", company.id),
            ("self", None),
        )
    }
    assert found == {
        "named": "confirmed",
        "youth": "confirmed",
        "member only": "awaiting_approval",
        "company": "awaiting_approval",
        "self": "awaiting_approval",
    }


def test_residents_can_be_trusted(session: Session, city: City, actor: Actor) -> None:
    space = open_space(session, city, approval="trusted", trusted_groups=["resident"])
    assert state_for(session, city, space, actor, None) == "confirmed"


def test_trust_means_nothing_where_a_handler_answers_everybody(
    session: Session, city: City, person: Person
) -> None:
    named = make_organisation(session, city)
    join(session, person, named)
    space = open_space(session, city, approval="handler", trusted_groups=["association"])
    name_organisation(session, space, named, "trusted")
    assert state_for(session, city, space, actor_of(session, person), named.id) == "awaiting_approval"


@pytest.mark.parametrize(
    ("approval", "is_trusted", "state"),
    [
        ("instant", False, "confirmed"),
        ("instant", True, "confirmed"),
        ("handler", True, "awaiting_approval"),
        ("trusted", True, "confirmed"),
        ("trusted", False, "awaiting_approval"),
    ],
)
def test_the_first_state(approval: str, is_trusted: bool, state: str) -> None:
    assert first_state(approval, is_trusted=is_trusted) == state
