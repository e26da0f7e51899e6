"""What can be refused about messages."""

from bookings.talk.rules import TEXT_MAX
from marketplace.errors import N_, Conflict, FieldError, Forbidden, Invalid


class NoRightToWrite(Forbidden):
    code = "no-right-to-write"
    title = N_("Only those who book and those who handle the booking read and write messages here.")


class TalkOver(Conflict):
    code = "talk-over"
    title = N_("Messages about this booking have ended. Call or write to the place.")


class TalkFull(Conflict):
    code = "talk-full"
    title = N_("There are as many messages about this booking as there can be. Call the place.")


class NothingToAsk(Conflict):
    code = "nothing-to-ask"
    title = N_("The request does not wait any more. Send your text as a message.")


class TextWrong(Invalid):
    code = "text-wrong"
    title = N_("The message cannot be sent.")

    def __init__(self) -> None:
        text = N_("Write the message, at most %(most)d characters.")
        super().__init__(FieldError("text", self.code, text, (("most", TEXT_MAX),)))
