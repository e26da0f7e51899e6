"""When somebody may check in, and when a booking to which nobody came is given up."""

from datetime import datetime, timedelta

from marketplace.timespan import Span

MODES = ("off", "wanted", "required")
LEAST_MINUTES, MOST_MINUTES, USUAL_MINUTES = 5, 120, 15
# People come a little early, and are let in.
EARLY = timedelta(minutes=30)


def check_in_window(during: Span) -> Span:
    """From half an hour before the beginning to the end."""
    return during.widened(EARLY)


def is_check_in_time(during: Span, at: datetime) -> bool:
    window = check_in_window(during)
    return window.start <= at < window.end


def release_at(start: datetime, release_minutes: int) -> datetime:
    """From when on a booking to which nobody came is given up."""
    return start + timedelta(minutes=release_minutes)


def is_stricter(before: tuple[str, int], after: tuple[str, int]) -> bool:
    """Whether (mode, minutes) gives up bookings that the rule before would not have."""
    if after[0] != "required":
        return False
    return before[0] != "required" or after[1] < before[1]
