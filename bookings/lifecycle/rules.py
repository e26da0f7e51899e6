"""The life cycle of a booking in one table: which state may follow which, and which states hold the space."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from marketplace.timespan import Span
from spaces.calendar.rules import BookingRules
from spaces.pricing.cancelling import DatedTier, Schedule, carried_on, kept_at, not_before, steps

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
    "awaiting_payment": frozenset({"awaiting_approval", "confirmed", "cancelled", "expired"}),
    "awaiting_approval": frozenset({"awaiting_payment", "confirmed", "declined", "cancelled", "expired"}),
    "confirmed": frozenset({"completed", "cancelled", "no_show"}),
    "completed": frozenset(),
    "declined": frozenset(),
    "cancelled": frozenset(),
    # Paid after its time to pay was over, as long as the time has not been given to somebody else.
    "expired": frozenset({"awaiting_approval", "confirmed"}),
    # Taken back, as long as the time has not been given to somebody else.
    "no_show": frozenset({"confirmed"}),
}

# A booking in one of these has exactly its claims, but for one whose pending change has them (`held_together`); in any
# other it has none, or the time is past.
HOLDING = frozenset({"held", "awaiting_payment", "awaiting_approval", "confirmed", "completed"})


def held_together(was: Span, wished: Span) -> bool:
    """Whether a request to change a booking's time within its space holds both times as one, since they meet: then it has
    the claims of the booking as well, until it is answered. Else each has its own."""
    return was.start <= wished.end and wished.start <= was.end


def hull(was: Span, wished: Span) -> Span:
    return Span(min(was.start, wished.start), max(was.end, wished.end))


def may_follow(state: str, following: str) -> bool:
    return following in TRANSITIONS[state]


# The owner's answers. The one who gave one may take it back while nobody has been told: then the request waits again.
# That, and one press taken back (PRESSED below), are the only ways back, and no part of the table above: whoever acts on
# a state never sees it return.
ANSWERS = frozenset({"confirmed", "declined"})
# Offered for the first; a press that is late by the way of the network still counts until the news goes out.
UNDO_OFFERED = timedelta(seconds=10)
TOLD_AFTER = timedelta(seconds=15)


def may_be_undone(state: str, *, answered_at: datetime, at: datetime) -> bool:
    return state in ANSWERS and answered_at <= at < answered_at + TOLD_AFTER


# What one press has booked from an offer, its person may take back for so long; a press that is late by the way of the
# network still counts until the news goes out.
PRESSED = "offer"  # the source of such bookings
PRESS_UNDO = timedelta(minutes=2)
PRESS_TOLD_AFTER = PRESS_UNDO + timedelta(seconds=5)

# Still ahead of the person: shown as upcoming, and open to cancellation.
OPEN = frozenset({"held", "awaiting_payment", "awaiting_approval", "confirmed"})


# What has become of a booking's price. "due" is owed to the owner, at the place or by an invoice; "authorised" is set aside
# on a card until the owner has answered.
PAYMENTS = ("not_needed", "due", "authorised", "paid", "refund_due", "refunded")

# The one joint table: which of them may stand beside each state. The database checks the pair in every row.
PAYMENT_OF: dict[str, frozenset[str]] = {
    "held": frozenset({"not_needed", "due"}),
    "awaiting_payment": frozenset({"due"}),
    "awaiting_approval": frozenset({"not_needed", "due", "authorised", "paid"}),
    "confirmed": frozenset({"not_needed", "due", "authorised", "paid"}),
    "completed": frozenset({"not_needed", "due", "authorised", "paid"}),
    "no_show": frozenset({"not_needed", "due", "authorised", "paid"}),
    "declined": frozenset({"not_needed", "refund_due", "refunded"}),
    "cancelled": frozenset({"not_needed", "due", "paid", "refund_due", "refunded"}),
    "expired": frozenset({"not_needed", "refund_due", "refunded"}),
}
PAIRS = tuple((state, payment) for state in STATES for payment in PAYMENTS if payment in PAYMENT_OF[state])
ENDED_UNUSED = frozenset({"declined", "cancelled", "expired"})


def payment_after(payment: str, state: str, *, kept_minor: int, total_minor: int) -> str:
    """What the payment becomes when the booking goes to `state` and the owner keeps `kept_minor` of its price."""
    if state not in ENDED_UNUSED:
        return payment
    if payment in {"due", "authorised"}:
        return "due" if kept_minor else "not_needed"
    if payment == "paid":
        return "paid" if kept_minor >= total_minor else "refund_due"
    return payment


def payment_after_return(payment: str, *, kept_minor: int) -> str:
    """What the payment of a cancelled booking becomes when only `kept_minor` of its price is kept after all."""
    if payment == "due":
        return "due" if kept_minor else "not_needed"
    return "refund_due" if payment in {"paid", "refunded"} else payment


def first_payment(total_minor: int) -> str:
    return "due" if total_minor else "not_needed"


# How long a time is held for a person who fills in the checkout, and by how much one press extends it.
HOLD = timedelta(minutes=10)
LONGEST_HOLD = timedelta(minutes=30)


def extended_hold(held_until: datetime, *, began: datetime, at: datetime) -> datetime:
    """The end of a hold after one press at `at`: ten more minutes from then, half an hour in all; never earlier."""
    return max(held_until, min(at + HOLD, began + LONGEST_HOLD))


# How long those whom the booker has added see the booking after its end.
RESPONSIBLE_AFTER = timedelta(days=30)


# What its person may change: a request that waits, a booking that stands.
CHANGEABLE = frozenset({"awaiting_approval", "confirmed"})


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


def schedule_after_move(
    agreed: Schedule, start: datetime, cancellation_hours: int, *, at: datetime
) -> Schedule:
    """What cancelling costs when after the owner has moved the booking to `start` at `at`: the same steps before the new
    beginning, none of them within the grace."""
    moved = tuple(replace(tier, after=free_until(start, tier.hours or cancellation_hours)) for tier in agreed)
    grace = free_until_after_move(start, agreed[0].hours or cancellation_hours, at=at)
    return not_before(moved, grace)


def free_until_after_change(
    was: datetime, start: datetime, cancellation_hours: int, *, at: datetime
) -> datetime:
    """Until when cancelling costs nothing after its person has changed the booking to begin at `start`. What is over is
    over: a later time is no way out of a price that is due."""
    following = DatedTier(free_until(start, cancellation_hours), 100, cancellation_hours)
    return carried_on((DatedTier(was, 100, 0),), (following,), at=at)[0].after


def cancellation_schedule(
    *, cancel_free_until: datetime, kept_percent: int, tiers: Sequence[Mapping[str, Any]] = ()
) -> Schedule:
    """What a booking keeps of its cancelling, as one schedule; `tiers` are its dated steps, the first of which begins at
    `cancel_free_until`. Without any, `kept_percent` is the one step."""
    if not tiers:
        return (DatedTier(cancel_free_until, kept_percent, 0),)
    first, *later = (DatedTier.of_json(tier) for tier in tiers)
    return not_before(
        (DatedTier(cancel_free_until, first.kept_percent, first.hours), *later), cancel_free_until
    )


def cancellation_steps(
    *,
    total_minor: int,
    start: datetime,
    cancel_free_until: datetime,
    kept_percent: int,
    tiers: Sequence[Mapping[str, Any]] = (),
    fee_minor: int = 0,
) -> list[tuple[datetime, int]]:
    """(until, minor units kept) of a confirmed booking: cancelling up to and at `until` costs so much. The last one ends
    at `start`, and each costs more than the one before."""
    schedule = cancellation_schedule(
        cancel_free_until=cancel_free_until, kept_percent=kept_percent, tiers=tiers
    )
    return steps(schedule, total_minor=total_minor, fee_minor=fee_minor, start=start)


def kept_minor(
    *,
    state: str,
    total_minor: int,
    cancel_free_until: datetime,
    kept_percent: int,
    at: datetime,
    tiers: Sequence[Mapping[str, Any]] = (),
    fee_minor: int = 0,
) -> int:
    """What the owner keeps of the price when the booking is cancelled at `at`: nothing until `cancel_free_until`, then
    the share of the step that has begun, half a minor unit rounded up, and the fee. A mere request costs nothing."""
    if state != "confirmed":
        return 0
    schedule = cancellation_schedule(
        cancel_free_until=cancel_free_until, kept_percent=kept_percent, tiers=tiers
    )
    return kept_at(schedule, total_minor=total_minor, fee_minor=fee_minor, at=at)


def out_of_reach(rules: BookingRules, span: Span, *, now: datetime) -> str | None:
    """The code for a time so far off or so long that looking at a calendar would be a waste, however absurd it is."""
    if span.end <= now:
        return "in-the-past"
    if span.start - now > timedelta(days=rules.horizon_days + 2):
        return "too-far-ahead"
    if span.minutes > max(rules.max_minutes, rules.min_minutes, 1440) + 1440:
        return "too-long"
    return None
