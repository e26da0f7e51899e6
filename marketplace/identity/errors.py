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


class AddressTaken(Conflict):
    code = "address-taken"
    title = N_("Another account uses this address by now.")
