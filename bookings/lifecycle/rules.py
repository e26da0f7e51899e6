"""The life cycle of a booking in one table: which state may follow which, and which states hold the space."""

from datetime import datetime, timedelta

from marketplace.timespan import Span
from spaces.calendar.rules import BookingRules

STATES = (
    "held",
    "awaiting_payment",
    "awaiting_approval",
    "confirmed",
    "completed",
    "declined",
    "cancelled",
    "expired",
    "no_show",
)

TRANSITIONS: dict[str, frozenset[str]] = {
    "held": frozenset({"awaiting_payment", "awaiting_approval", "confirmed", "cancelled", "expired"}),
    "awaiting_payment": frozenset({"confirmed", "cancelled", "expired"}),
    "awaiting_approval": frozenset({"awaiting_payment", "confirmed", "declined", "cancelled", "expired"}),
    "confirmed": frozenset({"completed", "cancelled", "no_show"}),
    "completed": frozenset(),
    "declined": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
    "no_show": frozenset(),
}

# A booking in one of these has exactly its claims; in any other it has none, or the time is past.
HOLDING = frozenset({"held", "awaiting_payment", "awaiting_approval", "confirmed", "completed", "no_show"})


def may_follow(state: str, following: str) -> bool:
    return following in TRANSITIONS[state]


# The owner's answers. The one who gave one may take it back while nobody has been told: then the request waits again.
# That is the only way back, and no part of the table above: whoever acts on a state never sees it return.
ANSWERS = frozenset({"confirmed", "declined"})
# Offered for the first; a press that is late by the way of the network still counts until the news goes out.
UNDO_OFFERED = timedelta(seconds=10)
TOLD_AFTER = timedelta(seconds=15)


def may_be_undone(state: str, *, answered_at: datetime, at: datetime) -> bool:
    return state in ANSWERS and answered_at <= at < answered_at + TOLD_AFTER


# Still ahead of the person: shown as upcoming, and open to cancellation.
OPEN = frozenset({"held", "awaiting_payment", "awaiting_approval", "confirmed"})


def first_state(approval: str, *, is_trusted: bool = False) -> str:
    """The state a new booking starts in, by the space's way of approval and by whether it trusts whom this is for."""
    at_once = approval == "instant" or (approval == "trusted" and is_trusted)
    return "confirmed" if at_once else "awaiting_approval"


def free_until(start: datetime, cancellation_hours: int) -> datetime:
    """Until when cancelling costs nothing. Elapsed hours, so a change of the clocks shifts the wall time."""
    return start - timedelta(hours=cancellation_hours)


# A booking that its owner has moved may be given back free of charge for at least this long.
MOVED_GRACE = timedelta(hours=24)


def free_until_after_move(start: datetime, cancellation_hours: int, *, at: datetime) -> datetime:
    """Until when cancelling costs nothing after the owner has moved the booking to `start` at `at`."""
    return max(free_until(start, cancellation_hours), min(start, at + MOVED_GRACE))


def kept_minor(*, state: str, total_minor: int, cancel_free_until: datetime, at: datetime) -> int:
    """What the owner keeps of the price when the booking is cancelled at `at`. A mere request costs nothing."""
    return total_minor if state == "confirmed" and at > cancel_free_until else 0


def out_of_reach(rules: BookingRules, span: Span, *, now: datetime) -> str | None:
    """The code for a time so far off or so long that looking at a calendar would be a waste, however absurd it is."""
    if span.end <= now:
        return "in-the-past"
    if span.start - now > timedelta(days=rules.horizon_days + 2):
        return "too-far-ahead"
    if span.minutes > max(rules.max_minutes, rules.min_minutes, 1440) + 1440:
        return "too-long"
    return None
