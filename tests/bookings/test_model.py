"""A model of everything that happens to bookings at once: many people, spaces that share units, lanes, buffers and
equipment.

Hypothesis draws the actions; a dictionary in memory says what must be true after each of them. To repeat a longer run:
`MARKETPLACE_MODEL_RUNS=500 make test ARGS=tests/bookings/test_model.py`.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import (
    approve_booking,
    cancel_booking,
    complete_bookings,
    decline_booking,
    displace_booking,
    expire_request,
    move_booking,
    request_booking,
)
from bookings.lifecycle.change_actions import Change, change_booking
from bookings.lifecycle.details import Details
from bookings.lifecycle.hold_actions import extend_hold, hold_space, lapse_hold, release_hold
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import pieces_of
from bookings.lifecycle.rules import HOLDING, PAIRS, TRANSITIONS
from bookings.lifecycle.together import book_together
from marketplace import db
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.db import span_of
from marketplace.errors import Refusal
from marketplace.timespan import Span, day_span, local_days
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import Claim, DaySheet
from spaces.calendar.queries import calendar_of
from spaces.calendar.rules import DAY, sheet_word
from spaces.catalog.models import Space, Unit, Venue
from tests.factories.bookings import DAY as FIRST_DAY
from tests.factories.bookings import NOW, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.equipment import make_extra
from tests.factories.people import actor_of, make_person
from tests.factories.spaces import make_unit, make_venue

RUNS = int(os.environ.get("MARKETPLACE_MODEL_RUNS", "20"))
STEPS = 40

HOURS = st.integers(8, 20)
LENGTHS = st.sampled_from([1, 1.5, 2, 4])
DAYS = st.integers(0, 2)
# The spaces of the model: which units they cover, and their buffers. Units a and b are halves, c has three lanes.
SPACES: dict[str, tuple[str, int, int, str]] = {
    "whole": ("ab", 0, 30, "instant"),
    "half a": ("a", 30, 0, "instant"),
    "half b": ("b", 0, 0, "handler"),
    "lawn": ("c", 0, 15, "instant"),
    "everything": ("abc", 15, 15, "instant"),
}
LANES = {"a": 1, "b": 1, "c": 3}
# How many tables there are, and which spaces lend them.
TABLES = 3
LENDING = ("half b", "lawn")


@dataclass
class Known:
    """What the model knows of a booking: its space, time and state."""

    space: str
    span: Span
    state: str
    pieces: int = 0


class Bookings(RuleBasedStateMachine):
    """Real actions on a real database, beside the model."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.connection = self.engine.connect()
        self.outer = self.connection.begin()
        db.bind(self.connection)
        self.session = Session(
            self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        self.numbers = count(1)
        self.at: datetime = NOW
        self.known: dict[int, Known] = {}

    def teardown(self) -> None:
        self.session.close()
        self.outer.rollback()
        self.connection.close()
        db.bind(self.engine)

    @initialize()
    def a_city(self) -> None:
        session = self.session
        self.city: City = make_city(session)
        self.venue: Venue = make_venue(session, self.city)
        self.units: dict[str, Unit] = {
            name: make_unit(session, self.venue, lanes=lanes) for name, lanes in LANES.items()
        }
        self.spaces: dict[str, Space] = {
            name: open_space(
                session,
                self.city,
                self.venue,
                units=[self.units[unit] for unit in units],
                buffer_before_minutes=before,
                buffer_after_minutes=after,
                approval=approval,
                cancellation_hours=24,
            )
            for name, (units, before, after, approval) in SPACES.items()
        }
        self.tables = make_extra(session, self.city, [self.spaces[name] for name in LENDING], stock=TABLES)
        self.people: list[Actor] = [actor_of(session, make_person(session, self.city)) for _ in range(3)]
        self.staff: Actor = actor_of(session, make_person(session, self.city, is_staff=True))

    def span(self, day: int, hour: float, length: float) -> Span:
        return span_on(self.city, hour, hour + length, day=FIRST_DAY + day * DAY)

    def some(self, choice: int, *states: str) -> Booking | None:
        ids = [id_ for id_, known in self.known.items() if known.state in states]
        return self.session.get(Booking, (self.city.id, ids[choice % len(ids)])) if ids else None

    def keep(self, booking: Booking) -> None:
        name = next(name for name, space in self.spaces.items() if space.id == booking.space_id)
        before = self.known.get(booking.id)
        assert before is None or before.state == booking.state or booking.state in TRANSITIONS[before.state]
        pieces = pieces_of(self.session, booking).get(self.tables.unit_id, 0)
        self.known[booking.id] = Known(name, booking.span, booking.state, pieces)

    def taken_by(self, name: str, span: Span, *, but: int = 0) -> bool:
        """Whether a unit that one party has alone is in the way, by the rule of bodies and buffers."""
        units, before, after, _ = SPACES[name]
        wide = span.widened(timedelta(minutes=before), timedelta(minutes=after))
        for id_, known in self.known.items():
            theirs, their_before, their_after, _ = SPACES[known.space]
            if id_ == but or known.state not in HOLDING or not set(units) & set(theirs):
                continue
            their_wide = known.span.widened(timedelta(minutes=their_before), timedelta(minutes=their_after))
            if wide.overlaps(known.span) or span.overlaps(their_wide):
                return True
        return False

    def attempt(self, run: Any, *, expects: bool | None = None) -> Any:
        """Run an action; `expects` says whether the time must be free, where the model knows it for sure."""
        try:
            with self.session.begin_nested():
                result = run()
        except Refusal as refusal:
            self.session.expire_all()
            wrongly = isinstance(refusal, SlotTaken) and expects
        else:
            return result
        assert not wrongly, "refused although it was free"
        return None

    def free_for_sure(self, name: str, span: Span, *, but: int = 0) -> bool:
        return not self.taken_by(name, span, but=but)

    def must_be_taken(self, name: str, span: Span, *, but: int = 0) -> bool:
        """Taken for sure: a unit of one lane is in the way."""
        alone = set(SPACES[name][0]) & {"a", "b"}
        _, before, after, _ = SPACES[name]
        wide = span.widened(timedelta(minutes=before), timedelta(minutes=after))
        return any(
            alone & set(SPACES[known.space][0])
            and (
                wide.overlaps(known.span)
                or span.overlaps(
                    known.span.widened(
                        timedelta(minutes=SPACES[known.space][1]), timedelta(minutes=SPACES[known.space][2])
                    )
                )
            )
            for id_, known in self.known.items()
            if id_ != but and known.state in HOLDING
        )

    @rule(
        name=st.sampled_from(sorted(SPACES)), who=st.integers(0, 2), day=DAYS, hour=HOURS, length=LENGTHS,
        pieces=st.integers(0, TABLES),
    )  # fmt: skip
    def book(self, name: str, who: int, day: int, hour: int, length: float, pieces: int) -> None:
        span = self.span(day, hour, length)
        pieces = pieces if name in LENDING else 0
        made = self.attempt(
            lambda: request_booking(
                self.session,
                self.city,
                self.spaces[name],
                actor=self.people[who],
                during=span,
                purpose="",
                attendees=None,
                organisation_id=None,
                submission=f"model-{next(self.numbers):06}",
                at=self.at,
                details=Details(extras={self.tables.id: pieces} if pieces else {}),
            ),
            expects=self.free_for_sure(name, span),
        )
        if made is not None:
            assert not self.must_be_taken(name, span)
            self.keep(made)
            assert self.known[made.id].pieces == pieces

    @rule(
        names=st.lists(st.sampled_from(sorted(SPACES)), min_size=2, max_size=3, unique=True),
        who=st.integers(0, 2), day=DAYS, hour=HOURS,
    )  # fmt: skip
    def together(self, names: list[str], who: int, day: int, hour: int) -> None:
        spaces = [self.spaces[name] for name in names]
        made = self.attempt(
            lambda: book_together(
                self.session,
                self.city,
                spaces[0],
                spaces[1:],
                actor=self.people[who],
                during=self.span(day, hour, 2),
                purpose="",
                attendees=None,
                organisation_id=None,
                submission=f"model-{next(self.numbers):06}",
                at=self.at,
            )
        )
        for booking in made or ():
            self.keep(booking)

    @rule(name=st.sampled_from(sorted(SPACES)), who=st.integers(0, 2), day=DAYS, hour=HOURS)
    def hold(self, name: str, who: int, day: int, hour: int) -> None:
        made = self.attempt(
            lambda: hold_space(
                self.session,
                self.city,
                self.spaces[name],
                actor=self.people[who],
                during=self.span(day, hour, 2),
                submission=f"model-{next(self.numbers):06}",
                at=self.at,
            ),
            expects=self.free_for_sure(name, self.span(day, hour, 2)),
        )
        if made is not None:
            self.keep(made)

    @rule(choice=st.integers(0, 50), longer=st.booleans(), pieces=st.integers(0, TABLES))
    def agree_to_a_hold(self, choice: int, longer: bool, pieces: int) -> None:
        held = self.some(choice, "held")
        if held is None:
            return
        if longer:
            self.attempt(lambda: extend_hold(self.session, held, at=self.at))
        name = self.known[held.id].space
        space, pieces = self.spaces[name], pieces if name in LENDING else 0
        actor = next(person for person in self.people if person.person_id == held.person_id)
        booking = self.attempt(
            lambda: request_booking(
                self.session,
                self.city,
                space,
                actor=actor,
                during=held.span,
                purpose="",
                attendees=3,
                organisation_id=None,
                submission=held.submission,
                at=self.at,
                details=Details(extras={self.tables.id: pieces} if pieces else {}),
            )
        )
        assert booking is not None or pieces, "what is held can be had"
        if booking is None:
            return
        assert booking.id == held.id
        self.keep(booking)

    @rule(choice=st.integers(0, 50))
    def drop_a_hold(self, choice: int) -> None:
        held = self.some(choice, "held")
        if held is not None:
            assert release_hold(self.session, held, at=self.at)
            self.keep(held)

    @rule(
        choice=st.integers(0, 50), name=st.sampled_from(sorted(SPACES)), day=DAYS, hour=HOURS, length=LENGTHS
    )
    def change(self, choice: int, name: str, day: int, hour: int, length: float) -> None:
        booking = self.some(choice, "confirmed", "awaiting_approval")
        if booking is None:
            return
        actor = next(person for person in self.people if person.person_id == booking.person_id)
        wanted = Change(self.spaces[name], self.span(day, hour, length), booking.attendees)
        changed = self.attempt(
            lambda: change_booking(
                self.session,
                self.city,
                booking,
                wanted,
                actor=actor,
                at=self.at,
                submission=f"model-{next(self.numbers):06}",
            ),
            expects=self.free_for_sure(name, wanted.during, but=booking.id),
        )
        if changed is not None:
            self.keep(changed)

    @rule(choice=st.integers(0, 50), day=DAYS, hour=HOURS)
    def move(self, choice: int, day: int, hour: int) -> None:
        booking = self.some(choice, "confirmed", "awaiting_approval")
        if booking is None:
            return
        length = booking.span.minutes / 60
        self.attempt(
            lambda: move_booking(
                self.session,
                self.city,
                booking,
                self.spaces[self.known[booking.id].space],
                self.venue,
                actor=self.staff,
                during=self.span(day, hour, length),
                at=self.at,
            ),
            expects=self.free_for_sure(
                self.known[booking.id].space, self.span(day, hour, length), but=booking.id
            ),
        )
        self.keep(booking)

    @rule(choice=st.integers(0, 50), how=st.sampled_from(["cancel", "displace", "approve", "decline"]))
    def decide(self, choice: int, how: str) -> None:
        states = (
            ("awaiting_approval",) if how in {"approve", "decline"} else ("confirmed", "awaiting_approval")
        )
        booking = self.some(choice, *states)
        if booking is None:
            return
        actor = next(person for person in self.people if person.person_id == booking.person_id)
        session, city, venue, at = self.session, self.city, self.venue, self.at
        asked = list(
            session.scalars(
                select(Booking).where(Booking.replaces_id == booking.id, Booking.state == "awaiting_approval")
            )
        )
        old = session.get(Booking, (city.id, booking.replaces_id)) if booking.replaces_id else None
        runs = {
            "cancel": lambda: cancel_booking(session, city, booking, actor=actor, at=at),
            "displace": lambda: displace_booking(
                session, city, booking, venue, actor=self.staff, reasons={"en": "x"}, at=at
            ),
            "approve": lambda: approve_booking(session, city, booking, venue, actor=self.staff, at=at),
            "decline": lambda: decline_booking(
                session, city, booking, venue, actor=self.staff, reason="x", at=at
            ),
        }
        self.attempt(runs[how])
        for one in (booking, old, *asked):
            if one is not None:
                self.keep(one)

    @rule(minutes=st.sampled_from([5, 20, 600, 2000]))
    def time_passes(self, minutes: int) -> None:
        """The clock's own rounds: holds lapse, requests expire, what is over is completed."""
        self.at += timedelta(minutes=minutes)
        while lapse_hold(self.session, self.city.id, at=self.at):
            pass
        while expire_request(self.session, self.city.id, at=self.at):
            pass
        complete_bookings(self.session, self.city.id, at=self.at)
        for id_ in list(self.known):
            booking = self.session.get(Booking, (self.city.id, id_))
            assert booking is not None
            self.keep(booking)

    def holds(self) -> dict[int, Span]:
        """What each active booking has: its time, and a waiting change that meets the old time has both as one."""
        spans = {id_: known.span for id_, known in self.known.items() if known.state in HOLDING}
        waiting = select(Booking.id, Booking.replaces_id).where(
            Booking.state == "awaiting_approval", Booking.replaces_id.is_not(None)
        )
        for id_, old_id in self.session.execute(waiting):
            assert old_id is not None
            new, old = self.known[id_], self.known[old_id]
            apart = old.span.end < new.span.start or new.span.end < old.span.start
            if new.space == old.space and old_id in spans and not apart:
                old_span = spans.pop(old_id)
                spans[id_] = Span(min(old_span.start, new.span.start), max(old_span.end, new.span.end))
        return spans

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        if not hasattr(self, "city"):
            return
        rows = list(self.session.scalars(select(Booking)))
        assert {row.id: (row.span, row.state) for row in rows} == {
            id_: (known.span, known.state) for id_, known in self.known.items()
        }
        assert all((row.state, row.payment) in PAIRS for row in rows)

    @invariant()
    def each_active_booking_has_exactly_its_claims(self) -> None:
        if not hasattr(self, "city"):
            return
        wanted = set()
        for id_, span in self.holds().items():
            units, before, after, _ = SPACES[self.known[id_].space]
            for unit in units:
                unit_id = self.units[unit].id
                wanted.add((id_, unit_id, 0, span.start, span.end))
                if before:
                    wanted.add((id_, unit_id, 1, span.start - timedelta(minutes=before), span.start))
                if after:
                    wanted.add((id_, unit_id, 2, span.end, span.end + timedelta(minutes=after)))
        claims = self.session.execute(
            select(Claim.holder_id, Claim.unit_id, Claim.part, Claim.during).where(
                Claim.unit_id != self.tables.unit_id
            )
        ).all()
        found = [(holder, unit, part, during.lower, during.upper) for holder, unit, part, during in claims]
        assert len(found) == len(set(found))
        assert set(found) == wanted

    @invariant()
    def never_more_tables_than_there_are(self) -> None:
        if not hasattr(self, "city"):
            return
        out: dict[int, int] = {}
        edges = []
        holds = self.holds()
        for holder, during in self.session.execute(
            select(Claim.holder_id, Claim.during).where(Claim.unit_id == self.tables.unit_id)
        ):
            out[holder] = out.get(holder, 0) + 1
            edges += [(during.lower, 1), (during.upper, -1)]
            assert span_of(during) == holds[holder]
        assert out == {id_: self.known[id_].pieces for id_ in holds if self.known[id_].pieces}
        running = 0
        for _, step in sorted(edges):
            running += step
            assert running <= TABLES

    @invariant()
    def no_unit_is_had_by_more_than_it_has_lanes(self) -> None:
        if not hasattr(self, "city"):
            return
        for unit, lanes in LANES.items():
            edges = []
            for id_, span in self.holds().items():
                if unit in SPACES[self.known[id_].space][0]:
                    edges += [(span.start, 1), (span.end, -1)]
            running = 0
            for _, step in sorted(edges):
                running += step
                assert running <= lanes

    @invariant()
    def the_search_index_is_exact_enough(self) -> None:
        """Day sheets may only rule out: each says what the exact calendar says."""
        if not hasattr(self, "city"):
            return
        zone = self.city.zone
        days = local_days(
            Span(day_span(FIRST_DAY, zone).start, day_span(FIRST_DAY + 2 * DAY, zone).end), zone
        )
        window = Span(day_span(days[0], zone).start, day_span(days[-1], zone).end)
        for space in self.spaces.values():
            free = calendar_of(self.session, self.city.id, space.id, window, zone).free
            sheet = self.session.scalars(
                select(DaySheet.free).where(
                    DaySheet.space_id == space.id, DaySheet.month == FIRST_DAY.replace(day=1)
                )
            ).one()
            assert [sheet[day.day - 1] for day in days] == [sheet_word(free, day, zone) for day in days]


@pytest.fixture
def machine(engine: Engine) -> Iterator[type[Bookings]]:
    Bookings.engine = engine
    yield Bookings
    db.bind(engine)


def test_whatever_happens_in_whatever_order(machine: type[Bookings]) -> None:
    run_state_machine_as_test(
        machine, settings=settings(max_examples=RUNS, stateful_step_count=STEPS, deadline=None)
    )
