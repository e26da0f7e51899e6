"""What can be refused about signing in."""

from marketplace.errors import N_, Conflict, FieldError, Invalid


class WrongCredentials(Invalid):
    """One answer for an unknown address, a wrong password and an account without one."""

    code = "wrong-credentials"
    title = N_("The e-mail address or the password is wrong.")

    def __init__(self) -> None:
        super().__init__(FieldError("password", self.code, self.title))


class LinkNotUsable(Conflict):
    """A mail link that is unknown, used, too old, or was sent to an address the account no longer has."""

    code = "link-not-usable"
    title = N_("This link no longer works.")


class CodeOver(Conflict):
    """A code that is too old, was tried too often or was never asked for."""

    code = "code-over"
    title = N_("This code no longer works. Ask for a new one.")


class WrongCode(Invalid):
    code = "wrong-code"
    title = N_("This is not the code of the message. Look again and type its six digits.")

    def __init__(self) -> None:
        super().__init__(FieldError("code", self.code, self.title))


class NoNumber(Conflict):
    code = "no-number-confirmed"
    title = N_("Confirm a mobile number first.")


class AddressTaken(Conflict):
    code = "address-taken"
    title = N_("Another account uses this address by now.")
