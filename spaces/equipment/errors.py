"""Refusals about equipment."""

from collections.abc import Iterable, Sequence

from marketplace.errors import N_, Conflict, FieldError, Invalid, NotFound
from spaces.calendar.lanes import Peak


class ExtraNotFound(NotFound):
    code = "extra-not-found"
    title = N_("This equipment is not there any more.")


class ExtraWrong(Invalid):
    code = "extra-wrong"
    title = N_("Check the equipment.")


class PiecesWrong(Invalid):
    """What a booker asks for cannot be had in any case; the fields are named extra-<id>."""

    code = "pieces-wrong"
    title = N_("Check the equipment you add.")


def not_offered(extra_id: int) -> FieldError:
    return FieldError(field_of(extra_id), "not-offered", N_("This equipment is not offered here any more."))


def too_many(extra_id: int, most: int) -> FieldError:
    text = N_("At most %(most)d in one booking.")
    return FieldError(field_of(extra_id), "too-many-pieces", text, (("most", most),))


def field_of(extra_id: int) -> str:
    """The name of its number in a form."""
    return f"extra-{extra_id}"


class StockPromised(Conflict):
    """More pieces than the new stock are promised at these times; nothing was changed."""

    code = "stock-promised"
    title = N_("More pieces are promised to bookings ahead. Nothing was changed.")

    def __init__(self, peaks: Sequence[Peak]) -> None:
        super().__init__()
        self.peaks = list(peaks)


def raise_any(kind: type[Invalid], wrong: Iterable[FieldError]) -> None:
    """Raises `kind` with all that is wrong, if anything is."""
    found = list(wrong)
    if found:
        raise kind(*found)
