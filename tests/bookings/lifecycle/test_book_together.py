"""Several spaces in one go: all of them or none, whoever else wants some of them at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.errors import PriceChanged, SubmissionUsed, TooManySpaces
from bookings.lifecycle.models import Booking
from bookings.lifecycle.together import book_together, group_of
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Refusal
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim
from spaces.catalog.models import Space
from tests.bookings.lifecycle.test_pages import text_of
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_person
from tests.factories.spaces import make_venue


def together(session: Session, city: City, spaces: list[Space], actor: Actor, **more: Any) -> list[Booking]:
    values: dict[str, Any] = {
        "during": span_on(city, 18, 20), "purpose": "Party", "attendees": 20, "organisation_id": None,
        "submission": "party-of-mine", "at": NOW, **more,
    }  # fmt: skip
    return book_together(session, city, spaces[0], spaces[1:], actor=actor, **values)


def three(session: Session, city: City) -> list[Space]:
    venue = make_venue(session, city)
    return [open_space(session, city, venue) for _ in range(3)]


def test_all_are_booked_and_know_of_each_other(session: Session, city: City, person: Person) -> None:
    spaces, mine = three(session, city), actor_of(session, person)
    made = together(session, city, spaces, mine, expected_total_minor=12000)
    assert [booking.space_id for booking in made] == [space.id for space in spaces]
    assert {booking.group_id for booking in made} == {made[0].id}
    assert [booking.attendees for booking in made] == [20, None, None]
    assert group_of(session, made[1]) == [made[0], made[2]]
    # The same form once more finds them.
    assert together(session, city, spaces, mine) == made
    with pytest.raises(SubmissionUsed):
        together(session, city, spaces, mine, during=span_on(city, 10, 12))


def test_one_that_is_taken_leaves_none(session: Session, city: City, person: Person) -> None:
    spaces = three(session, city)
    book(session, city, spaces[2], actor_of(session, make_person(session, city)), span_on(city, 19, 21))
    with pytest.raises(SlotTaken):
        together(session, city, spaces, actor_of(session, person))
    assert session.scalar(select(func.count()).select_from(Booking)) == 1
    assert session.scalar(select(func.count()).select_from(Claim)) == 1


def test_the_price_of_all_is_what_was_seen(session: Session, city: City, person: Person) -> None:
    spaces = three(session, city)
    with pytest.raises(PriceChanged):
        together(session, city, spaces, actor_of(session, person), expected_total_minor=11999)
    assert session.scalar(select(func.count()).select_from(Booking)) == 0


def test_one_alone_has_no_group_and_ten_are_enough(session: Session, city: City, person: Person) -> None:
    spaces, mine = three(session, city), actor_of(session, person)
    (only,) = together(session, city, spaces[:1], mine)
    assert only.group_id is None
    with pytest.raises(TooManySpaces):
        together(session, city, [open_space(session, city) for _ in range(11)], mine, submission="too-many-1")


def test_crowds_that_want_the_same_spaces_in_another_order(committing: Engine) -> None:
    with transaction() as session:
        city = make_city(session)
        spaces = three(session, city)
        actors = [actor_of(session, make_person(session, city)) for _ in range(12)]

    def run(n: int) -> str:
        order = spaces[n % 3 :] + spaces[: n % 3]
        wanted = order if n % 2 else order[::-1][:2]
        try:
            with transaction() as session:
                together(session, city, wanted, actors[n], submission=f"crowd-{n:04}", attendees=None)
        except Refusal as refusal:
            return refusal.code
        return "booked"

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(run, range(12)))
    assert set(answers) <= {"booked", "slot-taken"}
    with transaction() as session:
        groups = session.execute(select(Booking.group_id, func.count()).group_by(Booking.group_id)).all()
        held = session.scalars(select(Booking.space_id)).all()
    assert len(groups) == answers.count("booked") >= 1
    assert all(count in {2, 3} for _, count in groups)
    assert len(held) == len(set(held))  # nobody has a space that another has


def test_the_checkout_offers_what_else_is_free_and_books_all_in_one_go(
    signed_in_client: FlaskClient, session: Session, city: City, person: Person
) -> None:
    today = now().astimezone(city.zone).date()
    evening = span_on(city, 18, 20, day=today + timedelta(days=3))
    venue = make_venue(session, city)
    ends = {"first": today, "last": today + timedelta(days=30)}
    hall, kitchen, office, taken = (
        open_space(session, city, venue, names={"en": name}, **ends)
        for name in ("Hall", "Kitchen", "Office", "Studio")
    )
    open_space(session, city, venue, names={"en": "Attic"}, approval="handler", **ends)
    book(session, city, taken, actor_of(session, make_person(session, city)), evening, at=now())
    session.commit()
    start = evening.start.astimezone(city.zone).isoformat()
    there: dict[str, Any] = {
        "path": f"/en/spaces/{hall.id}/booking", "query_string": {"start": start, "minutes": 120},
    }  # fmt: skip
    page = text_of(signed_in_client.get(**there))
    assert "Kitchen, €40" in page
    assert "Office, €40" in page
    assert "Studio" not in page  # taken
    assert "Attic" not in page  # its owner would have to confirm
    filled = {
        "organisation": "myself", "purpose": "Party", "attendees": "12", "also": [str(kitchen.id), str(office.id)],
        "submission": "6b1f0d54-95a1-4a5c-9d7e-0c7a6f2c1a11",
    }  # fmt: skip
    looked = text_of(signed_in_client.post(**there, data={**filled, "do": "look"}))
    assert "Total €120" in looked
    assert "Book €120" in looked
    assert signed_in_client.post(**there, data={**filled, "total": "11999"}).status_code == 409
    done = signed_in_client.post(**there, data={**filled, "total": "12000"})
    assert done.status_code == 303
    shown = text_of(signed_in_client.get(done.location))
    assert "Booked in the same go Kitchen , Confirmed Office , Confirmed" in shown
    assert (
        session.scalar(select(func.count()).select_from(Booking).where(Booking.person_id == person.id)) == 3
    )
