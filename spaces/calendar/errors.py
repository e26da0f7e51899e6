"""Refusals of the calendar."""

from marketplace.errors import N_, Conflict


class SlotTaken(Conflict):
    """Somebody has the time, or a part of it."""

    code = "slot-taken"
    title = N_("This time has just been taken.")
