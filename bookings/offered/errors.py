"""What can be refused about offers."""

from marketplace.errors import N_, Conflict, Forbidden, NotFound


class PressOver(Conflict):
    code = "press-over"
    title = N_("It is too late to undo this: the news has gone out. You can still cancel the booking.")


class NotYourPress(Forbidden):
    code = "not-your-press"
    title = N_("Only the one who booked can undo it.")


class OffersNotWanted(Forbidden):
    code = "offers-not-wanted"
    title = N_("You have not let us offer you spaces by what you have booked.")


class MeetingNotFound(NotFound):
    code = "meeting-not-found"
    title = N_("There is no such meeting among the bookings that are looked at for you.")


class DismissalNotFound(NotFound):
    code = "dismissal-not-found"
    title = N_("This is offered to you again already.")
