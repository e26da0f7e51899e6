"""What can be refused about doors."""

from marketplace.errors import N_, Conflict, FieldError, Invalid, NotFound


class CodeNotFound(NotFound):
    code = "door-code-not-found"
    title = N_("We did not find this code. It may have been taken off the list.")


class CodesUnreadable(Invalid):
    """`line` is the first one that cannot be read."""

    code = "door-codes-unreadable"
    title = N_("The list of codes cannot be read.")

    def __init__(self, line: int) -> None:
        text = N_("Line %(line)d: write a code of up to 20 letters and digits on a line of its own.")
        super().__init__(FieldError("codes", self.code, text, (("line", line),)), line=line)


class TooManyCodes(Invalid):
    """`most` is how many one list may hold."""

    code = "too-many-door-codes"
    title = N_("The list of codes is too long.")

    def __init__(self, most: int) -> None:
        text = N_("A space may have %(most)d codes. Take old ones off the list first.")
        super().__init__(FieldError("codes", self.code, text, (("most", most),)), most=most)


class NothingToRetry(Conflict):
    code = "nothing-to-retry"
    title = N_("This booking does not wait for a code.")


class InstructionMissing(Invalid):
    code = "door-instruction-missing"
    title = N_("The instruction is missing.")

    def __init__(self, field: str) -> None:
        super().__init__(
            FieldError(field, self.code, N_("Write in at least one language how the door opens."))
        )
