"""What can be refused about the terms of money."""

from marketplace.errors import N_, FieldError, Forbidden, Invalid


class OnlyStaffSettle(Forbidden):
    code = "only-staff-settle"
    title = N_("Only the city’s staff settle the terms of payments.")


class FeeUnreadable(Invalid):
    code = "fee-unreadable"
    title = N_("The fee could not be read.")

    def __init__(self) -> None:
        text = N_("Write a percentage from 0 to 50 with at most two decimals, such as 7,5.")
        super().__init__(FieldError("fee", "fee", text))


class AccountUnreadable(Invalid):
    code = "account-unreadable"
    title = N_("The account could not be read.")

    def __init__(self, field: str, most: int) -> None:
        text = N_("Write at most %(most)d letters, digits or hyphens.")
        super().__init__(FieldError(field, "account", text, (("most", most),)))
