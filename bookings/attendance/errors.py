"""What can be refused about coming and not coming."""

from marketplace.errors import N_, Conflict, Forbidden, NotFound


class CheckInNotFound(NotFound):
    code = "check-in-not-found"
    title = N_("This code leads nowhere. It may have been replaced by a new one.")


class NoRightToCheckIn(Forbidden):
    code = "no-right-to-check-in"
    title = N_("Only the people who let others in here can do this.")


class NotCheckInTime(Conflict):
    code = "not-check-in-time"
    title = N_("One checks in from half an hour before the time begins until it ends.")


class NotThisDoor(Conflict):
    code = "not-this-door"
    title = N_("This booking is for another space.")


class CheckInOff(Conflict):
    code = "check-in-off"
    title = N_("Turn check-in on first; then there is a poster to print.")


class NotBegun(Conflict):
    code = "not-begun"
    title = N_("The time has not begun, so somebody may still come.")


class SomebodyCame(Conflict):
    code = "somebody-came"
    title = N_("Somebody has checked in for this booking.")


class TimeGivenAway(Conflict):
    code = "time-given-away"
    title = N_("The time is over or has been given to somebody else, so the booking cannot be brought back.")
