"""What the past lets one guess: yearly meetings, habits, spaces booked again and again."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bookings.offered.rules import (
    LEAST_ORGANISATIONS,
    Past,
    Wish,
    again_wishes,
    annual_wishes,
    habit_wishes,
    is_turned_down,
    meeting_of,
    told_count,
    wishes,
)

TODAY = date(2026, 11, 24)  # a Tuesday
LAST_YEAR = TODAY - timedelta(days=364)


def past(day: date, **fields: object) -> Past:
    values: dict[str, Any] = {
        "space_id": 1,
        "organisation_id": None,
        "start_minute": 1080,
        "minutes": 120,
        "purpose": "Vuosikokous",
        "people": 25,
        **fields,
    }
    return Past(day=day, **values)


def test_last_years_meeting_comes_on_the_same_weekday() -> None:
    (wish,) = annual_wishes([past(LAST_YEAR + timedelta(days=2))], today=TODAY)
    assert wish.days == (date(2026, 11, 26),)
    assert wish.days[0].weekday() == (LAST_YEAR + timedelta(days=2)).weekday()
    assert (wish.start_minute, wish.minutes, wish.people, wish.purpose) == (1080, 120, 25, "Vuosikokous")
    assert wish.facts["was_on"] == date(2025, 11, 27)


def test_only_within_sixty_days_and_not_before_today() -> None:
    def found(days: int) -> bool:
        return bool(annual_wishes([past(LAST_YEAR + timedelta(days=days))], today=TODAY))

    assert [days for days in (-1, 0, 1, 60, 61) if found(days)] == [0, 1, 60]


def test_what_is_arranged_already_is_no_yearly_meeting_to_come() -> None:
    one = past(LAST_YEAR + timedelta(days=9))
    again = past(TODAY + timedelta(days=12), purpose=" VUOSIKOKOUS ")
    other = past(TODAY + timedelta(days=12), purpose="Pikkujoulut")
    theirs = past(TODAY + timedelta(days=12), organisation_id=5)
    assert annual_wishes([one, again], today=TODAY) == []
    assert len(annual_wishes([one, other], today=TODAY)) == 1
    assert len(annual_wishes([one, theirs], today=TODAY)) == 1


def test_a_weekly_practice_is_no_yearly_meeting() -> None:
    weekly = [past(LAST_YEAR + timedelta(days=7 * n)) for n in range(3)]
    assert annual_wishes(weekly, today=TODAY) == []
    assert len(annual_wishes(weekly[:2], today=TODAY)) == 1
    assert annual_wishes([past(LAST_YEAR, in_series=True)], today=TODAY) == []
    assert annual_wishes([past(LAST_YEAR, purpose="  ")], today=TODAY) == []


def test_three_dates_at_one_hour_are_a_habit() -> None:
    tuesdays = [past(TODAY - timedelta(days=7 * n)) for n in (1, 3, 5)]
    (wish,) = habit_wishes(tuesdays, today=TODAY)
    assert wish.is_exact
    assert wish.days[0] == date(2026, 12, 1)
    assert habit_wishes(tuesdays[:2], today=TODAY) == []
    assert habit_wishes([*tuesdays[:2], past(TODAY - timedelta(days=8))], today=TODAY) == []
    assert (
        habit_wishes([*tuesdays[:2], past(TODAY - timedelta(days=21), start_minute=1020)], today=TODAY) == []
    )
    # Given up a while ago.
    assert habit_wishes([past(TODAY - timedelta(days=7 * n)) for n in (6, 7, 8)], today=TODAY) == []


def test_a_habit_goes_on_where_nothing_is_booked_yet() -> None:
    tuesdays = [past(TODAY - timedelta(days=7 * n)) for n in (1, 2, 3)]
    booked = [past(TODAY + timedelta(days=7 * n), space_id=9, start_minute=1140) for n in (1, 2)]
    (wish,) = habit_wishes([*tuesdays, *booked], today=TODAY)
    assert wish.days == (date(2026, 12, 15), date(2026, 12, 22))


def test_a_space_booked_twice_in_a_year() -> None:
    two = [past(TODAY - timedelta(days=n), purpose="") for n in (40, 200)]
    (wish,) = again_wishes(two, today=TODAY)
    assert wish.facts["times"] == 2
    assert again_wishes(two[:1], today=TODAY) == []
    assert again_wishes([two[0], past(TODAY - timedelta(days=200), organisation_id=7)], today=TODAY) == []


def test_what_is_turned_down_for_one_is_not_for_another() -> None:
    wish = Wish("annual", 5, 1, (TODAY,), 0, 60, "Syys  Kokous")
    assert is_turned_down(wish, {(5, None, meeting_of("syys kokous"))})
    assert is_turned_down(wish, {(5, 1, None)})
    assert not is_turned_down(wish, {(None, 1, None), (6, 1, None), (5, 2, None), (5, None, "")})


@given(st.integers(min_value=LEAST_ORGANISATIONS, max_value=10_000))
def test_a_count_is_told_in_whole_fives_and_never_too_high(count: int) -> None:
    assert told_count(count) % LEAST_ORGANISATIONS == 0
    assert LEAST_ORGANISATIONS <= told_count(count) <= count < told_count(count) + LEAST_ORGANISATIONS


PASTS = st.lists(
    st.builds(
        Past,
        space_id=st.integers(1, 3),
        organisation_id=st.sampled_from([None, 5]),
        day=st.integers(-366, 60).map(lambda n: TODAY + timedelta(days=n)),
        start_minute=st.sampled_from([600, 1080]),
        minutes=st.sampled_from([60, 120]),
        purpose=st.sampled_from(["", "Kokous", "Kuoro"]),
        in_series=st.booleans(),
    ),
    max_size=40,
)


@given(PASTS)
def test_nothing_is_wished_for_the_past_nor_beside_what_one_has(pasts: list[Past]) -> None:
    for wish in wishes(pasts, today=TODAY):
        assert wish.days
        assert all(TODAY <= day <= TODAY + timedelta(days=60) for day in wish.days)
        # Only what somebody has really done, for the same person or organisation.
        assert any(
            (one.space_id, one.organisation_id, one.start_minute, one.minutes)
            == (wish.space_id, wish.organisation_id, wish.start_minute, wish.minutes)
            for one in pasts
        )
        if wish.source != "annual":
            mine = [one for one in pasts if one.organisation_id == wish.organisation_id]
            assert not any(
                one.meets(day, wish.start_minute, wish.minutes) for one in mine for day in wish.days
            )
