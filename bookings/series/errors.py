"""What can be refused about a series."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from bookings.series.rules import LONGEST, MOST_DATES
from marketplace.errors import N_, Conflict, FieldError, Forbidden, Invalid, NotFound


class SeriesNotFound(NotFound):
    code = "series-not-found"
    title = N_("We did not find this series. It may belong to another account.")


class NotYourSeries(Forbidden):
    code = "not-your-series"
    title = N_("Only the one who booked, or people who book for the organisation, can change a series.")


class RuleUnreadable(Invalid):
    code = "rule-unreadable"
    title = N_("We could not read how often the booking repeats.")

    def __init__(self) -> None:
        super().__init__(FieldError("pattern", self.code, N_("Choose how often it repeats, and until when.")))


class TooManyDates(Invalid):
    code = "too-many-dates"
    title = N_("A series has too many dates.")

    def __init__(self) -> None:
        text = N_("A series has %(most)d dates at most. Choose an earlier end.")
        super().__init__(FieldError("ends", self.code, text, (("most", MOST_DATES),)))


class SeriesTooLong(Invalid):
    code = "series-too-long"
    title = N_("A series is too long.")

    def __init__(self) -> None:
        text = N_("A series lasts %(years)d years at most. Choose an earlier end.")
        super().__init__(FieldError("ends", self.code, text, (("years", LONGEST.days // 365),)))


class TooFewDates(Invalid):
    code = "too-few-dates"
    title = N_("A series has at least two dates.")

    def __init__(self) -> None:
        super().__init__(FieldError("ends", self.code, N_("Choose a later end: this is one date only.")))


class DatesOverlap(Invalid):
    code = "dates-overlap"
    title = N_("The dates of a series may not overlap.")

    def __init__(self) -> None:
        text = N_("Each booking is so long that it would run into the next one. Let it repeat less often.")
        super().__init__(FieldError("pattern", self.code, text))


def rule_refusal(code: str) -> Invalid:
    """The refusal for a code of `rules.why_no_series`."""
    kinds: dict[str, type[Any]] = {
        kind.code: kind for kind in (RuleUnreadable, TooManyDates, SeriesTooLong, TooFewDates, DatesOverlap)
    }
    refusal: Invalid = kinds[code]()
    return refusal


class CodeTooFew(Invalid):
    """The code cannot be used for so many bookings; for `left` more, which is at least one."""

    code = "code-too-few"
    title = N_("The discount code cannot be used for so many dates.")

    def __init__(self, left: int) -> None:
        text = N_(
            "Bookings that this code can still be used for: %(left)d. Choose fewer dates, or leave it out."
        )
        super().__init__(FieldError("code", self.code, text, (("left", left),)))


class OneByOne(Conflict):
    """The price of the time follows from what is told of this very time."""

    code = "one-by-one"
    title = N_("The price depends on how you use the space each time, so each date is booked on its own.")


class DatesTaken(Conflict):
    """`days` cannot be had, and all or nothing was asked for; nothing has changed."""

    code = "dates-taken"
    title = N_("Some of the dates cannot be had, so nothing was changed.")

    def __init__(self, days: Sequence[date]) -> None:
        super().__init__(days=[day.isoformat() for day in days])
        self.days = list(days)


class NoDates(Conflict):
    code = "no-dates"
    title = N_("None of the dates can be had.")


class OtherTimeUnfit(Conflict):
    """A time chosen instead of a taken one is on another day, or of a date that is not in the series."""

    code = "other-time-unfit"
    title = N_("One of the other times no longer fits. Choose it again.")


class NothingToCancel(Conflict):
    code = "nothing-to-cancel"
    title = N_("None of these dates can be cancelled any more.")


class NothingToChange(Conflict):
    code = "nothing-to-change"
    title = N_("Nothing would be different.")


class NothingWaits(Conflict):
    code = "nothing-waits"
    title = N_("None of these dates waits for an answer any more.")


class DateNotOpen(Conflict):
    """The date has a booking already, or has been taken out of the series."""

    code = "date-not-open"
    title = N_("This date has been booked already.")


class AskOneByOne(Conflict):
    """A new time of a confirmed booking needs the owner's yes, and the old one is kept until then."""

    code = "ask-one-by-one"
    title = N_("The owner confirms each new time here. Ask for it on the page of the date.")
