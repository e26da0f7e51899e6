"""What can be refused about prices."""

from marketplace.errors import N_, Conflict, FieldError, Invalid, NotFound


class PriceListWrong(Invalid):
    """`fields` says where: the row, and the part of the week."""

    code = "price-list-wrong"
    title = N_("The price list cannot be used like this.")


class DiscountWrong(Invalid):
    code = "discount-wrong"
    title = N_("The discount code cannot be made like this.")


class CodeNotFound(NotFound):
    code = "discount-code-not-found"
    title = N_("We did not find this discount code.")


class CodeNotValid(Invalid):
    """The word is unknown here, or its days are not now."""

    code = "code-not-valid"
    title = N_("The discount code is not valid.")

    def __init__(self) -> None:
        super().__init__(
            FieldError(
                "code", self.code, N_("This code is not valid for this space now. Check it, or leave it out.")
            )
        )


class CodeUsedUp(Invalid):
    code = "code-used-up"
    title = N_("The discount code has been used up.")

    def __init__(self) -> None:
        super().__init__(
            FieldError("code", self.code, N_("This code has been used up. Leave it out to go on."))
        )


class ListAlreadyHolds(Conflict):
    """Only a list that has not begun can be taken away."""

    code = "price-list-holds"
    title = N_("This price list has already begun. Write a new one that follows it.")


class TariffsRefused(Exception):
    """A tariff file that cannot be used; the text says where and why."""
