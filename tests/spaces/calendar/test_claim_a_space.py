"""Two claims of one unit never meet; the day sheet follows each change."""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space, compile_spaces, release_claims
from spaces.calendar.errors import SlotTaken
from spaces.calendar.models import HOLDER_IDS, Claim, DaySheet
from spaces.calendar.queries import booking_rules, calendar_of
from spaces.calendar.rules import BookingRules, offers
from tests.factories.spaces import make_space, make_unit, make_venue

DAY = datetime(2026, 12, 1, tzinfo=UTC)  # Helsinki is two hours ahead


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour - 2)


def new_holder(session: Session) -> int:
    holder: int = session.execute(HOLDER_IDS.next_value().select()).scalar_one()
    return holder


def sheet(session: Session, space_id: int, day: int = 1) -> int:
    free = session.scalar(
        select(DaySheet.free).where(
            DaySheet.space_id == space_id, DaySheet.month == datetime(2026, 12, 1).date()
        )
    )
    assert free is not None
    return free[day - 1]


def test_a_half_blocks_the_whole_and_the_whole_its_halves(session: Session, city: City) -> None:
    venue = make_venue(session, city)
    a, b = make_unit(session, venue), make_unit(session, venue)
    whole = make_space(session, venue, units=[a, b])
    half_a, half_b = make_space(session, venue, units=[a]), make_space(session, venue, units=[b])
    spaces = [whole.id, half_a.id, half_b.id]
    compile_spaces(session, city, spaces, first=DAY.date(), last=datetime(2026, 12, 31).date())
    rules = BookingRules()

    first = new_holder(session)
    claim_space(session, city, half_a.id, holder_id=first, body=Span(at(10), at(12)), rules=rules)
    with pytest.raises(SlotTaken):
        claim_space(
            session, city, whole.id, holder_id=new_holder(session), body=Span(at(11), at(13)), rules=rules
        )
    claim_space(
        session, city, half_b.id, holder_id=new_holder(session), body=Span(at(11), at(13)), rules=rules
    )

    bits = {space: sheet(session, space) for space in spaces}
    assert not bits[half_a.id] & (1 << 20)
    assert bits[half_a.id] & (1 << 24)
    assert not bits[whole.id] & (1 << 20)
    assert not bits[whole.id] & (1 << 25)
    assert bits[half_b.id] & (1 << 20)

    release_claims(session, city, holder_id=first)
    assert sheet(session, half_a.id) & (1 << 20)
    assert sheet(session, whole.id) & (1 << 20)
    assert not sheet(session, whole.id) & (1 << 24)


def test_buffers_of_two_bookings_may_overlap_but_not_a_body(session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, city), buffer_before_minutes=15, buffer_after_minutes=30)
    compile_spaces(session, city, [space.id], first=DAY.date(), last=datetime(2026, 12, 31).date())
    rules = booking_rules(space)
    claim_space(
        session, city, space.id, holder_id=new_holder(session), body=Span(at(10), at(11)), rules=rules
    )
    with pytest.raises(SlotTaken):
        claim_space(
            session,
            city,
            space.id,
            holder_id=new_holder(session),
            body=Span(at(11.25), at(12)),
            rules=rules,
        )
    claim_space(
        session, city, space.id, holder_id=new_holder(session), body=Span(at(11.5), at(12)), rules=rules
    )
    assert session.scalar(text("SELECT count(*) FROM claim WHERE part <> 0")) == 4


def test_lanes_admit_as_many_as_there_are(session: Session, city: City) -> None:
    venue = make_venue(session, city)
    lawn = make_space(session, venue, units=[make_unit(session, venue, lanes=3)])
    compile_spaces(session, city, [lawn.id], first=DAY.date(), last=datetime(2026, 12, 31).date())
    for _ in range(3):
        claim_space(
            session,
            city,
            lawn.id,
            holder_id=new_holder(session),
            body=Span(at(10), at(12)),
            rules=BookingRules(),
        )
    with pytest.raises(SlotTaken):
        claim_space(
            session,
            city,
            lawn.id,
            holder_id=new_holder(session),
            body=Span(at(11), at(12)),
            rules=BookingRules(),
        )
    assert sorted(session.scalars(select(Claim.lane))) == [0, 1, 2]
    assert not sheet(session, lawn.id) & (1 << 21)


def test_offers_leave_out_what_is_taken_and_closed(session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, city), hours=(time(9), time(13)))
    compile_spaces(session, city, [space.id], first=DAY.date(), last=datetime(2026, 12, 31).date())
    claim_space(
        session,
        city,
        space.id,
        holder_id=new_holder(session),
        body=Span(at(10), at(11)),
        rules=BookingRules(),
    )
    window = Span(at(0), at(24))
    calendar = calendar_of(session, city.id, space.id, window, city.zone)
    found = offers(
        calendar,
        BookingRules(horizon_days=400),
        minutes=60,
        within=window,
        zone=city.zone,
        now=DAY - timedelta(days=3),
    )
    assert [span.start for span in found] == [at(9), at(11), at(11.5), at(12)]
