"""Refusals of the calendar."""

from collections.abc import Sequence

from marketplace.errors import N_, Conflict, FieldError, Invalid, NotFound
from spaces.calendar.rules import Period


class SlotTaken(Conflict):
    """Somebody has the time, or a part of it."""

    code = "slot-taken"
    title = N_("This time has just been taken.")


class PiecesTaken(Conflict):
    """Of the pieces of this unit only `left` are free at this time; `wanted` were asked for."""

    code = "pieces-taken"
    title = N_("Not enough of the equipment is free at this time.")

    def __init__(self, unit_id: int, *, left: int, wanted: int) -> None:
        super().__init__(left=left, wanted=wanted)
        self.unit_id, self.left, self.wanted = unit_id, left, wanted


class PeriodsOverlap(Invalid):
    """Two periods of one priority share a day, so nothing says which of them decides it."""

    code = "periods-overlap"
    title = N_("Two periods of the same priority overlap.")

    def __init__(self, first: Period, second: Period) -> None:
        values = (("first", dates_of(first)), ("second", dates_of(second)), ("priority", first.priority))
        text = N_("%(first)s and %(second)s overlap and both have priority %(priority)s. Change one of them.")
        super().__init__(FieldError("rules", self.code, text, values))
        self.periods = first, second


class HoursChanged(Conflict):
    """Somebody else saved other hours since the form was opened."""

    code = "hours-changed"
    title = N_("Somebody has changed the hours meanwhile. Look at them and make your change again.")


class BookingsInTheWay(Conflict):
    """`holder_ids` have the time and nothing has been decided about them; nothing was closed."""

    code = "bookings-in-the-way"
    title = N_("There are bookings at this time. Say what to do with each of them.")

    def __init__(self, holder_ids: Sequence[int]) -> None:
        super().__init__()
        self.holder_ids = list(holder_ids)


class CannotGiveUp(Conflict):
    """The time belongs to something that cannot be cancelled: it has begun, or it is somebody else's."""

    code = "cannot-give-up"
    title = N_("One of the bookings can no longer be cancelled. Keep it, or close another time.")


class ClosingOver(Invalid):
    code = "closing-over"
    title = N_("This time has passed.")

    def __init__(self) -> None:
        super().__init__(FieldError("last_day", self.code, N_("The closing must end later than now.")))


class ClosingTooLong(Invalid):
    code = "closing-too-long"
    title = N_("A closing can last two years at most.")

    def __init__(self) -> None:
        text = N_("Close for two years at most. A space that stays closed is better hidden.")
        super().__init__(FieldError("last_day", self.code, text))


class ReasonNeeded(Invalid):
    code = "reason-needed"
    title = N_("Say why, so that those who booked know.")

    def __init__(self) -> None:
        text = N_("Write a reason in one language at least. Those who booked read it.")
        super().__init__(FieldError("reason_fi", self.code, text))


class ClosingNotFound(NotFound):
    code = "closing-not-found"
    title = N_("This closing is not there any more.")


def dates_of(period: Period) -> str:
    """2027-06-01/2027-08-31, with two dots for an open end: ISO 8601, where no reader's language is known."""
    start, end = (day.isoformat() if day else ".." for day in (period.valid_from, period.valid_to))
    return f"{start}/{end}"
