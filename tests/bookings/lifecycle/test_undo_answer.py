"""An answer is taken back by the one who gave it, as long as nobody has been told; then nobody ever is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import approve_booking, cancel_booking, decline_booking, undo_answer
from bookings.lifecycle.errors import NotYourAnswer, UndoOver
from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import ANSWERS, STATES, TOLD_AFTER, UNDO_OFFERED, may_be_undone
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Organisation
from marketplace.cities.models import City
from marketplace.notifications.models import Mail
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim
from spaces.calendar.queries import calendar_of
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue
from spaces.pricing.errors import CodeUsedUp
from spaces.pricing.models import DiscountCode
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_person
from tests.factories.spaces import make_venue


@dataclass
class House:
    """A space that is asked for, its two managers, and the one who asks."""

    city: City
    venue: Venue
    space: Space
    manager: Actor
    other: Actor
    booker: Actor
    request: Booking

    def answer(self, session: Session, state: str, *, by: Actor | None = None) -> None:
        actor = by or self.manager
        if state == "confirmed":
            approve_booking(session, self.city, self.request, self.venue, actor=actor, at=NOW, may_undo=True)
        else:
            decline_booking(
                session,
                self.city,
                self.request,
                self.venue,
                actor=actor,
                reason="Lattia vahataan",
                at=NOW,
                may_undo=True,
            )

    def undo(self, session: Session, *, by: Actor | None = None, seconds: float = 5) -> None:
        undo_answer(
            session,
            self.city,
            self.request,
            self.space,
            self.venue,
            actor=by or self.manager,
            at=NOW + timedelta(seconds=seconds),
        )


@pytest.fixture
def house(session: Session, city: City) -> House:
    venue = make_venue(session, city)
    owner = session.get_one(Organisation, (city.id, venue.owner_id))
    people = [make_person(session, city, language="en") for _ in range(3)]
    for person in people[:2]:
        join(session, person, owner, "manager")
    manager, other, booker = (actor_of(session, person) for person in people)
    space = open_space(session, city, venue, approval="handler")
    asked = book(session, city, space, booker, span_on(city, 18, 20))
    session.commit()
    return House(city, venue, space, manager, other, booker, asked)


def time_passes(session: Session) -> None:
    """Until what was deferred for later is due."""
    session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()"))
    session.commit()


def mails(session: Session) -> list[str]:
    found = session.scalars(select(Mail.template).order_by(Mail.id))
    return [name for template in found if (name := template.rpartition("/")[2]) in {"confirmed", "declined"}]


def is_free(session: Session, house: House) -> bool:
    during = span_on(house.city, 18, 20)
    return calendar_of(session, house.city.id, house.space.id, during, house.city.zone).free.contains(during)


def test_only_an_answer_can_be_undone_and_only_for_a_while() -> None:
    def may(state: str, seconds: float) -> bool:
        return may_be_undone(state, answered_at=NOW, at=NOW + timedelta(seconds=seconds))

    assert {state for state in STATES if may(state, 0)} == ANSWERS == {"confirmed", "declined"}
    assert may("confirmed", 14.9)
    assert not may("confirmed", TOLD_AFTER.total_seconds())
    assert not may("confirmed", -1)
    # Whoever presses at the last moment that the button is there is heard.
    assert timedelta(seconds=10) == UNDO_OFFERED < TOLD_AFTER


@pytest.mark.parametrize("state", ["confirmed", "declined"])
def test_the_booker_is_told_once_the_time_to_undo_is_over(
    session: Session, house: House, run_jobs: Callable[[], int], state: str
) -> None:
    house.answer(session, state)
    session.commit()
    run_jobs()
    # The answer holds at once, only the news waits.
    assert (house.request.state, mails(session)) == (state, [])
    assert is_free(session, house) is (state == "declined")
    waits = session.scalar(
        text("SELECT scheduled_at - clock_timestamp() FROM procrastinate_jobs WHERE scheduled_at > now()")
    )
    assert timedelta(seconds=5) < waits <= TOLD_AFTER
    time_passes(session)
    run_jobs()
    assert mails(session) == [state]


@pytest.mark.parametrize("state", ["confirmed", "declined"])
def test_an_undone_answer_is_never_told(
    session: Session, house: House, run_jobs: Callable[[], int], state: str
) -> None:
    house.answer(session, state)
    session.commit()
    house.undo(session)
    session.commit()
    assert house.request.state == "awaiting_approval"
    assert not is_free(session, house)
    assert session.scalar(select(func.count()).select_from(Claim)) == 1
    time_passes(session)
    run_jobs()
    assert mails(session) == []
    steps = session.scalars(
        select(AuditEntry).where(AuditEntry.subject_kind == "booking").order_by(AuditEntry.id)
    ).all()
    assert steps[-1].action == "booking.answer-undone"
    assert steps[-1].person_id == house.manager.person_id
    assert steps[-1].details == {"before": state, "after": "awaiting_approval"}


def test_the_second_thought_is_the_one_that_is_told(
    session: Session, house: House, run_jobs: Callable[[], int]
) -> None:
    house.answer(session, "declined")
    house.undo(session)
    house.answer(session, "confirmed", by=house.other)
    session.commit()
    with pytest.raises(NotYourAnswer):
        house.undo(session)
    assert house.request.state == "confirmed"
    time_passes(session)
    run_jobs()
    assert mails(session) == ["confirmed"]
    with pytest.raises(UndoOver):
        house.undo(session, by=house.other)


def test_it_is_undone_in_time_or_not_at_all(session: Session, house: House) -> None:
    with pytest.raises(UndoOver):  # nothing has been answered
        house.undo(session)
    house.answer(session, "confirmed")
    session.commit()
    with pytest.raises(UndoOver):  # a worker that stands still does not lengthen it
        house.undo(session, seconds=TOLD_AFTER.total_seconds())
    # What a worker has begun to tell is told.
    session.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE scheduled_at > now()"))
    with pytest.raises(UndoOver):
        house.undo(session)
    session.refresh(house.request)
    assert house.request.state == "confirmed"


def test_an_answer_that_was_told_at_once_cannot_be_undone(session: Session, house: House) -> None:
    approve_booking(session, house.city, house.request, house.venue, actor=house.manager, at=NOW)
    with pytest.raises(UndoOver):
        house.undo(session)


def test_whoever_cancels_meanwhile_hears_of_that_only(
    session: Session, house: House, run_jobs: Callable[[], int]
) -> None:
    house.answer(session, "confirmed")
    cancel_booking(session, house.city, house.request, actor=house.booker, at=NOW)
    with pytest.raises(UndoOver):
        house.undo(session)
    session.commit()
    time_passes(session)
    run_jobs()
    assert mails(session) == []
    assert house.request.state == "cancelled"


def test_a_time_that_was_taken_meanwhile_stays_declined(
    session: Session, house: House, run_jobs: Callable[[], int]
) -> None:
    house.answer(session, "declined")
    quick = book(session, house.city, house.space, house.other, span_on(house.city, 19, 21))
    session.commit()
    with pytest.raises(SlotTaken):
        house.undo(session)
    session.commit()
    session.refresh(house.request)
    assert (house.request.state, quick.state) == ("declined", "awaiting_approval")
    # The refused undo has not taken the news back.
    time_passes(session)
    run_jobs()
    assert mails(session) == ["declined"]


def test_a_discount_is_used_again_or_the_answer_stands(session: Session, house: House) -> None:
    code = DiscountCode(
        city_id=house.city.id,
        space_id=house.space.id,
        code="KEVAT",
        percent=50,
        valid_from=DAY - timedelta(days=60),
        max_uses=1,
        uses=1,
    )
    session.add(code)
    session.flush()
    session.execute(
        update(Booking).values(
            lines=[{"code": "discount", "note": "KEVAT", "amount_minor": 0, "quantity": 1}]
        )
    )
    session.refresh(house.request)
    house.answer(session, "confirmed")
    house.undo(session)
    assert code.uses == 1  # a confirmed booking has kept it
    house.answer(session, "declined")
    session.execute(update(DiscountCode).values(uses=1))  # by somebody else meanwhile
    with pytest.raises(CodeUsedUp):
        house.undo(session)
    session.refresh(house.request)
    assert house.request.state == "declined"
    session.execute(update(DiscountCode).values(uses=0))
    house.undo(session)
    session.refresh(code)
    assert code.uses == 1


def test_others_may_not(session: Session, house: House) -> None:
    house.answer(session, "confirmed")
    outsider = actor_of(session, make_person(session, house.city))
    for stranger in (house.booker, outsider):
        with pytest.raises(NotYourVenue):
            house.undo(session, by=stranger)
    with pytest.raises(NotYourAnswer):
        house.undo(session, by=house.other)
    assert house.request.state == "confirmed"
