"""Nobody is woken: nine in the evening to eight in the morning, by the city's clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.notifications.rules import text_at

HELSINKI = ZoneInfo("Europe/Helsinki")


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=HELSINKI).astimezone(UTC)


@pytest.mark.parametrize(
    ("written", "before", "leaves"),
    [
        (at(24, 8), at(24, 12), at(24, 8)),
        (at(24, 20, 59), at(25, 9), at(24, 20, 59)),
        (at(24, 21), at(25, 9), at(25, 8)),
        (at(24, 23, 59), at(25, 9), at(25, 8)),
        (at(25, 0), at(25, 9), at(25, 8)),
        (at(25, 7, 59), at(25, 9), at(25, 8)),
        # What is over before the morning, or hardly after, is told by mail alone.
        (at(24, 22), at(25, 2), None),
        (at(24, 22), at(25, 8, 14), None),
        (at(24, 22), at(25, 8, 15), at(25, 8)),
        # By day the shortest offer is still told; one that is over is not.
        (at(24, 12), at(24, 12, 1), at(24, 12)),
        (at(24, 12), at(24, 12), None),
        # The nights when the clock is moved.
        (at(24, 22, month=10), at(25, 9, month=10), at(25, 8, month=10)),
        (at(28, 22, month=3), at(29, 9, month=3), at(29, 8, month=3)),
    ],
)
def test_when_a_message_leaves(written: datetime, before: datetime, leaves: datetime | None) -> None:
    assert text_at(written, before=before, zone=HELSINKI) == leaves


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(0), timedelta(days=2)),
    st.sampled_from(["Europe/Helsinki", "America/St_Johns", "Pacific/Apia", "UTC"]),
)
def test_no_phone_rings_at_night_too_early_or_too_late(
    written: datetime, stands: timedelta, zone: str
) -> None:
    leaves = text_at(written, before=written + stands, zone=ZoneInfo(zone))
    if leaves is not None:
        assert written <= leaves < written + stands
        assert 8 <= leaves.astimezone(ZoneInfo(zone)).hour < 21
        assert leaves - written <= timedelta(hours=12)
