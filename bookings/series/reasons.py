"""Why a date is not at its wished time: texts of the refusals, by the code that is kept."""

from collections.abc import Mapping
from typing import Any

from bookings.lifecycle import errors as refusals
from bookings.series.errors import OneByOne
from bookings.series.planning import LEFT_OUT
from marketplace.errors import N_
from spaces.calendar.errors import PiecesTaken, SlotTaken
from spaces.equipment.errors import PiecesWrong

TEXTS: Mapping[str, str] = {
    LEFT_OUT: N_("You left this date out."),
    SlotTaken.code: N_("The space is taken at this time."),
    PiecesTaken.code: N_("Not enough of the equipment is free: %(left)s of %(wanted)s."),
    PiecesWrong.code: N_("The equipment is not offered like this any more."),
    OneByOne.code: OneByOne.title,
    refusals.NotOnOffer.code: refusals.NotOnOffer.title,
    refusals.NotOpen.code: refusals.NotOpen.title,
    refusals.InThePast.code: refusals.InThePast.title,
    refusals.WholeDaysOnly.code: refusals.WholeDaysOnly.title,
    **{
        kind.code: kind.text
        for kind in (
            refusals.TooLateToBook,
            refusals.TooFarAhead,
            refusals.TooShort,
            refusals.TooLong,
            refusals.OddLength,
            refusals.OddStart,
        )
    },
}


def reason_of(code: str, values: Mapping[str, Any]) -> tuple[str, dict[str, object]]:
    """(source text, its values); of a code from another version only that it could not be had."""
    if code not in TEXTS:
        return N_("This date could not be had."), {}
    return TEXTS[code], dict(values)
