"""What can be refused about the people of a booking."""

from marketplace.errors import N_, Conflict, FieldError, Forbidden, Invalid


class NoRightToAdd(Forbidden):
    code = "no-right-to-add"
    title = N_(
        "Only the one who booked, or people who book for the organisation, choose who else is responsible."
    )


class BookingOver(Conflict):
    code = "booking-over"
    title = N_("The booking is over or was called off, so nobody can be added any more.")


class PersonGone(Conflict):
    code = "person-gone"
    title = N_("The person is not responsible for this booking any more.")


class CannotAdd(Invalid):
    """`field` is where it was written, `text` why not."""

    code = "cannot-add"
    title = N_("The person cannot be added.")

    def __init__(self, field: str, text: str) -> None:
        super().__init__(FieldError(field, self.code, text))


UNKNOWN = N_("Nobody with this address has a confirmed account yet.")
BOOKS_ALREADY = N_("This is the person who booked.")
ADDED_ALREADY = N_("This person has been added already.")
NOT_A_MEMBER = N_("Choose somebody from the list.")
NOBODY = N_("Choose a member or write an e-mail address.")
FULL = N_("Ten people can be responsible for a booking. Remove somebody first.")
