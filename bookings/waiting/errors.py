"""What can be refused about waiting in line."""

from marketplace.errors import N_, Conflict, FieldError, Invalid, NotFound


class EntryNotFound(NotFound):
    code = "waiting-entry-not-found"
    title = N_("This place in line is not there any more.")


class WaitsAlready(Conflict):
    code = "waits-already"
    title = N_("You are in line for this already.")


class TooManyWaits(Conflict):
    code = "too-many-waits"
    title = N_("You are in line for ten times already. Leave one of them first.")


class NothingToWaitFor(Conflict):
    code = "nothing-to-wait-for"
    title = N_("This time is free now: book it.")


class OfferOver(Conflict):
    code = "offer-over"
    title = N_("The offer is over, and the time went to the next in line.")


class WindowWrong(Invalid):
    code = "window-wrong"
    title = N_("Nobody can wait for this time.")

    def __init__(self, text: str) -> None:
        super().__init__(FieldError("until", self.code, text))
