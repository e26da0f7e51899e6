"""What the search is told of past use: the person's own, and that of the organisation they act for; nobody else's."""

from datetime import UTC, date, datetime

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import cancel_booking
from bookings.lifecycle.familiar import FamiliarByBookings
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from spaces.search.familiar import Use
from spaces.search.queries import search
from spaces.search.question import Question
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, join, make_organisation, make_person

LATER = datetime(2027, 1, 10, 9, 0, tzinfo=UTC)
PORT = FamiliarByBookings()


def test_own_bookings_are_counted_with_the_last_day(session: Session, city: City) -> None:
    space = open_space(session, city)
    actor = actor_of(session, make_person(session, city))
    book(session, city, space, actor, span_on(city, 10, 11))
    book(session, city, space, actor, span_on(city, 18, 19))
    assert PORT.used_spaces(session, city, actor, at=LATER) == {space.id: Use(date(2026, 12, 1), times=2)}
    # Neither before it has been, nor two years after.
    assert PORT.used_spaces(session, city, actor, at=NOW) == {}
    assert PORT.used_spaces(session, city, actor, at=datetime(2029, 1, 10, tzinfo=UTC)) == {}


def test_what_was_cancelled_was_no_use(session: Session, city: City) -> None:
    space = open_space(session, city)
    actor = actor_of(session, make_person(session, city))
    booking = book(session, city, space, actor, span_on(city, 10, 11))
    cancel_booking(session, city, booking, actor=actor, at=NOW)
    assert PORT.used_spaces(session, city, actor, at=LATER) == {}


def test_colleagues_know_the_space_only_while_they_act_for_the_organisation(
    session: Session, city: City
) -> None:
    space = open_space(session, city)
    club = make_organisation(session, city, kind="association")
    booker, colleague = make_person(session, city), make_person(session, city)
    for person in (booker, colleague):
        join(session, person, club, role="booker")
    book(session, city, space, actor_of(session, booker), span_on(city, 18, 19), organisation_id=club.id)
    theirs = actor_of(session, colleague)
    assert PORT.used_spaces(session, city, theirs, at=LATER) == {}
    acting = actor_of(session, colleague, acting_for=club.id)
    assert PORT.used_spaces(session, city, acting, at=LATER) == {
        space.id: Use(date(2026, 12, 1), by_organisation=True)
    }


def test_nobody_and_strangers_know_nothing(session: Session, city: City) -> None:
    space = open_space(session, city)
    person = make_person(session, city)
    book(session, city, space, actor_of(session, person), span_on(city, 18, 19))
    assert PORT.used_spaces(session, city, Actor(city.id), at=LATER) == {}
    assert PORT.used_spaces(session, city, actor_of(session, make_person(session, city)), at=LATER) == {}
    other = make_city(session, slug="other")
    assert PORT.used_spaces(session, other, Actor(other.id, person_id=person.id), at=LATER) == {}


def test_a_known_space_comes_sooner_and_says_so(session: Session, city: City, client: FlaskClient) -> None:
    spaces = [open_space(session, city) for _ in range(3)]
    used = {spaces[2].id: Use(DAY, times=3)}
    first = search(session, city, Question(), now=NOW, used=used).hits[0]
    assert first.space.id == spaces[2].id
    assert [reason.code for reason in first.reasons] == ["you-were-here"]
    assert first.reasons[0].facts == {"on": "2026-12-01", "times": 3}
    # Only the best order counts it.
    plain = search(session, city, Question(sort="cheapest"), now=NOW, used=used)
    assert [hit.space.id for hit in plain.hits] == [space.id for space in spaces]
