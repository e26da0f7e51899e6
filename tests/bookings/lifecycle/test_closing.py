"""Closing a space that is booked: each booking is kept or cancelled with notice, none is dropped silently."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import move_to
from bookings.lifecycle.change_actions import Change, change_booking
from bookings.lifecycle.closing import BookingHolders
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Organisation, Person
from marketplace.cities.models import City
from marketplace.db import span_of
from marketplace.notifications.models import Mail
from marketplace.timespan import Span, SpanSet
from spaces.calendar.closing_actions import close_space, reopen_space
from spaces.calendar.errors import BookingsInTheWay, CannotGiveUp, ClosingOver, ReasonNeeded, SlotTaken
from spaces.calendar.models import Claim, Closure
from spaces.calendar.queries import calendar_of
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.models import Space, Venue
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.people import actor_of, join, make_person, sign_in
from tests.factories.spaces import make_unit, make_venue

REASONS = {"fi": "Lattia lakataan", "sv": "Golvet lackas", "en": "The floor is varnished"}


@pytest.fixture
def venue(session: Session, city: City) -> Venue:
    return make_venue(session, city)


@pytest.fixture
def manager(session: Session, city: City, venue: Venue) -> Actor:
    person = make_person(session, city, name="Elina Salo")
    join(session, person, session.get_one(Organisation, (city.id, venue.owner_id)), "manager")
    return actor_of(session, person)


@pytest.fixture
def booker(session: Session, city: City) -> Actor:
    return actor_of(session, make_person(session, city, name="Aino Korhonen"))


@pytest.fixture
def space(session: Session, city: City, venue: Venue) -> Space:
    return open_space(session, city, venue)


def close(session: Session, city: City, space: Space, during: Span, manager: Actor, **how) -> list[Closure]:
    values = {"holders": BookingHolders(), "at": NOW, **how}
    reasons = values.pop("reasons", REASONS)
    return close_space(session, city, space, during, reasons, actor=manager, **values)


def free(session: Session, city: City, space: Space) -> list[tuple[float, float]]:
    day = span_on(city, 0, 24)
    found = calendar_of(session, city.id, space.id, day, city.zone).free
    return [
        ((s.start - day.start) / timedelta(hours=1), (s.end - day.start) / timedelta(hours=1)) for s in found
    ]


def test_an_empty_space_is_closed_at_once(
    session, city: City, space: Space, manager: Actor, booker: Actor
) -> None:
    (closure,) = close(session, city, space, span_on(city, 10, 14), manager)
    assert free(session, city, space) == [(8, 10), (14, 22)]
    assert closure.reasons == REASONS
    with pytest.raises(SlotTaken):
        book(session, city, space, booker, span_on(city, 13, 15))
    book(session, city, space, booker, span_on(city, 14, 15))
    reopen_space(session, city, space, closure.closing_id or 0, actor=manager)
    assert free(session, city, space) == [(8, 14), (15, 22)]
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_kind == "space").order_by(AuditEntry.id)
    )
    assert list(actions) == ["space.closed", "space.reopened"]


def test_bookings_in_the_way_are_named_and_nothing_is_closed(
    app: Flask, session, city: City, space: Space, manager: Actor, booker: Actor
) -> None:
    first = book(session, city, space, booker, span_on(city, 10, 11))
    second = book(session, city, space, booker, span_on(city, 18, 20))
    with pytest.raises(BookingsInTheWay) as refused, session.begin_nested():
        close(session, city, space, span_on(city, 9, 19), manager, keep=[first.id])
    assert refused.value.holder_ids == [second.id]
    assert session.scalar(select(func.count()).select_from(Closure)) == 0
    with app.test_request_context("/en/"):
        told = BookingHolders().describe(session, manager, [second.id, first.id])
    assert [(one.reference, one.who, one.during, one.may_cancel) for one in told] == [
        (
            first.reference,
            "Aino Korhonen",
            first.span,
            first.span.start > datetime.now(UTC),
        ),
        (
            second.reference,
            "Aino Korhonen",
            second.span,
            second.span.start > datetime.now(UTC),
        ),
    ]


def test_what_is_kept_stays_open_and_what_is_not_is_cancelled_with_the_reason(
    session, city: City, space: Space, manager: Actor, booker: Actor, run_jobs
) -> None:
    kept = book(session, city, space, booker, span_on(city, 10, 11))
    gone = book(session, city, space, booker, span_on(city, 15, 16))
    closures = close(session, city, space, span_on(city, 9, 18), manager, keep=[kept.id], cancel=[gone.id])
    session.commit()
    assert [span_of(c.during) for c in closures] == [
        span_on(city, 9, 10),
        span_on(city, 11, 18),
    ]
    assert {c.closing_id for c in closures} == {closures[0].id}
    assert free(session, city, space) == [(8, 9), (18, 22)]
    assert (kept.state, gone.state) == ("confirmed", "cancelled")
    assert not session.scalars(select(Claim).where(Claim.holder_id == gone.id)).all()
    run_jobs()
    mails = session.scalars(select(Mail)).all()
    told = [mail for mail in mails if "displaced" in mail.key]
    assert len(told) == 1
    assert "Lattia lakataan" in told[0].body_text
    assert "Se ei maksa sinulle mitään" in told[0].body_text
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.cancelled")).one()
    assert entry.person_id == manager.person_id
    assert entry.details["kept_minor"] == 0


def test_a_request_is_declined_in_the_bookers_language(
    session, city: City, venue: Venue, manager: Actor, run_jobs
) -> None:
    space = open_space(session, city, venue, approval="handler")
    booker = actor_of(session, make_person(session, city, language="sv"))
    asked = book(session, city, space, booker, span_on(city, 10, 11))
    close(session, city, space, span_on(city, 9, 18), manager, cancel=[asked.id])
    session.commit()
    assert asked.state == "declined"
    run_jobs()
    texts = [m.body_text for m in session.scalars(select(Mail)).all() if "declined" in m.key]
    assert len(texts) == 1
    assert "Golvet lackas" in texts[0]


def test_whoever_is_cancelled_is_told_why(
    session, city: City, space: Space, manager: Actor, booker: Actor
) -> None:
    booking = book(session, city, space, booker, span_on(city, 10, 11))
    with pytest.raises(ReasonNeeded):
        close(session, city, space, span_on(city, 9, 18), manager, cancel=[booking.id], reasons={})


def test_a_half_that_is_kept_leaves_the_other_half_closed(
    session, city: City, venue: Venue, manager: Actor, booker: Actor
) -> None:
    a, b = make_unit(session, venue), make_unit(session, venue)
    whole = open_space(session, city, venue, units=[a, b])
    half_a, half_b = (open_space(session, city, venue, units=[unit]) for unit in (a, b))
    kept = book(session, city, half_a, booker, span_on(city, 10, 12))
    close(session, city, whole, span_on(city, 8, 20), manager, keep=[kept.id])
    assert (
        free(session, city, half_a) == free(session, city, half_b) == free(session, city, whole) == [(20, 22)]
    )
    with pytest.raises(SlotTaken):
        book(session, city, half_b, booker, span_on(city, 10, 12))


def test_every_lane_is_closed(session, city: City, venue: Venue, manager: Actor, booker: Actor) -> None:
    space = open_space(session, city, venue, units=[make_unit(session, venue, lanes=3)])
    kept = book(session, city, space, booker, span_on(city, 10, 12))
    close(session, city, space, span_on(city, 9, 13), manager, keep=[kept.id])
    assert free(session, city, space) == [(8, 9), (13, 22)]


def test_a_closing_may_begin_where_a_booking_ends_whatever_its_buffer(
    session, city: City, venue: Venue, manager: Actor, booker: Actor
) -> None:
    space = open_space(session, city, venue, buffer_after_minutes=60)
    book(session, city, space, booker, span_on(city, 10, 12))
    close(session, city, space, span_on(city, 12, 15), manager)
    close(session, city, space, span_on(city, 14, 16), manager)  # a second closing over the first
    book(session, city, space, booker, span_on(city, 8, 9))
    assert session.scalar(select(func.count()).select_from(Closure)) == 2


def test_what_has_begun_is_kept(
    app: Flask, session, city: City, space: Space, manager: Actor, booker: Actor
) -> None:
    booking = book(session, city, space, booker, span_on(city, 10, 12))
    during = booking.span
    at = during.start + timedelta(minutes=30)
    with pytest.raises(CannotGiveUp), session.begin_nested():
        close(session, city, space, span_on(city, 9, 15), manager, cancel=[booking.id], at=at)
    (closure,) = close(session, city, space, span_on(city, 9, 15), manager, keep=[booking.id], at=at)
    assert span_of(closure.during) == span_on(city, 12, 15)
    with pytest.raises(ClosingOver):
        close(session, city, space, span_on(city, 9, 10), manager, at=at)


@pytest.mark.parametrize("role", [None, "booker"])
def test_others_may_not_close(session, city: City, venue: Venue, space: Space, role: str | None) -> None:
    person = make_person(session, city)
    if role:
        join(session, person, session.get_one(Organisation, (city.id, venue.owner_id)), role)
    actor = actor_of(session, person)
    with pytest.raises(NotYourVenue):
        close(session, city, space, span_on(city, 9, 10), actor)
    with pytest.raises(NotYourVenue):
        reopen_space(session, city, space, 1, actor=actor)


def test_a_closing_never_meets_a_body(
    session, city: City, space: Space, manager: Actor, booker: Actor
) -> None:
    """Over several closings and kept bookings, claims of closings and bodies of bookings stay apart."""
    made = [book(session, city, space, booker, span_on(city, n, n + 1)) for n in (9, 12, 20)]
    close(session, city, space, span_on(city, 8, 15), manager, keep=[b.id for b in made])
    close(session, city, space, span_on(city, 11, 22), manager, keep=[b.id for b in made])
    bodies = SpanSet(b.span for b in made)
    closed = SpanSet(span_of(d) for d in session.scalars(select(Claim.during).where(Claim.part == 1)))
    assert closed - bodies == closed
    assert session.scalar(select(func.count()).select_from(Booking).where(Booking.state == "confirmed")) == 3


def test_what_a_waiting_change_kept_is_asked_about_next(
    app: Flask, session, city: City, venue: Venue, manager: Actor, booker: Actor
) -> None:
    at = datetime.now(UTC)
    day = (at + timedelta(days=9)).astimezone(city.zone).date()
    space = open_space(
        session, city, venue, approval="handler", first=at.date(), last=day + timedelta(days=1)
    )
    was, wished = span_on(city, 18, 20, day=day), span_on(city, 19, 21, day=day)
    booking = book(session, city, space, booker, was, at=at)
    move_to(session, booking, "confirmed", at)
    change = Change(space, wished, None)
    request = change_booking(session, city, booking, change, actor=booker, at=at, submission="an-hour-later")
    person = session.get_one(Person, (city.id, manager.person_id))
    session.commit()
    client = app.test_client()
    sign_in(session, client, person)
    form = {
        "first_day": day.isoformat(), "last_day": day.isoformat(), "opens": "19:00", "closes": "20:00",
        "reason_en": "Repairs", f"booking-{request.id}": "cancel",
    }  # fmt: skip
    address = f"/en/desk/spaces/{space.id}/closures"
    answer = client.post(address, data=form)
    assert answer.status_code == 409
    assert f'name="booking-{booking.id}"' in answer.text
    assert client.post(address, data={**form, f"booking-{booking.id}": "cancel"}).status_code == 303
    session.expire_all()
    assert (request.state, booking.state) == ("declined", "cancelled")
