"""Pieces that are all alike: how many are out, and who has which."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketplace.timespan import Span
from spaces.calendar.lanes import Peak, Seat, above, counts, free_lanes, most_at_once, reseated

DAY = datetime(2026, 12, 1, tzinfo=UTC)


def span(start: int, end: int) -> Span:
    return Span(DAY + timedelta(hours=start), DAY + timedelta(hours=end))


SPANS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 6)).map(lambda pair: span(pair[0], pair[0] + pair[1])),
    max_size=14,
)


def test_counts_by_hand() -> None:
    spans = [span(8, 12), span(10, 14), span(12, 13), span(20, 21)]
    assert counts(spans) == [
        Peak(span(8, 10), 1), Peak(span(10, 13), 2), Peak(span(13, 14), 1), Peak(span(20, 21), 1),
    ]  # fmt: skip
    assert counts(spans, after=span(12, 13).start)[0] == Peak(span(12, 13), 2)
    assert above(spans, 1, after=DAY) == [Peak(span(10, 13), 2)]
    assert most_at_once(spans, span(13, 20)) == 1
    assert most_at_once(spans, span(14, 20)) == 0


@given(SPANS)
def test_the_most_at_once_is_what_the_hours_say(spans: list[Span]) -> None:
    by_hour = [sum(one.overlaps(span(hour, hour + 1)) for one in spans) for hour in range(27)]
    assert most_at_once(spans, span(0, 27)) == max(by_hour)
    assert sum(peak.pieces * peak.span.minutes for peak in counts(spans)) == 60 * sum(by_hour)


@given(SPANS)
def test_everyone_gets_a_lane_when_there_are_as_many_as_are_ever_out(spans: list[Span]) -> None:
    seats = [Seat(one, n, n) for n, one in enumerate(spans)]
    needed = most_at_once(spans, span(0, 30))
    given_lanes = reseated(seats, needed)
    assert given_lanes is not None
    assert set(given_lanes) == set(seats)
    for seat, lane in given_lanes.items():
        assert 0 <= lane < needed
        assert not [
            other
            for other, its in given_lanes.items()
            if its == lane and other != seat and other.span.overlaps(seat.span)
        ]
    if needed:
        assert reseated(seats, needed - 1) is None


def test_what_is_fixed_stays_in_the_way() -> None:
    seat = Seat(span(8, 10), 1, 5)
    assert reseated([seat], 2, fixed=[Seat(span(7, 9), 2, 0)]) == {seat: 1}
    assert reseated([seat], 1, fixed=[Seat(span(7, 9), 2, 0)]) is None
    assert reseated([seat], 1, fixed=[Seat(span(6, 8), 2, 0)]) == {seat: 0}


def test_free_lanes_are_the_first_ones() -> None:
    assert free_lanes({}, 5, span(8, 9), 3) == [0, 1, 2]
    assert free_lanes({}, 2, span(8, 9), 3) == [0, 1]
